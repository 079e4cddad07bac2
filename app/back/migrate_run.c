/* migrate_run.c - see migrate_run.h. Called by migrate.c. */
#include "back/migrate_run.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "back/migrate_split.h"
#include "base/clock.h"

/* One of a file's two parts, on its way. */
struct part {
	const char *name;
	leat_text sql;
	unsigned line; /* of its first byte, in the file */
	bool is_undo;
};

static struct part up_part(const struct migrate_file *file)
{
	return (struct part){ "up", file->sql, 1, false };
}

static struct part down_part(const struct migrate_file *file)
{
	return (struct part){ "down", file->down, file->down_line, true };
}

/* Progress ---------------------------------------------------------------------------------------------------------- */

static int64_t say_start(const struct migrate_file *file, const char *what)
{
	printf("%s: %s%s\n", file->name, what, file->has_transaction ? "" : " without a transaction");
	fflush(stdout);
	return clock_now_ns();
}

static bool say_end(const struct migrate_server *server, const struct migrate_file *file, int64_t started_ns,
		    bool has_worked)
{
	PGTransactionStatusType transaction = PQtransactionStatus(server->connection);

	if (has_worked)
		printf("%s: done in %" PRId64 " ms\n", file->name, (clock_now_ns() - started_ns) / CLOCK_MS);
	else if (transaction == PQTRANS_INERROR || transaction == PQTRANS_INTRANS)
		migrate_complain("%s: its transaction is rolled back", file->name);
	fflush(stdout);
	return has_worked;
}

/* Faults ------------------------------------------------------------------------------------------------------------ */

/* The line of the n-th character, both counted from 1. */
static unsigned line_of(leat_text sql, long character)
{
	unsigned line = 1;

	for (size_t i = 0; i < sql.len && character > 1; i++) {
		character -= (sql.ptr[i] & 0xC0) != 0x80; /* not a UTF-8 character's second or later byte */
		line += sql.ptr[i] == '\n';
	}
	return line;
}

/* 'line' is that of the text's first byte. The server tells where for what it finds before it executes; else the text's
 * own line is told when it is a single statement. */
static void complain_about(struct migrate_server *server, const struct migrate_file *file, leat_text sql, unsigned line,
			   const PGresult *result)
{
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	char where[16] = "";

	if (position)
		line += line_of(sql, strtol(position, NULL, 10)) - 1;
	if (position || !file->has_transaction)
		snprintf(where, sizeof(where), ":%u", line);
	migrate_complain("%s%s: %s", file->path, where, PQerrorMessage(server->connection));
}

/* A whole part in the transaction that is open ----------------------------------------------------------------------- */

static bool run_whole(struct migrate_server *server, const struct migrate_file *file, const struct part *part)
{
	PGresult *result = PQexec(server->connection, part->sql.ptr);
	ExecStatusType state = PQresultStatus(result);
	bool has_failed = state == PGRES_FATAL_ERROR || state == PGRES_BAD_RESPONSE;

	if (has_failed)
		complain_about(server, file, part->sql, part->line, result);
	PQclear(result);
	if (has_failed)
		return false;
	if (PQtransactionStatus(server->connection) == PQTRANS_INTRANS)
		return true;
	migrate_complain("%s ends the transaction it runs in, or copies from the client: it must do neither; look at "
			 "what it has left behind",
			 file->path);
	return false;
}

/* Records ----------------------------------------------------------------------------------------------------------- */

/* 'format' has the table as its %s. */
static bool change(struct migrate_server *server, const char *format, int count, const char *const *values)
{
	char command[512];

	snprintf(command, sizeof(command), format, server->table);
	return migrate_ask(server, command, count, values);
}

static const char *write_version(struct migrate_server *server, const struct migrate_file *file)
{
	return arena_format(server->arena, "%" PRId64, file->version).ptr;
}

static bool record_up(struct migrate_server *server, const struct migrate_file *file, int64_t started_ns)
{
	int64_t took_ms = (clock_now_ns() - started_ns) / CLOCK_MS;
	const char *values[] = { write_version(server, file), file->name, migrate_checksum(server, file->up),
				 arena_format(server->arena, "%" PRId64 " ms", took_ms).ptr };

	return values[2] && migrate_be_oneself(server) &&
	       change(server,
		      "INSERT INTO %s (version, name, checksum, duration) VALUES ($1, $2, $3, $4) "
		      "ON CONFLICT (version) DO UPDATE SET applied_at = now(), duration = excluded.duration, "
		      "unfinished = NULL",
		      4, values);
}

static bool record_down(struct migrate_server *server, const struct migrate_file *file)
{
	const char *values[] = { write_version(server, file) };

	return migrate_be_oneself(server) && change(server, "DELETE FROM %s WHERE version = $1", 1, values);
}

/* In a transaction, so that a role the file has set is set again behind it. */
static bool record_place(struct migrate_server *server, const struct migrate_file *file, const char *place)
{
	const char *values[] = { write_version(server, file), file->name, migrate_checksum(server, file->up), place };

	return values[2] &&
	       migrate_do(server, "BEGIN; SET LOCAL session_authorization = DEFAULT; SET LOCAL role = DEFAULT") &&
	       change(server,
		      "INSERT INTO %s (version, name, checksum, unfinished) VALUES ($1, $2, $3, $4) "
		      "ON CONFLICT (version) DO UPDATE SET unfinished = excluded.unfinished",
		      4, values) &&
	       migrate_do(server, "COMMIT");
}

const char *migrate_advice(struct migrate_server *server, const struct migrate_file *file, const char *unfinished)
{
	bool is_undo = strncmp(unfinished, "down", 4) == 0;
	leat_text where = arena_format(server->arena, "WHERE version = %" PRId64 ";", file->version);
	leat_text keep = arena_format(server->arena, "UPDATE %s SET unfinished = NULL, checksum = '%s' %s",
				      server->table, migrate_checksum(server, file->up), where.ptr);
	leat_text drop = arena_format(server->arena, "DELETE FROM %s %s", server->table, where.ptr);

	return arena_format(server->arena,
			    "it stopped at %s.\n"
			    "What stands before that has run and stays; that one may have left something behind (a "
			    "failed CREATE INDEX CONCURRENTLY leaves an invalid index); what follows has not run.\n"
			    "Either finish it by hand, and then say so:\n"
			    "    %s\n"
			    "or take back by hand what has run, and then:\n"
			    "    %s",
			    unfinished, is_undo ? drop.ptr : keep.ptr, is_undo ? keep.ptr : drop.ptr)
		.ptr;
}

/* Without a transaction --------------------------------------------------------------------------------------------- */

static bool run_statement(struct migrate_server *server, const struct migrate_file *file,
			  const struct migrate_statement *statement)
{
	const char *text = arena_copy(server->arena, statement->text.ptr, statement->text.len);
	PGresult *result = PQexecParams(server->connection, text, 0, NULL, NULL, NULL, NULL, 0);
	ExecStatusType state = PQresultStatus(result);
	bool has_failed = state == PGRES_FATAL_ERROR || state == PGRES_BAD_RESPONSE;

	if (has_failed)
		complain_about(server, file, statement->text, statement->line, result);
	PQclear(result);
	if (has_failed)
		return false;
	if (PQtransactionStatus(server->connection) == PQTRANS_IDLE)
		return true;
	migrate_complain("%s:%u: the statement begins a transaction, or copies from the client: it must do neither",
			 file->path, statement->line);
	return false;
}

static unsigned count_statements(const struct part *part)
{
	struct migrate_split split = { part->sql, part->line };
	struct migrate_statement statement;
	unsigned count = 0;

	while (migrate_split_next(&split, &statement))
		count++;
	return count;
}

static void complain_about_stop(struct migrate_server *server, const struct migrate_file *file, const char *place)
{
	if (PQstatus(server->connection) == CONNECTION_OK)
		migrate_complain("%s is UNFINISHED: %s", file->name, migrate_advice(server, file, place));
	else
		migrate_complain("%s is UNFINISHED: it stopped at %s; status tells what to do", file->name, place);
}

static bool run_statements(struct migrate_server *server, const struct migrate_file *file, const struct part *part)
{
	struct migrate_split split = { part->sql, part->line };
	struct migrate_statement statement;
	unsigned count = count_statements(part);

	for (unsigned number = 1; migrate_split_next(&split, &statement); number++) {
		const char *place = arena_format(server->arena, "%s: statement %u of %u, line %u", part->name, number,
						 count, statement.line)
					    .ptr;

		if (!record_place(server, file, place))
			return false;
		if (!run_statement(server, file, &statement)) {
			complain_about_stop(server, file, place);
			return false;
		}
	}
	return true;
}

/* Both ways --------------------------------------------------------------------------------------------------------- */

static bool run_part(struct migrate_server *server, const struct migrate_file *file, struct part part)
{
	int64_t started_ns = clock_now_ns();
	bool has_run = file->has_transaction ? run_whole(server, file, &part) : run_statements(server, file, &part);

	return has_run && (part.is_undo ? record_down(server, file) : record_up(server, file, started_ns));
}

static bool begin(struct migrate_server *server, const struct migrate_file *file)
{
	return migrate_reset(server) && (!file->has_transaction || migrate_do(server, "BEGIN"));
}

static bool commit(struct migrate_server *server, const struct migrate_file *file)
{
	if (!file->has_transaction || migrate_do(server, "COMMIT"))
		return true;
	if (PQstatus(server->connection) == CONNECTION_OK)
		migrate_complain("%s: it cannot be committed; nothing of it stays", file->path);
	else
		migrate_complain("%s: the connection was lost at its end; status tells whether it was done",
				 file->path);
	return false;
}

bool migrate_apply(struct migrate_server *server, const struct migrate_file *file)
{
	int64_t started_ns = say_start(file, "applying");

	return say_end(server, file, started_ns,
		       begin(server, file) && run_part(server, file, up_part(file)) && commit(server, file));
}

bool migrate_undo(struct migrate_server *server, const struct migrate_file *file)
{
	int64_t started_ns = say_start(file, "undoing");

	return say_end(server, file, started_ns,
		       begin(server, file) && run_part(server, file, down_part(file)) && commit(server, file));
}

bool migrate_redo(struct migrate_server *server, const struct migrate_file *file)
{
	int64_t started_ns = say_start(file, "undoing and applying again");

	return say_end(server, file, started_ns,
		       begin(server, file) && run_part(server, file, down_part(file)) &&
			       run_part(server, file, up_part(file)) && commit(server, file));
}
