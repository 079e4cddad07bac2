"""The program `leat` itself: its words, its settings, its complaints."""

import re
import subprocess

import pytest

import servers

pytestmark = pytest.mark.alone


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


def test_help_fits_a_terminal():
    assert max(map(len, leat("--help").stdout.splitlines())) <= 80


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


# With a database


@pytest.fixture
def database(postgres):
    """A new database on the server of all tests."""
    postgres.run("CREATE DATABASE words")
    yield servers.Database(postgres, "words")
    postgres.run("DROP DATABASE words WITH (FORCE)")


@pytest.fixture
def migrations(tmp_path):
    """migrations(name=sql) writes files; its path is the folder."""

    class Folder:
        path = tmp_path / "sql"

        def __call__(self, **files):
            self.path.mkdir(exist_ok=True)
            for name, sql in files.items():
                (self.path / f"{name.removeprefix('_')}.sql").write_text(sql)

    return Folder()


@pytest.fixture
def migrate(database, migrations):
    def run(verb, *words):
        return leat("migrate", verb, "--set", f"database_url={database.url}", "--set", f"migrations={migrations.path}", *words)

    return run


PETS = "CREATE TABLE pets (id bigint);\n\n/* leat: down\nDROP TABLE pets;\n*/\n"
STOPS = "-- leat: no transaction\nCREATE TABLE pets (id bigint);\nSELECT 1 / 0;\nCREATE TABLE toys (id bigint);\n"


def test_migrate_tells_each_file_as_it_starts_and_ends(migrate, migrations):
    migrations(_0001_pets=PETS)
    assert re.fullmatch(r"0001_pets: applying\n0001_pets: done in \d+ ms\n1 applied, 1 in all\n", migrate("up").stdout)


def test_status_tells_what_can_be_undone(migrate, migrations):
    migrations(_0001_pets=PETS, _0002_toys="CREATE TABLE toys (id bigint);\n")
    migrate("up")
    migrations(_0003_more="SELECT 1;\n")
    lines = [line.split(maxsplit=1) for line in migrate("status").stdout.splitlines()]
    assert lines == [["0001_pets", "done, can be undone"], ["0002_toys", "done"], ["0003_more", "pending"]]


def test_down_without_an_undo_says_what_one_is(migrate, migrations):
    migrations(_0001_toys="CREATE TABLE toys (id bigint);\n")
    migrate("up")
    done = migrate("down")
    assert done.returncode == 1
    assert "/* leat: down" in done.stderr and "Nothing was changed" in done.stderr


def test_a_fault_in_an_undo_is_told_with_its_line_in_the_file(migrate, migrations):
    migrations(_0001_pets="CREATE TABLE pets (id bigint);\n\n/* leat: down\n\nDROP TABEL pets;\n*/\n")
    migrate("up")
    assert f"{migrations.path}/0001_pets.sql:5: " in migrate("down").stderr


def test_psql_runs_a_migration_to_the_same_effect(database, migrations):
    migrations(_0001_pets=PETS)
    subprocess.run([*database.psql, "-f", migrations.path / "0001_pets.sql", database.url], check=True)
    assert database.run("SELECT count(*) FROM pets") == "0"


def test_a_migration_that_stops_says_which_statement_it_was(migrate, migrations):
    migrations(_0001_pets=STOPS)
    done = migrate("up")
    assert done.returncode == 1
    assert f"{migrations.path}/0001_pets.sql:3: ERROR:  division by zero" in done.stderr
    assert "statement 2 of 3, line 3" in done.stderr


@pytest.mark.parametrize("word, state", [("UPDATE", 0), ("DELETE", 1)])
def test_the_way_out_that_up_tells_leads_out(migrate, migrations, database, word, state):
    migrations(_0001_pets=STOPS)
    migrate("up")
    migrations(_0001_pets=STOPS.replace("SELECT 1 / 0", "SELECT 1"))
    done = migrate("up")
    assert done.returncode == 1
    database.run(re.search(rf"^ +({word} .*;)$", done.stderr, re.MULTILINE)[1])
    assert migrate("status").returncode == state


def test_migrate_says_that_it_waits_and_for_whom_and_gives_up(migrate, migrations, database):
    migrations(_0001_pets=PETS)
    with database.session("SELECT pg_advisory_lock(1818583412)"):
        done = migrate("up", "--migrate-wait", "150ms")
    assert done.returncode == 1
    assert re.search(r"waiting for another one that is under way \(backend \d+", done.stderr)
    assert "nothing was done" in done.stderr


def check(database, *words):
    return leat("check", *words, "--set", f"database_url={database.url}")


def test_check_finds_nothing_wrong_with_the_example_service(database):
    database.run((servers.DEPLOY / "sql" / "0001_users.sql").read_text())
    done = check(database)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


def test_check_names_every_statement_that_the_database_does_not_fit(database):
    database.run("CREATE TABLE users (id text, name text, email text)")
    done = check(database)
    assert done.returncode == 1
    assert "ok" not in done.stdout
    for name in ("user_by_id", "users_after", "user_insert", "user_update"):
        assert re.search(rf"^statement {name}: ", done.stderr, re.MULTILINE)


def test_check_says_that_statements_were_not_checked_without_a_database():
    done = leat("check")
    assert (done.returncode, done.stdout) == (0, "ok\n")
    assert done.stderr == "5 statements were not checked: database_url is not set\n"


@pytest.mark.parametrize("url", ["", "host=/nowhere"])
def test_check_fails_without_the_database_when_it_is_asked_for(url):
    done = leat("check", "database", "--set", f"database_url={url}")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_service_without_statements_has_none_to_check():
    done = subprocess.run([servers.build_folder() / "tests/web/testbed", "check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
