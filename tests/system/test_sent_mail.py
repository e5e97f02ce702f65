# SPDX-License-Identifier: MIT
"""A mail as it was sent is made again byte by byte, whatever has become of templates, records and daemon since."""
import html
import os
import shutil
import signal
import sqlite3

import pytest

from center import Center
from kit import add_customer, message, refused, text_of, use_shipped_templates, wait_outcome, write
from smtp_peer import start
from world import wait_until


def publish(world, number, state="completed", job=None, **more):
    world.xadd(id=number, type=f"job.{state}", job=job or f"j{number}", customer="1001", **more)


def mail_of(world, event):
    """The id of the mail that an event's outcome names."""
    return wait_outcome(world, event, "sent")["mail"]


def source(world, number):
    """In bytes: the terminal's newlines stay what they are."""
    shown = world.ctl_json("mail", "show", str(number))
    assert shown["rendering"] == "exact", shown["rendering"]
    return shown["source"].encode("ascii")


def put(world, name, text):
    os.makedirs(os.path.dirname(world.path("templates", name)), exist_ok=True)
    with open(world.path("templates", name), "w", encoding="utf-8") as file:
        file.write(text)


def reload_templates(world):
    done = world.daemon.log().count("reloaded file=")
    world.daemon.signal(signal.SIGHUP)
    world.daemon.wait_log("reloaded file=", count=done + 1)


@pytest.fixture
def peer(world):
    peer = start(world)
    use_shipped_templates(world)
    add_customer(world, contact="Rosa Öztürk", timezone="America/Denver")
    return peer


def sent_data(peer, world, event):
    number = mail_of(world, event)
    peer.wait_mails(1)
    (data,) = [mail.data for mail in peer.mails if mail_id(world, number) in mail.text]
    return number, data


def mail_id(world, number):
    return world.ctl_json("mail", "show", str(number))["message_id"]


def test_it_stays_as_it_was(world, peer):
    """HTML, a catalogue, a partial of the admin's, and then all of it is another."""
    world.ctl("contact", "set", str(world.ctl_json("customer", "show", "1001")["contacts"][0]["id"]), "--locale", "fr-CA")
    world.start_daemon()
    publish(world, "1", data='{"note": "Bis morgen: 3 € & <b>mehr</b>", "driver": "José"}')
    number, data = sent_data(peer, world, "1")
    assert source(world, number) == data
    shown = world.ctl_json("mail", "show", number)
    assert shown["text"] == text_of(data) and shown["html"] == text_of(data, "html")
    assert world.ctl("mail", "show", number, "--text").stdout == text_of(data)
    assert world.ctl("mail", "show", number, "--html").stdout == text_of(data, "html")
    put(world, "completed.txt", "Subject: new\n\nAll is new.\n")
    os.unlink(world.path("templates", "completed.html"))
    shutil.rmtree(world.path("templates", "fr-CA"), ignore_errors=True)
    put(world, "fr-CA/failed.txt", "Subject: nouveau\n\nTout est nouveau.\n")
    world.configure(mail={"from": "Somebody Else <else@example.org>"})
    reload_templates(world)
    assert source(world, number) == data
    publish(world, "2")
    other, new = sent_data(peer, world, "2")
    assert "All is new." in text_of(new) and message(new)["From"] == "Somebody Else <else@example.org>"
    assert source(world, other) == new and source(world, number) == data
    contact = world.ctl_json("customer", "show", "1001")["contacts"][0]["id"]
    world.ctl("contact", "set", str(contact), "--name", "Another", "--locale", "en")
    world.ctl("customer", "set", "1001", "--timezone", "Asia/Tokyo", "--name", "Renamed")
    world.daemon.stop()
    shutil.rmtree(world.path("templates"))
    assert source(world, number) == data and source(world, other) == new
    with sqlite3.connect(world.path("spool.db")) as db:
        assert db.execute("SELECT count(*), sum(ended IS NULL) FROM template_set").fetchone() == (2, 1)


def test_built_in_ones_count_too(world, peer):
    shutil.rmtree(world.path("templates"))
    world.start_daemon()
    publish(world, "1")
    number, data = sent_data(peer, world, "1")
    assert message(data).get_content_type() == "text/plain"
    assert source(world, number) == data
    refused(world, 66, "has no html to show: it went without", "mail", "show", number, "--html")


def test_what_is_broken_is_left_out_again(world, peer):
    put(world, "completed.html", "<p>{{#never}}closed</p>")
    put(world, "started.txt", "no header\n")
    os.unlink(world.path("templates", "paused.txt"))
    os.symlink("nowhere", world.path("templates", "paused.txt"))
    world.start_daemon()
    for event, state in (("1", "completed"), ("2", "started"), ("3", "paused")):
        publish(world, event, state)
        number, data = sent_data(peer, world, event)
        assert source(world, number) == data, state


def test_several_jobs_in_one(world, peer):
    world.configure(sections={"notify.completed": {"group_wait": "1s"}})
    world.start_daemon()
    for n in range(4):
        publish(world, str(n), job=f"job {n} ü")
    number, data = sent_data(peer, world, "0")
    assert len(message(data).get_all("X-Dispatchd-Job")) == 4
    assert source(world, number) == data


def test_the_offices_mail(world, peer):
    world.configure(office={"email": "office@example.com"})
    world.ctl("suspend", "1001", "--from", "-1d", "--scopes", "jobs,routes", "--note", "Unpaid")
    world.start_daemon()
    publish(world, "1", "started")
    mail_of(world, "1")
    peer.wait_mails(2)

    def collisions():
        return [mail for mail in world.ctl_json("mail", "list", "--status", "sent") if mail["state"] == "collision"]
    wait_until(collisions, "the office's mail is sent")
    (mail,) = collisions()
    (data,) = [found.data for found in peer.mails if found.recipients == ["office@example.com"]]
    assert source(world, mail["id"]) == data


def test_a_retry_names_the_set_of_its_last_try(world, peer):
    peer.answers["rcpt"] = "450 4.2.1 busy"
    world.start_daemon()
    publish(world, "1")
    number = wait_outcome(world, "1", "retrying")["mail"]
    first = source(world, number)
    assert b"Subject:" in first
    put(world, "completed.txt", "Subject: second\n\nThe second try.\n")
    os.unlink(world.path("templates", "completed.html"))
    reload_templates(world)
    assert source(world, number) == first
    peer.answers.pop("rcpt")
    world.ctl("mail", "retry", number)
    wait_outcome(world, "1", "sent")
    assert "The second try." in text_of(peer.mails[0].data) and source(world, number) == peer.mails[0].data


def test_where_there_is_nothing(world, peer):
    world.ctl("hours", "set", "1001", "all", "closed")
    world.ctl("hours", "except", "1001", "+2d", "09:00-10:00")
    world.start_daemon()
    publish(world, "1")
    number = wait_outcome(world, "1", "deferred")["mail"]
    shown = world.ctl_json("mail", "show", number)
    assert (shown["rendering"], shown["text"], shown["html"], shown["source"]) == ("not_yet", None, None, None)
    refused(world, 66, "it has not been tried yet", "mail", "show", number, "--text")
    publish(world, "2", "failed")
    other, data = sent_data(peer, world, "2")
    assert source(world, other) == data
    world.daemon.stop()
    with sqlite3.connect(world.path("spool.db")) as db:
        db.execute("DELETE FROM template_set")
    assert world.ctl_json("mail", "show", other)["rendering"] == "outdated"
    refused(world, 66, "its templates are not kept", "mail", "show", other, "--source")
    with sqlite3.connect(world.path("spool.db")) as db:
        db.execute("DELETE FROM mail_context")
    assert world.ctl_json("mail", "show", other)["rendering"] == "erased"
    with sqlite3.connect(world.path("spool.db")) as db:
        db.execute("UPDATE mail SET templates = NULL, message = NULL")
    assert world.ctl_json("mail", "show", other)["rendering"] == "outdated", "sent by a version that kept none"


def test_what_is_not_quite_the_same_is_not_called_so(world, peer):
    world.start_daemon()
    publish(world, "1")
    number, data = sent_data(peer, world, "1")
    world.daemon.stop()
    with sqlite3.connect(world.path("spool.db")) as db:
        db.execute("UPDATE mail SET address = 'else@example.com'")
    shown = world.ctl_json("mail", "show", number)
    assert shown["rendering"] == "different" and shown["source"].encode("ascii") != data


def test_sets_that_no_mail_can_have_go(world, peer):
    world.start_daemon()
    publish(world, "1")
    number, data = sent_data(peer, world, "1")
    put(world, "completed.txt", "Subject: new\n\nAll is new.\n")
    reload_templates(world)
    wait_until(lambda: source(world, number) == data, "the first set is there")
    world.daemon.stop()
    with sqlite3.connect(world.path("spool.db")) as db:
        db.execute("UPDATE template_set SET ended = 1 WHERE ended IS NOT NULL")
        assert db.execute("SELECT count(*) FROM template_set").fetchone() == (2,)
    world.start_daemon()

    def gone():
        with sqlite3.connect(world.path("spool.db")) as db:
            return db.execute("SELECT count(*) FROM template_set").fetchone() == (1,)
    wait_until(gone, "the old set is gone", timeout=45)


# ---- in the customer center

@pytest.fixture
def office(world, peer):
    center = Center(world)
    center.add("rita", "reader")
    center.start()
    world.start_daemon()
    publish(world, "1", data='{"note": "<script>alert(1)</script>"}')
    number, data = sent_data(peer, world, "1")
    return center, number, data


def test_the_page_shows_it(world, office):
    center, number, data = office
    rita = center.log_in("rita")
    page = rita.get(f"/mails/{number}").text
    assert f'<iframe class="as-sent" sandbox src="/mails/{number}/html"' in page
    assert "<script>alert" not in page and "Not quite" not in page
    subject = html.escape(message(data)["Subject"])
    assert subject and f'<span class="muted">Subject</span> <b>{subject}</b>' in page
    frame = rita.get(f"/mails/{number}/html")
    assert frame.text.replace("\r\n", "\n") == text_of(data, "html")
    policy = frame.headers["Content-Security-Policy"]
    assert "sandbox" in policy and "default-src 'none'" in policy and "script-src" not in policy
    file = rita.get(f"/mails/{number}/source")
    assert file.body == data and file.headers["Content-Disposition"] == f'attachment; filename="mail-{number}.eml"'
    assert rita.get("/mails/999/html").status == 404 and rita.get("/mails/x/source").status == 404
    assert center.ask("GET", f"/mails/{number}/html").status == 303


def test_the_api_has_it(world, office):
    center, number, data = office
    mail = center.log_in("rita").get(f"/api/v1/mails/{number}").json
    assert (mail["source"].encode("ascii"), mail["text"], mail["html"]) == (data, text_of(data), text_of(data, "html"))
    assert mail["rendering"] == "exact"
    world.ctl("customer", "erase", "1001", "--yes")
    wait_until(lambda: center.log_in("rita").get(f"/api/v1/mails/{number}").json["rendering"] == "erased", "it is erased")
    assert "has been erased" in center.log_in("rita").get(f"/mails/{number}").text
