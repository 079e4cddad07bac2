/* parameter.c - see parameter.h. Called by http/multipart, http/form and http/accept. */
#include "http/parameter.h"

#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static leat_text skip(leat_text text, size_t count)
{
	return (leat_text){ text.ptr + count, text.len - count };
}

static void skip_blanks(leat_text *text)
{
	while (text->len > 0 && is_blank(*text->ptr))
		*text = skip(*text, 1);
}

leat_text parameter_trim(leat_text text)
{
	skip_blanks(&text);
	while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

/* RFC 9110 5.6.2. */
static bool is_token_byte(char c)
{
	return c > ' ' && c < 127 && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static size_t token_length(leat_text text)
{
	size_t len = 0;

	while (len < text.len && is_token_byte(text.ptr[len]))
		len++;
	return len;
}

bool parameter_is_token(leat_text text)
{
	return text.len > 0 && token_length(text) == text.len;
}

bool parameter_same(leat_text a, leat_text b)
{
	return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

bool parameter_equals(leat_text text, const char *word)
{
	return parameter_same(text, leat_text_from(word));
}

leat_text parameter_head(leat_text *rest, char separator)
{
	leat_text head = *rest;
	bool is_quoted = false;
	size_t at = 0;

	for (; at < head.len && (is_quoted || head.ptr[at] != separator); at++) {
		if (head.ptr[at] == '"')
			is_quoted = !is_quoted;
		else if (head.ptr[at] == '\\' && is_quoted && at + 1 < head.len)
			at++;
	}
	if (at == head.len)
		*rest = (leat_text){ NULL, 0 };
	else
		*rest = skip(head, separator == ';' ? at : at + 1);
	return parameter_trim((leat_text){ head.ptr, at });
}

static bool is_escape(leat_text text, size_t at)
{
	return text.ptr[at] == '\\' && at + 1 < text.len && (text.ptr[at + 1] == '"' || text.ptr[at + 1] == '\\');
}

static leat_text unescape(leat_text text, struct arena *arena)
{
	char *out = arena_alloc(arena, text.len);
	size_t len = 0;

	for (size_t at = 0; at < text.len; at++) {
		at += is_escape(text, at);
		out[len++] = text.ptr[at];
	}
	return (leat_text){ out, len };
}

/* Takes a quoted string; false when it does not end. */
static bool take_quoted(leat_text *rest, struct arena *arena, leat_text *ret_value)
{
	leat_text inner = skip(*rest, 1);
	bool has_escapes = false;
	size_t at = 0;

	for (; at < inner.len && inner.ptr[at] != '"'; at++)
		if (is_escape(inner, at)) {
			has_escapes = true;
			at++;
		}
	if (at >= inner.len)
		return false;
	*rest = skip(inner, at + 1);
	inner.len = at;
	*ret_value = has_escapes ? unescape(inner, arena) : inner;
	return true;
}

static bool take_token(leat_text *rest, leat_text *ret_token)
{
	*ret_token = (leat_text){ rest->ptr, token_length(*rest) };
	*rest = skip(*rest, ret_token->len);
	return ret_token->len > 0;
}

enum parameter_verdict parameter_next(leat_text *rest, struct arena *arena, leat_text *ret_name, leat_text *ret_value)
{
	leat_text at = *rest, name, value;

	skip_blanks(&at);
	if (at.len > 0 && *at.ptr != ';')
		return PARAMETER_BAD;
	while (at.len > 0 && (*at.ptr == ';' || is_blank(*at.ptr)))
		at = skip(at, 1);
	if (at.len == 0)
		return PARAMETER_END;
	if (!take_token(&at, &name) || at.len < 2 || *at.ptr != '=')
		return PARAMETER_BAD;
	at = skip(at, 1);
	if (!(*at.ptr == '"' ? take_quoted(&at, arena, &value) : take_token(&at, &value)))
		return PARAMETER_BAD;
	*rest = at;
	*ret_name = name;
	*ret_value = value;
	return PARAMETER_FOUND;
}
