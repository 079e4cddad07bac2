/* queue.c - see queue.h. A ring, with a line of getters while it is empty or a line of putters while it is full. */
#include "task/queue.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/check.h"
#include "task/waiters.h"

struct queue {
	pthread_mutex_t lock;
	struct waiters getters, putters; /* at most one of them is not empty */
	unsigned capacity, count, first;
	void *items[];
};

struct queue *queue_new(unsigned capacity)
{
	size_t size = sizeof(struct queue) + capacity * sizeof(void *);
	struct queue *queue = calloc(1, size);

	if (!queue)
		check_out_of_memory(size, "a queue");
	LEAT_CHECK(capacity > 0);
	pthread_mutex_init(&queue->lock, NULL);
	queue->capacity = capacity;
	return queue;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

static void push(struct queue *queue, void *item)
{
	queue->items[(queue->first + queue->count++) % queue->capacity] = item;
}

static void *pop(struct queue *queue)
{
	void *item = queue->items[queue->first];

	queue->first = (queue->first + 1) % queue->capacity;
	queue->count--;
	return item;
}

/* With the lock held: to a getter who waits, or into the ring. False when full. */
static bool put_locked(struct queue *queue, void *item, struct waiter **ret_getter)
{
	*ret_getter = waiters_take(&queue->getters);
	if (*ret_getter)
		(*ret_getter)->item = item;
	else if (queue->count < queue->capacity)
		push(queue, item);
	else
		return false;
	return true;
}

bool queue_try_put(struct queue *queue, void *item)
{
	struct waiter *getter;
	bool done;

	pthread_mutex_lock(&queue->lock);
	done = put_locked(queue, item, &getter);
	pthread_mutex_unlock(&queue->lock);
	if (getter)
		waiter_grant(getter);
	return done;
}

enum leat_result queue_put(struct queue *queue, void *item, int64_t deadline_ns)
{
	struct waiter *getter;

	pthread_mutex_lock(&queue->lock);
	if (!put_locked(queue, item, &getter))
		return waiters_wait(&queue->putters, &queue->lock, &item, deadline_ns);
	pthread_mutex_unlock(&queue->lock);
	if (getter)
		waiter_grant(getter);
	return LEAT_OK;
}

enum leat_result queue_get(struct queue *queue, void **ret_item, int64_t deadline_ns)
{
	struct waiter *putter;

	*ret_item = NULL;
	pthread_mutex_lock(&queue->lock);
	if (queue->count == 0)
		return waiters_wait(&queue->getters, &queue->lock, ret_item, deadline_ns);
	*ret_item = pop(queue);
	putter = waiters_take(&queue->putters);
	if (putter)
		push(queue, putter->item);
	pthread_mutex_unlock(&queue->lock);
	if (putter)
		waiter_grant(putter);
	return LEAT_OK;
}
