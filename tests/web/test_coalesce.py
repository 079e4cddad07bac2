"""Work that is shared: who waits for it, who leaves, what is kept, and what never is."""

import concurrent.futures
import contextlib
import itertools
import json
import time

import pytest
import servers
from conftest import stopping
from servers import FLAVOUR, wait_until

STARTED = 'leat_coalesce_total{outcome="started"}'
JOINED = 'leat_coalesce_total{outcome="joined"}'
UNSHARED = 'leat_coalesce_total{outcome="unshared"}'
ABANDONED = 'leat_coalesce_given_up_total{reason="nobody_waits"}'
OUTLIVED = 'leat_coalesce_given_up_total{reason="deadline"}'
FRESH = 'leat_kept_replies_used_total{state="fresh"}'
STALE = 'leat_kept_replies_used_total{state="stale"}'
ERROR = 'leat_kept_replies_used_total{state="error"}'

numbers = itertools.count()


@pytest.fixture
def name():
    """A key that no other test has."""
    return f"k{next(numbers)}"


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        yield pool


@contextlib.contextmanager
def held(leat):
    leat.ask("POST", "/coalesce/hold/1")
    try:
        yield
    finally:
        leat.ask("POST", "/coalesce/hold/0")


@contextlib.contextmanager
def failing(leat):
    leat.ask("POST", "/coalesce/fail/1")
    try:
        yield
    finally:
        leat.ask("POST", "/coalesce/fail/0")


def runs(leat):
    return json.loads(leat.ask("GET", "/coalesce/runs").body)["number"]


class Counters:
    """What has been counted since."""

    def __init__(self, leat):
        self.leat = leat
        self.before = leat.metrics()

    def __getitem__(self, name):
        return self.leat.metrics()[name] - self.before[name]

    def wait(self, name, count):
        self.leat.wait_for(lambda: self[name] >= count, f"{name} grows by {count}")


def ask_all(pool, front, path, count, **more):
    return [pool.submit(front.ask, "GET", path, **more) for _ in range(count)]


def replies(futures):
    return [future.result() for future in futures]


# Sharing ------------------------------------------------------------------------------------------------------------------


def test_all_who_ask_at_once_have_the_same_reply(surface, surface_front, pool, name):
    counters, before = Counters(surface), runs(surface)
    with held(surface):
        asked = ask_all(pool, surface_front, f"/coalesce/plain/{name}", 30)
        counters.wait(JOINED, 29)
    got = replies(asked)
    assert {reply.status for reply in got} == {200}
    assert {reply.json["number"] for reply in got} == {before + 1}
    assert counters[STARTED] == 1
    assert len({reply.headers["Vary"] for reply in got}) == 1
    assert "Age" not in got[0].headers


def test_what_differs_is_not_shared(surface, surface_front, pool, name):
    counters = Counters(surface)
    with held(surface):
        asked = [pool.submit(surface_front.ask, "GET", f"/coalesce/plain/{name}{query}", None, headers)
                 for query, headers in [("", {}), ("?b=1", {}), ("?a=1", {}), ("", {"Accept-Language": "de"})]]
        counters.wait(STARTED, 4)
    assert len({reply.json["number"] for reply in replies(asked)}) == 4


def test_the_handler_sees_nothing_but_the_key(surface, surface_front, name):
    headers = {"Accept-Language": "de", "Cookie": "a=b", "X-Other": "1"}
    shared = surface_front.ask("GET", f"/coalesce/plain/{name}", None, headers).json
    assert shared["language"] == "de"
    assert shared.get("cookie") is None and shared.get("client") is None
    assert not shared["has_caller"]


def test_head_shares_with_get(surface, surface_front, pool, name):
    counters = Counters(surface)
    with held(surface):
        asked = [pool.submit(surface_front.ask, method, f"/coalesce/plain/{name}") for method in ("GET", "HEAD")]
        counters.wait(JOINED, 1)
    get, head = replies(asked)
    assert head.status == 200 and head.body == b""
    assert head.headers["Content-Length"] == str(len(get.body))


def test_other_methods_are_not_shared(surface, surface_front, name):
    counters = Counters(surface)
    assert surface_front.ask("POST", f"/coalesce/plain/{name}", b"").status == 200
    assert counters[STARTED] == 0


def test_credentials_are_not_shared_unless_asked_for(surface, surface_front, name):
    counters = Counters(surface)
    headers = {"Authorization": "Bearer x"}
    assert surface_front.ask("GET", f"/coalesce/plain/{name}", None, headers).status == 200
    assert counters[STARTED] == 0
    assert surface_front.ask("GET", f"/coalesce/callers/{name}", None, headers).status == 200
    assert counters[STARTED] == 1


def test_what_sets_a_cookie_is_each_ones_own(surface, surface_front, name):
    counters = Counters(surface)
    reply = surface_front.ask("GET", f"/coalesce/cookie/{name}", None, {"Cookie": "a=b"})
    assert reply.status == 200 and "Set-Cookie" in reply.headers
    assert reply.json["cookie"] == "a=b"  # it was its own handler
    assert counters[UNSHARED] == 1
    assert "it sets a cookie" in surface.log()


def test_a_failure_is_each_ones_own_document(surface, surface_front, pool, name):
    counters = Counters(surface)
    with failing(surface):
        with held(surface):
            asked = ask_all(pool, surface_front, f"/coalesce/plain/{name}", 3)
            counters.wait(JOINED, 2)
        got = replies(asked)
    assert {reply.status for reply in got} == {503}
    assert len({reply.json["detail"] for reply in got}) == 1
    assert len({reply.json["request_id"] for reply in got}) == 3


def test_faults_of_the_input_reach_all(surface_front):
    reply = surface_front.ask("GET", "/coalesce/kept-fault?n=11")
    assert reply.status == 422
    assert "n" in str(reply.json["errors"])


def test_a_stream_is_refused(surface, surface_front, name):
    assert surface_front.ask("GET", f"/coalesce/stream/{name}").status == 500
    assert "cannot be a stream" in surface.log()


def test_a_setting_decides(surface, surface_front, name):
    counters = Counters(surface)
    assert surface_front.ask("GET", f"/coalesce/set/{name}").status == 200
    assert counters[STARTED] == 0


# Leaving --------------------------------------------------------------------------------------------------------------------


def test_each_has_its_own_deadline(surface, surface_front, pool, name):
    counters = Counters(surface)
    with held(surface):
        patient = ask_all(pool, surface_front, f"/coalesce/call/{name}", 10)
        counters.wait(JOINED, 9)
        hasty = surface_front.ask("GET", f"/coalesce/call-20/{name}")
        assert hasty.status == 504
    got = replies(patient)
    assert {reply.status for reply in got} == {200}
    assert len({reply.body for reply in got}) == 1
    assert {reply.headers["X-Shared"] for reply in got} == {"yes"}
    assert counters[STARTED] == 1


def test_the_first_one_may_time_out(surface, surface_front, pool, name):
    counters = Counters(surface)
    with held(surface):
        hasty = pool.submit(surface_front.ask, "GET", f"/coalesce/call-20/{name}")
        counters.wait(STARTED, 1)
        hasty.result()
        after = pool.submit(surface_front.ask, "GET", f"/coalesce/call/{name}")
        counters.wait(STARTED, 2)
    assert hasty.result().status == 504
    assert after.result().status == 200
    assert counters[ABANDONED] == 1


def ask_and_wait(leat, front, path):
    """A client that asks; closing the connection is its going away. lighttpd does not tell of that before it has the reply: there it is the front
    server that goes away."""
    if front.name == "lighttpd":
        connection = leat.connect()
        connection.send("GET", path)
    else:
        connection = front.connect()
        connection.request("GET", path)
    return connection


def test_the_first_client_may_leave(surface, surface_front, pool, name):
    counters, before = Counters(surface), runs(surface)
    with held(surface):
        first = ask_and_wait(surface, surface_front, f"/coalesce/plain/{name}")
        counters.wait(STARTED, 1)
        asked = ask_all(pool, surface_front, f"/coalesce/plain/{name}", 5)
        counters.wait(JOINED, 5)
        first.close()
        counters.wait("leat_requests_aborted_total", 1)
    assert {reply.json["number"] for reply in replies(asked)} == {before + 1}
    assert counters[STARTED] == 1 and counters[ABANDONED] == 0


def test_the_death_of_the_only_one_starts_the_work_anew(surface, surface_front, pool, name):
    counters, before = Counters(surface), runs(surface)
    with held(surface):
        first = ask_and_wait(surface, surface_front, f"/coalesce/plain/{name}")
        counters.wait(STARTED, 1)
        first.close()
        counters.wait(ABANDONED, 1)
        second = pool.submit(surface_front.ask, "GET", f"/coalesce/plain/{name}")
        counters.wait(STARTED, 2)
    assert second.result().json["number"] == before + 2


def test_what_is_forgotten_is_started_anew(surface, surface_front, pool, name):
    counters = Counters(surface)
    with held(surface):
        before = pool.submit(surface_front.ask, "GET", f"/coalesce/call/{name}")
        counters.wait(STARTED, 1)
        assert surface_front.ask("POST", f"/coalesce/forget/{name}", b"").status == 204
        after = pool.submit(surface_front.ask, "GET", f"/coalesce/call/{name}")
        counters.wait(STARTED, 2)
    assert before.result().body != after.result().body


def test_the_call_hands_on_what_failed(surface_front):
    reply = surface_front.ask("GET", "/coalesce/call/bad")
    assert reply.status == 409
    assert "has no result" in reply.json["detail"]


# Crashing -------------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(FLAVOUR != "", reason="sanitizers keep their own handlers: the first crash ends the process")
def test_a_crash_is_a_500_for_all_who_wait_and_the_next_one_starts_anew(folder, start_leat, keys, pool, front_class):
    leat = start_leat("tests/web/surface/surface", auth_folder=keys.folder).wait_ready()
    with stopping(front_class(leat.folder / front_class.name, leat)) as front:
        counters = Counters(leat)
        leat.ask("POST", "/coalesce/hold/1")
        asked = ask_all(pool, front, "/coalesce/crash/1", 20)
        other = pool.submit(front.ask, "GET", "/coalesce/plain/1")
        counters.wait(JOINED, 19)
        counters.wait(STARTED, 2)
        leat.ask("POST", "/coalesce/hold/0")
        got = replies(asked)
        assert {reply.status for reply in got} == {500}
        assert len({reply.json["request_id"] for reply in got}) == 20
        assert other.result().status == 200  # of the same process, and other work
        assert "SIGABRT" in leat.log()
        assert front.ask("GET", "/coalesce/plain/1").status == 200  # of the next process
        assert leat.metrics()['leat_crashes_total{end="contained"}'] == 1


# Keeping --------------------------------------------------------------------------------------------------------------------


def test_a_fresh_reply_is_kept_and_tells_its_age(surface, surface_front, name):
    counters = Counters(surface)
    first, second, third = (surface_front.ask("GET", f"/coalesce/kept/{name}") for _ in range(3))
    assert first.body == second.body == third.body
    assert "Age" not in first.headers
    assert int(second.headers["Age"]) >= 0
    assert second.headers["Content-Type"] == "application/json"
    assert second.headers["Vary"] == "Accept-Language"
    assert len({reply.headers["X-Request-Id"] for reply in (first, second, third)}) == 3
    assert counters[FRESH] == 2
    assert counters["leat_kept_replies"] == 1
    assert counters["leat_kept_replies_bytes"] > len(first.body)


def test_kept_replies_meet_each_ones_conditions(surface_front, name):
    path = f"/coalesce/tagged/{name}"
    first = surface_front.ask("GET", path, None, {"If-None-Match": '"v1"'})
    assert first.status == 304 and first.headers["ETag"] == '"v1"'
    assert surface_front.ask("GET", path).json["number"] > 0
    again = surface_front.ask("GET", path, None, {"If-None-Match": '"v1"'})
    assert again.status == 304 and again.body == b"" and "Age" in again.headers
    assert surface_front.ask("GET", path, None, {"If-None-Match": '"v2"'}).status == 200
    assert surface_front.ask("GET", path, None, {"If-Match": '"v2"'}).status == 412
    head = surface_front.ask("HEAD", path)
    assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) > 0


def test_what_is_not_found_is_kept(surface, surface_front):
    counters, before = Counters(surface), runs(surface)
    got = [surface_front.ask("GET", f"/coalesce/kept-fault?front={surface_front.name}") for _ in range(3)]
    assert {reply.status for reply in got} == {404}
    assert len({reply.json["request_id"] for reply in got}) == 3
    assert runs(surface) == before + 1
    assert counters[FRESH] == 2


def test_failures_are_not_kept(surface, surface_front, name):
    with failing(surface):
        assert surface_front.ask("GET", f"/coalesce/kept/{name}").status == 503
    assert surface_front.ask("GET", f"/coalesce/kept/{name}").status == 200


def test_a_stale_reply_is_used_while_another_is_made(surface, surface_front, name):
    path = f"/coalesce/revalidated/{name}"
    first = surface_front.ask("GET", path).json["number"]
    counters = Counters(surface)
    with held(surface):
        counters.leat.wait_for(lambda: surface_front.ask("GET", path).json["number"] == first and counters[STALE] >= 2,
                               "the stale one is used")
        assert counters[STARTED] == 1
    wait_until(lambda: surface_front.ask("GET", path).json["number"] > first, "the new one is used")


def test_a_stale_reply_is_used_after_a_failure(surface, surface_front, name):
    path = f"/coalesce/rescued/{name}"
    first = surface_front.ask("GET", path).json["number"]
    time.sleep(0.002)  # it is stale
    counters = Counters(surface)
    with failing(surface):
        reply = surface_front.ask("GET", path)
    assert reply.status == 200 and reply.json["number"] == first and "Age" in reply.headers
    assert counters[ERROR] == 1
    assert surface_front.ask("GET", path).json["number"] > first


def test_a_stale_reply_is_used_when_a_new_one_comes_too_late(surface, surface_front, name):
    path = f"/coalesce/rescued-20/{name}"
    first = surface_front.ask("GET", path)
    assert first.status == 200
    time.sleep(0.002)
    with held(surface):
        assert surface_front.ask("GET", path).json == first.json


def test_what_is_kept_stays_within_its_bound(folder, migrated, keys):
    settings = {"auth_folder": keys.folder, "coalesce_keep": "10000"}
    with stopping(servers.Leat(folder / "bound", "tests/web/surface/surface", **settings)) as leat:
        leat.wait_ready()
        for number in range(200):
            assert leat.ask("GET", f"/coalesce/kept/{number}").status == 200
        metrics = leat.metrics()
        assert 5000 < metrics["leat_kept_replies_bytes"] <= 10000
        assert metrics['leat_kept_replies_dropped_total{reason="coalesce_keep"}'] + metrics["leat_kept_replies"] == 200


# Queries -----------------------------------------------------------------------------------------------------------------------------------


def test_a_thousand_requests_for_one_key_make_one_query(migrated, surface, surface_front, name):
    counters = Counters(surface)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(contextlib.closing(surface_front.connect())) for _ in range(1000)]
        with migrated.locked("users"):
            for connection in connections:
                connection.request("GET", f"/coalesce/query/{name}")
            counters.wait(JOINED, 999)
        got = [connection.getresponse() for connection in connections]
        assert {reply.status for reply in got} == {200}
        assert len({reply.read() for reply in got}) == 1
    assert counters[STARTED] == 1
    assert counters["leat_db_queries_total"] == 1


def test_users_are_shared_if_the_setting_says_so(folder, migrated, users):
    with stopping(servers.Leat(folder / "together", database_url=migrated.url, coalesce="on")) as leat:
        leat.wait_ready()
        leat.wait_for(lambda: leat.ask("GET", "/api/users/1").status == 200, "leat reaches the database")
        counters = Counters(leat)
        assert json.loads(leat.ask("GET", "/api/users/1").body)["id"] == 1
        assert leat.ask("GET", "/api/users/99").status == 404
        assert counters[STARTED] == 2
