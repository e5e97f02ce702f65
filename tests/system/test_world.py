# SPDX-License-Identifier: MIT
"""The harness itself: what the other tests stand on."""
import os

import pytest

from world import wait_until


def test_world_is_private_and_goes_away():
    from world import World
    first, second = World(), World()
    first.xadd(id="1", type="job.started", job="1", customer="1")
    assert first.redis.xlen("jobs:events") == 1
    assert second.redis.xlen("jobs:events") == 0
    first.close()
    assert not os.path.exists(first.directory)
    assert second.redis.ping()
    second.close()


def test_configuration_is_written(world):
    world.configure(redis={"list": "jobs:list", "consumer": None}, notify={"group_wait": "5s"})
    text = open(world.config_path, encoding="utf-8").read()
    assert "list = jobs:list" in text
    assert "consumer" not in text
    assert "[notify]\ngroup_wait = 5s" in text


def test_outcomes_are_read_once_and_found(world):
    world.redis.xadd("jobs:outcomes", {"id": "1", "status": "queued"})
    assert world.outcomes(wait_for={"status": "queued"})["id"] == "1"
    world.redis.xadd("jobs:outcomes", {"id": "2", "status": "sent"})
    assert [o["id"] for o in world.outcomes()] == ["1", "2"]
    with pytest.raises(AssertionError, match="in vain"):
        world.outcomes(wait_for={"status": "failed"}, timeout=0.05)


def test_redis_comes_back_empty(world):
    world.xadd(id="1", type="job.started", job="1", customer="1")
    world.restart_redis()
    wait_until(lambda: world.redis.exists("jobs:events") == 0, "an empty Redis", 2)
