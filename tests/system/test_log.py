# SPDX-License-Identifier: MIT
"""The log: nothing repeats within a minute, whatever comes and goes; its level changes by a reload."""
import collections
import os
import re
import socket
import threading

import pytest

import smtp_peer
from kit import add_customer, wait_outcome
from world import wait_until


def repeated(text):
    """Lines that came more than once, without the words of others and without numbers."""
    lines = [re.sub(r'"[^"]*"', '""', re.sub(r" \(and \d+ times before\)$", "", line)) for line in text.splitlines()]
    lines = [re.sub(r"(?<==)[\d.]+\b|(?<= )\d+(?= s\b)", "N", line) for line in lines]
    return {line: n for line, n in collections.Counter(lines).items() if n > 1}


class ServerThatHangsUp:
    """Lets clients in, and ends the connection at their first words; counts them."""

    def __init__(self, path):
        self.n = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                client.recv(1)
            self.n += 1


def test_a_redis_that_comes_and_goes(world):
    """Each connection that is lost, and each that is back, would be a line."""
    daemon = world.start_daemon()
    for n in range(4):
        losses = world.metrics()["dispatchd_redis_losses_total"]
        world.redis.client_kill_filter(_type="normal", skipme=True)
        wait_until(lambda: world.metrics()["dispatchd_redis_losses_total"] > losses, "a loss")
        wait_until(lambda: world.metrics()["dispatchd_redis_connected"] == 1, "a connection")
    daemon.wait_log("Redis connection lost")
    assert repeated(daemon.log()) == {}


def test_a_redis_that_hangs_up_at_once(world):
    server = ServerThatHangsUp(world.path("dead.sock"))
    world.configure(redis={"url": f"unix://{world.path('dead.sock')}"})
    daemon = world.start_daemon()
    wait_until(lambda: server.n >= 6, "six connections")
    daemon.wait_log("Redis")
    assert repeated(daemon.log()) == {}
    server.listener.close()


def test_a_relay_that_comes_and_goes(world):
    add_customer(world)
    with smtp_peer.start(world) as peer:
        daemon = world.start_daemon()
        up = 'dispatchd_relay_up{relay="%s"}' % peer.relay
        for n in range(3):
            peer.answers = {stage: f"421 4.3.2 too busy, come back at {n}" for stage in ("greeting", "mail")}
            world.xadd(id=f"a{n}", type="job.completed", job=f"a{n}", customer="1001")
            wait_until(lambda: world.metrics().get(up) == 0, "the relay to be down")
            peer.answers = {}
            wait_outcome(world, f"a{n}", "sent", timeout=90)
        daemon.wait_log("relay is down")
    lines = {line: n for line, n in repeated(daemon.log()).items() if not line.startswith("info: mail=")}
    assert lines == {}


@pytest.mark.long
def test_the_last_state_of_a_minute_is_logged_when_it_is_over(world):
    """It is down, up, and down again: the log doesn't end with "up"."""
    add_customer(world)
    with smtp_peer.start(world) as peer:
        daemon = world.start_daemon()
        words = "421 4.3.2 too busy, come back at"
        for n in range(2):
            peer.answers = {stage: f"{words} {n}" for stage in ("greeting", "mail")}
            world.xadd(id=f"a{n}", type="job.completed", job=f"a{n}", customer="1001")
            if n == 0:
                daemon.wait_log(f'or take another relay={peer.relay} reply="{words} 0"')
                peer.answers = {}
                daemon.wait_log("relay is up again", timeout=90)
        daemon.wait_log(f'or take another relay={peer.relay} reply="{words} 1"', timeout=120)



def test_a_template_that_is_broken_for_each_mail(world):
    add_customer(world)
    with open(world.path("templates", "completed.txt"), "w", encoding="utf-8") as file:
        file.write("Subject: Done\n\n{{#job}} without an end\n")
    daemon = world.start_daemon()
    for n in range(10):
        world.xadd(id=str(n), type="job.completed", job=str(n), customer="1001")
        wait_outcome(world, str(n), "sent")
    assert world.metrics()["dispatchd_template_faults_total"] == 10
    assert daemon.log().count("template state=completed: ") == 1


def test_what_a_person_does_is_logged_each_time(world):
    daemon = world.start_daemon()
    for n in range(3):
        world.ctl("mail", "pause", "--note", f"note {n}")
        world.ctl("mail", "resume")
        world.ctl("reload")
        daemon.wait_log("sending is paused", count=n + 1)
        daemon.wait_log("sending is resumed", count=n + 1)
        daemon.wait_log("reloaded file=", count=n + 1)


def test_the_level_changes_by_a_reload(world):
    add_customer(world)
    world.configure(log={"level": "warning"})
    daemon = world.start_daemon()
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    wait_outcome(world, "1", "sent")
    assert daemon.log() == ""
    world.configure(log={"level": "debug"})
    world.ctl("reload")
    daemon.wait_log("reloaded file=")
    world.xadd(id="2", type="job.completed", job="2", customer="1001")
    wait_outcome(world, "2", "sent")
    daemon.wait_log("debug: mail=2 was=queued now=sending")
    world.configure(log={"level": "error"})
    world.ctl("reload")
    before = daemon.log()
    world.xadd(id="3", type="job.completed", job="3", customer="1001")
    wait_outcome(world, "3", "sent")
    assert daemon.log() == before
    world.configure(log={"level": "loud"})
    done = world.ctl("reload", check=False)
    assert done.returncode != 0 and "debug, info, notice, warning" in done.stderr


def test_the_environment_wins_over_the_configuration(world):
    world.configure(log={"level": "error"})
    daemon = world.start_daemon(env={"DISPATCHD_LOG": "notice"})
    daemon.wait_log("notice: started ")
    world.ctl("reload")
    daemon.wait_log("reloaded file=")


def test_a_database_that_comes_and_goes(world):
    add_customer(world)
    daemon = world.start_daemon()
    wait_until(lambda: world.http("/readyz")[0] == 200, "readiness")
    for _ in range(3):
        os.rename(world.path("customers.db"), world.path("away.db"))
        wait_until(lambda: world.http("/readyz")[0] == 503, "unreadiness")
        os.rename(world.path("away.db"), world.path("customers.db"))
        wait_until(lambda: world.http("/readyz")[0] == 200, "readiness again")
    daemon.wait_log("customers.db")
    assert repeated(daemon.log()) == {}


@pytest.mark.long
def test_items_that_are_too_large(world):
    """Each is moved, and that is one line for all of them; each is a dead letter, which is logged each time."""
    world.configure(redis={"list": "jobs:list"})
    daemon = world.start_daemon()
    for _ in range(3):
        world.redis.lpush("jobs:list", "x" * (33 << 20))
    wait_until(lambda: world.redis.llen("jobs:list:too-large") == 3, "all of them to be moved", 60)
    daemon.wait_log("dead letter", count=3)
    assert daemon.log().count("and was moved") == 1
    assert all(line.startswith("warning: dead letter ") for line in repeated(daemon.log()))
