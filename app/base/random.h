/* random.h - chance, where it must differ and need not be secret: pauses that spread, names that do not meet.
 *
 * Use:
 *     int64_t pause_ns = least_ns + (int64_t)random_below((uint64_t)spread_ns);
 *     uint64_t state = seed;
 *     uint64_t bits = random_step(&state);      -- for what has to be the same each time: splitmix64
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread; each has a sequence of its own, seeded by the system when it first asks. A process that forks gives its
 *                 child the sequence of the thread that forked.
 * Errors:         none.
 */
#ifndef APP_BASE_RANDOM_H
#define APP_BASE_RANDOM_H

#include <stdint.h>

/* Any state is a good one. */
uint64_t random_step(uint64_t *state);

uint64_t random_bits(void);

/* From 0 to 'limit' - 1; 0 when 'limit' is 0. */
uint64_t random_below(uint64_t limit);

#endif
