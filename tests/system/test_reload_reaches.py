# SPDX-License-Identifier: MIT
"""What the configuration's table calls reloadable takes effect with a SIGHUP, in the maintenance of streams, too."""
import signal
import threading
from pathlib import Path

from kit import add_customer, wait_outcome
from world import PATIENCE, wait_until


def reload(world):
    world.daemon.signal(signal.SIGHUP)
    world.daemon.wait_notified("READY=1", count=2)


def test_keep(world):
    add_customer(world)
    world.start_daemon()
    for n in range(3):
        world.xadd(id=str(n), type="job.completed", job=f"J{n}", customer="1001")
        wait_outcome(world, n, "sent")
    assert world.redis.xlen("jobs:events") == 3
    world.configure(redis={"keep": "1s"})
    reload(world)
    wait_until(lambda: world.redis.xlen("jobs:events") == 0, "old entries to be trimmed", 8)


def test_claim_after(world):
    add_customer(world)
    world.redis.xgroup_create("jobs:events", "dispatchd", "0", mkstream=True)
    world.xadd(id="1", type="job.completed", job="J1", customer="1001")
    world.redis.xreadgroup("dispatchd", "gone", {"jobs:events": ">"})
    world.start_daemon()
    world.configure(redis={"claim_after": "1s"})
    reload(world)
    wait_outcome(world, 1, "sent")


def test_connections(world, smtp):
    """From one to four: four mails are in the relay's hands at a time, and both of the mailers' threads are there."""
    together = threading.Barrier(4)

    def body(_session, _text):
        together.wait(timeout=20 * PATIENCE)
    smtp.answers["body"] = body
    world.configure(smtp={"connections": 1})
    for n in range(4):
        add_customer(world, str(n), email=f"{n}@example.com")
    world.start_daemon()
    world.configure(smtp={"connections": 4})
    reload(world)
    for n in range(4):
        world.xadd(id=str(n), type="job.completed", job=f"J{n}", customer=str(n))
    for n in range(4):
        wait_outcome(world, n, "sent")
    tasks = Path(f"/proc/{world.daemon.pid}/task")
    assert [(t / "comm").read_text().strip() for t in tasks.iterdir()].count("mailer") == 2
