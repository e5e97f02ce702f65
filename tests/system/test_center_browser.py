# SPDX-License-Identifier: MIT
"""dispatch-center in Chromium: what an office does all day, with the mouse, by keys, and without scripts.

All of it is before one center and in one browser. Skipped where there is none; `make test` installs it where it can.
"""
import datetime
import http.server
import os
import shlex
import struct
import threading
import urllib.parse
import zlib

import pytest

import browser as browsers
from center import PASSWORD, Center
from kit import wait_outcome
from test_center_hostile import EVIL, TABS, plant
from world import SANITIZED, World, wait_until

pytestmark = [pytest.mark.xdist_group("browser"),
              pytest.mark.skipif(browsers.missing() is not None, reason=f"no browser: {browsers.missing()}"),
              pytest.mark.skipif(SANITIZED, reason="what the center does for a browser, tests over HTTP ask of it, too")]
Keys = getattr(browsers, "Keys", None)


@pytest.fixture(scope="module")
def office():
    """A center with people; each test has customers of its own."""
    world = World()
    try:
        world.start_daemon()
        center = Center(world, dispatch_url="https://dispatch.example.com/new?c={number}")
        for name, role in (("sam", "clerk"), ("mona", "manager"), ("rita", "reader"), ("greta", "clerk")):
            center.add(name, role)
        center.start()
        center.people = {name: center.log_in(name) for name in ("sam", "mona", "rita", "greta")}
        center.people["greta"].submit("/account/language", {"language": "de"})
        yield center
    finally:
        world.close()


@pytest.fixture(scope="module")
def chromium():
    yield from browsers.one_for_all()


@pytest.fixture
def page(office, chromium):
    """A window of sam's; nothing may be wrong on the console at the end."""
    yield chromium.begin(office, office.people["sam"])
    assert chromium.faults() == []


@pytest.fixture
def plain(office, chromium):
    """The same without scripts."""
    yield chromium.begin(office, office.people["sam"], scripts=False)
    assert chromium.faults() == []


def add(office, number, name, *more):
    office.world.ctl("customer", "add", number, "--name", name, "--city", "Denver", "--timezone", "UTC", *more)
    return f"/customers/{number}"


def customer(office, number):
    return office.world.ctl_json("customer", "show", number)


def picture(shade):
    """A PNG of one pixel."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes([0, shade]))) + chunk(b"IEND", b""))


# ---- the commonest tasks

def test_log_in_and_out_by_keys(office, chromium):
    window = chromium.begin(office).open("/customers/nobody")
    window.find("field", "Name")
    assert window.focused.accessible_name == "Name"
    window.press("sam", Keys.TAB)
    window.press("wrong password", Keys.ENTER)
    window.wait_text("wrong")
    window.type("Password", PASSWORD)
    window.press(Keys.ENTER)
    window.wait_path("/customers/nobody")
    window.click("button", "Log out")
    window.wait_path("/login")
    assert [line for line in window.faults() if "401" not in line and "404" not in line] == []


def test_three_letters_find_anybody(office, page):
    add(office, "F1", "Zebra Logistics")
    add(office, "F2", "Zebra & Sons", "--phone", "303 555 0177")
    office.world.ctl("suspend", "F2", "--note", "closed")
    page.open("/").press("/")
    box = page.find("combobox", "Search customers")
    assert page.focused == box and box.get_attribute("aria-expanded") == "false"
    page.press("zeb")
    page.find("option")
    page.wait(lambda: len(page.all("option")) == 3, "two customers, and adding a third")
    assert box.get_attribute("aria-expanded") == "true"
    (red,) = [row for row in page.all("option") if "Sons" in row.text]
    assert "suspended" in red.text
    page.press(Keys.ARROW_DOWN)
    active = [row for row in page.all("option") if row.get_attribute("aria-selected") == "true"]
    assert [row.get_attribute("id") for row in active] == [box.get_attribute("aria-activedescendant")]
    page.press(Keys.ARROW_UP)
    page.press(Keys.ARROW_UP)
    assert "Zebra" in page.driver.find_element("id", box.get_attribute("aria-activedescendant")).text
    page.press(Keys.ESCAPE)
    assert page.all("option") == []
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys("5550177")
    page.wait(lambda: [row.text for row in page.all("option") if "phone: 303 555 0177" in row.text], "the phone found")
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    page.wait_path("/customers/F2")


def test_enter_shows_all_hits_on_a_page(office, page):
    add(office, "F3", "Quagga Rentals")
    add(office, "F4", "Quagga Repairs")
    page.open("/")
    page.find("combobox", "Search customers").send_keys("quagga", Keys.ENTER)
    page.wait_path("/?q=quagga")
    page.click("link", "Quagga Rentals")
    page.wait_path("/customers/F3")


def test_enter_opens_the_only_hit(office, page):
    add(office, "F5", "Okapi Optics")
    page.open("/")
    page.find("combobox", "Search customers").send_keys("okapi")
    page.wait(lambda: [row.text for row in page.all("option") if "Okapi Optics" in row.text], "the hit")
    page.press(Keys.ENTER)
    page.wait_path("/customers/F5")


def test_add_what_was_typed(office, page):
    add(office, "A1", "Okapi Farms")
    page.open("/")
    page.find("combobox", "Search customers").send_keys("okapi farms")
    page.wait(lambda: [row for row in page.all("option") if "Add new" in row.text], "the offer to add one")
    page.press(Keys.ARROW_UP, Keys.ENTER)
    page.wait_path("/add/customers?typed=okapi%20farms")
    assert page.find("field", "Name").get_attribute("value") == "okapi farms"
    page.type("Number", "A2")
    page.type("City", "Denver")
    page.click("button", "Save")
    page.wait_text("There is one like it")
    assert page.all("link", "Okapi Farms")
    page.click("checkbox", "It is a different one: add it anyway")
    page.click("button", "Save")
    page.wait_path("/customers/A2")


def test_suspend_and_resume(office, page):
    path = add(office, "S1", "Gnu Storage")
    add(office, "S2", "Gnu Yard", "--parent", "S1")
    office.world.ctl("asset", "add", "S1", "--kind", "Roll-off")
    page.open(path)
    assert page.find("link", "Dispatch").get_attribute("href") == "https://dispatch.example.com/new?c=S1"
    page.press("s")
    dialog = page.find("dialog", "Suspend")
    for name in ("From", "Until", "Note"):
        page.find("field", name, dialog)
    assert all(page.find("checkbox", name, dialog).is_selected() for name in ("Jobs", "Routes", "Emails"))
    page.wait(lambda: "1 site inherits it" in page.find("status", inside=dialog).text, "what it would reach")
    page.click("checkbox", "Indefinite", dialog)
    page.set_day("Until", "2999-03-01", dialog)
    assert not page.find("checkbox", "Indefinite", dialog).is_selected()
    page.type("Note", "barn is being rebuilt", dialog)
    page.click("button", "Save", dialog)
    page.wait_gone("dialog")
    alert = page.find("alert")
    assert alert.text.startswith("Suspended until March 1, 2999") and "barn is being rebuilt" in alert.text
    assert "sam" in alert.text
    blocked = page.find("button", "Dispatch")
    assert blocked.get_attribute("aria-disabled") == "true"
    reason = page.driver.find_element("id", blocked.get_attribute("aria-describedby"))
    assert "suspension" in reason.text
    page.open("/customers/S2")
    page.click("link", "Gnu Storage", page.find("alert"))
    page.wait_path(path)
    page.click("button", "Resume")
    page.find("link", "Dispatch")
    assert page.all("alert") == [] and office.world.ctl_json("suspensions", "S1") == []


def test_find_suspend_and_resume_in_german(office, chromium):
    add(office, "D1", "Dachs Logistik", "--phone", "303 555 0188")
    add(office, "D2", "Dachs Hof", "--parent", "D1")
    page = chromium.begin(office, office.people["greta"]).open("/")
    assert page.driver.find_element("tag name", "html").get_attribute("lang") == "de"
    page.find("combobox", "Kunden suchen").send_keys("5550188")
    page.wait(lambda: [row.text for row in page.all("option") if "Telefon: 303 555 0188" in row.text], "the phone found")
    assert [row.text for row in page.all("option") if "Neu anlegen: 5550188" in row.text]
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    page.wait_path("/customers/D1")
    page.press("?")
    assert "sperren oder Sperre aufheben" in page.find("dialog", "Tasten").text
    page.click("button", "Schließen", page.find("dialog"))
    page.wait_gone("dialog")
    page.press("s")
    dialog = page.find("dialog", "Sperren")
    page.wait(lambda: "Nach jetzigem Stand: 1 Standort erbt es." in page.find("status", inside=dialog).text, "what it would reach")
    for name in ("Aufträge", "Routen", "E-Mails"):
        page.click("checkbox", name, dialog)
    page.wait(lambda: "So wird nichts gesperrt" in page.find("status", inside=dialog).text, "that nothing is chosen")
    page.click("checkbox", "E-Mails", dialog)
    page.set_day("Bis", "2999-03-01", dialog)
    page.type("Notiz", "Umbau", dialog)
    page.click("button", "Speichern", dialog)
    page.wait_gone("dialog")
    page.wait_text("Gesperrt bis 1. März 2999 für E-Mails: „Umbau“", "[role=alert]")
    page.wait(lambda: page.text("#said") == "Gespeichert.", "that it is said")
    assert "gesperrt" in page.open("/?q=dachs").text("main")
    page.open("/customers/D1").click("button", "Sperre aufheben")
    page.wait_gone("alert")
    page.find("link", "Sperren")
    assert office.world.ctl_json("suspensions", "D1") == [] and page.faults() == []


def test_a_note_by_keys_alone(office, page):
    path = add(office, "N1", "Ibex Cafe")
    page.open(path).press("n")
    dialog = page.find("dialog")
    assert page.focused.accessible_name == "Note"
    page.press("they moved / suspend nobody ?")  # in a field these are letters
    page.press(Keys.TAB, Keys.SPACE)
    page.find("button", "Save", dialog).send_keys(Keys.ENTER)
    page.wait_gone("dialog")
    page.wait_text("they moved / suspend nobody ?")
    (note,) = customer(office, "N1")["notes"]
    assert (note["author"], note["urgent"]) == ("sam", True)
    assert page.focused.accessible_name == "Add note"


def test_keys_can_be_switched_off(office, page):
    page.open(add(office, "K1", "Kudu Works"))
    page.press("?")
    dialog = page.find("dialog", "Keys")
    page.click("checkbox", "Use these keys", dialog)
    page.click("button", "Close", dialog)
    page.wait_gone("dialog")
    page.driver.find_element("tag name", "body").send_keys("n")
    page.click("button", "Keys")
    page.click("checkbox", "Use these keys", page.find("dialog", "Keys"))
    page.press(Keys.ESCAPE)
    page.wait_gone("dialog")
    page.driver.find_element("tag name", "body").send_keys("n")
    page.find("dialog", "Add note")


def test_two_people_edit_one_customer(office, page):
    path = add(office, "E1", "Eland Depot", "--phone", "303 555 0101")
    page.open(path).press("e")
    dialog = page.find("dialog", "Edit customer")
    page.type("City", "Elko", dialog)
    office.world.ctl("customer", "set", "E1", "--city", "Reno", "--phone", "303 555 0202")
    page.click("button", "Save", dialog)
    page.wait_text("you wrote “Elko”, but it is “Reno” by now", "dialog")
    assert "nothing of yours is saved yet" in page.find("alert").text
    assert page.find("field", "City").get_attribute("value") == "Elko"
    page.click("button", "Save", page.find("dialog"))
    page.wait_gone("dialog")
    page.wait_text("Elko", "#location")
    found = customer(office, "E1")
    assert (found["city"], found["phone"]) == ("Elko", "303 555 0202")


def test_contacts_and_what_each_is_mailed_for(office, page):
    path = add(office, "C1", "Civet Foods", "--contact", "Ann", "--email", "ann@example.com")
    page.open(path)
    page.click("link", "Add a contact")
    dialog = page.find("dialog", "Add contact")
    page.type("Name", "Bo", dialog)
    page.type("Email", "no address", dialog)
    page.driver.execute_script("arguments[0].noValidate = true", page.find("field", "Name", dialog).find_element("xpath", "ancestor::form"))
    page.click("button", "Save", dialog)
    page.wait_text("must be a mail address", "dialog")
    page.type("Email", "bo@example.com", page.find("dialog"))
    page.click("button", "Save", page.find("dialog"))
    page.wait_gone("dialog")
    page.wait_text("bo@example.com", "#contacts")
    page.driver.find_element("css selector", ".tabs a[href$='/contacts']").click()
    page.wait_path(path + "/contacts")
    page.click("checkbox", "Bo: dispatched")
    page.click("checkbox", "Ann: cancelled")
    page.click("button", "Save notifications")
    wait_until(lambda: [row["notify"][0] for row in customer(office, "C1")["contacts"]] == ["dispatched", "started"], "saved")
    assert "cancelled" in customer(office, "C1")["contacts"][0]["notify"]


def test_a_week_of_hours(office, page):
    path = add(office, "H1", "Hyrax Mills") + "/hours"
    page.open(path)
    page.type("Monday", "07:00-12:00,13:00-17:00")
    page.click("button", "Copy down from Monday")
    assert page.find("field", "Sunday").get_attribute("value") == "07:00-12:00,13:00-17:00"
    assert len(page.driver.find_elements("css selector", ".week .open")) == 14
    page.type("Sunday", "closed")
    page.click("button", "When would it open?")
    page.wait_text("Nothing is saved yet")
    page.click("button", "Save")
    wait_until(lambda: office.world.ctl_json("hours", "show", "H1")["weekly"], "the hours on record")
    week = office.world.ctl_json("hours", "show", "H1")["weekly"]
    assert (week["sat"], week["sun"]) == ("07:00-12:00,13:00-17:00", "closed")


def test_several_pictures_at_once(office, page, tmp_path):
    files = [tmp_path / f"{shade}.png" for shade in (10, 200)]
    for file, shade in zip(files, (10, 200)):
        file.write_bytes(picture(shade))
    page.open(add(office, "P1", "Puma Press") + "/pictures")
    page.find("field", "File").send_keys("\n".join(str(file) for file in files))
    page.wait(lambda: len(page.driver.find_elements("css selector", "form .thumbs img")) == 2, "two thumbnails")
    page.type("Description", "gate <b>north</b>")
    page.click("button", "Upload")
    page.wait(lambda: len(page.driver.find_elements("css selector", "#rows img")) == 2, "two pictures on the page")
    assert [row["description"] for row in customer(office, "P1")["pictures"]] == ["gate <b>north</b>"] * 2
    shown = "return [...document.querySelectorAll('#rows img')].every(i => i.complete && i.naturalWidth === 1)"
    page.wait(lambda: page.driver.execute_script(shown), "pictures that can be seen")


def commands(page, inside):
    """Those beside a form, as a shell takes them apart."""
    codes = page.driver.find_elements("css selector", f"{inside} .command code")
    return [shlex.split(line)[1:] for code in codes for line in code.get_property("textContent").split("dispatchctl")[1:]
            for line in ["dispatchctl" + line]]


def test_the_command_follows_what_is_typed(office, page, tmp_path):
    world = office.world
    path = add(office, "O1", "Otter's Own", "--contact", "Ann", "--email", "ann@example.com", "--fax", "303 555 0101")
    page.open(path).press("e")
    dialog = page.find("dialog", "Edit customer")
    (whole,) = commands(page, "dialog")
    assert whole[:3] == ["customer", "set", "O1"] and whole[whole.index("--name") + 1] == "Otter's Own"
    page.type("City", "Saint Mary's", dialog)
    page.type("Fax", "", dialog)
    (changed,) = commands(page, "dialog")
    assert changed == ["customer", "set", "O1", "--city", "Saint Mary's", "--fax", ""]
    world.ctl(*changed)
    assert customer(office, "O1")["city"] == "Saint Mary's" and customer(office, "O1")["fax"] is None
    page.type("City", "Denver", dialog)
    page.type("Fax", "303 555 0101", dialog)
    assert commands(page, "dialog") == [whole]
    page.open(path).press("s")
    dialog = page.find("dialog", "Suspend")
    page.type("Note", "it's unpaid", dialog)
    page.click("checkbox", "Routes", dialog)
    page.set_day("Until", "2999-01-02", dialog)
    (suspend,) = commands(page, "dialog")
    world.ctl(*suspend)
    (row,) = world.ctl_json("suspension", "list", "O1")
    assert (row["note"], row["until"], row["scopes"]) == ("it's unpaid", "2999-01-02", ["jobs", "emails"])
    page.open(path + "/hours")
    page.type("Monday", "07:00-12:00")
    page.click("button", "Copy down from Monday")
    page.type("Sunday", "closed")
    for line in commands(page, "[data-week]"):
        world.ctl(*line)
    week = world.ctl_json("hours", "show", "O1")["weekly"]
    assert (week["mon"], week["sat"], week["sun"]) == ("07:00-12:00", "07:00-12:00", "closed")
    files = [tmp_path / f"{shade} it's.png" for shade in (20, 210)]
    for file, shade in zip(files, (20, 210)):
        file.write_bytes(picture(shade))
    page.open(path + "/pictures")
    page.find("field", "File").send_keys("\n".join(str(file) for file in files))
    page.type("Description", "$gate")
    lines = commands(page, "#add")
    assert [line[3] for line in lines] == [file.name for file in files]
    for line, file in zip(lines, files):
        world.ctl(*line[:3], str(file), *line[4:])
    assert [row["description"] for row in customer(office, "O1")["pictures"]] == ["$gate"] * 2


def test_status_asks_first(office, chromium):
    path = add(office, "T1", "Tapir Tools")
    window = chromium.begin(office, office.people["mona"]).open(path)
    window.click("link", "Deactivate")
    dialog = window.find("dialog", "Are you sure?")
    window.click("link", "Cancel", dialog)
    window.wait_gone("dialog")
    assert customer(office, "T1")["status"] == "active"
    window.click("link", "Deactivate")
    window.click("button", "Deactivate", window.find("dialog", "Are you sure?"))
    window.wait_gone("dialog")
    window.wait_text("inactive", "#top")
    assert customer(office, "T1")["status"] == "inactive" and window.faults() == []


# ---- what others do

def test_changes_appear_by_themselves(office, page):
    path = add(office, "L1", "Lynx Labs")
    page.open(path)
    page.find("region", "Contact and location")
    office.world.ctl("customer", "set", "L1", "--phone", "303 555 0188")
    page.wait_text("303 555 0188", "#location")
    office.world.ctl("suspend", "L1", "--note", "flood")
    assert page.find("alert").text.startswith("Suspended")


def test_where_somebody_is_at_work_nothing_is_touched(office, page):
    path = add(office, "L2", "Loris Lumber", "--contact", "Ann", "--email", "ann@example.com")
    page.open(path + "/contacts")
    box = page.find("checkbox", "Ann: cancelled")
    box.click()
    (ann,) = customer(office, "L2")["contacts"]
    office.world.ctl("contact", "set", ann["id"], "--title", "boss")
    page.wait_text("Changed by", "#rows")
    assert box.is_selected() and "boss" not in page.text("#rows")
    page.click("button", "Show it")
    page.wait_text("boss", "#rows")


def test_held_jobs_come_and_go(office, page):
    add(office, "L3", "Llama Loads")
    office.world.ctl("suspend", "L3", "--note", "flood")
    page.open("/holds")
    office.world.xadd(stream="jobs:requests", id="l3", type="job.dispatch", job="J-L3", customer="L3", route="north")
    page.wait_text("J-L3")
    page.open("/customers/L3")
    page.wait_text("held: suspended", "#assets")
    assert page.find("button", "Dispatch").get_attribute("aria-disabled") == "true"
    assert "Resuming releases J-L3" in page.text("#refused")
    page.click("button", "Resume")
    page.wait_gone("alert")
    page.open("/holds")
    page.wait_text("No job is held")


def test_mails_jobs_and_dead_letters_come_by_themselves(office, page):
    add(office, "L4", "Lark Lumber", "--email", "lark@example.com")
    page.open("/mails?customer=L4")
    page.wait_text("No mail matches.", "#rows")
    office.world.xadd(id="l4", type="job.started", job="J-L4", customer="L4")
    page.wait_text("lark@example.com", "#rows")
    page.click("link", "J-L4")
    page.wait_text("sent", "#story")
    office.world.xadd(id="l5", type="job.completed", job="J-L4", customer="L4")
    page.wait_text("event l5", "#story")
    page.open("/dead")
    office.world.xadd(id="l6", type="no such type", job="J-L4", customer="L4")
    page.wait_text("no such type", "#rows")


# ---- the plot map

def with_plan(office, tmp_path, number, *assets):
    """A customer with a plan; each asset by kind with its place on it."""
    path, file, ids = add(office, number, f"Plotted {number}"), tmp_path / "yard.png", []
    file.write_bytes(picture(200))
    office.world.ctl("picture", "add", number, file, "--description", "The yard", "--plan", "yes")
    for kind, *at in assets:
        office.world.ctl("asset", "add", number, "--kind", kind, *(("--plan-x", at[0], "--plan-y", at[1]) if at else ()))
        ids.append(max(row["id"] for row in customer(office, number)["assets"]))
    return path + "/plot", ids


def at(office, asset):
    found = office.world.ctl_json("asset", "show", asset)
    return found["plan_x"] and (float(found["plan_x"]), float(found["plan_y"]))


def wait_at(office, asset, x, y, room=0.0):
    def there():
        found = at(office, asset)
        return found and abs(found[0] - x) <= room and abs(found[1] - y) <= room
    wait_until(there, lambda: f"asset {asset} at {x}, {y}, not {at(office, asset)}")


def wait_said(page, text):
    page.wait(lambda: text in page.find("status").text, lambda: f"{text!r}, not {page.find('status').text!r}")


def test_an_asset_is_placed_by_keys(office, page, tmp_path):
    path, (bin_, cart) = with_plan(office, tmp_path, "G1", ("Bin", "0.5", "0.25"), ("Cart",))
    page.open(path[:-5] + "/notes").click("link", "Plot map")
    page.wait_path(path)
    page.driver.execute_script("arguments[0].focus()", page.find("link", "1 Bin"))
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.SHIFT + Keys.ARROW_DOWN)
    wait_said(page, "Bin: 52 % from the left, 30 % from the top")
    wait_at(office, bin_, 0.52, 0.3)
    page.wait_focus("1 Bin")
    page.press(Keys.ESCAPE)
    wait_at(office, bin_, 0.5, 0.25)
    wait_said(page, "Bin: 50 % from the left, 25 % from the top")
    page.driver.execute_script("arguments[0].focus()", page.find("link", "Pick Cart"))
    page.press(Keys.SHIFT + Keys.ARROW_LEFT)
    wait_at(office, cart, 0.45, 0.5)
    page.wait_focus("2 Cart")
    page.press(Keys.ESCAPE)
    wait_said(page, "Cart is no longer on the plan")
    assert at(office, cart) is None


def test_an_asset_is_dragged(office, page, tmp_path):
    path, (bin_,) = with_plan(office, tmp_path, "G2", ("Bin", "0.25", "0.25"))
    page.open(path)
    wide, high = page.driver.execute_script("const box = document.querySelector('.plan').getBoundingClientRect();"
                                            "return [box.width, box.height]")
    by = (round(wide / 2), round(high / 4))
    actions = browsers.webdriver.ActionChains(page.driver)
    actions.click_and_hold(page.find("link", "1 Bin")).move_by_offset(*by).release().perform()
    wait_at(office, bin_, 0.75, 0.5, 0.005)
    wait_said(page, "Bin: 7")
    there = at(office, bin_)
    actions = browsers.webdriver.ActionChains(page.driver)
    actions.click_and_hold(page.find("link", "1 Bin")).move_by_offset(-90, 40).send_keys(Keys.ESCAPE).release().perform()
    page.press(Keys.ARROW_UP)
    wait_at(office, bin_, there[0], there[1] - 0.01, 0.0001)


def test_an_asset_is_picked_and_its_place_clicked(office, page, tmp_path):
    path, (bin_, cart) = with_plan(office, tmp_path, "G3", ("Bin", "0.5", "0.25"), ("Cart",))
    page.open(path)
    for pick, asset, right in (("Pick Cart", cart, 0.3), ("1 Bin", bin_, -0.3)):
        page.click("link", pick)
        wait_said(page, "is picked")
        plan = page.driver.find_element("css selector", ".plan")
        size = plan.size
        actions = browsers.webdriver.ActionChains(page.driver)
        actions.move_to_element_with_offset(plan, round(size["width"] * right), round(-size["height"] * 0.1)).click().perform()
        wait_at(office, asset, 0.5 + right, 0.4, 0.01)


def test_what_others_move_appears_and_is_not_overwritten(office, page, tmp_path):
    path, (bin_,) = with_plan(office, tmp_path, "G4", ("Bin", "0.5", "0.25"))
    page.open(path)
    pin = "return document.querySelector('.pin svg').getAttribute('x')"
    office.world.ctl("asset", "set", bin_, "--plan-x", "0.6", "--plan-y", "0.25")
    page.wait(lambda: page.driver.execute_script(pin) == "60%", "the pin where it was moved to")
    page.driver.execute_script("arguments[0].focus()", page.find("link", "1 Bin"))
    office.world.ctl("asset", "set", bin_, "--plan-x", "0.7", "--plan-y", "0.25")
    page.wait_text("Changed by", "#plot")
    page.press(Keys.ARROW_LEFT)
    wait_said(page, "Somebody else has changed its place")
    assert at(office, bin_) == (0.7, 0.25) and page.driver.execute_script(pin) == "70%"


def test_a_reader_moves_nothing_on_the_plot_map(office, chromium, tmp_path):
    path, (bin_,) = with_plan(office, tmp_path, "G5", ("Bin", "0.5", "0.25"))
    window = chromium.begin(office, office.people["rita"]).open(path)
    assert window.find("region", "Plot map") and not window.all("button", "Save Bin")
    browsers.webdriver.ActionChains(window.driver).drag_and_drop_by_offset(window.find("link", "1 Bin"), 60, 60).perform()
    window.driver.execute_script("arguments[0].focus()", window.find("link", "1 Bin"))
    window.press(Keys.ARROW_LEFT)
    assert window.driver.execute_script("return document.querySelector('.pin svg').getAttribute('x')") == "50%"
    assert at(office, bin_) == (0.5, 0.25) and window.faults() == []


def test_without_scripts_the_plan_is_clicked(office, plain, tmp_path):
    path, (bin_,) = with_plan(office, tmp_path, "G6", ("Bin",))
    plain.open(path)
    plain.type("From the left (%)", "10")
    plain.type("From the top (%)", "20.5")
    plain.click("button", "Save Bin")
    plain.wait_text("Remove from the plan")
    assert at(office, bin_) == (0.1, 0.205)
    plain.click("link", "Pick Bin")
    place = plain.wait(lambda: plain.driver.find_elements("css selector", "input[type=image]"), "a plan to click")[0]
    assert place.size == {"width": 300, "height": 225}
    browsers.webdriver.ActionChains(plain.driver).move_to_element_with_offset(place, 75, -45).click().perform()
    wait_at(office, bin_, 0.75, 0.3, 0.005)


# ---- without scripts

def test_what_if_and_several_held_jobs_without_scripts(office, plain):
    add(office, "W2", "Weasel Works", "--email", "weasel@example.com")
    office.world.ctl("suspend", "W2", "--scope", "routes", "--note", "mud")
    for n in (1, 2):
        office.world.xadd(stream="jobs:requests", id=f"w{n}", type="job.dispatch", job=f"J-W{n}", customer="W2")
        wait_outcome(office.world, f"w{n}", "held")
    plain.open("/jobs/J-W1?customer=W2")
    plain.click("button", "Ask")
    plain.wait_text("Not suspended", "#whatif")
    plain.open("/holds")
    for n in (1, 2):
        plain.click("checkbox", f"Choose J-W{n}")
    plain.type("Note", "they have a new road")
    plain.click("button", "Release the chosen")
    plain.wait_text("2 jobs are released.")
    plain.open("/today")
    plain.wait_text("Today")


def test_without_scripts_the_same_can_be_done(office, plain, tmp_path):
    path = add(office, "W1", "Wombat Wood")
    plain.open("/")
    plain.find("searchbox", "Search customers").send_keys("womb", Keys.ENTER)
    plain.click("link", "Wombat Wood")
    plain.wait_path(path)
    plain.click("link", "Add note")
    plain.wait_path(path + "/notes")
    plain.type("Note", "beware of the wombat")
    plain.click("button", "Save")
    plain.wait_text("beware of the wombat", "#rows")
    plain.click("link", "Edit")
    plain.type("City", "Elko")
    plain.click("button", "Save")
    plain.wait_path(path)
    plain.wait_text("Elko", "#location")
    plain.click("link", "Suspend")
    plain.type("Note", "strike")
    plain.click("button", "What would it hold?")
    plain.wait_path(path + "/suspensions")
    plain.wait(lambda: plain.find("status").text.startswith("As it stands:"), "what it would hold")
    assert plain.find("field", "Note").get_attribute("value") == "strike"
    plain.click("button", "Save")
    plain.wait_path(path)
    assert plain.find("alert").text.startswith("Suspended until further notice")
    plain.click("button", "Resume")
    plain.wait_gone("alert")
    plain.open(path + "/hours")
    plain.type("Monday", "08:00-16:00")
    plain.click("button", "Copy down from Monday")
    plain.wait_text("Nothing is saved yet")
    plain.click("button", "Save")
    plain.wait_text("With the hours on record")
    file = tmp_path / "plan.txt"
    file.write_text("a plan")
    plain.open(path + "/documents")
    plain.find("field", "File").send_keys(str(file))
    plain.type("Description", "the plan")
    plain.click("button", "Upload")
    plain.wait_text("the plan", "#rows")
    found = customer(office, "W1")
    assert office.world.ctl_json("hours", "show", "W1")["weekly"]["sun"] == "08:00-16:00"
    assert (found["city"], len(found["notes"]), len(found["documents"])) == ("Elko", 1, 1)


# ---- how it looks

PAGES = ["", "/notes", "/contacts", "/hours", "/pictures", "/assets", "/plot", "/suspensions", "/related", "/history"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_fits_a_phone(office, chromium, dark):
    number = f"V{int(dark)}"
    year = datetime.date.today().year + 1
    path = add(office, number, "Vicuna " + "Very" * 12 + " Long", "--contact", "Ann", "--email", "a" * 60 + "@example.com",
               "--renewal", f"{year}-01-31", "--location-notes", "x" * 90)
    office.world.ctl("asset", "add", number, "--kind", "Roll-off", "--position", "behind the " + "long " * 20)
    office.world.ctl("suspend", number, "--note", "n" * 120)
    window = chromium.begin(office, office.people["sam"], width=360, height=740, dark=dark)
    contact = customer(office, number)["contacts"][0]["id"]
    for tab in (*(path + tab for tab in PAGES), f"/contacts/{contact}/test?which=email"):
        window.open(tab)
        wide = window.driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= 360, (tab, wide)
        ground = window.driver.execute_script("return getComputedStyle(document.querySelector('.card')).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") is not dark, tab
    small = window.open(path).driver.execute_script("""
        return [...document.querySelectorAll('button, .button, input, header a')].filter(e => e.offsetParent && e.type !== 'checkbox')
            .filter(e => e.getBoundingClientRect().height < 24).map(e => e.outerHTML)""")
    assert small == [] and window.faults() == []


CUT = """
    // Of each element of the kind: whether its text stands in more lines than it has words.
    return [...document.querySelectorAll(arguments[0])].filter(e => e.offsetParent && e.textContent.trim()).filter(e => {
        const range = document.createRange();
        range.selectNodeContents(e);
        const lines = new Set([...range.getClientRects()].map(box => Math.round(box.bottom / 4)));
        return lines.size > e.textContent.trim().split(/\\s+/).length;
    }).map(e => e.textContent);
"""


@pytest.mark.parametrize("width", [360, 768])
def test_no_word_is_cut_in_a_table(office, chromium, width):
    """A column may be as narrow as its longest word, not as a letter."""
    number = f"CUT{width}"
    path = add(office, number, "Chinchilla & Capybara Removals", "--contact", "Ann", "--email", "ann@chinchilla.example.com")
    (contact,) = customer(office, number)["contacts"]
    office.world.ctl("contact", "set", contact["id"], "--email-invalid", "yes")
    office.world.xadd(id=f"cut{width}", type="job.dispatched", job=f"J-{number}", customer=number, route="Northern", service="Swap",
                      scheduled="2999-01-02T15:00:00Z", eta="2999-01-02T15:00:00Z")
    wait_outcome(office.world, f"cut{width}", "suppressed")
    window = chromium.begin(office, office.people["sam"], width=width, height=740)
    for page in (path + "/contacts", "/jobs", "/mails", "/lists"):
        window.open(page)
        assert window.driver.execute_script(CUT, "table .pill, table th, table td a") == [], page
        assert window.driver.execute_script("return document.documentElement.scrollWidth") <= width, page


# ---- strangers

def test_no_record_runs_in_the_browser(office, chromium):
    """Scripts in every field, in file names and events: the policy would stop them, and the console would say so."""
    add(office, "HX1", "Evil & Sons")
    plant(office.bearer("mona"), "HX1")
    office.world.xadd(id="evil1", type="job.started", job=EVIL, customer="HX1", service=EVIL, driver=EVIL)
    office.world.xadd(id="evil2", type=EVIL, job=EVIL, customer="HX1")
    wait_outcome(office.world, "evil1", "suppressed")
    page = chromium.begin(office, office.people["mona"])
    job, shown = f"/jobs/{urllib.parse.quote(EVIL, safe='')}?customer=HX1", set()
    for path in ["/", "/?q=script", "/customers/HX1", job, "/mails", "/dead", "/today",
                 *(f"/customers/HX1/{tab}" for tab in TABS)]:
        page.open(path)
        assert page.faults() == [], path
        if "<script>alert(1)" in page.text("body"):
            shown.add(path)
    assert shown >= {"/?q=script", "/customers/HX1", job, "/dead", *(f"/customers/HX1/{tab}" for tab in (
        "contacts", "notes", "comments", "documents", "assets", "quotes", "sales", "history"))}, shown
    page.open("/").find("combobox", "Search customers").send_keys("script")
    page.wait(lambda: [row for row in page.all("option") if "<script>" in row.text], "the script, found as a text")
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    page.wait_path("/customers/HX1")
    page.press("n")
    page.find("dialog")
    assert page.faults() == []


# No page can be had by scripts for a moment: what a busy center answers.
BUSY = """
    const real = window.fetch, until = performance.now() + 2000;
    window.fetch = async (...what) => {
        if (performance.now() > until)
            return real(...what);
        window.wasBusy = true;
        return new Response("", { status: 503 });
    };
"""


def test_a_look_that_fails_is_made_again(office, chromium):
    """What changed is heard of once; the page is fetched again where it couldn't be had then."""
    page = chromium.begin(office, office.people["mona"]).open(add(office, "LL1", "Lark Lane"))
    page.wait_text("Lark Lane")
    page.driver.execute_script(BUSY)
    office.world.ctl("customer", "set", "LL1", "--city", "Laredo")
    page.wait_text("Laredo", "#location")
    assert page.driver.execute_script("return window.wasBusy")


@pytest.mark.parametrize("path", ["/today", "/jobs"])
def test_what_changes_by_the_clock_is_looked_at_again(office, chromium, path):
    """Nobody says that a mail is late or the daemon gone: the page asks each minute, which is shorter here."""
    script = chromium.command("Page.addScriptToEvaluateOnNewDocument",
                              source="{ const every = setInterval; window.setInterval = (what, ms) => every(what, ms / 100); }")
    try:
        page = chromium.begin(office, office.people["rita"]).open(path)
        wait_until(lambda: page.driver.execute_script("""
            return performance.getEntriesByType("resource").some(entry => entry.initiatorType === "fetch" &&
                new URL(entry.name).pathname === arguments[0])""", path), "another look")
    finally:
        chromium.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


# ---- paused sending

def test_sending_is_paused_in_a_dialog_and_everybody_sees_it(office, chromium):
    """The note is asked for in a dialog; the page that is open elsewhere hears of it by itself."""
    window = chromium.begin(office, office.people["mona"]).open("/mails")
    window.click("link", "Pause sending")
    window.find("dialog")
    window.type("Note", "The relay is being moved")
    window.click("button", "Pause sending")
    window.wait_gone("dialog")
    window.wait_text("The relay is being moved", "[role=alert]")
    assert window.path == "/mails" and window.all("link", "Pause sending") == []
    window.open("/today").wait_text("Sending has been paused since today", "[role=alert]")
    office.world.ctl("mail", "resume")
    window.wait_gone("alert")
    office.world.ctl("mail", "pause", "--note", "by a command")
    window.wait_text("by a command", "[role=alert]")
    window.click("button", "Resume sending")
    window.wait_gone("alert")
    assert office.world.ctl_json("status")["paused"] is None
    assert chromium.faults() == []


# ---- the map

class Tiles(http.server.BaseHTTPRequestHandler):
    """A tile server of the test's own; `asked` is what it was asked for, and from where."""
    asked = []

    def do_GET(self):
        self.asked.append((self.path, self.headers.get("Referer")))
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(picture(1))

    def log_message(self, *_):
        pass


@pytest.fixture
def mapped(world, chromium):
    """A center with tiles, and sam's window."""
    if not os.path.exists("/usr/share/javascript/leaflet/leaflet.esm.min.js"):
        pytest.skip("libjs-leaflet isn't installed")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tiles)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Tiles.asked.clear()
    world.start_daemon()
    center = Center(world, tiles=f"http://127.0.0.1:{server.server_port}/{{z}}/{{x}}/{{y}}.png",
                    tiles_note="© The <Survey>")
    center.add("sam", "clerk")
    center.start()
    yield center, chromium.begin(center, center.log_in("sam"))
    assert chromium.faults() == []
    server.shutdown()
    server.server_close()


def coordinates(center, asset):
    found = center.world.ctl_json("asset", "show", asset)
    return found["latitude"] and (float(found["latitude"]), float(found["longitude"]))


def wait_moved(center, asset, before):
    wait_until(lambda: coordinates(center, asset) not in (None, "", before), "the asset has moved")
    return coordinates(center, asset)


def find_mark(page, name):
    return page.wait(lambda: page.driver.find_elements("css selector", f'#map [aria-label="{name}"]'), f"{name} on the map")[0]


def test_assets_on_a_map(mapped):
    (center, page), ids = mapped, []
    path = add(center, "M1", "Mapped Mills")
    for kind, *spot in (("Bin", "39.7392", "-104.9903"), ("Cart", "39.7396", "-104.9899"), ("Tank",)):
        place = ("--latitude", spot[0], "--longitude", spot[1]) if spot else ()
        center.world.ctl("asset", "add", "M1", "--kind", kind, *place)
        ids.append(max(row["id"] for row in customer(center, "M1")["assets"]))
    bin_, _, tank = ids
    page.open(path + "/plot")
    pin = find_mark(page, "1 Bin")
    wait_until(lambda: Tiles.asked, "tiles are asked for")
    asked, whence = Tiles.asked[0]
    assert asked.count("/") == 3 and whence.startswith("http://127.0.0.1") and whence.count("/") == 3
    assert "© The <Survey>" in page.text("#map")
    assert not page.driver.find_element("css selector", ".ground").is_displayed()
    page.driver.execute_script("arguments[0].focus()", pin)
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    wait_said(page, "Bin: 39.7392")
    there = coordinates(center, bin_)
    assert there[0] == pytest.approx(39.7392, abs=1e-6) and -104.9903 < there[1] < -104.985
    page.wait_focus("1 Bin")
    page.press(Keys.ESCAPE)
    wait_until(lambda: coordinates(center, bin_) == (39.7392, -104.9903), "the move is taken back")
    page.click("link", "Pick Tank")
    wait_said(page, "Tank is picked")
    box = page.driver.find_element("id", "map")
    browsers.webdriver.ActionChains(page.driver).move_to_element_with_offset(box, 60, 60).click().perform()
    there = wait_moved(center, tank, None)
    wait_said(page, "Tank: ")
    pin = find_mark(page, "3 Tank")
    actions = browsers.webdriver.ActionChains(page.driver).click_and_hold(pin).move_by_offset(-10, 0).move_by_offset(-50, 0)
    actions.pause(0.3).release().perform()  # it follows from the second step on, once a frame
    assert wait_moved(center, tank, there)[1] < there[1]
    center.world.ctl("asset", "set", tank, "--latitude", "", "--longitude", "")
    page.wait_text("not placed yet", "#plot")
    page.wait(lambda: not page.driver.find_elements("css selector", '[aria-label="3 Tank"]'), "its pin is gone")


def test_a_map_of_nothing_says_so(mapped):
    """Without any coordinates the map is of the whole world: it says what to do, until the first asset has its place."""
    center, page = mapped
    path = add(center, "M2", "Empty Elms")
    center.world.ctl("asset", "add", "M2", "--kind", "Bin")
    page.open(path + "/plot")
    page.wait_text("No asset has coordinates yet. Pick one")
    assert "There is no plan" not in page.text("main")
    page.type("Latitude", "39.7392")
    page.type("Longitude", "-104.9903")
    page.click("button", "Save Bin")
    find_mark(page, "1 Bin")
    assert "No asset has coordinates" not in page.text("main")
