#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves that what comments and documents cite exists.

Comments: "section N" of docs/CONTRACT.md, unless an RFC or another document is named in front of it in the same
comment; "invariant N" of docs/ARCHITECTURE.md. Documents: every path of the repository, and every linked file. Manuals:
every test that they name, in the file named before it. With $CONTRACT, docs/CONTRACT.md is that file, byte by byte.
"""
import os
import re
import sys
from pathlib import Path

CONTRACT = Path("docs/CONTRACT.md")
ARCHITECTURE = Path("docs/ARCHITECTURE.md")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
NUMBERS = r"[\d.]+(?:(?:,| and| to)\s+\d+)*"
# What a section may be of, then the section: the nearest document in front of it counts.
CITED = re.compile(r"\b(?P<other>RFC\s+\d+|CloudEvents)|\b[Ss]ections?\s+(?P<section>" + NUMBERS + ")"
                   r"|\b[Ii]nvariants?\s+(?P<invariant>" + NUMBERS + ")")
PATH = re.compile(r"`((?:lib|daemon|conf|tests|docs|systemd|\.ci)/[\w.,{}/-]*)`")
TEST = re.compile(r"((?:\btests/\w+/|\b)test_\w+\.py)\b|\b(test_\w+)\b")
LINK = re.compile(r"\]\(([^)#:]+)\)")


def citations(comment):
    """(position, "section" or "invariant", number) of what a comment cites of our own documents."""
    other = False
    for found in CITED.finditer(comment):
        if found["other"]:
            other = True
        elif found["section"] and other:
            other = False
        else:
            kind = "section" if found["section"] else "invariant"
            for number in re.findall(r"[\d.]*\d", found[kind]):
                yield found.start(), kind, number


def check_comments(faults):
    known = {"section": set(re.findall(r"(?m)^## (\d+)\.", CONTRACT.read_text())),
             "invariant": set(re.findall(r"(?m)^(\d+)\. \*\*", ARCHITECTURE.read_text()))}
    home = {"section": CONTRACT, "invariant": ARCHITECTURE}
    n = 0
    for path in sorted(p for top in ("lib", "daemon", "conf", "tests") for p in Path(top).rglob("*.[ch]")):
        text = path.read_text(encoding="utf-8")
        for comment in COMMENT.finditer(text):
            words = re.sub(r"(?m)^\s*\*", lambda margin: " " * len(margin[0]), comment[0])
            for at, kind, number in citations(words):
                n += 1
                if number not in known[kind]:
                    line = text.count("\n", 0, comment.start() + at) + 1
                    faults.append(f"{path}:{line}: {home[kind]} has no {kind} {number}")
    return n


def spelled_out(path):
    """lib/{a,b}.c is two; N and NAME match anything."""
    braces = re.search(r"\{([^}]*)\}", path)
    if braces:
        for part in braces[1].split(","):
            yield from spelled_out(path[:braces.start()] + part + path[braces.end():])
    else:
        yield re.sub(r"(?<![A-Za-z])N(AME)?(?![A-Za-z])", "*", path)


def check_documents(faults):
    n = 0
    for document in [*Path(".").glob("*.md"), *Path("docs").rglob("*.md")]:
        for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
            named = [p for found in PATH.findall(line) for p in spelled_out(found)]
            named += [os.path.normpath(document.parent / link) for link in LINK.findall(line)]
            n += len(named)
            faults += [f"{document}:{number}: there is no {path}" for path in named if not any(Path(".").glob(path))]
    return n


def check_manuals(faults):
    n = 0
    for manual in sorted(Path("conf/man").glob("*.[1-8]")):
        tests, home = "", None
        for number, line in enumerate(manual.read_text(encoding="utf-8").splitlines(), 1):
            for file, test in TEST.findall(line):
                n += 1
                if file:
                    home = Path(file) if "/" in file else Path("tests/system") / file
                    tests = home.read_text(encoding="utf-8") if home.exists() else ""
                if (file and not tests) or (test and f"\ndef {test}(" not in tests):
                    faults.append(f"{manual}:{number}: there is no {test or file}{f' in {home}' if test else ''}")
    return n


def main():
    faults = []
    cited, named, tests = check_comments(faults), check_documents(faults), check_manuals(faults)
    given = os.environ.get("CONTRACT")
    if given and Path(given).read_bytes() != CONTRACT.read_bytes():
        faults.append(f"{CONTRACT} is not the same as {given}")
    print("\n".join(faults) or f"{cited} citations, {named} paths and {tests} tests, all there")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
