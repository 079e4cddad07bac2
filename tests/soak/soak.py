#!/usr/bin/python3
"""soak.py - random faults under load, for as long as one likes; tells at the end what every request got, and what is wrong.

    tests/soak/soak.py --minutes 10 --seed 1
    tests/soak/soak.py --each                      # each fault once

LEAT_BUILD chooses the build folder, LEAT_TEST_FLAVOUR=asan or tsan tells what it is, SOAK_KEEP=1 leaves logs where they are. The faults
and what is asked come from the seed; when what happens does not.
"""

import argparse
import collections
import contextlib
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "web"))

import faults  # noqa: E402
import verdict  # noqa: E402
from load import Load  # noqa: E402
from servers import FLAVOUR  # noqa: E402
from stand import Stand  # noqa: E402
from watch import Connections, Processes  # noqa: E402

CALM = 0.7  # seconds without trouble, after which all is well again
RECOVERY = 60 if FLAVOUR else 20  # the longest
WARM_UP = 5

Incident = collections.namedtuple("Incident", "names began ended recovered")


class Soak:
    def __init__(self, stand, load, connections, rng):
        self.stand = stand
        self.load = load
        self.mishaps = faults.Mishaps(stand, load, connections, rng)
        self.rng = rng
        self.incidents = []
        self.errors = []
        self.began = time.monotonic()

    def say(self, text):
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", flush=True)

    def run(self, seconds):
        """At random."""
        while time.monotonic() < self.began + seconds and not self.errors:
            self.suffer(faults.choose(self.mishaps))
            time.sleep(self.rng.uniform(0, 1))

    def run_each(self, names):
        for name in names:
            if not self.errors:
                self.suffer([name])

    def suffer(self, names):
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            for name in names[1:]:
                stack.enter_context(self.beside(name))
            try:
                self.mishaps.cause(names[0])
            except Exception:
                self.errors.append(f"{names[0]}: {traceback.format_exc()}")
        ended = time.monotonic()
        recovered = self.await_calm(ended)
        self.incidents.append(Incident(names, began, ended, recovered))
        took = f"well again after {recovered - ended:.1f} s" if recovered else "NOT WELL AGAIN"
        self.say(f"{' and '.join(names)}: {ended - began:.1f} s; {took}; {self.load.count} requests, {self.load.wrong_count} wrong")

    @contextlib.contextmanager
    def beside(self, name):
        """A light one, in a thread of its own. What it wants of a server that is away, it does not get."""

        def cause():
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                self.mishaps.cause(name)

        thread = threading.Thread(target=cause, name=name)
        thread.start()
        yield
        thread.join()

    def await_calm(self, ended):
        """When the last request began that was not answered as usual; None: it does not come to that."""
        limit = ended + RECOVERY
        while time.monotonic() < limit:
            if self.load.calm_since(ended) >= CALM and self.stand.is_whole():
                return max(ended, self.load.troubled)
            time.sleep(0.05)
        self.errors.append("not all requests are answered as usual again: " + self.stand.leat.log()[-3000:])
        return None


def soak(arguments):
    """The verdicts."""
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    with Stand() as stand:
        with Connections(stand) as connections, Processes(stand) as processes:
            with Load(stand.nginx.port, seed) as load:
                run = Soak(stand, load, connections, random.Random(seed))
                if not run.await_calm(run.began + WARM_UP):
                    run.errors.append("it did not begin well")
                elif arguments.each is not None:
                    run.run_each(arguments.each or faults.FAULTS)
                else:
                    run.run(arguments.minutes * 60)
                run.await_calm(time.monotonic())
            return verdict.reach(run, connections, processes)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped, then, too
    parser = argparse.ArgumentParser(description="Random faults under load.")
    parser.add_argument("--minutes", type=float, default=30, help="how long (default 30)")
    parser.add_argument("--seed", type=int, help="of an earlier run")
    parser.add_argument("--each", nargs="*", metavar="fault", help="each fault once, or these, instead of at random for some time")
    verdicts = soak(parser.parse_args())
    failed = sum(not is_good for is_good, _ in verdicts)
    for is_good, text in verdicts:
        print(f"{'passed' if is_good else 'failed'}: {text}")
    print(f"{len(verdicts) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
