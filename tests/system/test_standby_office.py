# SPDX-License-Identifier: MIT
"""The office on a standby of a cluster: everything can be read, and each change names the machine to make it on."""
import sqlite3

import pytest

from center import Center

FOLLOWS = "this machine is a standby and follows east; make the change there"


def set_role(world, role, owner=None):
    db = sqlite3.connect(world.path("customers.db"))
    with db:
        assert db.execute("UPDATE cluster SET role = ?, owner = ?", (role, owner)).rowcount == 1
    db.close()


@pytest.fixture
def standby(world):
    world.ctl("customer", "add", "1001", "--name", "Maple Hauling", "--city", "Denver", "--email", "maple@example.com")
    set_role(world, "standby", "east")
    return world


@pytest.mark.parametrize("args", [
    ("customer", "add", "1002", "--name", "Oak"),
    ("customer", "set", "1001", "--city", "Reno"),
    ("customer", "remove", "1001", "--yes"),
    ("customer", "erase", "1001", "--yes"),
    ("hours", "set", "1001", "mon-fri", "07:00-12:00"),
    ("suspension", "add", "1001", "--note", "unpaid"),
    ("rep", "add", "--name", "Pat"),
    ("note", "add", "1001", "--text", "gate 4"),
])
def test_a_change_fails_and_names_the_owner(standby, args):
    done = standby.ctl(*args, check=False)
    assert done.returncode == 75, done.stderr
    assert FOLLOWS in done.stderr
    assert [row["city"] for row in standby.ctl_json("customer", "list")] == ["Denver"]


def test_an_import_is_tried_but_not_made(standby, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("number,name\n1002,Oak\n")
    assert "1 to add" in standby.ctl("customer", "import", rows, "--dry-run").stdout
    done = standby.ctl("customer", "import", rows, check=False)
    assert done.returncode == 75 and FOLLOWS in done.stderr
    assert len(standby.ctl_json("customer", "list")) == 1


def test_reading_goes_on(standby):
    assert "Maple" in standby.ctl("customer", "search", "maple").stdout
    assert "Denver" in standby.ctl("customer", "show", "1001").stdout
    assert "Denver" in standby.ctl("customer", "export", "-", "--format", "csv").stdout
    standby.ctl("customer", "reindex")


def test_the_center_says_where(standby):
    center = Center(standby)
    center.add("carl", "clerk")
    center.start()
    carl, page = center.bearer("carl"), center.log_in("carl")
    version = str(carl.get("/api/v1/customers/1001").json["version"])
    for answer in (carl.send("PATCH", "/api/v1/customers/1001", {"city": "Reno"}, {"If-Match": version}),
                   carl.send("POST", "/api/v1/customers", {"number": "1002", "name": "Oak"}),
                   carl.send("DELETE", "/api/v1/customers/1001")):
        assert answer.status == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert FOLLOWS in answer.json["detail"]
    assert carl.get("/api/v1/customers?q=maple").json["customers"]
    shown = page.submit("/edit/customers/1001", page.fill("/edit/customers/1001", city="Reno"))
    assert shown.status == 503 and FOLLOWS in shown.text
    set_role(standby, "none")
    assert carl.send("PATCH", "/api/v1/customers/1001", {"city": "Reno"}, {"If-Match": version}).status == 200


def test_an_owner_keeps_what_the_office_changes(world):
    world.ctl("customer", "add", "1001", "--name", "Maple")
    set_role(world, "owner")
    world.ctl("customer", "set", "1001", "--city", "Reno")
    world.ctl("customer", "set", "1001", "--city", "Reno")
    db = sqlite3.connect(world.path("customers.db"))
    assert db.execute("SELECT count(*), min(length(changes)) > 0 FROM cluster_change").fetchall() == [(1, 1)]
    db.close()
