/* metrics_route.h - requests counted by their route: how many of which class of status, and how long they took.
 *
 * Use:
 *     metrics_route_create(count);                       -- supervisor, after metrics_create
 *     metrics_route_observe(match.index, status, ns);
 *     metrics_route_total(0, &sums);
 *
 * Beside metrics.h, since their number is known at start only. Each thread counts in a slot of its own here, too; memory is
 * used for the routes that are asked for.
 *
 * Ownership:      the mapping lives as long as the service.
 * Thread-safety:  any thread; metrics_route_create: before other threads exist.
 * Errors:         metrics_route_create ends the program with a clear line when the memory cannot be mapped. Routes that
 *                 were not created are not counted.
 */
#ifndef APP_BASE_METRICS_ROUTE_H
#define APP_BASE_METRICS_ROUTE_H

#include "base/metrics.h"

enum { METRICS_ROUTE_CLASSES = 4 }; /* 2xx to 5xx */

struct metrics_route {
	uint64_t classes[METRICS_ROUTE_CLASSES];
	struct metrics_histogram durations;
};

void metrics_route_create(unsigned count);

/* 'status' is 200 to 599; what is below counts as 2xx. */
void metrics_route_observe(unsigned route, int status, int64_t ns);

/* Sums over all slots; zeros for a route that was not created. */
void metrics_route_total(unsigned route, struct metrics_route *ret_sums);

#endif
