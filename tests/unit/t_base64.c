/* t_base64.c - bytes as base64 (base/base64.h). */
#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

struct pair {
	leat_text bytes;
	leat_text text;
};

/* RFC 4648 section 10, and the digits that the other alphabet has otherwise. */
static const struct pair pairs[] = {
	{ LEAT_TEXT_OF(""), LEAT_TEXT_OF("") },
	{ LEAT_TEXT_OF("f"), LEAT_TEXT_OF("Zg==") },
	{ LEAT_TEXT_OF("fo"), LEAT_TEXT_OF("Zm8=") },
	{ LEAT_TEXT_OF("foo"), LEAT_TEXT_OF("Zm9v") },
	{ LEAT_TEXT_OF("foob"), LEAT_TEXT_OF("Zm9vYg==") },
	{ LEAT_TEXT_OF("fooba"), LEAT_TEXT_OF("Zm9vYmE=") },
	{ LEAT_TEXT_OF("foobar"), LEAT_TEXT_OF("Zm9vYmFy") },
	{ LEAT_TEXT_OF("\0\0\0"), LEAT_TEXT_OF("AAAA") },
	{ LEAT_TEXT_OF("\xfb\xff\xfe"), LEAT_TEXT_OF("+//+") },
};

enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

START_TEST(writes_the_vectors_of_the_rfc)
{
	for (size_t i = 0; i < PAIRS; i++) {
		char text[16];
		size_t len = base64_write(text, (const uint8_t *)pairs[i].bytes.ptr, pairs[i].bytes.len);

		ck_assert_msg(leat_text_equal((leat_text){ text, len }, pairs[i].text), "%s", pairs[i].text.ptr);
	}
}
END_TEST

START_TEST(reads_the_vectors_of_the_rfc)
{
	for (size_t i = 0; i < PAIRS; i++) {
		uint8_t bytes[16];
		size_t len;

		ck_assert_msg(base64_read(bytes, pairs[i].text, &len), "%s", pairs[i].text.ptr);
		ck_assert_msg(leat_text_equal((leat_text){ (char *)bytes, len }, pairs[i].bytes), "%s",
			      pairs[i].text.ptr);
	}
}
END_TEST

START_TEST(refuses_every_other_spelling)
{
	static const leat_text refused[] = {
		LEAT_TEXT_OF("Z"),          LEAT_TEXT_OF("Zg"),    LEAT_TEXT_OF("Zm9"),      LEAT_TEXT_OF("Zg="),
		LEAT_TEXT_OF("Zh=="),       LEAT_TEXT_OF("Zm9="),  LEAT_TEXT_OF("Zm8=Zm8="), LEAT_TEXT_OF("===="),
		LEAT_TEXT_OF("Z==="),       LEAT_TEXT_OF("Z=g="),  LEAT_TEXT_OF("=Zg="),     LEAT_TEXT_OF("Zm9v "),
		LEAT_TEXT_OF("Zm9v\n"),     LEAT_TEXT_OF("Zm 9"),  LEAT_TEXT_OF("-__-"),     LEAT_TEXT_OF("Zm9v===="),
		LEAT_TEXT_OF("Zm\xC3\xA9"), LEAT_TEXT_OF("Zm9\0"), LEAT_TEXT_OF("\0\0\0\0"),
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		uint8_t bytes[16];
		size_t len;

		ck_assert_msg(!base64_read(bytes, refused[i], &len), "'%s' was read", refused[i].ptr);
	}
}
END_TEST

/* In rooms of their own size: a sanitizer sees a write past the end. */
START_TEST(what_was_written_reads_back)
{
	for (size_t len = 1; len <= 256; len++) {
		uint8_t *bytes = malloc(len);
		char *text = malloc(base64_size(len));
		uint8_t *again = malloc(base64_room(base64_size(len)));
		size_t again_len;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(i * 7 + len);
		ck_assert_uint_eq(base64_write(text, bytes, len), base64_size(len));
		ck_assert(base64_read(again, (leat_text){ text, base64_size(len) }, &again_len));
		ck_assert_uint_eq(again_len, len);
		ck_assert_mem_eq(again, bytes, len);
		free(bytes);
		free(text);
		free(again);
	}
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("base64");

	HARNESS_CASE(s, "writing", writes_the_vectors_of_the_rfc, what_was_written_reads_back);
	HARNESS_CASE(s, "reading", reads_the_vectors_of_the_rfc, refuses_every_other_spelling);
	return s;
}
