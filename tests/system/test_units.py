# SPDX-License-Identifier: MIT
"""What the systemd units promise. (`make check` has systemd itself verify them.)"""
import grp
import os
import subprocess
from pathlib import Path

import pytest

import tokens
from world import BUILD

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


BOUNCE = ["dispatch-bounce@.service", "dispatch-bounce-maildir.service"]


@pytest.mark.parametrize("unit", BOUNCE)
def test_who_reads_strangers_mails_has_no_right_to_anything_else(unit):
    lines = dict(settings(unit))
    assert lines["User"] == lines["Group"] == "dispatch-bounce" and "SupplementaryGroups" not in lines
    assert (lines["PrivateNetwork"], lines["RestrictAddressFamilies"]) == ("yes", "AF_UNIX")
    assert not {"LoadCredential", "EnvironmentFile"} & set(lines)
    members = [line.split()[1:] for line in (SYSTEMD / "dispatchd.sysusers").read_text().splitlines() if line[:2] == "m "]
    assert ["dispatch-bounce", "dispatchd"] not in members and ["dispatchd", "dispatch-bounce"] in members


def test_lmtp_is_a_process_a_connection_and_eight_at_most():
    lines = dict(settings("dispatch-bounce.socket"))
    assert (lines["Accept"], lines["MaxConnections"], lines["SocketMode"]) == ("yes", "8", "0660")


def test_the_maildir_s_service_is_tried_again_and_its_path_waits_for_it():
    lines = dict(settings("dispatch-bounce-maildir.service"))
    assert (lines["Restart"], lines["StartLimitIntervalSec"]) == ("on-failure", "0")
    assert "75" not in lines["RestartPreventExitStatus"]
    watched = dict(settings("dispatch-bounce-maildir.path"))["DirectoryNotEmpty"]
    assert lines["ExecStart"].split()[-1] + "/new" == watched


def test_the_daemon_s_folder_lets_others_pass_and_do_nothing_else():
    assert dict(settings("dispatchd.service"))["StateDirectoryMode"] == "2771"
    folders = [line.split() for line in (SYSTEMD / "dispatchd.tmpfiles").read_text().splitlines()]
    assert ["2771"] == [words[2] for words in folders if words[1:2] == ["/var/lib/dispatchd"]]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_reaches_the_socket_and_can_read_no_file(world):
    """As the units have it: a user of its own, and the socket is its group's."""
    group, user = grp.getgrall()[3], 54321
    tokens.configure(world, group=group.gr_name)
    os.chmod(world.directory, 0o2771)
    world.start_daemon()
    mail = b"From: MAILER-DAEMON@a.example\nSubject: x\n\nwhat\n"

    def as_other(*command, groups):
        return subprocess.run(command, input=mail, capture_output=True, check=False, timeout=60, user=user, group=user,
                              extra_groups=groups)
    command = (BUILD / "dispatch-bounce", "--socket", world.path("report.sock"), "bounce@other.example")
    assert as_other(*command, groups=[group.gr_gid]).returncode == 67, "the daemon's own word"
    assert as_other(*command, groups=[]).returncode == 75
    assert as_other("ls", world.directory, groups=[group.gr_gid]).returncode == 2
    names = sorted(set(os.listdir(world.directory)) - {"report.sock", "templates", "dispatchd.conf"})
    assert {"spool.db", "customers.db", "bounce.keys"} <= set(names)
    readable = [name for name in names if os.path.isfile(world.path(name)) and
                as_other("cat", world.path(name), groups=[group.gr_gid]).returncode == 0]
    ours = {"spool.db", "spool.db-wal", "spool.db-shm", "customers.db", "bounce.keys"}
    assert not ours & set(readable)
