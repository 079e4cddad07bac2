/* http_date.c - see http_date.h. Pure; used by condition.c and version.c. */
#include "http/http_date.h"

#include <string.h>

#include "base/calendar.h"

enum { WEEK = 7, THURSDAY = 4 /* 1970-01-01, from Sunday */, MINUTE = 60, HOUR = 3600 };

static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/* What is read so far. */
struct parts {
	struct calendar_date date;
	unsigned seconds; /* of the day */
};

/* Writing ---------------------------------------------------------------------------------------------------------- */

static char *put(char *out, const char *text, size_t len)
{
	memcpy(out, text, len);
	return out + len;
}

static char *put_digits(char *out, unsigned value, unsigned digits, char then)
{
	for (unsigned i = digits; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	out[digits] = then;
	return out + digits + 1;
}

void http_date_write(char out[HTTP_DATE_LEN], int64_t us)
{
	uint64_t since_first = (uint64_t)(us - CALENDAR_FIRST);
	int64_t day = (int64_t)(since_first / CALENDAR_DAY) + CALENDAR_FIRST / CALENDAR_DAY;
	unsigned second = (unsigned)(since_first % CALENDAR_DAY / CALENDAR_S);
	struct calendar_date date = calendar_date_of(day);

	/* The remainder of C may be negative. */
	out = put(out, days[((day + THURSDAY) % WEEK + WEEK) % WEEK], 3);
	out = put(out, ", ", 2);
	out = put_digits(out, date.day, 2, ' ');
	out = put(out, months[date.month - 1], 3);
	*out++ = ' ';
	out = put_digits(out, date.year, 4, ' ');
	out = put_digits(out, second / HOUR, 2, ':');
	out = put_digits(out, second / MINUTE % MINUTE, 2, ':');
	out = put_digits(out, second % MINUTE, 2, ' ');
	put(out, "GMT", 3);
}

/* Reading ---------------------------------------------------------------------------------------------------------- */

static bool take(leat_text *rest, const char *wanted, size_t len)
{
	if (!leat_text_starts(*rest, (leat_text){ wanted, len }))
		return false;
	*rest = (leat_text){ rest->ptr + len, rest->len - len };
	return true;
}

static bool take_text(leat_text *rest, const char *wanted)
{
	return take(rest, wanted, strlen(wanted));
}

static bool take_number(leat_text *rest, unsigned digits, unsigned least, unsigned most, unsigned *ret_value)
{
	unsigned value = 0;

	if (rest->len < digits)
		return false;
	for (unsigned i = 0; i < digits; i++) {
		if (rest->ptr[i] < '0' || rest->ptr[i] > '9')
			return false;
		value = value * 10 + (unsigned)(rest->ptr[i] - '0');
	}
	*rest = (leat_text){ rest->ptr + digits, rest->len - digits };
	*ret_value = value;
	return value >= least && value <= most;
}

/* A day of the week: its first three letters, or all of them. */
static bool take_day_name(leat_text *rest, bool is_whole)
{
	for (unsigned i = 0; i < WEEK; i++)
		if (take(rest, days[i], is_whole ? strlen(days[i]) : 3))
			return true;
	return false;
}

static bool take_month(leat_text *rest, unsigned *ret_month)
{
	for (unsigned i = 0; i < 12; i++)
		if (take(rest, months[i], 3)) {
			*ret_month = i + 1;
			return true;
		}
	return false;
}

static bool take_time(leat_text *rest, unsigned *ret_seconds)
{
	unsigned hour, minute, second;

	if (!take_number(rest, 2, 0, 23, &hour) || !take_text(rest, ":") || !take_number(rest, 2, 0, 59, &minute) ||
	    !take_text(rest, ":") || !take_number(rest, 2, 0, 60, &second))
		return false;
	*ret_seconds = hour * HOUR + minute * MINUTE + second;
	return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_fixdate(leat_text rest, struct parts *parts)
{
	return take_day_name(&rest, false) && take_text(&rest, ", ") &&
	       take_number(&rest, 2, 1, 31, &parts->date.day) && take_text(&rest, " ") &&
	       take_month(&rest, &parts->date.month) && take_text(&rest, " ") &&
	       take_number(&rest, 4, 1, 9999, &parts->date.year) && take_text(&rest, " ") &&
	       take_time(&rest, &parts->seconds) && take_text(&rest, " GMT") && rest.len == 0;
}

/* More than fifty years ahead is taken for the past. */
static unsigned whole_year(unsigned of_century, int64_t now_us)
{
	unsigned now = calendar_date_of(now_us / CALENDAR_DAY).year;
	unsigned year = now / 100 * 100 + of_century;

	if (year > now + 50)
		return year - 100;
	return year + 50 < now ? year + 100 : year;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool read_rfc850(leat_text rest, int64_t now_us, struct parts *parts)
{
	bool is_read = take_day_name(&rest, true) && take_text(&rest, ", ") &&
		       take_number(&rest, 2, 1, 31, &parts->date.day) && take_text(&rest, "-") &&
		       take_month(&rest, &parts->date.month) && take_text(&rest, "-") &&
		       take_number(&rest, 2, 0, 99, &parts->date.year) && take_text(&rest, " ") &&
		       take_time(&rest, &parts->seconds) && take_text(&rest, " GMT") && rest.len == 0;

	if (is_read)
		parts->date.year = whole_year(parts->date.year, now_us);
	return is_read;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool read_asctime(leat_text rest, struct parts *parts)
{
	if (!take_day_name(&rest, false) || !take_text(&rest, " ") || !take_month(&rest, &parts->date.month) ||
	    !take_text(&rest, " "))
		return false;
	if (!(take_text(&rest, " ") ? take_number(&rest, 1, 1, 9, &parts->date.day)
				    : take_number(&rest, 2, 1, 31, &parts->date.day)))
		return false;
	return take_text(&rest, " ") && take_time(&rest, &parts->seconds) && take_text(&rest, " ") &&
	       take_number(&rest, 4, 1, 9999, &parts->date.year) && rest.len == 0;
}

bool http_date_read(leat_text text, int64_t now_us, int64_t *ret_us)
{
	struct parts parts = { 0 };
	int64_t us;

	if (!read_fixdate(text, &parts) && !read_rfc850(text, now_us, &parts) && !read_asctime(text, &parts))
		return false;
	if (parts.date.day > calendar_days_in_month(parts.date.year, parts.date.month))
		return false;
	us = calendar_days_of(parts.date) * CALENDAR_DAY + parts.seconds * CALENDAR_S;
	if (!calendar_holds(us))
		return false;
	*ret_us = us;
	return true;
}
