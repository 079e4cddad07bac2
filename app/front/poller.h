/* poller.h - listening sockets and parked connections of a process, watched for all its workers.
 *
 * Use, in each worker's loop:
 *     while (budget-- && (connection = poller_take(poller, &member)))
 *         connection_start(connection, front);
 *     if (poller_rest(poller, &member))                      -- nothing to do
 *         loop_poll(loop, loop_sleep_until(loop));
 *     else
 *         loop_poll(loop, 0);
 *     poller_rise(poller, &member);
 *
 * One epoll holds all connections, edge-triggered, so that a kept connection needs no system call to park or to
 * wake up. Among the workers that sleep exactly one, the watcher, has this epoll in its own loop's, one-shot: an event wakes one
 * worker, not all. A worker that rises hands the watch to another sleeper, with one epoll_ctl, so a request never
 * waits behind a worker that computes while another one sleeps. What one epoll_wait found beyond the first goes on a list
 * that every worker takes from.
 *
 * Ownership:      the poller owns its connections and closes what is parked in poller_free.
 * Thread-safety:  any thread of the process; members are their worker's.
 * Errors:         poller_new is NULL with errno set. Failing accepts pause accepting for a tenth of a second (METRIC_ACCEPT_PAUSES).
 */
#ifndef APP_FRONT_POLLER_H
#define APP_FRONT_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "task/loop.h"

struct connection;
struct poller;

struct poller_member {
	struct loop_watch watch; /* of the shared epoll in the worker's own */
	struct loop_timer accept_timer;
	struct loop_post wake;
	struct loop *loop;
	struct poller *poller;
	struct poller_member *next_resting, *prev_resting;
	bool is_resting; /* asleep, or about to be */
	bool is_woken;   /* 'wake' is on its way */
	bool has_events; /* the shared epoll reported some to this worker's loop */
};

/* 'is_counted': its connections are in the metrics. */
struct poller *poller_new(unsigned connections_max, unsigned requests_max, bool is_counted);

/* After the last member has left. */
void poller_free(struct poller *poller);

/* The descriptors stay the caller's. */
bool poller_listen(struct poller *poller, const int *fds, unsigned count) __attribute__((warn_unused_result));

bool poller_join(struct poller *poller, struct poller_member *member,
		 struct loop *loop) __attribute__((warn_unused_result));
void poller_leave(struct poller *poller, struct poller_member *member);

/* A connection with work, busy and this worker's from now on; NULL when there is none. */
struct connection *poller_take(struct poller *poller, struct poller_member *member);

/* Before sleeping: false when there is work after all. */
bool poller_rest(struct poller *poller, struct poller_member *member);
void poller_rise(struct poller *poller, struct poller_member *member);

/* From now on requests are refused with 503, as long as the process still works on others: a front server that connects is not left
 * waiting. Parked connections on which nothing waits are closed. Once is enough. */
void poller_drain(struct poller *poller);

bool poller_is_draining(const struct poller *poller);

/* One more request of the process; false when requests_max are served already. Each that is admitted is dismissed at its end. */
bool poller_admit(struct poller *poller) __attribute__((warn_unused_result));
void poller_dismiss(struct poller *poller);

/* Connections that exist, parked ones included. */
unsigned poller_connection_count(struct poller *poller);

/* For connection.c: watch from now on; false when the system refuses. */
bool poller_watch(struct poller *poller, struct connection *connection) __attribute__((warn_unused_result));

/* For connection.c: its post has arrived; the events since the last one. That the peer is gone stays known. */
unsigned poller_take_events(struct poller *poller, struct connection *connection);

/* For connection.c: there may be work on it that no event will tell of; it goes to the list that every worker takes from.
 * Nothing while its post is on its way: the post does it then. */
void poller_requeue(struct poller *poller, struct connection *connection);

/* For connection.c: closes and frees it; nothing while its post is on its way: the post closes it then. */
void poller_close(struct poller *poller, struct connection *connection);

#endif
