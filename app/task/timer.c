/* timer.c - see timer.h. Called by loop.c. A timer knows its place, so clearing needs no search; place 0 is "not set". */
#include "task/timer.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"

enum { FIRST_CAP = 256 };

void timer_heap_fini(struct timer_heap *heap)
{
	free(heap->items);
	*heap = (struct timer_heap){ 0 };
}

static void put(struct timer_heap *heap, uint32_t place, struct loop_timer *timer)
{
	heap->items[place] = timer;
	timer->heap_index = place;
}

static uint32_t sift_up(struct timer_heap *heap, uint32_t place, const struct loop_timer *timer)
{
	while (place > 1 && heap->items[place / 2]->due_ns > timer->due_ns) {
		put(heap, place, heap->items[place / 2]);
		place /= 2;
	}
	return place;
}

static uint32_t sift_down(struct timer_heap *heap, uint32_t place, const struct loop_timer *timer)
{
	uint32_t child;

	while ((child = place * 2) <= heap->count) {
		if (child < heap->count && heap->items[child + 1]->due_ns < heap->items[child]->due_ns)
			child++;
		if (heap->items[child]->due_ns >= timer->due_ns)
			break;
		put(heap, place, heap->items[child]);
		place = child;
	}
	return place;
}

static void grow(struct timer_heap *heap)
{
	uint32_t cap = heap->cap ? heap->cap * 2 : FIRST_CAP;
	struct loop_timer **items = realloc(heap->items, cap * sizeof(struct loop_timer *));

	if (!items)
		check_out_of_memory(cap * sizeof(struct loop_timer *), "timers");
	heap->items = items;
	heap->cap = cap;
}

void timer_heap_set(struct timer_heap *heap, struct loop_timer *timer, int64_t due_ns)
{
	timer_heap_clear(heap, timer);
	if (heap->count + 1 >= heap->cap)
		grow(heap);
	timer->due_ns = due_ns;
	put(heap, sift_up(heap, ++heap->count, timer), timer);
}

void timer_heap_clear(struct timer_heap *heap, struct loop_timer *timer)
{
	uint32_t place = timer->heap_index;
	struct loop_timer *last;

	if (place == 0)
		return;
	LEAT_CHECK(heap->items[place] == timer);
	timer->heap_index = 0;
	last = heap->items[heap->count--];
	if (last == timer)
		return;
	put(heap, sift_down(heap, sift_up(heap, place, last), last), last);
}

int64_t timer_heap_next_ns(const struct timer_heap *heap)
{
	return heap->count ? heap->items[1]->due_ns : CLOCK_NEVER;
}

struct loop_timer *timer_heap_take_due(struct timer_heap *heap, int64_t now_ns)
{
	struct loop_timer *timer = heap->count ? heap->items[1] : NULL;

	if (!timer || timer->due_ns > now_ns)
		return NULL;
	timer_heap_clear(heap, timer);
	return timer;
}
