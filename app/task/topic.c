/* topic.c - see topic.h. One lock guards the table, the rings and who is posted to; the seats that wait are their loop's alone.
 *
 * Those that wait stand in the order in which they came, each having read all there was then: if the first one has nothing new to read,
 * nobody behind it has. */
#include "task/topic.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "task/loop.h"
#include "task/task.h"

enum {
	BUCKETS = 1024,
	GROUP_LEAST = 4,   /* woken at once */
	GROUPS_MOST = 640, /* however many seats there are */
};

#define PAUSE_NS (500 * CLOCK_US) /* between groups */

struct topic_message {
	atomic_uint holders;
	size_t len;
	char bytes[];
};

struct topic {
	struct topic *next; /* in the bucket */
	struct topics *topics;
	struct hub *hubs;
	uint64_t published; /* messages, ever */
	uint32_t hash;
	size_t name_len;
	const char *name;             /* behind the ring */
	struct topic_message *ring[]; /* message n is at n % messages_max */
};

/* What stands in a line; the line's head too. */
struct place {
	struct place *next, *prev;
};

struct hub {
	struct topic *topic;
	struct hub *next; /* of the topic */
	struct loop *loop;
	unsigned seats;
	bool is_posted;       /* under the lock */
	bool is_dropped;      /* under the lock: no seats are left, the post frees it */
	struct place waiting; /* from here on the loop's thread only */
	struct loop_post post;
	struct loop_timer timer;
};

struct topic_seat {
	struct place place; /* first */
	struct hub *hub;
	struct task *task;
	uint64_t at; /* the message to read next */
	bool is_waiting;
};

struct topics {
	pthread_mutex_t lock;
	unsigned messages_max;
	bool is_closed;
	struct topic *buckets[BUCKETS];
};

static void *make(size_t size, const char *what)
{
	void *made = calloc(1, size);

	if (!made)
		check_out_of_memory(size, what);
	return made;
}

struct topics *topics_new(unsigned messages_max)
{
	struct topics *topics = make(sizeof(*topics), "topics");

	topics->messages_max = messages_max;
	pthread_mutex_init(&topics->lock, NULL);
	return topics;
}

void topics_free(struct topics *topics)
{
	if (!topics)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		LEAT_CHECK(!topics->buckets[i]);
	pthread_mutex_destroy(&topics->lock);
	free(topics);
}

/* Messages ---------------------------------------------------------------------------------------------------------------- */

leat_text topic_message_bytes(const struct topic_message *message)
{
	return (leat_text){ message->bytes, message->len };
}

void topic_message_release(struct topic_message *message)
{
	if (message && atomic_fetch_sub(&message->holders, 1) == 1)
		free(message);
}

/* The table, under the lock -------------------------------------------------------------------------------------------------- */

/* FNV-1a. */
static uint32_t hash_of(leat_text name)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.ptr[i]) * 16777619u;
	return hash;
}

/* Where the topic of that name hangs, or would. */
static struct topic **find(struct topics *topics, leat_text name, uint32_t hash)
{
	struct topic **at = &topics->buckets[hash % BUCKETS];

	while (*at && ((*at)->hash != hash || !leat_text_equal((leat_text){ (*at)->name, (*at)->name_len }, name)))
		at = &(*at)->next;
	return at;
}

static struct topic *find_or_add(struct topics *topics, leat_text name)
{
	uint32_t hash = hash_of(name);
	struct topic **at = find(topics, name, hash);
	size_t ring_size = topics->messages_max * sizeof((*at)->ring[0]);
	struct topic *topic = *at;
	char *copy;

	if (topic)
		return topic;
	topic = make(sizeof(*topic) + ring_size + name.len, "a topic");
	copy = (char *)topic->ring + ring_size;
	if (name.len > 0)
		memcpy(copy, name.ptr, name.len);
	topic->name = copy;
	topic->name_len = name.len;
	topic->hash = hash;
	topic->topics = topics;
	*at = topic;
	return topic;
}

static void forget(struct topic *topic)
{
	struct topics *topics = topic->topics;
	struct topic **at = find(topics, (leat_text){ topic->name, topic->name_len }, topic->hash);

	*at = topic->next;
	for (unsigned i = 0; i < topics->messages_max; i++)
		topic_message_release(topic->ring[i]);
	free(topic);
}

/* Waking, on the hub's loop ---------------------------------------------------------------------------------------------------- */

static void leave_line(struct topic_seat *seat)
{
	seat->place.prev->next = seat->place.next;
	seat->place.next->prev = seat->place.prev;
	seat->is_waiting = false;
}

static void enter_line(struct topic_seat *seat)
{
	struct place *line = &seat->hub->waiting;

	seat->place = (struct place){ .next = line, .prev = line->prev };
	line->prev->next = &seat->place;
	line->prev = &seat->place;
	seat->is_waiting = true;
}

/* A group of those for whom there is something; then, after a pause, the next. */
static void wake_some(struct hub *hub)
{
	struct topics *topics = hub->topic->topics;
	unsigned group = GROUP_LEAST + hub->seats / GROUPS_MOST;
	uint64_t published;
	bool is_closed;

	pthread_mutex_lock(&topics->lock);
	published = hub->topic->published;
	is_closed = topics->is_closed;
	pthread_mutex_unlock(&topics->lock);
	while (hub->waiting.next != &hub->waiting) {
		struct topic_seat *seat = (struct topic_seat *)hub->waiting.next;

		if (seat->at == published && !is_closed)
			return;
		if (group-- == 0) {
			loop_timer_set(hub->loop, &hub->timer, loop_now_ns(hub->loop) + PAUSE_NS);
			return;
		}
		leave_line(seat);
		task_wake(seat->task, LEAT_OK);
	}
}

static void on_timer(struct loop_timer *timer)
{
	wake_some((struct hub *)((char *)timer - offsetof(struct hub, timer)));
}

static void on_post(struct loop_post *post)
{
	struct hub *hub = (struct hub *)((char *)post - offsetof(struct hub, post));
	struct topics *topics;

	if (hub->is_dropped) { /* no longer the topic's: nobody else sees it */
		free(hub);
		return;
	}
	topics = hub->topic->topics;
	pthread_mutex_lock(&topics->lock);
	hub->is_posted = false;
	pthread_mutex_unlock(&topics->lock);
	if (hub->timer.heap_index == 0)
		wake_some(hub);
}

/* Under the lock. */
static void tell(struct hub *hub)
{
	if (hub->is_posted)
		return;
	hub->is_posted = true;
	loop_post(hub->loop, &hub->post);
}

void topic_publish(struct topics *topics, leat_text name, leat_text bytes)
{
	struct topic_message *message = make(sizeof(*message) + bytes.len, "a message");
	struct topic *topic;

	atomic_init(&message->holders, 1);
	message->len = bytes.len;
	if (bytes.len > 0)
		memcpy(message->bytes, bytes.ptr, bytes.len);
	pthread_mutex_lock(&topics->lock);
	topic = *find(topics, name, hash_of(name));
	if (topic) {
		struct topic_message **at = &topic->ring[topic->published++ % topics->messages_max];
		struct topic_message *oldest = *at;

		*at = message;
		message = oldest;
		for (struct hub *hub = topic->hubs; hub; hub = hub->next)
			tell(hub);
	}
	pthread_mutex_unlock(&topics->lock);
	topic_message_release(message); /* the one that the ring has no room for any more, or what nobody wants */
}

void topics_close(struct topics *topics)
{
	pthread_mutex_lock(&topics->lock);
	topics->is_closed = true;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct topic *topic = topics->buckets[i]; topic; topic = topic->next)
			for (struct hub *hub = topic->hubs; hub; hub = hub->next)
				tell(hub);
	pthread_mutex_unlock(&topics->lock);
}

/* Seats ------------------------------------------------------------------------------------------------------------------------ */

/* Under the lock. */
static struct hub *find_or_add_hub(struct topic *topic, struct loop *loop)
{
	struct hub *hub = topic->hubs;

	while (hub && hub->loop != loop)
		hub = hub->next;
	if (hub)
		return hub;
	hub = make(sizeof(*hub), "a topic's hub");
	hub->topic = topic;
	hub->loop = loop;
	hub->waiting = (struct place){ &hub->waiting, &hub->waiting };
	hub->post.fn = on_post;
	hub->timer.fn = on_timer;
	hub->next = topic->hubs;
	topic->hubs = hub;
	return hub;
}

struct topic_seat *topic_join(struct topics *topics, leat_text name)
{
	struct topic_seat *seat = NULL;

	pthread_mutex_lock(&topics->lock);
	if (!topics->is_closed) {
		struct topic *topic = find_or_add(topics, name);

		seat = make(sizeof(*seat), "a seat");
		seat->task = task_self();
		seat->hub = find_or_add_hub(topic, task_loop(seat->task));
		seat->hub->seats++;
		seat->at = topic->published;
	}
	pthread_mutex_unlock(&topics->lock);
	return seat;
}

/* Under the lock: the last seat has gone. True when the hub is the caller's to free. */
static bool drop_hub(struct hub *hub)
{
	struct topic *topic = hub->topic;
	struct hub **at = &topic->hubs;

	while (*at != hub)
		at = &(*at)->next;
	*at = hub->next;
	if (!topic->hubs)
		forget(topic);
	hub->is_dropped = true;
	return !hub->is_posted;
}

void topic_leave(struct topic_seat *seat)
{
	struct hub *hub = seat->hub;
	struct topics *topics = hub->topic->topics;
	bool is_over = false;

	if (seat->is_waiting)
		leave_line(seat);
	pthread_mutex_lock(&topics->lock);
	if (--hub->seats == 0) {
		loop_timer_clear(hub->loop, &hub->timer);
		is_over = drop_hub(hub);
	}
	pthread_mutex_unlock(&topics->lock);
	if (is_over)
		free(hub);
	free(seat);
}

/* LEAT_TIMED_OUT: there is nothing yet. */
static enum leat_result look(struct topic_seat *seat, struct topic_message **ret_message)
{
	struct topic *topic = seat->hub->topic;
	struct topics *topics = topic->topics;
	enum leat_result result = LEAT_TIMED_OUT;

	pthread_mutex_lock(&topics->lock);
	if (topic->published - seat->at > topics->messages_max) {
		result = LEAT_UNAVAILABLE;
	} else if (seat->at < topic->published) {
		*ret_message = topic->ring[seat->at++ % topics->messages_max];
		atomic_fetch_add(&(*ret_message)->holders, 1);
		result = LEAT_OK;
	} else if (topics->is_closed) {
		result = LEAT_NOT_FOUND;
	}
	pthread_mutex_unlock(&topics->lock);
	return result;
}

enum leat_result topic_next(struct topic_seat *seat, int64_t deadline_ns, struct topic_message **ret_message)
{
	for (;;) {
		enum leat_result result = look(seat, ret_message);

		if (result != LEAT_TIMED_OUT)
			return result;
		enter_line(seat);
		result = task_wait(deadline_ns);
		if (seat->is_waiting)
			leave_line(seat);
		if (result != LEAT_OK)
			return result;
	}
}
