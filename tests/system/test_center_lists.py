# SPDX-License-Identifier: MIT
"""dispatch-center: lists of customers with columns chosen, as CSV, and saved."""
import csv
import io
import json
import re

import pytest

from center import Center

EVIL = '"><script>alert(1)</script>{{page.token}}'


@pytest.fixture
def center(world):
    world.ctl("rep", "add", "--name", "Pat")
    for number, name, *more in (("1001", "Maple & Sons", "--sales-rep", "Pat", "--city", "Denver"),
                                ("1002", "Oak Ltd", "--status", "inactive", "--parent", "1001"),
                                ("1003", "=1+1", "--city", "Köln", "--phone", "+1 303 5550100")):
        world.ctl("customer", "add", number, "--name", name, "--timezone", "UTC", *more)
    center = Center(world)
    for name, role in (("sam", "clerk"), ("rita", "reader"), ("mona", "manager")):
        center.add(name, role)
    return center.start()


@pytest.fixture
def sam(center):
    return center.log_in("sam")


def shown(page):
    rows = re.search(r"<tbody>.*?</tbody>", page, re.S)
    return re.findall(r'<tr><td><a href="/customers/([^"]+)"', rows.group(0)) if rows else []


def heads(page):
    return [re.sub(r"<[^>]+>|▲", "", head).strip() for head in re.findall(r"<th scope=.col.[^>]*>(.*?)</th>", page)]


def table(answer):
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="customers.csv"'
    return list(csv.reader(io.StringIO(answer.text)))


def test_chosen_as_customer_list_chooses(center, sam):
    for query, options in (("", ()), ("status=inactive", ("--status", "inactive")), ("rep=Pat", ("--rep", "Pat")),
                           ("parent=1001", ("--parent", "1001")), ("status=new", ("--status", "new"))):
        page = sam.get(f"/lists?{query}").text
        assert shown(page) == [row["number"] for row in center.world.ctl_json("customer", "list", *options)], query
        assert " ".join(("dispatchctl customer list", *options)) in page
    assert 'aria-current="page">Lists</a>' in page and "No customer matches." in page
    assert sam.get("/lists?color=red").status == 400


def test_columns_and_csv_are_those_chosen(sam):
    page = sam.get("/lists?column=city&column=name&column=nothing").text
    assert heads(page) == ["Name", "City"] and shown(page) == ["1001", "1002", "1003"]
    assert table(sam.get("/lists/csv?column=city&column=name&rep=Pat")) == [["name", "city"], ["Maple & Sons", "Denver"], ["Oak Ltd", ""]]
    rows = table(sam.get("/lists/csv?column=name&column=parent&column=phone&column=city"))
    assert rows[0] == ["name", "parent", "city", "phone"]
    assert rows[2] == ["Oak Ltd", "1001", "", ""]
    assert rows[3] == ["'=1+1", "", "Köln", "'+1 303 5550100"], "a spreadsheet runs it"


def test_sorted_by_a_column(center, sam):
    """Those without a value come last; a piece begins where the one before ended."""
    world = center.world
    world.ctl("customer", "add", "1004", "--name", "almond", "--city", "aurora", "--renewal", "2030-01-02")
    for sort, order in (("name", ["1003", "1004", "1001", "1002"]), ("city", ["1004", "1001", "1003", "1002"]),
                        ("sales_rep", ["1001", "1002", "1003", "1004"]), ("renewal", ["1004", "1001", "1002", "1003"]),
                        ("status", ["1001", "1003", "1004", "1002"]), ("number", ["1001", "1002", "1003", "1004"])):
        page = sam.get(f"/lists?sort={sort}&status=").text
        assert shown(page) == order, sort
        assert [row[0] for row in table(sam.get(f"/lists/csv?column=number&sort={sort}"))[1:]] == order, sort
        if sort != "number":
            assert [row["number"] for row in world.ctl_json("customer", "list", "--sort", sort)] == order
            assert f"dispatchctl customer list --sort {sort}<" in page and f'name="sort" value="{sort}"' in page
            assert shown(sam.get(f"/lists?sort={sort}&after={order[1]}").text) == order[2:], sort
    page = sam.get("/lists?sort=name&city=denver").text
    assert re.search(r'<th scope="col" aria-sort="ascending">Name', page) and 'href="/lists?city=denver&amp;sort=city&amp;' in page
    assert 'href="/lists?city=denver&amp;column=number' in page, "back to the order by number"
    for word in (("--sort", "phone"), ("--status", "inactiv")):
        done = world.ctl("customer", "list", *word, check=False)
        assert done.returncode == 64 and f'(got "{word[1]}")' in done.stderr, done


def test_as_the_export_writes_them(center, sam):
    path = center.world.path("all.csv")
    center.world.ctl("customer", "export", path)
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    own = table(sam.get("/lists/csv?column=number&column=name&column=phone&column=parent&column=timezone"))
    assert own[1:] == [[row[name] for name in own[0]] for row in rows]


def test_long_lists_come_in_pieces(center, sam):
    path = center.world.path("many.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("number,name\n" + "".join(f"N {n:04},Name {n}\n" for n in range(1100)))
    center.world.ctl("customer", "import", path)
    page, seen = sam.get("/lists").text, []
    for _ in range(11):
        seen += shown(page)
        page = sam.get(re.search(r'<a href="(/lists\?[^"]*after=[^"]+)"', page).group(1).replace("&amp;", "&")).text
    seen += shown(page)
    assert len(seen) == len(set(seen)) == 1103 and "after=" not in page
    assert len(table(sam.get("/lists/csv"))) == 1104


def test_by_city_and_suspension(center, sam):
    center.world.ctl("suspend", "1001", "--note", "unpaid")
    assert shown(sam.get("/lists?city=DENVER").text) == ["1001"]
    assert shown(sam.get("/lists?suspended=yes").text) == ["1001", "1002"], "a site's parent holds it, too"
    assert shown(sam.get("/lists?suspended=yes&city=K%C3%B6ln").text) == []
    assert "customer list --city Denver" in sam.get("/lists?city=Denver").text
    assert "customer list --suspended" in sam.get("/lists?suspended=yes").text
    assert [row[0] for row in table(sam.get("/lists/csv?suspended=yes&column=number"))] == ["number", "1001", "1002"]
    listed = center.world.ctl("--json", "customer", "list", "--suspended", "--limit", "1").stdout
    assert [row["number"] for row in json.loads(listed)] == ["1001"]
    page = sam.get(sam.submit("/lists", {"name": "Held", "suspended": "yes"}).headers["Location"]).text
    assert shown(page) == ["1001", "1002"] and 'name="suspended" value="yes" checked' in page


def test_a_search_as_a_list(center, sam):
    assert 'href="/lists?q=maple%20sons"' in sam.get("/?q=maple+sons").text
    assert shown(sam.get("/lists?q=MAPLE+sons").text) == ["1001"]
    assert shown(sam.get("/lists?q=303555").text) == ["1003"] and shown(sam.get("/lists?q=303555&city=Denver").text) == []
    assert shown(sam.get("/lists?q=nobody").text) == []
    page = sam.get(sam.submit("/lists", {"name": "Maples", "q": "maple"}).headers["Location"]).text
    assert shown(page) == ["1001"] and 'name="q" type="search" value="maple"' in page
    assert "dispatchctl customer list --search maple" in page
    listed = json.loads(center.world.ctl("--json", "customer", "list", "--search", "maple").stdout)
    assert [row["number"] for row in listed] == ["1001"]
    assert [row[0] for row in table(sam.get("/lists/csv?q=maple&column=number"))] == ["number", "1001"]
    assert "1 customer is on the list." in sam.get("/lists/edit?q=maple").text


def test_over_the_api(center, sam):
    center.world.ctl("suspend", "1001", "--note", "unpaid")

    def numbers(query):
        answer = sam.get("/api/v1/customers?" + query)
        assert answer.status == 200, answer.text
        return [row["number"] for row in answer.json["customers"]], answer.json["more"]
    assert numbers("status=inactive") == (["1002"], False)
    assert numbers("rep=Pat&limit=1") == (["1001"], True) and numbers("rep=Pat&limit=1&after=1001") == (["1002"], False)
    assert numbers("parent=1001") == (["1002"], False) and numbers("city=denver") == (["1001"], False)
    assert numbers("suspended=true") == (["1001", "1002"], False)
    assert numbers("suspended=true&limit=1&after=1001") == (["1002"], False)
    for query in ("q=maple&status=active", "q=maple&after=1", "suspended=no", "colour=red"):
        assert sam.get("/api/v1/customers?" + query).status == 400, query


def test_saved_for_oneself_then_for_all(center, sam):
    rita, mona = center.log_in("rita"), center.log_in("mona")
    fields = {"status": "inactive", "column": ["number", "city"], "name": "Idle"}
    answer = sam.submit("/lists", fields)
    where = answer.headers["Location"]
    assert (answer.status, where) == (303, "/lists?list=1&status=inactive&column=number&column=city&")
    assert "<h1>Idle</h1>" in sam.get(where).text and heads(sam.get(where).text) == ["Number", "City"]
    assert sam.get("/lists/1").headers["Location"] == where
    for other in (rita, mona):
        assert "Idle" not in other.get("/lists").text
        assert other.get("/lists/1").status == 404 and other.get("/lists?list=1").status == 404
    # the same name: replaced
    assert sam.submit("/lists", {**fields, "shared": "yes", "status": "active"}).headers["Location"].startswith("/lists?list=1&status=active")
    page = rita.get("/lists").text
    assert '<a href="/lists/1">Idle</a> <span class="muted">by sam</span>' in page and "/remove" not in page
    assert rita.get("/lists/1").status == 303
    # removed by its own account alone
    assert mona.submit("/lists/1/remove", {}).status == 404 and rita.submit("/lists/1/remove", {}).status == 403
    assert "The list “Idle” is removed." in sam.get("/lists/1/remove").text
    assert sam.submit("/lists/1/remove", {}).headers["Location"] == "/lists"
    assert sam.get("/lists/1").status == 404 and "Idle" not in rita.get("/lists").text


def test_hostile_names_and_forms(center, sam):
    for name in ("", "   ", "x" * 81, "a\nb"):
        answer = sam.submit("/lists", {"name": name})
        assert answer.status == 422 and 'role="alert"' in answer.text, name
    assert sam.submit("/lists", {"name": "x", "status": "y" * 5000}).status == 422
    assert sam.submit("/lists", {"name": EVIL, "parent": EVIL, "rep": EVIL, "shared": "yes"}).status == 303
    where = sam.get("/lists/1").headers["Location"]
    assert where.startswith("/lists?list=1&") and "<" not in where
    for person in (sam, center.log_in("rita")):
        page = person.get(where).text
        assert "<script>alert" not in page and "&lt;script&gt;" in page
    assert center.log_in("rita").submit("/lists", {"name": "mine"}).status == 403
    assert center.ask("GET", "/lists").status == 303 and center.ask("GET", "/lists/csv").status == 303
    assert center.form("/lists", {"name": "x"}, {**sam.headers, "Sec-Fetch-Site": "same-origin"}).status == 403
    for id in ("0", "-1", "x", "9223372036854775808"):
        assert sam.get(f"/lists/{id}").status == 404


def test_lists_go_with_their_account(center, sam):
    sam.submit("/lists", {"name": "Ours", "shared": "yes"})
    center.user("remove", "sam")
    assert "Ours" not in center.log_in("rita").get("/lists").text
