# SPDX-License-Identifier: MIT
"""dispatch-center: held jobs, one or several at once, and dead letters."""
import re

import pytest

from center import Center
from kit import wait_outcome
from world import wait_until


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple & Sons", "--email", "ann@example.com", "--timezone", "America/Denver")
    center = Center(world)
    for name, role in (("sam", "clerk"), ("rita", "reader")):
        center.add(name, role)
    return center.start()


@pytest.fixture
def sam(center):
    return center.log_in("sam")


@pytest.fixture
def held(center):
    """Three jobs that a suspension holds."""
    world = center.world
    world.start_daemon()
    world.ctl("suspend", "1001", "--note", "unpaid")
    for n in range(3):
        world.xadd("jobs:requests", id=f"r{n}", type="job.dispatch", job=f"h{n}", customer="1001", route="North",
                   scheduled="2999-01-02T15:00:00Z")
        wait_outcome(world, f"r{n}", "held")
    return center


def ids(page):
    return re.findall(r'name="id" value="(\d+)"', page)


def rows(page):
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r'<(?:tr|li) id="row-.*?</(?:tr|li)>', page, re.S)]


# ---- held jobs

def test_what_waits_why_and_until_when(held, sam):
    page = sam.get("/holds").text
    first = rows(page)[0]
    assert "h0 North 1001 Maple &amp; Sons suspended today" in first and "Jan 2, 2999, 8:00 (Denver)" in first, first
    assert 'href="/customers/1001/suspensions">suspended<' in page
    assert len(ids(page)) == 3 and "dispatchctl hold release ID" in page


def test_several_are_released_with_a_note(held, sam):
    world = held.world
    first, second, third = ids(sam.get("/holds").text)
    answer = sam.submit("/holds/release", {"id": [first, second], "note": "they paid"})
    assert (answer.status, answer.headers["Location"]) == (303, "/holds?released=2")
    for n in (0, 1):
        assert wait_outcome(world, f"r{n}", "released")["note"] == "sam: they paid"
    assert "2 jobs are released." in sam.get("/holds?released=2").text
    answer = sam.submit("/holds/cancel", {"id": [first, third, "999"]})
    assert answer.headers["Location"] == "/holds?cancelled=1&past=2"
    page = sam.get(answer.headers["Location"]).text
    assert "1 job is cancelled. 2 had been decided already." in page and "No job is held." in page
    wait_outcome(world, "r2", "cancelled")


def test_one_by_its_button_is_said_as_well(held, sam):
    first, second, third = ids(sam.get("/holds").text)
    answer = sam.submit(f"/holds/{first}/release", {"note": "they paid"})
    assert answer.headers["Location"] == "/holds?released=1"
    assert sam.submit(f"/holds/{second}/cancel", {}).headers["Location"] == "/holds?cancelled=1"
    assert sam.submit(f"/holds/{third}/cancel", {"next": "/customers/1001"}).headers["Location"] == "/customers/1001"
    assert "1 job is cancelled." in sam.get("/holds?cancelled=1").text


def test_none_chosen_and_no_daemon(held, sam):
    answer = sam.submit("/holds/release", {"note": "x"})
    assert answer.status == 422 and "Choose at least one job." in answer.text
    first, *_ = ids(sam.get("/holds").text)
    assert held.world.daemon.stop() == 0
    answer = sam.submit("/holds/cancel", {"id": first})
    assert answer.status == 503 and 'role="alert"' in answer.text and len(ids(answer.text)) == 3


def test_a_reader_sees_them_and_decides_nothing(held):
    rita = held.log_in("rita")
    page = rita.get("/holds").text
    assert len(rows(page)) == 3 and ids(page) == [] and "Release" not in page.partition("As a command")[0]
    for path in ("/holds/release", "/holds/cancel", "/holds/1/release"):
        assert rita.submit(path, {"id": "1"}).status == 403
        assert held.form(path, {"id": "1"}).status in (303, 403)
    assert len(held.world.ctl_json("hold", "list")) == 3


# ---- dead letters

@pytest.fixture
def dead(center):
    """One of an unknown customer, one that is not an event."""
    world = center.world
    world.configure(customers={"grace": "1s"})
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="4711", customer="N 9/1", service="<b>swap</b>")
    world.xadd(id="2", type="no such type", job="4711", customer="1001")
    wait_until(lambda: len(world.ctl_json("dead", "list")) == 2, "two dead letters", 20)
    return center


def test_dead_letters_as_they_came(dead, sam):
    page = sam.get("/dead").text
    assert 'aria-current="page">Dead letters</a>' in page and len(rows(page)) == 2
    assert "<dt>service</dt><dd><code>&lt;b&gt;swap&lt;/b&gt;</code></dd>" in page
    assert "unknown customer" in page and "malformed" in page
    assert 'href="/add/customers?number=N%209%2F1">add this customer' in page
    said = " ".join(rows(page))
    assert "Job 4711 no such type Customer 1001 Maple &amp; Sons As it came" in said and "Job 4711 job.started Customer N 9/1 As it came" in said
    assert 'name="number" type="text" value="N 9/1"' in sam.get("/add/customers?number=N%209%2F1").text


def test_one_in_json_says_what_it_is_as_well(dead, sam):
    dead.world.xadd(event='{"id": "7", "type": "job.failed", "job": 815, "customer": 9992}')
    wait_until(lambda: len(dead.world.ctl_json("dead", "list")) == 3, "the third dead letter", 20)
    page = sam.get("/dead").text
    assert "Job 815 job.failed Customer 9992 As it came" in " ".join(rows(page))
    assert 'href="/add/customers?number=9992">add this customer' in page


def test_one_is_taken_again_once_its_cause_is_mended(dead, sam):
    world = dead.world
    world.ctl("customer", "add", "N 9/1", "--name", "New", "--email", "new@example.com")
    letters = {row["fields"]["id"]: row["id"] for row in world.ctl_json("dead", "list")}
    page = sam.get("/dead").text
    assert 'href="/customers/N%209%2F1">N 9/1 New</a>' in page and "add this customer" not in page
    answer = sam.submit(f"/dead/{letters['1']}/retry", {})
    assert (answer.status, answer.headers["Location"]) == (303, "/dead?retried=1")
    wait_outcome(world, "1", "sent")
    assert len(rows(sam.get("/dead").text)) == 1
    answer = sam.submit(f"/dead/{letters['1']}/retry", {})
    assert answer.status == 404 and "This dead letter is gone" in answer.text
    assert world.daemon.stop() == 0
    assert sam.submit(f"/dead/{letters['2']}/retry", {}).status == 503


def test_all_are_taken_again_after_a_question(dead, sam):
    world = dead.world
    page = sam.get("/dead/retry").text
    assert "Are you sure?" in page and "2 dead letters will be retried" in page
    assert "<code>dispatchctl dead retry --all</code>" in page
    world.ctl("customer", "add", "N 9/1", "--name", "New", "--email", "new@example.com")
    assert sam.submit("/dead/retry", {}).headers["Location"] == "/dead?retried=2"
    wait_outcome(world, "1", "sent")
    (left,) = rows(sam.get("/dead?retried=2").text)
    assert "no such type" in left, "what isn't mended comes back"


def test_none_and_who_may(center, sam):
    rita = center.log_in("rita")
    assert "No dead letter" in sam.get("/dead").text and "/dead/retry" not in sam.get("/dead").text
    assert "No dead letter" in sam.get("/dead/retry").text
    assert rita.get("/dead").status == 200 and rita.get("/dead/retry").status == 403
    for path in ("/dead/retry", "/dead/1/retry"):
        assert rita.submit(path, {}).status == 403
        assert center.form(path, {}).status in (303, 403)
    assert center.ask("GET", "/dead").status == 303


def test_long_lists_of_dead_letters_come_in_pieces(center, sam):
    world = center.world
    world.start_daemon()
    for n in range(60):
        world.xadd(id=str(n), type="no such type", job="x" * 5000, customer="1001")
    wait_until(lambda: len(world.ctl_json("dead", "list")) == 60, "60 dead letters")
    page = sam.get("/dead").text
    assert len(rows(page)) == 50 and 'href="/dead?from=50">Older' in page
    assert "x" * 4001 not in page and "x" * 3900 in page
    assert len(rows(sam.get("/dead?from=50").text)) == 10
