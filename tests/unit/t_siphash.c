/* t_siphash.c - the hash against that of another implementation (CPython's of bytes, with a key of zeros), and of several texts. */
#include <string.h>

#include "base/siphash.h"
#include "tests/unit/harness.h"

static const uint64_t zeros[2], key[2] = { 1, 2 };

START_TEST(is_the_published_function)
{
	static const struct {
		const char *text;
		uint64_t hash;
	} cases[] = {
		{ "a", 0x407448d2b89b1813 },
		{ "1234567", 0xa33d651594fdae81 },
		{ "12345678", 0x3489982430560a87 },
		{ "123456789", 0x0fbc0f0007965fcf },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_uint_eq(siphash(zeros, 0, cases[i].text, strlen(cases[i].text)), cases[i].hash);
}
END_TEST

START_TEST(texts_have_their_bounds)
{
	uint64_t one = siphash(key, siphash(key, 0, "ab", 2), "c", 1);

	ck_assert_uint_ne(one, siphash(key, siphash(key, 0, "a", 1), "bc", 2));
	ck_assert_uint_ne(one, siphash(key, 0, "abc", 3));
	ck_assert_uint_ne(siphash(key, 0, "", 0), siphash(key, 0, "\0", 1));
	ck_assert_uint_ne(siphash(key, 0, NULL, 0), siphash(zeros, 0, NULL, 0));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("siphash");

	HARNESS_CASE(s, "hash", is_the_published_function, texts_have_their_bounds);
	return s;
}
