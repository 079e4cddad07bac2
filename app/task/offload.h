/* offload.h - a bounded pool of threads for calls that block: password hashing, name resolution, PQcancel, files.
 *
 * Use:
 *     struct offload *offload = offload_new(4, 1024);
 *     LEAT_TRY(offload_call(offload, hash_password, &work, sizeof(work), deadline_ns));   -- a task waits
 *     offload_run(offload, cancel_statement, connection);                                 -- nobody waits
 *
 * Ownership:      offload_call copies its argument in and, only when it answers LEAT_OK, out again: a call that outlives its task
 *                 touches nothing of it. offload_run hands 'arg' over to fn.
 * Thread-safety:  offload_call: tasks. offload_run: any thread.
 * Errors:         LEAT_UNAVAILABLE (offload_call) or false (offload_run) when the queue is full; counted as
 *                 METRIC_OFFLOAD_REFUSED. LEAT_TIMED_OUT and LEAT_CANCELLED as every wait. LEAT_INTERNAL when fn crashed (crash.h): the
 *                 thread that ran it is lost.
 */
#ifndef APP_TASK_OFFLOAD_H
#define APP_TASK_OFFLOAD_H

#include <leat/result.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crash_subject;
struct offload;

/* NULL with errno when no thread can be made. */
struct offload *offload_new(unsigned threads, unsigned queue_max);

/* Runs what is queued and ends the threads; false when a call has not returned by then. Tasks must not wait any more. */
bool offload_stop(struct offload *offload, int64_t deadline_ns) LEAT_MUST_USE;

/* Stops it first, however long that takes. */
void offload_free(struct offload *offload);

enum leat_result offload_call(struct offload *offload, void (*fn)(void *arg), void *arg, size_t size,
			      int64_t deadline_ns) LEAT_MUST_USE;
/* The same; when the task gives up before fn began, drop(arg) runs in its stead, on the same thread. So what 'arg' refers to is let go of by fn or by
 * drop, and by the caller only with LEAT_UNAVAILABLE. */
enum leat_result offload_call_or_drop(struct offload *offload, void (*fn)(void *arg), void (*drop)(void *arg),
				      void *arg, size_t size, int64_t deadline_ns) LEAT_MUST_USE;
/* As offload_run, for a request whose work it is still: a crash is contained, and its report names the request. */
bool offload_run_of(struct offload *offload, void (*fn)(void *arg), void *arg,
		    const struct crash_subject *subject) LEAT_MUST_USE;
bool offload_run(struct offload *offload, void (*fn)(void *arg), void *arg) LEAT_MUST_USE;

#endif
