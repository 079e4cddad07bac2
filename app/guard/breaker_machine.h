/* breaker_machine.h - a circuit breaker as a pure machine: calls, results and the time go in, verdicts come out. See leat/breaker.h for what it does.
 *
 * Use (breaker.c):
 *     breaker_rules_set(&rules, &payments);
 *     breaker_machine_init(&machine, &rules, now_ns);
 *     if (breaker_machine_enter(&machine, &rules, now_ns, &ticket, &change) == BREAKER_ENTERED)
 *         ...
 *         breaker_machine_leave(&machine, &rules, now_ns, &ticket, LEAT_BREAKER_FAILURE, &change);
 *     if (change.has_changed) ...
 *
 * What passing time changes is found out at the next call, as in gobreaker: there is no timer.
 *
 * Ownership:      plain structs, which can be copied; all zeros are no machine.
 * Thread-safety:  one thread at a time per object.
 * Errors:         breaker_rules_fault: a sentence.
 */
#ifndef APP_GUARD_BREAKER_MACHINE_H
#define APP_GUARD_BREAKER_MACHINE_H

#include <leat/breaker.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The descriptor, with its defaults, in nanoseconds. */
struct breaker_rules {
	uint64_t failures_in_a_row; /* 0: not looked at */
	uint64_t failure_percent, slow_percent, calls_least;
	int64_t slow_ns;   /* 0: none is */
	int64_t window_ns; /* 0: for ever */
	int64_t bucket_ns;
	uint64_t bucket_count; /* 0: the window does not slide */
	int64_t open_ns, open_most_ns;
	uint64_t probes;
	int64_t probe_ns;
	bool (*trips)(const struct leat_breaker_counts *counts);
};

/* Of at most an hour and a half, so 32 bits are enough. */
struct breaker_bucket {
	uint32_t requests, successes, failures, exclusions, slow, nothing;
};

/* What follows 'bucket' is of use, and is made, only where a generation has it. */
struct breaker_machine {
	uint64_t generation;
	uint64_t state;    /* enum leat_breaker_state */
	uint64_t reopened; /* times since it was closed */
	int64_t until_ns;  /* closed: the end of the window or the bucket; open: of that. CLOCK_NEVER: none */
	struct leat_breaker_counts counts;
	uint64_t bucket;                                 /* the newest one's number, from 0 in each generation */
	int64_t probe_until_ns[LEAT_BREAKER_PROBES_MAX]; /* half-open: of those under way; 0: free */
	struct breaker_bucket buckets[LEAT_BREAKER_BUCKETS_MAX]; /* bucket_count of them */
};

/* Bytes from the start of the machine that matter now. */
static inline size_t breaker_machine_size(const struct breaker_rules *rules, uint64_t state)
{
	if (rules->bucket_count > 0)
		return offsetof(struct breaker_machine, buckets) + rules->bucket_count * sizeof(struct breaker_bucket);
	return state == LEAT_BREAKER_HALF_OPEN ? offsetof(struct breaker_machine, buckets)
					       : offsetof(struct breaker_machine, probe_until_ns);
}

/* What a call keeps until its result is there. */
struct breaker_ticket {
	uint64_t generation, bucket;
	int64_t began_ns;
	unsigned probe; /* half-open: its place */
};

struct breaker_change {
	bool has_changed;
	enum leat_breaker_state from, to;
	struct leat_breaker_counts counts;
	int64_t open_ns;
};

enum breaker_verdict { BREAKER_ENTERED, BREAKER_IS_OPEN, BREAKER_IS_PROBED };

/* What is wrong with a descriptor; NULL: nothing. */
const char *breaker_rules_fault(const struct leat_breaker *breaker);
void breaker_rules_set(struct breaker_rules *ret_rules, const struct leat_breaker *breaker);

void breaker_machine_init(struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns);

/* At most one change comes of each of these; *ret_change is always written. */
enum breaker_verdict breaker_machine_enter(struct breaker_machine *machine, const struct breaker_rules *rules,
					   int64_t now_ns, struct breaker_ticket *ret_ticket,
					   struct breaker_change *ret_change);
/* False: it came too late to count. */
bool breaker_machine_leave(struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns,
			   const struct breaker_ticket *ticket, enum leat_breaker_outcome outcome,
			   struct breaker_change *ret_change);
/* Does what time alone does. */
void breaker_machine_look(struct breaker_machine *machine, const struct breaker_rules *rules, int64_t now_ns,
			  struct breaker_change *ret_change);

/* Until a call may be let in; 0: at once, or nobody knows. */
int64_t breaker_machine_wait_ns(const struct breaker_machine *machine, int64_t now_ns);

#endif
