"""Reads from standbys: which server answers, and what clients see when a standby is late, gone, promoted or back, and when the primary is.

Every server has its name as cluster_name, and each answer of /where tells who gave it. While a test runs, somebody counts leat's connections on
all servers: see `counted`.
"""

import contextlib
import itertools
import json
import signal
import threading
import time

import pytest

import servers
from counting import Backends, counting
from servers import all_stopped, wait_until

pytestmark = pytest.mark.long

LANES = 2
LAG = 600  # ms, where a standby is to be late; elsewhere more, so that a busy machine does not make it late
TABLES = "CREATE TABLE keys (key bigint); CREATE SEQUENCE liar;"
KEYS = itertools.count(1)


# Servers


@contextlib.contextmanager
def postgres_at(folder, name, **more):
    postgres = servers.Postgres(folder / name, cluster_name=name, wal_retrieve_retry_interval="100ms", **more)
    try:
        yield postgres
    finally:
        postgres.stop(signal.SIGQUIT)


@contextlib.contextmanager
def family_at(folder, standbys):
    """A primary and its standbys, in a folder of their own."""
    folder.mkdir()
    folder.chmod(0o755)
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(postgres_at(folder, "primary"))
        primary.run(TABLES)
        names = [f"standby{number}" for number in range(1, standbys + 1)]
        yield primary, *[stack.enter_context(postgres_at(folder, name, standby_of=primary)) for name in names]


def is_up(postgres):
    return postgres.server.process.poll() is None


@pytest.fixture(scope="module")
def shared_pair(folder):
    with family_at(folder / "pair", 1) as pair:
        yield pair


@pytest.fixture
def pair(shared_pair):
    """A primary and a standby that keeps up, whatever other tests have done to them."""
    primary, standby = shared_pair
    for postgres in shared_pair:
        if not is_up(postgres):
            postgres.start()
    standby.run("SELECT pg_wal_replay_resume()")
    wait_until(lambda: primary.run("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1", "the standby follows")
    return shared_pair


def url_of(*postgreses, **options):
    hosts = ",".join(str(postgres.folder) for postgres in postgreses)
    return f"postgresql://postgres@/postgres?host={hosts}" + "".join(f"&{name}={value}" for name, value in options.items())


@pytest.fixture
def start(start_leat):
    def start(primaries, standbys, **settings):
        return start_leat(database_url=url_of(*primaries, target_session_attrs="read-write"), database_read_url=url_of(*standbys), **{
            "processes": 1, "workers": 1, "db_lanes": LANES, "db_lent_max": 2, "db_read_lag_most": "3s", "db_retry_least": "50ms",
            "db_retry_most": "400ms", "db_connect_timeout": "1s", "db_cancel_grace": "200ms", "db_slow": "1h",
        } | settings).wait_ready()

    return start


def lanes(leat):
    return leat.settings["processes"] * leat.settings["workers"] * leat.settings["db_lanes"]


def connections_most(leat):
    most = 2 * lanes(leat) + leat.settings["processes"] * (leat.settings["db_lent_max"] + 1)
    return min(most, leat.settings.get("db_connections_max", most))


@pytest.fixture
def counted(figure, request):
    """counted(leat, *postgreses) counts leat's sessions to the end of the test: never more than its settings allow."""
    with contextlib.ExitStack() as stack:

        def counted(leat, *postgreses):
            looks = [Backends(postgres) for postgres in postgreses]
            stack.enter_context(counting(looks, connections_most(leat), lambda text: figure(f"{request.node.name}: {text}")))
            return leat

        yield counted


# Asking


def told(reply):
    """{"server": .., "is_standby": .., "n": ..}; an answer is expected."""
    assert reply.status == 200, reply.status
    return json.loads(reply.body)


def server(leat, uri="/where", method="GET"):
    """Who answers; or the status, when nobody does."""
    reply = leat.ask(method, uri)
    return told(reply)["server"] if reply.status == 200 else reply.status


def write(leat):
    """The key."""
    key = next(KEYS)
    answer = told(leat.ask("POST", f"/where/keys/{key}"))
    assert (answer["server"], answer["n"]) == ("primary", 1)
    return key


def seen(leat, times=40, uri="/where"):
    return {server(leat, uri) for _ in range(times)}


def wait_all(leat, servers_wanted, uri="/where"):
    """Until nobody else answers."""
    leat.wait_for(lambda: seen(leat, 20, uri) == servers_wanted, f"{uri} is answered by {servers_wanted}")
    return leat


@pytest.fixture
def leat(pair, start, counted):
    primary, standby = pair
    return wait_all(counted(start([primary], [standby]), primary, standby), {"standby1"})


@pytest.fixture
def strict_leat(pair, start, counted):
    """With two workers, and little patience with a standby."""
    primary, standby = pair
    return wait_all(counted(start([primary], [standby], workers=2, db_read_lag_most=f"{LAG}ms"), primary, standby), {"standby1"})


class Readers:
    """Clients that read without end, until the block is left. All their answers are kept."""

    def __init__(self, leat, uri="/where", clients=4):
        self.leat = leat
        self.uri = uri
        self.answers = []
        self.must_stop = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self.must_stop.set()
        for thread in self.threads:
            thread.join()

    def run(self):
        while not self.must_stop.wait(0.002):
            try:
                self.answers.append(server(self.leat, self.uri))
            except (OSError, servers.fastcgi.Closed) as error:
                self.answers.append(repr(error))

    def wait_for(self, server, times=50):
        """The last answers are all of that server."""
        wait_until(lambda: len(self.answers) > times and set(self.answers[-times:]) == {server}, f"{server} answers")


# Where statements go


def test_reads_land_on_the_standby(leat):
    assert seen(leat) == {"standby1"}
    assert seen(leat, uri="/where/sent") == {"standby1"}


def test_a_statement_that_says_current_goes_to_the_primary(leat):
    assert seen(leat, uri="/where/current") == {"primary"}


def test_a_statement_that_does_not_say_read_only_goes_to_the_primary(leat):
    assert seen(leat, uri="/where/writable") == {"primary"}


def test_transactions_stay_on_the_primary_also_read_only_ones(leat):
    assert seen(leat, uri="/where/tx") == {"primary"}


def test_a_request_reads_what_it_has_written(leat):
    for _ in range(30):
        write(leat)


def test_a_request_that_has_sent_a_write_reads_from_the_primary(leat):
    assert {server(leat, f"/where/keys/{next(KEYS)}/sent", "POST") for _ in range(20)} == {"primary"}


def test_after_a_transaction_a_request_reads_from_the_primary(leat):
    assert seen(leat, uri="/where/after-tx") == {"primary"}


def test_after_a_read_only_transaction_a_request_reads_from_the_standby(leat):
    assert seen(leat, uri="/where/after-read-only-tx") == {"standby1"}


def test_a_request_that_listens_reads_from_the_primary(leat):
    assert seen(leat, uri="/where/after-listen") == {"primary"}


def test_the_next_request_reads_from_the_standby_again(leat):
    assert server(leat, f"/where/keys/{write(leat)}") == "standby1"


def test_what_was_written_is_soon_read_from_the_standby(leat):
    key = write(leat)
    leat.wait_for(lambda: told(leat.ask("GET", f"/where/keys/{key}")) == {"server": "standby1", "is_standby": True, "n": 1},
                  "the standby has it")


def test_a_statement_that_nobody_waits_for_is_withdrawn_before_it_was_sent(leat):
    assert {leat.ask("GET", "/where/unsent").status for _ in range(50)} == {204}
    assert seen(leat) == {"standby1"}


def test_without_database_read_url_all_is_asked_of_the_primary(pair, start_leat):
    leat = start_leat(database_url=url_of(pair[0])).wait_ready()
    wait_all(leat, {"primary"})
    assert leat.metric("leat_db_read_connections") == leat.metric("leat_db_reads_total") == 0


# What a standby cannot do


def test_a_statement_that_says_read_only_and_writes_is_run_on_the_primary(leat):
    answers = [told(leat.ask("GET", "/where/liar")) for _ in range(20)]
    assert {answer["server"] for answer in answers} == {"primary"}
    numbers = [answer["n"] for answer in answers]
    assert numbers == list(range(numbers[0], numbers[0] + 20))


def test_a_statement_that_writes_costs_the_standby_one_attempt(leat):
    seen(leat, 100, "/where/liar")
    assert leat.metric('leat_db_read_fallbacks_total{reason="error"}') == 1
    assert "says read_only, and writes" in leat.log()
    assert leat.metric("leat_db_read_connects_total") == lanes(leat)


def test_an_error_of_a_standby_is_the_primarys_to_confirm(leat):
    assert server(leat, "/where/quotient/1") == "standby1"
    assert server(leat, "/where/quotient/0") == 500
    assert leat.metric('leat_db_read_fallbacks_total{reason="error"}') == 1


@pytest.fixture
def impatient(pair):
    """The standby gives up at once what is in the way of what it replays."""
    _, standby = pair
    standby.run("ALTER SYSTEM SET max_standby_streaming_delay = 0")
    standby.run("SELECT pg_reload_conf()")
    yield pair
    standby.run("ALTER SYSTEM RESET max_standby_streaming_delay")
    standby.run("SELECT pg_reload_conf()")


def is_asleep(postgres):
    return postgres.run("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != "0"


def test_a_read_in_the_way_of_what_the_standby_replays_is_answered_by_the_primary(impatient, leat):
    """40001."""
    primary, standby = impatient
    with leat.connect() as client:
        client.send("GET", "/where/slow/2000")
        wait_until(lambda: is_asleep(standby), "it runs on the standby")
        for sql in ("INSERT INTO keys SELECT 0 FROM generate_series(1, 1000)", "DELETE FROM keys WHERE key = 0", "VACUUM keys"):
            primary.run(sql)
        assert told(client.receive())["server"] == "primary"
    assert leat.metric('leat_db_read_fallbacks_total{reason="error"}') == 1


# A standby that is late


def test_a_standby_that_is_late_is_passed_over_and_used_again_when_it_is_not(pair, strict_leat):
    primary, standby = pair
    standby.run("SELECT pg_wal_replay_pause()")
    write(strict_leat)
    wait_all(strict_leat, {"primary"})
    assert strict_leat.metric('leat_db_read_fallbacks_total{reason="lag"}') > 0
    strict_leat.wait_for(lambda: strict_leat.metric("leat_db_read_lag_milliseconds") > LAG, "the gauge tells")
    strict_leat.wait_for(lambda: "reads go to the primary: what standbys have may be" in strict_leat.log(), "the log tells")
    standby.run("SELECT pg_wal_replay_resume()")
    wait_all(strict_leat, {"standby1"})
    strict_leat.wait_for(lambda: strict_leat.metric("leat_db_read_lag_milliseconds") < LAG, "the gauge tells")


def test_a_standby_that_lacks_nothing_is_not_late_while_nobody_writes(pair, strict_leat):
    """Its replay stands still, and so does the primary: pg_last_xact_replay_timestamp() could not tell."""
    _, standby = pair
    standby.run("SELECT pg_wal_replay_pause()")
    end = time.monotonic() + 3 * LAG / 1000
    while time.monotonic() < end:
        assert server(strict_leat) == "standby1"


def test_no_read_is_older_than_the_limit(pair, strict_leat, figure):
    """Somebody writes all the time; replay stops. Each row read from the standby is compared with the time."""
    primary, standby = pair
    oldest = 0
    for paused in (False, True, False):
        standby.run(f"SELECT pg_wal_replay_{'pause' if paused else 'resume'}()")
        end = time.monotonic() + 2.5 * LAG / 1000
        written = []
        while time.monotonic() < end:
            key = write(strict_leat)
            written.append((time.monotonic(), key))
            began = time.monotonic()
            known = [entry for entry in written if began - entry[0] > LAG / 1000]
            if known:
                reply = told(strict_leat.ask("GET", f"/where/keys/{known[-1][1]}"))
                oldest += reply["server"] == "standby1"
                assert reply["n"] == 1, reply
    figure(f"of reads of what was written {LAG} ms before, {oldest} were answered by the standby, none without it")


def test_a_late_standby_is_left_for_another(folder, start, counted):
    with family_at(folder / "two-late", 2) as (primary, first, second):
        leat = counted(start([primary], [first, second], workers=4, db_read_lag_most=f"{LAG}ms", db_lent_lifetime="1s"), primary, first, second)
        wait_all(leat, {"standby1", "standby2"})
        first.run("SELECT pg_wal_replay_pause()")
        write(leat)
        leat.wait_for(lambda: "its server stays behind" in leat.log(), "connections are left")
        leat.wait_for(lambda: seen(leat, 60) == {"standby2"}, "the other answers all")


# A standby that is gone


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_a_standby_that_goes_and_comes_costs_no_client_anything(pair, strict_leat, how):
    _, standby = pair
    with Readers(strict_leat) as readers:
        readers.wait_for("standby1")
        standby.stop(how)
        readers.wait_for("primary")
        standby.start()
        readers.wait_for("standby1")
    assert set(readers.answers) == {"primary", "standby1"}
    assert "reads go to the primary: no standby is connected" in strict_leat.log()
    assert strict_leat.metric('leat_db_read_fallbacks_total{reason="down"}') > 0


def test_reads_under_way_on_a_standby_that_is_killed_are_answered_by_the_primary(pair, strict_leat):
    _, standby = pair
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(strict_leat.connect()) for _ in range(8)]
        for client in clients:
            client.send("GET", "/where/slow/200")
        wait_until(lambda: is_asleep(standby), "they run on the standby")
        standby.stop(signal.SIGQUIT)
        assert "primary" in {told(client.receive())["server"] for client in clients}


def test_a_standby_that_is_down_at_the_start_costs_nothing_and_is_used_when_it_is_up(pair, start, counted):
    primary, standby = pair
    standby.stop()
    leat = counted(start([primary], [standby]), primary, standby)
    wait_all(leat, {"primary"})
    standby.start()
    wait_all(leat, {"standby1"})
    assert leat.metric("leat_db_read_connections") <= lanes(leat)


def test_a_backend_that_is_killed_costs_no_client_anything(pair, strict_leat):
    _, standby = pair
    with Readers(strict_leat) as readers:
        for _ in range(20):
            readers.wait_for("standby1", 20)
            standby.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat' ORDER BY random() LIMIT 1")
    assert set(readers.answers) <= {"primary", "standby1"}


def test_of_two_standbys_the_one_that_is_left_answers_and_both_do_again(folder, start, counted):
    """A connection is replaced at the age of db_lent_lifetime: so who moved to the other one comes back."""
    with family_at(folder / "two", 2) as (primary, first, second):
        leat = counted(start([primary], [first, second], workers=4, db_lent_lifetime="1s"), primary, first, second)
        leat.wait_for(lambda: seen(leat) == {"standby1", "standby2"}, "both answer")
        with Readers(leat) as readers:
            first.stop(signal.SIGQUIT)
            readers.wait_for("standby2")
            first.start()
            wait_until(lambda: {"standby1", "standby2"} == set(readers.answers[-100:]), "both answer")
        assert set(readers.answers) <= {"primary", "standby1", "standby2"}


def test_a_standby_that_stands_still_is_left_after_the_limit(pair, strict_leat):
    """What was sent before reaches its deadline; nothing later does."""
    _, standby = pair
    with all_stopped(standby):
        strict_leat.wait_for(lambda: server(strict_leat) == "primary", "the primary answers")
        wait_all(strict_leat, {"primary"})
    wait_all(strict_leat, {"standby1"})


# A primary that is gone


def test_reads_go_on_while_the_primary_is_away(pair, strict_leat):
    primary, _ = pair
    with Readers(strict_leat) as readers:
        readers.wait_for("standby1")
        primary.stop(signal.SIGQUIT)
        strict_leat.wait_for(lambda: "reads go on at standbys" in strict_leat.log(), "the log tells")
        readers.wait_for("standby1", 500)
        assert server(strict_leat, "/where/current") == 503
        assert strict_leat.ask("POST", f"/where/keys/{next(KEYS)}").status == 503
        primary.start()
        strict_leat.wait_for(lambda: server(strict_leat, "/where/current") == "primary", "the primary answers")
        readers.wait_for("standby1")
    assert set(readers.answers) <= {"standby1", "primary", 503}
    assert readers.answers.count(503) <= len(readers.answers) // 100


def test_a_standby_that_lacks_something_is_no_substitute_for_the_primary(pair, strict_leat):
    primary, standby = pair
    standby.run("SELECT pg_wal_replay_pause()")
    write(strict_leat)
    wait_all(strict_leat, {"primary"})
    primary.stop(signal.SIGQUIT)
    wait_all(strict_leat, {503})


# Another server


def test_a_standby_that_is_promoted_is_left(folder, start, counted):
    with family_at(folder / "promoted", 1) as (primary, standby):
        leat = wait_all(counted(start([primary], [standby]), primary, standby), {"standby1"})
        with Readers(leat) as readers:
            standby.run("SELECT pg_promote()")
            readers.wait_for("primary")
            leat.wait_for(lambda: "its server is no standby any more" in leat.log(), "the log tells")
            leat.wait_for(lambda: leat.metric("leat_db_read_connections") == 0, "no connection is left")
        assert set(readers.answers) == {"primary", "standby1"}


def test_after_a_fail_over_reads_go_to_the_standby_that_follows(folder, start, counted):
    """One of two standbys takes over, and the other one follows it. All hosts are named in both settings."""
    with family_at(folder / "fail-over", 2) as (primary, first, second):
        hosts = (primary, first, second)
        leat = counted(start(hosts, hosts, workers=4, db_lent_lifetime="1s"), *hosts)
        wait_all(leat, {"standby1", "standby2"})
        primary.stop(signal.SIGQUIT)
        first.run("SELECT pg_promote()")
        second.run(f"ALTER SYSTEM SET primary_conninfo = 'host={first.folder} user=postgres'")
        second.run("SELECT pg_reload_conf()")
        leat.wait_for(lambda: seen(leat, 5, "/where/current") == {"standby1"}, "the one that took over takes writes")
        wait_all(leat, {"standby2"})
        key = next(KEYS)
        assert told(leat.ask("POST", f"/where/keys/{key}"))["server"] == "standby1"
        leat.wait_for(lambda: told(leat.ask("GET", f"/where/keys/{key}")) == {"server": "standby2", "is_standby": True, "n": 1},
                      "what it wrote is read there")


def test_a_standby_of_another_primary_is_never_read(pair, folder, start, counted):
    """It is ahead of ours by its positions, and holds other data."""
    primary, _ = pair
    with family_at(folder / "others", 1) as (other, stranger):
        while other.run(f"SELECT pg_current_wal_lsn() > '{primary.run('SELECT pg_current_wal_lsn()')}'::pg_lsn + 20000000") != "t":
            other.run("SELECT pg_switch_wal(); INSERT INTO keys VALUES (0)")
        leat = counted(start([primary], [stranger], db_read_lag_most=f"{LAG}ms", db_retry_most="60s"), primary, stranger)
        leat.wait_for(lambda: leat.metric("leat_db_read_connections") == lanes(leat), "it is connected")
        end = time.monotonic() + 3 * LAG / 1000
        while time.monotonic() < end:
            assert server(leat) in ("primary", 503)
        assert leat.metric("leat_db_reads_total") == 0


def test_a_primary_in_database_read_url_is_not_taken(pair, start, counted):
    primary, _ = pair
    leat = counted(start([primary], [primary]), primary)
    wait_all(leat, {"primary"})
    leat.wait_for(lambda: "cannot connect to a standby" in leat.log(), "the log tells")
    assert leat.metric("leat_db_read_connections") == 0


# Slow statements


def test_a_slow_read_has_a_lane_of_the_standby_to_itself(pair, start, counted):
    primary, standby = pair
    leat = counted(start([primary], [standby], db_slow="20ms", db_read_lag_most="10s"), primary, standby)
    wait_all(leat, {"standby1"})
    assert {server(leat, "/where/slow/60") for _ in range(6)} == {"standby1"}  # it is learnt
    with leat.connect() as client:
        client.send("GET", "/where/slow/1000")
        wait_until(lambda: is_asleep(standby), "it runs on the standby")
        assert seen(leat, 100) == {"standby1"}
        assert is_asleep(standby)
        assert server(leat, "/where/slow/60") == "primary"  # there is one lane for the others, and it stays theirs
        assert told(client.receive())["server"] == "standby1"


# Counts


def test_lanes_to_standbys_count(pair, start, counted):
    """Of twelve connections of two processes eight are lanes, half of them to the standby; two may listen, and two are lent."""
    primary, standby = pair
    leat = counted(start([primary], [standby], processes=2, db_connections_max=12, db_lent_max=10), primary, standby)
    leat.wait_for(lambda: leat.metric("leat_db_read_connections") == lanes(leat), "all lanes are connected")
    with Readers(leat) as _, Readers(leat, "/where/after-tx", 8) as writers:
        writers.wait_for("primary", 1500)
        assert leat.metric("leat_db_lent_open_connections") <= 2
        assert leat.metric("leat_db_read_connections") == lanes(leat)
        assert leat.metric("leat_db_connections") <= 12


def test_a_limit_without_room_for_lanes_to_standbys_names_the_settings(pair, start_leat):
    primary, standby = pair
    with pytest.raises(RuntimeError) as error:
        start_leat(database_url=primary.url, database_read_url=standby.url, workers=2, db_lanes=2, db_connections_max=9).wait_ready()
    assert "db_connections_max = 9 is too low: processes x workers x db_lanes x 2 (database_read_url is set) are 8" in str(error.value)


def test_database_read_url_alone_is_refused(pair, start_leat):
    with pytest.raises(RuntimeError) as error:
        start_leat(database_read_url=pair[1].url).wait_ready()
    assert "database_read_url is set, but not database_url" in str(error.value)


def test_a_leat_with_standbys_stops_at_once(leat):
    seen(leat)
    assert leat.stop() == 0
