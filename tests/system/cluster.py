# SPDX-License-Identifier: MIT
"""Machines of one cluster: worlds of their own that share a Redis and a relay's folder.

    with cluster.start("a", "b") as machines:
        machines.a.start_daemon() …
"""
import contextlib
import os
import sqlite3
import time

from world import PATIENCE, World, wait_until

KEY = "0f" * 32
OWNER, STANDBY, JOINING = 'dispatchd_role{role="owner"}', 'dispatchd_role{role="standby"}', 'dispatchd_role{role="joining"}'


class Machine(World):
    """A member. All use the first one's Redis, and mail into one Maildir."""

    def __init__(self, name, first=None, lease=f"{2 * PATIENCE:g}s", cluster=None):
        super().__init__()
        self.first = first or self
        key = self.path("cluster.key")
        with open(key, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(KEY + "\n")
        self.configure(redis={"url": f"unix://{self.first.path('redis.sock')}?db=0", "consumer": name},
                       mail={"maildir": self.first.path("mail")},
                       cluster={"name": "team", "lease": lease, "key_file": key, **(cluster or {})})

    @property
    def redis_server(self):
        return self.first.__dict__.setdefault("_server", None) or self._start()

    def _start(self):
        self.first.__dict__["_server"] = self.first.start_redis()
        return self.first.__dict__["_server"]

    @property
    def redis(self):
        return self.redis_server.client()

    def see(self, entry, fields):
        """A new owner publishes the last minute again: a reader drops what it has."""
        if all(one["id"] != fields["id"] for one in self.seen):
            super().see(entry, fields)

    def role(self):
        try:
            found = self.metrics()
        except OSError:
            return None
        return next((role.split('"')[1] for role in (OWNER, STANDBY, JOINING) if found.get(role)), None)

    def wait_role(self, role, timeout=20.0):
        wait_until(lambda: self.role() == role, lambda: f"{role}, not {self.role()}: {self.log_tail()}", timeout)

    def seed_from(self, owner):
        """As the manual says it: a backup of the owner's, restored here."""
        folder = self.path(f"seed-{time.monotonic_ns()}")
        owner.ctl("backup", folder)
        self.ctl("restore", "--force", folder)

    def tables(self):
        """Each table of spool.db with its rows, but for what each machine has of its own."""
        with contextlib.closing(sqlite3.connect(f"file:{self.path('spool.db')}?mode=ro", uri=True)) as db:
            names = [n for n, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                                            "'sqlite_%' ORDER BY 1") if n != "journal_position"]
            return {n: sorted(db.execute(f"SELECT * FROM {n}").fetchall(), key=repr) for n in names}

    def position(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.path('spool.db')}?mode=ro", uri=True)) as db:
            return db.execute("SELECT number, epoch, seal FROM journal_position").fetchone()


@contextlib.contextmanager
def start(*names, **more):
    machines = []
    try:
        for name in names:
            machines.append(Machine(name, machines[0] if machines else None, **more))
        yield machines
    finally:
        for machine in reversed(machines):
            machine.close()
