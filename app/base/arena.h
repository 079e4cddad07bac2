/* arena.h - memory that is given back all at once: a request's.
 *
 * Use:
 *     struct arena_pool *pool = arena_pool_new(64 * 1024 * 1024);   -- one a worker
 *     struct arena arena;
 *     arena_init(&arena, pool);
 *     char *copy = arena_copy(&arena, text.ptr, text.len);
 *     arena_on_reset(&arena, release_result, result);
 *     arena_reset(&arena);                                          -- all of it back to the pool
 *
 * Blocks are powers of two from 4 KiB; the pool keeps what comes back, up to its limit, so a warm worker allocates
 * nothing from the system. With AddressSanitizer, memory outside live pieces is poisoned; with --enable-dev it is filled with 0xA5.
 *
 * Ownership:      the arena owns its blocks, the caller the struct. Foreign objects are attached with their release
 *                 function, called in reverse order at reset.
 * Thread-safety:  only the worker that made the pool.
 * Errors:         never NULL; running out of memory ends the program with a clear line.
 */
#ifndef APP_BASE_ARENA_H
#define APP_BASE_ARENA_H

#include <leat/text.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena_pool;
struct arena_block;
struct arena_hook;

struct arena {
	char *at;  /* next free byte */
	char *end; /* of the current block */
	struct arena_block *blocks;
	struct arena_hook *hooks;
	struct arena_pool *pool;
};

/* 'keep_bytes': how much the pool keeps for later instead of giving it back to the system. */
struct arena_pool *arena_pool_new(size_t keep_bytes);
void arena_pool_free(struct arena_pool *pool);

/* Gives half of those blocks back to the system that nobody needed since the last trim; the bytes that were. */
size_t arena_pool_trim(struct arena_pool *pool);
size_t arena_pool_kept(const struct arena_pool *pool);

void arena_init(struct arena *arena, struct arena_pool *pool);
void arena_reset(struct arena *arena);

/* Aligned for any type; not cleared. Size 0 gives a unique pointer. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(2)));
void *arena_zalloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(2)));

/* A copy with a NUL behind it. */
char *arena_copy(struct arena *arena, const void *bytes, size_t size) __attribute__((returns_nonnull));
leat_text arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
leat_text arena_vformat(struct arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Calls fn(object) at the reset, last attached first. */
void arena_on_reset(struct arena *arena, void (*fn)(void *object), void *object);

/* Makes the last piece longer in place when it is the arena's newest and the block has room. */
int arena_extend(struct arena *arena, void *piece, size_t old_size, size_t new_size);

#endif
