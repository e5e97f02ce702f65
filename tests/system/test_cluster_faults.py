# SPDX-License-Identifier: MIT
"""What can go wrong in a cluster: Redis that forgets or has no memory, another history, large entries, a stop."""
import contextlib
import json
import secrets
import signal
import socket
import time

import cluster
import pytest
import redis
from world import free_port, wait_until


@pytest.fixture
def pair():
    with cluster.start("a", "b") as (a, b):
        a.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com")
        a.start_daemon()
        a.wait_role("owner")
        b.seed_from(a)
        b.start_daemon()
        b.wait_role("standby")
        yield a, b


@pytest.fixture
def alone():
    with cluster.start("a") as (a,):
        a.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com")
        a.start_daemon()
        a.wait_role("owner")
        yield a


def publish(machine, first, n, **more):
    for i in range(first, first + n):
        machine.xadd(id=str(i), type="job.completed", job=f"j{i}", customer="1001", **more)


# In one step, whatever turns come meanwhile. Its number.
STRANGER = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1]
local number = tonumber(string.match(last, '^%d+')) + 1
redis.call('XADD', KEYS[1], number .. '-0', 'body', 'x')
redis.call('XADD', KEYS[1], number .. '-1', 'kind', 't', 'epoch', '1', 'spool', '1', 'customers', '1',
           'seal', string.rep('s', 32))
return number
"""


def forget(server, number):
    """Redis has lost what came behind that entry."""
    for entry in range(number + 1, number + 200):
        server.xdel("team:journal", f"{entry}-0", f"{entry}-1")
    server.execute_command("XSETID", "team:journal", f"{number}-1")


def test_another_history_of_the_same_length_is_noticed(pair):
    """Redis lost the owner's last turns, and the standby went on: what the owner had isn't the cluster's."""
    a, b = pair
    publish(a, 1, 1)
    a.outcomes({"status": "sent"}, 1)
    a.wait_idle()
    wait_until(lambda: a.position() == b.position(), "the same position")
    assert b.daemon.stop() == 0
    common = b.position()[0]
    for i in range(2, 8):
        publish(a, i, 1)
        a.outcomes({"status": "sent"}, i)
    a.daemon.kill()
    forget(a.redis, common)
    a.redis.delete("team:lease")
    b.start_daemon()
    b.wait_role("owner")
    assert b.daemon.stop() == 0
    assert common < b.position()[0] <= a.position()[0], (common, b.position(), a.position())
    a.start_daemon()
    a.daemon.wait_log("isn't the one that this machine has got")
    a.wait_role("joining")
    assert a.redis.get("team:lease") is None


def test_the_journals_lost_end_is_appended_again(pair):
    """A fail-over lost the last turns, and a standby hadn't read them: it needs no seed, the owner has them still."""
    a, b = pair
    publish(a, 1, 1)
    a.outcomes({"status": "sent"}, 1)
    wait_until(lambda: a.position() == b.position(), "the same position")
    assert b.daemon.stop() == 0
    common = a.position()[0]
    for i in range(2, 8):
        publish(a, i, 1)
        a.outcomes({"status": "sent"}, i)
    a.wait_idle()
    forget(a.redis, common)
    publish(a, 8, 1)
    a.outcomes({"status": "sent"}, 8)
    b.start_daemon()
    b.wait_role("standby")
    wait_until(lambda: a.position() == b.position() and a.tables() == b.tables(), "equal spools")
    a.daemon.wait_log("it is appended again")
    assert "behind a gap" not in a.daemon.log()


def test_a_journal_that_is_gone_goes_on_behind_a_gap(pair):
    a, b = pair
    publish(a, 1, 1)
    a.outcomes({"status": "sent"}, 1)
    wait_until(lambda: a.position() == b.position(), "the same position")
    a.redis.delete("team:journal")
    publish(a, 2, 1)
    a.outcomes({"status": "sent"}, 2)
    a.daemon.wait_log("goes on behind a gap")
    wait_until(lambda: a.position() == b.position() and a.tables() == b.tables(), "equal spools")


def test_an_owner_gives_up_where_the_journal_has_another_entry(alone):
    """It can't go on behind that, so it doesn't keep the lease from those who may."""
    a = alone
    publish(a, 1, 1)
    a.outcomes({"status": "sent"}, 1)
    number = a.redis.eval(STRANGER, 1, "team:journal")
    publish(a, 2, 1)
    a.daemon.wait_log(f"the journal has another entry {number} than ours")
    a.wait_role("joining")
    wait_until(lambda: a.redis.get("team:lease") is None, "no lease")


def test_a_redis_without_memory_keeps_its_owner(alone):
    a = alone
    lease, began = a.redis.get("team:lease"), a.redis.time()[0]
    a.redis.config_set("maxmemory", "1")
    with pytest.raises(redis.exceptions.ResponseError, match="OOM"):
        publish(a, 1, 1)
    wait_until(lambda: a.redis.time()[0] > began + 8, "more than a lease", 30)
    assert a.redis.get("team:lease") == lease
    a.redis.config_set("maxmemory", "0")
    publish(a, 1, 1)
    a.outcomes({"status": "sent"}, 1)
    assert "lease was lost" not in a.daemon.log()


def test_an_owner_that_stops_without_redis_ends(alone):
    alone.redis_server.stop()
    assert alone.daemon.stop() == 0


def test_who_waits_for_an_answer_hears_of_the_loss(alone):
    a = alone
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(a.path("control.sock"))
        client.settimeout(60)
        a.redis_server.stop()
        client.sendall(b'{"do":"mail.pause","by":"kim"}\n')
        answer = json.loads(client.makefile().readline())
    assert answer["ok"] is False and answer["code"] == 75, answer


def test_entries_that_are_more_than_an_answer_may_be(pair):
    a, b = pair
    assert b.daemon.stop() == 0
    for i in range(1, 301, 10):
        publish(a, i, 10, note=secrets.token_hex(100_000))  # doesn't pack
        a.outcomes({"status": "sent"}, i + 9)
    assert a.redis.memory_usage("team:journal", samples=0) > 48 << 20
    b.start_daemon()
    wait_until(lambda: a.position() == b.position(), lambda: f"{a.position()} {b.position()} {b.log_tail()}", 60)
    assert a.tables() == b.tables()


def test_a_former_owner_is_a_single_daemon_once_it_is_told_so(pair):
    a, b = pair
    a.daemon.signal(signal.SIGSTOP)
    b.wait_role("owner")
    a.daemon.signal(signal.SIGCONT)
    a.wait_role("standby")
    assert b.daemon.stop() == 0
    a.configure(cluster={"name": ""})
    a.daemon.signal(signal.SIGHUP)
    publish(a, 1, 1)
    a.outcomes({"status": "sent"}, 1)


def test_an_entry_that_no_replica_has_is_not_followed():
    """A master that is cut off may have one that the journal never gets."""
    with cluster.start("a", "b") as (a, b):
        server = a.__dict__["_server"] = a.start_redis(port=free_port())
        replica = a.start_redis("replica", args=["--replicaof", "127.0.0.1", str(server.port)])
        wait_until(lambda: len(server.client().role()[2]) == 1, "a replica", 30)
        a.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com")
        a.start_daemon()
        a.wait_role("owner")
        b.seed_from(a)
        b.start_daemon()
        b.wait_role("standby")
        replica.freeze()
        publish(a, 1, 1)
        a.daemon.wait_log("only 0 of 1 replicas of Redis have it")
        written = int(a.raw.xrevrange("team:journal", count=1)[0][0].split(b"-")[0])
        assert a.position()[0] == b.position()[0] == written - 1
        replica.thaw()
        a.outcomes({"status": "sent"}, 1, timeout=60)
        wait_until(lambda: a.position() == b.position() and a.position()[0] >= written, "the same position", 60)


def test_a_second_standby_of_one_name_ends(pair):
    a, b = pair
    wait_until(lambda: any(c["name"].startswith("old-") for c in a.redis.xinfo_consumers("team:journal", "b")), "a settled b", 30)
    with contextlib.closing(cluster.Machine("b", a)) as c:
        c.seed_from(a)
        c.start_daemon()
        assert c.daemon.wait(60) == 78
        assert "another machine of the cluster is called b, too" in c.daemon.log()
    # The first one goes on, and after a crash, too.
    publish(a, 1, 1)
    a.outcomes({"status": "sent"}, 1)
    a.wait_idle()
    wait_until(lambda: a.position() == b.position(), "the same position")
    b.daemon.kill()
    b.start_daemon()
    b.wait_role("standby")

    def settled():
        return [x["name"] for x in a.redis.xinfo_consumers("team:journal", "b")]
    wait_until(lambda: len(settled()) == 1 and settled()[0].startswith("old-"), lambda: f"one b: {settled()}", 30)
    assert b.role() == "standby"


def test_a_turn_that_waits_for_redis_does_not_keep_an_owner_from_stopping():
    with cluster.start("a", lease="60s") as (a,):
        a.start_daemon()
        a.wait_role("owner")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(a.path("control.sock"))
            a.redis_server.stop()
            client.sendall(b'{"do":"mail.pause","by":"kim"}\n')
            a.daemon.wait_log("the journal can't be written")
            assert a.daemon.stop(timeout=40) == 0


def test_a_standby_goes_on_with_what_it_has_where_new_settings_are_broken(pair):
    a, b = pair
    b.configure(cluster={"lease": "never"})
    done = b.ctl("reload", check=False)
    assert done.returncode == 78 and "lease" in done.stderr, done.stderr
    b.daemon.signal(signal.SIGHUP)
    b.daemon.wait_log("reload:", 2)
    b.configure(cluster={"lease": "6s"})
    b.ctl("reload")
    a.daemon.kill()
    b.wait_role("owner")


def test_an_entry_in_several_pieces(pair):
    a, b = pair
    with open(a.path("many.csv"), "w", encoding="ascii") as file:
        file.write("number,name\n")
        file.writelines(f"{n},{secrets.token_hex(95)}\n" for n in range(10_000, 40_000))
    a.ctl("customer", "import", a.path("many.csv"))
    wait_until(lambda: b.ctl("customer", "show", "39999", check=False).returncode == 0, lambda: b.log_tail(), 60)
    largest = a.redis.eval("local n = 0 for _, item in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do "
                           "n = math.max(n, tonumber(string.match(item[1], '%d+$'))) end return n", 1, "team:journal")
    assert largest > 1
    publish(a, 1, 1)
    a.outcomes({"status": "sent"}, 1)
    a.daemon.kill()
    b.wait_role("owner")
    assert b.ctl_json("customer", "show", "10000")["name"]


def test_a_stop_while_it_takes_over_is_heard():
    """Whichever of its loops hears the signal, and whichever thread the kernel would give it to."""
    with cluster.start("a") as (a,):
        for i in range(20):
            daemon = a.start_daemon(ready=False)
            daemon.wait_log("owns the cluster")
            time.sleep(i * 0.0006)
            assert daemon.stop() == 0
