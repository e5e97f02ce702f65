# SPDX-License-Identifier: MIT
"""dispatchctl gate and hold: what the gate would say, and what to do with what it holds."""

import pytest
from kit import refused


@pytest.fixture
def bakery(world):
    world.ctl("customer", "add", "1001", "--name", "Example Bakery", "--timezone", "America/Denver")
    return world


def test_the_gate_is_asked_without_daemon_or_redis_and_changes_nothing(bakery):
    bakery.redis_server.stop()
    assert bakery.ctl_json("gate", "create", "--customer", "1001")["status"] == "allowed"
    assert bakery.ctl_json("gate", "create", "--customer", "9999")["reason"] == "unknown_customer"
    bakery.ctl("hours", "set", "1001", "mon-fri", "07:00-12:00,13:00-17:00")
    found = bakery.ctl_json("gate", "dispatch", "--customer", "1001", "--scheduled", "2026-12-23T09:30:00-07:00")
    assert (found["status"], found["reason"]) == ("released", "ok")
    assert (found["arrive_by"], found["leave_by"]) == ("2026-12-23T07:00:00-07:00", "2026-12-23T12:00:00-07:00")
    bakery.ctl("suspend", "1001", "--note", "Rebuilding", "--until", "+14d", "--scope", "jobs,routes")
    found = bakery.ctl_json("gate", "create", "--customer", "1001")
    assert (found["status"], found["reason"], found["note"]) == ("denied", "suspended", "Rebuilding")
    assert "Rebuilding" in bakery.ctl("gate", "dispatch", "--customer", "1001").stdout
    assert bakery.ctl_json("hold", "list") == []


def test_what_the_gate_needs(bakery):
    refused(bakery, 64, "--customer", "gate", "create")
    refused(bakery, 64, "--scheduled", "gate", "create", "--customer", "1001", "--scheduled", "noon")


def hold_one(world, number):
    world.xadd("jobs:requests", id=f"r{number}", type="job.dispatch", job=number, customer="1001", route="north")
    world.outcomes(wait_for={"status": "held", "job": number})


@pytest.mark.parametrize("daemon", [True, False])
def test_held_jobs_are_listed_released_and_called_off(bakery, daemon):
    bakery.ctl("suspend", "1001", "--note", "Rebuilding")
    bakery.start_daemon()
    hold_one(bakery, "7")
    hold_one(bakery, "8")
    rows = bakery.ctl_json("hold", "list")
    assert [(row["job"], row["customer"], row["reason"], row["data"]["route"]) for row in rows] == [
        ("7", "1001", "suspended", "north"), ("8", "1001", "suspended", "north")]
    assert {(row["type"], row["status"]) for row in rows} == {("job.dispatch", "held")}
    assert "north" in bakery.ctl("hold", "list").stdout
    if not daemon:
        bakery.daemon.stop()
    assert bakery.ctl_json("status")["held"] == 2
    assert "Held jobs" in bakery.ctl("status").stdout
    bakery.ctl("hold", "release", rows[0]["id"], "--note", "Come all the same", "--as", "kim")
    bakery.ctl("hold", "cancel", rows[1]["id"])
    if not daemon:
        bakery.start_daemon()
    released = bakery.outcomes(wait_for={"status": "released", "job": "7"})
    assert "kim" in released["note"] and "Come all the same" in released["note"]
    bakery.outcomes(wait_for={"status": "cancelled", "job": "8"})
    assert [fields["job"] for _, fields in bakery.redis.xrange("jobs:dispatch")] == ["7"]
    assert bakery.ctl_json("hold", "list") == []
    refused(bakery, 65, "", "hold", "release", str(rows[0]["id"]))
    refused(bakery, 66, "77", "hold", "cancel", "77")
    refused(bakery, 66, "seven", "hold", "cancel", "seven")


@pytest.mark.parametrize("daemon", [True, False])
def test_a_held_job_is_named_by_its_own_id_too(bakery, daemon):
    bakery.ctl("customer", "add", "1002", "--name", "Another Bakery")
    for number in ("1001", "1002"):
        bakery.ctl("suspend", number, "--note", "Rebuilding")
    bakery.start_daemon()
    for number, job in (("r1", "north/7"), ("r2", "4711"), ("r3", "twice")):
        bakery.xadd("jobs:requests", id=number, type="job.dispatch", job=job, customer="1001")
    bakery.xadd("jobs:requests", id="r4", type="job.dispatch", job="twice", customer="1002")
    bakery.outcomes(wait_for={"status": "held"}, count=4)
    if not daemon:
        bakery.daemon.stop()
    ids = {row["job"]: row["id"] for row in bakery.ctl_json("hold", "list")}
    assert bakery.ctl_json("hold", "release", "north/7") == {"id": ids["north/7"]}
    assert str(ids["4711"]) in bakery.ctl("hold", "cancel", "4711").stdout
    refused(bakery, 65, "more than once", "hold", "release", "twice")
    refused(bakery, 66, "4711", "hold", "release", "4711")
    if not daemon:
        bakery.start_daemon()
    bakery.outcomes(wait_for={"status": "released", "job": "north/7"})
    bakery.outcomes(wait_for={"status": "cancelled", "job": "4711"})
