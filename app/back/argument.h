/* argument.h - the arguments of a statement as PostgreSQL reads them: in text form.
 *
 * Use:
 *     struct arguments arguments;
 *     const char *fault = arguments_write(&arguments, arena, args, count);
 *     if (fault)
 *         log_limited(LOG_LEVEL_ERROR, "database: %s given to: %s", fault, sql);
 *
 * The server knows each parameter's type and reads any of them from text, so an integer may go to int2, numeric or text
 * alike. Binary form would need the types, and saves nothing that can be measured but for a long bytea: it is sent in
 * hexadecimal digits, twice its length.
 *
 * Ownership:      what is written is the arena's; the arguments are not needed any more.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         what cannot be sent, in words: a NUL in a text (libpq would cut the text there), a time beyond the
 *                 years 1 to 9999.
 */
#ifndef APP_BACK_ARGUMENT_H
#define APP_BACK_ARGUMENT_H

#include <leat/db.h>

#include "base/arena.h"

struct arguments {
	const char *const *values; /* each ends with a NUL; NULL is NULL */
	unsigned count;
};

/* NULL when all is written; else why not. */
const char *arguments_write(struct arguments *arguments, struct arena *arena, const struct leat_arg *args,
			    unsigned count) LEAT_MUST_USE;

#endif
