/* bench_json.c - how long the JSON writer and reader take for one small struct, a list of a hundred, and a long text.
 *
 *     bench_json
 *
 * Prints the median over many passes, for writing and for reading. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/json_read.h"
#include "http/json_write.h"

enum { PASSES = 2001, ROUNDS = 100, USERS = 100 };

struct user {
	int64_t id;
	leat_text name;
	leat_text email;
};

static const struct leat_shape user_shape = LEAT_SHAPE(struct user,
	LEAT_INT(id),
	LEAT_TEXT(name, .min = 1, .max = 80),
	LEAT_TEXT(email, .format = LEAT_FORMAT_EMAIL));

struct page {
	struct leat_list users;
};

static const struct leat_shape page_shape = LEAT_SHAPE(struct page, LEAT_LIST(users, &user_shape));

struct note {
	leat_text text;
};

static const struct leat_shape note_shape = LEAT_SHAPE(struct note, LEAT_TEXT(text));

struct place {
	double latitude;
	double longitude;
};

static const struct leat_shape place_shape = LEAT_SHAPE(struct place, LEAT_FLOAT(latitude), LEAT_FLOAT(longitude));

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static double median_ns(int64_t *passes)
{
	qsort(passes, PASSES, sizeof(passes[0]), compare);
	return (double)passes[PASSES / 2] / ROUNDS;
}

static double write_ns(struct arena *arena, const struct leat_shape *shape, const void *value)
{
	static int64_t passes[PASSES];
	struct buffer out;

	buffer_init(&out, arena, 1 << 16);
	for (int pass = 0; pass < PASSES; pass++) {
		int64_t start = clock_now_ns();

		for (int round = 0; round < ROUNDS; round++) {
			out.len = 0;
			json_write_shape(&out, shape, value);
		}
		passes[pass] = clock_now_ns() - start;
	}
	return median_ns(passes);
}

static double read_ns(struct arena_pool *pool, const struct leat_shape *shape, leat_text document)
{
	static int64_t passes[PASSES];
	struct problem problem;
	struct arena arena;
	_Alignas(16) char value[256];

	for (int pass = 0; pass < PASSES; pass++) {
		int64_t start = clock_now_ns();

		for (int round = 0; round < ROUNDS; round++) {
			arena_init(&arena, pool);
			if (json_read(&arena, document, shape, value, &problem) != LEAT_OK)
				exit(1);
			arena_reset(&arena);
		}
		passes[pass] = clock_now_ns() - start;
	}
	return median_ns(passes);
}

static void measure(const char *what, const struct leat_shape *shape, const void *value)
{
	struct arena_pool *pool = arena_pool_new(1 << 24);
	struct arena arena;
	struct buffer out;
	double writing, reading;

	arena_init(&arena, pool);
	buffer_init(&out, &arena, 1 << 16);
	json_write_shape(&out, shape, value);
	writing = write_ns(&arena, shape, value);
	reading = read_ns(pool, shape, buffer_as_text(&out));
	printf("%-12s %6zu bytes: written in %9.1f ns (%4.0f MB/s), read in %9.1f ns (%4.0f MB/s)\n", what, out.len,
	       writing, (double)out.len * 1000 / writing, reading, (double)out.len * 1000 / reading);
	arena_reset(&arena);
	arena_pool_free(pool);
}

int main(void)
{
	struct user ada = { 1, LEAT_TEXT_OF("Ada Lovelace"), LEAT_TEXT_OF("ada@example.org") };
	struct user users[USERS];
	struct page page = { .users = { users, USERS } };
	struct place place = { 51.50735, -0.12776 };
	static char long_text[8192];
	struct note note = { { long_text, sizeof(long_text) } };

	for (int i = 0; i < USERS; i++) {
		users[i] = ada;
		users[i].id = i * 7919;
	}
	memset(long_text, 'a', sizeof(long_text));
	measure("one user", &user_shape, &ada);
	measure("100 users", &page_shape, &page);
	measure("long text", &note_shape, &note);
	measure("two doubles", &place_shape, &place);
	return 0;
}
