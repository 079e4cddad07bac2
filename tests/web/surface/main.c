/* main.c - a service for the web tests that uses all of the HTTP surface. Each file of this folder has one part, with a table of its routes;
 * the tests of the part are in tests/web/test_PART.py. */
#include <leat.h>

extern const struct leat_route auth_routes[];
extern const struct leat_route caching_routes[];
extern const struct leat_route coalesce_routes[];
extern const struct leat_route crash_routes[];
extern const struct leat_route docs_routes[];
extern const struct leat_route edge_routes[];
extern const struct leat_route guard_routes[];
extern const struct leat_route idempotency_routes[];
extern const struct leat_route input_routes[];
extern const struct leat_route middleware_routes[];
extern const struct leat_route output_routes[];
extern const struct leat_route rate_routes[];
extern const struct leat_middleware service_middleware[]; /* middleware.c */

int main(int argc, char **argv)
{
	static const struct leat_route *const tables[] = {
		auth_routes,  caching_routes,     coalesce_routes, crash_routes,      docs_routes,   edge_routes,
		guard_routes, idempotency_routes, input_routes,    middleware_routes, output_routes, rate_routes,
		NULL
	};
	static const struct leat_service service = {
		.name = "surface",
		.version = "1",
		.routes = tables,
		.middleware = service_middleware,
	};

	return leat_main(argc, argv, &service);
}
