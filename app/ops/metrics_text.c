/* metrics_text.c - see metrics_text.h. Called by the admin listener. A family is a name with its HELP and TYPE lines
 * and then its samples; no name comes twice. */
#include "ops/metrics_text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/metrics_route.h"
#include "http/method.h"
#include "http/routes.h"
#include "ops/metrics_guard.h"

static void write_facts(struct buffer *out, const struct metrics_text_facts *facts);
static void write_table(struct buffer *out);
static void write_histogram(struct buffer *out, enum histogram histogram);
static void write_routes(struct buffer *out, const struct routes *routes);
static void write_processes(struct buffer *out);

void metrics_text_write(struct buffer *out, const struct metrics_text_facts *facts)
{
	write_facts(out, facts);
	write_table(out);
	for (unsigned i = 0; i < HISTOGRAM_COUNT; i++)
		write_histogram(out, i);
	if (facts->routes)
		write_routes(out, facts->routes);
	metrics_guard_write(out);
	write_processes(out);
}

void metrics_text_family(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: \, " and line ends are escaped. */
static void write_label_value(struct buffer *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			buffer_byte(out, '\\');
		if (*value == '\n')
			buffer_text(out, LEAT_TEXT_OF("\\n"));
		else
			buffer_byte(out, *value);
	}
}

static void write_facts(struct buffer *out, const struct metrics_text_facts *facts)
{
	metrics_text_family(out, "leat_build_info", "gauge", "The service's version.");
	buffer_text(out, LEAT_TEXT_OF("leat_build_info{version=\""));
	write_label_value(out, facts->version);
	buffer_text(out, LEAT_TEXT_OF("\"} 1\n"));
	metrics_text_family(out, "leat_processes", "gauge", "Worker processes configured.");
	buffer_format(out, "leat_processes %u\n", facts->processes);
	metrics_text_family(out, "leat_worker_threads", "gauge", "Worker threads configured for each process.");
	buffer_format(out, "leat_worker_threads %u\n", facts->worker_threads);
}

static void write_table(struct buffer *out)
{
	const char *family = "";

	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		const struct metric_description *metric = metrics_describe(i);
		bool is_labelled = metric->labels[0] != '\0';

		if (strcmp(metric->name, family) != 0)
			metrics_text_family(out, metric->name, metric->type == METRIC_COUNTER ? "counter" : "gauge",
					    metric->help);
		family = metric->name;
		buffer_format(out, "%s%s%s%s %" PRId64 "\n", metric->name, is_labelled ? "{" : "", metric->labels,
			      is_labelled ? "}" : "", (int64_t)metrics_total(i));
	}
}

static const struct {
	const char *name, *help;
} histograms[HISTOGRAM_COUNT] = {
#define HISTOGRAM_ROW(id, name, help) { name, help },
	METRICS_HISTOGRAMS(HISTOGRAM_ROW)
#undef HISTOGRAM_ROW
};

/* A sample's name and its labels, some of which are there already. */
static void write_sample(struct buffer *out, const char *name, const char *suffix, leat_text labels, const char *le)
{
	bool is_labelled = labels.len > 0 || le;

	buffer_format(out, "%s%s%s", name, suffix, is_labelled ? "{" : "");
	buffer_text(out, labels);
	if (le)
		buffer_format(out, "%sle=\"%s\"", labels.len > 0 ? "," : "", le);
	buffer_format(out, "%s ", is_labelled ? "}" : "");
}

/* Buckets are cumulative, and the last of them is the count: so the three always agree. */
static void write_buckets(struct buffer *out, const char *name, leat_text labels, const struct metrics_histogram *sums)
{
	uint64_t count = 0;
	char le[32];

	for (unsigned i = 0; i < METRICS_BUCKET_COUNT; i++) {
		count += sums->buckets[i];
		snprintf(le, sizeof(le), "%g", (double)metrics_bucket_us[i] / 1e6);
		write_sample(out, name, "_bucket", labels, le);
		buffer_format(out, "%" PRIu64 "\n", count);
	}
	count += sums->buckets[METRICS_BUCKET_COUNT];
	write_sample(out, name, "_bucket", labels, "+Inf");
	buffer_format(out, "%" PRIu64 "\n", count);
	write_sample(out, name, "_sum", labels, NULL);
	buffer_format(out, "%.9f\n", (double)sums->sum_ns / 1e9);
	write_sample(out, name, "_count", labels, NULL);
	buffer_format(out, "%" PRIu64 "\n", count);
}

static void write_histogram(struct buffer *out, enum histogram histogram)
{
	struct metrics_histogram sums;

	metrics_histogram_total(histogram, &sums);
	metrics_text_family(out, histograms[histogram].name, "histogram", histograms[histogram].help);
	write_buckets(out, histograms[histogram].name, (leat_text){ "", 0 }, &sums);
}

/* Routes ---------------------------------------------------------------------------------------------------------- */

#define ROUTE_REQUESTS  "leat_route_requests_total"
#define ROUTE_DURATIONS "leat_route_duration_seconds"

/* route="/users/{id:int}",method="GET" */
static leat_text route_labels(struct arena *arena, const struct routes_entry *entry)
{
	struct buffer labels;

	buffer_init(&labels, arena, 128);
	buffer_text(&labels, LEAT_TEXT_OF("route=\""));
	write_label_value(&labels, entry->pattern->text);
	buffer_format(&labels, "\",method=\"%s\"", method_name(entry->route->verb.method));
	return buffer_as_text(&labels);
}

/* Routes that nobody asked for are left out: services may have hundreds. */
static bool read_route(const struct routes_entry *entry, struct metrics_route *ret_sums)
{
	uint64_t count = 0;

	metrics_route_total(entry->index, ret_sums);
	for (unsigned class = 0; class < METRICS_ROUTE_CLASSES; class ++)
		count += ret_sums->classes[class];
	return count > 0;
}

static void write_routes(struct buffer *out, const struct routes *routes)
{
	struct metrics_route sums;

	metrics_text_family(out, ROUTE_REQUESTS, "counter", "Requests answered, by route and class of status.");
	for (unsigned i = 0; i < routes->count; i++) {
		leat_text labels = route_labels(out->arena, &routes->entries[i]);

		if (!read_route(&routes->entries[i], &sums))
			continue;
		for (unsigned class = 0; class < METRICS_ROUTE_CLASSES; class ++)
			buffer_format(out, ROUTE_REQUESTS "{%.*s,code=\"%uxx\"} %" PRIu64 "\n",
				      LEAT_TEXT_PRINTF(labels), class + 2, sums.classes[class]);
	}
	metrics_text_family(out, ROUTE_DURATIONS, "histogram", "The same as leat_request_duration_seconds, by route.");
	for (unsigned i = 0; i < routes->count; i++)
		if (read_route(&routes->entries[i], &sums))
			write_buckets(out, ROUTE_DURATIONS, route_labels(out->arena, &routes->entries[i]),
				      &sums.durations);
}

/* Worker processes, as the kernel sees them ----------------------------------------------------------------------- */

struct process_stat {
	bool is_known;
	double cpu_s;
	double started_s; /* since 1970 */
	double virtual_bytes;
	double resident_bytes;
	double threads;
};

static const struct process_row {
	const char *name;
	const char *type;
	const char *help;
	size_t offset; /* of its double in struct process_stat */
	const char *format;
} process_rows[] = {
	{ "process_cpu_seconds_total", "counter", "Processor time spent, user and system.",
	  offsetof(struct process_stat, cpu_s), "%.2f" },
	{ "process_start_time_seconds", "gauge", "When the process started, since 1970.",
	  offsetof(struct process_stat, started_s), "%.2f" },
	{ "process_virtual_memory_bytes", "gauge", "Address space in use.",
	  offsetof(struct process_stat, virtual_bytes), "%.0f" },
	{ "process_resident_memory_bytes", "gauge", "Memory in use.", offsetof(struct process_stat, resident_bytes),
	  "%.0f" },
	{ "process_threads", "gauge", "Threads.", offsetof(struct process_stat, threads), "%.0f" },
};

/* The file's text without the name of the program, which may hold anything: from the third field on. */
static const char *read_stat(pid_t pid, char *text, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	len = read(fd, text, size - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	text = strrchr(text, ')');
	return text ? text + 1 : NULL;
}

/* Fields of proc_pid_stat(5): 14 utime, 15 stime, 20 num_threads, 22 starttime, 23 vsize, 24 rss. */
static struct process_stat stat_of(pid_t pid)
{
	const double ticks = (double)sysconf(_SC_CLK_TCK);
	const double booted_s = (double)(clock_wall_ns() - clock_read_ns_(CLOCK_BOOTTIME)) / 1e9;
	struct process_stat stat = { .is_known = false };
	unsigned long user, system, memory;
	unsigned long long started;
	char text[1024];
	const char *fields = pid ? read_stat(pid, text, sizeof(text)) : NULL;
	long threads, pages;

	if (!fields ||
	    sscanf(fields, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu %*s %*s %*s %*s %ld %*s %llu %lu %ld",
		   &user, &system, &threads, &started, &memory, &pages) != 6)
		return stat;
	return (struct process_stat){
		.is_known = true,
		.cpu_s = (double)(user + system) / ticks,
		.started_s = booted_s + (double)started / ticks,
		.virtual_bytes = (double)memory,
		.resident_bytes = (double)pages * (double)sysconf(_SC_PAGESIZE),
		.threads = (double)threads,
	};
}

enum { PROCESSES_MAX = 128 }; /* twice the setting's most: some may leave (supervisor.h) */

static void write_processes(struct buffer *out)
{
	unsigned count = metrics_process_count() < PROCESSES_MAX ? metrics_process_count() : PROCESSES_MAX;
	struct process_stat stats[PROCESSES_MAX];

	for (unsigned i = 0; i < count; i++)
		stats[i] = stat_of(metrics_process_pid(i));
	for (size_t row = 0; row < sizeof(process_rows) / sizeof(process_rows[0]); row++) {
		const struct process_row *process = &process_rows[row];

		metrics_text_family(out, process->name, process->type, process->help);
		for (unsigned i = 0; i < count; i++) {
			if (!stats[i].is_known)
				continue;
			buffer_format(out, "%s{process=\"%u\"} ", process->name, i);
			buffer_format(out, process->format,
				      *(const double *)((const char *)&stats[i] + process->offset));
			buffer_byte(out, '\n');
		}
	}
}
