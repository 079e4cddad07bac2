/* lane.h - one connection in pipeline mode, shared by all requests of a worker.
 *
 * Use:
 *     lane_init(&lane, &host);
 *     lane_connect(&lane);                    -- host->changed says when it is LANE_READY, or LANE_DOWN again
 *     lane_send(&lane, query);                -- answers in order, each to its own query
 *     query->state = QUERY_ABANDONED;
 *     lane_review(&lane);                     -- after one in flight was given up
 *     lane_close(&lane);
 *
 * Every statement is a transaction of its own, unless it is sent within one, and its failure touches no other. What shares a Sync,
 * and why that holds then too, is told at the top of lane_send.c; what happens when a statement is late, at the top of lane_late.c.
 *
 * Ownership:      the owner's; a lane owns the queries in flight on it, and its connection.
 * Thread-safety:  only the worker whose loop it is on.
 * Errors:         lane_send always takes the query. If the connection is lost, each query in flight either goes
 *                 back to the host (host->again) or ends with LEAT_UNAVAILABLE; the lane is LANE_DOWN.
 */
#ifndef APP_BACK_LANE_H
#define APP_BACK_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "back/dial.h"
#include "back/fault.h"
#include "back/query.h"
#include "back/statement.h"
#include "base/settings.h"
#include "task/loop.h"

struct cancel;
struct lane;
struct offload;
struct pg_conn; /* libpq's PGconn */

/* From READY on it is connected and prepared.
 *      state       what it may become */
#define LANE_STATES(X) \
	X(DOWN, 1u << LANE_CONNECTING) \
	X(CONNECTING, 1u << LANE_DOWN | 1u << LANE_PREPARING) \
	X(PREPARING, 1u << LANE_DOWN | 1u << LANE_READY) \
	X(READY, 1u << LANE_DOWN | 1u << LANE_LATE) \
	X(LATE, 1u << LANE_DOWN | 1u << LANE_READY | 1u << LANE_CANCELLING) \
	X(CANCELLING, 1u << LANE_DOWN | 1u << LANE_READY)

#define LANE_ENUM(state, next) LANE_##state,
enum lane_state { LANE_STATES(LANE_ENUM) LANE_STATE_COUNT };
#undef LANE_ENUM

static inline bool lane_state_is_connected(enum lane_state state)
{
	return state != LANE_DOWN && state != LANE_CONNECTING;
}

/* Setting db_prepare. */
enum { PREPARE_AUTO, PREPARE_NAMED, PREPARE_UNNAMED };

/* What a lane needs of its owner, and tells it. */
struct lane_host {
	struct loop *loop;
	const struct settings *settings;
	struct offload *connecting, *cancelling; /* cancels may hang for good: connecting must not wait for them */
	struct statements *statements;
	struct query_pool *queries;
	enum dial_to to;
	bool is_unnamed; /* statements are parsed each time: setting db_prepare, or found out */
	/* lane->state was 'from'. Lane functions may not be called from here. */
	void (*changed)(struct lane_host *host, struct lane *lane, enum lane_state from);
	/* The connection was lost; the query may be sent again, on any lane. */
	void (*again)(struct lane_host *host, struct query *query);
	/* NULL, or the server answered the query with an error, and it is to be asked elsewhere. */
	void (*refused)(struct lane_host *host, struct query *query, enum fault fault);
	/* A lane that is lent has nothing in flight any more. As in 'changed', no lane functions. */
	void (*drained)(struct lane_host *host, struct lane *lane);
};

struct lane {
	enum lane_state state;
	bool is_lent;   /* to one request at a time; see lend.h */
	bool is_paused; /* its task uses the connection by itself */
	struct lane_host *host;
	struct pg_conn *connection;
	struct loop_watch watch;
	uint32_t watched_events; /* 0: not watched */
	struct loop_timer timer; /* ends CONNECTING and PREPARING, LATE, CANCELLING */
	struct loop_turn turn;   /* sends what the turn's tasks have queued */
	struct query_list in_flight;
	const void *batch;     /* of the last one in flight, while its Sync is still to come */
	int64_t batch_ns;      /* what all of that batch usually takes */
	struct query *reading; /* whose results come next; NULL: the head's */
	unsigned parts_read;   /* of its Parse and Execute */
	bool is_at_sync;       /* all of the first batch is read but its Sync */
	unsigned *names;       /* by statement index: under which number it is prepared here; 0: it is not, yet */
	unsigned names_cap;
	unsigned last_name;          /* of those prepared again */
	unsigned gone_count;         /* how often the form of a statement prepared again was gone */
	int64_t made_ns;             /* when it became LANE_READY */
	int64_t answered_ns;         /* when the last answer came */
	struct query *late;          /* LATE: the head that is waited for */
	int64_t late_until_ns;       /* CANCELLING: no longer */
	struct cancel *cancel;       /* CANCELLING: under way, or done */
	struct dial *dial;           /* CONNECTING */
	char why[256];               /* why it is LANE_DOWN */
	struct lane *next_returning; /* lent, and to be given back (session.c) */
	bool is_rolled_back;         /* then: by a ROLLBACK that is not the request's */
	bool is_read_only;           /* lent, for a transaction that is to be READ ONLY; or to a standby */
};

void lane_init(struct lane *lane, struct lane_host *host);

void lane_connect(struct lane *lane);

/* A connection to be lent, adopted by a worker and released again, and dropped at last. Released with nothing in flight, and
 * dropped when nobody has adopted it, or after lane_close. */
void lane_init_lent(struct lane *lane, struct pg_conn *connection);
bool lane_adopt(struct lane *lane, struct lane_host *host) LEAT_MUST_USE;
void lane_release(struct lane *lane);
void lane_drop(struct lane *lane);

/* A lent lane with nothing in flight leaves pipeline mode, and what the loop tells of it, to its task; and comes back. False: it is lost, or
 * not free. lane_give_up closes it. */
bool lane_pause(struct lane *lane) LEAT_MUST_USE;
bool lane_resume(struct lane *lane) LEAT_MUST_USE;
void lane_give_up(struct lane *lane, const char *why);

/* The server refused a write that no READ ONLY transaction is to blame for: it is a standby, or a primary set aside. */
bool lane_is_misplaced(const struct lane *lane, enum fault fault);

/* Then a new connection may find its successor, unless this one was made just now: another would be no better. */
bool lane_may_be_left(const struct lane *lane);
#define LANE_TAKES_NO_WRITES "the server takes no writes any more"

/* Since when the statement at the head is the server's to work on; CLOCK_NEVER: there is none. */
int64_t lane_busy_since(const struct lane *lane);

/* Only a lane that is LANE_READY, or lent and LANE_PREPARING. Sent at the end of the loop's turn, or sooner; together with those
 * before it of the same query->batch, or with quick ones of others. */
void lane_send(struct lane *lane, struct query *query);

/* For whose answer nobody waits. The text is static. */
void lane_command(struct lane *lane, const char *command);

void lane_review(struct lane *lane);

/* The connection is to be another one: as if it were lost. Nothing should be in flight. */
void lane_leave(struct lane *lane, const char *why);

/* Ends what is in flight, on the server too; no call of host->changed. */
void lane_close(struct lane *lane);

#endif
