/* testbed_replica.c - the testbed's routes that tell which server has answered. Servers have a cluster_name each, and a table keys. */
#include <leat.h>

struct answer {
	leat_text server;
	bool is_standby;
	int64_t n;
};

static const struct leat_shape answer_shape = LEAT_SHAPE(struct answer, LEAT_TEXT(server), LEAT_BOOL(is_standby), LEAT_INT(n));

#define ANSWER "SELECT current_setting('cluster_name') AS server, pg_is_in_recovery() AS is_standby, "

static const struct leat_statement where = { .sql = ANSWER "0 AS n", .row = &answer_shape, .read_only = true };
static const struct leat_statement where_current = {
	.sql = ANSWER "1 AS n", .row = &answer_shape, .read_only = true, .current = true
};
static const struct leat_statement where_writable = { .sql = ANSWER "2 AS n", .row = &answer_shape };
static const struct leat_statement where_key = { .sql = ANSWER "count(*) AS n FROM keys WHERE key = $1",
						 .row = &answer_shape,
						 .read_only = true };
static const struct leat_statement where_slow = { .sql = ANSWER "count(pg_sleep($1)) AS n",
						  .row = &answer_shape,
						  .read_only = true };
static const struct leat_statement where_liar = { .sql = ANSWER "nextval('liar') AS n",
						  .row = &answer_shape,
						  .read_only = true };
static const struct leat_statement where_table = { .sql = "SELECT server, is_standby, 1 / n AS n FROM (" ANSWER
							  "$1::int8 AS n) AS one",
						   .row = &answer_shape,
						   .read_only = true };
static const struct leat_statement insert_key = { .sql = "INSERT INTO keys (key) VALUES ($1)" };

static enum leat_result reply(struct leat_request *req, const struct answer *answer)
{
	return leat_reply(req, 200, &answer_shape, answer);
}

static enum leat_result ask(struct leat_request *req, const struct leat_statement *statement)
{
	struct answer answer;

	LEAT_TRY(leat_db_one(req, statement, &answer));
	return reply(req, &answer);
}

static enum leat_result get_where(struct leat_request *req)
{
	return ask(req, &where);
}

static enum leat_result get_current(struct leat_request *req)
{
	return ask(req, &where_current);
}

static enum leat_result get_writable(struct leat_request *req)
{
	return ask(req, &where_writable);
}

static enum leat_result get_liar(struct leat_request *req)
{
	return ask(req, &where_liar);
}

static enum leat_result ask_in_tx(struct leat_request *req, void *answer)
{
	return leat_db_one(req, &where, answer);
}

static enum leat_result get_tx(struct leat_request *req)
{
	const struct leat_tx_options read_only = { .read_only = true };
	struct answer answer;

	LEAT_TRY(leat_tx(req, &read_only, ask_in_tx, &answer));
	return reply(req, &answer);
}

static enum leat_result get_after_tx(struct leat_request *req)
{
	struct answer answer;

	LEAT_TRY(leat_tx(req, NULL, ask_in_tx, &answer));
	return ask(req, &where);
}

static enum leat_result get_after_read_only_tx(struct leat_request *req)
{
	const struct leat_tx_options read_only = { .read_only = true };
	struct answer answer;

	LEAT_TRY(leat_tx(req, &read_only, ask_in_tx, &answer));
	return ask(req, &where);
}

static enum leat_result get_after_listen(struct leat_request *req)
{
	struct leat_subscription *subscription;

	LEAT_TRY(leat_db_listen(req, "keys", &subscription));
	return ask(req, &where);
}

static enum leat_result ask_key(struct leat_request *req)
{
	struct answer answer;

	LEAT_TRY(leat_db_one(req, &where_key, &answer, LEAT_ARG(leat_path_int(req, "key"))));
	return reply(req, &answer);
}

static enum leat_result post_key(struct leat_request *req)
{
	LEAT_TRY(leat_db_exec(req, &insert_key, NULL, LEAT_ARG(leat_path_int(req, "key"))));
	return ask_key(req);
}

static enum leat_result post_key_sent(struct leat_request *req)
{
	struct leat_query *written, *read;
	struct leat_list rows;

	LEAT_TRY(leat_db_send(req, &insert_key, &written, LEAT_ARG(leat_path_int(req, "key"))));
	LEAT_TRY(leat_db_send(req, &where, &read));
	LEAT_TRY(leat_db_wait(req, read, &rows));
	LEAT_TRY(leat_db_wait(req, written, NULL));
	return reply(req, rows.items);
}

static enum leat_result get_sent(struct leat_request *req)
{
	struct leat_query *first, *second;
	struct leat_list rows;

	LEAT_TRY(leat_db_send(req, &where, &first));
	LEAT_TRY(leat_db_send(req, &where, &second));
	LEAT_TRY(leat_db_wait(req, second, &rows));
	return reply(req, rows.items); /* the first one is given up */
}

static enum leat_result get_unsent(struct leat_request *req)
{
	struct leat_query *query;

	LEAT_TRY(leat_db_send(req, &where, &query));
	return leat_reply_empty(req, 204); /* before it has left */
}

static enum leat_result get_slow(struct leat_request *req)
{
	struct answer answer;

	LEAT_TRY(leat_db_one(req, &where_slow, &answer, LEAT_ARG((double)leat_path_int(req, "ms") / 1000)));
	return reply(req, &answer);
}

static enum leat_result get_quotient(struct leat_request *req)
{
	struct answer answer;

	LEAT_TRY(leat_db_one(req, &where_table, &answer, LEAT_ARG(leat_path_int(req, "n"))));
	return reply(req, &answer);
}

const struct leat_route replica_routes[] = {
	{ LEAT_GET, "/where", get_where, .summary = "Reads", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/current", get_current, .summary = "Reads what is current", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/writable", get_writable, .summary = "Reads, and does not say so", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/liar", get_liar, .summary = "Writes, and says it reads", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/tx", get_tx, .summary = "Reads in a transaction", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/after-tx", get_after_tx, .summary = "Reads after one", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/after-read-only-tx", get_after_read_only_tx, .summary = "The same", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/after-listen", get_after_listen, .summary = "Listens, and reads", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/sent", get_sent, .summary = "Two that are sent", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/unsent", get_unsent, .summary = "One that nobody waits for", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/slow/{ms:int}", get_slow, .summary = "Reads for a while", .deadline_ms = 5000 },
	{ LEAT_GET, "/where/quotient/{n:int}", get_quotient, .summary = "Divides 1", .deadline_ms = 2000 },
	{ LEAT_GET, "/where/keys/{key:int}", ask_key, .summary = "Counts a key", .deadline_ms = 2000 },
	{ LEAT_POST, "/where/keys/{key:int}", post_key, .summary = "Writes a key and counts it", .deadline_ms = 2000 },
	{ LEAT_POST, "/where/keys/{key:int}/sent", post_key_sent, .summary = "Writes and reads", .deadline_ms = 2000 },
	LEAT_ROUTES_END
};
