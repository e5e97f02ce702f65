# SPDX-License-Identifier: MIT
"""From packages of a version whose databases are older to today's, while everything runs."""
import pytest

from test_packages import CONFIG, configure, ctl, mails, send
from tree import Machine, base, wait_until

NORTH = "/etc/dispatchd/north.conf"
PLACES = """[redis]
stream = north:events
outcomes = north:outcomes
requests = north:requests
customers = north:customers
dead = north:dead
dispatch = north:dispatch
[customers]
path = /var/lib/dispatchd-north/customers.db
[spool]
path = /var/lib/dispatchd-north/spool.db
[http]
listen = 127.0.0.1:8935
[center]
path = /var/lib/dispatchd-north/center.db
listen = 127.0.0.1:8936
"""


@pytest.fixture(scope="module")
def machine(packages, former):
    started = Machine(base(packages))
    started.run("systemctl", "start", "redis-server")
    started.install(former)
    yield started
    started.stop()


def schemas(machine):
    return {name: int(machine.run("sqlite3", f"/var/lib/dispatchd/{name}.db", "PRAGMA user_version").stdout)
            for name in ("spool", "customers")}


def test_an_upgrade_migrates_restarts_what_ran_and_keeps_what_an_admin_wrote(machine, packages):
    configure(machine)
    machine.run("sh", "-c", "echo '; mine' >>/etc/dispatchd/dispatchd.conf; echo 'by me' >>/etc/dispatchd/templates/completed.txt")
    machine.run("systemctl", "enable", "--now", "dispatchd", "dispatch-center", "dispatch-bounce.socket")
    machine.run("dispatch-center", "user", "add", "sam", "--role", "clerk")
    ctl(machine, "customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com", "--timezone", "America/Denver")
    send(machine, "4711")
    wait_until(lambda: len(mails(machine)) == 1, "the mail of the version before")
    ctl(machine, "suspension", "add", "1001", "--until", "+14d", "--note", "Barn is being rebuilt")
    send(machine, "4712")
    units = ["dispatchd", "dispatch-center"]
    pids = [machine.shows(unit, "MainPID") for unit in units]
    was = schemas(machine)

    machine.install(packages, "--force-confold")
    assert machine.run("dpkg", "--audit").stdout == ""
    wait_until(lambda: all(machine.shows(unit, "ActiveState") == "active" for unit in units), "both to run again")
    assert all(pid not in ("0", machine.shows(unit, "MainPID")) for unit, pid in zip(units, pids))
    assert machine.shows("dispatch-bounce.socket", "ActiveState") == "active"
    now = schemas(machine)
    assert now != was and all(now[name] >= was[name] for name in was), (was, now)
    assert machine.run("tail", "-n", "1", "/etc/dispatchd/dispatchd.conf").stdout == "; mine\n"
    assert machine.run("tail", "-n", "1", "/etc/dispatchd/templates/completed.txt").stdout == "by me\n"
    assert machine.run("systemctl", "is-enabled", "dispatchd").stdout == "enabled\n"
    assert not machine.run("systemctl", "--failed", "--no-legend").stdout
    assert "Barn is being rebuilt" in ctl(machine, "suspension", "list", "1001")
    assert "completed" in ctl(machine, "job", "show", "4711") and ctl(machine, "job", "show", "4712")
    assert "sam" in machine.run("dispatch-center", "user", "list").stdout
    ctl(machine, "resume", "1001")
    send(machine, "4713")
    wait_until(lambda: any("4713" in mail and "by me" in mail for mail in mails(machine)), "a mail by the admin's template")


def test_an_upgrade_restarts_instances(machine, packages):
    machine.write(NORTH, CONFIG.format(more="").replace("/var/lib/dispatchd", "/var/lib/dispatchd-north") + PLACES)
    (machine.root / "etc/dispatchd/conf.d/site.conf").unlink()
    machine.run("systemctl", "start", "dispatchd@north")
    pid = machine.shows("dispatchd@north", "MainPID")
    machine.install(packages, "--force-confold")
    wait_until(lambda: machine.shows("dispatchd@north", "ActiveState") == "active" and
               machine.shows("dispatchd@north", "MainPID") not in ("0", pid), "the instance to be restarted")
