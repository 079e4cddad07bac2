/* leat/after.h - work after the reply: mails, notices to other services, counts that may come late.
 *
 * Use:
 *     struct welcome { char address[256]; };
 *
 *     static void send_welcome(void *arg)                 -- on a thread of its own kind: it may block
 *     {
 *         const struct welcome *welcome = arg;
 *         ...
 *     }
 *
 *     LEAT_TRY(leat_after_reply(req, send_welcome, &welcome, sizeof(welcome)));
 *     return leat_reply(req, 201, &user_shape, &user);
 *
 * It runs when the reply has left, on one of `after_threads` threads of the process (settings), in the order in which replies left; also when the client
 * did not wait for it. It does not run when the handler fails (any result but LEAT_OK) or crashes: what the work belongs to did not happen. Nor when it has
 * waited for longer than the setting after_wait: that is counted, and a line in the log. A place in the queue (setting after_queue) is reserved by the
 * call, so that a handler knows before it answers.
 *
 * On shutdown what waits is run, within what is left of the setting grace; what does not end by then is lost, and the log says how much. There is no
 * other promise: a process that is killed loses it. What must happen belongs into the database.
 *
 * leat_after_reply_total in the metrics has outcomes; leat_after_reply_waiting how many wait.
 *
 * Ownership:      'size' bytes are copied; what they point to must live on without the request.
 * Thread-safety:  the request's task. 'fn' runs elsewhere, and must not touch the request; several run at once.
 * Errors:         LEAT_UNAVAILABLE, with words that name the setting, when the queue is full. When 'fn' crashes, that is a crash of the request's (leat/service.h),
 *                 whose reply has gone: a report, and the process is replaced.
 */
#ifndef LEAT_AFTER_H
#define LEAT_AFTER_H

#include <leat/result.h>
#include <stddef.h>

struct leat_request;

LEAT_API enum leat_result leat_after_reply(struct leat_request *req, void (*fn)(void *arg), const void *arg,
					   size_t size) LEAT_MUST_USE;

#endif
