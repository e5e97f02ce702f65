# SPDX-License-Identifier: MIT
"""A cluster under load, and what must be true of it after a fault.

    with Team("a", "b") as team:
        owner, began = team.owner(), team.now()
        owner.daemon.kill()
        team.take_over_from(owner, began)
        owner.start_daemon()
        team.settle()                  # all is told of, and the same everywhere
        team.check()                   # decided once, and sent at least once

The sink writes down each mail that it takes, with its Message-ID. What may arrive twice is told beforehand, by
`may_repeat`: mails that were in flight at the moment of a fault, and no others.
"""
import collections
import contextlib
import json
import os
import random
import sqlite3
import sys
import threading
import time
from email.parser import BytesHeaderParser
from pathlib import Path

import redis

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

import cluster  # noqa: E402
from smtp_peer import SmtpPeer  # noqa: E402
from world import BUILD, wait_until  # noqa: E402

ROUNDS = os.environ.get("DISPATCHD_CLUSTER_ROUNDS", "")
RESULTS = BUILD / "cluster.jsonl"  # a line for each fault that was caused
CUSTOMERS = 8                      # the last one has no address
REFUSED = (redis.RedisError, OSError)


def rounds(full, quick):
    """How often a fault is caused: `quick`, a number that was asked for, or all that a full run has."""
    return full if ROUNDS == "full" else int(ROUNDS or quick)


Taken = collections.namedtuple("Taken", "when member mail job")


class Sink(SmtpPeer):
    """A member's relay. Takes a moment for each mail, so that some are always in flight."""

    def __init__(self, path, member, taken):
        super().__init__(path=path, keep=False)
        self.member, self.taken = member, taken
        self.answers["body"] = lambda session, data: self._take(data)

    def _take(self, data):
        head = BytesHeaderParser().parsebytes(data)
        self.taken.append(Taken(time.monotonic(), self.member, head["Message-ID"], head["X-Dispatchd-Job"]))
        time.sleep(random.uniform(0, 0.1))
        return "250 2.0.0 taken"


class Load(threading.Thread):
    """Publishes until it is stopped: each event until Redis has it for sure, and some of them twice."""

    def __init__(self, team, rate):
        super().__init__(daemon=True)
        self.team, self.rate = team, rate
        self.published = {}  # id: (when, customer)
        self.doubtful = []  # of them, those that not all replicas had: a fail-over may lose them
        self.number = 0
        self.running, self.ended = threading.Event(), threading.Event()
        self.idle = threading.Event()

    def run(self):
        client = None
        while not self.ended.is_set():
            if not self.running.is_set():
                self.idle.set()
                self.ended.wait(0.02)
                continue
            self.idle.clear()
            try:
                client = client or self.team.redis.client()
                self._publish(client)
                self.number += 1
            except REFUSED:
                client = None
                self.ended.wait(0.2)
            self.ended.wait(1 / self.rate)

    def _publish(self, client):
        event = f"e{self.number}"
        customer = 1000 + self.number % CUSTOMERS
        for _ in range(2 if self.number % 7 == 0 else 1):
            client.xadd("jobs:events", {"id": event, "type": "job.completed", "job": event, "customer": customer})
        if self.team.redis.replicas and client.wait(1, 1000) < 1:
            raise redis.ConnectionError("no replica has it")
        if self.team.redis.replicas and client.wait(2, 50) < 2:
            self.doubtful.append(event)
        self.published[event] = (time.monotonic(), customer)

    def publish_doubtful(self):
        """As a publisher does that wants to be sure: an event that is known changes nothing."""
        try:
            client = self.team.redis.client()
            while self.doubtful:
                event = self.doubtful[-1]
                client.xadd("jobs:events", {"id": event, "type": "job.completed", "job": event,
                                            "customer": self.published[event][1]})
                if client.wait(2, 1000) < 2:
                    return False
                self.doubtful.pop()
            return True
        except REFUSED:
            return False

    def pause(self):
        self.running.clear()
        self.idle.wait()

    def stop(self):
        self.ended.set()
        self.join()


class Single:
    """One Redis that doesn't fail."""
    replicas = 0

    def __init__(self, first):
        self.server = first.start_redis()
        self.url = f"unix://{self.server.socket}?db=0"

    def client(self):
        return self.server.client()


class Member(cluster.Machine):
    folder = None  # of its databases

    def __init__(self, team, name, first, **more):
        self.team = team
        super().__init__(name, first, **more)
        self.name = name

    @property
    def redis_server(self):
        return self.team.redis

    def keep_in(self, folder):
        """Both databases are there, instead of in the world's own."""
        self.configure(spool={"path": f"{folder}/spool.db"}, customers={"path": f"{folder}/customers.db"})
        self.folder = folder

    def path(self, *parts):
        if self.folder and parts in (("spool.db",), ("customers.db",)):
            return os.path.join(self.folder, *parts)
        return super().path(*parts)

    def is_owner(self):
        try:
            return self.http("/readyz")[0] == 200
        except OSError:
            return False

    def in_flight(self):
        """Message-IDs of what it may have begun to send and not recorded."""
        with self.open("spool.db") as db:
            return {found for found, in db.execute("SELECT message_id FROM mail WHERE status = 'sending'")}

    @contextlib.contextmanager
    def open(self, name):
        with contextlib.closing(sqlite3.connect(f"file:{self.path(name)}?mode=ro", uri=True)) as db:
            yield db

    def customers(self):
        """Each table of customers.db, but for what each machine has of its own: role, changes on their way, and how
        the search index is cut into blocks."""
        with self.open("customers.db") as db:
            names = [n for n, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN "
                                            "('cluster', 'cluster_change', 'search', 'search_data', 'search_idx') AND "
                                            "name NOT LIKE 'sqlite_stat%' ORDER BY 1")]
            tables = {n: sorted(db.execute(f"SELECT * FROM {n}").fetchall(), key=repr) for n in names}
            tables["last change"] = db.execute("SELECT last FROM cluster").fetchall()
            return tables


class Watch(threading.Thread):
    """All that was in flight at some time between its start and its end."""

    def __init__(self, member):
        super().__init__(daemon=True)
        self.member, self.found, self.ended = member, set(), threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.05):
            self.found |= self.member.in_flight()

    def stop(self):
        self.ended.set()
        self.join()
        return self.found


class Team:
    def __init__(self, *names, lease="10s", rate=40, redis_of=Single, wrap=None):
        self.members = []
        for name in names:
            self.members.append(Member(self, name, self.members[0] if self.members else None, lease=lease))
        first = self.members[0]
        self.redis = redis_of(first)
        self.taken, self.sinks = [], []  # all of them write into one list
        for member in self.members:
            sink = Sink(member.path("smtp.sock"), member.name, self.taken)
            self.sinks.append(sink)
            member.wrap = (wrap or {}).get(member.name, ())
            member.configure(redis={"url": self.redis.url}, mail={"transport": "smtp"},
                             smtp={"relay": sink.relay, "tls": "none"})
        self.load = Load(self, rate)
        self.repeats = set()
        self.seen, self.read = collections.defaultdict(dict), "-"
        self.phones = 0

    now = staticmethod(time.monotonic)

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.load.is_alive():
            self.load.stop()
        for member in reversed(self.members):
            for daemon in member.daemons:
                daemon.end()
        for sink in self.sinks:
            sink.close()
        for member in reversed(self.members):
            member.close()

    def _start(self):
        first, *others = self.members
        for number in range(CUSTOMERS):
            address = ["--email", f"farm{number}@example.com"] if number < CUSTOMERS - 1 else []
            first.ctl("customer", "add", 1000 + number, "--name", f"Farm {number}", *address)
        first.start_daemon()
        first.wait_role("owner")
        for member in others:
            member.seed_from(first)
            member.start_daemon()
        for member in others:
            member.wait_role("standby")
        self.load.start()
        self.go_on()

    # ---- load

    def go_on(self):
        self.load.running.set()

    def wait_load(self, n):
        """Until so many more events were published."""
        want = self.load.number + n
        wait_until(lambda: self.load.number >= want, f"{n} events to be published", 60)

    def office_change(self):
        """One that is in the journal before anything else happens: the last second's may be lost with its machine."""
        self.phones += 1
        owner = self.owner()
        owner.ctl("customer", "set", "1000", "--phone", f"555 {self.phones:04}")
        wait_until(lambda: all("last change" in m.customers() and m.customers()["last change"] ==
                               owner.customers()["last change"] for m in self.members), "the office's change")

    # ---- who is what

    def owner(self):
        return wait_until(lambda: next((m for m in self.members if m.is_owner()), None), "an owner", 60)

    def may_repeat(self, member):
        self.repeats |= member.in_flight()

    watch = staticmethod(Watch)

    def take_over_from(self, former, began, fault):
        """Waits for another owner; records how long it took since the fault began."""
        others = [m for m in self.members if m is not former]

        def found_one():
            self.may_repeat(former)
            return next((m for m in others if m.is_owner()), None)

        found = wait_until(found_one, self.story, 60)
        record(fault=fault, takeover=self.now() - began)
        return found

    def story(self):
        return "\n".join(f"== {m.name}, {m.role()}: {m.log_tail()}" for m in self.members)

    # ---- what must be true

    def settle(self):
        """Stops the load, and waits until all is told of, and the same everywhere."""
        self.load.pause()
        wait_until(self.load.publish_doubtful, "all replicas to have what was published", 60)
        wait_until(self._all_told, self._untold, 60)
        wait_until(self._all_same, self._differences, 60)

    def check(self):
        """Once it has settled."""
        self._check_spools()
        self._check_outcomes()
        self._check_mails()

    def _outcomes(self):
        for entry, fields in self.redis.client().xrange("jobs:outcomes", min=self.read):
            self.read = f"({entry}"
            self.seen[fields["event"]][fields["id"]] = fields["status"]
        return self.seen

    def _last_of(self, event):
        return "suppressed" if self.load.published[event][1] == 1000 + CUSTOMERS - 1 else "sent"

    def _lacking(self):
        seen = self._outcomes()
        return [e for e in self.load.published if self._last_of(e) not in seen[e].values()]

    def _all_told(self):
        try:
            return not self._lacking() and self.redis.client().xpending("jobs:events", "dispatchd")["pending"] == 0
        except REFUSED:
            return False

    def _untold(self):
        lacking = self._lacking()
        return (f"outcomes of {len(lacking)} events: {[(e, self.seen[e]) for e in lacking[:5]]}, pending: "
                f"{self.redis.client().xpending('jobs:events', 'dispatchd')}\n{self.story()}")

    def _all_same(self):
        roles = sorted(str(m.role()) for m in self.members)
        return (roles == ["owner"] + ["standby"] * (len(self.members) - 1) and
                len({m.position() for m in self.members}) == 1 and not self._other_tables())

    def _other_tables(self):
        first, *others = ({**m.tables(), **{f"customers.{n}": rows for n, rows in m.customers().items()}}
                          for m in self.members)
        return [name for other in others for name in sorted({*first, *other}) if first.get(name) != other.get(name)]

    def _differences(self):
        positions = {m.name: (m.role(), m.position()[:2]) for m in self.members}
        return f"all to be the same: {positions}, differing: {self._other_tables()}\n{self.story()}"

    def _check_spools(self):
        for member in self.members:
            with member.open("spool.db") as db:
                rows = collections.Counter(event for event, in db.execute("SELECT event FROM event"))
            assert set(rows) == set(self.load.published), f"{member.name}: {set(rows) ^ set(self.load.published)}"
            assert not [e for e, n in rows.items() if n > 1], rows.most_common(5)

    def _check_outcomes(self):
        for event, told in self.seen.items():
            statuses = collections.Counter(told.values())
            want = {self._last_of(event): 1} if self._last_of(event) != "sent" else {"queued": 1, "sent": 1}
            assert {s: n for s, n in statuses.items() if s != "retrying"} == want, f"{event}: {told}"

    def _check_mails(self):
        ids = collections.defaultdict(collections.Counter)
        for taken in list(self.taken):
            ids[taken.job][taken.mail] += 1
        wanted = {e for e in self.load.published if self._last_of(e) == "sent"}
        assert set(ids) == wanted, f"never sent, or never to be sent: {sorted(set(ids) ^ wanted)[:5]}"
        assert all(len(mails) == 1 for mails in ids.values()), [j for j, mails in ids.items() if len(mails) > 1]
        twice = {mail for mails in ids.values() for mail, n in mails.items() if n > 1}
        assert twice <= self.repeats, f"{len(twice - self.repeats)} mails twice that weren't in flight\n{self.story()}"

    @property
    def twice(self):
        return sum(n > 1 for n in collections.Counter(t.mail for t in list(self.taken)).values())

    def first_mail_after(self, began):
        """Seconds until the sink had a mail of an event that was published behind that moment."""
        late = {e for e, (when, _) in self.load.published.items() if when > began}
        return next((t.when - began for t in list(self.taken) if t.job in late), None)


def record(**more):
    with open(RESULTS, "a", encoding="ascii") as file:
        file.write(json.dumps(more) + "\n")
