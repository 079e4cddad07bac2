/* t_rows.c - whole results row by row, and errors in them, against a real PostgreSQL. */
#include "tests/unit/rows_reading.h"

/* Whole results ------------------------------------------------------------------------------------------------------------ */

TASK_TEST(a_stream_has_every_row_once_and_in_order)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(10000)), LEAT_OK);
	read_all(rows, 10000);
	ck_assert_uint_eq(metrics_total(METRIC_DB_ROWS_STREAMED), 10000);
	expect_reuse(req);
}

TASK_TEST(rows_in_memory_are_read_in_the_same_way)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_rows(req, &count_to, &rows, LEAT_ARG(1000)), LEAT_OK);
	read_all(rows, 1000);
	ck_assert_uint_eq(metrics_total(METRIC_DB_ROWS_STREAMED), 0);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 0);
}

TASK_TEST(no_rows_are_no_error)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(0)), LEAT_OK);
	ck_assert_int_eq(leat_rows_column(rows, "name"), 1);
	ck_assert_result(leat_rows_next(rows, NULL), LEAT_NOT_FOUND);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
	ck_assert_result(leat_db_rows(req, &count_to, &rows, LEAT_ARG(0)), LEAT_OK);
	ck_assert_int_eq(leat_rows_column(rows, "name"), 1);
	ck_assert_result(leat_rows_next(rows, NULL), LEAT_NOT_FOUND);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
	expect_reuse(req);
}

TASK_TEST(what_returns_no_rows_is_run)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_stream(req, &add_person, &rows, LEAT_ARG(40), LEAT_ARG("forty")), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, NULL), LEAT_NOT_FOUND);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id = 40"), 1);
}

TASK_TEST(a_write_returns_its_rows)
{
	struct leat_rows *rows;
	int count = 0;

	ck_assert_result(leat_db_stream(req, &renamed, &rows), LEAT_OK);
	while (leat_rows_next(rows, NULL) == LEAT_OK)
		count++;
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
	ck_assert_int_eq(count, 3);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE name LIKE '%!'"), 3);
}

static void stream_some(struct leat_request *req)
{
	struct leat_rows *rows;

	job_of(req)->result = leat_db_stream(req, &count_to, &rows, LEAT_ARG(5000));
	if (job_of(req)->result == LEAT_OK)
		read_all(rows, 5000);
}

START_TEST(many_streams_share_a_few_connections)
{
	static struct job jobs[20];

	for (int i = 0; i < 20; i++) {
		jobs[i] = (struct job){ 0 };
		start(&jobs[i], stream_some, LIMIT_S * 1000);
	}
	while (loop_task_count(loop) > 0) {
		turn();
		ck_assert_uint_le(metrics_total(METRIC_DB_LENT_OPEN), 4);
	}
	for (int i = 0; i < 20; i++)
		ck_assert_result(jobs[i].result, LEAT_OK);
	TURN_UNTIL(is_at_rest());
}
END_TEST

/* Errors -------------------------------------------------------------------------------------------------------------------- */

TASK_TEST(rows_before_an_error_are_delivered)
{
	struct leat_rows *rows;
	struct pair pair;
	int64_t seen = 0;

	ck_assert_result(leat_db_stream(req, &fails_at_5000, &rows, LEAT_ARG(10000)), LEAT_OK);
	while (leat_rows_next(rows, &pair) == LEAT_OK)
		ck_assert_int_eq(pair.id, ++seen);
	ck_assert_int_eq(seen, 4999);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_INTERNAL);
	ck_assert_result(leat_rows_end(rows), LEAT_INTERNAL);
	ck_assert_result(leat_rows_end(rows), LEAT_INTERNAL);
	expect_reuse(req);
}

static const struct leat_statement wrong_text = { .sql = "SELECT no_such_column" };
static const struct leat_statement copy = { .sql = "COPY people TO STDOUT" };
static const struct leat_statement over_range = { .sql = "SELECT $1::int4 AS n", .row = &number_shape };

TASK_TEST(an_error_before_the_first_row_is_told_at_the_opening)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_stream(req, &wrong_text, &rows), LEAT_INTERNAL);
	ck_assert_result(leat_db_stream(req, &over_range, &rows, LEAT_ARG(INT64_MAX)), LEAT_INVALID);
	ck_assert_result(leat_db_stream(req, &over_range, &rows, LEAT_ARG(((leat_text){ "a\0b", 3 }))), LEAT_INTERNAL);
	ck_assert_result(leat_db_rows(req, &wrong_text, &rows), LEAT_INTERNAL);
	expect_reuse(req);
}

TASK_TEST(a_copy_is_no_stream_and_costs_its_connection)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_stream(req, &copy, &rows), LEAT_INTERNAL);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_BAD_CLOSED), 1);
	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(1)), LEAT_OK);
	read_all(rows, 1);
}

/* Texts of a long list point into the result: they must live as long as the request. */
TASK_TEST(texts_of_long_and_short_lists_stay)
{
	struct leat_list lists[3];
	const int64_t counts[3] = { 3, 16, 1000 };

	for (int i = 0; i < 3; i++)
		ck_assert_result(leat_db_all(req, &count_to, &lists[i], LEAT_ARG(counts[i])), LEAT_OK);
	for (int i = 0; i < 3; i++) {
		const struct pair *pairs = lists[i].items;

		ck_assert_uint_eq(lists[i].count, (size_t)counts[i]);
		for (size_t at = 0; at < lists[i].count; at++)
			ck_assert(is_row(&pairs[at], (int64_t)at + 1));
	}
}

/* The suite ----------------------------------------------------------------------------------------------------------------- */

Suite *suite(void)
{
	Suite *s = suite_create("rows");

	postgres_need();
	ROWS_CASE(s, "whole", setup_patient, a_stream_has_every_row_once_and_in_order,
		  rows_in_memory_are_read_in_the_same_way, no_rows_are_no_error, what_returns_no_rows_is_run,
		  a_write_returns_its_rows, many_streams_share_a_few_connections, texts_of_long_and_short_lists_stay);
	ROWS_CASE(s, "errors", setup, rows_before_an_error_are_delivered,
		  an_error_before_the_first_row_is_told_at_the_opening, a_copy_is_no_stream_and_costs_its_connection);
	ROWS_BOUNCER_CASE(s, a_stream_has_every_row_once_and_in_order);
	return s;
}
