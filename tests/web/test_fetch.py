"""Calls to other HTTP servers: each fault by its name, limits, connections kept and none leaked."""

import concurrent.futures
import socket
import urllib.parse

import pytest

import misbehaving
import servers


@pytest.fixture(scope="module")
def upstream():
    with misbehaving.Server() as server:
        yield server


@pytest.fixture
def fresh():
    """A server of one test, which counts."""
    with misbehaving.Server() as server:
        yield server


@pytest.fixture(scope="module")
def fetching(folder):
    path = folder / "fetching"
    leat = servers.Leat(path, "tests/web/fetching", fetch_allow="loopback", fetch_body_max=65536, fetch_head_max=8192, workers=1)
    try:
        yield leat.wait_ready()
    finally:
        leat.stop()
        assert "Sanitizer" not in leat.log(), leat.log()


@pytest.fixture
def start(start_leat):
    def start(**settings):
        return start_leat("tests/web/fetching", **({"fetch_allow": "loopback", "workers": 1} | settings)).wait_ready()
    return start


def uri(url, path="/call", **query):
    return f"{path}?{urllib.parse.urlencode({'url': url} | query)}"


def fetch(leat, url, body=None, **query):
    return leat.ask("GET" if body is None else "POST", uri(url, **query), body or b"")


def fault_of(reply):
    return reply.headers["X-Fault"]


# What works

def test_a_reply_comes_with_its_status_headers_and_body(fetching, upstream):
    reply = fetch(fetching, upstream.url("/ok"))
    assert (fault_of(reply), reply.headers["X-Status"], reply.headers["X-Probe"], reply.body) == ("NONE", "200", "yes", b"ok")
    assert reply.headers["X-Headers"] == "2"


@pytest.mark.parametrize("status", [204, 304, 404, 503])
def test_any_status_is_a_reply(fetching, upstream, status):
    reply = fetch(fetching, upstream.url(f"/status?{status}"))
    assert (fault_of(reply), reply.headers["X-Status"], reply.body) == ("NONE", str(status), b"")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "PURGE", "PUT", "PATCH", "POST"])
def test_methods_are_sent_as_they_are(fetching, fresh, method):
    assert fault_of(fetch(fetching, fresh.url("/ok"), method=method)) == "NONE"
    assert fresh.requests[0][0] == method


@pytest.mark.parametrize("size", [0, 1, 100000, 1000000])
def test_a_body_is_sent(fetching, fresh, size):
    assert fault_of(fetch(fetching, fresh.url("/ok"), body=b"y" * size, method="PUT")) == "NONE"
    method, _, headers, body = fresh.requests[0]
    assert (method, headers["content-length"], len(body)) == ("PUT", str(size), size)


def test_a_body_has_its_type_and_asks_nothing_first(fetching, fresh):
    fetch(fetching, fresh.url("/echo"), body=b"text")
    _, _, headers, body = fresh.requests[0]
    assert (headers["content-type"], headers.get("expect"), body) == ("text/plain", None, b"text")


def test_what_comes_before_the_reply_is_not_its_head(fetching, upstream):
    reply = fetch(fetching, upstream.url("/early"))
    assert (reply.headers["X-Status"], reply.headers["X-Headers"], reply.body) == ("200", "2", b"ok")


def test_a_reply_in_chunks(fetching, upstream):
    assert fetch(fetching, upstream.url("/chunked?60")).body == b"x" * 61440


def test_names_are_looked_up(fetching, upstream):
    assert fetch(fetching, f"http://localhost:{upstream.port}/ok").body == b"ok"
    assert fetch(fetching, f"http://LOCALHOST:{upstream.port}/ok").body == b"ok"


def test_traces_are_passed_on(fetching, fresh):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    fetching.ask("GET", uri(fresh.url("/ok")), HTTP_TRACEPARENT=trace, HTTP_TRACESTATE="a=b", HTTP_X_REQUEST_ID="mine")
    _, _, headers, _ = fresh.requests[0]
    assert (headers["traceparent"], headers["tracestate"], headers["x-request-id"]) == (trace, "a=b", "mine")


def test_a_header_of_the_handlers(fetching, fresh):
    for name, value in (("X-Mine", "value"), ("X-Empty", ""), ("x-request-id", "other")):
        fetching.ask("GET", uri(fresh.url("/ok"), "/with_header", name=name, value=value))
        assert fresh.requests[-1][2][name.lower()] == value


# What does not

@pytest.mark.parametrize("path, fault", [
    ("/cut", "CUT"),
    ("/cut_in_head", "CUT"),
    ("/short", "LENGTH"),
    ("/short_chunk", "LENGTH"),
    ("/two_lengths", "LENGTH"),
    ("/headers", "HEADERS"),
    ("/long_line", "HEADERS"),
    ("/trailers", "HEADERS"),
    ("/sized?65537", "TOO_LARGE"),
    ("/chunked?65", "TOO_LARGE"),
    ("/endless", "TOO_LARGE"),
    ("/no_http", "PROTOCOL"),
    ("/bad_chunk", "CUT"),
    ("/no_number", "PROTOCOL"),
])
def test_each_fault_has_its_name(fetching, fresh, path, fault):
    reply = fetch(fetching, fresh.url(path), timeout=5000)
    assert (fault_of(reply), reply.headers["X-Status"], reply.headers["X-Result"]) == (fault, "0", "BAD_GATEWAY"), reply.body
    assert reply.body


def test_a_body_longer_than_it_says_ends_there(fetching, fresh):
    assert fetch(fetching, fresh.url("/long")).body == b"ok"
    assert fetch(fetching, fresh.url("/ok")).body == b"ok"
    assert fresh.accepted == 2


@pytest.mark.parametrize("path", ["/silent", "/drip"])
def test_no_reply_in_time(fetching, fresh, path):
    reply = fetch(fetching, fresh.url(path), timeout=100)
    assert (fault_of(reply), reply.headers["X-Result"]) == ("DEADLINE", "TIMED_OUT")


def test_the_requests_deadline_ends_it(fetching, fresh):
    assert fetching.ask("GET", uri(fresh.url("/silent"), "/plain")).status == 504


def test_a_failure_handed_on_is_a_502_or_503(fetching, fresh):
    assert fetching.ask("GET", uri(fresh.url("/cut"), "/plain")).status == 502
    assert fetching.ask("GET", uri(f"http://127.0.0.1:{servers.unused_port()}/", "/plain")).status == 503


def test_a_server_that_refuses(fetching):
    reply = fetch(fetching, f"http://127.0.0.1:{servers.unused_port()}/")
    assert (fault_of(reply), reply.headers["X-Result"]) == ("CONNECT", "UNAVAILABLE")


def test_a_name_without_an_address(fetching):
    assert fault_of(fetch(fetching, "http://nowhere.invalid/")) == "RESOLVE"


def test_no_connection_in_time(start):
    """A listener whose queue is full answers nothing."""
    leat = start(fetch_connect_timeout="200ms")
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        assert fault_of(fetch(leat, f"http://127.0.0.1:{full.getsockname()[1]}/")) == "CONNECT_TIMEOUT"
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("url", [
    "", "nowhere", "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:70/", "http://", "http://user:word@127.0.0.1/",
    "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://a b/", "http://127.0.0.1/\r\nX: y", "http://bücher.example/",
])
def test_what_is_no_url(fetching, url):
    assert fault_of(fetch(fetching, url)) == "URL"


@pytest.mark.parametrize("name, value", [("X-A", "a\r\nX-B: b"), ("X A", "a"), ("", "a"), ("Host", "other"), ("Content-Length", "1"),
                                         ("Transfer-Encoding", "chunked")])
def test_what_is_no_header(fetching, fresh, name, value):
    assert fault_of(fetching.ask("GET", uri(fresh.url("/ok"), "/with_header", name=name, value=value))) == "REQUEST"
    assert not fresh.requests


def test_what_is_no_method(fetching, fresh):
    assert fault_of(fetch(fetching, fresh.url("/ok"), method="GET /other HTTP/1.1\r\nX:")) == "REQUEST"


# Redirects

def test_a_redirect_is_a_reply_unless_it_may_be_followed(fetching, upstream):
    assert fetch(fetching, upstream.url("/to?302,/ok")).headers["X-Status"] == "302"
    reply = fetch(fetching, upstream.url("/to?302,/ok"), redirects=1)
    assert (reply.headers["X-Status"], reply.headers["X-Url"], reply.body) == ("200", upstream.url("/ok"), b"ok")


@pytest.mark.parametrize("status, method, then", [
    (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (307, "POST", "POST"), (308, "POST", "POST"),
    (301, "PUT", "PUT"), (303, "PUT", "GET"), (308, "PATCH", "PATCH"),
])
def test_a_redirect_keeps_the_method_or_becomes_a_get(fetching, fresh, status, method, then):
    fetch(fetching, fresh.url(f"/to?{status},/echo"), body=b"text", method=method, redirects=1)
    found, _, headers, body = fresh.requests[-1]
    assert (found, body) == (then, b"" if then == "GET" else b"text")
    assert headers.get("content-type") == (None if then == "GET" else "text/plain")


@pytest.mark.parametrize("path", ["/loop", "/to?302,http://a%20b/", "/to?302,ftp://127.0.0.1/", "/to?302,file:///etc/passwd",
                                  "/to?302,http://user:word@127.0.0.1/"])
def test_redirects_that_are_not_followed(fetching, upstream, path):
    reply = fetch(fetching, upstream.url(path), redirects=3)
    assert (fault_of(reply), reply.headers["X-Status"], reply.headers["X-Result"]) == ("REDIRECT", "0", "BAD_GATEWAY")


def test_a_redirect_to_a_refused_address(fetching, upstream):
    assert fault_of(fetch(fetching, upstream.url("/to?302,http://10.0.0.1/"), redirects=1)) == "ADDRESS"


@pytest.mark.parametrize("name, is_taken_along", [("Authorization", False), ("Cookie", False), ("X-Mine", True)])
def test_secrets_stay_with_their_server(fetching, fresh, name, is_taken_along):
    with misbehaving.Server() as other:
        fetching.ask("GET", uri(fresh.url(f"/to?307,{other.url('/ok')}"), "/with_header", name=name, value="mine"))
        assert other.requests[0][2].get(name.lower()) == ("mine" if is_taken_along else None)
    fetching.ask("GET", uri(fresh.url("/to?307,/ok"), "/with_header", name=name, value="mine"))
    assert fresh.requests[-1][2][name.lower()] == "mine"


# Tries

@pytest.mark.parametrize("fault", ["cut", "short", "502", "503", "504"])
def test_what_may_be_done_twice_is_tried_again(fetching, fresh, fault):
    assert fetch(fetching, fresh.url(f"/at_last?{fault},2"), retries=2).body == b"ok"
    assert len(fresh.requests) == 3


def test_the_last_answer_counts(fetching, fresh):
    assert fetch(fetching, fresh.url("/at_last?503,2"), retries=1).headers["X-Status"] == "503"
    assert fault_of(fetch(fetching, fresh.url("/short"), retries=1)) == "LENGTH"
    assert len(fresh.requests) == 4


@pytest.mark.parametrize("path", ["/at_last?500,1", "/at_last?404,1", "/no_http", "/headers"])
def test_what_would_not_help_is_not_tried_again(fetching, fresh, path):
    fetch(fetching, fresh.url(path), retries=3)
    assert len(fresh.requests) == 1


def test_a_post_is_not_tried_again(fetching, fresh):
    assert fetch(fetching, fresh.url("/at_last?503,1"), body=b"text", retries=3).headers["X-Status"] == "503"
    assert len(fresh.requests) == 1


def test_no_try_begins_too_late(fetching, fresh):
    assert fetch(fetching, fresh.url("/at_last?503,1"), retries=3, timeout=20).headers["X-Status"] == "503"
    assert len(fresh.requests) == 1


def test_a_second_call_when_the_first_is_late(fetching, fresh):
    before = fetching.metric("leat_fetch_hedges_total")
    assert fetch(fetching, fresh.url("/at_last?silent,1"), hedge=20).body == b"ok"
    assert len(fresh.requests) == 2
    servers.wait_until(lambda: fresh.open == 1, "the first one is given up")
    assert fetching.metric("leat_fetch_hedges_total") == before + 1


def test_a_first_call_can_still_win(fetching, fresh):
    assert fetch(fetching, fresh.url("/slow?300"), hedge=20).body == b"ok"
    assert len(fresh.requests) == 2


@pytest.mark.parametrize("query", [{"hedge": 10000}, {"hedge": 10, "method": "POST"}])
def test_no_second_call_of_what_is_quick_or_may_be_done_once_only(fetching, fresh, query):
    assert fetch(fetching, fresh.url("/slow?50"), **query).body == b"ok"
    assert len(fresh.requests) == 1


def test_both_calls_end_with_the_request(fetching, fresh):
    assert fault_of(fetch(fetching, fresh.url("/silent"), hedge=20, timeout=100)) == "DEADLINE"
    servers.wait_until(lambda: fresh.open == 0 and len(fresh.requests) == 2, "both are given up")


# Addresses

@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1"])
def test_no_address_of_this_machine_unless_allowed(start, upstream, host):
    leat = start(fetch_allow="")
    reply = fetch(leat, f"http://{host}:{upstream.port}/ok")
    assert (fault_of(reply), reply.headers["X-Result"]) == ("ADDRESS", "FORBIDDEN")
    assert b"fetch_allow" in reply.body


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_url_from_outside_may_not_use_what_is_allowed(fetching, upstream, host):
    assert fault_of(fetch(fetching, f"http://{host}:{upstream.port}/ok", public_only=1)) == "ADDRESS"


def test_no_metadata_of_a_cloud(fetching):
    assert fault_of(fetch(fetching, "http://169.254.169.254/latest/meta-data/")) == "ADDRESS"


# Connections

def test_a_connection_is_used_again(fetching, fresh):
    for _ in range(5):
        assert fetch(fetching, fresh.url("/ok")).body == b"ok"
    assert fresh.accepted == 1


def test_a_get_on_a_connection_that_was_lost_is_sent_again(fetching, fresh):
    assert fetch(fetching, fresh.url("/ok")).body == b"ok"
    assert fault_of(fetch(fetching, fresh.url("/cut"))) == "CUT"
    assert [request[1] for request in fresh.requests] == ["/ok", "/cut", "/cut"]


@pytest.mark.parametrize("body", [b"", b"text"])
def test_a_post_on_a_connection_that_was_lost_is_not(fetching, fresh, body):
    assert fetch(fetching, fresh.url("/ok")).body == b"ok"
    assert fault_of(fetch(fetching, fresh.url("/cut"), body=body)) == "CUT"
    assert [request[1] for request in fresh.requests] == ["/ok", "/cut"]


def hold(leat, upstream, count, path="/call"):
    """That many calls at once, of which all that may have reached the server; their replies are the futures' results."""
    pool = concurrent.futures.ThreadPoolExecutor(count)
    return pool, [pool.submit(leat.ask, "GET", uri(upstream.url("/held"), path)) for _ in range(count)]


@pytest.mark.parametrize("settings", [{"fetch_host_connections": 3}, {"fetch_connections": 3}])
def test_connections_have_a_limit_and_the_rest_waits(start, fresh, settings):
    leat = start(**settings)
    pool, futures = hold(leat, fresh, 10)
    servers.wait_until(lambda: len(fresh.requests) == 3, "three calls are under way")
    leat.wait_metric("leat_fetch_active", 3)
    fresh.release.set()
    assert all(future.result().body == b"ok" for future in futures)
    assert (fresh.accepted, fresh.most_open) == (3, 3)
    leat.wait_metric("leat_fetch_active", 0)
    pool.shutdown()


def test_a_full_line_refuses(start, fresh):
    leat = start(fetch_host_connections=1, fetch_queue=1)
    pool, futures = hold(leat, fresh, 3)
    leat.wait_metric('leat_fetch_calls_total{end="fetch_queue"}', 1)
    fresh.release.set()
    assert sorted(fault_of(future.result()) for future in futures) == ["NONE", "NONE", "QUEUE"]
    pool.shutdown()


def test_who_waits_for_a_full_host_holds_up_nobody_else(start, fresh, upstream):
    leat = start(fetch_host_connections=1)
    pool, futures = hold(leat, fresh, 3)
    servers.wait_until(lambda: len(fresh.requests) == 1, "one call is under way")
    assert fetch(leat, upstream.url("/ok")).body == b"ok"
    fresh.release.set()
    assert all(future.result().body == b"ok" for future in futures)
    pool.shutdown()


def test_waiting_in_line_ends_in_time(start, fresh):
    leat = start(fetch_host_connections=1)
    pool, futures = hold(leat, fresh, 1)
    servers.wait_until(lambda: len(fresh.requests) == 1, "one call is under way")
    assert fault_of(fetch(leat, fresh.url("/ok"), timeout=50)) == "DEADLINE"
    fresh.release.set()
    assert futures[0].result().body == b"ok"
    pool.shutdown()


def test_another_host_gets_the_place_of_an_idle_connection(start, fresh, upstream):
    leat = start(fetch_connections=1)
    for server in (fresh, upstream, fresh):
        assert fetch(leat, server.url("/ok")).body == b"ok"
    assert (fresh.accepted, fresh.most_open) == (2, 1)


def test_idle_connections_have_a_limit(start, fresh):
    leat = start(fetch_idle_max=2)
    pool, futures = hold(leat, fresh, 8)
    servers.wait_until(lambda: len(fresh.requests) == 8, "eight calls are under way")
    fresh.release.set()
    assert all(future.result().body == b"ok" for future in futures)
    servers.wait_until(lambda: fresh.open == 2, "two connections are left")
    assert leat.metric("leat_fetch_idle_connections") == leat.metric("leat_fetch_connections") == 2
    assert leat.metric('leat_fetch_closed_total{reason="fetch_idle_max"}') == 6
    pool.shutdown()


@pytest.mark.parametrize("setting", ["fetch_idle_time", "fetch_lifetime"])
def test_idle_connections_end_by_themselves(start, fresh, setting):
    leat = start(**{setting: "1s"})
    assert fetch(leat, fresh.url("/ok")).body == b"ok"
    servers.wait_until(lambda: fresh.open == 0, "it is closed")
    leat.wait_metric("leat_fetch_connections", 0)
    assert leat.metric(f'leat_fetch_closed_total{{reason="{setting}"}}') == 1
    assert fetch(leat, fresh.url("/ok")).body == b"ok"


def test_two_hundred_at_once_on_one_worker(start, fresh):
    leat = start(fetch_host_connections=200)
    pool, futures = hold(leat, fresh, 200)
    servers.wait_until(lambda: len(fresh.requests) == 200, "two hundred calls are under way")
    fresh.release.set()
    assert all(future.result().body == b"ok" for future in futures)
    assert fresh.accepted <= 200
    leat.wait_metric("leat_fetch_active", 0)
    pool.shutdown()


def test_a_client_that_leaves_takes_its_call_along(fetching, fresh):
    connection = fetching.connect()
    connection.send("GET", uri(fresh.url("/silent")))
    servers.wait_until(lambda: fresh.open == 1, "the call is under way")
    connection.close()
    servers.wait_until(lambda: fresh.open == 0, "its connection is closed")


def test_faults_leave_no_connection(fetching, fresh):
    before = fetching.metric("leat_fetch_connections") - fetching.metric("leat_fetch_idle_connections")
    for path in ("/silent", "/cut", "/short", "/headers", "/endless", "/no_http", "/drip"):
        fetch(fetching, fresh.url(path), timeout=100)
    servers.wait_until(lambda: fresh.open == 0, "all are closed")
    assert fetching.metric("leat_fetch_connections") - fetching.metric("leat_fetch_idle_connections") == before


def test_it_stops_while_calls_are_under_way(start, fresh):
    leat = start(grace="100ms")
    pool, futures = hold(leat, fresh, 3, "/plain")
    servers.wait_until(lambda: len(fresh.requests) == 3, "three calls are under way")
    assert leat.stop() == 0
    assert all(future.result().status == 503 for future in futures)
    pool.shutdown()
