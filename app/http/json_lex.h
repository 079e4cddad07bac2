/* json_lex.h - the tokens of a JSON document, checked as RFC 8259 wants them and no further.
 *
 * Use:
 *     struct json_lex lex;
 *     json_lex_init(&lex, document);
 *     if (json_lex_peek(&lex) == '{' && json_lex_enter(&lex, '}', &is_end)) ...
 *     if (!json_lex_skip(&lex) || !json_lex_end(&lex))       -- is it JSON at all?
 *         detail = json_lex_explain(&lex, arena);            -- "line 2, column 7: expected ':'"
 *
 * Each function but json_lex_peek begins at a token's first byte, which json_lex_peek has found, and goes behind the
 * token.
 *
 * Ownership:      texts are views into the document; json_lex_unescape makes new ones in an arena.
 * Thread-safety:  one thread at a time per object.
 * Errors:         false at what is no JSON: 'at' is then the place, 'fault' says what is wrong there.
 */
#ifndef APP_HTTP_JSON_LEX_H
#define APP_HTTP_JSON_LEX_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* How deep arrays and objects may nest. */
enum { JSON_LEX_DEPTH = 64 };

struct json_lex {
	const char *start;
	const char *at;
	const char *end;
	const char *fault;
	unsigned depth;
	bool has_skipped_nul; /* a string that json_lex_skip went over has \u0000 */
};

/* A string between its quotes. */
struct json_string {
	leat_text raw;
	bool has_escapes;
	bool has_nul; /* as \u0000 */
};

void json_lex_init(struct json_lex *lex, leat_text document);

/* Where the fault is and what it is; a column counts characters, from 1. */
leat_text json_lex_explain(const struct json_lex *lex, struct arena *arena);

/* Notes what is wrong at 'at', or that the document ends there; false. */
bool json_lex_refuse(struct json_lex *lex, const char *fault);

/* The next byte that is no white space; 0 at the end, where a NUL in the document is refused just as well. */
static inline char json_lex_peek(struct json_lex *lex)
{
	while (lex->at < lex->end) {
		char c = *lex->at;

		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return c;
		lex->at++;
	}
	return 0;
}

/* Nothing but white space is left. */
bool json_lex_end(struct json_lex *lex) LEAT_MUST_USE;

/* The colon behind a key. */
static inline bool json_lex_colon(struct json_lex *lex)
{
	if (json_lex_peek(lex) != ':')
		return json_lex_refuse(lex, "expected ':'");
	lex->at++;
	return true;
}

/* Into an object or an array that 'close' ends: behind its opening bracket; behind the closing one when it is empty. */
bool json_lex_enter(struct json_lex *lex, char close, bool *ret_is_end) LEAT_MUST_USE;

/* Behind the comma that follows a member or an item, or behind the closing bracket. */
static inline bool json_lex_go_on(struct json_lex *lex, char close, bool *ret_is_end)
{
	char c = json_lex_peek(lex);

	if (c != close && c != ',')
		return json_lex_refuse(lex, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
	*ret_is_end = c == close;
	lex->at++;
	lex->depth -= *ret_is_end;
	return true;
}

/* true, false or null. */
bool json_lex_word(struct json_lex *lex, leat_text word) LEAT_MUST_USE;

bool json_lex_number(struct json_lex *lex, leat_text *ret_token, bool *ret_is_integer) LEAT_MUST_USE;

/* A key or a value; 'fault' when there is no quote. */
bool json_lex_string(struct json_lex *lex, const char *fault, struct json_string *ret_string) LEAT_MUST_USE;

/* What a string stands for. */
leat_text json_lex_unescape(const struct json_string *string, struct arena *arena);

/* Any value, with all that is in it. */
bool json_lex_skip(struct json_lex *lex) LEAT_MUST_USE;

#endif
