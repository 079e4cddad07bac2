"""Idempotency keys: what is asked for twice is done once. Each piece of work is a row of the table payments."""

import concurrent.futures
import shutil
import subprocess
import uuid

import auth_files
import fastcgi
import pytest
import servers

REPLAYED = "Idempotent-Replayed"


@pytest.fixture(autouse=True)
def payments(migrated):
    migrated.run("CREATE TABLE IF NOT EXISTS payments (id bigint GENERATED ALWAYS AS IDENTITY, amount bigint NOT NULL); "
                 "TRUNCATE payments")
    return migrated


def count(postgres):
    return int(postgres.run("SELECT count(*) FROM payments"))


def new_key():
    return str(uuid.uuid4())


def post(server, path, key, amount=7, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        headers["Idempotency-Key"] = key
    return server.ask("POST", path, {"amount": amount}, headers)


def direct(leat, path, key, amount=7, die=""):
    """Past the front server, so that what becomes of the process can be seen."""
    return leat.ask("POST", path, b'{"amount":%d}' % amount, HTTP_IDEMPOTENCY_KEY=key, HTTP_X_DIE=die)


def rows(postgres, key):
    return postgres.run(f"SELECT coalesce(status, 0), body IS NULL FROM leat_idempotency WHERE key = '{key}'").splitlines()


# Once -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/idempotency/tx", "/idempotency/plain"])
def test_the_second_one_gets_the_first_reply(surface_front, payments, path):
    key = new_key()
    first = post(surface_front, path, key)
    second = post(surface_front, path, key)
    assert first.status == second.status == 201
    assert REPLAYED not in first.headers
    assert second.headers[REPLAYED] == "true"
    assert first.body == second.body
    for name in ("Content-Type", "Location", "Content-Length"):
        assert first.headers[name] == second.headers[name]
    assert count(payments) == 1


def test_a_reply_without_a_body_is_replayed(surface_front, payments):
    key = new_key()
    replies = [post(surface_front, "/idempotency/empty", key) for _ in range(2)]
    assert [reply.status for reply in replies] == [204, 204]
    assert replies[1].headers[REPLAYED] == "true"
    assert count(payments) == 1


def test_bytes_of_all_kinds_are_replayed(surface_front, payments):
    key = new_key()
    replies = [post(surface_front, "/idempotency/large?size=30000", key) for _ in range(2)]
    assert replies[0].body == replies[1].body == bytes(i % 256 for i in range(30000))
    assert replies[1].headers["Content-Type"] == "application/octet-stream"
    assert count(payments) == 1


def test_a_key_in_quotes_is_the_same_key(surface_front, payments):
    key = new_key()
    post(surface_front, "/idempotency/tx", f'"{key}"')
    assert post(surface_front, "/idempotency/tx", key).headers[REPLAYED] == "true"
    assert count(payments) == 1


def test_twice_on_one_way_counts_once(surface_front, payments):
    key = new_key()
    assert post(surface_front, "/idempotency/twice", key).status == 201
    assert post(surface_front, "/idempotency/twice", key).headers[REPLAYED] == "true"
    assert count(payments) == 1


# Keys, and what they mean -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", '""', "a b", '"a" "b"', '"a', 'a"b', "a,b", '"a";b=1', "k" * 256, '"' + "k" * 256 + '"'])
def test_a_key_that_is_missing_or_none_is_refused(surface_front, payments, key):
    reply = post(surface_front, "/idempotency/tx", key)
    assert reply.status == 400
    assert "Idempotency-Key" in reply.json["detail"]
    assert count(payments) == 0


def test_two_keys_are_none(surface_front, payments):
    connection = surface_front.connect()
    connection.putrequest("POST", "/idempotency/tx")
    for key in ("one", "two"):
        connection.putheader("Idempotency-Key", key)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "12")
    connection.endheaders(b'{"amount":7}')
    status = connection.getresponse().status
    connection.close()
    assert status == 400
    assert count(payments) == 0


def test_the_longest_key_is_taken(surface_front):
    key = (new_key() * 8)[:255]
    assert post(surface_front, "/idempotency/tx", key).status == 201


def test_an_optional_key_may_be_missing(surface_front, payments):
    assert [post(surface_front, "/idempotency-optional", None).status for _ in range(2)] == [201, 201]
    assert count(payments) == 2


def test_get_needs_no_key(surface_front):
    assert surface_front.ask("GET", "/idempotency/tx").body == b"here\n"


@pytest.mark.parametrize("path, amount", [("/idempotency/tx", 8), ("/idempotency/tx?sleep=1", 7)])
def test_another_request_with_that_key_is_refused(surface_front, payments, path, amount):
    key = new_key()
    post(surface_front, "/idempotency/tx", key)
    reply = post(surface_front, path, key, amount)
    assert reply.status == 422
    assert reply.json["detail"] == "This Idempotency-Key was used for another request."
    assert count(payments) == 1


def test_a_key_belongs_to_its_scope_and_route(surface_front, payments):
    key = new_key()
    replies = [post(surface_front, "/idempotency/tx", key, X_Who="alice"),
               post(surface_front, "/idempotency/tx", key, X_Who="bob"),
               post(surface_front, "/idempotency/other", key, X_Who="alice")]
    assert all(reply.status == 201 and REPLAYED not in reply.headers for reply in replies)
    assert count(payments) == 3


def test_a_key_belongs_to_its_caller(surface_front, payments):
    key = new_key()
    ask = {name: lambda name=name: post(surface_front, "/idempotency-caller", key, X_API_Key=name)
           for name in (auth_files.API_KEY, auth_files.OTHER_API_KEY)}
    assert all(REPLAYED not in ask[name]().headers for name in ask)
    assert all(ask[name]().headers[REPLAYED] == "true" for name in ask)
    assert post(surface_front, "/idempotency-caller", key).status == 401
    assert count(payments) == 2


def test_where_nobody_says_who_asks_nothing_is_done(surface_front, payments):
    assert post(surface_front, "/idempotency-nobody", new_key()).status == 500
    assert count(payments) == 0


# How it ended -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 202, 303, 400, 404, 409, 412, 422])
def test_an_end_is_kept(surface_front, payments, status):
    key = new_key()
    replies = [post(surface_front, f"/idempotency/ending?status={status}", key) for _ in range(2)]
    assert [reply.status for reply in replies] == [status, status]
    assert replies[1].headers[REPLAYED] == "true"
    assert replies[0].body == replies[1].body
    assert count(payments) == 1


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 503, 504])
def test_what_says_not_done_is_not_kept(surface_front, payments, status):
    key = new_key()
    replies = [post(surface_front, f"/idempotency/ending?status={status}", key) for _ in range(2)]
    assert all(reply.status == status and REPLAYED not in reply.headers for reply in replies)
    assert count(payments) == 2
    assert rows(payments, key) == []


def test_a_problem_document_is_kept(surface_front, payments):
    key = new_key()
    replies = [post(surface_front, "/idempotency/tx", key, 0) for _ in range(2)]
    assert [reply.status for reply in replies] == [422, 422]
    assert replies[1].headers[REPLAYED] == "true"
    assert replies[0].json == replies[1].json
    assert replies[1].headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path, status, body", [
    ("/idempotency-lines", 422, b"422 Invalid input|\n#/amount||must be from 1 to 1000000\n"),
    ("/idempotency-lines?sleep=x", 422, b"422 Invalid input|\n|sleep|must be a whole number from 0 to 60000\n"),
    ("/idempotency-lines/conflict", 409, b"409 Conflict|The \"thing\" is there.\n"),
])
def test_a_problem_in_the_services_own_form_is_replayed_in_it(surface_front, path, status, body):
    key = new_key()
    replies = [post(surface_front, path, key, 7 if "sleep" in path else 0) for _ in range(2)]
    assert [(reply.status, reply.body) for reply in replies] == [(status, body)] * 2
    assert replies[1].headers[REPLAYED] == "true"


def test_a_reply_that_is_too_large_is_told_of(surface_front, surface, payments):
    key = new_key()
    before = surface.metric("leat_idempotency_too_large_total")
    assert len(post(surface_front, "/idempotency/large?size=70000", key).body) == 70000
    reply = post(surface_front, "/idempotency/large?size=70000", key)
    assert reply.status == 409
    assert "idempotency_reply_max" in reply.json["detail"]
    assert "Retry-After" not in reply.headers
    assert surface.metric("leat_idempotency_too_large_total") == before + 1
    assert rows(payments, key) == ["200|t"]
    assert count(payments) == 1


def test_a_stream_is_refused(surface_front, payments):
    key = new_key()
    assert post(surface_front, "/idempotency/stream", key).status == 500
    assert rows(payments, key) == []
    assert post(surface_front, "/idempotency-stream", None).body == b"streamed\n"


# Many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/idempotency/tx", "/idempotency/plain"])
def test_of_many_at_once_one_is_done(surface_front, surface, payments, path):
    keys = [new_key() for _ in range(10)]
    before = surface.metrics()
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        replies = list(pool.map(lambda key: (key, post(surface_front, path + "?sleep=30", key)), keys * 20))
    assert count(payments) == len(keys)
    for key in keys:
        mine = [reply for asked, reply in replies if asked == key]
        assert {reply.status for reply in mine} <= {201, 409}
        assert len([reply for reply in mine if reply.status == 201 and REPLAYED not in reply.headers]) == 1
        assert len({reply.body for reply in mine if reply.status == 201}) == 1
        assert all(reply.headers["Retry-After"] == "1" for reply in mine if reply.status == 409)
    after = surface.metrics()
    outcomes = {outcome: int(after[name] - before[name]) for outcome in ("stored", "replayed", "conflict", "mismatch", "lost")
                for name in [f'leat_idempotency_total{{outcome="{outcome}"}}']}
    assert outcomes["stored"] == len(keys)
    assert outcomes["stored"] + outcomes["replayed"] + outcomes["conflict"] == len(replies)
    assert outcomes["mismatch"] == outcomes["lost"] == 0


# The client leaves, the process dies ------------------------------------------------------------------------------


@pytest.fixture
def own(start_leat, payments, keys):
    """A service of its own, whose keys are free soon after their process has died."""
    def start(**settings):
        return start_leat("tests/web/surface/surface", database_url=payments.url, auth_folder=keys.folder,
                          request_deadline="1s", idempotency_lease="1s", **settings).wait_ready()
    return start


def leave_in_the_middle(leat, path, key, postgres):
    connection = leat.connect()
    connection.send("POST", path, b'{"amount":7}', HTTP_IDEMPOTENCY_KEY=key)
    leat.wait_for(lambda: postgres.run("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1", "it is at work")
    connection.close()


def test_a_client_that_left_may_ask_again_at_once(surface, payments):
    key = new_key()
    leave_in_the_middle(surface, "/idempotency/tx?sleep=5000", key, payments)
    surface.wait_for(lambda: rows(payments, key) == [], "the key is released")
    assert count(payments) == 0
    assert direct(surface, "/idempotency/tx", key).status == 201
    assert count(payments) == 1


def test_who_dies_before_the_commit_has_done_nothing(own, payments):
    leat, key = own(), new_key()
    with pytest.raises(fastcgi.Closed):
        direct(leat, "/idempotency/tx", key, die="working")
    assert rows(payments, key) == ["0|t"]
    leat.wait_ready()
    assert direct(leat, "/idempotency/tx", key).status == 409
    leat.wait_for(lambda: direct(leat, "/idempotency/tx", key).status == 201, "the key is free")
    assert count(payments) == 1
    assert leat.metric("leat_idempotency_left_total") == 1


def test_who_dies_after_the_commit_has_left_the_reply(own, payments):
    leat, key = own(), new_key()
    with pytest.raises(fastcgi.Closed):
        direct(leat, "/idempotency/tx", key, die="done")
    assert count(payments) == 1
    leat.wait_ready()
    reply = leat.wait_for(lambda: direct(leat, "/idempotency/tx", key), "it answers")
    assert (reply.status, reply.headers[REPLAYED]) == (201, "true")
    assert count(payments) == 1


def test_without_the_transaction_work_may_be_done_twice(own, payments):
    """The honest half of the documentation."""
    leat, key = own(), new_key()
    with pytest.raises(fastcgi.Closed):
        direct(leat, "/idempotency/plain", key, die="done")
    leat.wait_ready()
    leat.wait_for(lambda: direct(leat, "/idempotency/plain", key).status == 201, "the key is free")
    assert count(payments) == 2


def test_kill_in_a_storm_leaves_nothing_done_twice(own, payments):
    """Processes are killed while keys are worked on; clients ask until each has its reply."""
    leat = own(processes=2)
    keys = [new_key() for _ in range(40)]

    def insist(key):
        def ask():
            reply = direct(leat, "/idempotency/tx?sleep=20", key)
            return reply if reply.status == 201 else None
        return servers.wait_until(ask, "the key has its reply").body

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        done = [pool.submit(insist, key) for key in keys for _ in range(2)]
        for _ in range(3):
            leat.wait_for(lambda: any(rows(payments, key) == ["0|t"] for key in keys) or all(task.done() for task in done), "some are at work")
            for pid in leat.worker_pids()[:1]:
                subprocess.run(["kill", "-9", str(pid)], check=False)
        bodies = [task.result() for task in done]
    assert bodies[0::2] == bodies[1::2]
    assert count(payments) == len(keys)


# The table --------------------------------------------------------------------------------------------------------


def test_an_expired_key_is_new(surface_front, payments):
    key = new_key()
    post(surface_front, "/idempotency/tx", key)
    payments.run(f"UPDATE leat_idempotency SET expires_at = now(), lease_until = now() WHERE key = '{key}'")
    reply = post(surface_front, "/idempotency/tx", key, 8)
    assert (reply.status, reply.headers.get(REPLAYED)) == (201, None)
    assert count(payments) == 2


def surface_command(folder, *words):
    return subprocess.run([servers.build_folder() / "tests/web/surface/surface", *words], cwd=folder, capture_output=True, text=True)


def test_the_migration_makes_what_check_wants(migrated, keys, tmp_path):
    migrated.run("CREATE DATABASE idempotency")
    database = servers.Database(migrated, "idempotency")
    settings = [word for name, value in {"database_url": database.url, "migrations": tmp_path, "auth_folder": keys.folder}.items()
                for word in ("--set", f"{name}={value}")]
    checked = surface_command(tmp_path, "check", "database", *settings)
    assert checked.returncode == 1
    assert 'statement leat_idempotency_claim: the server refuses it: relation "leat_idempotency" does not exist' in checked.stderr
    shutil.copy(servers.IDEMPOTENCY_TABLE, tmp_path / "0001_idempotency.sql")
    assert surface_command(tmp_path, "migrate", *settings).returncode == 0
    checked = surface_command(tmp_path, "check", "database", *settings)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "ok\n", "")
    assert surface_command(tmp_path, "migrate", "down", *settings).returncode == 0
    assert database.run("SELECT to_regclass('leat_idempotency')") == ""
    migrated.run("DROP DATABASE idempotency")
