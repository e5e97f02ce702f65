# SPDX-License-Identifier: MIT
"""[redis] url = sentinel://: a master, its replica and two sentinels; the master dies, is moved, is cut off."""
import os
import subprocess

import pytest
import redis

from kit import add_customer
from world import DIES_WITH_US, free_port, wait_until


class Sentinel:
    def __init__(self, world, name, master, quorum=1, args=()):
        self.port = free_port()
        path = world.path(f"{name}.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"port {self.port}\nbind 127.0.0.1\ndir {world.directory}\nlogfile {world.path(name)}.log\n"
                       f"sentinel monitor office 127.0.0.1 {master} {quorum}\n"
                       "sentinel down-after-milliseconds office 500\nsentinel failover-timeout office 3000\n")
            file.writelines(f"{line}\n" for line in args)
        self.process = subprocess.Popen([*DIES_WITH_US, "redis-server", path, "--sentinel"], stdout=subprocess.DEVNULL)
        world.at_end(self.stop)
        self.client = redis.Redis(port=self.port, decode_responses=True)
        wait_until(self.answers, "the sentinel to answer")

    def answers(self):
        try:
            return self.client.ping()
        except redis.AuthenticationError:
            return True
        except redis.ConnectionError:
            return False

    def master(self):
        return int(self.client.execute_command("SENTINEL", "get-master-addr-by-name", "office")[1])

    def stop(self):
        self.process.kill()
        self.process.wait()


class Office:
    """Two servers and two sentinels, who know of each other."""

    def __init__(self, world):
        self.world = world
        self.servers = {}
        first = self.start("first")
        second = self.start("second", "--replicaof", "127.0.0.1", str(first))
        assert second
        self.sentinels = [Sentinel(world, "one", first), Sentinel(world, "two", first)]
        wait_until(self.known, "sentinels that know each other and the replica", 30)
        world.configure(redis={"url": "sentinel://" + ",".join(f"127.0.0.1:{s.port}" for s in self.sentinels) + "/office/0"})

    def start(self, name, *args):
        port = free_port()
        self.servers[port] = self.world.start_redis(name, port=port, args=["--repl-diskless-sync-delay", "0", *args])
        return port

    def known(self):
        for sentinel in self.sentinels:
            replicas = sentinel.client.execute_command("SENTINEL", "replicas", "office")
            others = sentinel.client.execute_command("SENTINEL", "sentinels", "office")
            if len(replicas) != 1 or "master-link-status" not in str(replicas) or "'ok'" not in str(replicas) or len(others) != 1:
                return False
        return True

    def master(self):
        return self.servers[self.sentinels[-1].master()]

    def other(self, server):
        return next(s for s in self.servers.values() if s is not server)

    def begin(self):
        """Starts the daemon, which mails about a first job; the master that it used."""
        self.world.start_daemon()
        self.xadd("1")
        self.world.mails(1)
        return self.master()

    def xadd(self, number):
        self.master().client().xadd("jobs:events", {"id": number, "type": "job.completed", "job": number, "customer": "1001"})


@pytest.fixture
def office(world):
    made = Office(world)
    add_customer(world)
    return made


def test_the_master_is_found_and_used_by_all(world, office):
    office.begin()
    world.ctl("event", "send", "completed", "--job", "2", "--customer", "1001")
    world.mails(2)
    assert world.ctl_json("status")["redis"] == "up"


def test_a_sentinel_that_is_gone_is_passed_over(world, office):
    office.sentinels[0].stop()
    office.begin()
    world.ctl("event", "send", "completed", "--job", "2", "--customer", "1001")
    world.mails(2)


def test_the_master_dies_and_the_replica_takes_over(world, office):
    old = office.begin()
    old.client().wait(1, 2000)
    old.stop()
    wait_until(lambda: office.master() is not old, "the failover", 60)
    world.daemon.wait_log("Redis connection is back", timeout=60)
    office.xadd("2")
    world.mails(2, timeout=30)


def test_a_master_that_is_moved_while_it_lives(world, office):
    """The old one goes on as a replica: it answers, but isn't the one."""
    old = office.begin()
    office.sentinels[0].client.execute_command("SENTINEL", "FAILOVER", "office")
    wait_until(lambda: all(s.master() != old.port for s in office.sentinels), "the failover", 60)
    office.xadd("2")
    world.mails(2, timeout=60)


def test_a_master_that_sentinels_have_given_up_is_left(world, office):
    """It wakes up and still believes that it is the master: until a sentinel reaches it, it answers as one."""
    old = office.begin()
    old.freeze()
    wait_until(lambda: office.master() is not old, "the failover", 60)  # after a vote or two, the next six seconds later
    for client in (s.client for s in office.sentinels):
        client.execute_command("SENTINEL", "SET", "office", "failover-timeout", "180000")
    for sentinel in office.sentinels:
        sentinel.process.send_signal(19)  # SIGSTOP: nobody makes it a replica
    old.thaw()
    assert old.client().role()[0] == "master"
    new = office.other(old)
    office.sentinels[1].process.send_signal(18)
    new.client().xadd("jobs:events", {"id": "2", "type": "job.completed", "job": "2", "customer": "1001"})
    world.mails(2, timeout=60)


def test_no_such_service(world, office):
    url = world.settings["redis"]["url"].replace("office", "shop")
    world.configure(redis={"url": url})
    world.start_daemon()
    world.daemon.wait_log('doesn\'t know the service "shop"')
    answer = world.ctl("event", "send", "completed", "--job", "3", "--customer", "1001", check=False)
    assert answer.returncode == 69 and 'doesn\'t know the service "shop"' in answer.stderr


def test_a_sentinel_names_a_server_that_is_not_a_master(world, office):
    replica = office.other(office.master())
    liar = Sentinel(world, "liar", replica.port, quorum=9)
    world.configure(redis={"url": f"sentinel://127.0.0.1:{liar.port}/office"})
    answer = world.ctl("event", "send", "completed", "--job", "3", "--customer", "1001", check=False)
    named = liar.master()
    assert answer.returncode == (69 if named == replica.port else 0)


def test_sentinels_that_want_a_password(world):
    """They get that of the URL, which is the server's as well."""
    args = ["--requirepass", "secret", "--masterauth", "secret"]
    port = free_port()
    server = world.start_redis("first", port=port, args=args)
    sentinel = Sentinel(world, "one", port, args=["sentinel auth-pass office secret", "requirepass secret"])
    world.configure(redis={"url": f"sentinel://:secret@127.0.0.1:{sentinel.port}/office"})
    add_customer(world)
    world.start_daemon()
    server.client(password="secret").xadd("jobs:events", {"id": "1", "type": "job.completed", "job": "1",
                                                          "customer": "1001"})
    world.mails(1)
    assert "secret" not in world.daemon.log()


def outcomes(server):
    return {fields["id"]: fields["event"] for _, fields in server.client().xrange("jobs:outcomes")}


def test_outcomes_that_the_new_master_never_got(world, office):
    """The replica stands still while they are published, and takes over without them."""
    world.start_daemon()
    old = office.master()
    office.xadd("1")
    wait_until(lambda: outcomes(old), "the first outcomes")
    new = office.other(old)
    old.client().wait(1, 5000)
    new.client().execute_command("REPLICAOF", "NO", "ONE")  # which is as good as a link that is cut
    office.xadd("2")
    world.mails(2)
    wait_until(lambda: "2" in outcomes(old).values(), "the second's outcomes")
    published = outcomes(old)
    assert "2" not in outcomes(new).values()
    for sentinel in office.sentinels:
        sentinel.client.execute_command("SENTINEL", "REMOVE", "office")
        sentinel.client.execute_command("SENTINEL", "MONITOR", "office", "127.0.0.1", new.port, 2)
    old.stop()
    wait_until(lambda: outcomes(new).items() >= published.items(), lambda: f"{published} in {outcomes(new)}", 60)
    assert len(world.mails()) == 2
    assert world.daemon.log().count("published again") == 1


def test_a_master_that_lives_but_was_replaced_is_left(world, office):
    """Nothing breaks: its connections are fine, and it calls itself master."""
    old = office.begin()
    new = office.other(old)
    for sentinel in office.sentinels:
        sentinel.client.execute_command("SENTINEL", "REMOVE", "office")
    new.client().execute_command("REPLICAOF", "NO", "ONE")
    for sentinel in office.sentinels:
        sentinel.client.execute_command("SENTINEL", "MONITOR", "office", "127.0.0.1", new.port, 2)
    world.daemon.wait_log("the sentinels name another master", timeout=30)
    new.client().xadd("jobs:events", {"id": "2", "type": "job.completed", "job": "2", "customer": "1001"})
    world.mails(2, timeout=30)
    assert old.client().ping()


def test_a_stale_sentinel_does_not_keep_us(world, office):
    """The first one was cut off before the failover, and goes on naming a server that is gone."""
    old = office.begin()
    stale = Sentinel(world, "stale", old.port, quorum=9)
    world.daemon.stop()
    url = world.settings["redis"]["url"]
    world.configure(redis={"url": url.replace("sentinel://", f"sentinel://127.0.0.1:{stale.port},")})
    old.client().wait(1, 2000)
    old.stop()
    wait_until(lambda: all(s.master() != old.port for s in office.sentinels), "the failover", 60)
    world.start_daemon()
    office.xadd("2")
    world.mails(2, timeout=60)
    world.ctl("event", "send", "completed", "--job", "3", "--customer", "1001")
    world.mails(3, timeout=60)


def test_a_master_without_enough_replicas(world, office):
    """min-replicas-to-write: it takes no writes (NOREPLICAS) until one is back, and nothing is lost."""
    world.start_daemon()
    master = office.master()
    replica = office.other(master)
    master.client().config_set("min-replicas-max-lag", 1)
    master.client().config_set("min-replicas-to-write", 1)
    office.xadd("1")
    world.mails(1)
    master.client().config_set("min-replicas-to-write", 2)
    world.daemon.wait_log("NOREPLICAS", timeout=60)
    assert replica.client().ping()
    master.client().config_set("min-replicas-to-write", 1)
    office.xadd("2")
    world.mails(2, timeout=60)
    wait_until(lambda: "2" in outcomes(master).values(), "its outcome")


def test_a_changed_password_reaches_the_sentinels(world):
    """Server, sentinel and file get a new one; the connections are cut, and nothing is restarted."""
    port = free_port()
    server = world.start_redis("first", port=port, args=["--requirepass", "first", "--masterauth", "first"])
    sentinel = Sentinel(world, "one", port, args=["sentinel auth-pass office first", "requirepass first"])
    path = world.path("redis-password")

    def write(password):
        with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(password + "\n")
    write("first")
    world.configure(redis={"url": f"sentinel://127.0.0.1:{sentinel.port}/office", "password_file": path})
    add_customer(world)
    world.start_daemon()
    wait_until(lambda: world.ctl_json("status")["redis"] == "up", "the connection", 30)
    sentinel.client = redis.Redis(port=sentinel.port, password="first", decode_responses=True)
    sentinel.client.execute_command("SENTINEL", "SET", "office", "auth-pass", "second")
    sentinel.client.execute_command("ACL", "SETUSER", "default", "resetpass", ">second")
    client = server.client(password="first")
    client.config_set("requirepass", "second")
    write("second")
    server.client(password="second").execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    server.client(password="second").xadd("jobs:events", {"id": "1", "type": "job.completed", "job": "1", "customer": "1001"})
    world.mails(1, timeout=60)
