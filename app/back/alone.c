/* alone.c - see alone.h. Under copy.c and stream.c. */
#include "back/alone.h"

#include <libpq-fe.h>

#include "task/wait.h"

static enum leat_result wait_and_take_in(PGconn *connection, enum wait_for what, int64_t deadline_ns)
{
	LEAT_TRY(wait_fd(PQsocket(connection), what, deadline_ns));
	return PQconsumeInput(connection) ? LEAT_OK : LEAT_UNAVAILABLE;
}

enum leat_result alone_take_in(PGconn *connection, int64_t deadline_ns)
{
	return wait_and_take_in(connection, WAIT_READ, deadline_ns);
}

enum leat_result alone_flush(PGconn *connection, int64_t deadline_ns)
{
	int left;

	while ((left = PQflush(connection)) > 0)
		LEAT_TRY(wait_and_take_in(connection, WAIT_READ | WAIT_WRITE, deadline_ns));
	return left < 0 ? LEAT_UNAVAILABLE : LEAT_OK;
}

enum leat_result alone_result(PGconn *connection, int64_t deadline_ns, PGresult **ret_result)
{
	while (PQisBusy(connection))
		LEAT_TRY(alone_take_in(connection, deadline_ns));
	*ret_result = PQgetResult(connection);
	return LEAT_OK;
}
