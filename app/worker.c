/* worker.c - see worker.h. Between process.c and the loop; 'turn' is what a worker does all its life. */
#include "worker.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "back/db.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "fetch/fetcher.h"
#include "front/connection.h"
#include "front/poller.h"
#include "pipeline.h"
#include "task/crash.h"
#include "task/loop.h"
#include "task/offload.h"

enum {
	STARTS_A_TURN = 16,
	TURNS_UNPOLLED = 8,       /* at most, while no task waits for anything that the loop's own epoll tells */
	KEPT_UNTRIMMED = 1 << 20, /* bytes of request memory that are not worth a timer */
};

#define TRIM_EVERY_NS CLOCK_S
#define LOOK_NS       (50 * CLOCK_MS)

struct worker {
	struct worker_options options;
	pthread_t thread;
	struct loop *loop;
	struct front front;
	struct pipeline pipeline;
	struct db *db;
	struct fetcher *fetcher;
	struct loop_post stop, cancel;
	struct loop_timer trim;
	bool is_stopping;
	bool is_cancelling;
	bool was_busy;       /* in this turn */
	atomic_bool is_over; /* after a crash: the thread does nothing more */
	unsigned turns;
	uint8_t scratch[FRONT_SCRATCH];
};

/* The thread ----------------------------------------------------------------------------------------------------------- */

static bool has_ended(const struct worker *worker)
{
	return worker->is_stopping && !worker->was_busy && loop_task_count(worker->loop) == 0;
}

/* malloc keeps what is freed among other pieces; after a burst the system gets it back, off the worker. */
static void trim_heap(void *nothing)
{
	(void)nothing;
	malloc_trim(KEPT_UNTRIMMED);
}

static void on_trim(struct loop_timer *timer)
{
	struct worker *worker = (struct worker *)((char *)timer - offsetof(struct worker, trim));

	if (arena_pool_trim(worker->front.arenas) > KEPT_UNTRIMMED &&
	    !offload_run(worker->options.offload, trim_heap, NULL))
		return; /* the pool is busy: next time */
}

/* One look a turn: what comes after it is found by the next. A post may be of a connection that another worker should take, if this one
 * starts to compute. */
static bool start_some(struct worker *worker)
{
	struct connection *connection;
	int started = 0;

	while (started < STARTS_A_TURN && !(started && loop_has_posts(worker->loop)) &&
	       (connection = poller_take(worker->options.poller, &worker->front.member, started == 0))) {
		connection_start(connection, &worker->front);
		started++;
	}
	return started > 0;
}

/* Sleeps until there is work. */
static void rest(struct worker *worker)
{
	struct poller *poller = worker->options.poller;
	int64_t until_ns = poller_rest(poller, &worker->front.member);
	int64_t due_ns = loop_sleep_until(worker->loop);

	loop_poll(worker->loop, until_ns < due_ns ? until_ns : due_ns);
	poller_rise(poller, &worker->front.member);
}

/* A worker that has just done something does not sleep at once: it lets those run who share its processor, the front server
 * and the database among them, and looks again. What they have brought meanwhile costs no sleep and no wake-up, and comes in
 * one go. */
static void look_again(struct worker *worker)
{
	if (loop_sleep_until(worker->loop) != 0)
		sched_yield();
	if (loop_task_count(worker->loop) > 0 || ++worker->turns % TURNS_UNPOLLED == 0)
		loop_poll(worker->loop, 0);
	else
		loop_pass(worker->loop);
}

static void turn(struct worker *worker)
{
	bool has_run = loop_run_ready(worker->loop);
	bool has_started = start_some(worker);

	worker->was_busy = has_run || has_started;
	if (worker->is_cancelling)
		loop_cancel_all(worker->loop);
	if (worker->trim.heap_index == 0 && arena_pool_kept(worker->front.arenas) > KEPT_UNTRIMMED)
		loop_timer_set(worker->loop, &worker->trim, loop_now_ns(worker->loop) + TRIM_EVERY_NS);
	if (worker->was_busy)
		look_again(worker);
	else if (!has_ended(worker))
		rest(worker);
}

/* Connects the database on the thread whose loop it lives on. */
static void open_database(struct worker *worker)
{
	if (!worker->options.lend)
		return;
	worker->db = db_new(worker->loop, worker->options.settings, worker->options.connecting,
			    worker->options.cancelling, worker->options.lend, worker->options.notify);
	worker->pipeline.environment.db = worker->db;
}

static void open_fetcher(struct worker *worker)
{
	if (worker->options.is_admin)
		return;
	worker->fetcher = fetcher_new(worker->loop, worker->options.settings, worker->options.resolving);
	worker->pipeline.environment.fetcher = worker->fetcher;
}

/* After a crash, what the dead request held stays as it is: the process ends with it. */
static void close_all(struct worker *worker)
{
	bool has_crashed = crash_has_happened();

	if (worker->db && !has_crashed)
		db_stop(worker->db);
	loop_poll(worker->loop, 0); /* what was posted in the last moment */
	poller_leave(worker->options.poller, &worker->front.member);
	if (!has_crashed) {
		fetcher_free(worker->fetcher);
		db_free(worker->db);
	}
	loop_release(worker->loop);
}

static void name_thread(const struct worker *worker)
{
	char name[16];

	snprintf(name, sizeof(name), worker->options.is_admin ? "leat-admin" : "leat-worker-%u",
		 worker->options.thread);
	pthread_setname_np(pthread_self(), name);
}

/* The end of a thread frees memory, and malloc may hang by now. */
static _Noreturn void stay(struct worker *worker)
{
	atomic_store(&worker->is_over, true);
	for (;;)
		pause();
}

static void *worker_thread(void *arg)
{
	struct worker *worker = arg;

	metrics_attach(worker->options.process, worker->options.thread);
	name_thread(worker);
	loop_adopt(worker->loop);
	open_database(worker);
	open_fetcher(worker);
	while (!has_ended(worker))
		turn(worker);
	close_all(worker);
	if (crash_has_happened())
		stay(worker);
	return NULL;
}

/* Life ----------------------------------------------------------------------------------------------------------------- */

static void on_stop(struct loop_post *post)
{
	struct worker *worker = (struct worker *)((char *)post - offsetof(struct worker, stop));

	worker->is_stopping = true;
	worker->was_busy = true; /* one more turn, for what came in the last moment */
}

static void on_cancel(struct loop_post *post)
{
	((struct worker *)((char *)post - offsetof(struct worker, cancel)))->is_cancelling = true;
}

static void set_up_front(struct worker *worker)
{
	const struct settings *settings = worker->options.settings;

	worker->front = (struct front){
		.poller = worker->options.poller,
		.loop = worker->loop,
		.arenas = arena_pool_new((size_t)settings->arena_keep),
		.limits = {
			.params_size = (uint32_t)settings->params_size,
			.params_count = (uint32_t)settings->params_count,
			.max_conns = (uint32_t)settings->connections_max,
			.max_reqs = (uint32_t)settings->requests_max,
		},
		.header_timeout_ns = settings->header_timeout * CLOCK_MS,
		.drain_timeout_ns = settings->drain_timeout * CLOCK_MS,
		.send_timeout_ns = settings->send_timeout * CLOCK_MS,
		.drain_limit = (uint64_t)settings->drain_limit,
		.serve = pipeline_serve,
		.serve_arg = &worker->pipeline,
		.describe = pipeline_describe,
		.abandoned = pipeline_abandoned,
		.scratch = worker->scratch,
	};
}

static void set_up_pipeline(struct worker *worker)
{
	const struct settings *settings = worker->options.settings;

	worker->pipeline = (struct pipeline){
		.router = worker->options.router,
		.middleware = worker->options.middleware,
		.accesslog = worker->options.accesslog,
		.writer = worker->options.thread,
		.is_counted = !worker->options.is_admin,
		.redirects_slash = settings->redirect_slash,
		.environment = {
			.router = worker->options.router,
			.offload = worker->options.offload,
			.background = worker->options.background,
			.topics = worker->options.topics,
			.arenas = worker->front.arenas,
			.flights = worker->options.flights,
			.kept = worker->options.kept,
			.coalesces = settings->coalesce,
			.default_deadline_ns = settings->request_deadline * CLOCK_MS,
			.default_body_limit = (uint64_t)settings->body_limit,
			.form = {
				.parts_max = (size_t)settings->form_parts_max,
				.field_max = (size_t)settings->form_field_max,
				.spool_at = (size_t)settings->form_spool_at,
				.spool_dir = settings->form_spool_dir,
			},
			.stream_idle_ns = settings->stream_idle * CLOCK_MS,
			.events_keep_alive_ns = settings->events_keep_alive * CLOCK_MS,
			.send_files = (unsigned)settings->send_files,
		},
	};
}

static bool set_up(struct worker *worker)
{
	worker->stop.fn = on_stop;
	worker->cancel.fn = on_cancel;
	worker->trim.fn = on_trim;
	worker->loop = loop_new(&(struct loop_options){ .stack_size = (size_t)worker->options.settings->stack_size,
							.tasks_max = worker->options.tasks_max });
	if (!worker->loop)
		return false;
	set_up_front(worker);
	set_up_pipeline(worker);
	return poller_join(worker->front.poller, &worker->front.member, worker->loop);
}

/* Signals are the main thread's. */
static int start_thread(struct worker *worker)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	crash_unblock(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&worker->thread, NULL, worker_thread, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct worker *worker_start(const struct worker_options *options, char *error, size_t error_size)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int failure;

	if (!worker)
		check_out_of_memory(sizeof(*worker), "a worker");
	worker->options = *options;
	if (!set_up(worker)) {
		snprintf(error, error_size, "worker %u: %s; raise the limit of open files", options->thread,
			 strerror(errno));
		return NULL;
	}
	failure = start_thread(worker);
	if (failure != 0) {
		snprintf(error, error_size, "worker %u: no thread: %s", options->thread, strerror(failure));
		return NULL;
	}
	return worker;
}

void worker_stop(struct worker *worker)
{
	loop_post(worker->loop, &worker->stop);
}

void worker_cancel(struct worker *worker)
{
	loop_post(worker->loop, &worker->cancel);
}

/* One that crashed and cannot go on never ends; that may become known while it is waited for. */
bool worker_join(struct worker *worker, int64_t deadline_ns)
{
	int64_t now_ns;

	do {
		int64_t look_ns = clock_now_ns() + LOOK_NS;
		struct timespec until = clock_wall_at(look_ns < deadline_ns ? look_ns : deadline_ns);

		if (loop_is_lost(worker->loop) || atomic_load(&worker->is_over) ||
		    pthread_timedjoin_np(worker->thread, NULL, &until) == 0)
			return true;
		now_ns = clock_now_ns();
	} while (now_ns < deadline_ns);
	return false;
}

void worker_free(struct worker *worker)
{
	loop_free(worker->loop);
	arena_pool_free(worker->front.arenas);
	free(worker);
}
