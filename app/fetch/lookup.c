/* lookup.c - see lookup.h. Started by host.c. */
#include "fetch/lookup.h"

#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "task/loop.h"
#include "task/offload.h"

struct lookup {
	struct loop *loop;
	struct loop_post post;
	lookup_fn fn; /* NULL: dropped; the loop's thread only */
	void *arg;
	int failure; /* getaddrinfo's */
	struct addresses found;
	char name[];
};

static void on_done(struct loop_post *post)
{
	struct lookup *lookup = (struct lookup *)((char *)post - offsetof(struct lookup, post));
	const char *failure = lookup->failure ? gai_strerror(lookup->failure) : "it has no address of IPv4 or IPv6";

	if (lookup->fn)
		lookup->fn(lookup->arg, &lookup->found, lookup->found.count > 0 ? NULL : failure);
	free(lookup);
}

/* On a thread of the pool. */
static void look_up(void *arg)
{
	struct lookup *lookup = arg;
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;

	lookup->failure = getaddrinfo(lookup->name, NULL, &hints, &list);
	if (lookup->failure == 0) {
		for (const struct addrinfo *one = list; one && lookup->found.count < ADDRESSES_MAX; one = one->ai_next)
			lookup->found.count += address_of_socket(one->ai_addr,
								 &lookup->found.items[lookup->found.count]);
		freeaddrinfo(list);
	}
	loop_post(lookup->loop, &lookup->post);
}

struct lookup *lookup_start(struct offload *pool, struct loop *loop, const char *name, lookup_fn fn, void *arg)
{
	size_t size = sizeof(struct lookup) + strlen(name) + 1;
	struct lookup *lookup = calloc(1, size);

	if (!lookup)
		check_out_of_memory(size, "a lookup");
	lookup->loop = loop;
	lookup->post.fn = on_done;
	lookup->fn = fn;
	lookup->arg = arg;
	strcpy(lookup->name, name);
	if (offload_run(pool, look_up, lookup))
		return lookup;
	free(lookup);
	return NULL;
}

void lookup_drop(struct lookup *lookup)
{
	if (lookup)
		lookup->fn = NULL;
}
