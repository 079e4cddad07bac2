/* handlers/about.c: the service describes itself. */
#include <leat.h>

const struct leat_route about_routes[] = {
	LEAT_OPENAPI("/openapi.json"),
	LEAT_DOCS("/docs"),
	LEAT_ROUTES_END
};
