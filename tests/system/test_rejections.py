# SPDX-License-Identifier: MIT
"""What breaks a rule of form or names nobody: dead letters, and nothing behind them is stopped."""
import json
import time

import pytest

from kit import add_customer, dead_letters, outcomes_of, wait_outcome
from world import wait_until

GOOD = {"id": "bad", "type": "job.started", "job": "1", "customer": "1001"}


def without(name):
    return {k: v for k, v in GOOD.items() if k != name}


def structured(**more):
    return {"event": json.dumps({**GOOD, **more})}


def nested(depth, inner="1"):
    return '{"a":' * depth + inner + "}" * depth


# What is sent, and a word that the detail has to say.
FAULTS = {
    "no id": (without("id"), "id"),
    "empty id": ({**GOOD, "id": ""}, "id"),
    "long id": ({**GOOD, "id": "x" * 129}, "128"),
    "line break in id": ({**GOOD, "id": "a\nb"}, "control"),
    "NUL in id": ({**GOOD, "id": b"a\0b"}, "id"),
    "DEL in id": ({**GOOD, "id": "a\x7fb"}, "control"),
    "C1 control in id": ({**GOOD, "id": "a\u0085b"}, "control"),
    "invalid UTF-8 in id": ({**GOOD, "id": b"a\xff\xfeb"}, "UTF-8"),
    "long source": ({**GOOD, "source": "s" * 257}, "256"),
    "no type": (without("type"), "type"),
    "unknown type": ({**GOOD, "type": "job.begun"}, "job.started"),
    "type without its dot": ({**GOOD, "type": "xjob.started"}, "xjob.started"),
    "upper-case type": ({**GOOD, "type": "JOB.STARTED"}, "type"),
    "a request among events": ({**GOOD, "type": "job.create"}, "request"),
    "time without an offset": ({**GOOD, "time": "2026-01-02T03:04:05"}, "RFC 3339"),
    "a day that isn't": ({**GOOD, "time": "2026-02-30T03:04:05Z"}, "time"),
    "time as a number": ({**GOOD, "time": "1700000000"}, "time"),
    "no job": (without("job"), "job"),
    "empty job": ({**GOOD, "job": ""}, "job"),
    "long job": ({**GOOD, "job": "j" * 129}, "128"),
    "tab in job": ({**GOOD, "job": "a\tb"}, "control"),
    "no customer": (without("customer"), "customer"),
    "empty customer": ({**GOOD, "customer": ""}, "customer"),
    "data that is no JSON": ({**GOOD, "data": "{broken"}, "data"),
    "data that is a list": ({**GOOD, "data": "[1]"}, "object"),
    "data with a key twice": ({**GOOD, "data": '{"a":1,"a":2}'}, "data"),
    "data that nests too deep": ({**GOOD, "data": nested(33)}, "32"),
    "trailing text behind data": ({**GOOD, "data": "{} x"}, "data"),
    "invalid UTF-8 in a note": ({**GOOD, "note": b"caf\xe9"}, "UTF-8"),
    "overlong UTF-8": ({**GOOD, "note": b"\xc0\xaf"}, "UTF-8"),
    "a surrogate": ({**GOOD, "note": b"\xed\xa0\x80"}, "UTF-8"),
    "invalid UTF-8 in a name": ({**GOOD, b"n\xff": "x"}, "UTF-8"),
    "too large": ({**GOOD, "note": "x" * 263_000}, "262144"),
    "event that is no JSON": ({"event": "{broken"}, "JSON"),
    "event that is a list": ({"event": "[]"}, "object"),
    "event that is empty": ({"event": ""}, "JSON"),
    "two events in one": ({"event": json.dumps(GOOD) * 2}, "JSON"),
    "NaN": ({"event": json.dumps({**GOOD, "data": {"x": float("nan")}})}, "JSON"),
    "a NUL escaped": ({"event": json.dumps({**GOOD, "id": "a\0b"})}, "JSON"),
    "control in an escape": (structured(id="a\nb"), "control"),
    "id that is a fraction": (structured(id=1.5), "id"),
    "id that is true": (structured(id=True), "id"),
    "type that is a number": (structured(type=1), "type"),
    "job that is an object": (structured(job={"id": 1}), "job"),
    "data that is text": (structured(data="x"), "data"),
    "customer that is null": (structured(customer=None), "customer"),
    "structured, nests too deep": (structured(data=json.loads(nested(33))), "32"),
    "structured, very deep": ({"event": '{"id":"bad","type":"job.started","job":"1","customer":"1001","data":' +
                                        nested(5000) + "}"}, ""),
    "a number beyond all": ({"event": json.dumps(GOOD)[:-1] + ', "data": {"x": 1e999}}'}, ""),
}


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def test_every_rejection(world, smtp):
    """All faults in one stream with a good event behind each; every good one is told, every bad one put aside."""
    add_customer(world)
    world.start_daemon()
    entries = {}
    for n, (name, (fields, _)) in enumerate(FAULTS.items()):
        entries[world.raw.xadd("jobs:events", fields)] = name
        world.xadd(id=f"good{n}", type="job.started", job=f"j{n}", customer="1001")
    wait_outcome(world, f"good{len(FAULTS) - 1}", "sent", timeout=20)
    letters = {f[b"dead_entry"]: f for f in dead_letters(world, len(FAULTS))}
    assert set(letters) == set(entries), "a dead letter each, and no other"
    for entry, name in entries.items():
        letter, (fields, word) = dict(letters[entry]), FAULTS[name]
        assert letter.pop(b"dead_reason") == b"malformed", name
        detail = letter.pop(b"dead_detail").decode()
        assert word in detail, f"{name}: {detail}"
        assert len(detail) < 600 and "\n" not in detail and detail.isprintable(), f"{name}: {detail!r}"
        letter.pop(b"dead_entry")
        letter = {k: v for k, v in letter.items() if not k.startswith(b"dead_")}
        assert letter == {as_bytes(k): as_bytes(v) for k, v in fields.items()}, name
    world.wait_idle()
    rejected = world.outcomes(wait_for={"status": "rejected"}, count=len(FAULTS))
    assert len(rejected) == len(FAULTS) and {o["reason"] for o in rejected} == {"malformed"}
    wait_until(lambda: len(smtp.mails) == len(FAULTS), "the good ones' mails", 20)
    name = 'dispatchd_outcomes_total{status="rejected",reason="malformed"}'
    wait_until(lambda: world.metrics().get(name) == len(FAULTS), lambda: f"{name}: {world.metrics()}")
    assert world.daemon.log().count("dead letter") == len(FAULTS), "logged once each"


LIMITS = {
    "id": {**GOOD, "id": "ä" * 64},
    "source": {**GOOD, "source": "s" * 256},
    "job": {**GOOD, "job": "j" * 128},
    "depth": {**GOOD, "data": nested(32)},
    "prefix": {**GOOD, "type": "com.example.app-1.job.started"},
    "leap second": {**GOOD, "time": "2016-12-31T23:59:60Z"},
    "lower-case time": {**GOOD, "time": "2026-01-02t03:04:05.123456789z"},
    "unknown names": {**GOOD, "x" * 300: "", "": "nameless"},
    "subject": {"id": "i", "type": "job.started", "subject": "1", "customer": "1001"},
    "structured with null": {"event": json.dumps({**GOOD, "data": None, "source": None})},
    "structured, large whole numbers": {"event": json.dumps({**GOOD, "id": 2 ** 62})},
}


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_just_within_the_limits(world, name):
    add_customer(world)
    world.start_daemon()
    world.raw.xadd("jobs:events", LIMITS[name])
    wait_until(lambda: world.outcomes(), "an outcome")
    assert world.outcomes()[0]["status"] in ("queued", "expired"), (world.outcomes(), world.daemon.log())


def test_sent_again_put_right_it_is_new(world, smtp):
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.begun", job="1", customer="1001")
    wait_outcome(world, "1", "rejected", "malformed")
    world.xadd(id="1", type="job.started", job="1", customer="1001")
    wait_outcome(world, "1", "sent")


def test_an_unknown_customer_waits_its_grace(world):
    world.configure(customers={"grace": "3s"})
    world.start_daemon()
    published = time.monotonic()
    world.xadd(id="1", type="job.started", job="1", customer="404", driver="Sam")
    world.xadd(id="2", type="job.begun", job="1", customer="404")
    wait_outcome(world, "2", "rejected", "malformed")
    assert outcomes_of(world, "1") == [], "what waits stops nothing behind it"
    world.wait_idle()  # it is on disk here, so that Redis need not keep it
    wait_outcome(world, "1", "rejected", "unknown_customer")
    assert time.monotonic() - published > 2.8
    letter = [f for f in dead_letters(world, 2) if f[b"dead_reason"] == b"unknown_customer"]
    assert len(letter) == 1 and letter[0][b"driver"] == b"Sam" and b"404" in letter[0][b"dead_detail"]
    assert letter[0][b"dead_entry"] == world.raw.xrange("jobs:events")[0][0]


def test_the_customer_arrives_within_the_grace(world):
    world.configure(customers={"grace": "60s"})
    world.start_daemon()
    for n in range(3):
        world.xadd(id=str(n), type="job.started", job=str(n), customer="1001")
    world.wait_idle()
    assert world.outcomes() == []
    add_customer(world)
    for n in range(3):
        wait_outcome(world, str(n), "sent", timeout=10)
    assert world.raw.xlen("jobs:dead") == 0


def test_the_customer_arrives_by_the_feed(world):
    """Published after the event, but read in time."""
    world.configure(customers={"grace": "60s"})
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="1", customer="1001")
    world.wait_idle()
    world.xadd("customers:changes", customer=json.dumps({"number": "1001", "name": "By feed", "email": "f@example.com"}))
    wait_outcome(world, "1", "sent", timeout=10)


def test_the_customer_arrives_while_the_daemon_is_down(world):
    world.configure(customers={"grace": "60s"})
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="1", customer="1001")
    world.wait_idle()
    world.daemon.stop()
    add_customer(world)
    world.start_daemon()
    wait_outcome(world, "1", "sent", timeout=10)


def test_the_grace_ends_while_the_daemon_is_down(world):
    world.configure(customers={"grace": "500ms"})
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="1", customer="1001")
    world.wait_idle()
    world.daemon.kill()
    time.sleep(0.6)
    world.start_daemon()
    wait_outcome(world, "1", "rejected", "unknown_customer")
    assert len(dead_letters(world, 1)) == 1


def test_the_grace_ends_while_the_daemon_is_down_and_the_customer_has_arrived(world):
    """In the feed, which is read before anybody is rejected; Redis comes back after the daemon."""
    world.configure(customers={"grace": "1s"})
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="1", customer="1001")
    world.xadd(id="2", type="job.started", job="1", customer="404")
    world.wait_idle()
    world.daemon.kill()
    world.xadd("customers:changes", customer=json.dumps({"number": "1001", "name": "By feed", "email": "f@example.com"}))
    time.sleep(1.5)
    world.redis_server.freeze()
    world.start_daemon()
    time.sleep(1)
    world.redis_server.thaw()
    wait_outcome(world, "2", "rejected", "unknown_customer")
    wait_outcome(world, "1", "sent")
    assert outcomes_of(world, "1") == [("queued", "ok"), ("sent", "ok")]


def test_leading_zeros_and_case_count(world):
    add_customer(world, "007a")
    world.start_daemon()
    for n, customer in enumerate(("7a", "07a", "007A", "007a ", "007a")):
        world.xadd(id=str(n), type="job.started", job="1", customer=customer)
    wait_outcome(world, "4", "sent")
    assert [outcomes_of(world, str(n)) for n in range(4)] == [[("rejected", "unknown_customer")]] * 4


def test_a_bad_customer_of_the_feed(world):
    world.start_daemon()
    for text in ("{broken", "[]", '{"number": "1"}', '{"name": "x"}', '{"number": "1", "name": ""}',
                 '{"number": "1", "name": "x", "timezone": "Mars/Base"}', '{"number": "1", "name": "x", "nmae": "y"}'):
        world.xadd("customers:changes", customer=text)
    world.xadd("customers:changes", other="x")
    world.xadd("customers:changes", customer=json.dumps({"number": "2", "name": "Good", "email": "g@example.com"}))
    letters = dead_letters(world, 8)
    assert {f[b"dead_reason"] for f in letters} == {b"malformed"}
    entries = [e for e, _ in world.raw.xrange("customers:changes")]
    assert {f[b"dead_entry"] for f in letters} == set(entries[:8])
    world.wait_idle("customers:changes")
    wait_until(lambda: world.ctl("customer", "show", "2", check=False).returncode == 0, "the good one behind them")
    assert world.ctl("customer", "show", "1", check=False).returncode == 66


STRUCTURED = {"id": 7, "source": "app", "type": "job.begun", "job": 8, "customer": 9}


@pytest.mark.parametrize("fields,named", [
    ({"event": json.dumps(STRUCTURED)}, ("7", "app", "8", "9", "job.begun")),
    ({"event": json.dumps({"id": "i", "type": "x.y.job.failed", "data": {"job": 1, "customer": [2]}})},
     ("i", "", "1", "", "job.failed")),
    ({"event": json.dumps({**STRUCTURED, "id": 1.5, "data": 5})}, ("", "app", "8", "9", "job.begun")),
    ({"event": json.dumps({**STRUCTURED, "note": "x" * 263_000})}, ("7", "app", "8", "9", "job.begun")),
    ({"event": "{broken", "id": "beside"}, ("", "", "", "", "")),
    ({**GOOD, "id": "ünï", "type": "job.begun"}, ("ünï", "", "1", "1001", "job.begun")),
    ({**without("job"), "subject": "s", "note": b"\xff", "source": b"\xff"}, ("bad", "", "s", "1001", "job.started")),
    ({**GOOD, "id": "a\nb", "job": "j" * 129, "customer": b"1\x002"}, ("", "", "", "", "job.started")),
])
def test_a_rejection_names_what_can_be_made_out(world, fields, named):
    """In either spelling, so that the publisher finds its event among the outcomes."""
    world.start_daemon()
    world.raw.xadd("jobs:events", fields)
    outcome = world.outcomes(wait_for={"status": "rejected", "reason": "malformed"})
    assert tuple(outcome[k] for k in ("event", "source", "job", "customer", "type")) == named


# ---- dead letters by hand

def test_dead_list_and_retry(world):
    world.start_daemon()
    entry = world.xadd(id="1", type="job.started", job="1", dead_reason="copied from elsewhere", customer="1001")
    world.xadd(id="2", type="job.started", job="2", customer="1001")
    world.xadd(id="3", type="job.begun", job="3", customer="1001")
    dead_letters(world, 3)
    listed = world.ctl_json("dead", "list")
    assert [d["reason"] for d in listed] == ["malformed", "unknown_customer", "unknown_customer"], listed
    add_customer(world)
    world.ctl("dead", "retry", entry)
    wait_outcome(world, "1", "sent")
    assert outcomes_of(world, "2") == [("rejected", "unknown_customer")]
    assert len(world.ctl_json("dead", "list")) == 2
    world.ctl("dead", "retry", world.redis.xrange("jobs:dead")[1][1]["dead_id"])
    wait_outcome(world, "2", "sent")
    world.ctl("dead", "retry", "--all")
    wait_outcome(world, "3", "rejected", count=2)
    (left,) = world.ctl_json("dead", "list")
    assert left["reason"] == "malformed" and left["fields"]["id"] == "3", "still malformed: put aside again"
    assert world.ctl("dead", "retry", "1-1", check=False).returncode == 66


def test_dead_letters_are_bounded(world):
    world.configure(redis={"dead_max": "50"})
    world.start_daemon()
    pipe = world.redis.pipeline(transaction=False)
    for n in range(600):
        pipe.xadd("jobs:events", {"id": str(n)})
    pipe.execute()
    world.outcomes(wait_for={"status": "rejected"}, count=600, timeout=20)
    world.wait_idle()
    wait_until(lambda: world.redis.xrevrange("jobs:dead", count=1)[0][1]["id"] == "599", "the latest to be kept")
    assert world.redis.xlen("jobs:dead") == 50, "at most dead_max"
