"""COPY, as a service uses it: that of the soak."""

import pytest


@pytest.fixture
def read_only(postgres):
    """The server takes no writes, until the end of the test."""
    postgres.run("CREATE TABLE ledger (id bigint, place bigint)")

    def refuse():
        postgres.run("ALTER SYSTEM SET default_transaction_read_only = on")
        postgres.run("SELECT pg_reload_conf()")

    yield refuse
    postgres.run("ALTER SYSTEM RESET default_transaction_read_only")
    postgres.run("SELECT pg_reload_conf()")
    postgres.run("SET default_transaction_read_only = off; DROP TABLE ledger")


def start(postgres, start_leat, **settings):
    leat = start_leat("tests/soak/service", database_url=postgres.url, **settings).wait_ready()
    leat.wait_for(lambda: leat.ask("POST", "/copy/1/1").status == 200, "rows are copied in")
    return leat


def test_a_copy_refused_by_a_server_that_takes_no_writes_is_unavailable(postgres, read_only, start_leat):
    leat = start(postgres, start_leat, db_retry_most="600s")
    read_only()
    leat.wait_for(lambda: leat.ask("POST", "/copy/2/1").status != 200, "copies are refused")
    assert leat.ask("POST", "/copy/2/1").status == 503
    assert leat.metric('leat_db_lent_closed_total{reason="bad"}') == 0


def test_a_copy_leaves_a_server_that_takes_no_writes(postgres, read_only, start_leat):
    leat = start(postgres, start_leat, db_retry_most="100ms")
    read_only()
    leat.wait_for(lambda: leat.ask("POST", "/copy/2/1").status == 503 and leat.metric('leat_db_lent_closed_total{reason="bad"}') > 0,
                  "the connection is closed")
