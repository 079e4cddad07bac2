/* migrate_server.h - the database as leat migrate sees it: a connection, a lock, the table of what has run.
 *
 * Use:
 *     struct migrate_server server;
 *     if (!migrate_connect(&server, &settings, &arena) || !migrate_lock(&server, settings.migrate_wait))
 *         return false;
 *     result = migrate_ask(&server, "SELECT $1::int", 1, values);
 *     migrate_disconnect(&server);
 *
 * The table is leat_migrations, in the schema where it is found, or else the connection's first one:
 *
 *     version      the file's number
 *     name         the file's name, without .sql
 *     checksum     SHA-256 of the file without its undo, in hexadecimal
 *     applied_at   when it was applied
 *     duration     how long that took
 *     unfinished   NULL; or where a migration without a transaction stopped: "up: statement 2 of 3, line 7"
 *
 * Ownership:      what is asked for lives as long as the arena; the connection until migrate_disconnect.
 * Thread-safety:  one thread at a time per object; it blocks.
 * Errors:         false or NULL, after a line on standard error.
 */
#ifndef APP_BACK_MIGRATE_SERVER_H
#define APP_BACK_MIGRATE_SERVER_H

#include <leat/result.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/settings.h"

struct pg_conn;   /* libpq's PGconn */
struct pg_result; /* libpq's PGresult */

struct migrate_server {
	struct pg_conn *connection;
	struct arena *arena;
	const char *table; /* with its schema, so that a file may change the search path */
	bool has_table;
	bool is_table_whole; /* it has all columns */
};

bool migrate_connect(struct migrate_server *server, const struct settings *settings, struct arena *arena);

/* Also after migrate_connect has failed. What is under way in a transaction has not happened then. */
void migrate_disconnect(struct migrate_server *server);

/* Waits for another leat migrate, for so long at most. Held until the connection ends. */
bool migrate_lock(struct migrate_server *server, int64_t wait_ms);

bool migrate_make_table(struct migrate_server *server);

/* The session as it was at first, whatever files have set. Outside of a transaction. */
bool migrate_reset(struct migrate_server *server);

/* The role of the connection, whatever a file has set. */
bool migrate_be_oneself(struct migrate_server *server);

struct pg_result *migrate_ask(struct migrate_server *server, const char *command, int count, const char *const *values);

/* A command without parameters; several of them, with semicolons, are one transaction. */
bool migrate_do(struct migrate_server *server, const char *commands);

/* SHA-256 in hexadecimal, by the server. */
const char *migrate_checksum(struct migrate_server *server, leat_text bytes);

/* A line on standard error. */
void migrate_complain(const char *format, ...) LEAT_PRINTF(1, 2);

#endif
