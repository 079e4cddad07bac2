/* lane.c - see lane.h. The life of a lane: connecting, losing the connection, closing. Owned by a set of lanes, which decides which
 * lane a query takes and when to connect; or by whoever it is lent to.
 *
 * The states are a table in lane.h; 'lane_enter' is the only writer of lane->state. What a lane sends is in lane_send.c, what
 * comes back in lane_answer.c, what comes late in lane_late.c. */
#include "back/lane_internal.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "back/cancel.h"
#include "back/dial.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

static const char *const state_names[LANE_STATE_COUNT] = {
#define LANE_NAME(state, next) #state,
	LANE_STATES(LANE_NAME)
#undef LANE_NAME
};

static const unsigned next_states[LANE_STATE_COUNT] = {
#define LANE_NEXT(state, next) next,
	LANE_STATES(LANE_NEXT)
#undef LANE_NEXT
};

static void on_events(struct loop_watch *watch, uint32_t events);
static void on_timer(struct loop_timer *timer);

void lane_init(struct lane *lane, struct lane_host *host)
{
	*lane = (struct lane){
		.host = host,
		.watch.fn = on_events,
		.timer.fn = on_timer,
		.turn.fn = lane_on_turn_end,
		.last_name = 1,
		.why = "not connected yet",
	};
}

void lane_init_lent(struct lane *lane, PGconn *connection)
{
	lane_init(lane, NULL);
	lane->is_lent = true;
	lane->connection = connection;
	lane->watch.fd = PQsocket(connection);
}

void lane_enter(struct lane *lane, enum lane_state state)
{
	enum lane_state from = lane->state;

	LEAT_CHECK(next_states[from] >> state & 1);
	lane->state = state;
	log_debug("database: lane %p: %s -> %s", (void *)lane, state_names[from], state_names[state]);
	lane->host->changed(lane->host, lane, from);
}

int64_t lane_now_ns(const struct lane *lane)
{
	return loop_now_ns(lane->host->loop);
}

void lane_set_timer(struct lane *lane, int64_t ms)
{
	loop_timer_set(lane->host->loop, &lane->timer, lane_now_ns(lane) + ms * CLOCK_MS);
}

bool lane_watch_for(struct lane *lane, uint32_t events)
{
	uint32_t before = lane->watched_events;

	if (events == before)
		return true;
	lane->watched_events = events;
	if (events == 0)
		loop_unwatch(lane->host->loop, &lane->watch);
	else if (before == 0)
		return loop_watch(lane->host->loop, &lane->watch, events);
	else
		return loop_watch_change(lane->host->loop, &lane->watch, events);
	return true;
}

/* Losing and closing --------------------------------------------------------------------------------------------- */

bool lane_is_misplaced(const struct lane *lane, enum fault fault)
{
	return fault == FAULT_READ_ONLY && !lane->is_read_only;
}

bool lane_may_be_left(const struct lane *lane)
{
	return lane_now_ns(lane) - lane->made_ns >= lane->host->settings->db_retry_most * CLOCK_MS;
}

static void keep_reason(struct lane *lane, const char *why)
{
	size_t len;

	snprintf(lane->why, sizeof(lane->why), "%s", why);
	len = strlen(lane->why);
	while (len > 0 && (lane->why[len - 1] == '\n' || lane->why[len - 1] == ' '))
		lane->why[--len] = '\0';
	for (char *at = lane->why; *at; at++)
		if (*at == '\n' || *at == '\t')
			*at = ' ';
}

/* All that belongs to the connection; the state is the caller's. */
static void drop_connection(struct lane *lane)
{
	if (lane->connection && PQsocket(lane->connection) < 0)
		lane->watched_events = 0; /* libpq has closed it, and the number may be another's by now */
	lane_watch_for(lane, 0);
	loop_timer_clear(lane->host->loop, &lane->timer);
	cancel_drop(lane->cancel);
	lane->cancel = NULL;
	dial_drop(lane->dial);
	lane->dial = NULL;
	PQfinish(lane->connection);
	lane->connection = NULL;
	lane->last_name = 1;
	lane->gone_count = 0;
	lane->batch = NULL;
	lane->reading = NULL;
	lane->parts_read = 0;
	lane->is_at_sync = false;
	if (lane->names)
		memset(lane->names, 0, lane->names_cap * sizeof(*lane->names));
	if (lane_state_is_connected(lane->state) && !lane->is_lent) /* lend.c counts its own */
		metrics_add(METRIC_DB_CONNECTIONS, -1);
}

/* What was in flight when the connection was lost. A write may have been executed: it is never sent twice. */
static void end_orphan(struct lane *lane, struct query *query)
{
	if (query->state == QUERY_SENT && !query->was_moved && !query->is_last_try && query->statement->is->read_only) {
		query->was_moved = true;
		metrics_add(METRIC_DB_RETRIES, 1);
		lane->host->again(lane->host, query);
	} else {
		query_finish(lane->host->queries, query, LEAT_UNAVAILABLE, NULL);
	}
}

struct query *lane_pop(struct lane *lane)
{
	struct query *query = lane->in_flight.first;

	query_list_remove(&lane->in_flight, query);
	metrics_add(METRIC_DB_IN_FLIGHT, -1);
	return query;
}

void lane_lose(struct lane *lane, const char *why)
{
	struct query_list orphans = lane->in_flight;

	keep_reason(lane, why);
	metrics_add(METRIC_DB_IN_FLIGHT, -(int64_t)orphans.count);
	lane->in_flight = (struct query_list){ 0 };
	drop_connection(lane);
	lane_enter(lane, LANE_DOWN);
	while (orphans.first) {
		struct query *query = orphans.first;

		query_list_remove(&orphans, query);
		end_orphan(lane, query);
	}
}

void lane_lose_by_libpq(struct lane *lane)
{
	lane_lose(lane, PQerrorMessage(lane->connection));
}

void lane_leave(struct lane *lane, const char *why)
{
	lane_lose(lane, why);
}

void lane_close(struct lane *lane)
{
	if (lane->in_flight.first)
		cancel_drop(cancel_start(lane->host->cancelling, lane->connection));
	drop_connection(lane);
	lane->state = LANE_DOWN;
	while (lane->in_flight.first)
		query_finish(lane->host->queries, lane_pop(lane), LEAT_UNAVAILABLE, NULL);
	free(lane->names);
	lane->names = NULL;
	lane->names_cap = 0;
}

/* Connecting ------------------------------------------------------------------------------------------------------ */

static void on_dialled(void *arg, PGconn *connection);

void lane_connect(struct lane *lane)
{
	const struct lane_host *host = lane->host;

	lane_enter(lane, LANE_CONNECTING);
	lane_set_timer(lane,
		       host->settings->db_connect_timeout); /* dialling keeps that, too, unless the resolver hangs */
	lane->dial = dial_start(host->connecting, host->loop, host->settings, host->to, on_dialled, lane);
	if (!lane->dial)
		lane_lose(lane, "offload_queue is full, or earlier attempts hang (in name resolution?)");
}

/* So that a prepared statement's name, once it is in lane->names, is known to the server, and the first requests do not
 * pay for preparing. */
static void prepare(struct lane *lane)
{
	const struct statements *statements = lane->host->statements;
	const char *strings = PQparameterStatus(lane->connection, "standard_conforming_strings");
	bool is_open = true;

	/* Off, a backslash in a statement's text would mean something else. */
	if (strings && strcmp(strings, "on") != 0)
		is_open = lane_put_own(lane, QUERY_COMMAND, NULL, "SET standard_conforming_strings = on");
	for (unsigned i = 0; is_open && !lane->is_lent && !lane->host->is_unnamed && i < statements->count; i++)
		is_open = lane_put_own(lane, QUERY_PREPARE, statements->items[i], NULL);
}

void lane_become_ready(struct lane *lane)
{
	loop_timer_clear(lane->host->loop, &lane->timer);
	lane->made_ns = lane_now_ns(lane);
	lane_enter(lane, LANE_READY);
}

void lane_begin(struct lane *lane)
{
	if (!lane->is_lent) {
		metrics_add(METRIC_DB_CONNECTS, 1);
		metrics_add(METRIC_DB_CONNECTIONS, 1);
	}
	lane_enter(lane, LANE_PREPARING);
	lane_set_timer(lane, lane->host->settings->db_connect_timeout);
	if (!lane_watch_for(lane, EPOLLIN)) {
		lane_lose_by_libpq(lane);
		return;
	}
	prepare(lane);
	if (lane->connection && lane->in_flight.count == 0)
		lane_become_ready(lane);
}

static void on_dialled(void *arg, PGconn *connection)
{
	struct lane *lane = arg;

	lane->dial = NULL;
	lane->connection = connection;
	lane->watch.fd = PQsocket(connection);
	if (dial_has_connected(connection))
		lane_begin(lane);
	else
		lane_lose(lane, dial_failure(connection).text);
}

/* What the loop calls ----------------------------------------------------------------------------------------------- */

static void exchange(struct lane *lane, uint32_t events)
{
	bool is_open = !(events & ~(uint32_t)EPOLLOUT) || PQconsumeInput(lane->connection);

	lane_read_answers(lane);
	if (!lane->connection)
		return;
	if (!is_open || PQstatus(lane->connection) == CONNECTION_BAD)
		lane_lose_by_libpq(lane);
	else if (lane->state == LANE_PREPARING && lane->in_flight.count == 0)
		lane_become_ready(lane);
	else
		lane_review(lane);
	if (lane->connection && (lane->watched_events & EPOLLOUT))
		lane_flush(lane);
}

static void on_events(struct loop_watch *watch, uint32_t events)
{
	struct lane *lane = (struct lane *)((char *)watch - offsetof(struct lane, watch));

	if (lane->state != LANE_DOWN) /* the event may be older than the end of the connection */
		exchange(lane, events);
}

static void on_timer(struct loop_timer *timer)
{
	struct lane *lane = (struct lane *)((char *)timer - offsetof(struct lane, timer));

	switch (lane->state) {
	case LANE_CONNECTING:
	case LANE_PREPARING:
		lane_lose(lane, DIAL_TOO_LATE);
		break;
	case LANE_LATE:
		lane_cancel_late(lane);
		break;
	default:
		lane_review(lane);
	}
}