# SPDX-License-Identifier: MIT
"""From an event in Redis to a mail at an SMTP server, by the real daemon."""
import email
import email.policy
import os
import shutil
import time

from smtp_peer import Drop, SmtpPeer, make_authority, make_certificate, start, tls_context
from world import ROOT, free_port


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
    deadline = time.monotonic() + 10
    while "DATA" not in smtp.commands() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert world.daemon.stop() == 0
    assert len(smtp.mails) == 1
