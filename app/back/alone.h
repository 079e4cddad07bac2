/* alone.h - waiting on a connection that a task has for itself: one of a lane that is paused (lane.h).
 *
 * Use:
 *     if (!PQsendQuery(connection, sql)) ...
 *     LEAT_TRY(alone_flush(connection, deadline_ns));
 *     LEAT_TRY(alone_result(connection, deadline_ns, &result));   -- a NULL result: there are no more
 *
 * Nothing is read from the socket but by these calls: while the task does not call, the server waits.
 *
 * Ownership:      results are the caller's.
 * Thread-safety:  tasks of the lane's worker.
 * Errors:         LEAT_TIMED_OUT, LEAT_CANCELLED; LEAT_UNAVAILABLE the connection is lost. After any of them it is in no known
 *                 state: lane_give_up.
 */
#ifndef APP_BACK_ALONE_H
#define APP_BACK_ALONE_H

#include <leat/result.h>
#include <stdint.h>

struct pg_conn;   /* libpq's PGconn */
struct pg_result; /* libpq's PGresult */

/* Until the server has sent something more. */
enum leat_result alone_take_in(struct pg_conn *connection, int64_t deadline_ns) LEAT_MUST_USE;

/* Until the kernel has all that was queued: so a fast writer waits for a slow server. */
enum leat_result alone_flush(struct pg_conn *connection, int64_t deadline_ns) LEAT_MUST_USE;

enum leat_result alone_result(struct pg_conn *connection, int64_t deadline_ns,
			      struct pg_result **ret_result) LEAT_MUST_USE;

#endif
