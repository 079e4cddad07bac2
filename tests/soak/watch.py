"""watch.py - counts connections, descriptors and memory while the soak runs.

Use:
    with Connections(stand) as connections, Processes(stand) as processes: ...
    connections.most, connections.lasting          # at once, in one look; and in all looks of a second
    connections.forgive(pids)                      # backends that could not notice that their client was gone
    processes.lives[pid]                           # Samples of a worker process
"""

import collections
import contextlib
import os
import pathlib
import statistics
import threading
import time

import wire

LOOK_PAUSE = 0.05
LASTING = 1.0  # seconds
SAMPLE_PAUSE = 1.0

Sample = collections.namedtuple("Sample", "moment memory descriptors")


class Watch(threading.Thread):
    """Looks again and again, until the block is left."""

    def __init__(self, stand, pause):
        super().__init__(name=type(self).__name__)
        self.stand = stand
        self.pause = pause
        self.must_stop = threading.Event()
        self.error = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.must_stop.set()
        self.join()

    def run(self):
        try:
            while not self.must_stop.wait(self.pause):
                self.look()
        except Exception as error:  # told at the end
            self.error = error


class Connections(Watch):
    """leat's sessions, as both servers tell them. A backend that ends is seen for a moment longer than its connection, so what counts is
    what all looks of a second have in common."""

    SQL = "SELECT pid, coalesce(client_port, -1) FROM pg_stat_activity WHERE application_name = 'leat' AND pid <> pg_backend_pid()"

    def __init__(self, stand):
        super().__init__(stand, LOOK_PAUSE)
        self.sessions = {}
        self.seen = {}  # postgres: {pid: client's port}
        self.forgiven = set()
        self.looks = collections.deque()
        self.count = self.most = self.lasting = 0
        self.lasting_at = 0.0

    def look(self):
        for postgres in self.stand.both():
            self.seen[postgres] = dict(self.ask(postgres))
        now = time.monotonic()
        pids = {pid for seen in self.seen.values() for pid in seen}
        self.forgiven &= pids
        counted = pids - self.forgiven
        self.count += 1
        self.most = max(self.most, len(counted))
        self.looks.append((now, counted))
        while self.looks[0][0] < now - LASTING:
            self.looks.popleft()
        if len(self.looks) >= LASTING / LOOK_PAUSE / 4:
            lasting = len(set.intersection(*(counted for _, counted in self.looks)))
            if lasting > self.lasting:
                self.lasting, self.lasting_at = lasting, now

    def ask(self, postgres):
        try:
            if postgres not in self.sessions:
                self.sessions[postgres] = wire.Session(postgres)
            return [(int(pid), int(port)) for pid, port in self.sessions[postgres].query(self.SQL)]
        except OSError:  # it is down, or stands still
            session = self.sessions.pop(postgres, None)
            if session:
                session.close()
            return []

    def now(self, postgres):
        """{pid: client's port} of the last look."""
        return dict(self.seen.get(postgres, {}))

    def forgive(self, pids):
        self.forgiven |= set(pids)

    def __exit__(self, *exception):
        super().__exit__(*exception)
        for session in self.sessions.values():
            session.close()


def resident_bytes(pid):
    """What is the process's own, and in use."""
    total = 0
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(("Private_Dirty:", "Private_Clean:", "Shared_Dirty:")):
            total += int(line.split()[1]) * 1024
    return total


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Processes(Watch):
    def __init__(self, stand):
        super().__init__(stand, SAMPLE_PAUSE)
        self.lives = collections.defaultdict(list)

    def look(self):
        for pid in self.stand.workers():
            with contextlib.suppress(OSError):
                self.lives[pid].append(Sample(time.monotonic(), resident_bytes(pid), descriptors(pid)))


def fifths(samples, get):
    """A life in five parts: the median of each."""
    size = len(samples) // 5
    return [statistics.median(map(get, samples[at * size:(at + 1) * size])) for at in range(5)]
