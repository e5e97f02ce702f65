#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs dispatch-bounce over a folder of real reports and compares with what another parser says of them.

The folder has mails/ and expected.jsonl, a line a file: {"file", "bounce": true|false|null, "recipients": [{"status",
"reply", "reason", "hard"}]}. What they call hard is `gone` here; nothing else may mark an address. A third of the files
is aside: with `--tables` its differences are not shown, so that the tables can be written without them. What is known
to differ for a good reason is in exceptions.txt: it counts as a difference all the same, but doesn't fail the run.

Fails where an address would be marked that they call soft or no bounce at all, or where a goal isn't reached.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROGRAM = Path(os.environ.get("BUILD", "build")) / "dispatch-bounce"
OWN_MAKING = re.compile(r"[245]\.0\.9\d\d$")
GOALS = {"verdict, machine-readable": 95, "verdict, all": 85, "recipients": 98, "code": 98}
KINDS = {"feedback": {"complaint"}, "vacation": {"auto_reply"}, "delivered": {"delivered"}}


def is_aside(name):
    return zlib.crc32(name.encode()) % 3 == 0


def ours(path):
    done = subprocess.run([PROGRAM, "--dump", path], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        return {"kind": "unknown", "recipients": [], "format": f"exit {done.returncode}: {done.stderr.strip()}"}
    return json.loads(done.stdout)


def shown(row, said):
    them = [f"{r['status'] or '-'} {r['reason']}{' hard' if r['hard'] else ''}" for r in row["recipients"]]
    us = [f"{r['status'] or '-'} {r['verdict']} ({r['why']}; {r['stage'] or '?'})" for r in said["recipients"]]
    return f"they: {row['bounce']} {', '.join(them) or '-'}; we: {said['kind']} [{said['format']}] {', '.join(us) or '-'}"


class Tally:
    def __init__(self):
        self.right, self.all, self.differences = {}, {}, []

    def count(self, what, right):
        self.all[what] = self.all.get(what, 0) + 1
        self.right[what] = self.right.get(what, 0) + bool(right)
        return right


def marks_wrongly(row, said):
    """An address marked that they call soft, or no bounce. Of files about which they say nothing nothing is known."""
    gone = [r["verdict"] == "gone" for r in said["recipients"]]
    if row["bounce"] is None:
        return False
    hard = [r["hard"] for r in row["recipients"]]
    if len(gone) == len(hard):
        return any(g and not h for g, h in zip(gone, hard))
    return sum(gone) > sum(hard)


def compare(row, said, text, tally):
    """The kinds of difference that there are."""
    found = ["MARKS AN ADDRESS WRONGLY"] if marks_wrongly(row, said) else []
    if row["bounce"] is False:
        tally.count("no bounce", said["kind"] not in ("failed", "complaint")) or found.append("kind")
    if row["bounce"] is not True:
        return found
    them, us = row["recipients"], said["recipients"]
    kinds = KINDS.get(them[0]["reason"], {"failed", "delayed"})
    agrees = said["kind"] in kinds
    if kinds == {"failed", "delayed"}:
        agrees = agrees and sorted(r["hard"] for r in them) == sorted(r["verdict"] == "gone" for r in us)
    if said["format"] in ("rfc3464", "rfc5965"):
        tally.count("verdict, machine-readable", agrees)
    tally.count("verdict, all", agrees) or found.append("verdict")
    if kinds == {"failed", "delayed"}:
        tally.count("recipients", len(us) == len(them)) or found.append("recipients")
    for i, recipient in enumerate(them):
        code = recipient["status"]
        if code and not OWN_MAKING.match(code) and re.search(rf"(?<![\d.]){re.escape(code)}(?![\d.]*\d)", text):
            tally.count("code", i < len(us) and us[i]["status"] == code) or found.append("code")
    return found


def exceptions():
    lines = (Path(__file__).parent / "exceptions.txt").read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


def report(name, tally):
    print(f"{name}:")
    reached = True
    for what, n in sorted(tally.all.items()):
        percent = 100 * tally.right[what] / n
        goal = GOALS.get(what)
        reached = reached and (goal is None or percent >= goal)
        print(f"  {what:26} {tally.right[what]:4} of {n:4}  {percent:5.1f} %" + (f"  (goal {goal} %)" if goal else ""))
    return reached


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("corpus", type=Path)
    arguments.add_argument("--tables", action="store_true", help="show no differences of those aside")
    options = arguments.parse_args()
    rows = [json.loads(line) for line in (options.corpus / "expected.jsonl").read_text().splitlines()]
    paths = [options.corpus / "mails" / row["file"] for row in rows]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(ours, paths))
    tallies = {"two thirds, for the tables": Tally(), "one third, aside": Tally(), "all": Tally()}
    known, wrong = exceptions(), []
    for row, path, said in zip(rows, paths, results):
        text = path.read_bytes().decode("latin-1")
        part = "one third, aside" if is_aside(row["file"]) else "two thirds, for the tables"
        found = compare(row, said, text, tallies[part])
        compare(row, said, text, tallies["all"])
        reason = next((why for key, why in known.items() if key == row["file"]), None)
        if "MARKS AN ADDRESS WRONGLY" in found and reason is None:
            wrong.append(row["file"])
        if found and not (options.tables and is_aside(row["file"])):
            print(f"{row['file']}: {', '.join(found)}: {shown(row, said)}" + (f"\n    known: {reason}" if reason else ""))
    reached = [report(name, tally) for name, tally in tallies.items()]
    print(f"addresses marked wrongly, but for the exceptions: {len(wrong)}")
    return 0 if reached[-1] and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
