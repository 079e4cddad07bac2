#!/usr/bin/python3
"""What sharing brings for a hot key: one query for all who ask at once, beside a query each, and a kept reply.

Use:
    autotools/build build/bench -- all tests/web/surface/surface
    tests/bench/coalesce.py                   # in turns, three rounds; a minute and a half

The routes are those of tests/web/surface/coalesce.c before a real PostgreSQL and nginx: `wrk -t1 -c128` on one key.
"""

import contextlib
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/web"))
os.environ.setdefault("LEAT_BUILD", str(ROOT / "build/bench"))

import auth_files  # noqa: E402
import servers  # noqa: E402
from conftest import stopping  # noqa: E402

ROUNDS, SECONDS, CONNECTIONS = 3, 5, 128
USERS = 10000
QUERIES = {"a count of 10,000 rows": "query", "a row by its primary key": "row"}
WAYS = {"a query each": "-each", "shared": "", "kept for a second": "-kept"}


def load(front, path):
    """Requests a second; a failed request ends the benchmark."""
    said = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", f"http://127.0.0.1:{front.port}{path}"],
        check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"requests to {path} failed:\n{said}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))


def measure(front, leat, query):
    """(requests, queries) a second, the medians of all rounds, by way."""
    seen = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, suffix in WAYS.items():
            before = leat.metric("leat_db_queries_total")
            rate = load(front, f"/coalesce/{query}{suffix}/1")
            seen[way].append((rate, (leat.metric("leat_db_queries_total") - before) / SECONDS))
    return {way: [statistics.median(column) for column in zip(*figures)] for way, figures in seen.items()}


def tell(what, figures):
    base = figures["a query each"][0]
    print(f"| {what} | requests/s | queries/s | ratio |\n| --- | ---: | ---: | ---: |")
    for way, (rate, queries) in figures.items():
        print(f"| {way} | {rate:,.0f} | {queries:,.0f} | {rate / base:.1f} |")
    print(flush=True)


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leat-coalesce-")))
        folder.chmod(0o755)
        keys = auth_files.AuthFiles(folder / "keys")
        postgres = stack.enter_context(stopping(servers.Postgres(folder / "postgres")))
        assert servers.migrate(folder, postgres).returncode == 0
        postgres.run("INSERT INTO users (name, email) SELECT 'User ' || n, 'user' || n || '@example.org' "
                     f"FROM generate_series(1, {USERS}) n; ANALYZE users")
        leat = stack.enter_context(stopping(servers.Leat(
            folder / "leat", "tests/web/surface/surface", database_url=postgres.url, auth_folder=keys.folder)))
        leat.wait_ready()
        leat.wait_for(lambda: leat.ask("GET", "/coalesce/row/1").status == 200, "leat reaches the database")
        front = stack.enter_context(stopping(servers.Nginx(folder / "nginx", leat)))
        for what, query in QUERIES.items():
            tell(what, measure(front, leat, query))


if __name__ == "__main__":
    main()
