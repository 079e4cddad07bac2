"""The configurations in deploy/: what the front servers send to leat, and what they say when leat is not there."""

import contextlib
import http.client
import socket
import threading

import pytest

import fastcgi
import servers


class Ear:
    """Stands where leat would: keeps what the front server sends, and closes without an answer."""

    def __init__(self, folder):
        self.folder = folder
        self.heard = b""
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "leat.sock"))
        self.listener.listen()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection:
                    connection.settimeout(1)
                    heard = b""
                    while not heard.endswith(fastcgi.record(fastcgi.STDIN)):
                        heard += connection.recv(65536)
                    self.heard = heard

    def parameters(self):
        """Names and values of the last request; requests here are small, so each stream is one record."""
        at, values = 0, {}
        while at < len(self.heard):
            _, kind, _, length, padding = fastcgi.HEADER.unpack_from(self.heard, at)
            content = self.heard[at + 8:at + 8 + length]
            at += 8 + length + padding
            while kind == fastcgi.PARAMS and content:
                name, value = content[0], content[1]
                values[content[2:2 + name].decode()] = content[2 + name:2 + name + value].decode()
                content = content[2 + name + value:]
        return values


@pytest.fixture
def ear(folder):
    path = folder / f"ear-{len(list(folder.iterdir()))}"
    path.mkdir(mode=0o755)
    ear = Ear(path)
    yield ear
    ear.listener.close()


@pytest.fixture
def front_alone(ear, front_class):
    """A front server before the ear."""
    front = front_class(ear.folder / "front", ear)
    yield front
    front.stop()


def test_nginx_sends_what_leat_needs_and_no_more(ear):
    front = servers.Nginx(ear.folder / "front", ear)
    try:
        front.ask("POST", "/a%2Fb?c=d", b"{}", {"Content-Type": "application/json"})
    finally:
        front.stop()
    sent = ear.parameters()
    assert {name for name in sent if not name.startswith("HTTP_")} == {
        "REQUEST_METHOD", "REQUEST_URI", "CONTENT_TYPE", "CONTENT_LENGTH", "REMOTE_ADDR"}


def test_the_path_arrives_as_it_was_sent(front_alone, ear):
    front_alone.ask("GET", "/a%2Fb/%7e//c/../d?e=%2f&f=a+b")
    assert ear.parameters()["REQUEST_URI"] == "/a%2Fb/%7e//c/../d?e=%2f&f=a+b"


def test_a_header_named_proxy_does_not_arrive(front_alone, ear):
    front_alone.ask("GET", "/", headers={"Proxy": "evil", "X-Test": "1"})
    sent = ear.parameters()
    assert sent["HTTP_X_TEST"] == "1"
    assert "HTTP_PROXY" not in sent


def test_without_leat_clients_are_told_to_come_back(front_alone):
    reply = front_alone.ask("GET", "/api/hello")
    assert reply.status in (500, 503)


def test_without_leat_nginx_answers_with_a_problem_document(ear):
    front = servers.Nginx(ear.folder / "front", ear)
    try:
        reply = front.ask("GET", "/api/hello")
    finally:
        front.stop()
    assert (reply.status, reply.json["status"]) == (503, 503)
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["Retry-After"] == "1"


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz", "/x/../metrics", "/%6detrics"])
def test_the_admin_socket_is_for_one_address_alone(front, path):
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=30, source_address=("127.0.0.2", 0))
    with contextlib.closing(connection):
        connection.request("GET", path)
        reply = connection.getresponse()
        assert reply.status in (403, 404)
        assert b"leat_requests_total" not in reply.read()


def test_kept_connections_are_asked_for_by_nginx_alone(front_alone, ear):
    front_alone.ask("GET", "/")
    keep = ear.heard[10] & fastcgi.KEEP_CONN
    assert keep == (front_alone.name == "nginx")
