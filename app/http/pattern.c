/* pattern.c - see pattern.h. Called by http/routes for each route, at start. */
#include "http/pattern.h"

#include <leat/result.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/regex.h"
#include "base/utf8.h"

#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_CHARS LETTERS "0123456789_-"

static const char *const type_names[PATTERN_KIND_COUNT] = {
	[PATTERN_UINT] = "uint",
	[PATTERN_INT] = "int",
	[PATTERN_UUID] = "uuid",
	[PATTERN_DATE] = "date",
};

struct parser {
	struct pattern *pattern;
	char *error;
	size_t error_size;
};

static struct pattern *allocate(const char *text);
static bool parse_segments(struct parser *parser);
static bool parse_segment(struct parser *parser, leat_text text, bool is_last);
static bool parse_literal(struct parser *parser, leat_text text);
static bool parse_parameter(struct parser *parser, leat_text text);
static bool refuse(struct parser *parser, const char *format, ...) LEAT_PRINTF(2, 3);

struct pattern *pattern_new(const char *text, char *error, size_t error_size)
{
	struct parser parser = { NULL, error, error_size };
	bool is_good;

	if (*text != '/')
		is_good = refuse(&parser, "a pattern begins with '/'");
	else if (strlen(text) > PATTERN_LEN_MAX)
		is_good = refuse(&parser, "a pattern has %d bytes at most", PATTERN_LEN_MAX);
	else if (!utf8_is_valid(leat_text_from(text)))
		is_good = refuse(&parser, "it is not UTF-8");
	else {
		parser.pattern = allocate(text);
		is_good = parse_segments(&parser);
	}
	if (is_good)
		return parser.pattern;
	pattern_free(parser.pattern);
	return NULL;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	for (unsigned i = 0; i < pattern->part_count; i++)
		regex_free(pattern->parts[i].regex);
	free(pattern);
}

const char *pattern_type_name(enum pattern_kind kind)
{
	return type_names[kind];
}

/* One block: the pattern, its segments, its parts, its text. Each '/' begins a segment at most, and a parameter has text
 * on both sides at most. */
static struct pattern *allocate(const char *text)
{
	size_t len = strlen(text), slashes = 0, braces = 0;
	struct pattern *pattern;
	size_t size;

	for (size_t i = 0; i < len; i++) {
		slashes += text[i] == '/';
		braces += text[i] == '{';
	}
	size = sizeof(*pattern) + slashes * sizeof(*pattern->segments) +
	       (slashes + 2 * braces) * sizeof(*pattern->parts) + len + 1;
	pattern = calloc(1, size);
	if (!pattern)
		check_out_of_memory(size, "the router");
	pattern->segments = (struct pattern_segment *)(pattern + 1);
	pattern->parts = (struct pattern_part *)(pattern->segments + slashes);
	pattern->text = memcpy(pattern->parts + slashes + 2 * braces, text, len + 1);
	return pattern;
}

static bool refuse(struct parser *parser, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parser->error, parser->error_size, format, args);
	va_end(args);
	return false;
}

/* Segments --------------------------------------------------------------------------------------------------------- */

/* The end of the parameter that begins at '{': behind its '}'; NULL when it has none. */
static const char *skip_parameter(const char *at)
{
	unsigned depth = 0;

	for (; *at; at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '{')
			depth++;
		else if (*at == '}' && --depth == 0)
			return at + 1;
	}
	return NULL;
}

/* The end of the segment that begins at 'at': its '/', or the pattern's end; NULL when a '{' is never closed. */
static const char *skip_segment(const char *at)
{
	while (at && *at && *at != '/')
		at = *at == '{' ? skip_parameter(at) : at + 1;
	return at;
}

static bool parse_segments(struct parser *parser)
{
	const char *at = parser->pattern->text;

	while (*at == '/') {
		const char *start = at + 1;

		at = skip_segment(start);
		if (!at)
			return refuse(parser, "a '{' is never closed");
		if (parser->pattern->segment_count == PATTERN_SEGMENTS_MAX)
			return refuse(parser, "a pattern has %d segments at most", PATTERN_SEGMENTS_MAX);
		if (!parse_segment(parser, (leat_text){ start, (size_t)(at - start) }, !*at))
			return false;
	}
	return true;
}

static bool is_dots(leat_text text)
{
	return leat_text_equal(text, LEAT_TEXT_OF(".")) || leat_text_equal(text, LEAT_TEXT_OF(".."));
}

static bool check_parts(struct parser *parser, const struct pattern_segment *segment, bool is_last)
{
	if (segment->kind == PATTERN_LITERAL && is_dots(segment->parts[0].text))
		return refuse(parser, "no request gets to a segment '.' or '..'");
	for (unsigned i = 0; i < segment->part_count; i++) {
		const struct pattern_part *part = &segment->parts[i];

		if (part->kind == PATTERN_TAIL && !is_last)
			return refuse(parser, "{%.*s...} takes the rest of the path, so nothing can follow it",
				      LEAT_TEXT_PRINTF(part->text));
		if (part->kind == PATTERN_TAIL && segment->part_count > 1)
			return refuse(parser, "{%.*s...} stands alone, from '/' to the end",
				      LEAT_TEXT_PRINTF(part->text));
		if (i > 0 && part->kind != PATTERN_LITERAL && part[-1].kind != PATTERN_LITERAL)
			return refuse(parser,
				      "nothing tells where {%.*s} ends and {%.*s} begins: put text between them",
				      LEAT_TEXT_PRINTF(part[-1].text), LEAT_TEXT_PRINTF(part->text));
	}
	return true;
}

static bool parse_segment(struct parser *parser, leat_text text, bool is_last)
{
	struct pattern *pattern = parser->pattern;
	struct pattern_segment *segment = &pattern->segments[pattern->segment_count++];
	const char *at = text.ptr, *end = text.ptr + text.len;

	segment->parts = &pattern->parts[pattern->part_count];
	do {
		const char *start = at;
		bool is_good;

		if (at < end && *at == '{') {
			at = skip_parameter(at);
			is_good = parse_parameter(parser, (leat_text){ start + 1, (size_t)(at - start) - 2 });
		} else {
			while (at < end && *at != '{')
				at++;
			is_good = parse_literal(parser, (leat_text){ start, (size_t)(at - start) });
		}
		if (!is_good)
			return false;
	} while (at < end);
	segment->part_count = (unsigned)(&pattern->parts[pattern->part_count] - segment->parts);
	segment->kind = segment->part_count > 1 ? PATTERN_MIXED : segment->parts[0].kind;
	return check_parts(parser, segment, is_last);
}

/* Parts ------------------------------------------------------------------------------------------------------------ */

static struct pattern_part *add_part(struct parser *parser, enum pattern_kind kind, leat_text text)
{
	struct pattern_part *part = &parser->pattern->parts[parser->pattern->part_count++];

	part->kind = kind;
	part->text = text;
	return part;
}

static bool parse_literal(struct parser *parser, leat_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c == '}')
			return refuse(parser, "a '}' closes nothing");
		if (c == '%')
			return refuse(parser, "write the character itself, not its escape; it matches both in a path");
		if (c == '?' || c == '#')
			return refuse(parser, "a path holds no '%c'", c);
		if (c < ' ' || c == 0x7F)
			return refuse(parser, "it holds a control character");
	}
	add_part(parser, PATTERN_LITERAL, text);
	return true;
}

static bool add_regex(struct parser *parser, leat_text name, leat_text expression)
{
	char reason[160];
	struct pattern_part *part = add_part(parser, PATTERN_REGEX, name);

	part->expression = expression;
	part->regex = regex_new(expression, reason, sizeof(reason));
	return part->regex || refuse(parser, "the expression of {%.*s}: %s", LEAT_TEXT_PRINTF(name), reason);
}

/* What stands behind the ':'. One word is taken for a type: as an expression it would be a literal. */
static bool add_typed(struct parser *parser, leat_text name, leat_text type)
{
	for (enum pattern_kind kind = PATTERN_LITERAL; kind < PATTERN_KIND_COUNT; kind++)
		if (type_names[kind] && leat_text_equal(type, leat_text_from(type_names[kind]))) {
			add_part(parser, kind, name);
			return true;
		}
	if (strspn(type.ptr, NAME_CHARS) >= type.len)
		return refuse(parser, "':%.*s' is no type; there are int, uint, uuid and date", LEAT_TEXT_PRINTF(type));
	return add_regex(parser, name, type);
}

static bool add_parameter(struct parser *parser, leat_text name, leat_text rest)
{
	if (rest.len == 0)
		add_part(parser, PATTERN_ANY, name);
	else if (leat_text_equal(rest, LEAT_TEXT_OF("...")))
		add_part(parser, PATTERN_TAIL, name);
	else if (rest.ptr[0] == ':')
		return add_typed(parser, name, (leat_text){ rest.ptr + 1, rest.len - 1 });
	else
		return refuse(
			parser,
			"'%.*s' cannot follow a parameter's name; there are {name}, {name:type}, {name:expression} and "
			"{name...}",
			LEAT_TEXT_PRINTF(rest));
	return true;
}

/* Between the braces: a name, and what may follow it. */
static bool parse_parameter(struct parser *parser, leat_text text)
{
	struct pattern *pattern = parser->pattern;
	leat_text name = { text.ptr, strspn(text.ptr, NAME_CHARS) };

	if (name.len == 0)
		return refuse(parser, "a parameter needs a name of letters, digits, '_' and '-'");
	for (unsigned i = 0; i < pattern->param_count; i++)
		if (leat_text_equal(pattern->params[i].name, name))
			return refuse(parser, "two parameters are named '%.*s'", LEAT_TEXT_PRINTF(name));
	if (pattern->param_count == PATTERN_PARAMS_MAX)
		return refuse(parser, "a pattern has %d parameters at most", PATTERN_PARAMS_MAX);
	if (!add_parameter(parser, name, (leat_text){ text.ptr + name.len, text.len - name.len }))
		return false;
	pattern->params[pattern->param_count++] = (struct pattern_param){
		.name = name, .kind = pattern->parts[pattern->part_count - 1].kind
	};
	return true;
}

/* Order ------------------------------------------------------------------------------------------------------------ */

static size_t literal_bytes(const struct pattern_segment *segment)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < segment->part_count; i++)
		if (segment->parts[i].kind == PATTERN_LITERAL)
			bytes += segment->parts[i].text.len;
	return bytes;
}

static int compare_texts(leat_text left, leat_text right)
{
	size_t len = left.len < right.len ? left.len : right.len;
	int order = len ? memcmp(left.ptr, right.ptr, len) : 0;

	return order ? order : (left.len > right.len) - (left.len < right.len);
}

static int compare_parts(const struct pattern_part *left, const struct pattern_part *right)
{
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return left->kind == PATTERN_LITERAL ? compare_texts(left->text, right->text)
					     : compare_texts(left->expression, right->expression);
}

int pattern_compare_segments(const struct pattern_segment *left, const struct pattern_segment *right)
{
	size_t left_bytes = literal_bytes(left), right_bytes = literal_bytes(right);

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (left_bytes != right_bytes)
		return left_bytes > right_bytes ? -1 : 1;
	for (unsigned i = 0; i < left->part_count && i < right->part_count; i++) {
		int order = compare_parts(&left->parts[i], &right->parts[i]);

		if (order)
			return order;
	}
	return (int)right->part_count - (int)left->part_count;
}
