# SPDX-License-Identifier: MIT
"""Mails as Python's email reads them back, and templates as an admin tries them out."""

import email
import email.header
import email.policy
import email.utils
import json
import subprocess
import urllib.parse
from datetime import datetime, timezone

import pytest
from world import BUILD, ROOT

PROBE = BUILD / "tests" / "mail_probe"
SPEC = ROOT.parent / "shared" / "mustache-spec"
SHIPPED = ROOT / "conf" / "templates"

PARTS = {
    "from_name": "Example Hauling", "from": "dispatch@example.com", "to_name": "Rosa", "to": "rosa@example.com",
    "subject": "Your job is done", "message_id": "<1@example.com>", "thread_id": "<2@example.com>",
    "made": 1798119000000, "text": "Hello.\n",
}

SCRIPTS = [
    "Your job is done", "Müller & Söhne", "شركة النقل السريع", "东京清运公司", "東京トラック 한국", "Грузовик № 5",
    "🚛👨‍👩‍👧 🇩🇪", "Zoe\u0308 n\u0303\u030c", "รถขยะ कचरा", "5 東京東京東京東京東京東京東京東京東京東京東京東京", 'Smith, "Bob" <b@example.com>; (x) \\ :',
    "=?utf-8?Q?not_encoded?=", "a  b", "=41 ?", "x" * 200, "word " * 40 + "end", "ü" * 300, "🚛 " * 50 + "!", "a🚛" * 60,
]


def run(*args, data=None, check=True):
    done = subprocess.run([PROBE, *map(str, args)], input=None if data is None else json.dumps(data).encode(),
                          capture_output=True, timeout=20)
    if check:
        assert done.returncode == 0, done.stderr.decode()
    return done


def check_bytes(raw):
    """What holds for every mail."""
    assert raw.endswith(b"\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    assert all(c < 127 and (c >= 32 or c in b"\r\n\t") for c in raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert not any(line.startswith((b".", b"From ")) for line in raw.split(b"\r\n"))


def read(raw):
    check_bytes(raw)
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert not mail.defects
    for part in mail.walk():
        assert not part.defects
    return mail


def compose(**parts):
    return read(run("compose", data=PARTS | parts).stdout)


def name_of(raw, header):
    """A display name by RFC 2047. The newer API shows a space where two encoded words of a name meet, so the older is asked."""
    value = email.message_from_bytes(raw, policy=email.policy.compat32)[header].replace("\r\n", "")
    phrase, address = email.utils.parseaddr(value)
    assert "@" in address
    return str(email.header.make_header(email.header.decode_header(phrase)))


def text_of(mail, kind="plain"):
    return mail.get_body((kind,)).get_content().replace("\r\n", "\n")


def test_headers():
    mail = compose(reply_to="office@example.com", jobs=["4711", "Müll 7%", "a\r\nb"], html="<p>x</p>")
    assert mail["From"].addresses[0].display_name == "Example Hauling"
    assert mail["From"].addresses[0].addr_spec == "dispatch@example.com"
    assert mail["To"].addresses[0].addr_spec == "rosa@example.com"
    assert mail["Reply-To"] == "office@example.com"
    assert mail["Message-ID"] == "<1@example.com>"
    assert mail["In-Reply-To"] == mail["References"] == "<2@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Date"].datetime == datetime(2026, 12, 24, 13, 30, tzinfo=timezone.utc)
    assert mail.get_all("X-Dispatchd-Job") == ["4711", "M%C3%BCll 7%25", "a%0D%0Ab"]
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("text", SCRIPTS, ids=range(len(SCRIPTS)))
def test_every_script(text):
    raw = run("compose", data=PARTS | dict(subject=text, to_name=text, from_name=text, text=text, html=text)).stdout
    mail = read(raw)
    assert mail["Subject"] == text
    assert name_of(raw, "To") == name_of(raw, "From") == text
    if len(text.encode()) < 32:
        assert mail["To"].addresses[0].display_name == " ".join(text.split())
    assert mail["To"].addresses[0].addr_spec == "rosa@example.com"
    assert text_of(mail) == text + "\n"
    assert text_of(mail, "html") == text + "\n"


@pytest.mark.parametrize("text", [
    "", "\n", "a\n.\nb\n", "From me\n", "..\n.\n", "blank \nend\n", "tab\t\n", "--=_\n--\n", "=\n", "x" * 5000 + "\n", "word " * 1000 + "\n",
    "ü" * 5000 + "\n", "清" * 5000 + "\n", "." * 5000 + "\n", "F" * 5000 + "\n", "<p>" + "x " * 3000 + "</p>\n", "🚛\n" * 500,
], ids=range(17))
def test_bodies(text):
    mail = compose(text=text, html=text)
    assert text_of(mail) == text
    assert text_of(mail, "html") == text
    assert text_of(compose(text=text)) == text


@pytest.mark.parametrize("field", ["subject", "to_name", "from_name", "reply_to_name", "message_id", "thread_id", "jobs", "text", "html"])
@pytest.mark.parametrize("attack", [
    "x\r\nBcc: evil@example.com", "x\nBcc: evil@example.com", "x\rBcc: evil@example.com", "x\r\n\r\n<b>body</b>",
    "\r\nBcc: evil@example.com", "ü\r\nBcc: evil@example.com", "x\u2028Bcc: evil@example.com",
    "x\x85Bcc: evil@example.com", "x\x0bBcc: a", "x\x1eBcc: a", "a\x01b\x7f", '"\r\n Bcc: evil@example.com',
])
def test_no_field_adds_a_header(field, attack):
    base = {"reply_to": "office@example.com", "html": "<p>x</p>", "jobs": ["1"]}
    normal = compose(**base)
    mail = compose(**base | {field: [attack] if field == "jobs" else attack})
    assert mail.keys() == normal.keys()
    assert all("\n" not in str(value) and "\r" not in str(value) for value in mail.values())
    if field == "jobs":
        assert urllib.parse.unquote(mail["X-Dispatchd-Job"]) == attack


def rendered(directory=SHIPPED, **more):
    data = {"from": "Example Hauling <dispatch@example.com>", "to": "rosa@example.com", "to_name": "Rosa Müller",
            "template": "completed", "locale": "", "timezone": "America/Denver", "made": 1798119000000, "jobs": ["4711"]}
    done = run("render", directory, data=data | more)
    return read(done.stdout), done.stderr.decode()


CONTEXT = {
    "event": {"id": "8f2c", "time": "2026-12-24T13:30:00Z"},
    "job": {"id": "4711", "service": "Roll-off swap", "reference": "PO 2209", "scheduled": "2026-12-24T15:00:00Z",
            "note": "before\n.\nafter"},
    "customer": {"number": "1001", "name": "Müller & <Söhne>", "address": "12 Quarry Rd", "city": "Golden"},
    "contact": {"first_name": "Rosa", "name": "Rosa Müller"},
    "window": {"arrive_by": "2026-12-24T07:00:00-07:00", "leave_by": "2026-12-24T12:00:00-07:00"},
    "timeline": [{"state": "dispatched", "time": "2026-12-24T12:00:00Z"}, {"state": "completed", "time": "2026-12-24T13:30:00Z"}],
    "company": {"name": "Example Hauling", "phone": "+1 303 555 0199", "email": "office@example.com"},
}


def test_a_mail_as_its_reader_sees_it():
    mail, faults = rendered(template="dispatched", context=CONTEXT)
    assert faults == ""
    assert mail["Subject"] == "Driver assigned: Roll-off swap (PO 2209) - Example Hauling"
    assert mail["Reply-To"] == "office@example.com"
    text = text_of(mail)
    assert "Hello Rosa,\n" in text
    assert "Arrival window: Thursday, 24 December 2026, 07:00 to 12:00\n" in text
    assert "Note: before\n.\nafter\n" in text
    assert "+1 303 555 0199" in text
    assert "24 Dec 2026, 05:00  driver assigned" in text
    html = text_of(mail, "html")
    assert "before\n.\nafter" in html and "<img" not in html and "http" not in html


def test_a_grouped_mail_lists_its_jobs():
    jobs = [CONTEXT["job"] | {"state": "failed", "reason": "gate locked", "customer": CONTEXT["customer"]},
            {"id": "4712", "state": "failed", "service": "Delivery"}, {"id": "4713"}]
    mail, _ = rendered(template="failed", context=CONTEXT | {"jobs": jobs}, jobs=["4711", "4712", "4713"])
    text = text_of(mail)
    assert mail["Subject"] == "Could not be completed: several jobs - Example Hauling"
    assert mail.get_all("X-Dispatchd-Job") == ["4711", "4712", "4713"]
    assert ("* Roll-off swap, job 4711 (reference PO 2209), scheduled for 24 Dec 2026, 08:00: gate locked\n"
            "  Müller & <Söhne>, 12 Quarry Rd, Golden\n* Delivery, job 4712\n") in text
    assert "Job history" not in text
    assert "Müller &amp; &lt;Söhne&gt;" in text_of(mail, "html")


def test_a_grouped_mail_has_each_drivers_time():
    """A job without a window has none, and not the first one's; one of the whole day is not a span of time."""
    site = CONTEXT["customer"] | {"name": "Site", "address": "1 Main St"}
    day = {"arrive_by": "2026-12-25T00:00:00-07:00", "leave_by": "2026-12-26T00:00:00-07:00", "all_day": True}
    jobs = [{"id": "1", "state": "dispatched", "customer": site, "window": CONTEXT["window"]},
            {"id": "2", "state": "dispatched", "customer": site, "window": None},
            {"id": "3", "state": "dispatched", "window": day, "driver": "Kim", "vehicle": "Truck 7"}]
    mail, _ = rendered(template="dispatched", context=CONTEXT | {"jobs": jobs}, jobs=["1", "2", "3"])
    where = "  Site, 1 Main St, Golden\n"
    assert (f"* job 1\n{where}  Arrival window: Thursday, 24 December 2026, 07:00 to 12:00\n* job 2\n{where}* job 3\n"
            ) in text_of(mail)
    assert "  Arrival window: Friday, 25 December 2026, any time\n  Driver: Kim, Truck 7\n" in text_of(mail)
    assert text_of(mail, "html").count("Arrival window: ") == 2


def test_there_is_always_somebody_to_ask():
    mail, _ = rendered(context={"job": {"id": "4711"}, "company": {"name": "Example Hauling"}})
    assert "\n\nQuestions? Just reply to this email.\n\nExample Hauling\n" in text_of(mail)
    assert "reply to this email" in text_of(mail, "html")


def test_languages():
    for locale, words in (("fr-CA", "Votre intervention s’est terminée le jeudi 24 décembre 2026 à 06 h 30."),
                          ("es", "Su servicio se terminó el jueves, 24 de diciembre de 2026, 6:30."),
                          ("de-AT", "Ihr Auftrag ist erledigt (Donnerstag, 24. Dezember 2026 um 06:30)."),
                          ("pl", "Your job was completed on czwartek, 24 grudnia 2026 06:30.")):
        assert words in text_of(rendered(locale=locale, context=CONTEXT)[0])


def test_names_are_escaped_in_html_only(tmp_path):
    (tmp_path / "completed.txt").write_text("Subject: {{customer.name}}\n\n{{customer.name}}\n")
    (tmp_path / "completed.html").write_text("<p>{{customer.name}}</p>\n")
    mail, faults = rendered(tmp_path, context=CONTEXT)
    assert (mail["Subject"], faults) == ("Müller & <Söhne>", "")
    assert text_of(mail) == "Müller & <Söhne>\n"
    assert text_of(mail, "html") == "<p>Müller &amp; &lt;Söhne&gt;</p>\n"


@pytest.mark.parametrize("attack", ["x\r\nBcc: evil@example.com", "x\nBcc: evil@example.com\n\nbody", "\r\n\r\nx"])
def test_data_adds_no_header(tmp_path, attack):
    (tmp_path / "completed.txt").write_text("Subject: {{job.id}} {{> p}}\nReply-To: {{company.email}}\n\n{{job.id}}\n")
    (tmp_path / "p.txt").write_text("{{job.id}}\n")
    mail, _ = rendered(tmp_path, to_name=attack, jobs=[attack],
                     context={"job": {"id": attack}, "company": {"email": attack}})
    assert "Bcc" not in mail
    assert "Reply-To" not in mail
    assert text_of(mail).startswith(attack.replace("\r\n", "\n"))


def test_a_broken_template_costs_no_mail(tmp_path):
    (tmp_path / "completed.txt").write_text("Subject: x\n\n{{#open}}\n")
    mail, faults = rendered(tmp_path, context=CONTEXT)
    assert mail["Subject"] == "Completed: Roll-off swap (PO 2209) - Example Hauling"
    assert "Your job was completed on Thursday, 24 December 2026, 06:30." in text_of(mail)
    assert f"broken: {tmp_path}/completed.txt:3: this section is never closed: open" in faults


def print_template(tmp_path, template, data, partials=None, html=False):
    ending = ".html" if html else ".txt"
    (tmp_path / f"it{ending}").write_bytes(template.encode())
    (tmp_path / "data.json").write_text(json.dumps(data))
    for name, text in (partials or {}).items():
        (tmp_path / f"{name}{ending}").write_bytes(text.encode())
    done = run("print", tmp_path / f"it{ending}", tmp_path / "data.json", *(["html"] if html else []))
    return done.stdout.decode()


@pytest.mark.skipif(not SPEC.is_dir(), reason="the public specification is not beside the tree")
@pytest.mark.parametrize("module", ["comments", "interpolation", "inverted", "partials", "sections"])
def test_the_public_specification_from_files(tmp_path, module):
    for n, case in enumerate(json.loads((SPEC / f"{module}.json").read_text())["tests"]):
        directory = tmp_path / str(n)
        directory.mkdir()
        got = print_template(directory, case["template"], case["data"], case.get("partials"), html=True)
        assert got == case["expected"], case["name"]


def test_printing_plain(tmp_path):
    assert print_template(tmp_path, "{{a}} {{> p}}", {"a": "<&>"}, {"p": "{{a}}"}) == "<&> <&>"


def test_faults_of_printing(tmp_path):
    (tmp_path / "bad.txt").write_text("\n{{#x}}\n")
    (tmp_path / "bad.json").write_text('{"a": 1,\n}')
    (tmp_path / "good.json").write_text("{}")
    for template, data, code, words in (("bad.txt", "good.json", 65, "bad.txt:2: "), ("none.txt", "good.json", 66, "none.txt: "),
                                        ("bad.txt", "none.json", 65, "bad.txt:2: ")):
        done = run("print", tmp_path / template, tmp_path / data, check=False)
        assert done.returncode == code
        assert words in done.stderr.decode()
