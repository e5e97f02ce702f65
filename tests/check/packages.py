#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves that the Debian packaging agrees with the rest of the tree.

Its version is VERSION; it is built with the libraries that the Makefile names; each unit is stopped when its package is
removed; its scripts parse; its question is translated into each language of the mails. (`make deb` builds and lints it.)
"""
import re
import subprocess
import sys
from pathlib import Path

DEBIAN = Path("conf/debian")
FOR_TESTS = {"libcmocka-dev"}


def read(path):
    return Path(path).read_text(encoding="utf-8")


def versions():
    ours, theirs = read("VERSION").strip(), re.match(r"dispatchd \((.*?)\)", read(DEBIAN / "changelog"))[1]
    if theirs != f"{ours}-1":
        yield f"conf/debian/changelog has version {theirs}, VERSION is {ours}"


def libraries():
    makefile = re.search(r"^DEPS := (.*?[^\\])$", read("Makefile"), re.M | re.S)[1]
    builds = re.search(r"^Build-Depends: (.*?)^\S?$", read(DEBIAN / "control"), re.M | re.S)[1]
    names = [set(re.findall(r"\blib[\w.+-]+-dev\b", text)) for text in (makefile, builds)]
    for name in sorted((names[0] - FOR_TESTS) ^ names[1]):
        yield f"{name} is in only one of the Makefile's DEPS and conf/debian/control's Build-Depends"


def units():
    for package, unit in re.findall(r"^(\S+)\s+placed\s+systemd/(\S+\.(?:service|socket|path))\s", read("systemd/installed.txt"), re.M):
        if unit.replace("@.", "@*.") not in read(DEBIAN / f"{package}.prerm"):
            yield f"conf/debian/{package}.prerm doesn't stop {unit}"


def scripts():
    for script in sorted(path for end in ("postinst", "prerm", "postrm") for path in DEBIAN.glob(f"*.{end}")):
        done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
        if done.returncode != 0 or "#DEBHELPER#" not in read(script):
            yield f"{script}: {done.stderr or 'no #DEBHELPER#'}"


def messages(path):
    """{English: translation} of a catalogue, without its head."""
    found = {}
    for pair in re.findall(r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', read(path), re.M):
        english, words = ("".join(re.findall(r'^"(.*)"$', text, re.M)).replace('\\"', '"') for text in pair)
        found[re.sub(r"\s+", " ", english)] = words
    del found[""]
    return found


def translations():
    wanted = {path.stem for path in Path("conf/templates").glob("*.ini")} - {"en"}
    for language in sorted(wanted - {path.stem for path in (DEBIAN / "po").glob("*.po")}):
        yield f"conf/debian/po has no {language}.po"
    english = messages(DEBIAN / "po/templates.pot")
    for po in sorted((DEBIAN / "po").glob("*.po")):
        translated = messages(po)
        for text in sorted(english.keys() ^ translated.keys()):
            yield f"{po.name} and templates.pot: only one of them has {text}"
        for text in sorted(text for text, words in translated.items() if not words):
            yield f"{po.name} doesn't translate {text}"
    template = re.sub(r"\s+", " ", re.sub(r"^ \.$", "", read(DEBIAN / "dispatchd.templates"), flags=re.M)).replace("_Description: ", "")
    for text in english:
        if text not in template:
            yield f"conf/debian/po/templates.pot is not of dispatchd.templates: {text}"


faults = [fault for part in (versions, libraries, units, scripts, translations) for fault in part()]
print("\n".join(faults) or "packaging, Makefile and units agree")
sys.exit(bool(faults))
