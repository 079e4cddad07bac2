"""fastcgi.py - a front server's side of FastCGI, for tests that need to be closer to leat than nginx is.

Use:
    with Connection("/run/leat.sock") as connection:
        reply = connection.ask("GET", "/hello")        # one request, one reply; the connection is kept
        connection.send("GET", "/sleep/1000")          # or in two halves
        reply = connection.receive()

Only the web server's role and request id 1 are spoken, as nginx does.
"""

import collections
import socket
import struct

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
RESPONDER, KEEP_CONN = 1, 1
HEADER = struct.Struct(">BBHHBx")

Reply = collections.namedtuple("Reply", "status headers body")


def record(kind, content=b"", request_id=1):
    return HEADER.pack(1, kind, request_id, len(content), 0) + content


def stream(kind, content):
    """The content in records of at most 32 KiB, and the empty one that ends it."""
    pieces = [content[at:at + 32768] for at in range(0, len(content), 32768)]
    return b"".join(record(kind, piece) for piece in pieces + [b""])


def parameters(values):
    def size(text):
        return bytes([len(text)]) if len(text) < 128 else struct.pack(">I", len(text) | 0x80000000)

    pairs = [(name.encode(), value.encode()) for name, value in values.items()]
    return b"".join(size(name) + size(value) + name + value for name, value in pairs)


def request(method, uri, body=b"", keep=True, **more):
    """The bytes of a whole request; `more` are further parameters, such as HTTP_ACCEPT."""
    values = {"REQUEST_METHOD": method, "REQUEST_URI": uri, "REMOTE_ADDR": "192.0.2.1"}
    if body:
        values |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json"}
    begin = struct.pack(">HB5x", RESPONDER, KEEP_CONN if keep else 0)
    return record(BEGIN_REQUEST, begin) + stream(PARAMS, parameters(values | more)) + stream(STDIN, body)


def parse_reply(text):
    head, _, body = text.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n"))
    return Reply(int(headers.pop("Status", "200")[:3]), headers, body)


def connect(address, timeout=10):
    """`address` is a path, or (host, port)."""
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout)
    sock = socket.socket(socket.AF_UNIX)
    # A blocking socket waits for room in the listener's queue; one with a timeout of Python's would fail instead.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", timeout, 0))
    try:
        sock.connect(str(address))
    except OSError:
        sock.close()
        raise
    sock.settimeout(timeout)
    return sock


class Closed(Exception):
    """leat closed the connection before the reply was complete."""


class Connection:
    def __init__(self, address, timeout=10):
        self.socket = connect(address, timeout)
        self.left_over = b""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, method, uri, body=b"", **more):
        self.socket.sendall(request(method, uri, body, **more))

    def read(self, size):
        while len(self.left_over) < size:
            more = self.socket.recv(65536)
            if not more:
                raise Closed
            self.left_over += more
        taken, self.left_over = self.left_over[:size], self.left_over[size:]
        return taken

    def receive(self):
        stdout = []
        while True:
            _, kind, _, length, padding = HEADER.unpack(self.read(HEADER.size))
            content = self.read(length + padding)[:length]
            if kind == STDOUT:
                stdout.append(content)
            elif kind == END_REQUEST:
                return parse_reply(b"".join(stdout))

    def ask(self, method, uri, body=b"", **more):
        self.send(method, uri, body, **more)
        return self.receive()

    def is_closed(self):
        """Waits for the other end to close; False when it sends something instead."""
        return self.socket.recv(1) == b""


def ask(address, method, uri, body=b"", **more):
    """One request on a connection of its own, which leat is asked to close."""
    with Connection(address) as connection:
        return connection.ask(method, uri, body, keep=False, **more)
