/* t_accesslog.c - the access log: its lines, and that it loses lines rather than time. */
#include "tests/unit/harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "http/accesslog.h"

/* Lines ----------------------------------------------------------------------------------------------------------- */

static const struct accesslog_entry usual = {
	.wall_ns = INT64_C(1795467600123456789),
	.id = { "01J0ABC", 7 },
	.client = { "192.0.2.1", 9 },
	.method = { "GET", 3 },
	.path = { "/api/users/7", 12 },
	.route = "/api/users/{id:int}",
	.status = 200,
	.bytes = 53,
	.duration_ns = 812999,
};

static const char *line_of(const struct accesslog_entry *entry)
{
	static char line[ACCESSLOG_LINE_SIZE + 1];

	line[accesslog_format(line, entry)] = '\0';
	return line;
}

static void assert_has(const struct accesslog_entry *entry, const char *part)
{
	ck_assert_msg(strstr(line_of(entry), part) != NULL, "'%s' is not in %s", part, line_of(entry));
}

START_TEST(a_line_has_all_keys_in_their_order)
{
	ck_assert_str_eq(
		line_of(&usual),
		"{\"time\":\"2026-11-23T21:00:00.123Z\",\"id\":\"01J0ABC\",\"client\":\"192.0.2.1\",\"method\":\"GET\","
		"\"path\":\"/api/users/7\",\"route\":\"/api/users/{id:int}\",\"status\":200,\"bytes\":53,"
		"\"duration_us\":812}\n");
}
END_TEST

START_TEST(a_request_without_route_has_null)
{
	struct accesslog_entry entry = usual;

	entry.route = NULL;
	assert_has(&entry, "\"path\":\"/api/users/7\",\"route\":null,\"status\":");
}
END_TEST

START_TEST(a_client_that_left_is_marked)
{
	struct accesslog_entry entry = usual;

	entry.status = 499;
	assert_has(&entry, "\"status\":499,\"bytes\":53,\"duration_us\":812,\"aborted\":true}\n");
}
END_TEST

START_TEST(absent_texts_are_empty)
{
	struct accesslog_entry entry = usual;

	entry.id = entry.client = entry.method = entry.path = (leat_text){ NULL, 0 };
	assert_has(&entry, "\"id\":\"\",\"client\":\"\",\"method\":\"\",\"path\":\"\",\"route\"");
}
END_TEST

START_TEST(texts_cannot_leave_their_string)
{
	struct accesslog_entry entry = usual;

	entry.path = LEAT_TEXT_OF("/\",\"status\":1\\\n\xff\xc3\xa4");
	assert_has(&entry, "\"path\":\"/\\u0022,\\u0022status\\u0022:1\\u005c\\u000a\\u00ff\xc3\xa4\",\"route\"");
}
END_TEST

START_TEST(a_long_path_is_cut_and_marked)
{
	struct accesslog_entry entry = usual;
	char path[2049];

	memset(path, 'a', sizeof(path));
	entry.path = (leat_text){ path, 2048 };
	ck_assert_ptr_null(strstr(line_of(&entry), "\"cut\""));
	entry.path = (leat_text){ path, 2049 };
	assert_has(&entry, "\"duration_us\":812,\"cut\":true}\n");
}
END_TEST

START_TEST(the_longest_line_fits)
{
	static char text[100000];
	static char route[1000];
	const leat_text all = { text, sizeof(text) };
	const struct accesslog_entry entry = {
		.wall_ns = INT64_MAX,
		.id = all,
		.client = all,
		.method = all,
		.path = all,
		.route = route,
		.status = 499,
		.bytes = UINT64_MAX,
		.duration_ns = INT64_MAX,
	};
	char *line = malloc(ACCESSLOG_LINE_SIZE); /* so that AddressSanitizer sees its end */
	size_t len;

	memset(text, 1, sizeof(text));
	memset(route, 'r', sizeof(route) - 1);
	len = accesslog_format(line, &entry);
	ck_assert_uint_le(len, ACCESSLOG_LINE_SIZE);
	ck_assert_mem_eq(line + len - 2, "}\n", 2);
	free(line);
}
END_TEST

/* Writing --------------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/t_accesslog.XXXXXX";
static char path[64];
static char moved[64];

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/access.log", folder);
	snprintf(moved, sizeof(moved), "%s/access.log.1", folder);
}

static void tear_down(void)
{
	unlink(path);
	unlink(moved);
	rmdir(folder);
}

static struct accesslog *open_log(unsigned writers)
{
	char error[256];
	struct accesslog *log = accesslog_open(path, writers, error, sizeof(error));

	ck_assert_msg(log != NULL, "%s", error);
	return log;
}

static void write_text(struct accesslog *log, unsigned writer, const char *text)
{
	accesslog_write(log, writer, text, strlen(text));
}

static const char *content_of(const char *name)
{
	static char text[1 << 20];
	FILE *file = fopen(name, "r");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	if (file)
		fclose(file);
	text[len] = '\0';
	return text;
}

static void wait_for_content(const char *name, const char *expected)
{
	int64_t until_ns = clock_now_ns() + 20 * CLOCK_S;

	while (strcmp(content_of(name), expected) != 0 && clock_now_ns() < until_ns)
		usleep(1000);
	ck_assert_str_eq(content_of(name), expected);
}

START_TEST(closing_writes_what_is_there)
{
	struct accesslog *log = open_log(2);

	write_text(log, 0, "one\n");
	write_text(log, 0, "two\n");
	write_text(log, 1, "three\n");
	accesslog_close(log);
	ck_assert_str_eq(content_of(path), "one\ntwo\nthree\n");
}
END_TEST

START_TEST(a_line_arrives_while_the_log_is_open)
{
	struct accesslog *log = open_log(1);

	write_text(log, 0, "one\n");
	wait_for_content(path, "one\n");
	write_text(log, 0, "two\n");
	wait_for_content(path, "one\ntwo\n");
	accesslog_close(log);
}
END_TEST

START_TEST(an_old_file_is_continued)
{
	struct accesslog *log = open_log(1);

	write_text(log, 0, "one\n");
	accesslog_close(log);
	log = open_log(1);
	write_text(log, 0, "two\n");
	accesslog_close(log);
	ck_assert_str_eq(content_of(path), "one\ntwo\n");
}
END_TEST

START_TEST(a_new_file_is_not_for_everyone)
{
	struct accesslog *log = open_log(1);
	struct stat file;

	accesslog_close(log);
	ck_assert_int_eq(stat(path, &file), 0);
	ck_assert_int_eq(file.st_mode & 0137, 0);
}
END_TEST

START_TEST(reopening_leaves_a_file_that_was_moved_away)
{
	struct accesslog *log = open_log(1);

	write_text(log, 0, "old\n");
	wait_for_content(path, "old\n");
	ck_assert_int_eq(rename(path, moved), 0);
	accesslog_reopen(log);
	for (int64_t until_ns = clock_now_ns() + 20 * CLOCK_S; access(path, F_OK) != 0 && clock_now_ns() < until_ns;)
		usleep(1000);
	write_text(log, 0, "new\n");
	accesslog_close(log);
	ck_assert_str_eq(content_of(moved), "old\n");
	ck_assert_str_eq(content_of(path), "new\n");
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_is_told)
{
	char error[256];

	ck_assert_ptr_null(accesslog_open("/nowhere/access.log", 1, error, sizeof(error)));
	ck_assert_str_eq(error, "access_log: cannot open /nowhere/access.log: No such file or directory");
}
END_TEST

START_TEST(a_fifo_without_reader_is_told_at_once)
{
	char error[256];

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(accesslog_open(path, 1, error, sizeof(error)));
}
END_TEST

START_TEST(a_line_without_end_is_a_bug)
{
	char error[256];

	write_text(accesslog_open("-", 1, error, sizeof(error)), 0, "half");
}
END_TEST

/* Under load ------------------------------------------------------------------------------------------------------ */

enum { WRITERS = 4, LINES = 60000 };

/* It gives up within a second; on a busy machine counting what is lost takes longer. */
static void close_at_last(struct accesslog *log)
{
	while (!accesslog_finish(log))
		;
	accesslog_close(log);
}

struct writer {
	struct accesslog *log;
	unsigned index;
};

/* Lines that tell writer and number, of uneven lengths so that rings wrap at every place. */
static void *write_many(void *arg)
{
	const struct writer *writer = arg;
	char line[128];

	for (unsigned i = 0; i < LINES; i++) {
		int len = snprintf(line, sizeof(line), "%u %u %.*s\n", writer->index, i, (int)(i % 50),
				   "..................................................");

		accesslog_write(writer->log, writer->index, line, (size_t)len);
	}
	return NULL;
}

static void write_from_threads(struct accesslog *log)
{
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];

	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ log, i };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
}

/* Every line is whole, each writer's come in order, and those that are missing were counted. */
START_TEST(lines_of_several_writers_are_whole_in_order_and_accounted_for)
{
	struct accesslog *log = open_log(WRITERS);
	unsigned next[WRITERS] = { 0 };
	unsigned read = 0;
	char line[128];
	FILE *file;

	write_from_threads(log);
	close_at_last(log);
	file = fopen(path, "r");
	while (fgets(line, sizeof(line), file)) {
		unsigned writer, number;
		char *rest;

		writer = (unsigned)strtoul(line, &rest, 10);
		number = (unsigned)strtoul(rest, &rest, 10);
		ck_assert_uint_lt(writer, WRITERS);
		ck_assert_uint_ge(number, next[writer]);
		ck_assert_uint_eq(strlen(rest), 1 + number % 50 + 1);
		next[writer] = number + 1;
		read++;
	}
	fclose(file);
	ck_assert_uint_eq(read + metrics_total(METRIC_ACCESS_LOG_LOST), WRITERS * LINES);
}
END_TEST

/* A log into a pipe that nobody reads; the reading end. */
static int open_pipe_log(struct accesslog **ret_log)
{
	int reader;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	ck_assert_int_ge(reader, 0);
	*ret_log = open_log(1);
	return reader;
}

START_TEST(a_pipe_that_nobody_reads_loses_lines_and_holds_nobody_up)
{
	struct accesslog *log;
	struct writer writer = { .index = 0 };

	open_pipe_log(&log);
	writer.log = log;
	write_many(&writer);
	ck_assert_uint_gt(metrics_total(METRIC_ACCESS_LOG_LOST), 0);
	close_at_last(log);
}
END_TEST

START_TEST(closing_gives_a_blocked_pipe_up_after_a_second)
{
	struct accesslog *log;
	struct writer writer = { .index = 0 };
	int64_t start_ns;

	open_pipe_log(&log);
	writer.log = log;
	write_many(&writer);
	start_ns = clock_now_ns();
	(void)accesslog_finish(log);
	ck_assert_int_lt(clock_now_ns() - start_ns, 5 * CLOCK_S);
	close_at_last(log);
}
END_TEST

START_TEST(every_line_is_read_or_counted_as_lost)
{
	static char text[1 << 20];
	struct accesslog *log;
	struct writer writer = { .index = 0 };
	int reader = open_pipe_log(&log);
	unsigned read_lines = 0;
	ssize_t len;

	writer.log = log;
	write_many(&writer);
	close_at_last(log);
	len = read(reader, text, sizeof(text));
	for (ssize_t i = 0; i < len; i++)
		read_lines += text[i] == '\n';
	ck_assert_uint_eq(read_lines + metrics_total(METRIC_ACCESS_LOG_LOST), LINES);
}
END_TEST

START_TEST(a_reader_that_left_costs_lines_only)
{
	struct accesslog *log;
	int reader = open_pipe_log(&log);

	close(reader);
	write_text(log, 0, "one\n");
	close_at_last(log);
	ck_assert_uint_eq(metrics_total(METRIC_ACCESS_LOG_LOST), 1);
}
END_TEST

/* HARNESS_CASE in a folder of its own. */
#define CASE(suite, name, ...) HARNESS_CASE_WITH(suite, name, set_up, tear_down, __VA_ARGS__)

Suite *suite(void)
{
	Suite *s = suite_create("accesslog");
	TCase *bugs = tcase_create("bugs");

	HARNESS_CASE(s, "lines", a_line_has_all_keys_in_their_order, a_request_without_route_has_null,
		     a_client_that_left_is_marked, absent_texts_are_empty, texts_cannot_leave_their_string,
		     a_long_path_is_cut_and_marked, the_longest_line_fits);
	CASE(s, "writing", closing_writes_what_is_there, a_line_arrives_while_the_log_is_open, an_old_file_is_continued,
	     a_new_file_is_not_for_everyone, reopening_leaves_a_file_that_was_moved_away,
	     a_file_that_cannot_be_opened_is_told, a_fifo_without_reader_is_told_at_once);
	CASE(s, "load", lines_of_several_writers_are_whole_in_order_and_accounted_for,
	     a_pipe_that_nobody_reads_loses_lines_and_holds_nobody_up, closing_gives_a_blocked_pipe_up_after_a_second,
	     every_line_is_read_or_counted_as_lost, a_reader_that_left_costs_lines_only);
	tcase_add_test_raise_signal(bugs, a_line_without_end_is_a_bug, SIGABRT);
	suite_add_tcase(s, bugs);
	return s;
}
