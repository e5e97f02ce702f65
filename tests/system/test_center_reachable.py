# SPDX-License-Identifier: MIT
"""dispatch-center: whether a contact can be reached, and why."""
import html
import re

import pytest

import smtp_peer
from center import Center
from kit import wait_outcome
from world import wait_until


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple & Sons", "--timezone", "America/Denver")
    world.ctl("contact", "add", "1001", "--name", "Ann", "--email", "ann@example.com", "--alt-email", "ann@example.net",
              "--notify", "dispatched,failed", "--all-sites", "yes")
    world.ctl("contact", "add", "1001", "--name", "Bo")
    world.ctl("customer", "add", "1002", "--name", "Yard", "--parent", "1001")
    center = Center(world)
    for name, role in (("sam", "clerk"), ("rita", "reader")):
        center.add(name, role)
    return center.start()


@pytest.fixture
def sam(center):
    return center.log_in("sam")


def said(person, contact, path="/customers/1001/contacts"):
    """What the page says of that contact, without its forms."""
    row = re.search(rf'<li id="reached-{contact}">.*?</li>', person.get(path).text, re.S).group(0)
    row = re.sub(r'<div class="row long">.*?</div>', " ", row, flags=re.S)
    row = re.sub(r"<form.*?</form>|<details.*?</details>|<a class=.button.*?</a>", " ", row, flags=re.S)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", row).split()))


def form_of(person, address, path="/customers/1001/contacts"):
    """What the button at that address sends."""
    for form in re.findall(r'<form method="post" action="/contacts/.*?</form>', person.get(path).text, re.S):
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        if fields.get("address") == address:
            return re.search(r'action="([^"]+)"', form).group(1), fields
    return None


def reached(person, number="1001"):
    return {row["contact"]: row for row in person.get(f"/api/v1/customers/{number}").json["reachable"]}


def test_which_address_is_used_and_why(center, sam):
    assert said(sam, 1) == "Ann yes A mail now goes to ann@example.com. mailed for dispatched, failed"
    assert said(sam, 2).startswith("Bo no No mail goes out: the contact has no address.")
    center.world.ctl("contact", "set", "1", "--email-invalid", "yes", "--as", "kim")
    page = said(sam, 1)
    assert page.startswith("Ann yes A mail now goes to the alternate address, ann@example.net, because the main one is marked "
                           "invalid."), page
    assert re.search(r"ann@example.com is marked invalid since today \d+:\d\d, by kim$", page), page
    center.world.ctl("contact", "set", "1", "--alt-email-invalid", "yes")
    assert said(sam, 1).startswith("Ann no No mail goes out: every address is marked invalid.")


def test_the_servers_words_and_the_mail(center, sam):
    world = center.world
    smtp = smtp_peer.start(world)
    smtp.answers["rcpt"] = lambda session, line: "550 5.1.1 no such user here" if "ann@example.com>" in line else None
    world.start_daemon()
    world.xadd("jobs:events", id="e1", type="job.failed", job="j1", customer="1001")
    wait_outcome(world, "e1", "sent")
    wait_until(lambda: world.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"], "the mark")
    page = said(sam, 1)
    assert "after the mail server refused it: 550 5.1.1 no such user here" in page, page
    (mark,) = reached(center.bearer("sam"))[1]["marks"]
    assert (mark["which"], mark["words"], mark["by"], mark["by_hand"]) == (
        "email", "550 5.1.1 no such user here", "dispatchd", False)
    world.ctl("contact", "set", "1", "--alt-email", "")
    world.ctl("contact", "set", "1", "--email-invalid", "no")
    world.xadd("jobs:events", id="e2", type="job.failed", job="j2", customer="1001")
    wait_outcome(world, "e2", "failed")
    wait_until(lambda: world.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"], "the mark")
    (mark,) = reached(center.bearer("sam"))[1]["marks"]
    assert f'<a href="/mails/{mark["mail"]}">that mail</a>' in sam.get("/customers/1001/contacts").text
    assert sam.get(f"/mails/{mark['mail']}").status == 200


def test_what_a_site_inherits(center, sam):
    page = said(sam, 1, "/customers/1002/contacts")
    assert page.endswith("inherited from 1001") and "ann@example.com" in page
    assert 'id="reached-2"' not in sam.get("/customers/1002/contacts").text
    rows = reached(center.bearer("rita"), "1002")
    assert list(rows) == [1] and rows[1]["inherited"] and rows[1]["customer"] == "1001"
    assert rows[1]["address"] == "ann@example.com" and rows[1]["which"] == "email" and rows[1]["reason"] == "ok"
    path, fields = form_of(sam, "ann@example.com", "/customers/1002/contacts")
    answer = sam.submit(path, fields)
    assert (answer.status, answer.headers["Location"]) == (303, "/customers/1002/contacts")
    assert reached(center.bearer("rita"), "1002")[1]["which"] == "alt_email"


def test_mark_and_unmark(center, sam):
    path, fields = form_of(sam, "ann@example.com")
    assert fields["marked"] == "yes"
    page = sam.get("/customers/1001/contacts").text
    assert "dispatchctl contact set 1 --email-invalid yes" in page
    assert sam.submit(path, fields).headers["Location"] == "/customers/1001/contacts"
    contact = center.world.ctl_json("customer", "show", "1001")["contacts"][0]
    assert contact["email_invalid"] and contact["email_invalid_why"] == "marked by hand"
    assert said(sam, 1).endswith(", by sam")
    page = sam.get("/customers/1001/contacts").text
    assert "dispatchctl contact set 1 --email-invalid no" in page
    path, fields = form_of(sam, "ann@example.com")
    assert fields["marked"] == "no" and sam.submit(path, fields).status == 303
    contact = center.world.ctl_json("customer", "show", "1001")["contacts"][0]
    assert contact["email_invalid"] is None and contact["email_invalid_why"] is None
    last = center.world.ctl_json("customer", "history", "1001")[-1]
    assert (last["user"], last["kind"], last["action"]) == ("sam", "contact", "set")
    for odd in ({"which": "phone"}, {"marked": "perhaps"}):
        assert sam.submit(path, {**fields, **odd}).status == 422


def test_another_address_is_never_marked(center, sam):
    path, fields = form_of(sam, "ann@example.com")
    center.world.ctl("contact", "set", "1", "--email", "new@example.com")
    answer = sam.submit(path, fields)
    assert answer.status == 409 and "Nothing was marked" in answer.text
    assert center.world.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"] is None


def test_a_reader_sees_it_and_changes_nothing(center, sam):
    path, fields = form_of(sam, "ann@example.com")
    rita = center.log_in("rita")
    assert said(rita, 1).startswith("Ann yes A mail now goes to ann@example.com.")
    assert form_of(rita, "ann@example.com") is None and "dispatchctl contact set" not in rita.get("/customers/1001/contacts").text
    assert rita.submit(path, {**fields, "token": rita.form_token()}).status == 403
    assert sam.submit(path, {**fields, "token": "x"}).status == 403
    assert center.world.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"] is None


def test_its_description(center):
    schemas = center.ask("GET", "/api/v1/openapi.json").json["components"]["schemas"]
    assert schemas["customer"]["properties"]["reachable"]["items"] == {"$ref": "#/components/schemas/reachable"}
    row = reached(center.bearer("rita"))[1]
    assert set(schemas["reachable"]["properties"]) == set(row)
    center.world.ctl("contact", "set", "1", "--email-invalid", "yes")
    (mark,) = reached(center.bearer("rita"))[1]["marks"]
    assert set(schemas["reachable"]["properties"]["marks"]["items"]["properties"]) == set(mark)


# ---- a test mail

@pytest.fixture
def smtp(center):
    peer = smtp_peer.start(center.world)
    center.world.start_daemon()
    return peer


def test_a_test_mail(center, sam, smtp):
    page = sam.get("/customers/1001/contacts").text
    assert '<a class="button small" href="/contacts/1/test?which=email">' in page
    page = sam.get("/contacts/1/test?which=email").text
    assert "Send a test mail to ann@example.com?" in page and "dispatchctl relay test --to ann@example.com" in page
    answer = sam.submit("/contacts/1/test", {"which": "email", "address": "ann@example.com"})
    assert answer.status == 200 and "The test mail was accepted." in answer.text
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", answer.text, re.S)]
    assert [row[0] for row in rows] == ["Name", "Connection", "Greeting", "EHLO", "MAIL", "RCPT", "The"], rows
    (mail,) = smtp.wait_mails(1)
    assert mail.recipients == ["ann@example.com"]
    assert "relay test begins by=sam to=ann@example.com" in center.world.daemon.log()
    sam.submit("/contacts/1/test", {"which": "alt_email", "address": "ann@example.net"})
    assert smtp.wait_mails(2)[1].recipients == ["ann@example.net"]
    assert center.world.ctl_json("mail", "list") == []


def test_a_test_mail_that_is_refused(center, sam, smtp):
    smtp.answers["rcpt"] = "550 5.1.1 no <such> user"
    answer = sam.submit("/contacts/1/test", {"which": "email", "address": "ann@example.com"})
    assert answer.status == 200 and "A relay did not accept the test mail" in answer.text
    assert "550 5.1.1 no &lt;such&gt; user" in answer.text and "failed</span>" in answer.text
    assert center.world.ctl_json("customer", "show", "1001")["contacts"][0]["email_invalid"] is None, "it marks nothing"


def test_who_may_send_a_test_mail_and_where(center, sam, smtp):
    rita = center.log_in("rita")
    assert "/contacts/1/test" not in rita.get("/customers/1001/contacts").text
    assert rita.get("/contacts/1/test?which=email").status == 403
    fields = {"which": "email", "address": "ann@example.com"}
    assert rita.submit("/contacts/1/test", fields).status == 403
    assert sam.submit("/contacts/1/test", {**fields, "token": "x"}).status == 403
    assert sam.submit("/contacts/1/test", {**fields, "address": "else@example.com"}).status == 409
    assert sam.submit("/contacts/1/test", {**fields, "which": "phone"}).status == 422
    assert sam.get("/contacts/2/test?which=email").status == 422 and sam.get("/contacts/99/test?which=email").status == 404
    assert smtp.mails == [] and smtp.count == 0


def test_a_test_mail_without_a_daemon(center, sam):
    answer = sam.submit("/contacts/1/test", {"which": "email", "address": "ann@example.com"})
    assert answer.status == 503 and "can't reach dispatchd" in html.unescape(answer.text), answer.text
