/* linetext.c - see linetext.h. Used by what reports a crash and answers for it. */
#include "base/linetext.h"

#include <string.h>

#include "base/number.h"

static const char digits[] = "0123456789abcdef";

void linetext_add_text(struct linetext *line, leat_text text)
{
	size_t room = LINETEXT_SIZE - line->len;
	size_t size = text.len < room ? text.len : room;

	if (size > 0)
		memcpy(line->bytes + line->len, text.ptr, size);
	line->len += size;
}

void linetext_add(struct linetext *line, const char *words)
{
	linetext_add_text(line, (leat_text){ words, strlen(words) });
}

void linetext_int(struct linetext *line, int64_t value)
{
	char decimal[NUMBER_INT_MAX];

	linetext_add_text(line, (leat_text){ decimal, number_write_int(decimal, value) });
}

void linetext_hex(struct linetext *line, uint64_t value)
{
	char hex[16];
	size_t at = sizeof(hex);

	do
		hex[--at] = digits[value & 15];
	while (value >>= 4);
	linetext_add(line, "0x");
	linetext_add_text(line, (leat_text){ hex + at, sizeof(hex) - at });
}

void linetext_bytes(struct linetext *line, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const char pair[2] = { digits[bytes[i] >> 4], digits[bytes[i] & 15] };

		linetext_add_text(line, (leat_text){ pair, sizeof(pair) });
	}
}
