/* set_cookie.h - the value of Set-Cookie (RFC 6265bis 4.1).
 *
 * Use:
 *     const char *fault = set_cookie_write(&value, &cookie);
 *     if (fault) ...
 *
 * Ownership:      what is written lies in the buffer; a fault is static.
 * Thread-safety:  one thread at a time per buffer.
 * Errors:         a sentence on what is wrong with the cookie, and nothing is written.
 */
#ifndef APP_HTTP_SET_COOKIE_H
#define APP_HTTP_SET_COOKIE_H

#include <leat/reply.h>

#include "base/buffer.h"

const char *set_cookie_write(struct buffer *out, const struct leat_cookie *cookie);

#endif
