/* t_task_shield.c - a task that is cancelled and has something to write down first. */
#include "base/clock.h"
#include "task/loop.h"
#include "task/task.h"
#include "tests/unit/harness.h"

static struct loop *loop;
static struct task *shielded;
static enum leat_result within, behind;

static void make_loop(void)
{
	loop = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = 1 });
	loop_adopt(loop);
	within = behind = LEAT_RESULT_COUNT;
}

static void free_loop(void)
{
	loop_release(loop);
	loop_free(loop);
}

static void write_down(void *arg)
{
	int64_t until_ns = clock_now_ns() + 10 * CLOCK_MS;

	(void)arg;
	shielded = task_self();
	task_shield(true);
	within = task_wait(until_ns);
	ck_assert(!task_is_cancelled(shielded));
	task_shield(false);
	ck_assert(task_is_cancelled(shielded));
	behind = task_wait(CLOCK_NEVER);
}

START_TEST(it_is_told_when_the_shield_is_down)
{
	ck_assert(task_start(loop, write_down, NULL));
	loop_run_ready(loop);
	task_cancel(shielded);
	loop_run_ready(loop);
	ck_assert_int_eq(within, LEAT_RESULT_COUNT);
	while (loop_task_count(loop) > 0) {
		loop_poll(loop, loop_sleep_until(loop));
		loop_run_ready(loop);
	}
	ck_assert_int_eq(within, LEAT_TIMED_OUT);
	ck_assert_int_eq(behind, LEAT_CANCELLED);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("task_shield");

	HARNESS_CASE_WITH(s, "shield", make_loop, free_loop, it_is_told_when_the_shield_is_down);
	return s;
}
