# SPDX-License-Identifier: MIT
"""What dispatchd stands on goes away and comes back: Redis, the relay, the disk, the office's database."""
import os
import resource
import sqlite3
import time

import pytest

from kit import add_customer, as_user, dispatchd, needs_root, wait_outcome
from smtp_peer import SmtpPeer
from world import wait_until


def event(world, number, state="completed", **more):
    world.xadd(id=str(number), type=f"job.{state}", job=more.pop("job", f"j{number}"), customer="1001", **more)


# ---- Redis

def test_mails_go_out_while_redis_is_away(world, smtp):
    """What was decided before is sent; its outcome is published once Redis is back, though empty."""
    add_customer(world)
    smtp.answers["body"] = lambda *_: time.sleep(1.0)
    world.start_daemon()
    event(world, 1)
    wait_outcome(world, 1, "queued")
    world.redis_server.stop()
    wait_until(lambda: len(smtp.mails) == 1, "the mail")
    world.daemon.wait_log("Redis connection lost")
    world.redis_server.start()
    world.outcomes_read = "-"
    sent = wait_outcome(world, 1, "sent", timeout=15)
    assert sent["attempts"] == "1"
    event(world, 2)
    wait_outcome(world, 2, "sent")
    assert len(smtp.mails) == 2


def test_deferred_mails_fall_due_while_redis_is_away(world, smtp):
    world.configure(notify={"group_wait": "1s"})
    add_customer(world)
    world.start_daemon()
    event(world, 1)
    wait_outcome(world, 1, "deferred")
    world.redis_server.stop()
    smtp.wait_mails(1)
    world.redis_server.start()
    world.outcomes_read = "-"
    wait_outcome(world, 1, "sent", timeout=15)


# ---- the relay

def test_relay_away_and_back(world):
    """Events go on being decided and superseded; nothing is counted; all is sent when it is back."""
    with SmtpPeer() as gone:
        port = gone.port
    world.configure(mail={"transport": "smtp"}, smtp={"relay": f"127.0.0.1:{port}", "tls": "none"})
    add_customer(world)
    world.start_daemon()
    event(world, "d", "dispatched", job="A")
    event(world, "s", "started", job="A")
    event(world, "c", "completed", job="A")
    for n in range(20):
        event(world, n)
    for n in range(20):
        wait_outcome(world, n, "queued")
    wait_outcome(world, "s", "superseded", "later_state")
    wait_outcome(world, "d", "superseded", "later_state")
    world.daemon.wait_log("relay")
    time.sleep(1.2)  # at least one more try
    assert not [o for o in world.outcomes() if o["status"] in ("retrying", "failed", "sent")]
    assert world.http("/readyz")[0] == 200, "a relay that is away stops only the mails"
    (relay,) = world.ctl_json("status")["relays"]
    assert relay["state"] == "down" and relay["reply"]
    assert relay["reply"] in world.ctl("status").stdout, "why it is down"
    with SmtpPeer(port=port) as back:
        world.cleanups.append(back.close)
        sent = world.outcomes(wait_for={"status": "sent"}, count=21, timeout=20)
        assert {o["attempts"] for o in sent} == {"1"}, "the relay's fault is not the mail's"
        assert len(back.mails) == 21
        assert world.daemon.stop() == 0
    log = world.daemon.log()
    assert sum(line.startswith("warning") and "relay" in line for line in log.splitlines()) <= 2, "logged once"


def test_the_second_relay_takes_over(world):
    with SmtpPeer() as gone:
        port = gone.port
    with SmtpPeer() as second:
        world.configure(mail={"transport": "smtp"}, smtp={"relay": f"127.0.0.1:{port}, {second.relay}", "tls": "none"})
        add_customer(world)
        world.start_daemon()
        event(world, 1)
        wait_outcome(world, 1, "sent")
        assert len(second.mails) == 1
        world.daemon.kill()


# ---- the office's database

def test_a_long_import_holds_no_turn(world, smtp):
    """customers.db is locked for writing: events are decided; an address refused is marked when it ends."""
    add_customer(world)
    world.start_daemon()
    event(world, 1)
    wait_outcome(world, 1, "sent")
    office = sqlite3.connect(world.path("customers.db"), isolation_level=None)
    try:
        office.execute("BEGIN IMMEDIATE")
        smtp.answers["rcpt"] = "550 5.1.1 no such user"
        event(world, 2)
        wait_outcome(world, 2, "failed", "address_refused", timeout=10)
        event(world, 3)
        wait_outcome(world, 3, "suppressed", "address_invalid", timeout=10)
        assert world.http("/healthz")[0] == 200
        # The mark itself has to wait. One who looks meanwhile sees what was there before.
        time.sleep(0.5)
        assert world.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"] is None
    finally:
        office.execute("ROLLBACK")
        office.close()
    wait_until(lambda: world.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"],
               "the mark in customers.db", 15)


def test_customers_db_may_be_absent(world):
    world.start_daemon()
    event(world, 1)
    wait_outcome(world, 1, "rejected", "unknown_customer")
    add_customer(world)
    event(world, 2)
    wait_outcome(world, 2, "sent")


# ---- the disk

def test_a_full_disk_is_waited_for(world, smtp):
    """No byte more may be written (RLIMIT_FSIZE): nothing is acknowledged, nothing sent, and it goes on after."""
    add_customer(world)
    world.start_daemon()
    event(world, 1)
    wait_outcome(world, 1, "sent")
    world.wait_idle()
    resource.prlimit(world.daemon.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    for n in range(10, 30):
        event(world, n)
    wait_until(lambda: world.http("/readyz")[0] == 503, "not ready", 10)
    assert world.http("/healthz")[0] == 200
    status = world.ctl_json("status")
    assert status["daemon"] == "up" and "spool.db" in status["daemon_fault"] and status["mails"]["sent"] == 1
    asked = world.ctl("mail", "retry", "1", check=False)
    assert asked.returncode == 74 and "spool.db" in asked.stderr, "who asks hears why, and nothing is done later"
    wait_until(lambda: world.metrics()["dispatchd_commit_faults_total"] > 1, "the faults to be counted")
    assert world.daemon.process.poll() is None
    assert len(world.outcomes()) == 2 and len(smtp.mails) == 1, "no effect before the commit"
    resource.prlimit(world.daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    world.outcomes(wait_for={"status": "sent"}, count=21, timeout=20)
    world.wait_idle()
    assert len(smtp.mails) == 21
    wait_until(lambda: world.http("/readyz")[0] == 200, "ready again", 10)
    assert world.daemon.stop() == 0


def test_a_full_disk_is_known_without_work(world):
    world.start_daemon()
    wait_until(lambda: world.http("/readyz")[0] == 200, "ready")
    resource.prlimit(world.daemon.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    wait_until(lambda: world.http("/readyz")[0] == 503, "not ready", 10)
    assert "spool" in world.http("/readyz")[2] and world.http("/healthz")[0] == 200
    resource.prlimit(world.daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_until(lambda: world.http("/readyz")[0] == 200, "ready again", 10)


def test_stopped_while_the_disk_is_full(world):
    """It ends all the same, and the next start decides what was left."""
    add_customer(world)
    world.start_daemon()
    event(world, 1)
    wait_outcome(world, 1, "sent")
    resource.prlimit(world.daemon.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    event(world, 2)
    wait_until(lambda: world.http("/readyz")[0] == 503, "not ready", 10)
    world.daemon.stop(25)
    world.start_daemon()
    wait_outcome(world, 2, "sent")


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))


def test_a_disk_that_is_full_at_the_start(world):
    """It waits, and starts once there is room."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    small_files()
    try:
        daemon = world.start_daemon(ready=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    daemon.wait_log("not started yet")
    assert "spool.db" in daemon.log() or "customers.db" in daemon.log()
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    daemon.wait_notified("READY=1", timeout=30)
    add_customer(world)
    event(world, 1)
    wait_outcome(world, 1, "queued")


# ---- databases as they are made

def test_new_databases_belong_to_their_folder(world):
    """Owner and group of the folder, mode 0660, whatever the umask says."""
    folder = world.path("state")
    os.mkdir(folder)
    if os.getuid() == 0:
        os.chown(folder, 1, 1)
    world.configure(customers={"path": f"{folder}/customers.db"}, spool={"path": f"{folder}/spool.db"})
    before = os.umask(0o077)
    try:
        add_customer(world)
        world.start_daemon()
    finally:
        os.umask(before)
    event(world, 1)
    wait_outcome(world, 1, "sent")
    for name in ("customers.db", "spool.db", "spool.db.lock", "spool.db-wal", "customers.db-wal"):
        if not name.endswith("-wal") or os.path.exists(f"{folder}/{name}"):
            found, of = os.stat(f"{folder}/{name}"), os.stat(folder)
            assert (found.st_uid, found.st_gid) == (of.st_uid, of.st_gid), name
            assert found.st_mode & 0o777 == 0o660, f"{name}: {found.st_mode:o}"


# ---- databases that are no good

def damaged(world, name):
    """Cut off in the middle, as after a crash of the disk itself."""
    path = world.path(name)
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        for at in range(4096, size - 4096, 8192):
            file.seek(at)
            file.write(os.urandom(4096))


@pytest.fixture
def filled(world):
    add_customer(world)
    world.start_daemon()
    for n in range(50):
        event(world, n, note="x" * 500)
    world.outcomes(wait_for={"status": "sent"}, count=50)
    assert world.daemon.stop() == 0
    return world


@pytest.mark.parametrize("name", ["spool.db", "customers.db"])
def test_a_damaged_database(filled, name):
    damaged(filled, name)
    for args in (["-t"], []):
        done = dispatchd(filled, *args, "-c", filled.config_path)
        assert done.returncode == 65, (args, done.returncode, done.stderr)
        assert name in done.stderr and len(done.stderr.splitlines()) <= 3, done.stderr
        assert "backup" in done.stderr and "RECOVERY in dispatchd(8)" in done.stderr, "what to do about it"


@pytest.mark.parametrize("name", ["spool.db", "customers.db"])
def test_one_damaged_page_is_found_by_a_check(filled, name):
    """A page that no start would read: the root of some index or table."""
    with sqlite3.connect(filled.path(name)) as db:
        row = "SELECT max(rootpage) FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'meta%'"
        page = db.execute(row).fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    with open(filled.path(name), "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    done = dispatchd(filled, "-t", "-c", filled.config_path)
    assert done.returncode == 65 and name in done.stderr and "RECOVERY" in done.stderr, done


@pytest.mark.parametrize("name", ["spool.db", "customers.db"])
def test_a_database_of_a_later_version(filled, name):
    other = sqlite3.connect(filled.path(name))
    version = other.execute("PRAGMA user_version").fetchone()[0]
    other.execute(f"PRAGMA user_version = {version + 50}")
    other.commit()
    other.close()
    done = dispatchd(filled, "-c", filled.config_path)
    assert done.returncode in (65, 78) and name in done.stderr, (done.returncode, done.stderr)
    assert str(version + 50) in done.stderr, done.stderr


@pytest.mark.parametrize("name", ["spool.db", "customers.db"])
def test_a_database_of_another_program(world, name):
    other = sqlite3.connect(world.path(name))
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.commit()
    other.close()
    done = dispatchd(world, "-c", world.config_path)
    assert done.returncode == 65 and name in done.stderr, (done.returncode, done.stderr)
    other = sqlite3.connect(world.path(name))
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)], "left as it was"
    other.close()


@pytest.mark.parametrize("section, key", [("spool", "path"), ("customers", "path")])
def test_paths_that_lead_nowhere(world, section, key):
    world.configure({section: {key: world.path("none", "file.db")}})
    for args in ([], ["-t"]):
        done = dispatchd(world, *args, "-c", world.config_path)
        assert done.returncode == 74, (args, done.returncode, done.stderr)
        assert world.path("none") in done.stderr
    assert f"[{section}] {key}: " in done.stderr
    os.mkdir(world.path("folder"))
    world.configure({section: {key: world.path("folder")}})
    done = dispatchd(world, "-c", world.config_path)
    assert done.returncode in (65, 66, 74, 78), (done.returncode, done.stderr)
    assert world.path("folder") in done.stderr


# ---- files that another user owns

@needs_root
def test_files_of_another_user(filled):
    """Run by the wrong user: each file is named, nothing is changed, exit status 77."""
    os.chmod(filled.directory, 0o755)
    os.chmod(filled.config_path, 0o644)
    assert as_user(filled, "dispatchd", "-V").returncode == 0
    for name in ("spool.db", "customers.db"):
        os.chmod(filled.path(name), 0o600)
    checked = as_user(filled, "dispatchd", "-t", "-c", filled.config_path)
    assert checked.returncode == 77
    assert filled.path("spool.db") in checked.stderr and filled.path("customers.db") in checked.stderr
    started = as_user(filled, "dispatchd", "-c", filled.config_path)
    assert started.returncode == 77 and "spool.db" in started.stderr
    os.chmod(filled.config_path, 0o600)
    refused = as_user(filled, "dispatchd", "-c", filled.config_path)
    assert refused.returncode == 77 and filled.config_path in refused.stderr
    filled.start_daemon()  # and who may goes on


def test_customer_data_removed_under_the_daemon(world):
    """Said at once; nothing is decided by data that is gone; with the file back all goes on."""
    add_customer(world)
    world.start_daemon()
    event(world, 1)
    wait_outcome(world, 1, "sent")
    wait_until(lambda: world.http("/readyz")[0] == 200, "ready")
    os.rename(world.path("customers.db"), world.path("aside"))
    wait_until(lambda: world.http("/readyz")[0] == 503, "not ready", 15)
    assert "customers.db is missing" in world.http("/readyz")[2]
    world.daemon.wait_log("customers.db is missing")
    assert "customers.db is missing" in world.ctl_json("status")["daemon_fault"]
    event(world, 2)
    time.sleep(0.5)
    assert not [o for o in world.outcomes() if o["event"] == "2"], "events wait"
    os.rename(world.path("aside"), world.path("customers.db"))
    wait_outcome(world, 2, "sent", timeout=20)
    wait_until(lambda: world.http("/readyz")[0] == 200, "ready again", 15)
