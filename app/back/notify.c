/* notify.c - see notify.h. One lock guards channels and queues; the connection is the thread's alone. */
#include "back/notify.h"

#include <inttypes.h>
#include <leat/db.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "back/db_internal.h"
#include "back/dial.h"
#include "back/retry.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "task/loop.h"
#include "task/task.h"

enum { SIGN_OF_LIFE_MS = 30000 };

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
	int wake_fd;
	bool has_thread;
	pthread_t thread;
	atomic_bool is_stopping;
	PGconn *connection; /* the thread's from here on */
	int64_t made_ns;
	struct retry retry;
};

/* Life ------------------------------------------------------------------------------------------------------------------ */

struct notify *notify_new(const struct settings *settings)
{
	struct notify *notify = calloc(1, sizeof(*notify));

	if (!notify)
		check_out_of_memory(sizeof(*notify), "the listener");
	notify->settings = settings;
	notify->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	LEAT_CHECK(notify->wake_fd >= 0);
	retry_init(&notify->retry, settings->db_retry_least * CLOCK_MS, settings->db_retry_most * CLOCK_MS,
		   (uint64_t)clock_wall_ns());
	pthread_mutex_init(&notify->lock, NULL);
	return notify;
}

static void wake_thread(struct notify *notify)
{
	uint64_t one = 1;

	LEAT_CHECK(write(notify->wake_fd, &one, sizeof(one)) == sizeof(one));
}

bool notify_stop(struct notify *notify, int64_t deadline_ns)
{
	struct timespec until = clock_wall_at(deadline_ns);

	if (!notify->has_thread)
		return true;
	atomic_store(&notify->is_stopping, true);
	wake_thread(notify);
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
	close(notify->wake_fd);
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

static void tell_behind(struct channel *channel)
{
	for (struct leat_subscription *sub = channel->subscriptions; sub; sub = sub->next) {
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

static void disconnect(struct notify *notify)
{
	if (!notify->connection)
		return;
	PQfinish(notify->connection);
	notify->connection = NULL;
	metrics_add(METRIC_DB_CONNECTIONS, -1);
	pthread_mutex_lock(&notify->lock);
	for (struct channel *channel = notify->channels; channel; channel = channel->next) {
		channel->is_listening = false;
		tell_behind(channel);
	}
	pthread_mutex_unlock(&notify->lock);
}

static void connection_failed(struct notify *notify, const char *why)
{
	int64_t now_ns = clock_now_ns();

	retry_failed(&notify->retry, now_ns);
	metrics_add(METRIC_DB_CONNECT_FAILURES, 1);
	log_limited(LOG_LEVEL_WARN, "database: cannot listen: %s; next try in %" PRId64 " ms", why,
		    (notify->retry.due_ns - now_ns) / CLOCK_MS);
	pthread_mutex_lock(&notify->lock);
	for (struct channel *channel = notify->channels; channel; channel = channel->next)
		tell_behind(channel);
	pthread_mutex_unlock(&notify->lock);
}

static void connect_now(struct notify *notify)
{
	PGconn *connection = dial(notify->settings, &notify->is_stopping);

	if (dial_has_connected(connection) && PQexitPipelineMode(connection) && PQsetnonblocking(connection, 0) == 0) {
		notify->connection = connection;
		metrics_add(METRIC_DB_CONNECTS, 1);
		metrics_add(METRIC_DB_CONNECTIONS, 1);
		notify->made_ns = clock_now_ns();
		retry_succeeded(&notify->retry, notify->made_ns);
		return;
	}
	connection_failed(notify, dial_failure(connection).text);
	PQfinish(connection);
}

static bool execute(struct notify *notify, const char *verb, const char *name)
{
	char *quoted = name ? PQescapeIdentifier(notify->connection, name, strlen(name)) : NULL;
	char *command = NULL;
	PGresult *result;
	bool is_done;

	if (asprintf(&command, "%s%s", verb, quoted ? quoted : "") < 0)
		check_out_of_memory(0, "a command");
	result = PQexec(notify->connection, command);
	is_done = PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_EMPTY_QUERY;
	if (!is_done)
		log_limited(LOG_LEVEL_WARN, "database: %s: %s", command, PQerrorMessage(notify->connection));
	PQclear(result);
	PQfreemem(quoted);
	free(command);
	return is_done;
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

static void now_listening(struct notify *notify, const char *name)
{
	struct channel *channel;

	pthread_mutex_lock(&notify->lock);
	channel = find_channel(notify, name);
	if (channel) {
		channel->is_listening = true;
		for (struct leat_subscription *sub = channel->subscriptions; sub; sub = sub->next)
			tell(sub);
	}
	pthread_mutex_unlock(&notify->lock);
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
	bool listen = false;
	char *name;

	while ((name = next_change(notify, &listen))) {
		bool is_done = execute(notify, listen ? "LISTEN " : "UNLISTEN ", name);

		if (is_done && listen)
			now_listening(notify, name);
		free(name);
		if (!is_done)
			return false;
	}
	return true;
}

static bool receive(struct notify *notify)
{
	PGnotify *notification;

	if (!PQconsumeInput(notify->connection))
		return false;
	while ((notification = PQnotifies(notify->connection))) {
		deliver(notify, notification);
		PQfreemem(notification);
	}
	return true;
}

/* How many wake-ups there were does not matter. */
static int wait_for_more(struct notify *notify, int timeout_ms)
{
	struct pollfd wait[] = { { .fd = notify->wake_fd, .events = POLLIN },
				 { .fd = notify->connection ? PQsocket(notify->connection) : -1, .events = POLLIN } };
	uint64_t count;
	int ready = poll(wait, 2, timeout_ms);

	if (ready > 0 && wait[0].revents && read(notify->wake_fd, &count, sizeof(count)) < 0)
		return ready; /* somebody took it: nobody does */
	return ready;
}

static void listen_on(struct notify *notify)
{
	bool is_alive;

	if (!make_changes(notify)) { /* a standby, for one, refuses to listen */
		disconnect(notify);
		retry_failed(&notify->retry, clock_now_ns());
		return;
	}
	is_alive = receive(notify);
	if (is_alive && wait_for_more(notify, SIGN_OF_LIFE_MS) == 0)
		is_alive = execute(notify, "", NULL);
	if (is_alive)
		return;
	log_limited(LOG_LEVEL_WARN, "database: the connection that listens is lost: %s",
		    PQerrorMessage(notify->connection));
	disconnect(notify);
	retry_lost(&notify->retry, notify->made_ns, clock_now_ns());
}

static void *run(void *arg)
{
	struct notify *notify = arg;

	while (!atomic_load(&notify->is_stopping)) {
		int64_t now_ns = clock_now_ns();

		if (!has_subscribers(notify)) {
			disconnect(notify);
			wait_for_more(notify, -1);
		} else if (notify->connection) {
			listen_on(notify);
		} else if (!retry_is_due(&notify->retry, now_ns)) {
			wait_for_more(notify, (int)((notify->retry.due_ns - now_ns) / CLOCK_MS) + 1);
		} else {
			connect_now(notify);
		}
	}
	disconnect(notify);
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
		wake_thread(notify);
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
		wake_thread(notify);
	return sub;
}

/* What there is to say of it: LEAT_NOT_FOUND is nothing yet. A message is the caller's. */
static enum leat_result look(struct leat_subscription *sub, bool is_new, struct message **ret_message)
{
	enum leat_result result = LEAT_NOT_FOUND;

	pthread_mutex_lock(&sub->notify->lock);
	if (is_new && sub->channel->is_listening) {
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
	const struct call *call = call_of(req);
	struct message *none = NULL;

	LEAT_TRY(db_may_ask(call));
	if (!call->db->notify)
		return LEAT_UNAVAILABLE;
	*ret_subscription = subscribe(call->db->notify, call->db->host.loop, channel);
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
