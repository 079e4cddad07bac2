"""load.py - clients that ask without end, by HTTP/1.1 on connections they keep, and keep account of every answer.

Use:
    with Load(port, seed) as load:                 # a thread with an event loop of its own
        load.count                                 # answers so far
        load.calm_since(moment)                    # how long all has been as without faults, of what began after the moment
        load.leave(0.5)                            # half of those who wait go away
    load.tally, load.wrong, load.told              # see below

What is wrong is kept as words: an answer that nobody may get, none within the time, one that is not this request's.
"""

import asyncio
import collections
import contextlib
import itertools
import random
import threading
import time

import kinds

CLIENTS = 24
PAUSE = 0.02  # the longest of a client between two requests
PATIENCE = 25  # then a request has no answer
UNAVAILABLE = {503, 504}
LEAVING = 0.005  # of all clients, at any time
WRONG_MOST = 100  # that are kept as words

Answer = collections.namedtuple("Answer", "status headers body")


class Left(Exception):
    """The client went away."""


class Closed(Exception):
    """nginx closed the connection before the first byte of an answer."""


class Client:
    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None
        self.is_used = False

    async def ask(self, ask):
        if not self.writer:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            self.is_used = False
        try:
            head = f"{ask.method} {ask.path} HTTP/1.1\r\nHost: soak\r\n"
            if ask.method == "POST":
                head += f"Content-Type: application/json\r\nContent-Length: {len(ask.body)}\r\n"
            self.writer.write(head.encode() + b"\r\n" + ask.body)
            answer = await self.receive()
        except BaseException:
            self.close()
            raise
        self.is_used = True
        if answer.headers.get("connection") == "close":
            self.close()
        return answer

    async def receive(self):
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            if getattr(error, "partial", b""):
                raise
            raise Closed from None
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        try:
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body_size = int(headers["content-length"])  # leat tells it always
        except (KeyError, ValueError):
            raise ValueError(f"no head as expected: {head!r}") from None
        body = await self.reader.readexactly(body_size)
        return Answer(int(first.split()[1]), headers, body)

    def close(self):
        if self.writer:
            self.writer.transport.abort()
        self.reader = self.writer = None


class Load(threading.Thread):
    def __init__(self, port, seed):
        super().__init__(name="load")
        self.port = port
        self.rng = random.Random(seed)
        self.numbers = itertools.count(1)
        self.must_stop = False
        self.waiting = set()
        self.count = 0
        self.tally = collections.Counter()  # (kind, status or what happened instead)
        self.told = {}  # id: its request, for those of which a client was told that they have happened
        self.writes = {}  # id: its request, for all that write
        self.wrong = collections.deque(maxlen=WRONG_MOST)
        self.wrong_count = 0
        self.disturbed = []  # (began, ended) of answers by nginx itself, and of connections that it closed
        self.late = []  # seconds past the deadline, of each 504
        self.latest = (0, "")  # seconds past the deadline, of any answer
        self.troubled = 0.0  # when the last request that was not answered as usual had begun
        self.loop = None
        self.is_under_way = threading.Event()

    def __enter__(self):
        self.start()
        self.is_under_way.wait()
        return self

    def __exit__(self, *exception):
        self.must_stop = True
        self.join()

    def run(self):
        asyncio.run(self.run_clients())

    async def run_clients(self):
        self.loop = asyncio.get_running_loop()
        self.is_under_way.set()
        await asyncio.gather(*(self.run_client() for _ in range(CLIENTS)))

    async def run_client(self):
        client = Client(self.port)
        while not self.must_stop:
            await asyncio.sleep(self.rng.uniform(0, PAUSE))
            await self.ask_once(client)
        client.close()

    # One request

    async def ask_once(self, client):
        ask = kinds.draw(self.rng, next(self.numbers))
        if ask.rows:
            self.writes[ask.id] = ask
        began = time.monotonic()
        task = asyncio.ensure_future(client.ask(ask))
        if self.rng.random() < LEAVING:
            self.loop.call_later(self.rng.uniform(0, 0.02), task.cancel)
        self.waiting.add(task)
        try:
            answer = await asyncio.wait_for(task, PATIENCE)
        except asyncio.CancelledError:
            self.note(ask, began, "the client left")
        except asyncio.TimeoutError:
            self.note(ask, began, "no answer")
            self.say_wrong(ask, began, f"no answer within {PATIENCE} s")
        except Closed:
            self.note(ask, began, "closed by nginx")
            self.disturbed.append((began, time.monotonic(), "closed by nginx"))
            self.troubled = max(self.troubled, began)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            self.note(ask, began, type(error).__name__)
            self.say_wrong(ask, began, repr(error))
        else:
            self.judge(ask, began, answer)
        finally:
            self.waiting.discard(task)

    def note(self, ask, began, what):
        self.count += 1
        self.tally[ask.kind, what] += 1

    def say_wrong(self, ask, began, what):
        self.wrong_count += 1
        self.troubled = max(self.troubled, began)
        self.wrong.append((began, time.monotonic(), f"{ask.kind}: {ask.method} {ask.path}: {what}"))

    def judge(self, ask, began, answer):
        front = answer.headers.get("x-front-server")
        if front is not None:
            self.note(ask, began, f"nginx {front}")
            self.disturbed.append((began, time.monotonic(), f"nginx {front}"))
            self.troubled = max(self.troubled, began)
            return
        self.note(ask, began, answer.status)
        self.judge_time(ask, began, answer)
        if answer.status == ask.status:
            if ask.answer is not None and answer.body != ask.answer:
                self.say_wrong(ask, began, f"answered with {answer.body[:60]!r} instead of {ask.answer[:60]!r}")
            if ask.rows:
                self.told[ask.id] = ask
        else:
            self.troubled = max(self.troubled, began)
            if ask.status == 504 and answer.status == 200:  # leat looks at answers before deadlines; it saw both at once
                self.disturbed.append((began, time.monotonic(), "overtaken"))
            elif answer.status not in UNAVAILABLE:
                self.say_wrong(ask, began, f"{answer.status} {answer.body[:200]!r}")

    def judge_time(self, ask, began, answer):
        past = time.monotonic() - began - ask.deadline
        if answer.status == 504:
            self.late.append(past)
        if past > self.latest[0]:
            self.latest = (past, f"{ask.kind}, {answer.status}")
        if past > 0.2:
            self.disturbed.append((began, time.monotonic(), "late"))

    # For others, from any thread

    def calm_since(self, moment):
        """Seconds; negative while something that began since is not as usual, or nothing has come yet."""
        return time.monotonic() - max(self.troubled, moment)

    def leave(self, share):
        def cancel():
            for task in list(self.waiting):
                if self.rng.random() < share:
                    task.cancel()

        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(cancel)
