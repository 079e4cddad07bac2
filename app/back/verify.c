/* verify.c - see verify.h. Called by service.c; a connection of its own, and blocking, since nothing else runs. */
#include "back/verify.h"

#include <ctype.h>
#include <inttypes.h>
#include <leat/result.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "back/column.h"
#include "back/dial.h"
#include "base/number.h"
#include "base/settings.h"

enum { START_SIZE = 61 }; /* how much of a statement's text a fault shows */

struct verifier {
	PGconn *connection;
	FILE *out;
	char begin[128];                        /* the command that begins each statement's transaction */
	const struct leat_statement *statement; /* the one that is looked at */
	unsigned faults;
};

/* What is wrong ------------------------------------------------------------------------------------------------------ */

/* The beginning of a statement's text, on one line. */
static void write_start(char ret_start[static START_SIZE], const char *sql)
{
	size_t len = 0;

	for (; *sql && len < START_SIZE - 1; sql++) {
		if (!isspace((unsigned char)*sql))
			ret_start[len++] = *sql;
		else if (len > 0 && ret_start[len - 1] != ' ')
			ret_start[len++] = ' ';
	}
	ret_start[len] = '\0';
	if (*sql)
		memcpy(ret_start + START_SIZE - 4, "...", 4);
}

static void say(const struct verifier *verifier, const char *kind, const char *format, va_list args)
{
	const struct leat_statement *statement = verifier->statement;
	char start[START_SIZE];
	char what[1024];

	vsnprintf(what, sizeof(what), format, args);
	write_start(start, statement->sql);
	fprintf(verifier->out, "%sstatement %s: %s; it begins: %s\n", kind,
		statement->name ? statement->name : "without a name", what, start);
}

static void fault(struct verifier *verifier, const char *format, ...) LEAT_PRINTF(2, 3);
static void fault(struct verifier *verifier, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(verifier, "", format, args);
	va_end(args);
	verifier->faults++;
}

/* What may be wrong, and may be meant so. */
static void warn(const struct verifier *verifier, const char *format, ...) LEAT_PRINTF(2, 3);
static void warn(const struct verifier *verifier, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(verifier, "warning: ", format, args);
	va_end(args);
}

/* Types -------------------------------------------------------------------------------------------------------------- */

enum { TYPE_SIZE = 128, TYPES_SIZE = 512 };

/* The SQL name of a type: "bigint". Its number when the server does not tell. */
static void write_type(struct verifier *verifier, char ret_name[static TYPE_SIZE], unsigned type)
{
	char number[NUMBER_INT_MAX + 1];
	const char *values[] = { number };
	PGresult *result;

	number[number_write_uint(number, type)] = '\0';
	result = PQexecParams(verifier->connection, "SELECT format_type($1::oid, NULL)", 1, NULL, values, NULL, NULL,
			      0);
	snprintf(ret_name, TYPE_SIZE, "%s", PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : number);
	PQclear(result);
}

/* "bigint, integer or smallint". */
static void write_types(struct verifier *verifier, char ret_names[static TYPES_SIZE], enum leat_kind kind)
{
	size_t len = 0;
	unsigned type;

	snprintf(ret_names, TYPES_SIZE, "no type of column");
	for (unsigned i = 0; (type = column_type(kind, i)) != 0 && len < TYPES_SIZE; i++) {
		const char *separator = i == 0 ? "" : column_type(kind, i + 1) ? ", " : " or ";
		char name[TYPE_SIZE];

		write_type(verifier, name, type);
		len += (size_t)snprintf(ret_names + len, TYPES_SIZE - len, "%s%s", separator, name);
	}
}

static bool takes(enum leat_kind kind, unsigned type)
{
	unsigned known;

	for (unsigned i = 0; (known = column_type(kind, i)) != 0; i++)
		if (known == type)
			return true;
	return false;
}

/* Statements --------------------------------------------------------------------------------------------------------- */

static void fault_type(struct verifier *verifier, const struct leat_field *field, unsigned type)
{
	char found[TYPE_SIZE], wanted[TYPES_SIZE];

	write_type(verifier, found, type);
	write_types(verifier, wanted, field->kind);
	fault(verifier, "column %s is of type %s, and its field in %s takes %s", field->name, found,
	      verifier->statement->row->name, wanted);
}

/* The columns of views and expressions tell nothing, and a statement may leave the rows with NULL out: hence a warning only. */
static void check_null(struct verifier *verifier, const struct leat_field *field, unsigned table, int number)
{
	const char *query = "SELECT format('%s.%I', a.attrelid::regclass, a.attname)"
			    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = "
			    "a.atttypid"
			    " WHERE a.attrelid = $1::oid AND a.attnum = $2::int"
			    " AND NOT a.attnotnull AND NOT t.typnotnull AND c.relkind IN ('r', 'p', 'f')";
	char table_text[NUMBER_INT_MAX + 1], number_text[NUMBER_INT_MAX + 1];
	const char *values[] = { table_text, number_text };
	PGresult *result;

	if (field->optional || table == InvalidOid)
		return;
	table_text[number_write_uint(table_text, table)] = '\0';
	number_text[number_write_int(number_text, number)] = '\0';
	result = PQexecParams(verifier->connection, query, 2, NULL, values, NULL, NULL, 0);
	if (PQntuples(result) == 1)
		warn(verifier, "column %s may be NULL, as %s may, and its field in %s is not optional", field->name,
		     PQgetvalue(result, 0, 0), verifier->statement->row->name);
	PQclear(result);
}

static void check_column(struct verifier *verifier, const struct leat_field *field, const PGresult *description,
			 int column)
{
	if (takes(field->kind, PQftype(description, column)))
		check_null(verifier, field, PQftable(description, column), PQftablecol(description, column));
	else
		fault_type(verifier, field, PQftype(description, column));
}

static void check_field(struct verifier *verifier, const struct leat_field *field, const PGresult *description)
{
	const char *shape = verifier->statement->row->name;
	int found = 0, first = 0;
	char wanted[TYPES_SIZE];

	for (int column = PQnfields(description); column-- > 0;) {
		if (strcmp(PQfname(description, column), field->name) != 0)
			continue;
		first = column;
		found++;
	}
	if (found > 1)
		fault(verifier, "there are %d columns %s, and %s has one field of that name", found, field->name,
		      shape);
	if (found > 0) {
		check_column(verifier, field, description, first); /* of several the first counts */
	} else if (!field->optional) {
		write_types(verifier, wanted, field->kind);
		fault(verifier, "there is no column %s; its field in %s is not optional and takes %s", field->name,
		      shape, wanted);
	}
}

static void check_row(struct verifier *verifier, const PGresult *description)
{
	const struct leat_shape *shape = verifier->statement->row;

	if (PQnfields(description) == 0) {
		fault(verifier, "it has no rows, and a shape for them, %s", shape->name);
		return;
	}
	for (unsigned i = 0; i < shape->field_count; i++)
		check_field(verifier, &shape->fields[i], description);
}

/* Without a word from the server the connection is lost, which is no fault of the statement. */
static void fault_of_server(struct verifier *verifier, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);

	if (message)
		fault(verifier, "the server refuses it: %s (%s%s%s)", message, state ? state : "no SQLSTATE",
		      position ? ", character " : "", position ? position : "");
}

/* In a transaction, so that a pooler leaves the server's session to us from the one step to the next. */
static void check_statement(struct verifier *verifier, const struct leat_statement *statement)
{
	PGresult *result;

	verifier->statement = statement;
	PQclear(PQexec(verifier->connection, verifier->begin));
	result = PQprepare(verifier->connection, "", statement->sql, 0, NULL);
	if (PQresultStatus(result) == PGRES_COMMAND_OK) {
		PQclear(result);
		result = PQdescribePrepared(verifier->connection, "");
	}
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fault_of_server(verifier, result);
	else if (statement->row)
		check_row(verifier, result);
	PQclear(result);
	PQclear(PQexec(verifier->connection, "ROLLBACK"));
}

/* The server --------------------------------------------------------------------------------------------------------- */

static bool open_database(struct verifier *verifier, const struct settings *settings)
{
	snprintf(verifier->begin, sizeof(verifier->begin),
		 "BEGIN; SET LOCAL standard_conforming_strings = on; SET LOCAL lock_timeout = %" PRId64,
		 settings->db_connect_timeout);
	verifier->connection = dial_for_command(settings, "leat check");
	return PQstatus(verifier->connection) == CONNECTION_OK;
}

/* "not checked" is no fault of theirs. */
static enum verify_verdict say_not_done(FILE *out, unsigned count, const char *why)
{
	size_t len = strlen(why);

	while (len > 0 && isspace((unsigned char)why[len - 1])) /* libpq's messages end in a line's end */
		len--;
	fprintf(out, "%u statement%s not checked: %.*s\n", count, count == 1 ? " was" : "s were", (int)len, why);
	return VERIFY_NOT_DONE;
}

enum verify_verdict verify_statements(const struct settings *settings, const struct leat_statement *const *statements,
				      unsigned count, FILE *out)
{
	struct verifier verifier = { .out = out };
	enum verify_verdict verdict;

	if (!*settings->database_url)
		return say_not_done(out, count, "database_url is not set");
	if (open_database(&verifier, settings))
		for (unsigned i = 0; i < count && PQstatus(verifier.connection) == CONNECTION_OK; i++)
			check_statement(&verifier, statements[i]);
	if (PQstatus(verifier.connection) != CONNECTION_OK)
		verdict = say_not_done(out, count, PQerrorMessage(verifier.connection));
	else
		verdict = verifier.faults > 0 ? VERIFY_FAULTY : VERIFY_FINE;
	PQfinish(verifier.connection);
	return verdict;
}
