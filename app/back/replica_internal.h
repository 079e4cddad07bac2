/* replica_internal.h - what the rooms of a worker's read set share: replica.c (which lanes take reads, and where the others go) and replica_look.c
 * (how old the standbys' data are). Nobody else includes it.
 *
 * Use:
 *     replica_look_begin(replica);
 *     if (replica_is_current(replica, lane)) ...
 *
 * Ownership:      the worker's.
 * Thread-safety:  only the worker whose loop it is on.
 * Errors:         none.
 */
#ifndef APP_BACK_REPLICA_INTERNAL_H
#define APP_BACK_REPLICA_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "back/lag.h"
#include "back/lane_set.h"
#include "back/replica.h"
#include "base/clock.h"

/* A question on its way. It is looked at with the next ones; nobody waits. */
struct probe {
	struct query *query; /* NULL: none */
	int64_t sent_ns;
};

/* What is known of a lane's connection. */
struct standby {
	int64_t made_ns; /* the connection; 0: nothing is known */
	struct lag_view view;
	const char *unfit; /* why it is to be left, NULL if not */
	struct probe probe;
};

/* Where this worker's reads go, as the log was told. */
enum reads { READS_AT_PRIMARY, READS_AT_STANDBY, READS_WITHOUT_PRIMARY, READS_BEHIND };

struct replica {
	struct lane_set set; /* first: its lanes know this */
	struct lane_set *primary;
	struct loop_timer timer;
	struct lag lag;
	struct probe probe; /* of the primary */
	enum reads reads;
	struct standby standbys[]; /* one a lane */
};

static inline int64_t replica_limit_ns(const struct replica *replica)
{
	return replica->set.host.settings->db_read_lag_most * CLOCK_MS;
}

static inline int64_t replica_now_ns(const struct replica *replica)
{
	return loop_now_ns(replica->set.host.loop);
}

/* replica.c: its data are within the limit; they are, or they are the best there is. */
bool replica_is_young(const struct replica *replica, const struct standby *standby);
bool replica_is_current(const struct replica *replica, const struct lane *lane);

/* replica_look.c: from begin to stop the servers are asked again and again; free gives up what they have not answered. */
void replica_look_begin(struct replica *replica);
void replica_look_stop(struct replica *replica);
void replica_look_free(struct replica *replica);

#endif
