# SPDX-License-Identifier: MIT
"""The dispatch gate on bad days: crashes, a daemon that is away, ten thousand held jobs. The rows of its table are in
test_gate.py."""
import datetime
import time

import pytest

from kit import add_customer, zone_where_soon
from world import PATIENCE, wait_until


def ask_many(world, numbers, customer="1001"):
    pipe = world.redis.pipeline(transaction=False)
    for n in numbers:
        pipe.xadd("jobs:requests", {"id": f"r{n}", "type": "job.dispatch", "job": f"j{n}", "customer": customer,
                                    "route": "north"})
    pipe.execute()


def released(world):
    """Jobs of the dispatch stream in order, repeats of an id dropped as a reader does."""
    seen, found = set(), []
    for _, fields in world.redis.xrange("jobs:dispatch"):
        if fields["id"] not in seen:
            seen.add(fields["id"])
            found.append(fields["job"])
    return found


def answers(world, status):
    return {o["id"]: o["job"] for o in world.outcomes() if o["status"] == status}


@pytest.fixture
def farm(world):
    add_customer(world)
    return world


def test_a_crash_between_commit_and_publishing(farm):
    """Redis takes neither answer nor job; the request is acknowledged, so it is on disk; then the daemon dies."""
    farm.redis.set("jobs:outcomes", "in the way")
    farm.redis.set("jobs:dispatch", "in the way")
    farm.start_daemon()
    ask_many(farm, [1])
    farm.wait_idle("jobs:requests")
    farm.daemon.kill()
    farm.redis.delete("jobs:outcomes", "jobs:dispatch")
    farm.start_daemon()
    farm.outcomes(wait_for={"status": "released", "job": "j1"})
    assert released(farm) == ["j1"]
    ask_many(farm, [1])  # the planner didn't hear of it and asks again
    farm.outcomes(wait_for={"status": "released", "job": "j1"}, count=2)
    assert len(answers(farm, "released")) == 1, "the same answer under the same id"
    assert released(farm) == ["j1"]


def test_crashes_under_way_lose_and_double_nothing(farm):
    farm.start_daemon()
    for batch in range(5):
        ask_many(farm, range(batch * 100, batch * 100 + 100))
        time.sleep(0.03 * batch)
        farm.daemon.kill()
        farm.start_daemon()
    wait_until(lambda: len(answers(farm, "released")) == 500, lambda: f"500 answers; {farm.log_tail()}", 20)
    wait_until(lambda: len(released(farm)) == 500, "500 released jobs")
    time.sleep(0.3)
    assert sorted(answers(farm, "released").values()) == sorted(released(farm)) == sorted(f"j{n}" for n in range(500))


@pytest.mark.parametrize("how", ["resumed", "crash"])
def test_resumed_while_the_daemon_is_away(farm, how):
    farm.ctl("suspend", "1001", "--note", "x")
    farm.start_daemon()
    ask_many(farm, range(20))
    farm.outcomes(wait_for={"status": "held"}, count=20)
    if how == "crash":
        farm.daemon.kill()
    else:
        assert farm.daemon.stop() == 0
    farm.ctl("resume", "1001")
    assert [row["job"] for row in farm.ctl_json("hold", "list")] == [f"j{n}" for n in range(20)]
    farm.start_daemon()
    wait_until(lambda: released(farm) == [f"j{n}" for n in range(20)], lambda: f"order; {released(farm)}", 5)
    assert farm.ctl_json("hold", "list") == []
    shown = farm.ctl_json("job", "show", "j7")
    assert [(r["request"], r["status"]) for r in shown["requests"]] == [("r7", "released")]
    assert [o["status"] for o in shown["outcomes"]] == ["held", "released"]
    assert [o["stream"] for o in shown["released"]] == ["jobs:dispatch"]


@pytest.mark.long
def test_worn_off_while_the_daemon_is_away(world):
    local, midnight = zone_where_soon(world, "00:00")
    add_customer(world, timezone="Test/Soon")
    tomorrow = (local + datetime.timedelta(days=1)).date().isoformat()
    world.ctl("suspend", "1001", "--from", "2026-01-01", "--until", tomorrow, "--note", "x")
    world.start_daemon()
    ask_many(world, [1, 2])
    world.outcomes(wait_for={"status": "held"}, count=2)
    world.daemon.kill()
    time.sleep(max(0.0, midnight.timestamp() - time.time()) + 0.2)
    world.start_daemon()
    wait_until(lambda: released(world) == ["j1", "j2"], lambda: f"the jobs; {world.log_tail()}", 5)


def test_a_suspension_made_shorter(farm):
    farm.ctl("suspend", "1001", "--note", "x", "--from", "2026-01-01", "--until", "+30d")
    farm.start_daemon()
    ask_many(farm, [1])
    held = farm.outcomes(wait_for={"status": "held"})
    assert held["note"] == "x" and len(held["until"]) == 10 and "due" not in held, "it would be given up before"
    farm.ctl("resume", "1001")
    farm.ctl("suspend", "1001", "--note", "x", "--from", "2026-01-01", "--until", "2026-02-01")
    farm.outcomes(wait_for={"status": "released"}, timeout=5)


def test_two_months_later_no_truck_goes_to_the_stops_of_then(farm):
    farm.ctl("suspend", "1001", "--note", "x")
    farm.start_daemon()
    farm.xadd("jobs:requests", id="1", type="job.dispatch", job="1", customer="1001", scheduled="2026-09-22T10:00:00Z")
    farm.outcomes(wait_for={"status": "expired", "reason": "expired", "job": "1"})
    farm.ctl("resume", "1001")
    ask_many(farm, [2])
    farm.outcomes(wait_for={"status": "released", "job": "j2"})
    assert released(farm) == ["j2"]


def test_ten_thousand_held_jobs_go_at_once(farm):
    many = 10000
    farm.ctl("suspend", "1001", "--note", "x", "--scope", "routes")
    farm.ctl("customer", "add", "1002", "--name", "Somebody else")
    farm.start_daemon()
    ask_many(farm, range(many))
    wait_until(lambda: farm.redis.xlen("jobs:outcomes") >= many, "all to be held", 60)
    farm.ctl("resume", "1001")
    began = time.monotonic()
    wait_until(lambda: farm.redis.exists("jobs:dispatch"), "the first to go", 10)
    farm.xadd("jobs:requests", id="other", type="job.create", job="o", customer="1002")
    farm.outcomes(wait_for={"event": "other"}, timeout=5)
    assert farm.http("/healthz")[0] == 200
    wait_until(lambda: farm.redis.xlen("jobs:dispatch") >= many, lambda: f"all to go; {farm.log_tail()}", 30)
    assert time.monotonic() - began < 15 * PATIENCE
    assert released(farm) == [f"j{n}" for n in range(many)]
    assert farm.ctl_json("hold", "list") == []
