/* t_rows.c - results row by row and by column, against a real PostgreSQL. */
#include <malloc.h>

#include "base/annotate.h"
#include "tests/unit/people.h"

/* Sanitizers are slow. */
#if defined(LEAT_WITH_ASAN) || defined(LEAT_WITH_TSAN)
enum { HUNDRED_THOUSAND = 100000, MILLION = HUNDRED_THOUSAND };
#else
enum { HUNDRED_THOUSAND = 100000, MILLION = 1000000 };
#endif

struct pair {
	int64_t id;
	leat_text name;
};

static const struct leat_shape pair_shape = LEAT_SHAPE(struct pair, LEAT_INT(id), LEAT_TEXT(name));

/* Made as they are asked for; a function in FROM is run to its end first. */
static const struct leat_statement count_to = {
	.sql = "SELECT i AS id, 'row ' || i AS name FROM (SELECT generate_series(1, $1::int8) AS i) AS numbers",
	.row = &pair_shape,
	.read_only = true
};
static const struct leat_statement long_texts = {
	.sql = "SELECT i::int8 AS id, repeat('x', 1000) AS name FROM generate_series(1, $1::int8) i",
	.row = &pair_shape,
	.read_only = true
};
static const struct leat_statement with_arrays = {
	.sql = "SELECT array_fill(i::int8, ARRAY[100]) AS numbers FROM generate_series(1, $1::int8) i",
	.read_only = true
};
static const struct leat_statement fails_at_5000 = {
	.sql = "SELECT i::int8 AS id, (10 / (5000 - i))::text AS name FROM generate_series(1, $1::int8) i",
	.row = &pair_shape,
	.read_only = true
};
/* Rows enough to be sent, and then none for a while. */
static const struct leat_statement stalls = {
	.sql = "SELECT i::int8 AS id, CASE WHEN i = 3000 THEN pg_sleep(20)::text ELSE repeat('x', 100) END AS name "
	       "FROM generate_series(1, 4000) i",
	.row = &pair_shape,
	.read_only = true
};
static const struct leat_statement renamed = { .sql = "UPDATE people SET name = name || '!' RETURNING id, name",
					       .row = &pair_shape };

static bool is_at_rest(void)
{
	return !db_is_returning(db) && metrics_total(METRIC_DB_LENT_OPEN) == metrics_total(METRIC_DB_LENT_IDLE) &&
	       metrics_total(METRIC_DB_IN_FLIGHT) == 0;
}

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

static int64_t waiting_to_write(void)
{
	return postgres_sql(
		"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat' AND wait_event = 'ClientWrite'");
}

static void stream_two(struct leat_request *req)
{
	struct leat_rows *rows;
	struct pair pair;

	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(2)), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_OK);
	ck_assert_int_eq(pair.id, 1);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_NOT_FOUND);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
}

/* The connection that has served a stream is the one that the next one gets, and fit for use. */
static void expect_reuse(struct leat_request *req)
{
	while (!is_at_rest())
		task_yield();
	stream_two(req);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 1);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_BAD_CLOSED), 0);
}

static bool is_row(const struct pair *pair, int64_t id)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "row %" PRId64, id);
	return pair->id == id && leat_text_equal(pair->name, leat_text_from(expected));
}

/* Whole results ------------------------------------------------------------------------------------------------------------ */

static void read_all(struct leat_rows *rows, int64_t count)
{
	struct pair pair;

	for (int64_t i = 1; i <= count; i++) {
		ck_assert_result(leat_rows_next(rows, &pair), LEAT_OK);
		ck_assert_msg(is_row(&pair, i), "row %" PRId64 " is another", i);
	}
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_NOT_FOUND);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_NOT_FOUND);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
}

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

/* What the process has in use, in bytes. */
static size_t memory_in_use(void)
{
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static void stream_flat(struct leat_request *req, const struct leat_statement *statement, int64_t count)
{
	struct arena *arena = call_of(req)->arena;
	struct leat_rows *rows;
	struct pair pair;
	int64_t seen = 0;
	size_t in_use = 0;
	const char *at = NULL;

	ck_assert_result(leat_db_stream(req, statement, &rows, LEAT_ARG(count)), LEAT_OK);
	while (leat_rows_next(rows, statement->row ? (void *)&pair : NULL) == LEAT_OK) {
		if (!statement->row)
			ck_assert_uint_eq(leat_rows_ints(rows, 0).count, 100);
		if (++seen == 1000) {
			in_use = memory_in_use();
			at = arena->at;
		}
		if (seen % 1000 == 0 && seen > 1000)
			ck_assert_uint_lt(memory_in_use(), in_use + 256 * 1024);
	}
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
	ck_assert_int_eq(seen, count);
	ck_assert_ptr_eq(at, arena->at);
}

TASK_TEST(a_million_rows_take_no_more_memory_than_a_thousand)
{
	stream_flat(req, &count_to, MILLION);
	ck_assert_uint_eq(metrics_total(METRIC_DB_ROWS_STREAMED), MILLION);
	expect_reuse(req);
}

TASK_TEST(nor_do_long_texts_and_arrays)
{
	stream_flat(req, &long_texts, HUNDRED_THOUSAND / 10);
	stream_flat(req, &with_arrays, HUNDRED_THOUSAND / 10);
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

/* Back-pressure ------------------------------------------------------------------------------------------------------------- */

TASK_TEST(the_server_waits_while_nobody_asks)
{
	struct leat_rows *rows;
	size_t in_use;

	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(HUNDRED_THOUSAND)), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, NULL), LEAT_OK);
	while (waiting_to_write() == 0)
		task_yield();
	in_use = memory_in_use();
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(waiting_to_write(), 1);
		ck_assert_result(wait_sleep(clock_now_ns() + 10 * CLOCK_MS, call_of(req)->deadline_ns), LEAT_OK);
	}
	ck_assert_uint_lt(memory_in_use(), in_use + 64 * 1024);
	for (int64_t i = 2; i <= HUNDRED_THOUSAND; i++)
		ck_assert(leat_rows_next(rows, NULL) == LEAT_OK);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
	expect_reuse(req);
}

/* Beside other statements ----------------------------------------------------------------------------------------------------- */

static enum leat_result read_backend(struct leat_request *req, void *arg)
{
	return leat_db_one(req, &backend, arg);
}

TASK_TEST(other_statements_go_to_the_lanes_meanwhile)
{
	struct leat_rows *rows;
	struct number lane, again;
	struct pair pair;

	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(100000)), LEAT_OK);
	for (int64_t i = 1; i <= 10; i++) {
		ck_assert_result(leat_rows_next(rows, &pair), LEAT_OK);
		ck_assert_result(leat_db_one(req, &backend, &lane), LEAT_OK);
		ck_assert_result(leat_db_one(req, &backend, &again), LEAT_OK);
		ck_assert_int_eq(lane.n, again.n);
		ck_assert(is_row(&pair, i));
	}
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
	expect_reuse(req);
}

TASK_TEST(no_second_connection_is_waited_for)
{
	struct leat_rows *rows, *second;
	struct number number;

	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(100)), LEAT_OK);
	ck_assert_result(leat_db_stream(req, &count_to, &second, LEAT_ARG(100)), LEAT_INTERNAL);
	ck_assert_result(leat_tx(req, NULL, read_backend, &number), LEAT_INTERNAL);
	read_all(rows, 100);
	ck_assert_result(leat_tx(req, NULL, read_backend, &number), LEAT_OK);
	expect_reuse(req);
}

/* In a transaction ------------------------------------------------------------------------------------------------------------ */

static enum leat_result stream_in_tx(struct leat_request *req, void *arg)
{
	struct leat_rows *rows, *second;
	struct leat_query *query;
	struct number number;

	(void)arg;
	LEAT_TRY(leat_db_exec(req, &add_person, NULL, LEAT_ARG(50), LEAT_ARG("fifty")));
	LEAT_TRY(leat_db_send(req, &add_person, &query, LEAT_ARG(51), LEAT_ARG("sent before")));
	LEAT_TRY(leat_db_stream(req, &count_to, &rows, LEAT_ARG(1000)));
	ck_assert_result(leat_db_one(req, &backend, &number), LEAT_INTERNAL);
	ck_assert_result(leat_db_stream(req, &count_to, &second, LEAT_ARG(1)), LEAT_INTERNAL);
	ck_assert_result(leat_tx(req, NULL, read_backend, &number), LEAT_INTERNAL);
	read_all(rows, 1000);
	LEAT_TRY(leat_db_wait(req, query, NULL));
	LEAT_TRY(leat_tx(req, NULL, read_backend, &number));
	return leat_db_exec(req, &add_person, NULL, LEAT_ARG(52), LEAT_ARG("after"));
}

TASK_TEST(a_stream_is_part_of_its_transaction)
{
	ck_assert_result(leat_tx(req, NULL, stream_in_tx, NULL), LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id BETWEEN 50 AND 52"), 3);
	expect_reuse(req);
}

static enum leat_result see_own_rows(struct leat_request *req, void *arg)
{
	static const struct leat_statement all = { .sql = "SELECT id, name FROM people ORDER BY id",
						   .row = &pair_shape };
	struct leat_rows *rows;
	struct pair pair;

	LEAT_TRY(leat_db_exec(req, &add_person, NULL, LEAT_ARG(60), LEAT_ARG("not committed")));
	LEAT_TRY(leat_db_stream(req, &all, &rows));
	while (leat_rows_next(rows, &pair) == LEAT_OK)
		*(int64_t *)arg = pair.id;
	return leat_rows_end(rows);
}

TASK_TEST(it_sees_what_the_transaction_has_written)
{
	int64_t last = 0;

	ck_assert_result(leat_tx(req, NULL, see_own_rows, &last), LEAT_OK);
	ck_assert_int_eq(last, 60);
}

static enum leat_result end_early_in_tx(struct leat_request *req, void *arg)
{
	struct leat_rows *rows;

	(void)arg;
	LEAT_TRY(leat_db_stream(req, &count_to, &rows, LEAT_ARG(50000)));
	LEAT_TRY(leat_rows_next(rows, NULL));
	LEAT_TRY(leat_rows_end(rows));
	return leat_db_exec(req, &add_person, NULL, LEAT_ARG(70), LEAT_ARG("after an early end"));
}

TASK_TEST(an_early_end_leaves_the_transaction_whole)
{
	ck_assert_result(leat_tx(req, NULL, end_early_in_tx, NULL), LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id = 70"), 1);
	expect_reuse(req);
}

static enum leat_result fail_after_the_end(struct leat_request *req, void *arg)
{
	struct leat_rows *rows;

	(void)arg;
	LEAT_TRY(leat_db_stream(req, &fails_at_5000, &rows, LEAT_ARG(10000)));
	return leat_rows_end(rows);
}

TASK_TEST(an_early_end_tells_what_was_wrong_with_the_rest)
{
	ck_assert_result(leat_tx(req, NULL, fail_after_the_end, NULL), LEAT_INTERNAL);
	expect_reuse(req);
}

static struct leat_rows *left_open;

static enum leat_result leave_open(struct leat_request *req, void *arg)
{
	(void)arg;
	LEAT_TRY(leat_db_exec(req, &add_person, NULL, LEAT_ARG(80), LEAT_ARG("lost")));
	LEAT_TRY(leat_db_stream(req, &count_to, &left_open, LEAT_ARG(MILLION)));
	return leat_rows_next(left_open, NULL);
}

TASK_TEST(a_stream_left_open_undoes_its_transaction)
{
	struct leat_rows *rows;

	ck_assert_result(leat_tx(req, NULL, leave_open, NULL), LEAT_INTERNAL);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id = 80"), 0);
	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(10)), LEAT_OK);
	ck_assert_result(leat_rows_next(left_open, NULL), LEAT_INTERNAL);
	ck_assert_result(leat_rows_end(left_open), LEAT_INTERNAL);
	read_all(rows, 10);
}

static enum leat_result fail_with_open(struct leat_request *req, void *arg)
{
	LEAT_TRY(leave_open(req, arg));
	return LEAT_CONFLICT;
}

TASK_TEST(so_does_one_that_is_left_by_an_error)
{
	ck_assert_result(leat_tx(req, NULL, fail_with_open, NULL), LEAT_CONFLICT);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id = 80"), 0);
	ck_assert_uint_eq(metrics_total(METRIC_DB_TX_ROLLED_BACK), 1);
}

static int tries;

static enum leat_result stream_then_conflict(struct leat_request *req, void *arg)
{
	struct leat_rows *rows;
	struct number number;

	(void)arg;
	tries++;
	LEAT_TRY(leat_db_one(req, &backend, &number));
	if (tries == 1)
		postgres_sql("UPDATE people SET name = 'theirs'");
	LEAT_TRY(leat_db_stream(req, &renamed, &rows));
	while (leat_rows_next(rows, NULL) == LEAT_OK)
		;
	return leat_rows_end(rows);
}

TASK_TEST(a_serialization_failure_in_it_runs_the_transaction_again)
{
	const struct leat_tx_options options = { .isolation = LEAT_REPEATABLE_READ };

	tries = 0;
	ck_assert_result(leat_tx(req, &options, stream_then_conflict, NULL), LEAT_OK);
	ck_assert_int_eq(tries, 2);
}

static enum leat_result write_read_only(struct leat_request *req, void *arg)
{
	struct leat_rows *rows;

	(void)arg;
	return leat_db_stream(req, &renamed, &rows);
}

TASK_TEST(a_write_in_a_read_only_transaction_fails)
{
	const struct leat_tx_options read_only = { .read_only = true };

	ck_assert_result(leat_tx(req, &read_only, write_read_only, NULL), LEAT_INTERNAL);
	expect_reuse(req);
}

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

/* No limit but those that a test is about: a machine may be busy. */
static void set_patience(void)
{
	set_defaults();
	settings.db_cancel_grace = LIMIT_S * 1000;
	settings.db_lent_wait = LIMIT_S * 1000;
}

static void setup_patient(void)
{
	set_patience();
	set_up_stand();
}

static void setup_bouncer(void)
{
	set_patience();
	settings.database_url = getenv("LEAT_TEST_BOUNCER");
	set_up_stand();
}

#define ROWS_CASE(s, name, setup_fn, ...) \
	tcase_add_checked_fixture(HARNESS_CASE(s, name, __VA_ARGS__), setup_fn, teardown)

Suite *suite(void)
{
	Suite *s = suite_create("rows");

	postgres_need();
	ROWS_CASE(s, "whole", setup_patient, a_stream_has_every_row_once_and_in_order,
		  rows_in_memory_are_read_in_the_same_way, no_rows_are_no_error, what_returns_no_rows_is_run,
		  a_write_returns_its_rows, many_streams_share_a_few_connections);
	ROWS_CASE(s, "memory", setup_patient, a_million_rows_take_no_more_memory_than_a_thousand,
		  nor_do_long_texts_and_arrays);
	ROWS_CASE(s, "errors", setup, rows_before_an_error_are_delivered,
		  an_error_before_the_first_row_is_told_at_the_opening, a_copy_is_no_stream_and_costs_its_connection);
	ROWS_CASE(s, "ends", setup_patient, an_early_end_cancels_the_rest_and_keeps_the_connection,
		  an_early_end_of_what_was_all_sent_needs_no_cancel,
		  an_end_before_the_first_row_was_asked_for_is_one_too, a_forgotten_stream_ends_with_its_request,
		  a_deadline_ends_it_in_the_middle, a_client_that_leaves_ends_it_in_the_middle);
	ROWS_CASE(s, "losses", setup_patient, a_backend_that_is_killed_ends_it_in_the_middle,
		  a_server_that_dies_ends_it_in_the_middle, a_read_whose_connection_died_in_the_pool_is_sent_again,
		  a_write_whose_connection_died_in_the_pool_is_not);
	ROWS_CASE(s, "back-pressure", setup_patient, the_server_waits_while_nobody_asks);
	ROWS_CASE(s, "beside", setup_patient, other_statements_go_to_the_lanes_meanwhile,
		  no_second_connection_is_waited_for);
	ROWS_CASE(s, "transactions", setup_patient, a_stream_is_part_of_its_transaction,
		  it_sees_what_the_transaction_has_written, an_early_end_leaves_the_transaction_whole,
		  an_early_end_tells_what_was_wrong_with_the_rest, a_stream_left_open_undoes_its_transaction,
		  so_does_one_that_is_left_by_an_error, a_serialization_failure_in_it_runs_the_transaction_again,
		  a_write_in_a_read_only_transaction_fails);
	ROWS_CASE(s, "columns", setup_patient, every_type_is_read_by_column, null_is_zero_or_absent,
		  a_column_is_found_by_its_name, a_wrong_type_reads_as_zero_and_is_an_error,
		  so_does_a_column_that_is_not_there, so_does_a_value_that_does_not_fit,
		  a_struct_that_does_not_fit_is_an_error, texts_of_long_and_short_lists_stay);
	if (getenv("LEAT_TEST_BOUNCER") && *getenv("LEAT_TEST_BOUNCER"))
		ROWS_CASE(s, "bouncer", setup_bouncer, a_stream_has_every_row_once_and_in_order,
			  an_early_end_cancels_the_rest_and_keeps_the_connection, a_stream_is_part_of_its_transaction);
	return s;
}
