/* semaphore.c - see semaphore.h. While somebody waits, 'free' is 0 and what is given goes to the first in line. */
#include "task/semaphore.h"

#include <stddef.h>

void semaphore_init(struct semaphore *semaphore, unsigned count)
{
	*semaphore = (struct semaphore){ .free = count };
	pthread_mutex_init(&semaphore->lock, NULL);
}

void semaphore_fini(struct semaphore *semaphore)
{
	pthread_mutex_destroy(&semaphore->lock);
}

static bool take_free(struct semaphore *semaphore)
{
	if (semaphore->free == 0)
		return false;
	semaphore->free--;
	return true;
}

bool semaphore_try(struct semaphore *semaphore)
{
	bool taken;

	pthread_mutex_lock(&semaphore->lock);
	taken = take_free(semaphore);
	pthread_mutex_unlock(&semaphore->lock);
	return taken;
}

enum leat_result semaphore_take(struct semaphore *semaphore, int64_t deadline_ns)
{
	void *nothing = NULL;

	pthread_mutex_lock(&semaphore->lock);
	if (!take_free(semaphore))
		return waiters_wait(&semaphore->line, &semaphore->lock, &nothing, deadline_ns);
	pthread_mutex_unlock(&semaphore->lock);
	return LEAT_OK;
}

void semaphore_give(struct semaphore *semaphore)
{
	struct waiter *waiter;

	pthread_mutex_lock(&semaphore->lock);
	waiter = waiters_take(&semaphore->line);
	if (!waiter)
		semaphore->free++;
	pthread_mutex_unlock(&semaphore->lock);
	if (waiter)
		waiter_grant(waiter);
}
