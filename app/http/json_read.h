/* json_read.h - JSON (RFC 8259) straight into a struct, by its shape, without a tree.
 *
 * Use:
 *     struct user user;
 *     struct problem problem = { 0 };
 *     LEAT_TRY(json_read(arena, body, &user_shape, &user, &problem));
 *
 * Stricter than the RFC has to be, so that what is accepted means one thing only:
 *   - UTF-8 is checked; a byte order mark is refused; nothing but white space follows the document.
 *   - A key comes once in an object, and only keys that the shape knows.
 *   - Integers are exact, of 64 bits: 1.0 and 1e2 are not integers, -0 is 0. Doubles are correctly rounded; one beyond
 *     their range is refused.
 *   - Surrogate pairs in escapes are joined, lone surrogates refused. U+0000 is refused in texts: PostgreSQL cannot
 *     keep it, and C would cut the text there.
 *   - base64 is padded and has no spaces; a date and time exists, with its offset from UTC (base/calendar.h).
 *   - Arrays and objects nest 64 deep at most.
 *
 * Of a LEAT_JSON value the text is kept; null is absent, there as everywhere. Keys in it are not compared.
 *
 * Ownership:      texts without escapes and JSON are views into the document; the rest lies in the arena.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         LEAT_BAD_REQUEST: no JSON; problem->detail has line and column. LEAT_INVALID: JSON of another shape;
 *                 every fault is listed in the problem. What 'value' holds is then of no use. A level of nesting costs
 *                 about 270 bytes of stack.
 */
#ifndef APP_HTTP_JSON_READ_H
#define APP_HTTP_JSON_READ_H

#include <leat/result.h>
#include <leat/shape.h>
#include <leat/text.h>

#include "base/arena.h"
#include "http/problem.h"

/* Fills 'value', a struct of the shape, which need not be cleared before. */
enum leat_result json_read(struct arena *arena, leat_text document, const struct leat_shape *shape, void *value,
			   struct problem *problem) LEAT_MUST_USE;

/* The same for documents in which others have members of their own: keys that the shape does not know are passed over. */
enum leat_result json_read_open(struct arena *arena, leat_text document, const struct leat_shape *shape, void *value,
				struct problem *problem) LEAT_MUST_USE;

#endif
