/* t_json_read_kinds.c - the JSON reader: bytes, times, UUIDs, JSON as it is, arrays, and what is absent. */
#include "tests/unit/json_reading.h"

/* Bytes, times, UUIDs --------------------------------------------------------------------------------------------- */

struct file {
	leat_bytes data;
	leat_time changed;
	leat_uuid id;
};

static const struct leat_shape file_shape = LEAT_SHAPE(struct file,
	LEAT_BYTES(data, .max = 4, .optional = true),
	LEAT_TIME(changed, .optional = true),
	LEAT_UUID(id, .optional = true));

START_TEST(reads_bytes_times_and_uuids)
{
	struct file file;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"data\":\"+\\/8=\",\"changed\":\"1970-01-01T01:00:00.5+01:00\","
					      "\"id\":\"000102FF-0000-0000-0000-000000000000\"}"),
				 &file_shape, &file),
			 "ok");
	ck_assert_uint_eq(file.data.len, 2);
	ck_assert_mem_eq(file.data.ptr, "\xfb\xff", 2);
	ck_assert_int_eq(file.changed.us, 500000);
	ck_assert_mem_eq(file.id.bytes, "\0\1\2\xff\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}
END_TEST

START_TEST(leaves_empty_bytes_there_and_absent_ones_away)
{
	struct file file;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"data\":\"\"}"), &file_shape, &file), "ok");
	ck_assert_ptr_nonnull(file.data.ptr);
	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"data\":null}"), &file_shape, &file), "ok");
	ck_assert_ptr_null(file.data.ptr);
}
END_TEST

START_TEST(refuses_what_is_no_base64)
{
	CHECK_READINGS(
		&file_shape, { "{\"data\":\"AAAA\"}", "ok" }, { "{\"data\":\"AAAAAA==\"}", "ok" },
		{ "{\"data\":\"AAAAAAA=\"}", "#/data must have from 0 to 4 bytes" },
		{ "{\"data\":\"AAA\"}", "#/data must be base64" }, { "{\"data\":\"AAB=\"}", "#/data must be base64" },
		{ "{\"data\":\"AA A\"}", "#/data must be base64" }, { "{\"data\":\"__-_\"}", "#/data must be base64" },
		{ "{\"data\":\"AAA\\u0000\"}", "#/data must not hold U+0000" },
		{ "{\"data\":[0,1]}", "#/data must be a string" });
}
END_TEST

#define NO_TIME "#/changed must be a date and time like 2026-01-31T09:30:00Z"

START_TEST(refuses_times_that_do_not_exist)
{
	CHECK_READINGS(&file_shape, { "{\"changed\":\"2024-02-29T23:59:59.999999Z\"}", "ok" },
		       { "{\"changed\":\"2025-02-29T00:00:00Z\"}", NO_TIME },
		       { "{\"changed\":\"2026-01-31T24:00:00Z\"}", NO_TIME },
		       { "{\"changed\":\"2016-12-31T23:59:60Z\"}", NO_TIME },
		       { "{\"changed\":\"0000-12-31T00:00:00Z\"}", NO_TIME },
		       { "{\"changed\":\"2026-01-31T09:30:00\"}", NO_TIME }, { "{\"changed\":\"now\"}", NO_TIME },
		       { "{\"changed\":\"\"}", NO_TIME }, { "{\"changed\":0}", "#/changed must be a string" });
}
END_TEST

START_TEST(refuses_what_is_no_uuid)
{
	CHECK_READINGS(&file_shape, { "{\"id\":\"5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f\"}", "ok" },
		       { "{\"id\":\"5b2d3a527e9c4d6f8a4e0f6f6f6f6f6f\"}", "#/id must be a UUID" },
		       { "{\"id\":\"{5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f}\"}", "#/id must be a UUID" },
		       { "{\"id\":\"\"}", "#/id must be a UUID" }, { "{\"id\":1}", "#/id must be a string" });
}
END_TEST

/* JSON and arrays ------------------------------------------------------------------------------------------------- */

struct bag {
	leat_json any;
	leat_ints ints;
	leat_texts texts;
};

static const struct leat_shape bag_shape = LEAT_SHAPE(struct bag,
	LEAT_JSON(any, .max = 40, .optional = true),
	LEAT_INTS(ints, .max = 3, .optional = true),
	LEAT_TEXTS(texts, .min = 1, .max = 20, .optional = true));

START_TEST(keeps_the_text_of_json)
{
	static const char *const values[] = { "{}",          "[]",   "0",     "-1.5e3",
					      "\"\\u00e9\"", "true", "false", "{ \"a\" : [1,\t{\"b\":null}] }" };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		leat_text document = arena_format(&arena, "{\"any\": %s ,\"ints\":[]}", values[i]);
		struct bag bag;

		ck_assert_str_eq(outcome(document, &bag_shape, &bag), "ok");
		ck_assert_msg(leat_text_equal(bag.any.text, leat_text_from(values[i])), "%s", values[i]);
	}
}
END_TEST

START_TEST(takes_null_for_no_json_at_all)
{
	struct bag bag;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"any\":null}"), &bag_shape, &bag), "ok");
	ck_assert_ptr_null(bag.any.text.ptr);
}
END_TEST

START_TEST(checks_json_that_it_keeps)
{
	CHECK_READINGS(
		&bag_shape, { "{\"any\":{\"a\":01}}", "line 1, column 13: a number has a leading zero" },
		{ "{\"any\":[1,]}", "line 1, column 11: expected a value" },
		{ "{\"any\":\"\xff\"}", "line 1, column 9: not UTF-8" },
		{ "{\"any\":nope}", "line 1, column 8: expected a value" },
		{ "{\"any\":}", "line 1, column 8: expected a value" },
		{ "{\"any\":[\"a\\u0000\"]}", "#/any must not hold U+0000" },
		{ "{\"any\":{\"\\u0000\":1}}", "#/any must not hold U+0000" },
		{ "{\"other\":\"\\u0000\",\"any\":1}", "#/other is not a known key" },
		{ "{\"any\":\"0123456789012345678901234567890123456789\"}", "#/any must have from 0 to 40 bytes" },
		{ nested(63, "{\"any\":", "[", "]"), "#/any must have from 0 to 40 bytes" },
		{ nested(64, "{\"any\":", "[", "]"), "line 1, column 71: nested too deep" });
}
END_TEST

START_TEST(reads_arrays)
{
	struct bag bag;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"ints\":[ 1 , -9223372036854775808 ],"
					      "\"texts\":[\"a\",\"\\u00e9\",\"\"]}"),
				 &bag_shape, &bag),
			 "ok");
	ck_assert_uint_eq(bag.ints.count, 2);
	ck_assert_int_eq(bag.ints.items[1], INT64_MIN);
	ck_assert_uint_eq(bag.texts.count, 3);
	ck_assert(leat_text_equal(bag.texts.items[0], LEAT_TEXT_OF("a")));
	ck_assert(leat_text_equal(bag.texts.items[1], LEAT_TEXT_OF("\xC3\xA9")));
	ck_assert_ptr_nonnull(bag.texts.items[2].ptr);
}
END_TEST

START_TEST(leaves_empty_arrays_there_and_absent_ones_away)
{
	struct bag bag;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"ints\":[]}"), &bag_shape, &bag), "ok");
	ck_assert_ptr_nonnull(bag.ints.items);
	ck_assert_uint_eq(bag.ints.count, 0);
	ck_assert_ptr_null(bag.texts.items);
}
END_TEST

START_TEST(grows_an_array_and_keeps_its_items)
{
	struct buffer document;
	struct bag bag;

	buffer_init(&document, &arena, 16);
	buffer_text(&document, LEAT_TEXT_OF("{\"texts\":["));
	for (int i = 0; i < 20; i++)
		buffer_format(&document, "%s\"\\u0061%d\"", i ? "," : "", i);
	buffer_text(&document, LEAT_TEXT_OF("]}"));
	ck_assert_str_eq(outcome(buffer_as_text(&document), &bag_shape, &bag), "ok");
	ck_assert_uint_eq(bag.texts.count, 20);
	for (int i = 0; i < 20; i++)
		ck_assert(leat_text_equal(bag.texts.items[i], arena_format(&arena, "a%d", i)));
}
END_TEST

START_TEST(points_into_arrays)
{
	CHECK_READINGS(
		&bag_shape,
		{ "{\"ints\":[1,\"2\",3.0],\"texts\":[null,1,\"\\u0000\"]}",
		  "#/ints/1 must be an integer\n#/ints/2 must be an integer\n#/texts/0 must not be null\n"
		  "#/texts/1 must be a string\n#/texts/2 must not hold U+0000" },
		{ "{\"ints\":[9223372036854775808,null,[1]]}",
		  "#/ints/0 must be from -9223372036854775808 to 9223372036854775807\n#/ints/1 must not be null\n"
		  "#/ints/2 must be an integer" },
		{ "{\"ints\":[1,2,3,4],\"texts\":[]}",
		  "#/ints must have from 0 to 3 items\n#/texts must have from 1 to 20 items" },
		{ "{\"ints\":1,\"texts\":{\"a\":\"b\"}}", "#/ints must be an array\n#/texts must be an array" },
		{ "{\"ints\":[1,]}", "line 1, column 12: expected a value" });
}
END_TEST

/* What is absent -------------------------------------------------------------------------------------------------- */

struct sparse {
	int64_t id;
	bool flag;
	bool has_id, has_flag, has_name;
	leat_text name;
};

static const struct leat_shape sparse_shape = LEAT_SHAPE(struct sparse,
	LEAT_INT(id, .optional = true, .has = LEAT_HAS(struct sparse, has_id)),
	LEAT_BOOL(flag, .optional = true, .has = LEAT_HAS(struct sparse, has_flag)),
	LEAT_TEXT(name, .optional = true, .has = LEAT_HAS(struct sparse, has_name)));

START_TEST(a_bool_tells_a_value_from_nothing)
{
	struct sparse sparse;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"id\":0,\"flag\":false,\"name\":\"\"}"), &sparse_shape, &sparse),
			 "ok");
	ck_assert(sparse.has_id && sparse.has_flag && sparse.has_name);
	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"id\":null,\"name\":null}"), &sparse_shape, &sparse), "ok");
	ck_assert(!sparse.has_id && !sparse.has_flag && !sparse.has_name);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("json_read_kinds");

	ARENA_CASE(s, "bytes, times, UUIDs", reads_bytes_times_and_uuids, leaves_empty_bytes_there_and_absent_ones_away,
		   refuses_what_is_no_base64, refuses_times_that_do_not_exist, refuses_what_is_no_uuid);
	ARENA_CASE(s, "JSON and arrays", keeps_the_text_of_json, takes_null_for_no_json_at_all,
		   checks_json_that_it_keeps, reads_arrays, leaves_empty_arrays_there_and_absent_ones_away,
		   grows_an_array_and_keeps_its_items, points_into_arrays);
	ARENA_CASE(s, "what is absent", a_bool_tells_a_value_from_nothing);
	return s;
}
