# SPDX-License-Identifier: MIT
"""dispatch-center: one edit of all customers of a list, as it was shown, for all of them or for none."""
import html
import json
import re
import shlex

import pytest

from center import Center


@pytest.fixture
def center(world):
    world.ctl("rep", "add", "--name", "Pat")
    world.ctl("rep", "add", "--name", "Kim & Co")
    for number, name, *more in (("1001", "Maple & Sons", "--sales-rep", "Pat", "--city", "Denver"),
                                ("1002", "Oak Ltd", "--status", "inactive", "--city", "Denver"),
                                ("A/3", "<b>Elm</b>", "--city", "Boulder", "--email", "elm@example.com")):
        world.ctl("customer", "add", number, "--name", name, "--timezone", "UTC", *more)
    world.ctl("contact", "add", "A/3", "--name", "Two", "--email", "two@example.com", "--notify", "failed")
    center = Center(world)
    for name, role in (("sam", "clerk"), ("rita", "reader"), ("mona", "manager")):
        center.add(name, role)
    return center.start()


@pytest.fixture
def sam(center):
    return center.log_in("sam")


def fields_of(page):
    """What the form that makes the edit carries, as it would be sent."""
    form = re.search(r'<form method="post" action="/lists/edit">(.*?)</form>', page, re.S).group(1)
    fields = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        if name != "token":
            fields.setdefault(name, []).append(html.unescape(value))
    return fields


def commands_of(page):
    return [html.unescape(text) for text in re.findall(r"<code>(.*?)</code>", page)]


def look(sam, verb, whom=None, **fields):
    answer = sam.submit("/lists/edit/preview", {**(whom or {}), "verb": verb, **fields})
    assert answer.status == 200, answer.text
    return answer.text


def edited(page):
    part = page.split(">Changes</h2>")
    return re.findall(r'<tr><td><a href="/customers/([^"]+)"', part[1]) if len(part) > 1 else []


def customer(center, number):
    return json.loads(center.world.ctl("--json", "customer", "show", number).stdout)


def test_a_sales_rep_for_a_list(center, sam):
    page = sam.get("/lists?city=denver").text
    assert re.search(r'href="/lists/edit\?city=denver&amp;', page)
    page = sam.get("/lists/edit?city=denver").text
    assert "2 customers are on the list." in page and ">Kim &amp; Co</option>" in page
    page = look(sam, "set", {"city": "denver"}, field="sales_rep", value="Kim & Co")
    assert edited(page) == ["1001", "1002"] and "2 customers would be changed." in page
    assert '<span class="far">was </span>Pat</span> Kim &amp; Co' in page or "Pat</span> Kim &amp; Co" in page
    assert customer(center, "1001")["sales_rep"] == "Pat", "a preview changes nothing"
    answer = sam.submit("/lists/edit", fields_of(page))
    assert answer.status == 303 and answer.headers["Location"].endswith("edited=2")
    assert "2 customers were changed." in sam.get(answer.headers["Location"]).text
    for number, rep in (("1001", "Kim & Co"), ("1002", "Kim & Co"), ("A/3", None)):
        assert customer(center, number)["sales_rep"] == rep
    history = json.loads(center.world.ctl("--json", "customer", "history", "1001").stdout)
    assert (history[-1]["user"], history[-1]["before"], history[-1]["after"]) == \
        ("sam", {"sales_rep": "Pat"}, {"sales_rep": "Kim & Co"})
    # once more: nothing to do
    page = look(sam, "set", {"city": "denver"}, field="sales_rep", value="Kim & Co")
    assert edited(page) == [] and "2 need no change." in page and 'class="primary">Change' not in page


@pytest.mark.parametrize("verb, fields, seen", [
    ("set", {"field": "status", "value": "inactive"}, lambda c: c["status"] == "inactive"),
    ("set", {"field": "postal_code", "value": "80 2' 02"}, lambda c: c["postal_code"] == "80 2' 02"),
    ("notify", {"how": "set", "states": ["paused", "failed"]},
     lambda c: all(one["notify"] == ["failed", "paused"] for one in c["contacts"])),
    ("weekly", {"weekdays": ["mon", "tue"], "windows": "07:00-12:00"},
     lambda c: c["hours"]["weekly"]["tue"] == "07:00-12:00"),
    ("dates", {"first": "2031-12-24", "last": "2031-12-26"}, lambda c: c["hours"]["dates"]["2031-12-25"] == "closed"),
    ("suspend", {"scopes": ["emails", "jobs"], "note": "unpaid 'since' May", "from": "", "until": "2031-01-01"},
     lambda c: c["suspensions"][0]["note"] == "unpaid 'since' May"),
])
def test_each_edit_and_its_commands(center, verb, fields, seen):
    sam = center.log_in("mona" if fields.get("field") == "status" else "sam")
    page = look(sam, verb, **fields)
    commands = commands_of(page)
    numbers = edited(page)
    assert numbers and commands
    assert sam.submit("/lists/edit", fields_of(page)).status == 303
    for number in numbers:
        assert seen(customer(center, number.replace("%2F", "/"))), number
    # the commands say the same: they change nothing more, or do it for whom it is taken back
    if verb == "suspend":
        assert sam.submit("/lists/edit", fields_of(look(sam, "resume"))).status == 303
        assert not any(one["suspended"] for one in json.loads(center.world.ctl("--json", "customer", "list").stdout))
    for command in commands:
        center.world.ctl(*shlex.split(command)[1:])
    for number in numbers:
        assert seen(customer(center, number.replace("%2F", "/"))), number


def test_commands_for_a_number_that_begins_with_a_dash(center, sam):
    center.world.ctl("customer", "add", "--name", "Dash", "--city", "Lyons", "--", "-9")
    for verb, fields in (("set", {"field": "county", "value": "Boulder"}), ("suspend", {"scopes": "jobs", "note": "x"})):
        (command,) = commands_of(look(sam, verb, {"city": "Lyons"}, **fields))
        center.world.ctl(*shlex.split(command)[1:])
    shown = json.loads(center.world.ctl("--json", "customer", "show", "--", "-9").stdout)
    assert shown["county"] == "Boulder" and shown["suspensions"][0]["scopes"] == ["jobs"]
    page = look(sam, "resume", {"city": "Lyons"})
    center.world.ctl(*shlex.split(commands_of(page)[0])[1:])
    assert "1 needs no change." in look(sam, "resume", {"city": "Lyons"})


def test_dates_back_to_the_week(center, sam):
    center.world.ctl("hours", "except", "1001", "2031-12-24", "closed")
    page = look(sam, "dates", first="2031-12-24", normal="yes")
    assert edited(page) == ["1001"] and "hours except 1001 2031-12-24 normal" in commands_of(page)[0]
    assert sam.submit("/lists/edit", fields_of(page)).status == 303
    assert customer(center, "1001")["hours"]["dates"] == {}


def test_whose_states(center, sam):
    page = look(sam, "notify", how="add", states="cancelled")
    assert edited(page) == ["A%2F3"] and "changed contact Two " in page
    assert "2 need no change." in page, "customers without contacts"


def test_what_was_not_seen_is_not_done(center, sam):
    page = look(sam, "set", field="sales_rep", value="Kim & Co")
    center.world.ctl("customer", "set", "1002", "--sales-rep", "Pat")
    answer = sam.submit("/lists/edit", fields_of(page))
    assert answer.status == 409 and "Records have changed since you looked" in answer.text
    assert customer(center, "1001")["sales_rep"] == "Pat"
    assert sam.submit("/lists/edit", fields_of(answer.text)).status == 303
    assert customer(center, "1002")["sales_rep"] == "Kim & Co"
    fields = fields_of(look(sam, "set", field="sales_rep", value="Pat"))
    for digest in ([], ["0" * 64]):
        assert sam.submit("/lists/edit", {**fields, "digest": digest}).status == 409
    assert sam.submit("/lists/edit", {**fields, "value": ["Kim & Co"]}).status == 409
    assert customer(center, "1002")["sales_rep"] == "Kim & Co"
    # a customer that came to the list since
    page = look(sam, "set", {"city": "Denver"}, field="county", value="Jefferson")
    center.world.ctl("customer", "add", "1004", "--name", "New", "--city", "Denver")
    assert sam.submit("/lists/edit", fields_of(page)).status == 409


def test_who_can_not_be_edited_is_named_and_left_out(center, sam):
    page = look(sam, "set", field="parent", value="1001")
    assert edited(page) == ["1002", "A%2F3"] and "1 can’t be changed and is left out." in page
    refused = page.split(">Left out</h2>")[1].split("</table>")[0]
    assert "1001 Maple" in refused and "1002" not in refused
    assert sam.submit("/lists/edit", fields_of(page)).headers["Location"].endswith("edited=2")
    assert customer(center, "1001")["parent"] is None and customer(center, "A/3")["parent"] == "1001"


@pytest.mark.parametrize("fields, fault", [
    ({"verb": "erase"}, "verb: there is no edit"),
    ({"verb": "set", "field": "number", "value": "7"}, "field: no field to set"),
    ({"verb": "set", "field": "timezone", "value": "Mars/Base"}, "timezone"),
    ({"verb": "set", "field": "locale", "value": "<b>Nobody"}, "&lt;b&gt;Nobody"),
    ({"verb": "notify", "how": "all"}, "how: expected"),
    ({"verb": "weekly", "windows": "07:00-12:00"}, "Choose at least one weekday."),
    ({"verb": "weekly", "weekdays": "mon", "windows": "25:00-26:00"}, "25:00"),
    ({"verb": "weekly", "weekdays": "someday", "windows": "07:00-12:00"}, "someday"),
    ({"verb": "dates", "first": "2031-02-30"}, "2031-02-30"),
    ({"verb": "dates", "first": "2031-02-20", "last": "2031-02-10"}, "earlier than the first"),
    ({"verb": "suspend", "note": ""}, "note"),
])
def test_a_wrong_edit_is_said_at_the_form(center, sam, fields, fault):
    for path in ("/lists/edit/preview", "/lists/edit"):
        answer = sam.submit(path, fields)
        assert answer.status in (409, 422) if path == "/lists/edit" else answer.status == 422, (path, answer.text)
        assert fault in answer.text and "<b>Nobody" not in answer.text


def test_for_clerks_alone(center, sam):
    rita = center.log_in("rita")
    assert "/lists/edit" not in rita.get("/lists").text and rita.get("/lists/edit").status == 403
    fields = {"verb": "set", "field": "city", "value": "x"}
    assert rita.submit("/lists/edit/preview", fields).status == 403
    assert rita.submit("/lists/edit", fields).status == 403
    assert center.form("/lists/edit", fields, {**sam.headers, "Sec-Fetch-Site": "same-origin"}).status == 403
    assert center.ask("GET", "/lists/edit").status == 303
    # what only a manager may is left out, with the reason
    center.world.ctl("customer", "add", "N", "--name", "New", "--status", "new")
    answer = sam.submit("/lists/edit/preview", {"status": "new", "verb": "set", "field": "status", "value": "active"})
    assert answer.status == 422 and "manager" in answer.text


def test_a_long_list(center, sam):
    path = center.world.path("many.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("number,name,city\n" + "".join(f"N {n:04},Name {n},Lyons\n" for n in range(1990)))
    center.world.ctl("customer", "import", path)
    page = look(sam, "set", field="region", value="North")
    assert len(edited(page)) == 1993
    assert sam.submit("/lists/edit", fields_of(page)).headers["Location"].endswith("edited=1993")
    with open(path, "w", encoding="utf-8") as file:
        file.write("number,name,city\n" + "".join(f"M {n:04},Name {n},Lyons\n" for n in range(10)))
    center.world.ctl("customer", "import", path)
    answer = sam.get("/lists/edit")
    assert answer.status == 422 and "at most 2000 customers at once" in answer.text.replace(",", "")
    assert sam.submit("/lists/edit/preview", {"verb": "resume"}).status == 422


# ---- by the API

def api(person, path, customers, verb, **more):
    return person.send("POST", f"/api/v1/edits{path}", {"customers": customers, "verb": verb, **more})


def test_a_program_edits_as_it_has_seen(center):
    program = center.bearer("sam")
    whom, values = {"city": "Denver"}, {"sales_rep": "Kim & Co"}
    seen = api(program, "/preview", whom, "set", values=values)
    assert seen.status == 200, seen.text
    assert [(row["number"], row["fault"], [change["after"] for change in row["changes"]]) for row in seen.json["customers"]] == [
        ("1001", None, [{"sales_rep": "Kim & Co"}]), ("1002", None, [{"sales_rep": "Kim & Co"}])]
    assert customer(center, "1001")["sales_rep"] == "Pat", "a preview changes nothing"
    done = api(program, "", whom, "set", values=values, digest=seen.json["digest"])
    assert (done.status, done.json) == (200, {"edited": 2})
    assert [customer(center, number)["sales_rep"] for number in ("1001", "1002")] == ["Kim & Co", "Kim & Co"]
    assert center.world.ctl_json("customer", "history", "1002")[-1]["user"] == "sam"
    # Once more it isn't what was seen; nor is any edit without a look.
    for digest in (seen.json["digest"], "", None):
        again = api(program, "", whom, "set", values=values, **({} if digest is None else {"digest": digest}))
        assert again.status == 409 and again.json["detail"].startswith("digest: "), digest


def test_a_program_names_customers_and_hears_of_those_that_cant_be(center):
    program = center.bearer("sam")
    numbers = ["A/3", "nobody", "A/3"]
    values = {"how": "add", "states": ["cancelled"]}
    seen = api(program, "/preview", numbers, "notify", values=values).json
    elm, nobody = seen["customers"]
    assert (elm["number"], elm["fault"], len(elm["changes"])) == ("A/3", None, 2)
    assert nobody["changes"] == [] and "nobody" in nobody["fault"]
    assert api(program, "", numbers, "notify", values=values, digest=seen["digest"]).json == {"edited": 1}
    for verb, values in (("suspend", {"note": "flood", "scopes": ["routes"]}), ("resume", {}),
                         ("weekly", {"weekdays": "mon", "windows": "08:00-12:00"}),
                         ("dates", {"first": "2030-01-01", "last": "2030-01-02", "windows": "closed"}),
                         ("dates", {"first": "2030-01-01", "last": "2030-01-02", "windows": None})):
        seen = api(program, "/preview", ["A/3"], verb, values=values).json
        assert seen["customers"][0]["fault"] is None and seen["customers"][0]["changes"], (verb, seen)
        assert api(program, "", ["A/3"], verb, values=values, digest=seen["digest"]).json == {"edited": 1}, verb


def test_what_a_program_sends_is_looked_at(center):
    program = center.bearer("sam")
    for body, status, says in (
            ({"verb": "set", "values": {"city": "x"}}, 400, "customers: "), ({"customers": "1001", "verb": "set", "values": {}}, 422, "values: "),
            ({"customers": [7], "verb": "set", "values": {"city": "x"}}, 400, "customers: "),
            ({"customers": {"color": "red"}, "verb": "set", "values": {"city": "x"}}, 400, "customers: "),
            ({"customers": {"suspended": "yes"}, "verb": "set", "values": {"city": "x"}}, 400, "customers: "),
            ({"customers": [], "verb": "paint", "values": {}}, 400, "verb: "), ({"customers": [], "verb": "set"}, 400, "values: "),
            ({"customers": ["1001"], "verb": "set", "values": {"number": "9"}}, 422, "values: "),
            ({"customers": ["1001"], "verb": "notify", "values": {"how": "add", "states": [7]}}, 422, "states: "),
            ({"customers": ["1001"], "verb": "notify", "values": {"how": "add"}}, 422, "states: "),
            ({"customers": ["1001"], "verb": "notify", "values": {"how": "paint", "states": []}}, 422, "how: "),
            ({"customers": ["1001"], "verb": "weekly", "values": {"weekdays": "mon", "windows": 8}}, 422, "windows: "),
            ({"customers": ["1001"], "verb": "dates", "values": {"first": "2030-01-01", "last": "x", "windows": 8}}, 422, "windows: "),
            ({"customers": [str(n) for n in range(2001)], "verb": "resume", "values": {}}, 422, "more than 2000")):
        for path in ("/preview", ""):
            answer = program.send("POST", f"/api/v1/edits{path}", body)
            assert answer.status == status and says in answer.json["detail"], (body, path, answer.text)
    assert api(program, "/preview", ["1001"], "suspend", values={"scopes": 7}).json["customers"][0]["fault"]
    assert api(center.bearer("rita"), "/preview", ["1001"], "set", values={"city": "x"}).status == 403
    assert api(center.bearer("rita"), "", ["1001"], "set", values={"city": "x"}).status == 403
