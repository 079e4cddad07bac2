/* crash_report.h - what the log says of a crash: which signal, where, of which request, and how it came there.
 *
 * Use (crash.c, in the signal handler):
 *     crash_report_what(&facts);
 *     crash_report_unwind(&facts);   -- reads the stack that crashed, and so may fault
 *     crash_report_way(&facts);
 *
 * Lines of the log, each one a message:
 *     crash: SIGSEGV (no such memory) at address 0x0 in a handler: route /x/{id}, request 01KA..., process 1, thread 4711 (leat-worker-0)
 *     crash: #0 0x55d0c1e0 crash_null+0x14 (shop+0x41e0)
 *     crash: #1 ...
 *     crash: shop is /usr/bin/shop, build id 9f04...: addr2line -Cfipe /usr/bin/shop 0x41e0 0x...
 *
 * Nothing that a client sent is in it but the request's id, whose characters were checked.
 *
 * Ownership:      the caller's.
 * Thread-safety:  any thread, in a signal handler.
 * Errors:         none.
 */
#ifndef APP_TASK_CRASH_REPORT_H
#define APP_TASK_CRASH_REPORT_H

#include <leat/text.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { CRASH_FRAMES_MAX = 48 };

/* Innermost first. Of a call, the address before the one it returns to: that is the call's line. */
struct crash_frames {
	uintptr_t at[CRASH_FRAMES_MAX];
	unsigned count;
	uintptr_t from; /* where it crashed: those before it are the signal handler's */
};

struct crash_facts {
	int signal_number;
	const siginfo_t *info;
	const void *context; /* the handler's third argument */
	unsigned process;
	bool is_overrun;      /* of a task's stack */
	const char *where;    /* "a handler" */
	const char *route;    /* NULL: none */
	leat_text request_id; /* {NULL, 0}: none */
	struct crash_frames frames;
};

/* Learns what it may not ask for later. Before other threads exist. */
void crash_report_prepare(void);

void crash_report_what(const struct crash_facts *facts);
void crash_report_unwind(struct crash_facts *facts);
void crash_report_way(const struct crash_facts *facts);

/* "SIGSEGV" */
const char *crash_signal_name(int signal_number);

#endif
