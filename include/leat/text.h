/* leat/text.h - text as a pointer and a length; it may hold NUL and is not NUL-terminated.
 *
 * Use:
 *     leat_text name = leat_query(req, "name");
 *     if (leat_text_equal(name, LEAT_TEXT_OF("admin"))) ...
 *     printf("%.*s\n", LEAT_TEXT_PRINTF(name));
 *
 * Ownership:      a view; whoever owns the bytes is named where the text comes from. What a request hands out
 *                 lives as long as the request.
 * Thread-safety:  any thread.
 * Errors:         none. {NULL, 0} means "absent"; {"", 0} means "empty".
 */
#ifndef LEAT_TEXT_H
#define LEAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct leat_text {
	const char *ptr;
	size_t len;
} leat_text;

/* A text from a string literal, usable in initialisers of automatic variables and as an argument. */
#define LEAT_TEXT_OF(literal) ((leat_text){ "" literal, sizeof(literal) - 1 })

/* The two arguments for "%.*s". */
#define LEAT_TEXT_PRINTF(text) (int)(text).len, (text).ptr

static inline leat_text leat_text_from(const char *string)
{
	return (leat_text){ string, string ? strlen(string) : 0 };
}

static inline bool leat_text_equal(leat_text a, leat_text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool leat_text_starts(leat_text text, leat_text prefix)
{
	return text.len >= prefix.len && (prefix.len == 0 || memcmp(text.ptr, prefix.ptr, prefix.len) == 0);
}

#endif
