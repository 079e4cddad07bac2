/* in_arena.h - the entry of a fuzz target that checks a text with an arena of its own.
 *
 * Use, at the end of the target:
 *     static void check(leat_text text, struct arena *arena) ...
 *
 *     #include "tests/fuzz/in_arena.h"
 *
 * Ownership:      text and arena are good during the call.
 * Thread-safety:  the main thread.
 * Errors:         none.
 */
#ifndef TESTS_FUZZ_IN_ARENA_H
#define TESTS_FUZZ_IN_ARENA_H

#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena_pool *pool = arena_pool_new(0);
	struct arena arena;

	arena_init(&arena, pool);
	check((leat_text){ (const char *)data, size }, &arena);
	arena_reset(&arena);
	arena_pool_free(pool);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif

#endif
