#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Batch answers of dispatchctl explain a second, on one core, over customers as a firm has them.

    make && tests/bench/parts/explain.py [COUNT]

The contract's issue asks for 20,000 a second. A ratio to Python's own json.loads over the same lines is
printed beside it, so that two machines can be compared.
"""
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
ZONES = ("America/Denver", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", None)
STATES = ("dispatched", "started", "completed", "failed", "paused", "cancelled")
WEEK = ("07:00-12:00,13:00-17:00", "22:00-06:00", "08:00-24:00")


def fill(path, dice):
    """Six hundred customers: heads with sites, one or two contacts, hours, dates, a suspension here and there."""
    db = sqlite3.connect(path)
    for i in range(1, 601):
        parent = dice.randrange(1, 61) if i > 60 and i % 2 else None
        db.execute("INSERT INTO customer (id, number, name, parent, timezone) VALUES (?, ?, ?, ?, ?)",
                   (i, str(1000 + i), f"Customer {i}", parent, dice.choice(ZONES)))
        for n in range(dice.choice((1, 1, 2, 3))):
            db.execute("INSERT INTO contact (customer, name, email, all_sites) VALUES (?, ?, ?, ?)",
                       (i, f"Contact {n}", f"c{i}.{n}@example.com", int(i <= 60 and n == 0)))
        if i % 3:
            db.executemany("INSERT INTO hours_week VALUES (?, ?, ?)",
                           [(i, day, dice.choice(WEEK)) for day in range(5)])
        if i % 10 == 0:
            db.execute("INSERT INTO hours_date VALUES (?, '2026-12-25', '')", (i,))
        if i % 8 == 0:
            db.execute('INSERT INTO suspension (customer, scopes, "from", until, note) VALUES (?, ?, ?, ?, ?)',
                       (i, "emails,routes", "2026-05-01", "2026-07-01", "account past due"))
    db.commit()
    db.close()


def batch(count, dice):
    for i in range(count):
        when = f"2026-{dice.randrange(1, 13):02}-{dice.randrange(1, 28):02}T{dice.randrange(24):02}:15:00-07:00"
        yield json.dumps({"at": when, "event": {
            "id": f"8f2c-{i}", "source": "//dispatch.example.com", "type": "job." + dice.choice(STATES), "time": when,
            "job": 4000 + i, "customer": str(1001 + dice.randrange(600)),
            "data": {"driver": "Sam", "service": "Roll-off exchange", "reference": f"PO {i}", "route": "north-2"}}})


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    dice = random.Random(4711)
    with tempfile.TemporaryDirectory() as home:
        conf = f"{home}/dispatchd.conf"
        with open(conf, "w", encoding="utf-8") as f:
            f.write(f"[customers]\npath = {home}/customers.db\n[spool]\npath = {home}/spool.db\n"
                    "[rules]\ntimezone = America/Denver\n")
        ctl = [f"{BUILD}/dispatchctl", "-c", conf]
        subprocess.run(ctl + ["customer", "add", "1", "--name", "First"], check=True, stdout=subprocess.DEVNULL)
        db = sqlite3.connect(f"{home}/customers.db")
        db.execute("DELETE FROM customer")
        db.commit()
        db.close()
        fill(f"{home}/customers.db", dice)
        lines = "\n".join(batch(count, dice))
        begin = time.process_time()
        for line in lines.split("\n"):
            json.loads(line)
        plain = time.process_time() - begin
        with open(f"{home}/batch.jsonl", "w", encoding="utf-8") as f:
            f.write(lines)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(f"{home}/answers", "wb") as out:
            subprocess.run(ctl + ["explain", "--batch", f"{home}/batch.jsonl"], check=True, stdout=out, timeout=300)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        with open(f"{home}/answers", encoding="utf-8") as answers:
            said = [json.loads(line) for line in answers]
        assert len(said) == count and {"queued", "deferred", "suppressed"} <= {a["status"] for a in said}
    print(f"explain --batch: {count / took:.0f} answers a second of one core ({plain / took:.2f} of json.loads)")


if __name__ == "__main__":
    main()
