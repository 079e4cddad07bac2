/* connection.h - a front server's connection: parked between requests, owned by one worker while it has work.
 *
 * Use:
 *     while ((connection = poller_take(front->poller, &front->member, true)))   -- claimed for this worker
 *         connection_start(connection, front);
 *
 * A connection is PARKED (nobody's; costs this struct and its descriptor, no thread, no stack, no buffer) or BUSY
 * (one worker's). Any worker may find that a parked one has become readable; the first to set BUSY owns it until it parks or closes it.
 * What arrives while it is busy is left in the state as event bits and told to the owner by a post to its loop.
 *
 * Ownership:      the poller owns all connections; the worker that claimed one alone touches its other members.
 * Thread-safety:  connection_event: any worker, under the poller's lock. All else: the owner's thread.
 * Errors:         none; a connection that fails is closed and counted.
 */
#ifndef APP_FRONT_CONNECTION_H
#define APP_FRONT_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "front/gate.h"
#include "front/poller.h"
#include "task/loop.h"

struct arena_pool;
struct crash_subject;
struct exchange;
struct task;

enum {
	CONNECTION_BUSY = 1,
	CONNECTION_READABLE = 2, /* bytes came */
	CONNECTION_GONE = 4,     /* the peer closed, or its half; stays */
};

struct connection {
	uint32_t magic;
	int fd;
	atomic_uint state;
	atomic_bool is_posted;     /* 'post' is on its way to 'loop' */
	bool is_watched;           /* known to the poller's epoll */
	bool waits_to_read;        /* the task sleeps until bytes come */
	bool may_have_more;        /* the last receive may have left bytes, or some came since */
	bool is_gone;              /* the peer left; the task was cancelled */
	bool is_admitted;          /* its request counts for requests_max */
	bool is_ending;            /* the task is done with it; parked as soon as 'post' has arrived */
	struct loop *loop;         /* of the owner, for posts; under the poller's lock */
	struct task *task;         /* that serves it now */
	struct exchange *exchange; /* on that task's stack */
	void *serving;    /* what 'serve' of the front works on, of its own; NULL: nothing that could be answered for */
	uint16_t fcgi_id; /* of that request */
	bool has_replied; /* bytes of its reply are on their way */
	bool has_served;  /* a request, before */
	uint16_t last_size;  /* of the body that was sent when it crashed */
	struct front *front; /* of the owner */
	struct loop_post post;
	uint8_t *carried; /* bytes of a pipelined next request */
	size_t carried_len;
	struct connection *next, *prev; /* all, or free, in the poller */
	struct connection *next_ready;
};

/* What connections need of the worker that serves them. */
struct front {
	struct poller *poller;
	struct poller_member member;
	struct loop *loop;
	struct arena_pool *arenas;
	struct gate_limits limits;
	int64_t header_timeout_ns, drain_timeout_ns, send_timeout_ns;
	uint64_t drain_limit;
	void (*serve)(struct exchange *exchange, void *arg); /* answers one request */
	void *serve_arg;
	/* Of what it works on, for front/abandon.c. describe: in a signal handler. */
	void (*describe)(const void *serving, struct crash_subject *ret_subject, bool *ret_is_head);
	void (*abandoned)(void *serving, bool was_cut,
			  uint64_t body_size); /* it crashed, and was answered with 500, unless cut */
	uint8_t *scratch;                      /* FRONT_SCRATCH bytes; never in use while a task waits */
	size_t received;                       /* bytes in it, for the task that starts now */
	struct connection *starting;           /* the task that starts now has not ended yet */
};

enum {
	FRONT_SCRATCH = 8192,
	FRONT_RECEIVE = FRONT_SCRATCH -
			2 * GATE_UNIT_SIZE, /* at once: libfcgi's buffer takes it with what the gate held back */
};

/* For a claimed connection: reads what is there and serves it in a task, parks or closes it. */
void connection_start(struct connection *connection, struct front *front);

/* Called by the poller: true when this event made the connection busy, for the caller to hand to a worker. */
bool connection_event(struct connection *connection, uint32_t epoll_events);

/* Called by fcgi.c before the reply's last piece leaves: who has it may send the next request at once, and must find room. */
void connection_answered(struct connection *connection);

/* Called by the exchange, in the connection's task: sleeps until bytes come. */
enum leat_result connection_wait_readable(struct connection *connection, int64_t deadline_ns) LEAT_MUST_USE;

/* Called by abandon.c: the task's last word, when there is no exchange any more. */
void connection_see_off(struct connection *connection);

#endif
