# SPDX-License-Identifier: MIT
"""The README's commands and examples run as they are written there."""
import os
import re
import shutil
import subprocess

import pytest

from kit import add_customer, dispatchd, wait_outcome, write
from world import BUILD, PATIENCE, ROOT, free_port

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def publishing(language):
    (found,) = [b for b in blocks(language) if "jobs:events" in b]
    return found


@pytest.fixture
def newcomer(world):
    """The world's customers are the README's; Redis listens on a loopback port of the test's own as well."""
    server = world.start_redis("tcp", port=free_port())
    world.redis, world.raw = server.client(), None
    world.configure(redis={"url": f"redis://127.0.0.1:{server.port}/0"})
    world.port = server.port
    return world


def run(world, command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=30 * PATIENCE,
                          cwd=world.directory, env=world.environment(), check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_the_first_customer_and_every_way_to_publish(newcomer):
    """The shell's lines as written, with our configuration and port; then Python's."""
    world = newcomer
    world.start_daemon()

    def run_lines(having):
        (block,) = [b for b in blocks("sh") if having in b]
        for line in block.strip().splitlines():
            run(world, ["sh", "-c", line.replace("dispatchctl", f"{BUILD}/dispatchctl -c {world.config_path}", 1)])
            if "event send" in line:  # a person types the next line after the event was decided
                world.outcomes(wait_for={"job": "4710"})

    run_lines("customer add")
    assert world.outcomes(wait_for={"job": "4710", "status": "sent"})["to"] == "farm@example.com"
    run_lines("hours set")
    shown = world.ctl_json("customer", "show", "1001")
    assert shown["name"] == "Example Farm" and shown["hours"]["weekly"] and not shown["suspensions"]
    world.ctl("hours", "clear", "1001", "--yes")
    (shell,) = [b for b in blocks("sh") if "XADD" in b]
    run(world, ["sh", "-c", shell.replace("redis-cli", f"redis-cli -p {world.port}")])
    assert wait_outcome(world, "8f2c", "sent")["job"] == "4711"
    python = publishing("python").replace("redis.Redis()", f"redis.Redis(port={world.port})")
    run(world, ["/usr/bin/python3", "-"], python)
    repeat = world.outcomes(wait_for={"reason": "repeat"})
    assert repeat["job"] == "4711" and repeat["event"] != "8f2c", "the job was completed before"


NODE_CLIENT = """
import net from "node:net";
export function createClient() {
  const client = {
    async connect() {
      client.socket = net.connect(%d, "127.0.0.1");
      await new Promise((resolve) => client.socket.once("connect", resolve));
      return client;
    },
    async xAdd(key, id, fields) {
      const words = ["XADD", key, id, ...Object.entries(fields).flat()].map(String);
      client.socket.write("*" + words.length + "\\r\\n" +
        words.map((w) => "$" + Buffer.byteLength(w) + "\\r\\n" + w + "\\r\\n").join(""));
      await new Promise((resolve) => client.socket.once("data", resolve));
      client.socket.end();
    },
  };
  return client;
}
"""


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not here")
def test_node(newcomer):
    """As written, with a stand-in for the package redis: what the example gives to xAdd is what is tested."""
    world = newcomer
    add_customer(world)
    write(world, "node_modules/redis/package.json", '{"name": "redis", "type": "module", "exports": "./index.js"}')
    write(world, "node_modules/redis/index.js", NODE_CLIENT % world.port)
    world.start_daemon()
    run(world, ["node", write(world, "publish.mjs", publishing("js"))])
    assert world.outcomes(wait_for={"status": "sent"})["job"] == "4711"


PHP_CLIENT = """<?php
if (!class_exists("Redis")) { class Redis {
    private $socket;
    function connect($host, $port) { $this->socket = stream_socket_client("tcp://$host:$port"); }
    function xAdd($key, $id, $fields) {
        $words = ["XADD", $key, $id];
        foreach ($fields as $name => $value) array_push($words, $name, $value);
        $text = "*" . count($words) . "\\r\\n";
        foreach ($words as $word) $text .= "$" . strlen($word) . "\\r\\n$word\\r\\n";
        fwrite($this->socket, $text);
        fgets($this->socket);
    }
} }
"""


@pytest.mark.skipif(not shutil.which("php"), reason="PHP is not here")
def test_php(newcomer):
    """With the extension redis where it is installed, else with a stand-in for it."""
    world = newcomer
    add_customer(world)
    world.start_daemon()
    example = publishing("php").replace('"127.0.0.1"', f'"127.0.0.1", {world.port}')
    run(world, ["php", "-n", write(world, "publish.php", PHP_CLIENT + example)])
    assert world.outcomes(wait_for={"status": "sent"})["job"] == "4711"


def test_the_least_configuration_and_the_relays(world):
    """Each ini block of the README is a valid configuration."""
    found = blocks("ini")
    assert len(found) >= 2
    secret = write(world, "secret", "s3cret\n")
    os.chmod(secret, 0o600)
    own = (f"[mail]\ntemplates = {ROOT}/conf/templates\n[customers]\npath = {world.path('c.db')}\n"
           f"[spool]\npath = {world.path('s.db')}\n")
    least = found[0]
    for number, block in enumerate(found):
        text = block if "from =" in block else least + block
        path = write(world, f"{number}/dispatchd.conf", text.replace("/etc/dispatchd/smtp-password", secret))
        write(world, f"{number}/conf.d/own.conf", own)
        done = dispatchd(world, "-t", "-c", path)
        assert done.returncode == 0, (block, done.stderr)
