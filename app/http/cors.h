/* cors.h - preflights, which come to a policy by the route that they ask for: leat/cors.h.
 *
 * Use (pipeline.c, before it looks for a route of OPTIONS):
 *     LEAT_TRY(cors_preflight(req, NULL));
 *     if (has_reply(walk)) ...
 *
 * Ownership:      nothing to own.
 * Thread-safety:  only the request's task.
 * Errors:         the result of replying.
 */
#ifndef APP_HTTP_CORS_H
#define APP_HTTP_CORS_H

#include <leat/cors.h>

/* Replies if the request is a preflight and the route that it asks for has a policy, or else 'outer' is one. */
enum leat_result cors_preflight(struct leat_request *req, const struct leat_cors *outer) LEAT_MUST_USE;

#endif
