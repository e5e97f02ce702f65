# SPDX-License-Identifier: MIT
"""Redis fails over under load: its master is killed, frozen, or asked to."""
import os
import shutil
import time

import pytest

from redundant import Redundant
from team import Team, record, rounds
from world import wait_until

PARTS = 2 if rounds(10, 0) == 10 else 1


def kill_master(servers):
    old = servers.master()
    servers.servers[old].stop()
    wait_until(lambda: servers.master() not in (None, old), "another master", 60)
    servers.servers[old].start()


def freeze_master(servers):
    old = servers.master()
    servers.servers[old].freeze()
    wait_until(lambda: servers.master() not in (None, old), "another master", 60)
    servers.servers[old].thaw()


FAILOVERS = {"killed": kill_master, "frozen": freeze_master, "asked for": Redundant.fail_over}


def kept(team, owner, watched):
    """An owner that changed may have had mails in flight; one that didn't has none to repeat."""
    if team.owner() is owner:
        return "kept"
    team.repeats |= watched
    return "changed"


@pytest.mark.parametrize("part", range(PARTS))
def test_redis_fails_over_again_and_again(part):
    owners = []
    with Team("a", "b", redis_of=Redundant) as team:
        for number in range(rounds(10, 3) // PARTS):
            how = list(FAILOVERS)[(part + number) % len(FAILOVERS)]
            team.office_change()
            team.wait_load(20)
            wait_until(team.redis.is_whole, "a whole Redis", 60)
            owner, began = team.owner(), team.now()
            watched = team.watch(owner)
            FAILOVERS[how](team.redis)
            team.wait_load(20)
            wait_until(lambda: team.first_mail_after(began), team.story, 60)
            team.settle()
            owners.append(kept(team, owner, watched.stop()))
            record(fault=f"Redis' master {how}", mail=team.first_mail_after(began))
            team.check()
            team.go_on()
        record(note=f"Redis failed over: {len(team.load.published)} events, the owner was kept {owners.count('kept')} times of "
                    f"{len(owners)}, {team.twice} mails twice")
