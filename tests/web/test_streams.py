"""Replies that leave piece by piece: they arrive as they are written, no faster than they are read, and never look whole when they
are not."""

import contextlib
import http.client
import socket
import time

import pytest
import servers

MB = 1 << 20


@contextlib.contextmanager
def asked(front, path, headers=None):
    with contextlib.closing(front.connect()) as connection:
        connection.request("GET", path, headers=headers or {})
        yield connection.getresponse()


@pytest.fixture
def start_surface(front_class, start_leat, keys):
    """start_surface(stream_idle="300ms"): a service with settings of its own, and a front server before it."""
    with contextlib.ExitStack() as stack:
        def start(**settings):
            leat = start_leat("tests/web/surface/surface", auth_folder=keys.folder, **settings).wait_ready()
            front = front_class(leat.folder / front_class.name, leat)
            stack.callback(front.stop)
            return front

        yield start


def no_streams(leat):
    leat.wait_metric("leat_streams_open", 0)


@pytest.mark.parametrize("count", [0, 1, 999, 8192, 70_000, 3 * MB])
def test_a_stream_arrives_whole(surface_front, count):
    reply = surface_front.ask("GET", f"/output/bytes?count={count}")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert len(reply.body) == count
    assert set(reply.body) <= set(b"x\n")


def test_hooks_see_the_head_before_it_leaves(surface_front):
    assert surface_front.ask("GET", "/output/bytes").headers["X-Stamp"] == "200"


def test_a_hook_may_reply_in_the_streams_place(surface_front):
    assert surface_front.ask("GET", "/output/replaced").body == b"replaced\n"


def test_head_gets_the_head_alone(surface_front):
    reply = surface_front.ask("HEAD", "/output/bytes")
    assert reply.status == 200
    assert reply.headers["X-Stamp"] == "200"
    assert reply.body == b""


def test_what_is_written_arrives_before_the_end(surface_front, surface):
    """These events never end."""
    with asked(surface_front, "/output/ticks?ms=50") as reply:
        assert reply.readline() == b"id: 1\n"
    no_streams(surface)


def test_a_client_that_leaves_ends_the_stream(surface_front, surface):
    """lighttpd looks for it only when it has something to send."""
    no_streams(surface)
    before = surface.metric("leat_requests_aborted_total")
    path = "/output/ticks?ms=50" if surface_front.name == "lighttpd" else "/output/silence?ms=3600000"
    with asked(surface_front, path) as reply:
        assert reply.readline()
    surface.wait_metric("leat_requests_aborted_total", before + 1)
    no_streams(surface)


def test_a_client_that_leaves_ends_a_stream_that_is_never_silent(surface_front, surface):
    with asked(surface_front, f"/output/bytes?count={1 << 60}") as reply:
        assert reply.read(100)
    no_streams(surface)


def is_cut(reply):
    """Whether the reply ends before its end. http.client tells of a chunk that lacks, and of an end that comes too soon."""
    try:
        reply.read()
    except (http.client.IncompleteRead, ConnectionError):
        return True
    return False


def test_a_stream_that_fails_is_cut(surface_front, surface):
    before = surface.metric('leat_streams_cut_total{reason="error"}')
    with asked(surface_front, "/output/broken") as reply:
        assert reply.status == 200
        assert is_cut(reply)
    surface.wait_metric('leat_streams_cut_total{reason="error"}', before + 1)
    assert "stream cut after 11 bytes: CONFLICT" in surface.log()
    assert surface_front.ask("GET", "/output/header?value=a").status == 200


def test_a_routes_deadline_bounds_its_stream(surface_front, surface):
    before = surface.metric('leat_streams_cut_total{reason="stream_idle"}')
    with asked(surface_front, "/output/bounded?ms=3600000") as reply:
        assert is_cut(reply)
    surface.wait_metric('leat_streams_cut_total{reason="stream_idle"}', before + 1)


def test_a_routes_deadline_is_its_own_even_if_it_is_the_default(start_surface):
    front = start_surface(request_deadline="300ms")
    with asked(front, "/output/bounded?ms=3600000") as reply:
        assert is_cut(reply)


def test_the_default_deadline_does_not(start_surface):
    front = start_surface(request_deadline="100ms")
    assert front.ask("GET", "/output/silence?ms=500").body == b"first\nlast\n"


def test_a_stream_that_does_not_go_on_is_cut(start_surface):
    front = start_surface(stream_idle="200ms", events_keep_alive="100ms")
    with asked(front, "/output/silence?ms=3600000") as reply:
        assert is_cut(reply)
    assert "setting stream_idle" in front.leat.log()


def slow_socket(front, path):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.settimeout(servers.PATIENCE)
    client.connect(("127.0.0.1", front.port))
    client.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    return client


def test_a_client_that_takes_nothing_is_cut(start_surface):
    front = start_surface(stream_idle="500ms", events_keep_alive="100ms")
    with contextlib.closing(slow_socket(front, f"/output/bytes?count={1 << 40}")):
        front.leat.wait_metric('leat_streams_cut_total{reason="stream_idle"}', 1)
    assert front.leat.metric("leat_requests_aborted_total") == 0


def test_the_access_log_tells_what_was_sent(start_surface):
    front = start_surface()
    assert len(front.ask("GET", "/output/bytes?count=12345").body) == 12345
    front.leat.wait_for(lambda: [line["bytes"] for line in front.leat.access_lines() if line["route"] == "/output/bytes"] == [12345],
                        "the line is written")


def test_a_slow_client_costs_no_memory(start_surface, figure):
    """200 MB, read in pieces with pauses: what the process holds does not grow, and others are served meanwhile."""
    size, read, most, served = 200 * MB, 0, 0, 0
    front = start_surface(workers=1)
    front.ask("GET", "/output/bytes?count=1000000")
    before = front.leat.resident_bytes()
    slowest = 0
    with contextlib.closing(slow_socket(front, f"/output/bytes?count={size}")) as client:
        while piece := client.recv(MB):
            read += len(piece)
            if served * 5 * MB < read:
                began = time.monotonic()
                assert front.ask("GET", "/output/header?value=a").status == 200
                slowest = max(slowest, time.monotonic() - began)
                served += 1
                most = max(most, front.leat.resident_bytes())
    assert read > size
    assert served >= 40
    assert most - before < 8 * MB
    figure(f"{front.name}: 200 MB to a slow client: {(most - before) >> 10} KiB more memory, slowest other {slowest * 1000:.1f} ms")
