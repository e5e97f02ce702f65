# SPDX-License-Identifier: MIT
"""`status` names what is wrong first, each with what to do about it."""
import os
import sqlite3

import pytest

from kit import add_customer, use_shipped_templates, wait_outcome
from smtp_peer import make_certificate, start
from world import free_port, wait_until


def problems(world):
    return [row["problem"] for row in world.ctl_json("status")["problems"]]


@pytest.fixture
def farm(world):
    use_shipped_templates(world)
    add_customer(world)
    return world


def test_nothing_is_wrong(farm):
    farm.start_daemon()
    farm.xadd(id="1", type="job.started", job="1", customer="1001")
    wait_outcome(farm, 1, "sent")
    assert problems(farm) == []
    assert farm.ctl("status").stdout.startswith("dispatchd "), "facts come first where nothing is wrong"


def test_before_the_first_start_the_daemon_alone_is_missing(world):
    use_shipped_templates(world)
    assert problems(world) == ["daemon"]
    shown = world.ctl("status").stdout
    assert shown.startswith("dispatchd isn't running\n  to do: systemctl start dispatchd; "), shown


def test_the_worst_comes_first(farm):
    farm.start_daemon()
    farm.ctl("mail", "pause", "--note", "stock\ttaking")
    farm.xadd(id="1", job="1", customer="1001")
    wait_until(lambda: "dead" in problems(farm), "the dead letter")
    with open(farm.path("templates", "completed.txt"), "w", encoding="utf-8") as file:
        file.write("Subject: x\n\n{{nobody.knows}}\n")
    assert problems(farm) == ["paused", "dead", "template"]
    shown = farm.ctl("status").stdout
    order = [shown.index(words) for words in ("sending has been paused since ", "to do: dispatchctl mail resume\n",
                                              "1 entry was rejected in the last day", "to do: dispatchctl dead list",
                                              "nobody.knows", "to do: dispatchctl template check", "\ndispatchd ")]
    assert order == sorted(order) and order[0] == 0
    farm.redis_server.stop()
    assert problems(farm) == ["redis", "paused", "dead", "template"]
    farm.daemon.stop()
    found = farm.ctl_json("status")["problems"]
    assert [row["problem"] for row in found] == ["daemon", "redis", "paused", "dead", "template"]
    assert found[2]["text"].endswith(": stock\ttaking; 0 mails are due") and found[2]["do"] == "dispatchctl mail resume"
    assert all(row["text"] and row["do"] for row in found)


def test_a_relay_that_is_away_and_a_mail_that_is_late(farm):
    farm.configure(mail={"transport": "smtp"}, smtp={"relay": f"127.0.0.1:{free_port()}", "tls": "none"})
    farm.start_daemon()
    farm.xadd(id="1", type="job.started", job="1", customer="1001")
    wait_until(lambda: problems(farm) == ["relay"], lambda: farm.ctl("status").stdout)
    (found,) = farm.ctl_json("status")["problems"]
    assert found["text"].startswith("relay 127.0.0.1:") and found["since"]
    assert found["do"] == "dispatchctl relay test"
    farm.daemon.stop()
    with sqlite3.connect(farm.path("spool.db")) as db:
        db.execute("UPDATE mail SET due = due - 11 * 60 * 1000")
    assert problems(farm) == ["daemon", "late"]
    farm.ctl("mail", "pause")
    assert problems(farm) == ["daemon", "paused"], "a pause explains it"


def test_a_relay_where_all_mails_fail(farm):
    peer = start(farm)
    peer.answers["data"] = "554 5.7.1 spam"
    farm.start_daemon()
    for number in range(12):
        farm.xadd(id=number, type="job.started", job=number, customer="1001")
    wait_until(lambda: problems(farm) == ["relay"], lambda: farm.ctl("status").stdout, 30)
    assert "none was delivered: 554 5.7.1 spam" in farm.ctl_json("status")["problems"][0]["text"]


def test_databases_that_cannot_be_used(farm):
    farm.start_daemon()
    farm.xadd(id="1", type="job.started", job="1", customer="1001")
    wait_outcome(farm, 1, "sent")
    farm.daemon.stop()
    os.rename(farm.path("customers.db"), farm.path("elsewhere.db"))
    found = farm.ctl_json("status")["problems"]
    assert [row["problem"] for row in found] == ["daemon", "customers"]
    assert "customers.db is missing" in found[1]["text"] and "customer adopt" in found[1]["do"]


@pytest.mark.parametrize("page", [0, 1])
def test_a_spool_that_is_damaged(farm, page):
    """With the daemon down nobody else says it: all of it, or a page within."""
    farm.start_daemon()
    farm.xadd(id="1", type="job.started", job="1", customer="1001")
    wait_outcome(farm, 1, "sent")
    farm.daemon.stop()
    with open(farm.path("spool.db"), "r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xff" * (os.stat(farm.path("spool.db")).st_size - page * 4096))
    with open(farm.path("templates", "completed.txt"), "w", encoding="utf-8") as file:
        file.write("Subject: x\n\n{{nobody.knows}}\n")
    found = farm.ctl_json("status")["problems"]
    assert [row["problem"] for row in found] == ["daemon", "spool", "template"]
    assert found[1]["text"].startswith("the spool can't be read, ") and farm.path("spool.db") in found[1]["text"]
    assert found[1]["do"] == "man dispatchd, RESTORING"
    shown = farm.ctl("status").stdout
    assert shown.startswith("dispatchd isn't running\n") and "Redis" in shown


@pytest.mark.parametrize("begin", ["", "x"])
def test_words_that_are_cut_within_a_character(farm, begin):
    """A fault's text has an end, which may be anywhere in a long path."""
    farm.start_daemon()
    folder = farm.path(begin + "ü" * 100, "ü" * 100, "ü" * 100)
    os.makedirs(folder)
    farm.configure(customers={"path": f"{folder}/customers.db"})
    (found,) = farm.ctl_json("status")["problems"]
    assert found["problem"] == "customers" and folder[:200] in found["text"]


def test_faults_in_the_configuration(farm):
    """The daemon goes on with what it has read; the rest is still looked at."""
    farm.start_daemon()
    farm.ctl("mail", "pause")
    farm.configure(mail={"from": "nobody", "color": "red"})
    found = farm.ctl_json("status")["problems"]
    assert [row["problem"] for row in found] == ["configuration", "paused"]
    assert found[0]["text"].startswith("2 faults in the configuration: ") and farm.config_path in found[0]["text"]
    assert found[0]["do"].startswith("dispatchd -t")


def test_the_certificate_for_a_relay(farm):
    pem = make_certificate(farm.directory, None, ["localhost"], "client", -9, 5)
    os.chmod(pem, 0o600)
    farm.configure(mail={"transport": "smtp"}, smtp={"relay": f"127.0.0.1:{free_port()}", "tls": "required",
                                                     "client_cert": pem})
    farm.start_daemon()
    (found,) = farm.ctl_json("status")["problems"]
    assert found["problem"] == "certificate" and found["text"].startswith("the client certificate for the relay expires soon")


@pytest.mark.parametrize("days, words", [(5, "expires soon"), (-1, "has expired"), (90, None)])
def test_the_centers_certificate(farm, days, words):
    both = make_certificate(farm.directory, None, ["localhost"], "center", -9, days)
    os.chmod(both, 0o600)
    farm.configure(center={"tls_cert": both, "tls_key": both})
    farm.start_daemon()
    found = farm.ctl_json("status")["problems"]
    assert [row["problem"] for row in found] == (["certificate"] if words else [])
    assert not words or words in found[0]["text"]
