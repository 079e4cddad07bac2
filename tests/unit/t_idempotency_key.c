/* t_idempotency_key.c - what is a key, and digests that no other texts share. */
#include <leat/idempotency.h>
#include <string.h>

#include "http/idempotency_key.h"
#include "tests/unit/arena_stand.h"
#include "tests/unit/harness.h"

static const char *read_key(const char *header, leat_text *ret_key)
{
	return idempotency_key_read(leat_text_from(header), &arena, ret_key);
}

static const struct {
	const char *header, *key;
} good[] = {
	{ "8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324" },
	{ "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324" },
	{ " \t\"a b, c; d\" ", "a b, c; d" },
	{ "\"a \\\"quote\\\" and \\\\\"", "a \"quote\" and \\" },
	{ "AbC+/=_-.:~", "AbC+/=_-.:~" },
	{ "\" \"", " " },
};

START_TEST(strings_and_bare_words_are_keys)
{
	leat_text key;

	ck_assert_ptr_null(read_key(good[_i].header, &key));
	ck_assert_int_eq(leat_text_equal(key, leat_text_from(good[_i].key)), 1);
}
END_TEST

static const char *const bad[] = {
	"",      " ",    "\"\"",         "\"",        "\"a",       "a\"",     "a b",      "a,b",
	"a;b",   "a\\b", "\"a\", \"b\"", "\"a\"b\"",  "\"a\";b=1", "\"a\\\"", "\"a\\b\"", "\"a\tb\"",
	"\"ä\"", "ä",    "a\x7f",        "\"a\x01\"", "\x80",
};

START_TEST(anything_else_is_none)
{
	leat_text key;

	ck_assert_ptr_nonnull(read_key(bad[_i], &key));
}
END_TEST

/* 'len' characters between what stands before and behind them. */
static const char *long_header(const char *before, size_t len, const char *behind)
{
	static char header[2000];

	memset(header, 0, sizeof(header));
	strcpy(header, before);
	memset(header + strlen(header), 'k', len);
	strcat(header, behind);
	return header;
}

START_TEST(a_key_has_255_characters_at_most)
{
	leat_text key;

	ck_assert_ptr_null(read_key(long_header("", 255, ""), &key));
	ck_assert_ptr_null(read_key(long_header("\"", 255, "\""), &key));
	ck_assert_ptr_null(read_key(long_header("\"\\\"", 254, "\""), &key));
	ck_assert_uint_eq(key.len, 255);
	ck_assert_ptr_nonnull(read_key(long_header("", 256, ""), &key));
	ck_assert_ptr_nonnull(read_key(long_header("\"", 256, "\""), &key));
	ck_assert_ptr_nonnull(read_key(long_header("", 1900, ""), &key));
}
END_TEST

static void digest_two(const char *a, const char *b, uint8_t out[CRYPTO_SHA256_SIZE])
{
	const leat_text texts[] = { leat_text_from(a), leat_text_from(b) };

	ck_assert(idempotency_digest(texts, 2, &arena, out));
}

START_TEST(texts_do_not_run_into_each_other)
{
	uint8_t one[CRYPTO_SHA256_SIZE], two[CRYPTO_SHA256_SIZE];

	digest_two("ab", "c", one);
	digest_two("a", "bc", two);
	ck_assert_mem_ne(one, two, sizeof(one));
	digest_two("", "1:a", two);
	digest_two("1:a", "", one);
	ck_assert_mem_ne(one, two, sizeof(one));
	digest_two("1:a", "", two);
	ck_assert_mem_eq(one, two, sizeof(one));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("idempotency_key");
	TCase *keys = tcase_create("keys");

	suite_add_tcase(s, keys);
	tcase_add_checked_fixture(keys, set_up_arena, tear_down_arena);
	tcase_add_loop_test(keys, strings_and_bare_words_are_keys, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(keys, anything_else_is_none, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(keys, a_key_has_255_characters_at_most);
	tcase_add_test(keys, texts_do_not_run_into_each_other);
	return s;
}
