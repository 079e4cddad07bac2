"""An HTTP server that answers as its path says, faults among them, and remembers what it was asked.

Use:
    with misbehaving.Server() as server:
        ask(server.url("/silent"))
        server.requests            # [("GET", "/silent", {"host": ...}, b""), ...]
        server.open, server.most_open, server.accepted
"""

import contextlib
import socket
import threading
import time

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Probe: yes\r\n\r\n%s"


class Server:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.connections = set()
        self.requests = []
        self.accepted = self.open = self.most_open = 0
        self.release = threading.Event()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.release.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with self.lock:
                    self.connections.add(connection)
                    self.accepted += 1
                    self.open += 1
                    self.most_open = max(self.most_open, self.open)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError):
            reader = connection.makefile("rb")
            while request := self.read(reader):
                with self.lock:
                    self.requests.append(request)
                if not self.answer(connection, *request):
                    break
        with self.lock:
            self.connections.discard(connection)
            self.open -= 1
        connection.close()

    @staticmethod
    def read(reader):
        line = reader.readline()
        if not line:
            return None
        method, path, _ = line.decode().split()
        headers = {}
        while (line := reader.readline().decode().strip()):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return method, path, headers, reader.read(int(headers.get("content-length", 0)))

    def answer(self, connection, method, path, headers, body):
        """Whether the connection goes on."""
        name, _, argument = path.partition("?")
        answer = getattr(self, "do_" + name.strip("/").replace("/", "_"), None)
        if not answer:
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return True
        return answer(connection, argument, method, body)

    # What it does; True: the connection is kept

    def do_ok(self, connection, argument, method, body):
        connection.sendall(REPLY % (2, b"" if method == "HEAD" else b"ok"))
        return True

    def do_echo(self, connection, argument, method, body):
        connection.sendall(REPLY % (len(body), body))
        return True

    def do_status(self, connection, argument, method, body):
        connection.sendall(f"HTTP/1.1 {argument} Any\r\nContent-Length: 0\r\n\r\n".encode())
        return True

    def do_to(self, connection, argument, method, body):
        """?STATUS,LOCATION"""
        status, _, location = argument.partition(",")
        connection.sendall(f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
        return True

    def do_loop(self, connection, argument, method, body):
        return self.do_to(connection, "302,/loop", method, body)

    def do_early(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + REPLY % (2, b"ok"))
        return True

    def do_sized(self, connection, argument, method, body):
        connection.sendall(REPLY % (int(argument), b"x" * int(argument)))
        return True

    def do_chunked(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(int(argument)):
            connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        return True

    def do_endless(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    def do_held(self, connection, argument, method, body):
        self.release.wait(30)
        return self.do_ok(connection, argument, method, body)

    def do_slow(self, connection, argument, method, body):
        time.sleep(int(argument) / 1000)
        return self.do_ok(connection, argument, method, body)

    def do_drip(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not self.release.wait(0.05):
            connection.sendall(b"x")

    def do_silent(self, connection, argument, method, body):
        connection.recv(1)

    def do_cut(self, connection, argument, method, body):
        return False

    def do_cut_in_head(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")

    def do_at_last(self, connection, argument, method, body):
        """?FAULT,COUNT: answers when it was asked more than COUNT times, and before that as FAULT says."""
        fault, _, count = argument.partition(",")
        if sum(1 for request in self.requests if request[1].startswith("/at_last")) > int(count):
            return self.do_ok(connection, "", method, body)
        if fault.isdigit():
            return self.do_status(connection, fault, method, body)
        return getattr(self, f"do_{fault}")(connection, "", method, body)

    def do_short(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    def do_short_chunk(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nshort")

    def do_long(self, connection, argument, method, body):
        connection.sendall(REPLY % (2, b"ok and more than it says"))
        return True

    def do_two_lengths(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!")

    def do_no_number(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok")

    def do_headers(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-More: and more\r\n" * 100)

    def do_long_line(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while True:
            connection.sendall(b"x" * 1000)

    def do_trailers(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n")
        while True:
            connection.sendall(b"X-More: and more\r\n" * 100)

    def do_no_http(self, connection, argument, method, body):
        connection.sendall(b"220 mail.example.org ESMTP\r\n")

    def do_bad_chunk(self, connection, argument, method, body):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n")
