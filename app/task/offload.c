/* offload.c - see offload.h.
 *
 * A call's job is memory of its own that two sides let go of: the thread when fn has returned, by a post to the
 * task's loop, and the task when it has its answer or gives up. The loop's side frees it, in one thread, so a flag is enough.
 *
 * When fn crashes, the signal handler lets go of the job in the thread's stead: loop_post is an exchange and a write. The thread waits for the end
 * of the process, its stack as it was. */
#include "task/offload.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "task/crash.h"
#include "task/loop.h"
#include "task/task.h"

struct job {
	struct job *next;
	void (*fn)(void *arg);
	void (*drop)(void *arg); /* instead of fn when nobody waits any more; may be NULL */
	void *arg;
	/* Of calls that a task waits for. */
	struct loop *loop; /* NULL: nobody waits */
	struct task *task;
	struct loop_post post;
	bool is_done;             /* the post has arrived; loop's thread only */
	atomic_bool is_abandoned; /* the task gave up */
	bool has_crashed;
	bool is_of_request;
	struct crash_subject subject; /* then */
	char data[] __attribute__((aligned(16)));
};

struct offload {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct job *first, **end;
	unsigned queued, queue_max;
	bool is_stopping;
	unsigned thread_count;
	pthread_t threads[];
};

static void finish(struct job *job)
{
	if (job->loop)
		loop_post(job->loop, &job->post);
	else
		free(job);
}

static struct job *next_job(struct offload *offload)
{
	struct job *job;

	pthread_mutex_lock(&offload->lock);
	while (!offload->first && !offload->is_stopping)
		pthread_cond_wait(&offload->work, &offload->lock);
	job = offload->first;
	if (job) {
		offload->first = job->next;
		if (!offload->first)
			offload->end = &offload->first;
		offload->queued--;
	}
	pthread_mutex_unlock(&offload->lock);
	return job;
}

/* Crashes ------------------------------------------------------------------------------------------------------------------ */

static _Thread_local struct job *crashing;

static void *crash_running(void)
{
	return crashing;
}

static const char *crash_stack(void)
{
	return NULL;
}

static bool crash_subject(void *running, struct crash_subject *ret_subject)
{
	const struct job *job = running;

	*ret_subject = job->subject;
	return job->is_of_request;
}

static void crash_tell(void *running)
{
	struct job *job = running;

	job->has_crashed = true;
	if (job->loop) /* else nobody is told, and nothing is freed in a signal handler */
		finish(job);
}

static void crash_stay(bool can_go_on)
{
	(void)can_go_on;
	for (;;)
		pause();
}

static const struct crash_kind crash_kind = {
	.where = "an offloaded call",
	.running = crash_running,
	.stack = crash_stack,
	.describe = crash_subject,
	.answer = crash_tell,
	.abandon = crash_stay,
};

/* Threads ------------------------------------------------------------------------------------------------------------------ */

static void *offload_thread(void *arg)
{
	struct offload *offload = arg;
	struct job *job;

	pthread_setname_np(pthread_self(), "leat-offload");
	crash_enter_thread(&crash_kind);
	while ((job = next_job(offload))) {
		crashing = job;
		if (!atomic_load(&job->is_abandoned))
			job->fn(job->arg);
		else if (job->drop)
			job->drop(job->arg);
		crashing = NULL;
		finish(job);
	}
	crash_leave_thread();
	return NULL;
}

static bool join(pthread_t thread, int64_t deadline_ns)
{
	struct timespec until;

	if (deadline_ns == CLOCK_NEVER)
		return pthread_join(thread, NULL) == 0;
	until = clock_wall_at(deadline_ns);
	return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

bool offload_stop(struct offload *offload, int64_t deadline_ns)
{
	pthread_mutex_lock(&offload->lock);
	offload->is_stopping = true;
	pthread_cond_broadcast(&offload->work);
	pthread_mutex_unlock(&offload->lock);
	for (; offload->thread_count > 0; offload->thread_count--)
		if (!join(offload->threads[offload->thread_count - 1], deadline_ns))
			return false;
	return true;
}

/* Signals are the main thread's. */
static bool start_threads(struct offload *offload, unsigned threads)
{
	sigset_t all, before;
	int error = 0;

	sigfillset(&all);
	crash_unblock(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (error == 0 && offload->thread_count < threads) {
		error = pthread_create(&offload->threads[offload->thread_count], NULL, offload_thread, offload);
		offload->thread_count += error == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error == 0;
}

struct offload *offload_new(unsigned threads, unsigned queue_max)
{
	size_t size = sizeof(struct offload) + threads * sizeof(pthread_t);
	struct offload *offload = calloc(1, size);

	if (!offload)
		check_out_of_memory(size, "the offload pool");
	pthread_mutex_init(&offload->lock, NULL);
	pthread_cond_init(&offload->work, NULL);
	offload->end = &offload->first;
	offload->queue_max = queue_max;
	if (!start_threads(offload, threads)) {
		offload_free(offload);
		return NULL;
	}
	return offload;
}

void offload_free(struct offload *offload)
{
	if (!offload)
		return;
	LEAT_CHECK(offload_stop(offload, CLOCK_NEVER));
	pthread_cond_destroy(&offload->work);
	pthread_mutex_destroy(&offload->lock);
	free(offload);
}

/* Frees the job when the queue is full. */
static bool enqueue(struct offload *offload, struct job *job)
{
	bool has_room;

	pthread_mutex_lock(&offload->lock);
	has_room = offload->queued < offload->queue_max && !offload->is_stopping;
	if (has_room) {
		job->next = NULL;
		*offload->end = job;
		offload->end = &job->next;
		offload->queued++;
		pthread_cond_signal(&offload->work);
	}
	pthread_mutex_unlock(&offload->lock);
	if (!has_room) {
		metrics_add(METRIC_OFFLOAD_REFUSED, 1);
		free(job);
	}
	return has_room;
}

static struct job *job_new(void (*fn)(void *arg), size_t size)
{
	struct job *job = calloc(1, sizeof(*job) + size);

	if (!job)
		check_out_of_memory(sizeof(*job) + size, "an offloaded call");
	job->fn = fn;
	return job;
}

bool offload_run(struct offload *offload, void (*fn)(void *arg), void *arg)
{
	struct job *job = job_new(fn, 0);

	job->arg = arg;
	return enqueue(offload, job);
}

bool offload_run_of(struct offload *offload, void (*fn)(void *arg), void *arg, const struct crash_subject *subject)
{
	struct job *job = job_new(fn, 0);

	job->arg = arg;
	job->is_of_request = true;
	job->subject = *subject;
	return enqueue(offload, job);
}

static void on_done(struct loop_post *post)
{
	struct job *job = (struct job *)((char *)post - offsetof(struct job, post));

	if (atomic_load(&job->is_abandoned)) {
		free(job);
		return;
	}
	job->is_done = true;
	task_wake(job->task, LEAT_OK);
}

enum leat_result offload_call(struct offload *offload, void (*fn)(void *arg), void *arg, size_t size,
			      int64_t deadline_ns)
{
	return offload_call_or_drop(offload, fn, NULL, arg, size, deadline_ns);
}

enum leat_result offload_call_or_drop(struct offload *offload, void (*fn)(void *arg), void (*drop)(void *arg),
				      void *arg, size_t size, int64_t deadline_ns)
{
	struct job *job = job_new(fn, size);
	enum leat_result result;

	job->drop = drop;
	job->arg = memcpy(job->data, arg, size);
	job->task = task_self();
	job->loop = task_loop(job->task);
	job->post.fn = on_done;
	job->is_of_request = crash_describe(task_arg(job->task), &job->subject);
	if (!enqueue(offload, job))
		return LEAT_UNAVAILABLE;
	result = task_wait(deadline_ns);
	if (!job->is_done) {
		atomic_store(&job->is_abandoned, true);
		return result;
	}
	if (job->has_crashed)
		result = LEAT_INTERNAL;
	else if (result == LEAT_OK)
		memcpy(arg, job->data, size);
	free(job);
	return result;
}
