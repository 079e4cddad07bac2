/* t_number.c - decimal integers (base/number.h). */
#include "tests/unit/harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

START_TEST(what_is_written_is_what_printf_writes)
{
	static const int64_t numbers[] = { 0, 1, 9, 10, 99, 100, 101, 12345, -1, -10, -99, 999999999, INT32_MIN,
					   INT64_MAX, INT64_MIN, INT64_MIN + 1 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char expected[32], got[NUMBER_INT_MAX + 1];

		snprintf(expected, sizeof(expected), "%" PRId64, numbers[i]);
		got[number_write_int(got, numbers[i])] = '\0';
		ck_assert_str_eq(got, expected);
	}
}
END_TEST

START_TEST(the_largest_unsigned_number_fits)
{
	char got[NUMBER_INT_MAX + 1];

	got[number_write_uint(got, UINT64_MAX)] = '\0';
	ck_assert_str_eq(got, "18446744073709551615");
}
END_TEST

START_TEST(what_was_written_reads_back)
{
	static const int64_t numbers[] = { 0, 7, -7, 1000000007, INT64_MAX, INT64_MIN };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char text[NUMBER_INT_MAX];
		int64_t back;

		ck_assert(number_read_int((leat_text){ text, number_write_int(text, numbers[i]) }, &back));
		ck_assert_int_eq(back, numbers[i]);
	}
}
END_TEST

START_TEST(only_canonical_numbers_in_range_are_read)
{
	static const char *const refused[] = { "", "-", "+1", " 1", "1 ", "01", "-0", "00", "1.0", "1e2", "0x1", "9223372036854775808",
					       "-9223372036854775809", "99999999999999999999", "123456789012345678901", "1a" };

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int64_t value;

		ck_assert_msg(!number_read_int(leat_text_from(refused[i]), &value), "'%s' was read", refused[i]);
	}
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("number");

	HARNESS_CASE(s, "writing", what_is_written_is_what_printf_writes, the_largest_unsigned_number_fits);
	HARNESS_CASE(s, "reading", what_was_written_reads_back, only_canonical_numbers_in_range_are_read);
	return s;
}
