/* t_row.c - results into structs, without a server: libpq can make results itself. */
#include "back/row.h"

#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/arena_stand.h"

enum {
	BOOL = 16,
	BYTEA = 17,
	INT8 = 20,
	INT2 = 21,
	INT4 = 23,
	TEXT = 25,
	JSON = 114,
	FLOAT4 = 700,
	FLOAT8 = 701,
	NAMES = 1003,
	INT2S = 1005,
	INT4S = 1007,
	TEXTS = 1009,
	BPCHARS = 1014,
	VARCHARS = 1015,
	INT8S = 1016,
	TIMESTAMP = 1114,
	TIMESTAMPTZ = 1184,
	NUMERIC = 1700,
	UUID = 2950,
	JSONB = 3802,
};

struct thing {
	int64_t id;
	uint8_t small;
	bool is_on;
	double size;
	leat_text name;
};

static const struct leat_shape thing_shape =
	LEAT_SHAPE(struct thing, LEAT_INT(id), LEAT_INT(small, .optional = true), LEAT_BOOL(is_on, .optional = true),
		   LEAT_FLOAT(size, .optional = true), LEAT_TEXT(name, .optional = true));

static const struct leat_statement statement = { .sql = "SELECT ...", .row = &thing_shape };

static PGresult *result;

static void teardown(void)
{
	PQclear(result);
	tear_down_arena();
}

struct column {
	const char *name;
	Oid type;
	const char *bytes; /* of the first row; NULL is NULL */
	int len;
};

static void set(int row, int column, const char *bytes, int len)
{
	ck_assert(PQsetvalue(result, row, column, (char *)bytes, bytes ? len : -1));
}

static void answer(const struct column *columns, int count)
{
	PGresAttDesc descriptions[8] = { 0 };

	for (int i = 0; i < count; i++)
		descriptions[i] = (PGresAttDesc){
			.name = (char *)columns[i].name, .typid = columns[i].type, .typlen = -1, .format = 1,
		};
	result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	ck_assert(PQsetResultAttrs(result, count, descriptions));
	for (int i = 0; i < count; i++)
		set(0, i, columns[i].bytes, columns[i].len);
}

/* A column of a literal's bytes, without its NUL. */
#define COLUMN(name, type, literal) { name, type, literal, sizeof(literal) - 1 }
#define ANSWER(...) \
	answer((const struct column[]){ __VA_ARGS__ }, sizeof((const struct column[]){ __VA_ARGS__ }) / sizeof(struct column))
#define ID COLUMN("id", INT8, "\0\0\0\0\0\0\0\x01")

static void reads(enum leat_result expected, struct thing *ret_thing)
{
	ck_assert_int_eq(row_read_one(result, &statement, &arena, ret_thing), expected);
}

static void fits(struct column column)
{
	struct thing thing;

	ANSWER(ID, column);
	reads(LEAT_OK, &thing);
}

static void does_not_fit(struct column column)
{
	struct thing thing;

	ANSWER(ID, column);
	reads(LEAT_INTERNAL, &thing);
}

START_TEST(every_kind_is_read)
{
	struct thing thing;

	ANSWER(COLUMN("id", INT8, "\x80\0\0\0\0\0\0\0"), COLUMN("small", INT2, "\0\xff"), COLUMN("is_on", BOOL, "\1"),
	       COLUMN("size", FLOAT8, "\x3f\xf8\0\0\0\0\0\0"), COLUMN("name", TEXT, "Zo\xc3\xab"));
	reads(LEAT_OK, &thing);
	ck_assert(thing.id == INT64_MIN);
	ck_assert_uint_eq(thing.small, 255);
	ck_assert(thing.is_on);
	ck_assert_double_eq(thing.size, 1.5);
	ck_assert(leat_text_equal(thing.name, LEAT_TEXT_OF("Zo\xc3\xab")));
}
END_TEST

START_TEST(columns_are_found_by_name_in_any_order)
{
	struct thing thing;

	ANSWER(COLUMN("name", TEXT, "x"), COLUMN("other", UUID, "?"), COLUMN("id", INT4, "\xff\xff\xff\xfe"));
	reads(LEAT_OK, &thing);
	ck_assert_int_eq(thing.id, -2);
}
END_TEST

START_TEST(texts_are_copies)
{
	struct thing thing;

	ANSWER(ID, COLUMN("name", JSON, "{}"));
	reads(LEAT_OK, &thing);
	ck_assert(thing.name.ptr != PQgetvalue(result, 0, 1));
}
END_TEST

START_TEST(a_short_float_is_widened)
{
	struct thing thing;

	ANSWER(ID, COLUMN("size", FLOAT4, "\x3f\x80\0\0"));
	reads(LEAT_OK, &thing);
	ck_assert_double_eq(thing.size, 1.0);
}
END_TEST

START_TEST(no_row_is_not_found)
{
	struct thing thing;

	result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	reads(LEAT_NOT_FOUND, &thing);
}
END_TEST

START_TEST(what_is_absent_leaves_zero)
{
	struct thing thing;

	memset(&thing, 0xff, sizeof(thing));
	ANSWER(ID, { "name", TEXT, NULL, 0 });
	reads(LEAT_OK, &thing);
	ck_assert_ptr_null(thing.name.ptr);
	ck_assert_uint_eq(thing.small, 0);
	ck_assert(!thing.is_on);
}
END_TEST

START_TEST(an_empty_text_is_not_absent)
{
	struct thing thing;

	ANSWER(ID, COLUMN("name", TEXT, ""));
	reads(LEAT_OK, &thing);
	ck_assert_ptr_nonnull(thing.name.ptr);
}
END_TEST

START_TEST(null_in_a_required_field_is_internal)
{
	struct thing thing;

	ANSWER({ "id", INT8, NULL, 0 });
	reads(LEAT_INTERNAL, &thing);
}
END_TEST

START_TEST(a_required_field_without_a_column_is_internal)
{
	struct thing thing;

	ANSWER(COLUMN("name", TEXT, "x"));
	reads(LEAT_INTERNAL, &thing);
}
END_TEST

START_TEST(a_type_that_does_not_fit_is_internal)
{
	does_not_fit((struct column)COLUMN("name", UUID, "0123456789abcdef"));
}
END_TEST

START_TEST(a_kind_that_does_not_fit_is_internal)
{
	does_not_fit((struct column)COLUMN("size", INT4, "\0\0\0\1"));
}
END_TEST

START_TEST(the_largest_value_fits)
{
	fits((struct column)COLUMN("small", INT4, "\0\0\0\xff"));
}
END_TEST

START_TEST(a_value_too_large_is_internal)
{
	does_not_fit((struct column)COLUMN("small", INT4, "\0\0\1\0"));
}
END_TEST

START_TEST(a_negative_value_in_an_unsigned_member_is_internal)
{
	does_not_fit((struct column)COLUMN("small", INT2, "\xff\xff"));
}
END_TEST

START_TEST(a_value_of_the_wrong_length_is_internal)
{
	does_not_fit((struct column)COLUMN("small", INT4, "\0\1"));
}
END_TEST

struct limits {
	int8_t a;
	int16_t b;
	int32_t c;
	uint16_t d;
	uint32_t e;
	uint64_t f;
};

static const struct leat_shape limits_shape = LEAT_SHAPE(struct limits, LEAT_INT(a), LEAT_INT(b), LEAT_INT(c), LEAT_INT(d),
							 LEAT_INT(e), LEAT_INT(f));
static const struct leat_statement limits_statement = { .sql = "SELECT ...", .row = &limits_shape };

START_TEST(members_of_every_size_hold_their_limits)
{
	struct limits limits;

	ANSWER(COLUMN("a", INT8, "\xff\xff\xff\xff\xff\xff\xff\x80"), COLUMN("b", INT8, "\0\0\0\0\0\0\x7f\xff"),
	       COLUMN("c", INT8, "\xff\xff\xff\xff\x80\0\0\0"), COLUMN("d", INT8, "\0\0\0\0\0\0\xff\xff"),
	       COLUMN("e", INT8, "\0\0\0\0\xff\xff\xff\xff"), COLUMN("f", INT8, "\x7f\xff\xff\xff\xff\xff\xff\xff"));
	ck_assert_int_eq(row_read_one(result, &limits_statement, &arena, &limits), LEAT_OK);
	ck_assert_int_eq(limits.a, INT8_MIN);
	ck_assert_int_eq(limits.b, INT16_MAX);
	ck_assert_int_eq(limits.c, INT32_MIN);
	ck_assert_uint_eq(limits.d, UINT16_MAX);
	ck_assert_uint_eq(limits.e, UINT32_MAX);
	ck_assert_uint_eq(limits.f, INT64_MAX);
}
END_TEST

START_TEST(all_rows_become_a_list)
{
	struct leat_list list;

	ANSWER(ID, COLUMN("name", TEXT, "first"));
	set(1, 0, "\0\0\0\0\0\0\0\2", 8);
	set(1, 1, "second", 6);
	ck_assert_int_eq(row_read_all(&result, &statement, &arena, &list), LEAT_OK);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_int_eq(((struct thing *)list.items)[1].id, 2);
	ck_assert(leat_text_equal(((struct thing *)list.items)[1].name, LEAT_TEXT_OF("second")));
}
END_TEST

START_TEST(one_bad_row_spoils_the_list)
{
	struct leat_list list;

	ANSWER(ID);
	set(1, 0, NULL, 0);
	ck_assert_int_eq(row_read_all(&result, &statement, &arena, &list), LEAT_INTERNAL);
	ck_assert_uint_eq(list.count, 0);
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
	int16_t age;
	bool has_time, has_uuid, has_age;
};

static const struct leat_shape rich_shape = LEAT_SHAPE(struct rich,
	LEAT_BYTES(bytes, .optional = true),
	LEAT_TIME(time, .optional = true, .has = LEAT_HAS(struct rich, has_time)),
	LEAT_UUID(uuid, .optional = true, .has = LEAT_HAS(struct rich, has_uuid)),
	LEAT_JSON(json, .optional = true),
	LEAT_INTS(ints, .optional = true),
	LEAT_TEXTS(texts, .optional = true),
	LEAT_INT(age, .optional = true, .has = LEAT_HAS(struct rich, has_age)));
static const struct leat_statement rich_statement = { .sql = "SELECT ...", .row = &rich_shape };

static enum leat_result read_rich(struct column column, struct rich *ret_rich)
{
	PQclear(result);
	answer(&column, 1);
	return row_read_one(result, &rich_statement, &arena, ret_rich);
}

static struct rich rich_of(struct column column)
{
	struct rich rich;

	ck_assert_msg(read_rich(column, &rich) == LEAT_OK, "%s of type %u", column.name, column.type);
	return rich;
}

/* The head of an array of one dimension; items follow, each with its length. */
#define ARRAY(type, count) "\0\0\0\1\0\0\0\0\0\0\0" type "\0\0\0" count "\0\0\0\1"
#define EMPTY_ARRAY(type) "\0\0\0\0\0\0\0\0\0\0\0" type

START_TEST(bytes_are_read_whole)
{
	leat_bytes bytes = rich_of((struct column)COLUMN("bytes", BYTEA, "\0\xff\0")).bytes;

	ck_assert_uint_eq(bytes.len, 3);
	ck_assert_mem_eq(bytes.ptr, "\0\xff\0", 3);
}
END_TEST

START_TEST(empty_bytes_are_not_absent)
{
	ck_assert_ptr_nonnull(rich_of((struct column)COLUMN("bytes", BYTEA, "")).bytes.ptr);
	ck_assert_ptr_null(rich_of((struct column){ "bytes", BYTEA, NULL, 0 }).bytes.ptr);
}
END_TEST

START_TEST(times_count_from_1970)
{
	static const struct {
		struct column column;
		int64_t us;
	} times[] = {
		{ COLUMN("time", TIMESTAMPTZ, "\0\0\0\0\0\0\0\0"), INT64_C(946684800000000) },
		{ COLUMN("time", TIMESTAMP, "\0\0\0\0\0\0\0\1"), INT64_C(946684800000001) },
		{ COLUMN("time", TIMESTAMPTZ, "\xff\xfc\xa2\xfe\xc4\xc8\x20\x00"), 0 },
		{ COLUMN("time", TIMESTAMPTZ, "\xff\x1f\xe2\xff\xc5\x9c\x60\x00"), INT64_C(-62135596800000000) },
		{ COLUMN("time", TIMESTAMPTZ, "\x03\x80\xe7\x0b\x91\x3b\x7f\xff"), INT64_C(253402300799999999) },
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct rich rich = rich_of(times[i].column);

		ck_assert_int_eq(rich.time.us, times[i].us);
		ck_assert(rich.has_time);
	}
}
END_TEST

START_TEST(a_uuid_is_its_bytes)
{
	struct rich rich = rich_of((struct column)COLUMN("uuid", UUID, "0123456789abcdef"));

	ck_assert_mem_eq(rich.uuid.bytes, "0123456789abcdef", 16);
	ck_assert(rich.has_uuid);
}
END_TEST

START_TEST(json_is_its_text_of_either_type)
{
	ck_assert(leat_text_equal(rich_of((struct column)COLUMN("json", JSON, "[1, 2]")).json.text,
				  LEAT_TEXT_OF("[1, 2]")));
	ck_assert(leat_text_equal(rich_of((struct column)COLUMN("json", JSONB, "\1{\"a\": 1}")).json.text,
				  LEAT_TEXT_OF("{\"a\": 1}")));
}
END_TEST

START_TEST(integers_of_every_size_come_in_arrays)
{
	static const struct column columns[] = {
		COLUMN("ints", INT2S, ARRAY("\x15", "\2") "\0\0\0\2\0\1" "\0\0\0\2\xff\xfe"),
		COLUMN("ints", INT4S, ARRAY("\x17", "\2") "\0\0\0\4\0\0\0\1" "\0\0\0\4\xff\xff\xff\xfe"),
		COLUMN("ints", INT8S, ARRAY("\x14", "\2") "\0\0\0\10\0\0\0\0\0\0\0\1"
							    "\0\0\0\10\xff\xff\xff\xff\xff\xff\xff\xfe"),
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		leat_ints ints = rich_of(columns[i]).ints;

		ck_assert_uint_eq(ints.count, 2);
		ck_assert_int_eq(ints.items[0], 1);
		ck_assert_int_eq(ints.items[1], -2);
	}
}
END_TEST

START_TEST(texts_of_every_type_come_in_arrays)
{
	static const struct column columns[] = {
		COLUMN("texts", TEXTS, ARRAY("\x19", "\2") "\0\0\0\2hi" "\0\0\0\0"),
		COLUMN("texts", NAMES, ARRAY("\x13", "\2") "\0\0\0\2hi" "\0\0\0\0"),
		{ "texts", VARCHARS, "\0\0\0\1\0\0\0\0\0\0\4\x13\0\0\0\2\0\0\0\1\0\0\0\2hi\0\0\0\0", 30 },
		{ "texts", BPCHARS, "\0\0\0\1\0\0\0\0\0\0\4\x12\0\0\0\2\0\0\0\1\0\0\0\2hi\0\0\0\0", 30 },
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		leat_texts texts = rich_of(columns[i]).texts;

		ck_assert_uint_eq(texts.count, 2);
		ck_assert(leat_text_equal(texts.items[0], LEAT_TEXT_OF("hi")));
		ck_assert_ptr_nonnull(texts.items[1].ptr);
		ck_assert_uint_eq(texts.items[1].len, 0);
	}
}
END_TEST

START_TEST(an_empty_array_is_not_absent)
{
	struct rich rich = rich_of((struct column)COLUMN("ints", INT4S, EMPTY_ARRAY("\x17")));

	ck_assert_ptr_nonnull(rich.ints.items);
	ck_assert_uint_eq(rich.ints.count, 0);
	ck_assert_ptr_null(rich_of((struct column){ "ints", INT4S, NULL, 0 }).ints.items);
}
END_TEST

START_TEST(a_bool_tells_a_value_from_nothing)
{
	ck_assert(rich_of((struct column)COLUMN("age", INT4, "\0\0\0\0")).has_age);
	ck_assert(!rich_of((struct column){ "age", INT4, NULL, 0 }).has_age);
	ck_assert(!rich_of((struct column)COLUMN("other", INT4, "\0\0\0\0")).has_age);
}
END_TEST

/* What does not fit says so ---------------------------------------------------------------------------------------- */

struct complaint {
	struct column column;
	const char *says;
};

static const struct complaint complaints[] = {
	{ COLUMN("age", UUID, "0123456789abcdef"), "is uuid, and its field takes int8, int4, int2 in: SELECT ..." },
	{ COLUMN("time", NUMERIC, ""), "is of type 1700, and its field takes timestamptz, timestamp in: SELECT ..." },
	{ COLUMN("bytes", TEXT, "x"), "is text, and its field takes bytea in: SELECT ..." },
	{ COLUMN("uuid", TEXT, "x"), "is text, and its field takes uuid in: SELECT ..." },
	{ COLUMN("json", TEXT, "1"), "is text, and its field takes jsonb, json in: SELECT ..." },
	{ COLUMN("ints", TEXTS, EMPTY_ARRAY("\x19")),
	  "is text[], and its field takes int8[], int4[], int2[] in: SELECT ..." },
	{ COLUMN("texts", INT4S, EMPTY_ARRAY("\x17")),
	  "is int4[], and its field takes text[], varchar[], bpchar[], name[] in: SELECT ..." },
	{ COLUMN("age", INT4, "\0\0\x80\0"), "has in row 1 a value that its member cannot hold" },
	{ COLUMN("age", INT4, "\0\1"), "has in row 1 a value whose bytes are malformed" },
	{ COLUMN("time", TIMESTAMPTZ, "\x7f\xff\xff\xff\xff\xff\xff\xff"), "has in row 1 a value that is infinite" },
	{ COLUMN("time", TIMESTAMP, "\x80\0\0\0\0\0\0\0"), "has in row 1 a value that is infinite" },
	{ COLUMN("time", TIMESTAMPTZ, "\x7f\xff\xff\xff\xff\xff\xff\xfe"), "a value beyond the years 1 to 9999" },
	{ COLUMN("time", TIMESTAMPTZ, "\x80\0\0\0\0\0\0\1"), "a value beyond the years 1 to 9999" },
	{ COLUMN("time", TIMESTAMPTZ, "\xff\x1f\xe2\xff\xc5\x9c\x5f\xff"), "a value beyond the years 1 to 9999" },
	{ COLUMN("time", TIMESTAMPTZ, "\x03\x80\xe7\x0b\x91\x3b\x80\x00"), "a value beyond the years 1 to 9999" },
	{ COLUMN("time", TIMESTAMPTZ, "\0\0\0\0\0\0\0"), "a value whose bytes are malformed" },
	{ COLUMN("time", TIMESTAMPTZ, ""), "a value whose bytes are malformed" },
	{ COLUMN("uuid", UUID, "0123456789abcde"), "a value whose bytes are malformed" },
	{ COLUMN("uuid", UUID, "0123456789abcdefg"), "a value whose bytes are malformed" },
	{ COLUMN("json", JSONB, ""), "a value of a version of jsonb that is not known" },
	{ COLUMN("json", JSONB, "\2{}"), "a value of a version of jsonb that is not known" },
	{ COLUMN("ints", INT4S, ARRAY("\x17", "\2") "\0\0\0\4\0\0\0\1\xff\xff\xff\xff"),
	  "a value with a NULL element" },
	{ COLUMN("texts", TEXTS, ARRAY("\x19", "\1") "\xff\xff\xff\xff"), "a value with a NULL element" },
	{ COLUMN("ints", INT4S, "\0\0\0\2\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\1"),
	  "a value of more than one dimension" },
	{ COLUMN("ints", INT4S, "\xff\xff\xff\xff\0\0\0\0\0\0\0\x17"), "a value of more than one dimension" },
	{ COLUMN("ints", INT4S, ""), "a value whose bytes are malformed" },
	{ COLUMN("ints", INT4S, ARRAY("\x19", "\1") "\0\0\0\1x"), "a value whose bytes are malformed" },
	{ COLUMN("ints", INT4S, ARRAY("\x17", "\1") "\0\0\0\3\0\0\0"), "a value whose bytes are malformed" },
	{ COLUMN("ints", INT4S, ARRAY("\x17", "\1") "\0\0\0\4\0\0\0\1" "x"), "a value whose bytes are malformed" },
	{ COLUMN("ints", INT4S, EMPTY_ARRAY("\x17") "x"), "a value whose bytes are malformed" },
	{ COLUMN("texts", TEXTS, ARRAY("\x19", "\1") "\0\0\0\3hi"), "a value whose bytes are malformed" },
	{ COLUMN("texts", TEXTS, ARRAY("\x19", "\1") "\x7f\xff\xff\xffhi"), "a value whose bytes are malformed" },
	{ COLUMN("texts", TEXTS, ARRAY("\x19", "\1") "\xff\xff\xff\xfehi"), "a value whose bytes are malformed" },
	{ { "texts", TEXTS, "\0\0\0\1\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\0\0\0\1\0\0\0\0", 24 }, /* 2^32 - 1 elements */
	  "a value whose bytes are malformed" },
};

/* What is logged meanwhile goes to a file. */
static const char *log_of(struct column column)
{
	static char text[1024];
	FILE *file = tmpfile();
	struct rich rich;

	ck_assert(file && dup2(fileno(file), STDERR_FILENO) == STDERR_FILENO);
	ck_assert_int_eq(read_rich(column, &rich), LEAT_INTERNAL);
	rewind(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

/* One complaint a process: the log lets no more than one a second through. */
START_TEST(what_does_not_fit_says_so)
{
	const struct complaint *complaint = &complaints[_i];
	const char *log = log_of(complaint->column);

	ck_assert_msg(strstr(log, "for struct rich") && strstr(log, complaint->column.name) &&
			      strstr(log, complaint->says),
		      "expected '%s', the log has: %s", complaint->says, log);
}
END_TEST

/* Large values have a piece of memory of their own in libpq, so that a sanitizer sees a read past the end. */
START_TEST(an_array_cut_anywhere_is_never_read_past_its_end)
{
	enum { COUNT = 300, HEAD = 20, SIZE = HEAD + 8 * COUNT };
	static char bytes[SIZE] = "\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\1\x2c\0\0\0\1";
	struct rich rich;

	for (int i = 0; i < COUNT; i++)
		memcpy(bytes + HEAD + 8 * i, "\0\0\0\4text", 8);
	for (int len = 0; len < SIZE; len++)
		ck_assert_int_eq(read_rich((struct column){ "texts", TEXTS, bytes, len }, &rich), LEAT_INTERNAL);
	ck_assert_int_eq(read_rich((struct column){ "texts", TEXTS, bytes, SIZE }, &rich), LEAT_OK);
	ck_assert_uint_eq(rich.texts.count, COUNT);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("row");
	TCase *complaining;

	HARNESS_CASE_WITH(s, "what fits", set_up_arena, teardown, every_kind_is_read,
			  columns_are_found_by_name_in_any_order, texts_are_copies, a_short_float_is_widened,
			  no_row_is_not_found, what_is_absent_leaves_zero, an_empty_text_is_not_absent,
			  the_largest_value_fits, members_of_every_size_hold_their_limits, all_rows_become_a_list);
	HARNESS_CASE_WITH(s, "what does not fit", set_up_arena, teardown, null_in_a_required_field_is_internal,
			  a_required_field_without_a_column_is_internal, a_type_that_does_not_fit_is_internal,
			  a_kind_that_does_not_fit_is_internal, a_value_too_large_is_internal,
			  a_negative_value_in_an_unsigned_member_is_internal, a_value_of_the_wrong_length_is_internal,
			  one_bad_row_spoils_the_list);
	HARNESS_CASE_WITH(s, "other kinds", set_up_arena, teardown, bytes_are_read_whole, empty_bytes_are_not_absent,
			  times_count_from_1970, a_uuid_is_its_bytes, json_is_its_text_of_either_type,
			  integers_of_every_size_come_in_arrays, texts_of_every_type_come_in_arrays,
			  an_empty_array_is_not_absent, a_bool_tells_a_value_from_nothing);
	complaining = HARNESS_CASE(s, "complaints", an_array_cut_anywhere_is_never_read_past_its_end);
	tcase_add_loop_test(complaining, what_does_not_fit_says_so, 0, sizeof(complaints) / sizeof(complaints[0]));
	tcase_add_checked_fixture(complaining, set_up_arena, teardown);
	return s;
}
