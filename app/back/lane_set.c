/* lane_set.c - see lane_set.h. Between db.c and replica.c, each of which has such a set, and the lanes (lane.c). */
#include "back/lane_set.h"

#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

static void on_turn_end(struct loop_turn *turn);
static void on_retry(struct loop_timer *timer);
static void connect_next(struct lane_set *set);
static void on_lane_changed(struct lane_host *host, struct lane *lane, enum lane_state from);
static void on_query_again(struct lane_host *host, struct query *query);
static void on_lane_drained(struct lane_host *host, struct lane *lane);

/* Life ------------------------------------------------------------------------------------------------------------- */

void lane_set_init(struct lane_set *set, const struct lane_host *host, unsigned lane_count)
{
	const struct settings *settings = host->settings;

	*set = (struct lane_set){
		.host = *host,
		.turn.fn = on_turn_end,
		.retry_timer.fn = on_retry,
		.lane_count = lane_count,
		.lanes = calloc(lane_count, sizeof(struct lane)),
	};
	if (!set->lanes)
		check_out_of_memory(lane_count * sizeof(struct lane), "the database's lanes");
	set->host.changed = on_lane_changed;
	set->host.again = on_query_again;
	set->host.drained = on_lane_drained;
	for (unsigned i = 0; i < lane_count; i++)
		lane_init(&set->lanes[i], &set->host);
	retry_init(&set->retry, settings->db_retry_least * CLOCK_MS, settings->db_retry_most * CLOCK_MS,
		   (uint64_t)clock_wall_ns() ^ (uint64_t)(uintptr_t)set);
	loop_timer_set(host->loop, &set->retry_timer, loop_now_ns(host->loop));
}

static void refuse(struct lane_set *set, struct query *query)
{
	metrics_add(METRIC_DB_UNAVAILABLE, 1);
	query_finish(set->host.queries, query, LEAT_UNAVAILABLE, NULL);
}

void lane_set_stop(struct lane_set *set)
{
	set->is_stopping = true;
	loop_timer_clear(set->host.loop, &set->retry_timer);
	while (set->queue.first) {
		struct query *query = set->queue.first;

		lane_set_withdraw(query);
		refuse(set, query);
	}
}

/* lane.c counts all connections; those to standbys are some of them. */
static void count_standby(const struct lane_set *set, enum lane_state from, enum lane_state state)
{
	int more = lane_state_is_connected(state) - lane_state_is_connected(from);

	if (set->host.to != DIAL_STANDBY || more == 0)
		return;
	metrics_add(METRIC_DB_READ_CONNECTIONS, more);
	if (more > 0)
		metrics_add(METRIC_DB_READ_CONNECTS, 1);
}

void lane_set_close(struct lane_set *set)
{
	for (unsigned i = 0; i < set->lane_count; i++) {
		count_standby(set, set->lanes[i].state, LANE_DOWN);
		lane_close(&set->lanes[i]);
	}
	free(set->lanes);
}

/* Handing queries to lanes ---------------------------------------------------------------------------------------- */

bool lane_set_has(const struct lane_set *set, enum lane_state state)
{
	for (unsigned i = 0; i < set->lane_count; i++)
		if (set->lanes[i].state == state)
			return true;
	return false;
}

bool lane_set_is_up(const struct lane_set *set)
{
	for (unsigned i = 0; i < set->lane_count; i++)
		if (set->lanes[i].state >= LANE_READY)
			return true;
	return false;
}

bool lane_set_is_full(const struct lane_set *set)
{
	return set->queue.count >= set->lane_count * (unsigned)set->host.settings->db_lane_depth;
}

/* See lane_set.h: is it worth to wait when no lane takes work? */
static bool is_hopeful(const struct lane_set *set)
{
	if (lane_set_has(set, LANE_READY) || set->is_stopping)
		return false; /* those that are ready are full */
	return set->retry.failures == 0 || lane_set_has(set, LANE_LATE) || lane_set_has(set, LANE_CANCELLING);
}

/* The statement at its head takes long: nobody should stand behind it. */
static bool is_stalled(const struct lane_set *set, const struct lane *lane)
{
	int64_t since_ns = lane_busy_since(lane);

	return since_ns != CLOCK_NEVER &&
	       loop_now_ns(set->host.loop) - since_ns > set->host.settings->db_slow * CLOCK_MS;
}

/* The least loaded; those that are stalled come last. */
struct lane *lane_set_choose(const struct lane_set *set)
{
	unsigned full = (unsigned)set->host.settings->db_lane_depth, least = UINT_MAX;
	struct lane *best = NULL;

	for (unsigned i = 0; i < set->lane_count; i++) {
		struct lane *lane = &set->lanes[i];
		unsigned load = lane->in_flight.count;

		if (lane->state != LANE_READY || load >= full || (set->is_fit && !set->is_fit(set, lane)))
			continue;
		if (is_stalled(set, lane))
			load += full;
		if (load < least) {
			least = load;
			best = lane;
		}
	}
	return best;
}

static uint64_t count_connects(const struct lane_set *set)
{
	uint64_t to_standbys = metrics_total(METRIC_DB_READ_CONNECTS);

	return set->host.to == DIAL_STANDBY ? to_standbys : metrics_total(METRIC_DB_CONNECTS) - to_standbys;
}

/* After failures: another worker has connected since, so this one need not wait for its own next try. One more attempt for
 * each success elsewhere, and only when a request asks: no stampede. */
static void learn_from_others(struct lane_set *set)
{
	uint64_t connects;

	if (set->retry.failures == 0)
		return;
	connects = count_connects(set);
	if (connects == set->connects_seen)
		return;
	set->connects_seen = connects;
	retry_succeeded(&set->retry, loop_now_ns(set->host.loop));
	connect_next(set);
}

static void on_turn_end(struct loop_turn *turn)
{
	struct lane_set *set = (struct lane_set *)((char *)turn - offsetof(struct lane_set, turn));

	learn_from_others(set);
	while (set->queue.first) {
		struct query *query = set->queue.first;
		struct lane *lane = lane_set_choose(set);

		if (!lane && !set->unserved && is_hopeful(set))
			return;
		lane_set_withdraw(query);
		if (lane && set->host.to == DIAL_STANDBY)
			metrics_add(METRIC_DB_READS, 1);
		if (lane)
			lane_send(lane, query);
		else if (set->unserved)
			set->unserved(set, query);
		else
			refuse(set, query);
	}
}

void lane_set_submit(struct lane_set *set, struct query *query)
{
	query->state = QUERY_QUEUED;
	query->set = set;
	query_list_append(&set->queue, query);
	loop_at_turn_end(set->host.loop, &set->turn);
}

void lane_set_withdraw(struct query *query)
{
	query_list_remove(&query->set->queue, query);
	query->set = NULL;
}

static void on_query_again(struct lane_host *host, struct query *query)
{
	lane_set_submit((struct lane_set *)host, query);
}

/* Connecting -------------------------------------------------------------------------------------------------------- */

/* When the retry machine says so. By the timer even when that is now: connecting is nothing for a task's stack. */
static void connect_next(struct lane_set *set)
{
	int64_t now_ns = loop_now_ns(set->host.loop);

	if (set->is_stopping || lane_set_has(set, LANE_CONNECTING) || lane_set_has(set, LANE_PREPARING) ||
	    !lane_set_has(set, LANE_DOWN))
		return;
	loop_timer_set(set->host.loop, &set->retry_timer,
		       retry_is_due(&set->retry, now_ns) ? now_ns : set->retry.due_ns);
}

static void on_retry(struct loop_timer *timer)
{
	struct lane_set *set = (struct lane_set *)((char *)timer - offsetof(struct lane_set, retry_timer));

	for (unsigned i = 0; i < set->lane_count; i++) {
		if (set->lanes[i].state == LANE_DOWN) {
			lane_connect(&set->lanes[i]);
			return;
		}
	}
}

static void on_lane_down(struct lane_set *set, const struct lane *lane, enum lane_state from)
{
	int64_t now_ns = loop_now_ns(set->host.loop);
	const char *which = set->host.to == DIAL_STANDBY ? " to a standby" : "";

	if (from == LANE_CONNECTING || from == LANE_PREPARING) {
		metrics_add(METRIC_DB_CONNECT_FAILURES, 1);
		retry_failed(&set->retry, now_ns);
		set->connects_seen = count_connects(set);
		log_limited(LOG_LEVEL_WARN, "database: cannot connect%s: %s; next try in %" PRId64 " ms", which,
			    lane->why, (set->retry.due_ns - now_ns) / CLOCK_MS);
	} else {
		retry_lost(&set->retry, lane->made_ns, now_ns);
		if (lane == set->leaving)
			log_limited(LOG_LEVEL_INFO, "database: connection%s left: %s", which, lane->why);
		else
			log_limited(LOG_LEVEL_WARN, "database: connection%s lost: %s", which, lane->why);
	}
}

void lane_set_leave(struct lane_set *set, struct lane *lane, const char *why)
{
	set->leaving = lane;
	lane_leave(lane, why);
	set->leaving = NULL;
}

static void on_lane_changed(struct lane_host *host, struct lane *lane, enum lane_state from)
{
	struct lane_set *set = (struct lane_set *)host;

	if (lane->is_lent) {
		loop_at_turn_end(host->loop, set->lent_turn);
		return;
	}
	loop_at_turn_end(host->loop, &set->turn);
	count_standby(set, from, lane->state);
	if (lane->state == LANE_DOWN)
		on_lane_down(set, lane, from);
	else if (lane->state == LANE_READY && from == LANE_PREPARING)
		retry_succeeded(&set->retry, loop_now_ns(host->loop));
	connect_next(set);
}

static void on_lane_drained(struct lane_host *host, struct lane *lane)
{
	(void)lane;
	loop_at_turn_end(host->loop, ((struct lane_set *)host)->lent_turn);
}
