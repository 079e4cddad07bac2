/* process.c - see process.h.
 *
 * The supervisor (ops/supervisor.c) opens the sockets and forks; each worker process below has a main thread that waits for
 * signals, W worker threads, one admin thread, the offload pools and the access log's thread.
 *
 * Connecting to the database and cancelling there have a pool each: a server that answers nothing holds a thread for as long as connecting
 * may take, and a cancel for good. Nobody else may wait for that, nor may connecting to another server wait for cancels. */
#include "process.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "back/db.h"
#include "back/lend.h"
#include "back/notify.h"
#include "base/bucket_table.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/metrics_route.h"
#include "base/settings.h"
#include "fetch/fetcher.h"
#include "front/abandon.h"
#include "front/connection.h"
#include "front/fcgi.h"
#include "front/listen.h"
#include "front/poller.h"
#include "guard/breaker.h"
#include "guard/semaphores.h"
#include "http/accesslog.h"
#include "http/kept.h"
#include "http/keyfile.h"
#include "http/middleware.h"
#include "http/openapi.h"
#include "http/router.h"
#include "http/routes.h"
#include "ops/admin.h"
#include "ops/supervisor.h"
#include "task/background.h"
#include "task/crash.h"
#include "task/flight.h"
#include "task/loop.h"
#include "task/offload.h"
#include "task/topic.h"
#include "worker.h"

enum {
	WORKERS_MAX = 256,
	ADMIN_TASKS = 64,
	ADMIN_CONNECTIONS = 64,
	UPKEEP_MS = 1000,      /* between looks at the connections for lending, and at files of keys */
	ON_THEIR_WAY_MS = 200, /* requests on connections that were accepted, when others accept from now on */
	LAST_CHANCE_MS = 500,  /* for requests to end after they were cancelled */
	LENDING_THREADS = 2,   /* that connect for lend.c, beside one a worker for each set of its lanes */
	CANCELLING_THREADS = 2,
	TASKS_A_REQUEST = 2,   /* its own, and that of the shared work it has started */
	RESOLVING_THREADS = 4, /* a resolver that hangs holds one for as long as it does */
};

/* What the supervisor hands to each worker process. */
struct plan {
	const struct leat_service *service;
	const struct settings *settings;
	struct router *router; /* made once, read by all */
	struct listeners listeners;
	struct listeners admin_listeners;
	unsigned worker_count;
	unsigned lent_most; /* connections that a process lends */
};

/* One worker process. */
struct process {
	const struct plan *plan;
	unsigned index;
	struct router *admin_router;
	struct poller *poller, *admin_poller;
	struct offload *offload, *resolving;
	struct background *background; /* work after replies */
	struct topics *topics;
	struct flights *flights;
	struct kept *kept;
	struct offload *connecting, *cancelling; /* NULL, as the next two: no database */
	struct lend *lend;
	struct notify *notify;
	struct accesslog *accesslog;
	struct worker *workers[WORKERS_MAX + 1]; /* the admin thread last */
	unsigned worker_count;
	unsigned joined;  /* of the workers, when they stop */
	int64_t stop_ns;  /* the end of the grace time, when it stops */
	bool is_only_one; /* that stops: the service goes on in other processes */
	char error[512];
};

/* A worker process: parts in order ------------------------------------------------------------------------------------- */

static bool fail(struct process *process, const char *what)
{
	snprintf(process->error, sizeof(process->error), "%s: %s", what, strerror(errno));
	return false;
}

static bool test_libfcgi(struct process *process)
{
	struct loop *loop = loop_new(&(struct loop_options){ .stack_size = 65536, .tasks_max = 1 });
	bool passed;

	if (!loop)
		return fail(process, "event loop");
	loop_adopt(loop);
	passed = fcgi_init(loop, process->error, sizeof(process->error));
	loop_release(loop);
	loop_free(loop);
	return passed;
}

static bool open_accesslog(struct process *process)
{
	const char *path = process->plan->settings->access_log;

	if (path[0] == '\0')
		return true;
	process->accesslog = accesslog_open(path, process->plan->worker_count, process->error, sizeof(process->error));
	return process->accesslog != NULL;
}

static bool has_database(const struct settings *settings)
{
	return settings->database_url[0] != '\0';
}

/* To the primary, and to standbys. */
static unsigned count_sets(const struct settings *settings)
{
	return settings->database_read_url[0] == '\0' ? 1 : 2;
}

static bool make_database_parts(struct process *process)
{
	const struct settings *settings = process->plan->settings;
	unsigned queue = (unsigned)settings->offload_queue;

	if (!has_database(settings))
		return true;
	process->connecting = offload_new(process->plan->worker_count * count_sets(settings) + LENDING_THREADS, queue);
	process->cancelling = offload_new(CANCELLING_THREADS, queue);
	if (!process->connecting || !process->cancelling)
		return fail(process, "threads that connect to the database");
	process->lend = lend_new(settings, process->plan->lent_most, process->connecting);
	process->notify = notify_new(settings);
	return true;
}

static bool make_shared_parts(struct process *process)
{
	const struct settings *settings = process->plan->settings;

	process->admin_router = router_new(admin_tables, process->error, sizeof(process->error));
	if (!process->admin_router)
		return false;
	process->poller = poller_new((unsigned)settings->connections_max, (unsigned)settings->requests_max, true);
	process->admin_poller = poller_new(ADMIN_CONNECTIONS, ADMIN_TASKS, false);
	if (!process->poller || !process->admin_poller)
		return fail(process, "epoll");
	process->offload = offload_new((unsigned)settings->offload_threads, (unsigned)settings->offload_queue);
	if (!process->offload)
		return fail(process, "offload threads");
	process->background = background_new((unsigned)settings->after_threads, (unsigned)settings->after_queue,
					     settings->after_wait * CLOCK_MS);
	process->resolving = offload_new(RESOLVING_THREADS, (unsigned)settings->offload_queue);
	if (!process->resolving)
		return fail(process, "threads that look names up");
	fetcher_setup();
	process->topics = topics_new((unsigned)settings->events_queue);
	process->flights = flights_new();
	process->kept = kept_new((size_t)settings->coalesce_keep);
	return make_database_parts(process) && open_accesslog(process);
}

static bool start_worker(struct process *process, bool is_admin)
{
	const struct plan *plan = process->plan;
	const struct worker_options options = {
		.process = process->index,
		.thread = process->worker_count,
		.settings = plan->settings,
		.poller = is_admin ? process->admin_poller : process->poller,
		.router = is_admin ? process->admin_router : plan->router,
		.middleware = is_admin ? NULL : plan->service->middleware,
		.offload = process->offload,
		.background = process->background,
		.topics = process->topics,
		.flights = process->flights,
		.kept = process->kept,
		.resolving = process->resolving,
		.connecting = process->connecting,
		.cancelling = process->cancelling,
		.accesslog = is_admin ? NULL : process->accesslog,
		.lend = is_admin ? NULL : process->lend,
		.notify = is_admin ? NULL : process->notify,
		.is_admin = is_admin,
		.tasks_max = is_admin ? ADMIN_TASKS : TASKS_A_REQUEST * (unsigned)plan->settings->requests_max,
	};
	struct worker *worker = worker_start(&options, process->error, sizeof(process->error));

	if (worker)
		process->workers[process->worker_count++] = worker;
	return worker != NULL;
}

static bool start_workers(struct process *process)
{
	const struct plan *plan = process->plan;
	const struct admin_facts facts = { .version = plan->service->version,
					   .processes = (unsigned)plan->settings->processes,
					   .worker_threads = plan->worker_count,
					   .has_database = has_database(plan->settings),
					   .routes = router_routes(plan->router) };

	admin_init(&facts);
	while (process->worker_count < plan->worker_count)
		if (!start_worker(process, false))
			return false;
	if (plan->admin_listeners.count > 0 && !start_worker(process, true))
		return false;
	if (!poller_listen(process->poller, plan->listeners.fds, plan->listeners.count) ||
	    !poller_listen(process->admin_poller, plan->admin_listeners.fds, plan->admin_listeners.count))
		return fail(process, "listening");
	return true;
}

/* Stopping -------------------------------------------------------------------------------------------------------------- */

/* The admin thread, the last one, answers until the others have ended. */
static bool join_until(struct process *process, int64_t deadline_ns)
{
	for (; process->joined < process->worker_count; process->joined++) {
		if (process->joined == process->plan->worker_count)
			worker_stop(process->workers[process->joined]);
		if (!worker_join(process->workers[process->joined], deadline_ns))
			return false;
	}
	return true;
}

static void each_worker(struct process *process, void (*fn)(struct worker *worker))
{
	for (unsigned i = process->joined; i < process->plan->worker_count; i++)
		fn(process->workers[i]);
}

/* Something does not end: the process ends without it. */
static _Noreturn void leave(struct process *process, const char *what)
{
	log_error("process %d: %s does not end; the process ends without it", (int)getpid(), what);
	if (!accesslog_finish(process->accesslog))
		log_error("access log: it does not take its last lines");
	_exit(EXIT_SUCCESS);
}

static void stop_pool(struct process *process, struct offload *offload, const char *what)
{
	if (offload && !offload_stop(offload, clock_now_ns() + LAST_CHANCE_MS * CLOCK_MS))
		leave(process, what);
}

/* Nothing is taken down, and nothing freed: what crashed holds it still, malloc's lock maybe. */
static _Noreturn void end_crashed(struct process *process)
{
	log_info("process %d: ends after its crash; its other requests have ended", (int)getpid());
	if (!accesslog_finish(process->accesslog))
		log_error("access log: it does not take its last lines");
	_exit(EXIT_FAILURE);
}

/* Work after replies has what is left of the grace time. */
static void stop_background(struct process *process)
{
	int64_t least_ns = clock_now_ns() + LAST_CHANCE_MS * CLOCK_MS;

	if (!background_stop(process->background, process->stop_ns > least_ns ? process->stop_ns : least_ns))
		log_error("process %d: the grace time ends before work after replies: %u pieces are lost",
			  (int)getpid(), background_left(process->background));
}

/* Calls that outlive their requests: nobody waits for what they bring. */
static int stop_offload(struct process *process)
{
	stop_background(process);
	if (crash_has_happened())
		end_crashed(process);
	if (background_left(process->background) > 0)
		leave(process, "work after a reply");
	if (process->notify && !notify_stop(process->notify, clock_now_ns() + LAST_CHANCE_MS * CLOCK_MS))
		leave(process, "the listener");
	if (process->lend)
		lend_stop(process->lend);
	stop_pool(process, process->offload, "an offloaded call");
	stop_pool(process, process->resolving, "the lookup of a name");
	stop_pool(process, process->connecting, "an attempt to connect to the database");
	stop_pool(process, process->cancelling, "a cancel");
	return EXIT_SUCCESS;
}

/* New work is for others, if there are any, or for nobody. */
static void refuse_work(struct process *process)
{
	const struct timespec moment = { .tv_nsec = ON_THEIR_WAY_MS * CLOCK_MS };

	if (crash_has_happened())
		poller_drain(process->admin_poller, true); /* the service is ready: others say so */
	else
		admin_set_draining();
	poller_drain(process->poller, process->is_only_one);
	crash_work_is_refused();
	topics_close(process->topics);
	if (process->is_only_one)
		nanosleep(&moment, NULL);
}

/* Requests in flight have the grace time; then they are cancelled and answer 503; then the process ends. */
static int stop(struct process *process)
{
	const struct settings *settings = process->plan->settings;
	int64_t grace_ns = (crash_has_happened() ? settings->crash_grace : settings->grace) * CLOCK_MS;

	refuse_work(process);
	each_worker(process, worker_stop);
	process->stop_ns = clock_now_ns() + grace_ns;
	if (join_until(process, process->stop_ns))
		return stop_offload(process);
	log_warn("process %d: requests still run after the grace time; they are cancelled", (int)getpid());
	each_worker(process, worker_cancel);
	if (join_until(process, clock_now_ns() + LAST_CHANCE_MS * CLOCK_MS))
		return stop_offload(process);
	leave(process, "a handler");
}

static void free_shared_parts(struct process *process)
{
	accesslog_close(process->accesslog);
	offload_free(process->offload);
	background_free(process->background);
	offload_free(process->resolving);
	offload_free(process->connecting);
	offload_free(process->cancelling);
	for (unsigned i = 0; i < process->worker_count; i++)
		worker_free(
			process->workers[i]); /* what was posted to their loops runs now, and may use the following */
	lend_free(process->lend);
	notify_free(process->notify);
	topics_free(process->topics);
	flights_free(process->flights);
	kept_free(process->kept);
	poller_free(process->poller);
	poller_free(process->admin_poller);
	router_free(process->admin_router);
}

/* The main thread -------------------------------------------------------------------------------------------------------- */

static int take_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGUSR1, SIG_DFL); /* ignored signals never reach a signalfd */
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Until TERM; USR1 reopens the access log. When the lifeline ends the supervisor is gone, and nothing may be left behind. */
static void wait_for_term(struct process *process, int signals, int lifeline)
{
	struct pollfd wait[] = { { .fd = signals, .events = POLLIN }, { .fd = lifeline, .events = POLLIN } };
	struct signalfd_siginfo info;

	for (;;) {
		int count = poll(wait, 2, process->lend || keyfile_is_any() ? UPKEEP_MS : -1);

		if (process->lend)
			lend_tick(process->lend);
		keyfile_refresh();
		if (count <= 0)
			continue;
		if (wait[1].revents)
			_exit(EXIT_FAILURE);
		if (read(signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo == SIGTERM) {
			/* The supervisor stops all of them; anybody else means this one. */
			process->is_only_one = (pid_t)info.ssi_pid != getppid() &&
					       (process->plan->settings->processes > 1 || crash_has_happened());
			return;
		}
		if (info.ssi_signo == SIGUSR1 && process->accesslog)
			accesslog_reopen(process->accesslog);
	}
}

/* In the signal handler of a thread that crashed: another process starts, and the main thread stops this one. */
static void leave_after_crash(void)
{
	supervisor_leave();
	kill(getpid(), SIGTERM);
}

/* What a task is given is a connection or shared work. */
static bool describe_task(void *arg, struct crash_subject *ret_subject)
{
	const struct flight *flight = flight_of_task(arg);

	return flight ? flight_describe(flight, ret_subject) : abandon_describe(arg, ret_subject);
}

static void answer_task(void *arg)
{
	struct flight *flight = flight_of_task(arg);

	if (flight)
		flight_fail(flight, LEAT_INTERNAL);
	else
		abandon_answer(arg);
}

static void refuse_task(void *arg)
{
	struct flight *flight = flight_of_task(arg);

	if (flight)
		flight_fail(flight, LEAT_UNAVAILABLE);
	else
		abandon_refuse(arg);
}

static void bury_task(void *arg)
{
	const struct flight *flight = flight_of_task(arg);

	if (!flight)
		abandon_bury(arg);
	else if (flight_serving(flight))
		db_abandon(flight_serving(flight));
}

static void expect_crashes(const struct process *process)
{
	static struct crash_plan plan;

	plan = (struct crash_plan){ .process = process->index,
				    .contains = process->plan->settings->crash_grace > 0,
				    .describe = describe_task,
				    .answer = answer_task,
				    .refuse = refuse_task,
				    .leave = leave_after_crash,
				    .bury = bury_task };
	crash_init(&plan);
}

static int run(void *arg, unsigned index, int lifeline)
{
	struct process *process = calloc(1, sizeof(*process));
	int signals = take_signals();
	int status;

	if (!process)
		check_out_of_memory(sizeof(*process), "a process");
	process->plan = arg;
	process->index = index;
	expect_crashes(process);
	metrics_attach(index, process->plan->worker_count + 1);
	keyfile_refresh(); /* the supervisor has what was there at the start */
	if (signals < 0 || !test_libfcgi(process) || !make_shared_parts(process) || !start_workers(process)) {
		log_error("%s", process->error);
		_exit(SUPERVISOR_FATAL); /* threads that started are not waited for */
	}
	wait_for_term(process, signals, lifeline);
	status = stop(process);
	free_shared_parts(process);
	close(signals);
	free(process);
	return status;
}

/* The supervisor's side ------------------------------------------------------------------------------------------------- */

static bool open_sockets(struct plan *plan)
{
	const struct settings *settings = plan->settings;
	char error[512];

	if (!listen_inherit(&plan->listeners) && !listen_open(&plan->listeners, settings->listen, settings->listen_mode,
							      settings->listen_backlog, error, sizeof(error))) {
		log_error("%s", error);
		return false;
	}
	if (!listen_open(&plan->admin_listeners, settings->admin_listen, settings->listen_mode,
			 settings->listen_backlog, error, sizeof(error))) {
		log_error("%s (setting admin_listen)", error);
		listen_close(&plan->listeners, true);
		return false;
	}
	return true;
}

static void raise_open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			log_warn("the limit of open files stays as it is: %s", strerror(errno));
	}
}

static unsigned count_workers(const struct settings *settings)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t count = settings->workers ? settings->workers : processors > 0 ? processors : 1;

	return (unsigned)(count < WORKERS_MAX ? count : WORKERS_MAX);
}

/* Lanes are fixed. What they leave of db_connections_max is shared out evenly: one to listen for each process, the rest to lend. */
static bool share_connections(struct plan *plan)
{
	const struct settings *settings = plan->settings;
	int64_t lanes = settings->processes * plan->worker_count * settings->db_lanes * count_sets(settings);
	int64_t share = (settings->db_connections_max - lanes) / settings->processes - 1;

	plan->lent_most = (unsigned)settings->db_lent_max;
	if (settings->db_connections_max == 0 || share >= settings->db_lent_max)
		return true;
	if (share < 1) {
		log_error("db_connections_max = %" PRId64 " is too low: processes x workers x db_lanes%s are %" PRId64
			  ", and each process needs two more at least, to lend and to listen",
			  settings->db_connections_max,
			  count_sets(settings) > 1 ? " x 2 (database_read_url is set)" : "", lanes);
		return false;
	}
	plan->lent_most = (unsigned)share;
	return true;
}

static void announce(const struct plan *plan)
{
	char where[256];

	for (unsigned i = 0; i < plan->listeners.count; i++) {
		listen_describe(plan->listeners.fds[i], where, sizeof(where));
		log_info("%s %s listens on %s: %d processes of %u workers", plan->service->name, plan->service->version,
			 where, (int)plan->settings->processes, plan->worker_count);
	}
}

static bool make_router(struct plan *plan)
{
	char error[8192];
	struct routes_faults faults = { .text = error, .size = sizeof(error) };
	const char *fault;

	plan->router = router_new(plan->service->routes, error, sizeof(error));
	if (!plan->router || !middleware_check(plan->service->middleware, router_routes(plan->router), &faults)) {
		for (char *line = strtok(error, "\n"); line; line = strtok(NULL, "\n"))
			log_error("%s", line);
		return false;
	}
	fault = breakers_fault();
	if (!fault)
		fault = semaphores_fault();
	if (fault)
		log_error("%s", fault);
	openapi_setup(plan->service, router_routes(plan->router));
	router_limit_steps(plan->router, (uint32_t)plan->settings->route_match_limit);
	return !fault;
}

int process_serve(const struct leat_service *service, const struct settings *settings)
{
	struct plan plan = { .service = service, .settings = settings, .worker_count = count_workers(settings) };
	const struct supervisor_plan supervision = { .processes = (unsigned)settings->processes,
						     .grace_ms = settings->grace,
						     .leave_ms = settings->crash_grace,
						     .is_in_turn = settings->db_connections_max > 0,
						     .same_ask_ms = 100,
						     .run = run,
						     .arg = &plan };
	int status;

	if (!make_router(&plan) || (has_database(settings) && !share_connections(&plan)) || !open_sockets(&plan)) {
		router_free(plan.router);
		return EXIT_FAILURE;
	}
	raise_open_files();
	mallopt(M_MMAP_THRESHOLD,
		1 << 20); /* large pieces go back to the system when freed; left to itself, glibc stops doing so */
	mallopt(M_MXFAST,
		0); /* libfcgi frees its 8 KiB buffers after each request: each would merge all small free pieces */
	metrics_create(SUPERVISOR_SEATS((unsigned)settings->processes), plan.worker_count + 2);
	metrics_route_create(router_routes(plan.router)->count);
	bucket_table_create((uint32_t)settings->rate_keys);
	breakers_create();
	semaphores_create();
	announce(&plan);
	status = supervisor_run(&supervision);
	listen_close(&plan.listeners, true);
	listen_close(&plan.admin_listeners, true);
	router_free(plan.router);
	openapi_close();
	keyfile_close();
	return status;
}
