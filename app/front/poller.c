/* poller.c - see poller.h. Between listen.c, which opens sockets, and connection.c. One lock guards everything here; under it
 * only short system calls that cannot block. */
#include "front/poller.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "front/connection.h"
#include "front/listen.h"

enum {
	CONNECTION_MAGIC = 0xC0881EC7,
	EVENTS_A_CALL = 32,
	ACCEPTS_A_CALL = 16,
	SLAB = 64, /* connections allocated together */
};

#define ACCEPT_PAUSE_NS (100 * CLOCK_MS)
#define LOOKOUT_NS      CLOCK_MS /* what waits longer is worth waking another worker */

struct slab {
	struct slab *next;
	struct connection connections[SLAB];
};

struct poller {
	int epoll_fd;
	pthread_mutex_t lock;
	int listeners[LISTENERS_MAX];
	unsigned listener_count;
	bool accepts; /* listeners are watched */
	atomic_bool is_draining, refuses;
	struct connection *ready_first, **ready_end;
	int64_t ready_since_ns;        /* the list was empty before */
	struct poller_member *resting; /* the one who rested last first */
	struct poller_member
		*watcher; /* looks for events, or sleeps with the shared epoll armed in its loop; NULL: nobody yet */
	struct poller_member
		*lookout;  /* rests, but sees to it every LOOKOUT_NS that the watcher does not compute; or NULL */
	unsigned progress; /* steps of the watcher */
	unsigned member_count;
	struct connection all; /* head of the ring of open connections */
	struct connection *free;
	struct slab *slabs;
	unsigned open, connections_max;
	atomic_uint active; /* requests being served */
	unsigned requests_max;
	bool is_counted;
};

static void watch_listeners(struct poller *poller, bool on)
{
	if (poller->accepts == on)
		return;
	poller->accepts = on;
	for (unsigned i = 0; i < poller->listener_count; i++) {
		/* Listeners are told from connections by their place in the table. */
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &poller->listeners[i] };

		if (epoll_ctl(poller->epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, poller->listeners[i], &event) != 0)
			log_error("front: epoll_ctl on a listening socket: %s", strerror(errno));
	}
}

static const int *as_listener(const struct poller *poller, const void *data)
{
	const int *place = data;

	return place >= poller->listeners && place < poller->listeners + LISTENERS_MAX ? place : NULL;
}

struct poller *poller_new(unsigned connections_max, unsigned requests_max, bool is_counted)
{
	struct poller *poller = calloc(1, sizeof(*poller));

	if (!poller)
		check_out_of_memory(sizeof(*poller), "the poller");
	poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (poller->epoll_fd < 0) {
		free(poller);
		return NULL;
	}
	pthread_mutex_init(&poller->lock, NULL);
	poller->connections_max = connections_max;
	poller->requests_max = requests_max;
	poller->is_counted = is_counted;
	poller->ready_end = &poller->ready_first;
	poller->all.next = poller->all.prev = &poller->all;
	return poller;
}

void poller_free(struct poller *poller)
{
	if (!poller)
		return;
	LEAT_CHECK(poller->member_count == 0);
	while (poller->all.next != &poller->all) {
		atomic_store(&poller->all.next->is_posted, false); /* to a loop that is gone */
		poller_close(poller, poller->all.next);
	}
	while (poller->slabs) {
		struct slab *slab = poller->slabs;

		poller->slabs = slab->next;
		free(slab);
	}
	close(poller->epoll_fd);
	pthread_mutex_destroy(&poller->lock);
	free(poller);
}

bool poller_listen(struct poller *poller, const int *fds, unsigned count)
{
	if (count > LISTENERS_MAX) {
		log_error("front: %u listening sockets, at most %d are possible", count, LISTENERS_MAX);
		return false;
	}
	pthread_mutex_lock(&poller->lock);
	memcpy(poller->listeners, fds, count * sizeof(*fds));
	poller->listener_count = count;
	watch_listeners(poller, true);
	pthread_mutex_unlock(&poller->lock);
	return true;
}

bool poller_is_draining(const struct poller *poller)
{
	return atomic_load_explicit(&poller->is_draining, memory_order_relaxed);
}

bool poller_refuses(const struct poller *poller)
{
	return atomic_load_explicit(&poller->refuses, memory_order_relaxed);
}

bool poller_admit(struct poller *poller)
{
	if (atomic_fetch_add_explicit(&poller->active, 1, memory_order_relaxed) < poller->requests_max)
		return true;
	poller_dismiss(poller);
	return false;
}

void poller_dismiss(struct poller *poller)
{
	atomic_fetch_sub_explicit(&poller->active, 1, memory_order_relaxed);
}

unsigned poller_connection_count(struct poller *poller)
{
	unsigned open;

	pthread_mutex_lock(&poller->lock);
	open = poller->open;
	pthread_mutex_unlock(&poller->lock);
	return open;
}

/* Connections ----------------------------------------------------------------------------------------------------- */

static void add_slab(struct poller *poller)
{
	struct slab *slab = calloc(1, sizeof(*slab));

	if (!slab)
		check_out_of_memory(sizeof(*slab), "connections");
	slab->next = poller->slabs;
	poller->slabs = slab;
	for (int i = 0; i < SLAB; i++) {
		slab->connections[i].next = poller->free;
		poller->free = &slab->connections[i];
	}
}

static void push_ready(struct poller *poller, struct connection *connection)
{
	connection->loop = NULL; /* nobody to post to until a worker takes it */
	connection->next_ready = NULL;
	if (!poller->ready_first)
		poller->ready_since_ns = clock_now_ns();
	*poller->ready_end = connection;
	poller->ready_end = &connection->next_ready;
}

static void open_connection(struct poller *poller, int fd)
{
	struct connection *connection;

	if (!poller->free)
		add_slab(poller);
	connection = poller->free;
	poller->free = connection->next;
	*connection = (struct connection){ .magic = CONNECTION_MAGIC,
					   .fd = fd,
					   .state = CONNECTION_BUSY,
					   .next = &poller->all,
					   .prev = poller->all.prev };
	poller->all.prev->next = connection;
	poller->all.prev = connection;
	poller->open++;
	if (poller->is_counted) {
		metrics_add(METRIC_CONNECTIONS_OPEN, 1);
		metrics_add(METRIC_CONNECTIONS_ACCEPTED, 1);
	}
	push_ready(poller, connection);
}

unsigned poller_take_events(struct poller *poller, struct connection *connection)
{
	unsigned events;

	pthread_mutex_lock(&poller->lock); /* connection_event runs under it: its bit and its post are one */
	atomic_store(&connection->is_posted, false);
	events = atomic_fetch_and(&connection->state, ~(unsigned)CONNECTION_READABLE);
	pthread_mutex_unlock(&poller->lock);
	return events;
}

void poller_close(struct poller *poller, struct connection *connection)
{
	LEAT_CHECK_MAGIC(connection, CONNECTION_MAGIC);
	pthread_mutex_lock(&poller->lock);
	if (atomic_load(&connection->is_posted)) {
		pthread_mutex_unlock(&poller->lock);
		return;
	}
	close(connection->fd); /* under the lock: no event of it can be on its way to another worker */
	connection->magic = 0;
	free(connection->carried);
	connection->prev->next = connection->next;
	connection->next->prev = connection->prev;
	connection->next = poller->free;
	poller->free = connection;
	poller->open--;
	pthread_mutex_unlock(&poller->lock);
	if (poller->is_counted)
		metrics_add(METRIC_CONNECTIONS_OPEN, -1);
}

bool poller_watch(struct poller *poller, struct connection *connection)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = connection };

	connection->is_watched = epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) == 0;
	return connection->is_watched;
}

/* Accepting ------------------------------------------------------------------------------------------------------- */

static void on_accept_again(struct loop_timer *timer)
{
	struct poller_member *member = (struct poller_member *)((char *)timer -
								offsetof(struct poller_member, accept_timer));
	struct poller *poller = member->poller;

	pthread_mutex_lock(&poller->lock);
	watch_listeners(poller, true);
	pthread_mutex_unlock(&poller->lock);
}

/* Descriptors or memory ran out. The kernel keeps the clients waiting; asking again at once would only burn time. */
static void pause_accepting(struct poller *poller, struct poller_member *member, int why)
{
	log_limited(LOG_LEVEL_WARN,
		    "front: accept: %s; accepting pauses for %d ms; raise the limit of open files (ulimit -n, "
		    "LimitNOFILE) or lower connections_max",
		    strerror(why), (int)(ACCEPT_PAUSE_NS / CLOCK_MS));
	metrics_add(METRIC_ACCEPT_PAUSES, 1);
	watch_listeners(poller, false);
	loop_timer_set(member->loop, &member->accept_timer, loop_now_ns(member->loop) + ACCEPT_PAUSE_NS);
}

static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_some(struct poller *poller, struct poller_member *member, int listener)
{
	for (int i = 0; i < ACCEPTS_A_CALL; i++) {
		struct sockaddr_storage peer;
		socklen_t size = sizeof(peer);
		int fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		int one = 1;

		if (fd < 0 && is_shortage(errno))
			pause_accepting(poller, member, errno);
		if (fd < 0)
			return; /* nothing there, or the client gave up meanwhile */
		if (poller->open >= poller->connections_max) {
			close(fd);
			metrics_add(METRIC_CONNECTIONS_REFUSED, 1);
			log_limited(LOG_LEVEL_WARN, "front: connection closed at once: connections_max = %u are open",
				    poller->connections_max);
			continue;
		}
		if (peer.ss_family != AF_UNIX)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		open_connection(poller, fd);
	}
}

/* The watcher sleeps, or is about to. What is armed stays so until it fires. */
static void arm(struct poller *poller)
{
	struct poller_member *member = poller->watcher;

	if (member->is_armed)
		return;
	member->is_armed = loop_watch_change(member->loop, &member->watch, EPOLLIN | EPOLLONESHOT);
	if (!member->is_armed)
		log_error("front: epoll_ctl on the shared epoll: %s", strerror(errno));
}

/* The watcher has something to do that may take long; without a lookout, one of those asleep watches. */
static void hand_on_watch(struct poller *poller)
{
	if (poller->lookout || !poller->resting)
		return;
	poller->watcher = poller->resting;
	arm(poller);
}

/* Taking work ----------------------------------------------------------------------------------------------------- */

static void look_for_events(struct poller *poller, struct poller_member *member)
{
	struct epoll_event events[EVENTS_A_CALL];
	int count = epoll_wait(poller->epoll_fd, events, EVENTS_A_CALL, 0);

	for (int i = 0; i < count; i++) {
		const int *listener = as_listener(poller, events[i].data.ptr);
		struct connection *connection = events[i].data.ptr;

		if (listener)
			accept_some(poller, member, *listener);
		else if (connection_event(connection, events[i].events))
			push_ready(poller, connection);
	}
}

static struct connection *pop_ready(struct poller *poller)
{
	struct connection *connection = poller->ready_first;

	if (connection) {
		poller->ready_first = connection->next_ready;
		if (!poller->ready_first)
			poller->ready_end = &poller->ready_first;
	}
	return connection;
}

static void on_woken(struct loop_post *post)
{
	struct poller_member *member = (struct poller_member *)((char *)post - offsetof(struct poller_member, wake));

	pthread_mutex_lock(&member->poller->lock);
	member->is_woken = false;
	pthread_mutex_unlock(&member->poller->lock);
}

/* More is ready than this worker does at once: one of those asleep takes the next. */
static void wake_another(struct poller *poller)
{
	struct poller_member *member = poller->resting;

	if (!member || member->is_woken)
		return;
	member->is_woken = true;
	loop_post(member->loop, &member->wake);
}

void poller_requeue(struct poller *poller, struct connection *connection)
{
	pthread_mutex_lock(&poller->lock);
	if (!atomic_load(&connection->is_posted)) {
		push_ready(poller, connection);
		wake_another(poller); /* this worker may be about to compute something else */
	}
	pthread_mutex_unlock(&poller->lock);
}

/* Those on the list are this worker's next, unless it takes long over one. With a lookout, who sees that, another worker is not
 * woken before they have waited. */
static void share_ready(struct poller *poller)
{
	if (!poller->ready_first)
		return;
	if (!poller->lookout || clock_now_ns() - poller->ready_since_ns > LOOKOUT_NS)
		wake_another(poller);
}

struct connection *poller_take(struct poller *poller, struct poller_member *member, bool may_look)
{
	struct connection *connection;

	pthread_mutex_lock(&poller->lock);
	if (!poller->watcher)
		poller->watcher = member;
	if (may_look && !poller->ready_first && poller->watcher == member)
		look_for_events(poller, member);
	connection = pop_ready(poller);
	if (poller->watcher == member)
		poller->progress++;
	if (connection) {
		connection->loop = member->loop;
		atomic_fetch_and(&connection->state, ~(unsigned)CONNECTION_READABLE);
		share_ready(poller);
		if (poller->watcher != member && !poller->watcher->is_resting)
			hand_on_watch(poller); /* both may compute now */
	}
	pthread_mutex_unlock(&poller->lock);
	return connection;
}

/* Resting and rising ------------------------------------------------------------------------------------------------ */

static void on_front_event(struct loop_watch *watch, uint32_t events)
{
	struct poller_member *member = (struct poller_member *)((char *)watch - offsetof(struct poller_member, watch));

	(void)events;
	member->has_events = true;
}

bool poller_join(struct poller *poller, struct poller_member *member, struct loop *loop)
{
	*member = (struct poller_member){
		.watch = { .fn = on_front_event, .fd = poller->epoll_fd },
		.accept_timer.fn = on_accept_again,
		.wake.fn = on_woken,
		.loop = loop,
		.poller = poller,
	};
	if (!loop_watch(loop, &member->watch, 0))
		return false;
	pthread_mutex_lock(&poller->lock);
	poller->member_count++;
	pthread_mutex_unlock(&poller->lock);
	return true;
}

void poller_leave(struct poller *poller, struct poller_member *member)
{
	loop_timer_clear(member->loop, &member->accept_timer);
	loop_unwatch(member->loop, &member->watch);
	pthread_mutex_lock(&poller->lock);
	LEAT_CHECK(!member->is_resting && !member->is_woken);
	if (poller->watcher == member) {
		poller->watcher = poller->resting;
		if (poller->watcher)
			arm(poller);
	}
	poller->member_count--;
	pthread_mutex_unlock(&poller->lock);
}

static void take_down_events(struct poller_member *member)
{
	if (member->has_events)
		member->is_armed = false; /* one-shot */
	member->has_events = false;
}

static void enlist(struct poller *poller, struct poller_member *member)
{
	member->is_resting = true;
	member->prev_resting = NULL;
	member->next_resting = poller->resting;
	if (poller->resting)
		poller->resting->prev_resting = member;
	poller->resting = member;
}

static void delist(struct poller *poller, struct poller_member *member)
{
	*(member->prev_resting ? &member->prev_resting->next_resting : &poller->resting) = member->next_resting;
	if (member->next_resting)
		member->next_resting->prev_resting = member->prev_resting;
	member->is_resting = false;
}

/* While the watcher is awake, and for as long as it rises again within each LOOKOUT_NS. */
static bool needs_lookout(const struct poller *poller, const struct poller_member *member)
{
	return !poller->lookout &&
	       (!poller->watcher->is_resting || (member->was_lookout && poller->progress != member->progress_seen));
}

int64_t poller_rest(struct poller *poller, struct poller_member *member)
{
	int64_t until_ns = CLOCK_NEVER;

	pthread_mutex_lock(&poller->lock);
	take_down_events(member);
	if (poller->ready_first) {
		until_ns = 0;
	} else {
		if (!poller->watcher)
			poller->watcher = member;
		enlist(poller, member);
		if (poller->watcher == member) {
			arm(poller);
		} else if (needs_lookout(poller, member)) {
			poller->lookout = member;
			until_ns = loop_now_ns(member->loop) + LOOKOUT_NS;
		}
		member->progress_seen = poller->progress;
	}
	pthread_mutex_unlock(&poller->lock);
	return until_ns;
}

void poller_rise(struct poller *poller, struct poller_member *member)
{
	bool has_work = loop_sleep_until(member->loop) == 0; /* its own tasks run first, and may compute */

	if (!member->is_resting)
		return;
	pthread_mutex_lock(&poller->lock);
	delist(poller, member);
	member->was_lookout = poller->lookout == member;
	if (member->was_lookout) {
		poller->lookout = NULL;
		if (!poller->watcher->is_resting && (has_work || poller->progress == member->progress_seen))
			poller->watcher = member; /* it computes: whoever comes meanwhile is this worker's */
	}
	if (poller->watcher == member) {
		poller->progress++;
		if (member->has_events) /* before another watcher would be woken by the same ones */
			look_for_events(poller, member);
		hand_on_watch(poller);
	}
	if (has_work && poller->ready_first)
		wake_another(poller);
	take_down_events(member);
	pthread_mutex_unlock(&poller->lock);
}

/* Draining ---------------------------------------------------------------------------------------------------------- */

void poller_drain(struct poller *poller, bool others_accept)
{
	struct connection *next;
	struct connection *parked = NULL;

	pthread_mutex_lock(&poller->lock);
	poller->is_draining = true;
	poller->refuses = !others_accept;
	if (others_accept) {
		watch_listeners(poller, false);
		poller->listener_count = 0;
	}
	for (struct connection *connection = poller->all.next; connection != &poller->all; connection = next) {
		unsigned idle = 0;

		next = connection->next;
		if (others_accept && !connection->has_served)
			continue; /* just accepted: its request is about to come */
		if (atomic_compare_exchange_strong(&connection->state, &idle, CONNECTION_BUSY)) {
			char byte;

			connection->loop = NULL; /* nobody to post to */
			if (recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
				push_ready(poller, connection); /* a request came in the last moment: it is served */
			} else {
				connection->next_ready = parked;
				parked = connection;
			}
		}
	}
	wake_another(poller);
	pthread_mutex_unlock(&poller->lock);
	while (parked) {
		struct connection *connection = parked;

		parked = connection->next_ready;
		poller_close(poller, connection);
	}
}
