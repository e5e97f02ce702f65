# SPDX-License-Identifier: MIT
"""dispatchctl template: what the templates are, what is wrong with them, and how a mail looks before a customer gets it."""
import json
import os

import pytest

from kit import add_customer, message, refused, text_of, use_shipped_templates, wait_outcome, write
from mail_samples import LANGUAGES, MAILS, SHIPPED, STATES, phrases
from smtp_peer import start


@pytest.fixture
def shipped(world):
    use_shipped_templates(world)
    add_customer(world, name="Maple Street Bakery", address="12 Maple Street", timezone="America/Denver", contact="Rosa Miller")
    world.configure(company={"phone": "+1 303 555 0100", "website": "www.example.com"})
    return world


# ---- show

def test_show_prints_the_file(shipped):
    for mail in MAILS:
        for kind, options in (("txt", ()), ("html", ("--html",))):
            assert shipped.ctl("template", "show", mail, *options).stdout == (SHIPPED / f"{mail}.{kind}").read_text(encoding="utf-8")


def test_show_finds_the_readers(shipped):
    write(shipped, "templates/fr/completed.txt", "Subject: Bonjour\n\nTout est fait.\n")
    for locale, name in (("fr-CA", "fr/completed.txt"), ("fr", "fr/completed.txt"), ("de", "completed.txt"), ("", "completed.txt")):
        shown = shipped.ctl_json("template", "show", "completed", "--locale", locale)
        assert shown["file"] == shipped.path("templates", name)
        with open(shown["file"], encoding="utf-8") as file:
            assert shown["text"] == file.read()
    refused(shipped, 66, "completed has no HTML", "template", "show", "completed", "--locale", "fr", "--html")


def test_show_of_a_missing_file_is_the_built_in_one(shipped):
    os.unlink(shipped.path("templates/paused.txt"))
    shown = shipped.ctl_json("template", "show", "paused")
    assert shown["file"] == "built-in paused.txt" and shown["text"] == (SHIPPED / "paused.txt").read_text(encoding="utf-8")


def test_an_unknown_mail(shipped):
    refused(shipped, 64, 'there is no mail "complete"; did you mean "completed"?', "template", "show", "complete")
    refused(shipped, 64, 'there is no mail "x", only dispatched, started', "template", "preview", "x", "--customer", "1001")


# ---- check

def test_check_is_quiet_where_all_is_well(shipped):
    assert shipped.ctl("template", "check").stdout == "no problems found\n"
    assert shipped.ctl_json("template", "check") == []


def test_check_names_faults_and_names(shipped):
    shipped.ctl("customer", "add", "2", "--name", "Nobody can be reached here")
    write(shipped, "templates/completed.txt", "Subject: x\n\n{{customer.nickname}}\n")
    write(shipped, "templates/failed.html", "<p>{{#open}}\n")
    done = shipped.ctl("template", "check", check=False)
    assert done.returncode == 1
    assert "uses {{customer.nickname}}, which doesn't exist\n" in done.stdout
    assert f"{shipped.path('templates/failed.html')}:1: this section is never closed: open\n" in done.stdout
    assert "reached" not in done.stdout, "what isn't about templates is `check`'s"


# ---- preview

@pytest.mark.parametrize("language", LANGUAGES)
def test_preview_in_each_language(shipped, language):
    words = phrases(language)
    for mail in MAILS:
        shown = shipped.ctl_json("template", "preview", mail, "--customer", "1001", "--locale", language)
        assert shown["subject"].startswith(words[f"{mail}.subject"][:40]) and shown["locale"] == language
        assert f'lang="{language}"' in shown["html"]
        if mail in STATES:
            assert words["greeting"] + " Rosa Miller" in shown["text"] and shown["to"] == "farm@example.com"
            assert "Roll-off exchange" in shown["text"] and "12 Maple Street" in shown["text"]
        else:
            assert shown["to"] == ""


def test_preview_is_what_the_customer_would_get(shipped):
    shipped.ctl("hours", "set", "1001", "mon-sun", "00:00-24:00")
    shipped.ctl("contact", "set", "1", "--locale", "de")
    text = shipped.ctl("template", "preview", "dispatched", "--customer", "1001").stdout
    assert text.startswith("Subject: Fahrer eingeteilt: Roll-off exchange… - Example Hauling") and "\n\nGuten Tag Rosa Miller,\n" in text
    assert "Ankunft: " in text and "+1 303 555 0100" in text
    html = shipped.ctl("template", "preview", "dispatched", "--customer", "1001", "--html").stdout
    assert html.startswith("<!DOCTYPE html>") and 'href="tel:+13035550100"' in html and 'href="https://www.example.com"' in html


def test_preview_has_what_is_on_record_now(shipped):
    shipped.ctl("contact", "add", "1001", "--name", "Kim", "--email", "kim@example.com", "--notify", "failed")
    shipped.ctl("contact", "set", "1", "--notify", "completed")
    assert shipped.ctl_json("template", "preview", "failed", "--customer", "1001")["to"] == "kim@example.com"
    assert shipped.ctl_json("template", "preview", "completed", "--customer", "1001")["to"] == "farm@example.com"
    assert "Unpaid" in shipped.ctl("template", "preview", "collision", "--customer", "1001").stdout
    shipped.ctl("suspend", "1001", "--note", "Gate is broken")
    shown = shipped.ctl("template", "preview", "collision", "--customer", "1001").stdout
    assert "Gate is broken" in shown and "Unpaid" not in shown
    shipped.ctl("customer", "add", "2", "--name", "Bare")
    assert "Hello,\n" in shipped.ctl("template", "preview", "started", "--customer", "2").stdout


def test_preview_refuses(shipped):
    refused(shipped, 66, "there is no customer 9", "template", "preview", "completed", "--customer", "9")
    refused(shipped, 64, "needs --customer NUMBER", "template", "preview", "completed")
    write(shipped, "templates/completed.txt", "Subject: x\n\n{{#open}}\n")
    refused(shipped, 65, "this section is never closed: open", "template", "preview", "completed", "--customer", "1001")
    write(shipped, "templates/fr/started.txt", "Subject: x\n\nfine\n")
    refused(shipped, 66, "started has no HTML", "template", "preview", "started", "--customer", "1001", "--locale", "fr", "--html")


# ---- send

def test_send_goes_to_me_alone(shipped):
    peer = start(shipped)
    shipped.start_daemon()
    shown = shipped.ctl_json("template", "preview", "failed", "--customer", "1001")
    done = shipped.ctl("template", "send", "failed", "--customer", "1001", "--to", "me@example.com")
    assert done.stdout == f"sent to me@example.com by {peer.relay}\n"
    (mail,) = peer.wait_mails(1)
    assert mail.recipients == ["me@example.com"]
    read = message(mail)
    assert read["To"].addresses[0].addr_spec == "me@example.com" and read["Subject"] == shown["subject"]
    assert read["Message-ID"].startswith("<template-test.") and read["Auto-Submitted"] == "auto-generated"
    assert text_of(mail).split("\n\n")[0] == shown["text"].split("\n\n")[0]
    assert "tel:+13035550100" in text_of(mail, "html")
    assert shipped.ctl_json("mail", "list") == [] and shipped.outcomes() == [], "no record knows of it"
    assert "template test begins by=" in shipped.daemon.log()


def test_send_uses_the_templates_in_force(shipped):
    peer = start(shipped)
    shipped.start_daemon()
    write(shipped, "templates/started.txt", "Subject: changed since\n\nnew\n")
    shipped.ctl("template", "send", "started", "--customer", "1001", "--to", "me@example.com")
    assert message(peer.wait_mails(1)[0])["Subject"].startswith("Started: ")
    shipped.ctl("reload")
    shipped.ctl("template", "send", "started", "--customer", "1001", "--to", "me@example.com")
    assert message(peer.wait_mails(2)[1])["Subject"] == "changed since"


def test_send_tries_the_next_relay(shipped):
    peer = start(shipped)
    shipped.configure(smtp={"relay": f"127.0.0.1:1, {peer.relay}"})
    shipped.start_daemon()
    done = shipped.ctl("template", "send", "completed", "--customer", "1001", "--to", "me@example.com", "--json")
    first, second = json.loads(done.stdout)
    assert (first["relay"], first["ok"], second["relay"], second["ok"]) == ("127.0.0.1:1", False, peer.relay, True)
    assert len(peer.wait_mails(1)) == 1
    shipped.xadd(id="1", type="job.completed", job="1", customer="1001")
    wait_outcome(shipped, "1", "sent")


def test_send_says_what_the_relay_says(shipped):
    peer = start(shipped)
    peer.answers["rcpt"] = "550 5.7.1 not here"
    shipped.start_daemon()
    done = shipped.ctl("template", "send", "completed", "--customer", "1001", "--to", "me@example.com", check=False)
    assert done.returncode == 69 and "550 5.7.1 not here" in done.stdout
    assert shipped.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"] is None


def test_send_refuses(shipped):
    refused(shipped, 64, "needs --to ADDRESS", "template", "send", "completed", "--customer", "1001")
    refused(shipped, 65, "--to: ", "template", "send", "completed", "--customer", "1001", "--to", "me")
    refused(shipped, 69, "can't reach dispatchd", "template", "send", "completed", "--customer", "1001", "--to", "me@example.com")


@pytest.mark.parametrize("request_, fault", [
    ({"to": "me@example.com", "template": "nothing", "context": "{}"}, "expected the name of a mail and its data"),
    ({"to": "me@example.com", "template": "completed", "context": "[]"}, "expected the name of a mail and its data"),
    ({"to": "me@example.com", "template": "completed", "context": "{"}, "expected the name of a mail and its data"),
    ({"to": "me@example.com", "template": 7}, "expected the name of a mail and its data"),
    ({"to": "nobody", "template": "completed", "context": "{}"}, "to: "), ({}, "to: ")])
def test_a_request_of_somebody_else(shipped, request_, fault):
    start(shipped)
    shipped.start_daemon()
    answer = shipped.control({"do": "template.send", "by": "kim", **request_})
    assert answer["ok"] is False and answer["code"] == 65 and fault in answer["error"], answer
