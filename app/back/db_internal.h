/* db_internal.h - what db.c, session.c and those beside them share about a worker's database; nobody else includes it.
 *
 * Use:
 *     LEAT_TRY(db_ask(call, statement, args, arg_count, &query));   -- sent, and waited for; the answer is in query->result
 *     query_give(&call->db->queries, query);
 *
 * Ownership:      the worker's.
 * Thread-safety:  only the worker whose loop it is on.
 * Errors:         those of leat/db.h. After an error the query is gone.
 */
#ifndef APP_BACK_DB_INTERNAL_H
#define APP_BACK_DB_INTERNAL_H

#include <leat/result.h>

#include "back/db.h"
#include "back/lane_set.h"
#include "back/query.h"
#include "back/statement.h"
#include "task/call.h"

struct arguments;
struct lend;
struct notify;
struct replica;

struct db {
	struct lane_set primary; /* its host is that of the lent lanes, too */
	struct replica *replica; /* NULL: database_read_url is empty */
	struct statements statements;
	struct query_pool queries;
	struct loop_turn turn; /* something has become of a lane that is lent */
	struct lend *lend;
	struct notify *notify;
	struct lane *returning; /* lent, done with, and not given back yet */
};

/* Whether there is any use in starting something. */
enum leat_result db_may_ask(const struct call *call) LEAT_MUST_USE;

enum leat_result db_write_arguments(const struct call *call, const char *text, const struct leat_arg *args,
				    unsigned arg_count, struct arguments *ret_arguments) LEAT_MUST_USE;

/* On a lane, or in the request's session; on a connection of its own when the statement is known to be slow. */
enum leat_result db_ask(struct call *call, const struct leat_statement *statement, const struct leat_arg *args,
			unsigned arg_count, struct query **ret_query) LEAT_MUST_USE;

/* Waits for a query that was sent. */
enum leat_result db_await(const struct call *call, struct query *query) LEAT_MUST_USE;

/* Nobody waits for it any more. */
void db_give_up(struct db *db, struct query *query);

/* A connection for the request alone, for as long as the session is open: all its statements go there. */
struct session {
	struct lane *lane;
	const char *purpose; /* for the log */
	bool is_transaction;
	struct query *begin; /* BEGIN, while it is not awaited */
	bool is_void;        /* BEGIN has failed: nothing more is sent */
	unsigned depth;      /* of savepoints */
	bool must_retry;     /* a statement failed in a way that the transaction may be run again */
};

/* One a request: LEAT_INTERNAL for a second one, which no call of leat/db.h asks for. */
enum leat_result session_open(struct call *call, struct session *session, const char *purpose) LEAT_MUST_USE;
void session_close(struct call *call);

/* See db_abandon. */
void session_abandon(struct call *call);

/* LEAT_UNAVAILABLE when its connection is lost. An error leaves the query to the caller. */
enum leat_result session_send(const struct call *call, struct query *query) LEAT_MUST_USE;

/* A command without values, sent and waited for. 'ret_is_done' (may be NULL): the server did what it was told, and not a ROLLBACK instead
 * of a COMMIT. */
enum leat_result session_command(const struct call *call, const char *text, bool *ret_is_done) LEAT_MUST_USE;

/* Waits until the transaction has begun, where there is one. */
enum leat_result session_begun(const struct call *call) LEAT_MUST_USE;

/* At the end of a turn: gives back what is clean, and makes clean what is not. */
void session_settle(struct db *db);

/* When the worker ends. */
void session_discard_all(struct db *db);

#endif
