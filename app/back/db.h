/* db.h - a worker's database: its lanes, and the statements on their way. The public half is leat/db.h.
 *
 * Use:
 *     struct db *db = db_new(loop, &settings, connecting, cancelling, lend, notify);   -- connects by itself, again and again
 *     call->db = db;                                      -- now handlers can ask
 *     ...
 *     db_stop(db);                                        -- no request will ask any more
 *     db_free(db);                                        -- after the last turn of the loop
 *
 * Single statements go to one of two sets of lanes (lane_set.h): to the primary's, or, when they may be read elsewhere, to those that lead to
 * standbys (replica.h). Transactions and slow statements have connections of their own (lend.h).
 *
 * Ownership:      the worker's. Loop, settings and offload pool outlive it.
 * Thread-safety:  only the worker whose loop it is on.
 * Errors:         db_new is NULL when database_url is empty.
 */
#ifndef APP_BACK_DB_H
#define APP_BACK_DB_H

#include <stdbool.h>

struct call;
struct db;
struct lend;
struct loop;
struct notify;
struct offload;
struct settings;

/* Whether libpq understands a database_url. Its own words about one that it does not would show the password. */
bool db_can_read_url(const char *url);

/* The two offload pools may be one. With 'lend' NULL there are no transactions, and slow statements stay on the lanes; with 'notify' NULL nobody listens. */
struct db *db_new(struct loop *loop, const struct settings *settings, struct offload *connecting,
		  struct offload *cancelling, struct lend *lend, struct notify *notify);

/* No task may be waiting, and the loop must not turn any more. */
void db_free(struct db *db);

/* At least one lane to the primary is connected and prepared. */
bool db_is_up(const struct db *db);

/* Connections that were lent are on their way back. */
bool db_is_returning(const struct db *db);

/* Refuses statements from now on, and does not connect again; what is in flight is still answered. */
void db_stop(struct db *db);

/* The request's handler crashed: its task will not go on, and its memory stays. The connection that it holds alone is closed, and what runs there
 * cancelled, so that no lock of a transaction outlives the crash; answers on shared lanes are kept by their queries, and wake nobody. */
void db_abandon(struct call *call);

#endif
