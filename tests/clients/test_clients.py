# SPDX-License-Identifier: MIT
"""The example clients of docs/clients against the real daemon. By `make clients-test`; not part of `make test`."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from conftest import world  # noqa: E402,F401  (a fixture)
from kit import add_customer, outcomes_of, wait_outcome  # noqa: E402
from world import BUILD, PATIENCE, ROOT, World, free_port, wait_until  # noqa: E402

CLIENTS = ROOT / "docs" / "clients"
GO = BUILD / "clients" / "client"


def go_client():
    GO.parent.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(["go", "build", "-o", GO, CLIENTS / "client.go"], capture_output=True, text=True,
                           env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
                                "GOCACHE": str(GO.parent / "cache")})
    assert built.returncode == 0, built.stderr
    return [str(GO)]


COMMANDS = {"python": lambda: ["/usr/bin/python3", str(CLIENTS / "client.py")],
            "node": lambda: ["node", str(CLIENTS / "client.mjs")],
            "php": lambda: ["php", str(CLIENTS / "client.php")],
            "go": go_client,
            "java": lambda: ["java", str(CLIENTS / "Client.java")]}
_commands = {}


@pytest.fixture(params=COMMANDS)
def client(request, world):  # noqa: F811
    name = {"python": "/usr/bin/python3"}.get(request.param, request.param)
    assert shutil.which(name), f"{name} is missing: make deps-clients"
    if request.param not in _commands:
        _commands[request.param] = COMMANDS[request.param]()
    command = _commands[request.param]
    world.redis_server = world.start_redis(port=free_port())  # the clients use TCP, as most do

    def start(*args, **environment):
        return subprocess.Popen([*command, *args], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**os.environ, "NODE_PATH": "/usr/share/nodejs",
                                     "REDIS_URL": f"redis://127.0.0.1:{world.redis_server.port}/0", **environment})

    def run(*args, **environment):
        running = start(*args, **environment)
        out, err = running.communicate(timeout=20 * PATIENCE)
        return running.returncode, out, err
    run.start = start
    return run


def lines(text):
    return [line.split() for line in text.splitlines()]


def test_an_event_is_published_once(world, client):  # noqa: F811
    add_customer(world)
    world.start_daemon()
    for _ in range(2):
        code, out, err = client("publish", "completed", "4711", "1001", "3", "driver=Sam = Jim", "note=äöü ✓")
        assert (code, err) == (0, "") and "-" in out
    wait_outcome(world, "4711:completed:3", "sent")
    world.wait_idle()
    events = [fields for _, fields in world.redis.xrange("jobs:events")]
    assert len(events) == 2 and events[0] == events[1]
    assert events[0]["driver"] == "Sam = Jim" and events[0]["note"] == "äöü ✓"
    assert [status for status, _ in outcomes_of(world, "4711:completed:3")] == ["queued", "sent"]


def test_the_gate_is_asked(world, client):  # noqa: F811
    add_customer(world)
    add_customer(world, "1002")
    world.ctl("suspend", "1002", "--scope", "routes", "--note", "closed")
    world.start_daemon()
    assert client("ask", "dispatch", "j1", "1001", "1", "route=north") == (0, "released ok\n", "")
    assert client("ask", "dispatch", "j1", "1001", "1", "route=north") == (0, "released ok\n", ""), "its record"
    assert client("ask", "dispatch", "j2", "1002", "1") == (0, "held suspended\n", "")
    assert client("ask", "create", "j3", "1001", "1") == (0, "allowed ok\n", "")
    assert [job["job"] for _, job in world.redis.xrange("jobs:dispatch")] == ["j1"]


def test_no_answer_is_no_yes(world, client):  # noqa: F811
    code, out, err = client("ask", "dispatch", "j1", "1001", "1", ANSWER_WITHIN_S="0.3")
    assert (code, out, err) == (75, "no answer yet\n", "")


def test_repeats_of_outcomes_are_dropped(world, client):  # noqa: F811
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    wait_outcome(world, "1", "sent")
    world.wait_idle()
    first = [fields for _, fields in world.redis.xrange("jobs:outcomes")]
    assert [o["status"] for o in first] == ["queued", "sent"]
    for outcome in first:  # as after a crash of the daemon
        world.redis.xadd("jobs:outcomes", outcome)
    world.redis.xadd("jobs:outcomes", {**first[0], "id": "another"})
    code, out, err = client("outcomes", "billing", "3")
    assert (code, err) == (0, "")
    assert [line[0] for line in lines(out)] == [first[0]["id"], first[1]["id"], "another"]
    assert lines(out)[1][1:] == ["1", "sent", "ok"]
    assert world.pending("jobs:outcomes", "billing") == 0


def test_what_was_read_before_a_crash_comes_first(world, client):  # noqa: F811
    world.redis.xgroup_create("jobs:outcomes", "billing", id="0", mkstream=True)
    for number in range(3):
        world.redis.xadd("jobs:outcomes", {"id": f"o{number}", "event": "e", "status": "sent", "reason": "ok"})
    trimmed = world.redis.xrange("jobs:outcomes")[1][0]
    world.redis.xreadgroup("billing", socket.gethostname(), {"jobs:outcomes": ">"}, count=2)
    world.redis.xdel("jobs:outcomes", trimmed)
    code, out, err = client("outcomes", "billing", "2")
    assert (code, err) == (0, "")
    assert [line[0] for line in lines(out)] == ["o0", "o2"]
    wait_until(lambda: world.pending("jobs:outcomes", "billing") == 0, "all acknowledged")


def test_usage_and_a_redis_that_is_down(world, client):  # noqa: F811
    code, out, err = client("publish", "completed")
    assert code == 64 and "publish STATE JOB CUSTOMER REVISION" in err and out == ""
    world.redis_server.stop()
    running = client.start("publish", "completed", "4711", "1001", "3")
    try:
        code = running.wait(timeout=20)
    except subprocess.TimeoutExpired:  # one that tries again until it is there
        code = 75
        running.kill()
    running.communicate()
    assert code != 0


def test_the_rights_that_the_manual_gives_are_enough(world, client):  # noqa: F811
    manual = (ROOT / "conf" / "man" / "dispatchd-events.7").read_text(encoding="utf-8")
    words = re.search(r"^ACL (SETUSER erp .*?)^\.Ed$", manual, re.M | re.S).group(1).replace("\\e\n", " ").split()
    add_customer(world)
    world.start_daemon()
    world.redis.execute_command("ACL", *words)
    url = {"REDIS_URL": f"redis://erp:password@127.0.0.1:{world.redis_server.port}/0"}
    assert client("publish", "completed", "4711", "1001", "3", **url)[0] == 0
    assert client("ask", "create", "j3", "1001", "1", **url) == (0, "allowed ok\n", "")
    wait_outcome(world, "4711:completed:3", "sent")
    world.redis.execute_command("ACL", "SETUSER", "erp", "+exists", "+set", "~billing:seen:*")
    code, out, err = client("outcomes", "billing", "3", **url)
    assert (code, err) == (0, "") and len(lines(out)) == 3
    assert client("publish", "completed", "4711", "1001", "3", REDIS_URL=url["REDIS_URL"].replace("password", "no"))[0]


CUSTOMERS = ["1001", "0042", "42", "123456789", "7", "a b", "A/B-7", "x" * 128, "Müller", "Mu\u0308ller", "Łódź-3",
             "Ж12", "客户12", "\U0001f69a1", "'\"$`\\", *map(str, range(5000, 5100))]


@pytest.mark.parametrize("partitions", [1, 2, 7, 65521])
def test_all_languages_give_a_customer_the_same_partition(client, partitions):
    assert zlib.crc32(b"123456789") == 0xCBF43926, "the check value of the CRC that zip, PNG and Ethernet use"
    code, out, err = client("partition", *CUSTOMERS, PARTITIONS=str(partitions))
    assert (code, err) == (0, "")
    assert out.splitlines() == [str(zlib.crc32(number.encode()) % partitions) for number in CUSTOMERS]


def test_the_readme_shows_the_right_partitions(client):
    readme = (CLIENTS / "README.md").read_text(encoding="utf-8")
    numbers, shown = re.search(r"client.py partition ([\d ]+?) +# prints (.*)", readme).groups()
    code, out, err = client("partition", *numbers.split(), PARTITIONS="4")
    assert (code, err) == (0, "") and out.split() == re.findall(r"\d+", shown)
    assert re.search(r"publish completed 4711 1001 3 +# to jobs:events:(\d)", readme).group(1) == out[0]


@pytest.fixture
def daemons(world):  # noqa: F811
    """Two daemons on one Redis, each with streams and databases of its own, as the README sets them up."""
    shown = re.search(r"```ini\n(.*?)```", (CLIENTS / "README.md").read_text(encoding="utf-8"), re.S).group(1)
    redis = dict(re.findall(r"^(\w+) = (\S+:1)$", shown, re.M))
    assert {"stream", "requests", "dead", "customers"} == set(redis), "no more than that is a daemon's own"
    other = World()
    other.redis_server = world.redis_server
    for number, one in enumerate((world, other)):
        one.configure(redis={**{key: name[:-1] + str(number) for key, name in redis.items()},
                             "url": f"unix://{world.redis_server.socket}?db=0"})
    yield world, other
    other.close()


def test_two_daemons_share_the_customers(client, daemons):
    first, second = daemons
    for number in ("1001", "1002", "1003", "1004"):
        owner = daemons[zlib.crc32(number.encode()) % 2]
        first.redis.xadd(f"customers:changes:{daemons.index(owner)}", {"customer": json.dumps(
            {"number": number, "name": "Farm", "email": f"{number}@example.com"})})
    for daemon in daemons:
        daemon.start_daemon()
    for number in ("1001", "1002", "1003", "1004"):
        assert client("publish", "completed", f"j{number}", number, "1", PARTITIONS="2")[0] == 0
        assert client("ask", "dispatch", f"k{number}", number, "1", PARTITIONS="2") == (0, "released ok\n", "")
    assert first.redis.exists("jobs:events", "jobs:requests") == 0
    for number in ("1001", "1002", "1003", "1004"):
        wait_outcome(first, f"j{number}:completed:1", "sent")
    mine = [sorted(c["number"] for c in daemon.ctl_json("customer", "list")) for daemon in daemons]
    assert mine == [sorted(n for n in ("1001", "1002", "1003", "1004") if zlib.crc32(n.encode()) % 2 == i)
                    for i in range(2)] and all(mine)
    assert [len(daemon.mails()) for daemon in daemons] == [len(numbers) for numbers in mine]
    ids = [o["id"] for o in first.outcomes()]
    assert len(ids) == len(set(ids)), "unique, though both write to one stream"
