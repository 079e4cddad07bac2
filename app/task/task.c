/* task.c - see task.h. Between the loop (loop.c), which decides who runs, and switch.c, which changes stacks.
 *
 * A task's stack holds one endless function, 'live', which runs one job after the other: pooled tasks keep their context, so
 * starting a job is no more than a switch. */
#include "task/task.h"

#include <stdint.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "task/crash.h"
#include "task/stack.h"
#include "task/task_internal.h"

enum { IDLE_KEPT = 32 };

static _Thread_local struct task *running;
static _Thread_local struct switch_context loop_context;

/* A task stands on its stack: what crashes may have overwritten it. */
static _Thread_local void *running_arg;
static _Thread_local const char *running_stack;

struct task *task_self(void)
{
	return running;
}

struct loop *task_loop(const struct task *task)
{
	return task->loop;
}

void *task_arg(const struct task *task)
{
	return task->arg;
}

/* Runs on the task's own stack. */
static void live(void *arg)
{
	struct task *task = arg;

	for (;;) {
		task->fn(task->arg);
		task->state = TASK_IDLE;
		switch_to(&task->context, &loop_context);
	}
}

void task_resume(struct task *task)
{
	LEAT_CHECK(!running);
	task->state = TASK_RUNNING;
	running = task;
	running_arg = task->arg;
	running_stack = task->stack_low;
	switch_to(&loop_context, &task->context);
	running = NULL;
}

bool task_start(struct loop *loop, task_fn fn, void *arg)
{
	struct task *task = task_take(loop_task_pool(loop));

	if (!task)
		return false;
	task->fn = fn;
	task->arg = arg;
	task->is_cancelled = task->ignores_cancel = task->is_shielded = false;
	return loop_admit(loop, task);
}

static void on_deadline(struct loop_timer *timer)
{
	struct task *task = (struct task *)((char *)timer - offsetof(struct task, timer));

	task_wake(task, LEAT_TIMED_OUT);
}

static enum leat_result sleep_until(struct task *self, int64_t deadline_ns)
{
	if (deadline_ns != CLOCK_NEVER) {
		if (deadline_ns <= loop_now_ns(self->loop))
			return LEAT_TIMED_OUT;
		loop_timer_set(self->loop, &self->timer, deadline_ns);
	}
	self->state = TASK_WAITING;
	switch_to(&self->context, &loop_context);
	loop_timer_clear(self->loop, &self->timer);
	return self->wake_result;
}

enum leat_result task_wait(int64_t deadline_ns)
{
	LEAT_CHECK(running);
	if (task_is_cancelled(running))
		return LEAT_CANCELLED;
	return sleep_until(running, deadline_ns);
}

enum leat_result task_wait_always(int64_t deadline_ns)
{
	struct task *self = running;
	enum leat_result result;

	LEAT_CHECK(self);
	self->ignores_cancel = true;
	result = sleep_until(self, deadline_ns);
	self->ignores_cancel = false;
	return result;
}

void task_yield(void)
{
	struct task *self = running;

	LEAT_CHECK(self);
	loop_make_ready(self->loop, self);
	switch_to(&self->context, &loop_context);
}

void task_wake(struct task *task, enum leat_result result)
{
	if (task->state != TASK_WAITING)
		return;
	task->wake_result = result;
	loop_make_ready(task->loop, task);
}

void task_shield(bool is_shielded)
{
	LEAT_CHECK(running && running->is_shielded != is_shielded);
	running->is_shielded = is_shielded;
}

void task_cancel(struct task *task)
{
	task->is_cancelled = true;
	if (!task->ignores_cancel && !task->is_shielded)
		task_wake(task, LEAT_CANCELLED);
}

bool task_is_cancelled(const struct task *task)
{
	return task->is_cancelled && !task->is_shielded;
}

/* Crashes ----------------------------------------------------------------------------------------------------- */

void *task_dead_arg(void)
{
	return running_arg;
}

static void *crashing(void)
{
	return running ? running_arg : NULL;
}

static const char *crashing_stack(void)
{
	return running ? running_stack : NULL;
}

/* The stack is left as it is: what still refers to it finds what it left there. The loop's side unlinks the task; or the loop is lost. */
static void abandon(bool can_go_on)
{
	struct switch_context nowhere;

	running->state = TASK_DEAD;
	if (can_go_on)
		switch_to(&nowhere, &loop_context);
	loop_lose(loop_of_thread(), running, crash_refuse);
	for (;;)
		pause();
}

const struct crash_kind task_crash_kind = {
	.where = "a handler",
	.running = crashing,
	.stack = crashing_stack,
	.describe = crash_describe,
	.answer = crash_answer,
	.abandon = abandon,
};

/* The pool ---------------------------------------------------------------------------------------------------- */

static struct task *make(struct task_pool *pool)
{
	char *low = stack_map(pool->stack_size);
	size_t room = pool->stack_size - ((sizeof(struct task) + 63) & ~(size_t)63);
	struct task *task;

	if (!low)
		return NULL;
	task = (struct task *)(low + room);
	*task = (struct task){ .loop = pool->loop, .stack_low = low, .timer.fn = on_deadline };
	switch_init(&task->context, low, room, live, task);
	return task;
}

struct task *task_take(struct task_pool *pool)
{
	struct task *task = pool->idle;

	if (!task)
		return make(pool);
	pool->idle = task->next;
	if (--pool->idle_count < pool->least_idle)
		pool->least_idle = pool->idle_count;
	return task;
}

void task_give(struct task_pool *pool, struct task *task)
{
	task->next = pool->idle;
	pool->idle = task;
	pool->idle_count++;
}

static void unmake_one(struct task_pool *pool)
{
	struct task *task = pool->idle;

	pool->idle = task->next;
	pool->idle_count--;
	switch_fini(&task->context);
	stack_unmap(task->stack_low, pool->stack_size);
}

bool task_pool_trim(struct task_pool *pool)
{
	for (unsigned spare = (pool->least_idle + 1) / 2; spare > 0 && pool->idle_count > IDLE_KEPT; spare--)
		unmake_one(pool);
	pool->least_idle = pool->idle_count;
	return pool->idle_count > IDLE_KEPT;
}

void task_pool_fini(struct task_pool *pool)
{
	while (pool->idle)
		unmake_one(pool);
}
