#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves from the #includes that arrows between rooms go one way, and that lib/ keeps to itself.

lib: base < model < rules, template < mail, db < records and spool (which knows journal's positions), all of them <
engine; overview (what people are
shown of records and spool together) uses these, beside the engine; rules, mail, records and spool know nothing of
each other. daemon: each program uses lib and common; in dispatchd sys is the ground, the mailers and the office's
writer use it, the engine's thread uses these, redis uses the engine, the ways in (control, http, report) use redis, and the
loop is the roof that knows all; the ways in see its struct daemon_view. dispatchctl: show < base < nouns < the
registry and main. Rooms to come have their rows already. lib/engine has layers of its own, a row each, highest first,
in the table of docs/ARCHITECTURE.md.
"""
import re
import sys
from pathlib import Path

LIB = {
    "base": [],
    "model": ["base"],
    "rules": ["base", "model"],
    "template": ["base"],
    "mail": ["base", "model", "template"],
    "db": ["base", "model"],
    "journal": ["base"],
    "records": ["base", "model", "db"],
    "spool": ["base", "model", "db", "journal"],
    "engine": ["base", "model", "rules", "template", "mail", "db", "journal", "records", "spool"],
    "overview": ["base", "model", "rules", "template", "mail", "db", "records", "spool"],
}
DAEMON = {
    "common": [],
    "dispatchd/sys": ["common"],
    "dispatchd/mailer": ["common", "dispatchd/sys"],
    "dispatchd/cluster": ["common", "dispatchd/sys"],
    "dispatchd/office": ["common", "dispatchd/sys"],
    "dispatchd/engine": ["common", "dispatchd/sys", "dispatchd/mailer", "dispatchd/office"],
    "dispatchd/redis": ["common", "dispatchd/sys", "dispatchd/engine"],
    "dispatchd/control": ["common", "dispatchd/sys", "dispatchd/mailer", "dispatchd/engine", "dispatchd/redis",
                          "dispatchd/cluster"],
    "dispatchd/http": ["common", "dispatchd/sys", "dispatchd/mailer", "dispatchd/engine", "dispatchd/redis",
                       "dispatchd/cluster"],
    "dispatchd/report": ["common", "dispatchd/sys", "dispatchd/engine", "dispatchd/cluster"],
    "dispatchd/loop": ["common", "dispatchd/sys", "dispatchd/mailer", "dispatchd/office", "dispatchd/engine",
                       "dispatchd/redis", "dispatchd/control", "dispatchd/http", "dispatchd/report", "dispatchd/cluster"],
    "dispatchd": ["common", "dispatchd/sys", "dispatchd/loop"],
    "dispatchctl/show": ["common"],
    "dispatchctl/base": ["common", "dispatchctl/show"],
    "dispatchctl/backup": ["common"],
    "dispatchctl/nouns": ["common", "dispatchctl/show", "dispatchctl/base", "dispatchctl/backup"],
    "dispatchctl": ["common", "dispatchctl/show", "dispatchctl/base", "dispatchctl/nouns"],
    "center/http": ["common"],
    "center/trust": ["common"],
    "center/live": ["common", "center/http"],
    "center/entry": ["common", "center/http", "center/trust"],
    "center/api": ["common", "center/http", "center/trust", "center/live", "center/entry"],
    "center/pages": ["common", "center/http", "center/trust", "center/entry", "center/api"],
    "center": ["common", "center/http", "center/trust", "center/live", "center/entry", "center/api",
               "center/pages"],
    "bounce/read": ["common"],
    "bounce": ["common", "bounce/read"],
}
# What lib/ may not use: event loops, threads, sockets, logging (but the names of its levels), the clock.
FOREIGN = re.compile(
    r"<(event2?/|event\.h|hiredis/|libesmtp|auth-client|sys/socket|netinet/|netdb|systemd/|sys/epoll|poll\.h|pthread\.h|threads\.h)"
)
CALLS = re.compile(
    r"(?<![\w.>])(time|clock_gettime|gettimeofday|g_get_real_time|g_get_monotonic_time|g_date_time_new_now\w*"
    r"|ucal_getNow|syslog|vsyslog|sd_journal_\w+|pthread_\w+|thrd_create|g_thread_new|fork)\s*\("
)
# customers.db is written by the transactions of records/customers_write.h, so that a standby refuses and an owner records
# what the office changes. Beside them: the cluster's own, the search index, and a lock while files are looked after.
TRANSACTION = re.compile(r"(?<!\w)(db_begin|db_commit)\s*\(")
MAY_BEGIN = ("customers_write.c", "customers_changes.c", "search_fold.c", "record_content.c")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
SYSTEM = re.compile(r"^\s*#\s*include\s+(<[^>]+>)", re.M)


def room(path):
    """("lib", "mail") or ("daemon", "dispatchd/redis")."""
    return path.parts[0], "/".join(path.parts[1:-1])


def resolve(path, name):
    for base in (path.parent, Path("lib"), Path("daemon")):
        found = Path(base / name)
        if found.exists():
            return found
    return None  # generated


def allowed(here, there):
    if here == there:
        return True
    if here[0] == "lib":
        return there[0] == "lib" and there[1] in LIB[here[1]]
    return there[0] == "lib" or there[1] in DAEMON[here[1]]


def without_comments(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(\\.|[^"\\\n])*"', " ", text, flags=re.S)


def engine_layers():
    """Each file of lib/engine (without .c or .h) and its layer's number, 0 for the highest."""
    text = Path("docs/ARCHITECTURE.md").read_text()
    table = text[text.index("| layer | files in `lib/engine` |"):].split("\n\n")[0].splitlines()[2:]
    return {name: number for number, row in enumerate(table)
            for names in re.findall(r"lib/engine/(\{[^}]*\}|\w+)\.[ch]", row) for name in names.strip("{}").split(",")}


def check_engine():
    layers, shared = engine_layers(), "engine_private"
    files = sorted(Path("lib/engine").glob("*.[ch]"))
    for name in sorted(layers.keys() ^ {p.stem for p in files} - {shared}):
        yield f"lib/engine/{name}: in the layers of docs/ARCHITECTURE.md or in the folder, not in both"
    for path in files:
        if path.stem in layers:
            for name in re.findall(r'#include "engine/(\w+)\.h"', path.read_text()):
                if name in layers and layers[name] < layers[path.stem]:
                    yield f"{path}: may not know lib/engine/{name}.h, which is in a layer above"


def main():
    faults = list(check_engine())
    files = sorted(p for top in ("lib", "daemon") for p in Path(top).rglob("*.[ch]"))
    for path in files:
        text = path.read_text()
        here = room(path)
        if here[1] not in (LIB if here[0] == "lib" else DAEMON):
            faults.append(f"{path}: there is no such room in the plan (tests/check/layers.py)")
            continue
        for name in INCLUDE.findall(text):
            target = resolve(path, name)
            if target is None:
                if not name.endswith(".sql.h") and name not in ("version.h", "builtin_templates.h", "center_assets.h",
                                                                 "center_words.h", "proof_page.h"):
                    faults.append(f"{path}: {name} is nowhere")
            elif not allowed(here, room(target)):
                faults.append(f"{path}: may not know {target}")
        if here[0] == "lib":
            faults += [f"{path}: {n} has no place in lib/" for n in SYSTEM.findall(text) if FOREIGN.match(n)]
            faults += [f"{path}: {m.group(1)}() has no place in lib/" for m in CALLS.finditer(without_comments(text))]
        if here == ("lib", "records") and path.name not in MAY_BEGIN:
            faults += [f"{path}: {n}() in place of records/customers_write.h" for n in TRANSACTION.findall(without_comments(text))]
    print("\n".join(faults) or f"{len(files)} files, every arrow goes one way")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
