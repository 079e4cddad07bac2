/* testbed.c - a service for the web and hostile tests: routes that wait, echo, ignore, grow and break, and some that ask a database. */
#include <leat.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BIG_MAX = 64 * 1024 * 1024 };

LEAT_STATIC_JSON(hello, "{\"message\":\"hello\"}");

static enum leat_result get_hello(struct leat_request *req)
{
	return leat_reply_static(req, &hello);
}

static enum leat_result get_sleep(struct leat_request *req)
{
	LEAT_TRY(leat_sleep(req, leat_path_int(req, "ms")));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("slept\n"));
}

/* Keeps the processor busy: what a handler should not do for long. */
static enum leat_result get_spin(struct leat_request *req)
{
	int64_t until = leat_time_left_ms(req) - leat_path_int(req, "ms");

	while (leat_time_left_ms(req) > until && leat_time_left_ms(req) > 0)
		;
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("spun\n"));
}

static enum leat_result post_echo(struct leat_request *req)
{
	leat_text body;

	LEAT_TRY(leat_body_text(req, &body));
	return leat_reply_text(req, 200, "application/octet-stream", body);
}

static enum leat_result post_ignore(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("ignored\n"));
}

static enum leat_result get_big(struct leat_request *req)
{
	int64_t bytes = leat_path_int(req, "bytes");
	char *body;

	if (bytes < 0 || bytes > BIG_MAX)
		return leat_fail(req, LEAT_BAD_REQUEST, "from 0 to %d bytes", BIG_MAX);
	body = leat_alloc(req, (size_t)bytes + 1);
	memset(body, 'x', (size_t)bytes);
	return leat_reply_text(req, 200, "text/plain", (leat_text){ body, (size_t)bytes });
}

struct environment {
	leat_text client, host, user_agent, test, remote_user, request_id, query_name;
};

static const struct leat_shape environment_shape = LEAT_SHAPE(struct environment, LEAT_TEXT(client), LEAT_TEXT(host),
							      LEAT_TEXT(user_agent), LEAT_TEXT(test),
							      LEAT_TEXT(remote_user), LEAT_TEXT(request_id),
							      LEAT_TEXT(query_name));

/* What the front server told about the request. REMOTE_USER is no header: it stays absent even when forged. */
static enum leat_result get_env(struct leat_request *req)
{
	struct environment environment = {
		.client = leat_client_address(req),
		.host = leat_header(req, "Host"),
		.user_agent = leat_header(req, "User-Agent"),
		.test = leat_header(req, "X-Test"),
		.remote_user = leat_header(req, "Remote-User"),
		.request_id = leat_request_id(req),
		.query_name = leat_query(req, "name"),
	};

	return leat_reply(req, 200, &environment_shape, &environment);
}

static void doubled(void *arg)
{
	*(int64_t *)arg *= 2;
}

static void block(void *arg)
{
	usleep((useconds_t)*(int64_t *)arg * 1000);
}

static enum leat_result get_double(struct leat_request *req)
{
	int64_t n = leat_path_int(req, "n");

	LEAT_TRY(leat_offload(req, doubled, &n, sizeof(n)));
	return leat_reply_text(req, 200, "text/plain", leat_format(req, "%lld\n", (long long)n));
}

static enum leat_result get_block(struct leat_request *req)
{
	int64_t ms = leat_path_int(req, "ms");

	LEAT_TRY(leat_offload(req, block, &ms, sizeof(ms)));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("blocked\n"));
}

static enum leat_result get_header(struct leat_request *req)
{
	LEAT_TRY(leat_reply_header(req, "X-Test", leat_query(req, "value")));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("ok\n"));
}

static enum leat_result get_nothing(struct leat_request *req)
{
	(void)req;
	return LEAT_OK; /* a bug: no reply was given */
}

/* Dies, as a handler does that uses a NULL pointer. */
static enum leat_result get_crash(struct leat_request *req)
{
	(void)req;
	raise(SIGSEGV);
	return LEAT_INTERNAL;
}

/* volatile: every frame must stay on the stack. */
static int64_t deep(volatile char *above, int64_t depth)
{
	volatile char frame[512];

	frame[0] = above[0];
	return depth == 0 ? frame[0] : deep(frame, depth - 1) + frame[0];
}

static enum leat_result get_deep(struct leat_request *req)
{
	volatile char first = 0;

	return leat_reply_text(req, 200, "text/plain",
			       leat_format(req, "%lld\n", (long long)deep(&first, leat_path_int(req, "depth"))));
}

/* The database: each on a lane, and in a transaction on a connection that is lent ------------------------------------ */

struct number {
	int64_t n;
};

static const struct leat_shape number_shape = LEAT_SHAPE(struct number, LEAT_INT(n));

struct thing {
	int64_t id;
	leat_text name;
};

static const struct leat_shape thing_shape = LEAT_SHAPE(struct thing, LEAT_INT(id), LEAT_TEXT(name));

static const struct leat_statement read_number = { .sql = "SELECT $1::int8 AS n",
						   .row = &number_shape,
						   .read_only = true };
static const struct leat_statement sleep_in_database = { .sql = "SELECT count(pg_sleep($1)) AS n",
							 .row = &number_shape,
							 .read_only = true };
static const struct leat_statement first_thing = { .sql = "SELECT * FROM things ORDER BY id LIMIT 1",
						   .row = &thing_shape,
						   .read_only = true };
static const struct leat_statement add_key = { .sql = "INSERT INTO keys (key) VALUES ($1)" };
static const struct leat_statement discard_all = { .sql = "DISCARD ALL" };
static const struct leat_statement deallocate_all = { .sql = "DEALLOCATE ALL" };

static const struct leat_statement count_to = { .sql = "SELECT generate_series(1, $1::int8) AS n",
						.row = &number_shape,
						.read_only = true };

static enum leat_result ask_number(struct leat_request *req, void *number)
{
	return leat_db_one(req, &read_number, number, LEAT_ARG(leat_path_int(req, "n")));
}

static enum leat_result get_number(struct leat_request *req)
{
	struct number number;

	LEAT_TRY(ask_number(req, &number));
	return leat_reply(req, 200, &number_shape, &number);
}

static enum leat_result get_number_lent(struct leat_request *req)
{
	struct number number;

	LEAT_TRY(leat_tx(req, NULL, ask_number, &number));
	return leat_reply(req, 200, &number_shape, &number);
}

static enum leat_result ask_sleep(struct leat_request *req, void *number)
{
	return leat_db_one(req, &sleep_in_database, number, LEAT_ARG((double)leat_path_int(req, "ms") / 1000));
}

static enum leat_result get_db_sleep(struct leat_request *req)
{
	struct number number;

	LEAT_TRY(ask_sleep(req, &number));
	return leat_reply(req, 200, &number_shape, &number);
}

static enum leat_result get_db_sleep_lent(struct leat_request *req)
{
	struct number number;

	LEAT_TRY(leat_tx(req, NULL, ask_sleep, &number));
	return leat_reply(req, 200, &number_shape, &number);
}

static enum leat_result ask_thing(struct leat_request *req, void *thing)
{
	return leat_db_one(req, &first_thing, thing);
}

static enum leat_result get_thing(struct leat_request *req)
{
	struct thing thing;

	LEAT_TRY(ask_thing(req, &thing));
	return leat_reply(req, 200, &thing_shape, &thing);
}

static enum leat_result get_thing_lent(struct leat_request *req)
{
	struct thing thing;

	LEAT_TRY(leat_tx(req, NULL, ask_thing, &thing));
	return leat_reply(req, 200, &thing_shape, &thing);
}

/* The sum of what is read row by row. */
static enum leat_result get_sum(struct leat_request *req)
{
	struct number number, sum = { 0 };
	struct leat_rows *rows;

	LEAT_TRY(leat_db_stream(req, &count_to, &rows, LEAT_ARG(leat_path_int(req, "n"))));
	while (leat_rows_next(rows, &number) == LEAT_OK)
		sum.n += number.n;
	LEAT_TRY(leat_rows_end(rows));
	return leat_reply(req, 200, &number_shape, &sum);
}

static enum leat_result write_key(struct leat_request *req, void *arg)
{
	(void)arg;
	return leat_db_exec(req, &add_key, NULL, LEAT_ARG(leat_path_int(req, "key")));
}

static enum leat_result post_key(struct leat_request *req)
{
	LEAT_TRY(write_key(req, NULL));
	return leat_reply_empty(req, 204);
}

static enum leat_result post_key_lent(struct leat_request *req)
{
	LEAT_TRY(leat_tx(req, NULL, write_key, NULL));
	return leat_reply_empty(req, 204);
}

static enum leat_result post_key_read_only(struct leat_request *req)
{
	const struct leat_tx_options read_only = { .read_only = true };

	LEAT_TRY(leat_tx(req, &read_only, write_key, NULL));
	return leat_reply_empty(req, 204);
}

static enum leat_result post_discard_all(struct leat_request *req)
{
	LEAT_TRY(leat_db_exec(req, &discard_all, NULL));
	return leat_reply_empty(req, 204);
}

static enum leat_result forget_all(struct leat_request *req, void *arg)
{
	(void)arg;
	return leat_db_exec(req, &deallocate_all, NULL);
}

static enum leat_result post_deallocate_all(struct leat_request *req)
{
	LEAT_TRY(forget_all(req, NULL));
	return leat_reply_empty(req, 204);
}

static enum leat_result post_deallocate_all_lent(struct leat_request *req)
{
	LEAT_TRY(leat_tx(req, NULL, forget_all, NULL));
	return leat_reply_empty(req, 204);
}

/* The first word that is told of 'news': 503 when some may have been missed. */
static enum leat_result get_told(struct leat_request *req)
{
	struct leat_subscription *news;
	leat_text word;

	LEAT_TRY(leat_db_listen(req, "news", &news));
	LEAT_TRY(leat_db_notified(req, news, &word));
	return leat_reply_text(req, 200, "text/plain", word);
}

/* The same, however many are missed before it. */
static enum leat_result get_told_at_last(struct leat_request *req)
{
	struct leat_subscription *news;
	enum leat_result result;
	leat_text word;

	LEAT_TRY(leat_db_listen(req, "news", &news));
	do
		result = leat_db_notified(req, news, &word);
	while (result == LEAT_UNAVAILABLE);
	LEAT_TRY(result);
	return leat_reply_text(req, 200, "text/plain", word);
}

static const struct leat_route routes[] = {
	{ LEAT_GET, "/hello", get_hello, .summary = "A rendered reply" },
	{ LEAT_GET, "/sleep/{ms:int}", get_sleep, .summary = "Waits", .deadline_ms = 60000 },
	{ LEAT_GET, "/sleep/{ms:int}/quick", get_sleep, .summary = "Waits, 100 ms at most", .deadline_ms = 100 },
	{ LEAT_GET, "/spin/{ms:int}", get_spin, .summary = "Computes" },
	{ LEAT_POST, "/echo", post_echo, .summary = "The body" },
	{ LEAT_POST, "/ignore", post_ignore, .summary = "Answers without reading the body" },
	{ LEAT_GET, "/big/{bytes:int}", get_big, .summary = "So many bytes" },
	{ LEAT_GET, "/env", get_env, .summary = "What leat was told" },
	{ LEAT_GET, "/double/{n:int}", get_double, .summary = "Offloaded" },
	{ LEAT_GET, "/block/{ms:int}", get_block, .summary = "Blocks an offload thread", .deadline_ms = 500 },
	{ LEAT_GET, "/header", get_header, .summary = "Adds a header" },
	{ LEAT_GET, "/nothing", get_nothing, .summary = "A handler without a reply" },
	{ LEAT_GET, "/crash", get_crash, .summary = "A handler that dies" },
	{ LEAT_GET, "/deep/{depth:int}", get_deep, .summary = "Recursion" },
	LEAT_ROUTES_END
};

static const struct leat_route database_routes[] = {
	{ LEAT_GET, "/db/number/{n:int}", get_number, .summary = "Reads", .deadline_ms = 1000 },
	{ LEAT_GET, "/db/number/{n:int}/lent", get_number_lent, .summary = "Reads", .deadline_ms = 1000 },
	{ LEAT_GET, "/db/sleep/{ms:int}", get_db_sleep, .summary = "Sleeps in the database", .deadline_ms = 1000 },
	{ LEAT_GET, "/db/sleep/{ms:int}/lent", get_db_sleep_lent, .summary = "Sleeps there", .deadline_ms = 1000 },
	{ LEAT_GET, "/db/sum/{n:int}", get_sum, .summary = "Reads so many rows", .deadline_ms = 20000 },
	{ LEAT_GET, "/db/thing", get_thing, .summary = "All columns of a row", .deadline_ms = 1000 },
	{ LEAT_GET, "/db/thing/lent", get_thing_lent, .summary = "All columns of a row", .deadline_ms = 1000 },
	{ LEAT_GET, "/db/told", get_told, .summary = "Listens", .deadline_ms = 60000 },
	{ LEAT_GET, "/db/told/at-last", get_told_at_last, .summary = "Listens on", .deadline_ms = 60000 },
	{ LEAT_POST, "/db/keys/{key:int}", post_key, .summary = "Writes", .deadline_ms = 1000 },
	{ LEAT_POST, "/db/keys/{key:int}/lent", post_key_lent, .summary = "Writes", .deadline_ms = 1000 },
	{ LEAT_POST, "/db/keys/{key:int}/read-only", post_key_read_only, .summary = "Writes where it may not" },
	{ LEAT_POST, "/db/discard-all", post_discard_all, .summary = "Resets a lane behind leat's back" },
	{ LEAT_POST, "/db/deallocate-all", post_deallocate_all, .summary = "Drops what is prepared on a lane" },
	{ LEAT_POST, "/db/deallocate-all/lent", post_deallocate_all_lent, .summary = "The same, on one that is lent" },
	LEAT_ROUTES_END
};

extern const struct leat_route replica_routes[]; /* testbed_replica.c */

int main(int argc, char **argv)
{
	static const struct leat_route *const tables[] = { routes, database_routes, replica_routes, NULL };
	static const struct leat_service service = { .name = "testbed", .version = "1", .routes = tables };

	return leat_main(argc, argv, &service);
}
