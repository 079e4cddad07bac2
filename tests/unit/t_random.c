/* t_random.c - numbers by chance: what is promised of them, and no more. */
#include "base/random.h"

#include <pthread.h>
#include <stdlib.h>

#include "tests/unit/harness.h"

/* The first three of seed 1234567, as other implementations have them (Rosetta Code, "Pseudo-random numbers/Splitmix64"). */
START_TEST(steps_are_those_of_splitmix64)
{
	uint64_t state = 1234567;

	ck_assert_uint_eq(random_step(&state), UINT64_C(6457827717110365317));
	ck_assert_uint_eq(random_step(&state), UINT64_C(3203168211198807973));
	ck_assert_uint_eq(random_step(&state), UINT64_C(9817491932198370423));
}
END_TEST

START_TEST(what_is_below_a_limit_stays_below_and_reaches_all)
{
	unsigned seen[10] = { 0 };

	for (int i = 0; i < 10000; i++) {
		uint64_t n = random_below(10);

		ck_assert_uint_lt(n, 10);
		seen[n]++;
	}
	for (int i = 0; i < 10; i++)
		ck_assert_uint_gt(seen[i], 0);
}
END_TEST

START_TEST(below_nothing_is_nothing)
{
	ck_assert_uint_eq(random_below(0), 0);
	ck_assert_uint_eq(random_below(1), 0);
}
END_TEST

static void *first_bits(void *arg)
{
	*(uint64_t *)arg = random_bits();
	return NULL;
}

START_TEST(threads_have_sequences_of_their_own)
{
	pthread_t thread;
	uint64_t theirs, ours = random_bits();

	ck_assert_int_eq(pthread_create(&thread, NULL, first_bits, &theirs), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_ne(ours, theirs);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("random");

	HARNESS_CASE(s, "steps", steps_are_those_of_splitmix64);
	HARNESS_CASE(s, "limits", what_is_below_a_limit_stays_below_and_reaches_all, below_nothing_is_nothing);
	HARNESS_CASE(s, "threads", threads_have_sequences_of_their_own);
	return s;
}
