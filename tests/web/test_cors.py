"""CORS through nginx and lighttpd: every kind of reply has its headers, and preflights come to the policy of their route."""

import pytest

pytestmark = pytest.mark.alone

SHOP = {"Origin": "https://shop.example.org"}
EVIL = {"Origin": "https://evil.example.org"}
ALLOW = "Access-Control-Allow-Origin"


def preflight(front, path, method, **headers):
    return front.ask("OPTIONS", path, headers=SHOP | {"Access-Control-Request-Method": method} | headers)


def cors_headers(reply):
    return {name: value for name, value in reply.headers.items() if name.startswith("Access-Control-")}


REPLIES = [
    ("GET", "/constant", {}, 200),
    ("HEAD", "/text", {}, 200),
    ("GET", "/moved", {}, 303),
    ("GET", "/text/", {}, 308),
    ("GET", "/unchanged", {}, 304),
    ("GET", "/failing", {}, 409),
    ("GET", "/stream", {}, 200),
    ("GET", "/text", {"X-No-Key": "1"}, 401),
    ("GET", "/nowhere", {}, 404),
    ("DELETE", "/text", {}, 405),
    ("GET", "/limited/slow", {}, 504),
    ("OPTIONS", "/text", {}, 204),
]


@pytest.mark.parametrize("method, path, headers, status", REPLIES)
def test_every_reply_is_for_the_page(edge_front, method, path, headers, status):
    reply = edge_front.ask(method, path, headers=SHOP | headers)
    assert reply.status == status
    assert cors_headers(reply) == {
        ALLOW: "https://shop.example.org",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "X-Request-Id",
    }
    assert "Origin" in reply.headers["Vary"]


@pytest.mark.parametrize("method, path, headers, status", REPLIES)
@pytest.mark.parametrize("origin", [EVIL, {"Origin": "null"}, {}], ids=["evil", "null", "none"])
def test_no_reply_is_for_other_pages(edge_front, method, path, headers, status, origin):
    reply = edge_front.ask(method, path, headers=origin | headers)
    assert reply.status == status
    assert cors_headers(reply) == {}
    assert "Origin" in reply.headers["Vary"]


def test_subdomains_may_ask(edge_front):
    reply = edge_front.ask("GET", "/text", headers={"Origin": "https://a.b.shop.example.org"})
    assert reply.headers[ALLOW] == "https://a.b.shop.example.org"


def test_who_may_ask_is_told_before_authentication(edge_front):
    reply = preflight(edge_front, "/text", "PUT", **{"X-No-Key": "1", "Access-Control-Request-Headers": "x-key"})
    assert (reply.status, reply.body) == (204, b"")
    assert cors_headers(reply) == {
        ALLOW: "https://shop.example.org",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "DELETE, GET, HEAD, PATCH, POST, PUT",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Key",
        "Access-Control-Max-Age": "600",
    }
    assert reply.headers["Vary"] == "Origin, Access-Control-Request-Method"


@pytest.mark.parametrize("path, method", [("/nowhere", "GET"), ("/text", "DELETE"), ("/text/", "GET")])
def test_a_preflight_needs_no_route(edge_front, path, method):
    assert preflight(edge_front, path, method).headers[ALLOW] == "https://shop.example.org"


def test_a_preflight_that_is_refused_is_counted(edge, edge_front):
    before = edge.metric("leat_cors_refused_total")
    reply = preflight(edge_front, "/text", "PUT", **EVIL)
    assert (reply.status, cors_headers(reply)) == (204, {})
    assert "Origin" in reply.headers["Vary"]
    assert edge.metric("leat_cors_refused_total") == before + 1


def test_a_routes_policy_replaces_the_services(edge_front):
    reply = edge_front.ask("GET", "/open", headers=EVIL)
    assert cors_headers(reply) == {ALLOW: "*"}
    assert "Vary" not in reply.headers
    assert preflight(edge_front, "/open", "GET", **EVIL).headers[ALLOW] == "*"
    assert preflight(edge_front, "/open", "PUT").headers[ALLOW] == "https://shop.example.org"


# A policy that only a mount has

def test_a_mounts_policy_is_found_by_the_method_asked_for(surface_front):
    reply = preflight(surface_front, "/edge/shared/7", "PUT")
    assert (reply.status, reply.headers[ALLOW]) == (204, "https://shop.example.org")
    assert reply.headers["Access-Control-Allow-Headers"] == "X-Key"


@pytest.mark.parametrize("path, method, status", [
    ("/edge/shared/7", "DELETE", 204),
    ("/edge/shared/x", "GET", 404),
    ("/edge/apart", "GET", 204),
])
def test_elsewhere_nothing_is_told(surface_front, path, method, status):
    reply = preflight(surface_front, path, method)
    assert (reply.status, cors_headers(reply)) == (status, {})


def test_a_refusal_behind_the_policy_is_for_the_page(surface_front):
    reply = surface_front.ask("GET", "/edge/shared/7", headers=SHOP)
    assert (reply.status, reply.headers[ALLOW]) == (403, "https://shop.example.org")
    assert reply.json["detail"] == "No key."
