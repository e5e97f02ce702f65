# SPDX-License-Identifier: MIT
"""A dispatch-center of a test's own, and people who use it."""
import contextlib
import html
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import urllib.parse

from world import DIES_WITH_US, PATIENCE, wait_until

PASSWORD = "correct horse battery"
FILES = {}  # center.db's contents by the accounts in it


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)

    def cookie(self):
        """name=value of the cookie that is set."""
        return self.headers.get("Set-Cookie", "").partition(";")[0]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30 * PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Center:
    """A running dispatch-center; `user()` runs its account commands."""

    def __init__(self, world, **settings):
        self.world = world
        world.configure(center={"listen": "127.0.0.1:0", "path": world.path("center.db"), **settings})
        self.log_path = world.path("center.log")
        self.process = None
        self.added = ()  # the accounts that add() made, as long as there is nothing else in center.db
        world.cleanups.append(self.end)

    def run(self, *args, stdin=None, check=True):
        done = subprocess.run([str(self.world.programs / "dispatch-center"), "-c", self.world.config_path, *args], input=stdin,
                              capture_output=True, text=True, timeout=30 * PATIENCE, cwd=self.world.directory,
                              env=self.world.environment(), check=False)
        if check:
            assert done.returncode == 0, f"dispatch-center {args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def user(self, *args, stdin=None, check=True):
        self.added = None
        return self.run("user", *args, stdin=stdin, check=check)

    def add(self, name, role="clerk"):
        """An account with PASSWORD. Hashing passwords is slow by intent: of a file with nothing but such accounts a
        copy is kept for the next test."""
        accounts = None if self.added is None else (*self.added, (name, role))
        path = self.world.path("center.db")
        if accounts in FILES and self.added is not None:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(FILES[accounts])
        else:
            self.run("user", "add", name, "--role", role, "--password-file", "-", stdin=PASSWORD + "\n")
            if accounts and not os.path.exists(path + "-wal"):
                with open(path, "rb") as file:
                    FILES[accounts] = file.read()
        self.added = accounts

    def token(self, name):
        return self.user("token", name).stdout.strip()

    def start(self):
        self.added = None
        with open(self.log_path, "ab") as log:
            start = log.tell()
            self.process = subprocess.Popen(
                [*DIES_WITH_US, str(self.world.programs / "dispatch-center"), "-c", self.world.config_path],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.world.directory,
                env=self.world.environment())

        def listening():
            with open(self.log_path, encoding="utf-8") as file:
                file.seek(start)
                text = file.read()
            found = re.search(r"listening on (?:https )?(\S+)", text)
            assert found or self.process.poll() is None, f"dispatch-center ended:\n{text}"
            return found and found.group(1)
        self.address = wait_until(listening, "dispatch-center to listen")
        return self

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30 * PATIENCE)

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20 * PATIENCE)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    # ---- requests

    def ask(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if isinstance(body, dict) and "Content-Type" not in headers:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        if self.address.startswith("unix:"):
            connection = UnixConnection(self.address[5:])
        else:
            connection = http.client.HTTPConnection(self.address, timeout=30 * PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def form(self, path, fields, headers=None):
        return self.ask("POST", path, urllib.parse.urlencode(fields, doseq=True),
                        {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})

    def log_in(self, name, password=PASSWORD):
        """A person with a session."""
        answer = self.form("/login", {"name": name, "password": password})
        assert answer.status == 303, (answer.status, answer.text)
        return Person(self, {"Cookie": answer.cookie()})

    def bearer(self, name):
        """A program with a token."""
        return Person(self, {"Authorization": f"Bearer {self.token(name)}"})


class Person:
    def __init__(self, center, headers):
        self.center, self.headers = center, headers

    def get(self, path, **headers):
        return self.center.ask("GET", path, headers={**self.headers, **headers})

    def send(self, method, path, body=None, headers=None):
        own = {"Sec-Fetch-Site": "same-origin"} if "Cookie" in self.headers else {}
        return self.center.ask(method, path, body, {**self.headers, **own, **(headers or {})})

    def form_token(self, page="/"):
        return re.search(r'name="token" value="([^"]+)"', self.get(page).text).group(1)

    def fill(self, page, **changed):
        """What a browser sends of the form on a page: every field as it is shown, and what was changed."""
        form = re.search(r'<form method="post"[^>]*class="[^"]*fields".*?</form>', self.get(page).text, re.S).group(0)
        fields = {}
        for tag in re.findall(r"<input[^>]*>|<textarea.*?</textarea>|<select.*?</select>", form, re.S):
            name = re.search(r'name="([^"]+)"', tag).group(1)
            value = re.search(r'value="([^"]*)"', tag)
            if tag.startswith("<select"):
                value = re.search(r'<option value="([^"]*)" selected', tag)
            elif tag.startswith("<textarea"):
                value = re.search(r">(.*)</textarea>", tag, re.S)
            if 'type="checkbox"' not in tag or " checked" in tag:
                fields.setdefault(name, []).append(html.unescape(value.group(1)))
        return {**fields, **changed}

    def submit(self, path, fields):
        own = {"Sec-Fetch-Site": "same-origin"}
        return self.center.form(path, {"token": self.form_token(), **fields}, {**self.headers, **own})
