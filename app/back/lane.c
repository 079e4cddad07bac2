/* lane.c - see lane.h. Owned by db.c, which decides which lane a query takes and when to connect.
 *
 * The life of a lane is in the table of states in lane.h; 'enter' is the only writer of lane->state.
 *
 * Sending. A statement goes out as Bind, Describe, Execute, Sync; on its first use on a connection with its Parse in
 * front, before the same Sync, so that a fault in its text comes back to the query itself. (A statement once parsed
 * stays prepared even when the Execute behind it fails: prepared statements are not transactional.) When it is
 * prepared again on a lane it gets a new name, so a form that is stale needs no closing before it is replaced. Names come from the
 * text: where sessions are shared behind our back (PgBouncer), one name still never runs another statement.
 *
 * One send a turn. PQsendPipelineSync (libpq 17) queues the Sync, and PQflush at the end of the turn sends all. Older
 * libpq has only PQpipelineSync, which flushes: one send(2) a statement. The figures, and what else was considered, are
 * at put_sync.
 *
 * Late lanes. Answers come in order, so a statement that nobody waits for any more (given up at its request's deadline)
 * and that the server still works on holds up those behind it. The lane is then LANE_LATE: it gets no new work. Past
 * the setting db_cancel_grace the server is asked to cancel. A cancel names a backend, not a statement: it hits
 * whatever runs when it arrives, which may be the next one in line. Therefore:
 *  - When nobody waits for anything in flight, whatever the cancel hits is unwanted. The lane is LANE_CANCELLING until
 *    the cancel has come back and everything in flight is answered; what is sent later cannot be hit (cancel.h).
 *  - When somebody waits behind the late one, the connection is dropped: those that are read only go to another lane,
 *    or wait for the next connection; the others end with LEAT_UNAVAILABLE, for they may still be executed. The cancel
 *    is sent as well, so that the server does not go on for nothing; what it hits has lost its client anyway.
 * A cancel without effect ends in the same way. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "back/lane.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "back/cancel.h"
#include "back/dial.h"
#include "back/fault.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/number.h"

#define NAME_STALE UINT_MAX /* it was prepared under another name */
#define TOO_LATE   "no answer within db_connect_timeout"

enum {
	NAME_SIZE = STATEMENT_NAME_SIZE + 1 + NUMBER_INT_MAX,
	NAMES_STEP = 32,
	GONE_MANY = 8,       /* on one connection */
	CANCEL_LOOK_MS = 10, /* how often a cancel under way is looked at */
};

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
static void on_turn_end(struct loop_turn *turn);

void lane_init(struct lane *lane, struct lane_host *host)
{
	*lane = (struct lane){
		.host = host,
		.watch.fn = on_events,
		.timer.fn = on_timer,
		.turn.fn = on_turn_end,
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

static void enter(struct lane *lane, enum lane_state state)
{
	enum lane_state from = lane->state;

	LEAT_CHECK(next_states[from] >> state & 1);
	lane->state = state;
	log_debug("database: lane %p: %s -> %s", (void *)lane, state_names[from], state_names[state]);
	lane->host->changed(lane->host, lane, from);
}

static int64_t now_ns(const struct lane *lane)
{
	return loop_now_ns(lane->host->loop);
}

static void set_timer(struct lane *lane, int64_t ms)
{
	loop_timer_set(lane->host->loop, &lane->timer, now_ns(lane) + ms * CLOCK_MS);
}

/* Watches for 'events'; 0: not at all. False when the system refuses. */
static bool watch_for(struct lane *lane, uint32_t events)
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

static bool is_connected(const struct lane *lane)
{
	return lane->state != LANE_DOWN && lane->state != LANE_CONNECTING;
}

/* All that belongs to the connection; the state is the caller's. */
static void drop_connection(struct lane *lane)
{
	if (lane->connection && PQsocket(lane->connection) < 0)
		lane->watched_events = 0; /* libpq has closed it, and the number may be another's by now */
	watch_for(lane, 0);
	loop_timer_clear(lane->host->loop, &lane->timer);
	cancel_drop(lane->cancel);
	lane->cancel = NULL;
	dial_drop(lane->dial);
	lane->dial = NULL;
	PQfinish(lane->connection);
	lane->connection = NULL;
	lane->last_name = 1;
	lane->gone_count = 0;
	if (lane->names)
		memset(lane->names, 0, lane->names_cap * sizeof(*lane->names));
	if (is_connected(lane) && !lane->is_lent) /* lend.c counts its own */
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

static struct query *pop(struct lane *lane)
{
	struct query *query = lane->in_flight.first;

	query_list_remove(&lane->in_flight, query);
	metrics_add(METRIC_DB_IN_FLIGHT, -1);
	return query;
}

static void lose(struct lane *lane, const char *why)
{
	struct query_list orphans = lane->in_flight;

	keep_reason(lane, why);
	metrics_add(METRIC_DB_IN_FLIGHT, -(int64_t)orphans.count);
	lane->in_flight = (struct query_list){ 0 };
	drop_connection(lane);
	enter(lane, LANE_DOWN);
	while (orphans.first) {
		struct query *query = orphans.first;

		query_list_remove(&orphans, query);
		end_orphan(lane, query);
	}
}

static void lose_by_libpq(struct lane *lane)
{
	lose(lane, PQerrorMessage(lane->connection));
}

void lane_close(struct lane *lane)
{
	if (lane->in_flight.first)
		cancel_drop(cancel_start(lane->host->cancelling, lane->connection));
	drop_connection(lane);
	lane->state = LANE_DOWN;
	while (lane->in_flight.first)
		query_finish(lane->host->queries, pop(lane), LEAT_UNAVAILABLE, NULL);
	free(lane->names);
	lane->names = NULL;
	lane->names_cap = 0;
}

/* Sending ---------------------------------------------------------------------------------------------------------- */

/* Where the lane keeps the number of a statement's name. */
static unsigned *name_of(struct lane *lane, const struct statement *statement)
{
	if (statement->index >= lane->names_cap) {
		unsigned cap = (statement->index + NAMES_STEP) / NAMES_STEP * NAMES_STEP;

		lane->names = realloc(lane->names, cap * sizeof(*lane->names));
		if (!lane->names)
			check_out_of_memory(cap * sizeof(*lane->names), "the names of statements");
		memset(lane->names + lane->names_cap, 0, (cap - lane->names_cap) * sizeof(*lane->names));
		lane->names_cap = cap;
	}
	return &lane->names[statement->index];
}

/* The first time on a connection under the statement's own name; when that has become stale, under a new one. */
static const char *write_name(char text[static NAME_SIZE], const struct statement *statement, unsigned name)
{
	size_t len = strlen(statement->name);

	memcpy(text, statement->name, len + 1);
	if (name > 1) {
		text[len++] = '_';
		text[len + number_write_uint(text + len, name)] = '\0';
	}
	return text;
}

static bool put_prepare(struct lane *lane, struct query *query, unsigned *name)
{
	char text[NAME_SIZE];

	*name = *name == NAME_STALE ? ++lane->last_name : 1;
	query->name = *name;
	query->has_parse = true;
	return PQsendPrepare(lane->connection, write_name(text, query->statement, *name), query->statement->sql, 0,
			     NULL);
}

static bool put_execute(struct lane *lane, struct query *query)
{
	unsigned *name = name_of(lane, query->statement);
	char text[NAME_SIZE];

	query->has_parse = false;
	if (lane->host->is_unnamed || query->was_renamed) /* the second time unnamed: no name can be in the way */
		return PQsendQueryParams(lane->connection, query->statement->sql, (int)query->value_count, NULL,
					 query->values, NULL, NULL, 1);
	if ((*name == 0 || *name == NAME_STALE) && !put_prepare(lane, query, name))
		return false;
	query->name = *name;
	return PQsendQueryPrepared(lane->connection, write_name(text, query->statement, *name), (int)query->value_count,
				   query->values, NULL, NULL, 1);
}

static bool put_work(struct lane *lane, struct query *query)
{
	switch (query->work) {
	case QUERY_EXECUTE:
		return put_execute(lane, query);
	case QUERY_PREPARE:
		return put_prepare(lane, query, name_of(lane, query->statement));
	case QUERY_COMMAND:
		return PQsendQueryParams(lane->connection, query->command, 0, NULL, NULL, NULL, NULL, 1);
	}
	return false;
}

/* A Sync for each statement. Measured: 64 tasks that read rows by primary key, a Unix socket, 2 processors for all.
 *
 *                                                    queries/s  our CPU  queries a turn
 *     1 lane,  PQpipelineSync: a send a query          131,000   4.6 us   1.8
 *     1 lane,  PQsendPipelineSync: a send a turn       134,000   4.25 us  1.8
 *     2 lanes, PQpipelineSync                          147,000   3.5 us   15
 *     2 lanes, PQsendPipelineSync                      170,000   2.8 us   8
 *
 * (The latter made for the measurement, in libpq 15's own structures.) Receiving takes one call a turn either way. What
 * else could save sends before libpq 17, and why it is not here:
 *  - Reads that share a Sync, with PQsendFlushRequest behind each: they would share a transaction, so what was answered
 *    could still be undone by a neighbour's failure, if it is not quite as read only as it says.
 *  - A socket that is full in the place of libpq's, by dup2(2), while a turn's statements are queued: then each Sync
 *    makes calls that fail instead of one that succeeds, and TLS sees them. Not measured.
 *  - Writing the Sync into libpq's buffer by its internal header: the structures change with every libpq. */
static bool put_sync(struct lane *lane)
{
#ifdef HAVE_PQSENDPIPELINESYNC
	return PQsendPipelineSync(lane->connection);
#else
	return PQpipelineSync(lane->connection);
#endif
}

static void put(struct lane *lane, struct query *query)
{
	query_list_append(&lane->in_flight, query);
	metrics_add(METRIC_DB_IN_FLIGHT, 1);
	if (put_work(lane, query) && put_sync(lane))
		loop_at_turn_end(lane->host->loop, &lane->turn);
	else
		lose_by_libpq(lane);
}

void lane_send(struct lane *lane, struct query *query)
{
	LEAT_CHECK(lane->state == LANE_READY || (lane->is_lent && lane->state == LANE_PREPARING));
	query->state = QUERY_SENT;
	query->lane = lane;
	query->sent_ns =
		clock_now_ns(); /* the loop's time is that of the turn's beginning: the task may have computed since */
	metrics_add(METRIC_DB_QUERIES, 1);
	put(lane, query);
}

/* The lane's own: nobody waits. False when the connection was lost over it. */
static bool put_own(struct lane *lane, enum query_work work, struct statement *statement, const char *command)
{
	struct query *query = query_take(lane->host->queries);

	query->state = QUERY_ABANDONED;
	query->work = work;
	query->statement = statement;
	query->command = command;
	put(lane, query);
	return lane->connection;
}

void lane_command(struct lane *lane, const char *command)
{
	LEAT_CHECK(lane->state == LANE_READY);
	put_own(lane, QUERY_COMMAND, NULL, command);
}

/* What the socket does not take now goes when it is writable. */
static void flush(struct lane *lane)
{
	int left = PQflush(lane->connection);

	if (left < 0 || !watch_for(lane, left ? EPOLLIN | EPOLLOUT : EPOLLIN))
		lose_by_libpq(lane);
}

static void on_turn_end(struct loop_turn *turn)
{
	struct lane *lane = (struct lane *)((char *)turn - offsetof(struct lane, turn));

	if (is_connected(lane))
		flush(lane);
}

/* Answers --------------------------------------------------------------------------------------------------------- */

static void become_ready(struct lane *lane)
{
	loop_timer_clear(lane->host->loop, &lane->timer);
	lane->made_ns = now_ns(lane);
	enter(lane, LANE_READY);
}

/* The server does not know the name any more: the next use prepares the statement again. Later queries may have done so
 * already, under another name. */
static void forget_name(struct lane *lane, const struct query *query)
{
	unsigned *name = query->work == QUERY_COMMAND ? NULL : name_of(lane, query->statement);

	if (name && *name == query->name)
		*name = NAME_STALE;
}

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

/* It is a standby, or a primary set aside; a new connection may find its successor. One that was made just now is no better. */
static void leave_read_only(struct lane *lane)
{
	if (now_ns(lane) - lane->made_ns >= lane->host->settings->db_retry_most * CLOCK_MS)
		lose(lane, "the server takes no writes any more");
}

static void end_faulty(struct lane *lane, struct query *query)
{
	enum fault fault = fault_of(query->result);
	bool is_stale = fault == FAULT_STALE || fault == FAULT_GONE;
	bool is_misplaced = fault == FAULT_READ_ONLY && !lane->is_read_only;
	enum leat_result outcome;

	metrics_add(METRIC_DB_ERRORS, 1);
	query->is_transient = is_stale || fault == FAULT_TRANSIENT;
	if (is_stale || query->has_parse)
		forget_name(lane, query);
	if (is_stale)
		metrics_add(METRIC_DB_STALE, 1);
	if (fault == FAULT_GONE)
		note_gone(lane, query);
	if (query->state == QUERY_SENT && is_stale && !query->was_renamed && !query->is_last_try) {
		query->was_renamed = true;
		PQclear(query->result);
		query->result = NULL;
		put(lane, query);
		return;
	}
	outcome = query->state == QUERY_SENT ? fault_report(query->result, query_text(query)) : LEAT_INTERNAL;
	query_finish(lane->host->queries, query, is_misplaced ? LEAT_UNAVAILABLE : outcome, NULL);
	if (is_misplaced)
		leave_read_only(lane);
}

/* The head's Sync was reached: it is answered. */
static void end_head(struct lane *lane)
{
	int64_t took_ns = loop_told_ns(lane->host->loop) - lane_busy_since(lane);
	struct query *query = pop(lane);

	lane->answered_ns = now_ns(lane);
	if (lane->is_lent && lane->state == LANE_PREPARING)
		become_ready(lane); /* the SET in front is all that there was to prepare */
	if (query->work == QUERY_EXECUTE)
		statement_took(query->statement, took_ns, lane->host->settings->db_slow * CLOCK_MS);
	if (PQresultStatus(query->result) == PGRES_FATAL_ERROR)
		end_faulty(lane, query);
	else
		query_finish(lane->host->queries, query, LEAT_OK, query->result);
	if (lane->is_lent && lane->in_flight.count == 0)
		lane->host->drained(lane->host, lane);
}

/* The head's last result counts: behind an error come only aborted ones, and the Parse comes before the Execute. */
static void keep_result(struct query *query, PGresult *result)
{
	PQclear(query->result);
	query->result = result;
}

/* False when the lane was lost over it. */
static bool take_result(struct lane *lane, PGresult *result)
{
	struct query *head = lane->in_flight.first;

	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		keep_result(head, result);
		return true;
	case PGRES_FATAL_ERROR:
		keep_result(head, result);
		if (fault_of(result) != FAULT_CONNECTION)
			return true;
		lose(lane, PQresultErrorMessage(result));
		return false;
	case PGRES_PIPELINE_ABORTED:
		PQclear(result);
		return true;
	case PGRES_PIPELINE_SYNC:
		PQclear(result);
		end_head(lane);
		return lane->connection;
	default: /* COPY, for whose data libpq would wait for ever */
		PQclear(result);
		log_limited(LOG_LEVEL_ERROR, "database: no statement for a lane: %s", query_text(head));
		query_finish(lane->host->queries, pop(lane), LEAT_INTERNAL, NULL);
		lose(lane, "given up because of a statement that cannot run on a lane");
		return false;
	}
}

/* Of each query: the results of Parse and Execute, a NULL behind each, and the Sync, without a NULL. */
static void read_answers(struct lane *lane)
{
	bool was_null = false;

	while (lane->in_flight.first && !PQisBusy(lane->connection)) {
		PGresult *result = PQgetResult(lane->connection);

		if (result && !take_result(lane, result))
			return;
		if (!result && was_null) {
			lose(lane, "the server's answers are out of step");
			return;
		}
		was_null = !result;
	}
}

/* Connecting ------------------------------------------------------------------------------------------------------ */

static void on_dialled(void *arg, PGconn *connection);

void lane_connect(struct lane *lane)
{
	const struct lane_host *host = lane->host;

	enter(lane, LANE_CONNECTING);
	set_timer(lane, host->settings->db_connect_timeout); /* dialling keeps that, too, unless the resolver hangs */
	lane->dial = dial_start(host->connecting, host->loop, host->settings, on_dialled, lane);
	if (!lane->dial)
		lose(lane, "offload_queue is full, or earlier attempts hang (in name resolution?)");
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
		is_open = put_own(lane, QUERY_COMMAND, NULL, "SET standard_conforming_strings = on");
	for (unsigned i = 0; is_open && !lane->is_lent && !lane->host->is_unnamed && i < statements->count; i++)
		is_open = put_own(lane, QUERY_PREPARE, statements->items[i], NULL);
}

static void begin(struct lane *lane)
{
	if (!lane->is_lent) {
		metrics_add(METRIC_DB_CONNECTS, 1);
		metrics_add(METRIC_DB_CONNECTIONS, 1);
	}
	enter(lane, LANE_PREPARING);
	set_timer(lane, lane->host->settings->db_connect_timeout);
	if (!watch_for(lane, EPOLLIN)) {
		lose_by_libpq(lane);
		return;
	}
	prepare(lane);
	if (lane->connection && lane->in_flight.count == 0)
		become_ready(lane);
}

static void on_dialled(void *arg, PGconn *connection)
{
	struct lane *lane = arg;
	const char *why = PQerrorMessage(connection);

	lane->dial = NULL;
	lane->connection = connection;
	lane->watch.fd = PQsocket(connection);
	if (dial_has_connected(connection))
		begin(lane);
	else
		lose(lane, *why ? why : TOO_LATE);
}

/* Lending ---------------------------------------------------------------------------------------------------------- */

bool lane_adopt(struct lane *lane, struct lane_host *host)
{
	lane->host = host;
	if (lane->state == LANE_DOWN) {
		enter(lane, LANE_CONNECTING);
		begin(lane);
	} else if (!watch_for(lane, EPOLLIN)) {
		lose_by_libpq(lane);
	}
	return lane->connection;
}

void lane_release(struct lane *lane)
{
	LEAT_CHECK(lane->state == LANE_READY && lane->in_flight.count == 0 && !lane->turn.is_queued);
	watch_for(lane, 0);
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
	watch_for(lane, 0);
	lane->is_paused = true;
	return true;
}

bool lane_resume(struct lane *lane)
{
	lane->is_paused = false;
	if (!PQenterPipelineMode(lane->connection) || !watch_for(lane, EPOLLIN))
		lose_by_libpq(lane);
	return lane->connection;
}

void lane_give_up(struct lane *lane, const char *why)
{
	lane->is_paused = false;
	cancel_drop(cancel_start(lane->host->cancelling, lane->connection));
	lose(lane, why);
}

int64_t lane_busy_since(const struct lane *lane)
{
	const struct query *head = lane->in_flight.first;

	if (!head)
		return CLOCK_NEVER;
	return head->sent_ns > lane->answered_ns ? head->sent_ns : lane->answered_ns;
}

/* Late statements: the reasons are at the top -------------------------------------------------------------------- */

/* Nobody else uses a lane that is lent, and its request has given up. */
static int64_t grace_ms(const struct lane *lane)
{
	return lane->is_lent ? 0 : lane->host->settings->db_cancel_grace;
}

static void wait_for_late(struct lane *lane)
{
	lane->late = lane->in_flight.first;
	set_timer(lane, grace_ms(lane));
}

static void review_late(struct lane *lane, bool is_late)
{
	if (is_late && lane->in_flight.first != lane->late) {
		wait_for_late(lane);
	} else if (!is_late) {
		loop_timer_clear(lane->host->loop, &lane->timer);
		enter(lane, LANE_READY);
	}
}

static void review_cancelling(struct lane *lane)
{
	enum cancel_state state = cancel_state(lane->cancel);

	if (state == CANCEL_FAILED || now_ns(lane) >= lane->late_until_ns) {
		lose(lane, "a statement that was given up could not be cancelled");
	} else if (state == CANCEL_RUNNING || lane->in_flight.count > 0) {
		set_timer(lane, CANCEL_LOOK_MS);
	} else {
		loop_timer_clear(lane->host->loop, &lane->timer);
		cancel_drop(lane->cancel);
		lane->cancel = NULL;
		enter(lane, LANE_READY);
	}
}

void lane_review(struct lane *lane)
{
	const struct query *head = lane->in_flight.first;
	bool is_late = head && head->state == QUERY_ABANDONED;

	if (lane->state == LANE_READY && is_late) {
		wait_for_late(lane);
		enter(lane, LANE_LATE);
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

static void cancel_late(struct lane *lane)
{
	struct cancel *cancel = cancel_start(lane->host->cancelling, lane->connection);

	log_limited(lane->is_lent ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		    "database: given up, and still running %" PRId64 " ms later: %s", grace_ms(lane),
		    query_text(lane->late));
	if (cancel && !is_wanted(lane)) {
		lane->cancel = cancel;
		lane->late_until_ns = now_ns(lane) + lane->host->settings->db_cancel_grace * CLOCK_MS;
		set_timer(lane, CANCEL_LOOK_MS);
		enter(lane, LANE_CANCELLING);
	} else {
		cancel_drop(cancel);
		lose(lane, "closed to get past a statement that was given up");
	}
}

/* What the loop calls ----------------------------------------------------------------------------------------------- */

static void exchange(struct lane *lane, uint32_t events)
{
	bool is_open = !(events & ~(uint32_t)EPOLLOUT) || PQconsumeInput(lane->connection);

	read_answers(lane);
	if (!lane->connection)
		return;
	if (!is_open || PQstatus(lane->connection) == CONNECTION_BAD)
		lose_by_libpq(lane);
	else if (lane->state == LANE_PREPARING && lane->in_flight.count == 0)
		become_ready(lane);
	else
		lane_review(lane);
	if (lane->connection && (lane->watched_events & EPOLLOUT))
		flush(lane);
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
		lose(lane, TOO_LATE);
		break;
	case LANE_LATE:
		cancel_late(lane);
		break;
	default:
		lane_review(lane);
	}
}
