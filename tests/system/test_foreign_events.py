# SPDX-License-Identifier: MIT
"""Events as other people's software writes them: CloudEvents' envelope, odd escapes, short times."""
import base64
import json

import pytest

from kit import add_customer, dead_letters, outcomes_of, text_of, wait_outcome

EVENT = {"id": "1", "type": "job.started", "job": "4711", "customer": "1001"}
DATA = {"driver": "Zoë Driver", "reference": "PO-88"}


def encoded(data=DATA):
    return base64.b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).decode()


def structured(**more):
    return {"event": json.dumps({**EVENT, **more})}


def publish(world, fields):
    world.raw.xadd("jobs:events", fields)


def mail_of(world, fields):
    """The text of the one mail that the event makes."""
    add_customer(world)
    world.start_daemon()
    publish(world, fields)
    wait_outcome(world, EVENT["id"], "sent")
    return text_of(world.mails(1)[0])


@pytest.mark.parametrize("fields", [
    {**EVENT, "data_base64": encoded()},
    {**EVENT, "data_base64": encoded().rstrip("="), "data": ""},
    structured(data_base64=encoded()),
    structured(data_base64=encoded(), data=None, specversion="1.0",
               datacontenttype="Application/Vnd.Example+JSON; charset=utf-8"),
], ids=["fields", "fields without padding", "JSON", "JSON with its envelope"])
def test_data_base64_reaches_the_mail(world, fields):
    assert DATA["driver"] in mail_of(world, fields)


def test_data_base64_in_a_list_and_a_channel(world):
    world.configure(redis={"list": "jobs:list", "channel": "jobs:channel"})
    add_customer(world)
    world.start_daemon()
    world.redis.lpush("jobs:list", structured(id="l", data_base64=encoded())["event"])
    wait_outcome(world, "l", "sent")
    while not world.redis.publish("jobs:channel", structured(id="c", job="2", data_base64=encoded())["event"]):
        pass
    wait_outcome(world, "c", "sent")
    assert all(DATA["driver"] in text_of(m) for m in world.mails(2))


# What can't be honored, and what the dead letter says of it.
REFUSED = {
    "both data": (structured(data={}, data_base64=encoded()), "data and data_base64 are both present"),
    "both fields": ({**EVENT, "data": "{}", "data_base64": encoded()}, "data and data_base64 are both present"),
    "not base64": (structured(data_base64="***"), "data_base64 is not base64"),
    "a PDF": (structured(data_base64=encoded(b"%PDF-1.7 \x80\xff")), "data_base64 does not hold UTF-8"),
    "not JSON": ({**EVENT, "data_base64": encoded(b"<job/>")}, "data_base64 does not hold JSON"),
    "a list": (structured(data_base64=encoded([1])), "data_base64 holds an array"),
    "XML": (structured(datacontenttype="application/xml", data={"a": 1}), 'found "application/xml"'),
    "XML, no data": ({**EVENT, "datacontenttype": "text/xml"}, 'found "text/xml"'),
    "an old version": (structured(specversion="0.3"), 'found "0.3"'),
    "a new version": ({**EVENT, "specversion": "2.0"}, 'found "2.0"'),
    "NUL in an id": ({"event": json.dumps({**EVENT, "id": "a\0b"})}, "id holds"),
    "half a pair in a job": ({"event": json.dumps({**EVENT, "job": "\ud83d"})}, "job holds"),
    "half a pair in data's job": ({"event": json.dumps({"id": "1", "type": "job.started", "customer": "1001",
                                                        "data": {"job": "\ude9a"}})}, "job holds"),
}
THEIRS = ("near '", "JSON_", "token", "premature", "expected near", "end of file")


@pytest.mark.parametrize("stream,kind", [("jobs:events", "job.started"), ("jobs:requests", "job.create")])
def test_what_cannot_be_honored_is_a_dead_letter(world, stream, kind):
    add_customer(world)
    world.start_daemon()
    for fields, _ in REFUSED.values():
        world.raw.xadd(stream, {k: v.replace("job.started", kind) for k, v in fields.items()})
    letters = dead_letters(world, len(REFUSED))
    for letter, (name, (_, fault)) in zip(letters, REFUSED.items()):
        detail = letter[b"dead_detail"].decode()
        assert letter[b"dead_reason"] == b"malformed" and fault in detail, f"{name}: {detail}"
        assert not [t for t in THEIRS if t in detail], detail
    assert world.mails() == []


@pytest.mark.parametrize("fields,text", [
    ({"event": json.dumps({**EVENT, "data": {"driver": "Sam\0\ud83d Miller"}})}, "Sam\ufffd\ufffd Miller"),
    ({**EVENT, "data": '{"driver": "Sam\\udE9A", "odd\\u0000": {"x\\ud800": ["\\u0000"]}}'}, "Sam\ufffd"),
    ({**EVENT, "data_base64": encoded({"driver": "Sam\ude9a\ud83d"})}, "Sam\ufffd\ufffd"),
    ({"event": json.dumps({**EVENT, "data": {"driver": "Sam \U0001f69a"}})}, "Sam \U0001f69a"),
    ({"event": b"\xef\xbb\xbf" + json.dumps({**EVENT, "data": {"driver": "Bom"}}).encode()}, "Bom"),
    ({**EVENT, "data": b'\xef\xbb\xbf{"driver": "Bom"}'}, "Bom"),
    ({**EVENT, "time": "", "driver": "Sam"}, "Sam"),
    (structured(time="", data={"driver": "Sam"}), "Sam"),
    ({**EVENT, "job": "", "subject": "4711", "driver": "Sam"}, "4711"),
    (structured(job="", subject="4711"), "4711"),
], ids=["JSON", "field data", "data_base64", "a whole pair", "BOM", "BOM in data", "no time", "no time in JSON",
        "job empty", "job empty in JSON"])
def test_what_json_allows_costs_no_notice(world, fields, text):
    assert text in mail_of(world, fields)


def test_times_as_others_write_them(world):
    """Seconds left out (Java), the offset's colon left out (strftime), its minutes left out (PostgreSQL)."""
    add_customer(world)
    world.start_daemon()
    times = ["2026-01-02T10:14Z", "2026-01-02T10:14:00+0000", "2026-01-02T11:14+0100", "2026-01-02 10:14:00.000+00",
             "2026-01-02t03:14-07:00"]
    for n, time in enumerate(times):
        world.xadd(id=str(n), job=str(n), type="job.started", customer="1001", time=time)
        wait_outcome(world, str(n), "expired")
        (event,) = world.ctl_json("job", "show", str(n))["events"]
        assert event["time"] == "2026-01-02T10:14:00Z", time
    world.xadd(id="local", job="x", type="job.started", customer="1001", time="2026-01-02T10:14")
    wait_outcome(world, "local", "rejected", "malformed")
    gate = ["gate", "dispatch", "--customer", "1001", "--scheduled"]
    assert world.ctl_json(*gate, "2026-01-02T10:14Z") == world.ctl_json(*gate, "2026-01-02T10:14:00+0000")
    path = "/v1/gate?customer=1001&type=job.dispatch&scheduled="
    assert world.http(path + "2026-01-02T10:14Z")[0] == 200
    assert world.http(path + "2026-01-02T10:14:00%2B0000")[0] == 200
    assert world.http(path + "2026-01-02T10:14")[0] == 400
    world.xadd("jobs:requests", id="r", type="job.dispatch", job="r", customer="1001", scheduled="2126-01-02T10:14+0000")
    wait_outcome(world, "r", "released")


def test_explain_reads_an_event_as_the_daemon_does(world):
    add_customer(world)
    event = {**EVENT, "data": {"driver": "\ud83d"}}
    bad = {**EVENT, "id": "\ud83d"}
    assert world.ctl_json("explain", "--event", json.dumps(event))["reason"] != "malformed"
    assert world.ctl_json("explain", "--event", json.dumps(bad))["reason"] == "malformed"
    lines = "".join(json.dumps({"at": "2026-03-05T10:14Z", "event": e}) + "\n" for e in (event, bad))
    answers = [json.loads(line) for line in
               world.ctl("explain", "--batch", "-", "--json", stdin="\ufeff" + lines).stdout.splitlines()]
    assert [a["reason"] == "malformed" for a in answers] == [False, True]
    assert outcomes_of(world, "1") == []
