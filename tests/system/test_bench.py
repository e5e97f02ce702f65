# SPDX-License-Identifier: MIT
"""The benches work: their figures have all fields, and a mail that is lost fails the run. How fast anything is, no
test says."""
import json
import os
import shutil
import subprocess
import sys

import pytest

from world import BUILD, PATIENCE, ROOT, SANITIZED

sys.path.append(str(ROOT / "tests" / "bench"))

import contestants  # noqa: E402
import latency  # noqa: E402
import meter  # noqa: E402
import office  # noqa: E402
import table  # noqa: E402

EVENTS = 40

with_sink = pytest.mark.skipif(meter.find_tool("smtp-sink") is None, reason="no smtp-sink: make deps-bench")


def run(program, *args, env=None):
    return subprocess.run([sys.executable, str(ROOT / "tests" / "bench" / program), *map(str, args)], text=True,
                          capture_output=True, timeout=300 * PATIENCE, check=False,
                          env={**os.environ, "BUILD": str(BUILD), **(env or {})})


def compare(world, *args, **more):
    path = world.path("compare.json")
    return run("compare.py", "--events", EVENTS, "--connections", 4, "--json", path, *args, **more), path


@with_sink
@pytest.mark.parametrize("name", list(contestants.ALL))
def test_each_contestant_delivers_all_and_is_measured(world, name):
    if lacking := contestants.ALL[name].missing():
        pytest.skip(f"no {lacking}: make deps-bench")
    done, path = compare(world, "--rounds", 1, "--only", f"smtp-source,{name}", "--sweep", "")
    assert done.returncode == 0, done.stdout + done.stderr
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    assert found["events"] == EVENTS and found["connections"] == 4 and found["mail_bytes"] > 1000
    assert {"cores", "cpu", "memory_gib", "kernel", "file_system"} <= found["machine"].keys()
    measured = found["contestants"][name]
    assert len(measured["rates"]) == 1 and measured["rate"] > 0 and measured["ratio"] > 0
    assert measured["cpu_ratio"] > 0
    assert measured["peak_mib"] > 0 and measured["cpu_us"]["sink"] > 0
    assert ("redis" in measured["cpu_us"]) == (name != "smtp-source")
    if name == "dispatchd":
        assert {"loop", "engine", "mailers"} <= measured["cpu_us"].keys()
        assert measured["spool_bytes"] > 0 and measured["redis_bytes"] > 0
    assert measured["title"] in done.stdout and path in done.stdout


@with_sink
def test_rounds_alternate_and_the_table_has_all_of_it(world):
    done, path = compare(world, "--rounds", 2, "--only", "smtp-source,dispatchd", "--sweep", "1,2")
    assert done.returncode == 0, done.stdout + done.stderr
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    assert [len(c["rates"]) for c in found["contestants"].values()] == [2, 2]
    assert [s["connections"] for s in found["sweep"]] == [1, 2]
    order = [line.strip().partition(":")[0] for line in done.stdout.splitlines() if "mails/s; " in line]
    assert order == ["smtp-source -d", "dispatchd"] * 4
    text = table.put("a\n<!-- compare: begin -->\nold\n<!-- compare: end -->\nb\n", "compare", table.comparison(found))
    assert text.startswith("a\n<!-- compare: begin -->\nTaken on ") and text.endswith("<!-- compare: end -->\nb\n")
    assert "old" not in text and "| smtp-source -d |" in text and "| dispatchd |" in text


@with_sink
@pytest.mark.parametrize("sent", [EVENTS - 1, EVENTS + 1])
def test_a_mail_missing_or_too_many_fails_the_run(world, sent):
    """smtp-source sends one less than it is asked for, or one more."""
    path, _ = meter.find_tool("smtp-source")
    folder = world.path("bin")
    os.mkdir(folder)
    with open(f"{folder}/smtp-source", "w", encoding="utf-8") as file:
        file.write("#!/bin/bash\n"
                   f"args=(\"$@\"); for ((i = 0; i < $#; i++)); do [ \"${{args[i]}}\" != -m ] || args[i+1]={sent}; done\n"
                   f"exec {path} \"${{args[@]}}\"\n")
    os.chmod(f"{folder}/smtp-source", 0o755)
    libraries = meter.find_tool("smtp-source")[1].get("LD_LIBRARY_PATH", "")
    done, figures = compare(world, "--rounds", 1, "--only", "smtp-source", "--sweep", "",
                            env={"PATH": f"{folder}:{os.environ['PATH']}", "LD_LIBRARY_PATH": libraries})
    assert done.returncode != 0
    assert f"{sent} mails arrived, not {EVENTS}" in done.stderr
    assert not os.path.exists(figures)


@with_sink
def test_latency_and_intake_without_a_relay(world):
    path = world.path("growth.json")
    done = run("latency.py", "--rate", 20, "--seconds", 2, "--outage", 200, "--no-growth", "--json", path)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    assert found["latency"]["events"] == 40 and {"p50", "p99", "max"} <= found["latency"]["dispatchd"].keys()
    assert len(found["outage"]["tenths"]) == 10
    assert all(us["engine"] > 0 and us["redis"] >= 0 for us in found["outage"]["cpu_us"])
    assert "20 events/s" in table.growth(found)


@with_sink
@pytest.mark.long
@pytest.mark.skipif(shutil.which("valgrind") is None or SANITIZED, reason="no valgrind, or sanitizers instead")
def test_instructions_by_thread(world):
    path = world.path("steps.json")
    done = run("steps.py", "--events", 20, "--connections", 2, "--json", path)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    assert found["threads"].keys() == {"engine", "mailers", "loop"}
    for thread in found["threads"].values():
        assert thread["all"] > 1000 and thread["steps"] and "C library" in thread["libraries"]
    assert "SQLite" in found["threads"]["engine"]["libraries"]
    assert "engine_process_entries" in found["threads"]["engine"]["steps"]
    assert "| engine | " in table.steps(found)


def test_offices_are_compared_in_each_round_and_shown_by_thread():
    def rounds(*engine):
        return [{"rate": 1000.0, "peak_mib": 30.0, "cpu_us": {"sink": 10.0, "redis": 5.0, "engine": us}} for us in engine]
    small, large = rounds(15, 30, 35), rounds(30, 60, 70)
    found = office.summary(office.Large, large, small)
    assert found["ratio"] == pytest.approx(75 / 45) and found["ratio_own"] == 2
    shown = table.office_lines({"events": 3, "connections": 1, "rounds": 3, "cases": [found]})
    assert "| all of it | 1,000 | 75 | 60 | 1.67 | 2.00 | 1.00 | 60 | – | – | 5 | 10 | 30 |" in shown


def test_processor_time_of_tenths_is_for_each_event():
    before, after = {("redis", 1, None): ("", 1.0), ("redis", 1, 1): ("main", 1.0)}, \
                    {("redis", 1, None): ("", 1.5), ("redis", 1, 1): ("main", 1.5)}
    assert latency.cpu_by_tenths([(0, before), (100000, after)], None) == [{"redis": pytest.approx(5)}]


def test_tenths_between_two_looks_are_even():
    assert latency.rates_by_tenths([(0, 0), (1, 50), (6, 100)]) == pytest.approx([50] * 5 + [10] * 5)
    assert latency.rates_by_tenths([(2, 0), (4, 10)]) == pytest.approx([5] * 10)
    assert latency.rates_by_tenths([(2, 90), (4, 110)]) == pytest.approx([10] * 10)


def test_a_threads_time_counts_from_the_start_and_names_are_summed():
    before = {("d", 1, None): ("", 1.0), ("d", 1, 1): ("main", 0.5), ("d", 1, 2): ("mailer", 0.5)}
    after = {("d", 1, None): ("", 4.0), ("d", 1, 1): ("main", 1.0), ("d", 1, 2): ("mailer", 1.0),
             ("d", 1, 3): ("mailer", 0.75)}
    assert meter.spent(before, after) == {"d": {"main": 0.5, "mailer": 1.25, "ended": pytest.approx(1.25)}}
