/* kept.h - replies that are kept for a time, within a bound of memory: those of one process.
 *
 * Use:
 *     struct kept *kept = kept_new(16 << 20);
 *     kept_put(kept, &key, landed, &times);
 *     if (kept_find(kept, &key, now_ns, &found))         -- fresh or stale: by its times
 *         ... found.landed ...                           -- flight_landed_release
 *
 * The bound counts all that a reply takes here: its block, its key, its place in the lists. What was not asked for longest is dropped first.
 *
 * Ownership:      keys are copied; of what landed it holds a share of its own, as does who finds it.
 * Thread-safety:  any thread.
 * Errors:         kept_put: one that is larger than the bound is not kept, and counted.
 */
#ifndef APP_HTTP_KEPT_H
#define APP_HTTP_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "task/flight.h"

struct kept;

struct kept_times {
	int64_t made_ns;
	int64_t fresh_until_ns;
	int64_t until_ns; /* of no use from then on */
};

struct kept_found {
	struct flight_landed *landed;
	struct kept_times times;
};

struct kept *kept_new(size_t size_max);
void kept_free(struct kept *kept);

/* In place of the one with that key. */
void kept_put(struct kept *kept, const struct flight_key *key, struct flight_landed *landed,
	      const struct kept_times *times);
bool kept_find(struct kept *kept, const struct flight_key *key, int64_t now_ns, struct kept_found *ret_found);

#endif
