# SPDX-License-Identifier: MIT
"""docs/asyncapi.yaml against real entries of every stream, in both directions: each entry fits its schema, and what
the schemas call necessary is missed."""
import datetime
import json
import re

import jsonschema
import pytest
import yaml

from kit import add_customer, outcomes_of, wait_outcome
from world import ROOT, wait_until

DOCUMENT = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))


def resolve(reference):
    found = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def validator(message):
    """Of an entry's fields; references point into the whole document."""
    payload = DOCUMENT["components"]["messages"][message]["payload"]
    return jsonschema.Draft7Validator(payload, resolver=jsonschema.RefResolver("", DOCUMENT))


def faults(message, entry):
    return [f"{'/'.join(map(str, e.path))}: {e.message}" for e in validator(message).iter_errors(entry)]


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def json_fields(message, entry):
    """Fields that are said to be JSON, parsed."""
    schema = DOCUMENT["components"]["messages"][message]["payload"]
    schema = resolve(schema["$ref"]) if "$ref" in schema else schema
    for name, kind in schema["properties"].items():
        kind = resolve(kind["$ref"]) if "$ref" in kind else kind
        if kind.get("contentMediaType") == "application/json" and name in entry:
            yield json.loads(entry[name])


def test_the_document_holds_together():
    assert DOCUMENT["asyncapi"].startswith("3.")
    for reference in references(DOCUMENT):
        assert resolve(reference) is not None
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft7Validator.check_schema(schema)
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    assert DOCUMENT["info"]["version"] == version
    sample = (ROOT / "conf" / "dispatchd.conf").read_text(encoding="utf-8")
    for channel in DOCUMENT["channels"].values():
        key = re.search(r"`\[redis\] (\w+)`", channel["description"]).group(1)
        assert re.search(rf"^;?\s*{key} = {re.escape(channel['address'])}$", sample, re.M), key


@pytest.mark.parametrize("kind", ["status", "reason"])
def test_its_words_are_the_daemons(kind):
    manual = (ROOT / "conf" / "man" / "dispatchd.8").read_text(encoding="utf-8")
    listed = re.search(rf'^\.\\" {kind}: begin$(.*?)^\.\\" {kind}: end$', manual, re.M | re.S).group(1)
    words = set(re.findall(r"^\.It Cm (\w+)$", listed, re.M)) - {"duplicate"}  # which is never published
    assert set(DOCUMENT["components"]["schemas"]["outcome"]["properties"][kind]["enum"]) == words


def test_examples_are_understood(world):
    add_customer(world)
    world.configure(redis={"customers": "customers:changes"})
    world.start_daemon()
    events = []
    for name in ("event", "eventObject", "request", "customer"):
        message = DOCUMENT["components"]["messages"][name]
        channel = next(c for c in DOCUMENT["channels"].values() if name in c["messages"])
        for example in message["examples"]:
            assert faults(name, example["payload"]) == []
            assert all(isinstance(v, dict) for v in json_fields(name, example["payload"]))
            world.redis.xadd(channel["address"], example["payload"])
            events.append(example["payload"].get("id"))
    wait_until(lambda: world.ctl("customer", "show", "1003", check=False).returncode == 0, "the feed's customer")
    for event in [*filter(None, events), "8f2c"]:
        wait_until(lambda e=event: outcomes_of(world, e), f"an outcome of {event}")
    assert world.redis.xlen("jobs:dead") == 0


def test_entries_that_are_written(world):
    add_customer(world, address="1 Main St", reference="PO 7", location_notes="gate code 12", phone="555 0100",
                 disclaimer="2026-01-02")
    world.ctl("hours", "set", "1001", "mon-sun", "00:00-24:00")
    add_customer(world, "1002")
    world.ctl("suspend", "1002", "--note", "closed for winter", "--until", "2999-01-01")
    world.ctl("asset", "add", "1001", "--kind", "roll-off 20", "--serial", "A7", "--position", "behind the barn")
    world.start_daemon()
    now = datetime.datetime.now(datetime.timezone.utc)
    for number, kind in enumerate(("dispatched", "started", "started", "paused", "completed")):
        world.xadd(id=f"e{number}", source="erp", type=f"com.example.job.{kind}", job="4711", customer="1001",
                   time=(now + datetime.timedelta(seconds=number - 9)).isoformat(), reason="rain")
    world.xadd(id="s", type="job.completed", job="4712", customer="1002", data='{"amount": 7}')
    world.xadd(id="x", type="job.vanished", job="4711", customer="1001")
    world.xadd(id="u", type="job.started", job="4711", customer="nobody")
    world.xadd_fields({"event": "{}"})
    for number, (kind, customer) in enumerate((("create", "1001"), ("dispatch", "1001"), ("create", "1002"),
                                               ("dispatch", "1002"), ("dispatch", "nobody"))):
        world.xadd("jobs:requests", id=f"q{number}", type=f"job.{kind}", job=f"j{number}", customer=customer,
                   scheduled="2026-12-24T09:30:00-07:00", route="north", crew="4")
    wait_outcome(world, "q1", "released")
    wait_outcome(world, "q3", "held")
    wait_until(lambda: world.redis.xlen("jobs:dead") == 3, "three dead letters")
    for event in ("u", "q4", "s"):
        wait_until(lambda e=event: outcomes_of(world, e), f"an outcome of {event}")
    wait_outcome(world, "e4", "sent")
    held = world.ctl_json("hold", "list")
    world.ctl("hold", "cancel", str(held[0]["id"]))
    wait_outcome(world, "q3", "cancelled")
    world.wait_idle()
    seen = {}
    for stream, message in (("jobs:outcomes", "outcome"), ("jobs:dispatch", "releasedJob"), ("jobs:dead", "deadLetter"),
                            ("jobs:requests", "request")):
        entries = [fields for _, fields in world.redis.xrange(stream)]
        assert entries, stream
        for entry in entries:
            assert faults(message, entry) == [], (stream, entry)
            list(json_fields(message, entry))
        seen[message] = entries
    assert {"queued", "sent", "suppressed", "released", "held", "denied", "allowed", "cancelled", "rejected"} <= \
        {o["status"] for o in seen["outcome"]}
    job = seen["releasedJob"][0]
    known = DOCUMENT["components"]["schemas"]["releasedJob"]["properties"]
    assert set(job) - set(known) == {"crew", "scheduled"}, "its own data; all else is described"
    assert {"arrive_by", "leave_by", "reference", "assets", "disclaimer", "contact_phone"} <= set(job)
    for message, name in (("outcome", "outcome"), ("releasedJob", "releasedJob"), ("deadLetter", "deadLetter")):
        for field in DOCUMENT["components"]["schemas"][name]["required"]:
            less = {k: v for k, v in seen[message][0].items() if k != field}
            assert faults(message, less), f"{field} is missed"
    assert set().union(*seen["outcome"]) <= set(DOCUMENT["components"]["schemas"]["outcome"]["properties"])
