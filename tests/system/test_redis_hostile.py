# SPDX-License-Identifier: MIT
"""A server that breaks the protocol, or its limits, is a lost connection: no abort, no memory without bound."""
import os
import socket
import threading
import time

import pytest

from world import SANITIZED, wait_until


class Liar:
    """Speaks as `talk(connection)` has it to everybody who connects."""

    def __init__(self, talk):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.talk = talk
        self.connections = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        try:
            self.talk(peer)
            while peer.recv(65536):
                pass
        except OSError:
            pass
        peer.close()

    def close(self):
        self.listener.close()


def greeted(peer):
    """As Redis does, up to the greeting's end."""
    while b"PING" not in peer.recv(65536):
        pass
    peer.sendall(b"+PONG\r\n")


def after_greeting(answer):
    def talk(peer):
        greeted(peer)
        peer.recv(65536)
        peer.sendall(answer)
    return talk


def at_once(answer):
    return lambda peer: peer.sendall(answer)


def endless(start, more):
    def talk(peer):
        greeted(peer)
        peer.recv(65536)
        peer.sendall(start)
        while True:
            peer.sendall(more * 1000)
    return talk


def twice(peer):
    """More answers than there were commands."""
    greeted(peer)
    while peer.recv(65536):
        peer.sendall(b"$-1\r\n" * 5000)


CASES = {
    "unsolicited": at_once(b"+OK\r\n"),
    "unsolicited array": at_once(b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n"),
    "unsolicited error": at_once(b"-ERR max number of clients reached\r\n"),
    "after the greeting": lambda peer: (greeted(peer), peer.sendall(b"+OK\r\n" * 100)),
    "more than asked": twice,
    "large array": after_greeting(b"*999999999\r\n"),
    "array of arrays": after_greeting(b"*1000000\r\n" * 7),
    "negative": after_greeting(b"*-7\r\n"),
    "large string": after_greeting(b"$9999999999\r\nabc"),
    "deep": after_greeting(b"*1\r\n" * 1000),
    "RESP3": after_greeting(b">2\r\n+a\r\n+b\r\n%1\r\n+a\r\n+b\r\n"),
    "garbage": after_greeting(os.urandom(4096)),
    "web server": after_greeting(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "endless line": endless(b"+", b"x" * 100),
    "endless string": endless(b"$60000000\r\n", b"x" * 100),
    "endless array": endless(b"*1000000\r\n", b"$1000\r\n" + b"x" * 1000 + b"\r\n"),
}


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_a_server_that_breaks_the_protocol_is_a_lost_connection(world, case):
    """It is tried again with pauses."""
    liar = Liar(CASES[case])
    world.at_end(liar.close)
    world.configure(redis={"url": f"redis://127.0.0.1:{liar.port}", "list": "jobs:list", "channel": "jobs:channel"})
    world.start_daemon()
    peak = 0
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert world.daemon.process.poll() is None, world.daemon.log()
        peak = max(peak, resident(world.daemon.pid))
        time.sleep(0.02)
    wait_until(lambda: world.http("/readyz")[0] == 503, lambda: world.daemon.log(), 20)
    assert peak < 160 << 20 or SANITIZED, f"{peak >> 20} MiB"  # a sanitizer keeps what is freed for a while
    assert liar.connections < 120
    done = world.ctl("event", "send", "completed", "--job", "1", "--customer", "1001", check=False)
    assert done.returncode in (69, 75) or case in ("unsolicited", "after the greeting", "more than asked"), done
    assert world.daemon.stop() == 0


def test_a_push_that_nobody_asked_for_ends_the_subscription_s_connection(world):
    """Whoever has the channel's connection and speaks of other things."""
    def talk(peer):
        greeted(peer)
        while chunk := peer.recv(65536):
            if b"SUBSCRIBE" in chunk:
                peer.sendall(b"*3\r\n:1\r\n:2\r\n:3\r\n*1\r\n$9\r\nsubscribe\r\n")
    liar = Liar(talk)
    world.at_end(liar.close)
    world.configure(redis={"url": f"redis://127.0.0.1:{liar.port}", "channel": "jobs:channel"})
    world.start_daemon()
    wait_until(lambda: "protocol error" in world.daemon.log(), lambda: world.daemon.log(), 20)
    assert world.daemon.stop() == 0


def test_a_channel_that_may_not_be_read_is_told(world):
    world.redis.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "resetchannels", "+@all")
    world.configure(redis={"url": f"unix://limited:secret@{world.redis_server.socket}", "channel": "jobs:channel"})
    world.start_daemon()
    wait_until(lambda: "NOPERM" in world.http("/readyz")[2], lambda: world.http("/readyz"), 20)
    world.daemon.wait_log("NOPERM")
    wait_until(lambda: world.ctl_json("status")["redis"] != "up", lambda: world.daemon.log(), 20)
