/* metrics.c - see metrics.h. The mapping is made by the supervisor and inherited by every worker process:
 *
 *     slots: | supervisor | process 0: thread 0, 1, .. spare | process 1: thread 0, 1, .. spare | ..
 *     pids:  | process 0 | process 1 | ..
 *
 * Before metrics_create, and for ever in programs that never call it, there is the supervisor's slot alone. */
#include "base/metrics.h"

#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/shared.h"

#define METRICS_ROW(id, kind, prometheus_name, label_text, help_text) \
	[METRIC_##id] = { \
		.type = METRIC_##kind, \
		.name = prometheus_name, \
		.labels = label_text, \
		.help = help_text, \
	},
static const struct metric_description descriptions[METRIC_COUNT] = { METRICS_TABLE(METRICS_ROW) };
#undef METRICS_ROW

const int64_t metrics_bucket_us[METRICS_BUCKET_COUNT] = METRICS_BUCKETS;

static struct metrics_slot first_slot;

_Thread_local struct metrics_slot *metrics_slot_of_thread;
struct metrics_slot *metrics_spare_slot = &first_slot;

static struct metrics_slot *slots = &first_slot;
static unsigned slot_count = 1;
static unsigned slots_per_process;
static unsigned process_count;
static pid_t *pids; /* of the worker processes, in the mapping */

void metrics_create(unsigned processes, unsigned threads_per_process)
{
	unsigned count = 1 + processes * (threads_per_process + 1);
	size_t slots_size = count * sizeof(struct metrics_slot);
	size_t size = slots_size + processes * sizeof(*pids);
	void *mapping = shared_memory(size, "metrics");

	LEAT_CHECK(slots == &first_slot);
	slots = mapping;
	slots[0] = first_slot;
	slot_count = count;
	slots_per_process = threads_per_process + 1;
	process_count = processes;
	pids = (pid_t *)((char *)mapping + slots_size);
	metrics_spare_slot = &slots[0];
}

static struct metrics_slot *slot_at(unsigned process, unsigned thread)
{
	LEAT_CHECK(process < process_count && thread < slots_per_process);
	return &slots[1 + process * slots_per_process + thread];
}

void metrics_enter(unsigned process)
{
	metrics_spare_slot = slot_at(process, slots_per_process - 1);
	metrics_slot_of_thread = NULL;
	__atomic_store_n(&pids[process], getpid(), __ATOMIC_RELAXED);
}

void metrics_attach(unsigned process, unsigned thread)
{
	LEAT_CHECK(thread + 1 < slots_per_process);
	metrics_slot_of_thread = slot_at(process, thread);
}

void metrics_clear_gauges(unsigned process)
{
	for (unsigned thread = 0; thread < slots_per_process; thread++) {
		struct metrics_slot *slot = slot_at(process, thread);

		for (unsigned metric = 0; metric < METRIC_COUNT; metric++)
			if (descriptions[metric].type != METRIC_COUNTER)
				__atomic_store_n(&slot->values[metric], 0, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&pids[process], 0, __ATOMIC_RELAXED);
}

unsigned metrics_process_count(void)
{
	return process_count;
}

pid_t metrics_process_pid(unsigned process)
{
	LEAT_CHECK(process < process_count);
	return __atomic_load_n(&pids[process], __ATOMIC_RELAXED);
}

uint64_t metrics_total(enum metric metric)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < slot_count; i++) {
		uint64_t value = __atomic_load_n(&slots[i].values[metric], __ATOMIC_RELAXED);

		if (descriptions[metric].type != METRIC_HIGHEST)
			total += value;
		else if (value > total)
			total = value;
	}
	return total;
}

void metrics_histogram_total(enum histogram histogram, struct metrics_histogram *ret_sums)
{
	memset(ret_sums, 0, sizeof(*ret_sums));
	for (unsigned i = 0; i < slot_count; i++)
		metrics_histogram_sum(ret_sums, &slots[i].histograms[histogram]);
}

void metrics_histogram_sum(struct metrics_histogram *sums, const struct metrics_histogram *one)
{
	for (unsigned bucket = 0; bucket <= METRICS_BUCKET_COUNT; bucket++)
		sums->buckets[bucket] += __atomic_load_n(&one->buckets[bucket], __ATOMIC_RELAXED);
	sums->sum_ns += __atomic_load_n(&one->sum_ns, __ATOMIC_RELAXED);
}

unsigned metrics_slot_count(void)
{
	return slot_count;
}

unsigned metrics_slot_number(void)
{
	return (unsigned)(metrics_slot() - slots);
}

const struct metric_description *metrics_describe(enum metric metric)
{
	return &descriptions[metric];
}

void metrics_observe(enum histogram histogram, int64_t ns)
{
	metrics_histogram_add(&metrics_slot()->histograms[histogram], ns);
}

/* Bounds belong to their bucket, as Prometheus' le means it. Most requests end in the first few steps. */
void metrics_histogram_add(struct metrics_histogram *sums, int64_t ns)
{
	unsigned bucket = 0;

	while (bucket < METRICS_BUCKET_COUNT && ns > metrics_bucket_us[bucket] * CLOCK_US)
		bucket++;
	__atomic_fetch_add(&sums->buckets[bucket], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&sums->sum_ns, (uint64_t)ns, __ATOMIC_RELAXED);
}
