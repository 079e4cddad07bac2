"""What keeps work within bounds: circuit breakers, semaphores, and work after replies, in two worker processes, through nginx and lighttpd."""

import concurrent.futures
import signal
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


# Semaphores

@pytest.fixture
def desk(start_leat, keys):
    return start_leat(PROGRAM, auth_folder=keys.folder, processes=1, workers=2).wait_ready()


@pytest.fixture
def desk_front(desk, front_class):
    with stopping(front_class(desk.folder / front_class.name, desk)) as front:
        yield front


@pytest.mark.parametrize("route", ["semaphore", "semaphore/group"])
def test_what_does_not_fit_waits_and_past_that_is_refused(desk, desk_front, route):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        inside = [pool.submit(ask, desk_front, f"{route}?after=1500") for _ in range(2)]
        desk.wait_metric("leat_semaphore_places_taken", 2)
        waits = pool.submit(ask, desk_front, route)
        desk.wait_metric("leat_semaphore_waiting", 1)
        reply = ask(desk_front, route)
        assert (reply.status, reply.json["detail"]) == (503, "Semaphore 'desk': 1 wait already (queue).")
        assert reply.headers["Retry-After"] == "1"
        assert [one.result().status for one in (*inside, waits)] == [204, 204, 204]
    desk.wait_metric("leat_semaphore_places_taken", 0)
    assert desk.metric('leat_semaphore_taken_total{name="desk",after="nothing"}') == 2
    assert desk.metric('leat_semaphore_taken_total{name="desk",after="wait"}') == 1
    assert desk.metric('leat_semaphore_refused_total{name="desk",reason="queue"}') == 1


def test_a_client_that_leaves_the_line_takes_nothing(desk):
    with desk.connect() as holder, desk.connect() as waiter:
        holder.send("GET", "/guard/semaphore?places=2&after=10000")
        desk.wait_metric("leat_semaphore_places_taken", 2)
        waiter.send("GET", "/guard/semaphore")
        desk.wait_metric("leat_semaphore_waiting", 1)
        waiter.close()
        desk.wait_metric("leat_semaphore_waiting", 0)
        assert desk.metric("leat_semaphore_places_taken") == 2
    desk.wait_metric("leat_semaphore_places_taken", 0)


def test_an_error_gives_back_what_was_taken(desk, desk_front):
    for _ in range(3):
        assert ask(desk_front, "semaphore?places=2&answer=fail").status == 503
    assert ask(desk_front, "semaphore?places=3").status == 500
    assert ask(desk_front, "semaphore?places=2").status == 204


@pytest.mark.skipif(FLAVOUR != "", reason="sanitizers keep their own handlers: the first crash ends the process")
def test_a_crash_gives_back_what_was_taken(desk):
    with desk.connect() as slow, desk.connect() as waiter:
        slow.send("GET", "/guard/semaphore?places=1&after=1500")
        desk.wait_metric("leat_semaphore_places_taken", 1)
        waiter.send("GET", "/guard/semaphore?places=1&answer=crash")
        assert waiter.receive().status == 500
        assert slow.receive().status == 204
    desk.wait_metric("leat_semaphore_places_taken", 0)


# Work after the reply

DONE = 'leat_after_reply_total{outcome="done"}'


def test_work_is_done_when_the_client_has_its_reply(desk, desk_front, tmp_path):
    assert ask(desk_front, f"after?then=500&path={tmp_path}/note").status == 204
    assert not (tmp_path / "note").exists()
    desk.wait_metric(DONE, 1)
    assert (tmp_path / "note").exists()


def test_what_failed_has_nothing_done_after_it(desk, desk_front, tmp_path):
    assert ask(desk_front, f"after?answer=missing&path={tmp_path}/note").status == 404
    assert desk.metric('leat_after_reply_total{outcome="failed"}') == 1
    assert desk.metric("leat_after_reply_waiting") == 0
    assert not (tmp_path / "note").exists()


def test_a_full_queue_is_known_before_the_reply(start_leat, keys, tmp_path):
    leat = start_leat(PROGRAM, auth_folder=keys.folder, after_queue=1, after_threads=1).wait_ready()
    assert leat.ask("GET", f"/guard/after?then=1500&path={tmp_path}/1").status == 204
    leat.wait_metric("leat_after_reply_waiting", 0)
    assert leat.ask("GET", f"/guard/after?path={tmp_path}/2").status == 204
    reply = leat.ask("GET", f"/guard/after?path={tmp_path}/3")
    assert reply.status == 503
    assert b"after_queue" in reply.body
    leat.wait_metric(DONE, 2)
    assert not (tmp_path / "3").exists()


def test_what_waited_too_long_is_not_done(start_leat, keys, tmp_path):
    leat = start_leat(PROGRAM, auth_folder=keys.folder, after_wait="100ms", after_threads=1).wait_ready()
    assert leat.ask("GET", f"/guard/after?then=1000&path={tmp_path}/1").status == 204
    leat.wait_metric("leat_after_reply_waiting", 0)
    assert leat.ask("GET", f"/guard/after?path={tmp_path}/2").status == 204
    leat.wait_metric('leat_after_reply_total{outcome="after_wait"}', 1)
    assert not (tmp_path / "2").exists()


def test_it_is_done_before_the_service_stops(start_leat, keys, tmp_path):
    leat = start_leat(PROGRAM, auth_folder=keys.folder, after_threads=1).wait_ready()
    for number in range(3):
        assert leat.ask("GET", f"/guard/after?then=400&path={tmp_path}/{number}").status == 204
    leat.send(signal.SIGTERM)
    assert leat.wait() == 0
    assert all((tmp_path / str(number)).exists() for number in range(3))


def test_what_the_grace_time_does_not_suffice_for_is_told(start_leat, keys, tmp_path):
    leat = start_leat(PROGRAM, auth_folder=keys.folder, after_threads=1, grace="200ms").wait_ready()
    for number in range(3):
        assert leat.ask("GET", f"/guard/after?then=5000&path={tmp_path}/{number}").status == 204
    leat.send(signal.SIGTERM)
    leat.wait()
    assert "3 pieces are lost" in leat.log()


@pytest.mark.skipif(FLAVOUR != "", reason="sanitizers keep their own handlers: the first crash ends the process")
def test_when_it_crashes_the_report_names_its_route(start_leat, keys):
    leat = start_leat(PROGRAM, auth_folder=keys.folder, crash_grace="1s").wait_ready()
    assert leat.ask("GET", "/guard/after?answer=crash").status == 204
    leat.wait_for(lambda: "/guard/after" in leat.log(), "there is a report")
    leat.wait_for(lambda: leat.ask("GET", "/guard/breaker").status == 204, "it goes on")
