# SPDX-License-Identifier: MIT
"""Passwords and keys: no core dump holds them, and no file that everybody can read."""
import os
import re
import resource
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys

import pytest

import kit
from kit import dispatchd
from world import BUILD, ROOT, SANITIZED, wait_until


# ---- core dumps

def dumps_core(command, cwd, ready):
    """Whether the program leaves a core dump when it aborts, with no limit on them; `ready` waits for its middle."""
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir(cwd)
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
            quiet = os.open("/dev/null", os.O_RDWR)
            for fd in range(3):
                os.dup2(quiet, fd)
            os.execv(command[0], command)
        finally:
            os._exit(127)
    try:
        ready()
        os.kill(pid, signal.SIGABRT)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT
    found = [name for name in os.listdir(cwd) if name.startswith("core")]
    for name in found:
        os.unlink(os.path.join(cwd, name))
    return os.WCOREDUMP(status) or bool(found)


@pytest.fixture
def dumping(world):
    """A system on which a program that aborts does leave a core dump."""
    if SANITIZED:
        pytest.skip("the leak checker needs to look into its own process")
    sign = world.path("there")
    code = "import time; open('there', 'w').close(); time.sleep(60)"
    if not dumps_core([sys.executable, "-c", code], world.directory,
                      lambda: wait_until(lambda: os.path.exists(sign), "Python")):
        pytest.skip("no program leaves a core dump here")


@pytest.mark.usefixtures("dumping")
def test_the_daemon_leaves_no_core_dump(world):
    command = [str(BUILD / "dispatchd"), "-c", world.config_path]
    assert not dumps_core(command, world.directory,
                          lambda: wait_until(lambda: os.path.exists(world.path("control.sock")), "the daemon"))


@pytest.mark.usefixtures("dumping")
def test_dispatchctl_leaves_no_core_dump(world):
    """It waits for a Redis that doesn't answer."""
    kept = []
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(world.path("silent.sock"))
        silent.listen()
        world.configure(redis={"url": f"unix://me:secret@{world.path('silent.sock')}?db=0"})
        command = [str(BUILD / "dispatchctl"), "-c", world.config_path, "event", "send", "job.started", "--job", "1",
                   "--customer", "1"]
        assert not dumps_core(command, world.directory, lambda: kept.append(silent.accept()))


@pytest.mark.skipif(SANITIZED, reason="the leak checker needs to look into its own process")
def test_nobody_else_looks_into_the_daemon(world):
    """The kernel gives what lies in /proc of such a process to root."""
    if os.geteuid() == 0:
        pytest.skip("all in /proc of root's processes is root's")
    world.start_daemon()
    assert os.stat(f"/proc/{world.daemon.pid}/environ").st_uid == 0


@pytest.mark.parametrize("unit", ["dispatchd", "dispatch-center"])
def test_the_units_allow_no_core_dumps(unit):
    assert "\nLimitCORE=0\n" in (ROOT / "systemd" / f"{unit}.service").read_text()


# ---- files that everybody can read

def open_to_all(world):
    """Makes the world's folder one that others may enter."""
    os.chmod(world.directory, 0o755)
    folder = world.directory
    while folder != "/":
        folder = os.path.dirname(folder)
        if not os.stat(folder).st_mode & stat.S_IXOTH:
            pytest.skip("nobody else gets into the folder for temporary files")


def secret_file(world, name, mode, text="hunter2\n"):
    path = kit.write(world, name, text)
    os.chmod(path, mode)
    return path


def check(world, **env):
    return dispatchd(world, "-c", world.config_path, "-t", env=env)


def use(world, section, path):
    more = {"smtp": {"user": "me"}, "redis": {}, "customers": {}}[section]
    key = "key_file" if section == "customers" else "password_file"
    world.configure({section: {key: path, **more}})
    return key


SECTIONS = ["redis", "smtp", "customers"]
KEY = "00" * 32 + "\n"


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("name", ["secret", "the 'secret' file"])
def test_a_secret_that_everybody_can_read_is_a_fault(world, section, name):
    open_to_all(world)
    path = secret_file(world, name, 0o644, KEY)
    key = use(world, section, path)
    for more in (["-t"], []):
        done = dispatchd(world, "-c", world.config_path, *more)
        assert done.returncode == 78 and f"[{section}] {key}" in done.stderr and path in done.stderr
        assert KEY.strip() not in done.stderr
    assert done.stderr.count(world.config_path + ":") >= 1
    remedy = re.search(r"to fix it: (chmod .*)", done.stderr)[1]
    subprocess.run(shlex.split(remedy), check=True)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert check(world).returncode == 0


@pytest.mark.parametrize("section", SECTIONS)
def test_a_secret_that_only_seems_readable_is_fine(world, section):
    open_to_all(world)
    for mode in (0o640, 0o600):
        use(world, section, secret_file(world, "secret", mode, KEY))
        assert check(world).returncode == 0
    path = secret_file(world, "inner/outer/secret", 0o644, KEY)
    use(world, section, path)
    assert check(world).returncode == 78
    os.chmod(world.path("inner"), 0o750)
    assert check(world).returncode == 0, "a folder high above lets nobody through"


@pytest.mark.parametrize("section", SECTIONS)
def test_what_counts_is_the_file_behind_a_link(world, section):
    open_to_all(world)
    secret_file(world, "private/secret", 0o644, KEY)
    os.chmod(world.path("private"), 0o700)
    os.symlink(world.path("private/secret"), world.path("public-link"))
    use(world, section, world.path("public-link"))
    assert check(world).returncode == 0
    secret_file(world, "secret", 0o644, KEY)
    os.symlink(world.path("secret"), world.path("private/link"))
    use(world, section, world.path("private/link"))
    assert check(world).returncode == 78


def test_credentials_are_where_secrets_belong(world):
    open_to_all(world)
    path = secret_file(world, "credentials/smtp-password", 0o644)
    secret_file(world, "credentials/redis-password", 0o644)
    world.configure(smtp={"user": "me"})
    assert check(world, CREDENTIALS_DIRECTORY=world.path("credentials")).returncode == 0
    use(world, "smtp", path)
    assert check(world, CREDENTIALS_DIRECTORY=world.path("credentials")).returncode == 0
    assert check(world, CREDENTIALS_DIRECTORY=world.path("cred")).returncode == 78
    assert check(world, CREDENTIALS_DIRECTORY="/").returncode == 78


def test_containers_keep_secrets_in_run_secrets(world):
    """In namespaces of their own, with a /run of their own."""
    words = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
    script = ('mount -t tmpfs -o mode=755 none /run && umask 022 && mkdir /run/secrets /run/other && '
              'echo hunter2 >/run/secrets/smtp && echo hunter2 >/run/other/smtp && exec "$@"')
    within = [*words, "sh", "-c", script, "sh"]
    if not shutil.which("unshare") or subprocess.run([*within, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces here")
    for path, code in (("/run/secrets/smtp", 0), ("/run/other/smtp", 78)):
        use(world, "smtp", path)
        done = subprocess.run([*within, str(BUILD / "dispatchd"), "-c", world.config_path, "-t"], capture_output=True,
                              text=True, env=world.environment(), check=False)
        assert done.returncode == code, done


@pytest.mark.parametrize("name", ["dispatchd.conf", "conf.d/50-redis.conf"])
def test_a_configuration_with_a_password_that_everybody_can_read(world, name):
    open_to_all(world)
    url = f"unix://me:hunter2@{world.redis_server.socket}?db=0"
    if name == "dispatchd.conf":
        world.configure(redis={"url": url})
    else:
        kit.write(world, name, f"[redis]\nurl = {url}\n")
    path = world.path(name)
    os.chmod(path, 0o644)
    for more in (["-t"], []):
        done = dispatchd(world, "-c", world.config_path, *more)
        assert done.returncode == 78 and "hunter2" not in done.stderr
        assert re.search(rf"{re.escape(path)}:\d+: \[redis\] url: everybody can read .*chmod o= {re.escape(path)}$",
                         done.stderr, re.M), done.stderr
    os.chmod(path, 0o640)
    assert check(world).returncode == 0


def test_a_password_that_a_later_file_replaces_can_be_read_all_the_same(world):
    open_to_all(world)
    plain = world.settings["redis"]["url"]
    world.configure(redis={"url": f"unix://me:hunter2@{world.redis_server.socket}?db=0"})
    os.chmod(world.config_path, 0o644)
    kit.write(world, "conf.d/later.conf", f"[redis]\nurl = {plain}\n")
    assert check(world).returncode == 78
    world.configure(redis={"url": plain})
    assert check(world).returncode == 0, "without a password anybody may read it"


def test_a_reload_is_refused(world):
    open_to_all(world)
    daemon = world.start_daemon()
    use(world, "smtp", secret_file(world, "secret", 0o644))
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("reload refused")
    assert f"chmod o= {world.path('secret')}" in daemon.log()
    os.chmod(world.path("secret"), 0o600)
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("reloaded")
    assert daemon.stop() == 0


def test_dispatchctl_looks_at_what_it_uses(world):
    open_to_all(world)
    use(world, "smtp", secret_file(world, "smtp", 0o644))
    use(world, "redis", secret_file(world, "redis", 0o644))
    use(world, "customers", secret_file(world, "key", 0o644, KEY))
    kit.add_customer(world)
    assert world.ctl_json("customer", "list")
    kit.refused(world, 78, "chmod o= " + world.path("redis"), "event", "send", "job.started", "--job", "1",
                "--customer", "1001")
    os.chmod(world.path("redis"), 0o600)
    world.ctl("system-type", "add", "--name", "Panel")
    world.ctl("system-field", "add", "Panel", "--name", "code", "--secret")
    kit.refused(world, 78, "chmod o= " + world.path("key"), "system", "add", "1001", "--type", "Panel", "code=2580")
    world.configure(redis={"password_file": None, "url": f"unix://me:x@{world.redis_server.socket}?db=0"})
    os.chmod(world.config_path, 0o644)
    assert world.ctl_json("customer", "list")
    done = world.ctl("event", "send", "job.started", "--job", "1", "--customer", "1001", check=False)
    assert done.returncode == 78 and "chmod o= " + world.config_path in done.stderr
