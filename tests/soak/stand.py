"""stand.py - what stands while the soak runs: two PostgreSQLs in a network of their own, leat, and nginx in front.

One PostgreSQL is the primary; a commit is answered when the other one, its standby, has it too. So a fail-over loses nothing that a
client was told of, and what is missing afterwards is leat's fault. Everything is stopped by its pid.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import tempfile

import servers
import watch
from hole import Hole
from servers import wait_until

ACCOUNTS = 200
BALANCE = 1000

TABLES = f"""
    CREATE ROLE app LOGIN;
    CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL);
    INSERT INTO accounts SELECT n, {BALANCE} FROM generate_series(1, {ACCOUNTS}) n;
    CREATE TABLE ledger (id bigint NOT NULL, place bigint NOT NULL, payer int, payee int, amount bigint);
    CREATE TABLE positive (n bigint CHECK (n > 0));
    CREATE TABLE things (id bigint, name text);
    INSERT INTO things VALUES (1, 'first');
    GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
"""

# A server finds out within seconds that a client is gone, a standby comes back at once, and a deadlock costs little of a deadline.
POSTGRES = {
    "max_connections": 40, "client_connection_check_interval": "100ms", "deadlock_timeout": "50ms", "wal_retrieve_retry_interval": "100ms",
    "tcp_keepalives_idle": 1, "tcp_keepalives_interval": 1, "tcp_keepalives_count": 3, "tcp_user_timeout": "3s",
    "wal_receiver_timeout": "5s", "wal_sender_timeout": "5s", "wal_keep_size": "256MB", "autovacuum_naptime": "10s",
}

LEAT = {
    "processes": 2, "workers": 2, "db_lanes": 2, "db_lent_max": 8, "db_lent_idle_max": 4, "db_connections_max": 20,
    "db_retry_least": "50ms", "db_retry_most": "500ms", "db_connect_timeout": "1s", "db_cancel_grace": "200ms",
    "db_lent_lifetime": "20s", "db_lent_idle_time": "5s", "grace": "3s",
}


class Pair(servers.Postgres):
    """One of two, that can follow the other."""

    def __init__(self, folder, hole, address, primary=None):
        self.hole = hole
        super().__init__(folder, standby_of=primary, launcher=hole.launcher, listen_addresses=address, **POSTGRES)

    def tree(self):
        """The postmaster and its processes."""
        pid = self.server.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def destroy(self):
        """It may stand still, or be down."""
        with contextlib.suppress(OSError):
            for pid in self.tree()[1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.kill(self.server.pid, signal.SIGCONT)
        self.stop(signal.SIGQUIT)

    def follow(self, primary):
        """Becomes the standby of another, from nothing."""
        shutil.rmtree(self.folder / "data")
        self.make_data(primary)
        self.start()

    def is_up(self):
        return self.server.process.poll() is None


class Nginx(servers.Nginx):
    """Its own answers carry a header, and the deadline of reading is near."""

    REPLACED = {
        "add_header Retry-After 1 always;": "add_header Retry-After 1 always; add_header X-Front-Server $upstream_status always;",
        "access_log access.log leat": "access_log off; #",
        "fastcgi_read_timeout 15s": "fastcgi_read_timeout 8s",
    }

    def configure(self, source):
        path = super().configure(source)
        text = path.read_text()
        for old, new in self.REPLACED.items():
            text = text.replace(old, new)
        path.write_text(text)
        return path


class Stand:
    """`postgres` is the primary, `standby` the other."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-soak-"))

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.remove_folder)
            self.folder.chmod(0o755)
            self.start_database(stack)
            self.start_leat(stack)
            self.nginx = Nginx(self.folder / "nginx", self.leat)
            stack.callback(self.nginx.stop)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        self.stack.close()

    def remove_folder(self):
        if not os.environ.get("SOAK_KEEP"):
            shutil.rmtree(self.folder)

    def start_database(self, stack):
        hole = self.hole = Hole(2)
        stack.callback(hole.remove)
        hole.make()
        self.postgres = Pair(self.folder / "one", hole, hole.inside[0])
        stack.callback(self.postgres.destroy)
        self.postgres.run(TABLES)
        with open(self.postgres.folder / "data" / "pg_hba.conf", "a") as rules:
            rules.write(f"host all all {hole.outside}/32 trust\n")
        self.postgres.run("SELECT pg_reload_conf()")
        self.standby = Pair(self.folder / "two", hole, hole.inside[1], self.postgres)
        stack.callback(self.standby.destroy)
        self.await_standby()

    def is_whole(self):
        """The standby follows."""
        return self.postgres.run("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1"

    def await_standby(self):
        """From here on the primary waits for its standby."""
        wait_until(self.is_whole, "the standby follows", 60)
        self.wait_for_standby("*")

    def wait_for_standby(self, names):
        self.postgres.run(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self.postgres.run("SELECT pg_reload_conf()")

    def change_places(self):
        """The standby has taken over; the old primary, which is gone, follows it."""
        self.postgres, self.standby = self.standby, self.postgres
        self.standby.follow(self.postgres)
        self.await_standby()

    def start_leat(self, stack):
        url = f"postgresql://app@{','.join(self.hole.inside)}:{Hole.PORT}/postgres?target_session_attrs=read-write"
        self.leat = servers.Leat(self.folder / "leat", "tests/soak/service", database_url=url, access_log="", **LEAT)
        stack.callback(self.leat.stop)
        self.leat.wait_ready()
        self.leat.wait_for(lambda: self.leat.metric("leat_db_connections") == self.lanes(), "all lanes are connected")
        self.bare_descriptors = max(map(watch.descriptors, self.workers()))

    @staticmethod
    def lanes():
        return LEAT["processes"] * LEAT["workers"] * LEAT["db_lanes"]

    def both(self):
        return self.postgres, self.standby

    def workers(self):
        """The worker processes, the oldest first."""

        def born(pid):
            return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]), pid

        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return [pid for _, pid in sorted(map(born, self.leat.worker_pids()))]
        return []
