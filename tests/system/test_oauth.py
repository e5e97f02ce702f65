# SPDX-License-Identifier: MIT
"""Login with an access token: OAUTHBEARER and XOAUTH2, and the file that another program keeps fresh."""
import json
import os
import tempfile

import pytest

from kit import wait_outcome
from smtp_peer import Drop, Hang, SmtpPeer, Trickle, tls_context
from test_config import check
from test_mailer import Probe, fails
from test_relay_test import ask, names
from world import wait_until

ME = "dispatch@example.com"


@pytest.fixture
def token_file(tmp_path):
    return write(tmp_path / "token", "ya29.first\n")


def write(path, text, mode=0o600):
    """As a program does that is careful: whole, or not at all."""
    new = f"{path}.new"
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(new, mode)
    os.rename(new, path)
    return str(path)


def start(certificates, tokens, implicit=True, **options):
    options = {"auth": "XOAUTH2 OAUTHBEARER", **options}
    return SmtpPeer(tls=tls_context(certificates["good"]), implicit=implicit, auth_before_tls=False, tokens=tokens, **options)


def over(peer, certificates, token_file, **settings):
    return Probe(f"localhost:{peer.port}", **{"ca_file": certificates["ca"], "user": ME, "oauth_token_file": token_file,
                                              "tls": "implicit" if peer.implicit else "required", **settings})


def said(peer):
    return [s.auth for s in peer.sessions]


@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "starttls"])
@pytest.mark.parametrize("auth", ["XOAUTH2", "OAUTHBEARER", "PLAIN LOGIN XOAUTH2 OAUTHBEARER", "PLAIN xoauth2"])
def test_the_token_is_right(certificates, token_file, implicit, auth):
    with start(certificates, {ME: "ya29.first"}, implicit, auth=auth) as peer:
        with over(peer, certificates, token_file) as probe:
            for _ in range(3):
                assert probe.send()["delivery"] == "sent"
    assert {m.user for m in peer.mails} == {ME} and peer.connections == 1
    (name, words, text), = said(peer)
    assert words == 3
    if "OAUTHBEARER" in auth:
        assert (name, text) == ("OAUTHBEARER", f"n,a={ME},\1host=localhost\1port={peer.port}\1auth=Bearer ya29.first\1\1")
    else:
        assert (name, text) == ("XOAUTH2", f"user={ME}\1auth=Bearer ya29.first\1\1")


@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "starttls"])
@pytest.mark.parametrize("auth", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("size", [200, *range(300, 340, 8), 1600, 4096, 8000])
def test_long_tokens(certificates, tmp_path, implicit, auth, size):
    """One that doesn't fit into a command's line comes after it."""
    token = "a.-_~+/9" * (size // 8)
    path = write(tmp_path / "token", token)
    with start(certificates, {ME: token}, implicit, auth=auth) as peer, over(peer, certificates, path) as probe:
        assert probe.send()["delivery"] == "sent"
    (name, words, text), = said(peer)
    assert words == (3 if len(f"AUTH {name} ") + (len(text) + 2) // 3 * 4 + 2 <= 512 else 2)


@pytest.mark.parametrize("text", ["ya29.first", "ya29.first\n", "ya29.first \r\n", "ya29.first\nexpires 2030\n",
                                  json.dumps({"access_token": "ya29.first", "expires_in": 3599, "token_type": "Bearer"})])
def test_forms_of_the_file(certificates, tmp_path, text):
    path = write(tmp_path / "token", text)
    with start(certificates, {ME: "ya29.first"}) as peer, over(peer, certificates, path) as probe:
        assert probe.send()["delivery"] == "sent"


def test_a_user_with_a_comma(certificates, token_file):
    user = "a,b=c@example.com"
    with start(certificates, {user: "ya29.first"}) as peer, over(peer, certificates, token_file, user=user) as probe:
        assert probe.send()["delivery"] == "sent"
    assert peer.mails[0].user == user


def test_each_connection_reads_the_file(certificates, token_file):
    with start(certificates, {ME: "ya29.first"}) as peer, over(peer, certificates, token_file, limits={"mails": 1}) as probe:
        assert probe.send()["delivery"] == "sent"
        write(token_file, "ya29.second")
        peer.tokens[ME] = "ya29.second"
        assert probe.send()["delivery"] == "sent"
    assert ["first" in auth[2] for auth in said(peer)] == [True, False]


@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "starttls"])
@pytest.mark.parametrize("auth", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_that_has_expired_is_the_relays_fault(certificates, token_file, auth, implicit):
    with start(certificates, {ME: "ya29.second"}, implicit, auth=auth) as peer, over(peer, certificates, token_file) as probe:
        result = probe.send()
        assert result["delivery"] == "relay"
        assert result["reply"] == (f"AUTH {auth}: the access token in {token_file} is refused; it may have expired, status 401: "
                                   "535 5.7.8 wrong user or password")
        assert not any(c.startswith("MAIL") for c in peer.commands())
        assert probe.relays()[0]["words"] == result["reply"]
        write(token_file, "ya29.second")
        assert probe.until_sent()
    assert peer.count == 1 and peer.mails[0].user == ME


@pytest.mark.parametrize("reply,words", [("454 4.7.0 later", "is refused: 454 4.7.0 later"),
                                         ("535-5.7.8 no\r\n535 5.7.8 never", "it may have expired: 535-5.7.8 no 5.7.8 never"),
                                         ("535 5.7.8 not ya29.first", "535 5.7.8 not ***"),
                                         ("250 2.0.0 fine", "answered 250 out of turn"),
                                         (Drop, "the relay closed the connection"), (Hang(), "the relay took too long"),
                                         (Trickle(interval=0.02), "the relay took too long")])
def test_refused_and_cut_off(certificates, token_file, reply, words):
    with start(certificates, {ME: "ya29.first"}, answers={"auth": reply}) as peer:
        with over(peer, certificates, token_file, limits={"auth_ms": 400}) as probe:
            result = probe.send()
            assert result["delivery"] == "relay" and words in result["reply"], result["reply"]
            assert not any(c.startswith("MAIL") for c in peer.commands())
            del peer.answers["auth"]
            assert probe.until_sent()


@pytest.mark.parametrize("auth,offered", [("PLAIN LOGIN", "PLAIN LOGIN"), ("", "no way to log in"), ("XOAUTH PLAIN", "XOAUTH PLAIN")])
def test_a_relay_without_it(certificates, token_file, auth, offered):
    with start(certificates, {ME: "ya29.first"}, auth=auth) as peer, over(peer, certificates, token_file) as probe:
        result = probe.send()
    assert result["delivery"] == "relay"
    assert result["reply"] == f"AUTH: the relay offers {offered}; oauth_token_file is for OAUTHBEARER and XOAUTH2"
    assert not any(c.startswith(("AUTH", "MAIL")) for c in peer.commands())


@pytest.mark.parametrize("text,mode,words", [
    (None, 0, "No such file"), ("", 0o600, "is empty"), ("\nya29\n", 0o600, "its first line is empty"),
    ("ya 29", 0o600, "a character that an access token can't have"), ("ya29\1x", 0o600, "a character that an access token can't have"),
    ("x" * 8001, 0o600, "at most 8000 bytes"), ("x" * 32769, 0o600, "has more than 32768 bytes"),
    ("{\"token\": \"ya29\"}", 0o600, "isn't a JSON object with an access_token"),
    ("{", 0o600, "isn't a JSON object with an access_token"),
    ("{\"access_token\": \"ya29\\u0001\"}", 0o600, "a character that an access token can't have"),
    ("{\"access_token\": \"\"}", 0o600, "its first line is empty")])
def test_a_file_that_is_no_good_is_the_relays_fault(certificates, token_file, text, mode, words):
    """It is another program's, and may be mended at any time."""
    with start(certificates, {ME: "ya29.good"}) as peer, over(peer, certificates, token_file) as probe:
        os.unlink(token_file)
        if text is not None:
            write(token_file, text, mode)
        result = probe.send()
        assert result["delivery"] == "relay"
        assert result["reply"].startswith(f"AUTH: oauth_token_file: {token_file}: ") and words in result["reply"]
        assert not text or text not in result["reply"].replace(token_file, "")
        write(token_file, "ya29.good")
        assert probe.until_sent()
    assert not any(c.startswith("AUTH") for c in peer.sessions[0].commands)


def test_a_file_that_everybody_can_read(certificates):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = write(f"{folder}/token", "ya29.first", 0o644)
        with start(certificates, {ME: "ya29.first"}) as peer, over(peer, certificates, path) as probe:
            result = probe.send()
            assert result["delivery"] == "relay" and f"chmod o= {path}" in result["reply"]
            os.chmod(path, 0o600)
            assert probe.until_sent()


def test_a_file_that_is_none(certificates, tmp_path):
    os.mkfifo(tmp_path / "token")
    with start(certificates, {ME: "x"}) as peer, over(peer, certificates, str(tmp_path / "token")) as probe:
        assert probe.send()["reply"].endswith("is not a regular file")


def test_many_connections(certificates, token_file):
    with start(certificates, {ME: "ya29.first"}) as peer:
        with over(peer, certificates, token_file, connections=4, limits={"mails": 5}) as probe:
            probe.say(bulk=80, size=500)
            assert probe.next("bulk", 30)["bulk"] == {"sent": 80}
    assert {m.user for m in peer.mails} == {ME} and peer.connections >= 16


def test_it_goes_only_over_tls(certificates, token_file):
    """A bearer token is whoever's who hears it."""
    for tls in ("none", "opportunistic"):
        assert "needs tls = required or implicit" in fails("127.0.0.1:25", user=ME, oauth_token_file=token_file, tls=tls)
    with start(certificates, {ME: "ya29.first"}, answers={"starttls": "454 4.7.0 no"}, implicit=False) as peer:
        with over(peer, certificates, token_file) as probe:
            assert probe.send()["delivery"] == "relay"
    assert not any(c.startswith("AUTH") for c in peer.commands())


def test_no_token_to_a_relay_that_is_another(certificates, token_file):
    with SmtpPeer(tls=tls_context(certificates["wrong"]), implicit=True, tokens={ME: "x"}) as peer:
        with over(peer, certificates, token_file) as probe:
            assert "certificate is refused" in probe.send()["reply"]
    assert not peer.commands()


def token_world(world, peer, certificates, token_file, **more):
    world.configure(mail={"transport": "smtp"}, smtp={"relay": f"localhost:{peer.port}", "tls": "implicit", "user": ME,
                                                      "ca_file": certificates["ca"], "oauth_token_file": token_file, **more})


def test_a_daemon_and_its_relay_test(world, certificates, token_file):
    world.ctl("customer", "add", "1001", "--name", "Maple", "--email", "ann@example.com")
    with start(certificates, {ME: "ya29.first"}, auth="XOAUTH2") as peer:
        token_world(world, peer, certificates, token_file)
        assert check(world, "-c", world.config_path).returncode == 0
        world.start_daemon()
        (relay,) = ask(world)
        assert names(relay) == ["resolve", "connect", "tls", "greeting", "ehlo", "login", "mail", "rcpt", "rset"]
        assert relay["steps"][5]["reply"] == "235 2.7.0 welcome (XOAUTH2)"
        world.xadd("jobs:events", id="e1", type="job.failed", job="j1", customer="1001")
        wait_outcome(world, "e1", "sent")
        write(token_file, "ya29.old")
        (relay,) = ask(world, status=69)
        assert (names(relay)[-1], relay["steps"][-1]["reply"]) == ("login", "535 5.7.8 wrong user or password (XOAUTH2)")
        peer.answers["auth"] = "535-5.7.8 what is\r\n535 5.7.8 ya29.old?"
        (relay,) = ask(world, status=69)
        assert relay["steps"][-1]["reply"] == "535-5.7.8 what is 5.7.8 ***? (XOAUTH2)"
        # A reply is kept as far as it has room: what is left of the token by then is masked, too.
        write(token_file, "ya29." + "x" * 600)
        peer.answers["auth"] = "535 5.7.8 what is ya29." + "x" * 600
        (relay,) = ask(world, status=69)
        assert relay["steps"][-1]["reply"] == "535 5.7.8 what is *** (XOAUTH2)"
        del peer.answers["auth"]
        os.unlink(token_file)
        (relay,) = ask(world, status=69)
        assert (names(relay)[-1], relay["steps"][-1]["reply"]) == (
            "login", f"AUTH: oauth_token_file: {token_file}: No such file or directory")
        assert world.ctl("reload").returncode == 0, "another program's, which may write it at any time"
    assert "ya29" not in world.daemon.log() and {m.user for m in peer.mails} == {ME}


def test_what_is_wrong_with_it_is_a_fault_of_the_configuration(world, certificates, token_file):
    with start(certificates, {ME: "ya29.first"}) as peer:
        token_world(world, peer, certificates, token_file)
        write(token_file, "")
        done = check(world, "-c", world.config_path)
        assert done.returncode == 78
        assert f"[smtp] oauth_token_file: {token_file}: is empty" in done.stderr
        world.configure(smtp={"tls": "opportunistic"})
        done = check(world, "-c", world.config_path)
        assert done.returncode == 78 and "[smtp] oauth_token_file needs tls = required or implicit" in done.stderr


def test_two_relays_of_which_each_has_its_own_way(world, certificates, token_file, tmp_path):
    world.ctl("customer", "add", "1001", "--name", "Maple", "--email", "ann@example.com")
    with start(certificates, {ME: "ya29.first"}, auth="OAUTHBEARER") as first, \
            start(certificates, {}, implicit=False, users={"me": "correct horse"}, auth="PLAIN") as second:
        world.configure(mail={"transport": "smtp"}, smtp={"ca_file": certificates["ca"]},
                        **{"smtp.google": {"relay": f"localhost:{first.port}", "tls": "implicit", "user": ME,
                                           "oauth_token_file": token_file},
                           "smtp.backup": {"relay": f"localhost:{second.port}", "tls": "required", "user": "me",
                                           "password_file": write(tmp_path / "password", "correct horse")}})
        world.start_daemon()
        google, backup = ask(world)
        assert (google["relay"], backup["relay"]) == ("google", "backup") and google["ok"] and backup["ok"]
        assert [[step["reply"] for step in relay["steps"] if step["step"] == "login"] for relay in (google, backup)] == [
            ["235 2.7.0 welcome (OAUTHBEARER)"], ["235 2.7.0 welcome (PLAIN)"]]
        write(token_file, "ya29.old")
        world.xadd("jobs:events", id="e1", type="job.failed", job="j1", customer="1001")
        wait_outcome(world, "e1", "sent")
        wait_until(lambda: f"the access token in {token_file} is refused" in world.daemon.log(), "the log")
        assert f"the access token in {token_file} is refused" in world.ctl_json("status")["relays"][0]["reply"]
    assert first.count == 0 and second.mails[0].user == "me"
