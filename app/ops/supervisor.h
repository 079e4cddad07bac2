/* supervisor.h - starts worker processes, starts them again when they end, and stops them. It serves nothing itself.
 *
 * Use:
 *     const struct supervisor_plan plan = {
 *         .processes = 2, .grace_ms = 10000, .leave_ms = 10000, .same_ask_ms = 100, .run = worker_process, .arg = &service,
 *     };
 *     return supervisor_run(&plan);
 *
 *     supervisor_leave();        -- in a child: it takes no new work any more
 *
 * Signals to the supervisor:
 *     TERM, INT   children get TERM and grace_ms + 2 s to end, then KILL. The same signal again: KILL at once.
 *                 (INT and then TERM is one stop: a terminal and the script above leat both pass a Ctrl-C on. So is the same
 *                 signal within same_ask_ms: timeout(1) sends TERM to the process and to its group.)
 *     HUP, USR1   passed on to the children
 *     USR2        of a child that leaves; else nothing
 *
 * A child that ends on its own is started again after a pause (respawn.h). One that ends with SUPERVISOR_FATAL in the
 * first 10 seconds of the service says that it can never work, as with an address in use: the service ends. Later the
 * same status is an end like others: a service that has worked does not give up.
 *
 * A child that leaves is replaced while it finishes what it has (or, is_in_turn, after that), for leave_ms + 2 s at most. No more of them leave at a time than there are
 * processes: what one more needs, the oldest of them makes room for.
 *
 * A child starts with an empty signal mask and default dispositions, except that INT, HUP, USR1 and PIPE are ignored
 * until it decides otherwise: a terminal's Ctrl-C reaches the whole group, and the others must not end a child before
 * it has its handlers. It is killed when the supervisor's thread ends, however that ends. 'lifeline_fd' says the same
 * to those who prefer to be asked: it is at its end when the supervisor is gone.
 *
 * Ownership:      the plan is the caller's and outlives the call. A child owns its lifeline_fd.
 * Thread-safety:  the main thread, before any other exists. Signals stay blocked in the supervisor's process
 *                 afterwards.
 * Errors:         returns the exit status: 0 after a stop that was asked for, even when children had to be killed; 1
 *                 when the children cannot work.
 */
#ifndef APP_OPS_SUPERVISOR_H
#define APP_OPS_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

/* What a child returns when trying again is of no use (EX_CONFIG of sysexits.h). */
enum { SUPERVISOR_FATAL = 78 };

/* Processes that can run at once. */
#define SUPERVISOR_SEATS(processes) (2 * (processes))

struct supervisor_plan {
	unsigned processes;
	int64_t grace_ms;
	int64_t leave_ms;    /* how long a child that leaves may take */
	bool is_in_turn;     /* it is replaced when it has ended, not before */
	int64_t same_ask_ms; /* the same signal again within so long is the first one's echo */
	/* The child's main; returns its exit status. 'process' is from 0 to SUPERVISOR_SEATS - 1, and no other child's: one
	 * that is started again has the same, unless the one before still leaves. */
	int (*run)(void *arg, unsigned process, int lifeline_fd);
	void *arg;
};

int supervisor_run(const struct supervisor_plan *plan);

/* In a child, on any of its threads; async-signal-safe. */
void supervisor_leave(void);

#endif
