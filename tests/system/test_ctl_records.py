# SPDX-License-Identifier: MIT
"""dispatchctl on every other kind of record: added, changed, shown, listed, removed, and on record who did it."""

import os

import pytest
from kit import refused

# For each kind: the words that add one to customer 1001, a change, and what is then shown.
KINDS = {
    "contact": (["1001", "--name", "Sam Example", "--email", "sam@example.com"], ["--title", "Foreman"]),
    "asset": (["1001", "--kind", "container", "--serial", "C-118", "--latitude", "39.7", "--longitude", "-104.99",
               "--since", "2026-03-01"], ["--position", "behind the hall"]),
    "third-party": (["1001", "--name", "Example Paving", "--role", "owns the yard"], ["--contract", "P-7"]),
    "activity": (["1001", "--text", "Offer a second container", "--due", "+7d"], ["--state", "done"]),
    "quote": (["1001", "--number", "Q-17"], ["--state", "sent"]),
    "sale": (["1001", "--job", "4711", "--amount", "290.00"], ["--balance", "190.00"]),
}


@pytest.fixture
def bakery(world):
    world.ctl("customer", "add", "1001", "--name", "Example Bakery")
    return world


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_from_add_to_remove(bakery, kind):
    add, change = KINDS[kind]
    made = bakery.ctl_json(kind, "add", *add)
    for option, value in zip(add[1::2], add[2::2]):
        if not value.startswith("+"):
            assert str(made[option[2:].replace("-", "_")]) == value
    changed = bakery.ctl_json(kind, "set", made["id"], *change)
    assert changed[change[0][2:]] == change[1]
    assert bakery.ctl_json(kind, "show", made["id"]) == changed
    assert [row["id"] for row in bakery.ctl_json(kind, "list", "1001")] == [made["id"]]
    assert [row["id"] for row in bakery.ctl_json(kind, "list")] == [made["id"]]
    assert change[1] in bakery.ctl(kind, "show", made["id"]).stdout
    assert change[1] in bakery.ctl(kind, "list", "1001").stdout
    refused(bakery, 64, "--yes", kind, "remove", made["id"])
    bakery.ctl(kind, "remove", made["id"], "--yes")
    assert bakery.ctl_json(kind, "list", "1001") == []
    refused(bakery, 66, str(made["id"]), kind, "show", made["id"])
    changes = [row for row in bakery.ctl_json("customer", "history", "1001") if row["kind"] == kind]
    assert [row["action"] for row in changes] == ["add", "set", "remove"]
    assert bakery.ctl_json(kind, "history", made["id"]) == changes
    refused(bakery, 66, "77", kind, "history", "77")


def test_the_key_may_be_a_credential_of_systemd(bakery, monkeypatch):
    os.mkdir(bakery.path("credentials"))
    with open(bakery.path("credentials", "customers-key"), "w", encoding="ascii") as file:
        file.write("0123456789abcdef" * 4 + "\n")
    bakery.ctl("system-type", "add", "--name", "Panel")
    bakery.ctl("system-field", "add", "Panel", "--name", "code", "--secret")
    refused(bakery, 78, "no key", "system", "add", "1001", "--type", "Panel", "code=2580")
    environment = bakery.environment
    monkeypatch.setattr(bakery, "environment",
                        lambda **more: environment(CREDENTIALS_DIRECTORY=bakery.path("credentials"), **more))
    bakery.ctl("system", "add", "1001", "--type", "Panel", "code=2580")
    assert bakery.ctl_json("system", "show", 1, "--reveal")["fields"] == {"code": "2580"}


def test_what_belongs_to_no_customer_has_a_history_too(bakery):
    bakery.ctl("rep", "add", "--name", "Pat Example")
    bakery.ctl("rep", "set", "Pat Example", "--phone", "303 555 0100", "--as", "kim")
    found = bakery.ctl_json("rep", "history", "Pat Example")
    assert [row["action"] for row in found] == ["add", "set"]
    assert (found[1]["user"], found[1]["after"]) == ("kim", {"phone": "303 555 0100"})
    bakery.ctl("system-type", "add", "--name", "Panel")
    field = bakery.ctl_json("system-field", "add", "Panel", "--name", "code")["id"]
    bakery.ctl("quote", "add", "1001", "--number", "Q-1")
    item = bakery.ctl_json("quote-item", "add", "1", "--text", "Container", "--price", "1")["id"]
    for kind, name in (("system-type", "Panel"), ("system-field", field), ("quote", 1), ("quote-item", item)):
        assert [row["action"] for row in bakery.ctl_json(kind, "history", name)] == ["add"]
        assert f"add {kind}" in bakery.ctl(kind, "history", name).stdout
    refused(bakery, 66, "Nobody", "rep", "history", "Nobody")


@pytest.mark.parametrize("kind", ["note", "comment"])
def test_notes_and_comments_are_only_added(bakery, kind):
    bakery.ctl(kind, "add", "1001", "The first")
    bakery.ctl(kind, "add", "1001", "--text", "The second")
    assert sorted(row["text"] for row in bakery.ctl_json(kind, "list", "1001")) == ["The first", "The second"]
    assert all(row["author"] and row["created"] for row in bakery.ctl_json(kind, "list", "1001"))
    refused(bakery, 64, "no verb \"set\"", kind, "set", "1", "--text", "x")
    refused(bakery, 64, "twice", kind, "add", "1001", "a", "--text", "b")
    refused(bakery, 65, "text", kind, "add", "1001")


def test_urgent_notes_come_first(bakery):
    bakery.ctl("note", "add", "1001", "Plain")
    bakery.ctl("note", "add", "1001", "Beware of the dog", "--urgent")
    bakery.ctl("note", "add", "1001", "Plain, too", "--urgent", "no")
    assert [row["urgent"] for row in bakery.ctl_json("note", "list", "1001")] == [True, False, False]


def test_equipment_has_the_fields_that_its_type_defines(bakery):
    with open(bakery.path("key"), "w", encoding="ascii") as file:
        file.write("00112233445566778899aabbccddeeff" * 2 + "\n")
    os.chmod(bakery.path("key"), 0o600)
    bakery.ctl("system-type", "add", "--name", "Alarm panel")
    bakery.ctl("system-field", "add", "Alarm panel", "--name", "version")
    bakery.ctl("system-field", "add", "Alarm panel", "--name", "code", "--secret")
    refused(bakery, 78, "key", "system", "add", "1001", "--type", "Alarm panel", "code=2580")
    bakery.configure(customers={"key_file": bakery.path("key")})
    made = bakery.ctl_json("system", "add", "1001", "--type", "Alarm panel", "version=3", "code=2580")
    assert made["fields"] == {"version": "3", "code": "******"}
    assert "2580" not in bakery.ctl("system", "show", made["id"]).stdout
    assert bakery.ctl_json("system", "show", made["id"], "--reveal")["fields"]["code"] == "2580"
    assert "2580" in bakery.ctl("system", "show", made["id"], "--reveal").stdout
    assert bakery.ctl_json("system", "set", made["id"], "version=4")["fields"]["version"] == "4"
    history = bakery.ctl("customer", "history", "1001", "--json").stdout
    assert "2580" not in history
    assert "reveal" in history
    with open(bakery.path("customers.db"), "rb") as file:
        assert b"2580" not in file.read()
    refused(bakery, 65, "colour", "system", "add", "1001", "--type", "Alarm panel", "colour=red")
    refused(bakery, 64, "FIELD=VALUE", "system", "add", "1001", "--type", "Alarm panel", "red")
    refused(bakery, 65, "Boiler", "system", "add", "1001", "--type", "Boiler")


def test_sales_reps_look_after_customers(bakery):
    bakery.ctl("rep", "add", "--name", "Pat Example", "--email", "pat@example.com")
    bakery.ctl("rep", "add", "--name", "Kim Example")
    bakery.ctl("rep", "link", "1001", "Pat Example", "--first")
    found = bakery.ctl_json("rep", "link", "1001", "Kim Example")
    assert found["sales_rep"] == "Pat Example"
    assert len(found["reps"]) == 2
    assert len(bakery.ctl_json("rep", "unlink", "1001", "Kim Example")["reps"]) == 1
    assert [row["number"] for row in bakery.ctl_json("customer", "list", "--rep", "Pat Example")] == ["1001"]
    assert bakery.ctl_json("rep", "set", "Kim Example", "--name", "Kim Other")["name"] == "Kim Other"
    assert sorted(row["name"] for row in bakery.ctl_json("rep", "list")) == ["Kim Other", "Pat Example"]
    refused(bakery, 66, "Nobody", "rep", "link", "1001", "Nobody")
    bakery.ctl("rep", "remove", "Kim Other", "--yes")
    assert [row["action"] for row in bakery.ctl_json("rep", "history", "Kim Other")] == ["add", "set", "remove"]
    refused(bakery, 66, "Nobody", "rep", "history", "Nobody")


def test_quotes_have_items_and_sales_payments(bakery):
    quote = bakery.ctl_json("quote", "add", "1001", "--number", "Q-1")["id"]
    bakery.ctl("quote-item", "add", quote, "--text", "Container", "--quantity", "2", "--price", "145.50")
    bakery.ctl("quote-item", "add", quote, "--text", "Delivery", "--price", "30")
    found = bakery.ctl_json("quote", "show", quote)
    assert len(found["items"]) == 2
    assert float(found["total"]) == 321.0
    text = bakery.ctl("quote", "show", quote).stdout
    assert "Delivery" in text and "321" in text
    sale = bakery.ctl_json("sale", "add", "1001", "--amount", "321.00")["id"]
    bakery.ctl("payment", "add", sale, "--amount", "100.00", "--day", "today")
    assert float(bakery.ctl_json("sale", "show", sale)["paid"]) == 100.0


def test_documents_and_pictures(bakery):
    content = b"%PDF-1.4\n" + os.urandom(3000)
    with open(bakery.path("contract.pdf"), "wb") as file:
        file.write(content)
    refused(bakery, 65, "description", "document", "add", "1001", bakery.path("contract.pdf"))
    made = bakery.ctl_json("document", "add", "1001", bakery.path("contract.pdf"), "--description", "Contract")
    assert (made["name"], made["size"]) == ("contract.pdf", len(content))
    bakery.ctl("document", "fetch", made["id"], bakery.path("copy.pdf"))
    with open(bakery.path("copy.pdf"), "rb") as file:
        assert file.read() == content
    refused(bakery, 74, "copy.pdf", "document", "fetch", made["id"], bakery.path("copy.pdf"))
    refused(bakery, 66, "none.pdf", "document", "add", "1001", bakery.path("none.pdf"), "--description", "x")
    refused(bakery, 65, "picture", "picture", "add", "1001", bakery.path("contract.pdf"), "--description", "x")
    bakery.configure(customers={"max_file_size": "1KiB"})
    refused(bakery, 65, "", "document", "add", "1001", bakery.path("contract.pdf"), "--description", "x")
    bakery.ctl("document", "remove", made["id"], "--yes")
    refused(bakery, 66, "", "document", "fetch", made["id"], bakery.path("again.pdf"))
    assert not os.path.exists(bakery.path("again.pdf"))


def test_a_cold_call_is_filled_in_from_the_customer(bakery):
    bakery.ctl("customer", "set", "1001", "--phone", "303 555 0100")
    bakery.ctl("contact", "add", "1001", "--name", "Sam Example", "--email", "sam@example.com")
    made = bakery.ctl_json("activity", "add", "1001", "--kind", "cold-call", "--text", "Say hello")
    assert (made["phone"], made["contact"]) == ("303 555 0100", "Sam Example")


def test_underscores_and_dashes_are_told_apart_by_nobody(bakery):
    refused(bakery, 64, 'did you mean "third-party"?', "third_party", "list")


@pytest.mark.parametrize("position, fault", [
    (("--latitude", "91", "--longitude", "0"), "latitude"),
    (("--latitude", "-90.5", "--longitude", "0"), "latitude"),
    (("--latitude", "0", "--longitude", "181"), "longitude"),
])
def test_a_position_that_is_nowhere(world, position, fault):
    world.ctl("customer", "add", "1", "--name", "X")
    done = world.ctl("asset", "add", "1", "--kind", "roll-off", *position, check=False)
    assert done.returncode == 65 and fault in done.stderr
    world.ctl("asset", "add", "1", "--kind", "roll-off", "--latitude", "-90", "--longitude", "180")
