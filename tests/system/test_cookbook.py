# SPDX-License-Identifier: MIT
"""The README's route planners run as they are written there: they ask, wait, and ask again."""
import re
import shutil
import subprocess

import pytest

from kit import write
from world import PATIENCE, ROOT, free_port, wait_until

README = (ROOT / "README.md").read_text(encoding="utf-8")


def planner(language):
    (found,) = [b for b in re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S) if "jobs:requests" in b]
    return found


def has_php_redis():
    return shutil.which("php") and "redis" in subprocess.run(
        ["php", "-m"], capture_output=True, text=True, check=False, timeout=20).stdout.split()


@pytest.fixture
def office(world):
    server = world.start_redis("tcp", port=free_port())
    world.redis, world.port = server.client(), server.port
    world.configure(redis={"url": f"redis://127.0.0.1:{server.port}/0"})
    world.ctl("customer", "add", "1001", "--name", "Example Farm", "--timezone", "America/Denver")
    return world


def start(world, language):
    text = planner(language)
    if language == "python":
        text = text.replace("redis.Redis(", f"redis.Redis(port={world.port}, ").replace("time.sleep(5)", "time.sleep(.3)")
        text = text.replace("wait=2.0", "wait=0.5")
        command = ["/usr/bin/python3", write(world, "planner.py", text)]
    else:
        text = text.replace('"127.0.0.1"', f'"127.0.0.1", {world.port}')
        command = ["php", write(world, "planner.php", "<?php\n" + text)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=world.environment())


def output_of(process):
    out = process.communicate(timeout=20 * PATIENCE)[0]
    assert process.returncode == 0, out
    return out.strip()


def test_python_asks_and_is_answered(office):
    office.start_daemon()
    assert output_of(start(office, "python")) == "released ok"
    (job,) = [fields for _, fields in office.redis.xrange("jobs:dispatch")]
    assert (job["job"], job["route"], job["scheduled"]) == ("4711", "north", "2026-12-24T09:30:00-07:00")
    assert output_of(start(office, "python")) == "released ok", "asked once more after a crash of its own"
    assert office.redis.xlen("jobs:dispatch") == 1


def test_python_asks_again_while_dispatchd_is_away(office):
    office.ctl("suspend", "1001", "--note", "Barn is being rebuilt", "--scope", "routes")
    process = start(office, "python")
    wait_until(lambda: office.redis.xlen("jobs:requests") >= 2, "the question to be asked again")
    assert process.poll() is None
    office.start_daemon()
    assert output_of(process) == "held suspended Barn is being rebuilt"
    assert [row["job"] for row in office.ctl_json("hold", "list")] == ["4711"]


@pytest.mark.skipif(not has_php_redis(), reason="PHP with its extension redis is not here")
def test_php(office):
    assert output_of(start(office, "php")) == "no answer yet"
    office.start_daemon()
    assert output_of(start(office, "php")) == "allowed ok"
    assert output_of(start(office, "php")) == "allowed ok"
