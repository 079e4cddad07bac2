/* fuzz_output.c - what holds for the heads and events that leat writes whatever a service hands on. See README.md for how it is built
 * and run. The input's first byte chooses, the rest is cut in two at the first '|'. Checked, by reading it as a front server or a browser
 * does:
 *   - what is written of a header, a cookie or a redirect is one line, and the line has the name and the value that were given;
 *   - a cookie's name and value end where they should: at the first '=' and the first ';';
 *   - a redirect that stays has neither scheme nor host, read as browsers do (backslashes are slashes, blanks are dropped);
 *   - an event is one event: its data, put together again, is what was given but for the ends of its lines;
 *   - a range lies within the file. */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/event_text.h"
#include "http/header.h"
#include "http/range.h"
#include "http/redirect.h"
#include "http/set_cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_one_line(leat_text line)
{
	for (size_t i = 0; i < line.len; i++)
		LEAT_CHECK(line.ptr[i] != '\r' && line.ptr[i] != '\n' && line.ptr[i] != '\0');
}

static void check_header(struct arena *arena, leat_text name, leat_text value)
{
	struct buffer out;
	leat_text line, read;
	const char *colon;

	buffer_init(&out, arena, 16);
	if (header_write(&out, name, value)) {
		LEAT_CHECK(out.len == 0);
		return;
	}
	line = buffer_as_text(&out);
	LEAT_CHECK(line.len >= 4 && line.ptr[line.len - 2] == '\r' && line.ptr[line.len - 1] == '\n');
	line.len -= 2;
	check_one_line(line);
	colon = memchr(line.ptr, ':', line.len);
	LEAT_CHECK(colon && colon > line.ptr);
	LEAT_CHECK(leat_text_equal(name, (leat_text){ line.ptr, (size_t)(colon - line.ptr) }));
	read = (leat_text){ colon + 2, line.len - (size_t)(colon + 2 - line.ptr) };
	LEAT_CHECK(leat_text_equal(value, read));
}

static void check_cookie(struct arena *arena, leat_text name, leat_text value, unsigned flags)
{
	struct leat_cookie cookie = { .name = arena_copy(arena, name.ptr, name.len),
				      .value = value,
				      .same_site = (enum leat_same_site)(flags & 3),
				      .over_http = flags & 4,
				      .for_scripts = flags & 8,
				      .path = flags & 16 ? arena_copy(arena, value.ptr, value.len) : NULL,
				      .domain = flags & 32 ? arena_copy(arena, value.ptr, value.len) : NULL };
	struct buffer out;
	leat_text line;
	const char *equals, *semicolon;

	buffer_init(&out, arena, 16);
	if (set_cookie_write(&out, &cookie)) {
		LEAT_CHECK(out.len == 0);
		return;
	}
	line = buffer_as_text(&out);
	check_one_line(line);
	equals = memchr(line.ptr, '=', line.len);
	semicolon = memchr(line.ptr, ';', line.len);
	LEAT_CHECK(equals && semicolon && equals < semicolon);
	LEAT_CHECK(leat_text_equal(leat_text_from(cookie.name), (leat_text){ line.ptr, (size_t)(equals - line.ptr) }));
	LEAT_CHECK(leat_text_equal(value, (leat_text){ equals + 1, (size_t)(semicolon - equals - 1) }));
	LEAT_CHECK(!memmem(line.ptr, line.len, "; SameSite=None", 15) || memmem(line.ptr, line.len, "; Secure", 8));
}

/* As the WHATWG URL standard begins to read one. */
static void check_redirect(struct arena *arena, leat_text url)
{
	char *seen = arena_alloc(arena, url.len + 1);
	size_t len = 0;

	if (!redirect_stays(url))
		return;
	check_one_line(url);
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.ptr[i] > ' ')
			seen[len++] = url.ptr[i] == '\\' ? '/' : url.ptr[i];
	LEAT_CHECK(len > 0 && (seen[0] == '/' || seen[0] == '?'));
	LEAT_CHECK(!(len > 1 && seen[0] == '/' && seen[1] == '/'));
	LEAT_CHECK(redirect_may_leave(url));
}

/* The next line; browsers end one at CR, LF, or both. */
static leat_text take_line(leat_text *rest)
{
	leat_text line = { rest->ptr, 0 };
	size_t skip;

	while (line.len < rest->len && line.ptr[line.len] != '\n' && line.ptr[line.len] != '\r')
		line.len++;
	skip = line.len < rest->len ? 1 : 0;
	if (line.len + 1 < rest->len && line.ptr[line.len] == '\r' && line.ptr[line.len + 1] == '\n')
		skip = 2;
	rest->ptr += line.len + skip;
	rest->len -= line.len + skip;
	return line;
}

static void check_event(struct arena *arena, leat_text id, leat_text data)
{
	static const leat_text data_field = { "data: ", 6 }, id_field = { "id: ", 4 };
	struct leat_event event = { .id = id, .data = data };
	struct buffer out;
	leat_text wire;

	buffer_init(&out, arena, 16);
	if (!event_text_write(&out, &event)) {
		LEAT_CHECK(out.len == 0);
		return;
	}
	wire = buffer_as_text(&out);
	if (id.ptr) {
		leat_text line = take_line(&wire);

		LEAT_CHECK(leat_text_starts(line, id_field));
		LEAT_CHECK(leat_text_equal(id, (leat_text){ line.ptr + id_field.len, line.len - id_field.len }));
	}
	for (bool goes_on = data.ptr != NULL; goes_on;) {
		leat_text expected, line = take_line(&wire);
		const char *before = data.ptr;

		expected = take_line(&data);
		goes_on = data.ptr > before + expected.len; /* there was an end of a line, so there is one more */
		LEAT_CHECK(leat_text_starts(line, data_field));
		LEAT_CHECK(
			leat_text_equal(expected, (leat_text){ line.ptr + data_field.len, line.len - data_field.len }));
	}
	LEAT_CHECK(leat_text_equal(wire, LEAT_TEXT_OF("\n")));
}

static void check_range(leat_text header)
{
	for (int64_t size = 0; size < 1000000; size = size * 7 + 1) {
		struct range range;
		enum range_verdict verdict = range_read(header, size, &range);

		LEAT_CHECK(range.first >= 0 && range.len >= 0 && range.first <= size &&
			   range.len <= size - range.first);
		LEAT_CHECK(verdict == RANGE_PART ? range.len > 0 : range.first == 0 && range.len == size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena_pool *pool = arena_pool_new(0);
	struct arena arena;
	leat_text first, second = { NULL, 0 };
	const char *bar;

	if (size == 0) {
		arena_pool_free(pool);
		return 0;
	}
	arena_init(&arena, pool);
	first = (leat_text){ (const char *)data + 1, size - 1 };
	bar = memchr(first.ptr, '|', first.len);
	if (bar) {
		second = (leat_text){ bar + 1, first.len - (size_t)(bar + 1 - first.ptr) };
		first.len = (size_t)(bar - first.ptr);
	}
	check_header(&arena, first, second);
	check_cookie(&arena, first, second, data[0]);
	check_redirect(&arena, first);
	check_event(&arena, first, second);
	check_range(first);
	arena_reset(&arena);
	arena_pool_free(pool);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif
