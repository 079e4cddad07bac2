/* supervisor.c - see supervisor.h. Called by process.c, which opened the listeners before. One loop: start what is
 * due, sleep until a signal or the next date, bury the dead. Who is to be started when is respawn.c. */
#include "ops/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ops/respawn.h"

static const int64_t grace_margin_ns = 2 * CLOCK_S; /* a child gives up its last work and closes its log */
static const int64_t starting_ns = 10 * CLOCK_S;

static const int awaited_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };
static const int ignored_signals[] = { SIGINT, SIGHUP, SIGUSR1, SIGPIPE }; /* in a new child */

struct child {
	pid_t pid; /* 0: does not run */
	struct respawn respawn;
};

struct supervisor {
	const struct supervisor_plan *plan;
	struct child *children;
	pid_t pid;
	int lifeline[2]; /* nothing is ever written; children see the end when the write end closes */
	sigset_t awaited;
	sigset_t stop_signals; /* those received so far */
	int64_t started_ns;
	int64_t asked_ns; /* when the last of them was new */
	int64_t kill_ns; /* CLOCK_NEVER until it is stopping, and again once all are killed */
	bool is_stopping;
	int exit_status;
};

static bool open_supervisor(struct supervisor *s, const struct supervisor_plan *plan);
static void start_due(struct supervisor *s);
static int wait_for_signal(const struct supervisor *s);
static void take_signal(struct supervisor *s, int signal_number);
static void bury(struct supervisor *s);
static void kill_overdue(struct supervisor *s);

static unsigned running(const struct supervisor *s)
{
	unsigned count = 0;

	for (unsigned i = 0; i < s->plan->processes; i++)
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
		bury(&s);
		kill_overdue(&s);
	}
	close(s.lifeline[0]);
	close(s.lifeline[1]);
	free(s.children);
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
	s->children = calloc(plan->processes, sizeof(*s->children));
	if (!s->children)
		check_out_of_memory(plan->processes * sizeof(*s->children), "supervisor");
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

static _Noreturn void run_child(const struct supervisor *s, unsigned process)
{
	die_with_supervisor(s->pid);
	close(s->lifeline[1]);
	metrics_enter(process);
	reset_signals();
	exit(s->plan->run(s->plan->arg, process, s->lifeline[0]));
}

static void start(struct supervisor *s, unsigned process)
{
	struct child *child = &s->children[process];
	pid_t pid;

	fflush(NULL); /* or the child would write it again */
	pid = fork();
	if (pid == 0)
		run_child(s, process);
	if (pid < 0) {
		respawn_ended(&child->respawn, clock_now_ns());
		log_error("supervisor: cannot start worker process %u: fork: %s; next try in %lld ms", process,
			  strerror(errno), (long long)(child->respawn.pause_ns / CLOCK_MS));
		return;
	}
	child->pid = pid;
	respawn_started(&child->respawn, clock_now_ns());
	metrics_add(METRIC_WORKER_STARTS, 1);
	log_info("supervisor: worker process %u started, pid %d", process, (int)pid);
}

static void start_due(struct supervisor *s)
{
	int64_t now_ns = clock_now_ns();

	for (unsigned i = 0; i < s->plan->processes && !s->is_stopping; i++)
		if (respawn_is_due(&s->children[i].respawn, now_ns))
			start(s, i);
}

/* Waiting --------------------------------------------------------------------------------------------------------- */

static int64_t next_date(const struct supervisor *s)
{
	int64_t date_ns = s->kill_ns;

	for (unsigned i = 0; i < s->plan->processes && !s->is_stopping; i++)
		if (s->children[i].respawn.due_ns < date_ns)
			date_ns = s->children[i].respawn.due_ns;
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
	for (unsigned i = 0; i < s->plan->processes; i++)
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

static void kill_overdue(struct supervisor *s)
{
	if (clock_now_ns() >= s->kill_ns && running(s))
		kill_all(s, "the grace time has passed");
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

static void ended_on_its_own(struct supervisor *s, unsigned process, pid_t pid, int status, const char *how)
{
	struct respawn *respawn = &s->children[process].respawn;
	int64_t now_ns = clock_now_ns();

	metrics_add(METRIC_WORKER_CRASHES, 1);
	respawn_ended(respawn, now_ns);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SUPERVISOR_FATAL && now_ns - s->started_ns < starting_ns) {
		log_error("supervisor: worker process %u, pid %d, cannot work, for the reason it logged; the service "
			  "ends",
			  process, (int)pid);
		s->exit_status = 1;
		begin_stop(s);
		return;
	}
	log_error("supervisor: worker process %u, pid %d, %s; the next starts in %lld ms", process, (int)pid, how,
		  (long long)(respawn->pause_ns / CLOCK_MS));
}

static void ended(struct supervisor *s, unsigned process, int status)
{
	pid_t pid = s->children[process].pid;
	char how[128];

	describe_end(status, how, sizeof(how));
	s->children[process].pid = 0;
	metrics_clear_gauges(process);
	if (s->is_stopping)
		log_info("supervisor: worker process %u, pid %d, %s", process, (int)pid, how);
	else
		ended_on_its_own(s, process, pid, status, how);
}

/* Processes that are not ours, as an init process inherits them, are buried without a word. */
static void bury(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < s->plan->processes; i++)
			if (s->children[i].pid == pid)
				ended(s, i, status);
}
