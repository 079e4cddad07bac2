"""Replies of several kinds through the front servers: cookies, redirects, headers, and problems in a form of the service's own."""

import contextlib

import pytest


def cookies_of(front, query):
    with contextlib.closing(front.connect()) as connection:
        connection.request("GET", f"/output/cookie?{query}")
        reply = connection.getresponse()
        reply.read()
        return reply.status, reply.headers.get_all("Set-Cookie")


def test_cookies_arrive_each_in_a_header_of_its_own(surface_front):
    status, cookies = cookies_of(surface_front, "name=__Host-first&value=a%3Db")
    assert status == 200
    assert cookies == [
        "__Host-first=a=b; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax",
        "second=2; Path=/; Secure; HttpOnly; SameSite=Lax"]


@pytest.mark.parametrize("query", ["name=&value=b", "name=a%3Bb&value=c", "name=a&value=b%3Bc", "name=a&value=b%0D%0AX-Evil:1"])
def test_a_bad_cookie_is_a_fault_of_the_service(surface_front, query):
    status, cookies = cookies_of(surface_front, query)
    assert status == (400 if surface_front.name == "lighttpd" and "%0D" in query else 500)
    assert cookies is None


def test_a_redirect(surface_front):
    reply = surface_front.ask("GET", "/output/redirect?to=/hello%3Fa%3Db")
    assert reply.status == 303
    assert reply.headers["Location"].endswith("/hello?a=b")
    assert reply.body == b""


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example/", "/%5Cevil.example", "/a%0D%0ASet-Cookie:%20a=b", "", "%09//x"])
def test_a_redirect_never_leads_away(surface_front, to):
    reply = surface_front.ask("GET", f"/output/redirect?to={to}")
    assert reply.status == 400
    assert "Location" not in reply.headers
    assert "Set-Cookie" not in reply.headers


@pytest.mark.parametrize("value", ["a%0D%0AX-Evil:%20b", "a%0Ab", "a%0Db"])
def test_a_header_cannot_be_split(surface_front, value):
    reply = surface_front.ask("GET", f"/output/header?value={value}")
    assert reply.status == (400 if surface_front.name == "lighttpd" else 500)  # which wants no such bytes in a URL
    assert "X-Evil" not in reply.headers


@pytest.mark.parametrize("path", ["type", "streamed-type"])
@pytest.mark.parametrize("value", ["text/plain%0D%0AX-Evil:%20b", "text/plain%0AX-Evil:b"])
def test_a_content_type_cannot_be_split(surface_front, path, value):
    reply = surface_front.ask("GET", f"/output/{path}?type={value}")
    assert reply.status == (400 if surface_front.name == "lighttpd" else 500)
    assert "X-Evil" not in reply.headers


def test_a_header_arrives_as_it_is(surface_front):
    assert surface_front.ask("GET", "/output/header?value=a:%20b;%20c").headers["X-Given"] == "a: b; c"


def test_a_mounts_own_form_of_problems(surface_front):
    reply = surface_front.ask("GET", "/output/texts/number?number=10")
    assert reply.status == 422
    assert reply.headers["Content-Type"] == "text/plain"
    assert reply.body == b"Invalid input: number"


def test_headers_of_a_problem_stay(surface_front):
    reply = surface_front.ask("GET", "/output/texts/busy")
    assert reply.status == 503
    assert reply.headers["Retry-After"] == "1"
    assert reply.body == b"Service unavailable: "


def test_elsewhere_problems_are_documents(surface_front):
    reply = surface_front.ask("GET", "/output/problems/number?number=10")
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["errors"] == [{"parameter": "number", "detail": "must be a whole number from 1 to 9"}]


@pytest.mark.parametrize("mount, body", [("problems", None), ("texts", b"Service unavailable: ")])
def test_a_renderer_that_fails_leaves_it_to_those_further_out(surface_front, mount, body):
    reply = surface_front.ask("GET", f"/output/{mount}/vain")
    assert reply.status == 503
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.body == body if body else reply.json["status"] == 503
