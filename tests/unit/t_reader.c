/* t_reader.c - reading files on offload threads: what may be opened, and who closes it. */
#include "task/reader.h"

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

static struct loop *loop;
static struct arena_pool *pool;
static struct offload *offload;
static char folder[64];

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void make_files(void)
{
	char path[128], link[128];

	loop = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = 2 });
	loop_adopt(loop);
	pool = arena_pool_new(0);
	offload = offload_new(1, 4);
	snprintf(folder, sizeof(folder), "/tmp/leat-reader-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	write_file("secret", "secret");
	snprintf(path, sizeof(path), "%s/in", folder);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/in/deep", folder);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	write_file("in/a.txt", "0123456789");
	write_file("in/deep/b", "");
	snprintf(link, sizeof(link), "%s/in/within", folder);
	ck_assert_int_eq(symlink("deep/../a.txt", link), 0);
	snprintf(link, sizeof(link), "%s/in/out", folder);
	ck_assert_int_eq(symlink("../secret", link), 0);
	snprintf(link, sizeof(link), "%s/in/absolute", folder);
	snprintf(path, sizeof(path), "%s/in/a.txt", folder);
	ck_assert_int_eq(symlink(path, link), 0);
	snprintf(path, sizeof(path), "%s/in/pipe", folder);
	ck_assert_int_eq(mkfifo(path, 0644), 0);
	strcat(folder, "/in");
}

static void remove_files(void)
{
	char command[128];

	offload_free(offload);
	loop_release(loop);
	loop_free(loop);
	arena_pool_free(pool);
	folder[strlen(folder) - 3] = '\0';
	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void run_all(void)
{
	loop_run_ready(loop);
	while (loop_task_count(loop) > 0) {
		loop_poll(loop, loop_sleep_until(loop));
		loop_run_ready(loop);
	}
}

struct reading {
	const char *path;
	enum leat_result result;
	char bytes[16];
};

static void open_and_read(void *arg)
{
	struct reading *reading = arg;
	struct reader *reader;
	struct arena arena;
	leat_text bytes;

	arena_init(&arena, pool);
	reading->result = reader_open(offload, &arena, folder, leat_text_from(reading->path), CLOCK_NEVER, &reader);
	if (reading->result == LEAT_OK && reader->size > 0) {
		reading->result = reader_read(reader, 3, 5, CLOCK_NEVER, &bytes);
		memcpy(reading->bytes, bytes.ptr, bytes.len);
	}
	arena_reset(&arena);
}

START_TEST(nothing_outside_the_folder_is_read)
{
	static const struct {
		const char *path;
		enum leat_result result;
	} cases[] = {
		{ "a.txt", LEAT_OK },
		{ "deep/b", LEAT_OK },
		{ "deep/../a.txt", LEAT_OK },
		{ "./a.txt", LEAT_OK },
		{ "within", LEAT_OK },
		{ "", LEAT_NOT_FOUND },
		{ ".", LEAT_NOT_FOUND },
		{ "deep", LEAT_NOT_FOUND },
		{ "nowhere", LEAT_NOT_FOUND },
		{ "a.txt/", LEAT_NOT_FOUND },
		{ "pipe", LEAT_NOT_FOUND },
		{ "../secret", LEAT_NOT_FOUND },
		{ "deep/../../secret", LEAT_NOT_FOUND },
		{ "/etc/passwd", LEAT_NOT_FOUND },
		{ "out", LEAT_NOT_FOUND },
		{ "absolute", LEAT_NOT_FOUND },
		{ "a.txt", LEAT_OK },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reading reading = { .path = cases[i].path };

		ck_assert(task_start(loop, open_and_read, &reading));
		run_all();
		ck_assert_msg(reading.result == cases[i].result, "%s: %s", reading.path,
			      leat_result_name(reading.result));
		if (i == 0)
			ck_assert_str_eq(reading.bytes, "34567");
	}
}
END_TEST

/* The thread opens the file for a task that has left: the file must be closed all the same. */
START_TEST(a_reader_may_be_left_while_it_opens)
{
	struct reading reading = { .path = "a.txt" };

	ck_assert(task_start(loop, open_and_read, &reading));
	loop_cancel_all(loop);
	run_all();
	ck_assert_int_eq(reading.result, LEAT_CANCELLED);
	ck_assert(offload_stop(offload, CLOCK_NEVER));
	loop_poll(loop, 0);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("reader");
	TCase *all = HARNESS_CASE(s, "files", nothing_outside_the_folder_is_read, a_reader_may_be_left_while_it_opens);

	tcase_add_checked_fixture(all, make_files, remove_files);
	return s;
}
