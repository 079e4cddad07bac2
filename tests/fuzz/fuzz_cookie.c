/* fuzz_cookie.c - what holds for the Cookie header whatever a client sends. Checked:
 *   - names are tokens, values cookie-octets, perhaps in quotes (RFC 6265 4.1.1), each found in the header in this order;
 *   - written again and read again, they are the same;
 *   - what is put before them, malformed or not, takes none away. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/check.h"
#include "http/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_octet(unsigned char c)
{
	return c == 0x21 || (c >= 0x23 && c <= 0x2B) || (c >= 0x2D && c <= 0x3A) || (c >= 0x3C && c <= 0x5B) ||
	       (c >= 0x5D && c <= 0x7E);
}

static void check_pair(leat_text name, leat_text value)
{
	bool is_quoted = value.len >= 2 && value.ptr[0] == '"';

	LEAT_CHECK(name.len > 0 && name.ptr[name.len] == '=' && value.ptr == name.ptr + name.len + 1);
	for (size_t i = 0; i < name.len; i++)
		LEAT_CHECK(name.ptr[i] > ' ' && name.ptr[i] < 127 && !strchr("\"(),/:;<=>?@[\\]{}", name.ptr[i]));
	LEAT_CHECK(!is_quoted || value.ptr[value.len - 1] == '"');
	for (size_t i = is_quoted; i + is_quoted < value.len; i++)
		LEAT_CHECK(is_octet((unsigned char)value.ptr[i]));
}

static void write_again(leat_text header, struct buffer *out)
{
	const char *behind = header.ptr;
	leat_text name, value;

	while (cookie_next(&header, &name, &value)) {
		LEAT_CHECK(name.ptr >= behind);
		behind = value.ptr + value.len;
		check_pair(name, value);
		buffer_text(out, name);
		buffer_byte(out, '=');
		buffer_text(out, value);
		buffer_text(out, LEAT_TEXT_OF("; "));
	}
}

static void check(leat_text header, struct arena *arena)
{
	struct buffer once, twice, more;

	buffer_init(&once, arena, 64);
	buffer_init(&twice, arena, 64);
	buffer_init(&more, arena, 64);
	write_again(header, &once);
	buffer_text(&more, LEAT_TEXT_OF("\"bad=; =; a b=c;"));
	buffer_text(&more, header);
	write_again(buffer_as_text(&more), &twice);
	LEAT_CHECK(leat_text_equal(buffer_as_text(&once), buffer_as_text(&twice)));
	twice.len = 0;
	write_again(buffer_as_text(&once), &twice);
	LEAT_CHECK(leat_text_equal(buffer_as_text(&once), buffer_as_text(&twice)));
}

#include "tests/fuzz/in_arena.h"
