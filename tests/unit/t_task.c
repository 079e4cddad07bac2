/* t_task.c - tasks, their loop, and all they can wait for (task/task.h, loop.h, wait.h, semaphore.h, queue.h). */
#include "tests/unit/harness.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/annotate.h"
#include "base/clock.h"
#include "task/loop.h"
#include "task/queue.h"
#include "task/semaphore.h"
#include "task/stack.h"
#include "task/task.h"
#include "task/wait.h"

#ifdef LEAT_WITH_TSAN
enum { MANY_TASKS = 1000 }; /* ThreadSanitizer keeps at most 8128 fibers */
#else
enum { MANY_TASKS = 10000 };
#endif

static struct loop *loop;
static char trace[64];
static enum leat_result seen;

static void make_loop(void)
{
	loop = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = MANY_TASKS });
	loop_adopt(loop);
	memset(trace, 0, sizeof(trace));
	seen = LEAT_RESULT_COUNT;
}

static void free_loop(void)
{
	loop_release(loop);
	loop_free(loop);
}

/* Until the last task of this loop has ended. */
static void run_all_of(struct loop *its)
{
	loop_run_ready(its);
	while (loop_task_count(its) > 0) {
		loop_poll(its, loop_sleep_until(its));
		loop_run_ready(its);
	}
}

static void run_all(void)
{
	run_all_of(loop);
}

static void start(task_fn fn, void *arg)
{
	ck_assert(task_start(loop, fn, arg));
}

static int64_t in_ms(int64_t ms)
{
	return clock_now_ns() + ms * CLOCK_MS;
}

static void mark(const char *letter)
{
	trace[strlen(trace)] = letter[0];
}

/* Tasks --------------------------------------------------------------------------------------------------------------- */

static void mark_and_yield(void *letter)
{
	mark(letter);
	task_yield();
	mark(letter);
}

START_TEST(a_task_runs_until_it_first_waits)
{
	start(mark_and_yield, (void *)"a");
	ck_assert_str_eq(trace, "a");
	run_all();
	ck_assert_str_eq(trace, "aa");
}
END_TEST

START_TEST(tasks_take_turns)
{
	start(mark_and_yield, (void *)"a");
	start(mark_and_yield, (void *)"b");
	run_all();
	ck_assert_str_eq(trace, "abab");
}
END_TEST

static void start_another(void *letter)
{
	start(mark_and_yield, letter);
	mark("x");
	task_yield();
}

START_TEST(a_task_started_by_a_task_runs_after_it)
{
	start(start_another, (void *)"b");
	run_all();
	ck_assert_str_eq(trace, "xbb");
}
END_TEST

static void wait_until(void *deadline)
{
	seen = task_wait(*(int64_t *)deadline);
}

START_TEST(a_wait_ends_at_its_deadline)
{
	int64_t deadline = in_ms(20);

	start(wait_until, &deadline);
	run_all();
	ck_assert_int_eq(seen, LEAT_TIMED_OUT);
	ck_assert_int_ge(clock_now_ns(), deadline);
}
END_TEST

START_TEST(a_deadline_that_has_passed_does_not_wait)
{
	int64_t deadline = loop_now_ns(loop) - 1;

	start(wait_until, &deadline);
	ck_assert_int_eq(seen, LEAT_TIMED_OUT);
}
END_TEST

static struct task *waiting;

static void wait_for_ever(void *arg)
{
	(void)arg;
	waiting = task_self();
	seen = task_wait(CLOCK_NEVER);
}

START_TEST(a_woken_task_has_the_waker_s_result)
{
	start(wait_for_ever, NULL);
	task_wake(waiting, LEAT_CONFLICT);
	run_all();
	ck_assert_int_eq(seen, LEAT_CONFLICT);
}
END_TEST

START_TEST(a_cancelled_wait_says_so)
{
	start(wait_for_ever, NULL);
	task_cancel(waiting);
	run_all();
	ck_assert_int_eq(seen, LEAT_CANCELLED);
}
END_TEST

static void wait_twice(void *arg)
{
	(void)arg;
	waiting = task_self();
	ck_assert_int_eq(task_wait(CLOCK_NEVER), LEAT_CANCELLED);
	seen = task_wait(CLOCK_NEVER);
}

START_TEST(cancelling_is_sticky)
{
	start(wait_twice, NULL);
	task_cancel(waiting);
	run_all();
	ck_assert_int_eq(seen, LEAT_CANCELLED);
}
END_TEST

static void clean_up(void *arg)
{
	(void)arg;
	waiting = task_self();
	seen = task_wait_always(in_ms(10));
}

START_TEST(a_wait_that_cleans_up_is_not_cancelled)
{
	start(clean_up, NULL);
	task_cancel(waiting);
	run_all();
	ck_assert_int_eq(seen, LEAT_TIMED_OUT);
}
END_TEST

START_TEST(the_loop_refuses_more_tasks_than_its_limit)
{
	struct loop *small;

	free_loop();
	small = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = 1 });
	loop_adopt(small);
	ck_assert(task_start(small, mark_and_yield, (void *)"a"));
	ck_assert(!task_start(small, mark_and_yield, (void *)"b"));
	loop_run_ready(small);
	ck_assert(task_start(small, mark_and_yield, (void *)"c"));
	loop_run_ready(small);
	loop_release(small);
	loop_free(small);
	make_loop();
}
END_TEST

static void sleep_a_little(void *count)
{
	ck_assert_int_eq(wait_sleep(in_ms(50), CLOCK_NEVER), LEAT_OK);
	++*(int *)count;
}

START_TEST(thousands_of_tasks_sleep_at_once)
{
	int count = 0;
	int64_t began = clock_now_ns();

	for (int i = 0; i < MANY_TASKS; i++)
		start(sleep_a_little, &count);
	ck_assert_uint_eq(loop_task_count(loop), MANY_TASKS);
	run_all();
	ck_assert_int_eq(count, MANY_TASKS);
	ck_assert_int_lt(clock_now_ns() - began, MANY_TASKS * 25 * CLOCK_MS); /* together, not one after the other */
}
END_TEST

static void keep_registers(void *arg)
{
	double x = 1.5, y = (double)(intptr_t)arg;
	int64_t a = (intptr_t)arg, b = a * 3, c = a * 5, d = a * 7;

	for (int i = 0; i < 100; i++) {
		task_yield();
		ck_assert(b == a * 3 && c == a * 5 && d == a * 7);
		x += y;
	}
	ck_assert(x == 1.5 + 100 * y);
}

START_TEST(each_task_keeps_its_own_registers)
{
	for (intptr_t i = 1; i <= 10; i++)
		start(keep_registers, (void *)i);
	run_all();
}
END_TEST

#if !defined(LEAT_WITH_ASAN) && !defined(LEAT_WITH_TSAN)
static int recurse(volatile char *above)
{
	volatile char frame[1024];

	frame[0] = above[0];
	return above[0] == 1 ? 0 : recurse(frame) + frame[0];
}

static void overflow(void *arg)
{
	volatile char first = 0;

	(void)arg;
	seen = recurse(&first) ? LEAT_OK : LEAT_CONFLICT;
}

START_TEST(running_past_the_stack_ends_the_process)
{
	start(overflow, NULL);
}
END_TEST
#endif

/* Waits --------------------------------------------------------------------------------------------------------------- */

static int pair[2];

static void read_a_byte(void *arg)
{
	char byte;

	seen = wait_fd(pair[0], WAIT_READ, *(int64_t *)arg);
	if (seen == LEAT_OK)
		ck_assert_int_eq(read(pair[0], &byte, 1), 1);
}

static void make_pair(void)
{
	make_loop();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

static void free_pair(void)
{
	close(pair[0]);
	close(pair[1]);
	free_loop();
}

START_TEST(a_readable_descriptor_wakes_its_task)
{
	int64_t never = CLOCK_NEVER;

	start(read_a_byte, &never);
	ck_assert_int_eq(write(pair[1], "x", 1), 1);
	run_all();
	ck_assert_int_eq(seen, LEAT_OK);
}
END_TEST

START_TEST(a_silent_descriptor_times_out)
{
	int64_t soon = in_ms(10);

	start(read_a_byte, &soon);
	run_all();
	ck_assert_int_eq(seen, LEAT_TIMED_OUT);
}
END_TEST

START_TEST(the_same_descriptor_can_be_waited_for_again)
{
	int64_t never = CLOCK_NEVER;

	for (int i = 0; i < 3; i++) {
		start(read_a_byte, &never);
		ck_assert_int_eq(write(pair[1], "x", 1), 1);
		run_all();
		ck_assert_int_eq(seen, LEAT_OK);
	}
}
END_TEST

static void sleep_past_deadline(void *arg)
{
	(void)arg;
	seen = wait_sleep(in_ms(60000), in_ms(10));
}

START_TEST(a_sleep_ends_at_the_deadline)
{
	start(sleep_past_deadline, NULL);
	run_all();
	ck_assert_int_eq(seen, LEAT_TIMED_OUT);
}
END_TEST

/* Other threads ------------------------------------------------------------------------------------------------------- */

struct counted_post {
	struct loop_post post;
	int *count;
};

static void count_post(struct loop_post *post)
{
	++*((struct counted_post *)post)->count;
}

enum { POSTS = 20000 };

static void *post_many(void *arg)
{
	struct counted_post *posts = arg;

	for (int i = 0; i < POSTS; i++)
		loop_post(loop, &posts[i].post);
	return NULL;
}

START_TEST(no_post_of_another_thread_is_lost)
{
	static struct counted_post posts[2][POSTS];
	pthread_t threads[2];
	int count = 0;

	for (int i = 0; i < 2; i++)
		for (int k = 0; k < POSTS; k++)
			posts[i][k] = (struct counted_post){ .post.fn = count_post, .count = &count };
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, posts[i]), 0);
	while (count < 2 * POSTS)
		loop_poll(loop, CLOCK_NEVER); /* would hang for ever if a wake-up were lost */
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

static struct semaphore slots;
static int inside, most_inside;

static void use_slot(void *arg)
{
	(void)arg;
	ck_assert_int_eq(semaphore_take(&slots, 1, CLOCK_NEVER), LEAT_OK);
	if (++inside > most_inside)
		most_inside = inside;
	task_yield();
	inside--;
	semaphore_give(&slots, 1);
}

START_TEST(a_semaphore_lets_in_as_many_as_it_has)
{
	inside = most_inside = 0;
	semaphore_init(&slots, 3, 1000);
	for (int i = 0; i < 50; i++)
		start(use_slot, NULL);
	run_all();
	ck_assert_int_eq(most_inside, 3);
	ck_assert_int_eq(inside, 0);
	semaphore_fini(&slots);
}
END_TEST

static void take_in_time(void *arg)
{
	(void)arg;
	seen = semaphore_take(&slots, 1, in_ms(10));
}

START_TEST(who_gives_up_takes_nothing)
{
	semaphore_init(&slots, 0, 1000);
	start(take_in_time, NULL);
	run_all();
	ck_assert_int_eq(seen, LEAT_TIMED_OUT);
	semaphore_give(&slots, 1);
	ck_assert(semaphore_try(&slots, 1));
	ck_assert(!semaphore_try(&slots, 1));
	semaphore_fini(&slots);
}
END_TEST

static void take_and_mark(void *letter)
{
	ck_assert_int_eq(semaphore_take(&slots, 1, CLOCK_NEVER), LEAT_OK);
	mark(letter);
}

START_TEST(a_semaphore_serves_in_order)
{
	semaphore_init(&slots, 0, 1000);
	start(take_and_mark, (void *)"a");
	start(take_and_mark, (void *)"b");
	start(take_and_mark, (void *)"c");
	for (int i = 0; i < 3; i++)
		semaphore_give(&slots, 1);
	run_all();
	ck_assert_str_eq(trace, "abc");
	semaphore_fini(&slots);
}
END_TEST

enum { RACE_TASKS = 8, RACE_ROUNDS = 500 };
static atomic_int taken, gave_up;

static void race_for_slot(void *arg)
{
	(void)arg;
	for (int i = 0; i < RACE_ROUNDS; i++) {
		enum leat_result result = semaphore_take(&slots, 1, clock_now_ns() + (i % 3) * 50 * CLOCK_US);

		if (result == LEAT_OK) {
			taken++;
			task_yield();
			semaphore_give(&slots, 1);
		} else {
			gave_up++;
			task_yield();
		}
	}
}

static void *race_thread(void *arg)
{
	struct loop *mine = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = RACE_TASKS });

	(void)arg;
	loop_adopt(mine);
	for (int i = 0; i < RACE_TASKS; i++)
		ck_assert(task_start(mine, race_for_slot, NULL));
	run_all_of(mine);
	loop_release(mine);
	return mine;
}

START_TEST(slots_are_neither_lost_nor_doubled_when_waiters_of_two_loops_give_up)
{
	pthread_t threads[2];
	void *loops[2];

	taken = gave_up = 0;
	semaphore_init(&slots, 3, 1000);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, race_thread, NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], &loops[i]);
	for (int i = 0; i < 2; i++)
		loop_free(loops[i]); /* only now: one may still be posting to the other */
	ck_assert_int_eq(taken + gave_up, 2 * RACE_TASKS * RACE_ROUNDS);
	for (int i = 0; i < 3; i++)
		ck_assert(semaphore_try(&slots, 1));
	ck_assert(!semaphore_try(&slots, 1));
	semaphore_fini(&slots);
}
END_TEST

static struct queue *queue;

static void put_all(void *letters)
{
	for (const char *letter = letters; *letter; letter++)
		ck_assert_int_eq(queue_put(queue, (void *)letter, CLOCK_NEVER), LEAT_OK);
}

static void get_three(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		void *letter;

		ck_assert_int_eq(queue_get(queue, &letter, CLOCK_NEVER), LEAT_OK);
		mark(letter);
	}
}

START_TEST(a_queue_hands_on_in_order_and_makes_putters_wait)
{
	queue = queue_new(1);
	start(put_all, (void *)"abc");
	ck_assert_uint_eq(loop_task_count(loop), 1); /* it waits: one fits */
	start(get_three, NULL);
	run_all();
	ck_assert_str_eq(trace, "abc");
	queue_free(queue);
}
END_TEST

START_TEST(a_getter_waits_for_a_putter)
{
	queue = queue_new(4);
	start(get_three, NULL);
	start(put_all, (void *)"xyz");
	run_all();
	ck_assert_str_eq(trace, "xyz");
	queue_free(queue);
}
END_TEST

static void get_in_time(void *arg)
{
	void *item;

	(void)arg;
	seen = queue_get(queue, &item, in_ms(10));
}

START_TEST(an_empty_queue_times_out_and_loses_nothing)
{
	queue = queue_new(1);
	start(get_in_time, NULL);
	run_all();
	ck_assert_int_eq(seen, LEAT_TIMED_OUT);
	ck_assert(queue_try_put(queue, (void *)"a"));
	ck_assert(!queue_try_put(queue, (void *)"b"));
	queue_free(queue);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("task");
	TCase *tasks = HARNESS_CASE(s, "tasks", a_task_runs_until_it_first_waits, tasks_take_turns,
				    a_task_started_by_a_task_runs_after_it, a_wait_ends_at_its_deadline,
				    a_deadline_that_has_passed_does_not_wait, a_woken_task_has_the_waker_s_result,
				    a_cancelled_wait_says_so, cancelling_is_sticky,
				    a_wait_that_cleans_up_is_not_cancelled, the_loop_refuses_more_tasks_than_its_limit,
				    thousands_of_tasks_sleep_at_once, each_task_keeps_its_own_registers);

	tcase_add_checked_fixture(tasks, make_loop, free_loop);
#if !defined(LEAT_WITH_ASAN) && !defined(LEAT_WITH_TSAN)
	tcase_add_test_raise_signal(tasks, running_past_the_stack_ends_the_process, SIGSEGV);
#endif
	HARNESS_CASE_WITH(s, "waits", make_pair, free_pair, a_readable_descriptor_wakes_its_task,
			  a_silent_descriptor_times_out, the_same_descriptor_can_be_waited_for_again,
			  a_sleep_ends_at_the_deadline);
	HARNESS_CASE_WITH(s, "threads", make_loop, free_loop, no_post_of_another_thread_is_lost,
			  a_semaphore_lets_in_as_many_as_it_has, who_gives_up_takes_nothing,
			  a_semaphore_serves_in_order,
			  slots_are_neither_lost_nor_doubled_when_waiters_of_two_loops_give_up,
			  a_queue_hands_on_in_order_and_makes_putters_wait, a_getter_waits_for_a_putter,
			  an_empty_queue_times_out_and_loses_nothing);
	return s;
}
