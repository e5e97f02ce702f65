# SPDX-License-Identifier: MIT
"""A customer gets another number: all that hangs on it stays with it, its jobs too."""

import os
import sqlite3

import pytest
from kit import add_customer, message, wait_outcome


@pytest.fixture
def farm(world):
    add_customer(world)
    world.start_daemon()
    world.xadd(id="e1", type="job.dispatched", job="4711", customer="1001")
    wait_outcome(world, "e1", "sent")
    return world


def states(world, number):
    return [(row["job"], row["state"]) for row in world.ctl_json("job", "list", "--customer", number)]


@pytest.mark.parametrize("daemon", [True, False])
def test_jobs_follow_at_once(farm, daemon):
    if not daemon:
        farm.daemon.stop()
    farm.ctl("customer", "set", "1001", "--number", "2001")
    assert states(farm, "2001") == states(farm, "1001") == [("4711", "dispatched")], "by either number"
    assert farm.ctl_json("job", "list")[0]["customer"] == "2001"
    assert farm.ctl_json("job", "show", "4711")["customer"] == "2001"
    assert farm.ctl_json("mail", "list")[0]["customer"] == "2001"


def test_the_next_event_goes_on_with_the_job(farm):
    first = message(farm.mails(count=1)[0])
    farm.ctl("customer", "set", "1001", "--number", "2001")
    farm.xadd(id="e2", type="job.dispatched", job="4711", customer="2001")
    wait_outcome(farm, "e2", "suppressed", "repeat")
    farm.xadd(id="e3", type="job.completed", job="4711", customer="2001")
    wait_outcome(farm, "e3", "sent")
    (job,) = farm.ctl_json("job", "list")
    assert (job["customer"], job["state"]) == ("2001", "completed")
    assert len(farm.ctl_json("job", "show", "4711")["events"]) == 3
    later = next(mail for mail in map(message, farm.mails(count=2)) if mail["Message-ID"] != first["Message-ID"])
    assert later["References"] == first["References"], "the mails of a job are one thread"


def test_a_change_without_dispatchctl_s_call_is_followed_within_a_second(farm):
    with sqlite3.connect(farm.path("customers.db")) as db:  # as the customer center will: by the data alone
        db.execute("UPDATE customer SET number = '2001' WHERE number = '1001'")
    farm.daemon.wait_log("renumbered customer=2001 was=1001 jobs=1")
    assert states(farm, "2001") == [("4711", "dispatched")]


def test_several_changes_while_no_daemon_runs_are_followed_in_order(farm):
    farm.daemon.stop()
    url = farm.settings["redis"]["url"]
    farm.configure(redis={"url": "nonsense"})  # dispatchctl can't be the engine with that
    farm.ctl("customer", "set", "1001", "--number", "2001")
    farm.ctl("customer", "add", "1001", "--name", "Another")
    farm.ctl("customer", "set", "2001", "--number", "3001")
    farm.ctl("customer", "set", "1001", "--number", "2001")
    farm.configure(redis={"url": url})
    farm.start_daemon()
    farm.xadd(id="e2", type="job.dispatched", job="4711", customer="3001")
    wait_outcome(farm, "e2", "suppressed", "repeat")
    assert states(farm, "2001") == []


def test_a_held_job_follows(farm):
    farm.ctl("suspend", "1001", "--note", "Rebuilding")
    farm.xadd("jobs:requests", id="r1", type="job.dispatch", job="8", customer="1001")
    farm.outcomes(wait_for={"status": "held", "job": "8"})
    farm.ctl("customer", "set", "1001", "--number", "2001")
    assert [row["customer"] for row in farm.ctl_json("hold", "list")] == ["2001"]
    farm.ctl("resume", "2001")
    farm.outcomes(wait_for={"status": "released", "job": "8", "customer": "2001"})


def test_a_job_of_the_same_id_under_the_new_number_becomes_one_with_it(farm):
    add_customer(farm, "2001")
    farm.xadd(id="f1", type="job.completed", job="4711", customer="2001", time="2020-01-01T00:00:00Z")
    wait_outcome(farm, "f1", "expired")
    farm.ctl("customer", "remove", "2001", "--yes")
    farm.ctl("customer", "set", "1001", "--number", "2001")
    assert states(farm, "2001") == [("4711", "dispatched")]
    assert len(farm.ctl_json("job", "show", "4711", "--customer", "2001")["events"]) == 2


def test_no_spool_is_made_for_it(world):
    add_customer(world)
    world.ctl("customer", "set", "1001", "--number", "2001")
    assert not os.path.exists(world.path("spool.db"))
