# SPDX-License-Identifier: MIT
"""dispatch-center: the jobs of all customers that are under way and scheduled, on one page."""
import re
from datetime import datetime, timedelta, timezone

import pytest

from center import Center
from kit import wait_outcome
from test_center_live import Page
from world import wait_until


def hours_from_now(hours):
    return (datetime.now(timezone.utc) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(world, name, state, job, customer, **data):
    world.xadd("jobs:events", id=name, type=f"job.{state}", job=job, customer=customer, **data)


def request(world, name, job, customer, status, **data):
    world.xadd("jobs:requests", id=name, type="job.dispatch", job=job, customer=customer, **data)
    wait_outcome(world, name, status)


@pytest.fixture
def center(world):
    for number, name in (("1001", "Maple & Sons"), ("1002", "Birch")):
        world.ctl("customer", "add", number, "--name", name, "--email", f"x{number}@example.com", "--timezone", "UTC")
    world.start_daemon()
    world.ctl("suspend", "1002", "--note", "unpaid")
    center = Center(world)
    center.add("rita", "reader")
    event(world, "e1", "dispatched", "late", "1001", route="North", scheduled=hours_from_now(-3))
    event(world, "e2", "started", "begun", "1001", route="North", scheduled=hours_from_now(-4))
    event(world, "e3", "started", "slow", "1001", route="East", eta=hours_from_now(-1))
    event(world, "e4", "completed", "over", "1001", route="North", scheduled=hours_from_now(-4))
    request(world, "r1", "kept", "1002", "held", route="West", scheduled="2999-01-02T15:00:00Z")
    request(world, "r2", "next", "1001", "released", scheduled=hours_from_now(24))
    request(world, "r3", "old", "1001", "released", scheduled=hours_from_now(-30))
    center.start()
    reader = center.log_in("rita")
    wait_until(lambda: len(reader.get("/api/v1/jobs").json["jobs"]) == 7, "all jobs")
    return center


@pytest.fixture
def rita(center):
    return center.log_in("rita")


def rows(page):
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r'<tr id="row-.*?</tr>', page, re.S)]


def jobs(page):
    return re.findall(r'href="/jobs/(\w+)\?customer=', page)


def test_by_route_and_time_with_what_is_late_and_suspended(rita):
    page = rita.get("/jobs").text
    assert jobs(page) == ["slow", "begun", "late", "kept", "next"]
    slow, begun, late, kept, following = rows(page)
    assert slow.startswith("East") and "started late" in slow, slow
    assert "started" in begun and " late" not in begun, begun
    assert "dispatched late" in late and "1001 Maple &amp; Sons" in late, late
    assert "held" in kept and kept.endswith("1002 Birch suspended"), kept
    assert following.startswith("No route tomorrow") and "scheduled 1001" in following, following
    assert 'href="/customers/1002"' in page and "dispatchctl job list" in page
    assert 'href="/jobs" aria-current="page"' in page


def test_since_when_and_of_customers_that_get_no_jobs(center, rita, world):
    """Those that nobody has planned are in the order in which they were heard of."""
    world.ctl("customer", "add", "1003", "--name", "Quarry", "--status", "inactive", "--timezone", "Asia/Kolkata")
    for n in (2, 3, 1):
        event(world, f"s{n}", "dispatched", f"since{n}", "1003", route="Q", time=hours_from_now(-n))
        wait_outcome(world, f"s{n}", "suppressed")
    page = rita.get("/jobs?route=Q").text
    assert jobs(page) == ["since3", "since2", "since1"]
    assert re.search(r"^Q since3 dispatched (today|yesterday) \d+:\d\d \(Kolkata\) 1003 Quarry inactive$", rows(page)[0]), rows(page)[0]


def test_suspended_is_what_may_not_be_driven(center, rita, world):
    """Mails that are off don't color a job, and a suspension that wears off before the stop's day doesn't."""
    tomorrow = hours_from_now(24)[:10]
    world.ctl("suspend", "1001", "--scope", "emails", "--note", "no mail, please")
    assert not [row for row in rows(rita.get("/jobs").text) if "1001" in row and "suspended" in row]
    world.ctl("resume", "1001")
    world.ctl("suspend", "1001", "--until", tomorrow, "--note", "until tomorrow")
    colored = {job: "suspended" in row for job, row in zip(jobs(rita.get("/jobs").text), rows(rita.get("/jobs").text))}
    assert colored == {"slow": True, "begun": True, "late": True, "kept": True, "next": False}


def test_narrowed(rita):
    for query, found in (("route=North", ["begun", "late"]), ("state=held", ["kept"]), ("state=scheduled", ["next"]),
                         ("day=tomorrow", ["next"]), ("route=North&state=started", ["begun"]), ("route=South", [])):
        assert jobs(rita.get(f"/jobs?{query}").text) == found, query
    page = rita.get("/jobs?route=South").text
    assert "No job matches." in page and '<option value="South" selected>' in page
    assert "dispatchctl job list --state started" in rita.get("/jobs?state=started").text
    for wrong, says in (("state=completed", "“completed”"), ("state=flown", "“flown”: choose a state"),
                        ("day=yesterday", "no day “yesterday”"), ("day=today&state=%3Cb%3E", "“&lt;b&gt;”")):
        answer = rita.get(f"/jobs?{wrong}")
        assert answer.status == 400 and says in answer.text and 'id="rows"' not in answer.text, wrong
    assert rita.get("/jobs?day=&state=&route=").status == 200
    assert rita.get("/jobs?color=red").status == 400


def test_all_jobs_by_the_api(rita):
    answer = rita.get("/api/v1/jobs").json
    assert answer["more"] is False
    assert {(row["job"], row["route"]) for row in answer["jobs"]} >= {("late", "North"), ("over", "North"), ("next", None)}


def test_a_page_hears_of_any_customer(center, rita):
    page = Page(rita, "jobs")
    event(center.world, "e9", "completed", "late", "1001")
    page.wait("jobs")
    wait_until(lambda: "late" not in jobs(rita.get("/jobs").text), "it has ended")


def test_more_than_a_page_shows(center, rita):
    center.world.ctl("customer", "add", "1003", "--name", "Nobody to mail")
    for n in range(1010):
        event(center.world, f"m{n}", "dispatched", f"M{n}", "1003", route=f"Big {n % 2}")
    wait_until(lambda: "There are more than a thousand" in rita.get("/jobs").text, "all jobs")
    wait_until(lambda: len(jobs(rita.get("/jobs?route=Big+1").text)) == 505, "all of a route")
    page = rita.get("/jobs").text
    assert len(rows(page)) == 1000 and 'value="West"' in page, "routes are named though their jobs aren't shown"
    assert len(jobs(rita.get("/jobs?route=West").text)) == 1
    assert "There are more" not in rita.get("/jobs?route=Big+1").text
