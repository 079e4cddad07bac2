"""TLS to the database: certificates that hold and that do not, and all that leat does on a connection, over TLS.

The servers take other connections than TLS on their Unix sockets only, for the tests themselves.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess

import pytest

import servers
from servers import wait_until

pytestmark = pytest.mark.outage

LANES, LENT = 2, 3

TABLES = """
    CREATE ROLE app LOGIN;
    CREATE ROLE certified LOGIN;
    CREATE TABLE keys (key bigint);
    CREATE TABLE things (id bigint, name text);
    INSERT INTO things SELECT 1, string_agg(md5(n::text), '' ORDER BY n) FROM generate_series(1, 100000) n;
    GRANT ALL ON ALL TABLES IN SCHEMA public TO app, certified;
"""

KINDS = pytest.mark.parametrize("kind", ["", "/lent"], ids=["lane", "lent"])


# Certificates


class Authority:
    """Signs certificates. Their keys are readable for whom they are made for only, as PostgreSQL and libpq ask."""

    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.root = self.folder / "root.crt"
        self.key = self.folder / "root.key"
        self.openssl(
            "req", "-x509", *self.new_key(self.key), "-days", "2", "-subj", f"/CN={name}", "-out", self.root,
            "-addext", "basicConstraints=critical,CA:TRUE")

    @staticmethod
    def openssl(*words, **more):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, **more)

    @staticmethod
    def new_key(file):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file

    def certify(self, name, owner=None):
        """The files of a certificate for a host or a user, and of its key."""
        certificate, key, request = (self.folder / f"{name}.{end}" for end in ("crt", "key", "csr"))
        self.openssl("req", *self.new_key(key), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-out", request)
        self.openssl(
            "x509", "-req", "-in", request, "-CA", self.root, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
            "-copy_extensions", "copy", "-out", certificate)
        key.chmod(0o600)
        if owner:
            shutil.chown(key, owner, owner)
        return certificate, key


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder, "authority")


@pytest.fixture(scope="module")
def server_certificate(authority):
    return authority.certify("localhost", owner="postgres" if os.geteuid() == 0 else None)


@pytest.fixture(scope="module")
def other_authority(folder):
    return Authority(folder, "other-authority")


# Servers


@contextlib.contextmanager
def listening_postgres(folder, rules, **settings):
    """On 127.0.0.1 and a port of its own, with these rules for who comes there."""
    postgres = servers.Postgres(folder, listen_addresses="127.0.0.1", port=servers.unused_port(), **settings)
    try:
        with open(postgres.folder / "data" / "pg_hba.conf", "w") as file:
            file.write("local all all trust\n" + rules)
        postgres.run("SELECT pg_reload_conf()")
        postgres.run(TABLES)
        yield postgres
    finally:
        postgres.stop(signal.SIGQUIT)


@pytest.fixture(scope="module")
def postgres(folder, authority, server_certificate):
    """Talks TLS, as localhost, and nothing else."""
    certificate, key = server_certificate
    rules = "hostssl all certified 127.0.0.1/32 cert\nhostssl all all 127.0.0.1/32 trust\n"
    with listening_postgres(
            folder / "tls", rules, ssl="on", ssl_cert_file=certificate, ssl_key_file=key, ssl_ca_file=authority.root) as postgres:
        yield postgres


@pytest.fixture(scope="module")
def plain_postgres(folder):
    with listening_postgres(folder / "plain", "host all all 127.0.0.1/32 trust\n") as postgres:
        yield postgres


def url_of(port, host="localhost", user="app", **options):
    return f"postgresql://{user}@{host}:{port}/postgres?" + "&".join(f"{name}={value}" for name, value in options.items())


@pytest.fixture
def start(start_leat):
    """start(url) is a testbed that gives up soon and tries again soon."""

    def start(url, **settings):
        return start_leat(database_url=url, **{
            "workers": 1, "db_lanes": LANES, "db_lent_max": LENT, "db_retry_least": "50ms", "db_retry_most": "400ms",
            "db_connect_timeout": "5s", "db_cancel_grace": "200ms", "db_slow": "1h",
        } | settings).wait_ready()

    return start


@pytest.fixture
def leat(postgres, authority, start):
    """A testbed that is sure of its server."""
    leat = start(url_of(postgres.settings["port"], sslmode="verify-full", sslrootcert=authority.root))
    leat.wait_metric("leat_db_connections", LANES)
    return leat


def assert_unavailable(leat, *words):
    """Requests get 503, and the log says why."""
    leat.wait_for(lambda: all(word in leat.log() for word in ("database: cannot connect: ", *words)), f"the log says {words}")
    reply = leat.ask("GET", "/db/number/7")
    assert reply.status == 503
    assert int(reply.headers["Retry-After"]) >= 1


# Who is there


def test_every_connection_is_encrypted(postgres, leat):
    assert leat.ask("GET", "/db/number/7").status == 200
    assert leat.ask("GET", "/db/number/7/lent").status == 200
    sql = "SELECT ssl, count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'leat' GROUP BY ssl"
    assert postgres.run(sql) == f"t|{LANES + 1}"


def test_a_server_of_another_name_is_not_trusted(postgres, authority, start):
    leat = start(url_of(postgres.settings["port"], host="127.0.0.1", sslmode="verify-full", sslrootcert=authority.root))
    assert_unavailable(leat, 'server certificate for "localhost"', 'does not match host name "127.0.0.1"')


def test_a_server_of_another_name_is_trusted_when_only_its_authority_is_asked_for(postgres, authority, start):
    leat = start(url_of(postgres.settings["port"], host="127.0.0.1", sslmode="verify-ca", sslrootcert=authority.root))
    leat.wait_for(lambda: leat.ask("GET", "/db/number/7").status == 200, "leat reaches the database")


def test_a_server_of_another_authority_is_not_trusted(postgres, other_authority, start):
    leat = start(url_of(postgres.settings["port"], sslmode="verify-full", sslrootcert=other_authority.root))
    assert_unavailable(leat, "certificate verify failed")


def test_an_authority_that_cannot_be_read_is_told(postgres, start, tmp_path):
    leat = start(url_of(postgres.settings["port"], sslmode="verify-full", sslrootcert=tmp_path / "nothing.crt"))
    assert_unavailable(leat, "nothing.crt", "does not exist")


def test_a_server_without_tls_is_not_talked_to(plain_postgres, start):
    leat = start(url_of(plain_postgres.settings["port"], sslmode="require"))
    assert_unavailable(leat, "server does not support SSL, but SSL was required")


def test_a_server_that_wants_tls_refuses_others(postgres, start):
    leat = start(url_of(postgres.settings["port"], sslmode="disable"))
    assert_unavailable(leat, 'no pg_hba.conf entry for host "127.0.0.1"', "no encryption")


def test_a_server_that_says_nothing_to_the_question_for_tls_is_given_up(start):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        leat = start(url_of(silent.getsockname()[1], host="127.0.0.1", sslmode="require"), db_connect_timeout="300ms")
        assert_unavailable(leat, "no answer within db_connect_timeout")


def test_a_certificate_can_stand_for_a_password(postgres, authority, start):
    certificate, key = authority.certify("certified")
    trusted = {"sslmode": "verify-full", "sslrootcert": authority.root}
    leat = start(url_of(postgres.settings["port"], user="certified", **trusted, sslcert=certificate, sslkey=key))
    leat.wait_for(lambda: leat.ask("GET", "/db/number/7").status == 200, "leat reaches the database")


def test_without_the_certificate_that_is_asked_for_the_log_says_so(postgres, authority, start):
    trusted = {"sslmode": "verify-full", "sslrootcert": authority.root}
    leat = start(url_of(postgres.settings["port"], user="certified", **trusted, sslcert="/nothing", sslkey="/nothing"))
    assert_unavailable(leat, "connection requires a valid client certificate")


# What goes over it


@KINDS
def test_a_row_of_many_records_comes_whole(postgres, leat, kind):
    reply = leat.ask("GET", f"/db/thing{kind}")
    assert reply.status == 200
    assert postgres.run("SELECT name FROM things").encode() in reply.body


@KINDS
def test_many_statements_at_once_are_answered(leat, kind):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(leat.connect()) for _ in range(30)]
        for number, client in enumerate(clients):
            client.send("GET", f"/db/number/{number}{kind}")
        replies = [client.receive() for client in clients]
    assert [reply.body for reply in replies] == [b'{"n":%d}' % number for number in range(30)]


@KINDS
def test_writes_are_kept(postgres, leat, kind):
    postgres.run("TRUNCATE keys")
    assert leat.ask("POST", f"/db/keys/7{kind}").status == 204
    assert postgres.run("SELECT key FROM keys") == "7"


def test_a_transaction_that_fails_leaves_nothing(postgres, leat):
    postgres.run("TRUNCATE keys")
    assert leat.ask("POST", "/db/keys/7/read-only").status == 500
    assert postgres.run("SELECT count(*) FROM keys") == "0"


def sleeping(postgres):
    return postgres.run("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat' AND wait_event = 'PgSleep'")


@KINDS
def test_a_late_statement_is_cancelled_and_its_connection_kept(postgres, leat, kind):
    """libpq 15 asks for that on a connection of its own, without TLS. PostgreSQL takes it before it looks at pg_hba.conf."""
    assert leat.ask("GET", f"/db/number/7{kind}").status == 200
    connects = leat.metric("leat_db_connects_total")
    assert leat.ask("GET", f"/db/sleep/30000{kind}").status == 504
    wait_until(lambda: sleeping(postgres) == "0", "the statement has ended")
    assert leat.ask("GET", f"/db/number/7{kind}").status == 200
    assert leat.metric("leat_db_connects_total") == connects
    assert "cannot cancel" not in leat.log()


def test_notifications_arrive(postgres, leat):
    with leat.connect() as client:
        client.send("GET", "/db/told")
        wait_until(
            lambda: postgres.run("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'") == "1",
            "leat listens")
        postgres.run("NOTIFY news, 'hear'")
        assert client.receive().body == b"hear"


def test_after_a_restart_leat_is_back_by_itself(postgres, leat):
    postgres.stop(signal.SIGQUIT)
    leat.wait_for(lambda: leat.ask("GET", "/db/number/7").status == 503, "the server is away")
    postgres.start()
    leat.wait_for(lambda: leat.ask("GET", "/db/number/7").status == 200, "leat is back")


# A pooler


@pytest.fixture
def pooler(folder, postgres, server_certificate):
    """PgBouncer in front of it, which takes nothing but TLS; its port."""
    home = folder / "bouncer"
    home.mkdir()
    port = servers.unused_port()
    (home / "bouncer.ini").write_text(
        f"[databases]\n* = host={postgres.folder} port={postgres.settings['port']} user=app\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"client_tls_sslmode = require\nclient_tls_cert_file = {server_certificate[0]}\nclient_tls_key_file = {server_certificate[1]}\n")
    server = servers.Server("bouncer", home, ["/usr/sbin/pgbouncer", home / "bouncer.ini"], **postgres.user)
    yield port
    server.stop()


@pytest.mark.skipif(not os.path.exists("/usr/sbin/pgbouncer"), reason="PgBouncer is not there")
def test_a_pooler_that_takes_nothing_but_tls_takes_cancels_without(postgres, pooler, authority, start):
    leat = start(url_of(pooler, sslmode="verify-full", sslrootcert=authority.root))
    leat.wait_metric("leat_db_connections", LANES)
    assert leat.ask("GET", "/db/sleep/30000").status == 504
    wait_until(lambda: sleeping(postgres) == "0", "the statement has ended")
    assert "cannot cancel" not in leat.log()
