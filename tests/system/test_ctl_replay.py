# SPDX-License-Identifier: MIT
"""dispatchctl replay: what other rules or other data would have made of recorded events."""

import datetime
import json
import shutil

import pytest


@pytest.fixture
def day(world):
    """Two events on record: one mailed at once, one held back by a suspension."""
    world.ctl("customer", "add", "1001", "--name", "Open", "--email", "open@example.com")
    world.ctl("customer", "add", "1002", "--name", "Suspended", "--email", "quiet@example.com")
    world.ctl("suspend", "1002", "--note", "Rebuilding")
    world.start_daemon()
    world.ctl("event", "send", "completed", "--job", "1", "--customer", "1001", "--id", "a")
    world.ctl("event", "send", "completed", "--job", "2", "--customer", "1002", "--id", "b")
    world.outcomes(wait_for={"status": "sent"})
    world.outcomes(wait_for={"reason": "suspended"})
    world.daemon.stop()
    world.redis_server.stop()
    return world


def all_changes(world, *args):
    text = world.ctl("replay", "--since", "-1d", "--json", *args).stdout
    return [json.loads(line) for line in text.splitlines()]


def changes(world, *args):
    return {c["event"]: c for c in all_changes(world, *args)}


def test_the_same_rules_change_nothing(day):
    assert changes(day) == {}
    assert day.ctl("replay", "--since", "today").stdout.startswith("2 events; mails: 1 unchanged, 0 added")


def test_other_data(day):
    shutil.copy(day.path("customers.db"), day.path("copy.db"))
    day.configure(customers={"path": day.path("copy.db")})
    day.ctl("resume", "1002")
    day.ctl("suspend", "1001", "--note", "Now it is this one")
    day.configure(customers={"path": day.path("customers.db")})
    found = changes(day, "--customers", day.path("copy.db"))
    gone, added = found["a"], found["b"]
    assert (gone["change"], gone["to"], gone["before"]["status"], gone["after"]["reason"]) == (
        "gone", "open@example.com", "queued", "suspended")
    assert "Now it is this one" in gone["detail"]
    assert (added["change"], added["to"], added["before"]["reason"], added["after"]["status"]) == (
        "added", "quiet@example.com", "suspended", "queued")
    text = day.ctl("replay", "--since", "-1d", "--customers", day.path("copy.db")).stdout
    assert "gone" in text and "added" in text and "1 added, 1 gone, 0 moved" in text
    assert changes(day) == {}  # the real records are as they were


def test_other_rules(day):
    day.ctl("hours", "set", "1001", "all", "00:00-00:01")
    with open(day.path("other.conf"), "w", encoding="utf-8") as file:
        file.write("[notify]\noutside_hours = send\n[http]\nnonsense = 1\n")
    assert changes(day)["a"]["change"] == "moved"
    assert changes(day, "--config", day.path("other.conf")) == {}
    with open(day.path("other.conf"), "w", encoding="utf-8") as file:
        file.write("[notify]\noutside_hours = suppress\n")
    assert changes(day, "--config", day.path("other.conf"))["a"]["after"]["reason"] == "outside_hours"


def test_a_state_that_there_is_not_is_named(day):
    """Else a slip of the pen would look like rules that change nothing."""
    with open(day.path("other.conf"), "w", encoding="utf-8") as file:
        file.write("[notify.complete]\noutside_hours = suppress\n")
    done = day.ctl("replay", "--since", "-1d", "--config", day.path("other.conf"), check=False)
    assert done.returncode == 78 and "did you mean [notify.completed]?" in done.stderr
    day.configure({"notify.complete": {"outside_hours": "suppress"}})
    assert day.ctl("explain", "--event", "{}", check=False).returncode == 78
    assert day.ctl("customer", "list", check=False).returncode == 0


def test_only_the_span_is_looked_at(day):
    assert day.ctl("replay", "--since", "-2d", "--until", "-1d").stdout.startswith("0 events")
    assert day.ctl("replay", "--since", "+1h").stdout.startswith("0 events")


@pytest.mark.parametrize("args, code, fault", [
    ((), 64, "--since"),
    (("--since", "once"), 64, "--since"),
    (("--since", "today", "--until", "yesterday"), 64, "--until must be later than --since"),
    (("--since", "today", "--config", "/nowhere.conf"), 66, "/nowhere.conf"),
    (("--since", "today", "--customers", "/nowhere.db"), 66, "/nowhere.db"),
])
def test_what_replay_needs(world, args, code, fault):
    done = world.ctl("replay", *args, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert fault in done.stderr


def test_an_import_is_laid_over_a_copy_of_ours(day):
    with open(day.path("other.csv"), "w", encoding="utf-8") as file:
        file.write("number,name,status\n1001,Open,inactive\n1003,Newcomer,active\n")
    with open(day.path("other.jsonl"), "w", encoding="utf-8") as file:
        file.write('{"number": "1001", "name": "Open", "status": "inactive"}\n')
    for name in ("other.csv", "other.jsonl"):
        found = changes(day, "--customers", day.path(name))
        assert list(found) == ["a"] and found["a"]["after"]["reason"] == "customer_not_active"
    assert changes(day) == {}  # ours are as they were
    assert day.ctl("customer", "show", "1003", check=False).returncode == 66


def test_a_bad_import_is_named_by_line(day):
    with open(day.path("bad.csv"), "w", encoding="utf-8") as file:
        file.write("number,name\n1001,Open\n1002,\n")
    done = day.ctl("replay", "--since", "-1d", "--customers", day.path("bad.csv"), check=False)
    assert done.returncode == 65 and "bad.csv:3" in done.stderr and done.stdout == ""


def test_a_wait_that_began_after_the_receipt(world):
    """The event waited for its customer first, and for its group from then on."""
    world.configure({"notify.completed": {"group_wait": "1h"}}, customers={"grace": "60s"})
    world.start_daemon()
    world.xadd(id="a", type="job.completed", job="1", customer="1")
    world.wait_idle()
    world.ctl("customer", "add", "1", "--name", "Late", "--email", "late@example.com")
    world.outcomes(wait_for={"event": "a", "status": "deferred"})
    assert changes(world) == {}


def test_a_group_is_one_mail_then_and_now(world):
    """Site B opens in half an hour; its mail joins that of site A, and goes with it at the end of A's wait."""
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=30)
    window = f"{soon:%H:%M}-{soon + datetime.timedelta(hours=2):%H:%M}"
    world.configure({"notify.completed": {"group_wait": "1h"}})
    world.ctl("customer", "add", "1", "--name", "Both", "--email", "both@example.com")
    world.ctl("contact", "set", world.ctl_json("contact", "list", "1")[0]["id"], "--all-sites")
    world.ctl("customer", "add", "A", "--name", "Open", "--parent", "1")
    world.ctl("customer", "add", "B", "--name", "Closed", "--parent", "1")
    world.ctl("hours", "set", "B", "all", window)
    world.start_daemon()
    world.xadd(id="a", type="job.completed", job="1", customer="A")
    world.xadd(id="b", type="job.completed", job="2", customer="B")
    a, b = (world.outcomes(wait_for={"event": e, "status": "deferred"}) for e in "ab")
    assert (a["reason"], b["reason"], a["mail"]) == ("grouped", "outside_hours", b["mail"])
    assert changes(world) == {}
    with open(world.path("other.conf"), "w", encoding="utf-8") as file:
        file.write("[notify]\ngroup_wait = 2h\n")
    assert [c["change"] for c in changes(world, "--config", world.path("other.conf")).values()] == ["moved", "moved"]


def test_a_contact_without_a_verdict_is_told_of(day):
    """Who left, and who no longer wants the state, has no decision of its own: others' doesn't stand in."""
    day.ctl("contact", "add", "1001", "--name", "Newcomer", "--email", "new@example.com")
    before, after = (changes(day)["a"][side] for side in ("before", "after"))
    assert (before["status"], before["reason"], after["status"]) == ("suppressed", "not_wanted", "queued")
    old = str(day.ctl_json("contact", "list", "1001")[0]["id"])
    day.ctl("contact", "set", old, "--notify", "failed")
    gone = [c for c in all_changes(day) if c["change"] == "gone"]
    assert [(c["to"], c["after"]["status"], c["after"]["reason"], c["detail"]) for c in gone] == [
        ("open@example.com", "suppressed", "not_wanted", f"contact {old} doesn't want completed mails")]
    day.ctl("contact", "remove", old, "--yes")
    gone = [c for c in all_changes(day) if c["change"] == "gone"]
    assert [(c["after"]["reason"], c["detail"]) for c in gone] == [("not_wanted", f"contact {old} is gone")]


def test_an_empty_span_holds_nothing(day):
    now = "2026-06-01T12:00:00Z"
    assert day.ctl("replay", "--since", now, "--until", now).stdout.startswith("0 events")
