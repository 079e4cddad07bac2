/* number.c - see number.h. Two digits a step, from a table of all hundred pairs. */
#include "base/number.h"

#include <string.h>

static const char pairs[201] = "00010203040506070809"
			       "10111213141516171819"
			       "20212223242526272829"
			       "30313233343536373839"
			       "40414243444546474849"
			       "50515253545556575859"
			       "60616263646566676869"
			       "70717273747576777879"
			       "80818283848586878889"
			       "90919293949596979899";

size_t number_write_uint(char *out, uint64_t value)
{
	char digits[NUMBER_INT_MAX];
	char *at = digits + sizeof(digits);
	size_t len;

	while (value >= 100) {
		at -= 2;
		memcpy(at, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		at -= 2;
		memcpy(at, pairs + value * 2, 2);
	} else {
		*--at = (char)('0' + value);
	}
	len = (size_t)(digits + sizeof(digits) - at);
	memcpy(out, at, len);
	return len;
}

size_t number_write_int(char *out, int64_t value)
{
	if (value >= 0)
		return number_write_uint(out, (uint64_t)value);
	*out = '-';
	return 1 + number_write_uint(out + 1, 0 - (uint64_t)value);
}

bool number_read_uint(leat_text text, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (text.len == 0 || text.len > NUMBER_INT_MAX || (text.ptr[0] == '0' && text.len > 1))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)text.ptr[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*ret_value = value;
	return true;
}

bool number_read_int(leat_text text, int64_t *ret_value)
{
	bool negative = text.len > 0 && text.ptr[0] == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	uint64_t value;

	if (negative)
		text = (leat_text){ text.ptr + 1, text.len - 1 };
	if (!number_read_uint(text, &value) || value > limit || (negative && value == 0))
		return false;
	*ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}
