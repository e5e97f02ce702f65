# SPDX-License-Identifier: MIT
"""A member is killed, or stands still for longer than its lease, between two steps that the documents name.

A debugger stops it there: nothing in the program is made for these tests.
"""
import contextlib
import os
import re
import shlex
import shutil
import subprocess
import time

import pytest

from team import Team, record, rounds
from world import wait_until

pytestmark = pytest.mark.skipif(not shutil.which("gdb"), reason="needs gdb")

# Where it stops; a turn that changes nothing doesn't get to the first.
COMPUTED = ["break journal_writer_append", "continue"]
APPENDED = [*COMPUTED, "delete", "finish"]
COMMITTED = [*COMPUTED, "delete", "break engine_appended if committed", "continue"]
HANDED_TO_MAILERS = [*COMPUTED, "delete", "break pool_put", "continue", "finish"]
ACKNOWLEDGED = [*COMPUTED, "delete", "break redis_client_publish", "continue"]
PUBLISHED = [*ACKNOWLEDGED, "delete", "break loop_go_on_stopping", "continue"]
OWNER = {"the turn is computed": COMPUTED, "it is in the journal": APPENDED, "it is committed": COMMITTED,
         "mails are handed out": HANDED_TO_MAILERS, "entries are acknowledged": ACKNOWLEDGED, "outcomes are published": PUBLISHED}
STANDBY = {"an entry is read": ["break replica_apply", "continue"],
           "the office's change is made": ["break spool_follow", "continue"],
           "an entry is followed": ["break spool_follow", "continue", "delete", "finish"]}


class Debugger:
    """Brings a program to the end of these steps and keeps it there."""

    def __init__(self, member, steps):
        self.reached, self.go, self.log = member.path("reached"), member.path("go"), member.path("gdb.log")
        for path in (self.reached, self.go):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        stay = f"shell touch {shlex.quote(self.reached)}; while [ ! -e {shlex.quote(self.go)} ]; do sleep 0.05; done"
        commands = ["set pagination off", "set confirm off", "handle SIGPIPE nostop noprint pass", *steps, stay]
        self.member, self.steps = member, steps
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off", "-p", str(member.daemon.pid),
                 *(part for command in commands for part in ("-ex", command)), "-ex", "delete", "-ex", "detach"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.let_go()

    def wait(self):
        wait_until(lambda: os.path.exists(self.reached), self.text, 30)
        *hits, rest = re.split(r"hit Breakpoint \d+, ", self.text())
        assert len(hits) == sum(step.startswith("break ") for step in self.steps), self.text()
        assert self.steps[-1] != "finish" or len(re.findall(r" at \S+:\d+$", rest, re.M)) > 1, self.text()

    def let_go(self):
        with open(self.go, "wb"):
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:  # it waits for a breakpoint that nobody comes to
            self.process.kill()
            self.process.wait()

    def kill(self):
        """What it stopped: the end comes before anything else that it would do."""
        self.member.daemon.process.kill()
        self.let_go()
        self.member.daemon.kill()


@pytest.mark.parametrize("step", OWNER)
def test_the_owner_ends_or_stands_still_where(step):
    with Team("a", "b") as team:
        for number in range(2 * rounds(5, 1)):
            killed = number % 2 == 0
            fault = f"owner {'killed' if killed else 'frozen'} once {step}"
            team.wait_load(20)
            owner = team.owner()
            with Debugger(owner, OWNER[step]) as debugger:
                debugger.wait()
                began = team.now()
                if killed:
                    debugger.kill()
                team.take_over_from(owner, began, fault)
                if not killed:
                    time.sleep(max(0, began + 12 - team.now()))
            if killed:
                owner.start_daemon()
            owner.wait_role("standby", 60)
            team.wait_load(20)
            record(fault=fault, mail=team.first_mail_after(began))
            team.settle()
            team.check()
            team.go_on()


@pytest.mark.parametrize("step", STANDBY)
def test_a_standby_is_killed_where(step):
    with Team("a", "b") as team:
        for _ in range(rounds(20, 3)):
            team.office_change()
            standby = next(m for m in team.members if m is not team.owner())
            owner = team.owner()
            with Debugger(standby, STANDBY[step]) as debugger:
                owner.ctl("customer", "set", "1001", "--phone", f"555 {team.load.number:04}")
                debugger.wait()
                debugger.kill()
            team.wait_load(20)
            standby.start_daemon()
            standby.wait_role("standby")
            assert team.owner() is owner
            team.settle()
            team.check()
            team.go_on()


def test_a_standby_is_killed_again_and_again():
    with Team("a", "b") as team:
        for number in range(rounds(50, 5)):
            standby = next(m for m in team.members if m is not team.owner())
            team.wait_load(5 + number % 20)
            standby.daemon.kill()
            team.wait_load(20)
            standby.start_daemon()
            standby.wait_role("standby")
        assert team.owner() is team.members[0]
        team.settle()
        team.check()
        record(note=f"standby killed {rounds(50, 5)} times: {len(team.load.published)} events, {team.twice} mails twice")
