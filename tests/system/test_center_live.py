# SPDX-License-Identifier: MIT
"""dispatch-center's live events: whoever makes a change, open pages hear of it."""
import http.client
import json
import os
import re
import threading
import time

import pytest

from center import Center
from kit import wait_outcome
from world import PATIENCE, SANITIZED, wait_until


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple Bakery", "--email", "ann@example.com")
    center = Center(world)
    center.add("carl", "clerk")
    return center.start()


class Page:
    """Reads a stream as a browser does."""

    def __init__(self, person, topics, last_id=None, since=None):
        self.events, self.comments, self.last_id, self.ended = [], 0, None, False
        self.connection = http.client.HTTPConnection(person.center.address, timeout=60 * PATIENCE)
        headers = {**person.headers, **({"Last-Event-ID": last_id} if last_id else {})}
        self.connection.request("GET", f"/api/v1/live?topics={topics}" + (f"&since={since}" if since else ""), headers=headers)
        self.answer = self.connection.getresponse()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        if self.answer.status == 200:
            wait_until(lambda: self.last_id, "the stream's first line")

    def read(self):
        name, data = "message", []
        try:
            for line in self.answer:
                line = line.decode().rstrip("\n")
                field, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.comments += 1
                elif field == "id":
                    self.last_id = value
                elif field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif line == "":
                    if data:
                        self.events.append((name, json.loads("\n".join(data))))
                    name, data = "message", []
        except (OSError, ValueError, AttributeError):
            pass
        self.ended = True

    def wait(self, name, more=lambda data: True):
        wait_until(lambda: [data for event, data in self.events if event == name and more(data)],
                   lambda: f"{name}; there are {self.events}")
        return [data for event, data in self.events if event == name and more(data)][-1]

    def close(self):
        self.connection.sock and self.connection.sock.shutdown(2)


def test_a_page_hears_what_changed_while_it_was_on_its_way(world, center):
    carl, sam = center.bearer("carl"), center.log_in("carl")
    witness = Page(carl, "customer:1001")
    since = re.search(r'data-since="([^"]+)"', sam.get("/customers/1001").text).group(1)
    world.ctl("customer", "set", "1001", "--city", "Denver")
    witness.wait("customer")
    Page(carl, "customer:1001", since=since).wait("customer")
    later = Page(carl, "customer:1001", since="1-1")
    later.wait("customer")
    assert Page(carl, "customer:1001", later.last_id, since=since).events == [], "the header counts"


def test_a_page_hears_of_changes_by_anybody(world, center):
    carl = center.bearer("carl")
    page = Page(carl, "customer:1001,holds,mails")
    assert page.answer.getheader("Content-Type") == "text/event-stream"
    world.ctl("customer", "set", "1001", "--city", "Denver")
    version = carl.get("/api/v1/customers/1001").json["version"]
    assert page.wait("customer", lambda data: data["version"] == version) == {"number": "1001", "version": version}
    world.start_daemon()
    seen = len(page.events)
    world.xadd("jobs:events", id="1", type="job.started", job="4711", customer="1001")
    wait_outcome(world, "1", "sent")
    page.wait("mails")
    wait_until(lambda: "customer" in [name for name, _ in page.events[seen:]], "the customer's job")
    world.ctl("suspend", "1001", "--note", "unpaid")
    world.xadd("jobs:requests", id="2", type="job.dispatch", job="h1", customer="1001")
    wait_outcome(world, "2", "held")
    page.wait("holds")


def test_a_pause_of_sending_is_heard(world, center):
    """No mail has changed, but what the pages of mails say."""
    page = Page(center.bearer("carl"), "mails")
    for n, command in enumerate((("pause",), ("pause", "--note", "why"), ("resume",)), 1):
        world.ctl("mail", *command)
        wait_until(lambda n=n: len(page.events) == n, f"{command} to be heard")
    assert {name for name, _ in page.events} == {"mails"}


def test_the_first_change_after_the_start_is_heard(world, center):
    carl = center.bearer("carl")
    for n in range(3):
        center.stop()
        center.start()
        page = Page(carl, "customer:1001")
        world.ctl("customer", "set", "1001", "--city", f"City {n}")
        page.wait("customer")


def test_a_page_hears_of_its_parent_and_of_nobody_else(world, center):
    world.ctl("customer", "add", "A,1 x", "--name", "A site", "--parent", "1001")
    world.ctl("customer", "add", "2002", "--name", "Another")
    page = Page(center.bearer("carl"), "customer:A%2C1%20x,holds")
    world.ctl("customer", "set", "2002", "--city", "Denver")
    world.ctl("suspend", "1001", "--note", "unpaid")
    assert page.wait("customer")["number"] == "A,1 x"
    assert {data["number"] for name, data in page.events if name == "customer"} == {"A,1 x"}
    world.ctl("hours", "except", "--all", "2030-12-25", "closed")
    wait_until(lambda: len(page.events) >= 2, "dates for everybody")


def test_what_was_missed_is_sent_after_a_break(world, center):
    carl = center.bearer("carl")
    page = Page(carl, "customer:1001")
    world.ctl("customer", "set", "1001", "--city", "Denver")
    page.wait("customer")
    last = page.last_id
    page.close()
    world.ctl("customer", "set", "1001", "--city", "Reno")
    version = carl.get("/api/v1/customers/1001").json["version"]
    time.sleep(1)  # so that the center has seen it
    again = Page(carl, "customer:1001", last)
    assert again.wait("customer", lambda data: data["version"] == version)
    center.stop()
    center.start()
    after = Page(carl, "customer:1001,holds", last)
    assert after.wait("customer") == {"number": "1001", "version": None}
    after.wait("holds")
    assert len(after.events) == 2


def test_faults_of_topics(center):
    carl = center.bearer("carl")
    for path, status in (("?topics=", 400), ("", 400), ("?topics=trucks", 400), ("?topics=customer:none", 404),
                         ("?topics=holds&x=1", 400)):
        assert carl.get(f"/api/v1/live{path}").status == status, path
    assert center.ask("GET", "/api/v1/live?topics=holds").status == 401


def test_fifty_pages_take_little_and_end_with_it(world, center):
    carl = center.bearer("carl")
    pages = [Page(carl, "customer:1001,holds") for _ in range(50)]
    world.ctl("customer", "set", "1001", "--city", "Denver")
    for page in pages:
        page.wait("customer")
    with open(f"/proc/{center.process.pid}/status", encoding="ascii") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    assert resident < 64 << 10 or SANITIZED
    begin = time.monotonic()
    assert center.stop() == 0
    assert time.monotonic() - begin < 20 * PATIENCE
    for page in pages:
        wait_until(lambda page=page: page.ended, "the end of a stream")


def test_a_center_that_was_there_first_hears_too(world):
    """Started on a new machine, before there is a database of customers."""
    center = Center(world)
    center.add("carl", "clerk")
    center.start()
    assert not os.path.exists(world.path("customers.db"))
    world.ctl("customer", "add", "1001", "--name", "Maple Bakery")
    page = Page(center.bearer("carl"), "customer:1001")
    page.wait("customer")
    seen = len(page.events)
    world.ctl("customer", "set", "1001", "--city", "Denver")
    wait_until(lambda: len(page.events) > seen, "a later change")
