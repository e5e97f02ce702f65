#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves that the daemon's log is what dispatchd(8), DIAGNOSTICS, says; `--write` puts the list of lines there.

- Each line of the code is in the manual with its level and fields, and no other; each field is explained there.
- Only what a person does, a start, a stop or a delivery is logged without the limit of once a minute (ONCE).
- Each message of lib/model/message.h is logged by some line and explained in conf/dispatchd.catalog, with fields that its
  lines have; the journal can read that file.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from both_ways import both_ways

ROOT = Path(__file__).resolve().parents[2]
PAGE, CATALOG = ROOT / "conf/man/dispatchd.8", ROOT / "conf/dispatchd.catalog"
CALL = re.compile(r"\b(log_write|log_fault|log_state|engine_report|engine_report_act|engine_report_often|turn_output_report"
                  r"|health_refuse|health_report)\(")
LITERALS = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*(?:PRI\w+\s*)?"(?:[^"\\]|\\.)*"|\s*PRI\w+)*')
LEVELS = {"CRIT": "critical", "ERR": "error", "WARNING": "warning", "NOTICE": "notice", "INFO": "info", "DEBUG": "debug"}
# What a line about a stream, a list or a channel is called after it.
SOURCES = ("stream", "list", "channel")
# Lines without a limit, each once in a run of the daemon, for an act of a person, or for one thing that has an id.
ONCE = {
    "control/control.c": {"relay test begins", "template test begins"},
    # a person checks, starts or reloads
    "loop/inspect.c": {"[…] password: not checked", "[bounce] key: not checked", "a relay may refuse our certificate",
                       "[cluster] key: not checked", "[redis] consumer is empty"},
    "loop/loop.c": {"the kernel can't report", "started", "the event loop failed", "stopped"},
    "loop/loop_reload.c": {"reload: a new value", "reloaded", "reload refused"},
    "loop/loop_signals.c": {"second signal"},
    "loop/loop_stop.c": {"stopping"},
    "loop/reload.c": {"reload: "},
    "loop/standby.c": {"stopping"},
    "loop/start.c": {"…", "no templates in", "not started: ", "stopped"},
    "mailer/relay_test.c": {"a mail to try out", "template broken"},
    "office/office_thread.c": {"customers.db: the writer hangs"},  # at the stop
    "redis/reader.c": {"an entry is too large"},  # each becomes a dead letter
    "sys/log.c": {"more faults than can be listed"},  # has a minute of its own
}
faults = []


def arguments(text, start):
    """A call's text, from behind its parenthesis to the one that ends it."""
    depth, at, quoted = 1, start, False
    while depth:
        c = text[at]
        if quoted:
            at += c == "\\"
            quoted = c != '"'
        elif c == '"':
            quoted = True
        else:
            depth += (c == "(") - (c == ")")
        at += 1
    return text[start:at - 1]


def spoken(literals):
    """A format as people read it: conversions are …"""
    text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', re.sub(r"PRI\w+", '"d"', literals)))
    text = text.replace('\\"', '"')
    return re.sub(r"%[-+ #0]*[\d.*]*(?:hh|h|ll|l|z|j)?[a-zA-Z]", "…", text)


def fields_of(text):
    found = re.findall(r"(?<![\w.])([a-z_]+)=", text)
    dynamic = re.search(r"…=", text) is not None
    return list(dict.fromkeys([*(SOURCES if dynamic else ()), *found]))


def words_of(text):
    """The sentence without its fields."""
    text = re.sub(r'\s*\b[a-z_]+=(?:"…"|…(?: [a-z]+$)?|"[^"]*")', "", re.sub(r"\s*…=…", "", text))
    return re.sub(r"\s+", " ", text).strip() or "…"


def lines_in(path):
    """(call, level, message or None, format) of each line that is logged there."""
    text = re.sub(r"/\*.*?\*/", lambda m: " " * len(m[0]), path.read_text(encoding="utf-8"), flags=re.S)
    for call in CALL.finditer(text):
        inside = arguments(text, call.end())
        if re.match(r"\s*(?:struct|int|enum|const)\b", inside):
            continue  # its own definition
        level = re.search(r"\bLOG_(CRIT|ERR|WARNING|NOTICE|INFO|DEBUG)\b", inside)
        message = re.search(r"\bMESSAGE_(\w+)", inside)
        name = call[1]
        if name == "health_refuse":
            level, message = "ERR", "REDIS_REFUSES"
        else:
            level, message = level[1] if level else None, message[1] if message else None
        if name == "health_report" and not LITERALS.search(inside):
            continue  # health_refuse() passes on what its callers say
        if message and not LITERALS.search(inside):
            yield name, LEVELS[level], message, "…"  # a fault's own text
        for literals in LITERALS.finditer(inside):
            said = spoken(literals[0])
            if name in ("health_refuse", "health_report"):
                said += ' …=… reply="…"'
            if level is None or not re.search(r"[a-z]", said) and name != "log_write":
                continue
            yield name, LEVELS[level], message, said


def all_lines():
    found = []
    for top in ("daemon/dispatchd", "lib/engine"):
        for path in sorted((ROOT / top).rglob("*.c")):
            for name, level, message, said in lines_in(path):
                # A literal that is only part of a line: a word, a reason, a separator.
                if not re.search(r"[a-z]{3}.* |…=|\w=…|^stopped$", said) and said != "…":
                    continue
                found.append((path, name, level, message, said))
    return found


def check_limits(lines):
    for path, name, _, _, said in lines:
        if name != "log_write":
            continue
        known = ONCE.get(f"{path.parent.name}/{path.name}", set())
        if not any(said.startswith(begin) for begin in known):
            faults.append(f"{path.relative_to(ROOT)}: \"{said}\" has no limit: use log_fault() or log_state(), or say in "
                          "tests/check/lines.py why it can't repeat")


def escape(text):
    return text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("…", "\\&...")


def listed(lines):
    """The manual's list, by level."""
    rows = {}
    for _, _, level, message, said in lines:
        if said == "…":
            continue
        rows.setdefault((words_of(said), level), (set(), []))
        if message:
            rows[words_of(said), level][0].add(message)
        fields = rows[words_of(said), level][1]
        fields.extend(field for field in fields_of(said) if field not in fields)
    out = []
    for level in ("critical", "error", "warning", "notice", "info", "debug"):
        out += [f".It Em {level}", ".Bl -item -compact"]
        for (words, found), (messages, fields) in sorted(rows.items(), key=lambda row: row[0][0].lower()):
            if found != level:
                continue
            out += [".It", escape(words) + ("" if not fields else ":")]
            out += [f".Cm {' , '.join(fields)}"] if fields else []
            out += [f".Pq {', '.join(sorted(messages))}"] if messages else []
        out.append(".El")
    return "\n".join(out) + "\n"


def between(text, name):
    begin, end = f'.\\" {name}: begin\n', f'.\\" {name}: end\n'
    if begin not in text or end not in text:
        faults.append(f"dispatchd(8) has no list of {name}")
        return None, "", None
    head, _, rest = text.partition(begin)
    inner, _, tail = rest.partition(end)
    return head + begin, inner, end + tail


def check_manual(lines, write):
    text = PAGE.read_text(encoding="utf-8")
    head, inner, tail = between(text, "lines")
    if head is None:
        return
    wanted = ".Bl -tag -width Ds\n" + listed(lines) + ".El\n"
    if write:
        PAGE.write_text(head + wanted + tail, encoding="utf-8")
    elif inner != wanted:
        faults.append("dispatchd(8) lists other lines of the log than the code has: run `make generated`")
    explained = {field for row in re.findall(r"(?m)^\.It Cm (.+)$", between(text, "fields")[1]) for field in row.split(" , ")}
    used = {field for line in lines for field in fields_of(line[4])}
    faults.extend(both_ways("the field", used, explained, "the log", "dispatchd(8), DIAGNOSTICS"))


def journal_reads():
    """The journal's own reader takes the catalogue, with as many entries."""
    if shutil.which("journalctl") is None:
        return
    with tempfile.TemporaryDirectory() as root:
        place = Path(root, "usr/lib/systemd/catalog")
        place.mkdir(parents=True)
        Path(root, "var/lib/systemd/catalog").mkdir(parents=True)
        shutil.copy(CATALOG, place)
        done = subprocess.run(["journalctl", f"--root={root}", "--update-catalog"], capture_output=True, text=True, check=False)
        if done.returncode != 0 or done.stderr.strip():
            faults.append(f"journalctl doesn't take {CATALOG.name}: {done.stderr}")
            return
        shown = subprocess.run(["journalctl", f"--root={root}", "--list-catalog"], capture_output=True, text=True, check=False).stdout
        own = set(re.findall(r"(?m)^-- ([0-9a-f]{32})$", CATALOG.read_text()))
        listed_there = set(re.findall(r"(?m)^([0-9a-f]{32}) ", shown)) & own
        faults.extend(both_ways("the catalogue's entry", own, listed_there, CATALOG.name, "the journal"))


def check_catalog(lines):
    rows = dict(re.findall(r'ROW\(MESSAGE_(\w+)\) = "([0-9a-f]{32})"', (ROOT / "lib/model/message.c").read_text()))
    names = set(re.findall(r"(?m)^\tMESSAGE_(\w+) =\s+\d+ << 8", (ROOT / "lib/model/message.h").read_text()))
    faults.extend(both_ways("the message", names, set(rows), "lib/model/message.h", "lib/model/message.c"))
    used = {line[3] for line in lines if line[3]}
    faults.extend(both_ways("the message", names, used, "lib/model/message.h", "any line of the log"))
    if len(set(rows.values())) != len(rows):
        faults.append("two messages have the same id")
    entries = dict(re.findall(r"(?ms)^-- ([0-9a-f]{32})\n(.*?)(?=^-- |\Z)", CATALOG.read_text()))
    faults.extend(both_ways("the message id", set(rows.values()), set(entries), "lib/model/message.c", CATALOG.name))
    for name, number in rows.items():
        for field in re.findall(r"@DISPATCHD_(\w+)@", entries.get(number, "")):
            faults.extend(f"{CATALOG.name} shows DISPATCHD_{field} with {name}, which the line \"{line[4]}\" doesn't have"
                          for line in lines if line[3] == name and field.lower() not in fields_of(line[4]))
    journal_reads()


def main():
    lines = all_lines()
    check_limits(lines)
    check_manual(lines, "--write" in sys.argv)
    check_catalog(lines)
    print("\n".join(faults) or f"{len(lines)} lines of the log, all in dispatchd(8)")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
