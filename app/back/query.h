/* query.h - one statement on its way: from the task that sent it, over a lane, and back.
 *
 * Use:
 *     struct query *query = query_take(&pool);
 *     query_list_append(&queue, query);
 *     ...
 *     query_finish(&pool, query, LEAT_OK, result);   -- wakes the task; or drops it all when nobody wants it
 *     query_give(&pool, query);                      -- by the task, when it has its answer
 *
 * A query outlives the request that sent it: given up at its deadline it stays in its lane's order until the server has
 * answered. So queries come from a pool, and what they borrow from the request (values, the waiting task) is not
 * touched any more once they are abandoned.
 *
 * Ownership:      the pool owns free queries; the queue or lane it is in owns one under way; the task one that is
 *                 done. A query owns its result until the task takes it.
 * Thread-safety:  only the worker that made the pool.
 * Errors:         none; running out of memory ends the program.
 */
#ifndef APP_BACK_QUERY_H
#define APP_BACK_QUERY_H

#include <leat/result.h>
#include <stdbool.h>
#include <stdint.h>

struct lane;
struct lane_set;
struct pg_result; /* libpq's PGresult */
struct statement;
struct task;

enum query_state {
	QUERY_FREE,
	QUERY_QUEUED,    /* no lane has it yet */
	QUERY_SENT,      /* in flight; its request wants the answer */
	QUERY_ABANDONED, /* in flight; nobody wants the answer */
	QUERY_DONE,      /* answered, not fetched yet */
};

enum query_work {
	QUERY_EXECUTE, /* a statement; prepared first where it has to be */
	QUERY_PREPARE, /* prepares a statement, no more: a lane's own */
	QUERY_COMMAND, /* a command without values: a lane's own */
};

struct query {
	struct query *next, *prev;
	enum query_state state;
	enum query_work work;
	struct statement *statement; /* of QUERY_EXECUTE and QUERY_PREPARE */
	const char *command;         /* of QUERY_COMMAND; while it is not abandoned */
	const char *const *values;   /* in text form, NULL is NULL; the request's memory */
	unsigned value_count;
	const void *batch;        /* whose statements it may share a Sync with; NULL: it has one of its own */
	unsigned name;            /* under which the lane has prepared the statement */
	bool has_parse;           /* it was sent with its Parse */
	bool has_sync;            /* it was sent with a Sync behind it: the last one of its batch */
	bool is_skipped;          /* not run: one before it in its batch had failed */
	bool was_renamed;         /* sent a second time, unnamed, because the prepared form was stale */
	bool was_moved;           /* sent a second time, because the connection was lost */
	bool is_last_try;         /* it is not sent a second time */
	bool is_transient;        /* failed in a way that the whole transaction may be tried again */
	struct lane_set *set;     /* QUERY_QUEUED: in whose queue */
	struct lane *lane;        /* QUERY_SENT: where */
	int64_t sent_ns;          /* 0: it has not left yet */
	struct task *waiter;      /* sleeps until the state is QUERY_DONE; NULL: its task does something else */
	struct pg_result *result; /* the server's last word, before and after QUERY_DONE */
	enum leat_result outcome; /* QUERY_DONE */
};

struct query_list {
	struct query *first, *last;
	unsigned count;
};

void query_list_append(struct query_list *list, struct query *query);
void query_list_remove(struct query_list *list, struct query *query);

struct query_pool {
	struct query *free;
	unsigned out; /* how many are not free */
};

/* For logs. */
const char *query_text(const struct query *query);

void query_pool_fini(struct query_pool *pool);
struct query *query_take(struct query_pool *pool) __attribute__((returns_nonnull));

/* Drops the result too, unless it was taken. */
void query_give(struct query_pool *pool, struct query *query);

/* It is to be sent again, alone: what was answered counts no more. */
void query_forget(struct query *query);

/* The answer has come, or never will: the query has left its list. 'result' may be NULL. */
void query_finish(struct query_pool *pool, struct query *query, enum leat_result outcome, struct pg_result *result);

#endif
