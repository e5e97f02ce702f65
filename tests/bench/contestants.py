# SPDX-License-Identifier: MIT
"""Who takes part in the comparison: smtp-source (the limit), dispatchd, BullMQ with nodemailer's pool, and Celery with
smtplib. Each sends the same mails to the same smtp-sink over as many connections; peers are set up as their own
documentation says. Queues are filled before the clock runs; dispatchd's runs from the start of its process, that of
the peers from the moment their workers, already warm, may begin."""
import contextlib
import email
import email.policy
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from meter import PATIENCE, ROOT, STALLED_S, Fault, find_tool, family, free_port, peak_mib, places, size_of
from meter import snapshot, spent, start, stop, written_bytes
from world import World, wait_until

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
CUSTOMERS = 500
FILL_AT_A_TIME = 500
TEMPLATES = {"templates": ROOT / "conf" / "templates"}  # the shipped ones, with HTML
# What BullMQ's and Redis' own pages recommend for queues: an append-only file, nothing evicted.
PERSISTENT = ["--appendonly", "yes", "--maxmemory-policy", "noeviction"]


def event(i):
    """A job event as dispatch software publishes it."""
    return {"id": f"e{i:07d}", "type": "job.completed", "job": f"J{i:07d}", "customer": str(1000 + i % CUSTOMERS),
            "driver": "Sam", "service": "Roll-off exchange", "reference": "PO 12345"}


def address(i):
    return f"c{1000 + i % CUSTOMERS}@example.com"


def fill_stream(client, n, make=event, stream="jobs:events"):
    """XADD, one an event, many on their way at a time."""
    for first in range(0, n, FILL_AT_A_TIME):
        pipe = client.pipeline(transaction=False)
        for i in range(first, min(n, first + FILL_AT_A_TIME)):
            pipe.xadd(stream, make(i))
        pipe.execute()


class Setup:
    """What all runs share: how many mails over how many connections, the customers, and the mail that is sent."""

    def __init__(self, events, connections, customers=CUSTOMERS):
        self.events, self.connections = events, connections
        self.world = World()
        self.customers = self.world.path("customers.db")
        with open(self.world.path("customers.csv"), "w", encoding="utf-8") as file:
            file.write("number,name,contact,email\n")
            file.writelines(f"{1000 + i},Customer {i} Hauling,Ann Smith,c{1000 + i}@example.com\n"
                            for i in range(customers))
        self.world.ctl("customer", "import", file.name, timeout=600)
        self.world.configure(mail=TEMPLATES)
        self.mail = self._sample()

    def _sample(self):
        """dispatchd's own mail about an event, as it goes to a relay; the peers send its texts."""
        self.world.start_daemon()
        self.world.redis.xadd("jobs:events", event(0))
        (raw,) = self.world.mails(count=1)
        self.world.daemon.stop()
        return raw.replace(b"\r\n", b"\n")

    def mail_file(self):
        path = self.world.path("mail.txt")
        Path(path).write_bytes(self.mail)
        return path

    def peers_file(self):
        """Subject and texts as JSON, with the job's number to be replaced in them."""
        found = email.message_from_bytes(self.mail, policy=email.policy.default)
        texts = {kind: found.get_body((kind,)).get_content() for kind in ("plain", "html")}
        path = self.world.path("mail.json")
        Path(path).write_text(json.dumps({"from": found["From"], "subject": found["Subject"], "text": texts["plain"],
                                          "html": texts["html"], "job": event(0)["job"]}), encoding="utf-8")
        return path

    def mail_bytes(self):
        return len(self.mail.replace(b"\n", b"\r\n"))

    def close(self):
        self.world.close()


class Contestant:
    name = title = durability = ""
    fsync = None  # of Redis; None: no Redis
    main_thread = "main"

    def __init__(self, setup, world, port):
        self.setup, self.world, self.port = setup, world, port
        self.redis = None
        if self.fsync:
            self.redis = world.start_redis("redis", port=free_port(), args=[*PERSISTENT, "--appendfsync", self.fsync])
            self.url = f"redis://127.0.0.1:{self.redis.port}/0"
        self.figures = {}

    @staticmethod
    def missing():
        """What isn't installed; empty if all is there."""
        return "" if find_tool("smtp-source") else "smtp-source"

    def prepare(self):
        """Fills the queue and starts what has to be warm."""

    def begin(self):
        """The clock starts."""
        raise NotImplementedError

    def own(self):
        """{label: pids} of what is measured beside sink and Redis, as far as it runs already."""
        raise NotImplementedError

    def part(self, label, thread):
        """What a thread is called in the figures."""
        raise NotImplementedError

    def alive(self):
        return True

    def finished(self):
        """Whether all mails are also recorded as sent."""
        return True

    def wait_finished(self):
        try:
            wait_until(self.finished, f"{self.title} to be through", STALLED_S / PATIENCE)
        except AssertionError as fault:
            raise Fault(str(fault)) from None

    def processes(self, sink):
        redis = {"redis": [self.redis.process.pid]} if self.redis else {}
        return {"sink": [sink.process.pid], **redis, **self.own()}

    def parts(self, before, sink):
        """{part: seconds} since `before`, and notes the memory."""
        now = self.processes(sink)
        found = {}
        for label, threads in spent(before, snapshot(now)).items():
            for thread, seconds in threads.items():
                part = label if label in ("sink", "redis") else self.part(label, thread)
                found[part] = found.get(part, 0.0) + seconds
        self.figures["peak_mib"] = peak_mib([pid for pids in self.own().values() for pid in pids])
        return found

    def check(self):
        """Proves by the contestant's own records that each event has its mail."""

    def close(self):
        """Ends what was started."""


class SmtpSource(Contestant):
    name, title = "smtp-source", "smtp-source -d"
    durability = "none: the same mail again and again, from memory"

    def __init__(self, *args):
        super().__init__(*args)
        self.process = self.usage = None

    def prepare(self):
        self.mail = self.setup.mail_file()

    def begin(self):
        path, environment = find_tool("smtp-source")
        self.process = start([path, "-d", "-s", str(min(self.setup.connections, self.setup.events)),
                              "-m", str(self.setup.events), "-f", "dispatch@example.com", "-t", address(0),
                              "-F", self.mail, f"127.0.0.1:{self.port}"], env=environment)

    def own(self):
        return {}

    def alive(self):
        if self.usage is None:
            with contextlib.suppress(AttributeError, TypeError, OSError):  # it is about to start, or has just ended
                self.figures["peak_mib"] = max(peak_mib([self.process.pid]), self.figures.get("peak_mib", 0))
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.process.returncode, self.usage = os.waitstatus_to_exitcode(status), usage
        return self.usage is None

    def finished(self):
        return not self.alive()

    def parts(self, before, sink):
        peak = self.figures.get("peak_mib", 0.0)
        found = super().parts(before, sink)
        found["smtp-source"] = self.usage.ru_utime + self.usage.ru_stime
        self.figures["peak_mib"] = peak
        return found

    def check(self):
        if self.process.returncode != 0:
            raise Fault(f"smtp-source ended with {self.process.returncode}")

    def close(self):
        if self.process is not None and self.alive():
            stop(self.process)


class Dispatchd(Contestant):
    name, title = "dispatchd", "dispatchd"
    durability = ("each decision is committed (synchronous=FULL) before its mail goes out, each result before it is "
                  "published")
    fsync = "everysec"

    def configure(self, **smtp):
        self.world.configure(
            redis={"url": self.url, "outcomes_max": max(100000, 4 * self.setup.events)},
            mail={"transport": "smtp", **TEMPLATES},
            smtp={"relay": f"127.0.0.1:{self.port}", "tls": "none", "connections": self.setup.connections, **smtp})
        shutil.copy(self.setup.customers, self.world.path("customers.db"))
        self.world.redis_server = self.redis
        self.client = self.redis.client()

    def event(self, i):
        return event(i)

    def prepare(self):
        self.configure()
        before = self.client.info("memory")["used_memory"]
        fill_stream(self.client, self.setup.events, self.event)
        self.figures["redis_bytes"] = (self.client.info("memory")["used_memory"] - before) / self.setup.events

    def begin(self):
        self.written = -written_bytes([self.redis.process.pid])
        self.world.start_daemon(ready=False)

    def own(self):
        return {"dispatchd": [self.world.daemon.pid]} if self.world.daemon else {}

    def part(self, label, thread):
        return {"main": "loop", "mailer": "mailers"}.get(thread, thread)

    def alive(self):
        return self.world.daemon.process.poll() is None

    def finished(self):
        """Each event has two outcomes: queued, sent."""
        group = self.client.xpending("jobs:events", "dispatchd")
        return group["pending"] == 0 and self.client.xlen("jobs:outcomes") >= 2 * self.setup.events

    def parts(self, before, sink):
        found = super().parts(before, sink)
        n = self.setup.events
        self.figures["redis_written"] = (self.written + written_bytes([self.redis.process.pid])) / n
        self.figures["written"] = written_bytes([self.world.daemon.pid]) / n
        return found

    def check(self):
        sent = {fields["event"] for _, fields in self.client.xrange("jobs:outcomes") if fields["status"] == "sent"}
        if len(sent) != self.setup.events:
            raise Fault(f"dispatchd published {len(sent)} mails as sent, not {self.setup.events}")
        if self.world.daemon.stop() != 0:
            raise Fault(f"dispatchd ended badly:\n{self.world.log_tail()}")
        self.figures["spool_bytes"] = size_of(self.world.path("spool.db")) / self.setup.events


class BullMq(Contestant):
    name, title = "bullmq", "BullMQ, nodemailer's pool"
    durability = ("Redis' append-only file, written to disk every second: when the machine fails, a second of events and "
                  "results may be lost")
    fsync = "everysec"
    without_delay = False

    def __init__(self, *args):
        super().__init__(*args)
        self.workers = []
        # Its documentation: a process for each core.
        self.processes_n = min(len(os.sched_getaffinity(0)), self.setup.connections)

    @staticmethod
    def modules():
        return next((p / "node" / "node_modules" for p in places() if (p / "node" / "node_modules").is_dir()), None)

    @staticmethod
    def missing():
        return "" if shutil.which("node") and BullMq.modules() else "node with BullMQ and nodemailer"

    def node(self, *args, **more):
        environment = {**os.environ, "NODE_PATH": str(self.modules()), "NODE_ENV": "production",
                       "BENCH_REDIS_PORT": str(self.redis.port), "BENCH_SMTP_PORT": str(self.port),
                       "BENCH_CONNECTIONS": str(self.setup.connections // self.processes_n),
                       "BENCH_CUSTOMERS": str(CUSTOMERS),
                       "BENCH_MAIL": self.setup.peers_file(), "BENCH_NODELAY": "1" if self.without_delay else ""}
        return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", "node", str(PEERS / "bullmq.js"),
                                 *map(str, args)], env=environment, text=True, **more)

    def prepare(self):
        if self.node("fill", self.setup.events).wait(600 * PATIENCE) != 0:
            raise Fault("BullMQ's queue can't be filled")
        for _ in range(self.processes_n):
            worker = self.node("work", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.workers.append(worker)
            if worker.stdout.readline() != "ready\n":
                raise Fault("a worker of BullMQ's ended")
        self.client = self.redis.client()

    def begin(self):
        for worker in self.workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()

    def own(self):
        return {"node": [worker.pid for worker in self.workers]}

    def part(self, label, thread):
        return "main threads" if thread == "main" else "other threads"

    def alive(self):
        return all(worker.poll() is None for worker in self.workers)

    def finished(self):
        return not any((self.client.llen("bull:mail:wait"), self.client.llen("bull:mail:active"),
                        self.client.zcard("bull:mail:delayed")))

    def check(self):
        if failed := self.client.zcard("bull:mail:failed"):
            raise Fault(f"BullMQ says that {failed} jobs failed")

    def close(self):
        for worker in self.workers:
            worker.stdin.close()
            worker.stdout.close()
            stop(worker)


class BullMqNoDelay(BullMq):
    """Beyond its documentation: on loopback a mail of more than one segment else waits 40 ms for an acknowledgment."""
    name, title = "bullmq-nodelay", "BullMQ, with TCP_NODELAY"
    without_delay = True


class BullMqAlways(BullMqNoDelay):
    name, title, fsync = "bullmq-always", "BullMQ, so and as durable as dispatchd", "always"
    durability = "Redis' append-only file, written to disk before each answer"


class Celery(Contestant):
    name, title = "celery", "Celery, smtplib"
    durability = BullMq.durability
    fsync = "everysec"

    def __init__(self, *args):
        super().__init__(*args)
        self.worker = None

    @staticmethod
    def missing():
        return "" if importlib.util.find_spec("celery") and importlib.util.find_spec("redis") else "python3-celery"

    def prepare(self):
        environment = {"BENCH_REDIS": self.url, "BENCH_SMTP_PORT": str(self.port),
                       "BENCH_MAIL": self.setup.peers_file()}
        os.environ.update(environment)
        sys.modules.pop("celery_tasks", None)
        sys.path.insert(0, str(PEERS))
        try:
            self.tasks = __import__("celery_tasks")
        finally:
            sys.path.remove(str(PEERS))
        for i in range(self.setup.events):
            self.tasks.send_mail.delay(event(i), address(i))
        self.client = self.redis.client()
        self.log = open(self.world.path("celery.log"), "wb")
        self.worker = start([sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "-Q", "idle",
                             "--concurrency", str(self.setup.connections), "--loglevel", "WARNING"],
                            env={**os.environ, "PYTHONPATH": str(PEERS)}, cwd=self.world.directory,
                            stdout=self.log, stderr=subprocess.STDOUT)
        wait_until(lambda: self.tasks.app.control.ping(timeout=0.5) and
                   len(family(self.worker.pid)) > self.setup.connections, "Celery's worker", 60)

    def begin(self):
        self.tasks.app.control.add_consumer("mail")

    def own(self):
        children = [pid for pid in family(self.worker.pid) if pid != self.worker.pid]
        return {"parent": [self.worker.pid], "workers": children}

    def part(self, label, thread):
        return label

    def alive(self):
        return self.worker.poll() is None

    def finished(self):
        return not self.client.llen("mail") and not self.client.hlen("unacked")

    def close(self):
        if self.worker is not None:
            stop(self.worker)
            self.log.close()
            self.tasks.app.close()
        with contextlib.suppress(AttributeError):
            self.client.close()


class CeleryAlways(Celery):
    name, title, fsync = "celery-always", "Celery, as durable as dispatchd", "always"
    durability = BullMqAlways.durability


ALL = {c.name: c for c in (SmtpSource, Dispatchd, BullMq, BullMqNoDelay, BullMqAlways, Celery, CeleryAlways)}
