# SPDX-License-Identifier: MIT
"""dispatch-center: the page of today and its API, which answers as `dispatchctl check` does."""
import datetime
import json
import re
import time

import pytest

from center import Center
from kit import wait_outcome
from world import wait_until

ROLES = {"rita": "reader", "sam": "clerk", "mona": "manager", "boss": "admin"}


def day(n):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=n)).date().isoformat()


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple & Sons", "--email", "ann@example.com", "--timezone", "UTC")
    world.configure(rules={"timezone": "UTC"})
    center = Center(world)
    for name, role in ROLES.items():
        center.add(name, role)
    return center.start()


@pytest.fixture
def sam(center):
    return center.log_in("sam")


def group(page, title):
    """The text of the group's rows, without markup."""
    found = re.search(rf'<section class="card"[^>]*aria-label="{re.escape(title)}"[^>]*>(.*?)</section>', page, re.S)
    return found and [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<li.*?</li>", found.group(1), re.S)]


def test_a_morning_without_trouble(center, sam):
    center.world.start_daemon()
    wait_until(lambda: "connected" in str(group(sam.get("/today").text, "Sending")), "Redis to be connected")
    page = sam.get("/today").text
    assert 'aria-current="page">Today</a>' in page and 'role="alert"' not in page
    fine = group(page, "All good")
    assert "No mail failed" in fine and "Every active customer can be reached" in fine and len(fine) >= 8
    assert group(page, "Sending")[-1] == "Nothing waits."
    assert group(page, "Mails that failed") is None
    assert "<code>dispatchctl check</code>" in page and "<summary>As a command</summary>" in page


def test_the_api_answers_as_check_does(center):
    world = center.world
    world.ctl("customer", "add", "1002", "--name", "Mute")
    world.ctl("hours", "set", "1001", "mon", "closed")
    world.ctl("suspend", "1001", "--note", "Long ago", "--from", "-91d")
    rita = center.bearer("rita")
    checked = json.loads(world.ctl("check", "--json", check=False).stdout)
    answer = rita.get("/api/v1/today")
    assert answer.status == 200 and answer.json == checked
    found = {row["finding"]: row for row in checked}
    assert set(found) == {"unreachable", "never_open", "forgotten"}
    assert (found["unreachable"]["name"], found["unreachable"]["why"]) == ("Mute", "no_contact")
    assert (found["forgotten"]["from"], found["forgotten"]["note"]) == (day(-91), "Long ago")


def test_every_line_leads_to_where_it_is_mended(center, sam):
    world = center.world
    world.ctl("customer", "add", "A/2", "--name", "Mute <b>")
    world.ctl("customer", "add", "1003", "--name", "Twice", "--email", "x@example.com", "--renewal", day(12))
    world.ctl("contact", "add", "1003", "--name", "Two", "--email", "x@EXAMPLE.com")
    world.ctl("customer", "add", "1004", "--name", "Late", "--email", "l@example.com", "--renewal", day(-3))
    world.ctl("customer", "add", "1005", "--name", "Far", "--email", "f@example.com", "--renewal", day(31))
    world.ctl("customer", "add", "1006", "--name", "Gone", "--email", "g@example.com", "--renewal", day(1), "--status", "inactive")
    world.ctl("hours", "set", "1003", "mon", "closed")
    world.ctl("suspend", "1003", "--note", "Long ago", "--from", "-91d")
    world.ctl("suspend", "1004", "--note", "Until soon", "--until", day(3))
    world.ctl("suspend", "1005", "--note", "Until later", "--until", day(8))
    page = sam.get("/today").text
    assert group(page, "Nobody can be reached") == ["Mute &lt;b&gt; A/2 no contact"]
    assert 'href="/customers/A%2F2/contacts"' in page
    assert group(page, "Service hours that never open") == ["Twice 1003"] and 'href="/customers/1003/hours"' in page
    (forgotten,) = group(page, "Suspensions for over 90 days with no end date")
    assert forgotten.startswith("Twice 1003 since ") and "Long ago" in forgotten
    assert group(page, "Suspensions that end this week") == ["Late 1004 in 3 days Until soon"]
    assert 'href="/customers/1004/suspensions"' in page
    late, soon = group(page, "Renewals due")
    assert late.startswith("Late 1004 3 days ago") and soon.startswith("Twice 1003 in 12 days")
    assert group(page, "Contacts with the same address") == ["Twice 1003 x@example.com"]
    for path in set(re.findall(r'href="(/customers/[^"]+)"', page)):
        assert sam.get(path).status == 200, path
    assert "No mail failed" in group(page, "All good")


def test_a_job_under_way_against_a_suspension(center, sam):
    world = center.world
    world.ctl("customer", "add", "1001-W", "--name", "Maple West", "--parent", "1001", "--email", "w@example.com")
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="J 7", customer="1001-W")
    wait_outcome(world, "1", "sent")
    assert group(sam.get("/today").text, "Suspended, but a job is under way") is None
    world.ctl("suspend", "1001", "--note", "mails only", "--scope", "emails")
    assert group(sam.get("/today").text, "Suspended, but a job is under way") is None
    world.ctl("suspend", "1001", "--note", "unpaid", "--scope", "routes")
    (row,) = group(sam.get("/today").text, "Suspended, but a job is under way")
    assert row.startswith("Maple West 1001-W J 7 started") and "until further notice" in row and "unpaid" in row


def test_mails_that_failed_with_the_servers_words(world, smtp, center, sam):
    smtp.answers["rcpt"] = "550 5.1.1 no such user here"
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="1", customer="1001")
    wait_outcome(world, "1", "failed")
    page = sam.get("/today").text
    (row,) = group(page, "Mails that failed")
    assert "ann@example.com 1001 Maple &amp; Sons" in row and "address refused: 550 5.1.1 no such user here" in row
    # The address is marked a moment after the mail's outcome.
    wait_until(lambda: group(sam.get("/today").text, "Nobody can be reached") ==
               ["Maple &amp; Sons 1001 every address was refused"], "that nobody can be reached")


def test_jobs_that_failed_and_why(center, sam):
    """What a dispatcher asks first in the morning. One that is begun again isn't there anymore."""
    world = center.world
    world.ctl("customer", "add", "1002", "--name", "Köln <Bau>", "--email", "k@example.com", "--timezone", "Asia/Kolkata")
    world.start_daemon()
    assert "No job failed in the last three days" in group(sam.get("/today").text, "All good")
    for n, (job, state, more) in enumerate([("J 1", "failed", {"reason": "No access <yet>"}), ("J2", "failed", {"service": "Swap"}),
                                            ("J3", "failed", {}), ("J3", "dispatched", {}), ("J4", "completed", {})]):
        world.xadd(id=f"e{n}", type=f"job.{state}", job=job, customer="1002" if job == "J 1" else "1001", **more)
        world.wait_idle()
    first, second = group(sam.get("/today").text, "Jobs that failed")
    assert first.startswith("Maple &amp; Sons 1001 J2 failed today") and first.endswith("Swap")
    assert second.startswith("Köln &lt;Bau&gt; 1002 J 1 failed") and second.endswith("(Kolkata) No access &lt;yet&gt;"), second
    assert 'href="/jobs/J%201?customer=1002"' in sam.get("/today").text
    assert len(group(sam.get("/today?show=failed_jobs").text, "Jobs that failed")) == 2


def test_what_waits_and_how_the_daemon_is(world, smtp, center, sam):
    smtp.answers["mail"] = "451 4.7.1 later please"
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="1", customer="1001")
    wait_outcome(world, "1", "retrying")
    world.xadd(id="2", type="no such type", job="1", customer="1001")
    world.ctl("suspend", "1001", "--note", "unpaid")
    world.xadd("jobs:requests", id="r1", type="job.dispatch", job="h1", customer="1001")
    wait_outcome(world, "r1", "held")
    sending = group(sam.get("/today").text, "Sending")
    assert any(row.startswith("Redis connected") for row in sending)
    assert any(row.startswith(smtp.relay) for row in sending), sending
    assert "1 job is held" in sending and "1 dead letter" in sending
    assert 'href="/holds">1 job is held' in sam.get("/today").text
    assert world.daemon.stop() == 0
    page = sam.get("/today").text
    assert "dispatchd can&#39;t be reached" in page or "dispatchd can't be reached" in page
    assert "1 job is held" in group(page, "Sending") and group(page, "All good")


def test_how_far_the_daemon_is_behind(world, center, sam):
    ago = int(time.time() * 1000) - 3600_000
    world.redis.xgroup_create("jobs:events", "dispatchd", "0", mkstream=True)
    world.start_daemon()

    def sending():
        return group(sam.get("/today").text, "Sending")
    wait_until(lambda: "Redis connected No entry waits in its streams." in sending(), lambda: str(sending()), 20)
    for n in range(2):
        world.redis.xadd("jobs:events", {"id": str(n), "type": "job.started", "job": str(n), "customer": "1001"}, id=f"{ago + n}-0")
    wait_outcome(world, "1", "sent")
    assert world.daemon.stop() == 0
    world.redis.xgroup_setid("jobs:events", "dispatchd", "0")
    world.redis.xreadgroup("dispatchd", "other", {"jobs:events": ">"})
    world.start_daemon()
    wait_until(lambda: any(row.startswith("jobs:events 2 entries behind since today ") or
                           row.startswith("jobs:events 2 entries behind since yesterday ") for row in sending()),
               lambda: str(sending()), 20)
    assert not any("No entry waits" in row for row in sending())
    wait_until(lambda: any(row.startswith("jobs:events also read elsewhere since ") for row in sending()),
               lambda: str(sending()), 20)


def test_a_long_group_has_a_page_of_its_own(center, sam):
    path = center.world.path("rows.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        for n in range(130):
            print(json.dumps({"number": f"M{n:03}", "name": f"Mute {n}"}), file=file)
    center.world.ctl("customer", "import", path)
    page = sam.get("/today").text
    assert len(group(page, "Nobody can be reached")) == 6 and 'href="/today?show=unreachable">124 more' in page
    whole = sam.get("/today?show=unreachable").text
    assert len(group(whole, "Nobody can be reached")) == 100 and "30 more" in whole
    assert len(group(sam.get("/today?show=unreachable&from=100").text, "Nobody can be reached")) == 30
    assert "Nothing left to do here." in sam.get("/today?show=forgotten").text
    assert sam.get("/today?show=nothing").status == 404 and sam.get("/today?colour=red").status == 400


def test_who_may_see_it(center):
    for name in ROLES:
        assert center.log_in(name).get("/today").status == 200
        assert center.bearer(name).get("/api/v1/today").status == 200
    assert center.ask("GET", "/today").headers["Location"].startswith("/login")
    assert center.ask("GET", "/api/v1/today").status == 401
    assert center.bearer("boss").send("POST", "/api/v1/today", {}).status == 404
    assert center.bearer("rita").get("/api/v1/today?show=all").status == 400


def test_a_page_without_databases_names_them(center, sam):
    world = center.world
    with open(world.path("spool.db"), "w", encoding="utf-8") as file:
        file.write("not a database, but long enough to be taken for one " * 100)
    page = sam.get("/today")
    assert page.status == 200 and 'role="alert"' in page.text and "spool.db" in page.text
    assert group(page.text, "Sending") == ["What waits can't be read: dispatchd's database is away."]


def test_redis_that_is_away_is_said_once(center, sam):
    world = center.world
    world.start_daemon()
    wait_until(lambda: "connected" in str(group(sam.get("/today").text, "Sending")), "Redis to be connected")
    world.redis_server.stop()
    wait_until(lambda: "Redis not connected" in str(group(sam.get("/today").text, "Sending")), "Redis to be missed")
    rows = group(sam.get("/today").text, "Sending")
    assert sum("not connected" in row for row in rows) == 1 and not any("jobs:events" in row for row in rows), rows
