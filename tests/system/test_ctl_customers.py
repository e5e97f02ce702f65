# SPDX-License-Identifier: MIT
"""dispatchctl on customers, contacts, hours and suspensions: what the office does all day."""

import datetime
import json
import os
import pwd
import sqlite3
import subprocess
import zoneinfo

import pytest
from kit import as_user, needs_root, refused
from world import BUILD

FIELDS = ("number name dba parent status kind account address city state postal_code county region country phone "
          "extension fax timezone locale reference renewal sales_rep disclaimer location_notes").split()
CONTACT_FIELDS = ("name first_name last_name title email alt_email home_phone cell_phone work_phone notify all_sites "
                  "locale email_invalid").split()


@pytest.fixture
def bakery(world):
    world.ctl("customer", "add", "1001", "--name", "Example Bakery", "--email", "orders@example.com",
              "--timezone", "America/Denver", "--city", "Denver")
    return world


def test_add_gives_the_customer_with_its_first_contact(world):
    found = world.ctl_json("customer", "add", "1001", "--name", "Example Bakery", "--email", "orders@example.com",
                           "--contact", "Sam Example")
    assert found["number"] == "1001"
    assert found["status"] == "active"
    (contact,) = found["contacts"]
    assert contact["email"] == "orders@example.com"
    assert contact["name"] == "Sam Example"
    assert contact["notify"] == ["dispatched", "started", "completed", "failed", "paused"]
    assert contact["email_invalid"] is None


def test_every_field_can_be_set_shown_and_cleared(world):
    given = {"dba": "The Bakery", "kind": "fleet", "account": "B-77", "address": "1 Example St", "city": "Denver",
             "state": "CO", "postal_code": "80202", "county": "Denver", "region": "West", "country": "US",
             "phone": "+1 303 555 0100", "extension": "12", "fax": "+1 303 555 0101", "timezone": "America/Denver",
             "locale": "en-US", "reference": "PO-1", "renewal": "2027-01-31", "sales_rep": "Pat Example",
             "disclaimer": "2026-01-02", "location_notes": "Ring twice", "status": "active"}
    options = [word for name, value in given.items() for word in ("--" + name.replace("_", "-"), value)]
    world.ctl("customer", "add", "1000", "--name", "Head office")
    world.ctl("customer", "add", "1001", "--name", "Example", "--parent", "1000", *options)
    found = world.ctl_json("customer", "show", "1001")
    assert set(FIELDS) <= set(found)
    assert {name: found[name] for name in given} == given
    assert found["parent"] == "1000"
    clear = [word for name in given if name != "status" for word in ("--" + name.replace("_", "-"), "")]
    world.ctl("customer", "set", "1001", *clear, "--parent=")
    found = world.ctl_json("customer", "show", "1001")
    assert all(found[name] is None for name in given if name != "status")
    assert found["parent"] is None


def test_blanks_around_a_number_or_a_name_are_none_of_it(world):
    assert world.ctl_json("customer", "add", " 7 ", "--name", " Example ")["number"] == "7"
    assert world.ctl_json("customer", "set", "7", "--number", "8 ")["number"] == "8"
    assert world.ctl_json("rep", "add", "--name", " Pat Example")["name"] == "Pat Example"
    assert world.ctl_json("rep", "set", "Pat Example", "--name", "Sam Example ")["name"] == "Sam Example"


def test_show_has_all_that_the_contract_names(bakery):
    found = bakery.ctl_json("customer", "show", "1001")
    assert set(FIELDS) | {"contacts", "hours", "suspensions", "notes"} <= set(found)
    assert set(CONTACT_FIELDS) <= set(found["contacts"][0])


def test_show_for_people(bakery):
    bakery.ctl("note", "add", "1001", "Beware of the dog", "--urgent")
    bakery.ctl("suspend", "1001", "--note", "Rebuilding")
    text = bakery.ctl("customer", "show", "1001").stdout
    for part in ("SUSPENDED", "Rebuilding", "Example Bakery", "URGENT  Beware of the dog", "orders@example.com"):
        assert part in text


def test_options_before_and_behind_and_with_equals(world):
    world.ctl("customer", "add", "--name=Example", "1001", "--city", "Denver")
    world.ctl("customer", "add", "--", "-7", check=False)
    assert world.ctl_json("customer", "show", "1001")["city"] == "Denver"


@pytest.mark.parametrize("args, code, fault", [
    (("customer", "add", "1002"), 65, "name"),
    (("customer", "add", "1001", "--name", "Again"), 65, "1001"),
    (("customer", "add", "1002", "--name", "X", "--email", "not an address"), 65, "email"),
    (("customer", "add", "1002", "--name", "X", "--timezone", "Mars/Olympus"), 65, "timezone"),
    (("customer", "add", "1002", "--name", "X", "--status", "sleepy"), 65, "status"),
    (("customer", "add", "1002", "--name", "X", "--parent", "9999"), 65, "9999"),
    (("customer", "add", "1002", "--name", "X", "--renewal", "someday"), 64, "--renewal"),
    (("customer", "set", "1001"), 64, "customer set needs at least one field"),
    (("customer", "set", "9999", "--city", "X"), 66, "9999"),
    (("customer", "show", "9999"), 66, "9999"),
    (("customer", "set", "1001", "--name", ""), 65, "name"),
    (("customer", "remove", "9999", "--yes"), 66, "9999"),
    (("customer", "remove", "1001"), 64, "--yes"),
    (("customer", "list", "--limit", "0"), 64, "--limit"),
    (("contact", "add", "9999", "--email", "a@example.com"), 66, "9999"),
    (("contact", "set", "77", "--email", "a@example.com"), 66, "77"),
    (("contact", "add", "1001", "--email", "a@example.com", "--notify", "sometimes"), 65, "notify"),
    (("hours", "set", "1001", "mon-fri", "25:00-26:00"), 65, "25:00"),
    (("hours", "set", "1001", "someday", "closed"), 65, "someday"),
    (("hours", "show", "9999"), 66, "9999"),
    (("suspend", "1001"), 64, "--note"),
    (("suspend", "1001", "--note", "x", "--scope", "everything"), 65, "scope"),
    (("suspend", "1001", "--note", "x", "--from", "2026-12-24", "--until", "2026-12-24"), 65, "until"),
    (("suspend", "9999", "--note", "x"), 66, "9999"),
    (("resume", "1001", "77"), 66, "77"),
    (("resume", "1001", "all"), 64, "must be a positive integer"),
])
def test_what_is_wrong_is_reported_in_a_sentence(bakery, args, code, fault):
    refused(bakery, code, fault, *args)
    refused(bakery, code, fault, "--json", *args)


def test_an_absent_database_counts_as_empty_and_reading_does_not_make_it(world):
    assert world.ctl_json("customer", "list") == []
    assert world.ctl_json("suspensions") == []
    refused(world, 66, "1001", "customer", "show", "1001")
    assert not os.path.exists(world.path("customers.db"))
    world.ctl("customer", "add", "1", "--name", "X")
    assert os.stat(world.path("customers.db")).st_mode & 0o777 == 0o660


def test_list_by_rep_parent_and_status(bakery):
    bakery.ctl("customer", "add", "1002", "--name", "Depot", "--parent", "1001", "--sales-rep", "Pat")
    bakery.ctl("customer", "add", "1003", "--name", "New one", "--status", "new")
    bakery.ctl("customer", "add", "1004", "--name", "Inherits", "--parent", "1002")
    bakery.ctl("customer", "add", "1005", "--name", "Another's", "--parent", "1002", "--sales-rep", "Kim")

    def numbers(*args):
        return [row["number"] for row in bakery.ctl_json("customer", "list", *args)]
    assert numbers() == ["1001", "1002", "1003", "1004", "1005"]
    assert numbers("--rep", "Pat") == ["1002", "1004"]
    assert numbers("--parent", "1001") == ["1002"]
    assert numbers("--status", "new") == ["1003"]
    assert numbers("--limit", "2") == ["1001", "1002"]


def test_a_customer_with_sites_is_not_removed(bakery):
    bakery.ctl("customer", "add", "1002", "--name", "Depot", "--parent", "1001")
    refused(bakery, 65, "site", "customer", "remove", "1001", "--yes")
    bakery.ctl("customer", "remove", "1002", "--yes")
    assert bakery.ctl_json("customer", "remove", "1001", "--yes") == {"removed": "1001"}
    assert bakery.ctl_json("customer", "list") == []
    assert [row["action"] for row in bakery.ctl_json("customer", "history", "1001")][-1] == "remove"


def test_a_new_number_keeps_all_that_hangs_on_it(bakery):
    bakery.ctl("note", "add", "1001", "Kept")
    assert bakery.ctl_json("customer", "set", "1001", "--number", "2001")["number"] == "2001"
    found = bakery.ctl_json("customer", "show", "2001")
    assert [note["text"] for note in found["notes"]] == ["Kept"]
    assert found["former_numbers"] == ["1001"]
    assert bakery.ctl_json("customer", "show", "1001") == found, "the old number is a name of it"


def test_the_verbs_of_the_status(world):
    world.ctl("customer", "add", "1", "--name", "X", "--status", "new")
    for verb, status in (("release", "released"), ("decline", "new"), ("release", "released"), ("approve", "active"),
                         ("deactivate", "inactive"), ("approve", "active")):
        assert world.ctl_json("customer", verb, "1")["status"] == status
    refused(world, 65, "active", "customer", "release", "1")


def test_search_ignores_case_accents_and_spelling_of_phones(world):
    world.ctl("customer", "add", "1", "--name", "Müller & Söhne", "--phone", "+1 (303) 555-0100")
    world.ctl("customer", "add", "2", "--name", "Łukasz Example", "--state", "CO")

    def found(*args):
        return [row["number"] for row in world.ctl_json("customer", "search", *args)]
    assert found("muller") == ["1"]
    assert found("LUKASZ") == ["2"]
    assert found("3035550100") == ["1"]
    assert found("555-0100", "--by", "phone") == ["1"]
    assert found("555-0100", "--by", "name") == []
    assert found("co", "--by", "state") == ["2"]
    assert found("2") == ["2"]
    assert "nothing found" in world.ctl("customer", "search", "nobody here").stdout
    refused(world, 64, "--by", "customer", "search", "muller", "--by", "colour")


def test_related_and_duplicates(world):
    for number in "12":
        world.ctl("customer", "add", number, "--name", "Example Bakery", "--address", "1 Example St",
                  "--city", "Denver", "--phone", "303 555 0100")
    world.ctl("customer", "add", "3", "--name", "Somebody else")
    assert [row["number"] for row in world.ctl_json("customer", "related", "1")] == ["2"]
    groups = world.ctl_json("customer", "duplicates")
    assert any(sorted(c["number"] for c in group["customers"]) == ["1", "2"] for group in groups)
    assert "Example Bakery" in world.ctl("customer", "duplicates").stdout


# ---- contacts


def test_contacts_add_set_remove(bakery):
    new = bakery.ctl_json("contact", "add", "1001", "--name", "Sam Example", "--email", "sam@example.com",
                          "--notify", "dispatched,failed", "--all-sites")
    assert new["notify"] == ["dispatched", "failed"]
    assert new["all_sites"] is True
    assert bakery.ctl_json("contact", "set", new["id"], "--notify", "none")["notify"] == []
    assert len(bakery.ctl_json("contact", "set", new["id"], "--notify", "all")["notify"]) == 6
    assert bakery.ctl_json("contact", "set", new["id"], "--all-sites", "no")["all_sites"] is False
    bakery.ctl("contact", "remove", new["id"], "--yes")
    assert [c["email"] for c in bakery.ctl_json("contact", "list", "1001")] == ["orders@example.com"]


def test_a_new_address_clears_the_mark(bakery):
    with sqlite3.connect(bakery.path("customers.db")) as db:
        db.execute("UPDATE contact SET email_invalid = 1785000000000, email_invalid_why = '550 no such user'")
    (contact,) = bakery.ctl_json("customer", "show", "1001")["contacts"]
    assert contact["email_invalid"].startswith("2026-07-25T")
    assert bakery.ctl_json("contact", "set", contact["id"], "--email", "new@example.com")["email_invalid"] is None


# ---- hours


def test_hours(bakery):
    found = bakery.ctl_json("hours", "set", "1001", "mon-fri", "07:00-12:00,13:00-17:00")
    assert found["weekly"]["mon"] == "07:00-12:00,13:00-17:00"
    assert "sat" not in found["weekly"] or found["weekly"]["sat"] == "closed"
    bakery.ctl("hours", "except", "1001", "2026-12-25", "closed")
    text = bakery.ctl("hours", "show", "1001").stdout
    assert "mon         07:00-12:00,13:00-17:00" in text
    assert "2026-12-25  closed" in text
    bakery.ctl("hours", "except", "1001", "2026-12-25", "normal")
    assert bakery.ctl_json("hours", "show", "1001")["dates"] == {}
    bakery.ctl("hours", "clear", "1001")
    assert bakery.ctl_json("hours", "show", "1001")["weekly"] is None


# ---- suspensions


@pytest.mark.parametrize("add, end, list_all", [
    (("suspension", "add"), ("suspension", "end"), ("suspension", "list")),
    (("suspend",), ("resume",), ("suspensions",)),
])
def test_suspensions_by_their_noun_and_by_its_short_forms(bakery, add, end, list_all):
    row = bakery.ctl_json(*add, "1001", "--note", "Rebuilding", "--scope", "jobs")
    assert (row["scopes"], row["note"]) == (["jobs"], "Rebuilding")
    assert [(r["id"], r["holds"]) for r in bakery.ctl_json(*list_all, "1001")] == [(row["id"], True)]
    assert bakery.ctl_json("suspension", "show", row["id"])["note"] == "Rebuilding"
    assert bakery.ctl_json(*end, "1001", row["id"])["ended"] == 1
    assert bakery.ctl_json(*list_all, "1001") == []
    assert [r["id"] for r in bakery.ctl_json(*list_all, "1001", "--history")] == [row["id"]]


def test_suspend_and_resume(bakery):
    first = bakery.ctl_json("suspend", "1001", "--note", "Rebuilding", "--from", "2026-01-01")
    assert (first["from"], first["until"]) == ("2026-01-01", None)
    assert sorted(first["scopes"]) == ["emails", "jobs", "routes"]
    second = bakery.ctl_json("suspend", "1001", "--note", "Later", "--from", "+30d", "--until", "+40d",
                             "--scope", "emails")
    rows = bakery.ctl_json("suspensions", "1001")
    assert {row["id"]: row["holds"] for row in rows} == {first["id"]: True, second["id"]: False}
    assert bakery.ctl_json("customer", "list")[0]["suspended"] is True
    assert bakery.ctl_json("resume", "1001")["ended"] == 1
    assert [row["id"] for row in bakery.ctl_json("suspensions")] == [second["id"]]
    assert bakery.ctl_json("resume", "1001", second["id"])["ended"] == 1
    assert bakery.ctl_json("suspensions", "1001") == []
    assert len(bakery.ctl_json("suspensions", "1001", "--history")) == 2
    assert "no suspension" in bakery.ctl("resume", "1001").stdout


# ---- who did it


def nobody(world, *args):
    """The same as somebody who is neither root nor a manager."""
    os.chmod(world.directory, 0o777)
    for name in os.listdir(world.directory):
        if name.startswith("customers.db"):
            os.chmod(world.path(name), 0o666)
    return as_user(world, "dispatchctl", "-c", world.config_path, *args)


def test_the_author_is_the_login_or_whom_a_manager_names(bakery):
    bakery.ctl("customer", "set", "1001", "--city", "Boulder", "--as", "kim")
    users = [row["user"] for row in bakery.ctl_json("customer", "history", "1001")]
    assert users[-1] == "kim"
    assert users[0] != "kim"


@needs_root
def test_what_only_managers_may_do(bakery):
    assert nobody(bakery, "customer", "set", "1001", "--city", "Boulder").returncode == 0
    for args in (("customer", "set", "1001", "--city", "X", "--as", "kim"), ("customer", "set", "1001", "--number", "2"),
                 ("customer", "set", "1001", "--status", "inactive"), ("customer", "deactivate", "1001")):
        done = nobody(bakery, *args)
        assert (done.returncode, done.stdout) == (77, ""), args
    assert nobody(bakery, "customer", "add", "7", "--name", "New One", "--status", "new").returncode == 0
    assert nobody(bakery, "customer", "release", "7").returncode == 0, "anybody's work"
    assert nobody(bakery, "customer", "approve", "7").returncode == 77
    bakery.configure(office={"managers": "kim, nobody"})
    assert nobody(bakery, "customer", "deactivate", "1001", "--as", "kim").returncode == 0
    last = bakery.ctl_json("customer", "history", "1001")[-1]
    assert last["user"] == "kim"


@needs_root
def test_the_owner_of_the_records_is_a_manager(bakery):
    owner = pwd.getpwnam("nobody")
    bakery.configure(office={"managers": "kim"})
    os.chown(bakery.path("customers.db"), owner.pw_uid, owner.pw_gid)
    assert nobody(bakery, "customer", "deactivate", "1001", "--as", "robin").returncode == 0
    assert bakery.ctl_json("customer", "history", "1001")[-1]["user"] == "robin"
    os.mkdir(bakery.path("new"))
    bakery.configure(customers={"path": bakery.path("new/customers.db")})
    add = ("customer", "add", "1", "--name", "X", "--as", "robin")
    os.chmod(bakery.path("new"), 0o777)
    assert nobody(bakery, *add).returncode == 77, "the file would be root's"
    os.chown(bakery.path("new"), owner.pw_uid, owner.pw_gid)
    done = nobody(bakery, *add)
    assert done.returncode == 0, done.stderr


def test_who_owns_the_records_may_do_all(world):
    """In a demo of one's own nobody needs root, whoever runs it."""
    world.ctl("customer", "add", "1", "--name", "X", "--status", "new", "--as", "kim")
    for verb in ("release", "approve", "deactivate"):
        world.ctl("customer", verb, "1")
    world.ctl("customer", "set", "1", "--number", "2")


def test_history_tells_before_and_after(bakery):
    bakery.ctl("customer", "set", "1001", "--city", "Boulder")
    last = bakery.ctl_json("customer", "history", "1001")[-1]
    assert (last["before"]["city"], last["after"]["city"]) == ("Denver", "Boulder")


# ---- settings and databases


def test_only_the_keys_that_it_uses_are_checked(bakery):
    bakery.configure(mail={"from": None}, smtp={"relay": "no such relay:::"}, redis={"url": "gopher://x"})
    bakery.ctl("customer", "list")
    bakery.configure(office={"managers": None, "manager": "kim"})
    done = bakery.ctl("customer", "list", check=False)
    assert done.returncode in (0, 78)


def test_a_locked_database_is_waited_for_and_reported(bakery):
    lock = sqlite3.connect(bakery.path("customers.db"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    process = subprocess.Popen([str(BUILD / "dispatchctl"), "-c", bakery.config_path, "customer", "set", "1001",
                                "--city", "Boulder"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=bakery.environment())
    assert "waiting" in process.stderr.readline()
    lock.execute("ROLLBACK")
    lock.close()
    assert process.wait(20) == 0
    assert bakery.ctl_json("customer", "show", "1001")["city"] == "Boulder"


def test_a_file_that_is_no_database_is_reported(world):
    with open(world.path("customers.db"), "w", encoding="utf-8") as file:
        file.write("this is no database, it is a letter to a friend\n" * 100)
    refused(world, 65, "customers.db", "customer", "list")


def test_names_of_records_cannot_drive_the_terminal(world):
    done = world.ctl("customer", "add", "1", "--name", "Evil \x1b[31m name", check=False)
    if done.returncode == 0:
        assert "\x1b" not in world.ctl("customer", "list").stdout
        assert "\x1b" not in world.ctl("customer", "show", "1").stdout
    else:
        assert done.returncode == 65


def test_json_is_one_document(bakery):
    for args in (("customer", "list"), ("customer", "show", "1001"), ("hours", "show", "1001"), ("suspensions",),
                 ("contact", "list", "1001"), ("customer", "history", "1001")):
        text = bakery.ctl(*args, "--json").stdout
        assert text.endswith("\n")
        json.loads(text)


def test_many_at_once_and_nobody_is_turned_away(bakery):
    processes = [subprocess.Popen([str(BUILD / "dispatchctl"), "-c", bakery.config_path, "note", "add", "1001", f"Note {i}"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                  env=bakery.environment()) for i in range(20)]
    errors = [process.communicate(timeout=30)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 20, errors
    assert len(bakery.ctl_json("note", "list", "1001")) == 20


def test_the_first_ones_make_the_database_together(world):
    processes = [subprocess.Popen([str(BUILD / "dispatchctl"), "-c", world.config_path, "customer", "add", str(i),
                                   "--name", "X"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                  env=world.environment()) for i in range(6)]
    errors = [process.communicate(timeout=30)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, errors
    assert len(world.ctl_json("customer", "list")) == 6


def test_a_list_shows_what_an_ancestor_suspends(world):
    world.ctl("customer", "add", "1", "--name", "Top")
    world.ctl("customer", "add", "2", "--name", "Site", "--parent", "1")
    world.ctl("customer", "add", "3", "--name", "Below", "--parent", "2", "--timezone", "Pacific/Kiritimati")
    world.ctl("customer", "add", "4", "--name", "Other")
    world.ctl("suspend", "2", "--note", "x")
    world.ctl("suspend", "4", "--note", "x", "--from", "+2d")
    assert [row["suspended"] for row in world.ctl_json("customer", "list")] == [False, True, True, False]
    world.ctl("resume", "2")
    assert not any(row["suspended"] for row in world.ctl_json("customer", "list"))


def test_a_long_list_comes_whole_and_once(world):
    rows = "".join(f"{n:05},Customer {n}\n" for n in range(4500))
    world.ctl("customer", "import", "-", "--format", "csv", stdin="number,name\n" + rows)
    expected = [f"{n:05}" for n in range(4500)]
    assert [row["number"] for row in world.ctl_json("customer", "list")] == expected
    lines = world.ctl("customer", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["Number", *expected]
    for limit in (1, 1999, 2000, 2001, 4000, 4500, 9000):
        assert len(world.ctl_json("customer", "list", "--limit", str(limit))) == min(limit, 4500), limit
    assert world.ctl_json("customer", "list", "--status", "new") == []


def test_what_another_program_wrote_is_found_after_a_reindex(world):
    world.ctl("customer", "add", "1", "--name", "First")
    with sqlite3.connect(world.path("customers.db")) as db:
        db.execute("INSERT INTO customer (number, name) VALUES ('2', 'Añother')")
    db.close()
    assert world.ctl_json("customer", "search", "another") == []
    assert world.ctl_json("customer", "reindex") == {"reindexed": True}
    assert [row["number"] for row in world.ctl_json("customer", "search", "another")] == ["2"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])  # one of them has another day than the host
def test_today_is_the_customer_s_day(world, zone):
    today = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).date()
    world.ctl("customer", "add", "1", "--name", "X", "--timezone", zone)
    world.ctl("customer", "add", "1-1", "--name", "Site", "--parent", "1")
    for number in ("1", "1-1"):
        left_out = world.ctl_json("suspend", number, "--note", "x")
        shown = world.ctl_json("suspend", number, "--note", "x", "--from", "today", "--until", "tomorrow")
        found = world.ctl_json("hours", "except", number, "tomorrow", "closed")
        assert left_out["from"] == shown["from"] == today.isoformat()
        assert shown["until"] == (today + datetime.timedelta(1)).isoformat()
        assert list(found["dates"]) == [shown["until"]]
