"""Calls to a real nginx: plain, by TLS, by HTTP/2, and its ways with connections."""

import concurrent.futures
import subprocess
import urllib.parse

import pytest

import servers

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    ssl_certificate {folder}/server.crt;
    ssl_certificate_key {folder}/server.key;
    default_type text/plain;
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{tls} ssl;
        listen 127.0.0.1:{http2} ssl http2;
        root {folder};
        location = /protocol {{ return 200 "$server_protocol"; }}
        location = /connection {{ return 200 "$connection"; }}
        location = /brief {{ keepalive_timeout 0; return 200 "ok"; }}
        location = /down {{ return 301 http://127.0.0.1:{plain}/protocol; }}
    }}
}}
"""


class Upstream:
    def __init__(self, folder):
        folder.mkdir()
        folder.chmod(0o755)
        self.ports = {kind: servers.unused_port() for kind in ("plain", "tls", "http2")}
        self.ca_file = folder / "server.crt"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "server.key",
             "-out", self.ca_file], check=True, capture_output=True)
        (folder / "large").write_bytes(b"z" * 3000000)
        configuration = folder / "upstream.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, **self.ports))
        self.server = servers.Server("nginx", folder, ["/usr/sbin/nginx", "-p", folder, "-c", configuration])
        self.server.wait_for(lambda: (folder / "nginx.pid").exists(), "nginx runs")

    def url(self, kind, path, host="127.0.0.1"):
        return f"{'http' if kind == 'plain' else 'https'}://{host}:{self.ports[kind]}{path}"


@pytest.fixture(scope="module")
def nginx(folder):
    upstream = Upstream(folder / "upstream")
    yield upstream
    upstream.server.stop()


@pytest.fixture
def start(start_leat, nginx):
    def start(**settings):
        settings = {"fetch_allow": "loopback", "workers": 1, "fetch_ca_file": nginx.ca_file} | settings
        return start_leat("tests/web/fetching", **settings).wait_ready()
    return start


def fetch(leat, url, **query):
    return leat.ask("GET", f"/call?{urllib.parse.urlencode({'url': url} | query)}")


@pytest.mark.parametrize("kind, protocol", [("plain", b"HTTP/1.1"), ("tls", b"HTTP/1.1"), ("http2", b"HTTP/2.0")])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_best_protocol_that_is_offered(start, nginx, kind, protocol, host):
    assert fetch(start(), nginx.url(kind, "/protocol", host)).body == protocol


@pytest.mark.parametrize("kind", ["plain", "tls", "http2"])
def test_large_replies(start, nginx, kind):
    leat = start()
    assert fetch(leat, nginx.url(kind, "/large")).body == b"z" * 3000000
    assert fetch(leat, nginx.url(kind, "/large"), body_max=1000).headers["X-Fault"] == "TOO_LARGE"
    assert fetch(leat, nginx.url(kind, "/large")).body == b"z" * 3000000


@pytest.mark.parametrize("kind", ["plain", "tls", "http2"])
def test_many_at_once_keep_their_connections(start, nginx, kind):
    leat = start(fetch_host_connections=20)
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        replies = list(pool.map(lambda _: fetch(leat, nginx.url(kind, "/connection")), range(1000)))
    assert all(reply.headers["X-Fault"] == "NONE" for reply in replies)
    assert len({reply.body for reply in replies}) <= (1 if kind == "http2" else 20)
    assert leat.metric("leat_fetch_connections") == leat.metric("leat_fetch_idle_connections")


def test_a_server_that_keeps_no_connection(start, nginx):
    leat = start()
    for _ in range(10):
        assert fetch(leat, nginx.url("plain", "/brief")).body == b"ok"
    leat.wait_metric("leat_fetch_connections", 0)
    assert leat.metric("leat_fetch_connects_total") == 10


def test_a_certificate_that_nobody_has_signed(start, nginx):
    reply = fetch(start(fetch_ca_file=""), nginx.url("tls", "/protocol"))
    assert (reply.headers["X-Fault"], reply.headers["X-Result"]) == ("TLS", "BAD_GATEWAY")


def test_tls_to_a_server_without_it(start, nginx):
    assert fetch(start(), f"https://127.0.0.1:{nginx.ports['plain']}/").headers["X-Fault"] == "TLS"


def test_no_redirect_from_https_to_http(start, nginx):
    assert fetch(start(), nginx.url("tls", "/down"), redirects=3).headers["X-Fault"] == "REDIRECT"


def test_a_restart_of_the_server_costs_no_get(start, nginx):
    leat = start()
    assert fetch(leat, nginx.url("plain", "/protocol")).headers["X-Fault"] == "NONE"
    nginx.server.stop()
    nginx.server = servers.Server("nginx", nginx.server.folder, nginx.server.process.args)
    nginx.server.wait_for(lambda: fetch(leat, nginx.url("plain", "/protocol")).headers["X-Fault"] == "NONE", "nginx answers")
