# SPDX-License-Identifier: MIT
"""GET /v1/gate: what the gate would say, without anything happening."""

import grp
import json
import os
import resource
import signal
import socket
import sqlite3
import stat
import time
import urllib.parse

import pytest

from kit import dispatchd
from world import PATIENCE, free_port, wait_until


def gate(world, query=None, status=200, **parameters):
    query = urllib.parse.urlencode(parameters) if query is None else query
    found, headers, body = world.http(f"/v1/gate?{query}")
    assert found == status, (found, body)
    assert headers["Content-Type"] == "application/json"
    return json.loads(body)


def connect(world):
    client = socket.socket(socket.AF_UNIX)
    client.connect(world.path("http.sock"))
    client.settimeout(10 * PATIENCE)
    return client


def request(query, more=""):
    return f"GET /v1/gate?{query} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode()


@pytest.fixture
def bakery(world):
    world.ctl("customer", "add", "1001", "--name", "Example Bakery", "--timezone", "America/Denver")
    world.ctl("hours", "set", "1001", "mon-fri", "07:00-12:00,13:00-17:00")
    world.start_daemon()
    return world


def test_what_it_answers(bakery):
    assert gate(bakery, customer="1001", type="job.create") == {
        "customer": "1001", "type": "job.create", "status": "allowed", "reason": "ok", "outside_hours": False}
    found = gate(bakery, customer="1001", type="job.dispatch", scheduled="2026-12-23T09:30:00-07:00")
    assert (found["status"], found["arrive_by"], found["leave_by"]) == (
        "released", "2026-12-23T07:00:00-07:00", "2026-12-23T12:00:00-07:00")
    found = gate(bakery, customer="1001", type="job.dispatch", scheduled="2026-12-24T03:30:00Z")
    assert found["status"] == "released" and found["outside_hours"] is True
    found = gate(bakery, customer="1001", type="com.example.job.dispatch")
    assert (found["status"], found["type"]) == ("released", "job.dispatch")
    found = gate(bakery, customer="9999", type="job.create")
    assert (found["status"], found["reason"]) == ("denied", "unknown_customer")
    bakery.ctl("suspend", "1001", "--note", "Rebuilding", "--until", "+14d")
    found = wait_until(lambda: gate(bakery, customer="1001", type="job.create")["status"] == "denied" and
                       gate(bakery, customer="1001", type="job.create"), "the suspension", 2)
    assert (found["reason"], found["note"]) == ("suspended", "Rebuilding") and len(found["until"]) == 10
    assert gate(bakery, customer="1001", type="job.dispatch")["status"] == "held"


def test_it_changes_nothing(bakery):
    bakery.ctl("suspend", "1001", "--note", "Rebuilding")
    for _ in range(3):
        gate(bakery, customer="1001", type="job.dispatch")
    assert bakery.outcomes() == []
    assert bakery.ctl_json("hold", "list") == []
    assert bakery.redis.exists("jobs:dispatch") == 0


def test_a_plus_in_a_time_is_its_offset(bakery):
    query = "customer=1001&type=job.dispatch&scheduled=2026-12-23T17:30:00"
    assert gate(bakery, f"{query}+01:00")["outside_hours"] is False
    assert gate(bakery, f"{query}%2B01:00")["outside_hours"] is False
    bakery.ctl("customer", "add", "A 1", "--name", "With a space")
    for spelled in ("A+1", "A%201"):
        assert gate(bakery, f"customer={spelled}&type=job.create")["status"] == "allowed"


@pytest.mark.parametrize("query, fault", [
    ("", "customer"),
    ("customer=1001", "type"),
    ("type=job.create", "customer"),
    ("customer=&type=job.create", "customer"),
    ("customer=1001&type=job.started", "type"),
    ("customer=1001&type=job.create&scheduled=noon", "scheduled"),
    ("customer=1001&type=job.create&scheduled=", "scheduled"),
    ("customer=1001&type=job.create&customer=1002", "twice"),
    ("customer=1001&type=job.create&schedule=2026-12-23T09:30:00Z", "schedule"),
    ("customer=1001&type=job.create&", "&"),
    ("customer=1001&&type=job.create", "parameter"),
    ("customer&type=job.create", "customer"),
    ("customer=10%0&type=job.create", "%"),
    ("customer=10%zz&type=job.create", "%"),
    ("customer=1001%&type=job.create", "%"),
    ("customer=1001%00&type=job.create", "customer"),
    ("customer=10%0a01&type=job.create", "customer"),
    ("customer=%ff&type=job.create", "customer"),
    (f"customer={'1' * 129}&type=job.create", "128"),
])
def test_bad_questions(bakery, query, fault):
    assert fault in gate(bakery, query, 400)["error"]
    assert bakery.http("/v1/gate?customer=1001&type=job.create", method="HEAD")[0] == 200


def test_questions_over_one_connection_and_at_once(bakery):
    with connect(bakery) as client:
        client.sendall(request("customer=1001&type=job.create") * 2 +
                       request("customer=1001&type=job.create", "Connection: close\r\n"))
        with client.makefile("rb") as answers:
            found = answers.read()
    assert found.count(b"HTTP/1.1 200") == 3 and found.count(b'"allowed"') == 3


def test_who_hangs_up_hurts_nobody(bakery):
    for _ in range(100):
        client = connect(bakery)
        client.sendall(request("customer=1001&type=job.dispatch"))
        client.close()
    wait_until(lambda: bakery.http("/v1/gate?customer=1001&type=job.create")[0] == 200, "the burst to be over", 3)
    assert bakery.daemon.process.poll() is None


def test_a_disk_that_is_full(bakery):
    """No turn can be committed: whoever asks hears that at once."""
    pid, limit = bakery.daemon.pid, resource.RLIMIT_FSIZE
    old = resource.prlimit(pid, limit, (0, resource.RLIM_INFINITY))
    bakery.xadd(id="1", type="job.started", job="1", customer="1001")
    wait_until(lambda: bakery.http("/readyz")[0] == 503, "the disk to be found full")
    for _ in range(40):
        assert "spool.db" in gate(bakery, "customer=1001&type=job.create", 503)["error"]
    assert bakery.http("/healthz")[0] == 200
    resource.prlimit(pid, limit, old)
    wait_until(lambda: bakery.http("/v1/gate?customer=1001&type=job.create")[0] == 200, "the disk to have room", 10)
    assert bakery.daemon.stop() == 0


def test_an_engine_that_can_not_answer(bakery):
    """Somebody has the spool's lock: no turn begins. Whoever asks hears it in time, and what waits is bounded."""
    lock = sqlite3.connect(bakery.path("spool.db"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    clients = [connect(bakery) for _ in range(40)]
    began = time.monotonic()
    for client in clients:
        client.sendall(request("customer=1001&type=job.create", "Connection: close\r\n"))
    clients.pop(0).close()  # hangs up before the answer
    found = []
    for client in clients:
        with client, client.makefile("rb") as answers:
            found.append(answers.read())
    assert all(answer.startswith(b"HTTP/1.1 503") for answer in found), "an answer that can't be true"
    assert 2 < time.monotonic() - began < 8 * PATIENCE
    assert sum(b"too many" in answer for answer in found) >= 7, "the engine owes 32 answers"
    lock.execute("ROLLBACK")
    lock.close()
    wait_until(lambda: bakery.http("/v1/gate?customer=1001&type=job.create")[0] == 200, "the lock to be free", 10)
    assert bakery.daemon.stop() == 0


def test_a_stop_answers_who_waits(bakery):
    lock = sqlite3.connect(bakery.path("spool.db"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")  # nobody gets an answer that is true
    with connect(bakery) as client:
        client.sendall(request("customer=1001&type=job.create", "Connection: close\r\n"))
        time.sleep(0.2)
        bakery.daemon.process.terminate()
        bakery.daemon.process.terminate()
        with client.makefile("rb") as answers:
            assert answers.read()[:12] in (b"HTTP/1.1 503", b"")
    bakery.daemon.wait()
    lock.close()


# ---- who may ask: over TCP any user of the host, and any web page that he looks at

QUERY = "/v1/gate?customer=1001&type=job.create"


@pytest.fixture
def port(world):
    """The gate on a port, with a suspended customer and two more names in `hosts`."""
    port = free_port()
    world.configure(http={"listen": f"127.0.0.1:{port}", "hosts": "dispatch.example.com, gate_1"})
    world.ctl("customer", "add", "1001", "--name", "Example Bakery")
    world.ctl("suspend", "1001", "--note", "Owes us 4000", "--until", "+14d")
    world.start_daemon()
    return port


def tell(port, *lines):
    """Status and body for a request of these lines."""
    with socket.create_connection(("127.0.0.1", port), timeout=10 * PATIENCE) as client:
        client.sendall("".join(f"{line}\r\n" for line in (*lines, "Connection: close", "")).encode())
        with client.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def test_over_tcp_a_suspension_keeps_its_note(port):
    status, body = tell(port, f"GET {QUERY} HTTP/1.1", "Host: localhost")
    found = json.loads(body)
    assert (status, found["status"], found["reason"]) == (200, "denied", "suspended")
    assert "note" not in found and "4000" not in body and len(found["until"]) == 10


@pytest.mark.parametrize("host", ["127.0.0.1:{}", "localhost:{}", "LOCALHOST", "localhost.", "[::1]:{}", "192.0.2.1",
                                  "dispatch.example.com", "Dispatch.Example.Com:{}", "gate_1"])
def test_over_tcp_these_hosts_may_ask(port, host):
    assert tell(port, f"GET {QUERY} HTTP/1.1", "Host: " + host.format(port))[0] == 200


@pytest.mark.parametrize("lines", [
    ["Host: evil.example.com"], ["Host: evil.example.com:8925"], ["Host: 127.0.0.1.evil.com"],
    ["Host: localhost.evil.com"], ["Host: "], ["Host: localhost", "Host: evil.example.com"],
    ["Host: evil.example.com", "Host: localhost"], ["Host: localhost", "Host: localhost"],
    ["Host: localhost evil.example.com"], ["X-Forwarded-Host: localhost", "Host: evil.example.com"], []])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_over_tcp_other_hosts_are_misdirected(port, version, lines):
    status, body = tell(port, f"GET {QUERY} HTTP/{version}", *lines)
    assert status == 421 and "suspended" not in body and "hosts" in json.loads(body)["error"]


def test_over_tcp_a_target_with_a_host(port):
    for host, status in (("localhost", 200), ("evil.example.com", 421)):
        assert tell(port, f"GET http://{host}:{port}{QUERY} HTTP/1.1", "Host: localhost")[0] == status
    assert tell(port, f"GET http://localhost{QUERY} HTTP/1.1", "Host: evil.example.com")[0] == 421


def test_hosts_are_looked_at_for_customers_alone(port):
    evil = "Host: evil.example.com"
    for path in ("/healthz", "/readyz", "/metrics"):
        assert tell(port, f"GET {path} HTTP/1.1", evil)[0] in (200, 503)
        assert tell(port, f"GET {path} HTTP/1.0")[0] in (200, 503)
    assert tell(port, f"HEAD {QUERY} HTTP/1.1", evil)[0] == 421
    assert tell(port, f"POST {QUERY} HTTP/1.1", evil, "Content-Length: 0")[0] == 421
    assert tell(port, "GET /v1/other HTTP/1.1", evil)[0] == 421
    assert tell(port, "GET /v1/other HTTP/1.1", "Host: localhost")[0] == 404


def test_hosts_follow_a_reload(world, port):
    world.configure(http={"hosts": "other.example.com"})
    world.daemon.signal(signal.SIGHUP)
    world.daemon.wait_log("reloaded")
    assert tell(port, f"GET {QUERY} HTTP/1.1", "Host: other.example.com")[0] == 200
    assert tell(port, f"GET {QUERY} HTTP/1.1", "Host: dispatch.example.com")[0] == 421


@pytest.mark.parametrize("host", ["dispatch.example.com:8925", "http://dispatch", "*.example.com", "[::1]"])
def test_hosts_that_are_no_names(world, host):
    world.configure(http={"hosts": f"good.example.com, {host}"})
    found = dispatchd(world, "-c", world.config_path, "-t")
    assert found.returncode == 78 and f'host names without a port; addresses need not be listed (got "{host}")' in found.stderr


def test_over_a_unix_socket_anybody_with_its_group_sees_the_note(bakery):
    bakery.ctl("suspend", "1001", "--note", "Rebuilding")
    with connect(bakery) as client:
        client.sendall(f"GET {QUERY} HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n".encode())
        with client.makefile("rb") as answer:
            assert b"Rebuilding" in answer.read()
    found = os.stat(bakery.path("http.sock"))
    assert stat.S_IMODE(found.st_mode) == 0o660 and found.st_gid == os.getegid()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_socket_has_its_mode_whatever_the_umask(world, umask):
    old = os.umask(umask)
    try:
        world.start_daemon()
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat(world.path("http.sock")).st_mode) == 0o660


def test_the_socket_is_given_to_a_group(world):
    ours = [grp.getgrgid(gid).gr_name for gid in os.getgroups() if gid != os.getegid()]
    if os.geteuid() == 0:
        ours.append("daemon")
    if not ours:
        pytest.skip("this user is in one group alone")
    world.configure(http={"group": ours[-1]})
    world.start_daemon()
    found = os.stat(world.path("http.sock"))
    assert grp.getgrgid(found.st_gid).gr_name == ours[-1] and stat.S_IMODE(found.st_mode) == 0o660


def test_a_group_that_is_not_there(world):
    world.configure(http={"group": "no-such-group"})
    for more in ([], ["-t"]):
        found = dispatchd(world, "-c", world.config_path, *more)
        assert found.returncode == 78 and 'unknown group "no-such-group"' in found.stderr
