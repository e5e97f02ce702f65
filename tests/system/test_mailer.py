# SPDX-License-Identifier: MIT
"""The mailers against peers that misbehave: each test shows one trap closed.

The pool is driven by build/tests/mailer_probe, which links the daemon's own mailers."""
import json
import os
import queue
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time

import pytest

from smtp_peer import (Drop, Hang, Raw, SmtpPeer, Then, Trickle,
                       tls_context)
from world import PATIENCE, wait_until

BUILD = os.environ.get("BUILD", "build")
PROBE = os.path.join(BUILD, "tests", "mailer_probe")
HEAD = ("Date: Thu, 1 Jan 2026 08:00:00 +0000\r\nFrom: Example Hauling <dispatch@example.com>\r\n"
        "To: a@example.com\r\nMessage-ID: <1@example.com>\r\nSubject: on the way\r\n\r\n")
# Rests short enough for a test, long enough to be seen.
LONG_HOLD_MS = 20000  # where refusals have to gather: nobody waits for it who isn't held up
QUICK = {"open_min_ms": 200, "open_max_ms": 400, "idle_ms": 300, "hold_ms": 500}


class Probe:
    """One pool, alive for a test."""

    def __init__(self, relay, limits=None, env=None, before=(), **settings):
        relay = [relay] if isinstance(relay, str) else relay
        self.settings = {"relay": relay, "connections": 1, **settings}
        full = {**self.settings, "limits": {**QUICK, **(limits or {})}}
        self.process = subprocess.Popen([*before, PROBE, json.dumps(full)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **(env or {})})
        self.lines, self.number = queue.Queue(), 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            try:
                self.process.stdin.close()
                self.process.wait(5 * PATIENCE)
            except (subprocess.TimeoutExpired, OSError):
                self.process.kill()
        errors = self.process.stderr.read()
        self.process.wait()
        if kind is None:
            assert self.process.returncode == 0, errors
            assert errors == ""

    def say(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def put(self, to="a@example.com", text=HEAD + "Hello\r\n", **more):
        self.number += 1
        self.say(mail=self.number, to=to, text=text, **more)
        return self.number

    def next(self, key="delivery", timeout=10):
        end = time.monotonic() + timeout * PATIENCE
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"no {key} within {timeout} s")
            assert line is not None, self.process.stderr.read()
            if key in line:
                return line

    def results(self, n, timeout=10):
        return [self.next(timeout=timeout) for _ in range(n)]

    def send(self, **mail):
        """One mail and what became of it."""
        timeout = mail.pop("timeout", 10)
        self.put(**mail)
        return self.next(timeout=timeout)

    def relays(self):
        self.say(relays=True)
        return self.next("relays")["relays"]

    def until_sent(self, timeout=10, **mail):
        """Puts a mail again as the engine would, until it is sent."""
        end = time.monotonic() + timeout * PATIENCE
        while time.monotonic() < end:
            result = self.send(**mail)
            if result["delivery"] == "sent":
                return result
            assert result["delivery"] == "relay", result
        pytest.fail("never sent")


def fails(*args, **settings):
    """What the probe says when it refuses to start."""
    with pytest.raises(AssertionError) as caught:
        with Probe(*args, **settings) as probe:
            probe.process.wait(5 * PATIENCE)
    assert "Sanitizer" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def peer():
    with SmtpPeer() as p:
        yield p


# ---- the plain way ----

def test_a_mail_arrives_whole(peer):
    with Probe(peer.relay) as probe:
        result = probe.send(to="kim@example.com")
    mail = peer.wait_mails(1)[0]
    assert result["delivery"] == "sent" and result["reply"] == "250 2.0.0 taken as 1"
    assert result["to"] == "kim@example.com" and result["relay"] == peer.relay
    assert mail.sender == "dispatch@example.com" and mail.recipients == ["kim@example.com"]
    assert mail.text == HEAD + "Hello\r\n"


def test_a_connection_carries_many_mails_and_is_recycled(peer):
    with Probe(peer.relay, limits={"mails": 50}) as probe:
        probe.say(bulk=200, size=500)
        assert probe.next("bulk", 20)["bulk"] == {"sent": 200}
    assert 4 <= peer.connections <= 5
    assert max(s.mails for s in peer.sessions) == 50


def test_an_idle_connection_is_closed_politely(peer):
    with Probe(peer.relay) as probe:
        probe.send()
        wait_until(lambda: peer.sessions[0].commands[-1] == "QUIT", "QUIT", 5)
        assert probe.send()["delivery"] == "sent"
    assert peer.connections == 2


def test_refused_mails_keep_the_connection(peer):
    peer.answers["rcpt"] = lambda s, line: "550 5.1.1 nobody here" if "gone" in line else None
    peer.answers["mail"] = lambda s, line: "550 5.1.8 not from you" if len(s.commands) % 7 == 6 else None
    peer.answers["body"] = lambda s, data: "452 4.3.1 later" if s.mails % 5 == 4 else None
    with Probe(peer.relay, limits={"hold_ms": 100}) as probe:
        for n in range(30):
            probe.put(to=("gone%d@example.com" if n % 3 == 0 else "kim%d@example.com") % n)
        kinds = [r["delivery"] for r in probe.results(30)]
    assert set(kinds) == {"sent", "mail_busy", "mail_refused", "address_invalid"}
    assert peer.connections == 1


@pytest.mark.parametrize("stage, extensions", [("rcpt", []), ("data", []), ("data", ["PIPELINING"]), ("rcpt", ["PIPELINING"])])
def test_no_text_goes_out_with_a_lease_that_ends(stage, extensions):
    """Another machine may send the mail soon: it comes back as it was, and the relay isn't at fault."""
    heard, go = threading.Event(), threading.Event()

    def wait(*_):
        heard.set()
        go.wait(30)

    with SmtpPeer(extensions=extensions) as peer:
        peer.answers[stage] = wait
        with Probe(peer.relay) as probe:
            probe.say(lease=60000)
            probe.put()
            assert heard.wait(30)
            probe.say(lease=1000)
            probe.say(relays=True)  # behind it, the lease is known
            probe.next("relays")
            peer.answers.clear()
            go.set()
            result = probe.next()
            assert result["delivery"] == "relay" and not peer.mails
            assert ("DATA" in peer.commands()) == (stage == "data" or extensions != [])
            probe.say(lease=60000)
            assert probe.send()["delivery"] == "sent"
        assert len(peer.mails) == 1


@pytest.mark.parametrize("host", ["::1", "unix"])
def test_ipv6_and_unix_relays(host, tmp_path):
    path = str(tmp_path / "smtp.sock") if host == "unix" else None
    try:
        peer = SmtpPeer(path=path, host="127.0.0.1" if path else host)
    except OSError:
        pytest.skip("no IPv6 here")
    with peer, Probe(peer.relay) as probe:
        assert probe.send()["delivery"] == "sent"


def in_host(name):
    """A command in front that makes the programs behind it think the host is called so."""
    words = ["unshare", "--uts"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
    if not shutil.which("unshare") or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces here")
    return [*words, sys.executable, "-c", "import os, socket, sys; socket.sethostname(sys.argv[1]); "
            "os.execv(sys.argv[2], sys.argv[2:])", name]


@pytest.mark.parametrize("name, expected", [
    ("mail.example.com", "mail.example.com"), ("mail.example.com.", "mail.example.com"),
    ("my_host.example.com", "[127.0.0.1]"), ("localhost.localdomain", "[127.0.0.1]"), ("10.1.2.3", "[127.0.0.1]"),
    ("mailhost", "[127.0.0.1]"), ("localhost", "[127.0.0.1]")])
def test_ehlo_gives_a_full_name_or_an_address(peer, name, expected):
    with Probe(peer.relay, before=in_host(name)) as probe:
        assert probe.send()["delivery"] == "sent"
    assert peer.commands()[0] == "EHLO " + expected


def test_ehlo_has_our_ipv6_address():
    try:
        peer = SmtpPeer(host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    with peer, Probe(peer.relay, before=in_host("my_host")) as probe:
        assert probe.send()["delivery"] == "sent"
        assert peer.commands()[0] == "EHLO [IPv6:::1]"


def test_ehlo_over_a_unix_socket(tmp_path):
    before = in_host("my_host.example.com")
    with SmtpPeer(path=str(tmp_path / "smtp.sock")) as peer, Probe(peer.relay, before=before) as probe:
        assert probe.send()["delivery"] == "sent"
        assert peer.commands()[0] == "EHLO [127.0.0.1]"


@pytest.mark.parametrize("helo", ["out.example.net", "[192.0.2.9]", "[IPv6:2001:db8::9]"])
def test_ehlo_has_what_is_configured(peer, helo):
    with Probe(peer.relay, helo=helo) as probe:
        assert probe.send()["delivery"] == "sent"
    assert peer.commands()[0] == "EHLO " + helo


def test_a_name_is_looked_up(peer):
    with Probe(f"localhost:{peer.port}") as probe:
        assert probe.send()["delivery"] == "sent"


def test_an_unknown_name_is_the_relays_fault():
    with Probe("no-such-host.invalid:25") as probe:
        result = probe.send(timeout=20)
    assert result["delivery"] == "relay" and "no-such-host.invalid" in result["reply"]


# ---- speed: Nagle's algorithm would let 23 mails a second through ----

@pytest.mark.parametrize("size", [3000, 20000])
def test_big_mails_go_at_full_speed(size):
    with SmtpPeer(keep=False) as peer, Probe(peer.relay) as probe:
        probe.say(bulk=200, size=500)
        small = probe.next("bulk", 30)
        probe.say(bulk=200, size=size)
        big = probe.next("bulk", 30)
    assert small["bulk"] == big["bulk"] == {"sent": 200}
    # 200 mails with 40 ms each would take 8 s more.
    assert big["took_ms"] < small["took_ms"] * 10 + 2000


# ---- sizes at which libesmtp's buffer of 2,048 bytes, or ours, is just full ----

SIZES = [whole + more for whole in (2048, 4096, 8192, 16384) for more in (-1, 0, 1)]


def check_sizes(peer, probe):
    texts = []
    for size in SIZES:
        fill = size - len(HEAD) - len(".\r\n")  # the dot is written with the mail
        texts.append(HEAD + ("x" * 62 + "\r\n") * (fill // 64 - 1) + "y" * (64 + fill % 64 - 2) + "\r\n")
        assert len(texts[-1]) == size - 3
        probe.put(text=texts[-1])
    assert {r["delivery"] for r in probe.results(len(SIZES))} == {"sent"}
    assert [m.text for m in peer.mails] == texts


def test_mails_that_just_fill_a_buffer(peer):
    with Probe(peer.relay) as probe:
        check_sizes(peer, probe)
    assert peer.connections == 1


def test_mails_that_just_fill_a_buffer_under_tls(certificates):
    with SmtpPeer(tls=tls_context(certificates["good"])) as peer:
        with Probe(f"localhost:{peer.port}", tls="required", ca_file=certificates["ca"]) as probe:
            check_sizes(peer, probe)
    assert peer.connections == 1


# ---- what a message may carry ----

@pytest.mark.parametrize("body", ["a\n.\nMAIL FROM:<evil@example.com>\nb\n", "a\r.\rb", "a\r\n.\r\nb\r\n",
                                  ".leading\r\n..two\r\n", "no end", "a\n.\r\nb", "a\r\n.\nb"])
def test_no_body_ends_the_mail_early(peer, body):
    with Probe(peer.relay) as probe:
        assert probe.send(text=HEAD + body)["delivery"] == "sent"
        assert probe.send()["delivery"] == "sent"
    first = peer.wait_mails(2)[0]
    assert len(peer.mails) == 2 and not any("evil" in c for c in peer.commands())
    wanted = body.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    assert first.text[len(HEAD):].rstrip("\r\n").split("\r\n") == wanted
    assert b"\n" not in first.data.replace(b"\r\n", b"")


@pytest.mark.parametrize("to", ["a@example.com>\r\nRCPT TO:<b@example.com", "a@example.com\r\nDATA",
                                "a b@example.com", "a@example.com\n", "", "a@exämple.com"])
def test_a_mailbox_can_not_speak_smtp(peer, to):
    with Probe(peer.relay) as probe:
        result = probe.send(to=to)
        assert probe.send()["delivery"] == "sent"
    assert result["delivery"] == "address_refused" and result["reply"].startswith("not sent")
    assert [m.recipients for m in peer.mails] == [["a@example.com"]]
    assert not any("b@example.com" in c for c in peer.commands())


def test_a_broken_template_is_told(peer):
    with Probe(peer.relay) as probe:
        result = probe.send(template="broken")
        assert result["delivery"] == "sent" and result["template_broken"]
        assert result["fault"] == "completed.txt:3: section is never closed"
        result = probe.send(template="unusable")
        assert result["delivery"] == "mail_refused" and "no JSON" in result["reply"]


# ---- the reply ----

def test_replies_are_one_clean_line(peer):
    peer.answers["rcpt"] = Raw(b"550-5.1.1 first\r\n550-5.1.1 sec\x1b[31m\xff\xfeond\r\n550 5.1.1 last \xc3\xa9\r\n")
    with Probe(peer.relay) as probe:
        result = probe.send()
    assert result["delivery"] == "address_invalid"
    assert result["reply"] == "550 5.1.1 first sec [31m??ond last é"


def test_enhanced_codes_are_read_without_the_extension():
    with SmtpPeer(extensions=["PIPELINING"], answers={"rcpt": "550 5.1.1 unknown"}) as peer:
        with Probe(peer.relay) as probe:
            result = probe.send()
    assert result["delivery"] == "address_invalid" and result["reply"] == "550 5.1.1 unknown"


@pytest.mark.parametrize("stage, code", [("greeting", 220), ("ehlo", 250), ("mail", 250), ("rcpt", 250), ("body", 250)])
def test_a_code_without_a_text_is_a_reply(peer, stage, code):
    peer.answers[stage] = Raw(b"%d\r\n" % code)
    with Probe(peer.relay) as probe:
        assert probe.send()["delivery"] == "sent"


# ---- parameters that the relay announces and then refuses: ours, not asked for by anyone ----

DSN = ["SIZE 10485760", "DSN", "ENHANCEDSTATUSCODES"]


def with_parameters(reply):
    """An answer that refuses the command for its parameters."""
    return lambda session, line: reply if line.partition(">")[2].strip() else None


def parameters(peer, verb):
    """What stood behind each MAIL or RCPT, in order."""
    return [c.partition(">")[2].strip() for c in peer.commands() if c.startswith(verb)]


@pytest.mark.parametrize("pipelining", [[], ["PIPELINING"]])
@pytest.mark.parametrize("stage, verb, parameter", [("mail", "MAIL", "ENVID"), ("mail", "MAIL", "SIZE"), ("rcpt", "RCPT", "NOTIFY")])
@pytest.mark.parametrize("reply", ["501 5.5.4 bad parameter", "504 5.5.4 not implemented", "555 5.5.4 unsupported option",
                                   "555 what", "550 5.5.4 invalid arguments"])
def test_a_refused_parameter_is_left_out(pipelining, stage, verb, parameter, reply):
    with SmtpPeer(extensions=[*DSN, *pipelining], answers={stage: with_parameters(reply)}) as peer:
        with Probe(peer.relay) as probe:
            for n in range(5):
                probe.put(to=f"kim{n}@example.com")
            results = probe.results(5)
    assert {(r["delivery"], r["reply"][:3]) for r in results} == {("sent", "250")}
    assert sorted(m.recipients[0] for m in peer.mails) == [f"kim{n}@example.com" for n in range(5)]
    found = parameters(peer, verb)
    assert parameter in found[0] and found[1:] == [""] * 5, "the bare command is tried once, and that is remembered"
    assert peer.connections == 1
    other = parameters(peer, "RCPT" if verb == "MAIL" else "MAIL")
    assert all(other), "what was not refused is still sent"


def test_both_commands_without_parameters():
    answers = {"mail": with_parameters("501 5.5.4 no"), "rcpt": with_parameters("504 5.5.4 no")}
    with SmtpPeer(extensions=["PIPELINING", *DSN], answers=answers) as peer, Probe(peer.relay) as probe:
        assert probe.send()["delivery"] == probe.send()["delivery"] == "sent"
        assert len(peer.mails) == 2 and peer.connections == 1
        assert [bool(p) for p in parameters(peer, "MAIL")] == [True, False, False, False]
        assert [bool(p) for p in parameters(peer, "RCPT")] == [True, False, False]


@pytest.mark.parametrize("stage, verb, delivery", [("mail", "MAIL", "mail_refused"), ("rcpt", "RCPT", "address_refused")])
def test_a_bare_command_that_is_refused_is_the_mails_own(stage, verb, delivery):
    """501 is an address' syntax, too. It is the mail's then, and no habit of the relay's."""
    bad = lambda session, line: "501 5.1.7 bad syntax" if line.startswith("RCPT") == (stage == "rcpt") else None
    with SmtpPeer(extensions=["PIPELINING", *DSN], answers={stage: bad}) as peer, Probe(peer.relay) as probe:
        result = probe.send()
        assert (result["delivery"], result["reply"]) == (delivery, "501 5.1.7 bad syntax")
        assert [bool(p) for p in parameters(peer, verb)] == [True, False]
        del peer.answers[stage]
        assert probe.send(to="b@example.com")["delivery"] == "sent"
        assert parameters(peer, verb)[-1] != ""
    assert len(peer.mails) == 1


@pytest.mark.parametrize("reply, delivery", [("501 5.1.7 bad syntax", "mail_refused"), ("552 5.3.4 too big", "mail_refused"),
                                             ("451 4.5.4 later", "mail_busy")])
def test_a_refusal_of_something_else_is_reported_once(reply, delivery):
    extensions = ["PIPELINING"] if reply.startswith("501") else DSN
    with SmtpPeer(extensions=extensions, answers={"mail": reply}) as peer, Probe(peer.relay) as probe:
        assert probe.send()["delivery"] == delivery
        assert len(parameters(peer, "MAIL")) == 1


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_a_relay_that_hangs_up_over_a_parameter(stage):
    refuse = with_parameters(Then("501 5.5.4 no such thing", Drop))
    with SmtpPeer(extensions=["PIPELINING", *DSN], answers={stage: refuse}) as peer, Probe(peer.relay) as probe:
        probe.until_sent()
        assert len(peer.mails) == 1
        assert sum(bool(p) for p in parameters(peer, stage.upper())) == 1


def test_what_was_learned_holds_for_all_connections_of_that_relay():
    refuse = with_parameters("555 5.5.4 unsupported")
    with SmtpPeer(extensions=["PIPELINING", *DSN], answers={"mail": refuse, "rcpt": refuse}) as peer:
        with Probe(peer.relay, connections=4, limits={"mails": 10}) as probe:
            probe.say(bulk=200, size=500)
            assert probe.next("bulk", 30)["bulk"] == {"sent": 200}
    assert sorted(m.recipients[0] for m in peer.mails) == sorted(f"user{n}@example.com" for n in range(200))
    assert sum(bool(p) for p in parameters(peer, "MAIL")) <= 4 and peer.connections >= 20


def test_what_was_learned_is_of_one_relay():
    refuse = with_parameters("555 5.5.4 unsupported")
    with SmtpPeer(extensions=DSN, answers={"mail": refuse}) as peer, SmtpPeer(extensions=DSN) as other:
        with Probe([peer.relay, other.relay], limits={"mails": 1}) as probe:
            assert probe.send()["relay"] == peer.relay
            peer.answers["greeting"] = "421 4.3.2 closing"
            probe.until_sent()
            assert all(parameters(other, "MAIL")) and len(other.mails) == 1


def test_what_was_learned_is_forgotten():
    """After a day (here less), and by a reload."""
    refuse = with_parameters("555 5.5.4 unsupported")
    with SmtpPeer(extensions=DSN, answers={"mail": refuse}) as peer:
        with Probe(peer.relay, limits={"bare_ms": 1500}) as probe:
            for _ in range(2):
                assert probe.send()["delivery"] == "sent"
            assert len(parameters(peer, "MAIL")) == 3
            time.sleep(1.6)
            assert probe.send()["delivery"] == "sent"
            assert [bool(p) for p in parameters(peer, "MAIL")] == [True, False, False, True, False]
        with Probe(peer.relay) as probe:
            assert probe.send()["delivery"] == "sent"
            probe.say(reload=probe.settings)
            before = len(parameters(peer, "MAIL"))
            assert probe.send()["delivery"] == "sent"
            assert [bool(p) for p in parameters(peer, "MAIL")[before:]] == [True, False]


def test_parameters_are_left_out_under_tls_and_auth(certificates, tmp_path):
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    refuse = with_parameters("501 5.5.4 no")
    with SmtpPeer(extensions=["PIPELINING", *DSN], tls=tls_context(certificates["good"]), users={"me": "correct horse"},
                  auth_before_tls=False, answers={"mail": refuse, "rcpt": refuse}) as peer:
        with Probe(f"localhost:{peer.port}", tls="required", ca_file=certificates["ca"], user="me",
                   password_file=str(path)) as probe:
            assert probe.send()["delivery"] == probe.send()["delivery"] == "sent"
    assert [m.user for m in peer.mails] == ["me", "me"] and all(m.tls for m in peer.mails) and peer.connections == 1


# ---- every stage: 421, 4xx, 5xx, nothing, silence, a trickle ----

BEFORE_MAIL = ["greeting", "ehlo"]
SINCE_MAIL = ["mail", "rcpt", "data", "body"]


@pytest.mark.parametrize("stage", BEFORE_MAIL + SINCE_MAIL)
def test_421_is_the_relays_fault(peer, stage):
    peer.answers[stage] = Then("421 4.3.2 closing", Drop)
    with Probe(peer.relay) as probe:
        result = probe.send()
        assert result["delivery"] == "relay" and result["reply"] == "421 4.3.2 closing"
        relay = probe.relays()[0]
        assert not relay["up"] and relay["words"] == "421 4.3.2 closing"
        del peer.answers[stage]
        probe.until_sent()
        assert probe.relays()[0]["up"]


@pytest.mark.parametrize("stage,reply,delivery", [
    ("greeting", "450 4.3.2 busy", "relay"), ("greeting", "554 5.3.2 go away", "relay"),
    ("ehlo", "450 4.3.2 busy", "relay"), ("ehlo", "550 5.7.1 who are you", "relay"),
    ("mail", "451 4.3.0 later", "mail_busy"), ("mail", "550 5.1.8 bad sender", "mail_refused"),
    ("mail", "550 5.7.1 not from you", "relay"), ("mail", "530 5.7.0 log in first", "relay"),
    ("rcpt", "450 4.2.1 greylisted", "mail_busy"), ("rcpt", "550 5.1.1 unknown", "address_invalid"),
    ("rcpt", "550 5.2.1 disabled", "address_refused"), ("rcpt", "454 4.7.0 no TLS", "relay"),
    ("data", "451 4.3.0 later", "mail_busy"), ("data", "554 5.6.0 no", "mail_refused"),
    ("body", "452 4.3.1 full", "mail_busy"), ("body", "554 5.7.1 spam", "mail_refused"),
])
def test_refusals_at_each_stage(peer, stage, reply, delivery):
    peer.answers[stage] = reply
    with Probe(peer.relay) as probe:
        result = probe.send()
        assert (result["delivery"], result["reply"]) == (delivery, reply)
        del peer.answers[stage]
        assert probe.until_sent()


@pytest.mark.parametrize("action", [Hang, Drop, Trickle("250 2.0.0 slow", 0.05)])
@pytest.mark.parametrize("stage", BEFORE_MAIL + SINCE_MAIL)
def test_hanging_dropping_trickling(peer, stage, action):
    peer.answers[stage] = action
    limits = {k: 700 for k in ("greeting_ms", "command_ms", "body_ms", "dot_ms", "quit_ms")}
    with Probe(peer.relay, limits=limits) as probe:
        started = time.monotonic()
        result = probe.send(timeout=8)
        # One command's limit and the next look at the clock, however much trickles meanwhile.
        assert time.monotonic() - started < 4 * PATIENCE
        assert result["delivery"] == ("in_doubt" if stage == "body" else "relay")
        assert result["reply"] == ("the relay closed the connection" if action is Drop
                                   else "the relay took too long")
        del peer.answers[stage]
        assert probe.until_sent()


def test_what_no_mailer_begins_with_goes_back():
    go = threading.Event()
    with SmtpPeer() as peer:
        peer.answers["body"] = lambda session, data: go.wait(20) and None
        with Probe(peer.relay, limits={"wait_ms": 300}) as probe:
            probe.put()
            wait_until(lambda: "DATA" in peer.commands(), "the first mail to be in hand")
            probe.put()
            back = probe.next()
            assert (back["mail"], back["delivery"]) == (2, "relay")
            go.set()
            assert probe.next()["mail"] == 1
        assert len(peer.mails) == 1


def test_a_drop_in_the_middle_of_the_body_is_in_doubt():
    with SmtpPeer(stop_in_body=100000) as peer, Probe(peer.relay) as probe:
        result = probe.send(text=HEAD + "x" * 70 + "\r\n" * 1 + ("y" * 70 + "\r\n") * 40000)
    assert result["delivery"] == "in_doubt" and not peer.mails


@pytest.mark.parametrize("length", [20, 100000])
def test_what_a_relay_says_in_the_middle_of_the_body_is_its_answer(peer, length):
    """It has enough and hangs up while the mail is on its way."""
    peer.answers["data"] = Then("354 go on", Then("421 4.3.2 shutting down", Drop))
    with Probe(peer.relay) as probe:
        result = probe.send(text=HEAD + "Hello\r\n" * length)
        assert result["delivery"] in ("relay", "in_doubt") and not peer.mails
        del peer.answers["data"]
        assert probe.until_sent()
    assert len(peer.mails) == 1


def test_a_peer_that_reads_no_body(peer):
    """It says 354 and then reads nothing: the write must end too."""
    peer.answers["data"] = Then("354 go on", Hang)
    limits = {"body_ms": 500, "dot_ms": 500}
    with Probe(peer.relay, limits=limits) as probe:
        assert probe.send(timeout=8)["delivery"] == "in_doubt"


def test_2xx_to_data_is_no_delivery(peer):
    peer.answers["data"] = "250 2.0.0 taken"
    with Probe(peer.relay) as probe:
        assert probe.send()["delivery"] == "relay"


def test_354_without_a_recipient_is_no_delivery(peer):
    peer.answers["rcpt"] = lambda s, line: "550 5.2.1 no" if "gone" in line else None
    peer.answers["data"] = "354 go on all the same"
    with Probe(peer.relay) as probe:
        probe.put(to="gone@example.com")
        probe.put(to="kim@example.com")
        kinds = sorted(r["delivery"] for r in probe.results(2))
    assert kinds == ["address_refused", "sent"]
    assert [m.recipients for m in peer.mails] == [["kim@example.com"]]


@pytest.mark.parametrize("end", [Then("421 4.7.0 enough for now", Drop), Drop])
def test_a_relay_that_takes_few_mails_a_connection_is_not_at_fault(peer, end):
    peer.answers["mail"] = lambda s, line: end if s.mails >= 5 else None
    with Probe(peer.relay) as probe:
        probe.say(bulk=40, size=300)
        assert probe.next("bulk", 20)["bulk"] == {"sent": 40}
        assert probe.relays()[0]["faults"] == 0
    assert peer.connections == 8


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_4xx_after_so_many_mails_is_the_connections(peer, stage):
    """The mail is sent once more over a new one before it counts; then the old one is no longer used."""
    peer.answers[stage] = lambda s, line: "452 4.5.3 too many messages" if s.mails >= 3 else None
    with Probe(peer.relay, connections=2) as probe:
        probe.say(bulk=60, size=300)
        assert probe.next("bulk", 20)["bulk"] == {"sent": 60}
        assert probe.relays()[0]["faults"] == 0
    assert len(peer.mails) == 60 and peer.connections >= 20


def test_421_after_the_dot_of_a_used_connection_is_the_connections(peer):
    peer.answers["body"] = lambda s, data: Then("421 4.7.0 enough for this connection", Drop) if s.mails >= 4 else None
    with Probe(peer.relay) as probe:
        probe.say(bulk=20, size=300)
        assert probe.next("bulk", 20)["bulk"] == {"sent": 20}
        assert probe.relays()[0]["faults"] == 0
    assert len(peer.mails) == 20


@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_a_4xx_on_a_new_connection_too_is_the_mails(peer, stage):
    """Also where other connections are open: they have delivered, too."""
    seen = []

    def answer(session, line):
        if "busy" in line or "busy" in "".join(session.recipients):
            seen.append(session.mails)
            return "450 4.2.1 not now"
    peer.answers[stage] = answer
    with Probe(peer.relay, connections=3, limits={"idle_ms": 3000}) as probe:
        for n in range(12):
            probe.put(to="busy@example.com" if n == 6 else f"kim{n}@example.com")
        kinds = [r["delivery"] for r in probe.results(12)]
    assert sorted(kinds) == ["mail_busy"] + ["sent"] * 11
    assert seen[-1] == 0 and len(seen) in (1, 2), "the last try was a new connection's first"


def test_a_connection_closed_while_idle_costs_nothing(peer):
    with Probe(peer.relay, limits={"idle_ms": 5000}) as probe:
        probe.send()
        with peer.lock:
            for sock in list(peer.open):
                sock.shutdown(socket.SHUT_RDWR)
        time.sleep(0.1)
        assert probe.send()["delivery"] == "sent"
        assert probe.relays()[0]["faults"] == 0


# ---- CHUNKING, DSN, a server without EHLO ----

@pytest.mark.parametrize("spelling", ["CHUNKING", "Chunking", "  CHUNKING"])
def test_chunking_is_not_used(spelling):
    with SmtpPeer(extensions=["PIPELINING", spelling, "BINARYMIME", "SIZE"]) as peer, Probe(peer.relay) as probe:
        assert probe.send()["delivery"] == "sent"
    assert "DATA" in peer.commands() and not any(c.startswith("BDAT") for c in peer.commands())


def test_chunking_split_over_two_reads():
    with SmtpPeer() as peer:
        def ehlo(session, line):
            peer_socket = next(iter(peer.open))
            peer_socket.sendall(b"250-peer.example.com\r\n250-CHUN")
            time.sleep(0.2)
            return Raw(b"KING\r\n250 PIPELINING\r\n")
        peer.answers["ehlo"] = ehlo
        with Probe(peer.relay) as probe:
            assert probe.send()["delivery"] == "sent"
        assert not any(c.startswith("BDAT") for c in peer.commands())


@pytest.mark.parametrize("offered", [True, False])
def test_dsn_is_asked_for_where_offered(offered):
    with SmtpPeer(extensions=["DSN"] if offered else []) as peer, Probe(peer.relay) as probe:
        probe.send()
    mail = peer.mails[0]
    assert ("ENVID=dispatchd-1" in mail.sender_options) == offered
    assert mail.recipient_options == (["NOTIFY=FAILURE,DELAY"] if offered else [""])


def test_helo_where_ehlo_is_unknown(peer):
    peer.answers["ehlo"] = "502 5.5.1 never heard of it"
    with Probe(peer.relay) as probe:
        assert probe.send()["delivery"] == "sent"


# ---- TLS ----

@pytest.mark.parametrize("mode", ["required", "opportunistic"])
@pytest.mark.parametrize("certificate,verdict", [("good", None), ("wrong", "mismatch"), ("alone", "self-signed"),
                                                 ("old", "expired")])
def test_certificates(certificates, mode, certificate, verdict):
    with SmtpPeer(tls=tls_context(certificates[certificate])) as peer:
        with Probe(f"localhost:{peer.port}", tls=mode, ca_file=certificates["ca"]) as probe:
            result = probe.send()
    if mode == "required" and verdict:
        assert result["delivery"] == "relay" and not peer.mails
        assert verdict in result["reply"], result["reply"]
        assert not any(c.startswith("MAIL") for c in peer.commands())
    else:
        assert result["delivery"] == "sent" and peer.mails[0].tls in ("TLSv1.2", "TLSv1.3")
        assert peer.mails[0].sni == "localhost"


def test_an_address_is_verified_as_one(certificates):
    with SmtpPeer(tls=tls_context(certificates["good"])) as peer:
        with Probe(peer.relay, tls="required", ca_file=certificates["ca"]) as probe:
            assert probe.send()["delivery"] == "sent"
    assert peer.mails[0].sni is None


def test_the_systems_authorities_do_not_know_ours(certificates):
    with SmtpPeer(tls=tls_context(certificates["good"])) as peer:
        with Probe(f"localhost:{peer.port}", tls="required") as probe:
            assert probe.send()["delivery"] == "relay"


def test_required_but_not_offered(peer):
    with Probe(peer.relay, tls="required") as probe:
        result = probe.send()
    assert result["delivery"] == "relay" and "STARTTLS" in result["reply"]
    assert not any(c.startswith("MAIL") for c in peer.commands())


@pytest.mark.parametrize("mode", ["required", "opportunistic"])
@pytest.mark.parametrize("answer", ["454 4.7.0 not now", "502 5.5.1 no", Drop])
def test_starttls_refused_never_falls_back(certificates, mode, answer):
    with SmtpPeer(tls=tls_context(certificates["good"]), answers={"starttls": answer}) as peer:
        with Probe(f"localhost:{peer.port}", tls=mode, ca_file=certificates["ca"]) as probe:
            result = probe.send()
    assert result["delivery"] == "relay"
    assert not any(c.startswith("MAIL") for c in peer.commands())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("mode", ["required", "opportunistic"])
def test_tls_1_1_is_not_spoken(certificates, mode):
    try:
        context = tls_context(certificates["good"], ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)
    except (ValueError, ssl.SSLError):
        pytest.skip("this Python's OpenSSL can't do TLS 1.1 itself")
    with SmtpPeer(tls=context) as peer:
        with Probe(f"localhost:{peer.port}", tls=mode, ca_file=certificates["ca"]) as probe:
            result = probe.send()
    assert result["delivery"] == "relay" and result["reply"].startswith("TLS:"), result
    assert not peer.mails and not any(c.startswith("MAIL") for c in peer.commands())


def test_none_means_none(certificates):
    with SmtpPeer(tls=tls_context(certificates["good"])) as peer, Probe(peer.relay, tls="none") as probe:
        assert probe.send()["delivery"] == "sent"
    assert peer.mails[0].tls is None


def test_tls_1_3_with_early_tickets_two_hundred_times(certificates):
    """Tickets that arrive before EHLO is out must not be waited on as a reply."""
    context = tls_context(certificates["good"], lowest=ssl.TLSVersion.TLSv1_3)
    context.num_tickets = 4
    with SmtpPeer(tls=context, keep=False) as peer:
        with Probe(f"localhost:{peer.port}", tls="required", ca_file=certificates["ca"], connections=4,
                   limits={"mails": 1, "greeting_ms": 5000}) as probe:
            probe.say(bulk=200, size=300)
            assert probe.next("bulk", 60)["bulk"] == {"sent": 200}
    assert peer.connections == 200 and {s.tls for s in peer.sessions} == {"TLSv1.3"}


def test_big_mails_under_tls(certificates):
    with SmtpPeer(tls=tls_context(certificates["good"])) as peer:
        with Probe(f"localhost:{peer.port}", tls="required", ca_file=certificates["ca"]) as probe:
            probe.say(bulk=200, size=500)
            small = probe.next("bulk", 30)
            probe.say(bulk=200, size=20000)
            big = probe.next("bulk", 30)
    assert small["bulk"] == big["bulk"] == {"sent": 200}
    assert big["took_ms"] < small["took_ms"] * 10 + 2000
    assert {len(m.data) // 1000 for m in peer.mails[200:]} == {20}


def test_bytes_behind_the_answer_to_starttls(certificates):
    """Somebody in the middle puts a reply before the handshake, to be taken for one under TLS."""
    answer = Raw(b"220 2.0.0 go on\r\n250-evil.example.net\r\n250 AUTH PLAIN\r\n")
    secret = os.path.join(os.path.dirname(certificates["ca"]), "password")
    _password(secret, "hunter2hunter2")
    with SmtpPeer(tls=tls_context(certificates["good"]), users={"me": "hunter2hunter2"},
                  auth_before_tls=False, answers={"starttls": answer}) as peer:
        with Probe(f"localhost:{peer.port}", tls="required", ca_file=certificates["ca"], user="me",
                   password_file=secret) as probe:
            result = probe.send()
            assert result["delivery"] == "relay" and "STARTTLS" in result["reply"]
            del peer.answers["starttls"]
            assert probe.until_sent()
    assert len(peer.mails) == 1 and peer.mails[0].user == "me"
    assert not any(c.startswith("AUTH") for c in peer.sessions[0].commands)


# ---- AUTH ----

def _password(path, text, mode=0o600):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return str(path)


@pytest.fixture
def password_file(tmp_path):
    return _password(tmp_path / "password", "correct horse\n")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "PLAIN LOGIN", "LOGIN PLAIN", "GSSAPI LOGIN", "CRAM-MD5",
                                       "CRAM-MD5 PLAIN", "NTLM CRAM-MD5", "cram-md5"])
def test_auth_right(password_file, mechanism):
    with SmtpPeer(users={"me": "correct horse"}, auth=mechanism) as peer:
        with Probe(peer.relay, user="me", password_file=password_file) as probe:
            assert probe.send()["delivery"] == "sent"
    assert peer.mails[0].user == "me"


@pytest.mark.parametrize("secret", ["x", "correct horse battery staple", "h\xe4 \u20ac", "a" * 64, "b" * 65, "c" * 255])
def test_cram_md5_proves_any_password(tmp_path, secret):
    path = _password(tmp_path / "password", secret)
    with SmtpPeer(users={"dispatch@example.com": secret}, auth="CRAM-MD5") as peer:
        with Probe(peer.relay, user="dispatch@example.com", password_file=path) as probe:
            assert probe.send()["delivery"] == "sent"
    assert peer.mails[0].user == "dispatch@example.com" and peer.commands()[1] == "AUTH CRAM-MD5"


def test_cram_md5_that_is_refused_gives_way_to_the_next(password_file):
    """As where the relay keeps only a hash of the password."""
    with SmtpPeer(users={"me": "correct horse"}, auth="CRAM-MD5 PLAIN") as peer:
        peer.answers["auth"] = lambda s, line: "535 5.7.8 no" if "CRAM" in line else None
        with Probe(peer.relay, user="me", password_file=password_file) as probe:
            assert probe.send()["delivery"] == "sent"
    assert [c for c in peer.commands() if c.startswith("AUTH")] == ["AUTH CRAM-MD5", "AUTH PLAIN"]


def test_cram_md5_over_several_connections(password_file):
    with SmtpPeer(users={"me": "correct horse"}, auth="CRAM-MD5") as peer:
        with Probe(peer.relay, user="me", password_file=password_file, connections=4, limits={"mails": 5}) as probe:
            probe.say(bulk=80, size=500)
            assert probe.next("bulk", 20)["bulk"] == {"sent": 80}
    assert {m.user for m in peer.mails} == {"me"}


@pytest.mark.parametrize("mechanism", ["PLAIN", "PLAIN LOGIN", "CRAM-MD5", "CRAM-MD5 PLAIN"])
def test_auth_wrong_sends_no_mail_unauthenticated(tmp_path, mechanism):
    secret = _password(tmp_path / "password", "incorrect horse")
    with SmtpPeer(users={"me": "correct horse"}, auth=mechanism) as peer:
        with Probe(peer.relay, user="me", password_file=secret) as probe:
            result = probe.send()
    assert result["delivery"] == "relay" and result["reply"] == "535 5.7.8 wrong user or password"
    assert not any(c.startswith("MAIL") for c in peer.commands())


@pytest.mark.parametrize("reply", ["454 4.7.0 later", "535 5.7.8 no", "534 5.7.9 too weak", "538 5.7.11 TLS first",
                                   "500 5.5.1 what", Drop])
def test_auth_refused(password_file, reply):
    with SmtpPeer(users={"me": "correct horse"}, answers={"auth": reply}) as peer:
        with Probe(peer.relay, user="me", password_file=password_file) as probe:
            result = probe.send()
            assert result["delivery"] == "relay"
            if isinstance(reply, str):
                assert result["reply"] == reply
            del peer.answers["auth"]
            assert probe.until_sent()
    assert not any(c.startswith("MAIL") for c in peer.sessions[0].commands)


@pytest.mark.parametrize("auth, fault", [
    (None, "offers no way to log in; dispatchd knows PLAIN, LOGIN and CRAM-MD5"),
    ("GSSAPI XOAUTH2", "offers GSSAPI XOAUTH2; dispatchd knows PLAIN, LOGIN and CRAM-MD5"),
    ("NTLM", "offers NTLM; dispatchd knows"),
    ("SCRAM-SHA-256 CRAM-MD5-PLUS", "offers SCRAM-SHA-256 CRAM-MD5-PLUS; dispatchd knows")])
def test_no_way_to_log_in_means_no_mail(password_file, auth, fault):
    with SmtpPeer(users=None if auth is None else {"me": "x"}, auth=auth or "") as peer:
        with Probe(peer.relay, user="me", password_file=password_file) as probe:
            result = probe.send()
            assert probe.relays()[0]["words"] == result["reply"]
    assert result["delivery"] == "relay" and result["reply"].startswith("AUTH: the relay " + fault)
    assert not any(c.startswith(("MAIL", "AUTH")) for c in peer.commands())


def test_a_reply_that_repeats_the_password_is_masked(password_file):
    with SmtpPeer(users={"me": "x"}, answers={"auth": "535 5.7.8 correct horse is wrong"}) as peer:
        with Probe(peer.relay, user="me", password_file=password_file) as probe:
            result = probe.send()
            words = probe.relays()[0]["words"]
    assert "correct horse" not in result["reply"] + words and "***" in result["reply"]


def test_the_systemd_credential(tmp_path):
    _password(tmp_path / "smtp-password", "correct horse\n", 0o400)
    with SmtpPeer(users={"me": "correct horse"}) as peer:
        with Probe(peer.relay, user="me", env={"CREDENTIALS_DIRECTORY": str(tmp_path)}) as probe:
            assert probe.send()["delivery"] == "sent"


@pytest.mark.parametrize("text,mode,words", [("", 0o600, "empty"), ("\n", 0o600, "empty"), ("\nsecond", 0o600, "empty"),
                                             ("a\tb", 0o600, "control"), ("x" * 256, 0o600, "at most 255")])
def test_password_files_that_are_refused(tmp_path, text, mode, words):
    secret = _password(tmp_path / "password", text, mode)
    fault = fails("127.0.0.1:25", user="me", password_file=secret)
    assert words in fault and (not text.strip() or text not in fault.replace(secret, ""))


@pytest.mark.parametrize("text", ["correct horse", "correct horse\n", "correct horse\r\n", "correct horse\nof whom\n"])
def test_the_password_is_the_first_line(tmp_path, text):
    secret = _password(tmp_path / "password", text, 0o644)
    with SmtpPeer(users={"me": "correct horse"}) as peer:
        with Probe(peer.relay, user="me", password_file=secret) as probe:
            assert probe.send()["delivery"] == "sent"


def test_a_user_without_a_password_is_refused(tmp_path):
    assert "no password" in fails("127.0.0.1:25", user="me", env={"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_a_user_that_is_too_long_is_refused(password_file):
    assert "at most 255" in fails("127.0.0.1:25", user="u" * 256, password_file=password_file)


def test_long_credentials_fit(tmp_path):
    secret = _password(tmp_path / "password", "p" * 255)
    with SmtpPeer(users={"u" * 255: "p" * 255}) as peer:
        with Probe(peer.relay, user="u" * 255, password_file=secret) as probe:
            assert probe.send()["delivery"] == "sent"


# ---- relays ----

def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_down_then_up():
    port = _free_port()
    with Probe(f"127.0.0.1:{port}") as probe:
        result = probe.send()
        assert result["delivery"] == "relay" and "refused" in result["reply"]
        assert not probe.relays()[0]["up"]
        with SmtpPeer(port=port) as peer:
            probe.until_sent()
            assert probe.relays()[0]["up"] and len(peer.mails) == 1


def test_a_resting_relay_is_left_alone(peer):
    peer.answers["greeting"] = "421 4.3.2 not now"
    with Probe(peer.relay, limits={"open_min_ms": 3000, "open_max_ms": 6000}) as probe:
        probe.send()
        first = peer.connections
        probe.put()
        time.sleep(0.5)
        assert peer.connections == first == 1
        probe.next(timeout=5)
        assert peer.connections == 2
        # Four fifths of twice as long at least.
        probe.put()
        time.sleep(1.2)
        assert peer.connections == 2


def test_all_in_hand_come_back_when_every_relay_rests():
    with Probe([f"127.0.0.1:{_free_port()}", f"127.0.0.1:{_free_port()}"], connections=2,
               limits={"open_min_ms": 60000, "open_max_ms": 60000}) as probe:
        started = time.monotonic()
        for n in range(20):
            probe.put()
        assert {r["delivery"] for r in probe.results(20)} == {"relay"}
        assert time.monotonic() - started < 40, "none waited for the breaker"


def test_the_next_relay_takes_over_at_once(peer):
    with Probe([f"127.0.0.1:{_free_port()}", peer.relay], connections=2) as probe:
        probe.say(bulk=20, size=300)
        assert probe.next("bulk")["bulk"] == {"sent": 20}
        assert [r["up"] for r in probe.relays()] == [False, True]


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("stage", BEFORE_MAIL + SINCE_MAIL)
def test_a_relay_that_hangs_does_not_hold_the_rest(stage, connections):
    """New mails go to the next one; those in hand stay, and when it answers again it is used again."""
    go = threading.Event()

    def wait(session, line):
        go.wait(60 * PATIENCE)
        return None
    limits = {"stall_ms": 500, "idle_ms": 300}
    with SmtpPeer(answers={stage: wait}) as first, SmtpPeer() as second:
        with Probe([first.relay, second.relay], connections=connections, limits=limits) as probe:
            for n in range(30):
                probe.put(to=f"kim{n}@example.com")
            results = probe.results(30 - connections, 20)
            assert {(r["delivery"], r["relay"]) for r in results} == {("sent", second.relay)}
            assert not first.mails
            go.set()
            assert {(r["delivery"], r["relay"]) for r in probe.results(connections)} == {("sent", first.relay)}
            end = time.monotonic() + 10 * PATIENCE
            while probe.send(to="later@example.com")["relay"] != first.relay:
                assert time.monotonic() < end, "the first relay is never used again"
        assert first.count + second.count >= 31


def test_one_slow_mail_leaves_a_relay_that_answers_others_alone():
    go = threading.Event()
    with SmtpPeer() as first, SmtpPeer() as second:
        first.answers["rcpt"] = lambda s, line: go.wait(60 * PATIENCE) and None if "slow" in line else None
        with Probe([first.relay, second.relay], connections=3, limits={"stall_ms": 1000, "idle_ms": 3000}) as probe:
            probe.put(to="slow@example.com")
            for n in range(10):
                assert probe.send(to=f"kim{n}@example.com")["relay"] == first.relay
                time.sleep(0.05)
            go.set()
            assert probe.next()["relay"] == first.relay
        assert second.count == 0


def test_the_first_relay_is_used_again_when_it_is_well():
    port = _free_port()
    with SmtpPeer() as second, Probe([f"127.0.0.1:{port}", second.relay]) as probe:
        probe.send()
        with SmtpPeer(port=port) as first:
            end = time.monotonic() + 8 * PATIENCE
            while not first.mails and time.monotonic() < end:
                assert probe.send()["delivery"] == "sent"
                time.sleep(0.1)
            assert first.mails and second.mails


def test_a_relay_that_takes_few_connections_keeps_those(peer):
    """The one too many is refused; the others go on, and nothing is lost or given back."""
    def greet(session, line):
        return Then("421 4.7.0 too many connections", Drop) if len(peer.open) > 2 else None
    peer.answers["greeting"] = greet
    with Probe(peer.relay, connections=6, limits={"idle_ms": 3000, "mails": 300}) as probe:
        for n in range(10):
            probe.put(to=f"warm{n}@example.com")
        first = [r["delivery"] for r in probe.results(10)]
        probe.say(bulk=300, size=300)
        done = probe.next("bulk", 20)
        assert done["bulk"].get("sent", 0) >= 295, done
        assert first.count("sent") >= 1
        assert probe.relays()[0]["up"]


def test_connections_that_work_keep_a_relay_that_refused_others_first(peer):
    """The ones too many are refused before any mail has gone over those that are welcome."""
    def greet(session, line):
        return Then("421 4.7.0 too many connections", Drop) if len(peer.open) > 2 else None
    peer.answers["greeting"] = greet
    peer.answers["mail"] = lambda session, line: time.sleep(0.5) if not session.mails else None
    # A new connection in the place of one that has carried enough might be one too many for a moment.
    limits = {"idle_ms": 3000, "open_min_ms": 5000, "open_max_ms": 5000, "mails": 300}
    with Probe(peer.relay, connections=6, limits=limits) as probe:
        for n in range(6):
            probe.put(to=f"warm{n}@example.com")
        first = [r["delivery"] for r in probe.results(6)]
        assert first.count("sent") == 2
        probe.say(bulk=300, size=300)
        done = probe.next("bulk", 20)
        assert done["bulk"].get("sent", 0) == 300, done
        assert probe.relays()[0]["up"]


# ---- refusals in the same words ----

def test_ten_different_recipients_refused_alike_are_the_relays_fault(peer):
    peer.answers["rcpt"] = "554 5.1.1 we take no mail from you"
    with Probe(peer.relay, limits={"open_min_ms": 5000, "open_max_ms": 5000, "hold_ms": LONG_HOLD_MS}) as probe:
        for n in range(12):
            probe.put(to=f"u{n}@example.com")
        kinds = [r["delivery"] for r in probe.results(12)]
        assert kinds == ["relay"] * 12
        assert not probe.relays()[0]["up"]


def test_the_row_goes_on_after_the_tenth(peer):
    """Who is refused so over connections that are open, or by the trial of the breaker, is the relay's fault, too."""
    peer.answers["rcpt"] = "550 5.1.1 we take no mail from you"
    peer.answers["mail"] = lambda session, line: time.sleep(0.2)
    with Probe(peer.relay, connections=8,
               limits={"open_min_ms": 100, "open_max_ms": 200, "hold_ms": LONG_HOLD_MS, "lone_ms": 2000}) as probe:
        for n in range(16):
            probe.put(to=f"u{n}@example.com")
        assert [r["delivery"] for r in probe.results(16)] == ["relay"] * 16
        eleventh = probe.send(to="eleventh@example.com")
        assert eleventh["delivery"] == "relay" and "5.1.1" in eleventh["reply"]
        assert not probe.relays()[0]["up"]
        peer.answers["rcpt"] = "550 5.1.1 unknown"
        assert probe.send(to="other.words@example.com")["delivery"] == "address_invalid"
        peer.answers["rcpt"] = None
        assert probe.send()["delivery"] == "sent"


def test_hanging_up_after_many_refusals_is_no_fault_of_the_addresses(peer):
    """Exchange and Postfix end a connection after so many refusals; the next ones come over another."""
    refused = "550 5.1.1 no such user"
    peer.answers["rcpt"] = refused
    peer.answers["mail"] = lambda s, _: Then("421 4.7.0 too many errors", Drop) if s.commands.count("RSET") >= 4 else None
    with Probe(peer.relay, limits={"hold_ms": LONG_HOLD_MS, "lone_ms": LONG_HOLD_MS}) as probe:
        for n in range(10):
            probe.put(to=f"u{n}@example.com")
        ended = []
        while len(ended) < 10:
            result = probe.next()
            if result["delivery"] == "relay" and result["reply"] != refused:
                probe.put(to=result["to"])  # as the engine does
            else:
                ended.append(result["delivery"])
        assert ended == ["relay"] * 10


def test_a_relay_that_thinks_better_of_it_costs_nobody_the_address(peer):
    """It refuses fifteen times: the ten that showed whose fault it is, and some of them once more."""
    refused = []

    def rcpt(_, line):
        refused.append(line)
        return "550 5.1.1 no such user" if len(refused) <= 15 else None
    peer.answers["rcpt"] = rcpt
    with Probe(peer.relay, limits={"open_min_ms": 50, "open_max_ms": 100}) as probe:
        for n in range(10):
            probe.put(to=f"u{n}@example.com")
        sent = 0
        while sent < 10:
            result = probe.next()
            assert result["delivery"] in ("relay", "sent"), result
            sent += result["delivery"] == "sent"
            if result["delivery"] == "relay":
                probe.put(to=result["to"])


def test_the_address_does_not_make_words_different(peer):
    peer.answers["rcpt"] = lambda s, line: f"554 5.7.1 {line[8:]}: Relay access denied"
    with Probe(peer.relay, limits={"open_min_ms": 5000, "open_max_ms": 5000, "hold_ms": LONG_HOLD_MS}) as probe:
        for n in range(10):
            probe.put(to=f"u{n}@example.com")
        assert [r["delivery"] for r in probe.results(10)] == ["relay"] * 10


def test_nine_are_nine_refusals_after_a_while(peer):
    peer.answers["rcpt"] = "550 5.1.1 unknown"
    with Probe(peer.relay, limits={"hold_ms": 400}) as probe:
        for n in range(9):
            probe.put(to=f"u{n}@example.com")
        results = probe.results(9)
    assert [r["delivery"] for r in results] == ["address_invalid"] * 9
    assert min(r["ms"] for r in results) >= 380


def test_one_recipient_again_and_again_is_one(peer):
    peer.answers["rcpt"] = "550 5.1.1 unknown"
    with Probe(peer.relay, limits={"hold_ms": 300}) as probe:
        for n in range(15):
            probe.put(to="same@example.com")
        assert [r["delivery"] for r in probe.results(15)] == ["address_invalid"] * 15


def test_a_delivery_between_lets_them_go(peer):
    peer.answers["rcpt"] = lambda s, line: "550 5.1.1 unknown" if "gone" in line else None
    with Probe(peer.relay, limits={"hold_ms": 60000}) as probe:
        for n in range(14):
            probe.put(to=("kim%d@example.com" if n in (5, 13) else "gone%d@example.com") % n)
        results = probe.results(14)
    assert sorted(r["delivery"] for r in results) == ["address_invalid"] * 12 + ["sent"] * 2


def test_ten_bad_addresses_do_not_block_the_good_ones(peer):
    """They were taken for the relay's fault; next time others go first, and then they are what they are."""
    peer.answers["rcpt"] = lambda s, line: "550 5.1.1 unknown" if "gone" in line else None
    left = [f"gone{n}@example.com" for n in range(10)] + [f"kim{n}@example.com" for n in range(3)]
    ended = {}
    with Probe(peer.relay, limits={"hold_ms": 300, "open_min_ms": 100, "open_max_ms": 200}) as probe:
        for _ in range(6):
            numbers = {probe.put(to=to): to for to in left}
            for result in probe.results(len(left)):
                if result["delivery"] != "relay":
                    ended[numbers[result["mail"]]] = result["delivery"]
            left = [to for to in left if to not in ended]
            if not left:
                break
    assert not left and list(ended.values()).count("sent") == 3


# ---- rate, reload, stop ----

def test_rate(peer):
    with Probe(peer.relay, rate=20, connections=4) as probe:
        probe.say(bulk=50, size=300)
        done = probe.next("bulk", 20)
    # One every twentieth of a second, from the first on: an idle minute saves up nothing.
    assert done["bulk"] == {"sent": 50} and 2400 < done["took_ms"] < 8000 * PATIENCE


def test_a_reload_moves_to_the_new_relay(peer):
    with SmtpPeer() as other, Probe(peer.relay) as probe:
        probe.send()
        probe.say(reload={**probe.settings, "relay": [other.relay], "connections": 3})
        assert probe.next("reloaded")["reloaded"]
        assert probe.send()["relay"] == other.relay
        assert [r["name"] for r in probe.relays()] == [other.relay]


def test_a_reload_that_fails_changes_nothing(peer, tmp_path):
    with Probe(peer.relay) as probe:
        probe.say(reload={**probe.settings, "user": "me", "password_file": str(tmp_path / "none")})
        answer = probe.next("reloaded")
        assert not answer["reloaded"] and "password_file" in answer["error"]
        assert probe.send()["delivery"] == "sent"


def test_stop_lets_the_mail_in_hand_finish(peer):
    taking = threading.Event()
    peer.answers["body"] = lambda s, data: (taking.set(), time.sleep(0.8), None)[2]
    with Probe(peer.relay) as probe:
        for n in range(5):
            probe.put()
        assert taking.wait(5 * PATIENCE)
        probe.say(stop=5000)
        kinds = [r["delivery"] for r in probe.results(5)]
    assert sorted(kinds) == ["relay"] * 4 + ["sent"]
    assert peer.sessions[0].commands[-1] == "QUIT"


def test_stop_cuts_off_what_hangs(peer):
    peer.answers["body"] = Hang
    with Probe(peer.relay) as probe:
        probe.put()
        wait_until(lambda: "DATA" in peer.commands(), "DATA", 5)
        time.sleep(0.2)
        started = time.monotonic()
        probe.say(stop=500)
        result = probe.next()
        assert result["delivery"] == "in_doubt" and time.monotonic() - started < 3 * PATIENCE
        probe.next("ended_ms", 5)


def test_stop_before_mail_counts_nothing(peer):
    peer.answers["ehlo"] = Hang
    with Probe(peer.relay) as probe:
        probe.put()
        wait_until(lambda: any(c.startswith("EHLO") for c in peer.commands()), "EHLO", 5)
        probe.say(stop=300)
        assert probe.next()["delivery"] == "relay"


# ---- Maildir ----

def test_maildir(tmp_path):
    path = tmp_path / "some" / "where" / "Maildir"
    with Probe([], transport="maildir", maildir=str(path), connections=4) as probe:
        for n in range(20):
            probe.put(to=f"u{n}@example.com", text=HEAD + f"Mail {n}\r\n.\r\nend\r\n")
        assert {r["delivery"] for r in probe.results(20)} == {"sent"}
    files = list((path / "new").iterdir())
    assert len(files) == 20 and not list((path / "tmp").iterdir()) and (path / "cur").is_dir()
    text = files[0].read_bytes()
    assert b"\r" not in text and text.endswith(b"\n.\nend\n")
    assert text.startswith(b"Return-Path: <dispatch@example.com>\nDelivered-To: u")
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert all(":" not in f.name and "/" not in f.name for f in files)


def test_a_maildir_whose_new_mails_were_taken_away_with_the_folder(tmp_path):
    path = tmp_path / "Maildir"
    with Probe([], transport="maildir", maildir=str(path)) as probe:
        assert probe.send()["delivery"] == "sent"
        shutil.rmtree(path / "new")
        assert probe.send()["delivery"] == "sent" and len(list((path / "new").iterdir())) == 1


def test_a_maildir_that_can_not_be_written_is_the_relays_fault(tmp_path):
    (tmp_path / "file").write_text("")
    with Probe([], transport="maildir", maildir=str(tmp_path / "file" / "Maildir")) as probe:
        result = probe.send()
        assert result["delivery"] == "relay" and "file" in result["reply"]
        assert not probe.relays()[0]["up"]
        (tmp_path / "file").unlink()
        assert probe.until_sent()


# ---- settings that can't be used ----

@pytest.mark.parametrize("settings,words", [
    ({"relay": ["smtp://mail.example.com"]}, "relay"), ({"relay": ["mail.example.com:0"]}, "relay"),
    ({"relay": []}, "relay"),
    ({"relay": ["mail.example.com:25"], "tls": "required", "ca_file": "/nonexistent/ca.pem"}, "ca_file"),
    ({"relay": ["mail.example.com:25"], "from": "nobody"}, "from"),
    ({"relay": [], "transport": "maildir"}, "maildir"),
])
def test_settings_that_are_refused(settings, words):
    assert words in fails(settings.pop("relay"), **settings)
