/* leat/coalesce.h - one work for all who need the same at the same time: as a middleware for routes, which can keep replies for a
 * while, and as a call. Over all worker threads of a process.
 *
 * Use, for a GET route or a mount:
 *     static const char *const by_language[] = { "Accept-Language", NULL };
 *     static const struct leat_coalesce prices = { .vary = by_language, .fresh_ms = 1000, .stale_while_revalidate_ms = 10000,
 *                                                  .stale_if_error_ms = 60000 };
 *     static const struct leat_middleware shared[] = { LEAT_COALESCE(&prices), LEAT_MIDDLEWARE_END };
 *
 * Use, in a handler:
 *     static enum leat_result read_rates(struct leat_request *req, leat_text key, leat_text *ret_result)   -- runs once for all of them
 *     ...
 *     static const struct leat_work rates = { "rates", read_rates };
 *     LEAT_TRY(leat_coalesce(req, &rates, LEAT_TEXT_OF("EUR"), &bytes, NULL));
 *
 * The work has a task of its own, which belongs to no request: its 'req' has a deadline that never comes, and is cancelled
 * when the last of those who wait has left, each at its own deadline. Who comes later than the time that the first one had starts it anew.
 * What it brings is not copied for each: all read the same bytes. Work that fails fails for all who wait; work that crashes is a 500 for all of them.
 *
 * What the middleware does with GET and HEAD: requests with the same target (path and query as they were sent) and the same values of the headers
 * in 'vary' share one run of what stands behind it: hooks, then handler. There, of the request, is nothing but these: no other header, no cookie, no
 * caller, no client address. So nothing of one client can be in another's reply. Its method is GET. What stands before LEAT_COALESCE
 * runs for each request. Each has its own request id, and its own conditions (If-None-Match), judged by the ETag and Last-Modified of the
 * reply. Vary is added to it. A failure (a result that is not LEAT_OK) is each one's own problem document; it is never kept but for LEAT_NOT_FOUND.
 *
 * Not shared: requests with a body; with Authorization or a caller (leat/auth.h), unless for_callers. When a reply turns out to be for one
 * client alone, since it sets a cookie, says "private", or varies by what is not in 'vary', each of those who wait does its own work
 * after all, with its whole request, and the log tells of it: such a route should not be shared.
 *
 * Kept, if there is a fresh_ms: 200, 203, 204, 300, 301, 308, 404 and 410, for fresh_ms or the reply's own s-maxage or max-age, if that is less; not with no-store or
 * no-cache. A kept reply says its Age. The setting coalesce_keep bounds the memory of a process; each process keeps its own.
 *
 * Ownership:      policies, work and what they point to are static. Results live as long as the request that got them, and are not to be written to.
 * Thread-safety:  leat_coalesce, leat_coalesce_forget: the request's task. 'run' and all behind LEAT_COALESCE: a task of its own on the same thread.
 * Errors:         leat_coalesce: what 'run' answered, with its words for the client; LEAT_TIMED_OUT, LEAT_CANCELLED for this request alone;
 *                 LEAT_UNAVAILABLE when no task can be started; LEAT_INTERNAL when 'run' crashed. A stream behind LEAT_COALESCE is a bug:
 *                 LEAT_INTERNAL, with a line in the log.
 */
#ifndef LEAT_COALESCE_H
#define LEAT_COALESCE_H

#include <leat/middleware.h>
#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>
#include <stdint.h>

struct leat_request;

/* The call ----------------------------------------------------------------------------------------------------------- */

struct leat_work {
	const char *name; /* for the log */
	enum leat_result (*run)(struct leat_request *req, leat_text key, leat_text *ret_result);
};

/* The key is bytes, of any number as well: it is all that 'run' is told. '*ret_result' is aligned for any type. '*ret_is_shared' (NULL: not asked)
 * is whether several waited for it. */
LEAT_API enum leat_result leat_coalesce(struct leat_request *req, const struct leat_work *work, leat_text key,
					leat_text *ret_result, bool *ret_is_shared) LEAT_MUST_USE;

/* Who asks from now on does not get what is being worked on: after a change that it may not have seen. Within this process. */
LEAT_API void leat_coalesce_forget(struct leat_request *req, const struct leat_work *work, leat_text key);

/* The middleware ------------------------------------------------------------------------------------------------------- */

struct leat_coalesce {
	const char *const *vary; /* names of request headers, ended by NULL; NULL: none */
	int64_t fresh_ms;        /* how long a reply is kept and used; 0: shared only by those who wait for it */
	int64_t stale_while_revalidate_ms; /* for so long after that, used while one request has started the work anew */
	int64_t stale_if_error_ms; /* for so long after that, used when the work fails (500, 502, 503, 504) or comes too late */
	bool for_callers;          /* also for requests with Authorization, or a caller: all of them may see the same */
	bool by_setting;           /* only with the setting coalesce */
};

#define LEAT_COALESCE(policy) \
	{ \
		.name = "coalesce", .before = leat_coalesce_before_, .check = leat_coalesce_check_, \
		.options = 1 ? (policy) : (const struct leat_coalesce *)NULL \
	}

LEAT_API enum leat_result leat_coalesce_before_(struct leat_request *req, const void *options);
LEAT_API const char *leat_coalesce_check_(const void *options);

#endif
