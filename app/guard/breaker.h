/* breaker.h - circuit breakers (leat/breaker.h), shared by all worker processes.
 *
 * Use:
 *     const char *fault = breakers_fault();                 -- before serving
 *     breakers_create();                                    -- supervisor, after metrics_create and before the first fork
 *     for (unsigned i = 0; (breaker = breaker_at(i)); i++)
 *         breaker_stats(breaker, &stats);
 *
 * Ownership:      the mapping lives as long as the service.
 * Thread-safety:  any thread that has a slot of its own in the metrics (metrics_attach); breakers_create: before other threads exist.
 * Errors:         breakers_fault: a sentence. breakers_create ends the program with a clear line when memory cannot be mapped.
 */
#ifndef APP_GUARD_BREAKER_H
#define APP_GUARD_BREAKER_H

#include <leat/breaker.h>

/* Since the start of the service. */
struct breaker_stats {
	uint64_t successes, failures, exclusions, slow, late;
	uint64_t refused_open, refused_probed;
	uint64_t changes[3]; /* to each state */
};

/* NULL: none. Good until the next call. */
const char *breakers_fault(void);
void breakers_create(void);

/* NULL: there are no more. */
const struct leat_breaker *breaker_at(unsigned index);
void breaker_stats(const struct leat_breaker *breaker, struct breaker_stats *ret_sums);

const char *breaker_state_name(enum leat_breaker_state state);

#endif
