/* logtext.c - see logtext.h. Used by log.c and http/accesslog.c, for each line: no locks, no allocation, no tables of
 * time zones. */
#include "base/logtext.h"

#include "base/calendar.h"
#include "base/clock.h"
#include "base/utf8.h"

static char *put_digits(char *out, unsigned value, unsigned digits, char then)
{
	for (unsigned i = digits; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	out[digits] = then;
	return out + digits + 1;
}

size_t logtext_time(char *out, int64_t wall_ns)
{
	uint64_t ms = (uint64_t)(wall_ns / CLOCK_MS);
	unsigned second = (unsigned)(ms / 1000 % 86400);
	struct calendar_date date = calendar_date_of((int64_t)(ms / 1000 / 86400));

	out = put_digits(out, date.year, 4, '-');
	out = put_digits(out, date.month, 2, '-');
	out = put_digits(out, date.day, 2, 'T');
	out = put_digits(out, second / 3600, 2, ':');
	out = put_digits(out, second / 60 % 60, 2, ':');
	out = put_digits(out, second % 60, 2, '.');
	put_digits(out, (unsigned)(ms % 1000), 3, 'Z');
	return LOGTEXT_TIME_SIZE;
}

/* Bytes of the character that may stand as it is; 0 for a C1 control and for what is no UTF-8. */
static size_t character_size(const char *at, size_t left)
{
	size_t size = utf8_sequence(at, left);
	bool is_control = size == 2 && at[0] == '\xc2' && (unsigned char)at[1] < 0xa0;

	return is_control ? 0 : size;
}

static bool stands_as_it_is(char byte, enum logtext_form form)
{
	return byte >= ' ' && byte < 0x7f && (form == LOGTEXT_PLAIN || (byte != '"' && byte != '\\'));
}

static size_t put_escape(char *out, char byte, enum logtext_form form)
{
	static const char hex[] = "0123456789abcdef";
	size_t size = 0;

	out[size++] = '\\';
	if (form == LOGTEXT_JSON) {
		memcpy(out + size, "u00", 3);
		size += 3;
	} else {
		out[size++] = 'x';
	}
	out[size++] = hex[(unsigned char)byte >> 4];
	out[size++] = hex[(unsigned char)byte & 15];
	return size;
}

size_t logtext_escape(char *out, size_t size, leat_text text, enum logtext_form form, bool *ret_is_cut)
{
	const size_t escape_size = form == LOGTEXT_JSON ? 6 : 4;
	size_t len = 0;
	size_t at = 0;

	while (at < text.len) {
		size_t whole = stands_as_it_is(text.ptr[at], form) ? 1 : 0;

		if ((unsigned char)text.ptr[at] >= 0x80)
			whole = character_size(text.ptr + at, text.len - at);
		if (size - len < (whole ? whole : escape_size))
			break;
		if (!whole)
			len += put_escape(out + len, text.ptr[at++], form);
		for (; whole; whole--)
			out[len++] = text.ptr[at++];
	}
	if (ret_is_cut)
		*ret_is_cut = at < text.len;
	return len;
}
