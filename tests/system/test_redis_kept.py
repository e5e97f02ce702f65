# SPDX-License-Identifier: MIT
"""What Redis keeps and doesn't: entries trimmed before they were read, consumers that are gone."""
import datetime
import os
import signal
import time

import pytest

from kit import add_customer
from test_redis import event, publish, wait_outcomes
from world import wait_until


def lost(world, feed="events"):
    return world.metrics()[f'dispatchd_entries_lost_total{{source="stream",feed="{feed}"}}']


def wait_lost(world, n, feed="events"):
    wait_until(lambda: lost(world, feed) == n, lambda: f"{n} lost, not {lost(world, feed)}; {world.log_tail()}", 20)


def test_entries_trimmed_while_it_was_down_are_counted(world):
    world.start_daemon()
    publish(world, range(10))
    wait_outcomes(world, range(10))
    world.wait_idle()
    assert world.daemon.stop() == 0
    publish(world, range(10, 40))
    world.redis.xtrim("jobs:events", maxlen=5, approximate=False)
    world.start_daemon()
    wait_outcomes(world, range(35, 40))
    wait_lost(world, 25)
    world.daemon.wait_log("stream=jobs:events n=25")
    status = world.ctl_json("status")
    assert [f["lost"] for f in status["feeds"] if f["name"] == "jobs:events"] == [25]
    assert "25" in world.ctl("status").stdout
    publish(world, range(40, 60))
    wait_outcomes(world, range(35, 60))
    world.wait_idle()
    time.sleep(6)  # one more look, which finds nothing new
    assert lost(world) == 25


# ---- how far the daemon is behind

def lag(world):
    (row,) = [row for row in world.ctl_json("status")["feeds"] if row["name"] == "jobs:events"]
    return {key: row.get(key) for key in ("unread", "pending", "oldest")}


def an_hour_ago():
    """An id, and its time as status has it."""
    ms = int(time.time() * 1000) - 3600_000
    at = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return ms, at.strftime("%Y-%m-%dT%H:%M:%S")


def test_who_is_not_behind_says_so(world):
    world.start_daemon()
    publish(world, range(3))
    wait_outcomes(world, range(3))
    wait_until(lambda: lag(world) == {"unread": 0, "pending": 0, "oldest": None}, lambda: str(lag(world)), 20)
    assert "Undecided" not in world.ctl("status").stdout


def test_what_another_consumer_has_in_hand_is_behind(world):
    ms, at = an_hour_ago()
    for n in range(3):
        world.redis.xadd("jobs:events", event(n), id=f"{ms + n}-0")
    world.redis.xgroup_create("jobs:events", "dispatchd", "0")
    world.redis.xreadgroup("dispatchd", "other", {"jobs:events": ">"}, count=2)
    world.start_daemon()
    wait_outcomes(world, [2])
    wait_until(lambda: (lag(world)["unread"], lag(world)["pending"]) == (0, 2), lambda: str(lag(world)), 20)
    assert lag(world)["oldest"].startswith(at), lag(world)
    of = '{source="stream",feed="events"}'
    found = world.metrics()
    assert (found["dispatchd_entries_unread" + of], found["dispatchd_entries_pending" + of]) == (0, 2), found
    assert 3599 <= found["dispatchd_entries_behind_seconds" + of] < 7200, found
    assert found['dispatchd_entries_behind_seconds{source="stream",feed="requests"}'] == 0
    shown = world.ctl("status").stdout
    assert "Undecided" in shown and "jobs:events" in shown


def test_what_is_not_read_yet_is_behind(world):
    """The first look is before the first read: nothing is pending, only the stream itself knows the oldest. It holds
    for five seconds; a machine that is slower than that gets another chance."""
    ms, at = an_hour_ago()
    world.redis.xgroup_create("jobs:events", "dispatchd", "0", mkstream=True)
    for attempt in range(5):
        for n in range(2):
            world.redis.xadd("jobs:events", event(2 * attempt + n), id=f"{ms}-{2 * attempt + n}")
        world.start_daemon()
        found = lag(world)
        wait_outcomes(world, range(2 * attempt + 2))
        if found["unread"] == 2:
            break
        world.wait_idle()
        assert world.daemon.stop() == 0
    assert (found["unread"], found["pending"]) == (2, 0) and found["oldest"].startswith(at), found
    wait_until(lambda: lag(world) == {"unread": 0, "pending": 0, "oldest": None}, lambda: str(lag(world)), 20)


def test_all_that_was_published_is_trimmed(world):
    world.start_daemon()
    publish(world, range(3))
    wait_outcomes(world, range(3))
    world.wait_idle()
    assert world.daemon.stop() == 0
    publish(world, range(3, 10))
    world.redis.xtrim("jobs:events", maxlen=0, approximate=False)
    world.start_daemon()
    wait_lost(world, 7)


def test_pending_entries_that_were_removed_are_counted(world):
    """Our own and another consumer's."""
    publish(world, range(6))
    world.redis.xgroup_create("jobs:events", "dispatchd", "0")
    own = world.redis.xreadgroup("dispatchd", "test", {"jobs:events": ">"}, count=3)[0][1]
    others = world.redis.xreadgroup("dispatchd", "other", {"jobs:events": ">"}, count=3)[0][1]
    world.redis.xdel("jobs:events", own[1][0], others[0][0], others[2][0])
    world.configure(redis={"claim_after": "1s"})
    world.start_daemon()
    wait_outcomes(world, [0, 2, 4])
    wait_lost(world, 3)
    world.wait_idle()


@pytest.mark.long
def test_nothing_is_reported_of_what_was_read(world):
    """Our own trimming, somebody's XDEL and XTRIM of what is acknowledged, another reader in the group."""
    world.configure(redis={"keep": "1s"})
    world.start_daemon()
    for start in range(0, 60, 20):
        publish(world, range(start, start + 20))
        wait_outcomes(world, range(start, start + 20))
        world.wait_idle()
        entries = world.redis.xrange("jobs:events")
        if start == 20:
            world.redis.xdel("jobs:events", *[i for i, _ in entries[::2]])
        if start == 40:
            world.redis.xtrim("jobs:events", maxlen=1, approximate=False)
        time.sleep(5.2)
    world.redis.xgroup_destroy("jobs:events", "dispatchd")
    publish(world, [60])
    wait_outcomes(world, [60])
    world.daemon.signal(signal.SIGHUP)
    time.sleep(5.2)
    assert lost(world) == 0
    assert "before they were read" not in world.daemon.log()


# ---- consumers that are gone

def consumers(world, stream="jobs:events"):
    return {c["name"] for c in world.redis.xinfo_consumers(stream, "dispatchd")}


def test_consumers_that_are_gone_are_removed(world):
    """Those without pending entries, idle for as long as entries are kept; and never one that isn't ours."""
    publish(world, range(4))
    world.redis.xgroup_create("jobs:events", "dispatchd", "0")
    world.redis.xgroup_create("jobs:events", "others", "0")
    world.redis.xreadgroup("dispatchd", "busy", {"jobs:events": ">"}, count=1)
    for name in ("gone-1", "gone-2"):
        world.redis.xgroup_createconsumer("jobs:events", "dispatchd", name)
    world.redis.xgroup_createconsumer("jobs:events", "others", "foreign")
    world.configure(redis={"keep": "2s", "claim_after": "1h"})
    world.start_daemon()
    wait_until(lambda: consumers(world) == {"busy", "test"}, lambda: f"{consumers(world)}; {world.log_tail()}", 30)
    assert world.redis.xinfo_consumers("jobs:events", "others")[0]["name"] == "foreign"
    wait_outcomes(world, range(1, 4))
    assert world.pending() == 1
    world.daemon.wait_log("consumers that are gone were removed")


def test_consumers_stay_without_the_right_to_scripts(world):
    world.redis.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", "-eval", "-@scripting")
    world.configure(redis={"url": f"unix://limited:secret@{world.redis_server.socket}", "keep": "1s"})
    world.redis.xgroup_create("jobs:events", "dispatchd", "0", mkstream=True)
    world.redis.xgroup_createconsumer("jobs:events", "dispatchd", "gone")
    world.start_daemon()
    world.daemon.wait_log("Redis refuses scripts", timeout=20)
    time.sleep(3)
    assert world.daemon.log().count("Redis refuses scripts") == 1
    assert "gone" in consumers(world)


# ---- lists of consumers that are gone

ITEM = '{{"id": "{0}", "type": "job.started", "job": "j{0}", "customer": "1001"}}'


def test_a_list_of_a_gone_consumer_is_taken_over(world):
    for n in range(100):
        world.redis.lpush("jobs:list:processing:gone", ITEM.format(n))
    world.configure(redis={"list": "jobs:list", "claim_after": "2s"})
    world.start_daemon()
    world.redis.lpush("jobs:list", ITEM.format(100))
    wait_outcomes(world, range(101), timeout=30)
    wait_until(lambda: not world.redis.exists("jobs:list:processing:gone", "jobs:list:processing:test"), "no item left")
    world.daemon.wait_log("took over the list of another consumer")


@pytest.mark.long
def test_a_killed_container_leaves_nothing_behind(world):
    """The next one has another name and the same spool; the first had items in hand."""
    world.configure(redis={"list": "jobs:list", "claim_after": "2s", "consumer": "first"})
    world.start_daemon()
    wait_until(lambda: world.http("/readyz")[0] == 200, "readiness")
    world.daemon.signal(signal.SIGSTOP)
    for n in range(5):
        world.redis.lpush("jobs:list:processing:first", ITEM.format(n))
    world.daemon.signal(signal.SIGCONT)
    world.daemon.kill()
    world.configure(redis={"consumer": "second"})
    world.start_daemon()
    wait_outcomes(world, range(5), timeout=40)
    wait_until(lambda: not world.redis.exists("jobs:list:processing:first"), "no list left")


@pytest.mark.long
def test_two_that_are_alive_leave_each_other_alone(world):
    """The second's items are never taken, however long it has them in hand: it sends a heartbeat."""
    world.configure(redis={"list": "jobs:list", "claim_after": "2s", "consumer": "first"})
    first = world.start_daemon()
    world.redis.lpush("jobs:list", ITEM.format(0))
    wait_outcomes(world, [0])  # what was left in its own list is taken up before
    world.redis.lpush("jobs:list:processing:first", ITEM.format(1))  # as though it had it in hand
    os.makedirs(world.path("two"))
    listen = world.settings["http"]["listen"]
    world.configure(redis={"consumer": "second"}, spool={"path": world.path("two", "spool.db")},
                    http={"listen": f"unix:{world.path('two', 'http.sock')}"})
    second = world.start_daemon()
    time.sleep(8)
    assert world.redis.lrange("jobs:list:processing:first", 0, -1) == [ITEM.format(1)]
    assert "list taken over" not in second.log()
    first.kill()
    wait_outcomes(world, [1], timeout=40)
    world.configure(http={"listen": listen})


def ids(world):
    return [(fields["id"], fields["status"]) for _, fields in world.redis.xrange("jobs:outcomes")]


@pytest.mark.parametrize("away", [0, pytest.param(61, marks=pytest.mark.long)])
def test_a_redis_that_comes_back_empty_gets_the_last_minute_again(world, away):
    """After longer than that minute, too: it is the minute before the loss. What waited comes behind, in order."""
    add_customer(world)
    world.start_daemon()
    for n in ("1", "2"):
        world.xadd(id=n, type="job.completed", job=n, customer="1001")
    for n in ("1", "2"):  # the second may be the first to be sent
        world.outcomes(wait_for={"event": n, "status": "sent"})
    before = ids(world)
    mail = str(world.ctl_json("mail", "list")[0]["id"])
    world.redis_server.stop()
    world.daemon.wait_log("Redis connection lost", timeout=30)
    world.ctl("bounce", "report", "--mail", mail, "--code", "5.1.1")  # news for whoever reads outcomes
    time.sleep(away)
    world.redis_server.start()
    wait_until(lambda: len(ids(world)) > len(before), lambda: str(ids(world)), 60)
    after = ids(world)
    assert after[:len(before)] == before, (before, after)
    assert after[len(before):] and after[len(before)][1] == "bounced" and len(after) == len({i for i, _ in after})


def test_the_last_minute_is_that_of_the_process_before_too(world):
    """Published, then dispatchd restarts, then Redis comes back empty."""
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    world.outcomes(wait_for={"event": "1", "status": "sent"})
    before = ids(world)
    world.daemon.stop()
    world.start_daemon()
    wait_until(lambda: world.ctl_json("status")["redis"] == "up", "the connection", 30)
    world.redis_server.stop()
    world.daemon.wait_log("Redis connection lost", timeout=30)
    world.redis_server.start()
    wait_until(lambda: ids(world) == before, lambda: str(ids(world)), 60)


def test_what_nobody_published_lately_is_not_published_again(world):
    """A Redis that is restarted twice gets its last minute once, and one that got nothing gets nothing."""
    add_customer(world)
    world.start_daemon()
    wait_until(lambda: world.ctl_json("status")["redis"] == "up", "the connection", 30)
    world.redis_server.stop()
    world.daemon.wait_log("Redis connection lost", timeout=30)
    world.redis_server.start()
    wait_until(lambda: world.ctl_json("status")["redis"] == "up", "the connection", 30)
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    world.outcomes(wait_for={"event": "1", "status": "sent"})
    assert "published again" not in world.daemon.log()
