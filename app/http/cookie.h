/* cookie.h - the Cookie header (RFC 6265 4.2.1).
 *
 * Use:
 *     leat_text rest = header, name, value;
 *     while (cookie_next(&rest, &name, &value)) ...
 *
 * Ownership:      views of the header.
 * Thread-safety:  any thread.
 * Errors:         none: what is no cookie pair is skipped.
 */
#ifndef APP_HTTP_COOKIE_H
#define APP_HTTP_COOKIE_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>

/* Takes the next cookie off 'rest'; false at the end. */
bool cookie_next(leat_text *rest, leat_text *ret_name, leat_text *ret_value) LEAT_MUST_USE;

#endif
