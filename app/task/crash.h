/* crash.h - what becomes of a process in which something crashes: SIGSEGV, SIGBUS, SIGFPE, SIGILL, or SIGABRT.
 *
 * Use:
 *     crash_init(&plan);                      -- each worker process, before its threads
 *     crash_enter_thread(&kind);              -- each thread that runs the service's code; crash_leave_thread() at its end
 *     if (crash_has_happened()) ...           -- the process has lost something, and only finishes what runs
 *
 * The first crash of a process is contained, if it happens while a request is worked on (in its task, or in a call that it offloaded):
 * the log gets a report, the request its 500, what ran is left as it stands and never goes on; the process takes no new work, finishes what else
 * runs, and ends. Everything else ends the process at once, with a report: a second crash, one in leat's own code, one where no request is
 * known. What others send (kill -SEGV) is no crash: it ends the process as it always did.
 *
 * What holds, and why. In C nobody can undo what a function had half done. So nothing is undone: the stack that crashed is never used
 * again, nor its request's memory, so whatever still points there finds it as it was; nothing is freed that only the dead one knew. What is
 * certain is: the request is answered once (or its stream is cut visibly), from the signal handler, with system calls alone.
 * Other threads do not notice. Other requests of the same thread go on, as far as the crash has left them whole:
 *  - A lock that the dead one held is held for ever. Handlers hold none of leat's: those are taken and given back within leat's functions, around
 *    list operations. malloc's is another matter: glibc aborts under its lock when it finds a heap broken. Who needs that lock next hangs:
 *    this thread, since each thread has an arena of its own (eight times as many as there are processors). So the thread tries malloc first,
 *    with a limit (try_malloc): if that does not come back, its other requests are answered with 503, their streams cut, and the thread ends.
 *    Locks of the handler's own, or of libraries, that stay held make those wait who need them, until the end of the process.
 *  - Memory that was overwritten stays so. A second fault, on whatever thread, ends the process at once.
 * Whatever happens is bounded: the process ends itself after the setting crash_grace, and its supervisor kills it two seconds later.
 *
 * A core dump is made by a child, when RLIMIT_CORE allows any: it has the memory as it was and only the thread that crashed, and faults there
 * again, so that core_pattern (systemd-coredump) finds what it always did. A crash that is not contained dumps as ever.
 *
 * Sanitizers keep their own handlers: with them nothing of this happens, and the first crash ends the process.
 *
 * Ownership:      plans and kinds are static.
 * Thread-safety:  crash_init: before other threads exist. All else: any thread; crash_has_happened in signal handlers, too.
 * Errors:         none.
 */
#ifndef APP_TASK_CRASH_H
#define APP_TASK_CRASH_H

#include <leat/text.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

/* Longest of a request's ids (http/request_id.h). */
enum { CRASH_ID_SIZE = 128 };

/* Whose work crashed. */
struct crash_subject {
	const char *route; /* static, or as old as the process */
	size_t id_len;
	char id[CRASH_ID_SIZE];
};

/* 'route' NULL: none. Of an id that is too long, the beginning. */
static inline struct crash_subject crash_subject_of(const char *route, leat_text id)
{
	struct crash_subject subject = { .route = route ? route : "none",
					 .id_len = id.len < CRASH_ID_SIZE ? id.len : CRASH_ID_SIZE };

	if (subject.id_len > 0)
		memcpy(subject.id, id.ptr, subject.id_len);
	return subject;
}

/* Of requests, for the threads that run tasks. 'arg' is the task's. All but 'bury' are called in the signal handler. */
struct crash_plan {
	unsigned process;
	bool contains; /* else the first crash ends the process, too */
	/* False: it works on no request. */
	bool (*describe)(void *arg, struct crash_subject *ret_subject);
	/* With 500, or by cutting its stream. */
	void (*answer)(void *arg);
	/* With 503: it did not crash, but will not run any more. */
	void (*refuse)(void *arg);
	/* The process is to finish what it has, and to be replaced. */
	void (*leave)(void);
	/* On the loop, when the task is forgotten: what is left to do. */
	void (*bury)(void *arg);
};

/* What a thread runs. All are called in the signal handler. */
struct crash_kind {
	const char *where;      /* "a handler" */
	void *(*running)(void); /* NULL: nothing */
	const char *(*stack)(
		void); /* the low end of the stack it runs on, whose guard page is below; NULL: the thread's own */
	bool (*describe)(void *running, struct crash_subject *ret_subject);
	void (*answer)(void *running);
	/* Leaves it for good; does not return. 'can_go_on': malloc works on this thread. */
	void (*abandon)(bool can_go_on);
};

void crash_init(const struct crash_plan *plan);

/* The threads must not block the signals: see crash_unblock. */
void crash_enter_thread(const struct crash_kind *kind);
void crash_leave_thread(void);

/* Takes those signals out of a set that a thread is to block. */
void crash_unblock(sigset_t *blocked);

bool crash_has_happened(void);

/* By the main thread, when the process takes no new work any more: the answer is given then. */
void crash_work_is_refused(void);

/* For those who run tasks: the plan's functions, or nothing without a plan. */
bool crash_describe(void *arg, struct crash_subject *ret_subject);
void crash_answer(void *arg);
void crash_refuse(void *arg);
void crash_bury(void *arg);

#endif
