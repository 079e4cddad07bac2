/* t_rows_tx.c - streams beside other statements and in transactions, against a real PostgreSQL. */
#include "tests/unit/rows_reading.h"

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

/* The suite ----------------------------------------------------------------------------------------------------------------- */

Suite *suite(void)
{
	Suite *s = suite_create("rows_tx");

	postgres_need();
	ROWS_CASE(s, "beside", setup_patient, other_statements_go_to_the_lanes_meanwhile,
		  no_second_connection_is_waited_for);
	ROWS_CASE(s, "transactions", setup_patient, a_stream_is_part_of_its_transaction,
		  it_sees_what_the_transaction_has_written, an_early_end_leaves_the_transaction_whole,
		  an_early_end_tells_what_was_wrong_with_the_rest, a_stream_left_open_undoes_its_transaction,
		  so_does_one_that_is_left_by_an_error, a_serialization_failure_in_it_runs_the_transaction_again,
		  a_write_in_a_read_only_transaction_fails);
	ROWS_BOUNCER_CASE(s, a_stream_is_part_of_its_transaction);
	return s;
}
