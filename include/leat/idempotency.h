/* leat/idempotency.h - POST and PATCH that a client may send again: what one Idempotency-Key asks for is done once, and answered again.
 *
 * Use:
 *     static const struct leat_idempotency once = { .optional = true };
 *     static const struct leat_middleware paying[] = { LEAT_JWT(&staff), LEAT_IDEMPOTENCY(&once), LEAT_MIDDLEWARE_END };
 *
 *     { LEAT_POST, "/api/payments", post_payment, .middleware = paying },
 *
 *     static enum leat_result pay(struct leat_request *req, void *arg)    -- work and reply, one transaction
 *     {
 *         LEAT_TRY(leat_db_one(req, &insert_payment, &payment, ...));
 *         return leat_reply(req, 201, &payment_shape, &payment);
 *     }
 *     ...
 *     return leat_idempotent_tx(req, NULL, pay, &input);                  -- in the handler
 *
 * The table is made by a migration that is installed as PREFIX/share/leat/sql/idempotency.sql: copy it to the service's own under the
 * next number (0007_idempotency.sql). `check` compares the statements with it.
 *
 * A key is a string as structured fields have it ("8e03978e-...", RFC 9651 3.3.3, without parameters), as
 * draft-ietf-httpapi-idempotency-key-header wants it, or the same without quotes, as Stripe has it; 1 to LEAT_IDEMPOTENCY_KEY_MAX characters of
 * printable ASCII. It means something for one caller, method and route. What counts as the same request: method, path, query and body, byte for byte
 * (so the whole body is read first, and the route's body_limit must be one that memory can hold).
 *
 *     no key                            400; as if there were no middleware where it is optional
 *     a bad key                         400
 *     a key for another request         422
 *     the first one still runs          409 with Retry-After. It is not waited for: a client that repeats itself would hold two requests,
 *                                       three, and the second answer may as well be asked for when it is there
 *     the first one is done             the very reply: status, headers, body; with Idempotent-Replayed: true
 *     it was done, but its reply was    409 without Retry-After: it is not done again
 *     larger than can be kept
 *
 * Kept is what says how it ended: 2xx, 3xx, and 4xx but for 401, 403, 408, 425 and 429. These, 5xx and a client that left before the
 * end say that it was not done: the key is free again at once. GET, HEAD and OPTIONS pass as if there were no middleware.
 *
 * How sure is "once"? With leat_idempotent_tx the reply is committed with the work, both or none, whatever crashes; when the
 * connection is lost in the middle of the commit (503), asking again finds out. It holds also against a request that goes on after its key was
 * given to another: that one's transaction is rolled back (409). Work outside of it (several statements, another service) is done first and the
 * reply kept then: if the process dies between the two, or the database goes away, the next one with that key does it again. Give other
 * services the key, too.
 *
 * A process that dies leaves its keys taken until the deadline of its request and the setting idempotency_lease have passed. Keys are kept
 * for idempotency_keep; old ones are removed by and by, by the requests that have keys. Replies of more than
 * idempotency_reply_max bytes, headers included, are not kept. A reply that is a stream cannot be: leat_stream_begin answers
 * LEAT_INTERNAL, and so does leat_reply_file where leat itself sends files.
 *
 * Put it behind authentication, for replays do not reach what stands behind it, and last: what hooks behind it add after
 * the commit is not part of the reply that is kept. Twice on one way it counts once. Not in the service's own list: it is there for no route yet.
 *
 * Ownership:      options are static.
 * Thread-safety:  as for all middleware; leat_idempotent_tx: only the task that runs the handler.
 * Errors:         those above, with words; 503 when the database is away: nothing is done then. 500, told in the log, when nobody says who asks.
 *                 Counted: leat_idempotency_total, by outcome.
 */
#ifndef LEAT_IDEMPOTENCY_H
#define LEAT_IDEMPOTENCY_H

#include <leat/db.h>
#include <leat/middleware.h>
#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>

enum { LEAT_IDEMPOTENCY_KEY_MAX = 255 }; /* characters */

struct leat_idempotency {
	bool optional; /* requests without a key are served, too */

	/* Whose key it is: keys of two scopes never meet. NULL: the caller's (leat/auth.h), who must have a subject. What it
	 * returns but LEAT_OK is the request's result. A service whose callers are all one gives "". */
	enum leat_result (*scope)(struct leat_request *req, leat_text *ret_scope);
};

#define LEAT_IDEMPOTENCY(policy) \
	{ \
		.name = "idempotency", .before = leat_idempotency_before_, .after = leat_idempotency_after_, \
		.check = leat_idempotency_check_, .options = 1 ? (policy) : (const struct leat_idempotency *)NULL \
	}

/* leat_tx, and what 'fn' replies is kept in the same transaction: 'fn' must reply, whatever its status, and the reply is the one that is sent.
 * When 'fn' runs again, what it added to the reply before is forgotten. Without a key it is leat_tx. Once a request. Within leat_tx it is a part of that, and
 * committed with it. LEAT_CONFLICT: the key was given to another request; nothing is done. */
LEAT_API enum leat_result leat_idempotent_tx(struct leat_request *req, const struct leat_tx_options *options,
					     leat_tx_fn fn, void *arg) LEAT_MUST_USE;

LEAT_API enum leat_result leat_idempotency_before_(struct leat_request *req, const void *options);
LEAT_API void leat_idempotency_after_(struct leat_request *req, const void *options);
LEAT_API const char *leat_idempotency_check_(const void *options);

#endif
