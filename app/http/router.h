/* router.h - which route answers a path.
 *
 * Use:
 *     struct router *router = router_new(tables, error, sizeof(error));
 *     struct router_match match;
 *     switch (router_match(router, LEAT_METHOD_GET, path, arena, &match)) {
 *     case ROUTER_FOUND: ...
 *     }
 *
 * Patterns, and the order in which they are tried, are explained in leat/route.h. The path is matched as it was sent, escapes
 * and all: it is split at '/', then each segment is decoded once. So %2F is data inside a parameter, and a literal also matches
 * its percent-encoded spelling. An empty segment counts: only the same in the pattern matches it, or a tail.
 *
 * Segment by segment, from the left, the choices of a place are tried in their order; when one leads nowhere the next is
 * tried. Only routes that can answer the method take part: those of the method, and for HEAD also GET's.
 *
 * Ownership:      router_free frees the router; tables are static. Names in a match are views into patterns, values are
 *                 views into the path, or lie in the arena when the path has escapes.
 * Thread-safety:  any thread, once made; it is never changed.
 * Errors:         router_new is NULL with a line for each fault, which names the route or, for a conflict, both.
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

enum {
	ROUTER_PARAMS_MAX = PATTERN_PARAMS_MAX,
	ROUTER_STEPS = 20000, /* that matching a path may take, unless router_limit_steps says otherwise */
};

struct router;
struct routes;

enum router_verdict {
	ROUTER_FOUND,
	ROUTER_NOT_FOUND,
	ROUTER_METHOD_NOT_ALLOWED, /* the path exists, for other methods */
	ROUTER_BAD_PATH,           /* NUL, bad escape, or not UTF-8 */
	ROUTER_LIMIT,              /* expressions and parameters inside segments take too many steps (http/segment.h) */
};

struct router_match {
	const struct leat_route *route; /* NULL: answer OPTIONS with 'allow' */
	const char *pattern;            /* with the prefixes of its mounts */
	const struct leat_middleware *const
		*middleware; /* its lists, those of its outermost mount first; ends with NULL */
	unsigned index;      /* of the route, in the order of the tables, from 0 */
	unsigned param_count;
	const struct pattern_param *params;
	leat_text values[ROUTER_PARAMS_MAX]; /* of the parameters */
	const char *allow; /* the header's value, "GET, HEAD, OPTIONS"; the router's; NULL with a route */
};

/* 'tables' ends with NULL, each of them with LEAT_ROUTES_END. */
struct router *router_new(const struct leat_route *const *tables, char *error, size_t error_size);
void router_free(struct router *router);

/* Before it is used. */
void router_limit_steps(struct router *router, uint32_t steps);

/* LEAT_METHOD_NONE stands for any method that leat does not know. OPTIONS on a path that only has routes of other
 * methods is ROUTER_FOUND, without a route but with 'allow'. ROUTER_METHOD_NOT_ALLOWED sets 'allow' too; the other
 * verdicts leave nothing of use in the match. */
enum router_verdict router_match(const struct router *router, enum leat_method method, leat_text path,
				 struct arena *arena, struct router_match *ret_match);

/* All routes, sorted by path, then by method. */
const struct routes *router_routes(const struct router *router);

#endif
