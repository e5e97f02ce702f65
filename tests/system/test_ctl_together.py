# SPDX-License-Identifier: MIT
"""The office, an import and the daemon at once: who waits, who doesn't, and what each sees meanwhile."""

import fcntl
import json
import os
import sqlite3
import subprocess
import threading
import time

import pytest

from kit import wait_outcome
from world import BUILD, PATIENCE, wait_until

ROWS = 50000
A_SECOND = 2 * PATIENCE  # with what starting a program and asking Redis take on a busy machine


def big_file(world, name="big.csv"):
    with open(world.path(name), "w", encoding="utf-8") as file:
        file.write("number,name,city,email\n")
        file.writelines(f"{n},Example {n},Denver,c{n}@example.com\n" for n in range(100000, 100000 + ROWS))
    return world.path(name)


def is_locked(path):
    """Whether somebody holds the write lock."""
    with sqlite3.connect(path, timeout=0, isolation_level=None) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        db.execute("ROLLBACK")
    return False


def stays_locked(path):
    """For longer than the moment that opening or closing a database takes."""
    return all((time.sleep(0.02), is_locked(path))[1] for _ in range(25))


def start(world, *args, stdout=subprocess.PIPE):
    process = subprocess.Popen([str(BUILD / "dispatchctl"), "-c", world.config_path, *args], stdout=stdout,
                               stderr=subprocess.PIPE, text=True, env=world.environment())
    world.at_end(process.kill)
    return process


def test_a_dry_run_keeps_nobody_waiting(world):
    world.ctl("customer", "add", "1", "--name", "Small")
    process = start(world, "customer", "import", big_file(world), "--dry-run", stdout=subprocess.DEVNULL)
    met, slowest = 0, 0.0
    while process.poll() is None:
        assert not stays_locked(world.path("customers.db"))
        began = time.monotonic()
        done = world.ctl("customer", "set", "1", "--phone", f"303 555 {met:04}")
        slowest = max(slowest, time.monotonic() - began)
        assert done.stderr == ""
        met += 1
    assert process.returncode == 0 and met > 3
    assert slowest < A_SECOND, slowest
    assert len(world.ctl_json("customer", "list")) == 1
    assert not [name for name in os.listdir(world.directory) if "dry-run" in name]


def test_a_dry_run_makes_no_database(world):
    world.ctl("customer", "import", "-", "--format", "csv", "--dry-run", stdin="number,name\n1,X\n")
    assert not os.path.exists(world.path("customers.db"))


def test_the_daemon_goes_on_while_an_import_writes(world):
    """Events are decided with the old data; who changes a customer meanwhile waits with a message and gets through."""
    world.ctl("customer", "add", "1", "--name", "Small", "--email", "one@example.com")
    world.start_daemon()
    world.xadd(id="first", type="job.completed", job="first", customer="1")
    wait_outcome(world, "first", "sent")
    importing = start(world, "--json", "customer", "import", big_file(world))
    wait_until(lambda: is_locked(world.path("customers.db")) or importing.poll() is not None, "the import to write", 60)
    assert importing.poll() is None
    setting = [start(world, "customer", "set", "1", field, "set meanwhile") for field in ("--city", "--dba", "--region")]
    slowest, n = 0.0, 0
    while importing.poll() is None:
        began = time.monotonic()
        world.xadd(id=f"e{n}", type="job.completed", job=f"j{n}", customer="1")
        world.xadd(id=f"n{n}", type="job.completed", job=f"n{n}", customer="100000")
        outcome = wait_outcome(world, f"e{n}", "sent")
        if importing.poll() is None:
            slowest = max(slowest, time.monotonic() - began)
            assert outcome["to"] == "one@example.com"
        n += 1
        time.sleep(0.05)
    assert n > 2, "the import was over too soon to tell anything"
    assert slowest < A_SECOND, slowest
    out, err = importing.communicate(timeout=60)
    assert importing.returncode == 0 and json.loads(out)["added"] == ROWS, err
    for process in setting:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "locked" not in err
    one = world.ctl_json("customer", "show", "1")
    assert (one["city"], one["dba"], one["region"]) == ("set meanwhile",) * 3
    world.xadd(id="last", type="job.completed", job="last", customer="149999")
    assert wait_outcome(world, "last", "sent")["to"] == "c149999@example.com"
    assert "locked" not in world.daemon.log()


def test_writers_without_an_import_wait_for_nobody(world):
    """The office at its busiest: four at once, and a daemon that reads; each is through within a second or so."""
    world.ctl("customer", "add", "1", "--name", "Small", "--email", "one@example.com")
    world.start_daemon()
    took = []

    def clerk(i):
        for k in range(5):
            began = time.monotonic()
            done = world.ctl("note", "add", "1", f"note {i}.{k}", check=False)
            took.append((time.monotonic() - began, done.returncode, done.stderr))
    clerks = [threading.Thread(target=clerk, args=(i,)) for i in range(4)]
    for one in clerks:
        one.start()
    for n in range(20):
        world.xadd(id=f"e{n}", type="job.completed", job=f"j{n}", customer="1")
    for one in clerks:
        one.join()
    assert [code for _, code, _ in took] == [0] * 20
    assert not any(err for _, _, err in took), took
    assert max(took)[0] < A_SECOND, max(took)
    wait_outcome(world, "e19", "sent")
    assert len(world.ctl_json("customer", "show", "1")["notes"]) == 20


def test_changes_to_the_spool_without_a_daemon_wait_for_each_other(world):
    """Each is the engine for one turn: whoever comes while another is, waits."""
    processes = [start(world, "mail", "retry", "--all-failed") for _ in range(10)]
    for process in processes:
        assert process.wait(20 * PATIENCE) == 0, process.stderr.read()


@pytest.mark.long
def test_a_daemon_that_starts_waits_for_dispatchctl(world):
    world.ctl("mail", "retry", "--all-failed")
    with open(world.path("spool.db.lock"), "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        daemon = world.start_daemon(ready=False)
        change = start(world, "mail", "retry", "--all-failed")
        time.sleep(0.5)
        assert daemon.process.poll() is None and change.poll() is None
    daemon.wait_notified("READY=1")
    assert change.wait(20 * PATIENCE) == 0, change.stderr.read()


@pytest.mark.long
def test_an_engine_that_never_ends_is_told(world):
    world.ctl("mail", "retry", "--all-failed")
    with open(world.path("spool.db.lock"), "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = world.ctl("mail", "retry", "--all-failed", check=False)
        assert done.returncode == 75 and "spool.db.lock" in done.stderr
