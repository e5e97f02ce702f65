# SPDX-License-Identifier: MIT
"""TLS from the first byte, which passes below libesmtp: the mailers, and what `relay test` says of it."""
import os
import re
import socket
import ssl
import time

import pytest

import smtp_peer
from smtp_peer import Drop, Hang, SmtpPeer, Then, Trickle, tls_context
from test_mailer import HEAD, Probe, _password, peer  # noqa: F401 (a fixture)
from test_relay_test import ask, names
from world import wait_until


def _implicit(certificates, certificate="good", **options):
    return SmtpPeer(tls=tls_context(certificates[certificate]), implicit=True, **options)


def _over(peer, certificates, host="localhost", **settings):
    return Probe(f"{host}:{peer.port}", tls="implicit", ca_file=certificates["ca"], **settings)


@pytest.mark.parametrize("certificate,verdict", [("good", None), ("wrong", "mismatch"), ("alone", "self-signed"),
                                                 ("old", "expired")])
def test_implicit_tls_is_verified(certificates, certificate, verdict):
    with _implicit(certificates, certificate) as peer:
        with _over(peer, certificates) as probe:
            result = probe.send(text=HEAD + "Hello\r\n.\r\n..two\r\n")
            if not verdict:
                wait_until(lambda: peer.commands()[-1] == "QUIT", "QUIT", 5)
    if verdict:
        assert result["delivery"] == "relay" and result["reply"].startswith("TLS: the certificate is refused: ")
        assert verdict in result["reply"] and not peer.mails and not peer.commands()
    else:
        assert result["delivery"] == "sent" and peer.mails[0].tls in ("TLSv1.2", "TLSv1.3")
        assert peer.mails[0].sni == "localhost" and peer.mails[0].text == HEAD + "Hello\r\n.\r\n..two\r\n"
        assert "STARTTLS" not in peer.commands()


def test_implicit_tls_to_an_address(certificates):
    with _implicit(certificates) as peer, _over(peer, certificates, "127.0.0.1") as probe:
        assert probe.send()["delivery"] == "sent"
    assert peer.mails[0].sni is None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("size", [500, 20000, 300000])
def test_mails_of_any_size_under_implicit_tls(certificates, version, size):
    context = tls_context(certificates["good"], version, version)
    context.num_tickets = 4
    with SmtpPeer(tls=context, implicit=True) as peer:
        with _over(peer, certificates, connections=2) as probe:
            probe.say(bulk=40, size=size)
            assert probe.next("bulk", 60)["bulk"] == {"sent": 40}
    assert {len(m.data) // 1000 for m in peer.mails} == {size // 1000}
    assert peer.connections <= 2


def test_a_peer_that_reads_slowly_under_implicit_tls(certificates):
    """What the socket doesn't take goes on where it stopped, in the same record."""
    with _implicit(certificates) as peer:
        peer.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.answers["data"] = lambda s, line: time.sleep(1) or "354 go on"
        text = HEAD + "".join(f"{n:08d} {'x' * 60}\r\n" for n in range(120000))
        with _over(peer, certificates) as probe:
            assert probe.send(text=text, timeout=60)["delivery"] == "sent"
    assert peer.mails[0].text == text


def test_mails_that_just_fill_a_buffer_under_implicit_tls(certificates):
    with _implicit(certificates) as peer, _over(peer, certificates) as probe:
        for length in [*range(2030, 2060), *range(8180, 8200)]:
            text = HEAD + "x" * (length - len(HEAD) - 2) + "\r\n"
            assert probe.send(text=text)["delivery"] == "sent"
            assert peer.mails[-1].text == text


def test_implicit_tls_two_hundred_times(certificates):
    context = tls_context(certificates["good"], lowest=ssl.TLSVersion.TLSv1_3)
    context.num_tickets = 4
    with SmtpPeer(tls=context, keep=False, implicit=True) as peer:
        with _over(peer, certificates, connections=4, limits={"mails": 1, "greeting_ms": 5000}) as probe:
            probe.say(bulk=200, size=300)
            assert probe.next("bulk", 60)["bulk"] == {"sent": 200}
    assert peer.connections == 200 and {s.tls for s in peer.sessions} == {"TLSv1.3"}


@pytest.mark.parametrize("auth", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_login_under_implicit_tls(certificates, tmp_path, auth):
    path = _password(tmp_path / "password", "correct horse\n")
    with _implicit(certificates, users={"me": "correct horse"}, auth=auth, auth_before_tls=False) as peer:
        with _over(peer, certificates, user="me", password_file=path) as probe:
            assert probe.send()["delivery"] == "sent"
    assert peer.mails[0].user == "me"


def test_implicit_tls_to_a_relay_that_speaks_first(peer):
    """As on port 587: it greets in the clear."""
    with Probe(peer.relay, tls="implicit") as probe:
        result = probe.send()
    assert result["delivery"] == "relay" and not any(c.startswith(("EHLO", "MAIL")) for c in peer.commands())
    assert result["reply"] == "TLS: the relay doesn't begin with TLS; tls = required is for STARTTLS"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to listen on port 465")
def test_port_465_without_implicit_tls(certificates):
    """Both wait for the other to begin."""
    with SmtpPeer("127.4.6.5", 465, tls=tls_context(certificates["good"]), implicit=True):
        with Probe("127.4.6.5:465", tls="required", ca_file=certificates["ca"], limits={"greeting_ms": 300}) as probe:
            assert probe.send()["reply"] == "the relay took too long to greet; port 465 is for tls = implicit"


def test_a_handshake_that_hangs():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with Probe(f"127.0.0.1:{server.getsockname()[1]}", tls="implicit", limits={"tls_ms": 300}) as probe:
            result = probe.send()
    assert result["delivery"] == "relay" and result["reply"] == "the relay took too long"


def test_one_that_shakes_hands_slowly_holds_up_nobody(certificates):
    """All connections are on one thread."""
    with socket.create_server(("127.0.0.1", 0)) as silent, _implicit(certificates) as peer:
        relays = [f"127.0.0.1:{silent.getsockname()[1]}", f"localhost:{peer.port}"]
        with Probe(relays, tls="implicit", ca_file=certificates["ca"], connections=1,
                   limits={"stall_ms": 300, "tls_ms": 60000}) as probe:
            probe.put()
            connection, _ = silent.accept()
            for _ in range(20):
                probe.put()
            results = probe.results(20, timeout=30)
            assert {r["delivery"] for r in results} == {"sent"}
            probe.say(stop=0)
            assert probe.next()["reply"] == "cut off: dispatchd is stopping"
            connection.close()


def _asks_for_ours(certificates):
    context = tls_context(certificates["good"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates["ca"])
    return context


@pytest.mark.parametrize("tls", ["implicit", "required"])
def test_a_relay_that_asks_for_our_certificate(certificates, tls):
    """Connection after connection: each frees what it has of it, and no more."""
    with SmtpPeer(tls=_asks_for_ours(certificates), implicit=tls == "implicit") as peer:
        ours = {"client_cert": certificates["good"], "client_key": certificates["good"]}
        with Probe(f"localhost:{peer.port}", tls=tls, ca_file=certificates["ca"], limits={"mails": 1}, **ours) as probe:
            probe.say(bulk=30, size=500)
            assert probe.next("bulk", 30)["bulk"] == {"sent": 30}
        with Probe(f"localhost:{peer.port}", tls=tls, ca_file=certificates["ca"]) as probe:
            result = probe.send()
    assert peer.count == 30
    assert result["delivery"] == "relay" and "certificate required" in result["reply"], result


def test_the_steps_of_a_test(world, certificates):
    peer = smtp_peer.start(world, tls=tls_context(certificates["good"]), implicit=True)
    world.configure(smtp={"tls": "implicit", "ca_file": certificates["ca"]})
    world.start_daemon()
    (relay,) = ask(world)
    assert names(relay) == ["resolve", "connect", "tls", "greeting", "ehlo", "mail", "rcpt", "rset"]
    assert re.fullmatch(r"TLSv1\.[23], certificate of localhost until \S+Z, verified", relay["steps"][2]["reply"])
    peer.tls.load_cert_chain(certificates["old"])
    (relay,) = ask(world, status=69)
    assert names(relay) == ["resolve", "connect", "tls"]
    assert relay["steps"][2]["reply"] == "TLS: the certificate is refused: certificate has expired"
    assert peer.mails == []


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data", "body"])
@pytest.mark.parametrize("action", [Drop, Hang(), Trickle(interval=0.02)], ids=["drop", "hang", "trickle"])
def test_hanging_dropping_trickling_under_implicit_tls(certificates, stage, action):
    limits = {k: 400 for k in ("greeting_ms", "command_ms", "dot_ms", "body_ms", "quit_ms")}
    with _implicit(certificates, answers={stage: action}) as peer:
        with _over(peer, certificates, limits=limits) as probe:
            result = probe.send()
            assert result["delivery"] == ("in_doubt" if stage == "body" else "relay"), result
            del peer.answers[stage]
            assert probe.until_sent()


def test_421_under_implicit_tls_opens_a_new_connection(certificates):
    with _implicit(certificates, answers={"mail": lambda s, line: Then("421 4.7.0 enough", Drop()) if s.mails else None}) as peer:
        with _over(peer, certificates) as probe:
            for _ in range(4):
                assert probe.until_sent()
    assert {s.tls is not None for s in peer.sessions} == {True} and peer.count == 4
