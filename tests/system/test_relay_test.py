# SPDX-License-Identifier: MIT
"""`dispatchctl relay test`: each step to each relay, as the daemon takes it."""
import email
import json
import os
import re
import socket
import threading
import time

import pytest

import smtp_peer
from kit import wait_outcome
from smtp_peer import Drop, Hang, SmtpPeer, tls_context
from world import wait_until


def names(relay):
    return [step["step"] for step in relay["steps"]]


def ask(world, *args, status=0):
    done = world.ctl("relay", "test", "--json", *args, check=False, timeout=60)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


@pytest.fixture
def smtp(world):
    return smtp_peer.start(world)


def test_nothing_is_sent_without_to(world, smtp):
    world.configure(mail={"from": "Example Hauling <dispatch@example.com>", "envelope_from": "bounce@example.com"})
    world.start_daemon()
    (relay,) = ask(world)
    assert relay["relay"] == smtp.relay and relay["ok"] is True
    assert names(relay) == ["resolve", "connect", "greeting", "ehlo", "mail", "rcpt", "rset"]
    replies = {step["step"]: step["reply"] for step in relay["steps"]}
    assert replies["resolve"] == replies["connect"] == "127.0.0.1"
    assert replies["greeting"].startswith("220 ") and "PIPELINING" in replies["ehlo"]
    assert replies["ehlo"].startswith("250-peer.example.com ")
    assert all(replies[name].startswith("250 ") for name in ("mail", "rcpt", "rset"))
    assert all(isinstance(step["ms"], int) and 0 <= step["ms"] < 5000 and set(step) >= {"step", "ms", "reply"}
               for step in relay["steps"])
    wait_until(lambda: smtp.sessions and "QUIT" in smtp.sessions[0].commands, "the end")
    (session,) = smtp.sessions
    said = [command.split(" SIZE")[0].split(" NOTIFY")[0] for command in session.commands]
    assert said[-4:] == ["MAIL FROM:<bounce@example.com>", "RCPT TO:<dispatch@example.com>", "RSET", "QUIT"], session.commands
    assert smtp.mails == []


@pytest.mark.parametrize("extensions", [None, ["SIZE 1000000"]], ids=["pipelining", "one by one"])
def test_a_test_mail(world, extensions):
    smtp = smtp_peer.start(world, extensions=extensions)
    world.configure(mail={"from": "Example Hauling <dispatch@example.com>"})
    world.start_daemon()
    (relay,) = ask(world, "--to", "me@example.com")
    assert relay["ok"] and names(relay)[-3:] == ["mail", "rcpt", "message"]
    assert relay["steps"][-1]["reply"].startswith("250 ")
    (mail,) = smtp.wait_mails(1)
    assert mail.recipients == ["me@example.com"] and mail.sender == "dispatch@example.com"
    message = email.message_from_bytes(mail.data)
    assert message["From"] == "Example Hauling <dispatch@example.com>" and message["To"] == "me@example.com"
    assert smtp.relay in message["Subject"] and message["Auto-Submitted"] == "auto-generated"
    assert world.ctl_json("mail", "list") == []
    assert [row["delivered"] for row in world.ctl_json("status")["relays"]] == [0]
    assert re.search(r"relay test begins by=\S+ to=me@example\.com", world.daemon.log())


def test_as_text(world, smtp):
    world.start_daemon()
    text = world.ctl("relay", "test").stdout
    assert text.startswith(f"{smtp.relay}: ok\n") and re.search(r"^\s*rcpt +\d+ +250 ", text, re.M), text


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_a_relay_that_is_down(world, smtp):
    down = f"127.0.0.1:{closed_port()}"
    world.configure(smtp={"relay": f"{down}, {smtp.relay}"})
    world.start_daemon()
    first, second = ask(world, status=69)
    assert (first["relay"], first["ok"]) == (down, False) and second["ok"] is True
    assert names(first) == ["resolve", "connect"] and first["steps"][1]["reply"] == "127.0.0.1: Connection refused"
    assert world.ctl_json("status")["relays"][0]["up"] is None, "it says nothing to the breaker"
    done = world.ctl("relay", "test", check=False)
    assert done.returncode == 69 and f"{down}: failed" in done.stdout and f"{smtp.relay}: ok" in done.stdout


def test_a_name_that_is_not_there(world):
    world.configure(mail={"transport": "smtp"}, smtp={"relay": "relay.invalid:25"})
    world.start_daemon()
    (relay,) = ask(world, status=69)
    assert names(relay) == ["resolve"] and relay["steps"][0]["reply"] and not relay["steps"][0]["ok"]


@pytest.mark.parametrize("stage, answer, step, words", [
    ("greeting", "554 5.7.1 not you", "greeting", "554 5.7.1 not you"),
    ("greeting", Drop(), "greeting", "the relay closed the connection"),
    ("ehlo", Drop(), "ehlo", "the relay closed the connection"),
    ("mail", "451 4.7.1 come later", "mail", "451 4.7.1 come later"),
    ("rcpt", "550 5.1.1 no such user", "rcpt", "550 5.1.1 no such user"),
    ("rcpt", Drop(), "rcpt", "the relay closed the connection"),
    ("data", "554 5.6.0 no mails today", "message", "554 5.6.0 no mails today"),
    ("body", "550 5.7.1 spam", "message", "550 5.7.1 spam"),
], ids=lambda value: value if isinstance(value, str) else type(value).__name__)
@pytest.mark.parametrize("extensions", [None, ["SIZE 1000000"]], ids=["pipelining", "one by one"])
def test_where_it_fails(world, stage, answer, step, words, extensions):
    smtp = smtp_peer.start(world, extensions=extensions)
    smtp.answers[stage] = answer
    world.start_daemon()
    (relay,) = ask(world, "--to", "me@example.com", status=69)
    failed = [row for row in relay["steps"] if not row["ok"]]
    assert relay["ok"] is False and [(row["step"], row["reply"]) for row in failed][:1] == [(step, words)], relay
    assert smtp.mails == []
    assert world.ctl_json("status")["relays"][0]["up"] is None


# ---- TLS and login

def test_tls_and_login(world, certificates):
    smtp = smtp_peer.start(world, tls=tls_context(certificates["good"]), users={"me": "correct horse"})
    with open(world.path("password"), "w", encoding="utf-8") as file:
        file.write("correct horse\n")
    os.chmod(world.path("password"), 0o600)
    world.configure(smtp={"tls": "required", "ca_file": certificates["ca"], "user": "me",
                          "password_file": world.path("password")})
    world.start_daemon()
    done = world.ctl("relay", "test", "--json")
    (relay,) = json.loads(done.stdout)
    assert names(relay) == ["resolve", "connect", "greeting", "ehlo", "tls", "ehlo", "login", "mail", "rcpt", "rset"]
    tls = relay["steps"][4]["reply"]
    assert re.fullmatch(r"TLSv1\.[23], certificate of localhost until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, verified", tls), tls
    assert relay["steps"][6]["reply"] == "235 2.7.0 welcome (PLAIN)"
    assert "correct horse" not in done.stdout and "correct horse" not in world.daemon.log()
    assert smtp.mails == []
    smtp.users["me"] = "another"
    (relay,) = ask(world, status=69)
    assert names(relay)[-1] == "login" and relay["steps"][-1]["reply"] == "535 5.7.8 wrong user or password (LOGIN)", relay


def test_a_certificate_that_is_over(world, certificates):
    smtp_peer.start(world, tls=tls_context(certificates["old"]))
    world.configure(smtp={"tls": "required", "ca_file": certificates["ca"]})
    world.start_daemon()
    (relay,) = ask(world, status=69)
    assert names(relay)[-1] == "tls" and "certificate has expired" in relay["steps"][-1]["reply"], relay
    world.configure(smtp={"tls": "opportunistic"})
    world.ctl("reload")
    (relay,) = ask(world)
    (tls,) = (step["reply"] for step in relay["steps"] if step["step"] == "tls")
    assert "certificate of localhost until " in tls and tls.endswith(", not verified")


def test_no_tls_where_it_is_required(world, smtp, certificates):
    world.configure(smtp={"tls": "required", "ca_file": certificates["ca"]})
    world.start_daemon()
    (relay,) = ask(world, status=69)
    assert (names(relay)[-1], relay["steps"][-1]["reply"]) == ("tls", "the relay offers no STARTTLS")


# ---- what it must not do

def test_one_at_a_time_and_nobody_waits(world, smtp):
    release = threading.Event()

    def wait(session, line):
        if "test@" in line:
            release.wait(20)
    smtp.answers["rcpt"] = wait
    world.ctl("customer", "add", "1001", "--name", "Maple", "--email", "ann@example.com")
    world.start_daemon()
    first = {}
    thread = threading.Thread(target=lambda: first.update(done=world.ctl("relay", "test", "--json", "--to", "test@example.com",
                                                                         timeout=60)))
    thread.start()
    wait_until(lambda: "relay test begins" in world.daemon.log(), "the test")
    done = world.ctl("relay", "test", check=False)
    assert done.returncode == 75 and "another test of the relays is under way" in done.stderr
    world.xadd("jobs:events", id="e1", type="job.failed", job="j1", customer="1001")
    wait_outcome(world, "e1", "sent")
    began = time.monotonic()
    world.ctl("status")
    assert time.monotonic() - began < 5
    release.set()
    thread.join()
    assert json.loads(first["done"].stdout)[0]["ok"]
    assert ask(world)[0]["ok"], "the next one may begin"


@pytest.mark.long
def test_a_relay_that_says_nothing(world, smtp):
    """It ends by itself, before dispatchctl gives up."""
    smtp.answers["greeting"] = Hang()
    world.start_daemon()
    began = time.monotonic()
    (relay,) = ask(world, status=69)
    assert 10 < time.monotonic() - began < 29
    assert (names(relay)[-1], relay["steps"][-1]["reply"]) == ("greeting", "the relay took too long")


def test_a_stop_cuts_it_off(world, smtp):
    smtp.answers["greeting"] = Hang()
    world.start_daemon()
    thread = threading.Thread(target=lambda: world.ctl("relay", "test", check=False, timeout=60))
    thread.start()
    wait_until(lambda: "relay test begins" in world.daemon.log(), "the test")
    began = time.monotonic()
    world.daemon.stop()
    assert time.monotonic() - began < 10
    thread.join()


def test_what_is_refused(world, smtp):
    world.start_daemon()
    done = world.ctl("relay", "test", "--to", "no address", check=False)
    assert done.returncode == 65 and "to:" in done.stderr
    world.configure(mail={"transport": "maildir", "maildir": world.path("maildir")})
    world.ctl("reload")
    done = world.ctl("relay", "test", check=False)
    assert done.returncode == 78 and "there is no relay to test" in done.stderr
    world.daemon.stop()
    assert world.ctl("relay", "test", check=False).returncode == 69


def test_several_relays_side_by_side(world):
    with SmtpPeer() as one, SmtpPeer() as two:
        world.configure(mail={"transport": "smtp"}, smtp={"relay": f"{one.relay}, {two.relay}"})
        world.start_daemon()
        first, second = ask(world, "--to", "me@example.com")
        assert [first["relay"], second["relay"]] == [one.relay, two.relay] and first["ok"] and second["ok"]
        for peer in (one, two):
            assert peer.relay in peer.wait_mails(1)[0].text
