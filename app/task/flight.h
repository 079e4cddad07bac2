/* flight.h - one work for all who need the same at the same time, on whatever worker of the process they are.
 *
 * Use:
 *     struct flight_key key = flight_key(flights, &kind, bytes);
 *     struct flight_ask ask = { .key = key, .run = run, .context = context, .deadline_ns = deadline_ns };
 *     LEAT_TRY(flight_await(flights, &ask, &landed));       -- in a task: starts the flight, or joins the one that is under way
 *     ... landed->result, landed->bytes ...
 *     flight_landed_release(landed);
 *
 *     static struct flight_landed *run(struct flight *flight)        -- in a task of its own, of the loop of the one who came first
 *     {
 *         ... flight_key_of(flight)->bytes ...
 *         return flight_landed_new(LEAT_OK, len);                     -- and its bytes
 *     }
 *
 * The work has a task of its own, so whoever came first may leave as anybody else. Each leaves at its own deadline. When the last one has
 * left, the key is free at once, and the work is cancelled: so it lives until the latest deadline of those who wait, and needs none.
 * A flight that is older than the time its first one had takes nobody in any more: a newcomer starts another. Work that is stuck is
 * tried again so, however many keep coming.
 *
 * If the work crashes (crash.h), all who wait get LEAT_INTERNAL, and nobody does it again for them: it would crash again, and end the process. If
 * its thread is lost by another's crash they get LEAT_UNAVAILABLE.
 *
 * Ownership:      what landed is counted and never changes; who got it releases it. Bytes of keys are copied. A flight is its task's, and lives
 *                 until nobody knows it any more.
 * Thread-safety:  flight_await, flight_start: tasks. Inside 'run': that task. Forgetting, releasing: any thread. Flights outlive the loops that used them.
 * Errors:         flight_await: LEAT_TIMED_OUT and LEAT_CANCELLED for the one who waits; LEAT_UNAVAILABLE when no task can be started, for all. What
 *                 the work itself has for a result is in what landed.
 */
#ifndef APP_TASK_FLIGHT_H
#define APP_TASK_FLIGHT_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "task/crash.h"

struct flight;
struct flights;

/* Equal are those of one kind with the same bytes; the hash only finds them. */
struct flight_key {
	const void *kind; /* its address counts */
	leat_text bytes;
	uint64_t hash;
};

struct flight_landed {
	atomic_uint holders;
	enum leat_result result;
	bool is_shared; /* by several who waited */
	size_t len;
	char bytes[] __attribute__((aligned(16)));
};

struct flight_ask {
	struct flight_key key;
	struct flight_landed *(*run)(struct flight *flight);
	const void *context; /* of this loop's thread, which 'run' is on as well */
	const char *route;   /* static; for the report, should it crash; may be NULL */
	leat_text id;        /* of the request that asks; copied */
	int64_t deadline_ns; /* of the one who asks */
};

struct flights *flights_new(void);

/* When no loop is left. */
void flights_free(struct flights *flights);

struct flight_key flight_key(const struct flights *flights, const void *kind, leat_text bytes);
bool flight_keys_equal(const struct flight_key *a, const struct flight_key *b);

enum leat_result flight_await(struct flights *flights, const struct flight_ask *ask,
			      struct flight_landed **ret_landed) LEAT_MUST_USE;

/* Starts the work, if it is not under way, and goes on; at the deadline it is cancelled unless others wait for it by then. */
void flight_start(struct flights *flights, const struct flight_ask *ask);

/* Who comes from now on starts another flight; who waits goes on waiting. */
void flight_forget(struct flights *flights, const struct flight_key *key);

/* Of the running work. */
const struct flight_key *flight_key_of(const struct flight *flight);
const void *flight_context(const struct flight *flight);
leat_text flight_id(const struct flight *flight);

/* What is to be given back should it crash: flight_serving has it then. */
void flight_serve(struct flight *flight, void *serving);

/* With 'len' bytes, not cleared. */
struct flight_landed *flight_landed_new(enum leat_result result, size_t len) __attribute__((returns_nonnull));
void flight_landed_hold(struct flight_landed *landed);
void flight_landed_release(struct flight_landed *landed);

/* For the plan of crash.h: a task's argument, if it is a flight; else NULL. The next two in the signal handler. */
struct flight *flight_of_task(void *arg);
bool flight_describe(const struct flight *flight, struct crash_subject *ret_subject);
void flight_fail(struct flight *flight, enum leat_result result);
void *flight_serving(const struct flight *flight);

#endif
