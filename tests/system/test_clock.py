# SPDX-License-Identifier: MIT
"""The wall clock is set while dispatchd runs, as by NTP, an admin, or a machine that slept.

libfaketime stands between the program and the wall clock; the monotonic one stays real. What is due by the new
wall time goes out within a second, what is queued is not held up by a clock that went back, and nothing goes twice.
"""
import glob
import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from world import PATIENCE, wait_until

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
pytestmark = pytest.mark.skipif(FAKETIME is None, reason="libfaketime isn't installed")
DUE_S = 1.5 * PATIENCE  # a second, and what the transport and this test need


class Clock:
    """The wall clock that the daemon sees: the real one, moved."""

    def __init__(self, world):
        self.file = Path(world.path("clock"))
        self.offset = timedelta()
        self.move(timedelta())

    def move(self, by):
        self.offset += by
        written = self.file.with_suffix(".new")
        written.write_text(f"{self.offset.total_seconds():+.3f}\n", encoding="ascii")
        written.replace(self.file)  # the daemon reads it all the time: never half of it

    def now(self):
        return datetime.now(timezone.utc) + self.offset

    def environment(self):
        return {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
                # A program built with the address sanitizer checks what is loaded before its runtime.
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


@pytest.fixture
def clock(world):
    world.configure(mail={"transport": "maildir", "maildir": world.path("mail")})
    world.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com", "--timezone", "UTC")
    yield Clock(world)
    for daemon in world.daemons:  # one that is killed leaves what libfaketime shares with its children
        daemon.kill()
        for left in glob.glob(f"/dev/shm/*faketime_*_{daemon.pid}"):
            os.unlink(left)


def publish(world, n, clock, **more):
    world.xadd(id=str(n), type="job.completed", job=str(n), customer="1001", time=clock.now().isoformat(), **more)


def test_forward_over_an_opening(world, clock):
    """As after a night's sleep: what was deferred until the morning goes at once when the clock says morning."""
    tomorrow = (clock.now() + timedelta(days=1)).date()
    world.ctl("hours", "set", "1001", "all", "closed")
    world.ctl("hours", "except", "1001", tomorrow.isoformat(), "00:00-24:00")
    world.start_daemon(env=clock.environment())
    publish(world, 1, clock)
    deferred = world.outcomes(wait_for={"status": "deferred"})
    assert deferred["reason"] == "outside_hours"
    clock.move(timedelta(days=1))
    moved = time.monotonic()
    wait_until(world.mails, "the mail")
    assert time.monotonic() - moved < DUE_S
    world.outcomes(wait_for={"status": "sent"})
    clock.move(timedelta(days=-1))
    time.sleep(1)
    clock.move(timedelta(days=1))
    time.sleep(1)
    assert len(world.mails()) == 1


def test_forward_over_a_groups_wait(world, clock):
    world.configure(**{"notify.completed": {"group_wait": "10m"}})
    world.start_daemon(env=clock.environment())
    for n in range(5):
        publish(world, n, clock)
    world.outcomes(wait_for={"reason": "grouped"}, count=5)
    clock.move(timedelta(minutes=10))
    moved = time.monotonic()
    wait_until(world.mails, "the mail")
    assert time.monotonic() - moved < DUE_S
    world.outcomes(wait_for={"status": "sent"}, count=5)
    assert len(world.mails()) == 1


def test_backward_holds_nothing_up(world, clock):
    """An hour back: a group's two seconds stay two seconds, and what comes now goes now."""
    world.configure(**{"notify.completed": {"group_wait": "2s"}})
    world.start_daemon(env=clock.environment())
    publish(world, 1, clock)
    world.outcomes(wait_for={"reason": "grouped"})
    clock.move(timedelta(hours=-1))
    wait_until(world.mails, "the mail", timeout=5)
    world.xadd(id="2", type="job.failed", job="2", customer="1001")
    world.outcomes(wait_for={"status": "sent"}, count=2)
    clock.move(timedelta(hours=1))
    time.sleep(1)
    assert len(world.mails()) == 2


def test_grace_of_an_unknown_customer(world, clock):
    world.configure(customers={"grace": "3s"})
    world.start_daemon(env=clock.environment())
    world.xadd(id="1", type="job.completed", job="1", customer="2002")
    time.sleep(0.5)
    clock.move(timedelta(hours=-2))
    world.outcomes(wait_for={"reason": "unknown_customer"}, timeout=8)


@pytest.mark.parametrize("hours, problems", [(23, ["3 entries of jobs:events were lost unread"]), (25, [])])
def test_a_loss_is_a_problem_for_a_day(world, clock, hours, problems):
    """What was lost stays lost: after a day `status` still counts it, but there is nothing to do about it anymore."""
    def feed():
        (row,) = [row for row in world.ctl_json("status")["feeds"] if row["name"] == "jobs:events"]
        return row
    clock.move(timedelta(hours=-hours))
    world.start_daemon(env=clock.environment())
    publish(world, 1, clock)
    world.outcomes(wait_for={"status": "sent"})
    world.wait_idle()
    assert world.daemon.stop() == 0
    for n in range(2, 6):
        publish(world, n, clock)
    world.redis.xtrim("jobs:events", maxlen=1, approximate=False)
    world.start_daemon(env=clock.environment())
    wait_until(lambda: feed().get("lost") == 3, lambda: f"three lost; {feed()}")
    assert [row["text"] for row in world.ctl_json("status")["problems"]] == problems
    at = datetime.fromisoformat(feed()["lost_at"].replace("Z", "+00:00"))
    assert at < datetime.now(timezone.utc) - timedelta(hours=hours - 1)
