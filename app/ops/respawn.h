/* respawn.h - when a process that ended is started again: a pure machine, time is a parameter.
 *
 * Use:
 *     struct respawn respawn = RESPAWN_INIT;            -- due at once
 *     if (respawn_is_due(&respawn, now_ns)) { ...; respawn_started(&respawn, now_ns); }
 *     respawn_ended(&respawn, now_ns);                  -- now respawn.due_ns says when it is due again
 *     respawn_leaves(&respawn, now_ns);                 -- or: it crashed in a handler, and finishes what it has
 *
 * The first pause is 100 ms; each next one is twice as long, up to 10 s. A life of 60 s or longer makes the next pause
 * the first again.
 *
 * One that leaves is replaced at once, or a second after its own start, if that is later: callers who make it crash again and again may cost a
 * start each second, but not take the service away from others for longer and longer. That it leaves says nothing about the next: it could work.
 *
 * Ownership:      the caller's.
 * Thread-safety:  one thread at a time per object.
 * Errors:         none.
 */
#ifndef APP_OPS_RESPAWN_H
#define APP_OPS_RESPAWN_H

#include <stdbool.h>
#include <stdint.h>

struct respawn {
	int64_t due_ns; /* when to start; CLOCK_NEVER while it runs */
	int64_t started_ns;
	int64_t pause_ns; /* the last one; 0: none yet */
};
#define RESPAWN_INIT \
	{ \
		.due_ns = 0 \
	}

bool respawn_is_due(const struct respawn *respawn, int64_t now_ns);
void respawn_started(struct respawn *respawn, int64_t now_ns);

/* Also when it could not be started at all: without respawn_started before. */
void respawn_ended(struct respawn *respawn, int64_t now_ns);

void respawn_leaves(struct respawn *respawn, int64_t now_ns);

#endif
