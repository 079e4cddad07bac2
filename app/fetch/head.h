/* head.h - the headers of a call, and of what it is answered.
 *
 * Use:
 *     const char **lines;
 *     const char *fault = head_write(req, what, "GET", &lines);     -- NULL: it can be sent
 *     head_read(bytes, arena, &reply);                              -- reply.headers
 *
 * Ownership:      lines and headers lie in the request's arena; a fault is static.
 * Thread-safety:  only the request's task.
 * Errors:         head_write says what cannot be sent.
 */
#ifndef APP_FETCH_HEAD_H
#define APP_FETCH_HEAD_H

#include <leat/fetch.h>

#include "base/arena.h"

/* 'headers' may be NULL. */
bool head_has(const struct leat_fetch_header *headers, const char *name);

/* As libcurl takes them, ended by NULL: the caller's, the traces, and none of libcurl's own that nobody asked for. */
const char *head_write(struct leat_request *req, const struct leat_fetch *what, const char *method,
		       const char ***ret_lines);

/* Without what is for the server of before only, and, when the body is not sent again, without what describes it. In place. */
void head_carry_over(const char **lines, bool to_another, bool without_body);

/* Of a head as it came, status line and all. */
void head_read(leat_text bytes, struct arena *arena, struct leat_fetch_reply *reply);

/* Not two that differ (RFC 9112 6.3). */
bool head_has_one_length(const struct leat_fetch_reply *reply);

#endif
