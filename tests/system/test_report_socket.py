# SPDX-License-Identifier: MIT
"""The daemon's socket for reports: who may use it, what it understands, and what hostile clients get."""
import grp
import json
import os
import signal
import socket
import stat

import pytest

import tokens
from report_peer import bounce
from world import wait_until

DOMAIN = "mail.example.com"
FACTS = {"kind": "unknown", "recipients": [], "message_id": "", "token": "", "digest": "ab" * 32}


@pytest.fixture
def place(world):
    """The socket of a daemon that takes reports."""
    tokens.configure(world)
    world.start_daemon()
    return world.path("report.sock")


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)  # without a time limit it waits while the backlog is full
        self.socket.settimeout(60)
        self.stream = self.socket.makefile("rb")

    def send(self, line):
        self.socket.sendall(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")

    def answer(self):
        line = self.stream.readline()
        return json.loads(line) if line else None

    def ask(self, line):
        self.send(line)
        return self.answer()

    def close(self):
        self.stream.close()
        self.socket.close()


def ask(place, line):
    client = Client(place)
    try:
        return client.ask(line)
    finally:
        client.close()


def test_without_an_address_there_is_no_socket_and_a_reload_makes_and_removes_it(world):
    daemon = world.start_daemon()
    place = world.path("report.sock")
    assert not os.path.exists(place)
    tokens.configure(world)
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: os.path.exists(place), "the socket")
    assert ask(place, {"recipient": f"bounce@{DOMAIN}"}) == {"ok": True}
    world.configure(bounce={"address": ""})
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: not os.path.exists(place), "its end")
    tokens.configure(world)
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: os.path.exists(place), "the socket once more")
    daemon.stop()
    assert not os.path.exists(place)


def test_a_dead_daemon_s_socket_is_replaced(world, place):
    world.daemon.kill()
    assert os.path.exists(place)
    world.start_daemon()
    assert ask(place, {"recipient": ""}) == {"ok": True}


def test_its_group_alone_may_use_it(place):
    found = os.stat(place)
    assert stat.S_IMODE(found.st_mode) == 0o660 and found.st_gid == os.getegid()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has groups of others")
def test_it_is_given_to_the_group_of_the_configuration(world):
    group = grp.getgrall()[3]
    tokens.configure(world, group=group.gr_name)
    world.start_daemon()
    assert os.stat(world.path("report.sock")).st_gid == group.gr_gid


def test_a_group_that_there_isn_t_is_a_fault_of_the_configuration(world):
    tokens.configure(world, group="no-such-group")
    daemon = world.start_daemon("-t", ready=False)
    assert daemon.wait() == 78
    assert 'unknown group "no-such-group"' in daemon.log()


@pytest.mark.parametrize("recipient, ours", [("", True), (f"bounce+x@{DOMAIN}", True), (f"x@{DOMAIN.upper()}", True),
                                             ("bounce@other.example", False), ("bounce", False),
                                             (f"a@{DOMAIN}@other.example", False)])
def test_whose_mails_are_taken(place, recipient, ours):
    answer = ask(place, {"recipient": recipient})
    assert answer["ok"] is ours and (ours or answer["code"] == 67)


def test_of_another_domain_no_report_is_taken(place):
    assert ask(place, {"recipient": "a@b.example", "sender": "", "facts": FACTS})["code"] == 67
    assert bounce("--socket", place, "a@b.example", mail=b"From: a@b\n\nx\n").returncode == 67


NOT_UNDERSTOOD = {
    "no json": b"hello\n",
    "an array": b"[]\n",
    "nothing": b"\n",
    "no recipient": {"facts": FACTS},
    "a number": {"recipient": 5},
    "facts of text": {"recipient": "", "facts": "x"},
    "a status": {"do": "status"},
    "a mail": {"do": "mail.cancel", "id": 1},
    "nul": b'{"recipient":"\\u0000"}\n',
    "bytes": b'{"recipient":"\xff"}\n',
    "deep": b"[" * 5000 + b"\n",
}


@pytest.mark.parametrize("line", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_nothing_else_is_understood(place, line):
    client = Client(place)
    answer = client.ask(line)
    assert answer["ok"] is False and answer["code"] == 65
    assert client.ask({"recipient": ""}) == {"ok": True}, "the session goes on"
    client.close()


def test_a_command_hidden_in_a_report_does_nothing(world, place):
    for verb in ("mail.pause", "status", "customers.adopt"):
        answer = ask(place, {"do": verb, "by": "root", "recipient": "", "sender": "", "facts": FACTS})
        assert "mails" not in answer and "paused" not in answer
    assert world.control({"do": "status"})["paused"] is None


def test_a_line_without_an_end_ends_the_client_and_nobody_else(place):
    other, client = Client(place), Client(place)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        for _ in range(100):
            client.send(b'"' + b"x" * 65536)
    assert other.ask({"recipient": ""}) == {"ok": True}
    for each in (other, client):
        each.close()


def test_many_clients_that_say_nothing_lock_nobody_out(world, place):
    silent = [Client(place) for _ in range(60)]
    assert ask(place, {"recipient": ""}) == {"ok": True}
    assert world.control({"do": "status"})["ok"] is True
    for client in silent:
        client.close()


def test_half_a_line_and_gone(place):
    for _ in range(30):
        client = Client(place)
        client.send(b'{"recipient":')
        client.close()
    assert ask(place, {"recipient": ""}) == {"ok": True}


def test_lines_in_one_go_and_byte_by_byte(place):
    client = Client(place)
    line = json.dumps({"recipient": ""}).encode() + b"\n"
    client.send(line * 50)
    assert [client.answer() for _ in range(50)] == [{"ok": True}] * 50
    for byte in line:
        client.send(bytes([byte]))
    assert client.answer() == {"ok": True}
    client.close()


def test_who_closes_his_side_still_gets_the_answer(place):
    client = Client(place)
    client.send({"recipient": ""})
    client.socket.shutdown(socket.SHUT_WR)
    assert client.answer() == {"ok": True}
    client.close()
