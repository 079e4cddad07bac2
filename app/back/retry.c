/* retry.c - see retry.h. Called by db.c for its connections. */
#include "back/retry.h"

#include "base/random.h"

void retry_init(struct retry *retry, int64_t least_ns, int64_t most_ns, uint64_t seed)
{
	*retry = (struct retry){
		.least_ns = least_ns,
		.most_ns = most_ns > least_ns ? most_ns : least_ns,
		.due_ns = INT64_MIN,
		.random = seed,
	};
}

/* least * 2^(failures - 1), at most most_ns. */
static int64_t longest_pause_ns(const struct retry *retry)
{
	int64_t pause_ns = retry->least_ns;

	for (unsigned i = 1; i < retry->failures && pause_ns < retry->most_ns; i++)
		pause_ns = pause_ns > retry->most_ns / 2 ? retry->most_ns : pause_ns * 2;
	return pause_ns;
}

void retry_failed(struct retry *retry, int64_t now_ns)
{
	int64_t pause_ns;

	retry->failures++;
	pause_ns = longest_pause_ns(retry);
	retry->due_ns = now_ns + pause_ns - (int64_t)(random_step(&retry->random) % (uint64_t)(pause_ns / 2 + 1));
}

void retry_succeeded(struct retry *retry, int64_t now_ns)
{
	retry->failures = 0;
	retry->due_ns = now_ns;
}

void retry_lost(struct retry *retry, int64_t made_ns, int64_t now_ns)
{
	int64_t soonest_ns = made_ns + retry->least_ns;

	retry_succeeded(retry, now_ns > soonest_ns ? now_ns : soonest_ns);
}
