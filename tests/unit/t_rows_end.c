/* t_rows_end.c - streams that end early, late, or with their connection, against a real PostgreSQL. */
#include "tests/unit/rows_reading.h"

/* Rows enough to be sent, and then none for a while. */
static const struct leat_statement stalls = {
	.sql = "SELECT i::int8 AS id, CASE WHEN i = 3000 THEN pg_sleep(20)::text ELSE repeat('x', 100) END AS name "
	       "FROM generate_series(1, 4000) i",
	.row = &pair_shape,
	.read_only = true
};

static int64_t busy_backends(void)
{
	return postgres_sql(
		"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat' AND state <> 'idle'");
}

static int64_t streaming_backends(void)
{
	return postgres_sql(
		"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat' AND state = 'active' AND "
		"query LIKE '%generate_series%'");
}

/* Ending -------------------------------------------------------------------------------------------------------------------- */

TASK_TEST(an_early_end_cancels_the_rest_and_keeps_the_connection)
{
	struct leat_rows *rows;
	struct pair pair;

	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(10 * MILLION)), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_OK);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
	ck_assert_int_eq(busy_backends(), 0);
	expect_reuse(req);
}

TASK_TEST(an_early_end_of_what_was_all_sent_needs_no_cancel)
{
	struct leat_rows *rows;

	for (int i = 0; i < 50; i++) {
		ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(3)), LEAT_OK);
		ck_assert_result(leat_rows_next(rows, NULL), LEAT_OK);
		ck_assert_result(leat_rows_end(rows), LEAT_OK);
	}
	expect_reuse(req);
}

TASK_TEST(an_end_before_the_first_row_was_asked_for_is_one_too)
{
	struct leat_rows *rows;

	ck_assert_result(leat_db_stream(req, &stalls, &rows), LEAT_OK);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
	ck_assert_int_eq(busy_backends(), 0);
	expect_reuse(req);
}

static void forget(struct leat_request *req)
{
	struct leat_rows *rows;

	job_of(req)->result = leat_db_stream(req, &count_to, &rows, LEAT_ARG(10 * MILLION));
	if (job_of(req)->result == LEAT_OK)
		job_of(req)->result = leat_rows_next(rows, NULL);
}

START_TEST(a_forgotten_stream_ends_with_its_request)
{
	struct job job = { 0 };

	start(&job, forget, LIMIT_S * 1000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
	TURN_UNTIL(is_at_rest());
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_BAD_CLOSED), 1);
	TURN_UNTIL(streaming_backends() == 0);
}
END_TEST

static void read_until_stalled(struct leat_request *req)
{
	struct leat_rows *rows;

	job_of(req)->result = leat_db_stream(req, &stalls, &rows);
	if (job_of(req)->result != LEAT_OK)
		return;
	while (leat_rows_next(rows, NULL) == LEAT_OK)
		;
	job_of(req)->result = leat_rows_end(rows);
}

START_TEST(a_deadline_ends_it_in_the_middle)
{
	struct job job = { 0 };

	start(&job, read_until_stalled, 300);
	finish_all();
	ck_assert_result(job.result, LEAT_TIMED_OUT);
	ck_assert_int_lt(job.took_ms, 300 + LENIENT_MS);
	ck_assert_uint_gt(metrics_total(METRIC_DB_ROWS_STREAMED), 100);
	ck_assert_uint_eq(metrics_total(METRIC_DB_TIMEOUTS), 1);
	TURN_UNTIL(is_at_rest());
	TURN_UNTIL(streaming_backends() == 0);
}
END_TEST

START_TEST(a_client_that_leaves_ends_it_in_the_middle)
{
	struct job job = { 0 };

	start(&job, read_until_stalled, LIMIT_S * 1000);
	TURN_UNTIL(is_asleep());
	task_cancel(job.task);
	finish_all();
	ck_assert_result(job.result, LEAT_CANCELLED);
	TURN_UNTIL(is_at_rest());
	TURN_UNTIL(streaming_backends() == 0);
}
END_TEST

START_TEST(a_backend_that_is_killed_ends_it_in_the_middle)
{
	struct job job = { 0 };

	start(&job, read_until_stalled, LIMIT_S * 1000);
	TURN_UNTIL(is_asleep());
	kill_backends();
	finish_all();
	ck_assert_result(job.result, LEAT_UNAVAILABLE);
	TURN_UNTIL(is_at_rest());
}
END_TEST

START_TEST(a_server_that_dies_ends_it_in_the_middle)
{
	struct job job = { 0 };

	start(&job, read_until_stalled, LIMIT_S * 1000);
	TURN_UNTIL(is_asleep());
	control("restart -m immediate");
	finish_all();
	ck_assert_result(job.result, LEAT_UNAVAILABLE);
	TURN_UNTIL(is_at_rest());
}
END_TEST

TASK_TEST(a_read_whose_connection_died_in_the_pool_is_sent_again)
{
	struct leat_rows *rows;

	stream_two(req);
	kill_backends();
	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(100)), LEAT_OK);
	read_all(rows, 100);
	ck_assert_uint_eq(metrics_total(METRIC_DB_RETRIES), 1);
}

TASK_TEST(a_write_whose_connection_died_in_the_pool_is_not)
{
	struct leat_rows *rows;

	stream_two(req);
	kill_backends();
	ck_assert_result(leat_db_stream(req, &renamed, &rows), LEAT_UNAVAILABLE);
	ck_assert_uint_eq(metrics_total(METRIC_DB_RETRIES), 0);
}

/* The suite ----------------------------------------------------------------------------------------------------------------- */

Suite *suite(void)
{
	Suite *s = suite_create("rows_end");

	postgres_need();
	ROWS_CASE(s, "ends", setup_patient, an_early_end_cancels_the_rest_and_keeps_the_connection,
		  an_early_end_of_what_was_all_sent_needs_no_cancel,
		  an_end_before_the_first_row_was_asked_for_is_one_too, a_forgotten_stream_ends_with_its_request,
		  a_deadline_ends_it_in_the_middle, a_client_that_leaves_ends_it_in_the_middle);
	ROWS_CASE(s, "losses", setup_patient, a_backend_that_is_killed_ends_it_in_the_middle,
		  a_server_that_dies_ends_it_in_the_middle, a_read_whose_connection_died_in_the_pool_is_sent_again,
		  a_write_whose_connection_died_in_the_pool_is_not);
	ROWS_BOUNCER_CASE(s, an_early_end_cancels_the_rest_and_keeps_the_connection);
	return s;
}
