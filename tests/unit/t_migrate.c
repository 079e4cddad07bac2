/* t_migrate.c - leat migrate: what up runs and refuses, what status says, what is recorded. */
#include "tests/unit/migrate_folder.h"

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

/* Records --------------------------------------------------------------------------------------------------------- */

START_TEST(the_time_that_it_took_is_recorded)
{
	file("0001_a.sql", "SELECT pg_sleep(0.01)");
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations WHERE name = '0001_a' AND "
				      "duration BETWEEN '10 ms' AND '1 min' AND applied_at > now() - interval '1 min'"),
			 1);
}
END_TEST

START_TEST(a_table_of_earlier_times_goes_on)
{
	postgres_sql("CREATE TABLE leat_migrations (version bigint PRIMARY KEY, name text NOT NULL,"
		     " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
		     "INSERT INTO leat_migrations VALUES (1, '0001_a',"
		     " 'e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5')");
	file("0001_a.sql", "SELECT 1");
	ck_assert_int_eq(status(), 0);
	file("0002_b.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(duration) FROM leat_migrations"), 1);
}
END_TEST

/* Wrong use ------------------------------------------------------------------------------------------------------- */

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
	HARNESS_CASE_WITH(s, "up", setup, teardown, up_runs_the_files_in_order, a_second_up_does_nothing,
			  up_runs_what_was_added, a_file_that_fails_leaves_nothing, those_before_one_that_fails_stay,
			  an_edited_file_stops_everything, a_file_that_is_gone_stops_everything,
			  a_number_below_one_that_has_run_is_refused, one_number_twice_is_refused,
			  a_name_of_another_form_is_refused, a_file_that_commits_is_told,
			  a_file_may_change_the_search_path, the_checksum_is_the_files_sha256);
	HARNESS_CASE_WITH(s, "status", setup, teardown, status_says_whether_anything_is_left, status_changes_nothing);
	HARNESS_CASE_WITH(s, "records", setup, teardown, the_time_that_it_took_is_recorded,
			  a_table_of_earlier_times_goes_on);
	HARNESS_CASE_WITH(s, "use", setup, teardown, an_unknown_verb_is_wrong_use, without_a_folder_it_is_wrong_use,
			  a_server_that_is_away_is_a_failure);
	return s;
}
