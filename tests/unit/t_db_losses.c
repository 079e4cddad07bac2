/* t_db_losses.c - connections that break, and a server that restarts, is away or stands still. */
#include "tests/unit/people.h"

static const struct leat_statement write_slowly = {
	.sql = "INSERT INTO people SELECT 100 + nextval('written'), 'slow' FROM pg_sleep($1)"
};

/* Connections ----------------------------------------------------------------------------------------------------- */

static void write_for_arg(struct leat_request *req)
{
	job_of(req)->result = leat_db_exec(req, &write_slowly, NULL, LEAT_ARG((double)job_of(req)->arg / 1000));
}

/* Its backend dies while it is in flight. */
static void lose_in_flight(struct job *job, job_fn fn)
{
	TURN_UNTIL(db_is_up(db));
	start(job, fn, 10000);
	TURN_UNTIL(is_asleep());
	kill_backends();
	finish_all();
}

START_TEST(a_read_in_flight_is_sent_again_when_its_backend_dies)
{
	struct job job = { .arg = 300 };

	lose_in_flight(&job, read_for_arg);
	ck_assert_result(job.result, LEAT_OK);
	ck_assert_int_eq(metrics_total(METRIC_DB_RETRIES), 1);
	ck_assert_int_eq(metrics_total(METRIC_DB_CONNECTS), 2);
}
END_TEST

START_TEST(a_write_in_flight_is_never_sent_again)
{
	struct job job = { .arg = 300 };

	lose_in_flight(&job, write_for_arg);
	ck_assert_result(job.result, LEAT_UNAVAILABLE);
	TURN_UNTIL(db_is_up(db));
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE name = 'slow'"), 0);
}
END_TEST

START_TEST(a_read_is_sent_again_only_once)
{
	struct job job = { .arg = 1000 };

	TURN_UNTIL(db_is_up(db));
	start(&job, read_for_arg, 10000);
	for (int i = 0; i < 2; i++) {
		TURN_UNTIL(is_asleep());
		kill_backends();
		TURN_UNTIL(!is_asleep());
	}
	finish_all();
	ck_assert_result(job.result, LEAT_UNAVAILABLE);
}
END_TEST

START_TEST(an_idle_connection_that_dies_is_made_again_and_prepared)
{
	struct job job = { 0 };

	start(&job, read_one, 5000);
	finish_all();
	kill_backends();
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECTS) == 2 && db_is_up(db));
	ck_assert_int_eq(metrics_total(METRIC_DB_QUERIES), 1);
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}
END_TEST

START_TEST(the_first_requests_wait_for_the_first_attempt)
{
	struct job job = { 0 };

	start(&job, read_one, 5000);
	ck_assert(!db_is_up(db));
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}
END_TEST

START_TEST(after_a_stop_statements_are_refused)
{
	struct job before = { .arg = 200 }, after = { 0 };

	TURN_UNTIL(db_is_up(db));
	start(&before, read_for_arg, 5000);
	turn();
	db_stop(db);
	start(&after, read_one, 5000);
	finish_all();
	ck_assert_result(before.result, LEAT_OK);
	ck_assert_result(after.result, LEAT_UNAVAILABLE);
}
END_TEST

/* The server ------------------------------------------------------------------------------------------------------ */

static void restart(const char *how)
{
	struct job job = { 0 };
	char arguments[64];

	start(&job, read_one, 5000);
	finish_all();
	snprintf(arguments, sizeof(arguments), "restart -m %s", how);
	control(arguments);
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECTS) >= 2 && db_is_up(db));
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}

START_TEST(a_fast_restart_is_survived)
{
	restart("fast");
}
END_TEST

START_TEST(an_immediate_restart_is_survived)
{
	restart("immediate");
}
END_TEST

START_TEST(while_the_server_is_down_statements_are_refused_at_once)
{
	struct job job = { 0 };

	TURN_UNTIL(db_is_up(db));
	control("stop -m fast");
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECT_FAILURES) >= 1);
	start(&job, read_one, 5000);
	finish_all();
	control("start");
	ck_assert_result(job.result, LEAT_UNAVAILABLE);
	ck_assert_int_lt(job.took_ms, 100);
	ck_assert(!db_is_up(db));
	TURN_UNTIL(db_is_up(db));
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}
END_TEST

START_TEST(a_server_that_is_down_at_the_start_is_found_later)
{
	struct job job = { 0 };

	end();
	control("stop -m fast");
	begin();
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_UNAVAILABLE);
	control("start");
	TURN_UNTIL(db_is_up(db));
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}
END_TEST

START_TEST(a_server_that_stands_still_costs_the_deadline_and_is_left)
{
	struct job job = { 0 };
	pid_t pid;

	TURN_UNTIL(db_is_up(db));
	pid = (pid_t)postgres_sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'leat'");
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	start(&job, read_one, 100);
	finish_all();
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECTS) == 2 && db_is_up(db));
	kill(pid, SIGCONT);
	ck_assert_result(job.result, LEAT_TIMED_OUT);
	ck_assert_int_le(job.took_ms, 100 + LENIENT_MS);
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("db_losses");

	postgres_need();
	HARNESS_CASE_WITH(s, "losses", setup, teardown, a_read_in_flight_is_sent_again_when_its_backend_dies,
			  a_write_in_flight_is_never_sent_again, a_read_is_sent_again_only_once,
			  an_idle_connection_that_dies_is_made_again_and_prepared,
			  the_first_requests_wait_for_the_first_attempt, after_a_stop_statements_are_refused);
	if (getenv("LEAT_TEST_POSTGRES_CTL"))
		HARNESS_CASE_WITH(s, "restarts", setup, teardown, a_fast_restart_is_survived,
				  an_immediate_restart_is_survived,
				  while_the_server_is_down_statements_are_refused_at_once,
				  a_server_that_is_down_at_the_start_is_found_later,
				  a_server_that_stands_still_costs_the_deadline_and_is_left);
	return s;
}
