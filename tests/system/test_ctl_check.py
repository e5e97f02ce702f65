# SPDX-License-Identifier: MIT
"""dispatchctl check: what in the data a person should look at."""

import json
import sqlite3

import pytest


@pytest.fixture
def tidy(world):
    """A customer with whom all is well."""
    world.ctl("customer", "add", "1", "--name", "Tidy", "--email", "tidy@example.com")
    return world


def findings(world):
    done = world.ctl("check", "--json", check=False)
    assert done.returncode in (0, 1), done
    found = json.loads(done.stdout)
    assert done.returncode == (1 if found else 0)
    return [(f["finding"], f.get("customer")) for f in found]


def test_no_problem_is_status_0(tidy):
    assert findings(tidy) == []
    assert tidy.ctl("check").stdout == "no problems found\n"


def test_customers_nobody_can_reach_and_why(tidy):
    tidy.ctl("customer", "add", "2", "--name", "No contact")
    tidy.ctl("customer", "add", "3", "--name", "Wants nothing", "--email", "c@example.com")
    tidy.ctl("contact", "set", tidy.ctl_json("contact", "list", "3")[0]["id"], "--notify", "none")
    tidy.ctl("customer", "add", "4", "--name", "Refused", "--email", "d@example.com")
    tidy.ctl("customer", "add", "5", "--name", "Inactive", "--status", "inactive")
    tidy.ctl("customer", "add", "6", "--name", "Site", "--parent", "1")
    with sqlite3.connect(tidy.path("customers.db")) as db:
        db.execute("UPDATE contact SET email_invalid = 1785000000000 WHERE email = 'd@example.com'")
        db.execute("UPDATE contact SET all_sites = 1 WHERE email = 'tidy@example.com'")
    assert findings(tidy) == [("unreachable", n) for n in "234"]
    text = tidy.ctl("check", check=False).stdout
    for why in ("can't be reached: no contact\n", "no contact wants", "every address was refused"):
        assert why in text


def test_calendars_that_never_open(tidy):
    tidy.ctl("hours", "set", "1", "mon", "closed")
    assert findings(tidy) == [("never_open", "1")]
    assert tidy.ctl_json("customer", "show", "1")["hours"]["never_open"] is True
    tidy.ctl("hours", "except", "1", "+300d", "09:00-10:00")
    assert findings(tidy) == []


def test_forgotten_suspensions(tidy):
    tidy.ctl("suspend", "1", "--note", "Long ago", "--from", "-91d")
    assert findings(tidy) == [("forgotten", "1")]
    tidy.ctl("resume", "1")
    tidy.ctl("suspend", "1", "--note", "Not that long ago", "--from", "-90d")
    assert findings(tidy) == []
    tidy.ctl("resume", "1")
    tidy.ctl("suspend", "1", "--note", "Over", "--from", "-9d", "--until", "today")
    assert findings(tidy) == []


def test_zones_locales_and_templates(tidy):
    with sqlite3.connect(tidy.path("customers.db")) as db:
        db.execute("UPDATE customer SET timezone = 'Mars/Olympus', locale = '!!'")
        db.execute("UPDATE contact SET locale = '??'")
    with open(tidy.path("templates", "started.txt"), "w", encoding="utf-8") as file:
        file.write("Subject: {{job.reference}}\n\n{{customer.nickname}}\n")
    with open(tidy.path("templates", "failed.txt"), "w", encoding="utf-8") as file:
        file.write("Subject: x\n\n{{#open}}\n")
    assert sorted(findings(tidy), key=str) == sorted([("timezone", "1"), ("locale", "1"), ("locale", "1"),
                                                      ("template", None), ("template", None)], key=str)
    text = tidy.ctl("check", check=False).stdout
    assert "Mars/Olympus" in text and "customer.nickname" in text and "failed.txt" in text


def test_what_events_bring_is_provided(tidy):
    """Data that the publisher sends is known by the events on record."""
    with open(tidy.path("templates", "started.txt"), "w", encoding="utf-8") as file:
        file.write("Subject: {{job.gate_code}}\n\n{{event.data.gate_code}}{{#timeline}}{{gate_code}}{{/timeline}}"
                   "{{event.site.gate}}\n")
    assert len(findings(tidy)) == 4
    tidy.start_daemon()
    tidy.xadd(event=json.dumps({"id": "1", "type": "job.started", "job": "1", "customer": "1",
                                "data": {"gate_code": 4711, "site": {"gate": "north"}}}))
    tidy.outcomes(wait_for={"status": "sent"})
    assert findings(tidy) == []


def test_contacts_with_the_same_address_are_shown_to_people_too(world):
    world.ctl("customer", "add", "1", "--name", "A", "--email", "a@example.com")
    world.ctl("contact", "add", "1", "--name", "Two", "--email", "a@EXAMPLE.com")
    done = world.ctl("check", check=False)
    assert done.returncode == 1
    assert "Contacts with the same address" in done.stdout and "contacts 1 and 2 of customer 1" in done.stdout


@pytest.mark.parametrize("section, envelope, found", [
    ("mail", "bounces@example.com", False), ("mail", "bounces@mail.example.com", False), ("mail", "bounces@example.net", True),
    ("bounce", "b@bounce.Example.COM", False), ("bounce", "b@example.org", True)])
def test_a_sender_of_another_organization(tidy, section, envelope, found):
    key = "envelope_from" if section == "mail" else "address"
    tidy.configure({section: {key: envelope}})
    tidy.configure(mail={"from": "Example Hauling <dispatch@example.com>"})
    if not found:
        assert findings(tidy) == []
        return
    (finding,) = json.loads(tidy.ctl("check", "--json", check=False).stdout)
    assert (finding["finding"], finding["from"], finding["envelope"]) == ("sender", "dispatch@example.com", envelope)
    assert f"[{section}] {key}" in finding["text"] and envelope.partition("@")[2] in finding["text"]
    assert "Sender\n  mails are from example.com" in tidy.ctl("check", check=False).stdout
