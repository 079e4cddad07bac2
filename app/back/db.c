/* db.c - see db.h and leat/db.h. Between the handlers' tasks, which wait, and the sets of lanes (lane_set.c), which carry.
 *
 * The way of a query: 'submit' chooses a set; at the end of the turn that hands it to a lane; the lane finishes it, which wakes
 * the task; the task reads its rows. A query given up on the way goes its way alone. */
#include "back/db.h"

#include <leat/db.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include "back/argument.h"
#include "back/db_internal.h"
#include "back/replica.h"
#include "back/row.h"
#include "base/check.h"
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
	struct lane_host host = {
		.loop = loop,
		.settings = settings,
		.connecting = connecting,
		.cancelling = cancelling,
		.is_unnamed = settings->db_prepare == PREPARE_UNNAMED,
	};
	struct db *db;

	if (!settings->database_url || !*settings->database_url)
		return NULL;
	db = calloc(1, sizeof(*db));
	if (!db)
		check_out_of_memory(sizeof(*db), "the database's lanes");
	host.statements = &db->statements;
	host.queries = &db->queries;
	db->lend = lend;
	db->notify = notify;
	db->turn.fn = on_turn_end;
	statements_init(&db->statements);
	lane_set_init(&db->primary, &host, (unsigned)settings->db_lanes);
	db->primary.lent_turn = &db->turn;
	db->replica = replica_new(&host, &db->primary);
	return db;
}

void db_stop(struct db *db)
{
	lane_set_stop(&db->primary);
	replica_stop(db->replica);
}

void db_free(struct db *db)
{
	if (!db)
		return;
	db_stop(db);
	session_discard_all(db);
	lane_set_close(&db->primary);
	replica_free(db->replica);
	query_pool_fini(&db->queries);
	statements_fini(&db->statements);
	free(db);
}

bool db_is_up(const struct db *db)
{
	return lane_set_is_up(&db->primary);
}

bool db_is_returning(const struct db *db)
{
	return db->returning;
}

static void on_turn_end(struct loop_turn *turn)
{
	session_settle((struct db *)((char *)turn - offsetof(struct db, turn)));
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
	if (call->deadline_ns <= loop_now_ns(db->primary.host.loop))
		return LEAT_TIMED_OUT;
	if (call->session && call->session->lane->is_paused) {
		log_error("bug: a statement is sent in a transaction whose connection a stream or a copy has: it must "
			  "end first");
		return LEAT_INTERNAL;
	}
	if (!call->session && (db->primary.is_stopping || lane_set_is_full(&db->primary))) {
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

/* A standby shows it as well. */
static bool may_be_replicated(const struct call *call, const struct statement *statement)
{
	return call->db->replica && !call->session && !call->reads_primary && statement->is->read_only &&
	       !statement->is->current && !statement->is_for_primary;
}

static struct lane_set *set_for(const struct call *call, const struct statement *statement)
{
	return may_be_replicated(call, statement) ? replica_lanes(call->db->replica) : &call->db->primary;
}

/* Reads may share a Sync; one that may be slow goes alone, so that it can be seen. */
static enum leat_result start(struct call *call, struct query *query)
{
	const struct statement *statement = query->statement;

	call->reads_primary = call->reads_primary || !statement->is->read_only;
	if (call->session)
		return session_send(call, query);
	if (statement->is->read_only && statement->history == 0)
		query->batch = call;
	lane_set_submit(set_for(call, statement), query);
	return LEAT_OK;
}

/* NULL: there is no database. */
static struct statement *find_statement(const struct call *call, const struct leat_statement *is)
{
	return call->db ? statements_find(&call->db->statements, is) : NULL;
}

/* The statement may be NULL: then nothing may be asked. */
static enum leat_result submit(struct call *call, struct statement *statement, const struct leat_arg *args,
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

void db_abandon(struct call *call)
{
	session_abandon(call);
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
		lane_set_withdraw(query);
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

static enum leat_result ask_here(struct call *call, struct statement *statement, const struct leat_arg *args,
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

/* It would hold up others where it is sent. */
static bool is_slow(const struct call *call, const struct statement *statement)
{
	const struct db *db = call->db;

	return statement && db->lend && !call->session && !call->stream && statement->is_slow &&
	       !(may_be_replicated(call, statement) && replica_has_room_apart(db->replica));
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
	struct call *call = call_of(req);
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
