/* t_multipart.c - multipart/form-data: each case whole, cut at every place, and byte by byte. */
#include "base/check.h"
#include "http/multipart.h"
#include "tests/unit/arena_stand.h"

enum { HEAD_MAX = 200 };

/* A parse as text: "name|file|type=content;" for each part; then "end", "no end", "head" or "bad: why". */
static struct multipart multipart;
static struct buffer out;

static void write_part(void)
{
	buffer_text(&out, multipart.part.name);
	if (multipart.part.file_name.ptr)
		buffer_format(&out, "|%.*s", LEAT_TEXT_PRINTF(multipart.part.file_name));
	if (multipart.part.content_type.ptr)
		buffer_format(&out, "|%.*s", LEAT_TEXT_PRINTF(multipart.part.content_type));
	buffer_byte(&out, '=');
}

static bool feed(leat_text input)
{
	for (;;) {
		switch (multipart_next(&multipart, &input)) {
		case MULTIPART_MORE:
			return true;
		case MULTIPART_PART:
			write_part();
			break;
		case MULTIPART_DATA:
			buffer_text(&out, multipart.data);
			break;
		case MULTIPART_PART_END:
			buffer_byte(&out, ';');
			break;
		case MULTIPART_HEAD:
			buffer_text(&out, LEAT_TEXT_OF("head"));
			return false;
		case MULTIPART_BAD:
			buffer_format(&out, "bad: %s", multipart.fault);
			return false;
		}
	}
}

static void begin(void)
{
	buffer_init(&out, &arena, 64);
	LEAT_CHECK(multipart_init(&multipart, LEAT_TEXT_OF("multipart/form-data; boundary=AaB"), HEAD_MAX, &arena));
}

static const char *end(bool goes_on)
{
	if (goes_on)
		buffer_format(&out, "%s", multipart_is_complete(&multipart) ? "end" : "no end");
	buffer_byte(&out, '\0');
	return out.data;
}

static const char *parse_cut_at(leat_text body, size_t at)
{
	bool goes_on;

	begin();
	goes_on = feed((leat_text){ body.ptr, at }) && feed((leat_text){ body.ptr + at, body.len - at });
	return end(goes_on);
}

static const char *parse_bytewise(leat_text body)
{
	bool goes_on = true;

	begin();
	for (size_t i = 0; i < body.len && goes_on; i++)
		goes_on = feed((leat_text){ body.ptr + i, 1 });
	return end(goes_on);
}

static void check(leat_text body, const char *parts)
{
	for (size_t at = 0; at <= body.len; at++)
		ck_assert_str_eq(parse_cut_at(body, at), parts);
	ck_assert_str_eq(parse_bytewise(body), parts);
}
#define CHECK(body, parts) check(LEAT_TEXT_OF(body), parts)

#define DISPOSITION "Content-Disposition: form-data; "
#define PART(head)  "--AaB\r\n" DISPOSITION head "\r\n\r\n"
#define LAST        "\r\n--AaB--\r\n"

#define BAD_HEADER "bad: The form has a part with a bad header."
#define BAD_LINE   "bad: The form has a line without CR LF in the header of a part."
#define BEHIND     "bad: The form has something behind a boundary."

START_TEST(gives_fields_and_files)
{
	CHECK(PART("name=a") "one" LAST, "a=one;end");
	CHECK(PART("name=\"a\"") "one\r\n" PART("name=\"b\"") "two" LAST, "a=one;b=two;end");
	CHECK(PART("name=a") LAST, "a=;end");
	CHECK(PART("name=a") "\r\n" LAST, "a=\r\n;end");
	CHECK("--AaB\r\nContent-Disposition: form-data; name=f; filename=\"x.txt\"\r\nContent-Type: text/plain; "
	      "charset=x\r\n"
	      "\r\n<bytes>" LAST,
	      "f|x.txt|text/plain; charset=x=<bytes>;end");
	CHECK("--AaB--", "end");
}
END_TEST

START_TEST(gives_names_that_come_again)
{
	CHECK(PART("name=a") "1\r\n" PART("name=a") "2" LAST, "a=1;a=2;end");
}
END_TEST

START_TEST(content_may_look_like_a_boundary)
{
	CHECK(PART("name=a") "\r\n--Aa\r\r\n-\n--AaB\r--AaB--" LAST, "a=\r\n--Aa\r\r\n-\n--AaB\r--AaB--;end");
	CHECK(PART("name=a") "\r\n--Aa\r\n--AaA" LAST, "a=\r\n--Aa\r\n--AaA;end");
	CHECK(PART("name=a") "\r\n\r\n\r\n--" LAST, "a=\r\n\r\n\r\n--;end");
	CHECK(PART("name=a") "-\r\n" PART("name=b") "--AaA" LAST, "a=-;b=--AaA;end");
}
END_TEST

START_TEST(nested_multipart_is_content)
{
	CHECK("--AaB\r\n" DISPOSITION
	      "name=a\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\nContent-Disposition: file; "
	      "filename=x\r\n\r\nx\r\n--in--" LAST,
	      "a|multipart/mixed; boundary=in=--in\r\nContent-Disposition: file; filename=x\r\n\r\nx\r\n--in--;end");
}
END_TEST

START_TEST(passes_over_preamble_and_epilogue)
{
	CHECK("hello\r\n--Aa\r\n" PART("name=a") "one" LAST "good\r\nbye\r\n" PART("name=b"), "a=one;end");
	CHECK("\r\n" PART("name=a") "one\r\n--AaB-- \t", "a=one;end");
	CHECK("hello --AaB--", "no end");
}
END_TEST

START_TEST(blanks_may_follow_a_boundary)
{
	CHECK("--AaB \t\r\n" DISPOSITION "name=a\r\n\r\none\r\n--AaB  \r\n" DISPOSITION "name=b\r\n\r\n" LAST,
	      "a=one;b=;end");
}
END_TEST

START_TEST(wants_the_last_boundary)
{
	CHECK("", "no end");
	CHECK(PART("name=a"), "a=no end");
	CHECK(PART("name=a") "one", "a=oneno end");
	CHECK(PART("name=a") "one\r\n--AaB", "a=one;no end");
	CHECK(PART("name=a") "one\r\n--AaB-", "a=one;no end");
	CHECK("--AaB\r\n" DISPOSITION, "no end");
}
END_TEST

START_TEST(wants_crlf)
{
	CHECK("--AaB\n" DISPOSITION "name=a\n\none\n--AaB--\n", BEHIND);
	CHECK("--AaB\r\n" DISPOSITION "name=a\n\r\none", BAD_LINE);
	CHECK("--AaB\r\n\n", BAD_LINE);
	CHECK("--AaB\r" DISPOSITION, BEHIND);
	CHECK("--AaB\r\n" DISPOSITION "name=a\r; filename=b\r\n\r\none", BAD_HEADER);
	CHECK(PART("name=a") "one\n--AaB--\n", "a=one\n--AaB--\nno end");
}
END_TEST

START_TEST(refuses_what_stands_behind_a_boundary)
{
	CHECK("--AaBC\r\n", BEHIND);
	CHECK(PART("name=a") "one\r\n--AaB x", "a=one;" BEHIND);
	CHECK(PART("name=a") "one\r\n--AaB-x", "a=one;" BEHIND);
}
END_TEST

START_TEST(reads_names)
{
	CHECK(PART("name=\"a\\\"b\\\\c\\d\"") LAST, "a\"b\\c\\d=;end");
	CHECK(PART("name=\"a%22b\"") LAST, "a%22b=;end");
	CHECK(PART("name=\"a;b=c\"") LAST, "a;b=c=;end");
	CHECK(PART("filename=\"../../etc/passwd\" ; name=\"\"") LAST, "|../../etc/passwd=;end");
	CHECK(PART("name=a; filename=\"C:\\new\\file\"") LAST, "a|C:\\new\\file=;end");
	CHECK(PART("NAME=a; FileName=\"\xC3\xBC.txt\"") LAST, "a|\xC3\xBC.txt=;end");
	CHECK(PART("name=a; filename*=UTF-8''x; size=3") LAST, "a=;end");
	CHECK("--AaB\r\ncontent-disposition:form-data;name=a\r\nX-Other: y\r\n\r\n" LAST, "a=;end");
}
END_TEST

START_TEST(refuses_bad_headers)
{
	CHECK("--AaB\r\n\r\none" LAST, "bad: The form has a part without a name.");
	CHECK("--AaB\r\nContent-Type: text/plain\r\n\r\none" LAST, "bad: The form has a part without a name.");
	CHECK(PART("filename=x") LAST, BAD_HEADER);
	CHECK(PART("name=") LAST, BAD_HEADER);
	CHECK(PART("name=\"a") LAST, BAD_HEADER);
	CHECK(PART("name=a; name=b") LAST, BAD_HEADER);
	CHECK(PART("name=a; filename=b; filename=c") LAST, BAD_HEADER);
	CHECK(PART("name=a b") LAST, BAD_HEADER);
	CHECK(PART("name=\"a\tb\x01\"") LAST, BAD_HEADER);
	CHECK(PART("name=\"\xFC\"") LAST, BAD_HEADER);
	CHECK(PART("name=a\r\n folded=b") LAST, BAD_HEADER);
	CHECK(PART("name=a\r\nContent-Disposition: form-data; name=b") LAST, BAD_HEADER);
	CHECK(PART("name=a\r\nContent-Type: a/b\r\nContent-Type: a/c") LAST, BAD_HEADER);
	CHECK(PART("name=a\r\nno colon") LAST, BAD_HEADER);
	CHECK(PART("name=a\r\nX : y") LAST, BAD_HEADER);
	CHECK("--AaB\r\nContent-Disposition: attachment; name=a\r\n\r\n" LAST, BAD_HEADER);
}
END_TEST

START_TEST(refuses_encodings_that_change_the_content)
{
	CHECK(PART("name=a\r\nContent-Transfer-Encoding: base64") "eA==" LAST, BAD_HEADER);
	CHECK(PART("name=a\r\nContent-Transfer-Encoding: BINARY") "x" LAST, "a=x;end");
}
END_TEST

START_TEST(limits_a_parts_header)
{
	leat_text value = { memset(arena_alloc(&arena, HEAD_MAX), 'x', HEAD_MAX),
			    HEAD_MAX - strlen(DISPOSITION "name=\"\"\r\n\r\n") };
	leat_text body = arena_format(&arena, "--AaB\r\n" DISPOSITION "name=\"%.*s\"\r\n\r\n" LAST,
				      LEAT_TEXT_PRINTF(value));

	ck_assert_str_eq(parse_bytewise(body) + value.len, "=;end");
	body = arena_format(&arena, "--AaB\r\n" DISPOSITION "name=\"x%.*s\"\r\n\r\n" LAST, LEAT_TEXT_PRINTF(value));
	check(body, "head");
}
END_TEST

static bool has_boundary(leat_text content_type)
{
	return multipart_init(&multipart, content_type, HEAD_MAX, &arena);
}

START_TEST(wants_a_boundary)
{
	ck_assert(has_boundary(LEAT_TEXT_OF("multipart/form-data;boundary=a")));
	ck_assert(has_boundary(LEAT_TEXT_OF("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b'()+_,-./:=?\"")));
	ck_assert(!has_boundary(LEAT_TEXT_OF("multipart/form-data")));
	ck_assert(!has_boundary(LEAT_TEXT_OF("multipart/mixed; boundary=a")));
	ck_assert(!has_boundary(LEAT_TEXT_OF("multipart/form-data; boundary=")));
	ck_assert(!has_boundary(LEAT_TEXT_OF("multipart/form-data; boundary=\"\"")));
	ck_assert(!has_boundary(LEAT_TEXT_OF("multipart/form-data; boundary=\"a \"")));
	ck_assert(!has_boundary(LEAT_TEXT_OF("multipart/form-data; boundary=\"a\r\"")));
	ck_assert(!has_boundary(LEAT_TEXT_OF("multipart/form-data; boundary=a; boundary=b")));
	ck_assert(!has_boundary(LEAT_TEXT_OF("multipart/form-data; boundary=a; b")));
	ck_assert(has_boundary(LEAT_TEXT_OF("multipart/form-data; boundary="
					    "1234567890123456789012345678901234567890123456789012345678901234567890")));
	ck_assert(
		!has_boundary(LEAT_TEXT_OF("multipart/form-data; boundary="
					   "12345678901234567890123456789012345678901234567890123456789012345678901")));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("multipart");
	TCase *parse = HARNESS_CASE(s, "parse", gives_fields_and_files, gives_names_that_come_again,
				    content_may_look_like_a_boundary, nested_multipart_is_content,
				    passes_over_preamble_and_epilogue, blanks_may_follow_a_boundary);
	TCase *refuse = HARNESS_CASE(s, "refuse", wants_the_last_boundary, wants_crlf,
				     refuses_what_stands_behind_a_boundary, refuses_bad_headers,
				     refuses_encodings_that_change_the_content, limits_a_parts_header);
	TCase *names = HARNESS_CASE(s, "names", reads_names, wants_a_boundary);

	tcase_add_checked_fixture(parse, set_up_arena, tear_down_arena);
	tcase_add_checked_fixture(refuse, set_up_arena, tear_down_arena);
	tcase_add_checked_fixture(names, set_up_arena, tear_down_arena);
	return s;
}
