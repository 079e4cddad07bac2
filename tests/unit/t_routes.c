/* t_routes.c - tables of routes become one list: mounts, names, middleware, and the report of what is wrong. */
#include <leat/middleware.h>

#include "tests/unit/router_stand.h"

#define AT(method, line) \
	{ \
		LEAT_METHOD_##method, line, "r.c" \
	}

static const struct leat_middleware outer_list, inner_list, route_list; /* empty, told apart by their addresses */

static struct router *router_of(const struct leat_route *table)
{
	char error[4096];
	struct router *router = router_new((const struct leat_route *const[]){ table, NULL }, error, sizeof(error));

	ck_assert_msg(router != NULL, "%s", error);
	return router;
}

static void check_error(const struct leat_route *table, const char *expected)
{
	char error[4096];

	ck_assert_ptr_null(router_new((const struct leat_route *const[]){ table, NULL }, error, sizeof(error)));
	ck_assert_str_eq(error, expected);
}

static const struct leat_route leaf_routes[] = { { AT(GET, 1), "", .handler = handler },
						 { AT(GET, 2), "/{id:int}", .handler = handler, .name = "one",
						   .middleware = &route_list },
						 LEAT_ROUTES_END };

static const struct leat_route middle_routes[] = { { LEAT_VERB_(LEAT_METHOD_NONE), "/items", .mounted = leaf_routes,
						     .middleware = &inner_list },
						   { AT(GET, 4), "/about", .handler = handler, .name = "about" },
						   LEAT_ROUTES_END };

static const struct leat_route top_routes[] = { LEAT_MOUNT("/v1", middle_routes, .name = "v1",
							   .middleware = &outer_list),
						LEAT_MOUNT("/orgs/{org}", middle_routes), LEAT_ROUTES_END };

START_TEST(prefixes_and_patterns_are_one)
{
	struct router *router = router_of(top_routes);

	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/v1/items")), "GET /v1/items");
	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/v1/items/7")), "GET /v1/items/{id:int} id=7#7");
	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/orgs/a%2Fb/items/7")),
			 "GET /orgs/{org}/items/{id:int} org=a/b id=7#7");
	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/v1")), "404");
	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/items")), "404");
	router_free(router);
}
END_TEST

START_TEST(names_of_mounts_come_before_those_of_routes)
{
	struct router *router = router_of(top_routes);
	const struct routes *routes = router_routes(router);

	ck_assert_str_eq(routes_named(routes, "v1.one")->pattern->text, "/v1/items/{id:int}");
	ck_assert_str_eq(routes_named(routes, "one")->pattern->text, "/orgs/{org}/items/{id:int}");
	ck_assert_str_eq(routes_named(routes, "v1.about")->pattern->text, "/v1/about");
	ck_assert_ptr_null(routes_named(routes, "v1"));
	router_free(router);
}
END_TEST

START_TEST(a_match_has_the_lists_of_its_mounts_first)
{
	struct router *router = router_of(top_routes);
	struct router_match match;

	ck_assert_int_eq(router_match(router, LEAT_METHOD_GET, LEAT_TEXT_OF("/v1/items/7"), &arena, &match),
			 ROUTER_FOUND);
	ck_assert_ptr_eq(match.middleware[0], &outer_list);
	ck_assert_ptr_eq(match.middleware[1], &inner_list);
	ck_assert_ptr_eq(match.middleware[2], &route_list);
	ck_assert_ptr_null(match.middleware[3]);
	ck_assert_int_eq(router_match(router, LEAT_METHOD_GET, LEAT_TEXT_OF("/orgs/x/about"), &arena, &match),
			 ROUTER_FOUND);
	ck_assert_ptr_null(match.middleware[0]);
	router_free(router);
}
END_TEST

START_TEST(routes_know_where_they_are_written)
{
	struct router *router = router_of(top_routes);
	char words[ROUTES_WORDS_SIZE];
	const struct routes_entry *entry = routes_named(router_routes(router), "v1.about");

	ck_assert_str_eq(routes_describe(words, entry->route, entry->pattern->text), "GET /v1/about (r.c:4)");
	router_free(router);
}
END_TEST

/* Reports ---------------------------------------------------------------------------------------------------------- */

START_TEST(a_name_belongs_to_one_route)
{
	static const struct leat_route table[] = { { AT(GET, 1), "/a", .handler = handler, .name = "x" },
						   { AT(GET, 2), "/b", .handler = handler, .name = "x" },
						   LEAT_ROUTES_END };

	check_error(table, "routes GET /a (r.c:1) and GET /b (r.c:2) have the same name, 'x'");
}
END_TEST

START_TEST(every_fault_is_told_at_once)
{
	static const struct leat_route table[] = { { AT(GET, 1), "/a", .handler = handler },
						   { AT(GET, 2), "/a", .handler = handler },
						   { AT(POST, 3), "b", .handler = handler },
						   { AT(PUT, 4), "/c", .handler = NULL },
						   { AT(PUT, 5), "/{x}", .handler = handler },
						   { AT(PUT, 6), "/{y}", .handler = handler },
						   LEAT_ROUTES_END };

	check_error(table, "route POST b (r.c:3): a pattern begins with '/'\n"
			   "route PUT /c (r.c:4): it needs a pattern, a method and a handler\n"
			   "routes GET /a (r.c:1) and GET /a (r.c:2) match the same paths\n"
			   "routes PUT /{x} (r.c:5) and PUT /{y} (r.c:6) match the same paths");
}
END_TEST

START_TEST(faults_that_find_no_room_are_counted)
{
	static const struct leat_route table[] = { { AT(GET, 1), "a", .handler = handler },
						   { AT(GET, 2), "b", .handler = handler },
						   { AT(GET, 3), "c", .handler = handler },
						   LEAT_ROUTES_END };
	char error[100];

	ck_assert_ptr_null(router_new((const struct leat_route *const[]){ table, NULL }, error, sizeof(error)));
	ck_assert_str_eq(error, "route GET a (r.c:1): a pattern begins with '/'\nand 2 more");
}
END_TEST

START_TEST(a_mount_has_a_prefix_and_nothing_of_a_route)
{
	static const struct leat_route slash[] = { { AT(NONE, 1), "/a/", .mounted = leaf_routes }, LEAT_ROUTES_END };
	static const struct leat_route relative[] = { { AT(NONE, 2), "a", .mounted = leaf_routes }, LEAT_ROUTES_END };
	static const struct leat_route handled[] = { { AT(NONE, 3), "/a", .handler = handler, .mounted = leaf_routes },
						     LEAT_ROUTES_END };

	check_error(slash, "mount /a/ (r.c:1): a prefix begins with '/' and does not end with one");
	check_error(relative, "mount a (r.c:2): a prefix begins with '/' and does not end with one");
	check_error(handled,
		    "mount /a (r.c:3): a mount has a prefix, a table, a name and middleware; all else belongs to "
		    "the routes of the table");
}
END_TEST

START_TEST(a_pattern_in_a_mount_begins_with_a_slash_or_is_empty)
{
	static const struct leat_route inside[] = { { AT(GET, 1), "x", .handler = handler }, LEAT_ROUTES_END };
	static const struct leat_route table[] = { LEAT_MOUNT("/a", inside), LEAT_ROUTES_END };

	check_error(table, "route GET x (r.c:1): a pattern begins with '/', or is empty in a table that is mounted");
}
END_TEST

START_TEST(a_table_that_mounts_itself_is_found_out)
{
	static const struct leat_route table[] = { { AT(NONE, 1), "/a", .mounted = table }, LEAT_ROUTES_END };

	check_error(table, "mount /a (r.c:1): mounts are 8 deep at most; does a table mount itself?");
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("routes");

	ARENA_CASE(s, "mounts", prefixes_and_patterns_are_one, names_of_mounts_come_before_those_of_routes,
		   a_match_has_the_lists_of_its_mounts_first, routes_know_where_they_are_written);
	ARENA_CASE(s, "reports", a_name_belongs_to_one_route, every_fault_is_told_at_once,
		   faults_that_find_no_room_are_counted, a_mount_has_a_prefix_and_nothing_of_a_route,
		   a_pattern_in_a_mount_begins_with_a_slash_or_is_empty, a_table_that_mounts_itself_is_found_out);
	return s;
}
