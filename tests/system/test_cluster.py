# SPDX-License-Identifier: MIT
"""A standby: it follows, takes over when the owner is gone, and nothing is lost or done twice."""
import resource
import signal
import time

import cluster
import pytest
from world import wait_until


@pytest.fixture
def pair():
    """An owner with a customer, and a standby that was seeded."""
    with cluster.start("a", "b") as (a, b):
        a.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com")
        a.start_daemon()
        a.wait_role("owner")
        b.seed_from(a)
        b.start_daemon()
        b.wait_role("standby")
        yield a, b


def publish(machine, first, n):
    for i in range(first, first + n):
        machine.xadd(id=str(i), type="job.completed", job=f"j{i}", customer="1001")


def wait_same(a, b):
    wait_until(lambda: a.position() == b.position(), lambda: f"the same position: {a.position()} {b.position()}")


def test_a_standby_follows_turn_by_turn(pair):
    a, b = pair
    publish(a, 1, 20)
    a.outcomes({"status": "sent"}, 20)
    a.wait_idle()
    wait_until(lambda: a.position()[0] == b.position()[0] and a.tables() == b.tables(), "equal spools")
    assert len(b.tables()["event"]) == 20


def test_it_takes_over_from_a_killed_owner(pair):
    a, b = pair
    publish(a, 1, 5)
    a.outcomes({"status": "sent"}, 5)
    a.daemon.kill()
    publish(a, 6, 5)
    b.wait_role("owner")
    b.outcomes({"status": "sent"}, 10, timeout=30)
    assert len(a.mails()) == 10
    # The former owner comes back and follows.
    a.start_daemon()
    a.wait_role("standby")
    publish(a, 11, 1)
    b.outcomes({"status": "sent"}, 11)
    wait_until(lambda: a.position() == b.position() and a.tables() == b.tables(), "equal spools")


def test_the_last_minute_is_published_again_by_a_new_owner(pair):
    """Redis may have lost what the former one published last, and nobody would know."""
    a, b = pair
    publish(a, 1, 3)
    before = {o["id"] for o in a.outcomes({"status": "sent"}, 3)}
    wait_until(lambda: a.position() == b.position(), "the same position")
    a.redis.delete("jobs:outcomes")
    a.daemon.kill()
    b.wait_role("owner")
    assert {o["id"] for o in b.outcomes({"status": "sent"}, 3)} == before


def test_an_owner_that_stops_gives_the_lease_back(pair):
    a, b = pair
    began = time.monotonic()
    assert a.daemon.stop() == 0
    b.wait_role("owner")
    assert b.redis.get("team:lease").endswith(" b"), time.monotonic() - began


def test_a_standby_answers_nothing_but_who_the_owner_is(pair):
    a, b = pair
    assert a.http("/readyz")[0] == 200
    status, _, body = b.http("/readyz")
    assert status == 503 and "ask a, which owns the cluster" in body
    assert b.http("/healthz")[0] == 200
    status, _, body = b.http("/v1/gate?customer=1001&type=job.create")
    assert status == 503 and "ask a" in body
    done = b.ctl("mail", "pause", check=False)
    assert done.returncode == 75 and "ask a, which owns the cluster" in done.stderr
    b.daemon.stop()
    done = b.ctl("mail", "pause", check=False)
    assert done.returncode == 75 and "make the change on its owner" in done.stderr


def test_an_owner_that_stood_still_is_fenced(pair):
    a, b = pair
    publish(a, 1, 3)
    a.outcomes({"status": "sent"}, 3)
    a.daemon.signal(signal.SIGSTOP)
    publish(a, 4, 3)
    b.wait_role("owner")
    b.outcomes({"status": "sent"}, 6, timeout=30)
    a.daemon.signal(signal.SIGCONT)
    a.wait_role("standby")
    publish(a, 7, 1)
    b.outcomes({"status": "sent"}, 7)
    wait_until(lambda: a.position() == b.position() and a.tables() == b.tables(), "equal spools")
    assert len(a.mails()) == 7
    assert "lease was lost" in a.daemon.log()


def test_the_office_works_on_the_owner_and_the_standby_follows(pair):
    a, b = pair
    a.ctl("customer", "add", "1002", "--name", "Second Farm", "--email", "second@example.com")
    a.ctl("customer", "set", "1001", "--phone", "555 0100")
    wait_until(lambda: "555 0100" in b.ctl("customer", "show", "1001").stdout, "the phone")
    assert "1002" in b.ctl("customer", "search", "second").stdout
    done = b.ctl("customer", "set", "1002", "--phone", "555 0101", check=False)
    assert done.returncode == 75 and " a" in done.stderr, done.stderr
    a.daemon.kill()
    # Nobody would hear of it: b is the owner soon.
    done = a.ctl("customer", "set", "1001", "--phone", "555 0102", check=False)
    assert done.returncode == 75 and "dispatchd doesn't run on this machine" in done.stderr, done.stderr
    b.wait_role("owner")
    b.ctl("customer", "set", "1002", "--phone", "555 0101")
    b.xadd(id="1", type="job.completed", job="1", customer="1002")
    b.outcomes({"status": "sent", "to": "second@example.com"})
    a.start_daemon()
    a.wait_role("standby")
    wait_until(lambda: "555 0101" in a.ctl("customer", "show", "1002").stdout, "the phone")


def test_an_owner_whose_disk_is_full_gives_up(pair):
    a, b = pair
    publish(a, 1, 3)
    a.outcomes({"status": "sent"}, 3)
    # The journal gets the next turn, the spool doesn't.
    before = resource.prlimit(a.daemon.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    publish(a, 4, 3)
    b.wait_role("owner")
    b.outcomes({"status": "sent"}, 6, timeout=30)
    resource.prlimit(a.daemon.pid, resource.RLIMIT_FSIZE, before)
    a.wait_role("standby", timeout=60)
    wait_until(lambda: a.position() == b.position() and a.tables() == b.tables(), "equal spools")
    assert len(a.mails()) == 6
