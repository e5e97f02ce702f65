#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench`: from a durable event to an accepted mail, beside smtp-source (the limit) and what people would use
instead. All take turns in one run, so that a machine that gets slower is slower for all of them; each figure is the
median of the rounds. Prints a table, and writes the figures as JSON: tests/bench/table.py puts them into
docs/PERFORMANCE.md. A mail that is missing, or one too many, fails the run."""
import argparse
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from contestants import ALL, Dispatchd, Setup
from meter import BUILD, Fault, Sink, busy_seconds, find_tool, machine, middle, snapshot, spread, use_cores
from table import comparison
from world import World

RATIO_TO = "smtp-source"
QUIET = 0.05  # more than this of the machine's time spent elsewhere is said


def run_once(kind, setup):
    """One run of one contestant: its figures."""
    world = World()
    contestant = sink = None
    try:
        sink = Sink(world.directory)
        contestant = kind(setup, world, sink.port)
        contestant.prepare()
        before = snapshot(contestant.processes(sink))
        busy, us, began = busy_seconds(), time.process_time(), time.monotonic()
        contestant.begin()
        took = sink.wait(setup.events, contestant.alive) - began
        contestant.wait_finished()
        parts = contestant.parts(before, sink)
        cores = len(os.sched_getaffinity(0)) * (time.monotonic() - began)
        elsewhere = busy_seconds() - busy - (time.process_time() - us) - sum(parts.values())
        contestant.check()
        if (count := sink.count()) != setup.events:
            raise Fault(f"{count} mails arrived, not {setup.events}")
        return {"rate": setup.events / took, "cpu_us": {part: s * 1e6 / setup.events for part, s in parts.items()},
                "elsewhere": max(0.0, elsewhere / cores), **contestant.figures}
    finally:
        for ending in (contestant and contestant.close, sink and sink.stop, world.close):
            if ending:
                ending()


def summary(kind, runs, limit):
    """Medians of the rounds; the ratio is that of each round, since rounds differ more than their parts."""
    rates = [run["rate"] for run in runs]
    parts = {part: middle([run["cpu_us"].get(part, 0.0) for run in runs]) for run in runs for part in run["cpu_us"]}
    others = {key: middle([run[key] for run in runs]) for key in runs[0] if key not in ("rate", "cpu_us")}
    found = {"title": kind.title, "durability": kind.durability, "rates": rates, "rate": middle(rates),
             "spread": spread(rates), "cpu_us": parts, "cpu_us_all": middle([sum(r["cpu_us"].values()) for r in runs]),
             **others}
    if limit:
        ratios = [rate / top["rate"] for rate, top in zip(rates, limit, strict=True)]
        cpu = [sum(top["cpu_us"].values()) / sum(run["cpu_us"].values()) for run, top in zip(runs, limit, strict=True)]
        found.update(ratio=middle(ratios), ratio_spread=spread(ratios), cpu_ratio=middle(cpu))
    return found


def say(kind, run):
    parts = ", ".join(f"{part} {us:.0f}" for part, us in run["cpu_us"].items())
    noise = f"; {run['elsewhere']:.0%} of the machine's time went elsewhere" if run["elsewhere"] > QUIET else ""
    print(f"  {kind.title}: {run['rate']:.0f} mails/s; µs a mail: {parts}; {run['peak_mib']:.1f} MiB{noise}", flush=True)


def compare(kinds, setup, rounds):
    runs = {kind: [] for kind in kinds}
    for n in range(rounds):
        print(f"round {n + 1} of {rounds}", flush=True)
        for kind in kinds:
            runs[kind].append(run_once(kind, setup))
            say(kind, runs[kind][-1])
    limit = next((found for kind, found in runs.items() if kind.name == RATIO_TO), None)
    return {kind.name: summary(kind, found, limit) for kind, found in runs.items()}


def sweep(setup, connections):
    """dispatchd's rate by the number of its connections, beside smtp-source's with as many."""
    found = []
    kinds = [ALL[RATIO_TO], Dispatchd]
    usual = setup.connections
    for n in connections:
        print(f"{n} connections", flush=True)
        setup.connections = n
        rates = {}
        for kind in kinds:
            run = run_once(kind, setup)
            say(kind, run)
            rates[kind.name] = run["rate"]
            memory = run["peak_mib"]
        found.append({"connections": n, **rates, "peak_mib": memory})
    setup.connections = usual
    return found


def version(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def package(name):
    return upstream(version("dpkg-query", "-W", "-f", "${Version}", name))


def upstream(text):
    """1:2.3-4 is 2.3 to those who wrote it."""
    return text and re.sub(r"^\d+:|-[^-]*$", "", text)


def versions():
    """Of what takes part."""
    modules = ALL["bullmq"].modules()
    node = {name: json.loads((modules / name / "package.json").read_text())["version"]
            for name in ("bullmq", "nodemailer") if modules and (modules / name).is_dir()}
    postfix = find_tool("smtp-sink")[0]
    found = {"dispatchd": version(str(BUILD / "dispatchd"), "--version"), "redis-server": package("redis-server"),
             "postfix": package("postfix") or upstream(version("cat", str(Path(postfix).parents[2] / "version"))),
             "celery": package("python3-celery"), "node": version("node", "--version"), **node}
    return {name: text for name, text in found.items() if text}


def workplace():
    """Runs on the file system of the build, since /tmp may be memory; a socket's path must stay short."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # and what was started ends with us
    place = BUILD / "bench"
    place.mkdir(parents=True, exist_ok=True)
    if len(str(place)) < 50:
        tempfile.tempdir = str(place)


def options():
    parser = argparse.ArgumentParser(description="Compares dispatchd with smtp-source, BullMQ and Celery.")
    parser.add_argument("--events", type=int, default=20000, help="mails in each run (20000)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--connections", type=int, default=16, help="SMTP connections (16)")
    parser.add_argument("--cores", type=int, default=2, help="processors that all of it shares (2)")
    parser.add_argument("--only", default=",".join(ALL), help="who takes part: " + ",".join(ALL))
    parser.add_argument("--sweep", default="1,2,4,8,16,32,64",
                        help="connections to measure dispatchd with, once each; empty: none (1,2,4,8,16,32,64)")
    parser.add_argument("--json", default=str(BUILD / "bench" / "compare.json"), help="where the figures go")
    given = parser.parse_args()
    if unknown := set(given.only.split(",")) - ALL.keys():
        parser.error(f"who is {', '.join(sorted(unknown))}? There are {', '.join(ALL)}")
    return given


def main():
    given = options()
    workplace()
    use_cores(given.cores)
    if not find_tool("smtp-sink"):
        sys.exit("compare: no smtp-sink, which counts the mails; `make deps-bench` brings it")
    kinds, missing = [], {}
    for name in dict.fromkeys(given.only.split(",")):
        kind = ALL[name]
        if lacking := kind.missing():
            missing[name] = lacking
            print(f"compare: {kind.title} is left out, there is no {lacking}; `make deps-bench` brings it")
        else:
            kinds.append(kind)
    setup = Setup(given.events, given.connections)
    try:
        found = {"taken": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                 "machine": machine(setup.world.directory), "versions": versions(), "events": given.events,
                 "rounds": given.rounds, "connections": given.connections, "mail_bytes": setup.mail_bytes(),
                 "missing": missing, "contestants": compare(kinds, setup, given.rounds)}
        found["sweep"] = sweep(setup, [int(n) for n in given.sweep.split(",")]) if given.sweep else []
    except Fault as fault:
        sys.exit(f"compare: {fault}")
    finally:
        setup.close()
    Path(given.json).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print("\n" + comparison(found))
    print(f"compare: {given.json}")


if __name__ == "__main__":
    main()
