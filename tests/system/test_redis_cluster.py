# SPDX-License-Identifier: MIT
"""A Redis Cluster: all our keys are in one slot, and whichever node has it is followed."""
import pytest

from kit import add_customer
from world import free_port, wait_until

KEYS = {"stream": "{jobs}:events", "requests": "{jobs}:requests", "outcomes": "{jobs}:outcomes", "dead": "{jobs}:dead",
        "dispatch": "{jobs}:dispatch", "customers": "{jobs}:customers"}


class Cluster:
    """Two nodes; the first has all slots."""

    def __init__(self, world):
        self.nodes = [self.start(world, name) for name in ("first", "second")]
        first, second = (node.client() for node in self.nodes)
        first.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        first.execute_command("CLUSTER", "MEET", "127.0.0.1", self.nodes[1].port, self.buses[self.nodes[1].port])
        wait_until(lambda: all("cluster_state:ok" in self.info(node) for node in self.nodes), "the cluster", 30)
        self.slot = first.execute_command("CLUSTER", "KEYSLOT", "{jobs}")
        assert second

    def start(self, world, name):
        port, bus = free_port(), free_port()
        self.buses = {**getattr(self, "buses", {}), port: bus}
        return world.start_redis(name, port=port, args=["--cluster-enabled", "yes", "--cluster-port", str(bus)])

    @staticmethod
    def info(node):
        answer = node.client().execute_command("CLUSTER", "INFO")
        return str(answer)

    def move(self):
        """The slot, with its keys, from the first node to the second."""
        first, second = (node.client() for node in self.nodes)
        ids = [c.execute_command("CLUSTER", "MYID") for c in (first, second)]
        second.execute_command("CLUSTER", "SETSLOT", self.slot, "IMPORTING", ids[0])
        first.execute_command("CLUSTER", "SETSLOT", self.slot, "MIGRATING", ids[1])
        for key in first.execute_command("CLUSTER", "GETKEYSINSLOT", self.slot, 100):
            first.execute_command("MIGRATE", "127.0.0.1", self.nodes[1].port, key, 0, 5000)
        for client in (second, first):
            client.execute_command("CLUSTER", "SETSLOT", self.slot, "NODE", ids[1])


@pytest.fixture
def cluster(world):
    made = Cluster(world)
    add_customer(world)
    world.configure(redis={"url": f"redis://127.0.0.1:{made.nodes[0].port}", **KEYS})
    return made


def xadd(node, number):
    node.client().xadd(KEYS["stream"], {"id": number, "type": "job.completed", "job": number, "customer": "1001"})


def test_any_node_may_be_configured(world, cluster):
    world.configure(redis={"url": f"redis://127.0.0.1:{cluster.nodes[1].port}"})
    world.start_daemon()
    xadd(cluster.nodes[0], "1")
    world.mails(1, timeout=30)
    wait_until(lambda: cluster.nodes[0].client().xlen(KEYS["outcomes"]), "outcomes")
    world.ctl("event", "send", "completed", "--job", "2", "--customer", "1001")
    world.mails(2, timeout=30)
    wait_until(lambda: world.ctl_json("status")["redis"] == "up", "Redis to count as connected")
    assert "published again" not in world.daemon.log()


def test_the_slot_moves_while_the_daemon_runs(world, cluster):
    world.start_daemon()
    xadd(cluster.nodes[0], "1")
    world.mails(1)
    wait_until(lambda: cluster.nodes[0].client().xlen(KEYS["outcomes"]), "outcomes")
    cluster.move()
    xadd(cluster.nodes[1], "2")
    world.mails(2, timeout=60)
    wait_until(lambda: "2" in [f["event"] for _, f in cluster.nodes[1].client().xrange(KEYS["outcomes"])], "outcomes", 30)
    cluster.nodes[0].stop()  # the one of the configuration isn't needed
    xadd(cluster.nodes[1], "3")
    world.mails(3, timeout=60)


def test_a_node_that_took_over_without_the_last_outcomes(world, cluster):
    """As when a master was cut off and replaced: it names the new one, which never got what it had confirmed."""
    world.start_daemon()
    xadd(cluster.nodes[0], "1")
    first, second = (node.client() for node in cluster.nodes)
    wait_until(lambda: first.xlen(KEYS["outcomes"]) == 2, "outcomes")
    before = [fields for _, fields in first.xrange(KEYS["outcomes"])]
    first.delete(KEYS["outcomes"])
    cluster.move()
    xadd(cluster.nodes[1], "2")
    world.mails(2, timeout=60)
    wait_until(lambda: second.xlen(KEYS["outcomes"]) >= 4, lambda: str(second.xrange(KEYS["outcomes"])), 60)
    assert [fields for _, fields in second.xrange(KEYS["outcomes"])][:2] == before
