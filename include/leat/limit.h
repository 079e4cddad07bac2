/* leat/limit.h - time and body size of a group of routes.
 *
 * Use:
 *     static const struct leat_middleware quick[] = { LEAT_TIMEOUT(500), LEAT_BODY_LIMIT(16 * 1024), LEAT_MIDDLEWARE_END };
 *
 *     LEAT_MOUNT("/v1/items", item_routes, .middleware = quick),
 *
 * They only ever lower: what counts is the least of them, of the route's own deadline_ms and body_limit, and, where a route has none of these, of the
 * settings request_deadline and body_limit. For more than the settings allow, say so in the route. The lists are outside of functions (each number is an
 * object with a life as long as the program's).
 *
 * Ownership:      nothing to own.
 * Thread-safety:  as for all middleware.
 * Errors:         504 and 413, as for the route's own; a time outside of 1 ms to 1 h ends the start.
 */
#ifndef LEAT_LIMIT_H
#define LEAT_LIMIT_H

#include <leat/middleware.h>
#include <stdint.h>

/* Milliseconds from the start of the request, not of the hook. It also ends a stream. */
#define LEAT_TIMEOUT(ms) \
	{ \
		.name = "timeout", .before = leat_timeout_before_, .check = leat_timeout_check_, \
		.options = &(const int64_t) \
		{ \
			ms \
		} \
	}

/* Bytes. It counts when the handler reads the body; what it does not read, it need not refuse. */
#define LEAT_BODY_LIMIT(bytes) \
	{ \
		.name = "body limit", .before = leat_body_limit_before_, .options = &(const uint64_t) \
		{ \
			bytes \
		} \
	}

LEAT_API enum leat_result leat_timeout_before_(struct leat_request *req, const void *options);
LEAT_API const char *leat_timeout_check_(const void *options);
LEAT_API enum leat_result leat_body_limit_before_(struct leat_request *req, const void *options);

#endif
