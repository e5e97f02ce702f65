# SPDX-License-Identifier: MIT
"""The network is split under load: the owner is cut off, alone or together with Redis' master.

Three places, each with a server of Redis and a sentinel; dispatchd runs in the first two. Each place has its relay with
it, so a member that is cut off could go on sending.
"""
import os
import shutil

import pytest

from redundant import NAMES, Network, Redundant
from team import Team, record, rounds
from world import wait_until

pytestmark = pytest.mark.skipif(os.getuid() != 0 or not shutil.which("ip"), reason="needs root, to make network namespaces")
PARTS = 2 if rounds(10, 0) == 10 else 1


@pytest.fixture
def net():
    made = Network(*NAMES)
    try:
        yield made
    finally:
        made.close()


def place(team, with_master):
    """The owner, and whether Redis' master is with it: a failover goes where it likes, so the owner moves after it."""
    while with_master and team.redis.master() == "c" or not with_master and team.redis.master() == team.owner().name:
        team.redis.fail_over("c")
        wait_until(team.redis.is_whole, "a whole Redis", 60)
    owner = team.owner()
    if with_master and team.redis.master() != owner.name:
        assert owner.daemon.stop() == 0
        owner.start_daemon()
        owner.wait_role("standby")
        owner = team.owner()
    assert (team.redis.master() == owner.name) == with_master
    return owner


def cut_and_heal(team, net, owner, fault):
    began = team.now()
    net.cut(owner.name)
    team.take_over_from(owner, began, fault)
    taken = team.now()
    assert not owner.is_owner()
    owner.daemon.wait_log("the cluster's lease was lost", timeout=30)
    team.wait_load(40)
    late = [t for t in list(team.taken) if t.member == owner.name and t.when > taken]
    assert not late, f"{len(late)} mails by {owner.name}, which was cut off\n{team.story()}"
    record(fault=fault, mail=team.first_mail_after(began))
    net.heal()
    owner.wait_role("standby", 60)


@pytest.mark.parametrize("with_master", [False, True], ids=["alone", "with Redis' master"])
@pytest.mark.parametrize("part", range(PARTS))
def test_the_owner_is_cut_off(net, part, with_master):
    fault = f"owner cut off {'with' if with_master else 'from'} Redis' master"
    with Team("a", "b", redis_of=lambda first: Redundant(first, net), wrap={n: net.within(n) for n in "ab"}) as team:
        for _ in range(rounds(10, 2) // PARTS):
            wait_until(team.redis.is_whole, "a whole Redis", 60)
            owner = place(team, with_master)
            team.office_change()
            team.wait_load(20)
            cut_and_heal(team, net, owner, fault)
            team.settle()
            team.check()
            team.go_on()
        record(note=f"{fault}: {len(team.load.published)} events, {team.twice} mails twice, of {len(team.repeats)} that were "
                    "in flight")
