/* poller.h - listening sockets and parked connections of a process, watched for all its workers.
 *
 * Use, in each worker's loop:
 *     while (budget-- && (connection = poller_take(poller, &member, is_first)))
 *         connection_start(connection, front);
 *     until_ns = poller_rest(poller, &member);               -- nothing to do
 *     loop_poll(loop, until_ns or sooner);
 *     poller_rise(poller, &member);
 *
 * One epoll holds all connections, edge-triggered, so that a kept connection needs no system call to park or to
 * wake up. One worker, the watcher, looks for events while it is awake; asleep it has this epoll in its own loop's, one-shot, so
 * an event wakes one worker, not all. What it finds goes on a list that every worker takes from.
 *
 * No request waits long behind a worker that computes while another one sleeps:
 *  - Under little load a watcher that rises hands the watch to a sleeper, with one epoll_ctl.
 *  - Under more, when workers would only wake each other, it keeps the watch, and one of those that sleep is the lookout: every
 *    millisecond it sees whether the watcher has made a step; if not, it takes the watch over. As soon as the watcher has slept for a
 *    millisecond it sleeps on.
 *  - What waits on the list for a millisecond wakes another worker.
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
	bool is_resting;        /* asleep, or about to be */
	bool is_woken;          /* 'wake' is on its way */
	bool is_armed;          /* the shared epoll is, in this worker's loop */
	bool has_events;        /* the shared epoll reported some to this worker's loop */
	bool was_lookout;       /* until it rose */
	unsigned progress_seen; /* when it rested */
};

/* 'is_counted': its connections are in the metrics. */
struct poller *poller_new(unsigned connections_max, unsigned requests_max, bool is_counted);

/* After the last member has left. */
void poller_free(struct poller *poller);

/* The descriptors stay the caller's. */
bool poller_listen(struct poller *poller, const int *fds, unsigned count) __attribute__((warn_unused_result));

bool poller_join(struct poller *poller, struct poller_member *member, struct loop *loop)
	__attribute__((warn_unused_result));
void poller_leave(struct poller *poller, struct poller_member *member);

/* A connection with work, busy and this worker's from now on; NULL when there is none. With 'may_look' the kernel is asked when
 * none is known: once a turn is enough, for what comes later is found by the next one. */
struct connection *poller_take(struct poller *poller, struct poller_member *member, bool may_look);

/* Before sleeping: until when, at most; 0 when there is work after all. */
int64_t poller_rest(struct poller *poller, struct poller_member *member);
void poller_rise(struct poller *poller, struct poller_member *member);

/* From now on requests are refused with 503, as long as the process still works on others: a front server that connects is not left
 * waiting. Where others accept from the same listeners, new connections are left to them instead, and each connection that was accepted has one more
 * request, or what of it is on its way. Parked connections on which nothing waits are closed. Once is enough. */
void poller_drain(struct poller *poller, bool others_accept);

/* Connections are closed after their request. */
bool poller_is_draining(const struct poller *poller);

/* Nor is one more request served. */
bool poller_refuses(const struct poller *poller);

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
