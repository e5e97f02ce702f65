# SPDX-License-Identifier: MIT
"""dispatch-center: its pages over HTTP, as a browser without scripts has them."""
import datetime
import re

import pytest

from center import Center
from world import ROOT

MAPLE = ["customer", "add", "1001", "--name", "Maple Bakery", "--city", "Denver", "--timezone", "UTC",
         "--contact", "Ann Lee", "--email", "ann@example.com", "--phone", "+1 (303) 555-0100"]


@pytest.fixture
def center(world):
    world.ctl(*MAPLE)
    center = Center(world, dispatch_url="https://dispatch.example.com/new?c={number}")
    for name, role in (("sam", "clerk"), ("mona", "manager"), ("rita", "reader")):
        center.add(name, role)
    return center.start()


@pytest.fixture
def sam(center):
    return center.log_in("sam")


def customer(center, number="1001"):
    return center.world.ctl_json("customer", "show", number)


# ---- the one view

def test_what_is_known_is_shown_and_what_is_missing_is_not(center, sam):
    world = center.world
    (ann,) = customer(center)["contacts"]
    world.ctl("contact", "set", ann["id"], "--notify", "failed,paused", "--cell-phone", "303 555 0142",
              "--email-invalid", "yes")
    world.ctl("note", "add", "1001", "--text", "an ordinary note")
    world.ctl("note", "add", "1001", "--text", "beware of the dog", "--urgent")
    world.ctl("hours", "set", "1001", "mon-fri", "07:00-12:00,13:00-17:00")
    page = sam.get("/customers/1001").text
    assert 'href="tel:+13035550100"' in page and 'href="tel:3035550142"' in page
    assert 'href="mailto:ann@example.com"' in page and "invalid since today" in page
    assert "mailed for failed, paused" in page
    assert "Mon–Fri 7:00\u2060–\u206012:00, 13:00\u2060–\u206017:00" in page and "Sat–Sun closed" in page
    assert page.index("beware of the dog") < page.index("an ordinary note")
    for missing in ("Fax", "County", "Renewal", "Sales rep", "Disclaimer"):
        assert f"<dt>{missing}</dt>" not in page


def test_where_it_may_be_dispatched_it_leads_to_the_dispatch_system(center, sam):
    center.world.ctl("asset", "add", "1001", "--kind", "Roll-off")
    page = sam.get("/customers/1001").text
    assert re.search(r'href="https://dispatch\.example\.com/new\?c=1001">Dispatch<', page)
    assert "aria-disabled" not in page
    center.world.ctl("suspend", "1001", "--scope", "routes", "--note", "gate closed")
    page = sam.get("/customers/1001").text
    assert "dispatch.example.com" not in page
    described = re.search(r'aria-disabled="true" aria-describedby="(\w+)">Dispatch<', page).group(1)
    assert re.search(rf'id="{described}">A suspension covers routes', page)


def test_without_a_dispatch_system_dispatch_is_disabled(world):
    world.ctl(*MAPLE)
    world.ctl("asset", "add", "1001", "--kind", "Roll-off")
    center = Center(world)
    center.add("sam", "clerk")
    center.start()
    page = center.log_in("sam").get("/customers/1001").text
    described = re.search(r'aria-disabled="true" aria-describedby="(\w+)">Dispatch<', page).group(1)
    assert re.search(rf'id="{described}">There is nowhere to dispatch to', page)


def test_an_inherited_suspension_names_the_parent_and_leads_there(center, sam):
    world = center.world
    world.ctl("customer", "add", "A/1", "--name", "Group & Co")
    world.ctl("customer", "set", "1001", "--parent", "A/1")
    world.ctl("suspend", "A/1", "--until", "2999-03-01", "--note", "under review")
    page = sam.get("/customers/1001").text
    alert = re.search(r'role="alert">(.*?)</div>', page, re.S).group(1)
    assert alert.startswith("Suspended until March 1, 2999") and "under review" in alert
    assert '<a href="/customers/A%2F1">Group &amp; Co</a>' in alert
    assert "<title>Suspended: " in page and ">Resume<" not in page
    assert 'class="suspended' in sam.get("/customers/1001/notes").text


def test_the_side_panel_is_hidden_for_one_user(center, sam):
    token = sam.form_token("/customers/1001")
    answer = sam.submit("/panel", {"next": "/customers/1001", "token": token})
    assert (answer.status, answer.headers["Location"]) == (303, "/customers/1001")
    cookie = sam.headers["Cookie"] + "; " + answer.cookie()
    assert "no-panel" in sam.get("/customers/1001", Cookie=cookie).text
    assert "no-panel" not in sam.get("/customers/1001").text
    other = center.log_in("mona").headers["Cookie"] + "; " + answer.cookie()
    assert "no-panel" not in sam.get("/customers/1001", Cookie=other).text
    assert sam.submit("/panel", {"next": "//evil.example"}).headers["Location"] == "/"


# ---- finding and adding

def test_searching_by_one_field(center, sam):
    center.world.ctl("customer", "add", "1002", "--name", "Denver Diner", "--city", "Reno")
    assert {"1001", "1002"} == set(re.findall(r'href="/customers/(\w+)"', sam.get("/?q=denver").text))
    page = sam.get("/?q=denver&by=city").text
    assert re.findall(r'href="/customers/(\w+)"', page) == ["1001"] and 'value="city" selected' in page
    assert sam.get("/?q=denver&by=colour").status == 400


@pytest.mark.parametrize("typed, field", [("Big & Co", "name"), ("4711", "number"), ("bob@example.com", "email"),
                                          ("+1 303 555 0199", "phone")])
def test_add_new_begins_with_what_was_typed(sam, typed, field):
    link = re.search(r'href="(/add/customers[^"]*)"', sam.get("/?q=" + typed.replace(" ", "+").replace(
        "&", "%26").replace("+1", "%2B1")).text).group(1)
    page = sam.get(link).text.replace("&amp;", "&")
    assert re.search(rf'name="{field}" type="\w+" value="{re.escape(typed)}"', page)


def test_there_is_one_like_it(center, sam):
    form = sam.fill("/add/customers", number="2001", name="maple bakery", city="Denver")
    answer = sam.submit("/add/customers", form)
    assert answer.status == 409 and 'href="/customers/1001"' in answer.text
    assert 'value="maple bakery"' in answer.text and 'name="anyway"' in answer.text
    assert center.world.ctl("customer", "show", "2001", check=False).returncode == 66
    answer = sam.submit("/add/customers", {**form, "anyway": "yes", "contact": "Bo", "email": "bo@example.com"})
    assert (answer.status, answer.headers["Location"]) == (303, "/customers/2001")
    assert customer(center, "2001")["contacts"][0]["name"] == "Bo"
    answer = sam.submit("/add/customers", {**form, "name": "Another", "number": ""})
    assert answer.status == 422 and 'value="Another"' in answer.text


# ---- records

def test_the_matrix_of_notifications(center, sam):
    center.world.ctl("contact", "add", "1001", "--name", "Bo", "--email", "bo@example.com", "--notify", "none")
    ann, bo = customer(center)["contacts"]
    page = sam.get("/customers/1001/contacts").text
    assert len(re.findall(r'name="notify_\d+"', page)) == 12
    versions = dict(re.findall(r'name="(version_\d+)" value="(\d+)"', page))
    fields = {**versions, f"notify_{ann['id']}": ["dispatched", "failed"], f"notify_{bo['id']}": ["paused"]}
    assert sam.submit("/customers/1001/notify", fields).status == 303
    assert [row["notify"] for row in customer(center)["contacts"]] == [["dispatched", "failed"], ["paused"]]
    now = dict(re.findall(r'name="(version_\d+)" value="(\d+)"', sam.get("/customers/1001/contacts").text))
    seen = {**now, f"version_{bo['id']}": versions[f"version_{bo['id']}"]}
    refused = {**seen, f"notify_{ann['id']}": ["completed"], f"notify_{bo['id']}": ["started"]}
    assert sam.submit("/customers/1001/notify", refused).status == 409
    assert [row["notify"] for row in customer(center)["contacts"]] == [["dispatched", "failed"], ["paused"]], \
        "one that is refused keeps the others"
    center.world.ctl("contact", "add", "1001", "--name", "New", "--email", "new@example.com")
    assert sam.submit("/customers/1001/notify", versions).status in (303, 409)
    assert customer(center)["contacts"][2]["notify"]


def test_status_asks_first(center, sam):
    mona = center.log_in("mona")
    center.world.ctl("customer", "add", "1002", "--name", "New Diner", "--status", "new")
    assert "/status/1002/release" in sam.get("/customers/1002").text
    assert "/status/1001/deactivate" not in sam.get("/customers/1001").text
    page = sam.get("/status/1002/release").text
    assert "Are you sure?" in page and "Release 1002, New Diner?" in page
    assert sam.submit("/status/1002/release", {}).status == 303
    assert customer(center, "1002")["status"] == "released"
    assert sam.submit("/status/1002/approve", {}).status == 403
    assert mona.submit("/status/1002/approve", {}).status == 303
    assert customer(center, "1002")["status"] == "active"
    assert mona.submit("/status/1002/approve", {}).status == 409
    assert mona.get("/status/1002/fly").status == 404


def test_removing_asks_first(center, sam):
    (ann,) = customer(center)["contacts"]
    page = sam.get(f"/remove/contacts/{ann['id']}").text
    assert "Remove this contact: Ann Lee?" in page
    following = re.search(r'name="next" value="([^"]+)"', page).group(1)
    answer = sam.submit(f"/remove/contacts/{ann['id']}", {"next": following})
    assert (answer.status, answer.headers["Location"]) == (303, "/customers/1001/contacts")
    assert customer(center)["contacts"] == []


def test_records_of_other_records(center, sam):
    center.world.ctl("quote", "add", "1001", "--number", "Q1")
    (quote,) = customer(center)["quotes"]
    (link,) = re.findall(r'href="(/parts/quotes/[^"]+)"', sam.get("/customers/1001/quotes").text)
    assert sam.submit(link, {"text": "30 yard box", "quantity": "2", "price": "120.50"}).status == 303
    assert sam.submit(link, {"text": "x", "price": "much"}).status == 422
    page = sam.get(link).text
    assert "30 yard box" in page and 'href="/customers/1001/quotes"' in page
    edit = re.search(r'href="(/edit/[^"]+)"', page).group(1)
    answer = sam.submit(edit, sam.fill(edit, price="99"))
    assert (answer.status, answer.headers["Location"]) == (303, link)
    (item,) = center.world.ctl_json("quote", "show", quote["id"])["items"]
    assert item["price"] == "99"
    assert sam.get(f"/parts/sales/{quote['id']}/items").status == 404


def test_records_of_no_customer(center, sam):
    assert sam.submit("/records/system-types", {"name": "Wash rack/2"}).status == 303
    page = sam.get("/records/system-types").text
    link = re.search(r'href="(/parts/system-types/[^"]+)"', page).group(1)
    assert "Wash%20rack%2F2" in link
    assert sam.submit(link, {"name": "login"}).status == 303
    assert "login" in sam.get(link).text
    assert sam.get("/records/contacts").status == 404


def test_history_and_related(center, sam):
    center.world.ctl("customer", "add", "1002", "--name", "Elm Cafe", "--phone", "+1 303 555 0100")
    sam.submit("/edit/customers/1001", sam.fill("/edit/customers/1001", city="Elko"))
    page = sam.get("/customers/1001/history").text
    newest = re.search(r"<li>(.*?)</li>", page, re.S).group(1)
    assert "<b>sam</b> changed customer" in newest
    assert "Denver" in newest and "Elko" in newest
    page = sam.get("/customers/1001/related").text
    assert 'href="/customers/1002"' in page and ">phone<" in page


def test_five_hundred_notes_come_in_pages(center, sam, tmp_path):
    rows = "\n".join(f'{{"customer": "1001", "text": "note {n:03}"}}' for n in range(250))
    path = tmp_path / "notes.jsonl"
    path.write_text(rows + "\n")
    center.world.ctl("note", "import", str(path))
    page = sam.get("/customers/1001/notes").text
    assert len(re.findall(r"<article", page)) == 100 and "150 more" in page
    last = sam.get("/customers/1001/notes?from=200").text
    assert len(re.findall(r"<article", last)) == 50 and "Newer" in last
    assert len(re.findall(r"<article", sam.get("/customers/1001").text)) == 5


# ---- hours

WEEK = {"mon": "07:00-12:00, 13:00-17:00", "tue": "", "wed": "", "thu": "", "fri": "", "sat": "", "sun": ""}


def hours_of(center):
    return center.world.ctl_json("hours", "show", "1001")


def test_the_week_grid(center, sam):
    path = "/customers/1001/hours"
    was = {f"was_{day}": "" for day in WEEK}
    copied = sam.submit(path, {**WEEK, **was, "copy": "mon"})
    assert copied.status == 200 and "Nothing is saved yet" in copied.text
    assert len(re.findall(r'value="07:00-12:00, 13:00-17:00"', copied.text)) == 7
    assert "it " in re.search(r'role="status">With these hours ([^<]+)', copied.text).group(1)
    assert hours_of(center)["weekly"] is None
    wrong = sam.submit(path, {**WEEK, **was, "tue": "25:00-26:00"})
    assert wrong.status == 422 and 'id="fault-tue"' in wrong.text and hours_of(center)["weekly"] is None
    assert sam.submit(path, {**WEEK, **was}).status == 303
    week = hours_of(center)["weekly"]
    assert week["mon"] == "07:00-12:00,13:00-17:00" and week["sun"] == "closed"


def test_hours_are_tried_with_what_is_inherited(center, sam):
    """A parent's dates, and its week where one's own isn't set."""
    world = center.world
    world.ctl("customer", "add", "P", "--name", "Parent")
    world.ctl("customer", "set", "1001", "--parent", "P")
    tried = {**dict.fromkeys(WEEK, "00:00-24:00"), **{f"was_{day}": "" for day in WEEK}, "copy": "mon"}
    said = lambda fields: re.search(r'role="status">With these hours ([^<]+)',
                                    sam.submit("/customers/1001/hours", fields).text).group(1)
    assert said(tried).startswith("it is open now")
    today = datetime.datetime.now(datetime.UTC).date()
    for days in range(2):
        world.ctl("hours", "except", "P", str(today + datetime.timedelta(days=days)), "closed")
    assert said(tried).startswith("it opens")
    world.ctl("hours", "set", "P", "mon-sun", "closed")
    world.ctl("hours", "set", "1001", "mon-sun", "closed")
    assert "never opens" in sam.get("/customers/1001/hours").text
    world.ctl("hours", "clear", "1001")
    assert "never opens" in sam.get("/customers/1001/hours").text


def test_two_people_change_the_hours(center, sam):
    center.world.ctl("hours", "set", "1001", "mon-fri", "08:00-16:00")
    seen = dict(re.findall(r'name="(was_\w+)" value="([^"]*)"', sam.get("/customers/1001/hours").text))
    week = {name[4:]: value for name, value in seen.items()}
    center.world.ctl("hours", "set", "1001", "tue", "09:00-16:00")
    assert sam.submit("/customers/1001/hours", {**week, **seen, "mon": "10:00-16:00"}).status == 303
    assert (hours_of(center)["weekly"]["mon"], hours_of(center)["weekly"]["tue"]) == ("10:00-16:00", "09:00-16:00")
    answer = sam.submit("/customers/1001/hours", {**week, **seen, "tue": "11:00-16:00"})
    assert answer.status == 409 and "09:00-16:00" in answer.text and 'value="11:00-16:00"' in answer.text
    assert hours_of(center)["weekly"]["tue"] == "09:00-16:00"


def test_dates_of_the_hours(center, sam):
    path = "/customers/1001/hours/dates"
    assert sam.submit(path, {"first": "2998-12-24", "last": "2998-12-26"}).status == 303
    assert hours_of(center)["dates"] == dict.fromkeys(("2998-12-24", "2998-12-25", "2998-12-26"), "closed")
    assert "Dec 24, 2998 – Dec 26, 2998: closed" in sam.get("/customers/1001").text
    assert sam.submit(path, {"first": "2998-12-25", "remove": "yes"}).status == 303
    assert sorted(hours_of(center)["dates"]) == ["2998-12-24", "2998-12-26"]
    assert sam.submit(path, {"first": "tomorrow"}).status == 422
    assert sam.submit("/customers/1001/hours/clear", {}).status == 303
    assert hours_of(center)["dates"] == {}


# ---- a reader

@pytest.mark.parametrize("path", ["/panel-of-nobody", "/add/customers", "/edit/customers/1001", "/remove/customers/1001",
                                  "/status/1001/release"])
def test_pages_that_are_not_for_readers(center, path):
    assert center.log_in("rita").get(path).status in (403, 404)


CHANGES = ["/add/customers", "/customers/1001/notes", "/customers/1001/notify", "/customers/1001/hours",
           "/customers/1001/hours/dates", "/customers/1001/hours/clear", "/customers/1001/resume",
           "/edit/customers/1001", "/remove/customers/1001", "/status/1001/release", "/records/system-types",
           "/parts/quotes/1/items"]


def test_a_reader_changes_nothing_by_forms(center):
    rita, before = center.log_in("rita"), customer(center)
    for path in CHANGES:
        assert rita.submit(path, {"text": "x", "first": "2026-12-24", "mon": "closed", "name": "y"}).status == 403, path
    assert customer(center) == before
    for path in ("/customers/1001", "/customers/1001/contacts", "/customers/1001/hours", "/customers/1001/notes"):
        page = rita.get(path).text
        assert not re.search(r'method="post" action="/(?!logout|panel)', page) and "Log out" in page, path


def test_what_became_of_a_jobs_mails_has_the_customers_time(center, sam):
    """In Tokyo, which knows no summer time, it opens in two to three hours; the office is elsewhere."""
    world = center.world
    opens = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9))) + datetime.timedelta(hours=3)
    world.ctl("customer", "set", "1001", "--timezone", "Asia/Tokyo")
    world.ctl("hours", "set", "1001", "all", f"{opens:%H}:00-{opens:%H}:30")
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="J-1", customer="1001", service="Swap")
    world.outcomes(wait_for={"event": "1"})
    page = sam.get("/customers/1001").text
    jobs = re.search(r'aria-label="Recent jobs".*?</section>', page, re.S).group(0)
    assert "J-1" in jobs and "Swap" in jobs and '<span class="pill completed">completed</span>' in jobs
    due = re.search(r"ann@example\.com: deferred, outside hours, due (?:today|tomorrow) ([\d:]+)", jobs).group(1)
    assert due == f"{opens.hour}:00"


def test_numbers_with_anything_in_them(center, sam):
    """In a path they are percent-encoded, whatever they have."""
    center.world.ctl("customer", "add", "R&D <1>?#", "--name", "Odd One", "--parent", "1001")
    path = "/customers/R%26D%20%3C1%3E%3F%23"
    assert f'href="{path}"' in sam.get("/?q=odd").text
    page = sam.get(path).text
    for link in (f"{path}/notes", f"{path}/hours", f"/edit{path}", f"{path}/suspensions#add"):
        assert f'href="{link}"' in page, link
    assert f'data-live="customer:{path.rpartition("/")[2]}"' in page
    assert f'href="{path}"' in sam.get("/customers/1001/related").text
    assert sam.submit(f"{path}/notes", {"text": "found"}).headers["Location"] == f"{path}/notes"
    assert sam.submit(f"{path}/suspensions", {"scopes": "jobs", "note": "x"}).headers["Location"] == path
    assert sam.submit(f"{path}/resume", {}).headers["Location"] == path


def test_linking_sales_reps(center, sam):
    for name in ("Robin Lee", "Kim <x>"):
        center.world.ctl("rep", "add", "--name", name)
    path = "/customers/1001/reps"
    assert len(re.findall("<option>", sam.get(path).text)) == 2
    assert sam.submit(path, {"name": "Robin Lee", "first": "yes"}).status == 303
    assert sam.submit(path, {"name": "Kim <x>"}).status == 303
    assert (customer(center)["sales_rep"], customer(center)["reps"]) == ("Robin Lee", ["Robin Lee", "Kim <x>"])
    page = sam.get(path).text
    assert "Kim &lt;x&gt;" in page and "There is no other" in page
    assert sam.submit(path, {"name": "Kim <x>", "first": "yes"}).status == 303
    assert customer(center)["sales_rep"] == "Kim <x>"
    assert sam.submit(path + "/unlink", {"name": "Kim <x>"}).status == 303
    assert (customer(center)["sales_rep"], customer(center)["reps"]) == (None, ["Robin Lee"])
    assert sam.submit(path, {"name": "Nobody"}).status in (404, 422)
    assert center.log_in("rita").submit(path, {"name": "Kim <x>"}).status == 403


# What a `pill {{status}}` or `pill {{state}}` may be called.
PILLS = ("new released active inactive dispatched started completed failed paused cancelled queued scheduled sending retrying sent "
         "bounced suppressed waiting deferred held allowed denied dead error none").split()


def test_no_state_is_a_class_of_something_else():
    style = (ROOT / "daemon/center/assets/style.css").read_text(encoding="utf-8")
    alone = set(re.findall(r"(?<![\w.)\]-])\.([a-z-]+)", re.sub(r"\{[^}]*\}", "{}", style)))
    assert "card" in alone and "pill" in alone
    assert alone & set(PILLS) == set()
