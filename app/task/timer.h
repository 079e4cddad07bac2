/* timer.h - what is due next: a binary heap of timers, pure.
 *
 * Use:
 *     struct timer_heap heap = { 0 };
 *     timer_heap_set(&heap, &timer, due_ns);       -- also moves one that is set
 *     while ((timer = timer_heap_take_due(&heap, now_ns)))
 *         timer->fn(timer);
 *
 * Ownership:      timers are the caller's and must be cleared before they go away; timer_heap_fini frees the array.
 * Thread-safety:  one thread at a time per object.
 * Errors:         none; running out of memory ends the program.
 */
#ifndef APP_TASK_TIMER_H
#define APP_TASK_TIMER_H

#include <stdint.h>

#include "task/loop.h"

struct timer_heap {
	struct loop_timer **items; /* items[1] is due first */
	uint32_t count;
	uint32_t cap;
};

void timer_heap_fini(struct timer_heap *heap);
void timer_heap_set(struct timer_heap *heap, struct loop_timer *timer, int64_t due_ns);
void timer_heap_clear(struct timer_heap *heap, struct loop_timer *timer);

/* CLOCK_NEVER when empty. */
int64_t timer_heap_next_ns(const struct timer_heap *heap);

/* The timer that is due first, taken out; NULL when none is due. */
struct loop_timer *timer_heap_take_due(struct timer_heap *heap, int64_t now_ns);

#endif
