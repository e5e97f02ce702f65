# SPDX-License-Identifier: MIT
"""dispatch-center's pages for one's account, for an admin, for held jobs and for files."""
import html
import re

import pytest

from center import PASSWORD, Center
from kit import wait_outcome
from test_center_api import PNG, multipart

ROLES = ("reader", "clerk", "manager", "admin")


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple Bakery", "--timezone", "UTC")
    center = Center(world)
    for role in ROLES:
        center.add(role, role)
    return center.start()


def fault(page):
    found = re.search(r'<p class="fault" role="alert">(.*?)</p>', page.text)
    return html.unescape(found.group(1)) if found else None


# ---- one's own account

def test_a_new_password_of_ones_own(center):
    rita = center.log_in("reader")
    other = center.log_in("reader")
    wrong = rita.submit("/account/password", {"current": "nonsense", "password": "another long one"})
    assert wrong.status == 422 and fault(wrong) == "The current password is wrong."
    short = rita.submit("/account/password", {"current": PASSWORD, "password": "short"})
    assert short.status == 422 and "10" in fault(short)
    done = rita.submit("/account/password", {"current": PASSWORD, "password": "another long one"})
    assert done.status == 303 and done.headers["Location"] == "/account"
    assert other.get("/account").status == 303
    rita.headers["Cookie"] = done.cookie()
    assert rita.get("/account").status == 200
    assert center.form("/login", {"name": "reader", "password": PASSWORD}).status == 401
    assert center.log_in("reader", "another long one")


def test_a_token_of_ones_own(center):
    rita = center.log_in("reader")
    made = rita.submit("/account/token", {"what": "new"})
    token = re.search(r"shown this once: <code>([\w-]+)</code>", made.text).group(1)
    headers = {"Authorization": f"Bearer {token}"}
    assert center.ask("GET", "/api/v1/customers", headers=headers).status == 200
    assert token not in rita.get("/account").text
    assert rita.submit("/account/token", {"what": "revoke"}).status == 303
    assert center.ask("GET", "/api/v1/customers", headers=headers).status == 401


def test_sessions_are_ended_one_by_one(center):
    rita, other, sam = center.log_in("reader"), center.log_in("reader"), center.log_in("clerk")
    page = rita.get("/account").text
    (end,) = re.findall(r'action="(/account/sessions/\d+/end)"', page)
    assert "this one" in page
    assert sam.submit(end, {}).status == 303
    assert other.get("/account").status == 200, "somebody else's session was ended"
    assert rita.submit(end, {}).status == 303
    assert other.get("/account").status == 303 and rita.get("/account").status == 200


# ---- an admin's

def test_a_user_is_added_and_sets_a_password_by_the_link(center):
    admin = center.log_in("admin")
    made = admin.submit("/users", {"name": "zoe", "role": "clerk"})
    link = re.search(r"<code>http://[^/]+(/password/[\w-]+)</code>", made.text).group(1)
    assert center.form(link, {"password": "a long password"}).status == 303
    assert center.log_in("zoe", "a long password").get("/customers/1001").status == 200
    again = admin.submit("/users", {"name": "zoe", "role": "clerk"})
    assert again.status == 422 and fault(again) == 'there is an account "zoe" already'
    bad = admin.submit("/users", {"name": "Zo<b>e", "role": "clerk"})
    assert bad.status == 422 and "<b>" not in bad.text and "Zo&lt;b&gt;e" in bad.text


def test_roles_links_tokens_and_removal(center):
    admin, sam = center.log_in("admin"), center.log_in("clerk")
    assert admin.submit("/users/clerk/role", {"role": "reader"}).status == 303
    assert sam.get("/").status == 303, "the session outlived the role"
    last = admin.submit("/users/admin/role", {"role": "clerk"})
    assert last.status == 422 and fault(last) == '"admin" is the last admin'
    assert fault(admin.submit("/users/admin/remove", {})) == '"admin" is the last admin'
    assert admin.submit("/users/clerk/role", {"role": "king"}).status == 422
    token = center.token("manager")
    assert admin.submit("/users/manager/revoke", {}).status == 303
    assert center.ask("GET", "/api/v1/reps", headers={"Authorization": f"Bearer {token}"}).status == 401
    assert "Remove the account manager?" in admin.get("/users/manager/remove").text
    assert admin.submit("/users/manager/remove", {}).status == 303
    assert center.form("/login", {"name": "manager", "password": PASSWORD}).status == 401
    assert admin.submit("/users/nobody/remove", {}).status == 404


def test_who_did_what_is_on_record(center):
    admin = center.log_in("admin")
    center.form("/login", {"name": "clerk", "password": "wrong password"})
    center.form("/login", {"name": "correct horse!", "password": "clerk"})
    sam = center.log_in("clerk")
    sam.submit("/logout", {})
    admin.submit("/users/reader/role", {"role": "clerk"})
    rows = [tuple(re.findall(r"<td>(.*?)</td>", row)[1:3])
            for row in re.findall(r"<tr>.*?</tr>", admin.get("/users").text.partition("Who did what</h2>")[2], re.S)]
    rows = [row for row in rows if row]
    assert rows == [("admin", "account: reader is clerk"), ("clerk", "logout"), ("clerk", "login"),
                    ("", "login-failed"), ("clerk", "login-failed"), ("admin", "login")]


# ---- who may not

READING = ["/", "/customers/1001", "/customers/1001/notes", "/customers/1001/documents", "/customers/1001/pictures",
           "/customers/1001/hours", "/customers/1001/history", "/customers/1001/related", "/holds", "/today", "/mails", "/mails/reports", "/dead", "/account"]
CLERKS = ["/customers/1001/notes", "/customers/1001/documents", "/customers/1001/resume", "/holds/1/release",
          "/holds/1/cancel", "/mails/1/retry", "/mails/1/cancel", "/mails/retry", "/mails/cancel", "/holds/release", "/holds/cancel",
          "/dead/1/retry", "/dead/retry", "/edit/customers/1001", "/remove/notes/1", "/status/1001/release"]
MANAGERS = ["/status/1001/approve", "/status/1001/deactivate"]
ADMINS = ["/users", "/users/reader/role", "/users/reader/link", "/users/reader/revoke", "/users/reader/remove"]


def test_pages_by_role(center):
    people = {role: center.log_in(role) for role in ROLES}
    for path in READING:
        for role in ROLES:
            assert people[role].get(path).status == 200, (role, path)
        assert center.ask("GET", path).status == 303, path
    before = center.world.ctl("customer", "history", "1001", "--json").stdout
    for path in CLERKS + ADMINS:
        assert people["reader"].submit(path, {}).status == 403, path
    for path in MANAGERS + ADMINS:
        assert people["clerk"].submit(path, {}).status in (403,), path
    for path in ADMINS:
        assert people["manager"].submit(path, {}).status == 403, path
        assert center.form(path, {}).status in (303, 403), path
    assert center.world.ctl("customer", "history", "1001", "--json").stdout == before
    assert people["manager"].get("/users").status == 403 and people["admin"].get("/users").status == 200


# ---- systems and their secrets

def test_a_systems_own_fields_and_secrets(world, center):
    key = world.path("key")
    with open(key, "w", encoding="ascii") as file:
        file.write("ab" * 32)
    center.stop()
    world.configure(customers={"key_file": key})
    center.start()
    admin, mona, sam = (center.log_in(name) for name in ("admin", "manager", "clerk"))
    assert admin.submit("/records/system-types", {"name": "gate"}).status == 303
    for name, secret in (("code", "yes"), ("model", None), ("version", None)):
        fields = {"name": name, **({"secret": secret} if secret else {})}
        assert admin.submit("/parts/system-types/gate/system-fields", fields).status == 303
    assert '<option value="gate">gate</option>' in sam.get("/customers/1001/systems").text
    made = sam.submit("/customers/1001/systems", {"type": "gate", "label": "Main gate", "code": "4711", "model": "G2",
                                                      "field.version": "2.1"})
    assert made.status == 303, made.text
    (system,) = world.ctl_json("system", "list", "1001")
    assert system["fields"] == {"code": "******", "model": "G2", "version": "2.1"}
    edit = f"/edit/systems/{system['id']}"
    form = sam.fill(edit, model="G3", **{"field.version": "2.2"})
    assert form["code"] == [""] and form["secret"] == ["code"]
    assert sam.submit(edit, form).status == 303
    shown = world.ctl_json("system", "show", system["id"], "--reveal")
    assert shown["fields"] == {"code": "4711", "model": "G3", "version": "2.2"}
    reveal = f"/reveal/systems/{system['id']}"
    assert "Show secrets" not in sam.get("/customers/1001/systems").text
    assert sam.submit(reveal, {}).status == 403 and mona.get(reveal).status == 405
    assert "Show secrets" in mona.get("/customers/1001/systems").text
    seen = mona.submit(reveal, {})
    assert seen.status == 200 and "<dd>4711</dd>" in seen.text and seen.headers["Cache-Control"] == "no-store"
    assert f"secret: system {system['id']} of 1001" in admin.get("/users").text
    history = world.ctl_json("customer", "history", "1001")
    assert (history[-1]["user"], history[-1]["action"]) == ("manager", "reveal")


# ---- held jobs

def test_a_held_job_is_released_from_the_page(world, center):
    world.start_daemon()
    world.ctl("suspend", "1001", "--note", "unpaid")
    for n in (1, 2):
        world.xadd("jobs:requests", id=f"r{n}", type="job.dispatch", job=f"h{n}", customer="1001")
        wait_outcome(world, f"r{n}", "held")
    sam = center.log_in("clerk")
    page = sam.get("/holds").text
    assert "h1" in page and "suspended" in page
    first, second = re.findall(r'action="(/holds/\d+/release)"', page)
    assert sam.submit(first, {"note": "go on", "next": "/customers/1001"}).headers["Location"] == "/customers/1001"
    assert wait_outcome(world, "r1", "released")["note"] == "clerk: go on"
    again = sam.submit(first, {})
    assert again.status == 409 and fault(again)
    assert sam.submit(second.replace("release", "cancel"), {"next": "//evil.example"}).headers["Location"] == "/holds?cancelled=1"
    wait_outcome(world, "r2", "cancelled")
    assert "No job is held." in sam.get("/holds").text
    assert world.daemon.stop() == 0
    gone = sam.submit(first, {})
    assert gone.status == 503 and "dispatchd" in fault(gone)


# ---- files

def test_files_by_the_form(center):
    sam = center.log_in("clerk")
    token = sam.form_token()
    body, headers = multipart({"token": token, "description": "the <gate>"}, [("a.png", PNG), ("b.png", PNG)])
    headers["Sec-Fetch-Site"] = "same-origin"
    answer = sam.send("POST", "/customers/1001/pictures", body, headers)
    assert answer.status == 303 and answer.headers["Location"] == "/customers/1001/pictures"
    page = sam.get("/customers/1001/pictures").text
    assert page.count('alt="the &lt;gate&gt;"') == 2
    for label in ("File", "Description"):
        assert f"<label>{label} <input" in page
    assert ">Upload</button>" in page
    body, headers = multipart({"token": "wrong", "description": "x"}, [("a.png", PNG)])
    assert sam.send("POST", "/customers/1001/pictures", body, headers).status == 403
    body, headers = multipart({"token": token, "description": ""}, [("a.txt", b"text")])
    nameless = sam.send("POST", "/customers/1001/documents", body, headers)
    assert nameless.status == 422 and "description" in fault(nameless)
    body, headers = multipart({"token": token, "description": "x"}, [("a.txt", b"text")])
    text = sam.send("POST", "/customers/1001/pictures", body, headers)
    assert text.status == 422 and "not a picture" in fault(text)


def test_a_file_name_is_shown_and_nothing_else(center):
    sam = center.log_in("clerk")
    body, headers = multipart({"token": sam.form_token(), "description": "x"},
                              [("<b onclick=x>bold.txt", b"text")])
    assert sam.send("POST", "/customers/1001/documents", body, headers).status == 303
    page = sam.get("/customers/1001/documents").text
    assert "<b onclick" not in page and "&lt;b onclick=x&gt;bold.txt" in page and "4 bytes" in page
