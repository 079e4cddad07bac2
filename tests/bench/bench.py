#!/usr/bin/python3 -B
"""Measures leat beside a canned responder, Gin and fasthttp, behind the same nginx, in one interleaved run.

README.md says what is measured and how. stand.py starts and stops the servers, gauge.py makes one load.
"""

import argparse
import collections
import glob
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys

import gauge
from gauge import ALLOCATORS, ROUTES, Run
from stand import BACKENDS, C_NEEDS, GO_PEERS, PERF_NEEDS, ROOT, SERVER_NEEDS, Failure, Stand


DISTURBED = 0.15  # of a core used by others: the load is made again,
ATTEMPTS = 4      # up to so many times


def main():
    options = parse_arguments()
    options.backends = measurable(options)
    needs = needed(options)
    check_packages(needs)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))

    with Stand(options.build, options.workers, options.pool) as stand:
        figures = options.mode(stand, options)
    about = about_machine(needs)
    print(f"\n{about['processor']}, {about['cores']} cores, Linux {about['kernel']}; {', '.join(about['packages'])}")
    if options.json:
        document = {"machine": about, "options": vars(options) | {"mode": options.mode.__name__}, "figures": figures}
        pathlib.Path(options.json).write_text(json.dumps(document, indent="\t", default=str) + "\n")


def parse_arguments():
    parser = argparse.ArgumentParser(usage="%(prog)s [OPTION...] [BACKEND...]", description=__doc__.splitlines()[0])
    option = parser.add_argument
    option("backends", nargs="*", metavar="BACKEND", help=f"{', '.join(BACKENDS)}; all when none is named")
    option("--build", default=os.environ.get("LEAT_BUILD", ROOT / "build" / "bench"), metavar="DIR",
           help="where leat was built (%(default)s, or LEAT_BUILD)")
    option("--workers", default=os.cpu_count(), type=int, metavar="N", help="leat's workers (%(default)s)")
    option("--pool", default=6, type=int, metavar="N", help="database connections of a Go peer (%(default)s)")
    option("--rounds", default=5, type=int, metavar="N", help="loads of each backend and route (%(default)s)")
    option("--seconds", default=4, type=int, metavar="N", help="length of a load (%(default)s)")
    option("--connections", default=32, type=int, metavar="N", help="wrk's connections (%(default)s)")
    option("--json", metavar="FILE", help="write the figures there as well")
    option("--syscalls", dest="mode", action="store_const", const=syscalls, default=speed,
           help="count system calls a request instead (as root)")
    option("--allocations", dest="mode", action="store_const", const=allocations,
           help="count memory allocations a request instead (canned and leat)")
    options = parser.parse_args()
    options.build = pathlib.Path(options.build).resolve()
    for name in options.backends:
        if name not in BACKENDS:
            parser.error(f"there is no backend {name}; there are {', '.join(BACKENDS)}")
    return options


# What is asked for, and whether it can be had


def measurable(options):
    names = options.backends or list(BACKENDS)
    if "leat" in names and not (options.build / "leat").exists():
        say(f"leat: skipped, there is no {options.build}/leat (autotools/build builds it; --build names another folder)")
        names.remove("leat")
    if options.mode is allocations:
        names = [name for name in names if name not in GO_PEERS]
    return names


def needed(options):
    of_mode = {speed: {}, syscalls: PERF_NEEDS, allocations: C_NEEDS}
    return collections.ChainMap(SERVER_NEEDS, of_mode[options.mode], *(BACKENDS[name].needs for name in options.backends))


def check_packages(needs):
    missing = sorted({package for pattern, package in needs.items() if not glob.glob(pattern)})
    if missing:
        raise Failure("packages are missing: apt-get install --no-install-recommends " + " ".join(missing))


def about_machine(needs):
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    names = [line.partition(": ")[2] for line in cpuinfo.splitlines() if line.startswith("model name")]
    packages = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *sorted(set(needs.values()))],
                              capture_output=True, text=True)
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "packages": packages.stdout.splitlines(),
    }


def start_backends(stand, options, environment=None):
    """Starts all that is measured. Returns the pairs of backend and route to load."""
    targets = []
    for name in options.backends:
        stand.start_backend(name, environment)
        for route in BACKENDS[name].routes:
            gauge.check_reply(stand, name, route)
            targets.append((name, route))
    return targets


# Speed


def speed(stand, options):
    targets = start_backends(stand, options)
    for name, route in targets:
        gauge.load(stand, name, route, 1, options.connections)

    runs = []
    for number in range(options.rounds):
        start = number % len(targets)  # no one is always first
        for name, route in targets[start:] + targets[:start]:
            say(f"round {number + 1} of {options.rounds}: {name} {route}")
            runs.append(quiet_load(stand, name, route, options))
    for route in dict.fromkeys(route for _, route in targets):
        print_speed(route, [run for run in runs if run.route == route])
    return [run._asdict() for run in runs]


def quiet_load(stand, name, route, options):
    """A load while the machine is ours. If it never is, the last attempt has to do."""
    for _ in range(ATTEMPTS):
        run = gauge.load(stand, name, route, options.seconds, options.connections)
        say(f"\t{run.rate:,.0f} req/s, {run.cpu_us:.1f} us, others {run.others:.0%} of a core")
        if run.others <= DISTURBED:
            break
    return run


def print_speed(route, runs):
    """One table: medians of the quiet runs on a route, and ratios to the backend that is the measure there."""
    runs_of = {name: [run for run in runs if run.backend == name] for name in BACKENDS}
    quiet = {name: [run for run in of_name if run.others <= DISTURBED] or of_name for name, of_name in runs_of.items()}
    medians = {name: median(used) for name, used in quiet.items() if used}
    peers = [medians[name] for name in GO_PEERS if name in medians]
    measure = medians.get("canned") or max(peers, key=lambda run: run.rate, default=None)

    heading = f"of {measure.backend}" if measure else "ratio"
    rows = [("backend", "req/s", heading, "lowest–highest", "CPU us", heading, "p50 us", "p99 us", "disturbed")]
    for name, run in medians.items():
        rates = [run.rate for run in quiet[name]]
        disturbed = sum(run.others > DISTURBED for run in runs_of[name])
        rows.append((
            name,
            f"{run.rate:,.0f}", f"{run.rate / measure.rate:.2f}" if measure else "–",
            f"{min(rates):,.0f}–{max(rates):,.0f}",
            f"{run.cpu_us:.1f}", f"{run.cpu_us / measure.cpu_us:.2f}" if measure else "–",
            f"{run.p50_us:,.0f}", f"{run.p99_us:,.0f}",
            f"{disturbed} of {len(runs_of[name])}",
        ))
    print_table(ROUTES[route].title, rows)


def median(runs):
    """A Run of the medians of each figure."""
    backend, route, *figures = zip(*runs)
    return Run(backend[0], route[0], *map(statistics.median, figures))


# System calls


def syscalls(stand, options):
    figures = []
    rows = [("backend", "route", "calls a request", "of these")]
    for name, route in start_backends(stand, options):
        say(f"{name} {route}")
        gauge.load(stand, name, route, 1, options.connections)
        calls = gauge.count_syscalls(stand, name, route, options.seconds, options.connections)
        figures.append({"backend": name, "route": route, "calls": calls})
        shown = [f"{call} {count:.2f}" for call, count in calls.items() if call != "all" and count >= 0.005]
        rows.append((name, ROUTES[route].title, f"{calls['all']:.2f}", ", ".join(shown)))
    print_table("System calls", rows)
    return figures


# Memory allocations


def allocations(stand, options):
    figures = []
    for name, route in start_backends(stand, options, stand.counting_allocations()):
        say(f"{name} {route}")
        places = gauge.count_allocations(stand, name, route, options.seconds, options.connections)
        figures += [{"backend": name, "route": route, "module": module, "place": place, **calls}
                    for (module, place), calls in places.items()]
        print_allocations(f"{name}, {ROUTES[route].title}: allocations a request", places)
    return figures


def print_allocations(title, places):
    """One table: each module with its sum, then its places that are not met by chance alone."""
    modules = collections.defaultdict(collections.Counter)
    for (module, _), calls in places.items():
        modules[module].update(calls)

    rows = [("module", "place", *ALLOCATORS)]
    for module in sorted(modules):
        rows.append((module, "all", *figures_of(modules[module])))
        rows += [("", place, *figures_of(calls)) for (owner, place), calls in sorted(places.items())
                 if owner == module and max(calls.values()) >= 0.005]
    print_table(title, rows if modules else rows + [("none", "", *figures_of({}))])


def figures_of(calls):
    return [f"{calls.get(allocator, 0):.2f}" for allocator in ALLOCATORS]


# Words


def say(text):
    print(text, file=sys.stderr, flush=True)


def print_table(title, rows):
    heading, *rest = rows
    print(f"\n### {title}\n")
    for row in [heading, ["---"] * len(heading), *rest]:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bench.py: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
