/* semaphore.c - see semaphore.h. While somebody waits, what is given goes to the first in line, who does not fit before. How many places
 * one waits for is its item. */
#include "task/semaphore.h"

#include <stddef.h>

void semaphore_init(struct semaphore *semaphore, unsigned places, unsigned queue_most)
{
	*semaphore = (struct semaphore){ .free = places, .queue_most = queue_most };
	pthread_mutex_init(&semaphore->lock, NULL);
}

void semaphore_fini(struct semaphore *semaphore)
{
	pthread_mutex_destroy(&semaphore->lock);
}

static bool take_free(struct semaphore *semaphore, unsigned places)
{
	if (semaphore->line.first || semaphore->free < places)
		return false;
	semaphore->free -= places;
	return true;
}

bool semaphore_try(struct semaphore *semaphore, unsigned places)
{
	bool taken;

	pthread_mutex_lock(&semaphore->lock);
	taken = take_free(semaphore, places);
	pthread_mutex_unlock(&semaphore->lock);
	return taken;
}

static unsigned wanted(const struct waiter *waiter)
{
	return (unsigned)(uintptr_t)waiter->item;
}

/* With the lock held: those who fit leave the line, as a list. */
static struct waiter *let_in(struct semaphore *semaphore)
{
	struct waiter *first = NULL, **end = &first;

	while (semaphore->line.first && wanted(semaphore->line.first) <= semaphore->free) {
		*end = waiters_take(&semaphore->line);
		semaphore->free -= wanted(*end);
		semaphore->queued--;
		end = &(*end)->next;
	}
	*end = NULL;
	return first;
}

/* Gave up: it stands in nobody's way any more. */
static void step_aside(struct semaphore *semaphore)
{
	struct waiter *others;

	pthread_mutex_lock(&semaphore->lock);
	semaphore->queued--;
	others = let_in(semaphore);
	pthread_mutex_unlock(&semaphore->lock);
	waiters_grant_all(others);
}

enum leat_result semaphore_take(struct semaphore *semaphore, unsigned places, int64_t deadline_ns)
{
	void *item = (void *)(uintptr_t)places;
	enum leat_result result = LEAT_OK;

	pthread_mutex_lock(&semaphore->lock);
	if (take_free(semaphore, places)) {
		pthread_mutex_unlock(&semaphore->lock);
	} else if (semaphore->queued >= semaphore->queue_most) {
		pthread_mutex_unlock(&semaphore->lock);
		result = LEAT_UNAVAILABLE;
	} else {
		semaphore->queued++;
		result = waiters_wait(&semaphore->line, &semaphore->lock, &item, deadline_ns);
		if (result != LEAT_OK)
			step_aside(semaphore);
	}
	return result;
}

void semaphore_give(struct semaphore *semaphore, unsigned places)
{
	struct waiter *others;

	pthread_mutex_lock(&semaphore->lock);
	semaphore->free += places;
	others = let_in(semaphore);
	pthread_mutex_unlock(&semaphore->lock);
	waiters_grant_all(others);
}
