# SPDX-License-Identifier: MIT
"""The owner's disk is full: a file system of its own, in memory and small, that the test fills."""
import contextlib
import os
import subprocess

import pytest

from team import Team, record, rounds

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to make a file system")
BYTES = 24 << 20


@contextlib.contextmanager
def small_disks(members):
    """Each member's spool and customers are on one."""
    made = []
    try:
        for member in members:
            folder = member.path("disk")
            os.mkdir(folder)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={BYTES}", "dispatchd-test", folder], check=True)
            made.append(folder)
            member.keep_in(folder)
        yield
    finally:
        for folder in made:
            subprocess.run(["umount", "-l", folder], check=True)


def fill(member):
    """All that is free, but for less than a page of the database."""
    with open(member.path("disk", "ballast"), "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1024))


def make_room(member):
    os.unlink(member.path("disk", "ballast"))


def test_the_owners_disk_is_full():
    fault = "owner's disk full"
    with contextlib.ExitStack() as stack:
        team = Team("a", "b")
        stack.callback(team.close)
        stack.enter_context(small_disks(team.members))
        stack.enter_context(team)
        for _ in range(rounds(10, 2)):
            team.wait_load(20)
            owner, began = team.owner(), team.now()
            fill(owner)
            team.take_over_from(owner, began, fault)
            team.wait_load(20)
            make_room(owner)
            owner.wait_role("standby", 90)
            record(fault=fault, mail=team.first_mail_after(began))
            team.settle()
            team.check()
            team.go_on()
        record(note=f"{fault}: {len(team.load.published)} events, {team.twice} mails twice, of {len(team.repeats)} that were in "
                    "flight")
