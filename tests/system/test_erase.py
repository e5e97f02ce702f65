# SPDX-License-Identifier: MIT
"""A customer's words leave the records, the history and the spool; that it was erased and by whom stays."""

import glob
import os
import sqlite3

import pytest
import signed
from kit import add_customer, as_user, on_terminal, refused, wait_outcome
from report_peer import bounce
from world import BUILD, wait_until

WORDS = ("Zebulon", "zebulon@example.com", "Wildwood", "Quartermaster")


def found_in(world, pattern):
    """The words that are somewhere in the bytes of the files."""
    content = b""
    for path in glob.glob(world.path(pattern)):
        with open(path, "rb") as file:
            content += file.read()
    return [word for word in WORDS if word.lower().encode() in content.lower()]


@pytest.fixture
def person(world):
    add_customer(world, "2001", name="Another", email="another@example.com")
    add_customer(world, "1001", name="Zebulon Waste", email="zebulon@example.com", contact="Zebulon Doe", phone="303 555 0100")
    world.ctl("note", "add", "1001", "--text", "Wildwood " * 2000)
    return world


def erase(world, number="1001", *args):
    return world.ctl_json("customer", "erase", number, "--yes", *args)


def test_words_leave_records_history_search_and_files(person):
    with open(person.path("plan.txt"), "w", encoding="ascii") as file:
        file.write("Quartermaster")
    person.ctl("document", "add", "1001", person.path("plan.txt"), "--description", "Wildwood plan")
    gone = person.ctl_json("note", "add", "1001", "--text", "Quartermaster " * 1000)
    person.ctl("note", "remove", str(gone["id"]), "--yes")
    person.ctl("customer", "set", "1001", "--name", "Zebulon Haul", "--location-notes", "Wildwood")
    assert erase(person, "1001", "--as", "kim") == {"erased": "1001"}
    assert found_in(person, "customers.db*") == []
    assert glob.glob(person.path("files", "*", "*")) == []
    assert person.ctl_json("customer", "search", "Zebulon") == []
    refused(person, 66, "1001", "customer", "show", "1001")
    rows = person.ctl_json("customer", "history", "1001")
    assert (rows[-1]["action"], rows[-1]["user"], rows[-1]["kind"]) == ("erase", "kim", "customer")
    assert len(rows) >= 6 and all(row["before"] is None and row["after"] is None for row in rows)
    assert person.ctl_json("customer", "show", "2001")["contacts"][0]["email"] == "another@example.com"
    assert [row["number"] for row in person.ctl_json("customer", "search", "another")] == ["2001"]
    with sqlite3.connect(person.path("customers.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")


def test_words_leave_the_spool_once_all_has_ended(person):
    person.start_daemon()
    person.xadd(id="e1", type="job.completed", job="4711", customer="1001", data='{"note": "Quartermaster"}')
    person.xadd(id="e2", type="job.completed", job="4711", customer="2001", data='{"note": "kept"}')
    wait_outcome(person, "e1", "sent")
    wait_outcome(person, "e2", "sent")
    before = person.ctl_json("job", "show", "4711", "--customer", "1001")
    assert found_in(person, "spool.db*")
    erase(person)
    person.daemon.wait_log("erased jobs=1")
    wait_until(lambda: found_in(person, "spool.db*") == [], lambda: found_in(person, "spool.db*"))
    assert found_in(person, "customers.db*") == [], "beside a daemon that reads it"
    after = person.ctl_json("job", "show", "4711", "--customer", "1001")
    assert [event["status"] for event in after["events"]] == [event["status"] for event in before["events"]]
    assert [mail["status"] for mail in after["mails"]] == ["sent"] and after["mails"][0]["id"] == before["mails"][0]["id"]
    other = person.ctl_json("mail", "list", "--customer", "2001")
    assert [mail["status"] for mail in other] == ["sent"] and "another@example.com" in str(other)


def test_words_leave_reports_about_no_known_mail(person):
    """A wish of the contact's, one that nobody signed, and what somebody else wrote."""
    signed.configure(person)
    person.start_daemon()
    person.xadd(id="e1", type="job.completed", job="4711", customer="1001")
    wait_outcome(person, "e1", "sent")
    contact = person.ctl_json("customer", "show", "1001")["contacts"][0]["id"]
    token = signed.make("opt_out", contact, signed.link_of(person, contact), state=signed.STATES.index("failed"))
    for to, sender in ((f"bounce+{token}@mail.example.com", "wildwood@other.example"), ("bounce@mail.example.com", "Zebulon@Example.com"),
                       ("bounce@mail.example.com", "kept@other.example"), ("bounce@mail.example.com", "")):
        mail = f"From: {sender or 'x@other.example'}\nPrecedence: bulk\nSubject: unsubscribe\n\n{sender}\n"
        assert bounce("--socket", person.path("report.sock"), "-f", sender, to, mail=mail.encode()).returncode == 0
    assert [row["took"] for row in person.ctl_json("bounce", "list")] == ["unknown"] * 3 + ["opted_out"]
    erase(person)
    person.daemon.wait_log("erased jobs=1")
    wait_until(lambda: found_in(person, "spool.db*") == [], lambda: found_in(person, "spool.db*"))
    assert [row["sender"] for row in person.ctl_json("bounce", "list")] == ["x@other.example", "kept@other.example"]


def test_what_is_under_way_goes_when_it_has_ended(person):
    person.start_daemon()
    person.ctl("suspend", "1001", "--scope", "routes", "--note", "Wildwood")
    person.xadd("jobs:requests", id="r1", type="job.dispatch", job="8", customer="1001",
                data='{"note": "Quartermaster"}')
    person.outcomes(wait_for={"job": "8", "status": "held"})
    (request,) = person.ctl_json("job", "show", "8")["requests"]
    assert "Wildwood" in request["trace"][-1]["detail"]
    erase(person)
    wait_until(lambda: person.ctl_json("hold", "list") == [] or found_in(person, "spool.db*"), "an answer")
    for row in person.ctl_json("hold", "list"):
        person.ctl("hold", "cancel", str(row["id"]))
    person.daemon.wait_log("erased jobs=1")
    wait_until(lambda: found_in(person, "spool.db*") == [], lambda: found_in(person, "spool.db*"))


def test_it_works_without_a_daemon(person):
    person.start_daemon()
    person.xadd(id="e1", type="job.completed", job="4711", customer="1001", data='{"note": "Quartermaster"}')
    wait_outcome(person, "e1", "sent")
    person.daemon.stop()
    erase(person)
    assert found_in(person, "spool.db*") == []


def test_a_new_customer_of_that_number_is_another(person):
    erase(person)
    add_customer(person, "1001", name="New", email="new@example.com")
    person.start_daemon()
    person.xadd(id="e1", type="job.completed", job="1", customer="1001", data='{"note": "kept"}')
    wait_outcome(person, "e1", "sent")
    assert person.ctl_json("mail", "list")[0]["to"] == "new@example.com"


def test_what_is_refused(person):
    add_customer(person, "1001-1", parent="1001")
    refused(person, 65, "site", "customer", "erase", "1001", "--yes")
    refused(person, 64, "--yes", "customer", "erase", "2001")
    refused(person, 66, "7", "customer", "erase", "7", "--yes")
    person.ctl("customer", "set", "2001", "--number", "3001")
    refused(person, 65, "is a former number; the customer is 3001 now", "customer", "erase", "2001", "--yes")
    shown, status = on_terminal([str(BUILD / "dispatchctl"), "-c", person.config_path, "customer", "erase", "3001"],
                                person.environment(), typed=b"n\n")
    assert status == 64 and "Another" in shown
    assert person.ctl_json("customer", "show", "3001")["name"] == "Another"


def test_a_mail_that_waits_is_answered_and_then_goes(person):
    person.ctl("hours", "except", "1001", "today", "closed")
    person.ctl("hours", "except", "1001", "tomorrow", "closed")
    person.start_daemon()
    person.xadd(id="e1", type="job.completed", job="4711", customer="1001", data='{"note": "Quartermaster"}')
    wait_outcome(person, "e1", "deferred")
    erase(person)
    (mail,) = person.ctl_json("mail", "list")
    if mail["status"] == "deferred":
        assert "Quartermaster" in found_in(person, "spool.db*"), "under way: it stays"
        person.ctl("mail", "cancel", str(mail["id"]))
    wait_until(lambda: found_in(person, "spool.db*") == [], lambda: found_in(person, "spool.db*"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_erasing_and_merging_are_a_manager_s_work(person):
    os.chmod(person.directory, 0o777)
    for path in glob.glob(person.path("customers.db*")):
        os.chmod(path, 0o666)
    for args in (("erase", "1001"), ("merge", "1001", "2001")):
        done = as_user(person, "dispatchctl", "-c", person.config_path, "customer", *args, "--yes")
        assert (done.returncode, done.stdout) == (77, "") and "manager" in done.stderr
    assert len(person.ctl_json("customer", "list")) == 2
