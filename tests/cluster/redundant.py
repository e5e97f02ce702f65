# SPDX-License-Identifier: MIT
"""Three servers of Redis, three sentinels, and a network that can be cut.

    net = Network("a", "b", "c")      # namespaces of those names, joined by a bridge in a fourth
    net.cut("a")                      # a reaches itself alone
    net.heal()

The bridge, too, is in a namespace of its own: nothing outside of what the test made is changed, and none of them has a
way out. Unix sockets go through the file system: by them the test talks to all, and all have their relay.
"""
import os
import subprocess

import redis

from world import DIES_WITH_US, RedisServer, free_port, wait_until

NAMES = ("a", "b", "c")


def ip(*args):
    subprocess.run(["ip", *args], check=True, stdin=subprocess.DEVNULL)


class Network:
    def __init__(self, *names):
        self.made = []
        self.names = names
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def _make(self):
        self.bridge = self._namespace("net")
        ip("-n", self.bridge, "link", "add", "name", "bridge0", "type", "bridge")
        ip("-n", self.bridge, "link", "set", "bridge0", "up")
        for number, name in enumerate(self.names, 1):
            space = self._namespace(name)
            ip("-n", space, "link", "set", "lo", "up")
            ip("-n", space, "link", "add", "eth0", "type", "veth", "peer", "name", f"to-{name}", "netns", self.bridge)
            ip("-n", space, "addr", "add", f"198.18.0.{number}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", self.bridge, "link", "set", f"to-{name}", "master", "bridge0", "up")

    def _namespace(self, name):
        space = f"dispatchd-{os.getpid()}-{name}"
        ip("netns", "add", space)
        self.made.append(space)
        return space

    def address(self, name):
        return f"198.18.0.{self.names.index(name) + 1}"

    def within(self, name):
        """What goes before a command line to have it run there."""
        return ["ip", "netns", "exec", f"dispatchd-{os.getpid()}-{name}"]

    def cut(self, name):
        ip("-n", self.bridge, "link", "set", f"to-{name}", "down")

    def heal(self):
        for name in self.names:
            ip("-n", self.bridge, "link", "set", f"to-{name}", "up")

    def close(self):
        for space in self.made:
            ip("netns", "delete", space)
        self.made = []


class Server(RedisServer):
    """With a file of settings that it, or a sentinel, rewrites, and one of its data: it comes back as what it was."""

    def __init__(self, directory, address, port, sentinel, lines, wrap):
        super().__init__(directory, wrap=wrap)
        self.address, self.port, self.sentinel = address, port, sentinel
        self.file = f"{directory}/redis.conf"
        with open(self.file, "w", encoding="ascii") as file:
            file.write(f"port {port}\nbind {address}\nprotected-mode no\nunixsocket {self.socket}\ndir {directory}\n"
                       f"logfile {self.log}\n")
            file.writelines(f"{line}\n" for line in lines)

    def start(self):
        self.process = subprocess.Popen([*DIES_WITH_US, *self.wrap, "redis-server", self.file,
                                         *(["--sentinel"] if self.sentinel else [])],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        wait_until(self.answers, "redis-server to answer", 30)
        return self


class Redundant:
    """As dispatchd-cluster(7) has it set up: nothing that counts is on one server alone."""
    replicas = 1

    def __init__(self, first, net=None):
        self.net = net
        self.servers = {name: self._make(first, name, 6379, False, [
            "save \"\"", "appendonly yes", "min-replicas-to-write 1", "min-replicas-max-lag 2",
            "repl-diskless-sync-delay 0", "maxmemory-policy noeviction"]) for name in NAMES}
        for server in self.servers.values():
            server.start()
        master = self.servers["a"]
        for name in NAMES[1:]:
            self.servers[name].client().execute_command("REPLICAOF", master.address, master.port)
            self.servers[name].client().config_rewrite()
        self.sentinels = {name: self._make(first, name, 26379, True, [
            f"sentinel monitor office {master.address} {master.port} 2",
            "sentinel down-after-milliseconds office 3000", "sentinel failover-timeout office 10000"]) for name in NAMES}
        for sentinel in self.sentinels.values():
            sentinel.start()
        wait_until(self.is_whole, "sentinels that know each other and the replicas", 60)
        self.url = "sentinel://" + ",".join(f"{s.address}:{s.port}" for s in self.sentinels.values()) + "/office/0"

    def _make(self, first, name, port, sentinel, lines):
        directory = first.path(("s" if sentinel else "r") + name)
        os.mkdir(directory)
        server = Server(directory, self.net.address(name) if self.net else "127.0.0.1",
                        port if self.net else free_port(), sentinel, lines, self.net.within(name) if self.net else ())
        first.servers.append(server)
        return server

    def is_whole(self):
        """Whether all know of each other, and both replicas have what the master has."""
        for sentinel in self.sentinels.values():
            asked = sentinel.client()
            replicas = asked.execute_command("SENTINEL", "replicas", "office")
            others = asked.execute_command("SENTINEL", "sentinels", "office")
            if len(replicas) != 2 or len(others) != 2 or str(replicas).count("'ok'") != 2:
                return False
        try:
            return self.master() and self.servers[self.master()].client().info("replication")["connected_slaves"] == 2
        except redis.RedisError:
            return False

    def master(self):
        """The name of the server that most sentinels call the master; None where they don't agree."""
        named = []
        for sentinel in self.sentinels.values():
            try:
                address, port = sentinel.client(socket_timeout=1).execute_command("SENTINEL", "get-master-addr-by-name",
                                                                                  "office")
            except redis.RedisError:
                continue
            named += [name for name, s in self.servers.items() if (s.address, str(s.port)) == (address, port)]
        return next((name for name in NAMES if named.count(name) >= 2), None)

    def client(self):
        name = self.master()
        if not name:
            raise redis.ConnectionError("the sentinels name no master")
        return self.servers[name].client(socket_timeout=3)

    def fail_over(self, sentinel="a"):
        """Asks for it, and waits for another master."""
        old = self.master()

        def asked():
            try:
                self.sentinels[sentinel].client().execute_command("SENTINEL", "FAILOVER", "office")
            except redis.ResponseError as error:  # one is under way, or no replica is good
                return "INPROG" in str(error)
            return True

        wait_until(asked, "a failover to begin", 60)
        wait_until(lambda: self.master() not in (None, old), "another master", 60)
