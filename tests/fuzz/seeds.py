"""seeds.py - writes the seed corpora of fuzz_gate and fuzz_row: corpus/gate/ and corpus/row/, a file a scene.

Use:
    /usr/bin/python3 tests/fuzz/seeds.py

For the gate the first byte of a file chooses the limits, the second how the rest is cut; for a row the first chooses the column.
See fuzz_gate.c and fuzz_row.c.
"""

import pathlib
import struct
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


def array(oid, *items):
    head = struct.pack("!iiiii", 1, 0, oid, len(items), 1)
    return head + b"".join(struct.pack("!i", len(item)) + item for item in items)


ROWS = {
    "int8": bytes([0]) + struct.pack("!q", -2),
    "text": bytes([6]) + b"text",
    "bytea": bytes([8]) + b"\0\xff",
    "timestamptz": bytes([9]) + struct.pack("!q", 822_000_000_000_000),
    "infinity": bytes([9]) + struct.pack("!q", 2**63 - 1),
    "uuid": bytes([11]) + b"0123456789abcdef",
    "jsonb": bytes([13]) + b"\1{}",
    "int4s": bytes([15]) + array(23, struct.pack("!i", 1), struct.pack("!i", -1)),
    "int8s": bytes([16]) + array(20, struct.pack("!q", 1)),
    "texts": bytes([17]) + array(25, b"", b"a", b"text"),
    "null_element": bytes([17]) + array(25, b"a") + struct.pack("!i", -1),
    "empty_array": bytes([15]) + struct.pack("!iii", 0, 0, 23),
    "two_dimensions": bytes([15]) + struct.pack("!iiiiiii", 2, 0, 23, 1, 1, 1, 1) + struct.pack("!ii", 4, 1),
}


def write(name, scenes):
    folder = HERE / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    for scene, data in scenes.items():
        (folder / scene).write_bytes(data)


def main():
    write("gate", {name: b"\0\7" + scene for name, scene in SCENES.items()})
    write("row", ROWS)


if __name__ == "__main__":
    main()
