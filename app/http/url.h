/* url.h - the paths that leat writes itself: to a named route, and to where a missing or extra slash leads.
 *
 * Use:
 *     char fault[URL_FAULT_SIZE];
 *     if (!url_write(router, "user", args, 1, arena, &url, fault)) ...             -- "/users/7"
 *     if (url_other_slash(router, LEAT_METHOD_GET, path, query, arena, &url)) ...  -- "/users?after=7" for "/users/"
 *
 * What is written is ASCII, begins with one '/', not with two, and goes through uri_split and the router as it is: no segment
 * of it is "." or "..". So it never leads to another host, whatever the values are.
 *
 * Ownership:      URLs lie in the arena; nothing else is kept.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         url_write is false with a sentence: no such name, too few or too many values, one that does not fit its
 *                 parameter, or one that a request for the URL would not bring back.
 */
#ifndef APP_HTTP_URL_H
#define APP_HTTP_URL_H

#include <leat/db.h>
#include <leat/text.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "http/router.h"

enum { URL_FAULT_SIZE = 512 };

/* One value for each parameter of the pattern, in their order. */
bool url_write(const struct router *router, const char *name, const struct leat_arg *args, unsigned count,
	       struct arena *arena, leat_text *ret_url, char fault[URL_FAULT_SIZE]) LEAT_MUST_USE;

/* The same path and query with a slash more or less at the path's end, if a route answers it. */
bool url_other_slash(const struct router *router, enum leat_method method, leat_text path, leat_text query,
		     struct arena *arena, leat_text *ret_url) LEAT_MUST_USE;

/* A segment without its slash, escaped as far as it must be. */
void url_put_segment(struct buffer *out, leat_text text);

#endif
