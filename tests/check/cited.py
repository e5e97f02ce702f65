#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves that what comments and documents cite exists.

Comments: "section N" of docs/CONTRACT.md, unless an RFC or another document is named in front of it in the same
comment. With $CONTRACT, docs/CONTRACT.md is that file, byte by byte.
"""
import os
import re
import sys
from pathlib import Path

CONTRACT = Path("docs/CONTRACT.md")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
# What a section may be of, then the section: the nearest document in front of it counts.
CITED = re.compile(r"\b(?P<other>RFC\s+\d+|CloudEvents)|\b[Ss]ections?\s+(?P<sections>[\d.]+(?:(?:,| and| to)\s+\d+)*)")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def sections(comment):
    """(position, number) of each section of the contract that a comment cites."""
    other = False
    for found in CITED.finditer(comment):
        if found["other"]:
            other = True
        elif not other:
            for number in re.findall(r"[\d.]*\d", found["sections"]):
                yield found.start(), number
        else:
            other = False


def check_comments(faults):
    known = set(re.findall(r"^## (\d+)\.", CONTRACT.read_text(encoding="utf-8"), re.M))
    n = 0
    for path in sorted(p for top in ("lib", "daemon", "conf", "tests") for p in Path(top).rglob("*.[ch]")):
        text = path.read_text(encoding="utf-8")
        for comment in COMMENT.finditer(text):
            words = re.sub(r"(?m)^\s*\*", lambda margin: " " * len(margin[0]), comment[0])
            for at, number in sections(words):
                n += 1
                if number not in known:
                    faults.append(f"{path}:{line_of(text, comment.start() + at)}: {CONTRACT} has no section {number}")
    return n


def main():
    faults = []
    n = check_comments(faults)
    given = os.environ.get("CONTRACT")
    if given and Path(given).read_bytes() != CONTRACT.read_bytes():
        faults.append(f"{CONTRACT} is not the same as {given}")
    print("\n".join(faults) or f"{n} citations, all there")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
