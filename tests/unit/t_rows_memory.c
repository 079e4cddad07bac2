/* t_rows_memory.c - large results in little memory, and the server that waits for who reads them, against a real PostgreSQL. */
#include <malloc.h>

#include "tests/unit/rows_reading.h"

static const struct leat_statement long_texts = {
	.sql = "SELECT i::int8 AS id, repeat('x', 1000) AS name FROM generate_series(1, $1::int8) i",
	.row = &pair_shape,
	.read_only = true
};
static const struct leat_statement with_arrays = {
	.sql = "SELECT array_fill(i::int8, ARRAY[100]) AS numbers FROM generate_series(1, $1::int8) i",
	.read_only = true
};
static int64_t waiting_to_write(void)
{
	return postgres_sql(
		"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat' AND wait_event = 'ClientWrite'");
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

/* The suite ----------------------------------------------------------------------------------------------------------------- */

Suite *suite(void)
{
	Suite *s = suite_create("rows_memory");

	postgres_need();
	ROWS_CASE(s, "memory", setup_patient, a_million_rows_take_no_more_memory_than_a_thousand,
		  nor_do_long_texts_and_arrays);
	ROWS_CASE(s, "back-pressure", setup_patient, the_server_waits_while_nobody_asks);
	return s;
}
