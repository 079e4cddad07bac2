/* t_breaker.c - circuit breakers around a handler's code, shared by threads and processes (guard/breaker.h, leat/breaker.h). */
#include "guard/breaker.h"

#include <leat.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/metrics.h"
#include "guard/breaker_machine.h"
#include "http/request.h"
#include "task/held.h"
#include "tests/unit/arena_stand.h"

enum { THREADS = 4, CALLS = 20000, PROCESSES = 3, KILLS = 30 };

static struct leat_request *request;
static unsigned told;
static struct leat_breaker_change last;

static void on_change(const struct leat_breaker_change *change)
{
	told++;
	last = *change;
	ck_assert_int_eq(leat_breaker_state(change->breaker), change->to); /* it may ask */
}

LEAT_BREAKER(bank, .failures = 2, .open_ms = 3600000, .on_change = on_change);
LEAT_BREAKER(post, .failures = 1, .open_ms = 1);
LEAT_BREAKER(busy, .failures = 1000000000);
LEAT_BREAKER(sliding, .failure_percent = 100, .calls_least = 1000000000, .window_ms = 1000, .bucket_ms = 100);

static const struct leat_breaker *const all[] = { &bank, &post, &busy, &sliding };

static struct leat_request *request_of(struct arena *memory)
{
	static const struct request_environment environment = { .default_deadline_ns = 1 };
	static const char *const params[] = { NULL };

	return request_new(memory, params, &environment, 0);
}

static void set_up(void)
{
	set_up_arena();
	metrics_create(PROCESSES, THREADS);
	leat_breakers_list_(all, all + sizeof(all) / sizeof(all[0]));
	ck_assert_ptr_null(breakers_fault());
	breakers_create();
	metrics_enter(0);
	metrics_attach(0, 0);
	request = request_of(&arena);
	told = 0;
}

static enum leat_result call(const struct leat_breaker *breaker, enum leat_result result)
{
	LEAT_TRY(leat_breaker_enter(request, breaker));
	return leat_breaker_leave(request, breaker, result);
}

static struct breaker_stats stats_of(const struct leat_breaker *breaker)
{
	struct breaker_stats stats;

	breaker_stats(breaker, &stats);
	return stats;
}

static bool says(leat_text text, const char *what)
{
	return text.ptr && memmem(text.ptr, text.len, what, strlen(what)) != NULL;
}

/* Around code ---------------------------------------------------------------------------------------------------------- */

START_TEST(a_result_is_handed_on)
{
	ck_assert_int_eq(call(&bank, LEAT_OK), LEAT_OK);
	ck_assert_int_eq(call(&bank, LEAT_NOT_FOUND), LEAT_NOT_FOUND);
	ck_assert_uint_eq(leat_breaker_counts(&bank).successes, 2);
	ck_assert_ptr_null(request->call.held);
}
END_TEST

START_TEST(an_open_one_names_itself_and_the_time)
{
	ck_assert_int_eq(call(&bank, LEAT_TIMED_OUT), LEAT_TIMED_OUT);
	ck_assert_int_eq(call(&bank, LEAT_UNAVAILABLE), LEAT_UNAVAILABLE);
	ck_assert(!request->problem.detail.ptr);
	ck_assert_int_eq(leat_breaker_enter(request, &bank), LEAT_UNAVAILABLE);
	ck_assert(says(request->problem.detail, "'bank' is open"));
	ck_assert_int_gt(request->call.retry_after_s, 3500);
	ck_assert_int_le(request->call.retry_after_s, 3600);
	ck_assert_uint_eq(stats_of(&bank).refused_open, 1);
	ck_assert_ptr_null(request->call.held);
}
END_TEST

START_TEST(a_change_is_told_once_with_its_counts)
{
	for (int i = 0; i < 5; i++)
		(void)!call(&bank, LEAT_INTERNAL);
	ck_assert_uint_eq(told, 1);
	ck_assert_ptr_eq(last.breaker, &bank);
	ck_assert_int_eq(last.from, LEAT_BREAKER_CLOSED);
	ck_assert_int_eq(last.to, LEAT_BREAKER_OPEN);
	ck_assert_int_eq(last.open_ms, 3600000);
	ck_assert_uint_eq(last.counts.failures, 2);
	ck_assert_uint_eq(stats_of(&bank).changes[LEAT_BREAKER_OPEN], 1);
}
END_TEST

START_TEST(a_client_that_left_is_nobodys_failure)
{
	for (int i = 0; i < 5; i++)
		(void)!call(&bank, LEAT_CANCELLED);
	ck_assert_int_eq(leat_breaker_state(&bank), LEAT_BREAKER_CLOSED);
	ck_assert_uint_eq(stats_of(&bank).exclusions, 5);
}
END_TEST

START_TEST(whoever_does_not_leave_is_left_with_the_requests_result)
{
	ck_assert_int_eq(leat_breaker_enter(request, &bank), LEAT_OK);
	ck_assert_int_eq(leat_breaker_enter(request, &busy), LEAT_OK);
	held_let_go_all(&request->call, LEAT_INTERNAL);
	ck_assert_uint_eq(leat_breaker_counts(&bank).failures, 1);
	ck_assert_uint_eq(leat_breaker_counts(&busy).failures, 1);
	held_let_go_all(&request->call, LEAT_INTERNAL);
	ck_assert_uint_eq(leat_breaker_counts(&bank).failures, 1);
}
END_TEST

START_TEST(breakers_may_be_within_each_other)
{
	ck_assert_int_eq(leat_breaker_enter(request, &bank), LEAT_OK);
	ck_assert_int_eq(leat_breaker_enter(request, &bank), LEAT_OK);
	ck_assert_int_eq(leat_breaker_enter(request, &busy), LEAT_OK);
	ck_assert_int_eq(leat_breaker_leave(request, &bank, LEAT_INTERNAL), LEAT_INTERNAL);
	ck_assert_int_eq(leat_breaker_leave(request, &busy, LEAT_OK), LEAT_OK);
	ck_assert_int_eq(leat_breaker_leave(request, &bank, LEAT_OK), LEAT_OK);
	ck_assert_uint_eq(leat_breaker_counts(&bank).failures, 1);
	ck_assert_uint_eq(leat_breaker_counts(&bank).successes, 1);
}
END_TEST

START_TEST(leaving_what_was_not_entered_is_a_bug)
{
	ck_assert_int_eq(leat_breaker_enter(request, &busy), LEAT_OK);
	(void)!leat_breaker_leave(request, &bank, LEAT_OK);
}
END_TEST

static void wait_until(const struct leat_breaker *breaker, enum leat_breaker_state state)
{
	for (int i = 0; i < 10000 && leat_breaker_state(breaker) != state; i++)
		usleep(1000);
	ck_assert_int_eq(leat_breaker_state(breaker), state);
}

START_TEST(it_is_tried_and_closes)
{
	ck_assert_int_eq(call(&post, LEAT_INTERNAL), LEAT_INTERNAL);
	wait_until(&post, LEAT_BREAKER_HALF_OPEN);
	ck_assert_int_eq(leat_breaker_enter(request, &post), LEAT_OK);
	ck_assert_int_eq(leat_breaker_enter(request, &post), LEAT_UNAVAILABLE);
	ck_assert(says(request->problem.detail, "'post' is half-open"));
	ck_assert_int_eq(leat_breaker_leave(request, &post, LEAT_OK), LEAT_OK);
	ck_assert_int_eq(leat_breaker_state(&post), LEAT_BREAKER_CLOSED);
	ck_assert_uint_eq(stats_of(&post).refused_probed, 1);
}
END_TEST

START_TEST(as_a_middleware_the_status_counts)
{
	static const struct leat_middleware around = LEAT_BREAKER_AROUND(&bank);
	static const int statuses[] = { 200, 404, 502, 504 };

	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(around.before(request, around.options), LEAT_OK);
		ck_assert_int_eq(leat_reply_empty(request, statuses[i]), LEAT_OK);
		around.after(request, around.options);
	}
	ck_assert_int_eq(leat_breaker_state(&bank), LEAT_BREAKER_OPEN);
	ck_assert_int_eq(around.before(request, around.options), LEAT_UNAVAILABLE);
	around.after(request, around.options); /* it was not entered */
	ck_assert_uint_eq(stats_of(&bank).successes, 2);
	ck_assert_uint_eq(stats_of(&bank).failures, 2);
}
END_TEST

START_TEST(names_are_given_once)
{
	static const struct leat_breaker *const twice[] = { &bank, &post, &bank };

	leat_breakers_list_(twice, twice + 3);
	ck_assert_ptr_nonnull(strstr(breakers_fault(), "'bank': there are two"));
}
END_TEST

/* Shared --------------------------------------------------------------------------------------------------------------- */

/* As many calls of each kind. Nothing of Check's: it writes to a file at each ck_assert, where one who is killed would leave half a message. */
static bool hammer(struct leat_request *req)
{
	for (int i = 0; i < CALLS; i++) {
		const struct leat_breaker *breaker = i % 2 ? &busy : &sliding;
		enum leat_result result = i % 4 < 2 ? LEAT_OK : LEAT_INTERNAL;

		if (leat_breaker_enter(req, breaker) != LEAT_OK || leat_breaker_leave(req, breaker, result) != result)
			return false;
	}
	return true;
}

static void *hammer_in_thread(void *arg)
{
	struct arena_pool *own_pool = arena_pool_new(0);
	struct arena memory;

	arena_init(&memory, own_pool);
	metrics_attach(0, (unsigned)(uintptr_t)arg);
	if (!hammer(request_of(&memory)))
		abort();
	arena_reset(&memory);
	arena_pool_free(own_pool);
	return NULL;
}

START_TEST(threads_lose_no_call)
{
	pthread_t threads[THREADS];
	struct leat_breaker_counts counts;

	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer_in_thread, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	counts = leat_breaker_counts(&busy);
	ck_assert_uint_eq(counts.requests, THREADS * CALLS / 2);
	ck_assert_uint_eq(counts.successes, THREADS * CALLS / 4);
	ck_assert_uint_eq(counts.failures, THREADS * CALLS / 4);
	ck_assert_uint_eq(stats_of(&busy).failures, THREADS * CALLS / 4);
}
END_TEST

static pid_t start_process(unsigned process)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
	metrics_enter(process);
	metrics_attach(process, 0);
	for (;;) {
		if (!hammer(request))
			_exit(1);
		arena_reset(&arena);
		request = request_of(&arena);
	}
}

static bool is_sound(const struct leat_breaker_counts *counts)
{
	return counts->requests >= counts->successes + counts->failures &&
	       counts->requests - counts->successes - counts->failures <= KILLS + PROCESSES;
}

/* Each that is killed leaves one call at most that was begun. */
START_TEST(whoever_is_killed_holds_nothing)
{
	pid_t pids[PROCESSES];
	struct leat_breaker_counts before, counts;

	for (unsigned i = 1; i < PROCESSES; i++)
		pids[i] = start_process(i);
	for (int round = 0; round < KILLS; round++) {
		unsigned process = 1 + (unsigned)round % (PROCESSES - 1);

		before = leat_breaker_counts(&busy);
		for (int i = 0; i < 10000 && leat_breaker_counts(&busy).requests < before.requests + 100; i++)
			usleep(1000);
		kill(pids[process], SIGKILL);
		waitpid(pids[process], NULL, 0);
		ck_assert_int_eq(call(&busy, LEAT_OK), LEAT_OK);
		counts = leat_breaker_counts(&busy);
		ck_assert_uint_gt(counts.requests, before.requests);
		ck_assert(is_sound(&counts));
		pids[process] = start_process(process);
	}
	for (unsigned i = 1; i < PROCESSES; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	ck_assert_int_eq(call(&sliding, LEAT_OK), LEAT_OK);
	counts = leat_breaker_counts(&busy);
	ck_assert_uint_le(counts.requests - counts.successes - counts.failures, KILLS + PROCESSES);
}
END_TEST

START_TEST(what_one_process_opens_is_open_in_the_others)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		metrics_enter(1);
		metrics_attach(1, 0);
		(void)!call(&bank, LEAT_INTERNAL);
		(void)!call(&bank, LEAT_INTERNAL);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(leat_breaker_enter(request, &bank), LEAT_UNAVAILABLE);
	ck_assert_uint_eq(stats_of(&bank).failures, 2);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("breaker");
	TCase *bugs;

	HARNESS_CASE_WITH(s, "around code", set_up, tear_down_arena, a_result_is_handed_on,
			  an_open_one_names_itself_and_the_time, a_change_is_told_once_with_its_counts,
			  a_client_that_left_is_nobodys_failure,
			  whoever_does_not_leave_is_left_with_the_requests_result, breakers_may_be_within_each_other,
			  it_is_tried_and_closes, as_a_middleware_the_status_counts, names_are_given_once);
	HARNESS_CASE_WITH(s, "shared", set_up, tear_down_arena, threads_lose_no_call, whoever_is_killed_holds_nothing,
			  what_one_process_opens_is_open_in_the_others);
	bugs = tcase_create("bugs");
	tcase_add_checked_fixture(bugs, set_up, tear_down_arena);
	tcase_add_test_raise_signal(bugs, leaving_what_was_not_entered_is_a_bug, SIGABRT);
	suite_add_tcase(s, bugs);
	return s;
}
