/* idempotency_table.h - the table leat_idempotency: who works on a key, and what came of it.
 *
 * Use:
 *     LEAT_TRY(idempotency_claim(req, &entry, &claim));        -- claim.is_mine, or what is there
 *     LEAT_TRY(idempotency_store(req, &entry, &reply, &is_stored));
 *     LEAT_TRY(idempotency_release(req, &entry));
 *
 * A row is free, taken or done. Free: there is none; or its lease is over and it has no status, or has expired. Taken: it has no
 * status, and a lease. Done: it has a status, until it expires.
 *
 * Whoever claims a free row becomes its owner, under a number drawn anew each time. All that an owner does afterwards has this number and
 * "no status yet" as its condition, so an owner that comes late changes nothing. A transaction that has stored its reply holds the row's lock
 * until it commits. Others pass over a locked row instead of waiting (SKIP LOCKED): single statements travel in lanes, where one that waits
 * holds up all behind it; and a lock tells that a commit is under way, whose end nobody else may decide.
 *
 * Ownership:      what a claim shows lives as long as the request.
 * Thread-safety:  only the task of the request; idempotency_list and idempotency_setup before all other threads.
 * Errors:         those of leat/db.h.
 */
#ifndef APP_HTTP_IDEMPOTENCY_TABLE_H
#define APP_HTTP_IDEMPOTENCY_TABLE_H

#include <leat/result.h>
#include <leat/text.h>
#include <leat/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/crypto.h"

struct leat_request;

/* The settings idempotency_keep, idempotency_lease (milliseconds) and idempotency_reply_max. */
void idempotency_setup(int64_t keep_ms, int64_t lease_ms, size_t reply_max);

/* Puts the statements on the program's list. */
void idempotency_list(void);

struct idempotency_entry {
	uint8_t id[CRYPTO_SHA256_SIZE];
	uint8_t request[CRYPTO_SHA256_SIZE];
	int64_t owner;
	const char *route;
	leat_text key;
};

struct idempotency_claim {
	bool is_mine;
	bool was_left;      /* it is, and an owner had it whose lease is over */
	leat_bytes request; /* what is there instead; absent: it came in the same moment, and is not to be seen yet */
	int64_t status;
	bool has_status;
	bool is_problem;
	leat_text content_type;
	leat_bytes headers;
	leat_bytes body; /* absent, with a status: it was too large */
};

/* Until the request's deadline, and the setting idempotency_lease from then. */
enum leat_result idempotency_claim(struct leat_request *req, const struct idempotency_entry *entry,
				   struct idempotency_claim *ret_claim) LEAT_MUST_USE;

struct idempotency_reply {
	int status;
	bool is_problem;        /* a result became a problem document, which no renderer has changed yet */
	leat_text content_type; /* absent: none */
	leat_text headers;
	leat_text body;
};

/* Not stored: the row is another owner's by now, or done. One that is too large is stored by its status alone. */
enum leat_result idempotency_store(struct leat_request *req, const struct idempotency_entry *entry,
				   const struct idempotency_reply *reply, bool *ret_is_stored) LEAT_MUST_USE;

/* Nothing, when it is done or another owner's. */
enum leat_result idempotency_release(struct leat_request *req, const struct idempotency_entry *entry) LEAT_MUST_USE;

/* For one request of the process a minute, and the next one when there were more than a batch. At first after a while by chance, so that
 * processes started together do not do it together. */
bool idempotency_purge_is_due(int64_t now_ns);

/* Removes a batch of expired rows. */
void idempotency_purge(struct leat_request *req);

#endif
