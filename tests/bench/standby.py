#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-standby`: what a standby costs. dispatchd alone, alone beside a Redis with a replica, as the owner of a
cluster without a standby, and with one that follows on the same machine (Redis with a replica, which each turn waits
for) take turns in one run; each is warm before the clock runs, and gets all events at once. Then the time from event
to mail at a steady rate, alone and with a standby. Prints both, and writes them as JSON."""
import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from compare import run_once, say  # noqa: E402
from contestants import PERSISTENT, Dispatchd, Setup, event, fill_stream  # noqa: E402
from latency import TimingSink, ms_between, steadily  # noqa: E402
from meter import BUILD, free_port, middle, use_cores  # noqa: E402
from world import World, wait_until  # noqa: E402

KEY = "0f" * 32
# Server side, so that publishing takes nothing of the machine.
COPY = """
local items = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', 2000)
for _, item in ipairs(items) do redis.call('XADD', KEYS[2], '*', unpack(item[2])) end
return #items > 0 and '(' .. items[#items][1] or ''
"""


class Warm(Dispatchd):
    """The daemon runs and waits before the clock does."""
    name, title = "alone", "dispatchd alone"

    def prepare(self):
        self.configure()
        fill_stream(self.client, self.setup.events, stream="staged")
        self.start()

    def start(self):
        self.written = 0
        self.world.start_daemon()

    def begin(self):
        at = "-"
        while at:
            at = self.client.eval(COPY, 2, "staged", "jobs:events", at)


class Replicated(Warm):
    """What Redis' replica costs by itself."""
    name, title = "replica", "alone, Redis with a replica"

    def __init__(self, *args):
        super().__init__(*args)
        self.replica = self.world.start_redis("replica", port=free_port(), args=[
            *PERSISTENT, "--appendfsync", self.fsync, "--replicaof", "127.0.0.1", str(self.redis.port)])
        wait_until(lambda: self.replica.client().info("replication")["master_link_status"] == "up", "the replica")

    def own(self):
        return {**super().own(), "replica": [self.replica.process.pid]}

    def part(self, label, thread):
        return label if label == "replica" else super().part(label, thread)


class Member(Warm):
    name, title = "owner", "the owner of a cluster, no standby"

    def configure(self, **smtp):
        super().configure(**smtp)
        self.join(self.world, "a")

    def join(self, world, name):
        path = world.path("cluster.key")
        with open(path, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(KEY)
        world.configure(redis={"consumer": name}, cluster={"name": "team", "key_file": path})

    def start(self):
        super().start()
        self.wait_role(self.world, "owner")

    @staticmethod
    def wait_role(world, role):
        def there():
            try:
                return world.metrics().get(f'dispatchd_role{{role="{role}"}}') == 1
            except OSError:
                return False
        wait_until(there, lambda: f"{role}: {world.log_tail()}", 30)


class Followed(Replicated, Member):
    name, title = "standby", "with a standby and a replica of Redis"

    def __init__(self, *args):
        super().__init__(*args)
        self.standby = World()

    def start(self):
        super().start()
        standby = self.standby
        standby.settings["smtp"], standby.settings["mail"] = self.world.settings["smtp"], self.world.settings["mail"]
        standby.configure(redis={"url": self.url})
        standby.redis_server = self.redis
        self.join(standby, "b")
        self.world.ctl("backup", standby.path("seed"))
        standby.ctl("restore", "--force", standby.path("seed"))
        standby.start_daemon()
        self.wait_role(standby, "standby")

    def own(self):
        both = super().own()
        return {**both, "standby": [self.standby.daemon.pid]} if self.standby.daemon else both

    def part(self, label, thread):
        return label if label == "standby" else super().part(label, thread)

    def finished(self):
        """The standby has it, too."""
        return super().finished() and self.standby.metrics()["dispatchd_standby_lag_turns"] == 0

    def close(self):
        super().close()
        self.standby.close()


def throughput(setup, rounds):
    runs = {kind: [] for kind in (Warm, Replicated, Member, Followed)}
    for n in range(rounds):
        print(f"round {n + 1} of {rounds}", flush=True)
        for kind, found in runs.items():
            found.append(run_once(kind, setup))
            say(kind, found[-1])

    def ratio(found, base):
        return middle([run["rate"] / other["rate"] for run, other in zip(found, base)])

    def cpu(found, base):
        return middle([sum(other["cpu_us"].values()) / sum(run["cpu_us"].values()) for run, other in zip(found, base)])
    return {kind.name: {"title": kind.title, "rate": middle([run["rate"] for run in found]),
                        "ratio": ratio(found, runs[Warm]), "cpu_ratio": cpu(found, runs[Warm]),
                        "ratio_replica": ratio(found, runs[Replicated]), "cpu_replica": cpu(found, runs[Replicated]),
                        "elsewhere": max(run["elsewhere"] for run in found)}
            for kind, found in runs.items()}


def latency_of(kind, setup, rate, count):
    world = World()
    sink = TimingSink(world.path("record"))
    contestant = None
    try:
        contestant = kind(setup, world, sink.port)
        contestant.configure()
        contestant.start()

        def publish(i):
            contestant.client.xadd("jobs:events", {**event(i), "customer": str(1000 + i)})
        begun = steadily(rate, count, publish)
        contestant.wait_finished()
        return ms_between(begun, sink.stop(), count)
    finally:
        if sink.process.poll() is None:
            sink.stop()
        if contestant:
            contestant.close()
        world.close()


def main():
    parser = argparse.ArgumentParser(description="Measures what a standby costs.")
    parser.add_argument("--events", type=int, default=20000, help="mails in each run (20000)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--rate", type=int, default=200, help="events a second for the time of each (200)")
    parser.add_argument("--seconds", type=int, default=20, help="and for how long (20)")
    parser.add_argument("--json", default=str(BUILD / "bench" / "standby.json"), help="where the figures go")
    given = parser.parse_args()
    use_cores(2)
    setup = Setup(given.events, 16)
    try:
        rates = throughput(setup, given.rounds)
    finally:
        setup.close()
    count = given.rate * given.seconds
    setup = Setup(count, 16, customers=count)
    try:
        waits = {kind.name: latency_of(kind, setup, given.rate, count) for kind in (Warm, Followed)}
    finally:
        setup.close()
    for found in rates.values():
        print(f"{found['title']}: {found['rate']:.0f} mails/s, {found['ratio']:.2f} of alone ({found['cpu_ratio']:.2f} by "
              f"CPU), {found['ratio_replica']:.2f} of alone with a replica ({found['cpu_replica']:.2f})")
    for name, found in waits.items():
        print(f"{name}: {found['p50']:.2f} ms median from event to mail, p99 {found['p99']:.2f}")
    Path(given.json).parent.mkdir(parents=True, exist_ok=True)
    Path(given.json).write_text(json.dumps({"rates": rates, "latency": waits}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
