/* middleware.h - the way through a request's middleware: in, and out again.
 *
 * Use (pipeline.c):
 *     struct middleware_walk way = { 0 };
 *     LEAT_TRY(middleware_enter(&way, req, list));     -- list by list
 *     ...
 *     middleware_leave(&way, req);
 *
 * Ownership:      the caller's; lists are static.
 * Thread-safety:  only the request's task.
 * Errors:         middleware_check: false with a line for each fault. middleware_enter: the first result of a hook that is not LEAT_OK.
 */
#ifndef APP_HTTP_MIDDLEWARE_H
#define APP_HTTP_MIDDLEWARE_H

#include <leat/middleware.h>
#include <stdbool.h>
#include <stddef.h>

struct routes;
struct routes_faults;

/* Those that were begun, in that order. */
struct middleware_walk {
	unsigned count;
	const struct leat_middleware **begun; /* in the request's memory; NULL until there is one */
};

/* Until one of them fails or gives a reply. 'list' may be NULL. */
enum leat_result middleware_enter(struct middleware_walk *way, struct leat_request *req,
				  const struct leat_middleware *list) LEAT_MUST_USE;

/* Backwards. */
void middleware_leave(struct middleware_walk *way, struct leat_request *req);

/* 'list' may be NULL. */
unsigned middleware_count(const struct leat_middleware *list);

/* At the start: every middleware looks at its options, that of the service's list (NULL: none) and of all routes. */
bool middleware_check(const struct leat_middleware *service, const struct routes *routes,
		      struct routes_faults *faults) LEAT_MUST_USE;

#endif
