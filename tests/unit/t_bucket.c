/* t_bucket.c - a token bucket on time lines: what golang.org/x/time/rate does at each edge, and what it should do. Times are milliseconds. */
#include <string.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "base/random.h"
#include "tests/unit/harness.h"

#define NEVER INT64_C(-1)

static struct bucket_limit limit;
static uint64_t state;
static struct bucket_grant last; /* of the last question */

/* A full bucket: 'count' in 'period_ms'. */
static void bucket_of(uint32_t count, int64_t period_ms, uint32_t burst)
{
	limit = bucket_limit(count, period_ms * CLOCK_MS, burst);
	state = 0;
}

static bool allow(int64_t at_ms, uint32_t count)
{
	return bucket_take(&limit, &state, at_ms * CLOCK_MS, count, 0, &last);
}

/* When it is due, NEVER. */
static int64_t reserve(int64_t at_ms, uint32_t count)
{
	if (!bucket_take(&limit, &state, at_ms * CLOCK_MS, count, BUCKET_FOREVER, &last))
		return NEVER;
	ck_assert_int_eq(last.at_ns % CLOCK_MS, 0);
	return last.at_ns / CLOCK_MS;
}

static void cancel(int64_t at_ms, struct bucket_grant grant)
{
	bucket_cancel(&limit, &state, at_ms * CLOCK_MS, &grant);
}

static uint32_t left(int64_t at_ms)
{
	return bucket_left(&limit, state, at_ms * CLOCK_MS);
}

static void change(int64_t at_ms, struct bucket_limit next)
{
	bucket_change(&limit, &next, &state, at_ms * CLOCK_MS);
	limit = next;
}

/* Allowing ------------------------------------------------------------------------------------------------------------- */

START_TEST(it_is_full_at_first)
{
	bucket_of(10, 1000, 3);
	ck_assert_uint_eq(left(5000), 3);
	ck_assert(allow(5000, 3));
	ck_assert(!allow(5000, 1));
	ck_assert_int_eq(last.at_ns, 5100 * CLOCK_MS);
}
END_TEST

START_TEST(without_a_limit_everything_passes)
{
	limit = bucket_unlimited();
	state = 0;
	for (unsigned i = 0; i < 1000; i++)
		ck_assert(allow(0, 1000000));
	ck_assert_int_eq(reserve(0, UINT32_MAX), 0);
	cancel(0, last);
	ck_assert_uint_eq(left(0), UINT32_MAX);
}
END_TEST

START_TEST(a_rate_of_none_gives_the_burst_once)
{
	bucket_of(0, 1000, 2);
	ck_assert(allow(0, 1));
	ck_assert_uint_eq(left(1000000), 1);
	ck_assert(allow(1000000, 1));
	ck_assert(!allow(2000000, 1));
	ck_assert_int_eq(last.at_ns, BUCKET_FOREVER);
	ck_assert_int_eq(reserve(2000000, 1), NEVER);
	ck_assert_int_eq(bucket_full_in_ns(&limit, state, 0), BUCKET_FOREVER);
	change(3000000, bucket_limit(1, CLOCK_S, 2));
	ck_assert(!allow(3000999, 1));
	ck_assert(allow(3001000, 1));
}
END_TEST

START_TEST(a_burst_of_none_refuses_all)
{
	bucket_of(10, 1000, 0);
	ck_assert(!allow(100000, 1));
	ck_assert_int_eq(last.at_ns, BUCKET_FOREVER);
	ck_assert(allow(0, 0));
}
END_TEST

START_TEST(more_than_the_burst_is_never_there)
{
	bucket_of(10, 1000, 5);
	ck_assert(!allow(0, 6));
	ck_assert_int_eq(last.at_ns, BUCKET_FOREVER);
	ck_assert_int_eq(reserve(0, 6), NEVER);
	ck_assert(allow(0, 5));
}
END_TEST

START_TEST(none_is_always_there)
{
	bucket_of(1, 1000, 1);
	ck_assert(allow(0, 1));
	ck_assert_int_eq(reserve(0, 1), 1000);
	ck_assert(allow(0, 0));
	ck_assert_int_eq(reserve(0, 0), 0);
	cancel(0, last);
	ck_assert_int_eq(reserve(0, 1), 2000);
}
END_TEST

START_TEST(it_fills_steadily_and_not_over_the_burst)
{
	bucket_of(10, 1000, 4);
	ck_assert(allow(0, 4));
	ck_assert(!allow(99, 1));
	ck_assert(allow(100, 1));
	ck_assert_uint_eq(left(299), 1);
	ck_assert_uint_eq(left(300), 2);
	ck_assert_int_eq(bucket_full_in_ns(&limit, state, 300 * CLOCK_MS), 200 * CLOCK_MS);
	ck_assert_uint_eq(left(100000), 4);
	ck_assert_int_eq(bucket_full_in_ns(&limit, state, 100000 * CLOCK_MS), 0);
	ck_assert(!allow(100000, 5));
	ck_assert(allow(100000, 4));
	ck_assert(!allow(100000, 1));
}
END_TEST

/* x/time/rate gives the same interval twice. */
START_TEST(a_clock_that_goes_back_fills_nothing_twice)
{
	bucket_of(1, 1000, 1);
	ck_assert(allow(5000, 1));
	ck_assert(!allow(1000, 1));
	ck_assert_int_eq(last.at_ns, 6000 * CLOCK_MS);
	ck_assert(!allow(5999, 1));
	ck_assert(allow(6000, 1));
	ck_assert(!allow(2000, 1));
	ck_assert(!allow(6999, 1));
}
END_TEST

START_TEST(a_rate_that_does_not_divide_is_kept_to_the_nanosecond)
{
	struct bucket_grant grant;

	bucket_of(3, 1000, 1);
	ck_assert(allow(0, 1));
	ck_assert(!bucket_take(&limit, &state, 333333332, 1, 0, &grant));
	ck_assert(bucket_take(&limit, &state, 333333333, 1, 0, &grant));
	ck_assert(!bucket_take(&limit, &state, 666666665, 1, 0, &grant));
	ck_assert(bucket_take(&limit, &state, 666666666, 1, 0, &grant));
	ck_assert(allow(1000, 1));
}
END_TEST

START_TEST(limits_have_bounds)
{
	ck_assert(bucket_can_be(1, BUCKET_FILL_MOST_NS, 1));
	ck_assert(!bucket_can_be(1, BUCKET_FILL_MOST_NS + 1, 1));
	ck_assert(!bucket_can_be(1, BUCKET_FILL_MOST_NS, 2));
	ck_assert(!bucket_can_be(1, 0, 1));
	ck_assert(bucket_can_be(1, CLOCK_S, 366 * 86400));
	ck_assert(!bucket_can_be(1, CLOCK_S, UINT32_MAX));
	ck_assert(bucket_can_be(UINT32_MAX, CLOCK_S, UINT32_MAX));
}
END_TEST

/* Reserving ------------------------------------------------------------------------------------------------------------ */

START_TEST(reservations_are_due_one_after_the_other)
{
	bucket_of(10, 1000, 2);
	ck_assert_int_eq(reserve(0, 2), 0);
	ck_assert_int_eq(reserve(0, 1), 100);
	ck_assert_int_eq(reserve(50, 2), 300);
	ck_assert_int_eq(reserve(50, 1), 400);
	ck_assert(!allow(400, 1));
	ck_assert(allow(500, 1));
}
END_TEST

START_TEST(what_comes_too_late_is_not_taken)
{
	bucket_of(10, 1000, 2);
	ck_assert(allow(0, 2));
	ck_assert(!bucket_take(&limit, &state, 0, 2, 200 * CLOCK_MS - 1, &last));
	ck_assert_int_eq(last.at_ns, 200 * CLOCK_MS);
	ck_assert(bucket_take(&limit, &state, 0, 2, 200 * CLOCK_MS, &last));
	ck_assert_int_eq(reserve(0, 1), 300);
}
END_TEST

START_TEST(a_change_leaves_reservations_their_times)
{
	bucket_of(10, 1000, 2);
	ck_assert(allow(0, 2));
	ck_assert_int_eq(reserve(0, 2), 200);
	/* at 100 one token came at the old rate; one is owed */
	change(100, bucket_limit(2, CLOCK_S, 2));
	ck_assert_int_eq(reserve(100, 1), 100 + 1000);
	/* the burst takes nothing away, and gives nothing */
	change(1100, bucket_limit(2, CLOCK_S, 5));
	ck_assert_uint_eq(left(1100), 0);
	ck_assert_uint_eq(left(100000), 5);
	change(100000, bucket_limit(2, CLOCK_S, 3));
	ck_assert_uint_eq(left(100000), 3);
}
END_TEST

START_TEST(a_limit_may_come_and_go)
{
	bucket_of(1, 1000, 2);
	ck_assert(allow(0, 2));
	change(0, bucket_unlimited());
	ck_assert(allow(0, 100));
	change(0, bucket_limit(1, CLOCK_S, 2));
	ck_assert(allow(0, 2));
	ck_assert(!allow(0, 1));
	change(0, bucket_limit(0, CLOCK_S, 2));
	ck_assert(!allow(100000, 1));
}
END_TEST

/* Giving back ---------------------------------------------------------------------------------------------------------- */

START_TEST(the_last_reservation_goes_back_whole)
{
	bucket_of(10, 1000, 2);
	ck_assert(allow(0, 2));
	ck_assert_int_eq(reserve(0, 2), 200);
	cancel(0, last);
	ck_assert_int_eq(reserve(0, 2), 200);
	cancel(200, last); /* at its very time */
	ck_assert(allow(200, 2));
}
END_TEST

START_TEST(one_whose_time_has_passed_does_not)
{
	bucket_of(10, 1000, 2);
	ck_assert(allow(0, 2));
	ck_assert_int_eq(reserve(0, 2), 200);
	cancel(201, last);
	ck_assert_int_eq(reserve(201, 2), 400);
}
END_TEST

/* x/time/rate gives nothing back here: whoever came later has his time, and one at 200 beside him is within the burst. */
START_TEST(what_others_do_not_count_on_goes_back)
{
	struct bucket_grant middle;

	bucket_of(10, 1000, 2);
	ck_assert(allow(0, 2));
	ck_assert_int_eq(reserve(0, 1), 100);
	middle = last;
	ck_assert_int_eq(reserve(0, 1), 200);
	cancel(0, middle);
	ck_assert_int_eq(reserve(0, 1), 200);
	ck_assert_int_eq(reserve(0, 1), 300);
}
END_TEST

START_TEST(what_others_count_on_does_not)
{
	struct bucket_grant middle;

	bucket_of(10, 1000, 2);
	ck_assert(allow(0, 2));
	ck_assert_int_eq(reserve(0, 2), 200);
	middle = last;
	ck_assert_int_eq(reserve(0, 1), 300);
	cancel(200, middle); /* one of the two */
	ck_assert_int_eq(reserve(200, 2), 400);
}
END_TEST

START_TEST(several_go_back)
{
	struct bucket_grant first;

	bucket_of(10, 1000, 4);
	ck_assert(allow(0, 4));
	ck_assert_int_eq(reserve(0, 3), 300);
	first = last;
	ck_assert_int_eq(reserve(0, 1), 400);
	ck_assert_int_eq(reserve(0, 1), 500);
	cancel(100, last);
	cancel(100, first); /* whole: x/time/rate loses one of them */
	ck_assert_int_eq(reserve(100, 3), 400);
}
END_TEST

START_TEST(a_burst_that_is_used_up_later_goes_back_in_part)
{
	struct bucket_grant first;

	bucket_of(1, 1000, 10);
	ck_assert_int_eq(reserve(0, 6), 0);
	first = last;
	ck_assert_int_eq(reserve(0, 6), 2000);
	cancel(0, first);
	/* 16 tokens from 2 to 8: not one more would be right */
	ck_assert_int_eq(reserve(0, 10), 8000);
}
END_TEST

/* x/time/rate: 1/60 s is rounded, and what went back is not what was taken. */
START_TEST(nothing_is_lost_by_rounding)
{
	struct bucket_grant grants[3];

	bucket_of(60, 1000, 1);
	ck_assert(bucket_take(&limit, &state, 12345, 1, 0, &last));
	for (unsigned i = 0; i < 3; i++)
		ck_assert(bucket_take(&limit, &state, 12345, 1, CLOCK_S, &grants[i]));
	for (unsigned i = 3; i-- > 0;)
		bucket_cancel(&limit, &state, 12345, &grants[i]);
	ck_assert(bucket_take(&limit, &state, 12345 + 16666667, 1, 0, &last));
}
END_TEST

START_TEST(three_that_go_back_leave_it_full)
{
	struct bucket_grant grants[3];

	bucket_of(60, 1000, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert(bucket_take(&limit, &state, 12345, 1, CLOCK_S, &grants[i]));
	for (unsigned i = 3; i-- > 0;)
		bucket_cancel(&limit, &state, 12345, &grants[i]);
	ck_assert(bucket_take(&limit, &state, 12345, 3, 0, &last));
}
END_TEST

START_TEST(an_old_now_makes_no_token)
{
	struct bucket_grant old;

	bucket_of(1, 1000, 1);
	ck_assert(allow(0, 1));
	ck_assert_int_eq(reserve(0, 1), 1000);
	old = last;
	ck_assert(allow(5000, 1));
	cancel(0, old);
	ck_assert(!allow(5000, 1));
	ck_assert(!allow(5999, 1));
	ck_assert(allow(6000, 1));
}
END_TEST

/* The promise --------------------------------------------------------------------------------------------------------- */

enum { GRANTS_MOST = 200 };
static struct bucket_grant grants[GRANTS_MOST];
static unsigned grant_count;

/* Of every stretch that begins and ends with something granted, which are those that matter. */
static void check_promise(uint32_t count, int64_t period_ns)
{
	for (unsigned i = 0; i < grant_count; i++)
		for (unsigned j = 0; j < grant_count; j++) {
			int64_t from_ns = grants[i].at_ns, to_ns = grants[j].at_ns;
			uint64_t sum = 0, most;

			for (unsigned k = 0; k < grant_count; k++)
				if (grants[k].at_ns >= from_ns && grants[k].at_ns <= to_ns)
					sum += grants[k].count;
			if (to_ns < from_ns)
				continue;
			most = limit.burst + (uint64_t)(to_ns - from_ns + 1) * count / (uint64_t)period_ns;
			ck_assert_uint_le(sum, most);
		}
}

static uint64_t chance;

static uint64_t below(uint64_t most)
{
	return random_step(&chance) % most;
}

static void act_at_random(int64_t now_ns)
{
	uint32_t count = 1 + (uint32_t)below(limit.burst);
	unsigned which = grant_count ? (unsigned)below(grant_count) : 0;

	if (grant_count > 0 && below(3) == 0) {
		if (grants[which].at_ns < now_ns)
			return;
		bucket_cancel(&limit, &state, now_ns, &grants[which]);
		grants[which] = grants[--grant_count];
	} else if (grant_count < GRANTS_MOST &&
		   bucket_take(&limit, &state, now_ns, count, below(2) ? 0 : (int64_t)below(20 * CLOCK_S), &last)) {
		grants[grant_count++] = last;
	}
}

START_TEST(never_more_than_rate_times_time_and_the_burst)
{
	chance = (uint64_t)_i;
	for (unsigned round = 0; round < 20; round++) {
		uint32_t count = 1 + (uint32_t)below(7);
		int64_t now_ns = (int64_t)below(1000), period_ns = CLOCK_S / (int64_t)(1 + below(3));

		limit = bucket_limit(count, period_ns, 1 + (uint32_t)below(12));
		state = 0;
		grant_count = 0;
		for (unsigned i = 0; i < 150; i++) {
			now_ns += below(3) ? 0 : (int64_t)below(CLOCK_S);
			act_at_random(now_ns);
		}
		check_promise(count, period_ns);
	}
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("bucket");
	TCase *promise = tcase_create("promise");

	HARNESS_CASE(s, "allowing", it_is_full_at_first, without_a_limit_everything_passes,
		     a_rate_of_none_gives_the_burst_once, a_burst_of_none_refuses_all,
		     more_than_the_burst_is_never_there, none_is_always_there, it_fills_steadily_and_not_over_the_burst,
		     a_clock_that_goes_back_fills_nothing_twice, a_rate_that_does_not_divide_is_kept_to_the_nanosecond,
		     limits_have_bounds);
	HARNESS_CASE(s, "reserving", reservations_are_due_one_after_the_other, what_comes_too_late_is_not_taken,
		     a_change_leaves_reservations_their_times, a_limit_may_come_and_go);
	HARNESS_CASE(s, "giving back", the_last_reservation_goes_back_whole, one_whose_time_has_passed_does_not,
		     what_others_do_not_count_on_goes_back, what_others_count_on_does_not, several_go_back,
		     a_burst_that_is_used_up_later_goes_back_in_part, nothing_is_lost_by_rounding,
		     three_that_go_back_leave_it_full, an_old_now_makes_no_token);
	tcase_add_loop_test(promise, never_more_than_rate_times_time_and_the_burst, 1, 40);
	tcase_set_timeout(promise, 60);
	suite_add_tcase(s, promise);
	return s;
}
