/* method.h - the names of HTTP's methods.
 *
 * Use:
 *     enum leat_method method = method_from_text(LEAT_TEXT_OF("GET"));
 *     method_name(method);   -- "GET"
 *
 * Ownership:      names are static.
 * Thread-safety:  any thread.
 * Errors:         LEAT_METHOD_NONE for a method that leat does not know. Methods are case-sensitive (RFC 9110 9.1).
 */
#ifndef APP_HTTP_METHOD_H
#define APP_HTTP_METHOD_H

#include <leat/route.h>
#include <leat/text.h>

enum leat_method method_from_text(leat_text name);

/* Never NULL; "NONE" for what is no method. */
const char *method_name(enum leat_method method);

#endif
