# SPDX-License-Identifier: MIT
"""dispatch-center among strangers: scripts in every field, other sites, odd paths, slow and huge requests."""
import re
import socket
import time

import pytest

from center import PASSWORD, Center
from test_center_api import multipart, upload
from world import PATIENCE

EVIL = '"><script>alert(1)</script>{{page.token}}{{{name}}}'


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple Bakery", "--timezone", "UTC")
    center = Center(world)
    for role in ("reader", "clerk", "manager", "admin"):
        center.add(role, role)
    return center.start()


# ---- scripts

def texts_of(schema):
    """Every field that takes any text."""
    return [name for name, field in schema["properties"].items()
            if field.get("type") in ("string", ["string", "null"]) and "format" not in field and "enum" not in field
            and not field.get("readOnly")]


def plant(mona, number):
    """A script in every field of every kind, and as a file's name."""
    schemas = mona.get("/api/v1/openapi.json").json["components"]["schemas"]
    stored = {}
    for name in texts_of(schemas["customer"]):
        if name in ("number", "parent", "timezone", "locale", "status", "kind"):
            continue
        version = str(mona.get(f"/api/v1/customers/{number}").json["version"])
        answer = mona.send("PATCH", f"/api/v1/customers/{number}", {name: EVIL[:60]}, {"If-Match": version})
        stored[f"customer {name}"] = answer.status
    for plural, kind in (("contacts", "contact"), ("notes", "note"), ("comments", "comment"), ("assets", "asset"),
                         ("third-parties", "third-party"), ("activities", "activity"), ("quotes", "quote"),
                         ("sales", "sale"), ("suspensions", "suspension"), ("reps", "rep"),
                         ("system-types", "system-type")):
        for name in texts_of(schemas[kind]):
            values = {required: "x" for required in schemas[kind].get("required", [])}
            values[name] = EVIL[:60]
            path = f"/api/v1/{plural}" if kind in ("rep", "system-type") else f"/api/v1/customers/{number}/{plural}"
            stored[f"{kind} {name}"] = mona.send("POST", path, values).status
    assert sum(status in (200, 201) for status in stored.values()) > 40, stored
    upload(mona, f"/api/v1/customers/{number}/documents", [(EVIL[:60], b"text")], description=EVIL)


TABS = ("contacts", "hours", "notes", "comments", "documents", "pictures", "systems", "assets", "third-parties",
        "activities", "quotes", "sales", "suspensions", "related", "history", "plot")


def test_no_field_brings_a_script_into_a_page(center):
    mona = center.bearer("manager")
    plant(mona, "1001")
    evil_number = "X<b>\"'&/1"
    assert mona.send("POST", "/api/v1/customers", {"number": evil_number, "name": EVIL}).status == 201
    admin = center.log_in("admin")
    pages = ["/", "/?q=script", "/customers/1001", "/records/reps", "/records/system-types", "/users",
             "/customers/X%3Cb%3E%22%27%26%2F1", "/today", "/jobs", "/mails", "/mails/reports", "/dead", "/holds"]
    pages += [f"/customers/1001/{tab}" for tab in TABS]
    for path in pages:
        answer = admin.get(path)
        assert answer.status == 200, path
        assert "<script>alert" not in answer.text and "<b>\"" not in answer.text, path
        token = re.search(r'name="token" value="([^"]+)"', answer.text).group(1)
        assert f"{{{{page.token}}}}{token}" not in answer.text and f"script&gt;{token}" not in answer.text, path
        assert "unsafe" not in answer.headers["Content-Security-Policy"], path
    assert "&lt;script&gt;alert" in admin.get("/customers/1001").text


def test_what_is_searched_for_stays_text(center):
    page = center.log_in("reader").get("/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert page.status == 200 and "<script>alert" not in page.text


# ---- other sites, other sessions

def test_a_login_takes_over_no_session(center):
    """Whoever plants a cookie before the login doesn't share what comes after."""
    planted = center.log_in("reader").headers["Cookie"]
    answer = center.ask("POST", "/login", f"name=admin&password={PASSWORD.replace(' ', '+')}",
                        {"Content-Type": "application/x-www-form-urlencoded", "Cookie": planted,
                         "Sec-Fetch-Site": "same-origin"})
    assert answer.status == 303 and answer.cookie() != planted
    assert center.ask("GET", "/users", headers={"Cookie": planted}).status == 303


FOREIGN = [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
           {"Origin": "null"}, {}]


def test_other_sites_change_nothing(center):
    sam = center.log_in("clerk")
    token = sam.form_token()
    body, kind = multipart({"token": token, "description": "x"}, [("a", b"x")])
    for headers in FOREIGN:
        headers = {**sam.headers, **headers}
        for path, fields in (("/customers/1001/notes", {"text": "x"}), ("/account/token", {"what": "new"}),
                             ("/customers/1001/resume", {})):
            assert center.form(path, {"token": token, **fields}, headers).status == 403, (path, headers)
        assert center.ask("POST", "/customers/1001/documents", body, {**kind, **headers}).status == 403, headers
        assert center.ask("POST", "/api/v1/customers/1001/notes", {"text": "x"}, headers).status == 403, headers
    assert center.bearer("clerk").get("/api/v1/customers/1001/notes").json["notes"] == []


def test_a_reader_may_change_nothing_over_the_api(center):
    rita = center.bearer("reader")
    paths = rita.get("/api/v1/openapi.json").json["paths"]
    tried = 0
    for path, operations in paths.items():
        concrete = re.sub(r"\{(\w+)\}", lambda m: {"number": "1001"}.get(m.group(1), "1"), path)
        for method in operations:
            if method == "get" or path == "/explain":
                continue
            answer = rita.send(method.upper(), f"/api/v1{concrete}", {}, {"If-Match": "1"})
            assert answer.status == 403, (method, path, answer.text)
            tried += 1
    assert tried > 50


# ---- paths

ODD = ["/assets/../center.db", "/assets/%2e%2e/center.db", "/assets/%2e%2e%2fcenter.db", "/assets/..%5ccenter.db",
       "/assets//etc/passwd", "/assets/style.css%00.html", "/assets/", "/customers/%00", "/customers/%ff", "/customers/%",
       "/api/v1//customers", "/api/v1/documents/..%2f..%2fcenter.db/content", "/customers/1001/../../users",
       "/api/v1/documents/1/content", "//users", "/customers/" + "x" * 5000]


def test_odd_paths_lead_nowhere(center):
    rita = center.log_in("reader")
    for path in ODD:
        answer = rita.get(path)
        assert answer.status in (400, 404), (path[:80], answer.status)
        assert b"SQLite" not in answer.body and b"root:" not in answer.body, path


# ---- slow and huge requests

def connect(center):
    host, port = center.address.rsplit(":", 1)
    client = socket.create_connection((host, int(port)), timeout=60 * PATIENCE)
    return client


def test_slow_requests_hold_nobody(center):
    """More of them than the server has threads."""
    slow = []
    for n in range(20):
        client = connect(center)
        head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        client.sendall(head[: 20 + n * 3] if n % 2 else head + b"Content-Length: 1000\r\n\r\nname=")
        slow.append(client)
    rita = center.bearer("reader")
    for _ in range(5):
        assert rita.get("/api/v1/customers?q=maple").status == 200
    for client in slow:
        client.close()


@pytest.mark.long
def test_a_request_that_never_ends_is_cut_off(center):
    client = connect(center)
    client.sendall(b"GET /login HTTP/1.1\r\nHost: localhost\r\n")
    begin = time.monotonic()
    assert client.recv(1) == b""
    assert time.monotonic() - begin > 5
    assert center.ask("GET", "/login").status == 200


BROKEN = {
    "a long header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    "a negative length": b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "no length": b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9e9\r\n\r\n",
    "a broken chunk": b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "empty lines": b"\r\n" * 5000,
    "no such version": b"GET / HTTP/9.9\r\n\r\n",
    "no path": b"GET\r\n\r\n",
}


def test_broken_requests_are_refused(center):
    for what, text in BROKEN.items():
        client = connect(center)
        client.settimeout(1)  # what waits for more is cut off later
        try:
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(4096)
            assert answer == b"" or answer[:9] in (b"HTTP/1.1 ", b"HTTP/1.0 ") and answer[9:10] in b"345", what
        except OSError:
            pass  # refused without a word
        client.close()
        assert center.ask("GET", "/login").status == 200, what


def test_a_body_over_the_limit_is_refused_before_it_came(center):
    sam = center.log_in("clerk")
    client = connect(center)
    client.sendall((f"POST /customers/1001/notes HTTP/1.1\r\nHost: localhost\r\nCookie: {sam.headers['Cookie']}\r\n"
                    "Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                    "Content-Length: 9000000000\r\nExpect: 100-continue\r\n\r\n").encode())
    assert client.recv(4096).split(b"\r\n")[0].split()[1] == b"413"
