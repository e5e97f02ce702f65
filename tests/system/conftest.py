# SPDX-License-Identifier: MIT
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from world import World  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its daemon logged."""
    report = (yield).get_result()
    world = item.funcargs.get("world") if hasattr(item, "funcargs") else None
    if world is not None and report.failed and world.daemon is not None:
        report.sections.append(("dispatchd's log", world.daemon.log()[-10000:]))


@pytest.fixture
def world():
    """A directory, a Redis and a configuration of the test's own; see world.py."""
    found = World()
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def smtp(world):
    """An SMTP peer that records, set as the world's relay; see smtp_peer.py."""
    peers = pytest.importorskip("smtp_peer")
    peer = peers.start(world)
    world.smtp = peer
    return peer
