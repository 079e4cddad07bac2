/* uri.c - see uri.h. Called by http/request, which gives REQUEST_URI, and by http/router. */
#include "http/uri.h"

#include <strings.h>

#include "base/utf8.h"
#include "base/word.h"

static bool is_clean(leat_text target);
static leat_text skip_authority(leat_text target);
static bool has_dot_segment(leat_text path);

static bool decode(leat_text raw, enum uri_part part, struct arena *arena, leat_text *ret_text);
static leat_text take_until(leat_text *rest, char separator);
static bool is_spelling_of(leat_text raw, leat_text name, struct arena *arena);

bool uri_split(leat_text target, leat_text *ret_path, leat_text *ret_query)
{
	leat_text path = skip_authority(target);
	leat_text query = { NULL, 0 };
	const char *mark = path.len ? memchr(path.ptr, '?', path.len) : NULL;

	if (mark) {
		query = (leat_text){ mark + 1, path.len - (size_t)(mark + 1 - path.ptr) };
		path.len = (size_t)(mark - path.ptr);
	}
	if (path.len == 0 && path.ptr != target.ptr) /* http://host is http://host/ */
		path = LEAT_TEXT_OF("/");
	if (path.len == 0 || path.ptr[0] != '/' || !is_clean(target) || has_dot_segment(path))
		return false;
	*ret_path = path;
	*ret_query = query;
	return true;
}

bool uri_decode(leat_text raw, enum uri_part part, struct arena *arena, leat_text *ret_text)
{
	if (raw.len == 0) {
		*ret_text = (leat_text){ "", 0 };
		return true;
	}
	if (memchr(raw.ptr, '\0', raw.len))
		return false;
	if (memchr(raw.ptr, '%', raw.len) || (part == URI_QUERY && memchr(raw.ptr, '+', raw.len)))
		return decode(raw, part, arena, ret_text);
	if (!utf8_is_valid(raw))
		return false;
	*ret_text = raw;
	return true;
}

/* '&' and '=' are ASCII, so that the query is UTF-8 when each name and value is. */
bool uri_query_is_valid(leat_text query, struct arena *arena)
{
	leat_text decoded;

	return uri_decode(query, URI_QUERY, arena, &decoded);
}

bool uri_query_next(leat_text *query, leat_text *ret_name, leat_text *ret_value)
{
	while (query->len > 0) {
		leat_text value = take_until(query, '&');

		if (value.len == 0)
			continue;
		*ret_name = take_until(&value, '=');
		*ret_value = value;
		return true;
	}
	return false;
}

bool uri_query_find(leat_text query, leat_text name, struct arena *arena, leat_text *ret_value)
{
	leat_text found, value;

	while (uri_query_next(&query, &found, &value))
		if (is_spelling_of(found, name, arena))
			return uri_decode(value, URI_QUERY, arena, ret_value);
	*ret_value = (leat_text){ NULL, 0 };
	return true;
}

/* Splitting ------------------------------------------------------------------------------------------------------ */

static uint64_t unclean_marks(uint64_t word)
{
	return word_marks_below(word, '!') | word_marks_equal(word, '#') | word_marks_equal(word, 0x7F);
}

static bool is_clean(leat_text target)
{
	uint64_t marks = 0;
	size_t i = 0;

	for (; i + WORD_SIZE <= target.len; i += WORD_SIZE)
		marks |= unclean_marks(word_load(target.ptr + i));
	for (; i < target.len; i++)
		marks |= unclean_marks(WORD_OF(target.ptr[i]));
	return marks == 0;
}

/* What follows http://host; all of the target when it does not begin so. */
static leat_text skip_authority(leat_text target)
{
	static const leat_text schemes[] = { { "http://", 7 }, { "https://", 8 } };

	if (target.len == 0 || target.ptr[0] == '/')
		return target;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t at = schemes[i].len;

		if (target.len <= at || strncasecmp(target.ptr, schemes[i].ptr, at) != 0)
			continue;
		while (at < target.len && target.ptr[at] != '/' && target.ptr[at] != '?')
			at++;
		if (at > schemes[i].len)
			return (leat_text){ target.ptr + at, target.len - at };
	}
	return target;
}

static bool is_dot_segment(const char *at, const char *end)
{
	unsigned dots = 0;

	for (; at < end && *at != '/'; dots++) {
		if (*at == '.')
			at += 1;
		else if (end - at >= 3 && at[0] == '%' && at[1] == '2' && (at[2] | 0x20) == 'e')
			at += 3;
		else
			return false;
	}
	return dots == 1 || dots == 2;
}

static bool has_dot_segment(leat_text path)
{
	const char *end = path.ptr + path.len;
	const char *at = path.ptr;

	while ((at = memchr(at, '/', (size_t)(end - at)))) {
		at++;
		if (at < end && (*at == '.' || *at == '%') && is_dot_segment(at, end))
			return true;
	}
	return false;
}

/* Decoding ------------------------------------------------------------------------------------------------------- */

/* The value of a hexadecimal digit; -1 when it is none. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the escape at 'at' stands for; -1 when it is none or NUL. */
static int escaped_byte(const char *at, const char *end)
{
	int high = end - at >= 3 ? hex_value(at[1]) : -1;
	int low = end - at >= 3 ? hex_value(at[2]) : -1;

	return high < 0 || low < 0 || high + low == 0 ? -1 : high << 4 | low;
}

static bool decode(leat_text raw, enum uri_part part, struct arena *arena, leat_text *ret_text)
{
	const char *end = raw.ptr + raw.len;
	char *start = arena_alloc(arena, raw.len);
	char *out = start;

	for (const char *at = raw.ptr; at < end; at++) {
		int byte = *at;

		if (byte == '%') {
			byte = escaped_byte(at, end);
			if (byte < 0)
				return false;
			at += 2;
			if (byte == '/' && part == URI_PATH)
				byte = URI_ESCAPED_SLASH;
		} else if (byte == '+' && part == URI_QUERY) {
			byte = ' ';
		}
		*out++ = (char)byte;
	}
	*ret_text = (leat_text){ start, (size_t)(out - start) };
	return utf8_is_valid(*ret_text);
}

/* The query -------------------------------------------------------------------------------------------------------- */

/* What comes before the separator; 'rest' is then what follows it, empty when there is none. */
static leat_text take_until(leat_text *rest, char separator)
{
	const char *end = rest->ptr + rest->len;
	const char *mark = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
	leat_text taken = { rest->ptr, (size_t)((mark ? mark : end) - rest->ptr) };

	rest->ptr = mark ? mark + 1 : end;
	rest->len = (size_t)(end - rest->ptr);
	return taken;
}

static bool is_spelling_of(leat_text raw, leat_text name, struct arena *arena)
{
	leat_text decoded;

	if (raw.len < name.len || raw.len > 3 * name.len)
		return false;
	return uri_decode(raw, URI_QUERY, arena, &decoded) && leat_text_equal(decoded, name);
}
