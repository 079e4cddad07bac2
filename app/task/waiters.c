/* waiters.c - see waiters.h. Called by semaphore.c and queue.c. */
#include "task/waiters.h"

#include <stddef.h>

#include "base/check.h"
#include "base/clock.h"
#include "task/task.h"

static void remove_from(struct waiters *line, struct waiter *waiter)
{
	*(waiter->prev ? &waiter->prev->next : &line->first) = waiter->next;
	*(waiter->next ? &waiter->next->prev : &line->last) = waiter->prev;
	waiter->is_in_line = false;
}

static void on_granted(struct loop_post *post)
{
	struct waiter *waiter = (struct waiter *)((char *)post - offsetof(struct waiter, post));

	waiter->has_arrived = true;
	task_wake(waiter->task, LEAT_OK);
}

enum leat_result waiters_wait(struct waiters *line, pthread_mutex_t *lock, void **item, int64_t deadline_ns)
{
	struct task *self = task_self();
	struct waiter waiter = { .prev = line->last, .task = self, .loop = task_loop(self), .post.fn = on_granted,
				 .is_in_line = true, .item = *item };
	enum leat_result result;

	*(line->last ? &line->last->next : &line->first) = &waiter;
	line->last = &waiter;
	pthread_mutex_unlock(lock);
	result = task_wait(deadline_ns);
	if (!waiter.has_arrived) {
		pthread_mutex_lock(lock);
		if (waiter.is_in_line) {
			remove_from(line, &waiter);
			pthread_mutex_unlock(lock);
			return result;
		}
		pthread_mutex_unlock(lock);
		while (!waiter.has_arrived) /* granted meanwhile: its post is on the way to this stack */
			LEAT_CHECK(task_wait_always(CLOCK_NEVER) == LEAT_OK);
	}
	*item = waiter.item;
	return LEAT_OK;
}

struct waiter *waiters_take(struct waiters *line)
{
	struct waiter *waiter = line->first;

	if (waiter)
		remove_from(line, waiter);
	return waiter;
}

void waiter_grant(struct waiter *waiter)
{
	loop_post(waiter->loop, &waiter->post);
}

void waiters_grant_all(struct waiter *first)
{
	while (first) {
		struct waiter *next = first->next;

		waiter_grant(first);
		first = next;
	}
}
