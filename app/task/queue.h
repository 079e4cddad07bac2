/* queue.h - a bounded queue between tasks of any workers.
 *
 * Use:
 *     struct queue *queue = queue_new(128);
 *     LEAT_TRY(queue_put(queue, job, deadline_ns));    -- waits while it is full
 *     LEAT_TRY(queue_get(queue, &job, deadline_ns));   -- waits while it is empty
 *
 * Ownership:      the queue never owns its items; nobody may wait at queue_free.
 * Thread-safety:  queue_put, queue_get: tasks. queue_try_put: any thread.
 * Errors:         LEAT_TIMED_OUT, LEAT_CANCELLED: the item stays with the caller. queue_try_put is false when full.
 */
#ifndef APP_TASK_QUEUE_H
#define APP_TASK_QUEUE_H

#include <leat/result.h>
#include <stdbool.h>
#include <stdint.h>

struct queue;

struct queue *queue_new(unsigned capacity);
void queue_free(struct queue *queue);

enum leat_result queue_put(struct queue *queue, void *item, int64_t deadline_ns) LEAT_MUST_USE;
enum leat_result queue_get(struct queue *queue, void **ret_item, int64_t deadline_ns) LEAT_MUST_USE;
bool queue_try_put(struct queue *queue, void *item) LEAT_MUST_USE;

#endif
