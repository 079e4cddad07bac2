/* lane_set.h - a worker's lanes to one set of servers: who takes the next statement, what waits for a lane, and when to connect.
 *
 * Use:
 *     lane_set_init(&set, &host, lane_count);   -- connects by itself, again and again
 *     lane_set_submit(&set, query);             -- to a lane, at the end of the loop's turn
 *     ...
 *     lane_set_stop(&set);                      -- no request will ask any more
 *     lane_set_close(&set);                     -- after the last turn of the loop
 *
 * Statements wait in the set's queue until the end of the loop's turn; then each goes to the lane with the fewest in
 * flight. With no lane to go to they wait on, inside their request's deadline, while there is hope: the first attempt
 * to connect since the start or since the last connection is under way, or a lane is only late (lane.c). After a failed
 * attempt they get LEAT_UNAVAILABLE at once, until a lane is there again, or another worker has connected: then they wait for
 * one more attempt. A set whose owner has another place for them ('unserved') hands them over at once instead.
 *
 * Connecting: one attempt at a time a set, with back-off (retry.h), on an offload thread (dial.h).
 *
 * Ownership:      the worker's. What 'host' names outlives it.
 * Thread-safety:  only the worker whose loop it is on.
 * Errors:         a query that is submitted ends in one way or another; see lane.h.
 */
#ifndef APP_BACK_LANE_SET_H
#define APP_BACK_LANE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "back/lane.h"
#include "back/query.h"
#include "back/retry.h"

struct lane_set {
	struct lane_host host;   /* first: the lanes know this part of it */
	struct query_list queue; /* QUERY_QUEUED */
	struct loop_turn turn;   /* dispatches the queue */
	struct retry retry;
	struct loop_timer retry_timer;
	uint64_t connects_seen; /* how many connections all processes had made to these servers at our last failure */
	bool is_stopping;
	unsigned lane_count;
	struct lane *lanes;
	const struct lane *leaving; /* it is lost because it is left */
	/* The owner's, after lane_set_init; each may be NULL. */
	bool (*is_fit)(const struct lane_set *set, const struct lane *lane); /* to take work, if it is LANE_READY */
	void (*unserved)(struct lane_set *set, struct query *query);         /* no lane takes it now */
	struct loop_turn *lent_turn; /* to run when something has become of a lane that is lent */
};

/* Of 'host' all but the functions. */
void lane_set_init(struct lane_set *set, const struct lane_host *host, unsigned lane_count);

/* Refuses statements from now on, and does not connect again; what is in flight is still answered. */
void lane_set_stop(struct lane_set *set);

void lane_set_close(struct lane_set *set);

void lane_set_submit(struct lane_set *set, struct query *query);

/* Out of the queue of its set. */
void lane_set_withdraw(struct query *query);

/* As many statements wait as could be in flight. */
bool lane_set_is_full(const struct lane_set *set);

bool lane_set_has(const struct lane_set *set, enum lane_state state);

/* At least one lane is connected and prepared. */
bool lane_set_is_up(const struct lane_set *set);

/* The lane's connection, with nothing in flight, is to be another one. */
void lane_set_leave(struct lane_set *set, struct lane *lane, const char *why);

/* The one that takes the next statement; NULL: none. */
struct lane *lane_set_choose(const struct lane_set *set);

#endif
