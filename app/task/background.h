/* background.h - a bounded queue of work that nobody waits for, and the threads that do it: leat_after_reply.
 *
 * Use:
 *     struct background *background = background_new(2, 1024, 60 * CLOCK_S);
 *     if (background_reserve(background)) ...                         -- a place, before it is known whether there will be work
 *     background_run(background, fn, arg, size, &subject);            -- gives the place to work
 *     background_release(background);                                 -- or back
 *     background_stop(background, deadline_ns);
 *
 * Threads are made when the first work comes: a service that has none has no threads.
 *
 * Ownership:      the caller's; the work's argument is copied.
 * Thread-safety:  any thread; stop and free: the main thread, when nobody runs more.
 * Errors:         background_reserve is false when the queue is full. Work is dropped, counted and logged when it has waited too long, or no
 *                 thread can be made.
 */
#ifndef APP_TASK_BACKGROUND_H
#define APP_TASK_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct background;
struct crash_subject;

struct background *background_new(unsigned threads, unsigned queue_most, int64_t wait_ns);

bool background_reserve(struct background *background) __attribute__((warn_unused_result));
void background_release(struct background *background);

/* 'subject': whose work it is, for the report of a crash. */
void background_run(struct background *background, void (*fn)(void *arg), const void *arg, size_t size,
		    const struct crash_subject *subject);

/* Runs what waits; false when it has not ended by then. */
bool background_stop(struct background *background, int64_t deadline_ns) __attribute__((warn_unused_result));

/* That wait or run. */
unsigned background_left(struct background *background);

/* Stops it first, however long that takes. NULL: nothing. */
void background_free(struct background *background);

#endif
