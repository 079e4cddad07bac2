/* bucket.h - a token bucket as one word: who may act now, who in a while, who not. Pure.
 *
 * Use:
 *     struct bucket_limit limit = bucket_limit(100, 60 * CLOCK_S, 20);     -- 100 a minute, 20 at once
 *     uint64_t state = 0;                                                  -- full
 *     struct bucket_grant grant;
 *     if (bucket_take(&limit, &state, now_ns, 1, 0, &grant)) ...           -- at once, or not at all
 *     if (bucket_take(&limit, &state, now_ns, 3, left_ns, &grant)) ...     -- at grant.at_ns
 *     ...
 *     bucket_cancel(&limit, &state, now_ns, &grant);
 *
 * It behaves as golang.org/x/time/rate does, but for what is wrong there. The word is the time at which the bucket will be full (the
 * "theoretical arrival time" of GCRA): a token taken moves it on by what a token takes to come, and at most 'burst' of them
 * may be missing. So nothing is refilled, nothing is rounded twice, a bucket whose word lies in the past is a full one, and one that
 * is shared needs one compare-and-swap.
 *
 * Whatever is asked in whatever order, the tokens of any stretch of time are never more than rate x time + burst, time being
 * counted in nanoseconds that have begun. They are less by a 32nd of a nanosecond a token at most.
 *
 * A clock that goes back refills nothing, and nothing twice.
 *
 * Ownership:      the caller's words.
 * Thread-safety:  one thread at a time per state; bucket_table.h has those that are shared.
 * Errors:         a limit that cannot be stops at a check.
 */
#ifndef APP_BASE_BUCKET_H
#define APP_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* A refusal that no waiting would mend. */
#define BUCKET_FOREVER INT64_MAX

/* The times of a state, which are bounded by it, last for nine years. */
#define BUCKET_FILL_MOST_NS (INT64_C(366) * 86400 * 1000000000)

struct bucket_limit {
	int64_t cost; /* grains of time that a token takes to come; 0: none, there is no limit; negative: it never comes */
	uint32_t burst;
};

/* Whether that is a limit: the period is BUCKET_FILL_MOST_NS at most, and the burst takes no longer to fill. */
bool bucket_can_be(uint32_t count, int64_t period_ns, uint32_t burst);

/* 'count' tokens in 'period_ns'. None at all: the burst once, and never more. */
struct bucket_limit bucket_limit(uint32_t count, int64_t period_ns, uint32_t burst);

/* Everything passes, whatever the burst. */
struct bucket_limit bucket_unlimited(void);

/* What was granted; bucket_cancel wants it as it is. */
struct bucket_grant {
	int64_t at_ns; /* when to act. Of a refusal: when it might be granted; BUCKET_FOREVER: never */
	int64_t full;  /* the state's time behind it */
	uint32_t count;
};

/* Takes 'count' tokens if they are there within 'most_ns'. False: they are not, and nothing is changed. More than the burst are never there, none always are. */
bool bucket_take(const struct bucket_limit *limit, uint64_t *state, int64_t now_ns, uint32_t count, int64_t most_ns,
		 struct bucket_grant *ret_grant) __attribute__((warn_unused_result));

/* Gives back what was granted, once, if its time has not passed: all of it, if nobody has been granted anything since; else as much
 * as leaves those who have their times and the limit its truth. See bucket.c. */
void bucket_cancel(const struct bucket_limit *limit, uint64_t *state, int64_t now_ns, const struct bucket_grant *grant);

/* From now on 'limit' holds: with the tokens that are there, or so many as its burst allows. Grants keep their times. */
void bucket_change(const struct bucket_limit *before, const struct bucket_limit *limit, uint64_t *state,
		   int64_t now_ns);

/* Whole tokens that are there; the time until all are, 0 when they are. */
uint32_t bucket_left(const struct bucket_limit *limit, uint64_t state, int64_t now_ns);
int64_t bucket_full_in_ns(const struct bucket_limit *limit, uint64_t state, int64_t now_ns);

/* When it is full, whatever its limit, unless that never comes. */
int64_t bucket_full_ns(uint64_t state);

#endif
