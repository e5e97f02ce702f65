# SPDX-License-Identifier: MIT
"""dispatchctl's command line: help, options anywhere, and what it answers to a slip of the finger."""

import os
import re
import subprocess

import pytest
from kit import on_terminal
from world import BUILD

CTL = str(BUILD / "dispatchctl")


def run(*args, env=None, **more):
    """Not on a terminal, with an environment of its own."""
    environment = {"PATH": os.environ["PATH"], "TZ": "UTC", **(env or {})}
    return subprocess.run([CTL, *args], capture_output=True, text=True, timeout=20, env=environment,
                          stdin=subprocess.DEVNULL, check=False, **more)


def commands():
    """Every command with its arguments and options, as dispatchctl lists them."""
    rows = [line.split("\t") for line in run("--list-commands").stdout.splitlines()]
    return [(words.split(), args, options.split(","), sentence) for words, args, options, sentence in rows]


def test_help_of_the_program_names_every_noun():
    done = run("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for words, *_ in commands():
        assert re.search(rf"^  {re.escape(words[0])} ", done.stdout, re.M), words[0]
    assert "Examples" in done.stdout


def test_every_command_has_help_with_its_arguments_options_and_an_example():
    rows = commands()
    assert len(rows) > 20
    for words, args, options, sentence in rows:
        done = run(*words, "--help")
        assert done.returncode == 0, words
        assert done.stdout.startswith(" ".join(["dispatchctl", *words, args]).strip()), words
        assert sentence in " ".join(done.stdout.split())
        for option in filter(None, options):
            assert option.split("=")[0] in done.stdout, (words, option)
        assert f"  dispatchctl {words[0]}" in done.stdout, f"{words} has no example"


def test_help_of_a_noun_lists_its_verbs():
    done = run("customer", "--help")
    assert done.returncode == 0
    for verb in ("add", "set", "show", "list", "remove", "search"):
        assert f"customer {verb}" in done.stdout


@pytest.mark.parametrize("args", [
    ("--help", "customer", "add"), ("customer", "--help", "add"), ("customer", "add", "--help"),
    ("help", "customer", "add"), ("customer", "help", "add"), ("customer", "add", "-h"), ("customer", "add", "--nonsense", "--help"),
    ("-c", "/nowhere", "customer", "add", "1", "--help", "--json"),
])
def test_help_may_stand_anywhere(args):
    done = run(*args)
    assert done.returncode == 0
    assert done.stdout.startswith("dispatchctl customer add NUMBER")


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(option):
    done = run(option)
    assert done.returncode == 0
    assert re.fullmatch(r"dispatchctl \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("args, fault", [
    ((), "no command given"),
    (("custmer", "show", "1"), 'did you mean "customer"?'),
    (("customer",), "customer needs a verb"),
    (("customer", "shw", "1"), 'unknown verb "shw"; did you mean "customer show"?'),
    (("customer", "frobnicate"), "it has add,"),
    (("customer", "add", "1", "--nmae", "x"), "did you mean --name?"),
    (("customer", "add", "1", "--posta-code", "x"), "did you mean --postal-code?"),
    (("customer", "add", "1", "--zzzzzz", "x"), "has no option --zzzzzz"),
    (("customer", "add", "1", "--name"), "--name needs a value"),
    (("customer", "add", "1", "--name=a", "--name=b"), "--name was given twice"),
    (("customer", "add"), "NUMBER"),
    (("customer", "show", "1", "2"), 'unexpected argument "2"'),
    (("status", "list"), 'unexpected argument "list"; usage: dispatchctl status\n'),
    (("hours", "except", "1001"), "hours except needs DAY; usage: dispatchctl hours except [NUMBER] DAY[..DAY]"),
    (("customer", "remove", "1", "--yes=1"), "--yes takes no value"),
    (("-q", "customer"), "unknown option -q"),
    (("--nmae", "x"), "unknown option --nmae"),
])
def test_a_slip_gets_a_suggestion(args, fault):
    done = run(*args)
    assert done.returncode == 64
    assert done.stdout == ""
    assert done.stderr.startswith("dispatchctl: ")
    assert done.stderr.count("\n") == 1
    assert fault in done.stderr


@pytest.mark.parametrize("where", range(4))
def test_faults_go_to_standard_error_with_json_too(where):
    args = ["custmer", "show", "1"]
    args.insert(where, "--json")
    done = run(*args)
    assert (done.returncode, done.stdout) == (64, "")
    assert 'did you mean "customer"?' in done.stderr


def test_a_missing_configuration_is_named():
    done = run("-c", "/nowhere/dispatchd.conf", "customer", "list")
    assert done.returncode == 66
    assert done.stderr == "dispatchctl: /nowhere/dispatchd.conf: No such file or directory\n"


def test_without_a_configuration_the_ways_to_name_one_are_printed():
    done = run("customer", "list", env={"DISPATCHD_CONF": "/nowhere/dispatchd.conf"})
    assert done.returncode == 66
    assert "/nowhere/dispatchd.conf" in done.stderr and "-c FILE or in DISPATCHD_CONF" in done.stderr


def test_standard_output_that_is_full_is_a_fault():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([CTL, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    assert done.returncode == 74
    assert "can't write to standard output" in done.stderr


def help_on_terminal(**env):
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "60", "LINES": "1000", **env}
    return on_terminal([CTL, "--help"], environment, columns=0, lines=0)[0]


def test_colour_only_on_a_terminal_and_never_with_no_color():
    assert "\x1b[" in help_on_terminal()
    assert "\x1b[" not in help_on_terminal(NO_COLOR="1")
    assert "\x1b[" in help_on_terminal(NO_COLOR="")
    assert "\x1b[" not in help_on_terminal(TERM="dumb")
    assert "\x1b[" not in run("--help", env={"TERM": "xterm"}).stdout


def test_long_output_goes_through_the_pager_on_a_terminal():
    assert "PAGED" in help_on_terminal(PAGER="sed s/^/PAGED/", LINES="10")
    assert "PAGED" not in help_on_terminal(PAGER="sed s/^/PAGED/", LINES="1000")
    assert "dispatchctl" in help_on_terminal(PAGER="/nowhere/pager", LINES="10")


def test_a_pipe_that_is_closed_early_is_no_news():
    done = subprocess.run(f"{CTL} --manual | head -n 1; echo ${{PIPESTATUS[0]}}", shell=True, executable="/bin/bash",
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] in ("0", "141")
