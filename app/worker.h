/* worker.h - a worker thread: its loop, its share of the connections, its database, its memory.
 *
 * Use (process.c):
 *     struct worker *worker = worker_start(&options, error, sizeof(error));
 *     worker_stop(worker);                            -- ends when its last request has ended
 *     worker_cancel(worker);                          -- ends those, too
 *     while (!worker_join(worker, deadline_ns)) ...
 *     worker_free(worker);                            -- when nobody is left who could post to its loop
 *
 * Workers share nothing but the poller, the router (read only), the offload pool and the access log's thread.
 *
 * Ownership:      the options' objects outlive the worker, except the offload pool: its threads post to workers' loops and end
 *                 before worker_free.
 * Thread-safety:  the main thread.
 * Errors:         worker_start is NULL with a sentence.
 */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct accesslog;
struct background;
struct offload;
struct poller;
struct leat_middleware;
struct router;
struct settings;
struct topics;
struct worker;

struct worker_options {
	unsigned process; /* for the metrics' slots */
	unsigned thread;
	const struct settings *settings;
	struct poller *poller;
	const struct router *router;
	const struct leat_middleware *middleware; /* the service's; NULL: none */
	struct offload *offload;
	struct background *background;
	struct topics *topics;
	struct flights *flights;
	struct kept *kept;
	struct offload *resolving;               /* names of other servers */
	struct offload *connecting, *cancelling; /* of the database */
	struct lend *lend;                       /* NULL: no database */
	struct notify *notify;
	struct accesslog *accesslog; /* NULL: none */
	bool is_admin;
	unsigned tasks_max;
};

struct worker *worker_start(const struct worker_options *options, char *error, size_t error_size);

void worker_stop(struct worker *worker);
void worker_cancel(struct worker *worker);

/* False when the thread has not ended by then. One that is lost (loop_is_lost) counts as ended; then worker_free is not for it. */
bool worker_join(struct worker *worker, int64_t deadline_ns) __attribute__((warn_unused_result));

void worker_free(struct worker *worker);

#endif
