# SPDX-License-Identifier: MIT
"""dispatchctl on events, jobs, mails and dead letters, with a daemon and without."""

import json
import re
import sqlite3
import time

import pytest
from kit import refused, wait_outcome


@pytest.fixture
def bakery(world):
    world.ctl("customer", "add", "1001", "--name", "Example Bakery", "--email", "orders@example.com")
    return world


def defer_one(world):
    """A mail that waits for tomorrow, so that nothing happens to it during the test."""
    world.ctl("hours", "set", "1001", "mon-sun", "00:00-00:01")
    world.ctl("event", "send", "completed", "--job", "9", "--customer", "1001")
    return int(world.outcomes(wait_for={"status": "deferred", "job": "9"})["mail"])


# ---- event send


def test_an_event_is_published_as_typed(world):
    entry = world.ctl("event", "send", "job.completed", "--job", "4711", "--customer", "0017", "--id", "8f2c",
                      "--source", "tests", "driver=Sam", "note=a=b").stdout.strip()
    ((found, fields),) = world.redis.xrange("jobs:events")
    assert found == entry
    assert fields == {"type": "job.completed", "job": "4711", "customer": "0017", "id": "8f2c", "source": "tests",
                      "driver": "Sam", "note": "a=b"}


def test_an_id_is_made_up_and_the_type_may_be_short(world):
    first = world.ctl_json("event", "send", "started", "--job", "1", "--customer", "1", "--time", "2026-01-02")
    second = world.ctl_json("event", "send", "started", "--job", "1", "--customer", "1")
    assert first["type"] == "job.started"
    assert first["time"] == "2026-01-02T00:00:00Z"
    assert len({first["id"], second["id"]}) == 2
    assert first["stream"] == "jobs:events"


@pytest.mark.parametrize("args, code, fault", [
    (("job.startd", "--job", "1", "--customer", "1"), 65, "job.startd"),
    (("started", "--customer", "1"), 64, "--job"),
    (("started", "--job", "1"), 64, "--customer"),
    (("started", "--job", "1", "--customer", "1", "driver"), 64, "KEY=VALUE"),
    (("started", "--job", "1", "--customer", "1", "a=1", "a=2"), 64, "a was given twice"),
    (("started", "--job", "1", "--customer", "1", "--time", "soon"), 64, "--time"),
    (("started", "--job", "1", "--customer", "1", "--data", "[1]"), 65, "data"),
    (("started", "--job", "x" * 200, "--customer", "1"), 65, "job"),
    ((), 64, "TYPE"),
])
def test_what_the_daemon_would_put_aside_is_not_published(world, args, code, fault):
    refused(world, code, fault, "event", "send", *args)
    assert world.redis.xlen("jobs:events") == 0


def test_redis_that_is_away_or_refuses(world):
    world.redis_server.stop()
    refused(world, 69, "redis.sock", "event", "send", "started", "--job", "1", "--customer", "1")
    closed = world.start_redis("closed", args=["--requirepass", "sesame"])
    world.configure(redis={"url": f"unix://:wrong@{closed.socket}"})
    refused(world, 77, "WRONGPASS", "event", "send", "started", "--job", "1", "--customer", "1")
    world.configure(redis={"url": f"unix://{closed.socket}"})
    refused(world, 77, "NOAUTH", "event", "send", "started", "--job", "1", "--customer", "1", "driver=Sam")


# ---- job, mail


def test_a_job_is_told_from_its_event_to_the_reply(bakery):
    bakery.start_daemon()
    bakery.ctl("event", "send", "completed", "--job", "4711", "--customer", "1001", "driver=Sam")
    bakery.outcomes(wait_for={"status": "sent"})
    found = bakery.ctl_json("job", "show", "4711", "--customer", "1001")
    assert (found["job"], found["customer"], found["state"]) == ("4711", "1001", "completed")
    assert [row["name"] for row in found["events"][0]["trace"]][-1] == "grouping"
    assert [mail["status"] for mail in found["mails"]] == ["sent"]
    assert [o["status"] for o in found["outcomes"]] == ["queued", "sent"]
    text = bakery.ctl("job", "show", "4711").stdout
    for part in ("job 4711 of customer 1001: completed", "service_hours", "orders@example.com", "sent"):
        assert part in text


def test_a_job_has_its_sale_and_comments(bakery):
    bakery.start_daemon()
    bakery.ctl("sale", "add", "1001", "--job", "4711", "--product", "Container", "--amount", "290.00")
    bakery.ctl("comment", "add", "1001", "Came early", "--job", "4711")
    bakery.ctl("comment", "add", "1001", "Of another job", "--job", "4712")
    bakery.ctl("event", "send", "completed", "--job", "4711", "--customer", "1001")
    bakery.outcomes(wait_for={"status": "sent"})
    found = bakery.ctl_json("job", "show", "4711")
    assert [sale["product"] for sale in found["sales"]] == ["Container"]
    assert [comment["text"] for comment in found["comments"]] == ["Came early"]
    assert "Came early" in bakery.ctl("job", "show", "4711").stdout


def test_what_can_be_done_about_a_marked_address(bakery):
    """The advice is followed, and what it says comes true."""
    number = str(bakery.ctl_json("contact", "list", "1001")[0]["id"])
    bakery.ctl("contact", "set", number, "--email-invalid", "yes")
    bakery.start_daemon()
    bakery.ctl("event", "send", "started", "--job", "1", "--customer", "1001")
    bakery.outcomes(wait_for={"reason": "address_invalid"})
    text = " ".join(bakery.ctl("job", "show", "1").stdout.split())
    (advice,) = re.findall(r"unmark it \((contact set .*?)\)", text)
    assert advice == f"contact set {number} --email-invalid no" and "is a repeat" in text
    bakery.ctl(*advice.split())
    bakery.ctl("event", "send", "started", "--job", "1", "--customer", "1001")
    bakery.outcomes(wait_for={"reason": "repeat"})
    bakery.ctl("event", "send", "completed", "--job", "1", "--customer", "1001")
    bakery.outcomes(wait_for={"status": "sent"})
    bakery.ctl("event", "send", "completed", "--job", "2", "--customer", "1001")
    bakery.outcomes(wait_for={"status": "sent", "job": "2"})
    assert "address_invalid" not in bakery.ctl("job", "show", "2").stdout


def test_what_is_not_on_record_is_66(bakery):
    refused(bakery, 66, "no job 4711", "job", "show", "4711")
    refused(bakery, 66, "no mail 5", "mail", "show", "5")
    refused(bakery, 66, "no mail 5", "mail", "retry", "5")
    refused(bakery, 66, "no mail 5", "mail", "cancel", "5")
    refused(bakery, 66, "1-1", "dead", "retry", "1-1")
    refused(bakery, 64, "must be a positive integer", "mail", "show", "five")
    refused(bakery, 64, "--all-failed", "mail", "retry")
    refused(bakery, 64, "--all-failed", "mail", "retry", "5", "--all-failed")
    refused(bakery, 64, "--all", "dead", "retry")
    refused(bakery, 64, "--status", "mail", "list", "--status", "lost")


def test_two_customers_with_a_job_of_the_same_id(bakery):
    bakery.ctl("customer", "add", "1002", "--name", "Other", "--email", "other@example.com")
    bakery.start_daemon()
    for number in ("1001", "1002"):
        bakery.ctl("event", "send", "completed", "--job", "7", "--customer", number)
    bakery.outcomes(wait_for={"status": "sent"}, count=2)
    refused(bakery, 65, "--customer", "job", "show", "7")
    assert bakery.ctl_json("job", "show", "7", "--customer", "1002")["customer"] == "1002"


def made_ago(world, mail, seconds):
    """As if the mail had been made that long ago; the daemon must be down."""
    with sqlite3.connect(world.path("spool.db")) as spool:
        spool.execute("UPDATE mail SET made = made - ? WHERE id = ?", (seconds * 1000, mail))
    spool.close()


@pytest.mark.parametrize("daemon", [True, False])
def test_mails_by_their_age(bakery, daemon):
    """Age counts from when a mail was made, whatever happened to it since."""
    bakery.start_daemon()
    old = defer_one(bakery)
    bakery.ctl("event", "send", "completed", "--job", "10", "--customer", "1001")
    new = int(bakery.outcomes(wait_for={"status": "deferred", "job": "10"})["mail"])
    bakery.daemon.stop()
    made_ago(bakery, old, 7200)
    if daemon:
        bakery.start_daemon()
    assert [mail["id"] for mail in bakery.ctl_json("mail", "list", "--older-than", "1h")] == [old]
    assert bakery.ctl_json("mail", "list", "--older-than", "3h") == []
    assert [mail["id"] for mail in bakery.ctl_json("mail", "list", "--older-than", "0s")] == [new, old]
    for verb in ("retry", "cancel"):
        assert bakery.ctl_json("mail", verb, "--all", "--older-than", "1h", "--dry-run") == {"matched": 1, "done": 0}
        assert bakery.ctl("mail", verb, "--all", "--older-than", "1h", "--dry-run").stdout == "1 matching mail\n"
        refused(bakery, 64, "--yes", "mail", verb, "--all", "--older-than", "1h")
        refused(bakery, 64, "filter", "mail", verb, "--all", "--dry-run")
        refused(bakery, 64, "--older-than", "mail", verb, "--all", "--older-than", "soon", "--yes")
    both = ("--older-than", "1h", "--job", "10")
    assert bakery.ctl_json("mail", "cancel", "--all", *both, "--yes") == {"matched": 0, "done": 0}, "all must hold"
    assert bakery.ctl_json("mail", "cancel", "--all", "--older-than", "1h", "--yes") == {"matched": 1, "done": 1}
    assert {mail["id"]: mail["status"] for mail in bakery.ctl_json("mail", "list")} == {old: "cancelled", new: "deferred"}


@pytest.mark.parametrize("daemon", [True, False])
def test_a_mail_is_listed_retried_and_called_off(bakery, daemon):
    bakery.start_daemon()
    mail = defer_one(bakery)
    if not daemon:
        assert bakery.daemon.stop() == 0
    (row,) = bakery.ctl_json("mail", "list", "--status", "deferred")
    assert (row["id"], row["jobs"], row["customer"]) == (mail, ["9"], "1001")
    assert bakery.ctl_json("mail", "cancel", mail)["mails"] == [mail]
    assert bakery.ctl_json("mail", "list", "--status", "deferred") == []
    shown = bakery.ctl_json("mail", "show", mail)
    assert (shown["status"], shown["reason"]) == ("cancelled", "by_hand")
    refused(bakery, 65, "cancelled", "mail", "retry", str(mail))
    refused(bakery, 65, "cancelled", "mail", "cancel", str(mail))
    assert bakery.ctl_json("mail", "retry", "--all-failed")["mails"] == []
    assert "cancelled" in bakery.ctl("mail", "list").stdout
    assert "Message-ID" in bakery.ctl("mail", "show", mail).stdout


def test_a_mail_called_off_without_a_daemon_is_published_by_the_next(bakery):
    bakery.start_daemon()
    mail = defer_one(bakery)
    bakery.daemon.stop()
    bakery.ctl("mail", "cancel", mail)
    bakery.start_daemon()
    assert bakery.outcomes(wait_for={"status": "cancelled"})["mail"] == str(mail)


# ---- dead letters


@pytest.mark.parametrize("daemon", [True, False])
def test_a_dead_letter_is_taken_again_once_the_customer_is_there(bakery, daemon):
    bakery.start_daemon()
    entry = bakery.ctl("event", "send", "completed", "--job", "1", "--customer", "77").stdout.strip()
    bakery.outcomes(wait_for={"status": "rejected"})
    (dead,) = bakery.ctl_json("dead", "list")
    assert (dead["entry"], dead["reason"]) == (entry, "unknown_customer")
    assert dead["fields"]["customer"] == "77"
    assert "unknown_customer" in bakery.ctl("dead", "list").stdout
    bakery.ctl("customer", "add", "77", "--name", "New", "--email", "new@example.com")
    if not daemon:
        bakery.daemon.stop()
    assert len(bakery.ctl_json("dead", "retry", entry)["dead"]) == 1
    if not daemon:
        bakery.start_daemon()
    bakery.outcomes(wait_for={"status": "sent", "customer": "77"})
    assert bakery.ctl_json("dead", "list") == []


@pytest.mark.parametrize("daemon", [True, False])
def test_a_dead_letter_is_known_by_its_own_entry(bakery, daemon):
    """Where no entry that broke a rule has that id: a name is first one of those."""
    bakery.start_daemon()
    for n, job in enumerate(("1", "2")):
        bakery.xadd(id=job, type="job.started", job=job, customer="77", dead_id="from outside")
        bakery.outcomes(wait_for={"status": "rejected"}, count=n + 1)
        time.sleep(0.01)
    (first, _), (_, second) = bakery.redis.xrange("jobs:dead")
    if not daemon:
        bakery.daemon.stop()
    assert bakery.ctl_json("dead", "retry", first)["dead"] == [1]
    (left,) = [dead for dead in bakery.ctl_json("dead", "list") if dead["entry"] == second["dead_entry"]]
    assert left["fields"]["id"] == "2"
    refused(bakery, 66, "dead letter", "dead", "retry", first)
    refused(bakery, 66, "dead letter 1-1", "dead", "retry", "1-1")


@pytest.mark.parametrize("daemon", [True, False])
def test_all_dead_letters_are_taken_again_however_many(bakery, daemon):
    """The oldest first, each once, also those that are put aside again."""
    many = 1100
    bakery.start_daemon()
    pipe = bakery.redis.pipeline(transaction=False)
    for n in range(many):
        customer = "77" if n % 2 else "78"
        pipe.xadd("jobs:events", {"id": f"e{n}", "type": "job.started", "job": f"j{n}", "customer": customer})
    pipe.execute()
    bakery.outcomes(wait_for={"status": "rejected"}, count=many, timeout=30)
    bakery.ctl("customer", "add", "77", "--name", "New")
    if not daemon:
        bakery.daemon.stop()
    newest = bakery.ctl_json("dead", "list", "--limit", 1)[0]["id"]
    assert len(set(bakery.ctl_json("dead", "retry", "--all")["dead"])) == many
    if not daemon:
        bakery.start_daemon()
    outcomes = bakery.outcomes(wait_for={"reason": "no_address", "customer": "77"}, count=many // 2)
    assert [o["event"] for o in outcomes] == [f"e{n}" for n in range(1, many, 2)]
    again = bakery.ctl_json("dead", "list", "--limit", many)
    assert len(again) == many // 2 and all(d["id"] > newest and d["fields"]["customer"] == "78" for d in again)
    oldest = again[-1]
    bakery.ctl("customer", "add", "78", "--name", "New")
    assert bakery.ctl_json("dead", "retry", str(oldest["id"]))["dead"] == [oldest["id"]]
    assert len(bakery.ctl_json("dead", "retry", again[0]["entry"])["dead"]) == 1
    refused(bakery, 66, "dead letter", "dead", "retry", str(oldest["id"]))


def test_all_mails_that_failed_are_retried_however_many(bakery, smtp):
    many = 600
    smtp.answers["data"] = "554 5.6.0 not today"
    bakery.start_daemon()
    pipe = bakery.redis.pipeline(transaction=False)
    for n in range(many):
        pipe.xadd("jobs:events", {"id": f"e{n}", "type": "job.failed", "job": f"j{n}", "customer": "1001"})
    pipe.execute()
    bakery.outcomes(wait_for={"status": "failed", "reason": "mail_refused"}, count=many, timeout=30)
    del smtp.answers["data"]
    assert "600 mails" in bakery.ctl("mail", "retry", "--all-failed").stdout
    bakery.outcomes(wait_for={"status": "sent"}, count=many, timeout=30)
    assert bakery.ctl_json("mail", "retry", "--all-failed") == {"mails": []}


@pytest.mark.long
def test_a_mail_whose_job_has_moved_on_goes_nowhere(bakery, smtp):
    smtp.answers["data"] = "554 5.6.0 not today"
    bakery.start_daemon()
    for job in ("1", "2"):
        bakery.xadd(id=f"s{job}", type="job.paused", job=job, customer="1001")
        bakery.outcomes(wait_for={"event": f"s{job}", "status": "failed"})
    del smtp.answers["data"]
    bakery.xadd(id="c1", type="job.completed", job="1", customer="1001")
    bakery.outcomes(wait_for={"event": "c1", "status": "sent"})
    ids = {row["jobs"][0]: row["id"] for row in bakery.ctl_json("mail", "list", "--status", "failed")}
    printed = bakery.ctl("mail", "retry", ids["1"]).stdout
    assert "superseded" in printed and "due now" not in printed
    assert bakery.outcomes(wait_for={"event": "s1", "status": "superseded"})["reason"] == "later_state"
    assert bakery.ctl_json("mail", "retry", "--all-failed") == {"mails": [ids["2"]]}
    bakery.outcomes(wait_for={"event": "s2", "status": "sent"})


# ---- status


def test_status_with_and_without_daemon_and_redis(bakery):
    found = bakery.ctl_json("status")
    assert (found["daemon"], found["redis"]) == ("down", "up")
    bakery.start_daemon()
    bakery.ctl("event", "send", "completed", "--job", "1", "--customer", "1001")
    bakery.outcomes(wait_for={"status": "sent"})
    found = bakery.ctl_json("status")
    assert (found["daemon"], found["redis"], found["mails"]["sent"]) == ("up", "up", 1)
    assert "up" in bakery.ctl("status").stdout
    bakery.redis_server.stop()
    found = bakery.ctl_json("status")
    assert found["redis"] == "down"
    assert "redis.sock" in found["redis_fault"]


# ---- explain, template


def test_explain_in_text_json_and_batch(bakery):
    bakery.redis_server.stop()
    event = json.dumps({"id": 1, "type": "job.completed", "job": 4711, "customer": "1001"})
    found = bakery.ctl_json("explain", "--event", event)
    assert (found["status"], found["reason"]) == ("queued", "ok")
    assert found["contacts"][0]["email"] == "orders@example.com"
    assert bakery.ctl("explain", "--event", event).stdout.startswith("queued: ok")
    bakery.ctl("suspend", "1001", "--note", "Rebuilding", "--from", "2026-02-01", "--until", "2026-03-01")
    lines = [{"at": "2026-02-14T12:00:00Z", "event": json.loads(event)}, {"event": {"type": "nonsense"}}]
    with open(bakery.path("batch.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    for more in ((), ("--json",)):
        answers = bakery.ctl("explain", "--batch", bakery.path("batch.jsonl"), *more).stdout.splitlines()
        assert [json.loads(a)["reason"] for a in answers] == ["suspended", "malformed"]
    stdin = bakery.ctl("explain", "--batch", "-", stdin=json.dumps(lines[0]) + "\n").stdout
    assert json.loads(stdin)["reason"] == "suspended"


def test_explain_shows_the_address_on_record_where_none_can_be_used(bakery):
    bakery.ctl("customer", "add", "2", "--name", "Alternate")
    bakery.ctl("contact", "add", "2", "--name", "Kim", "--alt-email", "kim@example.com")
    with sqlite3.connect(bakery.path("customers.db")) as db:
        db.execute("UPDATE contact SET alt_email_invalid = 1785000000000 WHERE alt_email = 'kim@example.com'")
    event = json.dumps({"id": 1, "type": "job.completed", "job": 1, "customer": "2"})
    assert [(c["email"], c["reason"]) for c in bakery.ctl_json("explain", "--event", event)["contacts"]] == [
        ("kim@example.com", "address_invalid")]


def test_explain_names_a_contact_without_an_address(bakery):
    bakery.ctl("customer", "add", "2", "--name", "No address")
    number = bakery.ctl("contact", "add", "2", "--name", "Kim").stdout.split()[1]
    answer = bakery.ctl("explain", "--customer", "2", "--type", "completed").stdout.splitlines()
    assert answer[1] == "No mail: no contact has an address."
    assert answer[2] == f"  contact {number}: suppressed, no_address"


def test_explain_judges_an_event_on_record_again(bakery):
    bakery.start_daemon()
    for name, type in (("first", "job.started"), ("second", "job.completed")):
        bakery.xadd(id=name, type=type, job="7", customer="1001")
        bakery.outcomes(wait_for={"event": name, "status": "queued"})
    for name, type, recorded in (("first", "started", True), ("second", "completed", True), ("third", "failed", None)):
        event = {"id": name, "type": f"job.{type}", "job": "7", "customer": "1001"}
        found = bakery.ctl_json("explain", "--event", json.dumps(event))
        assert (found["status"], found["job_state"], found.get("recorded")) == ("queued", type, recorded)
        assert [row["holds"] for row in found["trace"]] == [True] * len(found["trace"])
        assert ("judged again" in found["trace"][1]["detail"]) == (recorded is True)


def test_explain_judges_by_the_time_on_record(bakery):
    """The stream's entry gave it its time; what is explained has none."""
    bakery.configure({"notify.completed": {"shelf_life": "1h"}})
    bakery.start_daemon()
    bakery.redis.xadd("jobs:events", {"id": "old", "type": "job.completed", "job": "7", "customer": "1001"},
                      id=f"{int(time.time() * 1000) - 2 * 3600 * 1000}-0")
    bakery.outcomes(wait_for={"event": "old", "status": "expired"})
    event = {"id": "old", "type": "job.completed", "job": "7", "customer": "1001"}
    assert bakery.ctl_json("explain", "--event", json.dumps(event))["status"] == "expired"
    assert bakery.ctl_json("explain", "--event", json.dumps({**event, "id": "new", "job": "8"}))["status"] == "queued"


def test_explain_shows_suspensions_as_others_do(bakery):
    bakery.ctl("suspend", "1001", "--note", "unpaid", "--scope", "routes,jobs")
    event = json.dumps({"id": 1, "type": "job.dispatched", "job": 1, "customer": "1001"})
    found, listed = bakery.ctl_json("explain", "--event", event), bakery.ctl_json("suspensions", "1001")[0]
    for key in ("suspension", "collision"):
        assert found[key] == {name: listed[name] for name in found[key]}


def test_explain_shows_who_does_not_want_it(bakery):
    ids = [bakery.ctl_json("contact", "add", "1001", "--name", "Quiet", "--email", f"q{i}@example.com", "--notify",
                           "failed")["id"] for i in range(2)]
    event = json.dumps({"id": 1, "type": "job.completed", "job": 1, "customer": "1001"})
    wanted = [row for row in bakery.ctl_json("explain", "--event", event)["trace"] if row["rule"] == 8]
    assert [(row["holds"], row.get("contact") is None) for row in wanted] == [(True, True), (True, False)]
    assert wanted[0]["detail"] == f"contacts {ids[0]}, {ids[1]} don't want completed mails"


def test_explain_traces_every_contact(bakery):
    for i in range(30):
        bakery.ctl("contact", "add", "1001", "--name", f"Contact {i}", "--email", f"c{i}@example.com")
    event = json.dumps({"id": 1, "type": "job.completed", "job": 1, "customer": "1001"})
    found = bakery.ctl_json("explain", "--event", event)
    assert len(found["contacts"]) == 31
    traced = [row["contact"] for row in found["trace"] if row["rule"] == 12]
    assert traced == [contact["id"] for contact in found["contacts"]]


def test_explain_refuses_an_event_that_is_too_large(bakery):
    bakery.configure(redis={"max_event_size": "1KiB"})
    event = {"id": "1", "type": "job.completed", "job": "1", "customer": "1001", "note": ""}
    spare = 1024 - len(json.dumps(event, separators=(",", ":")))
    lines = [json.dumps({"at": None, "event": {**event, "note": "x" * n}}) + "\n" for n in (spare, spare + 1)]
    found = bakery.ctl("explain", "--batch", "-", stdin="".join(lines)).stdout.splitlines()
    assert [json.loads(line)["reason"] for line in found] == ["ok", "malformed"]
    assert "1025 bytes" in found[1]


def test_explain_refuses_bad_options(bakery):
    refused(bakery, 64, "--event", "explain")
    refused(bakery, 65, "--event", "explain", "--event", "{")
    refused(bakery, 64, "--at", "explain", "--event", "{}", "--at", "noon")
    refused(bakery, 66, "nowhere", "explain", "--batch", "/nowhere/x.jsonl")
    with open(bakery.path("batch.jsonl"), "w", encoding="utf-8") as file:
        file.write('{"event": {}}\n[]\n')
    done = bakery.ctl("explain", "--batch", bakery.path("batch.jsonl"), check=False)
    assert done.returncode == 65
    assert "batch.jsonl:2: " in done.stderr


def test_template_render(world):
    def file(name, text):
        with open(world.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        return world.path(name)
    data = file("data.json", '{"name": "A & B", "list": [1, 2]}')
    template = file("t.txt", "Hello {{name}}{{> rest}}{{#list}}-{{.}}{{/list}}\n")
    file("rest.txt", "!\n")
    file("rest.html", "?\n")
    assert world.ctl("template", "render", template, "--data", data).stdout == "Hello A & B!\n-1-2\n"
    assert world.ctl("template", "render", template, "--data", data, "--html").stdout == "Hello A &amp; B?\n-1-2\n"
    assert world.ctl_json("template", "render", template, "--data", data) == {"text": "Hello A & B!\n-1-2\n"}
    refused(world, 64, "--data", "template", "render", template)
    refused(world, 66, "none.json", "template", "render", template, "--data", world.path("none.json"))
    refused(world, 65, "bad.txt:1", "template", "render", file("bad.txt", "{{#a}}"), "--data", data)


def test_the_last_jobs_of_a_customer(world):
    world.ctl("customer", "add", "1001", "--name", "Example", "--email", "a@example.com")
    world.ctl("customer", "add", "1002", "--name", "Other")
    assert world.ctl_json("job", "list") == []
    world.start_daemon()
    world.xadd(id="1", type="job.dispatched", job="a", customer="1001", service="pick up", scheduled="2026-12-24T09:00:00Z")
    world.xadd(id="2", type="job.dispatched", job="b", customer="1002")
    world.xadd(id="3", type="job.completed", job="a", customer="1001", driver="Sam")
    world.xadd(id="4", type="job.started", job="c", customer="1001")
    wait_outcome(world, "4", "sent")
    jobs = world.ctl_json("job", "list", "--customer", "1001")
    assert [(j["job"], j["state"], j["service"], j["driver"]) for j in jobs] == \
        [("c", "started", None, None), ("a", "completed", "pick up", "Sam")]
    assert jobs[1]["scheduled"] == "2026-12-24T09:00:00Z"
    assert len(world.ctl_json("job", "list")) == 3 and len(world.ctl_json("job", "list", "--limit", "1")) == 1
    assert "pick up" in world.ctl("job", "list").stdout
