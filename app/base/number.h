/* number.h - decimal integers to and from text.
 *
 * Use:
 *     char digits[NUMBER_INT_MAX];
 *     size_t len = number_write_int(digits, -42);
 *     int64_t value;
 *     if (!number_read_int(text, &value)) ...
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread.
 * Errors:         reading is false unless the whole text is one canonical decimal integer in range: an optional
 *                 '-', digits, no leading zeros, no plus, no spaces.
 */
#ifndef APP_BASE_NUMBER_H
#define APP_BASE_NUMBER_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest decimal of 64 bits: 20 characters with its sign. No NUL is written. */
#define NUMBER_INT_MAX 20

size_t number_write_uint(char *out, uint64_t value);
size_t number_write_int(char *out, int64_t value);

bool number_read_uint(leat_text text, uint64_t *ret_value) __attribute__((warn_unused_result));
bool number_read_int(leat_text text, int64_t *ret_value) __attribute__((warn_unused_result));

#endif
