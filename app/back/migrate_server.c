/* migrate_server.c - see migrate_server.h. Called by migrate.c and migrate_run.c.
 *
 * The lock, and why it is one. Two starters of a service may run leat migrate at once; one of them has to wait. Two ways:
 *
 *  - A row with a lease: "mine until 17:03". It has to be renewed while a statement runs for an hour, by a second
 *    connection and a thread. When its owner is killed others wait for the lease to end; when the owner only stands still
 *    they do not, and both run. And a statement whose client is gone goes on in the server, without the lease.
 *  - An advisory lock of the session: the server gives it back when the session ends, and not before the session's last
 *    statement has ended. It is what we take.
 *
 * An advisory lock that is waited for inside the server holds a snapshot; CREATE INDEX CONCURRENTLY, run by the lock's
 * owner, waits for all older snapshots to go: a deadlock (golang-migrate #960). So nobody waits inside the server: who does
 * not get the lock tries again every tenth of a second, idle and without a snapshot in between, and gives up after the
 * setting migrate_wait. The owner holds it outside of any transaction.
 *
 * A pooler that hands out the server's connections by transaction (PgBouncer's transaction mode) loses locks of sessions, and gives
 * them to others: it is refused (migrate_pooler.c). */
#include "back/migrate_server.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "back/migrate_pooler.h"
#include "base/clock.h"

#define LOCK_KEY "1818583412" /* "leat" in ASCII */

enum {
	LOCK_PAUSE_MS = 100,
	LOCK_NEWS_MS = 10000, /* how often one who waits is told so */
};

void migrate_complain(const char *format, ...)
{
	char text[4096];
	size_t len;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	len = strlen(text);
	while (len > 0 && text[len - 1] == '\n') /* libpq's messages end in one */
		len--;
	fprintf(stderr, "leat migrate: %.*s\n", (int)len, text);
}

static void release(void *result)
{
	PQclear(result);
}

static PGresult *keep(struct migrate_server *server, PGresult *result)
{
	arena_on_reset(server->arena, release, result);
	if (PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	migrate_complain("%s", PQerrorMessage(server->connection));
	return NULL;
}

PGresult *migrate_ask(struct migrate_server *server, const char *command, int count, const char *const *values)
{
	return keep(server, PQexecParams(server->connection, command, count, NULL, values, NULL, NULL, 0));
}

bool migrate_do(struct migrate_server *server, const char *commands)
{
	return keep(server, PQexec(server->connection, commands));
}

/* Connecting -------------------------------------------------------------------------------------------------------- */

static bool find_table(struct migrate_server *server)
{
	const PGresult *result = migrate_ask(
		server,
		"SELECT coalesce((SELECT quote_ident(nspname)"
		" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
		" WHERE c.oid = to_regclass('leat_migrations')), quote_ident(current_schema())),"
		" to_regclass('leat_migrations') IS NOT NULL,"
		" EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('leat_migrations')"
		" AND attname = 'unfinished')",
		0, NULL);

	if (!result)
		return false;
	if (PQgetisnull(result, 0, 0)) {
		migrate_complain("there is no schema to keep leat_migrations in: look at the search_path");
		return false;
	}
	server->table = arena_format(server->arena, "%s.leat_migrations", PQgetvalue(result, 0, 0)).ptr;
	server->has_table = PQgetvalue(result, 0, 1)[0] == 't';
	server->is_table_whole = PQgetvalue(result, 0, 2)[0] == 't';
	return true;
}

bool migrate_be_oneself(struct migrate_server *server)
{
	return migrate_do(server, "RESET SESSION AUTHORIZATION; RESET ROLE");
}

bool migrate_reset(struct migrate_server *server)
{
	/* Limits meant for requests are none for migrations. */
	const char *commands = "RESET ALL; SET client_min_messages = warning; SET standard_conforming_strings = on; "
			       "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN "
			       "('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')";

	if (!migrate_be_oneself(server) || !migrate_do(server, commands))
		return false;
	/* A statement does not go on for long after leat was killed. From version 14 on, and not on every system. */
	PQclear(PQexec(server->connection, "SET client_connection_check_interval = '1s'"));
	return true;
}

bool migrate_connect(struct migrate_server *server, const struct settings *settings, struct arena *arena)
{
	const char *const names[] = { "fallback_application_name", "dbname", "client_encoding", NULL };
	const char *const values[] = { "leat migrate", settings->database_url, "UTF8", NULL };

	*server = (struct migrate_server){ .connection = PQconnectdbParams(names, values, 1), .arena = arena };
	if (PQstatus(server->connection) != CONNECTION_OK) {
		migrate_complain("%s", PQerrorMessage(server->connection));
		return false;
	}
	return migrate_has_session(server->connection, settings) && find_table(server) && migrate_reset(server);
}

void migrate_disconnect(struct migrate_server *server)
{
	PQfinish(server->connection);
	server->connection = NULL;
}

/* The lock: why it is taken like this is told at the top ------------------------------------------------------------- */

static bool try_lock(struct migrate_server *server, bool *ret_is_mine)
{
	PGresult *result = PQexec(server->connection, "SELECT pg_try_advisory_lock(" LOCK_KEY ")");
	bool is_answered = PQresultStatus(result) == PGRES_TUPLES_OK;

	*ret_is_mine = is_answered && PQgetvalue(result, 0, 0)[0] == 't';
	if (!is_answered)
		migrate_complain("%s", PQerrorMessage(server->connection));
	PQclear(result);
	return is_answered;
}

/* "backend 4711, connected since 17:03:12 from 10.0.0.7"; "unknown" when it has just ended. */
static const char *describe_owner(struct migrate_server *server)
{
	const PGresult *result = migrate_ask(
		server,
		"SELECT format('backend %s, connected since %s%s', a.pid, to_char(a.backend_start, 'HH24:MI:SS'),"
		" coalesce(' from ' || host(a.client_addr), ''))"
		" FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
		" WHERE l.locktype = 'advisory' AND l.granted AND l.objid = " LOCK_KEY
		" AND l.classid = 0 AND a.datname = current_database()",
		0, NULL);

	return result && PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "unknown";
}

bool migrate_lock(struct migrate_server *server, int64_t wait_ms)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * CLOCK_MS };
	int64_t started_ns = clock_now_ns(), news_ns = started_ns;
	bool is_mine;

	for (;;) {
		int64_t now_ns = clock_now_ns();

		if (!try_lock(server, &is_mine) || is_mine)
			return is_mine;
		if (now_ns - started_ns >= wait_ms * CLOCK_MS) {
			migrate_complain("another one is still under way (%s) after the %" PRId64
					 " ms of the setting migrate_wait; nothing was done",
					 describe_owner(server), wait_ms);
			return false;
		}
		if (now_ns >= news_ns) {
			migrate_complain("waiting for another one that is under way (%s), for %" PRId64 " s so far",
					 describe_owner(server), (now_ns - started_ns) / CLOCK_S);
			news_ns = now_ns + LOCK_NEWS_MS * CLOCK_MS;
		}
		nanosleep(&pause, NULL);
	}
}

/* The table --------------------------------------------------------------------------------------------------------- */

/* The last two columns are younger than the rest. */
bool migrate_make_table(struct migrate_server *server)
{
	const char *table = server->table;

	if (server->is_table_whole) /* a role without the right to make it may see that nothing is left to do */
		return true;
	if (!migrate_do(server, arena_format(server->arena,
					     "CREATE TABLE IF NOT EXISTS %s ("
					     " version bigint PRIMARY KEY,"
					     " name text NOT NULL,"
					     " checksum text NOT NULL,"
					     " applied_at timestamptz NOT NULL DEFAULT now());"
					     "ALTER TABLE %s ADD COLUMN IF NOT EXISTS duration interval,"
					     " ADD COLUMN IF NOT EXISTS unfinished text",
					     table, table)
					.ptr))
		return false;
	server->has_table = server->is_table_whole = true;
	return true;
}

const char *migrate_checksum(struct migrate_server *server, leat_text bytes)
{
	const char *values[] = { bytes.ptr };
	int lengths[] = { (int)bytes.len };
	int formats[] = { 1 };
	const PGresult *result = keep(server,
				      PQexecParams(server->connection, "SELECT encode(sha256($1::bytea), 'hex')", 1,
						   NULL, values, lengths, formats, 0));

	return result ? PQgetvalue(result, 0, 0) : NULL;
}
