/* t_router_kinds.c - types, regular expressions, and parameters inside segments. See router_stand.h for how tables read. */
#include "tests/unit/router_stand.h"

/* Types ------------------------------------------------------------------------------------------------------------ */

#define ID  "5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f"
#define ID2 "5B2D3A52-7E9C-4D6F-8A4E-0F6F6F6F6F6F"

START_TEST(takes_unsigned_integers_without_a_sign)
{
	CHECK_ANSWERS(ROUTES("GET /{n:uint}", "GET /{n:int}"), { "GET", "/0", "GET /{n:uint} n=0#0" },
		      { "GET", "/9223372036854775807", "GET /{n:uint} n=9223372036854775807#9223372036854775807" },
		      { "GET", "/-1", "GET /{n:int} n=-1#-1" }, { "GET", "/-0", "404" }, { "GET", "/00", "404" },
		      { "GET", "/9223372036854775808", "404" });
}
END_TEST

START_TEST(takes_uuids_in_either_case)
{
	CHECK_ANSWERS(ROUTES("GET /{id:uuid}"), { "GET", "/" ID, "GET /{id:uuid} id=" ID },
		      { "GET", "/" ID2, "GET /{id:uuid} id=" ID2 }, { "GET", "/" ID "0", "404" },
		      { "GET", "/5b2d3a527e9c4d6f8a4e0f6f6f6f6f6f", "404" }, { "GET", "/{" ID "}", "404" });
}
END_TEST

START_TEST(takes_days_that_exist)
{
	CHECK_ANSWERS(ROUTES("GET /{day:date}"), { "GET", "/2024-02-29", "GET /{day:date} day=2024-02-29" },
		      { "GET", "/2023-02-29", "404" }, { "GET", "/2024-2-9", "404" }, { "GET", "/2024-02-29x", "404" },
		      { "GET", "/0000-01-01", "404" }, { "GET", "/2024-02-29T00:00:00Z", "404" });
}
END_TEST

START_TEST(tries_types_before_text_and_expressions)
{
	CHECK_ANSWERS(ROUTES("GET /{a:int}", "GET /{b:uuid}", "GET /{c:date}", "GET /{d}-{e}", "GET /{f:[a-z]+}",
			     "GET /{g}", "GET /h"),
		      { "GET", "/7", "GET /{a:int} a=7#7" }, { "GET", "/" ID, "GET /{b:uuid} b=" ID },
		      { "GET", "/2024-01-01", "GET /{c:date} c=2024-01-01" },
		      { "GET", "/2024-01-32", "GET /{d}-{e} d=2024-01 e=32" },
		      { "GET", "/abc", "GET /{f:[a-z]+} f=abc" }, { "GET", "/ABC", "GET /{g} g=ABC" },
		      { "GET", "/h", "GET /h" });
}
END_TEST

/* Regular expressions ---------------------------------------------------------------------------------------------- */

START_TEST(an_expression_fits_the_whole_value)
{
	CHECK_ANSWERS(ROUTES("GET /{y:\\d{4}|next}/x"), { "GET", "/2024/x", "GET /{y:\\d{4}|next}/x y=2024" },
		      { "GET", "/next/x", "GET /{y:\\d{4}|next}/x y=next" }, { "GET", "/20245/x", "404" },
		      { "GET", "/nextly/x", "404" }, { "GET", "/2024%0A/x", "404" });
}
END_TEST

START_TEST(an_expression_sees_characters_not_bytes)
{
	CHECK_ANSWERS(ROUTES("GET /{c:.}"), { "GET", "/%C3%A9", "GET /{c:.} c=\xC3\xA9" },
		      { "GET", "/\xC3\xA9", "GET /{c:.} c=\xC3\xA9" }, { "GET", "/ab", "404" });
}
END_TEST

START_TEST(an_expression_sees_an_escaped_slash_as_a_slash)
{
	CHECK_ANSWERS(ROUTES("GET /{a:[a-z/]+}/{b:x/y}", "GET /{c}/{d}"),
		      { "GET", "/a%2Fb/x%2Fy", "GET /{a:[a-z/]+}/{b:x/y} a=a/b b=x/y" },
		      { "GET", "/a%2Fb/xy", "GET /{c}/{d} c=a/b d=xy" }, { "GET", "/a/b/x", "404" });
}
END_TEST

START_TEST(braces_in_an_expression_are_balanced_or_escaped)
{
	CHECK_ANSWERS(ROUTES("GET /{a:\\{\\d{2}\\}}"), { "GET", "/{12}", "GET /{a:\\{\\d{2}\\}} a={12}" });
}
END_TEST

START_TEST(names_what_is_wrong_with_an_expression)
{
	check_refused(ROUTES("GET /{a:(b}"),
		      "route GET /{a:(b}: the expression of {a}: missing closing parenthesis, at byte 2");
	check_refused(
		ROUTES("GET /{a:\\C+}"),
		"route GET /{a:\\C+}: the expression of {a}: using \\C is disabled by the application, at byte 2");
}
END_TEST

/* Steps are used up on one kind of parameter only; other routes are not reached any more. */
START_TEST(ends_at_the_limit_whatever_else_there_is)
{
	CHECK_ANSWERS(ROUTES("GET /{a:(x+)+[yz]}", "GET /{b}"),
		      { "GET", "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "limit" },
		      { "POST", "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "limit" }, { "GET", "/xa", "GET /{b} b=xa" });
}
END_TEST

START_TEST(the_limit_can_be_moved)
{
	char error[512];
	struct router *router = make(ROUTES("GET /{a:(x+)+[yz]}"), false, error, sizeof(error));

	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/xxxxxxxxxxxxxx")), "limit");
	router_limit_steps(router, 1000000);
	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/xxxxxxxxxxxxxx")), "404");
	router_free(router);
}
END_TEST

/* Inside segments -------------------------------------------------------------------------------------------------- */

START_TEST(splits_with_the_last_parameter_as_short_as_can_be)
{
	CHECK_ANSWERS(ROUTES("GET /{a}-{b}-{c}", "GET /v{a}.{b}", "GET /{a}.tar.gz"),
		      { "GET", "/1-2-3", "GET /{a}-{b}-{c} a=1 b=2 c=3" },
		      { "GET", "/1-2-3-4", "GET /{a}-{b}-{c} a=1-2 b=3 c=4" }, { "GET", "/--", "404" },
		      { "GET", "/----", "404" }, { "GET", "/-----", "GET /{a}-{b}-{c} a=- b=- c=-" },
		      { "GET", "/v1.2", "GET /v{a}.{b} a=1 b=2" }, { "GET", "/v1.", "404" }, { "GET", "/v.1", "404" },
		      { "GET", "/x.tar.gz", "GET /{a}.tar.gz a=x" }, { "GET", "/.tar.gz", "404" });
}
END_TEST

START_TEST(goes_back_for_types_inside_a_segment)
{
	CHECK_ANSWERS(ROUTES("GET /v{a:int}.{b:int}", "GET /{n}_{d:date}", "GET /x{a}0{n:int}",
			     "GET /{a:[a-z.]+}.{b:[a-z]+}"),
		      { "GET", "/v1.20", "GET /v{a:int}.{b:int} a=1#1 b=20#20" }, { "GET", "/v1.x", "404" },
		      { "GET", "/a_b_2024-01-01", "GET /{n}_{d:date} n=a_b d=2024-01-01" },
		      { "GET", "/xy0100", "GET /x{a}0{n:int} a=y01 n=0#0" },
		      { "GET", "/a.b.c", "GET /{a:[a-z.]+}.{b:[a-z]+} a=a.b b=c" });
}
END_TEST

/* 00 is no integer, so the split at the last 0 is not the one. */
START_TEST(goes_back_to_an_earlier_split)
{
	CHECK_ANSWERS(ROUTES("GET /{a:int}-{b:[a-z-]+}-{c:int}"),
		      { "GET", "/1-a--2", "GET /{a:int}-{b:[a-z-]+}-{c:int} a=1#1 b=a- c=2#2" },
		      { "GET", "/1-a-b-2", "GET /{a:int}-{b:[a-z-]+}-{c:int} a=1#1 b=a-b c=2#2" },
		      { "GET", "/1--2", "404" }, { "GET", "/1-a-x", "404" });
}
END_TEST

START_TEST(tries_more_text_before_less)
{
	CHECK_ANSWERS(ROUTES("GET /{a}.{b}", "GET /{a}.json", "GET /new-{a}.json", "GET /{a}"),
		      { "GET", "/new-x.json", "GET /new-{a}.json a=x" }, { "GET", "/x.json", "GET /{a}.json a=x" },
		      { "GET", "/x.xml", "GET /{a}.{b} a=x b=xml" }, { "GET", "/x", "GET /{a} a=x" });
}
END_TEST

START_TEST(keeps_an_escaped_slash_inside_a_part)
{
	CHECK_ANSWERS(ROUTES("GET /{a}.{b}/x"), { "GET", "/a%2Fb.c%2E/x", "GET /{a}.{b}/x a=a/b b=c." },
		      { "GET", "/a%2Fb.c/x", "GET /{a}.{b}/x a=a/b b=c" },
		      { "GET", "/a%2Eb/x", "GET /{a}.{b}/x a=a b=b" });
}
END_TEST

START_TEST(says_what_is_wrong_inside_a_segment)
{
	check_refused(ROUTES("GET /x{a...}"), "route GET /x{a...}: {a...} stands alone, from '/' to the end");
	check_refused(ROUTES("GET /{a{b}}"),
		      "route GET /{a{b}}: '{b}' cannot follow a parameter's name; there are {name}, {name:type}, "
		      "{name:expression} and {name...}");
	check_refused(
		ROUTES("GET /{a:int}{b:[0-9]+}"),
		"route GET /{a:int}{b:[0-9]+}: nothing tells where {a} ends and {b} begins: put text between them");
	check_refused(ROUTES("GET /a/../b"), "route GET /a/../b: no request gets to a segment '.' or '..'");
}
END_TEST

/* Untyped parameters cost one pass: what would be quadratic work does not come near the limit. */
START_TEST(long_segments_of_nothing_but_separators_are_no_work)
{
	char path[8002];
	char error[512];
	struct router *router = make(ROUTES("GET /{a}-{b}.{c}-{d}"), false, error, sizeof(error));

	memset(path, '-', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	router_limit_steps(router, 100);
	ck_assert_str_eq(answer(router, "GET", leat_text_from(path)), "404");
	router_free(router);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("router kinds");

	ARENA_CASE(s, "types", takes_unsigned_integers_without_a_sign, takes_uuids_in_either_case,
		   takes_days_that_exist, tries_types_before_text_and_expressions);
	ARENA_CASE(s, "expressions", an_expression_fits_the_whole_value, an_expression_sees_characters_not_bytes,
		   an_expression_sees_an_escaped_slash_as_a_slash, braces_in_an_expression_are_balanced_or_escaped,
		   names_what_is_wrong_with_an_expression, ends_at_the_limit_whatever_else_there_is,
		   the_limit_can_be_moved);
	ARENA_CASE(s, "segments", splits_with_the_last_parameter_as_short_as_can_be,
		   goes_back_for_types_inside_a_segment, goes_back_to_an_earlier_split, tries_more_text_before_less,
		   keeps_an_escaped_slash_inside_a_part, says_what_is_wrong_inside_a_segment,
		   long_segments_of_nothing_but_separators_are_no_work);
	return s;
}
