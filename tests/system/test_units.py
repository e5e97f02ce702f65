# SPDX-License-Identifier: MIT
"""What the systemd units promise. (`make check` has systemd itself verify them.)"""
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"


def settings(unit):
    """Its lines `Name=value` in order."""
    lines = (SYSTEMD / unit).read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("=", 1)) for line in lines if "=" in line and not line.startswith("#")]


@pytest.mark.parametrize("unit", ["dispatchd.service", "dispatch-center.service"])
def test_a_passing_hindrance_never_ends_a_service_for_good(unit):
    lines = dict(settings(unit))
    assert lines["StartLimitIntervalSec"] == "0"
    assert lines["Restart"] == "on-failure"
    assert {"66", "78"} <= set(lines["RestartPreventExitStatus"].split()), "what starting again can't mend"


@pytest.mark.parametrize("unit", ["dispatchd.service", "dispatch-center.service"])
def test_memory_is_bounded(unit):
    lines = dict(settings(unit))
    high, most = (int(lines[name].removesuffix("M")) for name in ("MemoryHigh", "MemoryMax"))
    assert 64 < high < most


def test_a_refused_reload_is_known_to_systemctl():
    assert ("ExecReload", "/usr/bin/dispatchctl reload") in settings("dispatchd.service")


def test_the_center_only_reads_the_spool_and_has_no_password():
    lines = settings("dispatch-center.service")
    assert ("ReadOnlyPaths", "-/var/lib/dispatchd/spool.db") in lines
    assert not [value for name, value in lines if name == "LoadCredential"]
    assert dict(lines)["User"] == "dispatch-center"
