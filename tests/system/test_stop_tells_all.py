# SPDX-License-Identifier: MIT
"""What was sent before the end is told before the end, whenever the signal comes."""
import time

import pytest
from kit import add_customer
from world import wait_until


@pytest.mark.parametrize("delay_ms", [0, 3, 6, 10, 15, 25])
def test_each_mail_that_left_has_its_outcome(world, delay_ms):
    add_customer(world)
    daemon = world.start_daemon()
    for n in range(100):
        world.xadd(id=str(n), type="job.completed", job=f"J{n}", customer="1001")
    wait_until(world.mails, "the first mail")
    time.sleep(delay_ms / 1000)
    assert daemon.stop() == 0
    sent = {o["job"] for o in world.outcomes() if o["status"] == "sent"}
    assert len(sent) == len(world.mails()), daemon.log()
