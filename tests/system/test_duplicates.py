# SPDX-License-Identifier: MIT
"""(`source`, `id`) is decided once, however often and by whatever way it comes."""
import json

from kit import add_customer, outcomes_of, wait_outcome
from world import wait_until

EVENT = {"id": "1", "source": "app", "type": "job.completed", "job": "4711", "customer": "1001", "driver": "Sam"}
ONE_MAIL = [("queued", "ok"), ("sent", "ok")]


def counted(world, name, value):
    wait_until(lambda: world.metrics().get(name) == value, lambda: f"{name} = {value}: {world.metrics()}", 5)


def test_again_and_again(world, smtp):
    add_customer(world)
    world.start_daemon()
    for _ in range(3):
        world.xadd_fields(EVENT)
    wait_outcome(world, "1", "sent")
    for _ in range(3):
        world.xadd_fields(EVENT)
    world.wait_idle()
    counted(world, "dispatchd_duplicates_total", 5)
    assert outcomes_of(world, "1") == ONE_MAIL
    assert len(world.outcomes()) == 2 and len(smtp.mails) == 1, "a duplicate publishes nothing"
    assert "other content" not in world.daemon.log()
    assert world.redis.xlen("jobs:dead") == 0


def test_another_source_is_another_event(world, smtp):
    """Two sources may number alike; the job's second `completed` then repeats its state."""
    add_customer(world)
    world.start_daemon()
    for source in ("app", "App", ""):
        world.xadd_fields({**EVENT, "source": source, "job": f"job of {source}"})
    world.outcomes(wait_for={"status": "sent"}, count=3)
    assert len(smtp.mails) == 3


def test_other_content_under_the_same_id(world, smtp):
    add_customer(world)
    world.start_daemon()
    world.xadd_fields(EVENT)
    wait_outcome(world, "1", "sent")
    world.xadd_fields({**EVENT, "driver": "Kim"})
    world.xadd_fields({**EVENT, "type": "job.failed"})
    world.wait_idle()
    world.daemon.wait_log("duplicate with other content source=app id=1")
    counted(world, "dispatchd_duplicates_differing_total", 2)
    assert outcomes_of(world, "1") == ONE_MAIL and len(smtp.mails) == 1


def test_the_order_of_members_is_no_other_content(world):
    add_customer(world)
    world.start_daemon()
    world.xadd_fields(dict(reversed(EVENT.items())))
    world.xadd(event=json.dumps({**{k: v for k, v in EVENT.items() if k != "driver"}, "data": {"driver": "Sam"}}))
    world.xadd_fields({**{k: v for k, v in EVENT.items() if k != "driver"}, "data": '{ "driver" : "Sam" }'})
    wait_outcome(world, "1", "sent")
    world.wait_idle()
    counted(world, "dispatchd_duplicates_total", 2)
    assert "other content" not in world.daemon.log()


def test_by_stream_list_and_channel(world, smtp):
    world.configure(redis={"list": "jobs:list", "channel": "jobs:channel"})
    add_customer(world)
    world.start_daemon()
    wait_until(lambda: world.redis.pubsub_numsub("jobs:channel")[0][1] == 1, "a subscriber")
    text = json.dumps(EVENT)
    world.xadd(event=text)
    world.redis.lpush("jobs:list", text, text)
    world.redis.publish("jobs:channel", text)
    counted(world, "dispatchd_duplicates_total", 3)
    wait_outcome(world, "1", "sent")
    assert outcomes_of(world, "1") == ONE_MAIL and len(smtp.mails) == 1
    wait_until(lambda: not world.redis.exists("jobs:list", "jobs:list:processing:test"), "empty lists")


def test_across_a_restart(world, smtp):
    add_customer(world)
    world.start_daemon()
    world.xadd_fields(EVENT)
    wait_outcome(world, "1", "sent")
    world.daemon.kill()
    world.restart_redis()
    world.outcomes_read = "-"
    world.start_daemon()
    world.xadd_fields(EVENT)
    world.wait_idle()
    counted(world, "dispatchd_duplicates_total", 1)
    assert len(smtp.mails) == 1


def test_while_the_first_waits_for_its_customer(world, smtp):
    world.configure(customers={"grace": "60s"})
    world.start_daemon()
    for _ in range(4):
        world.xadd_fields(EVENT)
    world.wait_idle()
    add_customer(world)
    wait_outcome(world, "1", "sent")
    world.xadd(id="2", type="job.started", job="other", customer="1001")
    wait_outcome(world, "2", "sent")
    assert outcomes_of(world, "1") == ONE_MAIL and len(smtp.mails) == 2


def test_rejected_ones_are_not_remembered(world, smtp):
    world.start_daemon()
    world.xadd_fields(EVENT)
    wait_outcome(world, "1", "rejected", "unknown_customer")
    world.xadd_fields(EVENT)
    wait_outcome(world, "1", "rejected", "unknown_customer", count=2)
    add_customer(world)
    world.xadd_fields(EVENT)
    wait_outcome(world, "1", "sent")
    assert len(smtp.mails) == 1
