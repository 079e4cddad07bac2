/* cancel.h - asks the server to stop the statement that a connection runs, off the worker.
 *
 * Use:
 *     struct cancel *cancel = cancel_start(offload, connection);
 *     ...
 *     if (cancel_state(cancel) == CANCEL_DONE) ...what is sent from now on cannot be hit...
 *     cancel_drop(cancel);   -- at any time; one that is under way goes on by itself
 *
 * PQcancel opens a connection of its own, names the backend, and waits until the server closes it. The server signals
 * the backend before it closes, and a backend ignores a cancel that finds it between two commands; so once CANCEL_DONE
 * is seen, only what had been sent before can have been hit.
 *
 * libpq before 17 does so without TLS, also for a connection with it: PostgreSQL takes a cancel before it looks at pg_hba.conf, and
 * PgBouncer with client_tls_sslmode = require takes it, too. The key that it carries, which is good for cancelling and nothing else, can be
 * read on the way.
 *
 * It blocks, and not only for a moment when the network or the server is stuck: hence the offload thread. A worker asks
 * instead of being told, so that neither a loop nor a connection ever has to wait for a cancel in order to end.
 *
 * Ownership:      the caller's until cancel_drop; the connection may be closed meanwhile.
 * Thread-safety:  one thread at a time per object.
 * Errors:         cancel_start is NULL when there is no room on the offload threads.
 */
#ifndef APP_BACK_CANCEL_H
#define APP_BACK_CANCEL_H

struct offload;
struct pg_conn; /* libpq's PGconn */
struct cancel;

enum cancel_state { CANCEL_RUNNING, CANCEL_DONE, CANCEL_FAILED };

/* 'offload' may be NULL: then there is never room. */
struct cancel *cancel_start(struct offload *offload, struct pg_conn *connection);
enum cancel_state cancel_state(const struct cancel *cancel);
void cancel_drop(struct cancel *cancel);

#endif
