# SPDX-License-Identifier: MIT
"""Another consumer of our group is most likely a second daemon with a spool of its own."""
from kit import add_customer
from world import wait_until

GROUP, STREAM = "dispatchd", "jobs:events"


def read_as(world, consumer):
    world.redis.execute_command("XGROUP", "CREATECONSUMER", STREAM, GROUP, consumer)
    world.redis.xreadgroup(GROUP, consumer, {STREAM: ">"}, count=1)


def test_a_live_one_is_warned_of_until_it_is_idle(world):
    world.configure(redis={"claim_after": "6s"})
    add_customer(world)
    world.start_daemon()
    wait_until(lambda: world.http("/readyz")[0] == 200, "readiness", 30)
    read_as(world, "second")
    world.daemon.wait_log("another consumer of the group is alive", timeout=30)
    status, _, body = world.http("/readyz")
    assert status == 503 and f"stream {STREAM} can't be read alone: consumer \"second\" of the same group" in str(body)
    world.xadd(id="1", type="job.completed", job="1", customer="1001")  # it goes on all the same
    world.mails(1)
    shown = world.ctl("status").stdout
    assert "second" in shown, shown
    wait_until(lambda: world.http("/readyz")[0] == 200, "readiness once it is idle", 40)
    assert world.daemon.log().count("another consumer of the group is alive") == 1
    world.daemon.wait_log("stream can be read alone again")


def test_one_that_is_idle_does_no_harm(world):
    world.configure(redis={"claim_after": "1s"})
    world.redis.xgroup_create(STREAM, GROUP, "0", mkstream=True)
    read_as(world, "former")
    wait_until(lambda: world.redis.xinfo_consumers(STREAM, GROUP)[0]["idle"] > 1500, "a consumer that is idle")
    world.start_daemon()
    wait_until(lambda: world.http("/readyz")[0] == 200, "readiness", 30)
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    world.outcomes(wait_for={"event": "1", "status": "rejected"})
    assert "is alive" not in world.daemon.log()


def test_two_daemons_of_one_group_see_each_other(world):
    world.start_daemon()
    first = world.daemon
    wait_until(lambda: world.http("/readyz")[0] == 200, "readiness", 30)
    world.configure(redis={"consumer": "other"}, spool={"path": world.path("other.db")},
                    http={"listen": f"unix:{world.path('other.sock')}"})
    world.start_daemon()
    for daemon in (first, world.daemon):
        daemon.wait_log("another consumer of the group is alive", timeout=30)
