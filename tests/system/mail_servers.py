# SPDX-License-Identifier: MIT
"""Real mail servers in front of dispatch-bounce, and one as a relay, unpacked by .ci/deps-mail and run from there, each
with a configuration, a queue and ports of its own, on loopback."""
import base64
import contextlib
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from report_peer import PROGRAM
from world import BUILD, free_port, wait_until

MAIL = BUILD / "mail"


def needs(package, program):
    """Skips where it can't be run."""
    if os.geteuid() != 0:
        return pytest.mark.skip(reason=f"{package} needs root: it changes to users of its own")
    return pytest.mark.skipif(not (MAIL / package / program).exists(), reason=f"{package} is not unpacked (make deps-tests)")


def text_file(path, text):
    path.write_text(text, encoding="utf-8")
    return path


class LmtpSocket:
    """dispatch-bounce.socket with its service: a Unix socket, a process a connection."""

    def __init__(self, path, report_socket, user):
        self.path, self.processes = path, []
        self.command = [PROGRAM, "--socket", report_socket, "--lmtp"]
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        os.chown(path, user, -1)
        os.chmod(path, 0o660)
        self.listener.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                with client:
                    self.processes.append(subprocess.Popen(self.command, stdin=client, stdout=client, stderr=subprocess.DEVNULL))

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for process in self.processes:
            process.kill()
            process.wait()


class MailServer:
    """What they have in common: a port for SMTP, and a log."""

    def __init__(self, directory):
        self.directory, self.port, self.process = Path(directory), free_port(), None
        self.log_path = self.directory / "log"

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def accepts(self):
        with contextlib.suppress(OSError, smtplib.SMTPException), smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
            return client.noop()[0] == 250
        return False

    def wait_started(self):
        wait_until(lambda: self.process.poll() is not None or self.accepts(), self.log, 60)
        assert self.process.poll() is None, self.log()

    def deliver(self, recipient, mail, sender=""):
        """As another mail server would hand it in."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.sendmail(sender, [recipient], mail)

    def stop(self):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Postfix(MailServer):
    """`by` is the transport of the domain, as dispatch-bounce(8) has them: "pipe", "lmtp", or "service", LMTP with
    flags."""
    OWNER, GROUP = "daemon", "mail"
    TRANSPORTS = {"pipe": "dispatch-bounce:", "lmtp": "lmtp:unix:private/dispatch-bounce-lmtp",
                  "service": "dispatch-bounce:unix:private/dispatch-bounce-lmtp"}

    def __init__(self, directory, by, report_socket):
        super().__init__(directory)
        root = MAIL / "postfix"
        self.programs = root / "usr/lib/postfix/sbin"
        self.queue, self.conf = self.directory / "queue", self.directory / "conf"
        self.libraries = root / "usr/lib/postfix"
        self.owner = pwd.getpwnam(self.OWNER).pw_uid
        for place in (self.conf, self.directory / "data"):
            place.mkdir()
        os.chown(self.directory / "data", self.owner, -1)
        self.make_queue()
        self.lmtp = LmtpSocket(self.queue / "private/dispatch-bounce-lmtp", report_socket, self.owner) if by != "pipe" else None
        self.write(by, report_socket)

    def make_queue(self):
        self.queue.mkdir()
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace",
                     "maildrop", "public", "pid"):
            (self.queue / name).mkdir()
            if name != "pid":
                os.chown(self.queue / name, self.owner, -1)

    def write(self, by, report_socket):
        service = "- - n - 8 lmtp\n  flags=DO" if by == "service" else (
            f"- n n - 8 pipe\n  flags=DOR user=nobody argv={PROGRAM} --socket {report_socket} -f ${{sender}} ${{recipient}}")
        text_file(self.conf / "main.cf", f"""compatibility_level = 3.6
queue_directory = {self.queue}
data_directory = {self.directory}/data
daemon_directory = {self.programs}
command_directory = {MAIL}/postfix/usr/sbin
shlib_directory = {self.libraries}
mail_owner = {self.OWNER}
setgid_group = {self.GROUP}
default_privs = nobody
maillog_file = {self.log_path}
maillog_file_prefixes = {self.directory}
import_environment = MAIL_CONFIG TZ LANG=C LD_LIBRARY_PATH={self.libraries}
export_environment = TZ PATH=/usr/bin:/bin
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.com
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
smtpd_peername_lookup = no
disable_dns_lookups = yes
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
recipient_delimiter = +
relay_domains = mail.example.com
transport_maps = inline:{{mail.example.com={self.TRANSPORTS[by]}}}
dispatch-bounce_destination_recipient_limit = 1
lmtp_destination_concurrency_limit = 8
virtual_alias_domains = alias.example.com
virtual_alias_maps = inline:{{bounce@alias.example.com=bounce@mail.example.com}}
propagate_unmatched_extensions =
""")
        text_file(self.conf / "master.cf", f"""127.0.0.1:{self.port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
lmtp unix - - n - - lmtp
postlog unix-dgram n - n - 1 postlogd
dispatch-bounce unix {service}
""")

    def start(self):
        environment = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(self.libraries), "MAIL_CONFIG": str(self.conf)}
        self.process = subprocess.Popen([self.programs / "master", "-c", self.conf, "-d"], env=environment, cwd=self.queue,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        self.wait_started()
        return self

    def deferred(self):
        """Queue ids of the mails that it keeps for later."""
        return [path.name for path in (self.queue / "deferred").rglob("*") if path.is_file()]

    def kept(self):
        """Of all mails that it hasn't got rid of."""
        return [path.name for name in ("incoming", "active", "deferred", "maildrop") for path in (self.queue / name).rglob("*")
                if path.is_file()]

    def stop(self):
        super().stop()
        if self.lmtp:
            self.lmtp.close()


class OpenSmtpd(MailServer):
    """It knows its users and places by name: it is run in a mount namespace where these are ours."""

    def __init__(self, directory, by, report_socket):
        super().__init__(directory)
        self.root, self.user = MAIL / "opensmtpd", pwd.getpwnam("nobody")
        for name in ("run", "spool/smtpd", "lib/opensmtpd/empty"):
            (self.directory / name).mkdir(parents=True)
        os.chmod(self.directory / "spool/smtpd", 0o711)
        for name, lines in (("passwd", "opensmtpd:x:7001:7001::/var/lib/opensmtpd/empty:/usr/sbin/nologin\n"
                                       "opensmtpq:x:7002:7002::/var/lib/opensmtpd/empty:/usr/sbin/nologin\n"),
                            ("group", "opensmtpd:x:7001:\nopensmtpq:x:7002:\n")):
            text_file(self.directory / name, Path("/etc", name).read_text(encoding="utf-8") + lines)
        self.lmtp = LmtpSocket(self.directory / "lmtp.sock", report_socket, self.user.pw_uid) if by == "lmtp" else None
        action = (f'lmtp "{self.directory}/lmtp.sock" rcpt-to' if by == "lmtp" else
                  f'mda "{PROGRAM} --socket {report_socket} -f \'%{{sender}}\' \'%{{rcpt}}\'"')
        text_file(self.directory / "smtpd.conf", f"""listen on 127.0.0.1 port {self.port}
table recipients {{ "@mail.example.com" = "nobody" }}
action "bounce" {action} virtual <recipients>
match from any for domain "mail.example.com" action "bounce"
""")

    def start(self):
        shutil.copy(self.root / "usr/libexec/opensmtpd/mail.lmtp", self.directory)
        places = ((self.directory / "passwd", "/etc/passwd"), (self.directory / "group", "/etc/group"),
                  (self.directory / "run", "/run"), (self.directory / "spool", "/var/spool"),
                  (self.directory / "lib", "/var/lib"), (self.root / "usr/libexec", "/usr/libexec"))
        script = "\n".join(["set -e", "mount --make-rprivate /", *(f"mount --bind '{a}' '{b}'" for a, b in places),
                            f"exec '{self.root}/usr/sbin/smtpd' -d -v -f '{self.directory}/smtpd.conf'"])
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        self.wait_started()
        return self

    def kept(self):
        """Of all mails that it hasn't got rid of."""
        return [path.name for path in (self.directory / "spool/smtpd/queue").rglob("*") if path.name == "message"]

    def stop(self):
        super().stop()
        if self.lmtp:
            self.lmtp.close()


class Exim(MailServer):
    """By LMTP. It knows its user by name: it is run in a mount namespace where that is there."""
    ROUTER = """dispatch_bounce:
  driver = accept
  domains = mail.example.com
  transport = dispatch_bounce
"""
    TRANSPORT = """dispatch_bounce:
  driver = lmtp
  socket = {socket}
  user = {user}
  rcpt_include_affixes
"""

    def __init__(self, directory, report_socket):
        super().__init__(directory)
        self.root, self.user = MAIL / "exim", pwd.getpwnam("nobody")
        self.spool = self.directory / "spool"
        self.spool.mkdir()
        os.chown(self.spool, 7001, 7001)
        os.chmod(self.directory, 0o755)
        self.log_path = self.spool / "mainlog"
        for name, line in (("passwd", "Debian-exim:x:7001:7001::/nonexistent:/usr/sbin/nologin\n"), ("group", "Debian-exim:x:7001:\n")):
            text_file(self.directory / name, Path("/etc", name).read_text(encoding="utf-8") + line)
        self.lmtp = LmtpSocket(self.directory / "lmtp.sock", report_socket, self.user.pw_uid)
        text_file(self.directory / "exim4.conf", f"""primary_hostname = mx.example.com
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.port}
spool_directory = {self.spool}
log_file_path = {self.spool}/%slog
pid_file_path = {self.spool}/pid
keep_environment = LD_LIBRARY_PATH
acl_smtp_rcpt = accept
begin routers
{self.ROUTER}begin transports
{self.TRANSPORT.format(socket=self.directory / "lmtp.sock", user=self.user.pw_name)}begin retry
* * F,1h,1s
""")

    def start(self):
        script = "\n".join(["set -e", "mount --make-rprivate /",
                            f"mount -t overlay overlay -o 'lowerdir={self.root}/usr:/usr' /usr",
                            f"mount -t overlay overlay -o 'lowerdir={self.directory}/etc:/etc' /etc",
                            "exec /usr/sbin/exim4 -bdf -q1s"])
        (self.directory / "etc/exim4").mkdir(parents=True)
        for name, to in (("passwd", "passwd"), ("group", "group"), ("exim4.conf", "exim4/exim4.conf")):
            shutil.copy(self.directory / name, self.directory / "etc" / to)
        with open(self.directory / "out", "wb") as out:
            self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, start_new_session=True)
        self.wait_started()
        return self

    def log(self):
        out = self.directory / "out"
        return super().log() + (out.read_text(encoding="utf-8", errors="replace") if out.exists() else "")

    def kept(self):
        """Of all mails that it hasn't got rid of."""
        return [path.name for path in (self.spool / "input").rglob("*-D")]

    def stop(self):
        super().stop()
        self.lmtp.close()


class Dovecot(MailServer):
    """A relay: its submission service, which takes mails from users who log in by `mechanism` and hands them to
    `next_port`. Users with a password are `users`; access tokens are signed with `key` (RFC 7519, HS256).

    It knows its programs by name: it is run in a mount namespace where they are ours."""

    def __init__(self, directory, certificate, mechanism, next_port, users, key):
        super().__init__(directory)
        self.root, self.tls_port = MAIL / "dovecot", free_port()
        keys = self.directory / "keys/default/HS256"
        for place in (keys, self.directory / "home"):
            place.mkdir(parents=True)
        os.chmod(self.directory, 0o755)
        os.chown(self.directory / "home", pwd.getpwnam("nobody").pw_uid, -1)
        text_file(keys / "default", base64.b64encode(key).decode())
        text_file(self.directory / "users", "".join(f"{user}:{{PLAIN}}{password}\n" for user, password in users.items()))
        text_file(self.directory / "oauth2", f"""introspection_mode = local
local_validation_key_dict = fs:posix:prefix={self.directory}/keys/
username_attribute = email
""")
        text_file(self.directory / "dovecot.conf", f"""protocols = submission
listen = 127.0.0.1
base_dir = {self.directory}/run
state_dir = {self.directory}/state
log_path = {self.log_path}
auth_verbose = yes
default_internal_user = daemon
default_internal_group = daemon
default_login_user = nobody
mail_location = maildir:{self.directory}/home/mail
hostname = relay.example.com
ssl = required
ssl_cert = <{certificate}
ssl_key = <{certificate}
auth_mechanisms = {mechanism}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {self.directory}/oauth2
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5
  args = {self.directory}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={self.directory}/home
}}
first_valid_uid = 1
submission_relay_host = 127.0.0.1
submission_relay_port = {next_port}
submission_relay_trusted = yes
service submission-login {{
  inet_listener submission {{
    port = {self.port}
  }}
  inet_listener submissions {{
    port = {self.tls_port}
    ssl = yes
  }}
}}
""")

    def start(self):
        script = "\n".join(["set -e", "mount --make-rprivate /",
                            f"mount -t overlay overlay -o 'lowerdir={self.root}/usr:/usr' /usr",
                            f"exec /usr/sbin/dovecot -F -c '{self.directory}/dovecot.conf'"])
        with open(self.directory / "out", "wb") as out:
            self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, start_new_session=True)
        self.wait_started()
        return self
