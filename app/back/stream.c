/* stream.c - see stream.h. Between rows.c and the lane that it has for itself.
 *
 * libpq's single-row mode, not a cursor: the measurements are in app/README.md. libpq can do it in pipeline mode, too, but there the loop
 * reads from the socket whenever something comes. The statement is sent unnamed: parsing it is nothing beside a result that is worth a
 * stream, PostgreSQL plans it for the values at hand, and no name can be stale.
 *
 * Ending early. Outside of a transaction the rest is cancelled, and the connection goes back to the pool: not before the cancel has come
 * back (cancel.h), so that it cannot hit what the next one runs there. In a transaction a cancelled statement would end all of it: there the
 * rest is read and thrown away. Who may not wait any more, or has forgotten, loses the connection. */
#include "back/stream.h"

#include <leat/db.h>
#include <libpq-fe.h>

#include "back/alone.h"
#include "back/argument.h"
#include "back/cancel.h"
#include "back/db_internal.h"
#include "back/fault.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "task/wait.h"

enum { CANCEL_LOOK_MS = 2 }; /* how often a cancel under way is looked at */

struct stream {
	struct call *call;
	struct db *db;
	const struct leat_statement *statement;
	struct lane *lane;
	struct session *transaction; /* NULL: none */
	struct session own;          /* then: what lends the connection */
	bool is_over;
	bool was_lost;            /* with its connection */
	enum leat_result outcome; /* when it is over: LEAT_NOT_FOUND after the last row */
};

/* The lane ---------------------------------------------------------------------------------------------------------------- */

/* What was sent before is answered; only then a lane can be paused. */
static enum leat_result come_to_rest(const struct call *call, const struct lane *lane)
{
	LEAT_TRY(session_begun(call));
	return lane->in_flight.count == 0 ? LEAT_OK : session_command(call, "", NULL);
}

static enum leat_result take_lane(struct call *call, struct lane *lane)
{
	LEAT_TRY(come_to_rest(call, lane));
	return lane_pause(lane) ? LEAT_OK : LEAT_UNAVAILABLE;
}

/* The request's other statements go on the lanes meanwhile: the session that lends the connection is not theirs. */
static enum leat_result borrow(struct stream *stream)
{
	struct call *call = stream->call;
	enum leat_result result;

	LEAT_TRY(session_open(call, &stream->own, stream->statement->sql));
	stream->lane = stream->own.lane;
	result = take_lane(call, stream->lane);
	if (result == LEAT_OK)
		call->session = NULL;
	else
		session_close(call);
	return result;
}

static enum leat_result acquire(struct stream *stream)
{
	struct call *call = stream->call;

	stream->transaction = call->session;
	if (!stream->transaction) {
		LEAT_TRY(borrow(stream));
	} else {
		LEAT_TRY(db_may_ask(call));
		stream->lane = stream->transaction->lane;
		LEAT_TRY(take_lane(call, stream->lane));
	}
	call->stream = stream;
	metrics_add(METRIC_DB_IN_FLIGHT, 1);
	return LEAT_OK;
}

static enum leat_result leave(struct stream *stream, enum leat_result outcome)
{
	struct call *call = stream->call;

	stream->is_over = true;
	stream->outcome = outcome;
	metrics_add(METRIC_DB_IN_FLIGHT, -1);
	call->stream = NULL;
	if (!stream->transaction) {
		call->session = &stream->own;
		session_close(call);
	}
	return outcome;
}

/* No way back: the connection is closed, and what runs there cancelled. */
static enum leat_result give_up(struct stream *stream, enum leat_result why)
{
	const PGconn *connection = stream->lane->connection;

	if (why == LEAT_TIMED_OUT)
		metrics_add(METRIC_DB_TIMEOUTS, 1);
	stream->was_lost = why == LEAT_UNAVAILABLE;
	lane_give_up(stream->lane, stream->was_lost ? PQerrorMessage(connection) : "a stream was given up");
	if (stream->was_lost)
		log_limited(LOG_LEVEL_WARN, "database: a stream's connection was lost: %s", stream->lane->why);
	return leave(stream, why);
}

static enum leat_result read_result(const struct stream *stream, int64_t deadline_ns, PGresult **ret_result)
{
	return alone_result(stream->lane->connection, deadline_ns, ret_result);
}

/* Until the server waits for the next command. */
static enum leat_result discard(const struct stream *stream, int64_t deadline_ns)
{
	PGresult *result;

	do {
		LEAT_TRY(read_result(stream, deadline_ns, &result));
		PQclear(result);
	} while (result);
	return LEAT_OK;
}

/* The last word was said: the lane goes on. */
static enum leat_result conclude(struct stream *stream, enum leat_result outcome)
{
	enum leat_result result = discard(stream, stream->call->deadline_ns);

	if (result != LEAT_OK)
		return give_up(stream, result);
	if (!lane_resume(stream->lane)) {
		stream->was_lost = true;
		outcome = LEAT_UNAVAILABLE;
	}
	return leave(stream, outcome);
}

/* Rows -------------------------------------------------------------------------------------------------------------------- */

static enum leat_result end_misplaced(struct stream *stream)
{
	if (!lane_may_be_left(stream->lane))
		return conclude(stream, LEAT_UNAVAILABLE);
	lane_give_up(stream->lane, LANE_TAKES_NO_WRITES);
	return leave(stream, LEAT_UNAVAILABLE);
}

static enum leat_result end_faulty(struct stream *stream, const PGresult *result)
{
	enum fault fault = fault_of(result);
	enum leat_result outcome;

	metrics_add(METRIC_DB_ERRORS, 1);
	if (fault == FAULT_CONNECTION)
		return give_up(stream, LEAT_UNAVAILABLE);
	if (fault == FAULT_TRANSIENT && stream->transaction)
		stream->transaction->must_retry = true;
	outcome = fault_report(result, stream->statement->sql);
	if (lane_is_misplaced(stream->lane, fault))
		return end_misplaced(stream);
	return conclude(stream, outcome);
}

static enum leat_result end_unfit(struct stream *stream)
{
	log_limited(LOG_LEVEL_ERROR, "database: no statement for a stream: %s", stream->statement->sql);
	lane_give_up(stream->lane, "given up because of a statement that cannot be streamed");
	return leave(stream, LEAT_INTERNAL);
}

static enum leat_result judge(struct stream *stream, PGresult *result, PGresult **ret_result)
{
	enum leat_result outcome;

	switch (PQresultStatus(result)) {
	case PGRES_SINGLE_TUPLE:
		metrics_add(METRIC_DB_ROWS_STREAMED, 1);
		*ret_result = result;
		return LEAT_OK;
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
	case PGRES_EMPTY_QUERY:
		*ret_result = result;
		return conclude(stream, LEAT_NOT_FOUND);
	case PGRES_FATAL_ERROR:
		outcome = end_faulty(stream, result);
		break;
	default: /* COPY */
		outcome = end_unfit(stream);
	}
	PQclear(result);
	return outcome;
}

/* Its transaction has ended before it. */
static bool is_cut_off(const struct stream *stream)
{
	return !stream->is_over && stream->call->stream != stream;
}

static void note_cut_off(struct stream *stream)
{
	stream->is_over = true;
	stream->outcome = LEAT_INTERNAL;
	metrics_add(METRIC_DB_IN_FLIGHT, -1);
}

enum leat_result stream_next(struct stream *stream, PGresult **ret_result)
{
	PGresult *result;
	enum leat_result waited;

	*ret_result = NULL;
	if (is_cut_off(stream)) {
		note_cut_off(stream);
		log_error("bug: a stream is read after its transaction has ended: %s", stream->statement->sql);
	}
	if (stream->is_over)
		return stream->outcome;
	waited = read_result(stream, stream->call->deadline_ns, &result);
	return waited == LEAT_OK ? judge(stream, result, ret_result) : give_up(stream, waited);
}

/* Beginning --------------------------------------------------------------------------------------------------------------- */

static enum leat_result send(const struct stream *stream, const struct arguments *arguments)
{
	PGconn *connection = stream->lane->connection;

	metrics_add(METRIC_DB_QUERIES, 1);
	if (!PQsendQueryParams(connection, stream->statement->sql, (int)arguments->count, NULL, arguments->values, NULL,
			       NULL, 1) ||
	    !PQsetSingleRowMode(connection))
		return LEAT_UNAVAILABLE;
	return alone_flush(connection, stream->call->deadline_ns);
}

static enum leat_result start(struct stream *stream, const struct arguments *arguments, PGresult **ret_first)
{
	enum leat_result sent;

	stream->was_lost = false;
	LEAT_TRY(acquire(stream));
	stream->is_over = false;
	sent = send(stream, arguments);
	return sent == LEAT_OK ? stream_next(stream, ret_first) : give_up(stream, sent);
}

enum leat_result stream_open(struct call *call, const struct leat_statement *statement,
			     const struct arguments *arguments, struct stream **ret_stream, PGresult **ret_first)
{
	struct stream *stream = arena_zalloc(call->arena, sizeof(*stream));
	enum leat_result result;

	*stream = (struct stream){ .call = call, .db = call->db, .statement = statement, .is_over = true };
	*ret_stream = stream;
	result = start(stream, arguments, ret_first);
	if (stream->was_lost && !stream->transaction && statement->read_only) {
		metrics_add(METRIC_DB_RETRIES, 1);
		result = start(stream, arguments, ret_first);
	}
	return result;
}

/* Ending ------------------------------------------------------------------------------------------------------------------ */

static enum leat_result read_rest(struct stream *stream)
{
	PGresult *result;
	enum leat_result outcome;

	do {
		outcome = stream_next(stream, &result);
		PQclear(result);
	} while (outcome == LEAT_OK);
	return outcome == LEAT_NOT_FOUND ? LEAT_OK : outcome;
}

/* What has come already may be all that there is. (One look: more would go on for as long as the server sends.) */
static bool discard_arrived(const struct stream *stream)
{
	PGconn *connection = stream->lane->connection;

	if (!PQconsumeInput(connection))
		return false;
	while (!PQisBusy(connection)) {
		PGresult *result = PQgetResult(connection);

		if (!result)
			return PQstatus(connection) == CONNECTION_OK;
		PQclear(result);
	}
	return false;
}

static enum leat_result await_cancel(const struct stream *stream, const struct cancel *cancel, int64_t deadline_ns)
{
	while (cancel_state(cancel) == CANCEL_RUNNING)
		LEAT_TRY(wait_sleep(loop_now_ns(stream->db->primary.host.loop) + CANCEL_LOOK_MS * CLOCK_MS,
				    deadline_ns));
	return cancel_state(cancel) == CANCEL_DONE ? LEAT_OK : LEAT_UNAVAILABLE;
}

static enum leat_result cancel_rest(struct stream *stream)
{
	const struct lane_host *host = &stream->db->primary.host;
	int64_t until_ns = loop_now_ns(host->loop) + host->settings->db_cancel_grace * CLOCK_MS;
	struct cancel *cancel = cancel_start(host->cancelling, stream->lane->connection);
	enum leat_result result = cancel ? LEAT_OK : LEAT_UNAVAILABLE;

	if (until_ns > stream->call->deadline_ns)
		until_ns = stream->call->deadline_ns;
	if (cancel)
		result = discard(stream, until_ns);
	if (result == LEAT_OK)
		result = await_cancel(stream, cancel, until_ns);
	cancel_drop(cancel);
	return result;
}

enum leat_result stream_end(struct stream *stream)
{
	if (stream->is_over || is_cut_off(stream))
		return LEAT_OK;
	if (stream->transaction)
		return read_rest(stream);
	if (discard_arrived(stream) || cancel_rest(stream) == LEAT_OK) {
		if (!lane_resume(stream->lane))
			log_debug("database: a stream's connection was lost at its end");
	} else {
		lane_give_up(stream->lane, "the rest of a stream could not be cancelled");
	}
	leave(stream, LEAT_NOT_FOUND);
	return LEAT_OK;
}

void stream_drop(struct stream *stream)
{
	if (is_cut_off(stream)) {
		note_cut_off(stream);
	} else if (!stream->is_over) {
		log_debug("database: a stream was left open: %s", stream->statement->sql);
		lane_give_up(stream->lane, "a stream was left open");
		leave(stream, LEAT_NOT_FOUND);
	}
}

struct lane *stream_abandon(struct stream *stream)
{
	note_cut_off(stream);
	return stream->lane;
}
