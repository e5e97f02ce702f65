# SPDX-License-Identifier: MIT
"""Data that means harm, or only looks like it: no header, no command, no markup comes of it, and nothing is lost."""
import email
import email.header
import email.utils
import json
import random
import re
import time

import pytest

import kit
from kit import add_customer, message, outcomes_of, text_of, wait_outcome
from world import wait_until

# What ends a line somewhere: for SMTP, for MIME readers, for Unicode.
BREAKS = {"CRLF": "\r\n", "LF": "\n", "CR": "\r", "VT": "\v", "FF": "\f", "NEL": "\u0085", "LS": "\u2028",
          "PS": "\u2029", "folded": "\r\n ", "NULless": "\x01\x1b[2J"}
EVIL = "Bcc: victim@example.com"
EVERY_FIELD = ("Subject: {{job.id}}|{{customer.name}}|{{contact.name}}|{{job.reference}}|{{job.service}}|{{event.driver}}|"
               "{{job.note}}|{{event.id}}|{{event.source}}\nReply-To: {{job.reply}}\n\nbody {{job.note}}\n")


def headers_of(mail):
    """The raw header lines, unfolded."""
    head = mail.split(b"\r\n\r\n", 1)[0]
    return re.sub(rb"\r\n[ \t]", b" ", head).split(b"\r\n")


def assert_clean(mail):
    """No header but ours, each once (X-Dispatchd-Job apart), one recipient, lines in order."""
    lines = headers_of(mail)
    names = [line.split(b":")[0].decode().lower() for line in lines]
    known = {"return-path", "delivered-to", "date", "from", "to", "subject", "reply-to", "message-id", "in-reply-to",
             "references", "auto-submitted", "x-auto-response-suppress", "x-dispatchd-job", "mime-version",
             "content-type", "content-transfer-encoding"}
    assert set(names) <= known, names
    assert len(names) == len(set(names)), names
    assert all(0x20 <= byte < 0x7f or byte == 9 for line in lines for byte in line), lines
    assert all(len(line) <= 998 for line in mail.split(b"\r\n"))
    assert b"\r" not in mail.replace(b"\r\n", b"") and b"\n" not in mail.replace(b"\r\n", b"")
    to = email.message_from_bytes(mail)["To"]
    assert [address for _, address in email.utils.getaddresses([to])] == ["farm@example.com"], to


@pytest.mark.parametrize("name", BREAKS)
def test_no_field_makes_a_header(world, smtp, name):
    evil = f"x{BREAKS[name]}{EVIL}"
    kit.write(world, "templates/completed.txt", EVERY_FIELD)
    world.configure(customers={"grace": "0s"})
    world.start_daemon()
    # By the feed and in JSON, which let through what a terminal would not.
    world.xadd("customers:changes", customer=json.dumps({
        "number": "1001", "name": f"Farm {evil}", "email": "farm@example.com", "contact": f"Ann {evil}"}))
    wait_until(lambda: world.redis.xlen("jobs:dead") or world.ctl("customer", "show", "1001", check=False).returncode == 0,
               "the customer, or its refusal")
    if world.redis.xlen("jobs:dead"):  # a name with a control character is refused as a whole: fine as well
        add_customer(world)
    data = {key: f"{key} {evil}" for key in ("reference", "service", "driver", "note", "reply")}
    world.xadd(event=json.dumps({"id": "1", "source": "s", "type": "job.completed", "job": "j", "customer": "1001",
                                 "data": data}))
    wait_outcome(world, "1", "sent")
    assert_clean(smtp.mails[0].data)
    assert smtp.mails[0].recipients == ["farm@example.com"]
    subject = str(message(smtp.mails[0])["Subject"])
    assert "victim@example.com" in subject, "what the data says stands in the subject, as text"
    for field in ("id", "source", "job"):
        world.xadd_fields({"id": field, "type": "job.completed", "job": f"j{field}", "customer": "1001",
                           field: f"a{evil}" if field != "id" else f"id{evil}"})
    wait_until(lambda: len([o for o in world.outcomes() if o["status"] in ("sent", "rejected")]) == 4, "three more")
    for mail in smtp.mails:
        assert_clean(mail.data)


@pytest.mark.parametrize("address", [
    "a@example.com\r\nRCPT TO:<victim@example.com>", "a@example.com>\r\nDATA", "<a@example.com>", "a b@example.com",
    "a@example.com, victim@example.com", "a@exa mple.com", "@example.com", "a@", "a@example.com\nX: y", "a\x00@example.com",
    "\"a\r\n\"@example.com", "a@example.com SIZE=1", "ü@example.com", "a@example..com", "x" * 65 + "@example.com",
    "a@" + "x" * 250 + ".example.com"])
def test_no_address_speaks_smtp(world, smtp, address):
    """Refused where it is entered; and had it come in all the same, it would not be used."""
    world.start_daemon()
    world.xadd("customers:changes", customer=json.dumps({"number": "1", "name": "x", "email": address}))
    wait_until(lambda: world.redis.xlen("jobs:dead") or world.ctl("customer", "show", "1", check=False).returncode == 0,
               "a verdict")
    world.xadd(id="1", type="job.completed", job="j", customer="1")
    wait_until(lambda: [o for o in world.outcomes() if o["status"] in ("rejected", "suppressed", "failed", "sent")],
               "an outcome")
    assert world.redis.xlen("jobs:dead") >= 1, (world.outcomes(), "such an address is a fault of the entry")
    assert not smtp.mails and not [c for c in smtp.commands() if "victim" in c]


SCRIPTS = {
    "Latin": "Żółć Straße Æther & Söhne", "Vietnamese": "Nhà hàng Phở Hương", "Greek": "Καφενείο Ἀθηνᾶ",
    "Cyrillic": "Ферма «Заря» ООО", "Arabic": "مزرعة الأمل", "Hebrew": "חוות דוגמה בע״מ", "Thai": "ร้านอาหารตัวอย่าง",
    "Devanagari": "उदाहरण फ़ार्म", "Chinese": "示例农场有限公司", "Japanese": "見本ファーム株式会社", "Korean": "예시 농장",
    "emoji": "Farm 🚜👩🏽‍🌾🇨🇭", "combining": "Zu\u0308rich e\u0301\u0327 n\u0303", "Zalgo": "F" + "\u0300\u0316\u0489" * 20 + "arm",
    "right-to-left mark": "abc \u202egpj.exe", "private use": "\ue000\U000f0000", "quotes": '"The" \\ <Farm>, (Inc.); @x',
    "encoded-word lookalike": "=?utf-8?q?Bcc=3A_x?=", "long": "Landwirtschaftsbetriebsgesellschaft " * 6,
    "long without a space": "ä" * 200, "astral": "𝕱𝖆𝖗𝖒 𒀀",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_name_in_every_script(world, smtp, script):
    name = SCRIPTS[script].strip()
    kit.write(world, "templates/completed.txt", "Subject: {{customer.name}}\n\n{{customer.name}}|{{contact.name}}\n")
    kit.write(world, "templates/completed.html", "<p>{{customer.name}}</p>\n")
    world.ctl("customer", "add", "1001", "--name", name, "--email", "farm@example.com", "--contact", name)
    assert world.ctl_json("customer", "show", "1001")["name"] == name
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job=f"j-{name}"[:60], customer="1001", note=name)
    wait_outcome(world, "1", "sent")
    (mail,) = smtp.mails
    assert_clean(mail.data)
    read = message(mail)
    assert str(read["Subject"]) == name
    assert text_of(mail) == f"{name}|{name}\n"
    # The address by the older reader: the newer one of Python 3.11 puts blanks between encoded words of a name.
    ((shown, address),) = email.utils.getaddresses([email.message_from_bytes(mail.data)["To"]])
    assert str(email.header.make_header(email.header.decode_header(shown))) == name and address == "farm@example.com"
    for word in re.findall(rb"=\?utf-8\?([bq])\?([^?]*)\?=", mail.data, re.I):
        one = email.header.decode_header(f"=?utf-8?{word[0].decode()}?{word[1].decode()}?=")[0][0]
        if script != "encoded-word lookalike":
            one.decode()  # no character is parted by the end of an encoded word
    assert all(len(line) <= 78 for line in mail.data.split(b"\r\n\r\n")[0].split(b"\r\n")
               if not line.startswith(b"X-Dispatchd-Job")), "headers fold"


NOTES = {
    "5,000 characters": "x" * 5000, "5,000 characters of two bytes": "é" * 5000,
    "a dot alone": "before\n.\nafter", "a dot alone, CRLF": "before\r\n.\r\nafter\r\n.\r\n", "dots": "..\n...\n.x",
    "a dialogue": "\r\n.\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@example.com>\r\nDATA\r\n",
    "From at a line's start": "From here\n>From there", "trailing blanks": "a  \nb\t\nc", "equal signs": "a=3D=\nb==",
    "a boundary": "--dispatchd\n--=_x--\n--\n", "headers": "Content-Type: text/html\n\n<b>x</b>",
    "lone CR": "a\rb\rc", "only breaks": "\n\n\n", "mustache": "{{customer.name}} {{> what}} {{=<% %>=}}",
    "long Thai": "ก" * 4000,
}


@pytest.mark.parametrize("name", NOTES)
def test_a_body_of_anything(world, smtp, name):
    note = NOTES[name]
    kit.write(world, "templates/completed.txt", "Subject: s\n\n[{{job.note}}]\n")
    kit.write(world, "templates/completed.html", "<pre>[{{job.note}}]</pre>\n")
    add_customer(world)
    world.start_daemon()
    world.xadd(event=json.dumps({"id": "1", "type": "job.completed", "job": "j", "customer": "1001",
                                 "data": {"note": note}}))
    wait_outcome(world, "1", "sent")
    (mail,) = smtp.mails
    assert_clean(mail.data)
    expected = f"[{note}]\n".replace("\r\n", "\n").replace("\r", "\n")
    assert text_of(mail).replace("\r", "\n") == expected
    assert smtp.mails[0].recipients == ["farm@example.com"] and smtp.count == 1
    assert not [c for c in smtp.commands() if "evil" in c or "victim" in c]


def test_huge_data(world, smtp):
    """As much as an event may hold reaches the mail; many members, long names, a long list."""
    kit.write(world, "templates/completed.txt", "Subject: {{job.note}}\n\n{{job.note}}\n{{#job.photos}}{{.}}\n{{/job.photos}}")
    add_customer(world)
    world.start_daemon()
    photos = [f"https://example.com/{n}.jpg" for n in range(3000)]
    data = {"note": "n" * 100_000, "photos": photos, **{f"k{n}": n for n in range(2000)}}
    text = json.dumps({"id": "1", "type": "job.completed", "job": "j", "customer": "1001", "data": data})
    assert 200_000 < len(text) < 262_144
    world.xadd(event=text)
    wait_outcome(world, "1", "sent", timeout=20)
    (mail,) = smtp.mails
    assert all(len(line) <= 998 for line in mail.data.split(b"\r\n"))
    lines = text_of(mail).splitlines()
    assert lines[0] == "n" * 100_000 and lines[1:] == photos


BROKEN = {
    "never closed": "Subject: s\n\n{{#job}}x\n", "closed twice": "Subject: s\n\n{{/job}}\n",
    "a tag without an end": "Subject: s\n\n{{job.id\n", "no subject": "hello {{job.id}}\n", "empty": "",
    "a partial that calls itself": "Subject: s\n\n{{> loop}}\n", "not UTF-8": b"Subject: s\n\n\xff\xfe\n",
    "a mail as a partial": "Subject: s\n\n{{> failed}} {{job.id}}\n",
    "a partial that isn't there": "Subject: s\n\n{{> nowhere}} {{job.id}}\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_template_that_breaks_costs_no_mail(world, smtp, name):
    """Broken while the daemon runs and is reloaded, or at its start: the customer hears all the same."""
    kit.write(world, "templates/loop.txt", "{{> loop}} round\n")
    path = kit.write(world, "templates/completed.txt", "Subject: fine\n\nfine\n")
    add_customer(world)
    world.start_daemon()
    with open(path, "wb") as file:
        text = BROKEN[name]
        file.write(text if isinstance(text, bytes) else text.encode())
    checked = kit.dispatchd(world, "-t", "-c", world.config_path)
    assert checked.returncode in (0, 78)
    if checked.returncode:
        assert "completed.txt:" in checked.stderr, checked.stderr
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    wait_outcome(world, "1", "sent")
    world.daemon.stop()
    world.start_daemon(ready=False)
    wait_until(lambda: world.daemon.process.poll() is not None or "READY=1" in world.daemon.notified(), "a start or an end")
    if world.daemon.process.poll() is not None:
        pytest.fail(f"it doesn't start: {world.daemon.log()}")
    world.xadd(id="2", type="job.completed", job="4712", customer="1001")
    wait_outcome(world, "2", "sent")
    mail = smtp.mails[1]
    assert message(mail)["Subject"] is not None
    assert "4712" in text_of(mail)


def test_a_subject_that_data_empties(world, smtp):
    kit.write(world, "templates/completed.txt", "Subject: {{job.title}}\nReply-To: {{job.reply}}\n\nhello\n")
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    wait_outcome(world, "1", "sent")
    assert_clean(smtp.mails[0].data)
    assert "Reply-To" not in message(smtp.mails[0])


def test_names_of_fields_mean_no_harm(world, smtp):
    """Names like ours, like Python's, like nothing, in data and beside."""
    add_customer(world)
    world.start_daemon()
    world.xadd_fields({"id": "1", "type": "job.completed", "job": "j", "customer": "1001", "timeline": "x", "jobs": "x",
                       "company": "x", "contact": "x", "date": "x", "__proto__": "x", "a.b": "x", "{{": "}}", " ": "x",
                       "data": '{"customer": {"name": "forged"}, "event": "x", "state": "failed", "contact": {"name": "x"}}'})
    wait_outcome(world, "1", "sent")
    assert_clean(smtp.mails[0].data)
    assert "forged" not in smtp.mails[0].text
    assert outcomes_of(world, "1") == [("queued", "ok"), ("sent", "ok")]


def garbled(chance, text):
    """The text with a few bytes changed, cut out or doubled."""
    data = bytearray(text)
    for _ in range(chance.randint(0, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[at:at] = chance.choice([b"\x00", b"\xff", b"\r\n", b'"', b"\\", b"{{", b"\xe2\x80", b"9" * 30])
            case 1:
                del data[at:at + chance.randint(1, 9)]
            case 2:
                data[at:at] = data[at:at + chance.randint(1, 40)]
            case _:
                if at < len(data):
                    data[at] = chance.randrange(256)
    return bytes(data)


def test_anything_at_all(world, smtp):
    """Fifteen hundred entries garbled at random on every stream: each is decided or put aside, and it goes on."""
    seed = time.time_ns()
    chance = random.Random(seed)
    kit.write(world, "templates/completed.txt", EVERY_FIELD)
    add_customer(world)
    world.start_daemon()
    event = {"id": "1", "source": "s", "type": "job.completed", "job": "j", "customer": "1001", "scheduled":
             "2026-01-02T03:04:05Z", "route": "r", "data": {"note": "ä{{x}}", "photos": ["a", {"b": [1.5, None]}]}}
    feed = {"number": "1001", "name": "ö", "email": "farm@example.com", "timezone": "Europe/Berlin",
            "hours": {"mon": "07:00-12:00"}, "contacts": [{"name": "x", "email": "x@example.com"}]}
    pipe = world.raw.pipeline(transaction=False)
    for n in range(500):
        text = json.dumps({**event, "id": f"e{n}", "job": f"j{n}"}, ensure_ascii=chance.random() < 0.5).encode()
        pipe.xadd("jobs:events", {b"event": garbled(chance, text)})
        fields = {"id": f"f{n}", "type": "job.dispatch", "job": f"j{n}", "customer": "1001", "data": '{"a": [1]}'}
        pipe.xadd("jobs:requests", {garbled(chance, k.encode()): garbled(chance, v.encode()) for k, v in fields.items()})
        pipe.xadd("customers:changes", {b"customer": garbled(chance, json.dumps(feed).encode())})
    pipe.execute()
    for stream in ("customers:changes", "jobs:requests", "jobs:events"):
        world.wait_idle(stream, timeout=30)
    world.ctl("customer", "set", "1001", "--status", "active", "--name", "Farm")
    world.xadd(id="last", type="job.failed", job="last", customer="1001")
    wait_until(lambda: outcomes_of(world, "last"), lambda: f"the one behind them, seed {seed}; {world.log_tail()}")
    for mail in smtp.mails:
        headers = headers_of(mail.data)
        assert all(0x20 <= byte < 0x7f or byte == 9 for line in headers for byte in line), f"seed {seed}"
    assert world.daemon.stop() == 0, f"seed {seed}"
