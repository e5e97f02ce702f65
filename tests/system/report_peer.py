# SPDX-License-Identifier: MIT
"""Stands in for the daemon on its socket for reports, and talks to dispatch-bounce as a mail server does."""
import contextlib
import json
import socket
import subprocess
import threading

from world import BUILD

PROGRAM = BUILD / "dispatch-bounce"
DOMAIN = "mail.example.com"


class ReportPeer:
    """Answers each line with what `answer(line)` says; keeps lines and the bytes that were sent behind one."""

    def __init__(self, path, answer=None):
        self.path, self.lines, self.bodies = path, [], []
        self.answer = answer or self.take
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(16)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    @staticmethod
    def take(line):
        recipient = line["recipient"]
        if "@" in recipient and not recipient.lower().endswith("@" + DOMAIN):
            return {"ok": False, "code": 67, "error": "another domain"}
        return {"ok": True, "took": "marked"} if "facts" in line else {"ok": True}

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError), client.makefile("rwb") as stream:
                self.talk(stream)

    def talk(self, stream):
        for raw in iter(stream.readline, b""):
            line = json.loads(raw)
            self.lines.append(line)
            answer = self.answer(line)
            if answer is None:
                break
            stream.write(json.dumps(answer).encode() + b"\n")
            stream.flush()
            if "send" in answer:
                self.bodies.append(stream.read(line.get("reply", {"bytes": 0})["bytes"]))
                stream.write(b'{"ok": true, "took": "forwarded"}\n')
                stream.flush()

    @property
    def reports(self):
        return [line for line in self.lines if "facts" in line]

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.path.unlink(missing_ok=True)


def bounce(*args, mail=b"", **options):
    return subprocess.run([PROGRAM, *args], input=mail, capture_output=True, check=False, timeout=120, **options)
