/* uuid.h - UUIDs as text: 8-4-4-4-12 hexadecimal digits (RFC 9562 section 4).
 *
 * Use:
 *     char text[UUID_TEXT_SIZE];
 *     uuid_write(text, &uuid);
 *     if (!uuid_read(text, &uuid)) ...
 *
 * Ownership:      nothing to own. No NUL is written.
 * Thread-safety:  any thread.
 * Errors:         reading is false for every other form; digits may be of either case, as the RFC wants it. Any version
 *                 and variant is taken.
 */
#ifndef APP_BASE_UUID_H
#define APP_BASE_UUID_H

#include <leat/value.h>
#include <stdbool.h>

enum { UUID_TEXT_SIZE = 36 };

/* Writes UUID_TEXT_SIZE bytes, in lower case, and returns how many. */
size_t uuid_write(char *out, const leat_uuid *uuid);

bool uuid_read(leat_text text, leat_uuid *ret_uuid) __attribute__((warn_unused_result));

#endif
