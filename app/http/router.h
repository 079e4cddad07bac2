/* router.h - which route answers a path.
 *
 * Use:
 *     struct router *router = router_new(tables, error, sizeof(error));
 *     struct router_match match;
 *     switch (router_match(router, LEAT_GET, path, arena, &match)) {
 *     case ROUTER_FOUND: ...
 *     }
 *
 * Patterns are explained in leat/route.h. The path is matched as it was sent, escapes and all: it is split at '/', then
 * each segment is decoded once. So %2F is data inside a parameter, and a literal also matches its percent-encoded
 * spelling. A parameter is never empty; a tail may be, and has no '/' in front. A trailing slash counts, and so does
 * an empty segment: only the same text in the pattern matches it. {name:int} takes integers in their one decimal
 * spelling, so 007 and +7 fall to {name}.
 *
 * Segment by segment, from the left, a literal is tried before {name:int}, that before {name}, that before {name...};
 * when a choice leads nowhere the next is tried. Only routes that can answer the method take part: those of the
 * method, and for HEAD also GET's. The order of registration does not matter.
 *
 * Ownership:      router_free frees the router; tables are static. Names in a match are views into patterns, values are
 *                 views into the path, or lie in the arena when the path has escapes.
 * Thread-safety:  any thread, once made; it is never changed.
 * Errors:         router_new is NULL with a sentence that names the route or, for a conflict, both.
 */
#ifndef APP_HTTP_ROUTER_H
#define APP_HTTP_ROUTER_H

#include <leat/route.h>
#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "http/pattern.h"

enum { ROUTER_PARAMS_MAX = PATTERN_PARAMS_MAX };

struct router;

struct router_param {
	leat_text name;
	leat_text value;
	int64_t number; /* of {name:int} */
	bool is_int;
};

enum router_verdict {
	ROUTER_FOUND,
	ROUTER_NOT_FOUND,
	ROUTER_METHOD_NOT_ALLOWED, /* the path exists, for other methods */
	ROUTER_BAD_PATH,           /* NUL, bad escape, or not UTF-8 */
};

struct router_match {
	const struct leat_route *route; /* NULL: answer OPTIONS with 'allow' */
	unsigned index;                 /* of the route, in the order of the tables, from 0 */
	unsigned param_count;
	struct router_param params[ROUTER_PARAMS_MAX];
	const char *allow; /* the header's value, "GET, HEAD, OPTIONS"; the router's; NULL with a route */
};

/* 'tables' ends with NULL, each of them with LEAT_ROUTES_END. */
struct router *router_new(const struct leat_route *const *tables, char *error, size_t error_size);
void router_free(struct router *router);

/* LEAT_METHOD_NONE stands for any method that leat does not know. OPTIONS on a path that only has routes of other
 * methods is ROUTER_FOUND, without a route but with 'allow'. ROUTER_METHOD_NOT_ALLOWED sets 'allow' too; the other
 * verdicts leave nothing of use in the match. */
enum router_verdict router_match(const struct router *router, enum leat_method method, leat_text path,
				 struct arena *arena, struct router_match *ret_match);

/* Visits every route, sorted by path, then by method. */
typedef void (*router_visit_fn)(void *arg, const struct leat_route *route, unsigned index);
void router_each(const struct router *router, router_visit_fn visit, void *arg);

#endif
