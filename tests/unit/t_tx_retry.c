/* t_tx_retry.c - transactions that are run again, and one that must not be. */
#include <stdatomic.h>

#include "tests/unit/people.h"

static const struct leat_statement raise_name = { .sql = "UPDATE people SET name = name || '+' WHERE id = $1" };

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
	/* The one that begins again may overtake the one it made way for, while that is still waking up: then once more. */
	ck_assert_uint_ge(metrics_total(METRIC_DB_TX_RETRIES), 1);
}
END_TEST

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

static atomic_bool probe_is_over, probe_has_waited, watch_is_over;

/* On an offload thread: ends the wait of the probe's commit. */
static void watch_probe(void *arg)
{
	(void)arg;
	while (!probe_is_over && !probe_has_waited)
		probe_has_waited = postgres_sql("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
						"WHERE wait_event = 'SyncRep'") > 0;
	watch_is_over = true;
}

/* Commits wait only when the checkpointer has heard of the setting, too: one is tried until it does. */
static void wait_until_commits_wait(void)
{
	int64_t limit_ns = clock_now_ns() + LIMIT_S * CLOCK_S;

	do {
		ck_assert(clock_now_ns() < limit_ns);
		probe_is_over = probe_has_waited = watch_is_over = false;
		ck_assert(offload_run(offload, watch_probe, NULL));
		postgres_sql("SET client_min_messages = error; CREATE TABLE IF NOT EXISTS probe (); DROP TABLE probe");
		probe_is_over = true;
		while (!watch_is_over)
			usleep(1000);
	} while (!probe_has_waited);
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
	wait_until_commits_wait();
	ck_assert(offload_run(offload, end_commit, NULL));
	ck_assert_result(leat_tx(req, NULL, await_another_failure, &sent_before), LEAT_UNAVAILABLE);
	postgres_sql("ALTER SYSTEM RESET synchronous_standby_names");
	postgres_sql("SELECT pg_reload_conf()");
	ck_assert_int_eq(tries, 1);
}

Suite *suite(void)
{
	Suite *s = suite_create("tx_retry");

	postgres_need();
	HARNESS_CASE_WITH(s, "retries", setup, teardown, a_serialization_failure_runs_it_again,
			  after_four_tries_it_is_given_up, a_deadlock_runs_one_of_them_again,
			  a_commit_whose_end_is_unknown_is_not_run_again);
	return s;
}
