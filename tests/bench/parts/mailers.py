#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Mails a second by connections and size, as ratios to one connection in the same run.

    make tests && tests/bench/parts/mailers.py [COUNT]
"""
import json
import os
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")


def measure(relay, connections, count, size):
    settings = json.dumps({"relay": [relay], "connections": connections, "tls": "none"})
    done = subprocess.run([f"{BUILD}/tests/mailer_probe", settings], text=True, capture_output=True, timeout=120,
                          input=json.dumps({"bulk": count, "size": size}) + "\n", check=True)
    result = json.loads(done.stdout.splitlines()[0])
    assert result["bulk"] == {"sent": count}, result
    return count * 1000 / max(1, result["took_ms"])


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    sink = subprocess.Popen([f"{BUILD}/tests/smtp_sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    relay = f"127.0.0.1:{int(sink.stdout.readline())}"
    try:
        for size in (1500, 3000, 20000):
            rates = {n: measure(relay, n, count, size) for n in (1, 4, 16)}
            print(f"{size:6} bytes: " + "  ".join(f"{n:2} connections {r:6.0f}/s ({r / rates[1]:.1f})"
                                                  for n, r in rates.items()))
    finally:
        sink.stdin.close()
        sink.wait(5)


if __name__ == "__main__":
    main()
