# SPDX-License-Identifier: MIT
"""The owner is killed, or stands still and wakes up, again and again under load."""
import random
import signal
import time

import pytest

from team import Team, record, rounds

PARTS = 10 if rounds(10, 0) == 10 else 1  # a full run is divided, so that parts run beside each other


def each_round(team, n, fault):
    for number in range(n):
        if number % 3 == 0:
            team.office_change()
        team.wait_load(random.randint(10, 40))
        yield team.owner(), fault
        team.settle()
        team.check()
        team.go_on()
    record(note=f"{fault}: {len(team.load.published)} events, {team.twice} mails twice, of {len(team.repeats)} that were "
                f"in flight")


@pytest.mark.parametrize("part", range(PARTS))
def test_the_owner_is_killed_again_and_again(part):
    with Team("a", "b") as team:
        for owner, fault in each_round(team, rounds(100, 3) // PARTS, "owner killed"):
            began = team.now()
            owner.daemon.kill()
            team.take_over_from(owner, began, fault)
            owner.start_daemon()
            team.wait_load(20)
            record(fault=fault, mail=team.first_mail_after(began))


@pytest.mark.parametrize("part", range(max(1, PARTS // 3)))
def test_the_owner_stands_still_and_wakes_up(part):
    with Team("a", "b") as team:
        for owner, fault in each_round(team, -(-rounds(20, 2) // max(1, PARTS // 3)), "owner frozen for 15 s"):
            began = team.now()
            owner.daemon.signal(signal.SIGSTOP)
            team.take_over_from(owner, began, fault)
            time.sleep(max(0, began + 15 - team.now()))
            team.may_repeat(owner)
            owner.daemon.signal(signal.SIGCONT)
            owner.wait_role("standby")
            team.wait_load(20)
            record(fault=fault, mail=team.first_mail_after(began))
