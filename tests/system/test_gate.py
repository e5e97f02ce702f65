# SPDX-License-Identifier: MIT
"""The dispatch gate on the real daemon: every row of the table, and what becomes of jobs that are held."""
import datetime
import json
import shlex
import socket
import time
import zoneinfo

import pytest

from kit import add_customer, message, outcomes_of, text_of, wait_outcome, zone_where_soon
from world import PATIENCE, wait_until

NOW = datetime.datetime.now(datetime.timezone.utc)


def day(n):
    return (NOW + datetime.timedelta(days=n)).date().isoformat()


def at(days, clock):
    return f"{day(days)}T{clock}Z"


def ask(world, number, kind="dispatch", customer="1001", **more):
    return world.xadd("jobs:requests", id=number, type=f"job.{kind}", job=more.pop("job", f"j{number}"),
                      customer=customer, **more)


def answer(world, number, timeout=10.0):
    wait_until(lambda: outcomes_of(world, number), lambda: f"an answer to {number}; {world.log_tail()}", timeout)
    return outcomes_of(world, number)[-1]


def jobs(world, stream="jobs:dispatch"):
    return [fields for _, fields in world.redis.xrange(stream)]


def released(world, number, timeout=10.0):
    """The job that was released by request `number`."""
    wait_outcome(world, number, "released", timeout=timeout)
    return next(j for j in jobs(world) if j["job"] == f"j{number}")


def suspend(world, number="1001", scope="jobs,routes,emails", start=-1, end=5, note="closed for winter"):
    world.ctl("suspend", number, "--from", day(start), *(["--until", day(end)] if end is not None else []),
              "--scope", scope, "--note", note)


# ---- the table

def test_an_active_customer(world):
    add_customer(world)
    world.start_daemon()
    ask(world, "c", "create")
    ask(world, "d", "dispatch")
    assert answer(world, "c") == ("allowed", "ok")
    assert answer(world, "d") == ("released", "ok")
    outcome = next(o for o in world.outcomes() if o["event"] == "d")
    assert (outcome["job"], outcome["customer"], outcome["type"]) == ("jd", "1001", "job.dispatch")
    world.wait_idle("jobs:requests")
    assert len(jobs(world)) == 1, "job.create dispatches nothing"


@pytest.mark.parametrize("scope, create, dispatch", [
    ("jobs", ("denied", "suspended"), ("released", "ok")),
    ("routes", ("allowed", "ok"), ("held", "suspended")),
    ("emails", ("allowed", "ok"), ("released", "ok")),
    ("jobs,routes", ("denied", "suspended"), ("held", "suspended")),
])
def test_a_suspended_customer(world, scope, create, dispatch):
    add_customer(world)
    suspend(world, scope=scope)
    world.start_daemon()
    ask(world, "c", "create")
    ask(world, "d", "dispatch")
    answer(world, "c"), answer(world, "d")
    assert (outcomes_of(world, "c")[0], outcomes_of(world, "d")[0]) == (create, dispatch)
    for outcome in world.outcomes():
        if outcome["reason"] == "suspended":
            assert outcome["note"] == "closed for winter" and outcome["until"].startswith(day(5))
    assert len(jobs(world)) == (dispatch[0] == "released")


def test_an_indefinite_suspension_has_no_until(world):
    add_customer(world)
    suspend(world, end=None)
    world.start_daemon()
    ask(world, "c", "create")
    assert answer(world, "c") == ("denied", "suspended")
    assert "until" not in world.outcomes()[0]


@pytest.mark.parametrize("start, end", [(2, 9), (-9, 0), (-9, -2)])
def test_a_suspension_that_does_not_hold_today(world, start, end):
    add_customer(world)
    suspend(world, start=start, end=end)
    world.start_daemon()
    ask(world, "c", "create")
    ask(world, "d", "dispatch")
    assert (answer(world, "c"), answer(world, "d")) == (("allowed", "ok"), ("released", "ok"))


@pytest.mark.parametrize("status", ["new", "released", "inactive"])
def test_a_customer_who_is_not_active(world, status):
    add_customer(world, status=status)
    suspend(world)
    world.start_daemon()
    for kind in ("create", "dispatch"):
        ask(world, kind, kind)
        assert answer(world, kind) == ("denied", "customer_not_active")
    assert jobs(world) == []


def test_an_unknown_customer(world):
    world.configure(customers={"grace": "800ms"})
    world.start_daemon()
    begun = time.monotonic()
    ask(world, "c", "create", customer="404")
    ask(world, "d", "dispatch", customer="405")
    assert answer(world, "c") == ("denied", "unknown_customer")
    assert answer(world, "d") == ("denied", "unknown_customer")
    assert time.monotonic() - begun > 0.7, "after the grace"
    assert world.redis.xlen("jobs:dead") == 0, "an answer is not a dead letter"


def test_the_customer_arrives_within_the_grace(world):
    world.configure(customers={"grace": "60s"})
    world.start_daemon()
    ask(world, "d")
    world.wait_idle("jobs:requests")
    add_customer(world)
    assert answer(world, "d") == ("released", "ok")


OUTSIDE = [("flag", ("released", "ok")), ("hold", ("held", "outside_hours")), ("deny", ("denied", "outside_hours"))]


@pytest.mark.parametrize("setting, expected", OUTSIDE)
def test_scheduled_outside_service_hours(world, setting, expected):
    world.configure(gate={"outside_hours": setting})
    add_customer(world)
    world.ctl("hours", "set", "1001", "mon-sun", "08:00-10:00,14:00-16:00")
    world.start_daemon()
    ask(world, "out", scheduled=at(1, "12:30:00"))
    ask(world, "in", scheduled=at(1, "09:00:00"))
    ask(world, "open end", scheduled=at(1, "10:00:00"))
    ask(world, "none")
    ask(world, "create", "create", scheduled=at(1, "12:30:00"))
    assert answer(world, "out") == expected
    assert answer(world, "in") == ("released", "ok")
    assert answer(world, "open end") == expected, "a window is half-open"
    assert answer(world, "none") == ("released", "ok"), "without a time nothing is outside"
    assert answer(world, "create") == ("allowed", "ok")
    assert released(world, "in")["outside_hours"] == "false"
    if setting == "flag":
        assert released(world, "out")["outside_hours"] == "true"
        assert wait_outcome(world, "out", "released")["outside_hours"] == "true", "the answer says so"
        assert "outside_hours" not in wait_outcome(world, "in", "released")


def test_a_window_that_is_open_already_holds_nothing(world):
    """Scheduled today outside the hours; the window of the day is open already: nothing to wait for."""
    world.configure(gate={"outside_hours": "hold"})
    add_customer(world)
    world.ctl("hours", "set", "1001", "mon-sun", "00:00-23:58")
    world.start_daemon()
    ask(world, "1", scheduled=at(0, "23:59:00"))
    assert answer(world, "1") == ("released", "ok")
    assert released(world, "1")["outside_hours"] == "true"


# ---- held, and then

def test_released_by_resume_within_a_second(world):
    """In the order in which they were asked for."""
    add_customer(world)
    suspend(world, end=None)
    world.start_daemon()
    for n in range(5):
        ask(world, str(n))
    for n in range(5):
        assert answer(world, str(n)) == ("held", "suspended")
    assert jobs(world) == []
    world.ctl("resume", "1001")
    begun = time.monotonic()
    wait_outcome(world, "4", "released")
    assert time.monotonic() - begun < 3 * PATIENCE, "within about a second"
    assert [j["job"] for j in jobs(world)] == [f"j{n}" for n in range(5)]
    for n in range(5):
        assert outcomes_of(world, str(n)) == [("held", "suspended"), ("released", "ok")]


@pytest.mark.long
def test_released_when_the_suspension_wears_off(world):
    """At the first instant of `until` where the customer is, without anybody doing anything."""
    local, midnight = zone_where_soon(world, "00:00")
    add_customer(world, timezone="Test/Soon")
    tomorrow = (local + datetime.timedelta(days=1)).date().isoformat()
    world.ctl("suspend", "1001", "--from", "2026-01-01", "--until", tomorrow, "--note", "x")
    world.start_daemon()
    ask(world, "1")
    assert answer(world, "1") == ("held", "suspended")
    released_at = wait_outcome(world, "1", "released", timeout=20)["time"]
    seconds = (datetime.datetime.fromisoformat(released_at.replace("Z", "+00:00")) - midnight).total_seconds()
    assert -1 <= seconds < 2 * PATIENCE, "within a second of midnight"


@pytest.mark.long
def test_a_job_held_until_its_window_opens(world):
    world.configure(gate={"outside_hours": "hold"})
    _, opening = zone_where_soon(world, "11:00")
    add_customer(world, timezone="Test/Soon")
    world.ctl("hours", "set", "1001", "mon-sun", "11:00-12:00")
    world.start_daemon()
    ask(world, "1", scheduled=(opening + datetime.timedelta(hours=2)).isoformat())
    assert answer(world, "1") == ("held", "outside_hours")
    assert jobs(world) == []
    job = released(world, "1", timeout=20)
    assert job["outside_hours"] == "true"
    arrive, leave = (datetime.datetime.fromisoformat(job[name]) for name in ("arrive_by", "leave_by"))
    assert abs((arrive - opening).total_seconds()) <= 1 and leave - arrive == datetime.timedelta(hours=1)


def test_released_while_the_daemon_was_down(world):
    add_customer(world)
    suspend(world)
    world.start_daemon()
    ask(world, "1")
    assert answer(world, "1") == ("held", "suspended")
    world.daemon.kill()
    world.ctl("resume", "1001")
    world.start_daemon()
    wait_outcome(world, "1", "released", timeout=10)
    assert [j["job"] for j in jobs(world)] == ["j1"]


def test_another_suspension_still_holds(world):
    add_customer(world)
    suspend(world, scope="routes", note="first")
    suspend(world, scope="routes", note="second", end=9)
    world.start_daemon()
    ask(world, "1")
    assert answer(world, "1") == ("held", "suspended")
    ids = [s["id"] for s in world.ctl_json("suspensions", "1001")]
    world.ctl("resume", "1001", ids[0])
    time.sleep(1.2)
    assert outcomes_of(world, "1")[-1] == ("held", "suspended") and jobs(world) == []
    world.ctl("resume", "1001", ids[1])
    wait_outcome(world, "1", "released", timeout=10)
    assert len(jobs(world)) == 1


def test_a_parents_suspension_holds_the_site(world):
    add_customer(world, "1")
    add_customer(world, "1-2", parent="1")
    suspend(world, "1")
    world.start_daemon()
    ask(world, "1", customer="1-2")
    assert answer(world, "1") == ("held", "suspended")
    world.ctl("resume", "1")
    wait_outcome(world, "1", "released", timeout=10)


def test_denied_when_the_customer_stops_being_active(world):
    add_customer(world)
    suspend(world)
    world.start_daemon()
    ask(world, "1")
    assert answer(world, "1") == ("held", "suspended")
    world.ctl("customer", "deactivate", "1001")
    wait_outcome(world, "1", "denied", "customer_not_active", timeout=10)
    world.ctl("resume", "1001")
    time.sleep(1.2)
    assert outcomes_of(world, "1")[-1] == ("denied", "customer_not_active") and jobs(world) == []


def test_expired_when_its_day_is_over(world):
    add_customer(world)
    suspend(world)
    world.start_daemon()
    ask(world, "1", scheduled=at(-1, "09:00:00"))
    wait_outcome(world, "1", "expired", "expired")
    world.ctl("resume", "1001")
    time.sleep(1.0)
    assert jobs(world) == []


def test_expired_when_held_for_too_long(world):
    world.configure(gate={"hold_max": "1s"})
    add_customer(world)
    suspend(world)
    world.start_daemon()
    ask(world, "1")
    assert answer(world, "1") == ("held", "suspended")
    wait_outcome(world, "1", "expired", "expired", timeout=10)
    ask(world, "2", scheduled=at(0, "23:59:59"))
    time.sleep(1.3)
    assert answer(world, "2") == ("held", "suspended"), "with a time its day counts"


# ---- asked twice

def test_two_requests_with_one_id(world):
    """It acts once; the recorded answer is published again with the same id."""
    add_customer(world)
    suspend(world, scope="routes")
    world.start_daemon()
    for _ in range(2):
        ask(world, "c", "create")
        ask(world, "d")
    wait_until(lambda: len(world.outcomes()) == 4, lambda: f"four answers: {world.outcomes()}")
    for number in "cd":
        same = [{k: v for k, v in o.items() if k != "entry"} for o in world.outcomes() if o["event"] == number]
        assert len(same) == 2 and same[0] == same[1]
    world.ctl("resume", "1001")
    wait_outcome(world, "d", "released")
    ask(world, "d")
    again = wait_outcome(world, "d", "released", count=2)
    assert again[0]["id"] == again[1]["id"], "now the recorded answer is the release"
    assert len(jobs(world)) == 1
    world.daemon.kill()
    world.start_daemon()
    ask(world, "d")
    wait_outcome(world, "d", "released", count=3)
    assert len(jobs(world)) == 1 and len({j["id"] for j in jobs(world)}) == 1


def test_an_event_and_a_request_may_share_an_id(world):
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.dispatched", job="j1", customer="1001")
    ask(world, "1")
    wait_outcome(world, "1", "released")
    wait_outcome(world, "1", "sent")


# ---- the released job

def test_what_the_driver_needs(world):
    add_customer(world, contact="Ann Driver", timezone="America/Denver", reference="PO-9", address="1 Example Road",
                 city="Denver", state="CO", postal_code="80202", phone="+1 555 0100", disclaimer="2026-01-31",
                 location_notes="Gate code 17; the dog is friendly")
    world.ctl("contact", "set", world.ctl_json("customer", "show", "1001")["contacts"][0]["id"],
              "--cell-phone", "+1 555 0111", "--work-phone", "+1 555 0122")
    world.ctl("hours", "set", "1001", "mon-sun", "07:00-12:00,13:00-17:00")
    world.ctl("asset", "add", "1001", "--kind", "20 yd container", "--serial", "C-88", "--position", "behind the barn")
    world.start_daemon()
    ask(world, "1", scheduled=at(1, "18:30:00"), route="north-7", service="swap", data='{"weight": 2.5, "stops": [1]}')
    job = released(world, "1")
    assert job["job"] == "j1" and job["customer"] == "1001" and job["route"] == "north-7"
    assert job["reference"] == "PO-9" and job["location_notes"] == "Gate code 17; the dog is friendly"
    assert job["contact_name"] == "Ann Driver" and job["contact_phone"] == "+1 555 0111"
    assert all(part in job["address"] for part in ("1 Example Road", "Denver", "CO", "80202"))
    assert job["disclaimer"] == "2026-01-31" and job["service"] == "swap" and job["outside_hours"] == "false"
    assert json.loads(job["assets"]) == [{"kind": "20 yd container", "serial": "C-88", "position": "behind the barn"}]
    assert job["scheduled"] == at(1, "18:30:00") and json.loads(job["stops"]) == [1] and float(job["weight"]) == 2.5
    local = datetime.datetime.fromisoformat(at(1, "18:30:00").replace("Z", "+00:00")).astimezone(
        zoneinfo.ZoneInfo("America/Denver"))
    opened, closed = (7, 12) if local.hour < 12 else (13, 17)
    for name, hour in (("arrive_by", opened), ("leave_by", closed)):
        expected = local.replace(hour=hour, minute=0, second=0)
        assert datetime.datetime.fromisoformat(job[name]) == expected
        assert job[name].endswith(local.strftime("%z")[:3] + ":00"), "in the customer's zone"
    assert job["id"] and list(job).count("id") == 1


def test_its_own_reference_wins_and_what_is_not_there_is_left_out(world):
    world.ctl("customer", "add", "1001", "--name", "Bare", "--reference", "theirs")
    world.start_daemon()
    ask(world, "1", reference="own")
    job = released(world, "1")
    assert job["reference"] == "own" and job["route"] == "none"
    assert not {"arrive_by", "leave_by", "contact_name", "contact_phone", "address", "assets", "disclaimer",
                "location_notes"} & set(job), job


def test_data_can_not_forge_what_is_ours(world):
    """Members of data named like our fields don't reach the driver as such, nor make a field come twice."""
    add_customer(world, location_notes="ours", address="1 Example Road")
    world.start_daemon()
    forged = {name: "forged" for name in ("id", "job", "customer", "location_notes", "outside_hours", "contact_name",
                                          "address", "request", "dispatchd")}
    world.xadd("jobs:requests", event=json.dumps({"id": "1", "type": "job.dispatch", "job": "j1", "customer": "1001",
                                                  "data": forged}))
    wait_outcome(world, "1", "released")
    names = raw_fields(world, "jobs:dispatch")[::2]
    assert len(names) == len(set(names)), f"a field twice: {names}"
    (job,) = jobs(world)
    assert job["job"] == "j1" and job["customer"] == "1001" and job["outside_hours"] == "false"
    assert job["location_notes"] == "ours" and job["address"] == "1 Example Road"
    assert job["id"] != "forged"


def raw_fields(world, stream):
    """Names and values of the first entry as they stand in Redis, repeats included."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(world.redis_server.socket)
        client.sendall(f"XRANGE {stream} - + COUNT 1\r\n".encode())
        data = client.recv(1 << 20)
    parts = [line for line in data.split(b"\r\n") if line and line[:1] not in b"*$"]
    return parts[1:]


def test_one_stream_a_route(world):
    world.configure(redis={"dispatch": "jobs:dispatch:{route}"})
    add_customer(world)
    world.start_daemon()
    ask(world, "1", route="north")
    ask(world, "2", route="South.2_x-y")
    ask(world, "3")
    wait_outcome(world, "3", "released")
    wait_outcome(world, "2", "released")
    assert [j["job"] for j in jobs(world, "jobs:dispatch:north")] == ["j1"]
    assert [j["job"] for j in jobs(world, "jobs:dispatch:South.2_x-y")] == ["j2"]
    assert [j["job"] for j in jobs(world, "jobs:dispatch:none")] == ["j3"]


@pytest.mark.parametrize("more", [{"route": "a b"}, {"route": "a:b"}, {"route": ""}, {"route": "r" * 65}, {"route": "é"},
                                  {"route": "../x"}, {"scheduled": "tomorrow"}, {"scheduled": ""}, {"type": "job.started"},
                                  {"type": "job.dispatched"}, {"type": "job.dispatches"}])
def test_malformed_requests(world, more):
    add_customer(world)
    world.start_daemon()
    world.xadd_fields({"id": "1", "type": "job.dispatch", "job": "j1", "customer": "1001", **more}, "jobs:requests")
    ask(world, "2")
    assert answer(world, "2") == ("released", "ok")
    assert outcomes_of(world, "1") == [("rejected", "malformed")]
    assert world.redis.xlen("jobs:dead") == 1 and len(jobs(world)) == 1


def test_the_structured_spelling(world):
    add_customer(world)
    world.start_daemon()
    world.xadd("jobs:requests", event=json.dumps({
        "specversion": "1.0", "id": 1, "source": "/app", "type": "com.example.job.dispatch",
        "data": {"job": 7, "customer": 1001, "route": "r1", "scheduled": at(1, "09:00:00")}}))
    wait_outcome(world, "1", "released")
    (job,) = jobs(world)
    assert (job["job"], job["route"], job["scheduled"]) == ("7", "r1", at(1, "09:00:00"))


# ---- by hand

@pytest.fixture(params=["with a daemon", "without a daemon"])
def held(world, request):
    """Two jobs that are held; the daemon runs or not."""
    add_customer(world)
    suspend(world)
    world.start_daemon()
    ask(world, "1")
    ask(world, "2")
    assert (answer(world, "1"), answer(world, "2")) == (("held", "suspended"),) * 2
    if request.param == "without a daemon":
        assert world.daemon.stop() == 0
    return world


def test_hold_list_release_cancel(held):
    listed = held.ctl_json("hold", "list")
    assert [row["job"] for row in listed] == ["j1", "j2"]
    held.ctl("hold", "release", listed[0]["id"])
    held.ctl("hold", "cancel", listed[1]["id"])
    assert held.ctl_json("hold", "list") == []
    for row, code in ((listed[0]["id"], 65), (listed[1]["id"], 65), (999, 66)):
        assert held.ctl("hold", "release", row, check=False).returncode == code
    if held.daemon.process.poll() is not None:
        held.start_daemon()
    wait_outcome(held, "1", "released")
    wait_outcome(held, "2", "cancelled", "by_hand")
    assert [j["job"] for j in jobs(held)] == ["j1"]
    held.ctl("resume", "1001")
    time.sleep(1.2)
    assert len(jobs(held)) == 1, "what was called off stays so"


def test_the_gate_by_hand(world):
    """`dispatchctl gate` says what the gate would; nothing happens."""
    add_customer(world)
    suspend(world, scope="jobs")
    world.start_daemon()
    found = world.ctl_json("gate", "create", "--customer", "1001")
    assert (found["status"], found["reason"], found["note"]) == ("denied", "suspended", "closed for winter")
    found = world.ctl_json("gate", "dispatch", "--customer", "1001", "--scheduled", at(1, "09:00:00"))
    assert (found["status"], found["reason"]) == ("released", "ok")
    assert world.ctl_json("gate", "create", "--customer", "404")["reason"] == "unknown_customer"
    suspend(world, scope="routes", end=3)
    held = world.ctl_json("gate", "dispatch", "--customer", "1001")
    assert held["status"] == "held" and held["due"].startswith(day(3)) and "expires" not in held
    suspend(world, scope="routes", end=30)
    held = world.ctl_json("gate", "dispatch", "--customer", "1001")
    assert held["expires"].startswith(day(7)) and "due" not in held, "held for seven days at most"
    assert world.ctl("gate", "dispatch", "--customer", "1001", "--scheduled", "soon", check=False).returncode == 64
    assert world.outcomes() == [] and jobs(world) == []


# ---- recalled

def test_a_released_job_that_is_suspended_before_it_starts(world, smtp):
    """The office gets one mail of the jobs that are out; each is a collision, once."""
    world.configure(office={"email": "office@example.com"})
    add_customer(world)
    world.start_daemon()
    ask(world, "1")
    ask(world, "2")
    wait_outcome(world, "2", "released")
    world.xadd(id="s", type="job.started", job="j1", customer="1001")
    wait_outcome(world, "s", "sent")
    suspend(world, note="flooded")
    collision = wait_outcome(world, "2", "collision", "suspended", timeout=10)
    assert collision["note"] == "flooded"
    office = wait_until(lambda: [m for m in smtp.mails if m.recipients == ["office@example.com"]], "the office's mail")
    assert len(office) == 1 and "flooded" in office[0].text
    assert outcomes_of(world, "1") == [("released", "ok")], "that one has started"


def test_sites_called_back_by_their_parents_suspension(world, smtp):
    """One mail for the jobs of all sites, in the customer's time; a job asked for twice is one collision. What the mail
    advises can be pasted, whatever the number looks like."""
    holding = "H 1"
    world.configure(office={"email": "office@example.com"})
    add_customer(world, holding, name="Example Holding", timezone="America/Denver")
    for site in ("1-1", "1-2"):
        world.ctl("customer", "add", site, "--name", f"Site {site}", "--parent", holding)
    world.start_daemon()
    ask(world, "a", customer="1-1", job="north", scheduled="2027-03-02T02:00:00-07:00")
    ask(world, "b", customer="1-1", job="north", scheduled="2027-03-02T02:00:00-07:00")
    ask(world, "c", customer="1-2", job="south")
    wait_outcome(world, "c", "released")
    suspend(world, holding, note="flooded")
    collisions = [wait_outcome(world, number, "collision", timeout=10) for number in "ac"]
    world.wait_idle("jobs:requests")
    assert outcomes_of(world, "b") == [("released", "ok")], "one outcome a job"
    office = wait_until(lambda: smtp.mails, "the office's mail")
    time.sleep(0.5)
    assert len(office) == 1, "one for all of them"
    mail, text = message(office[0]), text_of(office[0])
    assert mail.get_all("X-Dispatchd-Job") == ["north", "south"]
    assert f"Example Holding ({holding})" in text and "Site 1-1" in text and "Site 1-2" in text
    assert "2 Mar 2027, 02:00" in text, text
    advice = shlex.split(next(line for line in text.splitlines() if "dispatchctl" in line))
    assert advice[1:4] == ["suspension", "end", holding]
    rows = world.ctl_json("mail", "list")
    assert (rows[0]["jobs"], rows[0]["customer"]) == (["north", "south"], holding)
    assert {(c["mail"], c["to"]) for c in collisions} == {(str(rows[0]["id"]), "office@example.com")}
    world.ctl(*advice[1:])
    assert world.ctl_json("gate", "dispatch", "--customer", "1-2")["status"] == "released"


def test_an_event_during_a_suspension_is_a_collision(world, smtp):
    world.configure(office={"email": "office@example.com"})
    add_customer(world)
    suspend(world, scope="routes", note="flooded")
    world.start_daemon()
    world.xadd(id="1", type="job.dispatched", job="a", customer="1001")
    wait_outcome(world, "1", "suppressed", "suspended")
    assert wait_outcome(world, "1", "collision", "suspended")["note"] == "flooded"
    world.xadd(id="2", type="job.started", job="b", customer="1001")
    wait_outcome(world, "2", "sent")
    wait_outcome(world, "2", "collision")
    world.xadd(id="3", type="job.completed", job="c", customer="1001")
    wait_outcome(world, "3", "sent")
    wait_until(lambda: len(smtp.mails) == 4, "two mails to the office, two to the customer")
    to = [m.recipients[0] for m in smtp.mails]
    assert to.count("office@example.com") == 2 and to.count("farm@example.com") == 2
    assert ("collision", "suspended") not in outcomes_of(world, "3")
