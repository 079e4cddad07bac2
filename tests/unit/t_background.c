/* t_background.c - work that nobody waits for: places, order, expiry, the end (task/background.h). */
#include "task/background.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "task/crash.h"
#include "tests/unit/harness.h"

static struct background *background;
static const struct crash_subject subject = { .route = "none" };
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static char trace[64];

static void mark(void *arg)
{
	strcat(trace, arg);
}

static void pass_gate(void *arg)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	strcat(trace, arg);
}

static void set_up(void)
{
	background = background_new(1, 3, 3600 * CLOCK_S);
	memset(trace, 0, sizeof(trace));
}

static void tear_down(void)
{
	background_free(background);
}

static void run(void (*fn)(void *arg), const char *letter)
{
	ck_assert(background_reserve(background));
	background_run(background, fn, letter, 2, &subject);
}

static int64_t waiting(void)
{
	return (int64_t)metrics_total(METRIC_AFTER_WAITING);
}

static void wait_until_waiting(int64_t count)
{
	for (int i = 0; i < 10000 && waiting() != count; i++)
		usleep(1000);
	ck_assert_int_eq(waiting(), count);
}

START_TEST(work_is_done_in_its_order)
{
	run(mark, "a");
	run(mark, "b");
	run(mark, "c");
	ck_assert(background_stop(background, CLOCK_NEVER));
	ck_assert_str_eq(trace, "abc");
	ck_assert_uint_eq(metrics_total(METRIC_AFTER_DONE), 3);
	ck_assert_uint_eq(background_left(background), 0);
}
END_TEST

START_TEST(places_are_bounded_and_what_runs_has_none)
{
	pthread_mutex_lock(&gate);
	run(pass_gate, "a");
	wait_until_waiting(0);
	run(mark, "b");
	run(mark, "c");
	ck_assert(background_reserve(background));
	ck_assert(!background_reserve(background));
	ck_assert_uint_eq(metrics_total(METRIC_AFTER_REFUSED), 1);
	background_release(background);
	run(mark, "d");
	ck_assert_uint_eq(background_left(background), 4);
	pthread_mutex_unlock(&gate);
	ck_assert(background_stop(background, CLOCK_NEVER));
	ck_assert_str_eq(trace, "abcd");
	ck_assert_int_eq(waiting(), 0);
}
END_TEST

START_TEST(work_that_waited_too_long_is_not_done)
{
	background_free(background);
	background = background_new(1, 3, 1);
	run(mark, "a");
	ck_assert(background_stop(background, CLOCK_NEVER));
	ck_assert_str_eq(trace, "");
	ck_assert_uint_eq(metrics_total(METRIC_AFTER_EXPIRED), 1);
	ck_assert_int_eq(waiting(), 0);
}
END_TEST

START_TEST(stopping_gives_up_at_its_deadline)
{
	pthread_mutex_lock(&gate);
	run(pass_gate, "a");
	run(mark, "b");
	ck_assert(!background_stop(background, clock_now_ns() + 5 * CLOCK_MS));
	ck_assert_uint_eq(background_left(background), 2);
	pthread_mutex_unlock(&gate);
}
END_TEST

START_TEST(without_work_there_is_nothing_to_stop)
{
	ck_assert(background_stop(background, 0));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("background");

	HARNESS_CASE_WITH(s, "work", set_up, tear_down, work_is_done_in_its_order,
			  places_are_bounded_and_what_runs_has_none, work_that_waited_too_long_is_not_done,
			  stopping_gives_up_at_its_deadline, without_work_there_is_nothing_to_stop);
	return s;
}
