# SPDX-License-Identifier: MIT
"""A fresh Debian tree, booted by a systemd of its own, with a network of its own and nothing else in it.

The tree is made once (debootstrap, the only step that needs the network) and is never written to: each machine has a
layer in memory over it. Redis and what the packages depend on are in it, so that installing them needs no network.
"""
import ctypes
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
PLAIN = ["systemd", "systemd-sysv", "dbus", "redis-server", "redis-tools", "sqlite3", "procps"]
SUITE = os.environ.get("SUITE", "bookworm")


def wait_until(condition, what, seconds=120):
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.1)
    return result


def dependencies(packages):
    """Names, the first of alternatives, but for the packages' own."""
    names = set()
    for package in packages:
        line = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True, check=True).stdout
        names |= {re.match(r"[\w.+-]+", part.strip()).group() for part in line.split(",")}
    return sorted(names - {Path(package).name.split("_")[0] for package in packages})


def base(packages):
    """The folder of the tree, made where it is missing."""
    wanted = sorted({*PLAIN, *dependencies(packages)})
    name = hashlib.sha256(" ".join([SUITE, *wanted]).encode()).hexdigest()[:12]
    tree = BUILD / "deb-test" / f"tree-{name}"
    if not tree.is_dir():
        new = tree.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.parent.mkdir(parents=True, exist_ok=True)
        print(f"making a {SUITE} tree with {len(wanted)} packages and what they need", file=sys.stderr)
        with open(new.with_suffix(".log"), "w", encoding="utf-8") as log:
            subprocess.run(["debootstrap", "--variant=minbase", f"--include={','.join(wanted)}", SUITE, new],
                           stdout=log, stderr=log, check=True)
        (new / "etc/machine-id").write_text("")
        subprocess.run(["chroot", new, "systemctl", "--quiet", "disable", "redis-server"], check=True)
        new.rename(tree)
    return tree


def newer(tree):
    """The same with a later systemd, of Debian's backports."""
    made = tree.with_name(tree.name + "-newer")
    if not made.is_dir():
        new = made.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        subprocess.run(["cp", "--archive", tree, new], check=True)
        sources = new / "etc/apt/sources.list"
        was = sources.read_text(encoding="utf-8")
        sources.write_text(was + was.replace(f" {SUITE} ", f" {SUITE}-backports "), encoding="utf-8")
        shutil.copy("/etc/resolv.conf", new / "etc/resolv.conf")
        with open(made.with_suffix(".log"), "w", encoding="utf-8") as log:
            for command in (["update"], ["install", "-y", "-t", f"{SUITE}-backports", "systemd", "systemd-sysv"]):
                subprocess.run(["chroot", new, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *command], stdout=log, stderr=log,
                               check=True)
        new.rename(made)
    return made


class Machine:
    """A booted tree. Root here is root there; files there are below `root`."""

    def __init__(self, tree):
        command = ["systemd-nspawn", "--quiet", f"--directory={tree}", "--volatile=overlay", "--boot", "--register=no",
                   "--private-network", "--console=pipe", "--link-journal=no", f"--machine=dispatchd-{os.getpid()}"]
        if not os.path.isdir("/run/systemd/system"):
            command.append("--keep-unit")
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        self.nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env=environment)
        self.leader = wait_until(self.find_leader, "a first process")
        wait_until(lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip() in
                   ("running", "degraded"), "the tree to be up")

    def find_leader(self):
        assert self.nspawn.poll() is None, "systemd-nspawn has ended"
        children = Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
        for child in children:
            status = Path(f"/proc/{child}/status").read_text()
            if re.search(r"^Name:\s+systemd$", status, re.M) and re.search(r"^NSpid:.*\s1$", status, re.M):
                return int(child)
        return None

    @property
    def root(self):
        return Path(f"/proc/{self.leader}/root")

    def run(self, *command, check=True, text=True, timeout=120, **more):
        """A command there, as root, with a plain environment."""
        done = subprocess.run(["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
                               "--root", "--wd", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root",
                               "DEBIAN_FRONTEND=noninteractive", *map(str, command)],
                              capture_output=True, text=text, check=False, timeout=timeout, **more)
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def in_its_network(self, make):
        """What `make()` returns, whose sockets are in the network of that machine."""
        made = []

        def enter():
            new_network = 0x40000000  # CLONE_NEWNET
            with open(f"/proc/{self.leader}/ns/net", encoding="ascii") as network:
                assert ctypes.CDLL(None).setns(network.fileno(), new_network) == 0
            made.append(make())
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return made[0]

    def shows(self, unit, name):
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()

    def process(self, unit):
        """Its main process: the fields of /proc/PID/status there."""
        status = self.run("cat", f"/proc/{self.shows(unit, 'MainPID')}/status").stdout
        return dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)

    def write(self, path, text, mode=0o644):
        to = self.root / path.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding="utf-8")
        to.chmod(mode)

    def install(self, packages, *options):
        """Without a network: all that they depend on is there."""
        for package in packages:
            shutil.copy(package, self.root / "tmp")
        return self.run("dpkg", *options, "--install", *(f"/tmp/{Path(package).name}" for package in packages), timeout=600)

    def journal(self, unit, *options):
        return self.run("journalctl", "--no-pager", f"--unit={unit}", *options).stdout

    def stop(self):
        self.nspawn.send_signal(signal.SIGTERM)
        try:
            self.nspawn.wait(60)
        except subprocess.TimeoutExpired:
            os.kill(self.leader, signal.SIGKILL)
            self.nspawn.kill()
            self.nspawn.wait()
