# SPDX-License-Identifier: MIT
"""dispatchd-cluster(7): what it says about Redis, rights and files, run as it is written there."""
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import redis

from kit import add_customer, wait_outcome, write
from test_redis_sentinel import Sentinel
from world import BUILD, PATIENCE, ROOT, World, free_port, wait_until

MANUAL = (ROOT / "conf/man/dispatchd-cluster.7").read_text(encoding="utf-8")


def block(beginning):
    """The lines of the literal block that begins like that."""
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", MANUAL, re.M | re.S)
    (found,) = [b for b in blocks if b.startswith(beginning)]
    return found.replace("\\e\n", "\\\n").replace("\\e", "\\")


def settings(beginning):
    return [line.split(" ", 1) for line in block(beginning).splitlines() if not line.startswith("#")]


class Redis:
    """A master, two replicas and three sentinels, set up as the manual says."""

    def __init__(self, world):
        self.world = world
        self.args = [word for key, value in settings("# redis: every server") if key != "bind"
                     for word in (f"--{key}", value)]
        master = self.start("alpha")
        for name in ("beta", "gamma"):
            self.start(name, "--replicaof", "127.0.0.1", str(master.port))
        self.sentinels = [self.sentinel(n, master) for n in range(3)]
        wait_until(self.complete, "three sentinels that know each other and both replicas", 30)

    def start(self, name, *args):
        return self.world.start_redis(name, port=free_port(),
                                      args=[*self.args, "--repl-diskless-sync-delay", "0", *args])

    def sentinel(self, n, master):
        given = dict(settings("# sentinel: every sentinel"))
        assert given["port"] == "26379" and given["sentinel"], "one a server, on its usual port"
        lines = [f"{key} {value}".replace("192.0.2.1 6379", f"127.0.0.1 {master.port}")
                 for key, value in settings("# sentinel: every sentinel") if key not in ("port", "dir")]
        return Sentinel(self.world, f"sentinel{n}", master.port, 2, [line for line in lines if " monitor " not in line])

    def complete(self):
        for sentinel in self.sentinels:
            words = sentinel.client.execute_command("SENTINEL", "MASTER", "office")
            state = dict(zip(words[::2], words[1::2]))
            if (int(state["num-slaves"]), int(state["num-other-sentinels"])) != (2, 2):
                return False
        return self.client(self.master()).info("replication")["connected_slaves"] == 2

    def master(self):
        ports = {sentinel.master() for sentinel in self.sentinels}
        return next((s for s in self.world.servers if s.port in ports), None) if len(ports) == 1 else None

    def client(self, server):
        return server.client(password="SECRET")

    def url(self):
        return "sentinel://" + ",".join(f"127.0.0.1:{s.port}" for s in self.sentinels) + "/office/0"


@pytest.fixture
def servers(world):
    return Redis(world)


def test_a_master_that_is_cut_off_takes_no_writes(servers):
    """Cut off from its replicas, that is: they don't confirm what they get."""
    master = servers.master()
    client = servers.client(master)
    for server in servers.world.servers:
        if server is not master:
            server.freeze()

    def refused():
        try:
            client.xadd("jobs:events", {"id": "1"})
            return False
        except redis.ResponseError as error:
            return str(error).startswith("NOREPLICAS")
    wait_until(refused, "the master to refuse writes", 20)
    for server in servers.world.servers:
        if server is not master:
            server.thaw()


def test_a_replica_takes_over_with_what_was_confirmed(servers):
    old = servers.master()
    client = servers.client(old)
    client.xadd("jobs:events", {"id": "1"})
    assert client.wait(1, 5000) >= 1
    old.stop()
    wait_until(lambda: servers.master() not in (None, old), "the failover", 60)
    new = servers.client(servers.master())
    wait_until(lambda: new.role()[0] == "master", "the new master", 20)
    assert new.xlen("jobs:events") == 1


def rights(name):
    (words,) = re.findall(rf"^ACL (SETUSER dispatchd .*?)(?=\Z|\n\n)", block("ACL SETUSER dispatchd"), re.S)
    return shlex.split(words.replace("\\\n", " ").replace("dispatch:*", f"{name}:*"))


SCRIPT = """
if redis.call('GET', KEYS[1]) then return redis.call('PEXPIRE', KEYS[1], 1000) end
redis.call('INCR', KEYS[2]) redis.call('SET', KEYS[1], '1 alpha', 'PX', 1000)
redis.call('XADD', KEYS[3], '1-0', 'a', 'b') redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
return redis.call('DEL', KEYS[1])
"""
KEYS = ("dispatch:lease", "dispatch:epoch", "dispatch:journal")
OF_A_MEMBER = [("EVAL", SCRIPT, 3, *KEYS), ("ROLE",), ("INFO", "server"), ("WAIT", 0, 1), ("GET", KEYS[0]),
               ("EVALSHA", "SHA", 3, *KEYS), ("XLEN", KEYS[2]), ("XRANGE", KEYS[2], "-", "+"),
               ("XREAD", "COUNT", 1, "BLOCK", 1, "STREAMS", KEYS[2], "0-0"), ("XINFO", "STREAM", KEYS[2]),
               ("XGROUP", "CREATE", KEYS[2], "beta", "0-0", "MKSTREAM"), ("XGROUP", "SETID", KEYS[2], "beta", "1-0"),
               ("XINFO", "GROUPS", KEYS[2]), ("XTRIM", KEYS[2], "MINID", "~", "1-0"), ("MEMORY", "USAGE", KEYS[2]),
               ("XGROUP", "DESTROY", KEYS[2], "beta")]


def test_the_rights_of_a_member_are_enough_and_no_more(world):
    world.redis.execute_command("ACL", *rights("dispatch"))
    member = redis.Redis(unix_socket_path=world.redis_server.socket, username="dispatchd", password="PASSWORD",
                         decode_responses=True)
    sha = world.redis.script_load(SCRIPT)
    world.redis.delete(*KEYS)
    for command in OF_A_MEMBER:
        if command[0] == "EVALSHA":
            world.redis.delete(*KEYS)
        member.execute_command(*(sha if word == "SHA" else word for word in command))
    for command in (("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "GET", "*"), ("SET", "other", "1"), ("GET", "dispatched"),
                    ("XADD", "other", "*", "a", "b"), ("ACL", "LIST"), ("SCRIPT", "FLUSH"), ("MEMORY", "DOCTOR")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            member.execute_command(*command)


def test_a_daemon_behind_these_sentinels_with_these_rights(world, servers):
    for server in world.servers:
        servers.client(server).execute_command("ACL", *rights("dispatch"))
    password = write(world, "redis.password", "PASSWORD\n")
    os.chmod(password, 0o600)
    world.configure(redis={"url": servers.url().replace("://", "://dispatchd@"), "password_file": password})
    add_customer(world)
    world.redis = servers.client(servers.master())
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    wait_outcome(world, "1", "sent")
    assert world.http("/readyz")[0] == 200, world.http("/readyz")
    assert "NOPERM" not in world.daemon.log()


def test_redis_with_data_gets_an_append_only_file(world):
    """As in SETTING UP: switched on while it runs, then again by its configuration."""
    server = world.redis_server
    world.redis.set("jobs", "are here")
    assert "redis-cli CONFIG SET appendonly yes" in block("# on alpha, beta and gamma")
    world.redis.execute_command("CONFIG", "SET", "appendonly", "yes")
    wait_until(lambda: (world.redis.info("persistence")["aof_rewrite_in_progress"],
                        world.redis.info("persistence")["aof_rewrite_scheduled"]) == (0, 0), "the file", 20)
    world.redis.connection_pool.disconnect()
    server.stop()
    server.args += ["--appendonly", "yes"]
    server.start()
    wait_until(lambda: not world.redis.info("persistence")["loading"], "the data to be loaded", 20)
    assert world.redis.get("jobs") == "are here"


def sections(beginning):
    """{section: {key: value}} of a configuration that the manual shows."""
    found = {}
    for line in block(beginning).splitlines():
        if line.startswith("["):
            keys = found.setdefault(line.strip("[]"), {})
        elif not line.startswith(";"):
            key, value = line.split(" = ", 1)
            keys[key] = value
    return found


def test_the_configurations_of_members_are_fine(world):
    for name in ("redis.password", "cluster.key"):
        os.chmod(write(world, name, "0" * 64 + "\n"), 0o600)
    for beginning in ("; dispatchd: every member", "; instance:"):
        world.configure({section: {key: value.replace("/etc/dispatchd", world.directory)
                                   for key, value in keys.items() if key != "path"}
                         for section, keys in sections(beginning).items()})
        assert world.ctl("config", "show").returncode == 0


@pytest.mark.skipif(not (shutil.which("rrsync") and shutil.which("sqlite3")), reason="rsync or sqlite3 is missing")
def test_files_are_copied_and_removed(world):
    other = World()
    try:
        world.ctl("customer", "add", "1001", "--name", "Farm")
        for name in ("kept", "erased"):
            write(world, f"{name}.txt", f"{name}\n" * 100)
            world.ctl("document", "add", "1001", world.path(f"{name}.txt"), "--description", name)
        shutil.copytree(world.path("files"), other.path("files"))  # a seed
        shutil.copy(world.path("customers.db"), other.path("customers.db"))
        write(world, "new.txt", "new\n" * 100)
        world.ctl("document", "add", "1001", world.path("new.txt"), "--description", "new")
        rows = world.ctl_json("document", "list", "1001")
        world.ctl("document", "remove", next(r["id"] for r in rows if r["description"] == "erased"), "--yes")
        for aside in ("-wal", "-shm"):
            if os.path.exists(world.path("customers.db" + aside)):
                shutil.copy(world.path("customers.db" + aside), other.path("customers.db" + aside))
        shutil.copy(world.path("customers.db"), other.path("customers.db"))  # as the journal would have it
        young = write(other, "files/ab/" + "ab" * 32, "no record names this yet")
        for path in Path(other.path("files")).rglob("*"):
            if path.is_file() and path != Path(young):
                os.utime(path, (0, 0))
        files_script(other, world)
        assert contents(other) == contents(world) | {"no record names this yet"}
        assert any(text.startswith("new\n") for text in contents(other))
        assert not any(text.startswith("erased\n") for text in contents(other))
        files_script(world, other)
        assert not any("no record" in text for text in contents(world))
        os.utime(young, (0, 0))
        files_script(other, world)
        assert contents(other) == contents(world)
    finally:
        other.close()


def contents(world):
    return {path.read_text() for path in Path(world.path("files")).rglob("*") if path.is_file()}


def files_script(world, source):
    text = block("#!/bin/sh\n# /usr/local/sbin/dispatchd-files").replace("/var/lib/dispatchd", world.directory)
    path = write(world, "dispatchd-files", text)
    forced = re.search(r'^restrict,command="(.*?)"', MANUAL, re.M).group(1)
    ssh = write(world, "ssh", '#!/bin/sh\nwhile [ "$1" != rsync ]; do shift; done\nexport SSH_ORIGINAL_COMMAND="$*"\n'
                f"exec {forced.replace('/var/lib/dispatchd', source.directory)}\n")
    os.chmod(ssh, 0o755)
    done = subprocess.run(["sh", path, "files@other:"], capture_output=True, text=True, check=False,
                          timeout=30 * PATIENCE, env={**os.environ, "RSYNC_RSH": ssh})
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


class Member(World):
    """One machine: the configuration that the manual shows, with this machine's places."""

    def __init__(self, name, servers, mails):
        super().__init__()
        self.redis_server = servers.world.servers[0]
        for secret, text in (("cluster.key", "0f" * 32), ("redis.password", "PASSWORD")):
            os.chmod(write(self, secret, text), 0o600)
        self.configure({section: {k: v.replace("/etc/dispatchd", self.directory) for k, v in keys.items()}
                        for section, keys in sections("; dispatchd: every member").items()})
        self.configure(redis={"url": servers.url().replace("://", "://dispatchd@"), "consumer": name},
                       mail={"maildir": mails}, cluster={"lease": "6s"})

    def role(self):
        try:
            found = self.metrics()
        except OSError:
            return None  # between two roles nobody listens
        return next((r for r in ("owner", "standby", "joining") if found.get(f'dispatchd_role{{role="{r}"}}')), None)

    def wait_role(self, role):
        wait_until(lambda: self.role() == role, lambda: f"{role}; {self.log_tail()}", 30)


def test_two_members_as_the_manual_sets_them_up(world, servers):
    """alpha works, beta is seeded and follows; alpha dies, beta goes on, with the rights of the manual alone."""
    for server in world.servers:
        servers.client(server).execute_command("ACL", *rights("dispatch"))
    alpha, beta = (Member(name, servers, world.path("mail")) for name in ("alpha", "beta"))
    try:
        add_customer(alpha)
        alpha.start_daemon()
        alpha.wait_role("owner")
        alpha.redis = beta.redis = servers.client(servers.master())
        alpha.xadd(id="1", type="job.completed", job="4711", customer="1001")
        wait_outcome(alpha, "1", "sent")
        seed = subprocess.run(f"{ctl(alpha)} backup - | {ctl(beta)} restore -", shell=True, capture_output=True,
                              text=True, check=False, timeout=60 * PATIENCE)
        assert seed.returncode == 0, seed.stderr
        beta.start_daemon()
        beta.wait_role("standby")
        assert beta.http("/readyz")[0] == 503 and alpha.http("/readyz")[0] == 200
        refused = beta.ctl("hold", "release", "1", check=False)
        assert refused.returncode == 75 and "alpha" in refused.stderr
        alpha.xadd(id="2", type="job.completed", job="4712", customer="1001")
        wait_outcome(alpha, "2", "sent")
        alpha.daemon.kill()
        beta.wait_role("owner")
        beta.xadd(id="3", type="job.completed", job="4713", customer="1001")
        wait_outcome(beta, "3", "sent")
        alpha.start_daemon()
        alpha.wait_role("standby")
        assert "NOPERM" not in alpha.daemon.log() + beta.daemon.log()
        beta.daemon.stop()
        alpha.wait_role("owner")
        groups = [g["name"] for g in servers.client(servers.master()).xinfo_groups("dispatch:journal")]
        assert "beta" in groups
        retired = re.search(r"^redis-cli (XGROUP DESTROY dispatch:journal) MEMBER$", MANUAL, re.M).group(1)
        assert servers.client(servers.master()).execute_command(*retired.split(), "beta") == 1
    finally:
        alpha.close()
        beta.close()


def ctl(world):
    return f"{BUILD}/dispatchctl -c {world.config_path}"
