/* t_router_cases.c - where Chi, Gin, httprouter and Fiber disagree or fail: every row of the table in handlers/routing.md, by its
 * number. See router_stand.h for how answers read. */
#include "tests/unit/router_stand.h"

#include "http/uri.h"
#include "http/url.h"

enum { CASE_ROUTES_MAX = 8 };

/* A request and its answer. */
struct ask {
	const char *row;
	const char *routes[CASE_ROUTES_MAX];
	const char *method;
	const char *path;
	const char *answer;
};

static const struct ask asks[] = {
	{ "R1", { "GET /u/new", "GET /u/{id}" }, "GET", "/u/new", "GET /u/new" },
	{ "R1", { "GET /u/new", "GET /u/{id}" }, "GET", "/u/7", "GET /u/{id} id=7" },
	{ "R1", { "GET /src/", "GET /src/{rest...}" }, "GET", "/src/", "GET /src/" },
	{ "R1", { "GET /src/", "GET /src/{rest...}" }, "GET", "/src/a", "GET /src/{rest...} rest=a" },
	{ "R2", { "GET /{a}.{b}", "GET /{a}", "GET /{a}-{b}", "GET /x-{b}" }, "GET", "/x-y", "GET /x-{b} b=y" },
	{ "R2", { "GET /{a}.{b}", "GET /{a}", "GET /{a}-{b}", "GET /x-{b}" }, "GET", "/z-y", "GET /{a}-{b} a=z b=y" },
	{ "R2", { "GET /{a:[a-z]+}", "GET /{b:[a-z0-9]+}" }, "GET", "/x", "GET /{b:[a-z0-9]+} b=x" },
	{ "R3", { "GET /a/b", "GET /a/{p}/c", "GET /{p}/d" }, "GET", "/a/d", "GET /{p}/d p=a" },
	{ "R3", { "GET /{a:int}-{b:int}/x", "GET /{a}-{b}/y" }, "GET", "/1-2/y", "GET /{a}-{b}/y a=1 b=2" },
	{ "R6", { "GET /users/{id}/c" }, "GET", "/users//c", "404" },
	{ "R6", { "GET /f/{name}.{ext}" }, "GET", "/f/.gz", "404" },
	{ "R7", { "GET /foo-{suffix:[a-z]{2,3}}.json" }, "GET", "/foo-.json", "404" },
	{ "R7", { "GET /foo-{suffix:[a-z]*}.json" }, "GET", "/foo-.json", "404" },
	{ "R7",
	  { "GET /foo-{suffix:[a-z]{2,3}}.json" },
	  "GET",
	  "/foo-ab.json",
	  "GET /foo-{suffix:[a-z]{2,3}}.json suffix=ab" },
	{ "R8", { "GET /f/{p:.+}.json" }, "GET", "/f/a/b.json", "404" },
	{ "R8", { "GET /f/{p:.+}.json" }, "GET", "/f/a%2Fb.json", "GET /f/{p:.+}.json p=a/b" },
	{ "R8", { "GET /f/{p:[^/]+}.json" }, "GET", "/f/a%2Fb.json", "404" },
	{ "R8", { "GET /{a}-{b}" }, "GET", "/x/y-z", "404" },
	{ "R9", { "GET /f/{name}.json" }, "GET", "/f/a.b.json", "GET /f/{name}.json name=a.b" },
	{ "R9", { "GET /{a}--{b}" }, "GET", "/x-z--y", "GET /{a}--{b} a=x-z b=y" },
	{ "R9", { "GET /f/{name}.{ext}" }, "GET", "/f/a.tar.gz", "GET /f/{name}.{ext} name=a.tar ext=gz" },
	{ "R12", { "GET /f/{name}" }, "GET", "/f/a%2Fb", "GET /f/{name} name=a/b" },
	{ "R12", { "GET /f/{name}" }, "GET", "/f/a%252Fb", "GET /f/{name} name=a%2Fb" },
	{ "R12", { "GET /f/{name}" }, "GET", "/f/It's%20x", "GET /f/{name} name=It's x" },
	{ "R13", { "GET /f/{name}" }, "GET", "/f/a+b", "GET /f/{name} name=a+b" },
	{ "R14", { "GET /x/{rest...}" }, "GET", "/x/a/b", "GET /x/{rest...} rest=a/b" },
	{ "R14", { "GET /x/{rest...}" }, "GET", "/x/", "GET /x/{rest...} rest=" },
	{ "R14", { "GET /x/{rest...}" }, "GET", "/x", "404" },
	{ "R14", { "GET /x/{rest...}" }, "GET", "/x/a//b", "GET /x/{rest...} rest=a//b" },
	{ "R15", { "GET /x" }, "GET", "/x/", "404" },
	{ "R15", { "GET /x", "GET /x/" }, "GET", "/x/", "GET /x/" },
	{ "R18", { "GET /x" }, "GET", "/X", "404" },
	{ "R19", { "GET /x", "POST /x" }, "PUT", "/x", "405 GET, HEAD, OPTIONS, POST" },
	{ "R19", { "GET /x/{a}", "POST /{b}/y" }, "PUT", "/x/y", "405 GET, HEAD, OPTIONS, POST" },
	{ "R19", { "GET /x" }, "DIE", "/x", "405 GET, HEAD, OPTIONS" },
	{ "R19", { "GET /x" }, "DIE", "/y", "404" },
	{ "R20", { "GET /x" }, "HEAD", "/x", "GET /x" },
	{ "R20", { "GET /x", "HEAD /x" }, "HEAD", "/x", "HEAD /x" },
	{ "R21", { "GET /x", "POST /x" }, "OPTIONS", "/x", "OPTIONS GET, HEAD, OPTIONS, POST" },
	{ "R21", { "GET /x" }, "OPTIONS", "/y", "404" },
	{ "R22", { "GET /x/{a:(a+)+[bc]}" }, "GET", "/x/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "limit" },
	{ "R22", { "GET /x/{a:(a+)+[bc]}" }, "GET", "/x/aaaab", "GET /x/{a:(a+)+[bc]} a=aaaab" },
};

/* A table that is refused, and why. */
static const struct refusal {
	const char *row;
	const char *routes[CASE_ROUTES_MAX];
	const char *reason;
} refusals[] = {
	{ "R4", { "GET /a", "GET /a" }, "routes GET /a and GET /a match the same paths" },
	{ "R4",
	  { "GET /u/{name}/x", "GET /u/{id}/x" },
	  "routes GET /u/{id}/x and GET /u/{name}/x match the same paths" },
	{ "R4",
	  { "GET /{a:int}.{b}", "GET /{c:int}.{d}" },
	  "routes GET /{a:int}.{b} and GET /{c:int}.{d} match the same paths" },
	{ "R4",
	  { "GET /{a:[a-z]+}", "GET /{b:[a-z]+}" },
	  "routes GET /{a:[a-z]+} and GET /{b:[a-z]+} match the same paths" },
	{ "R5",
	  { "GET /a", "GET /a", "GET /{b" },
	  "route GET /{b: a '{' is never closed\n"
	  "routes GET /a and GET /a match the same paths" },
	{ "R10",
	  { "GET /{a}{b}" },
	  "route GET /{a}{b}: nothing tells where {a} ends and {b} begins: put text between them" },
	{ "R10", { "GET /{}" }, "route GET /{}: a parameter needs a name of letters, digits, '_' and '-'" },
	{ "R11", { "GET /{a:uid}" }, "route GET /{a:uid}: ':uid' is no type; there are int, uint, uuid and date" },
	{ "R14",
	  { "GET /{rest...}/a" },
	  "route GET /{rest...}/a: {rest...} takes the rest of the path, so nothing can follow it" },
};

/* Where a path without a route is redirected to, with redirect_slash on; NULL: nowhere. */
static const struct slash {
	const char *row;
	const char *routes[CASE_ROUTES_MAX];
	const char *method;
	const char *target;
	const char *location;
} slashes[] = {
	{ "R15", { "GET /x" }, "GET", "/x/", "/x" },
	{ "R15", { "GET /x/" }, "GET", "/x", "/x/" },
	{ "R15", { "POST /x" }, "POST", "/x/?a=%20b&c", "/x?a=%20b&c" },
	{ "R15", { "GET /{a}" }, "HEAD", "/a%2Fb/", "/a%2Fb" },
	{ "R15", { "POST /x" }, "OPTIONS", "/x/", "/x" },
	{ "R16", { "GET /blog/{a}/", "POST /blog" }, "GET", "/blog/", NULL },
	{ "R16", { "POST /x" }, "GET", "/x/", NULL },
	{ "R16", { "GET /x" }, "GET", "/x//", NULL },
	{ "R16", { "GET /x" }, "GET", "/", NULL },
	{ "R17", { "GET /{rest...}", "GET //evil.example" }, "GET", "//evil.example/", NULL },
	{ "R17", { "GET //evil.example/" }, "GET", "//evil.example", NULL },
	{ "R17", { "GET /{a}" }, "GET", "/\\evil.example/", "/%5Cevil.example" },
	{ "R17", { "GET /{a}" }, "GET", "http://other.example/x/", "/x" },
	{ "R17", { "GET /" }, "GET", "//", "/" },
};

/* Tests ------------------------------------------------------------------------------------------------------------ */

START_TEST(answers_as_the_table_says)
{
	const struct ask *ask = &asks[_i];
	const struct question question = { ask->method, ask->path, ask->answer };

	check_answers(ask->routes, &question, 1);
}
END_TEST

START_TEST(refuses_what_the_table_says)
{
	check_refused(refusals[_i].routes, refusals[_i].reason);
}
END_TEST

START_TEST(redirects_where_the_table_says)
{
	const struct slash *slash = &slashes[_i];
	char error[512];
	struct router *router = make(slash->routes, false, error, sizeof(error));
	enum leat_method method = method_from_text(leat_text_from(slash->method));
	leat_text path, query, url;

	ck_assert_msg(router != NULL, "%s", error);
	ck_assert(uri_split(leat_text_from(slash->target), &path, &query));
	if (!slash->location)
		ck_assert(!url_other_slash(router, method, path, query, &arena, &url));
	else if (url_other_slash(router, method, path, query, &arena, &url))
		ck_assert_str_eq(arena_copy(&arena, url.ptr, url.len), slash->location);
	else
		ck_abort_msg("%s: %s is not redirected", slash->row, slash->target);
	router_free(router);
}
END_TEST

/* Dots are resolved by clients, and again by front servers: a tail never holds any. */
START_TEST(r23_refuses_dots_before_anything_is_matched)
{
	leat_text path, query;

	ck_assert(!uri_split(LEAT_TEXT_OF("/x/../etc"), &path, &query));
	ck_assert(!uri_split(LEAT_TEXT_OF("/x/%2e%2E/etc"), &path, &query));
}
END_TEST

static const struct leat_route inner[] = { { LEAT_GET, "", .handler = handler },
					   { LEAT_GET, "/{id}", .handler = handler },
					   LEAT_ROUTES_END };

static const char *answer_of_mount(const char *path)
{
	static const struct leat_route outer[] = { LEAT_MOUNT("/users", inner), LEAT_ROUTES_END };
	char error[512];
	struct router *router = router_new((const struct leat_route *const[]){ outer, NULL }, error, sizeof(error));
	const char *given;

	ck_assert_msg(router != NULL, "%s", error);
	given = answer(router, "GET", leat_text_from(path));
	router_free(router);
	return given;
}

START_TEST(r24_mounts_what_the_table_has_and_nothing_else)
{
	ck_assert_str_eq(answer_of_mount("/users"), "GET /users");
	ck_assert_str_eq(answer_of_mount("/users/"), "404");
	ck_assert_str_eq(answer_of_mount("/users/7"), "GET /users/{id} id=7");
	ck_assert_str_eq(answer_of_mount("/users/7/8"), "404");
}
END_TEST

START_TEST(r24_refuses_a_parameter_that_hides_that_of_its_mount)
{
	static const struct leat_route outer[] = { LEAT_MOUNT("/orgs/{id}", inner), LEAT_ROUTES_END };
	char error[512];

	ck_assert_ptr_null(router_new((const struct leat_route *const[]){ outer, NULL }, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "/orgs/{id}/{id} ("));
	ck_assert_ptr_nonnull(strstr(error, "two parameters are named 'id'"));
}
END_TEST

/* The files and lines are those of the rows. */
START_TEST(r4_names_both_routes_with_file_and_line)
{
	static const struct leat_route one[] = { { LEAT_GET, "/a/{x}", .handler = handler }, LEAT_ROUTES_END };
	static const struct leat_route two[] = { { LEAT_GET, "/a/{y}", .handler = handler }, LEAT_ROUTES_END };
	const struct leat_route *const tables[] = { one, two, NULL };
	char error[1024], expected[1024];

	snprintf(expected, sizeof(expected), "routes GET /a/{x} (%s:%d) and GET /a/{y} (%s:%d) match the same paths",
		 __FILE__, one[0].verb.line, __FILE__, one[0].verb.line + 1);
	ck_assert_ptr_null(router_new(tables, error, sizeof(error)));
	ck_assert_str_eq(error, expected);
}
END_TEST

/* Chi gives both one name. */
START_TEST(r25_tells_a_path_and_the_same_with_a_slash_apart)
{
	static const struct leat_route table[] = { { LEAT_GET, "/x", .handler = handler },
						   { LEAT_GET, "/x/", .handler = handler },
						   LEAT_ROUTES_END };
	char error[512];
	struct router *router = router_new((const struct leat_route *const[]){ table, NULL }, error, sizeof(error));
	struct router_match match;

	ck_assert_int_eq(router_match(router, LEAT_METHOD_GET, LEAT_TEXT_OF("/x/"), &arena, &match), ROUTER_FOUND);
	ck_assert_str_eq(match.pattern, "/x/");
	router_free(router);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite(void)
{
	Suite *s = suite_create("router cases");
	TCase *tables = tcase_create("tables");

	ARENA_CASE(s, "others", r23_refuses_dots_before_anything_is_matched,
		   r24_mounts_what_the_table_has_and_nothing_else, r24_refuses_a_parameter_that_hides_that_of_its_mount,
		   r4_names_both_routes_with_file_and_line, r25_tells_a_path_and_the_same_with_a_slash_apart);
	tcase_add_checked_fixture(tables, set_up_arena, tear_down_arena);
	tcase_add_loop_test(tables, answers_as_the_table_says, 0, COUNT(asks));
	tcase_add_loop_test(tables, refuses_what_the_table_says, 0, COUNT(refusals));
	tcase_add_loop_test(tables, redirects_where_the_table_says, 0, COUNT(slashes));
	suite_add_tcase(s, tables);
	return s;
}
