/* t_retry.c - the back-off as scripts: times go in, times come out. */
#include "back/retry.h"

#include "tests/unit/harness.h"

enum { LEAST = 100, MOST = 800 };

static struct retry retry;

static void setup(void)
{
	retry_init(&retry, LEAST, MOST, 42);
}

START_TEST(is_due_at_first)
{
	ck_assert(retry_is_due(&retry, 0));
}
END_TEST

START_TEST(waits_longer_after_each_failure)
{
	static const int64_t longest[] = { 100, 200, 400, 800 };

	for (int i = 0; i < 4; i++) {
		retry_failed(&retry, 1000);
		ck_assert_int_ge(retry.due_ns, 1000 + longest[i] / 2);
		ck_assert_int_le(retry.due_ns, 1000 + longest[i]);
	}
}
END_TEST

START_TEST(never_waits_longer_than_the_most)
{
	for (int i = 0; i < 1000; i++) {
		retry_failed(&retry, 0);
		ck_assert_int_le(retry.due_ns, MOST);
	}
}
END_TEST

START_TEST(never_waits_less_than_half)
{
	for (int i = 0; i < 1000; i++) {
		retry_init(&retry, LEAST, MOST, (uint64_t)i);
		retry_failed(&retry, 0);
		ck_assert_int_ge(retry.due_ns, LEAST / 2);
	}
}
END_TEST

START_TEST(is_not_due_before_its_time)
{
	retry_failed(&retry, 1000);
	ck_assert(!retry_is_due(&retry, retry.due_ns - 1));
	ck_assert(retry_is_due(&retry, retry.due_ns));
}
END_TEST

START_TEST(workers_spread_out)
{
	bool seen[LEAST + 1] = { false };
	int different = 0;

	for (int i = 0; i < 200; i++) {
		struct retry worker;

		retry_init(&worker, LEAST, MOST, (uint64_t)i * 7919);
		for (int warm = 0; warm < 10; warm++)
			retry_failed(&worker, 0);
		retry_succeeded(&worker, 0);
		retry_failed(&worker, 0);
		different += !seen[worker.due_ns];
		seen[worker.due_ns] = true;
	}
	ck_assert_int_gt(different, 30);
}
END_TEST

START_TEST(forgets_failures_after_a_success)
{
	for (int i = 0; i < 10; i++)
		retry_failed(&retry, 0);
	retry_succeeded(&retry, 5000);
	ck_assert_uint_eq(retry.failures, 0);
	ck_assert(retry_is_due(&retry, 5000));
	retry_failed(&retry, 5000);
	ck_assert_int_le(retry.due_ns, 5000 + LEAST);
}
END_TEST

START_TEST(what_lived_long_is_tried_again_at_once)
{
	retry_succeeded(&retry, 1000);
	retry_lost(&retry, 1000, 1000 + LEAST);
	ck_assert(retry_is_due(&retry, 1000 + LEAST));
}
END_TEST

START_TEST(what_comes_and_goes_is_not_chased)
{
	retry_succeeded(&retry, 1000);
	retry_lost(&retry, 1000, 1001);
	ck_assert(!retry_is_due(&retry, 1000 + LEAST - 1));
	ck_assert(retry_is_due(&retry, 1000 + LEAST));
}
END_TEST

START_TEST(a_loss_is_no_failure)
{
	retry_lost(&retry, 1000, 1001);
	ck_assert_uint_eq(retry.failures, 0);
}
END_TEST

START_TEST(does_not_overflow)
{
	retry_init(&retry, INT64_MAX / 4, INT64_MAX / 2, 1);
	for (int i = 0; i < 100; i++)
		retry_failed(&retry, 0);
	ck_assert_int_gt(retry.due_ns, 0);
	ck_assert_int_le(retry.due_ns, INT64_MAX / 2);
}
END_TEST

START_TEST(a_most_below_the_least_counts_as_the_least)
{
	retry_init(&retry, 100, 10, 1);
	retry_failed(&retry, 0);
	ck_assert_int_ge(retry.due_ns, 50);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("retry");

	HARNESS_CASE_WITH(s, "back-off", setup, NULL, is_due_at_first, waits_longer_after_each_failure,
			  never_waits_longer_than_the_most, never_waits_less_than_half, is_not_due_before_its_time,
			  workers_spread_out, forgets_failures_after_a_success, what_lived_long_is_tried_again_at_once,
			  what_comes_and_goes_is_not_chased, a_loss_is_no_failure, does_not_overflow,
			  a_most_below_the_least_counts_as_the_least);
	return s;
}
