# SPDX-License-Identifier: MIT
"""Everything out of one database and into an empty one: nothing is lost, nothing comes twice."""

import json

import pytest

# In the order in which an empty database takes them. Contacts, hours and links of reps come with the customers, items
# with the quotes, payments with the sales.
KINDS = ["system-type", "system-field", "rep", "customer", "suspension", "note", "comment", "system", "asset",
         "third-party", "activity", "quote", "sale"]


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


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_there_and_back_without_loss(world, ending):
    rich(world)
    before, suspended = all_of(world), without_ids(world.ctl_json("suspensions", "--history"))
    for kind in KINDS:
        world.ctl(kind, "export", world.path(f"{kind}.{ending}"))
    world.configure(customers={"path": world.path("other.db")})
    for kind in KINDS:
        found = world.ctl_json(kind, "import", world.path(f"{kind}.{ending}"))
        assert found["added"] == found["rows"] > 0, kind
    assert all_of(world) == before
    assert without_ids(world.ctl_json("suspensions", "--history")) == suspended
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


@pytest.mark.parametrize("row, said", [
    ({"contacts": "b@example.com"}, "contacts"),
    ({"contacts": [{"email": "nobody"}]}, "email"),
    ({"contacts": ["x"]}, "contacts"),
    ({"contacts": [{"emial": "b@example.com"}]}, "email"),
    ({"reps": ["Nobody"]}, "Nobody"),
    ({"reps": "Nobody"}, "reps"),
])
def test_a_bad_list_is_a_bad_row(world, row, said):
    done = world.ctl("customer", "import", "-", "--format", "jsonl",
                     stdin=json.dumps({"number": "1", "name": "X", **row}) + "\n", check=False)
    assert done.returncode == 65 and ":1:" in done.stderr and said in done.stderr, done
    assert world.ctl_json("customer", "list") == []


def test_ids_of_another_database_mean_nothing_here(world):
    """A row's id is that of a record that was there before the import, never of one that it has just added."""
    world.ctl("customer", "add", "1", "--name", "X")
    rows = [{"id": 2, "customer": "1", "kind": "a"}, {"id": 1, "customer": "1", "kind": "b"}]
    world.ctl("asset", "import", "-", "--format", "jsonl", stdin="".join(json.dumps(r) + "\n" for r in rows))
    assert [a["kind"] for a in world.ctl_json("asset", "list", "1")] == ["a", "b"]
