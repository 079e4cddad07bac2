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
 * When a handler crashes (SIGSEGV, SIGBUS, SIGFPE, SIGILL, or SIGABRT: a null pointer, a stack that ran out, a failed assert, malloc's own checks):
 *  - Its request is answered with 500, a problem document with the request's id and no more. After the head of a stream has gone, the stream is cut:
 *    the client sees that it is not whole. 'after' hooks do not run, nor does a service's own form of problems.
 *  - The log has a report: signal, address, route, request, thread, the way there with symbols, and addr2line's command line for it.
 *    leat_crashes_total counts it. A core is dumped when RLIMIT_CORE allows any (by a child, so the core has the thread that crashed alone).
 *  - The process takes no new work, gives its other requests the time of the setting crash_grace, and ends; another one is started at once (but no
 *    sooner than a second after the start of the one that crashed). While both run there are two sets of connections to the database; so
 *    with db_connections_max it is started when the first has ended.
 *  - The connection that the request had for itself (leat_tx, a stream of rows) is closed at once, and so its locks are gone. What the
 *    handler itself has locked or opened is left as it is until the process ends.
 *  - In a function given to leat_offload: the same, but the handler goes on, with LEAT_INTERNAL.
 * Not guaranteed, for nobody can: that other requests of the process are right, when memory was overwritten before the crash. Most often they
 * are; who cannot bear it sets crash_grace = 0, and the process ends at once, as it does after a second crash, after one in leat's own threads,
 * and under sanitizers. When malloc was what stopped the handler, its lock may be held: the other requests of that thread are answered with 503.
 * More processes (setting) make less of the service depend on each.
 *
 * Ownership:      the service and its tables are static and outlive leat_main.
 * Thread-safety:  leat_main is called once, by the main thread, before any other thread exists.
 * Errors:         leat_main prints what is wrong, where and what to do, and returns the exit status: 0 after a
 *                 clean stop, 1 when it failed, 2 for a wrong command line or settings.
 */
#ifndef LEAT_SERVICE_H
#define LEAT_SERVICE_H

#include <leat/breaker.h>
#include <leat/db.h>
#include <leat/middleware.h>
#include <leat/route.h>
#include <leat/semaphore.h>

struct leat_service {
	const char *name;
	const char *version;
	const struct leat_route *const *routes;   /* tables, ended by NULL */
	const struct leat_middleware *middleware; /* for all requests; NULL: none */
};

/* The ends of the program's lists of statements (LEAT_STATEMENT) and of breakers (LEAT_BREAKER), made by the linker; both NULL when there is none. */
extern const struct leat_statement *const __start_leat_statements[] __attribute__((weak, visibility("hidden")));
extern const struct leat_statement *const __stop_leat_statements[] __attribute__((weak, visibility("hidden")));

extern const struct leat_breaker *const __start_leat_breakers[] __attribute__((weak, visibility("hidden")));
extern const struct leat_breaker *const __stop_leat_breakers[] __attribute__((weak, visibility("hidden")));

extern const struct leat_semaphore *const __start_leat_semaphores[] __attribute__((weak, visibility("hidden")));
extern const struct leat_semaphore *const __stop_leat_semaphores[] __attribute__((weak, visibility("hidden")));

LEAT_API int leat_main_(int argc, char **argv, const struct leat_service *service,
			const struct leat_statement *const *first, const struct leat_statement *const *end);

/* Runs the command line: serve (the default), check, config, routes, breakers, migrate, --help, --version. Inline, so that the list is
 * that of the program and not of libleat. */
static inline int leat_main(int argc, char **argv, const struct leat_service *service)
{
	leat_breakers_list_(__start_leat_breakers, __stop_leat_breakers);
	leat_semaphores_list_(__start_leat_semaphores, __stop_leat_semaphores);
	return leat_main_(argc, argv, service, __start_leat_statements, __stop_leat_statements);
}

#endif
