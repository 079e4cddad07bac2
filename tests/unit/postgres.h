/* postgres.h - for tests that need a real PostgreSQL.
 *
 * Use:
 *     Suite *suite(void)
 *     {
 *         postgres_need();
 *         ...
 *         int64_t rows = postgres_sql("SELECT count(*) FROM people");
 *
 * LEAT_TEST_DATABASE says where the server is, and LEAT_TEST_POSTGRES_CTL how to stop and start it (pg_ctl's words).
 * Without the former the program runs itself again under the script with-postgres, which makes a server for it alone.
 *
 * Ownership:      nothing to own.
 * Thread-safety:  the main thread.
 * Errors:         a command that fails fails the test.
 */
#ifndef TESTS_UNIT_POSTGRES_H
#define TESTS_UNIT_POSTGRES_H

#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/harness.h"

static inline void postgres_need(void)
{
	const char *srcdir = getenv("srcdir");
	char script[4096];
	char self[4096] = "";

	if (getenv("LEAT_TEST_DATABASE"))
		return;
	snprintf(script, sizeof(script), "%s/tests/unit/with-postgres", srcdir ? srcdir : ".");
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
		execl(script, script, self, (char *)NULL);
	perror(script);
	exit(EXIT_FAILURE);
}

/* The first value, as a number, of what the command answers, on a connection of its own; 0 when there is none. */
static inline int64_t postgres_sql(const char *command)
{
	PGconn *connection = PQconnectdb(getenv("LEAT_TEST_DATABASE"));
	PGresult *result = PQexec(connection, command);
	ExecStatusType status = PQresultStatus(result);
	int64_t value;

	ck_assert_msg(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", command,
		      PQerrorMessage(connection));
	value = PQntuples(result) > 0 ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : 0;
	PQclear(result);
	PQfinish(connection);
	return value;
}

#endif
