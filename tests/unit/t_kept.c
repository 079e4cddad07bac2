/* t_kept.c - kept replies: found, replaced, outlived, and never more than they may be; and the hash that finds them. */
#include "tests/unit/harness.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "http/kept.h"

enum { BODY = 1000, ROOM_FOR_FEW = 5000 };

static const int kind;
static struct flights *flights;
static struct kept *kept;

static void set_up(void)
{
	flights = flights_new();
	kept = kept_new(ROOM_FOR_FEW);
}

static void tear_down(void)
{
	kept_free(kept);
	flights_free(flights);
}

static struct flight_key key(const char *text)
{
	return flight_key(flights, &kind, leat_text_from(text));
}

/* Of the times 0 (made), 10 (stale), 20 (over). */
static void put(const char *text, size_t len)
{
	const struct kept_times times = { .made_ns = 0, .fresh_until_ns = 10, .until_ns = 20 };
	struct flight_landed *landed = flight_landed_new(LEAT_OK, len);
	struct flight_key which = key(text);

	memset(landed->bytes, *text, len);
	kept_put(kept, &which, landed, &times);
	flight_landed_release(landed);
}

static bool has_at(const char *text, int64_t now_ns)
{
	struct flight_key which = key(text);
	struct kept_found found;
	bool is_right;

	if (!kept_find(kept, &which, now_ns, &found))
		return false;
	is_right = found.landed->len == 0 || *found.landed->bytes == *text;
	ck_assert(is_right);
	ck_assert_int_eq(found.times.fresh_until_ns, 10);
	flight_landed_release(found.landed);
	return true;
}

START_TEST(is_found_until_its_time_is_over)
{
	put("a", BODY);
	ck_assert(has_at("a", 0));
	ck_assert(has_at("a", 19));
	ck_assert(!has_at("b", 0));
	ck_assert(!has_at("a", 20));
	ck_assert(!has_at("a", 0)); /* gone for good */
}
END_TEST

START_TEST(a_newer_one_takes_the_place)
{
	for (int i = 0; i < 100; i++)
		put("a", BODY);
	put("b", BODY);
	ck_assert(has_at("a", 0) && has_at("b", 0));
}
END_TEST

START_TEST(the_one_not_asked_for_longest_goes_first)
{
	put("a", BODY);
	put("b", BODY);
	put("c", BODY);
	ck_assert(has_at("a", 0));
	put("d", BODY);
	put("e", BODY);
	ck_assert(!has_at("b", 0));
	ck_assert(has_at("a", 0));
}
END_TEST

START_TEST(what_is_larger_than_all_may_be_is_not_kept)
{
	put("a", BODY);
	put("b", ROOM_FOR_FEW);
	ck_assert(has_at("a", 0));
	ck_assert(!has_at("b", 0));
}
END_TEST

START_TEST(who_found_one_keeps_it_beyond_its_end)
{
	struct flight_key which = key("a");
	struct kept_found found;

	put("a", BODY);
	ck_assert(kept_find(kept, &which, 0, &found));
	for (char c = 'b'; c < 'z'; c++)
		put((char[]){ c, '\0' }, BODY);
	ck_assert(!has_at("a", 0));
	ck_assert_int_eq(found.landed->bytes[BODY - 1], 'a');
	flight_landed_release(found.landed);
}
END_TEST

START_TEST(nothing_is_kept_without_room)
{
	struct kept *none = kept_new(0);
	struct flight_landed *landed = flight_landed_new(LEAT_OK, 0);
	struct flight_key which = key("a");
	struct kept_found found;

	kept_put(none, &which, landed, &(struct kept_times){ 0, 10, 10 });
	ck_assert(!kept_find(none, &which, 0, &found));
	flight_landed_release(landed);
	kept_free(none);
}
END_TEST

/* Exact: bodies of any size, and the sum is never more than the bound. */
START_TEST(the_bound_holds)
{
	int64_t most = 0;

	metrics_create(1, 1);
	metrics_attach(0, 0);
	for (unsigned i = 0; i < 2000; i++) {
		char text[16];
		int64_t now;

		snprintf(text, sizeof(text), "%u", i * 7919 % 97);
		put(text, i * 31 % 3000);
		now = metrics_total(METRIC_KEPT_BYTES);
		most = now > most ? now : most;
	}
	ck_assert_int_le(most, ROOM_FOR_FEW);
	ck_assert_int_gt(most, ROOM_FOR_FEW / 2);
	ck_assert_int_gt(metrics_total(METRIC_KEPT_EVICTED), 0);
	kept_free(kept);
	kept = NULL;
	ck_assert_int_eq(metrics_total(METRIC_KEPT_BYTES), 0);
	ck_assert_int_eq(metrics_total(METRIC_KEPT_COUNT), 0);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("kept");

	HARNESS_CASE_WITH(s, "keeping", set_up, tear_down, is_found_until_its_time_is_over, a_newer_one_takes_the_place,
			  the_one_not_asked_for_longest_goes_first, what_is_larger_than_all_may_be_is_not_kept,
			  who_found_one_keeps_it_beyond_its_end, nothing_is_kept_without_room, the_bound_holds);
	return s;
}
