# SPDX-License-Identifier: MIT
"""dispatchd-tasks(7), and dispatchd(8)'s RESTORING: each task's commands run as they are written, against the real
programs. What systemctl and ssh do is the test's own: starting what is to be started, and a second machine."""
import json
import os
import re
import shlex
import stat
import subprocess
import sys
import zipfile

import pytest

import cluster
from center import Center
from kit import add_customer, message, use_shipped_templates, wait_outcome
from smtp_peer import start
from world import BUILD, PATIENCE, ROOT, World, wait_until

MAN = ROOT / "conf/man"


def literal(text):
    """The lines of its literal blocks as they are printed; one that ends with a backslash goes on."""
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", text, re.M | re.S)
    return "".join(blocks).replace(r"\e", "\\").replace("\\\n", " ").splitlines()


def tasks():
    """Title: commands, in the manual's order."""
    parts = re.split(r"^\.Ss (.*)\n", (MAN / "dispatchd-tasks.7").read_text(encoding="utf-8"), flags=re.M)[1:]
    return {title: literal(text) for title, text in zip(parts[::2], parts[1::2])}


def restoring():
    (text,) = re.findall(r"^\.Sh RESTORING\n(.*?)^\.Sh ", (MAN / "dispatchd.8").read_text(encoding="utf-8"), re.M | re.S)
    return literal(text)


def script(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)


class Machine:
    """A world whose folder is /etc/dispatchd, /var/lib/dispatchd and all else that the manual names."""

    def __init__(self, world):
        self.world, self.center, self.output = world, None, ""
        self.editor, self.typed, self.other = "true", None, None
        os.makedirs(world.path("bin"), exist_ok=True)
        os.makedirs(world.path("backups"), exist_ok=True)
        for name in ("dispatchd", "dispatchctl", "dispatch-center"):
            script(world.path("bin", name), f'#!/bin/sh\nexec {BUILD}/{name} -c {world.config_path} "$@"\n')
        script(world.path("bin", "unzip"), f"#!{sys.executable}\nimport sys, zipfile\n"
               'zipfile.ZipFile(sys.argv[2]).extractall(sys.argv[4])\n')

    def places(self, line):
        for place, here in (("/etc/dispatchd", self.world.directory), ("/var/backups", self.world.path("backups"))):
            line = line.replace(place, here)
        return line.replace("chgrp -R dispatchd", f"chgrp -R {os.getgid()}")

    def systemctl(self, words):
        verb = next(word for word in words if not word.startswith("-"))
        units = [word for word in words if word.startswith("dispatch")]
        assert verb in ("start", "stop", "restart", "enable", "disable") and units, words
        for unit in units:
            if verb in ("stop", "disable", "restart"):
                self.stop(unit)
            if verb in ("start", "enable", "restart"):
                self.start(unit)

    def stop(self, unit):
        if unit == "dispatchd" and self.world.daemon:
            self.world.daemon.stop()
        elif unit == "dispatch-center" and self.center:
            self.center.end()

    def start(self, unit):
        if unit == "dispatchd":
            self.world.start_daemon()
        else:
            self.center = self.center or Center(self.world)
            self.center.start()

    def run(self, line, code=0):
        """One line of the manual."""
        if line.startswith("systemctl "):
            self.systemctl(shlex.split(line)[1:])
            return
        ssh = re.fullmatch(r"ssh (?:new|beta)\.example\.com '([^']*)'", line)
        if ssh:
            self.other.run(ssh.group(1), code)
            return
        if " | ssh " in line:  # a pipe from one to the other
            here, there = re.fullmatch(r"(.*) \| ssh new\.example\.com '([^']*)'", line).groups()
            self.other.typed = self.shell(here, code)
            self.other.run(there, code)
            return
        self.output = self.shell(line, code).decode()

    def shell(self, line, code):
        path = self.world.path("bin") + ":" + os.environ["PATH"]
        done = subprocess.run(["bash", "-c", self.places(line)], input=self.typed or b"", capture_output=True,
                              timeout=60 * PATIENCE, cwd=self.world.directory, check=False,
                              env=self.world.environment(PATH=path, EDITOR=self.editor))
        assert done.returncode == code, (line, done.returncode, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture
def peer(world):
    peer = start(world)
    use_shipped_templates(world)
    return peer


@pytest.fixture
def machine(world, peer):
    return Machine(world)


def do(machine, title, ids=(), codes=None, before=None):
    """Runs a task. `ids`: what stands for ID; `codes`: exit statuses other than 0; `before`: called before a line."""
    lines = tasks()[title]
    assert lines, title
    for line in lines:
        if before:
            before(line)
        if "ID" in line.split():
            line = re.sub(r"\bID\b", str(ids), line)
        code = next((code for having, code in (codes or {}).items() if having in line), 0)
        machine.run(line, code)


TESTED = set()


def task(title):
    """Marks the test of a task, so that none is forgotten."""
    TESTED.add(title)
    return lambda test: test


def publish(world, number, state="completed", job="4711", customer="1001", **more):
    world.xadd(id=number, type=f"job.{state}", job=job, customer=customer, **more)


def only_contact(world, number="1001"):
    (contact,) = world.ctl_json("contact", "list", number)
    return contact


# ---- the office's

@task("A look in the morning")
def test_morning(world, machine):
    add_customer(world)
    world.ctl("customer", "add", "1002", "--name", "Nobody")
    world.start_daemon()
    do(machine, "A look in the morning", codes={"check": 1})


@task("A new customer")
def test_new_customer(world, machine):
    do(machine, "A new customer")
    shown = world.ctl_json("customer", "show", "1001")
    assert [(c["email"], c["notify"]) for c in shown["contacts"]][1] == ("sam@example.com", ["completed", "failed"])
    assert "America/Denver" in machine.output


@task("Many customers from a file")
def test_import(world, machine):
    with open(world.path("customers.csv"), "w", encoding="utf-8") as file:
        file.write("number,name,email\n1,One,one@example.com\n2,Two,two@example.com\n")
    do(machine, "Many customers from a file",
       before=lambda line: "dry-run" in line or world.ctl_json("customer", "list") == [] or pytest.fail("dry run"))
    assert [row["number"] for row in world.ctl_json("customer", "list")] == ["1", "2"]


@task("Service hours and holidays")
def test_hours(world, machine):
    add_customer(world)
    do(machine, "Service hours and holidays")
    assert "2026-12-25" in machine.output and "08:00-12:00" in machine.output


@task("A customer pauses service")
def test_suspension(world, machine):
    add_customer(world)
    answers = []
    do(machine, "A customer pauses service", before=lambda line: answers.append(machine.output))
    assert "suspended" in answers[2] and "Barn is being rebuilt" in answers[3]
    assert world.ctl_json("gate", "create", "--customer", "1001")["status"] == "allowed"


@task("Why didn't they get a mail?")
def test_why(world, machine):
    add_customer(world)
    world.ctl("hours", "set", "1001", "all", "closed")
    world.start_daemon()
    publish(world, 1)
    wait_outcome(world, 1, "suppressed", "never_open")
    answers = []
    do(machine, "Why didn't they get a mail?", before=lambda line: answers.append(machine.output))
    assert "never_open" in answers[1] and "never_open" in answers[3]


@task("Send a mail again")
def test_send_again(world, machine, peer):
    add_customer(world)
    peer.answers["data"] = "554 5.6.0 broken"
    world.start_daemon()
    publish(world, 1)
    mail = wait_outcome(world, 1, "failed")["mail"]
    peer.answers.clear()
    do(machine, "Send a mail again", ids=mail)
    wait_outcome(world, 1, "sent")


@task("Somebody wants fewer mails, or none")
def test_opt_out(world, machine):
    add_customer(world)
    seen = []
    do(machine, "Somebody wants fewer mails, or none", ids=only_contact(world)["id"],
       before=lambda line: seen.append(only_contact(world)["notify"]))
    assert seen[2] == ["failed"] and only_contact(world)["notify"] == []


@task("Too many mails at once")
def test_flood(world, machine, peer):
    for number in range(1001, 1005):
        add_customer(world, str(number), f"Farm {number}", f"{number}@example.com")
    world.configure(rules={"burst": "2/1h"})
    world.start_daemon()
    for number in range(1001, 1005):
        publish(world, number, job="4711" if number == 1004 else f"j{number}", customer=str(number))
    wait_outcome(world, 1004, "deferred", "held_back")
    answers = []
    do(machine, "Too many mails at once", before=lambda line: answers.append(machine.output))
    assert answers[1].startswith("an unusual number of mails came in at once"), answers[1]
    wait_outcome(world, 1004, "cancelled", "by_hand")
    for number in (1001, 1002, 1003):
        wait_outcome(world, number, "sent")
    assert not [mail for mail in peer.mails if "1004@example.com" in mail.recipients]


@task("Refused addresses")
def test_refused(world, machine, peer):
    add_customer(world)
    peer.answers["rcpt"] = "550 5.1.1 no such user"
    world.start_daemon()
    publish(world, 1)
    wait_outcome(world, 1, "failed", "address_refused")
    wait_until(lambda: only_contact(world)["email_invalid"], "the address is marked")
    peer.answers.clear()
    do(machine, "Refused addresses", ids=only_contact(world)["id"], codes={"check": 1})
    assert not only_contact(world)["email_invalid"]
    publish(world, 2, job="4712")
    assert wait_outcome(world, 2, "sent")["to"] == "rosa.green@example.com"


@task("Entries that were rejected")
def test_rejected(world, machine):
    world.start_daemon()
    publish(world, 1, customer="2001")
    wait_outcome(world, 1, "rejected", "unknown_customer")
    do(machine, "Entries that were rejected")
    assert wait_outcome(world, 1, "sent")["to"] == "new@example.com"


@task("Proof of what was sent")
def test_proof(world, machine):
    add_customer(world)
    world.start_daemon()
    publish(world, 1)
    wait_outcome(world, 1, "sent")
    do(machine, "Proof of what was sent")
    assert "summary.html: OK" in machine.output and zipfile.is_zipfile(world.path("job-4711.zip"))


@task("A customer asks to be forgotten")
def test_erase(world, machine):
    add_customer(world)
    do(machine, "A customer asks to be forgotten")
    assert world.ctl_json("customer", "list") == []


# ---- administrators'

@task("The first day")
def test_first_day(world, machine, peer):
    done = []
    machine.center = Center(world)

    def wait_for_the_mail(line):
        if "job show" in line:
            world.outcomes(wait_for={"job": "4710", "status": "sent"})
        done.append(machine.output)
    do(machine, "The first day", before=wait_for_the_mail)
    assert "sent, ok" in done[-3] and done[-2].startswith("dispatchd "), "nothing is wrong"
    assert re.search(r"https?://\S+", machine.output), "the link to set a password"
    assert [mail.recipients for mail in peer.mails] == [["you@example.com"]] * 2


@task("Pause sending")
def test_pause(world, machine):
    add_customer(world)
    world.start_daemon()

    def meanwhile(line):
        if "mail list" in line:
            publish(world, 1)
            wait_outcome(world, 1, "queued")
    do(machine, "Pause sending", before=meanwhile)
    wait_outcome(world, 1, "sent")


@task("Change the configuration")
def test_configuration(world, machine):
    world.start_daemon()
    script(world.path("bin", "edit"), "#!/bin/sh\nexec sed -i 's/Example Hauling/Another Hauling/' \"$1\"\n")
    machine.editor = "edit"
    do(machine, "Change the configuration")
    assert "Another Hauling" in machine.output
    add_customer(world)
    publish(world, 1)
    wait_outcome(world, 1, "sent")


@task("A staging system")
def test_staging(world, machine, peer):
    add_customer(world)
    world.start_daemon()
    script(world.path("bin", "edit"), "#!/bin/sh\nexec sed -i 's/^\\[mail\\]$/&\\nredirect_to = you@example.com/' \"$1\"\n")
    machine.editor = "edit"
    do(machine, "A staging system")
    assert machine.output.startswith("every mail is redirected to you@example.com"), machine.output
    assert [row["problem"] for row in world.ctl_json("status")["problems"]] == ["redirected"]
    publish(world, 1)
    wait_outcome(world, 1, "sent")
    (mail,) = peer.mails
    assert mail.recipients == ["you@example.com"] and "farm@example.com" in message(mail)["Subject"]


@task("Test a relay")
def test_relay(world, machine, peer):
    world.start_daemon()
    do(machine, "Test a relay")
    assert [mail.recipients for mail in peer.mails] == [["you@example.com"]]


@task("Replace the password of the relay")
def test_password(world, machine):
    peer = start(world, users={"dispatch": "new secret"})
    with open(os.open(world.path("smtp-password"), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write("old secret\n")
    world.configure(smtp={"user": "dispatch", "password_file": world.path("smtp-password")})
    world.start_daemon()
    machine.run("dispatchctl relay test", 69)
    machine.typed = b"new secret\n"
    do(machine, "Replace the password of the relay")
    assert peer.mails == [] and stat.S_IMODE(os.stat(world.path("smtp-password")).st_mode) == 0o600


@task("Change a template")
def test_template(world, machine, peer):
    add_customer(world)
    world.start_daemon()
    script(world.path("bin", "edit"), "#!/bin/sh\necho 'We moved to 12 New Street.' >>\"$1\"\n")
    machine.editor = "edit"
    do(machine, "Change a template")
    (mail,) = peer.mails
    assert mail.recipients == ["you@example.com"] and "We moved to 12 New Street." in message(mail).as_string()
    assert os.path.exists(world.path("backups", "templates", "completed.txt"))


@task("Back up")
def test_back_up(world, machine):
    add_customer(world)
    world.start_daemon()
    do(machine, "Back up")
    assert "read back" in machine.output and os.path.exists(world.path("backups", "dispatchd-monday", "customers.db"))


@task("Upgrade")
def test_upgrade(world, machine):
    add_customer(world)
    world.start_daemon()
    machine.start("dispatch-center")
    do(machine, "Upgrade")
    assert machine.output.startswith("dispatchd ")


@task("Switch the owner by hand")
def test_switch():
    with cluster.start("alpha", "beta") as (alpha, beta):
        add_customer(alpha)
        alpha.start_daemon()
        alpha.wait_role("owner")
        beta.seed_from(alpha)
        beta.start_daemon()
        beta.wait_role("standby")
        machine, roles = Machine(alpha), []
        machine.other = Machine(beta)

        def wait_for_roles(line):
            if line.startswith("ssh "):
                beta.wait_role("owner")
            elif line == "dispatchctl status":
                roles.extend(row.split() for row in machine.other.output.splitlines())
                alpha.wait_role("standby")
        do(machine, "Switch the owner by hand", before=wait_for_roles)
        assert ["beta", "(this", "machine)", "owner"] in roles
        shown = [row.split() for row in machine.output.splitlines()]
        assert ["beta", "owner"] in shown and ["alpha", "(this", "machine)", "standby", "0"] in shown, machine.output
        publish(beta, 1)
        wait_outcome(beta, 1, "sent")


@pytest.fixture
def new(world, peer):
    """The new machine: another folder, another configuration, the same Redis."""
    other = World()
    other.configure(redis={"url": f"unix://{world.path('redis.sock')}?db=0", "consumer": "new"})
    other.redis = world.redis
    yield Machine(other)
    other.close()


def write_key(world):
    """A key for root and the daemon alone, where the manual's configuration has it; its mode."""
    path = world.path("customers.key")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write("00" * 32 + "\n")
    return lambda: stat.S_IMODE(os.stat(path).st_mode)


def moved(world, new):
    """What an admin edits in the configuration that came along: its paths."""
    with open(new.world.config_path, encoding="utf-8") as file:
        text = file.read()
    assert world.directory in text, "it is the old one's"
    text = text.replace(world.directory, new.world.directory)
    with open(new.world.config_path, "w", encoding="utf-8") as file:
        file.write(text.replace(new.world.path("redis.sock"), world.path("redis.sock")))


@task("Move to another machine")
def test_move(world, machine, new, peer):
    add_customer(world)
    os.mkdir(world.path("conf.d"))
    with open(world.path("conf.d", "rules.conf"), "w", encoding="utf-8") as file:
        file.write("[rules]\ntimezone = America/Denver\n")
    world.start_daemon()
    machine.start("dispatch-center")
    machine.center.add("ann", "admin")
    publish(world, 1)
    wait_outcome(world, 1, "sent")
    world.ctl("mail", "pause")
    publish(world, 2, job="4712")
    wait_outcome(world, 2, "queued")
    machine.other = new
    key = write_key(new.world)

    def meanwhile(line):
        if "dispatchctl restore" in line:
            publish(world, 3, job="4713")
            moved(world, new)
    new.center = Center(new.world, path=new.world.path("center.db"))
    do(machine, "Move to another machine", before=meanwhile)
    world.daemon = new.world.daemon
    for event in (2, 3):
        wait_outcome(world, event, "sent")
    assert sorted(message(mail)["X-Dispatchd-Job"] for mail in peer.mails) == ["4711", "4712", "4713"]
    assert json.loads(new.shell("dispatchctl --json job show 4711", 0))["mails"][0]["status"] == "sent"
    assert "America/Denver" in new.shell("dispatchctl config show rules", 0).decode()
    assert b"ann" in new.shell("dispatch-center user list", 0)
    assert key() == 0o600, "only what was copied is opened to the group"


def test_restoring(world, machine, peer):
    """dispatchd(8), RESTORING, on a machine that has lost its configuration, and all databases but a damaged one."""
    add_customer(world)
    os.mkdir(world.path("conf.d"))
    key = write_key(world)
    world.start_daemon()
    machine.start("dispatch-center")
    world.ctl("mail", "pause")
    publish(world, 1)
    wait_outcome(world, 1, "queued")
    world.ctl("backup", world.path("backups", "dispatchd"))
    lines = restoring()
    assert lines[0].startswith("systemctl stop") and lines[-1] == "dispatchctl mail resume"
    for line in lines:
        machine.run(line)
        if line.startswith("systemctl stop"):
            for name in os.listdir(world.directory):
                if name.startswith(("customers.db", "spool.db", "center.db")) or name == "dispatchd.conf":
                    os.unlink(world.path(name))
            with open(world.path("customers.db"), "w", encoding="utf-8") as file:
                file.write("damaged\n" * 1000)
    wait_outcome(world, 1, "sent")
    assert world.ctl_json("customer", "show", "1001")["name"] == "Example Farm"
    assert os.path.exists(world.path("customers.db.before-restore")) and key() == 0o600


def test_no_task_is_without_a_test():
    assert sorted(tasks()) == sorted(TESTED)
    assert all(lines for lines in tasks().values())
