"""What a client sends: queries, cookies, preferences, forms with files, and bodies that are read in pieces; through both front servers."""

import contextlib
import pathlib
import re
import socket
import subprocess
import time

import pytest

import servers

CRLF = "\r\n"


def fnv(data):
    """The hash of the service's replies; slow, so for little data."""
    total = 0xCBF29CE484222325
    for byte in data:
        total = (total ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{total:016x}"


def text(reply):
    assert reply.status == 200, reply.body
    return reply.body.decode()


def post_form(front, path, body, content_type):
    return front.ask("POST", path, body, {"Content-Type": content_type})


# Queries, cookies, preferences


@pytest.mark.parametrize("query, lines", [
    ("a=1&b=2&a=3", "a=1\nb=2\na=3\n"),
    ("a", "a=\n"),
    ("", ""),
    ("&&a=%26+%2B&", "a=& +\n"),
    ("=x&%C3%BC=y=z", "=x\nü=y=z\n"),
])
def test_query(surface_front, query, lines):
    assert text(surface_front.ask("GET", f"/input/query?{query}")) == lines


@pytest.mark.parametrize("header, lines", [
    ("session=abc; a=1", "session is abc\nsession=abc\na=1\n"),
    ("bad one; session=\"q\"; a=,; b=2", "session is \"q\"\nsession=\"q\"\nb=2\n"),
    ("session=1; session=2", "session is 1\nsession=1\nsession=2\n"),
])
def test_cookies(surface_front, header, lines):
    assert text(surface_front.ask("GET", "/input/cookies", headers={"Cookie": header})) == lines


@pytest.mark.parametrize("headers, chosen", [
    ({"Accept-Encoding": "gzip"}, "application/json gzip en\n"),
    ({"Accept": "text/*, */*;q=0.1", "Accept-Encoding": "br;q=0.5, gzip", "Accept-Language": "de-AT, en;q=0.5"},
     "text/html gzip de\n"),
])
def test_negotiation(surface_front, headers, chosen):
    assert text(surface_front.ask("GET", "/input/negotiated", headers=headers)) == chosen


def test_a_list_may_have_several_lines(surface_front):
    with contextlib.closing(surface_front.connect()) as connection:
        connection.putrequest("GET", "/input/negotiated")
        for name, value in (("Accept", "image/png"), ("Accept", "text/html"), ("Accept-Language", "fr"), ("Accept-Language", "de")):
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().read() == b"text/html identity de\n"


def test_nothing_acceptable_is_406(surface_front):
    reply = surface_front.ask("GET", "/input/negotiated", headers={"Accept": "image/png"})
    assert reply.status == 406
    assert reply.json["title"] == "Not acceptable"


# Forms


def test_urlencoded_form(surface_front):
    reply = post_form(surface_front, "/input/form", "a=1&b=%C3%BC+x&a=2&c", "application/x-www-form-urlencoded; charset=utf-8")
    assert text(reply) == "a=1\nb=ü x\na=2\nc=\n"


def part(disposition, content="", more=()):
    head = [f"Content-Disposition: form-data; {disposition}", *more]
    return "--xYz" + CRLF + CRLF.join(head) + CRLF + CRLF + content + CRLF


MULTIPART = "multipart/form-data; boundary=xYz"
LAST = "--xYz--" + CRLF


@pytest.mark.parametrize("body, lines", [
    (part('name="a"', "1") + part('name="a"', "2") + LAST, "a=1\na=2\n"),
    (part('name="f"; filename="../x y"', "data", ["Content-Type: text/plain"]) + LAST,
     f"f: ../x y, text/plain, 4 bytes, {fnv(b'data')}\n"),
    (part('name="f"; filename=""', "", ["Content-Type: application/octet-stream"]) + LAST, ""),
    (part('name="f"; filename="empty"') + LAST, f"f: empty, , 0 bytes, {fnv(b'')}\n"),
    (LAST, ""),
])
def test_multipart_form(surface_front, body, lines):
    assert text(post_form(surface_front, "/input/form", body, MULTIPART)) == lines


@pytest.mark.parametrize("body, content_type, status, detail", [
    ("a=%zz", "application/x-www-form-urlencoded", 400, "The form has a bad escape, NUL, or is not UTF-8."),
    (b"a=\xff", "application/x-www-form-urlencoded", 400, "The form has a bad escape, NUL, or is not UTF-8."),
    ("{}", "application/json", 415, "The body must be application/x-www-form-urlencoded or multipart/form-data."),
    (LAST, "multipart/form-data", 400, "multipart/form-data needs a boundary of 1 to 70 characters."),
    (part('name="a"', "1"), MULTIPART, 400, "The form ends before its last boundary."),
    (part('filename="a"', "1") + LAST, MULTIPART, 400, "The form has a part with a bad header."),
    (part('name="a"', "\0") + LAST, MULTIPART, 400, "A field of the form has NUL, or is not UTF-8."),
    (part('name="a"', "x" * 65537) + LAST, MULTIPART, 413, "A field of the form has more than 65536 bytes (setting form_field_max)."),
    (part('name="a"', "", ["X: " + "x" * 65537]) + LAST, MULTIPART, 413,
     "A part's header of the form has more than 65536 bytes (setting form_field_max)."),
    (part('name="a"') * 129 + LAST, MULTIPART, 413, "The form has more than 128 parts (setting form_parts_max)."),
    ("a=1&" * 129, "application/x-www-form-urlencoded", 413, "The form has more than 128 parts (setting form_parts_max)."),
    ("a=" + "x" * 65537, "application/x-www-form-urlencoded", 413, "A field of the form has more than 65536 bytes (setting form_field_max)."),
])
def test_forms_that_are_refused(surface_front, body, content_type, status, detail):
    reply = post_form(surface_front, "/input/form", body, content_type)
    assert (reply.status, reply.json.get("detail")) == (status, detail)


def test_refused_forms_are_counted(surface, surface_front):
    def counts():
        metrics = surface.metrics()
        return [metrics[f'leat_form_refusals_total{{reason="{setting}"}}'] for setting in ("form_parts_max", "form_field_max")]

    parts, fields = counts()
    post_form(surface_front, "/input/form", "a&" * 129, "application/x-www-form-urlencoded")
    post_form(surface_front, "/input/form", "a=" + "x" * 65537, "application/x-www-form-urlencoded")
    assert counts() == [parts + 1, fields + 1]


def test_form_that_curl_sends(surface_front, tmp_path):
    small, large = b"small\r\n--\r\n", bytes(range(256)) * 2000
    (tmp_path / "small.txt").write_bytes(small)
    (tmp_path / "large.bin").write_bytes(large)
    done = subprocess.run(
        ["curl", "-sS", "-F", "title=Größe", "-F", "file=@small.txt;type=text/plain", "-F", "file=@large.bin;filename=a\"b.bin",
         f"http://127.0.0.1:{surface_front.port}/input/form"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"title=Größe\nfile: small.txt, text/plain, {len(small)} bytes, {fnv(small)}\n"
        f"file: a%22b.bin, application/octet-stream, {len(large)} bytes, {fnv(large)}\n")


# The body in pieces


def test_body_in_pieces(surface_front):
    body = b"0123456789" * 5000
    assert text(surface_front.ask("POST", "/input/stream", body)).startswith(f"50000 bytes, {fnv(body)}\n")
    assert text(surface_front.ask("POST", "/input/stream", b"")).startswith(f"0 bytes, {fnv(b'')}\n")


def test_body_in_pieces_keeps_to_the_routes_limit(surface_front):
    assert surface_front.ask("POST", "/input/stream", b"x" * 100000).status == 200
    reply = surface_front.ask("POST", "/input/stream", b"x" * 100001)
    assert reply.status == 413
    assert reply.json["detail"] == "The body has more than 100000 bytes."


def test_body_is_read_again_after_it_was_read_whole(surface_front):
    assert text(surface_front.ask("POST", "/input/twice", b"abc")).startswith(f"3 bytes, {fnv(b'abc')}\n")


def test_body_as_a_whole_after_pieces_is_a_bug(surface, surface_front):
    assert surface_front.ask("POST", "/input/mixed", b"abc").status == 500
    assert "reads its body as a whole after leat_body_read" in surface.log()


def test_what_a_failed_reading_leaves_is_no_body(surface):
    reply = surface.ask("POST", "/input/again", b"x" * 20000, CONTENT_LENGTH="")
    assert reply.status == 413
    assert surface.ask("POST", "/input/again", b"x" * 10000, CONTENT_LENGTH="").status == 204


def test_body_of_another_length_than_told(surface):
    for told in ("2", "4"):
        reply = surface.ask("POST", "/input/stream", b"abc", CONTENT_LENGTH=told)
        assert reply.status == 400
        assert b"another length" in reply.body


# Uploads


class Uploads:
    """The service, with files of forms in a folder of its own, and a front server that streams."""

    def __init__(self, front_class, start_leat, folder, keys):
        class Front(front_class):
            def configure(self, source):
                target = super().configure(source)
                if target.name in ("leat.conf", "lighttpd.conf"):
                    target.write_text(servers.with_uploads(target.read_text()))
                return target

        self.spool = folder / "spool"
        self.spool.mkdir()
        self.saved = folder / "saved"
        self.leat = start_leat("tests/web/surface/surface", auth_folder=keys.folder, form_spool_dir=self.spool,
                               env={"SAVE_TO": str(self.saved)})
        self.leat.wait_ready()
        self.front = Front(folder / "front", self.leat)

    def spooled(self):
        """Files without a name that the worker processes have open."""
        links = [pathlib.Path(link) for pid in self.leat.worker_pids() for link in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
        targets = []
        for link in links:
            with contextlib.suppress(OSError):
                targets.append(str(link.readlink()))
        return [target for target in targets if target.startswith(str(self.spool))]

    def resident(self):
        """VmRSS of the worker processes."""
        return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024
                   for pid in self.leat.worker_pids())

    def post_in_pieces(self, path, pieces, content_type, length):
        """Sends the pieces one by one; with length None, chunked."""
        headers = {"Content-Type": content_type} | ({"Content-Length": str(length)} if length is not None else {})
        with contextlib.closing(self.front.connect()) as connection:
            connection.request("POST", path, pieces, headers, encode_chunked=length is None)
            reply = connection.getresponse()
            return servers.HttpReply(reply.status, dict(reply.getheaders()), reply.read())

    def post(self, path, pieces, content_type):
        body = b"".join(pieces)
        return self.post_in_pieces(path, [body], content_type, len(body))

    def begin(self, path, length, content_type, start):
        """A client that sends the beginning of a body."""
        client = socket.create_connection(("127.0.0.1", self.front.port), 30)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
        client.sendall(head.encode() + start)
        return client


@pytest.fixture
def uploads(front_class, start_leat, keys, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uploads")
    folder.chmod(0o755)
    uploads = Uploads(front_class, start_leat, folder, keys)
    yield uploads
    uploads.front.stop()


def file_form(content_pieces):
    yield part('name="title"', "Big").encode()
    yield (part('name="file"; filename="big.bin"', "")[:-2]).encode()
    yield from content_pieces
    yield (CRLF + LAST).encode()


BLOCK = bytes(range(256)) * 4096  # 1 MiB
SIZE = 20 if servers.FLAVOUR else 200  # MiB; a sanitizer takes its time


def blocks(uploads, highest):
    for number in range(SIZE):
        if number % 8 == 0:
            highest.append(uploads.resident())
        yield BLOCK


@pytest.mark.parametrize("path, chunked", [
    ("/upload/stream", False), ("/upload/stream", True), ("/upload/form", False), ("/upload/form", True)])
def test_large_upload_takes_no_memory(uploads, figure, path, chunked):
    seen, is_form = [], path.endswith("form")
    uploads.post(path, [BLOCK] if not is_form else file_form([BLOCK]), MULTIPART)  # what it takes in any case
    before = uploads.resident()
    pieces = file_form(blocks(uploads, seen)) if is_form else blocks(uploads, seen)
    length = None if chunked else SIZE * len(BLOCK) + (sum(map(len, file_form([]))) if is_form else 0)
    reply = uploads.post_in_pieces(path, pieces, MULTIPART, length)
    if chunked and uploads.front.name == "lighttpd":
        assert reply.status == 411  # it knows the length before it streams to FastCGI, or refuses
        return
    reply = text(reply)
    assert f"{SIZE * len(BLOCK)} bytes" in reply
    growth = max(seen) - before
    figure(f"{uploads.front.name} {path} {'chunked' if chunked else 'with length'}: {SIZE} MiB, VmRSS {before >> 10} KiB before, "
           f"{growth >> 10} KiB more at most")
    if not servers.FLAVOUR:
        assert growth < 4 << 20
    uploads.leat.wait_for(lambda: not uploads.spooled(), "no file is left")


def test_slow_client_is_served_as_it_sends(uploads):
    """What it sends is there while it sends, and nobody waits for it."""
    client = uploads.begin("/upload/stream", 40, "text/plain", b"")
    with contextlib.closing(client):
        for _ in range(20):
            client.sendall(b"ab")
            time.sleep(0.02)
            assert uploads.front.ask("GET", "/input/query?a").status == 200
        reply = client.recv(65536).decode()
    assert f"40 bytes, {fnv(b'ab' * 20)}" in reply
    assert int(re.search(r"(\d+) pieces", reply)[1]) >= 5


@pytest.mark.parametrize("how", ["leaves", "worker dies"])
def test_nothing_is_left_of_half_a_form(uploads, how):
    start = b"".join(file_form([BLOCK]))[:-20]
    with contextlib.closing(uploads.begin("/upload/form", 100 << 20, MULTIPART, start)):
        uploads.leat.wait_for(uploads.spooled, "the file is on disk")
        assert list(uploads.spool.iterdir()) == []
        if how == "worker dies":
            subprocess.run(["kill", "-9", str(uploads.leat.worker_pids()[0])], check=True)
    uploads.leat.wait_for(lambda: not uploads.spooled(), "no file is left")
    assert list(uploads.spool.iterdir()) == []


def test_files_on_disk_are_counted(uploads):
    counter = "leat_form_files_spooled_total"
    assert uploads.post("/upload/form", file_form([b"x" * 262144]), MULTIPART).status == 200
    assert uploads.leat.metric(counter) == 0
    assert uploads.post("/upload/form", file_form([b"x" * 262145]), MULTIPART).status == 200
    assert uploads.leat.metric(counter) == 1


def test_saved_file(uploads):
    assert uploads.post("/input/saved", file_form([BLOCK[:600000]]), MULTIPART).status == 204
    assert uploads.saved.read_bytes() == BLOCK[:600000]
    assert uploads.post("/input/saved", file_form([b"other"]), MULTIPART).status == 409
    assert uploads.saved.read_bytes() == BLOCK[:600000]


def test_disk_that_takes_nothing(uploads):
    uploads.spool.rmdir()
    reply = uploads.post("/upload/form", file_form([BLOCK]), MULTIPART)
    assert reply.status == 503
    assert uploads.leat.metric("leat_form_spool_failures_total") == 1
    assert f"file of a form: {uploads.spool}: No such file or directory" in uploads.leat.log()


def test_whole_bodies_keep_to_the_setting_where_the_route_is_unlimited(uploads):
    reply = uploads.post("/upload/whole", [BLOCK, b"x"], "text/plain")
    assert reply.status == 413
    assert b"more than 1048576 bytes" in reply.body
