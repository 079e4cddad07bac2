/* held.h - what a request holds and has to let go of: a breaker's ticket, places of a semaphore.
 *
 * Use:
 *     ticket->held.let_go = let_go;
 *     held_add(call, &ticket->held);
 *     ...
 *     held_remove(call, &ticket->held);       -- the handler did it itself
 *     held_let_go_all(call, result);          -- the end of the request, with its result: whatever is left, the latest first
 *
 * Ownership:      the request's memory.
 * Thread-safety:  the request's task; after a crash, its loop.
 * Errors:         none. Removing what is not there is a failed check.
 */
#ifndef APP_TASK_HELD_H
#define APP_TASK_HELD_H

#include <leat/result.h>

#include "base/check.h"
#include "task/call.h"

struct held {
	struct held *next;
	void (*let_go)(struct held *held, enum leat_result result); /* must not wait */
};

static inline void held_add(struct call *call, struct held *held)
{
	held->next = call->held;
	call->held = held;
}

static inline void held_remove(struct call *call, struct held *held)
{
	struct held **place = &call->held;

	while (*place && *place != held)
		place = &(*place)->next;
	LEAT_CHECK(*place == held);
	*place = held->next;
}

static inline void held_let_go_all(struct call *call, enum leat_result result)
{
	while (call->held) {
		struct held *held = call->held;

		call->held = held->next;
		held->let_go(held, result);
	}
}

#endif
