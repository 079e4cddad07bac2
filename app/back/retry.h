/* retry.h - when to try again: a back-off that doubles, with jitter, and forgets once things go well. Pure.
 *
 * Use:
 *     struct retry retry;
 *     retry_init(&retry, 100 * CLOCK_MS, 10 * CLOCK_S, seed);
 *     if (retry_is_due(&retry, now_ns)) ...attempt...
 *     retry_failed(&retry, now_ns);           -- the attempt came to nothing
 *     retry_succeeded(&retry, now_ns);        -- it came to something
 *     retry_lost(&retry, made_ns, now_ns);    -- and what it had made at made_ns ended
 *
 * The pause after the n-th failure in a row is drawn from the upper half of least * 2^(n-1), capped at most: never
 * less than half of it, so nobody hammers, and spread out, so that workers which lost the server at the same
 * time do not come back at the same time.
 *
 * Ownership:      nothing to own.
 * Thread-safety:  one thread at a time per object.
 * Errors:         none.
 */
#ifndef APP_BACK_RETRY_H
#define APP_BACK_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry {
	int64_t least_ns;
	int64_t most_ns;
	int64_t due_ns;    /* no attempt before this time */
	unsigned failures; /* in a row */
	uint64_t random;
};

/* Due at once. 'most_ns' below 'least_ns' counts as 'least_ns'. */
void retry_init(struct retry *retry, int64_t least_ns, int64_t most_ns, uint64_t seed);

void retry_failed(struct retry *retry, int64_t now_ns);
void retry_succeeded(struct retry *retry, int64_t now_ns);

/* No failure, and so no growing pause: due at once, but never sooner than 'least_ns' after it was made, so that
 * something which comes and goes is not chased. */
void retry_lost(struct retry *retry, int64_t made_ns, int64_t now_ns);

static inline bool retry_is_due(const struct retry *retry, int64_t now_ns)
{
	return now_ns >= retry->due_ns;
}

#endif
