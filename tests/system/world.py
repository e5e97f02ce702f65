# SPDX-License-Identifier: MIT
"""A world of its own for each test: a directory, a private Redis, a configuration, the real programs.

    def test_something(world):
        world.configure(mail={"transport": "maildir", "maildir": world.path("mail")})
        world.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com")
        world.start_daemon()
        world.xadd(id="1", type="job.completed", job="4711", customer="1001")
        world.outcomes(wait_for={"status": "sent"})

What a world starts, it ends, and nothing else. Programs come from $BUILD, or build/ of the repository.
With DISPATCHD_TEST_KEEP=1 the directory stays. $DISPATCHD_TEST_WRAP is put before the daemon's command
line ("valgrind -q --error-exitcode=99").
"""

import collections
import contextlib
import functools
import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

import redis

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD") or "build")
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD
WRAP = shlex.split(os.environ.get("DISPATCHD_TEST_WRAP", ""))
PROGRAM = (BUILD / "dispatchd").read_bytes() if (BUILD / "dispatchd").exists() else b""
SANITIZED = b"__asan_init" in PROGRAM or b"__tsan_init" in PROGRAM
COVERED = b"__gcov_" in PROGRAM  # counts what it runs through, and writes it down when it exits
# Limits on waiting are multiplied by this. A test that passes doesn't wait for them, so they suit a busy machine.
PATIENCE = float(os.environ.get("DISPATCHD_TEST_PATIENCE") or (6 if SANITIZED or COVERED else 3))

# Nouns of dispatchctl that ask Redis.
TALKS_TO_REDIS = {"dead", "event", "status"}
# Before a command: a test run that is killed leaves nothing behind. (Not by preexec_fn: that copies this process.)
DIES_WITH_US = ["setpriv", "--pdeathsig", "KILL", "--"]


_runs = collections.Counter()


def sanitizer_options(args):
    """Looking for leaks makes a process that is over at once take three times as long: it is done for the first
    runs of each command, and for one in eight of the others."""
    command = tuple(args[:2])
    _runs[command] += 1
    if not SANITIZED or _runs[command] <= 3 or zlib.crc32(repr(args).encode()) % 8 == 0:
        return {}
    return {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def wait_until(check, what, timeout=10.0):
    """Calls `check` until it returns something true, which is then returned."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout:g} s in vain for {what() if callable(what) else what}")
        time.sleep(0.01)


def reachable_folder():
    """Where temporary folders go that other users can be let into: $TMPDIR may lie in a private folder."""
    found = Path(tempfile.gettempdir()).resolve()
    reachable = all(folder.stat().st_mode & 0o001 for folder in (found, *found.parents))
    return str(found) if reachable or os.getuid() != 0 else "/tmp"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisServer:
    """A redis-server on a Unix socket in `directory` (and a loopback port, where asked), nothing on disk."""

    def __init__(self, directory, port=0, args=(), wrap=()):
        self.wrap = list(wrap)  # before the command line
        self.socket = str(Path(directory) / "redis.sock")
        self.port = port
        self.log = Path(directory) / "redis.log"
        self.args = list(args)
        self.directory = directory
        self.process = None

    def start(self):
        command = [*DIES_WITH_US, *self.wrap, "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.socket,
                   "--save", "", "--appendonly", "no", "--dir", str(self.directory),
                   "--logfile", str(self.log), "--daemonize", "no", *self.args]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.STDOUT)
        wait_until(self.answers, "redis-server to answer")
        return self

    def answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(self.socket)
                probe.sendall(b"PING\r\n")
                return probe.recv(1) in (b"+", b"-")  # -NOAUTH is an answer, too
        except OSError:
            return False

    def stop(self):
        """As a crash would: at once, and all that was in it is gone."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self):
        """Alive to the kernel, dead to its clients."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def client(self, **more):
        return redis.Redis(unix_socket_path=self.socket, decode_responses=True, **more)


class Daemon:
    """A running dispatchd: its process, what it said to systemd, its log."""

    def __init__(self, world, args=(), env=None):
        self.log_path = world.path("dispatchd.log")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify_path = world.path("notify.sock")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(notify_path)
        self.notify.bind(notify_path)
        self.notify.setblocking(False)
        self.notifications = []
        environment = world.environment(NOTIFY_SOCKET=notify_path, **(env or {}))
        with open(self.log_path, "ab") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen([*DIES_WITH_US, *world.wrap, *WRAP, str(world.programs / "dispatchd"), "-c",
                                             world.config_path, *args],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=world.directory,
                                            env=environment)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        """What it has logged since its start."""
        with open(self.log_path, "rb") as file:
            file.seek(self.log_start)
            return file.read().decode("utf-8", "replace")

    def wait_log(self, text, count=1, timeout=10.0):
        wait_until(lambda: self.log().count(text) >= count or self.process.poll() is not None,
                   lambda: f"{text!r} in the log:\n{self.log()}", timeout)
        assert self.log().count(text) >= count, f"dispatchd ended without {text!r}:\n{self.log()}"

    def notified(self):
        """Every assignment that it has sent by sd_notify so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.notifications += self.notify.recv(65536).decode().splitlines()
        return self.notifications

    def wait_notified(self, line, count=1, timeout=10.0):
        def there():
            return self.notified().count(line) >= count or self.process.poll() is not None
        wait_until(there, lambda: f"{line} by sd_notify; log:\n{self.log()}", timeout)
        assert self.notified().count(line) >= count, f"dispatchd ended early:\n{self.log()}"

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=30.0):
        """Its exit status once it has ended."""
        try:
            return self.process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"dispatchd doesn't end:\n{self.log()}") from None

    def stop(self, timeout=30.0):
        """SIGTERM; its exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        """SIGKILL, as a crash would."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.notify.close()

    def end(self):
        """The end of a test: at once, but for a program that has coverage to write down."""
        if COVERED and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        self.kill()


class World:
    programs = BUILD  # where this one's are
    wrap = ()  # before the daemon's command line, as WRAP is, but of this world alone

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="dispatchd-", dir=reachable_folder())  # short: paths of sockets are bounded
        self.servers = []
        self.daemons = []
        self.cleanups = []
        self.daemon = None
        self.seen = []
        self.outcomes_read = "-"
        self.config_path = self.path("dispatchd.conf")
        os.mkdir(self.path("templates"))
        self.settings = {
            "redis": {"url": f"unix://{self.path('redis.sock')}?db=0", "consumer": "test"},
            "customers": {"path": self.path("customers.db"), "grace": "0s"},
            "spool": {"path": self.path("spool.db")},
            "mail": {"from": "Example Hauling <dispatch@example.com>", "templates": self.path("templates"),
                     "transport": "maildir", "maildir": self.path("mail")},
            "rules": {"timezone": "UTC"},
            "http": {"listen": f"unix:{self.path('http.sock')}"},
        }
        self.write_config()

    # ---- files and configuration

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def configure(self, sections=None, **more):
        """Sets keys ({"redis": {"list": "jobs:list"}} or redis={…}) and writes the file; None removes one."""
        for name, keys in {**(sections or {}), **more}.items():
            section = self.settings.setdefault(name, {})
            for key, value in keys.items():
                if value is None:
                    section.pop(key, None)
                else:
                    section[key] = value
        self.write_config()

    def write_config(self):
        with open(self.config_path, "w", encoding="utf-8") as file:
            for name, keys in self.settings.items():
                file.write(f"[{name}]\n")
                file.writelines(f"{key} = {value}\n" for key, value in keys.items())

    def environment(self, **more):
        keep = {k: v for k, v in os.environ.items()
                if k in ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "GCOV_ERROR_FILE")
                or k.endswith("SAN_OPTIONS") or k.startswith("DISPATCHD_LOG")}
        return {**keep, "TZ": "UTC", **more}

    # ---- programs

    @functools.cached_property
    def redis_server(self):
        """The world's own Redis, started by whoever needs it first: half of the tests are about dispatchctl alone."""
        return self.start_redis()

    @functools.cached_property
    def redis(self):
        return self.redis_server.client()

    @functools.cached_property
    def raw(self):
        """As `redis`, with bytes as they are."""
        return redis.Redis(unix_socket_path=self.redis_server.socket)

    def start_redis(self, name=".", **more):
        """One more redis-server, in a directory of that name; port=free_port(), args=["--requirepass", …]."""
        os.makedirs(self.path(name), exist_ok=True)
        server = RedisServer(os.path.normpath(self.path(name)), **more).start()
        self.servers.append(server)
        return server

    def restart_redis(self):
        """The world's own Redis again, empty, on the same socket and port."""
        self.redis_server.stop()
        self.redis_server.start()

    def start_daemon(self, *args, ready=True, env=None):
        assert self.redis_server
        self.daemon = Daemon(self, args, env)
        self.daemons.append(self.daemon)
        if ready:
            self.daemon.wait_notified("READY=1")
        return self.daemon

    def ctl(self, *args, check=True, timeout=30.0, stdin=None):
        """dispatchctl with the world's configuration: a CompletedProcess with texts."""
        assert TALKS_TO_REDIS.isdisjoint(args) or self.redis_server
        args = list(map(str, args))
        done = subprocess.run([str(self.programs / "dispatchctl"), "-c", self.config_path, *args],
                              input=stdin, capture_output=True, text=True, timeout=timeout * PATIENCE,
                              cwd=self.directory, env=self.environment(**sanitizer_options(args)), check=False)
        if check:
            assert done.returncode == 0, f"dispatchctl {args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def ctl_json(self, *args, **more):
        return json.loads(self.ctl("--json", *args, **more).stdout)

    # ---- events and outcomes

    def xadd(self, stream="jobs:events", **fields):
        """Publishes one entry; its id. A field named like an argument goes in as {"stream": …} by xadd_fields."""
        return self.xadd_fields(fields, stream)

    def xadd_fields(self, fields, stream="jobs:events"):
        return self.redis.xadd(stream, fields)

    def see(self, entry, fields):
        """An outcome that was published."""
        self.seen.append({"entry": entry, **fields})

    def outcomes(self, wait_for=None, count=1, timeout=10.0):
        """All outcomes so far, as dicts. With `wait_for`, waits until `count` of them have these values, and
        returns those (the one, where count is 1)."""
        def look():
            for entry, fields in self.redis.xrange("jobs:outcomes", min=self.outcomes_read):
                self.see(entry, fields)
                self.outcomes_read = f"({entry}"
            return self.seen
        if wait_for is None:
            return list(look())

        def matching():
            return [o for o in look() if all(o.get(k) == str(v) for k, v in wait_for.items())]
        wait_until(lambda: len(matching()) >= count or (self.daemon and self.daemon.process.poll() is not None),
                   lambda: f"{count} outcome(s) {wait_for}; there are {self.seen}; {self.log_tail()}", timeout)
        found = matching()
        assert len(found) >= count, f"dispatchd ended without outcome {wait_for}: {self.seen}; {self.log_tail()}"
        return found[0] if count == 1 else found

    def log_tail(self):
        return f"log:\n{self.daemon.log()[-3000:]}" if self.daemon else "no daemon"

    def pending(self, stream="jobs:events", group="dispatchd"):
        """How many entries are delivered and not yet acknowledged."""
        try:
            return self.redis.xpending(stream, group)["pending"]
        except redis.ResponseError:
            return 0

    def wait_idle(self, stream="jobs:events", group="dispatchd", timeout=10.0):
        """Until all that was published to the stream is delivered and acknowledged."""
        def idle():
            for found in self.raw.xinfo_groups(stream):
                if found["name"] == group.encode():
                    last = self.raw.xinfo_stream(stream)["last-generated-id"]
                    return found["pending"] == 0 and found["last-delivered-id"] == last
            return False
        wait_until(idle, lambda: f"{stream} to be acknowledged; {self.log_tail()}", timeout)

    # ---- the daemon's sockets

    def http(self, path, method="GET", timeout=5.0):
        """Status, headers, body."""
        listen = self.settings["http"]["listen"]
        if listen.startswith("unix:"):
            connection = http.client.HTTPConnection("localhost", timeout=timeout * PATIENCE)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(listen[len("unix:"):])  # waits while the backlog is full, as TCP would
            connection.sock.settimeout(timeout * PATIENCE)
        else:
            connection = http.client.HTTPConnection(listen, timeout=timeout * PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()

    def metrics(self):
        """{'dispatchd_events_total{type="job.started"}': 3.0, …}"""
        lines = self.http("/metrics")[2].splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
                for line in lines if line and not line.startswith("#")}

    def open_files(self):
        """How many descriptors the daemon has, by its own account: in /proc that is for root alone to see. The
        connection that asks is left out, and so is any earlier one that is only about to be closed."""
        return min(int(self.metrics()["dispatchd_open_fds"]) for _ in range(5)) - 1

    def control(self, document, timeout=5.0):
        """One request on the control socket; the answer."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.path("control.sock"))  # without a time limit it waits while the backlog is full
            client.settimeout(timeout * PATIENCE)
            client.sendall(json.dumps(document).encode() + b"\n")
            with client.makefile("rb") as answers:
                return json.loads(answers.readline())

    # ---- mails of the Maildir transport

    def mails(self, count=None, timeout=10.0):
        """The raw messages in the Maildir, oldest first; with `count`, waits until so many are there."""
        new = Path(self.settings["mail"]["maildir"]) / "new"

        def files():
            return sorted(new.iterdir(), key=lambda f: (f.stat().st_mtime_ns, f.name)) if new.is_dir() else []
        if count is not None:
            wait_until(lambda: len(files()) >= count, lambda: f"{count} mails; {len(files())} there; {self.log_tail()}",
                       timeout)
        return [f.read_bytes() for f in files()]

    # ---- the end

    def at_end(self, function):
        self.cleanups.append(function)

    def close(self):
        for function in reversed(self.cleanups):
            function()
        for daemon in self.daemons:
            daemon.end()
        for server in self.servers:
            server.stop()
        if not os.environ.get("DISPATCHD_TEST_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)
