# SPDX-License-Identifier: MIT
"""A verdict on us is not a verdict on the mail: relays that refuse everything, and mails that are refused alone."""
import itertools
import random
import string
import threading
import time

import pytest

from kit import outcomes_of, wait_outcome, write
from smtp_peer import Drop, SmtpPeer, Then
from test_mailer import QUICK, Probe
from world import wait_until

OPENS = {"open_min_ms": 5000, "open_max_ms": 5000, "hold_ms": 5000}


def an_id(length=12, letters=string.ascii_letters + string.digits):
    """One that nobody takes for a word: by chance three in ten thousand without a digit look like one."""
    return "".join(random.choice(letters) for _ in range(length - 1)) + random.choice(string.digits)


def customers(world, n, domain="example.com"):
    rows = "".join(f"{1000 + i},Farm {i},kim{i}@{domain.replace('#', str(i))}\n" for i in range(n))
    world.ctl("customer", "import", write(world, "customers.csv", "number,name,email\n" + rows))


def publish(world, n, state="completed"):
    for i in range(n):
        world.xadd(id=f"{state}{i}", type=f"job.{state}", job=f"J{i}", customer=str(1000 + i))


def contacts_marked(world, n):
    return [i for i in range(n)
            if world.ctl_json("customer", "show", str(1000 + i))["contacts"][0]["email_invalid"]]


# ---- a relay that refuses everything

QUOTA = "550 5.4.5 Daily user sending limit exceeded for {me}. {id} - gsmtp"
REFUSES_ALL = {
    "quota": ("body", lambda to: f"550 5.4.5 Daily sending quota exceeded. For more information go to "
                                 f"https://support.example/{an_id()} {an_id(8)}.{an_id(4)} - gsmtp"),
    "send as": ("body", lambda to: f"554 5.2.252 SendAsDenied; dispatch@example.com not allowed to send as "
                                   f"{to}; STOREDRV.Submission.Exception:SendAsDeniedException; Failed to process "
                                   f"message {an_id(8, string.digits)}:{an_id(8, string.digits)}, "
                                   f"[Hostname=AM{an_id(6)}.eurprd04.prod.example.com]"),
    "policy at DATA": ("data", lambda to: f"550 5.7.1 Message rejected by policy (ref {an_id(16)})"),
    "policy at the dot": ("body", lambda to: f"554 5.7.1 [{an_id(9)}] Message blocked, see {an_id(5)}.example.net"),
    "policy at RCPT": ("rcpt", lambda to: f"550 5.7.1 <{to}>: Client host blocked; id={an_id(10)}"),
    "MAIL without a code": ("mail", lambda to: f"550 Sender blocked, ticket {an_id(7, string.digits)}"),
    "unknown with an id": ("rcpt", lambda to: f"550 5.1.1 {to}: no such user here {an_id(14)}"),
    "in another language": ("body", lambda to: f"550 5.4.5 Tägliches Kontingent für „{an_id(5)}“ überschritten "
                                               f"({time.time():.0f})"),
    "two lines": ("rcpt", lambda to: f"550-5.7.1 Your message {an_id(20)}\r\n550 5.7.1 was not accepted at "
                                     f"Fri, 27 Nov 2026 12:{random.randint(10, 59)}:00 +0000"),
}


@pytest.mark.parametrize("kind", REFUSES_ALL)
def test_a_relay_that_refuses_everything_costs_no_mail(world, smtp, kind):
    stage, reply = REFUSES_ALL[kind]
    customers(world, 40)
    replies = []

    def refuse(session, line):
        replies.append(reply(line[line.find("<") + 1:line.find(">")] if stage in ("mail", "rcpt") else
                          session.recipients[0]))
        return replies[-1]
    smtp.answers[stage] = refuse
    world.start_daemon()
    publish(world, 40)
    wait_until(lambda: len(replies) >= 14, "the row and trials after it", 30)
    smtp.answers.clear()
    sent = world.outcomes(wait_for={"status": "sent"}, count=40, timeout=40)
    assert {o["attempts"] for o in sent} == {"1"} and len(sent) == smtp.count == 40
    assert not [o for o in world.outcomes() if o["status"] in ("failed", "retrying")]
    assert contacts_marked(world, 12) == []


def test_the_next_relay_takes_what_the_first_refuses(world, smtp):
    with SmtpPeer() as second:
        world.configure(smtp={"relay": f"{smtp.relay}, {second.relay}"})
        customers(world, 30)
        smtp.answers["body"] = lambda *_: f"550 5.4.5 quota exceeded {an_id()}"
        world.start_daemon()
        publish(world, 30)
        world.outcomes(wait_for={"status": "sent"}, count=30, timeout=30)
        assert second.count == 30 and not [o for o in world.outcomes() if o["status"] == "failed"]


def test_a_relay_that_a_reload_takes_out_holds_nothing_back(world, smtp):
    """Refused alike and fewer than ten: through the new relay they go, none counted as the mail's own."""
    with SmtpPeer() as second:
        customers(world, 6)
        smtp.answers["body"] = lambda *_: f"550 5.4.5 quota exceeded {an_id()}"
        world.start_daemon()
        publish(world, 6)
        wait_until(lambda: world.ctl_json("status")["mails"].get("sending", 0) == 6, "all of them held back")
        world.configure(smtp={"relay": second.relay})
        assert world.ctl("reload").returncode == 0
        world.outcomes(wait_for={"status": "sent"}, count=6, timeout=30)
        assert second.count == 6 and not [o for o in world.outcomes() if o["status"] in ("failed", "retrying")]


def test_a_relay_that_begins_to_refuse_costs_nothing_of_what_is_under_way():
    """Mails taken as the quota ends finish beside those refused: they were begun before."""
    taken = itertools.count(1)
    with SmtpPeer() as peer:
        def body(session, data):
            n = next(taken)
            time.sleep(0.3 if n == 20 else 0.02)
            return None if n <= 20 else f"550 5.4.5 quota {an_id()}"
        peer.answers["body"] = body
        with Probe(peer.relay, connections=8, limits=OPENS) as probe:
            for n in range(40):
                probe.put(to=f"kim{n}@example.com")
            kinds = [r["delivery"] for r in probe.results(40)]
    assert kinds.count("sent") == 20 and kinds.count("relay") == 20


def test_a_mail_a_minute_all_refused_is_found_out():
    """Each is let go when nothing else comes; from the tenth on it is the relay's."""
    with SmtpPeer(answers={"body": lambda *_: f"550 5.4.5 quota exceeded {an_id()}"}) as peer:
        with Probe(peer.relay, limits={"hold_ms": 60}) as probe:
            kinds = [probe.send(to=f"kim{n}@example.com")["delivery"] for n in range(13)]
    assert kinds == ["mail_refused"] * 9 + ["relay"] * 4


def test_slow_arrivals_within_the_hold_cost_nothing():
    with SmtpPeer(answers={"rcpt": lambda *_: f"550 5.1.1 gone {an_id()}"}) as peer:
        with Probe(peer.relay, limits={"hold_ms": 4000, "lone_ms": 4000}) as probe:
            for n in range(10):
                probe.put(to=f"kim{n}@example.com")
                time.sleep(0.1)
            assert [r["delivery"] for r in probe.results(10)] == ["relay"] * 10


def test_words_that_take_turns_are_each_a_row():
    words = itertools.cycle(["550 5.4.5 quota exceeded", "550 5.7.1 blocked by policy", "554 try our web site"])
    with SmtpPeer(answers={"body": lambda *_: f"{next(words)} {an_id()}"}) as peer:
        with Probe(peer.relay, limits=OPENS) as probe:
            for n in range(36):
                probe.put(to=f"kim{n}@example.com")
            kinds = [r["delivery"] for r in probe.results(36, timeout=20)]
    assert "mail_refused" not in kinds[:10] and kinds.count("relay") >= 16


# ---- mails that are refused alone

def until_all_end(probe, left, rounds=40, others=iter(())):
    """Puts again what comes back, as the engine does, and one of the others with it; how each ended."""
    ended, out = {}, {probe.put(to=to): to for to in left}
    for _ in range(rounds * len(left)):
        result = probe.next(timeout=20)
        to = out.pop(result["mail"])
        if result["delivery"] == "relay":
            out[probe.put(to=to)] = to
            out.update({probe.put(to=other): other for other in itertools.islice(others, 1)})
        else:
            ended[to] = result["delivery"]
        if not out:
            return ended
    pytest.fail(f"{out} never end")


def test_a_domain_that_is_gone_while_others_go_through():
    """Others come all the while: with none after the tenth refusal nobody could tell whose fault it is."""
    gone = [f"u{n}@gone.example" for n in range(25)]
    good = [f"kim{n}@farm{n}.example" for n in range(25)]
    with SmtpPeer(answers={"rcpt": lambda s, line: f"550 5.1.2 {an_id()}: no such domain" if "gone" in line else None}) as peer:
        with Probe(peer.relay, limits={"hold_ms": 300, "open_min_ms": 100, "open_max_ms": 400}) as probe:
            others = (f"lee{n}@barn{n}.example" for n in itertools.count())
            ended = until_all_end(probe, gone + good, others=others)
    assert {ended[to] for to in good} == {"sent"}
    assert {ended[to] for to in gone} == {"address_invalid"}


@pytest.mark.parametrize("stage, reply, ends", [
    ("rcpt", Then("421 4.7.0 not this one", Drop), "mail_busy"), ("rcpt", Drop, "mail_busy"),
    ("data", Drop, "mail_busy"), ("rcpt", "454 4.7.0 not this one", "mail_busy")],
    ids=["421", "drop", "drop at DATA", "454"])
def test_one_mail_at_which_the_relay_fails_does_not_hold_the_rest(stage, reply, ends):
    """The relay is tried with another mail each time; what fails while the others go through is the mail's."""
    def answer(session, line):
        return reply if "poison" in line or "poison" in "".join(session.recipients) else None
    with SmtpPeer(answers={stage: answer}) as peer, Probe(peer.relay) as probe:
        ended = until_all_end(probe, ["poison@example.com"] + [f"kim{n}@example.com" for n in range(20)])
    assert ended.pop("poison@example.com") == ends and set(ended.values()) == {"sent"}


def test_one_kind_of_mail_does_not_hold_the_rest(world, smtp):
    """Forty mails to one domain are refused, all due before the others: those go all the same."""
    rows = "".join(f"{1000 + i},Farm {i},kim{i}@{'gone.example' if i < 40 else f'farm{i}.example'}\n" for i in range(60))
    world.ctl("customer", "import", write(world, "customers.csv", "number,name,email\n" + rows))
    world.configure(smtp={"connections": "1"})
    smtp.answers["rcpt"] = lambda s, line: f"550 5.1.2 domain not found {an_id()}" if "gone.example" in line else None
    world.start_daemon()
    publish(world, 60)
    world.outcomes(wait_for={"status": "sent"}, count=20, timeout=40)
    assert smtp.count == 20


# ---- while they are held back

def test_a_stop_while_refusals_are_held_back_loses_none(world, smtp):
    """Three refused alike may be the relay's fault: they are sent again. One alone is what it is."""
    customers(world, 4)
    smtp.answers["body"] = lambda *_: f"550 5.4.5 quota exceeded {an_id()}"
    daemon = world.start_daemon()
    publish(world, 3)
    wait_until(lambda: smtp.commands().count("DATA") >= 3, "three refusals")
    time.sleep(0.2)
    assert daemon.stop() == 0
    assert not [o for o in world.outcomes() if o["status"] in ("failed", "retrying")]
    smtp.answers["body"] = lambda s, data: "554 5.6.0 spam" if s.recipients[0].startswith("kim3@") else None
    daemon = world.start_daemon()
    world.outcomes(wait_for={"status": "sent"}, count=3)
    world.xadd(id="alone", type="job.completed", job="J3", customer="1003")
    wait_until(lambda: smtp.commands().count("DATA") >= 7, "the lone one's refusal")
    time.sleep(0.2)
    assert daemon.stop() == 0
    assert outcomes_of(world, "alone")[-1] == ("failed", "mail_refused")
    assert smtp.count == 3


def test_a_kill_while_refusals_are_held_back_loses_none(world, smtp):
    customers(world, 3)
    smtp.answers["rcpt"] = lambda *_: f"550 5.1.1 unknown {an_id()}"
    daemon = world.start_daemon()
    publish(world, 3)
    wait_until(lambda: sum(c.startswith("RCPT") for c in smtp.commands()) >= 3, "three refusals")
    daemon.kill()
    smtp.answers.clear()
    world.start_daemon()
    for n in range(3):
        mail = wait_outcome(world, f"completed{n}", "retrying", "in_doubt")["mail"]
        world.ctl("mail", "retry", mail, check=False)
    world.outcomes(wait_for={"status": "sent"}, count=3, timeout=20)
    assert contacts_marked(world, 3) == []


def test_a_mail_overtaken_while_its_refusal_is_held_back(world, smtp):
    customers(world, 1)
    smtp.answers["body"] = "550 5.6.0 not this one"
    world.start_daemon()
    world.xadd(id="a", type="job.started", job="J", customer="1000")
    wait_until(lambda: "DATA" in smtp.commands(), "the refusal")
    time.sleep(0.2)
    smtp.answers.clear()
    world.xadd(id="b", type="job.completed", job="J", customer="1000")
    wait_outcome(world, "b", "sent", timeout=4)
    assert outcomes_of(world, "a") == [("queued", "ok"), ("superseded", "later_state")]


def test_a_contact_removed_while_a_refusal_is_held_back(world, smtp):
    """The mail is judged again at once, not when the wait is over."""
    customers(world, 1)
    smtp.answers["rcpt"] = "550 5.2.1 disabled"
    world.start_daemon()
    world.xadd(id="a", type="job.completed", job="J", customer="1000")
    wait_until(lambda: any(c.startswith("RCPT") for c in smtp.commands()), "the refusal")
    world.ctl("suspend", "1000", "--scope", "emails", "--note", "x")
    wait_outcome(world, "a", "suppressed", "suspended", timeout=4)


# ---- and people hear of it

def test_many_failures_and_no_delivery_are_a_warning_everywhere(world, smtp):
    """Whatever their words, at whatever command: log, status, check and metrics say so, until a mail is taken."""
    answers = itertools.cycle(["451 4.3.0 later", "550 5.6.0 no", "452 4.2.2 full", "554 something else", "450 4.7.1 wait",
                               "550 5.3.4 too big"])
    customers(world, 14)
    smtp.answers["body"] = lambda *_: next(answers)
    daemon = world.start_daemon()
    publish(world, 9)
    gauge = f'dispatchd_relay_failures{{relay="{smtp.relay}"}}'
    wait_until(lambda: world.metrics().get(gauge) == 9, lambda: world.metrics())
    assert "many mails failed" not in daemon.log() and world.ctl("check", check=False).returncode == 0
    for i in range(9, 12):
        world.xadd(id=f"more{i}", type="job.completed", job=f"J{i}", customer=str(1000 + i))
    daemon.wait_log("many mails failed and none was delivered")
    assert world.metrics()[gauge] >= 10
    (relay,) = world.ctl_json("status")["relays"]
    assert relay["failing"] and relay["failures"] >= 10 and relay["reply"][0] in "45"
    assert "none was delivered" in world.ctl("status").stdout
    (found,) = world.ctl_json("check", check=False)
    assert found["finding"] == "relay" and smtp.relay in found["text"]
    smtp.answers.clear()
    world.xadd(id="well", type="job.completed", job="J13", customer="1013")
    wait_outcome(world, "well", "sent")
    daemon.wait_log("relay delivers again")
    assert world.metrics()[gauge] == 0 and not world.ctl_json("status")["relays"][0]["failing"]
    assert world.ctl("check", check=False).returncode == 0


def test_check_knows_of_failures_after_a_restart(world, smtp):
    customers(world, 12)
    smtp.answers["body"] = lambda *_: "451 4.3.0 later"
    daemon = world.start_daemon()
    publish(world, 12)
    world.outcomes(wait_for={"status": "retrying"}, count=12)
    assert daemon.stop() == 0
    (found,) = world.ctl_json("check", check=False)
    assert found["finding"] == "relay" and "the last 12 mails failed" in found["text"] and "451 4.3.0" in found["text"]
