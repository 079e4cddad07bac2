/* t_condition.c - conditions of requests, each row of RFC 9110 13.2.2, and what a client may send for one. */
#include <stdio.h>
#include <string.h>

#include "http/condition.h"
#include "tests/unit/arena_stand.h"
#include "tests/unit/harness.h"

#define US(seconds)  (INT64_C(seconds) * 1000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The resource was last modified at 784111777.5. */
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AT     "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER  "Sun, 06 Nov 1994 08:49:38 GMT"

static const int64_t now = US(1769851800);
static const struct validators strong = { .etag = { "\"a\"", 3 }, true, US(784111777) + 500000 };
static const struct validators weak = { .etag = { "W/\"a\"", 5 }, true, US(784111777) + 500000 };
static const struct validators tagless = { .has_modified = true, .modified_us = US(784111777) + 500000 };
static const struct validators dateless = { .etag = { "\"a\"", 3 } };
static const struct validators absent = { .is_absent = true };

enum {
	HOLDS = CONDITION_HOLDS,
	NOT_MODIFIED = CONDITION_NOT_MODIFIED,
	FAILS = CONDITION_FAILS,
	MALFORMED = CONDITION_MALFORMED
};

struct row {
	const char *label;
	const struct validators *validators;
	const char *match, *unmodified_since, *none_match, *modified_since;
	int read, write; /* what becomes of GET and of PUT */
};

static const struct row rows[] = {
	{ "no condition", &strong, NULL, NULL, NULL, NULL, HOLDS, HOLDS },
	/* 1: If-Match */
	{ "1 true", &strong, "\"a\"", NULL, NULL, NULL, HOLDS, HOLDS },
	{ "1 false", &strong, "\"b\"", NULL, NULL, NULL, FAILS, FAILS },
	{ "1 one of a list", &strong, "\"b\", \"a\"", NULL, NULL, NULL, HOLDS, HOLDS },
	{ "1 whatever there is", &strong, "*", NULL, NULL, NULL, HOLDS, HOLDS },
	{ "1 whatever there is, without tag", &tagless, "*", NULL, NULL, NULL, HOLDS, HOLDS },
	{ "1 nothing is there", &absent, "*", NULL, NULL, NULL, FAILS, FAILS },
	{ "1 nothing is there, named", &absent, "\"a\"", NULL, NULL, NULL, FAILS, FAILS },
	{ "1 weak of the client", &strong, "W/\"a\"", NULL, NULL, NULL, FAILS, FAILS },
	{ "1 weak of the service", &weak, "\"a\"", NULL, NULL, NULL, FAILS, FAILS },
	{ "1 weak of both", &weak, "W/\"a\"", NULL, NULL, NULL, FAILS, FAILS },
	{ "1 without tag", &tagless, "\"a\"", NULL, NULL, NULL, FAILS, FAILS },
	{ "1 empty", &strong, "", NULL, NULL, NULL, FAILS, FAILS },
	{ "1 no list", &strong, "a", NULL, NULL, NULL, MALFORMED, MALFORMED },
	{ "1 true, 2 is not looked at", &strong, "\"a\"", BEFORE, NULL, NULL, HOLDS, HOLDS },
	{ "1 false, 2 is not looked at", &strong, "\"b\"", AFTER, NULL, NULL, FAILS, FAILS },
	{ "1 true, on to 3", &strong, "\"a\"", NULL, "\"a\"", NULL, NOT_MODIFIED, FAILS },
	{ "1 false, 3 is not reached", &strong, "\"b\"", NULL, "\"a\"", NULL, FAILS, FAILS },
	{ "1 true, on to 4", &strong, "\"a\"", NULL, NULL, AT, NOT_MODIFIED, HOLDS },
	/* 2: If-Unmodified-Since */
	{ "2 true, the very second", &strong, NULL, AT, NULL, NULL, HOLDS, HOLDS },
	{ "2 true, later", &strong, NULL, AFTER, NULL, NULL, HOLDS, HOLDS },
	{ "2 false", &strong, NULL, BEFORE, NULL, NULL, FAILS, FAILS },
	{ "2 no date", &strong, NULL, "yesterday", NULL, NULL, HOLDS, HOLDS },
	{ "2 two dates", &strong, NULL, BEFORE ", " BEFORE, NULL, NULL, HOLDS, HOLDS },
	{ "2 without time", &dateless, NULL, BEFORE, NULL, NULL, HOLDS, HOLDS },
	{ "2 nothing is there", &absent, NULL, BEFORE, NULL, NULL, HOLDS, HOLDS },
	{ "2 true, on to 3", &strong, NULL, AT, "\"a\"", NULL, NOT_MODIFIED, FAILS },
	{ "2 false, 3 is not reached", &strong, NULL, BEFORE, "\"b\"", NULL, FAILS, FAILS },
	{ "2 true, on to 4", &strong, NULL, AT, NULL, AT, NOT_MODIFIED, HOLDS },
	{ "2 older form", &strong, NULL, "Sun Nov  6 08:49:36 1994", NULL, NULL, FAILS, FAILS },
	/* 3: If-None-Match */
	{ "3 true", &strong, NULL, NULL, "\"b\"", NULL, HOLDS, HOLDS },
	{ "3 false", &strong, NULL, NULL, "\"a\"", NULL, NOT_MODIFIED, FAILS },
	{ "3 one of a list", &strong, NULL, NULL, "\"b\" ,W/\"c\",\t\"a\"", NULL, NOT_MODIFIED, FAILS },
	{ "3 weak of the client", &strong, NULL, NULL, "W/\"a\"", NULL, NOT_MODIFIED, FAILS },
	{ "3 weak of the service", &weak, NULL, NULL, "\"a\"", NULL, NOT_MODIFIED, FAILS },
	{ "3 weak of both", &weak, NULL, NULL, "W/\"a\"", NULL, NOT_MODIFIED, FAILS },
	{ "3 whatever there is", &strong, NULL, NULL, "*", NULL, NOT_MODIFIED, FAILS },
	{ "3 nothing is there", &absent, NULL, NULL, "*", NULL, HOLDS, HOLDS },
	{ "3 without tag", &tagless, NULL, NULL, "\"a\"", NULL, HOLDS, HOLDS },
	{ "3 empty", &strong, NULL, NULL, "", NULL, HOLDS, HOLDS },
	{ "3 no list", &strong, NULL, NULL, "a", NULL, HOLDS, MALFORMED },
	{ "3 a list with a fault at its end", &strong, NULL, NULL, "\"a\", b", NULL, HOLDS, MALFORMED },
	{ "3 true, 4 is not looked at", &strong, NULL, NULL, "\"b\"", AT, HOLDS, HOLDS },
	{ "3 false, 4 is not looked at", &strong, NULL, NULL, "\"a\"", BEFORE, NOT_MODIFIED, FAILS },
	{ "3 no list, 4 is not looked at", &strong, NULL, NULL, "a", AT, HOLDS, MALFORMED },
	/* 4: If-Modified-Since, of GET and HEAD alone */
	{ "4 true", &strong, NULL, NULL, NULL, BEFORE, HOLDS, HOLDS },
	{ "4 false, the very second", &strong, NULL, NULL, NULL, AT, NOT_MODIFIED, HOLDS },
	{ "4 false, later", &strong, NULL, NULL, NULL, AFTER, NOT_MODIFIED, HOLDS },
	{ "4 no date", &strong, NULL, NULL, NULL, "0", HOLDS, HOLDS },
	{ "4 two dates", &strong, NULL, NULL, NULL, AT ", " AT, HOLDS, HOLDS },
	{ "4 without time", &dateless, NULL, NULL, NULL, AT, HOLDS, HOLDS },
	{ "4 older form", &strong, NULL, NULL, NULL, "Sunday, 06-Nov-94 08:49:37 GMT", NOT_MODIFIED, HOLDS },
};

static leat_text text_of(const char *value)
{
	return leat_text_from(value);
}

START_TEST(every_row_of_rfc_9110_13_2_2)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct conditions conditions = { .match = text_of(row->match),
						 .unmodified_since = text_of(row->unmodified_since),
						 .none_match = text_of(row->none_match),
						 .modified_since = text_of(row->modified_since) };
		int read = (int)conditions_judge(&conditions, true, row->validators, now);
		int write = (int)conditions_judge(&conditions, false, row->validators, now);

		ck_assert_msg(read == row->read, "%s, GET: %d", row->label, read);
		ck_assert_msg(write == row->write, "%s, PUT: %d", row->label, write);
	}
}
END_TEST

/* 5: If-Range. */
START_TEST(a_range_counts_for_the_very_version)
{
	static const struct {
		const char *value;
		const struct validators *validators;
		bool counts;
	} cases[] = {
		{ NULL, &strong, true },
		{ "\"a\"", &strong, true },
		{ "\"b\"", &strong, false },
		{ "W/\"a\"", &strong, false },
		{ "\"a\"", &weak, false },
		{ "W/\"a\"", &weak, false },
		{ "\"a\", \"a\"", &strong, false },
		{ "\"a\"x", &strong, false },
		{ "\"a\"", &tagless, false },
		{ "\"a", &strong, false },
		{ "*", &strong, false },
		{ "", &strong, false },
		{ AT, &strong, true },
		{ BEFORE, &strong, false },
		{ AFTER, &strong, false },
		{ AT, &dateless, false },
		{ "today", &strong, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct conditions conditions = { .range = text_of(cases[i].value) };

		ck_assert_msg(conditions_allow_range(&conditions, cases[i].validators, now) == cases[i].counts, "%s",
			      cases[i].value);
	}
}
END_TEST

START_TEST(lists_of_entity_tags)
{
	static const struct {
		const char *list;
		int verdict; /* of a PUT with If-Match */
	} cases[] = {
		{ ",,\"a\"", HOLDS },
		{ "\"a\",", HOLDS },
		{ " \t\"a\" ", HOLDS },
		{ ", ,", FAILS },
		{ "\"\"", FAILS },
		{ "\"a,b\", \"a\"", HOLDS }, /* commas are characters of a tag */
		{ "\"b,\"a\"", MALFORMED },
		{ "\"*\"", FAILS },
		{ "\"\x80\xff\", \"a\"", HOLDS },
		{ "w/\"a\"", MALFORMED },
		{ "W/a", MALFORMED },
		{ "W/", MALFORMED },
		{ "W", MALFORMED },
		{ "\"", MALFORMED },
		{ "\"a", MALFORMED },
		{ "a\"", MALFORMED },
		{ "\"a\"\"b\"", MALFORMED },
		{ "\"a\" \"b\"", MALFORMED },
		{ "\"a b\"", MALFORMED },
		{ "\"a\\\"\"", MALFORMED }, /* a tag knows no escapes */
		{ "*, \"a\"", MALFORMED },
		{ "**", MALFORMED },
		{ "'a'", MALFORMED },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct conditions conditions = { .match = text_of(cases[i].list) };
		int verdict = (int)conditions_judge(&conditions, false, &strong, now);

		ck_assert_msg(verdict == cases[i].verdict, "%s: %d", cases[i].list, verdict);
	}
}
END_TEST

static bool is(leat_text value, const char *expected)
{
	return expected ? leat_text_equal(value, leat_text_from(expected)) : !value.ptr;
}

START_TEST(conditions_are_found_among_parameters)
{
	static const char *const params[] = { "HTTP_IF",
					      "HTTP_IF_MATCH=*",
					      "HTTP_IF_NONE_MATCH= \"a\" ",
					      "IF_RANGE=x",
					      "HTTP_IF_MODIFIED_SINCE=" AT,
					      "HTTP_IF_MATCHES=no",
					      NULL };
	struct conditions conditions;

	conditions_read(&conditions, params, &arena);
	ck_assert(is(conditions.match, "*"));
	ck_assert(is(conditions.none_match, "\"a\""));
	ck_assert(is(conditions.modified_since, AT));
	ck_assert(is(conditions.unmodified_since, NULL));
	ck_assert(is(conditions.range, NULL));
}
END_TEST

/* nginx before 1.23 sends each line of a header as a parameter of its own. */
START_TEST(several_lines_are_one_list)
{
	static const char *const params[] = { "HTTP_IF_NONE_MATCH=\"b\"", "HTTP_IF_MODIFIED_SINCE=" AT,
					      "HTTP_IF_NONE_MATCH=\"a\"", "HTTP_IF_MODIFIED_SINCE=" AT,
					      "HTTP_IF_NONE_MATCH=\"c\"", NULL };
	struct conditions conditions;

	conditions_read(&conditions, params, &arena);
	ck_assert(is(conditions.none_match, "\"b\", \"a\", \"c\""));
	ck_assert_int_eq((int)conditions_judge(&conditions, true, &strong, now), NOT_MODIFIED);
	conditions.none_match = (leat_text){ NULL, 0 };
	ck_assert_int_eq((int)conditions_judge(&conditions, true, &strong, now), HOLDS);
}
END_TEST

START_TEST(thousands_of_lines_take_memory_for_their_bytes_alone)
{
	enum { LINES = 20000 };
	static const char *params[LINES + 1];
	struct conditions conditions;

	for (int i = 0; i < LINES; i++)
		params[i] = "HTTP_IF_NONE_MATCH=\"b\"";
	params[LINES - 1] = "HTTP_IF_NONE_MATCH=\"a\"";
	conditions_read(&conditions, params, &arena);
	ck_assert_uint_eq(conditions.none_match.len, LINES * 5 - 2);
	ck_assert_int_eq((int)conditions_judge(&conditions, true, &strong, now), NOT_MODIFIED);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("condition");

	HARNESS_CASE(s, "judging", every_row_of_rfc_9110_13_2_2, a_range_counts_for_the_very_version,
		     lists_of_entity_tags);
	ARENA_CASE(s, "reading", conditions_are_found_among_parameters, several_lines_are_one_list,
		   thousands_of_lines_take_memory_for_their_bytes_alone);
	return s;
}
