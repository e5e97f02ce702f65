# SPDX-License-Identifier: MIT
"""What the systemd units promise. (`make check` has systemd itself verify them.)"""
import grp
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import tokens
from world import BUILD

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"


SAMPLE = (SYSTEMD.parent / "conf/dispatchd.conf").read_text(encoding="utf-8")


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


def test_an_instance_is_the_daemon_with_places_of_its_own():
    one, several = settings("dispatchd.service"), settings("dispatchd@.service")
    changed = [(name, ours) for (name, ours), (_, its) in zip(several, one) if ours != its]
    assert [name for name, _ in one] == [name for name, _ in several]
    assert changed == [
        ("Description", "Mails to customers about their jobs (%i)"),
        ("ExecStart", "/usr/sbin/dispatchd -c /etc/dispatchd/%i.conf"),
        ("ExecReload", "/usr/bin/dispatchctl -c /etc/dispatchd/%i.conf reload"),
        ("StateDirectory", "dispatchd-%i"), ("RuntimeDirectory", "dispatchd-%i"),
        ("Environment", "HOME=/run/dispatchd-%i"),
        ("LoadCredential", "smtp-password:dispatchd-%i.smtp-password"),
        ("LoadCredential", "redis-password:dispatchd-%i.redis-password"),
        ("LoadCredential", "bounce-key:dispatchd-%i.bounce-key"),
        ("LoadCredential", "cluster-key:dispatchd-%i.cluster-key")]


def test_the_manual_s_instance_shares_nothing_with_another(tmp_path):
    text = (SYSTEMD.parent / "conf/man/dispatchd.8").read_text(encoding="utf-8")
    example = text.split("; /etc/dispatchd/north.conf\n")[1].split("\n.Ed")[0]
    config = tmp_path / "north.conf"
    config.write_text(example.replace("/var/lib/dispatchd-north", str(tmp_path)))
    shown = subprocess.run([BUILD / "dispatchctl", "-c", config, "--json", "config", "show"], capture_output=True, text=True,
                           check=True, timeout=60)
    other = {f"{row['section']}.{row['key']}": row["value"] for row in json.loads(shown.stdout)}
    assert subprocess.run([BUILD / "dispatchd", "-t", "-c", config], check=False, timeout=60).returncode == 0
    for name in ("redis.stream", "redis.requests", "redis.customers", "redis.outcomes", "redis.dead", "redis.dispatch", "http.listen",
                 "center.listen"):
        assert other[name] and other[name] not in SAMPLE, name
    assert {other[name].rsplit("/", 1)[0] for name in ("customers.path", "spool.path", "center.path")} == {str(tmp_path)}


def left_off(unit):
    """The names below its comment `Left off`: each with a reason behind a colon."""
    text = (SYSTEMD / unit).read_text(encoding="utf-8").split("# Left off")[1].split("[Install]")[0]
    rows = re.findall(r"^# (\S.*?): (.+)", text, re.M)
    assert rows and all(len(reason) > 20 or "above" in reason for _, reason in rows)
    return {name for names, _ in rows for name in names.split(", ")}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd measures it")
@pytest.mark.parametrize("unit", sorted(path.name for path in SYSTEMD.glob("*.service")))
def test_little_is_exposed_and_each_gap_has_its_reason(unit, tmp_path):
    """Programs that are installed elsewhere are no part of it."""
    lines = (SYSTEMD / unit).read_text(encoding="utf-8")
    (tmp_path / unit).write_text(re.sub(r"^(ExecStart|ExecReload)=.*", r"\1=/bin/true", lines, flags=re.M))

    def analyze(*options):
        return subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", *options, tmp_path / unit],
                              capture_output=True, text=True, check=False, timeout=60)
    table = json.loads(analyze("--json=short").stdout)
    gaps = {row["name"] for row in table if row["exposure"] not in (None, "0.0")}
    assert gaps == left_off(unit)
    assert analyze("--threshold=15").returncode == 0


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
    members = [line.split()[1:] for users in SYSTEMD.glob("*.sysusers") for line in users.read_text().splitlines()
               if line[:2] == "m "]
    assert ["dispatch-bounce", "dispatchd"] not in members and ["dispatchd", "dispatch-bounce"] in members


def test_lmtp_is_a_process_a_connection_and_eight_at_most():
    lines = dict(settings("dispatch-bounce.socket"))
    assert (lines["Accept"], lines["MaxConnections"], lines["SocketMode"]) == ("yes", "8", "0660")


def test_the_maildir_s_service_is_tried_again_and_its_path_waits_for_it():
    lines = dict(settings("dispatch-bounce-maildir.service"))
    assert (lines["Restart"], lines["StartLimitIntervalSec"]) == ("on-failure", "0")
    assert "RestartPreventExitStatus" not in lines, "the path unit starts a failed service at once, again and again"
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
