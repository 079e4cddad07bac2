/* waiters.h - tasks of any worker that wait in line for something a lock protects.
 *
 * Use (semaphore.c is the shortest example):
 *     pthread_mutex_lock(&lock);
 *     if (nothing there)
 *         result = waiters_wait(&line, &lock, &item, deadline_ns);   -- unlocks; LEAT_OK: somebody handed it to us
 *     ...
 *     pthread_mutex_lock(&lock);
 *     struct waiter *waiter = waiters_take(&line);             -- the one who waits longest
 *     pthread_mutex_unlock(&lock);
 *     waiter_grant(waiter);
 *
 * Who is taken from the line has been handed the thing, even if its deadline passes before it runs: granting and
 * giving up are decided under the lock, so nothing is lost or given twice.
 *
 * Ownership:      a waiter stands on its task's stack; after waiter_grant it must not be touched.
 * Thread-safety:  lines: under the caller's lock. waiter_grant: any thread, without the lock.
 * Errors:         LEAT_TIMED_OUT, LEAT_CANCELLED.
 */
#ifndef APP_TASK_WAITERS_H
#define APP_TASK_WAITERS_H

#include <leat/result.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "task/loop.h"

struct waiter {
	struct waiter *next, *prev;
	struct loop *loop;
	struct task *task;
	struct loop_post post;
	bool is_in_line;   /* under the lock */
	bool has_arrived;  /* the post ran; the task's thread only */
	void *item;        /* what is handed over, for those who hand over things */
};

struct waiters {
	struct waiter *first, *last;
};

/* Called with the lock held, returns without it. *item is the waiter's item: what a putter offers, and after LEAT_OK what a getter got. */
enum leat_result waiters_wait(struct waiters *line, pthread_mutex_t *lock, void **item, int64_t deadline_ns) LEAT_MUST_USE;

/* With the lock held. NULL when nobody waits. */
struct waiter *waiters_take(struct waiters *line);
void waiter_grant(struct waiter *waiter);

/* Each of a list by 'next', which were taken. A waiter is gone when it was granted. */
void waiters_grant_all(struct waiter *first);

#endif
