/* abandon.h - the connection of a request whose task will not run any more: what the front server is told, and how it ends.
 *
 * Use (process.c):
 *     static const struct crash_plan plan = { .describe = abandon_describe, .answer = abandon_answer, .refuse = abandon_refuse,
 *                                             .bury = abandon_bury, ... };
 *
 * Before the reply has begun the answer is a whole 500 (or 503), a problem document with the request's id; afterwards, the record that is none
 * (exchange.h). Hooks are not left, and a service's own form of problems is not asked: both are code of the service, on a stack that is gone.
 *
 * Ownership:      'arg' is the connection. All that is read in a signal handler lies beside the stack that crashed: in the connection, and what
 *                 the front's 'describe' knows.
 * Thread-safety:  abandon_bury: the loop of the connection. The others: a signal handler on that thread.
 * Errors:         none; what the socket does not take at once is lost, and the connection is closed.
 */
#ifndef APP_FRONT_ABANDON_H
#define APP_FRONT_ABANDON_H

#include <stdbool.h>

struct crash_subject;

/* False: it serves no request. */
bool abandon_describe(void *arg, struct crash_subject *ret_subject);
void abandon_answer(void *arg);
void abandon_refuse(void *arg);
void abandon_bury(void *arg);

#endif
