/* json_write.h - structs as JSON (RFC 8259), straight into a buffer.
 *
 * Use:
 *     json_write_shape(&out, &user_shape, &user);
 *     json_write_text(&out, LEAT_TEXT_OF("caf\xC3\xA9"));
 *
 * What is written is always valid JSON in UTF-8: bytes of a text that are not UTF-8 become U+FFFD each, a double that
 * is no number and a time beyond the years 1 to 9999 become null. So does what is absent: by its LEAT_HAS, as a text
 * ({NULL, 0}), bytes, JSON or an optional array, or as an optional object whose members are all zero, which is how
 * json_read leaves an absent one. Doubles are the shortest of 15, 16 or 17 digits that read back as the same double.
 * (The exception is LEAT_JSON: its text is written as it stands.)
 *
 * Ownership:      the buffer's.
 * Thread-safety:  one thread at a time per buffer.
 * Errors:         none. The process runs in the "C" locale.
 */
#ifndef APP_HTTP_JSON_WRITE_H
#define APP_HTTP_JSON_WRITE_H

#include <leat/shape.h>
#include <leat/text.h>

#include "base/buffer.h"

/* 'value' is a struct of the shape. */
void json_write_shape(struct buffer *out, const struct leat_shape *shape, const void *value);

/* A JSON string, quotes included; null for an absent text. */
void json_write_text(struct buffer *out, leat_text text);

void json_write_double(struct buffer *out, double value);

#endif
