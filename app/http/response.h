/* response.h - the reply of one request, kept until the handler returns.
 *
 * Use:
 *     response_set(&req->response, 200, "application/json", body);
 *     leat_text head = response_head(&req->response, arena);   -- up to the empty line
 *
 * Ownership:      texts are the request's, or static.
 * Thread-safety:  only the request's task.
 * Errors:         none.
 */
#ifndef APP_HTTP_RESPONSE_H
#define APP_HTTP_RESPONSE_H

#include <leat/text.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"

struct leat_static_reply;

struct response {
	int status; /* 0: none given yet */
	const char *content_type;
	leat_text body;
	struct buffer headers; /* "Name: value\r\n" each */
	const struct leat_static_reply *rendered; /* instead of all of these */
};

void response_set(struct response *response, int status, const char *content_type, leat_text body);

/* Forgets everything, added headers too. */
void response_clear(struct response *response);

void response_add_header(struct response *response, struct arena *arena, leat_text name, leat_text value);

/* "Status: 200 OK\r\n...\r\n\r\n" */
leat_text response_head(const struct response *response, struct arena *arena);

leat_text response_body(const struct response *response);
int response_status(const struct response *response);

#endif
