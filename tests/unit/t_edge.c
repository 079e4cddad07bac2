/* t_edge.c - security headers, timeouts and body limits of a group, and the request's id. */
#include <leat.h>
#include <string.h>

#include "base/clock.h"
#include "http/client.h"
#include "http/request.h"
#include "http/request_id.h"
#include "tests/unit/arena_stand.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct request_environment environment = { .default_deadline_ns = CLOCK_S };

static struct leat_request *request_with(const char *param)
{
	const char **params = arena_zalloc(&arena, 3 * sizeof(*params));

	params[0] = "REMOTE_ADDR=192.0.2.1";
	params[1] = param;
	return request_new(&arena, params, &environment, 0);
}

static const char *headers_of(struct leat_request *req)
{
	return arena_format(&arena, "%.*s", LEAT_TEXT_PRINTF(buffer_as_text(&req->response.headers))).ptr;
}

/* Security headers ----------------------------------------------------------------------------------------------------- */

#define NOSNIFF  "X-Content-Type-Options: nosniff\r\n"
#define POLICY   "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
#define REFERRER "Referrer-Policy: no-referrer\r\n"
#define RESOURCE "Cross-Origin-Resource-Policy: same-origin\r\n"

static const struct leat_security hsts = { .hsts_max_age_s = 31536000, .hsts_subdomains = true };
static const struct leat_security own = { .content_policy = "default-src 'self'",
					  .referrer_policy = "",
					  .resource_policy = "cross-origin",
					  .permissions = "camera=()",
					  .hsts_max_age_s = 60 };

START_TEST(defaults_are_those_of_an_api)
{
	struct leat_request *req = request_with("HTTPS=on");

	leat_security_after_(req, NULL);
	ck_assert_str_eq(headers_of(req), NOSNIFF POLICY REFERRER RESOURCE);
}
END_TEST

START_TEST(strict_transport_is_for_https_alone)
{
	struct leat_request *req = request_with("HTTPS=on");

	leat_security_after_(req, &hsts);
	ck_assert_ptr_nonnull(
		strstr(headers_of(req), "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"));
	req = request_with("HTTP_X_FORWARDED_PROTO=https");
	leat_security_after_(req, &hsts);
	ck_assert_str_eq(headers_of(req), NOSNIFF POLICY REFERRER RESOURCE);
}
END_TEST

START_TEST(options_replace_and_leave_out)
{
	struct leat_request *req = request_with("HTTPS=on");

	leat_security_after_(req, &own);
	ck_assert_str_eq(headers_of(req), NOSNIFF
			 "Content-Security-Policy: default-src 'self'\r\nCross-Origin-Resource-Policy: cross-origin\r\n"
			 "Permissions-Policy: camera=()\r\nStrict-Transport-Security: max-age=60\r\n");
}
END_TEST

START_TEST(what_is_set_is_not_doubled)
{
	struct leat_request *req = request_with(NULL);

	ck_assert_int_eq(leat_reply_header(req, "content-security-policy", LEAT_TEXT_OF("x")), LEAT_OK);
	ck_assert_int_eq(leat_reply_header(req, "X-Referrer-Policy", LEAT_TEXT_OF("x")), LEAT_OK);
	leat_security_after_(req, NULL);
	leat_security_after_(req, NULL);
	ck_assert_str_eq(headers_of(req),
			 "content-security-policy: x\r\nX-Referrer-Policy: x\r\n" NOSNIFF REFERRER RESOURCE);
}
END_TEST

START_TEST(security_options_are_checked)
{
	ck_assert_ptr_null(leat_security_check_(NULL));
	ck_assert_ptr_null(leat_security_check_(&own));
	ck_assert_ptr_nonnull(leat_security_check_(&(struct leat_security){ .permissions = "a\r\nb" }));
	ck_assert_ptr_nonnull(leat_security_check_(&(struct leat_security){ .hsts_subdomains = true }));
}
END_TEST

/* Limits --------------------------------------------------------------------------------------------------------------- */

static const struct leat_middleware limits[] = { LEAT_TIMEOUT(500), LEAT_TIMEOUT(2000), LEAT_BODY_LIMIT(100),
						 LEAT_BODY_LIMIT(200), LEAT_MIDDLEWARE_END };

START_TEST(limits_only_ever_lower)
{
	struct leat_request *req = request_with(NULL);

	for (const struct leat_middleware *each = limits; each->name; each++)
		ck_assert_int_eq(each->before(req, each->options), LEAT_OK);
	ck_assert_int_eq(req->call.deadline_ns, 500 * CLOCK_MS);
	ck_assert_int_eq(req->deadline_most_ns, 500 * CLOCK_MS);
	ck_assert_uint_eq(req->body_most, 100);
	req = request_with(NULL);
	ck_assert_int_eq(limits[1].before(req, limits[1].options), LEAT_OK);
	ck_assert_int_eq(req->call.deadline_ns, CLOCK_S);
}
END_TEST

START_TEST(timeouts_are_checked)
{
	static const int64_t none = 0, least = 1, most = 3600000, more = 3600001;

	ck_assert_ptr_null(leat_timeout_check_(&least));
	ck_assert_ptr_null(leat_timeout_check_(&most));
	ck_assert_ptr_nonnull(leat_timeout_check_(&none));
	ck_assert_ptr_nonnull(leat_timeout_check_(&more));
}
END_TEST

/* Ids ------------------------------------------------------------------------------------------------------------------ */

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"
#define ZEROS "0000000000000000"

static const struct {
	const char *given, *traceparent, *id; /* NULL: one of our own */
} ids[] = {
	{ "a.b_C-1", "00-" TRACE "-" SPAN "-01", "a.b_C-1" },
	{ "a b", "00-" TRACE "-" SPAN "-01", TRACE "-" SPAN },
	{ "", "00-" TRACE "-" SPAN "-00", TRACE "-" SPAN },
	{ "", "cc-" TRACE "-" SPAN "-01", TRACE "-" SPAN },
	{ "", "cc-" TRACE "-" SPAN "-01-what-comes", TRACE "-" SPAN },
	{ "", "cc-" TRACE "-" SPAN "-01.what", NULL },
	{ "", "00-" TRACE "-" SPAN "-01-more", NULL },
	{ "", "ff-" TRACE "-" SPAN "-01", NULL },
	{ "", "00-" ZEROS ZEROS "-" SPAN "-01", NULL },
	{ "", "00-" TRACE "-" ZEROS "-01", NULL },
	{ "", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", NULL },
	{ "", "00-" TRACE "-" SPAN "-0", NULL },
	{ "", "00-" TRACE "-" SPAN, NULL },
	{ "", "00_" TRACE "-" SPAN "-01", NULL },
	{ "", "00-" TRACE "_" SPAN "-01", NULL },
	{ "", "00-" TRACE "-" SPAN "_01", NULL },
	{ "", "0g-" TRACE "-" SPAN "-01", NULL },
	{ "", "", NULL },
	{ "a\r\nb", "", NULL },
	{ "a\"b", "", NULL },
	{ "a, b", "", NULL },
};

START_TEST(ids_are_taken_if_they_are_sane)
{
	leat_text id = request_id(&arena, leat_text_from(ids[_i].given), leat_text_from(ids[_i].traceparent));

	if (ids[_i].id)
		ck_assert(leat_text_equal(id, leat_text_from(ids[_i].id)));
	else
		ck_assert_uint_eq(id.len, REQUEST_ID_SIZE);
}
END_TEST

START_TEST(an_id_has_128_bytes_at_most)
{
	char text[129];

	memset(text, 'x', sizeof(text));
	ck_assert_uint_eq(request_id(&arena, (leat_text){ text, 128 }, (leat_text){ NULL, 0 }).len, 128);
	ck_assert_uint_eq(request_id(&arena, (leat_text){ text, 129 }, (leat_text){ NULL, 0 }).len, REQUEST_ID_SIZE);
}
END_TEST

START_TEST(an_id_is_sent_back_once)
{
	struct leat_request *req = request_with("HTTP_TRACEPARENT=00-" TRACE "-" SPAN "-01");

	leat_request_id_after_(req, NULL);
	leat_request_id_after_(req, NULL);
	ck_assert_str_eq(headers_of(req), "X-Request-Id: " TRACE "-" SPAN "\r\n");
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("edge");
	TCase *tcase;

	ARENA_CASE(s, "security", defaults_are_those_of_an_api, strict_transport_is_for_https_alone,
		   options_replace_and_leave_out, what_is_set_is_not_doubled, security_options_are_checked);
	ARENA_CASE(s, "limits", limits_only_ever_lower, timeouts_are_checked);
	tcase = HARNESS_CASE(s, "ids", an_id_has_128_bytes_at_most, an_id_is_sent_back_once);
	tcase_add_checked_fixture(tcase, set_up_arena, tear_down_arena);
	tcase_add_loop_test(tcase, ids_are_taken_if_they_are_sane, 0, COUNT(ids));
	return s;
}
