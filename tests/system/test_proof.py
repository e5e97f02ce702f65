# SPDX-License-Identifier: MIT
"""`proof JOB`: all that is on record of a job's notices, in a file that a stranger can read and check."""
import html
import io
import json
import os
import re
import shutil
import stat
import subprocess
import zipfile

import pytest

from center import Center
from kit import add_customer, refused, use_shipped_templates, wait_outcome
from smtp_peer import start
from world import wait_until

REPLY = "250 2.0.0 taken"


def publish(world, number, state="started", job="4711", customer="1001", **more):
    world.xadd(id=number, type=f"job.{state}", job=job, customer=customer, **more)


@pytest.fixture
def peer(world):
    peer = start(world)
    use_shipped_templates(world)
    add_customer(world, contact="Rosa Öztürk", timezone="America/Denver", phone="303 555 0100")
    return peer


def unpack(world, name, *args):
    """Its files; what SHA256SUMS says of them is true."""
    path = world.path(name)
    world.ctl("proof", *args, "--out", path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    folder = world.path(f"{name}.d")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    names = sorted(os.path.relpath(os.path.join(at, file), folder) for at, _, files in os.walk(folder) for file in files)
    done = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True,
                          check=True)
    assert sorted(line.rsplit(":", 1)[0] for line in done.stdout.splitlines()) == [n for n in names if n != "SHA256SUMS"]
    with open(f"{folder}/record.json", encoding="utf-8") as file:
        record = json.load(file)
    with open(f"{folder}/summary.html", encoding="utf-8") as file:
        summary = file.read()
    return folder, names, record, summary


def test_it_has_all_that_happened(world, peer):
    peer.answers["rcpt"] = "450 4.2.1 mailbox busy"
    world.start_daemon()
    publish(world, "1", driver="Sam", note="<script>alert(1)</script> gate 7")
    mail = wait_outcome(world, "1", "retrying")["mail"]
    peer.answers.pop("rcpt")
    world.ctl("mail", "retry", mail)
    wait_outcome(world, "1", "sent")
    publish(world, "2", driver="Sam")
    wait_outcome(world, "2", "suppressed", "repeat")
    world.ctl("comment", "add", "1001", "--job", "4711", "--text", "ours alone")
    folder, names, record, summary = unpack(world, "a.zip", "4711")
    assert names == ["SHA256SUMS", f"mails/{mail}.eml", "record.json", "summary.html"]
    with open(f"{folder}/mails/{mail}.eml", "rb") as file:
        assert file.read() == peer.mails[0].data
    shown = world.ctl_json("job", "show", "4711")
    for key in ("job", "customer", "state", "events", "outcomes", "requests"):
        assert record[key] == shown[key], key
    assert "comments" not in record and "ours alone" not in summary
    (sent,) = record["mails"]
    assert sent["rendering"] == "exact" and sent["context"]["customer"]["phone"] == "303 555 0100"
    digest = subprocess.run(["b2sum", "-l", "128", f"{folder}/{sent['file']}"], capture_output=True, text=True, check=True)
    assert digest.stdout.split()[0] == sent["message_digest"]
    assert re.fullmatch("[0-9a-f]{32}", sent["templates_digest"])
    assert sent["templates_digest"] in summary and sent["message_digest"] in summary
    for words in ("450 4.2.1 mailbox busy", REPLY, "the job had this state already", "Rosa Öztürk", "303 555 0100",
                  "America/Denver", "Example Farm", "farm@example.com", "the job was started before"):
        assert words in summary, words
    assert "<script" not in summary and "&lt;script&gt;alert(1)" in summary
    times = re.findall(r'<td class="when">(\S+ \S+) -0[67]:00<small>', summary)
    assert len(times) == len(record["events"]) + len(record["outcomes"]) and times == sorted(times)


def test_the_data_are_those_of_then(world, peer):
    world.start_daemon()
    publish(world, "1")
    wait_outcome(world, "1", "sent")
    world.ctl("customer", "set", "1001", "--phone", "720 555 0199", "--timezone", "Asia/Tokyo")
    _, _, record, summary = unpack(world, "a.zip", "4711")
    assert record["mails"][0]["context"]["customer"]["phone"] == "303 555 0100"
    assert "303 555 0100" in summary and "720 555 0199" not in summary


def test_it_shows_no_token(world, peer):
    world.configure(bounce={"address": "notices@example.com", "key_file": world.path("bounce.key")})
    with open(os.open(world.path("bounce.key"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(os.urandom(32).hex())
    peer.answers["rcpt"] = "450 4.1.8 mailbox busy"
    world.start_daemon()
    publish(world, "1")
    mail = wait_outcome(world, "1", "retrying")["mail"]
    sender = next(line for line in peer.sessions[-1].commands if line.startswith("MAIL"))
    envelope = re.search(r"notices\+[0-9a-zA-Z]+@", sender).group()
    peer.answers = {"body": f"250 2.0.0 taken from <{envelope}example.com>"}
    world.ctl("mail", "retry", mail)
    assert envelope in wait_outcome(world, "1", "sent")["reply"]
    folder, names, record, summary = unpack(world, "a.zip", "4711")
    assert "taken from <notices+0000" in record["mails"][0]["reply"]
    for name in names:
        with open(f"{folder}/{name}", encoding="utf-8") as file:
            assert envelope not in file.read(), name
    signed = re.search(rb"notices\+([0-9a-zA-Z]{20,})@", peer.mails[0].data).group(1)
    assert set(signed) != set(b"0")
    for name in names:
        with open(f"{folder}/{name}", "rb") as file:
            assert signed not in file.read(), name
    (mail,) = [n for n in names if n.endswith(".eml")]
    with open(f"{folder}/{mail}", "rb") as file:
        assert re.search(rb"notices\+0{20,}@", file.read())
    assert "are replaced with zeros" in summary


def test_a_redirected_mail_says_so(world, peer):
    world.configure(mail={"redirect_to": "staging@example.com"})
    world.start_daemon()
    publish(world, "1")
    wait_outcome(world, "1", "sent")
    folder, _, record, summary = unpack(world, "a.zip", "4711")
    with open(f"{folder}/{record['mails'][0]['file']}", "rb") as file:
        assert file.read() == peer.mails[0].data
    assert re.search(r"<dt>Redirected to</dt><dd>staging@example.com</dd>", summary) and "farm@example.com" in summary


def test_of_an_erased_customer_it_has_what_is_left(world, peer):
    world.start_daemon()
    publish(world, "1", driver="Sam")
    mail = wait_outcome(world, "1", "sent")["mail"]
    world.ctl("customer", "erase", "1001", "--yes")
    wait_until(lambda: world.ctl_json("job", "show", "4711").get("erased"), "its words are gone")
    assert "\nwhat it said was erased with its customer\n" in world.ctl("job", "show", "4711").stdout
    folder, names, record, summary = unpack(world, "a.zip", "4711")
    assert names == ["SHA256SUMS", "record.json", "summary.html"]
    assert record["proof"]["erased"] and record["mails"][0]["rendering"] == "erased"
    assert str(record["mails"][0]["id"]) == mail and record["mails"][0]["status"] == "sent"
    assert "This customer was erased on 20" in summary
    for name in names:
        with open(f"{folder}/{name}", encoding="utf-8") as file:
            text = file.read()
        assert "farm@example.com" not in text and "Sam" not in text and "Example Farm" not in text, name


def test_one_mail_for_several_jobs(world, peer):
    world.configure(sections={"notify.completed": {"group_wait": "1s"}})
    world.start_daemon()
    for n in range(3):
        publish(world, str(n), "completed", job=f"job {n} ü")
    mail = wait_outcome(world, "0", "sent")["mail"]
    _, names, record, summary = unpack(world, "a.zip", "job 1 ü")
    assert f"mails/{mail}.eml" in names
    assert record["mails"][0]["jobs"] == ["job 0 ü", "job 1 ü", "job 2 ü"]
    assert "job 0 ü, job 1 ü, job 2 ü" in summary and [e["job"] for e in record["outcomes"]] == ["job 1 ü"] * 2


def test_of_a_merged_customer_by_either_number(world, peer):
    add_customer(world, "1002", "Other Farm", "other@example.com")
    world.start_daemon()
    publish(world, "1")
    wait_outcome(world, "1", "sent")
    publish(world, "2", customer="1002")
    wait_outcome(world, "2", "sent")
    refused(world, 65, "2 customers have a job 4711", "proof", "4711", "--out", world.path("x.zip"))
    add_customer(world, "1003", "Third Farm", "third@example.com")
    world.ctl("customer", "merge", "1001", "1003", "--yes")
    for name, number in (("a.zip", "1001"), ("b.zip", "1003")):
        _, _, record, _ = unpack(world, name, "4711", "--customer", number)
        assert record["customer"] == "1003" and len(record["mails"]) == 1


def test_a_job_with_many_events(world, peer):
    world.start_daemon()
    for n in range(200):
        publish(world, str(n), ("started", "paused")[n % 2], time=f"2026-01-01T{n // 60:02}:{n % 60:02}:00Z")
    wait_outcome(world, "199", "expired", "expired", timeout=60)
    _, _, record, summary = unpack(world, "a.zip", "4711")
    assert len(record["events"]) == 200 and "200 reported events, " in summary
    assert summary.count("<h3>Event ") == 200


def test_times_are_in_the_customers_zone_though_there_is_no_event(world, peer):
    world.start_daemon()
    world.ctl("suspend", "1001", "--note", "closed")
    world.xadd("jobs:requests", id="q1", type="job.dispatch", job="4711", customer="1001")
    wait_outcome(world, "q1", "held")
    _, _, record, summary = unpack(world, "a.zip", "4711")
    assert record["events"] == [] and record["proof"]["timezone"] == "America/Denver"
    assert "Times are in the customer's time zone, America/Denver, with UTC below them." in summary
    assert re.search(r"Generated \S+ \S+ -0[67]:00 by dispatchd", summary)
    assert "<h3>Gate request q1: job.dispatch, " in summary


def test_of_an_event_it_has_long_names_too(world, peer):
    """Of two bytes for each letter, so that a cut name would be no text."""
    world.start_daemon()
    name = "a" + "ü" * 150
    world.xadd_fields({"id": "1", "type": "job.started", "job": "4711", "customer": "1001", name: "gate 7"})
    wait_outcome(world, "1", "sent")
    _, _, record, summary = unpack(world, "a.zip", "4711")
    assert record["events"][0]["data"][name] == "gate 7" and f"<dt>{name}</dt><dd>gate 7</dd>" in summary


def test_one_that_would_be_too_large_is_refused(world, peer):
    """It is made in memory, by the customer center for anybody who may read."""
    center = Center(world)
    center.add("rita", "reader")
    center.start()
    world.start_daemon()
    for n in range(150):
        publish(world, str(n), ("started", "paused")[n % 2], time=f"2026-01-01T{n // 60:02}:{n % 60:02}:00Z",
                note="x" * 240_000)
    wait_outcome(world, "149", "expired", "expired", timeout=60)
    refused(world, 65, "the proof of job 4711 would be larger than 32 MiB", "proof", "4711", "--out", world.path("x.zip"))
    assert not os.path.exists(world.path("x.zip"))
    answer = center.log_in("rita").get("/jobs/4711/proof?customer=1001")
    assert answer.status == 422 and "than the 32 MiB that a proof may have" in answer.text


def test_nothing_is_written_over_and_no_half_one_stays(world, peer):
    world.start_daemon()
    publish(world, "1")
    wait_outcome(world, "1", "sent")
    path = world.path("there.zip")
    with open(path, "w", encoding="utf-8") as file:
        file.write("mine")
    refused(world, 74, "File exists", "proof", "4711", "--out", path)
    with open(path, encoding="utf-8") as file:
        assert file.read() == "mine"
    os.symlink(world.path("nowhere"), world.path("link.zip"))
    refused(world, 74, "File exists", "proof", "4711", "--out", world.path("link.zip"))
    assert not os.path.exists(world.path("nowhere"))
    refused(world, 64, "--out FILE.zip is missing", "proof", "4711")
    refused(world, 66, "there is no job 9 on record", "proof", "9", "--out", world.path("b.zip"))
    refused(world, 74, "can't write", "proof", "4711", "--out", world.path("no", "such", "b.zip"))
    assert not [n for n in os.listdir(world.directory) if n.startswith(".new-") or n == "b.zip"]
    world.daemon.stop()
    assert world.ctl_json("proof", "4711", "--out", world.path("c.zip"))["mails"] == 1


def test_the_customer_center_has_it(world, peer):
    center = Center(world)
    center.add("rita", "reader")
    center.start()
    world.start_daemon()
    publish(world, "1", job="47/11 ü")
    wait_outcome(world, "1", "sent")
    rita = center.log_in("rita")
    (path,) = re.findall(r'href="([^"]*)" download>Save as proof<', rita.get("/jobs/47%2F11%20%C3%BC?customer=1001").text)
    answer = rita.get(html.unescape(path))
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="job-47_11___.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        record = json.loads(archive.read("record.json"))
    assert record["job"] == "47/11 ü" and record["events"] == world.ctl_json("job", "show", "47/11 ü")["events"]
    assert rita.get("/jobs/9/proof?customer=1001").status == 404
    assert center.ask("GET", path).status == 303


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_reads_it(world, peer):
    world.start_daemon()
    publish(world, "1")
    wait_outcome(world, "1", "sent")
    world.ctl("proof", "4711", "--out", world.path("a.zip"))
    subprocess.run(["unzip", "-tq", world.path("a.zip")], check=True, capture_output=True)
