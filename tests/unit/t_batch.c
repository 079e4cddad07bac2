/* t_batch.c - statements that share a Sync: reads of one request, and those of a transaction. Against a real PostgreSQL. */
#include "back/db_internal.h"
#include "tests/unit/people.h"

enum { READS = 20 };

static const struct leat_statement negate = {
	.sql = "SELECT - $1::int8 AS n",
	.row = &number_shape,
	.read_only = true,
};
static const struct leat_statement add_deferred = { .sql = "INSERT INTO pairs VALUES ($1)" };

static struct leat_query *send_number(struct leat_request *req, const struct leat_statement *statement, int64_t n)
{
	struct leat_query *query = NULL;

	ck_assert_result(leat_db_send(req, statement, &query, LEAT_ARG(n)), LEAT_OK);
	return query;
}

static enum leat_result wait_number(struct leat_request *req, struct leat_query *query, int64_t *ret_n)
{
	struct leat_list rows;

	LEAT_TRY(leat_db_wait(req, query, &rows));
	ck_assert_uint_eq(rows.count, 1);
	*ret_n = ((const struct number *)rows.items)->n;
	return LEAT_OK;
}

static int64_t await_number(struct leat_request *req, struct leat_query *query)
{
	int64_t n = 0;

	ck_assert_result(wait_number(req, query, &n), LEAT_OK);
	return n;
}

/* Reads ----------------------------------------------------------------------------------------------------------------- */

TASK_TEST(reads_sent_together_share_a_transaction)
{
	struct leat_query *queries[READS];
	int64_t first = 0, later;

	for (size_t i = 0; i < READS; i++)
		ck_assert_result(leat_db_send(req, &began, &queries[i]), LEAT_OK);
	for (size_t i = 0; i < READS; i++) {
		later = await_number(req, queries[i]);
		if (i == 0)
			first = later;
		ck_assert_int_eq(later, first);
	}
}

TASK_TEST(one_that_fails_touches_no_other)
{
	struct leat_query *queries[READS];
	int64_t n = 0;

	for (int64_t i = 0; i < READS; i++)
		queries[i] = send_number(req, &hundred_by, i == 7 || i == 12 ? 0 : i + 1);
	for (int64_t i = 0; i < READS; i++) {
		if (i == 7 || i == 12)
			ck_assert_result(wait_number(req, queries[i], &n), LEAT_INTERNAL);
		else
			ck_assert_int_eq(await_number(req, queries[i]), 100 / (i + 1));
	}
	ck_assert_int_eq(metrics_total(METRIC_DB_SKIPPED), READS - 8);
}

TASK_TEST(what_was_to_be_prepared_behind_a_failure_is_prepared_after_it)
{
	struct leat_query *failing = send_number(req, &hundred_by, 0), *behind = send_number(req, &negate, 5);
	int64_t n = 0;

	ck_assert_result(wait_number(req, failing, &n), LEAT_INTERNAL);
	ck_assert_int_eq(await_number(req, behind), -5);
	ck_assert_int_eq(await_number(req, send_number(req, &negate, 6)), -6);
	ck_assert_int_eq(metrics_total(METRIC_DB_STALE), 0);
	ck_assert_int_eq(metrics_total(METRIC_DB_ERRORS), 1);
}

TASK_TEST(a_read_that_was_given_up_leaves_the_others_their_answers)
{
	struct leat_query *queries[3];

	for (int64_t i = 0; i < 3; i++)
		queries[i] = send_number(req, &hundred_by, i);
	for (int64_t i = 1; i < 3; i++) /* the first, which fails, is never awaited */
		ck_assert_int_eq(await_number(req, queries[i]), 100 / i);
}

TASK_TEST(a_read_that_was_slow_goes_alone_afterwards)
{
	struct leat_query *fast = NULL, *slow = NULL;

	ck_assert_result(leat_db_send(req, &began, &fast), LEAT_OK);
	ck_assert_result(leat_db_send(req, &sleep_s, &slow, LEAT_ARG(0.3)), LEAT_OK);
	ck_assert_result(leat_db_wait(req, fast, NULL), LEAT_OK);
	ck_assert_result(leat_db_wait(req, slow, NULL), LEAT_OK);
	ck_assert_uint_ne(statements_find(&db->statements, &sleep_s)->history, 0);
	ck_assert(!statements_find(&db->statements, &began)->is_slow);

	ck_assert_result(leat_db_send(req, &sleep_s, &slow, LEAT_ARG(0.0)), LEAT_OK);
	ck_assert_result(leat_db_send(req, &began, &fast), LEAT_OK);
	ck_assert_int_ne(await_number(req, fast), 0);
	ck_assert_result(leat_db_wait(req, slow, NULL), LEAT_OK);
	ck_assert_uint_eq(statements_find(&db->statements, &sleep_s)->history & 1, 0);
}

TASK_TEST(reads_of_a_batch_are_sent_again_when_the_backend_dies)
{
	struct leat_query *slow = NULL, *behind = send_number(req, &negate, 1);

	ck_assert_result(leat_db_send(req, &sleep_s, &slow, LEAT_ARG(0.2)), LEAT_OK);
	ck_assert_result(wait_sleep(clock_now_ns() + 100 * CLOCK_MS, INT64_MAX), LEAT_OK);
	kill_backends();
	ck_assert_int_eq(await_number(req, behind), -1);
	ck_assert_result(leat_db_wait(req, slow, NULL), LEAT_OK);
}

/* Writes ---------------------------------------------------------------------------------------------------------------- */

TASK_TEST(writes_outside_a_transaction_are_transactions_of_their_own)
{
	const int64_t ids[] = { 10, 1, 11 };
	struct leat_query *queries[3];

	for (size_t i = 0; i < 3; i++)
		ck_assert_result(leat_db_send(req, &add_person, &queries[i], LEAT_ARG(ids[i]), LEAT_ARG("new")),
				 LEAT_OK);
	ck_assert_result(leat_db_wait(req, queries[0], NULL), LEAT_OK);
	ck_assert_result(leat_db_wait(req, queries[1], NULL), LEAT_CONFLICT);
	ck_assert_result(leat_db_wait(req, queries[2], NULL), LEAT_OK);
	ck_assert_int_eq(count_rows(), 5);
}

TASK_TEST(a_write_between_reads_ends_their_batch)
{
	struct leat_query *before = send_number(req, &negate, 1), *write = NULL, *after;

	ck_assert_result(leat_db_send(req, &add_person, &write, LEAT_ARG(1), LEAT_ARG("again")), LEAT_OK);
	after = send_number(req, &negate, 2);
	ck_assert_int_eq(await_number(req, before), -1);
	ck_assert_result(leat_db_wait(req, write, NULL), LEAT_CONFLICT);
	ck_assert_int_eq(await_number(req, after), -2);
	ck_assert_int_eq(metrics_total(METRIC_DB_SKIPPED), 0);
}

TASK_TEST(a_constraint_that_fails_at_the_end_is_told)
{
	postgres_sql("DROP TABLE IF EXISTS pairs; CREATE TABLE pairs (id int8 UNIQUE DEFERRABLE INITIALLY DEFERRED)");
	ck_assert_result(leat_db_exec(req, &add_deferred, NULL, LEAT_ARG(1)), LEAT_OK);
	ck_assert_result(leat_db_exec(req, &add_deferred, NULL, LEAT_ARG(1)), LEAT_CONFLICT);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM pairs"), 1);
}

/* Transactions ---------------------------------------------------------------------------------------------------------- */

static enum leat_result add_three(struct leat_request *req, void *arg)
{
	const int64_t *ids = arg;
	struct leat_query *queries[3];

	for (size_t i = 0; i < 3; i++)
		LEAT_TRY(leat_db_send(req, &add_person, &queries[i], LEAT_ARG(ids[i]), LEAT_ARG("new")));
	for (size_t i = 3; i > 0; i--)
		LEAT_TRY(leat_db_wait(req, queries[i - 1], NULL));
	return LEAT_OK;
}

static enum leat_result add_with_begin(struct leat_request *req, void *arg)
{
	struct leat_query *query;
	const struct lane *lane = call_of(req)->session->lane;

	LEAT_TRY(leat_db_send(req, &add_person, &query, LEAT_ARG(9), LEAT_ARG("new")));
	ck_assert_uint_eq(lane->in_flight.count, 2);
	ck_assert(!lane->in_flight.first->has_sync && !lane->in_flight.last->has_sync);
	return add_three(req, arg);
}

TASK_TEST(begin_travels_with_the_first_statements)
{
	int64_t ids[] = { 10, 11, 12 };

	ck_assert_result(leat_tx(req, NULL, add_with_begin, ids), LEAT_OK);
	ck_assert_int_eq(count_rows(), 7);
}

TASK_TEST(those_behind_a_failure_end_as_it_did)
{
	int64_t ids[] = { 10, 1, 12 };

	ck_assert_result(leat_tx(req, NULL, add_three, ids), LEAT_CONFLICT);
	ck_assert_int_eq(count_rows(), 3);
}

static enum leat_result do_nothing(struct leat_request *req, void *arg)
{
	(void)req;
	return *(const enum leat_result *)arg;
}

TASK_TEST(a_transaction_without_statements_ends_clean)
{
	enum leat_result result = LEAT_OK;

	ck_assert_result(leat_tx(req, NULL, do_nothing, &result), LEAT_OK);
	result = LEAT_NOT_FOUND;
	ck_assert_result(leat_tx(req, NULL, do_nothing, &result), LEAT_NOT_FOUND);
	while (db_is_returning(db))
		ck_assert_result(wait_sleep(clock_now_ns() + CLOCK_MS, INT64_MAX), LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"),
			 0);
	ck_assert_int_eq(metrics_total(METRIC_DB_LENT_IDLE), 1);
}

static enum leat_result add_after_a_pause(struct leat_request *req, void *arg)
{
	struct leat_query *query;

	LEAT_TRY(leat_db_send(req, &add_person, &query, LEAT_ARG(10), LEAT_ARG("early")));
	LEAT_TRY(wait_sleep(clock_now_ns() + 5 * CLOCK_MS, INT64_MAX));
	LEAT_TRY(leat_db_exec(req, &add_person, NULL, LEAT_ARG(11), LEAT_ARG("late")));
	LEAT_TRY(leat_db_wait(req, query, NULL));
	return do_nothing(req, arg);
}

TASK_TEST(what_is_sent_in_a_later_turn_is_part_of_it)
{
	enum leat_result result = LEAT_INTERNAL;

	ck_assert_result(leat_tx(req, NULL, add_after_a_pause, &result), LEAT_INTERNAL);
	ck_assert_int_eq(count_rows(), 3);
	result = LEAT_OK;
	ck_assert_result(leat_tx(req, NULL, add_after_a_pause, &result), LEAT_OK);
	ck_assert_int_eq(count_rows(), 5);
}

/* As leat_tx does, with a BEGIN that the server refuses. */
static void open_without_beginning(struct leat_request *req, struct session *session, bool pauses)
{
	struct call *call = call_of(req);
	struct query *begin;

	ck_assert_result(session_open(call, session, "a test"), LEAT_OK);
	session->is_transaction = true;
	begin = query_take(&db->queries);
	begin->work = QUERY_COMMAND;
	begin->command = "BEGIN ISOLATION LEVEL NONE";
	ck_assert_result(session_send(call, begin), LEAT_OK);
	session->begin = begin;
	if (pauses)
		ck_assert_result(wait_sleep(clock_now_ns() + 5 * CLOCK_MS, INT64_MAX), LEAT_OK);
}

TASK_TEST(when_begin_fails_nothing_is_written)
{
	struct session session;

	for (int pauses = 0; pauses < 2; pauses++) {
		open_without_beginning(req, &session, pauses);
		ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(10), LEAT_ARG("new")), LEAT_INTERNAL);
		ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(11), LEAT_ARG("new")), LEAT_UNAVAILABLE);
		session_close(call_of(req));
	}
	ck_assert_int_eq(count_rows(), 3);
}

static void setup_slow(void)
{
	set_defaults();
	settings.db_slow = 150;
	set_up_stand();
}

Suite *suite(void)
{
	Suite *s = suite_create("batch");

	postgres_need();
	HARNESS_CASE_WITH(s, "reads", setup, teardown, reads_sent_together_share_a_transaction,
			  one_that_fails_touches_no_other,
			  what_was_to_be_prepared_behind_a_failure_is_prepared_after_it,
			  a_read_that_was_given_up_leaves_the_others_their_answers,
			  reads_of_a_batch_are_sent_again_when_the_backend_dies);
	HARNESS_CASE_WITH(s, "slow", setup_slow, teardown, a_read_that_was_slow_goes_alone_afterwards);
	HARNESS_CASE_WITH(s, "writes", setup, teardown, writes_outside_a_transaction_are_transactions_of_their_own,
			  a_write_between_reads_ends_their_batch, a_constraint_that_fails_at_the_end_is_told);
	HARNESS_CASE_WITH(s, "transactions", setup, teardown, begin_travels_with_the_first_statements,
			  those_behind_a_failure_end_as_it_did, a_transaction_without_statements_ends_clean,
			  what_is_sent_in_a_later_turn_is_part_of_it, when_begin_fails_nothing_is_written);
	return s;
}
