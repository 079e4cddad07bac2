/* header.h - what may stand in a reply's head (RFC 9110 5).
 *
 * Use:
 *     const char *fault = header_write(&headers, LEAT_TEXT_OF("Location"), url);
 *     if (fault) ...
 *
 * Ownership:      what is written lies in the buffer; a fault is static.
 * Thread-safety:  one thread at a time per buffer.
 * Errors:         header_write tells what is wrong, and has written nothing.
 */
#ifndef APP_HTTP_HEADER_H
#define APP_HTTP_HEADER_H

#include <leat/text.h>
#include <stdbool.h>

#include "base/buffer.h"

/* Neither CR, LF nor NUL. */
bool header_is_value(leat_text text);

/* "Name: value\r\n". Refused: names that are no token, values with CR, LF or NUL, and what frames the reply and so is leat's own: Status,
 * Content-Length, Transfer-Encoding. NULL: it is written. */
const char *header_write(struct buffer *out, leat_text name, leat_text value);

#endif
