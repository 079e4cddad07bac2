/* task.h - a task: straight-line code on a stack of its own, run by one worker's loop.
 *
 * Use:
 *     bool started = task_start(loop, run_request, connection);   -- runs at once, until it first waits
 *     ...
 *     self->state...; enum leat_result result = task_wait(deadline_ns);   -- in the task: sleep until woken
 *     ...
 *     task_wake(task, LEAT_OK);                                   -- same thread: it runs in this turn of the loop
 *
 * A task belongs to one loop for life; thread-local state stays valid. It waits in one place only, task_wait; all
 * other waits (wait.h) are built on it. Stacks are pooled and guarded: running past the end is a crash (crash.h),
 * and the log names the setting stack_size.
 *
 * Cancelling is sticky: once task_cancel was called, this wait and every later one answer LEAT_CANCELLED, except
 * those made with task_wait_always, which clean up.
 *
 * Ownership:      the loop owns its tasks; a pointer to one is good until its function returns.
 * Thread-safety:  only the thread that runs the loop; other threads use loop_post (loop.h).
 * Errors:         task_start is false when the loop has its fill of tasks or no stack can be had.
 */
#ifndef APP_TASK_TASK_H
#define APP_TASK_TASK_H

#include <leat/result.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct task;

typedef void (*task_fn)(void *arg);

bool task_start(struct loop *loop, task_fn fn, void *arg) LEAT_MUST_USE;

/* The running task; NULL outside of tasks. */
struct task *task_self(void);
struct loop *task_loop(const struct task *task);

/* What task_start was given. */
void *task_arg(const struct task *task);

/* Sleeps until task_wake, the deadline (LEAT_TIMED_OUT) or task_cancel (LEAT_CANCELLED). A deadline that has passed
 * answers without sleeping. */
enum leat_result task_wait(int64_t deadline_ns) LEAT_MUST_USE;

/* The same without regard to cancelling: for waits that are bounded by their nature. */
enum leat_result task_wait_always(int64_t deadline_ns) LEAT_MUST_USE;

/* Lets others of this loop run, then goes on. */
void task_yield(void);

/* Makes a waiting task run; nothing when it is not waiting. */
void task_wake(struct task *task, enum leat_result result);

/* While the running task is shielded it does not hear of being cancelled: for what must be written down all the same. Deadlines bound it. */
void task_shield(bool is_shielded);

void task_cancel(struct task *task);
bool task_is_cancelled(const struct task *task);

#endif
