# SPDX-License-Identifier: MIT
"""What a dispatcher's office asks of dispatchctl beyond keeping records: suspensions that change, holidays for all,
jobs and mails by customer, sales, events explained without JSON."""

import datetime
import json
import os
import shutil
import zoneinfo

import pytest
from kit import add_customer, dead_letters, refused, wait_outcome
from world import wait_until


# ---- time zones, keys, explain


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "right/UTC", "posix/UTC", "leapseconds"])
def test_what_tzdata_keeps_beside_the_zones_is_refused(world, zone):
    os.makedirs(world.path("zoneinfo", "right"))
    os.makedirs(world.path("zoneinfo", "posix"))
    for name in ("UTC", zone):  # whatever this machine has: all of them in the format of a zone
        shutil.copyfile("/usr/share/zoneinfo/UTC", world.path("zoneinfo", name))
    environment = world.environment
    world.environment = lambda **more: environment(TZDIR=world.path("zoneinfo"), **more)
    if zone == "leapseconds":  # a text in tzdata
        with open(world.path("zoneinfo", zone), "w", encoding="ascii") as file:
            file.write("# leap seconds\n")
    world.ctl("customer", "add", "1", "--name", "Example", "--timezone", "UTC")
    refused(world, 65, "timezone", "customer", "set", "1", "--timezone", zone)
    world.configure(rules={"timezone": zone})
    done = world.ctl("explain", "--customer", "1", "--type", "completed", check=False)
    assert done.returncode == 78 and "timezone" in done.stderr


def secret_system(world):
    world.ctl("customer", "add", "1", "--name", "Example")
    world.ctl("system-type", "add", "--name", "Panel")
    world.ctl("system-field", "add", "Panel", "--name", "code", "--secret")
    return ("system", "add", "1", "--type", "Panel", "code=2580")


def test_a_fault_of_the_key_file_names_its_key_in_the_configuration(world):
    add = secret_system(world)
    refused(world, 78, "[customers] key_file", *add)
    world.configure(customers={"key_file": world.path("none")})
    refused(world, 78, f"[customers] key_file: can't read {world.path('none')}: No such file", *add)
    with open(world.path("short"), "w", encoding="ascii") as file:
        file.write("0123")
    world.configure(customers={"key_file": world.path("short")})
    refused(world, 78, "[customers] key_file: the key must be 32 bytes", *add)


def test_a_fault_of_the_credential_names_the_credential(world):
    add = secret_system(world)
    environment = world.environment
    world.environment = lambda **more: environment(CREDENTIALS_DIRECTORY=world.path("none"), **more)
    refused(world, 78, "systemd credential customers-key: can't read", *add)


def test_explain_without_json(world):
    add_customer(world, "1001")
    found = world.ctl_json("explain", "--customer", "1001", "--type", "completed")
    assert (found["status"], found["reason"], found["job_state"]) == ("queued", "ok", "completed")
    assert "recorded" not in found or not found["recorded"]
    assert world.ctl("explain", "--customer", "1001", "--type", "job.failed").stdout.startswith("queued: ok")
    assert world.ctl_json("explain", "--customer", "7", "--type", "started")["reason"] == "unknown_customer"
    world.ctl("hours", "set", "1001", "mon-fri", "08:00-17:00")
    found = world.ctl_json("explain", "--customer", "1001", "--type", "completed", "--at", "2026-11-28T12:00:00Z")
    assert (found["reason"], found["due"][:16]) == ("outside_hours", "2026-11-30T08:00")


def test_explain_without_json_knows_the_job_that_is_named(world):
    add_customer(world, "1001")
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    wait_outcome(world, "1", "sent")
    later = ("--at", "+1h")
    assert world.ctl_json("explain", "--customer", "1001", "--type", "completed", "--job", "4711",
                          *later)["reason"] == "repeat"
    assert world.ctl_json("explain", "--customer", "1001", "--type", "completed", *later)["reason"] == "ok"


@pytest.mark.parametrize("args, fault", [
    (("--customer", "1001"), "--type"),
    (("--type", "completed"), "--customer"),
    (("--customer", "1001", "--type", "complete"), "complete"),
    (("--customer", "1001", "--type", "completed", "--event", "{}"), "--event"),
    (("--job", "1", "--batch", "-"), "--batch"),
    ((), "--customer"),
])
def test_explain_names_the_missing_words(world, args, fault):
    refused(world, 64, fault, "explain", *args)


# ---- suspensions


def test_worn_off_suspensions_leave_the_lists_and_the_check(world):
    add_customer(world, "1", timezone="America/Denver")
    over = world.ctl_json("suspend", "1", "--note", "Over", "--from", "-9d", "--until", "today")
    coming = world.ctl_json("suspend", "1", "--note", "Coming", "--from", "+3d", "--until", "+5d")
    shown = world.ctl_json("customer", "show", "1")
    assert [row["id"] for row in shown["suspensions"]] == [coming["id"]]
    assert "Over" not in world.ctl("customer", "show", "1").stdout
    for list_of in (("suspensions", "1"), ("suspensions",), ("suspension", "list", "1")):
        assert [row["id"] for row in world.ctl_json(*list_of)] == [coming["id"]]
        assert {row["id"] for row in world.ctl_json(*list_of, "--history")} == {over["id"], coming["id"]}
    assert world.ctl("check").returncode == 0


def test_a_suspension_can_be_changed_and_its_history_has_it(world):
    add_customer(world, "1", timezone="America/Denver")
    made = world.ctl_json("suspension", "add", "1", "--note", "Rebuilding", "--from", "2026-01-01")
    changed = world.ctl_json("suspension", "set", made["id"], "--until", "2100-01-01", "--scope", "routes,jobs",
                             "--note", "Longer", "--as", "kim")
    assert (changed["until"], changed["scopes"], changed["note"]) == ("2100-01-01", ["jobs", "routes"], "Longer")
    assert (changed["from"], changed["author"]) == (made["from"], made["author"])
    last = world.ctl_json("suspension", "history", made["id"])[-1]
    assert (last["user"], last["action"]) == ("kim", "set")
    assert last["before"] == {"until": None, "scopes": ["jobs", "routes", "emails"], "note": "Rebuilding"}
    assert last["after"] == {"until": "2100-01-01", "scopes": ["jobs", "routes"], "note": "Longer"}
    assert world.ctl_json("suspension", "set", made["id"], "--until", "")["until"] is None
    assert world.ctl_json("suspension", "set", made["id"], "--scopes", "emails")["scopes"] == ["emails"]
    refused(world, 65, "not later than from", "suspension", "set", made["id"], "--until", "2026-01-01")
    refused(world, 65, "scopes", "suspension", "set", made["id"], "--scope", "mails")
    refused(world, 65, "note", "suspension", "set", made["id"], "--note", "")
    refused(world, 64, "--until", "suspension", "set", made["id"])
    refused(world, 64, "--from", "suspension", "set", made["id"], "--from", "2026-02-01")
    refused(world, 66, "77", "suspension", "set", "77", "--note", "x")
    assert world.ctl_json("suspension", "end", "1", made["id"])["ended"] == 1
    refused(world, 65, "was ended", "suspension", "set", made["id"], "--until", "2100-01-01")


def test_a_changed_suspension_acts_at_once(world):
    add_customer(world, "1")
    made = world.ctl_json("suspend", "1", "--note", "Rebuilding")
    world.start_daemon()
    world.xadd("jobs:requests", id="r1", type="job.dispatch", job="4711", customer="1")
    world.outcomes(wait_for={"event": "r1", "status": "held"})
    world.ctl("suspension", "set", made["id"], "--scope", "emails")
    world.outcomes(wait_for={"event": "r1", "status": "released"})
    world.xadd(id="e1", type="job.completed", job="1", customer="1")
    assert wait_outcome(world, "e1", "suppressed")["note"] == "Rebuilding"
    world.ctl("suspension", "set", made["id"], "--scope", "jobs")
    world.xadd(id="e2", type="job.completed", job="2", customer="1")
    wait_outcome(world, "e2", "sent")


def test_resume_reports_that_the_parents_suspension_still_holds(world):
    add_customer(world, "1")
    add_customer(world, "1-2", name="Depot", parent="1")
    parents = world.ctl_json("suspend", "1", "--note", "Unpaid", "--until", "+30d")
    world.ctl("suspend", "1-2", "--note", "Flooded")
    answer = world.ctl_json("resume", "1-2")
    assert answer["ended"] == 1
    assert [(row["id"], row["customer"], row["note"]) for row in answer["still"]] == [(parents["id"], "1", "Unpaid")]
    text = world.ctl("resume", "1-2").stdout
    assert "no suspension of its own" in text and "still suspended" in text and "customer 1: Unpaid" in text
    assert world.ctl_json("resume", "1")["still"] == []


# ---- holidays, and hours as people write them


def test_hours_as_people_write_them(world):
    add_customer(world, "1")
    found = world.ctl_json("hours", "set", "1", "Mon-Fri", "9:00 - 17:00")
    assert found["weekly"] == {day: "09:00-17:00" for day in ("mon", "tue", "wed", "thu", "fri")}
    assert world.ctl_json("hours", "set", "1", "SAT", "9:00", "-", "12:00")["weekly"]["sat"] == "09:00-12:00"
    assert world.ctl_json("hours", "set", "1", "Mon - Tue", "Closed")["weekly"]["tue"] == "closed"
    assert world.ctl_json("hours", "except", "1", "2027-01-02", "8:30-9:05")["dates"] == {"2027-01-02": "08:30-09:05"}
    refused(world, 65, "9-17", "hours", "set", "1", "mon", "9-17")
    refused(world, 65, "Mo-Fr", "hours", "set", "1", "Mo-Fr", "09:00-17:00")
    with open(world.path("hours.jsonl"), "w", encoding="utf-8") as file:
        file.write(json.dumps({"number": "1", "hours": {"weekly": {"Mon-Fri": "9:00 – 17:00"}}}) + "\n")
    world.ctl("customer", "import", world.path("hours.jsonl"))
    assert world.ctl_json("hours", "show", "1")["weekly"]["wed"] == "09:00-17:00"


def test_a_span_of_dates(world):
    add_customer(world, "1")
    found = world.ctl_json("hours", "except", "1", "2027-12-30..2028-01-02", "closed")
    assert list(found["dates"]) == ["2027-12-30", "2027-12-31", "2028-01-01", "2028-01-02"]
    found = world.ctl_json("hours", "except", "1", "2027-12-31..2028-01-01", "normal")
    assert list(found["dates"]) == ["2027-12-30", "2028-01-02"]
    changes = [row for row in world.ctl_json("hours", "history", "1") if row["kind"] == "hours"]
    assert len(changes) == 2
    assert changes[0]["after"]["dates"]["2028-01-02"] == "closed"
    refused(world, 65, "earlier", "hours", "except", "1", "2028-01-02..2028-01-01", "closed")
    refused(world, 65, "366", "hours", "except", "1", "2028-01-01..2030-01-01", "closed")
    refused(world, 64, "2028-13-01", "hours", "except", "1", "2028-01-01..2028-13-01", "closed")
    refused(world, 64, "--all", "hours", "except", "2028-01-01", "closed")


def test_holidays_of_the_office_are_everybodys_who_sets_nothing(world):
    add_customer(world, "1")
    add_customer(world, "1-2", name="Depot", parent="1")
    add_customer(world, "2", name="Open at Christmas")
    world.ctl("hours", "set", "1", "mon-fri", "08:00-16:00")
    world.ctl("hours", "except", "1", "2027-12-24", "08:00-10:00")
    world.ctl("hours", "except", "2", "2027-12-25", "09:00-17:00")
    found = world.ctl_json("hours", "except", "--all", "2027-12-24..2027-12-25", "closed", "--as", "kim")
    assert found == {"dates": {"2027-12-24": "closed", "2027-12-25": "closed"}}
    assert world.ctl_json("hours", "show", "--all") == found

    depot = world.ctl_json("hours", "show", "1-2")
    assert (depot["weekly"], depot["dates"]) == (None, {})  # nothing of its own
    assert depot["inherited"]["weekly"]["from"] == "1"
    assert depot["inherited"]["weekly"]["windows"]["mon"] == "08:00-16:00"
    assert depot["inherited"]["dates"] == {"2027-12-24": {"windows": "08:00-10:00", "from": "1"},
                                           "2027-12-25": {"windows": "closed", "from": "all"}}
    other = world.ctl_json("hours", "show", "2")
    assert other["dates"] == {"2027-12-25": "09:00-17:00"}
    assert other["inherited"] == {"weekly": None, "dates": {"2027-12-24": {"windows": "closed", "from": "all"}}}
    for text in (world.ctl("hours", "show", "1-2").stdout, world.ctl("customer", "show", "1-2").stdout):
        assert "2027-12-24  08:00-10:00  (of customer 1)" in text
        assert "2027-12-25  closed  (for all customers)" in text

    def due(customer, at):
        found = world.ctl_json("explain", "--customer", customer, "--type", "completed", "--at", at)
        return found["reason"], found["due"] and found["due"][:16]
    assert due("2", "2027-12-24T12:00:00Z") == ("outside_hours", "2027-12-25T09:00")
    assert due("1-2", "2027-12-24T12:00:00Z") == ("outside_hours", "2027-12-27T08:00")
    assert due("1", "2027-12-24T09:00:00Z")[0] == "ok"

    (change,) = world.ctl_json("hours", "history", "--all")
    assert (change["user"], change["after"]) == ("kim", found)
    world.ctl("hours", "except", "--all", "2027-12-24", "normal")
    assert list(world.ctl_json("hours", "show", "--all")["dates"]) == ["2027-12-25"]
    world.ctl("hours", "clear", "--all")
    assert world.ctl_json("hours", "show", "--all") == {"dates": {}}
    assert world.ctl_json("hours", "show", "2")["dates"] == {"2027-12-25": "09:00-17:00"}
    assert "kim" in world.ctl("hours", "history", "--all").stdout


def test_a_holiday_acts_at_once_in_the_daemon(world):
    add_customer(world, "1")
    world.start_daemon()
    world.ctl("hours", "except", "--all", "yesterday..+3d", "closed")
    world.xadd(id="e1", type="job.completed", job="1", customer="1")
    assert wait_outcome(world, "e1", "deferred")["reason"] == "outside_hours"
    world.ctl("hours", "except", "--all", "yesterday..+3d", "normal")
    wait_outcome(world, "e1", "sent")


# ---- jobs and mails by customer, in the customer's time


def in_denver(text):
    """An instant of JSON as its wall clock there, to compare two spellings of one instant."""
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return at.astimezone(zoneinfo.ZoneInfo("America/Denver")).replace(microsecond=0)


def test_a_customers_page_has_its_jobs(world):
    add_customer(world, "1001", timezone="America/Denver")
    add_customer(world, "1002", email="other@example.com")
    world.ctl("suspend", "1001", "--note", "Rebuilding", "--scope", "routes")
    world.start_daemon()
    coming = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).isoformat(timespec="seconds")
    world.xadd("jobs:requests", id="r1", type="job.create", job="later", customer="1001", scheduled=coming)
    world.xadd("jobs:requests", id="r2", type="job.dispatch", job="waits", customer="1001", scheduled=coming)
    world.xadd(id="e1", type="job.completed", job="done", customer="1001", scheduled=coming, service="Pick-up")
    world.xadd(id="e2", type="job.completed", job="others", customer="1002")
    world.outcomes(wait_for={"event": "r2", "status": "held"})
    wait_outcome(world, "e2", "sent")
    jobs = world.ctl_json("customer", "show", "1001")["jobs"]
    assert sorted(row["job"] for row in jobs["scheduled"]) == ["later", "waits"]
    assert [row["job"] for row in jobs["held"]] == ["waits"]
    assert [(row["job"], row["state"], row["service"]) for row in jobs["last"]] == [("done", "completed", "Pick-up")]
    for row in jobs["scheduled"] + jobs["held"]:
        assert row["timezone"] == "America/Denver"
        assert row["local"]["scheduled"][19:] in ("-07:00", "-06:00")
        assert in_denver(row["local"]["scheduled"]) == in_denver(coming)
    assert jobs["last"][0]["changed"].endswith("Z")
    assert in_denver(jobs["last"][0]["local"]["changed"]) == in_denver(jobs["last"][0]["changed"])
    text = world.ctl("customer", "show", "1001").stdout
    assert text.index("Scheduled jobs") < text.index("Held jobs") < text.index("Last jobs")
    assert jobs["held"][0]["local"]["scheduled"] in text
    assert "others" not in text


def test_a_customers_page_without_a_spool(world):
    add_customer(world, "1001")
    assert world.ctl_json("customer", "show", "1001")["jobs"] == {"scheduled": [], "held": [], "last": []}


def test_lists_of_jobs_and_mails_are_narrowed(world):
    add_customer(world, "1001", email="Farm@example.com", timezone="America/Denver")
    add_customer(world, "1002", email="other@example.com")
    world.ctl("hours", "except", "1002", "yesterday..+3d", "closed")
    world.start_daemon()
    world.xadd(id="e1", type="job.completed", job="4711", customer="1001")
    world.xadd(id="e2", type="job.failed", job="4712", customer="1001")
    world.xadd(id="e3", type="job.completed", job="4711", customer="1002")
    for event, status in (("e1", "sent"), ("e2", "sent"), ("e3", "deferred")):
        wait_outcome(world, event, status)

    def mails(*args):
        return sorted((row["customer"], row["jobs"][0]) for row in world.ctl_json("mail", "list", *args))

    def jobs(*args):
        return sorted((row["customer"], row["job"]) for row in world.ctl_json("job", "list", *args))
    one, two, three = ("1001", "4711"), ("1001", "4712"), ("1002", "4711")
    for found in (mails, jobs):
        assert found() == [one, two, three]
        assert found("--customer", "1001") == [one, two]
        assert found("--job", "4711") == [one, three]
        assert found("--customer", "1001", "--job", "4711") == [one]
        assert found("--to", "farm@EXAMPLE.com") == [one, two]
        assert found("--to", "nobody@example.com") == []
        assert found("--status", "deferred") == [three]
        assert found("--reason", "outside_hours") == [three]
        assert found("--state", "failed") == [two]
        assert found("--older-than", "1h") == []
        assert len(found("--older-than", "0s")) == 3
        assert found("--customer", "1001", "--status", "deferred") == []
    assert jobs("--status", "failed") == [two]  # the job's own state
    assert mails("--status", "sent") == [one, two]
    for noun in ("mail", "job"):
        refused(world, 64, "--status", noun, "list", "--status", "gone")
        refused(world, 64, "--reason", noun, "list", "--reason", "weather")
        refused(world, 64, "--state", noun, "list", "--state", "gone")
        refused(world, 64, "--older-than", noun, "list", "--older-than", "old")
    for row in world.ctl_json("mail", "list", "--customer", "1001"):
        assert row["due"].endswith("Z") and row["timezone"] == "America/Denver"
        assert in_denver(row["local"]["due"]) == in_denver(row["due"])
        assert row["local"]["due"] in world.ctl("mail", "list").stdout
    shown = world.ctl_json("job", "show", "4711", "--customer", "1001")
    assert in_denver(shown["events"][0]["local"]["time"]) == in_denver(shown["events"][0]["time"])
    assert shown["events"][0]["local"]["time"] in world.ctl("job", "show", "4711", "--customer", "1001").stdout
    mail = world.ctl_json("mail", "show", world.ctl_json("mail", "list", "--customer", "1001")[0]["id"])
    assert in_denver(mail["local"]["due"]) == in_denver(mail["due"])


def test_a_released_job_carries_pictures_and_coordinates(world):
    add_customer(world, "1001")
    world.ctl("asset", "add", "1001", "--kind", "container", "--serial", "C-1", "--position", "behind the hall",
              "--latitude", "39.7392", "--longitude", "-104.9903")
    world.ctl("asset", "add", "1001", "--kind", "compactor", "--serial", "C-2")
    with open(world.path("gate.png"), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + bytes(100))
    add = ("picture", "add", "1001", world.path("gate.png"), "--description")
    gate = world.ctl_json(*add, "The gate")
    mine = world.ctl_json(*add, "Where to put it", "--job", "4711")
    world.ctl(*add, "Of another job", "--job", "4712")
    world.start_daemon()
    world.xadd("jobs:requests", id="r1", type="job.dispatch", job="4711", customer="1001")
    world.outcomes(wait_for={"event": "r1", "status": "released"})
    wait_until(lambda: world.redis.xlen("jobs:dispatch") == 1, "the released job")
    ((_, released),) = world.redis.xrange("jobs:dispatch")
    assert json.loads(released["assets"]) == [
        {"kind": "container", "serial": "C-1", "position": "behind the hall", "latitude": "39.7392",
         "longitude": "-104.9903"},
        {"kind": "compactor", "serial": "C-2", "position": ""}]
    assert json.loads(released["pictures"]) == [
        {"id": row["id"], "name": "gate.png", "description": row["description"], "type": "image/png"}
        for row in (gate, mine)]


# ---- sales, marks by hand, a manager's work


def test_a_sale_has_what_accounts_need(world):
    add_customer(world, "1")
    given = {"status": "open", "account_notes": "Paid by check, twice a year", "commission": "50.00",
             "commission_paid": "20.00", "rto": "2026-11-02", "rereceived": "2026-11-09",
             "appointment": "2026-12-24T09:30"}
    made = world.ctl_json("sale", "add", "1", *[w for k, v in given.items() for w in ("--" + k.replace("_", "-"), v)])
    assert {key: made[key] for key in given} == given
    for value, kept in (("2026-12-24", "2026-12-24"), ("2026-12-24 09:30", "2026-12-24T09:30"),
                        ("2026-12-24T09:30:00-07:00", "2026-12-24T09:30:00-07:00"), ("", None)):
        assert world.ctl_json("sale", "set", made["id"], "--appointment", value)["appointment"] == kept
    assert world.ctl_json("sale", "set", made["id"], "--appointment", "tomorrow 09:30")["appointment"].endswith("T09:30")
    for bad in ("2026-12-24T25:00", "2026-12-24T9", "2026-13-24", "noon", "2026-12-24T09:30x"):
        refused(world, 65, "appointment", "sale", "set", made["id"], "--appointment", bad)
    refused(world, 64, "rto", "sale", "set", made["id"], "--rto", "soon")
    assert "Paid by check" in world.ctl("sale", "show", made["id"]).stdout


def test_a_balance_is_computed_from_the_contract_and_the_payments(world):
    add_customer(world, "1")
    sale = world.ctl_json("sale", "add", "1", "--contract-amount", "1000.00", "--job", "4711")
    assert float(sale["balance"]) == 1000
    world.ctl("payment", "add", sale["id"], "--amount", "400.10", "--day", "today")
    second = world.ctl_json("payment", "add", sale["id"], "--amount", "600.00", "--day", "today")
    assert world.ctl_json("sale", "show", sale["id"])["balance"] == "-0.10"
    assert world.ctl_json("customer", "show", "1")["sales"][0]["balance"] == "-0.10"
    assert world.ctl_json("sale", "list", "1")[0]["balance"] == "-0.10"
    world.ctl("payment", "remove", second["id"], "--yes")
    assert world.ctl_json("sale", "set", sale["id"], "--contract-amount", "500.10")["balance"] == "100.00"
    refused(world, 65, "balance", "sale", "set", sale["id"], "--balance", "7.00")
    for ending in ("csv", "jsonl"):
        world.ctl("sale", "export", world.path(f"sales.{ending}"))
        with open(world.path(f"sales.{ending}"), encoding="utf-8") as file:
            assert "100.00" in file.read()
        assert world.ctl_json("sale", "import", world.path(f"sales.{ending}"))["changed"] == 0


def test_an_address_can_be_marked_invalid_by_hand(world):
    add_customer(world, "1")
    (contact,) = world.ctl_json("contact", "list", "1")
    marked = world.ctl_json("contact", "set", contact["id"], "--email-invalid", "yes", "--as", "kim")
    assert marked["email_invalid"].endswith("Z") and marked["email_invalid_why"] == "marked by hand"
    assert world.ctl_json("contact", "set", contact["id"], "--email-invalid", "yes") == marked
    assert world.ctl_json("explain", "--customer", "1", "--type", "completed")["reason"] == "address_invalid"
    last = world.ctl_json("contact", "history", contact["id"])[-1]
    assert (last["user"], last["after"]["email_invalid_why"]) == ("kim", "marked by hand")
    good = world.ctl_json("contact", "set", contact["id"], "--email-invalid", "no")
    assert good["email_invalid"] is None and good["email_invalid_why"] is None
    assert world.ctl_json("explain", "--customer", "1", "--type", "completed")["reason"] == "ok"
    world.ctl("contact", "set", contact["id"], "--email-invalid", "yes")
    assert world.ctl_json("contact", "set", contact["id"], "--email", "new@example.com")["email_invalid"] is None
    refused(world, 65, "alt_email", "contact", "set", contact["id"], "--alt-email-invalid", "yes")
    refused(world, 65, "email_invalid", "contact", "set", contact["id"], "--email-invalid", "perhaps")


# ---- notes and comments, addresses, doubles


@pytest.mark.parametrize("kind", ["note", "comment"])
def test_a_manager_may_remove_a_note_or_comment(world, kind):
    add_customer(world, "1")
    made = world.ctl_json(kind, "add", "1", "Never to be read")
    refused(world, 64, "--yes", kind, "remove", made["id"])
    world.ctl(kind, "remove", made["id"], "--yes", "--as", "kim")
    assert world.ctl_json(kind, "list", "1") == []
    last = world.ctl_json("customer", "history", "1")[-1]
    assert (last["kind"], last["action"], last["user"]) == (kind, "remove", "kim")
    refused(world, 64, "no verb \"set\"", kind, "set", made["id"], "--text", "x")


def test_an_internationalized_domain_is_offered_in_ascii(world):
    refused(world, 65, "write post@xn--bcker-gra.example", "customer", "add", "1", "--name", "X",
            "--email", "post@b\u00e4cker.example")
    world.ctl("customer", "add", "1", "--name", "X", "--email", "post@xn--bcker-gra.example")


def test_an_address_that_needs_smtputf8_is_refused_where_it_is_entered(world):
    words, foreign = "letters before the @ that only mail servers with SMTPUTF8 take", "b\u00e4cker@example.com"
    refused(world, 65, words, "customer", "add", "1", "--name", "X", "--email", foreign)
    world.ctl("customer", "add", "1", "--name", "X")
    refused(world, 65, words, "contact", "add", "1", "--name", "Y", "--email", foreign)
    with open(world.path("in.csv"), "w", encoding="utf-8") as file:
        file.write(f"customer,name,email\n1,Y,{foreign}\n")
    done = world.ctl("contact", "import", world.path("in.csv"), check=False)
    assert done.returncode == 65 and f"in.csv:2:3: email: '{foreign}' has {words}" in done.stderr
    world.start_daemon()
    world.xadd("customers:changes", customer=json.dumps({"number": "1", "email": foreign}))
    (dead,) = dead_letters(world, 1)
    assert words.encode() in b" ".join(dead.values())
    assert world.ctl_json("contact", "list", "1") == []


def test_duplicates_are_found_by_name_and_families_are_none(world):
    add_customer(world, "1", name="Acme Waste Inc.", email="a@example.com")
    add_customer(world, "2", name="ACME WASTE, INC", email="b@example.com")
    add_customer(world, "3", name="Acme-Waste LLC", email="c@example.com")
    add_customer(world, "4", name="Acme Wastewater", email="d@example.com")
    add_customer(world, "10", name="Example Farm", email="farm@example.com", phone="303 555 0100", account="A-1")
    add_customer(world, "10-1", name="Example Farm", email="farm@example.com", phone="303 555 0100", account="A-1",
                 parent="10")
    add_customer(world, "10-2", name="Example Farm, barn", email="farm@example.com", parent="10-1")
    found = world.ctl_json("customer", "duplicates")
    assert [(group["shares"], sorted(row["number"] for row in group["customers"])) for group in found] == [
        ("name", ["1", "2", "3"])]
    add_customer(world, "11", name="Farm of Example", email="farm@example.com")
    assert [group["shares"] for group in world.ctl_json("customer", "duplicates")] == ["name", "email"]


def test_a_parent_with_a_site_of_its_name_is_still_a_double_of_others(world):
    add_customer(world, "10", name="Example Farm Inc.")
    add_customer(world, "10-1", name="Example Farm", parent="10")
    assert world.ctl_json("customer", "duplicates") == []
    add_customer(world, "11", name="EXAMPLE FARM, INC", email="other@example.com")
    group, = world.ctl_json("customer", "duplicates")
    assert sorted(row["number"] for row in group["customers"]) == ["10", "10-1", "11"]


def test_choices_and_weekdays_are_taken_as_people_write_them(world):
    add_customer(world, "1")
    assert world.ctl_json("customer", "set", "1", "--status", "Inactive", "--kind", "FLEET")["kind"] == "fleet"
    assert world.ctl_json("customer", "show", "1")["status"] == "inactive"
    world.ctl("hours", "set", "1", "Monday-Friday", "9:00 - 17:00")
    assert world.ctl_json("hours", "show", "1")["weekly"]["fri"] == "09:00-17:00"
    refused(world, 65, "weekdays must be like mon, mon-fri, sat,sun or all (got \"someday\")", "hours", "set", "1",
            "someday", "9:00-17:00")
    contact = world.ctl_json("contact", "set", "1", "--notify", "Failed, Completed")
    assert contact["notify"] == ["completed", "failed"]
    world.ctl("suspend", "1", "--scope", "Jobs, Emails", "--note", "x")
    refused(world, 65, "email_invalid: must be yes or no (got \"maybe\")", "contact", "set", "1",
            "--email-invalid", "maybe")


def test_the_option_customer_takes_a_number_as_pages_have_it(world):
    add_customer(world, "1")
    copied = "\u00a01\u2003"
    assert world.ctl_json("explain", "--customer", copied, "--type", "completed")["status"] == "queued"
    assert world.ctl_json("gate", "create", "--customer", copied)["status"] == "allowed"
    refused(world, 65, "--customer: contains an invisible character U+200B", "mail", "list", "--customer", "\u200b1")
