# SPDX-License-Identifier: MIT
"""Health, readiness, metrics; what a stranger may do to the socket."""
import os
import re
import signal
import socket
import time

import pytest

from world import free_port, wait_until


def talk(world, raw, timeout=5.0):
    """Everything that the server answers to these bytes."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(timeout)
        client.connect(world.path("http.sock"))
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while chunk := client.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass  # it closed before it had read everything, as it may
        return answer


def test_health_and_readiness(world):
    world.start_daemon()
    status, headers, body = world.http("/healthz")
    assert (status, body) == (200, "ok\n")
    assert headers["Content-Type"].startswith("text/plain")
    wait_until(lambda: world.http("/readyz")[0] == 200, "readiness")
    world.redis_server.stop()
    wait_until(lambda: world.http("/readyz")[0] == 503, "unreadiness")
    assert "Redis" in world.http("/readyz")[2]
    assert world.http("/healthz")[0] == 200


def test_metrics_are_prometheus_text(world):
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="1", customer="7")
    world.outcomes(wait_for={"event": "1"})
    status, headers, body = world.http("/metrics")
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert body.endswith("\n")
    sample = re.compile(r'^dispatchd_[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\.)*"(,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? '
                        r'(-?[0-9.]+(e[-+]?[0-9]+)?|\+Inf|NaN)$')
    typed = set()
    seen = set()
    for line in body.splitlines():
        if line.startswith("# TYPE "):
            name = line.split()[2]
            assert name not in typed, f"{name} is described twice"
            typed.add(name)
        elif not line.startswith("#"):
            assert sample.match(line), line
            key = line.rpartition(" ")[0]
            assert key not in seen, f"{key} appears twice"
            seen.add(key)
            base = re.sub(r"_(bucket|sum|count)$", "", key.partition("{")[0])
            assert base in typed or key.partition("{")[0] in typed, f"{key} has no type"
    metrics = world.metrics()
    assert metrics['dispatchd_events_total{type="job.started"}'] == 1
    assert metrics['dispatchd_outcomes_total{status="rejected",reason="unknown_customer"}'] == 1
    assert metrics["dispatchd_redis_connected"] == 1
    assert metrics['dispatchd_entries_total{source="stream",feed="events"}'] == 1
    for name in ("dispatchd_mails", "dispatchd_commit_seconds", "dispatchd_delivery_seconds"):
        assert name in typed


def test_an_outcome_that_is_seen_is_counted(world):
    """Whoever reads an outcome and then the metrics finds it there, however soon."""
    world.start_daemon()
    assert world.metrics()['dispatchd_events_total{type="job.started"}'] == 0
    for n in range(1, 30):
        world.xadd(id=n, type="job.started", job=n, customer="7")
        world.outcomes(wait_for={"event": str(n)})
        assert world.metrics()['dispatchd_outcomes_total{status="rejected",reason="unknown_customer"}'] == n
        assert world.metrics()['dispatchd_events_total{type="job.started"}'] == n


def test_methods_and_paths(world):
    world.start_daemon()
    assert world.http("/")[0] == 404
    assert world.http("/healthz/")[0] == 404
    assert world.http("/healthz?x=1")[0] == 200
    status, headers, body = world.http("/metrics", method="HEAD")
    assert status == 200 and body == ""
    for path in ("/healthz", "/metrics", "/v1/gate?customer=1001&type=job.create"):
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            status, headers, body = world.http(path, method=method)
            assert (status, headers["Allow"]) == (405, "GET, HEAD"), (path, method)
    assert world.http("/", method="POST")[0] == 404


@pytest.mark.parametrize("raw", [
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n",
    b"GET " + b"/" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x00\xff\x16\x03\x01 garbage\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
])
def test_what_no_client_sends(world, raw):
    world.start_daemon()
    answer = talk(world, raw)
    assert not answer.startswith(b"HTTP/1.1 200"), answer[:200]
    assert world.http("/healthz")[0] == 200


def test_idle_and_many_connections_lock_nobody_out(world):
    world.start_daemon()
    idle = []
    for _ in range(200):
        client = socket.socket(socket.AF_UNIX)
        client.connect(world.path("http.sock"))
        client.sendall(b"GET /heal")
        idle.append(client)
    assert world.http("/healthz")[0] == 200
    wait_until(lambda: world.metrics()["dispatchd_open_fds"] < 120, "the older connections to be closed", 3)
    for client in idle:
        client.close()
    time.sleep(0.1)
    assert world.http("/healthz")[0] == 200


def test_several_requests_over_one_connection(world):
    world.start_daemon()
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(world.path("http.sock"))
        answer = b""
        for request in (one, one, last):
            client.sendall(request)
            answer += client.recv(65536)
        assert answer.count(b"HTTP/1.1 200") == 3


def test_tcp_and_off(world):
    port = free_port()
    world.configure(http={"listen": f"127.0.0.1:{port}"})
    daemon = world.start_daemon()
    assert world.http("/healthz")[0] == 200
    assert daemon.stop() == 0
    world.configure(http={"listen": ""})
    world.start_daemon()
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("what", ["file", "socket"])
def test_a_path_that_is_taken_is_reported(world, what):
    """A file that is not a socket is never removed, nor the socket of a server that runs."""
    path = world.path("http.sock")
    with socket.socket(socket.AF_UNIX) as other:
        if what == "socket":
            other.bind(path)
            other.listen()
        else:
            with open(path, "w", encoding="ascii") as file:
                file.write("somebody's")
        daemon = world.start_daemon(ready=False)
        daemon.wait_log("[http] listen")
        assert "not started yet" in daemon.log() and os.path.exists(path)
    os.unlink(path)
    daemon.signal(signal.SIGHUP)  # need not wait for the next try
    daemon.wait_notified("READY=1")
    assert world.http("/healthz")[0] == 200


def test_a_dead_daemons_socket_is_replaced(world):
    world.start_daemon().kill()
    assert os.path.exists(world.path("http.sock"))
    world.start_daemon()
    assert world.http("/healthz")[0] == 200


def test_a_port_that_is_taken_is_waited_for(world):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        world.configure(http={"listen": f"127.0.0.1:{other.getsockname()[1]}"})
        daemon = world.start_daemon(ready=False)
        daemon.wait_log("not started yet")
        wait_until(lambda: sum(line.startswith("STATUS=Not started yet") for line in daemon.notified()) >= 2, "a second try")
        assert daemon.log().count("not started yet") == 1
        assert "[http] listen" in daemon.log() and daemon.process.poll() is None
    daemon.wait_notified("READY=1", timeout=30)
    world.xadd(id="1", type="job.started", job="1", customer="7")
    world.outcomes(wait_for={"event": "1"})
