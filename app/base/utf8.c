/* utf8.c - see utf8.h. Ranges are those of the Unicode standard, table 3-7. */
#include "base/utf8.h"

#include "base/word.h"

static size_t skip_ascii(const char *at, size_t len)
{
	size_t i = 0;

	while (i + WORD_SIZE <= len && !word_marks_high(word_load(at + i)))
		i += WORD_SIZE;
	while (i < len && (unsigned char)at[i] < 0x80)
		i++;
	return i;
}

bool utf8_is_valid(leat_text text)
{
	size_t i = skip_ascii(text.ptr, text.len);

	while (i < text.len) {
		size_t more = utf8_sequence(text.ptr + i, text.len - i);

		if (!more)
			return false;
		i += more;
		if (i < text.len && (unsigned char)text.ptr[i] < 0x80)
			i += skip_ascii(text.ptr + i, text.len - i);
	}
	return true;
}

size_t utf8_count(leat_text text)
{
	size_t following = 0; /* bytes 10xxxxxx, which begin no code point */
	size_t i = 0;

	for (; i + WORD_SIZE <= text.len; i += WORD_SIZE) {
		uint64_t word = word_load(text.ptr + i);
		uint64_t ones = (word & ~(word << 1) & WORD_OF(0x80)) >> 7; /* a 1 in each byte that is one */

		following += (size_t)(ones * WORD_OF(1) >> 56);
	}
	for (; i < text.len; i++)
		following += ((unsigned char)text.ptr[i] & 0xC0) == 0x80;
	return text.len - following;
}

static bool is_between(unsigned char byte, unsigned char least, unsigned char most)
{
	return byte >= least && byte <= most;
}

size_t utf8_sequence(const char *at, size_t len)
{
	const unsigned char *b = (const unsigned char *)at;

	if (b[0] < 0x80)
		return 1;
	if (len < 2 || !is_between(b[0], 0xC2, 0xF4))
		return 0;
	if (b[0] < 0xE0)
		return is_between(b[1], 0x80, 0xBF) ? 2 : 0;
	if (len < 3 || !is_between(b[2], 0x80, 0xBF))
		return 0;
	if (b[0] < 0xF0)
		return is_between(b[1], b[0] == 0xE0 ? 0xA0 : 0x80, b[0] == 0xED ? 0x9F : 0xBF) ? 3 : 0;
	if (len < 4 || !is_between(b[3], 0x80, 0xBF))
		return 0;
	return is_between(b[1], b[0] == 0xF0 ? 0x90 : 0x80, b[0] == 0xF4 ? 0x8F : 0xBF) ? 4 : 0;
}

size_t utf8_write(char *out, uint32_t code_point)
{
	if (code_point < 0x80) {
		out[0] = (char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		out[0] = (char)(0xC0 | code_point >> 6);
		out[1] = (char)(0x80 | (code_point & 0x3F));
		return 2;
	}
	if (code_point < 0x10000) {
		out[0] = (char)(0xE0 | code_point >> 12);
		out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code_point & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code_point >> 18);
	out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code_point & 0x3F));
	return 4;
}
