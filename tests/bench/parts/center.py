#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The customer center with many customers (CUSTOMERS=100000, say; 20000 by default): a search and the one view over
HTTP, a page's weight, how soon an open page hears of a change, memory with 50 of them, an upload. One line each:
"NAME NUMBER UNIT"."""
import gzip
import http.client
import os
import pathlib
import random
import socket
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "system"))

from center import Center  # noqa: E402
from world import World  # noqa: E402

CUSTOMERS = int(os.environ.get("CUSTOMERS", "20000"))
ASKED = 2000
FIRST = ["Maple", "Cedar", "Harbor", "Summit", "River", "Sunset", "Granite", "Pioneer", "Valley", "Prairie", "Union",
         "Liberty", "Crystal", "Eagle", "Falcon", "Juniper", "Magnolia", "Sierra", "Aurora", "Bristol"]
SECOND = ["Bakery", "Storage", "Apartments", "Hardware", "Foods", "Motors", "Dental", "School", "Church", "Brewing",
          "Landscaping", "Roofing", "Plaza", "Clinic", "Farms", "Lumber", "Textiles", "Hotel", "Theater", "Market"]
CITIES = ["Denver", "Boulder", "Reno", "Elko", "Tucson", "Laredo", "Fresno", "Boise", "Omaha", "Lincoln"]


def say(name, number, unit):
    print(f"{name} {number:.2f} {unit}", flush=True)


def fill(world):
    chance = random.Random(7)
    path = world.path("customers.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("number,name,address,city,state,phone,contact,email\n")
        for n in range(CUSTOMERS):
            name = f"{chance.choice(FIRST)} {chance.choice(SECOND)} {n % 977}"
            file.write(f"C{n:07d},{name},{n % 9000 + 1} {chance.choice(FIRST)} Street,{chance.choice(CITIES)},CO,"
                       f"303 555 {n % 10000:04d},{chance.choice(FIRST)} {chance.choice(SECOND)},c{n}@example.com\n")
    began = time.monotonic()
    world.ctl("customer", "import", path, timeout=3600)
    say("import", time.monotonic() - began, "s")


class Browser:
    """One connection that stays."""

    def __init__(self, center, headers):
        self.connection = http.client.HTTPConnection(center.address, timeout=60)
        self.headers = headers

    def get(self, path):
        began = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:200])
        return (time.perf_counter() - began) * 1000, body


def percentiles(name, took):
    cut = statistics.quantiles(took, n=100)
    for percent in (50, 95, 99):
        say(f"{name}_p{percent}", cut[percent - 1], "ms")


def searches():
    """What people type: three letters, a word, two words, a number, a phone, an address."""
    chance = random.Random(11)
    for _ in range(ASKED):
        n = chance.randrange(CUSTOMERS)
        yield chance.choice([
            chance.choice(FIRST)[:3], chance.choice(SECOND)[:4], f"{chance.choice(FIRST)} {chance.choice(SECOND)}",
            f"{chance.choice(SECOND)} {chance.choice(CITIES)}", f"C{n:07d}", f"{n % 977} {chance.choice(FIRST)}",
            f"555 {n % 10000:04d}", f"c{n}@example.com", chance.choice(CITIES)[:3]])


def live(world, center, headers):
    """From a change by dispatchctl to the event on an open page; and memory with 50 pages."""
    heard = threading.Event()
    pages = []

    def listen(answer):
        try:
            for line in answer:
                if line.startswith(b"data: "):
                    heard.set()
        except (OSError, ValueError, AttributeError):
            pass
    for _ in range(50):
        connection = http.client.HTTPConnection(center.address, timeout=600)
        connection.request("GET", "/api/v1/live?topics=customer:C0000001", headers=headers)
        answer = connection.getresponse()
        thread = threading.Thread(target=listen, args=(answer,), daemon=True)
        thread.start()
        pages.append(connection)
    took = []
    for n in range(5):
        time.sleep(0.5)
        heard.clear()
        began = time.perf_counter()
        world.ctl("customer", "set", "C0000001", "--reference", f"R{n}")
        assert heard.wait(20)
        took.append((time.perf_counter() - began) * 1000)
    say("change_heard_max", max(took), "ms")
    say("resident_50_pages", status(center, "VmRSS") / 1024, "MiB")
    return pages


def status(center, name):
    with open(f"/proc/{center.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def upload(center, headers):
    before = status(center, "VmHWM")
    edge = "xXbenchXx"
    body = (f'--{edge}\r\nContent-Disposition: form-data; name="description"\r\n\r\nlarge\r\n--{edge}\r\n'
            'Content-Disposition: form-data; name="file"; filename="large"\r\n\r\n').encode()
    body += os.urandom(25 * 1000 * 1000) + f"\r\n--{edge}--\r\n".encode()
    began = time.perf_counter()
    answer = center.ask("POST", "/api/v1/customers/C0000001/documents", body,
                        {**headers, "Content-Type": f"multipart/form-data; boundary={edge}"})
    assert answer.status == 201, answer.text
    say("upload_25MB", (time.perf_counter() - began) * 1000, "ms")
    say("upload_growth", (status(center, "VmHWM") - before) / 1024, "MiB")


def main():
    world = World()
    try:
        fill(world)
        center = Center(world)
        center.add("carl", "clerk")
        center.start()
        headers = {"Authorization": f"Bearer {center.token('carl')}"}
        cookie = center.log_in("carl").headers
        browser = Browser(center, headers)
        percentiles("healthz", [browser.get("/healthz")[0] for _ in range(ASKED)])
        browser.get("/api/v1/customers?q=maple")
        percentiles("search", [browser.get("/api/v1/customers?q=" + text.replace(" ", "+"))[0] for text in searches()])
        chance = random.Random(5)
        numbers = [f"C{chance.randrange(CUSTOMERS):07d}" for _ in range(ASKED // 2)]
        percentiles("one_view", [browser.get(f"/api/v1/customers/{number}")[0] for number in numbers])
        person = Browser(center, cookie)
        percentiles("page", [person.get(f"/customers/{number}")[0] for number in numbers])
        weight = sum(len(gzip.compress(person.get(path)[1])) for path in ("/customers/C0000001", "/assets/style.css"))
        say("page_and_style_compressed", weight / 1000, "kB")
        pages = live(world, center, headers)
        for page in pages:
            page.sock.shutdown(socket.SHUT_RDWR)
        upload(center, headers)
    finally:
        world.close()


if __name__ == "__main__":
    main()
