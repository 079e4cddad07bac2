/* t_lend.c - connections that are lent for transactions: how many, who waits, and when they are closed. */
#include "tests/unit/people.h"

/* Sharing and waiting --------------------------------------------------------------------------------------------- */

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

static void setup_one(void)
{
	set_defaults();
	settings.db_lent_max = 1;
	settings.db_lent_wait = 100;
	set_up_stand();
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

static void setup_one_in_line(void)
{
	set_defaults();
	settings.db_lent_max = 1;
	settings.db_lent_queue = 1;
	set_up_stand();
}

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

/* Closing, and holding ready -------------------------------------------------------------------------------------- */

static void setup_none_kept(void)
{
	set_defaults();
	settings.db_lent_idle_max = 0;
	set_up_stand();
}

TASK_TEST(surplus_is_closed_when_it_comes_back)
{
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_IDLE_CLOSED), 1);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 0);
}

static void setup_short_life(void)
{
	set_defaults();
	settings.db_lent_lifetime = 50;
	set_up_stand();
}

static enum leat_result ask_backend(struct leat_request *req, void *arg)
{
	return leat_db_one(req, &backend, arg);
}

TASK_TEST(an_old_connection_is_replaced)
{
	struct number before, after;

	ck_assert_result(leat_tx(req, NULL, ask_backend, &before), LEAT_OK);
	ck_assert_result(wait_sleep(loop_now_ns(loop) + 60 * CLOCK_MS, CLOCK_NEVER), LEAT_OK);
	lend_tick(lend);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_LIFETIME_CLOSED), 1);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 0);
	ck_assert_result(leat_tx(req, NULL, ask_backend, &after), LEAT_OK);
	ck_assert_int_ne(before.n, after.n);
}

static void setup_short_idleness(void)
{
	set_defaults();
	settings.db_lent_idle_time = 50;
	set_up_stand();
}

TASK_TEST(an_idle_connection_is_closed_in_time)
{
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK);
	ck_assert_result(wait_sleep(loop_now_ns(loop) + 60 * CLOCK_MS, CLOCK_NEVER), LEAT_OK);
	lend_tick(lend);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_IDLE_TIME_CLOSED), 1);
}

static void setup_two_ready(void)
{
	set_defaults();
	settings.db_lent_idle_min = 2;
	set_up_stand();
}

START_TEST(a_least_number_is_held_ready)
{
	lend_tick(lend);
	TURN_UNTIL(metrics_total(METRIC_DB_LENT_IDLE) == 2);
	lend_tick(lend);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 2);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("lend");

	postgres_need();
	HARNESS_CASE_WITH(s, "lending", setup, teardown, many_share_a_few_connections_and_never_more);
	HARNESS_CASE_WITH(s, "one", setup_one, teardown, who_waits_too_long_for_a_connection_is_refused,
			  a_deadline_ends_the_wait_for_a_connection);
	HARNESS_CASE_WITH(s, "one-in-line", setup_one_in_line, teardown, a_full_queue_refuses);
	HARNESS_CASE_WITH(s, "none-kept", setup_none_kept, teardown, surplus_is_closed_when_it_comes_back);
	HARNESS_CASE_WITH(s, "lifetime", setup_short_life, teardown, an_old_connection_is_replaced);
	HARNESS_CASE_WITH(s, "idle-time", setup_short_idleness, teardown, an_idle_connection_is_closed_in_time);
	HARNESS_CASE_WITH(s, "idle-min", setup_two_ready, teardown, a_least_number_is_held_ready);
	return s;
}
