# SPDX-License-Identifier: MIT
"""A mistyped path leads to a file that isn't ours: whoever looks at it, it stays as it was, byte for byte."""
import os
import sqlite3
import subprocess

import pytest

from kit import add_customer, dispatchd
from world import BUILD, wait_until

NAMES = ("customers", "spool")
SHORT = (["customer", "list"], ["customer", "add", "7", "--name", "x"], ["status"], ["mail", "list"],
         ["mail", "retry", "1"], ["check"], ["search", "x"])


def state_of(folder):
    """Everything in the folder: bytes, time of the last change, mode."""
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            found[name] = (file.read(), os.stat(path).st_mtime_ns, os.stat(path).st_mode)
    return found


def bookmarks(path, journal="DELETE"):
    """Another program's database; a connection that has it open."""
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA journal_mode = {journal}")
    db.executescript("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('http://example.com/');")
    return db


def commands(world):
    """All of dispatchctl's commands, with something for each argument that has to be there."""
    listed = subprocess.run([f"{BUILD}/dispatchctl", "--list-commands"], capture_output=True, text=True,
                            check=True).stdout.splitlines()
    fill = {"NUMBER": "1001", "ID": "1", "WEEKDAYS": "mon", "WINDOWS": "08:00-17:00", "DAY": "2026-12-24",
            "FILE": world.path("rows.csv")}
    for line in listed:
        words, args = line.split("\t")[:2]
        needed = [a for a in args.split() if not a.startswith("[") and not a.endswith("]")]
        yield [*words.split(), *(fill.get(a, "x") for a in needed)]


@pytest.fixture
def elsewhere(world):
    folder = world.path("elsewhere")
    os.mkdir(folder)
    with open(world.path("rows.csv"), "w", encoding="utf-8") as file:
        file.write("number,name\n1,x\n")
    return folder


def look_at(world, folder, name, code, fault, all_of=SHORT):
    """Every program comes by; those that need the file name it."""
    world.configure({name: {"path": os.path.join(folder, f"{name}.db")}})
    before = state_of(folder)
    for args in (["-t"], []):
        done = dispatchd(world, *args, "-c", world.config_path)
        assert done.returncode == code and fault in done.stderr, (args, done)
        assert state_of(folder) == before, args
    for args in all_of:
        done = world.ctl(*args, check=False, stdin="")
        assert done.returncode not in (70, -6, -11), (args, done)
        assert state_of(folder) == before, args
    return before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_another_programs_database_is_left_alone(world, elsewhere, name, journal):
    db = bookmarks(os.path.join(elsewhere, f"{name}.db"), journal)
    try:
        look_at(world, elsewhere, name, 65, "but not dispatchd's")
    finally:
        db.close()
    look_at(world, elsewhere, name, 65, "but not dispatchd's")


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_no_command_touches_another_programs_database(world, elsewhere, name):
    bookmarks(os.path.join(elsewhere, f"{name}.db")).close()
    look_at(world, elsewhere, name, 65, "but not dispatchd's", commands(world))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"no database at all\n", b"\0" * 8192, b"SQLite format 3\0", b"x"])
def test_what_is_no_database_is_left_alone(world, elsewhere, name, content):
    with open(os.path.join(elsewhere, f"{name}.db"), "wb") as file:
        file.write(content)
    look_at(world, elsewhere, name, 65, f"{name}.db")


@pytest.mark.parametrize("name", NAMES)
def test_the_other_of_the_two_is_left_alone(world, elsewhere, name):
    other = [n for n in NAMES if n != name][0]
    add_customer(world)
    world.start_daemon()
    assert world.daemon.stop() == 0
    os.rename(world.path(f"{other}.db"), os.path.join(elsewhere, f"{name}.db"))
    look_at(world, elsewhere, name, 65, f"is dispatchd's {other}.db")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["file", "wal"])
def test_a_newer_ones_database_is_left_alone(world, elsewhere, name, where):
    """Also where its version has only come as far as the -wal."""
    add_customer(world)
    world.start_daemon()
    assert world.daemon.stop() == 0
    os.rename(world.path(f"{name}.db"), os.path.join(elsewhere, f"{name}.db"))
    db = sqlite3.connect(os.path.join(elsewhere, f"{name}.db"), isolation_level=None)
    if where == "file":
        db.execute("PRAGMA journal_mode = DELETE")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("PRAGMA user_version = 99")
    try:
        look_at(world, elsewhere, name, 78, "newer dispatchd: its schema is 99")
    finally:
        db.close()


@pytest.mark.parametrize("name", NAMES)
def test_who_only_reads_leaves_an_empty_file_empty(world, elsewhere, name):
    path = os.path.join(elsewhere, f"{name}.db")
    with open(path, "wb"):
        pass
    before = state_of(elsewhere)
    world.configure({name: {"path": path}})
    assert dispatchd(world, "-t", "-c", world.config_path).returncode == 0
    for args in (["customer", "list"], ["status"], ["mail", "list"], ["check"]):
        world.ctl(*args, check=False)
        assert state_of(elsewhere) == before, args
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    world.outcomes(wait_for={"status": "sent"})
    wait_until(lambda: os.path.getsize(path) > 0, "the database")
