# SPDX-License-Identifier: MIT
"""dispatch-center: its pages in other languages, and that the catalogues of their words are whole."""
import contextlib
import html
import re
import sqlite3
from pathlib import Path

import pytest

from center import Center
from kit import wait_outcome

CENTER = Path(__file__).resolve().parents[2] / "daemon/center"
MODEL = CENTER.parents[1] / "lib/model"
# What the product's tables name: English has it from there.
TABLES = ("word.", "kind.", "kinds.", "field.", "letter.", "did.")
BLANK = re.compile(r"{{.*?}}")


def catalogue(language):
    lines = (CENTER / f"words/{language}.ini").read_text(encoding="utf-8").splitlines()
    return dict(re.match(r"([^ =]+) *= *(.*)", line).groups() for line in lines if line and not line.startswith("#"))


ENGLISH = catalogue("en")
OTHERS = sorted(path.stem for path in (CENTER / "words").glob("*.ini") if path.stem != "en")


# ---- the catalogues

def asked_for():
    """The keys of phrases that templates and code name, as patterns."""
    templates = "".join(path.read_text(encoding="utf-8") for path in (CENTER / "assets").glob("*.html"))
    keys = {re.escape(key) for key in re.findall(r"{{phrase\.([^}]+)}}", templates)}
    code = "".join(path.read_text(encoding="utf-8") for path in (*(CENTER / "pages").glob("*.c"), CENTER / "serve.c"))
    calls = re.findall(r'\bwords(?:_fill)?\(\s*call,\s*"([^"]+)"', code)
    keys |= {re.escape(key) for key in calls}
    keys |= {rf"{re.escape(key)}\.(one|many)" for key in re.findall(r'\bwords_count\(\s*call,\s*"([^"]+)"', code)}
    return keys, code


def test_every_phrase_that_is_asked_for_is_there():
    keys, _ = asked_for()
    assert len(keys) > 200
    assert [key for key in keys if not any(re.fullmatch(key, known) for known in ENGLISH)] == []


def test_what_code_names_in_its_tables_is_there():
    """Keys that reach words() by a table: each literal that looks like one is a key, or the space of some."""
    _, code = asked_for()
    spaces = {key.partition(".")[0] for key in ENGLISH}
    literals = set(re.findall(r'"([a-z_]+\.[a-z_.-]+)"', re.sub(r"#include.*", "", code))) - {"job.create", "job.dispatch"}
    assert [word for word in literals if word.partition(".")[0] in spaces and word not in ENGLISH
            and not any(key.startswith(word + ".") for key in ENGLISH)] == []
    for space, names in (("month", range(1, 13)), ("weekday", ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))):
        assert {f"{space}.{short}{name}" for short in ("", "short.") for name in names} <= set(ENGLISH)


def test_scripts_have_no_words_of_their_own():
    frame = (CENTER / "assets/frame.html").read_text(encoding="utf-8") + (CENTER / "assets/add.html").read_text(encoding="utf-8")
    given = {re.sub(r"-(\w)", lambda letter: letter[1].upper(), name) for name in re.findall(r" data-([a-z-]+)=", frame)}
    for path in (CENTER / "assets").glob("*.js"):
        text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        assert re.findall(r'["`][A-Z][a-z]+[^"`]*[ .:][^"`]*["`]', text) == [], path
        assert set(re.findall(r"\b(?:words|said\.dataset)\.(\w+)", text)) <= given, path


def test_every_phrase_is_asked_for():
    keys, code = asked_for()
    literals = set(re.findall(r'"([a-z_.-]+)"', code))

    def used(key):
        space, _, last = key.rpartition(".")
        return (any(re.fullmatch(pattern, key) for pattern in keys) or key in literals or key == "language"
                or (last in ("one", "many") and space in literals) or (last.isdigit() and space in literals)
                or (space in ("weekday", "weekday.short") and space in literals))
    assert [key for key in ENGLISH if not used(key)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_has_the_phrases_of_english(language):
    other = catalogue(language)
    own = {key for key in other if not key.startswith(TABLES)}
    assert own ^ set(ENGLISH) == set()
    for key in own:
        assert sorted(BLANK.findall(other[key])) == sorted(BLANK.findall(ENGLISH[key])), key
        assert other[key].startswith('"') == other[key].endswith('"'), key


@pytest.mark.parametrize("language", OTHERS)
def test_what_the_tables_name_is_in_the_tables(language):
    tables = "".join(path.read_text(encoding="utf-8") for path in MODEL.glob("*.c"))
    tables += (MODEL.parent / "records/search_related.c").read_text(encoding="utf-8")
    tables += "".join(path.read_text(encoding="utf-8") for path in (CENTER / "trust").glob("*.c"))
    names = set(re.findall(r'"(?:job\.)?([\w-]+)"', tables))
    for key in catalogue(language):
        if key.startswith(TABLES) and not key.startswith("did."):
            assert key.rpartition(".")[2] in names | {"hours", "closed", "weekly", "dates"}, key


# ---- which language

@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Ahorn GmbH", "--city", "Wien", "--timezone", "UTC", "--contact", "Eva",
              "--email", "eva@example.com", "--phone", "+43 1 5550100", "--renewal", "2999-01-31")
    center = Center(world)
    for name, role in (("sam", "clerk"), ("boss", "admin")):
        center.add(name, role)
    return center.start()


def language_of(answer):
    return re.search(r'<html lang="(\w+)">', answer.text).group(1)


def test_the_login_page_is_in_the_browsers_language(center):
    for header, language in ((None, "en"), ("de-AT,en;q=0.5", "de"), ("en,de;q=0.9", "en"), ("nl", "en"), ("*", "en"), (",;q", "en")):
        answer = center.ask("GET", "/login", headers={"Accept-Language": header} if header else {})
        assert language_of(answer) == language, header
    assert ">Anmelden</button>" in center.ask("GET", "/login", headers={"Accept-Language": "de"}).text
    answer = center.form("/login", {"name": "sam", "password": "wrong password"}, {"Accept-Language": "de"})
    assert answer.status == 401 and "Passwort ist falsch" in answer.text


def test_the_accounts_own_choice_wins_and_stays(center):
    sam = center.log_in("sam")
    page = sam.get("/account").text
    choice = re.search(r'<select name="language".*?</select>', page, re.S).group(0)
    assert re.findall(r">([^<]+)</option>", choice)[0] == "As the browser" and "selected" not in choice
    assert {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"}.items() <= dict(re.findall(r'value="(\w+)"[^>]*>([^<]+)<', choice)).items()
    assert language_of(sam.get("/", **{"Accept-Language": "de"})) == "de"
    assert sam.submit("/account/language", {"language": "de"}).status == 303
    assert language_of(sam.get("/", **{"Accept-Language": "en"})) == "de"
    assert 'value="de" lang="de" selected' in sam.get("/account").text
    assert language_of(center.log_in("boss").get("/")) == "en"
    center.stop()
    center.start()
    assert language_of(sam.get("/")) == "de"
    assert language_of(center.log_in("sam").get("/nowhere")) == "de"
    assert sam.submit("/account/language", {"language": ""}).status == 303
    assert language_of(sam.get("/")) == "en"
    for odd in ({"language": "xx"}, {"language": "../de"}, {"language": "DE"}, {}):
        assert sam.submit("/account/language", odd).status == 422
    assert language_of(sam.get("/")) == "en"


# ---- what is on the pages

def furnish(world):
    for number, status in (("1002", "new"), ("1003", "released"), ("1004", "inactive")):
        world.ctl("customer", "add", number, "--name", f"Kunde{number}", "--status", status)
    world.ctl("customer", "set", "1002", "--parent", "1001")
    world.ctl("contact", "set", "1", "--email-invalid", "yes", "--all-sites", "yes", "--cell-phone", "6645550100")
    world.ctl("asset", "add", "1001", "--kind", "Mulde", "--since", "2025-03-01")
    world.ctl("note", "add", "1001", "--text", "eng", "--urgent")
    world.ctl("comment", "add", "1001", "--text", "breit")
    world.ctl("activity", "add", "1001", "--kind", "cold-call", "--text", "fragen")
    world.ctl("quote", "add", "1001", "--number", "Q1")
    world.ctl("sale", "add", "1001", "--product", "Mulde")
    world.ctl("third-party", "add", "1001", "--name", "Holm", "--role", "Vermieter")
    world.ctl("system-type", "add", "--name", "Pumpe")
    world.ctl("hours", "set", "1001", "mon-fri", "07:00-12:00")
    world.ctl("hours", "except", "1001", "2999-12-24..2999-12-26", "closed")
    world.ctl("suspend", "1001", "--until", "2999-03-01", "--note", "Umbau")


TABS = ("", "/notes", "/comments", "/contacts", "/hours", "/documents", "/pictures", "/assets", "/plot", "/systems", "/third-parties",
        "/reps", "/activities", "/quotes", "/sales", "/suspensions", "/related", "/history")
PAGES = (*(f"/customers/{number}{tab}" for number in ("1001", "1002", "1004") for tab in TABS), "/", "/?q=ahorn", "/?q=xyz", "/holds", "/today", "/jobs", "/mails", "/mails?status=sent", "/mails/1", "/mails/retry?status=sent", "/mails/reports", "/dead", "/dead/retry",
         "/account", "/users", "/add/customers", "/edit/customers/1001", "/edit/contacts/1", "/contacts/1/test?which=email", "/edit/suspensions/1", "/edit/sales/1",
         "/remove/contacts/1", "/users/sam/remove", "/status/1002/release", "/status/1003/approve", "/status/1003/decline",
         "/records/reps", "/records/system-types", "/parts/system-types/Pumpe/fields", "/parts/sales/1/payments", "/nowhere",
         "/customers/1001/nowhere")


def leftovers(text, language):
    """English phrases, or parts of them between blanks, of more than one word that the language has otherwise."""
    text, other, found = html.unescape(text), catalogue(language), []
    for key, phrase in ENGLISH.items():
        for part in BLANK.split(phrase.strip('"')):
            part = part.strip(" :.,?“”")
            if " " in part and part not in other[key] and part in text:
                found.append((key, part))
    return found


@pytest.mark.parametrize("language, words", [
    ("de", ("Kontakt und Standort", "Letzte Aufträge", "Behälter vor Ort", "Gesperrt bis 1. März 2999", "für Aufträge, Routen und E-Mails",
            "aktiv</span>", "Sperre aufheben</button>", "<dt>Telefon</dt>", "<dt>Verlängerung</dt><dd>31. Januar 2999",
            "24. Dez. 2999 – 26. Dez. 2999", "geschlossen", "Dringend", "Abmelden", 'aria-label="Kunden suchen"')),
    ("es", ("Contacto y lugar", "Últimos servicios", "Suspendido hasta el 1 de marzo de 2999", "para servicios, rutas y correos",
            "<dt>Teléfono</dt>", "Levantar la suspensión</button>")),
    ("fr", ("Contact et site", "Dernières interventions", "Suspendu jusqu’au 1 mars 2999", "pour interventions, tournées et e-mails",
            "<dt>Téléphone</dt>", "Lever la suspension</button>")),
])
def test_no_page_has_words_of_two_languages(center, language, words):
    furnish(center.world)
    center.world.start_daemon()
    center.world.xadd(id="1", type="job.started", job="A7", customer="1001", service="Tausch", route="Nord")
    wait_outcome(center.world, "1", "suppressed")
    boss = center.log_in("boss")
    assert len(leftovers(boss.get("/customers/1001").text, language)) > 10
    page = boss.get("/customers/1001", **{"Accept-Language": language}).text
    for word in words:
        assert word in page
    for path in (*PAGES, "/jobs/A7?customer=1001&type=completed", "/jobs/none?customer=1001"):
        answer = boss.get(path, **{"Accept-Language": language})
        assert answer.status in (200, 404) and language_of(answer) == language, path
        assert leftovers(answer.text, language) == [], path
        assert "{{" not in answer.text and "phrase." not in answer.text, path


def test_forms_and_histories_are_in_german(center):
    furnish(center.world)
    boss = center.log_in("boss")
    assert boss.submit("/account/language", {"language": "de"}).status == 303
    page = boss.get("/edit/sales/1").text
    assert ">Bearbeiten: Verkauf</h1>" in page and "Offener Betrag <input" in page and ">Speichern</button>" in page
    page = boss.get("/edit/suspensions/1").text
    assert 'value="jobs" checked> Aufträge</label>' in page and "Unbefristet</label>" in page
    page = boss.get("/customers/1001/activities").text
    assert "<td>Kaltakquise</td>" in page and '<option value="visit">Besuch</option>' in page
    assert "hat hinzugefügt: Kontakt" in boss.get("/customers/1001/history").text
    assert '<option value="clerk" selected>Sachbearbeitung</option>' in boss.get("/users").text
    assert boss.submit("/users/sam/role", {"role": "reader"}).status == 303


def test_hours_are_closed_in_either_language(center):
    sam = center.log_in("sam")
    assert sam.submit("/account/language", {"language": "de"}).status == 303
    assert sam.submit("/customers/1001/hours", {"mon": "07:00-12:00", "tue": "Geschlossen", "wed": "closed"}).status == 303
    weekly = center.world.ctl_json("hours", "show", "1001")["weekly"]
    assert weekly["mon"] == "07:00-12:00" and "geschlossen" not in str(weekly).lower()
    page = sam.get("/customers/1001/hours").text
    assert re.search(r'name="tue" value="geschlossen"', page) and 'name="was_tue" value="closed"' in page
    answer = sam.submit("/customers/1001/hours", {"mon": "open"})
    assert answer.status == 422 and 'name="mon" value="open"' in answer.text
    assert sam.submit("/customers/1001/hours/dates", {"first": "2999-12-24", "windows": "geschlossen"}).status == 303
    assert center.world.ctl_json("hours", "show", "1001")["dates"] == {"2999-12-24": "closed"}
    fields = {"mon": "08:00-09:00", "was_mon": "07:00-12:00", "tue": "geschlossen", "was_tue": "closed"}
    assert sam.submit("/customers/1001/hours", fields).status == 303
    assert center.world.ctl_json("hours", "show", "1001")["weekly"]["mon"] == "08:00-09:00"


def test_accounts_of_before_are_kept(world):
    center = Center(world)
    center.add("sam")
    with contextlib.closing(sqlite3.connect(world.path("center.db"))) as db:
        db.execute("ALTER TABLE account DROP COLUMN language")
        db.execute("DROP INDEX audit_action")
        db.execute("DROP TABLE list")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    center.start()
    sam = center.log_in("sam")
    assert language_of(sam.get("/")) == "en" and sam.submit("/account/language", {"language": "fr"}).status == 303
    assert language_of(sam.get("/")) == "fr"


def test_the_api_and_its_faults_stay_english(center):
    sam = center.log_in("sam")
    assert sam.submit("/account/language", {"language": "de"}).status == 303
    sam.headers["Accept-Language"] = "de"
    assert sam.get("/api/v1/customers/1001").json["status"] == "active"
    assert "there is no" in sam.get("/api/v1/customers/9999").json["detail"]
    answer = sam.submit("/customers/1001/notes", {"text": ""})
    assert answer.status == 422 and "text: is required" in answer.text and language_of(answer) == "de"


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_somebody_typed_is_never_a_template(center, language):
    typed = "{{phrase.login}} {{> https}} {{{name}}} {{#word}}active{{/word}} {{#each}} {{page.token}} {who}"
    world, boss = center.world, center.log_in("boss")
    world.ctl("customer", "add", "X1", "--name", typed, "--dba", typed, "--address", typed, "--contact", typed, "--email", "x@example.com")
    world.ctl("suspend", "X1", "--note", typed)
    world.ctl("note", "add", "X1", "--text", typed)
    shown = html.escape(typed, quote=False)
    for path in (*(f"/customers/X1{tab}" for tab in ("", "/notes", "/contacts", "/suspensions", "/history")), "/edit/customers/X1",
                 "/remove/customers/X1", "/?q=phrase"):
        answer = boss.get(path, **{"Accept-Language": language})
        assert answer.status == 200 and shown in answer.text, path
    page = boss.get("/?q=%7B%7Bphrase.login%7D%7D%20x", **{"Accept-Language": language}).text
    assert "{{phrase.login}} x" in page
