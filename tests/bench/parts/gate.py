#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How long a question to the gate takes, from XADD on jobs:requests to the answer on jobs:outcomes, at an idle
daemon; over HTTP; and how many held jobs go a second when their suspension ends. One line each: "NAME NUMBER UNIT"."""
import http.client
import pathlib
import socket
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "system"))

from world import World  # noqa: E402

ASKED, HELD = 100, 10000


def say(name, number, unit):
    print(f"{name} {number:.2f} {unit}", flush=True)


def ask_redis(world):
    took, last = [], "0"
    for i in range(ASKED):
        time.sleep(0.03)  # idle again
        began = time.perf_counter()
        world.redis.xadd("jobs:requests", {"id": f"b{i}", "type": "job.dispatch", "job": f"b{i}", "customer": "1001"})
        found = world.redis.xread({"jobs:outcomes": last}, count=1, block=5000)
        took.append((time.perf_counter() - began) * 1000)
        last = found[0][1][-1][0]
    return took


def ask_http(world):
    took = []
    connection = http.client.HTTPConnection("localhost", timeout=5)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(world.path("http.sock"))
    for _ in range(ASKED):
        time.sleep(0.01)
        began = time.perf_counter()
        connection.request("GET", "/v1/gate?customer=1001&type=job.create")
        connection.getresponse().read()
        took.append((time.perf_counter() - began) * 1000)
    connection.close()
    return took


def release_many(world):
    world.ctl("suspend", "1001", "--note", "x", "--scope", "routes")
    time.sleep(0.6)
    before = world.redis.xlen("jobs:dispatch")
    pipe = world.redis.pipeline(transaction=False)
    for i in range(HELD):
        pipe.xadd("jobs:requests", {"id": f"h{i}", "type": "job.dispatch", "job": f"h{i}", "customer": "1001"})
    pipe.execute()
    while world.redis.xlen("jobs:outcomes") < ASKED + HELD:
        time.sleep(0.05)
    world.ctl("resume", "1001")
    began, first = time.perf_counter(), None
    while (n := world.redis.xlen("jobs:dispatch") - before) < HELD:
        first = first or (n and time.perf_counter() - began)
        time.sleep(0.005)
    return first or 0, time.perf_counter() - began


def main():
    world = World()
    try:
        world.configure(redis={"outcomes_max": 1000000})
        world.ctl("customer", "add", "1001", "--name", "Example Bakery")
        world.start_daemon()
        for name, took in (("gate_answer", ask_redis(world)), ("gate_http", ask_http(world))):
            say(f"{name}_median", statistics.median(took), "ms")
            say(f"{name}_p95", sorted(took)[len(took) * 95 // 100], "ms")
        first, last = release_many(world)
        say("gate_release_first", first * 1000, "ms")
        say("gate_release_10000", last * 1000, "ms")
    finally:
        world.close()


main()
