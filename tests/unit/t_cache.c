/* t_cache.c - Cache-Control and Vary: what a policy says, what it contradicts, and to which replies it is added. */
#include <leat.h>
#include <stdio.h>
#include <string.h>

#include "http/cache_control.h"
#include "http/request.h"
#include "tests/unit/arena_stand.h"
#include "tests/unit/harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct leat_request *request;

static void ask(const char *param)
{
	static const struct request_environment environment = { .default_deadline_ns = 1 };
	static const char *params[3] = { NULL, "REQUEST_URI=/" };

	params[0] = param;
	request = request_new(&arena, params, &environment, 0);
	ck_assert_int_eq(request_parse(request), LEAT_OK);
}

/* All lines of a header, with "|" between them; "" for none. */
static const char *header(const char *name)
{
	const char *at = NULL;
	leat_text value;
	struct buffer all;

	buffer_init(&all, &arena, 64);
	while ((value = response_next_header(&request->response, leat_text_from(name), &at)).ptr)
		buffer_format(&all, "%s%.*s", all.len ? "|" : "", LEAT_TEXT_PRINTF(value));
	return arena_copy(&arena, all.data, all.len);
}

/* Policies --------------------------------------------------------------------------------------------------------- */

START_TEST(a_policy_is_written)
{
	static const struct {
		struct leat_cache policy;
		const char *text;
	} cases[] = {
		{ { .no_store = true }, "no-store" },
		{ { .no_store = true, .no_transform = true }, "no-store, no-transform" },
		{ { .is_public = true, .max_age_s = 31536000, .immutable = true },
		  "public, immutable, max-age=31536000" },
		{ { .is_private = true, .no_cache = true }, "private, no-cache" },
		{ { .max_age_s = 60, .stale_while_revalidate_s = 600, .stale_if_error_s = 86400 },
		  "max-age=60, stale-while-revalidate=600, stale-if-error=86400" },
		{ { .max_age_s = LEAT_CACHE_ZERO, .must_revalidate = true }, "must-revalidate, max-age=0" },
		{ { .max_age_s = LEAT_CACHE_ZERO, .stale_while_revalidate_s = 5 },
		  "max-age=0, stale-while-revalidate=5" },
		{ { .s_maxage_s = INT32_MAX, .proxy_revalidate = true }, "proxy-revalidate, s-maxage=2147483647" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer out;

		buffer_init(&out, &arena, 16);
		ck_assert_ptr_null(cache_control_fault(&cases[i].policy));
		cache_control_write(&out, &cases[i].policy);
		ck_assert_str_eq(arena_copy(&arena, out.data, out.len), cases[i].text);
	}
}
END_TEST

START_TEST(a_policy_that_contradicts_itself_is_refused)
{
	static const struct {
		struct leat_cache policy;
		const char *fault; /* begins so */
	} cases[] = {
		{ { 0 }, "the policy says nothing" },
		{ { .no_store = true, .max_age_s = 60 }, "no_store" },
		{ { .no_store = true, .max_age_s = LEAT_CACHE_ZERO }, "no_store" },
		{ { .no_store = true, .no_cache = true }, "no_store" },
		{ { .no_store = true, .must_revalidate = true }, "no_store" },
		{ { .no_store = true, .is_private = true }, "no_store" },
		{ { .no_store = true, .is_public = true }, "no_store" },
		{ { .no_store = true, .immutable = true }, "no_store" },
		{ { .no_store = true, .stale_if_error_s = 1 }, "no_store" },
		{ { .is_public = true, .is_private = true }, "is_private" },
		{ { .is_private = true, .s_maxage_s = 60 }, "is_private" },
		{ { .is_private = true, .proxy_revalidate = true }, "is_private" },
		{ { .no_cache = true, .max_age_s = 60 }, "no_cache" },
		{ { .no_cache = true, .immutable = true }, "no_cache" },
		{ { .is_public = true, .immutable = true }, "immutable" },
		{ { .max_age_s = LEAT_CACHE_ZERO, .immutable = true }, "immutable" },
		{ { .stale_while_revalidate_s = 60 }, "stale_while_revalidate_s" },
		{ { .is_public = true, .stale_if_error_s = 60 }, "stale_while_revalidate_s" },
		{ { .max_age_s = 60, .must_revalidate = true, .stale_if_error_s = 60 }, "must_revalidate" },
		{ { .max_age_s = -2 }, "a time" },
		{ { .s_maxage_s = INT64_C(2147483648) }, "a time" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *fault = cache_control_fault(&cases[i].policy);

		ck_assert_msg(fault && strncmp(fault, cases[i].fault, strlen(cases[i].fault)) == 0, "%s: %s",
			      cases[i].fault, fault);
	}
	ck_assert_str_eq(leat_cache_check_(NULL), "there is no policy");
}
END_TEST

/* The middleware --------------------------------------------------------------------------------------------------- */

static const struct leat_cache minute = { .max_age_s = 60 };
static const struct leat_cache shared = { .is_public = true, .max_age_s = 60 };
static const struct leat_cache never = { .no_store = true };

static void leave(const struct leat_cache *policy)
{
	struct leat_middleware cache = LEAT_CACHE(policy);

	cache.after(request, cache.options);
}

START_TEST(a_policy_is_for_replies_that_may_be_kept)
{
	static const struct {
		const char *param;
		int status;
		const struct leat_cache *policy;
		const char *value;
	} cases[] = {
		{ "REQUEST_METHOD=GET", 200, &minute, "max-age=60" },
		{ "REQUEST_METHOD=HEAD", 200, &minute, "max-age=60" },
		{ "REQUEST_METHOD=GET", 206, &minute, "max-age=60" },
		{ "REQUEST_METHOD=GET", 304, &minute, "max-age=60" },
		{ "REQUEST_METHOD=GET", 308, &minute, "max-age=60" },
		{ "REQUEST_METHOD=GET", 302, &minute, "" },
		{ "REQUEST_METHOD=GET", 303, &minute, "" },
		{ "REQUEST_METHOD=POST", 200, &minute, "" },
		{ "REQUEST_METHOD=OPTIONS", 204, &minute, "" },
		{ "REQUEST_METHOD=GET", 404, &minute, "no-store" },
		{ "REQUEST_METHOD=GET", 503, &shared, "no-store" },
		{ "REQUEST_METHOD=POST", 422, &minute, "no-store" },
		{ "REQUEST_METHOD=POST", 200, &never, "no-store" },
		{ "REQUEST_METHOD=GET", 303, &never, "no-store" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ask(cases[i].param);
		ck_assert_int_eq(leat_reply_empty(request, cases[i].status), LEAT_OK);
		leave(cases[i].policy);
		ck_assert_msg(strcmp(header("Cache-Control"), cases[i].value) == 0, "%s %d: %s", cases[i].param,
			      cases[i].status, header("Cache-Control"));
	}
}
END_TEST

START_TEST(what_is_there_stays)
{
	ask("REQUEST_METHOD=GET");
	ck_assert_int_eq(leat_reply_empty(request, 404), LEAT_OK);
	ck_assert_int_eq(leat_reply_cache(request, &(struct leat_cache){ .max_age_s = 5 }), LEAT_OK);
	leave(&minute);
	ck_assert_str_eq(header("cache-control"), "max-age=5");
}
END_TEST

START_TEST(what_is_one_persons_is_private)
{
	static const struct leat_caller caller = { .kind = LEAT_CALLER_BASIC };

	ask("REQUEST_METHOD=GET");
	leat_caller_set(request, &caller);
	ck_assert_int_eq(leat_reply_empty(request, 200), LEAT_OK);
	leave(&minute);
	ck_assert_str_eq(header("Cache-Control"), "private, max-age=60");

	ask("REQUEST_METHOD=GET");
	ck_assert_int_eq(leat_reply_empty(request, 200), LEAT_OK);
	leat_reply_header(request, "Set-Cookie", LEAT_TEXT_OF("a=b"));
	leave(&(const struct leat_cache){ .max_age_s = 60, .proxy_revalidate = true });
	ck_assert_str_eq(header("Cache-Control"), "private, max-age=60");

	ask("REQUEST_METHOD=GET");
	leat_caller_set(request, &caller);
	ck_assert_int_eq(leat_reply_empty(request, 200), LEAT_OK);
	leave(&shared);
	ck_assert_str_eq(header("Cache-Control"), "public, max-age=60");
}
END_TEST

START_TEST(a_handlers_bad_policy_changes_nothing)
{
	ask("REQUEST_METHOD=GET");
	ck_assert_int_eq(leat_reply_cache(request, &minute), LEAT_OK);
	ck_assert_int_eq(leat_reply_cache(request, &(struct leat_cache){ .no_store = true, .max_age_s = 1 }),
			 LEAT_INTERNAL);
	ck_assert_int_eq(leat_reply_cache(request, &shared), LEAT_OK);
	ck_assert_str_eq(header("Cache-Control"), "public, max-age=60");
}
END_TEST

/* Vary ------------------------------------------------------------------------------------------------------------- */

START_TEST(vary_has_each_name_once)
{
	ask("REQUEST_METHOD=GET");
	ck_assert_int_eq(leat_vary(request, "Accept"), LEAT_OK);
	ck_assert_int_eq(leat_vary(request, "accept"), LEAT_OK);
	ck_assert_str_eq(header("Vary"), "Accept");
	leat_reply_header(request, "vary", LEAT_TEXT_OF("Origin,,  Cookie"));
	ck_assert_int_eq(leat_vary(request, "Cookie"), LEAT_OK);
	ck_assert_str_eq(header("Vary"), "Accept|Origin,,  Cookie");
	ck_assert_int_eq(leat_vary(request, "Accept-Language"), LEAT_OK);
	ck_assert_str_eq(header("Vary"), "Accept, Origin, Cookie, Accept-Language");
	ck_assert_int_eq(leat_vary(request, "Accept\r\nX: y"), LEAT_INTERNAL);
	ck_assert_int_eq(leat_vary(request, ""), LEAT_INTERNAL);
	ck_assert_int_eq(leat_vary(request, "*"), LEAT_OK);
	ck_assert_int_eq(leat_vary(request, "Host"), LEAT_OK);
	ck_assert_str_eq(header("Vary"), "Accept, Origin, Cookie, Accept-Language, *");
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("cache");

	ARENA_CASE(s, "policies", a_policy_is_written, a_policy_that_contradicts_itself_is_refused);
	ARENA_CASE(s, "middleware", a_policy_is_for_replies_that_may_be_kept, what_is_there_stays,
		   what_is_one_persons_is_private, a_handlers_bad_policy_changes_nothing);
	ARENA_CASE(s, "vary", vary_has_each_name_once);
	return s;
}
