/* arena.c - see arena.h. A block's header stands in front of its bytes; the pool keeps one free list a size. */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/annotate.h"
#include "base/check.h"

enum {
	ALIGNMENT = 16,
	SMALLEST_SHIFT = 12, /* 4 KiB */
	SIZES = 10,          /* up to 2 MiB are kept; larger blocks go back to the system */
};

struct arena_block {
	struct arena_block *next;
	size_t size; /* with this header */
};

struct arena_hook {
	struct arena_hook *next;
	void (*fn)(void *object);
	void *object;
};

struct arena_pool {
	struct arena_block *free[SIZES];
	unsigned count[SIZES];
	unsigned least[SIZES]; /* since the last trim */
	size_t kept_bytes;
	size_t keep_bytes;
};

struct arena_pool *arena_pool_new(size_t keep_bytes)
{
	struct arena_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		check_out_of_memory(sizeof(*pool), "an arena pool");
	pool->keep_bytes = keep_bytes;
	return pool;
}

static void drop_first(struct arena_pool *pool, int index)
{
	struct arena_block *block = pool->free[index];

	pool->free[index] = block->next;
	pool->kept_bytes -= block->size;
	pool->count[index]--;
}

void arena_pool_free(struct arena_pool *pool)
{
	if (!pool)
		return;
	for (int i = 0; i < SIZES; i++) {
		while (pool->free[i]) {
			struct arena_block *block = pool->free[i];

			drop_first(pool, i);
			free(block);
		}
	}
	free(pool);
}

/* The list for blocks of at least 'size' bytes; SIZES when they are too large to keep. */
static int size_class(size_t size)
{
	int index = 0;

	while (index < SIZES && ((size_t)1 << (SMALLEST_SHIFT + index)) < size)
		index++;
	return index;
}

static struct arena_block *take_block(struct arena_pool *pool, size_t size)
{
	int index = size_class(size);
	struct arena_block *block;

	if (index < SIZES) {
		size = (size_t)1 << (SMALLEST_SHIFT + index);
		block = pool->free[index];
		if (block) {
			drop_first(pool, index);
			if (pool->count[index] < pool->least[index])
				pool->least[index] = pool->count[index];
			return block;
		}
	}
	block = malloc(size);
	if (!block)
		check_out_of_memory(size, "a request's memory");
	block->size = size;
	return block;
}

static void give_block(struct arena_pool *pool, struct arena_block *block)
{
	int index = size_class(block->size);

	annotate_reachable(block + 1, block->size - sizeof(*block));
	if (index == SIZES || pool->kept_bytes + block->size > pool->keep_bytes) {
		free(block);
		return;
	}
#ifdef LEAT_DEV
	memset(block + 1, 0xA5, block->size - sizeof(*block));
#endif
	pool->kept_bytes += block->size;
	pool->count[index]++;
	block->next = pool->free[index];
	pool->free[index] = block;
}

size_t arena_pool_trim(struct arena_pool *pool)
{
	size_t before = pool->kept_bytes;

	for (int index = 0; index < SIZES; index++) {
		for (unsigned spare = (pool->least[index] + 1) / 2; spare > 0; spare--) {
			struct arena_block *block = pool->free[index];

			drop_first(pool, index);
			free(block);
		}
		pool->least[index] = pool->count[index];
	}
	return before - pool->kept_bytes;
}

size_t arena_pool_kept(const struct arena_pool *pool)
{
	return pool->kept_bytes;
}

void arena_init(struct arena *arena, struct arena_pool *pool)
{
	*arena = (struct arena){ .pool = pool };
}

void arena_reset(struct arena *arena)
{
	while (arena->hooks) {
		struct arena_hook *hook = arena->hooks;

		arena->hooks = hook->next;
		hook->fn(hook->object);
	}
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		give_block(arena->pool, block);
	}
	arena->at = arena->end = NULL;
}

static size_t align_up(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

/* Each new block is at least as large as the last one, so a growing request takes few of them. */
static void add_block(struct arena *arena, size_t size)
{
	size_t least = arena->blocks ? arena->blocks->size * 2 : (size_t)1 << SMALLEST_SHIFT;
	size_t most = (size_t)1 << (SMALLEST_SHIFT + 4);
	size_t want = size + sizeof(struct arena_block);
	struct arena_block *block;

	if (least > most)
		least = most;
	block = take_block(arena->pool, want > least ? want : least);
	block->next = arena->blocks;
	arena->blocks = block;
	arena->at = (char *)(block + 1);
	arena->end = (char *)block + block->size;
	annotate_unreachable(arena->at, (size_t)(arena->end - arena->at));
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t room = align_up(size ? size : 1);
	void *piece;

	LEAT_CHECK(room >= size);
	if ((size_t)(arena->end - arena->at) < room)
		add_block(arena, room);
	piece = arena->at;
	arena->at += room;
	annotate_reachable(piece, size);
	return piece;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

char *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	char *copy = arena_alloc(arena, size + 1);

	if (size)
		memcpy(copy, bytes, size);
	copy[size] = '\0';
	return copy;
}

leat_text arena_vformat(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	int len;
	char *text;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	LEAT_CHECK(len >= 0);
	text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, args);
	return (leat_text){ text, (size_t)len };
}

leat_text arena_format(struct arena *arena, const char *format, ...)
{
	va_list args;
	leat_text text;

	va_start(args, format);
	text = arena_vformat(arena, format, args);
	va_end(args);
	return text;
}

void arena_on_reset(struct arena *arena, void (*fn)(void *object), void *object)
{
	struct arena_hook *hook = arena_alloc(arena, sizeof(*hook));

	*hook = (struct arena_hook){ .next = arena->hooks, .fn = fn, .object = object };
	arena->hooks = hook;
}

int arena_extend(struct arena *arena, void *piece, size_t old_size, size_t new_size)
{
	char *old_end = (char *)piece + align_up(old_size ? old_size : 1);
	size_t more = align_up(new_size) - align_up(old_size ? old_size : 1);

	if (old_end != arena->at || (size_t)(arena->end - arena->at) < more)
		return 0;
	arena->at += more;
	annotate_reachable(piece, new_size);
	return 1;
}
