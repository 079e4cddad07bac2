/* semaphores.c - see semaphores.h and leat/semaphore.h. task/semaphore.c does the waiting. */
#include "guard/semaphores.h"

#include <inttypes.h>
#include <leat/request.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/shared.h"
#include "task/held.h"
#include "task/semaphore.h"
#include "task/task.h"

enum { QUEUE = 256, MOST = 1000000, WAIT_MOST_MS = 3600000 };

struct live {
	struct semaphore semaphore;
	struct semaphore_stats *stats; /* of all processes */
};

struct taken {
	struct held held;
	const struct leat_semaphore *semaphore;
	unsigned places;
};

static const struct leat_semaphore *const *listed;
static unsigned listed_count;

/* The list ------------------------------------------------------------------------------------------------------------- */

void leat_semaphores_list_(const struct leat_semaphore *const *first, const struct leat_semaphore *const *end)
{
	listed = first;
	listed_count = (unsigned)(end - first);
}

const struct leat_semaphore *semaphore_at(unsigned index)
{
	return index < listed_count ? listed[index] : NULL;
}

static const char *fault_of(unsigned index)
{
	const struct leat_semaphore *semaphore = listed[index];

	for (unsigned i = 0; i < index; i++)
		if (strcmp(listed[i]->name, semaphore->name) == 0)
			return "there are two of this name";
	if (semaphore->places < 1 || semaphore->places > MOST)
		return "places are from 1 to 1000000";
	if (semaphore->queue > MOST)
		return "queue is up to 1000000";
	if (semaphore->wait_ms < 0 || semaphore->wait_ms > WAIT_MOST_MS)
		return "wait_ms is up to an hour";
	return NULL;
}

const char *semaphores_fault(void)
{
	static char sentence[256];

	for (unsigned i = 0; i < listed_count; i++)
		if (fault_of(i)) {
			snprintf(sentence, sizeof(sentence), "semaphore '%.60s': %s", listed[i]->name, fault_of(i));
			return sentence;
		}
	return NULL;
}

static unsigned queue_of(const struct leat_semaphore *semaphore)
{
	return semaphore->queue ? semaphore->queue : QUEUE;
}

void semaphores_create(void)
{
	size_t size = listed_count * sizeof(struct semaphore_stats);
	struct live *lives = calloc(listed_count + 1, sizeof(*lives));
	struct semaphore_stats *stats = shared_memory(size, "semaphores");

	if (!lives)
		check_out_of_memory(size, "semaphores");
	for (unsigned i = 0; i < listed_count; i++) {
		semaphore_init(&lives[i].semaphore, listed[i]->places, queue_of(listed[i]));
		lives[i].stats = &stats[i];
		listed[i]->place->live = &lives[i];
	}
	if (listed_count == 0)
		free(lives);
}

static struct live *live_of(const struct leat_semaphore *semaphore)
{
	LEAT_CHECK(semaphore->place && semaphore->place->live);
	return semaphore->place->live;
}

static void count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

void semaphore_stats(const struct leat_semaphore *semaphore, struct semaphore_stats *ret_sums)
{
	const struct semaphore_stats *stats = live_of(semaphore)->stats;

	*ret_sums = (struct semaphore_stats){
		.at_once = __atomic_load_n(&stats->at_once, __ATOMIC_RELAXED),
		.waited = __atomic_load_n(&stats->waited, __ATOMIC_RELAXED),
		.refused_queue = __atomic_load_n(&stats->refused_queue, __ATOMIC_RELAXED),
		.refused_wait = __atomic_load_n(&stats->refused_wait, __ATOMIC_RELAXED),
		.timed_out = __atomic_load_n(&stats->timed_out, __ATOMIC_RELAXED),
		.cancelled = __atomic_load_n(&stats->cancelled, __ATOMIC_RELAXED),
	};
}

/* Requests ------------------------------------------------------------------------------------------------------------- */

static void let_go(struct held *held, enum leat_result result)
{
	const struct taken *taken = (const struct taken *)held;

	(void)result;
	metrics_add(METRIC_SEMAPHORE_TAKEN, -(int64_t)taken->places);
	semaphore_give(&live_of(taken->semaphore)->semaphore, taken->places);
}

static void hold(struct call *call, const struct leat_semaphore *semaphore, unsigned places)
{
	struct taken *taken = arena_alloc(call->arena, sizeof(*taken));

	*taken = (struct taken){ .held.let_go = let_go, .semaphore = semaphore, .places = places };
	held_add(call, &taken->held);
	metrics_add(METRIC_SEMAPHORE_TAKEN, places);
}

static int64_t wait_end(const struct call *call, const struct leat_semaphore *semaphore, int64_t now_ns)
{
	int64_t until_ns = semaphore->wait_ms ? now_ns + semaphore->wait_ms * CLOCK_MS : CLOCK_NEVER;

	return until_ns < call->deadline_ns ? until_ns : call->deadline_ns;
}

static enum leat_result wait_for(struct call *call, const struct leat_semaphore *semaphore, unsigned places)
{
	int64_t now_ns = clock_now_ns();
	enum leat_result result;

	metrics_add(METRIC_SEMAPHORE_WAITING, 1);
	result = semaphore_take(&live_of(semaphore)->semaphore, places, wait_end(call, semaphore, now_ns));
	metrics_add(METRIC_SEMAPHORE_WAITING, -1);
	if (result != LEAT_UNAVAILABLE)
		metrics_observe(HISTOGRAM_SEMAPHORE_WAITS, clock_now_ns() - now_ns);
	return result;
}

/* Counts it, and finds words for what is a limit of the semaphore's own. */
static enum leat_result explain(struct leat_request *req, const struct leat_semaphore *semaphore,
				enum leat_result result)
{
	struct semaphore_stats *stats = live_of(semaphore)->stats;

	if (result == LEAT_TIMED_OUT && clock_now_ns() < call_of(req)->deadline_ns) {
		count(&stats->refused_wait);
		return leat_fail(req, LEAT_UNAVAILABLE, "Semaphore '%s': no place within %" PRId64 " ms (wait_ms).",
				 semaphore->name, semaphore->wait_ms);
	}
	if (result == LEAT_UNAVAILABLE) {
		count(&stats->refused_queue);
		return leat_fail(req, LEAT_UNAVAILABLE, "Semaphore '%s': %u wait already (queue).", semaphore->name,
				 queue_of(semaphore));
	}
	count(result == LEAT_OK ? &stats->waited : result == LEAT_TIMED_OUT ? &stats->timed_out : &stats->cancelled);
	return result;
}

enum leat_result leat_semaphore_take(struct leat_request *req, const struct leat_semaphore *semaphore, unsigned places)
{
	struct live *live = live_of(semaphore);
	struct call *call = call_of(req);
	enum leat_result result = LEAT_OK;

	if (places < 1 || places > semaphore->places) {
		log_limited(LOG_LEVEL_ERROR, "bug: route %s: %u places of the semaphore %s, which has %u",
			    call->route ? call->route : "none", places, semaphore->name, semaphore->places);
		return LEAT_INTERNAL;
	}
	if (task_is_cancelled(task_self()))
		result = explain(req, semaphore, LEAT_CANCELLED);
	else if (clock_now_ns() >= call->deadline_ns)
		result = explain(req, semaphore, LEAT_TIMED_OUT);
	else if (semaphore_try(&live->semaphore, places))
		count(&live->stats->at_once);
	else
		result = explain(req, semaphore, wait_for(call, semaphore, places));
	if (result == LEAT_OK)
		hold(call, semaphore, places);
	return result;
}

void leat_semaphore_give(struct leat_request *req, const struct leat_semaphore *semaphore)
{
	struct call *call = call_of(req);
	struct held *held = call->held;

	while (held && (held->let_go != let_go || ((struct taken *)held)->semaphore != semaphore))
		held = held->next;
	LEAT_CHECK(held);
	held_remove(call, held);
	let_go(held, LEAT_OK);
}

enum leat_result leat_semaphore_before_(struct leat_request *req, const void *options)
{
	return leat_semaphore_take(req, options, 1);
}
