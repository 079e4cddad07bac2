/* shared_reply.h - a reply, or a failure, in memory of its own, for any number of requests of any worker.
 *
 * Use:
 *     struct flight_landed *landed = shared_reply_pack(req, result);        -- of the flight's request
 *     ...
 *     shared_reply_hold(req, landed);                                       -- for as long as a request lives
 *     return shared_reply_give(req, landed);
 *
 * It is one block, as flight.h counts it. The body is not copied when it is given; header lines are, for hooks add to them.
 *
 * Ownership:      as of flight.h; shared_reply_hold takes the caller's share over.
 * Thread-safety:  packing and giving: the request's task. What is packed never changes.
 * Errors:         shared_reply_give: the result that was packed.
 */
#ifndef APP_HTTP_SHARED_REPLY_H
#define APP_HTTP_SHARED_REPLY_H

#include "http/request.h"
#include "task/flight.h"

/* What the request has: its response, and its problem. */
struct flight_landed *shared_reply_pack(const struct leat_request *req, enum leat_result result)
	__attribute__((returns_nonnull));

/* Bytes instead of a response. */
struct flight_landed *shared_reply_pack_bytes(const struct leat_request *req, enum leat_result result, leat_text bytes)
	__attribute__((returns_nonnull));

/* In place of a reply: whoever waits does its own work. */
struct flight_landed *shared_reply_none(void) __attribute__((returns_nonnull));
bool shared_reply_is_none(const struct flight_landed *landed);

void shared_reply_hold(struct leat_request *req, struct flight_landed *landed);
enum leat_result shared_reply_give(struct leat_request *req, const struct flight_landed *landed) LEAT_MUST_USE;

/* The status, also of a failure. */
int shared_reply_status(const struct flight_landed *landed);
leat_text shared_reply_body(const struct flight_landed *landed);

/* Words for the client, of a failure. */
void shared_reply_explain(struct leat_request *req, const struct flight_landed *landed);

#endif
