/* t_respawn.c - when a worker process is started again, told as scripts. */
#include "tests/unit/harness.h"

#include "base/clock.h"
#include "ops/respawn.h"

static int64_t pause_after_life_of(struct respawn *respawn, int64_t start_ns, int64_t life_ns)
{
	respawn_started(respawn, start_ns);
	respawn_ended(respawn, start_ns + life_ns);
	return respawn->due_ns - (start_ns + life_ns);
}

START_TEST(is_due_at_once_when_new)
{
	struct respawn respawn = RESPAWN_INIT;

	ck_assert(respawn_is_due(&respawn, 0));
}
END_TEST

START_TEST(is_never_due_while_it_runs)
{
	struct respawn respawn = RESPAWN_INIT;

	respawn_started(&respawn, 5);
	ck_assert(!respawn_is_due(&respawn, 1000 * CLOCK_S));
}
END_TEST

START_TEST(waits_a_tenth_of_a_second_after_the_first_end)
{
	struct respawn respawn = RESPAWN_INIT;

	ck_assert_int_eq(pause_after_life_of(&respawn, CLOCK_S, 1), 100 * CLOCK_MS);
}
END_TEST

START_TEST(is_due_when_the_pause_is_over_and_not_before)
{
	struct respawn respawn = RESPAWN_INIT;

	pause_after_life_of(&respawn, 0, 1);
	ck_assert(!respawn_is_due(&respawn, 100 * CLOCK_MS));
	ck_assert(respawn_is_due(&respawn, 100 * CLOCK_MS + 1));
}
END_TEST

START_TEST(doubles_the_pause_up_to_ten_seconds)
{
	static const int64_t pauses_ms[] = { 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000 };
	struct respawn respawn = RESPAWN_INIT;

	for (unsigned i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++)
		ck_assert_int_eq(pause_after_life_of(&respawn, i * 100 * CLOCK_S, 1), pauses_ms[i] * CLOCK_MS);
}
END_TEST

START_TEST(begins_anew_after_a_life_of_a_minute)
{
	struct respawn respawn = RESPAWN_INIT;

	pause_after_life_of(&respawn, 0, 1);
	pause_after_life_of(&respawn, CLOCK_S, 1);
	ck_assert_int_eq(pause_after_life_of(&respawn, 2 * CLOCK_S, 60 * CLOCK_S), 100 * CLOCK_MS);
}
END_TEST

START_TEST(does_not_begin_anew_just_before_a_minute)
{
	struct respawn respawn = RESPAWN_INIT;

	pause_after_life_of(&respawn, 0, 1);
	ck_assert_int_eq(pause_after_life_of(&respawn, CLOCK_S, 60 * CLOCK_S - 1), 200 * CLOCK_MS);
}
END_TEST

START_TEST(a_start_that_failed_is_a_short_life_however_late_it_is)
{
	struct respawn respawn = RESPAWN_INIT;

	pause_after_life_of(&respawn, 0, 1);
	respawn_ended(&respawn, 1000 * CLOCK_S);
	ck_assert_int_eq(respawn.due_ns, 1000 * CLOCK_S + 200 * CLOCK_MS);
}
END_TEST

START_TEST(one_that_leaves_is_replaced_at_once)
{
	struct respawn respawn = RESPAWN_INIT;

	respawn_started(&respawn, 0);
	respawn_leaves(&respawn, 30 * CLOCK_S);
	ck_assert_int_eq(respawn.due_ns, 30 * CLOCK_S);
}
END_TEST

START_TEST(but_no_sooner_than_a_second_after_its_start)
{
	struct respawn respawn = RESPAWN_INIT;

	for (int64_t start_ns = 0; start_ns < 20 * CLOCK_S; start_ns += CLOCK_S) {
		respawn_started(&respawn, start_ns);
		respawn_leaves(&respawn, start_ns + CLOCK_MS);
		ck_assert_int_eq(respawn.due_ns, start_ns + CLOCK_S);
	}
	ck_assert_int_eq(pause_after_life_of(&respawn, 0, 1), 100 * CLOCK_MS); /* and it is no failure */
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("respawn");

	HARNESS_CASE(s, "dates", is_due_at_once_when_new, is_never_due_while_it_runs,
		     is_due_when_the_pause_is_over_and_not_before);
	HARNESS_CASE(s, "pauses", waits_a_tenth_of_a_second_after_the_first_end, doubles_the_pause_up_to_ten_seconds,
		     begins_anew_after_a_life_of_a_minute, does_not_begin_anew_just_before_a_minute,
		     a_start_that_failed_is_a_short_life_however_late_it_is);
	HARNESS_CASE(s, "leaving", one_that_leaves_is_replaced_at_once, but_no_sooner_than_a_second_after_its_start);
	return s;
}
