/* lend.c - see lend.h. Between session.c, which borrows, and lane.c. One lock guards everything here; connections are dialled, closed and
 * granted without it. */
#include "back/lend.h"

#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "back/dial.h"
#include "back/lane.h"
#include "back/retry.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "task/offload.h"
#include "task/waiters.h"

enum {
	DIALS_MAX = 2,       /* at once: offload threads have other work, too */
	JITTER_PERCENT = 10, /* of a lifetime, so that connections made together do not end together */
};

#define UNLOOKED_NS CLOCK_S /* idle for less, a connection is not looked at before it is lent */

struct lent {
	struct lane lane; /* first: lanes are handed out */
	struct lent *next;
	int64_t expires_ns;
	int64_t idle_since_ns;
};

struct lend {
	const struct settings *settings;
	unsigned most; /* connections */
	struct offload *offload;
	pthread_mutex_t lock;
	struct lent *idle; /* newest first */
	struct waiters line;
	unsigned waiting, idle_count;
	unsigned open; /* with those being dialled */
	unsigned dialling;
	struct retry retry;
	atomic_bool is_stopping;
};

/* What happens under the lock, to be carried out without it. */
struct errands {
	struct waiter *to_grant; /* in a list by next */
	unsigned dials;
};

static void open_one(void *arg);

/* Life ---------------------------------------------------------------------------------------------------------------- */

struct lend *lend_new(const struct settings *settings, unsigned most, struct offload *offload)
{
	struct lend *lend = calloc(1, sizeof(*lend));

	if (!lend)
		check_out_of_memory(sizeof(*lend), "the pool of connections");
	lend->settings = settings;
	lend->most = most;
	lend->offload = offload;
	retry_init(&lend->retry, settings->db_retry_least * CLOCK_MS, settings->db_retry_most * CLOCK_MS,
		   random_bits());
	pthread_mutex_init(&lend->lock, NULL);
	return lend;
}

static void close_lent(struct lent *lent, enum metric why)
{
	metrics_add(why, 1);
	metrics_add(METRIC_DB_CONNECTIONS, -1);
	lane_drop(&lent->lane);
	free(lent);
}

void lend_free(struct lend *lend)
{
	if (!lend)
		return;
	LEAT_CHECK(!lend->line.first && lend->dialling == 0 && lend->open == lend->idle_count);
	while (lend->idle) {
		struct lent *lent = lend->idle;

		lend->idle = lent->next;
		metrics_add(METRIC_DB_LENT_OPEN, -1);
		metrics_add(METRIC_DB_LENT_IDLE, -1);
		close_lent(lent, METRIC_DB_LENT_STOP_CLOSED);
	}
	pthread_mutex_destroy(&lend->lock);
	free(lend);
}

/* Under the lock ------------------------------------------------------------------------------------------------------- */

static void count_open(struct lend *lend, int more)
{
	lend->open += (unsigned)more;
	metrics_add(METRIC_DB_LENT_OPEN, more);
}

static void count_idle(struct lend *lend, int more)
{
	lend->idle_count += (unsigned)more;
	metrics_add(METRIC_DB_LENT_IDLE, more);
}

static void push_idle(struct lend *lend, struct lent *lent)
{
	lent->idle_since_ns = clock_now_ns();
	lent->next = lend->idle;
	lend->idle = lent;
	count_idle(lend, 1);
}

static struct lent *pop_idle(struct lend *lend)
{
	struct lent *lent = lend->idle;

	if (lent) {
		lend->idle = lent->next;
		count_idle(lend, -1);
	}
	return lent;
}

/* To whoever waits longest, NULL for a refusal; false when nobody waits. */
static bool hand(struct lend *lend, struct lent *lent, struct errands *errands)
{
	struct waiter *waiter = waiters_take(&lend->line);

	if (!waiter)
		return false;
	lend->waiting--;
	waiter->item = lent;
	waiter->next = errands->to_grant;
	errands->to_grant = waiter;
	return true;
}

static void refuse_all(struct lend *lend, struct errands *errands)
{
	while (hand(lend, NULL, errands))
		;
}

/* One who waits may not stand in line yet: what was dialled for it is idle then, and it looks there before it does. */
static bool wants_more(const struct lend *lend)
{
	unsigned there = lend->idle_count + lend->dialling, idle_min = (unsigned)lend->settings->db_lent_idle_min;

	return there < (lend->waiting > 0 ? lend->waiting : idle_min);
}

/* Dials for those who wait, within the limits. */
static void plan_dials(struct lend *lend, struct errands *errands)
{
	while (wants_more(lend) && lend->open < lend->most && lend->dialling < DIALS_MAX &&
	       (lend->retry.failures == 0 || lend->dialling == 0) && retry_is_due(&lend->retry, clock_now_ns()) &&
	       !atomic_load(&lend->is_stopping)) {
		lend->dialling++;
		count_open(lend, 1);
		errands->dials++;
	}
}

/* Without the lock ------------------------------------------------------------------------------------------------------ */

static void end_dial(struct lend *lend, struct lent *lent, const char *why);

static void run_errands(struct lend *lend, struct errands *errands)
{
	while (errands->to_grant) {
		struct waiter *waiter = errands->to_grant;

		errands->to_grant = waiter->next;
		waiter_grant(waiter);
	}
	for (; errands->dials > 0; errands->dials--)
		if (!offload_run(lend->offload, open_one, lend))
			end_dial(lend, NULL, "offload_queue is full");
}

static int64_t lifetime_ns(const struct lend *lend)
{
	int64_t lifetime = lend->settings->db_lent_lifetime * CLOCK_MS;

	return lifetime - (int64_t)random_below((uint64_t)(lifetime / 100 * JITTER_PERCENT + 1));
}

static void end_dial(struct lend *lend, struct lent *lent, const char *why)
{
	struct errands errands = { 0 };
	int64_t now_ns = clock_now_ns();

	pthread_mutex_lock(&lend->lock);
	lend->dialling--;
	if (lent) {
		metrics_add(METRIC_DB_CONNECTS, 1);
		metrics_add(METRIC_DB_CONNECTIONS, 1);
		retry_succeeded(&lend->retry, now_ns);
		lent->expires_ns = now_ns + lifetime_ns(lend);
		if (!hand(lend, lent, &errands))
			push_idle(lend, lent);
	} else {
		count_open(lend, -1);
		retry_failed(&lend->retry, now_ns);
		metrics_add(METRIC_DB_CONNECT_FAILURES, 1);
		log_limited(LOG_LEVEL_WARN, "database: cannot connect: %s; next try in %" PRId64 " ms", why,
			    (lend->retry.due_ns - now_ns) / CLOCK_MS);
		if (lend->open == lend->idle_count) /* nobody will give one back */
			refuse_all(lend, &errands);
	}
	plan_dials(lend, &errands);
	pthread_mutex_unlock(&lend->lock);
	run_errands(lend, &errands);
}

/* On an offload thread. */
static void open_one(void *arg)
{
	struct lend *lend = arg;
	PGconn *connection = dial(lend->settings, DIAL_PRIMARY, &lend->is_stopping);
	struct lent *lent = NULL;
	struct dial_failure why = dial_failure(connection);

	if (dial_has_connected(connection)) {
		lent = malloc(sizeof(*lent));
		if (!lent)
			check_out_of_memory(sizeof(*lent), "a connection");
		lane_init_lent(&lent->lane, connection);
	}
	end_dial(lend, lent, why.text);
	if (!lent)
		PQfinish(connection);
}

/* Taking ------------------------------------------------------------------------------------------------------------------ */

/* A server that has gone away, or says something that nobody asked for. */
static bool is_alive(const struct lent *lent)
{
	char byte;

	if (clock_now_ns() - lent->idle_since_ns < UNLOOKED_NS)
		return true;
	return recv(PQsocket(lent->lane.connection), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static bool is_too_old(const struct lent *lent)
{
	return clock_now_ns() >= lent->expires_ns;
}

static void forget(struct lend *lend, struct lent *lent, enum metric why)
{
	struct errands errands = { 0 };

	close_lent(lent, why);
	pthread_mutex_lock(&lend->lock);
	count_open(lend, -1);
	plan_dials(lend, &errands);
	pthread_mutex_unlock(&lend->lock);
	run_errands(lend, &errands);
}

/* With the lock held; returns without it. */
static enum leat_result wait_in_line(struct lend *lend, int64_t deadline_ns, void **ret_lent)
{
	int64_t started_ns = clock_now_ns();
	int64_t limit_ns = started_ns + lend->settings->db_lent_wait * CLOCK_MS;
	struct errands errands = { 0 };
	enum leat_result result;
	unsigned open;

	if (lend->waiting >= (unsigned)lend->settings->db_lent_queue || atomic_load(&lend->is_stopping)) {
		pthread_mutex_unlock(&lend->lock);
		metrics_add(METRIC_DB_LENT_REFUSED, 1);
		return LEAT_UNAVAILABLE;
	}
	lend->waiting++;
	plan_dials(lend, &errands);
	while (errands.dials > 0) { /* the lock is not held meanwhile: look again */
		pthread_mutex_unlock(&lend->lock);
		run_errands(lend, &errands);
		pthread_mutex_lock(&lend->lock);
		*ret_lent = pop_idle(lend);
		if (*ret_lent) {
			lend->waiting--;
			pthread_mutex_unlock(&lend->lock);
			return LEAT_OK;
		}
		plan_dials(lend, &errands);
	}
	if (lend->retry.failures > 0 && lend->open == 0) { /* the server is away, and it is too soon to ask again */
		lend->waiting--;
		pthread_mutex_unlock(&lend->lock);
		metrics_add(METRIC_DB_UNAVAILABLE, 1);
		return LEAT_UNAVAILABLE;
	}
	*ret_lent = NULL;
	result = waiters_wait(&lend->line, &lend->lock, ret_lent, deadline_ns < limit_ns ? deadline_ns : limit_ns);
	metrics_observe(HISTOGRAM_DB_WAITS, clock_now_ns() - started_ns);
	if (result == LEAT_OK)
		return *ret_lent ? LEAT_OK : LEAT_UNAVAILABLE;
	pthread_mutex_lock(&lend->lock);
	lend->waiting--;
	open = lend->open;
	pthread_mutex_unlock(&lend->lock);
	if (result == LEAT_TIMED_OUT && limit_ns < deadline_ns) {
		metrics_add(METRIC_DB_LENT_LATE, 1);
		log_limited(LOG_LEVEL_WARN,
			    "database: no connection to lend within db_lent_wait = %" PRId64
			    " ms: %u of %u are open (db_lent_max, db_connections_max)",
			    lend->settings->db_lent_wait, open, lend->most);
		return LEAT_UNAVAILABLE;
	}
	return result;
}

static enum leat_result take_any(struct lend *lend, int64_t deadline_ns, struct lent **ret_lent)
{
	void *item;
	enum leat_result result = LEAT_OK;

	pthread_mutex_lock(&lend->lock);
	item = pop_idle(lend);
	if (item)
		pthread_mutex_unlock(&lend->lock);
	else
		result = wait_in_line(lend, deadline_ns, &item);
	*ret_lent = item;
	return result;
}

enum leat_result lend_take(struct lend *lend, struct lane_host *host, int64_t deadline_ns, struct lane **ret_lane)
{
	for (;;) {
		struct lent *lent;

		LEAT_TRY(take_any(lend, deadline_ns, &lent));
		if (is_too_old(lent)) {
			forget(lend, lent, METRIC_DB_LENT_LIFETIME_CLOSED);
		} else if (!is_alive(lent) || !lane_adopt(&lent->lane, host)) {
			forget(lend, lent, METRIC_DB_LENT_BAD_CLOSED);
		} else {
			*ret_lane = &lent->lane;
			return LEAT_OK;
		}
	}
}

/* Giving back --------------------------------------------------------------------------------------------------------------- */

void lend_give(struct lend *lend, struct lane *lane)
{
	struct lent *lent = (struct lent *)lane;
	struct errands errands = { 0 };
	bool is_kept;

	lane_release(lane);
	if (is_too_old(lent)) {
		forget(lend, lent, METRIC_DB_LENT_LIFETIME_CLOSED);
		return;
	}
	pthread_mutex_lock(&lend->lock);
	is_kept = hand(lend, lent, &errands);
	if (!is_kept && lend->idle_count < (unsigned)lend->settings->db_lent_idle_max &&
	    !atomic_load(&lend->is_stopping)) {
		push_idle(lend, lent);
		is_kept = true;
	}
	pthread_mutex_unlock(&lend->lock);
	run_errands(lend, &errands);
	if (!is_kept)
		forget(lend, lent, METRIC_DB_LENT_IDLE_CLOSED);
}

void lend_discard(struct lend *lend, struct lane *lane)
{
	lane_close(lane);
	forget(lend, (struct lent *)lane, METRIC_DB_LENT_BAD_CLOSED);
}

/* Upkeep ---------------------------------------------------------------------------------------------------------------------- */

static bool is_surplus(const struct lend *lend, const struct lent *lent)
{
	return is_too_old(lent) || clock_now_ns() - lent->idle_since_ns > lend->settings->db_lent_idle_time * CLOCK_MS;
}

/* The oldest ones are at the end. */
static struct lent *take_surplus(struct lend *lend)
{
	for (struct lent **at = &lend->idle; *at; at = &(*at)->next) {
		struct lent *lent = *at;

		if (is_surplus(lend, lent)) {
			*at = lent->next;
			count_idle(lend, -1);
			return lent;
		}
	}
	return NULL;
}

void lend_tick(struct lend *lend)
{
	struct errands errands = { 0 };
	struct lent *lent;

	do {
		pthread_mutex_lock(&lend->lock);
		lent = take_surplus(lend);
		if (!lent)
			plan_dials(lend, &errands);
		pthread_mutex_unlock(&lend->lock);
		if (lent)
			forget(lend, lent,
			       is_too_old(lent) ? METRIC_DB_LENT_LIFETIME_CLOSED : METRIC_DB_LENT_IDLE_TIME_CLOSED);
	} while (lent);
	run_errands(lend, &errands);
}

void lend_stop(struct lend *lend)
{
	struct errands errands = { 0 };

	atomic_store(&lend->is_stopping, true);
	pthread_mutex_lock(&lend->lock);
	refuse_all(lend, &errands);
	pthread_mutex_unlock(&lend->lock);
	run_errands(lend, &errands);
}
