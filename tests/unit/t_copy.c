/* t_copy.c - COPY in both directions. */
#include "tests/unit/people.h"

static enum leat_result copy_many_in(struct leat_request *req, void *arg)
{
	struct leat_copy *copy;
	struct number number;

	LEAT_TRY(leat_db_copy_in(req, "COPY people (id, name) FROM STDIN", &copy));
	for (int i = 1000; i < 101000; i++) {
		char row[64];
		int len = snprintf(row, sizeof(row), "%d\tCopied\n", i);

		LEAT_TRY(leat_db_copy_put(copy, (leat_text){ row, (size_t)len }));
	}
	LEAT_TRY(leat_db_copy_end(copy, arg));
	return leat_db_one(req, &count_people, &number); /* the lane goes on */
}

TASK_TEST(rows_are_copied_in)
{
	int64_t count;

	ck_assert_result(leat_tx(req, NULL, copy_many_in, &count), LEAT_OK);
	ck_assert_int_eq(count, 100000);
	ck_assert_int_eq(count_rows(), 100003);
}

static enum leat_result copy_out(struct leat_request *req, void *arg)
{
	struct leat_copy *copy;
	leat_text row;
	enum leat_result result;
	size_t *size = arg;

	LEAT_TRY(leat_db_copy_out(
		req, "COPY (SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) AS i) TO STDOUT", &copy));
	while ((result = leat_db_copy_get(copy, &row)) == LEAT_OK)
		*size += row.len;
	ck_assert_result(result, LEAT_NOT_FOUND);
	return add_two(req, NULL);
}

TASK_TEST(rows_are_copied_out)
{
	size_t size = 0;

	ck_assert_result(leat_tx(req, NULL, copy_out, &size), LEAT_OK);
	ck_assert_uint_eq(size, 20000 * 1002 + 88894);
	ck_assert_int_eq(count_rows(), 5);
}

static enum leat_result copy_nonsense(struct leat_request *req, void *arg)
{
	struct leat_copy *copy;

	(void)arg;
	LEAT_TRY(leat_db_copy_in(req, "COPY people (id, name) FROM STDIN", &copy));
	LEAT_TRY(leat_db_copy_put(copy, LEAT_TEXT_OF("1\tAda again\n")));
	return leat_db_copy_end(copy, NULL);
}

TASK_TEST(a_row_that_does_not_fit_is_told_and_the_connection_stays)
{
	ck_assert_result(leat_tx(req, NULL, copy_nonsense, NULL), LEAT_CONFLICT);
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_BAD_CLOSED), 0);
}

static enum leat_result copy_half(struct leat_request *req, void *arg)
{
	struct leat_copy *copy;

	(void)arg;
	LEAT_TRY(leat_db_copy_in(req, "COPY people (id, name) FROM STDIN", &copy));
	LEAT_TRY(leat_db_copy_put(copy, LEAT_TEXT_OF("77\tHalf\n")));
	return LEAT_OK;
}

TASK_TEST(a_copy_left_unfinished_undoes_the_transaction)
{
	ck_assert_result(leat_tx(req, NULL, copy_half, NULL), LEAT_INTERNAL);
	ck_assert_int_eq(count_rows(), 3);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_BAD_CLOSED), 1);
}

static enum leat_result copy_slowly(struct leat_request *req, void *arg)
{
	struct leat_copy *copy;
	leat_text row;

	(void)arg;
	LEAT_TRY(leat_db_copy_out(req, "COPY (SELECT pg_sleep(20)) TO STDOUT", &copy));
	return leat_db_copy_get(copy, &row);
}

static void copy_late(struct leat_request *req)
{
	job_of(req)->result = leat_tx(req, NULL, copy_slowly, NULL);
}

START_TEST(a_deadline_ends_a_copy)
{
	struct job job = { 0 };

	start(&job, copy_late, 200);
	finish_all();
	ck_assert_result(job.result, LEAT_TIMED_OUT);
}
END_TEST

TASK_TEST(without_a_transaction_there_is_no_copy)
{
	struct leat_copy *copy;

	ck_assert_result(leat_db_copy_in(req, "COPY people FROM STDIN", &copy), LEAT_INTERNAL);
}

Suite *suite(void)
{
	Suite *s = suite_create("copy");

	postgres_need();
	HARNESS_CASE_WITH(s, "copy", setup, teardown, rows_are_copied_in, rows_are_copied_out,
			  a_row_that_does_not_fit_is_told_and_the_connection_stays,
			  a_copy_left_unfinished_undoes_the_transaction, a_deadline_ends_a_copy,
			  without_a_transaction_there_is_no_copy);
	return s;
}
