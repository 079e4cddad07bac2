/* condition.h - the conditions of a request, and whether they hold (RFC 9110 13): the one place that knows.
 *
 * Use:
 *     struct conditions conditions;
 *     conditions_read(&conditions, params, arena);
 *     switch (conditions_judge(&conditions, is_read, &validators, now_us)) ...
 *
 * Called by version.c for handlers, files and the middleware that makes ETags.
 *
 * Ownership:      views of the parameters; several lines of one header are joined in the arena.
 * Thread-safety:  any thread; one at a time per arena.
 * Errors:         what is no date is no condition (13.1.3, 13.1.4). A list of entity tags that is none is told, and decides
 *                 nothing but for If-None-Match of a read, where it is a list without the tag.
 */
#ifndef APP_HTTP_CONDITION_H
#define APP_HTTP_CONDITION_H

#include <leat/text.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* The headers' values; {NULL, 0}: absent. */
struct conditions {
	leat_text match;
	leat_text none_match;
	leat_text modified_since;
	leat_text unmodified_since;
	leat_text range;
};

/* What the resource has at present. */
struct validators {
	leat_text etag; /* with its quotes, and W/ when it is weak; {NULL, 0}: none */
	bool has_modified;
	int64_t modified_us;
	bool is_absent; /* there is no resource */
};

enum condition_verdict {
	CONDITION_HOLDS,
	CONDITION_NOT_MODIFIED, /* 304 */
	CONDITION_FAILS,        /* 412 */
	CONDITION_MALFORMED,    /* 400 */
};

/* Of "NAME=value" strings, ended by NULL. */
void conditions_read(struct conditions *conditions, const char *const *params, struct arena *arena);

/* In the order of 13.2.2; 'is_read' for GET and HEAD. */
enum condition_verdict conditions_judge(const struct conditions *conditions, bool is_read,
					const struct validators *validators, int64_t now_us);

/* Whether a Range header counts (13.1.5): there is no If-Range, or it names just this version. */
bool conditions_allow_range(const struct conditions *conditions, const struct validators *validators, int64_t now_us);

/* Whether it may stand between the quotes of an entity tag (8.8.3), and is not empty. */
bool condition_is_tag(leat_text text);

#endif
