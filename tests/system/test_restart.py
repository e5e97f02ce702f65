# SPDX-License-Identifier: MIT
"""Crashes and restarts: no notice is lost, and what comes twice can be told by its ids."""
import collections
import contextlib
import json
import os
import random
import threading
import time

from kit import add_customer, message, outcomes_of, wait_outcome
from world import PATIENCE, wait_until


def publish(world, numbers, state="completed"):
    pipe = world.redis.pipeline(transaction=False)
    for n in numbers:
        pipe.xadd("jobs:events", {"id": str(n), "type": f"job.{state}", "job": f"j{n}", "customer": "1001"})
    pipe.execute()


def stable(world):
    """The outcomes by id; a repeat has to say the same as the first."""
    by_id = {}
    for outcome in world.outcomes():
        content = {k: v for k, v in outcome.items() if k != "entry"}
        assert by_id.setdefault(outcome["id"], content) == content, "a repeat that differs"
    return by_id


def test_killed_again_and_again_under_load(world, smtp):
    """SIGKILL at random moments, with a relay that takes its time: each event's mail arrives; only those that were
    being sent arrive twice, with the same Message-ID; every outcome is published at least once."""
    seed = time.time_ns()
    chance, events, kills = random.Random(seed), 300, 6
    world.configure(smtp={"connections": "4"})
    add_customer(world)
    smtp.answers["body"] = lambda *_: time.sleep(0.01)
    for kill in range(kills):
        publish(world, range(kill * events // kills, (kill + 1) * events // kills))
        world.start_daemon()
        time.sleep(chance.uniform(0.0, 0.35))
        world.daemon.kill()
    world.start_daemon()
    wanted = {str(n) for n in range(events)}

    def lacking():
        return wanted - {o["event"] for o in world.outcomes() if o["status"] == "sent"}
    wait_until(lambda: not lacking(), lambda: f"sent: {sorted(lacking())[:9]} of seed {seed}; {world.log_tail()}", 30)
    world.wait_idle()
    copies = collections.Counter(message(m)["X-Dispatchd-Job"] for m in smtp.mails)
    assert set(copies) == {f"j{n}" for n in range(events)}, "a mail for each event"
    ids = collections.defaultdict(set)
    for mail in smtp.mails:
        ids[message(mail)["X-Dispatchd-Job"]].add(message(mail)["Message-ID"])
    assert all(len(found) == 1 for found in ids.values()), "a copy has the same Message-ID"
    assert len(set.union(*ids.values())) == events
    outcomes = collections.Counter((o["event"], o["status"]) for o in stable(world).values())
    assert all(outcomes[(n, "queued")] == 1 and outcomes[(n, "sent")] == 1 for n in wanted), f"decided once, seed {seed}"
    for n in wanted:
        assert copies[f"j{n}"] <= 1 + outcomes[(n, "retrying")], f"j{n} came twice and was not in flight, seed {seed}"
    first = {}
    for place, outcome in enumerate(world.outcomes()):
        first.setdefault((outcome["event"], outcome["status"]), place)
    assert all(first[(n, "queued")] < first[(n, "sent")] for n in wanted), "in order"
    assert set(status for _, status in outcomes) <= {"queued", "sent", "retrying"}
    assert all(o["reason"] == "in_doubt" for o in world.outcomes() if o["status"] == "retrying")


def test_killed_with_requests_and_a_list(world):
    """The gate's requests act once each, and a list's items are all decided, though the daemon dies again and again."""
    seed = time.time_ns()
    chance, rounds, each = random.Random(seed), 5, 60
    world.configure(redis={"list": "jobs:list"})
    add_customer(world)
    for turn in range(rounds):
        pipe = world.redis.pipeline(transaction=False)
        for n in range(turn * each, (turn + 1) * each):
            pipe.xadd("jobs:requests", {"id": f"r{n}", "type": "job.dispatch", "job": f"r{n}", "customer": "1001"})
            pipe.lpush("jobs:list", json.dumps({"id": f"l{n}", "type": "job.started", "job": f"l{n}", "customer": "1001"}))
        pipe.execute()
        world.start_daemon()
        time.sleep(chance.uniform(0.0, 0.15))
        world.daemon.kill()
    world.start_daemon()
    for n in range(rounds * each):
        wait_outcome(world, f"r{n}", "released", timeout=20)
        wait_outcome(world, f"l{n}", "queued", timeout=20)
    world.wait_idle("jobs:requests")
    wait_until(lambda: not world.redis.exists("jobs:list", "jobs:list:processing:test"), "empty lists")
    by_id = {}
    for _, job in world.redis.xrange("jobs:dispatch"):
        assert by_id.setdefault(job["id"], job) == job, f"a repeat that differs, seed {seed}"
    assert [job["job"] for job in by_id.values()] == [f"r{n}" for n in range(rounds * each)], f"once, in order, seed {seed}"
    outcomes = collections.Counter((o["event"], o["status"]) for o in stable(world).values())
    assert all(outcomes[(f"l{n}", "queued")] == 1 for n in range(rounds * each))


def test_killed_with_a_mail_in_flight(world, smtp):
    """Nobody knows whether the relay has it: retrying, in_doubt, and at once again."""
    add_customer(world)
    begun = threading.Event()

    def slowly(*_):
        begun.set()
        time.sleep(0.7)
    smtp.answers["body"] = slowly
    world.start_daemon()
    publish(world, [1])
    assert begun.wait(10 * PATIENCE), "the body, all of it, never came"
    world.daemon.kill()
    wait_until(lambda: len(smtp.mails) == 1, "the first copy")
    world.start_daemon()
    wait_outcome(world, "1", "sent")
    assert [s for s, _ in outcomes_of(world, "1")] == ["queued", "retrying", "sent"]
    assert next(o for o in world.outcomes() if o["status"] == "retrying")["reason"] == "in_doubt"
    assert len({message(m)["Message-ID"] for m in smtp.mails}) == 1
    assert smtp.mails[0].data == smtp.mails[1].data


def test_entries_pending_at_the_restart(world):
    """Taken by us, never acknowledged: decided after the restart, in order, before what is new."""
    add_customer(world)
    world.redis.xgroup_create("jobs:events", "dispatchd", "0", mkstream=True)
    publish(world, range(50))
    world.redis.xreadgroup("dispatchd", "test", {"jobs:events": ">"}, count=50)
    publish(world, range(50, 60))
    world.start_daemon()
    world.outcomes(wait_for={"status": "queued"}, count=60)
    world.wait_idle()
    assert [int(o["event"]) for o in world.outcomes() if o["status"] == "queued"] == list(range(60))


def test_decided_but_not_acknowledged(world, smtp):
    """As after a crash between the commit and XACK: acknowledged again, changed nothing."""
    add_customer(world)
    publish(world, range(20))
    world.start_daemon()
    world.outcomes(wait_for={"status": "sent"}, count=20)
    world.wait_idle()
    world.daemon.kill()
    world.redis.xgroup_setid("jobs:events", "dispatchd", "0")
    world.redis.xreadgroup("dispatchd", "test", {"jobs:events": ">"}, count=20)
    assert world.pending() == 20
    world.start_daemon()
    world.wait_idle()
    publish(world, [99])
    wait_outcome(world, "99", "sent")
    assert len(smtp.mails) == 21
    assert all(outcomes_of(world, n) == [("queued", "ok"), ("sent", "ok")] for n in range(20))


def test_deferred_mails_survive(world):
    world.configure(**{"notify.completed": {"group_wait": "2s"}})
    add_customer(world)
    world.start_daemon()
    publish(world, [1])
    deferred = wait_outcome(world, "1", "deferred", "grouped")
    world.daemon.kill()
    world.start_daemon()
    assert world.mails() == []
    sent = wait_outcome(world, "1", "sent")
    assert sent["mail"] == deferred["mail"] and len(world.mails()) == 1


def test_a_new_spool_is_another_instance(world):
    """Ids of outcomes stay unique when spool.db is made afresh."""
    add_customer(world)
    for n in range(2):
        world.start_daemon()
        publish(world, [n])
        wait_outcome(world, n, "sent")
        assert world.daemon.stop() == 0
        for name in ("spool.db", "spool.db-wal", "spool.db-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(world.path(name))
    assert len({o["id"] for o in world.outcomes()}) == 4
