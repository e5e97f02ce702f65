# SPDX-License-Identifier: MIT
"""How mails look: each in each language, narrow and wide, light and dark, rendered by the code that sends them.

What is declared is read from the HTML itself; what comes of it is asked of Chromium. `make test` looks at each mail once;
the long tests at all languages, widths and kinds of data.
"""
import base64
import colorsys
import re

import pytest

import browser as browsers
import mail_samples as samples
from world import SANITIZED

WIDTHS = (320, 375, 600)
CONTRAST, BODY_PX, LABEL_PX, TOUCH_PX = 4.5, 16, 14, 44
SUBJECT_MAX, MAIL_MAX = 60, 60 * 1024
BUTTON = r'<table[^>]*><tr><td class="b".*?</table>'  # each has a table of its own, for Outlook
needs_browser = [pytest.mark.xdist_group("mail_looks"),
                 pytest.mark.skipif(browsers.missing() is not None, reason=f"no browser: {browsers.missing()}"),
                 pytest.mark.skipif(SANITIZED, reason="the browser sees what the plain build renders")]


# ---- colors

def channels(color):
    """Red, green and blue of #rrggbb or of a browser's rgb(…), from 0 to 1."""
    numbers = [int(color[i:i + 2], 16) for i in (1, 3, 5)] if color.startswith("#") else [int(n) for n in re.findall(r"\d+", color)[:3]]
    return [n / 255 for n in numbers]


def luminance(color):
    """WCAG 2.2, relative luminance."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def inverted(color):
    """As a mail program turns it around that knows no dark mode of ours: the hue stays."""
    hue, light, saturation = colorsys.rgb_to_hls(*channels(color))
    return "#" + "".join(f"{round(255 * c):02x}" for c in colorsys.hls_to_rgb(hue, 1 - light, saturation))


def declared(html):
    """Of each ground and each text the declared colors, in light and in dark. A button brings its own ground."""
    dark = "".join(re.findall(r"@media \(prefers-color-scheme:dark\)\{(.*?\})\s*\}", html, re.S))
    light = re.sub(r"@media \(prefers-color-scheme:dark\)\{.*?\}\s*\}", "", html, flags=re.S)
    button = BUTTON + r"|\.b( a)?\{[^}]*\}"
    for css, names in ((light, "light"), (dark, "dark")):
        plain = re.sub(button, "", css, flags=re.S)
        grounds = set(re.findall(r"background:(#[0-9a-f]{6})", plain))
        texts = set(re.findall(r"(?<![-\w])color:(#[0-9a-f]{6})", plain)) | set(re.findall(r"\.a\{border-color:(#[0-9a-f]{6})", plain))
        buttons = "".join(match.group() for match in re.finditer(button, css, re.S))
        on_button = re.findall(r"background:(#[0-9a-f]{6})", buttons), re.findall(r"(?<![-\w])color:(#[0-9a-f]{6})", buttons)
        yield names, grounds, texts, on_button


# ---- what needs no browser

def same(text):
    return " ".join(text.split())


@pytest.mark.parametrize("language", samples.LANGUAGES)
@pytest.mark.parametrize("mail", samples.MAILS)
def test_subject(mail, language):
    """State, service and company; whole where they fit, and something of each where they don't."""
    state = samples.phrases(language)[f"{mail}.subject"]
    for kind, make in samples.KINDS.items():
        data = make(mail)
        subject = samples.parts(samples.raw(mail, language, data))[0]
        assert len(subject) <= SUBJECT_MAX, (kind, subject)
        if mail in samples.STATES:
            assert subject.startswith(state), (kind, subject)
            if "company" in data:
                assert f" - {data['company']['name'][:7]}" in subject, (kind, subject)
            if kind in ("full", "long"):
                assert data["job"]["service"][:13] in subject, (kind, subject)
        elif "{{customer.number}}" in (samples.SHIPPED / f"{mail}.txt").read_text(encoding="utf-8").split("\n\n")[0]:
            assert data["customer"]["number"] in subject, (kind, subject)
    whole = f"{state}{samples.phrases(language)['colon']} Roll-off swap (PO 2209) - Example Hauling"
    if mail in samples.STATES and len(whole) <= SUBJECT_MAX:
        assert samples.parts(samples.raw(mail, language, samples.full(mail)))[0] == whole


@pytest.mark.parametrize("language", samples.LANGUAGES)
@pytest.mark.parametrize("mail", samples.MAILS)
def test_source(mail, language):
    """Small, nothing from elsewhere, light and dark, language and direction, a line beside the subject."""
    for kind, make in samples.KINDS.items():
        message = samples.raw(mail, language, make(mail))
        assert len(message) < MAIL_MAX, kind
        html = samples.parts(message)[2]
        assert html.count(f'lang="{language}" dir="ltr"') == 2, "for programs that leave out <html>, too"
        assert '<meta name="color-scheme" content="light dark">' in html
        assert '<meta name="supported-color-schemes" content="light dark">' in html
        assert "@media (prefers-color-scheme:dark)" in html
        for word in ("<img", "<script", "<link", "@import", "url(", "<form", "<iframe", "opacity", " src="):
            assert word not in html, word
        assert all(re.match(r"tel:\+?[0-9]{3,}(;ext=\d+)?$|https://", link) for link in re.findall(r'href="([^"]*)"', html))
        rows = re.findall(r"<tr>.*?</tr>", re.sub(BUTTON, "", html, flags=re.S), re.S)
        assert len(rows) >= 1 and all(row.count("<td") == 1 for row in rows), "one column"
        (preview,) = re.findall(r'<div style="display:none;mso-hide:all;">(.*?)</div>', html, re.S)
        assert len(same(preview)) >= 10, kind
        assert html.index(preview) < html.index("<h1"), "it is the first text of the body"
        assert re.search(r"<title>[^<]{4,}</title>", html)


@pytest.mark.parametrize("mail", samples.MAILS)
def test_declared_colors(mail):
    """Each text on each ground, in light, in dark, and where a program inverts them; a button's on its own."""
    for names, grounds, texts, (button, on_button) in declared(samples.parts(samples.raw(mail, "en", samples.full(mail)))[2]):
        assert len(grounds) == 2 and len(texts) >= 3, (names, grounds, texts)
        for ground in grounds:
            for text in texts:
                assert contrast(text, ground) >= CONTRAST, (names, text, ground)
        for ground in button:
            for text in on_button:
                assert contrast(text, ground) >= CONTRAST and contrast(inverted(text), inverted(ground)) >= CONTRAST, (names, text, ground)
        ink = [text for text in texts if text in re.findall(r"(?<![-\w])color:(#[0-9a-f]{6})", samples.parts(samples.raw(mail, "en", samples.full(mail)))[2])]
        for ground in grounds:
            for text in ink:
                assert contrast(inverted(text), inverted(ground)) >= CONTRAST, ("inverted", text, ground)


@pytest.mark.parametrize("language", samples.LANGUAGES)
@pytest.mark.parametrize("mail", samples.MAILS)
def test_text_is_complete(mail, language):
    """Whoever reads the text alone misses nothing that the HTML says."""
    for kind, make in samples.KINDS.items():
        _, text, html = samples.parts(samples.raw(mail, language, make(mail)))
        text = same(text)
        body = html[html.index("<h1"):]
        body = re.sub(r"<h1.*?</h1>|" + BUTTON, "", body, flags=re.S)
        said = re.findall(r"<(?:p|h2)\b[^>]*>(.*?)</(?:p|h2)>", body, re.S)
        assert said
        for link in re.findall(r'href="(https://[^"]*)"', body if mail in samples.STATES else ""):
            assert unescape(link).removeprefix("https://") in text, (kind, link)
        for paragraph in said:
            plain = [same(unescape(re.sub(r"<[^>]*>", "", piece))) for piece in paragraph.split("<br>")]
            wanted = r"\s?:?\s".join(re.escape(piece) for piece in plain)
            assert re.search(wanted, text), (kind, plain)


def unescape(text):
    for entity, sign in (("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&middot;", "·"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return text


def test_direction(tmp_path):
    """A catalogue says its own; where the words are English the direction is, too. Numbers keep theirs."""
    folder = samples.with_arabic(tmp_path)
    html = samples.parts(samples.raw("failed", "ar-EG", samples.full("failed"), folder))[2]
    assert html.count('lang="ar" dir="rtl"') == 2
    assert html.count('<span dir="ltr" style="white-space:nowrap;">+1 303 555 0100</span>') == 2
    for locale in ("he", "fa-IR", "ur"):
        html = samples.parts(samples.raw("failed", locale, samples.full("failed"), folder))[2]
        assert html.count('lang="en" dir="ltr"') == 2 and "rtl" not in html


# ---- in Chromium

# Of each text that is seen: its size, its color, the ground that it is on, whether it is a label or a footer's.
LOOK = """
    const ground = e => {
        for (; e; e = e.parentElement) {
            const color = getComputedStyle(e).backgroundColor;
            if (color !== "rgba(0, 0, 0, 0)") return color;
        }
        return "rgb(255, 255, 255)";
    };
    const texts = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const parent = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || !parent.checkVisibility()) continue;
        const style = getComputedStyle(parent), range = document.createRange();
        range.selectNodeContents(walk.currentNode);
        const box = range.getBoundingClientRect();
        texts.push({text: walk.currentNode.data.trim().slice(0, 40), size: parseFloat(style.fontSize), color: style.color,
                    ground: ground(parent), small: !!parent.closest("small"), left: box.left, right: box.right});
    }
    const box = e => { const r = e.getBoundingClientRect(); return {width: r.width, height: r.height, left: r.left, right: r.right}; };
    return {texts, width: document.documentElement.scrollWidth, card: box(document.querySelector(".c")),
            side: getComputedStyle(document.querySelector(".c")).textAlign, direction: getComputedStyle(document.querySelector(".c")).direction,
            h1: document.querySelectorAll("h1").length, edge: getComputedStyle(document.querySelector(".a")).borderTopColor,
            hidden: [...document.querySelectorAll("[role=main] > div")].every(e => !e.checkVisibility()),
            buttons: [...document.querySelectorAll(".b a")].map(box), fetched: performance.getEntriesByType("resource").length};
"""


@pytest.fixture(scope="module")
def window():
    yield from browsers.one_for_all()


def show(window, html, width, dark):
    window.begin(None, width=width, height=900, dark=dark)
    window.driver.get("data:text/html;charset=utf-8;base64," + base64.b64encode(html.encode()).decode())
    return window.driver.execute_script(LOOK)


def check_look(window, html, width, dark, where):
    seen = show(window, html, width, dark)
    assert seen["width"] <= width, (where, "it scrolls sideways")
    assert seen["card"]["width"] >= min(width, 560) - 24 and seen["card"]["left"] >= 0, (where, seen["card"])
    assert abs(seen["card"]["left"] + seen["card"]["right"] - width) <= 2, (where, "it isn't in the middle", seen["card"])
    assert seen["h1"] == 1 and seen["hidden"] and seen["fetched"] == 0, where
    for text in seen["texts"]:
        assert text["size"] >= (LABEL_PX if text["small"] else BODY_PX), (where, text)
        assert contrast(text["color"], text["ground"]) >= CONTRAST, (where, text)
        assert text["left"] >= 0 and text["right"] <= width, (where, "it sticks out", text)
    assert contrast(seen["edge"], seen["texts"][-1]["ground"]) >= 3, (where, seen["edge"])
    assert all(button["height"] >= TOUCH_PX and button["width"] >= TOUCH_PX for button in seen["buttons"]), (where, seen["buttons"])
    ground = luminance(seen["texts"][-1]["ground"])
    assert ground < 0.1 if dark else ground > 0.5, (where, "the ground isn't that of the scheme")
    return seen


def marked(test):
    for mark in needs_browser:
        test = mark(test)
    return test


@marked
@pytest.mark.parametrize("mail", samples.MAILS)
def test_in_a_browser(window, mail):
    """Each once on a phone and once on a desk, in another language each time."""
    languages = samples.LANGUAGES
    for i, (width, dark, kind) in enumerate(((320, False, "full"), (375, True, "long"), (600, False, "three"), (320, True, "bare"))):
        language = languages[(i + samples.MAILS.index(mail)) % len(languages)]
        html = samples.parts(samples.raw(mail, language, samples.KINDS[kind](mail)))[2]
        check_look(window, html, width, dark, (mail, language, width, dark, kind))


@marked
def test_buttons(window):
    """Where the customer should call there is one; a company without a phone has none."""
    for mail in samples.STATES:
        seen = show(window, samples.parts(samples.raw(mail, "en", samples.full(mail)))[2], 320, False)
        assert len(seen["buttons"]) == (mail in ("failed", "cancelled")), mail
    assert show(window, samples.parts(samples.raw("failed", "en", samples.bare("failed")))[2], 320, False)["buttons"] == []


@marked
def test_from_right_to_left(window, tmp_path):
    folder = samples.with_arabic(tmp_path)
    for width, dark in ((320, True), (600, False)):
        html = samples.parts(samples.raw("failed", "ar", samples.full("failed"), folder))[2]
        seen = check_look(window, html, width, dark, ("ar", width, dark))
        assert seen["direction"] == "rtl" and seen["side"] in ("start", "right")
        (button,) = seen["buttons"]
        assert button["right"] > seen["card"]["right"] - 30, "it begins on the right"


@marked
def test_in_poorer_programs(window):
    """Without <style>, as some programs leave it out, all can be read on the light ground; labels are as small as there."""
    for mail in samples.MAILS:
        html = re.sub(r"<style>.*?</style>", "", samples.parts(samples.raw(mail, "en", samples.full(mail)))[2], flags=re.S)
        seen = show(window, html, 375, False)
        assert seen["width"] <= 375 and len(seen["texts"]) >= 8
        for text in seen["texts"]:
            assert text["small"] or text["size"] >= BODY_PX, (mail, text)
            assert contrast(text["color"], text["ground"]) >= CONTRAST, (mail, text)


@marked
@pytest.mark.long
@pytest.mark.skipif(not browsers.AXE.exists(), reason="axe-core isn't there: `make check` brings it")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe(window, dark, tmp_path):
    folder = samples.with_arabic(tmp_path)
    for mail in samples.MAILS:
        for locale, kind in (("en", "full"), ("de", "three"), ("ar", "full")):
            show(window, samples.parts(samples.raw(mail, locale, samples.KINDS[kind](mail), folder))[2], 375, dark)
            assert window.axe() == [], (mail, locale, kind)


@marked
@pytest.mark.long
@pytest.mark.parametrize("language", samples.LANGUAGES)
@pytest.mark.parametrize("mail", samples.MAILS)
def test_all_in_a_browser(window, mail, language):
    for kind, make in samples.KINDS.items():
        html = samples.parts(samples.raw(mail, language, make(mail)))[2]
        for width in WIDTHS:
            for dark in (False, True):
                check_look(window, html, width, dark, (mail, language, width, dark, kind))
