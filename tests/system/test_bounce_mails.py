# SPDX-License-Identifier: MIT
"""Mails that came back, from dispatch-bounce to what the daemon makes of them."""
import email
import email.policy
import os
import sqlite3

import pytest

from kit import use_shipped_templates
from report_peer import bounce
from world import wait_until

DOMAIN = "mail.example.com"


@pytest.fixture
def farm(world, smtp):
    """A customer whose mails go out; reports about them are taken."""
    key = world.path("bounce.keys")
    with open(key, "w", encoding="ascii") as file:
        file.write("5e" * 32 + "\n")
    os.chmod(key, 0o600)
    world.configure(bounce={"address": f"bounce@{DOMAIN}", "key_file": key}, office={"email": "office@example.com"})
    use_shipped_templates(world)
    world.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com")
    world.ctl("contact", "set", "1", "--alt-email", "second@example.com")
    smtp.answers["body"] = lambda session, line: "250 2.0.0 Ok: queued as 4F1A23BC"
    world.start_daemon()
    return world


def send(world, smtp, job):
    """The id of a mail that the relay took, and the mail."""
    world.xadd(id=f"e-{job}", type="job.completed", job=job, customer="1001")
    outcome = world.outcomes(wait_for={"event": f"e-{job}", "status": "sent"})
    return int(outcome["mail"]), smtp.wait_mails(1)[-1]


def dsn(mail, recipient, status="5.1.1", words="550 5.1.1 no such user", queue="4F1A23BC"):
    """As Postfix reports it."""
    sent = email.message_from_bytes(mail.data, policy=email.policy.default)
    return f"""Return-Path: <>
From: MAILER-DAEMON@relay.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounce@{DOMAIN}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

This is the mail system at host relay.example.com.

<{recipient}>: host mx.example.com[192.0.2.1] said: {words}
    (in reply to RCPT TO command)

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example.com
X-Postfix-Queue-ID: {queue}

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: failed
Status: {status}
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; {words}

--b
Content-Type: message/rfc822

Return-Path: <{mail.sender}>
Received: from client (client [192.0.2.9]) by relay.example.com (Postfix) with ESMTP id {queue}
        for <{recipient}>; Wed,  3 Jun 2026 08:00:00 +0000 (UTC)
Message-ID: {sent["Message-ID"]}
Subject: {sent["Subject"]}

text
--b--
""".encode()


def complaint(mail, recipient, queue="4F1A23BC"):
    sent = email.message_from_bytes(mail.data, policy=email.policy.default)
    return f"""From: feedback@provider.example
To: bounce@{DOMAIN}
Subject: FW: {sent["Subject"]}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an email abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1.0
Version: 1
Original-Rcpt-To: {recipient}

--b
Content-Type: message/rfc822

Received: from client (client [192.0.2.9]) by relay.example.com (Postfix) with ESMTP id {queue}
        for <{recipient}>; Wed,  3 Jun 2026 08:00:00 +0000 (UTC)
Message-ID: {sent["Message-ID"]}
Subject: {sent["Subject"]}
To: {recipient}

text
--b--
""".encode()


def came_back(world, mail, recipient=f"bounce@{DOMAIN}"):
    done = bounce("--socket", world.path("report.sock"), "-f", "", recipient, mail=mail)
    assert done.returncode == 0, done.stderr
    return world.ctl_json("bounce", "list")[0]


def test_without_a_token_the_relay_s_own_words_have_to_agree(farm, smtp):
    number, mail = send(farm, smtp, "J")
    forged = dsn(mail, "farm@example.com", queue="FFFF00FF").replace(mail.sender.encode(), b"x@example.com")
    row = came_back(farm, forged)
    assert (row["took"], row["why"], row["mail"]) == ("unknown", "unproven", None)
    assert farm.ctl_json("mail", "show", str(number))["status"] == "sent"
    row = came_back(farm, dsn(mail, "farm@example.com").replace(mail.sender.encode(), b"x@example.com"))
    assert (row["took"], row["why"], row["mail"], row["verdict"]) == ("marked", "matched", number, "gone")
    bounced = farm.outcomes(wait_for={"status": "bounced"})
    assert (bounced["reason"], bounced["to"]) == ("address_refused", "farm@example.com")
    farm.outcomes(wait_for={"status": "sent", "to": "second@example.com"})
    assert [r["why"] for r in farm.ctl_json("bounce", "list", "--unknown")] == ["unproven"]


def test_a_complaint_empties_notify_as_by_the_recipient(farm, smtp):
    number, mail = send(farm, smtp, "J")
    row = came_back(farm, complaint(mail, "farm@example.com"))
    assert (row["kind"], row["took"], row["mail"]) == ("complaint", "complained", number)
    assert farm.outcomes(wait_for={"status": "bounced"})["reason"] == "complained"
    wait_until(lambda: farm.ctl_json("customer", "show", "1001")["contacts"][0]["notify"] == [], "no more states")
    (change,) = [c for c in farm.ctl_json("customer", "history", "1001") if c["user"] == "recipient"]
    assert change["after"] == {"notify": []}
    farm.xadd(id="later", type="job.completed", job="K", customer="1001")
    assert farm.outcomes(wait_for={"event": "later"})["reason"] == "not_wanted"
    assert farm.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"] is None


def test_the_same_mail_from_the_mail_server_twice(farm, smtp):
    _, mail = send(farm, smtp, "J")
    first = came_back(farm, dsn(mail, "farm@example.com"))
    again = came_back(farm, dsn(mail, "farm@example.com"))
    assert first["took"] == "marked" and again == first
    farm.daemon.stop()
    with sqlite3.connect(farm.path("spool.db")) as db:
        assert db.execute("SELECT count(*) FROM bounce").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM mail WHERE status = 'bounced'").fetchone() == (1,)
    db.close()


def test_the_signed_sender_names_the_mail(farm, smtp):
    number, mail = send(farm, smtp, "J")
    assert mail.sender.startswith("bounce+") and mail.sender.endswith(f"@{DOMAIN}")
    forged = mail.sender[:-len(DOMAIN) - 3] + ("aa" if mail.sender[-len(DOMAIN) - 3:-len(DOMAIN) - 1] != "aa" else "ba") + f"@{DOMAIN}"
    plain = dsn(mail, "farm@example.com", queue="0000000").replace(mail.sender.encode(), b"x@example.com")
    row = came_back(farm, plain, forged)
    assert (row["took"], row["why"]) == ("unknown", "forged")
    row = came_back(farm, plain.replace(b"5.1.1", b"5.2.2"), mail.sender.upper())
    assert (row["took"], row["why"], row["mail"], row["verdict"]) == ("struck", "", number, "busy")
    assert farm.outcomes(wait_for={"status": "bounced"})["reason"] == "mail_busy"
    # The alternate address has a token of its own.
    row = came_back(farm, plain, mail.sender)
    assert row["took"] == "marked"
    farm.outcomes(wait_for={"status": "sent", "to": "second@example.com", "job": "J"})
    farm.xadd(id="e-K", type="job.completed", job="K", customer="1001")
    farm.outcomes(wait_for={"event": "e-K", "status": "sent"})
    second = smtp.wait_mails(3)[-1]
    assert second.recipients == ["second@example.com"] and second.sender != mail.sender
    row = came_back(farm, dsn(second, "second@example.com"), second.sender)
    assert (row["took"], row["address"]) == ("marked", "second@example.com")
    office = smtp.wait_mails(4)[-1]
    assert office.recipients == ["office@example.com"] and "bounce+" not in office.sender


def test_a_report_to_nobody_s_address_finds_the_token_in_the_returned_mail(farm, smtp):
    number, mail = send(farm, smtp, "J")
    row = came_back(farm, dsn(mail, "farm@example.com", queue="0000000"))
    assert (row["took"], row["mail"], row["why"]) == ("marked", number, "")


def test_other_domains_are_67_and_a_daemon_that_is_away_75(farm, smtp):
    _, mail = send(farm, smtp, "J")
    report = dsn(mail, "farm@example.com")
    assert bounce("--socket", farm.path("report.sock"), "bounce@example.org", mail=report).returncode == 67
    farm.daemon.stop()
    assert bounce("--socket", farm.path("report.sock"), mail.sender, mail=report).returncode == 75
    farm.start_daemon()
    assert came_back(farm, report, mail.sender)["took"] == "marked"
