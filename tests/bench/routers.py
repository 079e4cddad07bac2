#!/usr/bin/python3
"""routers.py - leat's router beside Gin's and httprouter's, in one run on the machine at hand.

Use:
    autotools/build build/bench -- all tests/bench/bench_router
    tests/bench/routers.py [--rounds 5] [NAME...]

Each set of routes in tests/data/routes is asked for once a pass, in 20,001 passes; rounds take turns among the routers. The table
shows the median over the rounds of their median passes, and allocations a route. The Go routers are those of Debian's packages
golang-github-gin-gonic-gin-dev and golang-github-julienschmidt-httprouter-dev.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROUTES = ROOT / "tests" / "data" / "routes"
SETS = ("github", "static", "gplus", "parse")
GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}

# What each is called in the table, and its words for peers/routers.
PEERS = {"Gin": "gin", "httprouter": "httprouter", "httprouter's Lookup": "lookup"}


def build_peer(folder):
    program = folder / "routers"
    subprocess.run(["go", "build", "-o", program, "."], cwd=ROOT / "tests" / "bench" / "peers" / "routers", check=True,
                   env=os.environ | GO | {"GOCACHE": str(folder / "cache")})
    return program


def measure_leat(build, name):
    text = subprocess.run([build / "tests/bench/bench_router", ROUTES / f"{name}.tsv"], check=True, capture_output=True,
                          text=True).stdout
    found = re.search(r"([\d.]+) ns a route .*, (\d+) allocations", text)
    return float(found[1]), float(found[2])


def measure_peer(program, word, name):
    text = subprocess.run([program, word, ROUTES / f"{name}.tsv"], check=True, capture_output=True, text=True).stdout
    median, _, allocations = map(float, text.split())
    return median, allocations


def measure(build, program, name, rounds):
    """{router: (ns a route, allocations a route)}"""
    samples = {"leat": [], **{peer: [] for peer in PEERS}}
    for _ in range(rounds):
        samples["leat"].append(measure_leat(build, name))
        for peer, word in PEERS.items():
            samples[peer].append(measure_peer(program, word, name))
    return {router: tuple(map(statistics.median, zip(*times))) for router, times in samples.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "bench")
    parser.add_argument("sets", nargs="*", default=SETS, metavar="NAME", help=f"of {', '.join(SETS)}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = build_peer(pathlib.Path(folder))
        print("| ns a route (allocations) |", " | ".join(["leat", *PEERS]), "| faster peer / leat |")
        print("| --- |", " | ".join(["---:"] * (2 + len(PEERS))), "|")
        for name in options.sets:
            results = measure(options.build.resolve(), program, name, options.rounds)
            cells = [f"{ns:.1f} ({allocations:.2g})" for ns, allocations in results.values()]
            fastest = min(ns for router, (ns, _) in results.items() if router != "leat")
            print(f"| {name} |", " | ".join(cells), f"| {fastest / results['leat'][0]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
