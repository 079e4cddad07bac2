/* lag.c - see lag.h. Called by replica.c. */
#include "back/lag.h"

#include <stddef.h>

void lag_init(struct lag *lag, int64_t most_ns)
{
	*lag = (struct lag){ .spacing_ns = most_ns / (LAG_SAMPLES / 2) };
}

/* 0 is the newest one; NULL: there are not so many. */
static const struct lag_sample *sample_at(const struct lag *lag, unsigned age)
{
	if (age >= LAG_SAMPLES || age >= lag->count)
		return NULL;
	return &lag->samples[(lag->count - 1 - age) % LAG_SAMPLES];
}

/* The newest one may be replaced while it is too near to the one before, or says the same. */
static bool is_settled(const struct lag *lag, uint64_t lsn)
{
	const struct lag_sample *newest = sample_at(lag, 0), *before = sample_at(lag, 1);

	if (!newest)
		return true;
	return newest->lsn != lsn && (!before || newest->sent_ns - before->sent_ns >= lag->spacing_ns);
}

void lag_sampled(struct lag *lag, int64_t sent_ns, uint64_t lsn)
{
	const struct lag_sample *newest = sample_at(lag, 0);

	if (newest && lsn < newest->lsn)
		lag->count = 0; /* another server has taken over: what the former one wrote proves nothing */
	if (is_settled(lag, lsn))
		lag->count++;
	lag->samples[(lag->count - 1) % LAG_SAMPLES] = (struct lag_sample){ sent_ns, lsn };
}

int64_t lag_sampled_ns(const struct lag *lag)
{
	const struct lag_sample *newest = sample_at(lag, 0);

	return newest ? newest->sent_ns : LAG_UNKNOWN;
}

static int64_t as_of(const struct lag *lag, uint64_t lsn)
{
	const struct lag_sample *sample;

	for (unsigned age = 0; (sample = sample_at(lag, age)); age++)
		if (sample->lsn <= lsn)
			return sample->sent_ns;
	return LAG_UNKNOWN;
}

/* What waits for a sample to confirm it is not replaced by what is newer: it would never be confirmed. */
void lag_replayed(const struct lag *lag, struct lag_view *view, uint64_t lsn, int64_t now_ns)
{
	const struct lag_sample *newest = sample_at(lag, 0);

	view->has_all = newest && lsn >= newest->lsn;
	if (view->lsn != 0)
		return;
	view->lsn = lsn;
	view->told_ns = now_ns;
	view->told_as_of_ns = as_of(lag, lsn);
}

void lag_confirm(const struct lag *lag, struct lag_view *view)
{
	const struct lag_sample *newest = sample_at(lag, 0);

	if (view->lsn == 0 || !newest || newest->sent_ns < view->told_ns)
		return;
	view->is_ahead = newest->lsn < view->lsn;
	if (view->is_ahead)
		view->as_of_ns = LAG_UNKNOWN;
	else if (view->told_as_of_ns > view->as_of_ns)
		view->as_of_ns = view->told_as_of_ns;
	view->lsn = 0;
}
