/* lane_send.c - see lane.h. From a query to bytes in libpq's buffer, and from there to the server.
 *
 * A statement goes out as Bind, Describe, Execute; on its first use on a connection with its Parse in front, so that a fault
 * in its text comes back to the query itself. (A statement once parsed stays prepared even when the Execute behind it fails:
 * prepared statements are not transactional.) When it is prepared again on a lane it gets a new name, so a form that is stale
 * needs no closing before it is replaced. Names come from the text: where sessions are shared behind our back (PgBouncer), one name
 * still never runs another statement.
 *
 * Batches. Behind each statement goes a Sync, which ends its transaction and lets the server answer. Statements that one
 * request sends together share one (query->batch): reads, and whatever belongs to one transaction anyway. So do reads that different
 * requests send in one turn, as long as all of them together usually take no longer than SHARED_MOST_NS: whoever is first waits
 * for the last. The server then is woken once, works through them, and answers once. When one of them fails, the server skips
 * those behind it up to the Sync:
 *  - reads that were skipped are sent again, each with a Sync of its own, so that the failure touches none of them;
 *  - in a transaction they end as the one did that failed: the transaction cannot go on in any case. (So BEGIN need not be
 *    waited for, either: when it fails, what stands behind it in its batch is not run.)
 * Writes outside a transaction have a Sync each.
 *
 * When bytes leave. PQsendPipelineSync (libpq 17) queues the Sync, and PQflush at the end of the turn sends all. Older libpq
 * has only PQpipelineSync, which flushes: one send(2) a batch. Measured before there were batches, 64 tasks that read rows by
 * primary key, a Unix socket, 2 processors for all:
 *
 *                                                    queries/s  our CPU  queries a turn
 *     1 lane,  PQpipelineSync: a send a query          131,000   4.6 us   1.8
 *     1 lane,  PQsendPipelineSync: a send a turn       134,000   4.25 us  1.8
 *     2 lanes, PQpipelineSync                          147,000   3.5 us   15
 *     2 lanes, PQsendPipelineSync                      170,000   2.8 us   8
 *
 * (The latter made for the measurement, in libpq 15's own structures.) Receiving takes one call a turn either way. What
 * else could save sends before libpq 17, and why it is not here:
 *  - Writes that share a Sync with a COMMIT behind each: after a lost connection even fewer of them could be told to have run or not.
 *  - A socket that is full in the place of libpq's, by dup2(2), while a turn's statements are queued: then each Sync
 *    makes calls that fail instead of one that succeeds, and TLS sees them. Not measured.
 *  - Writing the Sync into libpq's buffer by its internal header: the structures change with every libpq. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "back/lane_internal.h"

#include <libpq-fe.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/number.h"

#define NAME_STALE UINT_MAX /* it was prepared under another name */

#define SHARED_MOST_NS (2 * CLOCK_MS)

enum {
	NAME_SIZE = STATEMENT_NAME_SIZE + 1 + NUMBER_INT_MAX,
	NAMES_STEP = 32,
};

/* Names ----------------------------------------------------------------------------------------------------------- */

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

void lane_forget_name(struct lane *lane, const struct query *query)
{
	unsigned *name = query->work == QUERY_COMMAND ? NULL : name_of(lane, query->statement);

	if (name && *name == query->name)
		*name = NAME_STALE;
}

void lane_forget_parse(struct lane *lane, const struct query *query)
{
	unsigned *name = name_of(lane, query->statement);

	if (*name == query->name)
		*name = query->name == 1 ? 0 : NAME_STALE;
}

/* Into libpq's buffer ------------------------------------------------------------------------------------------------ */

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

/* All that had not left has left now. The loop's time is that of the turn's beginning: the task may have computed since. */
static void note_sent(struct lane *lane)
{
	int64_t now_ns = clock_now_ns();

	for (struct query *query = lane->in_flight.last; query && query->sent_ns == 0; query = query->prev)
		query->sent_ns = now_ns;
}

/* Behind the last one in flight. */
static bool put_sync(struct lane *lane)
{
	lane->batch = NULL;
	lane->in_flight.last->has_sync = true;
#ifdef HAVE_PQSENDPIPELINESYNC
	return PQsendPipelineSync(lane->connection);
#else
	note_sent(lane);
	return PQpipelineSync(lane->connection);
#endif
}

static int64_t usual_ns(const struct query *query)
{
	return query->work == QUERY_EXECUTE && query->statement->usual_ns ? query->statement->usual_ns : SHARED_MOST_NS;
}

static bool joins_batch(const struct lane *lane, const struct query *query)
{
	if (!lane->batch || !query->batch)
		return false;
	return lane->batch == query->batch || (!lane->is_lent && lane->batch_ns + usual_ns(query) <= SHARED_MOST_NS);
}

/* The batch before it, if it is another one, ends. */
void lane_put(struct lane *lane, struct query *query)
{
	bool joins = joins_batch(lane, query);
	bool is_put = joins || !lane->batch || put_sync(lane);

	lane->batch_ns = usual_ns(query) + (joins ? lane->batch_ns : 0);
	query->has_parse = query->has_sync = query->is_skipped = false;
	query->sent_ns = 0;
	query_list_append(&lane->in_flight, query);
	metrics_add(METRIC_DB_IN_FLIGHT, 1);
	lane->batch = query->batch;
	if (is_put && put_work(lane, query) && (query->batch || put_sync(lane)))
		loop_at_turn_end(lane->host->loop, &lane->turn);
	else
		lane_lose_by_libpq(lane);
}

void lane_send(struct lane *lane, struct query *query)
{
	LEAT_CHECK(lane->state == LANE_READY || (lane->is_lent && lane->state == LANE_PREPARING));
	query->state = QUERY_SENT;
	query->lane = lane;
	metrics_add(METRIC_DB_QUERIES, 1);
	lane_put(lane, query);
}

bool lane_put_own(struct lane *lane, enum query_work work, struct statement *statement, const char *command)
{
	struct query *query = query_take(lane->host->queries);

	query->state = QUERY_ABANDONED;
	query->work = work;
	query->statement = statement;
	query->command = command;
	lane_put(lane, query);
	return lane->connection;
}

void lane_command(struct lane *lane, const char *command)
{
	LEAT_CHECK(lane->state == LANE_READY);
	if (!lane_put_own(lane, QUERY_COMMAND, NULL, command))
		return; /* the owner has been told */
}

/* To the server ------------------------------------------------------------------------------------------------------ */

/* What the socket does not take now goes when it is writable. */
void lane_flush(struct lane *lane)
{
	int left = PQflush(lane->connection);

	if (left < 0 || !lane_watch_for(lane, left ? EPOLLIN | EPOLLOUT : EPOLLIN))
		lane_lose_by_libpq(lane);
}

void lane_on_turn_end(struct loop_turn *turn)
{
	struct lane *lane = (struct lane *)((char *)turn - offsetof(struct lane, turn));

	if (!lane_state_is_connected(lane->state))
		return;
	if (lane->batch && !put_sync(lane)) {
		lane_lose_by_libpq(lane);
		return;
	}
	note_sent(lane);
	lane_flush(lane);
}
