/* t_arena.c - request memory (base/arena.h) and the buffers in it (base/buffer.h). */
#include "tests/unit/harness.h"

#include <malloc.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"

static struct arena_pool *pool;
static struct arena arena;
static char order[8];

static void set_up(void)
{
	pool = arena_pool_new(1 << 20);
	arena_init(&arena, pool);
	memset(order, 0, sizeof(order));
}

static void tear_down(void)
{
	arena_reset(&arena);
	arena_pool_free(pool);
}

static void note(void *letter)
{
	order[strlen(order)] = *(const char *)letter;
}

START_TEST(pieces_are_aligned_and_apart)
{
	char *before = arena_alloc(&arena, 1);

	for (size_t size = 0; size < 300; size++) {
		char *piece = arena_alloc(&arena, size);

		ck_assert_uint_eq((uintptr_t)piece % 16, 0);
		ck_assert_ptr_ne(piece, before);
		memset(piece, (int)size, size);
		before = piece;
	}
}
END_TEST

START_TEST(a_piece_larger_than_any_block_is_given)
{
	char *piece = arena_zalloc(&arena, 10 << 20);

	ck_assert_int_eq(piece[(10 << 20) - 1], 0);
}
END_TEST

START_TEST(copies_end_with_nul)
{
	ck_assert_str_eq(arena_copy(&arena, "leat, the mill's water", 4), "leat");
}
END_TEST

START_TEST(hooks_run_at_the_reset_last_one_first)
{
	arena_on_reset(&arena, note, (void *)"a");
	arena_on_reset(&arena, note, (void *)"b");
	arena_reset(&arena);
	ck_assert_str_eq(order, "ba");
	arena_reset(&arena);
	ck_assert_str_eq(order, "ba");
}
END_TEST

START_TEST(a_warm_arena_allocates_nothing)
{
	size_t in_use;

	for (int i = 0; i < 3; i++) {
		arena_alloc(&arena, 3000);
		arena_alloc(&arena, 9000);
		arena_reset(&arena);
	}
	in_use = mallinfo2().uordblks;
	arena_alloc(&arena, 3000);
	arena_alloc(&arena, 9000);
	ck_assert_uint_eq(mallinfo2().uordblks, in_use);
}
END_TEST

START_TEST(a_buffer_grows_and_keeps_its_bytes)
{
	struct buffer buffer;

	buffer_init(&buffer, &arena, 4);
	for (int i = 0; i < 10000; i++)
		buffer_int(&buffer, i % 10);
	ck_assert_uint_eq(buffer.len, 10000);
	for (size_t i = 0; i < buffer.len; i++)
		ck_assert_int_eq(buffer.data[i], '0' + (char)(i % 10));
}
END_TEST

START_TEST(buffers_that_grow_in_turns_do_not_mix)
{
	struct buffer a, b;

	buffer_init(&a, &arena, 16);
	buffer_init(&b, &arena, 16);
	for (int i = 0; i < 1000; i++) {
		buffer_byte(&a, 'a');
		buffer_format(&b, "%s", "bb");
	}
	ck_assert_ptr_null(memchr(a.data, 'b', a.len));
	ck_assert_ptr_null(memchr(b.data, 'a', b.len));
	ck_assert_uint_eq(b.len, 2000);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("arena");

	HARNESS_CASE_WITH(s, "arena", set_up, tear_down, pieces_are_aligned_and_apart,
			  a_piece_larger_than_any_block_is_given, copies_end_with_nul,
			  hooks_run_at_the_reset_last_one_first, a_warm_arena_allocates_nothing);
	HARNESS_CASE_WITH(s, "buffer", set_up, tear_down, a_buffer_grows_and_keeps_its_bytes,
			  buffers_that_grow_in_turns_do_not_mix);
	return s;
}
