#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How dispatch software talks to dispatchd, in Python: see README.md beside this file.

    client.py publish STATE JOB CUSTOMER REVISION [KEY=VALUE ...]
    client.py ask create|dispatch JOB CUSTOMER REVISION [KEY=VALUE ...]
    client.py outcomes GROUP [COUNT]
    client.py partition CUSTOMER ...
"""
import os
import socket
import sys
import time
import zlib

import redis

ANSWER_WITHIN_S = float(os.environ.get("ANSWER_WITHIN_S", "5"))
PARTITIONS = int(os.environ.get("PARTITIONS", "1"))
REMEMBER_S = 7 * 24 * 3600  # how long a repeat is recognized


def partition(customer):
    """Which of the daemons that share the customers has this one: by the bytes of its number in UTF-8."""
    return zlib.crc32(customer.encode()) % PARTITIONS


def stream(name, customer):
    """The stream of that daemon: `jobs:events` where there is one, else `jobs:events:0` and so on."""
    return f"{name}:{partition(customer)}" if PARTITIONS > 1 else name


def publish(r, state, job, customer, revision, data):
    """Adds a job event. Its id is made from the job's own record, so that a repeat after a lost reply is
    recognized: say it again until Redis has answered."""
    event = {"id": f"{job}:{state}:{revision}", "source": "example", "type": f"job.{state}",
             "job": job, "customer": customer}
    return r.xadd(stream("jobs:events", customer), {**data, **event})


def ask(r, action, job, customer, revision, data):
    """Asks the gate and waits for its answer, (status, reason); None where none came in time. Asked again with the
    same revision it acts once, and the recorded answer comes again."""
    number = f"{job}:{action}:{revision}"
    latest = r.xrevrange("jobs:outcomes", count=1)
    last = latest[0][0] if latest else "0-0"  # the answer comes behind this one
    r.xadd(stream("jobs:requests", customer), {**data, "id": number, "source": "example", "type": f"job.{action}",
                                               "job": job, "customer": customer})
    end = time.monotonic() + ANSWER_WITHIN_S
    while (left := end - time.monotonic()) > 0:
        for _, entries in r.xread({"jobs:outcomes": last}, count=100, block=max(1, int(left * 1000))):
            for last, outcome in entries:
                if outcome["event"] == number and outcome["source"] == "example":
                    return outcome["status"], outcome["reason"]
    return None


def outcomes(r, group, count, handle):
    """Reads outcomes as a member of a consumer group until `count` were handled. First come those that this member
    read before and did not acknowledge. Each is handled once, unless this program dies between handling it and
    remembering it: where that matters, write the outcome's id and what follows from it in one transaction."""
    try:
        r.xgroup_create("jobs:outcomes", group, id="0", mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
    member = socket.gethostname()
    after = "0"
    while count > 0:
        block = None if after != ">" else 1000
        read = r.xreadgroup(group, member, {"jobs:outcomes": after}, count=min(count, 100), block=block)
        entries = read[0][1] if read else []
        if after != ">" and not entries:
            after = ">"  # nothing is left of what was read before
        for entry, outcome in entries:
            seen = f"{group}:seen:{outcome['id']}" if outcome else None  # None: trimmed before it was handled
            if seen and not r.exists(seen):
                handle(outcome)
                r.set(seen, "1", ex=REMEMBER_S)
                count -= 1
            r.xack("jobs:outcomes", group, entry)


def main(args):
    r = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"), decode_responses=True)
    if len(args) >= 5 and args[0] in ("publish", "ask"):
        data = dict(pair.split("=", 1) for pair in args[5:])
        if args[0] == "publish":
            print(publish(r, *args[1:5], data))
            return 0
        answer = ask(r, *args[1:5], data)
        print(*(answer or ["no answer yet"]))
        return 0 if answer else 75
    if len(args) in (2, 3) and args[0] == "outcomes":
        count = int(args[2]) if len(args) == 3 else sys.maxsize
        outcomes(r, args[1], count, lambda o: print(o["id"], o["event"], o["status"], o["reason"], flush=True))
        return 0
    if len(args) >= 2 and args[0] == "partition":
        print(*map(partition, args[1:]), sep="\n")
        return 0
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
