"""fcgi.py - FastCGI by hand: records as bytes, and a client that sends what it likes and reads strictly.

Use:
    with Connection(address) as connection:
        connection.send(get("/hello", id=1, keep=True))
        reply = connection.reply(id=1)
        assert reply.status == 200

The functions that build records are pure and check nothing: wrong records are what the tests want. Reading checks
everything: versions, types, ids, the order of records, the end of streams. Every wait has a time limit.
"""

import fcntl
import json
import socket
import struct
import termios
import time

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR, DATA = range(1, 9)
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = 9, 10, 11
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
REQUEST_COMPLETE, CANT_MPX_CONN, OVERLOADED, UNKNOWN_ROLE = range(4)

MOST_CONTENT = 65535
PATIENCE = 5.0  # seconds a reply may take, where a test does not say otherwise


class ProtocolError(AssertionError):
    """The peer broke the FastCGI specification."""


class Closed(ProtocolError):
    """The peer closed the connection, or reset it, where something was expected."""


# Records.


def record(type, id, content=b"", padding=0, version=1):
    """`padding` is a number of zeros, or the very bytes."""
    padding = bytes(padding)
    return struct.pack(">BBHHBx", version, type, id, len(content), len(padding)) + content + padding


def begin(id=1, role=RESPONDER, keep=True, padding=0):
    return record(BEGIN_REQUEST, id, struct.pack(">HB5x", role, 1 if keep else 0), padding)


def length(size):
    return struct.pack(">B", size) if size < 128 else struct.pack(">I", size | 1 << 31)


def to_bytes(text):
    return text if isinstance(text, bytes) else str(text).encode()


def pair(name, value):
    name, value = to_bytes(name), to_bytes(value)
    return length(len(name)) + length(len(value)) + name + value


def pairs(items):
    return b"".join(pair(name, value) for name, value in dict(items).items())


def stream(type, id, content, most=MOST_CONTENT, padding=0):
    """The content in records of at most `most` bytes, and the empty record that ends it."""
    parts = [content[at:at + most] for at in range(0, len(content), most)] + [b""]
    return b"".join(record(type, id, part, padding) for part in parts)


def request(params, body=b"", id=1, keep=True):
    """A whole request, as nginx sends it."""
    return begin(id, keep=keep) + stream(PARAMS, id, pairs(params)) + stream(STDIN, id, body)


def http_params(method, uri, body_size=None, **more):
    """The parameters that nginx's fastcgi_params makes of an HTTP request, the needed ones."""
    path, _, query = uri.partition("?")
    return {
        "REQUEST_METHOD": method, "REQUEST_URI": uri, "SCRIPT_NAME": path, "DOCUMENT_URI": path, "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_TYPE": "" if body_size is None else "text/plain",
        "CONTENT_LENGTH": "" if body_size is None else body_size,
        "HTTP_HOST": "localhost", **more,
    }


def get(uri, id=1, keep=True, **more):
    return request(http_params("GET", uri, **more), id=id, keep=keep)


def post(uri, body, id=1, keep=True, **more):
    return request(http_params("POST", uri, len(body), **more), body, id=id, keep=keep)


def get_values(*names):
    return record(GET_VALUES, 0, b"".join(pair(name, b"") for name in names))


def read_pairs(content):
    result, at = [], 0
    while at < len(content):
        sizes = []
        for _ in range(2):
            if content[at] < 128:
                sizes.append(content[at])
                at += 1
            else:
                sizes.append(struct.unpack_from(">I", content, at)[0] & 0x7FFFFFFF)
                at += 4
        name, value = content[at:at + sizes[0]], content[at + sizes[0]:at + sum(sizes)]
        at += sum(sizes)
        if at > len(content):
            raise ProtocolError("a name-value pair is cut off")
        result.append((name.decode(), value.decode()))
    return result


# Replies.


class Record:
    def __init__(self, type, id, content):
        self.type, self.id, self.content = type, id, content

    def __repr__(self):
        return f"Record(type={self.type}, id={self.id}, {self.content[:60]!r})"


class Reply:
    """A CGI response (RFC 3875, 6) with how FastCGI ended it."""

    def __init__(self, stdout, stderr, app_status, protocol_status):
        self.stderr, self.app_status, self.protocol_status = stderr, app_status, protocol_status
        self.status, self.headers, self.body = None, {}, b""
        if protocol_status == REQUEST_COMPLETE:
            self._read_response(stdout)

    def _read_response(self, stdout):
        head, blank, self.body = stdout.partition(b"\r\n\r\n")
        if not blank:
            raise ProtocolError(f"no end of headers in {stdout[:200]!r}")
        for line in head.decode("latin-1").split("\r\n"):
            name, colon, value = line.partition(":")
            if not colon:
                raise ProtocolError(f"no header: {line!r}")
            self.headers[name.lower()] = value.strip()
        self.status = int(self.headers.pop("status", "200").split()[0])

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"Reply({self.status}, {self.body[:60]!r}, protocol_status={self.protocol_status})"


class Connection:
    """A FastCGI client. `address` is the path of a Unix socket or a (host, port)."""

    def __init__(self, address, patience=PATIENCE):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.patience = patience
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(patience)
        try:
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Leaves without a goodbye: what was received is not read."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed("closed while being sent to") from error

    def send_regardless(self, data):
        """Sends what the peer will take; it may close whenever it likes."""
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def trickle(self, data, pause=0.0, size=1):
        for at in range(0, len(data), size):
            self.send(data[at:at + size])
            if pause:
                time.sleep(pause)

    def is_read(self):
        """The peer has taken all that was sent (Unix sockets)."""
        unread = fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4))
        return struct.unpack("i", unread)[0] == 0

    def end_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _read(self, size, deadline):
        data = bytearray()
        while len(data) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"got {len(data)} of {size} bytes")
            self.socket.settimeout(left)
            try:
                part = self.socket.recv(size - len(data))
            except (ConnectionResetError, BrokenPipeError) as error:
                raise Closed("reset") from error
            except socket.timeout as error:
                raise TimeoutError(f"got {len(data)} of {size} bytes") from error
            finally:
                self.socket.settimeout(self.patience)
            if not part:
                raise Closed(f"closed after {len(data)} of {size} bytes")
            data += part
        return bytes(data)

    def record(self, within=None):
        """The next record. Raises Closed or TimeoutError when none comes."""
        deadline = time.monotonic() + (within or self.patience)
        header = self._read(8, deadline)
        version, type, id, size, padding = struct.unpack(">BBHHBx", header)
        if version != 1:
            raise ProtocolError(f"version {version} in {header!r}")
        if type not in (END_REQUEST, STDOUT, STDERR, GET_VALUES_RESULT, UNKNOWN_TYPE):
            raise ProtocolError(f"type {type} in {header!r}")
        content = self._read(size + padding, deadline)[:size]
        return Record(type, id, content)

    def reply(self, id=1, within=None, aside=None):
        """The records of one request up to its END_REQUEST. Management records go to the list `aside`, if given."""
        deadline = time.monotonic() + (within or self.patience)
        streams, ended = {STDOUT: bytearray(), STDERR: bytearray()}, set()
        while True:
            got = self.record(max(deadline - time.monotonic(), 0.001))
            if got.id == 0 and aside is not None:
                aside.append(got)
                continue
            if got.id != id:
                raise ProtocolError(f"{got} in the reply to request {id}")
            if got.type == END_REQUEST:
                break
            if got.type not in streams or got.type in ended:
                raise ProtocolError(f"{got} does not belong here")
            streams[got.type] += got.content
            if not got.content:
                ended.add(got.type)
        app_status, protocol_status = struct.unpack(">IB3x", got.content)
        if protocol_status == REQUEST_COMPLETE and STDOUT not in ended:
            raise ProtocolError("END_REQUEST before the end of STDOUT")
        return Reply(bytes(streams[STDOUT]), bytes(streams[STDERR]), app_status, protocol_status)

    def values(self, within=None):
        """The content of a GET_VALUES_RESULT."""
        got = self.record(within)
        if got.type != GET_VALUES_RESULT or got.id != 0:
            raise ProtocolError(f"{got} instead of GET_VALUES_RESULT")
        return read_pairs(got.content)

    def is_silent(self, seconds):
        """Nothing comes in this time, not even the end of the connection."""
        try:
            got = self.record(seconds)
        except TimeoutError:
            return True
        except Closed:
            return False
        raise ProtocolError(f"unexpected {got}")

    def assert_closed(self, within=None):
        """The peer closes, and sends nothing before that."""
        try:
            got = self.record(within)
        except Closed:
            return
        except TimeoutError as error:
            raise AssertionError("the connection is still open") from error
        raise ProtocolError(f"unexpected {got}")


def fetch(address, uri, within=PATIENCE, body=None):
    """One request on a connection of its own, that is not kept."""
    with Connection(address, patience=within) as connection:
        connection.send(get(uri, keep=False) if body is None else post(uri, body, keep=False))
        reply = connection.reply(within=within)
        connection.assert_closed(within)
        return reply
