/* t_cookie.c - the Cookie header, and lists of names with values. */
#include "http/cookie.h"
#include "http/pairs.h"
#include "http/uri.h"
#include "tests/unit/arena_stand.h"

typedef bool (*next_fn)(leat_text *rest, leat_text *ret_name, leat_text *ret_value);

/* "name>value " for each. */
static const char *pairs_of(next_fn next, const char *text)
{
	leat_text rest = leat_text_from(text), name, value;
	struct buffer out;

	buffer_init(&out, &arena, 64);
	while (next(&rest, &name, &value))
		buffer_format(&out, "%.*s>%.*s ", LEAT_TEXT_PRINTF(name), LEAT_TEXT_PRINTF(value));
	buffer_byte(&out, '\0');
	return out.data;
}

static void check(next_fn next, const char *const (*cases)[2], size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(pairs_of(next, cases[i][0]), cases[i][1]);
}
#define CHECK(next, ...) \
	check(next, (const char *const[][2]){ __VA_ARGS__ }, \
	      sizeof((const char *const[][2]){ __VA_ARGS__ }) / sizeof(const char *[2]))

START_TEST(gives_cookies)
{
	CHECK(cookie_next, { "a=1", "a>1 " }, { "a=1; b=2", "a>1 b>2 " }, { "a=", "a> " }, { "a=b=c", "a>b=c " },
	      { "a=1;b=2;", "a>1 b>2 " }, { " a=1 \t; b=2 ", "a>1 b>2 " }, { "a=1; a=2", "a>1 a>2 " },
	      { "a=%3B+", "a>%3B+ " }, { "a=\"x\"", "a>\"x\" " }, { "a=\"\"", "a>\"\" " }, { "", "" });
}
END_TEST

START_TEST(malformed_cookies_are_not_there)
{
	CHECK(cookie_next, { "a; b=2", "b>2 " }, { "=1; b=2", "b>2 " }, { "a b=1; c=2", "c>2 " },
	      { "a =1; c=2", "c>2 " }, { "a= 1; c=2", "c>2 " }, { "a=1 2; c=2", "c>2 " }, { "a=1,2; c=2", "c>2 " },
	      { "a=\"; c=2", "c>2 " }, { "a=x\"y\"; c=2", "c>2 " }, { "a=\"x;y\"; c=2", "c>2 " },
	      { "a=\\; c=2", "c>2 " }, { "a=\xC3\xBC; c=2", "c>2 " }, { "\xC3\xBC=1; c=2", "c>2 " },
	      { "a=\x01; c=2", "c>2 " }, { "(a)=1; c=2", "c>2 " }, { "a=1, b=2; c=2", "c>2 " });
}
END_TEST

START_TEST(gives_parameters)
{
	CHECK(uri_query_next, { "a=1&b=2", "a>1 b>2 " }, { "a", "a> " }, { "a=&=b&=", "a> >b > " },
	      { "&&a=1&", "a>1 " }, { "a=b=c", "a>b=c " }, { "a;b", "a;b> " }, { "", "" });
}
END_TEST

START_TEST(finds_each_value_of_a_name)
{
	struct pairs pairs;
	struct leat_pairs list;
	leat_text value;
	size_t at = 0;

	pairs_init(&pairs, &arena);
	for (int i = 0; i < 100; i++)
		pairs_add(&pairs, i % 40 == 3 ? LEAT_TEXT_OF("tag") : LEAT_TEXT_OF("x"), arena_format(&arena, "%d", i));
	list = pairs_done(&pairs);
	ck_assert_uint_eq(list.count, 100);
	for (int i = 3; i < 100; i += 40) {
		ck_assert(leat_pairs_next(&list, "tag", &at, &value));
		ck_assert(leat_text_equal(value, arena_format(&arena, "%d", i)));
	}
	ck_assert(!leat_pairs_next(&list, "tag", &at, &value));
	ck_assert(leat_text_equal(leat_pairs_find(&list, "tag"), LEAT_TEXT_OF("3")));
	ck_assert_ptr_null(leat_pairs_find(&list, "none").ptr);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("cookie");
	TCase *cookies = HARNESS_CASE(s, "cookies", gives_cookies, malformed_cookies_are_not_there);
	TCase *others = HARNESS_CASE(s, "pairs", gives_parameters, finds_each_value_of_a_name);

	tcase_add_checked_fixture(cookies, set_up_arena, tear_down_arena);
	tcase_add_checked_fixture(others, set_up_arena, tear_down_arena);
	return s;
}
