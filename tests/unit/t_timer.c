/* t_timer.c - the timer heap (task/timer.h). */
#include "tests/unit/harness.h"

#include <stdlib.h>

#include "base/clock.h"
#include "task/timer.h"

enum { MANY = 1000 };

START_TEST(nothing_is_due_in_an_empty_heap)
{
	struct timer_heap heap = { 0 };

	ck_assert_int_eq(timer_heap_next_ns(&heap), CLOCK_NEVER);
	ck_assert_ptr_null(timer_heap_take_due(&heap, INT64_MAX));
}
END_TEST

START_TEST(timers_come_in_the_order_they_are_due)
{
	struct timer_heap heap = { 0 };
	struct loop_timer timers[MANY] = { 0 };
	int64_t before = -1;

	srand(1);
	for (int i = 0; i < MANY; i++)
		timer_heap_set(&heap, &timers[i], rand() % 100);
	for (int i = 0; i < MANY; i++) {
		struct loop_timer *timer = timer_heap_take_due(&heap, 100);

		ck_assert_ptr_nonnull(timer);
		ck_assert_int_le(before, timer->due_ns);
		before = timer->due_ns;
	}
	ck_assert_ptr_null(timer_heap_take_due(&heap, 100));
	timer_heap_fini(&heap);
}
END_TEST

START_TEST(a_timer_is_not_taken_before_it_is_due)
{
	struct timer_heap heap = { 0 };
	struct loop_timer timer = { 0 };

	timer_heap_set(&heap, &timer, 10);
	ck_assert_ptr_null(timer_heap_take_due(&heap, 9));
	ck_assert_ptr_eq(timer_heap_take_due(&heap, 10), &timer);
	timer_heap_fini(&heap);
}
END_TEST

START_TEST(cleared_timers_never_come)
{
	struct timer_heap heap = { 0 };
	struct loop_timer timers[MANY] = { 0 };
	int left = 0;

	srand(2);
	for (int i = 0; i < MANY; i++)
		timer_heap_set(&heap, &timers[i], rand() % 50);
	for (int i = 0; i < MANY; i += 3)
		timer_heap_clear(&heap, &timers[i]);
	for (struct loop_timer *timer; (timer = timer_heap_take_due(&heap, 50)); left++)
		ck_assert_int_ne((timer - timers) % 3, 0);
	ck_assert_int_eq(left, MANY - (MANY + 2) / 3);
	timer_heap_fini(&heap);
}
END_TEST

START_TEST(setting_again_moves_a_timer)
{
	struct timer_heap heap = { 0 };
	struct loop_timer first = { 0 }, second = { 0 };

	timer_heap_set(&heap, &first, 1);
	timer_heap_set(&heap, &second, 2);
	timer_heap_set(&heap, &first, 3);
	ck_assert_ptr_eq(timer_heap_take_due(&heap, 9), &second);
	ck_assert_ptr_eq(timer_heap_take_due(&heap, 9), &first);
	timer_heap_fini(&heap);
}
END_TEST

START_TEST(clearing_twice_is_harmless)
{
	struct timer_heap heap = { 0 };
	struct loop_timer timer = { 0 };

	timer_heap_set(&heap, &timer, 1);
	timer_heap_clear(&heap, &timer);
	timer_heap_clear(&heap, &timer);
	ck_assert_ptr_null(timer_heap_take_due(&heap, 9));
	timer_heap_fini(&heap);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("timer");

	HARNESS_CASE(s, "heap", nothing_is_due_in_an_empty_heap, timers_come_in_the_order_they_are_due,
		     a_timer_is_not_taken_before_it_is_due, cleared_timers_never_come, setting_again_moves_a_timer,
		     clearing_twice_is_harmless);
	return s;
}
