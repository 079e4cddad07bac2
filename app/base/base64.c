/* base64.c - see base64.h. Three bytes are four digits of six bits. */
#include "base/base64.h"

enum { IS_DIGIT = 64 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A character's value with IS_DIGIT; 0 for what is none. The last two are the alphabet's own. */
#define DIGITS(last_but_one, last) \
	{ \
		LETTERS_AND_NUMBERS, [last_but_one] = 126, [last] = 127 \
	}
#define LETTERS_AND_NUMBERS \
	['A'] = 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, \
	89, ['a'] = 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, \
	111, 112, 113, 114, 115, ['0'] = 116, 117, 118, 119, 120, 121, 122, 123, 124, 125

static const uint8_t common_digits[256] = DIGITS('+', '/');
static const uint8_t url_digits[256] = DIGITS('-', '_');

static void write_digits(char *out, uint32_t bits, unsigned count)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = i < count ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
}

size_t base64_write(char *out, const uint8_t *bytes, size_t len)
{
	size_t whole = len / 3 * 3;

	for (size_t i = 0; i < whole; i += 3, out += 4)
		write_digits(out, (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2], 4);
	if (len - whole == 1)
		write_digits(out, (uint32_t)bytes[whole] << 16, 2);
	else if (len - whole == 2)
		write_digits(out, (uint32_t)bytes[whole] << 16 | (uint32_t)bytes[whole + 1] << 8, 3);
	return base64_size(len);
}

/* 'count' digits, 2 to 4, in the upper of 24 bits; false when one is none. */
static bool read_digits(const uint8_t digits[256], const char *at, size_t count, uint32_t *ret_bits)
{
	uint32_t bits = 0;
	uint8_t all = IS_DIGIT;

	for (size_t i = 0; i < count; i++) {
		uint8_t digit = digits[(uint8_t)at[i]];

		all &= digit;
		bits |= (uint32_t)(digit & 63) << (18 - 6 * i);
	}
	*ret_bits = bits;
	return all;
}

/* The last group when it is not whole: two or three digits, for one or two bytes. */
static bool read_last(const uint8_t digits[256], uint8_t *out, const char *at, size_t padding)
{
	uint32_t bits;

	if (!read_digits(digits, at, 4 - padding, &bits) || bits & (padding == 2 ? 0xFFFF : 0xFF))
		return false;
	*out = (uint8_t)(bits >> 16);
	if (padding == 1)
		out[1] = (uint8_t)(bits >> 8);
	return true;
}

static size_t padding_of(leat_text text)
{
	if (text.len == 0 || text.ptr[text.len - 1] != '=')
		return 0;
	return text.ptr[text.len - 2] == '=' ? 2 : 1;
}

/* Groups of four digits; behind them comes what is not whole. */
static bool read_whole(const uint8_t digits[256], uint8_t *out, const char *at, size_t len)
{
	uint32_t bits;

	for (size_t i = 0; i < len; i += 4, out += 3) {
		if (!read_digits(digits, at + i, 4, &bits))
			return false;
		out[0] = (uint8_t)(bits >> 16);
		out[1] = (uint8_t)(bits >> 8);
		out[2] = (uint8_t)bits;
	}
	return true;
}

bool base64_read(uint8_t *out, leat_text text, size_t *ret_len)
{
	size_t padding, whole;

	if (text.len % 4 != 0)
		return false;
	padding = padding_of(text);
	whole = text.len - (padding ? 4 : 0);
	*ret_len = base64_room(text.len) - padding;
	return read_whole(common_digits, out, text.ptr, whole) &&
	       (padding == 0 || read_last(common_digits, out + base64_room(whole), text.ptr + whole, padding));
}

bool base64_read_url(uint8_t *out, leat_text text, size_t *ret_len)
{
	size_t more = text.len % 4, whole = text.len - more;

	if (more == 1)
		return false;
	*ret_len = base64_room(whole) + (more ? more - 1 : 0);
	return read_whole(url_digits, out, text.ptr, whole) &&
	       (more == 0 || read_last(url_digits, out + base64_room(whole), text.ptr + whole, 4 - more));
}
