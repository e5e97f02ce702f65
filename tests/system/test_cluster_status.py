# SPDX-License-Identifier: MIT
"""What a cluster says of itself: `dispatchctl status` on each member, and `dispatchd -t`."""
import os
import subprocess

import cluster
import pytest
from kit import use_shipped_templates, write
from world import BUILD, wait_until


def problems(machine, kind):
    return [row for row in machine.ctl_json("status")["problems"] if row["problem"] == kind]


def rows(machine):
    return [line.split() for line in machine.ctl("status").stdout.splitlines()]


def publish(machine, first, n):
    for i in range(first, first + n):
        machine.xadd(id=str(i), type="job.completed", job=f"j{i}", customer="1001")
    machine.outcomes({"status": "sent"}, first + n - 1)


@pytest.fixture
def pair():
    with cluster.start("a", "b") as (a, b):
        for machine in (a, b):
            use_shipped_templates(machine)
        a.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com")
        a.start_daemon()
        a.wait_role("owner")
        yield a, b


def seed(a, b):
    b.seed_from(a)
    b.start_daemon()
    b.wait_role("standby")
    wait_until(lambda: a.ctl_json("status")["cluster"].get("standbys"), "the owner knows it")


def test_it_says_who_is_what(pair):
    a, b = pair
    seed(a, b)
    shown = rows(a)
    assert ["cluster", "team"] in shown and ["a", "(this", "machine)", "owner"] in shown, shown
    wait_until(lambda: ["b", "standby", "0"] in rows(a), lambda: rows(a))
    shown = rows(b)
    assert ["a", "owner"] in shown and ["b", "(this", "machine)", "standby", "0"] in shown, shown
    state = b.ctl_json("status")["cluster"]
    assert state == {"name": "team", "member": "b", "role": "standby", "owner": "a", "lag": 0}
    state = a.ctl_json("status")["cluster"]
    assert state["role"] == state["owner"].replace("a", "owner") == "owner" and state["member"] == "a"
    assert state["standbys"] == [{"name": "b", "lag": 0, "stuck_s": 0, "lost": False}]


def test_a_healthy_standby_has_no_problem(pair):
    """Nor does it say that its spool is empty, nor list what is the owner's to mend."""
    a, b = pair
    a.xadd(id="x", type="job.completed", job="1", customer="nobody")
    a.outcomes({"status": "rejected"})
    seed(a, b)
    assert [row["problem"] for row in a.ctl_json("status")["problems"]] == ["dead"]
    shown = b.ctl("status").stdout
    assert b.ctl_json("status")["problems"] == [] and shown.startswith("dispatchd "), shown
    assert "no mails" not in shown
    assert check(b)[0] == 0, check(b)


def test_an_owner_without_a_standby_says_so(pair):
    a, b = pair
    wait_until(lambda: problems(a, "standby"), "it has looked")
    (found,) = problems(a, "standby")
    assert found["text"] == "no standby is known, so nobody takes over if this machine fails"
    seed(a, b)
    assert problems(a, "standby") == []


def test_a_machine_that_was_never_seeded_says_why_it_does_not_follow(pair):
    a, b = pair
    b.start_daemon()
    b.wait_role("joining")
    wait_until(lambda: problems(b, "cluster"), lambda: b.ctl("status").stdout)
    assert "never in the cluster: seed it" in problems(b, "cluster")[0]["text"]
    assert b.ctl("status").stdout.startswith("this machine doesn't follow and can't take over: ")
    assert problems(a, "cluster") == []
    wait_until(lambda: ["b", "lost:", "seed", "it", "again"] in rows(a), lambda: rows(a))
    assert problems(a, "standby")[0]["text"].startswith("the standby b is lost")
    b.daemon.stop()
    publish(a, 1, 3)
    seed(a, b)
    wait_until(lambda: ["b", "standby", "0"] in rows(a), lambda: rows(a))
    assert sorted(group["name"] for group in a.redis.xinfo_groups("team:journal")) == ["a", "b"]


def test_a_standby_that_the_journal_does_not_reach_is_lost(pair):
    a, b = pair
    seed(a, b)
    b.daemon.stop()
    publish(a, 1, 5)
    wait_until(lambda: a.ctl_json("status")["cluster"]["standbys"][0]["stuck_s"] >= 1, "it doesn't get on")
    assert a.ctl_json("status")["cluster"]["standbys"][0]["lag"] >= 1
    a.redis.xtrim("team:journal", minid=f"{a.position()[0]}-0", approximate=False)
    wait_until(lambda: a.ctl_json("status")["cluster"]["standbys"][0]["lost"], "it is lost")
    assert ["b", "lost:", "seed", "it", "again"] in rows(a), rows(a)
    (found,) = problems(a, "standby")
    assert found["text"].startswith("the standby b is lost") and found["do"].startswith("seed it again")
    b.start_daemon()
    b.wait_role("joining")
    wait_until(lambda: problems(b, "cluster"), "it says so itself")
    assert "seed it again" in problems(b, "cluster")[0]["text"]
    publish(a, 6, 1)
    wait_until(lambda: ["b", "lost:", "seed", "it", "again"] in rows(a), lambda: rows(a))


@pytest.mark.long
def test_a_standby_that_does_not_get_on_for_a_minute(pair):
    a, b = pair
    seed(a, b)
    b.daemon.stop()
    publish(a, 1, 1)
    wait_until(lambda: problems(a, "standby"), "it is missed", 120)
    assert problems(a, "standby")[0]["text"].startswith("the standby b doesn't follow: it has been ")


def test_nobody_owns_it(pair):
    """The owner is gone, and the standby may not take the lease."""
    a, b = pair
    seed(a, b)
    a.redis.set("team:lease", "99 nobody-there")
    a.wait_role("standby")
    wait_until(lambda: ["nobody-there", "owner"] in rows(b), lambda: rows(b))
    a.daemon.stop()
    a.redis.execute_command("CONFIG", "SET", "maxmemory", "1")
    a.redis.delete("team:lease")
    wait_until(lambda: [p for p in problems(b, "cluster") if "nobody is known to own" in p["text"]],
               lambda: b.ctl("status").stdout)
    a.redis.execute_command("CONFIG", "SET", "maxmemory", "0")
    b.wait_role("owner")


def test_a_second_member_of_the_same_name_ends(pair):
    a, b = pair
    b.configure(redis={"consumer": "a"})
    daemon = b.start_daemon()
    assert daemon.wait(60) == 78
    assert "another machine of the cluster is called a, too: [redis] consumer must differ" in daemon.log()
    publish(a, 1, 1)
    assert a.role() == "owner"


# ---- dispatchd -t

def check(machine, **env):
    done = subprocess.run([BUILD / "dispatchd", "-c", machine.config_path, "-t"], capture_output=True, text=True,
                          check=False, env=machine.environment(**env))
    return done.returncode, done.stdout + done.stderr


def key_line(machine, key):
    with open(machine.config_path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    section = next(i for i, line in enumerate(lines) if line == "[cluster]")
    return next(i for i, line in enumerate(lines) if i > section and line.replace(" ", "").startswith(f"{key}=")) + 1


@pytest.fixture
def member():
    with cluster.start("a") as (machine,):
        assert check(machine)[0] == 0, check(machine)
        yield machine


def test_the_key_is_checked(member):
    path = member.path("cluster.key")
    place = f"{member.config_path}:{key_line(member, 'key_file')}: [cluster] key_file: "
    for text, mode, fault in (("0f0f\n", 0o600, "64 hex digits"), ("", 0o600, "64 hex digits")):
        os.chmod(write(member, "cluster.key", text), mode)
        code, said = check(member)
        assert code == 78 and place in said and path in said and fault in said, said
    os.remove(path)
    code, said = check(member)
    assert code != 0 and place in said and path in said, said
    member.configure(cluster={"key_file": None})
    code, said = check(member)
    place = f"{member.config_path}:{key_line(member, 'name')}: "
    assert code == 78 and place in said and "there is no key: set key_file or the credential cluster-key" in said, said


def test_an_exposed_key_is_a_fault(member):
    os.chmod(member.directory, 0o755)
    os.chmod(member.path("cluster.key"), 0o644)
    code, said = check(member)
    assert code == 78 and "[cluster] key_file" in said and "chmod" in said, said


def test_a_member_named_like_its_host_is_told_so(member):
    assert "consumer is empty" not in check(member)[1]
    member.configure(redis={"consumer": ""})
    code, said = check(member)
    assert code == 0 and f"this member of the cluster is called {os.uname().nodename}, like the host" in said, said


@pytest.mark.parametrize("key, value", [("lease", "5s"), ("lease", "61s"), ("wait", "x"), ("journal_max", "1MiB")])
def test_a_value_out_of_range_is_a_fault(member, key, value):
    member.configure(cluster={key: value})
    code, said = check(member)
    assert code == 78 and f"{member.config_path}:{key_line(member, key)}: " in said, said
