#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs axe-core over every page of the customer center: light and dark, wide and on a phone, dialogs too; and over the
mails.

axe-core comes by npm, into $BUILD/axe: a developer's tool, which neither building nor `make test` needs. Where it,
npm or a browser is missing this says so and passes.
"""
import base64
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
import browser  # noqa: E402
import mail_samples  # noqa: E402
from center import Center  # noqa: E402
from world import BUILD, World  # noqa: E402

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CUSTOMER = ["", "/notes", "/comments", "/contacts", "/hours", "/documents", "/pictures", "/assets", "/plot", "/systems", "/third-parties",
            "/reps", "/activities", "/quotes", "/sales", "/suspensions", "/related", "/history"]
OTHERS = ["/", "/?q=maple", "/?q=nobody", "/add/customers", "/edit/customers/1001", "/contacts/1/test?which=email", "/status/1001/deactivate",
          "/remove/customers/1001", "/records/reps", "/records/system-types", "/holds", "/today", "/today?show=ending", "/jobs", "/lists", "/lists/edit", "/mails", "/mails/retry?status=failed", "/dead", "/jobs/4711?customer=1001&type=completed", "/users", "/account", "/nowhere"]


def get_axe():
    """Why axe-core isn't there; None where it is."""
    if browser.AXE.exists():
        return None
    if shutil.which("npm") is None:
        return "npm isn't installed"
    (BUILD / "axe").mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["npm", "install", "--prefix", str(BUILD / "axe"), "--ignore-scripts", "--no-audit", "--no-fund",
                        "--fetch-retries=0", "--fetch-timeout=20000",
                        "axe-core@4"], check=True, capture_output=True, timeout=120)
    except (subprocess.SubprocessError, OSError):
        return "npm can't get axe-core"
    return None if browser.AXE.exists() else "npm gave no axe-core"


def furnish(world):
    def ctl(*args):
        world.ctl(*args)
    ctl("customer", "add", "1001", "--name", "Maple Street Bakery", "--dba", "Maple Bread", "--address", "12 Maple Street",
        "--city", "Denver", "--state", "CO", "--phone", "+1 303 555 0100", "--renewal", "2027-01-31", "--contact", "Dana Hill",
        "--email", "dana@example.com", "--location-notes", "Dog in the yard after six.")
    ctl("contact", "set", "1", "--email-invalid", "yes")
    ctl("contact", "add", "1001", "--name", "Site office", "--email", "site@example.com", "--notify", "failed")
    ctl("hours", "set", "1001", "mon-fri", "07:00-12:00,13:00-17:00")
    ctl("hours", "except", "1001", "2030-12-24..2030-12-26", "closed")
    ctl("asset", "add", "1001", "--kind", "30 yard roll-off", "--serial", "R-3017", "--latitude", "39.7392",
        "--longitude", "-104.9903")
    ctl("note", "add", "1001", "--text", "The lane is narrow.", "--urgent")
    ctl("note", "add", "1001", "--text", "An ordinary note.")
    ctl("comment", "add", "1001", "--text", "They asked for a bigger box.")
    ctl("quote", "add", "1001", "--number", "Q-77")
    ctl("activity", "add", "1001", "--kind", "cold-call", "--text", "Ask about recycling")
    ctl("customer", "add", "1002", "--name", "Maple Hill Site", "--city", "Boulder", "--parent", "1001")
    ctl("asset", "add", "1002", "--kind", "Compactor")
    ctl("suspend", "1001", "--until", "2999-03-01", "--note", "Barn is being rebuilt")
    ctl("customer", "add", "1003", "--name", "Bare")


def pages():
    yield "/login", None
    yield from ((path, "boss") for path in OTHERS)
    yield from ((f"/customers/1001{tab}", "boss") for tab in CUSTOMER)
    yield from ((f"/customers/{number}", name) for number in ("1002", "1003") for name in ("boss", "rita"))


def look(window, where, faults):
    for fault in window.axe(RULES):
        faults.setdefault(fault, []).append(where)


def look_at_dialogs(window, faults):
    for key, name in (("s", "suspend"), ("n", "note"), ("e", "edit"), ("?", "keys")):
        window.open("/customers/1003").press(key)
        window.find("dialog")
        look(window, f"dialog {name}", faults)
    window.open("/")
    window.find("combobox", "Search customers").send_keys("maple")
    window.find("option")
    look(window, "search as one types", faults)


def look_at_preview(window, faults):
    window.open("/lists/edit")
    window.driver.execute_script("""const form = document.querySelector('[name=verb][value=dates]').form;
        form.first.value = '2030-05-01'; form.submit();""")
    window.find("heading", "What would change")
    look(window, "an edit of many, as a preview", faults)


def look_at_map(window, faults):
    """Tiles aren't there; whatever is drawn on them is. Where Leaflet isn't installed it is the plot once more."""
    window.open("/customers/1001/plot")
    window.driver.execute_async_script("setTimeout(arguments[0], 500)")
    look(window, "a map", faults)


def look_at_mails(window, faults):
    """How many mails."""
    for dark in (False, True):
        window.begin(None, width=375, dark=dark)
        for mail in mail_samples.MAILS:
            html = mail_samples.parts(mail_samples.raw(mail, "en", mail_samples.full(mail)))[2]
            window.driver.get("data:text/html;charset=utf-8;base64," + base64.b64encode(html.encode()).decode())
            look(window, f"mail {mail} ({'dark' if dark else 'light'})", faults)
    return 2 * len(mail_samples.MAILS)


def look_at_all(window, center, faults):
    """How many pages. Each once in light and wide, once dark on a phone; the busiest in the other two, too."""
    people, n = {name: center.log_in(name) for name in ("boss", "rita")}, 0
    for width, dark in ((1280, False), (360, True)):
        for path, name in pages():
            window.begin(center, people.get(name), width=width, dark=dark).open(path)
            look(window, f"{path} ({width}, {'dark' if dark else 'light'}, {name})", faults)
            n += 1
    for width, dark in ((1280, True), (360, False)):
        window.begin(center, people["boss"], width=width, dark=dark)
        for path in ("/customers/1001", "/customers/1003"):
            look(window.open(path), f"{path} ({width}, {'dark' if dark else 'light'})", faults)
        look_at_dialogs(window, faults)
        look_at_preview(window, faults)
    return n


def main():
    missing = browser.missing() or get_axe()
    if missing:
        print(f"not looked at: {missing}")
        return 0
    try:
        window = browser.Browser()
    except browser.NoBrowser as why:
        print(f"not looked at: {why}")
        return 0
    world, faults = World(), {}
    try:
        mails = look_at_mails(window, faults)
        furnish(world)
        world.start_daemon()
        world.xadd(id="1", type="job.started", job="4711", customer="1001")
        world.outcomes(wait_for={"event": "1"})
        center = Center(world)
        center.add("boss", "admin")
        center.add("rita", "reader")
        n = look_at_all(window, center.start(), faults)
        center.stop()
        center = Center(world, tiles="http://127.0.0.1:1/{z}/{x}/{y}.png", tiles_note="© Nobody").start()
        for width, dark in ((1280, False), (360, True)):
            window.begin(center, center.log_in("boss"), width=width, dark=dark)
            look_at_map(window, faults)
    finally:
        world.close()
        window.close()
    for fault, places in faults.items():
        print(f"{fault}\n    on {len(places)} pages: {', '.join(places[:4])}")
    print(f"{n} pages, {mails} mails, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
