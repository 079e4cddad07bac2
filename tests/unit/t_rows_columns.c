/* t_rows_columns.c - values by column, against a real PostgreSQL. */
#include "tests/unit/rows_reading.h"

/* Columns ------------------------------------------------------------------------------------------------------------------- */

static const struct leat_statement every_type = {
	.sql = "SELECT 1::int2, 2::int4, 3::int8, 1.5::float4, 2.5::float8, true, 'text'::text, 'varchar'::varchar, "
	       "'char'::char(5), 'name'::name, '{\"a\": 1}'::json, '{\"b\": 2}'::jsonb, '\\x0102'::bytea, "
	       "'2000-01-01 00:00:01+00'::timestamptz, '2000-01-01 00:00:02'::timestamp, "
	       "'01020304-0506-0708-090a-0b0c0d0e0f10'::uuid, '{1,2}'::int2[], '{3}'::int4[], '{4,5,6}'::int8[], "
	       "'{a,b}'::text[], '{c}'::varchar[], '{}'::text[] FROM generate_series(1, 3)"
};

static bool is_text(leat_text text, const char *expected)
{
	return leat_text_equal(text, leat_text_from(expected));
}

static void expect_texts(struct leat_rows *rows)
{
	ck_assert(is_text(leat_rows_text(rows, 6), "text"));
	ck_assert(is_text(leat_rows_text(rows, 7), "varchar"));
	ck_assert(is_text(leat_rows_text(rows, 8), "char "));
	ck_assert(is_text(leat_rows_text(rows, 9), "name"));
	ck_assert(is_text(leat_rows_text(rows, 10), "{\"a\": 1}"));
	ck_assert(is_text(leat_rows_json(rows, 10).text, "{\"a\": 1}"));
	ck_assert(is_text(leat_rows_json(rows, 11).text, "{\"b\": 2}"));
	ck_assert_uint_eq(leat_rows_bytes(rows, 12).len, 2);
	ck_assert_mem_eq(leat_rows_bytes(rows, 12).ptr, "\x01\x02", 2);
}

static void expect_arrays(struct leat_rows *rows)
{
	ck_assert_uint_eq(leat_rows_ints(rows, 16).count, 2);
	ck_assert_int_eq(leat_rows_ints(rows, 16).items[1], 2);
	ck_assert_int_eq(leat_rows_ints(rows, 17).items[0], 3);
	ck_assert_int_eq(leat_rows_ints(rows, 18).items[2], 6);
	ck_assert(is_text(leat_rows_texts(rows, 19).items[1], "b"));
	ck_assert(is_text(leat_rows_texts(rows, 20).items[0], "c"));
	ck_assert_uint_eq(leat_rows_texts(rows, 21).count, 0);
	ck_assert_ptr_nonnull(leat_rows_texts(rows, 21).items);
}

static void expect_every_type(struct leat_rows *rows)
{
	for (int i = 0; i < 3; i++) {
		ck_assert_result(leat_rows_next(rows, NULL), LEAT_OK);
		for (int column = 0; column < 3; column++)
			ck_assert_int_eq(leat_rows_int(rows, column), column + 1);
		ck_assert_double_eq(leat_rows_float(rows, 3), 1.5);
		ck_assert_double_eq(leat_rows_float(rows, 4), 2.5);
		ck_assert(leat_rows_bool(rows, 5));
		expect_texts(rows);
		ck_assert_int_eq(leat_rows_time(rows, 13).us, INT64_C(946684801000000));
		ck_assert_int_eq(leat_rows_time(rows, 14).us, INT64_C(946684802000000));
		ck_assert_uint_eq(leat_rows_uuid(rows, 15).bytes[15], 16);
		expect_arrays(rows);
		for (int column = 0; column < 22; column++)
			ck_assert(!leat_rows_is_null(rows, column));
	}
	ck_assert_result(leat_rows_next(rows, NULL), LEAT_NOT_FOUND);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
}

TASK_TEST(every_type_is_read_by_column)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_stream(req, &every_type, &rows), LEAT_OK);
	expect_every_type(rows);
	ck_assert_result(leat_db_rows(req, &every_type, &rows), LEAT_OK);
	expect_every_type(rows);
}

static const struct leat_statement nulls = {
	.sql = "SELECT NULL::int8 AS number, NULL::text AS text, NULL::int8[] AS numbers, ''::text AS empty"
};

TASK_TEST(null_is_zero_or_absent)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_stream(req, &nulls, &rows), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, NULL), LEAT_OK);
	ck_assert(leat_rows_is_null(rows, 0));
	ck_assert_int_eq(leat_rows_int(rows, 0), 0);
	ck_assert_ptr_null(leat_rows_text(rows, 1).ptr);
	ck_assert_ptr_null(leat_rows_ints(rows, 2).items);
	ck_assert(!leat_rows_is_null(rows, 3));
	ck_assert_ptr_nonnull(leat_rows_text(rows, 3).ptr);
	ck_assert_uint_eq(leat_rows_text(rows, 3).len, 0);
	ck_assert_result(leat_rows_next(rows, NULL), LEAT_NOT_FOUND);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
}

TASK_TEST(a_column_is_found_by_its_name)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_rows(req, &count_to, &rows, LEAT_ARG(1)), LEAT_OK);
	ck_assert_int_eq(leat_rows_column(rows, "id"), 0);
	ck_assert_int_eq(leat_rows_column(rows, "name"), 1);
	ck_assert_int_eq(leat_rows_column(rows, "Name"), -1);
}

/* The row is gone on with; the error stays. */
static void expect_sticky(struct leat_rows *rows)
{
	ck_assert_int_eq(leat_rows_int(rows, 0), 1);
	ck_assert_result(leat_rows_next(rows, NULL), LEAT_INTERNAL);
	ck_assert_result(leat_rows_end(rows), LEAT_INTERNAL);
}

TASK_TEST(a_wrong_type_reads_as_zero_and_is_an_error)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(HUNDRED_THOUSAND)), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, NULL), LEAT_OK);
	ck_assert_int_eq(leat_rows_int(rows, 1), 0);
	ck_assert_ptr_null(leat_rows_text(rows, 0).ptr);
	expect_sticky(rows);
	expect_reuse(req);
}

TASK_TEST(so_does_a_column_that_is_not_there)
{
	struct leat_rows *rows;

	for (int column = -1; column <= 2; column += 3) {
		ck_assert_result(leat_db_rows(req, &count_to, &rows, LEAT_ARG(2)), LEAT_OK);
		ck_assert_result(leat_rows_next(rows, NULL), LEAT_OK);
		ck_assert_int_eq(leat_rows_int(rows, column), 0);
		ck_assert(leat_rows_is_null(rows, column));
		expect_sticky(rows);
	}
}

static const struct leat_statement infinite = { .sql = "SELECT 1::int8 AS n, 'infinity'::timestamptz AS at" };

TASK_TEST(so_does_a_value_that_does_not_fit)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_stream(req, &infinite, &rows), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, NULL), LEAT_OK);
	ck_assert_int_eq(leat_rows_time(rows, 1).us, 0);
	expect_sticky(rows);
}

static const struct leat_statement misfit = { .sql = "SELECT i AS id FROM generate_series(1::int8, 10) i",
					      .row = &pair_shape };

TASK_TEST(a_struct_that_does_not_fit_is_an_error)
{
	struct leat_rows *rows;
	struct pair pair;

	ck_assert_result(leat_db_stream(req, &misfit, &rows), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_INTERNAL);
	ck_assert_result(leat_rows_end(rows), LEAT_INTERNAL);
	expect_reuse(req);
}

/* The suite ----------------------------------------------------------------------------------------------------------------- */

Suite *suite(void)
{
	Suite *s = suite_create("rows_columns");

	postgres_need();
	ROWS_CASE(s, "columns", setup_patient, every_type_is_read_by_column, null_is_zero_or_absent,
		  a_column_is_found_by_its_name, a_wrong_type_reads_as_zero_and_is_an_error,
		  so_does_a_column_that_is_not_there, so_does_a_value_that_does_not_fit,
		  a_struct_that_does_not_fit_is_an_error);
	return s;
}
