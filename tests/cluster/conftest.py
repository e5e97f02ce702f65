# SPDX-License-Identifier: MIT
"""The end of a run says how often each fault was caused, and how long the takeovers took."""
import collections
import json

import team


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        team.RESULTS.unlink(missing_ok=True)


def rank(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def line(name, values):
    return (f"{name:42} {len(values):4}   p50 {rank(values, 0.5):5.1f}   p95 {rank(values, 0.95):5.1f}   "
            f"max {max(values):5.1f} s")


def pytest_terminal_summary(terminalreporter, config):
    if hasattr(config, "workerinput") or not team.RESULTS.exists():
        return
    found = [json.loads(row) for row in team.RESULTS.read_text("ascii").splitlines()]
    takeovers, mails = collections.defaultdict(list), collections.defaultdict(list)
    for row in found:
        if "takeover" in row:
            takeovers[row["fault"]].append(row["takeover"])
        if row.get("mail") is not None:
            mails[row["fault"]].append(row["mail"])
    out = terminalreporter.write_line
    terminalreporter.section("faults, and until another member owned the cluster")
    for fault, values in takeovers.items():
        out(line(fault, values))
    if len(takeovers) > 1:
        out(line("all", [v for values in takeovers.values() for v in values]))
    terminalreporter.section("until the first mail of an event that was published behind the fault")
    for fault, values in mails.items():
        out(line(fault, values))
    for row in found:
        if "note" in row:
            out(row["note"])
