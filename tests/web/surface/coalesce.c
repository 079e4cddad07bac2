/* coalesce.c - work that is shared: by the middleware, and by the call. Each run has a number, counted over all routes here. */
#include <leat.h>
#include <stdatomic.h>
#include <stdlib.h>

struct run {
	int64_t number;
	leat_text language;
	leat_text cookie;
	bool has_caller;
	leat_text client;
};

static const struct leat_shape run_shape = LEAT_SHAPE(struct run, LEAT_INT(number), LEAT_TEXT(language, .optional = true),
						      LEAT_TEXT(cookie, .optional = true), LEAT_BOOL(has_caller),
						      LEAT_TEXT(client, .optional = true));

struct count {
	int64_t number;
};

static const struct leat_shape count_shape = LEAT_SHAPE(struct count, LEAT_INT(number));

static atomic_int runs;
static atomic_bool is_held, fails;

/* What the handler sees of its request. */
static struct run next_run(struct leat_request *req)
{
	return (struct run){ .number = atomic_fetch_add(&runs, 1) + 1,
			     .language = leat_header(req, "Accept-Language"),
			     .cookie = leat_header(req, "Cookie"),
			     .has_caller = leat_caller_get(req) != NULL,
			     .client = leat_client_address(req) };
}

/* Work goes on when the test lets it. */
static enum leat_result wait_while_held(struct leat_request *req)
{
	while (atomic_load(&is_held))
		LEAT_TRY(leat_sleep(req, 1));
	return LEAT_OK;
}

static enum leat_result post_hold(struct leat_request *req)
{
	atomic_store(&is_held, leat_path_int(req, "on") != 0);
	return leat_reply_empty(req, 204);
}

static enum leat_result post_fail(struct leat_request *req)
{
	atomic_store(&fails, leat_path_int(req, "on") != 0);
	return leat_reply_empty(req, 204);
}

static enum leat_result get_runs(struct leat_request *req)
{
	return leat_reply(req, 200, &run_shape, &(struct run){ .number = atomic_load(&runs) });
}

static enum leat_result get_run(struct leat_request *req)
{
	struct run run = next_run(req);

	LEAT_TRY(wait_while_held(req));
	if (atomic_load(&fails))
		return leat_fail(req, LEAT_UNAVAILABLE, "Run %d fails.", (int)run.number);
	return leat_reply(req, 200, &run_shape, &run);
}

/* ?n=NUMBER */
static enum leat_result get_fault(struct leat_request *req)
{
	int64_t n;

	next_run(req);
	LEAT_TRY(leat_query_int(req, "n", 1, 1, 10, &n));
	return n == 1 ? LEAT_NOT_FOUND : leat_reply_empty(req, 204);
}

static enum leat_result get_tagged(struct leat_request *req)
{
	struct run run = next_run(req);

	LEAT_TRY(leat_check_version(req, &(struct leat_version){ .tag = LEAT_TEXT_OF("v1") }));
	return leat_reply(req, 200, &run_shape, &run);
}

static enum leat_result get_cookie(struct leat_request *req)
{
	struct run run = next_run(req);

	LEAT_TRY(leat_set_cookie(req, &(struct leat_cookie){ .name = "seen", .value = LEAT_TEXT_OF("1") }));
	return leat_reply(req, 200, &run_shape, &run);
}

static enum leat_result get_stream(struct leat_request *req)
{
	LEAT_TRY(leat_stream_begin(req, 200, "text/plain"));
	return leat_stream_write(req, LEAT_TEXT_OF("never"));
}

static enum leat_result get_crash(struct leat_request *req)
{
	next_run(req);
	LEAT_TRY(wait_while_held(req));
	abort();
}

/* The call: the routes differ in their deadlines, and share their keys. */
static enum leat_result bring(struct leat_request *req, leat_text key, leat_text *ret_result)
{
	int64_t number = next_run(req).number;

	LEAT_TRY(wait_while_held(req));
	if (leat_text_equal(key, LEAT_TEXT_OF("bad")))
		return leat_fail(req, LEAT_CONFLICT, "Run %d has no result.", (int)number);
	*ret_result = leat_format(req, "%lld %.*s", (long long)number, LEAT_TEXT_PRINTF(key));
	return LEAT_OK;
}

/* In the database, where a test can hold it up. */
static const struct leat_statement count_users = { .sql = "SELECT count(*) AS number FROM users", .row = &count_shape };

static enum leat_result get_query(struct leat_request *req)
{
	struct count count;

	LEAT_TRY(leat_db_one(req, &count_users, &count));
	return leat_reply(req, 200, &count_shape, &count);
}

static const struct leat_statement one_user = { .sql = "SELECT id AS number FROM users WHERE id = $1",
						.row = &count_shape,
						.read_only = true };

static enum leat_result get_row(struct leat_request *req)
{
	struct count count;

	LEAT_TRY(leat_db_one(req, &one_user, &count, LEAT_ARG(leat_path_int(req, "id"))));
	return leat_reply(req, 200, &count_shape, &count);
}

static const struct leat_work brought = { "bring", bring };

static enum leat_result get_call(struct leat_request *req)
{
	leat_text result;
	bool is_shared;

	LEAT_TRY(leat_coalesce(req, &brought, leat_path_text(req, "key"), &result, &is_shared));
	LEAT_TRY(leat_reply_header(req, "X-Shared", is_shared ? LEAT_TEXT_OF("yes") : LEAT_TEXT_OF("no")));
	return leat_reply_text(req, 200, "text/plain", result);
}

static enum leat_result post_forget(struct leat_request *req)
{
	leat_coalesce_forget(req, &brought, leat_path_text(req, "key"));
	return leat_reply_empty(req, 204);
}

static const char *const by_language[] = { "Accept-Language", NULL };
static const struct leat_coalesce plain = { .vary = by_language };
static const struct leat_coalesce fresh = { .vary = by_language, .fresh_ms = 60000 };
static const struct leat_coalesce second = { .fresh_ms = 1000 };
static const struct leat_coalesce brief = { .fresh_ms = 1, .stale_while_revalidate_ms = 60000 };
static const struct leat_coalesce rescued = { .fresh_ms = 1, .stale_if_error_ms = 60000 };
static const struct leat_coalesce for_all = { .for_callers = true };
static const struct leat_coalesce set = { .by_setting = true };
static const struct leat_middleware shared[] = { LEAT_COALESCE(&plain), LEAT_MIDDLEWARE_END };
static const struct leat_middleware kept[] = { LEAT_REQUEST_ID, LEAT_COALESCE(&fresh), LEAT_MIDDLEWARE_END };
static const struct leat_middleware kept_for_a_second[] = { LEAT_COALESCE(&second), LEAT_MIDDLEWARE_END };
static const struct leat_middleware revalidated[] = { LEAT_COALESCE(&brief), LEAT_MIDDLEWARE_END };
static const struct leat_middleware stale_if_error[] = { LEAT_COALESCE(&rescued), LEAT_MIDDLEWARE_END };
static const struct leat_middleware for_callers[] = { LEAT_COALESCE(&for_all), LEAT_MIDDLEWARE_END };
static const struct leat_middleware by_setting[] = { LEAT_COALESCE(&set), LEAT_MIDDLEWARE_END };

const struct leat_route coalesce_routes[] = {
	{ LEAT_POST, "/coalesce/hold/{on:int}", post_hold, .summary = "Work waits, or goes on" },
	{ LEAT_POST, "/coalesce/fail/{on:int}", post_fail, .summary = "Work fails, or does not" },
	{ LEAT_GET, "/coalesce/runs", get_runs, .summary = "How many there were" },
	{ LEAT_GET, "/coalesce/plain/{any}", get_run, .middleware = shared },
	{ LEAT_POST, "/coalesce/plain/{any}", get_run, .middleware = shared },
	{ LEAT_GET, "/coalesce/kept/{any}", get_run, .middleware = kept },
	{ LEAT_GET, "/coalesce/kept-fault", get_fault, .middleware = kept },
	{ LEAT_GET, "/coalesce/revalidated/{any}", get_run, .middleware = revalidated },
	{ LEAT_GET, "/coalesce/rescued/{any}", get_run, .middleware = stale_if_error },
	{ LEAT_GET, "/coalesce/rescued-20/{any}", get_run, .middleware = stale_if_error, .deadline_ms = 20 },
	{ LEAT_GET, "/coalesce/callers/{any}", get_run, .middleware = for_callers },
	{ LEAT_GET, "/coalesce/set/{any}", get_run, .middleware = by_setting },
	{ LEAT_GET, "/coalesce/tagged/{any}", get_tagged, .middleware = kept },
	{ LEAT_GET, "/coalesce/cookie/{any}", get_cookie, .middleware = shared },
	{ LEAT_GET, "/coalesce/stream/{any}", get_stream, .middleware = shared },
	{ LEAT_GET, "/coalesce/crash/{any}", get_crash, .middleware = shared },
	{ LEAT_GET, "/coalesce/query/{any}", get_query, .middleware = shared },
	{ LEAT_GET, "/coalesce/query-kept/{any}", get_query, .middleware = kept_for_a_second },
	{ LEAT_GET, "/coalesce/query-each/{any}", get_query, .summary = "The same, a query each" },
	{ LEAT_GET, "/coalesce/row/{id:int}", get_row, .middleware = shared },
	{ LEAT_GET, "/coalesce/row-kept/{id:int}", get_row, .middleware = kept_for_a_second },
	{ LEAT_GET, "/coalesce/row-each/{id:int}", get_row, .summary = "The same, a query each" },
	{ LEAT_GET, "/coalesce/call/{key}", get_call, .summary = "By the call" },
	{ LEAT_GET, "/coalesce/call-20/{key}", get_call, .deadline_ms = 20 },
	{ LEAT_POST, "/coalesce/forget/{key}", post_forget, .summary = "Forgets a key" },
	LEAT_ROUTES_END
};
