"""What keeps work within bounds: circuit breakers, in two worker processes, through nginx and lighttpd."""

import subprocess

import pytest
import servers
from conftest import stopping
from servers import FLAVOUR

PROGRAM = "tests/web/surface/surface"


@pytest.fixture
def guarded(start_leat, keys):
    return start_leat(PROGRAM, auth_folder=keys.folder, processes=2, workers=2).wait_ready()


@pytest.fixture
def front(guarded, front_class):
    with stopping(front_class(guarded.folder / front_class.name, guarded)) as front:
        yield front


def ask(front, path):
    return front.ask("GET", f"/guard/{path}")


def fail(front, times):
    for _ in range(times):
        reply = ask(front, "breaker?answer=fail")
        assert (reply.status, reply.json["detail"]) == (503, "The bank is away.")


# Circuit breakers

def test_an_open_breaker_refuses_in_all_processes_and_says_so(guarded, front):
    assert ask(front, "breaker").status == 204
    fail(front, 3)
    for _ in range(20):
        reply = ask(front, "breaker")
        assert reply.status == 503
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert "circuit breaker 'bank'" in reply.json["detail"]
        assert reply.headers["Retry-After"] in ("1", "2")
        if "half-open" in reply.json["detail"]:
            break
    assert guarded.metric('leat_breaker_calls_total{name="bank",outcome="failure"}') == 3
    assert guarded.metric('leat_breaker_calls_total{name="bank",outcome="success"}') == 1
    assert guarded.metric('leat_breaker_refused_total{name="bank",state="open"}') >= 1
    assert guarded.metric('leat_breaker_changes_total{name="bank",to="open"}') == 1
    assert "breaker bank: closed -> open for 1500 ms; calls 4, failed 3 (3 in a row)" in guarded.log()


def test_it_is_tried_after_its_time_and_closes(guarded, front):
    fail(front, 3)
    assert guarded.metric('leat_breaker_state{name="bank"}') == 2
    guarded.wait_for(lambda: guarded.metric('leat_breaker_state{name="bank"}') == 1, "it is half-open")
    assert ask(front, "breaker?answer=missing").status == 404
    assert guarded.metric('leat_breaker_state{name="bank"}') == 0
    assert ask(front, "breaker").status == 204


def test_whoever_forgets_to_leave_is_left_with_the_requests_result(guarded, front):
    assert ask(front, "breaker/forgetful").status == 204
    assert ask(front, "breaker/forgetful?answer=missing").status == 404
    assert guarded.metric('leat_breaker_calls_total{name="early",outcome="success"}') == 2
    assert ask(front, "breaker/forgetful?answer=fail").status == 503
    assert "'early' is open" in ask(front, "breaker/forgetful").json["detail"]
    assert int(ask(front, "breaker/forgetful").headers["Retry-After"]) > 3500


@pytest.mark.skipif(FLAVOUR != "", reason="sanitizers keep their own handlers: the first crash ends the process")
def test_a_crash_is_a_failure_and_outlives_its_process(guarded, front):
    assert ask(front, "breaker/crashing").status == 500
    guarded.wait_for(lambda: guarded.metric('leat_breaker_state{name="fragile"}') == 2, "it is open")
    reply = ask(front, "breaker/crashing")
    assert reply.status == 503
    assert "'fragile' is open" in reply.json["detail"]


def test_around_a_group_the_status_counts(guarded, front):
    assert ask(front, "breaker/group").status == 204
    assert ask(front, "breaker/group?answer=missing").status == 404
    for _ in range(2):
        assert ask(front, "breaker/group?answer=fail").status == 503
    assert "'group' is open" in ask(front, "breaker/group").json["detail"]
    assert guarded.metric('leat_breaker_calls_total{name="group",outcome="success"}') == 2


def test_a_client_that_leaves_is_not_counted_against_it(guarded):
    with guarded.connect() as connection:
        connection.send("GET", "/guard/breaker?after=10000")
        guarded.wait_metric("leat_requests_active", 1)
    guarded.wait_metric('leat_breaker_calls_total{name="bank",outcome="excluded"}', 1)


def test_the_command_breakers_lists_them():
    text = subprocess.run([servers.build_folder() / PROGRAM, "breakers"], capture_output=True, text=True, check=True).stdout
    assert "bank\n  opens   after 3 failures in a row\n  counts  for ever\n  open    1500 ms\n  probes  1, of 10000 ms at most\n" in text
    assert "group\n  opens   when 50% fail (of 2 at least)\n" in text
