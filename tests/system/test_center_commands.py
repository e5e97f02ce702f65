# SPDX-License-Identifier: MIT
"""dispatch-center: "as a command" on each page does what the page does. The commands are read off the pages and run."""
import html
import os
import re
import shlex

import pytest

from center import Center
from kit import wait_outcome

PNG = (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
       b"\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82")
ROLES = {"sam": "clerk", "mona": "manager", "boss": "admin"}


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple's \"Bakery\" & $HOME", "--city", "Denver", "--timezone", "UTC",
              "--contact", "Ann", "--email", "ann@example.com", "--location-notes", "gate code\n*ask*")
    center = Center(world)
    for name, role in ROLES.items():
        center.add(name, role)
    return center.start()


@pytest.fixture
def mona(center):
    return center.log_in("mona")


def commands(page, *begin):
    """Those that the folds of a page show, as a shell takes them apart; those that begin with these words."""
    folds = re.findall(r'<details class="command".*?</details>', page, re.S)
    lines = [html.unescape(code) for fold in folds for code in re.findall(r"<code>(.*?)</code>", fold, re.S)]
    found = [shlex.split(line) for line in lines]
    assert all(words[0] in ("dispatchctl", "dispatch-center") for words in found), found
    return [words[1:] for words in found if words[1:1 + len(begin)] == list(begin)]


def only(page, *begin):
    found = commands(page, *begin)
    assert len(found) == 1, (begin, found)
    return found[0]


def filled(command, **values):
    """With what a person would type in place of a word in capitals."""
    return [values.get(word, word) for word in command]


def newest(center, key):
    return center.world.ctl_json("customer", "show", "1001")[key][-1]


# ---- customers

def test_a_customer(center, mona):
    world = center.world
    page = mona.get("/add/customers?typed=Oak+%26+Co").text
    assert only(page, "customer", "add")[2:5] == ["NUMBER", "--name", "Oak & Co"]
    world.ctl(*filled(only(mona.get("/add/customers?number=-2").text, "customer", "add"), NAME="Oak & Co"))
    oak = world.ctl_json("customer", "show", "--", "-2")
    assert (oak["name"], oak["status"]) == ("Oak & Co", "active")
    before = world.ctl_json("customer", "show", "1001")
    world.ctl(*only(mona.get("/edit/customers/1001").text, "customer", "set"))
    assert world.ctl_json("customer", "show", "1001") == before, "as the form shows it nothing changes"
    form = mona.fill("/edit/customers/1001", name="It's\nnew", timezone="no zone")
    page = mona.submit("/edit/customers/1001", form)
    assert page.status == 422
    again = only(page.text, "customer", "set")
    again[again.index("no zone")] = "Europe/Berlin"
    world.ctl(*filled(again, **{"It's\nnew": "It's new"}))
    now = world.ctl_json("customer", "show", "1001")
    assert (now["name"], now["timezone"], now["location_notes"]) == ("It's new", "Europe/Berlin", "gate code\n*ask*")
    world.ctl(*only(mona.get("/remove/customers/-2").text, "customer", "remove"))
    assert world.ctl("customer", "show", "--", "-2", check=False).returncode == 66


def test_a_status(center, mona):
    center.world.ctl("customer", "add", "1002", "--name", "New", "--status", "new")
    for verb, becomes in (("release", "released"), ("decline", "new"), ("release", "released"), ("approve", "active"),
                          ("deactivate", "inactive")):
        command = only(mona.get(f"/status/1002/{verb}").text, "customer")
        assert command == ["customer", verb, "1002"]
        center.world.ctl(*command)
        assert center.world.ctl_json("customer", "show", "1002")["status"] == becomes


def test_a_suspension(center, mona):
    world = center.world
    page = mona.get("/customers/1001/suspensions").text
    world.ctl(*filled(only(page, "suspension", "add"), NOTE="it's unpaid"))
    (row,) = world.ctl_json("suspension", "list", "1001")
    assert (row["note"], row["scopes"], row["until"]) == ("it's unpaid", ["jobs", "routes", "emails"], None)
    form = mona.fill("/edit/suspensions/1", note="", scopes="emails", until="2999-01-01")
    page = mona.submit("/edit/suspensions/1", form)
    *command, note = only(page.text, "suspension", "set")
    assert note == ""
    world.ctl(*command, "paid half")
    (row,) = world.ctl_json("suspension", "list", "1001")
    assert (row["note"], row["scopes"]) == ("paid half", ["emails"])
    assert only(mona.get("/remove/suspensions/1").text, "suspension") == ["suspension", "end", "1001", "1"]
    world.ctl(*only(mona.get("/customers/1001").text, "suspension", "end"))
    assert world.ctl_json("suspension", "list", "1001") == [] and not commands(mona.get("/customers/1001").text)


def test_an_inherited_suspension_is_ended_at_the_parents(center, mona):
    center.world.ctl("customer", "add", "1001-W", "--name", "West", "--parent", "1001")
    center.world.ctl("suspend", "1001", "--note", "unpaid")
    assert commands(mona.get("/customers/1001-W/notes").text, "suspension") == []
    assert commands(mona.get("/customers/1001/notes").text, "suspension")


def test_hours(center, mona):
    world = center.world
    page = mona.get("/customers/1001/hours").text
    world.ctl(*filled(only(page, "hours", "set"), WEEKDAYS="mon-fri", WINDOWS="07:00-12:00, 13:00-17:00"))
    world.ctl(*filled(only(page, "hours", "except"), **{"FIRST..LAST": "2999-12-24..2999-12-26"}))
    hours = world.ctl_json("hours", "show", "1001")
    page = mona.get("/customers/1001/hours").text
    week, rest = commands(page, "hours", "set")
    assert week[3] == "mon,tue,wed,thu,fri" and rest[3:] == ["sat,sun", "closed"]
    for command in (week, rest):
        world.ctl(*command)
    weekly = world.ctl_json("hours", "show", "1001")["weekly"]
    assert weekly == {"sat": "closed", "sun": "closed", **hours["weekly"]}
    adds, *removes = commands(page, "hours", "except")
    assert adds[-1] == "closed" and len(removes) == 3
    for command in removes[1:]:
        world.ctl(*command)
    assert list(world.ctl_json("hours", "show", "1001")["dates"]) == ["2999-12-24"]
    world.ctl(*only(page, "hours", "clear"))
    assert world.ctl_json("hours", "show", "1001")["weekly"] is None


# ---- records

ADDED = {
    "notes": ("note", {"TEXT": "beware of -the- dog"}, "text"),
    "comments": ("comment", {"TEXT": "line one\nline two"}, "text"),
    "assets": ("asset", {"KIND": "Roll-off"}, "kind"),
    "third-parties": ("third-party", {"NAME": "Paving & Co", "ROLE": "owner"}, "name"),
    "activities": ("activity", {"TEXT": "--call"}, "text"),
    "quotes": ("quote", {"NUMBER": "Q 1"}, "number"),
    "sales": ("sale", {}, None),
}


@pytest.mark.parametrize("tab", ADDED)
def test_a_record_of_a_customer(center, mona, tab):
    world = center.world
    noun, typed, shown = ADDED[tab]
    world.ctl(*filled(only(mona.get(f"/customers/1001/{tab}").text, noun, "add"), **typed))
    record = newest(center, tab.replace("-", "_"))
    assert shown is None or record[shown] == typed[shown.upper()]
    if noun not in ("note", "comment"):
        world.ctl(*only(mona.get(f"/edit/{tab}/{record['id']}").text, noun, "set"))
        assert newest(center, tab.replace("-", "_")) == record
    world.ctl(*only(mona.get(f"/remove/{tab}/{record['id']}").text, noun, "remove"))
    assert world.ctl_json("customer", "show", "1001")[tab.replace("-", "_")] == []


def test_a_contact_is_added(center, mona):
    command = only(mona.get("/customers/1001/contacts").text, "contact", "add")
    assert command[:3] == ["contact", "add", "1001"]
    center.world.ctl(*command, "--name", "Bo", "--email", "bo@example.com")
    assert newest(center, "contacts")["email"] == "bo@example.com"


def test_a_contact_is_changed_and_removed(center, mona):
    world = center.world
    ann = newest(center, "contacts")
    form = mona.fill(f"/edit/contacts/{ann['id']}", notify=[], all_sites="yes", email="no address")
    page = mona.submit(f"/edit/contacts/{ann['id']}", form).text
    world.ctl(*filled(only(page, "contact", "set"), **{"no address": "bo@example.com"}))
    now = newest(center, "contacts")
    assert (now["notify"], now["all_sites"], now["email"], now["name"]) == ([], True, "bo@example.com", "Ann")
    world.ctl(*only(mona.get(f"/edit/contacts/{ann['id']}").text, "contact", "set"))
    assert newest(center, "contacts") == now
    world.ctl(*only(mona.get(f"/remove/contacts/{ann['id']}").text, "contact", "remove"))
    assert world.ctl_json("customer", "show", "1001")["contacts"] == []


def test_parts_and_what_is_of_no_customer(center, mona):
    world = center.world
    world.ctl("quote", "add", "1001", "--number", "Q1")
    world.ctl("sale", "add", "1001", "--contract-amount", "100")
    world.ctl(*filled(only(mona.get("/parts/quotes/1/quote-items").text, "quote-item", "add"), TEXT="Box", PRICE="9.50"))
    world.ctl(*filled(only(mona.get("/parts/sales/1/payments").text, "payment", "add"), AMOUNT="40", DAY="2026-01-02"))
    quote, sale = newest(center, "quotes"), newest(center, "sales")
    assert (quote["items"][0]["text"], sale["payments"][0]["amount"]) == ("Box", "40")
    world.ctl(*only(mona.get("/edit/sales/1").text, "sale", "set"))
    world.ctl("payment", "add", "1", "--amount", "10", "--day", "2026-01-03")
    assert float(newest(center, "sales")["balance"]) == 50, "a computed balance stays computed"
    world.ctl(*filled(only(mona.get("/records/reps").text, "rep", "add"), NAME="-Pat"))
    world.ctl(*only(mona.get("/edit/reps/-Pat").text, "rep", "set"))
    world.ctl(*only(mona.get("/remove/reps/-Pat").text, "rep", "remove"))
    assert world.ctl_json("rep", "list") == []


def test_systems_and_their_secrets(center, mona):
    world = center.world
    with open(os.open(world.path("key"), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(b"k" * 32)
    world.configure(customers={"key_file": world.path("key")})
    assert center.stop() == 0
    center.start()
    world.ctl(*filled(only(mona.get("/records/system-types").text, "system-type", "add"), NAME="Alarm panel"))
    world.ctl(*filled(only(mona.get("/parts/system-types/Alarm%20panel/system-fields").text, "system-field", "add"),
                      NAME="zone"))
    world.ctl("system-field", "add", "Alarm panel", "--name", "code", "--secret")
    world.ctl(*filled(only(mona.get("/customers/1001/systems").text, "system", "add"), TYPE="Alarm panel"))
    page = mona.submit("/edit/systems/1", {**mona.fill("/edit/systems/1"), "zone": "no\x01", "code": "2580"})
    assert page.status == 422
    world.ctl("system", "set", "1", "code=2580", "zone=north")
    command = only(mona.get("/edit/systems/1").text, "system", "set")
    assert "zone=north" in command and not any("code" in word for word in command)
    assert "2580" not in "".join(sum(commands(page.text), []))
    world.ctl(*command)
    revealed = mona.submit("/reveal/systems/1", {}).text
    world.ctl(*only(revealed, "system", "show"))
    assert world.ctl_json(*only(revealed, "system", "show"))["fields"] == {"zone": "north", "code": "2580"}


def test_reps(center, mona):
    world = center.world
    for name in ("Pat", "Quin's"):
        world.ctl("rep", "add", "--name", name)
    world.ctl(*only(mona.get("/customers/1001/reps").text, "rep", "link"))
    world.ctl("rep", "link", "1001", "Quin's")
    page = mona.get("/customers/1001/reps").text
    world.ctl(*only(page, "rep", "link", "1001", "Quin's", "--first"))
    assert world.ctl_json("customer", "show", "1001")["sales_rep"] == "Quin's"
    for command in commands(page, "rep", "unlink"):
        world.ctl(*command)
    assert world.ctl_json("customer", "show", "1001")["reps"] == []


# ---- files and places

def test_files(center, mona, tmp_path):
    world = center.world
    picture = tmp_path / "a 'b'.png"
    picture.write_bytes(PNG)
    page = mona.get("/customers/1001/pictures").text
    world.ctl(*filled(only(page, "picture", "add"), FILE=str(picture), DESCRIPTION="The gate"))
    fetch = only(mona.get("/customers/1001/pictures").text, "picture", "fetch")
    assert fetch == ["picture", "fetch", "1", "a 'b'.png"]
    world.ctl(*fetch[:3], str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == PNG
    page = mona.get("/edit/pictures/1").text
    assert only(page, "picture", "fetch") == fetch
    world.ctl(*only(page, "picture", "set"))
    world.ctl(*filled(only(mona.get("/customers/1001/documents").text, "document", "add"), FILE=str(picture),
                      DESCRIPTION="A paper"))
    assert newest(center, "documents")["description"] == "A paper"
    world.ctl(*only(mona.get("/remove/documents/1").text, "document", "remove"))


def test_places_on_the_plot(center, mona, tmp_path):
    world = center.world
    (tmp_path / "plan.png").write_bytes(PNG)
    world.ctl("asset", "add", "1001", "--kind", "Roll-off")
    asset = only(mona.get("/customers/1001/plot").text, "asset", "set")
    world.ctl(*filled(asset, LATITUDE="39.7", LONGITUDE="-104.9"))
    assert newest(center, "assets")["longitude"] == "-104.9"
    world.ctl(*only(mona.get("/customers/1001/plot").text, "asset", "set"))
    world.ctl("picture", "add", "1001", str(tmp_path / "plan.png"), "--description", "Plan")
    world.ctl(*only(mona.get("/customers/1001/plot").text, "picture", "set"))
    assert newest(center, "pictures")["plan"] is True
    page = mona.get("/customers/1001/plot").text
    world.ctl(*only(page, "asset", "set"))
    assert newest(center, "assets")["plan_x"] == "0.5"
    world.ctl(*only(mona.get("/customers/1001/plot").text, "picture", "set"))
    assert newest(center, "pictures")["plan"] is False


# ---- jobs that are held

@pytest.mark.parametrize("path", ["/customers/1001", "/jobs/J-1"])
def test_a_held_job(center, mona, path):
    world = center.world
    world.configure(gate={"outside_hours": "hold"})
    world.ctl("hours", "set", "1001", "all", "closed")
    world.start_daemon()
    world.xadd("jobs:requests", id="r1", type="job.dispatch", job="J-1", customer="1001", scheduled="2999-01-01T12:00:00Z")
    wait_outcome(world, "r1", "held")
    world.ctl(*only(mona.get(path).text, "hold", "release"))
    wait_outcome(world, "r1", "released")
    assert commands(mona.get(path).text, "hold") == []


# ---- accounts

def test_accounts(center):
    boss = center.log_in("boss")
    page = boss.get("/users").text
    center.run(*filled(only(page, "user", "add"), NAME="tom"))
    assert ["user", "role", "tom", "clerk"] in commands(boss.get("/users").text)
    link = center.run("user", "password", "tom").stdout
    assert ["user", "password", "tom"] in commands(boss.get("/users").text) and "/password/" in link
    center.token("tom")
    center.run(*only(boss.get("/users").text, "user", "token"))
    center.run(*only(boss.get("/users/tom/remove").text, "user", "remove"))
    assert "tom" not in center.run("user", "list").stdout
    for command in commands(boss.get("/users").text, "user", "role"):
        center.run(*command)
    boss = center.log_in("boss")
    password, token, revoke = commands(boss.get("/account").text, "user")
    assert password == ["user", "password", "boss"]
    center.run(*token)
    center.run(*revoke)


# ---- who sees them

def test_who_may_change_nothing_sees_no_command_that_does(center):
    center.user("add", "rita", "--role", "reader", "--password-file", "-", stdin="correct horse battery\n")
    center.world.ctl("suspend", "1001", "--note", "unpaid")
    rita = center.log_in("rita")
    for path in ("", "/notes", "/hours", "/reps", "/plot", "/suspensions"):
        assert commands(rita.get(f"/customers/1001{path}").text) == [], path
