/* t_output.c - what may stand in a reply's head, where redirects may lead, which part of a file is asked for, and events on the wire. */
#include <leat.h>
#include <string.h>

#include "http/event_text.h"
#include "http/header.h"
#include "http/media_type.h"
#include "http/range.h"
#include "http/redirect.h"
#include "http/response.h"
#include "http/set_cookie.h"
#include "tests/unit/harness.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static struct arena_pool *pool;
static struct arena arena;
static struct buffer out;

static void set_up(void)
{
	pool = arena_pool_new(0);
	arena_init(&arena, pool);
	buffer_init(&out, &arena, 64);
}

static void tear_down(void)
{
	arena_reset(&arena);
	arena_pool_free(pool);
}

static const char *written(void)
{
	return arena_copy(&arena, out.data, out.len);
}

/* Headers ------------------------------------------------------------------------------------------------------------ */

START_TEST(a_header_is_a_line)
{
	ck_assert_ptr_null(header_write(&out, LEAT_TEXT_OF("X-Name"), LEAT_TEXT_OF("a value: with all \t sorts")));
	ck_assert_str_eq(written(), "X-Name: a value: with all \t sorts\r\n");
}
END_TEST

START_TEST(a_header_is_never_two)
{
	static const struct {
		leat_text name, value;
	} refused[] = {
		{ { "", 0 }, { "x", 1 } },
		{ { "X-A:", 4 }, { "x", 1 } },
		{ { "X A", 3 }, { "x", 1 } },
		{ { "X-A\r\nX-B", 8 }, { "x", 1 } },
		{ { "X-\xC3\xA9", 4 }, { "x", 1 } },
		{ { "X\0A", 3 }, { "x", 1 } },
		{ { "X-A", 3 }, { "x\ny", 3 } },
		{ { "X-A", 3 }, { "x\ry", 3 } },
		{ { "X-A", 3 }, { "x\r\nSet-Cookie: a=b", 18 } },
		{ { "X-A", 3 }, { "x\0y", 3 } },
		{ { "Status", 6 }, { "200 OK", 6 } },
		{ { "content-length", 14 }, { "7", 1 } },
		{ { "Transfer-Encoding", 17 }, { "chunked", 7 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		ck_assert_msg(header_write(&out, refused[i].name, refused[i].value) != NULL, "%zu: %s", i,
			      refused[i].name.ptr);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

static bool has_head(const struct response *response, const char *expected)
{
	return leat_text_equal(response_head(response, &arena), leat_text_from(expected));
}

START_TEST(a_stream_tells_its_length_only_when_it_is_known)
{
	struct response response = { 0 };

	response_set_stream(&response, 200, "text/plain", -1);
	ck_assert_int_eq(has_head(&response, "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n"), 1);
	response_set_stream(&response, 206, "text/plain", 7);
	ck_assert_int_eq(has_head(&response, "Status: 206 Partial Content\r\nContent-Type: text/plain\r\n"
					     "Content-Length: 7\r\n\r\n"),
			 1);
}
END_TEST

static leat_text vary_of(const struct response *response)
{
	const char *at = NULL;

	return response_next_header(response, LEAT_TEXT_OF("Vary"), &at);
}

START_TEST(a_copy_has_headers_of_its_own)
{
	struct response response = { 0 }, copy;

	response_add_header(&response, &arena, LEAT_TEXT_OF("Vary"), LEAT_TEXT_OF("Origin"));
	copy = response_copy(&response, &arena);
	response_drop_header(&copy, LEAT_TEXT_OF("Vary"));
	response_add_header(&copy, &arena, LEAT_TEXT_OF("Vary"), LEAT_TEXT_OF("Origin, Accept"));
	ck_assert_int_eq(leat_text_equal(vary_of(&response), LEAT_TEXT_OF("Origin")), 1);
	ck_assert_int_eq(leat_text_equal(vary_of(&copy), LEAT_TEXT_OF("Origin, Accept")), 1);
}
END_TEST

/* Cookies ------------------------------------------------------------------------------------------------------------ */

START_TEST(a_cookie_is_safe_unless_told_otherwise)
{
	static const struct {
		struct leat_cookie cookie;
		const char *expected;
	} cases[] = {
		{ { .name = "a", .value = { "b", 1 } }, "a=b; Path=/; Secure; HttpOnly; SameSite=Lax" },
		{ { .name = "a", .value = { NULL, 0 }, .max_age_s = -1 },
		  "a=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax" },
		{ { .name = "a", .value = { "b=c", 3 }, .max_age_s = 60 },
		  "a=b=c; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax" },
		{ { .name = "a",
		    .value = { "b", 1 },
		    .path = "/x",
		    .domain = "example.org",
		    .same_site = LEAT_SAME_SITE_STRICT },
		  "a=b; Path=/x; Domain=example.org; Secure; HttpOnly; SameSite=Strict" },
		{ { .name = "a", .value = { "b", 1 }, .for_scripts = true, .over_http = true },
		  "a=b; Path=/; SameSite=Lax" },
		{ { .name = "a", .value = { "b", 1 }, .same_site = LEAT_SAME_SITE_NONE },
		  "a=b; Path=/; Secure; HttpOnly; SameSite=None" },
		{ { .name = "__Host-a", .value = { "b", 1 } }, "__Host-a=b; Path=/; Secure; HttpOnly; SameSite=Lax" },
		{ { .name = "__Secure-a", .value = { "b", 1 }, .domain = "example.org" },
		  "__Secure-a=b; Path=/; Domain=example.org; Secure; HttpOnly; SameSite=Lax" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		out.len = 0;
		ck_assert_ptr_null(set_cookie_write(&out, &cases[i].cookie));
		ck_assert_str_eq(written(), cases[i].expected);
	}
}
END_TEST

START_TEST(a_bad_cookie_is_refused)
{
	static char long_value[5000];
	const struct leat_cookie cases[] = {
		{ .name = NULL },
		{ .name = "" },
		{ .name = "a b" },
		{ .name = "a=b" },
		{ .name = "a;b" },
		{ .name = "a\r\n" },
		{ .name = "a", .value = LEAT_TEXT_OF("b c") },
		{ .name = "a", .value = LEAT_TEXT_OF("b;c") },
		{ .name = "a", .value = LEAT_TEXT_OF("b,c") },
		{ .name = "a", .value = LEAT_TEXT_OF("\"b\"") },
		{ .name = "a", .value = LEAT_TEXT_OF("b\\c") },
		{ .name = "a", .value = LEAT_TEXT_OF("b\r\nX: y") },
		{ .name = "a", .value = LEAT_TEXT_OF("b\0") },
		{ .name = "a", .value = LEAT_TEXT_OF("caf\xC3\xA9") },
		{ .name = "a", .value = { long_value, 4096 } },
		{ .name = "a", .path = "x" },
		{ .name = "a", .path = "" },
		{ .name = "a", .path = "/x;Domain=evil.example" },
		{ .name = "a", .path = "/x\r\n" },
		{ .name = "a", .domain = "" },
		{ .name = "a", .domain = "example.org;Path=/" },
		{ .name = "a", .domain = "ex ample.org" },
		{ .name = "a", .same_site = (enum leat_same_site)3 },
		{ .name = "a", .same_site = LEAT_SAME_SITE_NONE, .over_http = true },
		{ .name = "__Secure-a", .over_http = true },
		{ .name = "__secure-a", .over_http = true },
		{ .name = "__Host-a", .over_http = true },
		{ .name = "__Host-a", .domain = "example.org" },
		{ .name = "__HOST-a", .path = "/x" },
		{ .name = "__Http-a", .for_scripts = true },
		{ .name = "__Host-Http-a", .for_scripts = true },
		{ .name = "__Host-Http-a", .path = "/x" },
	};

	memset(long_value, 'x', sizeof(long_value));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(set_cookie_write(&out, &cases[i]) != NULL, "%zu: %s", i, written());
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* Redirects ------------------------------------------------------------------------------------------------------------- */

START_TEST(a_redirect_stays_unless_told_otherwise)
{
	static const struct {
		const char *url;
		bool stays, may_leave;
	} cases[] = {
		{ "/", true, true },
		{ "/users/7?a=b#c", true, true },
		{ "/a//b", true, true },
		{ "/?next=https://evil.example/", true, true },
		{ "?page=2", true, true },
		{ "/%0D%0AX", true, true }, /* escaped: data */
		{ "https://example.org/x", false, true },
		{ "HTTP://example.org", false, true },
		{ "", false, false },
		{ "users", false, false },
		{ "//evil.example/", false, false },
		{ "///evil.example/", false, false },
		{ "/\\evil.example/", false, false },
		{ "\\\\evil.example/", false, false },
		{ "/\t/evil.example/", false, false },
		{ " /x", false, false },
		{ "/x y", false, false },
		{ "/x\r\nSet-Cookie: a=b", false, false },
		{ "/caf\xC3\xA9", false, false },
		{ "javascript:alert(1)", false, false },
		{ "data:text/html,x", false, false },
		{ "https:evil.example", false, false },
		{ "https:///evil.example", false, false },
		{ "https://", false, false },
		{ "ftp://example.org/", false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_msg(redirect_stays(leat_text_from(cases[i].url)) == cases[i].stays, "%s", cases[i].url);
		ck_assert_msg(redirect_may_leave(leat_text_from(cases[i].url)) == cases[i].may_leave, "%s",
			      cases[i].url);
	}
}
END_TEST

/* Files ------------------------------------------------------------------------------------------------------------------ */

START_TEST(ranges)
{
	static const struct {
		const char *header;
		enum range_verdict verdict;
		struct range range;
	} cases[] = { /* of 1000 bytes */
		      { "bytes=0-0", RANGE_PART, { 0, 1 } },
		      { "bytes=0-499", RANGE_PART, { 0, 500 } },
		      { "Bytes=500-", RANGE_PART, { 500, 500 } },
		      { "bytes=500-5000", RANGE_PART, { 500, 500 } },
		      { "bytes=-1", RANGE_PART, { 999, 1 } },
		      { "bytes=-5000", RANGE_PART, { 0, 1000 } },
		      { "bytes=007-8", RANGE_PART, { 7, 2 } },
		      { "bytes=1000-", RANGE_PAST_END, { 0, 1000 } },
		      { "bytes=1000-1000", RANGE_PAST_END, { 0, 1000 } },
		      { "bytes=-0", RANGE_PAST_END, { 0, 1000 } },
		      { NULL, RANGE_WHOLE, { 0, 1000 } },
		      { "bytes=", RANGE_WHOLE, { 0, 1000 } },
		      { "bytes=-", RANGE_WHOLE, { 0, 1000 } },
		      { "bytes=5", RANGE_WHOLE, { 0, 1000 } },
		      { "bytes=5-4", RANGE_WHOLE, { 0, 1000 } },
		      { "bytes=0-1,5-6", RANGE_WHOLE, { 0, 1000 } },
		      { "bytes=+0-1", RANGE_WHOLE, { 0, 1000 } },
		      { "bytes=--1", RANGE_WHOLE, { 0, 1000 } },
		      { "bytes= 0-1", RANGE_WHOLE, { 0, 1000 } },
		      { "bytes=0-99999999999999999999", RANGE_WHOLE, { 0, 1000 } },
		      { "lines=0-1", RANGE_WHOLE, { 0, 1000 } }
	};
	struct range range;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_msg(range_read(leat_text_from(cases[i].header), 1000, &range) == cases[i].verdict, "%s",
			      cases[i].header);
		ck_assert_msg(range.first == cases[i].range.first && range.len == cases[i].range.len, "%s",
			      cases[i].header);
	}
	ck_assert_int_eq(range_read(LEAT_TEXT_OF("bytes=0-"), 0, &range), RANGE_PAST_END);
	ck_assert_int_eq(range_read(LEAT_TEXT_OF("bytes=-1"), 0, &range), RANGE_PAST_END);
}
END_TEST

START_TEST(types_go_by_the_ending)
{
	ck_assert_str_eq(media_type_of(LEAT_TEXT_OF("a/b.css")), "text/css; charset=utf-8");
	ck_assert_str_eq(media_type_of(LEAT_TEXT_OF("a.tar.GZ")), "application/gzip");
	ck_assert_str_eq(media_type_of(LEAT_TEXT_OF("a.css/b")), "application/octet-stream");
	ck_assert_str_eq(media_type_of(LEAT_TEXT_OF("css")), "application/octet-stream");
	ck_assert_str_eq(media_type_of(LEAT_TEXT_OF("a.")), "application/octet-stream");
	ck_assert_str_eq(media_type_of(LEAT_TEXT_OF("")), "application/octet-stream");
}
END_TEST

/* Events -------------------------------------------------------------------------------------------------------------------- */

START_TEST(events_on_the_wire)
{
	static const struct {
		struct leat_event event;
		const char *expected;
	} cases[] = {
		{ { .data = { "a", 1 } }, "data: a\n\n" },
		{ { .data = { "", 0 } }, "data: \n\n" },
		{ { .id = { "7", 1 } }, "id: 7\n\n" },
		{ { .id = { "", 0 }, .data = { "a", 1 } }, "id: \ndata: a\n\n" },
		{ { .name = { "tick", 4 }, .id = { "7", 1 }, .data = { "a", 1 }, .retry_ms = 500 },
		  "retry: 500\nid: 7\nevent: tick\ndata: a\n\n" },
		{ { .data = { "a\nb\r\nc\rd", 8 } }, "data: a\ndata: b\ndata: c\ndata: d\n\n" },
		{ { .data = { "a\n", 2 } }, "data: a\ndata: \n\n" },
		{ { .data = { "\n\ndata: x", 9 } }, "data: \ndata: \ndata: data: x\n\n" },
		{ { .data = { "\r\r\n", 3 } }, "data: \ndata: \ndata: \n\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		out.len = 0;
		ck_assert(event_text_write(&out, &cases[i].event));
		ck_assert_str_eq(written(), cases[i].expected);
	}
	out.len = 0;
	ck_assert(event_text_comment(&out, LEAT_TEXT_OF("still here")));
	ck_assert_str_eq(written(), ": still here\n\n");
}
END_TEST

START_TEST(an_event_is_never_two)
{
	static const struct leat_event refused[] = {
		{ .name = { "a\nb", 3 } }, { .name = { "a\0b", 3 } }, { .id = { "a\rb", 3 } }, { .id = { "a\0b", 3 } }
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		ck_assert(!event_text_write(&out, &refused[i]));
	ck_assert(!event_text_comment(&out, LEAT_TEXT_OF("a\n\ndata: b")));
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("output");
	TCase *all = HARNESS_CASE(s, "all", a_header_is_a_line, a_header_is_never_two,
				  a_stream_tells_its_length_only_when_it_is_known, a_copy_has_headers_of_its_own,
				  a_cookie_is_safe_unless_told_otherwise, a_bad_cookie_is_refused,
				  a_redirect_stays_unless_told_otherwise, ranges, types_go_by_the_ending,
				  events_on_the_wire, an_event_is_never_two);

	tcase_add_checked_fixture(all, set_up, tear_down);
	return s;
}
