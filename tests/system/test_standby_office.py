# SPDX-License-Identifier: MIT
"""The office on a standby of a cluster: everything can be read, and each change names the machine to make it on."""
import sqlite3

import pytest

import cluster
import tokens
from center import Center
from kit import add_customer, wait_outcome
from report_peer import DOMAIN, bounce
from test_bounce_take import REPORT
from world import wait_until

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


def test_accounts_are_the_offices_too(world):
    center = Center(world)
    world.ctl("customer", "add", "1001", "--name", "Maple Hauling")
    center.add("ada", "admin")
    center.add("sam", "clerk")
    set_role(world, "standby", "east")
    for args in (("add", "eve", "--role", "clerk"), ("role", "sam", "reader"), ("password", "sam"), ("token", "sam"),
                 ("remove", "sam")):
        done = center.run("user", *args, check=False)
        assert done.returncode == 75 and FOLLOWS in done.stderr, (args, done)
    center.start()
    ada = center.log_in("ada")  # which changes nothing
    answer = ada.submit("/users", {"name": "eve", "role": "clerk"})
    assert answer.status == 503 and FOLLOWS in answer.text, answer.text
    assert "sam" in center.run("user", "list").stdout


def test_reading_goes_on(standby):
    assert "Maple" in standby.ctl("customer", "search", "maple").stdout
    assert "Denver" in standby.ctl("customer", "show", "1001").stdout
    assert "Denver" in standby.ctl("customer", "export", "-", "--format", "csv").stdout
    standby.ctl("customer", "reindex")


def test_the_center_says_where(standby):
    set_role(standby, "none")
    center = Center(standby)
    center.add("carl", "clerk")
    carl = center.bearer("carl")
    set_role(standby, "standby", "east")
    center.start()
    page = center.log_in("carl")
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


# ---- beside a daemon that follows

@pytest.fixture
def pair():
    """An owner with a job that is held and a mail that was sent, and a center on the standby."""
    with cluster.start("a", "b") as (a, b):
        add_customer(a)
        a.start_daemon()
        a.wait_role("owner")
        a.xadd(id="1", type="job.completed", job="4711", customer="1001")
        wait_outcome(a, "1", "sent")
        a.ctl("suspend", "1001", "--note", "unpaid")
        for number in "12":
            a.xadd("jobs:requests", id=f"r{number}", type="job.dispatch", job=f"h{number}", customer="1001",
                   scheduled="2999-01-02T15:00:00Z")
            wait_outcome(a, f"r{number}", "held")
        b.seed_from(a)
        center = Center(b)
        for name, role in (("mona", "manager"), ("ada", "admin")):
            center.add(name, role)
        center.program = center.bearer("mona")
        b.start_daemon()
        b.wait_role("standby")
        wait_until(lambda: len(b.ctl_json("hold", "list")) == 2, "it has the held jobs")
        center.start()
        yield a, b, center


def test_every_page_of_a_standby_can_be_read(pair):
    _, b, center = pair
    ada = center.log_in("ada")
    (mail,) = b.ctl_json("mail", "list")
    tabs = ("contacts", "hours", "notes", "comments", "documents", "pictures", "systems", "third-parties", "activities",
            "quotes", "sales", "related", "history", "plot")
    for path in ("/", "/?q=farm", "/customers/1001", "/jobs/4711?customer=1001", f"/mails/{mail['id']}", "/mails", "/holds",
                 "/dead", "/today", "/users", "/account", *(f"/customers/1001/{tab}" for tab in tabs)):
        answer = ada.get(path)
        assert answer.status == 200, (path, answer.status, answer.text)
    holds = ada.get("/holds").text
    assert "h1" in holds and "unpaid" in ada.get("/customers/1001").text
    carl = center.program
    for path in ("/customers/1001", "/customers/1001/contacts", "/mails", f"/mails/{mail['id']}", "/holds", "/dead",
                 "/jobs/4711?customer=1001", "/today"):
        assert carl.get(f"/api/v1{path}").status == 200, path


def test_every_change_on_a_standby_names_the_owner(pair):
    a, b, center = pair
    mona = center.log_in("mona")
    first, second = (row["id"] for row in b.ctl_json("hold", "list"))
    (mail,) = b.ctl_json("mail", "list")
    for path, fields in ((f"/holds/{first}/release", {}), ("/holds/cancel", {"id": [str(first), str(second)]}),
                         (f"/mails/{mail['id']}/retry", {}), ("/mails/pause", {"note": "stock taking"})):
        answer = mona.submit(path, fields)
        assert answer.status == 503 and "ask a, which owns the cluster" in answer.text, (path, answer.status, answer.text)
    answer = mona.submit("/edit/customers/1001", mona.fill("/edit/customers/1001", city="Reno"))
    assert answer.status == 503 and "follows a; make the change there" in answer.text, answer.text
    api = center.program
    for method, path, body in (("POST", f"/holds/{first}/release", {}), ("POST", f"/mails/{mail['id']}/cancel", {}),
                               ("POST", "/customers/1001/notes", {"text": "gate 4"}), ("DELETE", "/customers/1001", None)):
        answer = api.send(method, f"/api/v1{path}", body)
        assert answer.status == 503 and answer.headers["Content-Type"] == "application/problem+json", (path, answer.body)
        assert " a" in answer.json["detail"], answer.json
    assert a.ctl_json("customer", "show", "1001")["city"] != "Reno"
    assert len(a.ctl_json("hold", "list")) == len(b.ctl_json("hold", "list")) == 2
    assert b.ctl_json("status")["cluster"]["role"] == "standby"


def test_a_mail_that_comes_back_to_a_standby_stays_with_its_mail_server():
    with cluster.start("a", "b") as (a, b):
        for machine in (a, b):
            tokens.configure(machine)
        a.start_daemon()
        a.wait_role("owner")
        b.seed_from(a)
        b.start_daemon()
        b.wait_role("standby")

        def hand_to(machine):
            return bounce("--socket", machine.path("report.sock"), f"bounce@{DOMAIN}", mail=REPORT)
        done = hand_to(b)
        assert done.returncode == 75 and b"ask a, which owns the cluster" in done.stderr, done
        assert hand_to(a).returncode == 0
        wait_until(lambda: b.ctl_json("bounce", "list", "--unknown"), "the standby has what the owner took")
