/* range.c - see range.h. Pure; used by send_file.c. */
#include "http/range.h"

#include <string.h>
#include <strings.h>

#include "base/number.h"

/* Digits alone; -1 when there are none or too many. */
static int64_t read_offset(leat_text digits)
{
	int64_t offset;

	for (size_t i = 0; i < digits.len; i++)
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return -1;
	while (digits.len > 1 && digits.ptr[0] == '0')
		digits = (leat_text){ digits.ptr + 1, digits.len - 1 };
	if (digits.len == 0 || !number_read_int(digits, &offset))
		return -1;
	return offset;
}

/* "-500": the last 500 bytes. */
static enum range_verdict read_suffix(leat_text digits, int64_t size, struct range *ret_range)
{
	int64_t len = read_offset(digits);

	if (len < 0)
		return RANGE_WHOLE;
	if (len == 0 || size == 0)
		return RANGE_PAST_END;
	if (len > size)
		len = size;
	*ret_range = (struct range){ size - len, len };
	return RANGE_PART;
}

enum range_verdict range_read(leat_text header, int64_t size, struct range *ret_range)
{
	static const leat_text unit = { "bytes=", 6 };
	const char *dash;
	int64_t first, last;
	leat_text behind;

	*ret_range = (struct range){ 0, size };
	if (header.len <= unit.len || strncasecmp(header.ptr, unit.ptr, unit.len) != 0)
		return RANGE_WHOLE;
	header = (leat_text){ header.ptr + unit.len, header.len - unit.len };
	dash = memchr(header.ptr, '-', header.len);
	if (!dash)
		return RANGE_WHOLE;
	behind = (leat_text){ dash + 1, header.len - (size_t)(dash + 1 - header.ptr) };
	if (dash == header.ptr)
		return read_suffix(behind, size, ret_range);
	first = read_offset((leat_text){ header.ptr, (size_t)(dash - header.ptr) });
	last = behind.len > 0 ? read_offset(behind) : INT64_MAX;
	if (first < 0 || last < first)
		return RANGE_WHOLE;
	if (first >= size)
		return RANGE_PAST_END;
	if (last >= size)
		last = size - 1;
	*ret_range = (struct range){ first, last - first + 1 };
	return RANGE_PART;
}
