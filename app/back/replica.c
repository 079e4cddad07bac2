/* replica.c - see replica.h. Between db.c, which submits reads, and the lanes to the standbys (lane_set.c). */
#include "back/replica_internal.h"

#include <libpq-fe.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"

static bool is_fit(const struct lane_set *set, const struct lane *lane);
static void on_unserved(struct lane_set *set, struct query *query);
static void on_again(struct lane_host *host, struct query *query);
static void on_refused(struct lane_host *host, struct query *query, enum fault fault);

/* Life -------------------------------------------------------------------------------------------------------------- */

struct replica *replica_new(const struct lane_host *host, struct lane_set *primary)
{
	unsigned lane_count = primary->lane_count;
	size_t size = sizeof(struct replica) + lane_count * sizeof(struct standby);
	struct replica *replica;

	if (!host->settings->database_read_url || !*host->settings->database_read_url)
		return NULL;
	replica = calloc(1, size);
	if (!replica)
		check_out_of_memory(size, "the lanes to standbys");
	lane_set_init(&replica->set, host, lane_count);
	replica->set.host.to = DIAL_STANDBY;
	replica->set.host.again = on_again;
	replica->set.host.refused = on_refused;
	replica->set.is_fit = is_fit;
	replica->set.unserved = on_unserved;
	for (unsigned i = 0; i < lane_count; i++)
		replica->set.lanes[i].is_read_only = true;
	replica->primary = primary;
	replica_look_begin(replica);
	return replica;
}

struct lane_set *replica_lanes(struct replica *replica)
{
	return &replica->set;
}

void replica_stop(struct replica *replica)
{
	if (!replica)
		return;
	replica_look_stop(replica);
	lane_set_stop(&replica->set);
}

void replica_free(struct replica *replica)
{
	if (!replica)
		return;
	lane_set_close(&replica->set);
	replica_look_free(replica);
	free(replica);
}

/* Which lanes take reads ------------------------------------------------------------------------------------------- */

bool replica_is_young(const struct replica *replica, const struct standby *standby)
{
	return replica_now_ns(replica) - standby->view.as_of_ns <= replica_limit_ns(replica);
}

bool replica_is_current(const struct replica *replica, const struct lane *lane)
{
	const struct standby *standby = &replica->standbys[lane - replica->set.lanes];

	if (lane->state < LANE_READY || standby->made_ns != lane->made_ns || standby->unfit ||
	    standby->view.as_of_ns == LAG_UNKNOWN)
		return false;
	return replica_is_young(replica, standby) ||
	       (standby->view.has_all && !lane_set_has(replica->primary, LANE_READY));
}

/* Nobody stands behind a statement that is known to take long. */
static bool is_fit(const struct lane_set *set, const struct lane *lane)
{
	const struct query *head = lane->in_flight.first;

	return replica_is_current((const struct replica *)set, lane) &&
	       !(head && head->statement && head->statement->is_slow);
}

bool replica_has_room_apart(struct replica *replica)
{
	const struct lane_set *set = &replica->set;
	unsigned fit = 0, idle = 0;

	for (unsigned i = 0; i < set->lane_count; i++) {
		const struct lane *lane = &set->lanes[i];

		if (lane->state != LANE_READY || !is_fit(set, lane))
			continue;
		fit++;
		idle += lane->in_flight.count == 0;
	}
	return fit > 1 && idle > 0 && set->queue.count == 0;
}

/* To the primary ----------------------------------------------------------------------------------------------------- */

static void pass_on(struct replica *replica, struct query *query, enum metric why)
{
	metrics_add(why, 1);
	lane_set_submit(replica->primary, query);
}

/* As if it had never been sent: only a standby saw it. */
static void pass_on_again(struct replica *replica, struct query *query, enum metric why)
{
	query_forget(query);
	query->was_moved = query->is_transient = false;
	pass_on(replica, query, why);
}

static enum metric why_unserved(const struct replica *replica)
{
	enum metric why = METRIC_DB_READ_DOWN;

	for (unsigned i = 0; i < replica->set.lane_count; i++) {
		const struct lane *lane = &replica->set.lanes[i];

		if (replica_is_current(replica, lane))
			return METRIC_DB_READ_BUSY;
		if (lane->state >= LANE_READY)
			why = METRIC_DB_READ_LATE;
	}
	return why;
}

static void on_unserved(struct lane_set *set, struct query *query)
{
	struct replica *replica = (struct replica *)set;

	pass_on(replica, query, why_unserved(replica));
}

static void on_again(struct lane_host *host, struct query *query)
{
	pass_on_again((struct replica *)host, query, METRIC_DB_READ_DOWN);
}

static void on_refused(struct lane_host *host, struct query *query, enum fault fault)
{
	struct statement *statement = query->statement;

	log_debug("database: a standby says '%s', and the primary is asked: %s",
		  PQresultErrorField(query->result, PG_DIAG_MESSAGE_PRIMARY), statement->sql);
	if (fault == FAULT_READ_ONLY && !statement->is_for_primary) {
		statement->is_for_primary = true;
		log_warn("database: this statement says read_only, and writes; it goes to the primary from now on: %s",
			 statement->sql);
	}
	pass_on_again((struct replica *)host, query, METRIC_DB_READ_REFUSED);
}
