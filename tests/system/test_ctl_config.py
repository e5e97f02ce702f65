# SPDX-License-Identifier: MIT
"""`dispatchctl config show`: what is in force and where it comes from, and that it says the same as the daemon."""
import json
import os
import re

from world import ROOT


def show(world, *args, code=0):
    done = world.ctl("--json", "config", "show", *args, check=False)
    assert done.returncode == code, done.stderr
    return {(row["section"], row["key"]): (row["value"], row["place"]) for row in json.loads(done.stdout)}


def test_every_key_with_its_place(world):
    os.mkdir(world.path("conf.d"))
    with open(world.path("conf.d", "10-site.conf"), "w", encoding="utf-8") as file:
        file.write("[smtp]\nconnections = 7\n\n[notify]\nshelf_life = 2d\n[notify.failed]\nshelf_life = 3h\n")
    with open(world.config_path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    found = show(world)
    site = world.path("conf.d", "10-site.conf")
    assert found["smtp", "connections"] == ("7", f"{site}:2")
    assert found["smtp", "tls"] == ("opportunistic", None)
    assert found["notify.failed", "shelf_life"] == ("3h", f"{site}:7")
    assert found["notify.started", "shelf_life"] == ("2d", f"{site}:5")
    assert found["notify.failed", "outside_hours"] == ("send", None)
    place = lines.index(f"path = {world.path('spool.db')}") + 1
    assert found["spool", "path"] == (world.path("spool.db"), f"{world.config_path}:{place}")
    sample = (ROOT / "conf" / "dispatchd.conf").read_text(encoding="utf-8")
    keys = set()
    for part in re.split(r"^\[", sample, flags=re.M)[1:]:
        section, text = part.split("]", 1)
        keys |= {(section, key) for key in re.findall(r"^;?(\w+) = ", text, re.M)}
    assert {(section.split(".")[0], key) for section, key in found} == keys


def test_a_later_file_wins(world):
    os.mkdir(world.path("conf.d"))
    for name, value in (("10.conf", 3), ("20.conf", 4)):
        with open(world.path("conf.d", name), "w", encoding="utf-8") as file:
            file.write(f"[smtp]\nconnections = {value}\n")
    assert show(world, "smtp")["smtp", "connections"] == ("4", world.path("conf.d", "20.conf") + ":2")


def test_a_section_and_what_is_set(world):
    assert {section for section, _ in show(world, "redis")} == {"redis"}
    assert len({section for section, _ in show(world, "notify")}) == 6
    chosen = show(world, "--set")
    assert all(place for _, place in chosen.values()) and ("redis", "consumer") in chosen
    text = world.ctl("config", "show", "mail").stdout
    assert text.startswith("[mail]\n") and "Example Hauling <dispatch@example.com>" in text
    assert world.ctl("config", "show", "nonsense").stdout == "nothing is set\n"


def test_no_password_is_shown(world):
    world.configure(redis={"url": "redis://user:hunter2@127.0.0.1:1/0"})
    os.chmod(world.config_path, 0o600)
    found = show(world, "redis")["redis", "url"][0]
    assert "hunter2" not in found and "127.0.0.1" in found


def test_faults_are_named_and_the_rest_is_shown(world):
    world.configure(smtp={"connections": "many", "tls": "maybe"}, mail={"max_agee": "1d"})
    done = world.ctl("config", "show", "smtp", check=False)
    assert done.returncode == 78
    assert len(re.findall(rf"^dispatchctl: {world.config_path}:\d+: ", done.stderr, re.M)) == 3
    assert "did you mean" in done.stderr and re.search(r"^connections +16 +/\S+:\d+$", done.stdout, re.M)
    world.config_path = world.path("nowhere.conf")
    done = world.ctl("config", "show", check=False)
    assert done.returncode == 66 and "nowhere.conf" in done.stderr and done.stdout == ""
