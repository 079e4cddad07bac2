/* metrics_route.c - see metrics_route.h. Counted by the pipeline, read by ops/metrics_text. The mapping has a row of all
 * routes for each slot of metrics.c. */
#include "base/metrics_route.h"

#include <string.h>

#include "base/check.h"
#include "base/shared.h"

static struct metrics_route *rows;
static unsigned route_count;

void metrics_route_create(unsigned count)
{
	rows = shared_memory((size_t)metrics_slot_count() * count * sizeof(*rows), "metrics of routes");
	route_count = count;
}

static struct metrics_route *row_at(unsigned slot, unsigned route)
{
	return &rows[(size_t)slot * route_count + route];
}

void metrics_route_observe(unsigned route, int status, int64_t ns)
{
	struct metrics_route *row;
	int class = status / 100 - 2;

	if (route >= route_count)
		return;
	row = row_at(metrics_slot_number(), route);
	if (class < 0 || class >= METRICS_ROUTE_CLASSES)
		class = class < 0 ? 0 : METRICS_ROUTE_CLASSES - 1;
	__atomic_fetch_add(&row->classes[class], 1, __ATOMIC_RELAXED);
	metrics_histogram_add(&row->durations, ns);
}

void metrics_route_total(unsigned route, struct metrics_route *ret_sums)
{
	memset(ret_sums, 0, sizeof(*ret_sums));
	for (unsigned slot = 0; slot < metrics_slot_count() && route < route_count; slot++) {
		const struct metrics_route *row = row_at(slot, route);

		for (unsigned class = 0; class < METRICS_ROUTE_CLASSES; class ++)
			ret_sums->classes[class] += __atomic_load_n(&row->classes[class], __ATOMIC_RELAXED);
		metrics_histogram_sum(&ret_sums->durations, &row->durations);
	}
}
