/* t_json_read.c - the JSON reader, mostly as tables: a document, and what comes of it.
 *
 * An outcome is "ok"; the detail of a syntax fault, "line 1, column 5: ..."; or the faults of shape, a line each:
 * "#/name must be a string". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/json_read.h"
#include "http/json_write.h"
#include "tests/unit/harness.h"

static struct arena_pool *pool;
static struct arena arena;

static void set_up(void)
{
	pool = arena_pool_new(0);
	arena_init(&arena, pool);
}

static void tear_down(void)
{
	arena_reset(&arena);
	arena_pool_free(pool);
}

static const char *outcome(leat_text document, const struct leat_shape *shape, void *value)
{
	struct problem problem;
	leat_text faults = LEAT_TEXT_OF("");
	char *copy = malloc(document.len + !document.len); /* of its own size: a sanitizer sees a read past the end */
	enum leat_result result;

	memcpy(copy, document.ptr, document.len);
	arena_on_reset(&arena, free, copy);
	result = json_read(&arena, (leat_text){ copy, document.len }, shape, value, &problem);
	if (result == LEAT_OK)
		return "ok";
	if (result == LEAT_BAD_REQUEST)
		return problem.detail.ptr;
	for (const struct fault *fault = problem.faults; fault; fault = fault->next)
		faults = arena_format(&arena, "%s%s%.*s %.*s", faults.ptr, faults.len ? "\n" : "",
				      LEAT_TEXT_PRINTF(fault->pointer), LEAT_TEXT_PRINTF(fault->detail));
	return faults.ptr;
}

struct reading {
	const char *document;
	const char *outcome;
};

static void check_readings(const struct leat_shape *shape, const struct reading *readings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *value = arena_alloc(&arena, shape->size);
		const char *given = outcome(leat_text_from(readings[i].document), shape, value);

		ck_assert_msg(strcmp(given, readings[i].outcome) == 0, "%s\n  gave:     %s\n  expected: %s",
			      readings[i].document, given, readings[i].outcome);
	}
}
#define CHECK_READINGS(shape, ...) \
	check_readings(shape, (const struct reading[]){ __VA_ARGS__ }, \
		       sizeof((const struct reading[]){ __VA_ARGS__ }) / sizeof(struct reading))

/* Documents -------------------------------------------------------------------------------------------------------- */

struct user {
	int64_t id;
	leat_text name;
	leat_text email;
};

static const struct leat_shape user_shape = LEAT_SHAPE(struct user,
	LEAT_INT(id),
	LEAT_TEXT(name, .min = 1, .max = 10),
	LEAT_TEXT(email, .format = LEAT_FORMAT_EMAIL, .optional = true));

START_TEST(fills_a_struct)
{
	struct user user;

	ck_assert_str_eq(
		outcome(LEAT_TEXT_OF("{\"id\":7,\"name\":\"Ada\",\"email\":\"ada@example.org\"}"), &user_shape, &user),
		"ok");
	ck_assert_int_eq(user.id, 7);
	ck_assert(leat_text_equal(user.name, LEAT_TEXT_OF("Ada")));
	ck_assert(leat_text_equal(user.email, LEAT_TEXT_OF("ada@example.org")));
}
END_TEST

START_TEST(takes_members_in_any_order)
{
	struct user user;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"name\":\"Ada\",\"id\":7}"), &user_shape, &user), "ok");
	ck_assert_int_eq(user.id, 7);
	ck_assert(leat_text_equal(user.name, LEAT_TEXT_OF("Ada")));
}
END_TEST

START_TEST(takes_keys_in_their_escaped_spelling)
{
	struct user user;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"\\u0069d\":7,\"n\\u0061me\":\"Ada\"}"), &user_shape, &user), "ok");
	ck_assert_int_eq(user.id, 7);
}
END_TEST

START_TEST(leaves_absent_and_null_members_zero)
{
	struct user user;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"id\":7,\"name\":\"Ada\"}"), &user_shape, &user), "ok");
	ck_assert_ptr_null(user.email.ptr);
	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"id\":7,\"name\":\"Ada\",\"email\":null}"), &user_shape, &user), "ok");
	ck_assert_ptr_null(user.email.ptr);
}
END_TEST

START_TEST(gives_texts_without_escapes_as_views)
{
	static const char document[] = "{\"id\":7,\"name\":\"Ada\"}";
	struct problem problem;
	struct user user;

	ck_assert_int_eq(json_read(&arena, leat_text_from(document), &user_shape, &user, &problem), LEAT_OK);
	ck_assert_ptr_eq(user.name.ptr, strstr(document, "Ada"));
	ck_assert_ptr_null(arena.blocks);
}
END_TEST

struct nothing {
	bool flag;
};

static const struct leat_shape nothing_shape = LEAT_SHAPE(struct nothing, LEAT_BOOL(flag, .optional = true));

/* RFC 8259 says what a document is; most of these are accepted by some parser in use. */
START_TEST(refuses_what_is_no_json)
{
	CHECK_READINGS(
		&nothing_shape, { "", "line 1, column 1: the document ends too early" },
		{ " \n ", "line 2, column 2: the document ends too early" },
		{ "{", "line 1, column 2: the document ends too early" },
		{ "{}x", "line 1, column 3: something follows the document" },
		{ "{} {}", "line 1, column 4: something follows the document" },
		{ "{},", "line 1, column 3: something follows the document" },
		{ "\xEF\xBB\xBF{}", "line 1, column 1: expected a value" },
		{ "{,}", "line 1, column 2: expected a key in quotes" },
		{ "{\"flag\":true,}", "line 1, column 14: expected a key in quotes" },
		{ "{\"flag\" true}", "line 1, column 9: expected ':'" },
		{ "{\"flag\":}", "line 1, column 9: expected a value" },
		{ "{\"flag\"}", "line 1, column 8: expected ':'" },
		{ "{\"flag\":true \"b\":1}", "line 1, column 14: expected ',' or '}'" },
		{ "{\"flag\":true]", "line 1, column 13: expected ',' or '}'" },
		{ "{\"flag\":true", "line 1, column 13: the document ends too early" },
		{ "{flag:true}", "line 1, column 2: expected a key in quotes" },
		{ "{'flag':true}", "line 1, column 2: expected a key in quotes" },
		{ "{1:true}", "line 1, column 2: expected a key in quotes" },
		{ "{null:true}", "line 1, column 2: expected a key in quotes" },
		{ "{\"flag\":TRUE}", "line 1, column 9: expected a value" },
		{ "{\"flag\":tru}", "line 1, column 9: expected a value" },
		{ "{\"flag\":truee}", "line 1, column 13: expected ',' or '}'" },
		{ "{\"flag\":nul}", "line 1, column 9: expected a value" },
		{ "{/* c */}", "line 1, column 2: expected a key in quotes" },
		{ "{} // c", "line 1, column 4: something follows the document" },
		{ "{\"a\":[1,2}", "line 1, column 10: expected ',' or ']'" },
		{ "[1,]", "line 1, column 4: expected a value" }, { "[,1]", "line 1, column 2: expected a value" },
		{ "[1 2]", "line 1, column 4: expected ',' or ']'" },
		{ "[1", "line 1, column 3: the document ends too early" },
		{ "]", "line 1, column 1: expected a value" }, { "{\f}", "line 1, column 2: expected a key in quotes" },
		{ "{\v}", "line 1, column 2: expected a key in quotes" },
		{ "{\xC2\xA0}", "line 1, column 2: expected a key in quotes" });
}
END_TEST

START_TEST(refuses_a_nul_outside_of_strings)
{
	struct nothing nothing;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{}\0"), &nothing_shape, &nothing),
			 "line 1, column 3: something follows the document");
	ck_assert_str_eq(outcome(LEAT_TEXT_OF("\0"), &nothing_shape, &nothing), "line 1, column 1: expected a value");
	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"flag\":true\0}"), &nothing_shape, &nothing),
			 "line 1, column 13: expected ',' or '}'");
}
END_TEST

START_TEST(takes_white_space_between_tokens)
{
	CHECK_READINGS(&nothing_shape, { " { } ", "ok" }, { "\t{\n\"flag\"\r:\ttrue\n}\r\n", "ok" });
}
END_TEST

START_TEST(counts_lines_and_characters)
{
	CHECK_READINGS(
		&user_shape, { "{\n\t\"id\": 7,\n\t\"name\": Ada\n}", "line 3, column 10: expected a value" },
		{ "{\"name\":\"\xE2\x82\xAC\xF0\x9F\x98\x80\",x}", "line 1, column 14: expected a key in quotes" });
}
END_TEST

START_TEST(wants_an_object_at_the_top)
{
	CHECK_READINGS(&nothing_shape, { "[]", "# must be an object" }, { "1", "# must be an object" },
		       { "-0.5e+10", "# must be an object" }, { "\"x\"", "# must be an object" },
		       { "null", "# must be an object" }, { "true", "# must be an object" },
		       { "[{\"a\":[1,\"x\",null,false,{}]}]", "# must be an object" });
}
END_TEST

static const char *nested(unsigned depth, const char *before, const char *open, const char *close)
{
	struct buffer out;

	buffer_init(&out, &arena, 16);
	buffer_text(&out, leat_text_from(before));
	for (unsigned i = 0; i < depth; i++)
		buffer_text(&out, leat_text_from(open));
	for (unsigned i = 0; i < depth; i++)
		buffer_text(&out, leat_text_from(close));
	buffer_text(&out, leat_text_from(*before ? "}" : ""));
	buffer_byte(&out, '\0');
	return out.data;
}

START_TEST(limits_nesting)
{
	CHECK_READINGS(&nothing_shape, { nested(64, "", "[", "]"), "# must be an object" },
		       { nested(65, "", "[", "]"), "line 1, column 65: nested too deep" },
		       { nested(63, "{\"a\":", "[", "]"), "#/a is not a known key" },
		       { nested(64, "{\"a\":", "[", "]"), "line 1, column 69: nested too deep" },
		       { nested(100000, "", "[", "]"), "line 1, column 65: nested too deep" },
		       { nested(100000, "", "{\"a\":", "}"), "line 1, column 321: nested too deep" });
}
END_TEST

struct tree {
	struct leat_list children;
};

static const struct leat_shape tree_shape;
static const struct leat_shape tree_shape = LEAT_SHAPE(struct tree, LEAT_LIST(children, &tree_shape, .optional = true));

START_TEST(limits_nesting_in_a_shape_that_holds_itself)
{
	CHECK_READINGS(&tree_shape, { nested(32, "", "{\"children\":[", "]}"), "ok" },
		       { nested(33, "", "{\"children\":[", "]}"), "line 1, column 417: nested too deep" });
}
END_TEST

START_TEST(refuses_a_key_that_comes_twice)
{
	CHECK_READINGS(&user_shape, { "{\"id\":1,\"name\":\"a\",\"id\":1}", "#/id is given twice" },
		       { "{\"id\":1,\"name\":\"a\",\"\\u0069d\":2}", "#/id is given twice" },
		       { "{\"id\":1,\"id\":2,\"id\":3,\"name\":\"a\"}", "#/id is given twice\n#/id is given twice" },
		       { "{\"id\":1,\"name\":\"a\",\"email\":null,\"email\":null}", "#/email is given twice" });
}
END_TEST

START_TEST(refuses_a_key_that_it_does_not_know)
{
	CHECK_READINGS(
		&user_shape, { "{\"id\":1,\"name\":\"a\",\"age\":5}", "#/age is not a known key" },
		{ "{\"ID\":1,\"id\":1,\"name\":\"a\"}", "#/ID is not a known key" },
		{ "{\"\":1,\"id\":1,\"name\":\"a\"}", "#/ is not a known key" },
		{ "{\"i\":1,\"id\":1,\"name\":\"a\"}", "#/i is not a known key" },
		{ "{\"id\\u0000x\":1,\"id\":1,\"name\":\"a\"}", "#/id%00x is not a known key" },
		{ "{\"a/b~c d%\\u00e9\\\"\":1,\"id\":1,\"name\":\"a\"}",
		  "#/a~1b~0c%20d%25%C3%A9%22 is not a known key" },
		{ "{\"0123456789012345678901234567890123456789012345678901234567890123\":1,\"id\":1,\"name\":\"a\"}",
		  "#/0123456789012345678901234567890123456789012345678901234567890123 is not a known key" },
		{ "{\"01234567890123456789012345678901234567890123456789012345678901234\":1,\"id\":1,\"name\":\"a\"}",
		  "# has an unknown key that is very long" });
}
END_TEST

START_TEST(names_what_is_missing)
{
	CHECK_READINGS(&user_shape, { "{}", "#/id is required\n#/name is required" },
		       { "{\"id\":1}", "#/name is required" });
}
END_TEST

START_TEST(lists_every_fault_of_a_document)
{
	CHECK_READINGS(&user_shape,
		       { "{\"id\":\"7\",\"name\":\"\",\"email\":\"ada\",\"age\":[1,{}],\"id\":null}",
			 "#/id must be an integer\n#/name must have from 1 to 10 characters\n"
			 "#/email must be an e-mail address\n#/age is not a known key\n#/id is given twice\n"
			 "#/id must not be null" });
}
END_TEST

START_TEST(lets_a_syntax_fault_go_before_all_others)
{
	CHECK_READINGS(&user_shape, { "{\"id\":\"7\",\"name\":\"\",}", "line 1, column 21: expected a key in quotes" });
}
END_TEST

START_TEST(stops_listing_after_a_while)
{
	struct buffer out;
	struct problem problem;
	struct nothing nothing;
	unsigned count = 0;

	buffer_init(&out, &arena, 16);
	for (int i = 0; i < 1000; i++)
		buffer_format(&out, "%c\"k%d\":0", i ? ',' : '{', i);
	buffer_byte(&out, '}');
	ck_assert_int_eq(json_read(&arena, buffer_as_text(&out), &nothing_shape, &nothing, &problem), LEAT_INVALID);
	for (const struct fault *fault = problem.faults; fault; fault = fault->next)
		count++;
	ck_assert_uint_eq(count, PROBLEM_FAULTS_MAX + 1);
}
END_TEST

/* Numbers -------------------------------------------------------------------------------------------------------- */

struct integers {
	int8_t i8;
	uint8_t u8;
	int16_t i16;
	uint16_t u16;
	int32_t i32;
	uint32_t u32;
	int64_t i64;
	uint64_t u64;
	int64_t limited;
	uint64_t from;
};

static const struct leat_shape integers_shape = LEAT_SHAPE(struct integers,
	LEAT_INT(i8, .optional = true),
	LEAT_INT(u8, .optional = true),
	LEAT_INT(i16, .optional = true),
	LEAT_INT(u16, .optional = true),
	LEAT_INT(i32, .optional = true),
	LEAT_INT(u32, .optional = true),
	LEAT_INT(i64, .optional = true),
	LEAT_INT(u64, .optional = true),
	LEAT_INT(limited, .min = -5, .max = 100, .optional = true),
	LEAT_INT(from, .min = 10, .optional = true));

START_TEST(reads_integers_exactly_at_their_bounds)
{
	struct integers n;

	ck_assert_str_eq(
		outcome(LEAT_TEXT_OF("{\"i8\":-128,\"u8\":255,\"i16\":-32768,\"u16\":65535,\"i32\":-2147483648,"
				     "\"u32\":4294967295,\"i64\":-9223372036854775808,\"u64\":18446744073709551615}"),
			&integers_shape, &n),
		"ok");
	ck_assert_int_eq(n.i8, INT8_MIN);
	ck_assert_int_eq(n.u8, UINT8_MAX);
	ck_assert_int_eq(n.i16, INT16_MIN);
	ck_assert_int_eq(n.u16, UINT16_MAX);
	ck_assert_int_eq(n.i32, INT32_MIN);
	ck_assert_uint_eq(n.u32, UINT32_MAX);
	ck_assert_int_eq(n.i64, INT64_MIN);
	ck_assert_uint_eq(n.u64, UINT64_MAX);
	ck_assert_str_eq(
		outcome(LEAT_TEXT_OF("{\"i8\":127,\"u8\":0,\"i64\":9223372036854775807}"), &integers_shape, &n), "ok");
	ck_assert_int_eq(n.i8, INT8_MAX);
	ck_assert_int_eq(n.i64, INT64_MAX);
}
END_TEST

START_TEST(refuses_integers_beyond_their_type)
{
	CHECK_READINGS(
		&integers_shape, { "{\"i8\":128}", "#/i8 must be from -128 to 127" },
		{ "{\"i8\":-129}", "#/i8 must be from -128 to 127" }, { "{\"u8\":256}", "#/u8 must be from 0 to 255" },
		{ "{\"u8\":-1}", "#/u8 must be from 0 to 255" },
		{ "{\"i16\":32768}", "#/i16 must be from -32768 to 32767" },
		{ "{\"u32\":4294967296}", "#/u32 must be from 0 to 4294967295" },
		{ "{\"i64\":9223372036854775808}", "#/i64 must be from -9223372036854775808 to 9223372036854775807" },
		{ "{\"u64\":18446744073709551616}", "#/u64 must be from 0 to 18446744073709551615" },
		{ "{\"u64\":99999999999999999999999}", "#/u64 must be from 0 to 18446744073709551615" },
		{ "{\"u64\":-1}", "#/u64 must be from 0 to 18446744073709551615" });
}
END_TEST

START_TEST(refuses_integers_beyond_their_limits)
{
	CHECK_READINGS(&integers_shape, { "{\"limited\":-5}", "ok" }, { "{\"limited\":100}", "ok" },
		       { "{\"limited\":-6}", "#/limited must be from -5 to 100" },
		       { "{\"limited\":101}", "#/limited must be from -5 to 100" },
		       { "{\"limited\":99999999999999999999}", "#/limited must be from -5 to 100" },
		       { "{\"from\":10}", "ok" }, { "{\"from\":18446744073709551615}", "ok" },
		       { "{\"from\":9}", "#/from must be at least 10" },
		       { "{\"from\":-1}", "#/from must be at least 10" });
}
END_TEST

START_TEST(takes_only_integers_for_integers)
{
	CHECK_READINGS(&integers_shape, { "{\"i64\":1.0}", "#/i64 must be an integer" },
		       { "{\"i64\":1e2}", "#/i64 must be an integer" }, { "{\"i64\":1E0}", "#/i64 must be an integer" },
		       { "{\"i64\":\"1\"}", "#/i64 must be an integer" },
		       { "{\"i64\":true}", "#/i64 must be an integer" },
		       { "{\"i64\":[1]}", "#/i64 must be an integer" });
}
END_TEST

START_TEST(reads_minus_zero_as_zero)
{
	struct integers n;

	ck_assert_str_eq(outcome(LEAT_TEXT_OF("{\"i64\":-0,\"u64\":-0}"), &integers_shape, &n), "ok");
	ck_assert_int_eq(n.i64, 0);
	ck_assert_uint_eq(n.u64, 0);
}
END_TEST

struct number {
	double n;
};

static const struct leat_shape number_shape = LEAT_SHAPE(struct number, LEAT_FLOAT(n));
static const struct leat_shape percent_shape = LEAT_SHAPE(struct number, LEAT_FLOAT(n, .min = 0, .max = 100));

START_TEST(refuses_numbers_that_json_does_not_have)
{
	CHECK_READINGS(&number_shape, { "{\"n\":01}", "line 1, column 6: a number has a leading zero" },
		       { "{\"n\":-01}", "line 1, column 7: a number has a leading zero" },
		       { "{\"n\":+1}", "line 1, column 6: expected a value" },
		       { "{\"n\":-}", "line 1, column 7: expected a digit" },
		       { "{\"n\":.5}", "line 1, column 6: expected a value" },
		       { "{\"n\":-.5}", "line 1, column 7: expected a digit" },
		       { "{\"n\":1.}", "line 1, column 8: expected a digit" },
		       { "{\"n\":1.e1}", "line 1, column 8: expected a digit" },
		       { "{\"n\":1e}", "line 1, column 8: expected a digit" },
		       { "{\"n\":1e+}", "line 1, column 9: expected a digit" },
		       { "{\"n\":1ee1}", "line 1, column 8: expected a digit" },
		       { "{\"n\":0x10}", "line 1, column 7: expected ',' or '}'" },
		       { "{\"n\":1_000}", "line 1, column 7: expected ',' or '}'" },
		       { "{\"n\":1 000}", "line 1, column 8: expected ',' or '}'" },
		       { "{\"n\":NaN}", "line 1, column 6: expected a value" },
		       { "{\"n\":nan}", "line 1, column 6: expected a value" },
		       { "{\"n\":Infinity}", "line 1, column 6: expected a value" },
		       { "{\"n\":-Infinity}", "line 1, column 7: expected a digit" },
		       { "{\"n\":1", "line 1, column 7: the document ends too early" },
		       { "{\"n\":\xEF\xBC\x91}", "line 1, column 6: expected a value" });
}
END_TEST

static double read_double(const char *digits)
{
	struct number number;
	leat_text document = arena_format(&arena, "{\"n\":%s}", digits);

	ck_assert_str_eq(outcome(document, &number_shape, &number), "ok");
	return number.n;
}

START_TEST(reads_doubles_correctly_rounded)
{
	static const char *const numbers[] = {
		"0",
		"-0",
		"0.0",
		"1",
		"-1.5",
		"0.1",
		"1e22",
		"1E+2",
		"1e-2",
		"1e23",
		"5e-324",
		"2.2250738585072011e-308", /* hung parsers once */
		"1.7976931348623157e308",
		"9007199254740993",
		"0.30000000000000004",
		"123456789012345678901234567890",
		"3.14159265358979323846264338327950288419716939937510582097494459230781640628",
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		double expected = strtod(numbers[i], NULL);
		double given = read_double(numbers[i]);

		ck_assert_msg(memcmp(&given, &expected, sizeof(given)) == 0, "%s", numbers[i]);
	}
	ck_assert(signbit(read_double("-0")));
	ck_assert(read_double("1e-400") == 0);
	ck_assert(read_double("9007199254740993") == 9007199254740992.0);
}
END_TEST

START_TEST(refuses_doubles_beyond_their_range_and_limits)
{
	CHECK_READINGS(&number_shape, { "{\"n\":1e309}", "#/n is beyond the range of a double" },
		       { "{\"n\":-1e999999999999999999999}", "#/n is beyond the range of a double" },
		       { "{\"n\":\"1\"}", "#/n must be a number" });
	CHECK_READINGS(&percent_shape, { "{\"n\":100}", "ok" }, { "{\"n\":0.0}", "ok" },
		       { "{\"n\":100.0000001}", "#/n must be from 0 to 100" },
		       { "{\"n\":-1e-9}", "#/n must be from 0 to 100" });
}
END_TEST

/* Texts ---------------------------------------------------------------------------------------------------------- */

struct note {
	leat_text t;
};

static const struct leat_shape note_shape = LEAT_SHAPE(struct note, LEAT_TEXT(t));

struct spelling {
	leat_text in_json; /* between the quotes */
	leat_text text;
};

START_TEST(decodes_escapes)
{
	static const struct spelling spellings[] = {
		{ LEAT_TEXT_OF(""), LEAT_TEXT_OF("") },
		{ LEAT_TEXT_OF("\\\"\\\\\\/\\b\\f\\n\\r\\t"), LEAT_TEXT_OF("\"\\/\b\f\n\r\t") },
		{ LEAT_TEXT_OF("\\u0041\\u00e9\\u20AC"), LEAT_TEXT_OF("A\xC3\xA9\xE2\x82\xAC") },
		{ LEAT_TEXT_OF("\\ud83d\\ude00"), LEAT_TEXT_OF("\xF0\x9F\x98\x80") },
		{ LEAT_TEXT_OF("\\uDBFF\\uDFFF"), LEAT_TEXT_OF("\xF4\x8F\xBF\xBF") },
		{ LEAT_TEXT_OF("\\uFFFF"), LEAT_TEXT_OF("\xEF\xBF\xBF") },
		{ LEAT_TEXT_OF("\\u0001"), LEAT_TEXT_OF("\x01") },
		{ LEAT_TEXT_OF("\\\\u0041"), LEAT_TEXT_OF("\\u0041") },
		{ LEAT_TEXT_OF("before \\n between \\t behind"), LEAT_TEXT_OF("before \n between \t behind") },
		{ LEAT_TEXT_OF("caf\xC3\xA9 \x7f"), LEAT_TEXT_OF("caf\xC3\xA9 \x7f") },
	};

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		leat_text document = arena_format(&arena, "{\"t\":\"%s\"}", spellings[i].in_json.ptr);
		struct note note;

		ck_assert_str_eq(outcome(document, &note_shape, &note), "ok");
		ck_assert_msg(leat_text_equal(note.t, spellings[i].text), "%s", spellings[i].in_json.ptr);
	}
}
END_TEST

START_TEST(refuses_strings_that_json_does_not_have)
{
	CHECK_READINGS(&note_shape, { "{\"t\":\"", "line 1, column 7: the document ends too early" },
		       { "{\"t\":\"abcdefghij", "line 1, column 17: the document ends too early" },
		       { "{\"t\":\"a\nb\"}", "line 1, column 8: a control character in a string must be escaped" },
		       { "{\"t\":\"a\tb\"}", "line 1, column 8: a control character in a string must be escaped" },
		       { "{\"t\":\"\x1f\"}", "line 1, column 7: a control character in a string must be escaped" },
		       { "{\"t\":\"\\x41\"}", "line 1, column 7: no such escape" },
		       { "{\"t\":\"\\'\"}", "line 1, column 7: no such escape" },
		       { "{\"t\":\"\\\xC3\xA9\"}", "line 1, column 7: no such escape" },
		       { "{\"t\":\"\\", "line 1, column 7: no such escape" },
		       { "{\"t\":\"\\u\"}", "line 1, column 7: '\\u' wants four hexadecimal digits" },
		       { "{\"t\":\"\\u12\"}", "line 1, column 7: '\\u' wants four hexadecimal digits" },
		       { "{\"t\":\"\\u123", "line 1, column 7: '\\u' wants four hexadecimal digits" },
		       { "{\"t\":\"\\u12G4\"}", "line 1, column 7: '\\u' wants four hexadecimal digits" },
		       { "{\"t\":\"\\U0041\"}", "line 1, column 7: no such escape" },
		       { "{\"t\":'a'}", "line 1, column 6: expected a value" });
}
END_TEST

START_TEST(refuses_half_a_surrogate_pair)
{
	CHECK_READINGS(&note_shape, { "{\"t\":\"\\ud800\"}", "line 1, column 7: half a surrogate pair" },
		       { "{\"t\":\"\\udc00\"}", "line 1, column 7: half a surrogate pair" },
		       { "{\"t\":\"\\ude00\\ud83d\"}", "line 1, column 7: half a surrogate pair" },
		       { "{\"t\":\"\\ud800\\ud800\"}", "line 1, column 7: half a surrogate pair" },
		       { "{\"t\":\"\\ud800\\n\"}", "line 1, column 7: half a surrogate pair" },
		       { "{\"t\":\"\\ud800\\u\"}", "line 1, column 7: half a surrogate pair" },
		       { "{\"t\":\"\\ud800\\ud", "line 1, column 7: half a surrogate pair" },
		       { "{\"\\ud800\":1}", "line 1, column 3: half a surrogate pair" });
}
END_TEST

START_TEST(refuses_what_is_not_utf8)
{
	CHECK_READINGS(&note_shape, { "{\"t\":\"\xFF\"}", "line 1, column 7: not UTF-8" },
		       { "{\"t\":\"\xC0\xAF\"}", "line 1, column 7: not UTF-8" },
		       { "{\"t\":\"\xED\xA0\x80\"}", "line 1, column 7: not UTF-8" },
		       { "{\"t\":\"\xF4\x90\x80\x80\"}", "line 1, column 7: not UTF-8" },
		       { "{\"t\":\"caf\xC3\"}", "line 1, column 10: not UTF-8" },
		       { "{\"t\":\"\xE9\"}", "line 1, column 7: not UTF-8" },
		       { "{\"\xFF\":1}", "line 1, column 3: not UTF-8" },
		       { "{\"x\":[\"\xFF\"]}", "line 1, column 8: not UTF-8" });
}
END_TEST

START_TEST(refuses_nul_in_a_text)
{
	CHECK_READINGS(&note_shape, { "{\"t\":\"a\\u0000b\"}", "#/t must not hold U+0000" });
}
END_TEST

START_TEST(counts_characters_not_bytes)
{
	CHECK_READINGS(&user_shape,
		       { "{\"id\":1,\"name\":\"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
			 "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\"}",
			 "ok" },
		       { "{\"id\":1,\"name\":\"12345678901\"}", "#/name must have from 1 to 10 characters" },
		       { "{\"id\":1,\"name\":\"\\u20ac234567890\"}", "ok" });
}
END_TEST

struct address {
	leat_text email;
	bool is_valid;
};

/* https://html.spec.whatwg.org/#valid-e-mail-address */
START_TEST(takes_the_html_standards_email_addresses)
{
	static const struct address addresses[] = {
		{ LEAT_TEXT_OF("a@b"), true },
		{ LEAT_TEXT_OF("ada.lovelace+x@mail.example.org"), true },
		{ LEAT_TEXT_OF("!#$%&'*+/=?^_`{|}~-.@b"), true },
		{ LEAT_TEXT_OF(".a..b.@c"), true },
		{ LEAT_TEXT_OF("a@b-c.d9"), true },
		{ LEAT_TEXT_OF("a@123456789012345678901234567890123456789012345678901234567890123"), true },
		{ LEAT_TEXT_OF("a@1234567890123456789012345678901234567890123456789012345678901234"), false },
		{ LEAT_TEXT_OF(""), false },
		{ LEAT_TEXT_OF("a"), false },
		{ LEAT_TEXT_OF("@b"), false },
		{ LEAT_TEXT_OF("a@"), false },
		{ LEAT_TEXT_OF("a@b@c"), false },
		{ LEAT_TEXT_OF("a b@c"), false },
		{ LEAT_TEXT_OF("a@b c"), false },
		{ LEAT_TEXT_OF("a@.b"), false },
		{ LEAT_TEXT_OF("a@b."), false },
		{ LEAT_TEXT_OF("a@b..c"), false },
		{ LEAT_TEXT_OF("a@-b"), false },
		{ LEAT_TEXT_OF("a@b-"), false },
		{ LEAT_TEXT_OF("a@b_c"), false },
		{ LEAT_TEXT_OF("(a)@b"), false },
		{ LEAT_TEXT_OF("\xC3\xA9@b"), false },
		{ LEAT_TEXT_OF("a@\xC3\xA9"), false },
	};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct user user;
		leat_text document = arena_format(&arena, "{\"id\":1,\"name\":\"a\",\"email\":\"%s\"}",
						  addresses[i].email.ptr);

		ck_assert_msg(strcmp(outcome(document, &user_shape, &user),
				     addresses[i].is_valid ? "ok" : "#/email must be an e-mail address") == 0,
			      "%s", addresses[i].email.ptr);
	}
}
END_TEST

/* Bytes, times, UUIDs ---------------------------------------------------------------------------------------------- */

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
	CHECK_READINGS(&file_shape, { "{\"data\":\"AAAA\"}", "ok" }, { "{\"data\":\"AAAAAA==\"}", "ok" },
		       { "{\"data\":\"AAAAAAA=\"}", "#/data must have from 0 to 4 bytes" },
		       { "{\"data\":\"AAA\"}", "#/data must be base64" },
		       { "{\"data\":\"AAB=\"}", "#/data must be base64" },
		       { "{\"data\":\"AA A\"}", "#/data must be base64" },
		       { "{\"data\":\"__-_\"}", "#/data must be base64" },
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

/* JSON and arrays -------------------------------------------------------------------------------------------------- */

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
	static const char *const values[] = { "{}", "[]", "0", "-1.5e3", "\"\\u00e9\"", "true", "false",
					      "{ \"a\" : [1,\t{\"b\":null}] }" };

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
	CHECK_READINGS(&bag_shape, { "{\"any\":{\"a\":01}}", "line 1, column 13: a number has a leading zero" },
		       { "{\"any\":[1,]}", "line 1, column 11: expected a value" },
		       { "{\"any\":\"\xff\"}", "line 1, column 9: not UTF-8" },
		       { "{\"any\":nope}", "line 1, column 8: expected a value" },
		       { "{\"any\":}", "line 1, column 8: expected a value" },
		       { "{\"any\":[\"a\\u0000\"]}", "#/any must not hold U+0000" },
		       { "{\"any\":{\"\\u0000\":1}}", "#/any must not hold U+0000" },
		       { "{\"other\":\"\\u0000\",\"any\":1}", "#/other is not a known key" },
		       { "{\"any\":\"0123456789012345678901234567890123456789\"}",
			 "#/any must have from 0 to 40 bytes" },
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

/* What is absent --------------------------------------------------------------------------------------------------- */

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

/* Objects and lists ------------------------------------------------------------------------------------------------ */

struct team {
	struct user lead;
	struct leat_list members;
	bool is_open;
};

static const struct leat_shape team_shape = LEAT_SHAPE(struct team,
	LEAT_OBJECT(lead, &user_shape, .optional = true),
	LEAT_LIST(members, &user_shape, .min = 1, .max = 100),
	LEAT_BOOL(is_open));

START_TEST(fills_objects_and_lists)
{
	struct team team;
	const struct user *members;

	ck_assert_str_eq(
		outcome(LEAT_TEXT_OF("{\"lead\":{\"id\":1,\"name\":\"a\"},\"members\":[{\"id\":2,\"name\":\"b\"},"
				     "{\"name\":\"\\u0063\",\"id\":3}],\"is_open\":true}"),
			&team_shape, &team),
		"ok");
	members = team.members.items;
	ck_assert_int_eq(team.lead.id, 1);
	ck_assert_uint_eq(team.members.count, 2);
	ck_assert_int_eq(members[1].id, 3);
	ck_assert(leat_text_equal(members[1].name, LEAT_TEXT_OF("c")));
	ck_assert(team.is_open);
}
END_TEST

START_TEST(grows_a_list_and_keeps_its_items)
{
	struct buffer out;
	struct team team;

	buffer_init(&out, &arena, 16);
	buffer_text(&out, LEAT_TEXT_OF("{\"is_open\":false,\"members\":["));
	for (int i = 0; i < 100; i++)
		buffer_format(&out, "%s{\"id\":%d,\"name\":\"\\u0061%d\"}", i ? "," : "", i, i);
	buffer_text(&out, LEAT_TEXT_OF("]}"));
	ck_assert_str_eq(outcome(buffer_as_text(&out), &team_shape, &team), "ok");
	ck_assert_uint_eq(team.members.count, 100);
	for (int i = 0; i < 100; i++) {
		const struct user *member = (const struct user *)team.members.items + i;

		ck_assert_int_eq(member->id, i);
		ck_assert(leat_text_equal(member->name, arena_format(&arena, "a%d", i)));
	}
}
END_TEST

START_TEST(points_into_objects_and_lists)
{
	CHECK_READINGS(
		&team_shape,
		{ "{\"lead\":{\"id\":1},\"members\":[{\"id\":1,\"name\":\"a\"},{\"id\":\"x\",\"nick\":1},7],\"is_"
		  "open\":1}",
		  "#/lead/name is required\n#/members/1/id must be an integer\n#/members/1/nick is not a known key\n"
		  "#/members/1/name is required\n#/members/2 must be an object\n#/is_open must be true or false" },
		{ "{\"lead\":[],\"members\":{},\"is_open\":null}",
		  "#/lead must be an object\n#/members must be an array\n#/is_open must not be null" },
		{ "{\"lead\":null,\"members\":[],\"is_open\":true}", "#/members must have from 1 to 100 items" });
}
END_TEST

START_TEST(refuses_a_list_that_is_too_long)
{
	struct buffer out;
	struct team team;

	buffer_init(&out, &arena, 16);
	buffer_text(&out, LEAT_TEXT_OF("{\"is_open\":false,\"members\":[{\"id\":1,\"name\":\"a\"}"));
	for (int i = 0; i < 100; i++)
		buffer_text(&out, LEAT_TEXT_OF(",{\"id\":1,\"name\":\"a\"}"));
	buffer_text(&out, LEAT_TEXT_OF("]}"));
	ck_assert_str_eq(outcome(buffer_as_text(&out), &team_shape, &team), "#/members must have from 1 to 100 items");
}
END_TEST

static size_t bytes_of(const struct arena *used)
{
	return used->blocks ? (size_t)(used->at - (char *)used->blocks) : 0;
}

/* A megabyte of items that are all wrong must not become a hundred megabytes of structs. */
START_TEST(keeps_no_items_once_there_is_a_fault)
{
	static char document[1 << 20];
	struct problem problem;
	struct team team;
	int len = sprintf(document, "{\"members\":[0");

	while (len < (1 << 20) - 8)
		len += sprintf(document + len, ",{}");
	len += sprintf(document + len, "]}");
	ck_assert_int_eq(json_read(&arena, (leat_text){ document, (size_t)len }, &team_shape, &team, &problem),
			 LEAT_INVALID);
	ck_assert_uint_lt(bytes_of(&arena), 64 * 1024);
}
END_TEST

/* Round trips ---------------------------------------------------------------------------------------------------- */

START_TEST(writes_back_what_it_has_read)
{
	static const char document[] = "{\"lead\":{\"id\":1,\"name\":\"a\",\"email\":\"a@b\"},\"members\":[{\"id\":2,"
				       "\"name\":\"caf\xC3\xA9 \\\"\\n\",\"email\":null}],\"is_open\":true}";
	struct buffer out;
	struct team team;

	ck_assert_str_eq(outcome(leat_text_from(document), &team_shape, &team), "ok");
	buffer_init(&out, &arena, 16);
	json_write_shape(&out, &team_shape, &team);
	buffer_byte(&out, '\0');
	ck_assert_str_eq(out.data, document);
}
END_TEST

START_TEST(takes_every_cut_of_a_document_for_no_json)
{
	static const char document[] = "{\"id\":-12,\"name\":\"\\u00e9\\ud83d\\ude00\xC3\xA9\",\"email\":\"a@b\"}";
	struct problem problem;
	struct user user;

	for (size_t len = 0; len < sizeof(document) - 1; len++) {
		char *cut = arena_copy(&arena, document, len);

		ck_assert_int_eq(json_read(&arena, (leat_text){ cut, len }, &user_shape, &user, &problem),
				 LEAT_BAD_REQUEST);
	}
	ck_assert_int_eq(json_read(&arena, (leat_text){ NULL, 0 }, &user_shape, &user, &problem), LEAT_BAD_REQUEST);
	ck_assert_str_eq(outcome(leat_text_from(document), &user_shape, &user), "ok");
}
END_TEST

static TCase *with_arena(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	return tcase;
}

Suite *suite(void)
{
	Suite *s = suite_create("json_read");

	with_arena(HARNESS_CASE(s, "documents", fills_a_struct, takes_members_in_any_order,
				takes_keys_in_their_escaped_spelling, leaves_absent_and_null_members_zero,
				gives_texts_without_escapes_as_views, refuses_what_is_no_json,
				refuses_a_nul_outside_of_strings, takes_white_space_between_tokens,
				counts_lines_and_characters, wants_an_object_at_the_top));
	with_arena(HARNESS_CASE(s, "limits", limits_nesting, limits_nesting_in_a_shape_that_holds_itself));
	with_arena(HARNESS_CASE(s, "faults", refuses_a_key_that_comes_twice, refuses_a_key_that_it_does_not_know,
				names_what_is_missing, lists_every_fault_of_a_document,
				lets_a_syntax_fault_go_before_all_others, stops_listing_after_a_while));
	with_arena(HARNESS_CASE(s, "integers", reads_integers_exactly_at_their_bounds,
				refuses_integers_beyond_their_type, refuses_integers_beyond_their_limits,
				takes_only_integers_for_integers, reads_minus_zero_as_zero));
	with_arena(HARNESS_CASE(s, "doubles", refuses_numbers_that_json_does_not_have, reads_doubles_correctly_rounded,
				refuses_doubles_beyond_their_range_and_limits));
	with_arena(HARNESS_CASE(s, "texts", decodes_escapes, refuses_strings_that_json_does_not_have,
				refuses_half_a_surrogate_pair, refuses_what_is_not_utf8, refuses_nul_in_a_text,
				counts_characters_not_bytes, takes_the_html_standards_email_addresses));
	with_arena(HARNESS_CASE(s, "bytes, times, UUIDs", reads_bytes_times_and_uuids,
				leaves_empty_bytes_there_and_absent_ones_away, refuses_what_is_no_base64,
				refuses_times_that_do_not_exist, refuses_what_is_no_uuid));
	with_arena(HARNESS_CASE(s, "JSON and arrays", keeps_the_text_of_json, takes_null_for_no_json_at_all,
				checks_json_that_it_keeps, reads_arrays, leaves_empty_arrays_there_and_absent_ones_away,
				grows_an_array_and_keeps_its_items, points_into_arrays));
	with_arena(HARNESS_CASE(s, "what is absent", a_bool_tells_a_value_from_nothing));
	with_arena(HARNESS_CASE(s, "objects and lists", fills_objects_and_lists, grows_a_list_and_keeps_its_items,
				points_into_objects_and_lists, refuses_a_list_that_is_too_long,
				keeps_no_items_once_there_is_a_fault));
	with_arena(HARNESS_CASE(s, "round trips", writes_back_what_it_has_read,
				takes_every_cut_of_a_document_for_no_json));
	return s;
}
