#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Keeps functions at 80 lines and files at 700, wants the licence line, and says what is usual here."""
import sys
from pathlib import Path

FUNCTION_MAX, FILE_MAX = 80, 700


def functions(lines):
    """(line, length) of each body: in our format it opens and closes in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield start, number - start + 1
            start = None


def main():
    faults, lengths = [], []
    for path in sorted(p for top in ("lib", "daemon", "conf", "tests") for p in Path(top).rglob("*.[ch]")):
        lines = path.read_text().splitlines()
        if not lines or lines[0] != "/* SPDX-License-Identifier: MIT */":
            faults.append(f"{path}:1: the first line is /* SPDX-License-Identifier: MIT */")
        if len(lines) > FILE_MAX:
            faults.append(f"{path}: {len(lines)} lines; {FILE_MAX} is the most")
        for line, length in functions(lines):
            if path.parts[0] != "tests":
                lengths.append(length)
            if length > FUNCTION_MAX:
                faults.append(f"{path}:{line}: a function of {length} lines; {FUNCTION_MAX} is the most")
    print("\n".join(faults) if faults else "", end="\n" if faults else "")
    lengths.sort()
    if lengths:
        print(f"{len(lengths)} functions, median {lengths[len(lengths) // 2]} lines, "
              f"nine in ten up to {lengths[len(lengths) * 9 // 10]}, longest {lengths[-1]}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
