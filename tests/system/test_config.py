# SPDX-License-Identifier: MIT
"""What an admin gets wrong: every fault at once, with file and line, what was expected, and the right exit status."""
import os
import re
import shutil
import subprocess

import pytest

import kit
from kit import dispatchd
from world import BUILD, ROOT, wait_until


def line_of(path, text):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines().index(text) + 1


def check(world, *args, env=None):
    return dispatchd(world, "-t", *args, env=env)


# The line, the key it names, and what was expected.
TYPOS = [
    ("[redis]", "straem = jobs:events", "straem", "stream"),
    ("[redis]", "claim_after = 5", "claim_after", "5m"),
    ("[redis]", "claim_after = 1001d", "claim_after", "1000d"),
    ("[redis]", "keep = -1d", "keep", ""),
    ("[redis]", "max_event_size = 256", "max_event_size", "KiB"),
    ("[redis]", "outcomes_max = many", "outcomes_max", "integer"),
    ("[redis]", "url = http://127.0.0.1", "url", "redis://"),
    ("[customers]", "graec = 60s", "graec", "grace"),
    ("[mail]", "transport = pigeon", "transport", "smtp"),
    ("[mail]", "from = Example Hauling", "from", ""),
    ("[mail]", "envelope_from = a@example.com\tb", "envelope_from", ""),
    ("[smtp]", "relay = smtp://mail.example.com", "relay", ""),
    ("[smtp]", "relay = mail.example.com:99999", "relay", ""),
    ("[smtp]", "tls = yes", "tls", "required"),
    ("[smtp]", "helo = mail.example.com.", "helo", "a full host name"),
    ("[smtp]", "connections = 0", "connections", "1"),
    ("[smtp]", "rate = fast", "rate", ""),
    ("[rules]", "timezone = Mars/Base", "timezone", ""),
    ("[office]", "email = nobody", "email", ""),
    ("[gate]", "outside_hours = wait", "outside_hours", "flag, hold"),
    ("[http]", "listen = 8925", "listen", ""),
    ("[notify.completed]", "group_wiat = 1s", "group_wiat", "group_wait"),
    ("[notify.finished]", "group_wait = 1s", "notify.finished", ""),
    ("[notifi]", "group_wait = 1s", "notifi", "notify"),
    ("[redis]", "no equal sign", "", "key = value"),
    ("[redis", "stream = x", "", "]"),
]


@pytest.mark.parametrize("helo", ["my_host.example.com", "localhost.localdomain", "mailhost", "10.1.2.3", "[::1]",
                                  "mail.example.com.", "a" * 64 + ".example.com", "mail example.com", "-a.example.com"])
def test_a_helo_that_strict_relays_refuse(world, helo):
    world.configure(smtp={"helo": helo})
    done = check(world, "-c", world.config_path)
    assert done.returncode == 78 and '[smtp] helo: must be a full host name' in done.stderr \
        and f'(got "{helo}")' in done.stderr, done


def test_all_faults_at_once(world):
    """One file with every typo: each is reported with its own line, and nothing else is."""
    plain = open(world.config_path, encoding="utf-8").read()
    lines = plain.splitlines()
    expected = {}
    for section, line, name, hint in TYPOS:
        lines.append(section)
        at = len(lines)
        lines.append(line)
        # A section that is unknown or unclosed is itself the fault; what is in it isn't judged again.
        bad_section = name in ("notify.finished", "notifi") or section == "[redis"
        expected[at if bad_section else at + 1] = (name, hint)
    with open(world.config_path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    done = check(world, "-c", world.config_path)
    assert done.returncode == 78 and done.stdout == ""
    reported = {}
    for fault in done.stderr.splitlines():
        found = re.fullmatch(rf"{re.escape(world.config_path)}:(\d+): (.*)", fault)
        assert found, f"not FILE:LINE: message: {fault}"
        reported.setdefault(int(found[1]), []).append(found[2])
    for at, (name, hint) in expected.items():
        assert at in reported, f"line {at}, {lines[at - 1]!r}, is not reported:\n{done.stderr}"
        text = " ".join(reported[at])
        assert name in text, f"{lines[at - 1]!r}: {text}"
        assert hint in text, f"{lines[at - 1]!r}: {text} (lacks {hint!r})"
    extra = set(reported) - set(expected)
    assert extra <= {at + 1 for at in expected}, f"reported without need: {[reported[at] for at in extra]}"
    started = dispatchd(world, "-c", world.config_path)
    assert started.returncode == 78, "it doesn't start either"


def test_a_key_given_twice(world):
    with open(world.config_path, "a", encoding="utf-8") as file:
        file.write("[gate]\nhold_max = 1d\n[office]\n[gate]\nhold_max = 2d\n")
    done = check(world, "-c", world.config_path)
    assert done.returncode == 78
    second = len(open(world.config_path, encoding="utf-8").read().splitlines())
    assert f"{world.config_path}:{second}: " in done.stderr and "hold_max" in done.stderr


def test_comments_and_blanks(world):
    with open(world.config_path, "a", encoding="utf-8") as file:
        file.write("\n; a comment\n# another\n  [gate]  \n  hold_max   =   2d   ; behind a value\n\n")
    done = check(world, "-c", world.config_path)
    assert done.returncode == 0, done.stderr


def test_drop_ins_win_in_the_order_of_their_names(world):
    kit.write(world, "conf.d/20-b.conf", "[redis]\noutcomes = second\n")
    kit.write(world, "conf.d/10-a.conf", "[redis]\noutcomes = first\n")
    kit.write(world, "conf.d/30-c.conf.off", "[redis]\noutcomes = third\nbroken\n")
    kit.write(world, "conf.d/README", "not a configuration\n")
    assert check(world, "-c", world.config_path).returncode == 0
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="1", customer="1")
    wait_until(lambda: world.redis.xlen("second") == 1, lambda: f"the outcome on `second`: {world.redis.keys('*')}")


def test_a_fault_in_a_drop_in_names_that_file(world):
    path = kit.write(world, "conf.d/10-a.conf", "[smtp]\n\ntls = perhaps\n")
    done = check(world, "-c", world.config_path)
    assert done.returncode == 78 and f"{path}:3: " in done.stderr


def test_the_environment_names_the_file(world):
    assert dispatchd(world, "-t", env={"DISPATCHD_CONF": world.config_path}).returncode == 0
    done = dispatchd(world, "-t", env={"DISPATCHD_CONF": world.path("none.conf")})
    assert done.returncode == 66 and "none.conf" in done.stderr
    done = dispatchd(world, "-t", "-c", world.config_path, env={"DISPATCHD_CONF": world.path("none.conf")})
    assert done.returncode == 0, "-c wins"


def test_from_is_needed_by_the_daemon_alone(world):
    world.configure(mail={"from": None})
    done = check(world, "-c", world.config_path)
    assert done.returncode == 78 and "from" in done.stderr
    assert world.ctl("customer", "list", check=False).returncode == 0
    world.configure(mail={"from": "a@example.com"}, smtp={"tls": "perhaps"}, http={"listen": "x"})
    assert world.ctl("customer", "list", check=False).returncode == 0, "dispatchctl checks only what it uses"
    world.configure(customers={"path": ""})
    assert world.ctl("customer", "list", check=False).returncode in (0, 78)


@pytest.mark.parametrize("text", [b"\xff\xfe[redis]\n", b"[redis]\nstream = a\0b\n", b"[redis]\nstream = " + b"x" * 70000,
                                  b"\xef\xbb\xbf[redis]\nstream = jobs:events\n"])
def test_files_that_are_no_text(world, text):
    with open(world.config_path, "ab") as file:
        file.write(text)
    done = check(world, "-c", world.config_path)
    assert done.returncode in (0, 78) and done.returncode >= 0
    if done.returncode:
        assert world.config_path + ":" in done.stderr


def test_a_folder_or_an_unreadable_file(world):
    os.mkdir(world.path("folder"))
    done = dispatchd(world, "-t", "-c", world.path("folder"))
    assert done.returncode in (66, 74, 78) and "folder" in done.stderr


@pytest.mark.parametrize("program", ["dispatchd", "dispatchctl"])
def test_help_and_version(program):
    def run(*args):
        return subprocess.run([str(BUILD / program), *args], capture_output=True, text=True, timeout=20, check=False)
    for option in ("--help", "-h"):
        done = run(option)
        assert done.returncode == 0 and program in done.stdout and done.stderr == ""
    for option in ("-V", "--version"):
        done = run(option)
        assert done.returncode == 0 and re.fullmatch(rf"{program} \d+\.\d+\.\d+\n", done.stdout)
    for args in (("--no-such-option",), ("-Z",), ("-c",), ("surplus", "words") if program == "dispatchd" else ("cutsomer",)):
        done = run(*args)
        assert done.returncode == 64, (args, done)
        assert done.stdout == "" and done.stderr


def test_secrets_are_not_shown(world):
    """A fault in the line that holds a password does not print it."""
    world.configure(redis={"url": "redis://user:hunter2secret@:port/x"})
    done = check(world, "-c", world.config_path)
    assert done.returncode == 78 and "url" in done.stderr
    assert "hunter2secret" not in done.stderr + done.stdout


def test_the_annotated_sample_is_valid(world):
    """conf/dispatchd.conf as it is shipped, with [mail] from and paths that this test owns in a drop-in."""
    os.makedirs(world.path("etc/conf.d"))
    shutil.copy(ROOT / "conf" / "dispatchd.conf", world.path("etc/dispatchd.conf"))
    kit.write(world, "etc/conf.d/own.conf",
              f"[mail]\nfrom = a@example.com\ntemplates = {ROOT}/conf/templates\n[customers]\npath = "
              f"{world.path('customers.db')}\n[spool]\npath = {world.path('spool.db')}\n")
    done = dispatchd(world, "-t", "-c", world.path("etc/dispatchd.conf"))
    assert done.returncode == 0, done.stderr


def test_faults_of_every_kind_at_once(world):
    """What the configuration names is looked at even where the configuration itself has faults, and each fault has
    the line of the key that leads there."""
    world.configure(mail={"from": None, "transport": "smtp"}, redis={"password_file": world.path("none-1")},
                    smtp={"tls": "required", "user": "x", "password_file": world.path("none-2"),
                          "ca_file": world.path("none-3")}, gate={"hold_max": "soon"})
    kit.write(world, "templates/started.txt", "Subject: x\n\n{{#open}}never closed\n")
    for name in ("spool.db", "customers.db"):
        kit.write(world, name, "this is no database at all" * 100)
    done = check(world, "-c", world.config_path)
    reported = done.stderr.splitlines()
    assert done.returncode == 78 and len(reported) == 8, done.stderr
    for line, word in (("[mail]", "from"), ("hold_max = soon", "hold_max"),
                       (f"password_file = {world.path('none-1')}", "[redis] password_file"),
                       (f"password_file = {world.path('none-2')}", "[smtp] password_file"),
                       (f"ca_file = {world.path('none-3')}", "ca_file"),
                       (f"path = {world.path('spool.db')}", "spool.db"),
                       (f"path = {world.path('customers.db')}", "customers.db")):
        place = f"{world.config_path}:{line_of(world.config_path, line)}: "
        assert any(fault.startswith(place) and word in fault for fault in reported), (line, done.stderr)
    assert any(fault.startswith(world.path("templates/started.txt:3: ")) for fault in reported)


def test_a_missing_key_is_told_where_it_belongs(world):
    kit.write(world, "one.conf", "; nothing\n\n[redis]\nlist = a\n")
    done = check(world, "-c", world.path("one.conf"))
    assert done.returncode == 78 and done.stderr.startswith(f"{world.path('one.conf')}:4: [mail] from: ")
    kit.write(world, "empty.conf", "")
    done = check(world, "-c", world.path("empty.conf"))
    assert done.returncode == 78 and done.stderr.startswith(f"{world.path('empty.conf')}:1: [mail] from: ")


@pytest.mark.skipif(os.path.exists("/etc/dispatchd/templates"), reason="there are templates installed")
@pytest.mark.parametrize("written", [True, False])
def test_the_default_templates_need_not_be_there(world, written):
    world.configure(mail={"templates": "/etc/dispatchd/templates" if written else None})
    assert check(world, "-c", world.config_path).returncode == 0
    daemon = world.start_daemon()
    assert "the built-in ones" in daemon.log()
    daemon.signal(1)
    daemon.wait_log("reloaded")
    assert world.ctl("check").stdout == "no problems found\n"


def test_templates_elsewhere_must_be_there(world):
    world.configure(mail={"templates": world.path("none")})
    done = check(world, "-c", world.config_path)
    line = line_of(world.config_path, f"templates = {world.path('none')}")
    assert done.returncode == 78 and done.stderr.startswith(f"{world.config_path}:{line}: [mail] templates: ")
