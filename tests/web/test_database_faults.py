"""What clients see, and what PostgreSQL sees, when the database fails: restarts, lost backends, full servers, silence, fail-over.

Every test has a testbed of its own before a PostgreSQL that it may break. While it runs, somebody counts its connections: see
`counted`.
"""

import contextlib
import itertools
import os
import shutil
import signal
import threading
import time

import pytest

import servers
import wire
from counting import Backends, counting
from hole import Hole
from servers import all_stopped, stopped, wait_until

pytestmark = pytest.mark.outage

LANES = 2
LENT = 3
ANSWERS = {200, 204, 503, 504}

TABLES = """
    CREATE ROLE app LOGIN PASSWORD 'sesame';
    CREATE TABLE keys (key bigint);
    CREATE TABLE things (id bigint, name text);
    INSERT INTO things VALUES (1, 'first');
    GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
"""


# Servers


@contextlib.contextmanager
def postgres_at(folder, **more):
    """A PostgreSQL of its own; stopped, also while it stands still or is down."""
    postgres = servers.Postgres(folder, **more)
    try:
        yield postgres
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(postgres.server.pid, signal.SIGCONT)
        postgres.stop(signal.SIGQUIT)


@pytest.fixture(scope="module")
def shared_postgres(folder):
    with postgres_at(folder / "broken", max_connections=40) as postgres:
        postgres.run(TABLES)
        yield postgres


@pytest.fixture
def postgres(shared_postgres):
    """Up, and without what other tests have left."""
    if shared_postgres.server.process.poll() is not None:
        shared_postgres.start()
    shared_postgres.run("TRUNCATE keys")
    return shared_postgres


def url_of(*postgreses, user="app", **options):
    hosts = ",".join(str(postgres.folder) for postgres in postgreses)
    return f"postgresql://{user}@/postgres?host={hosts}" + "".join(f"&{name}={value}" for name, value in options.items())


def connections_most(leat):
    processes = leat.settings["processes"]
    most = processes * (leat.settings["workers"] * leat.settings["db_lanes"] + leat.settings["db_lent_max"])
    return min(most, leat.settings.get("db_connections_max", most))


@pytest.fixture
def start(start_leat):
    """start(database_url) is a testbed that gives up soon and tries again soon."""

    def start(url, **settings):
        return start_leat(database_url=url, **{
            "processes": 1, "workers": 2, "db_lanes": LANES, "db_lent_max": LENT, "db_lent_idle_max": LENT, "db_lent_wait": "500ms",
            "db_retry_least": "50ms", "db_retry_most": "400ms", "db_connect_timeout": "1s", "db_cancel_grace": "200ms",
            "db_slow": "1h",
        } | settings).wait_ready()

    return start


def lanes(leat):
    return leat.settings["processes"] * leat.settings["workers"] * leat.settings["db_lanes"]


def wait_connected(leat):
    """All lanes."""
    leat.wait_for(lambda: leat.metric("leat_db_connections") - leat.metric("leat_db_lent_open_connections") == lanes(leat),
                  "all lanes are connected")
    return leat


def reads(leat):
    return leat.ask("GET", "/db/number/7").status


def wait_status(leat, status, uri="/db/number/7"):
    leat.wait_for(lambda: leat.ask("GET", uri).status == status, f"{uri} is answered with {status}")


@pytest.fixture(params=[1, 2], ids=["1-process", "2-processes"])
def processes(request):
    return request.param


# Load


class Load:
    """Requests without end from a few clients, each with a key of its own, until the block is left. Every answer is kept."""

    CLIENTS = 4
    MOST = 20000

    def __init__(self, leat, kinds):
        self.leat = leat
        self.kinds = kinds
        self.numbers = itertools.count(1)
        self.answers = []
        self.must_stop = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(self.CLIENTS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self.must_stop.set()
        for thread in self.threads:
            thread.join()

    def run(self):
        while not self.must_stop.wait(0.002) and len(self.answers) < self.MOST:
            number = next(self.numbers)
            method, uri = self.kinds[number % len(self.kinds)]
            began = time.monotonic()
            try:
                status = self.leat.ask(method, uri.format(number)).status
            except (OSError, servers.fastcgi.Closed) as error:
                status = repr(error)
            self.answers.append((number, method, status, time.monotonic() - began))

    def wait_more(self, count, what="more requests are answered"):
        goal = len(self.answers) + count
        wait_until(lambda: len(self.answers) >= goal or all(not thread.is_alive() for thread in self.threads), what)

    def statuses(self, method=None):
        return {status for _, its_method, status, _ in self.answers if method in (None, its_method)}

    def written(self, statuses=(204,)):
        return {number for number, method, status, _ in self.answers if method == "POST" and status in statuses}

    def tell(self, figure, what):
        counts = {status: sum(answer[2] == status for answer in self.answers) for status in sorted(self.statuses(), key=str)}
        longest = max((seconds for *_, seconds in self.answers), default=0)
        figure(f"{what}: {', '.join(f'{count} x {status}' for status, count in counts.items())}; "
               f"the longest request took {longest * 1000:.0f} ms (deadline 1000 ms)")


READS = [("GET", "/db/number/{}"), ("GET", "/db/number/{}/lent"), ("GET", "/db/sleep/5")]
WRITES = [("POST", "/db/keys/{}"), ("POST", "/db/keys/{}/lent")]
MIXED = READS + WRITES


def assert_written_once(load, postgres):
    """Each key at most once; those that were confirmed exactly once."""
    rows = [int(row) for row in postgres.run("SELECT key FROM keys").split()]
    assert len(rows) == len(set(rows))
    assert load.written() <= set(rows)


# Counting


@pytest.fixture
def counted(figure, request):
    """counted(leat, postgres) counts leat's sessions to the end of the test: never more than its settings allow. Where the server does
    not see that a connection is gone, counted(leat) takes leat's word."""
    with contextlib.ExitStack() as stack:

        def counted(leat, *postgreses):
            looks = [Backends(postgres) for postgres in postgreses] or [lambda: range(int(leat.metric("leat_db_connections")))]
            stack.enter_context(counting(looks, connections_most(leat), lambda text: figure(f"{request.node.name}: {text}")))
            return leat

        yield counted


def terminate(postgres, which="true"):
    return postgres.run(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'leat' AND {which}")


# Restarts


def test_a_server_that_is_down_at_the_start_is_unavailable_after_the_first_attempt(postgres, start, counted):
    postgres.stop()
    leat = counted(start(url_of(postgres)), postgres)
    replies = [leat.ask("GET", uri) for uri in ("/db/number/7", "/db/number/7/lent") for _ in range(3)]
    assert {reply.status for reply in replies} == {503}
    assert all(int(reply.headers["Retry-After"]) >= 1 for reply in replies)


def test_a_server_that_was_down_at_the_start_is_found(postgres, start, counted):
    postgres.stop()
    leat = counted(start(url_of(postgres)), postgres)
    assert reads(leat) == 503
    postgres.start()
    wait_status(leat, 200)
    wait_status(leat, 200, "/db/number/7/lent")
    wait_connected(leat)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_a_restart_under_load_leaves_no_request_without_an_answer(postgres, start, counted, processes, how, figure):
    leat = counted(wait_connected(start(url_of(postgres), processes=processes)), postgres)
    with Load(leat, MIXED) as load:
        for _ in range(2):
            load.wait_more(100)
            postgres.stop(how)
            load.wait_more(100)
            postgres.start()
            wait_status(leat, 200)
        load.wait_more(100)
    wait_connected(leat)
    load.tell(figure, f"two {how.name} restarts, {processes} processes")
    assert load.statuses() <= ANSWERS
    assert_written_once(load, postgres)


# Lost backends


def test_a_read_whose_backend_is_killed_is_sent_again_once(postgres, start, counted):
    leat = counted(wait_connected(start(url_of(postgres))), postgres)
    with leat.connect() as client:
        client.send("GET", "/db/sleep/500")
        wait_until(lambda: terminate(postgres, "wait_event = 'PgSleep'") == "1", "the statement runs and its backend is killed")
        assert client.receive().status == 200
    assert leat.metric("leat_db_retries_total") == 1


def test_a_read_whose_backend_is_killed_twice_is_unavailable(postgres, start, counted):
    leat = counted(wait_connected(start(url_of(postgres))), postgres)
    with leat.connect() as client:
        client.send("GET", "/db/sleep/900")
        for _ in range(2):
            wait_until(lambda: terminate(postgres, "wait_event = 'PgSleep'") == "1", "the statement runs and its backend is killed")
        assert client.receive().status == 503
    assert leat.metric("leat_db_retries_total") == 1


def test_backends_killed_under_load_cost_no_write_and_run_none_twice(postgres, start, counted, processes, figure):
    leat = counted(wait_connected(start(url_of(postgres), processes=processes)), postgres)
    with Load(leat, MIXED) as load:
        for _ in range(30):
            load.wait_more(20)
            postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat' ORDER BY random() LIMIT 2")
        load.wait_more(100)
    wait_connected(leat)
    load.tell(figure, f"60 backends killed, {processes} processes, {leat.metric('leat_db_retries_total'):.0f} reads sent again")
    assert load.statuses() <= ANSWERS
    assert_written_once(load, postgres)


# A full server


@pytest.fixture
def crowd(postgres):
    """crowd() takes every place that the server has for others than its superuser, also leat's."""
    sessions = []

    def fill():
        with contextlib.suppress(OSError):
            while True:
                sessions.append(wire.Session(postgres, "app"))

    def is_full(superuser):
        """Nothing is leat's, there was no room after that was seen, and still nothing is leat's."""
        fill()
        if superuser.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'"):
            return False
        before = len(sessions)
        fill()
        return len(sessions) == before and not superuser.query("SELECT FROM pg_stat_activity WHERE application_name = 'leat'")

    def crowd():
        superuser = wire.Session(postgres)
        wait_until(lambda: is_full(superuser), "the server is full, and nothing of it is leat's")
        sessions.append(superuser)

    def leave():
        while sessions:
            sessions.pop().close()

    crowd.leave = leave
    yield crowd
    leave()


def test_a_full_server_is_unavailable_until_there_is_room(postgres, start, counted, crowd):
    leat = counted(wait_connected(start(url_of(postgres))), postgres)
    crowd()
    wait_status(leat, 503)
    wait_status(leat, 503, "/db/number/7/lent")
    leat.wait_for(lambda: "too many clients" in leat.log() or "remaining connection slots" in leat.log(), "the log tells why")
    crowd.leave()
    wait_status(leat, 200)
    wait_status(leat, 200, "/db/number/7/lent")
    wait_connected(leat)


def attempts_most(seconds, least, most):
    """How many attempts fit in the time, when every pause is the shortest that its back-off allows."""
    count, pause = 1, least
    while seconds > 0:
        seconds -= pause / 2
        pause = min(pause * 2, most)
        count += 1
    return count


def test_a_full_server_is_asked_once_a_back_off_tick(postgres, start, counted, crowd, figure):
    """However many requests come: one attempt a tick of each of two workers, and of the pool for lending."""
    leat = counted(wait_connected(start(url_of(postgres), db_retry_least="50ms", db_retry_most="200ms")), postgres)
    with Load(leat, READS) as load:
        crowd()
        began = time.monotonic()
        before = leat.metric("leat_db_connect_failures_total")
        load.wait_more(1500)
        failures = leat.metric("leat_db_connect_failures_total") - before
        took = time.monotonic() - began
        crowd.leave()
        wait_status(leat, 200)
    figure(f"a full server, {len(load.answers)} requests: {failures:.0f} attempts in {took:.1f} s")
    assert load.statuses() <= ANSWERS
    assert failures <= 3 * attempts_most(took, 0.05, 0.2)


# A changed password


@pytest.fixture
def guarded(postgres):
    """The server asks app for its password."""
    rules = postgres.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all app scram-sha-256\n" + before)
    postgres.run("SELECT pg_reload_conf()")
    yield postgres
    rules.write_text(before)
    postgres.run("ALTER ROLE app PASSWORD 'sesame'; SELECT pg_reload_conf()")


@pytest.fixture
def barred(guarded, start, counted):
    """A leat whose password was changed, with one lane lost since."""
    leat = counted(wait_connected(start(url_of(guarded, user="app:sesame"))), guarded)
    guarded.run("ALTER ROLE app PASSWORD 'changed'")
    terminate(guarded, "pid = (SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'leat')")
    leat.wait_for(lambda: leat.metric("leat_db_connect_failures_total") > 1, "new connections are refused")
    return leat


def test_with_a_changed_password_the_connections_there_are_stay_in_use(barred):
    assert {reads(barred) for _ in range(20)} == {200}
    assert barred.metric("leat_db_connections") == lanes(barred) - 1


def test_with_a_changed_password_the_log_says_so(barred):
    barred.wait_for(lambda: 'cannot connect: ' in barred.log(), "the log tells")
    assert 'password authentication failed for user "app"' in barred.log()


def test_the_log_never_shows_a_password(barred):
    assert "sesame" not in barred.log()


def test_with_the_password_corrected_leat_connects_again(barred, guarded):
    guarded.run("ALTER ROLE app PASSWORD 'sesame'")
    wait_connected(barred)
    wait_status(barred, 200, "/db/number/7/lent")


# Prepared statements whose ground moves


KINDS = pytest.mark.parametrize("kind", ["", "/lent"], ids=["lane", "lent"])


@KINDS
def test_a_column_that_comes_and_goes_disturbs_no_prepared_statement(postgres, start, counted, kind):
    leat = counted(wait_connected(start(url_of(postgres))), postgres)
    statuses = []
    for change in ("ADD extra int", "DROP extra", "ADD extra text DEFAULT 'x'", "DROP extra"):
        statuses += [leat.ask("GET", f"/db/thing{kind}").status for _ in range(8)]
        postgres.run(f"ALTER TABLE things {change}")
    statuses += [leat.ask("GET", f"/db/thing{kind}").status for _ in range(8)]
    assert set(statuses) == {200}


@KINDS
def test_a_column_that_comes_and_goes_under_load_costs_no_request(postgres, start, counted, kind, figure):
    leat = counted(wait_connected(start(url_of(postgres))), postgres)
    with Load(leat, [("GET", f"/db/thing{kind}")]) as load:
        for change in ("ADD extra int", "DROP extra") * 4:
            load.wait_more(30)
            postgres.run(f"ALTER TABLE things {change}")
        load.wait_more(30)
    load.tell(figure, f"eight ALTER TABLE{kind}")
    assert load.statuses() == {200}


def test_a_changed_table_is_not_taken_for_a_pool_that_loses_prepared_statements(postgres, start):
    leat = wait_connected(start(url_of(postgres), workers=1, db_lanes=1))
    for change in ("ADD extra int", "DROP extra") * 12:
        assert leat.ask("GET", "/db/thing").status == 200
        postgres.run(f"ALTER TABLE things {change}")
    assert leat.metric("leat_db_stale_statements_total") >= 10
    assert "keep disappearing" not in leat.log()


@pytest.mark.parametrize("uri", ["/db/discard-all", "/db/deallocate-all", "/db/deallocate-all/lent"])
def test_prepared_statements_that_were_dropped_are_prepared_again(postgres, start, counted, uri):
    leat = counted(wait_connected(start(url_of(postgres))), postgres)
    statuses = []
    for _ in range(4):
        statuses += [leat.ask("GET", f"/db/number/7{kind}").status for kind in ("", "/lent") for _ in range(4)]
        assert leat.ask("POST", uri).status == 204
    statuses += [leat.ask("GET", f"/db/number/7{kind}").status for kind in ("", "/lent") for _ in range(4)]
    assert set(statuses) == {200}


@pytest.mark.parametrize("uri", ["/db/discard-all", "/db/deallocate-all", "/db/deallocate-all/lent"])
def test_a_write_is_run_once_when_prepared_statements_are_dropped_under_load(postgres, start, counted, uri):
    leat = counted(wait_connected(start(url_of(postgres))), postgres)
    with Load(leat, WRITES) as load:
        for _ in range(20):
            load.wait_more(10)
            assert leat.ask("POST", uri).status == 204
    assert load.statuses() == {204}
    assert_written_once(load, postgres)


# Silence


PORT = Hole.PORT


def missing_for_a_hole():
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    return next((f"{program} is not there" for program in ("ip", "nft", "setpriv") if not shutil.which(program)), None)


@pytest.fixture(scope="module")
def hole():
    if missing_for_a_hole():
        pytest.skip(missing_for_a_hole())
    hole = Hole()
    try:
        hole.make()
        yield hole
    finally:
        hole.remove()


@pytest.fixture(scope="module")
def far_postgres(folder, hole, request):
    place = folder / f"far-{request.module.__name__}"
    with postgres_at(place, launcher=hole.launcher, listen_addresses=hole.inside[0]) as postgres:
        postgres.run(TABLES)
        with open(postgres.folder / "data" / "pg_hba.conf", "a") as rules:
            rules.write(f"host all all {hole.outside}/32 trust\n")
        postgres.run("SELECT pg_reload_conf()")
        yield postgres


@pytest.fixture
def far(far_postgres, hole, start, counted):
    """A testbed whose database is on the other side of the hole."""
    url = f"postgresql://app@{hole.inside[0]}:{PORT}/postgres"
    leat = counted(wait_connected(start(url, offload_threads=2)))
    wait_status(leat, 200, "/db/number/7/lent")
    return leat


@KINDS
def test_in_a_black_hole_what_is_in_flight_ends_at_its_deadline(far, hole, kind, figure):
    with far.connect() as client:
        began = time.monotonic()
        client.send("GET", f"/db/sleep/300{kind}")
        far.wait_metric("leat_requests_active", 1)
        with hole.swallowing():
            assert client.receive().status == 504
            figure(f"a black hole in the middle of a query{kind}: 504 after {(time.monotonic() - began) * 1000:.0f} ms of 1000 ms")


@KINDS
def test_in_a_black_hole_requests_are_soon_refused(far, hole, kind):
    with hole.swallowing():
        wait_status(far, 503, f"/db/number/7{kind}")


def test_in_a_black_hole_every_request_is_answered(far, hole, figure):
    with Load(far, MIXED) as load:
        load.wait_more(50)
        with hole.swallowing():
            wait_status(far, 503)
            load.wait_more(200)
        wait_status(far, 200)
        load.wait_more(50)
    load.tell(figure, "a black hole that comes and goes")
    assert load.statuses() <= ANSWERS


def test_after_a_black_hole_leat_is_back_by_itself(far, hole):
    with hole.swallowing():
        wait_status(far, 503)
        wait_status(far, 503, "/db/number/7/lent")
    wait_connected(far)
    wait_status(far, 200)
    wait_status(far, 200, "/db/number/7/lent")


def test_a_black_hole_at_the_start_is_unavailable_and_left_when_it_is_gone(far_postgres, hole, start, counted):
    with hole.swallowing():
        leat = counted(start(f"postgresql://app@{hole.inside[0]}:{PORT}/postgres"))
        wait_status(leat, 503)
    wait_connected(leat)


OTHERS = [("GET", "/hello"), ("GET", "/double/{}"), ("GET", "/sleep/1")]


def test_in_a_black_hole_other_routes_are_answered(far, hole, figure):
    with Load(far, OTHERS) as others, Load(far, READS) as load:
        load.wait_more(20)
        with hole.swallowing():
            wait_status(far, 503)
            wait_status(far, 503, "/db/number/7/lent")
            others.wait_more(300)
        load.wait_more(20)
    others.tell(figure, "routes without the database, in a black hole")
    assert others.statuses() == {200}


# Standing still


def backend(postgres, which):
    return int(postgres.run(f"SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'leat' AND {which}") or 0)


@KINDS
def test_a_backend_that_stands_still_costs_its_request_the_deadline_and_is_left(postgres, start, counted, kind):
    leat = counted(wait_connected(start(url_of(postgres))))
    with leat.connect() as client:
        client.send("GET", f"/db/sleep/100{kind}")
        pid = wait_until(lambda: backend(postgres, "wait_event = 'PgSleep'"), "the statement runs")
        with stopped(pid):
            assert client.receive().status == 504
            leat.wait_for(lambda: {leat.ask("GET", f"/db/number/7{kind}").status for _ in range(20)} == {200}, "the others work on")


def test_while_a_backend_stands_still_every_request_is_answered(postgres, start, counted, figure):
    leat = counted(wait_connected(start(url_of(postgres))))
    with Load(leat, MIXED) as load:
        load.wait_more(50)
        with stopped(backend(postgres, "true")):
            load.wait_more(500)
        load.wait_more(50)
    load.tell(figure, "a backend that stands still")
    assert load.statuses() <= ANSWERS
    assert_written_once(load, postgres)


def test_while_the_postmaster_stands_still_the_connections_there_are_work(postgres, start, counted):
    leat = counted(wait_connected(start(url_of(postgres))))
    wait_status(leat, 200, "/db/number/7/lent")
    with stopped(postgres.server.pid), Load(leat, [("GET", "/db/number/{}"), ("POST", "/db/keys/{}")]) as load:
        load.wait_more(200)
    assert load.statuses() == {200, 204}


def test_a_postmaster_that_stands_still_at_the_start_is_unavailable_until_it_goes_on(postgres, start, counted):
    with stopped(postgres.server.pid):
        leat = counted(start(url_of(postgres)))
        wait_status(leat, 503)
        wait_status(leat, 503, "/db/number/7/lent")
    wait_connected(leat)


def test_cancels_that_hang_hold_up_no_other_route(postgres, start, counted, figure):
    """The postmaster takes cancels; one that stands still never answers them."""
    leat = counted(wait_connected(start(url_of(postgres), offload_threads=2)))
    with stopped(postgres.server.pid), contextlib.ExitStack() as stack:
        clients = [stack.enter_context(leat.connect()) for _ in range(4)]
        for client in clients:
            client.send("GET", "/db/sleep/30000")
        assert {client.receive().status for client in clients} == {504}
        leat.wait_for(lambda: "still running" in leat.log(), "leat cancels")
        with Load(leat, OTHERS) as others:
            others.wait_more(300)
        others.tell(figure, "routes without the database, while cancels hang")
        assert others.statuses() == {200}
    wait_connected(leat)


def test_a_cancel_that_hangs_does_not_keep_leat_from_ending(postgres, start):
    leat = wait_connected(start(url_of(postgres), grace="1s"))
    with stopped(postgres.server.pid):
        assert leat.ask("GET", "/db/sleep/30000").status == 504
        leat.wait_for(lambda: "still running" in leat.log(), "leat cancels")
        assert leat.stop() == 0


# Fail-over


KEYS = itertools.count(1_000_000)
PAIRS = itertools.count(1)


@pytest.fixture
def pair(folder):
    """A primary, and a standby that follows it."""
    number = next(PAIRS)
    with postgres_at(folder / f"primary-{number}") as primary:
        primary.run(TABLES)
        with postgres_at(folder / f"standby-{number}", standby_of=primary) as standby:
            yield primary, standby


@pytest.fixture
def follower(pair, start):
    """A leat that wants the primary of the two."""
    leat = wait_connected(start(url_of(*pair, target_session_attrs="read-write")))
    wait_status(leat, 200, "/db/number/7/lent")
    return leat


@pytest.fixture
def followed(pair, follower, counted):
    return counted(follower, *pair)


def writes(leat, kind=""):
    return leat.ask("POST", f"/db/keys/{next(KEYS)}{kind}").status


def promote(standby):
    standby.run("SELECT pg_promote()")


def test_leat_follows_when_the_primary_fails_and_its_standby_takes_over(pair, followed, figure):
    primary, standby = pair
    with Load(followed, MIXED) as load:
        load.wait_more(50)
        primary.stop()
        load.wait_more(50)
        promote(standby)
        for kind in ("", "/lent"):
            wait_until(lambda: writes(followed, kind) == 204, "writes go to the new primary")
        load.wait_more(50)
    wait_connected(followed)
    load.tell(figure, "a fail-over")
    assert load.statuses() <= ANSWERS


def test_leat_follows_when_the_primary_stands_still_and_its_standby_takes_over(pair, follower, counted, figure):
    primary, standby = pair
    leat = counted(follower)
    promote(standby)
    with Load(leat, MIXED) as load, all_stopped(primary):
        for kind in ("", "/lent"):
            wait_until(lambda: writes(leat, kind) == 204, "writes go to the new primary")
        load.wait_more(50)
        wait_connected(leat)
    load.tell(figure, "a fail-over from a primary that stands still")
    assert load.statuses() <= ANSWERS


def test_a_standby_is_no_substitute_for_the_primary(pair, followed):
    primary, _ = pair
    primary.stop()
    followed.wait_for(lambda: writes(followed) == 503, "no writes without a primary")
    followed.wait_for(lambda: "session is read-only" in followed.log(), "the log tells")


def make_read_only(postgres):
    """As it is with an old primary that was set aside without ending its sessions."""
    postgres.run("ALTER SYSTEM SET default_transaction_read_only = on")
    postgres.run("SELECT pg_reload_conf()")


@KINDS
def test_a_primary_that_takes_no_writes_any_more_is_left(pair, followed, kind):
    primary, standby = pair
    promote(standby)
    make_read_only(primary)
    followed.wait_for(lambda: writes(followed, kind) == 204 and standby.run("SELECT count(*) FROM keys") != "0",
                      "writes go to the new primary")


@KINDS
def test_a_write_refused_by_an_old_primary_is_unavailable(pair, followed, kind):
    primary, _ = pair
    make_read_only(primary)
    followed.wait_for(lambda: writes(followed, kind) == 503, "a write is refused for now")


def test_a_write_in_a_read_only_transaction_costs_no_connection(postgres, start, counted):
    leat = counted(wait_connected(start(url_of(postgres), db_retry_least="1ms", db_retry_most="1ms")), postgres)
    wait_status(leat, 200, "/db/number/7/lent")
    assert {leat.ask("POST", "/db/keys/1/read-only").status for _ in range(5)} == {500}
    assert leat.metric('leat_db_lent_closed_total{reason="bad"}') == 0


@pytest.fixture
def read_only(postgres):
    """read_only() makes the server refuse writes, until the end of the test."""
    yield lambda: make_read_only(postgres)
    postgres.run("ALTER SYSTEM RESET default_transaction_read_only")
    postgres.run("SELECT pg_reload_conf()")


def test_writes_that_no_server_takes_cost_no_lane_soon_after_it_was_made(postgres, start, counted, read_only):
    leat = counted(wait_connected(start(url_of(postgres), db_retry_most="600s")), postgres)
    read_only()
    leat.wait_for(lambda: writes(leat) == 503, "writes are refused")
    assert {writes(leat) for _ in range(20)} == {503}
    assert {reads(leat) for _ in range(20)} == {200}
    assert leat.metric("leat_db_connects_total") == lanes(leat)


# Counts


def test_two_processes_share_what_the_lanes_leave(postgres, start, counted, figure):
    """Of fourteen connections eight are lanes, two may listen, and four are lent."""
    leat = counted(wait_connected(start(url_of(postgres), processes=2, db_connections_max=14, db_lent_max=LENT)), postgres)
    with Load(leat, [("GET", "/db/sleep/20/lent")]) as one, Load(leat, [("GET", "/db/sleep/20/lent")]) as two:
        one.wait_more(100)
        two.wait_more(100)
        lent = leat.metric("leat_db_lent_open_connections")
    figure(f"two processes that share four connections: {lent:.0f} lent")
    assert lent <= 4
    assert one.statuses() | two.statuses() <= {200, 503}
