# SPDX-License-Identifier: MIT
"""Mails of every kind as the shipped templates make them, for what looks at them: tests and axe.

A sample is a mail's template, a locale and its data; the code that makes mails for the relay renders it.
"""
import json
import re
import shutil
import subprocess
from email import message_from_bytes, policy

from world import BUILD, ROOT

SHIPPED = ROOT / "conf" / "templates"
STATES = ["dispatched", "started", "completed", "failed", "paused", "cancelled"]
LANGUAGES = sorted(file.stem for file in SHIPPED.glob("*.ini"))
# Those of the states, and whatever else has a subject: mails to the office, the answer to a wish for fewer mails.
MAILS = STATES + sorted(file.stem for file in SHIPPED.glob("*.txt")
                        if file.stem not in STATES and re.search(r"^Subject:", file.read_text(encoding="utf-8"), re.M))

LONG = "Donaudampfschifffahrtsgesellschaftskapitänskajütenschlüsselreparatur"
HEBREW = "השער נעול, נא להתקשר אל 555-0100"
ARABIC = {
    "language": "ar", "direction": "rtl", "greeting": "مرحبا", "completed.title": "تم إنجاز مهمتك", "completed.next": "لا يلزم أي إجراء.",
    "failed.title": "تعذر إنجاز مهمتك", "failed.next": "يرجى الاتصال بنا لتحديد موعد جديد.", "call": "اتصل على {{> number}}",
    "label.service": "الخدمة", "label.reference": "المرجع", "label.note": "ملاحظة",
}


def job_of(state, i=0, **more):
    job = {"id": str(4711 + i), "state": state, "reference": f"PO {2209 + i}", "service": ["Roll-off swap", "Compactor pickup", "Delivery"][i % 3],
           "driver": "Sam Ortiz", "vehicle": "Truck 12", "asset": "RO-118, 30 yard", "note": "Gate code 4821.\nLeave the box behind the barn.",
           "amount": "$385.00", "photos": ["https://photos.example.com/4711/1.jpg"], "scheduled": "2026-12-24T15:00:00Z",
           "eta": "2026-12-24T15:10:00Z", "customer": customer(), "window": window()}
    if state in ("failed", "paused", "cancelled"):
        job["reason"] = "The gate was locked"
    return job | more


def customer(**more):
    return {"number": "1001", "name": "Maple Street Bakery", "address": "12 Maple Street", "city": "Denver", "phone": "+1 303 555 0142"} | more


def window():
    return {"arrive_by": "2026-12-24T07:00:00-07:00", "leave_by": "2026-12-24T12:00:00-07:00"}


def reports():
    """What mails to the office say of mails that came back."""
    words = "550 5.1.1 <rosa@example.com>: Recipient address rejected: User unknown in virtual mailbox table"
    return {"report": {"address": "rosa@example.com", "words": words, "hour": 6, "day": 12},
            "reports": [{"address": f"{name}@example.com", "words": words, "time": "2026-12-24T16:30:00Z"} for name in ("rosa", "bo")]}


def flood():
    """What the mail to the office says of mails that are held back."""
    return {"breaker": {"made": 2001, "held": 17, "limit": "2000/5m"},
            "shares": {"customer": [{"what": "1001", "mails": 1500}, {"what": "1002", "mails": 400}],
                       "job": [{"what": "4711", "mails": 3}], "state": [{"what": "completed", "mails": 2001}],
                       "source": [{"what": "tms", "mails": 2000}, {"what": "", "mails": 1}]}}


def full(mail):
    """All that a mail can have, of ordinary length."""
    state = mail if mail in STATES else "started"
    job = job_of(state)
    data = {
        "event": {"id": "8f2c", "time": "2026-12-24T16:30:00Z", "type": f"job.{state}", "reason": job.get("reason", "")},
        "job": job, "jobs": [job], "customer": customer(), "window": window(),
        "contact": {"name": "Rosa Miller", "first_name": "Rosa"},
        "timeline": [{"state": "dispatched", "time": "2026-12-24T12:00:00Z"},
                     {"state": "paused", "time": "2026-12-24T15:20:00Z", "reason": "rain"}, {"state": state, "time": "2026-12-24T16:30:00Z"}],
        "company": {"name": "Example Hauling", "phone": "+1 303 555 0100", "email": "office@example.com", "website": "www.example.com"},
    }
    if mail in STATES:
        data["opt_out"] = "https://center.example.com/u/2KXQJ6YV5T3NBW4RZ7MACDEFGH"
    else:
        data["suspension"] = {"id": 7, "customer": "1001", "note": "Unpaid since October", "author": "kim", "from": "2026-12-01"}
        data |= reports() | flood() | {"choice": {"failed": True}}
    return data


def grouped(mail, n):
    data = full(mail)
    return data | {"jobs": [job_of(data["job"]["state"], i) for i in range(n)]}


def long(mail):
    """Words that fit nowhere, names of several lines, values in the other direction."""
    data = full(mail)
    data["job"] |= {"service": LONG, "reference": "A" * 70, "note": HEBREW, "asset": "RO-118 " * 20, "driver": f"Sam {LONG}"}
    data["event"]["reason"] = HEBREW * 3
    data["contact"] = {"name": f"Maximilian Konstantin {LONG}"}
    data["customer"] |= {"name": f"{LONG} & Sons <Denver>", "address": "12 " + "Very Long " * 12 + "Street"}
    data["company"] = {"name": "Example Hauling & Recycling Services of Greater Colorado Springs LLC", "phone": "1-800-DUMPSTER ext. 12",
                       "website": f"https://{'long' * 15}.example.com/customers/portal/index.html"}
    return data


def bare(mail):
    data = {"job": {"id": "4711"}, "event": {}}
    office = {"suspension": {"id": 7, "customer": "1001"}, "customer": {"number": "1001", "name": "Maple"}, **reports()}
    return data | ({} if mail in STATES else office)


KINDS = {"full": full, "three": lambda mail: grouped(mail, 3), "forty": lambda mail: grouped(mail, 40), "long": long, "bare": bare}


def with_arabic(directory):
    """A copy of the shipped folder with a catalogue of a script that goes from right to left, half translated."""
    shutil.copytree(SHIPPED, directory, dirs_exist_ok=True)
    words = phrases("en") | ARABIC
    (directory / "ar.ini").write_text("".join(f"{key} = {text}\n" for key, text in words.items()), encoding="utf-8")
    return directory


def raw(mail, locale, data, directory=SHIPPED):
    """The mail as it goes to a relay."""
    wanted = {"from": "Example Hauling <dispatch@example.com>", "to": "rosa@example.com", "to_name": "Rosa Miller", "template": mail,
              "locale": locale, "timezone": "America/Denver", "made": 1798119000000, "jobs": ["4711"], "context": data}
    done = subprocess.run([BUILD / "tests" / "mail_probe", "render", directory], input=json.dumps(wanted).encode(), capture_output=True,
                          timeout=60, check=True)
    assert done.stderr == b"", done.stderr
    return done.stdout


def parts(message):
    """Subject, text and HTML."""
    read = message_from_bytes(message, policy=policy.default)
    return str(read["Subject"]), *(read.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))


def phrases(language):
    lines = (SHIPPED / f"{language}.ini").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition(" = ") for line in lines if " = " in line and not line.startswith("#")]
    return {key: words.strip('"') for key, _, words in pairs}
