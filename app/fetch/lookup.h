/* lookup.h - the addresses of a name, asked for on a thread of their own, because the resolver blocks.
 *
 * Use:
 *     struct lookup *lookup = lookup_start(pool, loop, "stock.internal", on_found, host);   -- NULL: the pool's queue is full
 *     static void on_found(void *arg, const struct addresses *found, const char *failure)
 *     lookup_drop(lookup);                         -- nobody waits for it any more
 *
 * Ownership:      a lookup frees itself, after it has told its result or when it comes after lookup_drop.
 * Thread-safety:  only the thread of the loop.
 * Errors:         no address: failure has the resolver's words, and found none.
 */
#ifndef APP_FETCH_LOOKUP_H
#define APP_FETCH_LOOKUP_H

#include "http/address.h"

enum { ADDRESSES_MAX = 16 };

/* In the order in which they should be tried (RFC 6724). */
struct addresses {
	unsigned count;
	struct address items[ADDRESSES_MAX];
};

struct lookup;
struct loop;
struct offload;

typedef void (*lookup_fn)(void *arg, const struct addresses *found, const char *failure);

struct lookup *lookup_start(struct offload *pool, struct loop *loop, const char *name, lookup_fn fn, void *arg);

/* NULL is none. */
void lookup_drop(struct lookup *lookup);

#endif
