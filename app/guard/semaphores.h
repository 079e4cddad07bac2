/* semaphores.h - the program's semaphores (leat/semaphore.h), each process with places of its own.
 *
 * Use:
 *     const char *fault = semaphores_fault();               -- before serving
 *     semaphores_create();                                  -- supervisor, before the first fork: counters are shared, places are not
 *     for (unsigned i = 0; (semaphore = semaphore_at(i)); i++)
 *         semaphore_stats(semaphore, &stats);
 *
 * Ownership:      for good.
 * Thread-safety:  any thread; semaphores_create: before other threads exist.
 * Errors:         semaphores_fault: a sentence. semaphores_create ends the program with a clear line when there is no memory.
 */
#ifndef APP_GUARD_SEMAPHORES_H
#define APP_GUARD_SEMAPHORES_H

#include <leat/semaphore.h>

/* Of all processes, since the start of the service. */
struct semaphore_stats {
	uint64_t at_once, waited;
	uint64_t refused_queue, refused_wait, timed_out, cancelled;
};

/* NULL: none. Good until the next call. */
const char *semaphores_fault(void);
void semaphores_create(void);

/* NULL: there are no more. */
const struct leat_semaphore *semaphore_at(unsigned index);
void semaphore_stats(const struct leat_semaphore *semaphore, struct semaphore_stats *ret_sums);

#endif
