#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What growth costs: a customer who changes, a start, a turn, memory at rest, a relay that is away.

    make all tests && python3 tests/bench/growth.py [DIRECTORY]

`make bench-growth` runs it. A table goes to standard output, the same as JSON to $GROWTH_JSON (build/growth.json);
PARTS="start change event backlog" leaves others out. The big case in DIRECTORY (build/growth) is filled once, with
CUSTOMERS=1000000 WAITING=1000000 ENDED=500000 (some 3 GB and minutes), and good for two days: for a quick look, take
another one with CUSTOMERS=20000 WAITING=20000 ENDED=10000. Peers: redis-server, curl.
Times are those of the engine's thread on a processor, so that a busy machine disturbs them little; "wall" ones need a
quiet one. Nothing here asserts.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD") or ROOT / "build").resolve()
SIZES = [os.environ.get(name, n) for name, n in (("CUSTOMERS", "1000000"), ("WAITING", "1000000"), ("ENDED", "500000"))]

ROWS = (  # name, what it is, what it should be
    ("big.spool", "bytes of the spool a mail", "at most 1500"),
    ("small.start", "start, little there", ""),
    ("big.start", "start, all there", "wall below 1000 ms"),
    ("small.turn", "a turn without work, little there", ""),
    ("big.turn", "the same, all there", ""),
    ("small.change", "hours of one customer change, little there", ""),
    ("big.change", "the same, all there", "about the same"),
    ("big.thousand", "of a thousand customers", ""),
    ("big.everybody", "of all that wait", ""),
    ("small.event", "an event to a sent mail, little there", ""),
    ("few.event", "the same, all there, of a thousand customers", ""),
    ("few.ratio", "its ratio", "at most 1.15"),
    ("big.event", "of all customers", ""),
    ("event.ratio", "its ratio", "at most 1.15"),
    ("backlog.first", "an event while the relay is away, the first tenth", ""),
    ("backlog.last", "the last tenth", ""),
    ("backlog.ratio", "its ratio", "at most 1.0"),
    ("daemon.ready", "dispatchd ready after its start, all there", "wall below 1000 ms"),
    ("daemon.rss", "dispatchd at rest, all there: memory", "at most 48 MiB"),
    ("daemon.anonymous", "of it not pages of files", ""),
    ("daemon.swept", "dispatchd after a sweep over all that waits: its most", ""),
)


def measured_by_the_engine(directory):
    found = {}
    command = [BUILD / "tests/bench_growth", directory, *SIZES]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bench:
        for line in bench.stdout:
            name, value = line.rstrip().split(" ", 1)
            print(f"{name:18} {value}", file=sys.stderr, flush=True)
            found[name] = value
    if bench.returncode != 0:
        sys.exit(f"bench_growth ended with {bench.returncode}")
    return found


def configuration(directory, scratch):
    return f"""[redis]
url = unix://{scratch}/redis.sock?db=0
[customers]
path = {directory}/big/customers.db
[spool]
path = {directory}/big/spool.db
[mail]
from = dispatch@example.com
transport = maildir
maildir = {scratch}/mail
max_age = 365d
[rules]
timezone = UTC
[http]
listen = unix:{scratch}/http.sock
"""


@contextlib.contextmanager
def running(command, **more):
    with subprocess.Popen(command, **more) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def memory_kib(pid):
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return {name: int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1]) for name in ("VmRSS", "VmHWM", "RssAnon")}


def until_there(test):
    began = time.monotonic()
    while not test():
        time.sleep(0.002)
    return time.monotonic() - began


def is_ready(socket):
    asked = subprocess.run(["curl", "-sf", "--unix-socket", socket, "http://localhost/readyz"], check=False,
                           stdout=subprocess.DEVNULL)
    return asked.returncode == 0


def cpu_ticks(pid):
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]))


def wait_for_rest(pid):
    while True:
        before = cpu_ticks(pid)
        time.sleep(5)
        if cpu_ticks(pid) - before < 10:
            return


def start_and_rest(scratch, environment):
    """How long it takes until it is ready, and its memory when it has nothing more to do."""
    began = time.monotonic()
    with open(f"{scratch}/log", "ab") as log, running([BUILD / "dispatchd"], env=environment, stderr=log) as daemon:
        until_there(lambda: is_ready(f"{scratch}/http.sock"))
        ready = time.monotonic() - began
        wait_for_rest(daemon.pid)
        return ready, memory_kib(daemon.pid)


def measured_by_the_daemon(directory):
    """The second start: to the first one the settings are others than those with which the spool was filled."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "dispatchd.conf").write_text(configuration(directory, scratch), encoding="utf-8")
        server = ["redis-server", "--port", "0", "--unixsocket", f"{scratch}/redis.sock", "--save", "", "--dir", scratch]
        environment = {**os.environ, "DISPATCHD_CONF": f"{scratch}/dispatchd.conf"}
        with running(server, stdout=subprocess.DEVNULL):
            until_there(lambda: os.path.exists(f"{scratch}/redis.sock"))
            _, swept = start_and_rest(scratch, environment)
            ready, memory = start_and_rest(scratch, environment)
    return {"daemon.ready": f"{ready * 1000:.0f} ms wall", "daemon.rss": f"{memory['VmRSS'] / 1024:.1f} MiB",
            "daemon.anonymous": f"{memory['RssAnon'] / 1024:.1f} MiB",
            "daemon.swept": f"{swept['VmHWM'] / 1024:.1f} MiB"}


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else BUILD / "growth").resolve()
    directory.mkdir(parents=True, exist_ok=True)
    found = {**measured_by_the_engine(directory), **measured_by_the_daemon(directory)}
    print(f"{'':50} {'measured':28} aim")
    for name, what, aim in ROWS:
        if name in found:
            print(f"{what:50} {found[name]:28} {aim}")
    document = {"customers": int(SIZES[0]), "waiting": int(SIZES[1]), "ended": int(SIZES[2]), "measured": found}
    target = Path(os.environ.get("GROWTH_JSON") or BUILD / "growth.json")
    target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
