/* copy.c - COPY as a stream, within a transaction. See leat/db.h. Beside session.c.
 *
 * libpq does not copy in pipeline mode, so the transaction's lane is paused: while data flow, this task alone moves them, by libpq's own calls.
 * Afterwards the lane goes on. Whoever leaves a copy unfinished, or is late, loses the connection, and with it the transaction. */
#include <leat/db.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include "back/alone.h"
#include "back/db_internal.h"
#include "back/fault.h"
#include "base/check.h"
#include "base/log.h"

enum { GATHERED = 65536 }; /* bytes, before they are sent */

struct leat_copy {
	struct call *call;
	struct lane *lane;
	const char *sql;
	char *piece;   /* libpq's, handed out last */
	size_t unsent; /* at most; libpq sends some by itself */
	bool is_over;
};

static PGconn *connection_of(const struct leat_copy *copy)
{
	return copy->lane->connection;
}

/* No way back: the connection is closed. */
static enum leat_result give_up(struct leat_copy *copy, enum leat_result why)
{
	copy->is_over = true;
	lane_give_up(copy->lane, why == LEAT_UNAVAILABLE ? PQerrorMessage(connection_of(copy)) : "a copy was given up");
	return why;
}

static enum leat_result flush(const struct leat_copy *copy)
{
	return alone_flush(connection_of(copy), copy->call->deadline_ns);
}

static enum leat_result next_result(const struct leat_copy *copy, PGresult **ret_result)
{
	return alone_result(connection_of(copy), copy->call->deadline_ns, ret_result);
}

/* Beginning and ending ------------------------------------------------------------------------------------------------- */

/* What the server says at last; then the lane goes on. */
static enum leat_result conclude(struct leat_copy *copy, int64_t *ret_count)
{
	enum leat_result outcome = LEAT_OK;
	PGresult *result = NULL;

	do {
		enum leat_result waited = next_result(copy, &result);

		if (waited != LEAT_OK)
			return give_up(copy, waited);
		if (PQresultStatus(result) == PGRES_COMMAND_OK && ret_count)
			*ret_count = strtoll(PQcmdTuples(result), NULL, 10);
		if (result && PQresultStatus(result) != PGRES_COMMAND_OK)
			outcome = fault_report(result, copy->sql);
		PQclear(result);
	} while (result);
	copy->is_over = true;
	return lane_resume(copy->lane) ? outcome : LEAT_UNAVAILABLE;
}

static enum leat_result refused(struct leat_copy *copy, PGresult *result)
{
	bool is_misplaced = lane_is_misplaced(copy->lane, fault_of(result));
	enum leat_result outcome = fault_report(result, copy->sql);

	PQclear(result);
	if (is_misplaced && lane_may_be_left(copy->lane))
		return give_up(copy, LEAT_UNAVAILABLE);
	return conclude(copy, NULL) == LEAT_UNAVAILABLE || is_misplaced ? LEAT_UNAVAILABLE : outcome;
}

static enum leat_result begin(struct leat_copy *copy, ExecStatusType wanted)
{
	PGresult *result = NULL;
	enum leat_result sent = PQsendQuery(connection_of(copy), copy->sql) ? flush(copy) : LEAT_UNAVAILABLE;
	ExecStatusType status;

	if (sent == LEAT_OK)
		sent = next_result(copy, &result);
	if (sent != LEAT_OK)
		return give_up(copy, sent);
	status = PQresultStatus(result);
	if (status == wanted) {
		PQclear(result);
		return LEAT_OK;
	}
	if (status == PGRES_FATAL_ERROR)
		return refused(copy, result);
	PQclear(result);
	log_error("bug: not a COPY %s: %s", wanted == PGRES_COPY_IN ? "FROM STDIN" : "TO STDOUT", copy->sql);
	return give_up(copy, LEAT_INTERNAL);
}

/* At the end of the request. */
static void release(void *arg)
{
	struct leat_copy *copy = arg;

	PQfreemem(copy->piece);
}

static enum leat_result start(struct leat_request *req, const char *sql, ExecStatusType wanted,
			      struct leat_copy **ret_copy)
{
	struct call *call = call_of(req);
	struct leat_copy *copy;

	if (!call->session) {
		log_error("bug: leat_db_copy_in and leat_db_copy_out belong into a transaction (leat_tx): %s", sql);
		return LEAT_INTERNAL;
	}
	LEAT_TRY(db_may_ask(call));
	LEAT_TRY(session_begun(call));
	if (!lane_pause(call->session->lane))
		return LEAT_UNAVAILABLE;
	copy = arena_zalloc(call->arena, sizeof(*copy));
	*copy = (struct leat_copy){ .call = call, .lane = call->session->lane, .sql = sql };
	arena_on_reset(call->arena, release, copy);
	*ret_copy = copy;
	return begin(copy, wanted);
}

enum leat_result leat_db_copy_in(struct leat_request *req, const char *sql, struct leat_copy **ret_copy)
{
	return start(req, sql, PGRES_COPY_IN, ret_copy);
}

enum leat_result leat_db_copy_out(struct leat_request *req, const char *sql, struct leat_copy **ret_copy)
{
	return start(req, sql, PGRES_COPY_OUT, ret_copy);
}

/* Data -------------------------------------------------------------------------------------------------------------------- */

enum leat_result leat_db_copy_put(struct leat_copy *copy, leat_text bytes)
{
	enum leat_result result;

	LEAT_CHECK(!copy->is_over && bytes.len <= INT32_MAX);
	if (PQputCopyData(connection_of(copy), bytes.ptr, (int)bytes.len) <= 0)
		return give_up(copy, LEAT_UNAVAILABLE);
	copy->unsent += bytes.len;
	if (copy->unsent < GATHERED)
		return LEAT_OK;
	copy->unsent = 0;
	result = flush(copy);
	return result == LEAT_OK ? LEAT_OK : give_up(copy, result);
}

enum leat_result leat_db_copy_end(struct leat_copy *copy, int64_t *ret_count)
{
	enum leat_result result;

	LEAT_CHECK(!copy->is_over);
	result = PQputCopyEnd(connection_of(copy), NULL) > 0 ? flush(copy) : LEAT_UNAVAILABLE;
	return result == LEAT_OK ? conclude(copy, ret_count) : give_up(copy, result);
}

enum leat_result leat_db_copy_get(struct leat_copy *copy, leat_text *ret_bytes)
{
	int size;

	LEAT_CHECK(!copy->is_over);
	PQfreemem(copy->piece);
	copy->piece = NULL;
	while ((size = PQgetCopyData(connection_of(copy), &copy->piece, 1)) == 0) {
		enum leat_result waited = alone_take_in(connection_of(copy), copy->call->deadline_ns);

		if (waited != LEAT_OK)
			return give_up(copy, waited);
	}
	if (size > 0) {
		*ret_bytes = (leat_text){ copy->piece, (size_t)size };
		return LEAT_OK;
	}
	LEAT_TRY(conclude(copy, NULL));
	return LEAT_NOT_FOUND;
}
