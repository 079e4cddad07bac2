/* t_migrate_undo.c - leat migrate: down and redo. */
#include "tests/unit/migrate_folder.h"

static void two_files_with_undo(void)
{
	file("0001_a.sql", "CREATE TABLE a (x int);\n\n/* leat: down\nDROP TABLE a; /* all of it */\n*/\n");
	file("0002_b.sql", "CREATE TABLE b (x int);\n\n/* leat: down\nDROP TABLE b;\n*/\n");
	ck_assert_int_eq(up(), 0);
}

START_TEST(up_passes_over_the_undo)
{
	two_files_with_undo();
	ck_assert(has_table("a"));
}
END_TEST

START_TEST(down_undoes_the_newest)
{
	two_files_with_undo();
	ck_assert_int_eq(down(), 0);
	ck_assert(!has_table("b"));
	ck_assert(has_table("a"));
}
END_TEST

START_TEST(what_was_undone_is_pending_again)
{
	two_files_with_undo();
	ck_assert_int_eq(down(), 0);
	ck_assert_int_eq(status(), 1);
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(down_goes_back_to_the_beginning)
{
	two_files_with_undo();
	ck_assert_int_eq(down(), 0);
	ck_assert_int_eq(down(), 0);
	ck_assert_int_eq(down(), 1);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(without_an_undo_nothing_changes)
{
	two_files();
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(down(), 1);
	ck_assert_int_eq(redo(), 1);
	ck_assert(has_table("b"));
	ck_assert_int_eq(status(), 0);
}
END_TEST

START_TEST(an_undo_that_fails_changes_nothing)
{
	file("0001_a.sql", "CREATE TABLE a (x int);\n/* leat: down\nDROP TABLE a;\nDROP TABLE b;\n*/");
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(down(), 1);
	ck_assert(has_table("a"));
	ck_assert_int_eq(status(), 0);
}
END_TEST

START_TEST(an_edited_file_is_not_undone)
{
	two_files_with_undo();
	file("0002_b.sql", "CREATE TABLE b (y int);\n/* leat: down\nDROP TABLE b;\n*/");
	ck_assert_int_eq(down(), 1);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(redo_applies_the_file_as_it_stands_now)
{
	two_files_with_undo();
	file("0002_b.sql", "CREATE TABLE b (y int);\n/* leat: down\nDROP TABLE b;\n*/");
	ck_assert_int_eq(redo(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(y) FROM b"), 0);
	ck_assert_int_eq(status(), 0);
}
END_TEST

START_TEST(a_redo_that_fails_changes_nothing)
{
	two_files_with_undo();
	file("0002_b.sql", "CREATE TABLE b (y nonsense);\n/* leat: down\nDROP TABLE b;\n*/");
	ck_assert_int_eq(redo(), 1);
	ck_assert_int_eq(postgres_sql("SELECT count(x) FROM b"), 0);
}
END_TEST

START_TEST(a_file_that_is_too_late_is_let_in_by_going_back)
{
	file("0002_b.sql", "CREATE TABLE b AS SELECT 1 AS x;\n/* leat: down\nDROP TABLE b;\n*/");
	ck_assert_int_eq(up(), 0);
	file("0001_a.sql", "CREATE TABLE a (x int)");
	ck_assert_int_eq(up(), 1);
	ck_assert_int_eq(down(), 0);
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations"), 2);
}
END_TEST

START_TEST(an_undo_may_be_added_after_the_file_has_run)
{
	file("0001_a.sql", "CREATE TABLE a (x int);\n");
	ck_assert_int_eq(up(), 0);
	file("0001_a.sql", "CREATE TABLE a (x int);\n\n/* leat: down\nDROP TABLE a;\n*/\n");
	ck_assert_int_eq(status(), 0);
	ck_assert_int_eq(down(), 0);
}
END_TEST

START_TEST(an_undo_that_is_not_at_the_end_is_refused)
{
	file("0001_a.sql", "CREATE TABLE a (x int);\n/* leat: down\nDROP TABLE a;\n*/\nSELECT 1;\n");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(a_misspelt_comment_is_refused)
{
	file("0001_a.sql", "CREATE TABLE a (x int);\n-- leat: down\nDROP TABLE a;\n");
	ck_assert_int_eq(up(), 1);
	file("0001_a.sql", "-- leat: no transactions\nCREATE TABLE a (x int);\n");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("leat_migrations"));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("migrate_undo");

	postgres_need();
	HARNESS_CASE_WITH(s, "undo", setup, teardown, up_passes_over_the_undo, down_undoes_the_newest,
			  what_was_undone_is_pending_again, down_goes_back_to_the_beginning,
			  without_an_undo_nothing_changes, an_undo_that_fails_changes_nothing,
			  an_edited_file_is_not_undone, redo_applies_the_file_as_it_stands_now,
			  a_redo_that_fails_changes_nothing, an_undo_may_be_added_after_the_file_has_run,
			  a_file_that_is_too_late_is_let_in_by_going_back, an_undo_that_is_not_at_the_end_is_refused,
			  a_misspelt_comment_is_refused);
	return s;
}
