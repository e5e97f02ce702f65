# SPDX-License-Identifier: MIT
"""[mail] redirect_to: a staging system mails nobody but one address, and nothing that becomes of it reaches a contact."""
import email
import email.policy
import json
import re
import subprocess

import pytest

import signed
import smtp_peer
from center import Center
from kit import add_customer, message, use_shipped_templates
from world import BUILD, wait_until

STAGING = "staging@example.net"


@pytest.fixture
def smtp(world):
    return smtp_peer.start(world)


@pytest.fixture
def staging(world, smtp):
    world.configure(mail={"redirect_to": STAGING}, office={"email": "office@example.com"})
    use_shipped_templates(world)
    signed.configure(world, url="https://center.example.com")
    add_customer(world)
    world.ctl("contact", "set", "1", "--alt-email", "second@example.com")
    return world


def contact(world):
    return world.ctl_json("customer", "show", "1001")["contacts"][0]


def send(world, job, status="sent", state="completed"):
    world.xadd(id=f"{state}-{job}", type=f"job.{state}", job=job, customer="1001")
    return world.outcomes(wait_for={"event": f"{state}-{job}", "status": status})


def test_the_contact_gets_nothing(staging, smtp):
    daemon = staging.start_daemon()
    daemon.wait_log(f"redirect_to={STAGING}")
    sent = send(staging, "J1")
    (mail,) = smtp.wait_mails(1)
    assert mail.recipients == [STAGING] and sent["to"] == STAGING
    assert {o["to"] for o in staging.outcomes() if "to" in o} == {STAGING}
    text = message(mail)
    assert text["X-Dispatchd-To"] == "farm@example.com" and text["To"] == STAGING
    assert text["Subject"].startswith("[farm@example.com] ")
    shown = staging.ctl_json("mail", "show", sent["mail"])
    assert (shown["to"], shown["redirected"]) == ("farm@example.com", STAGING)
    assert "farm@example.com" not in mail.recipients
    assert staging.ctl_json("status")["redirect_to"] == STAGING
    assert f"every mail is redirected to {STAGING}" in staging.ctl("status").stdout
    assert STAGING in staging.ctl("config", "show").stdout
    # As it was sent, byte for byte.
    center = Center(staging)
    center.add("ann")
    center.start()
    source = center.bearer("ann").get(f"/api/v1/mails/{sent['mail']}").json["source"]
    assert "X-Dispatchd-To: farm@example.com" in source and email.message_from_string(
        source, policy=email.policy.default)["Subject"] == text["Subject"]


def test_the_office_s_mails_too(staging, smtp):
    staging.ctl("suspend", "1001", "--scope", "routes", "--note", "dog in the yard")
    staging.start_daemon()
    staging.xadd(id="c", type="job.started", job="J1", customer="1001")
    assert staging.outcomes(wait_for={"status": "collision"})["to"] == STAGING
    mails = smtp.wait_mails(2)
    assert all(mail.recipients == [STAGING] for mail in mails)
    assert {message(mail)["X-Dispatchd-To"] for mail in mails} == {"farm@example.com", "office@example.com"}


def test_mails_that_somebody_tries_out(staging, smtp):
    staging.start_daemon()
    staging.ctl("relay", "test", "--to", "me@example.com")
    staging.ctl("template", "send", "completed", "--customer", "1001", "--to", "me@example.com")
    for mail in smtp.wait_mails(2):
        assert mail.recipients == [STAGING]
        assert message(mail)["X-Dispatchd-To"] == "me@example.com"


def test_a_refusal_marks_nobody_and_tries_no_other_address(staging, smtp):
    smtp.answers["rcpt"] = "550 5.1.1 no such user"
    staging.start_daemon()
    assert send(staging, "J1", "failed")["reason"] == "address_refused"
    assert contact(staging)["email_invalid"] is None
    assert [o["status"] for o in staging.outcomes()] == ["queued", "failed"]


def test_what_comes_back_changes_no_contact(staging, smtp):
    staging.start_daemon()
    sent = send(staging, "J1")
    before = contact(staging)
    (mail,) = smtp.wait_mails(1)
    assert re.fullmatch(r"bounce\+[a-z2-7]{31}@mail\.example\.com", mail.sender)
    by_hand = staging.ctl_json("bounce", "report", "--mail", sent["mail"], "--code", "5.1.1")
    assert by_hand["took"] == "bounced"
    assert staging.outcomes(wait_for={"status": "bounced"})["to"] == STAGING
    # The link and the button do nothing.
    token = re.search(r"center\.example\.com/u/([a-z2-7]{31})", mail.text.replace("=\r\n", "")).group(1)
    answer = staging.control({"do": "opt_out.set", "token": token, "off": ["completed"], "on": []})
    assert answer["ok"] is False and answer["code"] == 66
    send(staging, "J2")
    assert contact(staging) == before
    smtp.wait_mails(2)
    assert len([o for o in staging.outcomes() if o["status"] == "queued"]) == 2


def test_reports_by_the_token_change_no_contact(staging, smtp):
    staging.start_daemon()
    send(staging, "J1")
    before = contact(staging)
    (mail,) = smtp.wait_mails(1)
    text = ("From: MAILER-DAEMON@relay.example.com\nTo: " + mail.sender + "\nSubject: Undelivered\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
            "No such user.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example.com\n\n"
            "Final-Recipient: rfc822; " + STAGING + "\nAction: failed\nStatus: 5.1.1\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b--\n")
    subprocess.run([BUILD / "dispatch-bounce", "-c", staging.config_path, mail.sender], input=text.encode(), check=True,
                   env=staging.environment())
    assert staging.outcomes(wait_for={"status": "bounced"})["reason"] == "address_refused"
    assert json.dumps(contact(staging)) == json.dumps(before)
    assert [o["status"] for o in staging.outcomes()] == ["queued", "sent", "bounced"]


def test_a_reload_begins_and_ends_it(staging, smtp):
    staging.configure(mail={"redirect_to": ""})
    staging.start_daemon()
    assert send(staging, "J1")["to"] == "farm@example.com"
    assert staging.metrics()["dispatchd_redirected"] == 0
    staging.ctl("mail", "pause")
    send(staging, "J2", "queued")
    staging.configure(mail={"redirect_to": STAGING})
    staging.ctl("reload")
    staging.ctl("mail", "resume")
    assert staging.outcomes(wait_for={"event": "completed-J2", "status": "sent"})["to"] == STAGING
    assert staging.metrics()["dispatchd_redirected"] == 1
    staging.configure(mail={"redirect_to": ""})
    staging.ctl("reload")
    wait_until(lambda: staging.ctl_json("status")["redirect_to"] == "", "the end of it")
    assert send(staging, "J3")["to"] == "farm@example.com"
    assert [mail.recipients for mail in smtp.wait_mails(3)] == [["farm@example.com"], [STAGING], ["farm@example.com"]]
    assert "redirected" not in staging.ctl_json("mail", "show", "3")


def test_pages_say_so(staging, smtp):
    staging.start_daemon()
    center = Center(staging)
    center.add("ann")
    ann = center.start().log_in("ann")
    wait_until(lambda: f"Every mail is redirected to {STAGING}" in ann.get("/mails").text, "the banner")
    assert f"Every mail is redirected to {STAGING}" in ann.get("/today").text
