"""Routes of every kind through nginx and lighttpd; routing.c has them. What each pattern matches is in tests/unit/t_router*.c."""

import json
import subprocess

import pytest

import conftest
import servers

pytestmark = pytest.mark.alone

PROGRAM = "tests/web/routing"
UUID = "5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f"


@pytest.fixture(scope="module", params=["off", "on"])
def redirects(request):
    return request.param


@pytest.fixture(scope="module")
def service(folder, front_class, redirects):
    """With the smallest stacks: expressions have to do with those."""
    path = folder / f"routing-{front_class.name}-{redirects}"
    with conftest.stopping(servers.Leat(path, PROGRAM, redirect_slash=redirects, stack_size=16384)) as service:
        yield service.wait_ready()


@pytest.fixture(scope="module")
def front(folder, service, front_class, redirects):
    with conftest.stopping(front_class(folder / f"{front_class.name}-routing-{redirects}", service)) as front:
        yield front


def text(reply):
    assert reply.status == 200, reply
    return reply.body.decode()


# Parameters


@pytest.mark.parametrize("path, value", [
    ("/v1/items/41", "42"),
    ("/v2/items/-1", "0"),
    ("/texts/caf%C3%A9", "café"),
    ("/texts/a%2Fb", "a/b"),
    ("/texts/a%252Fb", "a%2Fb"),
    ("/texts/a+b", "a+b"),
    ("/pages/a%2Fb-7", "a/b-7"),
    ("/files/a.tar.gz", "a.tar|gz"),
    ("/trees/", ""),
    ("/trees/a/b%2Fc/", "a/b/c/"),
    (f"/uuids/{UUID.upper()}", f"/uuids/{UUID}"),
    ("/days/1970-01-02", "86400"),
])
def test_a_handler_gets_the_value(front, path, value):
    assert text(front.ask("GET", path)) == value


@pytest.mark.parametrize("path", [
    "/texts%2Fa/b", "/pages/A", "/files/a", f"/uuids/{UUID}0", "/days/1970-02-30", "/V1/items",
    "/texts/a/b", "/texts//",
])
def test_what_does_not_fit_is_not_found(front, path):
    assert front.ask("GET", path).status == 404


def test_an_expression_that_takes_too_long_is_given_up_and_counted(front, service):
    before = service.metric("leat_route_limit_total")
    reply = front.ask("GET", f"/slow/{'a' * 40}")
    assert reply.status == 400
    assert "route_match_limit" in reply.json["detail"]
    assert service.metric("leat_route_limit_total") == before + 1


def test_an_expression_may_look_at_a_long_value(front):
    value = "a" * 4000
    assert text(front.ask("GET", f"/pages/{value}")) == value


# Methods


def test_a_wrong_method_is_told_those_of_every_pattern(front):
    reply = front.ask("DELETE", "/v1/items/7")
    assert reply.status == 405
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS, POST, PUT"
    assert reply.json["status"] == 405


def test_options_tells_those_of_every_pattern(front):
    reply = front.ask("OPTIONS", "/v1/items/x")
    assert (reply.status, reply.headers["Allow"]) == (204, "OPTIONS, PUT")


def test_head_answers_as_get(front):
    get, head = front.ask("GET", "/v1/items/41"), front.ask("HEAD", "/v1/items/41")
    assert (head.status, head.body, head.headers["Content-Type"]) == (200, b"", get.headers["Content-Type"])


def test_a_mount_itself_answers(front):
    assert front.ask("GET", "/v1/items").status == 204


# Redirects


@pytest.mark.parametrize("method, path, location", [
    ("GET", "/v1/items/", "/v1/items"),
    ("GET", "/v1/items/7/", "/v1/items/7"),
    ("HEAD", "/v1/items/7/?a=b", "/v1/items/7?a=b"),
    ("PUT", "/v1/items/a%2Fb/?a=%20b&c=%2F", "/v1/items/a%2Fb?a=%20b&c=%2F"),
    ("POST", "/in/folders", "/in/folders/"),
    ("OPTIONS", "/v1/items/", "/v1/items"),
])
def test_a_missing_or_extra_slash_is_mended_when_it_is_set_to(front, redirects, method, path, location):
    reply = front.ask(method, path)
    if redirects == "on":
        assert (reply.status, reply.headers["Location"]) == (308, location)
    else:
        assert reply.status == 404
        assert "Location" not in reply.headers


@pytest.mark.parametrize("method, path", [
    ("GET", "/in/folders"), ("POST", "/v1/items/"), ("GET", "/v1/items/x/"), ("GET", "/v1/items/7//"), ("DELETE", "/v1/items/7/"),
])
def test_no_redirect_leads_where_nothing_answers(front, method, path):
    reply = front.ask(method, path)
    assert reply.status in (404, 405)
    assert "Location" not in reply.headers


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/", "/\\evil.example/", "/%5Cevil.example/", "/%2Fevil.example/"])
def test_no_redirect_leads_to_another_host(front, path):
    location = front.ask("GET", path).headers.get("Location", "/")
    assert location.startswith("/")
    assert location[1:2] not in ("/", "\\")


# URLs


@pytest.mark.parametrize("name, value, url", [
    ("v1.item", "7", "/v1/items/7"),
    ("v2.item", "7", "/v2/items/7"),
    ("text", "a%2Fb%20%25", "/texts/a%2Fb%20%25"),
    ("page", "a-b", "/pages/a-b"),
    ("tree", "a%2Fb", "/trees/a/b"),
    ("top", "%5Cevil.example", "/%5Cevil.example"),
])
def test_the_url_of_a_route_leads_to_it(front, name, value, url):
    reply = front.ask("GET", f"/urls/{name}/{value}")
    assert (reply.status, reply.headers["Location"]) == (201, url)
    assert front.ask("GET", url).status == 200


@pytest.mark.parametrize("name, value", [("item", "7"), ("page", "A"), ("v1.item", "07")])
def test_a_url_that_cannot_be_is_an_error(front, name, value):
    assert front.ask("GET", f"/urls/{name}/{value}").status == 500


def test_the_log_tells_why_a_url_cannot_be(front, service):
    """Such lines are limited, so the first that may be written is waited for."""
    def is_told():
        assert front.ask("GET", "/urls/v1.item/x").status == 500
        return "no URL of 'v1.item': 'x' does not fit {value}" in service.log()

    service.wait_for(is_told, "the reason is logged")


# Labels


def test_metrics_count_by_the_whole_pattern(front, service):
    labels = 'route="/v1/items/{value:int}",method="GET"'
    name = f'leat_route_requests_total{{{labels},code="2xx"}}'
    before = service.metrics().get(name, 0)
    for number in range(3):
        front.ask("GET", f"/v1/items/{number}")
    service.wait_for(lambda: service.metrics().get(name) == before + 3, "three more are counted")
    assert service.metric(f"leat_route_duration_seconds_count{{{labels}}}") == before + 3


def test_the_access_log_names_the_whole_pattern(front, service):
    front.ask("GET", "/v2/items/5")
    service.wait_for(
        lambda: any(line["path"] == "/v2/items/5" and line["route"] == "/v2/items/{value:int}" for line in service.access_lines()),
        "the line is written")


# The list


def routes(*words):
    done = subprocess.run([servers.build_folder() / PROGRAM, "routes", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_list_tells_name_and_place():
    line = next(line for line in routes().splitlines() if "/v2/items/{value:int}" in line and line.startswith("GET"))
    method, pattern, name, place = line.split()
    assert (method, name) == ("GET", "v2.item")
    file, _, number = place.rpartition(":")
    source = (servers.ROOT / file).read_text().splitlines()
    assert '"/{value:int}"' in source[int(number) - 1]


def test_the_list_can_be_read_by_programs():
    by_pattern = {(route["method"], route["pattern"]): route for route in json.loads(routes("--json"))}
    route = by_pattern["GET", "/v1/items"]
    assert (route["name"], route["summary"], route["middleware"]) == (None, "All items", [])
    assert route["file"].endswith("tests/web/routing.c")
