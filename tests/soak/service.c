/* service.c - the service of the soak. Every answer can be checked by itself, and every write leaves rows in the ledger under an id that is
 * asked for once: (id, place) tells afterwards what ran, and how often. */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 20, ROW_SIZE = 48, DEADLINE_MS = 1500, LATE_MS = 150 };

static const char channel[] = "soak";

struct number {
	int64_t n;
};

static const struct leat_shape number_shape = LEAT_SHAPE(struct number, LEAT_INT(n));

struct transfer {
	int64_t id, payer, payee, amount;
};

static const struct leat_shape transfer_shape = LEAT_SHAPE(struct transfer, LEAT_INT(id), LEAT_INT(payer),
							   LEAT_INT(payee), LEAT_INT(amount));

struct thing {
	int64_t id;
	leat_text name;
};

static const struct leat_shape thing_shape = LEAT_SHAPE(struct thing, LEAT_INT(id), LEAT_TEXT(name));

LEAT_STATEMENT(read_number, .sql = "SELECT $1::int8 AS n", .row = &number_shape, .read_only = true);
LEAT_STATEMENT(divide, .sql = "SELECT $1::int8 / 0 AS n", .row = &number_shape, .read_only = true);
LEAT_STATEMENT(read_slowly, .sql = "SELECT $1::int8 AS n FROM pg_sleep($2)", .row = &number_shape, .read_only = true);
LEAT_STATEMENT(read_late, .sql = "SELECT 1::int8 AS n FROM pg_sleep(1)", .row = &number_shape, .read_only = true);
LEAT_STATEMENT(first_thing, .sql = "SELECT * FROM things ORDER BY id LIMIT 1", .row = &thing_shape, .read_only = true);
LEAT_STATEMENT(add_row, .sql = "INSERT INTO ledger (id, place) VALUES ($1, $2)");
LEAT_STATEMENT(add_row_slowly, .sql = "INSERT INTO ledger (id, place) SELECT $1, 0 FROM pg_sleep($2)");
LEAT_STATEMENT(add_positive, .sql = "INSERT INTO positive (n) VALUES ($1)");
LEAT_STATEMENT(add_transfer, .sql = "INSERT INTO ledger (id, place, payer, payee, amount) VALUES ($1, 0, $2, $3, $4)");
LEAT_STATEMENT(add_to_account, .sql = "UPDATE accounts SET balance = balance + $2 WHERE id = $1");
LEAT_STATEMENT(notify_all, .sql = "SELECT pg_notify($1, $2)");
LEAT_STATEMENT(discard_all, .sql = "DISCARD ALL");
LEAT_STATEMENT(deallocate_all, .sql = "DEALLOCATE ALL");

static enum leat_result reply_number(struct leat_request *req, int64_t n)
{
	return leat_reply_text(req, 200, "text/plain", leat_format(req, "%lld", (long long)n));
}

/* Reads --------------------------------------------------------------------------------------------------------------- */

static enum leat_result ask_number(struct leat_request *req, void *number)
{
	return leat_db_one(req, &read_number, number, LEAT_ARG(leat_path_int(req, "n")));
}

static enum leat_result get_number(struct leat_request *req)
{
	struct number number;

	LEAT_TRY(ask_number(req, &number));
	return reply_number(req, number.n);
}

static enum leat_result get_number_lent(struct leat_request *req)
{
	const struct leat_tx_options read_only = { .read_only = true };
	struct number number;

	LEAT_TRY(leat_tx(req, &read_only, ask_number, &number));
	return reply_number(req, number.n);
}

/* Waits for one of many, and adds what it brought. */
static enum leat_result add_answer(struct leat_request *req, struct leat_query *query, int64_t *sum)
{
	struct leat_list rows;

	LEAT_TRY(leat_db_wait(req, query, &rows));
	if (rows.count != 1)
		return leat_fail(req, LEAT_INTERNAL, "%zu rows instead of one", rows.count);
	*sum += ((const struct number *)rows.items)->n;
	return LEAT_OK;
}

/* Sends n, n + 1, ... together, 'bad' among them if it is not NULL. */
static enum leat_result send_many(struct leat_request *req, struct leat_query **queries,
				  const struct leat_statement *bad)
{
	int64_t n = leat_path_int(req, "n");

	for (int i = 0; i < MANY; i++)
		LEAT_TRY(leat_db_send(req, bad && i == MANY / 2 ? bad : &read_number, &queries[i], LEAT_ARG(n + i)));
	return LEAT_OK;
}

static enum leat_result get_many(struct leat_request *req)
{
	struct leat_query *queries[MANY];
	int64_t sum = 0;

	LEAT_TRY(send_many(req, queries, NULL));
	for (int i = 0; i < MANY; i++)
		LEAT_TRY(add_answer(req, queries[i], &sum));
	return reply_number(req, sum);
}

/* As they come. */
static enum leat_result get_many_any(struct leat_request *req)
{
	struct leat_query *queries[MANY];
	int64_t sum = 0;
	size_t next;

	LEAT_TRY(send_many(req, queries, NULL));
	for (int i = 0; i < MANY; i++) {
		LEAT_TRY(leat_db_wait_any(req, queries, MANY, &next));
		LEAT_TRY(add_answer(req, queries[next], &sum));
		queries[next] = NULL;
	}
	return reply_number(req, sum);
}

/* The one that fails touches no other: the sum of the others. */
static enum leat_result get_many_one_bad(struct leat_request *req)
{
	struct leat_query *queries[MANY];
	int64_t sum = 0, none = 0;

	LEAT_TRY(send_many(req, queries, &divide));
	for (int i = 0; i < MANY; i++) {
		if (i != MANY / 2)
			LEAT_TRY(add_answer(req, queries[i], &sum));
		else if (add_answer(req, queries[i], &none) == LEAT_OK)
			return leat_fail(req, LEAT_INTERNAL, "a division by zero brought %lld", (long long)none);
	}
	return reply_number(req, sum);
}

static enum leat_result get_slow(struct leat_request *req)
{
	struct number number;

	LEAT_TRY(leat_db_one(req, &read_slowly, &number, LEAT_ARG(leat_path_int(req, "n")),
			     LEAT_ARG((double)leat_path_int(req, "ms") / 1000)));
	return reply_number(req, number.n);
}

static enum leat_result get_late(struct leat_request *req)
{
	struct number number;

	LEAT_TRY(leat_db_one(req, &read_late, &number));
	return reply_number(req, number.n);
}

static enum leat_result get_thing(struct leat_request *req)
{
	struct thing thing;

	LEAT_TRY(leat_db_one(req, &first_thing, &thing));
	return reply_number(req, thing.id);
}

/* Writes -------------------------------------------------------------------------------------------------------------- */

static enum leat_result post_row(struct leat_request *req)
{
	int64_t id = leat_path_int(req, "id");

	LEAT_TRY(leat_db_exec(req, &add_row, NULL, LEAT_ARG(id), LEAT_ARG(0)));
	return reply_number(req, id);
}

/* Each a transaction of its own. */
static enum leat_result post_rows(struct leat_request *req)
{
	int64_t id = leat_path_int(req, "id"), sum = 0, count;
	struct leat_query *queries[MANY];

	for (int i = 0; i < MANY; i++)
		LEAT_TRY(leat_db_send(req, &add_row, &queries[i], LEAT_ARG(id), LEAT_ARG(i)));
	for (int i = 0; i < MANY; i++) {
		LEAT_TRY(leat_db_wait_count(req, queries[i], &count));
		sum += count;
	}
	return reply_number(req, sum);
}

static enum leat_result post_row_slowly(struct leat_request *req)
{
	int64_t id = leat_path_int(req, "id");

	LEAT_TRY(leat_db_exec(req, &add_row_slowly, NULL, LEAT_ARG(id),
			      LEAT_ARG((double)leat_path_int(req, "ms") / 1000)));
	return reply_number(req, id);
}

static enum leat_result add_row_here(struct leat_request *req, void *arg)
{
	(void)arg;
	return leat_db_exec(req, &add_row, NULL, LEAT_ARG(leat_path_int(req, "id")), LEAT_ARG(0));
}

/* Refused: the transaction may not write. */
static enum leat_result post_row_read_only(struct leat_request *req)
{
	const struct leat_tx_options read_only = { .read_only = true };

	LEAT_TRY(leat_tx(req, &read_only, add_row_here, NULL));
	return reply_number(req, 0);
}

/* Refused: the table takes positive numbers only. */
static enum leat_result post_negative(struct leat_request *req)
{
	LEAT_TRY(leat_db_exec(req, &add_positive, NULL, LEAT_ARG(-leat_path_int(req, "n"))));
	return reply_number(req, 0);
}

static enum leat_result note_transfer(struct leat_request *req, void *arg)
{
	const struct transfer *transfer = arg;

	return leat_db_exec(req, &add_transfer, NULL, LEAT_ARG(transfer->id), LEAT_ARG(transfer->payer),
			    LEAT_ARG(transfer->payee), LEAT_ARG(transfer->amount));
}

/* In no order of the accounts, so that some of them deadlock and run again. The inner transaction is a savepoint. */
static enum leat_result move_money(struct leat_request *req, void *arg)
{
	const struct transfer *transfer = arg;

	LEAT_TRY(leat_db_exec(req, &add_to_account, NULL, LEAT_ARG(transfer->payer), LEAT_ARG(-transfer->amount)));
	LEAT_TRY(leat_db_exec(req, &add_to_account, NULL, LEAT_ARG(transfer->payee), LEAT_ARG(transfer->amount)));
	return leat_tx(req, NULL, note_transfer, arg);
}

/* Three statements that travel together. */
static enum leat_result move_money_at_once(struct leat_request *req, void *arg)
{
	const struct transfer *transfer = arg;
	struct leat_query *queries[3];

	LEAT_TRY(leat_db_send(req, &add_to_account, &queries[0], LEAT_ARG(transfer->payer),
			      LEAT_ARG(-transfer->amount)));
	LEAT_TRY(
		leat_db_send(req, &add_to_account, &queries[1], LEAT_ARG(transfer->payee), LEAT_ARG(transfer->amount)));
	LEAT_TRY(leat_db_send(req, &add_transfer, &queries[2], LEAT_ARG(transfer->id), LEAT_ARG(transfer->payer),
			      LEAT_ARG(transfer->payee), LEAT_ARG(transfer->amount)));
	for (int i = 0; i < 3; i++)
		LEAT_TRY(leat_db_wait_count(req, queries[i], NULL));
	return LEAT_OK;
}

static enum leat_result transfer_with(struct leat_request *req, const struct leat_tx_options *options, leat_tx_fn fn)
{
	struct transfer transfer;

	LEAT_TRY(leat_body(req, &transfer_shape, &transfer));
	LEAT_TRY(leat_tx(req, options, fn, &transfer));
	return reply_number(req, transfer.id);
}

static enum leat_result post_transfer(struct leat_request *req)
{
	return transfer_with(req, NULL, move_money);
}

static enum leat_result post_transfer_at_once(struct leat_request *req)
{
	return transfer_with(req, NULL, move_money_at_once);
}

static enum leat_result post_transfer_serializable(struct leat_request *req)
{
	const struct leat_tx_options serializable = { .isolation = LEAT_SERIALIZABLE };

	return transfer_with(req, &serializable, move_money);
}

/* COPY ---------------------------------------------------------------------------------------------------------------- */

static enum leat_result copy_rows_in(struct leat_request *req, void *ret_count)
{
	int64_t id = leat_path_int(req, "id"), rows = leat_path_int(req, "rows");
	struct leat_copy *copy;
	char line[ROW_SIZE];

	LEAT_TRY(leat_db_copy_in(req, "COPY ledger (id, place) FROM STDIN", &copy));
	for (int64_t i = 0; i < rows; i++) {
		int size = snprintf(line, sizeof(line), "%lld\t%lld\n", (long long)id, (long long)i);

		LEAT_TRY(leat_db_copy_put(copy, (leat_text){ line, (size_t)size }));
	}
	return leat_db_copy_end(copy, ret_count);
}

static enum leat_result post_copy(struct leat_request *req)
{
	int64_t count;

	LEAT_TRY(leat_tx(req, NULL, copy_rows_in, &count));
	return reply_number(req, count);
}

static enum leat_result copy_rows_out(struct leat_request *req, void *ret_sum)
{
	int64_t *sum = ret_sum;
	struct leat_copy *copy;
	enum leat_result result;
	leat_text row;

	*sum = 0;
	LEAT_TRY(leat_db_copy_out(req, "COPY (SELECT generate_series(1, 2000)) TO STDOUT", &copy));
	while ((result = leat_db_copy_get(copy, &row)) == LEAT_OK) {
		char digits[ROW_SIZE] = "";

		memcpy(digits, row.ptr, row.len < sizeof(digits) ? row.len : sizeof(digits) - 1);
		*sum += strtoll(digits, NULL, 10);
	}
	return result == LEAT_NOT_FOUND ? LEAT_OK : result;
}

static enum leat_result get_copy(struct leat_request *req)
{
	int64_t sum;

	LEAT_TRY(leat_tx(req, NULL, copy_rows_out, &sum));
	return reply_number(req, sum);
}

/* Notifications, bodies, and what happens behind leat's back ---------------------------------------------------------- */

/* Hears itself among the others. */
static enum leat_result get_heard(struct leat_request *req)
{
	leat_text own = leat_format(req, "%lld", (long long)leat_path_int(req, "n")), heard = { 0 };
	struct leat_subscription *subscription;

	LEAT_TRY(leat_db_listen(req, channel, &subscription));
	LEAT_TRY(leat_db_exec(req, &notify_all, NULL, LEAT_ARG(channel), LEAT_ARG(own)));
	while (!leat_text_equal(heard, own))
		LEAT_TRY(leat_db_notified(req, subscription, &heard));
	return leat_reply_text(req, 200, "text/plain", heard);
}

static enum leat_result post_echo(struct leat_request *req)
{
	leat_text body;

	LEAT_TRY(leat_body_text(req, &body));
	return leat_reply_text(req, 200, "application/octet-stream", body);
}

static enum leat_result post_discard(struct leat_request *req)
{
	LEAT_TRY(leat_db_exec(req, &discard_all, NULL));
	return reply_number(req, 0);
}

static enum leat_result deallocate(struct leat_request *req, void *arg)
{
	(void)arg;
	return leat_db_exec(req, &deallocate_all, NULL);
}

static enum leat_result post_deallocate(struct leat_request *req)
{
	LEAT_TRY(deallocate(req, NULL));
	return reply_number(req, 0);
}

static enum leat_result post_deallocate_lent(struct leat_request *req)
{
	LEAT_TRY(leat_tx(req, NULL, deallocate, NULL));
	return reply_number(req, 0);
}

static const struct leat_route routes[] = {
	{ LEAT_GET, "/number/{n:int}", get_number, .deadline_ms = DEADLINE_MS },
	{ LEAT_GET, "/number/{n:int}/lent", get_number_lent, .deadline_ms = DEADLINE_MS },
	{ LEAT_GET, "/many/{n:int}", get_many, .deadline_ms = DEADLINE_MS },
	{ LEAT_GET, "/many/{n:int}/any", get_many_any, .deadline_ms = DEADLINE_MS },
	{ LEAT_GET, "/many/{n:int}/one-bad", get_many_one_bad, .deadline_ms = DEADLINE_MS },
	{ LEAT_GET, "/slow/{n:int}/{ms:int}", get_slow, .deadline_ms = DEADLINE_MS },
	{ LEAT_GET, "/late", get_late, .deadline_ms = LATE_MS },
	{ LEAT_GET, "/thing", get_thing, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/row/{id:int}", post_row, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/row/{id:int}/slow/{ms:int}", post_row_slowly, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/row/{id:int}/read-only", post_row_read_only, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/rows/{id:int}", post_rows, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/negative/{n:int}", post_negative, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/transfer", post_transfer, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/transfer/at-once", post_transfer_at_once, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/transfer/serializable", post_transfer_serializable, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/copy/{id:int}/{rows:int}", post_copy, .deadline_ms = DEADLINE_MS },
	{ LEAT_GET, "/copy", get_copy, .deadline_ms = DEADLINE_MS },
	{ LEAT_GET, "/heard/{n:int}", get_heard, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/echo", post_echo, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/discard", post_discard, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/deallocate", post_deallocate, .deadline_ms = DEADLINE_MS },
	{ LEAT_POST, "/deallocate/lent", post_deallocate_lent, .deadline_ms = DEADLINE_MS },
	LEAT_ROUTES_END
};

int main(int argc, char **argv)
{
	static const struct leat_route *const tables[] = { routes, NULL };
	static const struct leat_service service = { .name = "soak", .version = "1", .routes = tables };

	return leat_main(argc, argv, &service);
}
