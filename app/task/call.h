/* call.h - the part of a request that the layers below HTTP may see.
 *
 * Use:
 *     struct call *call = call_of(req);
 *     arena_alloc(call->arena, size);
 *     enum leat_result result = wait_fd(fd, WAIT_READ, call->deadline_ns);
 *
 * Ownership:      it is the first member of struct leat_request and lives with it.
 * Thread-safety:  only the task of the request.
 * Errors:         none.
 */
#ifndef APP_TASK_CALL_H
#define APP_TASK_CALL_H

#include <leat/text.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct db;
struct held;
struct leat_request;
struct session;
struct stream;

struct call {
	struct arena *arena;
	int64_t deadline_ns;
	leat_text request_id;
	const char *route;       /* its pattern, for the log; NULL: none */
	struct db *db;           /* of this worker; NULL: none configured */
	struct stream *stream;   /* the one that is open (back/stream.c), or NULL */
	bool reads_primary;      /* it has written, or listens: a standby might not show yet what it knows of */
	struct held *held;       /* what it has to let go of (held.h), the latest first */
	int64_t retry_after_s;   /* of a 503 or 429; 0: 1 */
	struct session *session; /* the connection lent to this request (back/session.c), or NULL */
};

static inline struct call *call_of(struct leat_request *req)
{
	return (struct call *)req;
}

#endif
