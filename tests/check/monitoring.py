#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves that metrics, alert rules, dashboard and dispatchd-monitoring(7) fit each other. Run with $BUILD set.

- promtool finds no fault with the metrics of a daemon that works, nor with the rules; each alert has a case.
- What rules and dashboard ask for is exported, with those labels.
- Each alert is explained in the manual, and the manual explains no other.
- dispatchctl takes every command that the manual and the journal's catalogue name.
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from both_ways import both_ways

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
import cluster  # noqa: E402
import kit  # noqa: E402
from world import BUILD  # noqa: E402

CONF = ROOT / "conf/monitoring"
RULES, CASES = CONF / "dispatchd-rules.yml", CONF / "dispatchd-rules-test.yml"
PROMTOOL = shutil.which("promtool") or str(BUILD / "promtool/promtool")
# What stands for something of the reader's own.
EXAMPLES = {"ME": "me@example.com", "ID": "1", "ADDRESS": "rosa@example.com"}
# Labels that Prometheus adds, and `le`, by which it asks histograms.
PROMETHEUS_LABELS = {"job", "instance", "le"}
WORDS = {"by", "on", "unless", "and", "or", "ignoring", "without", "offset", "bool", "group_left", "group_right"}
faults = []


def promtool(*args, text=None):
    done = subprocess.run([PROMTOOL, *map(str, args)], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr.strip():
        faults.append(f"promtool {' '.join(map(str, args))}:\n{done.stdout}{done.stderr}")


def check_commands(world):
    """Of an alert's runbook, and of a message's explanation: none may end in a fault of usage (64)."""
    page = (ROOT / "conf/man/dispatchd-monitoring.7").read_text()
    catalogue = (ROOT / "conf/dispatchd.catalog").read_text()
    named = re.findall(r"(?m)^\.Ql dispatchctl (.*?)(?: [.,;:])?$", page), re.findall(r"`dispatchctl ([^`]*)`", catalogue)
    for command in sorted(set(sum(named, []))):
        done = world.ctl(*(EXAMPLES.get(word, word) for word in shlex.split(command)), check=False)
        if done.returncode == 64:
            faults.append(f"dispatchctl {command}, which a runbook names: {done.stderr.strip()}")
    if not all(named):
        faults.append("dispatchd-monitoring(7) or the catalogue names no command of dispatchctl")


def scrape():
    """/metrics of a cluster's owner that has read an event, sent a mail, and rejected another event; then the runbooks'
    commands."""
    with cluster.start("a") as (world,):
        kit.add_customer(world)
        world.start_daemon()
        world.wait_role("owner")
        world.xadd(id="1", type="job.completed", job="1", customer="1001")
        world.xadd(id="2", type="job.completed", job="2", customer="nobody")
        kit.wait_outcome(world, "1", "sent")
        kit.wait_outcome(world, "2", "rejected")
        text = world.http("/metrics")[2]
        check_commands(world)
        return text


def exported(text):
    """{metric: its labels} of every sample."""
    found = {}
    for name, labels in re.findall(r"(?m)^(dispatchd_\w+)(?:\{(.*)\})? \S+$", text):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


def base(sample):
    """The metric that a sample is of: histograms have three kinds of samples."""
    return re.sub(r"_(bucket|sum|count)$", "", sample)


def check_expression(where, expression, metrics):
    names = set(re.findall(r"\bdispatchd_\w+", expression))
    if not names and "ALERTS" not in expression and "up" not in expression:
        faults.append(f"{where} asks for no metric: {expression}")
    for name in sorted(names - set(metrics)):
        faults.append(f"{where} asks for {name}, which dispatchd doesn't export")
    known = PROMETHEUS_LABELS.union(*(metrics.get(name, set()) for name in names))
    asked = set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", expression))
    for group in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", expression):
        asked |= set(re.findall(r"\w+", group))
    for label in sorted(asked - known - WORDS):
        faults.append(f"{where} asks for the label {label}, which these metrics don't have: {expression}")


def panels_of(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def check_dashboard(metrics):
    """Each expression is PromQL that asks for what there is; titles, ids and places are there once."""
    dashboard = json.loads((CONF / "dispatchd-dashboard.json").read_text(encoding="utf-8"))
    panels = list(panels_of(dashboard))
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) != len(ids):
        faults.append("the dashboard has two panels of one id")
    rules = []
    for panel in panels:
        if panel["type"] != "row" and not panel["targets"]:
            faults.append(f"the dashboard's panel {panel['title']} shows nothing")
        for target in panel.get("targets", []):
            check_expression(f"the dashboard's panel \"{panel['title']}\"", target["expr"], metrics)
            plain = target["expr"].replace("$__rate_interval", "5m")
            rules.append({"record": f"panel:{panel['id']}:{target['refId'].lower()}", "expr": plain})
    shown = " ".join(rule["expr"] for rule in rules)
    for name in sorted(set(map(base, metrics))):
        if not re.search(rf"\b{name}(_bucket)?\b", shown):
            faults.append(f"no panel of the dashboard shows {name}")
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}, file)
        file.flush()
        promtool("check", "rules", file.name)


def check_rules(metrics):
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    names = [rule["alert"] for rule in rules]
    if len(set(names)) != len(names):
        faults.append("two alerts have the same name")
    for rule in rules:
        check_expression(f"the alert {rule['alert']}", rule["expr"], metrics)
        if rule["labels"]["severity"] not in ("critical", "warning"):
            faults.append(f"the alert {rule['alert']} is neither critical nor a warning")
    tried = set(re.findall(r'alertname="(\w+)"', CASES.read_text()))
    faults.extend(both_ways("the alert", set(names), tried, RULES.name, CASES.name))
    page = (ROOT / "conf/man/dispatchd-monitoring.7").read_text()
    table = page.partition('.\\" alerts: begin')[2].partition('.\\" alerts: end')[0]
    told = dict(re.findall(r"(?m)^\.It Cm (\w+) Pq (\w+)$", table))
    faults.extend(both_ways("the alert", set(names), set(told), RULES.name, "dispatchd-monitoring(7)"))
    for rule in rules:
        if told.get(rule["alert"], rule["labels"]["severity"]) != rule["labels"]["severity"]:
            faults.append(f"dispatchd-monitoring(7) gives {rule['alert']} another severity than {RULES.name}")
    for name in set(re.findall(r"\bdispatchd_\w+", page)) - set(map(base, metrics)):
        faults.append(f"dispatchd-monitoring(7) names {name}, which dispatchd doesn't export")


def check_exported(text):
    """What a daemon exports is what the table has, and dispatchd(8) with it (tests/check/agree.py)."""
    table = set(re.findall(r'\.name = "(dispatchd_\w+)"', (ROOT / "lib/model/metric.c").read_text()))
    seen = set(re.findall(r"(?m)^# TYPE (\w+) ", text))
    faults.extend(both_ways("the metric", table, seen, "lib/model/metric.c", "GET /metrics"))


def main():
    os.chdir(ROOT)
    text = scrape()
    metrics = exported(text)
    promtool("check", "metrics", text=text)
    check_exported(text)
    promtool("check", "rules", RULES)
    promtool("test", "rules", CASES)
    check_rules(metrics)
    check_dashboard(metrics)
    print("\n".join(faults) or f"{len(metrics)} metrics, rules, dashboard and manual agree")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
