"""Hooks before and after handlers: their order, who is ended, and what passes them."""

import pytest


def trace(reply):
    return reply.headers["X-Trace"]


@pytest.mark.parametrize("path, status, expected", [
    ("/middleware/plain", 200, "+service +mount +first +second *handler -second -first -mount -service"),
    ("/middleware/failing", 409, "+service +mount -mount -service"),
    ("/middleware/refused", 403, "+service +mount !refuse -refuse -mount -service"),
    ("/middleware/answered", 200, "+service +mount =answer -answer -mount -service"),
    ("/nowhere", 404, "+service -service"),
])
def test_hooks_run_in_the_order_written(surface_front, path, status, expected):
    reply = surface_front.ask("GET", path)
    assert reply.status == status
    assert trace(reply) == expected


def test_who_replies_keeps_the_handler_from_running(surface_front):
    assert surface_front.ask("GET", "/middleware/answered").body == b"early\n"


def test_a_wrong_method_passes_the_services_hooks(surface_front):
    reply = surface_front.ask("DELETE", "/middleware/plain")
    assert reply.status == 405
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert trace(reply) == "+service -service"


def test_options_passes_the_services_hooks(surface_front):
    reply = surface_front.ask("OPTIONS", "/middleware/plain")
    assert reply.status == 204
    assert trace(reply) == "+service -service"


def test_a_problem_document_passes_the_hooks(surface_front):
    reply = surface_front.ask("GET", "/middleware/refused")
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["detail"] == "Not today."
