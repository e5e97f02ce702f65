# SPDX-License-Identifier: MIT
"""What others wrote is shown so that it can't drive a terminal or a log: in faults, tables, log lines."""
import json
import os
import socket
import subprocess

from kit import add_customer, on_terminal
from world import BUILD, PATIENCE

ESCAPES = b"\x1b]0;x\x07\x1b[2J\xff\xc2\x9b\x7f" + "\u202e\u2066".encode()
HARMFUL = (b"\x1b", b"\x07", b"\xff", b"\xc2\x9b", b"\x7f", "\u202e".encode(), "\u2066".encode())


def run(world, program, *args):
    command = [os.fsencode(BUILD / program), *(a if isinstance(a, bytes) else os.fsencode(a) for a in args)]
    done = subprocess.run(command, capture_output=True, env=world.environment(), timeout=60, check=False)
    assert not [h for h in HARMFUL if h in done.stdout + done.stderr], (args, done)
    return done


def ctl(world, *args):
    return run(world, "dispatchctl", "-c", world.config_path, *args)


def test_faults_of_an_import(world):
    path = world.path("rows.csv")
    for text in (b"number,name,no" + ESCAPES + b"\n1,x,y\n", b"number,name\n1,\x1b[2Jx\n", b"number,name\n1,a\xff\n",
                 b"number,name,status\n1,x," + "\u202eevil".encode() + b"\n"):
        with open(path, "wb") as file:
            file.write(text)
        done = ctl(world, "customer", "import", path)
        assert done.returncode == 65 and b"rows.csv" in done.stderr, done
    with open(world.path("rows.jsonl"), "wb") as file:
        file.write(b'{"number": "1", "name": "x", "no\\u001b[2J\\u202e": 1}\n')
    assert ctl(world, "customer", "import", world.path("rows.jsonl")).returncode == 65


def test_faults_that_echo_what_was_given(world):
    for args in ((ESCAPES,), ("customer", ESCAPES), ("customer", "show", ESCAPES), ("customer", "list", b"--" + ESCAPES),
                 ("customer", "list", b"--limit=" + ESCAPES), ("customer", "import", b"/none/" + ESCAPES + b".csv"),
                 ("template", "render", b"/none/" + ESCAPES, "--data", b"/none/" + ESCAPES)):
        assert ctl(world, *args).returncode != 0, args
    of_each = ((ESCAPES,), (b"--" + ESCAPES,), (b"-\x1b",))
    of_some = {"dispatchd": (("-t", "-c", b"/none/" + ESCAPES), (b"-c",)),
               "dispatch-center": (("-t", "-c", b"/none/" + ESCAPES), (b"-c",), ("user", b"--" + ESCAPES)),
               "dispatch-bounce": (("--dump", b"/none/" + ESCAPES), ("--dump",))}
    for program, more in of_some.items():
        for args in of_each + more:
            done = run(world, program, *args)
            assert done.returncode != 0 and done.stderr, args


def test_what_is_wrong_with_a_command_line_is_said(world):
    for program in ("dispatchd", "dispatch-center", "dispatch-bounce"):
        for args, fault in ((("--nope",), "unknown option '--nope'"), (("-q",), "unknown option '-q'"),
                            (("-V", "extra"), "unexpected argument 'extra'")):
            done = run(world, program, *args)
            assert done.returncode == 64 and done.stderr.startswith(f"{program}: {fault}\nusage: ".encode()), done
    assert run(world, "dispatch-bounce", "--dump").stderr.startswith(b"dispatch-bounce: missing value after '--dump'\n")
    assert run(world, "dispatchd", "-c").stderr.startswith(b"dispatchd: missing value after '-c'\n")


def test_answers_of_the_control_socket(world):
    """Programs ask there, too, which print what they are answered."""
    add_customer(world)
    world.start_daemon()
    evil = "a\x1b[2J\tb\u202e"
    for request in ({"do": evil}, {"do": "dead.retry", "entry": evil}, {"do": "hold.release", "job": evil},
                    {"do": "hold.cancel", "id": 1, "by": evil}, {"do": "gate", "customer": evil, "type": evil},
                    {"do": "gate", "customer": "1001", "type": "job.create", "scheduled": evil}):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20 * PATIENCE)
            client.connect(world.path("control.sock"))
            client.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(client.makefile().readline())
        assert not answer["ok"] and answer["error"], answer
        assert not [c for c in answer["error"] if c < " " or c == "\u202e"], answer


def test_faults_of_the_configuration(world):
    with open(world.config_path, "ab") as file:
        file.write(b"[redis]\n" + ESCAPES.replace(b"\xff", b"") + b" = x\nclaim_after = \x1b[2J\n[no\x1b[2J]\n")
    for program, args in (("dispatchd", ("-t", "-c", world.config_path)), ("dispatchd", ("-c", world.config_path)),
                          ("dispatchctl", ("-c", world.config_path, "status"))):
        assert run(world, program, *args).returncode == 78, program


def test_log_lines(world):
    add_customer(world)
    world.start_daemon()
    world.raw.xadd("jobs:events", {b"id": b"1", b"type": b"job.completed", b"job": "j\u202e1".encode(), b"customer": ESCAPES})
    world.raw.xadd("jobs:events", {b"id": b"2", ESCAPES: ESCAPES})
    world.xadd(id="3", type="job.completed", job="\u202ej", customer="1001")
    world.outcomes(wait_for={"status": "sent"})
    assert world.daemon.stop() == 0
    with open(world.path("dispatchd.log"), "rb") as file:
        log = file.read()
    assert not [h for h in HARMFUL if h in log], log


def test_records_on_a_terminal(world):
    name = "Ev\u202eil \u2066\u0085\u200b\x7fNäme"
    with open(world.path("rows.jsonl"), "w", encoding="utf-8") as file:
        file.write(json.dumps({"number": "1", "name": name.replace("\x7f", "").replace("\u0085", "")}) + "\n")
    world.ctl("customer", "import", world.path("rows.jsonl"))
    stored = world.ctl_json("customer", "list")[0]["name"]
    for args in (["customer", "list"], ["customer", "show", "1"], ["--json", "customer", "list"]):
        text, code = on_terminal([str(BUILD / "dispatchctl"), "-c", world.config_path, *args],
                                 world.environment(TERM="dumb"))
        assert code == 0 and "me" in text
        assert not [c for c in text if c in "\u202e\u2066\u0085\u200b\x7f\x1b"], ascii(text)
    assert json.loads(text)[0]["name"] == stored, "what a terminal is shown is JSON of the same"
