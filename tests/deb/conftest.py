# SPDX-License-Identifier: MIT
"""The packages that `make deb` has made, and machines to try them on."""
import pytest

from tree import BUILD, Machine, base


def made(folder):
    """Without debug symbols, dispatchd first."""
    found = sorted((BUILD / folder).glob("dispatch*_*.deb"), key=lambda path: path.name.replace("dispatchd_", "_"))
    return [path for path in found if "-dbgsym_" not in path.name]


@pytest.fixture(scope="session")
def packages():
    found = made("deb")
    assert [path.name.split("_")[0] for path in found] == ["dispatchd", "dispatch-bounce", "dispatch-center"]
    return found


@pytest.fixture(scope="session")
def former():
    """Those of the version before, where `make deb-test` had a history to build them from."""
    found = made("deb-former")
    if not found:
        pytest.skip("no history: there is no former version to upgrade from")
    return found


@pytest.fixture(scope="module")
def machine(packages):
    started = Machine(base(packages))
    yield started
    started.stop()
