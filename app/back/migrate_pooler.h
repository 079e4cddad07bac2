/* migrate_pooler.h - whether a connection has a session of the server to itself, as leat migrate needs it: for its lock, and for what files set.
 *
 * Use:
 *     if (!migrate_has_session(connection, &settings))
 *         return false;
 *
 * Ownership:      nothing is kept; a second connection is made where there is doubt, and closed.
 * Thread-safety:  one thread at a time per object; it blocks, for a few times db_connect_timeout at most.
 * Errors:         false, after a line on standard error that says what to do.
 */
#ifndef APP_BACK_MIGRATE_POOLER_H
#define APP_BACK_MIGRATE_POOLER_H

#include <stdbool.h>

struct pg_conn; /* libpq's PGconn */
struct settings;

bool migrate_has_session(struct pg_conn *connection, const struct settings *settings);

#endif
