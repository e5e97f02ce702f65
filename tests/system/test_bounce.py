# SPDX-License-Identifier: MIT
"""Reports about mails that the relay had taken: what they change, with the real daemon."""
import email
import email.policy
import json
import sqlite3

import pytest

from kit import refused, use_shipped_templates
from world import wait_until


@pytest.fixture
def farm(world, smtp):
    """A customer with two addresses, and the office."""
    world.configure(office={"email": "office@example.com"})
    use_shipped_templates(world)
    world.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com")
    world.ctl("contact", "set", "1", "--alt-email", "second@example.com")
    world.start_daemon()
    return world


def send(world, job, customer="1001", state="completed"):
    """The id of a mail that the relay took."""
    world.xadd(id=f"{state}-{job}", type=f"job.{state}", job=job, customer=customer)
    return int(world.outcomes(wait_for={"event": f"{state}-{job}", "status": "sent"})["mail"])


def message(mail):
    return email.message_from_bytes(mail.data, policy=email.policy.default)


def contact(world, number="1001"):
    return world.ctl_json("customer", "show", number)["contacts"][0]


def report(world, mail, code, *args):
    return world.ctl_json("bounce", "report", "--mail", str(mail), "--code", code, *args)


def test_a_dead_address_is_marked_and_the_other_one_gets_the_mail(farm, smtp):
    mail = send(farm, "J")
    assert report(farm, mail, "5.1.1", "--text", "550 5.1.1 no such user") == {
        "kind": "failed", "verdict": "gone", "took": "marked", "report": 1}
    bounced = farm.outcomes(wait_for={"status": "bounced"})
    assert (bounced["reason"], bounced["to"], bounced["reply"], bounced["mail"]) == (
        "address_refused", "farm@example.com", "550 5.1.1 no such user", str(mail))
    sent = farm.outcomes(wait_for={"status": "sent", "to": "second@example.com"})
    assert sent["mail"] != str(mail)
    first, second = smtp.wait_mails(2)
    assert (first.recipients, second.recipients) == (["farm@example.com"], ["second@example.com"])
    assert message(first)["Message-ID"] == message(second)["Message-ID"]
    assert message(first).get_body().get_content() == message(second).get_body().get_content()
    wait_until(lambda: contact(farm)["email_invalid"], "the mark")
    history = farm.ctl_json("customer", "history", "1001")
    assert any("550 5.1.1 no such user" in json.dumps(change) for change in history)
    # The order on the stream, and what people are shown.
    assert [o["status"] for o in farm.outcomes() if o["job"] == "J"] == ["queued", "sent", "bounced", "queued", "sent"]
    shown = farm.ctl_json("mail", "show", str(mail))
    assert (shown["status"], shown["reply"]) == ("bounced", "550 5.1.1 no such user")
    assert [(r["verdict"], r["took"]) for r in shown["reports"]] == [("gone", "marked")]
    assert "Reports" in farm.ctl("mail", "show", str(mail)).stdout
    assert "no such user" in farm.ctl("job", "show", "J").stdout
    assert farm.ctl_json("job", "show", "J")["reports"][0]["mail"] == mail
    assert [m["id"] for m in farm.ctl_json("mail", "list", "--status", "bounced")] == [mail]
    metrics = farm.metrics()
    assert metrics['dispatchd_reports_total{kind="failed",verdict="gone"}'] == 1
    assert metrics['dispatchd_outcomes_total{status="bounced",reason="address_refused"}'] == 1
    assert metrics['dispatchd_mails{status="bounced"}'] == 1


def test_the_same_report_again_changes_nothing(farm, smtp):
    mail = send(farm, "J")
    report(farm, mail, "5.1.1")
    farm.outcomes(wait_for={"status": "sent", "to": "second@example.com"})
    before = len(farm.outcomes())
    assert report(farm, mail, "5.1.1", "--text", "in other words")["took"] == "again"
    farm.daemon.stop()
    farm.start_daemon()
    assert report(farm, mail, "5.1.1")["took"] == "again"
    send(farm, "K")  # what is published after it
    assert [o["job"] for o in farm.outcomes()[before:]] == ["K", "K"]
    assert [row["took"] for row in farm.ctl_json("bounce", "list")] == ["marked"]


def test_the_office_hears_where_nobody_is_left(farm, smtp):
    farm.ctl("contact", "set", "1", "--alt-email", "")
    mail = send(farm, "J")
    assert report(farm, mail, "5.1.10", "--text", "550 5.1.10 <no> such & user")["took"] == "marked"
    office = smtp.wait_mails(2)[1]
    assert office.recipients == ["office@example.com"]
    assert message(office)["Subject"].startswith("Nobody can be reached: 1001 Example Farm")
    assert message(office)["Auto-Submitted"] == "auto-generated"
    text = message(office).get_body(("plain",)).get_content()
    for part in ("Example Farm (1001)", "farm@example.com", "550 5.1.10 <no> such & user", "customer show '1001'"):
        assert part in text, text
    assert "&lt;no&gt; such &amp; user" in message(office).get_body(("html",)).get_content()
    wait_until(lambda: [f["finding"] for f in farm.ctl_json("check", check=False)][:1] == ["unreachable"],
               "check to name it, once the office's writer has marked the address")
    # Once: a second dead mail of theirs says nothing new.
    other = farm.ctl_json("mail", "list", "--customer", "1001")
    assert [m["state"] for m in other] == ["unreachable", "completed"]
    assert farm.ctl_json("mail", "show", str(other[0]["id"]))["status"] == "sent"


def test_a_refused_mail_marks_nobody_and_many_alarm_the_office(farm, smtp):
    mails = [send(farm, f"J{i}") for i in range(6)]
    for i, mail in enumerate(mails):
        assert report(farm, mail, "5.7.1", "--text", f"554 5.7.1 spam {i}")["took"] == "bounced"
    farm.outcomes(wait_for={"status": "bounced", "reason": "mail_refused", "job": "J5"})
    alarm = smtp.wait_mails(7)[6]
    assert alarm.recipients == ["office@example.com"]
    assert message(alarm)["Subject"] == "Mail servers are refusing our mails"
    assert "554 5.7.1 spam 1" in message(alarm).get_body(("plain",)).get_content()
    assert contact(farm)["email_invalid"] is None
    assert farm.metrics()["dispatchd_refusal_alarms_total"] == 1
    assert farm.daemon.wait_log("mail servers refuse mails") is not False
    assert smtp.count == 7
    assert farm.ctl_json("mail", "show", str(mails[0]))["reason"] == "mail_refused"


def test_check_finds_refusals_and_full_mailboxes(farm, smtp):
    assert farm.ctl("check").stdout == "no problems found\n"
    mails = [send(farm, f"J{i}") for i in range(6)]
    for mail in mails[:5]:
        report(farm, mail, "5.7.1")
    report(farm, mails[5], "5.2.2")
    farm.daemon.stop()
    with sqlite3.connect(farm.path("spool.db")) as db:  # another day
        db.execute("INSERT INTO strike SELECT contact, address, day - 2, time - 172800000, NULL FROM strike")
    db.close()
    done = farm.ctl("check", check=False)
    assert done.returncode == 1
    assert "mail servers refused 5 mails for what they are in the last 24 hours" in done.stdout
    assert "farm@example.com of contact 1 was full or away on 2 days; on 3 within 30 it is marked invalid" in done.stdout
    assert [row["finding"] for row in farm.ctl_json("check", check=False)] == ["refusals", "busy"]
    # And on the third day it is.
    farm.start_daemon()
    assert report(farm, send(farm, "K"), "4.2.2")["took"] == "struck"
    farm.daemon.stop()
    with sqlite3.connect(farm.path("spool.db")) as db:
        db.execute("UPDATE strike SET day = day - 1 WHERE day = (SELECT max(day) FROM strike)")
    db.close()
    farm.start_daemon()
    assert report(farm, send(farm, "L"), "4.2.2")["took"] == "marked"
    assert farm.outcomes(wait_for={"status": "sent", "to": "second@example.com"})["job"] == "L"


def test_without_a_daemon_too(farm, smtp):
    mail = send(farm, "J")
    farm.daemon.stop()
    assert report(farm, mail, "5.2.2")["took"] == "struck"
    assert [row["verdict"] for row in farm.ctl_json("bounce", "list")] == ["busy"]
    farm.start_daemon()
    bounced = farm.outcomes(wait_for={"status": "bounced"})
    assert bounced["reason"] == "mail_busy"
    assert contact(farm)["email_invalid"] is None


def test_what_can_not_be_reported(farm):
    refused(farm, 64, "--mail and --code", "bounce", "report", "--mail", "1")
    refused(farm, 64, "enhanced code", "bounce", "report", "--mail", "1", "--code", "550")
    refused(farm, 66, "no mail 9", "bounce", "report", "--mail", "9", "--code", "5.1.1")
    refused(farm, 66, "no report 9", "bounce", "show", "9")
    farm.ctl("mail", "pause")
    farm.xadd(id="e", type="job.completed", job="J", customer="1001")
    mail = int(farm.outcomes(wait_for={"status": "queued"})["mail"])
    refused(farm, 65, "never sent", "bounce", "report", "--mail", str(mail), "--code", "5.1.1")
    assert farm.ctl("bounce", "list").stdout.strip() == "no reports about mails"
    assert farm.ctl_json("bounce", "list", "--unknown") == []


def test_erased_words_leave_the_reports(farm, smtp):
    mail = send(farm, "J")
    report(farm, mail, "5.2.2", "--text", "552 farm@example.com is full")
    farm.outcomes(wait_for={"status": "bounced"})
    row = farm.ctl_json("bounce", "show", "1")
    assert (row["address"], row["customer"], row["jobs"]) == ("farm@example.com", "1001", ["J"])
    farm.ctl("customer", "erase", "1001", "--yes")
    wait_until(lambda: farm.ctl_json("bounce", "show", "1")["address"] == "", "the words gone")
    assert farm.ctl_json("bounce", "show", "1")["text"] == ""
    farm.daemon.stop()
    for name in ("spool.db", "spool.db-wal"):
        try:
            with open(farm.path(name), "rb") as file:
                assert b"farm@example.com" not in file.read(), name
        except FileNotFoundError:
            pass
