# SPDX-License-Identifier: MIT
"""What the benches measure with: processor time by thread, peak memory, bytes written, the machine, and smtp-sink,
which counts what it accepts."""
import contextlib
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from world import BUILD, DIES_WITH_US, PATIENCE, ROOT, WRAP, free_port, wait_until  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
STALLED_S = 30 * PATIENCE  # without a single mail: the run has failed


class Fault(Exception):
    """A run that counts for nothing: mails are missing or too many, or a program ended."""


# ---- processor time

def seconds_of_stat(path):
    """User and system time in a stat file of /proc."""
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def seconds_of_task(task):
    """A thread's time; in nanoseconds where the kernel counts them, since 16 mailers' ticks add up."""
    try:
        return int((task / "schedstat").read_text().split()[0]) / 1e9
    except (OSError, IndexError):
        return seconds_of_stat(task / "stat")


def snapshot(processes):
    """{(label, pid, thread id or None): (thread's name, seconds)} of {label: pids}; None is the whole process with
    the threads that have ended."""
    found = {}
    for label, pids in processes.items():
        for pid in pids:
            found[label, pid, None] = ("", seconds_of_stat(Path(f"/proc/{pid}/stat")))
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError):  # it has just ended
                    name = "main" if int(task.name) == pid else (task / "comm").read_text().strip()
                    found[label, pid, int(task.name)] = (name, seconds_of_task(task))
    return found


def spent(before, after):
    """{label: {thread's name: seconds}} between two snapshots; threads of one name are summed."""
    total, threads = {}, {}
    for (label, pid, thread), (name, seconds) in after.items():
        more = seconds - before.get((label, pid, thread), ("", 0.0))[1]
        if thread is None:
            total[label] = total.get(label, 0.0) + more
        else:
            of = threads.setdefault(label, {})
            of[name] = of.get(name, 0.0) + more
    for label, seconds in total.items():
        ended = seconds - sum(threads[label].values())
        n = sum(1 for key in after if key[0] == label and key[2] is None)
        if ended > 2 * n / TICK + 0.01 * seconds:  # more than rounding
            threads[label]["ended"] = ended
    return threads


def busy_seconds():
    """What the processors that we may use have worked since the machine started, for whomever."""
    total = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if re.fullmatch(r"cpu\d+", name) and int(name[3:]) in os.sched_getaffinity(0):
            fields = [int(n) for n in fields]
            total += sum(fields[:8]) - fields[3] - fields[4]
    return total / TICK


def use_cores(n):
    """Keeps this process, and what it starts, on so many processors, if there are more."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])


def family(pid):
    """A process and all that descend from it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


# ---- memory and disk

def status_kib(pid, name):
    line = re.search(rf"(?m)^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(line[1])


def peak_mib(pids):
    """The most that they held; pages that forked processes share are counted for each of them."""
    return sum(status_kib(pid, "VmHWM") for pid in pids) / 1024


def written_bytes(pids):
    """What they caused to be written to a disk."""
    return sum(int(re.search(r"(?m)^write_bytes: (\d+)", Path(f"/proc/{pid}/io").read_text())[1]) for pid in pids)


def size_of(*paths):
    return sum(os.path.getsize(path) for path in paths if os.path.exists(path))


# ---- figures of several rounds

def middle(numbers):
    return statistics.median(numbers)


def spread(numbers):
    """How far the rounds are apart, as a part of their median."""
    return (max(numbers) - min(numbers)) / middle(numbers) if middle(numbers) else 0.0


# ---- the machine

def file_system(folder):
    mounts = [line.split(" ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    inside = [m for m in mounts if os.path.commonpath([m[4], os.path.realpath(folder)]) == m[4]]
    found = max(inside, key=lambda m: len(m[4]))
    return found[found.index("-") + 1]


def sync_ms(folder, count=100):
    """How long this disk takes to keep 4 KiB for good (fdatasync), as a commit asks it to."""
    path = Path(folder) / f"sync-{os.getpid()}"
    took = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(count):
            file.write(os.urandom(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    path.unlink()
    return middle(took)


def machine(folder):
    cpu = Path("/proc/cpuinfo").read_text()
    model = re.search(r"(?m)^model name\s*: (.*)", cpu)
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": model[1].strip() if model else platform.machine(),
        "virtual": re.search(r"(?m)^flags\s*:.*\bhypervisor\b", cpu) is not None,
        "memory_gib": round(int(memory[1]) / 2**20),
        "kernel": "Linux " + ".".join(re.findall(r"\d+", platform.release())[:2]),
        "file_system": file_system(folder),
        "fdatasync_ms": round(sync_ms(folder), 3),
    }


# ---- programs

def places():
    """Where `make deps-bench` has put what it unpacked: below this build, or below the usual one."""
    return [BUILD / "bench", ROOT / "build" / "bench"]


def find_tool(name):
    """A program of Postfix's, and the environment that it runs in; None where there is none."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path:
        return path, dict(os.environ)
    for place in places():
        path = place / "postfix" / "usr" / "sbin" / name
        if path.exists():
            return str(path), {**os.environ, "LD_LIBRARY_PATH": str(place / "postfix" / "usr" / "lib" / "postfix")}
    return None


def start(command, **more):
    return subprocess.Popen([*DIES_WITH_US, *command], stdin=subprocess.DEVNULL, **more)


def stop(process):
    if process is not None and process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Sink:
    """A running smtp-sink. It writes its counters into a file, so that reading them costs it nothing."""

    def __init__(self, folder, backlog=256):
        path, environment = find_tool("smtp-sink")
        self.counters = Path(folder) / "sink"
        self.port = free_port()
        user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it doesn't run as root
        with open(self.counters, "wb") as out:
            self.process = start([path, *user, "-c", f"127.0.0.1:{self.port}", str(backlog)], stdout=out,
                                 stderr=subprocess.STDOUT, env=environment)
        wait_until(self._listens, "smtp-sink to listen")

    def _listens(self):
        if self.process.poll() is not None:
            raise Fault(f"smtp-sink ended: {self.counters.read_text()[-500:]}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def count(self):
        """How many mails it has accepted."""
        with open(self.counters, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 256))
            found = re.findall(rb"mesg=(\d+)\D", file.read())
        if self.process.poll() is not None:
            raise Fault(f"smtp-sink ended: {self.counters.read_text()[-500:]}")
        return int(found[-1]) if found else 0

    def wait(self, n, alive=lambda: True):
        """Until it has `n` mails; when that was, by time.monotonic()."""
        seen, since = 0, time.monotonic()
        while (now := self.count()) < n:
            running = alive()
            if now > seen:
                seen, since = now, time.monotonic()
            elif not running and self.count() == now:
                raise Fault(f"{now} mails arrived, not {n}, and whoever sends them has ended")
            elif time.monotonic() - since > STALLED_S:
                raise Fault(f"{now} mails arrived, not {n}, and no more come")
            time.sleep(0.005)
        return time.monotonic()

    def stop(self):
        stop(self.process)
