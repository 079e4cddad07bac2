"""wire.py - a session on PostgreSQL by its protocol, for tests that hold many, or ask often.

Use:
    with Session(postgres) as session:
        rows = session.query("SELECT pid FROM pg_stat_activity")     # [["17"], ["18"]]

Only trust, on the Unix socket; only simple queries.
"""

import socket
import struct


class Refused(OSError):
    """What PostgreSQL says instead of an answer."""


class Session:
    def __init__(self, postgres, user="postgres"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.left_over = b""
        try:
            self.socket.connect(f"{postgres.folder}/.s.PGSQL.5432")
            words = b"".join(word.encode() + b"\0" for word in ("user", user, "database", "postgres", "application_name", "test"))
            self.socket.sendall(struct.pack(">II", len(words) + 9, 0x30000) + words + b"\0")
            self.rows()
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.socket.close()

    def read(self, size):
        while len(self.left_over) < size:
            more = self.socket.recv(65536)
            if not more:
                raise Refused("PostgreSQL has closed the connection")
            self.left_over += more
        taken, self.left_over = self.left_over[:size], self.left_over[size:]
        return taken

    def rows(self):
        """What comes until the server is ready for the next query."""
        rows = []
        while True:
            kind, size = struct.unpack(">cI", self.read(5))
            content = self.read(size - 4)
            if kind == b"E":
                raise Refused(content.replace(b"\0", b" ").decode(errors="replace"))
            if kind == b"D":
                rows.append(self.columns(content))
            elif kind == b"Z":
                return rows

    @staticmethod
    def columns(content):
        count, at, columns = struct.unpack_from(">H", content)[0], 2, []
        for _ in range(count):
            size = struct.unpack_from(">i", content, at)[0]
            columns.append(content[at + 4:at + 4 + max(size, 0)].decode() if size >= 0 else None)
            at += 4 + max(size, 0)
        return columns

    def query(self, sql):
        text = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack(">I", len(text) + 4) + text)
        return self.rows()
