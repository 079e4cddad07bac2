/* leat/db.h - statements on PostgreSQL.
 *
 * Use:
 *     LEAT_STATEMENT(user_by_id,
 *         .sql = "SELECT id, name, email FROM users WHERE id = $1",
 *         .row = &user_shape,
 *         .read_only = true);
 *
 *     LEAT_TRY(leat_db_one(req, &user_by_id, &user, LEAT_ARG(id)));
 *
 * LEAT_STATEMENT defines a static struct leat_statement and puts it on the program's list of statements: `check` compares
 * each of them with the database, and connections prepare them before they take work. A struct leat_statement that is defined
 * without the macro works as well; it is learnt, and prepared, at its first use.
 *
 * A statement is prepared once on each connection, by protocol. Single statements share the worker's lanes, a few
 * connections in pipeline mode; each is a transaction of its own, and its failure touches no other. (Statements that are read only, and
 * that a request sends together, travel as a batch; those that a failure of another would have undone are sent again.)
 * One that is often slow (setting db_slow) runs on a connection of its own instead, so that nobody stands behind it.
 * Several statements in one transaction: leat_tx.
 *
 * With standbys (setting database_read_url) a single statement that is read_only is answered by one of them, whose data are no older than
 * db_read_lag_most; by the primary when there is none, or when it answers with an error. While the primary is away, reads go on where
 * everything is that it had written when it was last heard of. A request sees what it has itself written: after a statement that is not
 * read_only, a leat_tx that is not, or leat_db_listen, its reads go to the primary. The next request of the same client does not know of that.
 * A statement that must see what others have just written says '.current = true': permissions, the state on which something is decided that
 * cannot be taken back. Transactions, also read only ones, stay on the primary. A slow statement goes to a standby that has nothing else
 * to do, or else to a connection of its own to the primary.
 *
 * Arguments: LEAT_ARG takes integers, bool, double, leat_text, char pointers and the types of leat/value.h; LEAT_NULL is
 * SQL's NULL, and so is what is absent. LEAT_ARG_IF(user.has_age, user.age) is NULL unless the first is true.
 * Result columns are matched to the shape's fields by name. A NULL among an array's elements, an infinite time, or one
 * beyond the years 1 to 9999 does not fit.
 *
 * Ownership:      rows and texts live as long as the request. Arguments are read before the call returns.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         LEAT_NOT_FOUND no row; LEAT_CONFLICT unique, foreign key, exclusion or check violation
 *                 (SQLSTATE class 23); LEAT_INVALID a value that PostgreSQL cannot keep (NUL in a text, a number out of its
 *                 column's range); LEAT_TIMED_OUT at the request's deadline; LEAT_CANCELLED; LEAT_UNAVAILABLE
 *                 when the database is away, refuses work, takes no writes for now, or the lanes are full; LEAT_INTERNAL for every other SQL error
 *                 (logged with SQLSTATE and text) and for columns that do not fit the shape.
 */
#ifndef LEAT_DB_H
#define LEAT_DB_H

#include <leat/result.h>
#include <leat/shape.h>
#include <leat/text.h>
#include <leat/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leat_request;
struct leat_query;

struct leat_statement {
	const char *sql;
	const struct leat_shape *row; /* of the result; NULL: no rows wanted */
	bool read_only;               /* it changes nothing: it may be sent again, share a transaction with others, and go to a standby */
	bool current;                 /* though it is read_only, never to a standby */
	const char *name;             /* LEAT_STATEMENT sets it, for people */
};

/* A static struct leat_statement of the name, with the members given, on the program's list: a section that the linker
 * gathers, of pointers, because padding between larger things would not be known (AddressSanitizer adds some, too). Only
 * statements of the program itself are listed, not those of shared libraries that it loads. */
#define LEAT_STATEMENT(statement, ...) \
	static const struct leat_statement statement = { .name = #statement, __VA_ARGS__ }; \
	static const struct leat_statement *const statement##_listed_ \
		__attribute__((used, section("leat_statements"))) LEAT_RETAIN_ = &statement

/* Puts a statement on the list that the macro cannot put there, because it is a library's: for the 'check' of a middleware (leat/middleware.h).
 * Only there; a second time does nothing. */
LEAT_API void leat_statement_list(const struct leat_statement *statement);

/* lld would drop the section with --gc-sections. */
#if __has_attribute(retain)
#define LEAT_RETAIN_ __attribute__((retain))
#else
#define LEAT_RETAIN_
#endif

enum leat_arg_kind {
	LEAT_ARG_NULL,
	LEAT_ARG_INT,
	LEAT_ARG_BOOL,
	LEAT_ARG_FLOAT,
	LEAT_ARG_TEXT,
	LEAT_ARG_BYTES,
	LEAT_ARG_TIME,
	LEAT_ARG_UUID,
	LEAT_ARG_INTS,
	LEAT_ARG_TEXTS,
};

struct leat_arg {
	enum leat_arg_kind kind;
	union {
		int64_t i;
		double f;
		leat_text text;
		leat_bytes bytes;
		leat_time time;
		leat_uuid uuid;
		leat_ints ints;
		leat_texts texts;
	};
};

static inline struct leat_arg leat_arg_int(int64_t value)
{
	return (struct leat_arg){ .kind = LEAT_ARG_INT, .i = value };
}

static inline struct leat_arg leat_arg_bool(bool value)
{
	return (struct leat_arg){ .kind = LEAT_ARG_BOOL, .i = value };
}

static inline struct leat_arg leat_arg_float(double value)
{
	return (struct leat_arg){ .kind = LEAT_ARG_FLOAT, .f = value };
}

/* An absent text is NULL. */
static inline struct leat_arg leat_arg_text(leat_text value)
{
	return (struct leat_arg){ .kind = value.ptr ? LEAT_ARG_TEXT : LEAT_ARG_NULL, .text = value };
}

static inline struct leat_arg leat_arg_string(const char *value)
{
	return leat_arg_text(leat_text_from(value));
}

static inline struct leat_arg leat_arg_bytes(leat_bytes value)
{
	return (struct leat_arg){ .kind = value.ptr ? LEAT_ARG_BYTES : LEAT_ARG_NULL, .bytes = value };
}

static inline struct leat_arg leat_arg_time(leat_time value)
{
	return (struct leat_arg){ .kind = LEAT_ARG_TIME, .time = value };
}

static inline struct leat_arg leat_arg_uuid(leat_uuid value)
{
	return (struct leat_arg){ .kind = LEAT_ARG_UUID, .uuid = value };
}

static inline struct leat_arg leat_arg_json(leat_json value)
{
	return leat_arg_text(value.text);
}

static inline struct leat_arg leat_arg_ints(leat_ints value)
{
	return (struct leat_arg){ .kind = value.items ? LEAT_ARG_INTS : LEAT_ARG_NULL, .ints = value };
}

static inline struct leat_arg leat_arg_texts(leat_texts value)
{
	return (struct leat_arg){ .kind = value.items ? LEAT_ARG_TEXTS : LEAT_ARG_NULL, .texts = value };
}

#define LEAT_ARG(...) \
	_Generic((__VA_ARGS__), bool : leat_arg_bool, double : leat_arg_float, float : leat_arg_float, leat_text : leat_arg_text, \
		 char * : leat_arg_string, const char * : leat_arg_string, leat_bytes : leat_arg_bytes, \
		 leat_time : leat_arg_time, leat_uuid : leat_arg_uuid, leat_json : leat_arg_json, leat_ints : leat_arg_ints, \
		 leat_texts : leat_arg_texts, default : leat_arg_int)(__VA_ARGS__)
#define LEAT_ARG_IF(is_there, ...) ((is_there) ? LEAT_ARG(__VA_ARGS__) : LEAT_NULL)
#define LEAT_NULL ((struct leat_arg){ .kind = LEAT_ARG_NULL })

/* One row into 'row', a struct of the statement's shape. LEAT_NOT_FOUND when there is none. */
#define leat_db_one(req, statement, row, ...) leat_db_one_(req, statement, row, LEAT_ARGS_(__VA_ARGS__))

/* All rows, as a list of structs of the statement's shape. LEAT_OK with no items when there is none. */
#define leat_db_all(req, statement, ret_list, ...) leat_db_all_(req, statement, ret_list, LEAT_ARGS_(__VA_ARGS__))

/* No rows wanted; the number of rows changed, unless ret_count is NULL. */
#define leat_db_exec(req, statement, ret_count, ...) leat_db_exec_(req, statement, ret_count, LEAT_ARGS_(__VA_ARGS__))

/* Sends now, to be awaited later: several statements of one handler travel together.
 * Every query sent is awaited, or given up when the request ends. */
#define leat_db_send(req, statement, ret_query, ...) leat_db_send_(req, statement, ret_query, LEAT_ARGS_(__VA_ARGS__))

/* Transactions ------------------------------------------------------------------------------------------------------ */

enum leat_isolation { LEAT_ISOLATION_DEFAULT, LEAT_READ_COMMITTED, LEAT_REPEATABLE_READ, LEAT_SERIALIZABLE };

struct leat_tx_options {
	enum leat_isolation isolation; /* LEAT_ISOLATION_DEFAULT: the server's */
	bool read_only;
};

typedef enum leat_result (*leat_tx_fn)(struct leat_request *req, void *arg);

/* Runs 'fn' in a transaction, on a connection of its own: all that 'fn' asks of the database goes there. LEAT_OK of 'fn' commits, all else
 * rolls back, and is the result. 'options' may be NULL.
 *
 * 'fn' may run again: when PostgreSQL gave the transaction up for the sake of others (serialization failure, deadlock), or a statement's
 * prepared form no longer fits, up to three times more, after short pauses, within the request's deadline. So it must do nothing but
 * ask the database and set what it sets each time. After that: LEAT_UNAVAILABLE.
 * When the connection is lost while it commits, nobody knows whether it did: LEAT_UNAVAILABLE, and it is not run again.
 *
 * Within 'fn', leat_tx makes a savepoint: what the inner function did is undone unless it returns LEAT_OK, and the outer one may go on.
 * Options are the outermost's. */
LEAT_API enum leat_result leat_tx(struct leat_request *req, const struct leat_tx_options *options, leat_tx_fn fn,
				  void *arg) LEAT_MUST_USE;

/* COPY, within leat_tx: other statements wait until it is over. A copy that is left unfinished ends the transaction and its connection.
 * 'sql' is COPY ... FROM STDIN or COPY ... TO STDOUT, without parameters, and lives until the copy is over. */
struct leat_copy;

LEAT_API enum leat_result leat_db_copy_in(struct leat_request *req, const char *sql, struct leat_copy **ret_copy) LEAT_MUST_USE;

/* Bytes of the stream, cut anywhere, up to 2 GiB. Waits while the server is slower. */
LEAT_API enum leat_result leat_db_copy_put(struct leat_copy *copy, leat_text bytes) LEAT_MUST_USE;

/* The server has all of it, and says how many rows (ret_count may be NULL), or what is wrong with them. */
LEAT_API enum leat_result leat_db_copy_end(struct leat_copy *copy, int64_t *ret_count) LEAT_MUST_USE;

LEAT_API enum leat_result leat_db_copy_out(struct leat_request *req, const char *sql, struct leat_copy **ret_copy) LEAT_MUST_USE;

/* The next row, good until the next call; LEAT_NOT_FOUND after the last one. Waits for the server; the server waits while nobody calls. */
LEAT_API enum leat_result leat_db_copy_get(struct leat_copy *copy, leat_text *ret_bytes) LEAT_MUST_USE;

/* Notifications ----------------------------------------------------------------------------------------------------- */

struct leat_subscription;

/* Listens on a channel of PostgreSQL's NOTIFY, from the return of this call to the end of the request. The name is taken as it is, in
 * its case. All requests of a process share one connection for it. Not behind PgBouncer in transaction mode, which loses it.
 * LEAT_UNAVAILABLE: the server is away. */
LEAT_API enum leat_result leat_db_listen(struct leat_request *req, const char *channel,
					 struct leat_subscription **ret_subscription) LEAT_MUST_USE;

/* Waits for the next notification; its payload lives as long as the request, so a long-lived request has as many as it may hold.
 * LEAT_UNAVAILABLE: some may have been missed, because more than db_notify_queue waited, or the connection was lost; read the state anew,
 * and go on: it still listens. A loss is told at once, within db_notify_silence and db_connect_timeout when the network says nothing of it,
 * and a second time when it listens again: what was said in between was missed, too. LEAT_TIMED_OUT at the request's deadline. */
LEAT_API enum leat_result leat_db_notified(struct leat_request *req, struct leat_subscription *subscription,
					   leat_text *ret_payload) LEAT_MUST_USE;

/* Waits for a sent query and lists its rows; ret_rows may be NULL. */
LEAT_API enum leat_result leat_db_wait(struct leat_request *req, struct leat_query *query,
				       struct leat_list *ret_rows) LEAT_MUST_USE;

/* Waits for a sent query; the number of rows it changed, unless ret_count is NULL. */
LEAT_API enum leat_result leat_db_wait_count(struct leat_request *req, struct leat_query *query,
					     int64_t *ret_count) LEAT_MUST_USE;

/* Waits until one of several sent queries is answered, whichever comes first, and tells its place; leat_db_wait on it then does not
 * wait. NULL entries, and queries awaited before, are passed over; one at least must be left. */
LEAT_API enum leat_result leat_db_wait_any(struct leat_request *req, struct leat_query *const *queries, size_t count,
					   size_t *ret_index) LEAT_MUST_USE;

#define LEAT_ARGS_(...) \
	((const struct leat_arg[]){ LEAT_NULL __VA_OPT__(, ) __VA_ARGS__ } + 1), \
		(unsigned)(sizeof((const struct leat_arg[]){ LEAT_NULL __VA_OPT__(, ) __VA_ARGS__ }) / sizeof(struct leat_arg) - 1)

LEAT_API enum leat_result leat_db_one_(struct leat_request *req, const struct leat_statement *statement, void *row,
				       const struct leat_arg *args, unsigned arg_count) LEAT_MUST_USE;
LEAT_API enum leat_result leat_db_all_(struct leat_request *req, const struct leat_statement *statement,
				       struct leat_list *ret_list, const struct leat_arg *args,
				       unsigned arg_count) LEAT_MUST_USE;
LEAT_API enum leat_result leat_db_exec_(struct leat_request *req, const struct leat_statement *statement,
					int64_t *ret_count, const struct leat_arg *args,
					unsigned arg_count) LEAT_MUST_USE;
LEAT_API enum leat_result leat_db_send_(struct leat_request *req, const struct leat_statement *statement,
					struct leat_query **ret_query, const struct leat_arg *args,
					unsigned arg_count) LEAT_MUST_USE;

#endif
