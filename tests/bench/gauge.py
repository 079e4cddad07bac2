"""gauge.py - one load on one backend, and what can be read off meanwhile.

Use:
    run = load(stand, "gin", "hello", seconds=4, connections=32)
    run.requests, run.cpu_us, run.p99_us

A load is bounded in time and refuses to count failures: a request that fails ends the benchmark.
"""

import collections
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

from routes import ROUTES
from stand import HERE, PERF, WRK, Failure, ends_with_us, wait_until

# One load: requests a second, processor time of the backend for one request, latencies; and what processes that have no
# part in the benchmark used meanwhile, in processor seconds a second.
Run = collections.namedtuple("Run", "backend route requests rate cpu_us p50_us p99_us others")

TICKS = os.sysconf("SC_CLK_TCK")

# The system calls counted by name: few, because perf pays for each in every thread. TOTAL counts all.
TOTAL = "raw_syscalls:sys_enter"
SYSCALLS = (
    "read", "readv", "recvfrom", "recvmsg", "write", "writev", "sendto", "sendmsg", "epoll_wait", "epoll_pwait",
    "epoll_ctl", "poll", "futex", "nanosleep", "clock_nanosleep", "sched_yield", "timerfd_settime", "madvise",
)

# What alloc_count.c counts, in the order of its lines.
ALLOCATORS = ("malloc", "calloc", "realloc", "free", "aligned")


def load(stand, name, route, seconds, connections, under=()):
    """Loads a backend with wrk, which may be run under another command."""
    wanted = ROUTES[route]
    threads = connections if wanted.is_paired else 2
    wrk = [
        WRK, f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "-H", f"Host: {name}", "-s", HERE / "load.lua",
        f"http://127.0.0.1:{stand.port}{wanted.path}", "--", *wanted.arguments,
    ]
    before = clocks(stand, name)
    done = subprocess.run([*under, *ends_with_us(signal.SIGKILL, wrk)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=seconds + 30)
    if done.returncode != 0:
        raise Failure(f"{done.args[0]} failed: {done.stderr}")
    after = clocks(stand, name)

    seen = json.loads(done.stdout.splitlines()[-1])
    requests = seen["requests"]
    if requests == 0 or seen["errors"] > 0:
        raise Failure(f"{name} {route}: {requests} requests were answered and {seen['errors']} failed")
    cpu, ours, machine, wall = (now - then for now, then in zip(after, before))
    return Run(name, route, requests, requests / seen["seconds"], cpu / requests * 1e6, seen["p50_us"], seen["p99_us"],
               (machine - ours) / wall)


def clocks(stand, name):
    """In seconds: processor time of the backend, of all processes of the benchmark, of the machine; and the time."""
    return cpu_seconds(stand.backends[name].pid), *surroundings()


def surroundings():
    """What 'clocks' tells of the world around a backend."""
    return cpu_seconds(os.getpid()), machine_seconds(), time.monotonic()


def cpu_seconds(pid):
    """Used so far by a process, its descendants, and the children they have waited for."""
    ticks = 0
    for process in processes_of(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it may just have ended
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
            ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / TICKS


def machine_seconds():
    """Used so far by anyone, what the host took from a virtual machine included."""
    user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = pathlib.Path("/proc/stat").read_text().split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq, steal))) / TICKS


def processes_of(pid):
    """The process and all its descendants."""
    yield pid
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from processes_of(int(child))


def count_syscalls(stand, name, route, seconds, connections):
    """Returns {system call: calls for one request} during a load, with the keys "all" and "other".

    By perf, not strace: strace slows a backend to a fraction of its speed, so that more connections are ready at each
    epoll_wait and its share comes out too small.
    """
    file = stand.dir / "syscalls"
    events = [TOTAL] + [f"syscalls:sys_enter_{call}" for call in SYSCALLS]
    pids = map(str, processes_of(stand.backends[name].pid))
    perf = [PERF, "stat", "-x,", "-o", file, "-e", ",".join(events), "-p", ",".join(pids), "--"]
    run = load(stand, name, route, seconds, connections, under=perf)

    rows = [line.split(",") for line in file.read_text().splitlines() if "sys_enter" in line]
    calls = {row[2].removeprefix("syscalls:sys_enter_"): int(row[0]) / run.requests for row in rows}
    everything = calls.pop(TOTAL)
    return {"all": everything, **calls, "other": everything - sum(calls.values())}


def count_allocations(stand, name, route, seconds, connections):
    """Returns {(module, place): {allocator: calls for one request}} during a load, after a warm-up.

    The backend must have been started with Stand.counting_allocations.
    """
    load(stand, name, route, 1, connections)
    print_allocations(stand, name)
    run = load(stand, name, route, seconds, connections)

    places = collections.defaultdict(collections.Counter)
    for line in print_allocations(stand, name):
        *counts, module, offset, function = line.split()
        for allocator, count in zip(ALLOCATORS, counts, strict=True):
            places[module, f"{function} ({offset})"][allocator] += int(count) / run.requests
    return places


def print_allocations(stand, name):
    """Has every process of a backend print its counts, which sets them to zero. Returns their lines."""
    lines = []
    for process in processes_of(stand.backends[name].pid):
        file = stand.dir / f"allocations.{process}"
        at = file.stat().st_size if file.exists() else 0
        os.kill(process, signal.SIGUSR2)
        if not wait_until(lambda: file.exists() and "# end" in file.read_text()[at:]):
            raise Failure(f"{name}: process {process} does not print its allocations")
        lines += [line for line in file.read_text()[at:].splitlines() if not line.startswith("#")]
    return lines
