# SPDX-License-Identifier: MIT
"""A cluster gets a new version whose migration changes both databases, the standby first, as the manual says it.

The new version's programs are built beside today's, with a further migration (tests/next).
"""
import contextlib
import sqlite3
import subprocess

import cluster
import pytest
from center import Center
from world import BUILD, wait_until

NEXT = BUILD / "next"


@pytest.fixture
def pair():
    """An owner with a customer, and a standby that was seeded, both of today's version."""
    with cluster.start("a", "b") as (a, b):
        a.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com")
        a.start_daemon()
        a.wait_role("owner")
        b.seed_from(a)
        b.start_daemon()
        b.wait_role("standby")
        yield a, b


def query(machine, name, sql):
    with contextlib.closing(sqlite3.connect(f"file:{machine.path(name)}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchone()[0]


def versions(machine):
    return query(machine, "spool.db", "PRAGMA user_version"), query(machine, "customers.db", "PRAGMA user_version")


def customers(machine):
    """What the office has, without the search index and what each machine has of its own."""
    with contextlib.closing(sqlite3.connect(f"file:{machine.path('customers.db')}?mode=ro", uri=True)) as db:
        names = [n for n, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
                                        "AND name NOT LIKE 'search%' AND name NOT IN ('cluster', 'cluster_change')")]
        return {n: sorted(db.execute(f"SELECT * FROM {n}").fetchall(), key=repr) for n in names}


def publish(machine, first, n):
    for i in range(first, first + n):
        machine.xadd(id=str(i), type="job.completed", job=f"j{i}", customer="1001")


def wait_equal(a, b):
    wait_until(lambda: a.position() == b.position() and a.tables() == b.tables() and customers(a) == customers(b),
               lambda: f"equal databases: {a.position()} {b.position()} {a.log_tail()} {b.log_tail()}", timeout=20)


def upgrade(machine):
    machine.programs = NEXT
    return machine.start_daemon()


def test_the_standby_is_upgraded_first(pair):
    a, b = pair
    old = versions(a)
    new = tuple(n + 1 for n in old)
    publish(a, 1, 5)
    a.outcomes({"status": "sent"}, 5)

    # It follows the owner's old schema, and the tools leave it at that.
    b.daemon.stop()
    b.programs = NEXT
    checked = subprocess.run([str(NEXT / "dispatchd"), "-t", "-c", b.config_path], capture_output=True, text=True, check=False,
                             env=b.environment())
    assert checked.returncode == 0, checked.stderr
    upgrade(b)
    b.wait_role("standby")
    publish(a, 6, 5)
    a.ctl("customer", "set", "1001", "--phone", "555 0100")
    a.outcomes({"status": "sent"}, 10)
    wait_equal(a, b)
    assert versions(b) == old
    done = b.ctl("customer", "show", "1001", check=False)
    assert done.returncode == 75 and f"schema {old[1]}" in done.stderr and "look on its owner" in done.stderr
    assert b.ctl_json("status")["cluster"]["role"] == "standby"
    assert versions(b) == old

    # It takes over, and migrates. The old program says what to do.
    a.daemon.stop()
    b.wait_role("owner")
    assert versions(b) == new
    b.daemon.wait_log(f"migrated the cluster's databases spool={new[0]} customers={new[1]}")
    publish(a, 11, 5)
    b.ctl("customer", "set", "1001", "--phone", "555 0101")
    b.outcomes({"status": "sent"}, 15)
    assert query(b, "spool.db", "SELECT count(*) FROM mail WHERE next = 2 * id") == 5
    a.start_daemon()
    a.wait_role("joining")
    wait_until(lambda: "upgrade dispatchd on this machine" in a.http("/readyz")[2], lambda: a.http("/readyz"))
    assert "upgrade dispatchd on this machine" in " ".join(a.ctl("status", check=False).stdout.split())
    assert versions(a) == old

    # It is upgraded, too, and follows; and then it is the owner.
    a.daemon.stop()
    upgrade(a)
    a.wait_role("standby")
    wait_equal(a, b)
    assert versions(a) == new
    b.daemon.stop()
    a.wait_role("owner")
    publish(a, 16, 5)
    a.ctl("customer", "set", "1001", "--phone", "555 0102")
    a.outcomes({"status": "sent"}, 20)
    b.start_daemon()
    b.wait_role("standby")
    wait_equal(a, b)
    assert len(a.mails()) == 20
    assert b.ctl_json("customer", "show", "1001")["phone"] == "555 0102"


def test_the_center_waits_for_the_takeover(pair):
    a, b = pair
    old = versions(a)
    b.daemon.stop()
    upgrade(b)
    b.wait_role("standby")
    center = Center(b)
    center.add("anna")
    anna = center.start().bearer("anna")
    answer = anna.get("/api/v1/customers/1001")
    assert answer.status == 503, answer.text
    assert versions(b) == old
    a.daemon.stop()
    b.wait_role("owner")
    answer = anna.get("/api/v1/customers/1001")
    assert answer.status == 200 and answer.json["name"] == "Example Farm"
    center.stop()


def test_a_seed_stays_of_the_owners_schema(pair):
    a, b = pair
    old = versions(a)
    b.daemon.stop()
    b.programs = NEXT
    publish(a, 1, 3)
    a.outcomes({"status": "sent"}, 3)
    b.seed_from(a)
    assert versions(b) == old
    b.start_daemon()
    b.wait_role("standby")
    publish(a, 4, 3)
    a.outcomes({"status": "sent"}, 6)
    wait_equal(a, b)
    a.daemon.kill()
    b.wait_role("owner")
    assert versions(b) == tuple(n + 1 for n in old)
