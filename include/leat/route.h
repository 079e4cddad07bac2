/* leat/route.h - the table of endpoints.
 *
 * Use:
 *     const struct leat_route users_routes[] = {
 *         { LEAT_GET, "/api/users/{id:int}", get_user, .summary = "One user", .reply = &user_shape },
 *         LEAT_ROUTES_END
 *     };
 *
 * Patterns: literals; {name} one segment; {name:int} a segment that is a decimal 64-bit integer;
 * {name...} the rest of the path (last, may be empty). Literals win over {name:int}, that over {name}, that over
 * {name...}; matching goes back and tries the next kind when a choice leads nowhere. The order of registration
 * does not matter. HEAD follows GET; OPTIONS and 405 answer by themselves with one sorted Allow.
 *
 * Ownership:      tables are static and outlive the service.
 * Thread-safety:  any thread; read only.
 * Errors:         conflicts and bad patterns end the start with both routes named.
 */
#ifndef LEAT_ROUTE_H
#define LEAT_ROUTE_H

#include <leat/result.h>
#include <leat/shape.h>
#include <stdint.h>

struct leat_request;

enum leat_method {
	LEAT_METHOD_NONE, /* ends a table */
	LEAT_GET,
	LEAT_HEAD,
	LEAT_POST,
	LEAT_PUT,
	LEAT_PATCH,
	LEAT_DELETE,
	LEAT_OPTIONS,
	LEAT_METHOD_COUNT
};

typedef enum leat_result (*leat_handler_fn)(struct leat_request *req);

struct leat_route {
	enum leat_method method;
	const char *pattern;
	leat_handler_fn handler;
	const char *summary;            /* one line for people */
	const struct leat_shape *body;  /* what the request's body must look like; NULL: none read */
	const struct leat_shape *reply; /* what a success answers with */
	uint32_t deadline_ms;           /* 0: the setting request_deadline */
	uint32_t body_limit;            /* bytes; 0: the setting body_limit */
};

/* The last entry of every table. */
#define LEAT_ROUTES_END { .method = LEAT_METHOD_NONE }

#endif
