/* t_offload.c - calls that block, off the loop (task/offload.h). */
#include "tests/unit/harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"
#include "task/loop.h"
#include "task/offload.h"
#include "task/task.h"

static struct loop *loop;
static struct offload *offload;
static enum leat_result seen;
static int64_t number;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int passed;

static void set_up(void)
{
	loop = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = 16 });
	loop_adopt(loop);
	offload = offload_new(1, 1);
	ck_assert_ptr_nonnull(offload);
	passed = 0;
}

static void tear_down(void)
{
	offload_free(offload);
	loop_poll(loop, 0);
	loop_release(loop);
	loop_free(loop);
}

static void run_all(void)
{
	loop_run_ready(loop);
	while (loop_task_count(loop) > 0) {
		loop_poll(loop, loop_sleep_until(loop));
		loop_run_ready(loop);
	}
}

static void add_one(void *arg)
{
	++*(int64_t *)arg;
}

static void wait_at_gate(void *arg)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	++*(int64_t *)arg;
	passed++;
}

static void call_add_one(void *arg)
{
	(void)arg;
	seen = offload_call(offload, add_one, &number, sizeof(number), CLOCK_NEVER);
}

static void call_gate(void *arg)
{
	(void)arg;
	seen = offload_call(offload, wait_at_gate, &number, sizeof(number), clock_now_ns() + 20 * CLOCK_MS);
}

START_TEST(a_call_comes_back_with_its_result)
{
	number = 41;
	ck_assert(task_start(loop, call_add_one, NULL));
	run_all();
	ck_assert_int_eq(seen, LEAT_OK);
	ck_assert_int_eq(number, 42);
}
END_TEST

START_TEST(a_call_given_up_changes_nothing_later)
{
	number = 1;
	pthread_mutex_lock(&gate);
	ck_assert(task_start(loop, call_gate, NULL));
	run_all();
	ck_assert_int_eq(seen, LEAT_TIMED_OUT);
	pthread_mutex_unlock(&gate);
	while (passed == 0)
		loop_poll(loop, clock_now_ns() + CLOCK_MS);
	ck_assert_int_eq(number, 1);
}
END_TEST

START_TEST(a_full_queue_refuses)
{
	pthread_mutex_lock(&gate);
	ck_assert(task_start(loop, call_gate, NULL)); /* in the thread, or in the queue before it */
	ck_assert(task_start(loop, call_gate, NULL));
	ck_assert(task_start(loop, call_gate, NULL)); /* one runs, one is queued, at most: this one is over */
	ck_assert_int_eq(seen, LEAT_UNAVAILABLE);
	pthread_mutex_unlock(&gate);
	run_all();
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("offload");

	HARNESS_CASE_WITH(s, "offload", set_up, tear_down, a_call_comes_back_with_its_result,
			  a_call_given_up_changes_nothing_later, a_full_queue_refuses);
	return s;
}
