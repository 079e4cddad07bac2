/* t_lag.c - how old a standby's data are, as scripts: positions and times go in, times come out. */
#include "back/lag.h"

#include "tests/unit/harness.h"

enum { MOST = 1600, SPACING = MOST / (LAG_SAMPLES / 2) };

static struct lag lag;
static struct lag_view view;

static void setup(void)
{
	lag_init(&lag, MOST);
	view = (struct lag_view){ 0 };
}

/* One look: what primary and standby have said to the question at 'asked_ns' is heard, and the next one asked. */
static void look(int64_t asked_ns, uint64_t written, uint64_t replayed)
{
	lag_sampled(&lag, asked_ns, written);
	lag_confirm(&lag, &view);
	lag_replayed(&lag, &view, replayed, asked_ns + 100);
}

/* The life of a pair -------------------------------------------------------------------------------------------------- */

START_TEST(nothing_is_known_at_first)
{
	ck_assert_int_eq(view.as_of_ns, LAG_UNKNOWN);
	ck_assert(!view.has_all);
	ck_assert_int_eq(lag_sampled_ns(&lag), LAG_UNKNOWN);
}
END_TEST

START_TEST(a_standby_that_keeps_up_is_as_new_as_the_sample_before_the_last)
{
	for (int i = 1; i <= 10; i++)
		look(i * 100, (uint64_t)i * 1000, (uint64_t)i * 1000);
	ck_assert_int_eq(view.as_of_ns, 900);
	ck_assert(view.has_all);
}
END_TEST

START_TEST(a_standby_that_is_some_positions_behind_is_as_new_as_what_it_has_passed)
{
	for (int i = 1; i <= 10; i++)
		look(i * 100, (uint64_t)i * 1000, (uint64_t)i * 1000 - 2500);
	ck_assert_int_eq(view.as_of_ns, 600); /* at 900 it had replayed 6500 */
	ck_assert(!view.has_all);
}
END_TEST

START_TEST(on_an_idle_primary_a_standby_stays_new)
{
	for (int i = 1; i <= 1000; i++)
		look(i * 100, 5000, 5000);
	ck_assert_int_eq(view.as_of_ns, 99900);
}
END_TEST

START_TEST(a_standby_that_is_cut_off_grows_old)
{
	for (int i = 1; i <= 10; i++)
		look(i * 100, (uint64_t)i * 1000, i < 5 ? (uint64_t)i * 1000 : 4000);
	ck_assert_int_eq(view.as_of_ns, 400);
}
END_TEST

START_TEST(one_that_is_cut_off_while_nobody_writes_is_as_new_as_ever)
{
	for (int i = 1; i <= 10; i++)
		look(i * 100, 4000, 4000);
	look(1100, 4001, 4000);
	ck_assert_int_eq(view.as_of_ns, 1000);
	look(1200, 4001, 4000);
	ck_assert_int_eq(view.as_of_ns, 1000);
}
END_TEST

START_TEST(one_that_catches_up_is_new_again)
{
	for (int i = 1; i <= 10; i++)
		look(i * 100, (uint64_t)i * 1000, 1000);
	look(1100, 11000, 11000);
	look(1200, 12000, 12000);
	ck_assert_int_eq(view.as_of_ns, 1100);
}
END_TEST

START_TEST(without_a_primary_it_grows_old_and_is_known_to_have_all)
{
	for (int i = 1; i <= 3; i++)
		look(i * 100, 1000, 1000);
	for (int i = 4; i <= 10; i++) {
		lag_confirm(&lag, &view);
		lag_replayed(&lag, &view, 1000, i * 100 + 100);
	}
	ck_assert_int_eq(view.as_of_ns, 200);
	ck_assert(view.has_all);
}
END_TEST

START_TEST(without_a_primary_one_that_lacks_something_is_known_to)
{
	look(100, 1000, 999);
	ck_assert(!view.has_all);
}
END_TEST

/* Standbys of others ---------------------------------------------------------------------------------------------------- */

START_TEST(what_no_sample_has_reached_counts_for_nothing)
{
	look(100, 1000, 1500);
	look(200, 1200, 1500);
	ck_assert_int_eq(view.as_of_ns, LAG_UNKNOWN);
	ck_assert(view.is_ahead);
}
END_TEST

START_TEST(a_position_told_after_the_sample_may_be_beyond_it)
{
	look(100, 1000, 1500);
	look(200, 1500, 1500);
	ck_assert_int_eq(view.as_of_ns, 100);
	ck_assert(!view.is_ahead);
}
END_TEST

START_TEST(one_that_turns_out_to_be_ahead_loses_what_was_proved)
{
	look(100, 1000, 1000);
	look(200, 1000, 3000);
	ck_assert_int_eq(view.as_of_ns, 100);
	look(300, 1000, 3000);
	ck_assert_int_eq(view.as_of_ns, LAG_UNKNOWN);
}
END_TEST

START_TEST(what_waits_for_a_sample_is_not_replaced)
{
	lag_sampled(&lag, 100, 1000);
	lag_replayed(&lag, &view, 1000, 150);
	lag_confirm(&lag, &view);
	lag_replayed(&lag, &view, 1000, 250);
	lag_sampled(&lag, 200, 1000);
	lag_confirm(&lag, &view);
	ck_assert_int_eq(view.as_of_ns, 100);
}
END_TEST

START_TEST(a_sample_taken_before_confirms_nothing)
{
	lag_sampled(&lag, 100, 1000);
	lag_replayed(&lag, &view, 900, 150);
	lag_confirm(&lag, &view);
	ck_assert_int_eq(view.as_of_ns, LAG_UNKNOWN);
}
END_TEST

START_TEST(positions_of_a_former_primary_prove_nothing_of_the_next)
{
	for (int i = 1; i <= 5; i++)
		look(i * 100, (uint64_t)i * 1000, (uint64_t)i * 1000);
	look(600, 3500, 3500); /* it took over before it had the last of them */
	look(700, 3600, 3600);
	ck_assert_int_eq(view.as_of_ns, 600);
}
END_TEST

/* The ring -------------------------------------------------------------------------------------------------------------- */

START_TEST(the_ring_reaches_back_for_longer_than_the_limit)
{
	int64_t now_ns = 0;

	for (uint64_t i = 1; i <= 10000; i++)
		lag_sampled(&lag, now_ns += 7, i * 10);
	lag_replayed(&lag, &view, (10000 - MOST / 7) * 10, now_ns);
	ck_assert_int_le(view.told_as_of_ns, now_ns - MOST / 7 * 7);
	ck_assert_int_ge(view.told_as_of_ns, now_ns - MOST - SPACING - 7);
}
END_TEST

START_TEST(the_ring_tells_times_apart_by_its_spacing)
{
	int64_t now_ns = 0;

	for (uint64_t i = 1; i <= 1000; i++)
		lag_sampled(&lag, now_ns += 7, i * 10);
	for (uint64_t back = 0; back <= MOST / 7; back++) {
		view = (struct lag_view){ 0 };
		lag_replayed(&lag, &view, (1000 - back) * 10, now_ns);
		ck_assert_int_le(view.told_as_of_ns, now_ns - (int64_t)back * 7);
		ck_assert_int_gt(view.told_as_of_ns, now_ns - (int64_t)back * 7 - SPACING - 7);
	}
}
END_TEST

START_TEST(what_is_older_than_the_ring_is_unknown)
{
	for (int i = 1; i <= 100; i++)
		lag_sampled(&lag, i * 1000, (uint64_t)i * 1000);
	lag_replayed(&lag, &view, (100 - LAG_SAMPLES) * 1000, 100000);
	ck_assert_int_eq(view.told_as_of_ns, LAG_UNKNOWN);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("lag");

	tcase_add_checked_fixture(
		HARNESS_CASE(s, "a pair", nothing_is_known_at_first,
			     a_standby_that_keeps_up_is_as_new_as_the_sample_before_the_last,
			     a_standby_that_is_some_positions_behind_is_as_new_as_what_it_has_passed,
			     on_an_idle_primary_a_standby_stays_new, a_standby_that_is_cut_off_grows_old,
			     one_that_is_cut_off_while_nobody_writes_is_as_new_as_ever,
			     one_that_catches_up_is_new_again, without_a_primary_it_grows_old_and_is_known_to_have_all,
			     without_a_primary_one_that_lacks_something_is_known_to),
		setup, NULL);
	tcase_add_checked_fixture(HARNESS_CASE(s, "standbys of others", what_no_sample_has_reached_counts_for_nothing,
					       a_position_told_after_the_sample_may_be_beyond_it,
					       one_that_turns_out_to_be_ahead_loses_what_was_proved,
					       what_waits_for_a_sample_is_not_replaced,
					       a_sample_taken_before_confirms_nothing,
					       positions_of_a_former_primary_prove_nothing_of_the_next),
				  setup, NULL);
	tcase_add_checked_fixture(HARNESS_CASE(s, "the ring", the_ring_reaches_back_for_longer_than_the_limit,
					       the_ring_tells_times_apart_by_its_spacing,
					       what_is_older_than_the_ring_is_unknown),
				  setup, NULL);
	return s;
}
