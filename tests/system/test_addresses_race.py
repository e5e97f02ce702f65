# SPDX-License-Identifier: MIT
"""A relay's IPv6 and IPv4 addresses, tried side by side."""
import os
import shutil
import socket
import subprocess

import pytest

from smtp_peer import Drop, SmtpPeer
from test_mailer import Probe
from world import wait_until

NAME = "relay.example.com"


def with_hosts(tmp_path, *addresses):
    """A command in front that makes the programs behind it find these addresses of the relay, in this order."""
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {NAME}\n" for address in addresses), encoding="utf-8")
    words = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
    if not shutil.which("unshare") or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces here")
    return [*words, "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", str(path)]


@pytest.fixture(name="peer")
def fixture_peer():
    """On IPv4; what is at the same port on IPv6 is up to the test."""
    with SmtpPeer() as peer:
        yield peer


class Silent:
    """Its queue is full: who connects hears nothing."""

    def __init__(self, port, host="::1"):
        self.port = port
        self.socket = socket.create_server((host, port), family=socket.AF_INET6, backlog=0)
        self.filling = [socket.socket(socket.AF_INET6) for _ in range(4)]
        for one in self.filling:
            one.setblocking(False)
            one.connect_ex((host, port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in [self.socket, *self.filling]:
            one.close()

    def is_asked(self):
        """Whether anybody waits for its answer besides those who fill the queue. Where others connect and close at the
        same time, the kernel's table has a socket more than once: rows can't be counted."""
        own = {one.getsockname()[1] for one in self.filling}
        with open("/proc/net/tcp6", encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
        return any(row[2].endswith(f":{self.port:04X}") and row[3] == "02" and int(row[1].split(":")[1], 16) not in own
                   for row in rows)


pytestmark = pytest.mark.skipif(not os.path.exists("/proc/net/if_inet6") or
                                "00000000000000000000000000000001" not in open("/proc/net/if_inet6", encoding="ascii").read(),
                                reason="no IPv6 here")


def over(peer, before, **settings):
    return Probe(f"{NAME}:{peer.port}", before=before, **settings)


def test_ipv6_that_refuses(peer, tmp_path):
    with over(peer, with_hosts(tmp_path, "::1", "127.0.0.1")) as probe:
        assert probe.send()["delivery"] == "sent"


def test_ipv6_that_leads_nowhere(peer, tmp_path):
    with Silent(peer.port), over(peer, with_hosts(tmp_path, "::1", "127.0.0.1"), limits={"connect_ms": 60000}) as probe:
        assert probe.send()["delivery"] == "sent"


def test_ipv6_first_where_both_answer(peer, tmp_path):
    with SmtpPeer(host="::1", port=peer.port) as six, over(peer, with_hosts(tmp_path, "127.0.0.1", "::1")) as probe:
        assert probe.send()["delivery"] == "sent"
    assert six.count == 1 and peer.connections == 0


def test_what_worked_is_tried_first(peer, tmp_path):
    """For as long as `family_ms`: the next connection doesn't ask IPv6 once more."""
    with over(peer, with_hosts(tmp_path, "::1", "127.0.0.1"), limits={"mails": 1, "race_ms": 300}) as probe:
        with Silent(peer.port):
            assert probe.send()["delivery"] == "sent"
        with SmtpPeer(host="::1", port=peer.port) as six:
            for _ in range(5):
                assert probe.send()["delivery"] == "sent"
            assert six.connections == 0
    assert peer.count == 6


def test_it_is_forgotten(peer, tmp_path):
    limits = {"mails": 1, "race_ms": 100, "family_ms": 1}
    with over(peer, with_hosts(tmp_path, "::1", "127.0.0.1"), limits=limits) as probe:
        with Silent(peer.port):
            assert probe.send()["delivery"] == "sent"
        with SmtpPeer(host="::1", port=peer.port) as six:
            assert probe.send()["delivery"] == "sent"
        assert six.count == 1


def test_the_other_where_what_worked_does_no_longer(peer, tmp_path):
    with over(peer, with_hosts(tmp_path, "::1", "127.0.0.1"), limits={"mails": 1, "race_ms": 100}) as probe:
        with Silent(peer.port):
            assert probe.send()["delivery"] == "sent"
        peer.close()
        with SmtpPeer(host="::1", port=peer.port) as six:
            assert probe.until_sent()
            assert probe.send()["delivery"] == "sent"
        assert six.count == 2


@pytest.mark.parametrize("answer", ["421 4.3.2 not now", "554 5.7.1 not you", Drop])
def test_a_server_that_greets_badly_gives_way_to_the_next(peer, tmp_path, answer):
    with SmtpPeer(host="::1", port=peer.port, answers={"greeting": answer}) as six:
        with over(peer, with_hosts(tmp_path, "::1", "127.0.0.1")) as probe:
            assert probe.send()["delivery"] == "sent"
        assert six.connections == 1 and peer.count == 1


@pytest.mark.parametrize("addresses", [("::1", "127.0.0.1"), ("127.0.0.1", "::1")])
def test_its_own_words_are_kept_where_the_others_refuse(peer, tmp_path, addresses):
    peer.answers["greeting"] = "421 4.3.2 not now"
    with over(peer, with_hosts(tmp_path, *addresses)) as probe:
        result = probe.send()
        assert (result["delivery"], result["reply"]) == ("relay", "421 4.3.2 not now")
    assert peer.connections == 1


@pytest.mark.parametrize("answer,reply", [("421 4.3.2 not now", "421 4.3.2 not now"),
                                          (Drop, "::1: Connection timed out; 127.0.0.1: was connected before")])
def test_a_second_round_that_fails_although_the_last_address_won_the_first(peer, tmp_path, answer, reply):
    peer.answers["greeting"] = answer
    limits = {"race_ms": 100, "connect_ms": 700}
    with Silent(peer.port), over(peer, with_hosts(tmp_path, "::1", "127.0.0.1"), limits=limits) as probe:
        result = probe.send()
        assert (result["delivery"], result["reply"]) == ("relay", reply)


def test_none_of_them(peer, tmp_path):
    peer.close()
    with over(peer, with_hosts(tmp_path, "::1", "127.0.0.1")) as probe:
        result = probe.send()
        assert (result["delivery"], result["reply"]) == ("relay", f"{NAME}:{peer.port}: Connection refused")
    with Silent(peer.port), over(peer, with_hosts(tmp_path, "::1", "127.0.0.1"), limits={"connect_ms": 500}) as probe:
        result = probe.send()
        assert result["delivery"] == "relay"
        assert result["reply"] == "::1: Connection timed out; 127.0.0.1: Connection refused"


def test_a_stop_ends_it(peer, tmp_path):
    peer.close()
    with Silent(peer.port) as silent, over(peer, with_hosts(tmp_path, "::1", "127.0.0.1")) as probe:
        probe.put()
        wait_until(silent.is_asked, "an attempt")
        probe.say(stop=200)
        result = probe.next()
        assert result["delivery"] == "relay" and "canceled" in result["reply"]
