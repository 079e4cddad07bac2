"""Security headers, request ids, timeouts, body limits, and who the client is, through nginx and lighttpd."""

import contextlib
import http.client
import socket

import pytest

import servers

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


# Security headers

@pytest.mark.parametrize("path", ["/constant", "/text", "/moved", "/unchanged", "/failing", "/stream", "/nowhere"])
def test_every_reply_has_security_headers(edge_front, path):
    headers = edge_front.ask("GET", path).headers
    assert {name: headers.get(name) for name in SECURITY} == SECURITY
    assert "Strict-Transport-Security" not in headers


def test_a_handlers_own_headers_stay(edge_front):
    with contextlib.closing(edge_front.connect()) as connection:
        connection.request("GET", "/own")
        headers = connection.getresponse().headers
    assert headers.get_all("Content-Security-Policy") == ["default-src 'self'"]
    assert headers.get_all("X-Request-Id") == ["own"]


def test_strict_transport_is_for_https(edge_front):
    headers = edge_front.ask("GET", "/text", headers={"X-Forwarded-Proto": "https"}).headers
    assert headers["Strict-Transport-Security"] == "max-age=3600"


# Ids

@pytest.mark.parametrize("headers, expected", [
    ({"X-Request-Id": "abc.1-2_3"}, "abc.1-2_3"),
    ({"traceparent": f"00-{TRACE}-01"}, TRACE),
    ({"X-Request-Id": "a b", "traceparent": f"00-{TRACE}-01"}, TRACE),
])
def test_an_id_comes_back(edge, edge_front, headers, expected):
    reply = edge_front.ask("GET", "/failing", headers=headers)
    assert reply.headers["X-Request-Id"] == expected
    assert reply.json["request_id"] == expected
    edge.wait_for(lambda: any(line["id"] == expected for line in edge.access_lines()), "the access log has it")


@pytest.mark.parametrize("headers", [{}, {"X-Request-Id": "x" * 129}, {"X-Request-Id": 'a"b'}, {"traceparent": "00-0-0-0"}])
def test_else_one_is_made(edge_front, headers):
    reply = edge_front.ask("GET", "/failing", headers=headers)
    assert len(reply.headers["X-Request-Id"]) == 26
    assert reply.json["request_id"] == reply.headers["X-Request-Id"]


# Limits of a group

def test_a_timeout_is_shorter_than_the_routes_deadline(edge_front):
    assert edge_front.ask("GET", "/limited/slow").status == 504


def test_a_timeout_ends_a_stream(edge_front):
    with contextlib.closing(edge_front.connect()) as connection, pytest.raises((http.client.HTTPException, OSError)):
        connection.request("GET", "/limited/endless")
        connection.getresponse().read()


@pytest.mark.parametrize("size, status", [(10, 200), (11, 413)])
def test_a_body_limit_is_less_than_the_routes(edge_front, size, status):
    reply = edge_front.ask("POST", "/limited/body", b"x" * size)
    assert reply.status == status
    assert status == 200 or "10 bytes" in reply.json["detail"]


# Who asks

def lines(front, *headers):
    """A request with these lines as they are, so that one name may come twice."""
    with socket.create_connection(("127.0.0.1", front.port), 30) as peer:
        head = ["GET /client HTTP/1.1", "Host: localhost", "Connection: close", *headers]
        peer.sendall("\r\n".join([*head, "", ""]).encode())
        return peer.makefile("rb").read().rpartition(b"\r\n\r\n")[2].decode()


@pytest.mark.parametrize("headers, expected", [
    ([], "127.0.0.1 http"),
    (["X-Forwarded-For: 203.0.113.7"], "203.0.113.7 http"),
    (["X-Forwarded-For: 6.6.6.6, 203.0.113.7"], "203.0.113.7 http"),
    (["X-Forwarded-For: 6.6.6.6, 203.0.113.7, 192.0.2.9"], "203.0.113.7 http"),
    (["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 203.0.113.7"], "203.0.113.7 http"),
    (["X-Forwarded-For: 6.6.6.6, 203.0.113.7", "X-Forwarded-For: 192.0.2.9"], "203.0.113.7 http"),
    (["X-Forwarded-For: [2001:DB8::1]:4711"], "2001:db8::1 http"),
    (["X-Forwarded-For: 203.0.113.7, evil"], "127.0.0.1 http"),
    (["X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https"], "203.0.113.7 https"),
    (["Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6"], "127.0.0.1 http"),
])
def test_trusted_proxies_tell_who_asks(edge_front, headers, expected):
    assert lines(edge_front, *headers).split("\r\n")[-1] == expected


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X-Forwarded_For", "x_forwarded-for"])
def test_a_name_that_is_nearly_the_same_tells_nothing(edge_front, name):
    """nginx drops it, lighttpd gives it the name of the real one."""
    assert lines(edge_front, "X-Forwarded-For: 203.0.113.7", f"{name}: 6.6.6.6") in ("203.0.113.7 http", "127.0.0.1 http")
    assert lines(edge_front, f"{name}: 6.6.6.6", "X-Forwarded-For: 203.0.113.7") in ("203.0.113.7 http", "127.0.0.1 http")


def test_the_access_log_has_the_client(edge, edge_front):
    lines(edge_front, "X-Forwarded-For: 203.0.113.77")
    edge.wait_for(lambda: any(line["client"] == "203.0.113.77" for line in edge.access_lines()), "the access log has it")


def test_nobody_is_trusted_at_first(start_leat):
    service = start_leat("tests/web/edge").wait_ready()
    reply = service.ask("GET", "/client", HTTP_X_FORWARDED_FOR="6.6.6.6", HTTP_X_FORWARDED_PROTO="https")
    assert reply.body == b"192.0.2.1 http"


def test_forwarded_is_read_when_it_is_chosen(start_leat):
    service = start_leat("tests/web/edge", trusted_proxies="192.0.2.0/24", forwarded_header="forwarded").wait_ready()
    reply = service.ask("GET", "/client", HTTP_FORWARDED='for=6.6.6.6, for="[2001:db8::1]";proto=https',
                        HTTP_X_FORWARDED_FOR="6.6.6.6")
    assert reply.body == b"2001:db8::1 https"


def test_more_proxies_than_the_limit_are_counted(start_leat):
    service = start_leat("tests/web/edge", trusted_proxies="192.0.2.0/24", forwarded_max=2).wait_ready()
    reply = service.ask("GET", "/client", HTTP_X_FORWARDED_FOR="6.6.6.6" + ", 192.0.2.1" * 5000)
    assert reply.body == b"192.0.2.1 http"
    assert service.metric('leat_forwarded_stops_total{reason="forwarded_max"}') == 1
    service.ask("GET", "/client", HTTP_X_FORWARDED_FOR="evil")
    service.wait_metric('leat_forwarded_stops_total{reason="malformed"}', 1)


def test_a_bad_list_ends_the_start(start_leat):
    service = start_leat("tests/web/edge", trusted_proxies="10.0.0.0/8, 0.0.0.0/0")
    assert service.wait() == 2
    assert "trusted_proxies: '0.0.0.0/0' is everybody" in service.log()
