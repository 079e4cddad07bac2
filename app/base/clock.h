/* clock.h - time. Deadlines are nanoseconds of the monotonic clock.
 *
 * Use:
 *     int64_t deadline_ns = clock_now_ns() + 250 * CLOCK_MS;
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread.
 * Errors:         none.
 */
#ifndef APP_BASE_CLOCK_H
#define APP_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_US INT64_C(1000)
#define CLOCK_MS INT64_C(1000000)
#define CLOCK_S  INT64_C(1000000000)

/* A deadline that never comes. */
#define CLOCK_NEVER INT64_MAX

static inline int64_t clock_read_ns_(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * CLOCK_S + now.tv_nsec;
}

static inline int64_t clock_now_ns(void)
{
	return clock_read_ns_(CLOCK_MONOTONIC);
}

/* Nanoseconds since 1970, for people, logs and the times in tokens only. */
static inline int64_t clock_wall_ns(void)
{
	return clock_read_ns_(CLOCK_REALTIME);
}

/* For calls that take a time of day to wait until, such as pthread_timedjoin_np. 'deadline_ns' is none that never comes. */
static inline struct timespec clock_wall_at(int64_t deadline_ns)
{
	int64_t wall_ns = clock_wall_ns() + (deadline_ns - clock_now_ns());

	return (struct timespec){ .tv_sec = wall_ns / CLOCK_S, .tv_nsec = wall_ns % CLOCK_S };
}

#endif
