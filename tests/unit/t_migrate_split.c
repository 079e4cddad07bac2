/* t_migrate_split.c - SQL into its statements. */
#include "back/migrate_split.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/harness.h"

/* Statements as they should come out, one behind the other, ended by NULL. */
static void splits(const char *sql, const char *const *expected)
{
	struct migrate_split split = { leat_text_from(sql), 1 };
	struct migrate_statement statement;

	for (; *expected; expected++) {
		ck_assert_msg(migrate_split_next(&split, &statement), "nothing for: %s", *expected);
		ck_assert_msg(leat_text_equal(statement.text, leat_text_from(*expected)), "got: %.*s; expected: %s",
			      LEAT_TEXT_PRINTF(statement.text), *expected);
	}
	ck_assert_msg(!migrate_split_next(&split, &statement), "too much: %.*s", LEAT_TEXT_PRINTF(statement.text));
}

#define SPLITS(sql, ...) splits(sql, (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

/* One statement, with another behind it. */
static void is_one(const char *statement)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "%s SELECT 2", statement);
	SPLITS(sql, statement, "SELECT 2");
}

START_TEST(semicolons_end_statements)
{
	SPLITS("SELECT 1; SELECT 2;\nSELECT 3", "SELECT 1;", "SELECT 2;", "SELECT 3");
}
END_TEST

START_TEST(nothing_is_no_statement)
{
	SPLITS("");
	SPLITS(" \n\t");
	SPLITS("; ;;\n; -- nothing\n /* at all */ ;");
}
END_TEST

START_TEST(what_stands_before_and_behind_is_left_out)
{
	SPLITS("-- first;\n/* then; */ SELECT 1; -- last;\n", "SELECT 1;");
}
END_TEST

START_TEST(each_knows_its_line)
{
	struct migrate_split split = { LEAT_TEXT_OF("\n-- a\nSELECT\n1;\n\nSELECT 2"), 10 };
	struct migrate_statement statement;

	ck_assert(migrate_split_next(&split, &statement));
	ck_assert_uint_eq(statement.line, 12);
	ck_assert(migrate_split_next(&split, &statement));
	ck_assert_uint_eq(statement.line, 15);
}
END_TEST

START_TEST(quotes_hide_semicolons)
{
	is_one("SELECT ';';");
	is_one("SELECT 'it''s;';");
	is_one("SELECT \"a;\"\"b;\";");
}
END_TEST

START_TEST(a_backslash_is_itself_but_for_e_strings)
{
	is_one("SELECT '\\';");
	is_one("SELECT E'\\';';");
	is_one("SELECT e'\\\\';");
	is_one("SELECT type'\\';");
}
END_TEST

START_TEST(comments_inside_hide_semicolons_and_nest)
{
	is_one("SELECT 1 -- one; two\n;");
	is_one("SELECT /* a; /* b; */ c; */ 1;");
	is_one("SELECT 1 - - 1 / 2;");
}
END_TEST

START_TEST(dollar_quotes_hide_all)
{
	is_one("DO $$ BEGIN PERFORM ';'; END $$;");
	is_one("DO $do$ BEGIN $$;$$; '; END $do$;");
	is_one("SELECT a$b;");
	is_one("SELECT $1;");
	is_one("SELECT $1$2;");
}
END_TEST

START_TEST(parentheses_hold_statements_together)
{
	is_one("CREATE RULE r AS ON INSERT TO a DO (SELECT 1; SELECT 2);");
	SPLITS("SELECT ); SELECT 2", "SELECT );", "SELECT 2");
}
END_TEST

START_TEST(a_functions_body_is_one_statement)
{
	is_one("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;");
	is_one("create or replace procedure p() begin atomic; end;");
}
END_TEST

START_TEST(begin_elsewhere_begins_no_body)
{
	SPLITS("BEGIN; SELECT 1; END;", "BEGIN;", "SELECT 1;", "END;");
	SPLITS("CREATE TABLE begin (x int); SELECT 2", "CREATE TABLE begin (x int);", "SELECT 2");
}
END_TEST

START_TEST(what_is_not_closed_goes_to_the_end)
{
	SPLITS("SELECT 1; SELECT 'a; SELECT 2;", "SELECT 1;", "SELECT 'a; SELECT 2;");
	SPLITS("SELECT E'a\\", "SELECT E'a\\");
	SPLITS("SELECT $a$ ; $a", "SELECT $a$ ; $a");
	SPLITS("SELECT 1 /* ;", "SELECT 1 /* ;");
	SPLITS("SELECT 1; /* ;", "SELECT 1;");
	SPLITS("SELECT $", "SELECT $");
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("migrate_split");

	HARNESS_CASE(s, "statements", semicolons_end_statements, nothing_is_no_statement,
		     what_stands_before_and_behind_is_left_out, each_knows_its_line);
	HARNESS_CASE(s, "what hides semicolons", quotes_hide_semicolons, a_backslash_is_itself_but_for_e_strings,
		     comments_inside_hide_semicolons_and_nest, dollar_quotes_hide_all,
		     parentheses_hold_statements_together, a_functions_body_is_one_statement,
		     begin_elsewhere_begins_no_body, what_is_not_closed_goes_to_the_end);
	return s;
}
