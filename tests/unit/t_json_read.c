/* t_json_read.c - the JSON reader: whole documents, and what it says of their faults. */
#include "tests/unit/json_reading.h"

/* Documents ------------------------------------------------------------------------------------------------------- */

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

/* Limits ---------------------------------------------------------------------------------------------------------- */

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

/* Faults ---------------------------------------------------------------------------------------------------------- */

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

Suite *suite(void)
{
	Suite *s = suite_create("json_read");

	ARENA_CASE(s, "documents", fills_a_struct, takes_members_in_any_order, takes_keys_in_their_escaped_spelling,
		   leaves_absent_and_null_members_zero, gives_texts_without_escapes_as_views, refuses_what_is_no_json,
		   refuses_a_nul_outside_of_strings, takes_white_space_between_tokens, counts_lines_and_characters,
		   wants_an_object_at_the_top);
	ARENA_CASE(s, "limits", limits_nesting, limits_nesting_in_a_shape_that_holds_itself);
	ARENA_CASE(s, "faults", refuses_a_key_that_comes_twice, refuses_a_key_that_it_does_not_know,
		   names_what_is_missing, lists_every_fault_of_a_document, lets_a_syntax_fault_go_before_all_others,
		   stops_listing_after_a_while);
	return s;
}
