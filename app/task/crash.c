/* crash.c - see crash.h, which says what holds and why. Between the kernel, which tells of a crash, and those who know whose it is: task.c and
 * offload.c for their threads, front/abandon.c for requests.
 *
 * 'on_fault' is the way of a crash. Steps that read what may be broken run guarded: a fault in one of them ends that step. */
#include "task/crash.h"

#include <errno.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/annotate.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "task/crash_report.h"
#include "task/stack.h"

static const int fault_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
enum { FAULT_SIGNALS = sizeof(fault_signals) / sizeof(fault_signals[0]) };

static const struct crash_plan *plan;
static atomic_uint crashes;
static atomic_bool work_is_refused;

bool crash_has_happened(void)
{
	return atomic_load(&crashes) > 0;
}

void crash_unblock(sigset_t *blocked)
{
	for (int i = 0; i < FAULT_SIGNALS; i++)
		sigdelset(blocked, fault_signals[i]);
}

void crash_work_is_refused(void)
{
	atomic_store(&work_is_refused, true);
}

bool crash_describe(void *arg, struct crash_subject *ret_subject)
{
	return plan && plan->describe(arg, ret_subject);
}

void crash_answer(void *arg)
{
	plan->answer(arg);
}

void crash_refuse(void *arg)
{
	plan->refuse(arg);
}

void crash_bury(void *arg)
{
	plan->bury(arg);
}

#if defined(LEAT_WITH_ASAN) || defined(LEAT_WITH_TSAN)

void crash_init(const struct crash_plan *new_plan)
{
	plan = new_plan;
}

void crash_enter_thread(const struct crash_kind *kind)
{
	(void)kind;
}

void crash_leave_thread(void)
{
}

#else

enum {
	SIGNAL_STACK = 65536, /* and what the processor's state takes */
	TRIAL_SIZE = 65536,   /* neither from malloc's caches of small pieces nor mapped: it takes the lock */
	TRIAL_MS = 500,
	OTHER_MS = 2000, /* for another thread's signal handler */
	REFUSE_MS = 200, /* for the main thread to see that no new work is taken */
	FIRST_DESCRIPTOR = 3,
};

/* A crash in the making. */
struct crash {
	int signal_number;
	void *running;
	bool is_of_request;
	bool is_contained;
	struct crash_subject subject;
	struct crash_facts facts;
};

static _Thread_local struct {
	const struct crash_kind *kind;
	char *stack;
	size_t stack_size;
	sigjmp_buf *guard; /* of the step that runs guarded */
	bool is_in_handler;
} here;

static atomic_bool first_is_done; /* what its signal handler had to do */
static size_t guard_size;

/* Steps ---------------------------------------------------------------------------------------------------------------- */

/* Whether it came to its end. */
static bool guarded(void (*step)(struct crash *crash), struct crash *crash)
{
	volatile bool is_done = false;
	sigjmp_buf guard;

	if (sigsetjmp(guard, 1) == 0) {
		here.guard = &guard;
		step(crash);
		is_done = true;
	}
	here.guard = NULL;
	return is_done;
}

static void describe(struct crash *crash)
{
	const char *low = here.kind->stack();
	const char *at = crash->facts.info->si_addr;

	crash->facts.is_overrun = low && crash->facts.info->si_code > 0 && at < low && at >= low - guard_size;
	crash->running = here.kind->running();
	crash->is_of_request = crash->running && here.kind->describe(crash->running, &crash->subject);
}

static void answer(struct crash *crash)
{
	here.kind->answer(crash->running);
}

static void report(struct crash *crash)
{
	crash_report_what(&crash->facts);
}

static void unwind(struct crash *crash)
{
	crash_report_unwind(&crash->facts);
}

static void report_way(struct crash *crash)
{
	crash_report_way(&crash->facts);
}

static void try_malloc(struct crash *crash)
{
	void *volatile piece = malloc(TRIAL_SIZE);

	(void)crash;
	free(piece);
}

/* A timer that interrupts this thread; glibc's own would allocate. */
static bool malloc_works(struct crash *crash)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGBUS };
	struct itimerspec limit = { .it_value = { .tv_nsec = TRIAL_MS * CLOCK_MS } };
	int timer;
	bool works;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) != 0)
		return false;
	works = syscall(SYS_timer_settime, timer, 0, &limit, NULL) == 0 && guarded(try_malloc, crash);
	syscall(SYS_timer_delete, timer);
	return works;
}

/* The end ---------------------------------------------------------------------------------------------------------------- */

/* Back to where it crashed, to crash again, with the core and the status that belong to it. */
static void die(int signal_number, const siginfo_t *info)
{
	signal(signal_number, SIG_DFL);
	if (info->si_code <= 0)
		raise(signal_number); /* somebody sent it: it would not */
}

/* True in the child, which is to die. Raw: fork would take malloc's lock. */
static bool fork_to_dump(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur == 0 || syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != 0)
		return false;
	syscall(SYS_close_range, FIRST_DESCRIPTOR, ~0U, 0); /* nobody waits for a connection that a dump holds open */
	return true;
}

static void wait_for(const atomic_bool *flag, int most_ms)
{
	const struct timespec moment = { .tv_nsec = CLOCK_MS };

	for (int i = 0; i < most_ms && !atomic_load(flag); i++)
		nanosleep(&moment, NULL);
}

static void say(const char *words)
{
	log_text(LOG_LEVEL_ERROR, leat_text_from(words));
}

static const char *why_process_ends(const struct crash *crash)
{
	if (!crash->is_of_request)
		return "crash: it is of no request that is known: the process ends at once";
	if (!plan->contains)
		return "crash: the process ends at once (setting crash_grace)";
	return "crash: it is the second of its process, which ends at once";
}

static void tell(struct crash *crash)
{
	guarded(report, crash);
	if (!guarded(unwind, crash))
		say("crash: the stack could not be read to its end");
	guarded(report_way, crash);
}

static void set_out(struct crash *crash)
{
	static const struct crash_kind nothing = { .where = "leat's own threads" };

	crash->facts.process = plan ? plan->process : 0;
	crash->facts.where = here.kind ? here.kind->where : nothing.where;
	if (here.kind && !guarded(describe, crash))
		crash->is_of_request = false;
	if (crash->is_of_request) {
		crash->facts.route = crash->subject.route;
		crash->facts.request_id = (leat_text){ crash->subject.id, crash->subject.id_len };
	}
	crash->is_contained = atomic_fetch_add(&crashes, 1) == 0 && crash->is_of_request && plan->contains;
}

static void end_process(struct crash *crash)
{
	metrics_add(METRIC_CRASHES_FATAL, 1);
	if (crash->is_of_request)
		guarded(answer, crash);
	tell(crash);
	say(why_process_ends(crash));
	if (!here.is_in_handler && atomic_load(&crashes) > 1)
		wait_for(&first_is_done, OTHER_MS); /* another thread may be about to answer for its request */
	atomic_store(&first_is_done, true);
	die(crash->signal_number, crash->facts.info);
}

/* Does not return, except in the child that dumps. Who has the answer may ask again at once, and must not come here again. */
static void contain(struct crash *crash)
{
	bool can_go_on;

	metrics_add(METRIC_CRASHES_CONTAINED, 1);
	plan->leave();
	wait_for(&work_is_refused, REFUSE_MS);
	guarded(answer, crash);
	tell(crash);
	say("crash: the request has its answer; the process takes no new work, ends when its other requests have "
	    "ended, and is replaced");
	if (fork_to_dump()) {
		die(crash->signal_number, crash->facts.info);
		return;
	}
	can_go_on = malloc_works(crash);
	if (!can_go_on)
		say("crash: malloc hangs or fails on this thread: its other requests are answered with 503");
	atomic_store(&first_is_done, true);
	here.is_in_handler = false;
	here.kind->abandon(can_go_on);
}

/* kill(1), or a watchdog. abort sends, too, but to itself. */
static bool is_sent_by_others(const siginfo_t *info)
{
	return info->si_code <= 0 && (info->si_code != SI_TKILL || info->si_pid != getpid());
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
	struct crash crash = { .signal_number = signal_number };

	if (here.guard)
		siglongjmp(*here.guard, 1);
	if (info->si_code == SI_TIMER)
		return; /* of malloc_works, in the last moment */
	if (is_sent_by_others(info)) {
		die(signal_number, info);
		return;
	}
	crash.facts.signal_number = signal_number;
	crash.facts.info = info;
	crash.facts.context = context;
	set_out(&crash);
	if (!crash.is_contained) {
		end_process(&crash);
		return;
	}
	here.is_in_handler = true;
	contain(&crash);
}

/* Life ------------------------------------------------------------------------------------------------------------------- */

/* SA_NODEFER: a guarded step that faults is left by a jump. */
static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	if (guard_size == 0)
		crash_report_prepare();
	guard_size = (size_t)sysconf(_SC_PAGESIZE);
	for (int i = 0; i < FAULT_SIGNALS; i++)
		LEAT_CHECK(sigaction(fault_signals[i], &action, NULL) == 0);
}

void crash_init(const struct crash_plan *new_plan)
{
	plan = new_plan;
	catch_faults();
}

void crash_enter_thread(const struct crash_kind *kind)
{
	stack_t stack = { .ss_size = stack_round(SIGNAL_STACK + getauxval(AT_MINSIGSTKSZ)) };

	if (guard_size == 0)
		catch_faults(); /* programs that have loops and no plan */
	stack.ss_sp = here.stack = stack_map(stack.ss_size);
	if (!here.stack)
		check_out_of_memory(stack.ss_size, "a signal stack");
	here.stack_size = stack.ss_size;
	LEAT_CHECK(sigaltstack(&stack, NULL) == 0);
	here.kind = kind;
}

void crash_leave_thread(void)
{
	const stack_t off = { .ss_flags = SS_DISABLE };

	here.kind = NULL;
	if (!here.stack)
		return;
	sigaltstack(&off, NULL);
	stack_unmap(here.stack, here.stack_size);
	here.stack = NULL;
}

#endif
