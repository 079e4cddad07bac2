"""What a worker process that ends still answers."""

import contextlib
import os
import signal

import pytest


@contextlib.contextmanager
def busy_worker(leat):
    """A worker process that was asked to end and still works on a request; the others are as they were."""
    with leat.connect() as client:
        client.send("GET", "/sleep/3000")
        leat.wait_metric("leat_requests_active", 1)
        victim = next(pid for pid in leat.worker_pids() if has_front_connection(leat, pid))
        os.kill(victim, signal.SIGTERM)
        yield victim
        assert client.receive().status == 200


def has_front_connection(leat, pid):
    """More descriptors than its neighbour: it has accepted the only connection."""
    count = {one: len(os.listdir(f"/proc/{one}/fd")) for one in leat.worker_pids()}
    return count[pid] == max(count.values())


@pytest.fixture
def leat(start_leat):
    return start_leat(processes=2).wait_ready()


def test_a_worker_process_that_ends_leaves_new_connections_to_the_others(leat):
    with busy_worker(leat):
        assert {leat.ask("GET", "/hello").status for _ in range(200)} == {200}


def test_a_refusal_tells_its_length(start_leat):
    """A front server need not chunk it."""
    leat = start_leat(processes=1, requests_max=1).wait_ready()
    with leat.connect() as client:
        client.send("GET", "/sleep/500")
        leat.wait_metric("leat_requests_active", 1)
        reply = leat.ask("GET", "/hello")
        assert reply.status == 503 and int(reply.headers["Content-Length"]) == len(reply.body)
        assert client.receive().status == 200
