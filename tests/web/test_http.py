"""What HTTP asks of any service, seen through nginx and through lighttpd."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("users")

ADA = {"name": "Ada Lovelace", "email": "ada@example.org"}
JSON = {"Content-Type": "application/json"}


def is_problem(reply):
    return reply.headers["Content-Type"] == "application/problem+json" and reply.json["status"] == reply.status


# Routes and methods


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/users/", "/api/users/1/2", "/api/users/one", "/API/hello"])
def test_no_such_route_is_not_found(front, path):
    reply = front.ask("GET", path)
    assert reply.status == 404
    assert is_problem(reply)


@pytest.mark.parametrize("method, path, allowed", [
    ("DELETE", "/api/hello", "GET, HEAD, OPTIONS"),
    ("PATCH", "/api/users", "GET, HEAD, OPTIONS, POST"),
    ("POST", "/api/users/1", "DELETE, GET, HEAD, OPTIONS, PUT"),
])
def test_a_wrong_method_is_told_the_right_ones(front, method, path, allowed):
    reply = front.ask(method, path)
    assert reply.status == 405
    assert reply.headers["Allow"] == allowed
    assert is_problem(reply)


def test_options_tells_the_methods(front):
    reply = front.ask("OPTIONS", "/api/users")
    assert reply.status in (200, 204)
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("path", ["/api/hello", "/health", "/api/users/1"])
def test_head_answers_as_get_without_the_body(front, path):
    get, head = front.ask("GET", path), front.ask("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_a_literal_in_the_path_may_be_escaped(front):
    assert front.ask("GET", "/api/%68ello").status == 200


def test_an_escaped_slash_is_data(front):
    assert front.ask("GET", "/api%2Fhello").status == 404


@pytest.mark.parametrize("path", ["/api/users/%ff", "/api/users/%zz", "/api/users/%00"])
def test_a_path_that_is_no_text_is_refused(front, path):
    assert front.ask("GET", path).status == 400


def test_an_id_beyond_64_bits_is_no_route(front):
    assert front.ask("GET", "/api/users/9223372036854775808").status == 404


# Bodies


def test_every_fault_of_a_body_is_listed(front):
    reply = front.ask("POST", "/api/users", {"name": "", "email": "nobody"})
    assert reply.status == 422
    assert is_problem(reply)
    text = reply.body.decode()
    assert "/name" in text and "/email" in text


def test_a_missing_field_is_a_fault(front):
    reply = front.ask("POST", "/api/users", {"name": "Ada"})
    assert reply.status == 422
    assert "/email" in reply.body.decode()


@pytest.mark.parametrize("body", [[], "Ada", 1, None.__class__.__name__, {"name": 1, "email": "a@example.org"}])
def test_a_body_of_another_shape_is_refused(front, body):
    assert front.ask("POST", "/api/users", json.dumps(body), JSON).status == 422


@pytest.mark.parametrize("body", [
    "", "{", "nonsense", "{'name':'Ada'}", '{"name":"Ada",}', '{"name":NaN}', b'{"name":"\xff"}', '{} {}', '{"a":"\x01"}',
])
def test_what_is_no_json_is_a_bad_request(front, body):
    reply = front.ask("POST", "/api/users", body, JSON)
    assert reply.status == 400
    assert is_problem(reply)


def test_a_name_with_nul_never_reaches_the_database(front):
    assert front.ask("POST", "/api/users", '{"name":"a\\u0000b","email":"a@example.org"}', JSON).status in (400, 422)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/jsonx"])
def test_a_body_of_another_type_is_refused(front, content_type):
    reply = front.ask("POST", "/api/users", json.dumps(ADA), {"Content-Type": content_type})
    assert reply.status == 415
    assert is_problem(reply)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_named_with_parameters_and_in_any_case(front, content_type):
    assert front.ask("POST", "/api/users", json.dumps(ADA), {"Content-Type": content_type}).status == 201


def test_a_body_over_the_limit_is_refused_by_leat(front):
    reply = front.ask("POST", "/api/users", json.dumps(ADA | {"name": "x" * 1_200_000}), JSON)
    assert reply.status == 413
    assert is_problem(reply)


def test_a_body_far_over_the_limit_is_refused_by_the_front_server(front):
    assert front.ask("POST", "/api/users", b"x" * 2_200_000, JSON).status == 413


def test_after_a_refused_body_the_next_request_is_answered(front):
    front.ask("POST", "/api/hello", b"x" * 100_000)
    assert front.ask("GET", "/api/hello").status == 200


def test_a_chunked_body_is_read(front):
    connection = front.connect()
    connection.request("POST", "/api/users", iter([b'{"name":"Ada",', b'"email":"ada@example.org"}']), JSON)
    assert connection.getresponse().status == 201
    connection.close()


def test_a_body_comes_back_whole(testbed_front):
    body = json.dumps({"text": "x" * 300_000}).encode()
    assert testbed_front.ask("POST", "/echo", body, JSON).body == body


def test_a_body_that_the_handler_ignores_does_no_harm(testbed_front):
    for _ in range(20):
        assert testbed_front.ask("POST", "/ignore", b"x" * 50_000, JSON).status == 200


def test_the_answer_to_a_large_body_that_is_not_read_is_not_lost(testbed_front):
    """The front server still writes the body when the answer comes: closing then would make it a 503."""
    statuses = [testbed_front.ask("POST", "/ignore", b"x" * 1_900_000, JSON).status for _ in range(20)]
    assert statuses == [200] * 20


@pytest.mark.parametrize("size", [0, 1, 8183, 8184, 8185, 65535, 65536, 1_000_000, 10_000_000])
def test_a_reply_of_any_size_arrives_whole(testbed_front, size):
    reply = testbed_front.ask("GET", f"/big/{size}")
    assert (reply.status, len(reply.body)) == (200, size)


# Headers


def test_a_request_id_that_is_sent_is_the_requests(testbed_front):
    sent = "0123456789abcdef"
    assert testbed_front.ask("GET", "/env", headers={"X-Request-Id": sent}).json["request_id"] == sent


def test_a_request_without_an_id_gets_one(testbed_front):
    first, second = (testbed_front.ask("GET", "/env").json["request_id"] for _ in range(2))
    assert len(first) == 26 and first != second


def test_a_problem_names_its_request(testbed_front):
    reply = testbed_front.ask("GET", "/nowhere", headers={"X-Request-Id": "0123456789abcdef"})
    assert reply.json["request_id"] == "0123456789abcdef"


# The deploy files


def test_metrics_come_from_the_admin_socket(front):
    reply = front.ask("GET", "/metrics")
    assert reply.status == 200
    assert b"leat_requests_total" in reply.body


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_comes_from_the_admin_socket(front, path):
    assert front.ask("GET", path).status == 200
