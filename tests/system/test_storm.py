# SPDX-License-Identifier: MIT
"""A bad hour, made short: dispatchd and Redis are killed again and again while events come in, and the relay breaks
off wherever it likes. No notice is lost, none goes out as another mail, each event is decided once."""
import random
import re
import threading
import time
from collections import Counter, defaultdict

import redis

from smtp_peer import Drop
from world import wait_until

JOBS, CUSTOMERS, STATES = 150, 10, ("job.dispatched", "job.started", "job.completed")
BLOWS = 8
DECIDED = ("queued", "suppressed", "expired", "deferred", "rejected")
ENDED = ("sent", "superseded")


def header(mail, name):
    return re.search(rf"(?im)^{name}:\s*(.*?)\r?$", mail.text).group(1)


class Publisher(threading.Thread):
    """Dispatch software: each state of each job, one in ten twice; it tries again until Redis has it."""

    def __init__(self, world, chance):
        super().__init__()
        self.client, self.chance, self.ids = world.redis_server.client(), chance, []

    def run(self):
        for state in STATES:
            for job in range(JOBS):
                event = {"id": f"{job}/{state}", "type": state, "job": job, "customer": 1000 + job % CUSTOMERS}
                for _ in range(1 + (self.chance.random() < 0.1)):
                    self.publish(event)
                self.ids.append(event["id"])
                time.sleep(0.01)

    def publish(self, event):
        while True:
            try:
                return self.client.xadd("jobs:events", event)
            except (redis.ConnectionError, redis.ResponseError):  # away; loading its file
                time.sleep(0.02)


def break_off(peer, chance):
    def sometimes(part, what):
        return lambda session, text: what if chance.random() < part else None
    peer.answers.update({"greeting": sometimes(0.05, "421 4.3.2 busy"), "mail": sometimes(0.01, "421 4.3.2 closing"),
                         "rcpt": sometimes(0.01, Drop()), "data": sometimes(0.01, Drop()),
                         "body": sometimes(0.02, Drop())})


def strike(world, chance):
    if chance.random() < 0.7:
        world.daemon.kill()
        world.start_daemon(ready=False)
    else:
        world.redis_server.stop()
        time.sleep(chance.uniform(0, 0.3))
        world.redis_server.start()


def nothing_is_left(world):
    """Mails in doubt would wait for a minute: the admin sends them at once."""
    left = [mail for status in ("retrying", "queued", "sending") for mail in
            world.ctl_json("mail", "list", "--status", status)]
    for mail in left:
        if mail["status"] == "retrying":
            world.ctl("mail", "retry", mail["id"], check=False)
    return not left


def test_storm(world, smtp):
    chance = random.Random(7)
    world.redis_server.stop()
    world.redis_server.args += ["--appendonly", "yes", "--appendfsync", "always"]  # what it took, it keeps
    world.redis_server.start()
    for n in range(CUSTOMERS):
        world.ctl("customer", "add", 1000 + n, "--name", f"Customer {n}", "--email", f"c{n}@example.com")
    break_off(smtp, chance)
    world.start_daemon()
    publisher = Publisher(world, chance)
    publisher.start()
    for _ in range(BLOWS):
        time.sleep(chance.uniform(0.2, 0.6))
        strike(world, chance)
    publisher.join()
    smtp.answers.clear()
    world.wait_idle(timeout=30)
    wait_until(lambda: nothing_is_left(world), "the mails to go", timeout=60)
    world.outcomes(wait_for={"event": publisher.ids[-1], "status": "sent"})
    outcomes = {}
    for outcome in world.outcomes():
        content = {key: value for key, value in outcome.items() if key != "entry"}
        assert outcomes.setdefault(content["id"], content) == content  # published again, it is the same
    check_events(list(outcomes.values()), publisher.ids)
    check_mails(smtp.mails)
    assert world.redis.xlen("jobs:dead") == 0


def check_events(outcomes, ids):
    decided = Counter(o["event"] for o in outcomes if o["status"] in DECIDED)
    ended = {o["event"] for o in outcomes if o["status"] in ENDED}
    retried = {o["event"] for o in outcomes if o["status"] == "retrying"}  # by hand they are queued once more
    assert set(decided) == set(ids)
    assert {event for event, times in decided.items() if times > 1} <= retried
    assert ended == set(ids)


def check_mails(mails):
    """One mail a job and state: what arrived twice is the same one. Each customer heard of the end."""
    sent = defaultdict(set)
    for mail in mails:
        sent[header(mail, "X-Dispatchd-Job"), header(mail, "Subject")].add(header(mail, "Message-ID"))
    assert all(len(ids) == 1 for ids in sent.values())
    assert sum(subject.startswith("Completed") for _, subject in sent) == JOBS
