/* bench_breaker.c - what a call through a circuit breaker costs: closed, closed with a window that slides, and open; one thread alone. */
#include <leat.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "guard/breaker.h"
#include "http/request.h"

enum { ROUNDS = 7, CALLS = 200000, CALLS_A_REQUEST = 100 };

LEAT_BREAKER(closed, .failures = 5);
LEAT_BREAKER(sliding, .failure_percent = 50, .window_ms = 10000, .bucket_ms = 1000);
LEAT_BREAKER(open, .failures = 1);

static const struct leat_breaker *const all[] = { &closed, &sliding, &open };

static enum leat_result call(struct leat_request *req, const struct leat_breaker *breaker, enum leat_result result)
{
	LEAT_TRY(leat_breaker_enter(req, breaker));
	return leat_breaker_leave(req, breaker, result);
}

static double measure(struct arena *arena, const struct leat_breaker *breaker)
{
	static const struct request_environment environment = { .default_deadline_ns = 1 };
	static const char *const params[] = { NULL };
	int64_t start_ns = clock_now_ns();
	unsigned refused = 0;

	for (unsigned i = 0; i < CALLS / CALLS_A_REQUEST; i++) {
		struct leat_request *req = request_new(arena, params, &environment, 0);

		for (unsigned j = 0; j < CALLS_A_REQUEST; j++)
			refused += call(req, breaker, LEAT_OK) != LEAT_OK;
		arena_reset(arena);
	}
	if (refused != (breaker == &open ? CALLS : 0))
		fprintf(stderr, "%u refused\n", refused);
	return (double)(clock_now_ns() - start_ns) / CALLS;
}

int main(void)
{
	static const char *const params[] = { NULL };
	static const struct request_environment environment = { .default_deadline_ns = 1 };
	struct arena_pool *pool = arena_pool_new(1 << 20);
	struct arena arena;

	arena_init(&arena, pool);
	metrics_create(1, 2);
	leat_breakers_list_(all, all + 3);
	breakers_create();
	metrics_enter(0);
	metrics_attach(0, 0);
	(void)!call(request_new(&arena, params, &environment, 0), &open, LEAT_INTERNAL);
	for (unsigned i = 0; i < 3; i++) {
		double least = 1e9;

		for (unsigned round = 0; round < ROUNDS; round++) {
			double ns = measure(&arena, all[i]);

			least = ns < least ? ns : least;
		}
		printf("%-8s %6.1f ns a call\n", all[i]->name, least);
	}
	arena_reset(&arena);
	arena_pool_free(pool);
	return 0;
}
