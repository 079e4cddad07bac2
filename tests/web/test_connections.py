"""Connections: kept, many, idle, sleeping, aborted. Most of it without a front server, to be closer to leat."""

import contextlib
import select
import socket
import time

import pytest

import fastcgi
import servers
from servers import FLAVOUR, wait_until

CONNECTIONS = 200 if FLAVOUR else 1000
SLEEPERS = 200 if FLAVOUR else 10_000

real_memory = pytest.mark.skipif(bool(FLAVOUR), reason="sanitizers have their own idea of memory and time")


@pytest.fixture
def testbed(start_leat):
    return start_leat(workers=2).wait_ready()


@contextlib.contextmanager
def connections(leat, count):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(leat.connect()) for _ in range(count)]


def test_a_kept_connection_serves_one_request_after_another(testbed):
    with testbed.connect() as connection:
        for _ in range(100):
            assert connection.ask("GET", "/hello").status == 200
        assert testbed.metric("leat_connections_open") == 1


def test_a_connection_that_is_not_to_be_kept_is_closed(testbed):
    with testbed.connect() as connection:
        assert connection.ask("GET", "/hello", keep=False).status == 200
        assert connection.is_closed()


def test_nginx_keeps_its_connections(folder, testbed):
    front = servers.Nginx(folder / "keeping", testbed)
    try:
        before = testbed.metric("leat_connections_accepted_total")
        with contextlib.closing(front.connect()) as client:
            for _ in range(50):
                client.request("GET", "/hello")
                assert client.getresponse().read()
        assert testbed.metric("leat_connections_accepted_total") - before <= 2
    finally:
        front.stop()


def test_kept_connections_far_exceed_workers(testbed):
    with connections(testbed, CONNECTIONS) as kept:
        for connection in kept:
            began = time.monotonic()
            assert connection.ask("GET", "/hello").status == 200
            assert time.monotonic() - began < servers.PATIENCE / 30
        testbed.wait_metric("leat_connections_open", CONNECTIONS)


@real_memory
def test_an_idle_connection_costs_little_memory(testbed, figure):
    with connections(testbed, 1000) as warm:
        for connection in warm:
            connection.ask("GET", "/hello")
        before = testbed.resident_bytes()
        with connections(testbed, 8000) as kept:
            for connection in kept:
                connection.ask("GET", "/hello")
            each = (testbed.resident_bytes() - before) / len(kept)
    figure(f"an idle connection costs {each:.0f} bytes")
    assert each <= 512


def test_thousands_of_requests_sleep_at_once(testbed, figure):
    """Each asks for one second and is timed from its being sent to its reply."""
    with connections(testbed, SLEEPERS) as sleepers, select.epoll() as poll:
        sockets = {connection.socket.fileno(): connection.socket for connection in sleepers}
        for number in sockets:
            poll.register(number, select.EPOLLIN | select.EPOLLET)
        at_rest = testbed.resident_bytes()

        ask, sent, replies, slowest = fastcgi.request("GET", "/sleep/1000"), {}, [], 0
        for number, sock in sockets.items():
            sent[number] = time.monotonic()
            sock.sendall(ask)
        testbed.wait_metric("leat_requests_active", SLEEPERS)
        asleep = testbed.resident_bytes()

        # No more than this in the loop: what the test itself takes is counted too.
        while len(replies) < SLEEPERS:
            for number, _ in poll.poll(servers.PATIENCE):
                replies.append(sockets[number].recv(4096))
                slowest = max(slowest, time.monotonic() - sent[number])

    assert all(b"Status: 200" in reply for reply in replies)
    each = (asleep - at_rest) / SLEEPERS / 1024
    figure(f"{SLEEPERS} requests that sleep 1 s on 2 workers: the slowest took {slowest:.2f} s, each held {each:.1f} KiB")
    if not FLAVOUR:
        assert each < 60


def test_no_request_waits_behind_a_handler_that_computes(testbed):
    """Whichever worker computes, the other one takes what comes."""
    with testbed.connect() as busy, testbed.connect() as quick:
        for _ in range(3):
            busy.send("GET", "/spin/300")
            testbed.wait_metric("leat_requests_active", 1)
            for _ in range(20):
                assert quick.ask("GET", "/hello").status == 200
            assert testbed.metric("leat_requests_active") == 1  # it still computes
            assert busy.receive().status == 200


def test_a_request_waits_for_no_other(testbed):
    with testbed.connect() as slow, testbed.connect() as quick:
        slow.send("GET", "/sleep/3000")
        testbed.wait_metric("leat_requests_active", 1)
        assert quick.ask("GET", "/hello").status == 200
        assert testbed.metric("leat_requests_active") == 1


def test_a_client_that_leaves_cancels_its_request(testbed):
    with testbed.connect() as connection:
        connection.send("GET", "/sleep/9000")
        testbed.wait_metric("leat_requests_active", 1)
    testbed.wait_metric("leat_requests_aborted_total", 1)
    testbed.wait_metric("leat_requests_active", 0)
    wait_until(lambda: 499 in [line["status"] for line in testbed.access_lines()], "499 is in the access log")


def test_a_client_that_leaves_nginx_cancels_its_request(folder, testbed):
    front = servers.Nginx(folder / "leaving", testbed)
    try:
        with socket.create_connection(("127.0.0.1", front.port)) as client:
            client.sendall(b"GET /sleep/9000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            testbed.wait_metric("leat_requests_active", 1)
        testbed.wait_metric("leat_requests_aborted_total", 1)
        testbed.wait_metric("leat_requests_active", 0)
    finally:
        front.stop()


def test_a_deadline_is_kept(testbed, figure):
    began = time.monotonic()
    reply = testbed.ask("GET", "/sleep/5000/quick")
    took = time.monotonic() - began
    assert reply.status == 504
    assert took >= 0.1
    figure(f"a deadline of 100 ms: 504 after {took * 1000:.1f} ms")
    assert testbed.metric("leat_requests_timed_out_total") == 1


def test_more_requests_than_allowed_are_refused_at_once(start_leat):
    testbed = start_leat(requests_max=4, workers=2).wait_ready()
    with connections(testbed, 4) as busy:
        for connection in busy:
            connection.send("GET", "/sleep/5000")
        testbed.wait_metric("leat_requests_active", 4)
        reply = testbed.ask("GET", "/hello")
        assert reply.status == 503
        assert int(reply.headers["Retry-After"]) >= 1


def test_more_connections_than_allowed_are_closed_at_once(start_leat):
    testbed = start_leat(connections_max=4).wait_ready()
    testbed.wait_metric("leat_connections_open", 0)
    with connections(testbed, 4) as kept:
        for connection in kept:
            assert connection.ask("GET", "/hello").status == 200
        with testbed.connect() as extra:
            assert extra.is_closed()
        testbed.wait_metric("leat_connections_refused_total", 1)
        assert kept[0].ask("GET", "/hello").status == 200


def test_a_client_that_never_finishes_its_header_is_cut_off(start_leat):
    testbed = start_leat(header_timeout="200ms").wait_ready()
    with testbed.connect() as connection:
        connection.socket.sendall(fastcgi.request("GET", "/hello")[:20])
        assert connection.is_closed()
    testbed.wait_metric('leat_gate_refusals_total{reason="header_timeout"}', 1)
