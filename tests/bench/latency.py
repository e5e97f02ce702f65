#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-growth`, its first half: from XADD to the sink's acceptance of the mail at a steady 200 events a second,
beside what a mail takes on a connection that is open already; and how fast events are taken in while the relay is
away. Then it runs tests/bench/growth.py and office.py. All of it is written as JSON for tests/bench/table.py."""
import argparse
import datetime
import importlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from compare import workplace
from contestants import Dispatchd, Setup, event, fill_stream
from meter import BUILD, STALLED_S, Fault, free_port, machine, snapshot, spent
from office import office
from table import OUTAGE_PARTS
from world import World

HERE = Path(__file__).resolve().parent
TENTHS = 10


class TimingSink:
    """tests/bench/smtp_sink.c, which notes when it accepted the mail to whom."""

    def __init__(self, path):
        self.record = Path(path)
        self.process = subprocess.Popen([str(BUILD / "tests" / "smtp_sink"), str(path)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        """Ends it; {recipient: when, in seconds of time.monotonic()}."""
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
        lines = (line.split() for line in self.record.read_text().splitlines())
        return {to: int(us) / 1e6 for us, to in lines}


def steadily(rate, count, act):
    """Calls act(i) `count` times, `rate` times a second; when each call began."""
    times, first = [], time.monotonic() + 0.1
    for i in range(count):
        if (wait := first + i / rate - time.monotonic()) > 0:
            time.sleep(wait)
        times.append(time.monotonic())
        act(i)
    return times


def percentiles(took):
    took = sorted(took)
    return {"p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100], "max": took[-1]}


def recipient(i):
    return f"c{1000 + i}@example.com"


class PlainClient:
    """One connection that sends the same mail again and again, command by command."""

    def __init__(self, port, mail):
        self.mail = mail.replace(b"\n", b"\r\n") + b".\r\n"
        self.server = socket.create_connection(("127.0.0.1", port))
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.recv(4096)
        self.ask(b"EHLO bench.example.com\r\n")

    def ask(self, line):
        self.server.sendall(line)
        self.server.recv(4096)

    def send(self, i):
        self.ask(b"MAIL FROM:<dispatch@example.com>\r\n")
        self.ask(f"RCPT TO:<{recipient(i)}>\r\n".encode())
        self.ask(b"DATA\r\n")
        self.ask(self.mail)

    def close(self):
        self.server.close()


def ms_between(begun, accepted, n):
    missing = [i for i in range(n) if recipient(i) not in accepted]
    if missing:
        raise Fault(f"{len(missing)} of {n} mails never arrived")
    return percentiles([(accepted[recipient(i)] - begun[i]) * 1000 for i in range(n)])


def latency_of_sink(setup, rate, count):
    sink = TimingSink(setup.world.path("record"))
    client = PlainClient(sink.port, setup.mail)
    begun = steadily(rate, count, client.send)
    client.close()
    return ms_between(begun, sink.stop(), count)


def latency_of_dispatchd(setup, rate, count):
    """Each mail has a recipient of its own, by which the sink's time finds its event."""
    world = World()
    sink = TimingSink(world.path("record"))
    try:
        contestant = Dispatchd(setup, world, sink.port)
        contestant.configure()
        world.start_daemon()

        def publish(i):
            contestant.client.xadd("jobs:events", {**event(i), "customer": str(1000 + i)})
        begun = steadily(rate, count, publish)
        contestant.wait_finished()
        return ms_between(begun, sink.stop(), count)
    finally:
        if sink.process.poll() is None:
            sink.stop()
        world.close()


def latency(rate, seconds):
    count = rate * seconds
    setup = Setup(count, 16, customers=count)
    try:
        sink = latency_of_sink(setup, rate, count)
        found = {"rate": rate, "events": count, "sink": sink, "dispatchd": latency_of_dispatchd(setup, rate, count)}
    finally:
        setup.close()
    found["over"] = {p: found["dispatchd"][p] - sink[p] for p in ("p50", "p99")}
    return found


def taken_in(client):
    """How many entries of the stream are decided and acknowledged."""
    groups = client.xinfo_groups("jobs:events")
    return groups[0]["entries-read"] - groups[0]["pending"] if groups and groups[0]["entries-read"] else 0


def watch_intake(world, client, count, processes):
    """[(when, how many were taken in by then)], up to all of them: from the start's end, where some are left by then;
    and [(how many, what processes had worked by then)] at about each tenth."""
    began = time.monotonic()
    world.start_daemon()
    seen = [(time.monotonic(), taken_in(client))]
    worked = [(seen[0][1], snapshot(processes()))]
    if seen[0][1] == count:
        return [(began, 0), *seen], worked
    while seen[-1][1] < count:
        time.sleep(0.01)
        now, n = time.monotonic(), taken_in(client)
        if n > seen[-1][1]:
            seen.append((now, n))
            if n >= worked[0][0] + (count - worked[0][0]) * len(worked) / TENTHS:
                worked.append((n, snapshot(processes())))
        elif world.daemon.process.poll() is not None or now - seen[-1][0] > STALLED_S:
            raise Fault(f"{n} of {count} events were taken in; {world.log_tail()}")
    return seen, worked


def cpu_by_tenths(worked, part):
    """[{part: µs an event}] between two looks."""
    found = []
    for (n, before), (more, after) in zip(worked, worked[1:], strict=False):
        us = {}
        for label, threads in spent(before, after).items():
            for thread, seconds in threads.items():
                name = part(label, thread) if label == "dispatchd" else label
                us[name] = us.get(name, 0.0) + seconds * 1e6 / (more - n)
        found.append(us)
    return found


def rates_by_tenths(seen):
    """Events a second in each tenth of those that came while we looked; between two looks they came evenly."""
    count, times, at = seen[-1][1] - seen[0][1], [seen[0][0]], 1
    for tenth in range(1, TENTHS + 1):
        mark = seen[0][1] + count * tenth / TENTHS
        while seen[at][1] < mark:
            at += 1
        (before, n), (after, more) = seen[at - 1], seen[at]
        times.append(before + (after - before) * (mark - n) / (more - n))
    return [count / TENTHS / (b - a) for a, b in zip(times, times[1:], strict=False)]


def outage(count):
    """The stream is full and the relay refuses connections: events a second, by tenths of them."""
    setup = Setup(count, 16)
    world = World()
    try:
        contestant = Dispatchd(setup, world, free_port())
        contestant.configure()
        fill_stream(contestant.client, count)
        seen, worked = watch_intake(world, contestant.client, count,
                                    lambda: {"redis": [contestant.redis.process.pid], **contestant.own()})
        return {"events": count, "tenths": rates_by_tenths(seen), "cpu_us": cpu_by_tenths(worked, contestant.part)}
    finally:
        world.close()
        setup.close()


def growth():
    """What tests/bench/growth.py measures, where it is there: {what was filled, rows of [what, figure, aim]}."""
    program, path = HERE / "growth.py", BUILD / "bench" / "growth-measured.json"
    if not program.exists():
        return None
    environment = {**os.environ, "BUILD": str(BUILD), "GROWTH_JSON": str(path)}
    if subprocess.run([sys.executable, str(program)], env=environment, check=False).returncode != 0:
        raise Fault(f"{program.name} failed")
    found = json.loads(path.read_text(encoding="utf-8"))
    measured = found.pop("measured")
    rows = importlib.import_module("growth").ROWS
    return {**found, "rows": [[what, measured[name], aim] for name, what, aim in rows if name in measured]}


def options():
    parser = argparse.ArgumentParser(description="Latency, intake without a relay, growth.")
    parser.add_argument("--rate", type=int, default=200, help="events a second for the latency (200)")
    parser.add_argument("--seconds", type=int, default=20, help="for how long (20)")
    parser.add_argument("--outage", type=int, default=300000, help="events while the relay is away (300000)")
    parser.add_argument("--office", type=int, default=20000, help="mails in each run of a large and a small office (20000)")
    parser.add_argument("--rounds", type=int, default=3, help="of these (3)")
    parser.add_argument("--no-growth", action="store_true", help="without tests/bench/growth.py and office.py")
    parser.add_argument("--json", default=str(BUILD / "bench" / "growth.json"), help="where the figures go")
    return parser.parse_args()


def main():
    given = options()
    workplace()
    found = {"taken": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
             "machine": machine(BUILD / "bench")}
    try:
        found["latency"] = latency(given.rate, given.seconds)
        for who in ("sink", "dispatchd", "over"):
            figures = ", ".join(f"{p} {ms:.2f} ms" for p, ms in found["latency"][who].items())
            print(f"latency {who}: {figures}", flush=True)
        found["outage"] = outage(given.outage)
        print("intake by tenths: " + " ".join(f"{n:.0f}/s" for n in found["outage"]["tenths"]), flush=True)
        for part in OUTAGE_PARTS:
            tenths = " ".join(f"{us.get(part, 0):.1f}" for us in found["outage"]["cpu_us"])
            print(f"  {part}, µs an event: {tenths}", flush=True)
        found["growth"] = None if given.no_growth else growth()
        found["office"] = None if given.no_growth else office(given.office, given.rounds)
    except Fault as fault:
        sys.exit(f"latency: {fault}")
    Path(given.json).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"latency: {given.json}")


if __name__ == "__main__":
    main()
