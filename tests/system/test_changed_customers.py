# SPDX-License-Identifier: MIT
"""What waits is judged again for the customers that changed, and for nobody else."""

import datetime

import pytest
from kit import add_customer, wait_outcome
from world import wait_until

RECHECKS = "dispatchd_rechecks_total"


@pytest.fixture
def evening(world):
    """A head with a site, and another customer: open in three days, and a mail waits for each of the two."""
    day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%a").lower()
    add_customer(world, "H1", name="Head")
    add_customer(world, "S1", name="Site", email="site@example.com", parent="H1")
    add_customer(world, "O1", name="Other", email="other@example.com")
    for number in ("H1", "O1"):
        world.ctl("hours", "set", number, day, "08:00-17:00")
    world.start_daemon()
    for number in ("S1", "O1"):
        world.xadd(id=number, type="job.completed", job=f"J-{number}", customer=number)
        wait_outcome(world, number, "deferred", "outside_hours")
    return world


def rechecks(world):
    return world.metrics()[RECHECKS]


def test_hours_of_a_head_send_its_site_s_mail(evening):
    before = rechecks(evening)
    evening.ctl("hours", "set", "H1", "all", "00:00-24:00")
    assert b"site@example.com" in evening.mails(1)[0]
    wait_outcome(evening, "S1", "sent")
    assert rechecks(evening) - before == 1
    assert len(evening.mails()) == 1


def test_an_import_and_a_restart(evening):
    evening.daemon.stop()
    evening.ctl("hours", "set", "O1", "all", "00:00-24:00")
    evening.start_daemon()
    assert b"other@example.com" in evening.mails(1)[0]
    wait_outcome(evening, "O1", "sent")
    assert rechecks(evening) == 1
    with open(evening.path("new.csv"), "w", encoding="utf-8") as file:
        file.write("number,name,status\n" + "".join(f"N{i},New {i},active\n" for i in range(50)))
        file.write("S1,Site,inactive\n")
    evening.ctl("customer", "import", evening.path("new.csv"))
    wait_until(lambda: rechecks(evening) == 2, "the site's mail to be looked at")


def test_holidays_are_everybody_s(evening):
    before = rechecks(evening)
    evening.ctl("hours", "except", "--all", "2099-12-24", "closed")
    wait_until(lambda: rechecks(evening) - before == 2, "both mails to be looked at")


def test_an_event_whose_customer_comes(evening):
    evening.daemon.stop()
    evening.configure(customers={"grace": "1h"})
    evening.start_daemon()
    for number in ("N1", "N2"):
        evening.xadd(id=number, type="job.completed", job=number, customer=number)
    wait_until(lambda: evening.metrics()["dispatchd_waiting_events"] == 2, "two events to wait")
    before = rechecks(evening)
    add_customer(evening, "N2", email="new@example.com")
    wait_outcome(evening, "N2", "sent")
    assert rechecks(evening) - before == 1
