# SPDX-License-Identifier: MIT
"""dispatch-center's API for what both databases have together: the one view, jobs, held jobs, hours, files."""
import datetime
import json
import os
import pathlib
import pwd
import re
import sqlite3
import subprocess

import pytest

from center import Center
from kit import needs_root, wait_outcome
from world import PATIENCE, SANITIZED, wait_until

TODAY = datetime.datetime.now(datetime.timezone.utc)


def day(n):
    return (TODAY + datetime.timedelta(days=n)).date().isoformat()


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple Bakery", "--email", "ann@example.com", "--timezone", "UTC")
    center = Center(world)
    center.add("carl", "clerk")
    center.add("rita", "reader")
    return center.start()


@pytest.fixture
def carl(center):
    return center.bearer("carl")


@pytest.fixture
def held(world, center):
    """A customer with a job under way, whose mail was sent, and two jobs held by a suspension."""
    world.start_daemon()
    world.xadd("jobs:events", id="1", type="job.started", job="4711", customer="1001", service="Rolloff swap",
               scheduled=f"{day(0)}T23:59:00Z")
    wait_outcome(world, "1", "sent")
    world.ctl("suspend", "1001", "--scope", "jobs,routes", "--note", "unpaid")
    for n in (1, 2):
        world.xadd("jobs:requests", id=f"r{n}", type="job.dispatch", job=f"h{n}", customer="1001")
        wait_outcome(world, f"r{n}", "held")
    return center


# ---- the one view

def test_the_one_view_has_what_is_to_come_and_what_became_of_it(held, carl):
    view = carl.get("/api/v1/customers/1001").json
    assert view["open"] == {"now": True, "next": None} and view["timezone"] == "UTC"
    assert abs(datetime.datetime.fromisoformat(view["local_now"].replace("Z", "+00:00")) -
               datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=5)
    assert view["gate"]["job.create"]["status"] == "denied" and view["gate"]["job.dispatch"]["status"] == "held"
    assert view["gate"]["job.dispatch"]["reason"] == "suspended"
    (scheduled,) = view["jobs"]["scheduled"]
    assert (scheduled["job"], scheduled["state"], scheduled["service"]) == ("4711", "started", "Rolloff swap")
    (mail,) = scheduled["notice"]["mails"]
    assert (mail["status"], mail["to"]) == ("sent", "ann@example.com")
    assert scheduled["local"]["scheduled"].startswith(day(0))
    assert [row["job"] for row in view["jobs"]["held"]] == ["h1", "h2"]
    assert [row["job"] for row in view["jobs"]["last"]] == ["4711"]
    assert view["suspension"]["note"] == "unpaid" and view["suspension"]["customer"] == "1001"


def test_the_one_view_shows_why_there_was_no_mail(world, center, carl):
    (contact,) = world.ctl_json("customer", "show", "1001")["contacts"]
    world.ctl("contact", "set", contact["id"], "--notify", "failed")
    world.start_daemon()
    world.xadd("jobs:events", id="1", type="job.started", job="4711", customer="1001")
    wait_outcome(world, "1", "suppressed")
    (job,) = carl.get("/api/v1/customers/1001").json["jobs"]["last"]
    assert job["notice"] == {"state": "started", "status": "suppressed", "reason": "not_wanted", "mails": []}


def test_a_closed_site_shows_when_it_opens(world, carl):
    world.ctl("hours", "set", "1001", "all", "00:00-00:01")
    view = carl.get("/api/v1/customers/1001").json
    if view["open"]["now"]:  # it is midnight
        pytest.skip("the one minute of the day in which it is open")
    assert view["open"]["next"] == f"{day(1)}T00:00:00Z"


def test_jobs_follow_a_new_number_at_once(held, center):
    center.add("mona", "manager")
    mona = center.bearer("mona")
    version = str(mona.get("/api/v1/customers/1001").json["version"])
    moved = mona.send("PATCH", "/api/v1/customers/1001", {"number": "2002"}, {"If-Match": version})
    assert moved.status == 200 and moved.json["number"] == "2002", moved.text
    assert [row["job"] for row in mona.get("/api/v1/customers/2002").json["jobs"]["held"]] == ["h1", "h2"]


def test_a_history_in_pieces(carl):
    for n in range(3):
        assert carl.send("POST", "/api/v1/customers/1001/notes", {"text": f"note {n}"}).status == 201
    piece = carl.get("/api/v1/customers/1001/history?limit=2").json
    assert [row["after"]["text"] for row in piece["history"]] == ["note 1", "note 2"] and piece["more"] is True
    rest = carl.get(f"/api/v1/customers/1001/history?before={piece['history'][0]['id']}").json
    assert rest["history"][-1]["after"]["text"] == "note 0" and rest["more"] is False
    assert carl.get("/api/v1/customers/1001/history?limit=0").status == 400


# ---- jobs and held jobs

def test_jobs_and_one_with_its_timeline(held, carl):
    rows = carl.get("/api/v1/jobs?customer=1001").json
    assert [row["job"] for row in rows["jobs"]] == ["h2", "h1", "4711"] and rows["more"] is False
    piece = carl.get("/api/v1/jobs?customer=1001&limit=2").json
    assert [row["job"] for row in piece["jobs"]] == ["h2", "h1"] and piece["more"] is True
    rest = carl.get(f"/api/v1/jobs?customer=1001&limit=2&before={piece['jobs'][-1]['id']}").json
    assert [row["job"] for row in rest["jobs"]] == ["4711"] and rest["more"] is False
    job = carl.get("/api/v1/jobs/4711?customer=1001").json
    assert job["events"][0]["trace"] and job["outcomes"] and job["sales"] == []
    assert carl.get("/api/v1/jobs/none?customer=1001").status == 404
    assert carl.get("/api/v1/jobs?state=lost").status == 400
    assert carl.get("/api/v1/jobs?nonsense=1").status == 400


def test_a_former_number_finds_the_jobs(held, world, carl):
    world.ctl("customer", "set", "1001", "--number", "2002")
    rows = carl.get("/api/v1/jobs?customer=1001").json["jobs"]
    assert {row["customer"] for row in rows} == {"2002"}
    assert [row["job"] for row in world.ctl_json("job", "list", "--customer", "1001")] == ["h2", "h1", "4711"]
    assert len(world.ctl_json("mail", "list", "--customer", "1001")) == 1


def test_mails(held, carl):
    (mail,) = carl.get("/api/v1/mails?customer=1001&status=sent").json["mails"]
    one = carl.get(f"/api/v1/mails/{mail['id']}").json
    assert one["to"] == "ann@example.com" and one["outcomes"]
    answer = carl.send("POST", f"/api/v1/mails/{mail['id']}/retry", {})
    assert answer.status == 409 and "sent" in answer.json["detail"]
    assert carl.send("POST", "/api/v1/mails/999/cancel", {}).status == 404


def test_a_held_job_is_released_by_name(held, world, carl):
    first, second = sorted(carl.get("/api/v1/holds").json["holds"], key=lambda row: row["id"])
    answer = carl.send("POST", f"/api/v1/holds/{first['id']}/release", {"note": "the driver is there"})
    assert answer.status == 200, answer.text
    outcome = wait_outcome(world, "r1", "released")
    assert outcome["note"] == "carl: the driver is there"
    assert carl.send("POST", f"/api/v1/holds/{first['id']}/release", {}).status == 409
    assert carl.send("POST", f"/api/v1/holds/{second['id']}/cancel", {}).status == 200
    wait_outcome(world, "r2", "cancelled")
    assert carl.get("/api/v1/holds").json == {"holds": [], "more": False}


def test_a_reader_releases_nothing(held, center):
    rita = center.bearer("rita")
    (first, _) = rita.get("/api/v1/holds").json["holds"]
    assert rita.send("POST", f"/api/v1/holds/{first['id']}/release", {}).status == 403


def test_without_a_daemon_reading_goes_on(held, world, carl):
    (first, _) = carl.get("/api/v1/holds").json["holds"]
    assert world.daemon.stop() == 0
    assert len(carl.get("/api/v1/customers/1001").json["jobs"]["held"]) == 2
    answer = carl.send("POST", f"/api/v1/holds/{first['id']}/release", {})
    assert answer.status == 503 and answer.headers["Retry-After"]


def test_dead_letters(world, center, carl):
    world.start_daemon()
    world.xadd("jobs:events", id="1", type="job.started", job="4711", customer="nobody")
    world.xadd("jobs:events", id="2", type="no such type", job="4711", customer="1001")
    wait_until(lambda: len(carl.get("/api/v1/dead").json["dead"]) >= 1, "a dead letter")
    row = carl.get("/api/v1/dead").json["dead"][-1]
    assert carl.send("POST", f"/api/v1/dead/{row['id']}/retry", {}).status == 200
    assert carl.send("POST", "/api/v1/dead/999/retry", {}).status == 404


def test_the_gate_and_why(held, carl):
    gate = carl.get("/api/v1/gate?customer=1001&type=job.create")
    assert gate.json["status"] == "denied" and gate.json["note"] == "unpaid"
    assert carl.get("/api/v1/gate?customer=1001").status == 400
    assert carl.get("/api/v1/gate?customer=1001&type=job.nonsense").status == 400
    event = {"id": 7, "type": "job.completed", "job": "4711", "customer": "1001"}
    why = carl.send("POST", "/api/v1/explain", {"event": event})
    assert why.status == 200 and why.json["trace"] and why.json["status"] == "queued"
    assert carl.send("POST", "/api/v1/explain", {"event": 7}).status == 400
    assert carl.send("POST", "/api/v1/explain", {"event": event, "at": "noon"}).status == 400


# ---- what a suspension would do

def test_a_suspension_is_previewed(world, center, carl):
    world.ctl("customer", "add", "1001-A", "--name", "Maple Bakery West", "--parent", "1001", "--email",
              "west@example.com")
    world.ctl("hours", "set", "1001-A", "all", "closed")
    world.ctl("hours", "except", "1001-A", day(2), "09:00-10:00")
    world.start_daemon()
    world.xadd("jobs:events", id="1", type="job.started", job="a1", customer="1001-A")
    world.xadd("jobs:events", id="2", type="job.completed", job="a2", customer="1001-A")
    wait_outcome(world, "2", "deferred")
    path = "/api/v1/customers/1001/suspensions/preview"
    assert carl.get(path).json == {"mails": 1, "jobs": 1, "sites": 1}
    assert carl.get(f"{path}?scopes=emails").json == {"mails": 1, "jobs": 0, "sites": 1}
    assert carl.get(f"{path}?scopes=jobs").json == {"mails": 0, "jobs": 1, "sites": 1}
    assert carl.get(f"{path}?until={day(2)}").json == {"mails": 0, "jobs": 1, "sites": 1}
    assert carl.get(f"{path}?from={day(2)}").json == {"mails": 1, "jobs": 0, "sites": 1}
    assert carl.get(f"{path}?from={day(3)}").json == {"mails": 0, "jobs": 0, "sites": 1}
    assert carl.get("/api/v1/customers/1001-A/suspensions/preview").json == {"mails": 1, "jobs": 1, "sites": 0}
    assert carl.get(f"{path}?from=tomorrow").status == 400 and carl.get(f"{path}?scopes=trucks").status == 400
    assert carl.get("/api/v1/customers/none/suspensions/preview").status == 404


def test_a_suspension_counts_held_jobs(held, carl):
    path = "/api/v1/customers/1001/suspensions/preview"
    assert carl.get(f"{path}?scopes=routes").json["jobs"] == 3
    assert carl.get(f"{path}?scopes=jobs").json["jobs"] == 1


# ---- hours

def test_hours_are_replaced_as_a_whole(carl):
    path = "/api/v1/customers/1001/hours"
    seen = carl.get(path)
    assert seen.json["weekly"] is None and seen.json["open"] is True
    week = {"mon": "07:00-12:00", "tue": "closed"}
    assert carl.send("PUT", path, {"weekly": week}).status == 428
    answer = carl.send("PUT", path, {"weekly": week, "dates": {"2030-12-25": "closed"}}, {"If-Match": seen.headers["ETag"]})
    assert answer.status == 200, answer.text
    assert answer.json["weekly"]["mon"] == "07:00-12:00" and answer.json["dates"] == {"2030-12-25": "closed"}
    bad = carl.send("PUT", path, {"weekly": {"mon": "noon"}}, {"If-Match": answer.headers["ETag"]})
    assert bad.status == 422
    assert carl.get(path).json["weekly"]["mon"] == "07:00-12:00"


def test_two_people_change_hours(carl):
    path = "/api/v1/customers/1001/hours"
    seen = {"If-Match": carl.get(path).headers["ETag"]}
    week = {"mon": "07:00-12:00"}
    assert carl.send("PUT", path, {"weekly": week, "dates": {}}, seen).status == 200
    other = carl.send("PUT", path, {"weekly": None, "dates": {"2030-12-25": "closed"}}, seen)
    assert other.status == 200 and other.json["weekly"]["mon"] == "07:00-12:00"
    assert other.json["dates"] == {"2030-12-25": "closed"}
    conflict = carl.send("PUT", path, {"weekly": {"mon": "08:00-09:00"}, "dates": {}}, seen)
    assert conflict.status == 409 and conflict.json["fields"]["weekly"]["was"] is None
    assert conflict.json["fields"]["weekly"]["theirs"]["mon"] == "07:00-12:00"


def test_fields_of_a_systems_type_conflict_too(world, center, carl):
    key = world.path("key")
    pathlib.Path(key).write_text("ab" * 32)
    os.chmod(key, 0o600)
    world.configure(customers={"key_file": key})
    assert center.stop() == 0
    center.start()
    world.ctl("system-type", "add", "--name", "router")
    for name, more in (("ip", ()), ("site", ()), ("password", ("--secret",))):
        world.ctl("system-field", "add", "router", "--name", name, *more)
    added = carl.send("POST", "/api/v1/customers/1001/systems", {"type": "router", "ip": "10.0.0.1", "site": "a",
                                                                "password": "first one"})
    assert added.status == 201, added.text
    path, seen = f"/api/v1/systems/{added.json['id']}", {"If-Match": str(added.json["version"])}
    assert carl.send("PATCH", path, {"ip": "10.0.0.2", "password": "second one"}, seen).status == 200
    merged = carl.send("PATCH", path, {"ip": "10.0.0.1", "site": "b", "password": "******"}, seen)
    assert merged.status == 200 and merged.json["fields"]["ip"] == "10.0.0.2", merged.text
    assert merged.json["fields"]["site"] == "b"
    refused = carl.send("PATCH", path, {"ip": "10.0.0.3", "password": "third one"}, seen)
    assert refused.status == 409, refused.text
    assert refused.json["fields"] == {
        "ip": {"was": "10.0.0.1", "yours": "10.0.0.3", "theirs": "10.0.0.2"},
        "password": {"was": "******", "yours": "******", "theirs": "******"}}


# ---- files

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002"
                    "0001e221bc330000000049454e44ae426082")


def multipart(fields, files):
    edge, body = "xXxEdgexXx", b""
    for name, value in fields.items():
        body += f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, content in files:
        body += (f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
                 "Content-Type: text/plain\r\n\r\n").encode() + content + b"\r\n"
    return body + f"--{edge}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={edge}"}


def upload(person, path, files, **fields):
    body, headers = multipart(fields, files)
    return person.send("POST", path, body, headers)


def test_documents_come_back_as_attachments(carl):
    evil = b"<html><script>alert(1)</script></html>"
    answer = upload(carl, "/api/v1/customers/1001/documents", [("../../evil é.html", evil)], description="a page")
    assert answer.status == 201, answer.text
    row = answer.json
    assert row["name"] == "evil é.html" and row["size"] == len(evil) and row["description"] == "a page"
    content = carl.get(f"/api/v1/documents/{row['id']}/content")
    assert content.status == 200 and content.body == evil
    assert content.headers["Content-Type"] == "application/octet-stream"
    assert content.headers["Content-Disposition"] == "attachment; filename*=UTF-8''evil%20%C3%A9.html"
    assert content.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    again = carl.get(f"/api/v1/documents/{row['id']}/content", **{"If-None-Match": content.headers["ETag"]})
    assert again.status == 304 and again.body == b""


def test_pictures_are_shown_and_nothing_else_is_one(carl):
    answer = upload(carl, "/api/v1/customers/1001/pictures", [("gate.png", PNG)], description="the gate")
    assert answer.status == 201, answer.text
    content = carl.get(f"/api/v1/pictures/{answer.json['id']}/content")
    assert content.body == PNG and content.headers["Content-Type"] == "image/png"
    assert "Content-Disposition" not in content.headers and content.headers["X-Content-Type-Options"] == "nosniff"
    for content in (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
                    b"<!DOCTYPE html><title>x</title>", b"%PDF-1.4\n", b"RIFF\x10\0\0\0WAVEfmt "):
        refused = upload(carl, "/api/v1/customers/1001/pictures", [("gate.png", content)], description="x")
        assert refused.status == 422 and "not a picture" in refused.text, refused.text
    assert carl.get(f"/api/v1/pictures/{answer.json['id']}/content/x").status == 404


def test_of_several_files_all_come_or_none(carl, world):
    path = "/api/v1/customers/1001/pictures"
    mixed = [("gate.png", PNG), ("notes.txt", b"Ring twice.")]
    assert upload(carl, path, mixed, description="the gate").status == 422
    assert carl.get(path).json["pictures"] == []
    assert not list(pathlib.Path(world.path("files")).glob("*/*"))
    assert upload(carl, path, [("gate.png", PNG), ("yard.png", PNG + b"x")], description="both").status == 201
    assert [row["name"] for row in carl.get(path).json["pictures"]] == ["yard.png", "gate.png"]


@pytest.mark.parametrize("content, kind", [
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
    (b"<!DOCTYPE html><title>x</title>", "text/html"),
    (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
    (b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x64" + bytes(32), "audio/mpeg"),
    (b"\x89PNG\r\n\x1a\ncut off", "image/png"),
    ("Grüße an die Straße\n".encode(), "text/plain"),
    (b"\x01\x02\x03\xff" * 8, "application/octet-stream")])
def test_a_document_is_what_its_content_is(carl, content, kind):
    answer = upload(carl, "/api/v1/customers/1001/documents", [("gate.png", content)], description="x")
    assert answer.status == 201 and answer.json["type"] == kind, answer.text
    got = carl.get(f"/api/v1/documents/{answer.json['id']}/content")
    shown = "Content-Disposition" not in got.headers
    assert got.body == content and shown == (kind == "image/png")


def test_an_upload_needs_a_description_and_a_file(carl, center):
    path = "/api/v1/customers/1001/documents"
    faults = upload(carl, path, [("a.txt", b"a")])
    assert faults.status == 422 and faults.json["errors"][0]["field"] == "description", faults.text
    assert upload(carl, path, [], description="x").status == 422
    assert upload(carl, path, [("", b"")], description="x").status == 422
    assert carl.send("POST", path, {"description": "x"}).status == 415
    assert upload(carl, "/api/v1/customers/none/documents", [("a.txt", b"a")], description="x").status == 404
    assert upload(center.bearer("rita"), path, [("a.txt", b"a")], description="x").status == 403
    assert carl.get("/api/v1/customers/1001/documents").json["documents"] == []


def test_several_files_at_once(carl):
    answer = upload(carl, "/api/v1/customers/1001/documents", [("a.txt", b"one"), ("b.txt", b"two" * 100000)],
                    description="two")
    assert answer.status == 201
    rows = carl.get("/api/v1/customers/1001/documents").json["documents"]
    assert [(row["name"], row["size"]) for row in rows] == [("b.txt", 300000), ("a.txt", 3)]


def test_a_file_over_the_limit(world, center, carl):
    center.stop()
    world.configure(center={"max_upload": "100KiB"})
    center.start()
    path = "/api/v1/customers/1001/documents"
    assert upload(carl, path, [("a", b"x" * 100 * 1024)], description="x").status == 201
    assert upload(carl, path, [("a", b"x" * (100 * 1024 + 1))], description="x").status == 413
    assert upload(carl, path, [("a", b"x" * 1000000)], description="x").status == 413


def test_an_upload_takes_little_memory(world, center, carl):
    def peak():
        with open(f"/proc/{center.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    upload(carl, "/api/v1/customers/1001/documents", [("a", b"x")], description="small")
    before = peak()
    answer = upload(carl, "/api/v1/customers/1001/documents", [("a", os.urandom(24 << 20))], description="large")
    assert answer.status == 201
    assert peak() - before < 8 << 10 or SANITIZED


# ---- a long import

def test_who_holds_the_database_is_named(world, center, carl):
    sam = center.log_in("carl")
    token = sam.form_token()
    with sqlite3.connect(world.path("customers.db"), isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")
        answer = carl.send("POST", "/api/v1/customers/1001/notes", {"text": "x"})
        assert answer.status == 503 and answer.headers["Retry-After"]
        assert re.match(r"customer data is being changed by python3 \(user \w+\)", answer.json["detail"]), answer.text
        page = center.form("/customers/1001/notes", {"token": token, "text": "x"},
                           {**sam.headers, "Sec-Fetch-Site": "same-origin"})
        assert page.status == 503 and "being changed by python3" in page.text
        assert sam.get("/customers/1001").status == 200
        db.execute("ROLLBACK")
    db.close()
    assert carl.send("POST", "/api/v1/customers/1001/notes", {"text": "x"}).status == 201


# ---- who asks on the control socket

ASK = """
import json, socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(sys.argv[2].encode() + b"\\n")
print(client.makefile().readline(), end="")
"""


@needs_root
def test_a_name_is_believed_from_the_centers_user_alone(world):
    world.ctl("customer", "add", "1001", "--name", "Maple Bakery")
    world.configure(center={"user": "daemon"})
    world.start_daemon()
    os.chmod(world.directory, 0o755)
    os.chmod(world.path("control.sock"), 0o666)

    def ask(user, **request):
        done = subprocess.run(["/usr/bin/python3", "-c", ASK, world.path("control.sock"),
                               json.dumps({"do": "hold.cancel", "id": 1, **request})], user=user,
                              group=pwd.getpwnam(user).pw_gid, extra_groups=[], capture_output=True, text=True,
                              timeout=20 * PATIENCE, check=True, cwd="/")
        answer = json.loads(done.stdout)
        return answer["code"], answer["error"]
    assert ask("nobody", by="sam") == (77, "user nobody can't ask in the name of sam")
    assert ask("nobody", by="nobody")[0] == 66
    assert ask("nobody")[0] == 66
    assert ask("daemon", by="sam")[0] == 66
    assert ask("root", by="sam")[0] == 66


# ---- names of kinds

def test_kinds_are_called_by_the_plural_of_their_noun(carl):
    assert carl.send("POST", "/api/v1/reps", {"name": "Rita"}).status == 201
    assert [row["name"] for row in carl.get("/api/v1/reps").json["reps"]] == ["Rita"]
    quote = carl.send("POST", "/api/v1/customers/1001/quotes", {"number": "Q-1"}).json
    item = carl.send("POST", f"/api/v1/quotes/{quote['id']}/quote-items", {"text": "a bin", "price": "5"})
    assert item.status == 201, item.text
    wrong = carl.send("POST", f"/api/v1/quotes/{quote['id']}/quote-items", {"size": "5"})
    assert wrong.status == 422 and wrong.json["errors"][0]["field"] == "size", wrong.text
    assert len(carl.get(f"/api/v1/quotes/{quote['id']}/quote-items").json["quote-items"]) == 1
    for path in ("system-types", "customers/1001/third-parties", "customers/1001/activities"):
        assert carl.get(f"/api/v1/{path}").json == {path.rpartition("/")[2]: [], "more": False}


# ---- the API's own description

def test_the_api_describes_itself(center):
    answer = center.ask("GET", "/api/v1/openapi.json")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    document = answer.json
    assert document["openapi"] == "3.1.0" and document["servers"] == [{"url": "/api/v1"}]
    schemas = document["components"]["schemas"]
    assert {"customer", "contact", "quote-item", "problem"} <= set(schemas)
    assert schemas["contact"]["properties"]["notify"]["items"]["enum"][0] == "dispatched"
    assert schemas["customer"]["required"] == ["number", "name"]

    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
            value = list(value.values())
        for item in value if isinstance(value, list) else []:
            yield from references(item)
    assert {ref.rpartition("/")[2] for ref in references(document)} <= set(schemas)
    paths = document["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation["summary"] and operation["summary"] != path, (method, path)
            named = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
            assert named == [part[1:-1] for part in path.split("/") if part.startswith("{")], path
    wanted = {"/customers": {"get", "post"}, "/customers/{number}": {"get", "patch", "delete"},
              "/customers/{number}/contacts": {"get", "post"}, "/contacts/{id}": {"get", "patch", "delete"},
              "/quotes/{id}/quote-items": {"get", "post"}, "/reps": {"get", "post"},
              "/customers/{number}/hours": {"get", "put"}, "/documents/{id}/content": {"get"},
              "/holds/{id}/release": {"post"}, "/live": {"get"}}
    for path, methods in wanted.items():
        assert methods <= set(paths[path]), path
    assert not [path for path in paths if ":" in path]


def test_what_the_description_names_is_there(center, carl):
    """Every GET without anything to fill in answers; the others are known routes."""
    paths = carl.get("/api/v1/openapi.json").json["paths"]
    assert len(paths) > 60
    for path, operations in paths.items():
        if "{" not in path and path not in ("/live", "/gate", "/openapi.json") and "get" in operations:
            assert carl.get(f"/api/v1{path}").status == 200, path
        concrete = path.replace("{number}", "1001").replace("{", "").replace("}", "")
        answer = carl.send("OPTIONS", f"/api/v1{concrete}")
        assert answer.status == 405 and answer.headers["Allow"], path
