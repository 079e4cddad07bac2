/* arena_stand.h - an arena for each test, with a pool of its own that keeps nothing.
 *
 * Use:
 *     START_TEST(a_sentence)
 *     {
 *         char *text = arena_copy(&arena, "text", 4);
 *         ...
 *     }
 *     END_TEST
 *
 *     ARENA_CASE(s, "name", a_sentence);
 *
 * A program that makes more of its own ready calls set_up_arena and tear_down_arena in its own fixture.
 *
 * Ownership:      both go with the test.
 * Thread-safety:  the main thread.
 * Errors:         none.
 */
#ifndef TESTS_UNIT_ARENA_STAND_H
#define TESTS_UNIT_ARENA_STAND_H

#include "base/arena.h"
#include "tests/unit/harness.h"

static struct arena_pool *pool;
static struct arena arena;

static inline void set_up_arena(void)
{
	pool = arena_pool_new(0);
	arena_init(&arena, pool);
}

static inline void tear_down_arena(void)
{
	arena_reset(&arena);
	arena_pool_free(pool);
}

#define ARENA_CASE(suite, name, ...) HARNESS_CASE_WITH(suite, name, set_up_arena, tear_down_arena, __VA_ARGS__)

#endif
