/* leat/breaker.h - circuit breakers: what keeps failing is left alone for a while, and then tried with care.
 *
 * Use:
 *     LEAT_BREAKER(payments, .failure_percent = 50, .window_ms = 10000, .open_ms = 5000, .open_most_ms = 60000);
 *
 *     static enum leat_result pay(struct leat_request *req)
 *     {
 *         LEAT_TRY(leat_breaker_enter(req, &payments));                                -- open: 503, Retry-After
 *         LEAT_TRY(leat_breaker_leave(req, &payments, charge(req, &order)));           -- counts charge's result, and hands it on
 *         return leat_reply(req, 200, &order_shape, &order);
 *     }
 *
 *     static const struct leat_middleware guarded[] = { LEAT_BREAKER_AROUND(&payments), LEAT_MIDDLEWARE_END };    -- whole routes
 *
 * Between enter and leave is what is guarded: an HTTP call, statements, any code. Nothing is lost by a way out that forgets to leave: what was entered
 * and not left ends with the request, and the request's own result is counted; a handler that crashes counts as a failure. A process that
 * is killed holds nothing: probes of its own expire (probe_ms).
 *
 * One breaker is one for all worker processes of the service. Its states are those of sony/gobreaker:
 *     closed      calls go on and are counted. It opens after .failures of them in a row, or when at least .failure_percent of those that ended
 *                 in the window failed, or .slow_percent took .slow_ms or longer (of .calls_least at least); or when .trips says so.
 *     open        calls are refused for .open_ms. Past that (not at it) the next call finds it half-open.
 *     half-open   .probes calls go on, all others are refused. When all of them succeeded it closes; when one fails, is slow (where slow_percent is set), or
 *                 has not ended within .probe_ms, it opens again: for twice as long as the last time, up to .open_most_ms, less up
 *                 to a tenth by chance, so that several hosts do not come back at once.
 * Each state, and each window, is a generation: the result of a call that was begun in another one is dropped (outcome="late" in the metrics).
 * Counts begin anew with each generation. A window of buckets (.bucket_ms) slides instead: results count in the bucket in which their call
 * began, and 'in a row' does not fade.
 *
 * What a result is: 5xx and LEAT_TIMED_OUT failures; LEAT_CANCELLED (the client left) neither nor: it gives its probe back; all others successes, for
 * who says 404 is well. Otherwise: .judge.
 *
 * `NAME breakers` lists them; leat_breaker_* in the metrics have the state, calls and changes by name; each change is a line in the log.
 *
 * Ownership:      static descriptors. Their state lies in memory that is made before the first worker process.
 * Thread-safety:  enter, leave: the request's task. State and counts: any task. No lock is held while .trips, .judge and .on_change are called,
 *                 so they may ask any breaker anything; none of them may wait. .on_change is called once for each change, by the thread that
 *                 brought it about; .trips may be asked several times about one call, and should only look.
 * Errors:         LEAT_UNAVAILABLE from leat_breaker_enter, with words that name the breaker and with Retry-After: the seconds until it
 *                 may be tried. A descriptor out of bounds, or two of one name, end the start. Leaving what was not entered is a bug: the
 *                 handler crashes. An open breaker takes no time to refuse; both calls together about 100 ns when closed.
 */
#ifndef LEAT_BREAKER_H
#define LEAT_BREAKER_H

#include <leat/db.h>
#include <leat/middleware.h>
#include <leat/result.h>
#include <stdbool.h>
#include <stdint.h>

struct leat_breaker;

enum leat_breaker_state { LEAT_BREAKER_CLOSED, LEAT_BREAKER_HALF_OPEN, LEAT_BREAKER_OPEN };
enum leat_breaker_outcome { LEAT_BREAKER_SUCCESS, LEAT_BREAKER_FAILURE, LEAT_BREAKER_EXCLUDED };

/* Of this generation or, with buckets, of the window that slides. */
struct leat_breaker_counts {
	uint64_t requests; /* begun */
	uint64_t successes, failures, exclusions;
	uint64_t slow; /* of the successes and failures */
	uint64_t successes_in_a_row, failures_in_a_row;
};

struct leat_breaker_change {
	const struct leat_breaker *breaker;
	enum leat_breaker_state from, to;
	struct leat_breaker_counts counts; /* that brought it about */
	int64_t open_ms;                   /* when 'to' is open: for how long */
};

enum { LEAT_BREAKER_PROBES_MAX = 8, LEAT_BREAKER_BUCKETS_MAX = 16 };

/* Members are set by name; 0 means the default. */
struct leat_breaker {
	const char *name;
	unsigned
		failures; /* in a row that open it; 0: 6 if no percentage and no 'trips' is given, else not looked at */
	unsigned failure_percent; /* 1 to 100; 0: not looked at */
	unsigned slow_percent;    /* 1 to 100; 0: not looked at; wants slow_ms */
	int64_t slow_ms;          /* from when on a call is slow */
	unsigned calls_least;     /* that have ended, for percentages to count; 0: 20 */
	int64_t window_ms;        /* closed, counts begin anew so often, up to a day; 0: never */
	int64_t bucket_ms; /* the window slides in steps of this, is rounded up to a multiple, and has LEAT_BREAKER_BUCKETS_MAX at most; 0: none */
	int64_t open_ms;      /* up to a day; 0: 60 s */
	int64_t open_most_ms; /* with back-off; 0: open_ms */
	unsigned probes;      /* up to LEAT_BREAKER_PROBES_MAX; 0: 1 */
	int64_t probe_ms;     /* up to an hour; 0: 10 s */
	bool (*trips)(const struct leat_breaker_counts
			      *counts); /* instead of the first three; asked after failures and slow calls */
	enum leat_breaker_outcome (*judge)(enum leat_result result);
	void (*on_change)(const struct leat_breaker_change *change);
	struct leat_breaker_place *place; /* leat's own, as the macro sets it */
};

struct leat_breaker_place {
	void *live;
};

/* Defines a breaker, at file level: LEAT_BREAKER(payments, .failures = 5); */
#define LEAT_BREAKER(breaker, ...) \
	static struct leat_breaker_place breaker##_place_; \
	static const struct leat_breaker breaker = { .name = #breaker, .place = &breaker##_place_, __VA_ARGS__ }; \
	static const struct leat_breaker *const breaker##_listed_ __attribute__((used, section("leat_breakers"))) \
	LEAT_RETAIN_ = &breaker

/* LEAT_UNAVAILABLE: not now. Else leat_breaker_leave is owed. Several may be entered, and one several times: the latest is left first. */
LEAT_API enum leat_result leat_breaker_enter(struct leat_request *req,
					     const struct leat_breaker *breaker) LEAT_MUST_USE;

/* Counts 'result', and returns it. */
LEAT_API enum leat_result leat_breaker_leave(struct leat_request *req, const struct leat_breaker *breaker,
					     enum leat_result result) LEAT_MUST_USE;

/* As of now: an open one whose time has passed is half-open. */
LEAT_API enum leat_breaker_state leat_breaker_state(const struct leat_breaker *breaker);
LEAT_API struct leat_breaker_counts leat_breaker_counts(const struct leat_breaker *breaker);

/* Around everything behind it in the list, and the handler. The reply's status is the result; of a stream, that of its head. */
#define LEAT_BREAKER_AROUND(breaker) \
	{ \
		.name = "breaker", .before = leat_breaker_before_, .after = leat_breaker_after_, .options = (breaker) \
	}

LEAT_API enum leat_result leat_breaker_before_(struct leat_request *req, const void *options);
LEAT_API void leat_breaker_after_(struct leat_request *req, const void *options);

/* The program's list, for leat_main: leat/service.h. */
LEAT_API void leat_breakers_list_(const struct leat_breaker *const *first, const struct leat_breaker *const *end);

#endif
