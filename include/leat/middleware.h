/* leat/middleware.h - what happens before and after handlers, for a route, a mount or the whole service.
 *
 * Use:
 *     static enum leat_result before_audit(struct leat_request *req, const void *options)
 *     {
 *         ...
 *         return LEAT_OK;                     -- go on
 *     }
 *
 *     static const struct leat_middleware office[] = {
 *         { "audit", before_audit, after_audit, .options = &audit_options },
 *         LEAT_MIDDLEWARE_END
 *     };
 *
 *     { LEAT_GET, "/api/users/{id:int}", get_user, .middleware = office },
 *
 * The order is what is written: the service's list, then those of the mounts from the outside in, then the route's; each from
 * its first to its last. 'before' hooks run in that order, 'after' hooks in the reverse one. Whoever gives a reply, or returns anything but
 * LEAT_OK, ends the way in: hooks and handler behind it do not run. Its own 'after' hook and those before it still do: whoever was begun is
 * ended.
 *
 * The service's list runs before the route is looked for, so also for what becomes a 404 or 405. A request that is no HTTP (400) meets none.
 *
 * 'after' hooks see the reply as it will be sent, a problem document too, and may change it: add headers, replace it. Headers that a 'before'
 * hook adds are lost when the request fails; what belongs on every reply is added after.
 *
 * A 'check' looks at the options when `check` and `serve` start, once at least, before any
 * request. What it says is wrong with them (good until its next call; NULL: nothing) ends the start. A 'demand' tells the same options to
 * documents.
 *
 * A reply that is a stream (leat/stream.h; events and files, too) leaves while the handler still runs: its 'after' hooks run when it is
 * begun, when the head is complete and none of the body is there. They may add headers, or reply in its place: then the handler's
 * stream ends with LEAT_CANCELLED. What happens to the stream after that no hook sees.
 *
 * What every request has without any middleware:
 *     a request id      leat_request_id (leat/request.h), in log lines, the access log and problem documents; LEAT_REQUEST_ID below sends it back
 *     an access log     setting access_log
 *     recovering        a handler that crashes costs its own request (500) and a process that is replaced: leat/service.h
 *     a timeout         setting request_deadline and the route's deadline_ms; LEAT_TIMEOUT (leat/limit.h) for a group
 *     a body limit      setting body_limit and the route's body_limit; LEAT_BODY_LIMIT (leat/limit.h) for a group
 *     a client address  leat_client_address (leat/client.h); behind proxies by the setting trusted_proxies
 *     problem documents (RFC 9457) for failures; in a form of your own by LEAT_PROBLEMS (leat/problem.h)
 * Ready-made middleware: leat/auth.h, cache.h, coalesce.h, cors.h, idempotency.h, limit.h, problem.h, rate.h, security.h,
 * version.h.
 *
 * Values: what a middleware finds out, handlers get, with its type:
 *     LEAT_VALUE(current_user, struct user);       -- in a header of the service
 *     current_user_set(req, user);                 -- in a hook; NULL takes it away
 *     struct user *user = current_user_get(req);   -- in a handler; NULL: nobody has set it
 *
 * Ownership:      lists are static. Values belong to whoever sets them, and must live as long as the request: leat_alloc.
 * Thread-safety:  hooks run in the request's task, and may wait. A list is read by all workers.
 * Errors:         a hook's result is the request's, as a handler's is. More of them than LEAT_MIDDLEWARE_MAX end the start.
 */
#ifndef LEAT_MIDDLEWARE_H
#define LEAT_MIDDLEWARE_H

#include <leat/result.h>
#include <leat/text.h>

struct leat_request;

enum { LEAT_MIDDLEWARE_MAX = 32 }; /* in the service's list; and for one route, its mounts' included */

/* What a middleware demands of a request, as documents tell it: a scheme or, of one before it, scopes. */
struct leat_demand {
	const char *scheme; /* of Authorization (RFC 9110 11): "bearer", "basic" */
	const char *header; /* or a header that holds the key */
	const char *cookie; /* or a cookie */
	const char *scopes; /* or roles, divided by blanks: 403 without them */
};

struct leat_middleware {
	const char *name;                                                          /* for people: `routes` prints it */
	enum leat_result (*before)(struct leat_request *req, const void *options); /* may be NULL */
	void (*after)(struct leat_request *req, const void *options);              /* may be NULL */
	const void *options;
	const char *(*check)(const void *options);         /* may be NULL */
	struct leat_demand (*demand)(const void *options); /* may be NULL; for leat/openapi.h */
};

/* The last entry of every list. */
#define LEAT_MIDDLEWARE_END \
	{ \
		.name = NULL \
	}

/* What an 'after' hook may ask of the reply ------------------------------------------------------------------------ */

/* The status; 0: there is none yet. */
LEAT_API int leat_reply_status(const struct leat_request *req);

/* The body; a view. {NULL, 0} of a stream: it is not there yet. */
LEAT_API leat_text leat_reply_body(const struct leat_request *req);

/* Ready-made --------------------------------------------------------------------------------------------------------- */

/* Every reply says X-Request-Id, the request's id, unless the handler has said it. In the service's list. */
#define LEAT_REQUEST_ID \
	{ \
		.name = "request id", .after = leat_request_id_after_ \
	}

LEAT_API void leat_request_id_after_(struct leat_request *req, const void *options);

/* Values ------------------------------------------------------------------------------------------------------------- */

/* Defines name_set and name_get for a pointer to 'type'. One name is one value, in however many files it is. */
#define LEAT_VALUE(name, type) \
	__attribute__((weak)) const char name##_value_[] = #name; \
	static inline void name##_set(struct leat_request *req, type *value) \
	{ \
		leat_set_(req, name##_value_, value); \
	} \
	static inline type *name##_get(const struct leat_request *req) \
	{ \
		return leat_get_(req, name##_value_); \
	} \
	struct leat_request

LEAT_API void leat_set_(struct leat_request *req, const char *key, const void *value);
LEAT_API void *leat_get_(const struct leat_request *req, const char *key);

#endif
