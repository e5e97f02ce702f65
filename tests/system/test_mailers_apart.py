# SPDX-License-Identifier: MIT
"""All connections are on one thread: wherever one of them waits, it holds up no other, and what goes wrong with one is
no other one's fault."""
import pytest

from smtp_peer import Deaf, Hang, Raw, SmtpPeer, Then, Trickle, tls_context
from test_mailer import HEAD, Probe
from test_relay_test import ask, names
from world import wait_until

LARGE = HEAD + "More than a socket holds, less than mailers may have in hand.\r\n" * 55_000


class Once:
    """The peer's answer, for the first time that it is asked."""

    def __init__(self, action):
        self.action, self.asked = action, 0

    def __call__(self, *_):
        self.asked += 1
        return self.action if self.asked == 1 else None


def sends_all_but(probe, slow):
    """What is put behind the one that waits goes out, and that one is still there then."""
    for _ in range(100):
        probe.put()
    results = probe.results(100, timeout=30)
    assert {r["delivery"] for r in results} == {"sent"} and slow not in {r["mail"] for r in results}
    probe.say(stop=0)
    assert probe.next()["mail"] == slow


@pytest.mark.parametrize("stage, action", [
    ("greeting", Hang()), ("ehlo", Trickle("250 ")), ("starttls", Then("220 go on", Hang())), ("mail", Hang()),
    ("rcpt", Trickle("250 ")), ("data", Hang()), ("body", Hang())])
def test_one_that_waits_for_a_reply(certificates, stage, action):
    answer = Once(action)
    with SmtpPeer(tls=tls_context(certificates["good"]), answers={stage: answer}) as peer:
        with Probe(peer.relay, connections=2) as probe:
            slow = probe.put()
            wait_until(lambda: answer.asked, "the first mail to be under way")
            sends_all_but(probe, slow)


@pytest.mark.parametrize("tls", ["none", "required"])
def test_one_whose_relay_takes_no_more_of_a_mail(certificates, tls):
    answer = Once(Then("354 go on", Deaf()))
    with SmtpPeer(tls=tls_context(certificates["good"]), answers={"data": answer}) as peer:
        with Probe(peer.relay, connections=2, tls=tls, ca_file=certificates["ca"]) as probe:
            slow = probe.put(text=LARGE)
            wait_until(lambda: answer.asked, "the first mail to be under way")
            sends_all_but(probe, slow)


@pytest.mark.parametrize("tls", ["none", "required"])
def test_a_large_mail_among_others_arrives_whole(certificates, tls):
    with SmtpPeer(tls=tls_context(certificates["good"])) as peer:
        with Probe(peer.relay, connections=3, tls=tls, ca_file=certificates["ca"]) as probe:
            for _ in range(2):
                probe.put(text=LARGE)
                for _ in range(20):
                    probe.put()
            assert {r["delivery"] for r in probe.results(42, timeout=60)} == {"sent"}
        assert sorted(len(m.data) for m in peer.mails)[-2:] == [len(LARGE)] * 2
        assert {m.text for m in peer.mails} == {LARGE, HEAD + "Hello\r\n"}


def test_tls_faults_are_those_of_their_own_connection(world, certificates):
    """OpenSSL keeps them by thread."""
    good, old = tls_context(certificates["good"]), tls_context(certificates["old"])
    with SmtpPeer(tls=good) as well, SmtpPeer(tls=old) as expired, \
            SmtpPeer(tls=good, answers={"starttls": Then("220 go on", Raw(b"no TLS at all\r\n" * 20))}) as garbled, \
            SmtpPeer(tls=good, answers={"starttls": Then("220 go on", Hang())}) as silent, SmtpPeer(tls=good) as fine:
        peers = [well, expired, garbled, silent, fine]
        world.configure(mail={"transport": "smtp"}, smtp={
            "relay": ", ".join(peer.relay for peer in peers), "tls": "required", "ca_file": certificates["ca"]})
        world.start_daemon()
        relays = ask(world, status=69)  # waits for the silent one
        assert [relay["ok"] for relay in relays] == [True, False, False, False, True], relays
        why = [relay["steps"][-1]["reply"] for relay in relays[1:4]]
        assert {names(relay)[-1] for relay in relays[1:4]} == {"tls"}
        assert "certificate has expired" in why[0] and "expired" not in why[1] + why[2], why
        assert "took too long" in why[2], why
