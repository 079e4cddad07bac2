/* handlers/table.c: the list of all tables of routes, one for each file here. */
#include "handlers/table.h"

extern const struct leat_route about_routes[];
extern const struct leat_route health_routes[];
extern const struct leat_route hello_routes[];
extern const struct leat_route users_routes[];

static const struct leat_route *const tables[] = {
	about_routes,
	health_routes,
	hello_routes,
	users_routes,
	NULL,
};

const struct leat_service service = {
	.name = "leat",
	.version = "0.1.0",
	.routes = tables,
};
