/* link.c - see link.h. Called by fetcher.c, out of libcurl's callbacks. */
#include "fetch/link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/settings.h"

enum { FIRST_FDS = 256 };

struct link {
	struct loop_watch watch;
	struct links *links;
	uint32_t events;  /* watched for; 0: not watched */
	int64_t until_ns; /* its age is its end */
	int64_t idle_since_ns;
	struct link *next, *prev; /* of the idle ones, or the closed ones */
	bool is_idle;
	bool is_counted; /* as open */
};

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct link *link = (struct link *)((char *)watch - offsetof(struct link, watch));

	if (link->events)
		link->links->fn(link->links->arg, watch->fd, events);
}

/* Idle ones ------------------------------------------------------------------------------------------------------------ */

static void idle_add(struct links *links, struct link *link)
{
	link->is_idle = true;
	link->idle_since_ns = loop_now_ns(links->loop);
	link->next = NULL;
	link->prev = links->idle_last;
	*(links->idle_last ? &links->idle_last->next : &links->idle_first) = link;
	links->idle_last = link;
	links->idle_count++;
	metrics_add(METRIC_FETCH_IDLE, 1);
}

static void idle_remove(struct links *links, struct link *link)
{
	link->is_idle = false;
	*(link->prev ? &link->prev->next : &links->idle_first) = link->next;
	*(link->next ? &link->next->prev : &links->idle_last) = link->prev;
	links->idle_count--;
	metrics_add(METRIC_FETCH_IDLE, -1);
}

static void count_closed(struct link *link)
{
	if (link->is_counted)
		metrics_add(METRIC_FETCH_OPEN, -1);
	link->is_counted = false;
}

static void end(struct links *links, struct link *link, enum metric reason)
{
	idle_remove(links, link);
	count_closed(link);
	metrics_add(reason, 1);
	shutdown(link->watch.fd, SHUT_RDWR);
}

void links_tend(struct links *links, int64_t now_ns)
{
	int64_t idle_ns = links->settings->fetch_idle_time * CLOCK_MS;
	struct link *next;

	for (struct link *link = links->idle_first; link; link = next) {
		next = link->next;
		if (link->until_ns <= now_ns)
			end(links, link, METRIC_FETCH_CLOSED_LIFETIME);
		else if (link->idle_since_ns + idle_ns <= now_ns)
			end(links, link, METRIC_FETCH_CLOSED_IDLE_TIME);
	}
}

/* Not sooner: between two steps of one call libcurl may want to hear of nothing for a moment. */
static void on_turn_end(struct loop_turn *turn)
{
	struct links *links = (struct links *)((char *)turn - offsetof(struct links, turn));

	while (links->closed) {
		struct link *link = links->closed;

		links->closed = link->next;
		free(link);
	}
	while (links->idle_count > (unsigned)links->settings->fetch_idle_max)
		end(links, links->idle_first, METRIC_FETCH_CLOSED_IDLE_MAX);
}

/* Life ----------------------------------------------------------------------------------------------------------------- */

void links_init(struct links *links, struct loop *loop, const struct settings *settings, link_event_fn fn, void *arg)
{
	*links = (struct links){ .loop = loop, .settings = settings, .fn = fn, .arg = arg, .turn.fn = on_turn_end };
}

void links_fini(struct links *links)
{
	LEAT_CHECK(links->idle_count == 0);
	while (links->closed)
		on_turn_end(&links->turn);
	free(links->by_fd);
}

static void make_room(struct links *links, unsigned fd)
{
	unsigned count = links->by_fd_count ? links->by_fd_count : FIRST_FDS;

	if (fd < links->by_fd_count)
		return;
	while (count <= fd)
		count *= 2;
	links->by_fd = realloc(links->by_fd, count * sizeof(struct link *));
	if (!links->by_fd)
		check_out_of_memory(count * sizeof(struct link *), "connections to other servers");
	memset(links->by_fd + links->by_fd_count, 0, (count - links->by_fd_count) * sizeof(struct link *));
	links->by_fd_count = count;
}

void link_open(struct links *links, int fd)
{
	struct link *link = calloc(1, sizeof(*link));
	int64_t lifetime_ns = links->settings->fetch_lifetime * CLOCK_MS;

	if (!link)
		check_out_of_memory(sizeof(*link), "a connection");
	make_room(links, (unsigned)fd);
	LEAT_CHECK(!links->by_fd[fd]);
	links->by_fd[fd] = link;
	link->watch = (struct loop_watch){ .fn = on_event, .fd = fd };
	link->links = links;
	link->until_ns = clock_now_ns() + lifetime_ns - (int64_t)random_below((uint64_t)lifetime_ns / 10);
	link->is_counted = true;
	metrics_add(METRIC_FETCH_OPEN, 1);
	metrics_add(METRIC_FETCH_CONNECTS, 1);
}

static struct link *link_of(const struct links *links, int fd)
{
	LEAT_CHECK(fd >= 0 && (unsigned)fd < links->by_fd_count && links->by_fd[fd]);
	return links->by_fd[fd];
}

bool link_watch(struct links *links, int fd, uint32_t events)
{
	struct link *link = link_of(links, fd);
	uint32_t before = link->events;

	link->events = events;
	if (events && link->is_idle)
		idle_remove(links, link);
	if (events && before)
		return events == before || loop_watch_change(links->loop, &link->watch, events);
	if (events)
		return loop_watch(links->loop, &link->watch, events);
	if (before) {
		loop_unwatch(links->loop, &link->watch);
		idle_add(links, link);
		loop_at_turn_end(links->loop, &links->turn);
	}
	return true;
}

void link_close(struct links *links, int fd)
{
	struct link *link = link_of(links, fd);

	if (link->events)
		loop_unwatch(links->loop, &link->watch);
	if (link->is_idle)
		idle_remove(links, link);
	count_closed(link);
	link->events = 0;
	links->by_fd[fd] = NULL;
	link->next = links->closed;
	links->closed = link;
	loop_at_turn_end(links->loop, &links->turn);
}
