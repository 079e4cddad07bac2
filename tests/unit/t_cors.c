/* t_cors.c - origins, policies, and what replies and preflights say of them. */
#include "http/cors.h"

#include <leat/limit.h>
#include <string.h>

#include "http/method.h"
#include "http/middleware.h"
#include "http/origin.h"
#include "http/request.h"
#include "tests/unit/arena_stand.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Origins -------------------------------------------------------------------------------------------------------------- */

static const char origins
	[] = "https://a.example.org http://localhost:5173 https://*.example.com https://*.example.net:8443 app://shop "
	     "http://[::1]:3000";

static const struct {
	const char *origin;
	bool is_listed;
} origin_cases[] = {
	{ "https://a.example.org", true },
	{ "http://a.example.org", false },
	{ "https://a.example.org:8443", false },
	{ "https://a.example.org.evil.org", false },
	{ "https://b.a.example.org", false },
	{ "https://A.example.org", false },
	{ "https://a.example.org/", false },
	{ "http://localhost:5173", true },
	{ "http://localhost:5174", false },
	{ "http://localhost", false },
	{ "https://x.example.com", true },
	{ "https://x.y.example.com", true },
	{ "https://xn--bcher-kva.example.com", true },
	{ "https://example.com", false },
	{ "https://.example.com", false },
	{ "https://x..example.com", false },
	{ "https://evilexample.com", false },
	{ "https://x.example.com.evil.org", false },
	{ "https://x.example.com:8443", false },
	{ "https://evil.org/.example.com", false },
	{ "https://evil.org#.example.com", false },
	{ "https://evil.org:80.example.com", false },
	{ "https://user@x.example.com", false },
	{ "https://x y.example.com", false },
	{ "https://x\r\nY: z.example.com", false },
	{ "http://x.example.com", false },
	{ "https://x.example.net:8443", true },
	{ "https://x.example.net", false },
	{ "app://shop", true },
	{ "http://[::1]:3000", true },
	{ "null", false },
	{ "*", false },
	{ "", false },
	{ "https://a.example.org https://x.example.com", false },
	{ "https://a.example.org, https://x.example.com", false },
	{ "https://*.example.com", false },
};

START_TEST(origins_are_compared)
{
	ck_assert_ptr_null(origin_list_fault(origins));
	ck_assert_int_eq(origin_list_has(origins, leat_text_from(origin_cases[_i].origin)), origin_cases[_i].is_listed);
	ck_assert(!origin_list_has("*", leat_text_from(origin_cases[_i].origin)));
}
END_TEST

static const struct {
	const char *list, *fault; /* NULL: none */
} lists[] = {
	{ "*", NULL },
	{ " https://a.org  https://b.org ", NULL },
	{ "http://localhost", NULL },
	{ "https://*.shop.example.org", NULL },
	{ "chrome-extension://abcdefgh", NULL },
	{ NULL, "names no origin" },
	{ "", "names no origin" },
	{ "null", "any page can have" },
	{ "https://a.org null", "any page can have" },
	{ "* https://a.org", "stands alone" },
	{ "https://a.org *", "stands alone" },
	{ "* *", "stands alone" },
	{ "a.org", "no origin" },
	{ "https://", "no origin" },
	{ "https://a.org/", "no origin" },
	{ "https://a.org/path", "no origin" },
	{ "https://A.org", "no origin" },
	{ "https://b\xC3\xBC"
	  "cher.org",
	  "no origin" },
	{ "https://a.org,https://b.org", "bad port" },
	{ "HTTPS://a.org", "bad scheme" },
	{ "://a.org", "bad scheme" },
	{ "https://a.org:443", "scheme's own port" },
	{ "http://a.org:80", "scheme's own port" },
	{ "https://a.org:", "bad port" },
	{ "https://a.org:08", "bad port" },
	{ "https://a.org:65536", "bad port" },
	{ "http://localhost:*", "bad port" },
	{ "https://*", "no origin" },
	{ "https://*.org", "top-level" },
	{ "https://a*.example.org", "no origin" },
	{ "https://a.*.example.org", "no origin" },
	{ "https://*.*.example.org", "no origin" },
	{ "*://a.org", "bad scheme" },
	{ "http://[::1", "no origin" },
	{ "http://*.[::1]", "no origin" },
};

START_TEST(lists_are_checked)
{
	const char *fault = origin_list_fault(lists[_i].list);

	if (!lists[_i].fault) {
		ck_assert_ptr_null(fault);
		return;
	}
	ck_assert_ptr_nonnull(fault);
	ck_assert_msg(strstr(fault, lists[_i].fault) != NULL, "%s", fault);
}
END_TEST

/* Policies ------------------------------------------------------------------------------------------------------------- */

static const struct {
	struct leat_cors policy;
	const char *fault;
} policies[] = {
	{ { .origins = "*" }, NULL },
	{ { .origins = "*", .headers = "*", .expose = "*" }, NULL },
	{ { .origins = "https://a.org", .methods = "GET, HEAD,PUT", .credentials = true }, NULL },
	{ { .origins = NULL }, "names no origin" },
	{ { .origins = "*", .credentials = true }, "any origin" },
	{ { .origins = "https://a.org", .headers = "*", .credentials = true }, "for a name" },
	{ { .origins = "https://a.org", .expose = "*", .credentials = true }, "for a name" },
	{ { .origins = "*", .methods = "get" }, ".methods" },
	{ { .origins = "*", .methods = "" }, ".methods" },
	{ { .origins = "*", .methods = "*" }, ".methods" },
	{ { .origins = "*", .methods = "GET PUT" }, ".methods" },
	{ { .origins = "*", .headers = "If-Match," }, ".headers" },
	{ { .origins = "*", .headers = "X Y" }, ".headers" },
	{ { .origins = "*", .expose = "ETag\r\nX: y" }, ".expose" },
};

START_TEST(policies_are_checked)
{
	const char *fault = leat_cors_check_(&policies[_i].policy);

	ck_assert_int_eq(fault != NULL, policies[_i].fault != NULL);
	if (fault)
		ck_assert_msg(strstr(fault, policies[_i].fault) != NULL, "%s", fault);
}
END_TEST

/* Replies -------------------------------------------------------------------------------------------------------------- */

static const struct leat_cors outer = { .origins = "https://outer.org", .max_age_s = 60, .expose = "ETag" };
static const struct leat_cors inner = { .origins = "https://inner.org", .credentials = true, .headers = "If-Match" };
static const struct leat_cors open_policy = { .origins = "*", .methods = "GET, HEAD" };

static const struct leat_middleware inner_list[] = { LEAT_TIMEOUT(1000), LEAT_CORS(&inner), LEAT_MIDDLEWARE_END };
static const struct leat_middleware open_list[] = { LEAT_CORS(&open_policy), LEAT_MIDDLEWARE_END };

static enum leat_result handler(struct leat_request *req)
{
	return leat_reply_empty(req, 204);
}

static const struct leat_route mounted[] = { { LEAT_GET, "/open", handler, .middleware = open_list },
					     { LEAT_GET, "/inner", handler, .name = "inner" },
					     LEAT_ROUTES_END };
static const struct leat_route routes[] = { { LEAT_GET, "/plain", handler, .name = "plain" },
					    { LEAT_PUT, "/mixed", handler, .middleware = inner_list },
					    { LEAT_GET, "/mixed", handler, .middleware = open_list },
					    { LEAT_OPTIONS, "/mixed", handler, .name = "own" },
					    LEAT_MOUNT("/m", mounted, .middleware = inner_list),
					    LEAT_ROUTES_END };

static struct request_environment environment = { .default_deadline_ns = 1 };

static void set_up(void)
{
	static const struct leat_route *const tables[] = { routes, NULL };
	char error[1024];

	set_up_arena();
	environment.router = router_new(tables, error, sizeof(error));
	ck_assert_msg(environment.router != NULL, "%s", error);
}

static void tear_down(void)
{
	router_free((struct router *)environment.router);
	tear_down_arena();
}

/* "METHOD /path", perhaps with " origin" and " method" behind it. */
static struct leat_request *request_of(const char *text)
{
	char *words[4] = { NULL }, *copy = arena_copy(&arena, text, strlen(text) + 1);
	const char **params = arena_zalloc(&arena, 5 * sizeof(*params));
	struct leat_request *req;

	for (unsigned i = 0; i < 4 && (words[i] = strsep(&copy, " ")); i++)
		;
	params[0] = arena_format(&arena, "REQUEST_METHOD=%s", words[0]).ptr;
	params[1] = arena_format(&arena, "REQUEST_URI=%s", words[1]).ptr;
	params[2] = words[2] ? arena_format(&arena, "HTTP_ORIGIN=%s", words[2]).ptr : NULL;
	params[3] = words[3] ? arena_format(&arena, "HTTP_ACCESS_CONTROL_REQUEST_METHOD=%s", words[3]).ptr : NULL;
	req = request_new(&arena, params, &environment, 0);
	ck_assert_int_eq(request_parse(req), LEAT_OK);
	return req;
}

static const char *headers_of(struct leat_request *req)
{
	return arena_format(&arena, "%.*s", LEAT_TEXT_PRINTF(buffer_as_text(&req->response.headers))).ptr;
}

#define VARY      "Vary: Origin\r\n"
#define PREFLIGHT "Vary: Origin, Access-Control-Request-Method\r\n"
#define ORIGIN    "Access-Control-Allow-Origin: "
#define OUTER     ORIGIN "https://outer.org\r\n"
#define INNER     ORIGIN "https://inner.org\r\nAccess-Control-Allow-Credentials: true\r\n"
#define ALL       "Access-Control-Allow-Methods: DELETE, GET, HEAD, PATCH, POST, PUT\r\n"
#define USUAL     "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"

struct telling {
	const char *request, *headers; /* NULL: it is no preflight, or has no policy */
};

static const struct telling replies[] = {
	{ "GET /plain https://outer.org", VARY OUTER "Access-Control-Expose-Headers: ETag\r\n" },
	{ "GET /plain https://inner.org", VARY },
	{ "GET /plain null", VARY },
	{ "GET /plain", VARY },
	{ "GET /nowhere https://outer.org", VARY OUTER "Access-Control-Expose-Headers: ETag\r\n" },
	{ "GET /m/inner https://inner.org", VARY INNER },
	{ "GET /m/inner https://outer.org", VARY },
	{ "GET /m/open https://inner.org", ORIGIN "*\r\n" },
	{ "GET /m/open", ORIGIN "*\r\n" },
	{ "HEAD /m/open null", ORIGIN "*\r\n" },
	{ "PUT /mixed https://inner.org", VARY INNER },
};

/* As if the nearest policy's hook had not been begun, or had: it makes no difference. */
START_TEST(replies_tell_of_the_nearest_policy)
{
	for (unsigned hooks = 1; hooks <= 2; hooks++) {
		struct leat_request *req = request_of(replies[_i].request);

		(void)router_match(environment.router, req->method, req->path, &arena, &req->match);
		for (unsigned i = 0; i < hooks; i++)
			leat_cors_after_(req, &outer);
		ck_assert_str_eq(headers_of(req), replies[_i].headers);
	}
}
END_TEST

static const struct telling preflights[] = {
	{ "OPTIONS /plain https://outer.org GET", PREFLIGHT OUTER ALL USUAL "Access-Control-Max-Age: 60\r\n" },
	{ "OPTIONS /plain https://evil.org GET", PREFLIGHT },
	{ "OPTIONS /plain null GET", PREFLIGHT },
	{ "OPTIONS /nowhere https://outer.org PUT", PREFLIGHT OUTER ALL USUAL "Access-Control-Max-Age: 60\r\n" },
	{ "OPTIONS /plain https://outer.org BREW", PREFLIGHT OUTER ALL USUAL "Access-Control-Max-Age: 60\r\n" },
	{ "OPTIONS /m/inner https://inner.org GET", PREFLIGHT INNER ALL "Access-Control-Allow-Headers: If-Match\r\n" },
	{ "OPTIONS /m/inner https://outer.org GET", PREFLIGHT },
	{ "OPTIONS /m/open https://any.org GET",
	  PREFLIGHT ORIGIN "*\r\nAccess-Control-Allow-Methods: GET, HEAD\r\n" USUAL },
	{ "OPTIONS /mixed https://inner.org PUT", PREFLIGHT INNER ALL "Access-Control-Allow-Headers: If-Match\r\n" },
	{ "OPTIONS /mixed https://inner.org GET",
	  PREFLIGHT ORIGIN "*\r\nAccess-Control-Allow-Methods: GET, HEAD\r\n" USUAL },
	{ "OPTIONS /mixed https://inner.org POST", PREFLIGHT },
	{ "OPTIONS /plain https://outer.org", NULL },
	{ "OPTIONS /plain", NULL },
	{ "GET /plain https://outer.org GET", NULL },
};

START_TEST(preflights_are_answered_by_the_route_asked_for)
{
	struct leat_request *req = request_of(preflights[_i].request);

	ck_assert_int_eq(cors_preflight(req, &outer), LEAT_OK);
	ck_assert_int_eq(leat_reply_status(req), preflights[_i].headers ? 204 : 0);
	leat_cors_after_(req, &inner);
	if (preflights[_i].headers)
		ck_assert_str_eq(headers_of(req), preflights[_i].headers);
}
END_TEST

static const struct {
	const char *request;
	int status;
} alone[] = {
	{ "OPTIONS /plain https://outer.org GET", 0 },
	{ "OPTIONS /nowhere https://outer.org GET", 0 },
	{ "OPTIONS /m/inner https://inner.org GET", 204 },
	{ "OPTIONS /m/inner https://inner.org DELETE", 0 },
};

START_TEST(without_the_services_policy_only_routes_have_one)
{
	struct leat_request *req = request_of(alone[_i].request);

	ck_assert_int_eq(cors_preflight(req, NULL), LEAT_OK);
	ck_assert_int_eq(leat_reply_status(req), alone[_i].status);
}
END_TEST

START_TEST(a_method_that_is_not_listed_is_not_allowed)
{
	struct leat_request *req = request_of("POST /m/open https://any.org");

	leat_cors_after_(req, &open_policy);
	ck_assert_str_eq(headers_of(req), "");
	req = request_of("OPTIONS /nowhere https://any.org POST");
	ck_assert_int_eq(cors_preflight(req, &open_policy), LEAT_OK);
	ck_assert_str_eq(headers_of(req), PREFLIGHT);
}
END_TEST

START_TEST(what_the_handler_says_stays)
{
	struct leat_request *req = request_of("GET /plain https://outer.org");

	ck_assert_int_eq(leat_reply_header(req, "access-control-allow-origin", LEAT_TEXT_OF("*")), LEAT_OK);
	leat_cors_after_(req, &outer);
	ck_assert_str_eq(headers_of(req), "access-control-allow-origin: *\r\n" VARY);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("cors");
	TCase *tcase = tcase_create("options");

	suite_add_tcase(s, tcase);
	tcase_add_loop_test(tcase, origins_are_compared, 0, COUNT(origin_cases));
	tcase_add_loop_test(tcase, lists_are_checked, 0, COUNT(lists));
	tcase_add_loop_test(tcase, policies_are_checked, 0, COUNT(policies));
	tcase = HARNESS_CASE(s, "replies", a_method_that_is_not_listed_is_not_allowed, what_the_handler_says_stays);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, replies_tell_of_the_nearest_policy, 0, COUNT(replies));
	tcase_add_loop_test(tcase, preflights_are_answered_by_the_route_asked_for, 0, COUNT(preflights));
	tcase_add_loop_test(tcase, without_the_services_policy_only_routes_have_one, 0, COUNT(alone));
	return s;
}
