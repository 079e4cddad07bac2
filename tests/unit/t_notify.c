/* t_notify.c - notifications of PostgreSQL, and who listens to them. */
#include "tests/unit/db_stand.h"

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
	enum leat_result result;
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
	while ((result = leat_db_notified(req, subscription, &payload)) == LEAT_UNAVAILABLE)
		; /* it is told again when leat listens anew: t_listener.c */
	ck_assert_result(result, LEAT_OK);
	ck_assert(leat_text_equal(payload, LEAT_TEXT_OF("again")));
}

Suite *suite(void)
{
	Suite *s = suite_create("notify");

	postgres_need();
	HARNESS_CASE_WITH(s, "notifications", setup, teardown, what_is_told_after_listening_arrives_in_order,
			  a_hundred_listen_on_one_connection, a_deadline_ends_listening,
			  who_does_not_fetch_is_told_that_some_are_missed,
			  a_lost_connection_is_told_and_listening_goes_on);
	return s;
}
