/* fetcher.h - a worker's HTTP client: libcurl's multi interface, driven by the worker's loop.
 *
 * Use:
 *     fetcher_setup();                                        -- once a process, before threads
 *     struct fetcher *fetcher = fetcher_new(loop, settings, resolving);
 *     fetcher_start(fetcher, transfer, host);                 -- on a place of the host's, which it gives back when it is done
 *     fetcher_give(fetcher, transfer);                        -- done or not: it is ended then
 *     fetcher_free(fetcher);
 *
 * libcurl works on the loop only, never on a task's stack: a task starts a transfer and waits, or gives it up, and the end of the loop's turn takes
 * it down.
 *
 * Ownership:      the fetcher owns its transfers, connections and hosts.
 * Thread-safety:  only the worker that made it.
 * Errors:         those of transfers.
 */
#ifndef APP_FETCH_FETCHER_H
#define APP_FETCH_FETCHER_H

#include <stdbool.h>

#include "fetch/host.h"
#include "fetch/link.h"
#include "fetch/transfer.h"

struct fetcher {
	struct loop *loop;
	const struct settings *settings;
	void *multi; /* libcurl's */
	struct hosts hosts;
	struct links links;
	struct loop_timer timer; /* libcurl's */
	struct loop_timer tend;  /* of hosts and idle connections, each second while there are any */
	struct loop_turn turn;   /* takes down what was given up */
	struct transfer *idle, *given_up;
	unsigned idle_count;
};

void fetcher_setup(void);

struct fetcher *fetcher_new(struct loop *loop, const struct settings *settings, struct offload *resolving);

/* When its tasks have ended; what they gave up ends now. NULL is none. */
void fetcher_free(struct fetcher *fetcher);

struct transfer *fetcher_take(struct fetcher *fetcher);
void fetcher_start(struct fetcher *fetcher, struct transfer *transfer, struct host *host);
void fetcher_give(struct fetcher *fetcher, struct transfer *transfer);

#endif
