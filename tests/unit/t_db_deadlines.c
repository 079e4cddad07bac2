/* t_db_deadlines.c - statements that outlive their request, and the lanes that they hold up. */
#include "tests/unit/people.h"

static void add_lin(struct leat_request *req)
{
	job_of(req)->result = leat_db_exec(req, &add_person, NULL, LEAT_ARG(10), LEAT_ARG("Lin"));
}

START_TEST(a_deadline_is_kept_while_the_server_sleeps)
{
	struct job job = { .arg = 10000 };

	TURN_UNTIL(db_is_up(db));
	start(&job, read_for_arg, 100);
	finish_all();
	ck_assert_result(job.result, LEAT_TIMED_OUT);
	ck_assert_int_ge(job.took_ms, 95);
	ck_assert_int_le(job.took_ms, 100 + LENIENT_MS);
	ck_assert_int_eq(metrics_total(METRIC_DB_TIMEOUTS), 1);
}
END_TEST

/* 'slow' is given up after 50 ms; 'next' waits, for the only lane is late. */
static void ask_behind_a_late_one(struct job *slow, struct job *next)
{
	TURN_UNTIL(db_is_up(db));
	start(slow, read_for_arg, 50);
	finish_all();
	start(next, read_one, 5000);
	finish_all();
}

START_TEST(a_late_answer_is_drained_without_cancelling)
{
	struct job slow = { .arg = 150 }, next = { 0 };

	ask_behind_a_late_one(&slow, &next);
	ck_assert_result(slow.result, LEAT_TIMED_OUT);
	ck_assert_result(next.result, LEAT_OK);
	ck_assert_int_eq(metrics_total(METRIC_DB_CONNECTS), 1);
	ck_assert_int_eq(metrics_total(METRIC_DB_ERRORS), 0);
}
END_TEST

START_TEST(past_its_grace_a_late_statement_is_cancelled_and_the_connection_stays)
{
	struct job slow = { .arg = 60000 }, next = { 0 };

	ask_behind_a_late_one(&slow, &next);
	ck_assert_result(next.result, LEAT_OK);
	ck_assert_int_eq(metrics_total(METRIC_DB_CONNECTS), 1);
	ck_assert_int_eq(metrics_total(METRIC_DB_ERRORS), 1);
	ck_assert(!is_asleep());
}
END_TEST

START_TEST(those_behind_a_late_statement_move_if_they_only_read)
{
	struct job slow = { .arg = 60000 }, reader = { 0 }, writer = { 0 };

	TURN_UNTIL(db_is_up(db));
	start(&slow, read_for_arg, 50);
	start(&reader, read_one, 5000);
	start(&writer, add_lin, 5000);
	finish_all();
	ck_assert_result(slow.result, LEAT_TIMED_OUT);
	ck_assert_result(reader.result, LEAT_OK);
	ck_assert_result(writer.result, LEAT_UNAVAILABLE);
	ck_assert_int_eq(metrics_total(METRIC_DB_RETRIES), 1);
	TURN_UNTIL(!is_asleep());
}
END_TEST

START_TEST(a_late_lane_gets_no_work_while_another_is_ready)
{
	struct job slow = { .arg = 60000 }, next = { 0 };

	end();
	settings.db_lanes = 2;
	settings.db_cancel_grace = 5000;
	begin();
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECTIONS) == 2);
	start(&slow, read_for_arg, 50);
	finish_all();
	for (int i = 0; i < 10; i++) {
		start(&next, read_one, 1000);
		finish_all();
		ck_assert_result(next.result, LEAT_OK);
	}
}
END_TEST

START_TEST(a_cancelled_task_stops_waiting)
{
	struct job job = { .arg = 60000 };

	TURN_UNTIL(db_is_up(db));
	start(&job, read_for_arg, LIMIT_S * 1000);
	TURN_UNTIL(is_asleep());
	task_cancel(job.task);
	finish_all();
	ck_assert_result(job.result, LEAT_CANCELLED);
	TURN_UNTIL(!is_asleep());
}
END_TEST

static void send_and_leave(struct leat_request *req)
{
	struct leat_query *query;

	job_of(req)->result = leat_db_send(req, &sleep_s, &query, LEAT_ARG(60.0));
}

START_TEST(what_a_request_left_behind_is_given_up)
{
	struct job job = { 0 }, next = { 0 };

	TURN_UNTIL(db_is_up(db));
	start(&job, send_and_leave, 5000);
	finish_all();
	start(&next, read_one, 5000);
	finish_all();
	ck_assert_result(next.result, LEAT_OK);
}
END_TEST

START_TEST(statement_timeout_is_timed_out)
{
	struct job job = { .arg = 60000 };
	char url[512];

	snprintf(url, sizeof(url), "%s options='-c statement_timeout=50'", getenv("LEAT_TEST_DATABASE"));
	end();
	settings.database_url = url;
	begin();
	start(&job, read_for_arg, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_TIMED_OUT);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("db_deadlines");

	postgres_need();
	HARNESS_CASE_WITH(s, "deadlines", setup, teardown, a_deadline_is_kept_while_the_server_sleeps,
			  a_late_answer_is_drained_without_cancelling,
			  past_its_grace_a_late_statement_is_cancelled_and_the_connection_stays,
			  those_behind_a_late_statement_move_if_they_only_read,
			  a_late_lane_gets_no_work_while_another_is_ready, a_cancelled_task_stops_waiting,
			  what_a_request_left_behind_is_given_up, statement_timeout_is_timed_out);
	return s;
}
