# SPDX-License-Identifier: MIT
"""dispatch-bounce --lmtp (RFC 2033) on a socket, as systemd starts it, before a daemon that is played by the test."""
import random
import resource
import smtplib
import socket
import subprocess

import pytest

from report_peer import DOMAIN, PROGRAM, ReportPeer
from test_bounce_take import BOUNCE, REPORT
from world import SANITIZED

OTHER = "bounce@other.example"
ONE, TWO = f"bounce@{DOMAIN}", BOUNCE


@pytest.fixture
def peer(tmp_path):
    started = ReportPeer(tmp_path / "report.sock")
    yield started
    started.close()


class Session:
    """The mail server's end."""

    def __init__(self, path):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60)
        self.process = subprocess.Popen([PROGRAM, "--socket", path, "--lmtp"], stdin=theirs, stdout=theirs,
                                        stderr=subprocess.PIPE)
        theirs.close()
        self.stream = self.socket.makefile("rb")
        self.first = self.reply()

    def reply(self):
        """Code and all lines of one reply; ("", "") at the end."""
        lines = []
        while not lines or lines[-1][3:4] == "-":
            lines.append(self.stream.readline().decode().rstrip("\r\n"))
        return lines[0][:3], "\n".join(line[4:] for line in lines)

    def send(self, *lines):
        self.socket.sendall(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\r\n" for line in lines))

    def say(self, *lines):
        """The codes of their replies, sent all at once."""
        self.send(*lines)
        return [self.reply()[0] for _ in lines]

    def begin(self, *recipients):
        return self.say("LHLO mail.example.org", "MAIL FROM:<>", *(f"RCPT TO:<{r}>" for r in recipients), "DATA")

    def status(self):
        self.socket.close()
        self.stream.close()
        _, self.said = self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture
def session(peer):
    started = Session(peer.path)
    yield started
    started.process.kill()
    started.process.communicate()
    started.socket.close()


def crlf(mail):
    return mail.replace(b"\n", b"\r\n")


def test_what_it_can(session):
    assert session.first[0] == "220"
    session.send("LHLO mail.example.org")
    code, text = session.reply()
    assert code == "250"
    assert text.split("\n")[1:] == ["PIPELINING", "SIZE 16777216", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
    assert session.say("NOOP", "VRFY kim", "RSET", "noop", "QUIT") == ["250", "252", "250", "250", "221"]
    assert session.status() == 0


def test_each_recipient_has_a_reply_of_its_own(session, peer):
    peer.answer = lambda line: None if line["recipient"] == TWO and "facts" in line else peer.take(line)
    assert session.begin(ONE, OTHER, TWO) == ["250", "250", "250", "550", "250", "354"]
    session.send(crlf(REPORT) + b".")
    assert [session.reply()[0] for _ in range(2)] == ["250", "451"]
    assert session.say("MAIL FROM:<>", f"RCPT TO:<{ONE}>") == ["250", "250"], "a new transaction begins"
    assert [(line["recipient"], line["sender"]) for line in peer.reports] == [(ONE, ""), (TWO, "")]
    assert peer.reports[0]["facts"]["recipients"][0]["verdict"] == "gone"


def test_all_in_one_go(session, peer):
    session.send("LHLO a", "MAIL FROM:<a@b.example> SIZE=1000 BODY=8BITMIME SMTPUTF8", f"RCPT TO:<{ONE}>", "DATA",
                 crlf(REPORT) + b".", "MAIL FROM:<>", f"RCPT TO:<{TWO}>", "DATA", crlf(REPORT) + b".", "QUIT")
    assert [session.reply()[0] for _ in range(10)] == ["250", "250", "250", "354", "250"] + ["250", "250", "354", "250", "221"]
    assert [line["sender"] for line in peer.reports] == ["a@b.example", ""]
    assert session.status() == 0


def test_bytes_one_by_one(session, peer):
    text = b"LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<" + ONE.encode() + b">\r\nDATA\r\n" + crlf(REPORT) + b".\r\nQUIT\r\n"
    for byte in text:
        session.socket.sendall(bytes([byte]))
    assert [session.reply()[0] for _ in range(6)] == ["250", "250", "250", "354", "250", "221"]
    assert peer.reports[0]["facts"]["kind"] == "failed"


def test_a_library_of_others_talks_to_it(peer):
    ours, theirs = socket.socketpair()
    process = subprocess.Popen([PROGRAM, "--socket", peer.path, "--lmtp"], stdin=theirs, stdout=theirs)
    theirs.close()

    class Client(smtplib.LMTP):
        def _get_socket(self, *_):
            return ours
    with Client("localhost", 1) as client:
        assert client.sendmail("", [ONE], REPORT + b".dot\n..dots\n") == {}
    assert process.wait(60) == 0 and len(peer.reports) == 1


def digest_of(peer, mail, piped):
    if piped:
        subprocess.run([PROGRAM, "--socket", peer.path, ONE], input=mail, check=True, timeout=60)
    else:
        session = Session(peer.path)
        session.begin(ONE)
        session.send(mail + b".")
        assert session.reply()[0] == "250"
        session.say("QUIT")
        assert session.status() == 0
    return peer.reports[-1]["facts"]["digest"]


def test_dots_at_the_start_of_a_line_come_through(peer):
    wanted = crlf(REPORT + b".one\n..two\n.\r.three\n. four\n")
    stuffed = crlf(REPORT) + b"..one\r\n...two\r\n..\r.three\r\n.. four\r\n"
    assert digest_of(peer, stuffed, False) == digest_of(peer, wanted, True)


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\0\r\n.\0\r\n"], ids=repr)
def test_no_second_mail_is_smuggled_in(session, peer, end):
    assert session.begin(ONE)[-1] == "354"
    session.send(b"From: a@b.example\r\n\r\nx" + end + b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<" + TWO.encode()
                 + b">\r\nDATA\r\nx\r\n.")
    assert session.reply()[0] == "250" and len(peer.reports) == 1
    assert session.say("QUIT") == ["221"]


WRONG = {
    "mail first": (["MAIL FROM:<>"], "503"),
    "smtp": (["HELO a"], "500"),
    "esmtp": (["EHLO a"], "500"),
    "no name": (["LHLO"], "501"),
    "unknown": (["XYZZY"], "500"),
    "empty": ([""], "500"),
    "starttls": (["LHLO a", "STARTTLS"], "500"),
    "two senders": (["LHLO a", "MAIL FROM:<>", "MAIL FROM:<>"], "503"),
    "no path": (["LHLO a", "MAIL FROM:"], "501"),
    "no end": (["LHLO a", "MAIL FROM:<a@b"], "501"),
    "behind the path": (["LHLO a", "MAIL FROM:<a@b>x"], "501"),
    "no domain": (["LHLO a", "MAIL FROM:<a>"], "501"),
    "control": (["LHLO a", "MAIL FROM:<a\x01@b>"], "501"),
    "too long": (["LHLO a", "MAIL FROM:<" + "a" * 400 + "@b>"], "501"),
    "parameter": (["LHLO a", "MAIL FROM:<> AUTH=<>"], "555"),
    "binary": (["LHLO a", "MAIL FROM:<> BODY=BINARYMIME"], "555"),
    "size": (["LHLO a", "MAIL FROM:<> SIZE=99999999"], "552"),
    "no size": (["LHLO a", "MAIL FROM:<> SIZE=1x"], "501"),
    "huge size": (["LHLO a", "MAIL FROM:<> SIZE=99999999999999"], "552"),
    "no sender": (["LHLO a", f"RCPT TO:<{ONE}>"], "503"),
    "null recipient": (["LHLO a", "MAIL FROM:<>", "RCPT TO:<>"], "501"),
    "recipient's parameter": (["LHLO a", "MAIL FROM:<>", f"RCPT TO:<{ONE}> NOTIFY=NEVER"], "555"),
    "no recipient": (["LHLO a", "MAIL FROM:<>", "DATA"], "503"),
    "only a bad one": (["LHLO a", "MAIL FROM:<>", f"RCPT TO:<{OTHER}>", "DATA"], "503"),
    "argument of data": (["LHLO a", "MAIL FROM:<>", f"RCPT TO:<{ONE}>", "DATA x"], "501"),
    "long line": (["LHLO " + "a" * 100000], "500"),
    "utf-8": (["LHLO a", b"MAIL FROM:<\xff@b>"], "501"),
}


@pytest.mark.parametrize("lines, code", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_and_the_session_goes_on(session, lines, code):
    assert session.say(*lines)[-1] == code
    assert session.say("NOOP", "QUIT") == ["250", "221"]


@pytest.mark.parametrize("path", ["<{}>", " <{}>", "{}", "<@a.example,@b.example:{}>"])
def test_paths(session, peer, path):
    assert session.say("LHLO a", "MAIL FROM:" + path.format('"a>b c"@d.example'), "RCPT TO:" + path.format(ONE)) == ["250"] * 3
    assert peer.lines[0]["recipient"] == ONE


def test_without_the_daemon_the_mail_server_keeps_the_mail(tmp_path):
    session = Session(tmp_path / "none")
    assert session.say("LHLO a", "MAIL FROM:<>", f"RCPT TO:<{ONE}>", "DATA", "QUIT") == ["250", "250", "451", "503", "221"]
    assert session.status() == 0 and b"can't reach dispatchd" in session.said


def test_the_daemon_goes_between_recipient_and_mail(session, peer):
    session.begin(ONE)
    peer.close()
    session.send(crlf(REPORT) + b".")
    assert session.reply()[0] == "451"


def test_more_recipients_than_it_keeps_are_for_later(session):
    codes = session.begin(*[ONE] * 51)
    assert codes[2:] == ["250"] * 50 + ["452", "354"]


def test_a_mail_that_is_too_large_is_refused_after_its_end(session, peer):
    session.begin(ONE, TWO)
    line = b"x" * 998 + b"\r\n"
    for _ in range(17 << 10):
        session.socket.sendall(line)
    session.send(b".")
    assert [session.reply()[0] for _ in range(2)] == ["552", "552"]
    assert session.say("QUIT") == ["221"] and not peer.reports


def test_who_hangs_up_within_a_mail_has_sent_none(session, peer):
    session.begin(ONE)
    session.socket.sendall(crlf(REPORT))
    assert session.status() == 0
    assert not peer.reports


def test_who_reads_no_replies_within_a_mail_is_given_up(session, peer):
    assert session.begin(ONE)[:-1] == ["250"] * 3
    session.socket.shutdown(socket.SHUT_RD)
    session.socket.sendall(crlf(REPORT) + b".\r\nMAIL FROM:<>\r\nRCPT TO:<" + ONE.encode() + b">\r\nDATA\r\nhalf a mail")
    assert session.process.wait(60) == 75
    assert len(peer.reports) == 1


@pytest.mark.parametrize("line", ["NOOP", "XYZZY"])
def test_endless_commands_end_the_session(session, line):
    session.socket.sendall((line + "\r\n").encode() * 1010)
    codes = []
    while (reply := session.reply())[0]:
        codes.append(reply[0])
    assert codes[-1] == "421" and len(codes) <= 1002
    assert session.status() == 75


@pytest.mark.skipif(SANITIZED, reason="a sanitizer reserves more")
def test_noise(peer):
    """Whatever comes, it ends by itself, within its memory, and the daemon hears nothing."""
    noise = random.Random(11)
    words = [b"LHLO a\r\n", b"MAIL FROM:<>", b"RCPT TO:<", ONE.encode(), b">\r\n", b"\0", b"\xff\xfe", b"\n", b"\r", b"<" * 50, b"\""]
    for _ in range(20):
        text = b"".join(noise.choice(words) for _ in range(noise.randrange(2000)))
        done = subprocess.run([PROGRAM, "--socket", peer.path, "--lmtp"], input=text, capture_output=True, check=False, timeout=60,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (300 << 20,) * 2))
        assert done.returncode in (0, 75), done.stderr[-2000:]
    assert not peer.reports
