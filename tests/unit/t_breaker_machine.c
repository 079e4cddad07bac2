/* t_breaker_machine.c - the circuit breaker as time lines (guard/breaker_machine.h). One letter is one step, at one millisecond after another:
 *
 *     s f x   a call that succeeds, fails, is excluded, within its millisecond       r   a call that is refused
 *     (       a call begins     S F X   the call that began first of those under way ends so, and counts     L   ends, and is too late
 *     .       a millisecond passes     c h o   the state is closed, half-open, open (takes no time)
 */
#include "guard/breaker_machine.h"

#include <string.h>

#include "base/clock.h"
#include "tests/unit/harness.h"

enum { CALLS_MAX = 16 };

static struct breaker_rules rules;
static struct breaker_machine machine;
static struct breaker_change change, last_change;
static int64_t now_ns;
static struct breaker_ticket calls[CALLS_MAX];
static unsigned call_count, change_count;

#define BREAKER(...) begin(&(const struct leat_breaker){ .name = "test", __VA_ARGS__ })

static void begin(const struct leat_breaker *breaker)
{
	ck_assert_ptr_null(breaker_rules_fault(breaker));
	breaker_rules_set(&rules, breaker);
	now_ns = 5000 * CLOCK_S;
	breaker_machine_init(&machine, &rules, now_ns);
	call_count = change_count = 0;
}

static void pass_ms(int64_t ms)
{
	now_ns += ms * CLOCK_MS;
}

static void note_change(void)
{
	if (!change.has_changed)
		return;
	last_change = change;
	change_count++;
}

static enum breaker_verdict enter(struct breaker_ticket *ticket)
{
	enum breaker_verdict verdict = breaker_machine_enter(&machine, &rules, now_ns, ticket, &change);

	note_change();
	return verdict;
}

static bool leave(const struct breaker_ticket *ticket, char how)
{
	bool is_counted = breaker_machine_leave(&machine, &rules, now_ns, ticket,
						how == 's' || how == 'S'   ? LEAT_BREAKER_SUCCESS
						: how == 'x' || how == 'X' ? LEAT_BREAKER_EXCLUDED
									   : LEAT_BREAKER_FAILURE,
						&change);

	note_change();
	return is_counted;
}

static bool leave_first(char how)
{
	struct breaker_ticket ticket = calls[0];

	ck_assert_uint_gt(call_count, 0);
	memmove(calls, calls + 1, --call_count * sizeof(calls[0]));
	return leave(&ticket, how);
}

static enum leat_breaker_state state(void)
{
	breaker_machine_look(&machine, &rules, now_ns, &change);
	note_change();
	return (enum leat_breaker_state)machine.state;
}

static bool step(char what)
{
	struct breaker_ticket ticket;

	switch (what) {
	case '.':
		return true;
	case 'c':
		return state() == LEAT_BREAKER_CLOSED;
	case 'h':
		return state() == LEAT_BREAKER_HALF_OPEN;
	case 'o':
		return state() == LEAT_BREAKER_OPEN;
	case '(':
		ck_assert_uint_lt(call_count, CALLS_MAX);
		return enter(&calls[call_count++]) == BREAKER_ENTERED;
	case 'r':
		return enter(&ticket) != BREAKER_ENTERED;
	case 'L':
		return !leave_first('S');
	case 'S':
	case 'F':
	case 'X':
		return leave_first(what);
	default:
		return enter(&ticket) == BREAKER_ENTERED && leave(&ticket, what);
	}
}

static void play(const char *script)
{
	for (const char *at = script; *at; at++) {
		ck_assert_msg(step(*at), "\"%s\": not at step %d, '%c'", script, (int)(at - script) + 1, *at);
		if (!strchr("cho", *at))
			pass_ms(1);
	}
}

/* Opening -------------------------------------------------------------------------------------------------------------- */

START_TEST(opens_at_the_sixth_failure_in_a_row_by_default)
{
	BREAKER();
	play("fffff"
	     "c"
	     "f"
	     "o"
	     "r");
	ck_assert_int_eq(last_change.from, LEAT_BREAKER_CLOSED);
	ck_assert_int_eq(last_change.to, LEAT_BREAKER_OPEN);
	ck_assert_uint_eq(last_change.counts.failures_in_a_row, 6);
	ck_assert_int_eq(last_change.open_ns, 60 * CLOCK_S);
	ck_assert_uint_eq(change_count, 1);
}
END_TEST

START_TEST(a_success_breaks_the_row)
{
	BREAKER(.failures = 2);
	play("fsfsfsc"
	     "ff"
	     "o");
}
END_TEST

START_TEST(an_excluded_call_is_neither)
{
	BREAKER(.failures = 2);
	play("fx"
	     "c"
	     "f"
	     "o");
	ck_assert_uint_eq(last_change.counts.exclusions, 1);
	ck_assert_uint_eq(last_change.counts.requests, 3);
}
END_TEST

START_TEST(counts_begin_anew_in_each_state)
{
	BREAKER(.failures = 2, .open_ms = 2);
	play("sff"
	     "o");
	ck_assert_uint_eq(machine.counts.requests, 0);
	ck_assert_uint_eq(machine.counts.failures, 0);
}
END_TEST

START_TEST(a_share_of_failures_opens_it_when_there_are_enough)
{
	BREAKER(.failure_percent = 50, .calls_least = 6);
	play("ffff"
	     "sc"
	     "f"
	     "o");
	BREAKER(.failure_percent = 50, .calls_least = 6);
	play("sssf"
	     "ssc"
	     "ffc"
	     "f"
	     "c"
	     "f"
	     "o"); /* 5 of 10 */
}
END_TEST

START_TEST(calls_under_way_and_excluded_are_not_in_the_share)
{
	BREAKER(.failure_percent = 50, .calls_least = 4);
	play("(("
	     "xxxx"
	     "ssf"
	     "c"
	     "f"
	     "o");
}
END_TEST

START_TEST(a_share_of_slow_calls_opens_it)
{
	BREAKER(.slow_percent = 50, .slow_ms = 3, .calls_least = 4);
	play("(.S"
	     "(.S"
	     "c"
	     "(..S"
	     "c"
	     "(..S"
	     "o");
	ck_assert_uint_eq(last_change.counts.slow, 2);
	ck_assert_uint_eq(last_change.counts.failures, 0);
}
END_TEST

static uint64_t asked;

static bool third_failure_in_all(const struct leat_breaker_counts *counts)
{
	asked++;
	return counts->failures >= 3;
}

START_TEST(its_own_function_is_asked_after_failures_alone)
{
	BREAKER(.trips = third_failure_in_all);
	asked = 0;
	play("sssfsf");
	ck_assert_uint_eq(asked, 2);
	play("s"
	     "c"
	     "f"
	     "o");
	ck_assert_uint_eq(asked, 3);
}
END_TEST

/* Windows -------------------------------------------------------------------------------------------------------------- */

START_TEST(without_a_window_counts_are_never_cleared)
{
	BREAKER(.failures = 2);
	play("f");
	pass_ms(INT64_C(1000) * 86400000);
	play("f"
	     "o");
}
END_TEST

START_TEST(a_window_ends_strictly_after_its_time)
{
	BREAKER(.failures = 2, .window_ms = 10);
	play("f");
	pass_ms(9); /* exactly at it */
	play("f"
	     "o");

	BREAKER(.failures = 2, .window_ms = 10);
	play("f");
	pass_ms(9);
	now_ns++;
	play("f"
	     "c");
	ck_assert_uint_eq(machine.counts.failures, 1);
}
END_TEST

START_TEST(the_next_window_begins_when_somebody_comes)
{
	BREAKER(.failures = 2, .window_ms = 10);
	pass_ms(95);
	play("f........."
	     "f"
	     "o"); /* 10 later, exactly at its end; windows of 10 since the start would have parted them */
}
END_TEST

START_TEST(a_result_of_an_earlier_window_is_dropped)
{
	BREAKER(.failures = 1, .window_ms = 10);
	play("(...........");
	play("s"
	     "L"
	     "c");
	ck_assert_uint_eq(machine.counts.requests, 1);
	ck_assert_uint_eq(machine.counts.successes, 1);
}
END_TEST

START_TEST(a_result_of_an_earlier_state_is_dropped)
{
	BREAKER(.failures = 1, .open_ms = 2);
	play("(((("
	     "F"
	     "o"
	     "L"
	     ".."
	     "h"
	     "L"
	     "("
	     "h");
	ck_assert_uint_eq(machine.counts.successes, 0);
	play("L"); /* of the closed state, while a probe is under way */
	play("S"
	     "c");
}
END_TEST

START_TEST(buckets_slide)
{
	BREAKER(.failure_percent = 100, .calls_least = 4, .window_ms = 30, .bucket_ms = 10);
	play("ff");
	pass_ms(20);
	play("f"
	     "c");
	ck_assert_uint_eq(machine.counts.failures, 3);
	pass_ms(9); /* the first bucket has gone */
	play("f"
	     "c");
	ck_assert_uint_eq(machine.counts.failures, 2);
	play("f"
	     "f"
	     "o");
}
END_TEST

START_TEST(a_window_is_rounded_up_to_whole_buckets)
{
	BREAKER(.failures = 2, .window_ms = 25, .bucket_ms = 10);
	ck_assert_uint_eq(rules.bucket_count, 3);
}
END_TEST

START_TEST(all_buckets_go_when_nobody_comes_for_long)
{
	BREAKER(.failure_percent = 50, .calls_least = 5, .window_ms = 30, .bucket_ms = 10);
	play("fsfs");
	pass_ms(1000);
	play("x");
	ck_assert_uint_eq(machine.counts.failures, 0);
	ck_assert_uint_eq(machine.counts.requests, 1);
	ck_assert_uint_eq(machine.counts.exclusions, 1);
}
END_TEST

START_TEST(a_row_does_not_fade_with_its_buckets)
{
	BREAKER(.failures = 3, .window_ms = 30, .bucket_ms = 10);
	for (int i = 0; i < 2; i++) {
		play("f"
		     "c");
		pass_ms(100); /* gobreaker would never open */
	}
	play("f"
	     "o");
}
END_TEST

START_TEST(a_result_counts_in_the_bucket_where_its_call_began)
{
	BREAKER(.failure_percent = 100, .window_ms = 20, .bucket_ms = 10);
	play("(");
	pass_ms(14);
	play("S");
	ck_assert_uint_eq(machine.counts.successes, 1);
	pass_ms(10);
	play("c");
	ck_assert_uint_eq(machine.counts.successes, 0);
	ck_assert_uint_eq(machine.counts.requests, 0);
}
END_TEST

START_TEST(a_result_whose_bucket_has_gone_is_dropped)
{
	BREAKER(.failures = 1, .window_ms = 20, .bucket_ms = 10);
	play("(");
	pass_ms(20);
	play("L"
	     "c");
}
END_TEST

/* Half-open ------------------------------------------------------------------------------------------------------------ */

START_TEST(is_half_open_strictly_after_its_time)
{
	BREAKER(.failures = 1, .open_ms = 10);
	play("f");
	pass_ms(9);
	play("o");
	ck_assert_int_eq(breaker_machine_wait_ns(&machine, now_ns), 1);
	now_ns++;
	play("h");
	ck_assert_int_eq(breaker_machine_wait_ns(&machine, now_ns), 0);
}
END_TEST

START_TEST(one_probe_closes_it_by_default)
{
	BREAKER(.failures = 1, .open_ms = 1);
	play("f."
	     "("
	     "r"
	     "h"
	     "S"
	     "c");
	ck_assert_uint_eq(change_count, 3);
}
END_TEST

START_TEST(so_many_probes_are_let_in_in_all)
{
	BREAKER(.failures = 1, .open_ms = 1, .probes = 3);
	play("f."
	     "s"
	     "("
	     "("
	     "r"
	     "S"
	     "h"
	     "r"
	     "S"
	     "c");
}
END_TEST

START_TEST(one_failure_opens_it_again)
{
	BREAKER(.failures = 5, .open_ms = 1, .probes = 3);
	play("fffff."
	     "ss"
	     "h"
	     "f"
	     "o"
	     "r");
	ck_assert_int_eq(last_change.from, LEAT_BREAKER_HALF_OPEN);
	ck_assert_uint_eq(last_change.counts.successes, 2);
	ck_assert_uint_eq(last_change.counts.failures, 1);
}
END_TEST

START_TEST(an_excluded_probe_gives_its_place_back)
{
	BREAKER(.failures = 1, .open_ms = 1);
	play("f."
	     "("
	     "r"
	     "X"
	     "h"
	     "("
	     "r"
	     "S"
	     "c");
}
END_TEST

START_TEST(a_slow_probe_opens_it_again_where_slowness_counts)
{
	BREAKER(.failures = 1, .slow_percent = 50, .slow_ms = 2, .open_ms = 1);
	play("f."
	     "(.S"
	     "o");
	BREAKER(.failures = 1, .slow_ms = 2, .open_ms = 1);
	play("f."
	     "(.S"
	     "c");
}
END_TEST

START_TEST(a_probe_that_hangs_is_a_failure)
{
	BREAKER(.failures = 1, .open_ms = 3, .probe_ms = 10);
	play("f..."
	     "("
	     "r");
	pass_ms(8); /* exactly at it */
	play("h");
	now_ns++;
	play("o"
	     "r");
	ck_assert_uint_eq(last_change.counts.failures, 1);
	play(".."
	     "."
	     "h"
	     "L"
	     "s"
	     "c"); /* what it said at last counts no more */
}
END_TEST

START_TEST(any_of_the_probes_may_hang)
{
	BREAKER(.failures = 1, .open_ms = 1, .probe_ms = 10, .probes = 2);
	play("f."
	     "("
	     "....."
	     "s"
	     "h"
	     "...."
	     "o");
}
END_TEST

START_TEST(probes_that_have_ended_do_not_expire)
{
	BREAKER(.failures = 1, .open_ms = 1, .probe_ms = 10, .probes = 2);
	play("f."
	     "s");
	pass_ms(100);
	play("h"
	     "s"
	     "c");
}
END_TEST

START_TEST(as_many_probes_as_there_may_be)
{
	BREAKER(.failures = 1, .open_ms = 1, .probes = LEAT_BREAKER_PROBES_MAX);
	play("f."
	     "(((((((("
	     "r"
	     "X"
	     "("
	     "r"
	     "SSSSSSS"
	     "h"
	     "S"
	     "c");
}
END_TEST

/* Back-off ------------------------------------------------------------------------------------------------------------- */

static int64_t next_open_ms(void)
{
	now_ns = machine.until_ns + 1;
	play("f"
	     "o");
	return last_change.open_ns / CLOCK_MS;
}

START_TEST(stays_open_twice_as_long_each_time)
{
	BREAKER(.failures = 1, .open_ms = 100, .open_most_ms = 500);
	play("f");
	ck_assert_int_eq(last_change.open_ns, 100 * CLOCK_MS);
	for (int64_t most = 200; most < 5000; most *= 2) {
		int64_t capped = most < 500 ? most : 500;
		int64_t open_ms = next_open_ms();

		ck_assert_int_le(open_ms, capped);
		ck_assert_int_ge(open_ms, capped * 9 / 10);
	}
	now_ns = machine.until_ns + 1;
	play("s"
	     "c"
	     "f"
	     "o");
	ck_assert_int_eq(last_change.open_ns, 100 * CLOCK_MS); /* it was well in between */
}
END_TEST

START_TEST(without_back_off_it_is_always_the_same)
{
	BREAKER(.failures = 1, .open_ms = 100);
	play("f");
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(next_open_ms(), 100);
}
END_TEST

START_TEST(times_are_spread)
{
	int64_t first = 0;
	unsigned different = 0;

	for (int i = 0; i < 20; i++) {
		BREAKER(.failures = 1, .open_ms = 100000, .open_most_ms = 200000);
		now_ns += i;
		play("f");
		if (i == 0)
			first = next_open_ms();
		else
			different += next_open_ms() != first;
	}
	ck_assert_uint_gt(different, 10);
}
END_TEST

/* Rules ---------------------------------------------------------------------------------------------------------------- */

START_TEST(what_is_out_of_bounds_is_refused)
{
	static const struct leat_breaker wrong[] = {
		{ .failure_percent = 101 },
		{ .slow_percent = 10 },
		{ .slow_ms = -1 },
		{ .slow_percent = 101, .slow_ms = 1 },
		{ .window_ms = -1 },
		{ .window_ms = 86400001 },
		{ .open_ms = -1 },
		{ .open_ms = 100, .open_most_ms = 99 },
		{ .open_most_ms = 59999 },
		{ .probe_ms = 3600001 },
		{ .probes = LEAT_BREAKER_PROBES_MAX + 1 },
		{ .bucket_ms = 10 },
		{ .bucket_ms = -10, .window_ms = 100 },
		{ .bucket_ms = 1, .window_ms = 17 },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(breaker_rules_fault(&wrong[i]), "number %zu is taken", i);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("breaker machine");

	HARNESS_CASE(s, "opening", opens_at_the_sixth_failure_in_a_row_by_default, a_success_breaks_the_row,
		     an_excluded_call_is_neither, counts_begin_anew_in_each_state,
		     a_share_of_failures_opens_it_when_there_are_enough,
		     calls_under_way_and_excluded_are_not_in_the_share, a_share_of_slow_calls_opens_it,
		     its_own_function_is_asked_after_failures_alone);
	HARNESS_CASE(s, "windows", without_a_window_counts_are_never_cleared, a_window_ends_strictly_after_its_time,
		     the_next_window_begins_when_somebody_comes, a_result_of_an_earlier_window_is_dropped,
		     a_result_of_an_earlier_state_is_dropped, buckets_slide, a_window_is_rounded_up_to_whole_buckets,
		     all_buckets_go_when_nobody_comes_for_long, a_row_does_not_fade_with_its_buckets,
		     a_result_counts_in_the_bucket_where_its_call_began, a_result_whose_bucket_has_gone_is_dropped);
	HARNESS_CASE(s, "half-open", is_half_open_strictly_after_its_time, one_probe_closes_it_by_default,
		     so_many_probes_are_let_in_in_all, one_failure_opens_it_again,
		     an_excluded_probe_gives_its_place_back, a_slow_probe_opens_it_again_where_slowness_counts,
		     a_probe_that_hangs_is_a_failure, any_of_the_probes_may_hang, probes_that_have_ended_do_not_expire,
		     as_many_probes_as_there_may_be);
	HARNESS_CASE(s, "back-off", stays_open_twice_as_long_each_time, without_back_off_it_is_always_the_same,
		     times_are_spread);
	HARNESS_CASE(s, "rules", what_is_out_of_bounds_is_refused);
	return s;
}
