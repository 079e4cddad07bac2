"""pgbench.py - one load on PostgreSQL by its own pgbench: what the server gives when no backend is before it.

Use:
    run = load(stand, "users", seconds=4)
    run.requests, run.p99_us

It has as many connections as a Go peer. Like gauge.load it refuses to count failures.
"""

import re
import resource
import signal
import statistics
import subprocess

import gauge
from gauge import Run
from routes import STATEMENTS
from stand import ROWS, Failure, ends_with_us

NAME = "pgbench"

SELECT_USER = f"\\set id random(1, {ROWS})\nSELECT id, name, email FROM users WHERE id = :id;\n"
SELECT_NUMBER = f"\\set id random(1, {ROWS})\nSELECT id, value FROM numbers WHERE id = :id;\n"

SCRIPTS = {
    "users": SELECT_USER,
    "queries-pipelined": "\\startpipeline\n" + SELECT_NUMBER * STATEMENTS + "\\endpipeline\n",
}


def load(stand, route, seconds):
    """A transaction of pgbench counts as a request; the processor time is pgbench's."""
    script = stand.dir / f"{route}.pgbench"
    script.write_text(SCRIPTS[route])
    command = [stand.postgres_program("pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={stand.pool}", "--jobs=2",
               f"--time={seconds}", f"--file={script}", "--log", f"--log-prefix={script}.log", stand.database_url]
    before = clocks()
    done = subprocess.run(ends_with_us(signal.SIGKILL, command), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds + 30)
    after = clocks()

    rate = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    has_failed = not re.search(r"^number of failed transactions: 0 ", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not rate or has_failed:
        raise Failure(f"{NAME} {route} failed:\n{done.stdout}{done.stderr}")
    latencies = take_latencies(stand, script)
    centiles = statistics.quantiles(latencies, n=100, method="inclusive")
    cpu, ours, machine, wall = (now - then for now, then in zip(after, before))
    return Run(NAME, route, len(latencies), float(rate[1]), cpu / len(latencies) * 1e6, centiles[49], centiles[98],
               (machine - ours) / wall)


def take_latencies(stand, script):
    """Of all transactions, in microseconds, from the logs of pgbench's threads, which are removed."""
    latencies = []
    for log in stand.dir.glob(f"{script.name}.log.*"):
        latencies += [int(line.split()[2]) for line in log.read_text().splitlines()]
        log.unlink()
    return latencies


def clocks():
    """In seconds: processor time of children that have ended, of all processes of the benchmark, of the machine; and the time."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime, *gauge.surroundings()
