"""faults.py - what goes wrong, at random but for a short time. The list at the end names them all.

Use:
    mishaps = Mishaps(stand, load, connections, rng)
    mishaps.cause("restart, fast")                 # returns when it is over, before anybody has recovered
"""

import collections
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time

import wire
from hole import Hole
from servers import is_running, wait_until
from stand import LEAT

OURS = "application_name = 'leat'"


@contextlib.contextmanager
def stopped(pids):
    """Processes that stand still until the block is left."""
    try:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class Mishaps:
    def __init__(self, stand, load, connections, rng):
        self.stand = stand
        self.load = load
        self.connections = connections
        self.rng = rng
        self.killed = 0  # worker processes that ended because of us
        self.killed_at = -1e9
        self.columns = itertools.count(1)

    def cause(self, name):
        FAULTS[name].cause(self)

    def pause(self, least, most):
        time.sleep(self.rng.uniform(least, most))

    def forgive_all(self):
        for postgres in self.stand.both():
            self.connections.forgive(self.connections.now(postgres))

    # Backends

    def terminate(self):
        for _ in range(self.rng.randint(1, 4)):
            self.stand.postgres.run(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS} ORDER BY random() LIMIT {self.rng.randint(1, 4)}")
            self.pause(0, 0.3)

    def terminate_all(self):
        self.stand.postgres.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}")

    def kill_backend(self):
        """PostgreSQL takes that for a crash, and starts all anew."""
        pids = list(self.connections.now(self.stand.postgres))
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.rng.choice(pids), signal.SIGKILL)
        self.pause(0, 0.2)
        self.await_postgres()

    def await_postgres(self):
        def answers():
            with contextlib.suppress(subprocess.CalledProcessError):
                return self.stand.postgres.run("SELECT 1") == "1"

        wait_until(answers, "PostgreSQL answers", 30)

    def stop_backends(self):
        pids = list(self.connections.now(self.stand.postgres))
        chosen = self.rng.sample(pids, min(len(pids), self.rng.randint(1, 3)))
        self.connections.forgive(chosen)
        with stopped(chosen):
            self.pause(0.5, 3)

    # Servers

    def restart(self, how):
        self.stand.postgres.stop(how)
        self.pause(0, 1.5)
        self.stand.postgres.start()

    def restart_fast(self):
        self.restart(signal.SIGINT)

    def restart_immediate(self):
        self.restart(signal.SIGQUIT)

    def stand_still(self):
        self.forgive_all()
        with stopped(self.stand.postgres.tree()):
            self.pause(0.3, 3)

    def stop_postmaster(self):
        with stopped([self.stand.postgres.server.pid]):
            self.terminate_some_by_signal()
            self.pause(0.5, 3)

    def terminate_some_by_signal(self):
        pids = list(self.connections.now(self.stand.postgres))
        for pid in self.rng.sample(pids, min(len(pids), 3)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def fill(self):
        """Others take every place that the server has."""
        sessions = []
        try:
            limit = time.monotonic() + self.rng.uniform(0.5, 2)
            while time.monotonic() < limit:
                self.terminate()
                with contextlib.suppress(OSError):
                    while True:
                        sessions.append(wire.Session(self.stand.postgres, "app"))
        finally:
            for session in sessions:
                session.close()

    def fail_over(self):
        """The primary ends in good order."""
        stand = self.stand
        stand.postgres.stop()
        self.pause(0, 0.5)
        stand.standby.run("SELECT pg_promote()")
        stand.change_places()

    def fail_over_frozen(self):
        """The primary says nothing any more, and is done away with later."""
        stand = self.stand
        self.forgive_all()
        with stopped(stand.postgres.tree()):
            self.pause(0, 0.5)
            stand.standby.run("SELECT pg_promote()")
            self.pause(0.5, 2)
            self.forgive_all()
            stand.postgres.destroy()
        stand.change_places()

    def refuse_writes(self):
        postgres = self.stand.postgres
        postgres.run("ALTER SYSTEM SET default_transaction_read_only = on")
        postgres.run("SELECT pg_reload_conf()")
        self.pause(0.3, 1.5)
        postgres.run("ALTER SYSTEM RESET default_transaction_read_only")
        postgres.run("SELECT pg_reload_conf()")

    def lose_standby(self):
        """Commits wait; those whose backend ends meanwhile have happened, and nobody is told."""
        self.stand.standby.stop(signal.SIGINT)
        for _ in range(3):
            self.pause(0.1, 0.5)
            self.terminate_all()
        self.stand.standby.start()

    # The network

    def ways(self):
        return self.rng.choice((("in",), ("out",), Hole.BOTH_WAYS))

    def swallow_all(self):
        self.forgive_all()
        with self.stand.hole.swallowing(ways=self.ways()):
            self.pause(0.3, 3)
            self.forgive_all()

    def swallow_new(self):
        with self.stand.hole.swallowing(Hole.NEW_ONES, ("in",)):
            self.terminate()
            self.pause(0.3, 3)

    def swallow_half(self):
        """Half of the connections there are; new ones work."""
        seen = self.connections.now(self.stand.postgres)
        chosen = self.rng.sample(sorted(seen), len(seen) // 2)
        if chosen:
            self.connections.forgive(chosen)
            with self.stand.hole.swallowing(Hole.of_ports({seen[pid] for pid in chosen}), self.ways()):
                self.pause(0.5, 3)

    # Statements whose ground moves

    def alter(self):
        for _ in range(self.rng.randint(1, 4)):
            column = f"extra_{next(self.columns)}"
            self.stand.postgres.run(f"ALTER TABLE things ADD {column} int")
            self.pause(0, 0.2)
            self.stand.postgres.run(f"ALTER TABLE things DROP {column}")

    def forget(self):
        for _ in range(self.rng.randint(2, 8)):
            with contextlib.suppress(OSError):
                self.stand.nginx.ask("POST", self.rng.choice(("/discard", "/deallocate", "/deallocate/lent")), b"")

    def lock(self):
        with self.stand.postgres.locked(self.rng.choice(("accounts", "ledger", "things"))):
            self.pause(0.2, 2.5)

    # leat and nginx

    def end_worker(self, how):
        """The youngest: the eldest lives as long as the soak."""
        workers = self.stand.workers()
        self.killed += 1
        self.killed_at = time.monotonic()
        os.kill(workers[-1], how)
        wait_until(lambda: not is_running(workers[-1]), "the worker process has ended", 30)
        self.await_workers()

    def await_workers(self):
        wait_until(lambda: len(self.stand.workers()) == LEAT["processes"], "the next worker process runs", 30)

    def kill_worker(self):
        self.end_worker(signal.SIGKILL)

    def crash_worker(self):
        self.end_worker(signal.SIGSEGV)

    def retire_worker(self):
        self.end_worker(signal.SIGTERM)

    def stop_worker(self):
        with stopped([self.rng.choice(self.stand.workers())]):
            self.pause(0.1, 0.5)

    def reload(self):
        for number in (signal.SIGHUP, signal.SIGUSR1):
            self.stand.leat.send(number)
            self.pause(0, 0.2)

    def reload_nginx(self):
        self.stand.nginx.server.send(signal.SIGHUP)
        self.pause(0.2, 0.5)

    # Others on the machine

    def hog(self):
        """More than there are processors."""
        hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() + 1)]
        try:
            self.pause(0.5, 2)
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()

    def leave(self):
        for _ in range(self.rng.randint(1, 20)):
            self.load.leave(self.rng.uniform(0.1, 1))
            self.pause(0, 0.1)


# weight: how often; is_light: it may come at the same time as another; rest: seconds to the next of those that have one
Fault = collections.namedtuple("Fault", "weight cause is_light rest", defaults=[False, 0])

FAULTS = {
    "backends terminated": Fault(8, Mishaps.terminate, True),
    "all backends terminated": Fault(4, Mishaps.terminate_all, True),
    "a backend killed": Fault(2, Mishaps.kill_backend),
    "backends stopped": Fault(5, Mishaps.stop_backends),
    "restart, fast": Fault(4, Mishaps.restart_fast),
    "restart, immediate": Fault(4, Mishaps.restart_immediate),
    "server stands still": Fault(5, Mishaps.stand_still),
    "postmaster stands still": Fault(3, Mishaps.stop_postmaster),
    "server full": Fault(4, Mishaps.fill),
    "fail-over": Fault(2, Mishaps.fail_over),
    "fail-over, frozen primary": Fault(2, Mishaps.fail_over_frozen),
    "writes refused": Fault(3, Mishaps.refuse_writes),
    "standby lost": Fault(4, Mishaps.lose_standby),
    "black hole": Fault(5, Mishaps.swallow_all),
    "black hole for new connections": Fault(4, Mishaps.swallow_new),
    "black hole for half": Fault(5, Mishaps.swallow_half),
    "tables altered": Fault(4, Mishaps.alter, True),
    "prepared statements dropped": Fault(4, Mishaps.forget, True),
    "table locked": Fault(4, Mishaps.lock),
    "worker process killed": Fault(3, Mishaps.kill_worker, False, 65),
    "worker process crashed": Fault(3, Mishaps.crash_worker, False, 65),
    "worker process asked to end": Fault(3, Mishaps.retire_worker, False, 65),
    "worker process stopped": Fault(3, Mishaps.stop_worker),
    "HUP and USR1": Fault(2, Mishaps.reload, True),
    "nginx reloaded": Fault(3, Mishaps.reload_nginx, True),
    "processors busy": Fault(4, Mishaps.hog, True),
    "clients left": Fault(4, Mishaps.leave, True),
}

# The pauses before a worker process starts again double, unless it has lived for a minute: those that end one wait for that.


def choose(mishaps):
    """One fault, or one and a light one that comes at the same time."""
    now = time.monotonic()
    names = [name for name, fault in FAULTS.items() if now - mishaps.killed_at >= fault.rest]
    first, = mishaps.rng.choices(names, [FAULTS[name].weight for name in names])
    light = [name for name, fault in FAULTS.items() if fault.is_light and name != first]
    return [first] if mishaps.rng.random() < 0.7 else [first, mishaps.rng.choice(light)]
