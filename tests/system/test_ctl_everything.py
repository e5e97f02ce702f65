# SPDX-License-Identifier: MIT
"""Everything out of one database and into an empty one: nothing is lost, nothing comes twice."""

import hashlib
import json
import os

import pytest

# In the order in which an empty database takes them. Contacts, hours and links of reps come with the customers, items
# with the quotes, payments with the sales.
KINDS = ["system-type", "system-field", "rep", "customer", "suspension", "note", "comment", "system", "asset",
         "third-party", "activity", "quote", "sale", "document", "picture"]
PNG = b"\x89PNG\r\n\x1a\n"


def rich(world):
    """A database with several of each kind, in an order in which ids and lists don't agree."""
    c = world.ctl
    c("system-type", "add", "--name", "Panel", "--about", "alarm")
    c("system-field", "add", "Panel", "--name", "address", "--needed")
    c("system-field", "add", "Panel", "--name", "version")
    for rep in ("Pat Example", "Sam Example"):
        c("rep", "add", "--name", rep, "--phone", "303 555 0111")
    c("customer", "add", "0", "--name", "Gone again", "--email", "gone@example.com")
    c("customer", "add", "1001", "--name", "Müller, \"Farm\"", "--email", "first@example.com", "--contact", "Jo",
      "--timezone", "America/Denver", "--location-notes", "two\nlines", "--renewal", "2027-01-31", "--kind", "fleet")
    c("customer", "add", "1001-a", "--name", "Site", "--parent", "1001", "--status", "new")
    c("customer", "remove", "0", "--yes")
    c("contact", "set", "2", "--cell-phone", "303 555 0112", "--notify", "failed", "--title", "Boss")
    c("contact", "add", "1001", "--first-name", "Ann", "--last-name", "Other", "--email", "ann@example.com", "--all-sites")
    c("contact", "add", "1001", "--name", "No address", "--home-phone", "303 555 0113")
    c("contact", "add", "1001", "--name", "Jo's double", "--email", "first@example.com", "--notify", "none")
    c("hours", "set", "1001", "mon-fri", "07:00-12:00,13:00-17:00")
    c("hours", "except", "1001", "2026-12-25", "closed")
    c("suspend", "1001", "--note", "over", "--scope", "emails")
    c("resume", "1001")
    c("suspend", "1001", "--from", "2027-01-01", "--until", "2027-02-01", "--note", "winter", "--scope", "jobs,routes")
    c("note", "add", "1001", "an ordinary one")
    c("note", "add", "1001", "an urgent one", "--urgent")
    c("comment", "add", "1001", "on a job", "--job", "4711")
    c("system", "add", "1001", "--type", "Panel", "--label", "Z", "address=10.0.0.1")
    c("system", "add", "1001", "--type", "Panel", "--label", "A", "address=10.0.0.2", "version=3")
    c("asset", "add", "1001", "--kind", "roll-off", "--serial", "2", "--latitude", "39.7392", "--longitude", "-104.99")
    c("asset", "add", "1001", "--kind", "compactor", "--serial", "1", "--since", "2026-05-01")
    c("third-party", "add", "1001", "--name", "Paving", "--role", "owner", "--contract", "P-7", "--items", "a\nb")
    c("rep", "link", "1001", "Pat Example", "--first")
    c("rep", "link", "1001", "Sam Example")
    c("activity", "add", "1001", "--kind", "cold-call", "--due", "2027-03-01", "--text", "Offer")
    c("activity", "add", "1001", "--kind", "case", "--text", "Look", "--state", "done")
    c("quote", "add", "1001", "--number", "Q-1")
    c("quote-item", "add", "1", "--text", "Container", "--quantity", "2", "--price", "145.00")
    c("quote-item", "add", "1", "--text", "Liner", "--price", "0.0001")
    c("sale", "add", "1001", "--job", "4711", "--amount", "290.00", "--ordered", "2026-06-01")
    c("payment", "add", "1", "--amount", "100.00", "--day", "2026-06-02")
    for name, content in (("plan.txt", b"a plan"), ("copy.txt", b"a plan"), ("gate.png", PNG + b"gate")):
        with open(world.path(name), "wb") as file:
            file.write(content)
    c("document", "add", "1001", world.path("plan.txt"), "--description", "The plan", "--job", "4711")
    c("document", "add", "1001", world.path("copy.txt"), "--description", "The same")
    c("picture", "add", "1001", world.path("gate.png"), "--description", "The gate")


def without_ids(value):
    """Ids are a database's own."""
    if isinstance(value, list):
        return sorted((without_ids(one) for one in value), key=json.dumps)
    if isinstance(value, dict):
        return {key: without_ids(one) for key, one in value.items() if key not in ("id", "quote", "sale")}
    return value


def all_of(world):
    return {row["number"]: without_ids(world.ctl_json("customer", "show", row["number"]))
            for row in world.ctl_json("customer", "list")}


def elsewhere(world):
    os.makedirs(world.path("other"), exist_ok=True)
    world.configure(customers={"path": world.path("other", "customers.db")})


def take(world, kind, *rows, check=True, **more):
    """Imports rows that stand in a file."""
    with open(world.path("rows.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return world.ctl(kind, "import", world.path("rows.jsonl"), check=check, **more)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_there_and_back_without_loss(world, ending):
    rich(world)
    before, suspended = all_of(world), without_ids(world.ctl_json("suspensions", "--history"))
    for kind in KINDS:
        world.ctl(kind, "export", world.path(f"{kind}.{ending}"))
    elsewhere(world)
    for kind in KINDS:
        found = world.ctl_json(kind, "import", world.path(f"{kind}.{ending}"))
        assert found["added"] == found["rows"] > 0, kind
    assert all_of(world) == before
    assert without_ids(world.ctl_json("suspensions", "--history")) == suspended
    assert world.ctl("document", "fetch", 2, "-").stdout == "a plan"
    for kind in KINDS:  # and what it gives itself is nothing new to it
        world.ctl(kind, "export", world.path(f"{kind}.{ending}"))
        found = world.ctl_json(kind, "import", world.path(f"{kind}.{ending}"))
        assert found["same"] == found["rows"], kind


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_the_customers_alone_bring_contacts_hours_and_reps(world, ending):
    rich(world)
    before = all_of(world)
    world.ctl("customer", "export", world.path(f"all.{ending}"))
    world.ctl("rep", "export", world.path("reps.jsonl"))
    assert world.ctl_json("customer", "import", world.path(f"all.{ending}"))["same"] == 2
    world.configure(customers={"path": world.path("other.db")})
    world.ctl("rep", "import", world.path("reps.jsonl"))
    world.ctl("customer", "import", world.path(f"all.{ending}"))
    after = all_of(world)
    for number, one in before.items():
        for key in ("contacts", "hours", "reps", "sites", "name", "status", "location_notes"):
            assert after[number][key] == one[key], (number, key)


def test_a_changed_address_column_changes_the_first_contact(world):
    """Who edits the column of an exported table means that contact, whatever the cell with all of them says."""
    rich(world)
    path = world.path("all.csv")
    world.ctl("customer", "export", path)
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text.replace(",first@example.com,Jo,", ",other@example.com,Jo,"))
    assert world.ctl_json("customer", "import", path)["changed"] == 1
    contacts = world.ctl_json("customer", "show", "1001")["contacts"]
    assert [c["email"] for c in contacts] == ["other@example.com", "ann@example.com", None, "first@example.com"]


def test_contacts_that_a_row_does_not_mention_stay(world):
    world.ctl("customer", "add", "1", "--name", "X", "--email", "a@example.com")
    row = {"number": "1", "contacts": [{"email": "b@example.com", "name": "B"}, {"email": "a@example.com", "title": "T"}]}
    world.ctl("customer", "import", "-", "--format", "jsonl", stdin=json.dumps(row) + "\n")
    contacts = world.ctl_json("customer", "show", "1")["contacts"]
    assert [(c["email"], c["title"]) for c in contacts] == [("a@example.com", "T"), ("b@example.com", None)]


@pytest.mark.parametrize("row, fault", [
    ({"contacts": "b@example.com"}, "contacts"),
    ({"contacts": [{"email": "nobody"}]}, "email"),
    ({"contacts": ["x"]}, "contacts"),
    ({"contacts": [{"emial": "b@example.com"}]}, "email"),
    ({"reps": ["Nobody"]}, "Nobody"),
    ({"reps": "Nobody"}, "reps"),
])
def test_a_bad_list_is_a_bad_row(world, row, fault):
    done = world.ctl("customer", "import", "-", "--format", "jsonl",
                     stdin=json.dumps({"number": "1", "name": "X", **row}) + "\n", check=False)
    assert done.returncode == 65 and ":1:" in done.stderr and fault in done.stderr, done
    assert world.ctl_json("customer", "list") == []


def test_ids_of_another_database_mean_nothing_here(world):
    """A row's id is that of a record that was there before the import, never of one that it has just added."""
    world.ctl("customer", "add", "1", "--name", "X")
    rows = [{"id": 2, "customer": "1", "kind": "a"}, {"id": 1, "customer": "1", "kind": "b"}]
    world.ctl("asset", "import", "-", "--format", "jsonl", stdin="".join(json.dumps(r) + "\n" for r in rows))
    assert [a["kind"] for a in world.ctl_json("asset", "list", "1")] == ["a", "b"]


def stored(world, *where):
    """Hashes of the contents in a store or beside an export."""
    return sorted(name for _, _, names in os.walk(world.path(*where)) for name in names)


def lay(world, content, name=None):
    """Puts a content beside rows.jsonl; its hash."""
    name = name or hashlib.sha256(content).hexdigest()
    os.makedirs(world.path("rows.jsonl.files", name[:2]), exist_ok=True)
    with open(world.path("rows.jsonl.files", name[:2], name), "wb") as file:
        file.write(content)
    return name


def test_a_rows_own_type_and_size_are_not_believed(world):
    world.ctl("customer", "add", "1", "--name", "X")
    name = lay(world, b"text")
    take(world, "document", {"customer": "1", "description": "d", "hash": name, "type": "image/png", "size": 9,
                             "name": "../../etc/passwd"})
    (found,) = world.ctl_json("document", "list", "1")
    assert (found["type"], found["size"], found["name"]) == ("text/plain", 4, "passwd")
    assert stored(world, "files") == [name]


@pytest.mark.parametrize("row, fault", [
    ({}, "comes with a file"),
    ({"hash": "../../../etc/passwd"}, "SHA-256"),
    ({"hash": "0" * 64}, "no such content"),
    ({"hash": "1" * 64}, "a different hash"),
])
def test_a_row_without_its_content_is_a_bad_row(world, row, fault):
    world.ctl("customer", "add", "1", "--name", "X")
    lay(world, b"text", "1" * 64)
    good = {"customer": "1", "description": "good", "hash": lay(world, b"good")}
    done = take(world, "document", good, {"customer": "1", "description": "bad", **row}, check=False)
    assert done.returncode == 65 and "rows.jsonl:2: " in done.stderr and fault in done.stderr, done
    assert world.ctl_json("document", "list") == []
    assert stored(world, "files") == [], "what was taken in is let go of again"


def test_a_picture_is_one_in_an_import_too(world):
    world.ctl("customer", "add", "1", "--name", "X")
    done = take(world, "picture", {"customer": "1", "description": "p", "hash": lay(world, b"text")}, check=False)
    assert done.returncode == 65 and "not a picture" in done.stderr, done


def test_a_dry_run_takes_no_content(world):
    world.ctl("customer", "add", "1", "--name", "X")
    row = {"customer": "1", "description": "d", "hash": lay(world, b"text")}
    with open(world.path("rows.jsonl"), "w", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    assert world.ctl_json("document", "import", world.path("rows.jsonl"), "--dry-run")["added"] == 1
    assert stored(world, "files") == []


def test_a_content_that_is_replaced_is_let_go_of(world):
    world.ctl("customer", "add", "1", "--name", "X")
    old, new = lay(world, b"old"), lay(world, b"new")
    take(world, "document", {"customer": "1", "description": "d", "hash": old})
    take(world, "document", {"customer": "1", "id": 1, "hash": new})
    assert stored(world, "files") == [new]
    assert world.ctl_json("document", "show", 1)["size"] == 3


def test_contents_that_are_here_need_no_folder(world):
    rich(world)
    rows = world.ctl("document", "export", "-", "--format", "jsonl").stdout
    world.ctl("document", "remove", 2, "--yes")
    found = world.ctl_json("document", "import", "-", "--format", "jsonl", stdin=rows)
    assert (found["added"], found["same"]) == (1, 1)


def test_an_export_tells_of_a_content_that_is_lost(world):
    rich(world)
    (name,) = [name for name in stored(world, "files") if name == hashlib.sha256(b"a plan").hexdigest()]
    os.unlink(world.path("files", name[:2], name))
    done = world.ctl("document", "export", world.path("d.csv"), check=False)
    assert done.returncode == 74 and name in done.stderr and not os.path.exists(world.path("d.csv")), done


@pytest.fixture
def secrets(world):
    for name in "ab":
        with open(world.path(name), "w", encoding="ascii") as file:
            file.write(name * 64)
    world.configure(customers={"key_file": world.path("a")})
    world.ctl("customer", "add", "1001", "--name", "Example")
    world.ctl("system-type", "add", "--name", "Panel")
    world.ctl("system-field", "add", "Panel", "--name", "code", "--secret", "--needed")
    world.ctl("system", "add", "1001", "--type", "Panel", "code=2580")
    return world


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_secrets_there_and_back(secrets, ending):
    path = secrets.path(f"system.{ending}")
    open(path, "w", encoding="ascii").close()  # one of yesterday that everybody may read
    secrets.ctl("system", "export", path)
    with open(path, encoding="utf-8") as file:
        assert "2580" not in file.read()
    secrets.ctl("system", "export", path, "--reveal")
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert "reveal" in [row["action"] for row in secrets.ctl_json("customer", "history", "1001")]
    for kind in ("customer", "system-type", "system-field"):
        secrets.ctl(kind, "export", secrets.path(f"{kind}.jsonl"))
    elsewhere(secrets)
    secrets.configure(customers={"key_file": secrets.path("b")})
    for kind in ("customer", "system-type", "system-field"):
        secrets.ctl(kind, "import", secrets.path(f"{kind}.jsonl"))
    secrets.ctl("system", "import", path)
    assert secrets.ctl_json("system", "show", 1)["fields"] == {"code": "******"}
    assert secrets.ctl_json("system", "show", 1, "--reveal")["fields"] == {"code": "2580"}


def test_an_export_without_secrets_needs_no_key(world):
    world.ctl("customer", "add", "1", "--name", "X")
    assert world.ctl_json("system", "export", world.path("s.csv"), "--reveal")["rows"] == 0
