"""Peers that break the rules, or keep them in odd ways. After each of them the next request works and every descriptor
has returned; at the end of the file memory has returned too.

All tests of the file share one leat, so that what a peer leaves behind would add up.
"""

import contextlib
import random

import pytest

import fcgi
import servers
from fcgi import Connection, fetch

MEMORY_BOUND = (256 if servers.FLAVOUR else 16) << 20  # bytes that memory may grow over the whole file
SEED = 20                                              # of everything random here
REQUEST = fcgi.post("/echo", b"body", id=258)


@pytest.fixture(scope="module")
def at_rest(leat):
    """What the warm leat holds when nobody is connected."""
    return {"descriptors": settled(leat.descriptors), "memory": leat.resident_bytes(), "workers": leat.worker_pids()}


def settled(measure):
    """A figure that has stayed the same for a while."""
    seen = []

    def is_settled():
        seen.append(measure())
        return len(seen) >= 10 and len(set(seen[-10:])) == 1

    servers.wait_until(is_settled, "it stays the same")
    return seen[-1]


@pytest.fixture(autouse=True)
def all_is_well_afterwards(leat, at_rest):
    yield
    assert fetch(leat.address, "/hello").status == 200
    servers.wait_until(
        lambda: leat.descriptors() == at_rest["descriptors"],
        f"{leat.descriptors()} descriptors become {at_rest['descriptors']}")
    assert leat.worker_pids() == at_rest["workers"]


# Requests that are right, in odd pieces.


def send_in_two(connection, data, at):
    """Two writes that are two reads: the second part goes when the first has been taken."""
    connection.send(data[:at])
    while not connection.is_read():
        pass
    connection.send(data[at:])


def test_a_request_comes_byte_by_byte(leat):
    with Connection(leat.address) as connection:
        for _ in range(3):
            connection.trickle(REQUEST)
            assert connection.reply(id=258).body == b"body"


def test_a_request_trickles_slowly_but_in_time(leat):
    with Connection(leat.address) as connection:
        connection.trickle(REQUEST, pause=0.02, size=10)
        assert connection.reply(id=258).body == b"body"


def test_a_request_is_cut_in_two_at_every_byte(leat):
    with Connection(leat.address) as connection:
        for at in range(1, len(REQUEST)):
            send_in_two(connection, REQUEST, at)
            assert connection.reply(id=258).body == b"body", f"cut at {at}"


def test_parameters_and_body_come_in_tiny_padded_records(leat):
    params = fcgi.pairs(fcgi.http_params("POST", "/echo", 1000, HTTP_X_LONG="x" * 300))
    with Connection(leat.address) as connection:
        connection.send(fcgi.begin(7) + fcgi.stream(fcgi.PARAMS, 7, params, most=1, padding=255)
                        + fcgi.stream(fcgi.STDIN, 7, b"y" * 1000, most=3, padding=1))
        assert connection.reply(id=7).body == b"y" * 1000


@pytest.mark.parametrize("size", [0, 1, 8159, 8160, 8161, 8184, 8185, 65527, 65528, 65535, 65536, 16 << 20])
def test_replies_of_every_size_are_whole(leat, size):
    with Connection(leat.address) as connection:
        for id in (1, 65535):
            connection.send(fcgi.get(f"/big/{size}", id=id))
            assert len(connection.reply(id=id).body) == size


@pytest.mark.parametrize("size", [1, 8191, 8192, 65535, 65536, 1000000])
def test_bodies_of_every_size_are_whole(leat, size):
    body = random.Random(SEED).randbytes(size)
    with Connection(leat.address) as connection:
        connection.send(fcgi.post("/echo", body))
        assert connection.reply().body == body


# Pipelining, management.


def test_many_requests_come_in_one_write(leat):
    with Connection(leat.address) as connection:
        connection.send(b"".join(fcgi.post("/echo", f"body {id}".encode(), id=id) for id in range(1, 51)))
        for id in range(1, 51):
            assert connection.reply(id=id).body == f"body {id}".encode()


def test_pipelined_requests_are_cut_anywhere(leat):
    data = fcgi.post("/ignore", b"not read", id=1) + fcgi.post("/echo", b"read", id=2) + fcgi.get("/hello", id=3)
    with Connection(leat.address) as connection:
        for at in range(1, len(data), 7):
            send_in_two(connection, data, at)
            assert [connection.reply(id=id).status for id in (1, 2, 3)] == [200, 200, 200], f"cut at {at}"


def test_a_request_waits_for_the_one_before_that_is_being_served(leat):
    with Connection(leat.address) as connection:
        for _ in range(3):
            connection.send(fcgi.get("/sleep/100", id=1))
            while not connection.is_read():
                pass
            connection.send(fcgi.get("/hello", id=2))
            assert connection.reply(id=1).status == 200
            assert connection.reply(id=2).status == 200


def get_of_size(size):
    """A request of so many bytes."""
    padding = size - len(fcgi.get("/hello", HTTP_X_PADDING="x" * 200))
    return fcgi.get("/hello", HTTP_X_PADDING="x" * (200 + padding))


@pytest.mark.parametrize("size", [4096, 8160, 8176, 8184, 8192, 16320, 16352, 16384, 32768])
def test_a_request_right_behind_one_that_fills_a_buffer_is_served(leat, size):
    with Connection(leat.address) as connection:
        for less in range(-2, 3):
            connection.send(get_of_size(size + less) + fcgi.get("/hello", id=2))
            assert connection.reply(id=1).status == 200
            assert connection.reply(id=2).status == 200


def test_a_peer_that_has_said_all_is_answered_and_closed(leat):
    for _ in range(1000):
        with Connection(leat.address) as connection:
            connection.send(REQUEST)
            connection.end_sending()
            with contextlib.suppress(fcgi.Closed):  # leat may take the end for a peer that has left
                connection.reply(id=258)
            connection.assert_closed()


def test_nothing_is_answered_after_a_request_that_is_the_last(leat):
    with Connection(leat.address) as connection:
        connection.send(fcgi.get("/hello", id=1, keep=False) + fcgi.get("/hello", id=2))
        assert connection.reply(id=1).status == 200
        connection.assert_closed()


NAMES = ["FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"]


def test_values_are_told_before_between_and_after_requests(leat):
    with Connection(leat.address) as connection:
        for id in range(1, 4):
            connection.send(fcgi.get_values(*NAMES))
            told = dict(connection.values())
            assert sorted(told) == NAMES and told["FCGI_MPXS_CONNS"] == "0"
            connection.send(fcgi.get("/hello", id=id))
            assert connection.reply(id=id).status == 200
        connection.send(fcgi.get_values("FCGI_MAX_CONNS", "UNKNOWN"))
        assert [name for name, _ in connection.values()] == ["FCGI_MAX_CONNS"]


def test_values_are_told_inside_a_request(leat):
    head = fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.http_params("POST", "/echo", 4)))
    with Connection(leat.address) as connection:
        connection.send(fcgi.begin())
        connection.send(fcgi.get_values(*NAMES))
        assert len(connection.values()) == 3
        connection.send(head[16:] + fcgi.stream(fcgi.STDIN, 1, b"body"))
        assert connection.reply().body == b"body"


def test_a_question_comes_byte_by_byte(leat):
    with Connection(leat.address) as connection:
        connection.trickle(fcgi.get_values(*NAMES))
        assert len(connection.values()) == 3


def test_a_second_request_beside_the_first_is_refused_alone(leat):
    with Connection(leat.address) as connection:
        connection.send(fcgi.begin(1) + fcgi.get("/hello", id=2))
        assert connection.reply(id=2).protocol_status == fcgi.CANT_MPX_CONN
        connection.send(fcgi.get("/hello", id=1)[16:])
        assert connection.reply(id=1).status == 200


@pytest.mark.parametrize("role", [0, fcgi.AUTHORIZER, fcgi.FILTER, 256, 65535])
def test_other_roles_are_refused(leat, role):
    with Connection(leat.address) as connection:
        connection.send(fcgi.begin(id=5, role=role))
        assert connection.reply(id=5).protocol_status == fcgi.UNKNOWN_ROLE
        connection.assert_closed()


def test_unknown_management_is_answered(leat):
    with Connection(leat.address) as connection:
        connection.send(fcgi.record(200, 0, b"what"))
        got = connection.record()
        assert (got.type, got.id, got.content[0]) == (fcgi.UNKNOWN_TYPE, 0, 200)
        connection.send(fcgi.get("/hello"))
        assert connection.reply().status == 200


# What is refused.

PARAMS = fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.http_params("GET", "/hello")))

REFUSED = {
    "http": b"GET / HTTP/1.0\r\n\r\n",
    "version": fcgi.record(fcgi.BEGIN_REQUEST, 1, b"\0\1\1\0\0\0\0\0", version=2),
    "short begin": fcgi.record(fcgi.BEGIN_REQUEST, 1, b"\0\1\1"),
    "begin without an id": fcgi.begin(id=0),
    "second begin": fcgi.begin() + fcgi.begin(),
    "body before parameters": fcgi.begin() + fcgi.record(fcgi.STDIN, 1, b"body"),
    "parameters after parameters": fcgi.begin() + PARAMS + fcgi.record(fcgi.PARAMS, 1, fcgi.pair("A", "b")),
    "data": fcgi.begin() + PARAMS + fcgi.record(fcgi.DATA, 1, b"data"),
    "a reply": fcgi.begin() + PARAMS + fcgi.record(fcgi.STDOUT, 1, b"Status: 200\r\n\r\n"),
    "nul in a name": fcgi.begin() + fcgi.record(fcgi.PARAMS, 1, fcgi.pair("A\0B", "c")),
    "no name": fcgi.begin() + fcgi.record(fcgi.PARAMS, 1, fcgi.pair("", "c")),
    "cut parameters": fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, fcgi.pair("NAME", "value")[:-1]),
    "many parameters": fcgi.begin() + fcgi.record(fcgi.PARAMS, 1, fcgi.pair("A", "b") * 5000),
    "cut question": fcgi.record(fcgi.GET_VALUES, 0, fcgi.pair("FCGI_MAX_CONNS", "")[:-1]),
    "abort": fcgi.begin() + PARAMS + fcgi.record(fcgi.ABORT_REQUEST, 1),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_breaks_the_rules_closes_the_connection(leat, data):
    with Connection(leat.address) as connection:
        connection.send_regardless(data)
        with pytest.raises(fcgi.Closed):
            while True:  # an abort may get its END_REQUEST first
                assert connection.record().type == fcgi.END_REQUEST


# Peers that leave, and peers that stay.


@pytest.mark.parametrize("leave", ["close", "reset", "end_sending"])
def test_a_peer_leaves_after_every_byte(leat, leave):
    for at in range(len(REQUEST)):
        with Connection(leat.address) as connection:
            connection.send(REQUEST[:at])
            getattr(connection, leave)()
            if leave == "end_sending":
                connection.assert_closed()


def test_peers_leave_while_their_requests_are_served(leat):
    for uri in ["/sleep/10000", "/big/16000000"] * 20:
        with Connection(leat.address) as connection:
            connection.send(fcgi.get(uri))
            if uri.startswith("/big"):
                connection.socket.recv(1000)
    servers.wait_until(lambda: leat.metric("leat_requests_active") == 0, "the requests are given up")


def test_silent_peers_cost_nobody_time(leat):
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(Connection(leat.address))
        for _ in range(10):
            assert fetch(leat.address, "/hello", within=1).status == 200


def test_half_headers_cost_nobody_time_and_are_cut_off(leat):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Connection(leat.address)) for _ in range(200)]
        for number, client in enumerate(clients):
            client.send(REQUEST[:1 + number % (len(REQUEST) - 20)])
        for _ in range(10):
            assert fetch(leat.address, "/hello", within=1).status == 200
        for client in clients:
            client.assert_closed()


def test_a_body_that_nobody_reads_is_no_burden(leat):
    megabyte = fcgi.record(fcgi.STDIN, 1, bytes(65535)) * 16
    params = fcgi.pairs(fcgi.http_params("POST", "/ignore", 64 << 20))
    for _ in range(4):
        with Connection(leat.address) as connection:
            connection.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, params))
            for _ in range(64):
                connection.send_regardless(megabyte)
            assert connection.reply().status in (200, 413)
            connection.assert_closed()


def test_a_small_body_that_nobody_reads_keeps_the_connection(leat):
    with Connection(leat.address) as connection:
        for _ in range(20):
            connection.send(fcgi.post("/ignore", bytes(20000)))
            assert connection.reply().status == 200


def test_a_body_too_large_is_refused_in_words(leat):
    with Connection(leat.address) as connection:
        connection.send_regardless(fcgi.post("/echo", bytes(8 << 20)))
        assert connection.reply().status == 413


@pytest.mark.parametrize("claimed", ["0", "3", "5", "99999", "-1", "four", "18446744073709551617", ""])
def test_a_body_of_another_length_than_claimed_confuses_nobody(leat, claimed):
    params = fcgi.http_params("POST", "/echo") | {"CONTENT_LENGTH": claimed, "CONTENT_TYPE": "text/plain"}
    with Connection(leat.address) as connection:
        connection.send(fcgi.request(params, b"body"))
        try:
            reply = connection.reply()
        except fcgi.Closed:
            return
        assert reply.status == 400 or b"body".startswith(reply.body)


def test_a_slow_reader_gets_all(leat):
    size = 2 << 20
    with Connection(leat.address) as slow:
        slow.send(fcgi.get(f"/big/{size}"))
        assert fetch(leat.address, "/hello", within=1).status == 200
        assert len(slow.reply().body) == size


# Noise.


def play_noise(leat, data):
    """Any answer will do, and none."""
    with Connection(leat.address) as connection:
        connection.send_regardless(data)
        with contextlib.suppress(OSError):
            connection.end_sending()
        connection.socket.settimeout(fcgi.PATIENCE)
        with contextlib.suppress(ConnectionError):
            while connection.socket.recv(65536):
                pass


def in_random_records(dice, type, id, content):
    """A stream in records of random sizes with random padding, and records among them that mean nothing."""
    strays = [b"", fcgi.record(fcgi.STDIN, id + 1), fcgi.record(fcgi.PARAMS, id + 1, b"stray", 3),
              fcgi.record(fcgi.GET_VALUES_RESULT, 0, b"\1\1ab"), fcgi.record(99, 0, b"unknown", 1)]
    data, at = b"", 0
    while at < len(content):
        size = dice.choice([1, 2, 7, 100, 3000])
        data += dice.choice(strays) + fcgi.record(type, id, content[at:at + size], dice.choice([0, 1, 8, 255]))
        at += size
    return data + dice.choice(strays) + fcgi.record(type, id, b"", dice.choice([0, 8, 255]))


def test_right_requests_in_random_records_are_understood(leat):
    dice = random.Random(SEED)
    with Connection(leat.address) as connection:
        for id in range(1, 301):
            body = dice.randbytes(dice.choice([0, 1, 100, 9000]))
            long = "x" * dice.choice([0, 127, 200])
            params = fcgi.pairs(fcgi.http_params("POST", "/echo", len(body), HTTP_X_LONG=long))
            data = fcgi.begin(id, padding=dice.choice([0, 3, 255])) + in_random_records(dice, fcgi.PARAMS, id, params)
            data += in_random_records(dice, fcgi.STDIN, id, body)
            send_in_two(connection, data, dice.randrange(1, len(data)))
            assert connection.reply(id=id, aside=[]).body == body


def test_random_bytes(leat):
    dice = random.Random(SEED)
    for _ in range(300):
        play_noise(leat, dice.randbytes(dice.choice([1, 7, 8, 9, 16, 100, 5000, 70000])))


def test_random_records(leat):
    dice = random.Random(SEED)
    for _ in range(300):
        play_noise(leat, b"".join(
            fcgi.record(dice.choice([0, 1, 2, 4, 4, 5, 5, 8, 9, 11, 99]), dice.choice([0, 1, 1, 1, 2]),
                        dice.randbytes(dice.choice([0, 0, 8, 8, 100])), padding=dice.choice([0, 0, 5]))
            for _ in range(dice.randrange(1, 20))))


def test_requests_with_random_faults(leat):
    dice = random.Random(SEED)
    for _ in range(500):
        data = bytearray(REQUEST + fcgi.get_values(*NAMES) + REQUEST)
        for _ in range(dice.choice([1, 1, 2, 5])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        play_noise(leat, bytes(data))


def test_memory_has_returned(leat, at_rest):
    """The last test of the file."""
    grown = leat.resident_bytes() - at_rest["memory"]
    assert grown < MEMORY_BOUND, f"{grown >> 20} MiB more than at first"
