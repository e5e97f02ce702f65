# SPDX-License-Identifier: MIT
"""What a mail costs in a large office and in a small one, the whole way: events in a Redis stream, dispatchd, and a sink
that accepts their mails, as `make bench` has it. The large office is what tests/bench/growth.py has filled. All cases
take turns in one run, each from a copy of its files as they were; the first round counts for nothing, since it brings
into memory what is there later."""
import os
import random
import shutil
import subprocess
import time
from pathlib import Path

from compare import run_once, say
from contestants import Dispatchd, Setup, event
from growth import SIZES as GIVEN
from meter import BUILD, Fault, free_port, middle, seconds_of_stat
from world import World, wait_until

CONNECTIONS = 16
SMALL = 1000  # customers; tests/bench/bench_growth.c, which fills both, has the same number
SIZES = dict(zip(("customers", "waiting", "ended"), map(int, GIVEN), strict=True))
FILES = ("customers.db", "spool.db")


def wait_for_rest(world):
    """Until it has had next to nothing to do for two seconds."""
    stat = Path(f"/proc/{world.daemon.pid}/stat")

    def rests():
        before = seconds_of_stat(stat)
        time.sleep(2)
        return seconds_of_stat(stat) - before < 0.05
    wait_until(rests, "dispatchd to rest", 600)


class Office(Dispatchd):
    """Events are of customers drawn at random, of those who are open now: they have even numbers."""
    title = "a small office"
    folder = "small"
    files = FILES
    customers = SMALL
    random_jobs = False

    def configure(self, **smtp):
        super().configure(**smtp)
        for name in self.files:
            path = Path(self.setup.growth, self.folder, name)
            subprocess.run(["cp", "--reflink=auto", path, self.world.path(name)], check=True)
        os.sync()

    def wait_finished(self):
        """And what it puts off until it is quiet: that belongs to what a mail costs."""
        super().wait_finished()
        wait_for_rest(self.world)

    def event(self, i):
        number = f"{random.getrandbits(64):016x}" if self.random_jobs else f"{time.time_ns()}{i % 10}"
        return {**event(i), "job": f"J{number}", "customer": f"C{random.randrange(self.customers // 2) * 2 + 2}"}


class Customers(Office):
    title = "many customers"
    folder, files, customers = "big", FILES[:1], SIZES["customers"]


class Spool(Office):
    title = "many mails waiting and ended, few customers"
    folder = "big"


class Large(Office):
    title = "all of it"
    folder, customers = "big", SIZES["customers"]


class RandomSmall(Office):
    title = "few, random names of jobs"
    random_jobs = True


class RandomLarge(Large):
    title = "all of it, random names of jobs"
    random_jobs = True


# Each with what it is compared to.
CASES = {Office: Office, Customers: Office, Spool: Office, Large: Office, RandomSmall: RandomSmall,
         RandomLarge: RandomSmall}


def fill(directory):
    """Both offices, where they aren't there; the small one is always new."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    done = subprocess.run([BUILD / "tests" / "bench_growth", directory, *GIVEN], check=False, stdout=subprocess.DEVNULL,
                          env={**os.environ, "PARTS": "start"})
    if done.returncode != 0:
        raise Fault(f"bench_growth ended with {done.returncode}")


def settle(setup):
    """Looks once at all that waits, since it was filled under other settings: that isn't in what is measured."""
    world = World()
    try:
        office = Large(setup, world, free_port())
        office.configure()
        world.start_daemon()
        wait_for_rest(world)
        if world.daemon.stop() != 0:
            raise Fault(f"dispatchd ended badly:\n{world.log_tail()}")
        for name in FILES:
            shutil.move(world.path(name), Path(setup.growth, Large.folder, name))
    finally:
        world.close()


def own_us(run):
    """dispatchd's own time for a mail."""
    return sum(us for part, us in run["cpu_us"].items() if part not in ("sink", "redis"))


def all_us(run):
    return sum(run["cpu_us"].values())


def summary(kind, found, base):
    def ratio(of):
        return middle([of(run) / of(other) for run, other in zip(found, base, strict=True)])
    parts = {part: middle([run["cpu_us"][part] for run in found]) for part in found[0]["cpu_us"]}
    return {"title": kind.title, "parts_us": parts, "rate": middle([run["rate"] for run in found]),
            "cpu_us": middle(map(all_us, found)), "own_us": middle(map(own_us, found)),
            "peak_mib": middle([run["peak_mib"] for run in found]),
            "ratio": ratio(all_us), "ratio_own": ratio(own_us), "ratio_rate": ratio(lambda run: 1 / run["rate"])}


def office(events, rounds, directory=BUILD / "growth"):
    """{case: figures}; the ratios are to the small office's in the same round, times as much as it."""
    fill(directory)
    setup = Setup(events, CONNECTIONS)
    setup.growth = directory
    runs = {kind: [] for kind in CASES}
    try:
        settle(setup)
        for n in range(rounds + 1):
            print(f"round {n} of {rounds}", flush=True)
            for kind, found in runs.items():
                found.append(run_once(kind, setup))
                say(kind, found[-1])
    finally:
        setup.close()
    return {**SIZES, "events": events, "rounds": rounds, "connections": CONNECTIONS,
            "cases": [summary(kind, runs[kind][1:], runs[base][1:]) for kind, base in CASES.items()]}
