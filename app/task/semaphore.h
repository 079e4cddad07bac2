/* semaphore.h - at most so many at once, over all workers of the process; first come, first served.
 *
 * Use:
 *     struct semaphore slots;
 *     semaphore_init(&slots, 8);
 *     LEAT_TRY(semaphore_take(&slots, deadline_ns));
 *     ...
 *     semaphore_give(&slots);
 *
 * Ownership:      the caller's; nobody may wait at semaphore_fini.
 * Thread-safety:  semaphore_take: tasks. semaphore_try, semaphore_give: any thread.
 * Errors:         LEAT_TIMED_OUT, LEAT_CANCELLED: nothing was taken.
 */
#ifndef APP_TASK_SEMAPHORE_H
#define APP_TASK_SEMAPHORE_H

#include <stdbool.h>

#include "task/waiters.h"

struct semaphore {
	pthread_mutex_t lock;
	unsigned free;
	struct waiters line;
};

void semaphore_init(struct semaphore *semaphore, unsigned count);
void semaphore_fini(struct semaphore *semaphore);

enum leat_result semaphore_take(struct semaphore *semaphore, int64_t deadline_ns) LEAT_MUST_USE;
bool semaphore_try(struct semaphore *semaphore) LEAT_MUST_USE;
void semaphore_give(struct semaphore *semaphore);

#endif
