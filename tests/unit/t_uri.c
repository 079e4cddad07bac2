/* t_uri.c - request targets, percent-decoding, and the query. */
#include "http/uri.h"
#include "tests/unit/arena_stand.h"

/* Rendered for comparing: "path" or "path ? query"; "refused". */
static const char *split(leat_text target)
{
	leat_text path, query;

	if (!uri_split(target, &path, &query))
		return "refused";
	if (!query.ptr)
		return arena_copy(&arena, path.ptr, path.len);
	return arena_format(&arena, "%.*s ? %.*s", LEAT_TEXT_PRINTF(path), LEAT_TEXT_PRINTF(query)).ptr;
}

struct split_case {
	leat_text target;
	const char *parts;
};

static void check_splits(const struct split_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(split(cases[i].target), cases[i].parts);
}
#define CHECK_SPLITS(...) \
	check_splits((const struct split_case[]){ __VA_ARGS__ }, \
		     sizeof((const struct split_case[]){ __VA_ARGS__ }) / sizeof(struct split_case))

START_TEST(splits_origin_form)
{
	CHECK_SPLITS({ LEAT_TEXT_OF("/"), "/" }, { LEAT_TEXT_OF("/users/7"), "/users/7" },
		     { LEAT_TEXT_OF("/users?page=2"), "/users ? page=2" }, { LEAT_TEXT_OF("/?"), "/ ? " },
		     { LEAT_TEXT_OF("/a?b?c"), "/a ? b?c" }, { LEAT_TEXT_OF("/a%3Fb"), "/a%3Fb" },
		     { LEAT_TEXT_OF("//host/a"), "//host/a" }, { LEAT_TEXT_OF("/a//b/"), "/a//b/" },
		     { LEAT_TEXT_OF("/\xC3\xBC"), "/\xC3\xBC" }, { LEAT_TEXT_OF("/a:b@c"), "/a:b@c" });
}
END_TEST

START_TEST(splits_absolute_form)
{
	CHECK_SPLITS({ LEAT_TEXT_OF("http://host/a"), "/a" }, { LEAT_TEXT_OF("https://host:8443/a?b"), "/a ? b" },
		     { LEAT_TEXT_OF("HTTP://HOST/A"), "/A" }, { LEAT_TEXT_OF("http://host"), "/" },
		     { LEAT_TEXT_OF("http://host?q=1"), "/ ? q=1" }, { LEAT_TEXT_OF("http://[::1]:80/x"), "/x" });
}
END_TEST

START_TEST(refuses_other_targets)
{
	CHECK_SPLITS({ LEAT_TEXT_OF(""), "refused" }, { LEAT_TEXT_OF("*"), "refused" },
		     { LEAT_TEXT_OF("users"), "refused" }, { LEAT_TEXT_OF("?a=b"), "refused" },
		     { LEAT_TEXT_OF("host:443"), "refused" }, { LEAT_TEXT_OF("ftp://host/a"), "refused" },
		     { LEAT_TEXT_OF("http:///a"), "refused" }, { LEAT_TEXT_OF("http://"), "refused" },
		     { LEAT_TEXT_OF("http:/a"), "refused" });
}
END_TEST

START_TEST(refuses_bytes_that_no_uri_holds)
{
	CHECK_SPLITS({ LEAT_TEXT_OF("/a b"), "refused" }, { LEAT_TEXT_OF("/a\tb"), "refused" },
		     { LEAT_TEXT_OF("/a\r\nb"), "refused" }, { LEAT_TEXT_OF("/a\0b"), "refused" },
		     { LEAT_TEXT_OF("/a\x7F"), "refused" }, { LEAT_TEXT_OF("/a#b"), "refused" },
		     { LEAT_TEXT_OF("/aaaaaaaaaaaaaaaa\x01"), "refused" }, { LEAT_TEXT_OF("/a?b\n"), "refused" });
}
END_TEST

START_TEST(refuses_dot_segments_in_any_spelling)
{
	CHECK_SPLITS({ LEAT_TEXT_OF("/."), "refused" }, { LEAT_TEXT_OF("/.."), "refused" },
		     { LEAT_TEXT_OF("/a/../b"), "refused" }, { LEAT_TEXT_OF("/a/./b"), "refused" },
		     { LEAT_TEXT_OF("/a/%2e%2E/b"), "refused" }, { LEAT_TEXT_OF("/a/.%2e"), "refused" },
		     { LEAT_TEXT_OF("/%2E/"), "refused" }, { LEAT_TEXT_OF("/a/..?b"), "refused" },
		     { LEAT_TEXT_OF("/..."), "/..." }, { LEAT_TEXT_OF("/.well-known"), "/.well-known" },
		     { LEAT_TEXT_OF("/a..b"), "/a..b" }, { LEAT_TEXT_OF("/%2e%2"), "/%2e%2" },
		     { LEAT_TEXT_OF("/a?../b"), "/a ? ../b" });
}
END_TEST

struct decode_case {
	leat_text raw;
	leat_text decoded; /* {NULL, 0}: refused */
};
#define REFUSED \
	{ \
		NULL, 0 \
	}

static void check_decodings(enum uri_part part, const struct decode_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		leat_text decoded = { NULL, 0 };
		bool is_good = uri_decode(cases[i].raw, part, &arena, &decoded);

		ck_assert_msg(is_good == !!cases[i].decoded.ptr, "case %zu: %s", i, cases[i].raw.ptr);
		if (is_good)
			ck_assert_msg(leat_text_equal(decoded, cases[i].decoded), "case %zu: '%.*s'", i,
				      LEAT_TEXT_PRINTF(decoded));
	}
}
#define CHECK_DECODINGS(part, ...) \
	check_decodings(part, (const struct decode_case[]){ __VA_ARGS__ }, \
			sizeof((const struct decode_case[]){ __VA_ARGS__ }) / sizeof(struct decode_case))

START_TEST(decodes_a_segment_once)
{
	CHECK_DECODINGS(
		URI_SEGMENT, { LEAT_TEXT_OF(""), LEAT_TEXT_OF("") }, { LEAT_TEXT_OF("plain"), LEAT_TEXT_OF("plain") },
		{ LEAT_TEXT_OF("a%20b"), LEAT_TEXT_OF("a b") }, { LEAT_TEXT_OF("a%2Fb"), LEAT_TEXT_OF("a/b") },
		{ LEAT_TEXT_OF("a%2fb"), LEAT_TEXT_OF("a/b") }, { LEAT_TEXT_OF("%252F"), LEAT_TEXT_OF("%2F") },
		{ LEAT_TEXT_OF("%41%5a%7E"), LEAT_TEXT_OF("AZ~") },
		{ LEAT_TEXT_OF("caf%C3%A9"), LEAT_TEXT_OF("caf\xC3\xA9") },
		{ LEAT_TEXT_OF("caf\xC3%A9"), LEAT_TEXT_OF("caf\xC3\xA9") },
		{ LEAT_TEXT_OF("a+b"), LEAT_TEXT_OF("a+b") }, { LEAT_TEXT_OF("It's%20x"), LEAT_TEXT_OF("It's x") });
}
END_TEST

START_TEST(keeps_escaped_slashes_of_a_path_apart)
{
	CHECK_DECODINGS(URI_PATH, { LEAT_TEXT_OF("/a%2Fb/c"), LEAT_TEXT_OF("/a\0b/c") },
			{ LEAT_TEXT_OF("/%61+"), LEAT_TEXT_OF("/a+") });
}
END_TEST

START_TEST(reads_plus_as_blank_in_the_query_only)
{
	CHECK_DECODINGS(URI_QUERY, { LEAT_TEXT_OF("a+b"), LEAT_TEXT_OF("a b") },
			{ LEAT_TEXT_OF("a%2Bb"), LEAT_TEXT_OF("a+b") }, { LEAT_TEXT_OF("+%20+"), LEAT_TEXT_OF("   ") });
}
END_TEST

START_TEST(refuses_bad_escapes_nul_and_bad_utf8)
{
	static const struct decode_case cases[] = {
		{ LEAT_TEXT_OF("%"), REFUSED },         { LEAT_TEXT_OF("a%2"), REFUSED },
		{ LEAT_TEXT_OF("%zz"), REFUSED },       { LEAT_TEXT_OF("%2g"), REFUSED },
		{ LEAT_TEXT_OF("%-1"), REFUSED },       { LEAT_TEXT_OF("%%20"), REFUSED },
		{ LEAT_TEXT_OF("%u0041"), REFUSED },    { LEAT_TEXT_OF("%00"), REFUSED },
		{ LEAT_TEXT_OF("a\0b"), REFUSED },      { LEAT_TEXT_OF("a\0%20"), REFUSED },
		{ LEAT_TEXT_OF("%FF"), REFUSED },       { LEAT_TEXT_OF("%C0%AF"), REFUSED },
		{ LEAT_TEXT_OF("%ED%A0%80"), REFUSED }, { LEAT_TEXT_OF("\xFF"), REFUSED },
		{ LEAT_TEXT_OF("%C3"), REFUSED },
	};

	check_decodings(URI_SEGMENT, cases, sizeof(cases) / sizeof(cases[0]));
	check_decodings(URI_PATH, cases, sizeof(cases) / sizeof(cases[0]));
	check_decodings(URI_QUERY, cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(copies_nothing_that_needs_no_decoding)
{
	leat_text raw = LEAT_TEXT_OF("plain");
	leat_text decoded;

	ck_assert(uri_decode(raw, URI_SEGMENT, &arena, &decoded));
	ck_assert_ptr_eq(decoded.ptr, raw.ptr);
	ck_assert_ptr_null(arena.blocks);
}
END_TEST

struct query_case {
	const char *query;
	const char *name;
	const char *value; /* NULL: absent */
};

static void check_finds(const struct query_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		leat_text value;

		ck_assert(
			uri_query_find(leat_text_from(cases[i].query), leat_text_from(cases[i].name), &arena, &value));
		ck_assert_msg(!value.ptr == !cases[i].value && leat_text_equal(value, leat_text_from(cases[i].value)),
			      "%s in %s: '%.*s'", cases[i].name, cases[i].query, LEAT_TEXT_PRINTF(value));
	}
}
#define CHECK_FINDS(...) \
	check_finds((const struct query_case[]){ __VA_ARGS__ }, \
		    sizeof((const struct query_case[]){ __VA_ARGS__ }) / sizeof(struct query_case))

START_TEST(finds_a_value_by_its_name)
{
	CHECK_FINDS({ "a=1&b=2", "a", "1" }, { "a=1&b=2", "b", "2" }, { "ab=1&a=2", "a", "2" },
		    { "q=two+words%21", "q", "two words!" }, { "a=b=c", "a", "b=c" }, { "a=1;b=2", "a", "1;b=2" });
}
END_TEST

START_TEST(finds_the_first_of_several)
{
	CHECK_FINDS({ "a=1&a=2", "a", "1" }, { "a&a=2", "a", "" });
}
END_TEST

START_TEST(finds_a_name_that_is_escaped)
{
	CHECK_FINDS({ "na%6De=x", "name", "x" }, { "two+words=x", "two words", "x" }, { "a%3Db=c", "a=b", "c" },
		    { "a%26b=c", "a&b", "c" });
}
END_TEST

START_TEST(tells_empty_from_absent)
{
	CHECK_FINDS({ "a=", "a", "" }, { "a", "a", "" }, { "b=1&a", "a", "" }, { "", "a", NULL }, { NULL, "a", NULL },
		    { "b=a", "a", NULL }, { "&&=&", "a", NULL }, { "A=1", "a", NULL });
}
END_TEST

START_TEST(refuses_a_value_that_cannot_be_decoded)
{
	leat_text value;

	ck_assert(!uri_query_find(LEAT_TEXT_OF("a=%zz"), LEAT_TEXT_OF("a"), &arena, &value));
	ck_assert(!uri_query_find(LEAT_TEXT_OF("a=%FF"), LEAT_TEXT_OF("a"), &arena, &value));
}
END_TEST

START_TEST(checks_a_query_as_a_whole)
{
	ck_assert(uri_query_is_valid((leat_text){ NULL, 0 }, &arena));
	ck_assert(uri_query_is_valid(LEAT_TEXT_OF("a=1&b=caf%C3%A9"), &arena));
	ck_assert(!uri_query_is_valid(LEAT_TEXT_OF("a=1&b=%"), &arena));
	ck_assert(!uri_query_is_valid(LEAT_TEXT_OF("a=%C3&b=%A9"), &arena));
	ck_assert(!uri_query_is_valid(LEAT_TEXT_OF("a=%00"), &arena));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("uri");

	ARENA_CASE(s, "split", splits_origin_form, splits_absolute_form, refuses_other_targets,
		   refuses_bytes_that_no_uri_holds, refuses_dot_segments_in_any_spelling);
	ARENA_CASE(s, "decode", decodes_a_segment_once, keeps_escaped_slashes_of_a_path_apart,
		   reads_plus_as_blank_in_the_query_only, refuses_bad_escapes_nul_and_bad_utf8,
		   copies_nothing_that_needs_no_decoding);
	ARENA_CASE(s, "query", finds_a_value_by_its_name, finds_the_first_of_several, finds_a_name_that_is_escaped,
		   tells_empty_from_absent, refuses_a_value_that_cannot_be_decoded, checks_a_query_as_a_whole);
	return s;
}
