# SPDX-License-Identifier: MIT
"""What is said before an office does twice, or undoes, what was done: stale imports, customers who are there already."""

import json
import subprocess

import pytest
from kit import add_customer, on_terminal, write
from world import BUILD, ROOT

CTL = str(BUILD / "dispatchctl")


def imported(world, file, *args, kind="customer"):
    done = world.ctl("--json", kind, "import", file, *args)
    return json.loads(done.stdout), done.stderr


@pytest.fixture
def edited(world):
    for number in ("1", "2", "3"):
        add_customer(world, number, name=f"Example {number}", city="Denver", phone="303 555 0100")
    world.ctl("customer", "export", world.path("old.csv"))
    world.ctl("customer", "set", "1", "--city", "Boulder", "--as", "kim")
    world.ctl("customer", "set", "2", "--phone", "303 555 0199", "--as", "ann")
    return world


@pytest.mark.parametrize("dry", [True, False])
def test_an_import_that_reverts_newer_edits_counts_them(edited, dry):
    last = edited.ctl_json("customer", "history", "2")[-1]
    document, warning = imported(edited, edited.path("old.csv"), *(["--dry-run"] if dry else []))
    assert (document["changed"], document["stale"], document["stale_by"]) == (2, 2, "ann")
    assert document["stale_latest"][:19] == last["time"][:19]
    assert f"2 rows {'would undo' if dry else 'undo'} newer edits, the latest on {last['time'][:10]} by ann" in warning
    assert edited.ctl_json("customer", "show", "1")["city"] == ("Boulder" if dry else "Denver")


def test_an_import_of_new_values_takes_nothing_back(edited):
    file = write(edited, "new.csv", "number,city,phone\n1,Aspen,\n2,,303 555 0111\n3,Golden,303 555 0100\n")
    document, warning = imported(edited, file)
    assert (document["changed"], document["stale"], document["stale_latest"], document["stale_by"]) == (3, 0, None, None)
    assert warning == ""
    document, warning = imported(edited, file)
    assert (document["same"], document["stale"]) == (3, 0)


def test_contacts_in_an_old_file_count_too(edited):
    edited.ctl("contact", "export", edited.path("contacts.csv"))
    edited.ctl("contact", "set", "3", "--title", "Manager", "--as", "kim")
    document, warning = imported(edited, edited.path("contacts.csv"), kind="contact")
    assert (document["changed"], document["stale"], document["stale_by"]) == (1, 1, "kim")
    assert "1 row undoes newer edits" in warning


def add(world, number, name, *args):
    done = world.ctl("customer", "add", number, "--name", name, *args)
    return done.stderr


def test_adding_warns_of_a_similar_customer(world):
    assert add(world, "1", "Acme Waste Inc.", "--city", "Denver") == ""
    assert "similar to customer 1, Acme Waste Inc., Denver" in add(world, "2", "ACME WASTE, INC")
    assert "customer 1" in add(world, "3", "acme-waste", "--city", "DENVER")
    assert "customer 1," not in add(world, "4", "Acme Waste", "--city", "Boulder")
    assert add(world, "5", "Acme Wasteland", "--city", "Denver") == ""
    assert add(world, "6", "Other", "--city", "Denver") == ""
    assert "customer 6" not in add(world, "6-1", "Other", "--city", "Denver", "--parent", "6")
    assert len(world.ctl_json("customer", "list")) == 7


def test_a_terminal_asks_whether_to_add_it_anyway(world):
    add(world, "1", "Acme Waste Inc.")
    command = [CTL, "-c", world.config_path, "customer", "add", "2", "--name", "Acme Waste"]
    shown, status = on_terminal(command, world.environment(), typed=b"n\n")
    assert status == 64 and "customer 1, Acme Waste Inc." in shown and "Add this customer anyway?" in shown
    assert len(world.ctl_json("customer", "list")) == 1
    shown, status = on_terminal(command, world.environment(), typed=b"y\n")
    assert status == 0 and len(world.ctl_json("customer", "list")) == 2


def test_adding_warns_of_a_former_number(world):
    add(world, "1", "First")
    world.ctl("customer", "set", "1", "--number", "9")
    assert "1 is a former number of customer 9" in add(world, "1", "Second")


def test_the_office_s_dates_go_to_another_database_as_the_manual_says(world):
    world.ctl("hours", "except", "--all", "2099-12-24..2099-12-25", "closed")
    world.ctl("hours", "except", "--all", "2099-12-31", "08:00-12:00")
    dates = world.ctl_json("hours", "show", "--all")["dates"]
    assert dates == {"2099-12-24": "closed", "2099-12-25": "closed", "2099-12-31": "08:00-12:00"}
    with open(ROOT / "conf" / "man" / "dispatchctl.1", encoding="utf-8") as manual:
        lines = manual.read().splitlines()
    at = lines.index("dispatchctl hours show --all | while read -r day windows")
    loop = "\n".join(lines[at:at + 2]).replace("\\(dq", '"')
    other = write(world, "other.conf", f"[customers]\npath = {world.path('other.db')}\n")
    loop = loop.replace("dispatchctl -c other.conf", f"'{CTL}' -c '{other}'")
    loop = loop.replace("dispatchctl hours show", f"'{CTL}' -c '{world.config_path}' hours show")
    subprocess.run(["sh", "-c", loop], check=True, stdout=subprocess.DEVNULL, env=world.environment(), timeout=60)
    found = subprocess.run([CTL, "-c", other, "--json", "hours", "show", "--all"], check=True, capture_output=True,
                           text=True, env=world.environment(), timeout=60)
    assert json.loads(found.stdout)["dates"] == dates
