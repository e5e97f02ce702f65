#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-table`: puts the figures that `make bench`, `make bench-growth` and `make bench-steps` wrote as JSON into
docs/PERFORMANCE.md, between the marks of each, with the day and the machine that they are of.

    tests/bench/table.py build/bench/compare.json build/bench/growth.json build/bench/steps.json
"""
import datetime
import json
import re
import sys
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "PERFORMANCE.md"
SHARED = ("sink", "redis")
OFFICE_PARTS = ("engine", "mailers", "loop", "redis", "sink")
OUTAGE_PARTS = ("engine", "loop", "redis")
SHOWN = 0.07  # of a thread: smaller steps are in the JSON alone


def rows(head, lines):
    """A Markdown table; all columns but the first are numbers."""
    table = [head, ["---"] + ["---:"] * (len(head) - 1), *lines]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in table)


def number(value):
    return "–" if value is None else f"{value:,.0f}"


def percent(part):
    return f"± {part * 50:.0f} %"  # around the middle


def where(found):
    """When, and on what machine."""
    m = found["machine"]
    day = datetime.datetime.fromisoformat(found["taken"]).strftime("%B %-d, %Y")
    kind = "cores of a virtual machine" if m["virtual"] else "cores"
    return (f"Taken on {day}, on {m['cores']} {kind} ({m['cpu']}, {m['memory_gib']} GiB, {m['kernel']}; "
            f"{m['file_system']}, which keeps 4 KiB for good in {m['fdatasync_ms']:.2g} ms).")


def own(contestant):
    """What it takes without the sink and Redis."""
    return sum(us for part, us in contestant["cpu_us"].items() if part not in SHARED)


def main_table(found):
    lines = []
    for c in found["contestants"].values():
        ratios = [f"{c[key]:.2f}" if key in c else "–" for key in ("ratio", "cpu_ratio")]
        times = [number(us) for us in (c["cpu_us_all"], *map(c["cpu_us"].get, SHARED), own(c))]
        lines.append([c["title"], f"{number(c['rate'])} {percent(c['spread'])}", *ratios, *times, number(c["peak_mib"])])
    return rows(["", "mails/s", "of smtp-source", "by CPU", "CPU, µs a mail", "sink", "Redis", "own", "MiB"], lines)


def parts_table(found):
    """Where each contestant's own time goes."""
    lines = []
    for c in found["contestants"].values():
        parts = sorted(((us, part) for part, us in c["cpu_us"].items() if part not in SHARED), reverse=True)
        said = ", ".join(f"{part} {us:.0f}" for us, part in parts if us >= 0.5)
        lines.append([c["title"], said or "–"])
    return rows(["", "CPU, µs a mail"], lines)


def noise(found):
    """Says of figures that were taken on a busy machine that they were."""
    worst = max(c["elsewhere"] for c in found["contestants"].values())
    if worst <= 0.05:
        return ""
    return f"**Up to {worst:.0%} of the machine's time went elsewhere: to be repeated on an idle one.**"


def durabilities(found):
    """What survives when the machine fails, and of whom that is true."""
    whose = {}
    for c in found["contestants"].values():
        whose.setdefault(c["durability"], []).append(c["title"])
    return "\n".join(f"- {'; '.join(titles)}: {durability}." for durability, titles in whose.items())


def sizes(found):
    d = found["contestants"].get("dispatchd", {})
    if "spool_bytes" not in d:
        return ""
    return rows(["dispatchd, bytes a mail", ""], [
        ["of Redis' memory while the event waits", number(d["redis_bytes"])],
        ["written by Redis", number(d["redis_written"])],
        ["written by dispatchd", number(d["written"])],
        ["in the spool once it is sent", number(d["spool_bytes"])]])


def sweep_table(found):
    if not found["sweep"]:
        return ""
    return rows(["connections", "dispatchd, mails/s", "smtp-source, mails/s", "dispatchd, MiB"],
                [[s["connections"], number(s["dispatchd"]), number(s["smtp-source"]), number(s["peak_mib"])]
                 for s in found["sweep"]])


def comparison(found):
    v = found["versions"]
    names = {"redis-server": "Redis", "postfix": "Postfix", "celery": "Celery", "node": "Node", "bullmq": "BullMQ",
             "nodemailer": "nodemailer"}
    used = ", ".join(f"{title} {v[name].lstrip('v')}" for name, title in names.items() if name in v)
    head = (f"{where(found)} {found['events']:,} mails of {found['mail_bytes']:,} bytes over {found['connections']} "
            f"connections; medians of {found['rounds']} rounds. {used}.")
    parts = (noise, main_table, durabilities, parts_table, sizes, sweep_table)
    blocks = [head, *(part(found) for part in parts)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def latency_lines(found):
    lines = [[title, *(f"{found[key][p]:.2f}" for p in ("p50", "p99", "max"))]
             for key, title in (("sink", "the sink alone, ms"), ("dispatchd", "XADD to the mail's acceptance, ms"))]
    lines.append(["over the sink's own, ms", *(f"{found['over'][p]:.2f}" for p in ("p50", "p99")), ""])
    return rows([f"{found['rate']} events/s", "p50", "p99", "max"], lines)


def outage_lines(found):
    lines = [["events/s", *map(number, found["tenths"])]]
    for part in OUTAGE_PARTS if len(found.get("cpu_us", ())) == 10 else ():
        lines.append([f"{part}, CPU, µs an event", *(f"{us.get(part, 0):.1f}" for us in found["cpu_us"])])
    return rows(["intake while the relay is away", *(f"{n * 10} %" for n in range(1, 11))], lines)


def growth_lines(found):
    """What tests/bench/growth.py measured."""
    head = f"{found['customers']:,} customers, {found['waiting']:,} waiting mails, {found['ended']:,} that have ended:"
    return head + "\n\n" + rows(["", "measured", "aim"], found["rows"])


def office_lines(found):
    """What tests/bench/office.py measured."""
    head = (f"From an event to an accepted mail, {found['events']:,} mails over {found['connections']} connections, customers "
            f"drawn at random; medians of {found['rounds']} rounds. The ratios are to a small office of a thousand customers, "
            "by the time on processors of all that takes part, of dispatchd alone, and by the time that it took:")
    lines = [[case["title"], number(case["rate"]), number(case["cpu_us"]), number(case["own_us"]),
              *(f"{case[key]:.2f}" for key in ("ratio", "ratio_own", "ratio_rate")),
              *(number(case["parts_us"].get(part)) for part in OFFICE_PARTS), number(case["peak_mib"])]
             for case in found["cases"]]
    return head + "\n\n" + rows(["", "mails/s", "CPU, µs a mail", "own", "ratio", "of own", "of time", *OFFICE_PARTS, "MiB"],
                                 lines)


def growth(found):
    blocks = [where(found)]
    if "latency" in found:
        blocks.append(latency_lines(found["latency"]))
    if "outage" in found:
        blocks.append(f"{found['outage']['events']:,} events:\n\n" + outage_lines(found["outage"]))
    if found.get("growth"):
        blocks.append(growth_lines(found["growth"]))
    if found.get("office"):
        blocks.append(office_lines(found["office"]))
    return "\n\n".join(blocks) + "\n"


def shares(thread):
    return [(step, count / thread["all"]) for step, count in thread["steps"].items()]


def steps(found):
    """What tests/bench/steps.py counted."""
    threads = {name: found["threads"][name] for name in ("engine", "mailers", "loop")}
    names = list(dict.fromkeys(of for thread in threads.values() for of in thread["libraries"]))
    matrix = rows(["instructions a mail", "all", *names],
                  [[name, number(thread["all"]), *(number(thread["libraries"].get(of)) for of in names)]
                   for name, thread in threads.items()])
    below = rows(["", "in or below, of the thread's instructions"],
                 [[name, ", ".join(f"`{step}` {part:.0%}" for step, part in shares(thread) if part >= SHOWN)]
                  for name, thread in threads.items()]).replace("---:", "---")
    return f"{where(found)} {found['events']:,} mails of {found['mail_bytes']:,} bytes.\n\n{matrix}\n\n{below}\n"


KINDS = {"compare": comparison, "growth": growth, "steps": steps}


def put(text, mark, block):
    """Replaces what is between the marks."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    if begin not in text or end not in text:
        sys.exit(f"table: {DOCUMENT} has no {begin} … {end}")
    return re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: f"{begin}\n{block}{end}", text, flags=re.S)


def main():
    text = DOCUMENT.read_text(encoding="utf-8")
    for path in sys.argv[1:]:
        mark = Path(path).stem
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        text = put(text, mark, KINDS[mark](found))
        print(f"table: {path} → {DOCUMENT.name}")
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
