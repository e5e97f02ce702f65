# SPDX-License-Identifier: MIT
"""Several relays: whose turn it is, what each may have, and sections [smtp.NAME] from end to end."""
import os
import threading

import pytest

from kit import wait_outcome
from smtp_peer import Drop, SmtpPeer, tls_context
from test_config import check
from test_mailer import Probe
from test_relay_test import ask
from world import PATIENCE, wait_until


def sections(*peers, **keys):
    """Of peers a, b, …: `weight=(1, 3)` gives each its own."""
    return [{"name": "abc"[i], "relay": peer.relay, **{key: values[i] for key, values in keys.items()}}
            for i, peer in enumerate(peers)]


def many(*peers, of=None, **settings):
    return Probe([], sections=of, **{"connections": 4, **settings})


@pytest.fixture
def two():
    with SmtpPeer(keep=False) as a, SmtpPeer(keep=False) as b:
        yield a, b


def sent(peer):
    return sum(session.mails for session in peer.sessions)


def send_bulk(probe, n):
    probe.say(bulk=n, size=300)
    assert probe.next("bulk", 30)["bulk"] == {"sent": n}


# ---- whose turn it is ----

def test_without_weights_the_first_has_all(two):
    a, b = two
    with many(of=sections(a, b)) as probe:
        send_bulk(probe, 200)
        assert [relay["name"] for relay in probe.relays()] == ["a", "b"]
    assert (sent(a), sent(b)) == (200, 0)


@pytest.mark.parametrize("weights,shares", [((1, 1), (400, 400)), ((1, 3), (200, 600)), ((7, 1), (700, 100))])
def test_weights_share_the_mails(two, weights, shares):
    with many(of=sections(*two, weight=weights)) as probe:
        send_bulk(probe, 800)
    # What a connection has in hand, and by how much one may be ahead before it ends.
    assert abs(sent(two[0]) - shares[0]) <= 60, (sent(two[0]), shares)


def test_one_mail_after_another_is_shared_too(two):
    """An open connection that is idle doesn't draw all of them."""
    with many(of=sections(*two, weight=(1, 1)), limits={"idle_ms": 5000}) as probe:
        for _ in range(80):
            assert probe.send()["delivery"] == "sent"
    assert min(sent(two[0]), sent(two[1])) >= 25, (sent(two[0]), sent(two[1]))


def test_the_others_have_the_share_of_one_that_is_down(two):
    a, b = two
    a.answers["ehlo"] = Drop()
    with many(of=sections(a, b, weight=(5, 1))) as probe:
        send_bulk(probe, 300)
        assert sent(b) == 300
        a.answers.pop("ehlo")
        wait_until(lambda: probe.send()["relay"] == "a", "a again", 20)
        before = sent(a), sent(b)
        send_bulk(probe, 300)
        # Nothing is made up for but the last few.
        assert 180 <= sent(a) - before[0] <= 300 and sent(b) > before[1]


def test_one_that_a_reload_adds_does_not_make_up_for_what_it_missed(two):
    a, b = two
    with many(of=sections(a, weight=(1,))) as probe:
        send_bulk(probe, 600)
        probe.say(reload={**probe.settings, "sections": sections(a, b, weight=(1, 1))})
        assert probe.next("reloaded")["reloaded"]
        send_bulk(probe, 300)
    assert 80 <= sent(b) <= 220, sent(b)


def test_a_relay_without_weight_waits_behind_those_that_share(two):
    a, b = two
    with SmtpPeer(keep=False) as c, many(of=sections(a, b, c, weight=(1, 1, 0))) as probe:
        send_bulk(probe, 100)
        assert sent(c) == 0 and sent(a) and sent(b)
        a.answers["ehlo"] = b.answers["ehlo"] = Drop()
        wait_until(lambda: probe.send()["relay"] == "c", "the third relay", 20)


# ---- what each may have ----

def test_connections_of_a_relay(two):
    a, b = two
    most, lock = [0], threading.Lock()

    def count(session, line):
        with lock:
            most[0] = max(most[0], len(a.open))

    a.answers["mail"] = count
    with many(of=sections(a, b, connections=(2, 8)), connections=8) as probe:
        send_bulk(probe, 300)
    # Full isn't down: the next one in order isn't for that.
    assert most[0] <= 2 and (sent(a), sent(b)) == (300, 0)


def test_rate_of_a_relay(two):
    a, b = two
    with many(of=sections(a, b, rate=(20, 0))) as probe:
        probe.say(bulk=50, size=300)
        done = probe.next("bulk", 20)
    assert done["bulk"] == {"sent": 50} and done["took_ms"] > 2400
    assert (sent(a), sent(b)) == (50, 0)


def test_rates_of_relays_that_share_add_up(two):
    with many(of=sections(*two, rate=(20, 20), weight=(1, 1))) as probe:
        probe.say(bulk=60, size=300)
        done = probe.next("bulk", 20)
    assert done["bulk"] == {"sent": 60} and done["took_ms"] > 1400
    assert abs(sent(two[0]) - 30) <= 12


def test_a_rate_over_all_bounds_those_of_the_relays(two):
    with many(of=sections(*two, rate=(1000, 1000), weight=(1, 1)), rate=20) as probe:
        probe.say(bulk=40, size=300)
        done = probe.next("bulk", 20)
    assert done["bulk"] == {"sent": 40} and done["took_ms"] > 1900


def test_a_relay_moves_to_another_address(two):
    """What was known of it at the old one doesn't keep mails from the new one."""
    a, b = two
    a.answers["ehlo"] = Drop()
    with many(of=sections(a), limits={"open_min_ms": 60000, "open_max_ms": 60000}) as probe:
        assert probe.send()["delivery"] == "relay"
        probe.say(reload={**probe.settings, "sections": sections(b)})
        assert probe.next("reloaded")["reloaded"]
        assert probe.send()["delivery"] == "sent"
    assert sent(b) == 1


# ---- sections of the configuration ----

@pytest.fixture
def farm(world):
    world.ctl("customer", "add", "1001", "--name", "Maple", "--email", "ann@example.com")
    world.settings.pop("smtp", None)
    world.configure(mail={"transport": "smtp"})
    return world


def job(world, n):
    world.xadd("jobs:events", id=f"e{n}", type="job.failed", job=f"j{n}", customer="1001")
    wait_outcome(world, f"e{n}", "sent")


def secret(world, name, text):
    path = world.path(name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    os.chmod(path, 0o600)
    return path


def test_each_has_its_own_login_and_tls(farm, certificates):
    tls = tls_context(certificates["good"])
    with SmtpPeer(tls=tls, users={"anna": "one"}) as a, SmtpPeer(tls=tls, implicit=True, users={"bert": "two"}) as b:
        os.mkdir(farm.path("credentials"))
        secret(farm, "credentials/smtp-b-password", "two")
        secret(farm, "credentials/smtp-password", "never used")
        farm.configure({"smtp": {"tls": "required", "ca_file": certificates["ca"], "helo": "us.example.com"},
                        "smtp.a": {"relay": f"localhost:{a.port}", "user": "anna", "weight": 1,
                                   "password_file": secret(farm, "anna", "one")},
                        "smtp.b": {"relay": f"localhost:{b.port}", "tls": "implicit", "user": "bert", "weight": 1,
                                   "helo": "b.example.com"}})
        environment, folder = farm.environment, farm.path("credentials")
        farm.environment = lambda **more: environment(**{"CREDENTIALS_DIRECTORY": folder, **more})
        assert check(farm, "-c", farm.config_path, env=farm.environment()).returncode == 0
        farm.start_daemon()
        assert [(relay["relay"], relay["ok"]) for relay in ask(farm)] == [("a", True), ("b", True)]
        for n in range(30):
            job(farm, n)
        assert {mail.user for mail in a.mails} == {"anna"} and {mail.user for mail in b.mails} == {"bert"}
        assert {s.commands[0] for s in b.sessions} == {"EHLO b.example.com"}
        assert {s.commands[0] for s in a.sessions} == {"EHLO us.example.com"}
        relays = farm.ctl_json("status")["relays"]
        assert [(relay["name"], relay["address"]) for relay in relays] == [("a", f"localhost:{a.port}"), ("b", f"localhost:{b.port}")]
        assert f"\na (localhost:{a.port}) " in farm.ctl("status").stdout
        metrics = farm.metrics()
        assert metrics['dispatchd_relay_up{relay="a"}'] == metrics['dispatchd_relay_up{relay="b"}'] == 1


@pytest.mark.parametrize("by_credential", [False, True])
def test_another_user_needs_a_password_of_its_own(farm, by_credential):
    """[smtp]'s goes to no relay where another user logs in."""
    with SmtpPeer(users={"anna": "one"}) as a, SmtpPeer(users={"bert": "one"}) as b:
        os.mkdir(farm.path("credentials"))
        path = secret(farm, "credentials/smtp-password", "one")
        environment, folder = farm.environment, farm.path("credentials")
        farm.environment = lambda **more: environment(**{"CREDENTIALS_DIRECTORY": folder, **more})
        farm.configure({"smtp": {"relay": a.relay, "user": "anna", **({} if by_credential else {"password_file": path})},
                        "smtp.b": {"relay": b.relay, "user": "bert"}})
        lines = open(farm.config_path, encoding="utf-8").read().splitlines()
        done = check(farm, "-c", farm.config_path, env=farm.environment())
        assert done.returncode == 78
        assert f"{farm.config_path}:{lines.index('user = bert') + 1}: [smtp.b] user is set, but there is no password: set " \
               "password_file or the credential smtp-b-password" in done.stderr
        secret(farm, "credentials/smtp-b-password", "one")
        assert check(farm, "-c", farm.config_path, env=farm.environment()).returncode == 0
        farm.configure({"smtp.b": {"user": "anna"}})
        os.remove(farm.path("credentials/smtp-b-password"))
        assert check(farm, "-c", farm.config_path, env=farm.environment()).returncode == 0


def test_one_by_password_and_one_by_token(farm, certificates):
    """The token of one section goes to its relay alone."""
    tls = tls_context(certificates["good"])
    with SmtpPeer(tls=tls, users={"anna": "one"}) as a, \
            SmtpPeer(tls=tls, tokens={"anna": "ya29.first"}, auth="XOAUTH2 PLAIN") as b:
        farm.configure({"smtp": {"tls": "required", "ca_file": certificates["ca"], "user": "anna",
                                 "password_file": secret(farm, "anna", "one")},
                        "smtp.a": {"relay": f"localhost:{a.port}"},
                        "smtp.b": {"relay": f"localhost:{b.port}", "oauth_token_file": secret(farm, "token", "ya29.first")}})
        farm.start_daemon()
        tested = {relay["relay"]: relay for relay in ask(farm)}
        login = {name: next(step["reply"] for step in relay["steps"] if step["step"] == "login") for name, relay in tested.items()}
        assert "XOAUTH2" in login["b"] and "XOAUTH2" not in login["a"]
        assert all(relay["ok"] for relay in tested.values())


def test_a_reload_adds_changes_and_removes_relays(farm):
    with SmtpPeer() as a, SmtpPeer() as b, SmtpPeer() as c:
        farm.configure({"smtp.a": {"relay": a.relay}})
        farm.start_daemon()
        job(farm, 1)
        farm.configure({"smtp.b": {"relay": b.relay, "weight": 1}, "smtp.a": {"weight": 1}})
        assert farm.ctl("reload").returncode == 0
        assert [relay["name"] for relay in farm.ctl_json("status")["relays"]] == ["a", "b"]
        n = 2
        while sent(b) == 0 and n < 60:
            job(farm, n)
            n += 1
        assert sent(b) > 0
        farm.settings.pop("smtp.a")
        farm.configure({"smtp.b": {"relay": c.relay}})
        assert farm.ctl("reload").returncode == 0
        job(farm, n)
        assert sent(c) == 1 and [relay["name"] for relay in farm.ctl_json("status")["relays"]] == ["b"]
        farm.configure({"smtp.b": {"tls": "perhaps"}})
        done = farm.ctl("reload", check=False)
        assert done.returncode != 0 and "[smtp.b] tls" in done.stderr
        job(farm, n + 1)
        assert sent(c) == 2


def test_what_is_wrong_has_its_line(farm):
    farm.configure({"smtp": {"user": "me"}, "smtp.a": {"relay": "127.0.0.1:1", "ca_file": "/nowhere.pem", "tls": "required",
                                                        "password_file": "/nowhere/password"},
                    "smtp.b": {"relay": "127.0.0.1:2"}})
    lines = open(farm.config_path, encoding="utf-8").read().splitlines()
    done = check(farm, "-c", farm.config_path)
    assert done.returncode == 78

    def at(line, after="["):
        start = next(i for i, text in enumerate(lines) if text == after) if after != "[" else 0
        return next(i for i, text in enumerate(lines) if i >= start and text.startswith(line)) + 1

    assert f"{farm.config_path}:{at('password_file', '[smtp.a]')}: [smtp.a] password_file: /nowhere/password: No such file" in done.stderr
    assert f"{farm.config_path}:{at('ca_file')}: [smtp.a] ca_file: /nowhere.pem: holds no certificates" in done.stderr
    assert f"{farm.config_path}:{at('user')}: [smtp.b] user is set, but there is no password: set password_file or the " \
           "credential smtp-b-password" in done.stderr


def test_config_show_has_them(farm):
    farm.configure({"smtp": {"tls": "none"}, "smtp.a": {"relay": "127.0.0.1:1", "rate": 5}})
    rows = farm.ctl_json("config", "show", "smtp.a")
    shown = {row["key"]: (row["value"], row["place"]) for row in rows}
    assert shown["rate"] == ("5", shown["relay"][1].rsplit(":", 1)[0] + ":" + str(int(shown["relay"][1].rsplit(":", 1)[1]) + 1))
    assert shown["tls"][0] == "none" and shown["tls"][1] and shown["helo"] == ("", None)
    assert {row["section"] for row in farm.ctl_json("config", "show", "smtp")} == {"smtp", "smtp.a"}
