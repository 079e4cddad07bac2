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
	struct buffer headers;                    /* "Name: value\r\n" each */
	const struct leat_static_reply *rendered; /* instead of all of these */
	bool is_stream;                           /* the body follows piece by piece, instead of 'body' */
	int64_t stream_length;                    /* of all pieces; -1: not known */
};

/* Whether it can be a reply's content type: a header's value. NULL is none. */
bool response_is_type(const char *content_type);

void response_set(struct response *response, int status, const char *content_type, leat_text body);

void response_set_static(struct response *response, const struct leat_static_reply *reply);
void response_set_stream(struct response *response, int status, const char *content_type, int64_t length);

/* With headers of its own: what is added to the copy, or dropped from it, leaves the original as it is. */
struct response response_copy(const struct response *response, struct arena *arena);

/* Forgets everything, added headers too. */
void response_clear(struct response *response);

/* What is wrong with it, or NULL: header.h. */
const char *response_add_header(struct response *response, struct arena *arena, leat_text name, leat_text value);

/* The value of an added header; of the next one after '*at', which is NULL at first. {NULL, 0}: there is none (more). A view, good until headers are added or
 * dropped. */
leat_text response_next_header(const struct response *response, leat_text name, const char **at);

/* Drops every line of an added header. */
void response_drop_header(struct response *response, leat_text name);

/* Makes it a 304: without body and without what tells of one (RFC 9110 15.4.5); all other headers stay. */
void response_not_modified(struct response *response);

/* Header lines as 'headers' has them, from another response. */
void response_add_lines(struct response *response, struct arena *arena, leat_text lines);
/* Whether a header of that name was added. */
bool response_has_header(const struct response *response, const char *name);

/* "Status: 200 OK\r\n...\r\n\r\n" */
leat_text response_head(const struct response *response, struct arena *arena);

/* Whether its status allows a body (RFC 9110 6.4.1). */
bool response_has_content(const struct response *response);

/* {NULL, 0} of a stream. */
leat_text response_body(const struct response *response);
int response_status(const struct response *response);

/* NULL: none. */
const char *response_content_type(const struct response *response);

#endif
