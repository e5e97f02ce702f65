# SPDX-License-Identifier: MIT
"""Redis' password is changed while the daemon runs."""
import os

from kit import add_customer
from world import wait_until


def write(path, password):
    with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(password + "\n")


def test_a_changed_password_file_is_read_again(world):
    """Old connections live on; once they are cut, the old password is refused and the new one is read."""
    path = world.path("redis-password")
    write(path, "first")
    world.redis.execute_command("ACL", "SETUSER", "office", "on", ">first", "~*", "&*", "+@all")
    world.configure(redis={"url": f"unix://office@{world.redis_server.socket}", "password_file": path})
    add_customer(world)
    world.start_daemon()
    world.redis.execute_command("ACL", "SETUSER", "office", "resetpass", ">second")
    world.redis.execute_command("CLIENT", "KILL", "USER", "office")
    world.daemon.wait_log("WRONGPASS", timeout=30)
    write(path, "second")
    wait_until(lambda: world.http("/readyz")[0] == 200, lambda: world.log_tail(), 30)
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    world.mails(1, timeout=30)
    log = world.daemon.log()
    assert "first" not in log and "second" not in log.replace("seconds", "")
