# SPDX-License-Identifier: MIT
"""dispatch-center: the pages of mails, one by one and many at once."""
import json
import re
import sqlite3

import pytest

import signed
from center import Center
from kit import wait_outcome
from report_peer import bounce
from world import wait_until

ROLES = {"rita": "reader", "sam": "clerk", "mona": "manager"}


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple & Sons", "--email", "ann@example.com", "--timezone", "America/Denver")
    world.ctl("customer", "add", "A/2", "--name", "Elm Cafe", "--email", "elm@example.com", "--timezone", "UTC")
    center = Center(world)
    for name, role in ROLES.items():
        center.add(name, role)
    return center.start()


@pytest.fixture
def sam(center):
    return center.log_in("sam")


@pytest.fixture
def deferred(center):
    """Three mails that wait: two of 1001, one of A/2."""
    world = center.world
    for number in ("1001", "A/2"):
        world.ctl("hours", "set", number, "all", "closed")
        world.ctl("hours", "except", number, "+2d", "09:00-10:00")
    world.start_daemon()
    for n, (job, number) in enumerate((("J 1", "1001"), ("j2", "1001"), ("j3", "A/2"))):
        world.xadd(id=str(n), type="job.completed", job=job, customer=number)
        wait_outcome(world, str(n), "deferred")
    return center


def rows(page):
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r'<tr id="row-.*?</tr>', page, re.S)]


def statuses(center):
    return {mail["id"]: mail["status"] for mail in center.world.ctl_json("mail", "list")}


def test_the_list_and_its_filter(deferred, sam):
    page = sam.get("/mails").text
    assert 'aria-current="page">Mails</a>' in page
    newest, _, oldest = rows(page)
    assert newest.startswith("elm@example.com deferred outside hours completed j3 A/2 Elm Cafe due ") and newest.endswith("9:00")
    assert oldest.startswith("ann@example.com deferred") and "J 1 1001 Maple &amp; Sons" in oldest
    # Times of several clocks are in one list: whose is said where it isn't the office's.
    assert oldest.endswith("9:00 (Denver)"), oldest
    assert 'href="/customers/A%2F2"' in page
    for query, n in (("customer=1001", 2), ("status=sent", 0), ("status=deferred&to=ELM@example.com", 1), ("job=J+1", 1),
                     ("reason=outside_hours&customer=A%2F2", 1), ("state=failed", 0), ("status=&customer=&job=", 3)):
        assert len(rows(sam.get(f"/mails?{query}").text)) == n, query
    page = sam.get("/mails?status=deferred&customer=A%2F2").text
    assert '<option value="deferred" selected>' in page and 'name="customer" value="A/2"' in page
    assert "<code>dispatchctl mail list --status deferred --customer A/2</code>" in page
    assert "No mail matches." in sam.get("/mails?status=sent").text
    for query in ("status=lost", "state=x", "reason=bored", "colour=red"):
        assert sam.get(f"/mails?{query}").status == 400, query
    answer = sam.get("/mails?status=x" + "%C3%A9" * 300)
    assert answer.status == 400 and "there is no &quot;xéé" in answer.text.replace('"', "&quot;")
    assert "there is no" in sam.get("/api/v1/mails?reason=x" + "%C3%A9" * 300).json["detail"]
    for before in ("abc", "-5", "0"):
        assert len(rows(sam.get(f"/mails?before={before}").text)) == 3


def test_a_customers_mails_are_one_click_away(deferred, sam):
    (link,) = re.findall(r'href="(/mails\?customer=[^"]+)"', sam.get("/customers/A%2F2").text)
    assert [row.split()[0] for row in rows(sam.get(link).text)] == ["elm@example.com"]


def test_long_lists_come_in_pieces(world, center, sam):
    world.start_daemon()
    for n in range(60):
        world.xadd(id=str(n), type="job.started", job=f"j{n}", customer="1001")
    wait_until(lambda: len(world.ctl_json("mail", "list", "--status", "sent")) == 60, "60 mails")
    page = sam.get("/mails?customer=1001").text
    assert len(rows(page)) == 50
    older = re.search(r'href="(/mails\?customer=1001&(?:amp;)?before=\d+)">Older', page).group(1).replace("&amp;", "&")
    assert len(rows(sam.get(older).text)) == 10 and ">Newest</a>" in sam.get(older).text


def test_one_mail_with_its_tries_and_the_servers_words(world, smtp, center, sam):
    smtp.answers["mail"] = "451 4.7.1 come <later>"
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="j/1", customer="1001")
    wait_outcome(world, "1", "retrying")
    (mail,) = statuses(center)
    page = sam.get(f"/mails/{mail}").text
    assert "451 4.7.1 come &lt;later&gt;" in page and "mail busy" in page and "America/Denver" in page
    assert 'href="/customers/1001/contacts#row-' in page and "<dt>Job</dt><dd>" in page and "j/1" in page
    assert f"<code>dispatchctl mail retry {mail}</code>" in page and f"<code>dispatchctl mail cancel {mail}</code>" in page
    del smtp.answers["mail"]
    assert sam.submit(f"/mails/{mail}/retry", {}).headers["Location"] == f"/mails/{mail}"
    wait_outcome(world, "1", "sent")
    page = sam.get(f"/mails/{mail}").text
    assert 'class="pill sent"' in page and ">Send now<" not in page and "mail retry" not in page
    again = sam.submit(f"/mails/{mail}/retry", {})
    assert again.status == 409 and "is sent" in again.text
    assert sam.get("/mails/999").status == 404 and sam.get("/mails/x").status == 404
    assert sam.submit("/mails/999/cancel", {}).status == 404


def test_one_is_cancelled(deferred, sam):
    (mail, *_) = statuses(deferred)
    assert sam.submit(f"/mails/{mail}/cancel", {"next": "/mails"}).headers["Location"] == "/mails"
    assert statuses(deferred)[mail] == "cancelled"
    assert deferred.world.outcomes(wait_for={"status": "cancelled"})["reason"] == "by_hand"
    assert deferred.world.daemon.stop() == 0
    answer = sam.submit(f"/mails/{mail}/retry", {})
    assert answer.status == 503 and "dispatchd" in answer.text


def hidden(page):
    return dict(re.findall(r'<input type="hidden" name="(?!token)(\w+)" value="([^"]*)"', page))


def test_all_that_the_filter_shows_after_a_question(deferred, sam):
    world = deferred.world
    page = sam.get("/mails?customer=1001").text
    ask = re.search(r'href="(/mails/cancel\?[^"]+)"', page).group(1).replace("&amp;", "&")
    sure = sam.get(ask).text
    assert "Are you sure?" in sure and "2 mails that haven&#39;t been sent are cancelled." in sure.replace("'", "&#39;")
    assert "<code>dispatchctl mail cancel --all --customer 1001</code>" in sure
    world.xadd(id="9", type="job.completed", job="late", customer="1001")
    wait_outcome(world, "9", "deferred")
    answer = sam.submit("/mails/cancel", hidden(sure))
    assert (answer.status, answer.headers["Location"]) == (303, "/mails?customer=1001&cancelled=2")
    assert "2 mails are cancelled." in sam.get(answer.headers["Location"]).text
    assert sorted(statuses(deferred).values()) == ["cancelled", "cancelled", "deferred", "deferred"], "what came later isn't"
    answer = sam.submit("/mails/retry", {"status": "deferred", "until": "0"})
    assert answer.headers["Location"] == "/mails?status=deferred&retried=2"
    page = sam.get("/mails/cancel?status=sent").text
    assert "there is nothing to cancel" in page and "<button class=\"danger\"" not in page


def test_many_only_with_a_filter(deferred, sam):
    assert "/mails/cancel?" not in sam.get("/mails").text
    for path in ("/mails/cancel", "/mails/retry"):
        assert sam.get(path).status == 400
        assert sam.submit(path, {"until": "99999"}).status == 400
        assert sam.submit(path, {"status": "lost"}).status == 400
    assert set(statuses(deferred).values()) == {"deferred"}


def test_more_than_a_batch(world, center, sam):
    world.ctl("hours", "set", "1001", "all", "closed")
    world.ctl("hours", "except", "1001", "+2d", "09:00-10:00")
    world.start_daemon()
    for n in range(520):
        world.xadd(id=str(n), type="job.completed", job=f"j{n}", customer="1001")
    wait_until(lambda: len(world.ctl_json("mail", "list", "--limit", "1000")) == 520, "520 mails")
    answer = sam.submit("/mails/cancel", {"customer": "1001", "until": "0"})
    assert answer.headers["Location"] == "/mails?customer=1001&cancelled=520"
    assert set(statuses(center).values()) == {"cancelled"}


def test_who_may(deferred):
    rita = deferred.log_in("rita")
    (mail, *_) = statuses(deferred)
    page = rita.get(f"/mails/{mail}").text
    assert "As a command" in page and ">Send now<" not in page
    assert "/mails/cancel?" not in rita.get("/mails?customer=1001").text
    assert rita.get("/mails/cancel?customer=1001").status == 403
    for path in (f"/mails/{mail}/retry", f"/mails/{mail}/cancel", "/mails/retry", "/mails/cancel"):
        assert rita.submit(path, {"customer": "1001"}).status == 403, path
        assert deferred.form(path, {"customer": "1001"}).status in (303, 403), path
    assert deferred.ask("GET", f"/mails/{mail}").status == 303
    sam = deferred.log_in("sam")
    without = deferred.form(f"/mails/{mail}/cancel", {}, {**sam.headers, "Sec-Fetch-Site": "same-origin"})
    assert without.status == 403, "a form has a token"
    assert set(statuses(deferred).values()) == {"deferred"}


def test_by_age(deferred, sam):
    world = deferred.world
    assert world.daemon.stop() == 0
    with sqlite3.connect(world.path("spool.db")) as spool:
        spool.execute("UPDATE mail SET made = made - 7200000 WHERE id = (SELECT min(id) FROM mail)")
    spool.close()
    world.start_daemon()
    page = sam.get("/mails?older_than=1h").text
    assert len(rows(page)) == 1 and 'name="older_than" value="1h"' in page
    assert "<code>dispatchctl mail list --older-than 1h</code>" in page
    assert rows(sam.get("/mails?older_than=3h").text) == []
    assert len(deferred.bearer("rita").get("/api/v1/mails?older_than=1h").json["mails"]) == 1
    for path in ("/mails?older_than=soon", "/api/v1/mails?older_than=soon", "/api/v1/jobs?older_than=-1h"):
        answer = sam.get(path) if path.startswith("/mails") else deferred.bearer("rita").get(path)
        assert answer.status == 400 and "expected a duration such as 30m, 2h or 7d" in answer.text, path
    sure = sam.get("/mails/cancel?older_than=1h").text
    assert "<code>dispatchctl mail cancel --all --older-than 1h</code>" in sure
    assert sam.submit("/mails/cancel", hidden(sure)).headers["Location"] == "/mails?older_than=1h&cancelled=1"
    assert sorted(statuses(deferred).values()) == ["cancelled", "deferred", "deferred"]


# ---- paused sending

def alerts(page):
    return [" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in re.findall(r'role="alert">(.*?)</div>', page, re.S)]


def test_a_manager_pauses_and_resumes_all_sending(world, center):
    world.start_daemon()
    mona = center.log_in("mona")
    assert 'href="/mails/pause?next=%2Fmails%3Fstatus%3Dsent"' in mona.get("/mails?status=sent").text
    question = mona.get("/mails/pause?next=/today").text
    assert "No mail goes out until" in question and "<code>dispatchctl mail pause --note TEXT</code>" in question
    answer = mona.submit("/mails/pause", {"note": "The relay <moves>", "next": "/today"})
    assert (answer.status, answer.headers["Location"]) == (303, "/today")
    world.xadd(id="1", type="job.completed", job="j1", customer="1001")
    wait_outcome(world, "1", "queued")
    for path in ("/mails", "/today"):
        (text,) = alerts(mona.get(path).text)
        assert re.fullmatch(r"Sending has been paused since today \d+:\d\d by mona : “The relay &lt;moves&gt;” "
                            r"1 mail is due and waits\.", text), text
        assert "Resume sending" in mona.get(path).text and "/mails/pause?" not in mona.get(path).text
    assert world.ctl_json("status")["paused"]["by"] == "mona"
    answer = mona.submit("/mails/resume", {})
    assert answer.headers["Location"] == "/mails?resumed=1"
    page = mona.get("/mails?resumed=1").text
    assert "Sending is resumed: 1 mail was due." in page and alerts(page) == []
    wait_outcome(world, "1", "sent")
    assert mona.submit("/mails/resume", {"next": "/today"}).headers["Location"] == "/today", "it is resumed already"


def test_a_pause_that_fails_says_why(world, center):
    mona = center.log_in("mona")
    away = mona.submit("/mails/pause", {"note": "kept"})
    assert away.status == 503 and 'value="kept"' in away.text and alerts(mona.get("/mails").text) == []
    assert mona.submit("/mails/resume", {}).status == 503
    world.start_daemon()
    long = mona.submit("/mails/pause", {"note": "é" * 251})
    assert long.status == 422 and "at most 500 bytes" in long.text


def test_who_may_pause(world, center, sam):
    world.start_daemon()
    rita = center.log_in("rita")
    for user in (rita, sam):
        assert "/mails/pause" not in user.get("/mails").text and "/mails/pause" not in user.get("/today").text
        assert user.get("/mails/pause").status == 403
        assert user.submit("/mails/pause", {"note": "x"}).status == 403
    world.ctl("mail", "pause", "--note", "by hand")
    for user in (rita, sam):
        for path in ("/mails", "/today"):
            page = user.get(path).text
            assert len(alerts(page)) == 1 and "“by hand”" in page and "Resume sending" not in page
        assert user.submit("/mails/resume", {}).status == 403
    assert world.ctl_json("status")["paused"]["note"] == "by hand"
    world.xadd(id="1", type="job.completed", job="j1", customer="1001")
    wait_outcome(world, "1", "queued")
    checked = json.loads(world.ctl("check", "--json", check=False).stdout)
    assert center.bearer("rita").get("/api/v1/today").json == checked and checked[0]["finding"] == "paused"


def test_the_api_pauses_and_resumes(world, center):
    world.start_daemon()
    rita, sam, mona = (center.bearer(name) for name in ROLES)
    assert rita.get("/api/v1/mails/pause").json == {"paused": None}
    for user in (rita, sam):
        assert user.send("POST", "/api/v1/mails/pause", {"note": "x"}).status == 403
        assert user.send("POST", "/api/v1/mails/resume", {}).status == 403
    assert mona.send("POST", "/api/v1/mails/pause", {"note": 5}).status == 400
    done = mona.send("POST", "/api/v1/mails/pause", {"note": "why"})
    assert done.status == 200 and done.json == rita.get("/api/v1/mails/pause").json
    assert (done.json["paused"]["by"], done.json["paused"]["note"], done.json["paused"]["due"]) == ("mona", "why", 0)
    assert mona.send("POST", "/api/v1/mails/resume", {}).json == {"resumed": True, "due": 0, "paused": None}
    paths = rita.get("/api/v1/openapi.json").json["paths"]
    assert set(paths["/mails/pause"]) == {"get", "post"} and set(paths["/mails/resume"]) == {"post"}


# ---- the same by dispatchctl

def test_many_by_a_filter_with_dispatchctl(deferred):
    world = deferred.world
    for verb in ("retry", "cancel"):
        assert world.ctl("mail", verb, "--all", check=False).returncode == 64
        assert world.ctl("mail", verb, "1", "--all", "--customer", "1001", check=False).returncode == 64
        done = world.ctl("mail", verb, "--all", "--customer", "1001", check=False)
        assert done.returncode == 64 and "--yes" in done.stderr
    assert world.ctl_json("mail", "cancel", "--all", "--customer", "1001", "--dry-run") == {"matched": 2, "done": 0}
    assert set(statuses(deferred).values()) == {"deferred"}
    assert world.ctl_json("mail", "cancel", "--all", "--customer", "1001", "--yes") == {"matched": 2, "done": 2}
    assert sorted(statuses(deferred).values()) == ["cancelled", "cancelled", "deferred"]
    assert world.ctl_json("mail", "retry", "--all", "--status", "cancelled", "--yes") == {"matched": 0, "done": 0}
    assert "no matching mails" in world.ctl("mail", "retry", "--all", "--to", "nobody@example.com", "--yes").stdout
    assert world.daemon.stop() == 0
    assert "done: 1 of 1 mail" in world.ctl("mail", "cancel", "--all", "--job", "j3", "--yes").stdout


def test_reports_about_no_known_mail(center):
    world = center.world
    rita = center.log_in("rita")
    assert "Every report could be matched" in rita.get("/mails/reports").text
    signed.configure(world)
    world.start_daemon()
    contact = world.ctl_json("customer", "show", "1001")["contacts"][0]["id"]
    good, forged = (signed.make("opt_out", contact, signed.link_of(world, contact), state=3, key=key) for key in (signed.KEY, signed.OTHER_KEY))
    for n, (to, subject, more) in enumerate(((f"+{good}", "unsubscribe", ""), (f"+{forged}", "unsubscribe", ""), ("", "Hello <b>", ""),
                                             (f"+{good}", "Away", "Auto-Submitted: auto-replied\n"))):
        mail = f"From: kim{n}@farm.example\n{more}Subject: {subject}\n\nsaid {n}\n".encode()
        done = bounce("--socket", world.path("report.sock"), "-f", f"kim{n}@farm.example", f"bounce{to}@mail.example.com", mail=mail)
        assert (done.returncode, done.stderr) == (0, b"")
    assert '<a href="/mails/reports">' in rita.get("/mails").text
    page = rita.get("/mails/reports").text
    assert re.findall(r"From (kim\d)@farm", page) == ["kim3", "kim2", "kim1"], "the good one is known"
    for words in ("Answered automatically", "Its signature is for another use.", "A person replied",
                  "It bears no signature and names no mail.", "Opted out by mail", "Its signature is not ours."):
        assert words in page, words
    assert "<code>dispatchctl bounce list --unknown</code>" in page
    ids = [int(row) for row in re.findall(r'id="row-(\d+)"', page)]
    older = rita.get(f"/mails/reports?before={ids[1]}").text
    assert re.findall(r'id="row-(\d+)"', older) == [str(ids[2])] and '<a href="/mails/reports">Newest</a>' in older
    assert center.ask("GET", "/mails/reports").status == 303
