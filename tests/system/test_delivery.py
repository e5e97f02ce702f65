# SPDX-License-Identifier: MIT
"""From an event in Redis to a mail at an SMTP server, by the real daemon."""
import email
import email.policy
import os
import shutil
import threading
import time

import pytest

from smtp_peer import Drop, SmtpPeer, make_authority, make_certificate, start, tls_context
from world import ROOT, free_port, wait_until


def ready(world, **settings):
    """One customer with one contact, the shipped templates, the daemon running."""
    shutil.copytree(ROOT / "conf" / "templates", world.path("templates"), dirs_exist_ok=True)
    world.configure(**settings)
    world.ctl("customer", "add", "1001", "--name", "Müller & Sons", "--email", "kim@example.com")
    world.start_daemon()


def test_an_event_becomes_a_mail(world, smtp):
    ready(world)
    world.xadd(id="1", type="job.completed", job="4711", customer="1001", driver="Sam\r\nBcc: evil@example.com")
    outcome = world.outcomes(wait_for=dict(status="sent"))
    mail = smtp.wait_mails(1)[0]
    parsed = email.message_from_bytes(mail.data, policy=email.policy.default)
    assert mail.sender == "dispatch@example.com" and mail.recipients == ["kim@example.com"]
    assert parsed["To"].addresses[0].addr_spec == "kim@example.com" and parsed["Bcc"] is None
    assert parsed["X-Dispatchd-Job"] == "4711"
    assert outcome["reply"].startswith("250 ")


def test_tls_required_and_auth(world):
    authority = make_authority(world.directory)
    pem = make_certificate(world.directory, authority, ["localhost"])
    with open(world.path("password"), "w") as f:
        f.write("correct horse\n")
    os.chmod(world.path("password"), 0o600)
    peer = start(world, tls=tls_context(pem), users={"me": "correct horse"}, auth_before_tls=False)
    ready(world, smtp={"relay": f"localhost:{peer.port}", "tls": "required", "ca_file": authority[2],
                       "user": "me", "password_file": world.path("password")})
    world.xadd(id="1", type="job.started", job="4711", customer="1001")
    mail = peer.wait_mails(1)[0]
    assert mail.tls and mail.user == "me"
    assert "correct horse" not in world.daemon.log()


def test_a_relay_that_is_away_costs_no_mail(world):
    port = free_port()
    ready(world, mail={"transport": "smtp"}, smtp={"relay": f"127.0.0.1:{port}"})
    for n in range(5):
        world.xadd(id=str(n), type="job.completed", job=str(n), customer="1001")
    time.sleep(1.5)
    with SmtpPeer(port=port) as peer:
        peer.wait_mails(5, timeout=15)
        world.outcomes(wait_for=dict(status="sent"))
    statuses = {o["status"] for o in world.outcomes()}
    assert "failed" not in statuses and "retrying" not in statuses


def test_a_dead_address_is_marked(world, smtp):
    smtp.answers["rcpt"] = "550 5.1.1 unknown"
    ready(world)
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    outcome = world.outcomes(wait_for=dict(status="failed"))
    assert outcome["reason"] == "address_refused" and outcome["reply"] == "550 5.1.1 unknown"


def test_a_broken_connection_after_the_body_is_in_doubt(world, smtp):
    smtp.answers["body"] = Drop
    ready(world)
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    outcome = world.outcomes(wait_for=dict(status="retrying"))
    assert outcome["reason"] == "in_doubt"


def test_sigterm_lets_the_mail_in_hand_finish(world, smtp):
    smtp.answers["body"] = lambda session, data: time.sleep(1.5)
    ready(world)
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    wait_until(lambda: "DATA" in smtp.commands(), "DATA")
    assert world.daemon.stop() == 0
    assert len(smtp.mails) == 1


@pytest.fixture
def slow(world, smtp):
    """One connection, busy with the mail of job A until the event is set."""
    go = threading.Event()
    smtp.answers["body"] = lambda session, data: go.wait(30) and None
    ready(world, smtp={"connections": 1})
    world.xadd(id="a", type="job.started", job="A", customer="1001")
    wait_until(lambda: "DATA" in smtp.commands(), "job A's mail to be in hand")
    yield go
    go.set()


def sending(world, count):
    wait_until(lambda: len(world.ctl_json("mail", "list", "--status", "sending")) == count, f"{count} mails sending")


def test_what_waits_for_a_mailer_is_superseded(world, smtp, slow):
    world.xadd(id="b1", type="job.started", job="B", customer="1001")
    sending(world, 2)
    world.xadd(id="b2", type="job.completed", job="B", customer="1001")
    world.outcomes(wait_for=dict(event="b1", status="superseded", reason="later_state"))
    slow.set()
    world.outcomes(wait_for=dict(event="b2", status="sent"))
    assert len(smtp.mails) == 2
    assert world.outcomes(wait_for=dict(event="a", status="sent"))


def test_what_waits_for_a_mailer_is_judged_again(world, smtp, slow):
    world.ctl("customer", "add", "1002", "--name", "Other", "--email", "other@example.com")
    world.xadd(id="b", type="job.started", job="B", customer="1002")
    world.xadd(id="c", type="job.started", job="C", customer="1001")
    sending(world, 3)
    world.ctl("suspend", "1002", "--note", "unpaid", "--scope", "emails")
    world.outcomes(wait_for=dict(event="b", status="suppressed", reason="suspended", note="unpaid"))
    world.ctl("contact", "set", world.ctl_json("contact", "list", "1001")[0]["id"], "--email", "new@example.com")
    wait_until(lambda: world.ctl_json("mail", "show", "3")["to"] == "new@example.com", "the mail to be looked up again")
    slow.set()
    world.outcomes(wait_for=dict(event="c", status="sent", to="new@example.com"))
    assert [m.recipients for m in smtp.mails] == [["kim@example.com"], ["new@example.com"]]
