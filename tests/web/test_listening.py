"""The ways leat gets the sockets that the front server connects to."""

import os
import socket
import stat
import subprocess

import pytest

import fastcgi
import servers

TESTBED = "tests/web/testbed"


def listener(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen(64)
    return sock


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_a_unix_socket_has_the_mode_that_is_set(start_leat, mode):
    testbed = start_leat(listen_mode=f"{mode:04o}").wait_ready()
    assert stat.S_IMODE(testbed.socket.stat().st_mode) == mode


def test_leat_listens_on_tcp(start_leat):
    port = servers.unused_port()
    start_leat(listen=f"127.0.0.1:{port}").wait_ready(("127.0.0.1", port))
    assert fastcgi.ask(("127.0.0.1", port), "GET", "/hello").status == 200


def test_leat_listens_on_ipv6(start_leat):
    try:
        port = servers.unused_port(socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    start_leat(listen=f"[::1]:{port}").wait_ready(("::1", port))
    assert fastcgi.ask(("::1", port), "GET", "/hello").status == 200


def test_leat_listens_on_several_at_once(start_leat, folder):
    port = servers.unused_port()
    path = folder / "several.sock"
    start_leat(listen=f"unix:{path},127.0.0.1:{port}").wait_ready(path)
    assert fastcgi.ask(path, "GET", "/hello").status == 200
    assert fastcgi.ask(("127.0.0.1", port), "GET", "/hello").status == 200


def test_spawn_fcgi_starts_leat_with_its_socket_on_descriptor_0(start_leat, folder):
    path = folder / "spawned.sock"
    launcher = ["/usr/bin/spawn-fcgi", "-n", "-s", path, "-M", "0666", "--"]
    start_leat(launcher=launcher, listen="inherit").wait_ready(path)
    assert fastcgi.ask(path, "GET", "/hello").status == 200


def test_an_inherited_socket_wins_over_the_setting(start_leat, folder):
    path = folder / "inherited.sock"
    with listener(path) as sock:
        testbed = start_leat(launch={"stdin": sock}).wait_ready(path)
        assert fastcgi.ask(path, "GET", "/hello").status == 200
        assert not testbed.socket.exists()


def test_leat_takes_the_sockets_of_systemd(start_leat, folder):
    """systemd hands sockets over from descriptor 3 on, with LISTEN_PID naming the process that is meant."""
    path = folder / "systemd.sock"
    with listener(path) as sock:
        script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&"$SOCKET"'
        start_leat(
            launcher=["/bin/bash", "-c", script, "systemd"], env={"SOCKET": str(sock.fileno())},
            launch={"pass_fds": [sock.fileno()]}, listen="inherit").wait_ready(path)
        assert fastcgi.ask(path, "GET", "/hello").status == 200


def test_lighttpd_starts_leat_as_its_configuration_shows(folder):
    """The commented variant of deploy/lighttpd/lighttpd.conf: bin-path, on descriptor 0."""
    home = folder / "spawning"
    home.mkdir()
    port = servers.unused_port()
    text = (servers.DEPLOY / "lighttpd" / "lighttpd.conf").read_text()
    text = text.replace('#"', '"').replace("/usr/local/bin/leat", str(servers.build_folder() / TESTBED))
    text = text.replace("server.port = 8080", f"server.port = {port}").replace("/run/leat", str(home))
    (home / "lighttpd.conf").write_text(text)
    environment = os.environ | {"LEAT_ADMIN_LISTEN": f"unix:{home}/admin.sock"}
    server = servers.Server("lighttpd", home, ["/usr/sbin/lighttpd", "-D", "-f", home / "lighttpd.conf"], env=environment)
    try:
        front = subprocess.run(
            ["/usr/bin/curl", "-s", "--retry", "50", "--retry-connrefused", "--retry-delay", "1", f"http://127.0.0.1:{port}/hello"],
            capture_output=True, text=True, timeout=servers.PATIENCE)
        assert "hello" in front.stdout, server.log()
    finally:
        server.stop()
