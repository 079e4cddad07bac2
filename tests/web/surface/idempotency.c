/* idempotency.c - work that is to be done once: each does a row of the table payments, which the test makes. */
#include <leat.h>
#include <signal.h>
#include <stdlib.h>

struct payment {
	int64_t id;
	int64_t amount;
};

static const struct leat_shape payment_shape = LEAT_SHAPE(struct payment, LEAT_INT(id), LEAT_INT(amount));

struct order {
	int64_t amount;
};

static const struct leat_shape order_shape = LEAT_SHAPE(struct order, LEAT_INT(amount, .min = 1, .max = 1000000));

static const struct leat_statement insert_payment = {
	.sql = "INSERT INTO payments (amount) VALUES ($1) RETURNING id, amount",
	.row = &payment_shape,
};
static const struct leat_statement sleep_a_while = { .sql = "SELECT pg_sleep($1::int8 * 0.001)" };

/* ?sleep=MS, in the database, where it can be seen. */
static enum leat_result maybe_sleep(struct leat_request *req)
{
	int64_t ms;

	LEAT_TRY(leat_query_int(req, "sleep", 0, 0, 60000, &ms));
	return ms > 0 ? leat_db_exec(req, &sleep_a_while, NULL, LEAT_ARG(ms)) : LEAT_OK;
}

/* X-Die: WHEN. As if the machine had lost its power; a header, for the request is to be the same without. */
static void maybe_die(struct leat_request *req, const char *when)
{
	if (leat_text_equal(leat_header(req, "X-Die"), leat_text_from(when)))
		raise(SIGKILL);
}

static enum leat_result pay(struct leat_request *req, void *arg)
{
	const struct order *order = arg;
	struct payment payment;

	LEAT_TRY(leat_db_one(req, &insert_payment, &payment, LEAT_ARG(order->amount)));
	LEAT_TRY(maybe_sleep(req));
	maybe_die(req, "working");
	LEAT_TRY(leat_reply_header(req, "Location", leat_format(req, "/payments/%lld", (long long)payment.id)));
	return leat_reply(req, 201, &payment_shape, &payment);
}

static enum leat_result post_in_tx(struct leat_request *req)
{
	struct order order;
	enum leat_result result;

	LEAT_TRY(leat_body(req, &order_shape, &order));
	result = leat_idempotent_tx(req, NULL, pay, &order);
	maybe_die(req, "done");
	return result;
}

static enum leat_result post_plain(struct leat_request *req)
{
	struct order order;
	enum leat_result result;

	LEAT_TRY(leat_body(req, &order_shape, &order));
	result = pay(req, &order);
	maybe_die(req, "done");
	return result;
}

/* ?status=N: as a reply, whatever it says; else ?result=N. */
static enum leat_result post_ending(struct leat_request *req)
{
	const struct order order = { 1 };
	struct payment payment;
	int64_t status, result;

	LEAT_TRY(leat_db_one(req, &insert_payment, &payment, LEAT_ARG(order.amount)));
	LEAT_TRY(leat_query_int(req, "status", 0, 0, 599, &status));
	LEAT_TRY(leat_query_int(req, "result", LEAT_INTERNAL, 1, LEAT_RESULT_COUNT - 1, &result));
	if (status == 0)
		return (enum leat_result)result;
	return leat_reply_text(req, (int)status, "text/plain", leat_format(req, "%lld\n", (long long)payment.id));
}

static enum leat_result post_large(struct leat_request *req)
{
	const struct order order = { 1 };
	struct payment payment;
	int64_t size;
	char *body;

	LEAT_TRY(leat_query_int(req, "size", 0, 0, 10000000, &size));
	LEAT_TRY(leat_db_one(req, &insert_payment, &payment, LEAT_ARG(order.amount)));
	body = leat_alloc(req, (size_t)size + 1);
	for (int64_t i = 0; i < size; i++)
		body[i] = (char)i; /* of all kinds */
	return leat_reply_text(req, 200, "application/octet-stream", (leat_text){ body, (size_t)size });
}

static enum leat_result post_stream(struct leat_request *req)
{
	LEAT_TRY(leat_stream_begin(req, 200, "text/plain"));
	return leat_stream_write(req, LEAT_TEXT_OF("streamed\n"));
}

static enum leat_result post_empty(struct leat_request *req)
{
	const struct order order = { 1 };
	struct payment payment;

	LEAT_TRY(leat_db_one(req, &insert_payment, &payment, LEAT_ARG(order.amount)));
	return leat_reply_empty(req, 204);
}

static enum leat_result get_once(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("here\n"));
}

/* Who asks, without a password: this is a test. */
static enum leat_result who(struct leat_request *req, leat_text *ret_scope)
{
	*ret_scope = leat_header(req, "X-Who");
	return LEAT_OK;
}

static const struct leat_idempotency once = { .scope = who };
static const struct leat_idempotency if_wanted = { .optional = true, .scope = who };
static const struct leat_idempotency callers = { 0 };
static const struct leat_api_key machines = { .file = "api-keys" };

static const struct leat_middleware with_key[] = { LEAT_IDEMPOTENCY(&once), LEAT_MIDDLEWARE_END };
static const struct leat_middleware with_key_or_none[] = { LEAT_IDEMPOTENCY(&if_wanted), LEAT_MIDDLEWARE_END };
static const struct leat_middleware of_callers[] = { LEAT_API_KEY(&machines), LEAT_IDEMPOTENCY(&callers),
						     LEAT_MIDDLEWARE_END };
static const struct leat_middleware of_nobody[] = { LEAT_IDEMPOTENCY(&callers), LEAT_MIDDLEWARE_END };

static const struct leat_route keyed_routes[] = {
	{ LEAT_POST, "/tx", post_in_tx, .body = &order_shape },
	{ LEAT_POST, "/other", post_in_tx, .body = &order_shape },
	{ LEAT_POST, "/plain", post_plain, .body = &order_shape, .deadline_ms = 1000 },
	{ LEAT_POST, "/ending", post_ending, .summary = "Whatever is asked for" },
	{ LEAT_POST, "/large", post_large, .summary = "So many bytes" },
	{ LEAT_POST, "/stream", post_stream, .summary = "Not with a key" },
	{ LEAT_POST, "/empty", post_empty, .summary = "204" },
	{ LEAT_POST, "/twice", post_in_tx, .body = &order_shape, .middleware = with_key },
	{ LEAT_GET, "/tx", get_once, .summary = "Needs no key" },
	LEAT_ROUTES_END
};

/* What the client reads of a failure, in the service's own form. */
static enum leat_result as_lines(struct leat_request *req, const struct leat_problem *problem)
{
	leat_text lines = leat_format(req, "%d %s|%.*s\n", problem->status, problem->title,
				      LEAT_TEXT_PRINTF(problem->detail));

	for (unsigned i = 0; i < problem->fault_count; i++)
		lines = leat_format(req, "%.*s%.*s|%.*s|%.*s\n", LEAT_TEXT_PRINTF(lines),
				    LEAT_TEXT_PRINTF(problem->faults[i].pointer),
				    LEAT_TEXT_PRINTF(problem->faults[i].parameter),
				    LEAT_TEXT_PRINTF(problem->faults[i].detail));
	return leat_reply_text(req, problem->status, "text/plain", lines);
}

static enum leat_result post_conflict(struct leat_request *req)
{
	return leat_fail(req, LEAT_CONFLICT, "The \"thing\" is there.");
}

static const struct leat_problems lines = { as_lines };
static const struct leat_middleware in_lines[] = { LEAT_PROBLEMS(&lines), LEAT_IDEMPOTENCY(&once),
						   LEAT_MIDDLEWARE_END };

const struct leat_route idempotency_routes[] = {
	LEAT_MOUNT("/idempotency", keyed_routes, .middleware = with_key),
	{ LEAT_POST, "/idempotency-optional", post_in_tx, .body = &order_shape, .middleware = with_key_or_none },
	{ LEAT_POST, "/idempotency-stream", post_stream, .middleware = with_key_or_none },
	{ LEAT_POST, "/idempotency-lines", post_in_tx, .body = &order_shape, .middleware = in_lines },
	{ LEAT_POST, "/idempotency-lines/conflict", post_conflict, .middleware = in_lines },
	{ LEAT_POST, "/idempotency-caller", post_in_tx, .body = &order_shape, .middleware = of_callers },
	{ LEAT_POST, "/idempotency-nobody", post_in_tx, .body = &order_shape, .middleware = of_nobody },
	LEAT_ROUTES_END
};
