/* lane_answer.c - see lane.h. The server's answers, in order, each to its own query; and what a failure means.
 *
 * Of each query come the results of its Parse, if it has one, and of its Execute, a NULL behind each; of each batch its Sync,
 * without a NULL. Queries are finished at their Sync: until then the transaction can still fail (deferred constraints do so in the
 * last moment). */
#include "back/lane_internal.h"

#include <inttypes.h>
#include <libpq-fe.h>

#include "back/fault.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

enum { GONE_MANY = 8 }; /* on one connection */

/* Why the rest of a batch was skipped. */
struct failure {
	enum leat_result outcome;
	bool is_transient;
};

/* Behind a pool that changes sessions between transactions (PgBouncer), what one has prepared the next does not know. */
static void note_gone(struct lane *lane, const struct query *query)
{
	struct lane_host *host = lane->host;

	if (query->name <= 1) /* once is nothing: DEALLOCATE or DISCARD ALL */
		return;
	if (++lane->gone_count < GONE_MANY || host->is_unnamed || host->settings->db_prepare != PREPARE_AUTO)
		return;
	host->is_unnamed = true;
	log_warn("database: prepared statements keep disappearing, as behind PgBouncer in transaction mode: from now "
		 "on statements are sent "
		 "unnamed; db_prepare = unnamed does so from the start");
}

/* On the same lane, or on any: alone, so that nothing before it can make the server skip it. */
static void put_again(struct lane *lane, struct query *query)
{
	query_forget(query);
	lane_put(lane, query);
}

/* It was not run, and is sent again: unnamed on the same lane when its prepared form was stale; elsewhere when the server takes no
 * writes. */
static bool has_second_chance(struct lane *lane, struct query *query, enum fault fault)
{
	if (query->state != QUERY_SENT || query->is_last_try)
		return false;
	if ((fault == FAULT_STALE || fault == FAULT_GONE) && !query->was_renamed) {
		query->was_renamed = true;
		put_again(lane, query);
		return true;
	}
	if (query->work == QUERY_EXECUTE && lane->host->refused) {
		lane->host->refused(lane->host, query, fault);
		return true;
	}
	if (fault == FAULT_READ_ONLY && !lane->is_lent && !query->was_moved) {
		query->was_moved = true;
		metrics_add(METRIC_DB_RETRIES, 1);
		lane->host->again(lane->host, query);
		return true;
	}
	return false;
}

static enum leat_result outcome_of(const struct query *query, bool is_misplaced)
{
	if (query->state != QUERY_SENT)
		return LEAT_INTERNAL; /* nobody is there to be told */
	return is_misplaced ? LEAT_UNAVAILABLE : fault_report(query->result, query_text(query));
}

static void note_fault(struct lane *lane, struct query *query, enum fault fault)
{
	bool is_stale = fault == FAULT_STALE || fault == FAULT_GONE;

	metrics_add(METRIC_DB_ERRORS, 1);
	query->is_transient = is_stale || fault == FAULT_TRANSIENT;
	if (is_stale || query->has_parse)
		lane_forget_name(lane, query);
	if (is_stale)
		metrics_add(METRIC_DB_STALE, 1);
	if (fault == FAULT_GONE)
		note_gone(lane, query);
}

static void end_faulty(struct lane *lane, struct query *query, struct failure *failure)
{
	enum fault fault = fault_of(query->result);
	bool is_misplaced = lane_is_misplaced(lane, fault);

	note_fault(lane, query, fault);
	failure->outcome = LEAT_INTERNAL;
	failure->is_transient = query->is_transient;
	if (!has_second_chance(lane, query, fault)) {
		failure->outcome = outcome_of(query, is_misplaced);
		query_finish(lane->host->queries, query, failure->outcome, NULL);
	}
	if (is_misplaced && lane->connection && lane_may_be_left(lane))
		lane_lose(lane, LANE_TAKES_NO_WRITES);
}

/* Not run, because one before it in its batch had failed. */
static void end_skipped(struct lane *lane, struct query *query, const struct failure *failure)
{
	if (query->has_parse)
		lane_forget_parse(lane, query);
	if (query->state == QUERY_SENT && !query->is_last_try) {
		metrics_add(METRIC_DB_SKIPPED, 1);
		put_again(lane, query);
		return;
	}
	query->is_transient = failure->is_transient;
	query_finish(lane->host->queries, query, failure->outcome, NULL);
}

static bool has_failed(const struct query *query)
{
	return query->result && PQresultStatus(query->result) == PGRES_FATAL_ERROR;
}

static void end_query(struct lane *lane, struct query *query, struct failure *failure)
{
	if (query->is_skipped)
		end_skipped(lane, query, failure);
	else if (has_failed(query))
		end_faulty(lane, query, failure);
	else
		query_finish(lane->host->queries, query, LEAT_OK, query->result);
}

static void note_time(struct lane *lane, struct query *query, int64_t took_ns, unsigned among)
{
	if (query->work == QUERY_EXECUTE && !query->is_skipped)
		statement_took(query->statement, took_ns, among, lane->host->settings->db_slow * CLOCK_MS);
}

/* How many share the first Sync. */
static unsigned count_batch(const struct lane *lane)
{
	unsigned count = 1;

	for (const struct query *query = lane->in_flight.first; !query->has_sync; query = query->next)
		count++;
	return count;
}

/* Its Sync was reached: all of it is answered. */
static void end_batch(struct lane *lane)
{
	int64_t took_ns = loop_told_ns(lane->host->loop) - lane_busy_since(lane);
	struct failure failure = { LEAT_INTERNAL, false };
	unsigned count = count_batch(lane);

	lane->answered_ns = lane_now_ns(lane);
	lane->reading = NULL;
	lane->is_at_sync = false;
	if (lane->is_lent && lane->state == LANE_PREPARING)
		lane_become_ready(lane); /* the SET in front is all that there was to prepare */
	for (unsigned i = 0; i < count && lane->connection; i++) {
		struct query *query = lane_pop(lane);

		note_time(lane, query, took_ns, count);
		end_query(lane, query, &failure);
	}
	if (lane->is_lent && lane->in_flight.count == 0)
		lane->host->drained(lane->host, lane);
}

/* A query's last result counts: behind an error come only aborted ones, and the Parse comes before the Execute. */
static void keep_result(struct query *query, PGresult *result)
{
	PQclear(query->result);
	query->result = result;
}

static struct query *reading(const struct lane *lane)
{
	return lane->reading ? lane->reading : lane->in_flight.first;
}

/* The Sync itself failed, and with it the transaction of the whole batch. The error is told to one that is alone; of several, each learns
 * its own when it is sent again. */
static void fail_batch(struct lane *lane, PGresult *result)
{
	struct query *query = lane->in_flight.first;

	keep_result(query, result);
	if (query->has_sync)
		return;
	for (;; query = query->next) {
		query->is_skipped = true;
		if (query->has_sync)
			return;
	}
}

/* False when the lane was lost over it. */
static bool take_error(struct lane *lane, PGresult *result)
{
	if (fault_of(result) == FAULT_CONNECTION) {
		lane_lose(lane, PQresultErrorMessage(result));
		PQclear(result);
		return false;
	}
	if (lane->is_at_sync)
		fail_batch(lane, result);
	else
		keep_result(reading(lane), result);
	return true;
}

/* COPY, for whose data libpq would wait for ever. */
static void refuse_copy(struct lane *lane)
{
	struct query *query = reading(lane);

	log_limited(LOG_LEVEL_ERROR, "database: no statement for a lane: %s", query_text(query));
	query_list_remove(&lane->in_flight, query);
	metrics_add(METRIC_DB_IN_FLIGHT, -1);
	query_finish(lane->host->queries, query, LEAT_INTERNAL, NULL);
	lane_lose(lane, "given up because of a statement that cannot run on a lane");
}

/* False when the lane was lost over it. */
static bool take_result(struct lane *lane, PGresult *result)
{
	struct query *query = reading(lane);

	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		keep_result(query, result);
		return true;
	case PGRES_FATAL_ERROR:
		return take_error(lane, result);
	case PGRES_PIPELINE_ABORTED:
		PQclear(result);
		query->is_skipped = !has_failed(query);
		return true;
	case PGRES_PIPELINE_SYNC:
		PQclear(result);
		end_batch(lane);
		return lane->connection;
	default:
		PQclear(result);
		refuse_copy(lane);
		return false;
	}
}

/* A NULL: the Parse, or the Execute, of the query that is read has no more results. */
static void end_part(struct lane *lane)
{
	struct query *query = reading(lane);
	unsigned parts = query->work == QUERY_EXECUTE && query->has_parse ? 2 : 1;

	if (lane->is_at_sync || ++lane->parts_read < parts)
		return;
	lane->parts_read = 0;
	lane->is_at_sync = query->has_sync;
	lane->reading = query->next;
}

void lane_read_answers(struct lane *lane)
{
	bool was_null = false;

	while (lane->in_flight.first && !PQisBusy(lane->connection)) {
		PGresult *result = PQgetResult(lane->connection);

		if (result && !take_result(lane, result))
			return;
		if (!result && was_null) {
			lane_lose(lane, "the server's answers are out of step");
			return;
		}
		if (!result)
			end_part(lane);
		was_null = !result;
	}
}
