"""The example service, as a client sees it through nginx and through lighttpd."""

import pytest

pytestmark = pytest.mark.usefixtures("users")

ADA = {"name": "Ada Lovelace", "email": "ada@example.org"}


def names(reply):
    return [user["name"] for user in reply.json["users"]]


def test_hello_is_written_as_json(front):
    reply = front.ask("GET", "/api/hello")
    assert (reply.status, reply.json) == (200, {"message": "hello"})
    assert reply.headers["Content-Type"] == "application/json"


def test_health_says_ok(front):
    reply = front.ask("GET", "/health")
    assert (reply.status, reply.body) == (200, b'{"status":"ok"}')
    assert reply.headers["Content-Type"] == "application/json"


def test_a_user_is_read_by_id(front):
    reply = front.ask("GET", "/api/users/3")
    assert (reply.status, reply.json) == (200, {"id": 3, "name": "User 3", "email": "user3@example.org"})


def test_a_user_that_is_not_there_is_not_found(front):
    reply = front.ask("GET", "/api/users/999")
    assert reply.status == 404
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["status"] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_user_that_is_not_there_cannot_be_changed(front, method):
    body = ADA if method == "PUT" else None
    assert front.ask(method, "/api/users/999", body).status == 404


def test_a_new_user_has_an_id_and_a_place(front, migrated):
    reply = front.ask("POST", "/api/users", ADA)
    assert (reply.status, reply.json) == (201, {"id": 11} | ADA)
    assert reply.headers["Location"] == "/api/users/11"
    assert migrated.run("SELECT name, email FROM users WHERE id = 11") == "Ada Lovelace|ada@example.org"


def test_a_new_user_can_be_read_where_location_says(front):
    location = front.ask("POST", "/api/users", ADA).headers["Location"]
    assert front.ask("GET", location).json == {"id": 11} | ADA


def test_a_user_is_replaced(front, migrated):
    reply = front.ask("PUT", "/api/users/4", ADA)
    assert (reply.status, reply.json) == (200, {"id": 4} | ADA)
    assert migrated.run("SELECT name FROM users WHERE id = 4") == "Ada Lovelace"


def test_a_user_is_removed(front, migrated):
    reply = front.ask("DELETE", "/api/users/4")
    assert (reply.status, reply.body) == (204, b"")
    assert migrated.run("SELECT count(*) FROM users") == "9"
    assert front.ask("GET", "/api/users/4").status == 404


@pytest.mark.parametrize("method, path", [("POST", "/api/users"), ("PUT", "/api/users/2")])
def test_an_email_belongs_to_one_user(front, method, path):
    reply = front.ask(method, path, {"name": "Another", "email": "user1@example.org"})
    assert reply.status == 409
    assert reply.json["detail"] == "another user has this email"


def test_text_of_all_scripts_comes_back_as_it_was_sent(front):
    name = 'Zoë "Ω" \\ 李小龙 🙂\t'
    assert front.ask("POST", "/api/users", ADA | {"name": name}).json["name"] == name
    assert front.ask("GET", "/api/users/11").json["name"] == name


def test_text_is_an_argument_and_never_sql(front, migrated):
    name = "Robert'); DROP TABLE users;--"
    assert front.ask("POST", "/api/users", ADA | {"name": name}).status == 201
    assert migrated.run("SELECT count(*) FROM users") == "11"


def test_a_name_is_measured_in_characters_not_bytes(front):
    assert front.ask("POST", "/api/users", ADA | {"name": "李" * 80}).status == 201


# Paging


def test_a_page_has_twenty_users_unless_asked_otherwise(front, migrated):
    migrated.run("INSERT INTO users (name, email) SELECT 'More', 'more' || n FROM generate_series(1, 20) n")
    page = front.ask("GET", "/api/users").json
    assert [user["id"] for user in page["users"]] == list(range(1, 21))


def test_paging_walks_over_all_users_once(front):
    seen, after = [], 0
    while after is not None:
        page = front.ask("GET", f"/api/users?limit=3&after={after}").json
        assert len(page["users"]) <= 3
        seen += [user["id"] for user in page["users"]]
        after = page["next"]
    assert seen == list(range(1, 11))


def test_the_next_page_is_named_by_the_number_of_the_last_user(front):
    assert front.ask("GET", "/api/users?limit=3").json["next"] == 3


def test_the_last_page_has_no_next_one_even_when_it_is_full(front):
    page = front.ask("GET", "/api/users?limit=5&after=5").json
    assert (len(page["users"]), page["next"]) == (5, None)


def test_a_page_behind_the_last_user_is_empty(front):
    assert front.ask("GET", "/api/users?after=10").json == {"users": [], "next": None}


def test_paging_skips_what_was_removed(front):
    front.ask("DELETE", "/api/users/2")
    assert names(front.ask("GET", "/api/users?limit=2")) == ["User 1", "User 3"]


@pytest.mark.parametrize("query, parameter", [
    ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("limit=", "limit"), ("limit=1.5", "limit"),
    ("after=-1", "after"), ("after=9223372036854775808", "after"),
])
def test_a_page_that_cannot_be_is_refused_by_the_parameters_name(front, query, parameter):
    reply = front.ask("GET", f"/api/users?{query}")
    assert reply.status == 422
    assert parameter in reply.body.decode()


def test_query_parameters_are_decoded(front):
    assert len(front.ask("GET", "/api/users?%6cimit=%32").json["users"]) == 2
