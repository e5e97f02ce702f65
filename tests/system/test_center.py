# SPDX-License-Identifier: MIT
"""dispatch-center: who may come in, what a request must bring, and the records over the API."""
import contextlib
import http.client
import os
import re
import signal
import sqlite3
import ssl
import stat
import subprocess

import pytest

from center import PASSWORD, Center
from smtp_peer import make_certificate
from world import PATIENCE, wait_until


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple Bakery", "--email", "ann@example.com", "--city", "Denver",
              "--timezone", "UTC")
    return Center(world)


# ---- accounts

def test_accounts_by_hand(center):
    center.add("sam")
    link = center.user("add", "boss", "--role", "admin").stdout.strip()
    assert "/password/" in link
    lines = center.user("list").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["boss", "admin"], ["sam", "clerk"]]
    assert "no password yet" in lines[0] and "no password yet" not in lines[1]
    mode = stat.S_IMODE(os.stat(center.world.path("center.db")).st_mode)
    assert mode == 0o600
    center.user("role", "sam", "manager")
    assert "manager" in center.user("list").stdout
    center.user("remove", "sam")
    assert "sam" not in center.user("list").stdout


@pytest.mark.parametrize("args, status, words", [
    (["add", "Sam", "--role", "clerk"], 65, "a-z 0-9"),
    (["add", "sam", "--role", "king"], 65, "reader, clerk, manager or admin"),
    (["add", "sam"], 64, "--role"),
    (["add", "boss", "--role", "clerk"], 65, "already"),
    (["role", "boss", "clerk"], 65, "last admin"),
    (["remove", "boss"], 65, "last admin"),
    (["remove", "nobody"], 66, "no account"),
    (["fly"], 64, "usage"),
    ([], 64, "usage"),
    (["list", "--role", "clerk"], 64, "usage"),
])
def test_faults_of_account_commands(center, args, status, words):
    center.add("boss", "admin")
    done = center.user(*args, check=False)
    assert done.returncode == status, done
    assert words in done.stderr and done.stdout == ""


def test_a_short_password_is_refused(center):
    done = center.user("add", "sam", "--role", "clerk", "--password-file", "-", stdin="short\n", check=False)
    assert done.returncode == 65 and "10 characters" in done.stderr
    assert center.user("list").stdout == ""


def test_a_link_sets_a_password_once(center):
    link = center.user("add", "sam", "--role", "reader").stdout.strip()
    path = "/password/" + link.rsplit("/", 1)[1]
    center.start()
    assert "sam" in center.ask("GET", path).text
    assert center.form(path, {"password": "short"}).status == 400
    assert center.form(path, {"password": PASSWORD}).status == 303
    assert center.form(path, {"password": PASSWORD}).status == 404
    assert center.ask("GET", path).status == 404
    assert center.log_in("sam").get("/").status == 200


def test_accounts_of_somebody_else_are_not_used(center):
    """The folder is the office's, too: what lies there first need not be the center's."""
    center.add("sam")
    path = center.world.path("center.db")
    os.chmod(path, 0o640)
    done = center.run("-t", check=False)
    assert done.returncode == 77 and "chmod 600" in done.stderr
    os.chmod(path, 0o600)
    assert center.run("-t").returncode == 0
    if os.geteuid() != 0:
        pytest.skip("another user's file is root's to make")
    os.chown(path, 65534, -1)
    done = center.run(check=False)
    assert done.returncode == 77 and "another user" in done.stderr


# ---- coming in

def test_login_and_logout(center):
    center.add("sam")
    center.start()
    answer = center.ask("GET", "/customers/A%2F1?x=1")
    assert answer.status == 303 and answer.headers["Location"] == "/login?next=%2Fcustomers%2FA%252F1%3Fx%3D1"
    assert 'name="next" value="/customers/A%2F1?x=1"' in center.ask("GET", answer.headers["Location"]).text
    assert center.ask("GET", "/").headers["Location"] == "/login"
    assert center.ask("GET", "/login").status == 200
    wrong = center.form("/login", {"name": "sam", "password": "wrong"})
    assert wrong.status == 401 and "Set-Cookie" not in wrong.headers
    right = center.form("/login", {"name": "sam", "password": PASSWORD})
    assert right.status == 303 and right.headers["Location"] == "/"
    assert "HttpOnly" in right.headers["Set-Cookie"] and "SameSite=" in right.headers["Set-Cookie"]
    sam = center.log_in("sam")
    assert "sam" in sam.get("/").text
    assert sam.submit("/logout", {}).status == 303
    assert sam.get("/").status == 303


def test_a_login_leads_to_where_one_wanted_to_go_but_to_no_other_site(center):
    center.add("sam")
    center.start()
    for wanted, got in (("/customers/1001", "/customers/1001"), ("//evil.example/", "/"),
                        ("https://evil.example/", "/"), ("/\\evil.example", "/")):
        answer = center.form("/login", {"name": "sam", "password": PASSWORD, "next": wanted})
        assert answer.headers["Location"] == got


def test_wrong_passwords_have_to_wait_and_a_restart_forgets_nothing(center):
    center.add("sam")
    center.start()
    for _ in range(5):
        assert center.form("/login", {"name": "sam", "password": "wrong"}).status == 401
    answer = center.form("/login", {"name": "sam", "password": PASSWORD})
    assert answer.status in (429, 303)  # on a slow machine the second may be over
    for name in ("sam", "nobody"):
        for _ in range(12):
            answer = center.form("/login", {"name": name, "password": "wrong"})
            if answer.status == 429:
                break
    assert answer.status == 429 and int(answer.headers["Retry-After"]) >= 1


def test_a_new_password_or_role_ends_sessions(center):
    center.add("sam")
    center.start()
    sam = center.log_in("sam")
    center.user("role", "sam", "reader")
    assert sam.get("/").status == 303
    sam = center.log_in("sam")
    center.user("password", "sam", "--password-file", "-", stdin="another horse battery\n")
    assert sam.get("/").status == 303


def test_a_session_is_nobodys_who_made_up_a_cookie(center):
    center.add("sam")
    center.start()
    fixed = "dispatch=" + "A" * 43
    answer = center.form("/login", {"name": "sam", "password": PASSWORD}, {"Cookie": fixed})
    assert answer.cookie() != fixed
    assert center.ask("GET", "/", headers={"Cookie": fixed}).status == 303


def test_over_tls_the_cookie_is_the_hosts_alone(center):
    center.world.configure(center={"url": "https://center.example.com"})
    center.add("sam")
    center.start()
    answer = center.form("/login", {"name": "sam", "password": PASSWORD}, {"Host": "center.example.com"})
    assert answer.status == 303
    assert answer.headers["Set-Cookie"].startswith("__Host-") and "; Secure" in answer.headers["Set-Cookie"]


def test_tls_of_its_own(center):
    pem = make_certificate(center.world.directory, None, ["localhost"])
    center.world.configure(center={"tls_cert": pem, "tls_key": pem})
    center.add("sam")
    center.start()
    context = ssl.create_default_context(cafile=pem)
    port = int(center.address.rpartition(":")[2])
    connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=30 * PATIENCE)
    connection.request("POST", "/login", f"name=sam&password={PASSWORD.replace(' ', '+')}",
                       {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://localhost:{port}"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 303 and answer.getheader("Set-Cookie").startswith("__Host-dispatch=")
    connection.close()
    plain = http.client.HTTPConnection("localhost", port, timeout=30 * PATIENCE)
    with pytest.raises((http.client.HTTPException, OSError)):
        plain.request("GET", "/login")
        plain.getresponse()
    center.world.configure(center={"tls_key": None})
    assert center.run("-t", check=False).returncode == 78


def test_reload(center):
    center.world.configure(center={"listen": f"unix:{center.world.path('center.sock')}"})
    center.start()
    assert center.ask("GET", "/login").status == 200
    center.world.configure(center={"listen": "127.0.0.1:0"})
    center.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "listening on 127" in center.log(), "another address")
    center.address = re.findall(r"listening on (\S+)", center.log())[-1]
    assert center.ask("GET", "/login").status == 200
    for faulty in ({"listen": "nonsense"}, {"listen": "127.0.0.1:0", "tls_cert": "/nowhere"},
                   {"tls_key": "/nowhere"}):
        before = center.log().count("nothing has changed")
        center.world.configure(center=faulty)
        center.process.send_signal(signal.SIGHUP)
        wait_until(lambda n=before: center.log().count("reload refused, nothing has changed") == n + 1, "the refusal")
        assert center.ask("GET", "/login").status == 200
    assert center.stop() == 0


# ---- what a request must bring

def test_other_host_names_are_refused(center):
    center.world.configure(center={"url": "https://center.example.com"})
    center.start()
    for host, status in (("127.0.0.1", 200), ("localhost:1", 200), ("[::1]", 200), ("center.example.com", 200),
                         ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421)):
        assert center.ask("GET", "/healthz", headers={"Host": host}).status == status, host


def test_changes_come_from_our_own_pages(center):
    center.add("sam")
    center.start()
    sam = center.log_in("sam")
    body = {"name": "New"}
    foreign = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
               {"Origin": "null"}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}]
    for headers in foreign:
        answer = center.ask("POST", "/api/v1/customers", {"number": "1", **body}, {**sam.headers, **headers})
        assert answer.status == 403, headers
        answer = center.ask("POST", "/api/v1/customers", {"number": "1", **body},
                            {**center.bearer("sam").headers, **headers})
        assert answer.status == 403, headers
    assert center.ask("POST", "/api/v1/customers", {"number": "1", **body}, sam.headers).status == 403
    for n, headers in enumerate(({"Sec-Fetch-Site": "same-origin"}, {"Origin": f"http://{center.address}"})):
        answer = center.ask("POST", "/api/v1/customers", {"number": f"20{n}", **body}, {**sam.headers, **headers})
        assert answer.status == 201, (headers, answer.text)
    assert center.bearer("sam").send("POST", "/api/v1/customers", {"number": "203", **body}).status == 201


def test_a_form_needs_its_token(center):
    center.add("sam")
    center.start()
    sam = center.log_in("sam")
    headers = {**sam.headers, "Sec-Fetch-Site": "same-origin"}
    assert center.form("/logout", {}, headers).status == 403
    assert center.form("/logout", {"token": "A" * 43}, headers).status == 403
    assert sam.get("/").status == 200
    assert sam.submit("/logout", {}).status == 303


def test_every_answer_has_a_policy_for_the_browser(center):
    center.start()
    for path in ("/login", "/healthz", "/api/v1/customers", "/assets/style.css"):
        headers = center.ask("GET", path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, path
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_proxys_word(world):
    center = Center(world, user_header="X-Remote-User", proxy_user="root")
    assert center.run("-t", check=False).returncode == 78
    if os.geteuid() != 0:
        pytest.skip("the proxy's user is root here")
    world.configure(center={"listen": f"unix:{world.path('center.sock')}"})
    center.add("sam")
    center.start()
    answer = center.ask("GET", "/", headers={"X-Remote-User": "sam"})
    assert answer.status == 200
    again = center.ask("GET", "/", headers={"X-Remote-User": "sam", "Cookie": answer.cookie()})
    assert again.status == 200 and "Set-Cookie" not in again.headers
    with contextlib.closing(sqlite3.connect(world.path("center.db"))) as db:
        assert db.execute("SELECT count(*) FROM session").fetchone() == (1,)
    assert center.ask("GET", "/", headers={"X-Remote-User": "nobody"}).status == 403
    assert center.ask("GET", "/", headers={"X-Remote-User": ""}).status == 400
    assert center.ask("GET", "/").status == 303
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "test", "-w", world.path("center.sock")],
                          check=False)
    assert done.returncode != 0


# ---- the API

@pytest.fixture
def api(center):
    for name, role in (("rita", "reader"), ("carl", "clerk"), ("mona", "manager")):
        center.add(name, role)
    center.start()
    return {name: center.bearer(name) for name in ("rita", "carl", "mona")}


def test_without_a_token_there_is_nothing(center):
    center.start()
    answer = center.ask("GET", "/api/v1/customers/1001")
    assert answer.status == 401 and answer.headers["Content-Type"] == "application/problem+json"
    assert center.ask("GET", "/api/v1/customers", headers={"Authorization": "Bearer x"}).status == 401


def test_a_customer_over_the_api(api):
    carl = api["carl"]
    answer = carl.send("POST", "/api/v1/customers", {"number": "A/1", "name": "Slash", "city": "Reno"})
    assert answer.status == 201 and answer.json["number"] == "A/1"
    found = carl.get("/api/v1/customers?q=slash").json
    assert [(row["number"], row["matched"]["field"]) for row in found["customers"]] == [("A/1", "name")]
    assert found["more"] is False
    one = carl.get("/api/v1/customers/A%2F1")
    assert one.status == 200 and one.json["jobs"]["last"] == [] and one.json["suspension"] is None
    version = str(one.json["version"])
    changed = carl.send("PATCH", "/api/v1/customers/A%2F1", {"city": "Elko"}, {"If-Match": version})
    assert changed.status == 200 and changed.json["city"] == "Elko" and changed.json["version"] > int(version)
    assert carl.send("DELETE", "/api/v1/customers/A%2F1").status == 204
    assert carl.get("/api/v1/customers/A%2F1").status == 404


def test_two_people_at_once(api):
    carl = api["carl"]
    seen = str(carl.get("/api/v1/customers/1001").json["version"])
    path = "/api/v1/customers/1001"
    assert carl.send("PATCH", path, {"city": "Elko"}, {"If-Match": f'"{seen}"'}).status == 200
    conflict = carl.send("PATCH", path, {"city": "Reno"}, {"If-Match": seen})
    assert conflict.status == 409
    assert conflict.json["fields"] == {"city": {"was": "Denver", "yours": "Reno", "theirs": "Elko"}}
    assert carl.get(path).json["city"] == "Elko"
    merged = carl.send("PATCH", path, {"phone": "555 0100"}, {"If-Match": seen})
    assert merged.status == 200 and merged.json["city"] == "Elko"
    assert carl.send("PATCH", path, {"city": "Elko"}, {"If-Match": seen}).status == 200
    assert carl.send("PATCH", path, {"city": "Reno"}).status == 428
    assert carl.send("PATCH", path, {"city": "Reno"}, {"If-Match": "x"}).status == 400


def test_records_of_a_kind(api):
    carl = api["carl"]
    path = "/api/v1/customers/1001/notes"
    ids = [carl.send("POST", path, {"text": f"note {n}"}).json["id"] for n in range(3)]
    page = carl.get(f"{path}?limit=2").json
    assert [row["id"] for row in page["notes"]] == ids[:0:-1] and page["more"] is True
    page = carl.get(f"{path}?limit=2&before={ids[1]}").json
    assert [row["id"] for row in page["notes"]] == ids[:1] and page["more"] is False
    assert carl.get(f"/api/v1/notes/{ids[0]}").json["text"] == "note 0"
    assert carl.send("DELETE", f"/api/v1/notes/{ids[0]}").status == 403
    assert api["mona"].send("DELETE", f"/api/v1/notes/{ids[0]}").status == 204
    history = carl.get(f"/api/v1/notes/{ids[0]}/history").json["history"]
    assert [(row["user"], row["action"]) for row in history] == [("carl", "add"), ("mona", "remove")]


def test_a_suspension_over_the_api(api):
    carl = api["carl"]
    made = carl.send("POST", "/api/v1/customers/1001/suspensions", {"note": "gate closed"})
    assert made.status == 201
    assert carl.get("/api/v1/customers/1001").json["suspension"]["note"] == "gate closed"
    assert carl.get("/api/v1/customers?q=maple").json["customers"][0]["suspended"] is True
    assert carl.send("DELETE", f"/api/v1/suspensions/{made.json['id']}").status == 204
    assert carl.get("/api/v1/customers/1001").json["suspension"] is None


@pytest.mark.parametrize("method, path, body, status", [
    ("GET", "/api/v1/customers/nobody", None, 404),
    ("GET", "/api/v1/unicorns", None, 404),
    ("GET", "/api/v1/contacts", None, 404),
    ("GET", "/api/v1/customers?colour=red", None, 400),
    ("GET", "/api/v1/customers?limit=0", None, 400),
    ("GET", "/api/v1/customers?limit=201", None, 400),
    ("GET", "/api/v1/customers/%zz", None, 400),
    ("GET", "/api/v1/customers/%00", None, 400),
    ("POST", "/api/v1/customers", {"name": "no number"}, 422),
    ("POST", "/api/v1/customers", {"number": "1001", "name": "taken"}, 409),
    ("POST", "/api/v1/customers/1001/contacts", {"email": "no address"}, 422),
    ("PUT", "/api/v1/customers", {}, 405),
])
def test_faults_of_the_api(api, method, path, body, status):
    answer = api["carl"].send(method, path, body)
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status


def test_a_fault_names_its_field(api):
    answer = api["carl"].send("POST", "/api/v1/customers/1001/contacts", {"email": "no address"})
    assert answer.json["errors"][0]["field"] == "email" and "must be a mail address" in answer.json["errors"][0]["detail"]
    answer = api["carl"].send("POST", "/api/v1/customers/1001/contacts", {"email": "b\u00e4cker@example.com"})
    assert answer.status == 422 and "only mail servers with SMTPUTF8 take" in answer.json["errors"][0]["detail"]


def test_bodies_that_are_no_json(api):
    carl = api["carl"]
    assert carl.send("POST", "/api/v1/customers", "{", {"Content-Type": "application/json"}).status == 400
    assert carl.send("POST", "/api/v1/customers", "[]", {"Content-Type": "application/json"}).status == 400
    assert carl.send("POST", "/api/v1/customers", "x=1", {"Content-Type": "text/plain"}).status == 415
    large = '{"name": "' + "x" * 2_000_000 + '"}'
    assert carl.send("POST", "/api/v1/customers", large, {"Content-Type": "application/json"}).status == 413


CHANGING = [
    ("POST", "/api/v1/customers", {"number": "9", "name": "x"}),
    ("PATCH", "/api/v1/customers/1001", {"city": "x"}),
    ("DELETE", "/api/v1/customers/1001", None),
    ("POST", "/api/v1/customers/1001/release", None),
    ("POST", "/api/v1/customers/1001/deactivate", None),
    ("POST", "/api/v1/customers/1001/notes", {"text": "x"}),
    ("POST", "/api/v1/reps", {"name": "x"}),
    ("PATCH", "/api/v1/contacts/1", {"name": "x"}),
    ("DELETE", "/api/v1/contacts/1", None),
    ("PUT", "/api/v1/customers/1001/reps/x", None),
    ("DELETE", "/api/v1/customers/1001/reps/x", None),
]


def test_a_reader_changes_nothing(api, center):
    before = center.world.ctl_json("customer", "show", "1001")
    for method, path, body in CHANGING:
        answer = api["rita"].send(method, path, body, {"If-Match": "0"})
        assert answer.status == 403, (method, path, answer.text)
    assert api["rita"].get("/api/v1/customers/1001").status == 200
    assert center.world.ctl_json("customer", "show", "1001") == before


def test_a_managers_work_is_no_clerks(api):
    assert api["carl"].send("POST", "/api/v1/customers/1001/deactivate").status == 403
    version = str(api["carl"].get("/api/v1/customers/1001").json["version"])
    assert api["carl"].send("PATCH", "/api/v1/customers/1001", {"number": "2002"},
                            {"If-Match": version}).status == 403
    assert api["mona"].send("POST", "/api/v1/customers/1001/deactivate").json["status"] == "inactive"
    assert api["mona"].send("POST", "/api/v1/customers/1001/deactivate").status == 409


# ---- pages

def test_a_customers_page(center):
    center.world.ctl("customer", "add", "A/2", "--name", "<b>Bold</b> & Co", "--location-notes", "\"><script>x</script>")
    center.world.ctl("suspend", "1001", "--note", "barn <i>rebuilt</i>")
    center.add("sam")
    center.start()
    sam = center.log_in("sam")
    hits = sam.get("/?q=bold").text
    assert '/customers/A%2F2"' in hits and "&lt;b&gt;Bold&lt;/b&gt; &amp; Co" in hits
    page = sam.get("/customers/A%2F2").text
    assert "<script>" not in page and "&lt;script&gt;" in page
    page = sam.get("/customers/1001").text
    assert 'role="alert">Suspended' in page and "&lt;i&gt;rebuilt" in page
    for region in ("Contact and location", "Assets and scheduled jobs", "Recent jobs"):
        assert f'aria-label="{region}"' in page
    assert sam.get("/customers/nobody").status == 404


def test_suspend_and_resume_by_hand(center):
    center.add("sam")
    center.start()
    sam = center.log_in("sam")
    form = sam.get("/customers/1001/suspensions").text
    for name in ("from", "until", "scopes", "note", "indefinite"):
        assert f'name="{name}"' in form
    assert sam.submit("/customers/1001/suspensions", {"note": "gate closed", "scopes": "jobs"}).status == 303
    (row,) = center.world.ctl_json("suspensions", "1001")
    assert (row["note"], row["scopes"], row["until"]) == ("gate closed", ["jobs"], None)
    assert ">Resume<" in sam.get("/customers/1001").text
    assert sam.submit("/customers/1001/resume", {}).status == 303
    assert center.world.ctl_json("suspensions", "1001") == []
    answer = sam.submit("/customers/1001/suspensions", {"note": "x"})
    assert answer.status == 422 and "scopes" in answer.text


def test_a_records_form_follows_from_its_kind(center):
    center.add("sam")
    center.add("rita", "reader")
    center.start()
    sam, rita = center.log_in("sam"), center.log_in("rita")
    assert sam.submit("/customers/1001/contacts", {"name": "Bob <x>", "email": "bob@example.com",
                                                   "notify": "failed"}).status == 303
    bob = center.world.ctl_json("customer", "show", "1001")["contacts"][-1]
    assert (bob["name"], bob["notify"], bob["all_sites"]) == ("Bob <x>", ["failed"], False)
    page = sam.get("/customers/1001/contacts").text
    assert "Bob &lt;x&gt;" in page and f'/edit/contacts/{bob["id"]}' in page
    answer = sam.submit("/customers/1001/contacts", {"name": "Kept", "email": "no address"})
    assert answer.status == 422 and 'value="Kept"' in answer.text and "must be a mail address" in answer.text
    form = sam.get(f'/edit/contacts/{bob["id"]}').text
    version = re.search(r'name="version" value="(\d+)"', form).group(1)
    assert re.search(r'value="failed" checked', form) and not re.search(r'value="paused" checked', form)
    center.world.ctl("contact", "set", bob["id"], "--title", "boss")
    fields = {"version": version, "name": "Bob", "email": "bob@example.com", "notify": "failed"}
    assert sam.submit(f'/edit/contacts/{bob["id"]}', {**fields, "title": "owner"}).status == 409
    assert sam.submit(f'/edit/contacts/{bob["id"]}', fields).status == 303
    saved = center.world.ctl_json("contact", "show", bob["id"])
    assert (saved["name"], saved["title"]) == ("Bob", "boss")
    assert rita.submit("/customers/1001/contacts", {"name": "No"}).status == 403
    assert "<form method=\"post\" class" not in rita.get("/customers/1001/contacts").text
    assert sam.submit(f'/remove/contacts/{bob["id"]}', {"number": "1001"}).status == 303
    assert center.world.ctl("contact", "show", bob["id"], check=False).returncode == 66


def test_a_form_takes_nobodys_change_back(center):
    """It sends all that it shows; what its author left alone stays as somebody else has it by now."""
    center.add("sam")
    center.start()
    sam = center.log_in("sam")
    (ann,) = center.world.ctl_json("customer", "show", "1001")["contacts"]
    path = f'/edit/contacts/{ann["id"]}'
    form = sam.fill(path, name="Ann Lee")
    center.world.ctl("contact", "set", ann["id"], "--title", "boss", "--notify", "failed,paused", "--all-sites")
    assert sam.submit(path, form).status == 303
    saved = center.world.ctl_json("contact", "show", ann["id"])
    assert (saved["name"], saved["title"], saved["notify"], saved["all_sites"]) == (
        "Ann Lee", "boss", ["failed", "paused"], True)
    both = sam.fill(path, title="owner")
    center.world.ctl("contact", "set", ann["id"], "--title", "")
    answer = sam.submit(path, both)
    assert answer.status == 409 and "owner" in answer.text
    assert center.world.ctl_json("contact", "show", ann["id"])["title"] is None


def test_a_customers_own_form(center):
    center.add("sam")
    center.start()
    sam = center.log_in("sam")
    form = sam.get("/edit/customers/1001").text
    assert 'name="city"' in form and 'name="number"' not in form  # a manager's
    version = re.search(r'name="version" value="(\d+)"', form).group(1)
    answer = sam.submit("/edit/customers/1001", {"version": version, "name": "Maple & Sons", "city": "Reno",
                                                 "status": "active"})
    assert answer.status == 303 and answer.headers["Location"] == "/customers/1001"
    assert center.world.ctl_json("customer", "show", "1001")["name"] == "Maple & Sons"


def test_jumps_to_other_systems(center):
    center.world.configure(center={"billing_url": "https://billing.example.com/?a={account}&n={name}&x={nothing}"})
    center.world.ctl("customer", "set", "1001", "--account", "B 7/1")
    center.add("sam")
    center.start()
    page = center.log_in("sam").get("/customers/1001").text
    assert 'href="https://billing.example.com/?a=B%207%2F1&amp;n=Maple%20Bakery&amp;x="' in page
    center.world.configure(center={"map_url": "javascript:alert(1)"})
    done = center.run("-t", check=False)
    assert done.returncode == 78 and "map_url" in done.stderr


def test_it_ends_when_told(center):
    center.start()
    assert center.stop() == 0
