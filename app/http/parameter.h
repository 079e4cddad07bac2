/* parameter.h - the small grammar that many headers share: tokens, quoted strings, and parameters behind semicolons (RFC 9110 5.6).
 *
 * Use:
 *     leat_text rest = content_type, type, name, value;      -- text/html; charset="utf-8"
 *     type = parameter_head(&rest, ';');
 *     while ((verdict = parameter_next(&rest, arena, &name, &value)) == PARAMETER_FOUND) ...
 *
 * Ownership:      results are views of what was given, or lie in the arena when a quoted string held escapes.
 * Thread-safety:  any thread; one at a time per arena.
 * Errors:         PARAMETER_BAD for what is no parameter; nothing is written then.
 */
#ifndef APP_HTTP_PARAMETER_H
#define APP_HTTP_PARAMETER_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>

#include "base/arena.h"

enum parameter_verdict { PARAMETER_FOUND, PARAMETER_END, PARAMETER_BAD };

/* Takes one "; name=value" off 'rest'. Blanks around the semicolon are skipped, as is a semicolon with nothing behind it. The value is a token,
 * or a quoted string without its quotes, in which \" and \\ are one character and any other backslash is itself: file names of old
 * browsers hold paths. */
enum parameter_verdict parameter_next(leat_text *rest, struct arena *arena, leat_text *ret_name, leat_text *ret_value);

/* Takes what comes before the first 'separator' that is not within a quoted string, without blanks around it; 'rest' is then what follows the
 * separator, or {NULL, 0}. For ';' the separator stays in 'rest'. */
leat_text parameter_head(leat_text *rest, char separator);

leat_text parameter_trim(leat_text text);

/* RFC 9110 5.6.2; never empty. */
bool parameter_is_token(leat_text text);

/* The same letters, in any case. */
bool parameter_same(leat_text a, leat_text b);
bool parameter_equals(leat_text text, const char *word);

#endif
