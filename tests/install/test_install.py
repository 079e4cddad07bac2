"""The installed library: what `make install` leaves behind, and a service built against it with pkg-config alone."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "web"))

import fastcgi  # noqa: E402
import servers  # noqa: E402


def run(*command, **settings):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """`make install` below a folder of our own, with the prefix that was configured."""
    root = tmp_path_factory.mktemp("root")
    run("make", "-C", servers.build_folder(), "install", f"DESTDIR={root}")
    return root


@pytest.fixture(scope="session")
def prefix(root):
    return root / "usr" / "local"


@pytest.fixture(scope="session")
def environment(root, prefix):
    """What a user of a folder that is not the system's own sets."""
    return os.environ | {
        "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig"), "PKG_CONFIG_SYSROOT_DIR": str(root),
        "LD_LIBRARY_PATH": str(prefix / "lib"),
    }


@pytest.fixture(scope="session", params=["shared", "static"])
def build(request, tmp_path_factory, environment, prefix):
    """build() makes the service outside the tree with what pkg-config says; more words go to the compiler."""

    def build(*words, compiler="gcc"):
        program = tmp_path_factory.mktemp("service") / "service"
        static = ["--static"] if request.param == "static" else []
        flags = run("pkg-config", "--cflags", "--libs", *static, "leat", env=environment).split()
        if static:
            flags = [str(prefix / "lib" / "libleat.a") if flag == "-lleat" else flag for flag in flags]
        run(compiler, "-std=gnu11", "-Wall", "-Wextra", "-Werror", *words, "-o", program, HERE / "service.c", *flags,
            env=environment)
        return program

    return build


@pytest.fixture(scope="session")
def service(build):
    return build()


def test_nothing_private_is_installed(prefix):
    headers = {str(path.relative_to(prefix / "include")) for path in (prefix / "include").rglob("*.h")}
    source = HERE.parent.parent / "include"
    assert headers == {str(path.relative_to(source)) for path in source.rglob("*.h")}


def test_the_migration_for_idempotency_keys_is_installed(prefix):
    assert (prefix / "share" / "leat" / "sql" / "idempotency.sql").read_text() == servers.IDEMPOTENCY_TABLE.read_text()


def test_installed_headers_stand_alone(prefix, tmp_path):
    for header in sorted((prefix / "include").rglob("*.h")):
        source = tmp_path / "alone.c"
        source.write_text(f"#include <{header.relative_to(prefix / 'include')}>\n")
        run("gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{prefix / 'include'}", source)


def test_the_installed_program_runs(prefix, environment):
    assert run(prefix / "bin" / "leat", "--version", env=environment).startswith("leat ")


def test_a_service_outside_the_tree_lists_its_routes(service, environment):
    assert re.search(r"GET\s+/hello\s+\S+service\.c:\d+\s+A greeting", run(service, "routes", env=environment))


def test_a_service_outside_the_tree_answers(service, environment, tmp_path):
    path = tmp_path / "s"
    server = servers.Server(
        "service", tmp_path, [service, "serve", "--set", f"listen=unix:{path}", "--set", "admin_listen="], env=environment)
    try:
        server.wait_for(lambda: fastcgi.ask(path, "GET", "/hello"), "the service answers")
        assert fastcgi.ask(path, "GET", "/hello").body == b"hello from outside\n"
    finally:
        assert server.stop() == 0


def without_database(count):
    return f"{count} statements were not checked: database_url is not set\n"


@pytest.mark.parametrize("words", [[], ["-O2", "-no-pie", "-fno-pie"], ["-O2", "-fdata-sections", "-Wl,--gc-sections"],
                                   ["-fsanitize=address,undefined"]], ids=" ".join)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_service_outside_the_tree_lists_its_statements(build, environment, compiler, words):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    done = subprocess.run([build(*words, compiler=compiler), "check"], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", without_database(2))


@pytest.mark.parametrize("words", [[], ["-O2", "-no-pie", "-fno-pie"], ["-fsanitize=address,undefined"]], ids=" ".join)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_service_may_have_no_statement(build, environment, compiler, words):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    program = build("-DWITHOUT_STATEMENTS", *words, compiler=compiler)
    done = subprocess.run([program, "check"], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
