# SPDX-License-Identifier: MIT
"""The main job: an event comes in, a mail goes out, and what was decided is published."""
import datetime
import email.utils
import json
import re
import time
from urllib.parse import unquote

import pytest

import kit
from kit import add_customer, message, outcomes_of, text_of, wait_outcome
from world import wait_until

STATES = ("dispatched", "started", "paused", "completed", "failed")
SUBJECTS = {"dispatched": "driver assigned", "started": "started", "paused": "hold", "completed": "completed",
            "failed": "could not"}
MESSAGE_ID = re.compile(r"<[A-Za-z0-9.]+@example\.com>")


def test_five_states_with_the_shipped_templates(world, smtp):
    kit.use_shipped_templates(world)
    world.configure(company={"phone": "+1 555 0100"}, office={"email": "office@example.com"})
    add_customer(world, name="Müller & Söhne", contact="Ana Müller", timezone="America/Denver",
                 address="1 Example Road", city="Denver")
    world.start_daemon()
    for n, state in enumerate(STATES):
        world.xadd(id=f"e{n}", type=f"job.{state}", job=f"47-{n}", customer="1001", driver="Sam",
                   service="20 yard container", reference="PO-77", reason="gate locked",
                   time=(datetime.datetime.now(datetime.timezone.utc)).isoformat())
    for n, state in enumerate(STATES):
        wait_outcome(world, f"e{n}", "sent")
    by_job = {message(m)["X-Dispatchd-Job"]: m for m in smtp.mails}
    assert len(smtp.mails) == 5
    for n, state in enumerate(STATES):
        mail, read = by_job[f"47-{n}"], message(by_job[f"47-{n}"])
        assert mail.sender == "dispatch@example.com" and mail.recipients == ["farm@example.com"]
        assert read.get_content_type() == "multipart/alternative"
        assert [p.get_content_type() for p in read.iter_parts()] == ["text/plain", "text/html"]
        assert str(read["From"]) == "Example Hauling <dispatch@example.com>"
        assert str(read["To"]) == "Ana Müller <farm@example.com>"
        assert str(read["Reply-To"]) == "office@example.com"
        assert read["Auto-Submitted"] == "auto-generated" and read["X-Auto-Response-Suppress"] == "All"
        assert MESSAGE_ID.fullmatch(read["Message-ID"])
        assert SUBJECTS[state] in (str(read["Subject"]) + text_of(mail)).lower(), text_of(mail)
        for kind in ("plain", "html"):
            body = text_of(mail, kind)
            assert "PO-77" in body and "+1 555 0100" in body and "Ana Müller" in body, body
            assert "{{" not in body
        assert all(len(line) <= 998 for line in mail.data.split(b"\r\n"))
        assert all(byte < 128 for byte in mail.data), "7-bit"
        assert b"\n" not in mail.data.replace(b"\r\n", b"")
        assert not re.search(r"<img|src=", text_of(mail, "html")), "no image that has to load"


def test_outcomes_have_their_fields_and_order(world, smtp):
    add_customer(world)
    world.start_daemon()
    smtp.answers["body"] = "250 2.0.0 queued as ABC"
    world.xadd(id="8f2c", source="app", type="com.example.job.completed", job="4711", customer="1001")
    wait_outcome(world, "8f2c", "sent")
    queued, sent = world.outcomes()
    common = {"event": "8f2c", "source": "app", "job": "4711", "customer": "1001", "type": "job.completed",
              "reason": "ok", "contact": queued["contact"], "to": "farm@example.com", "mail": queued["mail"]}
    for outcome, status in ((queued, "queued"), (sent, "sent")):
        assert outcome["status"] == status
        assert {k: outcome[k] for k in common} == common
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", outcome["time"])
    assert "attempts" not in queued and sent["attempts"] == "1"
    assert "2.0.0 queued as ABC" in sent["reply"]
    assert queued["id"] != sent["id"]
    assert not set(queued) - {"entry", "id", "time", "event", "source", "job", "customer", "type", "status", "reason",
                              "contact", "to", "mail", "due"}
    shown = world.ctl_json("customer", "show", "1001")
    assert str(shown["contacts"][0]["id"]) == queued["contact"]


STRUCTURED = [
    ({"id": 7, "type": "job.started", "job": 42, "customer": 1001}, "7", "42", ""),
    ({"specversion": "1.0", "id": "7", "source": "/app", "type": "com.example.dispatch.job.started",
      "subject": "4711", "datacontenttype": "application/json", "data": {"customer": "1001", "driver": "Sam"}},
     "7", "4711", "/app"),
    ({"id": "7", "type": "job.started", "data": {"job": "J", "customer": 1001}}, "7", "J", ""),
    ({"id": "7", "type": "job.started", "job": "top", "customer": "1001", "subject": "other",
      "data": {"job": "inner", "customer": "2"}}, "7", "top", ""),
]


@pytest.mark.parametrize("event, number, job, source", STRUCTURED)
@pytest.mark.parametrize("way", ["stream", "list", "channel"])
def test_structured_spelling(world, way, event, number, job, source):
    world.configure(redis={"list": "jobs:list", "channel": "jobs:channel"})
    add_customer(world)
    world.start_daemon()
    wait_until(lambda: world.redis.pubsub_numsub("jobs:channel")[0][1] == 1, "a subscriber")
    text = json.dumps(event)
    {"stream": lambda: world.xadd(event=text), "list": lambda: world.redis.lpush("jobs:list", text),
     "channel": lambda: world.redis.publish("jobs:channel", text)}[way]()
    sent = world.outcomes(wait_for={"status": "sent"})
    assert (sent["event"], sent["job"], sent["source"], sent["customer"]) == (number, job, source, "1001")
    assert sent["type"] == "job.started"


def test_data_of_both_spellings_reaches_the_template(world):
    kit.write(world, "templates/started.txt", "Subject: {{job.id}}\n\n{{event.driver}}/{{event.crate}}/"
              "{{#event.data}}{{deep.er}}{{/event.data}}/{{job.amount}}/{{customer.name}}/{{contact.name}}/"
              "{{event.job}} {{event.customer}}\n")
    add_customer(world, contact="Ann")
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="a", customer="1001", driver="Sam",
               data='{"driver": "Kim", "crate": "C-1", "deep": {"er": "x"}, "amount": 12}')
    wait_outcome(world, "1", "sent")
    world.xadd(event=json.dumps({"id": "2", "type": "job.started", "job": "b", "customer": "1001",
                                 "data": {"driver": "Kim", "crate": "C-2", "deep": {"er": "y"}, "amount": 12.50}}))
    wait_outcome(world, "2", "sent")
    first, second = world.mails(2)
    assert text_of(first) == "Sam/C-1/x/12/Example Farm/Ann/a 1001\n", "a field wins over data"
    assert text_of(second).startswith("Kim/C-2/y/12.5"), text_of(second)


def test_html_is_escaped_and_text_is_not(world):
    kit.write(world, "templates/started.txt", "Subject: s\n\n{{customer.name}}\n")
    kit.write(world, "templates/started.html", "<p>{{customer.name}}</p>\n")
    add_customer(world, name='<b>A & "B"</b>')
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="a", customer="1001")
    (mail,) = world.mails(1)
    assert text_of(mail) == '<b>A & "B"</b>\n'
    assert text_of(mail, "html") == "<p>&lt;b&gt;A &amp; &quot;B&quot;&lt;/b&gt;</p>\n"


def test_a_template_without_html_makes_a_plain_mail(world):
    kit.write(world, "templates/started.txt", "Subject: s\n\nhello\n")
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="a", customer="1001")
    assert message(world.mails(1)[0]).get_content_type() == "text/plain"


def test_locale_folders(world):
    for folder, word in (("fr-CA/", "Québec"), ("fr/", "France"), ("", "World")):
        kit.write(world, f"templates/{folder}started.txt", f"Subject: s\n\n{word}\n")
    for number, locale in (("1", "fr-CA"), ("2", "fr-BE"), ("3", "fr"), ("4", "de"), ("5", None)):
        add_customer(world, number, email=f"c{number}@example.com", **({"locale": locale} if locale else {}))
    world.start_daemon()
    for number in "12345":
        world.xadd(id=number, type="job.started", job=number, customer=number)
    world.outcomes(wait_for={"status": "sent"}, count=5)
    words = {message(m)["To"].addresses[0].addr_spec: text_of(m).strip() for m in world.mails(5)}
    assert [words[f"c{n}@example.com"] for n in range(1, 6)] == ["Québec", "France", "France", "World", "World"]


def test_two_contacts_two_mails(world, smtp):
    add_customer(world)
    world.ctl("contact", "add", "1001", "--name", "Kim", "--email", "kim@example.com", "--notify", "completed,failed")
    world.ctl("contact", "add", "1001", "--name", "Lee", "--email", "lee@example.com", "--notify", "none")
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    sent = wait_outcome(world, "1", "sent", count=2)
    assert sorted(m.recipients for m in smtp.mails) == [["farm@example.com"], ["kim@example.com"]]
    assert len({o["mail"] for o in sent}) == len({o["contact"] for o in sent}) == 2
    ids = {message(m)["Message-ID"] for m in smtp.mails}
    assert len(ids) == 2, "two mails, two ids"
    assert {message(m)["References"] for m in smtp.mails} != {None}
    world.xadd(id="2", type="job.started", job="2", customer="1001")
    wait_outcome(world, "2", "sent")
    time.sleep(0.1)
    assert [m.recipients for m in smtp.mails[2:]] == [["farm@example.com"]]


def test_mails_of_a_job_are_one_thread(world, smtp):
    add_customer(world)
    world.start_daemon()
    for n, state in enumerate(("dispatched", "started", "completed")):
        world.xadd(id=f"a{n}", type=f"job.{state}", job="4711", customer="1001")
        wait_outcome(world, f"a{n}", "sent")
    world.xadd(id="b", type="job.started", job="4712", customer="1001")
    wait_outcome(world, "b", "sent")
    read = [message(m) for m in smtp.mails]
    threads = [m["References"] for m in read]
    assert threads[0] == threads[1] == threads[2] != threads[3]
    assert [m["In-Reply-To"] for m in read] == threads
    assert len({m["Message-ID"] for m in read}) == 4


def test_envelope_sender_of_its_own(world, smtp):
    world.configure(mail={"envelope_from": "bounces@example.com"})
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="1", customer="1001")
    wait_outcome(world, "1", "sent")
    assert smtp.mails[0].sender == "bounces@example.com"
    assert str(message(smtp.mails[0])["From"]) == "Example Hauling <dispatch@example.com>"


def test_a_retry_is_the_same_mail(world, smtp):
    """Same Message-ID, same Date (when it was made), same words although the customer was renamed meanwhile."""
    kit.write(world, "templates/started.txt", "Subject: {{customer.name}}\n\n{{customer.name}}, {{job.driver}}\n")
    add_customer(world)
    seen = []
    smtp.answers["body"] = lambda session, data: (seen.append(data), "451 4.3.0 later")[1]
    world.start_daemon()
    made = time.time()
    world.xadd(id="1", type="job.started", job="1", customer="1001", driver="Sam")
    retrying = wait_outcome(world, "1", "retrying", "mail_busy")
    assert retrying["attempts"] == "1" and "451 4.3.0 later" in retrying["reply"]
    due = datetime.datetime.fromisoformat(retrying["due"].replace("Z", "+00:00")).timestamp()
    assert 45 < due - made < 80, "a minute, with jitter"
    world.ctl("customer", "set", "1001", "--name", "Another Name")
    wait_until(lambda: time.time() > made + 1.5, "the seconds of Date to differ")
    del smtp.answers["body"]
    world.ctl("mail", "retry", retrying["mail"])
    assert wait_outcome(world, "1", "sent")["attempts"] == "2", "a try asked for by hand is one more"
    assert smtp.mails[0].data == seen[0], "byte for byte"
    read = message(smtp.mails[0])
    queued = datetime.datetime.fromisoformat(world.outcomes()[0]["time"].replace("Z", "+00:00"))
    assert email.utils.parsedate_to_datetime(read["Date"]) == queued.replace(microsecond=0)
    assert text_of(smtp.mails[0]) == "Example Farm, Sam\n"


def test_time_is_the_entrys_where_left_out(world):
    kit.write(world, "templates/started.txt", "Subject: s\n\n{{event.time}}\n")
    add_customer(world)
    world.redis.xadd("jobs:events", {"id": "1", "type": "job.started", "job": "1", "customer": "1001"},
                     id=f"{int(time.time() * 1000) - 3_600_000}-0")
    expected = world.redis.xrange("jobs:events")[0][0]
    world.start_daemon()
    shown = text_of(world.mails(1)[0]).strip()
    then = datetime.datetime.fromisoformat(shown.replace("Z", "+00:00")).timestamp()
    assert abs(then - int(expected.split("-")[0]) / 1000) < 1.0


def test_a_time_far_ahead_counts_as_receipt(world):
    kit.write(world, "templates/started.txt", "Subject: s\n\n{{event.time}}\n")
    add_customer(world)
    world.start_daemon()
    ahead = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=3)
    world.xadd(id="1", type="job.started", job="1", customer="1001", time=ahead.isoformat())
    shown = text_of(world.mails(1)[0]).strip()
    then = datetime.datetime.fromisoformat(shown.replace("Z", "+00:00")).timestamp()
    assert abs(then - time.time()) < 30
    assert "ahead" in world.daemon.log()


def test_jobs_that_are_not_printable_are_percent_encoded(world):
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="Tür 5/é%\u202e", customer="1001")
    wait_outcome(world, "1", "sent")
    header = message(world.mails(1)[0])["X-Dispatchd-Job"]
    assert unquote(header) == "Tür 5/é%\u202e"
    assert all(32 < ord(c) < 127 for c in header.replace(" ", "")), header


def test_what_customers_get_no_mail_for_is_reported(world):
    """One row a rule from 4 to 9, in their order."""
    day = lambda n: (datetime.date.today() + datetime.timedelta(days=n)).isoformat()
    add_customer(world, "1")
    add_customer(world, "6", status="inactive")
    add_customer(world, "7")
    world.ctl("suspend", "7", "--from", day(-2), "--until", day(3), "--scope", "emails", "--note", "away")
    add_customer(world, "8")
    world.ctl("contact", "set", world.ctl_json("customer", "show", "8")["contacts"][0]["id"], "--notify", "failed")
    world.ctl("customer", "add", "9", "--name", "Nobody")
    world.start_daemon()
    for number, state, at in (("1", "completed", 5), ("1", "started", 4), ("6", "started", 3), ("7", "started", 3),
                              ("8", "started", 3), ("9", "started", 3)):
        time_ = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=at - 60)
        world.xadd(id=f"{number}-{state}", type=f"job.{state}", job="j", customer=number, time=time_.isoformat())
    world.xadd(id="again", type="job.completed", job="j", customer="1",
               time=datetime.datetime.now(datetime.timezone.utc).isoformat())
    wait_outcome(world, "again", "suppressed")
    assert outcomes_of(world, "1-completed")[0] == ("queued", "ok")
    assert outcomes_of(world, "1-started") == [("suppressed", "stale")]
    assert outcomes_of(world, "again") == [("suppressed", "repeat")]
    assert outcomes_of(world, "6-started") == [("suppressed", "customer_not_active")]
    assert outcomes_of(world, "7-started") == [("suppressed", "suspended")]
    assert outcomes_of(world, "8-started") == [("suppressed", "not_wanted")]
    assert outcomes_of(world, "9-started") == [("suppressed", "no_address")]
    suspended = next(o for o in world.outcomes() if o["event"] == "7-started")
    assert suspended["note"] == "away" and suspended["until"].startswith(day(3))


def test_a_mail_waits_for_service_hours(world):
    add_customer(world)
    now = datetime.datetime.now(datetime.timezone.utc)
    opening = (now + datetime.timedelta(hours=3)).replace(minute=0)
    if opening.hour == 0:  # an hour earlier is then another day
        opening += datetime.timedelta(hours=1)
    day = opening.date().isoformat()
    world.ctl("hours", "set", "1001", "mon-sun", "closed")
    world.ctl("hours", "except", "1001", day, f"{opening:%H}:00-{opening:%H}:30")
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    world.xadd(id="2", type="job.failed", job="2", customer="1001")
    deferred = wait_outcome(world, "1", "deferred", "outside_hours")
    assert deferred["due"].startswith(f"{opening:%Y-%m-%dT%H}:00:00")
    wait_outcome(world, "2", "sent")
    assert outcomes_of(world, "2")[0] == ("queued", "ok"), "failed is sent all the same"
    assert len(world.mails()) == 1
    shown = world.ctl_json("mail", "list", "--status", "deferred")
    assert [(str(m["id"]), m["to"]) for m in shown] == [(deferred["mail"], "farm@example.com")]
    earlier = opening - datetime.timedelta(hours=1)
    world.ctl("hours", "except", "1001", day, f"{earlier:%H}:00-{opening:%H}:30")
    sooner = wait_outcome(world, "1", "deferred", count=2)[1]
    assert sooner["due"].startswith(f"{earlier:%Y-%m-%dT%H}:00:00"), "the office's change is acted upon"
    assert sooner["to"] == "farm@example.com"
    world.xadd(id="3", type="job.failed", job="1", customer="1001")
    assert wait_outcome(world, "1", "superseded")["to"] == "farm@example.com"
    world.xadd(id="4", type="job.completed", job="4", customer="1001")
    wait_outcome(world, "4", "deferred")
    world.ctl("hours", "clear", "1001", "--yes")
    wait_outcome(world, "4", "sent")


@pytest.mark.long
def test_a_deferred_mail_goes_when_the_service_opens(world):
    """Judged again at that moment: the one who was suspended meanwhile gets none."""
    kit.zone_where_soon(world, "07:00")
    for number in ("1", "2"):
        add_customer(world, number, email=f"c{number}@example.com", timezone="Test/Soon")
        world.ctl("hours", "set", number, "mon-sun", "07:00-12:00")
    world.start_daemon()
    for number in ("1", "2"):
        world.xadd(id=number, type="job.completed", job=number, customer=number)
        wait_outcome(world, number, "deferred", "outside_hours")
    world.ctl("suspend", "2", "--scope", "emails", "--note", "asked for quiet")
    wait_outcome(world, "1", "sent", timeout=20)
    wait_outcome(world, "2", "suppressed", "suspended")
    assert [message(m)["To"] for m in world.mails()] == ["c1@example.com"]
    assert outcomes_of(world, "1") == [("deferred", "outside_hours"), ("sent", "ok")]
