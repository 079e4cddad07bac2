/* leat/rate.h - how often somebody may ask: token buckets for any keys, exact over all worker processes.
 *
 * Use:
 *     static const struct leat_rate per_client = { .name = "client", .requests = 100, .seconds = 60, .burst = 20 };
 *     static const struct leat_rate per_key = { .name = "key", .requests = 5000, .seconds = 3600, .by = LEAT_RATE_BY_CALLER };
 *     static const struct leat_middleware api[] = { LEAT_RATE_LIMIT(&per_client), LEAT_API_KEY(&keys), LEAT_RATE_LIMIT(&per_key), LEAT_MIDDLEWARE_END };
 *
 *     static const struct leat_rate mails = { .name = "mails", .requests = 3, .seconds = 3600 };
 *     LEAT_TRY(leat_rate_allow(req, &mails, user.email, 1));         -- in a handler: 429 when there were three
 *
 * A bucket has 'burst' tokens at first, and gets 'requests' of them in 'seconds', one by one and never more than 'burst'. Whoever asks takes
 * one. So in any time there are at most rate x time + burst, in all processes and threads together. What is refused takes nothing.
 * One struct and one key are one bucket, wherever they are used; two structs never share one.
 *
 * LEAT_RATE_LIMIT refuses with 429 and Retry-After, the seconds after which the next token is there. Every reply behind it, also of what it has let pass, says how
 * things stand, as draft-ietf-httpapi-ratelimit-headers-10 has it, one item for each limit:
 *
 *     RateLimit-Policy: "client";q=20;w=12       20 tokens, which come back in 12 s
 *     RateLimit: "client";r=7;t=8                7 are left, all are there again in 8 s
 *
 * Whom it counts: by default the client's address (leat_client_address; set trusted_proxies if there are any), of IPv6 the first 64 bits, since whoever
 * has one address has them all. LEAT_RATE_BY_CALLER counts callers (leat/auth.h) and stands behind what authenticates. 'key' gives whatever else: a
 * tenant, or the empty text for all together. Put a limit by address before authentication, where it also bounds guessing.
 *
 * Against golang.org/x/time/rate: the same at each call (what is refused, when a reservation is due, who comes first), but tokens are whole, in whole
 * nanoseconds; what is given back is not lost without need; a clock that goes back or a late cancel makes no tokens. There are no rates of none and
 * no change of a rate while the service runs.
 *
 * Buckets are in memory of a fixed size, the setting rate_keys; app/base/bucket_table.h says what happens when it does not suffice (a key that is
 * forgotten too soon has a burst more: leat_rate_forgotten_total). They last as long as the service, whatever becomes of a worker process.
 *
 * Ownership:      a struct leat_rate is static. Keys are not kept.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         those below; LEAT_INTERNAL, told in the log, where LEAT_RATE_BY_CALLER stands before nobody who says who asks. What is wrong with the numbers of a
 *                 LEAT_RATE_LIMIT ends the start. Counted: leat_rate_total, by outcome.
 */
#ifndef LEAT_RATE_H
#define LEAT_RATE_H

#include <leat/middleware.h>
#include <leat/result.h>
#include <leat/text.h>
#include <stdint.h>

enum leat_rate_by {
	LEAT_RATE_BY_CLIENT,
	LEAT_RATE_BY_CALLER,
};

struct leat_rate {
	const char *name;  /* in the header fields and in problem documents: letters, digits and . _ -, up to 64 */
	uint32_t requests; /* 1 at least */
	uint32_t seconds;  /* 0: 1 */
	uint32_t burst;    /* 0: as many as 'requests'. All of it comes back within 366 days */

	/* Whom LEAT_RATE_LIMIT counts. What 'key' returns but LEAT_OK is the request's result. */
	enum leat_rate_by by;
	enum leat_result (*key)(struct leat_request *req, leat_text *ret_key);
};

#define LEAT_RATE_LIMIT(rate) \
	{ \
		.name = "rate limit", .before = leat_rate_before_, .after = leat_rate_after_, \
		.check = leat_rate_check_, .options = 1 ? (rate) : (const struct leat_rate *)NULL \
	}

/* Takes 'count' tokens of the key's, if they are there. LEAT_RATE_LIMITED when not: the reply to that has the Retry-After. LEAT_TOO_LARGE, always, for more
 * than the burst: they will never be there. None is always granted. */
LEAT_API enum leat_result leat_rate_allow(struct leat_request *req, const struct leat_rate *rate, leat_text key,
					  uint32_t count) LEAT_MUST_USE;

/* The same, but waits, behind those who came before. LEAT_RATE_LIMITED at once when they will not be there before the request's deadline; then, and if it is
 * given up meanwhile (LEAT_CANCELLED, LEAT_TIMED_OUT), they are not taken. */
LEAT_API enum leat_result leat_rate_wait(struct leat_request *req, const struct leat_rate *rate, leat_text key,
					 uint32_t count) LEAT_MUST_USE;

struct leat_reservation {
	int64_t delay_ms; /* until it may be done, rounded up; 0: now */

	/* leat's own */
	const struct leat_rate *rate;
	uint64_t key;
	int64_t at_ns, full;
	uint32_t count;
};

/* The same, but says after how long it may be done, and leaves the waiting to the caller. LEAT_RATE_LIMITED beyond an hour. */
LEAT_API enum leat_result leat_rate_reserve(struct leat_request *req, const struct leat_rate *rate, leat_text key,
					    uint32_t count, struct leat_reservation *ret_reservation) LEAT_MUST_USE;

/* It will not be done: what nobody has been promised meanwhile goes back, unless its time has passed. Once; a second time does nothing. */
LEAT_API void leat_rate_cancel(struct leat_reservation *reservation);

LEAT_API enum leat_result leat_rate_before_(struct leat_request *req, const void *options);
LEAT_API void leat_rate_after_(struct leat_request *req, const void *options);
LEAT_API const char *leat_rate_check_(const void *options);

#endif
