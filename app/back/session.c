/* session.c - a connection for one request alone, and transactions on it. See db_internal.h and leat/db.h. Between handlers and lend.c.
 *
 * A session's lane is an ordinary lane, in pipeline mode, with one user. While it is open, all statements of the request go there
 * (call->session). When it is closed, the lane is 'returning' until nothing is in flight on it and no transaction is open: then it goes back
 * to the pool. What its request gave up is cancelled on the way; what cannot be made clean is closed.
 *
 * BEGIN travels with the first statements, in one batch (lane_send.c): if it fails, the server skips them. What is sent later waits until it is
 * known to have succeeded; were it to fail unseen, that would run outside a transaction. */
#include <leat/db.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "back/db_internal.h"
#include "back/lend.h"
#include "back/stream.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "task/loop.h"
#include "task/wait.h"

enum {
	TRIES = 4, /* of a transaction that fails for the sake of others */
	PAUSE_LEAST_MS = 5,
	SAVEPOINT_SIZE = 64,
};

/* Sessions ------------------------------------------------------------------------------------------------------------ */

/* Some requests that each hold one of the last connections and wait for a second would wait for each other until their deadlines. */
static enum leat_result refuse_second(const struct call *call, const char *purpose)
{
	log_limited(LOG_LEVEL_ERROR, "bug: %s: a second connection for %s while the request holds one for %s",
		    call->route ? call->route : "a request", purpose,
		    call->session ? call->session->purpose : "a stream of rows");
	return LEAT_INTERNAL;
}

enum leat_result session_open(struct call *call, struct session *session, const char *purpose)
{
	struct db *db;

	LEAT_TRY(db_may_ask(call));
	db = call->db;
	if (call->session || call->stream)
		return refuse_second(call, purpose);
	if (!db->lend)
		return LEAT_UNAVAILABLE;
	*session = (struct session){ .purpose = purpose };
	LEAT_TRY(lend_take(db->lend, &db->primary.host, call->deadline_ns, &session->lane));
	session->lane->is_rolled_back = session->lane->is_read_only = false;
	call->session = session;
	return LEAT_OK;
}

void session_close(struct call *call)
{
	struct lane *lane = call->session->lane;

	if (call->session->begin)
		db_give_up(call->db, call->session->begin);
	call->session = NULL;
	call->stream = NULL;
	if (lane->is_paused)
		lane_give_up(lane, "a stream or a copy was left unfinished");
	lane->next_returning = call->db->returning;
	call->db->returning = lane;
	session_settle(call->db);
}

void session_abandon(struct call *call)
{
	struct lane *lane = call->stream ? stream_abandon(call->stream) : call->session ? call->session->lane : NULL;
	bool is_lost = lane && lane->state == LANE_DOWN;

	if (!lane)
		return;
	LEAT_CHECK(lane->is_lent &&
		   lane->host == &call->db->primary.host); /* what crashed may have overwritten the session */
	call->session = NULL;
	call->stream = NULL;
	if (!is_lost)
		lane_give_up(lane, "the request that held it crashed");
	lane->next_returning = call->db->returning;
	call->db->returning = lane;
	session_settle(call->db);
}

static bool can_send(const struct lane *lane)
{
	return !lane->is_paused && (lane->state == LANE_READY || lane->state == LANE_PREPARING);
}

enum leat_result session_begun(const struct call *call)
{
	struct session *session = call->session;
	struct query *begin = session->begin;
	enum leat_result result;

	if (!begin)
		return session->is_void ? LEAT_UNAVAILABLE : LEAT_OK;
	session->begin = NULL;
	result = db_await(call, begin);
	if (result == LEAT_OK)
		query_give(&call->db->queries, begin);
	else
		session->is_void = true;
	return result;
}

enum leat_result session_send(const struct call *call, struct query *query)
{
	struct session *session = call->session;

	if (session->lane->batch != call) /* BEGIN has left; what follows must not, unless it has succeeded */
		LEAT_TRY(session_begun(call));
	if (session->is_void || !can_send(session->lane))
		return LEAT_UNAVAILABLE;
	if (session->is_transaction) {
		query->batch = call;
		query->is_last_try = true; /* no second chance: neither elsewhere, nor here, where it has failed */
	}
	lane_send(session->lane, query);
	return LEAT_OK;
}

/* False while it must be looked at again. */
static bool settle(struct db *db, struct lane *lane)
{
	if (lane->turn.is_queued) {
		loop_at_turn_end(db->primary.host.loop, &db->turn);
		return false;
	}
	if (lane->state == LANE_DOWN) {
		lend_discard(db->lend, lane);
		return true;
	}
	if (lane->state != LANE_READY || lane->in_flight.count > 0)
		return false;
	if (PQtransactionStatus(lane->connection) == PQTRANS_IDLE) {
		lend_give(db->lend, lane);
		return true;
	}
	if (lane->is_rolled_back) {
		lend_discard(db->lend, lane);
		return true;
	}
	lane->is_rolled_back = true;
	lane_command(lane, "ROLLBACK");
	return false;
}

void session_settle(struct db *db)
{
	struct lane **at = &db->returning;

	while (*at) {
		struct lane *lane = *at;
		struct lane *next = lane->next_returning;

		if (settle(db, lane))
			*at = next;
		else
			at = &lane->next_returning;
	}
}

void session_discard_all(struct db *db)
{
	while (db->returning) {
		struct lane *lane = db->returning;

		db->returning = lane->next_returning;
		lend_discard(db->lend, lane);
	}
}

/* Transactions ---------------------------------------------------------------------------------------------------------- */

static const char *const begins[][2] = {
	[LEAT_ISOLATION_DEFAULT] = { "BEGIN", "BEGIN READ ONLY" },
	[LEAT_READ_COMMITTED] = { "BEGIN ISOLATION LEVEL READ COMMITTED",
				  "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY" },
	[LEAT_REPEATABLE_READ] = { "BEGIN ISOLATION LEVEL REPEATABLE READ",
				   "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" },
	[LEAT_SERIALIZABLE] = { "BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY" },
};

static const struct leat_tx_options no_options = { 0 };

static enum leat_result send_command(const struct call *call, const char *text, struct query **ret_query)
{
	struct query *query;
	enum leat_result result;

	LEAT_TRY(db_may_ask(call));
	query = query_take(&call->db->queries);
	query->work = QUERY_COMMAND;
	query->command = text;
	result = session_send(call, query);
	*ret_query = query;
	if (result != LEAT_OK)
		query_give(&call->db->queries, query);
	return result;
}

enum leat_result session_command(const struct call *call, const char *text, bool *ret_is_done)
{
	struct query *query;

	LEAT_TRY(send_command(call, text, &query));
	LEAT_TRY(db_await(call, query));
	if (ret_is_done)
		*ret_is_done = strcmp(PQcmdStatus(query->result), "ROLLBACK") != 0;
	query_give(&call->db->queries, query);
	return LEAT_OK;
}

/* A COMMIT behind a failed statement rolls back, and the server calls that a success. */
static enum leat_result commit(const struct call *call)
{
	struct session *session = call->session;
	bool must_retry = session->must_retry, is_committed = true;

	session->must_retry = false; /* whether COMMIT was executed may never be known: then it is not run again */
	LEAT_TRY(session_command(call, "COMMIT", &is_committed));
	if (is_committed)
		return LEAT_OK;
	session->must_retry = must_retry;
	log_error("bug: a transaction's function returned LEAT_OK although one of its statements had failed; it is "
		  "rolled back");
	return LEAT_INTERNAL;
}

static enum leat_result run_once(struct leat_request *req, const struct leat_tx_options *options, leat_tx_fn fn,
				 void *arg, bool *ret_must_retry)
{
	struct call *call = call_of(req);
	struct session session;
	struct query *begin;
	enum leat_result result;

	LEAT_TRY(session_open(call, &session, "a transaction"));
	session.is_transaction = true;
	session.lane->is_read_only = options->read_only;
	result = send_command(call, begins[options->isolation][options->read_only], &begin);
	session.begin = result == LEAT_OK ? begin : NULL;
	if (result == LEAT_OK)
		result = fn(req, arg);
	if (result == LEAT_OK)
		result = commit(call);
	session_close(call); /* rolls back what is not committed */
	metrics_add(result == LEAT_OK ? METRIC_DB_TX : METRIC_DB_TX_ROLLED_BACK, 1);
	*ret_must_retry = result != LEAT_OK && session.must_retry;
	return result;
}

/* Twice as long each time, and by chance: those who were in each other's way must not meet again. */
static enum leat_result pause_before(const struct call *call, unsigned try)
{
	int64_t now_ns = loop_now_ns(call->db->primary.host.loop);
	int64_t most_ns = (PAUSE_LEAST_MS << try) * CLOCK_MS;

	return wait_sleep(now_ns + (int64_t)random_below((uint64_t)most_ns), call->deadline_ns);
}

static enum leat_result run_whole(struct leat_request *req, const struct leat_tx_options *options, leat_tx_fn fn,
				  void *arg)
{
	const struct call *call = call_of(req);
	bool must_retry = false;
	enum leat_result result = run_once(req, options, fn, arg, &must_retry);

	for (unsigned try = 1; must_retry && try < TRIES; try++) {
		LEAT_TRY(pause_before(call, try));
		metrics_add(METRIC_DB_TX_RETRIES, 1);
		must_retry = false;
		result = run_once(req, options, fn, arg, &must_retry);
	}
	return result;
}

static const char *write_savepoint(const struct call *call, const char *verb)
{
	char *text = arena_alloc(call->arena, SAVEPOINT_SIZE);

	snprintf(text, SAVEPOINT_SIZE, "%s leat_%u", verb, call->session->depth);
	return text;
}

/* After a failure that the whole transaction has to be run again for, the savepoint is of no use. */
static enum leat_result run_inner(struct leat_request *req, leat_tx_fn fn, void *arg)
{
	struct call *call = call_of(req);
	enum leat_result result;

	call->session->depth++;
	result = session_command(call, write_savepoint(call, "SAVEPOINT"), NULL);
	if (result == LEAT_OK) {
		result = fn(req, arg);
		if (result == LEAT_OK)
			result = session_command(call, write_savepoint(call, "RELEASE SAVEPOINT"), NULL);
		if (result != LEAT_OK && !call->session->must_retry && can_send(call->session->lane) &&
		    session_command(call, write_savepoint(call, "ROLLBACK TO SAVEPOINT"), NULL) != LEAT_OK)
			log_debug("database: no way back to a savepoint; the transaction ends");
	}
	call->session->depth--;
	return result;
}

enum leat_result leat_tx(struct leat_request *req, const struct leat_tx_options *options, leat_tx_fn fn, void *arg)
{
	struct call *call = call_of(req);

	if (call->session)
		return run_inner(req, fn, arg);
	options = options ? options : &no_options;
	call->reads_primary = call->reads_primary || !options->read_only;
	return run_whole(req, options, fn, arg);
}
