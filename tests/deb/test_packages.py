# SPDX-License-Identifier: MIT
"""The packages on a fresh Debian under a systemd of its own: each test goes on from where the one before it stopped."""
import json
import re
import smtplib
import socket
import subprocess
import sys

from tree import ROOT, wait_until

sys.path.insert(0, str(ROOT / "tests/system"))
from smtp_peer import SmtpPeer, tls_context  # noqa: E402

CONFIG = """[redis]
url = redis://127.0.0.1:6379/0
[mail]
from = Example Hauling <dispatch@example.com>
transport = maildir
maildir = /var/lib/dispatchd/mails
{more}"""
BOUNCE = "[bounce]\naddress = bounce@example.com\ngroup = dispatch-bounce\n"
REPORT = """From: MAILER-DAEMON@mx.example.com
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

No such mailbox.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; farm@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b--
"""


def configure(machine, more=""):
    """By a file of the admin's own, beside the packaged one."""
    machine.write("/etc/dispatchd/conf.d/site.conf", CONFIG.format(more=more))


def ctl(machine, *command, config=None):
    return machine.run("dispatchctl", *(["-c", config] if config else []), *command).stdout


def mails(machine, folder="/var/lib/dispatchd/mails/new"):
    return [path.read_text(encoding="utf-8") for path in sorted((machine.root / folder[1:]).glob("*"))]


def send(machine, job, config=None):
    ctl(machine, "event", "send", "completed", "--job", job, "--customer", "1001", config=config)


def publish(machine, job):
    """As dispatch software does where Redis has a password."""
    machine.run("redis-cli", "-a", "secret-of-redis", "XADD", "jobs:events", "*", "id", job, "type", "job.completed", "job", job,
                "customer", "1001")


def mode(machine, path):
    return machine.run("stat", "--format=%a %U %G", path).stdout.strip()


def assert_closed(fields):
    """Whatever the unit says: what the kernel has made of it."""
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert (fields["NoNewPrivs"].strip(), fields["Seccomp"].strip()) == ("1", "2")
    assert fields["Uid"].split()[0] != "0"


def test_after_its_installation_nothing_runs_and_all_is_where_it_belongs(machine, packages):
    machine.before = everything(machine)
    machine.run("systemctl", "start", "redis-server")
    machine.install(packages[:1])
    assert machine.run("dpkg", "--audit").stdout == ""
    assert machine.shows("dispatchd.service", "ActiveState") == "inactive"
    assert machine.run("systemctl", "is-enabled", "dispatchd", check=False).stdout == "disabled\n"
    assert mode(machine, "/etc/dispatchd/dispatchd.conf") == "640 root dispatchd"
    assert mode(machine, "/etc/dispatchd/conf.d") == "750 root dispatchd"
    assert mode(machine, "/var/lib/dispatchd") == "2771 dispatchd dispatchd"
    refused = machine.run("dispatchd", "-t", check=False)
    assert refused.returncode == 78 and "[mail] from" in refused.stderr
    assert not machine.run("systemctl", "--failed", "--no-legend").stdout


def test_it_runs_closed_in_and_says_when_it_is_ready(machine):
    configure(machine)
    machine.run("systemctl", "enable", "--now", "dispatchd")
    assert machine.shows("dispatchd", "ActiveState") == "active"
    assert machine.shows("dispatchd", "StatusText")
    assert_closed(machine.process("dispatchd"))
    lines = [json.loads(line) for line in machine.journal("dispatchd", "--output=json").splitlines()]
    assert any(line.get("_TRANSPORT") == "journal" for line in lines), "fields of its own, not lines of text"
    ids = re.findall(r"^-- (\w{32})$", (ROOT / "conf/dispatchd.catalog").read_text(encoding="utf-8"), re.M)
    known = machine.run("journalctl", "--list-catalog").stdout
    assert ids and all(one in known for one in ids)
    assert "dispatchd has started" in machine.journal("dispatchd", "--catalog")


def test_an_event_becomes_a_mail(machine):
    ctl(machine, "customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com", "--timezone", "America/Denver")
    send(machine, "4711")
    [mail] = wait_until(lambda: mails(machine), "the mail")
    assert "To: farm@example.com" in mail and "4711" in mail


def test_a_refused_configuration_fails_the_reload_and_changes_nothing(machine):
    pid = machine.shows("dispatchd", "MainPID")
    configure(machine, "[rules]\ntimezone = Mars/Base\n")
    assert machine.run("systemctl", "reload", "dispatchd", check=False).returncode != 0
    configure(machine, "[company]\nname = Example Hauling of Mars\n")
    machine.run("systemctl", "reload", "dispatchd")
    assert (machine.shows("dispatchd", "MainPID"), machine.shows("dispatchd", "ActiveState")) == (pid, "active")
    ctl(machine, "event", "send", "failed", "--job", "4712", "--customer", "1001")
    assert wait_until(lambda: any("Hauling of Mars" in mail for mail in mails(machine)), "a mail of the new configuration")


def test_a_daemon_that_hangs_is_started_again(machine):
    pid = machine.shows("dispatchd", "MainPID")
    machine.run("kill", "-STOP", pid)
    wait_until(lambda: machine.shows("dispatchd", "NRestarts") == "1" and machine.shows("dispatchd", "ActiveState") == "active",
               "the watchdog", 300)
    assert machine.shows("dispatchd", "MainPID") != pid
    assert "Watchdog timeout" in machine.journal("dispatchd")


def test_a_relay_is_logged_in_to_over_tls_with_a_password_from_a_credential(machine, tmp_path):
    """Name, certificate, login and mail, from within the sandbox."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=relay.example.com", "-addext",
                    "subjectAltName=DNS:relay.example.com", "-keyout", tmp_path / "key", "-out", tmp_path / "cert"],
                   check=True, capture_output=True, timeout=60)
    cert = (tmp_path / "cert").read_text(encoding="ascii")
    (tmp_path / "both").write_text((tmp_path / "key").read_text(encoding="ascii") + cert, encoding="ascii")
    machine.write("/etc/dispatchd/relay-ca.pem", cert)
    machine.write("/etc/hosts", "127.0.0.1 localhost relay.example.com\n")
    machine.write("/etc/credstore/dispatchd.smtp-password", "secret of the relay\n", 0o600)
    with machine.in_its_network(lambda: SmtpPeer(tls=tls_context(tmp_path / "both"), users={"us": "secret of the relay"})) as relay:
        machine.write("/etc/dispatchd/conf.d/test.conf", f"[mail]\ntransport = smtp\n[smtp]\nrelay = relay.example.com:{relay.port}\ntls = required\nuser = us\n"
                      "ca_file = /etc/dispatchd/relay-ca.pem\n")
        machine.run("systemctl", "restart", "dispatchd")
        ctl(machine, "event", "send", "started", "--job", "4714", "--customer", "1001")
        [mail] = relay.wait_mails(1, timeout=60)
    assert (mail.user, mail.recipients) == ("us", ["farm@example.com"]) and mail.tls and "4714" in mail.text
    (machine.root / "etc/dispatchd/conf.d/test.conf").unlink()


def test_passwords_and_keys_come_as_credentials_that_its_user_has_no_file_of(machine, packages):
    machine.run("redis-cli", "CONFIG", "SET", "requirepass", "secret-of-redis")
    machine.write("/etc/credstore/dispatchd.redis-password", "secret-of-redis\n", 0o600)
    machine.write("/etc/credstore/dispatchd.bounce-key", "5a" * 32 + "\n", 0o600)
    machine.install(packages[1:2])
    configure(machine, BOUNCE)
    machine.run("systemctl", "restart", "dispatchd")
    as_service = ("systemd-run", "--quiet", "--pipe", "--wait", "--property=User=dispatchd")
    assert machine.run(*as_service, "cat", "/etc/credstore/dispatchd.redis-password", check=False).returncode != 0
    publish(machine, "4713")
    found = wait_until(lambda: [mail for mail in mails(machine) if "4713" in mail], "a mail of an event behind a password")
    assert re.search(r"bounce\+[a-z0-9]+@example\.com", found[0], re.I), "signed with the credential's key"


def token_address(machine):
    return re.search(r"bounce\+[a-z0-9]+@example\.com", "".join(mails(machine)), re.I).group()


def reports(machine):
    return json.loads(ctl(machine, "--json", "bounce", "list"))


def test_a_report_comes_in_by_the_socket_unit(machine):
    machine.run("systemctl", "enable", "--now", "dispatch-bounce.socket")
    assert mode(machine, "/run/dispatch-bounce/lmtp.sock") == "660 root dispatch-bounce"
    address = token_address(machine)
    session = smtplib.LMTP(str(machine.root / "run/dispatch-bounce/lmtp.sock"))
    assert session.sendmail("", [address], REPORT.format(to=address)) == {}
    unit = machine.run("systemctl", "list-units", "--no-legend", "--plain", "dispatch-bounce@*").stdout.split()[0]
    fields = machine.process(unit)
    assert_closed(fields)
    assert fields["Uid"].split()[0] == machine.run("id", "-u", "dispatch-bounce").stdout.strip()
    session.quit()
    assert wait_until(lambda: reports(machine), "the report in the list")


def test_a_report_comes_in_by_the_maildir_s_path_unit(machine):
    machine.run("systemctl", "enable", "--now", "dispatch-bounce-maildir.path")
    before = len(reports(machine))
    address = token_address(machine)
    folder = "/var/lib/dispatch-bounce/Maildir"
    machine.write("/tmp/report", REPORT.format(to=address).replace("5.1.1", "5.2.2"))
    machine.run("install", "--owner=dispatch-bounce", "--mode=600", "/tmp/report", f"{folder}/new/1.report")
    wait_until(lambda: (machine.root / f"{folder[1:]}/.done/new/1.report").exists(), "the mail to be done")
    assert len(reports(machine)) > before
    assert machine.shows("dispatch-bounce-maildir.service", "Result") == "success"


def ask_center(machine, method, path, token, body=""):
    """(status, body) of an answer."""
    connection = machine.in_its_network(lambda: socket.create_connection(("127.0.0.1", 8926), 60))
    with connection:
        login = f"Authorization: Bearer {token}\r\n" if token else ""
        connection.sendall(f"{method} {path} HTTP/1.0\r\nHost: localhost\r\n{login}Content-Type: application/json\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        head, _, content = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    return int(head.split()[1]), content.decode()


def test_the_center_serves_pages_and_can_reload(machine, packages):
    machine.install(packages[2:])
    assert machine.shows("dispatch-center", "ActiveState") == "inactive"
    link = machine.run("dispatch-center", "user", "add", "sam", "--role", "clerk").stdout
    assert "http" in link or "/" in link
    machine.run("systemctl", "enable", "--now", "dispatch-center")
    assert machine.shows("dispatch-center", "ActiveState") == "active"
    fields = machine.process("dispatch-center")
    assert_closed(fields)
    assert machine.run("getent", "group", "dispatchd").stdout.split(":")[2] in fields["Groups"].split()
    assert ask_center(machine, "GET", "/login", "")[0] == 200
    machine.token = machine.run("dispatch-center", "user", "token", "sam").stdout.split()[-1]
    status, job = ask_center(machine, "GET", "/api/v1/jobs/4711", machine.token)
    assert status == 200 and json.loads(job)["mails"][0]["status"] == "sent", "from the spool, which is only read"
    status, _ = ask_center(machine, "POST", "/api/v1/customers", machine.token, '{"number": "1002", "name": "Example Bakery"}')
    assert status == 201 and "Example Bakery" in ctl(machine, "customer", "show", "1002")
    machine.run("systemctl", "reload", "dispatch-center")
    assert machine.shows("dispatch-center", "ActiveState") == "active"


def test_a_restored_spool_is_seen_by_a_center_that_ran_on(machine):
    """Its unit has the file of the spool mounted by itself."""
    ctl(machine, "backup", "/root/backup")
    publish(machine, "4715")
    wait_until(lambda: ask_center(machine, "GET", "/api/v1/jobs/4715", machine.token)[0] == 200, "the newest job on its page")
    machine.run("systemctl", "stop", "dispatchd")
    ctl(machine, "restore", "--force", "/root/backup")
    machine.run("systemctl", "start", "dispatchd")
    ctl(machine, "mail", "resume")
    wait_until(lambda: ask_center(machine, "GET", "/api/v1/jobs/4715", machine.token)[0] == 404, "the job to be gone")
    assert ask_center(machine, "GET", "/api/v1/jobs/4711", machine.token)[0] == 200


def test_two_instances_share_no_file(machine):
    text = CONFIG.format(more="[http]\nlisten = 127.0.0.1:8935\n").replace("/var/lib/dispatchd", "/var/lib/dispatchd-north").replace(
        "[mail]", "password_file =\nstream = north:events\noutcomes = north:outcomes\nrequests = north:requests\ncustomers = north:customers\ndead = north:dead\n"
        "dispatch = north:dispatch\n[customers]\npath = /var/lib/dispatchd-north/customers.db\n"
        "[spool]\npath = /var/lib/dispatchd-north/spool.db\n[center]\npath = /var/lib/dispatchd-north/center.db\n"
        "listen = 127.0.0.1:8936\n[mail]")
    machine.write("/etc/dispatchd/north.conf", text)
    (machine.root / "etc/dispatchd/conf.d/site.conf").rename(machine.root / "etc/dispatchd/site.was")
    machine.run("redis-cli", "-a", "secret-of-redis", "CONFIG", "SET", "requirepass", "")
    machine.run("systemd-tmpfiles", "--create", "dispatchd.conf")
    assert mode(machine, "/etc/dispatchd/north.conf") == "640 root dispatchd"
    machine.run("systemctl", "start", "dispatchd@north")
    assert_closed(machine.process("dispatchd@north"))
    north = "/etc/dispatchd/north.conf"
    ctl(machine, "customer", "add", "1001", "--name", "North Farm", "--email", "north@example.com", config=north)
    send(machine, "1", config=north)
    assert wait_until(lambda: mails(machine, "/var/lib/dispatchd-north/mails/new"), "the other's mail")
    machine.run("systemctl", "reload", "dispatchd@north")
    assert not any("north@example.com" in mail for mail in mails(machine))
    # A path of the first one's that was forgotten.
    machine.write("/etc/dispatchd/south.conf", text.replace("-north/spool.db", "/other.db").replace(":8935", ":8937"))
    machine.run("systemctl", "start", "--no-block", "dispatchd@south")
    wait_until(lambda: "Read-only file system" in machine.journal("dispatchd@south"), "its refusal")
    assert not (machine.root / "var/lib/dispatchd/other.db").exists()
    machine.run("systemctl", "stop", "dispatchd@south", "dispatchd@north")
    (machine.root / "etc/dispatchd/site.was").rename(machine.root / "etc/dispatchd/conf.d/site.conf")
    for name in ("north", "south"):
        (machine.root / f"etc/dispatchd/{name}.conf").unlink()


def everything(machine):
    """Names of what a package may leave behind, but for what the package manager and systemd keep for themselves."""
    found = machine.run("find", "/etc", "/lib", "/usr", "/var/lib", "/opt", "/srv", "-xdev", "-not", "-path", "/var/lib/dpkg/*", "-not",
                        "-path", "/var/cache/*", "-not", "-path", "/var/lib/systemd/*").stdout
    return set(found.splitlines())


def test_removing_keeps_configuration_and_records_and_a_new_installation_finds_them(machine, packages):
    records = machine.root / "var/lib/dispatchd/customers.db"
    machine.run("dpkg", "--remove", "dispatch-center", "dispatch-bounce", "dispatchd")
    assert not machine.run("systemctl", "list-units", "--state=active", "--no-legend", "--plain", "dispatch*").stdout
    assert records.exists() and (machine.root / "etc/dispatchd/dispatchd.conf").exists()
    machine.install(packages)
    machine.run("systemctl", "restart", "dispatchd")
    assert "Example Farm" in ctl(machine, "customer", "show", "1001")


def test_a_purge_keeps_the_records_unless_somebody_says_otherwise(machine, packages):
    records = machine.root / "var/lib/dispatchd/customers.db"
    machine.run("dpkg", "--purge", "dispatch-center", "dispatch-bounce", "dispatchd")
    assert records.exists()
    assert (machine.root / "etc/dispatchd/conf.d/site.conf").exists(), "what an admin wrote stays with them"
    assert not (machine.root / "etc/dispatchd/dispatchd.conf").exists()
    machine.install(packages)
    machine.run("systemctl", "enable", "dispatchd@north")
    machine.write("/etc/dispatchd/customers.key", "00" * 32 + "\n", 0o600)
    machine.run("debconf-set-selections", input="dispatchd dispatchd/remove-databases boolean true\n")
    machine.run("dpkg", "--purge", "dispatch-center", "dispatch-bounce", "dispatchd")
    assert not records.parent.exists() and (machine.root / "var/lib/dispatchd-north/customers.db").exists()
    assert (machine.root / "etc/dispatchd/customers.key").exists(), "an instance's records can't be read without"
    assert not list((machine.root / "etc/systemd/system").glob("*.wants/dispatchd@*"))
    assert "dispatchd/" not in machine.run("debconf-show", "dispatchd").stdout, "its answer would decide on the next purge"
    for folder in ("north", "south"):
        machine.run("mv", f"/var/lib/dispatchd-{folder}", f"/var/lib/was-{folder}")
    machine.install(packages)
    machine.run("debconf-set-selections", input="dispatchd dispatchd/remove-databases boolean true\n")
    machine.run("dpkg", "--purge", "dispatch-center", "dispatch-bounce", "dispatchd")
    assert not (machine.root / "etc/dispatchd").exists()
    left = everything(machine) - machine.before
    instance = {path for path in left if path.startswith("/var/lib/was-")}
    mail = {path for path in left if path.startswith("/var/lib/dispatch-bounce")}
    assert left - instance - mail - {"/etc/credstore", "/etc/hosts"} == {
        f"/etc/credstore/dispatchd.{name}" for name in ("smtp-password", "redis-password", "bounce-key")}
    assert instance and any("1.report" in path for path in mail), "an instance's folder, and mails that came back, are an admin's"
    assert machine.run("getent", "passwd", "dispatchd").stdout, "its number is never given to another user"
