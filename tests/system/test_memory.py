# SPDX-License-Identifier: MIT
"""Large legal events, in numbers: 64 MiB hold them, whichever way they come and whatever Redis or the relay does."""
import json

import pytest

from kit import add_customer
from world import SANITIZED, WRAP, free_port, wait_until

pytestmark = [pytest.mark.long, pytest.mark.skipif(SANITIZED or bool(WRAP), reason="a sanitizer keeps what is freed")]

MANY, SIZE, LIMIT_MIB = 100, 250_000, 64  # 25 MB of text: five times that is what went wrong
PATIENCE_S = 240


def event(number, kind="job.started", customer="1001"):
    return json.dumps({"id": str(number), "type": kind, "job": f"j{number}", "customer": customer,
                       "data": {"note": "x" * SIZE}})


def peak_mib(world):
    with open(f"/proc/{world.daemon.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def publish(world, key, text):
    for number in range(MANY):
        world.redis.xadd(key, {"event": text(number)})


def counted(world, name):
    return sum(value for key, value in world.metrics().items() if key.startswith(name))


def wait_counted(world, name, count):
    wait_until(lambda: counted(world, name) >= count, lambda: f"{count} {name}; {world.metrics()}", PATIENCE_S)


def decided(world, count=MANY):
    wait_counted(world, "dispatchd_events_total", count)


def check(world):
    assert peak_mib(world) < LIMIT_MIB, world.log_tail()


def test_a_stream_of_large_events(world):
    """Read, decided, and the first of them mailed."""
    add_customer(world)
    publish(world, "jobs:events", event)
    world.start_daemon()
    decided(world)
    wait_until(lambda: len(world.mails()) >= 20, "mails", PATIENCE_S)
    check(world)


def test_a_list_of_large_events(world):
    world.configure(redis={"list": "jobs:list"})
    add_customer(world)
    for number in range(MANY):
        world.redis.lpush("jobs:list", event(number))
    world.start_daemon()
    decided(world)
    wait_until(lambda: world.redis.llen("jobs:list:processing:test") == 0, "all to be acknowledged", PATIENCE_S)
    check(world)


def test_a_channel_of_large_events(world):
    """A channel can't wait: what there is no room for is counted or, where Redis cuts us off, said."""
    world.configure(redis={"channel": "jobs:channel"})
    add_customer(world)
    world.start_daemon()
    wait_until(lambda: world.redis.publish("jobs:channel", event(0)), "the subscription")
    for number in range(1, MANY):
        world.redis.publish("jobs:channel", event(number))
    wait_until(lambda: counted(world, "dispatchd_events_total") + counted(world, "dispatchd_channel_lost_total") >= MANY
               or "subscribed again" in world.daemon.log(), "all to be accounted for", PATIENCE_S)
    check(world)


def test_a_feed_of_large_customers(world):
    for number in range(MANY):
        world.redis.xadd("customers:changes", {"customer": json.dumps(
            {"number": str(number), "name": "Large", "location_notes": "x" * SIZE})})
    world.start_daemon()
    world.wait_idle("customers:changes", timeout=PATIENCE_S)
    check(world)


def test_large_requests_held_and_released(world):
    """All held jobs are looked at when the suspension ends, not all at once."""
    add_customer(world)
    world.ctl("suspend", "1001", "--scope", "routes", "--note", "unpaid")
    publish(world, "jobs:requests", lambda n: event(n, "job.dispatch"))
    world.start_daemon()
    held, released = ('dispatchd_outcomes_total{status="%s"' % status for status in ("held", "released"))
    wait_counted(world, held, MANY)
    world.ctl("resume", "1001")
    wait_counted(world, released, MANY)
    wait_until(lambda: world.redis.xlen("jobs:dispatch") == MANY, "all on their stream", PATIENCE_S)
    check(world)


def test_large_events_of_unknown_customers(world):
    """They wait their grace on the disk, and leave it as dead letters."""
    world.configure(customers={"grace": "5s"})
    publish(world, "jobs:events", event)
    world.start_daemon()
    wait_until(lambda: world.redis.xlen("jobs:dead") == MANY, "the dead letters", PATIENCE_S)
    check(world)


@pytest.mark.parametrize("trouble", ["no relay", "outcomes refused"])
def test_large_events_when_nothing_goes_out(world, trouble):
    if trouble == "no relay":
        world.configure(mail={"transport": "smtp"}, smtp={"relay": f"127.0.0.1:{free_port()}"})
    else:
        world.redis.set("jobs:outcomes", "a string")
    add_customer(world)
    publish(world, "jobs:events", event)
    world.start_daemon()
    decided(world)
    world.wait_idle(timeout=PATIENCE_S)
    check(world)


SMALL = {"objects": "[" + ",".join(['{"a":1}'] * 22_000) + "]", "empties": "[" + ",".join(["{}"] * 80_000) + "]",
         "arrays": "[" + ",".join(["[]"] * 80_000) + "]", "numbers": "[" + ",".join(["1"] * 120_000) + "]",
         "names": "{" + ",".join(f'"k{i}":{{}}' for i in range(18_000)) + "}"}


@pytest.mark.parametrize("case", SMALL)
def test_mails_of_many_small_values(world, case):
    """In memory they are many times their text, and in a mail's data several times that: the note is told all the
    same, what doesn't fit isn't."""
    add_customer(world)
    world.start_daemon()
    for number in range(20):
        world.redis.xadd("jobs:events", {"event": (
            f'{{"id":"{number}","type":"job.completed","job":"j{number}","customer":"1001",'
            f'"data":{{"note":"by the gate {number}","rows":{SMALL[case]}}}}}')})
    wait_until(lambda: len(world.mails()) >= 20, lambda: world.log_tail(), PATIENCE_S)
    assert sum(b"by the gate" in mail for mail in world.mails()) == 20
    check(world)
