# SPDX-License-Identifier: MIT
"""dispatchctl at a terminal: what fits, what is asked, what Tab offers."""

import contextlib
import os
import re
import shutil
import subprocess
import unicodedata

import pytest
from kit import on_terminal
from world import BUILD, ROOT, World

CTL = str(BUILD / "dispatchctl")


def at_terminal(world, *args, columns=80, lines=1000, typed=b"", **env):
    """What is seen on a terminal of that size, without colours; the exit status."""
    text, code = on_terminal([CTL, "-c", world.config_path, *args], world.environment(TERM="xterm", **env), columns, lines,
                             typed)
    return re.sub(r"\x1b\[[0-9;]*m", "", text), code


def cells(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in line)


@pytest.fixture
def office(world):
    world.ctl("customer", "add", "1001", "--name", "Müller & Söhne Entsorgung und Containerdienst GmbH", "--city",
              "Zürich", "--phone", "+41 44 555 01 00", "--email", "orders@example.com", "--location-notes", "word " * 60)
    world.ctl("customer", "add", "1002", "--name", "東京コンテナ株式会社 廃棄物 収集 サービス 本社", "--city", "東京")
    world.ctl("customer", "add", "2001", "--name", "Example Bakery")
    world.ctl("contact", "add", "1001", "--name", "Zoë", "--email", "zoe@example.com")
    return world


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_tables_and_sheets_fit_the_terminal(office, columns):
    for args in (("customer", "list"), ("customer", "show", "1001"), ("customer", "search", "a-z", "--by", "name"),
                 ("customer", "add", "--help"), ("--help",)):
        text, status = at_terminal(office, *args, columns=columns)
        assert status == 0
        for line in text.splitlines():
            if not line.startswith("  dispatchctl ") and "NOUN" not in line:  # examples are copied whole
                assert cells(line) <= columns, line


@pytest.mark.parametrize("columns", [44, 60, 80])
def test_every_table_fits(office, columns):
    long = "long words for whoever comes next " * 3
    office.ctl("suspend", "1001", "--note", long, "--until", "+30d")
    office.ctl("suspend", "2001", "--note", long, "--from", "2020-01-01", "--until", "2020-02-01")
    office.ctl("note", "add", "1001", long)
    office.ctl("comment", "add", "1001", long, "--job", "4711" * 10)
    office.ctl("activity", "add", "1001", "--text", long, "--due", "+3d", "--who", "Sam Example", "--kind", "cold-call")
    office.ctl("asset", "add", "1001", "--kind", "container", "--serial", "C" * 30, "--size", "20yd", "--position", long,
               "--latitude", "39.7392", "--longitude", "-104.9903", "--since", "2026-01-01", "--job", "4711")
    office.ctl("sale", "add", "1001", "--job", "4711", "--product", long, "--amount", "290.00", "--balance", "10.00",
               "--method", "card", "--result", "sold")
    office.ctl("event", "send", "job.completed", "--job", "4711" * 10, "--customer", "1001")
    office.ctl("event", "send", "job.completed", "--job", "4711", "--customer", "nobody " * 10)
    office.start_daemon()
    office.outcomes(wait_for={"status": "suppressed"})
    office.xadd("jobs:requests", id="r" * 60, type="job.dispatch", job="4712", customer="1001", route="north")
    office.outcomes(wait_for={"status": "held"})
    for args in (("suspensions",), ("suspension", "list"), ("note", "list"), ("comment", "list"), ("activity", "list"),
                 ("asset", "list"), ("sale", "list"), ("dead", "list"), ("hold", "list"), ("job", "list"),
                 ("customer", "list"), ("contact", "list"), ("customer", "related", "1001"),
                 ("customer", "duplicates"), ("asset", "show", "1"), ("status",)):
        text, status = at_terminal(office, *args, columns=columns)
        assert status == 0, text
        for line in text.splitlines():
            assert cells(line) <= columns, (args, line)


def test_columns_stand_below_each_other_in_every_script(office):
    text, _ = at_terminal(office, "customer", "list", columns=70)
    head, *rows = text.splitlines()
    at = head.index("City")
    for row in rows:
        if "東京 " in row + " " or "Zürich" in row:
            before = row[:max(row.rfind("Zürich"), row.rfind("東京"))]
            assert cells(before) == at, row
    assert "…" in text


def test_nothing_is_cut_where_no_terminal_is(office):
    assert "Müller & Söhne Entsorgung und Containerdienst GmbH" in office.ctl("customer", "list").stdout


def test_releasing_is_asked_for_where_somebody_is_there(office):
    office.ctl("customer", "add", "9", "--name", "Example Tavern", "--status", "new")
    text, status = at_terminal(office, "customer", "release", "9", typed=b"\n")
    assert "Release customer 9, Example Tavern" in text and "to accounting?" in text and "nothing was changed" in text
    assert (status, office.ctl_json("customer", "show", "9")["status"]) == (64, "new")
    assert at_terminal(office, "customer", "release", "9", typed=b"y\n")[1] == 0
    assert "sure" not in at_terminal(office, "customer", "decline", "9")[0]
    assert "sure" not in at_terminal(office, "customer", "release", "9", "--yes")[0]
    office.ctl("customer", "decline", "9")
    office.ctl("customer", "release", "9")  # a script is not asked
    assert office.ctl_json("customer", "show", "9")["status"] == "released"


def test_removing_is_asked_for(office):
    text, status = at_terminal(office, "customer", "remove", "2001", typed=b"n\n")
    assert "Remove customer 2001, Example Bakery" in text and "nothing was changed" in text
    assert status == 64
    assert len(office.ctl_json("customer", "list")) == 3
    text, status = at_terminal(office, "customer", "remove", "2001", typed=b"y\n")
    assert (status, len(office.ctl_json("customer", "list"))) == (0, 2)
    assert at_terminal(office, "customer", "remove", "1002", "-y")[1] == 0


# ---- completion


def offers(world, *words):
    done = subprocess.run([CTL, "--complete", *words], capture_output=True, text=True, timeout=20, check=False,
                          env=world.environment(DISPATCHD_CONF=world.config_path))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_tab_offers_what_may_come_next(office):
    assert offers(office, "cust") == ["customer"]
    assert {"add", "show", "search"} <= set(offers(office, "customer", ""))
    assert offers(office, "customer", "sh") == ["show"]
    assert offers(office, "customer", "show", "10") == ["1001", "1002"]
    assert offers(office, "customer", "show", "bak") == ["2001  Example Bakery"]
    assert offers(office, "--json", "customer", "show", "MULL")[0].startswith("1001  Müller")
    assert offers(office, "customer", "set", "1001", "--post") == ["--postal-code"]
    assert offers(office, "customer", "set", "1001", "--status", "in") == ["inactive"]
    assert offers(office, "customer", "set", "1001", "--status=in") == ["inactive"]
    assert offers(office, "customer", "set", "1001", "--parent", "20") == ["2001"]
    assert offers(office, "suspend", "1001", "--scope", "jobs,em") == ["jobs,emails"]
    assert offers(office, "event", "send", "job.pa") == ["job.paused"]
    assert offers(office, "customer", "import", "") == [":files"]
    assert offers(office, "customer", "list", "--rep", "") == []
    assert [o.split()[0] for o in offers(office, "contact", "set", "")] == ["1", "2"]
    assert offers(office, "nonsense", "") == []


def test_tab_needs_no_configuration(office):
    os.unlink(office.config_path)
    assert offers(office, "customer", "show", "1") == []
    assert offers(office, "cust") == ["customer"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("words, reply", [
    (["customer", "show", "bak"], ["2001"]),
    (["customer", "show", "10"], ["1001", "1002"]),
    (["hours", "s"], ["show", "set"]),
])
def test_the_completion_of_bash(office, words, reply):
    script = f"""
source {ROOT}/conf/completion/dispatchctl.bash
COMP_WORDS=({CTL} {' '.join(words)}); COMP_CWORD={len(words)}
_dispatchctl
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=20, check=False,
                          env=office.environment(DISPATCHD_CONF=office.config_path))
    assert [line for line in done.stdout.splitlines() if line] == reply, done.stderr


@pytest.fixture(scope="module")
def many():
    """An office with more customers than are listed in one piece."""
    with contextlib.closing(World()) as world:
        rows = "".join(f"{n},Example customer number {n},Somewhere over the rainbow {n}\n" for n in range(10000, 26000))
        world.ctl("customer", "import", "-", "--format", "csv", stdin="number,name,city\n" + rows)
        yield world


def listed(text):
    return re.findall(r"^([12]\d{4}) ", text, re.MULTILINE)


@pytest.mark.parametrize("pager", ["sed s/^/./", "sed -u s/^/./"])
def test_a_long_list_goes_through_the_pager(many, pager):
    text, status = at_terminal(many, "customer", "list", lines=24, PAGER=pager)
    assert status == 0
    assert listed(re.sub(r"^\.", "", text, flags=re.MULTILINE)) == [str(n) for n in range(10000, 26000)]
    assert text.count("Number") == 1


@pytest.mark.parametrize("pager", ["", "cat", "/nowhere/to/be-found"])
def test_without_a_pager_a_long_list_is_printed(many, pager):
    text, status = at_terminal(many, "customer", "list", lines=24, PAGER=pager)
    assert status == 0
    assert listed(text) == [str(n) for n in range(10000, 26000)]


def test_who_leaves_the_pager_early_has_seen_enough(many):
    text, status = at_terminal(many, "customer", "list", lines=24, PAGER="head -n 3")
    assert (status, listed(text)) == (0, ["10000", "10001"])


def test_what_fits_the_terminal_needs_no_pager(office):
    assert "Example Bakery" in at_terminal(office, "customer", "list", lines=24, PAGER="false")[0]
