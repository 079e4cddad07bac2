"""stand.py - what is measured: PostgreSQL, nginx and the backends, all in one temporary directory.

Use:
    with Stand(leat, workers, pool) as stand:
        stand.start_backend("gin")
        stand.fetch("gin", "/api/hello")

The servers listen on Unix sockets in that directory, and nginx on a port of 127.0.0.1 (stand.port). When the block is left,
by an exception too, every process that was started is stopped by its pid and the directory is removed.
"""

import collections
import contextlib
import glob
import http.client
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ROWS = 100_000  # of each table

NGINX = "/usr/sbin/nginx"
WRK = "/usr/bin/wrk"
PERF = "/usr/bin/perf"
INITDB = "/usr/lib/postgresql/*/bin/initdb"
GOPATH = "/usr/share/gocode"

# A file that must be there (or a pattern for it), and the Debian package that brings it.
SERVER_NEEDS = {NGINX: "nginx", WRK: "wrk", INITDB: "postgresql"}
PERF_NEEDS = {PERF: "linux-perf"}
C_NEEDS = {"/usr/bin/gcc": "gcc", "/usr/include/stdio.h": "libc6-dev"}
GO_NEEDS = {"/usr/bin/go": "golang-go", f"{GOPATH}/src/github.com/jackc/pgx/v4": "golang-github-jackc-pgx-v4-dev"}
GIN_NEEDS = GO_NEEDS | {f"{GOPATH}/src/github.com/gin-gonic/gin": "golang-github-gin-gonic-gin-dev"}
FASTHTTP_NEEDS = GO_NEEDS | {f"{GOPATH}/src/github.com/valyala/fasthttp": "golang-github-valyala-fasthttp-dev"}

Reply = collections.namedtuple("Reply", "status content_type body")


class Failure(Exception):
    """What ends the benchmark, in words for its user."""


# The backends. Each function builds what has to be built and returns the command that serves the name's socket.


def canned_command(stand):
    return [stand.compile("canned", "canned.c"), stand.socket("canned")]


def leat_command(stand):
    return [
        stand.leat, "serve",
        "--set", f"listen=unix:{stand.socket('leat')}",
        "--set", f"admin_listen=unix:{stand.dir}/admin.sock",
        "--set", f"database_url={stand.database_url}",
        "--set", f"workers={stand.workers}",
    ]


def gin_command(stand):
    return go_command(stand, "gin")


def fasthttp_command(stand):
    return go_command(stand, "fasthttp")


def go_command(stand, name):
    program = stand.compile_go(name)
    return [program, "-socket", stand.socket(name), "-database", stand.database_url, "-pool", str(stand.pool)]


# A backend answers to some routes, and to others when it is about the database. One without a command is not started.
Backend = collections.namedtuple("Backend", "command routes database_routes needs")

LEAT_DATABASE = ("users", "queries-pipelined", "updates-pipelined", "updates-tx", "alone", "mixed")
GO_DATABASE = ("users", "queries", "queries-batch", "updates", "updates-batch", "alone", "mixed")

BACKENDS = {
    "canned": Backend(canned_command, ("hello",), (), C_NEEDS),
    "leat": Backend(leat_command, ("hello", "users"), LEAT_DATABASE, {}),
    "gin": Backend(gin_command, ("hello", "users"), GO_DATABASE, GIN_NEEDS),
    "fasthttp": Backend(fasthttp_command, ("hello", "users"), GO_DATABASE, FASTHTTP_NEEDS),
    "pgbench": Backend(None, (), ("users", "queries-pipelined"), {}),
}
GO_PEERS = ("gin", "fasthttp")


class Stand:
    def __init__(self, leat, workers, pool):
        """The program on leat, its number of workers, and the database connections of each Go peer."""
        self.leat = leat
        self.workers = workers
        self.pool = pool
        self.port = unused_port()
        self.backends = {}  # name: process

    def __enter__(self):
        with contextlib.ExitStack() as self.cleanup:
            self.dir = pathlib.Path(tempfile.mkdtemp(prefix="leat-bench-"))
            self.cleanup.callback(shutil.rmtree, self.dir)
            self.dir.chmod(0o755)  # PostgreSQL's user passes through
            self.start_postgres()
            self.start_nginx()
            self.cleanup = self.cleanup.pop_all()
        return self

    def __exit__(self, *exception):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.cleanup.close()

    def socket(self, name):
        return str(self.dir / f"{name}.sock")

    # Backends

    def start_backend(self, name, environment=None):
        """Returns when the backend answers through nginx, from the database if it has one."""
        command = BACKENDS[name].command(self)
        path = "/api/users/1" if "users" in BACKENDS[name].routes else "/api/hello"
        self.backends[name] = self.start(name, command, env=os.environ | (environment or {}))
        self.wait_for(name, self.backends[name], lambda: self.fetch(name, path).status == 200)

    def counting_allocations(self):
        """The environment that puts alloc_count.c in front of a backend."""
        library = self.compile("alloc_count.so", "alloc_count.c", "-shared", "-fPIC")
        return {"LD_PRELOAD": library, "ALLOC_COUNT_FILE": str(self.dir / "allocations")}

    def fetch(self, name, path):
        """Asks a backend once, through nginx. The reply's status is 0 when nginx does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers={"Host": name})
            reply = connection.getresponse()
            return Reply(reply.status, reply.getheader("Content-Type"), reply.read())
        except OSError:
            return Reply(0, None, b"")
        finally:
            connection.close()

    # PostgreSQL

    @property
    def database_url(self):
        return f"postgresql://postgres@/postgres?host={self.dir}/postgres"

    def start_postgres(self):
        """A server of our own with the tables. It refuses to be root: there it runs as the user postgres."""
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        data = self.dir / "postgres"
        data.mkdir()
        if user:
            shutil.chown(data, "postgres", "postgres")

        self.run([self.postgres_program("initdb"), "-D", data, "--username=postgres", "--auth=trust", "--locale=C.UTF-8"], **user)
        server = self.start(
            "postgresql",
            [self.postgres_program("postgres"), "-D", data, "-k", data, "-c", "listen_addresses=", "-c", "fsync=off"],
            stop_signal=signal.SIGINT, **user)
        is_ready = [self.postgres_program("pg_isready"), "-q", "-d", self.database_url]
        self.wait_for("postgresql", server, lambda: subprocess.run(is_ready).returncode == 0)
        self.run([self.postgres_program("psql"), "-v", "ON_ERROR_STOP=1", "-v", f"rows={ROWS}", "-f", HERE / "tables.sql",
                  self.database_url])

    @staticmethod
    def postgres_program(name):
        return pathlib.Path(max(glob.glob(INITDB))).parent / name

    # nginx

    def start_nginx(self):
        words = {
            "@DIR@": self.dir,
            "@PORT@": self.port,
            "@USER@": pwd.getpwuid(os.geteuid()).pw_name,
            "@PARAMS@": ROOT / "deploy" / "nginx" / "leat_params",
        }
        text = (HERE / "nginx.conf.in").read_text()
        for word, value in words.items():
            text = text.replace(word, str(value))
        conf = self.dir / "nginx.conf"
        conf.write_text(text)
        server = self.start("nginx", [NGINX, "-e", "stderr", "-c", conf])
        self.wait_for("nginx", server, lambda: self.fetch("canned", "/").status != 0)

    # Programs

    def compile(self, name, source, *flags):
        program = self.dir / name
        self.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", *flags, "-o", program, HERE / source])
        return str(program)

    def compile_go(self, name):
        program = self.dir / name
        self.run(["go", "build", "-o", program, HERE / "peers" / name / "main.go"],
                 env=os.environ | {"GOPATH": GOPATH, "GO111MODULE": "off"})
        return str(program)

    def run(self, command, **settings):
        """Runs a command to its end. What it printed is told when it fails."""
        done = subprocess.run(command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, **settings)
        if done.returncode != 0:
            raise Failure(f"{command[0]} failed:\n{done.stdout}")

    def start(self, name, command, stop_signal=signal.SIGTERM, **settings):
        """Starts a server, its output in NAME.log. It has a session of its own, so that a Ctrl-C reaches us alone."""
        with open(self.dir / f"{name}.log", "wb") as log:
            process = subprocess.Popen(ends_with_us(stop_signal, command), cwd=self.dir, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, start_new_session=True, **settings)
        self.cleanup.callback(stop, process, stop_signal)
        return process

    def wait_for(self, name, process, is_ready):
        has_come = wait_until(lambda: process.poll() is not None or is_ready())
        if not has_come or process.returncode is not None:
            log = (self.dir / f"{name}.log").read_text(errors="replace")
            raise Failure(f"{name} did not come up:\n{log}")


def ends_with_us(stop_signal, command):
    """The command made such that it gets the signal when its parent dies, however it dies."""
    return ["setpriv", "--pdeathsig", stop_signal.name.removeprefix("SIG"), *command]


def stop(process, stop_signal):
    process.send_signal(stop_signal)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(is_so, seconds=20):
    limit = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
