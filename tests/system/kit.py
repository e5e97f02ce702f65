# SPDX-License-Identifier: MIT
"""What several black-box tests need besides a world: customers, mails read back, outcomes by event."""
import datetime
import email
import email.policy
import fcntl
import os
import pty
import pwd
import shutil
import struct
import subprocess
import termios

import pytest

from world import BUILD, PATIENCE, ROOT, wait_until


def add_customer(world, number="1001", name="Example Farm", email="farm@example.com", **fields):
    """A customer with one contact who hears of all five states, open round the clock."""
    options = [word for key, value in fields.items() for word in (f"--{key.replace('_', '-')}", value)]
    world.ctl("customer", "add", number, "--name", name, "--email", email, *options)


def refused(world, code, fault, *args, **more):
    """Runs a command that has to fail: nothing on standard output, one sentence on standard error."""
    done = world.ctl(*args, check=False, **more)
    assert done.returncode == code, done
    assert done.stdout == ""
    assert done.stderr.startswith("dispatchctl: ") and done.stderr.count("\n") == 1, done.stderr
    assert fault in done.stderr, done.stderr


def on_terminal(command, env, columns=80, lines=1000, typed=b""):
    """What a command prints on a terminal of that size to somebody who types that, and its exit status."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=env)
    os.close(follower)
    os.write(leader, typed)
    text = b""
    while True:
        try:
            more = os.read(leader, 65536)
        except OSError:
            break
        if not more:
            break
        text += more
    os.close(leader)
    process.wait(20)
    return text.decode().replace("\r\n", "\n"), process.returncode


def message(mail):
    """A mail of the SMTP peer or of the Maildir as Python's email reads it."""
    raw = mail if isinstance(mail, bytes) else mail.data
    return email.message_from_bytes(raw, policy=email.policy.default)


def text_of(mail, kind="plain"):
    """The text of the mail's part of that kind, with line breaks as \\n."""
    part = message(mail).get_body((kind,))
    assert part is not None, f"no text/{kind}"
    return part.get_content().replace("\r\n", "\n")


def outcomes_of(world, event):
    """(status, reason) of the event's outcomes, in order and without repeats."""
    seen, pairs = set(), []
    for outcome in world.outcomes():
        if outcome.get("event") == str(event) and outcome["id"] not in seen:
            seen.add(outcome["id"])
            pairs.append((outcome["status"], outcome["reason"]))
    return pairs


def wait_outcome(world, event, status, reason=None, count=1, timeout=10.0):
    wanted = {"event": event, "status": status, **({"reason": reason} if reason else {})}
    return world.outcomes(wait_for=wanted, count=count, timeout=timeout)


def dead_letters(world, count, timeout=10.0):
    """The fields of all dead letters, as bytes, once there are `count`."""
    wait_until(lambda: world.raw.xlen("jobs:dead") >= count,
               lambda: f"{count} dead letters, {world.raw.xlen('jobs:dead')} there; {world.log_tail()}", timeout)
    return [fields for _, fields in world.raw.xrange("jobs:dead")]


def use_shipped_templates(world):
    shutil.copytree(ROOT / "conf" / "templates", world.path("templates"), dirs_exist_ok=True)


def dispatchd(world, *args, preexec=None, env=None):
    """The daemon where it is expected to end by itself."""
    return subprocess.run([str(BUILD / "dispatchd"), *map(str, args)], capture_output=True, text=True,
                          timeout=20 * PATIENCE, cwd=world.directory, env=world.environment(**(env or {})),
                          preexec_fn=preexec, check=False)


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can start a program as another user")


def reachable(world, program):
    """A copy of that program where every user can run it: the clone may lie in a private folder."""
    os.chmod(world.directory, os.stat(world.directory).st_mode | 0o055)
    copy = world.path("bin", program)
    if not os.path.exists(copy):
        os.makedirs(world.path("bin"), exist_ok=True)
        shutil.copyfile(BUILD / program, copy)
        for path in (world.path("bin"), copy):
            os.chmod(path, 0o755)
    return copy


def as_user(world, program, *args, user="nobody", group=None, groups=(), stdin=None, env=None):
    """Runs one of our programs as another user (needs_root), without any of root's groups."""
    command = [reachable(world, program), *map(str, args)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30 * PATIENCE,
                          cwd=world.directory, env=world.environment(**(env or {})), check=False, user=user,
                          group=pwd.getpwnam(user).pw_gid if group is None else group, extra_groups=list(groups))


def write(world, name, text):
    """A file in the world's directory; its path."""
    path = world.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def zone_where_soon(world, clock, zone="Test/Soon"):
    """Makes a time zone in which it is `clock` (HH:MM) in a few seconds, known to the world's programs alone, so that a
    test can wait for a midnight or an opening. Returns the local time by now and the instant, as datetimes."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    then = now + datetime.timedelta(seconds=int(5 * min(PATIENCE, 3)))
    wanted = then.replace(hour=int(clock[:2]), minute=int(clock[3:]), second=0)
    offset = (int((wanted - then).total_seconds()) + 43200) % 86400 - 43200
    zones = world.path("zoneinfo")
    os.makedirs(zones, exist_ok=True)
    sign, rest = ("-", -offset) if offset < 0 else ("", offset)
    source = write(world, "zone", f"Zone {zone} {sign}{rest // 3600}:{rest // 60 % 60:02}:{rest % 60:02} - TST\n"
                                  "Zone UTC 0 - UTC\n")
    subprocess.run([shutil.which("zic") or "/usr/sbin/zic", "-d", zones, source], check=True, timeout=20)
    plain = world.environment
    world.environment = lambda **more: plain(TZDIR=zones, **more)
    return now + datetime.timedelta(seconds=offset), then
