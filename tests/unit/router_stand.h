/* router_stand.h - what the tests of the router share: tables of routes as text, and answers as text.
 *
 * Use:
 *     START_TEST(prefers_literals)
 *     {
 *         CHECK_ANSWERS(ROUTES("GET /u/new", "GET /u/{id}"), { "GET", "/u/new", "GET /u/new" }, { "GET", "/u/7", "GET /u/{id} id=7" });
 *     }
 *     END_TEST
 *     ... ARENA_CASE(s, "priority", prefers_literals);
 *
 * Each table is run twice, with the routes in the order of the table and in the reverse: the order must not matter.
 *
 * An answer is "METHOD pattern", followed by "name=value" for each parameter, with "#number" behind an integer; or
 * "404", "400", "limit", "405 Allow", "OPTIONS Allow".
 *
 * Ownership:      what is handed out lies in 'arena', to the end of the test.
 * Thread-safety:  the main thread.
 * Errors:         fail the test.
 */
#ifndef TESTS_UNIT_ROUTER_STAND_H
#define TESTS_UNIT_ROUTER_STAND_H

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "http/method.h"
#include "http/router.h"
#include "http/routes.h"
#include "tests/unit/arena_stand.h"

enum { ROUTES_MAX = 320 };

static inline enum leat_result handler(struct leat_request *req)
{
	(void)req;
	return LEAT_OK;
}

/* "METHOD pattern" */
static inline struct leat_route route_of(const char *text)
{
	size_t method_len = strcspn(text, " ");

	return (struct leat_route){ .verb = { .method = method_from_text((leat_text){ text, method_len }) },
				    .pattern = text + method_len + 1,
				    .handler = handler };
}

/* A router of routes that end with NULL; NULL with the error. */
static inline struct router *make(const char *const *routes, bool reversed, char *error, size_t error_size)
{
	static struct leat_route table[ROUTES_MAX + 1];
	const struct leat_route *const tables[] = { table, NULL };
	size_t count = 0;

	while (routes[count])
		count++;
	for (size_t i = 0; i < count; i++)
		table[i] = route_of(routes[reversed ? count - 1 - i : i]);
	table[count] = (struct leat_route)LEAT_ROUTES_END;
	return router_new(tables, error, error_size);
}

static inline const char *found_as_text(const struct router_match *match)
{
	leat_text text = arena_format(&arena, "%s %s", method_name(match->route->verb.method), match->pattern);
	int64_t number;

	for (unsigned i = 0; i < match->param_count; i++) {
		const struct pattern_param *param = &match->params[i];
		leat_text value = match->values[i];

		text = arena_format(&arena, "%s %.*s=%.*s", text.ptr, LEAT_TEXT_PRINTF(param->name),
				    LEAT_TEXT_PRINTF(value));
		if ((param->kind == PATTERN_INT || param->kind == PATTERN_UINT) && number_read_int(value, &number))
			text = arena_format(&arena, "%s#%lld", text.ptr, (long long)number);
	}
	return text.ptr;
}

static inline const char *answer(const struct router *router, const char *method, leat_text path)
{
	struct router_match match;

	switch (router_match(router, method_from_text(leat_text_from(method)), path, &arena, &match)) {
	case ROUTER_FOUND:
		if (match.route)
			return found_as_text(&match);
		return arena_format(&arena, "OPTIONS %s", match.allow).ptr;
	case ROUTER_NOT_FOUND:
		return "404";
	case ROUTER_METHOD_NOT_ALLOWED:
		return arena_format(&arena, "405 %s", match.allow).ptr;
	case ROUTER_BAD_PATH:
		return "400";
	case ROUTER_LIMIT:
		return "limit";
	}
	return "no verdict";
}

struct question {
	const char *method;
	const char *path;
	const char *answer;
};

static inline void check_answers(const char *const *routes, const struct question *questions, size_t count)
{
	for (int reversed = 0; reversed < 2; reversed++) {
		char error[512];
		struct router *router = make(routes, reversed, error, sizeof(error));

		ck_assert_msg(router != NULL, "%s", error);
		for (size_t i = 0; i < count; i++) {
			const char *given = answer(router, questions[i].method, leat_text_from(questions[i].path));

			ck_assert_msg(strcmp(given, questions[i].answer) == 0, "%s %s%s: got \"%s\", expected \"%s\"",
				      questions[i].method, questions[i].path, reversed ? " (reversed)" : "", given,
				      questions[i].answer);
		}
		router_free(router);
	}
}
#define ROUTES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define CHECK_ANSWERS(routes, ...) \
	check_answers(routes, (const struct question[]){ __VA_ARGS__ }, \
		      sizeof((const struct question[]){ __VA_ARGS__ }) / sizeof(struct question))

/* All faults of a table, whichever way round it is. */
static inline void check_refused(const char *const *routes, const char *expected)
{
	char error[2048];

	ck_assert_ptr_null(make(routes, false, error, sizeof(error)));
	ck_assert_str_eq(error, expected);
	ck_assert_ptr_null(make(routes, true, error, sizeof(error)));
	ck_assert_str_eq(error, expected);
}

#endif
