/* host.h - the servers that a worker calls: their addresses, and how many calls each may have under way.
 *
 * Use:
 *     struct host *host = host_take(&hosts, "stock.internal", 80);
 *     enum leat_result result = host_resolve(host, deadline_ns);   -- waits while its addresses are being looked up
 *     result = host_enter(host, deadline_ns);                        -- waits in line for a place
 *     ... host->addresses ...
 *     host_leave(host);                                              -- the place is the next one's
 *     host_give(host);
 *
 * Places are calls under way, and so connections at most: fetch_connections of all hosts, fetch_host_connections of one. There is one line for
 * all; the first in it whose host has a place gets one, so nobody waits for a host that somebody else has filled.
 *
 * Ownership:      hosts own each host; it is kept while somebody has taken it or its addresses are new enough.
 * Thread-safety:  only the worker that made them. host_resolve, host_enter: tasks.
 * Errors:         LEAT_TIMED_OUT, LEAT_CANCELLED; LEAT_UNAVAILABLE: no address (host->failure has the words), or the line is full.
 */
#ifndef APP_FETCH_HOST_H
#define APP_FETCH_HOST_H

#include <leat/result.h>
#include <stdbool.h>
#include <stdint.h>

#include "fetch/lookup.h"

struct host_wait;
struct loop;
struct settings;

enum { HOST_BUCKETS = 128 };

struct host_line {
	struct host_wait *first, *last;
	unsigned count;
};

struct hosts {
	struct loop *loop;
	const struct settings *settings;
	struct offload *pool; /* for lookups */
	struct host *buckets[HOST_BUCKETS];
	unsigned count;
	unsigned taken; /* places */
	struct host_line line;
};

struct host {
	struct host *next; /* in its bucket */
	struct hosts *hosts;
	unsigned users;
	unsigned taken; /* places */
	unsigned port;
	bool is_literal; /* its name is an address */
	struct addresses addresses;
	int64_t fresh_until_ns;
	struct lookup *lookup;        /* under way */
	struct host_line lookup_line; /* who waits for it */
	char failure[128];            /* of the last lookup */
	char name[];
};

void hosts_init(struct hosts *hosts, struct loop *loop, const struct settings *settings, struct offload *pool);

/* When nobody has a host any more. */
void hosts_fini(struct hosts *hosts);

/* Forgets those that nobody has and whose addresses are old. */
void hosts_tend(struct hosts *hosts, int64_t now_ns);

/* The name is in lower case; an address of IPv6 without brackets. */
struct host *host_take(struct hosts *hosts, const char *name, unsigned port);
void host_give(struct host *host);

enum leat_result host_resolve(struct host *host, int64_t deadline_ns) LEAT_MUST_USE;

enum leat_result host_enter(struct host *host, int64_t deadline_ns) LEAT_MUST_USE;

/* The same without waiting. */
bool host_enter_at_once(struct host *host) LEAT_MUST_USE;
void host_leave(struct host *host);

#endif
