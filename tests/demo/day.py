#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The demo's events, its table of outcomes, one mail as text, and a look at the pages.

    day.py publish SOCKET | outcomes SOCKET | mail MAILDIR JOB | pages URL USER PASSWORD
"""
import datetime
import email
import email.policy
import json
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import redis

STREAM, OUTCOMES = "jobs:events", "jobs:outcomes"
CUSTOMERS = {"1001": "Maple Street Bakery", "1002": "Müller & Söhne Bau", "1003": "Harbor View Apartments",
             "1004": "Red Barn Storage", "1005": "Café Zoë", "1006": "Old Quarry"}

# Minutes ago, job, customer, what happened, what else is known.
DAY = [
    (420, "J-1001", "1001", "dispatched", {"driver": "Sam", "service": "30 yard roll-off, delivery"}),
    (410, "J-1002", "1002", "dispatched", {"driver": "Alex", "service": "Containertausch"}),
    (400, "J-1003", "1003", "dispatched", {"driver": "Robin", "service": "Recycling pickup"}),
    (390, "J-1004", "1004", "dispatched", {"driver": "Sam", "service": "Dumpster pickup"}),
    (380, "J-1005", "1005", "dispatched", {"driver": "Alex", "service": "Grease trap"}),
    (370, "J-1006", "1006", "dispatched", {"driver": "Robin"}),
    (350, "J-1001", "1001", "started", {"driver": "Sam"}),
    (340, "J-1002", "1002", "started", {"driver": "Alex"}),
    (335, "J-1002", "1002", "started", {"driver": "Alex", "note": "sent once more by a nervous phone"}),
    (300, "J-1001", "1001", "paused", {"reason": "The gate is locked", "driver": "Sam"}),
    (290, "J-1001", "1001", "started", {"driver": "Sam"}),
    (240, "J-1002", "1002", "completed", {"driver": "Alex", "note": "Container stand im Hof, Schlüssel beim Pförtner"}),
    (235, "J-1002", "1002", "started", {"driver": "Alex", "note": "came late: the phone had no signal"}),
    (200, "J-1003", "1003", "completed", {"driver": "Robin"}),
    (180, "J-1005", "1005", "started", {"driver": "Alex"}),
    (160, "J-1005", "1005", "failed", {"reason": "No access to the yard", "driver": "Alex"}),
    (120, "J-1001", "1001", "completed", {"driver": "Sam", "note": "Placed left of the loading dock"}),
    (60, "J-1007", "9999", "dispatched", {"note": "a customer nobody knows"}),
]


def connect(path):
    return redis.Redis(unix_socket_path=path, decode_responses=True)


def publish(path):
    server = connect(path)
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    for number, (ago, job, customer, state, data) in enumerate(DAY, 1):
        at = now - datetime.timedelta(minutes=ago)
        server.xadd(STREAM, {"id": f"demo-{number}", "source": "demo", "type": f"job.{state}", "job": job,
                             "customer": customer, "time": at.isoformat(), **data})
        time.sleep(0.15)  # a day has its pauses: a mail goes before the next state makes it pointless
    # The first event once more: a duplicate, which changes nothing. And one that is not an event.
    first = server.xrange(STREAM, count=1)[0][1]
    server.xadd(STREAM, first)
    server.xadd(STREAM, {"event": json.dumps({"id": "demo-broken", "type": "job.exploded", "job": "J-1", "customer": 1001})})
    print(f"{len(DAY) + 2} events published on {STREAM}, among them a duplicate, a late one and a broken one")


def latest(server):
    """What became of each event for each contact: the last outcome of the two."""
    found = {}
    for _, outcome in server.xrange(OUTCOMES):
        key = outcome.get("event"), outcome.get("source"), outcome.get("contact") or outcome.get("to")
        if "contact" in outcome and (key[0], key[1], None) in found:
            found.pop((key[0], key[1], None))
        found[key] = outcome
    return list(found.values())


def settled(server):
    outcomes = latest(server)
    events = {o.get("event") for o in outcomes if o.get("source") == "demo"}
    waiting = [o for o in outcomes if o["status"] in ("queued", "retrying")]
    wanted = {f"demo-{n}" for n in range(1, len(DAY) + 1)}
    own = [o for o in outcomes if o.get("job") == "J-2001"]
    return wanted <= events and len(own) >= 2 and not waiting


def outcomes(path):
    server = connect(path)
    end = time.monotonic() + 30
    while not settled(server):
        if time.monotonic() > end:
            print("(some were still under way after 30 seconds)")
            break
        time.sleep(0.1)
    row = "  {:7} {:15} {:11} {:20} {:26} {}"
    print(row.format("job", "event", "status", "reason", "to", "customer"))
    for o in latest(server):
        why = o.get("reason", "")
        to = o.get("to", "")
        if o.get("due") and o["status"] == "deferred":
            to = "until " + o["due"][:16].replace("T", " ") + " UTC"
        print(row.format(o.get("job", "?"), o.get("type", "?"), o["status"], why, to,
                         CUSTOMERS.get(o.get("customer"), o.get("customer", ""))))
    print(f"  {server.xlen('jobs:dead')} dead letters on jobs:dead, each with its reason")


def mail(maildir, job):
    """The last mail about a job, its headers and its text decoded."""
    files = sorted(Path(maildir, "new").iterdir(), key=lambda p: p.stat().st_mtime_ns)
    for file in reversed(files):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        if message.get("X-Dispatchd-Job") == job:
            break
    else:
        sys.exit(f"no mail about {job} in {maildir}")
    for name in ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To"):
        if message[name]:
            print(f"  {name}: {message[name]}")
    print()
    for line in message.get_body(("plain",)).get_content().splitlines():
        print("  " + line)
    print(f"\n  ({len(files)} mails in all)")


def pages(url, user, password):
    """Logs in and looks for a customer, as a dispatcher would."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    form = urllib.parse.urlencode({"name": user, "password": password}).encode()
    opener.open(f"{url}/login", form, timeout=20)
    found = json.load(opener.open(f"{url}/api/v1/customers?q=bakery", timeout=20))["customers"]
    page = opener.open(f"{url}/customers/{found[0]['number']}", timeout=20).read().decode()
    if found[0]["name"] not in page:
        sys.exit(f"the page of {found[0]['name']} is not what it should be")
    print(f"  {url}  user {user}, password {password}")
    print(f"  \"bakery\" finds {found[0]['name']}; its page weighs {len(page.encode()) / 1000:.0f} kB")


if __name__ == "__main__":
    {"publish": publish, "outcomes": outcomes, "mail": mail, "pages": pages}[sys.argv[1]](*sys.argv[2:])
