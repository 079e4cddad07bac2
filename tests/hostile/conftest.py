"""What the hostile tests share: leat's testbed, and a plain libfcgi responder to compare it with.

Run one test:  LEAT_BUILD=build/dev /usr/bin/python3 -m pytest tests/hostile -k L7

Both have the same face: address (of a Unix socket), served() (what they logged of requests), worker_pids(), stop().
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "web")]

import fcgi  # noqa: E402
import servers  # noqa: E402


class Testbed(servers.Leat):
    """leat with the routes of tests/web/testbed.c."""

    def __init__(self, folder, **settings):
        super().__init__(folder, "tests/web/testbed", **{"processes": 1, "arena_keep": "1m"} | settings)
        self.address = str(self.socket)

    def served(self):
        return self.access_log.read_text()

    def interrupt(self):
        """A stop and a continuation end waits with EINTR; no handler is needed."""
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in self.worker_pids():
                os.kill(pid, number)

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in [self.pid, *self.worker_pids()])


class Plain(servers.Server):
    """libfcgi with blocking threads, in one process."""

    def __init__(self, folder, program, threads):
        self.address = str(pathlib.Path(folder) / "leat.sock")
        super().__init__("plain", folder, [program, self.address, threads], stop_signal=signal.SIGKILL)

    def served(self):
        return self.log()

    def worker_pids(self):
        return [self.pid]

    def interrupt(self):
        """libfcgi installs a handler for it, and reads are not taken up again after it."""
        self.send(signal.SIGUSR1)

    def wait_ready(self):
        self.wait_for(lambda: fcgi.fetch(self.address, "/hello").status == 200, "the plain responder answers")
        return self


@pytest.fixture(scope="session")
def folder():
    """A short path, because Unix sockets live in it."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="leat-hostile-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@contextlib.contextmanager
def starting(make):
    """Yields a function that starts what `make` makes; all of it is stopped at the end."""
    with contextlib.ExitStack() as stack:
        def start(*args, **settings):
            server = make(*args, **settings)
            stack.callback(server.stop)
            return server.wait_ready()
        yield start


def warm_up(testbed):
    """Requests side by side, so that everything that is made once is made."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(fcgi.Connection(testbed.address)) for _ in range(64)]
        for client in clients:
            client.send(fcgi.get("/sleep/50"))
        for client in clients:
            assert client.reply().status == 200


@pytest.fixture(scope="module")
def leat(folder):
    """One warm testbed for the tests of a file."""
    with starting(Testbed) as start:
        testbed = start(tempfile.mkdtemp(dir=folder), header_timeout="2s")
        warm_up(testbed)
        yield testbed


@pytest.fixture
def start_leat(folder):
    """Further testbeds for one test: start_leat(header_timeout="200ms")."""
    with starting(lambda **settings: Testbed(tempfile.mkdtemp(dir=folder), **settings)) as start:
        yield start


@pytest.fixture(scope="session")
def plain_program(folder):
    """The one that `make check` built, or one built here: it needs nothing of leat."""
    built = pathlib.Path(os.environ.get("LEAT_BUILD", ".")) / "tests" / "hostile" / "plain_responder"
    if built.exists():
        return built.resolve()
    program = folder / "plain_responder"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-O2", "-o", program, HERE / "plain_responder.c", "-lfcgi", "-lpthread"], check=True)
    return program


@pytest.fixture
def start_plain(folder, plain_program):
    """Plain responders for one test: start_plain(threads=2)."""
    with starting(lambda threads: Plain(tempfile.mkdtemp(dir=folder), plain_program, threads)) as start:
        yield start
