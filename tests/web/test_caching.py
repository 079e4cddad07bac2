"""Versions, conditional requests and Cache-Control, through both front servers."""

import concurrent.futures
import pathlib

import pytest
import servers

pytestmark = pytest.mark.alone

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"  # of all notes


def get(front, path, method="GET", **headers):
    return front.ask(method, f"/caching/{path}", headers={name.replace("_", "-"): value for name, value in headers.items()})


def put(front, note, **headers):
    return get(front, f"notes/{note}", "PUT", **headers)


def reads(front):
    return int(get(front, "reads").body)


def is_bare(reply):
    """A 304 has no body, and nothing that tells of one."""
    return reply.body == b"" and not {"Content-Length", "Content-Type", "Transfer-Encoding"} & set(reply.headers)


# Versions that the handler knows


def test_a_reply_tells_its_version(surface_front):
    reply = get(surface_front, "notes/0")
    assert reply.status == 200
    assert reply.headers["ETag"] == '"1"'
    assert reply.headers["Last-Modified"] == DATE


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [
    {"If_None_Match": '"1"'}, {"If_None_Match": 'W/"1"'}, {"If_None_Match": '"x,y", "1"'}, {"If_None_Match": "*"},
    {"If_Modified_Since": DATE}, {"If_Modified_Since": "Sunday, 06-Nov-94 08:49:37 GMT"},
    {"If_Modified_Since": "Sun Nov  6 08:49:37 1994"}, {"If_Match": '"1"', "If_None_Match": '"1"'}])
def test_a_client_that_has_it_gets_304_and_the_work_is_not_done(surface_front, method, headers):
    before = reads(surface_front)
    reply = get(surface_front, "notes/0", method, **headers)
    assert reply.status == 304
    assert is_bare(reply)
    assert reply.headers["ETag"] == '"1"'
    assert reply.headers["Vary"] == "Accept"
    assert "Date" in reply.headers
    assert reads(surface_front) == before


@pytest.mark.parametrize("headers", [
    {"If_None_Match": '"2"'}, {"If_None_Match": "1"}, {"If_None_Match": '"2"', "If_Modified_Since": DATE},
    {"If_Modified_Since": "Sun, 06 Nov 1994 08:49:36 GMT"}, {"If_Modified_Since": "never"}, {"If_Match": "*"}])
def test_others_get_it(surface_front, headers):
    assert get(surface_front, "notes/0", **headers).status == 200


def test_a_connection_goes_on_after_304(surface_front):
    connection = surface_front.connect()
    for _ in range(3):
        connection.request("GET", "/caching/notes/0", headers={"If-None-Match": '"1"'})
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (304, b"")
        connection.request("GET", "/caching/notes/0")
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (200, b"version 1\n")
    connection.close()


def test_of_several_lines_leat_sees_one_at_most(surface_front):
    """nginx 1.22 refuses them, lighttpd hands the first one on."""
    connection = surface_front.connect()
    connection.putrequest("GET", "/caching/notes/0")
    for tag in ('"1"', '"x"'):
        connection.putheader("If-None-Match", tag)
    connection.endheaders()
    assert connection.getresponse().status == (400 if surface_front.name == "nginx" else 304)
    connection.close()


@pytest.fixture
def note(surface_front):
    """One that only this test writes to, and its ETag."""
    note = 1 if surface_front.name == "nginx" else 2
    return note, get(surface_front, f"notes/{note}").headers["ETag"]


def test_a_write_names_the_version_that_it_changes(surface_front, note):
    note, etag = note
    done = put(surface_front, note, If_Match=etag)
    assert done.status == 204
    assert done.headers["ETag"] != etag
    assert put(surface_front, note, If_Match=etag).status == 412
    assert put(surface_front, note, If_Match=f'"0", {done.headers["ETag"]}').status == 204


@pytest.mark.parametrize("headers, status", [
    ({}, 428), ({"If_Unmodified_Since": DATE}, 428), ({"If_None_Match": "*"}, 428), ({"If_Match": '"0"'}, 412),
    ({"If_Match": ""}, 412), ({"If_Match": "1"}, 400), ({"If_Match": '"'}, 400)])
def test_other_writes_change_nothing(surface_front, note, headers, status):
    note, etag = note
    reply = put(surface_front, note, **headers)
    if headers == {"If_Match": ""} and reply.status == 428:
        assert surface_front.name == "lighttpd"  # which drops an empty header
    else:
        assert reply.status == status
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["status"] == reply.status
    assert get(surface_front, f"notes/{note}").headers["ETag"] == etag


def test_a_weak_tag_protects_nothing(surface_front, note):
    note, etag = note
    assert put(surface_front, note, If_Match=f"W/{etag}").status == 412


def test_of_many_writers_of_one_version_one_wins(surface_front, note):
    note, etag = note
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: put(surface_front, note, If_Match=etag).status, range(8)))
    assert sorted(done) == [204] + [412] * 7


def test_what_is_not_there_is_created_once(surface_front):
    note = 50 if surface_front.name == "nginx" else 60
    assert put(surface_front, note, If_Match="*").status == 412
    assert put(surface_front, note, If_None_Match="*").status == 204
    assert put(surface_front, note, If_Match='"1"', If_None_Match="*").status == 412


# Tags of finished replies


@pytest.mark.parametrize("path", ["text", "fixed", "text?count=1000000"])
def test_a_reply_gets_a_tag_and_then_304(surface_front, path):
    first = get(surface_front, path)
    assert first.status == 200
    assert get(surface_front, path, "HEAD").headers["ETag"] == first.headers["ETag"]
    for method in ("GET", "HEAD"):
        again = get(surface_front, path, method, If_None_Match=first.headers["ETag"])
        assert again.status == 304
        assert is_bare(again)
        assert again.headers["ETag"] == first.headers["ETag"]
    assert get(surface_front, path, If_None_Match='"x"').body == first.body
    assert get(surface_front, path, If_Match='"x"').status == 412


def test_another_body_has_another_tag(surface_front):
    assert get(surface_front, "text?count=1").headers["ETag"] != get(surface_front, "text?count=2").headers["ETag"]


def test_streams_have_none(surface_front):
    reply = get(surface_front, "stream", If_None_Match="*")
    assert reply.status == 200
    assert reply.body == b"a stream\n"
    assert "ETag" not in reply.headers


# Cache-Control


def test_a_mount_has_its_policy(surface_front):
    policy = "public, immutable, max-age=31536000"
    reply = get(surface_front, "kept/text")
    assert reply.headers["Cache-Control"] == policy
    again = get(surface_front, "kept/text", If_None_Match=reply.headers["ETag"])
    assert again.status == 304
    assert again.headers["Cache-Control"] == policy


def test_errors_are_not_kept(surface_front):
    for path in ("kept/failing", "kept/text?count=x", "kept/files/nothing"):
        assert get(surface_front, path).headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in get(surface_front, "text").headers


def test_a_handlers_own_policy_counts(surface_front):
    assert get(surface_front, "kept/own").headers["Cache-Control"] == "max-age=5"


# Front servers that compress


class Nginx(servers.Nginx):
    """With the lines for If-Match that deploy/nginx/leat.conf shows, and compression."""

    def configure(self, source):
        target = super().configure(source)
        text = target.read_text()
        for line in ("map $http_if_match", "\tdefault $http_if_match", '\t"~^W/', "}"):
            text = text.replace(f"#{line}", line, 1)
        text = text.replace("\t#fastcgi_param HTTP_IF_MATCH", "\tgzip on;\n\tgzip_types text/plain;\n\tfastcgi_param HTTP_IF_MATCH")
        target.write_text(text)
        return target


class Lighttpd(servers.Lighttpd):
    """With compression, which lighttpd has for replies alone that it has gathered whole."""

    def configure(self, source):
        target = super().configure(source)
        text = target.read_text().replace('"mod_fastcgi"', '"mod_fastcgi", "mod_deflate"')
        text = text.replace("server.stream-response-body = 2", "server.stream-response-body = 0")
        target.write_text(text + '\ndeflate.mimetypes = ("text/plain")\ndeflate.allowed-encodings = ("gzip")\ndeflate.min-compress-size = 1\n')
        return target


@pytest.fixture(scope="module")
def nginx_gzip(folder, surface):
    front = Nginx(folder / "nginx-gzip", surface)
    yield front
    front.stop()


@pytest.fixture(scope="module")
def lighttpd_deflate(folder, surface):
    front = Lighttpd(folder / "lighttpd-deflate", surface)
    yield front
    front.stop()


def test_nginx_makes_tags_weak_and_leat_knows_them(nginx_gzip):
    plain = get(nginx_gzip, "text?count=1000")
    packed = get(nginx_gzip, "text?count=1000", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["ETag"] == "W/" + plain.headers["ETag"]
    again = get(nginx_gzip, "text?count=1000", Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"])
    assert again.status == 304
    assert is_bare(again)


def test_nginx_can_take_its_weakness_back_for_writes(nginx_gzip):
    etag = get(nginx_gzip, "notes/3").headers["ETag"]
    assert put(nginx_gzip, 3, If_Match=f"W/{etag}").status == 204
    assert put(nginx_gzip, 3, If_Match=f"W/{etag}").status == 412
    assert put(nginx_gzip, 3, If_Match=etag).status == 412
    assert put(nginx_gzip, 3).status == 428


@pytest.mark.skipif(not pathlib.Path("/usr/lib/lighttpd/mod_deflate.so").exists(), reason="lighttpd-mod-deflate is not installed")
def test_lighttpd_gives_what_it_packs_a_tag_of_its_own(lighttpd_deflate):
    plain = get(lighttpd_deflate, "text?count=1000").headers["ETag"]
    packed = get(lighttpd_deflate, "text?count=1000", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["ETag"] == plain[:-1] + '-gzip"'
    again = get(lighttpd_deflate, "text?count=1000", Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"])
    assert again.status == 304  # by lighttpd: leat has sent the whole
    assert get(lighttpd_deflate, "text?count=1000", Accept_Encoding="gzip", If_None_Match=plain).status == 304  # by leat


# Files


@pytest.fixture(scope="module")
def file_front(folder, keys, front_class):
    files = folder / f"caching-{front_class.name}"
    files.mkdir()
    (files / "a.txt").write_text("0123456789")
    leat = servers.Leat(folder / f"caching-leat-{front_class.name}", "tests/web/surface/surface", env={"SURFACE_FILES": str(files)},
                        auth_folder=keys.folder)
    front = front_class(folder / f"caching-front-{front_class.name}", leat.wait_ready())
    yield front
    front.stop()
    leat.stop()
    assert "Sanitizer" not in leat.log(), leat.log()


def test_files_judge_the_same_conditions(file_front):
    first = get(file_front, "kept/files/a.txt")
    etag, date = first.headers["ETag"], first.headers["Last-Modified"]
    assert first.status == 200
    for headers, status in [
            ({"If_Match": etag}, 200), ({"If_Match": '"x"'}, 412), ({"If_Match": "*"}, 200), ({"If_Match": f"W/{etag}"}, 412),
            ({"If_Unmodified_Since": date}, 200), ({"If_Unmodified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412),
            ({"If_None_Match": f"W/{etag}"}, 304), ({"If_None_Match": "*"}, 304), ({"If_None_Match": f'"x{etag[1:]}'}, 200),
            ({"If_Modified_Since": "Fri, 31 Dec 2100 00:00:00 GMT"}, 304), ({"If_Match": etag, "If_None_Match": etag}, 304),
            ({"Range": "bytes=2-4", "If_Match": etag}, 206), ({"Range": "bytes=2-4", "If_Match": '"x"'}, 412),
            ({"Range": "bytes=2-4", "If_Range": etag}, 206), ({"Range": "bytes=2-4", "If_Range": f"W/{etag}"}, 200),
            ({"Range": "bytes=2-4", "If_Range": date}, 206), ({"Range": "bytes=2-4", "If_None_Match": etag}, 304)]:
        reply = get(file_front, "kept/files/a.txt", **headers)
        assert reply.status == status, headers
        if status == 304:
            assert is_bare(reply)
            assert reply.headers["Cache-Control"] == first.headers["Cache-Control"]
