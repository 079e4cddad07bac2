/* migrate_pooler.c - see migrate_pooler.h. Called by migrate_server.c.
 *
 * PostgreSQL tells each connection the process that serves it, and so does pg_backend_pid(). A pooler has keys of its own to tell, for it keeps
 * cancels apart by them: where the two differ there is one. Whether it hands sessions out by transaction is nothing that it says. SHOW
 * pool_mode belongs to PgBouncer alone, and to its own console; so it is tried.
 *
 * Two connections ask in turn which process serves them. With sessions of their own each has always the same answer, and another one
 * than the other. With shared ones an idle pooler gives the second connection the process that has just served the first (PgBouncer, which
 * takes the last one used), or the next in turn (server_round_robin): then the answers change, also with two servers,
 * since the second connection asks twice. A busy one mixes them even more. */
#include "back/migrate_pooler.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>

#include "back/dial.h"
#include "back/migrate_server.h"
#include "base/clock.h"
#include "base/settings.h"

enum { ROUNDS = 10 };

#define DO_INSTEAD "give the address of PostgreSQL itself: leat migrate --set database_url=... (nothing was done)"

/* False: it took too long, or failed. */
static bool wait_for_answer(PGconn *connection, int64_t deadline_ns)
{
	struct pollfd wait = { .fd = PQsocket(connection), .events = POLLIN };

	while (PQisBusy(connection)) {
		int64_t left_ms = (deadline_ns - clock_now_ns()) / CLOCK_MS;

		if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) <= 0 || !PQconsumeInput(connection))
			return false;
	}
	return true;
}

/* The process that serves the connection now; 0: it could not be asked in time. */
static int ask_process(PGconn *connection, const struct settings *settings)
{
	int64_t deadline_ns = clock_now_ns() + settings->db_connect_timeout * CLOCK_MS;
	PGresult *result;
	int process = 0;

	if (!PQsendQuery(connection, "SELECT pg_backend_pid()"))
		return 0;
	while (wait_for_answer(connection, deadline_ns) && (result = PQgetResult(connection))) {
		if (PQntuples(result) == 1)
			process = atoi(PQgetvalue(result, 0, 0));
		PQclear(result);
	}
	return process;
}

enum finding { OWN, SHARED, UNKNOWN };

static enum finding compare(PGconn *one, PGconn *other, const struct settings *settings)
{
	int first = ask_process(one, settings), second = ask_process(other, settings);

	for (unsigned i = 0; i < ROUNDS; i++) {
		int second_now = ask_process(other, settings), first_now = ask_process(one, settings);

		if (first == 0 || second == 0 || first_now == 0 || second_now == 0)
			return UNKNOWN;
		if (first == second || first != first_now || second != second_now)
			return SHARED;
	}
	return OWN;
}

static enum finding find_out(PGconn *connection, const struct settings *settings)
{
	enum finding finding;
	PGconn *other;

	if (ask_process(connection, settings) == PQbackendPID(connection))
		return OWN;
	other = dial_for_command(settings, "leat migrate");
	finding = compare(connection, other, settings);
	PQfinish(other);
	return finding;
}

bool migrate_has_session(PGconn *connection, const struct settings *settings)
{
	switch (find_out(connection, settings)) {
	case OWN:
		return true;
	case SHARED:
		migrate_complain(
			"database_url leads to a pooler that hands sessions out by transaction, as PgBouncer "
			"does in transaction mode: neither a lock nor what a file sets stays there; " DO_INSTEAD);
		return false;
	case UNKNOWN:
		break;
	}
	migrate_complain(
		"which process of PostgreSQL serves the connection cannot be found out within db_connect_timeout (a "
		"pooler that is busy?); " DO_INSTEAD);
	return false;
}
