/* target.h - a URL that is to be called, taken apart.
 *
 * Use:
 *     struct target target;
 *     const char *fault = target_read(&target, arena, url);                  -- NULL: it is one
 *
 * libcurl's parser decides, the one that makes the connection as well: what two parsers read differently is how guards are passed.
 *
 * Ownership:      texts lie in the arena; faults are static.
 * Thread-safety:  any thread; one at a time per arena.
 * Errors:         target_read says what is wrong with it.
 */
#ifndef APP_FETCH_TARGET_H
#define APP_FETCH_TARGET_H

#include <leat/text.h>
#include <stdbool.h>

#include "base/arena.h"

struct target {
	const char *url;  /* as libcurl writes it */
	const char *host; /* in lower case; an address of IPv6 without brackets */
	unsigned port;
	bool is_tls;
};

const char *target_read(struct target *target, struct arena *arena, leat_text url);

/* Where 'location' leads from 'target'. */
const char *target_follow(struct target *ret_target, const struct target *target, struct arena *arena,
			  leat_text location);

/* The same scheme, host and port. */
bool target_is_same_origin(const struct target *a, const struct target *b);

#endif
