# SPDX-License-Identifier: MIT
"""Start, stop, reload, the word to systemd, the control socket."""
import fcntl
import json
import os
import platform
import resource
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time

import pytest

from smtp_peer import Hang, SmtpPeer
import world as world_module
from world import BUILD, PATIENCE, SANITIZED, WRAP, free_port, wait_until


def dispatchd(world, *args):
    return subprocess.run([BUILD / "dispatchd", *args], capture_output=True, text=True, timeout=20,
                          env=world.environment(), check=False)


# ---- options and exit status

def test_version_and_help(world):
    assert dispatchd(world, "-V").stdout.startswith("dispatchd ")
    shown = dispatchd(world, "--help")
    assert shown.returncode == 0 and "usage: dispatchd" in shown.stdout


@pytest.mark.parametrize("args", [["-x"], ["-c"], ["surplus"]])
def test_usage_faults(world, args):
    done = dispatchd(world, *args)
    assert done.returncode == 64
    assert "usage: dispatchd" in done.stderr


def test_missing_configuration(world):
    done = dispatchd(world, "-c", world.path("none.conf"))
    assert done.returncode == 66
    assert "none.conf" in done.stderr


def test_check_reports_that_all_is_well(world):
    done = dispatchd(world, "-t", "-c", world.config_path)
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(world.path("spool.db")), "a check makes nothing"


def test_check_prints_every_fault_with_its_line(world):
    with open(world.config_path, "a", encoding="utf-8") as file:
        file.write("[redis]\nstraem = x\nkeep = soon\n")
    lines = open(world.config_path, encoding="utf-8").read().splitlines()
    done = dispatchd(world, "-t", "-c", world.config_path)
    assert done.returncode == 78
    assert f"{world.config_path}:{lines.index('straem = x') + 1}: " in done.stderr
    assert f"{world.config_path}:{lines.index('keep = soon') + 1}: " in done.stderr
    assert "stream" in done.stderr, "suggests the name"


def test_check_looks_at_templates(world):
    with open(world.path("templates", "started.txt"), "w", encoding="utf-8") as file:
        file.write("Subject: x\n\n{{#open}}never closed\n")
    done = dispatchd(world, "-t", "-c", world.config_path)
    assert done.returncode == 78
    assert "started.txt:3: " in done.stderr


@pytest.mark.parametrize("name", ["spool.db", "customers.db"])
def test_check_looks_at_databases(world, name):
    with open(world.path(name), "wb") as file:
        file.write(b"this is no database at all" * 100)
    done = dispatchd(world, "-t", "-c", world.config_path)
    assert done.returncode == 65
    assert name in done.stderr
    started = dispatchd(world, "-c", world.config_path)
    assert started.returncode == 65
    assert name in started.stderr


@pytest.mark.long
def test_only_one_daemon_a_spool(world):
    """The second one waits, and works once the first is gone."""
    first = world.start_daemon()
    second = world.start_daemon(ready=False)
    second.wait_log("not started yet")
    assert "spool" in second.log()
    assert any(line.startswith("STATUS=Not started yet:") for line in second.notified())
    assert any(line.startswith("EXTEND_TIMEOUT_USEC=") for line in second.notified())
    assert "READY=1" not in second.notified()
    assert world.control({"do": "status"})["ok"], "the first one is left alone"
    assert first.stop() == 0
    second.wait_notified("READY=1", timeout=30)
    assert second.stop() == 0


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_start_that_waits_can_be_stopped(world, number):
    world.start_daemon()
    second = world.start_daemon(ready=False)
    second.wait_log("not started yet")
    second.signal(number)
    assert second.wait() == 0


@pytest.mark.long
def test_a_start_that_waits_reads_a_mended_configuration(world):
    """SIGHUP tries at once; a fault of the configuration ends it for good."""
    first = world.start_daemon()
    second = world.start_daemon(ready=False)
    second.wait_log("not started yet")
    world.configure(spool={"path": world.path("other.db")}, http={"listen": ""})
    os.rename(world.path("control.sock"), world.path("first.sock"))
    second.signal(signal.SIGHUP)
    second.wait_notified("READY=1")
    assert second.stop() == 0 and first.stop() == 0
    world.configure(spool={"path": ""})
    third = world.start_daemon(ready=False)
    assert third.wait() == 78 and "not started yet" not in third.log()


# ---- stopping

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(world, number):
    daemon = world.start_daemon()
    daemon.signal(number)
    assert daemon.wait() == 0
    assert "STOPPING=1" in daemon.notified()
    assert "stopped" in daemon.log()
    assert not os.path.exists(world.path("control.sock"))
    assert not os.path.exists(world.path("http.sock"))


def test_stop_in_the_middle_loses_nothing(world):
    world.start_daemon()
    for block in range(5):
        pipe = world.redis.pipeline(transaction=False)
        for n in range(block * 400, block * 400 + 400):
            pipe.xadd("jobs:events", {"id": n, "type": "job.started", "job": n, "customer": "1"})
        pipe.execute()
        assert world.daemon.stop() == 0
        world.start_daemon()
    wait_until(lambda: len(world.outcomes()) >= 2000, lambda: f"outcomes, {len(world.seen)} there", 20)
    assert len({o["id"] for o in world.outcomes()}) == 2000
    assert len(world.outcomes()) == 2000, "a graceful stop repeats nothing"


def test_stops_without_redis(world):
    daemon = world.start_daemon()
    daemon.wait_log("Redis connected")
    world.redis_server.stop()
    daemon.wait_log("connection lost")
    started = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - started < 5 * PATIENCE


def add_customer(world, email="farm@example.com"):
    world.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", email)


def test_mails_in_flight_finish(world, smtp):
    """The relay has the body and is slow to say so: the daemon waits for the 250 and writes it down."""
    add_customer(world)
    smtp.answers["body"] = lambda *_: time.sleep(1.5)
    daemon = world.start_daemon()
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    world.outcomes(wait_for={"status": "queued"})
    wait_until(lambda: any(c.upper().startswith("DATA") for c in smtp.commands()), "DATA")
    assert daemon.stop() == 0
    assert [o["status"] for o in world.outcomes()] == ["queued", "sent"]


def test_a_second_signal_ends_at_once(world, smtp):
    add_customer(world)
    smtp.answers["body"] = Hang()
    daemon = world.start_daemon()
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    wait_until(lambda: any(c.upper().startswith("DATA") for c in smtp.commands()), "DATA")
    daemon.signal(signal.SIGTERM)
    daemon.wait_notified("STOPPING=1")
    time.sleep(0.5)
    assert daemon.process.poll() is None, "it waits for the mail"
    world.xadd(id="2", type="job.completed", job="4712", customer="1001")
    time.sleep(0.3)
    assert world.pending() == 0, "nothing new is read"
    started = time.monotonic()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert time.monotonic() - started < 3 * PATIENCE


def test_a_signal_at_the_very_end(world):
    """Its threads take a while to end here: somebody has the lock of customers.db. Who can't wait need not."""
    world.ctl("customer", "add", "1001", "--name", "Example Farm")
    daemon = world.start_daemon()
    lock = sqlite3.connect(world.path("customers.db"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    world.xadd("customers:changes", customer='{"number": "1001", "name": "Other"}')
    world.wait_idle("customers:changes")
    daemon.signal(signal.SIGTERM)
    daemon.wait_log("notice: stopped")
    assert daemon.process.poll() is None
    daemon.signal(signal.SIGHUP)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(3 / PATIENCE) == 0
    lock.close()


def test_five_states_arrive(world, smtp):
    add_customer(world)
    world.start_daemon()
    states = ("dispatched", "started", "paused", "completed", "failed")
    for n, state in enumerate(states):
        world.xadd(id=str(n), type=f"job.{state}", job=f"4711-{n}", customer="1001")
    mails = smtp.wait_mails(5)
    assert sorted(m.recipients[0] for m in mails) == ["farm@example.com"] * 5
    assert len(world.outcomes(wait_for={"status": "sent"}, count=5)) == 5


def test_relay_down_and_up_are_told_once(world):
    add_customer(world)
    port = free_port()
    world.configure(mail={"transport": "smtp"}, smtp={"relay": f"127.0.0.1:{port}", "tls": "none"})
    daemon = world.start_daemon()
    for n in range(20):
        world.xadd(id=str(n), type="job.completed", job=str(n), customer="1001")
    daemon.wait_log("relay is down", timeout=15)
    time.sleep(2.5)
    assert world.metrics()[f'dispatchd_relay_up{{relay="127.0.0.1:{port}"}}'] == 0
    with SmtpPeer(port=port) as peer:
        peer.wait_mails(20, timeout=20)
        daemon.wait_log("relay is up again")
        assert len(world.outcomes(wait_for={"status": "sent"}, count=20)) == 20
        daemon.stop()
    assert daemon.log().count("relay is down") == 1
    assert daemon.log().count("relay is up again") == 1
    assert not [o for o in world.outcomes() if o["status"] == "retrying"], "no attempt is counted"


# ---- reload

def test_reload(world):
    daemon = world.start_daemon()
    world.configure(redis={"outcomes_max": "500"})
    daemon.signal(signal.SIGHUP)
    daemon.wait_notified("READY=1", count=2)
    messages = daemon.notified()
    assert "RELOADING=1" in messages
    assert any(line.startswith("MONOTONIC_USEC=") for line in messages)
    assert "reloaded" in daemon.log()


def test_reload_with_a_fault_changes_nothing(world):
    daemon = world.start_daemon()
    world.configure(customers={"grace": "often"})
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("reload refused, nothing has changed")
    daemon.wait_notified("READY=1", count=2)
    assert f"{world.config_path}:" in daemon.log()
    world.xadd(id="1", type="job.started", job="1", customer="7")
    world.outcomes(wait_for={"event": "1"})


def test_dispatchctl_reload(world):
    """What systemd calls at `systemctl reload`: fails where the new configuration is refused, naming each fault."""
    world.start_daemon()
    assert world.ctl("reload").stdout.strip() == "reloaded"
    world.configure(redis={"outcomes_max": "500"})
    assert world.ctl_json("reload") == {"reloaded": True, "faults": []}
    assert world.daemon.log().count(" reloaded") + world.daemon.log().count(": reloaded") >= 2
    world.configure(customers={"grace": "often"}, gate={"hold_max": "never"})
    refused = world.ctl("reload", check=False)
    assert refused.returncode == 78
    assert f"{world.config_path}:" in refused.stderr and "often" in refused.stderr and "never" in refused.stderr
    assert "refused" in refused.stdout
    answer = world.ctl("--json", "reload", check=False)
    assert answer.returncode == 78 and len(json.loads(answer.stdout)["faults"]) == 2
    assert world.control({"do": "status"})["ok"], "it goes on with the old one"
    world.daemon.stop()
    assert world.ctl("reload", check=False).returncode == 69


def test_everyone_who_asks_for_a_reload_is_answered(world):
    """Several at once, some of whom go away before the answer."""
    world.start_daemon()
    clients = []
    for n in range(8):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10 * PATIENCE)
        client.connect(world.path("control.sock"))
        client.sendall(b'{"do": "reload"}\n' * (1 + n % 2))
        clients.append(client)
    clients.pop(3).close()
    for n, client in enumerate(clients):
        with client, client.makefile() as lines:
            assert json.loads(lines.readline())["reloaded"] is True
    assert world.control({"do": "status"})["ok"]


def test_reload_names_what_needs_a_restart(world):
    daemon = world.start_daemon()
    world.configure(redis={"stream": "other:events"})
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("needs a restart key=redis.stream")


def test_many_reloads_in_a_row(world):
    daemon = world.start_daemon()
    for _ in range(20):
        daemon.signal(signal.SIGHUP)
        time.sleep(0.01)
    wait_until(lambda: daemon.notified().count("READY=1") == 1 + daemon.notified().count("RELOADING=1") > 1,
               "every reload to end")
    assert daemon.stop() == 0


# ---- the log

def test_who_does_not_read_the_log_holds_nothing_up(world):
    """Standard error is a pipe that nobody empties: mails and answers go on; what was left out is told later."""
    world.configure(mail={"transport": "maildir", "maildir": world.path("mail")})
    add_customer(world)
    process = subprocess.Popen([BUILD / "dispatchd", "-c", world.config_path], stderr=subprocess.PIPE, text=True,
                               env=world.environment())
    world.at_end(process.kill)
    for n in range(1500):  # a line of 150 bytes each
        world.xadd(id=str(n), type="job.completed", job=f"J{n}", customer="1001")
    world.outcomes(wait_for={"status": "sent"}, count=1500, timeout=30)
    assert world.http("/healthz")[0] == 200
    log = process.stderr.read(40000)  # there is place again, for what is said at the end
    process.terminate()
    log += process.stderr.read()
    assert process.wait(10 * PATIENCE) == 0
    assert "were dropped n=" in log and "stopped" in log and log.count("status=sent") < 1500


# ---- systemd

def test_who_does_not_listen_holds_nothing_up(world):
    """The receiver's queue is full (net.unix.max_dgram_qlen): the daemon goes on, and says how it ended later."""
    daemon = world.start_daemon()
    for n in range(1, 21):
        daemon.signal(signal.SIGHUP)
        daemon.wait_log("reloaded", count=n)
    assert world.http("/healthz")[0] == 200
    time.sleep(1.2)  # time for what the queue has no place for
    wait_until(lambda: len(daemon.notified()) > 20 and daemon.notifications[-2:] == ["READY=1", "STATUS=Running"],
               lambda: f"the last reload's end; {daemon.notifications}")
    assert daemon.stop() == 0


def test_watchdog_is_fed(world):
    daemon = world.start_daemon(env={"WATCHDOG_USEC": "400000"})
    daemon.wait_notified("WATCHDOG=1", count=3, timeout=5)


def test_nobody_reads_what_systemd_is_told(world):
    """The socket is full after some words: the loop goes on all the same, and ends."""
    daemon = world.start_daemon(env={"WATCHDOG_USEC": "40000"})
    time.sleep(1.5)
    assert world.http("/healthz")[0] == 200
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("reloaded")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_a_notify_socket_in_the_abstract_namespace(world, monkeypatch):
    name = f"dispatchd-test-{os.getpid()}-{os.path.basename(world.directory)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0" + name)
        server.settimeout(10)
        monkeypatch.setattr(world_module, "WRAP", ["env", f"NOTIFY_SOCKET=@{name}"])
        world.start_daemon(ready=False)
        assert server.recv(4096).startswith(b"READY=1\n")


# ---- the control socket

def test_status(world):
    world.start_daemon()
    wait_until(lambda: world.control({"do": "status"})["redis"]["connected"], "a connection")
    status = world.control({"do": "status"})
    assert status["ok"] is True
    assert status["version"] and status["uptime_s"] >= 0
    assert isinstance(status["relays"], list)
    assert status["redis"]["url"].startswith("unix://")


def test_rights_of_the_control_socket(world):
    world.start_daemon()
    info = os.stat(world.path("control.sock"))
    assert stat.S_ISSOCK(info.st_mode)
    assert stat.S_IMODE(info.st_mode) == 0o660
    assert info.st_gid == os.stat(world.directory).st_gid


# Runs a command that may not chown(2), as a unit's filter can have it.
NO_CHOWN = """
import ctypes, os, struct, sys
deny = struct.pack("HBBIHBBIHBBIHBBI", 0x20, 0, 0, 0, 0x15, 0, 1, int(sys.argv[1]), 0x06, 0, 0, 0x00050001,
                   0x06, 0, 0, 0x7fff0000)
steps = ctypes.create_string_buffer(deny)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 4, ctypes.addressof(steps)))
libc = ctypes.CDLL(None)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program):
    sys.exit("no filter")
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of system calls differ")
def test_rights_of_the_control_socket_where_chown_is_forbidden(world, monkeypatch):
    """The folder gives its group to what is made in it, as systemd makes it: there is nothing to change."""
    os.chmod(world.directory, 0o2770)
    monkeypatch.setattr(world_module, "WRAP", [sys.executable, "-c", NO_CHOWN, "92"])
    world.start_daemon()
    assert stat.S_IMODE(os.stat(world.path("control.sock")).st_mode) == 0o660
    assert "rights can't be set" not in world.daemon.log()


def test_a_dead_daemons_socket_is_replaced(world):
    world.start_daemon()
    world.daemon.kill()
    assert os.path.exists(world.path("control.sock"))
    world.start_daemon()
    assert world.control({"do": "status"})["ok"]


def ask_raw(world, raw, timeout=5.0):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(timeout)
        client.connect(world.path("control.sock"))
        answer = b""
        try:
            client.sendall(raw)
            while chunk := client.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass  # it closed before it had read everything, as it should
        return answer


def test_what_is_no_request(world):
    world.start_daemon()
    for raw in (b"{broken\n", b"[1]\n", b"\n", b"\xff\xfe\n", b'{"do":"a","do":"b"}\n'):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(world.path("control.sock"))
            client.sendall(raw)
            answer = json.loads(client.makefile("rb").readline())
            assert answer["ok"] is False and answer["code"] == 65, raw
    assert world.control({"do": "no such thing"})["ok"] is False
    assert ask_raw(world, b"x" * 200_000) == b"", "an endless line ends the connection"
    assert world.control({"do": "status"})["ok"]


def test_several_requests_over_one_connection(world):
    world.start_daemon()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(world.path("control.sock"))
        client.sendall(b'{"do":"status"}\n{"do":"none"}\n{"do":"status"}\n')
        answers = client.makefile("rb")
        assert [json.loads(answers.readline())["ok"] for _ in range(3)] == [True, False, True]


def test_answers_that_nobody_reads_yet(world):
    """Ten megabytes of requests, with five times that in answers: they wait with the client, and none is missing."""
    world.start_daemon()
    blocks = 100
    requests = (b"[].......\n" * 9_999 + b'{"do":"status"}\n') * blocks

    def peak_mib():
        with open(f"/proc/{world.daemon.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

    before = peak_mib()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(world.path("control.sock"))
        client.settimeout(3)
        sent = 0
        with pytest.raises(TimeoutError):  # it isn't read on
            while sent < len(requests):
                sent += client.send(requests[sent:sent + 65536])
        assert SANITIZED or WRAP or peak_mib() < before + 10
        client.settimeout(60 * PATIENCE)
        rest = threading.Thread(target=client.sendall, args=(requests[sent:],))
        rest.start()
        ok = [0, 0]
        with client.makefile("rb") as answers:
            for _ in range(10_000 * blocks):
                ok[b'"ok":true' in answers.readline()] += 1
        rest.join()
    assert ok == [9_999 * blocks, blocks]
    assert SANITIZED or WRAP or peak_mib() < before + 10


def test_a_client_that_closes_its_side_is_answered(world):
    """As `echo … | socat - UNIX-CONNECT:control.sock` does."""
    world.start_daemon()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(world.path("control.sock"))
        client.sendall(b'{"do": "status"}\n{"do": "nonsense"}\n')
        client.shutdown(socket.SHUT_WR)
        client.settimeout(5 * PATIENCE)
        with client.makefile("rb") as answers:
            assert [json.loads(line)["ok"] for line in answers] == [True, False]


def test_many_clients_lock_nobody_out_for_long(world):
    world.start_daemon()
    clients = []
    for _ in range(50):
        client = socket.socket(socket.AF_UNIX)
        client.connect(world.path("control.sock"))
        clients.append(client)
    for client in clients:
        client.close()
    wait_until(lambda: world.control({"do": "status"})["ok"], "an answer", 2)


@pytest.mark.parametrize("name", ["control.sock", "http.sock"])
def test_no_descriptor_left_for_a_client(world, name):
    """Said once, and neither the log nor the processor is filled until there is one again."""
    daemon = world.start_daemon()
    wait_until(lambda: world.control({"do": "status"})["redis"]["connected"], "a connection")
    limit = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (world.open_files(), limit[1]))
    clients = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for client in clients:
        client.connect(world.path(name))
    daemon.wait_log("Too many open files")
    world.xadd(id="1", type="job.started", job="1", customer="7")
    world.outcomes(wait_for={"event": "1"})
    time.sleep(1)  # one more try at least
    assert daemon.log().count("Too many open files") == 1
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, limit)
    for client in clients:
        client.close()
    assert world.control({"do": "status"})["ok"]
    assert world.http("/healthz")[0] == 200


def test_without_a_descriptor_it_is_not_ready(world):
    """Whoever asks is answered all the same, and it is ready again once there is one."""
    daemon = world.start_daemon()
    wait_until(lambda: world.http("/readyz")[0] == 200, "readiness")
    limit = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (world.open_files(), limit[1]))

    def not_ready():
        status, _, text = world.http("/readyz")
        return status == 503 and "descriptor" in text
    for _ in range(3):
        wait_until(not_ready, "a 503")
    assert world.control({"do": "status"})["ok"]
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, limit)
    wait_until(lambda: world.http("/readyz")[0] == 200, "readiness again")


def test_a_relay_nobody_tried_is_not_called_up(world, smtp):
    world.ctl("customer", "add", "1", "--name", "A", "--email", "a@example.com")
    world.start_daemon()
    (relay,) = world.ctl_json("status")["relays"]
    assert relay["up"] is None and relay["state"] == "not tried yet"
    assert "not tried yet" in world.ctl("status").stdout
    assert "dispatchd_relay_up{" not in world.http("/metrics")[2]
    world.xadd(id="1", type="job.completed", job="1", customer="1")
    world.outcomes(wait_for={"status": "sent"})
    (relay,) = world.ctl_json("status")["relays"]
    assert relay["up"] is True and relay["state"] == "up"


def test_times_ahead_are_summed_up(world):
    """A publisher whose clock is wrong makes one line a minute, not one an event."""
    world.start_daemon()
    for n in range(30):
        world.xadd(id=str(n), type="job.started", job=str(n), customer="7", time="2199-01-01T00:00:00Z")
    world.outcomes(count=30)
    world.daemon.wait_log("time ahead")  # the outcomes may be there before the line is
    assert world.daemon.log().count("time ahead") == 1


def test_a_spool_deep_down(world):
    """The kernel's limit for the paths of sockets is none for the spool."""
    deep = world.path(*["a-folder-with-a-long-name"] * 6)
    os.makedirs(deep)
    world.configure(spool={"path": os.path.join(deep, "spool.db")})
    assert world.ctl("mail", "retry", "--all-failed").returncode == 0
    world.start_daemon()
    assert stat.S_IMODE(os.stat(os.path.join(deep, "control.sock")).st_mode) == 0o660
    assert world.ctl_json("status")["daemon"] == "up"
    assert world.ctl("mail", "retry", "--all-failed").returncode == 0
    world.daemon.stop()
    assert not os.path.exists(os.path.join(deep, "control.sock"))


def test_standard_files_that_are_closed(world, monkeypatch):
    """The log goes nowhere then, and into no socket or database."""
    monkeypatch.setattr(world_module, "WRAP", ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh"])
    world.start_daemon()
    for fd in range(3 if os.geteuid() == 0 else 0):  # nobody but root may look into it
        assert os.readlink(f"/proc/{world.daemon.pid}/fd/{fd}") == "/dev/null"
    world.xadd(id="1", type="job.started", job="1", customer="7")
    world.outcomes(wait_for={"event": "1"})
    assert world.daemon.stop() == 0


def holds(pid, number):
    """Whether the process blocks that signal."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(file.read().partition("SigBlk:")[2].split()[0], 16) >> (number - 1) & 1


@pytest.mark.parametrize("number, expected", [(signal.SIGHUP, "reloaded"), (signal.SIGTERM, "stopped")])
def test_a_signal_during_the_start_is_kept(world, number, expected):
    """The start takes a while here: somebody has the spool's lock."""
    world.ctl("mail", "retry", "--all-failed")
    with open(world.path("spool.db.lock"), "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        daemon = world.start_daemon(ready=False)
        wait_until(lambda: holds(daemon.pid, number), "its first moments to be over")
        daemon.signal(number)
    wait_until(lambda: expected in daemon.log(), lambda: f"{expected}: {daemon.log()}")
    assert daemon.stop() == 0
