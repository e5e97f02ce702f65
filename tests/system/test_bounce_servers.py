# SPDX-License-Identifier: MIT
"""A bounce comes to a real mail server, which hands it to dispatch-bounce as the recipes of the manual say. While the
daemon is down the mail server keeps it; once the daemon is back, the address is marked."""
import contextlib
import os
import re
import sqlite3
from pathlib import Path

import pytest

import tokens
from kit import add_customer, message
from mail_servers import Exim, OpenSmtpd, Postfix, needs
from world import wait_until

ADDRESS = "kim@farm.example"
ROOT = Path(__file__).parents[2]


def bounce_of(mail):
    """As the recipient's mail server writes it."""
    return (f"From: Mail Delivery System <MAILER-DAEMON@farm.example>\r\nTo: {tokens.ADDRESS}\r\n"
            "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n"
            f"<{ADDRESS}>: host mx.farm.example said: 550 5.1.1 User unknown\r\n--b\r\n"
            "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.farm.example\r\n\r\n"
            f"Final-Recipient: rfc822; {ADDRESS}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
            "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n").encode() \
        + mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n--b--\r\n"


@pytest.fixture
def reported(world):
    """A mail that was sent, what comes back of it, and where that is sent to."""
    tokens.configure(world, group="nogroup" if os.geteuid() == 0 else "")
    os.chmod(world.directory, 0o2771)
    add_customer(world, email=ADDRESS)
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    raw = world.mails(1)[0]
    world.outcomes(wait_for={"event": "1", "status": "sent"})
    mail = world.ctl_json("mail", "list")[0]
    token = tokens.sealed(tokens.REPORT, mail["id"], ADDRESS, message(raw)["Message-ID"])
    return bounce_of(raw), tokens.address(token)


def is_marked(world):
    return world.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"] is not None


def comes_back(world, server, reported, kept):
    """The whole way, for any mail server; `kept()` are the mails that it has."""
    mail, recipient = reported
    world.daemon.stop()
    server.deliver(recipient, mail)
    wait_until(lambda: kept() and re.search("can.t reach dispatchd|Not taken", server.log()), server.log, 60)
    assert not is_marked(world)
    world.start_daemon()
    wait_until(lambda: is_marked(world), server.log, 60)
    wait_until(lambda: not kept(), server.log, 60)
    with contextlib.closing(sqlite3.connect(f"file:{world.path('spool.db')}?mode=ro", uri=True)) as spool:
        assert spool.execute("SELECT kind, verdict, took, address FROM bounce").fetchall() == [("failed", "gone", "marked", ADDRESS)]
    status, = {mail["status"] for mail in world.ctl_json("mail", "list")}
    assert status == "bounced"


@pytest.mark.parametrize("by", ["pipe", "lmtp"])
@needs("postfix", "usr/lib/postfix/sbin/master")
def test_postfix(world, reported, by):
    directory = world.path("postfix")
    os.mkdir(directory)
    server = Postfix(directory, by, world.path("report.sock"))
    world.at_end(server.stop)
    server.start()
    comes_back(world, server, reported, server.kept)


@pytest.mark.parametrize("by", ["pipe", "service"])
@needs("postfix", "usr/lib/postfix/sbin/master")
def test_postfix_with_an_alias_that_drops_the_token(world, reported, by):
    """The address before the alias is of another domain, and the one behind it has no token; nor has the report, which
    doesn't return the mail. So it counts only where the mail server notes the address before the alias."""
    mail, recipient = reported
    mail = mail.partition(b"--b\r\nContent-Type: message/rfc822")[0] + b"--b--\r\n"
    directory = world.path("postfix")
    os.mkdir(directory)
    server = Postfix(directory, by, world.path("report.sock"))
    world.at_end(server.stop)
    server.start()
    comes_back(world, server, (mail, recipient.replace("@mail.", "@alias.")), server.kept)


@pytest.mark.parametrize("by", ["pipe", "lmtp"])
@needs("opensmtpd", "usr/sbin/smtpd")
def test_opensmtpd(world, reported, by):
    directory = world.path("opensmtpd")
    os.mkdir(directory)
    server = OpenSmtpd(directory, by, world.path("report.sock"))
    world.at_end(server.stop)
    server.start()
    comes_back(world, server, reported, server.kept)


@needs("exim", "usr/sbin/exim4")
def test_exim(world, reported):
    transport = Exim.TRANSPORT.format(socket="/run/dispatch-bounce/lmtp.sock", user="dispatch-bounce")
    manual = (ROOT / "conf/man/dispatch-bounce.8").read_text(encoding="utf-8")
    assert Exim.ROUTER in manual and transport in manual
    directory = world.path("exim")
    os.mkdir(directory)
    server = Exim(directory, world.path("report.sock"))
    world.at_end(server.stop)
    server.start()
    comes_back(world, server, reported, server.kept)
