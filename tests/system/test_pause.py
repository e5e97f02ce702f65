# SPDX-License-Identifier: MIT
"""Sending paused by hand: nothing goes out, all else goes on, and each mail goes once when it is resumed."""
import json
import os
import pwd
import threading
import time

import pytest

from kit import add_customer, outcomes_of, refused, wait_outcome
from smtp_peer import SmtpPeer
from world import wait_until

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def farm(world):
    add_customer(world)
    return world


def event(world, number, state="completed", **more):
    world.xadd(id=str(number), type=f"job.{state}", job=more.pop("job", f"j{number}"), customer="1001", **more)


def statuses(world):
    return {mail["jobs"][0]: mail["status"] for mail in world.ctl_json("mail", "list")}


def test_nothing_goes_out_and_all_else_goes_on(farm, smtp):
    farm.start_daemon()
    paused = farm.ctl_json("mail", "pause", "--note", "The relay is being moved")["paused"]
    assert (paused["by"], paused["note"], paused["due"]) == (ME, "The relay is being moved", 0)
    event(farm, "s", "started", job="A")
    event(farm, "c", job="A")
    event(farm, "x", "dispatched", job="B", time="2020-01-01T00:00:00Z")
    wait_outcome(farm, "c", "queued")
    wait_outcome(farm, "s", "superseded", "later_state")
    wait_outcome(farm, "x", "expired")
    farm.ctl("hold", "list")
    assert farm.ctl_json("gate", "create", "--customer", "1001")["status"] == "allowed"
    assert farm.http("/readyz")[0] == 200, "a pause is not a fault"
    assert farm.metrics()["dispatchd_paused"] == 1
    assert smtp.mails == []
    done = farm.ctl_json("mail", "resume")
    assert (done["resumed"], done["due"], done["paused"]) == (True, 1, None)
    wait_outcome(farm, "c", "sent")
    assert len(smtp.mails) == 1
    assert farm.metrics()["dispatchd_paused"] == 0
    log = farm.daemon.log()
    assert log.count("sending is paused") == 1 and 'note="The relay is being moved"' in log
    assert log.count(f"sending is resumed by={ME}") == 1


def test_it_outlives_restarts_and_crashes(farm, smtp):
    farm.start_daemon()
    farm.ctl("mail", "pause", "--note", "wait")
    event(farm, 1)
    wait_outcome(farm, 1, "queued")
    for end in (lambda: farm.daemon.stop(), lambda: farm.daemon.kill()):
        end()
        farm.start_daemon()
        farm.daemon.wait_log("sending is paused")
        event(farm, "after")
        wait_outcome(farm, "after", "queued")
        assert smtp.mails == []
    farm.ctl("mail", "resume")
    wait_outcome(farm, 1, "sent")
    wait_outcome(farm, "after", "sent")
    assert len(smtp.mails) == 2, "each once"
    farm.daemon.stop()
    farm.start_daemon()
    assert "sending is paused" not in farm.daemon.log()


def test_without_a_daemon(farm, smtp):
    assert farm.ctl_json("mail", "pause", "--note", "before the start")["paused"]["note"] == "before the start"
    assert "\nsending has been paused since " in farm.ctl("status").stdout, "behind the daemon, which does not run"
    farm.start_daemon()
    event(farm, 1)
    wait_outcome(farm, 1, "queued")
    farm.daemon.stop()
    assert farm.ctl("mail", "resume").stdout == "sending is resumed; 1 mail was due\n"
    assert farm.ctl("mail", "resume").stdout == "sending was not paused\n"
    assert farm.ctl_json("mail", "resume") == {"resumed": False, "due": 0, "paused": None}
    farm.start_daemon()
    wait_outcome(farm, 1, "sent")
    assert len(smtp.mails) == 1


def test_what_is_in_hand_finishes_and_what_is_behind_it_waits(farm, smtp):
    """One mailer, one mail with the relay, others handed out behind it."""
    go = threading.Event()
    farm.configure(smtp={"connections": "1"})
    smtp.answers["body"] = lambda *_: go.wait(60) and None
    farm.start_daemon()
    event(farm, 0)
    wait_until(lambda: "DATA" in smtp.commands(), "the first in hand")
    for n in range(1, 6):
        event(farm, n)
    wait_until(lambda: list(statuses(farm).values()).count("sending") == 6, "the others behind it")
    farm.ctl("mail", "pause")
    wait_until(lambda: list(statuses(farm).values()).count("queued") == 5, "those not begun to come back")
    go.set()
    wait_outcome(farm, 0, "sent")
    event(farm, 9)
    wait_outcome(farm, 9, "queued")
    assert len(smtp.mails) == 1
    farm.ctl("mail", "resume")
    for n in (1, 2, 3, 4, 5, 9):
        wait_outcome(farm, n, "sent")
    assert len(smtp.mails) == 7, "each once"


def test_a_relay_that_comes_back_during_the_pause_gets_nothing(farm):
    """Mails were handed out and wait for a relay that is away."""
    with SmtpPeer() as gone:
        port = gone.port
    farm.configure(mail={"transport": "smtp"}, smtp={"relay": f"127.0.0.1:{port}", "tls": "none"})
    farm.start_daemon()
    for n in range(3):
        event(farm, n)
        wait_outcome(farm, n, "queued")
    farm.daemon.wait_log("relay")
    farm.ctl("mail", "pause")
    wait_until(lambda: set(statuses(farm).values()) == {"queued"}, "all to come back")
    with SmtpPeer(port=port) as back:
        farm.cleanups.append(back.close)
        time.sleep(2.5)  # longer than a relay that is away is left alone
        assert back.mails == [] and set(statuses(farm).values()) == {"queued"}
        farm.ctl("mail", "resume")
        for n in range(3):
            wait_outcome(farm, n, "sent")
        assert len(back.mails) == 3, "each once"
        assert farm.daemon.stop() == 0


def test_a_group_gathers_during_the_pause(farm, smtp):
    farm.configure(**{"notify.completed": {"group_wait": "1s"}})
    farm.start_daemon()
    farm.ctl("mail", "pause")
    for n in range(3):
        event(farm, n)
        wait_outcome(farm, n, "deferred", "grouped")
    wait_until(lambda: farm.ctl_json("status")["paused"]["due"] >= 1, "the group to be due")
    event(farm, 3)
    wait_outcome(farm, 3, "deferred", "grouped")
    assert smtp.mails == []
    wait_until(lambda: farm.ctl_json("status")["paused"]["due"] == 2, "the second group to be due")
    farm.ctl("mail", "resume")
    for n in range(4):
        wait_outcome(farm, n, "sent")
    assert len(smtp.mails) == 2


def test_resumed_mails_are_judged_again(farm, smtp):
    add_customer(farm, "1002", "Other", "other@example.com")
    farm.start_daemon()
    farm.ctl("mail", "pause")
    event(farm, 1)
    farm.xadd(id="2", type="job.completed", job="j2", customer="1002")
    wait_outcome(farm, 1, "queued")
    wait_outcome(farm, 2, "queued")
    farm.ctl("suspend", "1001", "--note", "not paid", "--scope", "emails")
    farm.ctl("mail", "resume")
    wait_outcome(farm, 2, "sent")
    wait_outcome(farm, 1, "suppressed", "suspended")
    assert [mail.recipients for mail in smtp.mails] == [["other@example.com"]]


def test_paused_mails_expire(farm, smtp):
    farm.configure(**{"notify.completed": {"shelf_life": "2s"}})
    farm.start_daemon()
    farm.ctl("mail", "pause")
    event(farm, 1)
    wait_outcome(farm, 1, "expired")
    assert outcomes_of(farm, 1) == [("queued", "ok"), ("expired", "expired")]
    assert farm.ctl_json("mail", "resume")["due"] == 0
    event(farm, 2)
    wait_outcome(farm, 2, "sent")
    assert len(smtp.mails) == 1


def test_what_an_admin_sees(farm):
    farm.start_daemon()
    assert farm.ctl_json("status")["paused"] is None
    first = farm.ctl_json("mail", "pause", "--note", "one")["paused"]
    assert farm.ctl_json("mail", "pause")["paused"] == first, "again changes nothing"
    second = farm.ctl_json("mail", "pause", "--note", "two")["paused"]
    assert (second["since"], second["note"]) == (first["since"], "two"), "a new note takes the place of the old one"
    assert farm.ctl("check", check=False).returncode == 0, "nothing waits for it yet"
    event(farm, 1)
    wait_outcome(farm, 1, "queued")
    lines = farm.ctl("status").stdout.splitlines()
    assert lines[0].startswith("sending has been paused since ") and lines[0].endswith(f" by {ME}: two")
    assert lines[1] == "1 mail is due"
    assert farm.ctl_json("status")["paused"] == {**second, "due": 1}
    checked = farm.ctl("check", "--json", check=False)
    finding = json.loads(checked.stdout)[0]
    assert checked.returncode == 1 and finding["finding"] == "paused"
    assert finding["text"] == f"sending has been paused since {first['since']} by {ME}: two; 1 mail is waiting"
    assert farm.ctl("check", check=False).stdout.startswith("Sending\n  sending has been paused since ")
    farm.daemon.stop()
    assert farm.ctl_json("status")["paused"]["due"] == 1


def test_notes(farm):
    refused(farm, 64, "at most 500 bytes", "mail", "pause", "--note", "x" * 501)
    assert farm.ctl_json("status")["paused"] is None
    farm.start_daemon()
    refused(farm, 64, "at most 500 bytes", "mail", "pause", "--note", "x" * 501)
    farm.ctl("mail", "pause", "--note", 'Überfall\n"now"')
    assert farm.ctl_json("status")["paused"]["note"] == 'Überfall\n"now"'
    assert farm.ctl("status").stdout.count("\nnow") == 0, "a note's line break is not a line break of ours"
    assert farm.ctl("mail", "pause", "more", check=False).returncode == 64
    assert farm.ctl("mail", "resume", "--note", "x", check=False).returncode == 64
