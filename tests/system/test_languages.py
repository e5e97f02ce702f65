# SPDX-License-Identifier: MIT
"""One set of templates, a catalogue a language: what an admin adds, changes and gets wrong."""
import shutil
import signal
import subprocess

import kit
import pytest
from kit import add_customer, message, text_of
from world import BUILD, ROOT

SHIPPED = ROOT / "conf" / "templates"
ENGLISH = (SHIPPED / "en.ini").read_text(encoding="utf-8")


@pytest.fixture
def shipped(world):
    """A folder as `make install` leaves it."""
    shutil.copytree(SHIPPED, world.path("templates"), dirs_exist_ok=True)
    return world


def started(world, number, **fields):
    """The mail that a new customer gets, whose address tells it from others."""
    add_customer(world, number, email=f"c{number}@example.com", **fields)
    world.xadd(id=number, type="job.started", job=number, customer=number)
    kit.wait_outcome(world, number, "sent")
    (mail,) = [m for m in world.mails() if message(m)["To"].addresses[0].addr_spec == f"c{number}@example.com"]
    return mail


def subject(mail):
    """Without the company at its end."""
    text, _, company = str(message(mail)["Subject"]).rpartition(" - ")
    return text if company == "Example Hauling" else company


def check(world):
    return subprocess.run([BUILD / "dispatchd", "-t", "-c", world.config_path], capture_output=True, text=True,
                          timeout=60, check=False)


def test_a_language_is_one_file(shipped):
    dutch = ENGLISH.replace("started.subject = Started", "started.subject = Begonnen aan")
    dutch = dutch.replace("\ngreeting = Hello", "\ngreeting = Dag").replace("\nlanguage = en", "\nlanguage = nl")
    kit.write(shipped, "templates/nl.ini", dutch)
    assert check(shipped).returncode == 0
    shipped.start_daemon()
    mail = started(shipped, "1", locale="nl-BE")
    assert subject(mail).startswith("Begonnen aan: job 1")
    assert text_of(mail).startswith("Dag")
    assert '<html lang="nl" dir="ltr">' in text_of(mail, "html")
    assert subject(started(shipped, "2", locale="de")) == "Begonnen: Auftrag 2"
    assert subject(started(shipped, "3")) == "Started: job 3"


def test_a_whole_file_in_the_folder_of_a_locale_wins(shipped):
    kit.write(shipped, "templates/de/started.txt", "Subject: Eigener Text\n\nEigen. {{> greeting}}\n")
    assert check(shipped).returncode == 0
    shipped.start_daemon()
    mail = started(shipped, "1", locale="de-AT")
    assert subject(mail) == "Eigener Text"
    assert text_of(mail).startswith("Eigen. Guten Tag")
    assert message(mail).get_content_type() == "text/plain", "its .html would be in the same folder"
    assert subject(started(shipped, "2", locale="fr")) == "Commencée : intervention 2"


def test_check_names_phrases_that_are_missing_or_unknown(shipped):
    kit.write(shipped, "templates/nl.ini", ENGLISH.replace("started.next", "started.nxet").replace("greeting = ", "# "))
    lines = ENGLISH.splitlines()
    done = check(shipped)
    assert done.returncode == 78
    path = shipped.path("templates", "nl.ini")
    assert f'{path}: missing phrase "started.next", ' in done.stderr
    assert f'{path}: missing phrase "greeting", ' in done.stderr
    line = 1 + next(i for i, text in enumerate(lines) if text.startswith("started.next"))
    assert f'{path}:{line}: unknown phrase "started.nxet"; did you mean "started.next"?' in done.stderr
    assert len(done.stderr.splitlines()) == 3, done.stderr


def test_check_names_bad_lines_of_a_catalogue(shipped):
    kit.write(shipped, "templates/nl.ini", ENGLISH + "no phrase\ncolon = ;\nmy = {{#open}}\n")
    n = len(ENGLISH.splitlines())
    done = check(shipped)
    path = shipped.path("templates", "nl.ini")
    assert done.returncode == 78
    assert f'{path}:{n + 1}: expected "key = phrase" or a comment' in done.stderr
    assert f'{path}:{n + 2}: "colon" is already on line ' in done.stderr
    assert f"{path}:{n + 3}: this section is never closed: open" in done.stderr


def test_a_missing_phrase_costs_no_mail(shipped):
    """The daemon starts, says what is missing, and the English words stand in."""
    kit.write(shipped, "templates/nl.ini", "greeting = Dag\n")
    daemon = shipped.start_daemon()
    assert 'nl.ini: missing phrase "started.subject"' in daemon.log()
    mail = started(shipped, "1", locale="nl")
    assert (subject(mail), text_of(mail)[:3]) == ("Started: job 1", "Dag")


def test_a_reload_reads_catalogues(shipped):
    daemon = shipped.start_daemon()
    assert subject(started(shipped, "1", locale="de")) == "Begonnen: Auftrag 1"
    german = (SHIPPED / "de.ini").read_text(encoding="utf-8")
    kit.write(shipped, "templates/de.ini", german.replace("= Begonnen\n", "= {{#never}}\n"))
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("reload refused")
    assert subject(started(shipped, "2", locale="de")) == "Begonnen: Auftrag 2"
    kit.write(shipped, "templates/de.ini", german.replace("= Begonnen\n", "= Angefangen\n"))
    kit.write(shipped, "templates/nl.ini", ENGLISH.replace("= Started\n", "= Aangevangen\n"))
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("reloaded")
    assert subject(started(shipped, "3", locale="de")) == "Angefangen: Auftrag 3"
    assert subject(started(shipped, "4", locale="nl")) == "Aangevangen: job 4"


def test_template_render_reads_catalogues(shipped):
    data = shipped.path("data.json")
    kit.write(shipped, "data.json", '{"job":{"id":"7"},"customer":{"locale":"fr-CA"}}')
    done = shipped.ctl("template", "render", shipped.path("templates", "started.txt"), "--data", data)
    assert "Subject: Commencée : intervention 7\n" in done.stdout
