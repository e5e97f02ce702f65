# SPDX-License-Identifier: MIT
"""The drop-in for Type=notify-reload, under a systemd that knows it."""
import pytest

from test_packages import configure
from tree import Machine, base, newer

CENTER = "[Service]\nType=notify-reload\nExecReload=\n"


@pytest.fixture(scope="module")
def machine(packages):
    started = Machine(newer(base(packages)))
    started.run("systemctl", "start", "redis-server")
    started.install(packages)
    configure(started)
    example = started.run("cat", "/usr/share/doc/dispatchd/examples/notify-reload.conf").stdout
    started.write("/etc/systemd/system/dispatchd.service.d/notify-reload.conf", example)
    started.write("/etc/systemd/system/dispatch-center.service.d/notify-reload.conf", CENTER)
    started.run("systemctl", "daemon-reload")
    started.run("systemctl", "start", "dispatchd", "dispatch-center")
    yield started
    started.stop()


@pytest.mark.parametrize("unit", ["dispatchd", "dispatch-center"])
def test_a_reload_ends_when_the_service_says_so(machine, unit):
    assert machine.shows(unit, "Type") == "notify-reload"
    pid = machine.shows(unit, "MainPID")
    for _ in range(3):
        machine.run("systemctl", "reload", unit)
        assert (machine.shows(unit, "MainPID"), machine.shows(unit, "ActiveState")) == (pid, "active")
    assert "timed out" not in machine.journal(unit)


def test_a_refused_configuration_still_fails_the_reload(machine):
    configure(machine, "[rules]\ntimezone = Mars/Base\n")
    assert machine.run("systemctl", "reload", "dispatchd", check=False).returncode != 0
    assert machine.shows("dispatchd", "ActiveState") == "active"
    configure(machine)
    machine.run("systemctl", "reload", "dispatchd")
