/* t_json_write.c - the JSON writer. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "http/json_write.h"
#include "tests/unit/arena_stand.h"

static struct buffer out;

static void set_up(void)
{
	set_up_arena();
	buffer_init(&out, &arena, 1); /* so that every reservation has to grow it */
}

/* What was written since the last time. */
static const char *written(void)
{
	const char *text = arena_copy(&arena, out.data, out.len);

	out.len = 0;
	return text;
}

static const char *shape_as_json(const struct leat_shape *shape, const void *value)
{
	json_write_shape(&out, shape, value);
	return written();
}

/* Shapes --------------------------------------------------------------------------------------------------------- */

struct user {
	int64_t id;
	leat_text name;
	leat_text email;
};

static const struct leat_shape user_shape = LEAT_SHAPE(struct user,
	LEAT_INT(id),
	LEAT_TEXT(name),
	LEAT_TEXT(email, .optional = true));

START_TEST(writes_members_in_the_order_of_the_shape)
{
	struct user user = { 1, LEAT_TEXT_OF("Ada Lovelace"), LEAT_TEXT_OF("ada@example.org") };

	ck_assert_str_eq(shape_as_json(&user_shape, &user),
			 "{\"id\":1,\"name\":\"Ada Lovelace\",\"email\":\"ada@example.org\"}");
}
END_TEST

START_TEST(writes_an_absent_text_as_null)
{
	struct user user = { .name = LEAT_TEXT_OF("") };

	ck_assert_str_eq(shape_as_json(&user_shape, &user), "{\"id\":0,\"name\":\"\",\"email\":null}");
}
END_TEST

struct integers {
	int8_t i8;
	uint8_t u8;
	int16_t i16;
	uint16_t u16;
	int32_t i32;
	uint32_t u32;
	int64_t i64;
	uint64_t u64;
	long long ll;
};

static const struct leat_shape integers_shape = LEAT_SHAPE(struct integers,
	LEAT_INT(i8),
	LEAT_INT(u8),
	LEAT_INT(i16),
	LEAT_INT(u16),
	LEAT_INT(i32),
	LEAT_INT(u32),
	LEAT_INT(i64),
	LEAT_INT(u64),
	LEAT_INT(ll));

START_TEST(writes_integers_of_every_size)
{
	struct integers least = { INT8_MIN, 0, INT16_MIN, 0, INT32_MIN, 0, INT64_MIN, 0, -1 };
	struct integers most = { INT8_MAX,   UINT8_MAX, INT16_MAX,  UINT16_MAX, INT32_MAX,
				 UINT32_MAX, INT64_MAX, UINT64_MAX, 1 };

	ck_assert_str_eq(shape_as_json(&integers_shape, &least),
			 "{\"i8\":-128,\"u8\":0,\"i16\":-32768,\"u16\":0,\"i32\":-2147483648,\"u32\":0,"
			 "\"i64\":-9223372036854775808,\"u64\":0,\"ll\":-1}");
	ck_assert_str_eq(shape_as_json(&integers_shape, &most),
			 "{\"i8\":127,\"u8\":255,\"i16\":32767,\"u16\":65535,\"i32\":2147483647,\"u32\":4294967295,"
			 "\"i64\":9223372036854775807,\"u64\":18446744073709551615,\"ll\":1}");
}
END_TEST

struct page {
	struct leat_list users;
	struct user owner;
	struct user guest;
	bool is_last;
	double ratio;
};

static const struct leat_shape page_shape = LEAT_SHAPE(struct page,
	LEAT_LIST(users, &user_shape),
	LEAT_OBJECT(owner, &user_shape),
	LEAT_OBJECT(guest, &user_shape, .optional = true),
	LEAT_BOOL(is_last),
	LEAT_FLOAT(ratio));

START_TEST(writes_lists_and_objects)
{
	struct user users[] = { { .id = 1, .name = LEAT_TEXT_OF("a") }, { .id = 2, .name = LEAT_TEXT_OF("b") } };
	struct page page = {
		.users = { users, 2 }, .owner = users[1], .guest = users[0], .is_last = true, .ratio = 0.5
	};

	ck_assert_str_eq(
		shape_as_json(&page_shape, &page),
		"{\"users\":[{\"id\":1,\"name\":\"a\",\"email\":null},{\"id\":2,\"name\":\"b\",\"email\":null}],"
		"\"owner\":{\"id\":2,\"name\":\"b\",\"email\":null},"
		"\"guest\":{\"id\":1,\"name\":\"a\",\"email\":null},\"is_last\":true,\"ratio\":0.5}");
}
END_TEST

START_TEST(writes_an_absent_object_as_null_when_it_is_optional)
{
	struct page page = { .is_last = false };

	ck_assert_str_eq(shape_as_json(&page_shape, &page),
			 "{\"users\":[],\"owner\":{\"id\":0,\"name\":null,\"email\":null},\"guest\":null,"
			 "\"is_last\":false,\"ratio\":0}");
}
END_TEST

/* Other kinds ------------------------------------------------------------------------------------------------------ */

struct rich {
	leat_bytes bytes;
	leat_time time;
	leat_uuid uuid;
	leat_json json;
	leat_ints ints;
	leat_texts texts;
};

static const struct leat_shape rich_shape = LEAT_SHAPE(struct rich,
	LEAT_BYTES(bytes),
	LEAT_TIME(time),
	LEAT_UUID(uuid),
	LEAT_JSON(json),
	LEAT_INTS(ints),
	LEAT_TEXTS(texts));

START_TEST(writes_every_other_kind)
{
	int64_t ints[] = { INT64_MIN, 0, INT64_MAX };
	leat_text texts[] = { LEAT_TEXT_OF("a\""), LEAT_TEXT_OF(""), { NULL, 0 } };
	struct rich rich = {
		.bytes = { (const uint8_t *)"\xfb\xff", 2 },
		.time = { INT64_C(1769851800000000) },
		.uuid = { { 0xAB, 1 } },
		.json = { LEAT_TEXT_OF("{\"a\": [1, 2]}") },
		.ints = { ints, 3 },
		.texts = { texts, 3 },
	};

	ck_assert_str_eq(shape_as_json(&rich_shape, &rich),
			 "{\"bytes\":\"+/8=\",\"time\":\"2026-01-31T09:30:00Z\","
			 "\"uuid\":\"ab010000-0000-0000-0000-000000000000\",\"json\":{\"a\": [1, 2]},"
			 "\"ints\":[-9223372036854775808,0,9223372036854775807],\"texts\":[\"a\\\"\",\"\",null]}");
}
END_TEST

START_TEST(writes_what_is_empty_as_empty)
{
	struct rich rich = {
		.bytes = { (const uint8_t *)"", 0 },
		.ints = { (int64_t[1]){ 0 }, 0 },
		.texts = { (leat_text[1]){ { "", 0 } }, 0 },
	};

	ck_assert_str_eq(shape_as_json(&rich_shape, &rich),
			 "{\"bytes\":\"\",\"time\":\"1970-01-01T00:00:00Z\","
			 "\"uuid\":\"00000000-0000-0000-0000-000000000000\",\"json\":null,\"ints\":[],\"texts\":[]}");
}
END_TEST

START_TEST(writes_arrays_without_items_as_empty_when_they_are_required)
{
	struct rich rich = { .bytes = { NULL, 0 } };

	ck_assert_str_eq(shape_as_json(&rich_shape, &rich),
			 "{\"bytes\":null,\"time\":\"1970-01-01T00:00:00Z\","
			 "\"uuid\":\"00000000-0000-0000-0000-000000000000\",\"json\":null,\"ints\":[],\"texts\":[]}");
}
END_TEST

struct span {
	leat_time from, to;
};

static const struct leat_shape span_shape = LEAT_SHAPE(struct span, LEAT_TIME(from), LEAT_TIME(to));

START_TEST(writes_a_time_that_is_not_held_as_null)
{
	struct span within = { { CALENDAR_FIRST }, { CALENDAR_PAST_END - 1 } };
	struct span beyond = { { CALENDAR_FIRST - 1 }, { CALENDAR_PAST_END } };

	ck_assert_str_eq(shape_as_json(&span_shape, &within),
			 "{\"from\":\"0001-01-01T00:00:00Z\",\"to\":\"9999-12-31T23:59:59.999999Z\"}");
	ck_assert_str_eq(shape_as_json(&span_shape, &beyond), "{\"from\":null,\"to\":null}");
}
END_TEST

/* What is absent --------------------------------------------------------------------------------------------------- */

struct sparse {
	bool has_id, has_flag, has_ratio, has_time, has_uuid, has_owner, has_users;
	int64_t id;
	bool flag;
	double ratio;
	leat_time time;
	leat_uuid uuid;
	leat_ints ints;
	leat_texts texts;
	struct user owner;
	struct leat_list users;
};

static const struct leat_shape sparse_shape = LEAT_SHAPE(struct sparse,
	LEAT_INT(id, .optional = true, .has = LEAT_HAS(struct sparse, has_id)),
	LEAT_BOOL(flag, .optional = true, .has = LEAT_HAS(struct sparse, has_flag)),
	LEAT_FLOAT(ratio, .optional = true, .has = LEAT_HAS(struct sparse, has_ratio)),
	LEAT_TIME(time, .optional = true, .has = LEAT_HAS(struct sparse, has_time)),
	LEAT_UUID(uuid, .optional = true, .has = LEAT_HAS(struct sparse, has_uuid)),
	LEAT_INTS(ints, .optional = true),
	LEAT_TEXTS(texts, .optional = true),
	LEAT_OBJECT(owner, &user_shape, .optional = true, .has = LEAT_HAS(struct sparse, has_owner)),
	LEAT_LIST(users, &user_shape, .optional = true, .has = LEAT_HAS(struct sparse, has_users)));

START_TEST(writes_null_for_what_is_not_there)
{
	struct sparse sparse = { .id = 7, .flag = true, .ratio = 0.5, .owner = { .id = 7 } };

	ck_assert_str_eq(shape_as_json(&sparse_shape, &sparse),
			 "{\"id\":null,\"flag\":null,\"ratio\":null,\"time\":null,\"uuid\":null,\"ints\":null,"
			 "\"texts\":null,\"owner\":null,\"users\":null}");
}
END_TEST

START_TEST(writes_zero_for_a_zero_that_is_there)
{
	struct sparse sparse = { true, true, true, true, true, true, true, .ints = { (int64_t[1]){ 0 }, 0 } };

	ck_assert_str_eq(shape_as_json(&sparse_shape, &sparse),
			 "{\"id\":0,\"flag\":false,\"ratio\":0,\"time\":\"1970-01-01T00:00:00Z\","
			 "\"uuid\":\"00000000-0000-0000-0000-000000000000\",\"ints\":[],\"texts\":null,"
			 "\"owner\":{\"id\":0,\"name\":null,\"email\":null},\"users\":[]}");
}
END_TEST

struct outer {
	struct sparse inner;
};

static const struct leat_shape outer_shape = LEAT_SHAPE(struct outer,
	LEAT_OBJECT(inner, &sparse_shape, .optional = true));

START_TEST(an_object_is_there_when_a_zero_in_it_is)
{
	struct outer outer = { .inner = { .has_id = false } };

	ck_assert_str_eq(shape_as_json(&outer_shape, &outer), "{\"inner\":null}");
	outer.inner.has_id = true;
	ck_assert_str_eq(shape_as_json(&outer_shape, &outer),
			 "{\"inner\":{\"id\":0,\"flag\":null,\"ratio\":null,\"time\":null,\"uuid\":null,\"ints\":null,"
			 "\"texts\":null,\"owner\":null,\"users\":null}}");
}
END_TEST

/* Texts ---------------------------------------------------------------------------------------------------------- */

static const char *text_as_json(leat_text text)
{
	json_write_text(&out, text);
	return written();
}

START_TEST(escapes_what_must_be_escaped)
{
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("say \"hi\"")), "\"say \\\"hi\\\"\"");
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("a\\b")), "\"a\\\\b\"");
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("\b\t\n\f\r")), "\"\\b\\t\\n\\f\\r\"");
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("\0\x01\x1f")), "\"\\u0000\\u0001\\u001f\"");
}
END_TEST

START_TEST(leaves_the_rest_as_it_is)
{
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("")), "\"\"");
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("</script> & 'x' \x7f")), "\"</script> & 'x' \x7f\"");
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80")),
			 "\"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"");
}
END_TEST

START_TEST(replaces_each_byte_that_is_not_utf8)
{
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("a\xFF"
						   "b")),
			 "\"a\xEF\xBF\xBD"
			 "b\"");
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("\xC0\xAF")), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("caf\xC3")), "\"caf\xEF\xBF\xBD\"");
	ck_assert_str_eq(text_as_json(LEAT_TEXT_OF("\xED\xA0\x80")), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}
END_TEST

/* Texts are read eight bytes at a step: what needs an escape must be seen at every place of a step. */
START_TEST(sees_what_needs_an_escape_at_every_place)
{
	for (size_t len = 1; len < 40; len++) {
		for (size_t at = 0; at < len; at++) {
			char text[40];
			char expected[64];

			memset(text, 'a', len);
			text[at] = '"';
			snprintf(expected, sizeof(expected), "\"%.*s\\%.*s\"", (int)at, text, (int)(len - at),
				 text + at);
			ck_assert_str_eq(text_as_json((leat_text){ text, len }), expected);
		}
	}
}
END_TEST

/* Doubles -------------------------------------------------------------------------------------------------------- */

static const char *double_as_json(double value)
{
	json_write_double(&out, value);
	return written();
}

START_TEST(writes_doubles_shortly)
{
	ck_assert_str_eq(double_as_json(0.1), "0.1");
	ck_assert_str_eq(double_as_json(0.1 + 0.2), "0.30000000000000004");
	ck_assert_str_eq(double_as_json(1.0 / 3), "0.3333333333333333");
	ck_assert_str_eq(double_as_json(100), "100");
	ck_assert_str_eq(double_as_json(-42), "-42");
	ck_assert_str_eq(double_as_json(999999999999999), "999999999999999");
	ck_assert_str_eq(double_as_json(1e15), "1e+15");
	ck_assert_str_eq(double_as_json(9007199254740993.0), "9007199254740992");
	ck_assert_str_eq(double_as_json(0), "0");
	ck_assert_str_eq(double_as_json(-0.0), "-0");
	ck_assert_str_eq(double_as_json(DBL_MAX), "1.7976931348623157e+308");
	ck_assert_str_eq(double_as_json(-DBL_MIN), "-2.2250738585072014e-308");
}
END_TEST

START_TEST(writes_what_is_no_number_as_null)
{
	ck_assert_str_eq(double_as_json(NAN), "null");
	ck_assert_str_eq(double_as_json(INFINITY), "null");
	ck_assert_str_eq(double_as_json(-INFINITY), "null");
}
END_TEST

START_TEST(writes_doubles_that_read_back_the_same)
{
	uint64_t state = 1;

	for (int i = 0; i < 100000; i++) {
		double value, again;

		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		memcpy(&value, &state, sizeof(value));
		if (!isfinite(value))
			continue;
		out.len = 0;
		json_write_double(&out, value);
		buffer_byte(&out, '\0');
		again = strtod(out.data, NULL);
		ck_assert_msg(memcmp(&value, &again, sizeof(value)) == 0, "%a became %s", value, out.data);
	}
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("json_write");

	HARNESS_CASE_WITH(s, "shapes", set_up, tear_down_arena, writes_members_in_the_order_of_the_shape,
			  writes_an_absent_text_as_null, writes_integers_of_every_size, writes_lists_and_objects,
			  writes_an_absent_object_as_null_when_it_is_optional);
	HARNESS_CASE_WITH(s, "other kinds", set_up, tear_down_arena, writes_every_other_kind,
			  writes_what_is_empty_as_empty, writes_arrays_without_items_as_empty_when_they_are_required,
			  writes_a_time_that_is_not_held_as_null);
	HARNESS_CASE_WITH(s, "what is absent", set_up, tear_down_arena, writes_null_for_what_is_not_there,
			  writes_zero_for_a_zero_that_is_there, an_object_is_there_when_a_zero_in_it_is);
	HARNESS_CASE_WITH(s, "texts", set_up, tear_down_arena, escapes_what_must_be_escaped, leaves_the_rest_as_it_is,
			  replaces_each_byte_that_is_not_utf8, sees_what_needs_an_escape_at_every_place);
	HARNESS_CASE_WITH(s, "doubles", set_up, tear_down_arena, writes_doubles_shortly,
			  writes_what_is_no_number_as_null, writes_doubles_that_read_back_the_same);
	return s;
}
