/* problems.h - a result that becomes the reply: a problem document, which leat/problem.h may still give another form.
 *
 * Use:
 *     problems_reply(req, LEAT_NOT_FOUND);
 *
 * Ownership:      the request's.
 * Thread-safety:  only the request's task.
 * Errors:         none.
 */
#ifndef APP_HTTP_PROBLEMS_H
#define APP_HTTP_PROBLEMS_H

#include <leat/result.h>

struct leat_request;

/* In place of any reply; headers that were added stay. */
void problems_reply(struct leat_request *req, enum leat_result result);

#endif
