# SPDX-License-Identifier: MIT
"""`dispatchctl backup` and `restore` on the real daemon: all of it, at one instant, while it runs; and back."""
import contextlib
import io
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import tarfile
import threading

import pytest

from kit import add_customer, as_user, message, reachable, wait_outcome
from smtp_peer import make_certificate
from world import BUILD, wait_until


@pytest.fixture
def office(world):
    """A world with everything that a backup has."""
    add_customer(world)
    with open(world.path("plan.txt"), "w", encoding="utf-8") as file:
        file.write("the gate is behind the barn\n")
    world.ctl("document", "add", "1001", world.path("plan.txt"), "--description", "plan")
    world.configure(center={"path": world.path("center.db")}, customers={"key_file": world.path("secret.key")})
    with open(world.path("secret.key"), "w", encoding="utf-8") as file:
        file.write("00" * 32 + "\n")
    os.chmod(world.path("secret.key"), 0o600)
    with open(world.path("templates", "completed.txt"), "w", encoding="utf-8") as file:
        file.write("Subject: done {{job.id}}\n\ndone\n")
    subprocess.run([BUILD / "dispatch-center", "-c", world.config_path, "user", "add", "ann", "--role", "clerk"],
                   check=True, capture_output=True, env=world.environment())
    return world


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder)
                  for at, _, names in os.walk(folder) for name in names)


def empty(world):
    """As on a new machine."""
    for name in os.listdir(world.directory):
        if name.startswith(("spool.db", "customers.db", "center.db")):
            os.unlink(world.path(name))
    shutil.rmtree(world.path("files"))


def test_all_of_it(office):
    office.start_daemon()
    office.xadd(id="1", type="job.completed", job="4711", customer="1001")
    wait_outcome(office, "1", "sent")
    target = office.path("backup")
    done = json.loads(office.ctl("--json", "backup", target).stdout)
    assert done["keys"] == [{"key": "customers.key_file", "path": office.path("secret.key")}]
    found = files_below(target)
    assert [f for f in found if not f.startswith("files/")] == [
        "center.db", "config/dispatchd.conf", "config/templates/completed.txt", "customers.db", "manifest.json",
        "spool.db"]
    assert len(found) == 7 and done["files"] == 6
    assert "secret.key" not in " ".join(found)
    assert stat.S_IMODE(os.stat(target).st_mode) == 0o700
    assert all(stat.S_IMODE(os.stat(os.path.join(target, f)).st_mode) == 0o600 for f in found)
    with contextlib.closing(sqlite3.connect(f"file:{target}/spool.db?immutable=1", uri=True)) as spool:
        assert spool.execute("SELECT count(*) FROM mail WHERE status = 'sent'").fetchone() == (1,)
    refused = office.ctl("backup", target, check=False)
    assert refused.returncode == 65 and "isn't empty" in refused.stderr
    assert files_below(target) == found


def test_back_on_a_new_machine(office):
    office.start_daemon()
    office.xadd(id="1", type="job.completed", job="4711", customer="1001")
    wait_outcome(office, "1", "sent")
    office.ctl("mail", "pause")
    office.xadd(id="2", type="job.completed", job="4712", customer="1001")
    wait_outcome(office, "2", "queued")
    office.ctl("backup", office.path("backup"))
    office.ctl("mail", "resume")
    wait_outcome(office, "2", "sent")
    running = office.ctl("restore", "--force", office.path("backup"), check=False)
    assert running.returncode == 75 and "is running" in running.stderr
    office.daemon.stop()
    empty(office)
    done = office.ctl("restore", office.path("backup"))
    key = office.path("secret.key")
    assert "sending is paused" in done.stdout and f"in the backup, but in its place: {key}" in done.stdout
    assert office.ctl_json("customer", "show", "1001")["name"] == "Example Farm"
    document = office.ctl_json("document", "list", "1001")[0]
    office.ctl("document", "fetch", str(document["id"]), office.path("fetched"))
    with open(office.path("fetched"), encoding="utf-8") as file:
        assert file.read() == "the gate is behind the barn\n"
    assert [m["status"] for m in office.ctl_json("mail", "list")].count("queued") == 1
    assert "sending has been paused since" in office.ctl("status").stdout
    office.configure(customers={"key_file": office.path("elsewhere.key")})
    done = office.ctl("restore", "--force", office.path("backup"))
    assert f"put the old {key} (customers.key_file) in its place, {office.path('elsewhere.key')}, before" in done.stdout
    office.configure(customers={"key_file": key})
    users = subprocess.run([BUILD / "dispatch-center", "-c", office.config_path, "user", "list"], check=True,
                           capture_output=True, text=True, env=office.environment()).stdout
    assert "ann" in users
    office.start_daemon()
    assert office.ctl_json("status")["paused"]["note"].startswith("restored from the backup of")
    office.ctl("mail", "resume")
    wait_until(lambda: len(office.mails()) == 3, "the mail that waited then, once more")
    ids = [message(m)["Message-ID"] for m in office.mails()]
    assert len(set(ids)) == 2, "which has the same Message-ID"


def test_no_id_is_given_twice(office):
    office.start_daemon()
    office.ctl("backup", office.path("backup"))
    office.xadd(id="1", type="job.completed", job="4711", customer="1001")
    wait_outcome(office, "1", "sent")
    office.ctl("contact", "add", "1001", "--name", "Ann", "--email", "ann@example.com")
    before = {o["id"] for o in office.outcomes()}
    mails = {m["id"] for m in office.ctl_json("mail", "list")}
    contacts = {c["id"] for c in office.ctl_json("customer", "show", "1001")["contacts"]}
    office.daemon.stop()
    office.ctl("restore", "--force", office.path("backup"))
    office.start_daemon()
    office.ctl("mail", "resume")
    office.xadd(id="2", type="job.completed", job="4712", customer="1001")
    wait_outcome(office, "2", "sent")
    office.ctl("contact", "add", "1001", "--name", "Bob", "--email", "bob@example.com")
    bob = next(c for c in office.ctl_json("customer", "show", "1001")["contacts"] if c["name"] == "Bob")
    assert bob["id"] not in contacts
    assert not {m["id"] for m in office.ctl_json("mail", "list")} & mails
    ids = [o["id"] for o in office.outcomes() if o["event"] == "2"]
    assert ids and not set(ids) & before


def test_as_a_stream(office):
    made = subprocess.run(
        [BUILD / "dispatchctl", "-c", office.config_path, "backup", "-"], capture_output=True, check=True,
        env=office.environment())
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as tar:
        names = tar.getnames()
        assert names[-1] == "manifest.json" and "customers.db" in names
        assert all(m.isfile() and m.mode == 0o600 for m in tar.getmembers())
    empty(office)
    subprocess.run([BUILD / "dispatchctl", "-c", office.config_path, "restore", "-"], input=made.stdout, check=True,
                   capture_output=True, env=office.environment())
    assert office.ctl_json("customer", "show", "1001")["name"] == "Example Farm"
    cut = subprocess.run([BUILD / "dispatchctl", "-c", office.config_path, "restore", "--force", "-"],
                         input=made.stdout[:-2000], capture_output=True, env=office.environment())
    assert cut.returncode in (65, 66) and office.ctl_json("customer", "show", "1001")["name"] == "Example Farm"


def hostile_tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize("name, kind, target", [
    ("../escaped", tarfile.REGTYPE, ""), ("/tmp/escaped", tarfile.REGTYPE, ""),
    ("files/../../escaped", tarfile.REGTYPE, ""), ("config/.hidden", tarfile.REGTYPE, ""),
    ("spool.db", tarfile.SYMTYPE, "/etc/passwd"), ("customers.db", tarfile.LNKTYPE, "/etc/passwd"),
    ("center.db", tarfile.FIFOTYPE, ""), ("spool.db-wal", tarfile.REGTYPE, "")])
def test_a_hostile_tar(office, name, kind, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    before = files_below(office.directory)
    done = subprocess.run([BUILD / "dispatchctl", "-c", office.config_path, "restore", "--force", "-"],
                          input=hostile_tar([(info, b"")]), capture_output=True, text=False, env=office.environment())
    assert done.returncode == 65 and b"is no file of a backup" in done.stderr
    assert files_below(office.directory) == before


def test_what_is_there_is_put_aside_only_when_asked(office):
    office.ctl("backup", office.path("backup"))
    add_customer(office, "1002")
    refused = office.ctl("restore", office.path("backup"), check=False)
    assert refused.returncode == 65 and "--force" in refused.stderr
    assert office.ctl("customer", "show", "1002", check=False).returncode == 0
    office.ctl("restore", "--force", office.path("backup"))
    assert office.ctl("customer", "show", "1002", check=False).returncode != 0
    with contextlib.closing(sqlite3.connect(office.path("customers.db.before-restore"))) as old:
        assert old.execute("SELECT count(*) FROM customer").fetchone() == (2,)
    again = office.ctl("restore", "--force", office.path("backup"), check=False)
    assert again.returncode == 65 and "of an earlier restore" in again.stderr


def test_a_stale_wal_is_in_the_way(office):
    office.ctl("backup", office.path("backup"))
    empty(office)
    with open(office.path("customers.db-wal"), "wb") as file:
        file.write(b"of another one")
    refused = office.ctl("restore", office.path("backup"), check=False)
    assert refused.returncode == 65 and "customers.db-wal" in refused.stderr
    assert not os.path.exists(office.path("spool.db"))


@pytest.mark.parametrize("name", ["customers.db", "spool.db", "manifest.json"])
def test_a_backup_that_changed_is_refused(office, name):
    target = office.path("backup")
    office.ctl("backup", target)
    with open(os.path.join(target, name), "r+b") as file:
        file.seek(100)
        file.write(b"\xff\xff")
    refused = office.ctl("restore", "--force", target, check=False)
    assert refused.returncode == 65, refused.stderr
    assert name in refused.stderr
    assert not [f for f in files_below(office.directory) if "restor" in f]


def test_one_that_was_not_finished_is_refused(office):
    target = office.path("backup")
    office.ctl("backup", target)
    os.unlink(os.path.join(target, "manifest.json"))
    refused = office.ctl("restore", "--force", target, check=False)
    assert refused.returncode == 66 and "wasn't finished" in refused.stderr


def test_a_backup_that_is_not_there_is_missing_input(office):
    refused = office.ctl("restore", "--force", office.path("mistyped"), check=False)
    assert refused.returncode == 66 and "there is no folder" in refused.stderr


def test_nothing_to_back_up(world):
    refused = world.ctl("backup", world.path("backup"), check=False)
    assert refused.returncode == 66


def test_both_databases_are_of_one_instant(office):
    """The office writes all the time, and the daemon decides by what it wrote: no decision of the copy is about a
    customer whom the copy doesn't have."""
    office.start_daemon()
    stop = threading.Event()
    numbers = []

    def write():
        n = 2000
        while not stop.is_set():
            n += 1
            office.ctl("customer", "add", str(n), "--name", f"Customer {n}", "--email", f"c{n}@example.com")
            office.redis.xadd("jobs:events", {"id": f"e{n}", "type": "job.completed", "job": f"j{n}",
                                              "customer": str(n)})
            numbers.append(n)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(3):
            wait_until(lambda n=n: len(numbers) > 5 * n, "some customers")
            target = office.path(f"backup{n}")
            office.ctl("backup", target)
            with contextlib.closing(sqlite3.connect(f"file:{target}/customers.db?immutable=1", uri=True)) as copy:
                known = {number for number, in copy.execute("SELECT number FROM customer")}
            with contextlib.closing(sqlite3.connect(f"file:{target}/spool.db?immutable=1", uri=True)) as copy:
                decided = {number for number, in copy.execute("SELECT customer FROM job")}
            assert decided <= known
    finally:
        stop.set()
        writer.join()


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user")
def test_root_backs_up_a_daemons_folder(office):
    reachable(office, "dispatchctl")
    for at, folders, names in os.walk(office.directory):
        for name in [*folders, *names]:
            os.chown(os.path.join(at, name), 65534, 65534)
    os.chown(office.directory, 65534, 65534)
    target = office.path("..", os.path.basename(office.directory) + "-backup")
    try:
        office.ctl("backup", target)
        assert os.stat(target).st_uid == 0
        empty(office)
        office.ctl("restore", target)
        for name in ("spool.db", "customers.db", "center.db"):
            assert os.stat(office.path(name)).st_uid == 65534, name
        refused = as_user(office, "dispatchctl", "backup", office.path("mine"), user="daemon")
        assert refused.returncode != 0 and not os.path.exists(office.path("mine", "manifest.json"))
    finally:
        shutil.rmtree(target, ignore_errors=True)


def test_it_names_each_file_with_a_secret_once(world):
    add_customer(world)
    world.configure(mail={"transport": "smtp"}, smtp={"tls": "none"})
    files = {}
    for name in ("first", "second"):
        files[name] = world.path(f"{name}.password")
        with open(os.open(files[name], os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write("secret\n")
    world.configure(sections={"smtp": {"user": "a", "password_file": files["first"]},
                              "smtp.one": {"relay": "127.0.0.1:2525"},
                              "smtp.two": {"relay": "127.0.0.1:2526", "user": "b", "password_file": files["second"]}})
    both = make_certificate(world.directory, None, ["localhost"], "center")
    os.chmod(both, 0o600)
    world.configure(center={"tls_cert": both, "tls_key": both}, redis={"password_file": files["first"]})
    keys = world.ctl_json("backup", world.path("backup"))["keys"]
    assert keys == [{"key": "center.tls_key", "path": both}, {"key": "redis.password_file", "path": files["first"]},
                    {"key": "smtp.two.password_file", "path": files["second"]}]
