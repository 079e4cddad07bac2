/* task_internal.h - what task.c and loop.c share about a task; nobody else includes it.
 *
 * Use:
 *     task_resume(task);   -- loop: run it until it waits or ends
 *
 * Ownership:      a task stands at the high end of its own stack; both are the loop's and are used again.
 * Thread-safety:  only the thread that runs the loop.
 * Errors:         none.
 */
#ifndef APP_TASK_TASK_INTERNAL_H
#define APP_TASK_TASK_INTERNAL_H

#include <leat/result.h>
#include <stdbool.h>

#include "task/loop.h"
#include "task/switch.h"
#include "task/task.h"

enum task_state {
	TASK_IDLE,    /* in the pool */
	TASK_READY,   /* on the loop's ready list */
	TASK_RUNNING, /* on its stack */
	TASK_WAITING, /* for task_wake */
	TASK_DEAD,    /* it crashed: it never runs again, and its stack stays */
};

struct task {
	struct switch_context context;
	struct loop *loop;
	task_fn fn;
	void *arg;
	enum task_state state;
	enum leat_result wake_result;
	bool is_cancelled;
	bool ignores_cancel; /* in task_wait_always */
	bool is_shielded;
	struct task *next;   /* on the ready list or in the pool */
	struct task *list_next, *list_prev; /* of all that are not idle */
	struct loop_timer timer;
	char *stack_low;
};

struct task_pool {
	struct task *idle;
	unsigned idle_count;
	unsigned least_idle; /* since the last trim */
	size_t stack_size;
	struct loop *loop;
};

/* NULL when no stack can be had. */
struct task *task_take(struct task_pool *pool);
void task_give(struct task_pool *pool, struct task *task);

/* Gives half of those stacks back to the system that nobody needed since the last trim: a burst's memory returns, a steady load
 * never maps or unmaps. Says whether any are left to trim. */
bool task_pool_trim(struct task_pool *pool);
void task_pool_fini(struct task_pool *pool);

/* For crash.c: what it was given, and its stack; both as they were when it began to run, whatever it has done to its own memory. */
extern const struct crash_kind task_crash_kind;

/* Runs the task until it waits or ends; it is idle after that when it ended. */
void task_resume(struct task *task);

/* Of a task that crashed: what task_start was given. */
void *task_dead_arg(void);

/* loop.c's part. */
void loop_make_ready(struct loop *loop, struct task *task);
struct task_pool *loop_task_pool(struct loop *loop);
bool loop_admit(struct loop *loop, struct task *task);

/* In a signal handler: calls fn(arg) for each other task than 'dead', whose links may be broken; the loop will not turn again. */
void loop_lose(struct loop *loop, const struct task *dead, void (*fn)(void *arg));

#endif
