/* bench_rate.c - what a rate limit costs a request: the call, its clock included, and the middleware.
 *
 *     bench_rate
 *
 * Prints nanoseconds, the median over many passes. One thread: nobody else wants the buckets. */
#include <leat.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bucket_table.h"
#include "base/clock.h"
#include "http/request.h"

enum { PASSES = 2001, CALLS = 16, ROUNDS = 20, KEYS = 1 << 16 };

static const struct request_environment environment = { .default_deadline_ns = 3600 * CLOCK_S };
static const struct leat_rate wide = { .name = "wide", .requests = 1000000000, .burst = 1000000000 };
static const struct leat_rate closed = { .name = "closed", .requests = 1, .seconds = 86400 };

static struct arena_pool *pool;
static struct arena arena;
static struct leat_request *req;
static uint64_t refused;

static void call_one(unsigned i)
{
	(void)i;
	refused += leat_rate_allow(req, &wide, LEAT_TEXT_OF("203.0.113.7"), 1) != LEAT_OK;
}

static void call_known(unsigned i)
{
	static uint32_t number;
	uint32_t key = number++ * 2654435761u % 4096;

	(void)i;

	refused += leat_rate_allow(req, &wide, (leat_text){ (const char *)&key, sizeof(key) }, 1) != LEAT_OK;
}

static void call_new(unsigned i)
{
	static uint64_t key;

	(void)i;
	key++;
	refused += leat_rate_allow(req, &wide, (leat_text){ (const char *)&key, sizeof(key) }, 1) != LEAT_OK;
}

static void call_hook(unsigned i)
{
	(void)i;
	req->values = NULL;
	refused += leat_rate_before_(req, &wide) != LEAT_OK;
}

static void call_hooks(unsigned i)
{
	call_hook(i);
	leat_rate_after_(req, &wide);
	req->response.headers.len = 0;
}

static void call_refused(unsigned i)
{
	(void)i;
	refused += leat_rate_allow(req, &closed, LEAT_TEXT_OF("203.0.113.7"), 1) != LEAT_OK;
}

static void read_clock(unsigned i)
{
	(void)i;
	refused += clock_now_ns() < 0;
}

static void make_request(void)
{
	static const char *const params[] = { "REMOTE_ADDR=203.0.113.7", NULL };

	arena_reset(&arena);
	req = request_new(&arena, params, &environment, clock_now_ns());
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void measure(const char *what, void (*fn)(unsigned i))
{
	static double passes[PASSES];

	for (unsigned pass = 0; pass < PASSES; pass++) {
		int64_t spent_ns = 0;

		for (unsigned round = 0; round < ROUNDS; round++) {
			make_request();
			spent_ns -= clock_now_ns();
			for (unsigned i = 0; i < CALLS; i++)
				fn(round * CALLS + i);
			spent_ns += clock_now_ns();
		}
		passes[pass] = (double)spent_ns / (CALLS * ROUNDS);
	}
	qsort(passes, PASSES, sizeof(passes[0]), compare);
	printf("%-44s %6.1f ns\n", what, passes[PASSES / 2]);
}

int main(void)
{
	pool = arena_pool_new(64 << 20);
	arena_init(&arena, pool);
	bucket_table_create(KEYS);
	measure("the clock alone", read_clock);
	measure("a key that is known", call_one);
	measure("one of 4096 keys", call_known);
	measure("a new key each time", call_new);
	measure("the hook: address, call, note", call_hook);
	measure("the hooks, with the header fields", call_hooks);
	measure("refused, with the detail in words", call_refused);
	printf("%llu were refused\n", (unsigned long long)refused);
	return EXIT_SUCCESS;
}
