/* lane_late.c - see lane.h. Getting past a statement that nobody waits for any more.
 *
 * Answers come in order, so a statement that was given up at its request's deadline, and that the server still works on, holds up those
 * behind it. The lane is then LANE_LATE: it gets no new work. Past the setting db_cancel_grace the server is asked to
 * cancel. A cancel names a backend, not a statement: it hits whatever runs when it arrives, which may be the next one in line.
 * Therefore:
 *  - When nobody waits for anything in flight, whatever the cancel hits is unwanted. The lane is LANE_CANCELLING until
 *    the cancel has come back and everything in flight is answered; what is sent later cannot be hit (cancel.h).
 *  - When somebody waits behind the late one, the connection is dropped: those that are read only go to another lane,
 *    or wait for the next connection; the others end with LEAT_UNAVAILABLE, for they may still be executed. The cancel
 *    is sent as well, so that the server does not go on for nothing; what it hits has lost its client anyway.
 * A cancel without effect ends in the same way. */
#include "back/lane_internal.h"

#include <inttypes.h>

#include "back/cancel.h"
#include "base/clock.h"
#include "base/log.h"

enum { CANCEL_LOOK_MS = 10 }; /* how often a cancel under way is looked at */

int64_t lane_busy_since(const struct lane *lane)
{
	const struct query *head = lane->in_flight.first;

	if (!head || head->sent_ns == 0)
		return CLOCK_NEVER;
	return head->sent_ns > lane->answered_ns ? head->sent_ns : lane->answered_ns;
}

/* What holds up the first batch is one of its statements, and which cannot be seen: perhaps the one that was given up. NULL: none was. */
static const struct query *given_up(const struct lane *lane)
{
	for (const struct query *query = lane->in_flight.first; query; query = query->has_sync ? NULL : query->next)
		if (query->state == QUERY_ABANDONED)
			return query;
	return NULL;
}

/* Nobody else uses a lane that is lent, and its request has given up. */
static int64_t grace_ms(const struct lane *lane)
{
	return lane->is_lent ? 0 : lane->host->settings->db_cancel_grace;
}

static void wait_for_late(struct lane *lane)
{
	lane->late = lane->in_flight.first;
	lane_set_timer(lane, grace_ms(lane));
}

static void review_late(struct lane *lane, bool is_late)
{
	if (is_late && lane->in_flight.first != lane->late) {
		wait_for_late(lane);
	} else if (!is_late) {
		loop_timer_clear(lane->host->loop, &lane->timer);
		lane_enter(lane, LANE_READY);
	}
}

static void review_cancelling(struct lane *lane)
{
	enum cancel_state state = cancel_state(lane->cancel);

	if (state == CANCEL_FAILED || lane_now_ns(lane) >= lane->late_until_ns) {
		lane_lose(lane, "a statement that was given up could not be cancelled");
	} else if (state == CANCEL_RUNNING || lane->in_flight.count > 0) {
		lane_set_timer(lane, CANCEL_LOOK_MS);
	} else {
		loop_timer_clear(lane->host->loop, &lane->timer);
		cancel_drop(lane->cancel);
		lane->cancel = NULL;
		lane_enter(lane, LANE_READY);
	}
}

void lane_review(struct lane *lane)
{
	bool is_late = given_up(lane);

	if (lane->state == LANE_READY && is_late) {
		wait_for_late(lane);
		lane_enter(lane, LANE_LATE);
	} else if (lane->state == LANE_LATE) {
		review_late(lane, is_late);
	} else if (lane->state == LANE_CANCELLING) {
		review_cancelling(lane);
	}
}

static bool is_wanted(const struct lane *lane)
{
	for (const struct query *query = lane->in_flight.first; query; query = query->next)
		if (query->state == QUERY_SENT)
			return true;
	return false;
}

void lane_cancel_late(struct lane *lane)
{
	struct cancel *cancel = cancel_start(lane->host->cancelling, lane->connection);

	log_limited(lane->is_lent ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		    "database: given up, and still running %" PRId64 " ms later: %s", grace_ms(lane),
		    query_text(given_up(lane)));
	if (cancel && !is_wanted(lane)) {
		lane->cancel = cancel;
		lane->late_until_ns = lane_now_ns(lane) + lane->host->settings->db_cancel_grace * CLOCK_MS;
		lane_set_timer(lane, CANCEL_LOOK_MS);
		lane_enter(lane, LANE_CANCELLING);
	} else {
		cancel_drop(cancel);
		lane_lose(lane, "closed to get past a statement that was given up");
	}
}
