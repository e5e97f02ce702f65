# SPDX-License-Identifier: MIT
"""The customers feed stands before the events: what it says counts for an event published after it."""

import json
import sqlite3
import time


def feed(world, **customer):
    world.xadd("customers:changes", customer=json.dumps(customer))


def test_an_event_behind_a_change_is_judged_by_it(world):
    world.ctl("customer", "add", "1001", "--name", "Acme", "--email", "a@example.com")
    world.start_daemon()
    for i in range(5):
        feed(world, number="1001", status="inactive" if i % 2 == 0 else "active")
        world.xadd(id=f"e{i}", type="job.completed", job=f"J{i}", customer="1001")
        # Till it is sent: a mail that waits is judged again, by the next change.
        world.outcomes(wait_for={"event": f"e{i}", "status": "suppressed" if i % 2 == 0 else "sent"})
    statuses = {o["event"]: o["status"] for o in world.outcomes() if o["status"] in ("queued", "suppressed")}
    assert statuses == {"e0": "suppressed", "e1": "queued", "e2": "suppressed", "e3": "queued", "e4": "suppressed"}


def test_events_do_not_wait_for_an_import_for_ever(world):
    """An import holds customers.db: the feed waits for it, events only for some seconds."""
    world.ctl("customer", "add", "1001", "--name", "Acme", "--email", "a@example.com")
    world.start_daemon()
    lock = sqlite3.connect(world.path("customers.db"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        feed(world, number="1001", name="Changed")
        time.sleep(0.3)
        world.xadd(id="e1", type="job.completed", job="J1", customer="1001")
        world.outcomes(wait_for={"event": "e1", "status": "queued"})
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    for _ in range(100):
        if world.ctl_json("customer", "show", "1001")["name"] == "Changed":
            return
        time.sleep(0.1)
    raise AssertionError("the feed's entry was never applied")


def test_a_long_feed_makes_nobody_unknown(world):
    """At the first start thousands of customers are in the stream; the event's is the last, and grace is 0."""
    several = world.redis.pipeline(transaction=False)
    for n in range(12000):
        customer = {"number": str(n), "name": f"Customer {n}", "email": f"c{n}@example.com"}
        several.xadd("customers:changes", {"customer": json.dumps(customer)})
    several.execute()
    world.xadd(id="1", type="job.completed", job="1", customer="11999")
    world.start_daemon()
    world.outcomes(wait_for={"status": "sent"}, timeout=60)
    assert world.redis.xlen("jobs:dead") == 0
