# SPDX-License-Identifier: MIT
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from smtp_peer import SmtpPeer, make_authority, make_certificate  # noqa: E402
from world import World  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes more than nine seconds or much memory; `make test-long` runs it")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its daemon logged."""
    report = (yield).get_result()
    world = item.funcargs.get("world") if hasattr(item, "funcargs") else None
    if world is not None and report.failed and world.daemon is not None and os.path.exists(world.daemon.log_path):
        report.sections.append(("dispatchd's log", world.daemon.log()[-10000:]))


@pytest.fixture
def world():
    """A directory, a Redis and a configuration of the test's own; see world.py."""
    found = World()
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Paths: ca (the authority's), good, wrong (another name's), alone (self-signed), old (expired)."""
    directory = str(tmp_path_factory.mktemp("certificates"))
    authority = make_authority(directory)
    ours = ["localhost", "127.0.0.1", "::1"]
    return {"ca": authority[2],
            "good": make_certificate(directory, authority, ours, "good"),
            "wrong": make_certificate(directory, authority, ["other.example.net"], "wrong"),
            "alone": make_certificate(directory, None, ours, "alone"),
            "old": make_certificate(directory, authority, ours, "old", -30, -2)}


@pytest.fixture
def smtp(world):
    """An SMTP server that records, set as the world's relay before the daemon starts; see smtp_peer.py."""
    with SmtpPeer() as peer:
        world.configure(mail={"transport": "smtp"}, smtp={"relay": peer.relay, "tls": "none"})
        yield peer
        for daemon in world.daemons:
            daemon.end()  # before the peer goes, so that a test's end is not a relay fault
