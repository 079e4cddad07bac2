/* lend.h - connections for one request alone: transactions and slow statements. A process has one such pool for all its workers.
 *
 * Use, in a task:
 *     LEAT_TRY(lend_take(db->lend, &db->primary.host, deadline_ns, &lane));   -- waits in line
 *     lane_send(lane, query); ...
 *     lend_give(db->lend, lane);       -- nothing in flight, no transaction open
 *     lend_discard(db->lend, lane);    -- or it is in no state to be used again
 *
 * A connection is CONNECTING (on an offload thread), IDLE (in the pool, newest first) or LENT (a lane of the worker that took it). Each process
 * has a share of its own of db_connections_max: a common one would let the connections that one process keeps idle starve another.
 * Who finds none waits, first come first served, for at most db_lent_wait; more than db_lent_queue are refused.
 * A connection that was idle for a second is looked at before it is lent: one that the server has closed is not.
 *
 * Ownership:      the pool's, but for the time that a lane is lent. It outlives the offload pool's threads.
 * Thread-safety:  any thread; lend_take: tasks.
 * Errors:         LEAT_UNAVAILABLE no connection within db_lent_wait, the queue is full, or the server is away; LEAT_TIMED_OUT;
 *                 LEAT_CANCELLED.
 */
#ifndef APP_BACK_LEND_H
#define APP_BACK_LEND_H

#include <leat/result.h>
#include <stdint.h>

struct lane;
struct lane_host;
struct lend;
struct offload;
struct settings;

/* Of 'most' connections at once: db_lent_max, or what db_connections_max leaves for this process. */
struct lend *lend_new(const struct settings *settings, unsigned most, struct offload *offload);

/* No connection is dialled any more; those who wait are refused. Before offload_stop. */
void lend_stop(struct lend *lend);

/* After the last worker has ended, and the offload pool. */
void lend_free(struct lend *lend);

enum leat_result lend_take(struct lend *lend, struct lane_host *host, int64_t deadline_ns,
			   struct lane **ret_lane) LEAT_MUST_USE;
void lend_give(struct lend *lend, struct lane *lane);
void lend_discard(struct lend *lend, struct lane *lane);

/* Closes what was idle or open too long, and makes db_lent_idle_min connections; every second or so. */
void lend_tick(struct lend *lend);

#endif
