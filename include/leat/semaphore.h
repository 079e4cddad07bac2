/* leat/semaphore.h - at most so much at once, in each process: what does not fit waits in line.
 *
 * Use:
 *     LEAT_SEMAPHORE(images, .places = 8, .queue = 50, .wait_ms = 500);
 *
 *     static enum leat_result scale(struct leat_request *req)
 *     {
 *         LEAT_TRY(leat_semaphore_take(req, &images, is_large ? 4 : 1));     -- waits, within the request's deadline
 *         ...
 *         leat_semaphore_give(req, &images);                                 -- or the end of the request does
 *         ...
 *     }
 *
 *     static const struct leat_middleware few[] = { LEAT_SEMAPHORE_AROUND(&images), LEAT_MIDDLEWARE_END };    -- whole routes, a place each
 *
 * First come, first served: who wants many places and is first in line is waited for by those behind, and when it gives up, those that fit go on. Nobody
 * overtakes, even if there is room for it. What is not given back when the request ends is given back then, whatever that end is: a way out, an
 * error, a crash. A middleware's place is kept to the end of the request, of a stream, too.
 *
 * The places are those of one process, for all of its workers; the service has setting `processes` times as many.
 *
 * leat_semaphore_* in the metrics have who came in, who waited and who was refused, by name; how many places are taken and how many
 * wait, of all together; and how long.
 *
 * Ownership:      static descriptors.
 * Thread-safety:  the request's task. No lock is held while anybody waits.
 * Errors:         LEAT_UNAVAILABLE, with words that name the semaphore and its limit: .queue wait already, or .wait_ms passed. LEAT_TIMED_OUT at the request's deadline
 *                 and LEAT_CANCELLED: also at once, when there is room. To take none, or more than there are, is a bug: LEAT_INTERNAL at
 *                 once, and a line in the log. Giving what was not taken is one, too: the handler crashes. Waiting for more of what one holds already may be
 *                 in vain: others may do the same. A descriptor out of bounds, or two of one name, end the start.
 */
#ifndef LEAT_SEMAPHORE_H
#define LEAT_SEMAPHORE_H

#include <leat/db.h>
#include <leat/middleware.h>
#include <leat/result.h>
#include <stdint.h>

/* Members are set by name. */
struct leat_semaphore {
	const char *name;
	unsigned places;                    /* 1 to 1000000 */
	unsigned queue;                     /* that wait at most, up to 1000000; 0: 256 */
	int64_t wait_ms;                    /* longest wait, up to an hour; 0: until the request's deadline */
	struct leat_semaphore_place *place; /* leat's own, as the macro sets it */
};

struct leat_semaphore_place {
	void *live;
};

/* Defines a semaphore, at file level: LEAT_SEMAPHORE(images, .places = 8); */
#define LEAT_SEMAPHORE(semaphore, ...) \
	static struct leat_semaphore_place semaphore##_place_; \
	static const struct leat_semaphore semaphore = { .name = #semaphore, \
							 .place = &semaphore##_place_, \
							 __VA_ARGS__ }; \
	static const struct leat_semaphore *const semaphore##_listed_ \
		__attribute__((used, section("leat_semaphores"))) LEAT_RETAIN_ = &semaphore

LEAT_API enum leat_result leat_semaphore_take(struct leat_request *req, const struct leat_semaphore *semaphore,
					      unsigned places) LEAT_MUST_USE;

/* What the request took last of this one. */
LEAT_API void leat_semaphore_give(struct leat_request *req, const struct leat_semaphore *semaphore);

/* Everything behind it in the list, and the handler, has a place. */
#define LEAT_SEMAPHORE_AROUND(semaphore) \
	{ \
		.name = "semaphore", .before = leat_semaphore_before_, .options = (semaphore) \
	}

LEAT_API enum leat_result leat_semaphore_before_(struct leat_request *req, const void *options);

/* The program's list, for leat_main: leat/service.h. */
LEAT_API void leat_semaphores_list_(const struct leat_semaphore *const *first, const struct leat_semaphore *const *end);

#endif
