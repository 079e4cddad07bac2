"""The known faults of libfcgi: leat does not have them, and the same peer makes a plain libfcgi responder show them.

A scene plays a peer against a responder and returns what it saw: "right", or the symptom of the fault. Each is played
twice: leat must be right, the plain responder must show the symptom, which proves that the scene can fail. L2 and L3
end the plain responder's process; they are played against leat alone.
"""

import collections
import contextlib
import http.client
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest

import fcgi
import servers
from fcgi import Connection, fetch

RIGHT = "right"
WORKERS = 2  # of leat; threads of the plain responder
SOON = 1.0   # seconds that right behaviour takes at most; the faults last 2 s or for ever
HEADER_TIMEOUT = "500ms"

Scene = collections.namedtuple("Scene", "row play symptom threads")
SCENES = []


def scene(row, symptom, threads=WORKERS):
    """Enters a scene, with what the plain responder shows in it."""
    def enter(play):
        SCENES.append(Scene(row, play, symptom, threads))
        return play
    return enter


def what_comes(connection, id=1, within=SOON):
    """The reply, or "closed", or "silence"."""
    try:
        return connection.reply(id, within)
    except fcgi.Closed:
        return "closed"
    except TimeoutError:
        return "silence"


def is_served(responder):
    """A new client is served at once."""
    try:
        return fetch(responder.address, "/hello", within=SOON).status == 200
    except (TimeoutError, fcgi.Closed):
        return False


def appears(responder, uri):
    """The responder logs the request within the time that it would take."""
    try:
        return servers.wait_until(lambda: uri in responder.served(), uri, seconds=SOON)
    except TimeoutError:
        return False


# L1: records in a body.

READ_AHEAD = 8192  # bytes: where libfcgi, having read so much of an unread body, looks for the next record
BODY_SIZE = 12000


def body_with_a_request(bytes_before):
    forged = fcgi.get("/forged", REMOTE_USER="admin")
    return (b"x" * (READ_AHEAD - bytes_before) + forged).ljust(BODY_SIZE, b"x")


@scene("L1", symptom="the forged request ran")
def a_request_in_an_unread_body(responder):
    head = len(fcgi.post("/ignore", bytes(BODY_SIZE))) - BODY_SIZE - len(fcgi.record(fcgi.STDIN, 1))
    with Connection(responder.address) as connection:
        connection.send(fcgi.post("/ignore", body_with_a_request(head)))
        assert connection.reply().status == 200
        if appears(responder, "/forged"):
            return "the forged request ran"
    return RIGHT if is_served(responder) else "it serves no more"


NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    proxy_temp_path {folder}/nginx-proxy;
    scgi_temp_path {folder}/nginx-scgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    client_body_buffer_size 64k;
    include {params};
    fastcgi_keep_conn on;
    upstream responder {{ server unix:{responder}; keepalive 4; }}
    upstream listener {{ server unix:{listener}; keepalive 4; }}
    server {{ listen 127.0.0.1:{port}; location / {{ fastcgi_pass responder; }} }}
    server {{ listen 127.0.0.1:{listener_port}; location / {{ fastcgi_pass listener; }} }}
}}
"""


class Nginx:
    """nginx with keep-alive to a responder on one port, and to a listener of ours on another."""

    def __init__(self, responder):
        folder = responder.folder
        self.port, self.listener_port = servers.unused_port(), servers.unused_port()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{folder}/listener.sock")
        self.listener.listen()
        self.listener.settimeout(fcgi.PATIENCE)
        shutil.copy(servers.DEPLOY / "nginx" / "leat_params", folder / "params")
        (folder / "nginx.conf").write_text(NGINX.format(
            folder=folder, params=folder / "params", port=self.port, listener_port=self.listener_port,
            responder=responder.address, listener=folder / "listener.sock"))
        self.server = servers.Server(
            "nginx", folder, ["/usr/sbin/nginx", "-e", folder / "nginx-error.log", "-c", folder / "nginx.conf"])
        self.server.wait_for(lambda: self.get("/hello") == 200, "nginx answers")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()
        self.listener.close()

    def get(self, uri):
        """The status."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=fcgi.PATIENCE)) as client:
            client.request("GET", uri)
            return client.getresponse().status

    @contextlib.contextmanager
    def post(self, port, uri, body):
        """A client that waits for 100 Continue: so nginx reads the body in one piece and sends it in one record."""
        with socket.create_connection(("127.0.0.1", port), timeout=fcgi.PATIENCE) as client:
            lines = [f"POST {uri} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", "Expect: 100-continue"]
            client.sendall("\r\n".join([*lines, "", ""]).encode())
            assert client.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.sendall(body)
            yield client

    def bytes_before_body(self, uri, body):
        """How many bytes nginx sends to a responder before the first one of this body."""
        with self.post(self.listener_port, uri, body):
            with contextlib.closing(self.listener.accept()[0]) as connection:
                connection.settimeout(fcgi.PATIENCE)
                sent = b""
                while body[:64] not in sent:
                    sent += connection.recv(65536)
        return sent.index(body[:64])


@scene("L1", symptom="the forged request ran")
def a_request_in_an_unread_body_through_nginx(responder):
    with Nginx(responder) as nginx:
        before = nginx.bytes_before_body("/ignore", b"y" * BODY_SIZE)
        with nginx.post(nginx.port, "/ignore", body_with_a_request(before)) as client:
            assert client.recv(1024).startswith(b"HTTP/1.1 200 ")
        if appears(responder, "/forged"):
            return "the forged request ran"
        return RIGHT if nginx.get("/hello") == 200 else "it serves no more"


# L4 to L8: records.


@scene("L4", symptom="served with what parameters there were")
def a_peer_that_dies_between_two_parameters(responder):
    with Connection(responder.address) as connection:
        params = fcgi.pairs(fcgi.http_params("GET", "/hello?cut"))
        connection.send(fcgi.begin(keep=False) + fcgi.record(fcgi.PARAMS, 1, params))
        connection.end_sending()
        what_comes(connection)
    return "served with what parameters there were" if appears(responder, "/hello?cut") else RIGHT


@scene("L5", symptom="silence")
def a_question_alone(responder):
    with Connection(responder.address) as connection:
        connection.send(fcgi.get_values("FCGI_MPXS_CONNS"))
        try:
            assert connection.values(within=SOON) == [("FCGI_MPXS_CONNS", "0")]
        except TimeoutError:
            return "silence"
    return RIGHT


def echo(responder, between):
    """What comes back of a body of "body" when `between` stands between the parameters and it."""
    params = fcgi.http_params("POST", "/echo", 4)
    with Connection(responder.address) as connection:
        connection.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(params)) + between
                        + fcgi.stream(fcgi.STDIN, 1, b"body"))
        try:
            return connection.reply(within=SOON, aside=[]).body
        except (fcgi.Closed, TimeoutError) as error:
            return repr(error)


@scene("L6", symptom=b"injectedbody")
def content_in_an_unknown_management_record(responder):
    body = echo(responder, fcgi.record(77, 0, b"injected"))
    return RIGHT if body == b"body" else body


@scene("L6", symptom=b"")
def an_empty_record_of_a_foreign_request(responder):
    body = echo(responder, fcgi.record(fcgi.STDIN, 9))
    return RIGHT if body == b"body" else body


@scene("L7", symptom="the second request vanished")
def two_requests_in_one_write(responder):
    with Connection(responder.address) as connection:
        connection.send(fcgi.get("/hello?first", id=1) + fcgi.get("/hello?second", id=2))
        assert connection.reply(id=1).status == 200
        reply = what_comes(connection, id=2)
    return "the second request vanished" if reply == "silence" else RIGHT if reply.status == 200 else reply


def what_reaches_the_handler(responder, name, value):
    params = fcgi.pairs(fcgi.http_params("GET", "/env")) + fcgi.pair(name, value)
    with Connection(responder.address) as connection:
        connection.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, params) + fcgi.stream(fcgi.STDIN, 1, b""))
        reply = what_comes(connection)
    if reply == "closed":
        return RIGHT
    return [line for line in reply.body.decode().splitlines() if "USER" in line]


@scene("L8", symptom=["REMOTE_USER=admin"])
def a_nul_in_a_value(responder):
    return what_reaches_the_handler(responder, "REMOTE_USER", b"admin\0istrator")


@scene("L8", symptom=["REMOTE_USER=admin=anything"])
def an_equals_sign_in_a_name(responder):
    return what_reaches_the_handler(responder, "REMOTE_USER=admin", b"anything")


# Not in the table: padding where a stream begins or ends is not skipped.


def echo_padded(responder, begin_padding=b"", params_padding=b""):
    params = fcgi.pairs(fcgi.http_params("POST", "/echo", 4))
    with Connection(responder.address) as connection:
        connection.send(
            fcgi.begin(padding=begin_padding) + fcgi.record(fcgi.PARAMS, 1, params)
            + fcgi.record(fcgi.PARAMS, 1, padding=params_padding) + fcgi.stream(fcgi.STDIN, 1, b"body"))
        reply = what_comes(connection)
    return RIGHT if getattr(reply, "body", None) == b"body" else reply if isinstance(reply, str) else reply.body


@scene("padding", symptom=b"fakebody")
def a_body_in_the_padding_of_the_last_parameters(responder):
    return echo_padded(responder, params_padding=fcgi.record(fcgi.STDIN, 1, b"fake"))


@scene("padding", symptom=b'{"message":"hello"}')  # it was served without its parameters
def padding_behind_begin_request(responder):
    return echo_padded(responder, begin_padding=b"8 bytes.")


# L9 to L12: time, threads, signals.


@scene("L9", symptom="others wait")
def peers_that_do_not_close(responder):
    with contextlib.ExitStack() as stack:
        for _ in range(WORKERS):
            connection = stack.enter_context(Connection(responder.address))
            connection.send(fcgi.get("/hello", keep=False))
            assert connection.reply().status == 200
        return RIGHT if is_served(responder) else "others wait"


@scene("L9", symptom="others wait")
def peers_that_are_silent(responder):
    with contextlib.ExitStack() as stack:
        for _ in range(WORKERS):
            stack.enter_context(Connection(responder.address))
        return RIGHT if is_served(responder) else "others wait"


@scene("L9", symptom="silence")
def a_peer_that_stops_in_its_parameters(responder):
    with Connection(responder.address) as connection:
        connection.send(fcgi.get("/hello")[:100])
        saw = what_comes(connection, within=3 * SOON)
    return RIGHT if saw == "closed" else saw


@scene("L10", symptom="its threads ended")
def descriptors_run_out_for_a_while(responder):
    pid, = responder.worker_pids()
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as stack:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
        clients = [stack.enter_context(Connection(responder.address)) for _ in range(16)]
        for client in clients:
            client.send(fcgi.get("/hello", keep=False))
        time.sleep(0.3)
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        replies = [what_comes(client, within=0.1 if number else SOON) for number, client in enumerate(clients)]
        return "its threads ended" if "closed" in replies or "silence" in replies else RIGHT


@scene("L10", symptom="the request failed", threads=1)
def a_signal_in_the_middle_of_a_request(responder):
    data = fcgi.post("/echo", b"body")
    with Connection(responder.address) as connection:
        connection.send(data[:100])
        servers.wait_until(connection.is_read, "the first half is read")
        time.sleep(0.05)  # for the thread to sleep in its next read
        responder.interrupt()
        connection.send_regardless(data[100:])
        reply = what_comes(connection)
    return "the request failed" if reply == "closed" else RIGHT if reply.body == b"body" else reply


@scene("L10", symptom="appStatus 5", threads=1)
def a_request_after_one_that_failed(responder):
    fetch(responder.address, "/fail/5")
    status = fetch(responder.address, "/hello").app_status
    return f"appStatus {status}" if status else RIGHT


@scene("L10", symptom="closed")
def an_abort_that_comes_late(responder):
    with Connection(responder.address) as connection:
        connection.send(fcgi.get("/hello", id=1))
        assert connection.reply(id=1).status == 200
        connection.send(fcgi.record(fcgi.ABORT_REQUEST, 1))
        connection.send_regardless(fcgi.get("/hello", id=2))
        reply = what_comes(connection, id=2)
    return reply if reply == "closed" else RIGHT if reply.status == 200 else reply


@scene("L11", symptom="no thread is left")
def connections_that_are_kept_and_idle(responder):
    with contextlib.ExitStack() as stack:
        for _ in range(WORKERS):
            connection = stack.enter_context(Connection(responder.address))
            connection.send(fcgi.get("/hello"))
            assert connection.reply().status == 200
        return RIGHT if is_served(responder) else "no thread is left"


@scene("L11", symptom="no thread is left")
def headers_that_are_half_sent(responder):
    with contextlib.ExitStack() as stack:
        for _ in range(WORKERS):
            stack.enter_context(Connection(responder.address)).send(fcgi.begin()[:5])
        return RIGHT if is_served(responder) else "no thread is left"


@scene("L12", symptom="it still runs")
def a_stop_while_connections_are_kept(responder):
    with contextlib.ExitStack() as stack:
        for _ in range(WORKERS):
            connection = stack.enter_context(Connection(responder.address))
            connection.send(fcgi.get("/hello"))
            assert connection.reply().status == 200
        responder.send(signal.SIGTERM)
        try:
            status = responder.wait(2 * SOON)
        except subprocess.TimeoutExpired:
            return "it still runs"
    return RIGHT if status == 0 else f"exit status {status}"


# The two plays of each.


def name(entry):
    return f"{entry.row}-{entry.play.__name__}"


@pytest.mark.parametrize("entry", SCENES, ids=name)
def test_leat_is_right(entry, start_leat):
    leat = start_leat(workers=WORKERS, header_timeout=HEADER_TIMEOUT)
    workers = leat.worker_pids()
    assert entry.play(leat) == RIGHT
    if entry.row != "L12":
        assert leat.worker_pids() == workers
        assert is_served(leat)


@pytest.mark.parametrize("entry", SCENES, ids=name)
def test_plain_libfcgi_shows_the_fault(entry, start_plain):
    assert entry.play(start_plain(threads=entry.threads)) == entry.symptom


@pytest.mark.parametrize("times", [1, 3, 4, 20, 1000])
def test_L2_a_value_asked_for_many_times_is_told_once(leat, times):
    workers = leat.worker_pids()
    with Connection(leat.address) as connection:
        connection.send(fcgi.get_values(*["FCGI_MAX_CONNS"] * times) + fcgi.get("/hello"))
        (told, value), = connection.values()
        assert told == "FCGI_MAX_CONNS" and int(value) > 0
        assert connection.reply().status == 200
    assert leat.worker_pids() == workers


LONG = [0x7FFFFFFF, 0x7FFFFFFE, 0x7FFFFFFD, 0x40000000, 1 << 24, 70000]


@pytest.mark.parametrize("name_size", LONG)
@pytest.mark.parametrize("value_size", [1, *LONG])
def test_L3_a_parameter_of_absurd_length_is_refused(leat, name_size, value_size):
    workers = leat.worker_pids()
    with Connection(leat.address) as connection:
        connection.send_regardless(
            fcgi.begin() + fcgi.record(fcgi.PARAMS, 1, fcgi.length(name_size) + fcgi.length(value_size) + b"name"))
        connection.assert_closed()
    assert is_served(leat)
    assert leat.worker_pids() == workers


def test_L3_parameters_without_end_are_refused(leat):
    with Connection(leat.address) as connection:
        connection.send(fcgi.begin())
        for number in range(1000):
            connection.send_regardless(fcgi.record(fcgi.PARAMS, 1, fcgi.pair(f"HTTP_X_{number}", "x" * 1000)))
        connection.assert_closed()
    assert is_served(leat)
