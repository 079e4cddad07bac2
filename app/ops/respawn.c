/* respawn.c - see respawn.h. Driven by supervisor.c. */
#include "ops/respawn.h"

#include "base/clock.h"

static const int64_t first_pause_ns = 100 * CLOCK_MS;
static const int64_t longest_pause_ns = 10 * CLOCK_S;
static const int64_t good_life_ns = 60 * CLOCK_S;
static const int64_t between_starts_ns = CLOCK_S;

bool respawn_is_due(const struct respawn *respawn, int64_t now_ns)
{
	return now_ns >= respawn->due_ns;
}

void respawn_started(struct respawn *respawn, int64_t now_ns)
{
	respawn->started_ns = now_ns;
	respawn->due_ns = CLOCK_NEVER;
}

void respawn_ended(struct respawn *respawn, int64_t now_ns)
{
	bool was_running = respawn->due_ns == CLOCK_NEVER;

	if (respawn->pause_ns == 0 || (was_running && now_ns - respawn->started_ns >= good_life_ns))
		respawn->pause_ns = first_pause_ns;
	else if (respawn->pause_ns < longest_pause_ns / 2)
		respawn->pause_ns *= 2;
	else
		respawn->pause_ns = longest_pause_ns;
	respawn->due_ns = now_ns + respawn->pause_ns;
}

void respawn_leaves(struct respawn *respawn, int64_t now_ns)
{
	int64_t least_ns = respawn->started_ns + between_starts_ns;

	respawn->due_ns = now_ns > least_ns ? now_ns : least_ns;
}
