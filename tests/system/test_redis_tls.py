# SPDX-License-Identifier: MIT
"""[redis] url = rediss://: TLS from the first byte, the server's certificate and name verified."""
import pytest

from kit import add_customer
from test_config import dispatchd
from world import free_port, wait_until


def start_tls(world, certificates, which="good", *args):
    port = free_port()
    pem = certificates[which]
    server = world.start_redis("tls", args=["--tls-port", str(port), "--tls-cert-file", pem, "--tls-key-file", pem,
                                            "--tls-ca-cert-file", certificates["ca"], "--tls-auth-clients", "no", *args])
    return server, port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_all_goes_over_tls(world, certificates, host):
    server, port = start_tls(world, certificates)
    world.configure(redis={"url": f"rediss://{host}:{port}/2", "ca_file": certificates["ca"], "channel": "jobs:now"})
    add_customer(world)
    world.start_daemon()
    other = server.client(db=2)
    wait_until(lambda: other.pubsub_numsub("jobs:now")[0][1], "the subscription")
    filler = "x" * 200_000  # many records of TLS, both ways
    other.xadd("jobs:events", {"id": "1", "type": "job.completed", "job": "1", "customer": "1001", "note": filler})
    other.publish("jobs:now", '{"id": "2", "type": "job.completed", "job": "2", "customer": "1001"}')
    assert len(world.mails(2)) == 2
    assert server.client().dbsize() == 0
    assert world.ctl_json("status")["redis"] == "up"
    world.ctl("event", "send", "completed", "--job", "3", "--customer", "1001")
    world.mails(3)


def test_a_burst_comes_through(world, certificates):
    server, port = start_tls(world, certificates)
    with server.client().pipeline(transaction=False) as pipe:
        for i in range(2000):
            pipe.xadd("jobs:events", {"id": str(i), "type": "job.completed", "job": str(i), "customer": "1001"})
        pipe.execute()
    world.configure(redis={"url": f"rediss://127.0.0.1:{port}", "ca_file": certificates["ca"]})
    add_customer(world)
    world.start_daemon()
    world.mails(2000, timeout=60)


@pytest.mark.parametrize("which, words", [("wrong", "IP address mismatch"), ("old", "certificate has expired")])
def test_a_server_that_cannot_prove_its_name_is_not_used(world, certificates, which, words):
    _, port = start_tls(world, certificates, which)
    world.configure(redis={"url": f"rediss://:secret@127.0.0.1:{port}", "ca_file": certificates["ca"]})
    world.start_daemon(ready=False)
    world.daemon.wait_log(f"TLS: the certificate is refused: {words}")
    assert "secret" not in world.daemon.log()
    answer = world.ctl("event", "send", "completed", "--job", "3", "--customer", "1001", check=False)
    assert answer.returncode == 69 and words in answer.stderr


def test_an_authority_is_needed(world, certificates):
    _, port = start_tls(world, certificates)
    world.configure(redis={"url": f"rediss://127.0.0.1:{port}"})
    world.start_daemon(ready=False)
    world.daemon.wait_log("TLS: the certificate is refused: ")


def test_a_peer_without_tls_is_named(world):
    server = world.start_redis("plain", port=free_port())
    world.configure(redis={"url": f"rediss://127.0.0.1:{server.port}"})
    world.start_daemon(ready=False)
    world.daemon.wait_log("perhaps this port doesn't speak TLS")


def test_a_file_without_authorities_is_a_fault(world):
    with open(world.path("empty.pem"), "w", encoding="utf-8") as file:
        file.write("nothing\n")
    world.configure(redis={"url": "rediss://127.0.0.1:6379", "ca_file": world.path("empty.pem")})
    answer = dispatchd(world, "-t", "-c", world.config_path)
    assert answer.returncode == 78 and "[redis] ca_file" in answer.stderr
