/* base64.h - bytes as base64 text: the common alphabet with padding (RFC 4648 section 4), or that for URLs without (section 5).
 *
 * Use:
 *     out += base64_write(out, bytes.ptr, bytes.len);            -- base64_size(bytes.len) bytes
 *     uint8_t *room = arena_alloc(arena, base64_room(text.len));
 *     if (!base64_read(room, text, &len)) ...
 *
 * Ownership:      nothing to own; bytes go where the caller says. No NUL is written.
 * Thread-safety:  any thread.
 * Errors:         reading is false unless the text is what writing would give: no spaces, no missing padding, no bits
 *                 behind the last byte.
 */
#ifndef APP_BASE_BASE64_H
#define APP_BASE_BASE64_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters for so many bytes. */
static inline size_t base64_size(size_t len)
{
	return (len + 2) / 3 * 4;
}

/* The most bytes that so many characters stand for. */
static inline size_t base64_room(size_t len)
{
	return len / 4 * 3;
}

/* Returns base64_size(len). */
size_t base64_write(char *out, const uint8_t *bytes, size_t len);

bool base64_read(uint8_t *out, leat_text text, size_t *ret_len) __attribute__((warn_unused_result));

/* As tokens have it (RFC 7515 section 2): '-' and '_', no padding. Room for base64_url_room(text.len) bytes. */
bool base64_read_url(uint8_t *out, leat_text text, size_t *ret_len) __attribute__((warn_unused_result));

static inline size_t base64_url_room(size_t len)
{
	return len / 4 * 3 + 2;
}

#endif
