/* metrics.h - counters of all processes of the service, in shared memory, changed by atomics only.
 *
 * Use:
 *     metrics_create(processes, threads_per_process);   -- supervisor, before the first fork
 *     metrics_enter(process);                           -- worker process, right after the fork
 *     metrics_attach(process, thread);                  -- each thread, once: from now on it counts in its own slot
 *     metrics_add(METRIC_REQUESTS_2XX, 1);
 *     metrics_observe(request_ns);
 *
 * Every thread adds to a slot of its own (no shared cache lines); reading sums the slots. A dead process leaves its
 * counters behind and its gauges are cleared, so counters never go back and gauges never count the dead.
 *
 * Ownership:      the mapping lives as long as the service.
 * Thread-safety:  any thread; one that never attached counts in its process's spare slot. metrics_create and
 *                 metrics_enter: before other threads exist. Nothing needs to be called before counting.
 * Errors:         metrics_create ends the program with a clear line when the memory cannot be mapped.
 */
#ifndef APP_BASE_METRICS_H
#define APP_BASE_METRICS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/metrics_table.h"

#define METRICS_ENUM(id, type, name, labels, help) METRIC_##id,
enum metric {
	METRICS_TABLE(METRICS_ENUM)
	METRIC_COUNT
};
#undef METRICS_ENUM

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HIGHEST, /* a gauge, of which the highest of all threads counts */
};

struct metric_description {
	enum metric_type type;
	const char *name;   /* Prometheus name; rows of one name stand together */
	const char *labels; /* code="2xx" or empty */
	const char *help;
};

/* Upper bounds of the histograms, in microseconds; one more bucket holds the rest. */
#define METRICS_BUCKETS \
	{ 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000 }
enum { METRICS_BUCKET_COUNT = 16 };
extern const int64_t metrics_bucket_us[METRICS_BUCKET_COUNT];

#define METRICS_HISTOGRAM_ENUM(id, name, help) HISTOGRAM_##id,
enum histogram {
	METRICS_HISTOGRAMS(METRICS_HISTOGRAM_ENUM)
	HISTOGRAM_COUNT
};
#undef METRICS_HISTOGRAM_ENUM

struct metrics_histogram {
	uint64_t buckets[METRICS_BUCKET_COUNT + 1]; /* not cumulative */
	uint64_t sum_ns;
};

/* One thread's counters. */
struct metrics_slot {
	uint64_t values[METRIC_COUNT]; /* gauges are signed, kept in two's complement */
	struct metrics_histogram histograms[HISTOGRAM_COUNT];
} __attribute__((aligned(64)));

extern _Thread_local struct metrics_slot *metrics_slot_of_thread; /* NULL: not attached */
extern struct metrics_slot *metrics_spare_slot;                   /* of this process */

void metrics_create(unsigned processes, unsigned threads_per_process);

/* The calling process is worker process 'process', 0 to processes - 1. */
void metrics_enter(unsigned process);

/* The calling thread is thread 'thread', 0 to threads_per_process - 1, of worker process 'process'. */
void metrics_attach(unsigned process, unsigned thread);

/* For the supervisor, when 'process' has ended: forgets its gauges and its pid. */
void metrics_clear_gauges(unsigned process);

/* How many worker processes there can be, and their pids; 0: does not run. */
unsigned metrics_process_count(void);
pid_t metrics_process_pid(unsigned process);

/* Sums over all slots; of METRIC_HIGHEST the highest. */
uint64_t metrics_total(enum metric metric);
void metrics_histogram_total(enum histogram histogram, struct metrics_histogram *ret_sums);
const struct metric_description *metrics_describe(enum metric metric);

static inline struct metrics_slot *metrics_slot(void)
{
	return metrics_slot_of_thread ? metrics_slot_of_thread : metrics_spare_slot;
}

/* 'more' may be negative, for gauges. */
static inline void metrics_add(enum metric metric, int64_t more)
{
	__atomic_fetch_add(&metrics_slot()->values[metric], (uint64_t)more, __ATOMIC_RELAXED);
}

/* This thread's, of METRIC_HIGHEST. */
static inline void metrics_set(enum metric metric, int64_t value)
{
	__atomic_store_n(&metrics_slot()->values[metric], (uint64_t)value, __ATOMIC_RELAXED);
}

/* One more took 'ns' nanoseconds. */
void metrics_observe(enum histogram histogram, int64_t ns);

/* For others that keep histograms, a slot for each of these (metrics_route.h). */
unsigned metrics_slot_count(void);
unsigned metrics_slot_number(void); /* of the calling thread, from 0 */
void metrics_histogram_add(struct metrics_histogram *sums, int64_t ns);
void metrics_histogram_sum(struct metrics_histogram *sums, const struct metrics_histogram *one);

#endif
