"""seeds.py - writes the seed corpus of fuzz_gate: corpus/gate/, a file a scene.

Use:
    /usr/bin/python3 tests/fuzz/seeds.py

The first byte of a file chooses the limits, the second how the rest is cut; see fuzz_gate.c.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "hostile"))

import fcgi  # noqa: E402

ALL_VALUES = fcgi.get_values("FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS")

SCENES = {
    "hello": fcgi.get("/hello"),
    "post": fcgi.post("/echo", b"x" * 300, keep=False),
    "pipelined": fcgi.get("/hello", id=1) + fcgi.get("/hello", id=2),
    "questions": ALL_VALUES + fcgi.begin() + ALL_VALUES + fcgi.get_values(*["FCGI_MAX_CONNS"] * 5),
    "lengths": fcgi.begin() + fcgi.record(fcgi.PARAMS, 1, fcgi.pair("N" * 130, "v" * 128) + b"\x80\0\0\1\x80\0\0\2nvv"),
    "huge_length": fcgi.begin() + fcgi.record(fcgi.PARAMS, 1, b"\xff\xff\xff\xfe\x01xxxx"),
    "split_pairs": fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs({"A": "b", "LONG": "v" * 200}), 7, padding=1)
    + fcgi.stream(fcgi.STDIN, 1, b"body", 1),
    "strays": fcgi.record(fcgi.STDIN, 7, b"late") + fcgi.begin(1) + fcgi.begin(2) + fcgi.record(99, 0, b"what")
    + fcgi.record(fcgi.PARAMS, 2) + fcgi.stream(fcgi.PARAMS, 1, fcgi.pair("A", "b"))
    + fcgi.record(fcgi.STDIN, 1, padding=3),
    "padded_ends": fcgi.begin(padding=9) + fcgi.stream(fcgi.PARAMS, 1, fcgi.pair("A", "b"), padding=8)
    + fcgi.stream(fcgi.STDIN, 1, b"body", padding=255),
    "abort": fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, b"") + fcgi.record(fcgi.ABORT_REQUEST, 1),
    "role": fcgi.begin(role=fcgi.FILTER),
    "bad_bytes": fcgi.begin() + fcgi.record(fcgi.PARAMS, 1, fcgi.pair("GOOD", "yes") + fcgi.pair("A=B", "n\0")),
    "http": b"GET / HTTP/1.0\r\n\r\n",
}


def main():
    folder = HERE / "corpus" / "gate"
    folder.mkdir(parents=True, exist_ok=True)
    for name, scene in SCENES.items():
        (folder / name).write_bytes(b"\0\7" + scene)


if __name__ == "__main__":
    main()
