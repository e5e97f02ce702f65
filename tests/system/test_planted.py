# SPDX-License-Identifier: MIT
"""Whoever may write to a database can plant what our statements would run: it is named and not run."""
import sqlite3
import time

import pytest

from kit import add_customer, dispatchd, wait_outcome
from world import PATIENCE, wait_until

# Without end: each row that is added adds another.
ENDLESS = ("PRAGMA recursive_triggers = 1; CREATE TABLE own (n);"
           "CREATE TRIGGER trap AFTER UPDATE ON contact BEGIN INSERT INTO own WITH RECURSIVE c (n) AS "
           "(SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c; END")
PLANTED = {
    "trigger": (ENDLESS, '"trap"'),
    "view": ("CREATE VIEW trap AS SELECT * FROM customer", '"trap"'),
    "view in place of a table": (
        "DROP TRIGGER customer_renumbered; DROP TABLE renumbered; CREATE VIEW renumbered AS WITH RECURSIVE c (n) AS "
        "(SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n AS id, '1' AS before, '2' AS after FROM c",
        "renumbered"),
    "index": ("CREATE INDEX trap ON customer (hex(zeroblob(length(name))))", '"trap"'),
    "changed index": ("DROP INDEX contact_customer; CREATE INDEX contact_customer ON contact (name)",
                      '"contact_customer"'),
    "missing index": ("DROP INDEX contact_customer", '"contact_customer"'),
    "changed trigger": ("DROP TRIGGER contact_changed; CREATE TRIGGER contact_changed AFTER UPDATE ON contact "
                        "BEGIN SELECT 1; END", '"contact_changed"'),
    "column": ("ALTER TABLE contact ADD COLUMN trap TEXT AS (hex(zeroblob(100000)))", '"contact"'),
    "check": ("ALTER TABLE contact ADD COLUMN trap TEXT CHECK (length(hex(zeroblob(100000))) > 1)", '"contact"'),
    "foreign key": ("CREATE TABLE trap (customer INTEGER REFERENCES customer (id) ON DELETE RESTRICT)", '"trap"'),
    "virtual table": ("CREATE VIRTUAL TABLE trap USING fts5 (x)", '"trap"'),
    "trigger on the search": ("CREATE TRIGGER trap AFTER INSERT ON search_stale BEGIN DELETE FROM customer; END",
                              '"trap"'),
}


def plant(world, sql, name="customers.db"):
    db = sqlite3.connect(world.path(name), isolation_level=None, timeout=20)
    db.executescript(sql)
    db.close()


@pytest.mark.parametrize("kind", PLANTED)
def test_what_was_planted_is_named_at_the_opening(world, kind):
    sql, fault = PLANTED[kind]
    add_customer(world)
    plant(world, sql)
    for args in (["-t"], []):
        done = dispatchd(world, *args, "-c", world.config_path)
        assert done.returncode == 65 and fault in done.stderr, (args, done)
        assert "customers.db" in done.stderr
    for args in (["customer", "show", "1001"], ["contact", "set", "1", "--name", "x"], ["customer", "list"]):
        done = world.ctl(*args, check=False, timeout=20)
        assert done.returncode == 65 and fault in done.stderr, (args, done)


@pytest.mark.parametrize("sql", ["ANALYZE", "CREATE TABLE own (a TEXT UNIQUE, b); CREATE INDEX own_b ON own (b);"
                                 "INSERT INTO own VALUES (1, 2)"])
def test_an_offices_own_table_does_no_harm(world, sql):
    add_customer(world)
    plant(world, sql)
    world.start_daemon()
    plant(world, "CREATE TABLE later (a)")
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    wait_outcome(world, 1, "sent")
    world.ctl("customer", "set", "1001", "--name", "Other")
    assert world.http("/readyz")[0] == 200


def test_a_trigger_planted_in_the_spool(world):
    world.start_daemon()
    assert world.daemon.stop() == 0
    plant(world, "CREATE TRIGGER trap AFTER INSERT ON event BEGIN DELETE FROM outcome; END", "spool.db")
    for args in (["-t"], []):
        done = dispatchd(world, *args, "-c", world.config_path)
        assert done.returncode == 65 and '"trap"' in done.stderr and "spool.db" in done.stderr, (args, done)


def test_a_trigger_planted_while_it_runs(world, smtp):
    """Nothing of ours runs it; what is wrong is said, and a stop is one; without it all goes on."""
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    wait_outcome(world, 1, "sent")
    plant(world, ENDLESS)
    wait_until(lambda: world.http("/readyz")[0] == 503, "not ready", 15)
    assert '"trap"' in world.http("/readyz")[2] and world.http("/healthz")[0] == 200
    world.daemon.wait_log('"trap"')
    assert '"trap"' in world.ctl_json("status")["daemon_fault"]
    smtp.answers["rcpt"] = "550 5.1.1 no such user"
    world.xadd(id="2", type="job.completed", job="2", customer="1001")
    time.sleep(0.5)
    assert not [o for o in world.outcomes() if o["event"] == "2"], "events wait"
    plant(world, "DROP TRIGGER trap")
    wait_outcome(world, 2, "failed", "address_refused", timeout=20)
    wait_until(lambda: world.http("/readyz")[0] == 200, "ready again", 15)
    plant(world, ENDLESS.replace("CREATE TABLE own (n);", ""))
    wait_until(lambda: world.http("/readyz")[0] == 503, "not ready", 15)
    begun = time.monotonic()
    assert world.daemon.stop() == 0
    assert time.monotonic() - begun < 20 * PATIENCE
