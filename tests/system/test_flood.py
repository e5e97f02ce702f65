# SPDX-License-Identifier: MIT
"""[rules] per_contact and burst: a contact gets no more than so many mails, a flood of new mails waits for a person."""
import json

import pytest

import smtp_peer
from center import Center
from kit import add_customer, dispatchd, refused, use_shipped_templates, wait_outcome
from world import wait_until


@pytest.fixture
def smtp(world):
    return smtp_peer.start(world)


@pytest.fixture
def farm(world, smtp):
    use_shipped_templates(world)
    add_customer(world)
    add_customer(world, "1002", "Other Farm", "other@example.com")
    return world


def event(world, n, customer="1001", state="completed", **more):
    world.xadd(id=f"{n}", type=f"job.{state}", job=more.pop("job", f"j{n}"), customer=customer, **more)


def by_status(world):
    found = {}
    for outcome in world.outcomes():
        found.setdefault(outcome["status"], []).append(outcome)
    return found


def breaker(world):
    return world.ctl_json("breaker", "show")


def flood(world, n=12, limit="5/1h", **more):
    world.configure(rules={"burst": limit}, office={"email": "office@example.com"}, **more)
    world.start_daemon()
    for i in range(n):
        event(world, i, "1001" if i % 4 else "1002", source="replay")
    world.outcomes(wait_for={"status": "deferred", "reason": "held_back"}, count=n - 5)
    world.outcomes(wait_for={"status": "sent"}, count=5)


# ---- per_contact

def test_a_contact_gets_so_many_and_the_rest_as_a_group(farm, smtp):
    farm.configure(rules={"per_contact": "3/4s"})
    farm.start_daemon()
    for i in range(7):
        event(farm, i)
    event(farm, "other", "1002")
    farm.outcomes(wait_for={"status": "sent", "customer": "1001"}, count=3)
    wait_outcome(farm, "other", "sent")
    farm.outcomes(wait_for={"status": "deferred", "reason": "rate_limited"}, count=4)
    rows = [o for o in farm.outcomes() if o["status"] == "deferred"]
    assert len({o["mail"] for o in rows}) == 1 and all(o["due"] for o in rows)
    trace = farm.ctl_json("job", "show", "j6")
    assert '"rule": 13' in json.dumps(trace) and "per_contact" in json.dumps(trace)
    farm.outcomes(wait_for={"status": "sent", "customer": "1001"}, count=7, timeout=20)
    assert len(smtp.mails) == 5
    assert smtp.mails[-1].text.count("X-Dispatchd-Job") == 4


def test_states_wait_apart_and_slots_are_given_back(farm, smtp):
    farm.configure(rules={"per_contact": "1/1h"})
    farm.start_daemon()
    event(farm, "a")
    wait_outcome(farm, "a", "sent")
    event(farm, "b", state="started", job="jb")
    event(farm, "c")
    wait_outcome(farm, "b", "deferred", "rate_limited")
    wait_outcome(farm, "c", "deferred", "rate_limited")
    first, second = (m for m in farm.ctl_json("mail", "list") if m["status"] == "deferred")
    assert first["due"] != second["due"], "each has an hour of its own"
    event(farm, "d", job="jb")
    wait_outcome(farm, "b", "superseded")
    wait_outcome(farm, "d", "deferred", "rate_limited")
    waiting = {m["state"]: m for m in farm.ctl_json("mail", "list") if m["status"] == "deferred"}
    assert list(waiting) == ["completed"] and waiting["completed"]["jobs"] == ["jc", "jb"]


def test_the_limit_outlives_a_restart(farm, smtp):
    farm.configure(rules={"per_contact": "2/1h"})
    farm.start_daemon()
    event(farm, 1)
    event(farm, 2)
    wait_outcome(farm, "2", "sent")
    farm.daemon.kill()
    farm.start_daemon()
    event(farm, 3)
    wait_outcome(farm, "3", "deferred", "rate_limited")
    told = farm.ctl_json("explain", "--customer", "1001", "--type", "completed", "--job", "new")
    assert (told["status"], told["reason"]) == ("deferred", "rate_limited")


def test_a_mail_that_would_come_too_late_is_expired(farm, smtp):
    farm.configure(rules={"per_contact": "1/2h"}, sections={"notify.completed": {"shelf_life": "1h"}})
    farm.start_daemon()
    event(farm, 1)
    event(farm, 2)
    wait_outcome(farm, "2", "expired")


@pytest.mark.parametrize("key, value", [("burst", "20"), ("burst", "0/1h"), ("burst", "20/8d"), ("burst", "x/1h"), ("burst", "20/0s"),
                                        ("per_contact", "1001/1h"), ("per_contact", "-1/1h"), ("per_contact", "20 / 1h")])
def test_a_wrong_limit_is_a_fault(farm, key, value):
    farm.configure(rules={key: value})
    done = dispatchd(farm, "-c", farm.config_path, "-t")
    assert done.returncode == 78 and key in done.stderr + done.stdout and "such as 20/1h" in done.stderr + done.stdout


# ---- burst

def test_a_flood_is_held_back_and_the_office_hears_once(farm, smtp):
    flood(farm)
    state = breaker(farm)
    assert (state["open"], state["held"], state["limit"]) == (True, 7, "5/1h")
    assert {"by": "source", "what": "replay", "mails": 7} in state["shares"]
    assert {"by": "state", "what": "completed", "mails": 7} in state["shares"]
    held = by_status(farm)["deferred"]
    assert all("due" not in o and o["reason"] == "held_back" for o in held)
    office = wait_until(lambda: [m for m in smtp.mails if m.recipients == ["office@example.com"]], "the office's mail")
    text = office[0].text.replace("=\r\n", "")
    assert "5/1h" in text and "1001" in text and "replay" in text and "dispatchctl breaker show" in text
    event(farm, "more")
    wait_outcome(farm, "more", "deferred", "held_back")
    assert len([m for m in smtp.mails if m.recipients == ["office@example.com"]]) == 1
    metrics = farm.metrics()
    assert metrics["dispatchd_breaker_open"] == 1 and metrics["dispatchd_held_back"] == 8
    status = farm.ctl_json("status")
    assert (status["breaker"]["open"], status["breaker"]["held"]) == (True, 8)
    assert "[rules] burst is holding 8 mails back until someone releases or discards them (since " in " ".join(farm.ctl("status").stdout.split())
    assert farm.http("/readyz")[0] == 200
    assert '"rule": 13' in json.dumps(farm.ctl_json("job", "show", "jmore"))
    told = farm.ctl_json("explain", "--customer", "1001", "--type", "completed", "--job", "new")
    assert (told["status"], told["reason"], told["due"]) == ("deferred", "held_back", None)
    assert farm.ctl_json("mail", "list", "--reason", "held_back")[0]["due"] is None


def test_the_office_s_own_mails_go(farm, smtp):
    farm.ctl("suspend", "1002", "--scope", "routes", "--note", "dog")
    flood(farm)
    event(farm, "collision", "1002", state="started")
    wait_outcome(farm, "collision", "collision")
    wait_until(lambda: len([m for m in smtp.mails if m.recipients == ["office@example.com"]]) == 2, "both mails")


def test_release_by_filter_then_all(farm, smtp):
    flood(farm)
    refused(farm, 64, "--yes", "breaker", "release")
    assert farm.ctl_json("breaker", "release", "--customer", "1002", "--dry-run") == {"matched": 1, "done": 0}
    assert farm.ctl_json("breaker", "release", "--customer", "1002", "--yes") == {"matched": 1, "done": 1}
    farm.outcomes(wait_for={"status": "sent", "customer": "1002"}, count=3)
    assert breaker(farm)["held"] == 6
    event(farm, "new")
    wait_outcome(farm, "new", "deferred", "held_back")
    assert farm.ctl_json("breaker", "release", "--yes") == {"matched": 7, "done": 7}
    farm.outcomes(wait_for={"status": "sent"}, count=13)
    jobs = [o["job"] for o in by_status(farm)["sent"] if o["customer"] == "1001"]
    assert len(jobs) == 10 and sorted(jobs) == sorted(set(jobs))
    assert breaker(farm)["open"] is True, "the window's count is still over the limit"


def test_discard_calls_them_off(farm, smtp):
    flood(farm)
    assert farm.ctl_json("breaker", "discard", "--job", "j11", "--yes") == {"matched": 1, "done": 1}
    wait_outcome(farm, "11", "cancelled", "by_hand")
    assert farm.ctl_json("breaker", "discard", "--yes") == {"matched": 6, "done": 6}
    farm.outcomes(wait_for={"status": "cancelled", "reason": "by_hand"}, count=7)
    assert breaker(farm)["held"] == 0
    shown = farm.ctl("status").stdout
    assert shown.startswith("the breaker of [rules] burst is still open: it closes by itself"), shown
    assert farm.ctl_json("breaker", "discard", "--yes") == {"matched": 0, "done": 0}


@pytest.mark.parametrize("verb", ["release", "discard"])
def test_another_reason_or_status_is_a_fault(farm, smtp, verb):
    flood(farm)
    refused(farm, 64, "--reason must be held_back", "breaker", verb, "--reason", "outside_hours", "--yes")
    refused(farm, 64, "--status must be deferred", "breaker", verb, "--status", "failed", "--yes")
    assert breaker(farm)["held"] == 7
    done = farm.ctl("breaker", verb, "--reason", "held_back", "--status", "deferred", "--yes").stdout
    assert done == "done: 7 of 7 mails\n"


def test_a_retry_of_many_leaves_out_what_is_held_back(farm, smtp):
    flood(farm)
    assert farm.ctl_json("mail", "retry", "--all", "--status", "deferred", "--yes") == {"matched": 0, "done": 0}
    assert farm.ctl_json("mail", "retry", "--all", "--customer", "1001", "--yes") == {"matched": 0, "done": 0}
    assert breaker(farm)["held"] == 7
    assert farm.ctl_json("mail", "retry", "--all", "--reason", "held_back", "--customer", "1002", "--yes") == {"matched": 1, "done": 1}
    assert breaker(farm)["held"] == 6


def test_a_retry_says_what_it_waits_for(farm, smtp):
    farm.configure(rules={"per_contact": "1/1h"}, sections={"notify.completed": {"shelf_life": "2h"}})
    farm.start_daemon()
    event(farm, 1)
    wait_outcome(farm, "1", "sent")
    event(farm, 2)
    mail = wait_outcome(farm, "2", "deferred", "rate_limited")["mail"]
    assert farm.ctl("mail", "retry", mail).stdout == f"mail {mail} waits for its contact's limit, [rules] per_contact\n"
    assert farm.ctl_json("mail", "retry", mail) == {"mails": [int(mail)], "limited": [int(mail)]}
    assert len(smtp.mails) == 1


def test_it_closes_behind_the_flood(farm, smtp):
    flood(farm, limit="5/3s")
    farm.ctl("breaker", "release", "--yes")
    wait_until(lambda: not breaker(farm)["open"], "the end of it", timeout=20)
    event(farm, "calm")
    wait_outcome(farm, "calm", "sent")
    assert farm.daemon.log().count("breaker is open") == 1 and farm.daemon.log().count("breaker is closed") == 1
    assert farm.metrics()["dispatchd_breaker_open"] == 0


def test_it_outlives_restart_and_crash(farm, smtp):
    flood(farm)
    farm.daemon.kill()
    farm.start_daemon()
    event(farm, "after")
    wait_outcome(farm, "after", "deferred", "held_back")
    farm.daemon.stop()
    assert breaker(farm)["held"] == 8
    assert farm.ctl_json("status")["breaker"]["open"] is True
    farm.start_daemon()
    assert farm.ctl_json("breaker", "release", "--yes")["done"] == 8
    farm.outcomes(wait_for={"status": "sent"}, count=13)
    assert len([m for m in smtp.mails if m.recipients == ["office@example.com"]]) == 1


def test_the_count_outlives_a_crash(farm, smtp):
    farm.configure(rules={"burst": "3/1h"})
    farm.start_daemon()
    for i in range(3):
        event(farm, i)
    farm.outcomes(wait_for={"status": "sent"}, count=3)
    farm.daemon.kill()
    farm.start_daemon()
    event(farm, "fourth")
    wait_outcome(farm, "fourth", "deferred", "held_back")


def test_what_is_held_is_superseded_and_judged_again(farm, smtp):
    flood(farm, n=7)
    event(farm, "s", state="started", job="x")
    wait_outcome(farm, "s", "deferred", "held_back")
    event(farm, "c", job="x")
    wait_outcome(farm, "s", "superseded", "later_state")
    wait_outcome(farm, "c", "deferred", "held_back")
    farm.ctl("suspend", "1001", "--scope", "emails", "--note", "no mails")
    farm.ctl("breaker", "release", "--yes")
    wait_outcome(farm, "c", "suppressed", "suspended")


def test_released_mails_keep_to_per_contact(farm, smtp):
    flood(farm, n=12, limit="5/1h")
    farm.configure(rules={"per_contact": "2/1h"})
    farm.ctl("reload")
    farm.ctl("breaker", "release", "--yes")
    farm.outcomes(wait_for={"status": "deferred", "reason": "rate_limited", "customer": "1001"}, count=4)
    assert len([o for o in by_status(farm)["sent"] if o["customer"] == "1001"]) >= 3
    assert [o["event"] for o in by_status(farm)["deferred"] if o["reason"] == "rate_limited"] == ["7", "9", "10", "11"]
    waiting = {o["mail"] for o in by_status(farm)["deferred"] if o["reason"] == "rate_limited" and o["customer"] == "1001"}
    assert len(waiting) == 1, "they wait as one mail"
    group = farm.ctl_json("mail", "show", waiting.pop())
    assert len(group["jobs"]) >= 4 and group["reason"] == "rate_limited"
    assert all(len(farm.ctl_json("job", "show", job)["mails"]) == 1 for job in group["jobs"])


def test_pages_say_what_waits_for_the_limit(farm, smtp):
    flood(farm, limit="5/1h")
    farm.configure(rules={"per_contact": "4/1h", "burst": "5/1h"}, office={"email": "office@example.com"})
    farm.ctl("reload")
    center = Center(farm)
    center.add("ann", "clerk")
    ann = center.start().log_in("ann")
    done = ann.submit("/mails/retry", {"reason": "held_back", "until": "1000"})
    assert done.status == 303
    farm.outcomes(wait_for={"status": "deferred", "reason": "rate_limited"}, count=2)
    page = ann.get(done.headers["Location"]).text
    assert "5 mails are due now." in page and "2 wait for their contacts' limits." in page
    assert [o["event"] for o in by_status(farm)["deferred"] if o["reason"] == "rate_limited"] == ["10", "11"], "the oldest go first"


def test_pages_say_so_and_release(farm, smtp):
    flood(farm)
    center = Center(farm)
    center.add("ann", "clerk")
    ann = center.start().log_in("ann")
    page = ann.get("/mails").text
    assert "7 mails are waiting for someone to release or discard them." in page and "more came at once than 5/1h" in page
    assert "7 mails are waiting for someone to release or discard them." in ann.get("/today").text
    assert 'href="/mails?reason=held_back"' in page
    assert ann.get("/mails?reason=held_back").status == 200
    done = ann.submit("/mails/retry", {"reason": "held_back", "until": "1000"})
    assert done.status == 303
    farm.outcomes(wait_for={"status": "sent"}, count=12)
    assert breaker(farm)["held"] == 0
