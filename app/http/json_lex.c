/* json_lex.c - see json_lex.h. Called by http/json_read. */
#include "http/json_lex.h"

#include <stdint.h>

#include "base/utf8.h"
#include "http/json_scan.h"

void json_lex_init(struct json_lex *lex, leat_text document)
{
	const char *start = document.ptr ? document.ptr : "";

	*lex = (struct json_lex){ .start = start, .at = start, .end = start + document.len };
}

leat_text json_lex_explain(const struct json_lex *lex, struct arena *arena)
{
	const char *line_start = lex->start;
	unsigned long line = 1;
	size_t column;

	for (const char *at = lex->start; at < lex->at; at++) {
		if (*at == '\n') {
			line++;
			line_start = at + 1;
		}
	}
	column = 1 + utf8_count((leat_text){ line_start, (size_t)(lex->at - line_start) });
	return arena_format(arena, "line %lu, column %zu: %s", line, column, lex->fault);
}

bool json_lex_refuse(struct json_lex *lex, const char *fault)
{
	lex->fault = lex->at == lex->end ? "the document ends too early" : fault;
	return false;
}

bool json_lex_end(struct json_lex *lex)
{
	json_lex_peek(lex);
	return lex->at == lex->end || json_lex_refuse(lex, "something follows the document");
}

bool json_lex_enter(struct json_lex *lex, char close, bool *ret_is_end)
{
	if (lex->depth == JSON_LEX_DEPTH)
		return json_lex_refuse(lex, "nested too deep");
	lex->at++;
	*ret_is_end = json_lex_peek(lex) == close;
	lex->at += *ret_is_end;
	lex->depth += !*ret_is_end;
	return true;
}

bool json_lex_word(struct json_lex *lex, leat_text word)
{
	if (!leat_text_starts((leat_text){ lex->at, (size_t)(lex->end - lex->at) }, word))
		return json_lex_refuse(lex, "expected a value");
	lex->at += word.len;
	return true;
}

/* Numbers -------------------------------------------------------------------------------------------------------- */

static bool skip_byte(struct json_lex *lex, char wanted)
{
	if (lex->at == lex->end || *lex->at != wanted)
		return false;
	lex->at++;
	return true;
}

static bool skip_digits(struct json_lex *lex)
{
	const char *start = lex->at;

	while (lex->at < lex->end && *lex->at >= '0' && *lex->at <= '9')
		lex->at++;
	return lex->at > start || json_lex_refuse(lex, "expected a digit");
}

bool json_lex_number(struct json_lex *lex, leat_text *ret_token, bool *ret_is_integer)
{
	const char *start = lex->at;
	bool is_negative = skip_byte(lex, '-');
	const char *first = lex->at;

	if (!skip_digits(lex))
		return is_negative ? false : json_lex_refuse(lex, "expected a value");
	if (*first == '0' && lex->at - first > 1) {
		lex->at = first;
		return json_lex_refuse(lex, "a number has a leading zero");
	}
	*ret_is_integer = true;
	if (skip_byte(lex, '.')) {
		*ret_is_integer = false;
		if (!skip_digits(lex))
			return false;
	}
	if (skip_byte(lex, 'e') || skip_byte(lex, 'E')) {
		*ret_is_integer = false;
		if (!skip_byte(lex, '-'))
			skip_byte(lex, '+');
		if (!skip_digits(lex))
			return false;
	}
	*ret_token = (leat_text){ start, (size_t)(lex->at - start) };
	return true;
}

/* Strings -------------------------------------------------------------------------------------------------------- */

/* The value of four hexadecimal digits; -1 when they are none. */
static int32_t code_unit(const char *at, const char *end)
{
	int32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		char lower = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			value = value << 4 | (lower - 'a' + 10);
		else
			return -1;
	}
	return value;
}

static bool is_high_surrogate(int32_t unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(int32_t unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* At "\u": goes behind the escape, or behind the two of a surrogate pair. */
static bool scan_unicode_escape(struct json_lex *lex, struct json_string *string)
{
	const char *at = lex->at;
	int32_t unit = code_unit(at + 2, lex->end);
	bool is_pair = is_high_surrogate(unit) && lex->end - at >= 12 && at[6] == '\\' && at[7] == 'u' &&
		       is_low_surrogate(code_unit(at + 8, lex->end));

	if (unit < 0)
		return json_lex_refuse(lex, "'\\u' wants four hexadecimal digits");
	if (is_low_surrogate(unit) || (is_high_surrogate(unit) && !is_pair))
		return json_lex_refuse(lex, "half a surrogate pair");
	string->has_nul |= unit == 0;
	lex->at += is_pair ? 12 : 6;
	return true;
}

/* At a backslash: goes behind the escape. */
static bool scan_escape(struct json_lex *lex, struct json_string *string)
{
	char letter = lex->end - lex->at >= 2 ? lex->at[1] : '\0';

	string->has_escapes = true;
	if (letter == 'u')
		return scan_unicode_escape(lex, string);
	if (!letter || !strchr("\"\\/bfnrt", letter))
		return json_lex_refuse(lex, "no such escape");
	lex->at += 2;
	return true;
}

/* At a byte of a string that is not plain, nor a quote. */
static bool scan_special(struct json_lex *lex, struct json_string *string)
{
	size_t sequence;

	if (*lex->at == '\\')
		return scan_escape(lex, string);
	if ((unsigned char)*lex->at < ' ')
		return json_lex_refuse(lex, "a control character in a string must be escaped");
	sequence = utf8_sequence(lex->at, (size_t)(lex->end - lex->at));
	lex->at += sequence;
	return sequence || json_lex_refuse(lex, "not UTF-8");
}

bool json_lex_string(struct json_lex *lex, const char *fault, struct json_string *ret_string)
{
	struct json_string string = { .has_escapes = false };

	if (!skip_byte(lex, '"'))
		return json_lex_refuse(lex, fault);
	string.raw.ptr = lex->at;
	for (;;) {
		lex->at += json_scan_plain(lex->at, (size_t)(lex->end - lex->at));
		if (lex->at == lex->end)
			return json_lex_refuse(lex, "expected a quote");
		if (*lex->at == '"')
			break;
		if (!scan_special(lex, &string))
			return false;
	}
	string.raw.len = (size_t)(lex->at++ - string.raw.ptr);
	*ret_string = string;
	return true;
}

/* Writes what the escape behind a backslash stands for, and goes behind the escape. */
static char *write_unescaped(char *out, const char **at)
{
	static const char plain[] = { ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
				      ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t' };
	char letter = *(*at)++;
	uint32_t code_point;

	if (letter != 'u') {
		*out = plain[(unsigned char)letter];
		return out + 1;
	}
	code_point = (uint32_t)code_unit(*at, *at + 4);
	*at += 4;
	if (is_high_surrogate((int32_t)code_point)) {
		code_point = 0x10000 + ((code_point - 0xD800) << 10) + ((uint32_t)code_unit(*at + 2, *at + 6) - 0xDC00);
		*at += 6;
	}
	return out + utf8_write(out, code_point);
}

/* No escape is shorter than what it stands for. */
leat_text json_lex_unescape(const struct json_string *string, struct arena *arena)
{
	const char *at = string->raw.ptr;
	const char *end = at + string->raw.len;
	const char *slash;
	char *start, *out;

	if (!string->has_escapes)
		return string->raw;
	start = out = arena_alloc(arena, string->raw.len);
	while ((slash = memchr(at, '\\', (size_t)(end - at)))) {
		memcpy(out, at, (size_t)(slash - at));
		out += slash - at;
		at = slash + 1;
		out = write_unescaped(out, &at);
	}
	memcpy(out, at, (size_t)(end - at));
	return (leat_text){ start, (size_t)(out + (end - at) - start) };
}

/* Values --------------------------------------------------------------------------------------------------------- */

static bool skip_string(struct json_lex *lex, const char *fault)
{
	struct json_string string;

	if (!json_lex_string(lex, fault, &string))
		return false;
	lex->has_skipped_nul |= string.has_nul;
	return true;
}

static bool skip_key(struct json_lex *lex)
{
	json_lex_peek(lex);
	return skip_string(lex, "expected a key in quotes") && json_lex_colon(lex);
}

static bool skip_items(struct json_lex *lex, char close)
{
	bool is_end;

	if (!json_lex_enter(lex, close, &is_end))
		return false;
	while (!is_end)
		if ((close == '}' && !skip_key(lex)) || !json_lex_skip(lex) || !json_lex_go_on(lex, close, &is_end))
			return false;
	return true;
}

bool json_lex_skip(struct json_lex *lex)
{
	leat_text token;
	bool is_integer;

	switch (json_lex_peek(lex)) {
	case '{':
		return skip_items(lex, '}');
	case '[':
		return skip_items(lex, ']');
	case '"':
		return skip_string(lex, "");
	case 't':
		return json_lex_word(lex, LEAT_TEXT_OF("true"));
	case 'f':
		return json_lex_word(lex, LEAT_TEXT_OF("false"));
	case 'n':
		return json_lex_word(lex, LEAT_TEXT_OF("null"));
	default:
		return json_lex_number(lex, &token, &is_integer);
	}
}
