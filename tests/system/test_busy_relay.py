# SPDX-License-Identifier: MIT
"""A relay that is there and slow: events wait for room with the mailers, but not for long, and nothing else does."""
import sqlite3
import time
from contextlib import closing

from kit import add_customer, wait_outcome
from world import wait_until

MANY = 3000


def publish(world, first, count, state="started"):
    pipe = world.redis.pipeline(transaction=False)
    for n in range(first, first + count):
        pipe.xadd("jobs:events", {"id": f"{state}{n}", "type": f"job.{state}", "job": f"j{n}", "customer": "1001"})
    pipe.execute()


def prepare(world, smtp, seconds, connections=1):
    smtp.answers["body"] = lambda *_: time.sleep(seconds)
    world.configure(smtp={"connections": str(connections)})
    add_customer(world)


def start(world, smtp, seconds, connections=1):
    prepare(world, smtp, seconds, connections)
    world.start_daemon()


def decided(world):
    return [o["event"] for o in world.outcomes() if o["status"] == "queued"]


def test_requests_and_commands_dont_wait_with_events(world, smtp):
    start(world, smtp, 0.5)
    publish(world, 0, MANY)
    wait_until(lambda: len(decided(world)) > 0, "the first events")
    world.xadd("jobs:requests", id="r1", type="job.create", job="new", customer="1001")
    assert world.http("/v1/gate?customer=1001&type=job.create")[0] == 200
    assert world.ctl_json("status")["mails"]["sent"] < MANY
    wait_outcome(world, "r1", "allowed", timeout=30)
    order = [o["event"] for o in world.outcomes()]
    assert f"started{MANY - 1}" not in order[:order.index("r1")]


def test_no_more_events_are_taken_at_once_than_mailers_have_room_for(world, smtp):
    prepare(world, smtp, 2.0)
    publish(world, 0, MANY)
    world.start_daemon()
    wait_until(lambda: len(decided(world)) == MANY, "all to be decided", timeout=60)
    with closing(sqlite3.connect(f"file:{world.path('spool.db')}?mode=ro", uri=True)) as spool:
        (first,) = spool.execute("SELECT count(*) FROM mail GROUP BY made ORDER BY made LIMIT 1").fetchone()
    # Of the 256 in a read of Redis; the rest had to wait, and came into the spool. 24 have room, fewer while mailers of a
    # slow machine are about to start.
    assert 0 < first <= 24


def test_events_are_decided_and_superseded_however_slow_the_relay_is(world, smtp):
    start(world, smtp, 2.0)
    publish(world, 0, MANY)
    publish(world, 0, MANY, "completed")
    world.outcomes(wait_for={"status": "superseded", "reason": "later_state"}, count=MANY - 30, timeout=60)
    assert len(smtp.mails) < 100


def test_none_is_lost_or_sent_twice_when_the_mailers_are_full(world, smtp):
    start(world, smtp, 0.0, connections=4)
    publish(world, 0, MANY)
    world.outcomes(wait_for={"status": "sent"}, count=MANY, timeout=90)
    assert len(smtp.mails) == MANY
    assert sorted(decided(world)) == sorted(f"started{n}" for n in range(MANY))
    world.wait_idle()
