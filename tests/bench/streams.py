#!/usr/bin/env python3
"""What many open streams, and a large download or upload of a slow client, cost leat and the other requests.

Use:
    autotools/build build/bench -- all tests/web/surface/surface tests/bench/crowd
    tests/bench/streams.py [STREAMS]        # 5000; three minutes

leat has two workers and stands behind nginx with two; wrk asks for a short reply over two connections, before, beside and between.
Printed are wrk's latencies (medians of the loads; wrk counts a stall for all requests that would have come in it), leat's resident memory,
and what has arrived.
"""

import contextlib
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
os.environ.setdefault("LEAT_BUILD", str(ROOT / "build" / "bench"))
sys.path.insert(0, str(ROOT / "tests" / "web"))

import auth_files  # noqa: E402
import servers  # noqa: E402

SECONDS = 5      # of one load
LOADS = 6        # of each kind
BIG = 1 << 30
RATE = 50 << 20  # bytes a second that the slow client takes, or gives
UNITS = {"us": 0.001, "ms": 1, "s": 1000}


class Nginx(servers.Nginx):
    def configure(self, source):
        target = super().configure(source)
        text = target.read_text().replace("worker_connections 8192", "worker_connections 19000")
        text = text.replace("worker_rlimit_nofile 16384;", "").replace("worker_processes auto", "worker_processes 2")
        target.write_text(servers.with_uploads(text) if target.name == "leat.conf" else text)
        return target


def resident_kib(leat):
    return sum(int(line.split()[1]) for pid in leat.worker_pids()
               for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Rss:"))


def load(front):
    """Milliseconds: the median and the 99th percentile."""
    url = f"http://127.0.0.1:{front.port}/output/header?value=a"
    out = subprocess.run(["wrk", "-t1", "-c2", f"-d{SECONDS}s", "--latency", url], capture_output=True, text=True, check=True).stdout
    times = dict(re.findall(r"(50|99)%\s+(\S+)", out))
    return [float(number) * UNITS[unit] for number, unit in (re.match(r"([\d.]+)(\D+)", times[key]).groups() for key in ("50", "99"))]


def show(what, loads):
    middle = [statistics.median(column) for column in zip(*loads)]
    print(f"{what}: p50 {middle[0]:.2f} ms, p99 {middle[1]:.2f} ms", flush=True)


@contextlib.contextmanager
def publishing(leat):
    """An event a second."""
    is_over = threading.Event()

    def publish():
        while not is_over.wait(1):
            leat.ask("POST", "/output/topics/crowd", b"to all")

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def measure_streams(leat, front, folder, count):
    load(front)
    before = resident_kib(leat)
    show("no streams", [load(front) for _ in range(LOADS)])
    with open(folder / "crowd", "w+") as told:
        crowd = servers.build_folder() / "tests" / "bench" / "crowd"
        process = subprocess.Popen(["nice", crowd, str(front.port), "/output/topics/crowd", str(count)], stdout=told)
        try:
            leat.wait_for(lambda: leat.metric("leat_streams_open") == count, "all streams are open")
            print(f"{count} streams: {(resident_kib(leat) - before) / count:.1f} KiB each")
            idle, busy = [], []
            for _ in range(LOADS):
                idle.append(load(front))
                with publishing(leat):
                    busy.append(load(front))
            show("streams without events", idle)
            show("an event a second for each", busy)
            time.sleep(2)
            begun, events, ended = map(int, (folder / "crowd").read_text().splitlines()[-1].split())
            published = int(leat.metric("leat_events_published_total"))
            print(f"{events - begun} events arrived of {published * count}, {ended} streams ended", flush=True)  # each began with one
        finally:
            process.kill()
            process.wait()


def download(leat, front, path, ret_most):
    """Reads at the rate; what leat holds meanwhile, at most."""
    with socket.create_connection(("127.0.0.1", front.port)) as client:
        client.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        got, looked, began = 0, 0, time.monotonic()
        while piece := client.recv(1 << 18):
            got += len(piece)
            time.sleep(max(0, got / RATE - (time.monotonic() - began)))
            if got - looked > RATE // 10:
                looked = got
                ret_most.append(resident_kib(leat))
    assert got > BIG


def upload(leat, front, path, ret_most):
    """Gives at the rate; what leat holds meanwhile, at most."""
    piece = bytes(1 << 18)
    with socket.create_connection(("127.0.0.1", front.port)) as client:
        client.sendall(f"POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {BIG}\r\n\r\n".encode())
        given, looked, began = 0, 0, time.monotonic()
        while given < BIG:
            client.sendall(piece)
            given += len(piece)
            time.sleep(max(0, given / RATE - (time.monotonic() - began)))
            if given - looked > RATE // 10:
                looked = given
                ret_most.append(resident_kib(leat))
        assert str(BIG) in client.makefile().read()


def measure_beside(leat, front, move, path):
    before, most = resident_kib(leat), []
    thread = threading.Thread(target=move, args=(leat, front, path, most))
    thread.start()
    loads = [load(front) for _ in range(3)]
    thread.join()
    show(f"beside {move.__name__} of 1 GiB, {path.partition('?')[0]}", loads)
    print(f"memory grew by {max(most) - before} KiB")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leat-streams-")))
        folder.chmod(0o755)
        (folder / "files").mkdir()
        with open(folder / "files" / "big", "wb") as big:
            big.truncate(BIG)
        leat = servers.Leat(folder / "leat", "tests/web/surface/surface", env={"SURFACE_FILES": str(folder / "files")}, workers=2,
                            listen_backlog=4096, auth_folder=auth_files.AuthFiles(folder / "keys").folder)
        stack.callback(leat.stop)
        front = Nginx(folder / "front", leat.wait_ready())
        stack.callback(front.stop)
        measure_streams(leat, front, folder, count)
        measure_beside(leat, front, download, f"/output/bytes?count={BIG}")
        measure_beside(leat, front, download, "/output/files/big")
        measure_beside(leat, front, upload, "/upload/stream")


if __name__ == "__main__":
    main()
