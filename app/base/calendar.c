/* calendar.c - see calendar.h. Day and date after Howard Hinnant, "chrono-compatible low-level date algorithms",
 * civil_from_days and days_from_civil: the year begins in March, so that the leap day is its last; an era has 400
 * years. */
#include "base/calendar.h"

enum {
	ERA_DAYS = 146097,
	DAYS_BEFORE_1970 = 719468, /* from 0000-03-01 */
};

struct calendar_date calendar_date_of(int64_t days)
{
	uint64_t days_of_all = (uint64_t)(days + DAYS_BEFORE_1970);
	unsigned day_of_era = (unsigned)(days_of_all % ERA_DAYS);
	unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month_from_march = (5 * day_of_year + 2) / 153;
	unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

	return (struct calendar_date){
		.year = (unsigned)(days_of_all / ERA_DAYS) * 400 + year_of_era + (month <= 2),
		.month = month,
		.day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
	};
}

int64_t calendar_days_of(struct calendar_date date)
{
	unsigned year = date.year - (date.month <= 2);
	unsigned year_of_era = year % 400;
	unsigned month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
	unsigned day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
	unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return (int64_t)(year / 400) * ERA_DAYS + day_of_era - DAYS_BEFORE_1970;
}

unsigned calendar_days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && is_leap_year);
}

/* Writing ---------------------------------------------------------------------------------------------------------- */

static char *put_digits(char *out, unsigned value, unsigned digits, char then)
{
	for (unsigned i = digits; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	out[digits] = then;
	return out + digits + 1;
}

size_t calendar_write(char *out, int64_t us)
{
	uint64_t since_first = (uint64_t)(us - CALENDAR_FIRST);
	struct calendar_date date = calendar_date_of((int64_t)(since_first / CALENDAR_DAY) +
						     CALENDAR_FIRST / CALENDAR_DAY);
	unsigned second = (unsigned)(since_first % CALENDAR_DAY / CALENDAR_S);
	unsigned microsecond = (unsigned)(since_first % CALENDAR_S);
	char *at = out;

	at = put_digits(at, date.year, 4, '-');
	at = put_digits(at, date.month, 2, '-');
	at = put_digits(at, date.day, 2, 'T');
	at = put_digits(at, second / 3600, 2, ':');
	at = put_digits(at, second / 60 % 60, 2, ':');
	at = put_digits(at, second % 60, 2, microsecond ? '.' : 'Z');
	if (microsecond)
		at = put_digits(at, microsecond, 6, 'Z');
	return (size_t)(at - out);
}

/* Reading ---------------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One byte, which may also be the other. */
static bool take(leat_text *rest, char wanted, char other)
{
	if (rest->len == 0 || (rest->ptr[0] != wanted && rest->ptr[0] != other))
		return false;
	*rest = (leat_text){ rest->ptr + 1, rest->len - 1 };
	return true;
}

/* So many digits, for a number from 'least' to 'most'. */
static bool take_number(leat_text *rest, unsigned digits, unsigned least, unsigned most, unsigned *ret_value)
{
	unsigned value = 0;

	if (rest->len < digits)
		return false;
	for (unsigned i = 0; i < digits; i++) {
		if (!is_digit(rest->ptr[i]))
			return false;
		value = value * 10 + (unsigned)(rest->ptr[i] - '0');
	}
	*rest = (leat_text){ rest->ptr + digits, rest->len - digits };
	*ret_value = value;
	return value >= least && value <= most;
}

static bool take_date(leat_text *rest, int64_t *us)
{
	struct calendar_date date;

	if (!take_number(rest, 4, 1, 9999, &date.year) || !take(rest, '-', '-') ||
	    !take_number(rest, 2, 1, 12, &date.month) || !take(rest, '-', '-') ||
	    !take_number(rest, 2, 1, calendar_days_in_month(date.year, date.month), &date.day))
		return false;
	*us += calendar_days_of(date) * CALENDAR_DAY;
	return true;
}

/* What follows the second; nothing at all will do. */
static bool take_fraction(leat_text *rest, int64_t *us)
{
	int64_t worth = CALENDAR_S / 10;

	if (!take(rest, '.', '.'))
		return true;
	if (rest->len == 0 || !is_digit(rest->ptr[0]))
		return false;
	for (; rest->len > 0 && is_digit(rest->ptr[0]); worth /= 10) {
		*us += (rest->ptr[0] - '0') * worth;
		*rest = (leat_text){ rest->ptr + 1, rest->len - 1 };
	}
	return true;
}

static bool take_hours_and_minutes(leat_text *rest, unsigned *ret_minutes)
{
	unsigned hour, minute;

	if (!take_number(rest, 2, 0, 23, &hour) || !take(rest, ':', ':') || !take_number(rest, 2, 0, 59, &minute))
		return false;
	*ret_minutes = hour * 60 + minute;
	return true;
}

static bool take_time(leat_text *rest, int64_t *us)
{
	unsigned minutes, second;

	if (!take_hours_and_minutes(rest, &minutes) || !take(rest, ':', ':') || !take_number(rest, 2, 0, 59, &second))
		return false;
	*us += (minutes * 60 + second) * CALENDAR_S;
	return take_fraction(rest, us);
}

/* East of Greenwich the clock is ahead of UTC. */
static bool take_offset(leat_text *rest, int64_t *us)
{
	bool is_west = rest->len > 0 && rest->ptr[0] == '-';
	unsigned minutes;

	if (take(rest, 'Z', 'z'))
		return true;
	if (!take(rest, '+', '-') || !take_hours_and_minutes(rest, &minutes))
		return false;
	*us += (is_west ? 60 : -60) * CALENDAR_S * minutes;
	return true;
}

bool calendar_read(leat_text text, int64_t *ret_us)
{
	leat_text rest = text;
	int64_t us = 0;

	if (!take_date(&rest, &us) || !take(&rest, 'T', 't') || !take_time(&rest, &us) || !take_offset(&rest, &us) ||
	    rest.len > 0 || !calendar_holds(us))
		return false;
	*ret_us = us;
	return true;
}
