/* calendar.h - the days of the Gregorian calendar, and times as text (RFC 3339).
 *
 * Use:
 *     char text[CALENDAR_TEXT_MAX];
 *     size_t len = calendar_write(text, time.us);          -- "2026-01-31T09:30:00Z"
 *     if (!calendar_read(text, &time.us)) ...
 *
 * Times are microseconds since 1970 in UTC, without leap seconds, from the year 1 to the year 9999: what RFC 3339 can
 * write and PostgreSQL can keep. (The year 0 of RFC 3339 is 1 BC to PostgreSQL.)
 *
 * Ownership:      nothing to own. No NUL is written.
 * Thread-safety:  any thread.
 * Errors:         reading is false for what is no date-time of RFC 3339 5.6, for a day or an hour that does not exist
 *                 (30 February, 24:00), for a leap second, and for years that are not held.
 */
#ifndef APP_BASE_CALENDAR_H
#define APP_BASE_CALENDAR_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALENDAR_S        INT64_C(1000000)
#define CALENDAR_DAY      (86400 * CALENDAR_S)
#define CALENDAR_FIRST    (-719162 * CALENDAR_DAY)          /* 0001-01-01T00:00:00Z */
#define CALENDAR_PAST_END (INT64_C(2932897) * CALENDAR_DAY) /* 10000-01-01T00:00:00Z */

/* "2026-01-31T09:30:00.000001Z" */
enum { CALENDAR_TEXT_MAX = 27 };

struct calendar_date {
	unsigned year;
	unsigned month; /* from 1 */
	unsigned day;   /* from 1 */
};

static inline bool calendar_holds(int64_t us)
{
	return us >= CALENDAR_FIRST && us < CALENDAR_PAST_END;
}

/* The date so many days after 1970-01-01; from the year 1. */
struct calendar_date calendar_date_of(int64_t days);

/* The other way; of a date that exists, from the year 1. */
int64_t calendar_days_of(struct calendar_date date);

/* 'month' is from 1 to 12. */
unsigned calendar_days_in_month(unsigned year, unsigned month);

/* Writes a time that is held, in at most CALENDAR_TEXT_MAX bytes, microseconds only when there are any. Returns how
 * many. */
size_t calendar_write(char *out, int64_t us);

/* Takes any offset from UTC, and any number of digits behind the second; those beyond microseconds are cut off. */
bool calendar_read(leat_text text, int64_t *ret_us) __attribute__((warn_unused_result));

#endif
