#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves from the built objects that no two files need each other, directly or by way of others.

A file needs another where it uses a function or object that the other defines. Those in ALLOWED are the only
circles: each with its reason.
"""
import os
import subprocess
import sys
from pathlib import Path

BUILD = Path(os.environ.get("BUILD") or "build")
ALLOWED = {
    # A customer comes with contacts, a quote with its items: writing a record calls its kind's operations, and
    # these write the records that come with it. Without the circle each of the dozen places that begin a
    # transaction would have to pass the table of operations in, only for record_write to read it.
    frozenset("lib/records/" + name for name in (
        "record_write", "record_operations", "record_customer", "record_contacts", "record_parts")),
}


def symbols(objects):
    """For each object: the global names that it defines, and those that it needs."""
    defined, needed, name = {}, {}, ""
    lines = subprocess.run(["nm", "-g", "-P", "-A", *objects], capture_output=True, text=True, check=True).stdout
    for line in lines.splitlines():
        name, symbol, kind, *_ = line.split()
        name = name.removesuffix(":")
        (needed if kind in "Uwv" else defined).setdefault(name, set()).add(symbol)
    return defined, needed


def arrows(objects):
    defined, needed = symbols(objects)
    home = {symbol: name for name, all_of in defined.items() for symbol in all_of}
    return {name: {home[s] for s in needed.get(name, ()) if home.get(s, name) != name} for name in objects}


def circles(graph):
    """Strongly connected components of more than one (Tarjan)."""
    index, low, stack, on, found = {}, {}, [], set(), []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        on.add(v)
        for w in graph[v]:
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in on:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            component = []
            while True:
                w = stack.pop()
                on.discard(w)
                component.append(w)
                if w == v:
                    break
            if len(component) > 1:
                found.append(sorted(component))
    sys.setrecursionlimit(10000)
    for v in sorted(graph):
        if v not in index:
            visit(v)
    return found


def main():
    faults, n = [], 0
    for program in ("lib", "daemon"):
        objects = [str(p) for p in sorted((BUILD / program).rglob("*.o"))
                   if p.relative_to(BUILD).with_suffix(".c").exists()]
        graph = arrows(objects)
        n += len(objects)
        for circle in circles(graph):
            names = [str(Path(o).relative_to(BUILD).with_suffix("")) for o in circle]
            if frozenset(names) in ALLOWED:
                continue
            faults.append("a circle of " + ", ".join(names))
            for o in circle:
                to = sorted(str(Path(t).relative_to(BUILD).with_suffix("")) for t in graph[o] if t in circle)
                faults.append(f"  {Path(o).relative_to(BUILD).with_suffix('')} needs {', '.join(to)}")
    print("\n".join(faults) or f"{n} files, no circle but {len(ALLOWED)} that are named")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
