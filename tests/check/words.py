#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Finds words that docs/GLOSSARY.md has replaced, as names and in sentences, in code, manuals and catalogues.

A private word of ours comes back easily: from an old branch, or from a file that was copied as a model. Each row is
what must not come back, and what to write instead.
"""
import re
import sys
from pathlib import Path

WORDS = [
    # Names, also as a part of one, such as desk_put.
    (r"(?<![a-z])(desk|crew|warden)s?(?=_|\b)(?!@)", "mail queue, pool, supervisor"),
    (r"(?<![a-z])(hopeful|convict|upkeep)s?(?![a-z])", "half-open, quarantine, stream maintenance"),
    (r"(?<![a-z])(visitor|stranger)s?(?![a-z])", "client, connection; other consumer"),
    (r"(?<![a-z])(mailmake|mail_ends|take_off|doubt_all)(?![a-z])",
     "mail create, set status, track, requeue in flight"),
    # Sentences.
    (r"(?<![a-z])anew(?![a-z])", "again"),
    (r"(?<![a-z])(is|are) minded(?![a-z])", "is checked"),
    (r"(?<!there )is no (whole )?(number|day|time|list|word|text|name|mail|customer|template|job)(?![a-z])",
     "must be … (got …); is not a …"),
    (r"(was|were|is) meant(?![a-z])", "expected; did you mean"),
    (r"nothing follows (for|from)", "say what does not change"),
    (r"as many as go(?![a-z])", "as many as fit"),
    (r"sign of life", "heartbeat"),
    (r"engine doesn't turn(?![a-z])", "engine stalled"),
]
# But not the contract, which others have written, nor tests, whose data says what users say.
FOLDERS = ("lib", "daemon", "conf", "docs", "systemd")
FILES = re.compile(r"\.(c|h|sql|js|html|md|conf|txt|sh|service|[1-8])$|/en\.ini$")
LEFT_OUT = {Path("docs/CONTRACT.md")}


def main():
    faults = []
    rows = [(re.compile(words, re.I), better) for words, better in WORDS]
    files = [p for folder in FOLDERS for p in sorted(Path(folder).rglob("*")) if FILES.search(str(p))]
    for path in (p for p in [*sorted(Path().glob("*.md")), *files] if p not in LEFT_OUT):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            faults += [f"{path}:{number}: \"{found.group(0)}\": {better}"
                       for words, better in rows for found in [words.search(line)] if found]
    print("\n".join(faults) or f"no word that was replaced, of {len(WORDS)} rows")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
