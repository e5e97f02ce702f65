# SPDX-License-Identifier: MIT
"""A spool of schema 6, filled by the programs of November 2026, says the same under today's.

spool_6.sql is that spool as text: events of all states, mails of every status, of one event and of several, held and
released requests, dead letters, outcomes that Redis hasn't got, erased and renumbered customers, two sets of templates.
spool_6.json is what that version's dispatchctl printed of it, and what its daemon published.
"""
import json
import sqlite3
from pathlib import Path

import pytest

from world import wait_until

HERE = Path(__file__).parent
SPOOL_ID = 0x64737031


def load(world):
    """Puts the old spool into the world; the programs bring it forward when they open it."""
    with sqlite3.connect(world.path("spool.db")) as db:
        db.executescript((HERE / "spool_6.sql").read_text(encoding="utf-8"))
        db.execute(f"PRAGMA application_id = {SPOOL_ID}")
        db.execute("PRAGMA user_version = 6")
    db.close()
    world.configure(spool={"keep": "1000d"}, office={"email": "office@example.com"})


def shown(world):
    """All that dispatchctl says of the spool, by command."""
    said = {}

    def ask(*args):
        said[" ".join(args)] = found = world.ctl_json(*args)
        return found
    for job in ask("job", "list", "--limit", "1000"):
        ask("job", "show", job["job"], "--customer", job["customer"])
    for mail in ask("mail", "list", "--limit", "1000"):
        ask("mail", "show", str(mail["id"]))
    for status in ("sent", "deferred", "failed", "retrying", "superseded", "cancelled", "queued"):
        ask("mail", "list", "--status", status)
    ask("mail", "list", "--customer", "1001")
    ask("mail", "list", "--job", "A")
    ask("job", "list", "--status", "deferred")
    ask("job", "list", "--reason", "later_state")
    ask("dead", "list")
    ask("hold", "list")
    return said


def published(world, count, dead):
    """What a daemon publishes first, of outcomes and dead letters."""
    world.start_daemon()
    world.outcomes(wait_for={}, count=count)
    wait_until(lambda: world.redis.xlen("jobs:dead") >= dead, "the dead letters")
    world.daemon.stop()
    return {stream: [fields for _, fields in world.redis.xrange(f"jobs:{stream}")][:most]
            for stream, most in (("outcomes", count), ("dead", dead))}


@pytest.fixture(scope="module")
def expected():
    return json.loads((HERE / "spool_6.json").read_text(encoding="utf-8"))


def test_it_shows_what_it_showed(world, expected):
    load(world)
    found = shown(world)
    assert list(found) == list(expected["shown"])
    for command, said in expected["shown"].items():
        answer = found[command]
        if isinstance(answer, dict):  # today's may say more
            answer = {key: answer[key] for key in said}
        assert answer == said, command
    with sqlite3.connect(world.path("spool.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] > 6
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_what_redis_had_not_got_is_published(world, expected):
    load(world)
    wanted = expected["published"]
    assert len(wanted["outcomes"]) >= 4 and wanted["dead"]
    assert published(world, len(wanted["outcomes"]), len(wanted["dead"])) == wanted


def test_a_daemon_goes_on_with_it(world):
    """A new mail of an old job."""
    load(world)
    world.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com")
    world.ctl("customer", "add", "1007", "--name", "Busy", "--email", "busy@example.com")
    world.start_daemon()
    world.ctl("mail", "resume")
    world.xadd(id="new", type="job.completed", job="jk0", customer="1007")
    world.outcomes(wait_for={"event": "new", "status": "sent"})
    found = world.ctl_json("job", "show", "jk0", "--customer", "1007")
    assert found["state"] == "completed" and found["mails"][-1]["status"] == "sent"
    assert [event["id"] for event in found["events"]][-1] == "new" and found["events"][0]["trace"]
    old = found["events"][0]
    world.xadd(id=old["id"], source=old["source"], type=old["type"], job="jk0", customer="1007")
    wait_until(lambda: world.metrics()["dispatchd_duplicates_total"] == 1, "an event of before isn't decided again")
    assert len(world.ctl_json("job", "show", "jk0", "--customer", "1007")["events"]) == len(found["events"])


@pytest.mark.long
def test_it_ends_with_what_is_kept(world):
    load(world)
    world.configure(spool={"keep": "1s"})
    world.start_daemon()
    world.ctl("mail", "resume")
    wait_until(lambda: {mail["status"] for mail in world.ctl_json("mail", "list")} <= {"deferred", "retrying"},
               lambda: world.ctl_json("mail", "list"), timeout=60)
    with sqlite3.connect(world.path("spool.db")) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
