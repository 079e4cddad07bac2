/* t_tx.c - transactions, lent connections and slow statements, against a real PostgreSQL. */
#include "tests/unit/db_stand.h"

struct number {
	int64_t n;
};

static const struct leat_shape number_shape = LEAT_SHAPE(struct number, LEAT_INT(n));

static const struct leat_statement add_person = { .sql = "INSERT INTO people (id, name) VALUES ($1, $2)" };
static const struct leat_statement count_people = { .sql = "SELECT count(*) AS n FROM people", .row = &number_shape };
static const struct leat_statement backend = { .sql = "SELECT pg_backend_pid()::int8 AS n", .row = &number_shape };
static const struct leat_statement divide = { .sql = "SELECT 1 / $1::int8 AS n", .row = &number_shape };
static const struct leat_statement isolation = {
	.sql = "SELECT CASE current_setting('transaction_isolation') WHEN 'serializable' THEN 3 WHEN 'repeatable read' "
	       "THEN 2 "
	       "ELSE 1 END::int8 + CASE current_setting('transaction_read_only') WHEN 'on' THEN 10 ELSE 0 END AS n",
	.row = &number_shape
};
static const struct leat_statement sleep_s = { .sql = "SELECT count(pg_sleep($1)) AS n",
					       .row = &number_shape,
					       .read_only = true };
static const struct leat_statement raise_name = { .sql = "UPDATE people SET name = name || '+' WHERE id = $1" };

static int64_t count_rows(void)
{
	return postgres_sql("SELECT count(*) FROM people");
}

static bool is_idle_again(void)
{
	return !db_is_returning(db) && metrics_total(METRIC_DB_LENT_IDLE) > 0;
}

/* Transactions ---------------------------------------------------------------------------------------------------------- */

static enum leat_result add_two(struct leat_request *req, void *arg)
{
	(void)arg;
	LEAT_TRY(leat_db_exec(req, &add_person, NULL, LEAT_ARG(10), LEAT_ARG("ten")));
	return leat_db_exec(req, &add_person, NULL, LEAT_ARG(11), LEAT_ARG("eleven"));
}

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

static enum leat_result all_on_one(struct leat_request *req, void *arg)
{
	struct number first, second;

	(void)arg;
	LEAT_TRY(leat_db_one(req, &backend, &first));
	LEAT_TRY(leat_db_one(req, &backend, &second));
	ck_assert_int_eq(first.n, second.n);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"), 1);
	return LEAT_OK;
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

/* Retries --------------------------------------------------------------------------------------------------------------- */

static int tries;

static enum leat_result read_then_write(struct leat_request *req, void *arg)
{
	struct number number;

	tries++;
	LEAT_TRY(leat_db_one(req, &count_people, &number));
	if (tries == 1) /* somebody else is faster */
		postgres_sql("UPDATE people SET name = 'theirs' WHERE id = 1");
	return leat_db_exec(req, &raise_name, NULL, *(const struct leat_arg *)arg);
}

TASK_TEST(a_serialization_failure_runs_it_again)
{
	const struct leat_tx_options options = { .isolation = LEAT_REPEATABLE_READ };
	struct leat_arg who = LEAT_ARG(1);

	tries = 0;
	ck_assert_result(leat_tx(req, &options, read_then_write, &who), LEAT_OK);
	ck_assert_int_eq(tries, 2);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE name = 'theirs+'"), 1);
}

static enum leat_result always_late(struct leat_request *req, void *arg)
{
	struct number number;

	(void)arg;
	tries++;
	LEAT_TRY(leat_db_one(req, &count_people, &number));
	postgres_sql("UPDATE people SET name = 'theirs' WHERE id = 1");
	return leat_db_exec(req, &raise_name, NULL, LEAT_ARG(1));
}

TASK_TEST(after_four_tries_it_is_given_up)
{
	const struct leat_tx_options options = { .isolation = LEAT_REPEATABLE_READ };

	tries = 0;
	ck_assert_result(leat_tx(req, &options, always_late, NULL), LEAT_UNAVAILABLE);
	ck_assert_int_eq(tries, 4);
}

struct crossing {
	int first, second;
	int *arrived; /* of two */
};

static enum leat_result cross(struct leat_request *req, void *arg)
{
	struct crossing *crossing = arg;
	bool is_first_try = *crossing->arrived < 2;

	LEAT_TRY(leat_db_exec(req, &raise_name, NULL, LEAT_ARG(crossing->first)));
	++*crossing->arrived;
	while (is_first_try && *crossing->arrived < 2)
		task_yield();
	return leat_db_exec(req, &raise_name, NULL, LEAT_ARG(crossing->second));
}

static int arrived;

static void cross_forth(struct leat_request *req)
{
	struct crossing crossing = { 1, 2, &arrived };

	job_of(req)->result = leat_tx(req, NULL, cross, &crossing);
}

static void cross_back(struct leat_request *req)
{
	struct crossing crossing = { 2, 1, &arrived };

	job_of(req)->result = leat_tx(req, NULL, cross, &crossing);
}

START_TEST(a_deadlock_runs_one_of_them_again)
{
	struct job forth = { 0 }, back = { 0 };

	arrived = 0;
	start(&forth, cross_forth, LIMIT_S * 1000);
	start(&back, cross_back, LIMIT_S * 1000);
	finish_all();
	ck_assert_result(forth.result, LEAT_OK);
	ck_assert_result(back.result, LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE name LIKE '%++'"), 2);
	ck_assert_uint_eq(metrics_total(METRIC_DB_TX_RETRIES), 1);
}
END_TEST

/* Found by attacking ------------------------------------------------------------------------------------------------------ */

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

static const struct leat_statement fail_40001 = { .sql = "SELECT fail_40001() AS n", .row = &number_shape };

static enum leat_result await_another_failure(struct leat_request *req, void *arg)
{
	struct leat_query **sent_before = arg;

	if (tries++ == 0)
		ck_assert_result(leat_db_wait(req, *sent_before, NULL), LEAT_UNAVAILABLE);
	return leat_db_exec(req, &add_person, NULL, LEAT_ARG(100 + tries), LEAT_ARG("once"));
}

/* On an offload thread: COMMIT waits for a standby that never comes; its backend is told to end. */
static void end_commit(void *arg)
{
	int64_t limit_ns = clock_now_ns() + LIMIT_S * CLOCK_S;

	(void)arg;
	while (clock_now_ns() < limit_ns &&
	       postgres_sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
			    "WHERE application_name = 'leat' AND wait_event = 'SyncRep'") == 0)
		usleep(10000);
}

TASK_TEST(a_commit_whose_end_is_unknown_is_not_run_again)
{
	struct leat_query *sent_before;

	postgres_sql("CREATE OR REPLACE FUNCTION fail_40001() RETURNS int8 LANGUAGE plpgsql AS "
		     "$$BEGIN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'no'; END$$");
	tries = 0;
	ck_assert_result(leat_db_send(req, &fail_40001, &sent_before), LEAT_OK);
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK); /* by then the other one has been answered */
	postgres_sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
	postgres_sql("SELECT pg_reload_conf()");
	while (postgres_sql("SELECT count(*) FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting = "
			    "'nobody'") == 0)
		usleep(10000);
	ck_assert(offload_run(offload, end_commit, NULL));
	ck_assert_result(leat_tx(req, NULL, await_another_failure, &sent_before), LEAT_UNAVAILABLE);
	postgres_sql("ALTER SYSTEM RESET synchronous_standby_names");
	postgres_sql("SELECT pg_reload_conf()");
	ck_assert_int_eq(tries, 1);
}

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

/* Deadlines and losses ---------------------------------------------------------------------------------------------------- */

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

/* Lending ----------------------------------------------------------------------------------------------------------------- */

static enum leat_result hold_a_little(struct leat_request *req, void *arg)
{
	struct number number;

	(void)arg;
	LEAT_TRY(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.01)));
	ck_assert_int_le(postgres_sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat'"),
			 settings.db_lent_max + settings.db_lanes);
	return LEAT_OK;
}

static void borrow(struct leat_request *req)
{
	job_of(req)->result = leat_tx(req, NULL, hold_a_little, NULL);
}

START_TEST(many_share_a_few_connections_and_never_more)
{
	static struct job jobs[60];

	for (int i = 0; i < 60; i++) {
		jobs[i] = (struct job){ 0 };
		start(&jobs[i], borrow, LIMIT_S * 1000);
	}
	finish_all();
	for (int i = 0; i < 60; i++)
		ck_assert_result(jobs[i].result, LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 4);
}
END_TEST

static enum leat_result hold_for_long(struct leat_request *req, void *arg)
{
	struct number number;

	(void)arg;
	return leat_db_one(req, &sleep_s, &number, LEAT_ARG(1));
}

static void borrow_for_long(struct leat_request *req)
{
	job_of(req)->result = leat_tx(req, NULL, hold_for_long, NULL);
}

START_TEST(who_waits_too_long_for_a_connection_is_refused)
{
	struct job first = { 0 }, second = { 0 };

	start(&first, borrow_for_long, LIMIT_S * 1000);
	TURN_UNTIL(is_asleep());
	start(&second, borrow_for_long, LIMIT_S * 1000);
	TURN_UNTIL(!second.task);
	ck_assert_result(second.result, LEAT_UNAVAILABLE);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_LATE), 1);
	finish_all();
	ck_assert_result(first.result, LEAT_OK);
}
END_TEST

START_TEST(a_deadline_ends_the_wait_for_a_connection)
{
	struct job first = { 0 }, second = { 0 };

	start(&first, borrow_for_long, LIMIT_S * 1000);
	TURN_UNTIL(is_asleep());
	start(&second, borrow_for_long, 30);
	TURN_UNTIL(!second.task);
	ck_assert_result(second.result, LEAT_TIMED_OUT);
	finish_all();
}
END_TEST

START_TEST(a_full_queue_refuses)
{
	struct job first = { 0 }, second = { 0 }, third = { 0 };

	start(&first, borrow_for_long, LIMIT_S * 1000);
	TURN_UNTIL(is_asleep());
	start(&second, borrow_for_long, LIMIT_S * 1000);
	start(&third, borrow_for_long, LIMIT_S * 1000);
	TURN_UNTIL(!third.task);
	ck_assert_result(third.result, LEAT_UNAVAILABLE);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_REFUSED), 1);
	finish_all();
	ck_assert_result(second.result, LEAT_OK);
}
END_TEST

TASK_TEST(surplus_is_closed_when_it_comes_back)
{
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_IDLE_CLOSED), 1);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 0);
}

TASK_TEST(an_old_connection_is_replaced)
{
	struct number before, after;

	ck_assert_result(leat_tx(req, NULL, read_isolation, &before), LEAT_OK);
	ck_assert_result(wait_sleep(loop_now_ns(loop) + 60 * CLOCK_MS, CLOCK_NEVER), LEAT_OK);
	lend_tick(lend);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_LIFETIME_CLOSED), 1);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 0);
	ck_assert_result(leat_tx(req, NULL, read_isolation, &after), LEAT_OK);
}

TASK_TEST(an_idle_connection_is_closed_in_time)
{
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK);
	ck_assert_result(wait_sleep(loop_now_ns(loop) + 60 * CLOCK_MS, CLOCK_NEVER), LEAT_OK);
	lend_tick(lend);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_IDLE_TIME_CLOSED), 1);
}

START_TEST(a_least_number_is_held_ready)
{
	lend_tick(lend);
	TURN_UNTIL(metrics_total(METRIC_DB_LENT_IDLE) == 2);
	lend_tick(lend);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 2);
}
END_TEST

/* Slow statements ----------------------------------------------------------------------------------------------------------- */

TASK_TEST(a_statement_that_is_slow_three_times_leaves_the_lanes)
{
	struct number number;

	for (int i = 0; i < 3; i++)
		ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.3)), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), 0);
	ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.3)), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), 1);
}

TASK_TEST(one_slow_execution_among_fast_ones_changes_nothing)
{
	struct number number;

	for (int i = 0; i < 20; i++)
		ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(i == 5 ? 0.3 : 0.0)), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), 0);
}

TASK_TEST(a_statement_that_is_fast_again_comes_back)
{
	struct number number;
	uint64_t slow;

	for (int i = 0; i < 4; i++)
		ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.3)), LEAT_OK);
	for (int i = 0; i < 8; i++)
		ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.0)), LEAT_OK);
	slow = metrics_total(METRIC_DB_SLOW);
	ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.0)), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), slow);
}

/* COPY ------------------------------------------------------------------------------------------------------------------------ */

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
	ck_assert_result(leat_tx(req, NULL, copy_half, NULL), LEAT_UNAVAILABLE);
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

/* Notifications ------------------------------------------------------------------------------------------------------------- */

static void notify_all(const char *payload)
{
	char command[128];

	snprintf(command, sizeof(command), "SELECT pg_notify('Züge', '%s')", payload);
	postgres_sql(command);
}

TASK_TEST(what_is_told_after_listening_arrives_in_order)
{
	struct leat_subscription *subscription;
	leat_text payload;

	ck_assert_result(leat_db_listen(req, "Züge", &subscription), LEAT_OK);
	notify_all("one");
	notify_all("two");
	ck_assert_result(leat_db_notified(req, subscription, &payload), LEAT_OK);
	ck_assert(leat_text_equal(payload, LEAT_TEXT_OF("one")));
	ck_assert_result(leat_db_notified(req, subscription, &payload), LEAT_OK);
	ck_assert(leat_text_equal(payload, LEAT_TEXT_OF("two")));
}

static unsigned listening;

static void listen_for_one(struct leat_request *req)
{
	struct leat_subscription *subscription;
	leat_text payload;
	enum leat_result result = leat_db_listen(req, "Züge", &subscription);

	listening++;
	job_of(req)->result = result == LEAT_OK ? leat_db_notified(req, subscription, &payload) : result;
}

START_TEST(a_hundred_listen_on_one_connection)
{
	static struct job jobs[100];

	listening = 0;
	for (int i = 0; i < 100; i++) {
		jobs[i] = (struct job){ 0 };
		start(&jobs[i], listen_for_one, LIMIT_S * 1000);
	}
	TURN_UNTIL(listening == 100);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"), 1);
	notify_all("all");
	finish_all();
	for (int i = 0; i < 100; i++)
		ck_assert_result(jobs[i].result, LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_NOTIFICATIONS), 1);
}
END_TEST

START_TEST(a_deadline_ends_listening)
{
	struct job job = { 0 };

	start(&job, listen_for_one, 100);
	finish_all();
	ck_assert_result(job.result, LEAT_TIMED_OUT);
	TURN_UNTIL(
		postgres_sql(
			"SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query LIKE 'UNLISTEN%'") ==
		0);
}
END_TEST

TASK_TEST(who_does_not_fetch_is_told_that_some_are_missed)
{
	struct leat_subscription *subscription;
	leat_text payload;

	ck_assert_result(leat_db_listen(req, "Züge", &subscription), LEAT_OK);
	for (int i = 0; i < 10; i++)
		notify_all("more");
	while (metrics_total(METRIC_DB_NOTIFICATIONS) < 10)
		task_yield();
	for (int i = 0; i < 5; i++)
		ck_assert_result(leat_db_notified(req, subscription, &payload), LEAT_OK);
	ck_assert_result(leat_db_notified(req, subscription, &payload), LEAT_UNAVAILABLE);
	ck_assert_uint_eq(metrics_total(METRIC_DB_NOTIFICATIONS_LOST), 5);
}

TASK_TEST(a_lost_connection_is_told_and_listening_goes_on)
{
	struct leat_subscription *subscription;
	leat_text payload;
	uint64_t connects;

	ck_assert_result(leat_db_listen(req, "Züge", &subscription), LEAT_OK);
	connects = metrics_total(METRIC_DB_CONNECTS);
	postgres_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'");
	ck_assert_result(leat_db_notified(req, subscription, &payload), LEAT_UNAVAILABLE);
	while (postgres_sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'") == 0)
		task_yield();
	ck_assert_uint_gt(metrics_total(METRIC_DB_CONNECTS), connects);
	notify_all("again");
	ck_assert_result(leat_db_notified(req, subscription, &payload), LEAT_OK);
	ck_assert(leat_text_equal(payload, LEAT_TEXT_OF("again")));
}

/* Behind PgBouncer in transaction mode: three servers in turn ------------------------------------------------------------------ */

static const struct leat_statement tripled = { .sql = "SELECT $1::int8 * 3 AS n",
					       .row = &number_shape,
					       .read_only = true };
static const struct leat_statement doubled = { .sql = "SELECT $1::int8 * 2 AS n",
					       .row = &number_shape,
					       .read_only = true };

static void ask_in_turn(struct leat_request *req)
{
	struct number number;

	for (int64_t i = 0; i < 100; i++) {
		ck_assert_result(leat_db_one(req, &doubled, &number, LEAT_ARG(i)), LEAT_OK);
		ck_assert_int_eq(number.n, 2 * i);
		ck_assert_result(leat_db_one(req, &tripled, &number, LEAT_ARG(i)), LEAT_OK);
		ck_assert_int_eq(number.n, 3 * i);
	}
}

/* How many statements had become stale. */
static uint64_t ask_all_in_turn(void)
{
	static struct job jobs[20];
	uint64_t before = metrics_total(METRIC_DB_STALE);

	for (int i = 0; i < 20; i++) {
		jobs[i] = (struct job){ 0 };
		start(&jobs[i], ask_in_turn, LIMIT_S * 1000);
	}
	finish_all();
	return metrics_total(METRIC_DB_STALE) - before;
}

START_TEST(disappearing_statements_are_noticed_and_sent_unnamed)
{
	int rounds = 1;

	ck_assert_uint_gt(ask_all_in_turn(), 0);
	while (ask_all_in_turn() > 0)
		ck_assert_int_lt(++rounds, 10);
}
END_TEST

START_TEST(unnamed_from_the_start_nothing_is_stale)
{
	ck_assert_uint_eq(ask_all_in_turn(), 0);
}
END_TEST

TASK_TEST(a_transaction_stays_on_one_server)
{
	ck_assert_result(leat_tx(req, NULL, all_on_one, NULL), LEAT_OK);
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK);
	ck_assert_int_eq(count_rows(), 5);
}

static const struct leat_statement slow_shape = { .sql = "SELECT n FROM shapes, pg_sleep(0.3)",
						  .row = &number_shape,
						  .read_only = true };

TASK_TEST(a_slow_statement_survives_a_changed_table)
{
	struct number number;

	postgres_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS shapes; CREATE TABLE shapes (n int8); "
		     "INSERT INTO shapes VALUES (1)");
	for (int i = 0; i < 5; i++)
		ck_assert_result(leat_db_one(req, &slow_shape, &number), LEAT_OK);
	ck_assert_uint_gt(metrics_total(METRIC_DB_SLOW), 0);
	postgres_sql("ALTER TABLE shapes ALTER n TYPE int4");
	ck_assert_result(leat_db_one(req, &slow_shape, &number), LEAT_OK);
}

static void compute_ms(int64_t ms)
{
	int64_t until_ns = clock_now_ns() + ms * CLOCK_MS;

	while (clock_now_ns() < until_ns)
		;
}

TASK_TEST(own_computing_is_not_the_statements_time)
{
	struct number number;

	for (int i = 0; i < 8; i++) {
		compute_ms(200);
		ck_assert_result(leat_db_one(req, &backend, &number), LEAT_OK);
	}
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), 0);
}

static void setup_backslashes(void)
{
	static char url[1024];

	set_defaults();
	snprintf(url, sizeof(url), "%s options='-c standard_conforming_strings=off'", settings.database_url);
	settings.database_url = url;
	settings.db_connect_timeout = 600;
	settings.db_slow = 150;
	set_up_stand();
}

TASK_TEST(a_long_first_statement_outlives_the_time_for_connecting)
{
	struct number number;

	for (int i = 0; i < 3; i++)
		ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.3)), LEAT_OK);
	ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(1.2)), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), 1);
}

/* The suite ----------------------------------------------------------------------------------------------------------------- */

static void setup_one(void)
{
	set_defaults();
	settings.db_lent_max = 1;
	settings.db_lent_wait = 100;
	set_up_stand();
}

static void setup_one_in_line(void)
{
	set_defaults();
	settings.db_lent_max = 1;
	settings.db_lent_queue = 1;
	set_up_stand();
}

static void setup_none_kept(void)
{
	set_defaults();
	settings.db_lent_idle_max = 0;
	set_up_stand();
}

static void setup_short_life(void)
{
	set_defaults();
	settings.db_lent_lifetime = 50;
	set_up_stand();
}

static void setup_short_idleness(void)
{
	set_defaults();
	settings.db_lent_idle_time = 50;
	set_up_stand();
}

static void setup_two_ready(void)
{
	set_defaults();
	settings.db_lent_idle_min = 2;
	set_up_stand();
}

static void setup_bouncer(void)
{
	set_defaults();
	settings.database_url = getenv("LEAT_TEST_BOUNCER");
	settings.db_lanes = 3;
	set_up_stand();
}

static void setup_bouncer_unnamed(void)
{
	set_defaults();
	settings.database_url = getenv("LEAT_TEST_BOUNCER");
	settings.db_lanes = 3;
	settings.db_prepare = 2;
	set_up_stand();
}

static void setup_fifty_ms(void)
{
	set_defaults();
	settings.db_slow = 150;
	set_up_stand();
}

#define TX_CASE(s, name, setup_fn, ...) \
	tcase_add_checked_fixture(HARNESS_CASE(s, name, __VA_ARGS__), setup_fn, teardown)

Suite *suite(void)
{
	Suite *s = suite_create("tx");

	postgres_need();
	TX_CASE(s, "transactions", setup, what_returns_ok_is_committed, what_returns_anything_else_is_rolled_back,
		a_statement_that_fails_undoes_those_before_it, a_commit_that_rolls_back_is_no_success,
		all_statements_go_to_one_connection, options_reach_the_server, a_write_in_a_read_only_one_fails,
		an_inner_one_that_fails_leaves_the_outer_one_whole,
		an_inner_one_that_succeeds_is_undone_with_the_outer_one, what_was_sent_and_not_awaited_is_part_of_it);
	TX_CASE(s, "retries", setup, a_serialization_failure_runs_it_again, after_four_tries_it_is_given_up,
		a_deadlock_runs_one_of_them_again);
	TX_CASE(s, "attacked", setup, the_outer_one_goes_on_after_an_inner_one_that_swallowed_a_failure,
		a_commit_whose_end_is_unknown_is_not_run_again, a_savepoint_given_up_leaves_nothing_of_its_request);
	TX_CASE(s, "backslashes", setup_backslashes, a_long_first_statement_outlives_the_time_for_connecting);
	TX_CASE(s, "losses", setup, a_lost_deadline_rolls_back_and_the_connection_comes_back_clean,
		a_client_that_leaves_ends_its_transaction, a_connection_that_is_lost_ends_it_and_nothing_is_run_twice,
		a_connection_that_died_in_the_pool_is_not_lent);
	TX_CASE(s, "lending", setup, many_share_a_few_connections_and_never_more);
	TX_CASE(s, "one", setup_one, who_waits_too_long_for_a_connection_is_refused,
		a_deadline_ends_the_wait_for_a_connection);
	TX_CASE(s, "one-in-line", setup_one_in_line, a_full_queue_refuses);
	TX_CASE(s, "none-kept", setup_none_kept, surplus_is_closed_when_it_comes_back);
	TX_CASE(s, "lifetime", setup_short_life, an_old_connection_is_replaced);
	TX_CASE(s, "idle-time", setup_short_idleness, an_idle_connection_is_closed_in_time);
	TX_CASE(s, "idle-min", setup_two_ready, a_least_number_is_held_ready);
	TX_CASE(s, "copy", setup, rows_are_copied_in, rows_are_copied_out,
		a_row_that_does_not_fit_is_told_and_the_connection_stays, a_copy_left_unfinished_undoes_the_transaction,
		a_deadline_ends_a_copy, without_a_transaction_there_is_no_copy);
	TX_CASE(s, "notifications", setup, what_is_told_after_listening_arrives_in_order,
		a_hundred_listen_on_one_connection, a_deadline_ends_listening,
		who_does_not_fetch_is_told_that_some_are_missed, a_lost_connection_is_told_and_listening_goes_on);
	TX_CASE(s, "slow", setup_fifty_ms, a_statement_that_is_slow_three_times_leaves_the_lanes,
		one_slow_execution_among_fast_ones_changes_nothing, a_statement_that_is_fast_again_comes_back,
		a_slow_statement_survives_a_changed_table, own_computing_is_not_the_statements_time);
	if (getenv("LEAT_TEST_BOUNCER") && *getenv("LEAT_TEST_BOUNCER")) {
		TX_CASE(s, "bouncer", setup_bouncer, disappearing_statements_are_noticed_and_sent_unnamed);
		TX_CASE(s, "bouncer-unnamed", setup_bouncer_unnamed, unnamed_from_the_start_nothing_is_stale,
			a_transaction_stays_on_one_server);
	}
	return s;
}
