# SPDX-License-Identifier: MIT
"""An SMTP server for tests that records what it gets and misbehaves on demand.

    with SmtpPeer() as peer:                       # 127.0.0.1, a free port
        ...                                        # peer.relay is "127.0.0.1:PORT"
        peer.wait_mails(1)[0].recipients

What it answers at each stage is `peer.answers[stage]`; the stages are greeting, ehlo, starttls,
auth, mail, rcpt, data, body, rset, quit. An answer is a reply ("550 5.1.1 no such user"), one of the
actions below, or a function of (session, text of the command) that returns one of these or None
for the ordinary answer. It may be changed at any time.

It is a plain thread a connection and holds to no asyncio loop, so that it can do what no proper
server would: stop in the middle of anything.
"""
import base64
import hmac
import os
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field

from world import PATIENCE


class Hang:
    """Says nothing more and keeps the connection."""


class Deaf:
    """Says nothing more, reads nothing more, and keeps the connection."""


class Drop:
    """Closes the connection without a word."""


@dataclass
class Trickle:
    """A reply that comes byte by byte, and never ends where `endless`."""
    reply: str = "250 slow"
    interval: float = 0.1
    endless: bool = True


@dataclass
class Then:
    """A reply, and then an action."""
    reply: str
    action: object


@dataclass
class Raw:
    """Bytes as they are, in one write."""
    data: bytes


@dataclass
class Mail:
    sender: str
    recipients: list
    sender_options: str
    recipient_options: list
    data: bytes
    tls: str = None
    sni: str = None
    user: str = None
    connection: int = 0

    @property
    def text(self):
        return self.data.decode("utf-8", "replace")


@dataclass
class Session:
    number: int
    tls: str = None
    sni: str = None
    user: str = None
    auth: tuple = None
    sender: str = None
    sender_options: str = ""
    recipients: list = field(default_factory=list)
    recipient_options: list = field(default_factory=list)
    commands: list = field(default_factory=list)
    mails: int = 0


class _End(Exception):
    pass


DEFAULT_EXTENSIONS = ["PIPELINING", "SIZE 10485760", "ENHANCEDSTATUSCODES", "8BITMIME"]


class SmtpPeer:
    def __init__(self, host="127.0.0.1", port=0, path=None, extensions=None, tls=None, users=None,
                 auth="PLAIN LOGIN", auth_before_tls=True, answers=None, stop_in_body=None, keep=True, implicit=False, tokens=None):
        self.extensions = list(DEFAULT_EXTENSIONS if extensions is None else extensions)
        self.tls, self.users, self.auth, self.auth_before_tls = tls, users, auth, auth_before_tls
        self.answers = dict(answers or {})
        self.tokens = tokens or {}            # user: access token
        self.implicit = implicit              # TLS from the first byte
        self.stop_in_body = stop_in_body      # drop after so many bytes of a body
        self.keep = keep                      # keep the mails' data
        self.mails, self.sessions, self.sni = [], [], None
        self.count = 0
        self.lock = threading.Condition()
        self.closing = threading.Event()
        self.open = set()
        if tls:
            tls.sni_callback = self._on_sni
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            self.relay = f"unix:{path}"
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.listener = socket.socket(family)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((host, port))
            self.port = self.listener.getsockname()[1]
            self.relay = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.listener.listen(128)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    # -- for tests --

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.closing.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        with self.lock:
            for sock in list(self.open):
                _shut(sock)
            self.lock.notify_all()

    def wait_mails(self, n, timeout=10):
        end = time.monotonic() + timeout * PATIENCE
        with self.lock:
            while self.count < n and time.monotonic() < end:
                self.lock.wait(0.1)
            assert self.count >= n, f"{self.count} mails came, {n} were expected"
            return list(self.mails)

    @property
    def connections(self):
        return len(self.sessions)

    def commands(self):
        """All that was said, over all connections."""
        return [c for s in self.sessions for c in s.commands]

    # -- the server --

    def _on_sni(self, sock, name, context):
        self.sni = name

    def _accept(self):
        while not self.closing.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                session = Session(len(self.sessions) + 1)
                self.sessions.append(session)
                self.open.add(sock)
            threading.Thread(target=self._serve, args=(sock, session), daemon=True).start()

    def _serve(self, sock, session):
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk = _Talk(self, sock, session)
        try:
            talk.run()
        except (_End, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(sock)
                self.open.discard(talk.sock)
            _shut(talk.sock)
            talk.sock.close()

    def _record(self, session, data):
        mail = Mail(session.sender, session.recipients, session.sender_options,
                    session.recipient_options, data if self.keep else b"", session.tls, session.sni,
                    session.user, session.number)
        with self.lock:
            self.mails.append(mail)
            self.count += 1
            session.mails += 1
            self.lock.notify_all()


def _shut(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class _Talk:
    """One connection's conversation."""

    def __init__(self, peer, sock, session):
        self.peer, self.sock, self.session, self.buffer = peer, sock, session, b""

    def run(self):
        if self.peer.implicit:
            self.begin_tls()
        self.say("greeting", "", "220 peer.example.com ESMTP")
        while True:
            line = self.line().decode("latin-1").rstrip("\r\n")
            self.session.commands.append(line)
            verb = line.split(" ")[0].split(":")[0].upper()
            handler = getattr(self, "on_" + verb.lower(), None)
            if handler:
                handler(line)
            else:
                self.send("500 5.5.2 what?")

    # -- input and output --

    def more(self):
        part = self.sock.recv(65536)
        if not part:
            raise _End
        self.buffer += part

    def line(self):
        while b"\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line + b"\n"

    def send(self, reply):
        self.sock.sendall(reply.encode() + b"\r\n")

    def act(self, action):
        """Does what the test asked for; returns whether the reply (if it was one) was good."""
        if isinstance(action, str):
            self.send(action)
            return action[0] in "23"
        if isinstance(action, Raw):
            self.sock.sendall(action.data)
            return True
        if isinstance(action, Then):
            self.send(action.reply)
            return self.act(action.action)
        if isinstance(action, Trickle):
            self.trickle(action)
            return True
        if isinstance(action, Deaf):
            self.peer.closing.wait()
        if action is Hang or isinstance(action, Hang):
            while not self.peer.closing.is_set():
                self.more()
        raise _End

    def trickle(self, action):
        text = (action.reply if not action.endless else action.reply[:3] + "-").encode()
        while not self.peer.closing.is_set():
            for byte in text:
                self.sock.sendall(bytes([byte]))
                time.sleep(action.interval)
            if not action.endless:
                self.sock.sendall(b"\r\n")
                return
            text = b"x"

    def say(self, stage, line, usual):
        action = self.peer.answers.get(stage)
        if callable(action) and not isinstance(action, type):
            action = action(self.session, line)
        return self.act(usual if action is None else action)

    # -- commands --

    def on_ehlo(self, line):
        names = list(self.peer.extensions)
        if self.peer.tls and not self.session.tls:
            names.append("STARTTLS")
        if (self.peer.users is not None or self.peer.tokens) and (self.session.tls or self.peer.auth_before_tls):
            names.append("AUTH " + self.peer.auth)
        lines = ["peer.example.com"] + names
        reply = "\r\n".join("250" + ("-" if i + 1 < len(lines) else " ") + name for i, name in enumerate(lines))
        self.say("ehlo", line, reply)

    def on_helo(self, line):
        self.say("helo", line, "250 peer.example.com")

    def on_starttls(self, line):
        if not self.say("starttls", line, "220 2.0.0 go on"):
            return
        self.begin_tls()

    def begin_tls(self):
        with self.peer.lock:
            self.peer.open.discard(self.sock)
        self.sock = self.peer.tls.wrap_socket(self.sock, server_side=True)
        with self.peer.lock:
            self.peer.open.add(self.sock)
        self.session.tls = self.sock.version()
        self.session.sni = self.peer.sni
        self.buffer = b""

    def on_auth(self, line):
        words = line.split(" ")
        self.session.commands[-1] = "AUTH " + words[1]
        user = password = ""
        right = None
        if words[1].upper() == "PLAIN":
            text = words[2] if len(words) > 2 else self.ask("")
            _, user, password = base64.b64decode(text).decode().split("\0")
        elif words[1].upper() == "LOGIN":
            text = words[2] if len(words) > 2 else self.ask("VXNlcm5hbWU6")
            user = base64.b64decode(text).decode()
            password = base64.b64decode(self.ask("UGFzc3dvcmQ6")).decode()
        elif words[1].upper() == "CRAM-MD5":
            challenge = f"<{os.urandom(6).hex()}.1@peer.example.com>".encode()
            user, _, digest = base64.b64decode(self.ask(base64.b64encode(challenge).decode())).decode().rpartition(" ")
            secret = (self.peer.users or {}).get(user, os.urandom(6).hex()).encode()
            right = hmac.compare_digest(digest, hmac.new(secret, challenge, "md5").hexdigest())
        elif words[1].upper() in ("XOAUTH2", "OAUTHBEARER"):
            assert len(words) < 3 or len(line) + 2 <= 512, "too long for a command (RFC 4954, section 4)"
            user, right = self.on_token(words)
            if right is None:
                return
        else:
            self.send("504 5.5.4 no such mechanism")
            return
        if right is None:
            right = (self.peer.users or {}).get(user) == password
        if self.say("auth", line, "235 2.7.0 welcome" if right else "535 5.7.8 wrong user or password") and right:
            self.session.user = user

    def on_token(self, words):
        """RFC 7628, and what Google and Microsoft document for XOAUTH2."""
        text = words[2] if len(words) > 2 else self.ask("")
        self.session.auth = (words[1].upper(), len(words), base64.b64decode(text, validate=True).decode())
        first, *pairs = self.session.auth[2].split("\1")
        if pairs[-2:] != ["", ""]:
            self.send("501 5.5.2 it doesn't end as it must")
            return "", None
        pairs = dict(pair.split("=", 1) for pair in pairs[:-2])
        if words[1].upper() == "OAUTHBEARER":
            assert first.startswith("n,a=") and first.endswith(","), first
            user = first[4:-1].replace("=2C", ",").replace("=3D", "=")
        else:
            user = first.removeprefix("user=")
        right = self.peer.tokens.get(user) is not None and pairs["auth"] == "Bearer " + self.peer.tokens[user]
        if not right and "auth" not in self.peer.answers:
            answer = self.ask(base64.b64encode(b'{"status":"401","schemes":"bearer","scope":"https://mail.example.com/"}').decode())
            assert answer == ("AQ==" if words[1].upper() == "OAUTHBEARER" else ""), answer
        return user, right

    def ask(self, challenge):
        self.send("334 " + challenge)
        return self.line().decode().strip()

    def on_mail(self, line):
        self.session.recipients, self.session.recipient_options = [], []
        address, options = _address(line)
        if self.say("mail", line, "250 2.1.0 fine"):
            self.session.sender, self.session.sender_options = address, options

    def on_rcpt(self, line):
        address, options = _address(line)
        if self.say("rcpt", line, "250 2.1.5 fine"):
            self.session.recipients.append(address)
            self.session.recipient_options.append(options)

    def on_data(self, line):
        if not self.session.recipients and "data" not in self.peer.answers:
            self.send("554 5.5.1 no valid recipients")
            return
        action = self.peer.answers.get("data")
        if callable(action) and not isinstance(action, type):
            action = action(self.session, line)
        action = "354 go on" if action is None else action
        self.act(action)
        if not isinstance(action, str) or not action.startswith("354"):
            return
        data = self.body()
        usual = f"250 2.0.0 taken as {self.peer.count + 1}"
        action = self.peer.answers.get("body")
        if callable(action) and not isinstance(action, type):
            action = action(self.session, data)
        if not self.session.recipients:
            self.send("554 5.5.1 no valid recipients")
            return
        reply = usual if action is None else action
        if isinstance(reply, str) and reply.startswith("250") or isinstance(reply, Then) and reply.reply[0] == "2":
            self.peer._record(self.session, data)
        self.act(reply)

    def body(self):
        """Reads to the final dot, with the stuffed dots taken out."""
        while not (self.buffer.startswith(b".\r\n") or b"\r\n.\r\n" in self.buffer):
            if self.peer.stop_in_body is not None and len(self.buffer) >= self.peer.stop_in_body:
                raise _End
            self.more()
        if self.buffer.startswith(b".\r\n"):
            data, self.buffer = b"", self.buffer[3:]
        else:
            data, self.buffer = self.buffer.split(b"\r\n.\r\n", 1)
            data += b"\r\n"
        return b"\r\n".join(l[1:] if l.startswith(b".") else l for l in data.split(b"\r\n"))

    def on_rset(self, line):
        self.session.recipients = []
        self.say("rset", line, "250 2.0.0 fine")

    def on_noop(self, line):
        self.send("250 2.0.0 fine")

    def on_quit(self, line):
        self.say("quit", line, "221 2.0.0 bye")
        raise _End


def _address(line):
    start, end = line.find("<"), line.find(">")
    return line[start + 1:end], line[end + 1:].strip()


def start(world, **options):
    """A peer that ends with the world, set as its relay."""
    peer = SmtpPeer(**options)
    world.cleanups.append(peer.close)
    world.configure(mail={"transport": "smtp"}, smtp={"relay": peer.relay})
    return peer


# -- certificates, made for the test --

def make_authority(directory):
    """A certificate authority of the test's own: (certificate, key, path of the PEM file)."""
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    cert = _certificate("Test Authority", key, None, None, [], -1, 30, authority=True)
    path = os.path.join(directory, "ca.pem")
    _write(path, [cert])
    return cert, key, path


def make_certificate(directory, authority, names, name="server", days_from=-1, days_until=30):
    """A server's PEM file (key and certificate); `authority` None: signed by itself."""
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, issuer_key = (authority[0], authority[1]) if authority else (None, None)
    cert = _certificate(names[0], key, issuer, issuer_key, names, days_from, days_until)
    path = os.path.join(directory, name + ".pem")
    _write(path, [key, cert])
    return path


def _certificate(subject, key, issuer, issuer_key, names, days_from, days_until, authority=False):
    import datetime
    import ipaddress
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(own).issuer_name(issuer.subject if issuer else own)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now + datetime.timedelta(days=days_from))
               .not_valid_after(now + datetime.timedelta(days=days_until))
               .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
    general = []
    for name in names:
        try:
            general.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            general.append(x509.DNSName(name))
    if general:
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256())


def _write(path, things):
    from cryptography.hazmat.primitives import serialization as s
    with open(path, "wb") as f:
        for thing in things:
            if hasattr(thing, "private_bytes"):
                f.write(thing.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
            else:
                f.write(thing.public_bytes(s.Encoding.PEM))


def tls_context(pem, lowest=None, highest=None):
    """A server's context with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    if lowest or highest:
        context.set_ciphers("ALL:@SECLEVEL=0")
    if lowest:
        context.minimum_version = lowest
    if highest:
        context.maximum_version = highest
    return context
