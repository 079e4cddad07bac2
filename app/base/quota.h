/* quota.h - how many of something scarce all processes of the service use together: connections to PostgreSQL that are lent.
 *
 * Use:
 *     quota_create(processes, most)  ;    -- the supervisor, before it forks
 *     quota_enter(process);                     -- in a worker process
 *     if (quota_take())                         -- one more, unless all of them are in use
 *         ...
 *     quota_give();
 *     quota_forget(process);                    -- the supervisor, when a process has ended
 *
 * Each process counts its own in shared memory; who takes adds first and looks then. So the sum never passes the limit, and a process
 * that dies holds nothing. Two that take the last one at once may both be refused.
 *
 * Ownership:      the memory is the service's and stays.
 * Thread-safety:  any thread of any process.
 * Errors:         without quota_create everything is granted.
 */
#ifndef APP_BASE_QUOTA_H
#define APP_BASE_QUOTA_H

#include <stdbool.h>

void quota_create(unsigned processes, unsigned most);
void quota_enter(unsigned process);
bool quota_take(void) __attribute__((warn_unused_result));
void quota_give(void);
void quota_forget(unsigned process);

/* In use by all processes. */
unsigned quota_used(void);

#endif
