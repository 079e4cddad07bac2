/* t_log.c - the service's log, and the pieces its lines are made of. */
#include "tests/unit/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/logtext.h"
#include "base/metrics.h"

/* Standard error becomes a pipe, non-blocking for the reader: what is there is all there is. */
static int stderr_to_pipe(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return ends[0];
}

static const char *read_all(int fd)
{
	static char text[65536];
	ssize_t len = read(fd, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "'%s' does not match '%s'", text, pattern);
	regfree(&regex);
}

static unsigned count_lines(const char *text)
{
	unsigned count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

START_TEST(a_line_has_time_level_pid_and_text)
{
	int log = stderr_to_pipe();

	log_warn("%d apples", 3);
	assert_matches(read_all(log),
		       "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z warn  \\[[0-9]+\\] 3 apples\n$");
}
END_TEST

START_TEST(a_line_can_be_a_json_object)
{
	int log = stderr_to_pipe();

	log_init(LOG_LEVEL_INFO, true);
	log_error("a \"quote\"\n");
	assert_matches(read_all(log), "^\\{\"time\":\"[-0-9T:.]+Z\",\"level\":\"error\",\"pid\":[0-9]+,"
				      "\"message\":\"a \\\\u0022quote\\\\u0022\\\\u000a\"\\}\n$");
}
END_TEST

START_TEST(a_message_with_line_ends_is_one_line)
{
	int log = stderr_to_pipe();

	log_error("one\ntwo\r\x1b[31m");
	assert_matches(read_all(log), "one\\\\x0atwo\\\\x0d\\\\x1b\\[31m\n$");
}
END_TEST

START_TEST(a_long_message_is_cut)
{
	int log = stderr_to_pipe();
	const char *text;

	log_error("%5000d", 1);
	text = read_all(log);
	ck_assert_uint_lt(strlen(text), 4096);
	ck_assert_uint_eq(count_lines(text), 1);
}
END_TEST

START_TEST(a_message_of_escapes_keeps_its_line_whole)
{
	char text[3000];
	int log = stderr_to_pipe();

	memset(text, 1, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_init(LOG_LEVEL_INFO, true);
	log_error("%s", text);
	assert_matches(read_all(log), "u0001\"\\}\n$");
}
END_TEST

START_TEST(less_important_lines_are_left_out)
{
	int log = stderr_to_pipe();

	log_init(LOG_LEVEL_WARN, false);
	log_info("not me");
	log_warn("me");
	assert_matches(read_all(log), "^[^\n]* me\n$");
}
END_TEST

START_TEST(errno_is_kept)
{
	close(STDERR_FILENO);
	errno = ENOENT;
	log_error("hello");
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(a_line_that_nobody_takes_is_counted)
{
	close(STDERR_FILENO);
	log_error("hello");
	ck_assert_uint_eq(metrics_total(METRIC_LOG_LOST), 1);
}
END_TEST

START_TEST(a_full_pipe_loses_lines_and_blocks_nobody)
{
	stderr_to_pipe();
	for (int i = 0; i < 1000; i++)
		log_error("%1000d", i);
	ck_assert_uint_gt(metrics_total(METRIC_LOG_LOST), 0);
}
END_TEST

START_TEST(a_limited_place_writes_once_a_second)
{
	int log = stderr_to_pipe();

	for (int i = 0; i < 100; i++)
		log_limited(LOG_LEVEL_ERROR, "again");
	ck_assert_uint_eq(count_lines(read_all(log)), 1);
}
END_TEST

START_TEST(the_next_line_of_a_limited_place_says_how_many_were_left_out)
{
	struct log_limit limit = { 0 };
	int log = stderr_to_pipe();

	for (int i = 0; i < 3; i++)
		log_line_limited(&limit, LOG_LEVEL_ERROR, "first");
	limit.next_ns = 0;
	log_line_limited(&limit, LOG_LEVEL_ERROR, "last %d", 7);
	assert_matches(read_all(log), "\\(after 2 more like it\\) last 7\n$");
}
END_TEST

static void *write_limited(void *limit)
{
	for (int i = 0; i < 1000; i++)
		log_line_limited(limit, LOG_LEVEL_ERROR, "line");
	return NULL;
}

START_TEST(threads_share_a_limited_place)
{
	struct log_limit limit = { 0 };
	pthread_t threads[4];
	int log = stderr_to_pipe();

	for (unsigned i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, write_limited, &limit);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(limit.left_out + count_lines(read_all(log)), 4000);
}
END_TEST

/* Pieces ---------------------------------------------------------------------------------------------------------- */

static void assert_time(int64_t wall_s, int64_t ms, const char *expected)
{
	char text[LOGTEXT_TIME_SIZE];

	ck_assert_uint_eq(logtext_time(text, wall_s * CLOCK_S + ms * CLOCK_MS), strlen(expected));
	ck_assert_mem_eq(text, expected, LOGTEXT_TIME_SIZE);
}

START_TEST(times_are_right_on_special_days)
{
	assert_time(0, 0, "1970-01-01T00:00:00.000Z");
	assert_time(951782399, 999, "2000-02-28T23:59:59.999Z");
	assert_time(951868799, 1, "2000-02-29T23:59:59.001Z");
	assert_time(951868800, 0, "2000-03-01T00:00:00.000Z");
	assert_time(4107542399, 0, "2100-02-28T23:59:59.000Z");
	assert_time(4107542400, 0, "2100-03-01T00:00:00.000Z");
}
END_TEST

START_TEST(times_agree_with_the_c_library)
{
	for (int64_t s = 0; s < INT64_C(8000000000); s += 12345678) {
		time_t as_time = (time_t)s;
		char expected[32];
		struct tm tm;

		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&as_time, &tm));
		assert_time(s, 0, expected);
	}
}
END_TEST

static void assert_escaped(leat_text text, enum logtext_form form, size_t size, const char *expected)
{
	char out[256];
	bool is_cut;
	size_t len = logtext_escape(out, size, text, form, &is_cut);

	ck_assert_uint_eq(len, strlen(expected));
	ck_assert_mem_eq(out, expected, len);
}

START_TEST(text_stands_as_it_is)
{
	assert_escaped(LEAT_TEXT_OF("/a?b=\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80~"), LOGTEXT_JSON, 256,
		       "/a?b=\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80~");
}
END_TEST

START_TEST(quotes_are_escaped_in_json_only)
{
	assert_escaped(LEAT_TEXT_OF("\"\\"), LOGTEXT_JSON, 256, "\\u0022\\u005c");
	assert_escaped(LEAT_TEXT_OF("\"\\"), LOGTEXT_PLAIN, 256, "\"\\");
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_escaped_one_by_one)
{
	assert_escaped(LEAT_TEXT_OF("\xe9t\xe9"), LOGTEXT_JSON, 256, "\\u00e9t\\u00e9");
	assert_escaped(LEAT_TEXT_OF("\xc0\xaf"), LOGTEXT_PLAIN, 256, "\\xc0\\xaf");
	assert_escaped(LEAT_TEXT_OF("\xed\xa0\x80"), LOGTEXT_PLAIN, 256, "\\xed\\xa0\\x80");
	assert_escaped(LEAT_TEXT_OF("\xe2\x82"), LOGTEXT_PLAIN, 256, "\\xe2\\x82");
}
END_TEST

START_TEST(c1_controls_are_escaped)
{
	assert_escaped(LEAT_TEXT_OF("\xc2\x9b\xc2\xa0"), LOGTEXT_PLAIN, 256, "\\xc2\\x9b\xc2\xa0");
}
END_TEST

START_TEST(nothing_is_cut_in_its_middle)
{
	assert_escaped(LEAT_TEXT_OF("ab\n"), LOGTEXT_JSON, 7, "ab");
	assert_escaped(LEAT_TEXT_OF("ab\xe2\x82\xac"), LOGTEXT_JSON, 4, "ab");
	assert_escaped(LEAT_TEXT_OF("ab\xe2\x82\xac"), LOGTEXT_JSON, 5, "ab\xe2\x82\xac");
	assert_escaped(LEAT_TEXT_OF("abc"), LOGTEXT_JSON, 0, "");
}
END_TEST

START_TEST(an_absent_text_is_empty)
{
	assert_escaped((leat_text){ NULL, 0 }, LOGTEXT_JSON, 256, "");
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("log");

	HARNESS_CASE(s, "lines", a_line_has_time_level_pid_and_text, a_line_can_be_a_json_object,
		     a_message_with_line_ends_is_one_line, a_long_message_is_cut,
		     a_message_of_escapes_keeps_its_line_whole, less_important_lines_are_left_out, errno_is_kept);
	HARNESS_CASE(s, "loss", a_line_that_nobody_takes_is_counted, a_full_pipe_loses_lines_and_blocks_nobody);
	HARNESS_CASE(s, "limits", a_limited_place_writes_once_a_second,
		     the_next_line_of_a_limited_place_says_how_many_were_left_out, threads_share_a_limited_place);
	HARNESS_CASE(s, "times", times_are_right_on_special_days, times_agree_with_the_c_library);
	HARNESS_CASE(s, "escapes", text_stands_as_it_is, quotes_are_escaped_in_json_only,
		     bytes_that_are_no_utf8_are_escaped_one_by_one, c1_controls_are_escaped,
		     nothing_is_cut_in_its_middle, an_absent_text_is_empty);
	return s;
}
