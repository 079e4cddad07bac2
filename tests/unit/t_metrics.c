/* t_metrics.c - counters of several processes, and their Prometheus text. */
#include "tests/unit/harness.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "ops/metrics_text.h"

/* Runs fn in a process that is worker process 'process', to its end. */
static void in_process(unsigned process, void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		metrics_enter(process);
		fn();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(counting_works_before_anything_was_made)
{
	metrics_add(METRIC_DB_QUERIES, 2);
	ck_assert_uint_eq(metrics_total(METRIC_DB_QUERIES), 2);
}
END_TEST

START_TEST(what_was_counted_before_is_kept)
{
	metrics_add(METRIC_DB_QUERIES, 2);
	metrics_create(1, 1);
	ck_assert_uint_eq(metrics_total(METRIC_DB_QUERIES), 2);
}
END_TEST

static void count_in_attached_thread(void)
{
	metrics_attach(1, 1);
	metrics_add(METRIC_DB_QUERIES, 5);
	metrics_add(METRIC_DB_IN_FLIGHT, 3);
}

START_TEST(other_processes_counts_are_seen)
{
	metrics_create(2, 2);
	in_process(1, count_in_attached_thread);
	ck_assert_uint_eq(metrics_total(METRIC_DB_QUERIES), 5);
}
END_TEST

static void *count_unattached(void *arg)
{
	(void)arg;
	metrics_add(METRIC_LOG_LOST, 1);
	metrics_add(METRIC_REQUESTS_ACTIVE, 1);
	return NULL;
}

static void count_in_unattached_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, count_unattached, NULL);
	pthread_join(thread, NULL);
}

START_TEST(threads_that_never_attached_are_seen_by_other_processes)
{
	metrics_create(2, 2);
	in_process(0, count_in_unattached_thread);
	ck_assert_uint_eq(metrics_total(METRIC_LOG_LOST), 1);
}
END_TEST

START_TEST(gauges_of_the_dead_are_forgotten)
{
	metrics_create(2, 2);
	in_process(1, count_in_attached_thread);
	in_process(1, count_in_unattached_thread);
	metrics_clear_gauges(1);
	ck_assert_uint_eq(metrics_total(METRIC_DB_IN_FLIGHT), 0);
	ck_assert_uint_eq(metrics_total(METRIC_REQUESTS_ACTIVE), 0);
}
END_TEST

START_TEST(counters_of_the_dead_are_kept)
{
	metrics_create(2, 2);
	in_process(1, count_in_attached_thread);
	metrics_clear_gauges(1);
	ck_assert_uint_eq(metrics_total(METRIC_DB_QUERIES), 5);
}
END_TEST

START_TEST(gauges_of_the_living_are_kept)
{
	metrics_create(2, 2);
	in_process(1, count_in_attached_thread);
	metrics_clear_gauges(0);
	ck_assert_uint_eq(metrics_total(METRIC_DB_IN_FLIGHT), 3);
}
END_TEST

START_TEST(a_gauge_goes_down_in_another_slot_than_up)
{
	metrics_create(1, 2);
	metrics_attach(0, 0);
	metrics_add(METRIC_CONNECTIONS_OPEN, 1);
	metrics_attach(0, 1);
	metrics_add(METRIC_CONNECTIONS_OPEN, -1);
	ck_assert_uint_eq(metrics_total(METRIC_CONNECTIONS_OPEN), 0);
}
END_TEST

START_TEST(of_some_the_highest_counts)
{
	metrics_create(1, 2);
	metrics_attach(0, 0);
	metrics_set(METRIC_DB_READ_LAG, 70);
	metrics_attach(0, 1);
	metrics_set(METRIC_DB_READ_LAG, 90);
	ck_assert_uint_eq(metrics_total(METRIC_DB_READ_LAG), 90);
	metrics_set(METRIC_DB_READ_LAG, 20);
	ck_assert_uint_eq(metrics_total(METRIC_DB_READ_LAG), 70);
	metrics_clear_gauges(0);
	ck_assert_uint_eq(metrics_total(METRIC_DB_READ_LAG), 0);
}
END_TEST

static void *count_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 10000; i++)
		metrics_add(METRIC_DB_QUERIES, 1);
	return NULL;
}

START_TEST(nothing_is_lost_in_a_shared_slot)
{
	pthread_t threads[4];

	for (unsigned i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, count_many, NULL);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(metrics_total(METRIC_DB_QUERIES), 40000);
}
END_TEST

START_TEST(a_process_has_its_pid_until_it_is_cleared)
{
	metrics_create(1, 1);
	ck_assert_int_eq(metrics_process_pid(0), 0);
	metrics_enter(0);
	ck_assert_int_eq(metrics_process_pid(0), getpid());
	metrics_clear_gauges(0);
	ck_assert_int_eq(metrics_process_pid(0), 0);
}
END_TEST

START_TEST(a_process_beyond_the_last_is_a_bug)
{
	metrics_create(1, 1);
	metrics_enter(1);
}
END_TEST

/* The histogram --------------------------------------------------------------------------------------------------- */

static unsigned bucket_of(int64_t ns)
{
	struct metrics_histogram before, after;

	metrics_histogram_total(HISTOGRAM_REQUESTS, &before);
	metrics_observe(HISTOGRAM_REQUESTS, ns);
	metrics_histogram_total(HISTOGRAM_REQUESTS, &after);
	for (unsigned i = 0; i <= METRICS_BUCKET_COUNT; i++)
		if (after.buckets[i] != before.buckets[i])
			return i;
	ck_abort_msg("no bucket");
}

START_TEST(a_bound_belongs_to_its_bucket)
{
	ck_assert_uint_eq(bucket_of(0), 0);
	ck_assert_uint_eq(bucket_of(100 * CLOCK_US), 0);
	ck_assert_uint_eq(bucket_of(100 * CLOCK_US + 1), 1);
	ck_assert_uint_eq(bucket_of(10 * CLOCK_S), METRICS_BUCKET_COUNT - 1);
}
END_TEST

START_TEST(the_last_bucket_takes_the_rest)
{
	ck_assert_uint_eq(bucket_of(10 * CLOCK_S + 1), METRICS_BUCKET_COUNT);
}
END_TEST

/* The text -------------------------------------------------------------------------------------------------------- */

static const char *written(void)
{
	static char text[65536];
	static const struct metrics_text_facts facts = { .version = "1.0 \"beta\"",
							 .processes = 2,
							 .worker_threads = 2 };
	struct arena_pool *pool = arena_pool_new(0);
	struct arena arena;
	struct buffer out;

	arena_init(&arena, pool);
	buffer_init(&out, &arena, 256);
	metrics_text_write(&out, &facts);
	ck_assert_uint_lt(out.len, sizeof(text));
	memcpy(text, out.data, out.len);
	text[out.len] = '\0';
	arena_reset(&arena);
	arena_pool_free(pool);
	return text;
}

static void assert_has(const char *line)
{
	const char *text = written();
	const char *at = strstr(text, line);

	ck_assert_msg(at && (at == text || at[-1] == '\n'), "no line '%s' in:\n%s", line, text);
}

START_TEST(the_text_has_every_counter)
{
	metrics_add(METRIC_REQUESTS_4XX, 12);
	assert_has("leat_requests_total{code=\"2xx\"} 0\n");
	assert_has("leat_requests_total{code=\"4xx\"} 12\n");
	assert_has("leat_requests_timed_out_total 0\n");
}
END_TEST

START_TEST(the_text_describes_a_name_once)
{
	const char *first = strstr(written(), "# TYPE leat_requests_total counter\n");

	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "# TYPE leat_requests_total "));
}
END_TEST

START_TEST(the_text_shows_gauges_below_zero)
{
	metrics_add(METRIC_DB_IN_FLIGHT, -1);
	assert_has("leat_db_in_flight -1\n");
}
END_TEST

START_TEST(the_text_has_cumulative_buckets)
{
	metrics_observe(HISTOGRAM_REQUESTS, 50 * CLOCK_US);
	metrics_observe(HISTOGRAM_REQUESTS, 2 * CLOCK_MS);
	metrics_observe(HISTOGRAM_REQUESTS, 11 * CLOCK_S);
	assert_has("leat_request_duration_seconds_bucket{le=\"0.0001\"} 1\n");
	assert_has("leat_request_duration_seconds_bucket{le=\"0.0025\"} 2\n");
	assert_has("leat_request_duration_seconds_bucket{le=\"10\"} 2\n");
	assert_has("leat_request_duration_seconds_bucket{le=\"+Inf\"} 3\n");
	assert_has("leat_request_duration_seconds_sum 11.002050000\n");
	assert_has("leat_request_duration_seconds_count 3\n");
}
END_TEST

START_TEST(the_text_escapes_the_version)
{
	assert_has("leat_build_info{version=\"1.0 \\\"beta\\\"\"} 1\n");
}
END_TEST

START_TEST(the_text_has_the_running_processes_alone)
{
	metrics_create(2, 2);
	metrics_enter(1);
	assert_has("leat_processes 2\n");
	assert_has("process_threads{process=\"1\"} ");
	ck_assert_ptr_null(strstr(written(), "process=\"0\""));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("metrics");
	TCase *bugs;

	HARNESS_CASE(s, "slots", counting_works_before_anything_was_made, what_was_counted_before_is_kept,
		     other_processes_counts_are_seen, threads_that_never_attached_are_seen_by_other_processes,
		     a_gauge_goes_down_in_another_slot_than_up, of_some_the_highest_counts,
		     nothing_is_lost_in_a_shared_slot);
	HARNESS_CASE(s, "dead processes", gauges_of_the_dead_are_forgotten, counters_of_the_dead_are_kept,
		     gauges_of_the_living_are_kept, a_process_has_its_pid_until_it_is_cleared);
	bugs = tcase_create("bugs");
	tcase_add_test_raise_signal(bugs, a_process_beyond_the_last_is_a_bug, SIGABRT);
	suite_add_tcase(s, bugs);
	HARNESS_CASE(s, "histogram", a_bound_belongs_to_its_bucket, the_last_bucket_takes_the_rest);
	HARNESS_CASE(s, "text", the_text_has_every_counter, the_text_describes_a_name_once,
		     the_text_shows_gauges_below_zero, the_text_has_cumulative_buckets, the_text_escapes_the_version,
		     the_text_has_the_running_processes_alone);
	return s;
}
