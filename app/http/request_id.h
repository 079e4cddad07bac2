/* request_id.h - a name for each request, for logs and problem documents.
 *
 * Use:
 *     leat_text id = request_id(arena, given, traceparent);   -- the headers X-Request-Id and traceparent, or {NULL, 0}
 *
 * An id that the front server gives is kept when it has 1 to 128 of A-Z a-z 0-9 . _ - and nothing else; anything else a
 * client may have made up. Else a traceparent that is valid (W3C Trace Context, 3.2) gives what is the same in the logs of all who took part,
 * the id of the trace, and behind a '-' that of the caller's span, which tells one request of a trace from another. Otherwise 26
 * characters: 48 bits of time in milliseconds and 80 random bits in Crockford's base 32, so that ids sort by time (the form
 * known as ULID).
 *
 * Ownership:      the arena's, or a view of what was given.
 * Thread-safety:  any thread.
 * Errors:         none.
 */
#ifndef APP_HTTP_REQUEST_ID_H
#define APP_HTTP_REQUEST_ID_H

#include <leat/text.h>

#include "base/arena.h"

enum { REQUEST_ID_SIZE = 26 };

leat_text request_id(struct arena *arena, leat_text given, leat_text traceparent);

#endif
