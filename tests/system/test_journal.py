# SPDX-License-Identifier: MIT
"""Under systemd the log goes to the journal, with a field for each KEY=VALUE of a line. The journal is a socket of the
test's own, put in the place of the machine's for the daemon alone."""
import os
import re
import socket
import struct
import subprocess

import pytest

import world as world_module
from kit import add_customer
from world import ROOT, wait_until

IN_A_NAMESPACE = ["unshare", "-m", "sh", "-c",
                  'mount -t tmpfs none /run && mkdir -p /run/systemd/journal &&'
                  ' mount --bind "$0" /run/systemd/journal && exec "$@"']


def usable(directory):
    done = subprocess.run([*IN_A_NAMESPACE, directory, "true"], capture_output=True, check=False)
    return done.returncode == 0


def fields_of(datagram):
    """One entry in the journal's own protocol: KEY=VALUE lines, or KEY, a length and bytes."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        key, equals, value = line.partition(b"=")
        if not equals:
            size = struct.unpack("<Q", rest[:8])[0]
            value, rest = rest[8:8 + size], rest[8 + size + 1:]
        fields[key.decode()] = value.decode()
        datagram = rest
    return fields


@pytest.fixture
def journal(world, monkeypatch):
    """Starts the world's daemon as systemd would; returns a function that gives all entries so far."""
    os.mkdir(world.path("journal"))
    if not usable(world.path("journal")):
        pytest.skip("no mounts of our own here")
    entries = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(world.path("journal/socket"))
        server.setblocking(False)

        def read():
            try:
                while True:
                    entries.append(fields_of(server.recv(1 << 20)))
            except BlockingIOError:
                return entries
        monkeypatch.setattr(world_module, "WRAP", [*IN_A_NAMESPACE, world.path("journal")])
        yield read


def message_id(name):
    return re.search(rf'ROW\(MESSAGE_{name}\) = "([0-9a-f]{{32}})"', (ROOT / "lib/model/message.c").read_text())[1]


def stream_of(world):
    """What systemd says of the socket that it gives as standard error; here that is a file."""
    with open(world.path("dispatchd.log"), "ab") as log:
        info = os.fstat(log.fileno())
    return f"{info.st_dev}:{info.st_ino}"


def test_lines_become_entries_with_fields(world, journal):
    add_customer(world)
    world.start_daemon(env={"JOURNAL_STREAM": stream_of(world)})
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    world.outcomes(wait_for={"status": "sent"})
    entry = wait_until(lambda: [e for e in journal() if e.get("DISPATCHD_STATUS") == "sent"], "the delivery's entry")[0]
    assert entry["PRIORITY"] == "6" and entry["SYSLOG_IDENTIFIER"] == "dispatchd"
    assert entry["DISPATCHD_MAIL"] == "1" and entry["DISPATCHD_TO"] == "farm@example.com"
    assert entry["DISPATCHD_REPLY"] == "written", "without its quotes"
    assert entry["MESSAGE"].startswith("mail=1 ") and "status=sent" in entry["MESSAGE"]
    started = [e for e in journal() if e["MESSAGE"].startswith("started ")]
    assert started[0]["MESSAGE_ID"] == message_id("STARTED") and "MESSAGE_ID" not in entry
    assert started[0]["PRIORITY"] == "5" and started[0]["DISPATCHD_FILE"] == world.config_path
    assert world.daemon.log() == "", "nothing of it on standard error"


def test_a_line_with_a_foreign_text_makes_no_field_of_its_own(world, journal):
    """Line breaks from outside neither end an entry nor begin a field."""
    world.start_daemon(env={"JOURNAL_STREAM": stream_of(world)})
    world.xadd(id="1\nPRIORITY=0", type="job.completed", job="1", customer="7")
    entry = wait_until(lambda: [e for e in journal() if "dead" in e["MESSAGE"]], "the dead letter's entry")[0]
    assert entry["MESSAGE_ID"] == message_id("DEAD_LETTER")
    assert entry["DISPATCHD_REASON"] == "malformed", "without the colon behind it"
    assert entry["PRIORITY"] != "0" and "\n" not in entry["MESSAGE"]


@pytest.mark.parametrize("stream", ["1:1", "nonsense", ""])
def test_standard_error_that_is_not_the_journal(world, stream):
    """$JOURNAL_STREAM is inherited; it counts only while standard error is what it names."""
    daemon = world.start_daemon(env={"JOURNAL_STREAM": stream})
    daemon.wait_log("started ")
