#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves that code, manuals and samples say the same, both ways. Run from the top with $BUILD set."""
import os
import re
import subprocess
import sys
from pathlib import Path

from both_ways import both_ways

BUILD = Path(os.environ.get("BUILD", "build"))
faults = []


def fault(text):
    faults.append(text)


def manual(name):
    """The words of a manual page, without what mdoc adds."""
    return subprocess.run(["mandoc", "-T", "utf8", "-O", "width=1000", f"conf/man/{name}"], check=True,
                          capture_output=True, text=True).stdout


def plain(text):
    return re.sub(r".\x08", "", text)


def check_generated():
    """The checked-in sample and manuals are what `make generated` writes."""
    for made, kept in (("dispatchd.conf", "conf/dispatchd.conf"), ("dispatchd.conf.5", "conf/man/dispatchd.conf.5"),
                       ("dispatchctl.1", "conf/man/dispatchctl.1")):
        if (BUILD / made).exists() and (BUILD / made).read_bytes() != Path(kept).read_bytes():
            fault(f"{kept} is not what the code says: run `make generated`")


def check_keys():
    """Every key is used by some code besides its table."""
    table = "".join(p.read_text() for p in sorted(Path("lib/model").glob("settings_table_*.c")))
    users = "".join(p.read_text() for top in ("lib", "daemon") for p in Path(top).rglob("*.c")
                    if not p.name.startswith("settings"))
    for section, key, member in re.findall(r'KEY\("(\w+)", "(\w+)"\),.*?(?:AT|NOTIFY)\(([\w.]+)\)', table, re.S):
        if not re.search(r"\b" + member.split(".")[-1] + r"\b", users):
            print(f"note: nothing reads [{section}] {key} yet")


def check_commands():
    program = BUILD / "dispatchctl"
    if not program.exists():
        return
    done = subprocess.run([program, "--list-commands"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return
    known = {line.split("\t")[0] for line in done.stdout.splitlines()}
    page = plain(manual("dispatchctl.1"))
    for command in sorted(known):
        if not re.search(r"(?m)^\s+(dispatchctl )?" + re.escape(command) + r"\b", page):
            fault(f"dispatchctl {command} is not in dispatchctl(1)")
    # And the other way: what the examples of page and README call a command is one.
    examples = Path("conf/man/dispatchctl.1").read_text() + Path("README.md").read_text()
    for said in set(re.findall(r"(?m)^(?:sudo )?dispatchctl ([a-z-]+(?: [a-z-]+)?)", examples)):
        if said not in known and said.split()[0] not in known:
            fault(f"there is an example of `dispatchctl {said}`, which is not a command")


def check_metrics():
    """The manual lists the metrics of the table, in its order and with its help; no other file spells their names."""
    table = Path("lib/model/metric.c").read_text()
    rows = re.findall(r'\.name = "(dispatchd_\w+)",\s*\.type = (\w+),\s*\.help = ((?:"[^"]*"\s*)+)', table)
    known = [(name, "".join(re.findall(r'"([^"]*)"', words)).removesuffix(".")
              + ("; a histogram." if kind == "HISTOGRAM" else ".")) for name, kind, words in rows]
    if len(known) != table.count('.name = "dispatchd_'):
        fault("lib/model/metric.c has rows that this check doesn't understand")
    page = Path("conf/man/dispatchd.8").read_text()
    listed = page.partition('.\\" metrics: begin')[2].partition('.\\" metrics: end')[0]
    shown = re.findall(r"(?m)^\.It Cm (dispatchd_\w+)\n(.*)$", listed)
    faults.extend(both_ways("the metric", set(known), set(shown), "lib/model/metric.c", "dispatchd(8)"))
    if [name for name, _ in known] != [name for name, _ in shown]:
        fault("dispatchd(8) lists the metrics in another order than lib/model/metric.c")
    for path in (p for top in ("lib", "daemon") for p in Path(top).rglob("*.c") if p.name != "metric.c"):
        if re.search(r"# (HELP|TYPE) ", path.read_text()):
            fault(f"{path} writes a metric without lib/model/metric.c")
    for path in ("README.md", "conf/man/dispatchd.8", "CHANGELOG.md"):
        for name in set(re.findall(r"\bdispatchd_[a-z_]+(?=[\s`,)])", Path(path).read_text())):
            if name not in dict(known) and re.search(r"_(total|seconds|up|bytes|usable|failures|fds)$", name):
                fault(f"{path} names a metric {name}, which there is not")


def check_words():
    """Statuses and reasons of the code are explained in dispatchd(8), and none that the code doesn't know."""
    words = Path("lib/model/words.c").read_text()
    page = Path("conf/man/dispatchd.8").read_text()
    for kind in ("STATUS", "REASON"):
        known = set(re.findall(r"\[" + kind + r'_(?!NONE|SENDING)\w+\]\s*=\s*"(\w+)"', words))
        told = set(re.findall(r"(?m)^\.It Cm (\w+)$",
                              page.partition(f'.\\" {kind.lower()}: begin')[2].partition(f'.\\" {kind.lower()}: end')[0]))
        faults.extend(both_ways(f"the {kind.lower()}", known, told, "lib/model/words.c", "dispatchd(8)"))


def check_rules():
    """The manual's list of the rules and the contract's table have a row for each rule of the code."""
    known = len(re.findall(r'(?m)^\s*\{RULE_\w+, "', Path("lib/rules/rules.c").read_text()))
    listed = re.search(r"(?ms)^\.Sh RULES$.*?^\.Bl -enum.*?$(.*?)^\.El$", Path("conf/man/dispatchd.8").read_text())[1]
    section = re.search(r"(?ms)^## 4\. Rules(.*?)^## ", Path("docs/CONTRACT.md").read_text())[1]
    for where, count in (("dispatchd(8), RULES,", len(re.findall(r"(?m)^\.It$", listed))),
                         ("docs/CONTRACT.md", len(re.findall(r"(?m)^\| \d+ \|", section)))):
        if count != known:
            fault(f"{where} has {count} rules, lib/rules/rules.c has {known}")


def check_manuals():
    """README names each manual, and no other."""
    listed = Path("README.md").read_text().partition("\n- Manuals: ")[2].partition("\n- ")[0]
    told = {".".join(page) for page in re.findall(r"`(dispatch[\w.-]*)\((\d)\)`", listed)}
    both_ways("the manual", {path.name for path in Path("conf/man").glob("*.[1-8]")}, told, "conf/man", "README.md")


def check_schemas():
    """The change log tells the versions of the databases that there are: as many as migrations."""
    told = Path("CHANGELOG.md").read_text()
    for name in ("customers", "spool"):
        version = len(list(Path("lib").glob(f"*/{name}_*.sql")))
        if f"{name}.db {version}" not in told:
            fault(f"CHANGELOG.md doesn't say that the schema is now `{name}.db {version}`")


def check_version():
    """The change log and the manuals' feet are of the version in VERSION."""
    version = Path("VERSION").read_text().strip()
    newest = re.search(r"(?m)^## (\S+)", Path("CHANGELOG.md").read_text())[1]
    if newest != version:
        fault(f"CHANGELOG.md begins with {newest}, but VERSION says {version}")
    for page in Path("conf/man").glob("*.[1-8]"):
        if f".Os dispatchd {version}\n" not in page.read_text():
            fault(f"{page} is not of version {version}: run `make generated`")


def main():
    for check in (check_generated, check_keys, check_commands, check_metrics, check_words, check_rules,
                  check_manuals, check_schemas, check_version):
        check()
    print("\n".join(faults) or "code, manuals and samples agree")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
