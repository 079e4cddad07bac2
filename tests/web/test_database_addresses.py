"""A database whose name has two addresses, one of which says nothing."""

import os
import shutil
import socket

import pytest

import servers

# In a mount namespace of its own, where /etc/hosts is another file.
WITH_HOSTS = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"')


@pytest.fixture(params=["127.0.0.1", "127.0.0.2"])
def silent(request):
    """An address that takes connections and never says a word, as behind a machine that hangs: its socket."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("only root makes mount namespaces")
    with socket.create_server((request.param, 0)) as listener:
        yield listener


@pytest.fixture
def postgres(folder, silent):
    """At the other address, and the same port."""
    address, port = silent.getsockname()
    other = {"127.0.0.1": "127.0.0.2", "127.0.0.2": "127.0.0.1"}[address]
    postgres = servers.Postgres(folder / f"beside-{address}", listen_addresses=other, port=port)
    yield postgres
    postgres.stop()


@pytest.fixture
def start(start_leat, tmp_path):
    """start(port) is a testbed whose database is called twofold."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 twofold\n127.0.0.2 twofold\n")

    def start(port):
        return start_leat(
            launcher=(*WITH_HOSTS, hosts), database_url=f"postgresql://postgres@twofold:{port}/postgres", db_connect_timeout="1s",
            workers=1, db_lanes=2).wait_ready()

    return start


def test_the_address_that_answers_is_found(postgres, start):
    leat = start(postgres.settings["port"])
    leat.wait_metric("leat_db_connections", 2)
    assert leat.ask("GET", "/db/number/7").status == 200
    assert leat.ask("GET", "/db/number/7/lent").status == 200
    assert leat.metric("leat_db_connect_failures_total") == 0


def test_when_none_answers_the_log_says_so(silent, start):
    leat = start(silent.getsockname()[1])
    leat.wait_for(lambda: "cannot connect" in leat.log(), "it gives up")
    assert leat.ask("GET", "/db/number/7").status == 503
    assert "Connection refused" in leat.log() or "no answer within db_connect_timeout" in leat.log()  # of the last one
