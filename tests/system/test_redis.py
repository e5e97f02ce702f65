# SPDX-License-Identifier: MIT
"""Redis: sources, acknowledgement, publishing, going away and coming back.

The customer is unknown and `grace` is 0, so that each event has exactly one outcome at once:
rejected, unknown_customer.
"""
import json
import time

import pytest
import redis

from world import SANITIZED, free_port, wait_until


def event(number, **more):
    return {"id": str(number), "type": "job.started", "job": f"j{number}", "customer": "1001", **more}


def publish(world, numbers, stream="jobs:events"):
    pipe = world.redis.pipeline(transaction=False)
    for number in numbers:
        pipe.xadd(stream, event(number))
    pipe.execute()


def wait_outcomes(world, numbers, timeout=15.0):
    """Each of the events has its outcome; how many outcomes there are in all."""
    wanted = {str(n) for n in numbers}
    wait_until(lambda: wanted <= {o["event"] for o in world.outcomes()},
               lambda: f"outcomes of {sorted(wanted - {o['event'] for o in world.seen})[:5]}; {world.log_tail()}",
               timeout)
    return len(world.seen)


# ---- the stream

def test_reads_what_was_published_before_the_first_start(world):
    publish(world, range(5))
    world.start_daemon()
    assert wait_outcomes(world, range(5)) == 5
    world.wait_idle()
    assert "consumer group created stream=jobs:events group=dispatchd" in world.daemon.log()


def test_every_entry_of_many_has_one_outcome(world):
    world.start_daemon()
    publish(world, range(3000))
    assert wait_outcomes(world, range(3000)) == 3000
    world.wait_idle()
    ids = [o["id"] for o in world.outcomes()]
    assert len(set(ids)) == 3000


def test_reads_a_group_that_it_may_not_make(world):
    """The admin has made the groups, and forgot one at first."""
    for stream in ("jobs:events", "jobs:requests"):
        world.redis.xgroup_create(stream, "dispatchd", "0", mkstream=True)
    world.redis.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", "-xgroup")
    world.configure(redis={"url": f"unix://limited:secret@{world.redis_server.socket}"})
    publish(world, range(5))
    world.start_daemon()
    world.daemon.wait_log("stream can't be read stream=customers:changes reply=\"NOPERM")
    world.redis.xgroup_create("customers:changes", "dispatchd", "0", mkstream=True)
    wait_outcomes(world, range(5))
    world.wait_idle()


def test_left_over_entries_come_first_after_a_restart(world):
    """A consumer of our name had taken these and died; an entry deleted meanwhile is acknowledged, too."""
    world.redis.xgroup_create("jobs:events", "dispatchd", "0", mkstream=True)
    publish(world, range(400))
    taken = world.redis.xreadgroup("dispatchd", "test", {"jobs:events": ">"}, count=300)
    assert len(taken[0][1]) == 300
    world.redis.xdel("jobs:events", taken[0][1][7][0])
    world.start_daemon()
    assert wait_outcomes(world, set(range(400)) - {7}) == 399
    world.wait_idle()  # the deleted one, too, is no longer pending


@pytest.mark.parametrize("after, at_least", [("1s", 0.9), ("500ms", 0.45)])
def test_takes_over_what_another_consumer_left(world, after, at_least):
    world.configure(redis={"claim_after": after})
    world.redis.xgroup_create("jobs:events", "dispatchd", "0", mkstream=True)
    publish(world, range(250))
    taken = time.monotonic()
    world.redis.xreadgroup("dispatchd", "departed", {"jobs:events": ">"}, count=250)
    world.start_daemon()
    publish(world, [1000])
    wait_outcomes(world, [1000])
    wait_outcomes(world, range(250))
    assert time.monotonic() - taken > at_least, "taken over before the time"
    world.wait_idle()
    assert "took over entries of another consumer" in world.daemon.log()


def test_trims_what_every_group_has_acknowledged(world):
    world.configure(redis={"keep": "1s"})
    world.redis.xgroup_create("jobs:events", "other", "0", mkstream=True)
    publish(world, range(10))
    world.redis.xreadgroup("other", "c", {"jobs:events": ">"}, count=6)
    entries = [e for e, _ in world.redis.xrange("jobs:events")]
    world.redis.xack("jobs:events", "other", *entries[:3], entries[5])
    world.start_daemon()
    wait_outcomes(world, range(10))
    wait_until(lambda: world.redis.xlen("jobs:events") == 7, "the first three to be trimmed", 8)
    time.sleep(1.5)  # at least one more round
    assert [e for e, _ in world.redis.xrange("jobs:events")] == entries[3:], "what is pending somewhere stays"


def test_young_entries_are_kept(world):
    world.configure(redis={"keep": "30s"})
    publish(world, range(10))
    world.start_daemon()
    world.wait_idle()
    time.sleep(1.2)
    assert world.redis.xlen("jobs:events") == 10


def test_group_is_made_again_when_it_is_removed(world):
    world.start_daemon()
    publish(world, [1])
    wait_outcomes(world, [1])
    world.redis.delete("jobs:events")
    publish(world, [2])
    wait_outcomes(world, [2])
    world.redis.xgroup_destroy("jobs:events", "dispatchd")
    publish(world, [3])
    wait_outcomes(world, [3])


def test_binary_fields_reach_the_dead_letters_as_they_came(world):
    world.start_daemon()
    raw = world.raw
    entry = raw.xadd("jobs:events", {b"id": b"1", b"type": b"job.started", b"job": b"1", b"customer": b"1",
                                     b"n\x00te": b"\x00\xff\r\nabc"})
    wait_until(lambda: raw.xlen("jobs:dead") == 1, lambda: f"a dead letter; {world.log_tail()}")
    fields = raw.xrange("jobs:dead")[0][1]
    assert fields[b"n\x00te"] == b"\x00\xff\r\nabc"
    assert fields[b"dead_reason"] == b"malformed"
    assert fields[b"dead_entry"] == entry
    world.wait_idle()


@pytest.mark.long
def test_large_entries_one_after_the_other(world):
    """300 entries of 200 kB are 60 MB: read in small numbers, all decided."""
    publish(world, [0])
    pipe = world.redis.pipeline(transaction=False)
    for number in range(1, 300):
        pipe.xadd("jobs:events", event(number, note="x" * 200_000))
    pipe.execute()
    world.start_daemon()
    wait_outcomes(world, range(300), timeout=30)
    status = open(f"/proc/{world.daemon.pid}/status", encoding="ascii").read()
    peak_kb = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    assert peak_kb < 64 * 1024 or SANITIZED, f"{peak_kb} kB"  # a sanitizer keeps what is freed for a while


@pytest.mark.long
def test_large_dead_letters_that_redis_refuses(world):
    """150 MB of them stay on the disk but for a part, and come when Redis takes them."""
    world.redis.set("jobs:dead", "a string")
    world.start_daemon()
    for block in range(30):
        for number in range(50):
            world.redis.xadd("jobs:events", {"id": str(50 * block + number), "note": "x" * 100_000})
        world.wait_idle(timeout=20)
        world.redis.xtrim("jobs:events", 0)
    status = open(f"/proc/{world.daemon.pid}/status", encoding="ascii").read()
    peak_kb = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    assert peak_kb < 64 * 1024 or SANITIZED, f"{peak_kb} kB"  # a sanitizer keeps what is freed for a while
    world.redis.delete("jobs:dead")
    wait_until(lambda: world.redis.xlen("jobs:dead") == 1500, "all dead letters", 30)
    assert [int(f["id"]) for _, f in world.redis.xrange("jobs:dead")] == list(range(1500))


def test_another_type_under_a_name_stops_only_that_source(world):
    world.redis.set("jobs:requests", "a string")
    world.start_daemon()
    publish(world, [1])
    wait_outcomes(world, [1])
    world.daemon.wait_log('stream can\'t be read stream=jobs:requests reply="WRONGTYPE')
    world.redis.delete("jobs:requests")
    world.redis.xadd("jobs:requests", {**event(2), "type": "job.create"})
    world.daemon.wait_log("consumer group created stream=jobs:requests", timeout=15)
    world.wait_idle("jobs:requests")
    assert world.daemon.log().count("stream can't be read") == 1


def test_what_can_not_be_acknowledged_any_more_is_let_go(world):
    """As many requests as may be on their way wait to be acknowledged when somebody puts a string in their place."""
    world.ctl("customer", "add", "1001", "--name", "Example Farm")
    world.redis.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", "-xack")
    world.configure(redis={"url": f"unix://limited:secret@{world.redis_server.socket}"})
    world.start_daemon()
    for number in range(16):
        world.redis.xadd("jobs:requests", {**event(number), "type": "job.create"})
        world.outcomes(wait_for={"event": number, "status": "allowed"})
    world.daemon.wait_log("Redis refuses an acknowledgement stream=jobs:requests")
    world.redis.delete("jobs:requests")
    world.redis.set("jobs:requests", "a string")
    world.redis.execute_command("ACL", "SETUSER", "limited", "+xack")
    publish(world, [100])
    world.outcomes(wait_for={"event": 100})
    world.wait_idle()


def test_customers_feed_is_read_first(world):
    """Customers and events were published while the daemon was away; more rows than one read takes."""
    world.configure(customers={"grace": "20s"})
    publish(world, range(5))
    pipe = world.redis.pipeline(transaction=False)
    for n in range(700):
        pipe.xadd("customers:changes", {"customer": json.dumps({"number": str(1000 + n), "name": f"Farm {n}"})})
    pipe.execute()
    world.start_daemon()
    world.wait_idle("customers:changes")
    assert len(world.outcomes(wait_for={"status": "suppressed", "reason": "no_address"}, count=5)) == 5


# ---- list and channel

@pytest.mark.parametrize("way", ["list", "channel"])
def test_the_feed_is_read_before_what_comes_by_another_way(world, way):
    """With a grace of nothing, and a first read of the feed that takes its time."""
    world.configure(redis={way: "jobs:other"})
    pipe = world.redis.pipeline(transaction=False)
    for n in range(300):
        customer = json.dumps({"number": str(n), "name": f"Farm {n}"})
        pipe.xadd("customers:changes", {"customer": customer + " " * 100_000})
    pipe.execute()
    events = [json.dumps(event(n, customer=str(n + 200))) for n in range(60)]
    if way == "list":
        world.redis.lpush("jobs:other", *events)
    world.start_daemon(ready=False)
    if way == "channel":
        wait_until(lambda: world.redis.pubsub_numsub("jobs:other")[0][1], "a subscriber")
        for text in events:
            world.redis.publish("jobs:other", text)
    wait_outcomes(world, range(60), timeout=30)
    assert {o["reason"] for o in world.outcomes()} == {"no_address"}

def test_list(world):
    world.configure(redis={"list": "jobs:list"})
    world.redis.lpush("jobs:list", *[json.dumps(event(n)) for n in range(700)])
    world.start_daemon()
    wait_outcomes(world, range(700))
    world.redis.lpush("jobs:list", json.dumps(event(1000)))
    wait_outcomes(world, [1000])
    wait_until(lambda: not world.redis.exists("jobs:list", "jobs:list:processing:test"), "empty lists")
    assert len(world.outcomes()) == 701


def test_list_left_in_processing_comes_first(world):
    world.configure(redis={"list": "jobs:list"})
    for n in range(150):
        world.redis.lpush("jobs:list:processing:test", json.dumps(event(n)))
    world.start_daemon()
    assert wait_outcomes(world, range(150)) == 150
    wait_until(lambda: not world.redis.exists("jobs:list:processing:test"), "an empty processing list")


def test_the_size_of_a_list_item_is_its_length(world):
    world.configure(redis={"list": "jobs:list", "max_event_size": "2KiB"})
    world.start_daemon()
    for number, size in ((1, 2048), (2, 2049)):
        empty = len(json.dumps(event(number, note="")))
        world.redis.lpush("jobs:list", json.dumps(event(number, note="x" * (size - empty))))
    assert wait_outcomes(world, [1, 2]) == 2
    assert [o["reason"] for o in world.outcomes()] == ["unknown_customer", "malformed"]


def test_malformed_list_item_goes_to_the_dead_letters(world):
    world.configure(redis={"list": "jobs:list"})
    world.start_daemon()
    world.redis.lpush("jobs:list", "{broken", json.dumps(event(2)))
    wait_outcomes(world, [2])
    wait_until(lambda: world.redis.xlen("jobs:dead") == 2, "two dead letters")
    first, second = (fields for _, fields in world.redis.xrange("jobs:dead"))
    assert first["event"] == "{broken" and first["dead_reason"] == "malformed"
    assert json.loads(second["event"])["id"] == "2" and second["dead_reason"] == "unknown_customer"
    wait_until(lambda: not world.redis.exists("jobs:list:processing:test"), "an empty processing list")


def test_a_list_item_left_after_its_decision_is_no_second_dead_letter(world):
    """As after a crash between the commit and LREM. Items that are equal and not yet decided are one each."""
    world.configure(redis={"list": "jobs:list"})
    world.redis.lpush("jobs:list", "{broken", json.dumps(event(1)))
    world.start_daemon()
    wait_until(lambda: world.redis.xlen("jobs:dead") == 2, "two dead letters")
    wait_until(lambda: not world.redis.exists("jobs:list:processing:test"), "an empty processing list")
    # What isn't confirmed yet is published again, as it should be.
    wait_until(lambda: world.ctl_json("status")["unpublished"] == 0, "all outcomes to be confirmed")
    world.daemon.kill()
    world.redis.lpush("jobs:list:processing:test", json.dumps(event(1)), "{broken", "{new", "{new")
    world.start_daemon()
    wait_until(lambda: not world.redis.exists("jobs:list:processing:test"), "an empty processing list")
    world.redis.lpush("jobs:list", "{broken")
    wait_until(lambda: world.redis.xlen("jobs:dead") == 5, lambda: f"the others; {world.redis.xrange('jobs:dead')}")
    assert [f["event"] for _, f in world.redis.xrange("jobs:dead")][2:] == ["{new", "{new", "{broken"]
    assert len(world.outcomes()) == 5


def test_channel(world):
    world.configure(redis={"channel": "jobs:channel"})
    world.start_daemon()
    world.daemon.wait_log("Redis connected")
    wait_until(lambda: world.redis.pubsub_numsub("jobs:channel")[0][1] == 1, "a subscriber")
    for n in range(500):
        world.redis.publish("jobs:channel", json.dumps(event(n)))
    wait_outcomes(world, range(500))
    assert "Redis keeps nothing for an absent subscriber" in world.daemon.log()
    world.restart_redis()
    wait_until(lambda: world.redis.pubsub_numsub("jobs:channel")[0][1] == 1, "to be subscribed again", 15)
    world.redis.publish("jobs:channel", json.dumps(event(1000)))
    world.outcomes_read = "-"
    wait_outcomes(world, [1000])


# ---- away and back

def test_redis_away_and_back(world):
    world.start_daemon()
    world.daemon.wait_log("Redis connected")
    publish(world, [1])
    wait_outcomes(world, [1])
    world.wait_idle()
    world.redis_server.stop()
    world.daemon.wait_log("Redis connection lost")
    time.sleep(1)
    world.redis_server.start()
    world.daemon.wait_log("Redis connection is back")
    world.outcomes_read = "-"
    publish(world, [2])
    wait_outcomes(world, [2])
    log = world.daemon.log()
    assert log.count("connection lost") == 1 and log.count("connection is back") == 1 and log.count("can't be reached") == 0


def test_starts_without_redis(world):
    world.redis_server.stop()
    world.start_daemon()
    world.daemon.wait_log("Redis can't be reached")
    assert world.http("/readyz")[0] == 503
    assert world.http("/healthz")[0] == 200
    world.redis_server.start()
    world.daemon.wait_log("Redis connection is back")
    publish(world, [1])
    wait_outcomes(world, [1])
    assert world.http("/readyz")[0] == 200


def test_a_peer_that_is_dead_is_given_up(world):
    world.start_daemon()
    world.daemon.wait_log("Redis connected")
    world.redis_server.freeze()
    try:
        world.daemon.wait_log("Redis connection lost", timeout=12)
        assert "no answer in time" in world.daemon.log()
    finally:
        world.redis_server.thaw()
    world.daemon.wait_log("Redis connection is back", timeout=15)
    publish(world, [1])
    wait_outcomes(world, [1])


def test_connections_cut_under_load_lose_and_repeat_nothing_decided(world):
    """CLIENT KILL again and again: at least once for Redis' readers, once for the decisions."""
    world.start_daemon()
    world.daemon.wait_log("Redis connected")
    for block in range(8):
        publish(world, range(block * 500, block * 500 + 500))
        for client in world.redis.client_list():
            if client["cmd"] != "client|list":
                world.redis.client_kill_filter(_id=client["id"])
        time.sleep(0.15)
    wait_outcomes(world, range(4000), timeout=30)
    world.wait_idle(timeout=20)
    by_id = {}
    for outcome in world.outcomes():
        same = {k: v for k, v in outcome.items() if k != "entry"}
        assert by_id.setdefault(outcome["id"], same) == same, "a repeat differs from the first"
    assert len(by_id) == 4000, "an event was decided twice"


def test_killed_with_entries_pending(world):
    world.start_daemon()
    world.daemon.wait_log("Redis connected")
    publish(world, range(2000))
    wait_until(lambda: len(world.outcomes()) > 100, "some outcomes")
    world.daemon.kill()
    world.start_daemon()
    wait_outcomes(world, range(2000), timeout=20)
    world.wait_idle()
    assert len({o["id"] for o in world.outcomes()}) == 2000


# ---- how to get there

def test_tcp_by_name_with_user_password_and_database(world):
    port = free_port()
    server = world.start_redis("tcp", port=port)
    admin = server.client()
    admin.execute_command("ACL", "SETUSER", "dispatch", "on", ">s3cret pass", "~*", "&*", "+@all")
    admin.execute_command("ACL", "SETUSER", "default", "off")
    with open(world.path("password"), "w", encoding="ascii") as file:
        file.write("s3cret pass\nnot this\n")
    world.configure(redis={"url": f"redis://dispatch:@localhost:{port}/3", "password_file": world.path("password")})
    world.redis = redis.Redis(host="127.0.0.1", port=port, db=3, username="dispatch", password="s3cret pass",
                              decode_responses=True)
    world.start_daemon()
    publish(world, [1])
    wait_outcomes(world, [1])
    assert "s3cret" not in world.daemon.log()


def test_wrong_password_is_reported_and_tried_again(world):
    world.redis.config_set("requirepass", "right")
    world.configure(redis={"url": f"unix://:wrong-secret@{world.redis_server.socket}"})
    world.start_daemon()
    world.daemon.wait_log("Redis can't be reached")
    world.daemon.wait_log("WRONGPASS")
    time.sleep(1)
    assert world.daemon.log().count("WRONGPASS") <= 2
    assert "wrong-secret" not in world.daemon.log()
    admin = redis.Redis(unix_socket_path=world.redis_server.socket, password="right", decode_responses=True)
    admin.config_set("requirepass", "wrong-secret")
    world.daemon.wait_log("Redis connection is back", timeout=15)


RIGHTS = ("+xgroup +xreadgroup +xack +xautoclaim +xinfo +xpending +xtrim +xadd +multi +exec "
          "+lmove +blmove +lrange +lrem +lindex +exists +set +eval +scan +subscribe").split()


def test_the_rights_that_the_manual_names_are_enough(world):
    """And where SELECT is not among them, another database than the one meant is not used instead."""
    world.redis.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", *RIGHTS)
    world.configure(redis={"url": f"unix://limited:secret@{world.redis_server.socket}", "claim_after": "1s", "keep": "1s",
                           "list": "jobs:list", "channel": "jobs:channel"})
    world.start_daemon()
    publish(world, [1])
    world.redis.lpush("jobs:list", json.dumps(event(2)))
    wait_until(lambda: world.redis.publish("jobs:channel", json.dumps(event(3))), "a subscriber")
    wait_outcomes(world, [1, 2, 3])
    wait_until(lambda: world.redis.xlen("jobs:events") == 0, "the stream to be trimmed", 15)
    assert "refuse" not in world.daemon.log() and "NOPERM" not in world.daemon.log()
    world.daemon.stop()
    world.configure(redis={"url": f"unix://limited:secret@{world.redis_server.socket}?db=1"})
    publish(world, [4])
    world.start_daemon()
    world.daemon.wait_log("NOPERM")
    time.sleep(0.5)
    assert len(world.outcomes()) == 3


def test_unresolvable_host_doesnt_stop_the_loop(world):
    world.configure(redis={"url": "redis://no-such-host.invalid:6379"})
    world.start_daemon()
    world.daemon.wait_log("Redis can't be reached", timeout=30)
    assert world.http("/healthz")[0] == 200
    assert world.daemon.stop() == 0


@pytest.mark.parametrize("configured", ["redis", "credential"])
def test_password_of_a_systemd_credential(world, configured):
    world.redis.config_set("requirepass", "from-systemd")
    credentials = world.path("credentials")
    world.redis_server.client(password="from-systemd").ping()
    import os
    os.mkdir(credentials)
    with open(os.path.join(credentials, "redis-password"), "w", encoding="ascii") as file:
        file.write("from-systemd")
    env = {"CREDENTIALS_DIRECTORY": credentials} if configured == "credential" else {}
    world.start_daemon(env=env)
    world.daemon.wait_log("Redis connected" if configured == "credential" else "NOAUTH")


# ---- publishing

def test_outcomes_refused_for_a_while_come_in_order(world):
    """The outcomes' name is taken by a string: nothing is lost, and order is kept when it is free again."""
    world.redis.set("jobs:outcomes", "a string")
    world.start_daemon()
    publish(world, range(300))
    world.wait_idle()
    world.daemon.wait_log('Redis refuses an entry; it is kept and tried again stream=jobs:outcomes reply="WRONGTYPE')
    world.redis.delete("jobs:outcomes")
    assert wait_outcomes(world, range(300)) == 300
    assert [int(o["event"]) for o in world.outcomes()] == list(range(300))
    assert world.daemon.log().count("Redis refuses an entry") == 1


def test_a_stream_that_refuses_holds_back_no_other(world):
    """More dead letters than are kept in hand, and outcomes between them: those come, and those to come do."""
    world.redis.set("jobs:dead", "a string")
    world.start_daemon()
    publish(world, range(3000))
    assert wait_outcomes(world, range(3000), timeout=30) == 3000
    publish(world, [3000])
    wait_outcomes(world, [3000])
    world.wait_idle()
    assert 'Redis refuses an entry; it is kept and tried again stream=jobs:dead reply="WRONGTYPE' in world.daemon.log()
    assert world.daemon.log().count("Redis refuses an entry") == 1
    world.redis.delete("jobs:dead")
    wait_until(lambda: world.redis.xlen("jobs:dead") == 3001, "all dead letters", 15)
    letters = [fields for _, fields in world.redis.xrange("jobs:dead")]
    assert [int(f["id"]) for f in letters] == list(range(3001)), "in order, none twice"
    assert len(world.outcomes()) == 3001
    wait_until(lambda: world.ctl_json("status")["unpublished"] == 0, "nothing left to publish")


def test_what_a_stream_refused_is_there_after_a_kill(world):
    world.redis.set("jobs:dead", "a string")
    world.start_daemon()
    publish(world, range(50))
    wait_outcomes(world, range(50))
    world.daemon.kill()
    world.redis.delete("jobs:dead")
    world.start_daemon()
    wait_until(lambda: world.redis.xlen("jobs:dead") >= 50, "all dead letters")
    assert {f["id"] for _, f in world.redis.xrange("jobs:dead")} == {str(n) for n in range(50)}
    assert len({o["id"] for o in world.outcomes()}) == 50, "what is published again has its id"


def test_a_route_that_refuses_holds_back_its_own_jobs(world):
    world.configure(redis={"dispatch": "jobs:dispatch:{route}"})
    world.ctl("customer", "add", "1001", "--name", "Example Farm")
    world.redis.set("jobs:dispatch:north", "a string")
    world.start_daemon()
    for n, route in enumerate(("north", "south", "north", "south")):
        world.redis.xadd("jobs:requests", {**event(n), "type": "job.dispatch", "route": route})
    wait_until(lambda: world.redis.xlen("jobs:dispatch:south") == 2, lambda: f"the south; {world.log_tail()}")
    wait_outcomes(world, [1, 3])
    world.redis.delete("jobs:dispatch:north")
    wait_until(lambda: world.redis.xlen("jobs:dispatch:north") == 2, "the north", 15)
    wait_outcomes(world, range(4))
    assert [f["job"] for _, f in world.redis.xrange("jobs:dispatch:north")] == ["j0", "j2"]
    assert {o["status"] for o in world.outcomes()} == {"released"}


@pytest.mark.parametrize("denied", ["-multi", "-exec", "-multi -exec", "-exec -discard"])
def test_publishes_without_the_right_to_transactions(world, denied):
    """As fast and in the same order as with it; each entry once, and one line in the log."""
    world.redis.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", *denied.split())
    world.configure(redis={"url": f"unix://limited:secret@{world.redis_server.socket}"})
    publish(world, range(2000))
    world.start_daemon()
    assert wait_outcomes(world, range(2000)) == 2000
    wait_until(lambda: world.redis.xlen("jobs:dead") == 2000, "all dead letters")
    world.wait_idle()
    numbers = [int(o["event"]) for o in world.outcomes()]
    assert numbers == sorted(numbers)
    assert world.daemon.log().count("Redis doesn't allow transactions") == 1
    assert "refuses" not in world.daemon.log()


def test_the_right_to_transactions_is_lost(world):
    """While it runs: nothing is lost, nothing is refused for good."""
    world.redis.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all")
    world.configure(redis={"url": f"unix://limited:secret@{world.redis_server.socket}"})
    world.start_daemon()
    publish(world, range(50))
    wait_outcomes(world, range(50))
    world.redis.execute_command("ACL", "SETUSER", "limited", "-exec")
    publish(world, range(50, 500))
    assert wait_outcomes(world, range(500)) == 500


def test_out_of_memory_is_waited_for(world):
    world.start_daemon()
    publish(world, [1])
    wait_outcomes(world, [1])
    publish(world, range(2, 50))
    world.redis.config_set("maxmemory", "1")
    world.daemon.wait_log("OOM", timeout=15) if len(world.outcomes()) < 49 else None
    world.redis.config_set("maxmemory", "0")
    wait_outcomes(world, range(1, 50))
