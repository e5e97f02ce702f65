# SPDX-License-Identifier: MIT
"""A recipient switches mails off: the page behind the link, a mail program's one click, and what the daemon makes of it."""
import re
import shutil
import sqlite3

import pytest

import browser as browsers
import signed
from center import Center
from kit import add_customer, use_shipped_templates, wait_outcome
from world import SANITIZED, wait_until

ALL_MAX = 1200  # a minute: OPT_OUT_ALL_MAX of daemon/center/pages/rate.h
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
TITLES = {"en": "Which emails you get", "de": "Welche Mails Sie bekommen", "fr": "Les messages que vous recevez",
          "es": "Qué correos recibe"}


@pytest.fixture
def office(world):
    """A daemon and a center; Rosa gets the usual mails."""
    use_shipped_templates(world)
    add_customer(world, contact="Rosa", phone="555 0123", account="SECRET-7")
    world.configure(company={"name": "Example Hauling"})
    signed.configure(world)
    center = Center(world)
    world.start_daemon()
    center.start()
    return center


def ask(office, method, path, form=None, headers=None):
    """As a mail program or a browser does."""
    if form is None:
        return office.ask(method, path, headers=headers)
    return office.form(path, form, headers)


def contact(world, n=0):
    return world.ctl_json("customer", "show", "1001")["contacts"][n]


def token(world, state="completed", of=None, key=signed.KEY):
    ident = contact(world)["id"] if of is None else of
    return signed.make("opt_out", ident, signed.link_of(world, ident), state=signed.STATES.index(state), key=key)


def notify(world):
    text = contact(world)["notify"]
    return set(text if isinstance(text, list) else text.split(",")) - {"none", ""}


def wait_notify(world, states):
    wait_until(lambda: notify(world) == set(states), lambda: f"{states}; there are {notify(world)}")


def checked(page):
    """The states of the form, each with whether it is on."""
    return {state: "checked" in rest for state, rest in re.findall(r'name="on" value="(\w+)"([^>]*)>', page.text)}


def form(page, on):
    return [("shown", state) for state in checked(page)] + [("on", state) for state in on]


USUAL = {"dispatched", "started", "completed", "failed", "paused"}


def test_a_get_shows_and_changes_nothing(world, office):
    page = ask(office, "GET", f"/u/{token(world)}")
    assert page.status == 200 and checked(page) == dict.fromkeys(USUAL, True)
    assert "Example Hauling" in page.text and TITLES["en"] in page.text
    for secret in ("1001", "Example Farm", "farm@example.com", "Rosa", "0123", "SECRET-7"):
        assert not re.search(rf"\b{re.escape(secret)}\b", page.text)  # a nonce has any digits
    assert ask(office, "HEAD", f"/u/{token(world)}").status == 200
    assert notify(world) == USUAL
    assert page.headers["Referrer-Policy"] == "same-origin" and "noindex" in page.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in page.headers and page.headers["Cache-Control"] == "no-store"
    assert '<meta name="robots" content="noindex, nofollow">' in page.text


def test_one_click_acts_at_once(world, office):
    done = ask(office, "POST", f"/u/{token(world, 'failed').upper()}", form=ONE_CLICK)
    assert done.status == 200 and checked(done)["failed"] is False
    wait_notify(world, USUAL - {"failed"})
    ask(office, "POST", f"/u/{token(world, 'failed')}", form=ONE_CLICK)
    history = [row for row in world.ctl_json("customer", "history", "1001") if row["user"] == "recipient"]
    assert len(history) == 1 and "failed" not in str(history[0]["after"])
    world.xadd(id="1", type="job.failed", job="j1", customer="1001")
    wait_outcome(world, "1", "suppressed", "not_wanted")


def test_the_form_switches_off_and_on_again(world, office):
    path = f"/u/{token(world)}"
    page = ask(office, "GET", path)
    saved = ask(office, "POST", path, form=form(page, ["completed"]))
    assert saved.status == 200 and [state for state, on in checked(saved).items() if on] == ["completed"]
    wait_notify(world, {"completed"})
    ask(office, "POST", path, form=form(saved, ["completed", "failed"]))
    wait_notify(world, {"completed", "failed"})
    assert ask(office, "POST", path, form=[*form(saved, ["completed"]), ("none", "1")]).status == 200
    wait_notify(world, set())


def test_on_again_only_what_a_link_switched_off(world, office):
    """Neither what the office switched off, nor what it switched on and off again since."""
    path, ident = f"/u/{token(world)}", str(contact(world)["id"])
    world.ctl("contact", "set", ident, "--notify", "completed,failed")
    page = ask(office, "GET", path)
    assert set(checked(page)) == {"completed", "failed"}
    ask(office, "POST", path, form=form(page, ["failed"]))
    wait_notify(world, {"failed"})
    ask(office, "POST", path, form=[("shown", "paused"), ("on", "paused"), ("shown", "failed"), ("on", "failed")])
    world.ctl("contact", "set", ident, "--notify", "completed,failed")
    world.ctl("contact", "set", ident, "--notify", "failed")
    wait_until(lambda: set(checked(ask(office, "GET", path))) == {"failed"}, "the choice")
    ask(office, "POST", path, form=[("shown", "completed"), ("on", "completed"), ("shown", "paused"), ("on", "paused")])
    world.ctl("contact", "set", ident, "--title", "Ms")
    assert notify(world) == {"failed"}


def test_nothing_left_to_choose(world, office):
    world.ctl("contact", "set", str(contact(world)["id"]), "--notify", "none")
    page = ask(office, "GET", f"/u/{token(world)}")
    assert page.status == 200 and checked(page) == {} and "You get no emails about jobs." in page.text


@pytest.mark.parametrize("make", [
    lambda world: "a" * 31,
    lambda world: "x",
    lambda world: token(world, key=signed.OTHER_KEY),
    lambda world: signed.make("opt_out", contact(world)["id"], "another link", state=2),
    lambda world: signed.make("report", contact(world)["id"], signed.link_of(world, contact(world)["id"]), state=2),
    lambda world: signed.make("opt_out", contact(world)["id"] + 1, signed.link_of(world, contact(world)["id"]), state=2),
    lambda world: signed.make("opt_out", contact(world)["id"], signed.link_of(world, contact(world)["id"]), state=77),
])
def test_what_nobody_signed_does_nothing(world, office, make):
    for method, more in (("GET", {}), ("POST", {"form": ONE_CLICK})):
        answer = ask(office, method, f"/u/{make(world)}", **more)
        assert answer.status == 404 and "This link is not valid" in answer.text
    assert notify(world) == USUAL


def test_a_post_that_says_nothing_does_nothing(world, office):
    assert ask(office, "POST", f"/u/{token(world)}", form={"x": "y"}).status == 400
    assert notify(world) == USUAL


def exhaust(office, path):
    """Asks for what does nothing until that is too much for a minute; whoever is behind a proxy counts for all."""
    for _ in range(3 * ALL_MAX):
        answer = ask(office, "POST", path, form={"x": "y"})
        if answer.status == 429:
            return answer
        assert answer.status == 400
    raise AssertionError("it never was too much")


def test_too_many_are_told_to_come_back(world, office):
    path = f"/u/{token(world)}"
    for _ in range(5):  # a minute may begin in between
        refused, before = exhaust(office, path), notify(world)
        again = [ask(office, "GET", path), ask(office, "POST", path, form=ONE_CLICK)]
        if [answer.status for answer in again] == [429, 429]:
            break
    for answer in (refused, *again):
        assert answer.status == 429 and answer.headers["Retry-After"] == "60"
        assert "try again in a few minutes" in answer.text and checked(answer) == {}
    assert notify(world) == before
    assert ask(office, "GET", "/login").status == 200


def test_what_is_no_token_takes_nobody_s_place(world, office):
    junk = [ask(office, "POST", "/u/" + "x" * 31, form=ONE_CLICK).status for _ in range(ALL_MAX + 100)]
    assert set(junk) == {404}
    assert ask(office, "POST", f"/u/{token(world)}", form=ONE_CLICK).status == 200
    exhaust(office, f"/u/{token(world)}")
    assert ask(office, "GET", "/u/short").status == 404


def test_a_contact_that_is_gone_and_one_that_gets_its_id(world, office):
    old = token(world)
    ident = contact(world)["id"]
    world.ctl("contact", "remove", str(ident), "--yes")
    assert ask(office, "GET", f"/u/{old}").status == 404
    world.daemon.stop()
    with sqlite3.connect(world.path("customers.db")) as db:  # as an older copy would give it again
        db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'contact'", (ident - 1,))
    world.ctl("contact", "add", "1001", "--name", "Lee", "--email", "lee@example.com")
    world.start_daemon()
    assert contact(world)["id"] == ident
    assert ask(office, "POST", f"/u/{old}", form=ONE_CLICK).status == 404
    assert notify(world) == USUAL


def test_it_works_long_after_the_mail(world, office):
    """The spool is gone, and so is the mail that the link was in."""
    world.daemon.stop()
    for name in ("spool.db", "spool.db-wal", "spool.db-shm"):
        with_path = world.path(name)
        try:
            shutil.move(with_path, with_path + ".old")
        except FileNotFoundError:
            pass
    world.start_daemon()
    assert ask(office, "POST", f"/u/{token(world, 'paused')}", form=ONE_CLICK).status == 200
    wait_notify(world, USUAL - {"paused"})


def test_without_a_daemon_it_says_when_to_come_back(world, office):
    world.daemon.stop()
    for method, more in (("GET", {}), ("POST", {"form": ONE_CLICK})):
        answer = ask(office, method, f"/u/{token(world)}", **more)
        assert answer.status == 503 and answer.headers["Retry-After"] == "60"
        assert "try again in a few minutes" in answer.text


@pytest.mark.parametrize("locale, language", [("de-AT", "de"), ("fr", "fr"), ("es-MX", "es"), ("pt-BR", "en")])
def test_in_the_recipient_s_language(world, office, locale, language):
    world.ctl("customer", "set", "1001", "--locale", locale)
    page = ask(office, "GET", f"/u/{token(world)}", headers={"Accept-Language": "en"})
    assert TITLES[language] in page.text and f'<html lang="{language}"' in page.text


def test_a_link_without_a_host_of_ours_is_refused(world, office):
    assert ask(office, "GET", f"/u/{token(world)}", headers={"Host": "elsewhere.example.com"}).status == 421
    foreign = {"Origin": "https://elsewhere.example.com", "Sec-Fetch-Site": "cross-site"}
    assert ask(office, "POST", f"/u/{token(world)}", form=ONE_CLICK, headers=foreign).status == 403
    assert notify(world) == USUAL


def test_unsubscribe_by_mail(world, office):
    """As dispatch-bounce hands it in."""
    def take(all_states, digest):
        address = f"bounce+{token(world, 'failed')}@mail.example.com"
        facts = {"kind": "opt_out", "recipients": [], "message_id": "", "token": "", "all": all_states,
                 "digest": digest * 32}
        return world.control({"do": "bounce.take", "recipient": address, "sender": "farm@example.com", "facts": facts})
    assert take(False, "ab")["took"] == "opted_out"
    wait_notify(world, USUAL - {"failed"})
    assert take(False, "ab")["took"] == "again"
    assert take(True, "cd")["took"] == "opted_out"
    wait_notify(world, set())


def test_a_daemon_without_a_key_verifies_nothing(world):
    add_customer(world, contact="Rosa")
    world.start_daemon()
    said = world.control({"do": "opt_out.show", "token": token(world)})
    assert said["ok"] is False and said["code"] == 78


@pytest.fixture
def chromium():
    yield from browsers.one_for_all()


@pytest.mark.xdist_group("browser")
@pytest.mark.skipif(browsers.missing() is not None, reason=f"no browser: {browsers.missing()}")
@pytest.mark.skipif(SANITIZED, reason="the tests over HTTP ask the same of it")
def test_in_a_browser(world, office, chromium):
    """In both widths and colors, by axe-core, too, where `make check` has brought it."""
    for width, dark in ((320, False), (1280, True)):
        chromium.begin(office, width=width, dark=dark)
        chromium.open(f"/u/{token(world)}")
        assert chromium.faults() == []
        assert not browsers.AXE.exists() or chromium.axe() == []
    chromium.click("button", "No more emails")
    chromium.wait_text("Your choice is saved.")
    wait_notify(world, set())
    assert chromium.faults() == []
