"""Files, sent by leat itself, by nginx (X-Accel-Redirect) and by lighttpd (X-Sendfile)."""

import contextlib
import hashlib

import pytest
import servers

BIG = 5_000_001


class Nginx(servers.Nginx):
    """With the location for files that deploy/nginx/leat.conf shows."""

    def configure(self, source):
        target = super().configure(source)
        text = target.read_text()
        for line in ("location /internal/files/ {", "\tinternal;", "\talias /srv/files/;"):
            text = text.replace(f"\t#{line}", f"\t{line}")
        text = text.replace("\talias /srv/files/;\n\t#}", f"\talias {self.leat.files}/;\n\t}}")
        target.write_text(text)
        return target


class Lighttpd(servers.Lighttpd):
    """With the lines for files that deploy/lighttpd/lighttpd.conf shows."""

    def configure(self, source):
        target = super().configure(source)
        text = target.read_text().replace('#"x-sendfile', '"x-sendfile').replace("/srv/files", str(self.leat.files))
        target.write_text(text)
        return target


@pytest.fixture(scope="module")
def files(folder):
    """A folder of files, and one beside it that must not be reached."""
    files = folder / "files"
    (files / "deep").mkdir(parents=True)
    (files / "a.txt").write_text("0123456789")
    (files / "empty").touch()
    (files / "deep" / "a b%c.css").write_text("body {}")
    (files / "big.bin").write_bytes(bytes(i * 7 % 251 for i in range(BIG)))
    (folder / "secret").write_text("secret")
    (files / "link").symlink_to("../secret")
    return files


@contextlib.contextmanager
def serving(folder, files, keys, front_class, way):
    leat = servers.Leat(folder / f"files-{way}-{front_class.name}", "tests/web/surface/surface", env={"SURFACE_FILES": str(files)},
                        auth_folder=keys.folder, send_files=way)
    leat.files = files
    try:
        front = front_class(leat.folder / "front", leat.wait_ready())
        try:
            yield front
        finally:
            front.stop()
    finally:
        leat.stop()
    assert "Sanitizer" not in leat.log(), leat.log()


@pytest.fixture(scope="module", params=["own-nginx", "own-lighttpd", "accel-nginx", "sendfile-lighttpd"])
def any_front(request, folder, files, keys):
    way, _, name = request.param.partition("-")
    with serving(folder, files, keys, {"nginx": Nginx, "lighttpd": Lighttpd}[name], way) as front:
        front.way = way
        yield front


@pytest.fixture
def own_front(any_front):
    if any_front.way != "own":
        pytest.skip("leat's own way alone")
    return any_front


def get(front, path, **headers):
    return front.ask("GET", f"/output/files/{path}", headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("path, content, content_type", [
    ("a.txt", b"0123456789", "text/plain; charset=utf-8"),
    ("empty", b"", "application/octet-stream"),
    ("deep/a%20b%25c.css", b"body {}", "text/css; charset=utf-8"),
    ("deep%2Fa%20b%25c.css", b"body {}", "text/css; charset=utf-8"),
    ("deep%2F..%2Fa.txt", b"0123456789", "text/plain; charset=utf-8"),
])
def test_a_file_with_its_type(any_front, path, content, content_type):
    reply = get(any_front, path)
    assert reply.status == 200
    assert reply.body == content
    assert reply.headers["Content-Type"] == content_type
    assert reply.headers["Content-Length"] == str(len(content))


def test_a_large_file_is_the_same(any_front, files):
    reply = get(any_front, "big.bin")
    assert hashlib.sha256(reply.body).digest() == hashlib.sha256((files / "big.bin").read_bytes()).digest()


@pytest.mark.parametrize("path", [
    "", "nowhere", "deep", "deep%2F", "..%2Fsecret", "deep%2F..%2F..%2Fsecret", "%2Fetc%2Fpasswd", "link", "%2E%2E%2Fsecret", "a.txt%2F"])
def test_nothing_else_is_reached(any_front, path):
    assert get(any_front, path).status in (400, 404)


def test_a_part_of_a_file(any_front):
    reply = get(any_front, "a.txt", Range="bytes=2-4")
    assert reply.status == 206
    assert reply.body == b"234"
    assert reply.headers["Content-Range"] == "bytes 2-4/10"


def test_head(any_front):
    reply = any_front.ask("HEAD", "/output/files/a.txt")
    assert reply.status == 200
    assert reply.headers["Content-Length"] == "10"


def test_a_part_past_the_end(own_front):
    reply = get(own_front, "a.txt", Range="bytes=10-")
    assert reply.status == 416
    assert reply.headers["Content-Range"] == "bytes */10"


def test_a_file_that_the_client_has_is_not_sent_again(own_front):
    first = get(own_front, "a.txt")
    assert get(own_front, "a.txt", If_None_Match=f'"x", {first.headers["ETag"]}').status == 304
    assert get(own_front, "a.txt", If_None_Match='"x"').status == 200
    assert get(own_front, "a.txt", If_Modified_Since=first.headers["Last-Modified"]).status == 304
    assert get(own_front, "a.txt", If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT").status == 200


def test_a_part_of_another_version_is_not_sent(own_front):
    first = get(own_front, "a.txt")
    assert get(own_front, "a.txt", Range="bytes=2-4", If_Range=first.headers["ETag"]).status == 206
    assert get(own_front, "a.txt", Range="bytes=2-4", If_Range='"x"').body == b"0123456789"


def test_many_parts_make_a_whole(own_front, files):
    parts = [get(own_front, "big.bin", Range=f"bytes={at}-{at + 999_999}").body for at in range(0, BIG, 1_000_000)]
    assert b"".join(parts) == (files / "big.bin").read_bytes()
