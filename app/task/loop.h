/* loop.h - one worker's event loop: ready tasks, timers, descriptors, and calls posted from other threads.
 *
 * Use:
 *     struct loop *loop = loop_new(&(struct loop_options){ .stack_size = 65536, .tasks_max = 8192 });
 *     loop_adopt(loop);
 *     while (!done) {
 *         loop_run_ready(loop);
 *         loop_poll(loop, loop_sleep_until(loop));
 *     }
 *     loop_release(loop);
 *     loop_free(loop);
 *
 * Ownership:      the loop owns its tasks and stacks; watches and posts are embedded in the caller's objects.
 * Thread-safety:  only the thread that runs the loop, except loop_post and loop_is_idle: any thread.
 * Errors:         loop_new is NULL with errno set; loop_watch is false with errno set.
 */
#ifndef APP_TASK_LOOP_H
#define APP_TASK_LOOP_H

#include <leat/result.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

struct loop_options {
	size_t stack_size;
	unsigned tasks_max;
};

struct loop *loop_new(const struct loop_options *options);

/* After the last task has ended, when no thread can post any more. */
void loop_free(struct loop *loop);

/* First and last thing on the thread that runs it; it may be made and freed by another one. */
void loop_adopt(struct loop *loop);
void loop_release(struct loop *loop);

/* The loop of this thread; NULL where none runs. */
struct loop *loop_of_thread(void);

/* Runs every task that is ready, once each; false when none was. */
bool loop_run_ready(struct loop *loop);

/* Waits for events until 'until_ns' at most, delivers them, and wakes tasks whose deadline has passed. */
void loop_poll(struct loop *loop, int64_t until_ns);

/* The same without asking the kernel for events. */
void loop_pass(struct loop *loop);

/* When loop_poll must return at the latest: 0 when a task is ready, the next deadline, or CLOCK_NEVER. */
int64_t loop_sleep_until(const struct loop *loop);

/* The time read at the last loop_poll. */
int64_t loop_now_ns(const struct loop *loop);

/* What the loop tells of now has happened then or later: when it slept, the time at which that woke it; when it was busy, the time of
 * the poll before, for nobody was listening. To measure others by, and not one's own delays. */
int64_t loop_told_ns(const struct loop *loop);

/* Another thread has posted something that has not run yet. */
bool loop_has_posts(const struct loop *loop);

unsigned loop_task_count(const struct loop *loop);

/* Its thread crashed and cannot go on (crash.h): it will not turn again. Any thread. */
bool loop_is_lost(const struct loop *loop);

/* Cancels every task. */
void loop_cancel_all(struct loop *loop);

/* Descriptors: fn(watch, events) runs on the loop, outside of tasks, when one of the EPOLL* events comes. */
struct loop_watch {
	void (*fn)(struct loop_watch *watch, uint32_t events);
	int fd;
};
bool loop_watch(struct loop *loop, struct loop_watch *watch, uint32_t events) LEAT_MUST_USE;
bool loop_watch_change(struct loop *loop, struct loop_watch *watch, uint32_t events) LEAT_MUST_USE;
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Timers: fn(timer) runs on the loop once, when due. */
struct loop_timer {
	void (*fn)(struct loop_timer *timer);
	int64_t due_ns;
	uint32_t heap_index; /* 0: not set */
};
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t due_ns);
void loop_timer_clear(struct loop *loop, struct loop_timer *timer);

/* End of turn: fn(turn) runs once before the loop next looks for events, however often it was asked for. For work that is
 * cheaper in one go, such as sending what many tasks have queued. */
struct loop_turn {
	void (*fn)(struct loop_turn *turn);
	struct loop_turn *next;
	bool is_queued;
};
void loop_at_turn_end(struct loop *loop, struct loop_turn *turn);

/* From any thread: fn(post) runs on the loop soon. A post is free for use again when its fn is called. */
struct loop_post {
	void (*fn)(struct loop_post *post);
	struct loop_post *next;
};
void loop_post(struct loop *loop, struct loop_post *post);

#endif
