/* middleware_check.c - what cannot be right about lists of middleware, at the start. See middleware.h. */
#include <leat/coalesce.h>
#include <stdio.h>
#include <string.h>

#include "http/middleware.h"
#include "http/routes.h"

/* A list that several routes share is told of once. */
static void check_list(const struct leat_middleware *list, struct routes_faults *faults)
{
	char line[512];

	for (; list && list->name; list++) {
		const char *fault = list->check ? list->check(list->options) : NULL;

		if (!fault)
			continue;
		snprintf(line, sizeof(line), "middleware %.60s: %s", list->name, fault);
		if (faults->len == 0 || !strstr(faults->text, line))
			routes_fault(faults, "%s", line);
	}
}

bool middleware_check(const struct leat_middleware *service, const struct routes *routes, struct routes_faults *faults)
{
	check_list(service, faults);
	for (const struct leat_middleware *entry = service; entry && entry->name; entry++)
		if (entry->before == leat_coalesce_before_)
			routes_fault(faults,
				     "middleware %.60s: it belongs to routes or mounts, not to the whole service",
				     entry->name);
	for (unsigned i = 0; i < routes->count; i++)
		for (const struct leat_middleware *const *list = routes->entries[i].middleware; *list; list++)
			check_list(*list, faults);
	return faults->len == 0;
}
