# SPDX-License-Identifier: MIT
"""An entry that is too large to be read at all: put aside with its id, and what is behind it goes on."""
import json

import pytest

from kit import add_customer
from world import wait_until

pytestmark = pytest.mark.long
PATIENCE_S = 90


def event(number):
    return json.dumps({"id": str(number), "type": "job.completed", "job": f"j{number}", "customer": "1001"})


def add_giant(world, size=40 << 20, stream="jobs:events", field="event"):
    world.redis.config_set("proto-max-bulk-len", 200 << 20)
    return world.redis.xadd(stream, {field: "x" * size})


def dead_entries(world):
    return [fields["dead_entry"] for _, fields in world.redis.xrange("jobs:dead")]


def goes_on(world, giants, numbers):
    wait_until(lambda: len(world.mails()) >= len(numbers), lambda: world.log_tail(), PATIENCE_S)
    wait_until(lambda: len(dead_entries(world)) >= len(giants), lambda: world.log_tail(), PATIENCE_S)
    assert sorted(dead_entries(world)) == sorted(giants)
    world.wait_idle(timeout=PATIENCE_S)
    assert len(world.mails()) == len(numbers)


@pytest.fixture(name="farm")
def _farm(world):
    add_customer(world)
    return world


@pytest.mark.parametrize("size", [33 << 20, 60 << 20])
def test_an_entry_too_large_to_be_read_is_put_aside(farm, size):
    """Among others, before them and behind."""
    giants = [add_giant(farm, size)]
    for number in range(3):
        farm.redis.xadd("jobs:events", {"event": event(number)})
    giants.append(add_giant(farm, size))
    farm.redis.xadd("jobs:events", {"event": event(3)})
    farm.start_daemon(ready=False)
    goes_on(farm, giants, range(4))
    wait_until(lambda: farm.http("/readyz")[0] == 200, lambda: farm.http("/readyz"), PATIENCE_S)
    for _, fields in farm.redis.xrange("jobs:dead"):
        assert fields["dead_reason"] == "malformed" and "too large" in fields["dead_detail"]


def test_what_comes_while_the_daemon_runs_is_put_aside_too(farm):
    farm.start_daemon()
    giant = add_giant(farm)
    farm.redis.xadd("jobs:events", {"event": event(1)})
    goes_on(farm, [giant], [1])


def test_a_giant_that_another_consumer_left_is_put_aside(farm):
    """It is claimed over the connection for commands."""
    farm.configure(redis={"claim_after": "2s"})
    farm.redis.xgroup_create("jobs:events", "dispatchd", id="0", mkstream=True)
    giant = add_giant(farm)
    farm.redis.xreadgroup("dispatchd", "gone", {"jobs:events": ">"}, count=1)
    farm.redis.xadd("jobs:events", {"event": event(1)})
    farm.start_daemon()
    goes_on(farm, [giant], [1])
    assert farm.redis.xpending("jobs:events", "dispatchd")["pending"] == 0


def test_a_giant_customer_of_the_feed_is_put_aside(farm):
    giant = add_giant(farm, stream="customers:changes", field="customer")
    farm.redis.xadd("customers:changes", {"customer": json.dumps({"number": "2002", "name": "Behind it"})})
    farm.redis.xadd("jobs:events", {"event": event(1)})
    farm.start_daemon(ready=False)
    goes_on(farm, [giant], [1])
    wait_until(lambda: farm.ctl("customer", "show", "2002", check=False).returncode == 0, lambda: farm.log_tail(), PATIENCE_S)


def test_a_giant_in_the_list_is_moved_aside(farm):
    """A list's item has no id; it lies in a list of its own."""
    farm.configure(redis={"list": "jobs:list"})
    farm.redis.config_set("proto-max-bulk-len", 200 << 20)
    farm.redis.lpush("jobs:list", event(0))
    farm.redis.lpush("jobs:list", "x" * (40 << 20))
    for number in range(1, 4):
        farm.redis.lpush("jobs:list", event(number))
    farm.start_daemon(ready=False)
    goes_on(farm, [""], range(4))
    wait_until(lambda: farm.redis.llen("jobs:list:processing:test") == 0, lambda: farm.log_tail(), PATIENCE_S)
    assert farm.redis.llen("jobs:list:too-large") == 1
    wait_until(lambda: farm.http("/readyz")[0] == 200, lambda: farm.http("/readyz"), PATIENCE_S)


def test_a_giant_in_another_consumer_s_list_is_reported_once(farm):
    """It can't be looked at, so that list stays; the rest goes on."""
    farm.configure(redis={"list": "jobs:list", "claim_after": "2s"})
    farm.redis.config_set("proto-max-bulk-len", 200 << 20)
    farm.redis.lpush("jobs:list:processing:gone", "x" * (40 << 20))
    for n in range(1, 5):  # they are looked at in any order
        farm.redis.lpush(f"jobs:list:processing:left{n}", event(n))
    farm.redis.lpush("jobs:list", event(0))
    farm.start_daemon()
    wait_until(lambda: len(farm.mails()) >= 5, lambda: farm.log_tail(), PATIENCE_S)
    wait_until(lambda: farm.http("/readyz")[0] == 200, lambda: farm.http("/readyz"), PATIENCE_S)
    assert farm.daemon.log().count("can't be taken over: its oldest item") == 1
    assert "remove it by hand processing=jobs:list:processing:gone" in farm.daemon.log()
    assert farm.redis.llen("jobs:list:processing:gone") == 1
