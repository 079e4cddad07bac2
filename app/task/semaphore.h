/* semaphore.h - so many places at once, over all workers of the process; first come, first served, whatever each takes.
 *
 * Use:
 *     struct semaphore slots;
 *     semaphore_init(&slots, 8, 100);
 *     LEAT_TRY(semaphore_take(&slots, 1, deadline_ns));
 *     ...
 *     semaphore_give(&slots, 1);
 *
 * Who wants many places and is first in line is waited for by those behind: the small ones never starve the large. When it gives up, those behind
 * that fit now are let in.
 *
 * Ownership:      the caller's; nobody may wait at semaphore_fini.
 * Thread-safety:  semaphore_take: tasks. semaphore_try, semaphore_give: any thread.
 * Errors:         LEAT_TIMED_OUT, LEAT_CANCELLED: nothing was taken. LEAT_UNAVAILABLE: 'queue_most' wait already. For more places
 *                 than there are one waits in vain, and so does everybody behind.
 */
#ifndef APP_TASK_SEMAPHORE_H
#define APP_TASK_SEMAPHORE_H

#include <stdbool.h>

#include "task/waiters.h"

struct semaphore {
	pthread_mutex_t lock;
	unsigned free;
	unsigned queued, queue_most;
	struct waiters line;
};

void semaphore_init(struct semaphore *semaphore, unsigned places, unsigned queue_most);
void semaphore_fini(struct semaphore *semaphore);

enum leat_result semaphore_take(struct semaphore *semaphore, unsigned places, int64_t deadline_ns) LEAT_MUST_USE;
/* Also false while anybody waits. */
bool semaphore_try(struct semaphore *semaphore, unsigned places) LEAT_MUST_USE;
void semaphore_give(struct semaphore *semaphore, unsigned places);

#endif
