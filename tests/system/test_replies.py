# SPDX-License-Identifier: MIT
"""A person's reply to a mail: on to the sales rep or the office, as a comment on the job, and never in a circle."""
import base64
import contextlib
import json
import socket
import sqlite3

import pytest

import tokens
from kit import add_customer, message
from report_peer import bounce
from smtp_peer import start
from world import wait_until

KIM, REP, OFFICE = "kim@farm.example", "rita@example.com", "office@example.com"
BYTES = bytes(range(256)) * 40
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
HEAD = f"From: Kim Farmer <{KIM}>\nTo: Example Hauling <x@mail.example.com>\nSubject: Re: =?utf-8?q?Ihr_Auftrag_=C3=BCbermorgen?=\n"
WHOLE = (HEAD + "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=q\n\n--q\nContent-Type: text/plain; charset=utf-8\n"
         "Content-Transfer-Encoding: 8bit\n\nGrüße, bitte erst nächste Woche.\n> quoted\n\n--q\n"
         "Content-Type: application/pdf; name=plan.pdf\nContent-Disposition: attachment; filename=plan.pdf\n"
         "Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(BYTES).decode()
         + "--q\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(PNG).decode() + "--q--\n").encode()


class Talk:
    """A mail to Kim that was sent, and what she writes to its Reply-To."""

    def __init__(self, world, rep=True, office=True):
        self.world, self.peer = world, start(world)
        tokens.configure(world)
        world.configure(office={"email": OFFICE if office else ""})
        fields = {}
        if rep:
            world.ctl("rep", "add", "--name", "Rita", "--email", REP)
            fields["sales_rep"] = "Rita"
        add_customer(world, email=KIM, **fields)
        world.start_daemon()
        world.xadd(id="1", type="job.completed", job="4711", customer="1001")
        self.peer.wait_mails(1)
        wait_until(lambda: self.rows("SELECT status FROM mail") == [("sent",)], "the mail")
        (self.id, message_id), = self.rows("SELECT id, message_id FROM mail")
        self.address = tokens.address(tokens.sealed(tokens.REPLY, self.id, KIM, message_id))
        if rep or office:
            assert message(self.peer.mails[0])["Reply-To"].addresses[0].addr_spec == self.address

    def rows(self, sql):
        with contextlib.closing(sqlite3.connect(f"file:{self.world.path('spool.db')}?mode=ro", uri=True)) as spool:
            return spool.execute(sql).fetchall()

    def write(self, mail=WHOLE, to=None, sender=KIM):
        done = bounce("--socket", self.world.path("report.sock"), "-f", sender, to or self.address, mail=mail)
        assert (done.returncode, done.stderr) == (0, b"")

    def comments(self):
        return self.world.ctl_json("customer", "show", "1001").get("comments", [])

    def took(self):
        return [row[0] for row in self.rows("SELECT took FROM bounce ORDER BY id")]


@pytest.fixture
def talk(world):
    return Talk(world)


def test_it_goes_to_the_rep_whole(talk):
    talk.write()
    talk.peer.wait_mails(2)
    sent = talk.peer.mails[1]
    assert (sent.sender, sent.recipients) == ("", [REP])
    mail = message(sent)
    assert mail["Subject"] == "[4711] Re: Ihr Auftrag übermorgen"
    assert mail["Reply-To"].addresses[0].addr_spec == KIM
    assert (mail["From"].addresses[0].addr_spec, mail["To"].addresses[0].addr_spec) == ("dispatch@example.com", REP)
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert mail["X-Dispatchd-Job"] == "4711" and mail["Message-ID"] != message(talk.peer.mails[0])["Message-ID"]
    for name in ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"):
        assert len(mail.get_all(name)) == 1, name
    text, plan, picture = mail.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == "Grüße, bitte erst nächste Woche.\n> quoted\n"
    assert (plan.get_filename(), plan.get_content()) == ("plan.pdf", BYTES)
    assert picture.get_content() == PNG
    assert sent.data.isascii() and max(map(len, sent.data.split(b"\r\n"))) <= 998


def test_it_is_a_comment_on_the_job(talk):
    talk.write()
    wait_until(lambda: talk.comments(), "the comment")
    comment, = talk.comments()
    assert (comment["job"], comment["author"]) == ("4711", "recipient")
    assert comment["text"] == f"{KIM}: Re: Ihr Auftrag übermorgen\n\nGrüße, bitte erst nächste Woche."
    assert talk.world.ctl_json("job", "show", "4711")["comments"][0]["text"] == comment["text"]
    assert "nächste Woche" in talk.world.ctl("job", "show", "4711").stdout


def test_its_content_stays_only_until_it_is_sent(talk):
    talk.write()
    talk.peer.wait_mails(2)
    wait_until(lambda: talk.rows("SELECT status FROM mail WHERE state = 'reply'") == [("sent",)], "sent")
    assert talk.rows("SELECT * FROM reply") == []


@pytest.mark.parametrize("rep, office, to", [(False, True, OFFICE), (True, False, REP)])
def test_to_whom(world, rep, office, to):
    talk = Talk(world, rep, office)
    talk.write()
    talk.peer.wait_mails(2)
    assert talk.peer.mails[1].recipients == [to]


def test_nobody_to_go_to_is_a_comment(world):
    talk = Talk(world, rep=False, office=False)
    talk.write()
    wait_until(lambda: talk.comments(), "the comment")
    assert talk.took() == ["commented"] and talk.peer.count == 1


def test_the_same_mail_twice_goes_once_and_another_goes_too(talk):
    talk.write()
    talk.write()
    talk.write(WHOLE.replace("nächste".encode(), "diese".encode()))
    wait_until(lambda: len(talk.comments()) == 2, "two comments")
    talk.peer.wait_mails(3)
    assert talk.took() == ["forwarded", "forwarded"] and talk.peer.count == 3


AUTOMATIC = {
    "auto-submitted": b"Auto-Submitted: auto-replied\n",
    "any but no": b"Auto-Submitted: x-something\n",
    "bulk": b"Precedence: bulk\n",
    "list": b"List-Id: <a.example>\n",
    "suppressed": b"X-Autoreply: yes\n",
}


@pytest.mark.parametrize("field", AUTOMATIC.values(), ids=AUTOMATIC)
def test_a_program_s_answer_is_counted_and_goes_nowhere(talk, field):
    talk.write(field + WHOLE)
    goes_nowhere(talk)


def goes_nowhere(talk):
    talk.world.xadd(id="2", type="job.completed", job="5", customer="1001")
    talk.peer.wait_mails(2)
    assert [mail.recipients for mail in talk.peer.mails] == [[KIM], [KIM]]
    assert talk.comments() == [] and "forwarded" not in talk.took() and len(talk.took()) == 1


def test_who_says_that_no_program_sent_it_is_a_person(talk):
    talk.write(b"Auto-Submitted: No (really)\n" + WHOLE)
    talk.peer.wait_mails(2)
    assert talk.took() == ["forwarded"]


@pytest.mark.parametrize("sender, mail", [
    ("", WHOLE), (KIM, WHOLE.replace(KIM.encode(), b"MAILER-DAEMON@farm.example")),
    ("dispatch@example.com", WHOLE.replace(KIM.encode(), b"dispatch@example.com")),
    (KIM, WHOLE.replace(KIM.encode(), tokens.ADDRESS.encode()))], ids=["null sender", "mailer-daemon", "ourselves", "bounce"])
def test_what_may_go_in_a_circle_goes_nowhere(talk, sender, mail):
    talk.write(mail, sender=sender)
    goes_nowhere(talk)


def test_what_went_on_comes_back_from_a_program_and_goes_nowhere(talk):
    """The rep is on vacation, and her program ignores the null sender."""
    talk.write()
    talk.peer.wait_mails(2)
    answer = b"From: rita@example.com\nAuto-Submitted: auto-replied\nSubject: away\n\nBack on Monday.\n"
    talk.write(answer, sender=REP)
    talk.world.xadd(id="2", type="job.completed", job="5", customer="1001")
    talk.peer.wait_mails(3)
    assert talk.peer.count == 3 and talk.took() == ["forwarded", "counted"]


@pytest.mark.parametrize("token", ["report", "forged", "none"])
def test_only_a_reply_s_token_counts(talk, token):
    message_id, = talk.rows("SELECT message_id FROM mail")[0]
    to = {"report": tokens.address(tokens.sealed(tokens.REPORT, talk.id, KIM, message_id)),
          "forged": tokens.address(tokens.sealed(tokens.REPLY, talk.id, KIM, message_id, key=b"x" * 32)),
          "none": tokens.ADDRESS}[token]
    talk.write(to=to)
    goes_nowhere(talk)
    assert talk.took() == ["unknown"]


def test_twenty_to_a_mail_then_they_are_parked(talk):
    for i in range(22):
        talk.write(f"From: {KIM}\nSubject: Re: {i}\n\nno. {i}\n".encode())
    talk.peer.wait_mails(21)
    assert talk.took() == ["forwarded"] * 20 + ["parked"] * 2
    text, why = talk.rows("SELECT text, why FROM bounce WHERE took = 'parked' ORDER BY id")[0]
    assert (text, why) == ("Re: 20: no. 20", "too_many")
    wait_until(lambda: len(talk.comments()) == 20, "comments")


def test_of_those_that_go_nowhere_the_latest_stay(talk):
    for i in range(42):
        talk.write(f"From: {KIM}\nSubject: Re: {i}\n\nno. {i}\n".encode())
    assert talk.took() == ["forwarded"] * 20 + ["parked"] * 20
    assert [text for text, in talk.rows("SELECT text FROM bounce ORDER BY id")] == [
        f"Re: {i}: no. {i}" for i in [*range(20), *range(22, 42)]]


def test_comments_count_too(world):
    talk = Talk(world, rep=False, office=False)
    for i in range(22):
        talk.write(f"From: {KIM}\nSubject: Re: {i}\n\nno. {i}\n".encode())
    assert talk.took() == ["commented"] * 20 + ["parked"] * 2
    wait_until(lambda: len(talk.comments()) == 20, "comments")


def test_one_that_is_too_large_is_parked(talk):
    large = HEAD.encode() + b"MIME-Version: 1.0\nContent-Type: application/x\n\n" + b"\xff\xfe" * (4 << 20)
    talk.write(large)
    assert talk.took() == ["parked"]


def test_a_large_one_goes(talk):
    talk.write(HEAD.encode() + b"MIME-Version: 1.0\nContent-Type: application/x\n\n" + b"\xff\xfe" * (3 << 20))
    talk.peer.wait_mails(2, timeout=60)
    assert message(talk.peer.mails[1]).get_content() == b"\xff\xfe" * (3 << 20)


def test_a_relay_that_is_down_gets_it_later_after_a_crash_too(world, talk):
    port = talk.peer.port
    talk.peer.close()
    talk.write()
    wait_until(lambda: talk.took() == ["forwarded"], "the reply")
    world.daemon.kill()
    peer = start(world, port=port)
    world.start_daemon()
    world.ctl("mail", "retry", "--all-failed")
    peer.wait_mails(1, timeout=60)
    assert message(peer.mails[0])["Subject"] == "[4711] Re: Ihr Auftrag übermorgen"


def test_headers_can_t_be_injected(talk):
    talk.write(f"From: {KIM}\nSubject: =?utf-8?q?x=0D=0ABcc:_evil@b.example?=\n\nhello\n".encode())
    talk.peer.wait_mails(2)
    mail = message(talk.peer.mails[1])
    assert "Bcc" not in mail and talk.peer.mails[1].recipients == [REP]
    assert mail["Subject"] == "[4711] x Bcc: evil@b.example"


def test_without_the_content_nothing_is_on_record(world, talk):
    answer = world.control({"do": "bounce.forward", "recipient": talk.address, "sender": KIM,
                            "facts": {"kind": "reply", "digest": "ab" * 32}, "reply": {"from": KIM, "bytes": 5}})
    assert (answer["ok"], answer["code"]) == (False, 64) and talk.took() == []


class Writer:
    """Hands in a reply as dispatch-bounce does, step by step."""
    BYTES = b"Content-Type: text/plain\r\n\r\n" + (b"x" * 62 + b"\r\n") * (8 << 14)

    def __init__(self, talk, digest):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(talk.world.path("report.sock"))
        self.socket.settimeout(60)
        self.stream = self.socket.makefile("rb")
        self.line = {"recipient": talk.address, "sender": KIM,
                     "facts": {"kind": "reply", "from": KIM, "recipients": [], "message_id": "", "token": "", "automatic": False,
                               "digest": digest * 64},
                     "reply": {"subject": "Re: x", "from": KIM, "bytes": len(self.BYTES), "text": f"reply {digest}"}}

    def offer(self):
        self.socket.sendall(json.dumps(self.line).encode() + b"\n")

    def answer(self):
        return json.loads(self.stream.readline())

    def close(self):
        self.stream.close()
        self.socket.close()


def test_replies_in_memory_are_bounded_until_the_engine_has_them_on_disk(talk):
    """Two of 8 MiB are with the engine, which can't write: there is no room for a third one."""
    writers = first, second, third = [Writer(talk, digest) for digest in "abc"]
    for writer in (first, second):
        writer.offer()
        assert writer.answer()["send"] is True
    lock = sqlite3.connect(talk.world.path("spool.db"), timeout=60, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    third.offer()
    for writer in (first, second):
        writer.socket.sendall(writer.BYTES)
    lock.execute("COMMIT")
    lock.close()
    assert third.answer()["code"] == 75
    assert [writer.answer()["took"] for writer in (first, second)] == ["forwarded"] * 2
    third.offer()
    assert third.answer()["send"] is True
    for writer in writers:
        writer.close()
