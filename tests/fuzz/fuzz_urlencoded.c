/* fuzz_urlencoded.c - what holds for queries and urlencoded forms whatever a client sends. Checked, against a second and simple way:
 *   - the parameters are the pieces between '&' that are not empty, cut at their first '=';
 *   - each can be decoded exactly when the whole can, and is UTF-8 without NUL then;
 *   - encoded again, all of them read as the same. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/check.h"
#include "base/utf8.h"
#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The piece from *at on; *at is then behind its '&'. False at the end. */
static bool next_piece(leat_text form, size_t *at, leat_text *ret_name, leat_text *ret_value)
{
	for (;;) {
		size_t start = *at, equals, end = start;

		if (start >= form.len)
			return false;
		while (end < form.len && form.ptr[end] != '&')
			end++;
		for (equals = start; equals < end && form.ptr[equals] != '=';)
			equals++;
		*at = end + 1;
		if (end == start)
			continue;
		*ret_name = (leat_text){ form.ptr + start, equals - start };
		*ret_value = (leat_text){ form.ptr + equals + (equals < end), end - equals - (equals < end) };
		return true;
	}
}

static bool decode(leat_text raw, struct arena *arena, leat_text *ret_text)
{
	if (!uri_decode(raw, URI_QUERY, arena, ret_text))
		return false;
	LEAT_CHECK(utf8_is_valid(*ret_text));
	LEAT_CHECK(!ret_text->len || !memchr(ret_text->ptr, '\0', ret_text->len));
	return true;
}

static void encode(struct buffer *out, leat_text text, char end)
{
	for (size_t i = 0; i < text.len; i++)
		buffer_format(out, "%%%02X", (unsigned char)text.ptr[i]);
	buffer_byte(out, end);
}

static void check_same(leat_text form, leat_text again, struct arena *arena)
{
	leat_text name, value, other_name, other_value;

	while (uri_query_next(&form, &name, &value)) {
		LEAT_CHECK(uri_query_next(&again, &other_name, &other_value));
		LEAT_CHECK(decode(name, arena, &name) && decode(other_name, arena, &other_name));
		LEAT_CHECK(decode(value, arena, &value) && decode(other_value, arena, &other_value));
		LEAT_CHECK(leat_text_equal(name, other_name) && leat_text_equal(value, other_value));
	}
	LEAT_CHECK(!uri_query_next(&again, &other_name, &other_value));
}

static void check(leat_text form, struct arena *arena)
{
	leat_text rest = form, name, value, simple_name, simple_value;
	bool is_good = true;
	struct buffer again;
	size_t at = 0;

	buffer_init(&again, arena, 64);
	while (uri_query_next(&rest, &name, &value)) {
		LEAT_CHECK(next_piece(form, &at, &simple_name, &simple_value));
		LEAT_CHECK(name.ptr == simple_name.ptr && name.len == simple_name.len);
		LEAT_CHECK(value.len == simple_value.len && leat_text_equal(value, simple_value));
		if (decode(name, arena, &name) && decode(value, arena, &value)) {
			encode(&again, name, '=');
			encode(&again, value, '&');
		} else {
			is_good = false;
		}
	}
	LEAT_CHECK(!next_piece(form, &at, &simple_name, &simple_value));
	LEAT_CHECK(uri_query_is_valid(form, arena) == is_good);
	if (is_good)
		check_same(form, buffer_as_text(&again), arena);
}

#include "tests/fuzz/in_arena.h"
