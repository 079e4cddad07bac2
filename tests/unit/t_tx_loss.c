/* t_tx_loss.c - transactions that lose their deadline, their client or their connection. */
#include "tests/unit/people.h"

static bool is_idle_again(void)
{
	return !db_is_returning(db) && metrics_total(METRIC_DB_LENT_IDLE) > 0;
}

static enum leat_result add_and_sleep(struct leat_request *req, void *arg)
{
	struct number number;

	(void)arg;
	LEAT_TRY(add_two(req, NULL));
	return leat_db_one(req, &sleep_s, &number, LEAT_ARG(20));
}

static void run_late(struct leat_request *req)
{
	job_of(req)->result = leat_tx(req, NULL, add_and_sleep, NULL);
}

START_TEST(a_lost_deadline_rolls_back_and_the_connection_comes_back_clean)
{
	struct job late = { 0 };

	start(&late, run_late, 200);
	TURN_UNTIL(loop_task_count(loop) == 0);
	ck_assert_result(late.result, LEAT_TIMED_OUT);
	TURN_UNTIL(is_idle_again());
	ck_assert_int_eq(count_rows(), 3);
	ck_assert_int_eq(
		postgres_sql(
			"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat' AND state <> 'idle'"),
		0);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_BAD_CLOSED), 0);
}
END_TEST

START_TEST(a_client_that_leaves_ends_its_transaction)
{
	struct job job = { 0 };

	start(&job, run_late, LIMIT_S * 1000);
	TURN_UNTIL(is_asleep());
	task_cancel(job.task);
	finish_all();
	ck_assert_result(job.result, LEAT_CANCELLED);
	TURN_UNTIL(is_idle_again());
	ck_assert_int_eq(count_rows(), 3);
}
END_TEST

static int64_t stopped_pid;

static enum leat_result do_nothing(struct leat_request *req, void *arg)
{
	(void)req, (void)arg;
	return LEAT_OK;
}

static enum leat_result stop_server_and_save(struct leat_request *req, void *arg)
{
	struct number pid;

	(void)arg;
	LEAT_TRY(leat_db_one(req, &backend, &pid));
	stopped_pid = pid.n;
	kill((pid_t)stopped_pid, SIGSTOP);
	return leat_tx(req, NULL, do_nothing, NULL);
}

static void save_late(struct leat_request *req)
{
	job_of(req)->result = leat_tx(req, NULL, stop_server_and_save, NULL);
}

/* What is logged of it comes after the end of the request: for AddressSanitizer to see. */
START_TEST(a_savepoint_given_up_leaves_nothing_of_its_request)
{
	struct job late = { 0 };

	start(&late, save_late, 200);
	finish_all();
	kill((pid_t)stopped_pid, SIGCONT);
	ck_assert_result(late.result, LEAT_TIMED_OUT);
	TURN_UNTIL(!db_is_returning(db));
}
END_TEST

/* A connection that is lost --------------------------------------------------------------------------------------- */

static int tries;

static enum leat_result lose_backend(struct leat_request *req, void *arg)
{
	(void)arg;
	tries++;
	LEAT_TRY(add_two(req, NULL));
	kill_backends();
	return leat_db_exec(req, &add_person, NULL, LEAT_ARG(12), LEAT_ARG("twelve"));
}

TASK_TEST(a_connection_that_is_lost_ends_it_and_nothing_is_run_twice)
{
	tries = 0;
	ck_assert_result(leat_tx(req, NULL, lose_backend, NULL), LEAT_UNAVAILABLE);
	ck_assert_int_eq(tries, 1);
	ck_assert_int_eq(count_rows(), 3);
}

TASK_TEST(a_connection_that_died_in_the_pool_is_not_lent)
{
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK);
	kill_backends();
	ck_assert_result(wait_sleep(loop_now_ns(loop) + 1100 * CLOCK_MS, CLOCK_NEVER),
			 LEAT_OK); /* idle for long enough to be looked at */
	ck_assert_result(leat_tx(req, NULL, all_on_one, NULL), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_BAD_CLOSED), 1);
}

Suite *suite(void)
{
	Suite *s = suite_create("tx_loss");

	postgres_need();
	HARNESS_CASE_WITH(
		s, "deadlines", setup, teardown, a_lost_deadline_rolls_back_and_the_connection_comes_back_clean,
		a_client_that_leaves_ends_its_transaction, a_savepoint_given_up_leaves_nothing_of_its_request);
	HARNESS_CASE_WITH(s, "connections", setup, teardown, a_connection_that_is_lost_ends_it_and_nothing_is_run_twice,
			  a_connection_that_died_in_the_pool_is_not_lent);
	return s;
}
