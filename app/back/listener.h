/* listener.h - a connection that listens for notifications, and knows whether it still does: the half of notify.c that talks to the server.
 *
 * Use:
 *     listener_init(&listener, &settings);
 *     if (!listener_connect(&listener) || !listener_do(&listener, "LISTEN", "news"))
 *         ...not now: listener_rest until it is time to try again...
 *     while ((notification = listener_next(&listener))) ...PQfreemem...
 *     if (!listener_wait(&listener)) ...the connection is lost...
 *
 * A network that drops everything tells nobody. So a server that was silent for db_notify_silence is asked for a sign of life, and the
 * connection is lost when none comes within db_connect_timeout. That is the time for every other answer, too.
 *
 * Ownership:      the owner's; notifications are libpq's, to be freed with PQfreemem.
 * Thread-safety:  one thread; listener_wake and listener_stop from any. Its thread waits for nothing longer than until it is stopped.
 * Errors:         false: it is not connected any more, and a line in the log says why, unless it was stopped.
 */
#ifndef APP_BACK_LISTENER_H
#define APP_BACK_LISTENER_H

#include <leat/result.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "back/retry.h"

struct pg_conn;  /* libpq's PGconn */
struct pgNotify; /* libpq's PGnotify */
struct settings;

struct listener {
	const struct settings *settings;
	int wake_fd;
	atomic_bool is_stopping;
	struct pg_conn *connection; /* NULL: not connected */
	int64_t made_ns;
	int64_t heard_ns; /* when the server last said something */
	struct retry retry;
};

void listener_init(struct listener *listener, const struct settings *settings);

/* Disconnected. */
void listener_fini(struct listener *listener);

/* Ends the wait that its thread is in, or the next one. */
void listener_wake(struct listener *listener);
void listener_stop(struct listener *listener);

bool listener_is_due(const struct listener *listener);
bool listener_connect(struct listener *listener) LEAT_MUST_USE;
void listener_disconnect(struct listener *listener);

/* LISTEN or UNLISTEN; the name is taken as it is. */
bool listener_do(struct listener *listener, const char *verb, const char *name) LEAT_MUST_USE;

/* NULL: no more of them has arrived. */
struct pgNotify *listener_next(struct listener *listener);

/* Until something has arrived, or listener_wake. */
bool listener_wait(struct listener *listener) LEAT_MUST_USE;

/* Not connected: until listener_wake, or the next try is due when there is one to wait for. */
void listener_rest(struct listener *listener, bool has_next_try);

#endif
