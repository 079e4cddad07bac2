/* service.c - the service of the benchmark's database cases: the example's users, and requests of many statements. */
#include <leat.h>

#include <stdlib.h>

enum { ROWS = 100000, COUNT_MAX = 500, VALUE_MAX = 10000 };

/* A row of the table of numbers. */
struct number {
	int64_t id, value;
};

static const struct leat_shape number_shape = LEAT_SHAPE(struct number, LEAT_INT(id), LEAT_INT(value));

struct numbers {
	struct leat_list numbers;
};

static const struct leat_shape numbers_shape = LEAT_SHAPE(struct numbers, LEAT_LIST(numbers, &number_shape));

static const struct leat_statement number_by_id = {
	.sql = "SELECT id, value FROM numbers WHERE id = $1",
	.row = &number_shape,
	.read_only = true,
};

static const struct leat_statement number_update = {
	.sql = "UPDATE numbers SET value = $2 WHERE id = $1",
};

static const struct leat_statement slow = { .sql = "SELECT pg_sleep(0.05)", .read_only = true };

/* 1 to 'most'; xorshift64, a sequence for each thread. */
static int64_t draw(int64_t most)
{
	static _Thread_local uint64_t state;

	if (state == 0)
		state = (uintptr_t)&state;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return 1 + (int64_t)(state % (uint64_t)most);
}

/* As many random ids as the path says. */
static enum leat_result draw_numbers(struct leat_request *req, struct numbers *numbers)
{
	int64_t count = leat_path_int(req, "count");
	struct number *items;

	if (count < 1 || count > COUNT_MAX)
		return leat_fail(req, LEAT_BAD_REQUEST, "from 1 to %d statements", COUNT_MAX);
	items = leat_alloc(req, (size_t)count * sizeof(*items));
	for (int64_t i = 0; i < count; i++)
		items[i].id = draw(ROWS);
	numbers->numbers = (struct leat_list){ items, (size_t)count };
	return LEAT_OK;
}

static int by_id(const void *a, const void *b)
{
	const struct number *first = a, *second = b;

	return (first->id > second->id) - (first->id < second->id);
}

/* In the order of their ids, so that no two transactions can deadlock. */
static enum leat_result draw_sorted(struct leat_request *req, struct numbers *numbers)
{
	LEAT_TRY(draw_numbers(req, numbers));
	qsort(numbers->numbers.items, numbers->numbers.count, sizeof(struct number), by_id);
	return LEAT_OK;
}

static enum leat_result read_numbers(struct leat_request *req, struct leat_list *numbers)
{
	struct leat_query **queries = leat_alloc(req, numbers->count * sizeof(struct leat_query *));
	struct number *items = numbers->items;
	struct leat_list rows;

	for (size_t i = 0; i < numbers->count; i++)
		LEAT_TRY(leat_db_send(req, &number_by_id, &queries[i], LEAT_ARG(items[i].id)));
	for (size_t i = 0; i < numbers->count; i++) {
		LEAT_TRY(leat_db_wait(req, queries[i], &rows));
		if (rows.count != 1)
			return LEAT_NOT_FOUND;
		items[i] = *(const struct number *)rows.items;
	}
	return LEAT_OK;
}

static enum leat_result write_numbers(struct leat_request *req, struct leat_list *numbers)
{
	struct leat_query **queries = leat_alloc(req, numbers->count * sizeof(struct leat_query *));
	struct number *items = numbers->items;

	for (size_t i = 0; i < numbers->count; i++) {
		items[i].value = draw(VALUE_MAX);
		LEAT_TRY(leat_db_send(req, &number_update, &queries[i], LEAT_ARG(items[i].id),
				      LEAT_ARG(items[i].value)));
	}
	for (size_t i = 0; i < numbers->count; i++)
		LEAT_TRY(leat_db_wait(req, queries[i], NULL));
	return LEAT_OK;
}

static enum leat_result update_numbers(struct leat_request *req, void *arg)
{
	struct numbers *numbers = arg;

	LEAT_TRY(read_numbers(req, &numbers->numbers));
	return write_numbers(req, &numbers->numbers);
}

static enum leat_result get_queries(struct leat_request *req)
{
	struct numbers numbers;

	LEAT_TRY(draw_numbers(req, &numbers));
	LEAT_TRY(read_numbers(req, &numbers.numbers));
	return leat_reply(req, 200, &numbers_shape, &numbers);
}

/* On a lane each update is a transaction of its own. */
static enum leat_result get_updates(struct leat_request *req)
{
	struct numbers numbers;

	LEAT_TRY(draw_sorted(req, &numbers));
	LEAT_TRY(update_numbers(req, &numbers));
	return leat_reply(req, 200, &numbers_shape, &numbers);
}

static enum leat_result get_updates_tx(struct leat_request *req)
{
	struct numbers numbers;

	LEAT_TRY(draw_sorted(req, &numbers));
	LEAT_TRY(leat_tx(req, NULL, update_numbers, &numbers));
	return leat_reply(req, 200, &numbers_shape, &numbers);
}

/* Keeps a connection busy for 50 milliseconds. */
static enum leat_result get_slow(struct leat_request *req)
{
	LEAT_TRY(leat_db_exec(req, &slow, NULL));
	return leat_reply_text(req, 200, "application/json", LEAT_TEXT_OF("{\"slept_ms\":50}"));
}

static const struct leat_route bench_routes[] = {
	{ LEAT_GET, "/api/queries/{count:int}/pipelined", get_queries, .summary = "Selects that travel together" },
	{ LEAT_GET, "/api/updates/{count:int}/pipelined", get_updates, .summary = "Reads and updates on the lanes" },
	{ LEAT_GET, "/api/updates/{count:int}/tx", get_updates_tx, .summary = "Reads and updates in a transaction" },
	{ LEAT_GET, "/api/slow", get_slow, .summary = "A slow statement" },
	LEAT_ROUTES_END
};

extern const struct leat_route users_routes[]; /* handlers/users.c */

int main(int argc, char **argv)
{
	static const struct leat_route *const tables[] = { users_routes, bench_routes, NULL };
	static const struct leat_service service = { .name = "bench", .version = "1", .routes = tables };

	return leat_main(argc, argv, &service);
}
