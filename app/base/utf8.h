/* utf8.h - UTF-8 as Unicode defines it (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF.
 *
 * Use:
 *     if (!utf8_is_valid(text)) ...
 *     if (utf8_count(text) > 80) ...
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread.
 * Errors:         none but those shown.
 */
#ifndef APP_BASE_UTF8_H
#define APP_BASE_UTF8_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool utf8_is_valid(leat_text text);

/* Code points of a valid text. */
size_t utf8_count(leat_text text);

/* Bytes, 1 to 4, of the code point that 'at' begins with; 0 when they are not UTF-8. 'len' is at least 1. */
size_t utf8_sequence(const char *at, size_t len);

/* Writes 1 to 4 bytes and returns how many. The code point is no surrogate and at most 0x10FFFF. */
size_t utf8_write(char *out, uint32_t code_point);

#endif
