# SPDX-License-Identifier: MIT
"""dispatchctl import and export, as the office uses them."""

import csv
import io
import json
import os
import resource
import subprocess

import pytest

from world import BUILD, PATIENCE


def write(world, name, text):
    with open(world.path(name), "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return world.path(name)


def numbers(world):
    return [row["number"] for row in world.ctl_json("customer", "list")]


def test_a_csv_adds_and_changes(world):
    world.ctl("customer", "add", "1001", "--name", "Old name", "--city", "Denver", "--phone", "303 555 0100")
    path = write(world, "in.csv", "number;name;phone;email\n1001;New name;;\n1002;Second;303 555 0101;b@example.com\n")
    found = world.ctl_json("customer", "import", path)
    assert (found["rows"], found["added"], found["changed"]) == (2, 1, 1)
    one = world.ctl_json("customer", "show", "1001")
    assert (one["name"], one["city"], one["phone"]) == ("New name", "Denver", None)
    assert world.ctl_json("customer", "show", "1002")["contacts"][0]["email"] == "b@example.com"
    assert world.ctl_json("customer", "import", path)["same"] == 2


def test_bad_rows_are_all_named_and_nothing_is_changed(world):
    path = write(world, "in.csv", "number,name,timezone\n1,Good,UTC\n2,,UTC\n3,Bad zone,Mars/Olympus\n")
    done = world.ctl("customer", "import", path, check=False)
    assert done.returncode == 65
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert any("in.csv:3:" in line and "name" in line for line in lines), lines
    assert any("in.csv:4:" in line and "timezone" in line for line in lines), lines
    assert numbers(world) == []


def test_a_dry_run_tells_and_changes_nothing(world):
    world.ctl("customer", "add", "1", "--name", "Old")
    path = write(world, "in.jsonl", '{"number": "1", "name": "New"}\n{"number": 2, "name": "Second"}\n')
    text = world.ctl("customer", "import", path, "--dry-run").stdout
    assert "Old -> New" in text and "dry run" in text
    found = world.ctl_json("customer", "import", path, "--dry-run")
    assert [(c["action"], c["name"]) for c in found["changes"]] == [("set", "1"), ("add", "2")]
    assert found["dry_run"] is True
    assert world.ctl_json("customer", "show", "1")["name"] == "Old"


def test_names_of_a_foreign_system(world):
    mapping = write(world, "map", "CustNo = number\nCompany = name\nTown = city\n")
    path = write(world, "in.csv", "CustNo,Company,Town\n7,Example,Denver\n")
    world.ctl("customer", "import", path, "--map", mapping)
    assert world.ctl_json("customer", "show", "7")["city"] == "Denver"


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_what_was_exported_can_be_imported_elsewhere(world, ending):
    world.ctl("customer", "add", "1", "--name", "=1+1", "--location-notes", "two\nlines, \"quoted\"",
              "--city", "Zürich", "--renewal", "2027-01-31")
    world.ctl("customer", "add", "2", "--name", "Site", "--parent", "1")
    path = world.path(f"out.{ending}")
    assert world.ctl_json("customer", "export", path) == {"rows": 2, "file": path}
    before = {n: world.ctl_json("customer", "show", n) for n in "12"}
    world.configure(customers={"path": world.path("other.db")})
    world.ctl("customer", "import", path)
    for number, one in before.items():
        again = world.ctl_json("customer", "show", number)
        assert {k: v for k, v in again.items() if not isinstance(v, (list, dict)) and k != "id"} == \
               {k: v for k, v in one.items() if not isinstance(v, (list, dict)) and k != "id"}


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_records_keep_their_ids_elsewhere(world, ending):
    for number in "12":
        world.ctl("customer", "add", number, "--name", "X", "--email", f"a{number}@example.com")
    for number in "211":
        world.ctl("contact", "add", number, "--name", "More", "--email", f"b{number}@example.com")
        world.ctl("quote", "add", number, "--number", "Q")
    for quote in "1323":
        world.ctl("quote-item", "add", quote, "--text", "x", "--price", "2")
    world.ctl("quote", "remove", "1", "--yes")
    kinds = ["customer", "contact", "quote", "quote-item"]
    for kind in kinds:
        world.ctl(kind, "export", world.path(f"{kind}.{ending}"))
    before = [world.ctl_json("customer", "show", number) for number in "12"]
    world.configure(customers={"path": world.path("other.db")})
    added = [world.ctl_json(kind, "import", world.path(f"{kind}.{ending}"))["added"] for kind in kinds]
    assert added == [2, 0, 2, 0], "contacts and items came with their customer and quote"
    assert [world.ctl_json("customer", "show", number) for number in "12"] == before


def test_ids_that_are_taken_here_are_replaced(world):
    for number in "12":
        world.ctl("customer", "add", number, "--name", "X", "--email", f"a{number}@example.com")
    world.ctl("contact", "add", "2", "--name", "More", "--email", "b@example.com")
    for kind in ["customer", "contact"]:
        world.ctl(kind, "export", world.path(f"{kind}.csv"))
    world.configure(customers={"path": world.path("other.db")})
    for number in "3456":
        world.ctl("customer", "add", number, "--name", "X", "--email", f"a{number}@example.com")
    for kind in ["customer", "contact", "contact"]:
        world.ctl(kind, "import", world.path(f"{kind}.csv"))
    found = [(c["customer"], c["email"]) for c in world.ctl_json("contact", "list")]
    assert sorted(found) == [("1", "a1@example.com"), ("2", "a2@example.com"), ("2", "b@example.com")] + \
                            [(n, f"a{n}@example.com") for n in "3456"]


def test_an_id_of_a_file_uses_none_up(world):
    world.ctl("customer", "add", "1", "--name", "X")
    path = write(world, "assets.csv", "id,customer,kind\n9223372036854775807,1,a\n77,1,b\n77,1,c\n")
    world.ctl("asset", "import", path)
    assert [(a["id"], a["kind"]) for a in world.ctl_json("asset", "list")] == [(1, "a"), (77, "b"), (78, "c")]


def test_a_spreadsheet_finds_no_formula(world):
    world.ctl("customer", "add", "1", "--name", "=HYPERLINK(1)")
    rows = list(csv.DictReader(io.StringIO(world.ctl("customer", "export", "-", "--format", "csv").stdout.lstrip("\ufeff"))))
    assert rows[0]["name"] == "'=HYPERLINK(1)"


def test_standard_input_and_output(world):
    world.ctl("customer", "import", "-", "--format", "jsonl", stdin='{"number": "1", "name": "X"}\n')
    (row,) = [json.loads(line) for line in world.ctl("customer", "export", "-", "--format", "jsonl").stdout.splitlines()]
    assert row["number"] == "1"


def test_other_kinds_too(world):
    world.ctl("customer", "add", "1", "--name", "X")
    path = write(world, "assets.csv", "customer,kind,serial\n1,container,C-1\n1,container,C-2\n")
    assert world.ctl_json("asset", "import", path)["added"] == 2
    out = world.path("out.jsonl")
    assert world.ctl_json("asset", "export", out)["rows"] == 2


@pytest.mark.parametrize("args, code, fault", [
    (("import", "none.csv"), 66, "none.csv"),
    (("import", "in.xml"), 64, "--format"),
    (("import", "in.csv", "--format", "xml"), 64, "xml"),
    (("import", "."), 64, "--format"),
    (("import", ".", "--format", "csv"), 66, "directory"),
    (("export", "/nowhere/out.csv"), 74, "/nowhere/out.csv"),
    (("export", "out.xlsx"), 64, "--format"),
])
def test_what_cannot_be_read_or_written(world, args, code, fault):
    done = world.ctl("customer", *args, check=False)
    assert (done.returncode, done.stdout) == (code, ""), done
    assert fault in done.stderr


def test_an_export_that_fails_leaves_the_old_file(world):
    world.ctl("customer", "add", "1", "--name", "X")
    done = world.ctl("customer", "export", "/dev/full", "--format", "csv", check=False)
    assert done.returncode == 74
    rows = "".join(f"{n},{'X' * 100}\n" for n in range(2, 802))
    world.ctl("customer", "import", write(world, "in.csv", "number,name\n" + rows))
    path = write(world, "out.csv", "yesterday's")
    done = subprocess.run([str(BUILD / "dispatchctl"), "-c", world.config_path, "customer", "export", path],
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)),
                          env=world.environment(), capture_output=True, timeout=30 * PATIENCE, check=False)
    assert done.returncode == 74, done.stderr
    assert not [name for name in os.listdir(world.directory) if name.startswith(".new-")]
    with open(path, encoding="utf-8") as file:
        assert file.read() == "yesterday's"
