"""What the web tests share: one PostgreSQL, one leat with the example service, one testbed, and front servers for both.

Run one test:  LEAT_BUILD=build/dev /usr/bin/python3 -m pytest tests/web -k drains
"""

import contextlib
import itertools
import pathlib
import resource
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import auth_files  # noqa: E402
import servers  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes a minute; the groups asan and tsan leave it out, pytest by hand does not")
    config.addinivalue_line("markers", "alone: one request after the other, and nothing for threads; the group tsan leaves it out")
    config.addinivalue_line("markers", "outage: waits for servers that are away; the groups asan and tsan leave it out, too")


@pytest.fixture(scope="session")
def folder():
    """A short path, because Unix sockets live in it, and open to PostgreSQL's user."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    path = pathlib.Path(tempfile.mkdtemp(prefix="leat-web-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def postgres(folder):
    with stopping(servers.Postgres(folder / "postgres")) as postgres:
        yield postgres


@pytest.fixture(scope="session")
def migrated(folder, postgres):
    """The database with the tables of deploy/sql, made by `leat migrate`, and the one for idempotency keys."""
    done = servers.migrate(folder, postgres)
    assert done.returncode == 0, done.stdout + done.stderr
    postgres.run(servers.IDEMPOTENCY_TABLE.read_text())
    return postgres


@pytest.fixture(scope="session")
def leat(folder, migrated):
    with stopping(servers.Leat(folder / "leat", database_url=migrated.url)) as leat:
        leat.wait_ready()
        leat.wait_for(lambda: leat.ask("GET", "/api/users?limit=1").status == 200, "leat reaches the database")
        yield leat


@pytest.fixture(scope="session")
def testbed(folder):
    with stopping(servers.Leat(folder / "testbed", "tests/web/testbed")) as testbed:
        yield testbed.wait_ready()


@pytest.fixture(scope="session")
def keys(folder):
    """The files of keys and passwords that the surface service names."""
    return auth_files.AuthFiles(folder / "keys")


@pytest.fixture(scope="session")
def surface(folder, migrated, keys):
    settings = {"database_url": migrated.url, "auth_folder": keys.folder}
    with stopping(servers.Leat(folder / "surface", "tests/web/surface/surface", **settings)) as surface:
        yield surface.wait_ready()


@pytest.fixture(scope="session", params=[servers.Nginx, servers.Lighttpd], ids=["nginx", "lighttpd"])
def front_class(request):
    return request.param


def unused(folder, name):
    """Of several test processes each has only some of the files: it may need a front server again that it has stopped."""
    return next(path for number in itertools.count() if not (path := folder / f"{name}{number}").exists())


@pytest.fixture(scope="session")
def front(folder, leat, front_class):
    """A front server before the example service."""
    with stopping(front_class(unused(folder, front_class.name), leat)) as front:
        yield front


@pytest.fixture(scope="session")
def testbed_front(folder, testbed, front_class):
    """A front server before the testbed."""
    with stopping(front_class(unused(folder, f"{front_class.name}-testbed"), testbed)) as front:
        yield front


@pytest.fixture(scope="session")
def surface_front(folder, surface, front_class):
    """A front server before the service that uses all of the HTTP surface."""
    with stopping(front_class(unused(folder, f"{front_class.name}-surface"), surface)) as front:
        yield front


@pytest.fixture(scope="session")
def edge(folder):
    """The service whose own list has the middleware of the edge."""
    path = folder / "edge"
    settings = {"trusted_proxies": "unix:, 192.0.2.0/24, 127.0.0.1", "redirect_slash": "on"}
    with stopping(servers.Leat(path, "tests/web/edge", **settings)) as edge:
        yield edge.wait_ready()


@pytest.fixture(scope="session")
def edge_front(folder, edge, front_class):
    with stopping(front_class(unused(folder, f"{front_class.name}-edge"), edge)) as front:
        yield front


@pytest.fixture
def start_leat(folder):
    """Starts further instances for one test: start_leat(workers=1) is a testbed of its own."""
    with contextlib.ExitStack() as stack:
        path = pathlib.Path(tempfile.mkdtemp(dir=folder))
        path.chmod(0o755)

        def start(program="tests/web/testbed", **settings):
            number = len(list(path.iterdir()))
            return stack.enter_context(stopping(servers.Leat(path / str(number), program, **settings)))

        yield start


@pytest.fixture
def users(migrated):
    """Ten users and no others, with ids from 1."""
    migrated.run(
        "TRUNCATE users RESTART IDENTITY; INSERT INTO users (name, email) "
        "SELECT 'User ' || n, 'user' || n || '@example.org' FROM generate_series(1, 10) n")


FIGURES = []


@pytest.fixture
def figure(record_property):
    """figure("what was measured") shows it at the end of the run."""
    return lambda text: record_property("measured", text)


def pytest_runtest_logreport(report):
    if report.when == "call":
        FIGURES.extend(text for name, text in report.user_properties if name == "measured")


def pytest_terminal_summary(terminalreporter):
    for text in FIGURES:
        terminalreporter.write_line(f"measured: {text}")


@contextlib.contextmanager
def stopping(server):
    """Stops the server at the end; what a sanitizer has to say of it fails the test that used it last."""
    try:
        yield server
    finally:
        server.stop()
    if isinstance(server, servers.Leat):
        assert "Sanitizer" not in server.log(), server.log()
