"""Start, stop, crash and return of leat's processes."""

import os
import signal

import pytest

from servers import Leat, is_running, wait_until


@pytest.fixture
def testbed(start_leat):
    return start_leat(processes=2).wait_ready()


def sleeping(testbed, ms):
    """A connection with a request in flight."""
    connection = testbed.connect(timeout=60)
    connection.send("GET", f"/sleep/{ms}")
    testbed.wait_metric("leat_requests_active", 1)
    return connection


def all_gone(pids):
    wait_until(lambda: not any(map(is_running, pids)), f"processes {pids} are gone")


def test_as_many_worker_processes_run_as_are_set(testbed):
    assert len(testbed.worker_pids()) == 2


def test_term_lets_a_request_finish(testbed):
    pids = [testbed.pid, *testbed.worker_pids()]
    with sleeping(testbed, 1000) as connection:
        testbed.send(signal.SIGTERM)
        assert connection.receive().status == 200
    assert testbed.wait() == 0
    all_gone(pids)


def test_term_stops_an_idle_leat_at_once_and_closes_kept_connections(testbed):
    with testbed.connect() as connection:
        connection.ask("GET", "/hello")
        testbed.send(signal.SIGTERM)
        assert connection.is_closed()
        assert testbed.wait() == 0


def test_while_it_stops_new_requests_are_told_to_come_back(start_leat):
    testbed = start_leat(processes=1).wait_ready()
    with sleeping(testbed, 2000) as connection:
        testbed.send(signal.SIGTERM)
        testbed.wait_for(lambda: "stopping" in testbed.log(), "the TERM is taken")
        testbed.wait_for(lambda: testbed.ask("GET", "/hello").status == 503, "new requests are refused")
        assert connection.receive().status == 200
    assert testbed.wait() == 0


def test_a_call_that_blocks_for_long_does_not_hold_up_the_end(start_leat):
    testbed = start_leat().wait_ready()
    assert testbed.ask("GET", "/block/50000").status == 504
    testbed.send(signal.SIGTERM)
    assert testbed.wait() == 0
    assert "killing" not in testbed.log()


def test_requests_past_the_grace_are_cancelled(start_leat):
    testbed = start_leat(grace="300ms").wait_ready()
    with sleeping(testbed, 55000):
        testbed.send(signal.SIGTERM)
        assert testbed.wait() == 0


def test_a_second_term_ends_at_once(testbed):
    pids = [testbed.pid, *testbed.worker_pids()]
    with sleeping(testbed, 55000):
        testbed.send(signal.SIGTERM)
        testbed.wait_for(lambda: "stopping" in testbed.log() or "drain" in testbed.log(), "the first TERM is taken")
        testbed.send(signal.SIGTERM)
        testbed.wait()
    all_gone(pids)


def test_unix_sockets_are_removed_at_the_end(testbed):
    testbed.stop()
    assert not testbed.socket.exists()
    assert not testbed.admin.exists()


def test_nothing_outlives_a_killed_supervisor(testbed):
    pids = testbed.worker_pids()
    testbed.send(signal.SIGKILL)
    testbed.wait()
    all_gone(pids)


def test_leat_starts_over_the_socket_of_a_killed_one(testbed):
    testbed.send(signal.SIGKILL)
    testbed.wait()
    again = Leat(testbed.folder, "tests/web/testbed")
    try:
        assert again.wait_ready().ask("GET", "/hello").status == 200
    finally:
        again.stop()


def test_two_cannot_listen_on_one_socket(testbed):
    second = Leat(testbed.folder, "tests/web/testbed")
    assert second.wait() != 0
    assert str(testbed.socket) in second.log()
    assert testbed.ask("GET", "/hello").status == 200


def test_a_killed_worker_process_is_replaced(testbed):
    victim = testbed.worker_pids()[0]
    os.kill(victim, signal.SIGKILL)
    testbed.wait_for(
        lambda: victim not in testbed.worker_pids() and len(testbed.worker_pids()) == 2, "a new worker process runs")
    assert testbed.metric("leat_worker_crashes_total") == 1
    for _ in range(20):
        assert testbed.ask("GET", "/hello").status == 200


def test_counters_outlive_a_worker_process(testbed):
    for _ in range(10):
        testbed.ask("GET", "/hello")
    before = testbed.metric('leat_requests_total{code="2xx"}')
    for victim in testbed.worker_pids():
        os.kill(victim, signal.SIGKILL)
        testbed.wait_for(lambda victim=victim: victim not in testbed.worker_pids(), "it is gone")
    testbed.wait_for(lambda: len(testbed.worker_pids()) == 2, "both are back")
    assert testbed.metric('leat_requests_total{code="2xx"}') >= before
