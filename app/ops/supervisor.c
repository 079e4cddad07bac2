/* supervisor.c - see supervisor.h. Called by process.c, which opened the listeners before. One loop: start what is
 * due, sleep until a signal or the next date, bury the dead. Who is to be started when is respawn.c.
 *
 * A place is one of the processes that are to run. A child has a seat (and its slots in the metrics), and a place until it leaves. */
#include "ops/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/shared.h"
#include "ops/respawn.h"

static const int64_t grace_margin_ns = 2 * CLOCK_S; /* a child gives up its last work and closes its log */
static const int64_t starting_ns = 10 * CLOCK_S;

static const int awaited_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD };
static const int ignored_signals[] = { SIGINT, SIGHUP, SIGUSR1, SIGPIPE }; /* in a new child */

struct child {
	pid_t pid; /* 0: does not run */
	unsigned place;
	bool is_leaving;
	int64_t kill_ns; /* then */
};

struct place {
	struct child *child; /* NULL: nobody */
	struct respawn respawn;
};

struct supervisor {
	const struct supervisor_plan *plan;
	struct child *children; /* by seat */
	struct place *places;
	unsigned seats;
	atomic_bool *leaves; /* by seat, shared with the children, who set it */
	pid_t pid;
	int lifeline[2]; /* nothing is ever written; children see the end when the write end closes */
	sigset_t awaited;
	sigset_t stop_signals; /* those received so far */
	int64_t started_ns;
	int64_t asked_ns; /* when the last of them was new */
	int64_t kill_ns;  /* CLOCK_NEVER until it is stopping, and again once all are killed */
	bool is_stopping;
	int exit_status;
};

/* In a child. */
static atomic_bool *own_leaves;
static pid_t own_supervisor;

static bool open_supervisor(struct supervisor *s, const struct supervisor_plan *plan);
static void start_due(struct supervisor *s);
static int wait_for_signal(const struct supervisor *s);
static void take_signal(struct supervisor *s, int signal_number);
static void see_who_leaves(struct supervisor *s);
static void bury(struct supervisor *s);
static void kill_overdue(struct supervisor *s);

static unsigned running(const struct supervisor *s)
{
	unsigned count = 0;

	for (unsigned i = 0; i < s->seats; i++)
		count += s->children[i].pid != 0;
	return count;
}

int supervisor_run(const struct supervisor_plan *plan)
{
	struct supervisor s;

	if (!open_supervisor(&s, plan))
		return 1;
	while (!s.is_stopping || running(&s)) {
		start_due(&s);
		take_signal(&s, wait_for_signal(&s));
		see_who_leaves(&s);
		bury(&s);
		kill_overdue(&s);
	}
	close(s.lifeline[0]);
	close(s.lifeline[1]);
	free(s.children);
	free(s.places);
	munmap(s.leaves, s.seats * sizeof(*s.leaves));
	log_info("supervisor: stopped");
	return s.exit_status;
}

static void block_signals(sigset_t *awaited)
{
	sigset_t blocked;

	sigemptyset(awaited);
	for (size_t i = 0; i < sizeof(awaited_signals) / sizeof(awaited_signals[0]); i++)
		sigaddset(awaited, awaited_signals[i]);
	blocked = *awaited;
	sigaddset(&blocked, SIGPIPE); /* the log's reader may leave */
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	signal(SIGCHLD, SIG_DFL); /* were it ignored, the kernel would bury the children itself */
}

static bool open_supervisor(struct supervisor *s, const struct supervisor_plan *plan)
{
	*s = (struct supervisor){ .plan = plan, .pid = getpid(), .started_ns = clock_now_ns(), .kill_ns = CLOCK_NEVER };
	if (pipe(s->lifeline) < 0) {
		log_error("supervisor: pipe: %s", strerror(errno));
		return false;
	}
	fcntl(s->lifeline[0], F_SETFD, FD_CLOEXEC);
	fcntl(s->lifeline[1], F_SETFD, FD_CLOEXEC);
	s->seats = SUPERVISOR_SEATS(plan->processes);
	s->children = calloc(s->seats, sizeof(*s->children));
	s->places = calloc(plan->processes, sizeof(*s->places));
	s->leaves = shared_memory(s->seats * sizeof(*s->leaves), "supervisor");
	if (!s->children || !s->places)
		check_out_of_memory(s->seats * sizeof(*s->children), "supervisor");
	sigemptyset(&s->stop_signals);
	block_signals(&s->awaited);
	return true;
}

/* Starting -------------------------------------------------------------------------------------------------------- */

static void reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	for (size_t i = 0; i < sizeof(ignored_signals) / sizeof(ignored_signals[0]); i++)
		signal(ignored_signals[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The supervisor may have died between fork and prctl: then nobody would ever end this child. */
static void die_with_supervisor(pid_t supervisor)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != supervisor)
		_exit(1);
}

static _Noreturn void run_child(const struct supervisor *s, unsigned seat)
{
	own_leaves = &s->leaves[seat];
	own_supervisor = s->pid;
	die_with_supervisor(s->pid);
	close(s->lifeline[1]);
	metrics_enter(seat);
	reset_signals();
	exit(s->plan->run(s->plan->arg, seat, s->lifeline[0]));
}

void supervisor_leave(void)
{
	atomic_store(own_leaves, true);
	kill(own_supervisor, SIGUSR2);
}

/* The place's own, as long as nobody leaves from there. */
static struct child *free_seat(const struct supervisor *s, unsigned place)
{
	if (s->children[place].pid == 0)
		return &s->children[place];
	for (unsigned i = s->plan->processes; i < s->seats; i++)
		if (s->children[i].pid == 0)
			return &s->children[i];
	return NULL;
}

static void start(struct supervisor *s, unsigned number, struct child *child)
{
	struct place *place = &s->places[number];
	unsigned seat = (unsigned)(child - s->children);
	pid_t pid;

	fflush(NULL); /* or the child would write it again */
	atomic_store(&s->leaves[seat], false);
	pid = fork();
	if (pid == 0)
		run_child(s, seat);
	if (pid < 0) {
		respawn_ended(&place->respawn, clock_now_ns());
		log_error("supervisor: cannot start worker process %u: fork: %s; next try in %lld ms", number,
			  strerror(errno), (long long)(place->respawn.pause_ns / CLOCK_MS));
		return;
	}
	*child = (struct child){ .pid = pid, .place = number, .kill_ns = CLOCK_NEVER };
	place->child = child;
	respawn_started(&place->respawn, clock_now_ns());
	metrics_add(METRIC_WORKER_STARTS, 1);
	log_info("supervisor: worker process %u started, pid %d", number, (int)pid);
}

static bool is_due(const struct supervisor *s, unsigned place, int64_t now_ns)
{
	return !s->is_stopping && !s->places[place].child && respawn_is_due(&s->places[place].respawn, now_ns);
}

static void start_due(struct supervisor *s)
{
	int64_t now_ns = clock_now_ns();

	for (unsigned i = 0; i < s->plan->processes; i++) {
		struct child *seat = is_due(s, i, now_ns) ? free_seat(s, i) : NULL;

		if (seat)
			start(s, i, seat);
	}
}

/* Waiting --------------------------------------------------------------------------------------------------------- */

static int64_t next_date(const struct supervisor *s)
{
	int64_t date_ns = s->kill_ns;

	for (unsigned i = 0; i < s->plan->processes && !s->is_stopping; i++)
		if (s->places[i].respawn.due_ns < date_ns && free_seat(s, i))
			date_ns = s->places[i].respawn.due_ns;
	for (unsigned i = 0; i < s->seats; i++)
		if (s->children[i].pid != 0 && s->children[i].kill_ns < date_ns)
			date_ns = s->children[i].kill_ns;
	return date_ns;
}

/* The signal, or -1 when a date came first. */
static int wait_for_signal(const struct supervisor *s)
{
	int64_t date_ns = next_date(s);
	int64_t left_ns = date_ns - clock_now_ns();
	struct timespec timeout;

	if (date_ns == CLOCK_NEVER)
		return sigwaitinfo(&s->awaited, NULL);
	if (left_ns < 0)
		left_ns = 0;
	timeout = (struct timespec){ .tv_sec = left_ns / CLOCK_S, .tv_nsec = left_ns % CLOCK_S };
	return sigtimedwait(&s->awaited, NULL, &timeout);
}

/* Stopping -------------------------------------------------------------------------------------------------------- */

static void signal_all(const struct supervisor *s, int signal_number)
{
	for (unsigned i = 0; i < s->seats; i++)
		if (s->children[i].pid)
			kill(s->children[i].pid, signal_number);
}

static void kill_all(struct supervisor *s, const char *why)
{
	log_warn("supervisor: %s; killing %u worker processes", why, running(s));
	signal_all(s, SIGKILL);
	s->kill_ns = CLOCK_NEVER;
}

static void begin_stop(struct supervisor *s)
{
	s->is_stopping = true;
	s->kill_ns = clock_now_ns() + s->plan->grace_ms * CLOCK_MS + grace_margin_ns;
	signal_all(s, SIGTERM);
}

static void take_stop_signal(struct supervisor *s, int signal_number)
{
	const char *name = signal_number == SIGTERM ? "TERM" : "INT";
	int64_t now_ns = clock_now_ns();

	if (sigismember(&s->stop_signals, signal_number)) {
		if (now_ns - s->asked_ns >= s->plan->same_ask_ms * CLOCK_MS)
			kill_all(s, "asked twice to stop");
		return;
	}
	s->asked_ns = now_ns;
	sigaddset(&s->stop_signals, signal_number);
	if (!s->is_stopping) {
		log_info("supervisor: %s: stopping; requests in flight have %lld ms", name,
			 (long long)s->plan->grace_ms);
		begin_stop(s);
	}
}

static void take_signal(struct supervisor *s, int signal_number)
{
	if (signal_number == SIGTERM || signal_number == SIGINT)
		take_stop_signal(s, signal_number);
	else if (signal_number == SIGHUP || signal_number == SIGUSR1)
		signal_all(s, signal_number);
}

static void kill_leaving(struct child *child, const char *why)
{
	log_warn("supervisor: worker process %u, pid %d, had to leave: %s; it is killed", child->place, (int)child->pid,
		 why);
	kill(child->pid, SIGKILL);
	child->kill_ns = CLOCK_NEVER;
}

static void kill_overdue(struct supervisor *s)
{
	int64_t now_ns = clock_now_ns();

	if (now_ns >= s->kill_ns && running(s))
		kill_all(s, "the grace time has passed");
	for (unsigned i = 0; i < s->seats; i++)
		if (s->children[i].pid != 0 && now_ns >= s->children[i].kill_ns)
			kill_leaving(&s->children[i], "it does not end");
}

/* Leaving --------------------------------------------------------------------------------------------------------- */

/* The one that has left first makes room. */
static void make_room(struct supervisor *s)
{
	struct child *oldest = NULL;

	for (unsigned i = 0; i < s->seats; i++) {
		struct child *child = &s->children[i];

		if (child->pid == 0)
			return;
		if (child->is_leaving && child->kill_ns != CLOCK_NEVER && (!oldest || child->kill_ns < oldest->kill_ns))
			oldest = child;
	}
	if (oldest)
		kill_leaving(oldest, "too many leave");
}

static void leaves(struct supervisor *s, struct child *child)
{
	struct place *place = &s->places[child->place];
	int64_t now_ns = clock_now_ns();

	child->is_leaving = true;
	child->kill_ns = now_ns + s->plan->leave_ms * CLOCK_MS + grace_margin_ns;
	if (!s->plan->is_in_turn)
		place->child = NULL;
	metrics_add(METRIC_WORKER_CRASHES, 1);
	respawn_leaves(&place->respawn, now_ns);
	log_error("supervisor: worker process %u, pid %d, leaves after a crash; its other requests have %lld ms; the "
		  "next starts in %lld ms%s",
		  child->place, (int)child->pid, (long long)s->plan->leave_ms,
		  (long long)((place->respawn.due_ns - now_ns) / CLOCK_MS),
		  s->plan->is_in_turn ? ", or when it has ended" : "");
	make_room(s);
}

static void see_who_leaves(struct supervisor *s)
{
	for (unsigned i = 0; i < s->seats; i++) {
		struct child *child = &s->children[i];

		if (child->pid != 0 && !child->is_leaving && !s->is_stopping && atomic_load(&s->leaves[i]))
			leaves(s, child);
	}
}

/* Burying --------------------------------------------------------------------------------------------------------- */

static void describe_end(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "killed by signal %d (%s)%s", WTERMSIG(status), strsignal(WTERMSIG(status)),
			 WCOREDUMP(status) ? ", core dumped" : "");
	else
		snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
}

static void ended_on_its_own(struct supervisor *s, unsigned number, pid_t pid, int status, const char *how)
{
	struct place *place = &s->places[number];
	int64_t now_ns = clock_now_ns();

	metrics_add(METRIC_WORKER_CRASHES, 1);
	respawn_ended(&place->respawn, now_ns);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SUPERVISOR_FATAL && now_ns - s->started_ns < starting_ns) {
		log_error("supervisor: worker process %u, pid %d, cannot work, for the reason it logged; the service "
			  "ends",
			  number, (int)pid);
		s->exit_status = 1;
		begin_stop(s);
		return;
	}
	log_error("supervisor: worker process %u, pid %d, %s; the next starts in %lld ms", number, (int)pid, how,
		  (long long)(place->respawn.pause_ns / CLOCK_MS));
}

static void ended(struct supervisor *s, unsigned seat, int status)
{
	const struct child child = s->children[seat];
	char how[128];

	describe_end(status, how, sizeof(how));
	s->children[seat].pid = 0;
	if (s->places[child.place].child == &s->children[seat])
		s->places[child.place].child = NULL;
	metrics_clear_gauges(seat);
	if (s->is_stopping || child.is_leaving)
		log_info("supervisor: worker process %u, pid %d, %s", child.place, (int)child.pid, how);
	else
		ended_on_its_own(s, child.place, child.pid, status, how);
}

/* Processes that are not ours, as an init process inherits them, are buried without a word. */
static void bury(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < s->seats; i++)
			if (s->children[i].pid == pid)
				ended(s, i, status);
}
