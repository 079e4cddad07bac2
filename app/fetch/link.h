/* link.h - the connections of a worker to other servers, as sockets: what the loop tells of them, and how long idle ones are kept.
 *
 * Use:
 *     links_init(&links, loop, settings, on_event, fetcher);
 *     link_open(&links, fd);                     -- a new socket
 *     link_watch(&links, fd, EPOLLIN);           -- libcurl wants to hear of it; 0: of nothing, it is idle
 *     link_close(&links, fd);
 *
 * libcurl keeps connections and takes them up again, but closes an idle one only when it makes another. So this does it: at
 * most fetch_idle_max are idle, none for longer than fetch_idle_time, and none is kept past fetch_lifetime (up to a tenth less, by chance, so that not all go at
 * once), after which the host's name is looked up anew. The socket is shut down, which ends the connection; libcurl then finds it dead, and
 * closes the descriptor.
 *
 * Ownership:      links own their records, libcurl the sockets.
 * Thread-safety:  only the worker that made them.
 * Errors:         link_watch is false when the socket cannot be watched.
 */
#ifndef APP_FETCH_LINK_H
#define APP_FETCH_LINK_H

#include <leat/result.h>
#include <stdbool.h>
#include <stdint.h>

#include "task/loop.h"

struct link;
struct settings;

typedef void (*link_event_fn)(void *arg, int fd, uint32_t events);

struct links {
	struct loop *loop;
	const struct settings *settings;
	link_event_fn fn;
	void *arg;
	struct link **by_fd;
	unsigned by_fd_count;
	struct link *idle_first, *idle_last; /* the one that is idle longest is first */
	unsigned idle_count;
	struct link *closed; /* whose record is freed at the end of the turn: an event of it may be on its way */
	struct loop_turn turn;
};

void links_init(struct links *links, struct loop *loop, const struct settings *settings, link_event_fn fn, void *arg);

/* When all are closed. */
void links_fini(struct links *links);

/* Ends idle ones whose time is over. */
void links_tend(struct links *links, int64_t now_ns);

void link_open(struct links *links, int fd);
bool link_watch(struct links *links, int fd, uint32_t events) LEAT_MUST_USE;
void link_close(struct links *links, int fd);

#endif
