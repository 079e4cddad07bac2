/* admin.h - what the admin listener answers: /metrics, /livez, /readyz.
 *
 * Use (process.c):
 *     admin_init(&facts);                     -- each process, before its admin thread starts
 *     router_new(admin_tables, ...);
 *     admin_set_draining();                   -- /readyz says 503 from now on
 *
 * They are handlers like any others, on a socket and a thread of their own: they answer even when every worker is
 * busy.
 *
 * Ownership:      facts are copied.
 * Thread-safety:  admin_set_draining: any thread.
 * Errors:         none.
 */
#ifndef APP_OPS_ADMIN_H
#define APP_OPS_ADMIN_H

#include <leat/route.h>
#include <stdbool.h>

struct routes;

struct admin_facts {
	const char *version;
	unsigned processes, worker_threads;
	bool has_database;
	const struct routes *routes; /* of the service */
};

extern const struct leat_route *const admin_tables[];

void admin_init(const struct admin_facts *facts);
void admin_set_draining(void);

#endif
