"""The OpenAPI document: a validator takes it, and what the service answers is what its own document says."""

import copy
import json
import re
import subprocess

import jsonschema
import pytest

import servers

VALIDATOR = "@redocly/cli@1.34.6"

# Its recommended rules, but for one of taste: to leat, "/folders/" is another path than "/folders".
RULES = "extends: [recommended]\nrules:\n  no-path-trailing-slash: off\n"

PROGRAMS = ["leat", "tests/web/surface/surface", "tests/web/routing", "tests/web/edge", "tests/web/testbed"]


def printed(program):
    done = subprocess.run([servers.build_folder() / program, "openapi"], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


# The validator

@pytest.fixture(scope="module")
def validate(folder):
    """validate(text) runs Redocly's validator, freshly installed from npm."""
    place = folder / "redocly"
    place.mkdir()
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", place, VALIDATOR]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    (place / "rules.yaml").write_text(RULES)

    def run(text):
        (place / "document.json").write_text(text)
        return subprocess.run([place / "node_modules/.bin/redocly", "lint", "--config=rules.yaml", "document.json"], cwd=place,
                              env={"PATH": "/usr/bin:/bin", "HOME": place, "REDOCLY_TELEMETRY": "off",
                                   "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
                              capture_output=True, text=True, timeout=120)

    return run


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_validator_takes_the_document(validate, program):
    done = validate(printed(program))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is valid" in done.stdout + done.stderr


def break_reference(document):
    document["paths"]["/api/users"]["get"]["responses"]["503"]["$ref"] += "X"


def break_parameter(document):
    del document["paths"]["/api/users/{id}"]["get"]["parameters"]


def break_id(document):
    document["paths"]["/health"]["get"]["operationId"] = document["paths"]["/api/hello"]["get"]["operationId"]


def break_schema(document):
    document["components"]["schemas"]["user"]["type"] = "struct"


@pytest.mark.parametrize("damage", [break_reference, break_parameter, break_id, break_schema])
def test_and_refuses_a_damaged_one(validate, damage):
    document = json.loads(printed("leat"))
    damage(document)
    assert validate(json.dumps(document)).returncode != 0


# What is served

def test_the_document_is_served(front):
    reply = front.ask("GET", "/openapi.json")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.json == json.loads(printed("leat"))
    assert len(reply.body) < len(printed("leat"))


def test_who_has_it_does_not_get_it_again(front):
    tag = front.ask("GET", "/openapi.json").headers["ETag"]
    again = front.ask("GET", "/openapi.json", headers={"If-None-Match": tag})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    assert front.ask("HEAD", "/openapi.json").headers["ETag"] == tag


def test_it_has_no_route_that_is_about_it(front):
    assert "/openapi.json" not in front.ask("GET", "/openapi.json").json["paths"]


# Whether it is true

class Promises:
    """A document, to hold replies and bodies against."""

    def __init__(self, document):
        self.document = document
        self.kept = set()

    def operation(self, method, path):
        """The template and the operation that a request is for; literals come before parameters."""
        path = path.partition("?")[0]
        found = [template for template in self.document["paths"]
                 if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path)]
        template = min(found, key=lambda template: template.count("{"))
        return template, self.document["paths"][template][method.lower()]

    def resolve(self, thing):
        while "$ref" in thing:
            at = self.document
            for key in thing["$ref"].removeprefix("#/").split("/"):
                at = at[key]
            thing = at
        return thing

    def validator(self, schema):
        whole = {"components": self.document["components"]} | schema
        jsonschema.Draft202012Validator.check_schema(whole)
        return jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())

    def keep(self, method, path, reply):
        """Fails unless the reply is one that the document promises."""
        template, operation = self.operation(method, path)
        replies = operation["responses"]
        key = next(key for key in (str(reply.status), f"{reply.status // 100}XX", "default") if key in replies)
        assert key != "default" or reply.status >= 400
        content = self.resolve(replies[key]).get("content")
        self.kept.add((method, template, key))
        if not content:
            assert reply.body == b""
            return
        kind = reply.headers["Content-Type"]
        self.validator(content[kind]["schema"]).validate(reply.json)

    def takes(self, method, path, body):
        schema = self.operation(method, path)[1]["requestBody"]["content"]["application/json"]["schema"]
        return self.validator(schema).is_valid(body)


@pytest.fixture
def promises():
    return Promises(json.loads(printed("leat")))


USER = {"name": "Ada", "email": "ada@example.org"}

# Each operation's success, and what fails for whom.
EXCHANGES = [
    ("GET", "/health", None, 200), ("GET", "/api/hello", None, 200),
    ("GET", "/api/users", None, 200), ("GET", "/api/users?limit=2", None, 200), ("GET", "/api/users?limit=x", None, 422),
    ("POST", "/api/users", USER, 201), ("POST", "/api/users", {"name": ""}, 422), ("POST", "/api/users", b"{", 400),
    ("POST", "/api/users", USER | {"email": "user1@example.org"}, 409),
    ("GET", "/api/users/1", None, 200), ("GET", "/api/users/999", None, 404),
    ("PUT", "/api/users/2", USER | {"name": "Byron"}, 409), ("PUT", "/api/users/2", USER | {"email": "b@example.org"}, 200),
    ("PUT", "/api/users/999", USER | {"email": "c@example.org"}, 404), ("PUT", "/api/users/2", [], 422),
    ("DELETE", "/api/users/3", None, 204), ("DELETE", "/api/users/3", None, 404),
]


def exchange(front, method, path, body):
    headers = {"Content-Type": "application/json"} if isinstance(body, bytes) else {}
    return front.ask(method, path, body, headers)


def test_replies_are_as_promised(front, users, promises):
    for method, path, body, status in EXCHANGES:
        reply = exchange(front, method, path, body)
        assert reply.status == status, (method, path, body, reply.body)
        promises.keep(method, path, reply)
    reply = front.ask("POST", "/api/users", "name=Ada", {"Content-Type": "text/plain"})
    assert reply.status == 415
    promises.keep("POST", "/api/users", reply)
    succeeded = {(method, template) for method, template, key in promises.kept if key[0] == "2"}
    assert succeeded == {(method.upper(), template) for template, item in promises.document["paths"].items() for method in item}


def test_a_broken_promise_is_seen(front, users, promises):
    """What the test above would say of a service that answers otherwise."""
    other = Promises(copy.deepcopy(promises.document))
    other.document["components"]["schemas"]["user"]["properties"]["id"]["type"] = "string"
    reply = front.ask("GET", "/api/users/1")
    promises.keep("GET", "/api/users/1", reply)
    with pytest.raises(jsonschema.ValidationError):
        other.keep("GET", "/api/users/1", reply)


BODIES = [
    {}, [], None, 1, "x", USER, {"name": "Ada"}, USER | {"more": 1}, USER | {"name": None}, USER | {"name": 1}, USER | {"name": ""},
    USER | {"name": "x" * 80}, USER | {"name": "x" * 81}, USER | {"name": "\N{GRINNING FACE}" * 80},
    USER | {"name": "\N{GRINNING FACE}" * 81}, USER | {"email": "nobody"}, USER | {"email": "x" * 250 + "@example.org"},
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: json.dumps(body)[:40])
def test_the_service_takes_what_its_document_takes(leat, users, promises, body):
    """Directly: the front server has no part in it."""
    reply = leat.ask("POST", "/api/users", json.dumps(body).encode(), CONTENT_TYPE="application/json")
    assert reply.status in (201, 422), reply.body
    assert (reply.status == 201) == promises.takes("POST", "/api/users", body)


# A field of each kind: what the service takes, and what it answers

WHOLE = {
    "small": 1, "large": 9007199254740993, "share": 0.5, "word": "abc", "mail": None, "key": "AAAA", "at": "2026-01-31T09:30:00Z",
    "id": "5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f", "extra": {"any": [1]}, "numbers": [1], "tags": ["a"],
    "parts": [{"level": 1, "is_open": True}], "part": {"is_open": False},
}

# (member, value): one that is not as it should be, or just so.
CHANGES = [
    ("small", -10), ("small", -11), ("small", 11), ("small", "1"), ("small", None), ("small", 1.5), ("large", -(1 << 63)), ("share", 0),
    ("share", 1), ("share", 1.01), ("share", -0.1), ("share", True), ("word", "ab"), ("word", "a"), ("word", "abcde"),
    ("mail", "a@b.org"), ("mail", 7), ("key", ""), ("key", "AAAAAA=="), ("key", "AAAAAAAA"), ("key", "AAAAAAAAAAAA"), ("at", 1), ("id", []),
    ("extra", 7), ("extra", None), ("numbers", []), ("numbers", [1, 2]), ("numbers", [1, 2, 3]), ("numbers", ["1"]), ("numbers", [None]),
    ("tags", []), ("tags", None), ("tags", [1]), ("parts", []), ("parts", [{"is_open": True}] * 2), ("parts", [{"is_open": True}] * 3),
    ("parts", [{}]), ("parts", [{"level": None, "is_open": True}]), ("parts", [{"level": 10, "is_open": True}]),
    ("parts", [{"level": -1, "is_open": True}]), ("part", None), ("part", {}), ("part", 1), ("unknown", 1),
]


@pytest.fixture(scope="module")
def surface_promises():
    return Promises(json.loads(printed("tests/web/surface/surface")))


def check_agreement(surface, promises, body):
    reply = surface.ask("POST", "/described/whole", json.dumps(body).encode(), CONTENT_TYPE="application/json")
    assert reply.status in (200, 422), reply.body
    assert (reply.status == 200) == promises.takes("POST", "/described/whole", body), reply.body
    operation = promises.document["paths"]["/described/whole"]["post"]
    if reply.status == 200:
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        promises.validator(schema).validate(json.loads(reply.body))


@pytest.mark.parametrize("member, value", CHANGES, ids=lambda thing: json.dumps(thing)[:30])
def test_each_kind_is_taken_as_the_document_says(surface, surface_promises, member, value):
    check_agreement(surface, surface_promises, WHOLE | {member: value})


@pytest.mark.parametrize("member", WHOLE)
def test_and_may_be_absent_when_the_document_says_so(surface, surface_promises, member):
    check_agreement(surface, surface_promises, {name: value for name, value in WHOLE.items() if name != member})


def test_the_whole_is_taken(surface, surface_promises):
    assert surface_promises.takes("POST", "/described/whole", WHOLE)
    check_agreement(surface, surface_promises, WHOLE)


def test_a_guarded_route_says_so(surface_promises):
    document = surface_promises.document
    assert document["paths"]["/auth/password"]["get"]["security"] == [{"basic": []}]
    assert document["components"]["securitySchemes"]["basic"] == {"type": "http", "scheme": "basic"}
    assert "401" in document["paths"]["/auth/password"]["get"]["responses"]
