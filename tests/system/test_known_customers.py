# SPDX-License-Identifier: MIT
"""The spool knows its customers.db: one that is missing, empty or another's is not used until it is back or adopted."""
import os
import shutil
import sqlite3
import time

import pytest

from kit import add_customer, as_user, dispatchd, needs_root, refused, wait_outcome
from world import ROOT, wait_until


def event(world, number, customer="1001"):
    world.xadd(id=str(number), type="job.completed", job=f"j{number}", customer=customer)


def path(world):
    return world.path("customers.db")


def set_aside(world):
    for ending in ("", "-wal", "-shm"):
        if os.path.exists(path(world) + ending):
            os.rename(path(world) + ending, world.path("aside.db") + ending)


def bring_back(world):
    for ending in ("-wal", "-shm"):
        if os.path.exists(world.path("aside.db") + ending):
            os.rename(world.path("aside.db") + ending, path(world) + ending)
    os.rename(world.path("aside.db"), path(world))


def put_in_place(world, new):
    """In one step, so that whoever looks sees the one or the other and never that there is none."""
    for ending in ("-wal", "-shm"):
        if os.path.exists(path(world) + ending):
            os.rename(path(world) + ending, world.path("aside.db") + ending)
    os.replace(new, path(world))


def other_database(world, name="other.db", number="2002"):
    """Made for itself, with a customer of its own."""
    world.configure(customers={"path": world.path(name)}, spool={"path": world.path("none", "spool.db")})
    os.makedirs(world.path("none"), exist_ok=True)
    add_customer(world, number, email="other@example.com")
    world.configure(customers={"path": path(world)}, spool={"path": world.path("spool.db")})
    return world.path(name)


@pytest.fixture
def known(world):
    """A spool that knows its customers.db; nothing runs, and no -wal is left."""
    add_customer(world)
    world.start_daemon()
    event(world, 1)
    wait_outcome(world, 1, "sent")
    assert world.daemon.stop() == 0
    assert not os.path.exists(path(world) + "-wal")
    return world


def waits(world, fault, number):
    """Not ready, with the reason in three places; an event is neither judged nor lost."""
    wait_until(lambda: world.http("/readyz")[0] == 503 and fault in world.http("/readyz")[2], f"not ready: {fault}", 15)
    assert world.http("/healthz")[0] == 200
    world.daemon.wait_log(fault)
    assert fault in world.ctl_json("status")["daemon_fault"]
    event(world, number)
    time.sleep(0.7)
    assert not [o for o in world.outcomes() if o.get("event") == str(number)], "events wait"


def goes_on(world, number):
    wait_outcome(world, number, "sent", timeout=20)
    wait_until(lambda: world.http("/readyz")[0] == 200, "ready again", 15)


MISSING, EMPTY, OTHER = "customers.db is missing", "customers.db is empty", "is not the database that the spool knows"


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("what", [MISSING, EMPTY, OTHER])
def test_what_is_not_known_is_not_used(known, what, running):
    """Taken away and another put there, while the daemon runs or before it starts; a copy comes back by itself."""
    new = other_database(known) if what == OTHER else known.path("empty.db")
    if what == EMPTY:
        with open(new, "wb"):
            pass
    shutil.copy(path(known), known.path("copy.db"))
    if running:
        known.start_daemon()
    if what == MISSING:
        set_aside(known)
    else:
        put_in_place(known, new)
    if not running:
        known.start_daemon(ready=False).wait_log("started version")
    waits(known, what, 2)
    assert os.path.exists(path(known)) == (what != MISSING), "nothing is made in its place"
    if what == EMPTY:
        assert os.path.getsize(path(known)) == 0
    for ending in ("-wal", "-shm"):
        if os.path.exists(path(known) + ending):
            os.remove(path(known) + ending)
    os.rename(known.path("copy.db"), path(known))
    goes_on(known, 2)
    assert not [o for o in known.outcomes() if o["status"] == "rejected"]
    assert known.daemon.stop() == 0


def test_stopped_while_it_is_missing(known):
    """It ends as it should, and the next start decides what was left."""
    set_aside(known)
    known.start_daemon(ready=False).wait_log("started version")
    waits(known, MISSING, 2)
    assert known.daemon.stop(25) == 0
    bring_back(known)
    known.start_daemon()
    goes_on(known, 2)


def test_a_backup_of_sqlite_is_the_same(known):
    with sqlite3.connect(path(known)) as source, sqlite3.connect(known.path("backup.db")) as target:
        source.backup(target)
    target.close()
    source.close()
    set_aside(known)
    os.rename(known.path("backup.db"), path(known))
    known.start_daemon()
    event(known, 2)
    goes_on(known, 2)
    known.ctl("customer", "set", "1001", "--phone", "303 555 0100")


def test_nothing_is_marked_or_made_in_its_place(known, smtp):
    """An address that a relay refused meanwhile is marked once the file is back."""
    smtp.answers["rcpt"] = lambda *_: time.sleep(2) or "550 5.1.1 no such user"
    known.start_daemon()
    event(known, 2)
    wait_outcome(known, 2, "queued")
    set_aside(known)
    wait_until(lambda: known.http("/readyz")[0] == 503, "not ready", 15)
    time.sleep(2.5)
    assert not os.path.exists(path(known))
    bring_back(known)
    wait_outcome(known, 2, "failed", "address_refused", timeout=20)
    wait_until(lambda: known.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"], "the mark", 15)


# ---- dispatchctl

@pytest.mark.parametrize("running", [True, False])
def test_no_command_makes_another(known, running, tmp_path):
    """Each says what is missing; nothing is made, nothing said of an empty database."""
    if running:
        known.start_daemon()
    set_aside(known)
    rows = tmp_path / "rows.csv"
    rows.write_text("number,name\n7,Seven\n")
    for args in (("customer", "add", "7", "--name", "Seven"), ("customer", "import", str(rows)),
                 ("customer", "set", "1001", "--phone", "303 555 0100"), ("suspend", "1001", "--note", "x"),
                 ("customer", "show", "1001"), ("customer", "list"), ("customer", "search", "farm"), ("check",)):
        refused(known, 66, MISSING, *args)
        assert not os.path.exists(path(known)), args
    with open(path(known), "wb"):
        pass
    refused(known, 66, EMPTY, "customer", "add", "7", "--name", "Seven")
    assert os.path.getsize(path(known)) == 0
    os.remove(path(known))
    bring_back(known)
    known.ctl("customer", "add", "7", "--name", "Seven")


def test_nothing_is_written_to_another(known):
    """It may be looked at, so that one sees which it is."""
    other = other_database(known)
    os.rename(other, path(known))
    refused(known, 65, OTHER, "customer", "set", "2002", "--phone", "303 555 0100")
    assert known.ctl_json("customer", "show", "2002")["number"] == "2002"
    refused(known, 65, OTHER, "dead", "retry", "--all")
    checked = dispatchd(known, "-t", "-c", known.config_path)
    assert checked.returncode == 65 and OTHER in checked.stderr
    os.remove(path(known))
    checked = dispatchd(known, "-t", "-c", known.config_path)
    assert checked.returncode == 66 and MISSING in checked.stderr


# ---- adopting

@pytest.mark.parametrize("running", [True, False])
def test_another_is_adopted(known, running):
    os.rename(other_database(known), path(known))
    if running:
        known.start_daemon(ready=False).wait_log("started version")
        waits(known, OTHER, 2)
    known.ctl("customer", "adopt")
    if not running:
        known.start_daemon()
        event(known, 2)
    wait_outcome(known, 2, "rejected", "unknown_customer", timeout=20)
    event(known, 3, "2002")
    goes_on(known, 3)
    known.ctl("customer", "set", "2002", "--phone", "303 555 0100")
    known.ctl("customer", "adopt")  # once more does no harm


@pytest.mark.parametrize("running", [True, False])
def test_an_empty_one_is_adopted_only_where_there_is_a_file(known, running):
    set_aside(known)
    if running:
        known.start_daemon(ready=False).wait_log("started version")
        waits(known, MISSING, 2)
    refused(known, 66, MISSING, "customer", "adopt")
    with open(path(known), "wb"):
        pass
    known.ctl("customer", "adopt")
    add_customer(known)
    if not running:
        known.start_daemon()
    event(known, 3)
    goes_on(known, 3)


def test_one_without_an_identity_gets_one(known):
    with sqlite3.connect(path(known)) as db:
        db.execute("DELETE FROM identity")
    db.close()
    refused(known, 65, OTHER, "customer", "set", "1001", "--phone", "303 555 0100")
    known.ctl("customer", "adopt")
    known.ctl("customer", "set", "1001", "--phone", "303 555 0100")
    known.start_daemon()
    event(known, 2)
    goes_on(known, 2)


@needs_root
def test_adopting_is_a_managers_work(known):
    os.chmod(known.directory, 0o777)
    for name in ("customers.db", "spool.db", "spool.db.lock", "dispatchd.conf"):
        os.chmod(known.path(name), 0o666)
    done = as_user(known, "dispatchctl", "-c", known.config_path, "customer", "adopt")
    assert done.returncode == 77 and "only a manager may do that" in done.stderr, done


# ---- older ones

def test_a_spool_that_knows_none_takes_the_first(known):
    with sqlite3.connect(known.path("spool.db")) as db:
        db.execute("DELETE FROM meta WHERE key = 'customers'")
    db.close()
    os.rename(other_database(known), path(known))
    known.start_daemon()
    event(known, 2, "2002")
    goes_on(known, 2)
    with sqlite3.connect(known.path("spool.db")) as db, sqlite3.connect(path(known)) as office:
        assert db.execute("SELECT value FROM meta WHERE key = 'customers'").fetchone() == \
            office.execute("SELECT id FROM identity").fetchone()
    db.close()
    office.close()


# ---- a backup beside an old -wal

STRAY = "stop dispatchd, move"


def restored(world, how):
    """Puts `backup.db` in the place of customers.db, with the -wal of the one before beside it."""
    if how == "cp":
        shutil.copy(world.path("backup.db"), path(world))
    elif how == "cp-new":
        os.remove(path(world))
        shutil.copy(world.path("backup.db"), path(world))
    else:
        os.rename(world.path("backup.db"), path(world))


@pytest.fixture
def backed_up(known):
    """With a backup from before the customer 1002, who is in the -wal of the daemon that runs."""
    shutil.copy(path(known), known.path("backup.db"))
    known.start_daemon()
    add_customer(known, "1002", email="later@example.com")
    event(known, 2, "1002")
    wait_outcome(known, 2, "sent")
    time.sleep(1.0)  # mtime
    assert os.path.getsize(path(known) + "-wal") > 0
    return known


@pytest.mark.parametrize("how", ["cp", "cp-new", "mv"])
@pytest.mark.parametrize("running", [True, False])
def test_a_backup_beside_an_old_wal(backed_up, how, running):
    """One sentence everywhere, that says what to do; done, the backup is what is there."""
    world = backed_up
    if not running:
        world.daemon.kill()
    restored(world, how)
    if not running:
        world.start_daemon(ready=False).wait_log("started version")
    waits(world, STRAY, 3)
    for args in (("customer", "show", "1002"), ("customer", "list"), ("customer", "set", "1001", "--city", "X"),
                 ("check",), ("customer", "adopt")):
        refused(world, 65, STRAY, *args)
    assert world.daemon.stop() == 0
    refused(world, 65, STRAY, "customer", "show", "1001")
    checked = dispatchd(world, "-t", "-c", world.config_path)
    assert checked.returncode == 65 and STRAY in checked.stderr
    for ending in ("-wal", "-shm"):
        os.rename(path(world) + ending, world.path("aside") + ending)
    refused(world, 66, "1002", "customer", "show", "1002")
    world.start_daemon()
    goes_on(world, 3)


def test_its_own_wal_is_none_of_another(known):
    """Killed at any time, checkpointed by others, with a clock that went back or a file that was touched."""
    for n in range(2, 8):
        known.start_daemon()
        add_customer(known, f"10{n:02}", email=f"c{n}@example.com")
        if n % 2:
            with sqlite3.connect(path(known)) as db:
                db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            db.close()
        event(known, n, f"10{n:02}")
        wait_outcome(known, n, "sent")
        if n % 3 == 0:
            os.utime(path(known) + "-wal", (1, 1))
        known.daemon.kill()
        known.ctl("customer", "set", "1001", "--city", f"City {n}")
    assert len(known.ctl_json("customer", "list")) == 7
    known.start_daemon()
    wait_until(lambda: known.http("/readyz")[0] == 200, "ready")


def test_a_whole_set_that_was_copied_is_used(backed_up):
    """All files of a killed one, on another disk: nothing is known of these, so nothing is wrong with them."""
    world = backed_up
    world.daemon.kill()
    os.mkdir(world.path("moved"))
    for name in ("customers.db-shm", "customers.db-wal", "customers.db", "spool.db", "spool.db-wal"):
        shutil.copy(world.path(name), world.path("moved", name))
    world.configure(customers={"path": world.path("moved", "customers.db")},
                    spool={"path": world.path("moved", "spool.db")})
    assert world.ctl_json("customer", "show", "1002")["number"] == "1002"
    world.start_daemon()
    event(world, 3, "1002")
    goes_on(world, 3)


def test_copies_of_an_older_one_agree(world):
    """Each brought up to date by itself; two that were made apart don't."""
    def identity(name, first_change):
        with sqlite3.connect(world.path(name)) as db:
            for version in range(1, 7):
                db.executescript((ROOT / "lib" / "records" / f"customers_{version}.sql").read_text(encoding="utf-8"))
            db.execute("INSERT INTO change (time, user, kind, record, action) VALUES (?, 'sam', 'customer', 1, 'add')",
                       (first_change,))
            db.execute("PRAGMA application_id = 1684239731")
            db.execute("PRAGMA user_version = 6")
        db.close()
        world.configure(customers={"path": world.path(name)})
        world.ctl("customer", "add", "1", "--name", "One")
        with sqlite3.connect(world.path(name)) as db:
            (found,) = db.execute("SELECT id FROM identity").fetchone()
        db.close()
        return found

    assert identity("one.db", 1750000000000) == identity("two.db", 1750000000000) != identity("three.db", 1750000000001)
