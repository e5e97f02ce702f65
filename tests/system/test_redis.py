# SPDX-License-Identifier: MIT
"""Redis: sources, acknowledgement, going away and coming back."""
import json


def event(number, **more):
    return {"id": str(number), "type": "job.started", "job": f"j{number}", "customer": "1001", **more}


def test_starts_reads_and_acknowledges(world):
    world.start_daemon()
    world.xadd_fields(event(1))
    world.outcomes(wait_for={"event": "1"})
    world.wait_idle()
