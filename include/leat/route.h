/* leat/route.h - the table of endpoints.
 *
 * Use:
 *     const struct leat_route users_routes[] = {
 *         { LEAT_GET, "/api/users/{id:int}", get_user, .name = "user", .summary = "One user", .reply = &user_shape },
 *         LEAT_ROUTES_END
 *     };
 *
 *     const struct leat_route api_routes[] = {
 *         LEAT_MOUNT("/v1", users_routes),
 *         LEAT_ROUTES_END
 *     };
 *
 * A pattern is a path of segments. In the order in which they are tried at the same place, a segment is
 *
 *     users              a literal, written as it reads: "café", not "caf%C3%A9"
 *     {id:int}           a type, in its one spelling: uint and int, a decimal integer of 64 bits (0 or more for uint); uuid;
 *                        date, "2026-01-31"
 *     {name}.{ext}       text and parameters of any kind; more text is tried before less. Where several splits fit, the last
 *                        parameter is the shortest possible, then the one before it: "a.b.c" is {name} a.b and {ext} c
 *     {slug:[a-z0-9-]+}  a regular expression (PCRE2, UTF-8) that fits the whole value; braces in it are balanced or escaped
 *     {name}             anything
 *     {rest...}          the rest of the path; last, and alone in its segment
 *
 * A parameter is never empty; {rest...} may be. When a choice leads nowhere the next is tried, back to the first segment, and
 * the order of registration does not matter. A trailing slash counts. Values are decoded once, after the path was split:
 * %2F is part of a value. HEAD follows GET; OPTIONS and 405 answer by themselves with one sorted Allow.
 *
 * LEAT_MOUNT puts a table under a prefix, which may have parameters: prefix and pattern are one pattern then. In a table that
 * is mounted, the pattern "" is the prefix itself. A table may be mounted several times; mounts with a .name tell its routes
 * apart for leat_url: "v1.user".
 *
 * Ownership:      tables are static and outlive the service.
 * Thread-safety:  any thread; read only.
 * Errors:         conflicts and bad patterns end the start, all of them named with file and line.
 */
#ifndef LEAT_ROUTE_H
#define LEAT_ROUTE_H

#include <leat/result.h>
#include <leat/shape.h>
#include <stdint.h>

struct leat_request;
struct leat_middleware;

enum leat_method {
	LEAT_METHOD_NONE, /* one that leat does not know */
	LEAT_METHOD_GET,
	LEAT_METHOD_HEAD,
	LEAT_METHOD_POST,
	LEAT_METHOD_PUT,
	LEAT_METHOD_PATCH,
	LEAT_METHOD_DELETE,
	LEAT_METHOD_OPTIONS,
	LEAT_METHOD_COUNT
};

typedef enum leat_result (*leat_handler_fn)(struct leat_request *req);

/* What a row of a table begins with: its method, and where it is written. */
struct leat_verb {
	enum leat_method method;
	int line;
	const char *file; /* NULL: not told */
};

#define LEAT_VERB_(method) { method, __LINE__, __FILE__ }
#define LEAT_GET     LEAT_VERB_(LEAT_METHOD_GET)
#define LEAT_HEAD    LEAT_VERB_(LEAT_METHOD_HEAD)
#define LEAT_POST    LEAT_VERB_(LEAT_METHOD_POST)
#define LEAT_PUT     LEAT_VERB_(LEAT_METHOD_PUT)
#define LEAT_PATCH   LEAT_VERB_(LEAT_METHOD_PATCH)
#define LEAT_DELETE  LEAT_VERB_(LEAT_METHOD_DELETE)
#define LEAT_OPTIONS LEAT_VERB_(LEAT_METHOD_OPTIONS)

/* No limit for leat_body_read and multipart forms. What is read as a whole keeps to the setting body_limit. */
#define LEAT_BODY_UNLIMITED UINT64_MAX

struct leat_route {
	struct leat_verb verb;
	const char *pattern;
	leat_handler_fn handler;
	const char *name;                         /* for leat_url; NULL: none. One route a name */
	const char *summary;                      /* one line for people */
	const struct leat_shape *body;            /* what the request's body must look like; NULL: none read */
	const struct leat_shape *reply;           /* what a success answers with */
	uint16_t status;                          /* of a success, for leat/openapi.h; 0: 200 with a reply, else not told */
	uint32_t deadline_ms;                     /* 0: the setting request_deadline */
	uint64_t body_limit;                      /* bytes; 0: the setting body_limit. LEAT_BODY_UNLIMITED: bodies read in pieces */
	const struct leat_middleware *middleware; /* a list; those of its mounts come before it. NULL: none */
	const struct leat_route *mounted;         /* a table under the prefix 'pattern', instead of a handler */
};

/* A row that mounts a table; further members may be its .name and .middleware. */
#define LEAT_MOUNT(prefix, table, ...) \
	{ LEAT_VERB_(LEAT_METHOD_NONE), .pattern = (prefix), .mounted = (table), __VA_ARGS__ }

/* The last row of every table. */
#define LEAT_ROUTES_END { .pattern = NULL }

#endif
