/* version.h - versions as replies have them; handlers see leat/version.h.
 *
 * Use (send_file.c, etag.c):
 *     version_write(req, &validators);
 *     LEAT_TRY(version_judge(req, &validators));
 *
 * Ownership:      validators are the caller's; what is written is copied.
 * Thread-safety:  only the request's task.
 * Errors:         version_judge: those of leat_check_version.
 */
#ifndef APP_HTTP_VERSION_H
#define APP_HTTP_VERSION_H

#include <leat/version.h>

#include "http/condition.h"

/* ETag and Last-Modified, in place of those there are. The date is not later than now (RFC 9110 8.8.2.1). */
void version_write(struct leat_request *req, const struct validators *validators);

/* Whether the request's conditions hold. */
enum leat_result version_judge(struct leat_request *req, const struct validators *validators) LEAT_MUST_USE;

/* Whether If-Range lets a Range count. */
bool version_allows_range(struct leat_request *req, const struct validators *validators);

#endif
