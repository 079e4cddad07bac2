/* t_url.c - the path to a named route, and that a request for it comes back to the route with the same values. */
#include "tests/unit/router_stand.h"

#include "base/calendar.h"
#include "base/uuid.h"
#include "http/uri.h"
#include "http/url.h"

static const struct leat_route table[] = { { LEAT_GET, "/", .handler = handler, .name = "home" },
					   { LEAT_GET, "/users/{id:int}", .handler = handler, .name = "user" },
					   { LEAT_GET, "/pages/{n:uint}", .handler = handler, .name = "page" },
					   { LEAT_GET, "/things/{id:uuid}", .handler = handler, .name = "thing" },
					   { LEAT_GET, "/days/{day:date}", .handler = handler, .name = "day" },
					   { LEAT_GET, "/tags/{name}/caf\xC3\xA9", .handler = handler, .name = "tag" },
					   { LEAT_GET, "/posts/{slug:[a-z-]+}", .handler = handler, .name = "post" },
					   { LEAT_GET, "/f/{name}.{ext}", .handler = handler, .name = "file" },
					   { LEAT_GET, "/files/{rest...}", .handler = handler, .name = "files" },
					   { LEAT_GET, "/{rest...}", .handler = handler, .name = "any" },
					   LEAT_ROUTES_END };
static struct router *router;

static void set_up_router(void)
{
	char error[512];

	set_up_arena();
	router = router_new((const struct leat_route *const[]){ table, NULL }, error, sizeof(error));
	ck_assert_msg(router != NULL, "%s", error);
}

static void tear_down_router(void)
{
	router_free(router);
	tear_down_arena();
}

/* The URL, or "fault: ..."; one is asked for, and must come to the route of its name. */
static const char *url_of(const char *name, const struct leat_arg *args, unsigned count)
{
	char fault[URL_FAULT_SIZE];
	leat_text url, path, query;
	struct router_match match;

	if (!url_write(router, name, args, count, &arena, &url, fault))
		return arena_format(&arena, "fault: %s", fault).ptr;
	ck_assert(uri_split(url, &path, &query));
	ck_assert_int_eq(router_match(router, LEAT_METHOD_GET, path, &arena, &match), ROUTER_FOUND);
	ck_assert_str_eq(match.route->name, name);
	for (unsigned i = 0; i < count; i++)
		if (args[i].kind == LEAT_ARG_TEXT)
			ck_assert(leat_text_equal(match.values[i], args[i].text));
	return arena_copy(&arena, url.ptr, url.len);
}
#define CHECK_URL(expected, name, ...) ck_assert_str_eq(url_of(name, LEAT_ARGS_(__VA_ARGS__)), expected)

START_TEST(writes_each_kind_of_value)
{
	leat_uuid id;

	ck_assert(uuid_read(LEAT_TEXT_OF("5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f"), &id));
	CHECK_URL("/", "home");
	CHECK_URL("/users/-7", "user", LEAT_ARG(-7));
	CHECK_URL("/users/7", "user", LEAT_ARG("7"));
	CHECK_URL("/pages/18", "page", LEAT_ARG(18));
	CHECK_URL("/things/5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f", "thing", LEAT_ARG(id));
	CHECK_URL("/days/1970-01-02", "day", LEAT_ARG((leat_time){ CALENDAR_DAY }));
	CHECK_URL("/posts/a-b", "post", LEAT_ARG("a-b"));
	CHECK_URL("/f/a.tar.gz", "file", LEAT_ARG("a.tar"), LEAT_ARG("gz"));
}
END_TEST

START_TEST(encodes_each_segment)
{
	CHECK_URL("/tags/a%2Fb/caf%C3%A9", "tag", LEAT_ARG("a/b"));
	CHECK_URL("/tags/100%25%20%3F%23%22%3C%5C/caf%C3%A9", "tag", LEAT_ARG("100% ?#\"<\\"));
	CHECK_URL("/tags/a+b=c@d:e/caf%C3%A9", "tag", LEAT_ARG("a+b=c@d:e"));
	CHECK_URL("/tags/%0D%0AX/caf%C3%A9", "tag", LEAT_ARG("\r\nX"));
	CHECK_URL("/f/a%2Fb.c", "file", LEAT_ARG("a/b"), LEAT_ARG("c"));
}
END_TEST

START_TEST(the_slashes_of_a_tail_stay)
{
	CHECK_URL("/files/", "files", LEAT_ARG(""));
	CHECK_URL("/files/a%20b//c/", "files", LEAT_ARG("a b//c/"));
}
END_TEST

START_TEST(refuses_what_is_missing_or_too_much)
{
	CHECK_URL("fault: no route has this name", "nobody");
	CHECK_URL("fault: /users/{id:int} has 1 parameters, and is given 0", "user");
	CHECK_URL("fault: /users/{id:int} has 1 parameters, and is given 2", "user", LEAT_ARG(1), LEAT_ARG(2));
	CHECK_URL("fault: {id} has no value", "user", LEAT_NULL);
	CHECK_URL("fault: {name} has no value", "tag", LEAT_ARG((const char *)NULL));
	CHECK_URL("fault: {id} takes an integer, a text, a UUID or a day", "user", LEAT_ARG(1.5));
}
END_TEST

START_TEST(refuses_what_does_not_fit_its_type)
{
	CHECK_URL("fault: '007' does not fit {id}", "user", LEAT_ARG("007"));
	CHECK_URL("fault: '-1' does not fit {n}", "page", LEAT_ARG(-1));
	CHECK_URL("fault: '7' does not fit {id}", "thing", LEAT_ARG(7));
	CHECK_URL("fault: '2023-02-29' does not fit {day}", "day", LEAT_ARG("2023-02-29"));
	CHECK_URL("fault: {day} takes an integer, a text, a UUID or a day", "day", LEAT_ARG((leat_time){ 1 }));
	CHECK_URL("fault: 'A' does not fit {slug}", "post", LEAT_ARG("A"));
	CHECK_URL("fault: '' does not fit {name}", "tag", LEAT_ARG(""));
	CHECK_URL("fault: the value of {name} is not UTF-8 or holds NUL", "tag", LEAT_ARG("\xFF"));
	CHECK_URL("fault: the value of {name} is not UTF-8 or holds NUL", "tag", LEAT_ARG(LEAT_TEXT_OF("a\0b")));
}
END_TEST

START_TEST(refuses_what_would_come_back_otherwise)
{
	CHECK_URL("fault: 'a' for {name} would be read back otherwise", "file", LEAT_ARG("a"), LEAT_ARG("b.c"));
	CHECK_URL("fault: a segment cannot be '.' or '..'", "tag", LEAT_ARG(".."));
	CHECK_URL("fault: a segment cannot be '.' or '..'", "files", LEAT_ARG("a/../b"));
}
END_TEST

START_TEST(never_names_a_host)
{
	CHECK_URL("/a", "any", LEAT_ARG("a"));
	CHECK_URL("fault: '//' at its start would name a host", "any", LEAT_ARG("/evil.example"));
	CHECK_URL("/%5Cevil.example", "any", LEAT_ARG("\\evil.example"));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("url");

	HARNESS_CASE_WITH(s, "urls", set_up_router, tear_down_router, writes_each_kind_of_value, encodes_each_segment,
			  the_slashes_of_a_tail_stay, refuses_what_is_missing_or_too_much,
			  refuses_what_does_not_fit_its_type, refuses_what_would_come_back_otherwise,
			  never_names_a_host);
	return s;
}
