# SPDX-License-Identifier: MIT
"""Each way to log in, and TLS both ways, with a relay that isn't ours: Dovecot's submission service."""
import base64
import hmac
import json
import os
import tempfile
import time

import pytest

from mail_servers import Dovecot, needs
from smtp_peer import SmtpPeer, make_authority, make_certificate
from test_mailer import HEAD, Probe

ME, PASSWORD, KEY = "dispatch@example.com", "correct horse", b"known to the relay alone"
OTHER, LONG = "other@example.com", "p" * 255  # the longest password

pytestmark = [needs("dovecot", "usr/sbin/dovecot"), pytest.mark.xdist_group("dovecot")]


def url_base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def access_token(valid_s=3600, **more):
    """As an identity provider signs it; the relay needs nobody to verify it."""
    now = int(time.time())
    claims = {"sub": ME, "email": ME, "iat": now - 60, "nbf": now - 60, "exp": now + valid_s, **more}
    signed = ".".join(url_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{url_base64(hmac.new(KEY, signed.encode(), 'sha256').digest())}"


class Place:
    """A relay, the server behind it, and files with secrets."""

    def __init__(self, directory, mechanism):
        self.directory, self.mechanism = directory, mechanism
        self.ca = make_authority(directory)
        self.next = SmtpPeer()
        self.relay = Dovecot(os.path.join(directory, "dovecot"), make_certificate(directory, self.ca, ["localhost"]),
                             mechanism, self.next.port, {ME: PASSWORD, OTHER: LONG}, KEY).start()

    def close(self):
        self.relay.stop()
        self.next.close()

    def secret(self, text):
        path = os.path.join(self.directory, "secret")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def probe(self, tls, secret, user=ME):
        path = self.secret(secret)
        key = "oauth_token_file" if "oauth" in self.mechanism else "password_file"
        port = self.relay.tls_port if tls == "implicit" else self.relay.port
        return Probe(f"localhost:{port}", tls=tls, ca_file=self.ca[2], user=user, **{key: path})


@pytest.fixture(name="place", scope="module", params=["plain", "login", "cram-md5", "xoauth2", "oauthbearer"])
def fixture_place(request):
    with tempfile.TemporaryDirectory(prefix="dovecot-") as directory:
        os.chmod(directory, 0o755)
        os.mkdir(os.path.join(directory, "dovecot"))
        place = Place(directory, request.param)
        try:
            yield place
        finally:
            place.close()


def right(place):
    return access_token() if "oauth" in place.mechanism else PASSWORD


@pytest.mark.parametrize("tls", ["implicit", "required"])
def test_a_login_that_is_right(place, tls):
    before = place.next.count
    with place.probe(tls, right(place)) as probe:
        for _ in range(3):
            result = probe.send(text=HEAD + "Hello\r\n")
            assert result["delivery"] == "sent", (result, place.relay.log())
    assert place.next.count == before + 3 and place.next.mails[-1].data.endswith(b"\r\n\r\nHello\r\n")
    assert f"method={place.mechanism.upper()}, " in place.relay.log()


@pytest.mark.parametrize("tls", ["implicit", "required"])
def test_a_login_that_is_wrong(place, tls):
    """It is refused, and once it is mended the relay is used again."""
    wrong = access_token(-60) if "oauth" in place.mechanism else "incorrect horse"
    with place.probe(tls, wrong) as probe:
        result = probe.send()
        assert result["delivery"] == "relay" and "535 5.7.8 Authentication failed" in result["reply"], result
        if "oauth" in place.mechanism:
            assert result["reply"].startswith(f"AUTH {place.mechanism.upper()}: the access token in ")
            assert "it may have expired, status " in result["reply"]
            place.secret(right(place))
            assert probe.until_sent()


@pytest.mark.parametrize("tls", ["implicit", "required"])
def test_long_secrets(place, tls):
    """Access tokens of 4 kB and more, as Microsoft's can be."""
    oauth = "oauth" in place.mechanism
    with place.probe(tls, access_token(groups="g" * 3000) if oauth else LONG, ME if oauth else OTHER) as probe:
        assert probe.send()["delivery"] == "sent", place.relay.log()
