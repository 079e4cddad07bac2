/* flight.c - see flight.h. Called by http/coalesce.c and http/coalesce_route.c.
 *
 * One lock guards the table and, of each flight, who waits and what has become of it. Those who wait stand in a line of waiters.h: a flight
 * that lands hands what it brought to all of them, each woken by a post to its own loop.
 *
 * A flight is held by its task, by each who waits or is about to, and by a cancel that is posted; the last one frees it. */
#include "task/flight.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/siphash.h"
#include "task/loop.h"
#include "task/task.h"
#include "task/waiters.h"

enum {
	BUCKETS = 1024,
	MAGIC = 0x464c5921,        /* connections have another one */
	LOCK_TRIES = 50,           /* of a millisecond each, in a signal handler */
	IMMORTAL = UINT32_MAX / 2, /* holders of what is static: never all of them let go */
};

struct flights {
	pthread_mutex_t lock;
	uint64_t secret[2];
	struct flight *buckets[BUCKETS];
};

struct flight {
	uint32_t magic; /* first, as a connection's: a task's argument is one or the other */
	struct flight *next;
	struct flights *flights;
	struct flight_key key;
	struct flight_landed *(*run)(struct flight *flight);
	const void *context;
	void *serving;
	struct crash_subject subject;
	int64_t open_until_ns; /* for newcomers */
	/* Under the lock. */
	struct waiters line;
	unsigned waiting; /* in the line, or about to be; who started it without waiting, too */
	unsigned joined;  /* ever */
	unsigned holders;
	bool is_current; /* in the table */
	bool is_over;    /* landed, or to be cancelled */
	/* Its loop's thread only. */
	struct loop *loop;
	struct task *task; /* NULL: not yet, or no more */
	bool must_not_run;
	struct loop_post cancel;
	struct loop_timer timer; /* of who started it without waiting */
	char bytes[];
};

/* The signal handler cannot allocate. */
static struct flight_landed failures[] = {
#define FAILURE(name, status, title) [LEAT_##name] = { .holders = IMMORTAL, .result = LEAT_##name },
	LEAT_RESULT_TABLE(FAILURE)
#undef FAILURE
};

static void *make(size_t size, const char *what)
{
	void *made = calloc(1, size);

	if (!made)
		check_out_of_memory(size, what);
	return made;
}

struct flights *flights_new(void)
{
	struct flights *flights = make(sizeof(*flights), "flights");

	pthread_mutex_init(&flights->lock, NULL);
	flights->secret[0] = random_bits();
	flights->secret[1] = random_bits();
	return flights;
}

void flights_free(struct flights *flights)
{
	if (!flights)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		LEAT_CHECK(!flights->buckets[i]);
	pthread_mutex_destroy(&flights->lock);
	free(flights);
}

/* What landed ------------------------------------------------------------------------------------------------------------- */

struct flight_landed *flight_landed_new(enum leat_result result, size_t len)
{
	size_t size = sizeof(struct flight_landed) + len;
	struct flight_landed *landed = malloc(size);

	if (!landed)
		check_out_of_memory(size, "what a flight brings");
	*landed = (struct flight_landed){ .holders = 1, .result = result, .len = len };
	return landed;
}

static bool is_static(const struct flight_landed *landed)
{
	return landed >= failures && landed < failures + LEAT_RESULT_COUNT;
}

void flight_landed_hold(struct flight_landed *landed)
{
	atomic_fetch_add(&landed->holders, 1);
}

void flight_landed_release(struct flight_landed *landed)
{
	if (atomic_fetch_sub(&landed->holders, 1) == 1)
		free(landed);
}

/* The table, under the lock ------------------------------------------------------------------------------------------------- */

struct flight_key flight_key(const struct flights *flights, const void *kind, leat_text bytes)
{
	return (struct flight_key){ kind, bytes, siphash(flights->secret, (uintptr_t)kind, bytes.ptr, bytes.len) };
}

bool flight_keys_equal(const struct flight_key *a, const struct flight_key *b)
{
	return a->hash == b->hash && a->kind == b->kind && leat_text_equal(a->bytes, b->bytes);
}

/* Where it hangs, or would. */
static struct flight **find(struct flights *flights, const struct flight_key *key)
{
	struct flight **at = &flights->buckets[key->hash % BUCKETS];

	while (*at && !flight_keys_equal(&(*at)->key, key))
		at = &(*at)->next;
	return at;
}

static void detach(struct flight *flight)
{
	if (!flight->is_current)
		return;
	*find(flight->flights, &flight->key) = flight->next;
	flight->is_current = false;
}

static void on_cancel(struct loop_post *post);
static void on_timer(struct loop_timer *timer);

/* Held by its task and by the one who asks. */
static struct flight *add(struct flights *flights, const struct flight_ask *ask)
{
	struct flight *flight = make(sizeof(*flight) + ask->key.bytes.len, "a flight");
	struct flight **at = find(flights, &ask->key);

	flight->magic = MAGIC;
	flight->flights = flights;
	flight->key = ask->key;
	flight->key.bytes.ptr = flight->bytes;
	if (ask->key.bytes.len > 0)
		memcpy(flight->bytes, ask->key.bytes.ptr, ask->key.bytes.len);
	flight->run = ask->run;
	flight->context = ask->context;
	flight->open_until_ns = ask->deadline_ns;
	flight->loop = task_loop(task_self());
	flight->cancel.fn = on_cancel;
	flight->timer.fn = on_timer;
	flight->waiting = flight->joined = 1;
	flight->holders = 2;
	flight->is_current = true;
	flight->subject = crash_subject_of(ask->route, ask->id);
	*at = flight;
	return flight;
}

/* The one that a newcomer may join. */
static struct flight *find_open(struct flights *flights, const struct flight_key *key)
{
	struct flight *flight = *find(flights, key);

	if (flight && flight->open_until_ns <= clock_now_ns()) {
		detach(flight);
		metrics_add(METRIC_COALESCE_OUTLIVED, 1);
		return NULL;
	}
	return flight;
}

/* The last holder's end; unlocks. */
static void let_go(struct flight *flight)
{
	bool is_last = --flight->holders == 0;

	pthread_mutex_unlock(&flight->flights->lock);
	if (is_last)
		free(flight);
}

/* Landing ------------------------------------------------------------------------------------------------------------------- */

/* Takes everybody out of the line, each with what it gets; the first of them. Under the lock. */
static struct waiter *take_all(struct flight *flight, struct flight_landed *landed)
{
	struct waiter *all = NULL, *waiter;
	unsigned count = 0;

	while ((waiter = waiters_take(&flight->line))) {
		waiter->item = landed;
		waiter->next = all;
		all = waiter;
		count++;
	}
	atomic_fetch_add(&landed->holders, count);
	flight->waiting -= count;
	flight->holders -= count;
	return all;
}

/* Under the lock; the caller unlocks, then grants. */
static struct waiter *land(struct flight *flight, struct flight_landed *landed)
{
	detach(flight);
	flight->is_over = true;
	return take_all(flight, landed);
}

/* One who waits no more. */
static void leave(struct flight *flight)
{
	bool must_cancel;

	pthread_mutex_lock(&flight->flights->lock);
	must_cancel = --flight->waiting == 0 && !flight->is_over;
	if (must_cancel) {
		detach(flight); /* first: who comes now starts afresh */
		flight->is_over = true;
		flight->holders++;
		metrics_add(METRIC_COALESCE_ABANDONED, 1);
		loop_post(flight->loop, &flight->cancel);
	}
	let_go(flight);
}

static void on_timer(struct loop_timer *timer)
{
	leave((struct flight *)((char *)timer - offsetof(struct flight, timer)));
}

/* The work's side ------------------------------------------------------------------------------------------------------------ */

static void on_cancel(struct loop_post *post)
{
	struct flight *flight = (struct flight *)((char *)post - offsetof(struct flight, cancel));

	flight->must_not_run = true;
	if (flight->task)
		task_cancel(flight->task);
	pthread_mutex_lock(&flight->flights->lock);
	let_go(flight);
}

/* Under the lock, on the loop: who started it without waiting need not look again. */
static void clear_timer(struct flight *flight)
{
	if (flight->timer.heap_index == 0)
		return;
	loop_timer_clear(flight->loop, &flight->timer);
	flight->waiting--;
	flight->holders--;
}

static void fly(void *arg)
{
	struct flight *flight = arg;
	struct flight_landed *landed = &failures[LEAT_CANCELLED];
	struct waiter *waiters;

	flight->task = task_self();
	if (!flight->must_not_run)
		landed = flight->run(flight);
	flight->task = NULL;
	pthread_mutex_lock(&flight->flights->lock);
	if (!is_static(landed))
		landed->is_shared = flight->joined > 1;
	clear_timer(flight);
	waiters = land(flight, landed);
	let_go(flight);
	waiters_grant_all(waiters);
	flight_landed_release(landed);
}

const struct flight_key *flight_key_of(const struct flight *flight)
{
	return &flight->key;
}

const void *flight_context(const struct flight *flight)
{
	return flight->context;
}

leat_text flight_id(const struct flight *flight)
{
	return (leat_text){ flight->subject.id, flight->subject.id_len };
}

void flight_serve(struct flight *flight, void *serving)
{
	flight->serving = serving;
}

/* The side of those who ask --------------------------------------------------------------------------------------------------- */

/* Without the lock. False: no task could be started, and whoever has joined meanwhile is told so. */
static bool take_off(struct flight *flight)
{
	struct waiter *waiters;

	if (task_start(flight->loop, fly, flight))
		return true;
	pthread_mutex_lock(&flight->flights->lock);
	waiters = land(flight, &failures[LEAT_UNAVAILABLE]);
	flight->holders--; /* for the task that there is not */
	let_go(flight);
	waiters_grant_all(waiters);
	return false;
}

/* With the lock held, returns without it. */
static enum leat_result wait_for(struct flight *flight, int64_t deadline_ns, struct flight_landed **ret_landed)
{
	void *item = NULL;
	enum leat_result result = waiters_wait(&flight->line, &flight->flights->lock, &item, deadline_ns);

	if (result != LEAT_OK) {
		leave(flight);
		return result;
	}
	*ret_landed = item;
	return LEAT_OK;
}

static enum leat_result begin(struct flights *flights, const struct flight_ask *ask, struct flight_landed **ret_landed)
{
	struct flight *flight = add(flights, ask);

	pthread_mutex_unlock(&flights->lock);
	metrics_add(METRIC_COALESCE_STARTED, 1);
	if (!take_off(flight))
		return LEAT_UNAVAILABLE;
	pthread_mutex_lock(&flights->lock);
	return wait_for(flight, ask->deadline_ns, ret_landed);
}

enum leat_result flight_await(struct flights *flights, const struct flight_ask *ask, struct flight_landed **ret_landed)
{
	struct flight *flight;

	pthread_mutex_lock(&flights->lock);
	flight = find_open(flights, &ask->key);
	if (!flight)
		return begin(flights, ask, ret_landed);
	flight->waiting++;
	flight->joined++;
	flight->holders++;
	metrics_add(METRIC_COALESCE_JOINED, 1);
	return wait_for(flight, ask->deadline_ns, ret_landed);
}

void flight_start(struct flights *flights, const struct flight_ask *ask)
{
	struct flight *flight;

	pthread_mutex_lock(&flights->lock);
	if (find_open(flights, &ask->key)) {
		pthread_mutex_unlock(&flights->lock);
		return;
	}
	flight = add(flights, ask);
	pthread_mutex_unlock(&flights->lock);
	metrics_add(METRIC_COALESCE_STARTED, 1);
	if (take_off(flight))
		loop_timer_set(flight->loop, &flight->timer, ask->deadline_ns);
}

void flight_forget(struct flights *flights, const struct flight_key *key)
{
	struct flight *flight;

	pthread_mutex_lock(&flights->lock);
	flight = *find(flights, key);
	if (flight)
		detach(flight);
	pthread_mutex_unlock(&flights->lock);
}

/* Crashes ----------------------------------------------------------------------------------------------------------------------- */

struct flight *flight_of_task(void *arg)
{
	return *(const uint32_t *)arg == MAGIC ? arg : NULL;
}

bool flight_describe(const struct flight *flight, struct crash_subject *ret_subject)
{
	*ret_subject = flight->subject;
	return true;
}

/* Posts are an exchange and a write. The lock is held by others for moments, by the work itself never; if it cannot be had all the same, those who
 * wait do so until their deadlines. */
void flight_fail(struct flight *flight, enum leat_result result)
{
	const struct timespec moment = { .tv_nsec = CLOCK_MS };
	struct waiter *waiters;

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (pthread_mutex_trylock(&flight->flights->lock) == 0) {
			waiters = land(flight, &failures[result]); /* its task holds it for good */
			pthread_mutex_unlock(&flight->flights->lock);
			waiters_grant_all(waiters);
			return;
		}
		nanosleep(&moment, NULL);
	}
}

void *flight_serving(const struct flight *flight)
{
	return flight->serving;
}
