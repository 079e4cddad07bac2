/* leat/service.h - a program of its own on libleat.
 *
 * Use:
 *     static const struct leat_route *const tables[] = { users_routes, NULL };
 *     static const struct leat_service service = { .name = "shop", .version = "1.0", .routes = tables };
 *
 *     int main(int argc, char **argv)
 *     {
 *         return leat_main(argc, argv, &service);
 *     }
 *
 * Ownership:      the service and its tables are static and outlive leat_main.
 * Thread-safety:  leat_main is called once, by the main thread, before any other thread exists.
 * Errors:         leat_main prints what is wrong, where and what to do, and returns the exit status: 0 after a
 *                 clean stop, 1 when it failed, 2 for a wrong command line or settings.
 */
#ifndef LEAT_SERVICE_H
#define LEAT_SERVICE_H

#include <leat/db.h>
#include <leat/middleware.h>
#include <leat/route.h>

struct leat_service {
	const char *name;
	const char *version;
	const struct leat_route *const *routes; /* tables, ended by NULL */
	const struct leat_middleware *middleware; /* for all requests; NULL: none */
};

/* The ends of the program's list of statements (LEAT_STATEMENT), made by the linker; both NULL when there is none. */
extern const struct leat_statement *const __start_leat_statements[] __attribute__((weak, visibility("hidden")));
extern const struct leat_statement *const __stop_leat_statements[] __attribute__((weak, visibility("hidden")));

LEAT_API int leat_main_(int argc, char **argv, const struct leat_service *service,
			const struct leat_statement *const *first, const struct leat_statement *const *end);

/* Runs the command line: serve (the default), check, config, routes, migrate, --help, --version. Inline, so that the list is
 * that of the program and not of libleat. */
static inline int leat_main(int argc, char **argv, const struct leat_service *service)
{
	return leat_main_(argc, argv, service, __start_leat_statements, __stop_leat_statements);
}

#endif
