/* bucket.c - see bucket.h. Used by bucket_table.c.
 *
 * Times are in grains, 32 to the nanosecond. A state is a time and, in its lowest bit, whether tokens were given back from the middle.
 *
 * Giving back. Let F be the state's time, B the burst, everything in tokens. Each grant of n tokens moves F on by n, and is due at F - B, or at once if
 * that has passed. If the last one is cancelled, F goes back to where it was, and all is as if it had never been. If one is cancelled that others came
 * after, they keep their times. Let R be what is given back. For stretches of time that begin before it, n tokens less were used than F
 * tells, so any R <= n will do. A stretch that begins with a later grant, of m tokens and due at f - B (f: F behind it, as it was), never had the cancelled one in it. In it
 * lie m, all that came later, and whoever comes next, say c tokens, due at F - R + c - B: (F - f + m) + c tokens in the time F - R + c - f. That is B at most
 * if R <= B - m. No m is more than all that came later together, so
 *
 *     R = min(n, B - (F - f0))        f0: F behind the cancelled grant, as it was
 *
 * After that F does not tell any more who came later than whom. So the bit is set, and nothing is given back until the bucket has been full: then all those grants
 * are past, for they were due at F + R - B at the latest, and R <= B. (x/time/rate gives back n - (F - f0), which is less.) */
#include "base/bucket.h"

#include "base/check.h"

enum { GRAINS = 32 }; /* a nanosecond */

__extension__ typedef __int128 wide;

static int64_t cost_in(uint32_t count, int64_t period_ns)
{
	return count ? (period_ns * GRAINS + count - 1) / count : -1;
}

bool bucket_can_be(uint32_t count, int64_t period_ns, uint32_t burst)
{
	return period_ns > 0 && period_ns <= BUCKET_FILL_MOST_NS &&
	       (wide)cost_in(count, period_ns) * burst <= (wide)BUCKET_FILL_MOST_NS * GRAINS;
}

struct bucket_limit bucket_limit(uint32_t count, int64_t period_ns, uint32_t burst)
{
	LEAT_CHECK(bucket_can_be(count, period_ns, burst));
	return (struct bucket_limit){ .cost = cost_in(count, period_ns), .burst = burst };
}

struct bucket_limit bucket_unlimited(void)
{
	return (struct bucket_limit){ .cost = 0 };
}

/* A bucket that never fills counts what was taken, one grain a token, from a time that stands still. */
static int64_t cost_of(const struct bucket_limit *limit)
{
	return limit->cost < 0 ? 1 : limit->cost;
}

static int64_t start_of(const struct bucket_limit *limit, int64_t now_ns)
{
	return limit->cost < 0 ? 0 : now_ns * GRAINS;
}

static int64_t full_of(uint64_t state)
{
	return (int64_t)(state >> 1);
}

static uint64_t state_of(int64_t full, bool was_broken)
{
	return (uint64_t)full << 1 | was_broken;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

bool bucket_take(const struct bucket_limit *limit, uint64_t *state, int64_t now_ns, uint32_t count, int64_t most_ns,
		 struct bucket_grant *ret_grant)
{
	int64_t cost = cost_of(limit), start = start_of(limit, now_ns), full = full_of(*state), due;

	*ret_grant = (struct bucket_grant){ .at_ns = now_ns };
	if (limit->cost == 0 || count == 0)
		return true;
	ret_grant->at_ns = BUCKET_FOREVER;
	if (count > limit->burst)
		return false;
	ret_grant->count = count;
	ret_grant->full = later(full, start) + count * cost;
	due = ret_grant->full - limit->burst * cost;
	if (limit->cost < 0 && due > 0)
		return false;
	ret_grant->at_ns = limit->cost < 0 || due < 0 ? now_ns : later(due / GRAINS, now_ns);
	if (ret_grant->at_ns - now_ns > most_ns)
		return false;
	*state = state_of(ret_grant->full, full > start && *state & 1);
	return true;
}

void bucket_cancel(const struct bucket_limit *limit, uint64_t *state, int64_t now_ns, const struct bucket_grant *grant)
{
	int64_t full = full_of(*state), back = grant->count * cost_of(limit);
	int64_t others = full - grant->full; /* that came later */

	if (limit->cost == 0 || grant->at_ns < now_ns || *state & 1 || others < 0)
		return;
	if (others > 0 && back > limit->burst * cost_of(limit) - others)
		back = limit->burst * cost_of(limit) - others;
	if (back > 0)
		*state = state_of(full - back, others > 0);
}

void bucket_change(const struct bucket_limit *before, const struct bucket_limit *limit, uint64_t *state, int64_t now_ns)
{
	int64_t start = start_of(before, now_ns), missing = later(full_of(*state), start) - start;
	wide used = before->cost == 0 ? 0 : (wide)missing * cost_of(limit);

	/* rounded up: the next one waits rather too long than not long enough */
	if (used > 0)
		used = (used + cost_of(before) - 1) / cost_of(before);
	if (before->cost != 0)
		used += ((wide)limit->burst - before->burst) * cost_of(limit);
	if (limit->cost == 0 || used < 0)
		used = 0;
	*state = state_of(start_of(limit, now_ns) + (int64_t)used, used > 0);
}

uint32_t bucket_left(const struct bucket_limit *limit, uint64_t state, int64_t now_ns)
{
	int64_t start = start_of(limit, now_ns), cost = cost_of(limit), left;

	if (limit->cost == 0)
		return UINT32_MAX;
	left = limit->burst * cost - (later(full_of(state), start) - start) + (limit->cost < 0 ? 0 : GRAINS - 1);
	if (left < 0)
		return 0;
	return left / cost < limit->burst ? (uint32_t)(left / cost) : limit->burst;
}

int64_t bucket_full_in_ns(const struct bucket_limit *limit, uint64_t state, int64_t now_ns)
{
	int64_t start = start_of(limit, now_ns), missing = later(full_of(state), start) - start;

	if (limit->cost < 0)
		return missing > 0 ? BUCKET_FOREVER : 0;
	return (missing + GRAINS - 1) / GRAINS;
}

int64_t bucket_full_ns(uint64_t state)
{
	return (full_of(state) + GRAINS - 1) / GRAINS;
}
