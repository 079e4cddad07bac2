/* t_http_date.c - dates of HTTP in their three forms. */
#include <inttypes.h>
#include <string.h>

#include "base/calendar.h"
#include "http/http_date.h"
#include "tests/unit/harness.h"

#define US(seconds) (INT64_C(seconds) * 1000000)

static const int64_t now = US(1769851800); /* 2026-01-31T09:30:00Z */

static const struct {
	const char *text;
	int64_t us;
} written[] = {
	{ "Sun, 06 Nov 1994 08:49:37 GMT", US(784111777) },
	{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
	{ "Wed, 31 Dec 1969 23:59:59 GMT", US(-1) },
	{ "Tue, 29 Feb 2000 23:59:59 GMT", US(951868799) },
	{ "Sat, 31 Jan 2026 09:30:00 GMT", US(1769851800) },
	{ "Mon, 01 Jan 0001 00:00:00 GMT", CALENDAR_FIRST },
	{ "Fri, 31 Dec 9999 23:59:59 GMT", CALENDAR_PAST_END - US(1) },
}, read_only[] = {
	{ "Sunday, 06-Nov-94 08:49:37 GMT", US(784111777) },
	{ "Sun Nov  6 08:49:37 1994", US(784111777) },
	{ "Wed Nov 16 08:49:37 1994", US(784975777) },
	{ "Monday, 06-Nov-94 08:49:37 GMT", US(784111777) }, /* nobody looks whether it is that day */
	{ "Sat, 31 Dec 2016 23:59:60 GMT", US(1483228800) },
	{ "Thursday, 31-Jan-76 00:00:00 GMT", US(3347654400) }, /* fifty years ahead */
	{ "Monday, 31-Jan-77 00:00:00 GMT", US(223516800) },    /* fifty-one would be */
};

static const char *const none[] = {
	"",
	"0",
	"yesterday",
	"Sun, 06 Nov 1994 08:49:37",
	"Sun, 06 Nov 1994 08:49:37 UTC",
	"Sun, 06 Nov 1994 08:49:37 GMT ",
	" Sun, 06 Nov 1994 08:49:37 GMT",
	"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
	"sun, 06 nov 1994 08:49:37 gmt",
	"Sun, 6 Nov 1994 08:49:37 GMT",
	"Sun,06 Nov 1994 08:49:37 GMT",
	"Son, 06 Nov 1994 08:49:37 GMT",
	"Sun, 00 Nov 1994 08:49:37 GMT",
	"Sun, 31 Nov 1994 08:49:37 GMT",
	"Sun, 29 Feb 1900 08:49:37 GMT",
	"Sun, 06 Now 1994 08:49:37 GMT",
	"Sun, 06 Nov 0000 08:49:37 GMT",
	"Sun, 06 Nov -994 08:49:37 GMT",
	"Sun, 06 Nov 19940 08:49:37 GMT",
	"Sun, 06 Nov 1994 24:00:00 GMT",
	"Sun, 06 Nov 1994 08:60:37 GMT",
	"Sun, 06 Nov 1994 08:49:61 GMT",
	"Sun, 06 Nov 1994 8:49:37 GMT",
	"Sun, 06 Nov 1994 08:49:37 +0000",
	"Fri, 31 Dec 9999 23:59:60 GMT",
	"Sun, 06-Nov-94 08:49:37 GMT",
	"Sunday, 06-Nov-1994 08:49:37 GMT",
	"Sunday, 31-Feb-94 08:49:37 GMT",
	"Sun Nov 06 08:49:37 1994 GMT",
	"Sun Nov  0 08:49:37 1994",
	"Sun Nov 6 08:49:37 1994",
	"1994-11-06T08:49:37Z",
};

START_TEST(writes_and_reads_the_preferred_form)
{
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		char text[HTTP_DATE_LEN + 1] = "";
		int64_t us = 1;

		http_date_write(text, written[i].us);
		ck_assert_str_eq(text, written[i].text);
		ck_assert_msg(http_date_read(leat_text_from(text), now, &us) && us == written[i].us, "%s: %" PRId64,
			      text, us);
	}
}
END_TEST

START_TEST(parts_of_a_second_are_cut_off)
{
	char text[HTTP_DATE_LEN + 1] = "";

	http_date_write(text, 999999);
	ck_assert_str_eq(text, "Thu, 01 Jan 1970 00:00:00 GMT");
	http_date_write(text, -1);
	ck_assert_str_eq(text, "Wed, 31 Dec 1969 23:59:59 GMT");
}
END_TEST

START_TEST(reads_the_older_forms)
{
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
		int64_t us = 1;

		ck_assert_msg(http_date_read(leat_text_from(read_only[i].text), now, &us) && us == read_only[i].us,
			      "%s: %" PRId64, read_only[i].text, us);
	}
}
END_TEST

START_TEST(reads_nothing_else)
{
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		int64_t us = 1;

		ck_assert_msg(!http_date_read(leat_text_from(none[i]), now, &us), "%s", none[i]);
		ck_assert_int_eq(us, 1);
	}
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("http_date");

	HARNESS_CASE(s, "dates", writes_and_reads_the_preferred_form, parts_of_a_second_are_cut_off,
		     reads_the_older_forms, reads_nothing_else);
	return s;
}
