"""The database: migrations, and what clients see while it is slow or away."""

import contextlib
import subprocess
import time

import pytest

import servers
from servers import DEPLOY, FLAVOUR


@pytest.fixture(scope="module")
def own_postgres(folder):
    """A PostgreSQL that these tests may stop."""
    postgres = servers.Postgres(folder / "own-postgres")
    yield postgres
    postgres.stop()


@pytest.fixture
def empty_database(own_postgres):
    own_postgres.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return own_postgres


@pytest.fixture
def service(start_leat, empty_database, folder):
    """A leat of the example service, with a table of one user."""
    assert servers.migrate(folder, empty_database).returncode == 0
    empty_database.run("INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.org')")
    leat = start_leat("leat", database_url=empty_database.url, db_retry_most="500ms").wait_ready()
    leat.wait_for(lambda: leat.ask("GET", "/api/users/1").status == 200, "leat reaches the database")
    return leat


def migrate(postgres, migrations, folder):
    return subprocess.run(
        [servers.build_folder() / "leat", "migrate", "--set", f"database_url={postgres.url}", "--set", f"migrations={migrations}"],
        cwd=folder, capture_output=True, text=True)


# Migrations


def test_migrations_are_applied_once(empty_database, folder):
    assert servers.migrate(folder, empty_database).returncode == 0
    again = servers.migrate(folder, empty_database)
    assert again.returncode == 0, again.stderr
    assert empty_database.run("SELECT count(*) FROM users") == "0"


def test_a_new_migration_is_added_to_those_applied(empty_database, tmp_path):
    (tmp_path / "0001_users.sql").write_text((DEPLOY / "sql" / "0001_users.sql").read_text())
    assert migrate(empty_database, tmp_path, tmp_path).returncode == 0
    (tmp_path / "0002_pets.sql").write_text("CREATE TABLE pets (id bigint);")
    assert migrate(empty_database, tmp_path, tmp_path).returncode == 0
    assert empty_database.run("SELECT count(*) FROM pets") == "0"


def test_a_migration_that_fails_leaves_nothing_of_itself(empty_database, tmp_path):
    (tmp_path / "0001_broken.sql").write_text("CREATE TABLE half (id bigint);\nSELEKT 1;\n")
    done = migrate(empty_database, tmp_path, tmp_path)
    assert done.returncode != 0
    assert "0001_broken.sql" in done.stdout + done.stderr
    assert empty_database.run("SELECT to_regclass('half') IS NULL") == "t"


# Slow


def test_a_slow_statement_ends_at_the_deadline(service, own_postgres, figure):
    with own_postgres.locked("users"):
        began = time.monotonic()
        reply = service.ask("GET", "/api/users/1")
        took = time.monotonic() - began
    assert reply.status == 504
    assert took >= 0.25
    figure(f"a statement with a deadline of 250 ms: 504 after {took * 1000:.1f} ms")


def test_a_route_without_a_deadline_has_the_one_that_is_set(start_leat, service, own_postgres):
    leat = start_leat("leat", database_url=own_postgres.url, request_deadline="100ms").wait_ready()
    leat.wait_for(lambda: leat.ask("GET", "/api/users").status == 200, "leat reaches the database")
    with own_postgres.locked("users"):
        assert leat.ask("GET", "/api/users").status == 504


def test_after_a_statement_was_given_up_the_next_is_answered(service, own_postgres):
    with own_postgres.locked("users"):
        assert service.ask("GET", "/api/users/1").status == 504
    service.wait_for(lambda: service.ask("GET", "/api/users/1").status == 200, "the lane works again")


def test_a_request_without_the_database_waits_for_no_slow_statement(service, own_postgres):
    with own_postgres.locked("users"), service.connect() as slow:
        slow.send("GET", "/api/users")
        service.wait_metric("leat_requests_active", 1)
        assert service.ask("GET", "/api/hello").status == 200
        assert service.metric("leat_requests_active") == 1


# Away


@contextlib.contextmanager
def away(postgres):
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


def test_without_the_database_clients_are_told_to_come_back(service, own_postgres):
    with away(own_postgres):
        service.wait_for(lambda: service.ask("GET", "/api/users/1").status == 503, "leat knows")
        reply = service.ask("GET", "/api/users/1")
        assert (reply.status, reply.headers["Content-Type"]) == (503, "application/problem+json")
        assert int(reply.headers["Retry-After"]) >= 1


def test_without_the_database_other_routes_work(service, own_postgres):
    with away(own_postgres):
        assert service.ask("GET", "/api/hello").status == 200
        assert service.ask("GET", "/health").status == 200


def test_when_the_database_is_back_leat_is_too(service, own_postgres):
    with away(own_postgres):
        service.wait_for(lambda: service.ask("GET", "/api/users/1").status == 503, "leat knows")
    service.wait_for(lambda: service.ask("GET", "/api/users/1").status == 200, "leat is connected again")


def test_readiness_follows_the_database(service, own_postgres):
    def ready():
        return servers.fastcgi.ask(service.admin, "GET", "/readyz").status

    service.wait_for(lambda: ready() == 200, "ready at first")
    with away(own_postgres):
        service.wait_for(lambda: ready() == 503, "not ready without the database")
        assert servers.fastcgi.ask(service.admin, "GET", "/livez").status == 200
    service.wait_for(lambda: ready() == 200, "ready again")


def test_leat_starts_without_the_database(start_leat, folder):
    leat = start_leat("leat", database_url=f"postgresql://postgres@/postgres?host={folder}/nowhere").wait_ready()
    assert leat.ask("GET", "/api/hello").status == 200
    assert leat.ask("GET", "/api/users/1").status == 503


def test_without_a_database_set_its_routes_are_unavailable(start_leat):
    leat = start_leat("leat").wait_ready()
    assert leat.ask("GET", "/api/users/1").status == 503


def test_lost_connections_are_made_anew(service, own_postgres):
    own_postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    service.wait_for(lambda: service.ask("GET", "/api/users/1").status == 200, "leat is connected again")
    service.wait_metric("leat_db_connections", 4)  # two lanes for each of two workers
