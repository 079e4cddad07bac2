/* params.h - headers as FastCGI's parameters have them: "HTTP_IF_MATCH=..." for If-Match.
 *
 * Use:
 *     for (; *params; params++)
 *         if ((value = params_match(*params, "X-Token"))) ...
 *
 *     leat_text list = params_list(params, "If-None-Match", arena);
 *
 * Ownership:      results are views of the parameters; a list of several lines lies in the arena.
 * Thread-safety:  any thread; one at a time per arena.
 * Errors:         none.
 */
#ifndef APP_HTTP_PARAMS_H
#define APP_HTTP_PARAMS_H

#include <leat/text.h>

struct arena;

/* The value, when the parameter's name is "HTTP_" and the header's, in capitals, '_' for '-'; else NULL. */
const char *params_match(const char *param, const char *header);

/* "HTTP_ACCEPT_LANGUAGE=de" of "Accept-Language" and "de": what params_match finds. */
const char *params_write(const char *header, leat_text value, struct arena *arena);

/* A header that is a list, of all its lines (RFC 9110 5.3): some front servers hand them on as they came. Without blanks around each.
 * 'params' end with NULL. {NULL, 0} when absent. */
leat_text params_list(const char *const *params, const char *header, struct arena *arena);

#endif
