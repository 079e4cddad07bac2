/* url.c - see url.h. Called by http/request for leat_url and, for redirects, by the pipeline. */
#include "http/url.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/calendar.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "http/routes.h"
#include "http/segment.h"

/* RFC 3986 3.3: pchar but for escapes. */
#define SEGMENT_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@"

/* A URL being written. */
struct writing {
	const struct router *router;
	struct arena *arena;
	struct buffer url;
	const leat_text *values; /* of the parameters that are still to come */
	char *fault;
};

static bool write_segment(struct writing *writing, const struct pattern_segment *segment);
static bool make_value(struct writing *writing, const struct pattern_param *param, const struct leat_arg *arg,
		       leat_text *ret_value);

static bool refuse(struct writing *writing, const char *format, ...) LEAT_PRINTF(2, 3);
static bool refuse(struct writing *writing, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(writing->fault, URL_FAULT_SIZE, format, args);
	va_end(args);
	return false;
}

static bool make_values(struct writing *writing, const struct pattern *pattern, const struct leat_arg *args,
			unsigned count)
{
	leat_text *values = arena_alloc(writing->arena, PATTERN_PARAMS_MAX * sizeof(*values));

	if (count != pattern->param_count)
		return refuse(writing, "%s has %u parameters, and is given %u", pattern->text, pattern->param_count,
			      count);
	for (unsigned i = 0; i < count; i++)
		if (!make_value(writing, &pattern->params[i], &args[i], &values[i]))
			return false;
	writing->values = values;
	return true;
}

bool url_write(const struct router *router, const char *name, const struct leat_arg *args, unsigned count,
	       struct arena *arena, leat_text *ret_url, char fault[URL_FAULT_SIZE])
{
	struct writing writing = { .router = router, .arena = arena, .fault = fault };
	const struct routes_entry *entry = routes_named(router_routes(router), name);

	if (!entry)
		return refuse(&writing, "no route has this name");
	if (!make_values(&writing, entry->pattern, args, count))
		return false;
	buffer_init(&writing.url, arena, 64);
	for (unsigned i = 0; i < entry->pattern->segment_count; i++)
		if (!write_segment(&writing, &entry->pattern->segments[i]))
			return false;
	*ret_url = buffer_as_text(&writing.url);
	if (leat_text_starts(*ret_url, LEAT_TEXT_OF("//")))
		return refuse(&writing, "'//' at its start would name a host");
	return true;
}

/* Values ----------------------------------------------------------------------------------------------------------- */

static leat_text date_as_text(struct arena *arena, leat_time time)
{
	char *text = arena_alloc(arena, CALENDAR_TEXT_MAX);

	if (!calendar_holds(time.us) || time.us % CALENDAR_DAY != 0)
		return (leat_text){ NULL, 0 };
	calendar_write(text, time.us);
	return (leat_text){ text, sizeof("2026-01-31") - 1 };
}

/* {NULL, 0}: an argument that is absent, or of a kind that no parameter takes. */
static leat_text argument_as_text(struct arena *arena, const struct leat_arg *arg)
{
	char *text = arena_alloc(arena, UUID_TEXT_SIZE);

	switch (arg->kind) {
	case LEAT_ARG_INT:
		return (leat_text){ text, number_write_int(text, arg->i) };
	case LEAT_ARG_UUID:
		return (leat_text){ text, uuid_write(text, &arg->uuid) };
	case LEAT_ARG_TIME:
		return date_as_text(arena, arg->time);
	case LEAT_ARG_TEXT:
		return arg->text;
	default:
		return (leat_text){ NULL, 0 };
	}
}

static bool make_value(struct writing *writing, const struct pattern_param *param, const struct leat_arg *arg,
		       leat_text *ret_value)
{
	leat_text value = argument_as_text(writing->arena, arg);

	if (!value.ptr)
		return refuse(writing,
			      arg->kind == LEAT_ARG_NULL ? "{%.*s} has no value"
							 : "{%.*s} takes an integer, a text, a UUID or a day",
			      LEAT_TEXT_PRINTF(param->name));
	if (!utf8_is_valid(value) || (value.len && memchr(value.ptr, '\0', value.len)))
		return refuse(writing, "the value of {%.*s} is not UTF-8 or holds NUL", LEAT_TEXT_PRINTF(param->name));
	*ret_value = value;
	return true;
}

/* Segments --------------------------------------------------------------------------------------------------------- */

static void put_escaped(struct buffer *out, leat_text text, const char *as_they_are)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c && strchr(as_they_are, c)) {
			buffer_byte(out, (char)c);
		} else {
			buffer_byte(out, '%');
			buffer_byte(out, digits[c >> 4]);
			buffer_byte(out, digits[c & 15]);
		}
	}
}

void url_put_segment(struct buffer *out, leat_text text)
{
	put_escaped(out, text, SEGMENT_CHARS);
}

static bool put_segment(struct writing *writing, leat_text text)
{
	if (leat_text_equal(text, LEAT_TEXT_OF(".")) || leat_text_equal(text, LEAT_TEXT_OF("..")))
		return refuse(writing, "a segment cannot be '.' or '..'");
	buffer_byte(&writing->url, '/');
	url_put_segment(&writing->url, text);
	return true;
}

/* Its slashes part segments. */
static bool put_tail(struct writing *writing, leat_text rest)
{
	for (;;) {
		const char *slash = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;
		size_t len = slash ? (size_t)(slash - rest.ptr) : rest.len;

		if (!put_segment(writing, (leat_text){ rest.ptr, len }))
			return false;
		if (!slash)
			return true;
		rest = (leat_text){ slash + 1, rest.len - len - 1 };
	}
}

/* The segment's text, its parameters replaced by the values that come next. */
static leat_text join_parts(struct writing *writing, const struct pattern_segment *segment)
{
	const leat_text *value = writing->values;
	struct buffer text;

	if (segment->kind == PATTERN_LITERAL)
		return segment->parts[0].text;
	if (segment->kind != PATTERN_MIXED)
		return *value;
	buffer_init(&text, writing->arena, 64);
	for (unsigned i = 0; i < segment->part_count; i++)
		buffer_text(&text, segment->parts[i].kind == PATTERN_LITERAL ? segment->parts[i].text : *value++);
	return buffer_as_text(&text);
}

/* Whether the segment would bring the values back: each must fit, and the router must split it where it was joined. */
static bool check_parts(struct writing *writing, const struct pattern_segment *segment, leat_text text)
{
	leat_text found[PATTERN_PARAMS_MAX];
	uint32_t steps = ROUTER_STEPS;
	bool is_split = segment->kind != PATTERN_LITERAL && text.len > 0 &&
			segment_match(segment, text, &steps, found) == SEGMENT_FITS;

	if (segment->kind == PATTERN_LITERAL || segment->kind == PATTERN_TAIL)
		return true;
	for (unsigned i = 0, k = 0; i < segment->part_count; i++) {
		const struct pattern_part *part = &segment->parts[i];
		leat_text value = writing->values[k];

		if (part->kind == PATTERN_LITERAL)
			continue;
		if (segment_part_fits(part, value, &steps) != SEGMENT_FITS)
			return refuse(writing, "'%.*s' does not fit {%.*s}", (int)(value.len < 100 ? value.len : 100),
				      value.ptr, LEAT_TEXT_PRINTF(part->text));
		if (!is_split || !leat_text_equal(found[k], value))
			return refuse(writing, "'%.*s' for {%.*s} would be read back otherwise",
				      (int)(value.len < 100 ? value.len : 100), value.ptr,
				      LEAT_TEXT_PRINTF(part->text));
		k++;
	}
	return true;
}

static bool write_segment(struct writing *writing, const struct pattern_segment *segment)
{
	leat_text text = join_parts(writing, segment);

	if (!check_parts(writing, segment, text))
		return false;
	for (unsigned i = 0; i < segment->part_count; i++)
		writing->values += segment->parts[i].kind != PATTERN_LITERAL;
	return segment->kind == PATTERN_TAIL ? put_tail(writing, text) : put_segment(writing, text);
}

/* Slashes ---------------------------------------------------------------------------------------------------------- */

/* What was sent stands as it is, but for bytes that have no place in a URI: some clients read '\' as '/', so that "/\host"
 * would lead elsewhere. */
bool url_other_slash(const struct router *router, enum leat_method method, leat_text path, leat_text query,
		     struct arena *arena, leat_text *ret_url)
{
	bool has_slash = path.len > 1 && path.ptr[path.len - 1] == '/';
	leat_text other = { path.ptr, path.len - has_slash };
	struct router_match match;
	struct buffer url;

	if (path.len == 0)
		return false;
	if (!has_slash)
		other = arena_format(arena, "%.*s/", LEAT_TEXT_PRINTF(path));
	if (leat_text_starts(other, LEAT_TEXT_OF("//")) ||
	    router_match(router, method, other, arena, &match) != ROUTER_FOUND)
		return false;
	buffer_init(&url, arena, other.len + query.len + 64);
	put_escaped(&url, other, SEGMENT_CHARS "/%");
	if (query.ptr) {
		buffer_byte(&url, '?');
		put_escaped(&url, query, SEGMENT_CHARS "/%?");
	}
	*ret_url = buffer_as_text(&url);
	return true;
}
