"""Handlers that crash: each costs its own request, and its process ends when the others have ended."""

import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import re
import resource
import signal
import threading
import time

import fastcgi
import pytest
from conftest import stopping
from servers import FLAVOUR, wait_until

pytestmark = pytest.mark.skipif(FLAVOUR != "", reason="sanitizers keep their own handlers: the first crash ends the process")

WAYS = {
    "null": "SIGSEGV (no such memory) at address 0x0",
    "call": "SIGSEGV",
    "overflow": "SIGSEGV",
    "abort": "SIGABRT",
    "assert": "SIGABRT",
    "zero": "SIGFPE",
    "trap": "SIGILL",
    "bus": "SIGBUS",
    "free": "SIGABRT",
    "smash": "SIGSEGV",
}
ROUNDS = 10  # for each front server
CONTAINED = 'leat_crashes_total{end="contained"}'
FATAL = 'leat_crashes_total{end="fatal"}'


@pytest.fixture
def crashing(start_leat, keys):
    """Starts the surface service; what the test says stands in the settings."""

    def start(**settings):
        return start_leat("tests/web/surface/surface", auth_folder=keys.folder, **settings).wait_ready()

    return start


def start_front(front_class, leat):
    return stopping(front_class(leat.folder / front_class.name, leat))


@contextlib.contextmanager
def load(front, clients=6):
    """Asks all the while, and tells how often each status came."""
    is_over = threading.Event()
    statuses = {}

    def ask():
        while not is_over.is_set():
            status = front.ask("GET", "/crash/fine?after=20").status
            statuses[status] = statuses.get(status, 0) + 1

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(ask) for _ in range(clients)]
        try:
            yield statuses
        finally:
            is_over.set()
    for each in asking:
        each.result()


def crash(front, path, **more):
    """The request's id, of a reply that is as it should be."""
    reply = front.ask("GET", path, **more)
    assert reply.status == 500
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["status"] == 500
    return reply.json["request_id"]


def wait_replaced(leat, processes):
    """Who crashed has gone, and as many run as should."""
    leat.wait_for(lambda: len(leat.worker_pids()) == processes, "the process that crashed is gone, and replaced")


def report_of(leat, request_id):
    leat.wait_for(lambda: f"request {request_id}, process" in leat.log(), "the crash is reported")
    return next(line for line in leat.log().splitlines() if f"request {request_id}, process" in line)


@pytest.mark.parametrize("how", WAYS)
def test_a_crash_costs_its_own_request_alone(crashing, front_class, how):
    leat = crashing(processes=2)
    with start_front(front_class, leat) as front, load(front) as statuses:
        wait_until(lambda: statuses, "the load runs")
        report = report_of(leat, crash(front, f"/crash/handler/{how}"))
        assert WAYS[how] in report
        assert "route /crash/handler/{how}, " in report
        leat.wait_for(lambda: "ends after its crash" in leat.log(), "the process ends")
        wait_replaced(leat, 2)
    assert set(statuses) == {200}
    assert leat.metric(CONTAINED) == 1
    assert leat.metric(FATAL) == 0


def test_crash_upon_crash(crashing, front_class):
    """No request but those that crash is lost, and nothing hangs."""
    leat = crashing(processes=2)
    ids = []
    with start_front(front_class, leat) as front, load(front) as statuses:
        for number in range(ROUNDS):
            ids.append(crash(front, f"/crash/handler/{list(WAYS)[number % len(WAYS)]}"))
        wait_replaced(leat, 2)
    assert set(statuses) == {200}
    assert len(set(ids)) == ROUNDS
    assert leat.metric(CONTAINED) == ROUNDS
    for request_id in ids:
        report_of(leat, request_id)
    assert leat.metric("leat_requests_active") == 0


def test_the_report_leads_to_the_line(crashing):
    leat = crashing()
    leat.ask("GET", "/crash/handler/null", X_SECRET="not for the log")
    leat.wait_for(lambda: "takes no new work" in leat.log(), "the crash is reported")
    assert re.search(r"crash: #0 0x[0-9a-f]+ by_null\+0x[0-9a-f]+ \(surface\+0x[0-9a-f]+\)", leat.log())
    assert re.search(r"crash: #1 0x[0-9a-f]+ get_crash\+", leat.log())
    assert re.search(r"/surface, build id [0-9a-f]{16,}: addr2line -Cfipe /\S+/surface 0x", leat.log())
    assert "not for the log" not in leat.log()


def test_the_crash_is_in_the_access_log(crashing):
    leat = crashing()
    reply = leat.ask("GET", "/crash/handler/null")
    leat.wait_for(lambda: any(line["status"] == 500 for line in leat.access_lines()), "the request is logged")
    line = next(line for line in leat.access_lines() if line["status"] == 500)
    assert line["route"] == "/crash/handler/{how}"
    assert line["bytes"] == len(reply.body)


def test_a_head_request_has_no_body(crashing, front_class):
    leat = crashing()
    with start_front(front_class, leat) as front:
        reply = front.ask("HEAD", "/crash/handler/null")
        assert reply.status == 500 and reply.body == b""


def test_others_of_the_process_go_on(crashing):
    """Those that wait on the same thread, too, and the service is there at once, though it has one process."""
    leat = crashing(processes=1, workers=1)
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(leat.connect()) for _ in range(5)]
        for other in others:
            other.send("GET", "/crash/fine?after=1500")
        leat.wait_metric("leat_requests_active", 5)
        assert leat.ask("GET", "/crash/handler/null").status == 500
        assert leat.ask("GET", "/crash/fine").status == 200
        assert leat.metric("leat_worker_starts_total") == 2
        assert {other.receive().status for other in others} == {200}
    wait_replaced(leat, 1)


def test_a_broken_heap_costs_the_thread(crashing, front_class):
    """malloc aborts under its lock: who waits on the same thread is refused, others are not."""
    leat = crashing(processes=2, workers=1)
    with start_front(front_class, leat) as front, concurrent.futures.ThreadPoolExecutor(20) as pool:
        others = [pool.submit(front.ask, "GET", "/crash/fine?after=3000") for _ in range(20)]
        leat.wait_metric("leat_requests_active", 20)
        request_id = crash(front, "/crash/handler/heap")
        statuses = [other.result().status for other in others]
        assert set(statuses) <= {200, 503} and 200 in statuses
        assert "SIGABRT" in report_of(leat, request_id)
        wait_replaced(leat, 2)
        assert front.ask("GET", "/crash/fine").status == 200


def test_a_crash_loop_costs_a_start_a_second(crashing):
    leat = crashing(processes=1)
    began = time.monotonic()
    for _ in range(5):
        assert leat.ask("GET", "/crash/handler/null").status == 500
    assert leat.ask("GET", "/crash/fine").status == 200
    assert leat.metric("leat_worker_starts_total") <= time.monotonic() - began + 2


def test_a_stream_that_crashes_is_cut(crashing, front_class):
    leat = crashing()
    with start_front(front_class, leat) as front, contextlib.closing(front.connect()) as connection:
        connection.request("GET", "/crash/stream/null")
        reply = connection.getresponse()
        assert reply.status == 200
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            reply.read()
    leat.wait_for(lambda: leat.metric(CONTAINED) == 1, "the crash is counted")


@pytest.mark.parametrize("what", ["transaction", "rows", "sent"])
def test_a_crash_gives_its_connection_back(crashing, migrated, users, what):
    """What a transaction had locked is free at once, although the process still works on another request."""
    url = f"{migrated.url}&application_name=crash-{what}"
    leat = crashing(database_url=url, processes=1, workers=1, db_lanes=2)

    def sessions():
        return int(migrated.run(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crash-{what}'"))

    wait_until(lambda: leat.ask("GET", f"/crash/{what}/nope").status == 200, "the database is there")
    with leat.connect() as other:
        other.send("GET", "/crash/fine?after=3000")
        leat.wait_metric("leat_requests_active", 1)
        assert leat.ask("GET", f"/crash/{what}/null").status == 500
        migrated.run("SET lock_timeout = '2s'; UPDATE users SET name = name WHERE id = 1")
        assert other.receive().status == 200
    wait_until(lambda: leat.ask("GET", f"/crash/{what}/nope").status == 200, "the next one works")
    wait_until(lambda: sessions() <= 3, "two lanes are there, and one to lend")


def test_an_offloaded_call_that_crashes_fails(crashing, front_class):
    leat = crashing()
    with start_front(front_class, leat) as front, load(front) as statuses:
        report = report_of(leat, crash(front, "/crash/offload/null"))
        assert "in an offloaded call" in report and "route /crash/offload/{how}" in report
        wait_replaced(leat, 1)
    assert set(statuses) == {200}


def test_a_second_crash_ends_the_process(crashing):
    leat = crashing(processes=1)
    with leat.connect() as first, leat.connect() as second:
        first.send("GET", "/crash/handler/null?after=300")
        second.send("GET", "/crash/handler/null?after=600")
        assert first.receive().status == 500
        assert second.receive().status == 500
    leat.wait_for(lambda: "it is the second of its process" in leat.log(), "the process ends at once")
    leat.wait_for(lambda: "killed by signal 11" in leat.log(), "the supervisor says so")
    wait_replaced(leat, 1)
    assert leat.metric(FATAL) == 1


def test_without_grace_the_process_ends_at_once(crashing):
    leat = crashing(processes=1, crash_grace=0)
    with leat.connect() as other:
        other.send("GET", "/crash/fine?after=5000")
        leat.wait_metric("leat_requests_active", 1)
        assert leat.ask("GET", "/crash/handler/null").status == 500
        with pytest.raises((fastcgi.Closed, ConnectionError)):
            other.receive()
    leat.wait_for(lambda: "killed by signal 11" in leat.log(), "the supervisor says so")


def test_who_does_not_end_in_time_is_cancelled(crashing):
    leat = crashing(processes=1, crash_grace="200ms")
    with leat.connect() as other:
        other.send("GET", "/crash/fine?after=9000")
        leat.wait_metric("leat_requests_active", 1)
        assert leat.ask("GET", "/crash/handler/null").status == 500
        assert other.receive().status == 503


def test_a_signal_of_others_is_no_crash(crashing):
    leat = crashing(processes=1)
    os.kill(leat.worker_pids()[0], signal.SIGSEGV)
    leat.wait_for(lambda: "killed by signal 11" in leat.log(), "it ends at once")
    assert leat.metric(CONTAINED) == 0


@pytest.mark.skipif(
    pathlib.Path("/proc/sys/kernel/core_pattern").read_text()[0] in "|/" or
    resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY, reason="cores go elsewhere")
def test_a_core_is_dumped_where_it_is_wanted(crashing):
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    leat = crashing(processes=1, launch={"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited)})
    assert leat.ask("GET", "/crash/handler/null").status == 500
    core = wait_until(lambda: next(leat.folder.glob("core*"), None), "a core is there")
    wait_until(lambda: core.stat().st_size > 0, "it has something in it")
    assert core.read_bytes()[:4] == b"\x7fELF"
