/* t_json_read_numbers.c - the JSON reader: integers and doubles. */
#include <math.h>

#include "tests/unit/json_reading.h"

/* Integers -------------------------------------------------------------------------------------------------------- */

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

/* Doubles --------------------------------------------------------------------------------------------------------- */

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

Suite *suite(void)
{
	Suite *s = suite_create("json_read_numbers");

	ARENA_CASE(s, "integers", reads_integers_exactly_at_their_bounds, refuses_integers_beyond_their_type,
		   refuses_integers_beyond_their_limits, takes_only_integers_for_integers, reads_minus_zero_as_zero);
	ARENA_CASE(s, "doubles", refuses_numbers_that_json_does_not_have, reads_doubles_correctly_rounded,
		   refuses_doubles_beyond_their_range_and_limits);
	return s;
}
