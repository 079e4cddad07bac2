/* background.c - see background.h. The threads are a pool of offload.c; this counts places, and lets work expire. */
#include "task/background.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "task/crash.h"
#include "task/offload.h"

struct background {
	pthread_mutex_t lock;    /* while the pool is made */
	struct offload *offload; /* NULL: nothing came yet */
	unsigned threads, queue_most;
	int64_t wait_ns;
	atomic_uint waiting; /* places reserved, and work that has not begun */
	atomic_uint left;    /* work that has not ended */
};

struct work {
	struct background *background;
	void (*fn)(void *arg);
	int64_t expires_ns;
	char data[] __attribute__((aligned(16)));
};

struct background *background_new(unsigned threads, unsigned queue_most, int64_t wait_ns)
{
	struct background *background = calloc(1, sizeof(*background));

	if (!background)
		check_out_of_memory(sizeof(*background), "the queue of work after replies");
	pthread_mutex_init(&background->lock, NULL);
	background->threads = threads;
	background->queue_most = queue_most;
	background->wait_ns = wait_ns;
	return background;
}

bool background_reserve(struct background *background)
{
	if (atomic_fetch_add(&background->waiting, 1) < background->queue_most) {
		metrics_add(METRIC_AFTER_WAITING, 1);
		return true;
	}
	atomic_fetch_sub(&background->waiting, 1);
	metrics_add(METRIC_AFTER_REFUSED, 1);
	return false;
}

void background_release(struct background *background)
{
	atomic_fetch_sub(&background->waiting, 1);
	metrics_add(METRIC_AFTER_WAITING, -1);
}

static void do_work(void *arg)
{
	struct work *work = arg;
	struct background *background = work->background;

	background_release(background);
	if (clock_now_ns() < work->expires_ns) {
		work->fn(work->data);
		metrics_add(METRIC_AFTER_DONE, 1);
	} else {
		metrics_add(METRIC_AFTER_EXPIRED, 1);
		log_limited(LOG_LEVEL_ERROR, "work after a reply is not done: it waited too long (setting after_wait)");
	}
	free(work);
	atomic_fetch_sub(&background->left, 1);
}

/* All that is reserved fits. */
static struct offload *pool_of(struct background *background)
{
	pthread_mutex_lock(&background->lock);
	if (!background->offload)
		background->offload = offload_new(background->threads, background->queue_most);
	pthread_mutex_unlock(&background->lock);
	return background->offload;
}

void background_run(struct background *background, void (*fn)(void *arg), const void *arg, size_t size,
		    const struct crash_subject *subject)
{
	struct offload *offload = pool_of(background);
	struct work *work = malloc(sizeof(*work) + size);

	if (!work)
		check_out_of_memory(sizeof(*work) + size, "work after a reply");
	work->background = background;
	work->fn = fn;
	work->expires_ns = clock_now_ns() + background->wait_ns;
	if (size > 0)
		memcpy(work->data, arg, size);
	atomic_fetch_add(&background->left, 1);
	if (offload && offload_run_of(offload, do_work, work, subject))
		return;
	log_limited(LOG_LEVEL_ERROR, "work after a reply is not done: there is no thread for it");
	metrics_add(METRIC_AFTER_EXPIRED, 1);
	background_release(background);
	free(work);
	atomic_fetch_sub(&background->left, 1);
}

unsigned background_left(struct background *background)
{
	return atomic_load(&background->left);
}

bool background_stop(struct background *background, int64_t deadline_ns)
{
	return !background->offload || offload_stop(background->offload, deadline_ns);
}

void background_free(struct background *background)
{
	if (!background)
		return;
	offload_free(background->offload);
	pthread_mutex_destroy(&background->lock);
	free(background);
}
