# SPDX-License-Identifier: MIT
"""Two customers become one, and an old number goes on as a name."""

import json
import sqlite3

import pytest
from kit import add_customer, dead_letters, message, on_terminal, refused, wait_outcome, write
from world import BUILD, ROOT, wait_until


def merge(world, source="1001", target="2001"):
    return world.ctl_json("customer", "merge", source, target, "--yes")


@pytest.fixture
def pair(world):
    add_customer(world, "1001", name="Acme Waste Inc.", email="old@example.com", phone="303 555 0100", account="A-1")
    add_customer(world, "2001", name="ACME WASTE, INC", email="new@example.com", address="1 Main St", city="Denver")
    return world


def numbers(world, *args):
    return [row["number"] for row in world.ctl_json("customer", *args)]


def test_all_records_become_the_other_s(pair):
    picture = write(pair, "plan.png", "\x89PNG\r\n\x1a\n")
    with open(picture, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\nplan")
    for command in (("suspend", "1001", "--note", "Rebuilding", "--from", "2099-01-01"),
                    ("note", "add", "1001", "--text", "Gate code at the desk", "--urgent"),
                    ("comment", "add", "1001", "--text", "Friendly"),
                    ("asset", "add", "1001", "--kind", "container", "--serial", "C-7"),
                    ("third-party", "add", "1001", "--name", "Partner", "--role", "hauler"),
                    ("activity", "add", "1001", "--kind", "call", "--text", "Call back", "--state", "open"),
                    ("quote", "add", "1001", "--number", "Q-1", "--state", "sent"),
                    ("sale", "add", "1001", "--job", "4711"),
                    ("system-type", "add", "--name", "Panel"), ("system", "add", "1001", "--type", "Panel"),
                    ("rep", "add", "--name", "Pat Example"), ("rep", "link", "1001", "Pat Example"),
                    ("picture", "add", "1001", picture, "--description", "Plan"),
                    ("hours", "set", "1001", "mon-fri", "07:00-12:00"),
                    ("hours", "except", "1001", "2099-12-25", "closed"),
                    ("customer", "add", "1001-1", "--name", "Depot", "--parent", "1001")):
        done = pair.ctl(*command, check=False)
        assert done.returncode == 0, (command, done)
    whole = merge(pair)
    assert (whole["number"], whole["name"], whole["former_numbers"]) == ("2001", "ACME WASTE, INC", ["1001"])
    for key, n in {"contacts": 2, "suspensions": 1, "notes": 1, "comments": 1, "assets": 1, "systems": 1,
                   "third_parties": 1, "activities": 1, "quotes": 1, "sales": 1, "pictures": 1}.items():
        assert len(whole[key]) == n, key
    assert whole["sites"] == ["1001-1"] and whole["reps"] == ["Pat Example"]
    assert whole["hours"]["weekly"]["mon"] == "07:00-12:00" and whole["hours"]["dates"] == {"2099-12-25": "closed"}
    assert (whole["phone"], whole["account"], whole["address"]) == ("303 555 0100", "A-1", "1 Main St")
    assert numbers(pair, "list") == ["1001-1", "2001"]
    pair.ctl("picture", "fetch", str(whole["pictures"][0]["id"]), pair.path("back.png"))


def test_it_is_in_the_history_of_both(pair):
    pair.ctl("customer", "merge", "1001", "2001", "--yes", "--as", "kim")
    for number in ("2001", "1001"):
        rows = pair.ctl_json("customer", "history", number)
        (row,) = [row for row in rows if row["action"] == "merge"]
        assert (row["user"], row["before"]["number"], row["before"]["name"], row["after"]) == \
            ("kim", "1001", "Acme Waste Inc.", {"number": "2001"})
        assert any(row["action"] == "add" and row["after"].get("number") == "1001" for row in rows)
    pair.ctl("customer", "remove", "1001", "--yes")
    (row,) = pair.ctl_json("customer", "history", "1001")
    assert (row["action"], row["after"]) == ("merge", {"number": "2001"})


def test_a_contact_of_the_same_name_and_address_is_there_once(pair):
    pair.ctl("contact", "add", "1001", "--name", "Sam Doe", "--email", "sam@EXAMPLE.com", "--cell-phone", "303 555 1")
    pair.ctl("contact", "add", "2001", "--name", "sam doe", "--email", "sam@example.com", "--notify", "failed")
    pair.ctl("contact", "add", "1001", "--name", "Kim Roe", "--email", "new@example.com")
    contacts = merge(pair)["contacts"]
    assert sorted(contact["email"] for contact in contacts) == \
        ["new@example.com", "new@example.com", "old@example.com", "sam@example.com"]
    (sam,) = [contact for contact in contacts if contact["email"] == "sam@example.com"]
    assert (sam["notify"], sam["cell_phone"]) == (["failed"], "303 555 1")


def test_jobs_and_waiting_mails_follow(pair):
    pair.ctl("hours", "except", "1001", "today", "closed")
    pair.ctl("contact", "set", "1", "--name", "Sam")
    pair.ctl("contact", "set", "2", "--name", "Sam", "--email", "old@example.com")
    pair.start_daemon()
    pair.xadd(id="e1", type="job.completed", job="4711", customer="1001")
    wait_outcome(pair, "e1", "deferred")
    pair.ctl("suspend", "1001", "--scope", "routes", "--note", "Rebuilding")
    pair.xadd("jobs:requests", id="r1", type="job.dispatch", job="8", customer="1001")
    pair.outcomes(wait_for={"status": "held", "job": "8"})
    merge(pair)
    assert pair.ctl_json("job", "show", "4711")["customer"] == "2001"
    assert [row["customer"] for row in pair.ctl_json("hold", "list")] == ["2001"]
    (mail,) = pair.ctl_json("mail", "list")
    assert (mail["customer"], mail["status"]) == ("2001", "deferred")
    pair.ctl("hours", "clear", "2001")
    wait_outcome(pair, "e1", "sent")
    assert message(pair.mails(count=1)[0])["To"].endswith("old@example.com>")
    pair.ctl("resume", "2001")
    pair.outcomes(wait_for={"status": "released", "job": "8", "customer": "2001"})


@pytest.mark.parametrize("how", ["merged", "renumbered"])
def test_events_requests_feed_and_search_go_on_by_the_old_number(world, how):
    add_customer(world, "1001")
    world.start_daemon()
    world.xadd(id="e1", type="job.dispatched", job="4711", customer="1001")
    wait_outcome(world, "e1", "sent")
    if how == "merged":
        add_customer(world, "2001", email="other@example.com")
        merge(world)
    else:
        world.ctl("customer", "set", "1001", "--number", "2001")
    world.xadd(id="e2", type="job.completed", job="4711", customer="1001")
    wait_outcome(world, "e2", "sent")
    assert world.outcomes(wait_for={"event": "e2", "status": "sent"})
    (job,) = world.ctl_json("job", "list")
    assert (job["customer"], job["state"]) == ("2001", "completed")
    world.xadd("jobs:requests", id="r1", type="job.create", job="9", customer="1001")
    world.outcomes(wait_for={"job": "9", "status": "allowed", "customer": "2001"})
    world.xadd("customers:changes", customer=json.dumps({"number": "1001", "phone": "303 555 0199"}))
    wait_until(lambda: world.ctl_json("customer", "show", "2001")["phone"] == "303 555 0199", "the feed")
    assert numbers(world, "search", "1001") == ["2001"]
    assert world.ctl_json("customer", "search", "1001")[0]["matched"] == {"field": "number", "value": "1001"}
    assert world.ctl_json("explain", "--customer", "1001", "--type", "completed", "--job", "4711",
                          "--at", "+1h")["reason"] == "repeat"
    assert world.ctl_json("customer", "show", "1001")["number"] == "2001"
    assert numbers(world, "list") == ["2001"]


def test_an_event_that_comes_again_by_the_old_number_is_the_same_one(world):
    add_customer(world, "1001")
    world.start_daemon()
    fields = dict(id="e1", type="job.dispatched", job="4711", customer="1001", time="2026-01-01T00:00:00Z")
    world.xadd(**fields)
    world.outcomes(wait_for={"event": "e1"})
    world.ctl("customer", "set", "1001", "--number", "2001")
    world.xadd(**fields)
    world.xadd(id="e2", type="job.completed", job="4711", customer="1001")
    wait_outcome(world, "e2", "sent")
    assert "duplicate with other content" not in world.log_tail()
    assert len(world.ctl_json("job", "show", "4711")["events"]) == 2


@pytest.mark.parametrize("how", ["removed", "added", "given"])
def test_an_old_number_is_a_name_until_it_is_removed_or_given_to_another(pair, how):
    merge(pair)
    if how == "removed":
        gone = pair.ctl_json("customer", "remove", "1001", "--yes")
        assert gone == {"removed": "1001", "former_number_of": "2001"}
    elif how == "added":
        add_customer(pair, "1001", name="Another", email="another@example.com")
    else:
        add_customer(pair, "3001", name="Another", email="another@example.com")
        pair.ctl("customer", "set", "3001", "--number", "1001")
    whole = pair.ctl_json("customer", "show", "2001")
    assert whole["former_numbers"] == [] and len(whole["contacts"]) == 2
    if how == "removed":
        refused(pair, 66, "1001", "customer", "show", "1001")
        assert numbers(pair, "search", "1001") == []
        pair.start_daemon()
        pair.xadd(id="e1", type="job.completed", job="1", customer="1001")
        assert dead_letters(pair, 1)[0][b"dead_reason"] == b"unknown_customer"
    else:
        assert pair.ctl_json("customer", "show", "1001")["name"] == "Another"
        assert numbers(pair, "search", "1001") == ["1001"]


def test_old_numbers_of_the_merged_one_go_along(pair):
    pair.ctl("customer", "set", "1001", "--number", "1002")
    assert merge(pair, "1002")["former_numbers"] == ["1001", "1002"]
    pair.ctl("customer", "set", "2001", "--number", "3001")
    assert pair.ctl_json("customer", "show", "1001")["former_numbers"] == ["1001", "1002", "2001"]
    pair.ctl("customer", "set", "1001", "--number", "2001")
    assert pair.ctl_json("customer", "show", "1001")["former_numbers"] == ["1001", "1002", "3001"]


def test_an_import_names_by_the_old_number_too_but_not_by_both(pair):
    merge(pair)
    file = write(pair, "a.csv", "number,city\n1001,Boulder\n")
    assert pair.ctl_json("customer", "import", file)["changed"] == 1
    shown = pair.ctl_json("customer", "show", "2001")
    assert (shown["city"], shown["number"]) == ("Boulder", "2001")
    file = write(pair, "b.csv", "number,city\n1001,Aspen\n2001,Golden\n")
    done = pair.ctl("customer", "import", file, check=False)
    assert done.returncode == 65 and "2001" in done.stderr and "line 2" in done.stderr
    file = write(pair, "c.csv", "number,name,parent\n5,Site,1001\n")
    pair.ctl("customer", "import", file)
    assert pair.ctl_json("customer", "show", "5")["parent"] == "2001"


def test_what_can_not_be_merged(pair):
    add_customer(pair, "1001-1", parent="1001")
    add_customer(pair, "1001-1-1", parent="1001-1")
    for source, target in (("1001", "1001"), ("1001", "1001-1"), ("1001-1-1", "1001"), ("1001", "1001-1-1")):
        refused(pair, 65, source, "customer", "merge", source, target, "--yes")
    refused(pair, 66, "7", "customer", "merge", "7", "2001", "--yes")
    refused(pair, 66, "7", "customer", "merge", "1001", "7", "--yes")
    refused(pair, 64, "--yes", "customer", "merge", "1001", "2001")
    assert numbers(pair, "list") == ["1001", "1001-1", "1001-1-1", "2001"]
    merge(pair)
    refused(pair, 65, "former number of customer 2001", "customer", "merge", "1001", "2001", "--yes")


def test_sites_may_not_become_too_deep(pair):
    parent = "1001"
    for depth in range(7):
        add_customer(pair, f"s{depth}", parent=parent)
        parent = f"s{depth}"
    pair.ctl("customer", "set", "2001", "--parent", "")
    add_customer(pair, "2000", name="Holding")
    pair.ctl("customer", "set", "2001", "--parent", "2000")
    refused(pair, 65, "deep", "customer", "merge", "1001", "2001", "--yes")
    pair.ctl("customer", "set", "2001", "--parent", "")
    assert merge(pair)["sites"] == ["s0"]


def test_a_terminal_asks_by_both_names(pair):
    ask = [str(BUILD / "dispatchctl"), "-c", pair.config_path, "customer", "merge", "1001", "2001"]
    shown, status = on_terminal(ask, pair.environment(), typed=b"n\n")
    assert status == 64 and "Acme Waste Inc." in shown and "ACME WASTE, INC" in shown
    assert numbers(pair, "list") == ["1001", "2001"]
    shown, status = on_terminal(ask, pair.environment(), typed=b"y\n")
    assert status == 0 and numbers(pair, "list") == ["2001"]


def test_a_fault_on_the_way_leaves_both_as_they_were(pair):
    before = [pair.ctl_json("customer", "show", number) for number in ("1001", "2001")]
    with sqlite3.connect(pair.path("customers.db")) as db:  # a number that is a former one of nobody's
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("INSERT INTO former_number VALUES ('1001', 999)")
    assert pair.ctl("customer", "merge", "1001", "2001", "--yes", check=False).returncode != 0
    assert [pair.ctl_json("customer", "show", number) for number in ("1001", "2001")] == before


def test_old_numbers_of_an_older_database_are_names_too(world):
    with sqlite3.connect(world.path("customers.db")) as db:
        for version in range(1, 7):
            db.executescript((ROOT / "lib" / "records" / f"customers_{version}.sql").read_text(encoding="utf-8"))
        db.executescript("""
            INSERT INTO customer (number, name) VALUES ('1', 'First'), ('7', 'Seventh');
            UPDATE customer SET number = '2' WHERE number = '1'; UPDATE customer SET number = '3' WHERE number = '2';
            INSERT INTO customer (number, name) VALUES ('1', 'Second');
            UPDATE customer SET number = '8' WHERE number = '7'; UPDATE customer SET number = '7' WHERE number = '8';
            PRAGMA application_id = 1684239731; PRAGMA user_version = 6;""")
    world.ctl("customer", "set", "3", "--city", "Denver")
    assert {number: world.ctl_json("customer", "show", number)["former_numbers"] for number in ("1", "3", "7")} == \
        {"1": [], "3": ["2"], "7": ["8"]}
    assert numbers(world, "search", "8") == ["7"]
