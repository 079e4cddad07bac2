/* t_migrate_alone.c - leat migrate: files that run without a transaction. */
#include "tests/unit/migrate_folder.h"

static void index_file(void)
{
	file("0001_a.sql", "CREATE TABLE a (x int)");
	file("0002_index.sql", ALONE "CREATE INDEX CONCURRENTLY a_x ON a (x);\nCOMMENT ON INDEX a_x IS 'one; two';\n\n"
				     "/* leat: down\nDROP INDEX CONCURRENTLY a_x;\n*/\n");
}

/* Statement 2 of 3 fails. */
static void file_that_stops(void)
{
	file("0001_a.sql", ALONE "CREATE TABLE a (x int);\nSELECT 1 / 0;\nCREATE TABLE b (x int);\n");
	ck_assert_int_eq(up(), 1);
}

START_TEST(an_index_is_made_and_dropped_concurrently)
{
	index_file();
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("a_x"));
	ck_assert_int_eq(status(), 0);
	ck_assert_int_eq(redo(), 0);
	ck_assert_int_eq(down(), 0);
	ck_assert(!has_table("a_x"));
}
END_TEST

START_TEST(what_ran_before_the_failure_stays_and_the_rest_does_not_run)
{
	file_that_stops();
	ck_assert(has_table("a"));
	ck_assert(!has_table("b"));
}
END_TEST

START_TEST(the_record_says_where_it_stopped)
{
	file_that_stops();
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations "
				      "WHERE unfinished = 'up: statement 2 of 3, line 3'"),
			 1);
}
END_TEST

START_TEST(nothing_runs_while_one_is_unfinished)
{
	file_that_stops();
	file("0002_c.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 1);
	ck_assert_int_eq(down(), 1);
	ck_assert_int_eq(redo(), 1);
	ck_assert_int_eq(status(), 1);
	ck_assert(!has_table("b"));
}
END_TEST

START_TEST(what_was_finished_by_hand_counts_as_done)
{
	file_that_stops();
	postgres_sql("UPDATE leat_migrations SET unfinished = NULL");
	ck_assert_int_eq(status(), 0);
}
END_TEST

START_TEST(what_was_taken_back_by_hand_runs_from_its_start)
{
	file_that_stops();
	postgres_sql("DELETE FROM leat_migrations; DROP TABLE a");
	file("0001_a.sql", ALONE "CREATE TABLE a (x int);\nCREATE TABLE b (x int);\n");
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(a_transaction_of_its_own_is_refused)
{
	file("0001_a.sql", ALONE "BEGIN;\nCREATE TABLE a (x int);\nCOMMIT;\n");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(settings_of_a_file_end_with_it)
{
	file("0001_a.sql", ALONE "SET search_path = '';\nSET leat.test = 'a';\nCREATE TABLE public.a (x int);");
	file("0002_b.sql", "CREATE TABLE b AS SELECT 1 / (current_setting('leat.test', true) <> 'a')::int");
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(a_file_may_change_the_role)
{
	postgres_sql("DROP ROLE IF EXISTS leat_nobody; CREATE ROLE leat_nobody");
	file("0001_a.sql", "CREATE TABLE a (x int); SET ROLE leat_nobody;");
	file("0002_b.sql",
	     ALONE "CREATE TABLE b (x int); SET ROLE leat_nobody; SELECT 1; SET SESSION AUTHORIZATION leat_nobody;");
	ck_assert_int_eq(up(), 0);
	postgres_sql("DROP ROLE leat_nobody");
}
END_TEST

START_TEST(a_role_stays_from_statement_to_statement)
{
	postgres_sql("DROP ROLE IF EXISTS leat_nobody; CREATE ROLE leat_nobody");
	file("0001_a.sql", ALONE "CREATE TABLE a (x name);\nGRANT ALL ON a TO leat_nobody;\nSET ROLE leat_nobody;\n"
				 "INSERT INTO a VALUES (current_user);\n");
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM a WHERE x = 'leat_nobody'"), 1);
	postgres_sql("DROP TABLE a; DROP ROLE leat_nobody");
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("migrate_alone");

	postgres_need();
	HARNESS_CASE_WITH(s, "without a transaction", setup, teardown, an_index_is_made_and_dropped_concurrently,
			  what_ran_before_the_failure_stays_and_the_rest_does_not_run, the_record_says_where_it_stopped,
			  nothing_runs_while_one_is_unfinished, what_was_finished_by_hand_counts_as_done,
			  what_was_taken_back_by_hand_runs_from_its_start, a_transaction_of_its_own_is_refused,
			  settings_of_a_file_end_with_it, a_file_may_change_the_role,
			  a_role_stays_from_statement_to_statement);
	return s;
}
