# SPDX-License-Identifier: MIT
"""Others may write in the databases' folder: what a member of its group puts there is never done with root's or the
daemon's power, and nothing waits for it."""
import os
import stat
import subprocess
import sys

import pytest

from kit import add_customer, as_user, dispatchd, needs_root, write
from world import PATIENCE, wait_until

OWNER = 1  # Debian's user and group "daemon" stand for dispatchd's


@pytest.fixture
def shared(world):
    """The databases in a folder of their own, as tmpfiles makes it: where root runs the tests, another user's."""
    folder = world.path("state")
    os.mkdir(folder)
    if os.getuid() == 0:
        os.chown(folder, OWNER, OWNER)
    os.chmod(folder, 0o2770)
    os.chmod(world.directory, 0o755)
    world.configure(customers={"path": f"{folder}/customers.db"}, spool={"path": f"{folder}/spool.db"})
    world.state = lambda *parts: os.path.join(folder, *parts)
    return world


def member(world, code):
    """What a member of the folder's group does there: Python, in that folder."""
    done = subprocess.run([sys.executable, "-c", "import os\n" + code], cwd=world.state(), capture_output=True, text=True,
                          check=False, user="nobody" if os.getuid() == 0 else None,
                          extra_groups=[OWNER] if os.getuid() == 0 else None, timeout=20 * PATIENCE)
    assert done.returncode == 0, done.stderr


def refused(done, fault, code=77):
    assert done.returncode == code, done
    assert done.stdout == "" and fault in done.stderr, done


def letter(world, text="a letter\n"):
    return write(world, "private/letter.txt", text)


# ---- files of customers

def test_a_document_is_not_written_through_a_link(shared):
    victim = shared.path("victim")
    os.mkdir(victim)
    add_customer(shared)
    member(shared, f"os.symlink({victim!r}, 'files')")
    refused(shared.ctl("document", "add", "1001", letter(shared), "--description", "Letter", check=False), "found a symbolic link")
    assert os.listdir(victim) == [] and stat.S_IMODE(os.stat(victim).st_mode) & 0o022 == 0
    os.unlink(shared.state("files"))
    shared.ctl("document", "add", "1001", letter(shared), "--description", "Letter")
    for folder, names, files in os.walk(shared.state("files")):
        for name in (*names, *files):
            found, of = os.stat(os.path.join(folder, name)), os.stat(shared.state())
            assert (found.st_uid, found.st_gid) == (of.st_uid, of.st_gid), name


@pytest.mark.parametrize("made", ["os.symlink(SECRET, NAME)", "os.mkfifo(NAME)", "os.mkdir(NAME)",
                                  "open('x', 'w').close(); os.link('x', NAME)"],
                         ids=["link", "fifo", "folder", "hard-link"])
def test_a_document_is_not_read_from_what_was_put_in_its_place(shared, made):
    """Neither read nor waited for, and a fetch that fails leaves nothing."""
    secret = write(shared, "secret", "the relay's password\n")
    os.chmod(secret, 0o600)
    add_customer(shared)
    row = shared.ctl_json("document", "add", "1001", letter(shared), "--description", "Letter")
    shelf = shared.state("files", row["hash"][:2])
    place = os.path.join(shelf, row["hash"])
    os.unlink(place)
    member(shared, f"os.chdir({shelf!r})\n" + made.replace("SECRET", repr(secret)).replace("NAME", repr(row["hash"])))
    out = shared.path("out.txt")
    for target in ("-", out):
        done = shared.ctl("document", "fetch", row["id"], target, check=False)
        assert done.returncode in (65, 77) and done.stdout == "" and row["hash"] in done.stderr, done
    assert not os.path.exists(out)


def test_a_shelf_that_is_a_link(shared):
    victim = shared.path("victim")
    os.mkdir(victim)
    add_customer(shared)
    row = shared.ctl_json("document", "add", "1001", letter(shared), "--description", "Letter")
    shared.ctl("document", "remove", row["id"], "--yes")
    shelf = shared.state("files", row["hash"][:2])
    os.rmdir(shelf)
    os.symlink(victim, shelf)
    refused(shared.ctl("document", "add", "1001", letter(shared), "--description", "Letter", check=False), "found a symbolic link")
    assert os.listdir(victim) == []


# ---- databases and locks

@pytest.mark.parametrize("name", ["customers.db", "spool.db"])
@pytest.mark.parametrize("made, fault", [
    ("os.symlink(OTHER, NAME)", "found a symbolic link"),
    ("os.rename(OTHER, NAME); os.link(NAME, 'second')", "hard link"),
    ("os.mkfifo(NAME)", "found a FIFO"),
    ("os.rename(OTHER, NAME); os.symlink('/etc/passwd', NAME + '-wal')", "-wal: expected a regular file"),
    ("os.rename(OTHER, NAME); os.mkfifo(NAME + '-journal')", "-journal: expected a regular file"),
    ("os.rename(OTHER, NAME); os.mkfifo(NAME + '-shm')", "-shm: expected a regular file"),
], ids=["link", "hard-link", "fifo", "wal", "journal", "shm"])
def test_a_database_that_is_something_else(shared, name, made, fault):
    add_customer(shared)
    shared.start_daemon()
    assert shared.daemon.stop() == 0
    member(shared, f"os.rename({name!r}, 'other')\n" + made.replace("OTHER", "'other'").replace("NAME", repr(name)))
    command = ("customer", "set", "1001", "--city", "X") if name == "customers.db" else ("mail", "list")
    done = shared.ctl(*command, check=False)
    assert done.returncode in (65, 77) and fault in done.stderr and done.stdout == "", done
    for args in (("-t",), ()):
        done = dispatchd(shared, *args, "-c", shared.config_path)
        assert done.returncode in (65, 77) and fault in done.stderr, done


@needs_root
def test_a_members_rollback_journal_is_not_played(shared):
    """It could name any file for SQLite to delete."""
    add_customer(shared)
    member(shared, "open('customers.db-journal', 'w').write('x' * 600)")
    refused(shared.ctl("customer", "list", check=False), "-journal: refused: it belongs to another user")


@pytest.mark.parametrize("made, fault", [("os.mkfifo(NAME)", "found a FIFO"), ("os.symlink('x', NAME)", "symbolic link")],
                         ids=["fifo", "link"])
def test_a_lock_that_is_something_else(shared, made, fault):
    add_customer(shared)
    shared.start_daemon()
    assert shared.daemon.stop() == 0
    member(shared, "os.unlink('spool.db.lock')\n" + made.replace("NAME", "'spool.db.lock'"))
    for done in (shared.ctl("mail", "retry", "--all-failed", check=False), dispatchd(shared, "-c", shared.config_path)):
        assert done.returncode in (65, 77) and fault in done.stderr, done


def test_the_control_sockets_rights_are_set_on_the_socket_alone(shared):
    """A member puts links in its place as fast as that goes; what they point to keeps its mode."""
    target = write(shared, "target", "")
    os.chmod(target, 0o600)
    if os.getuid() == 0:
        os.chown(target, OWNER, OWNER)
    loop = f"""
import time
while True:
    try:
        os.unlink('control.sock')
        os.symlink({target!r}, 'control.sock')
    except OSError:
        pass
"""
    racer = subprocess.Popen([sys.executable, "-c", "import os\n" + loop], cwd=shared.state(),
                             user="nobody" if os.getuid() == 0 else None,
                             extra_groups=[OWNER] if os.getuid() == 0 else None)
    shared.at_end(lambda: (racer.kill(), racer.wait()))
    for _ in range(3):
        shared.start_daemon(ready=False)
        wait_until(lambda: shared.daemon.process.poll() is not None or "READY=1" in shared.daemon.notified(), "a start")
        shared.daemon.stop()
    assert stat.S_IMODE(os.stat(target).st_mode) == 0o600


# ---- root's work is the folder owner's

@needs_root
def test_root_works_as_the_owner_of_the_folder(shared):
    """What that user may not do isn't done; the author in the history is still root's login."""
    add_customer(shared)
    assert os.stat(shared.state("customers.db")).st_uid == OWNER
    assert shared.ctl_json("customer", "history", "1001")[0]["user"] == "root"
    os.chown(shared.state("customers.db"), 0, 0)
    os.chmod(shared.state("customers.db"), 0o600)
    for args in (("customer", "set", "1001", "--city", "X"), ("customer", "list")):
        refused(shared.ctl(*args, check=False), "Permission denied")


@needs_root
def test_what_the_person_names_is_opened_as_the_person(shared):
    """Root's own files and folders go in and out, though the folder's owner may not see them."""
    add_customer(shared)
    private = shared.path("private")
    paper = letter(shared)
    for path, mode in ((paper, 0o600), (private, 0o700)):
        os.chmod(path, mode)
    row = shared.ctl_json("document", "add", "1001", paper, "--description", "Letter")
    shared.ctl("document", "fetch", row["id"], f"{private}/back.txt")
    assert open(f"{private}/back.txt", encoding="utf-8").read() == "a letter\n"
    shared.ctl("customer", "export", f"{private}/all.csv")
    shared.ctl("document", "export", f"{private}/papers.jsonl")
    assert os.stat(f"{private}/all.csv").st_uid == 0
    content = f"{private}/papers.jsonl.files/{row['hash'][:2]}/{row['hash']}"
    assert open(content, encoding="utf-8").read() == "a letter\n"
    shared.ctl("customer", "import", f"{private}/all.csv")
    shared.ctl("customer", "import", "--dry-run", f"{private}/all.csv")
    shared.ctl("document", "remove", row["id"], "--yes")
    shared.ctl("document", "import", f"{private}/papers.jsonl")
    back = shared.ctl_json("document", "list", "1001")[0]["id"]
    assert shared.ctl("document", "fetch", back, "-").stdout == "a letter\n"
    batch = write(shared, "private/batch.jsonl", '{"at": "2026-11-02T12:00:00Z", "event": {"id": 1, "type": '
                                                 '"job.completed", "job": 1, "customer": 1001}}\n')
    os.chmod(batch, 0o600)
    assert '"status"' in shared.ctl("explain", "--batch", batch).stdout


@needs_root
def test_a_member_works_there_with_the_groups_rights(shared):
    add_customer(shared)
    os.chmod(shared.config_path, 0o644)
    paper = letter(shared)
    for args in (("customer", "set", "1001", "--city", "Boulder"), ("document", "add", "1001", paper, "--description", "Letter")):
        done = as_user(shared, "dispatchctl", "-c", shared.config_path, *args, groups=[OWNER])
        assert done.returncode == 0, done.stderr
    row = shared.ctl_json("document", "list", "1001")[0]
    assert shared.ctl("document", "fetch", row["id"], "-").stdout == "a letter\n", "root reads a colleague's"
    shared.ctl("document", "add", "1001", write(shared, "other.txt", "another\n"), "--description", "Other")


# ---- exports and mails

def test_an_export_is_not_written_through_a_link(shared):
    """Into a folder that others may write in, under a name that they can guess."""
    add_customer(shared)
    victim = write(shared, "victim", "keep me\n")
    os.chmod(victim, 0o666)
    member(shared, f"for name in ('all.csv', 'all.csv.new'): os.symlink({victim!r}, name)")
    shared.ctl("customer", "export", shared.state("all.csv"))
    assert open(victim, encoding="utf-8").read() == "keep me\n"
    assert not os.path.islink(shared.state("all.csv")) and "1001" in open(shared.state("all.csv"), encoding="utf-8").read()
    shared.ctl("document", "add", "1001", letter(shared), "--description", "Letter")
    member(shared, f"os.symlink({shared.directory!r}, 'papers.jsonl.files')")
    refused(shared.ctl("document", "export", shared.state("papers.jsonl"), check=False), "found a symbolic link")


def test_mails_are_not_written_through_a_link(shared):
    victim = shared.path("victim")
    os.mkdir(victim)
    os.mkdir(shared.path("mail"), 0o700)
    os.symlink(victim, shared.path("mail", "tmp"))
    add_customer(shared)
    shared.start_daemon()
    shared.xadd(id="1", type="job.completed", job="1", customer="1001")
    shared.daemon.wait_log("symbolic link")
    assert os.listdir(victim) == []
    os.unlink(shared.path("mail", "tmp"))
    shared.outcomes(wait_for={"status": "sent"}, timeout=30)


@needs_root
def test_a_daemon_wants_its_own_folder(shared):
    """A stranger who owns it could put anything in the place of anything."""
    os.chown(shared.state(), 12345, 12345)
    os.chmod(shared.state(), 0o777)
    os.chmod(shared.config_path, 0o644)
    done = as_user(shared, "dispatchd", "-c", shared.config_path)
    refused(done, "must belong to root or to the user that this runs as")


# ---- dispatchd -t by root

def check(world):
    return dispatchd(world, "-t", "-c", world.config_path)


@needs_root
def test_root_checks_as_the_owner_of_the_folder(shared):
    add_customer(shared)
    done = check(shared)
    assert done.returncode == 0 and "no fault found; checked as user daemon" in done.stdout, done
    password = write(shared, "redis.password", "secret\n")
    os.chmod(password, 0o600)
    shared.configure(redis={"password_file": password})
    done = check(shared)
    assert done.returncode == 77 and password in done.stderr and "checked as user daemon" in done.stderr, done
    os.chown(password, OWNER, OWNER)
    assert check(shared).returncode == 0
    os.chmod(shared.config_path, 0o600)
    done = check(shared)
    assert done.returncode == 77 and shared.config_path in done.stderr, done


@needs_root
@pytest.mark.parametrize("name, mode, fault", [("spool.db", 0o644, "can't write this file"),
                                              (".", 0o755, "can't write in its folder"),
                                              ("../mail", 0o755, "[mail] maildir")], ids=["file", "folder", "maildir"])
def test_root_finds_what_the_service_could_not_write(shared, name, mode, fault):
    add_customer(shared)
    shared.start_daemon()
    assert shared.daemon.stop() == 0
    os.makedirs(shared.path("mail"), exist_ok=True)
    os.chown(shared.path("mail"), OWNER, OWNER)
    assert check(shared).returncode == 0
    place = os.path.normpath(shared.state(name))
    if name != ".":
        os.chown(place, 0, 0)
    os.chmod(place, 0o555 if name == "." else mode)
    done = check(shared)
    assert done.returncode == 77 and fault in done.stderr and "checked as user daemon" in done.stderr, done


@needs_root
def test_root_checks_a_login_by_token(shared):
    """Which needs no password of systemd's."""
    token = shared.path("token")
    with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write("ya29.first")
    os.chown(token, OWNER, OWNER)
    shared.configure(mail={"transport": "smtp"}, smtp={"relay": "127.0.0.1:25", "user": "me", "oauth_token_file": token})
    done = check(shared)
    assert done.returncode == 78 and "[smtp] oauth_token_file needs tls = required or implicit" in done.stderr, done
    shared.configure(smtp={"tls": "required"})
    done = check(shared)
    assert done.returncode == 0 and "not checked" not in done.stderr, done


@needs_root
def test_root_does_not_miss_what_systemd_gives_the_service(shared):
    shared.configure(mail={"transport": "smtp"}, smtp={"relay": "127.0.0.1:25", "tls": "required", "user": "me"})
    done = check(shared)
    assert done.returncode == 0 and "smtp-password" in done.stderr and "not checked" in done.stderr, done
    os.chown(shared.state(), 0, 0)
    assert check(shared).returncode == 78, "root's own service would miss it"


def test_an_ordinary_user_is_told_who_it_was_checked_for(world):
    done = check(world)
    assert done.returncode == 0 and "checked as user " in done.stdout, done
