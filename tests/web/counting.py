"""Counts leat's connections while a test runs.

Use:
    with counting([Backends(primary), Backends(standby)], most, figure): ...   # fails if there were lastingly more than 'most'
"""

import contextlib
import threading

import fastcgi
import wire


class Count(threading.Thread):
    """Looks again and again at how many connections there are. A backend that ends is seen for a moment longer than its connection, so
    what counts is what ten looks in a row have in common."""

    LOOKS = 10

    def __init__(self, look):
        super().__init__()
        self.look = look
        self.must_stop = threading.Event()
        self.last = []
        self.looks = 0
        self.most = 0
        self.lasting = 0

    def run(self):
        while not self.must_stop.wait(0.02):
            with contextlib.suppress(OSError, KeyError, fastcgi.Closed):
                self.note(set(self.look()))

    def note(self, seen):
        self.last = [*self.last, seen][-self.LOOKS:]
        self.looks += 1
        self.most = max(self.most, len(seen))
        if len(self.last) == self.LOOKS:
            self.lasting = max(self.lasting, len(set.intersection(*self.last)))


class Backends:
    """The pids of leat's sessions, as the server tells them."""

    def __init__(self, postgres):
        self.postgres = postgres
        self.session = None

    def __call__(self):
        try:
            self.session = self.session or wire.Session(self.postgres)
            return [pid for pid, in self.session.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'leat'")]
        except OSError:  # it is down
            self.close()
            return []

    def close(self):
        if self.session:
            self.session.close()
        self.session = None


@contextlib.contextmanager
def counting(looks, most, tell):
    count = Count(lambda: [(number, one) for number, look in enumerate(looks) for one in look()])
    count.start()
    try:
        yield
    finally:
        count.must_stop.set()
        count.join()
        for look in looks:
            if isinstance(look, Backends):
                look.close()
    tell(f"at most {count.most} connections of {most}, in {count.looks} looks")
    assert count.lasting <= most
