# SPDX-License-Identifier: MIT
"""dispatch-center: the page of a job: what happened, why, and what another event would do."""
import datetime
import os
import re

import pytest

from center import Center
from kit import wait_outcome


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple & Sons", "--email", "ann@example.com", "--timezone", "America/Denver")
    world.ctl("customer", "add", "A/2", "--name", "Maple West", "--parent", "1001", "--email", "west@example.com", "--timezone", "UTC")
    center = Center(world)
    for name, role in (("sam", "clerk"), ("rita", "reader")):
        center.add(name, role)
    world.start_daemon()
    return center.start()


@pytest.fixture
def sam(center):
    return center.log_in("sam")


def part(page, name):
    """A region of the page, without markup."""
    found = re.search(rf'<section class="card"[^>]*aria-label="{re.escape(name)}"[^>]*>(.*?)</section>', page, re.S)
    return found and " ".join(re.sub(r"<[^>]+>", " ", found.group(1)).split())


def happened(page):
    return part(page, "What happened")


def test_what_happened_with_rules_and_the_servers_words(world, center, sam):
    world.xadd(id="e1", source="tms", type="job.started", job="J 7/1", customer="1001", service="Roll-off <swap>", driver="Pat", route="North",
               scheduled="2999-01-02T15:00:00Z", reference="PO-9")
    wait_outcome(world, "e1", "sent")
    world.ctl("comment", "add", "1001", "They asked <b>twice</b>", "--job", "J 7/1")
    page = sam.get("/jobs/J%207%2F1?customer=1001").text
    assert "<h1>Job J 7/1</h1>" in page and 'href="/customers/1001">1001' in page
    story = happened(page)
    assert "started event e1 from tms" in story and "sent ann@example.com" in story
    for rule in ("Well formed", "Not suspended", "Service hours", "Grouping"):
        assert rule in story, rule
    (contact,) = world.ctl_json("customer", "show", "1001")["contacts"]
    assert f'href="/customers/1001/contacts#row-{contact["id"]}">ann@example.com</a>' in page
    facts = part(page, "Job")
    assert "Service Roll-off &lt;swap&gt;" in facts and "Scheduled Jan 2, 2999, 8:00" in facts and "America/Denver" in facts
    assert "Driver Pat" in facts and "Route North" in facts and "Reference PO-9" in facts
    assert "They asked &lt;b&gt;twice&lt;/b&gt;" in part(page, "On record for it")
    assert "<code>dispatchctl job show &#39;J 7/1&#39; --customer 1001</code>" in page.replace("'", "&#39;")
    (mail,) = world.ctl_json("mail", "list")
    assert f'href="/mails/{mail["id"]}">ann@example.com' in page


def test_each_event_says_what_the_driver_said(world, center, sam):
    """Why it failed is what a dispatcher looks for; it is the event's, and not the job's."""
    world.xadd(id="e1", type="job.started", job="j1", customer="1001", driver="Sam", service="Swap")
    wait_outcome(world, "e1", "sent")
    world.xadd(id="e2", type="job.failed", job="j1", customer="1001", driver="Pat", service="Swap", reason="No access <to> the yard",
               note="Dog", eta="2999-01-02T15:00:00Z", mood="grim", photos="[\"https://example.com/1.jpg\"]", long="x" * 5000)
    wait_outcome(world, "e2", "sent")
    page = sam.get("/jobs/j1?customer=1001").text
    story = happened(page)
    failed, _, started = story.partition("started event e1")
    assert "Reason No access &lt;to&gt; the yard Note Dog" in failed and "mood grim" in failed
    assert "Photos" in failed and "https://example.com/1.jpg" in failed and "xxx…" in failed and "x" * 2000 not in failed
    assert "Driver Sam" in started and "Service Swap" not in story and "Driver Pat" not in story
    assert "Driver Pat" in part(page, "Job") and "Expected Jan 2, 2999, 8:00" in part(page, "Job")
    # What became of the mail says it: no heading "queued" above "sent".
    assert "<b>queued" not in page and "sent ann@example.com" in failed


def test_times_in_reasons_are_said_as_all_others(world, center, sam):
    later = datetime.date.today() + datetime.timedelta(days=3)
    world.ctl("hours", "set", "1001", "all", "closed")
    world.ctl("hours", "except", "1001", later.isoformat(), "08:00-09:00")
    world.xadd(id="e1", type="job.completed", job="j1", customer="1001")
    wait_outcome(world, "e1", "deferred")
    story = happened(sam.get("/jobs/j1?customer=1001").text)
    assert re.search(rf"closed; opens \w+ {later.day}, (\d+, )?8:00 \(America/Denver\)", story), story
    assert not re.search(r"\d-\d\dT\d\d", story), story


def test_it_is_linked_from_everywhere(world, center, sam):
    world.xadd(id="e1", type="job.started", job="j1", customer="1001", scheduled="2999-01-02T15:00:00Z")
    wait_outcome(world, "e1", "sent")
    world.ctl("suspend", "1001", "--note", "unpaid")
    world.xadd("jobs:requests", id="r1", type="job.dispatch", job="j1", customer="1001")
    wait_outcome(world, "r1", "held")
    for path in ("/customers/1001", "/mails", "/mails/1", "/holds", "/today"):
        assert 'href="/jobs/j1?customer=1001"' in sam.get(path).text, path


def test_the_row_that_stopped_it(world, center, sam):
    world.ctl("suspend", "1001", "--scope", "emails", "--note", "quarrel")
    (suspension,) = world.ctl_json("suspensions", "1001")
    world.xadd(id="e1", type="job.completed", job="w1", customer="A/2")
    wait_outcome(world, "e1", "suppressed")
    page = sam.get("/jobs/w1?customer=A%2F2").text
    assert "suppressed, suspended" in happened(page)
    assert re.search(rf'href="/customers/1001/suspensions#row-{suspension["id"]}">suspension \d+ of customer 1001 holds', page)
    assert f'id="row-{suspension["id"]}"' in sam.get("/customers/1001/suspensions").text
    world.ctl("resume", "1001")
    (west,) = world.ctl_json("customer", "show", "A/2")["contacts"]
    world.ctl("contact", "set", west["id"], "--notify", "failed")
    world.xadd(id="e2", type="job.started", job="w2", customer="A/2")
    wait_outcome(world, "e2", "suppressed")
    page = sam.get("/jobs/w2?customer=A%2F2").text
    assert 'href="/customers/A%2F2/contacts">none of 1 contacts wants started mails' in page
    world.ctl("contact", "set", west["id"], "--notify", "all")
    world.ctl("hours", "set", "A/2", "all", "closed")
    world.ctl("hours", "except", "A/2", "+2d", "09:00-10:00")
    world.xadd(id="e3", type="job.completed", job="w3", customer="A/2")
    wait_outcome(world, "e3", "deferred")
    page = sam.get("/jobs/w3?customer=A%2F2").text
    assert "deferred, outside hours" in happened(page) and 'href="/customers/A%2F2/hours">closed; opens' in page


def test_the_gate_and_releasing_from_here(world, center, sam):
    world.ctl("suspend", "1001", "--note", "unpaid", "--scope", "routes")
    world.xadd("jobs:requests", id="r1", type="job.dispatch", job="h1", customer="1001", route="North")
    wait_outcome(world, "r1", "held")
    path = "/jobs/h1?customer=1001"
    page = sam.get(path).text
    gate = part(page, "What the gate was asked")
    assert "May it be dispatched? held suspended" in gate and "Customer active passed: customer 1001 is active" in gate
    assert "Not suspended: suspension 1 of customer 1001 holds (routes, from" in gate
    assert 'href="/customers/1001/suspensions#row-1">suspension 1 of customer 1001' in page
    assert "No event yet." in happened(page) and "Route North" in part(page, "Job")
    action = re.search(r'action="(/holds/\d+/release)"', page).group(1)
    rita = center.log_in("rita")
    assert "/holds/" not in rita.get(path).text.partition("<main")[2] and rita.submit(action, {}).status == 403
    assert sam.submit(action, {"note": "go", "next": path}).headers["Location"] == path
    wait_outcome(world, "r1", "released")
    gate = part(sam.get(path).text, "What the gate was asked")
    assert "released" in gate and "sam: go" in gate


def test_what_if(world, center, sam):
    world.xadd(id="e1", type="job.started", job="j1", customer="1001")
    wait_outcome(world, "e1", "sent")
    world.ctl("hours", "set", "1001", "all", "08:00-09:00")
    before = world.ctl("mail", "list", "--json").stdout, world.ctl("job", "show", "j1", "--json").stdout
    ask = "/jobs/j1?customer=1001"
    assert "nothing is changed or sent" in part(sam.get(ask).text, "What if")
    asked = sam.get(f"{ask}&type=completed&at=2999-01-02T07:00").text
    answer = part(asked, "What if")
    assert "deferred outside hours · goes Jan 2, 2999, 8:00" in answer or "outside hours" in answer, answer
    assert '<option value="completed" selected>' in asked and 'value="2999-01-02T07:00"' in asked
    open_now = part(sam.get(f"{ask}&type=completed&at=2999-01-02T08:30").text, "What if")
    assert "queued" in open_now and "ann@example.com" in open_now and "Service hours" in open_now
    assert "explain --customer 1001 --type completed --job j1 --at 2999-01-02T07:00:00-07:00</code>" in asked
    assert "suppressed repeat" in part(sam.get(f"{ask}&type=started").text, "What if")
    world.ctl("suspend", "1001", "--note", "unpaid")
    page = sam.get(f"{ask}&type=paused").text
    assert "suppressed suspended" in part(page, "What if") and "/customers/1001/suspensions#row-" in page
    for wrong in ("type=flown", "type=started&at=noon", "type=started&at=2999-02-30T08:00", "type=started&at=2999-01-02T25:00"):
        assert "Choose an event, and a day with a time." in sam.get(f"{ask}&{wrong}").text, wrong
    assert (world.ctl("mail", "list", "--json").stdout, world.ctl("job", "show", "j1", "--json").stdout) == before


def test_which_job_and_who_may(world, center, sam):
    for n, number in enumerate(("1001", "A/2")):
        world.xadd(id=f"e{n}", type="job.started", job="both", customer=number)
        wait_outcome(world, f"e{n}", "sent")
    answer = sam.get("/jobs/both")
    assert answer.status == 400 and "Several customers have a job with that ID" in answer.text
    assert "Maple" not in answer.text
    assert sam.get("/jobs/both?customer=A%2F2").status == 200
    assert sam.get("/jobs/none?customer=1001").status == 404 and sam.get("/jobs/both?colour=red").status == 400
    world.ctl("customer", "set", "A/2", "--number", "3003")
    assert sam.get("/jobs/both?customer=A%2F2").status == 200, "by a former number"
    rita = center.log_in("rita")
    page = rita.get("/jobs/both?customer=1001").text
    assert "What happened" in page and "Add comment" not in page
    assert center.ask("GET", "/jobs/both?customer=1001").status == 303


# ---- where a database can't be read

def ruin(path):
    for name in (path, path + "-wal", path + "-shm"):
        if os.path.exists(name):
            os.unlink(name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("not a database, but long enough to be taken for one " * 100)


def test_a_spool_that_cant_be_read_is_no_missing_job(world, center, sam):
    """503 with the reason: not "no such job", "several have it", or a fault of whoever asked."""
    world.xadd(id="e1", type="job.started", job="j1", customer="1001")
    wait_outcome(world, "e1", "sent")
    assert world.daemon.stop() == 0
    ruin(world.path("spool.db"))
    program = center.bearer("sam")
    for path in ("/jobs/j1?customer=1001", "/jobs", "/mails", "/mails/1", "/mails/1/source", "/holds", "/dead", "/api/v1/jobs/j1",
                 "/api/v1/mails/1", "/api/v1/mails", "/api/v1/holds"):
        answer = (program if path.startswith("/api") else sam).get(path)
        assert answer.status == 503 and "spool.db" in answer.text, (path, answer.status, answer.text)
        assert "several" not in answer.text.lower(), path


def test_what_the_spool_has_is_shown_without_customers(world, center, sam):
    world.xadd(id="e1", type="job.started", job="j1", customer="1001")
    wait_outcome(world, "e1", "sent")
    assert world.daemon.stop() == 0
    program = center.bearer("sam")
    before = program.get("/api/v1/mails/1").json
    ruin(world.path("customers.db"))
    mail = program.get("/api/v1/mails/1")
    assert mail.status == 200 and mail.json["source"] == before["source"] and mail.json["rendering"] == "exact"
    assert "local" in before and "local" not in mail.json
    for path in ("/api/v1/jobs", "/api/v1/jobs/j1", "/api/v1/mails", "/api/v1/holds"):
        assert program.get(path).status == 200, path
    for path in ("/mails", "/mails/1", "/mails/1/source", "/jobs", "/holds", "/dead"):
        assert sam.get(path).status == 200, path
    page = sam.get("/jobs/j1?customer=1001")
    assert page.status == 200 and "sent ann@example.com" in happened(page.text)
    for path in ("/customers/1001", "/lists"):
        answer = sam.get(path)
        assert answer.status == 503 and "customers.db" in answer.text, path


def test_reports_about_mails_are_on_both_pages(world, center, sam):
    world.xadd(id="e1", type="job.completed", job="J1", customer="1001")
    mail = wait_outcome(world, "e1", "sent")["mail"]
    for path in ("/jobs/J1?customer=1001", f"/mails/{mail}"):
        assert part(sam.get(path).text, "Reports about mails") is None
    world.ctl("bounce", "report", "--mail", mail, "--code", "5.1.1", "--text", "550 no <such> user")
    wait_outcome(world, "e1", "bounced")
    for path in ("/jobs/J1?customer=1001", f"/mails/{mail}"):
        page = sam.get(path).text
        story = part(page, "Reports about mails")
        assert story.startswith("Reports about mails The mail did not arrive · the address is marked invalid ann@example.com")
        assert "550 no &lt;such&gt; user" in story
        assert '<span class="pill bounced">bounced</span>' in page
    shown = sam.get(f"/api/v1/mails/{mail}").json
    assert (shown["status"], shown["reports"][0]["verdict"]) == ("bounced", "gone")
    assert sam.get("/api/v1/jobs/J1?customer=1001").json["reports"][0]["took"] == "marked"
    listed = sam.get("/mails?status=bounced").text
    assert f"/mails/{mail}" in listed
