/* db.c - see db.h and leat/db.h. Between the handlers' tasks, which wait, and the lanes (lane.c), which carry.
 *
 * The way of a query: 'submit' puts it on db->queue; 'on_turn_end' hands it to a lane; the lane finishes it, which wakes
 * the task; the task reads its rows. A query given up on the way goes its way alone. */
#include "back/db.h"

#include <inttypes.h>
#include <leat/db.h>
#include <libpq-fe.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "back/argument.h"
#include "back/db_internal.h"
#include "back/row.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "task/loop.h"
#include "task/task.h"

/* What leat_db_send hands out: the query while it is the request's, NULL once it was awaited. */
struct leat_query {
	struct db *db;
	struct query *query;
};

static void on_turn_end(struct loop_turn *turn);
static void on_retry(struct loop_timer *timer);
static void connect_next(struct db *db);
static void on_lane_changed(struct lane_host *host, struct lane *lane, enum lane_state from);
static void on_query_again(struct lane_host *host, struct query *query);
static void on_lane_drained(struct lane_host *host, struct lane *lane);

/* Life ------------------------------------------------------------------------------------------------------------- */

bool db_can_read_url(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);

	PQconninfoFree(options);
	return options;
}

struct db *db_new(struct loop *loop, const struct settings *settings, struct offload *connecting,
		  struct offload *cancelling, struct lend *lend, struct notify *notify)
{
	unsigned lane_count = (unsigned)settings->db_lanes;
	size_t size = sizeof(struct db) + lane_count * sizeof(struct lane);
	struct db *db;

	if (!settings->database_url || !*settings->database_url)
		return NULL;
	db = calloc(1, size);
	if (!db)
		check_out_of_memory(size, "the database's lanes");
	db->host = (struct lane_host){
		.loop = loop,
		.settings = settings,
		.connecting = connecting,
		.cancelling = cancelling,
		.statements = &db->statements,
		.queries = &db->queries,
		.is_unnamed = settings->db_prepare == PREPARE_UNNAMED,
		.changed = on_lane_changed,
		.again = on_query_again,
		.drained = on_lane_drained,
	};
	db->lend = lend;
	db->notify = notify;
	statements_init(&db->statements);
	db->turn.fn = on_turn_end;
	db->retry_timer.fn = on_retry;
	db->lane_count = lane_count;
	for (unsigned i = 0; i < lane_count; i++)
		lane_init(&db->lanes[i], &db->host);
	retry_init(&db->retry, settings->db_retry_least * CLOCK_MS, settings->db_retry_most * CLOCK_MS,
		   (uint64_t)clock_wall_ns() ^ (uint64_t)(uintptr_t)db);
	loop_timer_set(loop, &db->retry_timer, loop_now_ns(loop));
	return db;
}

static void refuse(struct db *db, struct query *query)
{
	query_list_remove(&db->queue, query);
	metrics_add(METRIC_DB_UNAVAILABLE, 1);
	query_finish(&db->queries, query, LEAT_UNAVAILABLE, NULL);
}

void db_stop(struct db *db)
{
	db->is_stopping = true;
	loop_timer_clear(db->host.loop, &db->retry_timer);
	while (db->queue.first)
		refuse(db, db->queue.first);
}

void db_free(struct db *db)
{
	if (!db)
		return;
	db_stop(db);
	session_discard_all(db);
	for (unsigned i = 0; i < db->lane_count; i++)
		lane_close(&db->lanes[i]);
	query_pool_fini(&db->queries);
	statements_fini(&db->statements);
	free(db);
}

bool db_is_up(const struct db *db)
{
	for (unsigned i = 0; i < db->lane_count; i++)
		if (db->lanes[i].state >= LANE_READY)
			return true;
	return false;
}

bool db_is_returning(const struct db *db)
{
	return db->returning;
}

/* Handing queries to lanes ---------------------------------------------------------------------------------------- */

static bool has_lane_in(const struct db *db, enum lane_state state)
{
	for (unsigned i = 0; i < db->lane_count; i++)
		if (db->lanes[i].state == state)
			return true;
	return false;
}

/* See db.h: is it worth to wait when no lane takes work? */
static bool is_hopeful(const struct db *db)
{
	if (has_lane_in(db, LANE_READY) || db->is_stopping)
		return false; /* those that are ready are full */
	return db->retry.failures == 0 || has_lane_in(db, LANE_LATE) || has_lane_in(db, LANE_CANCELLING);
}

/* The statement at its head takes long: nobody should stand behind it. */
static bool is_stalled(const struct db *db, const struct lane *lane)
{
	int64_t since_ns = lane_busy_since(lane);

	return since_ns != CLOCK_NEVER && loop_now_ns(db->host.loop) - since_ns > db->host.settings->db_slow * CLOCK_MS;
}

/* Those that are stalled come last. */
static struct lane *least_loaded(struct db *db)
{
	unsigned full = (unsigned)db->host.settings->db_lane_depth, least = UINT_MAX;
	struct lane *best = NULL;

	for (unsigned i = 0; i < db->lane_count; i++) {
		struct lane *lane = &db->lanes[i];
		unsigned load = lane->in_flight.count;

		if (lane->state != LANE_READY || load >= full)
			continue;
		if (is_stalled(db, lane))
			load += full;
		if (load < least) {
			least = load;
			best = lane;
		}
	}
	return best;
}

/* After failures: another worker has connected since, so this one need not wait for its own next try. One more attempt for
 * each success elsewhere, and only when a request asks: no stampede. */
static void learn_from_others(struct db *db)
{
	uint64_t connects;

	if (db->retry.failures == 0)
		return;
	connects = metrics_total(METRIC_DB_CONNECTS);
	if (connects == db->connects_seen)
		return;
	db->connects_seen = connects;
	retry_succeeded(&db->retry, loop_now_ns(db->host.loop));
	connect_next(db);
}

static void on_turn_end(struct loop_turn *turn)
{
	struct db *db = (struct db *)((char *)turn - offsetof(struct db, turn));

	session_settle(db);
	learn_from_others(db);
	while (db->queue.first) {
		struct query *query = db->queue.first;
		struct lane *lane = least_loaded(db);

		if (lane) {
			query_list_remove(&db->queue, query);
			lane_send(lane, query);
		} else if (is_hopeful(db)) {
			return;
		} else {
			refuse(db, query);
		}
	}
}

static void enqueue(struct db *db, struct query *query)
{
	query->state = QUERY_QUEUED;
	query_list_append(&db->queue, query);
	loop_at_turn_end(db->host.loop, &db->turn);
}

static void on_query_again(struct lane_host *host, struct query *query)
{
	enqueue((struct db *)host, query);
}

/* Connecting -------------------------------------------------------------------------------------------------------- */

/* When the retry machine says so. By the timer even when that is now: connecting is nothing for a task's stack. */
static void connect_next(struct db *db)
{
	int64_t now_ns = loop_now_ns(db->host.loop);

	if (db->is_stopping || has_lane_in(db, LANE_CONNECTING) || has_lane_in(db, LANE_PREPARING) ||
	    !has_lane_in(db, LANE_DOWN))
		return;
	loop_timer_set(db->host.loop, &db->retry_timer, retry_is_due(&db->retry, now_ns) ? now_ns : db->retry.due_ns);
}

static void on_retry(struct loop_timer *timer)
{
	struct db *db = (struct db *)((char *)timer - offsetof(struct db, retry_timer));

	for (unsigned i = 0; i < db->lane_count; i++) {
		if (db->lanes[i].state == LANE_DOWN) {
			lane_connect(&db->lanes[i]);
			return;
		}
	}
}

static void on_lane_down(struct db *db, const struct lane *lane, enum lane_state from)
{
	int64_t now_ns = loop_now_ns(db->host.loop);

	if (from == LANE_CONNECTING || from == LANE_PREPARING) {
		metrics_add(METRIC_DB_CONNECT_FAILURES, 1);
		retry_failed(&db->retry, now_ns);
		db->connects_seen = metrics_total(METRIC_DB_CONNECTS);
		log_limited(LOG_LEVEL_WARN, "database: cannot connect: %s; next try in %" PRId64 " ms", lane->why,
			    (db->retry.due_ns - now_ns) / CLOCK_MS);
	} else {
		retry_lost(&db->retry, lane->made_ns, now_ns);
		log_limited(LOG_LEVEL_WARN, "database: connection lost: %s", lane->why);
	}
}

static void on_lane_changed(struct lane_host *host, struct lane *lane, enum lane_state from)
{
	struct db *db = (struct db *)host;

	loop_at_turn_end(host->loop, &db->turn);
	if (lane->is_lent)
		return;
	if (lane->state == LANE_DOWN)
		on_lane_down(db, lane, from);
	else if (lane->state == LANE_READY && from == LANE_PREPARING)
		retry_succeeded(&db->retry, loop_now_ns(host->loop));
	connect_next(db);
}

static void on_lane_drained(struct lane_host *host, struct lane *lane)
{
	(void)lane;
	loop_at_turn_end(host->loop, &((struct db *)host)->turn);
}

/* Sending and waiting ----------------------------------------------------------------------------------------------- */

/* What there is no use in starting. */
enum leat_result db_may_ask(const struct call *call)
{
	const struct db *db = call->db;

	LEAT_CHECK(task_self());
	if (!db) {
		log_limited(LOG_LEVEL_ERROR, "database: a handler asked for it, but database_url is not set");
		return LEAT_UNAVAILABLE;
	}
	if (task_is_cancelled(task_self()))
		return LEAT_CANCELLED;
	if (call->deadline_ns <= loop_now_ns(db->host.loop))
		return LEAT_TIMED_OUT;
	if (call->session && call->session->lane->is_paused) {
		log_error("bug: a statement is sent in a transaction whose connection a stream or a copy has: it must "
			  "end first");
		return LEAT_INTERNAL;
	}
	if (!call->session &&
	    (db->is_stopping || db->queue.count >= db->lane_count * db->host.settings->db_lane_depth)) {
		metrics_add(METRIC_DB_UNAVAILABLE, 1);
		return LEAT_UNAVAILABLE;
	}
	return LEAT_OK;
}

enum leat_result db_write_arguments(const struct call *call, const char *text, const struct leat_arg *args,
				    unsigned arg_count, struct arguments *ret_arguments)
{
	const char *fault = arguments_write(ret_arguments, call->arena, args, arg_count);

	if (!fault)
		return LEAT_OK;
	log_limited(LOG_LEVEL_ERROR, "database: %s given to: %s", fault, text);
	return LEAT_INTERNAL;
}

/* Reads that a request sends together are a batch; one that may be slow goes alone, so that it can be seen. */
static enum leat_result start(const struct call *call, struct query *query)
{
	if (call->session)
		return session_send(call, query);
	if (query->statement->is->read_only && query->statement->history == 0)
		query->batch = call;
	enqueue(call->db, query);
	return LEAT_OK;
}

/* NULL: there is no database. */
static struct statement *find_statement(const struct call *call, const struct leat_statement *is)
{
	return call->db ? statements_find(&call->db->statements, is) : NULL;
}

/* The statement may be NULL: then nothing may be asked. */
static enum leat_result submit(const struct call *call, struct statement *statement, const struct leat_arg *args,
			       unsigned arg_count, struct query **ret_query)
{
	struct arguments arguments;
	struct query *query;
	enum leat_result result;

	LEAT_TRY(db_may_ask(call));
	LEAT_TRY(db_write_arguments(call, statement->text, args, arg_count, &arguments));
	query = query_take(&call->db->queries);
	query->statement = statement;
	query->values = arguments.values;
	query->value_count = arguments.count;
	result = start(call, query);
	*ret_query = query;
	if (result != LEAT_OK)
		query_give(&call->db->queries, query);
	return result;
}

void db_give_up(struct db *db, struct query *query)
{
	if (query->state == QUERY_SENT) {
		query->state = QUERY_ABANDONED;
		query->waiter = NULL;
		if (query->work == QUERY_COMMAND)
			query->command = "a transaction's command"; /* its text may be the request's */
		lane_review(query->lane);
		return;
	}
	if (query->state == QUERY_QUEUED)
		query_list_remove(&db->queue, query);
	query_give(&db->queries, query);
}

/* The server's last word is in query->result when this is LEAT_OK; else the query is gone. */
enum leat_result db_await(const struct call *call, struct query *query)
{
	enum leat_result result = LEAT_OK;

	if (call->session && query->lane == call->session->lane)
		result = session_begun(call);
	if (result != LEAT_OK) {
		db_give_up(call->db, query);
		return result;
	}
	while (query->state != QUERY_DONE && result == LEAT_OK) {
		query->waiter = task_self();
		result = task_wait(call->deadline_ns);
		query->waiter = NULL;
	}
	if (query->state != QUERY_DONE) {
		if (result == LEAT_TIMED_OUT)
			metrics_add(METRIC_DB_TIMEOUTS, 1);
		db_give_up(call->db, query);
		return result;
	}
	result = query->outcome;
	if (query->is_transient && call->session && query->lane == call->session->lane)
		call->session->must_retry = true;
	if (result != LEAT_OK)
		query_give(&call->db->queries, query);
	return result;
}

static enum leat_result ask_here(const struct call *call, struct statement *statement, const struct leat_arg *args,
				 unsigned arg_count, struct query **ret_query)
{
	struct query *query;

	LEAT_TRY(submit(call, statement, args, arg_count, &query));
	LEAT_TRY(db_await(call, query));
	*ret_query = query;
	return LEAT_OK;
}

/* On a connection of its own, for it is known to be slow. */
static enum leat_result ask_apart(struct call *call, struct statement *statement, const struct leat_arg *args,
				  unsigned arg_count, struct query **ret_query)
{
	struct session session;
	enum leat_result result;

	result = session_open(call, &session, statement->text);
	if (result == LEAT_UNAVAILABLE) /* all are lent: better on a lane than not at all */
		return ask_here(call, statement, args, arg_count, ret_query);
	if (result != LEAT_OK)
		return result;
	metrics_add(METRIC_DB_SLOW, 1);
	result = ask_here(call, statement, args, arg_count, ret_query);
	session_close(call);
	return result;
}

static bool is_slow(const struct call *call, const struct statement *statement)
{
	return statement && call->db->lend && !call->session && !call->stream && statement->is_slow;
}

enum leat_result db_ask(struct call *call, const struct leat_statement *is, const struct leat_arg *args,
			unsigned arg_count, struct query **ret_query)
{
	struct statement *statement = find_statement(call, is);

	return is_slow(call, statement) ? ask_apart(call, statement, args, arg_count, ret_query)
					: ask_here(call, statement, args, arg_count, ret_query);
}

enum leat_result leat_db_one_(struct leat_request *req, const struct leat_statement *statement, void *row,
			      const struct leat_arg *args, unsigned arg_count)
{
	struct call *call = call_of(req);
	struct query *query;
	enum leat_result result;

	LEAT_TRY(db_ask(call, statement, args, arg_count, &query));
	result = row_read_one(query->result, statement, call->arena, row);
	query_give(&call->db->queries, query);
	return result;
}

enum leat_result leat_db_all_(struct leat_request *req, const struct leat_statement *statement,
			      struct leat_list *ret_list, const struct leat_arg *args, unsigned arg_count)
{
	struct call *call = call_of(req);
	struct query *query;
	enum leat_result result;

	LEAT_TRY(db_ask(call, statement, args, arg_count, &query));
	result = row_read_all(&query->result, statement, call->arena, ret_list);
	query_give(&call->db->queries, query);
	return result;
}

static void take_count(const struct call *call, struct query *query, int64_t *ret_count)
{
	if (ret_count)
		*ret_count = strtoll(PQcmdTuples(query->result), NULL, 10);
	query_give(&call->db->queries, query);
}

enum leat_result leat_db_exec_(struct leat_request *req, const struct leat_statement *statement, int64_t *ret_count,
			       const struct leat_arg *args, unsigned arg_count)
{
	struct call *call = call_of(req);
	struct query *query;

	LEAT_TRY(db_ask(call, statement, args, arg_count, &query));
	take_count(call, query, ret_count);
	return LEAT_OK;
}

/* At the end of the request. */
static void release(void *object)
{
	struct leat_query *sent = object;

	if (sent->query)
		db_give_up(sent->db, sent->query);
}

enum leat_result leat_db_send_(struct leat_request *req, const struct leat_statement *statement,
			       struct leat_query **ret_query, const struct leat_arg *args, unsigned arg_count)
{
	const struct call *call = call_of(req);
	struct leat_query *sent;
	struct query *query;

	LEAT_TRY(submit(call, find_statement(call, statement), args, arg_count, &query));
	sent = arena_alloc(call->arena, sizeof(*sent));
	*sent = (struct leat_query){ .db = call->db, .query = query };
	arena_on_reset(call->arena, release, sent);
	*ret_query = sent;
	return LEAT_OK;
}

static enum leat_result await_sent(const struct call *call, struct leat_query *sent, struct query **ret_query)
{
	*ret_query = sent->query;
	LEAT_CHECK(sent->query); /* a query is awaited once */
	sent->query = NULL;
	return db_await(call, *ret_query);
}

enum leat_result leat_db_wait(struct leat_request *req, struct leat_query *sent, struct leat_list *ret_rows)
{
	const struct call *call = call_of(req);
	struct query *query;
	enum leat_result result = LEAT_OK;

	LEAT_TRY(await_sent(call, sent, &query));
	if (ret_rows)
		result = row_read_all(&query->result, query->statement->is, call->arena, ret_rows);
	query_give(&call->db->queries, query);
	return result;
}

enum leat_result leat_db_wait_count(struct leat_request *req, struct leat_query *sent, int64_t *ret_count)
{
	const struct call *call = call_of(req);
	struct query *query;

	LEAT_TRY(await_sent(call, sent, &query));
	take_count(call, query, ret_count);
	return LEAT_OK;
}

static bool is_left(const struct leat_query *sent)
{
	return sent && sent->query;
}

static bool find_done(struct leat_query *const *queries, size_t count, size_t *ret_index)
{
	bool is_any_left = false;

	for (size_t i = 0; i < count; i++) {
		if (is_left(queries[i]) && queries[i]->query->state == QUERY_DONE) {
			*ret_index = i;
			return true;
		}
		is_any_left = is_any_left || is_left(queries[i]);
	}
	LEAT_CHECK(is_any_left);
	return false;
}

static void wake_me(struct leat_query *const *queries, size_t count, struct task *waiter)
{
	for (size_t i = 0; i < count; i++)
		if (is_left(queries[i]))
			queries[i]->query->waiter = waiter;
}

enum leat_result leat_db_wait_any(struct leat_request *req, struct leat_query *const *queries, size_t count,
				  size_t *ret_index)
{
	enum leat_result result = LEAT_OK;

	while (result == LEAT_OK && !find_done(queries, count, ret_index)) {
		wake_me(queries, count, task_self());
		result = task_wait(call_of(req)->deadline_ns);
		wake_me(queries, count, NULL);
	}
	return result;
}
