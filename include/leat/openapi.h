/* leat/openapi.h - the service describes itself: an OpenAPI 3.1 document, and a page to read it and to try requests.
 *
 * Use:
 *     static const struct leat_route about_routes[] = {
 *         LEAT_OPENAPI("/openapi.json"),
 *         LEAT_DOCS("/docs"),
 *         LEAT_ROUTES_END
 *     };
 *
 * The command `openapi` prints the same document without serving it, with lines and indentation.
 *
 * All of it comes from the tables of routes (leat/route.h); nothing is written twice:
 *     paths and parameters     the pattern. int and uint are integers, uuid and date strings of that format. An expression becomes a
 *                              "pattern" where it means the same in JavaScript, else a description. OpenAPI has no parameter that
 *                              holds '/': {rest...} says so in words, and by x-leat-tail
 *     operationId, summary     .name, or method and pattern: get_api_users_id; .summary
 *     tags                     the file that the route is written in: handlers/users.c has the tag "users"
 *     the body                 .body: the shape with its limits
 *     a success                .status with .reply. Without .status: 200 for a route with .reply, else any 2XX
 *     failures                 problem documents (RFC 9457), or whatever LEAT_PROBLEMS makes: 404 where the path has parameters; 400, 413, 415 and 422 where there is
 *                              a .body; 401 and 403 by the middleware; 503; 504; "default" for all others. 405 is of no operation
 *     security                 what the middleware demands: leat/auth.h does, and a middleware of the service's own may by its
 *                              'demand' (leat/middleware.h)
 * Query parameters, forms and headers are read by the handler, without a table, so the document cannot have them.
 *
 * Patterns that OpenAPI cannot tell apart, "/a/{id:int}" and "/a/{slug}", are one path, and of one method one operation: its parameters, bodies
 * and replies are any of theirs.
 *
 * Both routes answer GET with an ETag (leat/version.h), and are not in the document. The page needs no other host and no other route; its
 * Content-Security-Policy lets run what it came with, and connect to its own origin, and nothing else. Who may see them is a question of .middleware:
 *     LEAT_DOCS("/docs", .middleware = office)
 *
 * Ownership:      the document is made at the start, once, and shared by all workers.
 * Thread-safety:  any thread.
 * Errors:         none beyond those of routes.
 */
#ifndef LEAT_OPENAPI_H
#define LEAT_OPENAPI_H

#include <leat/route.h>

/* Rows of a table; further members may follow. */
#define LEAT_OPENAPI(at, ...) \
	{ \
		LEAT_GET, .pattern = (at), .handler = leat_openapi_, .summary = "This service as an OpenAPI document", \
			  __VA_ARGS__ \
	}
#define LEAT_DOCS(at, ...) \
	{ \
		LEAT_GET, .pattern = (at), .handler = leat_docs_, .summary = "This service as a page", __VA_ARGS__ \
	}

LEAT_API enum leat_result leat_openapi_(struct leat_request *req);
LEAT_API enum leat_result leat_docs_(struct leat_request *req);

#endif
