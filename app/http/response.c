/* response.c - see response.h. Filled by request.c and problem.c, sent by pipeline.c. */
#include "http/response.h"

#include <leat/request.h>
#include <string.h>
#include <strings.h>

#include "http/header.h"
#include "http/parameter.h"

enum { HEAD_ROOM = 256 };

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 422, "Unprocessable Content" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 499, "Client Closed Request" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

/* RFC 9110 15; a number that is not here goes without words, which HTTP allows. */
static const char *reason_of(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

bool response_is_type(const char *content_type)
{
	return header_is_value(leat_text_from(content_type));
}

void response_set(struct response *response, int status, const char *content_type, leat_text body)
{
	response->status = status;
	response->content_type = content_type;
	response->body = body;
	response->rendered = NULL;
	response->is_stream = false;
}

void response_set_static(struct response *response, const struct leat_static_reply *reply)
{
	response->rendered = reply;
	response->is_stream = false;
}

void response_set_stream(struct response *response, int status, const char *content_type, int64_t length)
{
	response_set(response, status, content_type, (leat_text){ NULL, 0 });
	response->is_stream = true;
	response->stream_length = length;
}

struct response response_copy(const struct response *response, struct arena *arena)
{
	struct response copy = *response;

	copy.headers = (struct buffer){ 0 };
	if (response->headers.len > 0)
		response_add_lines(&copy, arena, buffer_as_text(&response->headers));
	return copy;
}

void response_clear(struct response *response)
{
	*response = (struct response){ 0 };
}

const char *response_add_header(struct response *response, struct arena *arena, leat_text name, leat_text value)
{
	if (!response->headers.data)
		buffer_init(&response->headers, arena, HEAD_ROOM);
	return header_write(&response->headers, name, value);
}

/* Takes one line off the headers. */
static leat_text take_line(leat_text *rest, leat_text *ret_name, leat_text *ret_value)
{
	const char *colon = memchr(rest->ptr, ':',
				   rest->len); /* written by header_write: it is there, and the line ends */
	const char *end = memchr(colon, '\r', rest->len - (size_t)(colon - rest->ptr));
	leat_text line = { rest->ptr, (size_t)(end + 2 - rest->ptr) };

	*ret_name = (leat_text){ line.ptr, (size_t)(colon - line.ptr) };
	*ret_value = (leat_text){ colon + 2, (size_t)(end - colon - 2) };
	*rest = (leat_text){ rest->ptr + line.len, rest->len - line.len };
	return line;
}

leat_text response_next_header(const struct response *response, leat_text name, const char **at)
{
	leat_text rest = buffer_as_text(&response->headers), found, value;

	if (*at)
		rest = (leat_text){ *at, rest.len - (size_t)(*at - rest.ptr) };
	while (rest.len > 0) {
		take_line(&rest, &found, &value);
		*at = rest.ptr;
		if (parameter_same(found, name))
			return value;
	}
	return (leat_text){ NULL, 0 };
}

bool response_has_header(const struct response *response, const char *name)
{
	const char *at = NULL;

	return response_next_header(response, leat_text_from(name), &at).ptr != NULL;
}

void response_drop_header(struct response *response, leat_text name)
{
	leat_text rest = buffer_as_text(&response->headers), found, value;
	size_t kept = 0;

	while (rest.len > 0) {
		leat_text line = take_line(&rest, &found, &value);

		if (parameter_same(found, name))
			continue;
		memmove(response->headers.data + kept, line.ptr, line.len);
		kept += line.len;
	}
	response->headers.len = kept;
}

/* Date is the front server's. Last-Modified is of use only where there is no ETag. */
void response_not_modified(struct response *response)
{
	static const char *const of_body[] = { "Content-Encoding",    "Content-Language", "Content-Range",
					       "Content-Disposition", "Content-Digest",   "Repr-Digest",
					       "Accept-Ranges" };
	const char *at = NULL;

	for (size_t i = 0; i < sizeof(of_body) / sizeof(of_body[0]); i++)
		response_drop_header(response, leat_text_from(of_body[i]));
	if (response_next_header(response, LEAT_TEXT_OF("ETag"), &at).ptr)
		response_drop_header(response, LEAT_TEXT_OF("Last-Modified"));
	response_set(response, 304, NULL, (leat_text){ "", 0 });
}

void response_add_lines(struct response *response, struct arena *arena, leat_text lines)
{
	if (!response->headers.data)
		buffer_init(&response->headers, arena, HEAD_ROOM + lines.len);
	buffer_text(&response->headers, lines);
}

bool response_has_content(const struct response *response)
{
	return response->rendered || (response->status != 204 && response->status != 304);
}

/* -1: it has none, or it is not known. No content has no length (RFC 9110 8.6). */
static int64_t length_of(const struct response *response)
{
	if (!response_has_content(response))
		return -1;
	return response->is_stream ? response->stream_length : (int64_t)response->body.len;
}

static leat_text render_head(const struct response *response, struct arena *arena)
{
	int64_t length = length_of(response);
	struct buffer head;

	buffer_init(&head, arena, HEAD_ROOM + response->headers.len);
	buffer_text(&head, LEAT_TEXT_OF("Status: "));
	buffer_int(&head, response->status);
	buffer_byte(&head, ' ');
	buffer_text(&head, leat_text_from(reason_of(response->status)));
	if (response->content_type) {
		buffer_text(&head, LEAT_TEXT_OF("\r\nContent-Type: "));
		buffer_text(&head, leat_text_from(response->content_type));
	}
	if (length >= 0) {
		buffer_text(&head, LEAT_TEXT_OF("\r\nContent-Length: "));
		buffer_int(&head, length);
	}
	buffer_text(&head, LEAT_TEXT_OF("\r\n"));
	buffer_text(&head, buffer_as_text(&response->headers));
	buffer_text(&head, LEAT_TEXT_OF("\r\n"));
	return buffer_as_text(&head);
}

/* Added headers go before the rendered ones, which end with the empty line. */
leat_text response_head(const struct response *response, struct arena *arena)
{
	const struct leat_static_reply *rendered = response->rendered;
	struct buffer head;

	if (!rendered)
		return render_head(response, arena);
	if (response->headers.len == 0)
		return (leat_text){ rendered->bytes, rendered->body_at };
	buffer_init(&head, arena, rendered->body_at + response->headers.len);
	buffer_text(&head, buffer_as_text(&response->headers));
	buffer_bytes(&head, rendered->bytes, rendered->body_at);
	return buffer_as_text(&head);
}

leat_text response_body(const struct response *response)
{
	const struct leat_static_reply *rendered = response->rendered;

	if (rendered)
		return (leat_text){ rendered->bytes + rendered->body_at, rendered->len - rendered->body_at };
	return response_has_content(response) ? response->body : (leat_text){ NULL, 0 };
}

int response_status(const struct response *response)
{
	return response->rendered ? 200 : response->status;
}

const char *response_content_type(const struct response *response)
{
	return response->rendered ? "application/json" : response->content_type; /* LEAT_STATIC_JSON makes no other */
}
