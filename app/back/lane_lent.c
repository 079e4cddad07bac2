/* lane_lent.c - see lane.h. What only a lane does that is lent: it moves from worker to worker, and may leave pipeline mode for a while. */
#include "back/lane_internal.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "back/cancel.h"
#include "base/check.h"

bool lane_adopt(struct lane *lane, struct lane_host *host)
{
	lane->host = host;
	if (lane->state == LANE_DOWN) {
		lane_enter(lane, LANE_CONNECTING);
		lane_begin(lane);
	} else if (!lane_watch_for(lane, EPOLLIN)) {
		lane_lose_by_libpq(lane);
	}
	return lane->connection;
}

void lane_release(struct lane *lane)
{
	LEAT_CHECK(lane->state == LANE_READY && lane->in_flight.count == 0 && !lane->turn.is_queued);
	lane_watch_for(lane, 0);
	loop_timer_clear(lane->host->loop, &lane->timer);
	lane->host = NULL;
}

void lane_drop(struct lane *lane)
{
	LEAT_CHECK(!lane->in_flight.first && lane->watched_events == 0);
	PQfinish(lane->connection);
	free(lane->names);
}

bool lane_pause(struct lane *lane)
{
	LEAT_CHECK(lane->is_lent && !lane->is_paused);
	if (lane->state != LANE_READY || lane->in_flight.count > 0 || !PQexitPipelineMode(lane->connection))
		return false;
	lane_watch_for(lane, 0);
	lane->is_paused = true;
	return true;
}

bool lane_resume(struct lane *lane)
{
	lane->is_paused = false;
	if (PQstatus(lane->connection) != CONNECTION_OK || !PQenterPipelineMode(lane->connection) ||
	    !lane_watch_for(lane, EPOLLIN))
		lane_lose_by_libpq(lane);
	return lane->connection;
}

void lane_give_up(struct lane *lane, const char *why)
{
	lane->is_paused = false;
	cancel_drop(cancel_start(lane->host->cancelling, lane->connection));
	lane_lose(lane, why);
}
