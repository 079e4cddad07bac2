"""kinds.py - what is asked for, how often, and what must come back.

Use:
    ask = draw(rng, next_id)
    ask.method, ask.path, ask.body                 # to be sent
    ask.status, ask.answer                         # of an answer without a fault
    ask.rows, ask.whole                            # what the ledger has under ask.id afterwards, and whether it is all of it or nothing
    ask.deadline                                   # seconds
"""

import collections
import json

from stand import ACCOUNTS

MANY = 20
DEADLINE = 1.5
LATE = 0.15

Ask = collections.namedtuple("Ask", "kind id method path body status answer rows whole deadline")


def reading(path, answer=lambda n: n):
    def make(rng, number):
        return {"path": path.format(n=number, ms=rng.randint(1, 60)), "answer": str(answer(number)).encode()}

    return make


def writing(path, rows=1, answer=None, whole=True):
    """Under its id it leaves so many rows."""

    def make(rng, number):
        return {
            "method": "POST", "path": path.format(n=number, ms=rng.randint(1, 60)), "rows": rows, "whole": whole,
            "answer": str(number if answer is None else answer).encode()}

    return make


def transfer(path):
    def make(rng, number):
        payer, payee = rng.sample(range(1, ACCOUNTS + 1), 2)
        body = json.dumps({"id": number, "payer": payer, "payee": payee, "amount": rng.randint(1, 9)})
        return writing(path)(rng, number) | {"body": body.encode()}

    return make


def copy(rng, number):
    rows = rng.randint(1, 100)
    return writing(f"/copy/{number}/{rows}", rows, answer=rows)(rng, number)


def echo(rng, number):
    body = f"{number} ".encode() * rng.choice((1, 100, 2000, 20000))
    return {"method": "POST", "path": "/echo", "body": body, "answer": body}


def failing(status, path, method="GET", deadline=DEADLINE):
    def make(rng, number):
        return {"method": method, "path": path.format(n=number), "status": status, "answer": None, "deadline": deadline}

    return make


def sum_of_many(number):
    return MANY * number + MANY * (MANY - 1) // 2


def without_the_bad_one(number):
    return sum_of_many(number) - (number + MANY // 2)


# name: (weight, how it is made)
KINDS = {
    "select": (30, reading("/number/{n}")),
    "select in a transaction": (8, reading("/number/{n}/lent")),
    "20 selects": (10, reading("/many/{n}", sum_of_many)),
    "20 selects, as they come": (5, reading("/many/{n}/any", sum_of_many)),
    "20 selects, one bad": (3, reading("/many/{n}/one-bad", without_the_bad_one)),
    "slow select": (4, reading("/slow/{n}/{ms}")),
    "table that is altered": (4, reading("/thing", lambda n: 1)),
    "notification": (3, reading("/heard/{n}")),
    "copy out": (2, reading("/copy", lambda n: 2000 * 2001 // 2)),
    "insert": (10, writing("/row/{n}")),
    "20 inserts": (3, writing("/rows/{n}", MANY, answer=MANY, whole=False)),
    "slow insert": (2, writing("/row/{n}/slow/{ms}")),
    "transfer": (6, transfer("/transfer")),
    "transfer, sent at once": (4, transfer("/transfer/at-once")),
    "transfer, serializable": (1, transfer("/transfer/serializable")),
    "copy in": (2, copy),
    "echo": (4, echo),
    "deadline": (2, failing(504, "/late", deadline=LATE)),
    "refused by a check": (1, failing(409, "/negative/{n}", "POST")),
    "refused in a read-only transaction": (1, failing(500, "/row/{n}/read-only", "POST")),
}


def draw(rng, number):
    kind, = rng.choices(list(KINDS), [weight for weight, _ in KINDS.values()])
    usual = {"kind": kind, "id": number, "method": "GET", "body": b"", "status": 200, "rows": 0, "whole": True, "deadline": DEADLINE}
    return Ask(**(usual | KINDS[kind][1](rng, number)))
