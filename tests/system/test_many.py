# SPDX-License-Identifier: MIT
"""Large numbers of ordinary things: contacts of one customer, mails that are due for one contact."""
import sqlite3

from kit import add_customer, write

CONTACTS, MAILS = 400, 3000


def test_hundreds_of_contacts(world):
    add_customer(world)
    with sqlite3.connect(world.path("customers.db")) as db:
        db.executemany("INSERT INTO contact (customer, name, email) SELECT id, ?, ? FROM customer",
                       [(f"C{n}", f"c{n}@example.com") for n in range(CONTACTS - 1)])
    db.close()
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="J1", customer="1001")
    sent = world.outcomes(wait_for={"status": "sent"}, count=CONTACTS, timeout=30)
    assert len({o["to"] for o in sent}) == CONTACTS
    assert len(world.mails(CONTACTS)) == CONTACTS


def test_thousands_of_mails_to_one_contact(world):
    """All of them are due at once, since the transport was away."""
    add_customer(world)
    world.configure(mail={"maildir": write(world, "in-the-way", "") + "/mail"})  # can't be made
    world.start_daemon()
    pipe = world.redis.pipeline(transaction=False)
    for n in range(MAILS):
        pipe.xadd("jobs:events", {"id": str(n), "type": "job.completed", "job": f"J{n}", "customer": "1001"})
    pipe.execute()
    world.outcomes(wait_for={"status": "queued"}, count=MAILS, timeout=60)
    world.daemon.stop()
    world.configure(mail={"maildir": world.path("mail")})
    world.start_daemon()
    sent = world.outcomes(wait_for={"status": "sent"}, count=MAILS, timeout=60)
    assert len({o["id"] for o in sent}) == MAILS
    assert len(world.mails()) == MAILS
