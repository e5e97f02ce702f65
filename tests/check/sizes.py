#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Keeps functions at 80 lines, files at 700 and lines at 100 columns, wants the license line and in every .c of more
than 100 lines a head that says what it is for; says what is usual here."""
import sys
from pathlib import Path

FUNCTION_MAX, FILE_MAX, COLUMNS_MAX, WITHOUT_HEAD_MAX = 80, 700, 100, 100


def functions(lines):
    """(line, length) of each body: in our format it opens and closes in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield start, number - start + 1
            start = None


def has_head(lines):
    """A comment of some words right behind the license line."""
    return len(lines) > 1 and lines[1].startswith("/*") and len(" ".join(lines[1:4]).strip("/* ")) > 20


def check_file(path, lines):
    if not lines or lines[0] != "/* SPDX-License-Identifier: MIT */":
        yield f"{path}:1: the first line must be /* SPDX-License-Identifier: MIT */"
    if len(lines) > FILE_MAX:
        yield f"{path}: {len(lines)} lines; at most {FILE_MAX}"
    if path.suffix == ".c" and len(lines) > WITHOUT_HEAD_MAX and not has_head(lines):
        yield f"{path}:2: no comment says what the file is for"
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > COLUMNS_MAX:
            yield f"{path}:{number}: {len(line.expandtabs(8))} columns; at most {COLUMNS_MAX}"


def main():
    faults, lengths = [], []
    for path in sorted(p for top in ("lib", "daemon", "conf", "tests") for p in Path(top).rglob("*.[ch]")):
        lines = path.read_text().splitlines()
        faults += check_file(path, lines)
        for line, length in functions(lines):
            if path.parts[0] != "tests":
                lengths.append(length)
            if length > FUNCTION_MAX:
                faults.append(f"{path}:{line}: a function of {length} lines; at most {FUNCTION_MAX}")
    print("\n".join(faults) if faults else "", end="\n" if faults else "")
    lengths.sort()
    if lengths:
        print(f"{len(lengths)} functions, median {lengths[len(lengths) // 2]} lines, "
              f"nine in ten up to {lengths[len(lengths) * 9 // 10]}, longest {lengths[-1]}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
