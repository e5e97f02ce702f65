# SPDX-License-Identifier: MIT
"""A processing list belongs to its consumer; under another name it waits until that one counts as gone."""
from kit import add_customer

EVENT = '{"id": "%d", "type": "job.completed", "job": "J%d", "customer": "1001"}'


def test_items_under_an_old_name_are_told(world):
    add_customer(world)
    world.configure(redis={"list": "jobs*list", "consumer": "new"})
    world.redis.lpush("jobs*list:processing:old", EVENT % (1, 1), EVENT % (2, 2))
    world.redis.lpush("jobs*list:processing:new", EVENT % (3, 3))
    world.redis.lpush("jobsXlist:processing:other", "of another list")
    daemon = world.start_daemon()
    daemon.wait_log("processing=jobs*list:processing:old")
    world.outcomes(wait_for={"event": "3", "status": "sent"})
    assert daemon.log().count("another consumer holds items") == 1, daemon.log()
    assert world.redis.llen("jobs*list:processing:old") == 2
