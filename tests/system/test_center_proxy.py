# SPDX-License-Identifier: MIT
"""dispatch-center behind nginx, configured as its manual says."""
import http.client
import re
import shutil
import socket
import ssl
import subprocess

import pytest

from center import PASSWORD, Center
from smtp_peer import make_certificate
from test_center_api import multipart
from world import DIES_WITH_US, PATIENCE, ROOT, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("nginx", path="/usr/sbin:/usr/bin"), reason="nginx isn't installed")
NAME = "center.example.com"


class Tls(http.client.HTTPConnection):
    """HTTPS over the proxy's socket, whose certificate is our own."""

    def __init__(self, path):
        super().__init__(NAME, timeout=30 * PATIENCE)
        self.path = path

    def connect(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(self.timeout)
        plain.connect(self.path)
        self.sock = context.wrap_socket(plain, server_hostname=NAME)


class Proxy:
    def __init__(self, world, center):
        text = (ROOT / "conf/man/dispatch-center.8").read_text(encoding="utf-8")
        server = re.search(r"^server \{.*?^\}", text, re.S | re.M).group(0)
        pem = make_certificate(world.directory, None, [NAME])
        for old, new in (("443", f"unix:{world.path('nginx.sock')}"), ("127.0.0.1:8926", center.address),
                         ("/etc/ssl/certs/center.pem", pem), ("/etc/ssl/private/center.pem", pem)):
            assert old in server, f"the manual's example has no {old}"
            server = server.replace(old, new)
        folders = "".join(f"{name}_temp_path {world.path(name)};\n" for name in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(world.path("nginx.conf"), "w", encoding="utf-8") as file:
            file.write(f"daemon off;\nmaster_process off;\npid {world.path('nginx.pid')};\nerror_log stderr;\n"
                       f"events {{}}\nhttp {{\naccess_log off;\n{folders}{server}\n}}\n")
        with open(world.path("nginx.log"), "ab") as log:
            process = subprocess.Popen([*DIES_WITH_US, "nginx", "-e", "stderr", "-p", world.directory, "-c",
                                        world.path("nginx.conf")], stderr=log, stdin=subprocess.DEVNULL,
                                       env={"PATH": "/usr/sbin:/usr/bin"})
        world.cleanups.append(lambda: (process.kill(), process.wait()))
        self.path = world.path("nginx.sock")

        def serving():
            try:
                return self.ask("GET", "/healthz")[0].status == 200
            except OSError:
                assert process.poll() is None, open(world.path("nginx.log"), encoding="utf-8").read()
                return False
        wait_until(serving, "nginx")

    def open(self, method, path, body=None, headers=None):
        connection = Tls(self.path)
        connection.request(method, path, body, headers or {})
        return connection, connection.getresponse()

    def ask(self, method, path, body=None, headers=None):
        connection, answer = self.open(method, path, body, headers)
        body = answer.read()
        connection.close()
        return answer, body


@pytest.fixture
def proxied(world):
    world.ctl("customer", "add", "1001", "--name", "Maple Bakery")
    center = Center(world, url=f"https://{NAME}")
    center.add("sam")
    center.start()
    proxy = Proxy(world, center)
    answer, _ = proxy.ask("POST", "/login", f"name=sam&password={PASSWORD.replace(' ', '+')}",
                          {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{NAME}"})
    assert answer.status == 303
    cookie = answer.getheader("Set-Cookie")
    assert cookie.startswith("__Host-dispatch=") and "Secure" in cookie and "HttpOnly" in cookie
    proxy.cookie = {"Cookie": cookie.partition(";")[0]}
    return proxy


def test_pages_and_forms_behind_a_proxy(proxied):
    answer, page = proxied.ask("GET", "/customers/1001/notes", headers=proxied.cookie)
    assert answer.status == 200
    token = re.search(rb'name="token" value="([^"]+)"', page).group(1).decode()
    form = {"Content-Type": "application/x-www-form-urlencoded", **proxied.cookie}
    own, foreign = {"Origin": f"https://{NAME}"}, {"Origin": f"http://{NAME}"}
    assert proxied.ask("POST", "/customers/1001/notes", f"token={token}&text=x", {**form, **foreign})[0].status == 403
    assert proxied.ask("POST", "/customers/1001/notes", f"token={token}&text=x", {**form, **own})[0].status == 303
    body, kind = multipart({"token": token, "description": "large"}, [("a.bin", b"x" * 20000000)])
    answer, _ = proxied.ask("POST", "/customers/1001/documents", body, {**kind, **proxied.cookie, **own})
    assert answer.status == 303


def test_live_changes_behind_a_proxy(world, proxied):
    connection, answer = proxied.open("GET", "/api/v1/live?topics=customer:1001", headers=proxied.cookie)
    assert answer.status == 200 and answer.readline() == b"retry: 1000\n"
    world.ctl("customer", "set", "1001", "--city", "Denver")
    while (line := answer.readline()) != b"event: customer\n":
        assert line, "the stream ended"
    connection.sock.close()
