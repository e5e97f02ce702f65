# SPDX-License-Identifier: MIT
"""dispatch-bounce as a pipe and on a Maildir, before a daemon that is played by the test."""
import base64
import email
import email.policy
import os
import subprocess
import time

import pytest

from report_peer import DOMAIN, PROGRAM, ReportPeer, bounce

TOKEN = "caaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"  # by its shape
BOUNCE = f"bounce+{TOKEN}@{DOMAIN}"
REPORT = (b"Return-Path: <>\nFrom: MAILER-DAEMON@relay.example.org\nTo: bounce@mail.example.com\nSubject: Undelivered\n"
          b"MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
          b"--b\n\nUnknown user.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example.org\n\n"
          b"Final-Recipient: rfc822; kim@farm.example\nAction: failed\nStatus: 5.1.1\n\n--b--\n")


@pytest.fixture
def peer(tmp_path):
    started = ReportPeer(tmp_path / "report.sock")
    yield started
    started.close()


def pipe(peer, *args, mail=REPORT):
    return bounce("--socket", str(peer.path), *args, mail=mail)


def test_a_report_is_handed_over_as_facts(peer):
    done = pipe(peer, "-f", "", BOUNCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    line = peer.lines[0]
    assert (line["recipient"], line["sender"]) == (BOUNCE, "")
    assert line["facts"]["kind"] == "failed"
    assert line["facts"]["recipients"][0]["verdict"] == "gone"
    assert len(line["facts"]["digest"]) == 64 and "reply" not in line


def test_line_ends_don_t_make_another_report_but_a_recipient_does(peer):
    pipe(peer, BOUNCE)
    pipe(peer, BOUNCE, mail=REPORT.replace(b"\n", b"\r\n"))
    pipe(peer, f"bounce@{DOMAIN}")
    pipe(peer, BOUNCE, mail=REPORT.replace(b"kim", b"sam"))
    digests = [line["facts"]["digest"] for line in peer.lines]
    assert digests[0] == digests[1] and len(set(digests)) == 3


@pytest.mark.parametrize("given, sender", [(["-f", "MAILER-DAEMON"], ""), (["-f", "<>"], ""), (["-f", "a@b.example"],
                                           "a@b.example"), ([], "")], ids=["postfix", "brackets", "somebody", "return-path"])
def test_the_null_sender_is_known_by_all_its_names(peer, given, sender):
    assert pipe(peer, *given, BOUNCE).returncode == 0
    assert peer.lines[0]["sender"] == sender


def test_nobody_knows_the_sender(peer):
    assert pipe(peer, BOUNCE, mail=REPORT.replace(b"Return-Path: <>\n", b"")).returncode == 0
    assert peer.lines[0]["sender"] is None


@pytest.mark.parametrize("field, token", [(f"Delivered-To: {BOUNCE}", TOKEN), (f'To: "Re, x" <{BOUNCE}>, a@b.example', TOKEN),
                                          (f"Subject: {BOUNCE}", "")], ids=["fetched", "to", "words"])
def test_a_token_that_an_alias_dropped_is_found_in_the_header(peer, field, token):
    assert pipe(peer, f"bounce@{DOMAIN}", mail=field.encode() + b"\n" + REPORT).returncode == 0
    assert (peer.lines[0]["recipient"], peer.lines[0]["facts"]["token"]) == (f"bounce@{DOMAIN}", token)


def test_another_domain_is_67_and_the_reason_is_said(peer):
    done = pipe(peer, "bounce@other.example")
    assert done.returncode == 67 and b"another domain" in done.stderr


ANSWERS = {
    "refused": {"ok": False, "code": 70, "error": "the disk is full"},
    "no usage of ours": {"ok": False, "code": 64, "error": "what is that"},
    "without a reason": {"ok": False},
    "not an answer": [],
    "asks for what wasn't offered": {"ok": True, "send": True},
    "nothing": None,
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_whatever_else_the_daemon_says_the_mail_server_keeps_the_mail(tmp_path, answer):
    peer = ReportPeer(tmp_path / "s", lambda line: answer)
    try:
        assert pipe(peer, BOUNCE).returncode == 75
    finally:
        peer.close()


def test_no_daemon_is_75(tmp_path):
    done = bounce("--socket", str(tmp_path / "none"), BOUNCE, mail=REPORT)
    assert done.returncode == 75 and b"can't reach dispatchd" in done.stderr


def test_the_socket_is_beside_the_spool_of_a_configuration(tmp_path, peer):
    conf = tmp_path / "dispatchd.conf"
    conf.write_text(f"[spool]\npath = {tmp_path}/spool.db\n[mail]\nfrom = unfinished\n")
    assert bounce("-c", str(conf), BOUNCE, mail=REPORT).returncode == 0
    assert bounce(BOUNCE, mail=REPORT, env={"DISPATCHD_CONF": str(conf)}).returncode == 0
    assert len(peer.reports) == 2
    assert bounce("-c", str(tmp_path / "none.conf"), BOUNCE, mail=REPORT).returncode == 75


def test_a_configuration_that_can_t_be_read_is_no_fault_unless_it_was_named():
    done = bounce(BOUNCE, mail=REPORT, env={})
    assert done.returncode == 75 and done.stderr.count(b"\n") == 1
    assert b"/var/lib/dispatchd/report.sock" in done.stderr


@pytest.mark.parametrize("args", [[], ["-f", "", "--parse"], ["--lmtp", BOUNCE], ["--lmtp", "--maildir", "x"], [BOUNCE, BOUNCE],
                                  ["bounce"], ["--maildir"], ["-f"]], ids=" ".join)
def test_usage(args):
    done = bounce(*args)
    assert done.returncode == 64 and b"usage: dispatch-bounce" in done.stderr


def test_what_is_no_mail_and_what_is_too_much_is_handed_over_too(peer):
    for mail in (b"", b"\0" * 1000, b"no header at all", b"a: b\n\n" + b"x" * (17 << 20)):
        assert pipe(peer, BOUNCE, mail=mail).returncode == 0
    assert {line["facts"]["kind"] for line in peer.lines} == {"unknown"}


def test_of_what_is_too_much_the_same_part_counts_each_time(peer):
    mail = b"a: b\n\n" + b"x" * (16 << 20)
    mail = mail[:(16 << 20) + 1]
    for more in (b"", b"y", b"z" * 100000):
        assert pipe(peer, BOUNCE, mail=mail + more).returncode == 0
    assert len({line["facts"]["digest"] for line in peer.lines}) == 1


def test_a_report_about_many_fits_into_a_line(peer):
    rows = b"".join(b"\nFinal-Recipient: rfc822; %s%d@farm.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 %s\n"
                    % (b"k" * 200, i, b"\xc3\xa4\\\"" * 300) for i in range(60))
    head, _, tail = REPORT.partition(b"\nFinal-Recipient")
    assert pipe(peer, BOUNCE, mail=head + rows + b"\n--b--\n").returncode == 0
    assert 1 < len(peer.lines[0]["facts"]["recipients"]) < 50 and tail


# ---- a person's reply

REPLY = ("From: Kim Farmer <kim@farm.example>\nTo: Example <bounce+x@mail.example.com>\nSubject: Re: =?utf-8?q?J=C3=B6b?=\n"
         "In-Reply-To: <a@b>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=q\n\n--q\n"
         "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße, not today.\n> quoted\n"
         + "y" * 2000 + "\n--q\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n"
         + base64.encodebytes(bytes(range(256)) * 20).decode() + "\n--q--\n").encode()


@pytest.fixture
def asks(tmp_path):
    def answer(line):
        return {"ok": True, "took": "reply", **({"send": True} if "reply" in line else {})}
    peer = ReportPeer(tmp_path / "asks", answer)
    yield peer
    peer.close()


def entity(body):
    assert body.isascii() and b"\0" not in body
    assert all(line.endswith(b"\r") and len(line) <= 999 for line in body.split(b"\n")[:-1]) and body.endswith(b"\r\n")
    return email.message_from_bytes(b"MIME-Version: 1.0\r\n" + body, policy=email.policy.default)


def test_a_reply_is_handed_over_whole_at_7_bits(asks):
    assert pipe(asks, "-f", "kim@farm.example", BOUNCE, mail=REPLY).returncode == 0
    reply = asks.lines[0]["reply"]
    assert (reply["subject"], reply["from"]) == ("Re: Jöb", "kim@farm.example")
    assert reply["text"].startswith("Grüße, not today.\nyyy") and "quoted" not in reply["text"]
    mail = entity(asks.bodies[0])
    text, attached = mail.iter_parts()
    assert text.get_content().replace("\r", "").startswith("Grüße, not today.\n> quoted\nyyyy")
    assert attached.get_content() == bytes(range(256)) * 20
    assert set(mail.keys()) == {"MIME-Version", "Content-Type"}


@pytest.mark.parametrize("charset, text", [("", "Grüße".encode()), ("", "Grüße".encode("cp1252"))], ids=["utf-8", "windows-1252"])
def test_a_reply_that_names_no_charset_is_readable(asks, charset, text):
    assert pipe(asks, BOUNCE, mail=b"From: kim@farm.example\nSubject: Re: x\n\n" + text + b"\n" + charset.encode()).returncode == 0
    assert entity(asks.bodies[0]).get_content().strip() == "Grüße"


NASTY = {
    "8 bits in base64": b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n\xff\xfe\xfd\n" + b"a" * 1500 + b"\n",
    "a name of 8 bits": b"Content-Type: application/x; name=\"\xff\xfe.pdf\"\n\nx\n",
    "10,000 fields in a part": b"Content-Type: multipart/mixed; boundary=q\n\n--q\n" + b"a: b\n" * 30000 + b"\nx\n--q--\n",
    "hundreds of parts": b"Content-Type: multipart/mixed; boundary=q\n\n" + b"--q\nContent-Type: text/plain\n\nx\n" * 900 + b"--q--\n",
}


@pytest.mark.parametrize("content", NASTY.values(), ids=NASTY)
def test_what_can_t_be_sent_on_as_it_is_becomes_an_attachment_or_is_encoded(asks, content):
    mail = b"From: kim@farm.example\nSubject: Re: x\nMIME-Version: 1.0\n" + content
    assert pipe(asks, BOUNCE, mail=mail).returncode == 0
    if asks.bodies:
        sent = entity(asks.bodies[0])
        if sent.get_content_type() == "application/octet-stream":
            assert sent.get_content() == mail
    else:
        assert asks.lines[0]["facts"]["kind"] == "unknown", "too much to be understood"


# ---- Maildir

@pytest.fixture
def maildir(tmp_path):
    for name in ("new", "cur", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    return tmp_path / "box"


def put(maildir, name, mail=REPORT):
    (maildir / "new" / name).write_bytes(mail)


def names(maildir, folder):
    place = maildir / folder / "new"
    return sorted(p.name for p in place.iterdir()) if place.exists() else []


def take(peer, maildir):
    return bounce("--socket", str(getattr(peer, "path", peer)), "--maildir", str(maildir))


def test_what_was_taken_moves_and_nothing_is_deleted(peer, maildir):
    def answer(line):
        did = {"failed": "marked", "unknown": "unknown"}[line["facts"]["kind"]]
        return {"ok": True, "took": did} if "other" not in line["recipient"] else {"ok": False, "code": 67, "error": "no"}
    peer.answer = answer
    put(maildir, "2", b"From: a@b.example\n\nwhat\n" * 10 + b"Precedence: list\n")
    put(maildir, "2", b"From: a@b.example\nPrecedence: list\n\nwhat\n")
    put(maildir, "1", b"Delivered-To: " + BOUNCE.encode() + b"\n" + REPORT)
    put(maildir, "3", f"To: x+{TOKEN}@other.example\n".encode() + REPORT)
    put(maildir, ".hidden")
    assert take(peer, maildir).returncode == 0
    assert names(maildir, ".done") == ["1"] and names(maildir, ".unknown") == ["2", "3"]
    assert os.listdir(maildir / "new") == [".hidden"]
    assert peer.reports[0]["recipient"] == BOUNCE and peer.reports[1]["recipient"] == ""
    assert {p.name for p in (maildir / ".done").iterdir()} == {"new", "cur", "tmp"}


def test_without_the_daemon_all_stays_and_it_is_tried_again(peer, maildir):
    put(maildir, "1")
    done = take(maildir / "none", maildir)
    assert done.returncode == 75 and os.listdir(maildir / "new") == ["1"]
    assert take(peer, maildir).returncode == 0 and names(maildir, ".done") == ["1"]


@pytest.mark.parametrize("code", [65, 70])
def test_a_mail_that_the_daemon_refuses_stays_and_holds_up_nobody(peer, maildir, code):
    """The daemon refuses what it can't read; the others are taken, and this one is tried again later."""
    bad = REPORT.replace(b"kim@", b"bad@")

    def answer(line):
        if line["facts"]["recipients"][0]["address"].startswith("bad@"):
            return {"ok": False, "code": code, "error": "facts: not understood"}
        return peer.take(line)
    peer.answer = answer
    for name, mail in (("1", bad), ("2", REPORT), ("3", bad), ("4", REPORT)):
        put(maildir, name, mail)
    done = take(peer, maildir)
    assert done.returncode == 75 and b"new/1: facts: not understood" in done.stderr
    assert names(maildir, ".done") == ["2", "4"] and sorted(os.listdir(maildir / "new")) == ["1", "3"]
    peer.answer = peer.take
    assert take(peer, maildir).returncode == 0
    assert names(maildir, ".done") == ["1", "2", "3", "4"]


def test_a_folder_that_vanishes_is_a_fault_and_the_mail_stays(peer, maildir):
    put(maildir, "1")

    def answer(line):
        if len(peer.reports) == 1:
            (maildir / ".done/new").rmdir()
        return peer.take(line)
    peer.answer = answer
    done = take(peer, maildir)
    assert done.returncode == 74 and os.listdir(maildir / "new") == ["1"]
    assert len(peer.reports) == 1
    assert take(peer, maildir).returncode == 0 and names(maildir, ".done") == ["1"]


def test_a_name_that_is_there_already_is_not_replaced(peer, maildir):
    put(maildir, "1")
    assert take(peer, maildir).returncode == 0
    put(maildir, "1", REPORT + b"second")
    assert take(peer, maildir).returncode == 0
    both = names(maildir, ".done")
    assert both[0] == "1" and both[1].startswith("1.") and len(both) == 2
    assert (maildir / ".done/new/1").read_bytes() == REPORT


def test_what_is_no_mail_of_ours_is_neither_followed_nor_opened(peer, maildir, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(REPORT)
    (maildir / "new/link").symlink_to(secret)
    (maildir / "new/folder").mkdir()
    os.mkfifo(maildir / "new/fifo")
    os.link(secret, maildir / "new/hard")
    put(maildir, "mail")
    done = take(peer, maildir)
    assert done.returncode == 0 and done.stderr.count(b"\n") == 4
    assert names(maildir, ".unknown") == ["fifo", "folder", "hard", "link"] and names(maildir, ".done") == ["mail"]
    assert len(peer.reports) == 1 and secret.read_bytes() == REPORT


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's file")
def test_another_user_s_file_is_not_taken(peer, maildir):
    put(maildir, "theirs")
    os.chown(maildir / "new/theirs", 12345, 12345)
    assert take(peer, maildir).returncode == 0
    assert names(maildir, ".unknown") == ["theirs"] and not peer.reports


def test_killed_between_the_answer_and_the_move(peer, maildir):
    """It is handed over again, with the digest by which the daemon knows it."""
    put(maildir, "1")
    running = []

    def die(line):
        running[0].kill()
        running[0].wait()
    peer.answer = die
    running.append(subprocess.Popen([PROGRAM, "--socket", peer.path, "--maildir", maildir]))
    running[0].wait(60)
    deadline = time.monotonic() + 60
    while not peer.reports and time.monotonic() < deadline:
        time.sleep(0.05)
    assert os.listdir(maildir / "new") == ["1"]
    peer.answer = peer.take
    assert take(peer, maildir).returncode == 0
    assert names(maildir, ".done") == ["1"]
    assert len({line["facts"]["digest"] for line in peer.reports}) == 1 and len(peer.reports) == 2


def test_two_at_a_time_take_each_mail_once(peer, maildir):
    for i in range(60):
        put(maildir, f"{i:03}")
    both = [subprocess.Popen([PROGRAM, "--socket", peer.path, "--maildir", maildir]) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert len(names(maildir, ".done")) == 60 and len(peer.reports) == 60


def test_no_maildir(peer, tmp_path):
    assert take(peer, tmp_path / "none").returncode == 66
