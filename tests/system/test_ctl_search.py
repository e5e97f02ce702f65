# SPDX-License-Identifier: MIT
"""dispatchctl customer search, as the office types: words in any order, spelt in any way."""

import json
import sqlite3

import pytest
from kit import write
from world import ROOT

CUSTOMERS = [
    {"number": "1001", "name": "M\u00fcller Haulage", "city": "K\u00f6ln", "county": "Rheinland", "phone": "+49 (0)221 123456",
     "email": "anna@example.com", "contact": "Anna Lee", "reference": "PO-77", "sales_rep": "Sam Smith"},
    {"number": "1002", "name": "Wal-Mart", "dba": "HP", "address": "4 Main St.", "city": "Denver", "state": "CO",
     "phone": "303.555.0102"},
    {"number": "1003", "name": "O\u2019Neil & Sons", "city": "Denver", "state": "CO", "phone": "+1 (303) 555-0103"},
    {"number": "1004", "name": "\u5317\u4eac\u5e02\u671d\u9633\u533a\u5783\u573e", "city": "\u6771\u4eac\u90fd"},
    {"number": "1005", "name": "Mueller & Co", "phone": "030 987654", "account": "A-77"},
    {"number": "7", "name": "Jos\u00e9 B\u00e9langer", "city": "Montr\u00e9al", "state": "QC"},
]


@pytest.fixture
def office(world):
    world.ctl("customer", "import", write(world, "in.jsonl", "".join(json.dumps(row) + "\n" for row in CUSTOMERS)))
    return world


def found(world, text, *options):
    return sorted(row["number"] for row in world.ctl_json("customer", "search", text, *options))


@pytest.mark.parametrize("text, numbers", [
    ("walmart", ["1002"]), ("Wal-Mart", ["1002"]), ("wal mart", ["1002"]), ("mart denver wal", ["1002"]),
    ("oneil", ["1003"]), ("O'NEIL", ["1003"]), ("o\u2019neil sons", ["1003"]), ("neil", ["1003"]),
    ("mueller", ["1001", "1005"]), ("muller", ["1001"]), ("M\u00fcller", ["1001", "1005"]), ("mu\u0308ller", ["1001", "1005"]),
    ("koln haul", ["1001"]), ("koeln", ["1001"]), ("lee rheinland", ["1001"]), ("haulage denver", []),
    ("jose belanger", ["7"]), ("montreal jos\u00e9", ["7"]), ("anna@example.com", ["1001"]), ("a77", ["1005"]), ("A-77", ["1005"]),
    ("co", ["1002", "1003", "1005"]), ("hp", ["1002"]), ("4", ["1002"]), ("4 main", ["1002"]), ("7", ["7"]),
    ("mu", []), ("co denver", ["1002", "1003"]), ("& denver sons", ["1003"]),
    ("\u5317\u4eac", ["1004"]), ("\u671d\u9633", ["1004"]), ("\u671d\u9633\u533a", ["1004"]), ("\u6771\u4eac", ["1004"]), ("\u4eac\u6771", []),
    ("+49 221 123456", ["1001"]), ("0221 123456", ["1001"]), ("+49 (0)221 123456", ["1001"]), ("0049221123456", ["1001"]),
    ("+49 30 987654", ["1005"]), ("030987654", ["1005"]), ("(303) 555-0102", ["1002"]), ("+1 303 555 0102", ["1002"]),
    ("1-303-555-0102", ["1002"]), ("3035550103", ["1003"]), ("5550", ["1002", "1003"]),
])
def test_words_in_any_order_and_spelling(office, text, numbers):
    assert found(office, text) == numbers


@pytest.mark.parametrize("text, by, numbers", [
    ("po77", "reference", ["1001"]), ("rhein", "county", ["1001"]), ("smith", "rep", ["1001"]), ("smith", "name", []),
    ("denver", "city", ["1002", "1003"]), ("denver", "name", []), ("hp", "dba", ["1002"]), ("0221-123456", "phone", ["1001"]),
    ("co", "state", ["1002", "1003"]), ("sons neil", "name", ["1003"]), ("neil denver", "name", []), ("a77", "account", ["1005"]),
])
def test_a_search_by_field(office, text, by, numbers):
    assert found(office, text, "--by", by) == numbers


def test_what_is_found_is_shown_as_it_is_on_record(office):
    office.ctl("suspend", "1003", "--note", "unpaid")
    rows = office.ctl_json("customer", "search", "neil")
    assert rows == [{"number": "1003", "name": "O\u2019Neil & Sons", "dba": None, "address": None, "city": "Denver",
                     "state": "CO", "phone": "+1 (303) 555-0103", "status": "active", "suspended": True,
                     "matched": {"field": "name", "value": "O\u2019Neil & Sons"}}]
    assert "suspended" in office.ctl("customer", "search", "neil").stdout
    row, = office.ctl_json("customer", "search", "0221123456")
    assert row["suspended"] is False and row["matched"] == {"field": "phone", "value": "+49 (0)221 123456"}


def test_a_search_follows_reps_and_changes(office):
    office.ctl("rep", "add", "--name", "Pat Doe")
    office.ctl("rep", "add", "--name", "Lou Roe")
    path = write(office, "reps.jsonl", json.dumps({"number": "1002", "reps": ["Pat Doe"]}) + "\n")
    office.ctl("customer", "import", path)
    assert found(office, "pat doe", "--by", "rep") == ["1002"]
    office.ctl("rep", "set", "Pat Doe", "--name", "Pat Moe")
    assert found(office, "pat doe") == [] and found(office, "moe") == ["1002"]
    office.ctl("customer", "set", "1002", "--county", "Arapahoe", "--reference", "X-9")
    assert found(office, "arapahoe x9") == ["1002"]


def test_an_older_database_is_searched_at_once(world):
    """Its migration fills the search, not the next change."""
    with sqlite3.connect(world.path("customers.db")) as db:
        for version in range(1, 7):
            db.executescript((ROOT / "lib" / "records" / f"customers_{version}.sql").read_text(encoding="utf-8"))
        db.executescript("""
            INSERT INTO customer (number, name, city) VALUES ('1002', 'Wal-Mart', 'Denver'), ('7', 'Other', NULL);
            INSERT INTO contact (customer, name) VALUES (1, 'Ann Lee');
            PRAGMA application_id = 1684239731; PRAGMA user_version = 6;""")
    assert found(world, "walmart denver") == ["1002"]
    assert found(world, "lee") == ["1002"]
