/* leat/cache.h - how long, and by whom, replies may be kept: Cache-Control (RFC 9111 5.2.2) and Vary.
 *
 * Use, for a route, a mount or the whole service:
 *     static const struct leat_cache assets = { .is_public = true, .max_age_s = 31536000, .immutable = true };
 *     static const struct leat_middleware kept[] = { LEAT_CACHE(&assets), LEAT_MIDDLEWARE_END };
 *
 * Use, in a handler, in place of what stands around it:
 *     LEAT_TRY(leat_reply_cache(req, &(struct leat_cache){ .max_age_s = 60, .stale_while_revalidate_s = 600 }));
 *     LEAT_TRY(leat_vary(req, "Accept"));                 -- what the reply was chosen by
 *
 * What LEAT_CACHE does with a reply that has no Cache-Control yet:
 *   - GET and HEAD with 200, 203, 204, 206, 300, 301, 304, 308: the policy. Where a caller is known (leat/auth.h), or a cookie is set,
 *     "private" is added, unless the policy says is_public or s_maxage_s: what is one person's goes into no shared cache by mistake.
 *   - errors, of any method: no-store. A problem document has the id of its request, and 404, 405, 410 and 501 may be kept without a word (RFC 9110
 *     15.1): a cache could go on answering 404 for what is there by now. Who wants errors kept says so in the handler that replies with them.
 *   - everything else, such as redirects that are not for good and replies to POST: nothing; caches keep these only when told to.
 *   - with no_store: no-store on every reply.
 * Of several around a handler the innermost counts. Without LEAT_CACHE leat sends no Cache-Control.
 *
 * Left out: must-understand, and field names behind private and no-cache, which caches hardly know; Expires, for caches of HTTP/1.0.
 *
 * Ownership:      policies of LEAT_CACHE are static; all else is copied.
 * Thread-safety:  any thread for policies; else only the task of the request.
 * Errors:         a policy that contradicts itself ends the start; in a handler it is LEAT_INTERNAL, with a line in the log.
 */
#ifndef LEAT_CACHE_H
#define LEAT_CACHE_H

#include <leat/middleware.h>
#include <leat/result.h>
#include <stdbool.h>
#include <stdint.h>

struct leat_request;

/* For a time: 0 seconds from now on. What is left out (0) is not said. */
enum { LEAT_CACHE_ZERO = -1 };

/* Refused:
 *   - nothing at all;
 *   - no_store with anything but no_transform;
 *   - is_public with is_private; s_maxage_s and proxy_revalidate with is_private: shared caches keep nothing;
 *   - no_cache with a time or immutable: it asks each time;
 *   - immutable, stale_while_revalidate_s and stale_if_error_s without a max_age_s above zero (the latter two: or s_maxage_s, or
 *     either of them zero): they begin, or end, with it;
 *   - must_revalidate with stale_while_revalidate_s or stale_if_error_s: one forbids what the other allows;
 *   - times below LEAT_CACHE_ZERO and above 2147483647 s (RFC 9111 1.2.2). */
struct leat_cache {
	bool is_public;        /* shared caches may keep it, even when the request had Authorization (3.5) */
	bool is_private;       /* the client's own cache alone */
	bool no_store;         /* nobody may keep it */
	bool no_cache;         /* keep it, and ask each time (leat/version.h: 304) */
	bool no_transform;     /* proxies change nothing; nginx and lighttpd compress all the same */
	bool must_revalidate;  /* once stale, never used without asking, not even when the service is away */
	bool proxy_revalidate; /* the same for shared caches alone */
	bool immutable; /* while fresh, browsers do not ask even on reload (RFC 8246): for names that change with the content */
	int64_t max_age_s;                /* fresh for so long */
	int64_t s_maxage_s;               /* in shared caches, instead of max_age_s */
	int64_t stale_while_revalidate_s; /* for so long after that, used while it is asked for anew (RFC 5861 3) */
	int64_t stale_if_error_s;         /* for so long after that, used when the service fails (RFC 5861 4) */
};

#define LEAT_CACHE(policy) \
	{ \
		.name = "cache", .after = leat_cache_after_, .check = leat_cache_check_, \
		.options = 1 ? (policy) : (const struct leat_cache *)NULL \
	}

/* Sets Cache-Control, in place of the one there is. Nothing is added to what the policy says. */
LEAT_API enum leat_result leat_reply_cache(struct leat_request *req, const struct leat_cache *policy) LEAT_MUST_USE;

/* Adds the name of a request header, or "*", to Vary (RFC 9110 12.5.5): one line, each name once. LEAT_INTERNAL for what is no token. */
LEAT_API enum leat_result leat_vary(struct leat_request *req, const char *name) LEAT_MUST_USE;

LEAT_API void leat_cache_after_(struct leat_request *req, const void *options);
LEAT_API const char *leat_cache_check_(const void *options);

#endif
