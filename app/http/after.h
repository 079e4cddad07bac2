/* after.h - what a request wants done after its reply (leat/after.h).
 *
 * Use (pipeline.c):
 *     after_run(req);      -- the reply has left
 *     after_drop(req);     -- it failed
 *
 * Ownership:      the request's, until it runs: then copies.
 * Thread-safety:  the request's task; after a crash, its loop.
 * Errors:         none; see task/background.h.
 */
#ifndef APP_HTTP_AFTER_H
#define APP_HTTP_AFTER_H

struct leat_request;

void after_run(struct leat_request *req);
void after_drop(struct leat_request *req);

#endif
