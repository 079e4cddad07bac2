/* t_argument.c - arguments in the form that PostgreSQL reads (back/argument.h). That it does is in t_db.c and t_db_kinds.c. */
#include "back/argument.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "tests/unit/arena_stand.h"

static const char *written(struct leat_arg arg)
{
	struct arguments arguments;

	ck_assert_ptr_null(arguments_write(&arguments, &arena, &arg, 1));
	return arguments.values[0] ? arguments.values[0] : "NULL";
}

static const char *fault(struct leat_arg arg)
{
	struct arguments arguments;
	const char *why_not = arguments_write(&arguments, &arena, &arg, 1);

	return why_not ? why_not : "none";
}

#define INTS(...) ((leat_ints){ (int64_t[]){ __VA_ARGS__ }, sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t) })
#define TEXTS(...) \
	((leat_texts){ (leat_text[]){ __VA_ARGS__ }, sizeof((leat_text[]){ __VA_ARGS__ }) / sizeof(leat_text) })
#define BYTES(literal) ((leat_bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

START_TEST(numbers_and_bools_are_written_shortly)
{
	ck_assert_str_eq(written(LEAT_ARG(0)), "0");
	ck_assert_str_eq(written(LEAT_ARG(INT64_MIN)), "-9223372036854775808");
	ck_assert_str_eq(written(LEAT_ARG((bool)true)), "t");
	ck_assert_str_eq(written(LEAT_ARG((bool)false)), "f");
	ck_assert_str_eq(written(LEAT_ARG(0.1)), "0.1");
	ck_assert_str_eq(written(LEAT_ARG(-2.2250738585072014e-308)), "-2.2250738585072014e-308");
	ck_assert_str_eq(written(LEAT_ARG(INFINITY)), "inf");
}
END_TEST

START_TEST(texts_and_json_go_as_they_are)
{
	ck_assert_str_eq(written(LEAT_ARG("a\\b\"{")), "a\\b\"{");
	ck_assert_str_eq(written(LEAT_ARG("")), "");
	ck_assert_str_eq(written(LEAT_ARG((leat_json){ LEAT_TEXT_OF("{\"a\": 1}") })), "{\"a\": 1}");
}
END_TEST

START_TEST(bytes_are_hexadecimal_digits)
{
	ck_assert_str_eq(written(LEAT_ARG(BYTES("\0\x7f\xff\\"))), "\\x007fff5c");
	ck_assert_str_eq(written(LEAT_ARG(BYTES(""))), "\\x");
}
END_TEST

START_TEST(times_and_uuids_are_written_as_in_json)
{
	ck_assert_str_eq(written(LEAT_ARG((leat_time){ -1 })), "1969-12-31T23:59:59.999999Z");
	ck_assert_str_eq(written(LEAT_ARG((leat_uuid){ { 0xAB } })), "ab000000-0000-0000-0000-000000000000");
}
END_TEST

START_TEST(arrays_are_in_braces)
{
	ck_assert_str_eq(written(LEAT_ARG(INTS(1, -2, INT64_MIN, INT64_MIN))),
			 "{1,-2,-9223372036854775808,-9223372036854775808}");
	ck_assert_str_eq(written(LEAT_ARG(INTS(7))), "{7}");
	ck_assert_str_eq(written(LEAT_ARG((leat_ints){ (int64_t[1]){ 0 }, 0 })), "{}");
	ck_assert_str_eq(written(LEAT_ARG((leat_texts){ (leat_text[1]){ { "", 0 } }, 0 })), "{}");
}
END_TEST

START_TEST(texts_in_arrays_are_quoted)
{
	ck_assert_str_eq(written(LEAT_ARG(TEXTS(LEAT_TEXT_OF("a b"), LEAT_TEXT_OF("")))), "{\"a b\",\"\"}");
	ck_assert_str_eq(written(LEAT_ARG(TEXTS(LEAT_TEXT_OF("\"\\\"\\"), LEAT_TEXT_OF("},{")))),
			 "{\"\\\"\\\\\\\"\\\\\",\"},{\"}");
	ck_assert_str_eq(written(LEAT_ARG(TEXTS(LEAT_TEXT_OF("NULL"), { NULL, 0 }))), "{\"NULL\",NULL}");
}
END_TEST

START_TEST(what_is_absent_is_null)
{
	static const leat_text no_text;
	static const leat_bytes no_bytes;
	static const leat_json no_json;
	static const leat_ints no_ints;
	static const leat_texts no_texts;

	ck_assert_str_eq(written(LEAT_NULL), "NULL");
	ck_assert_str_eq(written(LEAT_ARG(no_text)), "NULL");
	ck_assert_str_eq(written(LEAT_ARG((const char *)NULL)), "NULL");
	ck_assert_str_eq(written(LEAT_ARG(no_bytes)), "NULL");
	ck_assert_str_eq(written(LEAT_ARG(no_json)), "NULL");
	ck_assert_str_eq(written(LEAT_ARG(no_ints)), "NULL");
	ck_assert_str_eq(written(LEAT_ARG(no_texts)), "NULL");
	ck_assert_str_eq(written(LEAT_ARG_IF(false, 7)), "NULL");
	ck_assert_str_eq(written(LEAT_ARG_IF(true, 7)), "7");
}
END_TEST

START_TEST(a_nul_in_a_text_is_refused)
{
	ck_assert_str_eq(fault(LEAT_ARG(LEAT_TEXT_OF("a\0b"))), "a NUL in a text");
	ck_assert_str_eq(fault(LEAT_ARG((leat_json){ LEAT_TEXT_OF("\"\0\"") })), "a NUL in a text");
	ck_assert_str_eq(fault(LEAT_ARG(TEXTS(LEAT_TEXT_OF("a"), LEAT_TEXT_OF("\0")))), "a NUL in a text");
}
END_TEST

START_TEST(a_time_that_is_not_held_is_refused)
{
	ck_assert_str_eq(fault(LEAT_ARG((leat_time){ CALENDAR_FIRST - 1 })), "a time beyond the years 1 to 9999");
	ck_assert_str_eq(fault(LEAT_ARG((leat_time){ CALENDAR_PAST_END })), "a time beyond the years 1 to 9999");
	ck_assert_str_eq(fault(LEAT_ARG((leat_time){ CALENDAR_PAST_END - 1 })), "none");
}
END_TEST

START_TEST(several_keep_their_order)
{
	struct arguments arguments;

	ck_assert_ptr_null(arguments_write(&arguments, &arena,
					   (const struct leat_arg[]){ LEAT_ARG(1), LEAT_NULL, LEAT_ARG("three") }, 3));
	ck_assert_uint_eq(arguments.count, 3);
	ck_assert_str_eq(arguments.values[0], "1");
	ck_assert_ptr_null(arguments.values[1]);
	ck_assert_str_eq(arguments.values[2], "three");
}
END_TEST

/* Room is counted before: with a sanitizer this shows that it is enough for the longest of each kind. */
START_TEST(the_longest_values_have_room)
{
	enum { MANY = 1000 };
	static int64_t ints[MANY];
	static leat_text texts[MANY];

	for (int i = 0; i < MANY; i++) {
		ints[i] = INT64_MIN;
		texts[i] = LEAT_TEXT_OF("\\\"\\\"\\\"");
	}
	ck_assert_uint_eq(strlen(written(LEAT_ARG((leat_ints){ ints, MANY }))), 1 + 21 * MANY);
	ck_assert_uint_eq(strlen(written(LEAT_ARG((leat_texts){ texts, MANY }))), 1 + 15 * MANY);
	for (int i = 0; i < MANY; i++)
		texts[i] = (leat_text){ NULL, 0 };
	ck_assert_uint_eq(strlen(written(LEAT_ARG((leat_texts){ texts, MANY }))), 1 + 5 * MANY);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("argument");

	ARENA_CASE(s, "forms", numbers_and_bools_are_written_shortly, texts_and_json_go_as_they_are,
		   bytes_are_hexadecimal_digits, times_and_uuids_are_written_as_in_json, arrays_are_in_braces,
		   texts_in_arrays_are_quoted, what_is_absent_is_null, several_keep_their_order,
		   the_longest_values_have_room);
	ARENA_CASE(s, "refusals", a_nul_in_a_text_is_refused, a_time_that_is_not_held_is_refused);
	return s;
}
