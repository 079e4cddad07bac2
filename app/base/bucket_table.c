/* bucket_table.c - see bucket_table.h. Used by http/rate.c.
 *
 * A set has eight places, each a tag (the key; 0: none) and a state; a key has one set. Whose tag is there takes tokens by a
 * compare-and-swap of the state, without a lock: the common case, and a key that many hammer is always there.
 *
 * A tag is written only by whoever holds the lock of the set, so no key is ever twice in it. The lock is a robust mutex: when its
 * holder dies, the kernel gives it to the next one. Nothing is ever half done then, for a place changes hands in three writes:
 *
 *     state = TAKEN        whoever finds it, wants the lock
 *     tag = the new key
 *     state = its state
 *
 * and a state that is TAKEN under the lock is what somebody has left who died: a free place. What he had not finished was never granted.
 *
 * Without the lock the tag is read again behind the state, so that a state belongs to the key; should the place change hands after that, the state is another and the swap
 * fails. (Were it the same by chance, the new key would pay for one request of the one that is forgotten.)
 *
 * Rejected: one swap of 16 bytes for tag and state (no lock in the way of an eviction, but two that enter a key at the same time into two places
 * give it two buckets); places without tags, several keys sharing a bucket by chance (no lock at all, but some who ask for little are
 * refused because of somebody who asks for a lot). */
#include "base/bucket_table.h"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/shared.h"
#include "base/siphash.h"

enum { PLACES = 8, LOCKS = 64, NOWHERE = PLACES };

#define TAKEN UINT64_MAX /* no time of a bucket, for nine years */

struct bucket_set {
	uint64_t tags[PLACES]; /* a cache line */
	uint64_t states[PLACES];
} __attribute__((aligned(64)));

struct bucket_lock {
	pthread_mutex_t mutex;
} __attribute__((aligned(64)));

static struct bucket_lock *locks;
static struct bucket_set *sets;
static uint64_t set_mask;
static uint64_t secret[2];
static int64_t epoch_ns; /* when the table was made: a second */

/* Making ------------------------------------------------------------------------------------------------------------- */

static void make_locks(void)
{
	pthread_mutexattr_t shared;

	pthread_mutexattr_init(&shared);
	LEAT_CHECK(pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED) == 0);
	LEAT_CHECK(pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST) == 0);
	for (unsigned i = 0; i < LOCKS; i++)
		LEAT_CHECK(pthread_mutex_init(&locks[i].mutex, &shared) == 0);
	pthread_mutexattr_destroy(&shared);
}

void bucket_table_create(uint32_t keys)
{
	size_t count = 1, size;

	while (count * PLACES < keys)
		count *= 2;
	size = LOCKS * sizeof(*locks) + count * sizeof(*sets);
	locks = shared_memory(size, "token buckets (setting rate_keys)");
	sets = (struct bucket_set *)(locks + LOCKS);
	set_mask = count - 1;
	epoch_ns = clock_now_ns() - CLOCK_S;
	LEAT_CHECK(getrandom(secret, sizeof(secret), 0) == sizeof(secret));
	make_locks();
}

uint64_t bucket_table_key(const void *scope, uint64_t before, const void *bytes, size_t size)
{
	uint64_t key = siphash(secret, before ^ (uintptr_t)scope, bytes, size);

	return key ? key : 1;
}

/* Where it is --------------------------------------------------------------------------------------------------------- */

static struct bucket_set *set_of(uint64_t key)
{
	LEAT_CHECK(sets);
	return &sets[key & set_mask];
}

static unsigned find(const struct bucket_set *set, uint64_t key)
{
	unsigned place = 0;

	while (place < PLACES && __atomic_load_n(&set->tags[place], __ATOMIC_ACQUIRE) != key)
		place++;
	return place;
}

/* False: it is not this key's, or not yet. */
static bool read_state(const struct bucket_set *set, unsigned place, uint64_t key, uint64_t *ret_state)
{
	*ret_state = __atomic_load_n(&set->states[place], __ATOMIC_ACQUIRE);
	return *ret_state != TAKEN && __atomic_load_n(&set->tags[place], __ATOMIC_ACQUIRE) == key;
}

static bool swap_state(struct bucket_set *set, unsigned place, uint64_t *state, uint64_t next)
{
	return __atomic_compare_exchange_n(&set->states[place], state, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static pthread_mutex_t *lock(uint64_t key)
{
	pthread_mutex_t *mutex = &locks[key & set_mask & (LOCKS - 1)].mutex;
	int error = pthread_mutex_lock(mutex);

	if (error == EOWNERDEAD)
		error = pthread_mutex_consistent(mutex);
	LEAT_CHECK(error == 0);
	return mutex;
}

/* Taking -------------------------------------------------------------------------------------------------------------- */

struct question {
	const struct bucket_limit *limit;
	uint64_t key;
	int64_t now_ns; /* of the table */
	uint32_t count;
	int64_t most_ns;
	struct bucket_grant grant;
	uint64_t state; /* what it is then */
	bool is_granted;
};

static void ask(struct question *question, uint64_t state)
{
	question->state = state;
	question->is_granted = bucket_take(question->limit, &question->state, question->now_ns, question->count,
					   question->most_ns, &question->grant);
}

/* False: the place is not the key's any more. */
static bool ask_at(struct question *question, struct bucket_set *set, unsigned place)
{
	uint64_t state;

	do {
		if (!read_state(set, place, question->key, &state))
			return false;
		ask(question, state);
	} while (question->state != state && !swap_state(set, place, &state, question->state));
	return true;
}

/* The time from which a place is free; a time that has passed: now. */
static int64_t free_from(const struct bucket_set *set, unsigned place, uint64_t *ret_state)
{
	*ret_state = __atomic_load_n(&set->states[place], __ATOMIC_ACQUIRE);
	return *ret_state == TAKEN ? 0 : bucket_full_ns(*ret_state);
}

/* Not under the lock: writing to the log may take its time. */
static void tell_of_forgotten(void)
{
	metrics_add(METRIC_RATE_FORGOTTEN, 1);
	log_limited(LOG_LEVEL_WARN, "more keys are limited at once than there is room for; some are forgotten too soon "
				    "(setting rate_keys)");
}

/* Under the lock. The place is TAKEN then. */
static unsigned clear_place(struct bucket_set *set, int64_t now_ns, bool *ret_is_forgotten)
{
	for (;;) {
		uint64_t best_state = 0, state;
		unsigned best = NOWHERE;
		int64_t best_ns = 0;

		for (unsigned place = 0; place < PLACES; place++) {
			int64_t from_ns = free_from(set, place, &state);

			if (best != NOWHERE && from_ns >= best_ns)
				continue;
			best = place;
			best_ns = from_ns;
			best_state = state;
		}
		if (!swap_state(set, best, &best_state, TAKEN))
			continue;
		*ret_is_forgotten = best_ns > now_ns;
		return best;
	}
}

/* The key was not there, or its place is changing hands. */
static void enter(struct question *question, struct bucket_set *set)
{
	pthread_mutex_t *mutex = lock(question->key);
	unsigned place = find(set, question->key);
	bool is_forgotten = false;

	if (place == NOWHERE || !ask_at(question, set, place)) {
		ask(question, 0);
		if (question->state != 0) {
			if (place == NOWHERE)
				place = clear_place(set, question->now_ns, &is_forgotten);
			__atomic_store_n(&set->tags[place], question->key, __ATOMIC_RELEASE);
			__atomic_store_n(&set->states[place], question->state, __ATOMIC_RELEASE);
		}
	}
	pthread_mutex_unlock(mutex);
	if (is_forgotten)
		tell_of_forgotten();
}

bool bucket_table_take(const struct bucket_limit *limit, uint64_t key, int64_t now_ns, uint32_t count, int64_t most_ns,
		       struct bucket_sight *ret_sight)
{
	struct bucket_set *set = set_of(key);
	struct question question = {
		.limit = limit, .key = key, .now_ns = now_ns - epoch_ns, .count = count, .most_ns = most_ns
	};
	unsigned place = find(set, key);

	if (place == NOWHERE || !ask_at(&question, set, place))
		enter(&question, set);
	*ret_sight = (struct bucket_sight){ .grant = question.grant,
					    .wait_ns = question.grant.at_ns == BUCKET_FOREVER
							       ? BUCKET_FOREVER
							       : question.grant.at_ns - question.now_ns,
					    .state = question.state,
					    .now_ns = question.now_ns };
	return question.is_granted;
}

uint32_t bucket_sight_left(const struct bucket_limit *limit, const struct bucket_sight *sight)
{
	return bucket_left(limit, sight->state, sight->now_ns);
}

int64_t bucket_sight_full_in_ns(const struct bucket_limit *limit, const struct bucket_sight *sight)
{
	return bucket_full_in_ns(limit, sight->state, sight->now_ns);
}

/* A key that was forgotten has nothing to be given back. */
void bucket_table_cancel(const struct bucket_limit *limit, uint64_t key, int64_t now_ns,
			 const struct bucket_grant *grant)
{
	struct bucket_set *set = set_of(key);
	unsigned place = find(set, key);
	uint64_t state, next;

	do {
		if (place == NOWHERE || !read_state(set, place, key, &state))
			return;
		next = state;
		bucket_cancel(limit, &next, now_ns - epoch_ns, grant);
	} while (next != state && !swap_state(set, place, &state, next));
}
