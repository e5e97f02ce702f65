# SPDX-License-Identifier: MIT
"""dispatch-bounce on reports of all kinds, on what follows no rule, and on what tries to hurt."""
import base64
import json
import resource
import subprocess
from pathlib import Path

import pytest

from world import BUILD, SANITIZED

PROGRAM = BUILD / "dispatch-bounce"
CASES = Path(__file__).parent / "report-cases.txt"
MEMORY_MAX = 400 << 20
CPU_MAX_S = 60  # an endless loop, or worse than linear; what is here takes less than one
FROM = b"From: MAILER-DAEMON@relay.example.org\nSubject: Undelivered\nMIME-Version: 1.0\n"
STATUS = (b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example.org\n\n"
          b"Final-Recipient: rfc822; kim@farm.example\nAction: failed\nStatus: 5.1.1\n")


def cases():
    """(name, what is expected, the mail) of each."""
    for block in ("\n" + CASES.read_text(encoding="utf-8")).split("\n%% ")[1:]:
        title, _, mail = block.partition("\n")
        name, _, expected = title.partition(" = ")
        yield name, expected, mail + "\n"


def run(*args, mail=b""):
    def limits():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_MAX_S, CPU_MAX_S))
    return subprocess.run([PROGRAM, *args], input=mail, capture_output=True, check=False, timeout=120,
                          preexec_fn=None if SANITIZED else limits)


def dump(mail):
    done = run("--dump", "-", mail=mail)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def said(report, expected):
    """The report in the words of the case file; its Message-ID only where the case has one."""
    words = [report["kind"]] + [f"{r['address']} {r['verdict']} {r['status'] or '-'}" for r in report["recipients"]]
    if "; id " in expected:
        words.append(f"id {report['message_id']}")
    return "; ".join(words)


@pytest.mark.parametrize("name, expected, mail", list(cases()), ids=[case[0] for case in cases()])
def test_a_report_is_understood(name, expected, mail):
    report = dump(mail.encode())
    assert said(report, expected) == expected, (name, report)


@pytest.mark.parametrize("name, expected, mail", list(cases()), ids=[case[0] for case in cases()])
def test_line_ends_of_the_network_change_nothing(name, expected, mail):
    report = dump(mail.replace("\n", "\r\n").encode())
    assert said(report, expected) == expected, (name, report)


def test_what_led_to_it_is_in_the_dump_and_only_there():
    mail = {name: text for name, _, text in cases()}["postfix-bare-unknown-after-the-body"].encode()
    recipient = dump(mail)["recipients"][0]
    assert (recipient["stage"], recipient["reply"], recipient["final"]) == ("data", 550, "")
    assert dump(mail)["returned_path"] == "hauling+tok@example.org"
    parsed = json.loads(run("--parse", mail=mail).stdout)
    assert set(parsed) == {"kind", "recipients", "message_id", "token"}
    assert set(parsed["recipients"][0]) == {"address", "action", "status", "diagnostic", "verdict"}


# ---- the token: by its shape, in the order of the contract ----

TOKEN = "caiqaaaaaaaacaaibaeaqcaibaeaqca"
OTHER = "caiqaaaaaaaaeaaibaeaqcaibaeaqca"


def token_of(header="", returned="", feedback=""):
    parts = [f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n{feedback}\n"] if feedback else []
    parts.append(f"--b\nContent-Type: message/rfc822\n\nMessage-ID: <m1@example.org>\n{returned}\nHello\n")
    mail = ("From: MAILER-DAEMON@relay.example.org\n" + header +
            "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n" + "".join(parts) + "--b--\n")
    return json.loads(run("--parse", mail=mail.encode()).stdout)["token"]


@pytest.mark.parametrize("field", ["To", "Delivered-To", "X-Original-To", "Envelope-To", "Cc"])
@pytest.mark.parametrize("address", ["hauling+%s@example.org", "Hauling <hauling-%s@example.org>",
                                     "lee@example.org, hauling=%s@example.org"])
def test_the_token_of_whom_the_mail_came_to(field, address):
    assert token_of(f"{field}: {address % TOKEN}\n", f"Return-Path: <hauling+{OTHER}@example.org>\n") == TOKEN
    assert token_of(f"{field}: {address % TOKEN.upper()}\n") == TOKEN.upper()


@pytest.mark.parametrize("returned", [
    "Return-Path: <hauling+%s@example.org>\n", "List-Unsubscribe: <mailto:hauling+%s@example.org?subject=unsubscribe>\n",
    "List-Unsubscribe: <mailto:other@example.org>, <https://center.example.org/u/%s>\n",
    "List-Unsubscribe: <https://center.example.org/u/%s>,\n <mailto:other@example.org>\n"])
def test_else_the_token_of_the_mail_that_is_returned(returned):
    assert token_of("To: complaints@example.org\n", returned % TOKEN) == TOKEN


def test_else_the_token_of_the_feedback_report():
    later = f"List-Unsubscribe: <mailto:hauling+{OTHER}@example.org>\n"
    assert token_of(feedback=f"Original-Mail-From: <hauling+{TOKEN}@example.org>\n", returned=later) == TOKEN


@pytest.mark.parametrize("token", ["", "short", TOKEN[:-1], TOKEN + "1", "z" * 31, TOKEN.replace("c", "0", 1)])
def test_what_has_not_its_shape_is_none(token):
    assert token_of(f"To: hauling+{token}@example.org\n", f"List-Unsubscribe: <https://example.org/u/{token[:30]}>\n") == ""


def test_no_other_program_loads_what_parses_mime():
    def loads(program):
        done = subprocess.run(["readelf", "-d", BUILD / program], capture_output=True, text=True, check=True)
        return "libgmime" in done.stdout
    programs = ["dispatchd", "dispatchctl", "dispatch-center", "dispatch-bounce"]
    assert [program for program in programs if loads(program)] == ["dispatch-bounce"]


def test_an_opt_out_of_all_says_so():
    mails = {name: text.encode() for name, _, text in cases()}
    assert dump(mails["opt-out-of-all"])["all"] is True
    assert dump(mails["opt-out"])["all"] is False


def test_a_file_is_read_like_standard_input(tmp_path):
    mail = tmp_path / "mail"
    mail.write_bytes(next(cases())[2].encode())
    assert run("--dump", mail).stdout == run("--dump", "-", mail=mail.read_bytes()).stdout != b""


@pytest.mark.parametrize("args, code", [((), 64), (("--parse", "x"), 64), (("--dump", "-", "--parse"), 64),
                                        (("--dump", "/nonexistent/mail"), 66), (("-V",), 0), (("--help",), 0)])
def test_exit_statuses(args, code):
    done = run(*args)
    assert done.returncode == code
    assert bool(done.stderr) == (code != 0) and bool(done.stdout) == (code == 0)


@pytest.mark.parametrize("bytes_", [b"", b"\n\n", b"no header here\n", b"\0\0\0"],
                         ids=["nothing", "blank lines", "a sentence", "NULs"])
def test_what_is_no_mail_is_65(bytes_):
    done = run("--parse", mail=bytes_)
    assert (done.returncode, done.stdout) == (65, b"")


# ---- what tries to hurt: within the memory that it is allowed, and never a marked address ----

def nested(levels, kind=b"multipart/mixed"):
    return b"".join(b"Content-Type: %s; boundary=b%d\n\n--b%d\n" % (kind, i, i) for i in range(levels))


HOSTILE = {
    "10,000 parts": FROM + b"Content-Type: multipart/mixed; boundary=b\n\n" +
                    b"--b\nContent-Type: text/plain\n\nx\n" * 10_000 + b"--b\n" + STATUS + b"--b--\n",
    "parts without a header": FROM + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 500_000,
    "nested 1,000 deep": FROM + nested(1000) + STATUS,
    "nested as deep as is parsed": FROM + nested(150) + STATUS,
    "mails in mails": FROM + b"Content-Type: message/rfc822\n\n" * 1000 + STATUS,
    "mails in mails, folded": FROM + b"Content-Type\n : message/rfc822\n\n" * 1000 + STATUS,
    "a header without end": FROM + b"Subject: aaa\n" * 1_000_000,
    "a line of 50 MB": FROM + b"Content-Type: text/plain\n\n" + b"x" * (50 << 20),
    "NULs of 50 MB": FROM + b"\n" + b"\0" * (50 << 20),
    "a header of 10 MB": FROM + b"X-Field: of a mail\n" * 500_000 + STATUS,
    "one field without end": FROM + b"X-Long: " + b"a b " * 4_000_000,
}


@pytest.mark.parametrize("where", ["", "Content-Type: message/rfc822\n\n"], ids=["outside", "in the returned mail"])
@pytest.mark.parametrize("field", ["To: ", "cc:", "Bcc: ", "FROM: ", "Sender : ", "Reply-To:\n "])
@pytest.mark.parametrize("group", ["a:", "a:\n ", '"a b" :'])
def test_groups_in_groups_are_not_understood(where, field, group):
    mail = FROM + where.encode() + (field + group * 200_000 + "\n").encode() + STATUS
    report = dump(mail)
    assert (report["kind"], report["recipients"]) == ("unknown", [])
    few = FROM + (field + group * 100 + "\n").encode() + STATUS
    assert dump(few)["kind"] == "failed"


@pytest.mark.parametrize("name", HOSTILE)
def test_too_much_is_not_understood(name):
    report = dump(HOSTILE[name])
    assert (report["kind"], report["recipients"]) == ("unknown", [])


def test_50_megabytes_are_not_understood():
    report = dump(FROM + STATUS + b"\n" + b"a line of text\n" * (50 * 1024 * 1024 // 15))
    assert (report["kind"], report["recipients"]) == ("unknown", [])


NONSENSE = {
    "NULs": b"\0" * 1_000_000, "at signs": b"@" * 1_000_000, "brackets": b"<a@" * 300_000,
    "no UTF-8": b"\xff\xfe" * 500_000, "codes": b"5.1.1" * 200_000, "stars": b"* " * 500_000,
    "lines": b"550 5.1.1 \0<kim@farm.example>\0 user unknown\n" * 10_000, "tags": b"<style" * 150_000,
    "escapes": b"\x1b]0;x\x07" * 100_000,
}


@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("kind", [b"text/plain", b"text/html", b"message/delivery-status", b"message/feedback-report"])
def test_nonsense_is_safe_to_show(kind, name):
    done = run("--dump", "-", mail=FROM + b"Content-Type: " + kind + b"\n\n" + NONSENSE[name])
    report = json.loads(done.stdout)
    for recipient in report["recipients"]:
        text = "".join(str(value) for value in recipient.values())
        assert not any(ord(c) < 32 for c in text)
        assert len(recipient["diagnostic"]) <= 1000 and len(recipient["address"]) <= 330
    assert len(report["recipients"]) <= 50


@pytest.mark.parametrize("charset", ["utf-7", "unknown-8bit", "x-nonsense", "iso-2022-kr", "hz-gb-2312", "a" * 5000,
                                     "utf-8//TRANSLIT", "../../../etc/passwd", "=?utf-8?q?x?="])
def test_a_charset_that_nobody_knows_hides_nothing(charset):
    text = (b"This is the qmail-send program\n\n<kim@farm.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n" +
            b"\x1b$B\xff+AEA- ~{\x0e" * 30_000)
    report = dump(FROM + b'Content-Type: text/plain; charset="' + charset.encode() + b'"\n\n' + text)
    assert [(r["address"], r["verdict"]) for r in report["recipients"]] == [("kim@farm.example", "gone")]


@pytest.mark.parametrize("charset", ["utf-16", "utf-32", "ebcdic-us", "ucs-4"])
def test_a_charset_that_turns_all_into_nonsense_marks_nobody(charset):
    report = dump(FROM + b"Content-Type: text/plain; charset=" + charset.encode() + b"\n\n" + b"user unknown 550\n" * 50_000)
    assert "gone" not in [r["verdict"] for r in report["recipients"]]


BOMBS = {
    "base64": b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" +
              base64.encodebytes(b"<kim@farm.example>: 550 5.1.1 user unknown\n" * 16_000),
    "quoted-printable": b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n" + b"=40=0A" * 150_000,
    "uuencode": b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n" + (b"M" + b"`" * 60 + b"\n") * 15_000,
    "fields": b"X-Field: of a mail\n" * 50_000 + STATUS,
    "addresses": b"To: " + b"a@b," * 200_000 + b"\n" + STATUS,
    "addresses like ours": b"To: " + b"a" * 31 + b"@b," + b"abcdefghijklmnopqrstuvwxyz234567@b," * 25_000 + b"\n" + STATUS,
    "comments": b"To: " + b"(" * 400_000 + b"\n" + STATUS,
    "failed recipients": b"X-Failed-Recipients: " + b"kim@farm.example, " * 50_000 + b"\n\nuser unknown\n",
    "references": b"References: " + b"<a@b> " * 150_000 + b"\n" + STATUS,
    "parameters": b"Content-Type: text/plain" + b"; a=b" * 180_000 + b"\n\nx\n",
    "pieces of a parameter": b"Content-Type: multipart/mixed" +
                             b"".join(b"; boundary*%d=b" % i for i in range(45_000)) + b"\n\n--b\n\nx\n",
    "encoded words": b"X-Subject: " + b"=?utf-8?q?a?= " * 70_000 + b"\n" + STATUS,
    "file names": b"Content-Disposition: attachment" + b"; filename*0*=utf-8''%41" * 30_000 + b"\n" + STATUS,
    "a long boundary": b"Content-Type: multipart/mixed; boundary=" + b"a" * 400_000 + b"\n\n--" + b"a" * 400_000 + b"\n\nx",
    "tags": b"Content-Type: text/html\n\n" + b"<script><b><" * 80_000,
    "names of recipients": b"\ndelivery failed\n" + b"recipient: rcpt to: \n" * 40_000,
    "recipients again and again": b"\ndelivery failed\n" + b"".join(b"<kim%d@a.example>:\n" % (i % 60) for i in range(50_000)),
    "complaints": b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n" +
                  b"Original-Rcpt-To: kim@farm.example\n" * 25_000,
    "ways to unsubscribe": b"Content-Type: message/rfc822\n\nList-Unsubscribe: " + b"<mailto:a@b>," * 60_000 + b"\n\nx",
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_unfolds_costs_no_more(name):
    report = dump(FROM + BOMBS[name])
    assert len(report["recipients"]) <= 50
    assert all(len(str(value)) <= 4000 for value in report.values() if isinstance(value, str))


def test_a_status_with_a_hundred_thousand_recipients_has_fifty():
    group = b"Final-Recipient: rfc822; kim%d@farm.example\nAction: failed\nStatus: 5.1.1\n\n"
    mail = FROM + b"Content-Type: message/delivery-status\n\n" + b"".join(group % i for i in range(100_000))
    assert len(dump(mail)["recipients"]) == 50


def test_a_bounce_of_a_bounce_marks_nobody():
    mail = {name: text for name, _, text in cases()}["postfix-unknown"]
    assert dump(mail.encode())["recipients"][0]["verdict"] == "gone"
    inner = "Content-Type: multipart/report; report-type=delivery-status; boundary=x\nFrom: MAILER-DAEMON@here.example"
    mail = mail.replace("From: Example Hauling <office@example.org>", inner)
    assert [r["verdict"] for r in dump(mail.encode())["recipients"]] == ["none"]


def test_nul_in_the_middle_hides_nothing():
    mail = {name: text for name, _, text in cases()}["qmail-unknown"].encode()
    report = dump(mail.replace(b"Sorry it", b"Sorry\0 it"))
    assert [r["verdict"] for r in report["recipients"]] == ["gone"]
