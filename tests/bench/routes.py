"""routes.py - what is asked for, and which answers are right.

Use:
    route = ROUTES["users"]
    wrk ... -s load.lua http://host:port{route.path} -- {route.arguments}
    check_reply(stand, "gin", "users")
"""

import collections
import json

from stand import ROWS, Failure

STATEMENTS = 20  # of a request of many
SLOW_PERCENT = 1

# What a case is called, and this way of doing it where there are several; what wrk asks for with which arguments of load.lua;
# a request, and what its answer must fulfil. If is_paired, wrk needs a thread for each connection (load.lua).
Route = collections.namedtuple("Route", "title variant path arguments sample_path is_right is_paired", defaults=[False])


def exactly(wanted):
    return lambda answer: answer == wanted


def is_numbers(answer):
    """So many rows of the table of numbers."""
    numbers = answer["numbers"]
    return len(numbers) == STATEMENTS and all(
        1 <= number["id"] <= ROWS and 1 <= number["value"] <= 10000 and len(number) == 2 for number in numbers)


def numbers_route(title, variant, path):
    return Route(title, variant, path, [], path, is_numbers)


def mixed_route(variant, percent):
    return Route(f"GET /api/users/{{id}} while {SLOW_PERCENT} % of the requests wait for a statement of 50 ms", variant,
                 "/api/users", [str(ROWS), "/api/slow", str(percent)], "/api/slow", exactly({"slept_ms": 50}), is_paired=True)


QUERIES = f"{STATEMENTS} selects in a request"
UPDATES = f"{STATEMENTS} selects and {STATEMENTS} updates in a request"

ROUTES = {
    "hello": Route("GET /api/hello", "", "/api/hello", [], "/api/hello", exactly({"message": "hello"})),
    "users": Route("GET /api/users/{id}", "", "/api/users", [str(ROWS)], "/api/users/42",
                   exactly({"id": 42, "name": "User 42", "email": "user42@example.org"})),
    "queries": numbers_route(QUERIES, "one by one", f"/api/queries/{STATEMENTS}"),
    "queries-batch": numbers_route(QUERIES, "batch", f"/api/queries/{STATEMENTS}/batch"),
    "queries-pipelined": numbers_route(QUERIES, "pipelined", f"/api/queries/{STATEMENTS}/pipelined"),
    "updates": numbers_route(UPDATES, "one by one", f"/api/updates/{STATEMENTS}"),
    "updates-batch": numbers_route(UPDATES, "batch", f"/api/updates/{STATEMENTS}/batch"),
    "updates-pipelined": numbers_route(UPDATES, "pipelined", f"/api/updates/{STATEMENTS}/pipelined"),
    "updates-tx": numbers_route(UPDATES, "one transaction", f"/api/updates/{STATEMENTS}/tx"),
    "alone": mixed_route("alone", 0),
    "mixed": mixed_route("mixed", SLOW_PERCENT),
}


def check_reply(stand, name, route):
    """A backend that answers something else would be measured at something else."""
    wanted = ROUTES[route]
    reply = stand.fetch(name, wanted.sample_path)
    is_json = (reply.content_type or "").partition(";")[0] == "application/json"
    if reply.status != 200 or not is_json or not wanted.is_right(json.loads(reply.body)):
        raise Failure(f"{name}: a wrong answer to {wanted.sample_path}: {reply}")
