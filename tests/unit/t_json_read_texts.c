/* t_json_read_texts.c - the JSON reader: texts, their escapes, their bytes and their forms. */
#include "tests/unit/json_reading.h"

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

Suite *suite(void)
{
	Suite *s = suite_create("json_read_texts");

	ARENA_CASE(s, "texts", decodes_escapes, refuses_strings_that_json_does_not_have, refuses_half_a_surrogate_pair,
		   refuses_what_is_not_utf8, refuses_nul_in_a_text, counts_characters_not_bytes,
		   takes_the_html_standards_email_addresses);
	return s;
}
