/* t_shareable.c - which replies may be given to several clients, and for how long they may be kept. */
#include "tests/unit/arena_stand.h"
#include "tests/unit/harness.h"

#include <string.h>

#include "base/clock.h"
#include "http/shareable.h"

static const char *const by_language[] = { "Accept-Language", NULL };

/* "Name: value" lines. */
static struct shareable judge(int status, const char *const *lines, const char *const *vary)
{
	struct response response = { 0 };

	response_set(&response, status, "text/plain", LEAT_TEXT_OF("x"));
	for (; *lines; lines++) {
		const char *colon = strchr(*lines, ':');

		ck_assert_ptr_null(response_add_header(
			&response, &arena, (leat_text){ *lines, (size_t)(colon - *lines) }, leat_text_from(colon + 2)));
	}
	return shareable_judge(&response, vary);
}

#define JUDGE(status, vary, ...) judge(status, (const char *const[]){ __VA_ARGS__, NULL }, vary)

START_TEST(what_is_for_one_client_is_not_shared)
{
	ck_assert_ptr_null(JUDGE(200, NULL, NULL).fault);
	ck_assert_ptr_nonnull(JUDGE(200, NULL, "Set-Cookie: a=b").fault);
	ck_assert_ptr_nonnull(JUDGE(200, NULL, "Cache-Control: max-age=5, Private").fault);
	ck_assert_ptr_nonnull(JUDGE(200, NULL, "Cache-Control: max-age=5", "Cache-Control: private=\"x\"").fault);
	ck_assert_ptr_null(JUDGE(200, NULL, "Cache-Control: no-store").fault);
}
END_TEST

START_TEST(what_varies_otherwise_is_not_shared)
{
	ck_assert_ptr_nonnull(JUDGE(200, NULL, "Vary: Accept-Language").fault);
	ck_assert_ptr_null(JUDGE(200, by_language, "Vary: accept-language").fault);
	ck_assert_ptr_nonnull(JUDGE(200, by_language, "Vary: Accept-Language, Cookie").fault);
	ck_assert_ptr_nonnull(JUDGE(200, by_language, "Vary: *").fault);
	ck_assert_ptr_nonnull(JUDGE(200, by_language, "Vary: Accept-Language", "Vary: Cookie").fault);
	ck_assert_ptr_null(JUDGE(200, by_language, "Vary: , Accept-Language,").fault);
}
END_TEST

START_TEST(whole_replies_that_may_be_kept_are_kept)
{
	static const struct {
		int status;
		bool is_kept;
	} cases[] = { { 200, true },  { 203, true },  { 204, true },  { 301, true },  { 308, true },
		      { 404, true },  { 410, true },  { 201, false }, { 206, false }, { 302, false },
		      { 304, false }, { 403, false }, { 500, false }, { 503, false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(JUDGE(cases[i].status, NULL, NULL).may_be_kept, cases[i].is_kept);
}
END_TEST

START_TEST(what_says_so_is_not_kept)
{
	ck_assert(!JUDGE(200, NULL, "Cache-Control: no-store").may_be_kept);
	ck_assert(!JUDGE(200, NULL, "Cache-Control: max-age=3, No-Cache").may_be_kept);
	ck_assert(JUDGE(200, NULL, "Cache-Control: public, must-revalidate").may_be_kept);
}
END_TEST

START_TEST(its_own_time_is_the_most)
{
	ck_assert_int_eq(JUDGE(200, NULL, NULL).fresh_most_ns, INT64_MAX);
	ck_assert_int_eq(JUDGE(200, NULL, "Cache-Control: max-age=3").fresh_most_ns, 3 * CLOCK_S);
	ck_assert_int_eq(JUDGE(200, NULL, "Cache-Control: s-maxage=2, max-age=\"3\"").fresh_most_ns, 2 * CLOCK_S);
	ck_assert_int_eq(JUDGE(200, NULL, "Cache-Control: max-age=\"3\"").fresh_most_ns, 3 * CLOCK_S);
	ck_assert_int_eq(JUDGE(200, NULL, "Cache-Control: max-age=x").fresh_most_ns, 0);
	ck_assert_int_eq(JUDGE(200, NULL, "Cache-Control: max-age=-1").fresh_most_ns, 0);
	ck_assert_int_eq(JUDGE(200, NULL, "Cache-Control: max-age=99999999999999999999").fresh_most_ns, 0);
	ck_assert_int_eq(JUDGE(200, NULL, "Cache-Control: max-age").fresh_most_ns, 0);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("shareable");

	ARENA_CASE(s, "shareable", what_is_for_one_client_is_not_shared, what_varies_otherwise_is_not_shared,
		   whole_replies_that_may_be_kept_are_kept, what_says_so_is_not_kept, its_own_time_is_the_most);
	return s;
}
