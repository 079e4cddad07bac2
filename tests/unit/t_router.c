/* t_router.c - the router, mostly as tables: routes, a request, and what comes of it. See router_stand.h for how they read. */
#include "tests/unit/router_stand.h"

#include <stdlib.h>

/* Priority and backtracking --------------------------------------------------------------------------------------- */

START_TEST(prefers_literal_then_int_then_any_then_tail)
{
	CHECK_ANSWERS(ROUTES("GET /u/new", "GET /u/{id:int}", "GET /u/{name}", "GET /u/{rest...}"),
		      { "GET", "/u/new", "GET /u/new" }, { "GET", "/u/7", "GET /u/{id:int} id=7#7" },
		      { "GET", "/u/newer", "GET /u/{name} name=newer" }, { "GET", "/u/ne", "GET /u/{name} name=ne" },
		      { "GET", "/u/new/x", "GET /u/{rest...} rest=new/x" }, { "GET", "/u/", "GET /u/{rest...} rest=" });
}
END_TEST

/* Gin answers 404 here: its backtracking is incomplete. */
START_TEST(goes_back_where_gin_gives_up)
{
	CHECK_ANSWERS(ROUTES("GET /a/b", "GET /a/{p}/c", "GET /{p}/d"), { "GET", "/a/b", "GET /a/b" },
		      { "GET", "/a/d", "GET /{p}/d p=a" }, { "GET", "/a/b/c", "GET /a/{p}/c p=b" },
		      { "GET", "/x/d", "GET /{p}/d p=x" }, { "GET", "/a/c", "404" });
}
END_TEST

START_TEST(goes_back_over_several_levels)
{
	CHECK_ANSWERS(ROUTES("GET /a/b/c/d", "GET /a/b/{x}/e", "GET /a/{x}/c/f", "GET /{x}/b/c/g", "GET /{rest...}"),
		      { "GET", "/a/b/c/d", "GET /a/b/c/d" }, { "GET", "/a/b/c/e", "GET /a/b/{x}/e x=c" },
		      { "GET", "/a/b/c/f", "GET /a/{x}/c/f x=b" }, { "GET", "/a/b/c/g", "GET /{x}/b/c/g x=a" },
		      { "GET", "/a/b/c/h", "GET /{rest...} rest=a/b/c/h" });
}
END_TEST

START_TEST(goes_back_from_int_to_any)
{
	CHECK_ANSWERS(ROUTES("GET /{id:int}/a", "GET /{name}/b"), { "GET", "/7/a", "GET /{id:int}/a id=7#7" },
		      { "GET", "/7/b", "GET /{name}/b name=7" }, { "GET", "/x/a", "404" });
}
END_TEST

/* A route of another method must not hide one that can answer. */
START_TEST(considers_only_routes_of_the_method)
{
	CHECK_ANSWERS(ROUTES("PUT /users/me", "GET /users/{id}"), { "GET", "/users/me", "GET /users/{id} id=me" },
		      { "PUT", "/users/me", "PUT /users/me" });
}
END_TEST

/* httprouter refuses these tables. */
START_TEST(takes_literals_beside_parameters)
{
	CHECK_ANSWERS(ROUTES("GET /src/", "GET /src/{file...}", "GET /src/main", "GET /{x}/main"),
		      { "GET", "/src/", "GET /src/" }, { "GET", "/src/main", "GET /src/main" },
		      { "GET", "/src/a/b", "GET /src/{file...} file=a/b" },
		      { "GET", "/lib/main", "GET /{x}/main x=lib" });
}
END_TEST

START_TEST(lets_routes_name_the_same_place_differently)
{
	CHECK_ANSWERS(ROUTES("GET /u/{id}", "GET /u/{user}/posts", "PUT /u/{name}"),
		      { "GET", "/u/7", "GET /u/{id} id=7" }, { "GET", "/u/7/posts", "GET /u/{user}/posts user=7" },
		      { "PUT", "/u/7", "PUT /u/{name} name=7" });
}
END_TEST

/* Segments --------------------------------------------------------------------------------------------------------- */

START_TEST(counts_a_trailing_slash)
{
	CHECK_ANSWERS(ROUTES("GET /a", "GET /b/", "GET /c", "GET /c/"), { "GET", "/a", "GET /a" },
		      { "GET", "/a/", "404" }, { "GET", "/b", "404" }, { "GET", "/b/", "GET /b/" },
		      { "GET", "/c", "GET /c" }, { "GET", "/c/", "GET /c/" });
}
END_TEST

/* Chi, Gin and httprouter let a parameter in the middle be empty. */
START_TEST(never_lets_a_parameter_be_empty)
{
	CHECK_ANSWERS(ROUTES("GET /users/{id}/c", "GET /users/{id}", "GET /n/{n:int}"), { "GET", "/users//c", "404" },
		      { "GET", "/users/", "404" }, { "GET", "/n/", "404" });
}
END_TEST

START_TEST(matches_an_empty_segment_only_where_the_pattern_has_one)
{
	CHECK_ANSWERS(ROUTES("GET /", "GET /a//b", "GET /x"), { "GET", "/", "GET /" }, { "GET", "/a//b", "GET /a//b" },
		      { "GET", "//", "404" }, { "GET", "/a/b", "404" }, { "GET", "//x", "404" }, { "GET", "", "404" },
		      { "GET", "*", "404" });
}
END_TEST

START_TEST(gives_a_tail_all_the_rest_without_its_slash)
{
	CHECK_ANSWERS(ROUTES("GET /f/{rest...}", "GET /g/{x}/{rest...}"), { "GET", "/f/", "GET /f/{rest...} rest=" },
		      { "GET", "/f/a", "GET /f/{rest...} rest=a" },
		      { "GET", "/f/a//b/", "GET /f/{rest...} rest=a//b/" }, { "GET", "/f", "404" },
		      { "GET", "/g/a/b/c", "GET /g/{x}/{rest...} x=a rest=b/c" }, { "GET", "/g/a", "404" });
}
END_TEST

START_TEST(tells_apart_literals_that_begin_alike)
{
	CHECK_ANSWERS(ROUTES("GET /subscription", "GET /subscriptions", "GET /subscribers", "GET /sub", "GET /subscrib",
			     "GET /subscriptiom"),
		      { "GET", "/subscription", "GET /subscription" },
		      { "GET", "/subscriptions", "GET /subscriptions" }, { "GET", "/subscribers", "GET /subscribers" },
		      { "GET", "/sub", "GET /sub" }, { "GET", "/subscrib", "GET /subscrib" },
		      { "GET", "/subscriptiom", "GET /subscriptiom" }, { "GET", "/subscriptio", "404" },
		      { "GET", "/subscriptionz", "404" }, { "GET", "/su", "404" });
}
END_TEST

START_TEST(takes_integers_in_their_one_spelling)
{
	CHECK_ANSWERS(
		ROUTES("GET /i/{n:int}"), { "GET", "/i/0", "GET /i/{n:int} n=0#0" },
		{ "GET", "/i/-5", "GET /i/{n:int} n=-5#-5" },
		{ "GET", "/i/9223372036854775807", "GET /i/{n:int} n=9223372036854775807#9223372036854775807" },
		{ "GET", "/i/-9223372036854775808", "GET /i/{n:int} n=-9223372036854775808#-9223372036854775808" },
		{ "GET", "/i/9223372036854775808", "404" }, { "GET", "/i/007", "404" }, { "GET", "/i/+7", "404" },
		{ "GET", "/i/-0", "404" }, { "GET", "/i/1.0", "404" }, { "GET", "/i/0x10", "404" },
		{ "GET", "/i/%37", "GET /i/{n:int} n=7#7" });
}
END_TEST

/* Segments are read eight bytes at a step. */
START_TEST(finds_segments_of_every_length)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst";
	static const char digits[] = "0123456789012345678901234567890123456789";

	for (int len = 1; len < 40; len++) {
		const char *pattern = arena_format(&arena, "GET /%.*s/{id}/%.*s", len, letters, len, letters).ptr;
		const char *path = arena_format(&arena, "/%.*s/%.*s/%.*s", len, letters, len, digits, len, letters).ptr;
		const char *longer = arena_format(&arena, "%sx", path).ptr;
		const char *expected = arena_format(&arena, "%s id=%.*s", pattern, len, digits).ptr;

		CHECK_ANSWERS(ROUTES(pattern), { "GET", path, expected }, { "GET", longer, "404" });
	}
}
END_TEST

/* Escapes ---------------------------------------------------------------------------------------------------------- */

/* Chi delivers a%2Fb for both of the first; httprouter splits there; Gin reads '+' as a blank. */
START_TEST(decodes_each_parameter_once)
{
	CHECK_ANSWERS(
		ROUTES("GET /f/{name}", "GET /f/{name}/x"), { "GET", "/f/a%2Fb", "GET /f/{name} name=a/b" },
		{ "GET", "/f/a%252Fb", "GET /f/{name} name=a%2Fb" },
		{ "GET", "/f/It's%20x", "GET /f/{name} name=It's x" }, { "GET", "/f/a+b", "GET /f/{name} name=a+b" },
		{ "GET", "/f/a%2Fb/x", "GET /f/{name}/x name=a/b" }, { "GET", "/f/%2F/x", "GET /f/{name}/x name=/" },
		{ "GET", "/f/caf%C3%A9", "GET /f/{name} name=caf\xC3\xA9" },
		{ "GET", "/f/caf\xC3\xA9", "GET /f/{name} name=caf\xC3\xA9" });
}
END_TEST

START_TEST(matches_literals_in_their_escaped_spelling)
{
	CHECK_ANSWERS(ROUTES("GET /caf\xC3\xA9", "GET /a b", "GET /admin/{x}"),
		      { "GET", "/caf%C3%A9", "GET /caf\xC3\xA9" }, { "GET", "/caf\xC3\xA9", "GET /caf\xC3\xA9" },
		      { "GET", "/a%20b", "GET /a b" }, { "GET", "/%61dmin/7", "GET /admin/{x} x=7" },
		      { "GET", "/%61dmi%6E/%2F", "GET /admin/{x} x=/" });
}
END_TEST

START_TEST(never_splits_at_an_escaped_slash)
{
	CHECK_ANSWERS(ROUTES("GET /a/b", "GET /t/{rest...}"), { "GET", "/a%2Fb", "404" }, { "GET", "/t%2Fx", "404" },
		      { "GET", "/t/x%2Fy/z", "GET /t/{rest...} rest=x/y/z" });
}
END_TEST

START_TEST(refuses_paths_that_cannot_be_decoded)
{
	CHECK_ANSWERS(ROUTES("GET /f/{name}"), { "GET", "/f/%", "400" }, { "GET", "/f/%2", "400" },
		      { "GET", "/f/%zz", "400" }, { "GET", "/f/%00", "400" }, { "GET", "/f/%FF", "400" },
		      { "GET", "/f/\xC0\xAF", "400" }, { "GET", "/unknown/%", "400" }, { "POST", "/f/%", "400" });
}
END_TEST

START_TEST(refuses_a_nul_in_the_path)
{
	char error[512];
	struct router *router = make(ROUTES("GET /f/{name}"), false, error, sizeof(error));

	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/f/a\0b")), "400");
	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/f/a\0bcdefghijkl")), "400");
	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/f/\0")), "400");
	router_free(router);
}
END_TEST

START_TEST(needs_no_memory_for_a_plain_path)
{
	char error[512];
	struct router *router = make(ROUTES("GET /f/{name}/{n:int}/{rest...}"), false, error, sizeof(error));
	struct router_match match;
	leat_text path = LEAT_TEXT_OF("/f/a/7/b/c");

	ck_assert_int_eq(router_match(router, LEAT_METHOD_GET, path, &arena, &match), ROUTER_FOUND);
	ck_assert_ptr_eq(match.values[0].ptr, path.ptr + 3);
	ck_assert_ptr_null(arena.blocks);
	router_free(router);
}
END_TEST

/* Methods ---------------------------------------------------------------------------------------------------------- */

START_TEST(answers_head_with_gets_route)
{
	CHECK_ANSWERS(ROUTES("GET /a", "GET /b", "HEAD /b", "POST /c", "GET /d/{x}", "HEAD /d/{y}"),
		      { "HEAD", "/a", "GET /a" }, { "HEAD", "/b", "HEAD /b" }, { "HEAD", "/c", "405 OPTIONS, POST" },
		      { "HEAD", "/d/7", "HEAD /d/{y} y=7" });
}
END_TEST

/* A literal of GET's comes before a parameter of HEAD's. */
START_TEST(weighs_heads_and_gets_routes_together)
{
	CHECK_ANSWERS(ROUTES("GET /a/new", "HEAD /a/{x}"), { "HEAD", "/a/new", "GET /a/new" },
		      { "HEAD", "/a/old", "HEAD /a/{x} x=old" });
}
END_TEST

START_TEST(allows_what_any_matching_pattern_allows)
{
	CHECK_ANSWERS(ROUTES("GET /u/{id}", "PUT /u/{name}", "DELETE /u/me", "PATCH /{x}/{y}", "POST /v"),
		      { "POST", "/u/me", "405 DELETE, GET, HEAD, OPTIONS, PATCH, PUT" },
		      { "POST", "/u/7", "405 GET, HEAD, OPTIONS, PATCH, PUT" }, { "GET", "/v", "405 OPTIONS, POST" },
		      { "POST", "/w", "404" }, { "POST", "/u", "404" });
}
END_TEST

START_TEST(answers_options_by_itself)
{
	CHECK_ANSWERS(ROUTES("GET /a", "POST /a", "OPTIONS /b", "PUT /b"),
		      { "OPTIONS", "/a", "OPTIONS GET, HEAD, OPTIONS, POST" }, { "OPTIONS", "/b", "OPTIONS /b" },
		      { "OPTIONS", "/c", "404" }, { "GET", "/b", "405 OPTIONS, PUT" });
}
END_TEST

START_TEST(refuses_methods_that_it_does_not_know)
{
	CHECK_ANSWERS(ROUTES("GET /a"), { "DIE", "/a", "405 GET, HEAD, OPTIONS" },
		      { "get", "/a", "405 GET, HEAD, OPTIONS" }, { "DIE", "/b", "404" });
}
END_TEST

START_TEST(names_every_method_as_it_reads_it)
{
	for (enum leat_method method = LEAT_METHOD_GET; method < LEAT_METHOD_COUNT; method++)
		ck_assert_int_eq(method_from_text(leat_text_from(method_name(method))), method);
	ck_assert_int_eq(method_from_text(LEAT_TEXT_OF("NONE")), LEAT_METHOD_NONE);
	ck_assert_int_eq(method_from_text(LEAT_TEXT_OF("")), LEAT_METHOD_NONE);
	ck_assert_int_eq(method_from_text(LEAT_TEXT_OF("GETS")), LEAT_METHOD_NONE);
}
END_TEST

/* Start-up --------------------------------------------------------------------------------------------------------- */

START_TEST(names_both_routes_of_a_conflict)
{
	check_refused(ROUTES("GET /a", "PUT /a", "GET /a"), "routes GET /a and GET /a match the same paths");
	check_refused(ROUTES("GET /u/{name}/x", "GET /u/{id}/x"),
		      "routes GET /u/{id}/x and GET /u/{name}/x match the same paths");
	check_refused(ROUTES("POST /f/{a...}", "POST /f/{b...}"),
		      "routes POST /f/{a...} and POST /f/{b...} match the same paths");
	check_refused(ROUTES("GET /n/{a:int}", "GET /n/{b:int}"),
		      "routes GET /n/{a:int} and GET /n/{b:int} match the same paths");
}
END_TEST

START_TEST(takes_routes_that_differ_in_kind_only)
{
	char error[512];
	struct router *router = make(
		ROUTES("GET /a/{x}", "GET /a/{x:int}", "GET /a/{x...}", "HEAD /a/{x}", "PUT /a/{x}"), false, error,
		sizeof(error));

	ck_assert_msg(router != NULL, "%s", error);
	router_free(router);
}
END_TEST

START_TEST(says_what_is_wrong_with_a_pattern)
{
	check_refused(ROUTES("GET users"), "route GET users: a pattern begins with '/'");
	check_refused(ROUTES("GET "), "route GET : a pattern begins with '/'");
	check_refused(ROUTES("GET /a/{id"), "route GET /a/{id: a '{' is never closed");
	check_refused(ROUTES("GET /a/{id/b}"), "route GET /a/{id/b}: '/b' cannot follow a parameter's name; there are "
					       "{name}, {name:type}, {name:expression} and {name...}");
	check_refused(ROUTES("GET /a/id}"), "route GET /a/id}: a '}' closes nothing");
	check_refused(ROUTES("GET /a/}{"), "route GET /a/}{: a '{' is never closed");
	check_refused(ROUTES("GET /{id}/{id}"), "route GET /{id}/{id}: two parameters are named 'id'");
	check_refused(ROUTES("GET /{rest...}/a"),
		      "route GET /{rest...}/a: {rest...} takes the rest of the path, so nothing can follow it");
	check_refused(ROUTES("GET /{}"), "route GET /{}: a parameter needs a name of letters, digits, '_' and '-'");
	check_refused(ROUTES("GET /{:int}"),
		      "route GET /{:int}: a parameter needs a name of letters, digits, '_' and '-'");
	check_refused(ROUTES("GET /a%20b"),
		      "route GET /a%20b: write the character itself, not its escape; it matches both in a path");
	check_refused(ROUTES("GET /a?b"), "route GET /a?b: a path holds no '?'");
	check_refused(ROUTES("GET /\xFF"), "route GET /\xFF: it is not UTF-8");
	check_refused(ROUTES("GET /{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}/{q}"),
		      "route GET /{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}/{q}: "
		      "a pattern has 16 parameters at most");
}
END_TEST

START_TEST(refuses_a_route_without_a_handler)
{
	static const struct leat_route table[] = { { { LEAT_METHOD_GET, 1, "r.c" }, "/a", .handler = NULL },
						   LEAT_ROUTES_END };
	char error[512];

	ck_assert_ptr_null(router_new((const struct leat_route *const[]){ table, NULL }, error, sizeof(error)));
	ck_assert_str_eq(error, "route GET /a (r.c:1): it needs a pattern, a method and a handler");
}
END_TEST

START_TEST(works_without_any_route)
{
	const struct leat_route *const none[] = { NULL };
	char error[512];
	struct router *router = router_new(none, error, sizeof(error));

	ck_assert_str_eq(answer(router, "GET", LEAT_TEXT_OF("/")), "404");
	router_free(router);
}
END_TEST

START_TEST(lists_routes_in_order_with_their_index)
{
	char error[512];
	struct router *router = make(ROUTES("PUT /b", "GET /b", "GET /a/{x}", "GET /a"), false, error, sizeof(error));
	leat_text list = LEAT_TEXT_OF("");

	for (unsigned i = 0; i < router_routes(router)->count; i++) {
		const struct routes_entry *entry = &router_routes(router)->entries[i];

		list = arena_format(&arena, "%.*s%u:%s %s\n", LEAT_TEXT_PRINTF(list), entry->index,
				    method_name(entry->route->verb.method), entry->pattern->text);
	}
	ck_assert_str_eq(list.ptr, "3:GET /a\n2:GET /a/{x}\n1:GET /b\n0:PUT /b\n");
	router_free(router);
}
END_TEST

START_TEST(numbers_routes_over_all_tables)
{
	static const struct leat_route first[] = { { LEAT_GET, "/a", .handler = handler },
						   { LEAT_GET, "/b", .handler = handler },
						   LEAT_ROUTES_END };
	static const struct leat_route empty[] = { LEAT_ROUTES_END };
	static const struct leat_route second[] = { { LEAT_GET, "/c", .handler = handler }, LEAT_ROUTES_END };
	const struct leat_route *const tables[] = { first, empty, second, NULL };
	char error[512];
	struct router *router = router_new(tables, error, sizeof(error));
	struct router_match match;

	ck_assert_int_eq(router_match(router, LEAT_METHOD_GET, LEAT_TEXT_OF("/c"), &arena, &match), ROUTER_FOUND);
	ck_assert_uint_eq(match.index, 2);
	ck_assert_ptr_eq(match.route, &second[0]);
	router_free(router);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("router");

	ARENA_CASE(s, "priority", prefers_literal_then_int_then_any_then_tail, goes_back_where_gin_gives_up,
		   goes_back_over_several_levels, goes_back_from_int_to_any, considers_only_routes_of_the_method,
		   takes_literals_beside_parameters, lets_routes_name_the_same_place_differently);
	ARENA_CASE(s, "segments", counts_a_trailing_slash, never_lets_a_parameter_be_empty,
		   matches_an_empty_segment_only_where_the_pattern_has_one, gives_a_tail_all_the_rest_without_its_slash,
		   tells_apart_literals_that_begin_alike, takes_integers_in_their_one_spelling,
		   finds_segments_of_every_length);
	ARENA_CASE(s, "escapes", decodes_each_parameter_once, matches_literals_in_their_escaped_spelling,
		   never_splits_at_an_escaped_slash, refuses_paths_that_cannot_be_decoded, refuses_a_nul_in_the_path,
		   needs_no_memory_for_a_plain_path);
	ARENA_CASE(s, "methods", answers_head_with_gets_route, weighs_heads_and_gets_routes_together,
		   allows_what_any_matching_pattern_allows, answers_options_by_itself,
		   refuses_methods_that_it_does_not_know, names_every_method_as_it_reads_it);
	ARENA_CASE(s, "start-up", names_both_routes_of_a_conflict, takes_routes_that_differ_in_kind_only,
		   says_what_is_wrong_with_a_pattern, refuses_a_route_without_a_handler, works_without_any_route,
		   lists_routes_in_order_with_their_index, numbers_routes_over_all_tables);
	return s;
}
