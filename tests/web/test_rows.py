"""Results row by row, as a client behind nginx sees them."""

import socket

import pytest

import servers
from servers import FLAVOUR, wait_until

ENDLESS = 10**12


@pytest.fixture
def reader(start_leat, postgres):
    return start_leat(database_url=postgres.url).wait_ready()


@pytest.fixture
def nginx(reader):
    front = servers.Nginx(reader.folder.parent / "nginx", reader)
    yield front
    front.stop()


def is_streaming(postgres):
    return postgres.run(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT generate_series(1, $1%'") != "0"


def test_a_hundred_thousand_rows_are_read_in_little_memory(nginx, reader, figure):
    nginx.ask("GET", "/db/sum/1000")
    before = reader.resident_bytes()
    reply = nginx.ask("GET", "/db/sum/100000")
    assert (reply.status, reply.json["n"]) == (200, 5000050000)
    assert reader.metric("leat_db_streamed_rows_total") == 101000
    more = reader.resident_bytes() - before
    assert more < 2 * 1024 * 1024 or FLAVOUR  # sanitizers have their own idea of memory
    figure(f"100,000 rows read one by one: {more // 1024} KiB more memory")


def test_a_client_that_leaves_ends_the_stream(nginx, reader, postgres):
    with socket.create_connection(("127.0.0.1", nginx.port)) as client:
        client.sendall(f"GET /db/sum/{ENDLESS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_until(lambda: reader.metric("leat_db_streamed_rows_total") > 1000, "rows are read")
    reader.wait_metric("leat_requests_aborted_total", 1)
    reader.wait_metric("leat_requests_active", 0)
    wait_until(lambda: not is_streaming(postgres), "the server has stopped")
    assert nginx.ask("GET", "/db/sum/10").json["n"] == 55
