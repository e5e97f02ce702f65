# SPDX-License-Identifier: MIT
"""What an on-call person sees of a daemon in GET /metrics. That it is Prometheus' format is test_http.py's."""
import os
import sqlite3
import time

import pytest

import smtp_peer
from kit import add_customer, wait_outcome
from world import free_port, wait_until

OLDEST = "dispatchd_oldest_due_seconds"


def metric(world, name):
    return world.metrics()[name]


def test_the_oldest_mail_that_is_due(world):
    """A mail that the relay can't be given is late; one that waits for its hour is not, and neither is one that went."""
    port = free_port()
    world.configure(mail={"transport": "smtp"}, smtp={"relay": f"127.0.0.1:{port}"})
    add_customer(world)
    world.start_daemon()
    assert metric(world, OLDEST) == 0
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    wait_outcome(world, "1", "queued")
    wait_until(lambda: metric(world, OLDEST) > 0, "a mail to be late")
    with smtp_peer.start(world, port=port) as peer:
        peer.wait_mails(1, timeout=60)
        wait_outcome(world, "1", "sent")  # in a mailer's hands it is late no more, and not yet counted
        wait_until(lambda: metric(world, OLDEST) == 0, "nothing to be late")
        name = f'{{relay="127.0.0.1:{port}"}}'
        assert metric(world, "dispatchd_relay_seconds_count" + name) == 1
        assert metric(world, "dispatchd_relay_seconds_sum" + name) >= 0
        assert metric(world, f'dispatchd_relay_seconds_bucket{{relay="127.0.0.1:{port}",le="+Inf"}}') == 1


def test_a_mail_that_waits_for_its_hour_is_not_late(world):
    add_customer(world)
    world.configure(notify={"group_wait": "1h"})
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    wait_outcome(world, "1", "deferred")
    assert metric(world, OLDEST) == 0
    assert metric(world, 'dispatchd_mails{status="deferred"}') == 1


def test_a_pause_makes_mails_late(world):
    add_customer(world)
    world.start_daemon()
    world.ctl("mail", "pause")
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    wait_outcome(world, "1", "queued")
    wait_until(lambda: metric(world, OLDEST) > 0, "a mail to be late")
    world.ctl("mail", "resume")
    wait_outcome(world, "1", "sent")
    wait_until(lambda: metric(world, OLDEST) == 0, "nothing to be late")
    assert metric(world, 'dispatchd_relay_seconds_count{relay="%s"}' % world.path("mail")) == 1


def test_a_late_mail_stays_late_over_a_restart(world):
    add_customer(world)
    world.start_daemon()
    world.ctl("mail", "pause")
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    wait_outcome(world, "1", "queued")
    wait_until(lambda: metric(world, OLDEST) > 0, "a mail to be late")
    world.daemon.kill()
    world.start_daemon()
    wait_until(lambda: metric(world, OLDEST) > 0, "the mail to be late again")


def test_disks_and_databases(world):
    add_customer(world)
    world.start_daemon()
    metrics = world.metrics()
    for name in ("spool", "customers"):
        fs = os.statvfs(world.path(f"{name}.db"))
        free = metrics[f'dispatchd_disk_free_bytes{{database="{name}"}}']
        assert 0 < free <= fs.f_blocks * fs.f_frsize
        sizes = {file: metrics[f'dispatchd_database_bytes{{database="{name}",file="{file}"}}'] for file in ("main", "wal")}
        assert sizes["main"] == os.stat(world.path(f"{name}.db")).st_size and sizes["wal"] >= 0
    before = metrics['dispatchd_database_bytes{database="customers",file="wal"}']
    world.ctl("customer", "add", "1002", "--name", "Another")
    wait_until(lambda: metric(world, 'dispatchd_database_bytes{database="customers",file="wal"}') != before, "the WAL to grow")


def test_health_and_readiness_are_metrics_too(world):
    world.start_daemon()
    wait_until(lambda: metric(world, "dispatchd_ready") == 1, "readiness")
    assert metric(world, "dispatchd_healthy") == 1
    world.redis_server.stop()
    wait_until(lambda: metric(world, "dispatchd_ready") == 0, "unreadiness")
    assert world.http("/readyz")[0] == 503
    assert metric(world, "dispatchd_healthy") == 1


def test_a_scrape_writes_nothing(world):
    """It may come every second from several systems; only /readyz has the spool written to, to prove that it can be."""
    world.start_daemon()
    wait_until(lambda: world.http("/readyz")[0] == 200, "readiness")

    with sqlite3.connect(world.path("spool.db")) as db:
        def version():
            return db.execute("PRAGMA data_version").fetchone()

        def scraped():
            """Whether nothing was written during scrapes of three seconds, in which there would be three proofs."""
            start, before = time.monotonic(), version()
            while time.monotonic() - start < 3:
                world.http("/metrics")
                time.sleep(0.1)
            return version() == before
        wait_until(scraped, "nothing to be written any more", 30)
        before = version()
        wait_until(lambda: world.http("/readyz")[0] == 200 and version() != before, "a proof")


FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})
INSERT INTO mail ({columns}) SELECT {values} FROM mail JOIN n WHERE mail.id = 1
"""


@pytest.mark.long
def test_a_scrape_costs_the_same_with_a_million_mails(world):
    """The contract with the monitoring system: less than 50 ms of CPU a scrape, whatever waits."""
    million, scrapes = 1_000_000, 50
    add_customer(world)
    world.start_daemon()
    world.ctl("mail", "pause")
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    wait_outcome(world, "1", "queued")
    assert world.daemon.stop() == 0
    with sqlite3.connect(world.path("spool.db")) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(mail)") if row[1] != "id"]
        db.execute(FILL.format(n=million, columns=", ".join(columns),
                               values=", ".join(f"mail.{column}" for column in columns)))
        db.execute("DELETE FROM meta WHERE key = 'mails'")
    db.close()
    world.start_daemon()
    wait_until(lambda: metric(world, 'dispatchd_mails{status="queued"}') == million + 1, "all of them", 120)
    before = metric(world, "dispatchd_cpu_seconds_total")
    for _ in range(scrapes):
        world.metrics()
    used = metric(world, "dispatchd_cpu_seconds_total") - before
    assert used / scrapes < 0.05, f"{used / scrapes * 1000:.1f} ms a scrape"
