# SPDX-License-Identifier: MIT
"""Addresses in the configuration that leave something out."""
import http.client
import re

from kit import add_customer, write


def test_a_free_port_is_taken_and_named(world):
    world.configure(http={"listen": "127.0.0.1:0"})
    daemon = world.start_daemon()
    port = int(re.search(r"http=127\.0\.0\.1:(\d+)", daemon.log()).group(1))
    assert port > 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()


def test_a_relay_needs_a_port_that_is_one(world):
    world.configure(mail={"transport": "smtp"}, smtp={"relay": "127.0.0.1:0"})
    daemon = world.start_daemon(ready=False)
    assert daemon.wait() == 78
    assert "the port must be an integer" in daemon.log()


def test_a_relay_without_port_is_asked_at_25(world):
    world.configure(mail={"transport": "smtp"}, smtp={"relay": "localhost, [::1]"})
    world.start_daemon()
    assert [r["name"] for r in world.ctl_json("status")["relays"]] == ["localhost", "[::1]"]


def test_user_in_the_url_password_in_a_file(world):
    world.redis.execute_command("ACL", "SETUSER", "hauler", "on", ">hush", "~*", "&*", "+@all")
    world.redis.execute_command("CONFIG", "SET", "requirepass", "other")
    url = world.settings["redis"]["url"].replace("unix://", "unix://hauler@")
    world.configure(redis={"url": url, "password_file": write(world, "password", "hush\n")})
    add_customer(world)
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="4711", customer="1001")
    world.outcomes(wait_for={"status": "sent"})


def test_user_without_any_password(world):
    world.configure(redis={"url": world.settings["redis"]["url"].replace("unix://", "unix://hauler@")})
    daemon = world.start_daemon(ready=False)
    assert daemon.wait() == 78
    assert "has a user but no password" in daemon.log()
