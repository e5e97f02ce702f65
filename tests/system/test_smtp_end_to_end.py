# SPDX-License-Identifier: MIT
"""From the event to the SMTP server and back: TLS, AUTH, refusals and their outcomes, signals in the middle."""
import os
import signal
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest

from kit import add_customer, message, outcomes_of, text_of, wait_outcome, write
from smtp_peer import Drop, Hang, SmtpPeer, start, tls_context
from world import PATIENCE, ROOT, wait_until


def publish(world, number="1", state="completed", **more):
    world.xadd(id=number, type=f"job.{state}", job=f"j{number}", customer="1001", **more)


def contact(world):
    return world.ctl_json("customer", "show", "1001")["contacts"][0]


# ---- TLS

@pytest.mark.parametrize("mode", ["required", "opportunistic"])
def test_tls_with_a_good_certificate(world, certificates, mode):
    peer = start(world, tls=tls_context(certificates["good"]))
    world.configure(smtp={"tls": mode, "ca_file": certificates["ca"]})
    add_customer(world)
    world.start_daemon()
    publish(world)
    wait_outcome(world, "1", "sent")
    assert peer.mails[0].tls in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("certificate", ["wrong", "alone"])
def test_tls_required_with_a_bad_certificate(world, certificates, certificate):
    """Nothing leaves, nothing is counted; put right and reloaded, the mail goes."""
    peer = start(world, tls=tls_context(certificates[certificate]))
    world.configure(smtp={"tls": "required", "ca_file": certificates["ca"]})
    add_customer(world)
    daemon = world.start_daemon()
    publish(world)
    wait_outcome(world, "1", "queued")
    daemon.wait_log("the certificate is refused")
    assert peer.count == 0 and not [c for c in peer.commands() if c.startswith("MAIL")]
    assert outcomes_of(world, "1") == [("queued", "ok")]
    world.configure(smtp={"tls": "opportunistic"})
    daemon.signal(signal.SIGHUP)
    sent = wait_outcome(world, "1", "sent", timeout=15)
    assert sent["attempts"] == "1" and peer.mails[0].tls


def test_tls_required_but_not_offered(world):
    peer = start(world)
    world.configure(smtp={"tls": "required"})
    add_customer(world)
    world.start_daemon()
    publish(world)
    world.daemon.wait_log("STARTTLS")
    time.sleep(0.3)
    assert peer.count == 0 and outcomes_of(world, "1") == [("queued", "ok")]


@pytest.mark.parametrize("certificate", ["wrong", "alone"])
def test_opportunistic_takes_any_certificate(world, certificates, certificate):
    peer = start(world, tls=tls_context(certificates[certificate]))
    world.configure(smtp={"tls": "opportunistic"})
    add_customer(world)
    world.start_daemon()
    publish(world)
    wait_outcome(world, "1", "sent")
    assert peer.mails[0].tls


# ---- AUTH

def password(world, text):
    path = write(world, "smtp-password", text + "\n")
    os.chmod(path, 0o600)
    world.configure(smtp={"user": "dispatch", "password_file": path, "tls": "none"})


def test_auth_right(world):
    peer = start(world, users={"dispatch": "s3cret"})
    password(world, "s3cret")
    add_customer(world)
    world.start_daemon()
    publish(world)
    wait_outcome(world, "1", "sent")
    assert peer.mails[0].user == "dispatch"
    assert "s3cret" not in world.daemon.log()


def test_auth_wrong_then_right(world):
    """The relay's matter, not the mail's: it waits, unsent and uncounted, until the password is right."""
    peer = start(world, users={"dispatch": "s3cret"})
    password(world, "guess-of-mine")
    add_customer(world)
    daemon = world.start_daemon()
    publish(world)
    daemon.wait_log("535")
    assert peer.count == 0 and not [c for c in peer.commands() if c.startswith("MAIL")]
    assert outcomes_of(world, "1") == [("queued", "ok")]
    password(world, "s3cret")
    daemon.signal(signal.SIGHUP)
    assert wait_outcome(world, "1", "sent", timeout=15)["attempts"] == "1"
    assert "guess-of-mine" not in daemon.log() and "s3cret" not in daemon.log()


# ---- refusals: stage, reply → status, reason, whether the address is marked

REFUSED = [
    ("mail", "451 4.3.0 mailbox busy", "retrying", "mail_busy", False),
    ("rcpt", "450 4.2.1 greylisted", "retrying", "mail_busy", False),
    ("rcpt", "452 4.2.2 full", "retrying", "mail_busy", False),
    ("data", "451 4.3.0 not now", "retrying", "mail_busy", False),
    ("body", "452 4.3.1 no room", "retrying", "mail_busy", False),
    ("body", Drop, "retrying", "in_doubt", False),
    ("mail", "550 5.1.8 sender refused", "failed", "mail_refused", False),
    ("rcpt", "550 5.1.1 no such user", "failed", "address_refused", True),
    ("rcpt", "550 5.1.2 no such host", "failed", "address_refused", True),
    ("rcpt", "553 5.1.3 bad syntax", "failed", "address_refused", True),
    ("rcpt", "551 5.1.6 moved", "failed", "address_refused", True),
    ("rcpt", "556 5.1.10 null MX", "failed", "address_refused", True),
    ("rcpt", "550 5.2.1 disabled", "failed", "address_refused", False),
    ("rcpt", "550 no code at all", "failed", "address_refused", False),
    ("rcpt", "550 5.7.1 policy", "failed", "address_refused", False),
    ("data", "554 5.6.0 no", "failed", "mail_refused", False),
    ("body", "554 5.6.0 spam", "failed", "mail_refused", False),
    ("body", "550 5.1.1 after the body", "failed", "mail_refused", False),
]
# The relay's own: nothing is told, and it goes when the relay is well again.
RELAYS_FAULT = [("mail", "421 4.3.2 shutting down"), ("rcpt", "421 4.7.0 too many"), ("body", "421 4.3.2 bye"),
                ("ehlo", "451 4.3.0 later"), ("greeting", "554 5.7.1 not you"), ("greeting", "421 busy"),
                ("mail", "530 5.7.0 authentication required"), ("rcpt", "530 5.7.0 authenticate"),
                ("mail", "550 5.7.1 not from here"), ("mail", "454 4.7.0 TLS"), ("greeting", Drop), ("ehlo", Drop)]




@pytest.mark.parametrize("stage, reply, status, reason, marked", REFUSED,
                         ids=[f"{r[0]}-{getattr(r[1], '__name__', r[1])[:10]}-{r[3]}" for r in REFUSED])
def test_refusals(world, smtp, stage, reply, status, reason, marked):
    add_customer(world)
    smtp.answers[stage] = reply
    world.start_daemon()
    publish(world)
    outcome = wait_outcome(world, "1", status, reason)
    assert outcome["attempts"] == "1"
    if isinstance(reply, str):
        assert reply in outcome["reply"]
    assert ("due" in outcome) == (status == "retrying")
    assert outcome["to"] == "farm@example.com"
    shown = wait_until(contact_marked(world), "the mark") if marked else contact(world)
    assert bool(shown["email_invalid"]) == marked
    mail = world.ctl_json("mail", "show", outcome["mail"])
    assert (mail["mail"] if "mail" in mail else mail)["status"] == status
    if stage == "body":  # metrics are drawn up once a second
        name = f'dispatchd_outcomes_total{{status="{status}",reason="{reason}"}}'
        wait_until(lambda: world.metrics().get(name) == 1, lambda: f"{name}: {world.metrics()}")
    if status == "retrying":  # and then it goes
        smtp.answers.clear()
        world.ctl("mail", "retry", outcome["mail"])
        wait_outcome(world, "1", "sent")
        assert contact(world)["email_invalid"] is None


def contact_marked(world):
    def look():
        found = contact(world)
        return found if found["email_invalid"] else None
    return look


@pytest.mark.parametrize("stage, reply", RELAYS_FAULT,
                         ids=[f"{r[0]}-{getattr(r[1], '__name__', r[1])[:9]}" for r in RELAYS_FAULT])
def test_the_relays_fault_is_not_the_mails(world, smtp, stage, reply):
    add_customer(world)
    times = []
    smtp.answers[stage] = lambda *_: reply if len(times) < 1 and not times.append(time.monotonic()) else None
    world.start_daemon()
    publish(world)
    sent = wait_outcome(world, "1", "sent", timeout=15)
    assert outcomes_of(world, "1") == [("queued", "ok"), ("sent", "ok")] and sent["attempts"] == "1"
    assert time.monotonic() - times[0] > 0.5, "it is left alone for about a second"
    assert contact(world)["email_invalid"] is None
    assert smtp.count == 1


# ---- the alternate address

@pytest.mark.long
def test_the_alternate_address(world, smtp):
    add_customer(world)
    world.ctl("contact", "set", contact(world)["id"], "--alt-email", "second@example.com")
    smtp.answers["rcpt"] = lambda session, line: "550 5.1.1 gone" if "farm@" in line else None
    world.start_daemon()
    publish(world)
    sent = wait_outcome(world, "1", "sent")
    assert sent["to"] == "second@example.com"
    (mail,) = smtp.mails
    assert mail.recipients == ["second@example.com"]
    assert "second@example.com" in str(message(mail)["To"]) and "farm@" not in str(message(mail)["To"])
    assert {o["mail"] for o in world.outcomes()} == {sent["mail"]}
    shown = wait_until(contact_marked(world), "the mark")
    assert shown["email"] == "farm@example.com" and shown["email_invalid"].startswith("20")
    publish(world, "2")
    assert wait_outcome(world, "2", "queued")["to"] == "second@example.com", "no second try of a marked address"
    wait_outcome(world, "2", "sent")
    # Both gone: nobody is left to tell.
    smtp.answers["rcpt"] = "550 5.1.1 gone, too"
    publish(world, "3")
    wait_outcome(world, "3", "failed", "address_refused")
    publish(world, "4")
    wait_outcome(world, "4", "suppressed", "address_invalid")
    # A person puts the address right.
    smtp.answers.clear()
    world.ctl("contact", "set", shown["id"], "--email", "new@example.com")
    publish(world, "5")
    assert wait_outcome(world, "5", "sent")["to"] == "new@example.com"
    assert contact(world)["email_invalid"] is None


def test_a_retry_sends_the_same_again(world, smtp):
    """In the language, by the clock and to the name of the first try, whatever was changed since."""
    world.configure(mail={"templates": str(ROOT / "conf" / "templates")})
    world.ctl("customer", "add", "1001", "--name", "Example Farm", "--email", "farm@example.com", "--contact", "Ann Reed")
    world.start_daemon()
    smtp.answers["body"] = "451 4.3.0 later"
    at = datetime.now(timezone.utc) - timedelta(hours=1)
    publish(world, time=at.isoformat())
    world.outcomes(wait_for={"status": "retrying"})
    world.ctl("contact", "set", contact(world)["id"], "--name", "Bea Lund", "--locale", "de")
    world.ctl("customer", "set", "1001", "--name", "Other Farm", "--timezone", "Asia/Tokyo", "--locale", "fr")
    smtp.answers.pop("body")
    world.ctl("mail", "retry", world.outcomes()[0]["mail"])
    mail = smtp.wait_mails(1)[0]
    assert str(message(mail)["To"]) == "Ann Reed <farm@example.com>"
    assert "Hello Ann Reed,\n" in text_of(mail)
    assert f"Your job was completed on {at:%A}, {at.day} {at:%B %Y, %H:%M}.\n" in text_of(mail)


def test_a_later_state_supersedes_what_is_retried(world, smtp):
    add_customer(world)
    smtp.answers["body"] = "451 4.3.0 later"
    world.start_daemon()
    world.xadd(id="1", type="job.started", job="j", customer="1001")
    wait_outcome(world, "1", "retrying")
    smtp.answers.clear()
    world.xadd(id="2", type="job.completed", job="j", customer="1001")
    wait_outcome(world, "2", "sent")
    wait_outcome(world, "1", "superseded", "later_state")
    assert len(smtp.mails) == 1


def test_never_two_of_one_job_in_flight(world, smtp):
    """One contact hears of a job in the order of its states; other jobs are not held up."""
    add_customer(world)
    in_flight, most, order, lock = {}, {}, [], threading.Lock()

    def body(session, data):
        job = str(message(data)["X-Dispatchd-Job"])
        with lock:
            in_flight[job] = in_flight.get(job, 0) + 1
            most[job] = max(most.get(job, 0), in_flight[job])
            order.append((job, str(message(data)["Subject"])))
        time.sleep(0.15)
        with lock:
            in_flight[job] -= 1
    smtp.answers["body"] = body
    world.configure(**{"notify.cancelled": {"shelf_life": "1h"}})
    world.start_daemon()
    for n, state in enumerate(("completed", "failed", "completed", "failed")):
        for job in ("a", "b", "c"):
            world.xadd(id=f"{job}{n}", type=f"job.{state}", job=job, customer="1001")
        wait_outcome(world, f"c{n}", "queued")
        time.sleep(0.05)
    wait_until(lambda: smtp.count + sum(o["status"] == "superseded" for o in world.outcomes()) == 12, "all to end", 15)
    assert most == {"a": 1, "b": 1, "c": 1}


# ---- signals in the middle

def test_sigterm_with_mails_in_flight(world, smtp):
    """What the relay has in hand is finished and told; the rest waits on disk; exit status 0."""
    world.configure(smtp={"connections": "2"})
    add_customer(world)
    smtp.answers["body"] = lambda *_: time.sleep(0.8)
    daemon = world.start_daemon()
    for n in range(12):
        publish(world, str(n))
    wait_until(lambda: smtp.commands().count("DATA") >= 2, "two mails in flight")
    daemon.signal(signal.SIGTERM)
    world.xadd(id="late", type="job.completed", job="late", customer="1001")
    assert daemon.wait() == 0
    sent = {o["event"] for o in world.outcomes() if o["status"] == "sent"}
    assert len(sent) == smtp.count >= 2, "each mail that left is told of"
    assert not [o for o in world.outcomes() if o["status"] == "retrying"], "nothing is in doubt"
    smtp.answers.clear()
    world.start_daemon()
    world.outcomes(wait_for={"status": "sent"}, count=13)
    assert smtp.count == 13, "and none came twice"


def test_a_second_sigterm_ends_at_once(world, smtp):
    add_customer(world)
    smtp.answers["body"] = Hang
    daemon = world.start_daemon()
    publish(world)
    wait_until(lambda: "DATA" in smtp.commands(), "DATA")
    daemon.signal(signal.SIGTERM)
    daemon.wait_notified("STOPPING=1")
    begun = time.monotonic()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert time.monotonic() - begun < 3 * PATIENCE
    smtp.answers.clear()
    world.start_daemon()
    doubtful = wait_outcome(world, "1", "retrying", "in_doubt")
    world.ctl("mail", "retry", doubtful["mail"], check=False)  # unless it was noted at the start, and is due
    wait_outcome(world, "1", "sent")


def test_reload_is_all_or_nothing(world, smtp):
    """One fault in any file, and neither the templates nor the settings change."""
    write(world, "templates/completed.txt", "Subject: one\n\none\n")
    add_customer(world)
    daemon = world.start_daemon()
    publish(world, "1")
    wait_outcome(world, "1", "sent")
    with SmtpPeer() as other:
        write(world, "templates/completed.txt", "Subject: two\n\ntwo\n")
        write(world, "templates/started.txt", "Subject: x\n\n{{#never}}closed\n")
        world.configure(smtp={"relay": other.relay}, mail={"from": "Other <other@example.com>"})
        daemon.signal(signal.SIGHUP)
        daemon.wait_log("reload refused")
        assert "started.txt:3" in daemon.log()
        publish(world, "2")
        wait_outcome(world, "2", "sent")
        assert other.count == 0 and str(message(smtp.mails[1])["Subject"]) == "one"
        assert str(message(smtp.mails[1])["From"]).startswith("Example Hauling")
        write(world, "templates/started.txt", "Subject: x\n\nfine\n")
        daemon.signal(signal.SIGHUP)
        daemon.wait_log("reloaded")
        publish(world, "3")
        wait_outcome(world, "3", "sent")
        assert str(message(other.mails[0])["Subject"]) == "two"
        assert str(message(other.mails[0])["From"]) == "Other <other@example.com>"
        assert other.mails[0].sender == "other@example.com"
        assert daemon.stop() == 0


def test_dsn_is_asked_for(world):
    peer = start(world, extensions=["PIPELINING", "DSN", "ENHANCEDSTATUSCODES"])
    world.configure(smtp={"tls": "none"})
    add_customer(world)
    world.start_daemon()
    publish(world)
    wait_outcome(world, "1", "sent")
    assert "ENVID=" in peer.mails[0].sender_options
    assert "NOTIFY=FAILURE,DELAY" in peer.mails[0].recipient_options[0].replace("DELAY,FAILURE", "FAILURE,DELAY")


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_a_refused_parameter_costs_no_try(world, stage):
    peer = start(world, extensions=["PIPELINING", "DSN", "SIZE 1000000", "ENHANCEDSTATUSCODES"])
    peer.answers[stage] = lambda session, line: "555 5.5.4 no" if line.partition(">")[2].strip() else None
    world.configure(smtp={"tls": "none"})
    add_customer(world)
    world.start_daemon()
    publish(world)
    assert wait_outcome(world, "1", "sent")["attempts"] == "1"
    assert outcomes_of(world, "1") == [("queued", "ok"), ("sent", "ok")] and peer.count == 1
