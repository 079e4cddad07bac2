/* uuid.c - see uuid.h. */
#include "base/uuid.h"

/* Whether a hyphen comes before this byte. */
static bool is_after_hyphen(unsigned byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

size_t uuid_write(char *out, const leat_uuid *uuid)
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = 0; i < sizeof(uuid->bytes); i++) {
		if (is_after_hyphen(i))
			*out++ = '-';
		*out++ = hex[uuid->bytes[i] >> 4];
		*out++ = hex[uuid->bytes[i] & 15];
	}
	return UUID_TEXT_SIZE;
}

/* The value of a hexadecimal digit, 16 when it is none. */
static unsigned digit_of(char c)
{
	char lower = (char)(c | 0x20);

	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a' + 10) : 16;
}

bool uuid_read(leat_text text, leat_uuid *ret_uuid)
{
	const char *at = text.ptr;
	leat_uuid uuid;

	if (text.len != UUID_TEXT_SIZE)
		return false;
	for (unsigned i = 0; i < sizeof(uuid.bytes); i++, at += 2) {
		unsigned high, low;

		if (is_after_hyphen(i) && *at++ != '-')
			return false;
		high = digit_of(at[0]);
		low = digit_of(at[1]);
		if ((high | low) > 15)
			return false;
		uuid.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret_uuid = uuid;
	return true;
}
