# SPDX-License-Identifier: MIT
"""Our certificate for relays that ask for one, and what may be wrong with it."""
import os
import ssl
import subprocess

import pytest

from kit import wait_outcome
from smtp_peer import SmtpPeer, make_authority, make_certificate, tls_context
from test_config import check
from test_mailer import Probe, fails
from test_relay_test import ask, names
from world import wait_until


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Paths: the relay's ca and good; ours, signed by another authority."""
    folder = str(tmp_path_factory.mktemp("certificates"))
    clients = str(tmp_path_factory.mktemp("clients"))
    authority, our_authority = make_authority(folder), make_authority(clients)
    paths = {"ca": authority[2], "good": make_certificate(folder, authority, ["localhost"], "good"),
             "clients": our_authority[2],
             "ours": make_certificate(clients, our_authority, ["dispatch.example.com"], "ours"),
             "other": make_certificate(clients, our_authority, ["other.example.com"], "other"),
             "stranger": make_certificate(clients, None, ["dispatch.example.com"], "stranger"),
             "old": make_certificate(clients, our_authority, ["dispatch.example.com"], "old", -30, -2),
             "early": make_certificate(clients, our_authority, ["dispatch.example.com"], "early", 2, 30)}
    for path in paths.values():
        os.chmod(path, 0o600)
    for part, begin in (("key", "-----BEGIN PRIVATE"), ("cert", "-----BEGIN CERTIFICATE")):
        text = open(paths["ours"], encoding="ascii").read()
        start = text.index(begin)
        end = text.index("-----END", start)
        paths[part] = os.path.join(clients, part)
        with open(os.open(paths[part], os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(text[start:text.index("\n", end) + 1])
    return paths


def demanding(made, implicit=False, version=None, **options):
    context = tls_context(made["good"], version, version)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(made["clients"])
    return SmtpPeer(tls=context, implicit=implicit, **options)


def over(peer, made, **settings):
    tls = "implicit" if peer.implicit else "required"
    return Probe(f"localhost:{peer.port}", tls=tls, ca_file=made["ca"], **settings)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
def test_a_relay_that_demands_one(made, implicit, version):
    """Over many sessions: libesmtp frees a certificate that isn't its own at the end of each."""
    with demanding(made, implicit, version) as peer, over(peer, made, client_cert=made["ours"], connections=3,
                                                          limits={"mails": 5}) as probe:
        probe.say(bulk=100, size=300)
        assert probe.next("bulk", 30)["bulk"] == {"sent": 100}
    assert peer.connections >= 20 and len(peer.mails) == 100


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
def test_without_one_and_with_a_strangers(made, implicit):
    for settings in ({}, {"client_cert": made["stranger"]}):
        with demanding(made, implicit) as peer, over(peer, made, **settings) as probe:
            result = probe.send()
            assert result["delivery"] == "relay", result
            assert not peer.mails


def test_a_key_in_a_file_of_its_own(made):
    with demanding(made) as peer, over(peer, made, client_cert=made["cert"], client_key=made["key"]) as probe:
        assert probe.send()["delivery"] == "sent"


def test_relays_that_ask_for_none_do_not_care(made):
    with SmtpPeer(tls=tls_context(made["good"])) as peer, over(peer, made, client_cert=made["ours"]) as probe:
        assert probe.send()["delivery"] == "sent"


FAULTS = [({"client_cert": "cert", "client_key": "other"}, "[smtp] client_key: {other}: doesn't belong to the certificate in {cert}"),
          ({"client_cert": "cert"}, "[smtp] client_cert: {cert}: holds no private key that can be read (PEM)"),
          ({"client_cert": "key"}, "[smtp] client_cert: {key}: holds no certificate that can be read (PEM)"),
          ({"client_cert": "cert", "client_key": "nowhere"}, "[smtp] client_key: {nowhere}: No such file or directory"),
          ({"client_cert": "nowhere"}, "[smtp] client_cert: {nowhere}: No such file or directory"),
          ({"client_cert": "cert", "client_key": "locked"}, "[smtp] client_key: {locked}: the key has a passphrase"),
          ({"client_cert": "cert", "client_key": "ca"}, "[smtp] client_key: {ca}: holds no private key that can be read (PEM)")]


@pytest.mark.parametrize("keys,words", FAULTS, ids=[words.split(": ")[-1][:24] for _, words in FAULTS])
def test_what_is_wrong_with_them(made, tmp_path, keys, words):
    paths = {**made, "nowhere": "/nowhere.pem", "locked": str(tmp_path / "locked")}
    subprocess.run(["openssl", "pkey", "-in", made["key"], "-aes256", "-passout", "pass:secret", "-out", paths["locked"]],
                   check=True)
    os.chmod(paths["locked"], 0o600)
    said = fails("127.0.0.1:25", **{key: paths[name] for key, name in keys.items()})
    assert words.format(**paths) in said, said


def test_the_daemon_reads_it_again_on_reload(world, made):
    """A wrong one is a fault with its line, and what was in force stays."""
    mine = world.path("mine.pem")

    def put(name):
        with open(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(open(made[name], encoding="ascii").read())

    put("stranger")
    world.ctl("customer", "add", "1001", "--name", "Maple", "--email", "ann@example.com")
    with demanding(made) as peer:
        world.settings.pop("smtp", None)
        world.configure({"mail": {"transport": "smtp"},
                         "smtp.hub": {"relay": f"localhost:{peer.port}", "tls": "required", "ca_file": made["ca"],
                                      "client_cert": mine}})
        world.start_daemon()
        (relay,) = ask(world, status=69)
        assert relay["relay"] == "hub" and not relay["ok"]
        put("ours")
        assert world.ctl("reload").returncode == 0
        (relay,) = ask(world)
        assert relay["ok"] and "tls" in names(relay)
        world.xadd("jobs:events", id="e1", type="job.failed", job="j1", customer="1001")
        wait_outcome(world, "e1", "sent")
        put("key")
        done = check(world, "-c", world.config_path)
        line = next(i for i, text in enumerate(open(world.config_path, encoding="utf-8"), 1) if text.startswith("client_cert"))
        assert done.returncode == 78
        assert f"{world.config_path}:{line}: [smtp.hub] client_cert: {mine}: holds no certificate" in done.stderr
        assert world.ctl("reload", check=False).returncode != 0
        assert ask(world)[0]["ok"]
        world.xadd("jobs:events", id="e2", type="job.failed", job="j2", customer="1001")
        wait_outcome(world, "e2", "sent")
        wait_until(lambda: len(peer.mails) == 2, "both mails")


@pytest.mark.parametrize("name,words", [("old", "the certificate expired at 20"), ("early", "the certificate isn't valid before 20")])
def test_one_that_is_not_in_force(world, made, name, words):
    """A fault for -t; the daemon starts and reloads with a warning, and mails go where nobody cares for it."""
    world.ctl("customer", "add", "1001", "--name", "Maple", "--email", "ann@example.com")
    with demanding(made) as demands, SmtpPeer() as other:
        world.settings.pop("smtp", None)
        world.configure({"mail": {"transport": "smtp"},
                         "smtp.hub": {"relay": f"localhost:{demands.port}", "tls": "required", "ca_file": made["ca"],
                                      "client_cert": made[name]},
                         "smtp.other": {"relay": other.relay}})
        line = next(i for i, text in enumerate(open(world.config_path, encoding="utf-8"), 1) if text.startswith("client_cert"))
        fault = f"{world.config_path}:{line}: [smtp.hub] client_cert: {made[name]}: {words}"
        done = check(world, "-c", world.config_path)
        assert done.returncode == 78 and fault in done.stderr and done.stderr.count(words) == 1
        daemon = world.start_daemon()
        warning = "a relay may refuse our certificate: " + fault
        assert daemon.log().count(warning) == 1
        assert world.ctl("reload").returncode == 0
        wait_until(lambda: daemon.log().count(warning) == 2, "another warning")
        world.xadd("jobs:events", id="e1", type="job.failed", job="j1", customer="1001")
        wait_outcome(world, "e1", "sent")
        assert len(other.mails) == 1 and not demands.mails


def test_a_key_that_everybody_can_read(world, made):
    world.settings.pop("smtp", None)
    os.chmod(world.path("."), 0o755)
    path = world.path("mine.pem")
    with open(path, "w", encoding="ascii") as file:
        file.write(open(made["ours"], encoding="ascii").read())
    os.chmod(path, 0o644)
    world.configure({"mail": {"transport": "smtp"}, "smtp.hub": {"relay": "127.0.0.1:1", "client_cert": path}})
    done = check(world, "-c", world.config_path)
    assert done.returncode == 78 and f"[smtp.hub] client_cert: everybody can read the key in {path}; to fix it: chmod" in done.stderr
    assert done.stderr.count("everybody") == 1
