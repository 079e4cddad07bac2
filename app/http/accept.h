/* accept.h - choosing by the value of an Accept header; handlers see leat/accept.h.
 *
 * Use:
 *     const char *type = accept_type(LEAT_TEXT_OF("text/html, text/csv;q=0.1"), offers, arena);
 *
 * Ownership:      one of the offers is answered.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         NULL: none is acceptable.
 */
#ifndef APP_HTTP_ACCEPT_H
#define APP_HTTP_ACCEPT_H

#include <leat/accept.h>
#include <leat/text.h>

#include "base/arena.h"

/* 'header' is {NULL, 0} when there is none. */
const char *accept_type(leat_text header, const char *const *offers, struct arena *arena);
const char *accept_encoding(leat_text header, const char *const *offers, struct arena *arena);
const char *accept_language(leat_text header, const char *const *offers, struct arena *arena);

#endif
