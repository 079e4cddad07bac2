/* notify.c - see notify.h. One lock guards channels and queues; the connection (listener.c) is the thread's alone. */
#include "back/notify.h"

#include <leat/db.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "back/db_internal.h"
#include "back/listener.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "task/loop.h"
#include "task/task.h"

struct message {
	struct message *next;
	size_t len;
	char payload[];
};

struct leat_subscription {
	struct notify *notify;
	struct channel *channel;
	struct leat_subscription *next; /* of the channel */
	struct loop *loop;
	struct task *waiter; /* the task's thread only */
	struct loop_post post;
	struct message *first, **end;
	unsigned count;
	bool has_begun; /* its task knows that it listens */
	bool is_behind; /* notifications were missed, or the connection could not be made */
	bool is_posted;
	bool is_dropped;
};

struct channel {
	struct channel *next;
	struct leat_subscription *subscriptions; /* none: it is to be forgotten */
	bool is_listening;
	char name[];
};

struct notify {
	const struct settings *settings;
	pthread_mutex_t lock;
	struct channel *channels;
	bool has_thread;
	pthread_t thread;
	struct listener listener; /* the thread's */
};

/* Life ------------------------------------------------------------------------------------------------------------------ */

struct notify *notify_new(const struct settings *settings)
{
	struct notify *notify = calloc(1, sizeof(*notify));

	if (!notify)
		check_out_of_memory(sizeof(*notify), "the listener");
	notify->settings = settings;
	listener_init(&notify->listener, settings);
	pthread_mutex_init(&notify->lock, NULL);
	return notify;
}

bool notify_stop(struct notify *notify, int64_t deadline_ns)
{
	struct timespec until = clock_wall_at(deadline_ns);

	if (!notify->has_thread)
		return true;
	listener_stop(&notify->listener);
	return pthread_timedjoin_np(notify->thread, NULL, &until) == 0;
}

void notify_free(struct notify *notify)
{
	if (!notify)
		return;
	while (notify->channels) {
		struct channel *channel = notify->channels;

		LEAT_CHECK(!channel->subscriptions);
		notify->channels = channel->next;
		free(channel);
	}
	listener_fini(&notify->listener);
	pthread_mutex_destroy(&notify->lock);
	free(notify);
}

/* Delivering, under the lock ---------------------------------------------------------------------------------------------- */

static void tell(struct leat_subscription *sub)
{
	if (sub->is_posted)
		return;
	sub->is_posted = true;
	loop_post(sub->loop, &sub->post);
}

/* Those who have begun to listen, or those who have not. */
static void tell_behind(struct channel *channel, bool has_begun)
{
	for (struct leat_subscription *sub = channel->subscriptions; sub; sub = sub->next) {
		if (sub->has_begun != has_begun)
			continue;
		sub->is_behind = true;
		tell(sub);
	}
}

static void enqueue(struct leat_subscription *sub, const char *payload)
{
	size_t len = strlen(payload);
	struct message *message;

	if (sub->count >= sub->notify->settings->db_notify_queue) {
		metrics_add(METRIC_DB_NOTIFICATIONS_LOST, 1);
		sub->is_behind = true;
		return;
	}
	message = malloc(sizeof(*message) + len);
	if (!message)
		check_out_of_memory(sizeof(*message) + len, "a notification");
	message->next = NULL;
	message->len = len;
	memcpy(message->payload, payload, len);
	*sub->end = message;
	sub->end = &message->next;
	sub->count++;
	tell(sub);
}

static struct channel *find_channel(const struct notify *notify, const char *name)
{
	struct channel *channel = notify->channels;

	while (channel && strcmp(channel->name, name) != 0)
		channel = channel->next;
	return channel;
}

static void deliver(struct notify *notify, const PGnotify *notification)
{
	struct channel *channel;

	metrics_add(METRIC_DB_NOTIFICATIONS, 1);
	pthread_mutex_lock(&notify->lock);
	channel = find_channel(notify, notification->relname);
	for (struct leat_subscription *sub = channel ? channel->subscriptions : NULL; sub; sub = sub->next)
		enqueue(sub, notification->extra);
	pthread_mutex_unlock(&notify->lock);
}

/* The thread ---------------------------------------------------------------------------------------------------------------- */

/* Those who have not begun are told that they cannot. */
static void cannot_listen(struct notify *notify)
{
	pthread_mutex_lock(&notify->lock);
	for (struct channel *channel = notify->channels; channel; channel = channel->next)
		tell_behind(channel, false);
	pthread_mutex_unlock(&notify->lock);
}

static void stopped_listening(struct notify *notify)
{
	pthread_mutex_lock(&notify->lock);
	for (struct channel *channel = notify->channels; channel; channel = channel->next) {
		channel->is_listening = false;
		tell_behind(channel, true);
		tell_behind(channel, false);
	}
	pthread_mutex_unlock(&notify->lock);
}

/* Those who listened before have missed what was said since the connection was lost, and may have looked around too early. */
static void now_listening(struct notify *notify, const char *name)
{
	struct channel *channel;

	pthread_mutex_lock(&notify->lock);
	channel = find_channel(notify, name);
	if (channel) {
		channel->is_listening = true;
		tell_behind(channel, true);
		for (struct leat_subscription *sub = channel->subscriptions; sub; sub = sub->next)
			tell(sub);
	}
	pthread_mutex_unlock(&notify->lock);
}

/* The next channel that is to be listened to, or no longer: its name copied, since the lock is not held while the server is asked. NULL:
 * all is as it should be. */
static char *next_change(struct notify *notify, bool *ret_listen)
{
	char *name = NULL;

	pthread_mutex_lock(&notify->lock);
	for (struct channel **at = &notify->channels; *at && !name;) {
		struct channel *channel = *at;

		if (channel->subscriptions && !channel->is_listening) {
			name = strdup(channel->name);
			*ret_listen = true;
		} else if (!channel->subscriptions) {
			name = channel->is_listening ? strdup(channel->name) : NULL;
			*ret_listen = false;
			*at = channel->next;
			free(channel);
			continue;
		}
		at = &channel->next;
	}
	pthread_mutex_unlock(&notify->lock);
	return name;
}

static bool has_subscribers(struct notify *notify)
{
	bool has_any = false;

	pthread_mutex_lock(&notify->lock);
	for (struct channel *channel = notify->channels; channel && !has_any; channel = channel->next)
		has_any = channel->subscriptions != NULL;
	pthread_mutex_unlock(&notify->lock);
	return has_any;
}

static bool make_changes(struct notify *notify)
{
	bool listen = false, is_done = true;
	char *name;

	while (is_done && (name = next_change(notify, &listen))) {
		is_done = listener_do(&notify->listener, listen ? "LISTEN" : "UNLISTEN", name);
		if (is_done && listen)
			now_listening(notify, name);
		free(name);
	}
	return is_done;
}

static void deliver_all(struct notify *notify)
{
	PGnotify *notification;

	while ((notification = listener_next(&notify->listener))) {
		deliver(notify, notification);
		PQfreemem(notification);
	}
}

static void listen_on(struct notify *notify)
{
	bool goes_on = make_changes(notify);

	if (goes_on) {
		deliver_all(notify);
		goes_on = listener_wait(&notify->listener);
	}
	if (!goes_on)
		stopped_listening(notify);
}

static void stop_listening(struct notify *notify)
{
	listener_disconnect(&notify->listener);
	stopped_listening(notify);
}

static void *run(void *arg)
{
	struct notify *notify = arg;
	struct listener *listener = &notify->listener;

	while (!atomic_load(&listener->is_stopping)) {
		if (!has_subscribers(notify)) {
			stop_listening(notify);
			listener_rest(listener, false);
		} else if (listener->connection) {
			listen_on(notify);
		} else if (!listener_is_due(listener)) {
			listener_rest(listener, true);
		} else if (!listener_connect(listener)) {
			cannot_listen(notify);
		}
	}
	stop_listening(notify);
	return NULL;
}

/* Subscriptions ---------------------------------------------------------------------------------------------------------------- */

static bool start_thread(struct notify *notify)
{
	sigset_t all, before;

	if (notify->has_thread)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	notify->has_thread = pthread_create(&notify->thread, NULL, run, notify) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return notify->has_thread;
}

static void free_subscription(struct leat_subscription *sub)
{
	while (sub->first) {
		struct message *message = sub->first;

		sub->first = message->next;
		free(message);
	}
	free(sub);
}

static void on_post(struct loop_post *post)
{
	struct leat_subscription *sub = (struct leat_subscription *)((char *)post -
								     offsetof(struct leat_subscription, post));
	bool is_dropped;

	pthread_mutex_lock(&sub->notify->lock);
	sub->is_posted = false;
	is_dropped = sub->is_dropped;
	pthread_mutex_unlock(&sub->notify->lock);
	if (is_dropped)
		free_subscription(sub);
	else if (sub->waiter)
		task_wake(sub->waiter, LEAT_OK);
}

/* At the end of the request. */
static void unsubscribe(void *arg)
{
	struct leat_subscription *sub = arg;
	struct notify *notify = sub->notify;
	struct leat_subscription **at = &sub->channel->subscriptions;
	bool is_posted, is_last;

	pthread_mutex_lock(&notify->lock);
	while (*at != sub)
		at = &(*at)->next;
	*at = sub->next;
	is_last = !sub->channel->subscriptions;
	is_posted = sub->is_posted;
	sub->is_dropped = true;
	pthread_mutex_unlock(&notify->lock);
	if (is_last)
		listener_wake(&notify->listener);
	if (!is_posted)
		free_subscription(sub);
}

static struct channel *add_channel(struct notify *notify, const char *name)
{
	size_t len = strlen(name);
	struct channel *channel = calloc(1, sizeof(*channel) + len + 1);

	if (!channel)
		check_out_of_memory(sizeof(*channel) + len, "a channel");
	memcpy(channel->name, name, len);
	channel->next = notify->channels;
	notify->channels = channel;
	return channel;
}

static struct leat_subscription *subscribe(struct notify *notify, struct loop *loop, const char *name)
{
	struct leat_subscription *sub = calloc(1, sizeof(*sub));
	bool has_thread;

	if (!sub)
		check_out_of_memory(sizeof(*sub), "a subscription");
	*sub = (struct leat_subscription){ .notify = notify, .loop = loop, .post.fn = on_post, .end = &sub->first };
	pthread_mutex_lock(&notify->lock);
	has_thread = start_thread(notify);
	sub->channel = find_channel(notify, name);
	if (!sub->channel)
		sub->channel = add_channel(notify, name);
	sub->next = sub->channel->subscriptions;
	sub->channel->subscriptions = sub;
	sub->is_behind = !has_thread;
	pthread_mutex_unlock(&notify->lock);
	if (has_thread)
		listener_wake(&notify->listener);
	return sub;
}

/* What there is to say of it: LEAT_NOT_FOUND is nothing yet. A message is the caller's. */
static enum leat_result look(struct leat_subscription *sub, bool is_new, struct message **ret_message)
{
	enum leat_result result = LEAT_NOT_FOUND;

	pthread_mutex_lock(&sub->notify->lock);
	if (is_new && sub->channel->is_listening) {
		sub->has_begun = true;
		result = LEAT_OK;
	} else if (!is_new && sub->first) {
		*ret_message = sub->first;
		sub->first = sub->first->next;
		if (!sub->first)
			sub->end = &sub->first;
		sub->count--;
		result = LEAT_OK;
	} else if (sub->is_behind) {
		sub->is_behind = false;
		result = LEAT_UNAVAILABLE;
	}
	pthread_mutex_unlock(&sub->notify->lock);
	return result;
}

static enum leat_result wait_for(struct leat_request *req, struct leat_subscription *sub, bool is_new,
				 struct message **ret_message)
{
	for (;;) {
		enum leat_result result = look(sub, is_new, ret_message);

		if (result != LEAT_NOT_FOUND)
			return result;
		sub->waiter = task_self();
		result = task_wait(call_of(req)->deadline_ns);
		sub->waiter = NULL;
		if (result != LEAT_OK)
			return result;
	}
}

enum leat_result leat_db_listen(struct leat_request *req, const char *channel,
				struct leat_subscription **ret_subscription)
{
	struct call *call = call_of(req);
	struct message *none = NULL;

	LEAT_TRY(db_may_ask(call));
	call->reads_primary = true;
	if (!call->db->notify)
		return LEAT_UNAVAILABLE;
	*ret_subscription = subscribe(call->db->notify, call->db->primary.host.loop, channel);
	arena_on_reset(call->arena, unsubscribe, *ret_subscription);
	return wait_for(req, *ret_subscription, true, &none);
}

enum leat_result leat_db_notified(struct leat_request *req, struct leat_subscription *subscription,
				  leat_text *ret_payload)
{
	struct arena *arena = call_of(req)->arena;
	struct message *message = NULL;
	char *text;

	LEAT_TRY(wait_for(req, subscription, false, &message));
	text = arena_alloc(arena, message->len + 1);
	memcpy(text, message->payload, message->len);
	text[message->len] = '\0';
	*ret_payload = (leat_text){ text, message->len };
	free(message);
	return LEAT_OK;
}
