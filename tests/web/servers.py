"""servers.py - the programs under test and around it: PostgreSQL, leat, nginx, lighttpd, each in a folder of its own.

Every server is stopped by its own stop(), by its pid; nothing else on the machine is touched. The front servers run with the
very files of deploy/, in which only the sockets, the port and the user are replaced.
"""

import contextlib
import glob
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

import fastcgi

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
IDEMPOTENCY_TABLE = DEPLOY / "share" / "idempotency.sql"
FLAVOUR = os.environ.get("LEAT_TEST_FLAVOUR", "")
PATIENCE = 60 if FLAVOUR else 15


def build_folder():
    folder = pathlib.Path(os.environ.get("LEAT_BUILD", ROOT / "build" / "dev"))
    if not (folder / "leat").exists():
        raise FileNotFoundError(f"{folder}/leat is not built: use tests/run, or set LEAT_BUILD to a build folder")
    return folder


def wait_until(condition, what, seconds=PATIENCE):
    """Waits for condition() to be true and returns its value; a refused connection counts as not yet."""
    limit = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, fastcgi.Closed, http.client.HTTPException):
            value = condition()
            if value:
                return value
        if time.monotonic() > limit:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def unused_port(family=socket.AF_INET):
    with socket.socket(family) as probe:
        probe.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def stopped(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def all_stopped(postgres):
    """A machine that hangs: what runs there says nothing any more, and takes connections without answering."""
    pid = postgres.server.pid
    return stopped(pid, *map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def is_running(pid):
    """Whether a process is there and not merely waiting to be reaped."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


class Server:
    """A process in the background; what it prints goes to NAME.log in its folder."""

    def __init__(self, name, folder, command, stop_signal=signal.SIGTERM, **settings):
        self.name = name
        self.folder = pathlib.Path(folder)
        self.log_file = self.folder / f"{name}.log"
        self.stop_signal = stop_signal
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=settings.pop("stdin", subprocess.DEVNULL), stdout=log, stderr=log,
                cwd=self.folder, **settings)
        self.pid = self.process.pid

    def log(self):
        return self.log_file.read_text(errors="replace")

    def wait_for(self, condition, what):
        def is_met():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with status {self.process.returncode}:\n{self.log()}")
            return condition()

        try:
            return wait_until(is_met, what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self.name} says:\n{self.log()}") from None

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=PATIENCE):
        return self.process.wait(seconds)

    def stop(self):
        """Asks the process to end, insists after a while, and returns its exit status."""
        if self.process.poll() is None:
            self.send(self.stop_signal)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.wait()


class Postgres:
    """A PostgreSQL of our own, reached by its Unix socket. It refuses to run as root, so root becomes its user.

    `settings` are its settings; `standby_of` makes it a standby of another one; `launcher`, words in front of its command line,
    have to do without our change of user: see AS_POSTGRES.
    """

    AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")

    def __init__(self, folder, standby_of=None, launcher=(), **settings):
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self.programs = pathlib.Path(max(glob.glob("/usr/lib/postgresql/*/bin/initdb"))).parent
        self.launcher = launcher
        self.settings = {"listen_addresses": "", "fsync": "off", "max_connections": 60} | settings
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        if self.user:
            shutil.chown(self.folder, "postgres", "postgres")
        self.url = f"postgresql://postgres@/postgres?host={self.folder}&port={self.settings.get('port', 5432)}"
        self.make_data(standby_of)
        self.start()

    def make_data(self, primary):
        if primary:
            command = ["pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", "-d", primary.url]
        else:
            command = ["initdb", "--username=postgres", "--auth=trust", "--locale=C.UTF-8"]
        subprocess.run(
            [self.programs / command[0], "-D", self.folder / "data", "--no-sync", *command[1:]],
            check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.user)

    def start(self):
        settings = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        self.server = Server(
            "postgres", self.folder,
            [*self.launcher, self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *settings],
            stop_signal=signal.SIGINT, **({} if self.launcher else self.user))
        self.server.wait_for(
            lambda: subprocess.run([self.programs / "pg_isready", "-q", "-d", self.url]).returncode == 0,
            "PostgreSQL accepts connections")

    def stop(self, number=signal.SIGINT):
        """SIGINT: it ends its sessions, and then itself. SIGQUIT: as if it had crashed."""
        self.server.stop_signal = number
        return self.server.stop()

    def run(self, sql):
        """Runs SQL and returns what psql prints: a line a row, columns separated by |."""
        return subprocess.run(
            [self.programs / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, self.url],
            check=True, capture_output=True, text=True, cwd="/").stdout.strip()

    @contextlib.contextmanager
    def locked(self, table):
        """Holds a table so that nobody can read it, until the block is left."""
        holder = subprocess.Popen(
            [self.programs / "psql", "-Xq", self.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
        try:
            holder.stdin.write(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n\\echo held\n")
            holder.stdin.flush()
            assert holder.stdout.readline() == "held\n"
            yield
        finally:
            holder.communicate("ROLLBACK;\n")


class Database:
    """One more database of a Postgres."""

    def __init__(self, postgres, name):
        self.psql = [postgres.programs / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1"]
        self.url = f"postgresql://postgres@/{name}?host={postgres.folder}"

    def run(self, sql):
        return subprocess.run(
            [*self.psql, "-c", sql, self.url], check=True, capture_output=True, text=True, cwd="/").stdout.strip()

    @contextlib.contextmanager
    def session(self, sql):
        """A session that has run this and stays until the block is left."""
        holder = subprocess.Popen([*self.psql, self.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
        try:
            holder.stdin.write(f"{sql};\n\\echo held\n")
            holder.stdin.flush()
            while holder.stdout.readline() not in ("held\n", ""):
                pass
            yield
        finally:
            holder.communicate()


class Leat(Server):
    """leat, or another program on libleat. `settings` are its settings; `launcher` stands in front of the command line."""

    def __init__(self, folder, program="leat", launcher=(), env=None, launch=None, **settings):
        folder = pathlib.Path(folder)
        folder.mkdir(exist_ok=True)
        self.socket = folder / "leat.sock"
        self.admin = folder / "admin.sock"
        self.access_log = folder / "access.log"
        self.settings = {
            "listen": f"unix:{self.socket}",
            "admin_listen": f"unix:{self.admin}",
            "access_log": self.access_log,
            "workers": 2,
        } | settings
        words = [f"{name}={value}" for name, value in self.settings.items()]
        command = [*launcher, build_folder() / program, "serve", *(part for word in words for part in ("--set", word))]
        super().__init__("leat", folder, command, env=os.environ | (env or {}), **(launch or {}))

    def wait_ready(self, address=None):
        """Waits until the front listener answers; any status will do."""
        self.wait_for(lambda: fastcgi.ask(address or self.socket, "GET", "/"), "leat answers")
        return self

    def connect(self, timeout=10):
        return fastcgi.Connection(self.socket, timeout)

    def ask(self, method, uri, body=b"", **more):
        return fastcgi.ask(self.socket, method, uri, body, **more)

    def metrics(self):
        """{'leat_requests_total{code="2xx"}': 12.0, ...}"""
        lines = fastcgi.ask(self.admin, "GET", "/metrics").body.decode().splitlines()
        samples = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def metric(self, name):
        return self.metrics()[name]

    def wait_metric(self, name, value):
        self.wait_for(lambda: self.metric(name) == value, f"{name} is {value}")

    def worker_pids(self):
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sorted(int(pid) for pid in children if is_running(int(pid)))

    def resident_bytes(self):
        """Memory of the worker processes that is theirs alone and in use."""
        total = 0
        for pid in self.worker_pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Dirty:", "Private_Clean:", "Shared_Dirty:")):
                    total += int(line.split()[1]) * 1024
        return total

    def access_lines(self):
        return [json.loads(line) for line in self.access_log.read_text().splitlines()]


def migrate(folder, postgres):
    """`leat migrate` with the migrations of deploy/sql."""
    return subprocess.run(
        [build_folder() / "leat", "migrate", "--set", f"database_url={postgres.url}", "--set", f"migrations={DEPLOY / 'sql'}"],
        cwd=folder, capture_output=True, text=True)


class Front:
    """A front server for one leat, with the configuration of deploy/ on a port of its own."""

    def __init__(self, folder, leat):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.leat = leat
        self.port = unused_port()
        self.server = Server(self.name, self.folder, self.command())
        self.server.wait_for(lambda: self.ask("GET", "/").status, f"{self.name} answers")

    def configure(self, source):
        """Copies a file of deploy/ with this test's sockets, port and user."""
        text = (DEPLOY / source).read_text()
        words = {
            "/run/leat": str(self.leat.folder),
            "127.0.0.1:8080": f"127.0.0.1:{self.port}",
            "server.port = 8080": f"server.port = {self.port}",
            "user www-data;": f"user {pwd.getpwuid(os.geteuid()).pw_name};",
        }
        for word, value in words.items():
            text = text.replace(word, value)
        target = self.folder / pathlib.Path(source).name
        target.write_text(text)
        return target

    def stop(self):
        return self.server.stop()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method, path, body=None, headers=None):
        """One request on a connection of its own. A body that is no text or bytes is sent as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return HttpReply(reply.status, dict(reply.getheaders()), reply.read())


class HttpReply(fastcgi.Reply):
    @property
    def json(self):
        return json.loads(self.body)


def with_uploads(text):
    """A front server's configuration in which its example for uploads is in force."""
    found = re.search(r"^\t?#[^\n]*/upload/.*?^\t?#\}\n", text, re.MULTILINE | re.DOTALL)
    return text.replace(found[0], re.sub(r"^(\t?)#", r"\1", found[0], flags=re.MULTILINE))


class Nginx(Front):
    name = "nginx"

    def command(self):
        for source in ("leat.conf", "leat_params"):
            self.configure(f"nginx/{source}")
        return ["/usr/sbin/nginx", "-p", self.folder, "-c", self.configure("nginx/nginx.conf")]


class Lighttpd(Front):
    name = "lighttpd"

    def command(self):
        return ["/usr/sbin/lighttpd", "-D", "-f", self.configure("lighttpd/lighttpd.conf")]
