/* t_crash.c - tasks and offloaded calls that crash, and what is left of the thread (task/crash.h). Each test is a process of its own. */
#include "tests/unit/harness.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/annotate.h"
#include "base/clock.h"
#include "base/linetext.h"
#include "base/metrics.h"
#include "base/modules.h"
#include "task/crash.h"
#include "task/loop.h"
#include "task/offload.h"
#include "task/task.h"
#include "task/wait.h"

/* Addresses ------------------------------------------------------------------------------------------------------------- */

static void known_function(void)
{
	ck_assert(true);
}

START_TEST(an_address_has_its_file_and_symbol)
{
	struct module_place place;

	modules_learn();
	ck_assert(modules_find((uintptr_t)known_function + 1, &place));
	ck_assert_ptr_nonnull(strstr(place.file, "t_crash"));
	ck_assert_str_eq(place.symbol, "known_function");
	ck_assert_uint_eq(place.into, 1);
	ck_assert(modules_find((uintptr_t)abort, &place));
	ck_assert_str_eq(place.symbol, "abort");
#ifndef LEAT_WITH_TSAN /* whose own it is */
	ck_assert_ptr_nonnull(strstr(place.file, "libc"));
#endif
}
END_TEST

START_TEST(an_address_in_no_module_is_not_found)
{
	struct module_place place;

	modules_learn();
	ck_assert(!modules_find(0, &place));
	ck_assert(!modules_find((uintptr_t)&place, &place));
}
END_TEST

static void expect_text(const struct linetext *line, const char *expected)
{
	ck_assert_uint_eq(line->len, strlen(expected));
	ck_assert_mem_eq(line->bytes, expected, line->len);
}

START_TEST(a_line_is_made_of_words_and_numbers)
{
	struct linetext line = { 0 };

	linetext_add(&line, "a ");
	linetext_int(&line, -42);
	linetext_add(&line, " ");
	linetext_hex(&line, 0);
	linetext_hex(&line, UINT64_MAX);
	linetext_bytes(&line, (const uint8_t *)"\x00\x9f", 2);
	expect_text(&line, "a -42 0x00xffffffffffffffff009f");
}
END_TEST

START_TEST(a_line_that_is_too_long_is_cut)
{
	struct linetext line = { 0 };

	for (int i = 0; i < LINETEXT_SIZE; i++)
		linetext_add(&line, "abc");
	ck_assert_uint_eq(line.len, LINETEXT_SIZE);
}
END_TEST

#if !defined(LEAT_WITH_ASAN) && !defined(LEAT_WITH_TSAN)

/* Crashes ---------------------------------------------------------------------------------------------------------------- */

static struct loop *loop;
static struct offload *offload;
static int *volatile nowhere;
static atomic_int answered, refused, left, buried;
static void *answered_arg, *buried_arg;
static enum leat_result seen;
static bool has_gone_on;

static bool describe(void *arg, struct crash_subject *ret_subject)
{
	*ret_subject = (struct crash_subject){ .route = "/test", .id_len = 2, .id = "id" };
	return arg != NULL;
}

static void answer(void *arg)
{
	answered++;
	answered_arg = arg;
}

static void refuse(void *arg)
{
	(void)arg;
	refused++;
}

static void leave(void)
{
	left++;
	crash_work_is_refused();
}

static void bury(void *arg)
{
	buried++;
	buried_arg = arg;
}

static void set_up_with(bool contains)
{
	static struct crash_plan plan;

	plan = (struct crash_plan){ .contains = contains,
				    .describe = describe,
				    .answer = answer,
				    .refuse = refuse,
				    .leave = leave,
				    .bury = bury };
	crash_init(&plan);
	loop = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = 16 });
	loop_adopt(loop);
	offload = offload_new(1, 4);
	ck_assert_ptr_nonnull(offload);
}

static void set_up(void)
{
	set_up_with(true);
}

static void run_all(void)
{
	loop_run_ready(loop);
	while (loop_task_count(loop) > 0) {
		loop_poll(loop, loop_sleep_until(loop));
		loop_run_ready(loop);
	}
}

static void die(void *arg)
{
	(void)arg;
	*nowhere = 1;
}

static void die_later(void *arg)
{
	task_yield();
	die(arg);
}

static void go_on(void *arg)
{
	(void)arg;
	seen = wait_sleep(loop_now_ns(loop) + 20 * CLOCK_MS, CLOCK_NEVER);
	has_gone_on = true;
}

static int first, second;

START_TEST(a_task_that_crashes_is_answered_and_buried_once)
{
	ck_assert(task_start(loop, die, &first));
	ck_assert_int_eq(answered, 1);
	ck_assert_ptr_eq(answered_arg, &first);
	ck_assert_int_eq(buried, 1);
	ck_assert_ptr_eq(buried_arg, &first);
	ck_assert_int_eq(left, 1);
	ck_assert_uint_eq(loop_task_count(loop), 0);
	ck_assert(crash_has_happened());
	ck_assert_uint_eq(metrics_total(METRIC_CRASHES_CONTAINED), 1);
}
END_TEST

START_TEST(the_others_of_its_loop_go_on)
{
	ck_assert(task_start(loop, go_on, &first));
	ck_assert(task_start(loop, die_later, &second));
	ck_assert(task_start(loop, go_on, &first));
	run_all();
	ck_assert(has_gone_on);
	ck_assert_int_eq(seen, LEAT_OK);
	ck_assert_ptr_eq(buried_arg, &second);
	ck_assert_int_eq(refused, 0);
}
END_TEST

/* Up to the end of its stack, where the task itself stands. */
static void smash(void *arg)
{
	char *volatile here = (char *)&here;

	(void)arg;
	memset(here + 64, 0x5a, (size_t)(((uintptr_t)here | 4095) - (uintptr_t)here - 63));
	*nowhere = 1;
}

START_TEST(a_task_that_has_overwritten_its_stack_is_buried)
{
	ck_assert(task_start(loop, go_on, &first));
	ck_assert(task_start(loop, smash, &second));
	ck_assert(task_start(loop, go_on, &first));
	ck_assert_ptr_eq(answered_arg, &second);
	ck_assert_ptr_eq(buried_arg, &second);
	run_all();
	ck_assert(has_gone_on);
}
END_TEST

static int descend(volatile const char *above)
{
	volatile char frame[512];

	frame[0] = above[0];
	return above[0] == 1 ? 0 : descend(frame) + frame[0];
}

static void overflow(void *arg)
{
	volatile char top = 0;

	(void)arg;
	seen = descend(&top) ? LEAT_OK : LEAT_CONFLICT;
}

START_TEST(a_stack_that_ran_out_is_a_crash_like_others)
{
	ck_assert(task_start(loop, overflow, &first));
	ck_assert_int_eq(buried, 1);
}
END_TEST

static void fail_a_check(void *arg)
{
	(void)arg;
	abort();
}

START_TEST(so_is_a_failed_check)
{
	ck_assert(task_start(loop, fail_a_check, &first));
	ck_assert_int_eq(buried, 1);
}
END_TEST

static void break_the_heap(void *arg)
{
	char *volatile piece = malloc(5000);

	(void)arg;
	memset(piece, 'x', malloc_usable_size(piece) + 16);
	free(piece);
}

/* The thread stays in the signal handler: another one looks. */
static void *break_heap_of_a_loop(void *arg)
{
	free(malloc(5000)); /* an arena of its own */
	loop_adopt(loop);
	ck_assert(task_start(loop, go_on, &first));
	ck_assert(task_start(loop, go_on, &first));
	ck_assert(task_start(loop, break_the_heap, arg));
	ck_abort_msg("it came back");
	return NULL;
}

START_TEST(where_malloc_hangs_the_others_are_refused)
{
	pthread_t thread;

	loop_release(loop);
	ck_assert_int_eq(pthread_create(&thread, NULL, break_heap_of_a_loop, &second), 0);
	while (!loop_is_lost(loop))
		usleep(1000);
	ck_assert_int_eq(answered, 1);
	ck_assert_ptr_eq(answered_arg, &second);
	ck_assert_int_eq(refused, 2);
	ck_assert_int_eq(buried, 0);
}
END_TEST

static void call_and_die(void *arg)
{
	int nothing = 0;

	(void)arg;
	seen = offload_call(offload, die, &nothing, sizeof(nothing), CLOCK_NEVER);
}

START_TEST(an_offloaded_call_that_crashes_fails)
{
	ck_assert(task_start(loop, call_and_die, &first));
	run_all();
	ck_assert_int_eq(seen, LEAT_INTERNAL);
	ck_assert_int_eq(left, 1);
	ck_assert_int_eq(answered + buried, 0); /* the task does that, as ever */
}
END_TEST

START_TEST(a_second_crash_ends_the_process)
{
	ck_assert(task_start(loop, die, &first));
	ck_assert(task_start(loop, die, &second));
}
END_TEST

START_TEST(a_crash_of_no_request_ends_the_process)
{
	ck_assert(task_start(loop, die, NULL));
}
END_TEST

START_TEST(a_crash_outside_of_tasks_ends_the_process)
{
	die(NULL);
}
END_TEST

START_TEST(a_signal_that_was_sent_ends_the_process)
{
	kill(getpid(), SIGSEGV);
	for (;;)
		pause();
}
END_TEST

START_TEST(without_grace_the_first_crash_ends_the_process)
{
	set_up_with(false);
	ck_assert(task_start(loop, die, &first));
}
END_TEST

static void add_crashes(Suite *s)
{
	TCase *fatal = tcase_create("fatal"), *no_grace = tcase_create("no grace");

	HARNESS_CASE_WITH(s, "contained", set_up, NULL, a_task_that_crashes_is_answered_and_buried_once,
			  the_others_of_its_loop_go_on, a_task_that_has_overwritten_its_stack_is_buried,
			  a_stack_that_ran_out_is_a_crash_like_others, so_is_a_failed_check,
			  where_malloc_hangs_the_others_are_refused, an_offloaded_call_that_crashes_fails);
	suite_add_tcase(s, fatal);
	tcase_add_checked_fixture(fatal, set_up, NULL);
	tcase_add_test_raise_signal(fatal, a_second_crash_ends_the_process, SIGSEGV);
	tcase_add_test_raise_signal(fatal, a_crash_of_no_request_ends_the_process, SIGSEGV);
	tcase_add_test_raise_signal(fatal, a_crash_outside_of_tasks_ends_the_process, SIGSEGV);
	tcase_add_test_raise_signal(fatal, a_signal_that_was_sent_ends_the_process, SIGSEGV);
	suite_add_tcase(s, no_grace);
	tcase_add_test_raise_signal(no_grace, without_grace_the_first_crash_ends_the_process, SIGSEGV);
}
#endif

Suite *suite(void)
{
	Suite *s = suite_create("crash");

	HARNESS_CASE(s, "addresses", an_address_has_its_file_and_symbol, an_address_in_no_module_is_not_found);
	HARNESS_CASE(s, "lines", a_line_is_made_of_words_and_numbers, a_line_that_is_too_long_is_cut);
#if !defined(LEAT_WITH_ASAN) && !defined(LEAT_WITH_TSAN)
	add_crashes(s);
#endif
	return s;
}
