/* replica_look.c - looks, now and then, how old the standbys' data are. Asks the primary and each lane of replica.c for their positions in the
 * log, and draws the conclusions: what a lane's data are worth, which connections are to be left, and what there is to tell. */
#include <endian.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <string.h>

#include "back/replica_internal.h"
#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"

enum { LOOKS = 10 }; /* within db_read_lag_most; what they prove is two to four looks old */

#define LOOK_MOST_NS CLOCK_S

#define ASK_PRIMARY "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END"
#define ASK_STANDBY "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END"

/* Life -------------------------------------------------------------------------------------------------------------- */

static void on_look(struct loop_timer *timer);

static void set_timer(struct replica *replica)
{
	int64_t pause_ns = replica_limit_ns(replica) / LOOKS;

	loop_timer_set(replica->set.host.loop, &replica->timer,
		       replica_now_ns(replica) + (pause_ns < LOOK_MOST_NS ? pause_ns : LOOK_MOST_NS));
}

void replica_look_begin(struct replica *replica)
{
	replica->timer.fn = on_look;
	lag_init(&replica->lag, replica_limit_ns(replica));
	set_timer(replica);
}

void replica_look_stop(struct replica *replica)
{
	loop_timer_clear(replica->set.host.loop, &replica->timer);
	metrics_set(METRIC_DB_READ_LAG, 0);
}

static void give_probe(struct replica *replica, struct probe *probe)
{
	if (!probe->query)
		return;
	LEAT_CHECK(probe->query->state == QUERY_DONE);
	query_give(replica->set.host.queries, probe->query);
	probe->query = NULL;
}

void replica_look_free(struct replica *replica)
{
	give_probe(replica, &replica->probe);
	for (unsigned i = 0; i < replica->set.lane_count; i++)
		give_probe(replica, &replica->standbys[i].probe);
}

/* Looking ------------------------------------------------------------------------------------------------------------ */

/* NULL is 0. */
static uint64_t read_lsn(const PGresult *result)
{
	uint64_t lsn;

	if (PQntuples(result) != 1 || PQgetlength(result, 0, 0) != sizeof(lsn))
		return 0;
	memcpy(&lsn, PQgetvalue(result, 0, 0), sizeof(lsn));
	return be64toh(lsn);
}

/* False while there is none, or never will be. One that takes longer than it is worth may stand at the head of its lane: then it is given up
 * like anybody's, or nobody would see that the lane is late. */
static bool take_answer(struct replica *replica, struct probe *probe, uint64_t *ret_lsn)
{
	struct query *query = probe->query;
	bool is_answered = false;

	if (query && query->state == QUERY_DONE) {
		is_answered = query->outcome == LEAT_OK;
		if (is_answered)
			*ret_lsn = read_lsn(query->result);
		give_probe(replica, probe);
	} else if (query && replica_now_ns(replica) - probe->sent_ns > replica_limit_ns(replica)) {
		probe->query = NULL;
		query->state = QUERY_ABANDONED;
		lane_review(query->lane);
	}
	return is_answered;
}

static void look_at_primary(struct replica *replica)
{
	int64_t sent_ns = replica->probe.sent_ns;
	uint64_t lsn;

	if (take_answer(replica, &replica->probe, &lsn) && lsn != 0)
		lag_sampled(&replica->lag, sent_ns, lsn);
}

/* Since when nothing newer was seen of the connection's server. */
static int64_t seen_ns(const struct standby *standby)
{
	int64_t seen_ns = standby->made_ns;

	if (standby->view.is_ahead)
		return seen_ns;
	if (standby->view.as_of_ns > seen_ns)
		seen_ns = standby->view.as_of_ns;
	if (standby->view.told_as_of_ns > seen_ns)
		seen_ns = standby->view.told_as_of_ns;
	return seen_ns;
}

/* It answers, and so does the primary, or it would not be the standby's fault. */
static bool stays_behind(const struct replica *replica, const struct standby *standby)
{
	int64_t most_ns = replica_limit_ns(replica), now = replica_now_ns(replica);

	return now - seen_ns(standby) > most_ns + replica->set.host.settings->db_retry_most * CLOCK_MS &&
	       now - standby->view.told_ns <= most_ns && now - lag_sampled_ns(&replica->lag) <= most_ns;
}

/* One at a time. */
static bool may_be_replaced(const struct replica *replica, const struct standby *standby)
{
	if (replica_now_ns(replica) - standby->made_ns < replica->set.host.settings->db_lent_lifetime * CLOCK_MS)
		return false;
	for (unsigned i = 0; i < replica->set.lane_count; i++)
		if (!replica_is_current(replica, &replica->set.lanes[i]))
			return false;
	return true;
}

static void look_at_standby(struct replica *replica, unsigned index)
{
	struct lane *lane = &replica->set.lanes[index];
	struct standby *standby = &replica->standbys[index];
	uint64_t lsn;

	if (standby->made_ns != lane->made_ns) { /* what was known is of a connection before */
		give_probe(replica, &standby->probe);
		*standby = (struct standby){ .made_ns = lane->made_ns };
	}
	lag_confirm(&replica->lag, &standby->view);
	if (take_answer(replica, &standby->probe, &lsn)) {
		if (lsn == 0)
			standby->unfit = "its server is no standby any more";
		else
			lag_replayed(&replica->lag, &standby->view, lsn, replica_now_ns(replica));
	}
	if (!standby->unfit && stays_behind(replica, standby))
		standby->unfit = standby->view.is_ahead ? "its server follows another primary"
							: "its server stays behind";
	if (!standby->unfit && may_be_replaced(replica, standby))
		standby->unfit = "replaced for its age (db_lent_lifetime)";
	if (standby->unfit && lane->state == LANE_READY && lane->in_flight.count == 0)
		lane_set_leave(&replica->set, lane, standby->unfit);
}

static void ask(struct replica *replica, struct lane *lane, const char *command, struct probe *probe)
{
	struct query *query;

	if (!lane || lane->state != LANE_READY || probe->query)
		return;
	query = query_take(replica->set.host.queries);
	query->work = QUERY_COMMAND;
	query->command = command;
	query->is_last_try = true;
	*probe = (struct probe){ .query = query, .sent_ns = replica_now_ns(replica) };
	lane_send(lane, query);
}

/* Telling ------------------------------------------------------------------------------------------------------------ */

static int64_t oldest_ms(const struct replica *replica)
{
	int64_t oldest_ns = 0;

	for (unsigned i = 0; i < replica->set.lane_count; i++) {
		int64_t age_ns = replica_now_ns(replica) - seen_ns(&replica->standbys[i]);

		if (replica->set.lanes[i].state >= LANE_READY && age_ns > oldest_ns)
			oldest_ns = age_ns;
	}
	return oldest_ns / CLOCK_MS;
}

/* A connection that is new is nothing to talk about. */
static enum reads judge(const struct replica *replica, int64_t age_ms)
{
	enum reads reads = lane_set_is_up(&replica->set) ? replica->reads : READS_AT_PRIMARY;

	for (unsigned i = 0; i < replica->set.lane_count; i++) {
		if (replica_is_current(replica, &replica->set.lanes[i]))
			return replica_is_young(replica, &replica->standbys[i]) ? READS_AT_STANDBY
										: READS_WITHOUT_PRIMARY;
	}
	return age_ms * CLOCK_MS > replica_limit_ns(replica) ? READS_BEHIND : reads;
}

static void tell(struct replica *replica)
{
	int64_t age_ms = oldest_ms(replica);
	enum reads before = replica->reads;

	metrics_set(METRIC_DB_READ_LAG, age_ms);
	replica->reads = judge(replica, age_ms);
	if (replica->reads == before)
		return;
	switch (replica->reads) {
	case READS_AT_STANDBY:
		log_limited(LOG_LEVEL_INFO, "database: reads go to standbys");
		break;
	case READS_WITHOUT_PRIMARY:
		log_limited(LOG_LEVEL_WARN,
			    "database: the primary does not answer; reads go on at standbys that have all that it "
			    "is known to have written");
		break;
	case READS_BEHIND:
		log_limited(LOG_LEVEL_WARN,
			    "database: reads go to the primary: what standbys have may be %" PRId64
			    " ms old (db_read_lag_most = %" PRId64 " ms)",
			    age_ms, replica->set.host.settings->db_read_lag_most);
		break;
	case READS_AT_PRIMARY:
		log_limited(LOG_LEVEL_WARN, "database: reads go to the primary: no standby is connected");
		break;
	}
}

/* What was asked at the last look is read before anything is asked: so a question is never older than an answer that it confirms. */
static void on_look(struct loop_timer *timer)
{
	struct replica *replica = (struct replica *)((char *)timer - offsetof(struct replica, timer));

	look_at_primary(replica);
	for (unsigned i = 0; i < replica->set.lane_count; i++)
		look_at_standby(replica, i);
	tell(replica);
	ask(replica, lane_set_choose(replica->primary), ASK_PRIMARY, &replica->probe);
	for (unsigned i = 0; i < replica->set.lane_count; i++)
		if (!replica->standbys[i].unfit)
			ask(replica, &replica->set.lanes[i], ASK_STANDBY, &replica->standbys[i].probe);
	set_timer(replica);
}
