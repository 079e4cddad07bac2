/* t_middleware.c - the order of hooks, who is ended, and values. */
#include <leat.h>
#include <stdio.h>
#include <string.h>

#include "http/middleware.h"
#include "http/request.h"
#include "tests/unit/harness.h"

static char trace[256];
static struct arena_pool *pool;
static struct arena arena;
static struct leat_request *request;
static struct middleware_walk way;

static void note(const char *prefix, const void *options)
{
	size_t len = strlen(trace);

	snprintf(trace + len, sizeof(trace) - len, "%s%s ", prefix, (const char *)options);
}

static enum leat_result go_on(struct leat_request *req, const void *options)
{
	(void)req;
	note("+", options);
	return LEAT_OK;
}

static enum leat_result refuse(struct leat_request *req, const void *options)
{
	(void)req;
	note("!", options);
	return LEAT_UNAUTHORIZED;
}

static enum leat_result answer(struct leat_request *req, const void *options)
{
	note("=", options);
	return leat_reply_empty(req, 204);
}

static void go_back(struct leat_request *req, const void *options)
{
	(void)req;
	note("-", options);
}

static const struct leat_middleware outer[] = { { "a", go_on, go_back, .options = "a" },
						{ "b", go_on, NULL, .options = "b" },
						{ "c", NULL, go_back, .options = "c" },
						LEAT_MIDDLEWARE_END };
static const struct leat_middleware inner[] = { { "d", go_on, go_back, .options = "d" }, LEAT_MIDDLEWARE_END };
static const struct leat_middleware guard[] = { { "e", go_on, go_back, .options = "e" },
						{ "f", refuse, go_back, .options = "f" },
						{ "g", go_on, go_back, .options = "g" },
						LEAT_MIDDLEWARE_END };
static const struct leat_middleware cache[] = { { "h", answer, go_back, .options = "h" },
						{ "i", go_on, go_back, .options = "i" },
						LEAT_MIDDLEWARE_END };

static void set_up(void)
{
	static const struct request_environment environment = { .default_deadline_ns = 1 };
	static const char *const params[] = { NULL };

	pool = arena_pool_new(0);
	arena_init(&arena, pool);
	request = request_new(&arena, params, &environment, 0);
	way = (struct middleware_walk){ 0 };
	trace[0] = '\0';
}

static void tear_down(void)
{
	arena_reset(&arena);
	arena_pool_free(pool);
}

START_TEST(the_way_out_is_the_way_in_backwards)
{
	ck_assert_int_eq(middleware_enter(&way, request, outer), LEAT_OK);
	ck_assert_int_eq(middleware_enter(&way, request, NULL), LEAT_OK);
	ck_assert_int_eq(middleware_enter(&way, request, inner), LEAT_OK);
	middleware_leave(&way, request);
	ck_assert_str_eq(trace, "+a +b +d -d -c -a ");
}
END_TEST

START_TEST(who_refuses_ends_the_way_in_and_is_ended)
{
	ck_assert_int_eq(middleware_enter(&way, request, guard), LEAT_UNAUTHORIZED);
	middleware_leave(&way, request);
	ck_assert_str_eq(trace, "+e !f -f -e ");
}
END_TEST

START_TEST(who_replies_ends_the_way_in)
{
	ck_assert_int_eq(middleware_enter(&way, request, cache), LEAT_OK);
	ck_assert_int_eq(leat_reply_status(request), 204);
	middleware_leave(&way, request);
	ck_assert_str_eq(trace, "=h -h ");
}
END_TEST

START_TEST(a_list_is_counted)
{
	ck_assert_uint_eq(middleware_count(NULL), 0);
	ck_assert_uint_eq(middleware_count(outer), 3);
}
END_TEST

LEAT_VALUE(colour, const char);
LEAT_VALUE(size, int64_t);

START_TEST(values_are_kept_by_name)
{
	int64_t seven = 7, eight = 8;

	ck_assert_ptr_null(colour_get(request));
	colour_set(request, "red");
	size_set(request, &seven);
	ck_assert_str_eq(colour_get(request), "red");
	ck_assert_int_eq(*size_get(request), 7);
	size_set(request, &eight);
	ck_assert_int_eq(*size_get(request), 8);
	colour_set(request, NULL);
	ck_assert_ptr_null(colour_get(request));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("middleware");
	TCase *way_case = HARNESS_CASE(s, "way", the_way_out_is_the_way_in_backwards,
				       who_refuses_ends_the_way_in_and_is_ended, who_replies_ends_the_way_in,
				       a_list_is_counted, values_are_kept_by_name);

	tcase_add_checked_fixture(way_case, set_up, tear_down);
	return s;
}
