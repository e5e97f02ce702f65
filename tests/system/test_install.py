# SPDX-License-Identifier: MIT
"""What `make install` puts where and what it leaves alone, and several makes at a time."""
import os
import signal
import subprocess

import pytest

from world import BUILD, ROOT


@pytest.fixture
def install(tmp_path):
    """Runs what `make install` runs once all is built; the root that it has filled."""
    def run(**places):
        environment = {"PATH": os.environ["PATH"], "BUILD": str(BUILD), "DESTDIR": str(tmp_path), **places}
        subprocess.run(["systemd/install.sh"], cwd=ROOT, env=environment, check=True, timeout=60)
        return tmp_path
    return run


def test_everything_is_in_its_place(install):
    root = install(PREFIX="/usr")
    for program in ("usr/sbin/dispatchd", "usr/sbin/dispatch-bounce", "usr/bin/dispatchctl"):
        assert os.access(root / program, os.X_OK), program
        done = subprocess.run([root / program, "-V"], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and done.stdout.startswith(os.path.basename(program))
    for name in ("usr/share/man/man8/dispatchd.8", "usr/share/man/man8/dispatch-bounce.8", "usr/share/man/man1/dispatchctl.1",
                 "usr/share/man/man5/dispatchd.conf.5", "usr/lib/systemd/system/dispatchd.service",
                 "usr/lib/systemd/system/dispatch-bounce.socket", "usr/lib/systemd/system/dispatch-bounce@.service",
                 "usr/lib/systemd/system/dispatch-bounce-maildir.path", "usr/lib/systemd/system/dispatch-bounce-maildir.service",
                 "usr/lib/systemd/system/dispatchd@.service", "usr/share/doc/dispatchd/examples/notify-reload.conf",
                 "usr/share/dispatchd/templates/de.ini", "usr/lib/sysusers.d/dispatch-center.conf",
                 "usr/lib/sysusers.d/dispatch-bounce.conf", "usr/lib/tmpfiles.d/dispatch-bounce.conf",
                 "usr/lib/sysusers.d/dispatchd.conf", "usr/lib/tmpfiles.d/dispatchd.conf",
                 "usr/share/bash-completion/completions/dispatchctl", "etc/dispatchd/dispatchd.conf",
                 "etc/dispatchd/templates/completed.txt", "etc/dispatchd/templates/completed.html"):
        assert (root / name).is_file(), name
    assert (root / "etc/dispatchd/conf.d").is_dir()
    unit = (root / "usr/lib/systemd/system/dispatchd.service").read_text()
    assert "\nExecStart=/usr/sbin/dispatchd\n" in unit


def installed_by(root):
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_the_packages_share_all_that_is_installed_and_nothing_twice(install, tmp_path):
    whole = installed_by(install(PREFIX="/usr"))
    shares = [installed_by(install(PREFIX="/usr", PACKAGE=package, DESTDIR=str(tmp_path / f"of-{package}")) / f"of-{package}")
              for package in ("dispatchd", "dispatch-center", "dispatch-bounce")]
    assert set().union(*shares) == whole and sum(map(len, shares)) == len(whole)
    assert [sorted(name for name in share if "bin/" in name) for share in shares] == [
        ["usr/bin/dispatchctl", "usr/sbin/dispatchd"], ["usr/sbin/dispatch-center"], ["usr/sbin/dispatch-bounce"]]
    pages = {f"usr/share/man/man{page.suffix[1:]}/{page.name}" for page in (ROOT / "conf/man").glob("*.[1-8]")}
    assert pages == {name for name in whole if "/man/" in name}
    units = {path.name for kind in ("service", "socket", "path") for path in (ROOT / "systemd").glob(f"*.{kind}")}
    assert units == {os.path.basename(name) for name in whole if "/systemd/system/" in name}


def test_places_that_were_chosen_are_in_the_unit(install):
    root = install(PREFIX="/opt/d", SYSCONFDIR="/opt/etc")
    unit = (root / "opt/d/lib/systemd/system/dispatchd.service").read_text()
    assert "\nExecStart=/opt/d/sbin/dispatchd -c /opt/etc/dispatchd/dispatchd.conf\n" in unit
    for name, program in (("dispatch-bounce@", "dispatch-bounce --lmtp"), ("dispatch-center", "dispatch-center"),
                          ("dispatch-bounce-maildir", "dispatch-bounce --maildir")):
        unit = (root / f"opt/d/lib/systemd/system/{name}.service").read_text()
        assert f"\nExecStart=/opt/d/sbin/{program}" in unit
    unit = (root / "opt/d/lib/systemd/system/dispatchd@.service").read_text()
    assert "\nExecStart=/opt/d/sbin/dispatchd -c /opt/etc/dispatchd/%i.conf\n" in unit
    assert "\nExecReload=/opt/d/bin/dispatchctl -c /opt/etc/dispatchd/%i.conf reload\n" in unit
    assert "/opt/etc/dispatchd/conf.d" in (root / "opt/d/lib/tmpfiles.d/dispatchd.conf").read_text()


@pytest.mark.long
def test_what_an_admin_has_changed_stays(install):
    root = install()
    conf, template = root / "etc/dispatchd/dispatchd.conf", root / "etc/dispatchd/templates/failed.txt"
    conf.write_text("[mail]\nfrom = a@example.com\n")
    template.unlink()
    install()
    assert conf.read_text() == "[mail]\nfrom = a@example.com\n"
    assert (root / "etc/dispatchd/dispatchd.conf.new").read_bytes() == (ROOT / "conf/dispatchd.conf").read_bytes()
    assert template.is_file()
    assert [p.name for p in (root / "etc").rglob("*.new")] == ["dispatchd.conf.new"]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an unpacked tarball has no commit to make it of again")
def test_a_tarball_of_a_commit_is_the_same_wherever_it_is_made(tmp_path):
    def tarball(name, **environment):
        subprocess.run(["git", "clone", "-q", "--shared", ROOT, tmp_path / name], check=True, timeout=60)
        subprocess.run([".ci/dist", "dispatchd-9.9", "../made.tar.gz"], cwd=tmp_path / name, check=True, timeout=60,
                       env={"PATH": os.environ["PATH"], **environment})
        return (tmp_path / "made.tar.gz").read_bytes()
    here = tarball("one", LC_ALL="C.UTF-8", TZ="Asia/Tokyo")
    umask = os.umask(0o077)
    try:
        there = tarball("another", LC_ALL="C", TZ="America/Denver")
    finally:
        os.umask(umask)
    assert here == there and len(here) > 100_000


def test_several_makes_at_a_time_in_a_finished_build(tmp_path):
    recorded = [str(tmp_path / name) for name in ("flags", "sources", "gen/version.h")]
    command = ["make", "-s", f"BUILD={tmp_path}", *recorded]
    environment = {"PATH": os.environ["PATH"]}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)
    before = [os.stat(path).st_mtime_ns for path in recorded]
    for _ in range(3):
        makes = [subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
                 for _ in range(6)]
        assert [(make.communicate(timeout=60)[1], make.returncode) for make in makes] == [("", 0)] * 6
    assert [os.stat(path).st_mtime_ns for path in recorded] == before


# Stands in for the package manager: `apt-get` holds a lock as the real one does, fails where it is held, and starts a
# service.
PACKAGE_MANAGER = {
    "id": "echo 1000",
    "sudo": 'case $1 in apt-get) exec "$@" ;; tee) cat >/dev/null ;; esac',
    "dpkg-query": "exit 1",
    "systemctl": "exit 1",
    "apt-get": '''mkdir "$LOCK" || exit 100; sleep 0.3; rmdir "$LOCK"; echo "$@" >>"$LOCK.log"
sleep 600 </dev/null >/dev/null 2>&1 &
echo $! >>"$LOCK.services"''',
}


def test_several_installations_at_a_time_wait_for_each_other(tmp_path):
    for name, body in PACKAGE_MANAGER.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LOCK": str(tmp_path / "lock")}
    running = [subprocess.Popen([ROOT / ".ci/deps", package], env=environment, stdout=subprocess.DEVNULL)
               for package in ("one", "two", "three")]
    try:
        assert [process.wait(60) for process in running] == [0, 0, 0]
    finally:
        for process in running:
            process.kill()
        for service in (tmp_path / "lock.services").read_text().split():
            os.kill(int(service), signal.SIGKILL)
    done = (tmp_path / "lock.log").read_text()
    assert done.count("update") == 3 and all(package in done for package in ("one", "two", "three"))
