/* dial.h - makes a connection to PostgreSQL on an offload thread: names, TLS and passwords take their time there, not a worker's.
 *
 * Use:
 *     lane->dial = dial_start(offload, loop, &settings, DIAL_PRIMARY, on_dialled, lane);   -- NULL: offload_queue is full, or others hang
 *     dial_drop(lane->dial);                                                               -- no longer wanted
 *
 *     PGconn *connection = dial(&settings, DIAL_PRIMARY, &is_dropped);   -- on a thread that may block
 *
 * Of several hosts, and of several addresses of a host's name, each has its share of the time: libpq leaves a host that refuses, but gives one that says nothing all there is.
 * Those of database_url are tried in their order; those of database_read_url in any (libpq 15 has no load_balance_hosts), and only standbys
 * are taken.
 *
 * An attempt ends after db_connect_timeout, or soon after it was dropped. Only the resolver can hold its thread for longer; while two
 * attempts that were dropped hang in it, no other to the same set of servers begins.
 *
 * Ownership:      on_dialled gets the connection, which may have failed: PQstatus tells. dial_drop gives up all of it, and on_dialled is
 *                 not called any more. Settings and loop outlive the offload pool.
 * Thread-safety:  dial_start and dial_drop: the thread of the loop. dial: any thread.
 * Errors:         those of the connection.
 */
#ifndef APP_BACK_DIAL_H
#define APP_BACK_DIAL_H

#include <stdatomic.h>
#include <stdbool.h>

struct dial;
struct loop;
struct offload;
struct pg_conn; /* libpq's PGconn */
struct settings;

enum dial_to { DIAL_PRIMARY, DIAL_STANDBY, DIAL_TO_COUNT }; /* database_url's servers, database_read_url's */

typedef void (*dial_fn)(void *arg, struct pg_conn *connection);

/* 'fn' is called from the loop. */
struct dial *dial_start(struct offload *offload, struct loop *loop, const struct settings *settings, enum dial_to to,
			dial_fn fn, void *arg);
void dial_drop(struct dial *dial);

bool dial_has_connected(const struct pg_conn *connection);

#define DIAL_TOO_LATE "no answer within db_connect_timeout"

/* Why not, as one line for the log. */
struct dial_failure {
	char text[512];
};
struct dial_failure dial_failure(const struct pg_conn *connection);

/* For commands of the program, under their name: plain, blocks as libpq does, and never NULL either. */
struct pg_conn *dial_for_command(const struct settings *settings, const char *name);

/* Blocks. Never NULL; whether it is connected is in its status. It is not blocking, and in pipeline mode. */
struct pg_conn *dial(const struct settings *settings, enum dial_to to, const atomic_bool *is_dropped)
	__attribute__((returns_nonnull));

#endif
