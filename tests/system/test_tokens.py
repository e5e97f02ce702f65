# SPDX-License-Identifier: MIT
"""Signed tokens in mails: the envelope sender, Reply-To, List-Unsubscribe and the link, and what is shown of them."""
import email.policy
import email.utils
import os
import re
import signal

import pytest

import signed
from kit import add_customer, dispatchd, text_of, use_shipped_templates, wait_outcome, write
from smtp_peer import start

URL = "https://center.example.com"


def publish(world, ident, state="completed", **more):
    world.xadd(id=ident, type=f"job.{state}", job=f"j{ident}", customer="1001", **more)


@pytest.fixture
def peer(world):
    peer = start(world)
    use_shipped_templates(world)
    add_customer(world, contact="Rosa")
    world.configure(office={"email": "office@example.com"}, company={"name": "Example, Hauling"})
    signed.configure(world, url=URL + "/")
    return peer


def sent(world, peer, ident, n=1):
    """The mail as the relay has it, its id and its parsed header."""
    mail = int(wait_outcome(world, ident, "sent")["mail"])
    peer.wait_mails(n)
    shown = world.ctl_json("mail", "show", mail)
    (got,) = [m for m in peer.mails if shown["message_id"] in m.text]
    return got, shown, email.message_from_bytes(got.data, policy=email.policy.SMTP)


def contact_id(world):
    return world.ctl_json("customer", "show", "1001")["contacts"][0]["id"]


def opt_out_of(world, state):
    contact = contact_id(world)
    return signed.make("opt_out", contact, signed.link_of(world, contact), state=signed.STATES.index(state))


def test_every_token_names_its_mail(world, peer):
    world.start_daemon()
    publish(world, "1", state="failed")
    got, shown, header = sent(world, peer, "1")
    over = "farm@example.com", shown["message_id"]
    assert got.sender == f"bounce+{signed.make('report', shown['id'], *over)}@mail.example.com"
    reply = signed.make("reply", shown["id"], *over)
    assert header["Reply-To"] == f'"Example, Hauling" <bounce+{reply}@mail.example.com>'
    out = opt_out_of(world, "failed")
    assert header["List-Unsubscribe"] == f"<mailto:bounce+{out}@mail.example.com?subject=unsubscribe>, <{URL}/u/{out}>"
    assert header["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"{URL}/u/{out}" in text_of(got.data) and f'href="{URL}/u/{out}"' in text_of(got.data, "html")
    assert "0" * 31 not in got.text


def test_what_is_shown_has_no_valid_token(world, peer):
    world.start_daemon()
    publish(world, "1")
    got, shown, header = sent(world, peer, "1")
    assert shown["rendering"] == "exact"
    masked = re.sub(r"(bounce\+|/u/)[a-z2-7]{31}", lambda m: m.group(1) + "0" * 31, got.text.replace("=\r\n", ""))
    assert shown["source"].replace("\r\n", "\n").replace("=\n", "") == masked.replace("\r\n", "\n")
    for token in re.findall(r"(?:bounce\+|/u/)([a-z2-7]{31})", got.text):
        assert token not in str(shown)
    assert shown["context"]["opt_out"] == f"{URL}/u/{'0' * 31}" and shown["context"]["replies"] is True
    assert "bounce" not in shown["context"]


def test_a_body_in_base64_has_the_link_too(world, peer):
    write(world, "templates/completed.txt", "Subject: あ\n\n" + "送信制限を超えました。" * 40 + "\n{{opt_out}}\n")
    world.configure(mail={"templates": world.path("templates")})
    world.start_daemon()
    publish(world, "1")
    got, shown, _ = sent(world, peer, "1")
    assert b"Content-Transfer-Encoding: base64" in got.data
    assert f"{URL}/u/{opt_out_of(world, 'completed')}" in text_of(got.data)
    assert shown["rendering"] == "exact" and f"{URL}/u/{'0' * 31}" in shown["text"]


def test_without_a_center_there_is_an_address_alone(world, peer):
    world.configure(center={"url": None})
    world.start_daemon()
    publish(world, "1")
    got, shown, header = sent(world, peer, "1")
    out = opt_out_of(world, "completed")
    assert header["List-Unsubscribe"] == f"<mailto:bounce+{out}@mail.example.com?subject=unsubscribe>"
    assert header["List-Unsubscribe-Post"] is None
    assert "/u/" not in text_of(got.data) and "opt_out" not in shown["context"]


def test_without_an_address_all_is_as_before(world, peer):
    world.configure(bounce={"address": None, "key_file": None})
    world.start_daemon()
    publish(world, "1")
    got, shown, header = sent(world, peer, "1")
    assert got.sender == "dispatch@example.com" and header["Reply-To"] == "office@example.com"
    assert header["List-Unsubscribe"] is None and "/u/" not in got.text
    assert got.data == shown["source"].encode()


def test_reply_to_is_the_template_s_first(world, peer):
    write(world, "templates/completed.txt", "Subject: s\nReply-To: Sales <sales@example.com>\n\ntext\n")
    world.configure(mail={"templates": world.path("templates")})
    world.start_daemon()
    publish(world, "1")
    assert sent(world, peer, "1")[2]["Reply-To"] == "Sales <sales@example.com>"


@pytest.mark.parametrize("rep, answers", [(None, False), ({"--phone": "555 0100"}, False), ({"--email": "kim@example.com"}, True)])
def test_nobody_is_asked_to_answer_nobody(world, peer, rep, answers):
    """Without an office's address and a sales rep who has one there is no Reply-To."""
    world.configure(office={"email": None})
    if rep is not None:
        world.ctl("rep", "add", "--name", "Kim", *[word for pair in rep.items() for word in pair])
        world.ctl("customer", "set", "1001", "--sales-rep", "Kim")
    world.start_daemon()
    publish(world, "1")
    _, shown, header = sent(world, peer, "1")
    assert (header["Reply-To"] is not None) == answers
    if answers:
        address = email.utils.parseaddr(header["Reply-To"])[1]
        assert signed.read(signed.of_address(address))["kind"] == "reply"


def test_the_office_s_mail_has_none(world, peer):
    world.configure(mail={"envelope_from": "bounces@example.com"})
    world.start_daemon()
    publish(world, "0", state="started")
    sent(world, peer, "0")
    world.ctl("suspension", "add", "1001", "--scopes", "jobs,emails", "--note", "unpaid")
    publish(world, "1", state="started")
    peer.wait_mails(2)
    (got,) = [m for m in peer.mails if m.recipients == ["office@example.com"]]
    assert got.sender == "bounces@example.com"
    assert "List-Unsubscribe" not in got.text and "bounce+" not in got.text


def test_a_reload_changes_keys(world, peer):
    """The new one signs from then on."""
    world.start_daemon()
    publish(world, "1")
    first, _, _ = sent(world, peer, "1")
    signed.write_keys(world, signed.OTHER_KEY, signed.KEY)
    world.daemon.signal(signal.SIGHUP)
    world.daemon.wait_log("reloaded file=")
    publish(world, "2")
    second, shown, _ = sent(world, peer, "2", n=2)
    expected = signed.make("report", shown["id"], "farm@example.com", shown["message_id"], key=signed.OTHER_KEY)
    assert signed.of_address(second.sender) == expected
    assert signed.read(signed.of_address(first.sender))["key"] == signed.number(signed.KEY)


def test_a_second_try_is_the_same_mail(world, peer):
    """Also where the settings have changed in between; the envelope is of the address that is read now."""
    peer.script = lambda session: None
    world.start_daemon()
    publish(world, "1")
    got, shown, _ = sent(world, peer, "1")
    world.daemon.stop()
    world.ctl("mail", "show", shown["id"])
    world.configure(center={"url": "https://elsewhere.example.com"})
    world.start_daemon()
    again = world.ctl_json("mail", "show", shown["id"])
    assert again["source"] == shown["source"] and again["rendering"] == "exact"


def test_maildir_has_the_signed_return_path(world, peer):
    world.configure(mail={"transport": "maildir"})
    world.start_daemon()
    publish(world, "1")
    mail = int(wait_outcome(world, "1", "sent")["mail"])
    (text,) = world.mails(1)
    shown = world.ctl_json("mail", "show", mail)
    token = signed.make("report", mail, "farm@example.com", shown["message_id"])
    assert text.startswith(f"Return-Path: <bounce+{token}@mail.example.com>\n".encode())


# ---- faults of the configuration

def line_of(world, key):
    with open(world.config_path, encoding="utf-8") as file:
        return next(i for i, line in enumerate(file, 1) if line.startswith(key))


@pytest.mark.parametrize("content, words", [
    (None, "[bounce] address is set, but there is no key: set key_file or the credential bounce-key"),
    ("", "has no key"),
    ("# old\nxyz\n", ":2: a key must be 64 hex digits"),
])
def test_a_key_is_needed_and_a_good_one(world, content, words):
    signed.configure(world)
    key_line = "address = bounce" if content is None else "key_file = "
    if content is None:
        world.configure(bounce={"key_file": None})
    else:
        write(world, "bounce.keys", content)
    done = dispatchd(world, "-c", world.config_path, "-t")
    assert done.returncode == 78
    (fault,) = [line for line in done.stderr.splitlines() if "bounce" in line]
    assert fault.startswith(f"{world.config_path}:{line_of(world, key_line)}: ") and words in fault, fault
    assert dispatchd(world, "-c", world.config_path).returncode == 78


def test_a_key_that_everybody_can_read_is_a_fault(world):
    signed.configure(world)
    os.chmod(world.path("bounce.keys"), 0o644)
    os.chmod(world.directory, 0o755)
    done = dispatchd(world, "-c", world.config_path, "-t")
    assert done.returncode == 78 and "everybody can read the key" in done.stderr


def test_the_key_may_be_a_credential(world, peer):
    os.mkdir(world.path("credentials"), 0o700)
    os.rename(world.path("bounce.keys"), world.path("credentials/bounce-key"))
    world.configure(bounce={"key_file": None})
    world.start_daemon(env={"CREDENTIALS_DIRECTORY": world.path("credentials")})
    publish(world, "1")
    got, shown, _ = sent(world, peer, "1")
    token = signed.make("report", shown["id"], "farm@example.com", shown["message_id"])
    assert signed.of_address(got.sender) == token
