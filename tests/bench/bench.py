#!/usr/bin/python3 -B
"""Measures leat beside a canned responder, Gin and fasthttp, behind the same nginx, in one interleaved run.

README.md says what is measured and how. stand.py starts and stops the servers, routes.py says what they are asked for, gauge.py
makes one load, pgbench.py one without a backend.
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
import pgbench
from gauge import ALLOCATORS, Run
from routes import ROUTES, check_reply
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

    with Stand(leat_program(options), options.workers, options.pool) as stand:
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
    option("--database", action="store_true", help="load the routes that ask the database once, often and slowly instead")
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
    names = [name for name in BACKENDS if name in options.backends or not options.backends]
    program = leat_program(options)
    if "leat" in names and not program.exists():
        say(f"leat: skipped, there is no {program} (README.md says how to build it; --build names another folder)")
        names.remove("leat")
    if options.mode is allocations:
        names = [name for name in names if name not in GO_PEERS]
    if options.mode is not speed:
        names = [name for name in names if BACKENDS[name].command]
    return [name for name in names if routes_of(name, options)]


def leat_program(options):
    return options.build / ("tests/bench/service" if options.database else "leat")


def routes_of(name, options):
    return BACKENDS[name].database_routes if options.database else BACKENDS[name].routes


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
        is_served = BACKENDS[name].command is not None
        if is_served:
            stand.start_backend(name, environment)
        for route in routes_of(name, options):
            if is_served:
                check_reply(stand, name, route)
            targets.append((name, route))
    return targets


# Speed


def speed(stand, options):
    targets = sorted(start_backends(stand, options), key=lambda target: list(ROUTES).index(target[1]))
    for name, route in targets:
        load(stand, name, route, 1, options)

    runs = []
    for number in range(options.rounds):
        start = number % len(targets)  # no one is always first
        for name, route in targets[start:] + targets[:start]:
            say(f"round {number + 1} of {options.rounds}: {name} {route}")
            runs.append(quiet_load(stand, name, route, options))
    for title in dict.fromkeys(ROUTES[route].title for _, route in targets):
        of_title = [run for run in runs if ROUTES[run.route].title == title]
        print_case = print_mixed if ROUTES[of_title[0].route].is_paired else print_speed
        print_case(title, of_title)
    return [run._asdict() for run in runs]


def load(stand, name, route, seconds, options):
    if name == pgbench.NAME:
        return pgbench.load(stand, route, seconds)
    return gauge.load(stand, name, route, seconds, options.connections)


def quiet_load(stand, name, route, options):
    """A load while the machine is ours. If it never is, the last attempt has to do."""
    for _ in range(ATTEMPTS):
        run = load(stand, name, route, options.seconds, options)
        say(f"\t{run.rate:,.0f} req/s, {run.cpu_us:.1f} us, others {run.others:.0%} of a core")
        if run.others <= DISTURBED:
            break
    return run


def print_speed(title, runs):
    """One table: medians of the quiet runs of a case, and ratios to what is the measure there."""
    used = quiet(runs)
    medians = {target: median(of_target) for target, of_target in used.items()}
    measures = measures_among(medians.values())

    headings = [f"of {label(measure)}" for measure in measures]
    rows = [("backend", "req/s", *headings, "lowest–highest", "CPU us", *headings, "p50 us", "p99 us", "disturbed")]
    for target, run in medians.items():
        rates = [run.rate for run in used[target]]
        rows.append((
            label(run),
            f"{run.rate:,.0f}", *(f"{run.rate / measure.rate:.2f}" for measure in measures),
            f"{min(rates):,.0f}–{max(rates):,.0f}",
            f"{run.cpu_us:.1f}", *(f"{run.cpu_us / measure.cpu_us:.2f}" for measure in measures),
            f"{run.p50_us:,.0f}", f"{run.p99_us:,.0f}",
            disturbed(run for run in runs if (run.backend, run.route) == target),
        ))
    print_table(title, rows)


def measures_among(medians):
    """The limit, or the fastest Go peer in each way of doing it."""
    fastest = {}
    for run in sorted(medians, key=lambda run: run.rate):
        if run.backend in ("canned", *GO_PEERS):
            fastest[run.route] = run
    limits = [run for run in fastest.values() if run.backend == "canned"]
    return limits or [fastest[route] for route in ROUTES if route in fastest]


def print_mixed(title, runs):
    """One table: latencies of the fast requests alone, without slow ones among them and with."""
    medians = {target: median(of_target) for target, of_target in quiet(runs).items()}
    pairs = [(medians[name, "alone"], medians[name, "mixed"]) for name in BACKENDS if (name, "mixed") in medians]
    measure = max((mixed for _, mixed in pairs if mixed.backend in GO_PEERS), key=lambda run: run.rate, default=None)

    heading = f"of {measure.backend}" if measure else "ratio"
    rows = [("backend", "req/s alone", "mixed", heading, "p50 us alone", "mixed", heading, "p99 us alone", "mixed", heading,
             "of its own alone", "CPU us alone", "mixed", heading, "disturbed")]

    def columns(figure, form, alone, mixed):
        ratio = f"{getattr(mixed, figure) / getattr(measure, figure):.2f}" if measure else "–"
        return form.format(getattr(alone, figure)), form.format(getattr(mixed, figure)), ratio

    for alone, mixed in pairs:
        rows.append((
            alone.backend,
            *columns("rate", "{:,.0f}", alone, mixed),
            *columns("p50_us", "{:,.0f}", alone, mixed),
            *columns("p99_us", "{:,.0f}", alone, mixed), f"{mixed.p99_us / alone.p99_us:.2f}",
            *columns("cpu_us", "{:.1f}", alone, mixed),
            disturbed(run for run in runs if run.backend == alone.backend),
        ))
    print_table(title, rows)


def quiet(runs):
    """The undisturbed runs of each backend and route; the disturbed ones of who has no other."""
    runs_of = collections.defaultdict(list)
    for run in runs:
        runs_of[run.backend, run.route].append(run)
    return {target: [run for run in of_target if run.others <= DISTURBED] or of_target for target, of_target in runs_of.items()}


def disturbed(runs):
    counts = [run.others > DISTURBED for run in runs]
    return f"{sum(counts)} of {len(counts)}"


def label(run):
    variant = ROUTES[run.route].variant
    return f"{run.backend}, {variant}" if variant else run.backend


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
        rows.append((name, route_name(route), f"{calls['all']:.2f}", ", ".join(shown)))
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
        print_allocations(f"{name}, {route_name(route)}: allocations a request", places)
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


def route_name(route):
    return ", ".join(filter(None, (ROUTES[route].title, ROUTES[route].variant)))


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
