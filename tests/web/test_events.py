"""Server-Sent Events through the front servers: each arrives when it is sent, and a broadcast reaches all that are there."""

import contextlib
import selectors
import signal
import socket
import time

import servers
from test_streams import asked, no_streams, slow_socket, start_surface  # noqa: F401  start_surface is a fixture

MANY = 500


def read_event(reply):
    """The next event's lines."""
    lines = []
    while (line := reply.readline()) not in (b"\n", b""):
        lines.append(line.decode().rstrip("\n"))
    return lines


def publish(front, topic, data, event_id=None):
    query = f"?id={event_id}" if event_id else ""
    assert front.ask("POST", f"/output/topics/{topic}{query}", data).status == 204


def test_events_arrive_one_by_one(surface_front, surface):
    with asked(surface_front, "/output/ticks?ms=1") as reply:
        assert reply.headers["Content-Type"] == "text/event-stream"
        assert reply.headers["Cache-Control"] == "no-store"
        for tick in range(1, 20):
            assert read_event(reply) == [f"id: {tick}", "event: tick", "data: one", "data: two"]
    no_streams(surface)


def test_the_first_event_does_not_wait_for_the_second(surface_front):
    with asked(surface_front, "/output/ticks?ms=60000") as reply:
        assert read_event(reply)[0] == "id: 1"


def test_what_is_published_arrives(surface_front):
    with asked(surface_front, "/output/topics/news") as one, asked(surface_front, "/output/topics/news") as two, \
         asked(surface_front, "/output/topics/weather") as other:
        for reply in (one, two, other):
            assert read_event(reply) == ["retry: 500", "event: welcome", "data: new"]
        publish(surface_front, "news", "first\nof two lines", 1)
        publish(surface_front, "weather", "rain")
        publish(surface_front, "news", "second")
        for reply in (one, two):
            assert read_event(reply) == ["id: 1", "data: first", "data: of two lines"]
            assert read_event(reply) == ["data: second"]
        assert read_event(other) == ["data: rain"]


def test_who_comes_again_tells_what_it_has_seen(surface_front):
    with asked(surface_front, "/output/topics/news", {"Last-Event-ID": "17"}) as reply:
        assert read_event(reply)[-1] == "data: 17"


def test_a_silent_topic_shows_that_it_is_alive(start_surface):  # noqa: F811
    front = start_surface(events_keep_alive="50ms", stream_idle="10s")
    with asked(front, "/output/topics/nothing") as reply:
        read_event(reply)
        for _ in range(3):
            assert read_event(reply) == [": "]


def test_a_reader_that_falls_behind_is_cut(start_surface):  # noqa: F811
    front = start_surface(events_queue=4)
    with contextlib.closing(slow_socket(front, "/output/topics/much")) as client:
        assert client.recv(1000)
        front.leat.wait_metric("leat_streams_open", 1)

        def is_cut():
            publish(front, "much", "x" * 100_000)
            return front.leat.metric('leat_streams_cut_total{reason="events_queue"}') == 1 or read_all_there_is(client)

        def read_all_there_is(client):
            """Once it cannot be told any more, its task waits in a write; it finds out when that ends."""
            if front.leat.metric("leat_events_published_total") > 200:
                client.recv(1 << 20)
            return False

        front.leat.wait_for(is_cut, "the stream is cut")
    assert "setting events_queue" in front.leat.log()


def test_streams_end_when_the_process_stops(start_surface):  # noqa: F811
    front = start_surface(grace="1h")
    with asked(front, "/output/topics/news") as reply:
        read_event(reply)
        front.leat.send(signal.SIGTERM)
        assert read_event(reply) == []
    assert front.leat.wait() == 0


class Crowd:
    """Many clients that follow one topic; what each has received is counted."""

    def __init__(self, front, path, count):
        self.selector = selectors.DefaultSelector()
        self.received = {}
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", front.port))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            client.setblocking(False)
            self.selector.register(client, selectors.EVENT_READ)
            self.received[client] = b""

    def wait_all(self, text, times):
        limit = time.monotonic() + 2 * servers.PATIENCE
        while missing := [client for client, received in self.received.items() if received.count(text) < times]:
            assert time.monotonic() < limit, f"{len(missing)} still wait for {text}"
            for key, _ in self.selector.select(1):
                more = key.fileobj.recv(65536)
                assert more, "a stream has ended"
                self.received[key.fileobj] += more

    def close(self):
        for client in self.received:
            client.close()
        self.selector.close()


def test_a_broadcast_reaches_many(start_surface, figure):  # noqa: F811
    front = start_surface()
    front.ask("GET", "/output/bytes?count=100000")
    before = front.leat.resident_bytes()
    with contextlib.closing(Crowd(front, "/output/topics/crowd", MANY)) as crowd:
        crowd.wait_all(b"event: welcome", 1)
        assert front.leat.metric("leat_streams_open") == MANY
        for number in range(5):
            publish(front, "crowd", f"to all {number}")
        crowd.wait_all(b"data: to all", 5)
        figure(f"{front.name}: {MANY} streams: {(front.leat.resident_bytes() - before) // MANY / 1024:.1f} KiB each")
    no_streams(front.leat)
