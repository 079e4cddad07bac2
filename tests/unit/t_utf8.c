/* t_utf8.c - UTF-8, against the well-formed sequences of the Unicode standard (table 3-7). */
#include "base/utf8.h"
#include "tests/unit/harness.h"

static const leat_text valid[] = {
	LEAT_TEXT_OF(""),
	LEAT_TEXT_OF("plain"),
	LEAT_TEXT_OF("with\0NUL"),
	LEAT_TEXT_OF("caf\xC3\xA9"),
	LEAT_TEXT_OF("\xC2\x80\xDF\xBF"),
	LEAT_TEXT_OF("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"),
	LEAT_TEXT_OF("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"),
};

static const leat_text invalid[] = {
	LEAT_TEXT_OF("\x80"), /* nothing to follow */
	LEAT_TEXT_OF("\xC3"), /* cut short */
	LEAT_TEXT_OF("\xE2\x82"),
	LEAT_TEXT_OF("\xF0\x9F\x98"),
	LEAT_TEXT_OF("\xC3("), /* wrong follower */
	LEAT_TEXT_OF("\xE2(\xAC"),
	LEAT_TEXT_OF("\xE2\x82("),
	LEAT_TEXT_OF("\xF0\x9F\x98("),
	LEAT_TEXT_OF("\xC0\xAF"), /* overlong */
	LEAT_TEXT_OF("\xC1\xBF"),
	LEAT_TEXT_OF("\xE0\x9F\xBF"),
	LEAT_TEXT_OF("\xF0\x8F\xBF\xBF"),
	LEAT_TEXT_OF("\xED\xA0\x80"), /* surrogates */
	LEAT_TEXT_OF("\xED\xBF\xBF"),
	LEAT_TEXT_OF("\xF4\x90\x80\x80"), /* past U+10FFFF */
	LEAT_TEXT_OF("\xF5\x80\x80\x80"),
	LEAT_TEXT_OF("\xFF"),
};

START_TEST(accepts_what_is_well_formed)
{
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		ck_assert_msg(utf8_is_valid(valid[i]), "valid[%zu]", i);
}
END_TEST

START_TEST(refuses_what_is_ill_formed)
{
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		ck_assert_msg(!utf8_is_valid(invalid[i]), "invalid[%zu]", i);
}
END_TEST

/* Texts are read eight bytes at a step: a fault must be seen at every place of a step. */
START_TEST(sees_a_fault_at_every_place)
{
	char text[40];

	for (size_t at = 0; at < sizeof(text); at++) {
		memset(text, 'a', sizeof(text));
		text[at] = (char)0xFF;
		ck_assert_msg(!utf8_is_valid((leat_text){ text, sizeof(text) }), "at %zu", at);
	}
}
END_TEST

START_TEST(reads_back_every_code_point_it_writes)
{
	char bytes[4];

	for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
		size_t len;

		if (code_point >= 0xD800 && code_point <= 0xDFFF)
			continue;
		len = utf8_write(bytes, code_point);
		if (utf8_sequence(bytes, len) != len || utf8_count((leat_text){ bytes, len }) != 1)
			ck_abort_msg("U+%04X", code_point);
	}
}
END_TEST

START_TEST(never_reads_past_the_length)
{
	char bytes[4];
	size_t len = utf8_write(bytes, 0x1F600);

	for (size_t cut = 1; cut < len; cut++)
		ck_assert_uint_eq(utf8_sequence(bytes, cut), 0);
}
END_TEST

START_TEST(counts_code_points_not_bytes)
{
	ck_assert_uint_eq(utf8_count(LEAT_TEXT_OF("")), 0);
	ck_assert_uint_eq(utf8_count(LEAT_TEXT_OF("abc")), 3);
	ck_assert_uint_eq(utf8_count(LEAT_TEXT_OF("na\xC3\xAFve caf\xC3\xA9, 5 \xE2\x82\xAC")), 15);
	ck_assert_uint_eq(utf8_count(LEAT_TEXT_OF("\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80")), 3);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("utf8");

	HARNESS_CASE(s, "valid", accepts_what_is_well_formed, refuses_what_is_ill_formed, sees_a_fault_at_every_place,
		     never_reads_past_the_length);
	HARNESS_CASE(s, "code points", reads_back_every_code_point_it_writes, counts_code_points_not_bytes);
	return s;
}
