/* wait.h - the ways a task can wait. Each takes a deadline and answers ok, timed out or cancelled.
 *
 * Use:
 *     LEAT_TRY(wait_fd(fd, WAIT_READ, deadline_ns));
 *     LEAT_TRY(wait_sleep(clock_now_ns() + 20 * CLOCK_MS, deadline_ns));
 *     LEAT_TRY(semaphore_take(&semaphore, 1, deadline_ns));  ...  semaphore_give(&semaphore, 1);
 *
 * Ownership:      semaphores and queues are the caller's; nobody may wait on one that is finished.
 * Thread-safety:  waiting: only tasks. semaphore_give, queue_put: any thread of the process.
 * Errors:         LEAT_TIMED_OUT at the deadline, LEAT_CANCELLED when the task was cancelled.
 */
#ifndef APP_TASK_WAIT_H
#define APP_TASK_WAIT_H

#include <leat/result.h>
#include <stdbool.h>
#include <stdint.h>

enum wait_for { WAIT_READ = 1, WAIT_WRITE = 2 };

/* Until the descriptor, not watched by anyone else on this loop, is ready. Hang-up and error count as ready. */
enum leat_result wait_fd(int fd, enum wait_for what, int64_t deadline_ns) LEAT_MUST_USE;

/* Until 'until_ns'. */
enum leat_result wait_sleep(int64_t until_ns, int64_t deadline_ns) LEAT_MUST_USE;

#endif
