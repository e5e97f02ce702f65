#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-steps`: where the work of a mail is done, in instructions by valgrind's callgrind, which counts them alike
however busy the machine is. For each thread of dispatchd: the functions that most of it is done in or below, and the
libraries that do it themselves. What the kernel does is not in it. Written as JSON for tests/bench/table.py."""
import argparse
import collections
import datetime
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from compare import run_once, workplace
from contestants import Dispatchd, Setup
from meter import BUILD, ROOT, WRAP, Fault, machine

# Each thread's outermost function, by which its file is recognized.
THREADS = {"engine_main_loop": "engine", "mailers_main": "mailers", "loop_run": "loop"}
LEAST = 0.04  # of a thread: smaller steps are left out
LINE = re.compile(r"\s*([\d,]+) \([^)]*\)\s+(.*):(\S.*?) \[([^\]]+)\]$")
LIBRARIES = {"dispatchd": "our own", "libc": "C library", "libsqlite": "SQLite", "libjansson": "jansson",
             "libesmtp": "libesmtp", "libhiredis": "hiredis", "libicui18n": "ICU", "libicuuc": "ICU", "libsodium": "libsodium"}


def annotated(path, *options):
    """[(instructions, source file, function, object)] of a profile."""
    done = subprocess.run(["callgrind_annotate", "--threshold=100", *options, str(path)], check=True,
                          capture_output=True, text=True)
    found = filter(None, map(LINE.match, done.stdout.splitlines()))
    return [(int(m[1].replace(",", "")), m[2], m[3], m[4]) for m in found]


def library(name):
    short = re.sub(r"\d*\.so.*", "", Path(name).name)
    return LIBRARIES.get(short, "others")


def ours(source):
    return str(ROOT) in source or re.match(r"(lib|daemon)/", source)


def counts(files):
    """{thread: {"all": {"": n}, "steps": {function: n}, "libraries": {…}}}, in instructions."""
    found = {}
    for path in files:
        below = annotated(path, "--inclusive=yes")
        roots = [(count, function) for count, _, function, _ in below if function in THREADS]
        if not roots:
            continue
        total, root = max(roots)
        thread = found.setdefault(THREADS[root], {what: collections.Counter() for what in ("all", "steps", "libraries")})
        thread["all"][""] += total
        for count, source, function, _ in below:
            if ours(source) and "'" not in function:  # 'N is a recursion's
                thread["steps"][function.partition(".")[0]] += count  # .part.0 and .isra.0 are the compiler's
        for count, _, _, of in annotated(path):
            thread["libraries"][library(of)] += count
    return found


def count_run(setup, events):
    folder = BUILD / "bench" / "callgrind"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    WRAP[:] = ["valgrind", "-q", "--tool=callgrind", "--separate-threads=yes",
               f"--callgrind-out-file={folder}/profile"]
    setup.events = events
    run_once(Dispatchd, setup)
    return counts(sorted(folder.glob("profile-*")))


def difference(few, many, events):
    """What a mail more costs, {thread: {"all": n, "steps": …, "libraries": …}}: what the start costs is in both runs."""
    found = {}
    for name, thread in many.items():
        more = {what: {key: (n - few[name][what][key]) / events for key, n in counted.items()}
                for what, counted in thread.items()}
        whole = more["all"][""]
        found[name] = {"all": whole, "steps": most(more["steps"], LEAST * whole, whole),
                       "libraries": most(more["libraries"], LEAST * whole / 4, whole)}
    return found


def most(numbers, least, whole):
    """The largest first; what has all of the thread in it says nothing."""
    return dict(sorted(((name, n) for name, n in numbers.items() if least <= n < 0.98 * whole), key=lambda pair: -pair[1]))


def options():
    parser = argparse.ArgumentParser(description="Counts the instructions of a mail.")
    parser.add_argument("--events", type=int, default=3000, help="mails (3000)")
    parser.add_argument("--connections", type=int, default=4, help="a profile to read for each (4)")
    parser.add_argument("--json", default=str(BUILD / "bench" / "steps.json"), help="where the figures go")
    return parser.parse_args()


def main():
    given = options()
    workplace()
    if not shutil.which("valgrind"):
        sys.exit("steps: there is no valgrind; `make deps-bench` brings it")
    setup = Setup(given.events, given.connections)
    few = max(1, given.events // 10)
    try:
        threads = difference(count_run(setup, few), count_run(setup, given.events), given.events - few)
        found = {"taken": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                 "machine": machine(setup.world.directory), "events": given.events, "mail_bytes": setup.mail_bytes(),
                 "threads": threads}
    except Fault as fault:
        sys.exit(f"steps: {fault}")
    finally:
        setup.close()
    Path(given.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, thread in found["threads"].items():
        print(f"{name}: {thread['all']:,.0f} instructions a mail")
        for what in ("steps", "libraries"):
            for step, count in thread.get(what, {}).items():
                print(f"  {count / thread['all']:6.1%}  {count:9,.0f}  {step}")
    print(f"steps: {given.json}")


if __name__ == "__main__":
    main()
