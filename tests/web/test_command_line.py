"""The program `leat` itself: its words, its settings, its complaints."""

import subprocess

import pytest

import servers


def leat(*words, env=None, cwd=None):
    return subprocess.run(
        [servers.build_folder() / "leat", *words], env=env, cwd=cwd, capture_output=True, text=True, timeout=servers.PATIENCE,
        stdin=subprocess.DEVNULL)


def complaint(*words, **settings):
    done = leat(*words, **settings)
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr


def test_help_names_every_command():
    done = leat("--help")
    assert done.returncode == 0
    for word in ("serve", "check", "config", "routes", "migrate", "--set", "LEAT_WORKERS"):
        assert word in done.stdout


def test_version_is_told():
    done = leat("--version")
    assert (done.returncode, done.stdout.startswith("leat ")) == (0, True)


def test_routes_lists_the_whole_service():
    listing = leat("routes").stdout
    for pattern in ("/api/hello", "/health", "/api/users", "/api/users/{id:int}"):
        assert pattern in listing


def test_an_unknown_command_is_refused():
    assert "dance" in complaint("dance")


@pytest.mark.parametrize("listen", ["nowhere", "unix:relative", "127.0.0.1:99999", "unix:/" + "x" * 108])
def test_an_address_that_cannot_be_is_refused(listen):
    assert listen in complaint("check", "--set", f"listen={listen}")


@pytest.mark.parametrize("url", ["postgresql://u:s3cr3t@[h/db", "postgresql://u:s3cr%zzt@h/db", "::bad::s3cr3t"])
def test_a_bad_database_url_is_refused_without_showing_its_password(url):
    words = complaint("serve", "--set", f"database_url={url}")
    assert "database_url" in words and "s3cr" not in words


def test_an_unknown_setting_is_refused_with_the_nearest_known_one():
    assert "workers" in complaint("check", "--set", "wokers=2")


@pytest.mark.parametrize("setting", ["workers=many", "workers=257", "request_deadline=soon", "listen_mode=999", "log_json=maybe"])
def test_a_bad_value_is_refused_by_name(setting):
    assert setting.partition("=")[0] in complaint("check", "--set", setting)


def test_a_bad_line_of_the_file_is_refused_with_file_and_line(tmp_path):
    path = tmp_path / "leat.ini"
    path.write_text("# comment\nworkers = 2\nwrokers = 2\n")
    message = complaint("check", "--config", str(path))
    assert f"{path}:3" in message
    assert "workers" in message


def test_a_file_that_is_not_there_is_refused():
    assert "/nowhere/leat.ini" in complaint("check", "--config", "/nowhere/leat.ini")


def test_a_bad_environment_variable_is_refused_by_name():
    assert "LEAT_WORKERS" in complaint("check", env={"LEAT_WORKERS": "many"})


def test_later_sources_win(tmp_path):
    path = tmp_path / "leat.ini"
    path.write_text("workers = 2\nprocesses = 2\ngrace = 2s\n")
    text = leat(
        "config", "--config", str(path), "--set", "grace=4s", env={"LEAT_PROCESSES": "3", "LEAT_GRACE": "3s"}).stdout
    lines = (line.partition("#")[0].partition("=") for line in text.splitlines())
    values = {name.strip(): value.strip() for name, _, value in lines}
    assert (values["workers"], values["processes"], values["grace"]) == ("2", "3", "4s")


def test_secrets_are_masked():
    text = leat("config", "--set", "database_url=postgresql://me:hunter2@localhost/db").stdout
    assert "database_url" in text
    assert "hunter2" not in text


def test_the_example_file_is_accepted():
    assert leat("check", "--config", str(servers.DEPLOY / "leat.ini")).returncode == 0


def test_a_socket_that_cannot_be_made_is_told(tmp_path):
    done = leat("serve", "--set", f"listen=unix:{tmp_path}/nowhere/leat.sock", "--set", "admin_listen=")
    assert done.returncode == 1
    assert "nowhere/leat.sock" in done.stderr
