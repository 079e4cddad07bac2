/* breaker_machine.c - see breaker_machine.h. Called by breaker.c. */
#include "guard/breaker_machine.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"

enum {
	FAILURES = 6, /* more than five, as gobreaker has it */
	CALLS_LEAST = 20,
	OPEN_MS = 60000,
	PROBE_MS = 10000,
	HOUR_MS = 3600000,
	DAY_MS = 86400000,
	JITTER_OF = 10, /* up to a tenth */
};

/* Rules ----------------------------------------------------------------------------------------------------------------- */

static bool is_within(int64_t value, int64_t most)
{
	return value >= 0 && value <= most;
}

static int64_t count_buckets(const struct leat_breaker *breaker)
{
	return breaker->bucket_ms ? (breaker->window_ms + breaker->bucket_ms - 1) / breaker->bucket_ms : 0;
}

const char *breaker_rules_fault(const struct leat_breaker *breaker)
{
	int64_t open_ms = breaker->open_ms ? breaker->open_ms : OPEN_MS;

	if (breaker->failure_percent > 100 || breaker->slow_percent > 100)
		return "failure_percent and slow_percent are from 0 to 100";
	if (!is_within(breaker->slow_ms, HOUR_MS) || (breaker->slow_percent > 0 && breaker->slow_ms == 0))
		return "slow_ms is up to an hour, and slow_percent wants it";
	if (!is_within(breaker->window_ms, DAY_MS) || !is_within(breaker->open_ms, DAY_MS) ||
	    !is_within(breaker->probe_ms, HOUR_MS))
		return "window_ms and open_ms are up to a day, probe_ms is up to an hour";
	if (breaker->open_most_ms != 0 && (breaker->open_most_ms < open_ms || breaker->open_most_ms > DAY_MS))
		return "open_most_ms is from open_ms to a day";
	if (breaker->probes > LEAT_BREAKER_PROBES_MAX)
		return "probes are LEAT_BREAKER_PROBES_MAX at most";
	if (breaker->bucket_ms != 0 &&
	    (breaker->bucket_ms < 0 || breaker->window_ms == 0 || count_buckets(breaker) > LEAT_BREAKER_BUCKETS_MAX))
		return "bucket_ms wants window_ms, of LEAT_BREAKER_BUCKETS_MAX buckets at most";
	return NULL;
}

void breaker_rules_set(struct breaker_rules *ret_rules, const struct leat_breaker *breaker)
{
	bool has_other = breaker->failure_percent || breaker->slow_percent || breaker->trips;

	*ret_rules = (struct breaker_rules){
		.failures_in_a_row = breaker->failures || has_other ? breaker->failures : FAILURES,
		.failure_percent = breaker->failure_percent,
		.slow_percent = breaker->slow_percent,
		.calls_least = breaker->calls_least ? breaker->calls_least : CALLS_LEAST,
		.slow_ns = breaker->slow_ms * CLOCK_MS,
		.window_ns = breaker->window_ms * CLOCK_MS,
		.bucket_ns = breaker->bucket_ms * CLOCK_MS,
		.bucket_count = (uint64_t)count_buckets(breaker),
		.open_ns = (breaker->open_ms ? breaker->open_ms : OPEN_MS) * CLOCK_MS,
		.probes = breaker->probes ? breaker->probes : 1,
		.probe_ns = (breaker->probe_ms ? breaker->probe_ms : PROBE_MS) * CLOCK_MS,
		.trips = breaker->trips,
	};
	ret_rules->open_most_ns = breaker->open_most_ms ? breaker->open_most_ms * CLOCK_MS : ret_rules->open_ns;
}

/* Generations ------------------------------------------------------------------------------------------------------------ */

/* Chance is drawn from the time, so that the same times bring the same. */
static int64_t open_time(const struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns)
{
	int64_t open_ns = rules->open_ns;
	uint64_t chance = (uint64_t)now_ns;

	for (uint64_t i = 0; i < machine->reopened && open_ns < rules->open_most_ns; i++)
		open_ns *= 2;
	if (open_ns > rules->open_most_ns)
		open_ns = rules->open_most_ns;
	if (open_ns > rules->open_ns)
		open_ns -= (int64_t)(random_step(&chance) % (uint64_t)(open_ns / JITTER_OF));
	return open_ns;
}

static int64_t generation_end(const struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns)
{
	int64_t lasts_ns = 0;

	if (machine->state == LEAT_BREAKER_OPEN)
		lasts_ns = open_time(machine, rules, now_ns);
	else if (machine->state == LEAT_BREAKER_CLOSED)
		lasts_ns = rules->bucket_count ? rules->bucket_ns : rules->window_ns;
	return lasts_ns ? now_ns + lasts_ns : CLOCK_NEVER;
}

static void begin_generation(struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns)
{
	machine->generation++;
	machine->until_ns = generation_end(machine, rules, now_ns);
	machine->bucket = 0;
	memset(&machine->counts, 0, sizeof(machine->counts));
	memset(machine->probe_until_ns, 0, sizeof(machine->probe_until_ns));
	memset(machine->buckets, 0, rules->bucket_count * sizeof(machine->buckets[0]));
}

void breaker_machine_init(struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns)
{
	memset(machine, 0, sizeof(*machine));
	begin_generation(machine, rules, now_ns);
}

static void change_to(struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns,
		      enum leat_breaker_state to, struct breaker_change *change)
{
	*change = (struct breaker_change){ .has_changed = true,
					   .from = (enum leat_breaker_state)machine->state,
					   .to = to,
					   .counts = machine->counts };
	if (to == LEAT_BREAKER_CLOSED)
		machine->reopened = 0;
	else if (to == LEAT_BREAKER_OPEN && machine->state == LEAT_BREAKER_HALF_OPEN)
		machine->reopened++;
	machine->state = to;
	begin_generation(machine, rules, now_ns);
	if (to == LEAT_BREAKER_OPEN)
		change->open_ns = machine->until_ns - now_ns;
}

/* Time ------------------------------------------------------------------------------------------------------------------- */

static void fade(struct breaker_machine *machine, struct breaker_bucket *bucket)
{
	machine->counts.requests -= bucket->requests;
	machine->counts.successes -= bucket->successes;
	machine->counts.failures -= bucket->failures;
	machine->counts.exclusions -= bucket->exclusions;
	machine->counts.slow -= bucket->slow;
	*bucket = (struct breaker_bucket){ 0 };
}

/* The oldest buckets make room. */
static void slide(struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns)
{
	int64_t passed = (now_ns - machine->until_ns - 1) / rules->bucket_ns + 1;
	uint64_t fading = (uint64_t)passed < rules->bucket_count ? (uint64_t)passed : rules->bucket_count;

	for (uint64_t i = 1; i <= fading; i++)
		fade(machine, &machine->buckets[(machine->bucket + i) % rules->bucket_count]);
	machine->bucket += (uint64_t)passed;
	machine->until_ns += passed * rules->bucket_ns;
}

static bool has_hung_probe(const struct breaker_machine *machine, int64_t now_ns)
{
	for (unsigned i = 0; i < LEAT_BREAKER_PROBES_MAX; i++)
		if (machine->probe_until_ns[i] != 0 && machine->probe_until_ns[i] < now_ns)
			return true;
	return false;
}

static void count_failure(struct leat_breaker_counts *counts)
{
	counts->failures++;
	counts->failures_in_a_row++;
	counts->successes_in_a_row = 0;
}

void breaker_machine_look(struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns,
			  struct breaker_change *ret_change)
{
	ret_change->has_changed = false;
	if (machine->state == LEAT_BREAKER_HALF_OPEN && has_hung_probe(machine, now_ns)) {
		count_failure(&machine->counts);
		change_to(machine, rules, now_ns, LEAT_BREAKER_OPEN, ret_change);
	}
	if (machine->until_ns >= now_ns)
		return;
	if (machine->state == LEAT_BREAKER_OPEN)
		change_to(machine, rules, now_ns, LEAT_BREAKER_HALF_OPEN, ret_change);
	else if (rules->bucket_count)
		slide(machine, rules, now_ns);
	else
		begin_generation(machine, rules, now_ns);
}

int64_t breaker_machine_wait_ns(const struct breaker_machine *machine, int64_t now_ns)
{
	return machine->state == LEAT_BREAKER_OPEN && machine->until_ns >= now_ns ? machine->until_ns - now_ns + 1 : 0;
}

/* Calls ------------------------------------------------------------------------------------------------------------------ */

static unsigned free_probe(const struct breaker_machine *machine)
{
	unsigned i = 0;

	while (i + 1 < LEAT_BREAKER_PROBES_MAX && machine->probe_until_ns[i] != 0)
		i++;
	return i;
}

enum breaker_verdict breaker_machine_enter(struct breaker_machine *machine, const struct breaker_rules *rules,
					   int64_t now_ns, struct breaker_ticket *ret_ticket,
					   struct breaker_change *ret_change)
{
	breaker_machine_look(machine, rules, now_ns, ret_change);
	if (machine->state == LEAT_BREAKER_OPEN)
		return BREAKER_IS_OPEN;
	*ret_ticket = (struct breaker_ticket){ machine->generation, machine->bucket, now_ns, 0 };
	if (machine->state == LEAT_BREAKER_HALF_OPEN) {
		if (machine->counts.requests - machine->counts.exclusions >= rules->probes)
			return BREAKER_IS_PROBED;
		ret_ticket->probe = free_probe(machine);
		machine->probe_until_ns[ret_ticket->probe] = now_ns + rules->probe_ns;
	}
	machine->counts.requests++;
	if (rules->bucket_count)
		machine->buckets[machine->bucket % rules->bucket_count].requests++;
	return BREAKER_ENTERED;
}

static bool is_share(uint64_t some, uint64_t all, uint64_t percent)
{
	return percent > 0 && some * 100 >= all * percent;
}

static bool trips(const struct breaker_rules *rules, const struct leat_breaker_counts *counts)
{
	uint64_t ended = counts->successes + counts->failures;

	if (rules->trips)
		return rules->trips(counts);
	if (rules->failures_in_a_row > 0 && counts->failures_in_a_row >= rules->failures_in_a_row)
		return true;
	return ended >= rules->calls_least && (is_share(counts->failures, ended, rules->failure_percent) ||
					       is_share(counts->slow, ended, rules->slow_percent));
}

static void count(struct breaker_machine *machine, struct breaker_bucket *bucket, enum leat_breaker_outcome outcome,
		  bool is_slow)
{
	struct leat_breaker_counts *counts = &machine->counts;

	counts->slow += is_slow;
	bucket->slow += is_slow;
	if (outcome == LEAT_BREAKER_FAILURE) {
		count_failure(counts);
		bucket->failures++;
	} else {
		counts->successes++;
		counts->successes_in_a_row++;
		counts->failures_in_a_row = 0;
		bucket->successes++;
	}
}

static bool is_late(const struct breaker_machine *machine, const struct breaker_rules *rules,
		    const struct breaker_ticket *ticket)
{
	return ticket->generation != machine->generation ||
	       (rules->bucket_count && machine->bucket - ticket->bucket >= rules->bucket_count);
}

bool breaker_machine_leave(struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns,
			   const struct breaker_ticket *ticket, enum leat_breaker_outcome outcome,
			   struct breaker_change *ret_change)
{
	bool is_slow = rules->slow_ns && now_ns - ticket->began_ns >= rules->slow_ns;
	struct breaker_bucket no_bucket = { 0 };
	struct breaker_bucket *bucket;

	breaker_machine_look(machine, rules, now_ns, ret_change);
	if (is_late(machine, rules, ticket))
		return false;
	bucket = rules->bucket_count ? &machine->buckets[ticket->bucket % rules->bucket_count] : &no_bucket;
	machine->probe_until_ns[ticket->probe] = 0;
	if (outcome == LEAT_BREAKER_EXCLUDED) {
		machine->counts.exclusions++;
		bucket->exclusions++;
		return true;
	}
	count(machine, bucket, outcome, is_slow);
	if (machine->state == LEAT_BREAKER_CLOSED) {
		if ((outcome == LEAT_BREAKER_FAILURE || is_slow) && trips(rules, &machine->counts))
			change_to(machine, rules, now_ns, LEAT_BREAKER_OPEN, ret_change);
	} else if (outcome == LEAT_BREAKER_FAILURE || (is_slow && rules->slow_percent)) {
		change_to(machine, rules, now_ns, LEAT_BREAKER_OPEN, ret_change);
	} else if (machine->counts.successes_in_a_row >= rules->probes) {
		change_to(machine, rules, now_ns, LEAT_BREAKER_CLOSED, ret_change);
	}
	return true;
}
