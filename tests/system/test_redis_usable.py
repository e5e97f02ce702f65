# SPDX-License-Identifier: MIT
"""Connected is not usable: servers that answer and are of no use, and how that is told."""
import os
import socket
import subprocess
import threading

import pytest
import redis

from test_redis import publish, wait_outcomes
from world import DIES_WITH_US, free_port, wait_until


class Proxy:
    """One address, and behind it whichever server it is pointed at; connections that are open stay where they are."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    @staticmethod
    def pump(a, b):
        try:
            while chunk := a.recv(65536):
                b.sendall(chunk)
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


def through_tcp(client):
    """The daemon's connections: not the test's own (over the Unix socket), nor those of replication."""
    return [c for c in client.client_list() if not c["addr"].endswith(":0") and c["flags"].strip("NbP") == ""]


def ready(world):
    return world.http("/readyz")[0] == 200


def wait_unready(world, *words, timeout=20):
    def unready():
        status, _, body = world.http("/readyz")
        return status == 503 and all(word in body for word in words)
    wait_until(unready, lambda: f"503 with {words}: {world.http('/readyz')}; {world.log_tail()}", timeout)


def wait_ready(world, timeout=30):
    wait_until(lambda: ready(world), lambda: f"200: {world.http('/readyz')}; {world.log_tail()}", timeout)


@pytest.fixture
def pair(world):
    """Two servers behind one address, the second a replica of the first; the daemon with every kind of source."""
    first = world.start_redis("first", port=free_port())
    second = world.start_redis("second", port=free_port())
    second.client().execute_command("REPLICAOF", "127.0.0.1", first.port)
    proxy = Proxy(first.port)
    world.at_end(proxy.close)
    world.configure(redis={"url": f"redis://localhost:{proxy.port}/0", "list": "jobs:list", "channel": "jobs:channel"})
    wait_until(lambda: second.client().info("replication")["master_link_status"] == "up", "the replica")
    world.redis, world.raw = first.client(), redis.Redis(unix_socket_path=first.socket)
    world.start_daemon()
    wait_ready(world)
    return first, second, proxy


def test_a_failover_behind_one_address_moves_every_connection(world, pair):
    first, second, proxy = pair
    publish(world, range(20))
    wait_outcomes(world, range(20))
    world.wait_idle()
    offsets = lambda: {s.client().info("replication")["master_repl_offset"] for s in (first, second)}
    wait_until(lambda: len(offsets()) == 1, "the replica to have all")
    second.client().execute_command("REPLICAOF", "NO", "ONE")
    proxy.target = second.port
    first.client().execute_command("REPLICAOF", "127.0.0.1", second.port)
    world.redis = second.client()
    publish(world, range(20, 40))
    wait_outcomes(world, range(40), timeout=30)
    wait_until(lambda: not through_tcp(first.client()),
               lambda: f"the old server to be left: {through_tcp(first.client())}", 20)
    wait_until(lambda: len(through_tcp(second.client())) == 4,
               lambda: f"four connections to the new server, not {through_tcp(second.client())}", 20)
    wait_ready(world)
    assert "READONLY" in world.daemon.log() or "UNBLOCKED" in world.daemon.log()
    second.client().lpush("jobs:list", '{"id": "50", "type": "job.started", "job": "j50", "customer": "1001"}')
    wait_outcomes(world, [50])


def test_a_server_that_stays_read_only_is_tried_with_pauses(world, pair):
    first, _, _ = pair
    first.client().execute_command("REPLICAOF", "127.0.0.1", 1)
    wait_unready(world, "Redis is not connected", "READONLY", "jobs:events")
    status = world.ctl_json("status")
    assert status["redis"] == "down" and "READONLY" in status["redis_fault"]
    before = first.client().info("stats")["total_connections_received"]
    first.client().execute_command("REPLICAOF", "NO", "ONE")
    wait_ready(world)
    assert first.client().info("stats")["total_connections_received"] - before < 40
    assert world.daemon.log().count("Redis connection lost") == 1
    publish(world, range(5))
    wait_outcomes(world, range(5))


def test_a_replica_that_serves_nothing_is_left_for_the_other(world, pair):
    """MASTERDOWN: it lost its master, and has been told to answer nothing stale."""
    first, second, proxy = pair
    publish(world, range(5))
    wait_outcomes(world, range(5))
    world.wait_idle()
    first.client().config_set("replica-serve-stale-data", "no")
    first.client().execute_command("REPLICAOF", "127.0.0.1", 1)
    wait_unready(world, "MASTERDOWN")
    second.client().execute_command("REPLICAOF", "NO", "ONE")
    proxy.target = second.port
    wait_ready(world)
    world.redis = second.client()
    publish(world, range(5, 10))
    wait_outcomes(world, range(10), timeout=30)
    wait_until(lambda: len(through_tcp(second.client())) == 4,
               lambda: f"four connections to the new server, not {through_tcp(second.client())}", 20)


@pytest.mark.long
def test_a_server_that_is_loading_is_waited_for(world):
    """LOADING: it has been started again and reads its file, a key each tenth of a second."""
    port = free_port()
    server = world.start_redis("loading", port=port, args=["--dbfilename", "dump.rdb"])
    world.configure(redis={"url": f"redis://localhost:{port}/0"})
    world.redis, world.raw = server.client(), redis.Redis(unix_socket_path=server.socket)
    world.start_daemon()
    wait_ready(world)
    publish(world, range(3))
    wait_outcomes(world, range(3))
    world.wait_idle()
    for key in range(100):
        world.redis.set(f"key:{key}", "x" * 100_000)
    world.redis.save()
    server.stop()
    server.args += ["--key-load-delay", "100000", "--loading-process-events-interval-bytes", "1024"]
    server.start()
    wait_unready(world, "LOADING")
    wait_ready(world, timeout=60)
    publish(world, range(3, 6))
    wait_outcomes(world, range(6))


# ---- a server that takes this and refuses that

def out_of_memory(client):
    client.config_set("maxmemory", "1")
    return lambda: client.config_set("maxmemory", "0")


def no_snapshots(client):
    """MISCONF: the file can't be put in its place, and there are save points."""
    blocked = os.path.join(client.config_get("dir")["dir"], client.config_get("dbfilename")["dbfilename"])
    os.makedirs(os.path.join(blocked, "in-the-way"))
    client.config_set("save", "3600 1")
    client.bgsave()
    wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "a failed save")
    return lambda: client.config_set("save", "")


def no_replicas(client):
    client.config_set("min-replicas-to-write", "1")
    return lambda: client.config_set("min-replicas-to-write", "0")


def no_right_to_write(client):
    client.execute_command("ACL", "SETUSER", "default", "resetkeys", "~jobs:events", "~jobs:requests", "~jobs:dead",
                           "~jobs:dispatch*", "~customers:changes")
    return lambda: client.execute_command("ACL", "SETUSER", "default", "~*")


def no_right_to_read(client):
    client.execute_command("ACL", "SETUSER", "default", "resetkeys", "~jobs:events", "~jobs:outcomes", "~jobs:dead",
                           "~jobs:dispatch*", "~customers:changes")
    return lambda: client.execute_command("ACL", "SETUSER", "default", "~*")


@pytest.mark.long
@pytest.mark.parametrize("spoil, words", [
    (out_of_memory, ["stream jobs:outcomes can't be written: OOM"]),
    (no_snapshots, ["stream jobs:events can't be read: MISCONF", "stream jobs:outcomes can't be written: MISCONF"]),
    (no_replicas, ["NOREPLICAS"]),
    (no_right_to_write, ["stream jobs:outcomes can't be written: NOPERM"]),
    (no_right_to_read, ["stream jobs:requests can't be read: NOPERM"]),
])
def test_what_redis_refuses_is_told_without_traffic(world, spoil, words):
    world.start_daemon()
    wait_ready(world)
    assert world.ctl_json("status")["redis"] == "up"
    mend = spoil(world.redis)
    wait_unready(world, *words)
    status = world.ctl_json("status")
    assert status["redis"] in ("down", "degraded") and status["redis_fault"]
    down = [f for f in status["feeds"] if f["state"] == "down"]
    assert down and all(f["reply"] for f in down)
    assert 0 in [v for k, v in world.metrics().items() if k.startswith("dispatchd_redis_usable")]
    assert words[0].split(": ")[-1] in world.ctl("status").stdout
    mend()
    wait_ready(world)
    assert world.ctl_json("status")["redis"] == "up"
    assert 0 not in [v for k, v in world.metrics().items() if k.startswith("dispatchd_redis_usable")]
    assert "again after" in world.daemon.log() or "is back" in world.daemon.log()


def test_a_list_and_a_channel_have_a_state(world):
    world.configure(redis={"list": "jobs:list"})
    world.redis.set("jobs:list", "a text")
    world.start_daemon()
    wait_unready(world, "list jobs:list can't be read: WRONGTYPE")
    world.redis.delete("jobs:list")
    wait_ready(world)
    world.daemon.wait_log("list can be read again")


def test_a_sentinel_is_not_a_server(world):
    port = free_port()
    with open(world.path("sentinel.conf"), "w", encoding="utf-8") as file:
        file.write(f"port {port}\nbind 127.0.0.1\ndir {world.directory}\n")
    sentinel = subprocess.Popen([*DIES_WITH_US, "redis-server", world.path("sentinel.conf"), "--sentinel"],
                                stdout=subprocess.DEVNULL)
    world.at_end(lambda: (sentinel.kill(), sentinel.wait()))
    world.configure(redis={"url": f"redis://127.0.0.1:{port}"})
    world.start_daemon()
    wait_unready(world, "jobs:events can't be read: ERR unknown command", "jobs:outcomes can't be written")
    assert world.ctl_json("status")["redis"] != "up"


def test_streams_in_different_slots(world):
    node = world.start_redis("node", port=free_port(), args=["--cluster-enabled", "yes", "--cluster-port", str(free_port())])
    client = node.client()
    client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    wait_until(lambda: "cluster_state:ok" in str(client.execute_command("CLUSTER", "INFO")), "the cluster", 20)
    world.configure(redis={"url": f"redis://127.0.0.1:{node.port}"})
    world.start_daemon()
    wait_unready(world, "jobs:events can't be read: CROSSSLOT")
