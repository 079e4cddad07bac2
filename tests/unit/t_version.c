/* t_version.c - versions of resources that handlers check, and entity tags that are made of replies. */
#include <leat.h>
#include <stdio.h>
#include <string.h>

#include "http/request.h"
#include "tests/unit/arena_stand.h"
#include "tests/unit/harness.h"

static struct leat_request *request;

/* With up to two headers, as parameters. */
static void ask(const char *method, const char *first, const char *second)
{
	static const struct request_environment environment = { .default_deadline_ns = 1 };
	static const char *params[5];
	char *line = arena_alloc(&arena, 32);

	snprintf(line, 32, "REQUEST_METHOD=%s", method);
	params[0] = line;
	params[1] = "REQUEST_URI=/";
	params[2] = first;
	params[3] = first ? second : NULL;
	request = request_new(&arena, params, &environment, 0);
	ck_assert_int_eq(request_parse(request), LEAT_OK);
}

static const char *header(const char *name)
{
	const char *at = NULL;
	leat_text value = response_next_header(&request->response, leat_text_from(name), &at);

	return value.ptr ? arena_copy(&arena, value.ptr, value.len) : NULL;
}

static const struct leat_version seven = { .tag = { "7", 1 }, .modified = { INT64_C(784111777500000) } };

/* Checking --------------------------------------------------------------------------------------------------------- */

START_TEST(a_read_gets_the_validators)
{
	ask("GET", NULL, NULL);
	ck_assert_int_eq(leat_check_version(request, &seven), LEAT_OK);
	ck_assert_str_eq(header("ETag"), "\"7\"");
	ck_assert_str_eq(header("Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
}
END_TEST

START_TEST(a_write_does_not)
{
	ask("PUT", "HTTP_IF_MATCH=\"7\"", NULL);
	ck_assert_int_eq(leat_check_version(request, &seven), LEAT_OK);
	ck_assert_ptr_null(header("ETag"));
	ck_assert_int_eq(leat_reply_version(request, &(struct leat_version){ .tag = LEAT_TEXT_OF("8") }), LEAT_OK);
	ck_assert_int_eq(
		leat_reply_version(request, &(struct leat_version){ .tag = LEAT_TEXT_OF("9"), .is_weak = true }),
		LEAT_OK);
	ck_assert_str_eq(header("ETag"), "W/\"9\"");
}
END_TEST

START_TEST(verdicts_are_results)
{
	static const struct {
		const char *method, *header;
		enum leat_result result;
	} cases[] = {
		{ "GET", "HTTP_IF_NONE_MATCH=W/\"7\"", LEAT_NOT_MODIFIED },
		{ "HEAD", "HTTP_IF_NONE_MATCH=\"7\"", LEAT_NOT_MODIFIED },
		{ "GET", "HTTP_IF_NONE_MATCH=\"8\"", LEAT_OK },
		{ "GET", "HTTP_IF_MATCH=\"8\"", LEAT_PRECONDITION_FAILED },
		{ "PUT", "HTTP_IF_MATCH=\"8\"", LEAT_PRECONDITION_FAILED },
		{ "PATCH", "HTTP_IF_MATCH=W/\"7\"", LEAT_PRECONDITION_FAILED },
		{ "DELETE", "HTTP_IF_MATCH=7", LEAT_BAD_REQUEST },
		{ "POST", "HTTP_IF_NONE_MATCH=*", LEAT_PRECONDITION_FAILED },
		{ "POST", "HTTP_IF_MODIFIED_SINCE=Sun, 06 Nov 1994 08:49:37 GMT", LEAT_OK },
		{ "DELETE", "HTTP_IF_UNMODIFIED_SINCE=Sun, 06 Nov 1994 08:49:36 GMT", LEAT_PRECONDITION_FAILED },
		{ "OPTIONS", "HTTP_IF_MATCH=\"8\"", LEAT_OK },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(cases[i].method, cases[i].header, NULL);
		ck_assert_msg(leat_check_version(request, &seven) == cases[i].result, "%s %s", cases[i].method,
			      cases[i].header);
	}
}
END_TEST

START_TEST(what_must_match_is_not_changed_without_a_word)
{
	static const struct leat_version guarded = { .tag = { "7", 1 }, .must_match = true };
	static const struct leat_version creatable = { .is_absent = true, .must_match = true };
	static const struct {
		const char *method, *header;
		const struct leat_version *version;
		enum leat_result result;
	} cases[] = {
		{ "PUT", NULL, &guarded, LEAT_PRECONDITION_REQUIRED },
		{ "POST", NULL, &guarded, LEAT_PRECONDITION_REQUIRED },
		{ "PUT", "HTTP_IF_MATCH=\"7\"", &guarded, LEAT_OK },
		{ "PUT", "HTTP_IF_MATCH=*", &guarded, LEAT_OK },
		{ "PUT", "HTTP_IF_MATCH=\"6\"", &guarded, LEAT_PRECONDITION_FAILED },
		{ "PUT", "HTTP_IF_MATCH=", &guarded, LEAT_PRECONDITION_FAILED },
		{ "PUT", "HTTP_IF_NONE_MATCH=\"6\"", &guarded, LEAT_PRECONDITION_REQUIRED },
		{ "PUT", "HTTP_IF_UNMODIFIED_SINCE=Sun, 06 Nov 2094 08:49:37 GMT", &guarded,
		  LEAT_PRECONDITION_REQUIRED },
		{ "GET", NULL, &guarded, LEAT_OK },
		{ "PUT", NULL, &creatable, LEAT_OK },
		{ "PUT", "HTTP_IF_NONE_MATCH=*", &creatable, LEAT_OK },
		{ "PUT", "HTTP_IF_MATCH=*", &creatable, LEAT_PRECONDITION_FAILED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(cases[i].method, cases[i].header, NULL);
		ck_assert_msg(leat_check_version(request, cases[i].version) == cases[i].result, "%s %s",
			      cases[i].method, cases[i].header);
	}
}
END_TEST

START_TEST(a_time_makes_a_tag_with_its_microseconds)
{
	struct leat_version version = { .modified = { INT64_C(784111777500000) } };
	const char *tag;

	ask("GET", NULL, NULL);
	ck_assert_int_eq(leat_check_version(request, &version), LEAT_OK);
	tag = header("ETag");
	version.modified.us++;
	ck_assert_int_eq(leat_check_version(request, &version), LEAT_OK);
	ck_assert_str_ne(header("ETag"), tag);
}
END_TEST

START_TEST(nothing_was_modified_in_the_future)
{
	ask("GET", "HTTP_IF_MODIFIED_SINCE=Fri, 31 Dec 2100 00:00:00 GMT", NULL);
	ck_assert_int_eq(
		leat_check_version(request, &(struct leat_version){ .modified = { INT64_C(5000000000000000) } }),
		LEAT_OK); /* the year 2128 */
	ck_assert(strcmp(header("Last-Modified") + 12, "2127") < 0);
}
END_TEST

START_TEST(what_is_no_version_is_a_bug)
{
	static const struct leat_version bad[] = {
		{ .is_weak = true },           { .tag = { "", 0 } },
		{ .tag = { "a b", 3 } },       { .tag = { "a\"", 2 } },
		{ .tag = { "a\r\nX: y", 7 } }, { .tag = { "a\0", 2 } },
		{ .tag = { "\177", 1 } },      { .modified = { INT64_MAX } },
		{ .modified = { INT64_MIN } }, { .tag = { "a", 1 }, .is_weak = true, .must_match = true },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask("GET", NULL, NULL);
		ck_assert_int_eq(leat_check_version(request, &bad[i]), LEAT_INTERNAL);
		ck_assert_int_eq(leat_reply_version(request, &bad[i]), LEAT_INTERNAL);
		ck_assert_ptr_null(header("ETag"));
	}
}
END_TEST

/* Tags of replies -------------------------------------------------------------------------------------------------- */

static const struct leat_middleware etag = LEAT_ETAG;

static void reply_with(int status, const char *body)
{
	ck_assert_int_eq(leat_reply_text(request, status, "text/plain", leat_text_from(body)), LEAT_OK);
	etag.after(request, etag.options);
}

START_TEST(a_reply_has_a_tag_of_its_body)
{
	const char *one;

	ask("GET", NULL, NULL);
	reply_with(200, "one");
	one = header("ETag");
	ck_assert_uint_eq(strlen(one), LEAT_ETAG_LEN);
	ck_assert_str_eq(
		one,
		"\"dpLDrTVAu4A8Ags67mbNiIcS\""); /* printf one | openssl dgst -sha256 -binary | head -c18 | base64 */
	ask("HEAD", NULL, NULL);
	reply_with(200, "one");
	ck_assert_str_eq(header("ETag"), one);
	ask("GET", NULL, NULL);
	reply_with(200, "two");
	ck_assert_str_ne(header("ETag"), one);
}
END_TEST

START_TEST(some_replies_have_none)
{
	static const struct {
		const char *method, *body;
		int status;
	} cases[] = {
		{ "POST", "one", 200 }, { "PUT", "one", 200 }, { "GET", "one", 201 },
		{ "GET", "one", 404 },  { "GET", "one", 206 }, { "GET", "", 200 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(cases[i].method, "HTTP_IF_NONE_MATCH=*", NULL);
		reply_with(cases[i].status, cases[i].body);
		ck_assert_ptr_null(header("ETag"));
		ck_assert_int_eq(leat_reply_status(request), cases[i].status);
	}
}
END_TEST

START_TEST(a_tag_that_is_there_counts)
{
	ask("GET", "HTTP_IF_NONE_MATCH=\"mine\"", NULL);
	leat_reply_header(request, "ETag", LEAT_TEXT_OF("\"mine\""));
	reply_with(200, "one");
	ck_assert_int_eq(leat_reply_status(request), 304);
	ck_assert_str_eq(header("etag"), "\"mine\"");
}
END_TEST

/* RFC 9110 15.4.5. */
START_TEST(a_304_keeps_the_right_headers)
{
	static const char *const kept[] = {
		"Cache-Control", "Content-Location", "Date", "Expires", "Vary", "Set-Cookie"
	};
	static const char *const dropped[] = { "Last-Modified", "Content-Language", "Content-Encoding" };
	leat_text head;

	ask("GET", "HTTP_IF_NONE_MATCH=*", NULL);
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		leat_reply_header(request, dropped[i], LEAT_TEXT_OF("x"));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		leat_reply_header(request, kept[i], LEAT_TEXT_OF("x"));
	reply_with(200, "one");
	head = response_head(&request->response, &arena);
	ck_assert_str_eq(
		arena_copy(&arena, head.ptr, head.len),
		"Status: 304 Not Modified\r\nCache-Control: x\r\nContent-Location: x\r\nDate: x\r\nExpires: x\r\n"
		"Vary: x\r\nSet-Cookie: x\r\nETag: \"dpLDrTVAu4A8Ags67mbNiIcS\"\r\n\r\n");
	ck_assert_uint_eq(response_body(&request->response).len, 0);
}
END_TEST

START_TEST(a_read_of_another_version_is_412)
{
	ask("GET", "HTTP_IF_MATCH=\"other\"", NULL);
	leat_reply_header(request, "X-Secret", LEAT_TEXT_OF("x"));
	reply_with(200, "one");
	ck_assert_int_eq(leat_reply_status(request), 412);
	ck_assert(request->problem.is_reply);
	ck_assert_ptr_null(header("X-Secret"));
	ck_assert_ptr_null(header("ETag"));
}
END_TEST

LEAT_STATIC_JSON(fixed, "{}");

START_TEST(a_static_replys_tag_is_made_once)
{
	for (int i = 0; i < 3; i++) {
		ask("GET", NULL, NULL);
		ck_assert_int_eq(leat_reply_static(request, &fixed), LEAT_OK);
		etag.after(request, etag.options);
		ck_assert_str_eq(header("ETag"), "\"RBNvo1WzZ4oRRq0W9+hknpT7\"");
		ck_assert(memcmp(fixed.tag->text, "\"RBNvo1WzZ4oRRq0W9+hknpT7\"", LEAT_ETAG_LEN) == 0);
	}
	ask("GET", "HTTP_IF_NONE_MATCH=\"RBNvo1WzZ4oRRq0W9+hknpT7\"", NULL);
	ck_assert_int_eq(leat_reply_static(request, &fixed), LEAT_OK);
	etag.after(request, etag.options);
	ck_assert_int_eq(leat_reply_status(request), 304);
	ck_assert_uint_eq(response_body(&request->response).len, 0);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("version");

	ARENA_CASE(s, "checking", a_read_gets_the_validators, a_write_does_not, verdicts_are_results,
		   what_must_match_is_not_changed_without_a_word, a_time_makes_a_tag_with_its_microseconds,
		   nothing_was_modified_in_the_future, what_is_no_version_is_a_bug);
	ARENA_CASE(s, "tags", a_reply_has_a_tag_of_its_body, some_replies_have_none, a_tag_that_is_there_counts,
		   a_304_keeps_the_right_headers, a_read_of_another_version_is_412, a_static_replys_tag_is_made_once);
	return s;
}
