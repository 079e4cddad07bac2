/* t_verify.c - statements against a real PostgreSQL: what fits, and what is said of what does not. */
#include "back/verify.h"

#include <string.h>

#include "base/settings.h"
#include "tests/unit/harness.h"
#include "tests/unit/postgres.h"

struct person {
	int64_t id;
	leat_text name;
	leat_text note;
};

static const struct leat_shape person_shape = LEAT_SHAPE(struct person, LEAT_INT(id), LEAT_TEXT(name), LEAT_TEXT(note, .optional = true));

static struct settings settings;
static char *said;
static size_t said_len;

static void setup(void)
{
	settings.database_url = getenv("LEAT_TEST_DATABASE");
	settings.db_connect_timeout = 5000;
	postgres_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS people;"
		     "CREATE TABLE people (id int8 PRIMARY KEY, name text NOT NULL, note text, born date)");
}

static void teardown(void)
{
	free(said);
}

static enum verify_verdict verify(const struct leat_statement *const *statements, unsigned count)
{
	enum verify_verdict verdict;
	FILE *out;

	free(said);
	out = open_memstream(&said, &said_len);
	ck_assert_ptr_nonnull(out);
	verdict = verify_statements(&settings, statements, count, out);
	fclose(out);
	return verdict;
}

static void is_fine(const char *sql, const struct leat_shape *row)
{
	const struct leat_statement statement = { .sql = sql, .row = row, .name = "people_all" };

	ck_assert_msg(verify((const struct leat_statement *const[]){ &statement }, 1) == VERIFY_FINE, "%s", said);
	ck_assert_str_eq(said, "");
}

/* One line, whole. */
static void is_faulty(const char *sql, const struct leat_shape *row, const char *line)
{
	const struct leat_statement statement = { .sql = sql, .row = row, .name = "people_all" };

	ck_assert_int_eq(verify((const struct leat_statement *const[]){ &statement }, 1), VERIFY_FAULTY);
	ck_assert_str_eq(said, line);
}

START_TEST(columns_that_fit_are_fine)
{
	is_fine("SELECT id, name, note FROM people WHERE id = $1", &person_shape);
}
END_TEST

START_TEST(order_case_and_more_columns_do_not_matter)
{
	is_fine("SELECT born, note, name::varchar(9), id::int2 FROM people", &person_shape);
}
END_TEST

START_TEST(an_optional_field_needs_no_column)
{
	is_fine("INSERT INTO people (id, name) VALUES ($1, $2) RETURNING id, name", &person_shape);
}
END_TEST

START_TEST(a_statement_without_a_shape_may_have_rows_or_none)
{
	is_fine("DELETE FROM people WHERE id = $1", NULL);
	is_fine("SELECT 1", NULL);
}
END_TEST

START_TEST(nothing_is_executed)
{
	is_fine("INSERT INTO people (id, name) VALUES (1, 'Ada')", NULL);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people"), 0);
}
END_TEST

START_TEST(a_missing_column_is_told)
{
	is_faulty("SELECT id, note FROM people", &person_shape,
		  "statement people_all: there is no column name; its field in struct person is not optional and takes "
		  "text, "
		  "character varying, character, name or json; it begins: SELECT id, note FROM people\n");
}
END_TEST

START_TEST(a_column_of_another_type_is_told)
{
	is_faulty("SELECT born AS id, name FROM people", &person_shape,
		  "statement people_all: column id is of type date, and its field in struct person takes bigint, "
		  "integer or "
		  "smallint; it begins: SELECT born AS id, name FROM people\n");
}
END_TEST

START_TEST(two_columns_of_a_name_are_told)
{
	is_faulty("SELECT a.id, b.id, a.name FROM people a, people b", &person_shape,
		  "statement people_all: there are 2 columns id, and struct person has one field of that name; it "
		  "begins: "
		  "SELECT a.id, b.id, a.name FROM people a, people b\n");
}
END_TEST

START_TEST(a_shape_without_rows_is_told)
{
	is_faulty("DELETE FROM people", &person_shape,
		  "statement people_all: it has no rows, and a shape for them, struct person; it begins: DELETE FROM "
		  "people\n");
}
END_TEST

START_TEST(what_the_server_refuses_is_told)
{
	is_faulty("SELECT id FROM nobody", &person_shape,
		  "statement people_all: the server refuses it: relation \"nobody\" does not exist (42P01, character "
		  "16); it "
		  "begins: SELECT id FROM nobody\n");
}
END_TEST

START_TEST(a_long_text_is_shown_by_its_beginning_on_one_line)
{
	is_faulty("DELETE FROM\n\tpeople WHERE id = 1000000 OR id = 1000001 OR id = 1000002", &person_shape,
		  "statement people_all: it has no rows, and a shape for them, struct person; it begins: DELETE FROM "
		  "people WHERE "
		  "id = 1000000 OR id = 1000001 OR ...\n");
}
END_TEST

START_TEST(every_fault_of_every_statement_is_told)
{
	static const struct leat_statement first = { .sql = "SELECT born AS id FROM people",
						     .row = &person_shape,
						     .name = "a" };
	static const struct leat_statement second = { .sql = "SELECT nonsense", .name = "b" };
	static const struct leat_statement third = { .sql = "SELECT 1 AS id", .row = &person_shape };
	unsigned lines = 0;

	ck_assert_int_eq(verify((const struct leat_statement *const[]){ &first, &second, &third }, 3), VERIFY_FAULTY);
	for (size_t i = 0; i < said_len; i++)
		lines += said[i] == '\n';
	ck_assert_uint_eq(lines, 4);
	ck_assert_ptr_nonnull(strstr(said, "statement without a name: "));
}
END_TEST

/* What may be NULL ---------------------------------------------------------------------------------------------------- */

struct label {
	leat_text note;
};

static const struct leat_shape label_shape = LEAT_SHAPE(struct label, LEAT_TEXT(note));

/* One line, or none; and the verdict stays. */
static void is_told(const char *sql, const char *line)
{
	const struct leat_statement statement = { .sql = sql, .row = &label_shape, .name = "all_notes" };

	ck_assert_int_eq(verify((const struct leat_statement *const[]){ &statement }, 1), VERIFY_FINE);
	ck_assert_str_eq(said, line);
}

START_TEST(a_column_that_may_be_null_is_warned_of)
{
	is_told("SELECT note FROM people", "warning: statement all_notes: column note may be NULL, as people.note may, "
					   "and its field in struct label is not "
					   "optional; it begins: SELECT note FROM people\n");
}
END_TEST

START_TEST(a_column_under_another_name_is_warned_of)
{
	postgres_sql("ALTER TABLE people ADD \"Nick name\" text");
	is_told("UPDATE people SET name = $1 RETURNING \"Nick name\" AS note",
		"warning: statement all_notes: column note may be NULL, as people.\"Nick name\" may, and its field in "
		"struct label "
		"is not optional; it begins: UPDATE people SET name = $1 RETURNING \"Nick name\" AS note\n");
}
END_TEST

START_TEST(a_column_that_is_not_null_is_not_warned_of)
{
	is_told("SELECT name AS note FROM people", "");
}
END_TEST

START_TEST(a_type_that_takes_no_null_is_not_warned_of)
{
	postgres_sql("SET client_min_messages = warning; DROP DOMAIN IF EXISTS remark CASCADE; CREATE DOMAIN remark AS "
		     "text NOT NULL;"
		     "ALTER TABLE people ADD remark remark");
	is_told("SELECT remark::text AS note FROM people", "");
	is_told("SELECT remark AS note FROM people", "");
}
END_TEST

START_TEST(an_expression_is_not_warned_of)
{
	is_told("SELECT coalesce(note, '') AS note FROM people", "");
}
END_TEST

/* All columns of a view may be NULL as far as the catalogue says. */
START_TEST(a_view_is_not_warned_of)
{
	postgres_sql("CREATE VIEW notes AS SELECT note FROM people WHERE note IS NOT NULL");
	is_told("SELECT note FROM notes", "");
	postgres_sql("DROP VIEW notes");
}
END_TEST

START_TEST(without_a_database_nothing_is_checked)
{
	settings.database_url = "";
	ck_assert_int_eq(verify(NULL, 3), VERIFY_NOT_DONE);
	ck_assert_str_eq(said, "3 statements were not checked: database_url is not set\n");
}
END_TEST

START_TEST(a_server_that_is_away_is_no_fault)
{
	settings.database_url = "host=/nonexistent";
	ck_assert_int_eq(verify(NULL, 1), VERIFY_NOT_DONE);
	ck_assert_msg(strncmp(said, "1 statement was not checked: ", 29) == 0, "%s", said);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("verify");

	postgres_need();
	HARNESS_CASE_WITH(s, "what fits", setup, teardown, columns_that_fit_are_fine,
			  order_case_and_more_columns_do_not_matter, an_optional_field_needs_no_column,
			  a_statement_without_a_shape_may_have_rows_or_none, nothing_is_executed);
	HARNESS_CASE_WITH(s, "faults", setup, teardown, a_missing_column_is_told, a_column_of_another_type_is_told,
			  two_columns_of_a_name_are_told, a_shape_without_rows_is_told, what_the_server_refuses_is_told,
			  a_long_text_is_shown_by_its_beginning_on_one_line, every_fault_of_every_statement_is_told);
	HARNESS_CASE_WITH(s, "what may be null", setup, teardown, a_column_that_may_be_null_is_warned_of,
			  a_column_under_another_name_is_warned_of, a_column_that_is_not_null_is_not_warned_of,
			  a_type_that_takes_no_null_is_not_warned_of, an_expression_is_not_warned_of,
			  a_view_is_not_warned_of);
	HARNESS_CASE_WITH(s, "not checked", setup, teardown, without_a_database_nothing_is_checked,
			  a_server_that_is_away_is_no_fault);
	return s;
}
