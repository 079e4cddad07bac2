"""What those who listen for notifications are told when the network drops everything, and says nothing of it."""

import contextlib
import time

import pytest

from servers import wait_until
from test_database_faults import PORT, counted, far_postgres, hole, start, wait_connected  # noqa: F401

pytestmark = pytest.mark.outage

SILENCE = 0.3  # db_notify_silence
ANSWER = 1  # db_connect_timeout


@pytest.fixture
def far(far_postgres, hole, start, counted):  # noqa: F811
    """A testbed whose database is on the other side of the hole, and that is soon in doubt about silence."""
    url = f"postgresql://app@{hole.inside[0]}:{PORT}/postgres"
    return counted(wait_connected(start(url, db_notify_silence=f"{SILENCE * 1000:.0f}ms", db_connect_timeout=f"{ANSWER}s")))


def listeners(postgres):
    """The sessions that listen, and have shown since that they live. The server knows nothing of a hole: they may be dead."""
    sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'leat' AND query LIKE '%sign of life%'"
    return set(postgres.run(sql).split())


@contextlib.contextmanager
def listening(leat, postgres, uri):
    before = listeners(postgres)
    with leat.connect(timeout=60) as client:
        client.send("GET", uri)
        wait_until(lambda: listeners(postgres) - before, "leat listens")
        yield client


def test_a_silent_network_costs_no_connection(far, far_postgres):  # noqa: F811
    with listening(far, far_postgres, "/db/told") as client:
        far_postgres.run("NOTIFY news, 'at last'")
        reply = client.receive()
    assert (reply.status, reply.body) == (200, b"at last")
    assert far.metric("leat_db_listeners_lost_total") == 0


def test_in_a_black_hole_those_who_listen_are_told(far, far_postgres, hole, figure):  # noqa: F811
    with listening(far, far_postgres, "/db/told") as client:
        began = time.monotonic()
        with hole.swallowing():
            assert client.receive().status == 503
            took = time.monotonic() - began
    figure(f"a black hole under a connection that listens: told after {took * 1000:.0f} ms of {(SILENCE + ANSWER) * 1000:.0f} ms")
    assert "the connection that listens is lost" in far.log()


def test_after_a_black_hole_they_listen_on(far, far_postgres, hole):  # noqa: F811
    with listening(far, far_postgres, "/db/told/at-last") as client:
        with hole.swallowing():
            before = listeners(far_postgres)
            far.wait_metric("leat_db_listeners_lost_total", 1)
        wait_until(lambda: listeners(far_postgres) - before, "leat listens again")
        far_postgres.run("NOTIFY news, 'again'")
        reply = client.receive()
    assert (reply.status, reply.body) == (200, b"again")
