/* uri.h - taking a request's URI apart (RFC 3986).
 *
 * Use:
 *     leat_text path, query, value;
 *     if (!uri_split(target, &path, &query) || !uri_query_is_valid(query, &arena)) ...   -- 400
 *     if (!uri_decode(LEAT_TEXT_OF("a%2Fb"), URI_SEGMENT, &arena, &value)) ...           -- a/b
 *     if (!uri_query_find(query, LEAT_TEXT_OF("sort"), &arena, &value)) ...
 *
 * Nothing is decoded twice, and '/' written as %2F is data, never a separator.
 *
 * Ownership:      results are views into what was given, or lie in the arena when something had to be decoded.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         false, with nothing written: what is no URI, a '%' without two hexadecimal digits, NUL, and bytes
 *                 that are not UTF-8.
 */
#ifndef APP_HTTP_URI_H
#define APP_HTTP_URI_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>

#include "base/arena.h"

/* Splits a request target in origin form (/path?query) or absolute form (http://host/path?query; RFC 9112 3.2). The
 * path begins with '/'. The query is {NULL, 0} when there is no '?'. Refused as well: control characters, blanks, '#',
 * and segments that are '.' or '..' in any spelling: clients resolve those before they send (RFC 3986 6.2.2.3), and a
 * front server that resolves them itself would guard another path than the one leat serves. */
bool uri_split(leat_text target, leat_text *ret_path, leat_text *ret_query) LEAT_MUST_USE;

/* The byte that stands for an escaped '/' in a decoded path. No decoded text holds it otherwise. */
#define URI_ESCAPED_SLASH '\0'

enum uri_part {
	URI_SEGMENT, /* between two '/' */
	URI_PATH,    /* many segments: an escaped '/' becomes URI_ESCAPED_SLASH */
	URI_QUERY,   /* a name or a value of the query: '+' is a blank */
};

/* Decodes one part; a view of 'raw' when there is nothing to decode. */
bool uri_decode(leat_text raw, enum uri_part part, struct arena *arena, leat_text *ret_text) LEAT_MUST_USE;

/* Whether every name and value of the query can be decoded. */
bool uri_query_is_valid(leat_text query, struct arena *arena) LEAT_MUST_USE;

/* Takes the next parameter off the query or off a urlencoded form, undecoded; skips empty ones ("&&"). "a" is "a=". False at the end. */
bool uri_query_next(leat_text *query, leat_text *ret_name, leat_text *ret_value) LEAT_MUST_USE;

/* The value of the first parameter of that name, decoded; {"", 0} for "name" and "name=", {NULL, 0} when there is none.
 * False when the value cannot be decoded; never after uri_query_is_valid. */
bool uri_query_find(leat_text query, leat_text name, struct arena *arena, leat_text *ret_value) LEAT_MUST_USE;

#endif
