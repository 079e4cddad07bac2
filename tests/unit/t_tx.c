/* t_tx.c - transactions, one within another too, against a real PostgreSQL. */
#include "tests/unit/people.h"

static const struct leat_statement isolation = {
	.sql = "SELECT CASE current_setting('transaction_isolation') WHEN 'serializable' THEN 3 WHEN 'repeatable read' "
	       "THEN 2 "
	       "ELSE 1 END::int8 + CASE current_setting('transaction_read_only') WHEN 'on' THEN 10 ELSE 0 END AS n",
	.row = &number_shape
};

/* One ------------------------------------------------------------------------------------------------------------- */

TASK_TEST(what_returns_ok_is_committed)
{
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK);
	ck_assert_int_eq(count_rows(), 5);
}

static enum leat_result add_and_refuse(struct leat_request *req, void *arg)
{
	(void)arg;
	LEAT_TRY(add_two(req, NULL));
	return LEAT_CONFLICT;
}

TASK_TEST(what_returns_anything_else_is_rolled_back)
{
	ck_assert_result(leat_tx(req, NULL, add_and_refuse, NULL), LEAT_CONFLICT);
	ck_assert_int_eq(count_rows(), 3);
}

static enum leat_result add_and_fail(struct leat_request *req, void *arg)
{
	struct number number;

	(void)arg;
	LEAT_TRY(add_two(req, NULL));
	return leat_db_one(req, &divide, &number, LEAT_ARG(0));
}

TASK_TEST(a_statement_that_fails_undoes_those_before_it)
{
	ck_assert_result(leat_tx(req, NULL, add_and_fail, NULL), LEAT_INTERNAL);
	ck_assert_int_eq(count_rows(), 3);
}

static enum leat_result swallow_failure(struct leat_request *req, void *arg)
{
	return add_and_fail(req, arg) == LEAT_OK ? LEAT_INTERNAL : LEAT_OK;
}

TASK_TEST(a_commit_that_rolls_back_is_no_success)
{
	ck_assert_result(leat_tx(req, NULL, swallow_failure, NULL), LEAT_INTERNAL);
	ck_assert_int_eq(count_rows(), 3);
}

TASK_TEST(all_statements_go_to_one_connection)
{
	ck_assert_result(leat_tx(req, NULL, all_on_one, NULL), LEAT_OK);
}

static enum leat_result read_isolation(struct leat_request *req, void *arg)
{
	return leat_db_one(req, &isolation, arg);
}

TASK_TEST(options_reach_the_server)
{
	const struct leat_tx_options serializable = { .isolation = LEAT_SERIALIZABLE };
	const struct leat_tx_options repeatable = { .isolation = LEAT_REPEATABLE_READ, .read_only = true };
	struct number number;

	ck_assert_result(leat_tx(req, &serializable, read_isolation, &number), LEAT_OK);
	ck_assert_int_eq(number.n, 3);
	ck_assert_result(leat_tx(req, &repeatable, read_isolation, &number), LEAT_OK);
	ck_assert_int_eq(number.n, 12);
	ck_assert_result(leat_tx(req, NULL, read_isolation, &number), LEAT_OK);
	ck_assert_int_eq(number.n, 1);
}

TASK_TEST(a_write_in_a_read_only_one_fails)
{
	const struct leat_tx_options read_only = { .read_only = true };

	ck_assert_result(leat_tx(req, &read_only, add_two, NULL), LEAT_INTERNAL);
	ck_assert_int_eq(count_rows(), 3);
}

static enum leat_result send_and_forget(struct leat_request *req, void *arg)
{
	struct leat_query *query;

	(void)arg;
	return leat_db_send(req, &add_person, &query, LEAT_ARG(30), LEAT_ARG("sent"));
}

TASK_TEST(what_was_sent_and_not_awaited_is_part_of_it)
{
	ck_assert_result(leat_tx(req, NULL, send_and_forget, NULL), LEAT_OK);
	ck_assert_int_eq(count_rows(), 4);
}

/* One within another ---------------------------------------------------------------------------------------------- */

static enum leat_result add_with_inner_failure(struct leat_request *req, void *arg)
{
	(void)arg;
	LEAT_TRY(leat_db_exec(req, &add_person, NULL, LEAT_ARG(20), LEAT_ARG("outer")));
	ck_assert_result(leat_tx(req, NULL, add_and_fail, NULL), LEAT_INTERNAL);
	return leat_db_exec(req, &add_person, NULL, LEAT_ARG(21), LEAT_ARG("outer, too"));
}

TASK_TEST(an_inner_one_that_fails_leaves_the_outer_one_whole)
{
	ck_assert_result(leat_tx(req, NULL, add_with_inner_failure, NULL), LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id IN (20, 21)"), 2);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id IN (10, 11)"), 0);
}

static enum leat_result add_with_inner_success(struct leat_request *req, void *arg)
{
	(void)arg;
	LEAT_TRY(leat_tx(req, NULL, add_two, NULL));
	return LEAT_CONFLICT;
}

TASK_TEST(an_inner_one_that_succeeds_is_undone_with_the_outer_one)
{
	ck_assert_result(leat_tx(req, NULL, add_with_inner_success, NULL), LEAT_CONFLICT);
	ck_assert_int_eq(count_rows(), 3);
}

static enum leat_result swallow_conflict(struct leat_request *req, void *arg)
{
	(void)arg;
	ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(1), LEAT_ARG("again")), LEAT_CONFLICT);
	return LEAT_OK;
}

static enum leat_result go_on_after_swallowing(struct leat_request *req, void *arg)
{
	(void)arg;
	LEAT_TRY(leat_db_exec(req, &add_person, NULL, LEAT_ARG(20), LEAT_ARG("outer")));
	ck_assert_result(leat_tx(req, NULL, swallow_conflict, NULL), LEAT_INTERNAL);
	return leat_db_exec(req, &add_person, NULL, LEAT_ARG(21), LEAT_ARG("outer, too"));
}

TASK_TEST(the_outer_one_goes_on_after_an_inner_one_that_swallowed_a_failure)
{
	ck_assert_result(leat_tx(req, NULL, go_on_after_swallowing, NULL), LEAT_OK);
	ck_assert_int_eq(count_rows(), 5);
}

Suite *suite(void)
{
	Suite *s = suite_create("tx");

	postgres_need();
	HARNESS_CASE_WITH(s, "one", setup, teardown, what_returns_ok_is_committed,
			  what_returns_anything_else_is_rolled_back, a_statement_that_fails_undoes_those_before_it,
			  a_commit_that_rolls_back_is_no_success, all_statements_go_to_one_connection,
			  options_reach_the_server, a_write_in_a_read_only_one_fails,
			  what_was_sent_and_not_awaited_is_part_of_it);
	HARNESS_CASE_WITH(s, "one within another", setup, teardown, an_inner_one_that_fails_leaves_the_outer_one_whole,
			  an_inner_one_that_succeeds_is_undone_with_the_outer_one,
			  the_outer_one_goes_on_after_an_inner_one_that_swallowed_a_failure);
	return s;
}
