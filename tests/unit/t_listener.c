/* t_listener.c - how the connection that listens finds out that it does not any more, and what is told of it. */
#include "tests/unit/db_stand.h"

enum {
	SILENCE_MS = 100,
	ANSWER_MS = 300,
};

#define SIGNS_OF_LIFE \
	"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat' AND query LIKE '%sign of life%'"

static pid_t postmaster; /* stopped by tests, and never left so */

static void find_postmaster(void)
{
	postmaster = (pid_t)postgres_sql("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int");
}

static void free_postmaster(void)
{
	kill(postmaster, SIGCONT);
}

static void setup_impatient(void)
{
	set_defaults();
	settings.db_notify_silence = SILENCE_MS;
	settings.db_connect_timeout = ANSWER_MS;
	set_up_stand();
}

static struct leat_subscription *subscribe(struct leat_request *req)
{
	struct leat_subscription *subscription;

	ck_assert_result(leat_db_listen(req, "news", &subscription), LEAT_OK);
	return subscription;
}

static void listen_once(struct leat_request *req)
{
	subscribe(req);
}

static void expect(struct leat_request *req, struct leat_subscription *subscription, enum leat_result expected)
{
	leat_text payload;

	ck_assert_result(leat_db_notified(req, subscription, &payload), expected);
}

static void expect_nothing(struct leat_request *req, struct leat_subscription *subscription)
{
	int64_t deadline_ns = job_of(req)->call.deadline_ns;

	job_of(req)->call.deadline_ns = clock_now_ns() + 50 * CLOCK_MS;
	expect(req, subscription, LEAT_TIMED_OUT);
	job_of(req)->call.deadline_ns = deadline_ns;
}

/* 0: there is none. */
static pid_t listening_backend(void)
{
	return (pid_t)postgres_sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'leat'"
				   " AND (query LIKE 'LISTEN%' OR query LIKE '%sign of life%')");
}

static void wait_a_little(struct leat_request *req)
{
	ck_assert_result(leat_sleep(req, 5), LEAT_OK);
}

static void wait_for_another(struct leat_request *req, pid_t backend)
{
	pid_t now;

	while ((now = listening_backend()) == 0 || now == backend)
		wait_a_little(req);
}

static void wait_for_failures(struct leat_request *req, uint64_t count)
{
	while (metrics_total(METRIC_DB_CONNECT_FAILURES) < count)
		wait_a_little(req);
}

/* Silence ------------------------------------------------------------------------------------------------------------ */

TASK_TEST(a_server_that_is_silent_is_asked_for_a_sign_of_life_and_kept)
{
	struct leat_subscription *subscription = subscribe(req);
	pid_t backend = listening_backend();

	while (postgres_sql(SIGNS_OF_LIFE) == 0)
		wait_a_little(req);
	ck_assert_int_eq(listening_backend(), backend);
	postgres_sql("NOTIFY news");
	expect(req, subscription, LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LISTENERS_LOST), 0);
}

/* Each of them wakes the thread. */
TASK_TEST(requests_that_come_and_go_do_not_hide_the_silence)
{
	static struct job other;

	subscribe(req);
	while (postgres_sql(SIGNS_OF_LIFE) == 0) {
		if (!other.task)
			start(&other, listen_once, LIMIT_S * 1000);
		wait_a_little(req);
	}
}

TASK_TEST(a_server_that_stands_still_is_noticed_and_left)
{
	struct leat_subscription *subscription = subscribe(req);
	pid_t backend = listening_backend();

	kill(postmaster, SIGSTOP);
	kill(backend, SIGSTOP);
	expect(req, subscription, LEAT_UNAVAILABLE);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LISTENERS_LOST), 1);
	kill(backend, SIGCONT);
	kill(postmaster, SIGCONT);
	wait_for_another(req, backend);
	expect(req, subscription, LEAT_UNAVAILABLE); /* it listens anew */
	postgres_sql("NOTIFY news");
	expect(req, subscription, LEAT_OK);
}

static pid_t stopped;

TASK_TEST(a_server_that_stands_still_does_not_keep_the_thread_from_ending)
{
	struct leat_subscription *subscription;

	settings.db_connect_timeout = 60000;
	subscribe(req);
	stopped = listening_backend();
	kill(stopped, SIGSTOP);
	job_of(req)->call.deadline_ns = clock_now_ns() + 2 * SILENCE_MS * CLOCK_MS;
	ck_assert_result(leat_db_listen(req, "other news", &subscription), LEAT_TIMED_OUT);
}

/* 'end' checks that the thread ends in time. */
static void teardown_stopped(void)
{
	end();
	kill(stopped, SIGCONT);
}

/* Losses --------------------------------------------------------------------------------------------------------------- */

/* Whoever looks around at the first word may look too early. */
TASK_TEST(what_was_said_while_nobody_listened_is_told_as_missed)
{
	struct leat_subscription *subscription = subscribe(req);
	pid_t backend = listening_backend();

	kill(postmaster, SIGSTOP);
	kill(backend, SIGTERM);
	expect(req, subscription, LEAT_UNAVAILABLE);
	kill(postmaster, SIGCONT);
	wait_for_another(req, backend);
	expect(req, subscription, LEAT_UNAVAILABLE);
	expect_nothing(req, subscription);
}

TASK_TEST(attempts_that_fail_are_not_told_to_those_who_know_of_the_loss)
{
	struct leat_subscription *subscription = subscribe(req);
	uint64_t failures = metrics_total(METRIC_DB_CONNECT_FAILURES);
	pid_t backend = listening_backend();

	kill(postmaster, SIGSTOP);
	kill(backend, SIGTERM);
	expect(req, subscription, LEAT_UNAVAILABLE);
	wait_for_failures(req, failures + 2);
	expect_nothing(req, subscription);
	kill(postmaster, SIGCONT);
}

static void wait_until_lost(struct leat_request *req, pid_t backend)
{
	kill(postmaster, SIGSTOP);
	kill(backend, SIGTERM);
	while (metrics_total(METRIC_DB_LISTENERS_LOST) == 0)
		wait_a_little(req);
}

TASK_TEST(who_begins_to_listen_while_the_server_is_away_is_told)
{
	struct leat_subscription *before = subscribe(req), *subscription;

	wait_until_lost(req, listening_backend());
	expect(req, before, LEAT_UNAVAILABLE); /* the channels know of the loss only after it was counted */
	ck_assert_result(leat_db_listen(req, "news", &subscription), LEAT_UNAVAILABLE);
	kill(postmaster, SIGCONT);
}

static void add_case(Suite *s, const char *name, void (*end_fn)(void), const TTest *const *tests)
{
	TCase *tcase = harness_case(s, name, tests);

	tcase_add_unchecked_fixture(tcase, find_postmaster, free_postmaster);
	tcase_add_checked_fixture(tcase, setup_impatient, end_fn);
}

#define LISTENER_CASE(s, name, end_fn, ...) add_case(s, name, end_fn, (const TTest *const[]){ __VA_ARGS__, NULL })

Suite *suite(void)
{
	Suite *s;

	postgres_need();
	s = suite_create("listener");
	LISTENER_CASE(s, "silence", teardown, a_server_that_is_silent_is_asked_for_a_sign_of_life_and_kept,
		      requests_that_come_and_go_do_not_hide_the_silence,
		      a_server_that_stands_still_is_noticed_and_left);
	LISTENER_CASE(s, "stopping", teardown_stopped, a_server_that_stands_still_does_not_keep_the_thread_from_ending);
	LISTENER_CASE(s, "losses", teardown, what_was_said_while_nobody_listened_is_told_as_missed,
		      attempts_that_fail_are_not_told_to_those_who_know_of_the_loss,
		      who_begins_to_listen_while_the_server_is_away_is_told);
	return s;
}
