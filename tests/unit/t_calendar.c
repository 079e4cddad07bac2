/* t_calendar.c - days and times as text (base/calendar.h). */
#include "base/calendar.h"

#include <inttypes.h>

#include "tests/unit/harness.h"

struct reading {
	const char *text;
	int64_t us;
};

/* What is written, and read. */
static const struct reading times[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1969-12-31T23:59:59.999999Z", -1 },
	{ "2000-02-29T23:59:59Z", INT64_C(951868799000000) },
	{ "1900-02-28T00:00:00Z", INT64_C(-2203977600000000) },
	{ "1600-02-29T00:00:00Z", INT64_C(-11670998400000000) },
	{ "2100-03-01T00:00:00Z", INT64_C(4107542400000000) },
	{ "2026-01-31T09:30:00.000001Z", INT64_C(1769851800000001) },
	{ "2024-12-31T23:59:59.500000Z", INT64_C(1735689599500000) },
	{ "0001-01-01T00:00:00Z", CALENDAR_FIRST },
	{ "9999-12-31T23:59:59.999999Z", CALENDAR_PAST_END - 1 },
};

/* What is only read. */
static const struct reading spellings[] = {
	{ "1970-01-01t00:00:00z", 0 },
	{ "1970-01-01T00:00:00+00:00", 0 },
	{ "1970-01-01T00:00:00-00:00", 0 },
	{ "1970-01-01T01:30:00+01:30", 0 },
	{ "1969-12-31T18:00:00-06:00", 0 },
	{ "1970-01-01T23:59:00+23:59", 0 },
	{ "1970-01-01T00:00:00.5Z", 500000 },
	{ "1970-01-01T00:00:00.000000Z", 0 },
	{ "1970-01-01T00:00:00.123456789Z", 123456 },
	{ "1970-01-01T00:00:00.9999999999999999999999999Z", 999999 },
	{ "1970-01-01T00:00:00.25+00:01", 250000 - 60 * CALENDAR_S },
	{ "0001-01-01T00:00:00-00:01", CALENDAR_FIRST + 60 * CALENDAR_S },
	{ "9999-12-31T23:59:59+00:01", CALENDAR_PAST_END - 61 * CALENDAR_S },
};

static void check_reading(struct reading reading)
{
	int64_t us;

	ck_assert_msg(calendar_read(leat_text_from(reading.text), &us), "'%s' was refused", reading.text);
	ck_assert_msg(us == reading.us, "%s gave %" PRId64, reading.text, us);
}

START_TEST(writes_utc_with_microseconds_only_when_there_are_any)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		char text[CALENDAR_TEXT_MAX + 1];

		text[calendar_write(text, times[i].us)] = '\0';
		ck_assert_str_eq(text, times[i].text);
	}
}
END_TEST

START_TEST(reads_what_it_writes)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		check_reading(times[i]);
}
END_TEST

START_TEST(reads_every_offset_and_fraction)
{
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		check_reading(spellings[i]);
}
END_TEST

START_TEST(every_day_of_all_years_reads_back)
{
	for (int64_t us = CALENDAR_FIRST; us < CALENDAR_PAST_END; us += CALENDAR_DAY) {
		char text[CALENDAR_TEXT_MAX];
		int64_t again;

		if (!calendar_read((leat_text){ text, calendar_write(text, us) }, &again) || again != us)
			ck_abort_msg("%.20s", text);
	}
}
END_TEST

static void refuse(const char *const *texts)
{
	for (; *texts; texts++) {
		int64_t us;

		ck_assert_msg(!calendar_read(leat_text_from(*texts), &us), "'%s' was read", *texts);
	}
}

START_TEST(refuses_days_and_hours_that_do_not_exist)
{
	static const char *const refused[] = {
		"2026-00-01T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-32T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2024-02-30T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z",
		"2016-12-31T23:59:60Z",
		"2026-01-01T00:00:00+24:00",
		"2026-01-01T00:00:00+00:60",
		"2026-01-01T00:00:00-24:00",
		NULL,
	};

	refuse(refused);
}
END_TEST

START_TEST(refuses_years_that_are_not_held)
{
	static const char *const refused[] = { "0000-01-01T00:00:00Z",      "0001-01-01T00:00:00+00:01",
					       "9999-12-31T23:59:59-00:01", "10000-01-01T00:00:00Z",
					       "-001-01-01T00:00:00Z",      NULL };

	refuse(refused);
}
END_TEST

START_TEST(refuses_every_other_form)
{
	static const char *const refused[] = {
		"",
		"infinity",
		"2026-01-31",
		"2026-01-31T09:30:00",
		"2026-01-31T09:30Z",
		"2026-01-31 09:30:00Z",
		"2026-01-31T09:30:00.Z",
		"2026-01-31T09:30:00,5Z",
		"2026-01-31T09:30:00 Z",
		"2026-01-31T09:30:00Zx",
		"2026-01-31T09:30:00Z ",
		" 2026-01-31T09:30:00Z",
		"2026-01-31T09:30:00+01",
		"2026-01-31T09:30:00+0100",
		"2026-01-31T09:30:00+1:00",
		"2026-01-31T09:30:00+01:00Z",
		"2026-1-31T09:30:00Z",
		"26-01-31T09:30:00Z",
		"20260131T093000Z",
		"2026/01/31T09:30:00Z",
		"2026-01-31T9:30:00Z",
		"2026-01-31T+9:30:00Z",
		"2026-W05-6T09:30:00Z",
		NULL,
	};

	refuse(refused);
}
END_TEST

START_TEST(refuses_every_cut_of_a_time)
{
	static const char text[] = "2026-01-31T09:30:00.5+01:00";

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		int64_t us;

		ck_assert_msg(!calendar_read((leat_text){ text, len }, &us), "%.*s", (int)len, text);
	}
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("calendar");

	HARNESS_CASE(s, "writing", writes_utc_with_microseconds_only_when_there_are_any);
	HARNESS_CASE(s, "reading", reads_what_it_writes, reads_every_offset_and_fraction,
		     every_day_of_all_years_reads_back);
	HARNESS_CASE(s, "refusals", refuses_days_and_hours_that_do_not_exist, refuses_years_that_are_not_held,
		     refuses_every_other_form, refuses_every_cut_of_a_time);
	return s;
}
