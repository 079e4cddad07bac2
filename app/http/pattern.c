/* pattern.c - see pattern.h. Called by http/router for each route, at start. */
#include "http/pattern.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct parser {
	struct pattern *pattern;
	char *error;
	size_t error_size;
};

static bool parse_segment(struct parser *parser, leat_text text, bool is_last);
static bool parse_literal(struct parser *parser, leat_text text);
static bool parse_parameter(struct parser *parser, leat_text text, bool is_last);
static bool refuse(struct parser *parser, const char *format, ...) LEAT_PRINTF(2, 3);

bool pattern_parse(const char *text, struct pattern *ret_pattern, char *error, size_t error_size)
{
	struct parser parser = { ret_pattern, error, error_size };
	const char *at = text;

	ret_pattern->segment_count = ret_pattern->param_count = 0;
	if (*text != '/')
		return refuse(&parser, "a pattern begins with '/'");
	if (strlen(text) > PATTERN_LEN_MAX)
		return refuse(&parser, "a pattern has %d bytes at most", PATTERN_LEN_MAX);
	if (!utf8_is_valid(leat_text_from(text)))
		return refuse(&parser, "it is not UTF-8");
	while (*at == '/') {
		leat_text segment = { at + 1, strcspn(at + 1, "/") };

		at = segment.ptr + segment.len;
		if (ret_pattern->segment_count == PATTERN_SEGMENTS_MAX)
			return refuse(&parser, "a pattern has %d segments at most", PATTERN_SEGMENTS_MAX);
		if (!parse_segment(&parser, segment, !*at))
			return false;
	}
	return true;
}

static bool refuse(struct parser *parser, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parser->error, parser->error_size, format, args);
	va_end(args);
	return false;
}

static void add_segment(struct parser *parser, enum pattern_kind kind, leat_text text)
{
	parser->pattern->segments[parser->pattern->segment_count++] = (struct pattern_segment){ kind, text };
	parser->pattern->param_count += kind != PATTERN_LITERAL;
}

static bool parse_segment(struct parser *parser, leat_text text, bool is_last)
{
	const char *open = text.len ? memchr(text.ptr, '{', text.len) : NULL;
	const char *close = text.len ? memchr(text.ptr, '}', text.len) : NULL;
	const char *end = text.ptr + text.len;

	if (!open && !close)
		return parse_literal(parser, text);
	if (!close)
		return refuse(parser, "a '{' is never closed");
	if (!open || close < open)
		return refuse(parser, "a '}' closes nothing");
	if (open != text.ptr || close != end - 1)
		return refuse(parser, "a parameter is a whole segment, from '/' to '/'");
	return parse_parameter(parser, (leat_text){ open + 1, text.len - 2 }, is_last);
}

static bool parse_literal(struct parser *parser, leat_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c == '%')
			return refuse(parser, "write the character itself, not its escape; it matches both in a path");
		if (c == '?' || c == '#')
			return refuse(parser, "a path holds no '%c'", c);
		if (c < ' ' || c == 0x7F)
			return refuse(parser, "it holds a control character");
	}
	add_segment(parser, PATTERN_LITERAL, text);
	return true;
}

/* Between the braces: name, name:int or name... */
static bool parse_parameter(struct parser *parser, leat_text text, bool is_last)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	leat_text name = { text.ptr, strspn(text.ptr, allowed) };
	leat_text type = { text.ptr + name.len, text.len - name.len };
	enum pattern_kind kind = PATTERN_ANY;

	if (name.len == 0)
		return refuse(parser, "a parameter needs a name of letters, digits, '_' and '-'");
	if (leat_text_equal(type, LEAT_TEXT_OF(":int")))
		kind = PATTERN_INT;
	else if (leat_text_equal(type, LEAT_TEXT_OF("...")))
		kind = PATTERN_TAIL;
	else if (type.len)
		return refuse(parser, "'%.*s' is unknown; there are {name}, {name:int} and {name...}",
			      LEAT_TEXT_PRINTF(type));
	if (kind == PATTERN_TAIL && !is_last)
		return refuse(parser, "{%.*s...} takes the rest of the path, so nothing can follow it",
			      LEAT_TEXT_PRINTF(name));
	for (unsigned i = 0; i < parser->pattern->segment_count; i++)
		if (parser->pattern->segments[i].kind != PATTERN_LITERAL &&
		    leat_text_equal(parser->pattern->segments[i].text, name))
			return refuse(parser, "two parameters are named '%.*s'", LEAT_TEXT_PRINTF(name));
	if (parser->pattern->param_count == PATTERN_PARAMS_MAX)
		return refuse(parser, "a pattern has %d parameters at most", PATTERN_PARAMS_MAX);
	add_segment(parser, kind, name);
	return true;
}
