/* t_migrate.c - leat migrate on folders made for the purpose, against a real PostgreSQL. */
#include "back/migrate.h"

#include <string.h>

#include "tests/unit/harness.h"
#include "tests/unit/postgres.h"

static char folder[64];
static struct settings settings;

static void setup(void)
{
	strcpy(folder, "/tmp/leat-migrate.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	settings.migrations = folder;
	settings.database_url = getenv("LEAT_TEST_DATABASE");
	postgres_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS leat_migrations, a, b");
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static const char *path_of(const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return path;
}

static void file(const char *name, const char *sql)
{
	FILE *stream = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(stream);
	fputs(sql, stream);
	ck_assert_int_eq(fclose(stream), 0);
}

static void two_files(void)
{
	file("0001_a.sql", "CREATE TABLE a (x int); INSERT INTO a VALUES (1);");
	file("0002_b.sql", "ALTER TABLE a ADD y int;\nCREATE TABLE b (x int);\n");
}

static int up(void)
{
	return migrate_main(&settings, "up");
}

static int status(void)
{
	return migrate_main(&settings, "status");
}

static bool has_table(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "SELECT (to_regclass('%s') IS NOT NULL)::int", name);
	return postgres_sql(command);
}

START_TEST(up_runs_the_files_in_order)
{
	two_files();
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(y IS NULL) FROM a"), 1);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations"), 2);
}
END_TEST

START_TEST(a_second_up_does_nothing)
{
	two_files();
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM a"), 1);
}
END_TEST

START_TEST(up_runs_what_was_added)
{
	file("0001_a.sql", "CREATE TABLE a (x int)");
	ck_assert_int_eq(up(), 0);
	file("0002_b.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(a_file_that_fails_leaves_nothing)
{
	file("0001_a.sql", "CREATE TABLE a (x int); SELECT 1 / 0;");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(those_before_one_that_fails_stay)
{
	file("0001_a.sql", "CREATE TABLE a (x int)");
	file("0002_b.sql", "nonsense");
	ck_assert_int_eq(up(), 1);
	ck_assert(has_table("a"));
}
END_TEST

START_TEST(an_edited_file_stops_everything)
{
	file("0001_a.sql", "CREATE TABLE a (x int)");
	ck_assert_int_eq(up(), 0);
	file("0001_a.sql", "CREATE TABLE a (x bigint)");
	file("0002_b.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("b"));
}
END_TEST

START_TEST(a_file_that_is_gone_stops_everything)
{
	two_files();
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(unlink(path_of("0001_a.sql")), 0);
	ck_assert_int_eq(up(), 1);
}
END_TEST

START_TEST(a_number_below_one_that_has_run_is_refused)
{
	file("0002_a.sql", "CREATE TABLE a (x int)");
	ck_assert_int_eq(up(), 0);
	file("0001_b.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("b"));
}
END_TEST

START_TEST(one_number_twice_is_refused)
{
	file("0001_a.sql", "CREATE TABLE a (x int)");
	file("001_b.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(a_name_of_another_form_is_refused)
{
	file("first.sql", "CREATE TABLE a (x int)");
	ck_assert_int_eq(up(), 1);
}
END_TEST

START_TEST(a_file_that_commits_is_told)
{
	file("0001_a.sql", "CREATE TABLE a (x int); COMMIT;");
	ck_assert_int_eq(up(), 1);
}
END_TEST

START_TEST(a_file_may_change_the_search_path)
{
	file("0001_a.sql", "SELECT set_config('search_path', '', false); CREATE TABLE public.a (x int);");
	ck_assert_int_eq(up(), 0);
}
END_TEST

START_TEST(the_checksum_is_the_files_sha256)
{
	file("0001_a.sql", "SELECT 1");
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations WHERE checksum = "
				      "'e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5'"),
			 1);
}
END_TEST

START_TEST(status_says_whether_anything_is_left)
{
	two_files();
	ck_assert_int_eq(status(), 1);
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(status(), 0);
}
END_TEST

START_TEST(status_changes_nothing)
{
	two_files();
	ck_assert_int_eq(status(), 1);
	ck_assert(!has_table("leat_migrations"));
}
END_TEST

START_TEST(an_unknown_verb_is_wrong_use)
{
	ck_assert_int_eq(migrate_main(&settings, "sideways"), 2);
}
END_TEST

START_TEST(without_a_folder_it_is_wrong_use)
{
	settings.migrations = "";
	ck_assert_int_eq(up(), 2);
}
END_TEST

START_TEST(a_server_that_is_away_is_a_failure)
{
	settings.database_url = "host=/nonexistent";
	ck_assert_int_eq(up(), 1);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("migrate");

	postgres_need();
	tcase_add_checked_fixture(HARNESS_CASE(s, "up", up_runs_the_files_in_order, a_second_up_does_nothing,
					       up_runs_what_was_added, a_file_that_fails_leaves_nothing,
					       those_before_one_that_fails_stay, an_edited_file_stops_everything,
					       a_file_that_is_gone_stops_everything,
					       a_number_below_one_that_has_run_is_refused, one_number_twice_is_refused,
					       a_name_of_another_form_is_refused, a_file_that_commits_is_told,
					       a_file_may_change_the_search_path, the_checksum_is_the_files_sha256),
				  setup, teardown);
	tcase_add_checked_fixture(HARNESS_CASE(s, "status", status_says_whether_anything_is_left, status_changes_nothing),
				  setup, teardown);
	tcase_add_checked_fixture(HARNESS_CASE(s, "use", an_unknown_verb_is_wrong_use, without_a_folder_it_is_wrong_use,
					       a_server_that_is_away_is_a_failure),
				  setup, teardown);
	return s;
}
