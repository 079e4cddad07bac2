/* t_spool.c - files of forms: in memory, on disk, and what is left when somebody gives up (http/spool.h). */
#include "http/spool.h"

#include <dirent.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "task/loop.h"
#include "task/offload.h"
#include "task/task.h"
#include "tests/unit/harness.h"

enum { MEMORY = 1000, LARGE = 200000 };

static struct loop *loop;
static struct offload *offload;
static char folder[32];
static char path[64];
static char bytes[LARGE], again[LARGE];
static sem_t gate;    /* closed until it is posted */
static sem_t entered; /* somebody waits at it */

static void set_up(void)
{
	loop = loop_new(&(struct loop_options){ .stack_size = 65536, .tasks_max = 16 });
	loop_adopt(loop);
	sem_init(&gate, 0, 0);
	sem_init(&entered, 0, 0);
	offload = offload_new(1, 2);
	strcpy(folder, "/tmp/leat-spool-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/saved", folder);
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (char)(i * 31 >> 3);
}

static void tear_down(void)
{
	offload_free(offload);
	loop_poll(loop, 0);
	loop_release(loop);
	loop_free(loop);
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left in it */
}

static void run(task_fn fn)
{
	ck_assert(task_start(loop, fn, NULL));
	loop_run_ready(loop);
	while (loop_task_count(loop) > 0) {
		loop_poll(loop, loop_sleep_until(loop));
		loop_run_ready(loop);
	}
}

static unsigned names_in_folder(void)
{
	DIR *dir = opendir(folder);
	unsigned count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2; /* . and .. */
}

static struct spool *fill(size_t size, size_t piece)
{
	struct spool *spool = spool_new(offload, folder, MEMORY);

	for (size_t at = 0; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;

		ck_assert_int_eq(spool_write(spool, (leat_text){ bytes + at, len }, CLOCK_NEVER), LEAT_OK);
	}
	ck_assert_int_eq(spool_end(spool, CLOCK_NEVER), LEAT_OK);
	ck_assert_uint_eq(spool_size(spool), size);
	return spool;
}

static void check_content(struct spool *spool, size_t size)
{
	size_t at = 0, len;

	do {
		ck_assert_int_eq(spool_read(spool, at, again + at, LARGE - at, CLOCK_NEVER, &len), LEAT_OK);
		at += len;
	} while (len > 0);
	ck_assert_uint_eq(at, size);
	ck_assert(memcmp(bytes, again, size) == 0);
}

static void task_memory(void *arg)
{
	struct spool *spool = fill(MEMORY, 7);

	(void)arg;
	ck_assert_uint_eq(spool_in_memory(spool), MEMORY);
	check_content(spool, MEMORY);
	spool_release(spool);
	spool = fill(0, 1);
	check_content(spool, 0);
	spool_release(spool);
}

START_TEST(few_bytes_stay_in_memory)
{
	run(task_memory);
}
END_TEST

static void task_disk(void *arg)
{
	struct spool *spool = fill(MEMORY + 1, 7);

	(void)arg;
	ck_assert_uint_eq(spool_in_memory(spool), 0);
	check_content(spool, MEMORY + 1);
	spool_release(spool);
	spool = fill(LARGE, 16384);
	check_content(spool, LARGE);
	ck_assert_uint_eq(names_in_folder(), 0);
	spool_release(spool);
	spool = fill(LARGE, LARGE);
	check_content(spool, LARGE);
	spool_release(spool);
}

START_TEST(more_go_to_disk_without_a_name)
{
	run(task_disk);
}
END_TEST

static void check_saved(size_t size)
{
	FILE *file = fopen(path, "rb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fread(again, 1, LARGE, file), size);
	ck_assert_int_eq(fgetc(file), EOF);
	fclose(file);
	ck_assert(memcmp(bytes, again, size) == 0);
	unlink(path);
}

static void task_save(void *arg)
{
	static const size_t sizes[] = { 0, 10, LARGE };

	(void)arg;
	for (size_t i = 0; i < 3; i++) {
		struct spool *spool = fill(sizes[i], 4096);

		ck_assert_int_eq(spool_save(spool, path, CLOCK_NEVER), LEAT_OK);
		ck_assert_int_eq(spool_save(spool, path, CLOCK_NEVER), LEAT_CONFLICT);
		check_saved(sizes[i]);
		ck_assert_int_eq(spool_save(spool, "/nowhere/file", CLOCK_NEVER), LEAT_UNAVAILABLE);
		spool_release(spool);
	}
}

START_TEST(saves_to_a_new_file)
{
	run(task_save);
}
END_TEST

static void task_full(void *arg)
{
	struct spool *spool = fill(LARGE, 4096);

	(void)arg;
	ck_assert_int_eq(spool_save(spool, "/dev/full", CLOCK_NEVER), LEAT_CONFLICT); /* it is there */
	spool_release(spool);
	spool = spool_new(offload, "/nowhere", MEMORY);
	ck_assert_int_eq(spool_write(spool, (leat_text){ bytes, LARGE }, CLOCK_NEVER), LEAT_UNAVAILABLE);
	spool_release(spool);
}

START_TEST(tells_what_the_disk_refuses)
{
	run(task_full);
}
END_TEST

/* Giving up ------------------------------------------------------------------------------------------------------- */

static void wait_at_gate(void *arg)
{
	(void)arg;
	sem_post(&entered);
	sem_wait(&gate);
	sem_post(&gate);
}

/* The pool's only thread stands at the gate, and its queue is empty. */
static void hold_pool(void)
{
	ck_assert(offload_run(offload, wait_at_gate, NULL));
	sem_wait(&entered);
}

static void task_give_up(void *arg)
{
	struct spool *spool = spool_new(offload, folder, MEMORY), *other = spool_new(offload, folder, MEMORY);
	int64_t soon = clock_now_ns() + 5 * CLOCK_MS;
	size_t len;

	(void)arg;
	ck_assert_int_eq(spool_write(spool, (leat_text){ bytes, LARGE }, soon), LEAT_TIMED_OUT);
	ck_assert_int_eq(spool_write(other, (leat_text){ bytes, LARGE }, soon), LEAT_TIMED_OUT);
	/* It is of no use any more, and nothing new is begun with it. */
	ck_assert_int_eq(spool_end(spool, CLOCK_NEVER), LEAT_TIMED_OUT);
	ck_assert_int_eq(spool_read(spool, 0, again, 1, CLOCK_NEVER, &len), LEAT_TIMED_OUT);
	ck_assert_int_eq(spool_save(spool, path, CLOCK_NEVER), LEAT_TIMED_OUT);
	spool_release(spool);
	sem_post(&gate);
	spool_release(other);
}

START_TEST(who_gives_up_leaves_nothing_behind)
{
	hold_pool();
	run(task_give_up);
	ck_assert(offload_stop(offload, CLOCK_NEVER));
	ck_assert_uint_eq(names_in_folder(), 0);
}
END_TEST

static void task_busy(void *arg)
{
	struct spool *spool = spool_new(offload, folder, MEMORY);

	(void)arg;
	hold_pool();
	while (offload_run(offload, wait_at_gate, NULL))
		;
	ck_assert_int_eq(spool_write(spool, (leat_text){ bytes, LARGE }, CLOCK_NEVER), LEAT_UNAVAILABLE);
	spool_release(spool);
	sem_post(&gate);
}

START_TEST(a_full_queue_is_told)
{
	run(task_busy);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("spool");
	TCase *keep = HARNESS_CASE(s, "keep", few_bytes_stay_in_memory, more_go_to_disk_without_a_name,
				   saves_to_a_new_file);
	TCase *fail = HARNESS_CASE(s, "fail", tells_what_the_disk_refuses, who_gives_up_leaves_nothing_behind,
				   a_full_queue_is_told);

	tcase_add_checked_fixture(keep, set_up, tear_down);
	tcase_add_checked_fixture(fail, set_up, tear_down);
	return s;
}
