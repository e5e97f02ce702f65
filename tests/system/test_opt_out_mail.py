# SPDX-License-Identifier: MIT
"""Who asks by mail for fewer mails gets one answer, at the address on record, and no program gets one."""
import contextlib
import re
import sqlite3

import pytest

import signed
from kit import add_customer, message, use_shipped_templates
from report_peer import bounce
from smtp_peer import start
from world import wait_until

KIM, URL = "kim@farm.example", "https://center.example.com"
ID = "<f00.1@farm.example>"
USUAL = {"dispatched", "started", "completed", "failed", "paused"}


class Asking:
    """A contact, and what she writes to the address in List-Unsubscribe."""

    def __init__(self, world, url=URL, **customer):
        self.world, self.peer = world, start(world)
        use_shipped_templates(world)
        world.configure(company={"name": "Example Hauling"})
        signed.configure(world, url)
        add_customer(world, email=KIM, contact="Kim", **customer)
        self.ident = world.ctl_json("customer", "show", "1001")["contacts"][0]["id"]
        world.start_daemon()

    def token(self, state="failed", key=signed.KEY):
        return signed.make("opt_out", self.ident, signed.link_of(self.world, self.ident), state=signed.STATES.index(state), key=key)

    def write(self, subject="unsubscribe", fields="", sender=KIM, token=None, ident=ID):
        mail = f"{fields}From: Kim <{sender or KIM}>\nMessage-ID: {ident}\nSubject: {subject}\n\n\n"
        done = bounce("--socket", self.world.path("report.sock"), "-f", sender, f"bounce+{token or self.token()}@mail.example.com",
                      mail=mail.encode())
        assert (done.returncode, done.stderr) == (0, b"")

    def notify(self):
        text = self.world.ctl_json("customer", "show", "1001")["contacts"][0]["notify"]
        return set(text if isinstance(text, list) else text.split(",")) - {"none", ""}

    def wait_notify(self, states):
        wait_until(lambda: self.notify() == set(states), lambda: f"{states}; there are {self.notify()}")

    def took(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.world.path('spool.db')}?mode=ro", uri=True)) as spool:
            return [row[0] for row in spool.execute("SELECT took FROM bounce ORDER BY id")]

    def assert_answers(self, n):
        """So many, also once a later mail has gone to another customer."""
        add_customer(self.world, "1002", email="lee@example.com")
        self.world.xadd(id="other", type="job.completed", job="other", customer="1002")
        self.peer.wait_mails(n + 1)
        assert [mail.recipients for mail in self.peer.mails] == [[KIM]] * n + [["lee@example.com"]]


@pytest.fixture
def asking(world):
    return Asking(world)


def test_one_answer(asking):
    asking.write()
    asking.peer.wait_mails(1)
    asking.wait_notify(USUAL - {"failed"})
    sent = asking.peer.mails[0]
    mail = message(sent)
    assert (sent.sender, sent.recipients) == ("", [KIM])
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert (mail["In-Reply-To"], mail["References"]) == (ID, ID)
    assert mail["To"].addresses[0].addr_spec == KIM and mail["From"].addresses[0].addr_spec == "dispatch@example.com"
    assert "List-Unsubscribe" not in mail and "Example Hauling" in mail["Subject"]
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for part in (text, html):
        assert "no more emails of this kind" in part and "Could not be completed" in part and "Driver assigned" not in part
        found = signed.read(re.search(URL + r"/u/([a-z2-7]{31})\b", part).group(1))
        assert (found["kind"], found["id"]) == ("opt_out", asking.ident)
    assert "1001" not in text and "Example Farm" not in text
    asking.assert_answers(1)


def test_who_it_is_from_is_known(asking):
    asking.write()
    asking.write("Away", fields="Auto-Submitted: auto-replied\n", ident="<f00.2@farm.example>")
    row, = asking.world.ctl_json("bounce", "list", "--unknown")
    assert (row["took"], row["why"], row["kind"]) == ("unknown", "other_kind", "auto_reply")
    assert [row["took"] for row in asking.world.ctl_json("bounce", "list")] == ["unknown", "opted_out"]
    asking.world.daemon.wait_log("about no known mail: other_kind")


def test_its_link_switches_on_again(asking):
    asking.write()
    asking.peer.wait_mails(1)
    asking.wait_notify(USUAL - {"failed"})
    link = re.search(r"/u/([a-z2-7]{31})\b", message(asking.peer.mails[0]).get_body(("plain",)).get_content()).group(1)
    said = asking.world.control({"do": "opt_out.set", "token": link, "off": [], "on": ["failed"]})
    assert said["ok"], said
    asking.wait_notify(USUAL)


def test_the_same_again_and_others_within_a_day_get_none(asking):
    asking.write()
    asking.write()
    asking.write("unsubscribe all", ident="<f00.2@farm.example>")
    asking.wait_notify(set())
    assert asking.took() == ["opted_out", "opted_out"]
    asking.assert_answers(1)


def test_another_day_gets_another(world, asking):
    asking.write()
    asking.peer.wait_mails(1)
    world.daemon.stop()
    with contextlib.closing(sqlite3.connect(world.path("spool.db"))) as spool, spool:
        spool.execute("UPDATE opt_out_answer SET time = time - 86400001")
    world.start_daemon()
    asking.write("unsubscribe all", ident="<f00.2@farm.example>")
    asking.assert_answers(2)
    assert "no more emails about your jobs" in asking.peer.mails[1].data.decode()


AUTOMATIC = {"bulk": "Precedence: bulk\n", "list": "List-Id: <a.example>\n", "junk": "Precedence: junk\n",
             "generated": "Auto-Submitted: auto-generated\n"}


@pytest.mark.parametrize("fields", AUTOMATIC.values(), ids=AUTOMATIC)
def test_a_program_gets_none(asking, fields):
    """Its wish counts: the buttons of mail programs send such."""
    asking.write(fields=fields)
    asking.wait_notify(USUAL - {"failed"})
    asking.assert_answers(0)
    assert asking.took() == ["opted_out"]


def test_a_program_s_other_words_are_no_wish(asking):
    asking.write("unsubscribe me while I am away", fields=AUTOMATIC["generated"])
    asking.assert_answers(0)
    assert asking.took() == ["unknown"] and asking.notify() == USUAL


def test_the_null_sender_gets_none(asking):
    asking.write(sender="")
    asking.assert_answers(0)


def test_what_a_program_asked_doesn_t_count_as_answered(asking):
    asking.write(fields=AUTOMATIC["bulk"])
    asking.write(ident="<f00.2@farm.example>")
    asking.assert_answers(1)


def test_a_forged_one_gets_none(asking):
    asking.write(token=asking.token(key=signed.OTHER_KEY))
    asking.assert_answers(0)
    assert asking.took() == ["unknown"] and asking.notify() == USUAL


def test_it_goes_to_the_address_on_record(asking):
    asking.write(sender="mallory@else.example")
    asking.assert_answers(1)


def test_no_mails_to_who_may_get_none(asking):
    """The wish counts all the same."""
    asking.world.ctl("suspend", "1001", "--scopes", "emails", "--note", "dispute")
    asking.write()
    asking.wait_notify(USUAL - {"failed"})
    asking.assert_answers(0)


@pytest.mark.parametrize("ident", ["", "<no at>", "<a@b\x01c>", "<" + "a" * 300 + "@b.example>", "<ü@b.example>"],
                         ids=["none", "no id", "control", "long", "not ASCII"])
def test_an_id_that_can_t_be_named_isn_t(asking, ident):
    asking.write(ident=ident)
    asking.assert_answers(1)
    mail = message(asking.peer.mails[0])
    assert "In-Reply-To" not in mail and "References" not in mail


def test_without_a_center_there_is_no_link(world):
    asking = Asking(world, url=None)
    asking.write()
    asking.peer.wait_mails(1)
    text = message(asking.peer.mails[0]).get_body(("plain",)).get_content()
    assert "/u/" not in text and "If you want them back, just tell us." in text


@pytest.mark.parametrize("locale, words", [("de-AT", "keine Mails über Ihre Aufträge mehr"), ("fr", "plus de messages sur vos interventions"),
                                           ("es-MX", "ya no recibirá correos sobre sus servicios")])
def test_in_the_recipient_s_language(world, locale, words):
    asking = Asking(world, locale=locale)
    asking.write("unsubscribe all")
    asking.peer.wait_mails(1)
    assert words in message(asking.peer.mails[0]).get_body(("plain",)).get_content()


def test_who_is_gone_by_then_gets_none(world, asking):
    """Sending is paused meanwhile."""
    world.ctl("mail", "pause", "--note", "test")
    asking.write()
    asking.wait_notify(USUAL - {"failed"})
    world.ctl("contact", "remove", str(asking.ident), "--yes")
    world.ctl("mail", "resume")
    asking.assert_answers(0)


def test_a_relay_that_is_down_gets_it_later_after_a_crash_too(world, asking):
    port = asking.peer.port
    asking.peer.close()
    asking.write()
    asking.wait_notify(USUAL - {"failed"})
    world.daemon.kill()
    peer = start(world, port=port)
    world.start_daemon()
    world.ctl("mail", "retry", "--all-failed")
    peer.wait_mails(1, timeout=60)
    assert (peer.mails[0].sender, message(peer.mails[0])["In-Reply-To"]) == ("", ID)


def test_mail_show_shows_it(world, asking):
    asking.write()
    asking.peer.wait_mails(1)
    row, = [mail for mail in world.ctl_json("mail", "list") if mail["state"] == "opted_out"]
    wait_until(lambda: world.ctl_json("mail", "show", str(row["id"]))["status"] == "sent", "sent")
    shown = world.ctl_json("mail", "show", str(row["id"]))
    assert shown["rendering"] == "exact" and "Auto-Submitted: auto-replied" in shown["source"]


@pytest.mark.parametrize("jobs", [1, 0])
def test_erasing_the_customer_erases_it(world, asking, jobs):
    """Also where no job is in the spool (anymore)."""
    for job in range(jobs):
        world.xadd(id=str(job), type="job.completed", job="j", customer="1001")
    asking.write()
    asking.peer.wait_mails(jobs + 1)
    wait_until(lambda: {mail["status"] for mail in world.ctl_json("mail", "list")} == {"sent"}, "all are sent")
    world.ctl("customer", "erase", "1001", "--yes")

    def left():
        with contextlib.closing(sqlite3.connect(f"file:{world.path('spool.db')}?mode=ro", uri=True)) as spool:
            return spool.execute("SELECT (SELECT count(*) FROM mail_context), (SELECT count(*) FROM mail WHERE address <> '')").fetchone()
    wait_until(lambda: left() == (0, 0), lambda: f"{left()}")
